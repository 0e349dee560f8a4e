//! TOML as the Go package `github.com/BurntSushi/toml` 1.6 writes it; read by the crate `toml`.

use super::time::{Civil, Time, Zone};
use super::{Env, Error, layout};
use crate::template::helm::print::MAX_DEPTH;
use crate::value::{List, ListKind, Map, Str, Value, bytes_of, number};
use std::borrow::Cow;
use std::fmt::Write;
use toml::de::{DeTable, DeValue};

/// The document, or the encoder's error.
pub(super) fn write(env: &mut Env<'_>, value: &Value) -> Result<Result<String, String>, Error> {
    let mut writer = Writer { env, out: String::new() };
    match writer.entry(&mut Vec::new(), value) {
        Ok(()) => Ok(Ok(writer.out)),
        Err(Fault::Refused(error)) => Ok(Err(error.to_owned())),
        Err(Fault::Limit) => Err(Error::Limit),
    }
}

enum Fault {
    /// What the encoder cannot write.
    Refused(&'static str),
    Limit,
}

/// How TOML classes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Nil,
    Plain,
    Table,
    TableArray,
}

struct Writer<'e, 'c> {
    env: &'e mut Env<'c>,
    out: String,
}

/// A value that is written as itself: objects as the map or text that they stand for.
fn resolve(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::Object(object) if !matches!(&*object.type_name(), "time.Time" | "time.Duration") => {
            Cow::Owned(object.public_fields().map_or_else(|| object.to_json(), Value::Map))
        }
        value => Cow::Borrowed(value),
    }
}

impl Writer<'_, '_> {
    fn class(&mut self, value: &Value, depth: usize) -> Result<Class, Fault> {
        self.env.charge(1).map_err(|_| Fault::Limit)?;
        if depth > MAX_DEPTH {
            return Err(Fault::Limit);
        }
        Ok(match resolve(value).as_ref() {
            Value::Nil => Class::Nil,
            Value::Map(_) => Class::Table,
            Value::List(list) if list.is_nil() => Class::Nil,
            Value::List(list) => {
                let mut tables = !list.is_empty();
                for item in list.items() {
                    match self.class(item, depth + 1)? {
                        Class::Nil => return Err(Fault::Refused("toml: cannot encode array with nil element")),
                        class => tables &= class == Class::Table,
                    }
                }
                if tables { Class::TableArray } else { Class::Plain }
            }
            _ => Class::Plain,
        })
    }

    /// A value under its key, which is empty for the whole document.
    fn entry(&mut self, key: &mut Vec<String>, value: &Value) -> Result<(), Fault> {
        let class = self.class(value, key.len())?;
        match (class, resolve(value).as_ref()) {
            (Class::Nil, Value::List(_)) if key.is_empty() => self.out.push_str("[]"),
            (Class::Nil, _) => {}
            (Class::Table, table) => {
                if key.len() == 1 {
                    self.line_break();
                }
                if !key.is_empty() {
                    self.header(key, "[", "]");
                }
                self.entries(key, table)?;
            }
            (Class::TableArray, Value::List(_)) if key.is_empty() => {
                return Err(Fault::Refused("toml: top-level values must be Go maps or structs"));
            }
            (Class::TableArray, Value::List(list)) => {
                for table in list.items() {
                    self.line_break();
                    self.header(key, "[[", "]]");
                    self.entries(key, &resolve(table))?;
                }
            }
            (_, value) => {
                if let Some(last) = key.last() {
                    self.indent(key.len() - 1);
                    self.out.push_str(last);
                    self.out.push_str(" = ");
                }
                self.inline(value, key.len())?;
                if !key.is_empty() {
                    self.out.push('\n');
                }
            }
        }
        self.env.allocate(self.out.len() / 256).map_err(|_| Fault::Limit)
    }

