//! Whether a custom resource's schema is structural, and the rest of what the API server asks of one.
//!
//! Source: the validation of apiextensions.k8s.io/v1 in Kubernetes' own words, as its documentation and its errors
//! give them.

use super::{Custom, convert, rule};
use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::regexp::Pattern;
use crate::schema::path::{Path, write_key};
use crate::schema::walk::Walk;
use crate::yaml::{Data, Entry, Node};

/// Nesting past which a schema is not looked at.
const MAX_DEPTH: u32 = 128;

/// Keywords of JSON Schema that Kubernetes does not take.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("$ref", "write the schema out"),
    ("additionalItems", "remove it"),
    ("definitions", "write the schemas out where they are used"),
    ("dependencies", "write a rule in `x-kubernetes-validations`"),
    ("id", "remove it"),
    ("patternProperties", "use `additionalProperties`, and check keys in `x-kubernetes-validations`"),
];

/// Keywords that say what a value is, and so belong outside `allOf`, `anyOf`, `oneOf` and `not`.
const GENERIC: &[&str] = &[
    "additionalProperties",
    "default",
    "description",
    "externalDocs",
    "nullable",
    "title",
    "type",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// Checks the schema of a version.
pub(super) fn check(walk: &mut Walk<'_>, version: &str, schema: &Node, has_status: bool) {
    let mut structure = Structure { walk, version, place: String::new(), uncorrelated: false };
    structure.root(schema, has_status);
    structure.node(schema, Level::Root, 0);
}

struct Structure<'w, 'a> {
    walk: &'w mut Walk<'a>,
    version: &'w str,
    place: String,
    /// Whether the place is within items that have no identity.
    uncorrelated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

fn flag(schema: &Node, key: &str) -> bool {
    schema.get(key).and_then(Node::as_bool) == Some(true)
}

fn text<'n>(schema: &'n Node, key: &str) -> Option<&'n str> {
    schema.get(key).and_then(Node::as_str)
}

fn list<'n>(schema: &'n Node, key: &str) -> &'n [Node] {
    schema.get(key).and_then(Node::as_seq).unwrap_or_default()
}

/// The names and schemas of an object's fields.
fn properties(schema: &Node) -> impl Iterator<Item = (&str, &Entry)> {
    schema.get("properties").and_then(Node::as_map).into_iter().flatten().map(|(name, entry)| (&**name, entry))
}

fn property<'n>(schema: &'n Node, name: &str) -> Option<&'n Node> {
    schema.get("properties")?.get(name)
}

/// Where a schema starts.
fn start(schema: &Node) -> Span {
    schema.as_map().and_then(|map| map.values().next()).map_or(schema.span, |entry| entry.key_span)
}

fn key_span(schema: &Node, key: &str) -> Span {
    schema.as_map().and_then(|map| map.get(key)).map_or(schema.span, |entry| entry.key_span)
}

impl Structure<'_, '_> {
    fn tell(&mut self, span: Span, what: &str, label: &str) -> &mut Diagnostic {
        let place = if self.place.is_empty() { "the root".to_owned() } else { format!("`{}`", self.place) };
        let message = format!("the schema of {} is not valid: {place} {what}", self.version);
        self.walk.push(Diagnostic::new(Code::InvalidDefinition, message).label(span, label));
        self.walk.findings.last_mut().expect("just pushed")
    }

    fn below(&mut self, step: impl FnOnce(&mut String), call: impl FnOnce(&mut Self)) {
        let length = self.place.len();
        step(&mut self.place);
        call(self);
        self.place.truncate(length);
    }

    fn field(&mut self, name: &str, call: impl FnOnce(&mut Self)) {
        self.below(
            |place| {
                let first = place.is_empty();
                let _ = write_key(place, name, first);
            },
            call,
        );
    }

    fn root(&mut self, schema: &Node, has_status: bool) {
        if let Some(kind) = schema.get("type")
            && kind.as_str().is_some_and(|kind| kind != "object")
        {
            self.tell(kind.span, "must be an object", "expected `object`");
        }
        for key in ["nullable", "additionalProperties"] {
            if schema.get(key).is_some_and(|value| value.as_bool() != Some(false)) {
                self.tell(key_span(schema, key), &format!("cannot have `{key}`"), "remove it");
            }
        }
        for key in ["allOf", "anyOf", "enum", "not", "oneOf"] {
            if has_status && schema.get(key).is_some() {
                let what = format!("cannot have `{key}` next to the subresource `status`");
                self.tell(key_span(schema, key), &what, "move it below, to `spec`");
            }
        }
        if let Some(metadata) = property(schema, "metadata") {
            self.field("metadata", |it| it.metadata(metadata));
        }
    }

