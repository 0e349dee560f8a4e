//! Templates by name. All files of a chart and its subcharts share one namespace; the argument of `tpl` opens a layer
//! above it, whose definitions are seen inside it only.

use super::ast::Tree;
use crate::value::Str;
use std::collections::HashMap;
use std::sync::Arc;

type Trees = HashMap<Str, Arc<Tree>, foldhash::fast::RandomState>;

/// The name of the template that the argument of `tpl` is.
pub(super) const TPL: &str = "gotpl";

#[derive(Debug, Default)]
pub(super) struct Layer {
    below: Option<Arc<Layer>>,
    trees: Trees,
}

impl Layer {
    pub(super) fn find(&self, name: &str) -> Option<Arc<Tree>> {
        let mut layer = Some(self);
        while let Some(this) = layer {
            if let Some(tree) = this.trees.get(name) {
                return Some(Arc::clone(tree));
            }
            layer = this.below.as_deref();
        }
        None
    }

    /// Adds a template. A later one of a name replaces an earlier one, unless it is empty.
    pub(super) fn add(&mut self, tree: Arc<Tree>) {
        if !tree.is_empty || self.find(&tree.name).is_none_or(|known| known.is_empty) {
            self.trees.insert(Arc::clone(&tree.name), tree);
        }
    }

    /// A layer with the templates that the argument of `tpl` defines.
    pub(super) fn above(below: &Arc<Layer>, trees: &[Arc<Tree>]) -> Layer {
        let mut layer = Layer { below: Some(Arc::clone(below)), trees: Trees::default() };
        for tree in trees {
            // The argument itself always takes its name, also from the argument of an enclosing `tpl`.
            if *tree.name == *TPL {
                layer.trees.insert(Arc::clone(&tree.name), Arc::clone(tree));
            } else {
                layer.add(Arc::clone(tree));
            }
        }
        layer
    }

    /// The argument of `tpl` that this layer belongs to.
    pub(super) fn main(&self) -> Option<Arc<Tree>> {
        self.trees.get(TPL).cloned()
    }

    /// All names, sorted.
    pub(super) fn names(&self) -> Vec<Str> {
        let mut names: Vec<Str> = self.trees.keys().cloned().collect();
        names.extend(self.below.iter().flat_map(|below| below.names()));
        names.sort();
        names.dedup();
        names
    }
}
