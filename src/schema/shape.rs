//! What a value may be: the schemas of Kubernetes' own kinds and of custom resources in one form.

use super::custom::Custom;
use super::pool::Definition;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Text of the embedded bundle, or of a custom resource definition.
pub type Text = Cow<'static, str>;

/// The shape of a value.
#[derive(Debug, Clone)]
pub enum Shape {
    /// Anything at all.
    Any,
    /// Any mapping.
    AnyObject,
    Boolean,
    Integer(Width),
    Number,
    /// A string; with `values`, one of them.
    String {
        format: Format,
        values: Vec<Text>,
    },
    /// A whole number or a string, such as a port or `25%`.
    IntOrString,
    /// A number or a string in the quantity grammar, such as `500m`.
    Quantity,
    List {
        items: Box<Shape>,
        unique: Unique,
    },
    /// A mapping with free keys.
    Map(Box<Shape>),
    Object(Fields),
    /// A definition of the bundle.
    Ref(Ref),
    /// A node of a custom resource's schema.
    Custom(Box<Custom>),
}

/// The range of whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    Int32,
    Int64,
    Any,
}

/// How a string must read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Plain,
    Byte,
    DateTime,
}

/// What must be unique in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unique {
    Nothing,
    /// The items themselves.
    Items,
    /// These keys of each item, together.
    Keys(Vec<Text>),
}

/// The fields of an object, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    list: Vec<Field>,
    required: usize,
}

#[derive(Debug, Clone)]
pub struct Field {
    pub name: Text,
    pub required: bool,
    pub shape: Shape,
}

impl Fields {
    pub fn new(mut list: Vec<Field>) -> Self {
        if !list.is_sorted_by(|a, b| a.name <= b.name) {
            list.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let required = list.iter().filter(|field| field.required).count();
        Fields { list, required }
    }

    pub fn get(&self, name: &str) -> Option<&Field> {
        self.list.binary_search_by(|field| field.name.as_ref().cmp(name)).ok().map(|at| &self.list[at])
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.list.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many fields are required.
    pub fn required(&self) -> usize {
        self.required
    }
}

/// A reference to a definition of the bundle by its short name, resolved once.
#[derive(Debug, Clone)]
pub struct Ref {
    pub name: Text,
    pub(super) target: OnceLock<Option<&'static Definition>>,
}

impl Ref {
    pub fn new(name: impl Into<Text>) -> Self {
        Ref { name: name.into(), target: OnceLock::new() }
    }
}
