//! The data that a template file starts with: `.Values`, `.Chart`, `.Release` and the rest.

use super::objects;
use crate::chart::{Dependency, File, ImportValues, Metadata};
use crate::template::{Project, Scope};
use crate::value::{Entries, List, Map, MapKind, Value};
use crate::yaml::{self, Numbers, Tags};
use std::sync::Arc;

/// The root context of each scope. Those of one chart's templates are one map, as in Helm: what a template sets in
/// it, later ones see.
pub(super) fn contexts(project: &Project, tags: &mut Tags) -> Vec<Map> {
    let values = yaml::value(&project.values, Numbers::Go, tags).as_map().cloned().unwrap_or_default();
    let release = release(project);
    let capabilities = objects::capabilities(&project.context.capabilities);
    let mut contexts: Vec<Map> = Vec::with_capacity(project.scopes.len());
    for scope in &project.scopes {
        let values = match scope.parent {
            None => values.clone(),
            Some(parent) => values_below(&contexts[parent], scope),
        };
        let context = Map::with(MapKind::Values, Entries::default(), 0);
        context.insert("Chart".into(), chart(&scope.metadata, scope.parent.is_none()));
        context.insert("Files".into(), files(scope));
        context.insert("Release".into(), release.clone());
        context.insert("Capabilities".into(), capabilities.clone());
        context.insert("Values".into(), Value::Map(values.as_kind(MapKind::Values)));
        context.insert("Subcharts".into(), Value::Map(Map::default()));
        contexts.push(context);
    }
    for (scope, context) in project.scopes.iter().zip(&contexts) {
        let Some(Value::Map(subcharts)) = context.get("Subcharts") else { continue };
        for &child in &scope.children {
            let context = contexts[child].as_kind(MapKind::Any);
            subcharts.insert(project.scopes[child].name.clone(), Value::Map(context));
        }
    }
    contexts
}

/// The values of a subchart in its parent's: the very same map. Helm takes the name for a path.
fn values_below(parent: &Map, scope: &Scope) -> Map {
    let mut found = parent.get("Values");
    for name in scope.name.split('.') {
        found = found.and_then(|value| value.as_map()?.get(name));
    }
    match found {
        Some(Value::Map(map)) => map,
        _ => Map::default(),
    }
}

fn release(project: &Project) -> Value {
    let release = &project.context.release;
    Value::map([
        ("Name", Value::from(release.name.as_str())),
        ("Namespace", release.namespace.as_str().into()),
        ("IsUpgrade", release.is_upgrade.into()),
        ("IsInstall", (!release.is_upgrade).into()),
        ("Revision", Value::Int(release.revision)),
        ("Service", release.service.as_str().into()),
    ])
}

fn files(scope: &Scope) -> Value {
    let files = Arc::clone(&scope.files);
    let entry = |file: &File| (Arc::clone(&file.path), Value::Bytes(Arc::clone(file.data())));
    Value::Map(Map::later(MapKind::Files, move || files.iter().map(entry).collect()))
}

fn strings(texts: &[String]) -> Value {
    Value::list(texts.iter().map(|text| text.as_str().into()).collect())
}

fn chart(metadata: &Metadata, is_root: bool) -> Value {
    let maintainers = metadata.maintainers.iter().map(|one| {
        let fields = [("Name", &one.name), ("Email", &one.email), ("URL", &one.url)];
        Value::map(fields.map(|(name, text)| (name, Value::from(text.as_str()))))
    });
    let annotations = match metadata.declares_annotations {
        false => Map::nil(MapKind::Str),
        true => {
            let entries = metadata.annotations.iter().map(|(key, text)| (key.as_str().into(), text.as_str().into()));
            Map::with(MapKind::Str, entries.collect(), 0)
        }
    };
    let text = |text: &str| Value::from(text);
    Value::map([
        ("Name", text(&metadata.name)),
        ("Home", text(&metadata.home)),
        ("Sources", strings(&metadata.sources)),
        ("Version", text(&metadata.version)),
        ("Description", text(&metadata.description)),
        ("Keywords", strings(&metadata.keywords)),
        ("Maintainers", Value::list(maintainers.collect())),
        ("Icon", text(&metadata.icon)),
        ("APIVersion", text(&metadata.api_version)),
        ("Condition", text(&metadata.condition)),
        ("Tags", text(&metadata.tags)),
        ("AppVersion", text(&metadata.app_version)),
        ("Deprecated", metadata.deprecated.into()),
        ("Annotations", Value::Map(annotations)),
        ("KubeVersion", text(&metadata.kube_version)),
        ("Dependencies", Value::list(metadata.dependencies.iter().map(dependency).collect())),
        ("Type", text(&metadata.kind)),
        ("IsRoot", is_root.into()),
    ])
}

fn dependency(dependency: &Dependency) -> Value {
    let imports = dependency.import_values.iter().map(|import| match import {
        ImportValues::Export(name) => name.as_str().into(),
        ImportValues::Copy { child, parent } => {
            Value::map([("child", Value::from(child.as_str())), ("parent", parent.as_str().into())])
        }
    });
    Value::map([
        ("Name", Value::from(dependency.name.as_str())),
        ("Version", dependency.version.as_str().into()),
        ("Repository", dependency.repository.as_str().into()),
        ("Condition", dependency.condition.as_str().into()),
        ("Tags", strings(&dependency.tags)),
        ("Enabled", dependency.enabled.into()),
        ("ImportValues", Value::List(List::new(imports.collect()))),
        ("Alias", dependency.alias.as_str().into()),
    ])
}
