//! Lists that merge item by item, where a chart's `values.schema.json` asks for it in Kubernetes' words:
//! `"x-kubernetes-list-type": "map"` with `"x-kubernetes-list-map-keys": ["name"]`.
//!
//! Helm replaces lists and does not know these words, so a chart of Go templates alone keeps Helm's way unless an
//! annotation in `Chart.yaml` says otherwise: schemas that were generated from Kubernetes' own are full of them.

use super::difference::same;
use super::origins::Setter;
use crate::chart::Chart;
use crate::yaml::{Data, Entry, Mapping, Node, Step};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The annotation with which a chart without Jinja templates asks for list merging.
const ANNOTATION: &str = "chart/merge-lists";
/// How far references in a schema are followed.
const MAX_DEPTH: usize = 64;

/// Where in a chart's values lists merge, and by which keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ListShape {
    properties: BTreeMap<String, ListShape>,
    items: Option<Box<ListShape>>,
    /// Keys of the items, for a list that merges.
    keys: Vec<String>,
}

/// A list that was merged: its path in the root chart's values, and the keys of its items.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MergedList {
    pub(super) path: Vec<Step>,
    pub(super) keys: Vec<String>,
}

impl ListShape {
    /// What a chart's schema asks for; `None` for nothing.
    pub(super) fn of(chart: &Chart) -> Option<ListShape> {
        let file = chart.file("values.schema.json")?;
        memchr::memmem::find(file.data(), b"x-kubernetes-list-map-keys")?;
        let is_jinja = |path: &str| path.starts_with("templates/") && path.ends_with(".j2");
        let asks = chart.metadata.annotations.get(ANNOTATION).is_some_and(|value| value == "true")
            || chart.files.iter().any(|file| is_jinja(&file.path));
        if !asks {
            return None;
        }
        let schema: Value = serde_json::from_slice(file.data()).ok()?;
        Self::read(&schema, &schema, 0)
    }

    fn read(schema: &Value, root: &Value, depth: usize) -> Option<ListShape> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut shape = ListShape::default();
        if schema.get("x-kubernetes-list-type").and_then(Value::as_str) == Some("map") {
            let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
            shape.keys = keys.into_iter().flatten().filter_map(|key| key.as_str().map(str::to_owned)).collect();
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if let Some(inner) = Self::read(property, root, depth + 1) {
                shape.properties.insert(name.clone(), inner);
            }
        }
        shape.items = schema.get("items").and_then(|items| Self::read(items, root, depth + 1)).map(Box::new);
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|url| root.pointer(url.strip_prefix('#')?));
        let all_of = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        for other in target.into_iter().chain(all_of).filter_map(|other| Self::read(other, root, depth + 1)) {
            shape.add(other);
        }
        (shape != ListShape::default()).then_some(shape)
    }

    fn add(&mut self, other: ListShape) {
        self.properties.extend(other.properties);
        if self.keys.is_empty() {
            self.keys = other.keys;
        }
        self.items = self.items.take().or(other.items);
    }

    /// The values with lists merged. `path` leads to `node`; `setters` gives the layers of a path, lowest first.
    pub(super) fn merged(
        &self,
        node: &Node,
        path: &mut Vec<Step>,
        setters: &dyn Fn(&[Step]) -> Vec<Setter>,
        merged: &mut Vec<MergedList>,
    ) -> Node {
        match &node.data {
            Data::Map(map) => {
                let mut changed: Option<Mapping> = None;
                for (name, shape) in &self.properties {
                    let Some(entry) = map.get(name.as_str()) else { continue };
                    path.push(Step::Key(name.as_str().into()));
                    let value = shape.merged(&entry.value, path, setters, merged);
                    path.pop();
                    if !same(&value, &entry.value)
                        && let Some(slot) = changed.get_or_insert_with(|| (**map).clone()).get_mut(name.as_str())
                    {
                        slot.value = value;
                    }
                }
                match changed {
                    Some(map) => Node { data: Data::Map(Arc::new(map)), ..node.clone() },
                    None => node.clone(),
                }
            }
            Data::Seq(_) if !self.keys.is_empty() && !merged.iter().any(|list| list.path == *path) => {
                merged.push(MergedList { path: path.clone(), keys: self.keys.clone() });
                let setters = setters(path);
                // What a layer replaces or deletes above the list is gone for those after it.
                let start = setters.iter().rposition(|setter| setter.depth < path.len() || setter.value.is_null());
                let lists = setters[start.map_or(0, |at| at + 1)..].iter().filter_map(|setter| setter.value.as_seq());
                let items = lists.fold(Vec::new(), |below, above| self.merge_lists(below, above));
                Node { data: Data::Seq(Arc::new(items)), ..node.clone() }
            }
            _ => node.clone(),
        }
    }

    fn merge_lists(&self, below: Vec<Node>, above: &[Node]) -> Vec<Node> {
        let mut items = below;
        // Items of one layer are not merged with each other.
        let mut known = items.len();
        for item in above {
            let key = self.key(item);
            let existing = key.and_then(|key| items[..known].iter().position(|it| self.key(it).as_ref() == Some(&key)));
            match (existing, item.get("$patch").and_then(Node::as_str)) {
                (Some(at), Some("delete")) => {
                    items.remove(at);
                    known -= 1;
                }
                (None, Some("delete")) => {}
                (Some(at), None) => {
                    let shape = self.items.as_deref();
                    items[at] = merge(&items[at], item, shape);
                }
                (Some(at), Some(_)) => items[at] = without_patch(item),
                (None, _) => items.push(without_patch(item)),
            }
        }
        items
    }

    /// What tells an item from others; `None` where it lacks a key.
    fn key(&self, item: &Node) -> Option<Vec<Data>> {
        self.keys.iter().map(|key| item.get(key).map(|node| node.data.clone())).collect()
    }
}

/// Merges an item over another one: mappings deeply, nulls delete, lists as their shape says.
fn merge(below: &Node, above: &Node, shape: Option<&ListShape>) -> Node {
    match (&below.data, &above.data) {
        (Data::Map(old), Data::Map(new)) => {
            let mut map: Mapping = (**old).clone();
            for (key, entry) in new.iter() {
                if entry.value.is_null() {
                    map.shift_remove(key);
                    continue;
                }
                let shape = shape.and_then(|shape| shape.properties.get(&**key));
                let value = match map.get(key) {
                    Some(old) => merge(&old.value, &entry.value, shape),
                    None => entry.value.clone(),
                };
                map.insert(Arc::clone(key), Entry { key_span: entry.key_span, value });
            }
            Node { data: Data::Map(Arc::new(map)), ..above.clone() }
        }
        (Data::Seq(old), Data::Seq(new)) => match shape.filter(|shape| !shape.keys.is_empty()) {
            Some(shape) => {
                let items = shape.merge_lists((**old).clone(), new);
                Node { data: Data::Seq(Arc::new(items)), ..above.clone() }
            }
            None => above.clone(),
        },
        _ => above.clone(),
    }
}

fn without_patch(item: &Node) -> Node {
    match &item.data {
        Data::Map(map) if map.contains_key("$patch") => {
            let mut map: Mapping = (**map).clone();
            map.shift_remove("$patch");
            Node { data: Data::Map(Arc::new(map)), ..item.clone() }
        }
        _ => item.clone(),
    }
}
