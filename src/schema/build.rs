//! Makes the embedded bundle from the schemas that the PyPI package `kubernetes-validate` ships: one folder per
//! Kubernetes version (`v1.31.0-local`), in it `_definitions.json`.

use super::compact;
use super::enums::{Corrections, Miner};
use super::shape::{Field, Fields, Format, Ref, Shape, Text, Unique, Width};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The files of the bundle.
#[derive(Debug)]
pub struct Built {
    pub definitions: String,
    pub kinds: String,
    /// The values that were read from descriptions and corrections, for review.
    pub enums: String,
}

/// Kinds whose objects nobody writes to a file; they are registered in every group.
const NOT_OBJECTS: &[&str] = &["DeleteOptions", "WatchEvent", "Status"];

/// Kinds that are nothing without a `spec`, though no version of the schemas requires it.
const SPEC_REQUIRED: &[&str] = &[
    "core.v1.Pod",
    "core.v1.Service",
    "core.v1.PersistentVolume",
    "core.v1.PersistentVolumeClaim",
    "batch.v1.Job",
    "networking.v1.Ingress",
    "autoscaling.v2beta2.HorizontalPodAutoscaler",
];

/// Builds the bundle from `(minor, _definitions.json)`, oldest first.
pub fn build(sources: &[(u16, Value)], corrections: &Corrections) -> Result<Built, String> {
    let (Some((oldest, _)), Some((newest, _))) = (sources.first(), sources.last()) else {
        return Err("no versions".to_owned());
    };
    if usize::from(newest - oldest) + 1 != sources.len() || sources.len() > 32 {
        return Err("the versions must be at most 32 minors without a gap".to_owned());
    }
    let mut builder = Builder { miner: Miner::default(), corrections, enums: BTreeMap::new() };
    let mut lines: BTreeMap<String, Vec<(String, u32)>> = BTreeMap::new();
    let mut kinds: BTreeMap<String, (String, u32)> = BTreeMap::new();
    let spec_required = spec_required(sources);
    for (at, (minor, source)) in sources.iter().enumerate() {
        let bit = 1u32 << at;
        let definitions = definitions_of(source)?;
        let mut reached = BTreeSet::new();
        for (name, schema) in definitions {
            for (key, kind) in kinds_of(schema) {
                if NOT_OBJECTS.contains(&kind.as_str()) {
                    continue;
                }
                let name = short(name);
                let entry = kinds.entry(key.clone()).or_insert_with(|| (name.clone(), 0));
                if entry.0 != name {
                    return Err(format!("{key} is {} in one version and {name} in 1.{minor}", entry.0));
                }
                entry.1 |= bit;
                reached.insert(name);
            }
        }
        let by_name = by_short_name(definitions)?;
        let mut open: Vec<String> = reached.iter().cloned().collect();
        while let Some(name) = open.pop() {
            let schema = by_name.get(&name).ok_or_else(|| format!("1.{minor} has no definition {name}"))?;
            let mut shape = builder.shape(schema, Place { definitions: &by_name, name: &name, field: "" })?;
            if spec_required.contains(&name) {
                shape = require(shape, "spec");
            }
            let mut text = String::new();
            compact::write(&shape, &mut text)
                .ok_or_else(|| format!("{name} has a character that the form reserves"))?;
            for reference in references(&shape) {
                if reached.insert(reference.clone()) {
                    open.push(reference);
                }
            }
            let variants = lines.entry(name).or_default();
            match variants.iter_mut().find(|(known, _)| *known == text) {
                Some((_, mask)) => *mask |= bit,
                None => variants.push((text, bit)),
            }
        }
    }
    let mut definitions = format!("!\t{oldest}\t{newest}\n");
    for (name, variants) in &lines {
        for (text, mask) in variants {
            definitions += &format!("{name}\t{mask:x}\t{text}\n");
        }
    }
    let kinds = kinds.iter().map(|(key, (name, mask))| format!("{key}\t{mask:x}\t{name}\n")).collect();
    let enums = builder.enums.iter().map(|(field, values)| format!("{field}\t{values}\n")).collect();
    Ok(Built { definitions, kinds, enums })
}

fn definitions_of(source: &Value) -> Result<&Map<String, Value>, String> {
    source.get("$defs").and_then(Value::as_object).ok_or_else(|| "`_definitions.json` has no `$defs`".to_owned())
}

