//! What stands at the head of a Kubernetes object, read in one pass without building a tree.
//!
//! Most documents of a chart are only sorted by kind and printed. For those that the quick pass can tell of, this
//! picks the few fields, and makes sure that the full reader would accept the document without a finding. Whatever it
//! is not sure of it leaves to that reader.

use super::Style;
use super::resolve::{Resolved, resolve};
use super::simple::{Collection, Receiver, Scalar, tell};
use foldhash::fast::FixedState;
use std::borrow::Cow;
use std::hash::BuildHasher;

/// The identifying fields of a document; those that are absent are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head<'a> {
    pub api_version: &'a str,
    pub kind: &'a str,
    pub name: &'a str,
    pub namespace: &'a str,
    /// Helm's own annotations, such as `helm.sh/hook`, with their values.
    pub annotations: Vec<(&'a str, &'a str)>,
}

/// The head of a document, if the document is certainly one that [`super::read`] reads without error or finding, and
/// its head has no surprises; `None` says nothing about the document.
pub fn head(text: &str) -> Option<Head<'_>> {
    let mut picker = Picker {
        open: Vec::with_capacity(16),
        hashes: Vec::with_capacity(64),
        hasher: FixedState::default(),
        head: Head::default(),
        part: Part::Root,
        field: Field::Document,
        documents: 0,
    };
    tell(text, &mut picker)?;
    (picker.documents == 1).then_some(picker.head)
}

/// Mappings with more keys are left to the full reader.
const MAX_KEYS: usize = 1000;
const MAX_KEY_LENGTH: usize = 500;

/// The part of the head that is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Root,
    Metadata,
    Annotations,
}

/// What the next value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field<'a> {
    Document,
    ApiVersion,
    Kind,
    Metadata,
    Name,
    Namespace,
    Annotations,
    Annotation(&'a str),
    None,
}

struct Picker<'a> {
    /// Where the keys of the open collections begin in `hashes`.
    open: Vec<usize>,
    /// Hashes of the keys of the open mappings.
    hashes: Vec<u64>,
    hasher: FixedState,
    head: Head<'a>,
    part: Part,
    field: Field<'a>,
    documents: usize,
}

impl<'a> Picker<'a> {
    /// Whether the innermost collection is the part of the head that is open.
    fn is_in_head(&self) -> bool {
        self.open.len() == self.part as usize + 1
    }

    /// Refuses keys that the mapping has already, or might have.
    fn remember(&mut self, key: &str) -> Option<()> {
        let known = &self.hashes[*self.open.last()?..];
        let hash = self.hasher.hash_one(key);
        if known.len() >= MAX_KEYS || known.iter().fold(false, |found, other| found | (*other == hash)) {
            return None;
        }
        self.hashes.push(hash);
        Some(())
    }

    /// The field of a key in the head. Go's JSON decoder ignores case: a key that it would take for another one is
    /// left to the full reader.
    fn field(&self, key: Cow<'a, str>) -> Option<Field<'a>> {
        let fields: &[(&str, Field<'a>)] = match self.part {
            Part::Root => &[("apiVersion", Field::ApiVersion), ("kind", Field::Kind), ("metadata", Field::Metadata)],
            Part::Metadata => {
                &[("name", Field::Name), ("namespace", Field::Namespace), ("annotations", Field::Annotations)]
            }
            Part::Annotations => {
                let Cow::Borrowed(key) = key else { return None };
                return Some(Field::Annotation(key));
            }
        };
        match fields.iter().find(|(name, _)| key.eq_ignore_ascii_case(name)) {
            Some((name, field)) => (key == *name).then_some(*field),
            None => Some(Field::None),
        }
    }
}

impl<'a> Receiver<'a> for Picker<'a> {
    fn open(&mut self, collection: Collection, _: Style, _: usize) -> Option<()> {
        match (std::mem::replace(&mut self.field, Field::None), collection) {
            (Field::Document, Collection::Mapping) | (Field::None, _) => {}
            (Field::Metadata, Collection::Mapping) => self.part = Part::Metadata,
            (Field::Annotations, Collection::Mapping) => self.part = Part::Annotations,
            _ => return None,
        }
        self.open.push(self.hashes.len());
        Some(())
    }

    fn close(&mut self, _: usize) -> Option<()> {
        self.hashes.truncate(self.open.pop()?);
        match self.open.len() {
            1 => self.part = Part::Root,
            2 if self.part == Part::Annotations => self.part = Part::Metadata,
            _ => {}
        }
        Some(())
    }

    fn key(&mut self, key: Scalar<'a>) -> Option<()> {
        let text = key.text;
        let is_text = key.style != Style::Plain || resolve(&text) == Resolved::Str && text != "<<";
        if !is_text || text.len() > MAX_KEY_LENGTH {
            return None;
        }
        self.remember(&text)?;
        self.field = if self.is_in_head() { self.field(text)? } else { Field::None };
        Some(())
    }

    fn scalar(&mut self, scalar: Scalar<'a>) -> Option<()> {
        let is_plain = scalar.style == Style::Plain;
        if is_plain
            && scalar.text.starts_with(['.', '+', '-'])
            && matches!(resolve(&scalar.text), Resolved::Float(number) if !number.is_finite())
        {
            return None;
        }
        let text = || match scalar.text {
            Cow::Borrowed(text) if !is_plain || resolve(text) == Resolved::Str => Some(text),
            _ => None,
        };
        match std::mem::replace(&mut self.field, Field::None) {
            Field::ApiVersion => self.head.api_version = text()?,
            Field::Kind => self.head.kind = text()?,
            Field::Name => self.head.name = text()?,
            Field::Namespace => self.head.namespace = text()?,
            Field::Annotation(key) if key.starts_with("helm.sh/") => self.head.annotations.push((key, text()?)),
            Field::Document | Field::Metadata | Field::Annotations => return None,
            Field::Annotation(_) | Field::None => {}
        }
        Some(())
    }

    fn end_document(&mut self) -> Option<()> {
        self.documents += 1;
        Some(())
    }

    fn keeps_next(&self) -> bool {
        self.field != Field::None
    }
}
