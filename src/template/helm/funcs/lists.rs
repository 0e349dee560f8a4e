//! Lists: taking apart, putting together, searching. Each makes a new list.

use super::Type::{Any, Int};
use super::equal::deep_equal;
use super::types::{saturated_to_int, to_int};
use super::{Env, Error, Function, any, int};
use crate::template::helm::print::kind_of;
use crate::value::{List, ListKind, Value};
use std::borrow::Cow;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("list", &[Any], |_, a| Ok(Value::list(a.to_vec()))),
    Function::variadic("tuple", &[Any], |_, a| Ok(Value::list(a.to_vec()))),
    Function::new("first", &[Any], first),
    Function::new("mustFirst", &[Any], first),
    Function::new("last", &[Any], last),
    Function::new("mustLast", &[Any], last),
    Function::new("rest", &[Any], rest),
    Function::new("mustRest", &[Any], rest),
    Function::new("initial", &[Any], initial),
    Function::new("mustInitial", &[Any], initial),
    Function::new("append", &[Any, Any], append),
    Function::new("mustAppend", &[Any, Any], append),
    Function::new("push", &[Any, Any], append),
    Function::new("mustPush", &[Any, Any], append),
    Function::new("prepend", &[Any, Any], prepend),
    Function::new("mustPrepend", &[Any, Any], prepend),
    Function::variadic("concat", &[Any], concat),
    Function::new("reverse", &[Any], reverse),
    Function::new("mustReverse", &[Any], reverse),
    Function::new("compact", &[Any], compact),
    Function::new("mustCompact", &[Any], compact),
    Function::new("uniq", &[Any], uniq),
    Function::new("mustUniq", &[Any], uniq),
    Function::variadic("without", &[Any, Any], without),
    Function::variadic("mustWithout", &[Any, Any], without),
    Function::new("has", &[Any, Any], has),
    Function::new("mustHas", &[Any, Any], has),
    Function::variadic("slice", &[Any, Any], slice),
    Function::variadic("mustSlice", &[Any, Any], slice),
    Function::new("chunk", &[Int, Any], chunk),
    Function::new("mustChunk", &[Int, Any], chunk),
];

/// A slice's items; anything else is an error: `Cannot find first on type string`.
fn items<'v>(value: &'v Value, cannot: &str) -> Result<Cow<'v, [Value]>, Error> {
    match value {
        Value::List(list) => Ok(Cow::Borrowed(list.items())),
        Value::Bytes(bytes) => Ok(bytes.iter().map(|&byte| Value::Byte(byte)).collect()),
        Value::Nil => Err("runtime error: invalid memory address or nil pointer dereference".into()),
        Value::Object(object) if object.kind() == "slice" => match object.to_json() {
            Value::List(list) => Ok(Cow::Owned(list.items().to_vec())),
            _ => Ok(Cow::Borrowed(&[])),
        },
        value => Err(format!("{cannot} {}", kind_of(value)).into()),
    }
}

fn first(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    Ok(items(any(arguments, 0), "Cannot find first on type")?.first().cloned().unwrap_or_default())
}

fn last(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    Ok(items(any(arguments, 0), "Cannot find last on type")?.last().cloned().unwrap_or_default())
}

fn rest(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let items = items(any(arguments, 0), "Cannot find rest on type")?;
    Ok(Value::List(items.split_first().map_or_else(List::nil, |(_, rest)| List::new(rest.to_vec()))))
}

fn initial(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let items = items(any(arguments, 0), "Cannot find initial on type")?;
    Ok(Value::List(items.split_last().map_or_else(List::nil, |(_, initial)| List::new(initial.to_vec()))))
}

fn append(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let items = items(any(arguments, 0), "Cannot push on type")?;
    Ok(Value::list([&items, std::slice::from_ref(any(arguments, 1))].concat()))
}

fn prepend(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let items = items(any(arguments, 0), "Cannot prepend on type")?;
    Ok(Value::list([std::slice::from_ref(any(arguments, 1)), &items].concat()))
}

fn concat(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let mut all = Vec::new();
    for argument in arguments {
        let list = items(argument, "Cannot concat type").map_err(|error| {
            if let Error::Message(text) = &error
                && text.starts_with("Cannot")
            {
                format!("{text} as list").into()
            } else {
                error
            }
        })?;
        all.extend_from_slice(&list);
    }
    Ok(Value::List(if all.is_empty() { List::nil() } else { List::new(all) }))
}

fn reverse(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let mut items = items(any(arguments, 0), "Cannot find reverse on type")?.into_owned();
    items.reverse();
    Ok(Value::list(items))
}

fn compact(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let items = items(any(arguments, 0), "Cannot compact on type")?;
    Ok(Value::list(items.iter().filter(|item| item.is_true()).cloned().collect()))
}

fn uniq(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let items = items(any(arguments, 0), "Cannot find uniq on type")?;
    let mut unique: Vec<Value> = Vec::new();
    for item in items.iter() {
        if !is_among(env, item, &unique)? {
            unique.push(item.clone());
        }
    }
    Ok(Value::list(unique))
}