    /// Metadata are known; only the names of objects can be narrowed.
    fn metadata(&mut self, schema: &Node) {
        let known = ["type", "description", "properties"];
        for (key, entry) in schema.as_map().into_iter().flatten() {
            if !known.contains(&&**key) {
                self.tell(entry.key_span, &format!("cannot have `{key}`"), "every object has the same metadata");
            }
        }
        for (name, entry) in properties(schema) {
            if !matches!(name, "name" | "generateName") {
                self.tell(entry.key_span, &format!("cannot describe `{name}`"), "only `name` and `generateName`");
            }
        }
    }

    /// A schema that says what a value is.
    fn node(&mut self, schema: &Node, level: Level, depth: u32) {
        let Some(map) = schema.as_map() else { return };
        if depth > MAX_DEPTH {
            return;
        }
        self.kind(schema, level);
        self.keywords(schema);
        self.lists(schema);
        self.default(schema, depth);
        for fault in rule::faults(schema, level == Level::Root, self.uncorrelated) {
            self.tell(fault.span, &fault.what, &fault.label).hints.extend(fault.hint);
        }
        if flag(schema, "x-kubernetes-embedded-resource") || level == Level::Root {
            for name in ["apiVersion", "kind"] {
                if let Some(kind) = property(schema, name).filter(|field| text(field, "type") != Some("string")) {
                    self.field(name, |it| {
                        it.tell(start(kind), "must be a string", "expected `type: string`");
                    });
                }
            }
        }
        for (name, entry) in properties(schema) {
            self.field(name, |it| it.node(&entry.value, Level::Field, depth + 1));
        }
        if let Some(items) = map.get("items") {
            // Only the items of a list with keys can be told apart from one state of an object to the next.
            let around = self.uncorrelated;
            self.uncorrelated |= text(schema, "x-kubernetes-list-type") != Some("map");
            self.below(|place| place.push_str("[]"), |it| it.node(&items.value, Level::Item, depth + 1));
            self.uncorrelated = around;
        }
        if let Some(additional) = map.get("additionalProperties") {
            self.below(|place| place.push_str("{}"), |it| it.node(&additional.value, Level::Field, depth + 1));
        }
        self.logic(schema, schema, depth);
    }

