//! A structural schema as a shape.
//!
//! Facts from apiextensions.k8s.io/v1: unknown fields are dropped unless a node preserves them, value checks in
//! `allOf`, `anyOf`, `oneOf` and `not` never name new fields, `default`s are filled in before anything is checked.

use super::Custom;
use super::cel::Rule;
use super::values::Values;
use crate::schema::shape::{Field, Fields, Format, Ref, Shape, Text, Unique, Width};
use crate::yaml::{Data, Node};

/// Nesting of a schema past which values are not checked.
const MAX_DEPTH: u32 = 128;

/// The shape of a custom resource.
pub(super) fn root(schema: &Node, open: bool) -> Shape {
    let mut custom = node(schema, open, 0);
    let fields = match custom.shape {
        Shape::Object(fields) => fields.iter().cloned().collect(),
        _ => Vec::new(),
    };
    custom.shape = Shape::Object(with_head(fields, &["metadata"]));
    Shape::Custom(Box::new(custom))
}

/// The fields of an object with those that every object has.
fn with_head(fields: Vec<Field>, required: &[&str]) -> Fields {
    let mut all: Vec<Field> =
        fields.into_iter().filter(|field| !matches!(&*field.name, "apiVersion" | "kind" | "metadata")).collect();
    let text = || Shape::String { format: Format::Plain, values: Vec::new() };
    let mut head =
        |name: &'static str, shape| all.push(Field { name: name.into(), required: required.contains(&name), shape });
    head("apiVersion", text());
    head("kind", text());
    head("metadata", Shape::Ref(Ref::new("meta.v1.ObjectMeta")));
    Fields::new(all)
}

/// The default of a schema. A null is none to the API server.
pub(super) fn default_of(schema: &Node) -> Option<&Node> {
    schema.get("default").filter(|default| !default.is_null())
}

fn flag(schema: &Node, key: &str) -> bool {
    schema.get(key).and_then(Node::as_bool) == Some(true)
}

fn shape_of(schema: &Node, open: bool, depth: u32) -> Shape {
    if depth > MAX_DEPTH {
        return Shape::Any;
    }
    Shape::Custom(Box::new(node(schema, open, depth)))
}

/// Converts a node. `open` says that the whole definition keeps unknown fields.
pub(super) fn node(schema: &Node, open: bool, depth: u32) -> Custom {
    let int_or_string = flag(schema, "x-kubernetes-int-or-string");
    let preserves = open || flag(schema, "x-kubernetes-preserve-unknown-fields");
    let embedded = flag(schema, "x-kubernetes-embedded-resource");
    let mut shape = match schema.get("type").and_then(Node::as_str) {
        Some("object") => object(schema, preserves, open, depth),
        Some("array") => list(schema, open, depth),
        Some("string") => Shape::String {
            format: match schema.get("format").and_then(Node::as_str) {
                Some("byte") => Format::Byte,
                Some("date-time" | "datetime") => Format::DateTime,
                _ => Format::Plain,
            },
            values: Vec::new(),
        },
        Some("integer") => Shape::Integer(match schema.get("format").and_then(Node::as_str) {
            Some("int32") => Width::Int32,
            Some("int64") => Width::Int64,
            _ => Width::Any,
        }),
        Some("number") => Shape::Number,
        Some("boolean") => Shape::Boolean,
        // A `type` beside it narrows it: VolumeSnapshots have a quantity that is a string.
        _ if int_or_string => Shape::IntOrString,
        _ => Shape::Any,
    };
    if embedded {
        let fields = match &shape {
            Shape::Object(fields) => fields.iter().cloned().collect(),
            _ => Vec::new(),
        };
        let head = ["apiVersion", "kind"];
        shape = Shape::Object(with_head(fields, &head));
    }
    let values = Values::read(schema, int_or_string, depth);
    // Allowed texts are told in the words of the built-in kinds.
    let values = match (&mut shape, values) {
        (Shape::String { values: allowed, .. }, Some(mut values)) => {
            if let Some(texts) = values.take_texts() {
                *allowed = texts.into_iter().map(Text::Owned).collect();
            }
            (!values.is_empty()).then_some(values)
        }
        (_, values) => values,
    };
    Custom {
        shape,
        nullable: flag(schema, "nullable"),
        open: preserves,
        embedded,
        default: default_of(schema).cloned(),
        values: values.map(Box::new),
        rules: Rule::read(schema),
    }
}

fn object(schema: &Node, preserves: bool, open: bool, depth: u32) -> Shape {
    let additional = schema.get("additionalProperties");
    match additional.map(|node| &node.data) {
        Some(Data::Map(_)) => {
            let items = additional.map_or(Shape::Any, |items| shape_of(items, open, depth + 1));
            return Shape::Map(Box::new(items));
        }
        Some(Data::Bool(true)) => return Shape::AnyObject,
        _ => {}
    }
    let Some(properties) = schema.get("properties").and_then(Node::as_map) else {
        return if preserves { Shape::AnyObject } else { Shape::Object(Fields::default()) };
    };
    let required: Vec<&str> =
        schema.get("required").and_then(Node::as_seq).unwrap_or_default().iter().filter_map(Node::as_str).collect();
    let fields = properties.iter().map(|(name, entry)| Field {
        name: Text::Owned(name.to_string()),
        // A default is filled in before what is required is asked for.
        required: required.contains(&&**name) && default_of(&entry.value).is_none(),
        shape: shape_of(&entry.value, open, depth + 1),
    });
    Shape::Object(Fields::new(fields.collect()))
}

fn list(schema: &Node, open: bool, depth: u32) -> Shape {
    let items = schema.get("items").map_or(Shape::Any, |items| shape_of(items, open, depth + 1));
    let unique = match schema.get("x-kubernetes-list-type").and_then(Node::as_str) {
        Some("set") => Unique::Items,
        Some("map") => {
            let keys = schema.get("x-kubernetes-list-map-keys").and_then(Node::as_seq).unwrap_or_default();
            Unique::Keys(keys.iter().filter_map(Node::as_str).map(|key| Text::Owned(key.to_owned())).collect())
        }
        _ => Unique::Nothing,
    };
    Shape::List { items: Box::new(items), unique }
}
