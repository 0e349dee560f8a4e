//! Checks beyond the schema: what the API server refuses, and what cannot work, by the documented rules of each
//! field. One file per area; a rule hangs on the definition whose values it checks.

pub(super) mod api;

use super::path::Path;
use super::walk::Walk;
use crate::yaml::Node;

/// A check of a value of some definition; the value is a mapping of the right shape or has been told to be wrong.
pub(super) type Rule = fn(&mut Walk<'_>, &Node, &Path<'_>);

/// The rules of a definition.
pub(super) fn of_definition(_name: &str) -> &'static [Rule] {
    &[]
}
