//! The functions that every Go template has, and what a name stands for.

use super::funcs::{self, Error, Function, Type};
use super::print;
use crate::value::{ListKind, MapKind, Str, Value, bytes_of, raw_byte};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::LazyLock;

/// What a name in a template calls.
#[derive(Clone, Copy)]
pub(super) enum Callee {
    /// A function of Helm or Sprig.
    Table(&'static Function),
    Builtin(&'static Builtin),
    Engine(Engine),
}

impl std::fmt::Debug for Callee {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Functions that run templates or have errors of their own kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Include,
    Tpl,
    Required,
    Fail,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    /// `reflect.Value`: anything, also nothing.
    Reflect,
    Of(Type),
}

/// A function of Go's `text/template`.
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) params: &'static [Param],
    pub(super) variadic: bool,
    pub(super) run: Run,
}

/// How a built-in function runs.
#[derive(Clone, Copy)]
pub(super) enum Run {
    And,
    Or,
    Call,
    Plain(fn(&[Value], Nil) -> Result<Value, Error>),
}

/// Of which kind a first argument's nil is: the `interface {}` that a map holds, or no value at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nil {
    Interface,
    Invalid,
}

const REFLECT: Param = Param::Reflect;
const ANY: Param = Param::Of(Type::Any);

macro_rules! builtins {
    ($($name:literal $params:expr, $variadic:literal, $run:expr;)*) => {
        static BUILTINS: &[Builtin] = &[$(Builtin { name: $name, params: $params, variadic: $variadic, run: $run }),*];
    };
}

builtins! {
    "and" &[REFLECT, REFLECT], true, Run::And;
    "or" &[REFLECT, REFLECT], true, Run::Or;
    "not" &[REFLECT], false, Run::Plain(|a, _| Ok((!a[0].is_true()).into()));
    "call" &[REFLECT, REFLECT], true, Run::Call;
    "eq" &[REFLECT, REFLECT], true, Run::Plain(|a, _| Ok(equal_any(a)?.into()));
    "ne" &[REFLECT, REFLECT], false, Run::Plain(|a, _| Ok((!equal_any(a)?).into()));
    "lt" &[REFLECT, REFLECT], false, Run::Plain(|a, _| Ok(less(&a[0], &a[1])?.into()));
    "le" &[REFLECT, REFLECT], false, Run::Plain(|a, _| Ok((less(&a[0], &a[1])? || equal_any(a)?).into()));
    "gt" &[REFLECT, REFLECT], false, Run::Plain(|a, _| Ok((!(less(&a[0], &a[1])? || equal_any(a)?)).into()));
    "ge" &[REFLECT, REFLECT], false, Run::Plain(|a, _| Ok((!less(&a[0], &a[1])?).into()));
    "index" &[REFLECT, REFLECT], true, Run::Plain(|a, _| index(a));
    "slice" &[REFLECT, REFLECT], true, Run::Plain(|a, _| slice(a));
    "len" &[REFLECT], false, Run::Plain(|a, nil| length(&a[0], nil));
    "print" &[ANY], true, Run::Plain(|a, _| Ok(print::sprint(a)?.into()));
    "println" &[ANY], true, Run::Plain(|a, _| Ok(print::sprintln(a)?.into()));
    "printf" &[Param::Of(Type::Str), ANY], true, Run::Plain(|a, _| printf(a));
    "html" &[ANY], true, Run::Plain(|a, _| Ok(html(&text_of(a)?).into()));
    "js" &[ANY], true, Run::Plain(|a, _| Ok(js(&text_of(a)?).into()));
    "urlquery" &[ANY], true, Run::Plain(|a, _| Ok(query(&text_of(a)?).into()));
}

const ENGINE: [Engine; 4] = [Engine::Include, Engine::Tpl, Engine::Required, Engine::Fail];

