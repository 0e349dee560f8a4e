//! `Chart.yaml` as Helm writes it into registries, indexes and signatures.

use crate::chart::{Dependency, ImportValues, Maintainer, Metadata};
use crate::value::Value;
use crate::value::json::from_json_exact;
use crate::yaml;
use serde_json::{Map, Value as Json};

/// The metadata as JSON: Helm's field names, in the order of its Go struct, empty fields left out.
pub fn metadata_json(metadata: &Metadata) -> Map<String, Json> {
    let mut fields = Map::new();
    text(&mut fields, "name", &metadata.name);
    text(&mut fields, "home", &metadata.home);
    list(&mut fields, "sources", metadata.sources.iter().map(|source| source.as_str().into()));
    text(&mut fields, "version", &metadata.version);
    text(&mut fields, "description", &metadata.description);
    list(&mut fields, "keywords", metadata.keywords.iter().map(|keyword| keyword.as_str().into()));
    list(&mut fields, "maintainers", metadata.maintainers.iter().map(maintainer));
    text(&mut fields, "icon", &metadata.icon);
    text(&mut fields, "apiVersion", &metadata.api_version);
    text(&mut fields, "condition", &metadata.condition);
    text(&mut fields, "tags", &metadata.tags);
    text(&mut fields, "appVersion", &metadata.app_version);
    if metadata.deprecated {
        fields.insert("deprecated".to_owned(), true.into());
    }
    if !metadata.annotations.is_empty() {
        // Go writes maps by key.
        let mut annotations: Vec<_> = metadata.annotations.iter().collect();
        annotations.sort();
        let annotations = annotations.into_iter().map(|(key, value)| (key.clone(), value.as_str().into()));
        fields.insert("annotations".to_owned(), Json::Object(annotations.collect()));
    }
    text(&mut fields, "kubeVersion", &metadata.kube_version);
    list(&mut fields, "dependencies", metadata.dependencies.iter().map(dependency_json));
    text(&mut fields, "type", &metadata.kind);
    fields
}

/// JSON as YAML in Helm's style, without the final line break.
pub fn yaml_of(json: &Json) -> Result<String, String> {
    yaml::to_yaml(&value_of(json)?)
}

/// JSON as a value whose numbers are exact.
pub fn value_of(json: &Json) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => from_json_exact(&number.to_string())?,
        Json::String(text) => Value::str(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(value_of).collect::<Result<_, _>>()?),
        Json::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| Ok((key.as_str(), value_of(value)?)));
            Value::map(fields.collect::<Result<Vec<_>, String>>()?)
        }
    })
}

fn maintainer(maintainer: &Maintainer) -> Json {
    let mut fields = Map::new();
    text(&mut fields, "name", &maintainer.name);
    text(&mut fields, "email", &maintainer.email);
    text(&mut fields, "url", &maintainer.url);
    Json::Object(fields)
}

/// An entry of `dependencies:` as JSON. Name and repository are there even if they are empty.
pub fn dependency_json(dependency: &Dependency) -> Json {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), dependency.name.as_str().into());
    text(&mut fields, "version", &dependency.version);
    fields.insert("repository".to_owned(), dependency.repository.as_str().into());
    text(&mut fields, "condition", &dependency.condition);
    list(&mut fields, "tags", dependency.tags.iter().map(|tag| tag.as_str().into()));
    if dependency.enabled {
        fields.insert("enabled".to_owned(), true.into());
    }
    list(&mut fields, "import-values", dependency.import_values.iter().map(import_values));
    text(&mut fields, "alias", &dependency.alias);
    Json::Object(fields)
}

fn import_values(import: &ImportValues) -> Json {
    match import {
        ImportValues::Export(name) => name.as_str().into(),
        ImportValues::Copy { child, parent } => serde_json::json!({ "child": child, "parent": parent }),
    }
}

fn text(fields: &mut Map<String, Json>, key: &str, value: &str) {
    if !value.is_empty() {
        fields.insert(key.to_owned(), value.into());
    }
}

fn list(fields: &mut Map<String, Json>, key: &str, items: impl Iterator<Item = Json>) {
    let items: Vec<Json> = items.collect();
    if !items.is_empty() {
        fields.insert(key.to_owned(), Json::Array(items));
    }
}
