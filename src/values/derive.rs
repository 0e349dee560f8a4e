//! A JSON Schema for a chart's values: from the defaults, what the comments say, and how the values are used.

use super::notes::{Note, Notes};
use crate::yaml::{Data, Node, Step};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Stands in a schema that is derived as a whole, and may be derived again.
pub const MARK: &str = "Derived by `chart schema` from values.yaml, its comments and the templates. Change those instead, \
                        or give a part the `$comment` `hand-written`, and it is kept as it is.";

/// The JSON Schema draft: the newest that Helm 3 and Helm 4 and the editors all know.
pub const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// Whether a mapping may have keys that the schema does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Closing {
    /// Where the templates read a mapping by its keys alone, only those and the defaults' are allowed.
    #[default]
    Auto,
    /// Every mapping may.
    Open,
    /// No mapping may that has keys by default.
    Closed,
}

/// How templates use values.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// The schemas of the fields that values become, by the paths of the values.
    pub fields: BTreeMap<Vec<Step>, Value>,
    /// What those refer to under `#/definitions/`.
    pub definitions: BTreeMap<String, Value>,
    /// The keys of mappings that templates ask for.
    pub keys: BTreeMap<Vec<Step>, BTreeSet<Arc<str>>>,
    /// Values that templates use with all that they hold, whatever that is.
    pub whole: HashSet<Vec<Step>>,
    /// Every template has been seen at work, so that what is not told here is not there.
    pub complete: bool,
}

impl Usage {
    /// A template asks for the value at a path; with `whole`, for all that it holds.
    pub fn learn(&mut self, path: &[Arc<str>], whole: bool) {
        let steps: Vec<Step> = path.iter().map(|key| Step::Key(Arc::clone(key))).collect();
        if let (Some((_, parent)), Some(last)) = (steps.split_last(), path.last()) {
            self.keys.entry(parent.to_vec()).or_default().insert(Arc::clone(last));
        }
        if whole {
            self.whole.insert(steps);
        }
    }
}

/// What a schema is derived from.
#[derive(Debug)]
pub struct Derivation<'a> {
    /// The chart's name.
    pub name: &'a str,
    /// The chart's `values.yaml`.
    pub defaults: &'a Node,
    pub notes: &'a Notes,
    pub usage: &'a Usage,
    /// Values that the author tests the chart with: their types are right, too.
    pub examples: &'a [Node],
    /// Names of subcharts, and what each is.
    pub subcharts: &'a [(String, String)],
    /// Other keys of the whole that mean something to Helm.
    pub reserved: &'a [&'static str],
    pub closing: Closing,
    /// Whether the defaults are in the schema.
    pub with_defaults: bool,
}

