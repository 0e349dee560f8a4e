//! Dictionaries. `set`, `unset` and the merges change the dictionary that they are given.
//!
//! Go walks maps in random order; where order shows (`keys`, `values`), these walk in the order of the keys.

use super::Type::{Any, Map as MapType, Str};
use super::equal::{deep_copy, deep_equal};
use super::{Env, Error, Function, any, text};
use crate::template::helm::print::{MAX_DEPTH, strval, type_of};
use crate::value::{Entries, List, Map, MapKind, Value};
use std::collections::HashSet;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("dict", &[Any], dict),
    Function::new("get", &[MapType, Str], get),
    Function::new("set", &[MapType, Str, Any], set),
    Function::new("unset", &[MapType, Str], unset),
    Function::new("hasKey", &[MapType, Str], |_, a| Ok(map(a, 0).is_some_and(|map| map.contains(text(a, 1))).into())),
    Function::variadic("pluck", &[Str, MapType], pluck),
    Function::variadic("keys", &[MapType], keys),
    Function::new("values", &[MapType], values),
    Function::variadic("pick", &[MapType, Str], pick),
    Function::variadic("omit", &[MapType, Str], omit),
    Function::variadic("dig", &[Any], dig),
    Function::variadic("merge", &[MapType, MapType], |env, a| merge_all(env, a, false)),
    Function::variadic("mustMerge", &[MapType, MapType], |env, a| merge_all(env, a, false)),
    Function::variadic("mergeOverwrite", &[MapType, MapType], |env, a| merge_all(env, a, true)),
    Function::variadic("mustMergeOverwrite", &[MapType, MapType], |env, a| merge_all(env, a, true)),
    Function::new("deepCopy", &[Any], copy),
    Function::new("mustDeepCopy", &[Any], copy),
    Function::new("deepEqual", &[Any, Any], |env, a| Ok(deep_equal(env, any(a, 0), any(a, 1))?.into())),
];

/// The map; none for Go's nil map.
fn map(arguments: &[Value], index: usize) -> Option<&Map> {
    any(arguments, index).as_map()
}

fn dict(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let mut entries = Entries::with_capacity_and_hasher(arguments.len().div_ceil(2), Default::default());
    for pair in arguments.chunks(2) {
        let key = match &pair[0] {
            Value::Str(key) => key.clone(),
            key => strval(key)?.into(),
        };
        entries.insert(key, pair.get(1).cloned().unwrap_or_else(|| "".into()));
    }
    Ok(Value::Map(Map::new(entries)))
}

fn get(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    Ok(map(arguments, 0).and_then(|map| map.get(text(arguments, 1))).unwrap_or_else(|| "".into()))
}

fn set(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let map = map(arguments, 0).filter(|map| !map.is_nil()).ok_or("assignment to entry in nil map")?;
    env.charge(1)?;
    map.insert(text(arguments, 1).into(), any(arguments, 2).clone());
    Ok(Value::Map(map.as_kind(MapKind::Any)))
}

fn unset(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let Some(map) = map(arguments, 0) else { return Ok(Value::Map(Map::default())) };
    map.remove(text(arguments, 1));
    Ok(Value::Map(map.as_kind(MapKind::Any)))
}

fn pluck(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let key = text(arguments, 0);
    let maps = arguments.iter().skip(1).filter_map(Value::as_map);
    Ok(Value::list(maps.filter_map(|map| map.get(key)).collect()))
}

fn keys(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let keys = arguments.iter().filter_map(Value::as_map).flat_map(|map| map.sorted().into_iter().map(|(key, _)| key));
    Ok(Value::List(List::strings(keys)))
}

fn values(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let entries = map(arguments, 0).map(Map::sorted).unwrap_or_default();
    Ok(Value::list(entries.into_iter().map(|(_, value)| value).collect()))
}

fn pick(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let mut picked = Entries::default();
    if let Some(map) = map(arguments, 0) {
        let map = map.snapshot();
        for key in arguments.iter().skip(1).filter_map(Value::as_str) {
            if let Some((key, value)) = map.get_key_value(key) {
                picked.insert(key.clone(), value.clone());
            }
        }
    }
    Ok(Value::Map(Map::new(picked)))
}