/// The last three parts of a definition's name: `core.v1.Container`.
pub fn short(name: &str) -> String {
    let start = name.rmatch_indices('.').nth(2).map_or(0, |(at, _)| at + 1);
    name[start..].to_owned()
}

fn by_short_name(definitions: &Map<String, Value>) -> Result<BTreeMap<String, &Value>, String> {
    let mut by_name = BTreeMap::new();
    for (name, schema) in definitions {
        if by_name.insert(short(name), schema).is_some() {
            return Err(format!("two definitions are called {}", short(name)));
        }
    }
    Ok(by_name)
}

/// `apps/v1/Deployment` and `Deployment` for each group, version and kind of a definition.
fn kinds_of(schema: &Value) -> Vec<(String, String)> {
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let entries = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
    entries
        .into_iter()
        .flatten()
        .map(|entry| {
            let (group, version, kind) = (text(entry, "group"), text(entry, "version"), text(entry, "kind"));
            let key = if group.is_empty() { format!("{version}/{kind}") } else { format!("{group}/{version}/{kind}") };
            (key, kind)
        })
        .collect()
}

/// Root definitions that some version, or [`SPEC_REQUIRED`], says need a `spec`.
fn spec_required(sources: &[(u16, Value)]) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = SPEC_REQUIRED.iter().map(|&name| name.to_owned()).collect();
    // A kind that lost the requirement again (resource.k8s.io in 1.37) was not wrong to have it.
    if let Some((_, newest)) = sources.last() {
        for (name, schema) in newest.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            let required = schema.get("required").and_then(Value::as_array);
            let needs_spec = required.is_some_and(|fields| fields.iter().any(|field| field == "spec"));
            if needs_spec && !kinds_of(schema).is_empty() {
                names.insert(short(name));
            }
        }
    }
    names
}

fn require(shape: Shape, name: &str) -> Shape {
    let Shape::Object(fields) = shape else { return shape };
    let fields = fields.iter().cloned().map(|mut field| {
        field.required |= field.name == name;
        field
    });
    Shape::Object(Fields::new(fields.collect()))
}

fn references(shape: &Shape) -> Vec<String> {
    match shape {
        Shape::Ref(reference) => vec![reference.name.clone().into_owned()],
        Shape::List { items, .. } | Shape::Map(items) => references(items),
        Shape::Object(fields) => fields.iter().flat_map(|field| references(&field.shape)).collect(),
        _ => Vec::new(),
    }
}

struct Builder<'a> {
    miner: Miner,
    corrections: &'a Corrections,
    enums: BTreeMap<String, String>,
}

/// Where a schema stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    definitions: &'a BTreeMap<String, &'a Value>,
    name: &'a str,
    field: &'a str,
}

