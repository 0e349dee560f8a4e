//! Methods of the named maps and lists that Helm gives to templates: `.Values`, `.Files`, `.Capabilities.APIVersions`.

use super::funcs::{Env, Error, Type};
use super::glob::Glob;
use super::print;
use crate::value::{Entries, List, ListKind, Map, MapKind, Str, Value, text_from_bytes};
use crate::yaml;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A method with a Go signature.
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) params: &'static [Type],
    /// The result's type is `interface {}`.
    pub(super) interface: bool,
    /// The method reads the whole receiver.
    pub(super) reads_all: bool,
    pub(super) call: fn(&mut Env<'_>, &Value, &[Value]) -> Result<Value, Error>,
}

const fn method(
    name: &'static str,
    params: &'static [Type],
    call: fn(&mut Env<'_>, &Value, &[Value]) -> Result<Value, Error>,
) -> Method {
    Method { name, params, interface: false, reads_all: false, call }
}

static FILES: &[Method] = &[
    method("Get", &[Type::Str], |_, files, a| Ok(text_from_bytes(&file(files, text(a))).as_ref().into())),
    method("GetBytes", &[Type::Str], |_, files, a| Ok(Value::Bytes(file(files, text(a))))),
    method("Glob", &[Type::Str], glob),
    method("Lines", &[Type::Str], lines),
    method("AsConfig", &[], |env, files, _| by_base_name(env, files, |data| text_from_bytes(data).into_owned())),
    method("AsSecrets", &[], |env, files, _| by_base_name(env, files, |data| STANDARD.encode(data))),
];

static VALUES: &[Method] = &[
    Method { reads_all: true, ..method("YAML", &[], |_, values, _| Ok((yaml::to_yaml(values)? + "\n").into())) },
    // Templates have no writer to give it: the call fails for its arguments.
    method("Encode", &[Type::Object("io.Writer")], |_, _, _| Ok(Value::Nil)),
    method("AsMap", &[], |_, values, _| {
        Ok(values.as_map().map_or(Value::Nil, |map| Value::Map(map.as_kind(MapKind::Any))))
    }),
    method("Table", &[Type::Str], |_, values, a| {
        table(values, text(a).split('.')).map(Value::Map).map_err(|name| not_a(&name, "table"))
    }),
    Method { interface: true, ..method("PathValue", &[Type::Str], path_value) },
];

static VERSIONS: &[Method] = &[method("Has", &[Type::Str], |_, versions, a| {
    let items = versions.as_list().map(List::items).unwrap_or_default();
    Ok(items.iter().any(|version| version.as_str() == Some(text(a))).into())
})];

/// The method of this name of maps of this type.
pub(super) fn of_map(kind: MapKind, name: &str) -> Option<&'static Method> {
    let methods = match kind {
        MapKind::Any | MapKind::Str | MapKind::Struct => return None,
        MapKind::Values => VALUES,
        MapKind::Files => FILES,
    };
    methods.iter().find(|method| method.name == name)
}

/// The method of this name of lists of this type.
pub(super) fn of_list(kind: ListKind, name: &str) -> Option<&'static Method> {
    if kind != ListKind::Versions {
        return None;
    }
    VERSIONS.iter().find(|method| method.name == name)
}

fn text(arguments: &[Value]) -> &str {
    arguments.first().and_then(Value::as_str).unwrap_or_default()
}

fn file(files: &Value, name: &str) -> std::sync::Arc<[u8]> {
    match files.as_map().and_then(|files| files.get(name)) {
        Some(Value::Bytes(data)) => data,
        _ => [].into(),
    }
}

fn glob(env: &mut Env<'_>, files: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let Some(files) = files.as_map() else { return Ok(Value::Nil) };
    let pattern = text(arguments);
    let entries = files.snapshot();
    env.charge((pattern.len() as u64 / 8 + 1) * entries.len() as u64)?;
    // Helm takes a pattern that does not compile for `**`.
    let glob = Glob::new(pattern);
    let is_match = |name: &str| glob.as_ref().is_none_or(|glob| glob.matches(name));
    let matched: Entries =
        entries.iter().filter(|(name, _)| is_match(name)).map(|(k, v)| (k.clone(), v.clone())).collect();
    Ok(Value::Map(Map::with(MapKind::Files, matched, 0)))
}

fn lines(env: &mut Env<'_>, files: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let data = file(files, text(arguments));
    env.charge(data.len() as u64 / 16)?;
    let text = text_from_bytes(&data);
    let lines: Vec<Str> = match text.strip_suffix('\n').unwrap_or(&text) {
        _ if data.is_empty() => Vec::new(),
        text => text.split('\n').map(Str::from).collect(),
    };
    Ok(Value::List(List::strings(lines)))
}

/// A YAML map from the files' base names to what becomes of their contents.
fn by_base_name(env: &mut Env<'_>, files: &Value, text: fn(&[u8]) -> String) -> Result<Value, Error> {
    let mut entries = Entries::default();
    for (path, data) in files.as_map().map(Map::sorted).unwrap_or_default() {
        let Value::Bytes(data) = data else { continue };
        env.charge(data.len() as u64 / 16)?;
        entries.insert(path.rsplit('/').next().unwrap_or_default().into(), text(&data).into());
    }
    let map = Value::Map(Map::with(MapKind::Str, entries, 0));
    Ok(yaml::to_yaml(&map).unwrap_or_default().into())
}

fn table<'p>(values: &Value, path: impl Iterator<Item = &'p str>) -> Result<Map, String> {
    let mut map = values.as_map().cloned().unwrap_or_default();
    for name in path {
        map = match map.get(name) {
            Some(Value::Map(inner)) if matches!(inner.kind(), MapKind::Any | MapKind::Values) => inner,
            _ => return Err(name.to_owned()),
        };
    }
    Ok(map.as_kind(MapKind::Values))
}

fn not_a(name: &str, what: &str) -> Error {
    format!("{} is not a {what}", print::quote(name)).into()
}

fn path_value(_: &mut Env<'_>, values: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let path = text(arguments);
    if path.is_empty() {
        return Err("YAML path cannot be empty".into());
    }
    let (tables, key) = path.rsplit_once('.').map_or((None, path), |(tables, key)| (Some(tables), key));
    let holder = table(values, tables.into_iter().flat_map(|tables| tables.split('.')));
    match holder.ok().and_then(|holder| holder.get(key)) {
        Some(value) if !matches!(&value, Value::Map(map) if map.kind() == MapKind::Any) => Ok(value),
        _ => Err(not_a(key, "value")),
    }
}
