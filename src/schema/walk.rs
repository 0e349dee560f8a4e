//! Holds a value against a shape.

use super::custom;
use super::kind::Identity;
use super::path::{Path, Step};
use super::pool::{Definition, Pool};
use super::scalar;
use super::shape::{Field, Fields, Format, Shape, Unique, Width};
use super::version::KubeVersion;
use super::words;
use crate::diagnostic::{Code, Diagnostic, Sources, Span, nearest};
use crate::yaml::{Data, Entry, Mapping, Node};
use std::collections::HashMap;

/// Nesting that no object of a cluster has; readers refuse deeper text before.
const MAX_DEPTH: u32 = 512;

/// Keys of list-maps that have a value when they are left out; the schemas do not say it.
const KEY_DEFAULTS: &[(&str, &str)] = &[("protocol", "TCP")];

/// Lists whose double entries the API server takes with a warning: the last one wins.
const LENIENT_LISTS: &[&str] = &["env", "imagePullSecrets", "hostAliases", "secrets", "ownerReferences"];

/// Fields of older API versions, or of other tools, and how they are written now.
const MOVED: &[(&str, &str, &str)] = &[
    ("networking.v1.IngressBackend", "serviceName", "write `service: {name: …, port: {number: …}}`"),
    ("networking.v1.IngressBackend", "servicePort", "write `service: {name: …, port: {number: …}}`"),
    (
        "autoscaling.v2.HorizontalPodAutoscalerSpec",
        "targetCPUUtilizationPercentage",
        "write `metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: …}}}]`",
    ),
    ("core.v1.ResourceRequirements", "cpu", "write `requests: {cpu: …}` or `limits: {cpu: …}`"),
    ("core.v1.ResourceRequirements", "memory", "write `requests: {memory: …}` or `limits: {memory: …}`"),
    ("core.v1.Probe", "path", "write `httpGet: {path: …, port: …}`"),
    ("core.v1.Probe", "port", "write `httpGet: {path: …, port: …}` or `tcpSocket: {port: …}`"),
];

fn moved(definition: &str, field: &str) -> Option<&'static str> {
    MOVED.iter().find(|(known, name, _)| *known == definition && *name == field).map(|(.., now)| *now)
}

/// One check of a value against the schemas of one version.
pub(super) struct Walk<'a> {
    pub pool: &'static Pool,
    pub strict: bool,
    pub identity: Identity<'a>,
    pub sources: &'a Sources,
    /// The shape of the whole object, for advice on fields in the wrong place.
    pub root: &'a Shape,
    pub findings: Vec<Diagnostic>,
}