fn without(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let items = items(any(arguments, 0), "Cannot find without on type")?;
    let mut kept = Vec::new();
    for item in items.iter() {
        if !is_among(env, item, arguments.get(1..).unwrap_or_default())? {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn has(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let list = any(arguments, 1);
    if list.is_nil() {
        return Ok(false.into());
    }
    let items = items(list, "Cannot find has on type")?;
    Ok(is_among(env, any(arguments, 0), &items)?.into())
}

fn is_among(env: &mut Env<'_>, value: &Value, items: &[Value]) -> Result<bool, Error> {
    for item in items {
        if deep_equal(env, value, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn slice(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let list = any(arguments, 0);
    let items = items(list, "list should be type of slice or array but")?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = arguments.get(1).map_or(0, to_int);
    let end = arguments.get(2).map_or(items.len() as i64, to_int);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = range.and_then(|(start, end)| items.get(start..end));
    let part = part.ok_or("reflect.Value.Slice: slice index out of bounds")?;
    Ok(match list {
        Value::Bytes(bytes) => Value::Bytes(bytes[start as usize..end as usize].into()),
        Value::List(list) => Value::List(List::with(list.kind(), Some(part.to_vec()), 0)),
        _ => Value::List(List::with(ListKind::Str, Some(part.to_vec()), 0)),
    })
}

fn chunk(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    const PANIC: &str = "runtime error: makeslice: len out of range";
    let (size, list) = (int(arguments, 0), any(arguments, 1));
    let items = items(list, "Cannot chunk type")?;
    let length = items.len() as f64;
    let count = saturated_to_int(((length - 1.0) / size as f64).floor() + 1.0);
    let chunks = match (usize::try_from(count), usize::try_from(size)) {
        (Err(_), _) => return Err(PANIC.into()),
        (Ok(0), _) => Vec::new(),
        (Ok(_), Ok(size)) if size > 0 => items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect(),
        // A negative size: Sprig's arithmetic still makes one chunk of a list of one.
        (Ok(_), _) if items.len() == 1 && size < -1 => vec![Value::list(items.to_vec())],
        _ => return Err(PANIC.into()),
    };
    Ok(Value::List(List::with(ListKind::Lists, Some(chunks), 0)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    fn ints(numbers: &[i64]) -> Value {
        Value::list(numbers.iter().copied().map(Value::Int).collect())
    }

    #[test]
    fn ends_are_found() {
        let list = ints(&[1, 2, 3]);
        for (name, expected, of_empty) in
            [("first", "1", "<nil>"), ("last", "3", "<nil>"), ("rest", "[2 3]", "[]"), ("initial", "[1 2]", "[]")]
        {
            assert_eq!(call(name, std::slice::from_ref(&list)), expected);
            assert_eq!(call(name, &[ints(&[])]), of_empty);
            assert_eq!(call(name, &["a".into()]), format!("error: Cannot find {name} on type string"));
            assert_eq!(
                call(name, &[Value::Nil]),
                "error: runtime error: invalid memory address or nil pointer dereference"
            );
        }
    }

    #[test]
    fn lists_are_put_together() {
        let list = ints(&[1, 2]);
        assert_eq!(call("append", &[list.clone(), Value::Nil]), "[1 2 <nil>]");
        assert_eq!(call("prepend", &[list.clone(), "a".into()]), "[a 1 2]");
        assert_eq!(call("concat", &[list.clone(), ints(&[3])]), "[1 2 3]");
        assert_eq!(call("concat", &["a".into()]), "error: Cannot concat type string as list");
        assert_eq!(call("append", &["a".into(), list.clone()]), "error: Cannot push on type string");
        assert_eq!(call("reverse", &[list]), "[2 1]");
    }

    #[test]
    fn items_are_told_apart_by_type() {
        let list = Value::list(vec![Value::Int(1), Value::Float(1.0), Value::Int64(1), Value::Int(1), "".into()]);
        assert_eq!(call("uniq", std::slice::from_ref(&list)), "[1 1 1 ]");
        assert_eq!(call("without", &[list.clone(), Value::Int(1)]), "[1 1 ]");
        assert_eq!(call("has", &[Value::Float(1.0), list.clone()]), "true");
        assert_eq!(call("has", &[Value::Float(2.0), list.clone()]), "false");
        assert_eq!(call("has", &[Value::Int(1), Value::Nil]), "false");
        assert_eq!(call("compact", &[list]), "[1 1 1 1]");
    }

    #[test]
    fn lists_are_cut() {
        let list = ints(&[1, 2, 3, 4, 5]);
        let at = |numbers: &[i64]| {
            let mut arguments = vec![list.clone()];
            arguments.extend(numbers.iter().copied().map(Value::Int));
            call("slice", &arguments)
        };
        assert_eq!(at(&[]), "[1 2 3 4 5]");
        assert_eq!(at(&[2]), "[3 4 5]");
        assert_eq!(at(&[1, 3]), "[2 3]");
        assert_eq!(at(&[3, 2]), "error: reflect.Value.Slice: slice index out of bounds");
        assert_eq!(at(&[0, 6]), "error: reflect.Value.Slice: slice index out of bounds");
        assert_eq!(call("slice", &[ints(&[]), Value::Int(3)]), "<nil>");
        assert_eq!(call("chunk", &[Value::Int(2), list.clone()]), "[[1 2] [3 4] [5]]");
        assert_eq!(call("chunk", &[Value::Int(0), list.clone()]), "error: runtime error: makeslice: len out of range");
        assert_eq!(call("chunk", &[Value::Int(-2), ints(&[1])]), "[[1]]");
        assert_eq!(call("chunk", &[Value::Int(-2), ints(&[1, 2])]), "[]");
        assert_eq!(call("chunk", &[Value::Int(3), ints(&[])]), "[]");
    }
}