fn omit(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let omitted: HashSet<&str> = arguments.iter().skip(1).filter_map(Value::as_str).collect();
    let mut entries = map(arguments, 0).map(|map| map.snapshot().as_ref().clone()).unwrap_or_default();
    entries.retain(|key, _| !omitted.contains(&**key));
    Ok(Value::Map(Map::new(entries)))
}

fn dig(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [keys @ .., default, start] = arguments else { return Err("dig needs at least three arguments".into()) };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut map = plain_map(start)?;
    let keys = keys.iter().map(|key| key.as_str().ok_or_else(|| conversion(key, "string")));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    for (index, key) in keys.iter().enumerate() {
        match map.get(key) {
            None => return Ok(default.clone()),
            Some(value) if index + 1 == keys.len() => return Ok(value),
            Some(value) => map = plain_map(&value)?,
        }
    }
    Ok(default.clone())
}

/// Go's type assertion `.(map[string]interface {})`.
fn plain_map(value: &Value) -> Result<Map, Error> {
    match value {
        Value::Map(map) if map.kind() == MapKind::Any => Ok(map.clone()),
        value => Err(conversion(value, "map[string]interface {}")),
    }
}

fn conversion(value: &Value, wanted: &str) -> Error {
    let found = if value.is_nil() { "nil".into() } else { type_of(value) };
    format!("interface conversion: interface {{}} is {found}, not {wanted}").into()
}

fn copy(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    match any(arguments, 0) {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
        value => deep_copy(env, value),
    }
}

fn merge_all(env: &mut Env<'_>, arguments: &[Value], overwrite: bool) -> Result<Value, Error> {
    let into = map(arguments, 0).map_or_else(Map::default, |map| map.as_kind(MapKind::Any));
    for from in arguments.iter().skip(1).filter_map(Value::as_map) {
        merge(env, &into, from, overwrite, 0)?;
    }
    Ok(Value::Map(into))
}

/// Merges as the Go package `mergo` 1.0 does: an empty value (false, 0, "", an empty list) counts as missing in `into`,
/// and only `overwrite` lets nil and non-empty values be replaced. Maps from `from` are shared, not copied.
fn merge(env: &mut Env<'_>, into: &Map, from: &Map, overwrite: bool, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(Error::Limit);
    }
    if into.ptr_eq(from) {
        return Ok(());
    }
    for (key, value) in from.snapshot().iter() {
        env.charge(1)?;
        let old = into.get(key);
        if value.is_nil() {
            if overwrite {
                store(into, from, key, value)?;
            }
            continue;
        }
        if let (Some(Value::Map(old)), Value::Map(value)) = (&old, value) {
            merge(env, old, value, overwrite, depth + 1)?;
            if !old.is_empty() {
                continue;
            }
        }
        let missing = old.as_ref().is_none_or(|old| !old.is_true());
        if missing || overwrite {
            store(into, from, key, value)?;
        }
    }
    Ok(())
}