impl Callee {
    /// What templates call by this name: Helm's and Sprig's functions before Go's.
    pub(super) fn find(name: &str) -> Option<Callee> {
        static CALLEES: LazyLock<HashMap<&str, Callee, foldhash::fast::RandomState>> = LazyLock::new(|| {
            let builtins = BUILTINS.iter().map(Callee::Builtin);
            let callees = builtins.chain(funcs::all().map(Callee::Table)).chain(ENGINE.map(Callee::Engine));
            callees.map(|callee| (callee.name(), callee)).collect()
        });
        CALLEES.get(name).copied()
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Callee::Table(function) => function.name,
            Callee::Builtin(builtin) => builtin.name,
            Callee::Engine(Engine::Include) => "include",
            Callee::Engine(Engine::Tpl) => "tpl",
            Callee::Engine(Engine::Required) => "required",
            Callee::Engine(Engine::Fail) => "fail",
        }
    }
}

/// All names that templates can call.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let own = ENGINE.into_iter().map(|engine| Callee::Engine(engine).name());
    own.chain(funcs::all().map(|function| function.name)).chain(BUILTINS.iter().map(|one| one.name))
}

/// Go's kinds as comparisons tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basic {
    Invalid,
    Bool,
    Int,
    Float,
    Str,
    Uint,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(_) | Value::Int64(_) => Basic::Int,
        Value::Uint(_) | Value::Byte(_) => Basic::Uint,
        Value::Float(_) => Basic::Float,
        Value::Str(_) => Basic::Str,
        Value::Object(object) if object.integer().is_some() => Basic::Int,
        _ => Basic::Invalid,
    }
}

fn int(value: &Value) -> i64 {
    match value {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Object(object) => object.integer().unwrap_or(0),
        _ => 0,
    }
}

fn uint(value: &Value) -> u64 {
    match value {
        Value::Uint(number) => *number,
        Value::Byte(number) => u64::from(*number),
        _ => 0,
    }
}

