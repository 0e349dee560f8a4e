//! The rows of the table of values: which values have one, and what stands in it. The rules are helm-docs'
//! (<https://github.com/norwoodj/helm-docs#valuesyaml-metadata>): a row for each leaf, and for each mapping or list that a
//! comment describes; below those, only for what is described itself.

use crate::diagnostic::Sources;
use crate::values::notes::{self, Note, Notes};
use crate::yaml::{Data, Node, Step};
use serde_json::Value;

/// A row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// `controller.hosts[0].name`
    pub key: String,
    /// `string`, `int`, `float`, `bool`, `list`, `object`, or the author's word.
    pub type_name: String,
    pub notation: String,
    /// The default that the comment gives, as Markdown.
    pub written_default: String,
    /// The default as Markdown, unless the comment gives one.
    pub default: String,
    pub description: String,
    pub section: String,
    /// From 1.
    pub line: usize,
    pub column: usize,
}

/// The order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By key.
    #[default]
    Name,
    /// As in values.yaml.
    File,
}

/// The rows for a chart's values. `schema` is the chart's values.schema.json, for what comments do not say.
pub fn rows(values: &Node, notes: &Notes, schema: Option<&Value>, sort: Sort, sources: &Sources) -> Vec<Row> {
    let plain = !notes.has_marked();
    let mut maker = Maker { notes, plain, root: schema, sources, rows: Vec::new(), path: Vec::new() };
    maker.value(values, None, schema, true);
    let mut rows = maker.rows;
    match sort {
        Sort::Name => rows.sort_by(|a, b| a.key.cmp(&b.key)),
        Sort::File => rows.sort_by_key(|row| (row.line, row.column)),
    }
    rows
}

struct Maker<'a> {
    notes: &'a Notes,
    /// No comment is marked as a description, so that all of them are.
    plain: bool,
    root: Option<&'a Value>,
    sources: &'a Sources,
    rows: Vec<Row>,
    path: Vec<Step>,
}

impl<'a> Maker<'a> {
    /// `all` says that leaves have rows even if nothing describes them.
    fn value(&mut self, node: &Node, place: Option<crate::diagnostic::Span>, schema: Option<&'a Value>, all: bool) {
        let nothing = Note::default();
        let note = self.notes.get(&self.path).unwrap_or(&nothing);
        if note.ignored {
            return;
        }
        let is_leaf = match &node.data {
            Data::Map(map) => map.is_empty(),
            Data::Seq(items) => items.is_empty(),
            _ => true,
        };
        let is_described = note.marked && !note.description.is_empty();
        let mut all = all;
        if !self.path.is_empty() && (is_described || is_leaf && all) {
            let row = self.row(node, note, place.unwrap_or(node.span), schema);
            self.rows.push(row);
            all &= is_leaf;
        }
        match &node.data {
            Data::Map(map) => {
                for (key, entry) in map.iter() {
                    let below = schema.and_then(|schema| self.resolve(schema)).and_then(|schema| {
                        schema.get("properties")?.get(&**key).or_else(|| schema.get("additionalProperties"))
                    });
                    self.path.push(Step::Key(key.clone()));
                    self.value(&entry.value, Some(entry.key_span), below, all);
                    self.path.pop();
                }
            }
            Data::Seq(items) => {
                let below = schema.and_then(|schema| self.resolve(schema)).and_then(|schema| schema.get("items"));
                for (index, item) in items.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    self.value(item, None, below, all);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    fn row(&self, node: &Node, note: &Note, place: crate::diagnostic::Span, schema: Option<&'a Value>) -> Row {
        let schema = schema.and_then(|schema| self.resolve(schema));
        let position = self.sources.position(place.file, place.start);
        let type_name = match (note.type_name.as_str(), node.is_null()) {
            ("", true) => schema.and_then(type_of).unwrap_or_else(|| "string".to_owned()),
            ("", false) if !note.notation.is_empty() => note.notation.clone(),
            ("", false) => short_type(node.type_name()).to_owned(),
            (word, _) => word.to_owned(),
        };
        let default = match (&node.data, note.default.is_empty(), note.notation.is_empty()) {
            (_, false, _) => String::new(),
            (Data::Null, ..) => "`nil`".to_owned(),
            (_, _, true) => format!("`{}`", json(&node.to_json()).replace('|', "\\|")),
            (Data::Str(text), ..) => text.to_string(),
            _ if note.notation == "yaml" => crate::values::yaml(node),
            _ => String::new(),
        };
        let description = match &note.description {
            text if !text.is_empty() && note.marked => text.clone(),
            text if !text.is_empty() && self.plain => text.replace('\n', " ").replace('|', "\\|"),
            _ => schema.and_then(|schema| schema.get("description")?.as_str()).unwrap_or_default().to_owned(),
        };
        Row {
            key: notes::key(&self.path),
            type_name,
            notation: note.notation.clone(),
            written_default: note.default.clone(),
            default,
            description,
            section: note.section.clone(),
            line: position.line,
            column: position.column,
        }
    }

    /// The schema that a reference in the same file leads to.
    fn resolve(&self, schema: &'a Value) -> Option<&'a Value> {
        let mut schema = schema;
        for _ in 0..8 {
            let Some(pointer) = schema.get("$ref").and_then(Value::as_str) else { return Some(schema) };
            schema = self.root?.pointer(pointer.strip_prefix('#')?)?;
        }
        None
    }
}

fn type_of(schema: &Value) -> Option<String> {
    let words: Vec<&str> = match schema.get("type")? {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).filter(|word| *word != "null").collect(),
        _ => return None,
    };
    let words: Vec<&str> = words.into_iter().filter(|word| *word != "null").map(short_type).collect();
    (!words.is_empty()).then(|| words.join("/"))
}

/// helm-docs' words for JSON's types.
fn short_type(name: &str) -> &str {
    match name {
        "boolean" => "bool",
        "integer" => "int",
        "number" => "float",
        "array" => "list",
        other => other,
    }
}

/// JSON as Go writes it: keys sorted, whole floats without a point.
fn json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            let entries: Vec<String> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), json(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e21 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}