    fn line_break(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n("  ", depth));
    }

    fn header(&mut self, key: &[String], open: &str, close: &str) {
        self.indent(key.len() - 1);
        self.out.push_str(open);
        self.out.push_str(&key.join("."));
        self.out.push_str(close);
        self.line_break();
    }

    fn entries(&mut self, key: &mut Vec<String>, table: &Value) -> Result<(), Fault> {
        for (name, value, _) in self.sorted(table, key.len())? {
            key.push(quoted_key(&name));
            self.entry(key, &value)?;
            key.pop();
        }
        Ok(())
    }

    /// The entries of a table by key, those that are tables themselves last.
    fn sorted(&mut self, table: &Value, depth: usize) -> Result<Vec<(Str, Value, Class)>, Fault> {
        let mut entries = Vec::new();
        for (name, value) in table.as_map().map(Map::sorted).unwrap_or_default() {
            let class = self.class(&value, depth + 1)?;
            entries.push((name, value, class));
        }
        entries.sort_by_key(|(_, _, class)| matches!(class, Class::Table | Class::TableArray));
        Ok(entries)
    }

    /// A value on one line.
    fn inline(&mut self, value: &Value, depth: usize) -> Result<(), Fault> {
        self.env.charge(1).map_err(|_| Fault::Limit)?;
        if depth > MAX_DEPTH {
            return Err(Fault::Limit);
        }
        let out = &mut self.out;
        let written = match value {
            Value::Nil => Ok(()),
            Value::Bool(value) => write!(out, "{value}"),
            Value::Int(number) | Value::Int64(number) => write!(out, "{number}"),
            Value::Uint(number) => write!(out, "{number}"),
            Value::Byte(number) => write!(out, "{number}"),
            Value::Float(number) if number.is_nan() => write!(out, "nan"),
            Value::Float(number) if number.is_infinite() => write!(out, "{}inf", if *number < 0.0 { "-" } else { "" }),
            Value::Float(number) => {
                let text = number::format_g(*number);
                write!(out, "{text}{}", if text.contains(['e', '.']) { "" } else { ".0" })
            }
            Value::Str(text) => {
                write_quoted(out, text);
                Ok(())
            }
            Value::Bytes(bytes) => write!(out, "{bytes:?}"),
            Value::List(list) => {
                out.push('[');
                for (index, item) in list.items().iter().enumerate() {
                    self.out.push_str(if index == 0 { "" } else { ", " });
                    self.inline(&resolve(item), depth + 1)?;
                }
                self.out.push(']');
                Ok(())
            }
            Value::Map(_) => return self.inline_table(value, depth),
            Value::Object(object) => {
                if let Some(time) = Time::of(value) {
                    self.out.push_str(&written_time(time));
                } else {
                    write_quoted(&mut self.out, &object.display());
                }
                Ok(())
            }
        };
        written.map_err(|_| Fault::Limit)
    }

    /// Entries that are nil are left out, but not always the comma that would precede them.
    fn inline_table(&mut self, table: &Value, depth: usize) -> Result<(), Fault> {
        let entries = self.sorted(table, depth)?;
        self.out.push('{');
        for (index, (name, value, class)) in entries.iter().enumerate() {
            if *class == Class::Nil {
                continue;
            }
            self.out.push_str(&quoted_key(name));
            self.out.push_str(" = ");
            self.inline(&resolve(value), depth + 1)?;
            if index + 1 != entries.len() {
                self.out.push_str(", ");
            }
        }
        self.out.push('}');
        Ok(())
    }
}

fn quoted_key(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(bare) {
        return key.to_owned();
    }
    let mut quoted = String::new();
    write_quoted(&mut quoted, key);
    quoted
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\x0C' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..' ' | '\x7F' => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out.push('"');
}

const LOCAL_DATETIME: &str = "datetime-local";
const LOCAL_DATE: &str = "date-local";
const LOCAL_TIME: &str = "time-local";

