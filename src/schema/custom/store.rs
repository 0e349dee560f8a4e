//! The custom resource definitions that are known, and the schemas of their versions.

use super::convert;
use crate::diagnostic::Span;
use crate::schema::shape::Shape;
use crate::yaml::Node;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Definitions by the kinds that they define. The first definition of a kind counts.
#[derive(Debug, Clone, Default)]
pub struct Store {
    kinds: HashMap<String, Arc<CustomKind>>,
}

/// A kind that a definition defines, in one version.
#[derive(Debug)]
pub struct CustomKind {
    schema: Option<Node>,
    /// Whether fields that no schema names are kept: an old definition's `preserveUnknownFields`.
    open: bool,
    pub served: bool,
    pub deprecated: Option<String>,
    /// The definition's name.
    pub span: Span,
    shape: OnceLock<Option<Shape>>,
}

impl CustomKind {
    /// The shape of its objects, made when first asked for; `None` where the definition has no schema.
    pub fn shape(&self) -> Option<&Shape> {
        self.shape.get_or_init(|| self.schema.as_ref().map(|schema| convert::root(schema, self.open))).as_ref()
    }
}

impl Store {
    /// The kind `example.com/v1/Widget`.
    pub fn get(&self, key: &str) -> Option<&Arc<CustomKind>> {
        self.kinds.get(key)
    }

    /// The versions that the group of `example.com/v1/Widget` has of the kind.
    pub fn versions_of(&self, key: &str) -> Vec<&str> {
        let parts = |key: &str| {
            key.split_once('/')
                .map(|(group, rest)| (group.to_owned(), rest.rsplit('/').next().unwrap_or_default().to_owned()))
        };
        let wanted = parts(key);
        let mut versions: Vec<&str> = self
            .kinds
            .iter()
            .filter(|(known, kind)| kind.served && parts(known) == wanted)
            .filter_map(|(known, _)| known.rsplit_once('/').map(|(version, _)| version))
            .collect();
        versions.sort_unstable();
        versions
    }

    /// Whether the document is a definition.
    pub fn is_definition(node: &Node) -> bool {
        node.get("kind").and_then(Node::as_str) == Some("CustomResourceDefinition")
            && node
                .get("apiVersion")
                .and_then(Node::as_str)
                .is_some_and(|version| version.starts_with("apiextensions.k8s.io/"))
    }

    /// Adds the kinds of a definition, if the document is one.
    pub fn add(&mut self, node: &Node) {
        if !Self::is_definition(node) {
            return;
        }
        let Some(spec) = node.get("spec") else { return };
        let text = |path: &[&str]| spec.at(path.iter().copied()).and_then(Node::as_str);
        let (Some(group), Some(kind)) = (text(&["group"]), text(&["names", "kind"])) else { return };
        let span = node.at(["metadata", "name"]).map_or(node.span, |name| name.span);
        let open = spec.get("preserveUnknownFields").and_then(Node::as_bool) == Some(true);
        // apiextensions v1beta1 has one schema for all versions.
        let shared = spec.at(["validation", "openAPIV3Schema"]);
        let mut add = |version: &str, schema: Option<&Node>, served: bool, deprecated: Option<String>| {
            let schema = schema.or(shared).cloned();
            let made = CustomKind { schema, open, served, deprecated, span, shape: OnceLock::new() };
            self.kinds.entry(format!("{group}/{version}/{kind}")).or_insert_with(|| Arc::new(made));
            if let Some(list) = text(&["names", "listKind"]) {
                let made =
                    CustomKind { schema: None, open: true, served, deprecated: None, span, shape: OnceLock::new() };
                self.kinds.entry(format!("{group}/{version}/{list}")).or_insert_with(|| Arc::new(made));
            }
        };
        for version in spec.get("versions").and_then(Node::as_seq).unwrap_or_default() {
            let Some(name) = version.get("name").and_then(Node::as_str) else { continue };
            let flag = |key| version.get(key).and_then(Node::as_bool);
            let deprecated = (flag("deprecated") == Some(true))
                .then(|| version.get("deprecationWarning").and_then(Node::as_str).unwrap_or_default().to_owned());
            add(name, version.at(["schema", "openAPIV3Schema"]), flag("served") != Some(false), deprecated);
        }
        if let Some(version) = text(&["version"]) {
            add(version, None, true, None);
        }
    }
}
