//! The schemas of fields as plain JSON Schema, for values that become those fields.

use super::kind::Identity;
use super::pool::Pool;
use super::shape::{Fields, Format, Shape};
use super::values::node::{Item, Tree};
use super::version::KubeVersion;
use crate::yaml::{Data, Node};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A node of a manifest, with what Kubernetes says may stand there.
#[derive(Debug, Clone, Copy)]
pub struct Field<'n> {
    pub node: &'n Node,
    shape: &'static Shape,
}

/// How a value comes to its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Passage {
    /// Through `tpl`: strings in it may be templates of anything.
    pub templated: bool,
    /// Scalars in it are put in quotes on the way.
    pub quoted: bool,
    /// Beside entries that others give, so that it need not be complete.
    pub partial: bool,
}

/// Every node of a manifest of one of Kubernetes' own kinds whose schema is known, from the outside in.
pub fn fields(version: KubeVersion, document: &Node) -> Vec<Field<'_>> {
    let mut found = Vec::new();
    let pool = Pool::of(version);
    if let Ok(identity) = Identity::read(document) {
        if identity.kind == "List" {
            for item in document.get("items").and_then(Node::as_seq).unwrap_or_default() {
                if let Some(definition) = Identity::read(item).ok().and_then(|it| pool.kind(&it.key())) {
                    walk(pool, item, &definition.shape, &mut found);
                }
            }
        } else if let Some(definition) = pool.kind(&identity.key()) {
            walk(pool, document, &definition.shape, &mut found);
        }
    }
    found
}

fn walk<'n>(pool: &'static Pool, node: &'n Node, shape: &'static Shape, found: &mut Vec<Field<'n>>) {
    found.push(Field { node, shape });
    match (resolved(pool, shape), &node.data) {
        (Shape::Object(fields), Data::Map(map)) => {
            for (key, entry) in map.iter() {
                if let Some(field) = fields.get(key) {
                    walk(pool, &entry.value, &field.shape, found);
                }
            }
        }
        (Shape::Map(items), Data::Map(map)) => {
            map.values().for_each(|entry| walk(pool, &entry.value, items, found));
        }
        (Shape::List { items, .. }, Data::Seq(list)) => {
            list.iter().for_each(|item| walk(pool, item, items, found));
        }
        _ => {}
    }
}

fn resolved(pool: &'static Pool, shape: &'static Shape) -> &'static Shape {
    match shape {
        Shape::Ref(reference) => pool.resolve(reference).map_or(shape, |definition| &definition.shape),
        other => other,
    }
}

/// Whole numbers and decimals with the suffixes of quantities.
const QUANTITY: &str = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$";

/// Writes shapes as JSON Schema; what they refer to is collected.
#[derive(Debug)]
pub struct Plain {
    pool: &'static Pool,
    /// Under the names by which `#/definitions/` refers to them.
    pub definitions: BTreeMap<String, Value>,
}

impl Plain {
    pub fn new(version: KubeVersion) -> Self {
        Plain { pool: Pool::of(version), definitions: BTreeMap::new() }
    }

    /// The schema for a value that becomes this field. `None`: anything may stand there.
    pub fn schema(&mut self, field: &Field<'_>, passage: Passage) -> Option<Value> {
        let schema = match (resolved(self.pool, field.shape), passage.partial) {
            (Shape::Object(fields), true) => self.object(fields, passage),
            _ => self.shape(field.shape, passage, false),
        };
        (schema != json!({})).then_some(schema)
    }

    fn shape(&mut self, shape: &'static Shape, passage: Passage, may_be_empty: bool) -> Value {
        // A template or a quote makes a string of anything.
        let scalar = |name: &str| match (passage.templated, passage.quoted) {
            (true, _) => json!({"type": [name, "string"]}),
            _ => json!({"type": name}),
        };
        match shape {
            Shape::Any | Shape::Custom(_) => json!({}),
            Shape::AnyObject => json!({"type": "object"}),
            Shape::Boolean => scalar("boolean"),
            Shape::Integer(_) => scalar("integer"),
            Shape::Number => scalar("number"),
            Shape::IntOrString => json!({"type": ["integer", "string"]}),
            Shape::Quantity if passage.templated => json!({"type": ["string", "number"]}),
            Shape::Quantity => json!({"type": ["string", "number"], "pattern": QUANTITY}),
            Shape::String { .. } if passage.quoted => json!({"type": ["string", "number", "boolean"]}),
            Shape::String { format: Format::Plain, values } if !values.is_empty() && !passage.templated => {
                let mut values: Vec<&str> = values.iter().map(|value| value.as_ref()).collect();
                if may_be_empty && !values.contains(&"") {
                    values.push("");
                }
                json!({"type": "string", "enum": values})
            }
            Shape::String { .. } => json!({"type": "string"}),
            Shape::List { items, .. } => match self.shape(items, passage, false) {
                items if items == json!({}) => json!({"type": "array"}),
                items => json!({"type": "array", "items": items}),
            },
            Shape::Map(items) => match self.shape(items, passage, false) {
                items if items == json!({}) => json!({"type": "object"}),
                items => json!({"type": "object", "additionalProperties": items}),
            },
            Shape::Object(fields) => self.object(fields, Passage { partial: false, ..passage }),
            Shape::Ref(reference) => {
                let Some(definition) = self.pool.resolve(reference) else { return json!({}) };
                if !matches!(definition.shape, Shape::Object(_)) {
                    return self.shape(&definition.shape, passage, may_be_empty);
                }
                let mut name = definition.name.to_owned();
                if passage.templated {
                    name += ".templated";
                }
                if passage.quoted {
                    name += ".quoted";
                }
                if !self.definitions.contains_key(&name) {
                    // Definitions may contain themselves.
                    self.definitions.insert(name.clone(), Value::Null);
                    let schema = self.shape(&definition.shape, passage, false);
                    self.definitions.insert(name.clone(), schema);
                }
                json!({"$ref": format!("#/definitions/{name}")})
            }
        }
    }

    fn object(&mut self, fields: &'static Fields, passage: Passage) -> Value {
        let below = Passage { partial: false, ..passage };
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in fields.iter() {
            properties.insert(field.name.to_string(), self.shape(&field.shape, below, !field.required));
            if field.required && !passage.partial {
                required.push(Value::from(field.name.as_ref()));
            }
        }
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        if !required.is_empty() {
            schema.insert("required".to_owned(), required.into());
        }
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("additionalProperties".to_owned(), false.into());
        Value::Object(schema)
    }
}

/// A check of values against a schema with these definitions. What is no schema accepts nothing.
pub fn acceptor(schema: &Value, definitions: &Map<String, Value>) -> impl Fn(&Node) -> bool {
    let whole = json!({"allOf": [schema], "definitions": definitions});
    let options =
        jsonschema::options_for::<Tree>().with_draft(jsonschema::Draft::Draft7).should_validate_formats(false);
    let validator = options.build(&whole).ok();
    move |value| validator.as_ref().is_some_and(|validator| validator.is_valid(Item::Node(value)))
}
