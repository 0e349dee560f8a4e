//! Between the spanned tree and the dynamic value of templates.

use super::{Data, Entry, MAX_DEPTH, Mapping, Node, Style};
use crate::diagnostic::Span;
use crate::value::{Entries, List, ListKind, Map, MapKind, Str, Value};
use std::sync::Arc;

/// What numbers become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Floats all, as Helm's templates see what comes from files.
    Go,
    /// Whole numbers stay whole.
    Exact,
}

/// One step of a path into values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Key(Str),
    Index(usize),
}

#[derive(Clone, Copy)]
enum StepRef<'a> {
    Key(&'a Str),
    Index(usize),
}

/// Which map or list of the values a tag means, so that reads can be recorded as (tag, key). Tag 0 means none.
#[derive(Debug, Clone, Default)]
pub struct Tags {
    places: Vec<Place>,
}

#[derive(Debug, Clone)]
struct Place {
    /// The tag of what holds this collection, and where in it; 0 at a root.
    parent: u32,
    step: Option<Step>,
    node: Node,
}

impl Tags {
    /// The path from the root; empty for the root itself.
    pub fn path(&self, tag: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut tag = tag;
        while let Some(place) = self.place(tag) {
            steps.extend(place.step.clone());
            tag = place.parent;
        }
        steps.reverse();
        steps
    }

    /// The map or list itself, as it was written.
    pub fn node(&self, tag: u32) -> Option<&Node> {
        self.place(tag).map(|place| &place.node)
    }

    /// Where the value under a key of a map was written.
    pub fn span(&self, tag: u32, key: &str) -> Option<Span> {
        self.node(tag)?.get(key).map(|value| value.span)
    }

    /// The number of tags; the highest one.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn place(&self, tag: u32) -> Option<&Place> {
        self.places.get((tag as usize).checked_sub(1)?)
    }

    fn add(&mut self, parent: u32, step: Option<StepRef<'_>>, node: &Node) -> u32 {
        let step = step.map(|step| match step {
            StepRef::Key(key) => Step::Key(Arc::clone(key)),
            StepRef::Index(index) => Step::Index(index),
        });
        self.places.push(Place { parent, step, node: node.clone() });
        self.places.len() as u32
    }
}

/// The value of a tree. Each map and list gets a tag of its own, also where the tree shares them.
pub fn value(node: &Node, numbers: Numbers, tags: &mut Tags) -> Value {
    convert(node, numbers, &mut Some(tags), 0, None)
}

/// The value of a tree that is no part of the values.
pub fn untagged(node: &Node, numbers: Numbers) -> Value {
    convert(node, numbers, &mut None, 0, None)
}

fn convert(
    node: &Node,
    numbers: Numbers,
    tags: &mut Option<&mut Tags>,
    parent: u32,
    step: Option<StepRef<'_>>,
) -> Value {
    match &node.data {
        Data::Null => Value::Nil,
        Data::Bool(value) => Value::Bool(*value),
        Data::Int(number) => match numbers {
            // Helm types what `--set` gives itself, without a detour over JSON.
            Numbers::Go if node.style == Style::Argument => Value::Int64(*number),
            Numbers::Go => Value::Float(*number as f64),
            Numbers::Exact => Value::Int64(*number),
        },
        Data::Uint(number) => match numbers {
            Numbers::Go => Value::Float(*number as f64),
            Numbers::Exact => Value::Uint(*number),
        },
        Data::Float(number) => Value::Float(*number),
        Data::Str(text) => Value::Str(Arc::clone(text)),
        Data::Seq(items) => {
            let tag = tags.as_mut().map_or(0, |tags| tags.add(parent, step, node));
            let items = items
                .iter()
                .enumerate()
                .map(|(index, item)| convert(item, numbers, tags, tag, Some(StepRef::Index(index))))
                .collect();
            Value::List(List::with(ListKind::Any, Some(items), tag))
        }
        Data::Map(map) => {
            let tag = tags.as_mut().map_or(0, |tags| tags.add(parent, step, node));
            let mut entries = Entries::with_capacity_and_hasher(map.len(), Default::default());
            for (key, entry) in map.iter() {
                let value = convert(&entry.value, numbers, tags, tag, Some(StepRef::Key(key)));
                entries.insert(Arc::clone(key), value);
            }
            Value::Map(Map::with(MapKind::Any, entries, tag))
        }
    }
}

/// The tree of a value, all of it at one place: for values that a `--set` or a template made. `None` where it
/// nests deeper than [`MAX_DEPTH`], as a map does that holds itself.
pub fn node(value: &Value, span: Span) -> Option<Node> {
    nested(value, span, MAX_DEPTH)
}

fn nested(value: &Value, span: Span, depth: u32) -> Option<Node> {
    let data = match value {
        Value::Nil => Data::Null,
        Value::Bool(value) => Data::Bool(*value),
        Value::Int(number) | Value::Int64(number) => Data::Int(*number),
        Value::Uint(number) => Data::Uint(*number),
        Value::Byte(number) => Data::Int(i64::from(*number)),
        Value::Float(number) => Data::Float(*number),
        Value::Str(text) => Data::Str(Arc::clone(text)),
        Value::Bytes(bytes) => Data::Str(crate::value::text_from_bytes(bytes).into()),
        Value::List(list) => {
            let depth = depth.checked_sub(1)?;
            let items: Option<Vec<Node>> = list.items().iter().map(|item| nested(item, span, depth)).collect();
            Data::Seq(Arc::new(items?))
        }
        Value::Map(map) => {
            let depth = depth.checked_sub(1)?;
            let entries = map.snapshot();
            let mut mapping = Mapping::with_capacity(entries.len());
            for (key, value) in entries.iter() {
                mapping.insert(Arc::clone(key), Entry { key_span: span, value: nested(value, span, depth)? });
            }
            Data::Map(Arc::new(mapping))
        }
        Value::Object(object) => return nested(&object.to_json(), span, depth.checked_sub(1)?),
    };
    Some(Node::new(span, data))
}