impl Walk<'_> {
    pub fn push(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    pub fn version(&self) -> KubeVersion {
        self.pool.version()
    }

    /// Whether a definition has a field.
    pub fn knows(&self, definition: &str, field: &str) -> bool {
        let shape = self.pool.definition(definition).map(|definition| &definition.shape);
        matches!(shape, Some(Shape::Object(fields)) if fields.get(field).is_some())
    }

    /// Where to tell what a mapping lacks or breaks as a whole: at the key that it stands under, else at its own
    /// first key.
    pub fn place_of(&self, node: &Node, path: &Path<'_>) -> Span {
        let steps = path.steps();
        let mut at = Some(self.identity.node);
        let mut key_span = None;
        for step in &steps {
            (at, key_span) = match step {
                Step::Root => (at, None),
                Step::Key(key) => match at.and_then(Node::as_map).and_then(|map| map.get(key)) {
                    Some(entry) => (Some(&entry.value), Some(entry.key_span)),
                    None => (None, None),
                },
                Step::Index(index) => (at.and_then(Node::as_seq).and_then(|items| items.get(*index)), None),
            };
        }
        let own = || node.as_map().and_then(|map| map.values().next()).map_or(node.span, |entry| entry.key_span);
        key_span.filter(|_| at.is_some_and(|found| std::ptr::eq(found, node))).unwrap_or_else(own)
    }

    /// The text of a scalar as its author wrote it.
    pub fn written(&self, node: &Node) -> &str {
        self.sources.slice(node.span)
    }

    /// Checks a value that is not null, or null where that means something.
    pub fn value(&mut self, shape: &Shape, node: &Node, path: &Path<'_>) {
        if path.depth() > MAX_DEPTH {
            return;
        }
        match (shape, &node.data) {
            (Shape::Ref(reference), _) => {
                if let Some(definition) = self.pool.resolve(reference) {
                    self.definition(definition, node, path);
                }
            }
            (Shape::Custom(custom), _) => custom::check(self, custom, node, path),
            (Shape::Any, _) | (_, Data::Null) => {}
            (Shape::Object(fields), Data::Map(map)) => self.fields(fields, None, false, map, node, path),
            (Shape::AnyObject, Data::Map(_)) | (Shape::Boolean, Data::Bool(_)) => {}
            (Shape::Map(items), Data::Map(map)) => {
                for (key, entry) in map.iter() {
                    self.value(items, &entry.value, &path.key(key));
                }
            }
            (Shape::List { items, unique }, Data::Seq(list)) => {
                for (at, item) in list.iter().enumerate() {
                    self.value(items, item, &path.index(at));
                }
                self.unique(unique, list, path);
            }
            (Shape::Integer(width), Data::Int(number)) => self.width(*width, i128::from(*number), node, path),
            (Shape::Integer(width), Data::Uint(number)) => self.width(*width, i128::from(*number), node, path),
            // JSON has one kind of number: 3.0 is a whole one.
            (Shape::Integer(width), Data::Float(number)) if number.fract() == 0.0 && number.abs() < 1e15 => {
                self.width(*width, *number as i128, node, path);
            }
            (Shape::Number, Data::Int(_) | Data::Uint(_) | Data::Float(_)) => {}
            (Shape::String { format, values }, Data::Str(text)) => self.string(*format, values, text, node, path),
            (Shape::IntOrString, Data::Int(_) | Data::Uint(_) | Data::Str(_)) => {}
            (Shape::Quantity, Data::Int(_) | Data::Uint(_) | Data::Float(_)) => {}
            (Shape::Quantity, Data::Str(text)) => {
                if let Some(finding) = scalar::quantity(text, path) {
                    self.push(finding.label(node.span, "expected a quantity such as `500m`, `2` or `1Gi`"));
                }
            }
            _ => self.mismatch(shape, node, path),
        }
    }

    /// Checks a value against a definition, with the rules that hang on it.
    pub fn definition(&mut self, definition: &'static Definition, node: &Node, path: &Path<'_>) {
        match (&definition.shape, &node.data) {
            (Shape::Object(fields), Data::Map(map)) => {
                self.fields(fields, Some(definition), false, map, node, path);
                for rule in definition.rules {
                    rule(self, node, path);
                }
            }
            (Shape::Object(_), Data::Null) => {}
            (Shape::Object(_), _) => {
                self.wrong_type(&format!("an object ({})", definition.short_name()), node, path, None)
            }
            (shape, _) => self.value(shape, node, path),
        }
    }

    /// Checks the entries of a mapping; `open` says that it may have fields that are not known.
    pub fn fields(
        &mut self,
        fields: &Fields,
        definition: Option<&Definition>,
        open: bool,
        map: &Mapping,
        node: &Node,
        path: &Path<'_>,
    ) {
        let mut required = 0;
        // Required fields that are there under a misspelt name, which has been told.
        let mut misspelt: Vec<&str> = Vec::new();
        let mut unknown: Vec<&str> = Vec::new();
        for (key, entry) in map.iter() {
            let Some(field) = fields.get(key) else {
                if self.strict && !open {
                    misspelt.extend(self.unknown_field(key, entry, fields, definition, map, path));
                    unknown.push(key);
                }
                continue;
            };
            if field.required && !entry.value.is_null() {
                required += 1;
            }
            // Go reads an empty string as an absent one, and the server fills in the default.
            if !field.required && entry.value.as_str() == Some("") && matches!(field.shape, Shape::String { .. }) {
                continue;
            }
            self.value(&field.shape, &entry.value, &path.key(key));
        }
        if required < fields.required() {
            for field in fields.iter().filter(|field| field.required && !misspelt.contains(&&*field.name)) {
                match map.get(&field.name) {
                    None if unknown.iter().any(|key| is_meant(key, &field.name)) => {}
                    // Fields of its value stand one level too high, and were told to belong in it.
                    None if !unknown.is_empty()
                        && self
                            .object_fields(&field.shape)
                            .is_some_and(|inner| unknown.iter().any(|key| inner.get(key).is_some())) => {}
                    // It was found deeper, and told to belong here.
                    None if path.is_root() && self.strict && self.is_misplaced(&field.name, map) => {}
                    None => self.missing_field(field, node, map, definition, path),
                    Some(entry) if entry.value.is_null() => self.null_field(field, entry, path),
                    Some(_) => {}
                }
            }
        }
    }

    /// Whether a field of the object stands in its metadata instead.
    fn is_misplaced(&self, name: &str, map: &Mapping) -> bool {
        let misplaced = map.get("metadata").and_then(|metadata| metadata.value.as_map()?.get(name));
        let is_told = |span: Span| {
            let at = |finding: &Diagnostic| finding.labels.first().is_some_and(|label| label.span == span);
            self.findings.iter().any(|finding| finding.code == Code::UnknownField && at(finding))
        };
        misplaced.is_some_and(|entry| is_told(entry.key_span))
    }

    fn width(&mut self, width: Width, number: i128, node: &Node, path: &Path<'_>) {
        let (least, most) = match width {
            Width::Int32 => (i128::from(i32::MIN), i128::from(i32::MAX)),
            Width::Int64 => (i128::from(i64::MIN), i128::from(i64::MAX)),
            Width::Any => return,
        };
        if !(least..=most).contains(&number) {
            let message = format!("`{path}` is out of range: {number} is not between {least} and {most}");
            self.push(Diagnostic::new(Code::OutOfRange, message).label(node.span, format!("at most {most}")));
        }
    }

    fn string(&mut self, format: Format, values: &[super::shape::Text], text: &str, node: &Node, path: &Path<'_>) {
        if !values.is_empty() && !values.iter().any(|value| value == text) {
            let list = words::alternatives(values.iter().map(|value| value.as_ref()));
            let mut finding = Diagnostic::new(Code::InvalidValue, format!("`{path}` cannot be `{text}`"))
                .label(node.span, format!("expected {list}"));
            if let Some(meant) = nearest(text, values.iter().map(|value| value.as_ref())) {
                finding = finding.hint(format!("did you mean `{meant}`?"));
            }
            self.push(finding);
        }
        match format {
            Format::Plain => {}
            Format::Byte => {
                if let Some(why) = scalar::base64_fault(text) {
                    let finding = Diagnostic::new(Code::InvalidFormat, format!("`{path}` is not base64: {why}"));
                    let hint = match path.steps().first() {
                        Some(Step::Key("data")) => "encode it, or write it as plain text under `stringData`",
                        _ => "encode it, for example with `base64`",
                    };
                    self.push(finding.label(node.span, "expected base64").hint(hint));
                }
            }
            Format::DateTime => {
                if !scalar::is_date_time(text) {
                    let message = format!("`{path}` is not a date and time: `{text}`");
                    let label = "expected RFC 3339, such as `2026-01-31T12:00:00Z`";
                    self.push(Diagnostic::new(Code::InvalidFormat, message).label(node.span, label));
                }
            }
        }
    }

    fn unique(&mut self, unique: &Unique, list: &[Node], path: &Path<'_>) {
        if list.len() < 2 || *unique == Unique::Nothing || differ(unique, list) {
            return;
        }
        let mut seen: HashMap<String, Span> = HashMap::with_capacity(list.len());
        for (at, item) in list.iter().enumerate() {
            let (identity, span) = match unique {
                Unique::Keys(keys) => {
                    let Some(identity) = list_key(keys.iter().map(|key| key.as_ref()), item) else { continue };
                    let span = item.get(&keys[0]).map_or(item.span, |value| value.span);
                    (identity, span)
                }
                _ => match scalar::text_of(item) {
                    Some(text) => (format!("`{text}`"), item.span),
                    None => continue,
                },
            };
            let Some(&first) = seen.get(&identity) else {
                seen.insert(identity, span);
                continue;
            };
            // The server itself compares the lists of custom resources.
            let lenient = !matches!(self.root, Shape::Custom(_))
                && (*unique == Unique::Items
                    || path.last_key().is_some_and(|key| LENIENT_LISTS.contains(&key))
                    || matches!(unique, Unique::Keys(keys) if keys[0] == "containerPort"));
            let code = if lenient { Code::ShadowedItem } else { Code::DuplicateItem };
            let place = path.index(at);
            let message = match lenient {
                true => format!("{identity} is there twice in `{path}`; the last one counts"),
                false => format!("{identity} is there twice in `{path}`"),
            };
            let finding = Diagnostic::new(code, message)
                .label(span, format!("again here, in `{place}`"))
                .label(first, "first here");
            self.push(finding);
        }
    }

    /// Tells a field that is not known; gives the absent one that is meant.
    fn unknown_field<'f>(
        &mut self,
        key: &str,
        entry: &Entry,
        fields: &'f Fields,
        definition: Option<&Definition>,
        map: &Mapping,
        path: &Path<'_>,
    ) -> Option<&'f str> {
        let place = if path.is_root() { "the object".to_owned() } else { format!("`{path}`") };
        let kind = definition.map_or(String::new(), |definition| format!(" of {}", definition.short_name()));
        let mut finding = Diagnostic::new(Code::UnknownField, format!("unknown field `{key}` in {place}"))
            .label(entry.key_span, format!("not a field{kind}"));
        let free = fields.iter().map(|field| field.name.as_ref()).filter(|name| !map.contains_key(name));
        let nearest_field =
            nearest(key, free.clone()).or_else(|| nearest(key, fields.iter().map(|field| field.name.as_ref())));
        if let Some(meant) = nearest_field {
            finding = finding.hint(if map.contains_key(meant) {
                format!("did you mean `{meant}`? That is there, too")
            } else {
                format!("did you mean `{meant}`?")
            });
        } else if let Some(now) = definition.and_then(|definition| moved(definition.name, key)) {
            finding = finding.hint(now);
        } else if let Some(home) = self.home_of(key, fields, path) {
            finding = finding.hint(format!("`{key}` belongs in {home}; check the indentation"));
        } else if fields.iter().len() <= 16 {
            let names = words::list(fields.iter().map(|field| field.name.as_ref()));
            finding = finding.hint(if names.is_empty() {
                "it has no fields".into()
            } else {
                format!("its fields are {names}")
            });
        }
        self.push(finding);
        nearest_field.filter(|meant| !map.contains_key(meant))
    }

    /// Where a field that is in the wrong place could belong: in an object around or below.
    fn home_of(&self, key: &str, fields: &Fields, path: &Path<'_>) -> Option<String> {
        let mut around = Vec::new();
        let mut shape = self.root;
        let mut name = String::new();
        for step in path.steps() {
            around.push((name.clone(), self.object_fields(shape)));
            shape = match step {
                Step::Root => shape,
                Step::Key(key) => {
                    let first = name.is_empty();
                    let _ = super::path::write_key(&mut name, key, first);
                    match self.resolved(shape) {
                        Shape::Object(fields) => &fields.get(key)?.shape,
                        Shape::Map(items) => items,
                        _ => return None,
                    }
                }
                Step::Index(at) => {
                    name += &format!("[{at}]");
                    match self.resolved(shape) {
                        Shape::List { items, .. } => items,
                        _ => return None,
                    }
                }
            };
        }
        let has = |fields: &Option<&Fields>| fields.is_some_and(|fields| fields.get(key).is_some());
        if let Some((name, _)) = around.iter().rev().find(|(_, fields)| has(fields)) {
            return Some(if name.is_empty() { "the object itself".to_owned() } else { format!("`{name}`") });
        }
        let mut level: Vec<(String, &Fields)> = vec![(name, fields)];
        for _ in 0..3 {
            let mut below = Vec::new();
            for (name, fields) in level {
                for field in fields.iter() {
                    let Some(inner) = self.object_fields(&field.shape) else { continue };
                    let mut name = name.clone();
                    let first = name.is_empty();
                    let _ = super::path::write_key(&mut name, &field.name, first);
                    if inner.get(key).is_some() {
                        return Some(format!("`{name}`"));
                    }
                    below.push((name, inner));
                }
            }
            level = below;
        }
        None
    }

    fn resolved<'s>(&self, shape: &'s Shape) -> &'s Shape {
        match shape {
            Shape::Ref(reference) => self.pool.resolve(reference).map_or(shape, |definition| &definition.shape),
            Shape::Custom(custom) => &custom.shape,
            other => other,
        }
    }

    fn object_fields<'s>(&self, shape: &'s Shape) -> Option<&'s Fields> {
        match self.resolved(shape) {
            Shape::Object(fields) => Some(fields),
            _ => None,
        }
    }

    fn missing_field(
        &mut self,
        field: &Field,
        node: &Node,
        map: &Mapping,
        definition: Option<&Definition>,
        path: &Path<'_>,
    ) {
        let name = &field.name;
        let place = if path.is_root() { "the object".to_owned() } else { format!("`{path}`") };
        let span = self.place_of(node, path);
        let kind = definition.map_or(String::new(), |definition| format!(" of {}", definition.short_name()));
        let mut finding = Diagnostic::new(Code::MissingField, format!("{place} has no `{name}`"))
            .label(span, format!("required field `{name}`{kind} is missing"))
            .hint(format!("add `{name}`: {}", words::describe(&field.shape, self.pool)));
        if let Some(near) = nearest(name, map.keys().map(|key| &**key))
            && near != name
        {
            finding = finding.hint(format!("or is `{near}` meant to be `{name}`?"));
        }
        self.push(finding);
    }

    fn null_field(&mut self, field: &Field, entry: &Entry, path: &Path<'_>) {
        let path = path.key(&field.name);
        let expected = words::describe(&field.shape, self.pool);
        let finding = Diagnostic::new(Code::MissingField, format!("`{path}` is required but empty"))
            .label(entry.key_span, format!("expected {expected}, found nothing"))
            .hint("if its value is on the next lines, indent them deeper than the key");
        self.push(finding);
    }

    /// Tells that a value is of the wrong type.
    pub fn mismatch(&mut self, shape: &Shape, node: &Node, path: &Path<'_>) {
        let expected = words::describe(shape, self.pool);
        let hint = self.type_hint(shape, node, path);
        self.wrong_type(&expected, node, path, hint);
    }

    pub fn wrong_type(&mut self, expected: &str, node: &Node, path: &Path<'_>, hint: Option<String>) {
        let found = words::found(node);
        let message = match path.is_root() {
            true => format!("the object must be {expected}, found {found}"),
            false => format!("`{path}` must be {expected}, found {found}"),
        };
        let mut finding = Diagnostic::new(Code::TypeMismatch, message)
            .label(first_line(node, self.sources), format!("expected {expected}"));
        if let Some(hint) = hint {
            finding = finding.hint(hint);
        }
        self.push(finding);
    }

    fn type_hint(&self, shape: &Shape, node: &Node, path: &Path<'_>) -> Option<String> {
        let written = self.written(node);
        let key = path.last_key().unwrap_or("…");
        match (self.resolved(shape), &node.data) {
            (Shape::String { .. }, Data::Bool(_)) => {
                Some(format!("YAML reads `{written}` as a boolean; write `\"{written}\"` in quotes"))
            }
            (Shape::String { .. }, Data::Int(_) | Data::Uint(_) | Data::Float(_)) => {
                Some(format!("YAML reads `{written}` as a number; write `\"{written}\"` in quotes"))
            }
            (Shape::Integer(_) | Shape::Number | Shape::Boolean, Data::Str(text)) => {
                let fits = match shape {
                    Shape::Boolean => matches!(&**text, "true" | "false"),
                    Shape::Number => text.parse::<f64>().is_ok(),
                    _ => text.parse::<i64>().is_ok(),
                };
                fits.then(|| format!("write `{text}` without quotes"))
            }
            (Shape::List { items, .. }, Data::Map(map)) => match (self.resolved(items), map.first()) {
                (Shape::Object(fields), Some((first, entry)))
                    if fields.get(first).is_none() && fields.get("name").is_some() =>
                {
                    let value = if fields.get("value").is_some() && scalar::text_of(&entry.value).is_some() {
                        ", value: …"
                    } else {
                        ", …"
                    };
                    Some(format!("write a list of entries such as `- {{name: {first}{value}}}`"))
                }
                (_, Some((first, _))) => Some(format!("start each entry with a dash: `- {first}: …`")),
                _ => Some("an empty list is `[]`".to_owned()),
            },
            (Shape::List { items, .. }, Data::Str(_) | Data::Int(_) | Data::Bool(_))
                if matches!(self.resolved(items), Shape::String { .. } | Shape::Integer(_)) =>
            {
                let words: Vec<&str> = match key {
                    "command" | "args" if !written.contains(['"', '\'']) => written.split_whitespace().collect(),
                    _ => vec![written],
                };
                Some(format!("write a list: `{key}: [{}]`", words.join(", ")))
            }
            (Shape::Object(_) | Shape::Map(_), Data::Seq(_)) => {
                Some("write `key: value` lines without dashes".to_owned())
            }
            (Shape::Map(_), Data::Str(_)) => Some("write `key: value` lines below it".to_owned()),
            _ => None,
        }
    }
}