impl Builder<'_> {
    fn shape(&mut self, schema: &Value, place: Place<'_>) -> Result<Shape, String> {
        let wrong = |what: &str| format!("{} {}: {what}", place.name, place.field);
        let object = schema.as_object().ok_or_else(|| wrong("a schema must be an object"))?;
        for keyword in object.keys() {
            let known = [
                "description",
                "type",
                "$ref",
                "properties",
                "items",
                "required",
                "enum",
                "format",
                "additionalProperties",
                "oneOf",
                "x-kubernetes-group-version-kind",
                "x-kubernetes-list-map-keys",
                "x-kubernetes-list-type",
                "x-kubernetes-map-type",
                "x-kubernetes-patch-merge-key",
                "x-kubernetes-patch-strategy",
                "x-kubernetes-unions",
            ];
            if !known.contains(&keyword.as_str()) {
                return Err(wrong(&format!("unknown keyword `{keyword}`")));
            }
        }
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            return self.reference(&short(reference.rsplit('/').next().unwrap_or_default()), place);
        }
        // Null satisfies both branches of the source's `oneOf`, which would refuse it.
        if let Some(branches) = object.get("oneOf").and_then(Value::as_array) {
            let types: Vec<_> = branches.iter().filter_map(type_of).collect();
            return match types[..] {
                ["string", "integer"] => Ok(Shape::IntOrString),
                ["string", "number"] => Ok(Shape::Quantity),
                _ => Err(wrong("unknown `oneOf`")),
            };
        }
        let Some(kind) = type_of(schema) else {
            return if object.keys().all(|key| key == "description") { Ok(Shape::Any) } else { Err(wrong("no type")) };
        };
        let format = object.get("format").and_then(Value::as_str);
        Ok(match (kind, format) {
            ("boolean", None) => Shape::Boolean,
            ("number", None | Some("double")) => Shape::Number,
            ("integer", None) => Shape::Integer(Width::Any),
            ("integer", Some("int32")) => Shape::Integer(Width::Int32),
            ("integer", Some("int64")) => Shape::Integer(Width::Int64),
            ("string", None) => Shape::String { format: Format::Plain, values: self.values(object, place) },
            ("string", Some("byte")) => Shape::String { format: Format::Byte, values: Vec::new() },
            ("string", Some("date-time")) => Shape::String { format: Format::DateTime, values: Vec::new() },
            ("array", None) => self.list(object, place)?,
            ("object", None) => self.object(object, place)?,
            _ => return Err(wrong(&format!("unknown type {kind} with format {format:?}"))),
        })
    }

    /// A definition that is not an object is written out where it is used.
    fn reference(&mut self, name: &str, place: Place<'_>) -> Result<Shape, String> {
        let target = place.definitions.get(name).ok_or_else(|| format!("{}: no definition {name}", place.name))?;
        if target.get("properties").is_some() {
            return Ok(Shape::Ref(Ref::new(name.to_owned())));
        }
        self.shape(target, Place { name, field: "", ..place })
    }

    fn list(&mut self, object: &Map<String, Value>, place: Place<'_>) -> Result<Shape, String> {
        let items =
            object.get("items").ok_or_else(|| format!("{} {}: a list without items", place.name, place.field))?;
        let mut items = self.shape(items, place)?;
        // Lists of strings have the allowed values in the description of the list.
        if let Shape::String { format: Format::Plain, values } = &mut items
            && values.is_empty()
        {
            *values = self.values(object, place);
        }
        let keys = object.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
        let unique = match object.get("x-kubernetes-list-type").and_then(Value::as_str) {
            None | Some("atomic") => Unique::Nothing,
            Some("set") => Unique::Items,
            Some("map") => {
                let keys = keys.into_iter().flatten().filter_map(Value::as_str);
                Unique::Keys(keys.map(|key| Text::Owned(key.to_owned())).collect())
            }
            Some(other) => return Err(format!("{} {}: unknown list type {other}", place.name, place.field)),
        };
        Ok(Shape::List { items: Box::new(items), unique })
    }

    fn object(&mut self, object: &Map<String, Value>, place: Place<'_>) -> Result<Shape, String> {
        if let Some(items) = object.get("additionalProperties") {
            return Ok(Shape::Map(Box::new(self.shape(items, place)?)));
        }
        let Some(properties) = object.get("properties").and_then(Value::as_object) else { return Ok(Shape::AnyObject) };
        let required: Vec<_> =
            object.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut fields = Vec::with_capacity(properties.len());
        for (name, schema) in properties {
            let shape = self.shape(schema, Place { field: name, ..place })?;
            fields.push(Field { name: Text::Owned(name.clone()), required: required.contains(&name.as_str()), shape });
        }
        Ok(Shape::Object(Fields::new(fields)))
    }

    /// The values that a string field allows, from its description or the corrections.
    fn values(&mut self, object: &Map<String, Value>, place: Place<'_>) -> Vec<Text> {
        // `apiVersion` and `kind` of an object have its own as `enum`; the kind is known before the shape is.
        if object.contains_key("enum") || place.field.is_empty() {
            return Vec::new();
        }
        let (values, source) = match self.corrections.of(place.name, place.field) {
            Some(values) => (values.to_vec(), "correction"),
            None if place.name.ends_with("Status") || place.name.ends_with("Condition") => return Vec::new(),
            None => {
                let description = object.get("description").and_then(Value::as_str).unwrap_or_default();
                (self.miner.mine(description), "description")
            }
        };
        if !values.is_empty() {
            let line = format!("{}\t{source}", values.join("|"));
            self.enums.insert(format!("{}.{}", place.name, place.field), line);
        }
        values.into_iter().map(Text::Owned).collect()
    }
}

/// The type of a schema besides null.
fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => None,
    }
}
