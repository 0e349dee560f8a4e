//! From a chart and the user's values to the charts and values that a render uses.

use super::coalesce::{CoalesceError, coalesce, go_percent_t};
use super::layers::Layered;
use super::lists::{ListShape, MergedList};
use super::table::{Clash, Nulls};
use super::tree::{Notes, Tree};
use crate::chart::Chart;
use crate::diagnostic::{Code, Diagnostic, Failure};
use crate::yaml::{Data, Mapping, Node, Step};
use std::sync::Arc;

/// What a render uses.
#[derive(Debug, Clone)]
pub struct Resolved<'a> {
    pub tree: Tree<'a>,
    /// The root chart's values; a subchart's are those under its name.
    pub values: Node,
    /// The lists in them that were merged item by item.
    pub(super) lists: Vec<MergedList>,
    /// Overrides that do not fit what they override, conditions and imports without effect.
    pub findings: Vec<Diagnostic>,
}

/// Processes dependencies, then coalesces the values.
pub fn resolve<'a>(chart: &'a Chart, layered: &Layered) -> Result<Resolved<'a>, Failure> {
    let mut notes = Notes::default();
    let tree = Tree::process(chart, &layered.values, &mut notes)
        .map_err(|error| vec![diagnostic(error, "chart dependencies processing failed: ")])?;
    let mut clashes = Vec::new();
    let values = coalesce(&tree, Tree::ROOT, &layered.values, Nulls::Delete, &mut clashes)
        .and_then(|values| Ok(values.to_node()?))
        .map_err(|error| vec![diagnostic(error, "")])?;
    let mut findings: Vec<Diagnostic> = notes
        .oddities
        .into_iter()
        .map(|oddity| {
            let diagnostic = Diagnostic::new(Code::DependencyCondition, oddity.message);
            let diagnostic = oddity.span.into_iter().fold(diagnostic, |it, span| it.label(span, "in this dependency"));
            oddity.value.into_iter().fold(diagnostic, |it, span| it.label(span, "set here"))
        })
        .collect();
    findings.extend(clashes.into_iter().map(clash));
    let mut resolved = Resolved { tree, values, lists: Vec::new(), findings };
    resolved.merge_lists(layered);
    Ok(resolved)
}

impl Resolved<'_> {
    /// Merges the lists that the schemas of the charts say should merge; the root's schema decides first.
    fn merge_lists(&mut self, layered: &Layered) {
        let mut charts = vec![(Tree::ROOT, Vec::new())];
        let mut at = 0;
        while let Some((chart, path)) = charts.get(at).cloned() {
            at += 1;
            charts.extend(self.tree.subcharts(chart).iter().map(|&subchart| {
                let mut path = path.clone();
                path.push(Step::Key(Arc::clone(self.tree.name(subchart))));
                (subchart, path)
            }));
            let Some(shape) = ListShape::of(self.tree.unit(chart).chart) else { continue };
            let Some(values) = self.values.follow(&path) else { continue };
            let mut lists = std::mem::take(&mut self.lists);
            let merged = shape.merged(values, &mut path.clone(), &|path| self.setters(layered, path), &mut lists);
            self.values = replaced(&self.values, &path, merged);
            self.lists = lists;
        }
    }
}

/// The tree with another value at a path of keys.
fn replaced(node: &Node, path: &[Step], value: Node) -> Node {
    let (Some((Step::Key(key), rest)), Data::Map(map)) = (path.split_first(), &node.data) else { return value };
    let mut map: Mapping = (**map).clone();
    if let Some(entry) = map.get_mut(key) {
        entry.value = replaced(&entry.value, rest, value);
    }
    Node { data: Data::Map(Arc::new(map)), ..node.clone() }
}

fn diagnostic(error: CoalesceError, prefix: &str) -> Diagnostic {
    match error {
        CoalesceError::TypeMismatch { name, found } => {
            let shown = go_percent_t(&found);
            Diagnostic::new(Code::InvalidValues, format!("{prefix}type mismatch on {name}: {shown}"))
                .label(found.span, format!("expected a mapping: the values of subchart `{name}`"))
        }
        CoalesceError::TooDeep => Diagnostic::new(
            Code::LimitExceeded,
            format!("{prefix}the values nest too deep, or `import-values` makes them contain themselves"),
        ),
    }
}

fn clash(clash: Clash) -> Diagnostic {
    let key = &clash.key;
    let (message, winner, loser) = if clash.winner_is_table {
        (format!("`{key}` is overridden by a mapping where the default is none"), "a mapping", "the default")
    } else {
        (format!("`{key}` is overridden by a value where the default is a mapping"), "no mapping", "the default")
    };
    Diagnostic::new(Code::OverriddenType, message).label(clash.winner, winner).label(clash.loser, loser)
}