/// Puts a value of one map into another, which Go can only where the maps' types agree.
fn store(into: &Map, from: &Map, key: &std::sync::Arc<str>, value: &Value) -> Result<(), Error> {
    if into.kind() == MapKind::Str && from.kind() != MapKind::Str {
        let found = match value {
            Value::List(_) => type_of(value),
            _ => "interface {}".into(),
        };
        return Err(format!("reflect.Value.SetMapIndex: value of type {found} is not assignable to type string").into());
    }
    into.insert(key.clone(), value.clone());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::map(entries)
    }

    #[test]
    fn dictionaries_are_made_and_read() {
        let made = call("dict", &["b".into(), Value::Int(1), Value::Nil, "x".into(), "a".into()]);
        assert_eq!(made, "map[<nil>:x a: b:1]");
        let dictionary = map([("b", Value::Int(1)), ("a", Value::Nil)]);
        assert_eq!(call("get", &[dictionary.clone(), "b".into()]), "1");
        assert_eq!(call("get", &[dictionary.clone(), "c".into()]), "");
        assert_eq!(call("hasKey", &[dictionary.clone(), "a".into()]), "true");
        assert_eq!(call("keys", &[dictionary.clone(), map([("z", Value::Nil)])]), "[a b z]");
        assert_eq!(call("values", std::slice::from_ref(&dictionary)), "[<nil> 1]");
        assert_eq!(call("pluck", &["b".into(), dictionary.clone(), map([])]), "[1]");
        assert_eq!(call("pick", &[dictionary.clone(), "b".into(), "c".into()]), "map[b:1]");
        assert_eq!(call("omit", &[dictionary, "b".into(), "c".into()]), "map[a:<nil>]");
        assert_eq!(call("get", &[Value::Nil, "b".into()]), "");
        assert_eq!(call("set", &[Value::Nil, "b".into(), Value::Nil]), "error: assignment to entry in nil map");
    }

    #[test]
    fn setting_is_seen_through_all_handles() {
        let dictionary = map([("a", Value::Int(1))]);
        let same = dictionary.clone();
        call("set", &[dictionary.clone(), "b".into(), Value::Int(2)]);
        call("unset", &[dictionary, "a".into()]);
        assert_eq!(strval(&same).expect("text"), "map[b:2]");
    }

    #[test]
    fn digging_asserts_types() {
        let dictionary = map([("a", map([("b", Value::Int(1)), ("n", Value::Nil)])), ("s", "x".into())]);
        let dig = |keys: &[&str]| {
            let mut arguments: Vec<Value> = keys.iter().map(|key| Value::from(*key)).collect();
            arguments.extend(["default".into(), dictionary.clone()]);
            call("dig", &arguments)
        };
        assert_eq!(dig(&["a", "b"]), "1");
        assert_eq!(dig(&["a", "n"]), "<nil>");
        assert_eq!(dig(&["a", "x", "y"]), "default");
        assert_eq!(
            dig(&["s", "y"]),
            "error: interface conversion: interface {} is string, not map[string]interface {}"
        );
        assert_eq!(
            dig(&["a", "n", "y"]),
            "error: interface conversion: interface {} is nil, not map[string]interface {}"
        );
        assert_eq!(call("dig", &["a".into(), "b".into()]), "error: dig needs at least three arguments");
        assert_eq!(
            call("dig", &[Value::Int(1), "d".into(), map([])]),
            "error: interface conversion: interface {} is int, not string"
        );
    }

    #[test]
    fn merging_follows_mergo() {
        let list = |items: &[i64]| Value::list(items.iter().copied().map(Value::Int).collect());
        let old = || {
            map([
                ("empty", "".into()),
                ("zero", Value::Int(0)),
                ("kept", "x".into()),
                ("list", list(&[1])),
                ("map", map([("a", Value::Int(1))])),
                ("none", map([])),
                ("nil", Value::Nil),
            ])
        };
        let new = map([
            ("empty", "new".into()),
            ("zero", Value::Nil),
            ("kept", false.into()),
            ("list", list(&[])),
            ("map", map([("a", Value::Int(0)), ("b", Value::Int(2))])),
            ("none", map([("a", Value::Int(1))])),
            ("nil", list(&[2])),
            ("absent", Value::Nil),
        ]);
        assert_eq!(
            call("merge", &[old(), new.clone()]),
            "map[empty:new kept:x list:[1] map:map[a:1 b:2] nil:[2] none:map[a:1] zero:0]"
        );
        assert_eq!(
            call("mergeOverwrite", &[old(), new]),
            "map[absent:<nil> empty:new kept:false list:[] map:map[a:0 b:2] nil:[2] none:map[a:1] zero:<nil>]"
        );
        let typed = Value::Map(Map::with(MapKind::Str, Entries::default(), 0));
        assert_eq!(
            call("merge", &[map([("a", typed)]), map([("a", map([("b", Value::Int(1))]))])]),
            "error: reflect.Value.SetMapIndex: value of type interface {} is not assignable to type string"
        );
    }

    #[test]
    fn a_map_in_itself_ends() {
        let one = Map::default();
        one.insert("self".into(), Value::Map(one.clone()));
        let two = Map::default();
        two.insert("self".into(), Value::Map(two.clone()));
        let (one, two) = (Value::Map(one), Value::Map(two));
        assert_eq!(call("deepCopy", std::slice::from_ref(&one)), "limit");
        assert_eq!(call("deepEqual", &[one.clone(), two.clone()]), "limit");
        assert_eq!(call("merge", &[one, two]), "limit");
        assert_eq!(call("deepCopy", &[Value::Nil]), "error: reflect: call of reflect.Value.Type on zero Value");
    }
}
