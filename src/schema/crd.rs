//! Custom resource definitions.

use super::path::Path;
use super::shape::Shape;
use super::walk::Walk;
use crate::yaml::Node;

/// A node of a structural schema.
#[derive(Debug, Clone)]
pub struct Custom {
    pub shape: Shape,
}

pub(super) fn check(walk: &mut Walk<'_>, custom: &Custom, node: &Node, path: &Path<'_>) {
    walk.value(&custom.shape, node, path);
}
