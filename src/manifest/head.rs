//! What Helm reads of every document before it prints it: kind, name and hook annotations.

use super::hook::{self, Event};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{self, Data, Node};
use std::sync::Arc;

/// The head of a document. Absent fields are empty, as for Helm.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Head {
    pub api_version: Arc<str>,
    pub kind: Arc<str>,
    pub name: Arc<str>,
    pub namespace: Arc<str>,
    /// The events of a hook; empty for what is no hook.
    pub events: Vec<Event>,
    /// A hook for an event that Helm does not know: it is dropped from the stream.
    pub is_dropped: bool,
}

impl Head {
    /// The head of a document that was not read in full.
    pub(super) fn quick(head: &yaml::Head<'_>) -> Head {
        let annotation = head.annotations.iter().find(|(key, _)| *key == hook::ANNOTATION);
        let events = annotation.map(|(_, value)| hook::events(value));
        Head {
            api_version: head.api_version.into(),
            kind: head.kind.into(),
            name: head.name.into(),
            namespace: head.namespace.into(),
            is_dropped: events == Some(None),
            events: events.flatten().unwrap_or_default(),
        }
    }

    /// Reads the head of a parsed document, and says what Helm would refuse in it.
    pub fn read(document: &Node) -> Result<Head, Box<Diagnostic>> {
        let mut head = Head::default();
        let Some(document) = mapping(document, "a document")? else { return Ok(head) };
        head.api_version = text(field(document, "apiVersion"), "apiVersion")?;
        head.kind = text(field(document, "kind"), "kind")?;
        let Some(metadata) = field(document, "metadata") else { return Ok(head) };
        let Some(metadata) = mapping(metadata, "`metadata`")? else { return Ok(head) };
        head.name = text(field(metadata, "name"), "metadata.name")?;
        head.namespace = field(metadata, "namespace").and_then(Node::as_str).unwrap_or_default().into();
        let Some(annotations) = field(metadata, "annotations") else { return Ok(head) };
        let Some(annotations) = mapping(annotations, "`metadata.annotations`")? else { return Ok(head) };
        for (key, entry) in annotations {
            let value = text(Some(&entry.value), &format!("metadata.annotations[\"{key}\"]"))?;
            if **key == *hook::ANNOTATION {
                let events = hook::events(&value);
                head.is_dropped = events.is_none();
                head.events = events.unwrap_or_default();
            }
        }
        Ok(head)
    }
}

type Mapping = crate::yaml::Mapping;

/// A field by name. Go's JSON decoder, by which Helm reads heads, ignores the case of keys; the last one in
/// byte order wins, because the keys come to it sorted.
fn field<'a>(mapping: &'a Mapping, name: &str) -> Option<&'a Node> {
    match mapping.get(name) {
        Some(entry) if name.bytes().all(|byte| byte.is_ascii_lowercase()) => Some(&entry.value),
        _ => mapping
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .max_by_key(|(key, _)| *key)
            .map(|(_, entry)| &entry.value),
    }
}

/// The mapping that a node is; `None` for null.
fn mapping<'a>(node: &'a Node, what: &str) -> Result<Option<&'a Mapping>, Box<Diagnostic>> {
    match &node.data {
        Data::Map(map) => Ok(Some(map)),
        Data::Null => Ok(None),
        _ => Err(mismatch(node, &format!("{what} must be a mapping"))),
    }
}

/// The text of a scalar; numbers and booleans count as their text, null as none.
fn text(node: Option<&Node>, path: &str) -> Result<Arc<str>, Box<Diagnostic>> {
    Ok(match node.map(|node| (&node.data, node)) {
        None | Some((Data::Null, _)) => Arc::default(),
        Some((Data::Str(text), _)) => Arc::clone(text),
        Some((Data::Bool(value), _)) => value.to_string().into(),
        Some((Data::Int(number), _)) => number.to_string().into(),
        Some((Data::Uint(number), _)) => number.to_string().into(),
        Some((Data::Float(number), _)) => number.to_string().into(),
        Some((Data::Seq(_) | Data::Map(_), node)) => return Err(mismatch(node, &format!("`{path}` must be a string"))),
    })
}

fn mismatch(node: &Node, message: &str) -> Box<Diagnostic> {
    let found = match node.data {
        Data::Map(_) => "a mapping",
        Data::Seq(_) => "a list",
        Data::Bool(_) => "a boolean",
        Data::Int(_) | Data::Uint(_) | Data::Float(_) => "a number",
        Data::Null => "null",
        Data::Str(_) => "a string",
    };
    Box::new(Diagnostic::new(Code::InvalidManifest, format!("{message}, found {found}")).label(node.span, found))
}
