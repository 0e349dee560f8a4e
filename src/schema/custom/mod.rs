//! Custom resources: definitions found in documents, their structural schemas as shapes, value checks and CEL rules.

mod address;
mod cel;
mod convert;
mod definition;
mod format;
mod functions;
mod macros;
mod rule;
mod store;
mod structure;
mod url;
mod values;

pub use definition::check as check_definition;
pub use rule::syntax_fault;
pub use store::{CustomKind, Store};

use super::kind::Identity;
use super::path::{Path, Step};
use super::shape::Shape;
use super::walk::Walk;
use crate::yaml::{Data, Node};

/// A node of a structural schema: a shape, and what the schema says beyond it.
#[derive(Debug, Clone)]
pub struct Custom {
    pub shape: Shape,
    nullable: bool,
    /// Unknown fields are kept rather than dropped.
    open: bool,
    /// The value is an object of its own.
    embedded: bool,
    default: Option<Node>,
    values: Option<Box<values::Values>>,
    rules: Vec<cel::Rule>,
}

/// Checks a value against a node of a structural schema.
pub(super) fn check(walk: &mut Walk<'_>, custom: &Custom, node: &Node, path: &Path<'_>) {
    if node.is_null() {
        // The server drops a null that is not allowed from an object, but not from a list.
        if matches!(path.steps().last(), Some(Step::Index(_))) && !custom.nullable {
            walk.mismatch(&custom.shape, node, path);
        }
        return;
    }
    let before = walk.findings.len();
    match (&custom.shape, &node.data) {
        (Shape::Object(fields), Data::Map(map)) => walk.fields(fields, None, custom.open, map, node, path),
        (shape, _) => walk.value(shape, node, path),
    }
    if let Some(values) = &custom.values {
        values.check(walk, node, path);
    }
    if custom.embedded
        && let Ok(identity) = Identity::read(node)
        && let Some(definition) = walk.pool.kind(&identity.key())
    {
        walk.definition(definition, node, path);
    }
    // A rule about a value of the wrong form would only repeat what has been told.
    if walk.findings.len() == before {
        cel::check(walk, custom, node, path);
    }
}
