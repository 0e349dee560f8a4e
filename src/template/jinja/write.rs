//! Writes values as YAML: block style at a column, flow style, or as the text of a scalar.

use super::data::{Entries, Items, plain};
use super::error::{Issue, limit};
use super::fragment::{push_blanks, push_shifted, trim_lines};
use super::scalar::{decode, float, is_scalar_line, literal_header};
use super::trace::Line;
use crate::yaml::{Data, Place, push_escaped, push_scalar};
use minijinja::value::{ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// Maps and lists inside each other; deeper values are refused.
pub(super) const MAX_DEPTH: usize = 128;

/// Writes into a text of limited size.
pub(super) struct Writer {
    pub(super) out: String,
    /// Whether strings of several lines may be literal blocks: not if something follows on the last line.
    pub(super) literals: bool,
    /// Where the lines of a fragment went, if asked for.
    pub(super) lines: Option<Vec<Line>>,
    limit: usize,
    depth: usize,
}

/// A container's content.
enum Content {
    Map(Vec<(Value, Value)>),
    List(Vec<Value>),
}

impl Writer {
    pub(super) fn new(limit: usize) -> Self {
        Writer { out: String::new(), literals: true, lines: None, limit, depth: 0 }
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(limit(format!("a value has maps or lists more than {MAX_DEPTH} levels deep")));
        }
        self.check()
    }

    fn check(&self) -> Result<(), Error> {
        if self.out.len() > self.limit {
            return Err(limit(format!("a value takes more than {} bytes of output", self.limit)));
        }
        Ok(())
    }

    /// A value alone on its line. A literal block's text stands deeper than its header, as it must at the top.
    pub(super) fn line(&mut self, value: &Value, column: usize) -> Result<(), Error> {
        match value.kind() {
            ValueKind::String if as_fragment(value).is_none() => self.scalar(value, column + 2),
            _ => self.block(value, column),
        }
    }

    fn next_line(&mut self, column: usize) {
        self.out.push('\n');
        push_blanks(&mut self.out, column);
    }

    /// A value behind a colon or dash with its blank: a scalar, or a collection that starts on the next line.
    /// `column` is that of a mapping's entries; a sequence starts two columns before it.
    pub(super) fn value(&mut self, value: &Value, column: usize, blank: bool) -> Result<(), Error> {
        let space = if blank { " " } else { "" };
        if let Some(fragment) = as_fragment(value) {
            let text = trim_lines(fragment);
            if text.is_empty() {
                return Ok(());
            }
            if !text.contains('\n') && is_scalar_line(text.trim_start()) {
                self.out.push_str(space);
                push_shifted(&mut self.out, fragment, 0, true, self.lines.as_mut());
            } else {
                self.out.push('\n');
                push_shifted(&mut self.out, fragment, column, false, self.lines.as_mut());
            }
            return self.check();
        }
        match container(value)? {
            None => {
                self.out.push_str(space);
                self.scalar(value, column)
            }
            Some(Content::Map(entries)) if entries.is_empty() => self.push(space, "{}"),
            Some(Content::List(items)) if items.is_empty() => self.push(space, "[]"),
            Some(Content::Map(entries)) => {
                self.next_line(column);
                self.entries(entries, column)
            }
            Some(Content::List(items)) => {
                let column = column.saturating_sub(2);
                self.next_line(column);
                self.items(items, column)
            }
        }
    }

    fn push(&mut self, space: &str, text: &str) -> Result<(), Error> {
        self.out.push_str(space);
        self.out.push_str(text);
        Ok(())
    }

    /// A value whose first line starts where the output stands, at `column`.
    pub(super) fn block(&mut self, value: &Value, column: usize) -> Result<(), Error> {
        if let Some(fragment) = as_fragment(value) {
            push_shifted(&mut self.out, fragment, column, true, self.lines.as_mut());
            return self.check();
        }
        match container(value)? {
            None => self.scalar(value, column),
            Some(Content::Map(entries)) if entries.is_empty() => self.push("", "{}"),
            Some(Content::List(items)) if items.is_empty() => self.push("", "[]"),
            Some(Content::Map(entries)) => self.entries(entries, column),
            Some(Content::List(items)) => self.items(items, column),
        }
    }

    fn entries(&mut self, entries: Vec<(Value, Value)>, column: usize) -> Result<(), Error> {
        self.enter()?;
        for (at, (key, value)) in entries.iter().enumerate() {
            if at > 0 {
                self.next_line(column);
            }
            self.key(key)?;
            self.out.push(':');
            self.value(value, column + 2, true)?;
            self.check()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn items(&mut self, items: Vec<Value>, column: usize) -> Result<(), Error> {
        self.enter()?;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.next_line(column);
            }
            self.out.push_str("- ");
            self.block(item, column + 2)?;
            self.check()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn key(&mut self, key: &Value) -> Result<(), Error> {
        let text = scalar_text(key)?.ok_or_else(|| {
            Issue::new(format!("{} cannot be a key", describe(key))).hint("use a string as the key").error()
        })?;
        push_scalar(&mut self.out, &text, Place::Key);
        Ok(())
    }

    /// A scalar; strings of several lines as literal blocks if nothing follows on the line.
    fn scalar(&mut self, value: &Value, column: usize) -> Result<(), Error> {
        match value.as_str().filter(|_| value.kind() == ValueKind::String) {
            Some(text) => {
                match literal_header(text).filter(|_| self.literals) {
                    Some(header) => {
                        self.out.push_str(header);
                        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
                            self.out.push('\n');
                            if !line.is_empty() {
                                push_blanks(&mut self.out, column);
                                self.out.push_str(line);
                            }
                        }
                    }
                    None => push_scalar(&mut self.out, text, Place::Block),
                }
                self.check()
            }
            None => self.simple(value, Place::Block),
        }
    }

    /// A string as it stands in a key or flow collection.
    pub(super) fn string(&mut self, text: &str, place: Place) {
        push_scalar(&mut self.out, text, place);
    }

    /// A scalar that is no string, or an object's text.
    fn simple(&mut self, value: &Value, place: Place) -> Result<(), Error> {
        match value.kind() {
            ValueKind::None => self.out.push_str("null"),
            ValueKind::Undefined => return Err(undefined_inside()),
            ValueKind::Bool => self.out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.out.push_str(&number(value)),
            _ => match scalar_text(value)? {
                Some(text) => push_scalar(&mut self.out, &text, place),
                None => return Err(Issue::new(format!("{} cannot be written as YAML", describe(value))).error()),
            },
        }
        Ok(())
    }

    /// Flow style on one line.
    pub(super) fn flow(&mut self, value: &Value) -> Result<(), Error> {
        if let Some(fragment) = as_fragment(value) {
            let text = fragment.trim();
            if text.contains('\n') || !is_scalar_line(text) {
                return Err(Issue::new("YAML of several lines cannot stand inside `[ ]` or `{ }`")
                    .hint("pass it through `|fromyaml`, which makes data of it")
                    .error());
            }
            self.out.push_str(if text.is_empty() { "null" } else { text });
            return Ok(());
        }
        if let Some(text) = value.as_str().filter(|_| value.kind() == ValueKind::String) {
            push_scalar(&mut self.out, text, Place::Flow);
            return self.check();
        }
        match container(value)? {
            None => self.simple(value, Place::Flow),
            Some(Content::Map(entries)) => {
                self.enter()?;
                self.out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    self.key(key)?;
                    self.out.push_str(": ");
                    self.flow(value)?;
                }
                self.out.push('}');
                self.depth -= 1;
                Ok(())
            }
            Some(Content::List(items)) => {
                self.enter()?;
                self.out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    self.flow(item)?;
                }
                self.out.push(']');
                self.depth -= 1;
                Ok(())
            }
        }
    }

    /// Text inside double quotes.
    pub(super) fn escaped(&mut self, text: &str) {
        push_escaped(&mut self.out, text);
    }
}

