//! Filters and functions that are Jinja's own here: those about text and YAML, and minijinja's where they must differ.

use super::convert::{from_go, go_node, to_go};
use super::error::Issue;
use super::runtime::Runtime;
use super::write::{Writer, as_fragment, describe, scalar_text};
use crate::value::json::{self, Layout};
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, State, Value};
use std::sync::Arc;

pub(super) fn register(env: &mut Environment<'static>, runtime: &Arc<Runtime>) {
    env.add_filter("raw", raw);
    env.add_filter("safe", raw);
    let limit = runtime.project.context.limits.output;
    env.add_filter("toyaml", move |value: &Value| toyaml(value, limit));
    env.add_filter("indent", indent);
    env.add_filter("nindent", nindent);
    env.add_filter("quote", |value: &Value| quote(value, '"'));
    env.add_filter("squote", |value: &Value| quote(value, '\''));
    env.add_filter("string", move |value: &Value| to_string(value, limit));
    let join_items = move |state: &State<'_, '_>, value: &Value, separator: Option<&str>, kwargs: Kwargs| {
        let attribute: Option<String> = kwargs.get("attribute")?;
        let named: Option<String> = kwargs.get("d")?;
        kwargs.assert_all_used()?;
        join(state, value, separator.or(named.as_deref()), attribute.as_deref(), limit)
    };
    env.add_filter("join", join_items);
    env.add_filter("tojson", to_json);
    env.add_function("tojson", to_json);
    env.add_filter("fromyaml", from_yaml);
    env.add_function("fromyaml", from_yaml);
    env.add_filter("fromjson", from_json);
    env.add_function("fromjson", from_json);
    env.add_function("toyaml", move |value: &Value| toyaml(value, limit));
    env.add_function("fail", fail);
    env.add_filter("required", required);
    env.add_function("required", |message: &str, value: &Value| required(value, message));
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

/// Whether a value is indented where it is inserted, so that a filter has nothing to do.
fn is_structure(value: &Value) -> bool {
    as_fragment(value).is_some() || matches!(value.kind(), ValueKind::Map | ValueKind::Seq | ValueKind::Iterable)
}

/// `indent`: YAML, maps and lists are indented where they are inserted.
fn indent(
    value: &Value,
    width: usize,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    if is_structure(value) {
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
    if is_structure(value) {
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

/// `quote` and `squote`: text in quotes. In YAML it is one string, wherever it stands.
fn quote(value: &Value, quote: char) -> Result<Value, Error> {
    if value.is_undefined() {
        return Ok(value.clone());
    }
    let text = string(value, "quote")?;
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    if quote == '"' {
        crate::yaml::push_escaped(&mut out, &text);
    } else {
        out.push_str(&text.replace('\'', "''"));
    }
    out.push(quote);
    Ok(Value::from_safe_string(out))
}

/// `string`: the text of a scalar; a map or list in flow style.
fn to_string(value: &Value, limit: usize) -> Result<Value, Error> {
    if value.kind() == ValueKind::String {
        return Ok(value.clone());
    }
    if let Some(text) = scalar_text(value)? {
        return Ok(Value::from(text.into_owned()));
    }
    let mut writer = Writer::new(limit);
    writer.flow(value)?;
    Ok(Value::from(writer.out))
}

/// `join`: the texts of a list's items. Fragments among them make the result one.
fn join(
    state: &State<'_, '_>,
    value: &Value,
    separator: Option<&str>,
    attribute: Option<&str>,
    limit: usize,
) -> Result<Value, Error> {
    let separator = separator.unwrap_or_default();
    let items: Vec<Value> = value.try_iter()?.collect();
    state.consume_fuel(items.len() as u64)?;
    let fragment = items.iter().any(Value::is_safe);
    let mut writer = Writer::new(limit);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            writer.out.push_str(separator);
        }
        let item = match attribute {
            Some(name) => item.get_attr(name)?,
            None => item.clone(),
        };
        match scalar_text(&item)? {
            Some(text) if !fragment || item.is_safe() => writer.out.push_str(&text),
            Some(_) => writer.flow(&item)?,
            None => {
                return Err(Issue::new(format!("`join` cannot join {}", describe(&item)))
                    .hint("pick one attribute of each item: `|join(', ', attribute='name')`")
                    .error());
            }
        }
    }
    Ok(if fragment { Value::from_safe_string(writer.out) } else { Value::from(writer.out) })
}

/// `tojson`: the JSON of a value as a string, with an indent on several lines.
fn to_json(value: &Value, indent: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let named: Option<Value> = kwargs.get("indent")?;
    kwargs.assert_all_used()?;
    if value.is_undefined() {
        value.get_attr("")?;
    }
    let layout = if indent.or(named).is_some_and(|indent| indent.is_true()) { Layout::Pretty } else { Layout::Compact };
    match json::to_json(&to_go(value)?, layout) {
        Ok(text) => Ok(Value::from(text)),
        Err(message) => Err(Issue::new(format!("`tojson`: {message}")).error()),
    }
}

/// `fromyaml`: data from YAML text; whole numbers stay whole.
fn from_yaml(value: &Value) -> Result<Value, Error> {
    let mut text = string(value, "fromyaml")?;
    // `toyaml` gives no last line break, which a literal block at the end needs.
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let parsed = crate::yaml::read(&text, crate::diagnostic::FileId(0));
    if let Some(error) = parsed.error {
        return Err(Issue::new(format!("`fromyaml`: {}", error.diagnostic.message)).error());
    }
    Ok(match parsed.documents.as_slice() {
        [] => Value::from(()),
        [one, ..] => from_go(&go_node(one)),
    })
}

/// `fromjson`: data from JSON text; whole numbers stay whole.
fn from_json(value: &Value) -> Result<Value, Error> {
    let text = string(value, "fromjson")?;
    match json::from_json_exact(&text) {
        Ok(value) => Ok(from_go(&value)),
        Err(message) => Err(Issue::new(format!("`fromjson`: {message}")).error()),
    }
}

/// `fail`: stops the render with a message.
fn fail(message: &str) -> Result<Value, Error> {
    Err(Issue::new(message.to_owned()).error())
}

/// `required`: the value, or the message as an error where there is none.
fn required(value: &Value, message: &str) -> Result<Value, Error> {
    if super::functions::is_given(value) { Ok(value.clone()) } else { fail(message) }
}
