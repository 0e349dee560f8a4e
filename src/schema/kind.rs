//! What an object says it is, and filters by it.

use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{Data, Node};
use std::fmt;

/// The head of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    pub api_version: &'a str,
    pub kind: &'a str,
    pub node: &'a Node,
}

impl<'a> Identity<'a> {
    /// Reads the head; an object without one is told to be none.
    pub fn read(node: &'a Node) -> Result<Self, Box<Diagnostic>> {
        let Data::Map(map) = &node.data else {
            let message = format!("a document must be a Kubernetes object, found {}", super::words::found(node));
            let hint = "an object starts with `apiVersion:` and `kind:`";
            return Err(Box::new(
                Diagnostic::new(Code::InvalidManifest, message).label(node.span, "not an object").hint(hint),
            ));
        };
        let start = map.values().next().map_or(node.span, |entry| entry.key_span);
        let text = |key: &str, example: &str| match map.get(key) {
            Some(entry) => match &entry.value.data {
                Data::Str(text) if !text.is_empty() => Ok(&**text),
                _ => {
                    let found = super::words::found(&entry.value);
                    let message = format!("`{key}` must be a string such as `{example}`, found {found}");
                    Err(Box::new(Diagnostic::new(Code::InvalidManifest, message).label(entry.key_span, "here")))
                }
            },
            None => {
                let message = format!("the object has no `{key}`");
                let finding =
                    Diagnostic::new(Code::InvalidManifest, message).label(start, format!("`{key}` is missing"));
                Err(Box::new(finding.hint(format!("add `{key}`, such as `{key}: {example}`"))))
            }
        };
        let kind = text("kind", "Deployment")?;
        let api_version = text("apiVersion", "apps/v1")?;
        Ok(Identity { api_version, kind, node })
    }

    /// `apps`, or nothing for the core group.
    pub fn group(&self) -> &'a str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// `v1`.
    pub fn version(&self) -> &'a str {
        self.api_version.split_once('/').map_or(self.api_version, |(_, version)| version)
    }

    /// `apps/v1/Deployment`, as the bundle's index has it.
    pub fn key(&self) -> String {
        [self.api_version, "/", self.kind].concat()
    }

    /// The span of `apiVersion`.
    pub fn api_version_span(&self) -> crate::diagnostic::Span {
        self.node.get("apiVersion").map_or(self.node.span, |node| node.span)
    }

    /// The span of `kind`.
    pub fn kind_span(&self) -> crate::diagnostic::Span {
        self.node.get("kind").map_or(self.node.span, |node| node.span)
    }
}

/// `Deployment web`.
impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.node.at(["metadata", "name"]).and_then(Node::as_str).unwrap_or_default();
        write!(f, "{} {name}", self.kind)
    }
}

/// `Kind` or `group/version/Kind`, as `--skip` and `--reject` take them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindFilter {
    api_version: Option<String>,
    kind: String,
}

impl KindFilter {
    /// Reads a comma-separated list.
    pub fn list(text: &str) -> Vec<Self> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries
            .map(|entry| match entry.rsplit_once('/') {
                Some((api_version, kind)) => {
                    KindFilter { api_version: Some(api_version.to_owned()), kind: kind.to_owned() }
                }
                None => KindFilter { api_version: None, kind: entry.to_owned() },
            })
            .collect()
    }

    pub(super) fn matches(&self, identity: &Identity<'_>) -> bool {
        self.kind == identity.kind && self.api_version.as_deref().is_none_or(|it| it == identity.api_version)
    }
}