impl Derivation<'_> {
    /// The whole schema.
    pub fn schema(&self) -> Value {
        let mut schema = Map::new();
        schema.insert("$schema".to_owned(), DRAFT.into());
        schema.insert("$comment".to_owned(), MARK.into());
        schema.insert("title".to_owned(), format!("Values of the chart {}", self.name).into());
        schema.extend(self.notes.root.clone());
        schema.entry("type").or_insert_with(|| "object".into());
        let examples: Vec<&Node> = self.examples.iter().collect();
        self.mapping(&mut schema, &[], self.defaults, &examples, None);
        if !self.usage.definitions.is_empty() {
            let mut definitions = Map::new();
            collect_definitions(&Value::Object(schema.clone()), &self.usage.definitions, &mut definitions);
            definitions.sort_keys();
            if !definitions.is_empty() {
                schema.insert("definitions".to_owned(), Value::Object(definitions));
            }
        }
        in_order(Value::Object(schema))
    }

    fn value(&self, path: &[Step], node: Option<&Node>, examples: &[&Node]) -> Value {
        let nothing = Note::default();
        let note = self.notes.get(path).unwrap_or(&nothing);
        let mut schema = Map::new();
        if !note.description.is_empty() && !note.schema.contains_key("description") {
            schema.insert("description".to_owned(), note.description.clone().into());
        }
        if note.schema.is_empty()
            && !note.nullable
            && let Some(field) = self.usage.fields.get(path)
        {
            return self.field(schema, field, path, node);
        }
        schema.extend(note.schema.clone());
        let says_all = ["$ref", "enum", "const", "anyOf", "oneOf", "allOf"].iter().any(|it| schema.contains_key(*it));
        if !says_all && !schema.contains_key("type") {
            let types = self.types(note, node, examples);
            match types.as_slice() {
                [] => {}
                [one] => {
                    schema.insert("type".to_owned(), (*one).into());
                }
                many => {
                    schema.insert("type".to_owned(), many.iter().copied().collect());
                }
            }
        }
        if note.nullable {
            match schema.get_mut("type") {
                Some(Value::Array(types)) if !types.contains(&json!("null")) => types.push("null".into()),
                Some(one @ Value::String(_)) if one != "null" => *one = json!([one.take(), "null"]),
                _ => {}
            }
        }
        self.add_default(&mut schema, node);
        let refers = schema.contains_key("$ref");
        match node.map(|node| &node.data) {
            Some(Data::Map(_)) if !refers => {
                let node = node.unwrap_or(self.defaults);
                self.mapping(&mut schema, path, node, examples, Some(note));
            }
            Some(Data::Seq(_)) if !refers && !schema.contains_key("items") => {
                if let Some(items) = self.items(path, node, examples) {
                    schema.insert("items".to_owned(), items);
                }
            }
            _ => {}
        }
        Value::Object(schema)
    }

    /// A value that becomes a field of a manifest. What the comments say of its parts is kept.
    fn field(&self, mut schema: Map<String, Value>, field: &Value, path: &[Step], node: Option<&Node>) -> Value {
        let mut properties = Map::new();
        for (key, _) in node.and_then(Node::as_map).into_iter().flatten() {
            let path = [path, &[Step::Key(Arc::clone(key))]].concat();
            if let Some(note) = self.notes.get(&path) {
                let mut property = Map::new();
                if !note.description.is_empty() {
                    property.insert("description".to_owned(), note.description.clone().into());
                }
                property.extend(note.schema.clone());
                if !property.is_empty() {
                    properties.insert(key.to_string(), Value::Object(property));
                }
            }
        }
        if !properties.is_empty() {
            schema.insert("properties".to_owned(), Value::Object(properties));
        }
        match field {
            // Beside a `$ref`, draft 7 sees nothing.
            Value::Object(field) if field.contains_key("$ref") && !schema.is_empty() => {
                schema.insert("allOf".to_owned(), json!([field]));
            }
            Value::Object(field) if schema.contains_key("properties") => {
                schema.insert("allOf".to_owned(), json!([field]));
            }
            Value::Object(field) => schema.extend(field.clone()),
            _ => {}
        }
        self.add_default(&mut schema, node);
        Value::Object(schema)
    }

    fn add_default(&self, schema: &mut Map<String, Value>, node: Option<&Node>) {
        if self.with_defaults
            && !schema.contains_key("default")
            && !schema.contains_key("$ref")
            && let Some(default) = node.filter(|node| is_leaf(node))
        {
            schema.insert("default".to_owned(), default.to_json());
        }
    }

    fn types(&self, note: &Note, node: Option<&Node>, examples: &[&Node]) -> Vec<&'static str> {
        let mut types = named_types(&note.type_name);
        let is_null = node.is_some_and(Node::is_null);
        // What may be anything by default may be anything.
        if types.is_empty() && (is_null || node.is_none()) && examples.iter().all(|example| example.is_null()) {
            return types;
        }
        types.extend(node.into_iter().chain(examples.iter().copied()).map(Node::type_name));
        if is_null && !types.contains(&"null") {
            types.push("null");
        }
        distinct(types)
    }

    fn items(&self, path: &[Step], node: Option<&Node>, examples: &[&Node]) -> Option<Value> {
        let lists = node.into_iter().chain(examples.iter().copied());
        let items: Vec<&Node> = lists.filter_map(Node::as_seq).flatten().collect();
        if items.is_empty() || items.iter().any(|item| item.is_null()) {
            return None;
        }
        let types = distinct(items.iter().map(|item| item.type_name()).collect());
        let mut schema = Map::new();
        let described = (0..items.len()).find_map(|at| self.notes.get(&[path, &[Step::Index(at)]].concat()));
        if let Some(note) = described.filter(|note| !note.description.is_empty()) {
            schema.insert("description".to_owned(), note.description.clone().into());
        }
        schema.insert(
            "type".to_owned(),
            match types.as_slice() {
                [one] => (*one).into(),
                many => many.iter().copied().collect(),
            },
        );
        if types == ["object"] {
            let mut properties = Map::new();
            let own = node.and_then(Node::as_seq).unwrap_or_default();
            let keys: BTreeSet<&Arc<str>> =
                items.iter().filter_map(|item| item.as_map()).flat_map(|map| map.keys()).collect();
            let ordered = items.iter().filter_map(|item| item.as_map()).flat_map(|map| map.keys());
            let mut seen = BTreeSet::new();
            for key in ordered.filter(|key| keys.contains(key) && seen.insert(Arc::clone(key))) {
                let values: Vec<&Node> = items.iter().filter_map(|item| item.get(key)).collect();
                let described = own.iter().position(|item| item.get(key).is_some()).unwrap_or(0);
                let path = [path, &[Step::Index(described), Step::Key(Arc::clone(key))]].concat();
                let Some((first, others)) = values.split_first() else { continue };
                properties.insert(key.to_string(), self.value(&path, Some(first), others));
            }
            schema.insert("properties".to_owned(), Value::Object(properties));
        }
        Some(Value::Object(schema))
    }

    /// Adds what is in a mapping, and whether there may be more.
    fn mapping(
        &self,
        schema: &mut Map<String, Value>,
        path: &[Step],
        node: &Node,
        examples: &[&Node],
        note: Option<&Note>,
    ) {
        if schema.contains_key("properties") || note.is_some_and(|note| note.skip_properties) {
            return;
        }
        let Some(map) = node.as_map() else { return };
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (key, entry) in map.iter() {
            let path = [path, &[Step::Key(Arc::clone(key))]].concat();
            let note = self.notes.get(&path);
            if note.is_some_and(|note| note.hidden) {
                continue;
            }
            if note.and_then(|note| note.required) == Some(true) {
                required.push(Value::from(&**key));
            }
            let examples: Vec<&Node> = examples.iter().filter_map(|example| example.get(key)).collect();
            let special = if path.len() == 1 { self.special(key) } else { None };
            properties.insert(
                key.to_string(),
                match special {
                    // Helm holds a subchart's values against the subchart's own schema.
                    Some(Value::Object(mut special)) => {
                        if let Some(note) = note.filter(|note| !note.description.is_empty()) {
                            special.insert("description".to_owned(), note.description.clone().into());
                        }
                        Value::Object(special)
                    }
                    _ => self.value(&path, Some(&entry.value), &examples),
                },
            );
        }
        let closed = self.closes(path, !map.is_empty(), note);
        if closed {
            let asked = self.usage.keys.get(path).into_iter().flatten();
            let tested = examples.iter().filter_map(|example| example.as_map()).flat_map(|map| map.keys());
            for key in asked.chain(tested) {
                if properties.contains_key(&**key) || map.contains_key(key) {
                    continue;
                }
                let path = [path, &[Step::Key(Arc::clone(key))]].concat();
                let examples: Vec<&Node> = examples.iter().filter_map(|example| example.get(key)).collect();
                properties.insert(key.to_string(), self.value(&path, None, &examples));
            }
        }
        if path.is_empty() {
            let names = self.subcharts.iter().map(|(name, _)| name.as_str());
            for name in names.chain(self.reserved.iter().copied()).chain(["global"]) {
                if let Some(special) = self.special(name)
                    && !properties.contains_key(name)
                {
                    properties.insert(name.to_owned(), special);
                }
            }
        }
        if note.is_some_and(|note| note.merge_properties) {
            let merged = self.merged(path, map.iter().map(|(key, entry)| (key, &entry.value)));
            schema.entry("additionalProperties").or_insert(merged);
            return;
        }
        if !properties.is_empty() {
            schema.insert("properties".to_owned(), Value::Object(properties));
        }
        if !required.is_empty() && !schema.contains_key("required") {
            schema.insert("required".to_owned(), required.into());
        }
        if closed && !schema.contains_key("additionalProperties") && !schema.contains_key("patternProperties") {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
    }

    /// One schema for all entries of a mapping.
    fn merged<'n>(&self, path: &[Step], entries: impl Iterator<Item = (&'n Arc<str>, &'n Node)>) -> Value {
        let entries: Vec<(&Arc<str>, &Node)> = entries.collect();
        let Some(((key, first), others)) = entries.split_first() else { return true.into() };
        let path = [path, &[Step::Key(Arc::clone(key))]].concat();
        let others: Vec<&Node> = others.iter().map(|(_, node)| *node).collect();
        let mut keys = crate::yaml::Mapping::default();
        for node in std::iter::once(*first).chain(others.iter().copied()) {
            for (key, entry) in node.as_map().into_iter().flatten() {
                keys.get_or_insert_with(key, || entry.clone());
            }
        }
        match first.as_map() {
            Some(_) => {
                let all = Node { data: Data::Map(Arc::new(keys)), ..(*first).clone() };
                self.value(&path, Some(&all), &others)
            }
            None => self.value(&path, Some(first), &others),
        }
    }

    fn closes(&self, path: &[Step], has_keys: bool, note: Option<&Note>) -> bool {
        if note.is_some_and(|note| note.schema.contains_key("additionalProperties")) {
            return false;
        }
        if path.first().is_some_and(|step| matches!(step, Step::Key(key) if self.special(key).is_some())) {
            return false;
        }
        let is_whole = || (0..=path.len()).any(|end| self.usage.whole.contains(&path[..end]));
        match self.closing {
            Closing::Open => false,
            Closing::Closed => has_keys,
            Closing::Auto => {
                let asked = path.is_empty() || self.usage.keys.contains_key(path);
                self.usage.complete && has_keys && asked && !is_whole()
            }
        }
    }

    /// Keys of the whole that are not the chart's own.
    fn special(&self, key: &str) -> Option<Value> {
        if let Some((name, about)) = self.subcharts.iter().find(|(name, _)| name == key) {
            return Some(
                json!({"description": format!("Values of the subchart {name} ({about}), which has a schema of its own, or none"), "type": "object"}),
            );
        }
        match key {
            "global" => {
                Some(json!({"description": "Values that this chart and all its subcharts see", "type": "object"}))
            }
            "tags" if self.reserved.contains(&"tags") => Some(json!({
                "description": "Which groups of subcharts are enabled",
                "type": "object",
                "additionalProperties": {"type": "boolean"},
            })),
            key if self.reserved.contains(&key) => Some(json!({})),
            _ => None,
        }
    }
}

