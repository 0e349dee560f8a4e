//! What macros and captures give: YAML that knows where it came from, a string, or a value.

use super::error::Issue;
use super::fragment::push_blanks;
use super::rewrite::{Content, Role, Spot};
use super::runtime::{Runtime, lock};
use super::trace::{Record, aligned};
use super::write::scalar_text;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};
use std::fmt;
use std::sync::Arc;

impl Runtime {
    /// `__cap`: what a captured text is.
    pub(super) fn capture(&self, captured: &str, number: usize) -> Result<Value, Error> {
        let spot = self.spot(number)?;
        let mut run = lock(&self.run);
        let outside = run.records.iter().rposition(|record| {
            let inside = spot.range.start <= record.spot.range.start && record.spot.range.end <= spot.range.end;
            record.spot.template == spot.template && !inside
        });
        let inner = run.records.split_off(outside.map_or(0, |outside| outside + 1));
        drop(run);
        self.captured(captured, &spot, &inner)
    }

    /// What the text of a macro or capture is, with the records of what was written in it.
    fn captured(&self, captured: &str, spot: &Spot, inner: &[Record]) -> Result<Value, Error> {
        let Role::Body(content, indent) = spot.role else { return Ok(Value::from(captured)) };
        let sole = lock(&self.run).sole.take();
        let trimmed = captured.trim();
        let sole = sole.filter(|(text, _)| text.trim() == trimmed).map(|(_, value)| value);
        Ok(match content {
            Content::Verbatim => Value::from(captured),
            Content::Fragment => {
                let mut text = String::with_capacity(captured.len() + indent);
                push_blanks(&mut text, indent);
                text.push_str(captured);
                let pieces = aligned(&text, inner, Some(spot), &self.project);
                let value = Value::from_safe_string(text);
                if let Some(text) = value.to_str().filter(|text| !text.is_empty()) {
                    let trace = (Arc::clone(&text), Arc::new(pieces));
                    lock(&self.run).traces.insert(text.as_ptr() as usize, trace);
                }
                value
            }
            Content::Literal => Value::from_safe_string(trimmed.to_owned()),
            Content::Value => match sole {
                Some(value) => value,
                None => Value::from_safe_string(trimmed.to_owned()),
            },
            Content::Text => match sole {
                Some(value) if scalar_text(&value)?.is_none() => value,
                _ => Value::from(trimmed),
            },
        })
    }

    /// `__macro`: a macro that gives what its body holds.
    pub(super) fn wrap_macro(self: &Arc<Self>, inner: Value, number: usize) -> Result<Value, Error> {
        let name = inner.get_attr("name").ok().and_then(|name| name.to_str()).unwrap_or_default();
        Ok(Value::from_object(Macro { inner, name, spot: self.spot(number)?, runtime: Arc::clone(self) }))
    }
}

/// A macro that knows what it gives, and where it is called from when it fails.
struct Macro {
    inner: Value,
    name: Arc<str>,
    spot: Arc<Spot>,
    runtime: Arc<Runtime>,
}

impl fmt::Debug for Macro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<macro {}>", self.name)
    }
}

impl Object for Macro {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.inner.get_item(key).ok().filter(|value| !value.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
        self.runtime.guard_all(state, arguments)?;
        let (written, mark) = {
            let run = lock(&self.runtime.run);
            (run.written, run.records.len())
        };
        let result = self.inner.call(state, arguments);
        let inner = {
            let mut run = lock(&self.runtime.run);
            run.written = written;
            let mark = mark.min(run.records.len());
            run.records.split_off(mark)
        };
        match result {
            Ok(captured) => self.runtime.captured(captured.as_str().unwrap_or_default(), &self.spot, &inner),
            Err(error) if error.name().is_none() && error.detail() == Some("recursion limit exceeded") => Err(error),
            Err(error) if error.name().is_none() => Err(self.argument_error(&error, arguments)),
            Err(error) => Err(Error::new(ErrorKind::EvalBlock, format!("in macro `{}`", self.name)).with_source(error)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<macro {}>", self.name)
    }
}

impl Macro {
    /// An error of the call itself.
    fn argument_error(&self, error: &Error, arguments: &[Value]) -> Error {
        let names = self
            .inner
            .get_attr("arguments")
            .and_then(|names| names.try_iter())
            .map(|names| names.filter_map(|name| name.to_str()).map(|name| name.to_string()).collect::<Vec<_>>());
        let names = names.unwrap_or_default();
        let signature = format!("{}({})", self.name, names.join(", "));
        let message = match (error.kind(), error.detail()) {
            (ErrorKind::TooManyArguments, None) => {
                format!("macro `{}` takes {}, but {} were given", self.name, count(names.len()), arguments.len())
            }
            (_, Some(detail)) => format!("macro `{}`: {detail}", self.name),
            (kind, None) => format!("macro `{}`: {kind}", self.name),
        };
        Issue::new(message).hint(format!("its arguments: `{signature}`")).error()
    }
}

fn count(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        count => format!("{count} arguments"),
    }
}
