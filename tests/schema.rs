//! The embedded bundle against the data that it is made from.

use crate::support::{Folder, root, skip, tool};
use chart::diagnostic::Sources;
use chart::schema::{
    Checker, Fields, Format, KubeVersion, Options, Shape, Unique, Width, definitions, read_shape, write_shape,
};
use chart::yaml;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

/// The folder of schemas in the PyPI package `kubernetes-validate`.
#[track_caller]
fn source() -> Option<PathBuf> {
    let python = tool("python3")?;
    let script = "import kubernetes_validate as k, os; print(os.path.join(k.__path__[0], 'kubernetes-json-schema'))";
    let output = Command::new(python).args(["-c", script]).output().ok()?;
    if !output.status.success() {
        skip("the PyPI package `kubernetes-validate` is not installed");
        return None;
    }
    Some(PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim()))
}

#[test]
fn the_bundle_is_what_the_command_makes_of_the_source() {
    let Some(source) = source() else { return };
    let to = root().join("schemas");
    let arguments = ["schemas", "build", "--check", "--from", &source.to_string_lossy(), "--to", &to.to_string_lossy()];
    Folder::new().run_args(arguments).ok();
}

#[test]
fn the_command_tells_a_difference() {
    let Some(source) = source() else { return };
    let folder = Folder::new().copy("schemas", "schemas");
    let text = folder.read("schemas/kinds.txt").replacen("Deployment", "Deploymnt", 1);
    folder.write("schemas/kinds.txt", text);
    let run = folder.run_args(["schemas", "build", "--check", "--from", &source.to_string_lossy()]).fails(1);
    assert_eq!(run.stderr, "schemas/kinds.txt is not what `chart schemas build` writes\n");
}

#[test]
fn every_line_reads_and_writes_to_itself_and_refers_to_what_is_there() {
    let mut masks: BTreeMap<&str, u32> = BTreeMap::new();
    let mut last = "";
    for (name, mask, _) in definitions() {
        assert!(last <= name, "{name} is out of order");
        last = name;
        let known = masks.entry(name).or_default();
        assert_eq!(*known & mask, 0, "{name} has two variants in one version");
        *known |= mask;
    }
    for (name, mask, text) in definitions() {
        let shape = read_shape(text).unwrap_or_else(|| panic!("{name} does not parse: {text}"));
        let mut again = String::new();
        write_shape(&shape, &mut again).expect("writable");
        assert_eq!(again, text, "{name}");
        for reference in references(&shape) {
            let there = masks.get(&*reference).copied().unwrap_or_default();
            assert_eq!(there & mask, mask, "{name} refers to {reference}, which some version does not have");
        }
    }
    assert!(masks.len() > 900, "only {} definitions", masks.len());
}

fn references(shape: &Shape) -> Vec<String> {
    match shape {
        Shape::Ref(reference) => vec![reference.name.to_string()],
        Shape::List { items, .. } | Shape::Map(items) => references(items),
        Shape::Object(fields) => fields.iter().flat_map(|field| references(&field.shape)).collect(),
        _ => Vec::new(),
    }
}

/// Writes every definition of every version back as JSON Schema and compares with the source, without what the
/// bundle leaves out. Only additions are allowed: values from descriptions, a required `spec`.
#[test]
fn every_definition_of_every_version_comes_back() {
    let Some(source) = source() else { return };
    let mut compared = 0;
    for (at, version) in KubeVersion::all().enumerate() {
        let path = source.join(format!("v{version}.0-local/_definitions.json"));
        let text = std::fs::read_to_string(path).expect("readable source");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let all: BTreeMap<String, &Value> = document["$defs"]
            .as_object()
            .expect("definitions")
            .iter()
            .map(|(name, schema)| (short(name), schema))
            .collect();
        let ours: BTreeMap<&str, &str> =
            definitions().filter(|(_, mask, _)| mask >> at & 1 == 1).map(|(name, _, text)| (name, text)).collect();
        let reachable = reachable(&all);
        let names: BTreeSet<String> = ours.keys().map(|name| (*name).to_owned()).collect();
        assert_eq!(names, reachable, "Kubernetes {version}");
        for (name, text) in ours {
            let written = json_of(&read_shape(text).expect("parses"), false);
            let mut expected = stripped(all[name], &all, false);
            if written["required"].as_array().is_some_and(|fields| fields.contains(&json!("spec"))) {
                let required = expected.as_object_mut().expect("an object").entry("required").or_insert(json!([]));
                let required = required.as_array_mut().expect("a list");
                if !required.contains(&json!("spec")) {
                    required.push(json!("spec"));
                    required.sort_by_key(Value::to_string);
                    let spec = expected["properties"]["spec"].as_object_mut().expect("spec");
                    assert!(spec.contains_key("$ref"), "{name}");
                }
            }
            assert_eq!(written, expected, "Kubernetes {version}, {name}");
            compared += 1;
        }
    }
    assert!(compared > 6000, "only {compared} definitions were compared");
}

