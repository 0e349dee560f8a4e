//! The functions that Helm gives to templates: one flat table per family.
//!
//! The evaluator checks arguments against a function's Go signature (with Go's error texts) before it calls it, so a
//! function finds the types that it declares.

mod certificates;
mod cluster;
mod crypto;
mod dates;
mod decimal;
mod defaults;
mod der;
mod dicts;
pub(super) mod duration;
mod encoding;
mod equal;
mod keys;
mod layout;
mod lists;
mod math;
mod paths;
mod random;
mod regex;
mod semver;
mod strings;
mod time;
mod toml;
mod types;
pub(super) mod unicode;
mod urls;
mod words;

use crate::template::Context;
use crate::value::Value;
use rand_chacha::ChaCha20Rng;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The families, each a flat table.
const FAMILIES: &[&[Function]] = &[
    strings::FUNCTIONS,
    lists::FUNCTIONS,
    dicts::FUNCTIONS,
    defaults::FUNCTIONS,
    math::FUNCTIONS,
    types::FUNCTIONS,
    encoding::FUNCTIONS,
    regex::FUNCTIONS,
    dates::FUNCTIONS,
    duration::FUNCTIONS,
    semver::FUNCTIONS,
    paths::FUNCTIONS,
    urls::FUNCTIONS,
    random::FUNCTIONS,
    crypto::FUNCTIONS,
    certificates::FUNCTIONS,
    cluster::FUNCTIONS,
];

/// The function that templates call by this name.
pub fn lookup(name: &str) -> Option<&'static Function> {
    static FUNCTIONS: LazyLock<HashMap<&'static str, &'static Function, foldhash::fast::RandomState>> =
        LazyLock::new(|| all().map(|function| (function.name, function)).collect());
    FUNCTIONS.get(name).copied()
}

/// All functions, family by family.
pub fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.iter().copied().flatten()
}

/// A parameter's Go type, as far as templates can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`
    Any,
    Str,
    /// `int`; an untyped number constant fits if whole.
    Int,
    Int64,
    Uint32,
    Float64,
    Bool,
    /// `map[string]interface {}`; `common.Values` is assignable to it.
    Map,
    /// `[]interface {}`
    List,
    /// `[]string`
    Strings,
    /// A `time.Time`, certificate or other object with this Go type name.
    Object(&'static str),
}

impl Type {
    /// The type that a method's signature names.
    pub(super) fn named(name: &'static str) -> Type {
        match name {
            "int" => Type::Int,
            "string" => Type::Str,
            name => Type::Object(name),
        }
    }
}

/// One function.
pub struct Function {
    pub name: &'static str,
    pub params: &'static [Type],
    /// The last parameter repeats, from zero times.
    pub variadic: bool,
    pub call: fn(&mut Env<'_>, &[Value]) -> Result<Value, Error>,
}

impl Function {
    const fn new(
        name: &'static str,
        params: &'static [Type],
        call: fn(&mut Env<'_>, &[Value]) -> Result<Value, Error>,
    ) -> Self {
        Function { name, params, variadic: false, call }
    }

    const fn variadic(
        name: &'static str,
        params: &'static [Type],
        call: fn(&mut Env<'_>, &[Value]) -> Result<Value, Error>,
    ) -> Self {
        Function { name, params, variadic: true, call }
    }

    /// Calls the function with arguments of its types, and charges for reading them.
    pub fn invoke(&self, env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
        let size: usize = arguments
            .iter()
            .map(|argument| match argument {
                Value::Str(text) => text.len() / 64,
                Value::List(list) => list.len() / 8,
                Value::Map(map) => map.len() / 8,
                _ => 0,
            })
            .sum();
        env.charge(1 + size as u64)?;
        (self.call)(env, arguments)
    }
}

/// What functions may use of the world.
pub struct Env<'a> {
    pub context: &'a Context,
    pub random: ChaCha20Rng,
    /// Steps left for the template; functions that loop or allocate charge for it.
    pub fuel: u64,
}

impl Env<'_> {
    /// Takes steps from the template's budget: one per item or 64 bytes of work.
    pub fn charge(&mut self, steps: u64) -> Result<(), Error> {
        match self.fuel.checked_sub(steps) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => {
                self.fuel = 0;
                Err(Error::Limit)
            }
        }
    }
}

impl Env<'_> {
    /// Takes leave to make a text of so many bytes.
    fn allocate(&mut self, bytes: usize) -> Result<(), Error> {
        if bytes > self.context.limits.output {
            return Err(Error::Limit);
        }
        self.charge(bytes as u64 / 16)
    }
}

/// Why a function failed.
#[derive(Debug, Clone)]
pub enum Error {
    /// The error that the function returned, or the text of its panic: `error calling NAME: …`.
    Message(String),
    /// The template's budget of steps is used up.
    Limit,
}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Error::Message(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Error::Message(message.to_owned())
    }
}

impl From<std::fmt::Error> for Error {
    fn from(_: std::fmt::Error) -> Self {
        Error::Limit
    }
}

// The evaluator has checked the types, so what these fall back to is never seen.

fn text(arguments: &[Value], index: usize) -> &str {
    arguments.get(index).and_then(Value::as_str).unwrap_or_default()
}

fn int(arguments: &[Value], index: usize) -> i64 {
    match arguments.get(index) {
        Some(Value::Int(number) | Value::Int64(number)) => *number,
        Some(Value::Uint(number)) => *number as i64,
        _ => 0,
    }
}

fn any(arguments: &[Value], index: usize) -> &Value {
    arguments.get(index).unwrap_or(&Value::Nil)
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::template::helm::print::strval;
    use crate::template::{Capabilities, Limits, Release, Served};
    use rand::SeedableRng;

    pub(super) fn context() -> Context {
        Context {
            release: Release {
                name: "rel".into(),
                namespace: "ns".into(),
                revision: 1,
                is_upgrade: false,
                service: "Helm".into(),
            },
            capabilities: Capabilities {
                kube_version: "v1.37.0".into(),
                normalized: "v1.37.0".into(),
                major: "1".into(),
                minor: "37".into(),
                api_versions: Vec::new(),
                served: Served::new(Vec::new),
                helm_version: "v4.3.1".into(),
            },
            limits: Limits::default(),
            seed: Some(1),
            now: 1_700_000_000_123_456_789,
            time_zone: Some("UTC".into()),
            lookup: Vec::new(),
            zone_file: None,
            resolver: None,
            record_reads: false,
        }
    }

    pub(super) fn env(context: &Context) -> Env<'_> {
        Env { context, random: ChaCha20Rng::seed_from_u64(1), fuel: context.limits.fuel }
    }

    #[track_caller]
    pub(super) fn lookup_function(name: &str) -> &'static Function {
        lookup(name).unwrap_or_else(|| panic!("no function {name}"))
    }

    /// The result as `toString` gives it, or the error.
    #[track_caller]
    pub(super) fn call(name: &str, arguments: &[Value]) -> String {
        let context = context();
        let mut env = env(&context);
        match lookup_function(name).invoke(&mut env, arguments).and_then(|value| Ok(strval(&value)?.into_owned())) {
            Ok(text) => text,
            Err(Error::Message(message)) => format!("error: {message}"),
            Err(Error::Limit) => "limit".into(),
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = all().map(|function| function.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