/// Whether an unknown field may well be meant for another one: `cmd` for `command`, `name` for `claimName`.
pub(super) fn is_meant(unknown: &str, field: &str) -> bool {
    let (unknown, field) = (unknown.to_ascii_lowercase(), field.to_ascii_lowercase());
    let shared = unknown.bytes().zip(field.bytes()).take_while(|(a, b)| a == b).count();
    let mut rest = field.chars();
    let abbreviated = unknown.len() >= 3 && unknown.chars().all(|char| rest.any(|other| other == char));
    let starts = unknown.bytes().next() == field.bytes().next();
    unknown != field && (shared >= 6 || field.ends_with(&unknown) || abbreviated && starts)
        || nearest(&unknown, [field.as_str()]).is_some() && unknown != field
}

/// Whether the items of a short list clearly differ, as nearly all do: by their first key, or by themselves.
fn differ(unique: &Unique, list: &[Node]) -> bool {
    let first = |item| match unique {
        Unique::Keys(keys) => Node::get(item, keys.first()?),
        _ => Some(item),
    };
    let differ = |a: &Node, b: &Node| match (&a.data, &b.data) {
        (Data::Str(a), Data::Str(b)) => a != b,
        (Data::Int(a), Data::Int(b)) => a != b,
        _ => false,
    };
    list.len() <= 16
        && list.iter().enumerate().all(|(at, item)| {
            let earlier = || list[..at].iter().map(first);
            first(item).is_some_and(|own| earlier().all(|earlier| earlier.is_some_and(|earlier| differ(earlier, own))))
        })
}

/// What identifies an item of a list-map: `name `web``.
fn list_key<'k>(keys: impl Iterator<Item = &'k str>, item: &Node) -> Option<String> {
    let mut identity = String::new();
    for key in keys {
        let value = match item.get(key).and_then(scalar::text_of) {
            Some(value) => value,
            None => KEY_DEFAULTS.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).into())?,
        };
        if !identity.is_empty() {
            identity += ", ";
        }
        identity += &format!("{key} `{value}`");
    }
    Some(identity)
}

/// The place of a value, at most its first line: a block under a wrong type may be long.
pub(super) fn first_line(node: &Node, sources: &Sources) -> Span {
    let line = sources.slice(node.span).find('\n');
    line.map_or(node.span, |at| Span { end: node.span.start + at as u32, ..node.span })
}
