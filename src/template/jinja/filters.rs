//! Filters and functions that are Jinja's own here: those about text and YAML, and minijinja's where they must differ.

use super::error::Issue;
use super::runtime::Runtime;
use super::write::{Writer, as_fragment, describe, scalar_text};
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value};
use std::sync::Arc;

pub(super) fn register(env: &mut Environment<'static>, runtime: &Arc<Runtime>) {
    env.add_filter("raw", raw);
    env.add_filter("safe", raw);
    let limit = runtime.project.context.limits.output;
    env.add_filter("toyaml", move |value: &Value| toyaml(value, limit));
    env.add_filter("indent", indent);
    env.add_filter("nindent", nindent);
}

/// `raw`: the text of a value, inserted as it is.
fn raw(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() || value.is_safe() {
        return Ok(value.clone());
    }
    match scalar_text(value)? {
        Some(text) => Ok(Value::from_safe_string(text.into_owned())),
        None => Ok(Value::from_safe_string(value.to_string())),
    }
}

/// `toyaml`: a value as a fragment of YAML in block style.
fn toyaml(value: &Value, limit: usize) -> Result<Value, Error> {
    if value.is_undefined() || value.is_safe() {
        return Ok(value.clone());
    }
    let mut writer = Writer::new(limit);
    writer.block(value, 0)?;
    Ok(Value::from_safe_string(writer.out))
}

/// `indent`: fragments are indented where they are inserted.
fn indent(value: &Value, width: usize, first: Option<bool>, blank: Option<bool>, kwargs: Kwargs) -> Result<Value, Error> {
    if as_fragment(value).is_some() {
        kwargs.get::<Option<bool>>("first")?;
        kwargs.get::<Option<bool>>("blank")?;
        kwargs.assert_all_used()?;
        return Ok(value.clone());
    }
    let text = string(value, "indent")?;
    let first = kwargs.get::<Option<bool>>("first")?.or(first).unwrap_or(false);
    let blank = kwargs.get::<Option<bool>>("blank")?.or(blank).unwrap_or(false);
    kwargs.assert_all_used()?;
    indented(&text, width, first, blank).map(Value::from)
}

/// `nindent`: a line break, then every line indented.
fn nindent(value: &Value, width: usize) -> Result<Value, Error> {
    if as_fragment(value).is_some() {
        return Ok(value.clone());
    }
    let text = string(value, "nindent")?;
    indented(&text, width, true, true).map(|text| Value::from(format!("\n{text}")))
}

/// More blanks than this before a line are a mistake or an attack.
const MAX_WIDTH: usize = 1000;

fn indented(text: &str, width: usize, first: bool, blank: bool) -> Result<String, Error> {
    if width > MAX_WIDTH {
        return Err(super::error::limit(format!("an indent of {width} is more than {MAX_WIDTH}")));
    }
    let mut out = String::with_capacity(text.len() + width * 4);
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if (at > 0 || first) && (blank || !line.is_empty()) {
            super::fragment::push_blanks(&mut out, width);
        }
        out.push_str(line);
    }
    Ok(out)
}

fn string(value: &Value, filter: &str) -> Result<String, Error> {
    scalar_text(value)?.map(|text| text.into_owned()).ok_or_else(|| {
        Issue::new(format!("`{filter}` works on text, not on {}", describe(value)))
            .hint("a map or list needs neither `toyaml` nor an indent: `key: {{ value }}` writes it where it belongs")
            .error()
    })
}
