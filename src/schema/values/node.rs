//! The values tree as the JSON that `jsonschema` validates, in place.

use crate::yaml::{Data, Mapping, Node};
use jsonschema::JsonType;
use jsonschema::json::{self, Json, JsonNumber, NodeIdentity};
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// Our trees as a JSON representation.
pub(in crate::schema) struct Tree;

#[derive(Clone, Copy)]
pub(in crate::schema) enum Item<'a> {
    Node(&'a Node),
    /// A property's name, while `propertyNames` looks at it.
    Name(&'a str),
}

impl Json for Tree {
    type Node<'a> = Item<'a>;
    type PreparedKey = String;
    type StringBuffer = ();
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(Item<'_>) -> T) -> T {
        f(Item::Name(string))
    }
}

impl<'a> Item<'a> {
    fn data(self) -> Option<&'a Data> {
        match self {
            Item::Node(node) => Some(&node.data),
            Item::Name(_) => None,
        }
    }
}

impl<'a> json::Node<'a, Tree> for Item<'a> {
    type Object = Members<'a>;
    type Array = Elements<'a>;
    type Number = Num;

    fn as_object(&self) -> Option<Members<'a>> {
        match self.data() {
            Some(Data::Map(map)) => Some(Members(map)),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<Elements<'a>> {
        match self.data() {
            Some(Data::Seq(items)) => Some(Elements(items)),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self {
            Item::Name(name) => Some(Cow::Borrowed(name)),
            Item::Node(Node { data: Data::Str(text), .. }) => Some(Cow::Borrowed(text)),
            Item::Node(_) => None,
        }
    }

    fn as_number(&self) -> Option<Num> {
        match self.data() {
            Some(Data::Int(number)) => Some(Num::Int(*number)),
            Some(Data::Uint(number)) => Some(Num::Uint(*number)),
            Some(Data::Float(number)) => Some(Num::Float(*number)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self.data() {
            Some(Data::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self.data(), Some(Data::Null))
    }

    fn json_type(&self) -> JsonType {
        match self.data() {
            None | Some(Data::Str(_)) => JsonType::String,
            Some(Data::Null) => JsonType::Null,
            Some(Data::Bool(_)) => JsonType::Boolean,
            Some(Data::Int(_) | Data::Uint(_) | Data::Float(_)) => JsonType::Number,
            Some(Data::Seq(_)) => JsonType::Array,
            Some(Data::Map(_)) => JsonType::Object,
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(match self {
            Item::Name(name) => Value::String((*name).to_owned()),
            Item::Node(node) => node.to_json(),
        })
    }

    fn identity(&self) -> Option<NodeIdentity> {
        match self {
            Item::Node(node) => Some(NodeIdentity::new(std::ptr::from_ref::<Node>(node) as usize)),
            Item::Name(_) => None,
        }
    }
}

pub(in crate::schema) struct Members<'a>(&'a Mapping);

impl<'a> json::Object<'a, Tree> for Members<'a> {
    type Node = Item<'a>;
    type MemberName = &'a str;
    type MembersIter = Box<dyn Iterator<Item = (&'a str, Item<'a>)> + 'a>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, key: &String) -> Option<Item<'a>> {
        self.0.get(key.as_str()).map(|entry| Item::Node(&entry.value))
    }

    fn members(&self) -> Self::MembersIter {
        Box::new(self.0.iter().map(|(key, entry)| (&**key, Item::Node(&entry.value))))
    }
}

pub(in crate::schema) struct Elements<'a>(&'a Arc<Vec<Node>>);

impl<'a> json::Array<'a, Tree> for Elements<'a> {
    type Node = Item<'a>;
    type ElementsIter = std::iter::Map<std::slice::Iter<'a, Node>, fn(&'a Node) -> Item<'a>>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn elements(&self) -> Self::ElementsIter {
        self.0.iter().map(Item::Node)
    }
}

#[derive(Clone, Copy)]
pub(in crate::schema) enum Num {
    Int(i64),
    Uint(u64),
    Float(f64),
}

impl JsonNumber for Num {
    fn as_u64(&self) -> Option<u64> {
        match self {
            Num::Int(number) => u64::try_from(*number).ok(),
            Num::Uint(number) => Some(*number),
            Num::Float(_) => None,
        }
    }

    fn as_i64(&self) -> Option<i64> {
        match self {
            Num::Int(number) => Some(*number),
            Num::Uint(number) => i64::try_from(*number).ok(),
            Num::Float(_) => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        Some(match self {
            Num::Int(number) => *number as f64,
            Num::Uint(number) => *number as f64,
            Num::Float(number) => *number,
        })
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_number().to_string())
    }

    fn to_number(&self) -> Cow<'_, Number> {
        Cow::Owned(match self {
            Num::Int(number) => (*number).into(),
            Num::Uint(number) => (*number).into(),
            Num::Float(number) => Number::from_f64(*number).unwrap_or_else(|| 0.into()),
        })
    }

    fn is_integer(&self) -> bool {
        match self {
            Num::Int(_) | Num::Uint(_) => true,
            Num::Float(number) => number.fract() == 0.0,
        }
    }

    /// As for Helm, `1.0` is an integer in every draft.
    fn is_written_as_integer(&self) -> bool {
        self.is_integer()
    }
}