/// The text of a safe string: YAML that a macro, a capture or a filter made.
pub(super) fn as_fragment(value: &Value) -> Option<&str> {
    if value.is_safe() { value.as_str() } else { None }
}

/// The entries or items of a map or list; `None` for everything else.
fn container(value: &Value) -> Result<Option<Content>, Error> {
    if let Some(entries) = value.downcast_object_ref::<Entries>() {
        entries.read_whole();
        let pairs = entries.entries.iter().map(|(key, entry)| (Value::from(Arc::clone(key)), plain(&entry.value)));
        return Ok(Some(Content::Map(pairs.collect())));
    }
    if let Some(items) = value.downcast_object_ref::<Items>() {
        items.read_whole();
        return Ok(Some(Content::List(items.items.iter().map(plain).collect())));
    }
    match value.kind() {
        ValueKind::Map => {
            let pairs = value.as_object().and_then(|object| object.try_iter_pairs());
            Ok(Some(Content::Map(pairs.map(Iterator::collect).unwrap_or_default())))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.collect();
            match items.iter().find(|item| item.kind() == ValueKind::Invalid) {
                Some(item) => Err(Error::new(ErrorKind::InvalidOperation, item.to_string())),
                None => Ok(Some(Content::List(items))),
            }
        }
        _ => Ok(None),
    }
}