fn equal_any(arguments: &[Value]) -> Result<bool, Error> {
    let [first, others @ ..] = arguments else { return Err("missing argument for comparison".into()) };
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(a: &Value, b: &Value) -> Result<bool, Error> {
    Ok(match (basic(a), basic(b)) {
        (Basic::Bool, Basic::Bool) => a.is_true() == b.is_true(),
        (Basic::Int, Basic::Int) => int(a) == int(b),
        (Basic::Uint, Basic::Uint) => uint(a) == uint(b),
        (Basic::Int, Basic::Uint) => u64::try_from(int(a)) == Ok(uint(b)),
        (Basic::Uint, Basic::Int) => u64::try_from(int(b)) == Ok(uint(a)),
        (Basic::Float, Basic::Float) => float(a) == float(b),
        (Basic::Str, Basic::Str) => a.as_str() == b.as_str(),
        (Basic::Invalid, Basic::Invalid) => equal_others(a, b)?,
        _ if a.is_nil() || b.is_nil() => false,
        _ => return Err(incompatible(a, b)),
    })
}

fn float(value: &Value) -> f64 {
    if let Value::Float(number) = value { *number } else { 0.0 }
}

fn incompatible(a: &Value, b: &Value) -> Error {
    format!("incompatible types for comparison: {} and {}", print::type_of(a), print::type_of(b)).into()
}

/// Comparison of nil, lists, maps and objects.
fn equal_others(a: &Value, b: &Value) -> Result<bool, Error> {
    let is_nil = |value: &Value| match value {
        Value::List(list) => list.is_nil(),
        value => value.is_nil(),
    };
    let kinds = (print::kind_of(a), print::kind_of(b));
    if kinds.0 != kinds.1 && !a.is_nil() && !b.is_nil() {
        let texts = (print::sprintf("%s", std::slice::from_ref(a))?, print::sprintf("%v", std::slice::from_ref(b))?);
        let types = (print::type_of(a), print::type_of(b));
        return Err(format!("non-comparable types {}: {}, {}: {}", texts.0, types.0, types.1, texts.1).into());
    }
    if is_nil(a) || is_nil(b) {
        return Ok(is_nil(a) == is_nil(b));
    }
    match (a, b) {
        (Value::Object(one), Value::Object(other)) => Ok(std::sync::Arc::ptr_eq(one, other)
            || one.kind() != "ptr"
                && one.type_name() == other.type_name()
                && print::sprintf("%v", std::slice::from_ref(a))? == print::sprintf("%v", std::slice::from_ref(b))?),
        _ => {
            let text = print::sprintf("%s", std::slice::from_ref(b))?;
            Err(format!("non-comparable type {text}: {}", print::type_of(b)).into())
        }
    }
}

fn less(a: &Value, b: &Value) -> Result<bool, Error> {
    let kinds = (basic(a), basic(b));
    if kinds.0 == Basic::Invalid || kinds.1 == Basic::Invalid {
        // A complex number is of a kind that Go knows here, only not of one with an order.
        let complex = [a, b].map(|value| print::kind_of(value) == "complex128");
        return Err(match (complex, kinds) {
            ([true, false], (_, other)) | ([false, true], (other, _)) if other != Basic::Invalid => incompatible(a, b),
            _ => "invalid type for comparison".into(),
        });
    }
    Ok(match kinds {
        (Basic::Int, Basic::Int) => int(a) < int(b),
        (Basic::Uint, Basic::Uint) => uint(a) < uint(b),
        (Basic::Int, Basic::Uint) => u64::try_from(int(a)).is_ok_and(|a| a < uint(b)) || int(a) < 0,
        (Basic::Uint, Basic::Int) => u64::try_from(int(b)).is_ok_and(|b| uint(a) < b),
        (Basic::Float, Basic::Float) => float(a) < float(b),
        (Basic::Str, Basic::Str) => match (a, b) {
            (Value::Str(a), Value::Str(b)) => bytes_of(a) < bytes_of(b),
            _ => false,
        },
        (Basic::Bool, Basic::Bool) => return Err("invalid type for comparison".into()),
        _ => return Err(incompatible(a, b)),
    })
}

fn length(value: &Value, nil: Nil) -> Result<Value, Error> {
    let length = match value {
        Value::Nil if nil == Nil::Interface => return Err("len of nil pointer".into()),
        Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        Value::Str(text) => bytes_of(text).len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        // Go looks behind pointers here.
        _ => return Err(format!("len of type {}", print::type_of(value).trim_start_matches('*')).into()),
    };
    Ok(Value::Int(length as i64))
}

/// A list index of up to `limit`.
fn position(index: &Value, limit: usize) -> Result<usize, Error> {
    let number = match index {
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        index => match basic(index) {
            Basic::Int => int(index),
            Basic::Uint => uint(index) as i64,
            _ => return Err(format!("cannot index slice/array with type {}", print::type_of(index)).into()),
        },
    };
    usize::try_from(number).ok().filter(|&at| at <= limit).ok_or_else(|| format!("index out of range: {number}").into())
}

fn index(arguments: &[Value]) -> Result<Value, Error> {
    let [item, indices @ ..] = arguments else { return Err("index of untyped nil".into()) };
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    let mut item = item.clone();
    for key in indices {
        item = index_one(&item, key)?;
    }
    Ok(item)
}

/// One step of `index`.
pub(super) fn index_one(item: &Value, key: &Value) -> Result<Value, Error> {
    // Go checks for one past the end, and then its runtime panics.
    let out_of_bounds = |at: usize, length: usize| {
        if at < length { Ok(at) } else { Err(Error::from("reflect: slice index out of range")) }
    };
    match item {
        Value::Nil => Err("index of nil pointer".into()),
        Value::Str(text) => {
            let bytes = bytes_of(text);
            let at = position(key, bytes.len())?;
            match bytes.get(at) {
                Some(byte) => Ok(Value::Byte(*byte)),
                None => Err("reflect: string index out of range".into()),
            }
        }
        Value::Bytes(bytes) => {
            let at = out_of_bounds(position(key, bytes.len())?, bytes.len())?;
            Ok(Value::Byte(bytes[at]))
        }
        Value::List(list) => {
            let at = out_of_bounds(position(key, list.len())?, list.len())?;
            Ok(list.items()[at].clone())
        }
        Value::Map(map) => match key {
            Value::Str(key) => Ok(map.get(key).unwrap_or_else(|| zero(map.kind()))),
            Value::Nil => Err("value is nil; should be of type string".into()),
            key => Err(format!("value has type {}; should be string", print::type_of(key)).into()),
        },
        _ => Err(format!("can't index item of type {}", print::type_of(item)).into()),
    }
}

/// What a map of this type gives for a key that it does not have.
pub(super) fn zero(kind: MapKind) -> Value {
    match kind {
        MapKind::Any | MapKind::Values | MapKind::Struct => Value::Nil,
        MapKind::Str => Value::from(""),
        MapKind::Files => Value::Bytes([].into()),
    }
}

fn slice(arguments: &[Value]) -> Result<Value, Error> {
    let [item, indices @ ..] = arguments else { return Err("slice of untyped nil".into()) };
    if item.is_nil() {
        return Err("slice of untyped nil".into());
    }
    if indices.len() > 3 {
        return Err(format!("too many slice indexes: {}", indices.len()).into());
    }
    let length = match item {
        Value::Str(_) if indices.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::Str(text) => bytes_of(text).len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        _ => return Err(format!("can't slice item of type {}", print::type_of(item)).into()),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indices) {
        *bound = position(index, length)?;
    }
    for (low, high) in [(bounds[0], bounds[1]), (bounds[1], bounds[2])] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}").into());
        }
    }
    let range = bounds[0]..bounds[1];
    Ok(match item {
        Value::Str(text) => Value::from(crate::value::text_from_bytes(&bytes_of(text)[range]).as_ref()),
        Value::Bytes(bytes) => Value::Bytes(bytes[range].into()),
        Value::List(list) => {
            let kind = if list.kind() == ListKind::Versions { ListKind::Str } else { list.kind() };
            Value::List(crate::value::List::with(kind, Some(list.items()[range].to_vec()), 0))
        }
        other => other.clone(),
    })
}