fn short(name: &str) -> String {
    let parts: Vec<&str> = name.rsplitn(4, '.').take(3).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(".")
}

/// The definitions with properties that some kind of object reaches.
fn reachable(all: &BTreeMap<String, &Value>) -> BTreeSet<String> {
    let is_kind = |schema: &Value| {
        schema["x-kubernetes-group-version-kind"].as_array().is_some_and(|kinds| {
            kinds.iter().any(|kind| {
                !["DeleteOptions", "WatchEvent", "Status"].contains(&kind["kind"].as_str().unwrap_or_default())
            })
        })
    };
    let mut open: Vec<String> =
        all.iter().filter(|(_, schema)| is_kind(schema)).map(|(name, _)| name.clone()).collect();
    let mut reached: BTreeSet<String> = open.iter().cloned().collect();
    while let Some(name) = open.pop() {
        let mut found = Vec::new();
        collect_references(all[&name], &mut found);
        for name in found {
            if all[&name]["properties"].is_object() && reached.insert(name.clone()) {
                open.push(name);
            }
        }
    }
    reached
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                found.push(short(reference.trim_start_matches("#/$defs/")));
            }
            map.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

/// A schema of the source in the subset that the bundle keeps, keys and lists sorted.
fn stripped(schema: &Value, all: &BTreeMap<String, &Value>, required: bool) -> Value {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => {
            let name = short(reference.trim_start_matches("#/$defs/"));
            if all[&name]["properties"].is_object() {
                return json!({ "$ref": name });
            }
            // The definition allows null; as a required field it does not.
            let mut written_out = stripped(all[&name], all, false);
            if let (true, Some([kind, Value::String(null)])) =
                (required, written_out["type"].as_array().map(Vec::as_slice))
                && null == "null"
            {
                written_out["type"] = kind.clone();
            }
            return written_out;
        }
        None => schema,
    };
    if let Some(branches) = schema["oneOf"].as_array() {
        let second = &branches[1]["type"][0];
        return json!({ "type": ["string", second, "null"] });
    }
    let mut kept = Map::new();
    if let Some(kind) = schema.get("type") {
        let names: Vec<Value> = kind.as_array().cloned().unwrap_or_else(|| vec![kind.clone()]);
        assert_eq!(names.len() == 1, required, "null is allowed exactly where a field is not required: {schema}");
        kept.insert("type".into(), kind.clone());
    }
    if let Some(format) = schema.get("format").filter(|format| *format != "double") {
        kept.insert("format".into(), format.clone());
    }
    let required_fields: BTreeSet<String> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect();
    if let Some(properties) = schema["properties"].as_object() {
        let properties = properties
            .iter()
            .map(|(name, schema)| (name.clone(), stripped(schema, all, required_fields.contains(name))));
        kept.insert("properties".into(), Value::Object(sorted(properties.collect())));
    }
    if !required_fields.is_empty() {
        kept.insert("required".into(), json!(required_fields));
    }
    for keyword in ["items", "additionalProperties"] {
        let Some(inner) = schema.get(keyword) else { continue };
        // Two lists in CustomResourceDefinition alone refuse null items; the bundle does not know that.
        let plain = inner["type"].is_string();
        let mut inner = stripped(inner, all, plain);
        if plain {
            inner["type"] = json!([inner["type"], "null"]);
        }
        kept.insert(keyword.into(), inner);
    }
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => drop(kept.insert("unique".into(), json!(true))),
        Some("map") => drop(kept.insert("keys".into(), schema["x-kubernetes-list-map-keys"].clone())),
        _ => {}
    }
    Value::Object(kept)
}