/// A number as YAML.
pub(super) fn number(value: &Value) -> String {
    if value.is_integer() {
        return value.to_string();
    }
    f64::try_from(value.clone()).map_or_else(|_| value.to_string(), float)
}

/// The text that a scalar stands for inside other text: `None` for maps and lists.
pub(super) fn scalar_text(value: &Value) -> Result<Option<Cow<'_, str>>, Error> {
    Ok(Some(match value.kind() {
        ValueKind::None => Cow::Borrowed(""),
        ValueKind::Undefined => return Err(undefined_inside()),
        ValueKind::Bool => Cow::Borrowed(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => Cow::Owned(number(value)),
        ValueKind::String => Cow::Borrowed(value.as_str().unwrap_or_default()),
        ValueKind::Bytes => {
            return Err(Issue::new("binary data cannot be inserted into text").hint("encode it: `|b64encode`").error());
        }
        ValueKind::Invalid => return Err(Error::new(ErrorKind::InvalidOperation, value.to_string())),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => return Ok(None),
        _ => {
            let text = value.to_string();
            let callable = text.starts_with("<macro ")
                || value
                    .as_object()
                    .is_some_and(|object| object.repr() == ObjectRepr::Plain && text.starts_with("minijinja::"));
            if callable {
                return Err(Issue::new("this is a macro or function, not a value")
                    .hint("call it: write `name()`")
                    .error());
            }
            Cow::Owned(text)
        }
    }))
}

/// The text of a value in a plain scalar of several pieces, where a fragment counts by what it means.
pub(super) fn part_text(value: &Value) -> Result<Option<Cow<'_, str>>, Error> {
    match as_fragment(value) {
        Some(fragment) => Ok(decode(fragment)),
        None => scalar_text(value),
    }
}

fn undefined_inside() -> Error {
    Error::new(ErrorKind::UndefinedError, "a value inside this map or list is undefined")
}

/// What a value is, for messages: `a map`, `the list […]`.
pub(super) fn describe(value: &Value) -> &'static str {
    if as_fragment(value).is_some() {
        return "YAML with structure";
    }
    match value.kind() {
        ValueKind::Undefined => "an undefined value",
        ValueKind::None => "null",
        ValueKind::Bool => "a boolean",
        ValueKind::Number => "a number",
        ValueKind::String => "a string",
        ValueKind::Bytes => "binary data",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a map",
        _ => "an object",
    }
}

/// Flow style of a node of the values, for texts that show a value as a whole.
pub(super) fn flow_of_node(data: &Data) -> String {
    fn write(data: &Data, out: &mut String, depth: usize) {
        match data {
            _ if depth > MAX_DEPTH => out.push_str("..."),
            Data::Null => out.push_str("null"),
            Data::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Data::Int(number) => out.push_str(&number.to_string()),
            Data::Uint(number) => out.push_str(&number.to_string()),
            Data::Float(number) => out.push_str(&float(*number)),
            Data::Str(text) => push_scalar(out, text, Place::Flow),
            Data::Seq(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    write(&item.data, out, depth + 1);
                }
                out.push(']');
            }
            Data::Map(entries) => {
                out.push('{');
                for (at, (key, entry)) in entries.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    push_scalar(out, key, Place::Key);
                    out.push_str(": ");
                    write(&entry.value.data, out, depth + 1);
                }
                out.push('}');
            }
        }
    }
    let mut out = String::new();
    write(data, &mut out, 0);
    out
}
