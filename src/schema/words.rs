//! Types and lists in words.

use super::pool::Pool;
use super::shape::{Format, Shape};
use crate::yaml::{Data, Node};

/// What a shape wants: `an integer`, `a list of strings`, `an object (Container)`.
pub fn describe(shape: &Shape, pool: &Pool) -> String {
    match shape {
        Shape::Any => "any value".to_owned(),
        Shape::AnyObject => "an object".to_owned(),
        Shape::Boolean => "a boolean".to_owned(),
        Shape::Integer(_) => "an integer".to_owned(),
        Shape::Number => "a number".to_owned(),
        Shape::String { format: Format::Byte, .. } => "a base64 string".to_owned(),
        Shape::String { format: Format::DateTime, .. } => "a date and time".to_owned(),
        Shape::String { values, .. } if values.is_empty() => "a string".to_owned(),
        Shape::String { values, .. } => alternatives(values.iter().map(|value| value.as_ref())),
        Shape::IntOrString => "an integer or a string".to_owned(),
        Shape::Quantity => "a quantity such as `500m` or `1Gi`".to_owned(),
        Shape::List { items, .. } => format!("a list of {}", plural(items, pool)),
        Shape::Map(items) => format!("a mapping from names to {}", plural(items, pool)),
        Shape::Object(_) => "an object".to_owned(),
        Shape::Ref(reference) => match pool.resolve(reference) {
            Some(definition) => format!("an object ({})", definition.short_name()),
            None => "an object".to_owned(),
        },
        Shape::Custom(custom) => describe(&custom.shape, pool),
    }
}

fn plural(shape: &Shape, pool: &Pool) -> String {
    match shape {
        Shape::Any => "values".to_owned(),
        Shape::AnyObject | Shape::Object(_) => "objects".to_owned(),
        Shape::Boolean => "booleans".to_owned(),
        Shape::Integer(_) => "integers".to_owned(),
        Shape::Number => "numbers".to_owned(),
        Shape::String { .. } => "strings".to_owned(),
        Shape::IntOrString => "integers or strings".to_owned(),
        Shape::Quantity => "quantities".to_owned(),
        Shape::List { .. } => "lists".to_owned(),
        Shape::Map(_) => "mappings".to_owned(),
        Shape::Ref(reference) => match pool.resolve(reference) {
            Some(definition) => format!("objects ({})", definition.short_name()),
            None => "objects".to_owned(),
        },
        Shape::Custom(custom) => plural(&custom.shape, pool),
    }
}

/// What a value is: `the string `3``, `a list`.
pub fn found(node: &Node) -> String {
    match &node.data {
        Data::Null => "nothing".to_owned(),
        Data::Bool(value) => format!("the boolean `{value}`"),
        Data::Int(number) => format!("the integer `{number}`"),
        Data::Uint(number) => format!("the integer `{number}`"),
        Data::Float(number) => format!("the number `{number}`"),
        Data::Str(text) if text.is_empty() => "an empty string".to_owned(),
        Data::Str(text) if text.len() <= 40 && !text.contains('\n') => format!("the string `{text}`"),
        Data::Str(_) => "a string".to_owned(),
        Data::Seq(_) => "a list".to_owned(),
        Data::Map(_) => "a mapping".to_owned(),
    }
}

/// `` `a`, `b` or `c` ``; an empty value reads `""`.
pub fn alternatives<'a>(values: impl Iterator<Item = &'a str>) -> String {
    join(values, " or ")
}

/// `` `a`, `b` and `c` ``.
pub fn list<'a>(values: impl Iterator<Item = &'a str>) -> String {
    join(values, " and ")
}

fn join<'a>(values: impl Iterator<Item = &'a str>, last: &str) -> String {
    let words: Vec<String> =
        values.map(|value| if value.is_empty() { "`\"\"`".to_owned() } else { format!("`{value}`") }).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., end] => format!("{}{last}{end}", rest.join(", ")),
    }
}
