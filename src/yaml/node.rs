//! The tree that YAML is read into: every key and value knows its place.

use super::Mapping;
use crate::diagnostic::{FileId, Span};
use std::sync::Arc;

/// A value with its place. Clones share sub-trees.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Span,
    pub style: Style,
    pub data: Data,
}

/// How the author wrote a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    #[default]
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
    /// A scalar from `--set`: Helm types its whole numbers as `int64`, those of YAML and JSON as `float64`.
    Argument,
    /// A mapping or sequence in brackets.
    Flow,
    /// A mapping or sequence by indentation.
    Block,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    Null,
    Bool(bool),
    Int(i64),
    /// Past `i64`.
    Uint(u64),
    Float(f64),
    Str(Arc<str>),
    Seq(Arc<Vec<Node>>),
    Map(Arc<Mapping>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    pub fn new(span: Span, data: Data) -> Self {
        Node { span, style: Style::default(), data }
    }

    /// An empty mapping without a place of its own.
    pub fn empty_map(file: FileId) -> Self {
        Node::new(Span::new(file, 0, 0), Data::Map(Arc::default()))
    }

    pub fn as_map(&self) -> Option<&Mapping> {
        match &self.data {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.data {
            Data::Seq(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Str(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.data {
            Data::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key).map(|entry| &entry.value)
    }

    /// The value at a path of keys.
    pub fn at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Node> {
        path.into_iter().try_fold(self, |node, key| node.get(key))
    }

    /// A copy as plain JSON, keys in the author's order; what JSON cannot hold (infinities) is null.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.data {
            Data::Null => serde_json::Value::Null,
            Data::Bool(value) => (*value).into(),
            Data::Int(number) => (*number).into(),
            Data::Uint(number) => (*number).into(),
            Data::Float(number) => (*number).into(),
            Data::Str(text) => (&**text).into(),
            Data::Seq(items) => items.iter().map(Node::to_json).collect(),
            Data::Map(map) => map.iter().map(|(key, entry)| (key.to_string(), entry.value.to_json())).collect(),
        }
    }

    /// `null`, `boolean`, `integer`, `number`, `string`, `array` or `object`, as JSON Schema says it.
    pub fn type_name(&self) -> &'static str {
        match self.data {
            Data::Null => "null",
            Data::Bool(_) => "boolean",
            Data::Int(_) | Data::Uint(_) => "integer",
            Data::Float(_) => "number",
            Data::Str(_) => "string",
            Data::Seq(_) => "array",
            Data::Map(_) => "object",
        }
    }
}