fn is_leaf(node: &Node) -> bool {
    match &node.data {
        Data::Map(map) => map.is_empty(),
        Data::Seq(items) => items.is_empty(),
        Data::Null => false,
        _ => true,
    }
}

/// Types in their order, each once; whole numbers are numbers.
fn distinct(types: Vec<&'static str>) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    let has_number = types.contains(&"number");
    for name in types {
        let name = if name == "integer" && has_number { "number" } else { name };
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// JSON Schema's types for the words of authors: `(int)`, `(tpl/array)`, `(string, list)`. Words that say nothing
/// about the type of the data make all of it say nothing.
fn named_types(words: &str) -> Vec<&'static str> {
    let mut types = Vec::new();
    for word in words.split(['/', ',', '|']).map(str::trim).filter(|word| !word.is_empty()) {
        types.push(match word.to_ascii_lowercase().as_str() {
            "string" | "str" | "tpl" => "string",
            "int" | "integer" => "integer",
            "float" | "number" => "number",
            "bool" | "boolean" => "boolean",
            "list" | "array" => "array",
            "object" | "map" | "dict" => "object",
            "null" | "nil" => "null",
            _ => return Vec::new(),
        });
    }
    distinct(types)
}

/// Keywords that come first, in their order; the others follow as they were given, and last what is long.
const FIRST: &[&str] =
    &["$schema", "$id", "$comment", "title", "description", "deprecated", "$ref", "type", "default", "enum", "const"];
const LAST: &[&str] = &["items", "required", "properties", "patternProperties", "additionalProperties", "definitions"];

/// A schema with its keywords in order. What stands under names of the author's stays in theirs.
fn in_order(schema: Value) -> Value {
    let Value::Object(mut map) = schema else { return schema };
    let mut ordered = Map::new();
    for key in FIRST {
        ordered.extend(map.shift_remove(*key).map(|value| ((*key).to_owned(), value)));
    }
    let last: Vec<_> = LAST.iter().filter_map(|key| map.shift_remove_entry(*key)).collect();
    for (key, value) in map.into_iter().chain(last) {
        let value = match (key.as_str(), value) {
            ("properties" | "patternProperties" | "definitions", Value::Object(parts)) => {
                parts.into_iter().map(|(name, part)| (name, in_order(part))).collect()
            }
            ("items" | "additionalProperties" | "not" | "if" | "then" | "else", value) => in_order(value),
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => parts.into_iter().map(in_order).collect(),
            (_, value) => value,
        };
        ordered.insert(key, value);
    }
    Value::Object(ordered)
}

/// The definitions that a schema reaches.
pub fn collect_definitions(schema: &Value, all: &BTreeMap<String, Value>, found: &mut Map<String, Value>) {
    match schema {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/definitions/"))
                && !found.contains_key(name)
                && let Some(definition) = all.get(name)
            {
                found.insert(name.to_owned(), definition.clone());
                collect_definitions(definition, all, found);
            }
            map.values().for_each(|value| collect_definitions(value, all, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_definitions(item, all, found)),
        _ => {}
    }
}
