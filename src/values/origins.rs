//! Who set a value: every layer that says something about a path, in the order in which they override each other.

use super::layers::Layered;
use super::release::Resolved;
use super::tree::{Tree, UnitId};
use crate::diagnostic::Span;
use crate::yaml::{Node, Step};
use std::sync::Arc;

/// What kind of layer said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The `values.yaml` of the chart with this path: `web/charts/redis`.
    Default(Arc<str>),
    /// `import-values` of the chart with this path.
    Imported(Arc<str>),
    /// The user's layer with this number, from 0.
    Layer(usize),
}

/// What a layer says about a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Setter {
    pub source: Source,
    pub key_span: Span,
    pub value: Node,
    /// How many steps of the path the value is at. Fewer than the path has: it replaces a mapping or list that the
    /// path leads through.
    pub depth: usize,
}

/// The history of a path.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The lowest layer first.
    pub setters: Vec<Setter>,
    /// The one whose value it is; `None` where the path has no value.
    pub winner: Option<usize>,
}

impl Resolved<'_> {
    /// All that layers say about a path of the final values.
    pub fn history(&self, layered: &Layered, path: &[Step]) -> History {
        let mut setters = self.setters(layered, path);
        let Some(value) = self.values.follow(path) else { return History { setters, winner: None } };
        let is_it = |setter: &Setter| setter.depth == path.len() && setter.value.span == value.span;
        let winner = setters.iter().rposition(is_it).unwrap_or_else(|| {
            // Charts share parts of their globals, so a value can come from a chart that the path does not lead through.
            let source = self.source_of(value.span, layered);
            setters.push(Setter { source, key_span: value.span, value: value.clone(), depth: path.len() });
            setters.len() - 1
        });
        History { setters, winner: Some(winner) }
    }

    /// The layer whose file a place is in; the root's defaults where there is none.
    fn source_of(&self, span: Span, layered: &Layered) -> Source {
        let layer = layered.layers.iter().position(|(_, layer)| layer.span.file == span.file);
        let chart = self.tree.iter().find(|unit| unit.chart.values.span.file == span.file);
        match (layer, chart) {
            (Some(number), _) => Source::Layer(number),
            (None, Some(unit)) => Source::Default(Arc::clone(&unit.path)),
            (None, None) => Source::Default(Arc::clone(&self.tree.unit(Tree::ROOT).path)),
        }
    }

    pub(super) fn setters(&self, layered: &Layered, path: &[Step]) -> Vec<Setter> {
        let charts = self.charts(path);
        let items = self.items(path);
        let mut setters: Vec<Setter> = Vec::new();
        for &(unit, start) in charts.iter().rev() {
            let inner = &path[start..];
            let own = find(&self.tree.unit(unit).chart.values, inner, start, &items);
            // A chart's processed defaults hold those of its subcharts, which come on their own, and what it imports.
            if let Some(found) =
                find(self.tree.values(unit), inner, start, &items).filter(|found| found.depth == inner.len())
            {
                let span = found.value.span;
                if own.as_ref().is_none_or(|own| own.value.span != span)
                    && !setters.iter().any(|setter| setter.value.span == span)
                    && !is_generated(found.value)
                {
                    setters.push(found.setter(Source::Imported(Arc::clone(&self.tree.unit(unit).path)), start));
                }
            }
            if let Some(found) = own {
                setters.push(found.setter(Source::Default(Arc::clone(&self.tree.unit(unit).path)), start));
            }
        }
        for (number, (_, layer)) in layered.layers.iter().enumerate() {
            if let Some(found) = find(layer, path, 0, &items) {
                setters.push(found.setter(Source::Layer(number), 0));
            }
        }
        // What a parent chart says about globals wins over what is said about the subchart's.
        if let Some(&(_, start)) = charts.last()
            && start > 0
            && matches!(path.get(start), Some(Step::Key(key)) if &**key == "global")
        {
            let parent: Vec<Step> = path[..start - 1].iter().chain(&path[start..]).cloned().collect();
            for mut setter in self.setters(layered, &parent) {
                setter.depth += 1;
                setters.retain(|known| known.value.span != setter.value.span);
                setters.push(setter);
            }
        }
        setters
    }

    /// The items of merged lists that a path leads through.
    fn items(&self, path: &[Step]) -> Vec<Item> {
        let lists = self.lists.iter().filter(|list| path.len() > list.path.len() && path.starts_with(&list.path));
        lists
            .filter_map(|list| {
                let item = self.values.follow(&path[..=list.path.len()])?;
                let keys = list.keys.iter().map(|key| Some((key.clone(), item.get(key)?.clone())));
                Some(Item { depth: list.path.len(), keys: keys.collect::<Option<_>>()? })
            })
            .collect()
    }

    /// The charts that a path leads through, with the number of steps to their values.
    fn charts(&self, path: &[Step]) -> Vec<(UnitId, usize)> {
        let mut charts = vec![(Tree::ROOT, 0)];
        for (at, step) in path.iter().enumerate() {
            let Step::Key(key) = step else { break };
            let (chart, _) = charts[charts.len() - 1];
            let mut subcharts = self.tree.subcharts(chart).iter();
            match subcharts.find(|&&subchart| self.tree.name(subchart) == key) {
                Some(&subchart) => charts.push((subchart, at + 1)),
                None => break,
            }
        }
        charts
    }
}

/// Whether this is a mapping that no file has: the `global` of a subchart, the section of one.
pub fn is_generated(node: &Node) -> bool {
    node.as_map().is_some_and(|map| map.is_empty()) && node.span.start == node.span.end
}

/// An item of a list that merges, told by its keys: other layers may have it at another index.
struct Item {
    /// How many steps lead to the list.
    depth: usize,
    keys: Vec<(String, Node)>,
}

impl Item {
    fn is(&self, item: &Node) -> bool {
        self.keys.iter().all(|(key, value)| item.get(key).is_some_and(|it| it.data == value.data))
    }
}

struct Found<'n> {
    key_span: Span,
    value: &'n Node,
    depth: usize,
}

impl Found<'_> {
    fn setter(&self, source: Source, start: usize) -> Setter {
        Setter { source, key_span: self.key_span, value: self.value.clone(), depth: start + self.depth }
    }
}

/// The value at a path, or the last one on the way if that is no mapping or list to go into. `start` steps lead to the
/// root.
fn find<'n>(root: &'n Node, path: &[Step], start: usize, items: &[Item]) -> Option<Found<'n>> {
    let mut found = Found { key_span: root.span, value: root, depth: 0 };
    for step in path {
        let value = found.value;
        if let (Some(item), Some(list)) = (items.iter().find(|item| item.depth == start + found.depth), value.as_seq())
        {
            let value = list.iter().find(|it| item.is(it))?;
            found = Found { key_span: value.span, value, depth: found.depth + 1 };
            continue;
        }
        let next = match step {
            Step::Key(key) => value.as_map().map(|map| map.get(key).map(|entry| (entry.key_span, &entry.value))),
            Step::Index(index) => value.as_seq().map(|items| items.get(*index).map(|item| (item.span, item))),
        };
        match next {
            Some(Some((key_span, value))) => found = Found { key_span, value, depth: found.depth + 1 },
            // A list that another layer gives replaces this one whole, though it be shorter.
            Some(None) if matches!(step, Step::Index(_)) => return Some(found),
            Some(None) => return None,
            None => return (found.depth > 0).then_some(found),
        }
    }
    Some(found)
}
