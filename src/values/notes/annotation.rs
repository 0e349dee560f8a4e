//! JSON Schema in comments: blocks between two `# @schema` lines, as dadav/helm-schema reads them, and lines such as
//! `# @schema type:string;minLength:1`, as losisin/helm-values-schema-json reads them.

use super::{Note, refused};
use crate::diagnostic::{Diagnostic, FileId};
use crate::yaml::{self, Comment, Data};
use serde_json::{Map, Value, json};

/// Keywords for one value.
#[derive(Debug, Clone, Default)]
pub(super) struct Annotation {
    keywords: Map<String, Value>,
    /// Those for the items of a list.
    items: Map<String, Value>,
    required: Option<bool>,
    hidden: bool,
    nullable: bool,
    merge_properties: bool,
    skip_properties: bool,
}

type Result<T> = std::result::Result<T, Box<Diagnostic>>;

const BLOCK: &str = "@schema";
const ROOT: &str = "@schema.root";

/// Takes the annotations out of the comments above a value; the second part is the rest.
pub(super) fn above<'a>(comments: &[Comment<'a>]) -> Result<(Annotation, Vec<Comment<'a>>)> {
    let mut annotation = Annotation::default();
    let mut rest = Vec::new();
    let mut block: Option<(Comment, String)> = None;
    let mut in_root = false;
    for comment in comments {
        let text = comment.text.trim();
        if text == ROOT {
            in_root = !in_root;
        } else if in_root {
        } else if text == BLOCK {
            match block.take() {
                None => block = Some((*comment, String::new())),
                Some((start, lines)) => annotation.block(&lines, &start)?,
            }
        } else if let Some((_, lines)) = &mut block {
            *lines += comment.text.strip_prefix(' ').unwrap_or(comment.text);
            lines.push('\n');
        } else if !annotation.line(comment)? {
            rest.push(*comment);
        }
    }
    match block {
        Some((start, _)) => Err(refused(&start, "`@schema` starts a block that does not end".to_owned())),
        None => Ok((annotation, rest)),
    }
}