/// Times that TOML gave without a zone go back as they came.
fn written_time(time: &Time) -> String {
    let Zone::Fixed { name, .. } = &time.zone else { return layout::format(time, layout::RFC3339_NANO) };
    let form = match name.as_ref() {
        LOCAL_DATETIME => "2006-01-02T15:04:05.999999999",
        LOCAL_DATE => "2006-01-02",
        LOCAL_TIME => "15:04:05.999999999",
        _ => return layout::format(time, layout::RFC3339_NANO),
    };
    layout::format(&time.within(Zone::Utc), form)
}

/// Reads a document into a map; whole numbers become `int64`.
pub(super) fn read(env: &Env<'_>, text: &str) -> Result<Value, String> {
    let text = String::from_utf8(bytes_of(text).into_owned()).map_err(|_| "toml: invalid UTF-8".to_owned())?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        format!("toml: line {line}: {}", reason(&text, &error))
    })?;
    let document = if text.contains("[[") { DeTable::parse(&text).ok() } else { None };
    let tables = document.as_ref().map(|document| Tables { text: &text, table: document.get_ref() });
    Ok(table_value(env, table, tables))
}

/// A table as the text has it: the values alone do not tell `[[a]]` from `a = [{}]`.
#[derive(Clone, Copy)]
struct Tables<'t> {
    text: &'t str,
    table: &'t DeTable<'t>,
}

impl<'t> Tables<'t> {
    fn table(self, key: &str) -> Option<Tables<'t>> {
        let table = self.table.get(key)?.get_ref().as_table()?;
        Some(Tables { table, ..self })
    }

    /// The tables of `[[key]]`.
    fn array(self, key: &str) -> Option<Vec<Tables<'t>>> {
        let items = self.table.get(key)?.get_ref().as_array()?;
        let is_inline = |item: &toml::Spanned<DeValue<'_>>| self.text[item.span().start..].starts_with('{');
        let tables = items.iter().filter(|item| !is_inline(item)).filter_map(|item| item.get_ref().as_table());
        let tables: Vec<_> = tables.map(|table| Tables { table, ..self }).collect();
        (!tables.is_empty() && tables.len() == items.len()).then_some(tables)
    }
}

/// The error in BurntSushi's words, where it is a common one.
fn reason(text: &str, error: &toml::de::Error) -> String {
    let message = error.message();
    let rest = error.span().and_then(|span| text.get(span.start..)).unwrap_or_default();
    let line_ends = rest.trim_start_matches([' ', '\t']).chars().next();
    match line_ends {
        None if message.starts_with("key with no value") => "unexpected EOF; expected key separator '='".to_owned(),
        _ => message.to_owned(),
    }
}

fn table_value(env: &Env<'_>, table: toml::Table, tables: Option<Tables<'_>>) -> Value {
    let entry = |key: &str, value| match value {
        toml::Value::Table(table) => table_value(env, table, tables.and_then(|tables| tables.table(key))),
        toml::Value::Array(items) => match tables.and_then(|tables| tables.array(key)) {
            Some(tables) => {
                let item = |(item, tables)| match item {
                    toml::Value::Table(table) => table_value(env, table, Some(tables)),
                    item => read_value(env, item),
                };
                Value::List(List::with(ListKind::Maps, Some(items.into_iter().zip(tables).map(item).collect()), 0))
            }
            None => read_value(env, toml::Value::Array(items)),
        },
        value => read_value(env, value),
    };
    Value::map(table.into_iter().map(|(key, value)| {
        let value = entry(&key, value);
        (key, value)
    }))
}

fn read_value(env: &Env<'_>, value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => Value::Int64(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(time) => read_time(env, time).value(),
        toml::Value::Array(items) => Value::list(items.into_iter().map(|item| read_value(env, item)).collect()),
        toml::Value::Table(table) => table_value(env, table, None),
    }
}

