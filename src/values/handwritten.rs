//! A derived schema beside one that people have written: what is written by hand wins, and stays.

use super::derive::MARK;
use serde_json::{Map, Value};

/// What a part of a derived schema says to be kept.
const KEPT: &str = "hand-written";

/// Whether a schema is derived as a whole, so that deriving it again may replace it.
pub fn is_derived(schema: &Value) -> bool {
    let comment = schema.get("$comment").and_then(Value::as_str);
    comment.is_some_and(|comment| comment.split('.').next() == MARK.split('.').next())
}

/// The schema that is written where there was one: of a derived one only the parts stay that say so; to a
/// hand-written one comes only what it does not know.
pub fn merge(existing: &Value, derived: Value) -> Value {
    match is_derived(existing) {
        true => keep(existing, derived),
        false => add(existing, &derived, true),
    }
}

/// Puts the parts that are to be kept in the places of derived ones.
fn keep(existing: &Value, derived: Value) -> Value {
    if existing.get("$comment").and_then(Value::as_str) == Some(KEPT) {
        return existing.clone();
    }
    let (Value::Object(before), Value::Object(mut map)) = (existing, derived.clone()) else { return derived };
    for key in ["properties", "definitions", "patternProperties"] {
        let Some(Value::Object(before)) = before.get(key) else { continue };
        let mut now = match map.get(key) {
            Some(Value::Object(now)) => now.clone(),
            _ => Map::new(),
        };
        for (name, part) in before {
            match now.get_mut(name) {
                Some(now) => *now = keep(part, now.take()),
                None if has_kept(part) => {
                    now.insert(name.clone(), part.clone());
                }
                None => {}
            }
        }
        if !now.is_empty() {
            map.insert(key.to_owned(), Value::Object(now));
        }
    }
    for key in ["items", "additionalProperties"] {
        if let (Some(before), Some(now)) = (before.get(key), map.get_mut(key)) {
            *now = keep(before, now.take());
        }
    }
    Value::Object(map)
}

fn has_kept(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => map.get("$comment").and_then(Value::as_str) == Some(KEPT) || map.values().any(has_kept),
        Value::Array(items) => items.iter().any(has_kept),
        _ => false,
    }
}

/// Adds to a hand-written schema the properties and descriptions that it lacks. What it asks of a value is not
/// changed.
fn add(existing: &Value, derived: &Value, is_root: bool) -> Value {
    let (Value::Object(own), Value::Object(other)) = (existing, derived) else { return existing.clone() };
    let mut own = own.clone();
    if own.contains_key("$ref") {
        return Value::Object(own);
    }
    if !is_root
        && !own.contains_key("description")
        && let Some(description) = other.get("description")
    {
        own.insert("description".to_owned(), description.clone());
    }
    if let (Some(Value::Object(properties)), Some(Value::Object(more))) =
        (own.get_mut("properties"), other.get("properties"))
    {
        for (name, property) in more {
            match properties.get_mut(name) {
                Some(mine) => *mine = add(mine, property, false),
                None => {
                    properties.insert(name.clone(), property.clone());
                }
            }
        }
    }
    if is_root && let Some(Value::Object(more)) = other.get("definitions") {
        let mut used = Vec::new();
        references(&Value::Object(own.clone()), &mut used);
        let mut definitions = match own.get("definitions") {
            Some(Value::Object(definitions)) => definitions.clone(),
            _ => Map::new(),
        };
        while let Some(name) = used.pop() {
            if !definitions.contains_key(&name)
                && let Some(definition) = more.get(&name)
            {
                references(definition, &mut used);
                definitions.insert(name, definition.clone());
            }
        }
        if !definitions.is_empty() {
            own.insert("definitions".to_owned(), Value::Object(definitions));
        }
    }
    Value::Object(own)
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            let name = map.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/definitions/"));
            found.extend(name.map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