    fn kind(&mut self, schema: &Node, level: Level) {
        let int_or_string = flag(schema, "x-kubernetes-int-or-string");
        let embedded = flag(schema, "x-kubernetes-embedded-resource");
        match schema.get("type") {
            Some(kind) => match kind.as_str() {
                Some(name) if embedded && name != "object" => {
                    self.tell(kind.span, "is an embedded resource, so it must be an object", "expected `object`");
                }
                Some("array") if schema.get("items").is_none() => {
                    self.tell(start(schema), "is an array without `items`", "`items` is missing");
                }
                _ => {}
            },
            None if schema.get("$ref").is_some() => {}
            None if int_or_string || flag(schema, "x-kubernetes-preserve-unknown-fields") && !embedded => {}
            None => {
                let hint = match (schema.get("properties"), schema.get("items")) {
                    (Some(_), _) => "add `type: object`",
                    (_, Some(_)) => "add `type: array`",
                    _ if level == Level::Root => "add `type: object`",
                    _ => {
                        "add one, or `x-kubernetes-int-or-string: true`, or `x-kubernetes-preserve-unknown-fields: true`"
                    }
                };
                self.tell(start(schema), "has no `type`", "`type` is missing").hints.push(hint.to_owned());
            }
        }
        if int_or_string {
            for key in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
                if flag(schema, key) {
                    self.tell(
                        key_span(schema, key),
                        &format!("is an int-or-string, so it cannot have `{key}`"),
                        "here",
                    );
                }
            }
        }
        if embedded && !flag(schema, "x-kubernetes-preserve-unknown-fields") && properties(schema).next().is_none() {
            self.tell(start(schema), "is an embedded resource without fields", "`properties` is missing")
                .hints
                .push("add `x-kubernetes-preserve-unknown-fields: true` to keep what is in it".to_owned());
        }
    }

    /// What is refused wherever it stands.
    fn keywords(&mut self, schema: &Node) {
        for (key, instead) in UNSUPPORTED {
            if schema.get(key).is_some() {
                self.tell(key_span(schema, key), &format!("has `{key}`, which is not supported"), instead);
            }
        }
        if let (Some(_), Some(additional)) = (properties(schema).next(), schema.get("additionalProperties"))
            && additional.as_bool() != Some(true)
        {
            let span = key_span(schema, "additionalProperties");
            self.tell(span, "has both `properties` and `additionalProperties`", "only one is allowed");
        }
        if flag(schema, "uniqueItems") {
            let span = key_span(schema, "uniqueItems");
            self.tell(span, "has `uniqueItems`, which is not supported", "use `x-kubernetes-list-type: set`");
        }
        if schema.get("items").is_some_and(|items| items.as_seq().is_some()) {
            self.tell(key_span(schema, "items"), "has a list of `items`", "one schema for all items");
        }
        let preserve = "x-kubernetes-preserve-unknown-fields";
        if schema.get(preserve).and_then(Node::as_bool) == Some(false) {
            self.tell(key_span(schema, preserve), &format!("has `{preserve}: false`"), "set it to true, or remove it");
        }
        if let Some(pattern) = schema.get("pattern")
            && let Some(source) = pattern.as_str()
            && let Err(error) = Pattern::new(source)
        {
            let fault = error.split_once("regexp: ").map_or(&*error, |(_, fault)| fault);
            let hint = (fault.contains("(?=") || fault.contains("(?!") || fault.contains("(?<"))
                .then(|| "Go's expressions cannot look ahead or behind".to_owned());
            let what = format!("has a pattern that is no regular expression: {fault}");
            self.tell(pattern.span, &what, "Go's regular expressions").hints.extend(hint);
        }
    }

    fn lists(&mut self, schema: &Node) {
        let is_array = text(schema, "type") == Some("array");
        let keys = list(schema, "x-kubernetes-list-map-keys");
        let kind = schema.get("x-kubernetes-list-type");
        if let Some((kind, name)) = kind.and_then(|kind| Some((kind, kind.as_str()?))) {
            if !is_array {
                let span = key_span(schema, "x-kubernetes-list-type");
                self.tell(span, "has `x-kubernetes-list-type`, but is no array", "expected `type: array`");
            } else if !matches!(name, "atomic" | "map" | "set") {
                let what = format!("cannot have the list type `{name}`");
                self.tell(kind.span, &what, "expected `atomic`, `map` or `set`");
            } else if name == "map" && keys.is_empty() {
                self.tell(kind.span, "is a list-map without keys", "`x-kubernetes-list-map-keys` is missing");
            }
        }
        if !keys.is_empty() && kind.and_then(Node::as_str) != Some("map") {
            let span = key_span(schema, "x-kubernetes-list-map-keys");
            self.tell(span, "has keys, but is no list-map", "add `x-kubernetes-list-type: map`");
        }
        if let Some((kind, name)) = schema.get("x-kubernetes-map-type").and_then(|kind| Some((kind, kind.as_str()?))) {
            if !matches!(name, "atomic" | "granular") {
                self.tell(kind.span, &format!("cannot have the map type `{name}`"), "expected `atomic` or `granular`");
            } else if text(schema, "type") != Some("object") {
                self.tell(kind.span, "has `x-kubernetes-map-type`, but is no object", "expected `type: object`");
            }
        }
        let Some(items) = schema.get("items").filter(|items| items.as_map().is_some()) else { return };
        match kind.and_then(Node::as_str) {
            Some("map") if is_array => {
                if let Some(kind) = items.get("type").filter(|kind| kind.as_str() != Some("object")) {
                    self.tell(kind.span, "is a list-map, so its items must be objects", "expected `object`");
                    return;
                }
                for key in keys {
                    self.map_key(items, key);
                }
            }
            Some("set") if is_array => {
                let granular = match text(items, "type") {
                    Some("object") => text(items, "x-kubernetes-map-type") != Some("atomic"),
                    Some("array") => text(items, "x-kubernetes-list-type").is_some_and(|kind| kind != "atomic"),
                    _ => false,
                };
                if granular {
                    self.tell(start(items), "is a set of items that are not atomic", "items must be compared whole")
                        .hints
                        .push("add `x-kubernetes-map-type: atomic` to the items".to_owned());
                }
                if flag(items, "nullable") {
                    self.tell(key_span(items, "nullable"), "is a set, so its items cannot be null", "remove it");
                }
            }
            _ => {}
        }
    }

    fn map_key(&mut self, items: &Node, key: &Node) {
        let Some(name) = key.as_str() else { return };
        let Some(field) = property(items, name) else {
            let what = format!("has the key `{name}`, which its items do not have");
            self.tell(key.span, &what, "no such property of the items");
            return;
        };
        if matches!(text(field, "type"), Some("array" | "object")) {
            self.tell(key.span, &format!("has the key `{name}`, which is no scalar"), "keys are compared as text");
        }
        let required = list(items, "required").iter().any(|item| item.as_str() == Some(name));
        if !required && convert::default_of(field).is_none() {
            let what = format!("has the key `{name}`, which is neither required nor has a default");
            let label = format!("add `{name}` to `required` of the items");
            self.tell(key.span, &what, &label);
        }
    }

    /// A default must be a value of its own schema.
    fn default(&mut self, schema: &Node, depth: u32) {
        let Some(default) = convert::default_of(schema) else { return };
        let custom: Custom = convert::node(schema, false, depth);
        let before = self.walk.findings.len();
        super::check(self.walk, &custom, default, &Path::ROOT.key("default"));
        let place = if self.place.is_empty() { "the root".to_owned() } else { format!("`{}`", self.place) };
        let version = self.version;
        for finding in self.walk.findings.split_off(before) {
            if finding.severity == Severity::Error {
                let message =
                    format!("the schema of {version} is not valid: the default of {place}: {}", finding.message);
                self.walk.push(Diagnostic { code: Code::InvalidDefinition, message, ..finding });
            }
        }
    }

    /// What `allOf`, `anyOf`, `oneOf` and `not` say of a value. `structure` is the schema that says what it is.
    fn logic(&mut self, schema: &Node, structure: &Node, depth: u32) {
        let int_or_string = flag(schema, "x-kubernetes-int-or-string");
        for key in ["allOf", "anyOf", "oneOf"] {
            for (at, branch) in list(schema, key).iter().enumerate() {
                let repeats_types = int_or_string
                    && (key == "anyOf" && is_type(branch)
                        || key == "allOf" && at == 0 && list(branch, "anyOf").iter().all(is_type));
                if !repeats_types {
                    self.branch(branch, structure, key, depth + 1);
                }
            }
        }
        if let Some(not) = schema.get("not") {
            self.branch(not, structure, "not", depth + 1);
        }
    }

    fn branch(&mut self, branch: &Node, structure: &Node, logic: &str, depth: u32) {
        let Some(map) = branch.as_map() else { return };
        if depth > MAX_DEPTH {
            return;
        }
        for (key, entry) in map {
            let set = !matches!(entry.value.data, Data::Bool(false) | Data::Null);
            if GENERIC.contains(&&**key) && set {
                let what = format!("has `{key}` within `{logic}`");
                self.tell(entry.key_span, &what, "only checks of values are allowed there")
                    .hints
                    .push(format!("move `{key}` out of `{logic}`, to the schema around it"));
            }
        }
        self.keywords(branch);
        for (name, entry) in properties(branch) {
            match property(structure, name) {
                Some(field) => {
                    self.field(name, |it| it.branch(&entry.value, field, logic, depth + 1));
                }
                None => {
                    let what = format!("has `{name}` within `{logic}`, but not among its `properties`");
                    self.tell(entry.key_span, &what, "not a field outside")
                        .hints
                        .push(format!("describe `{name}` under `properties` of the schema around `{logic}`"));
                }
            }
        }
        if let Some(items) = branch.get("items") {
            match structure.get("items") {
                Some(outer) => self.below(|place| place.push_str("[]"), |it| it.branch(items, outer, logic, depth + 1)),
                None => {
                    let what = format!("has `items` within `{logic}`, but not outside");
                    self.tell(key_span(branch, "items"), &what, "describe the items outside, too");
                }
            }
        }
        self.logic(branch, structure, depth);
    }
}

/// A branch `type: integer` or `type: string`, as schemas of int-or-strings repeat them.
fn is_type(branch: &Node) -> bool {
    branch.as_map().is_some_and(|map| map.len() == 1) && matches!(text(branch, "type"), Some("integer" | "string"))
}
