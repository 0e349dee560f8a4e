//! Between Jinja's values and the shared dynamic value that Helm's functions work on.

use super::context::ContextMark;
use super::data::{Entries, Items};
use super::error::{Issue, limit};
use super::write::MAX_DEPTH;
use crate::template::RootContext;
use crate::value::{Entries as Map, List, Object as GoObject, Value as Go, bytes_of, raw_byte, text_from_bytes};
use crate::yaml::{Data, Node};
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};
use std::fmt;
use std::sync::Arc;

/// What functions see of a value.
pub(super) fn to_go(value: &Value) -> Result<Go, Error> {
    Deep { depth: 0 }.convert(value)
}

struct Deep {
    depth: usize,
}

impl Deep {
    fn convert(&mut self, value: &Value) -> Result<Go, Error> {
        Ok(match value.kind() {
            ValueKind::Undefined | ValueKind::None => Go::Nil,
            ValueKind::Bool => Go::Bool(value.is_true()),
            ValueKind::Number => number(value)?,
            ValueKind::String => Go::Str(value.to_str().unwrap_or_default()),
            ValueKind::Bytes => Go::Str(text_from_bytes(value.as_bytes().unwrap_or_default()).into()),
            ValueKind::Map => {
                if let Some(entries) = value.downcast_object_ref::<Entries>() {
                    entries.read_whole();
                    return Ok(go_map(&entries.entries));
                }
                self.enter()?;
                let mut map = Map::default();
                let pairs = value.as_object().and_then(|object| object.try_iter_pairs());
                for (key, value) in pairs.into_iter().flatten() {
                    let key = match key.to_str() {
                        Some(key) => key,
                        None => super::write::scalar_text(&key)?.unwrap_or_default().into(),
                    };
                    map.insert(key, self.convert(&value)?);
                }
                self.depth -= 1;
                Go::Map(crate::value::Map::new(map))
            }
            ValueKind::Seq | ValueKind::Iterable => {
                if let Some(items) = value.downcast_object_ref::<Items>() {
                    items.read_whole();
                    return Ok(Go::list(items.items.iter().map(go_node).collect()));
                }
                self.enter()?;
                let items: Result<Vec<Go>, Error> = value.try_iter()?.map(|item| self.convert(&item)).collect();
                self.depth -= 1;
                Go::list(items?)
            }
            ValueKind::Invalid => return Err(Error::new(ErrorKind::InvalidOperation, value.to_string())),
            _ => match value.downcast_object_ref::<Foreign>() {
                Some(foreign) => Go::Object(Arc::clone(&foreign.0)),
                None if value.downcast_object_ref::<ContextMark>().is_some() => Go::Object(Arc::new(RootContext)),
                None => Go::from(super::write::scalar_text(value)?.unwrap_or_default().into_owned()),
            },
        })
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(limit(format!("a value has maps or lists more than {MAX_DEPTH} levels deep")));
        }
        Ok(())
    }
}

fn number(value: &Value) -> Result<Go, Error> {
    if !value.is_integer() {
        return f64::try_from(value.clone()).map(Go::Float);
    }
    if let Some(number) = value.as_i64() {
        return Ok(Go::Int64(number));
    }
    u64::try_from(value.clone()).map(Go::Uint).map_err(|_| {
        Issue::new(format!("the number {value} is past 64 bits")).hint("keep such numbers as strings").error()
    })
}

pub(super) fn go_node(node: &Node) -> Go {
    match &node.data {
        Data::Null => Go::Nil,
        Data::Bool(value) => Go::Bool(*value),
        Data::Int(number) => Go::Int64(*number),
        Data::Uint(number) => Go::Uint(*number),
        Data::Float(number) => Go::Float(*number),
        Data::Str(text) => Go::Str(Arc::clone(text)),
        Data::Seq(items) => Go::List(List::new(items.iter().map(go_node).collect())),
        Data::Map(entries) => go_map(entries),
    }
}

fn go_map(entries: &crate::yaml::Mapping) -> Go {
    Go::map(entries.iter().map(|(key, entry)| (Arc::clone(key), go_node(&entry.value))))
}

/// A result of a function as a value. Text that is not UTF-8 becomes bytes.
pub(super) fn from_go(value: &Go) -> Value {
    match value {
        Go::Nil => Value::from(()),
        Go::Bool(value) => Value::from(*value),
        Go::Int(number) | Go::Int64(number) => Value::from(*number),
        Go::Uint(number) => Value::from(*number),
        Go::Byte(number) => Value::from(*number),
        Go::Float(number) => Value::from(*number),
        Go::Str(text) if text.chars().any(|char| raw_byte(char).is_some()) => {
            Value::from_bytes(bytes_of(text).into_owned())
        }
        Go::Str(text) => Value::from(Arc::clone(text)),
        Go::Bytes(bytes) => Value::from_bytes(bytes.to_vec()),
        Go::List(list) => list.items().iter().map(from_go).collect::<Vec<Value>>().into(),
        Go::Map(map) => {
            Value::from_pairs(map.snapshot().iter().map(|(key, value)| (Value::from(Arc::clone(key)), from_go(value))))
        }
        Go::Object(object) => Value::from_object(Foreign(Arc::clone(object))),
    }
}

/// A time, version or certificate: fields and methods under their Go names or in lower case.
#[derive(Debug)]
pub(super) struct Foreign(Arc<dyn GoObject>);

/// `app_version` as Go spells it: `AppVersion`.
fn go_name(name: &str) -> String {
    name.split('_')
        .flat_map(|part| {
            let mut chars = part.chars();
            chars.next().into_iter().flat_map(char::to_uppercase).chain(chars)
        })
        .collect()
}

impl Object for Foreign {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        self.0.field(name).or_else(|| self.0.field(&go_name(name))).map(|value| from_go(&value))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        let arguments: Result<Vec<Go>, Error> = arguments.iter().map(to_go).collect();
        let arguments = arguments?;
        match self.0.call(method, &arguments).or_else(|| self.0.call(&go_name(method), &arguments)) {
            Some(Ok(value)) => Ok(from_go(&value)),
            Some(Err(message)) => Err(Issue::new(message).error()),
            None => {
                Err(Error::new(ErrorKind::UnknownMethod, format!("{} has no method `{method}`", self.0.type_name())))
            }
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.display())
    }
}