/// The keywords of `@schema.root` blocks.
pub(super) fn root(comments: &[Comment<'_>]) -> Result<Map<String, Value>> {
    let mut keywords = Map::new();
    let mut block: Option<(&Comment, String)> = None;
    for comment in comments {
        if comment.text.trim() == ROOT {
            match block.take() {
                None => block = Some((comment, String::new())),
                Some((start, lines)) => keywords.extend(object(&lines, start)?),
            }
        } else if let Some((_, lines)) = &mut block {
            *lines += comment.text.strip_prefix(' ').unwrap_or(comment.text);
            lines.push('\n');
        }
    }
    match block {
        Some((start, _)) => Err(refused(start, "`@schema.root` starts a block that does not end".to_owned())),
        None => Ok(keywords),
    }
}

impl Annotation {
    fn block(&mut self, lines: &str, start: &Comment<'_>) -> Result<()> {
        for (key, value) in object(lines, start)? {
            let value = if key == "type" { types(value, start)? } else { value };
            self.keyword(key, value);
        }
        Ok(())
    }

    fn keyword(&mut self, key: String, value: Value) {
        match (key.as_str(), &value) {
            ("required", Value::Bool(required)) => self.required = Some(*required),
            ("hidden", _) => self.hidden = true,
            _ => {
                self.keywords.insert(key, value);
            }
        }
    }

    /// Reads a one-line annotation; `false` for other comments.
    pub(super) fn line(&mut self, comment: &Comment<'_>) -> Result<bool> {
        let text = comment.text.trim();
        let Some(parts) = text.strip_prefix(BLOCK).filter(|rest| rest.starts_with(char::is_whitespace)) else {
            return Ok(false);
        };
        for part in parts.split(';') {
            let (key, value) = part.split_once(':').unwrap_or((part, ""));
            self.part(key.trim(), value.trim(), comment)?;
        }
        Ok(true)
    }

    fn part(&mut self, key: &str, value: &str, comment: &Comment<'_>) -> Result<()> {
        let yes = || match value {
            "" | "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(refused(comment, format!("`{key}` is `true` or `false`, not `{value}`"))),
        };
        let number = || match scalar(value) {
            number @ Value::Number(_) => Ok(number),
            _ => Err(refused(comment, format!("`{key}` is a number, not `{value}`"))),
        };
        let data = || match read(value) {
            Some(data) if !value.is_empty() => Ok(data),
            _ => Err(refused(comment, format!("`{key}` is followed by YAML in flow style, found `{value}`"))),
        };
        let words = || match list(value) {
            Value::Array(mut words) if words.len() == 1 => words.swap_remove(0),
            words => words,
        };
        let (target, name, value) = match key {
            "" => return Ok(()),
            "required" => {
                self.required = Some(yes()?);
                return Ok(());
            }
            "hidden" => {
                self.hidden = yes()?;
                return Ok(());
            }
            "nullable" => {
                self.nullable = yes()?;
                return Ok(());
            }
            "mergeProperties" => {
                self.merge_properties = yes()?;
                return Ok(());
            }
            "skipProperties" => {
                self.skip_properties = yes()?;
                return Ok(());
            }
            "type" => (&mut self.keywords, key, types(words(), comment)?),
            "enum" | "examples" => (&mut self.keywords, key, list(value)),
            "pattern" | "title" | "description" | "$id" | "$ref" | "format" => (&mut self.keywords, key, value.into()),
            "multipleOf" | "maximum" | "minimum" | "exclusiveMaximum" | "exclusiveMinimum" | "maxLength"
            | "minLength" | "maxItems" | "minItems" | "maxProperties" | "minProperties" => {
                (&mut self.keywords, key, number()?)
            }
            "uniqueItems" | "readOnly" | "writeOnly" | "deprecated" => (&mut self.keywords, key, yes()?.into()),
            "additionalProperties" | "unevaluatedProperties" if value.is_empty() => {
                (&mut self.keywords, key, true.into())
            }
            "additionalProperties"
            | "unevaluatedProperties"
            | "patternProperties"
            | "default"
            | "const"
            | "allOf"
            | "anyOf"
            | "oneOf"
            | "not"
            | "properties"
            | "items" => (&mut self.keywords, key, data()?),
            "item" => (&mut self.items, "type", types(words(), comment)?),
            "itemProperties" => (&mut self.items, "properties", data()?),
            "itemRequired" => (&mut self.items, "required", list(value)),
            "itemEnum" => (&mut self.items, "enum", list(value)),
            "itemPattern" => (&mut self.items, "pattern", value.into()),
            "itemRef" => (&mut self.items, "$ref", value.into()),
            _ => return Err(refused(comment, format!("`@schema` knows no `{key}`"))),
        };
        target.insert(name.to_owned(), value);
        Ok(())
    }

    pub(super) fn apply(self, note: &mut Note, is_map: bool) {
        let Annotation { mut keywords, items, required, hidden, nullable, merge_properties, skip_properties } = self;
        if !items.is_empty() {
            match keywords.get_mut("items") {
                Some(Value::Object(own)) => own.extend(items),
                _ => {
                    keywords.insert("items".to_owned(), Value::Object(items));
                }
            }
        }
        if let Some(Value::String(description)) = keywords.shift_remove("description") {
            // In a table for users stands what is marked for it.
            if !note.marked {
                note.description.clone_from(&description);
            }
            keywords.insert("description".to_owned(), description.into());
        }
        // A list of names is about what is in a mapping, not about the mapping itself.
        if !is_map && matches!(keywords.get("required"), Some(Value::Array(_))) && !keywords.contains_key("properties")
        {
            keywords.shift_remove("required");
        }
        note.schema = keywords;
        note.required = required;
        note.hidden = hidden;
        note.nullable |= nullable;
        note.merge_properties = merge_properties;
        note.skip_properties = skip_properties;
    }
}

fn object(lines: &str, start: &Comment<'_>) -> Result<Map<String, Value>> {
    match read(lines) {
        Some(Value::Object(map)) => Ok(map),
        Some(Value::Null) => Ok(Map::new()),
        _ => Err(refused(start, "the block after `@schema` must be a YAML mapping of JSON Schema keywords".to_owned())),
    }
}

fn read(text: &str) -> Option<Value> {
    yaml::read(text, FileId(0)).first().ok().map(|node| node.to_json())
}

/// A scalar, as YAML reads it.
fn scalar(text: &str) -> Value {
    match yaml::read(text, FileId(0)).first() {
        Ok(node) if !matches!(node.data, Data::Map(_) | Data::Seq(_)) => node.to_json(),
        _ => text.into(),
    }
}

/// `[a, b, null]`, also without brackets.
fn list(text: &str) -> Value {
    if text.starts_with('[')
        && let Some(list @ Value::Array(_)) = read(text)
    {
        return list;
    }
    let inner = text.strip_prefix('[').unwrap_or(text).strip_suffix(']').unwrap_or(text);
    inner.split(',').map(|item| scalar(item.trim())).collect()
}

const TYPES: &[&str] = &["string", "number", "integer", "boolean", "object", "array", "null"];

/// The names of types; YAML reads that of nothing as nothing.
fn types(value: Value, comment: &Comment<'_>) -> Result<Value> {
    let value = match value {
        Value::Null => json!("null"),
        Value::Array(items) => {
            items.into_iter().map(|item| if item.is_null() { json!("null") } else { item }).collect()
        }
        value => value,
    };
    let is_type = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    let fits = match &value {
        Value::Array(items) => items.iter().all(is_type),
        one => is_type(one),
    };
    match fits {
        true => Ok(value),
        false => Err(refused(comment, format!("a type is one or a list of {}", TYPES.join(", ")))),
    }
}