fn sorted(entries: Vec<(String, Value)>) -> Map<String, Value> {
    entries.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect()
}

/// A shape as JSON Schema in the same subset.
fn json_of(shape: &Shape, required: bool) -> Value {
    let kind = |name: &str| if required { json!(name) } else { json!([name, "null"]) };
    match shape {
        Shape::Any => json!({}),
        Shape::AnyObject => json!({ "type": kind("object") }),
        Shape::Boolean => json!({ "type": kind("boolean") }),
        Shape::Number => json!({ "type": kind("number") }),
        Shape::Integer(Width::Any) => json!({ "type": kind("integer") }),
        Shape::Integer(Width::Int32) => json!({ "type": kind("integer"), "format": "int32" }),
        Shape::Integer(Width::Int64) => json!({ "type": kind("integer"), "format": "int64" }),
        Shape::String { format: Format::Plain, .. } => json!({ "type": kind("string") }),
        Shape::String { format: Format::Byte, .. } => json!({ "type": kind("string"), "format": "byte" }),
        Shape::String { format: Format::DateTime, .. } => json!({ "type": kind("string"), "format": "date-time" }),
        Shape::IntOrString => json!({ "type": ["string", "integer", "null"] }),
        Shape::Quantity => json!({ "type": ["string", "number", "null"] }),
        Shape::Map(items) => json!({ "type": kind("object"), "additionalProperties": json_of(items, false) }),
        Shape::List { items, unique } => {
            let mut schema = json!({ "type": kind("array"), "items": json_of(items, false) });
            match unique {
                Unique::Nothing => {}
                Unique::Items => schema["unique"] = json!(true),
                Unique::Keys(keys) => schema["keys"] = json!(keys),
            }
            schema
        }
        Shape::Object(fields) => object(fields, required),
        Shape::Ref(reference) => json!({ "$ref": reference.name }),
        Shape::Custom(_) => unreachable!("the bundle has no custom resources"),
    }
}

fn object(fields: &Fields, required: bool) -> Value {
    let mut schema = json!({ "type": if required { json!("object") } else { json!(["object", "null"]) } });
    let properties = fields.iter().map(|field| (field.name.to_string(), json_of(&field.shape, field.required)));
    schema["properties"] = Value::Object(sorted(properties.collect()));
    let names: BTreeSet<&str> = fields.iter().filter(|field| field.required).map(|field| &*field.name).collect();
    if !names.is_empty() {
        schema["required"] = json!(names);
    }
    schema
}

/// Reads what a file says about itself: `# !code !code` behind a line means that these findings start there.
fn expected(text: &str) -> Vec<(usize, String)> {
    let mut expected = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((_, comment)) = line.split_once("# !") else { continue };
        expected.extend(comment.split_whitespace().map(|code| (at + 1, code.trim_start_matches('!').to_owned())));
    }
    expected.sort();
    expected
}

/// Checks every file of a folder and compares the findings with its notes.
#[track_caller]
fn check_notes(folder: &str) {
    let mut files: Vec<_> =
        std::fs::read_dir(root().join(folder)).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    let mut wrong = String::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("readable");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let mut sources = Sources::default();
        let file = sources.add(name.clone(), text.as_str());
        let documents = yaml::read(&text, file).complete().expect("YAML");
        let findings = Checker::new(Options::default()).check(&documents, &sources, |_| Vec::new());
        let mut found: Vec<_> = findings
            .iter()
            .map(|finding| {
                let span = finding.labels.first().expect("a place").span;
                (sources.position(file, span.start).line, finding.code.as_str().to_owned())
            })
            .collect();
        found.sort();
        let expected = expected(&text);
        let mut missing = expected.clone();
        for finding in &found {
            match missing.iter().position(|wanted| wanted == finding) {
                Some(at) => drop(missing.remove(at)),
                None => wrong += &format!("{name}:{}: unexpected {}\n", finding.0, finding.1),
            }
        }
        missing.iter().for_each(|(line, code)| wrong += &format!("{name}:{line}: missing {code}\n"));
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn rules_find_what_the_notes_say() {
    check_notes("testdata/schema/rules");
}

#[test]
fn custom_resources_are_checked_as_the_notes_say() {
    check_notes("testdata/schema/custom");
}
