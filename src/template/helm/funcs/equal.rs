//! Go's `reflect.DeepEqual` and deep copies.

use super::{Env, Error};
use crate::template::helm::print::MAX_DEPTH;
use crate::value::{List, Map, Value};

/// Equality of types and values: `1`, `1.0` and an `int64` 1 all differ, and so do a nil and an empty list.
pub(super) fn deep_equal(env: &mut Env<'_>, left: &Value, right: &Value) -> Result<bool, Error> {
    equal_at(env, left, right, 0)
}

fn equal_at(env: &mut Env<'_>, left: &Value, right: &Value, depth: usize) -> Result<bool, Error> {
    env.charge(1)?;
    if depth > MAX_DEPTH {
        return Err(Error::Limit);
    }
    Ok(match (left, right) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) | (Value::Int64(left), Value::Int64(right)) => left == right,
        (Value::Uint(left), Value::Uint(right)) => left == right,
        (Value::Byte(left), Value::Byte(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Str(left), Value::Str(right)) => left == right,
        (Value::Bytes(left), Value::Bytes(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            if left.kind() != right.kind() || left.is_nil() != right.is_nil() || left.len() != right.len() {
                return Ok(false);
            }
            if !left.ptr_eq(right) {
                for (left, right) in left.items().iter().zip(right.items()) {
                    if !equal_at(env, left, right, depth + 1)? {
                        return Ok(false);
                    }
                }
            }
            true
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.kind() != right.kind() || left.len() != right.len() {
                return Ok(false);
            }
            if !left.ptr_eq(right) {
                let right = right.snapshot();
                for (key, left) in left.snapshot().iter() {
                    match right.get(key) {
                        Some(right) if equal_at(env, left, right, depth + 1)? => {}
                        _ => return Ok(false),
                    }
                }
            }
            true
        }
        (Value::Object(one), Value::Object(other)) => {
            let text = |value| crate::template::helm::print::sprintf("%v", std::slice::from_ref(value));
            one.type_name() == other.type_name() && text(left)? == text(right)?
        }
        _ => false,
    })
}

/// A copy that shares no map or list with the original. Which values it stands for is kept.
pub(super) fn deep_copy(env: &mut Env<'_>, value: &Value) -> Result<Value, Error> {
    copy_at(env, value, 0)
}

fn copy_at(env: &mut Env<'_>, value: &Value, depth: usize) -> Result<Value, Error> {
    // What a copy takes in memory counts, too.
    env.charge(if matches!(value, Value::List(_) | Value::Map(_)) { 20 } else { 1 })?;
    if depth > MAX_DEPTH {
        return Err(Error::Limit);
    }
    Ok(match value {
        Value::List(list) if !list.is_nil() => {
            let items = list.items().iter().map(|item| copy_at(env, item, depth + 1)).collect::<Result<_, _>>()?;
            Value::List(List::with(list.kind(), Some(items), list.tag()))
        }
        Value::Map(map) if map.is_nil() => Value::Map(Map::nil(map.kind())),
        Value::Map(map) => {
            let mut entries = map.snapshot().as_ref().clone();
            for entry in entries.values_mut() {
                *entry = copy_at(env, entry, depth + 1)?;
            }
            Value::Map(Map::with(map.kind(), entries, map.tag()))
        }
        Value::Object(object) => object.public_copy().unwrap_or_else(|| value.clone()),
        value => value.clone(),
    })
}