fn printf(arguments: &[Value]) -> Result<Value, Error> {
    let format = arguments[0].as_str().unwrap_or_default();
    if let ("%s", [Value::Str(text)]) = (format, &arguments[1..]) {
        return Ok(Value::Str(Str::clone(text)));
    }
    Ok(print::sprintf(format, &arguments[1..])?.into())
}

/// The text of the arguments of an escaping function, with nil as templates print it.
fn text_of(arguments: &[Value]) -> Result<String, Error> {
    if let [Value::Str(text)] = arguments {
        return Ok(text.to_string());
    }
    let mut out = String::new();
    let mut after_string = true;
    for argument in arguments {
        let is_string = matches!(argument, Value::Nil | Value::Str(_));
        if !is_string && !after_string {
            out.push(' ');
        }
        match argument {
            Value::Nil => out.push_str("<no value>"),
            Value::Object(object) => out.push_str(&object.display()),
            other => print::write(&mut out, other)?,
        }
        after_string = is_string;
    }
    Ok(out)
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\0' => out.push('\u{FFFD}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(char),
        }
    }
    out
}

fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' | '\0'..='\x1f' => {
                write!(out, "\\u{:04X}", u32::from(char)).expect("writing to a string");
            }
            _ if char.is_ascii() || raw_byte(char).is_some() || crate::value::is_printable(char) => out.push(char),
            _ => write!(out, "\\u{:04X}", u32::from(char)).expect("writing to a string"),
        }
    }
    out
}

fn query(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for &byte in bytes_of(text).iter() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => write!(out, "%{byte:02X}").expect("writing to a string"),
        }
    }
    out
}