fn read_time(env: &Env<'_>, read: toml::value::Datetime) -> Time {
    let days = read
        .date
        .map_or_else(|| Civil::days(0, 1, 1), |date| Civil::days(date.year.into(), date.month.into(), date.day.into()));
    let (clock, nanos) = read.time.map_or((0, 0), |time| {
        let clock = (i64::from(time.hour) * 60 + i64::from(time.minute)) * 60;
        (clock + i64::from(time.second), time.nanosecond)
    });
    let seconds = days * 86_400 + clock;
    let local = Zone::local(env);
    let at = |seconds, zone| Time { seconds, nanos, zone };
    match read.offset {
        Some(toml::value::Offset::Z) => at(seconds, Zone::Utc),
        Some(toml::value::Offset::Custom { minutes }) => {
            let offset = i32::from(minutes) * 60;
            let seconds = seconds - i64::from(offset);
            at(seconds, if local.at(seconds).0 == offset { local } else { Zone::fixed("", offset) })
        }
        None => {
            let name = match (read.date, read.time) {
                (Some(_), Some(_)) => LOCAL_DATETIME,
                (Some(_), None) => LOCAL_DATE,
                _ => LOCAL_TIME,
            };
            let offset = local.at(Time::now(env).seconds).0;
            at(seconds - i64::from(offset), Zone::fixed(name, offset))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::map(entries)
    }

    #[test]
    fn tables_follow_plain_values() {
        let value = map([
            ("a", Value::list(vec![Value::Float(1.0), "x".into(), map([("b", Value::Float(1.0)), ("n", Value::Nil)])])),
            (
                "b",
                Value::list(vec![
                    map([("x", Value::list(vec![map([("z", Value::Float(1.0))])]))]),
                    map([("true", Value::Int(2))]),
                ]),
            ),
            ("f", Value::Float(1e21)),
            ("i", map([])),
            ("k", map([("l m", map([("p", true.into())]))])),
            ("n", Value::Nil),
            ("t", "a\"\u{7F}\n".into()),
        ]);
        assert_eq!(
            call("toToml", &[value]),
            r#"a = [1.0, "x", {b = 1.0, }]
f = 1e+21
t = "a\"\u007f\n"

[[b]]

  [[b.x]]
    z = 1.0

[[b]]
  true = 2

[i]

[k]
  [k."l m"]
    p = true
"#
        );
    }

    #[test]
    fn what_toml_lacks_is_refused() {
        for (value, error) in [
            (map([("a", Value::list(vec![Value::Nil]))]), "toml: cannot encode array with nil element"),
            (Value::list(vec![map([])]), "toml: top-level values must be Go maps or structs"),
        ] {
            assert_eq!(call("toToml", std::slice::from_ref(&value)), error);
            assert_eq!(call("mustToToml", &[value]), format!("error: {error}"));
        }
        assert_eq!(call("toToml", &[Value::Nil]), "error: reflect: call of reflect.Value.Type on zero Value");
    }

    #[test]
    fn documents_are_read() {
        let document = "a = 1\nb = [1.5, inf]\nc = 1979-05-27T07:32:00Z\nd = 1979-05-27\n[e]\nf = 'x'";
        assert_eq!(
            call("fromToml", &[document.into()]),
            "map[a:1 b:[1.5 +Inf] c:1979-05-27 07:32:00 +0000 UTC d:1979-05-27 00:00:00 +0000 date-local e:map[f:x]]"
        );
        assert!(call("fromToml", &["a = 1\nb = ".into()]).starts_with("map[Error:toml: line 2: "));
        let context = super::super::testing::context();
        let mut env = super::super::testing::env(&context);
        let dates = "a = 1979-05-27T07:32:00.5\nb = 1979-05-27\nc = 07:32:00\nd = 1979-05-27T00:32:00-07:00\n";
        let value = read(&env, dates).expect("valid");
        assert_eq!(write(&mut env, &value).expect("within limits"), Ok(dates.to_owned()));
    }
}
