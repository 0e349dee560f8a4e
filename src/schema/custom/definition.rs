//! Checks of custom resource definitions themselves: names, versions, and whether the schemas are structural.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::regexp::Pattern;
use crate::schema::path::{Path, write_key};
use crate::schema::walk::Walk;
use crate::yaml::Node;

/// Checks the spec of a definition.
pub fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let text = |keys: &[&str]| node.at(keys.iter().copied()).and_then(Node::as_str);
    if let (Some(plural), Some(group), Some(name)) =
        (text(&["names", "plural"]), text(&["group"]), walk.identity.node.at(["metadata", "name"]))
        && let Some(found) = name.as_str()
        && found != format!("{plural}.{group}")
    {
        let message = format!("the definition must be called `{plural}.{group}`, found `{found}`");
        walk.push(
            Diagnostic::new(Code::InvalidDefinition, message)
                .label(name.span, "`names.plural` and `group`, joined by a dot"),
        );
    }
    for key in ["plural", "singular"] {
        if let Some(name) = node.at(["names", key])
            && name.as_str().is_some_and(|text| text.contains(|char: char| char.is_ascii_uppercase()))
        {
            let message = format!("`{path}.names.{key}` must be in lower case");
            walk.push(Diagnostic::new(Code::InvalidDefinition, message).label(name.span, "here"));
        }
    }
    let versions = node.get("versions").and_then(Node::as_seq).unwrap_or_default();
    let stored = versions.iter().filter(|version| version.get("storage").and_then(Node::as_bool) == Some(true)).count();
    if !versions.is_empty() && stored != 1 {
        let span = node.as_map().and_then(|map| map.get("versions")).map_or(node.span, |entry| entry.key_span);
        let message = format!("exactly one version must have `storage: true`, found {stored}");
        walk.push(Diagnostic::new(Code::InvalidDefinition, message).label(span, "here"));
    }
    for version in versions {
        match version.at(["schema", "openAPIV3Schema"]) {
            Some(schema) => {
                let name = version.get("name").and_then(Node::as_str).unwrap_or("?");
                let mut structure = Structure { walk: &mut *walk, version: name, place: String::new() };
                structure.root(schema);
            }
            None => {
                let span = version.get("name").map_or(version.span, |name| name.span);
                let finding = Diagnostic::new(Code::InvalidDefinition, "a version must have a schema")
                    .label(span, "`schema.openAPIV3Schema` is missing");
                walk.push(finding.hint(
                    "the loosest is `openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}`",
                ));
            }
        }
    }
}

/// Walks a schema and tells where it is not structural.
struct Structure<'w, 'a> {
    walk: &'w mut Walk<'a>,
    version: &'w str,
    place: String,
}

impl Structure<'_, '_> {
    fn tell(&mut self, span: Span, what: &str, label: &str) {
        let place = if self.place.is_empty() { "the root".to_owned() } else { format!("`{}`", self.place) };
        let message = format!("the schema of {} is not structural: {place} {what}", self.version);
        self.walk.push(Diagnostic::new(Code::InvalidDefinition, message).label(span, label));
    }

    fn root(&mut self, schema: &Node) {
        if let Some(kind) = schema.get("type")
            && kind.as_str().is_some_and(|kind| kind != "object")
        {
            self.tell(kind.span, "must be an object", "expected `object`");
        }
        self.node(schema, 0);
    }

    fn node(&mut self, schema: &Node, depth: u32) {
        let Some(map) = schema.as_map() else { return };
        if depth > 128 {
            return;
        }
        let flag = |key: &str| schema.get(key).and_then(Node::as_bool) == Some(true);
        let start = map.values().next().map_or(schema.span, |entry| entry.key_span);
        if schema.get("type").is_none()
            && !flag("x-kubernetes-int-or-string")
            && !flag("x-kubernetes-preserve-unknown-fields")
        {
            self.tell(start, "has no `type`", "`type` is missing");
        }
        if let Some(reference) = map.get("$ref") {
            self.tell(reference.key_span, "has a `$ref`", "write the schema out");
        }
        if let (Some(_), Some(additional)) = (map.get("properties"), map.get("additionalProperties")) {
            self.tell(additional.key_span, "has both `properties` and `additionalProperties`", "only one is allowed");
        }
        if let Some(pattern) = schema.get("pattern")
            && let Some(source) = pattern.as_str()
            && let Err(error) = Pattern::new(source)
        {
            let fault = error.rsplit(": ").nth(1).unwrap_or(&error).to_owned();
            self.tell(pattern.span, "has a pattern that is no regular expression", &fault);
        }
        for (name, entry) in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
            let length = self.place.len();
            let first = self.place.is_empty();
            let _ = write_key(&mut self.place, name, first);
            self.node(&entry.value, depth + 1);
            self.place.truncate(length);
        }
        for (key, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
            if let Some(inner) = schema.get(key) {
                let length = self.place.len();
                self.place += suffix;
                self.node(inner, depth + 1);
                self.place.truncate(length);
            }
        }
        if schema.get("type").and_then(Node::as_str) == Some("array") && schema.get("items").is_none() {
            self.tell(start, "is an array without `items`", "`items` is missing");
        }
    }
}
