//! The list of errors as Helm prints it.

use super::words::duplicate;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The lines for these errors: `- at '/a': got string, want integer`. Errors of one nested value are grouped under it.
pub(super) fn text(errors: &[ValidationError<'_>]) -> String {
    let mut lines = lines(errors, "");
    if let [Line { message, causes, .. }] = lines.as_slice()
        && message == GROUP
    {
        lines = causes.clone();
    }
    let mut text = String::new();
    lines.iter().for_each(|line| line.write(0, &mut text));
    text.truncate(text.trim_end().len());
    text
}

const GROUP: &str = "validation failed";
const ALL_OF: &str = "'allOf' failed";

/// A message at a place in the values, and what it stands for.
#[derive(Clone)]
struct Line {
    at: String,
    message: String,
    causes: Vec<Line>,
}

impl Line {
    fn write(&self, indent: usize, text: &mut String) {
        let _ = writeln!(text, "{:indent$}- at '{}': {}", "", self.at, self.message);
        self.causes.iter().for_each(|cause| cause.write(indent + 2, text));
    }
}

/// A schema on the way to an error, and the place in the values that it looks at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    keyword: String,
    /// What follows the keyword in the path: a property's name, an index.
    branch: String,
    at: String,
}

/// The errors as a tree of the schemas that they were found in, below the schema at `prefix`.
fn lines(errors: &[ValidationError<'_>], prefix: &str) -> Vec<Line> {
    let mut root = Group::default();
    for error in errors {
        let path = error.evaluation_path().as_str();
        let path = path.strip_prefix(prefix).unwrap_or(path);
        root.add(&steps(path, error.instance_path().as_str()), leaf(error, errors));
    }
    root.lines()
}

/// Errors by the schemas that they were found in.
#[derive(Default)]
struct Group {
    own: Vec<Line>,
    inner: BTreeMap<Step, Group>,
}

impl Group {
    fn add(&mut self, steps: &[Step], line: Line) {
        match steps {
            // Helm lists all missing properties of a value in one line; here each brings that line.
            [] if self.own.iter().any(|own| own.at == line.at && own.message == line.message) => {}
            [] => self.own.push(line),
            [first, rest @ ..] => self.inner.entry(first.clone()).or_default().add(rest, line),
        }
    }

    fn lines(self) -> Vec<Line> {
        let mut lines = self.own;
        for (step, group) in self.inner {
            let causes = grouped(group.lines(), &step.at);
            if step.keyword != "allOf" {
                lines.extend(causes);
                continue;
            }
            match lines.iter_mut().find(|line| line.message == ALL_OF && line.at == step.at) {
                Some(all) => all.causes.extend(causes),
                None => lines.push(Line { at: step.at, message: ALL_OF.to_owned(), causes }),
            }
        }
        lines
    }
}

fn grouped(lines: Vec<Line>, at: &str) -> Vec<Line> {
    if lines.len() < 2 {
        return lines;
    }
    vec![Line { at: at.to_owned(), message: GROUP.to_owned(), causes: lines }]
}

/// The schemas that an evaluation path leads through, for an error at `at` in the values.
fn steps(path: &str, at: &str) -> Vec<Step> {
    let mut tokens = path.split('/').skip(1).peekable();
    let mut steps: Vec<Step> = Vec::new();
    while let Some(keyword) = tokens.next() {
        let branch = match keyword {
            "properties" | "patternProperties" | "dependentSchemas" | "allOf" | "prefixItems" => tokens.next(),
            "dependencies" => tokens.next(),
            "items" => tokens.next_if(|token| token.bytes().all(|byte| byte.is_ascii_digit())),
            "additionalProperties"
            | "additionalItems"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "then"
            | "else"
            | "$ref"
            | "$dynamicRef"
            | "$recursiveRef" => None,
            // The keyword that failed.
            _ => break,
        };
        if tokens.peek().is_none() {
            break;
        }
        let branch = branch.unwrap_or_default().to_owned();
        steps.push(Step { keyword: keyword.to_owned(), branch, at: at.to_owned() });
    }
    // From the error outwards: each schema that looks into a value takes a part of the place away.
    let mut place = at;
    for step in steps.iter_mut().rev() {
        step.at = place.to_owned();
        if INTO_VALUES.contains(&step.keyword.as_str()) {
            place = place.rsplit_once('/').map_or("", |(outer, _)| outer);
        }
    }
    steps
}

const INTO_VALUES: [&str; 8] = [
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
];

/// What Helm says to one error.
fn leaf(error: &ValidationError<'_>, all: &[ValidationError<'_>]) -> Line {
    let at = error.instance_path().to_string();
    let path = error.evaluation_path().as_str();
    let line = |message: String, causes: Vec<Line>| Line { at: at.clone(), message, causes };
    let nested = |context: &[Vec<ValidationError<'_>>]| {
        let branches = context.iter().enumerate();
        branches.flat_map(|(branch, errors)| grouped(lines(errors, &format!("{path}/{branch}")), &at)).collect()
    };
    let length = |value: &Value| match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    };
    let got = error.instance();
    let sized = |keyword: &str, limit: &u64| line(format!("{keyword}: got {}, want {limit}", length(got)), Vec::new());
    let bound = |keyword: &str, limit: &Value| line(format!("{keyword}: got {got}, want {limit}"), Vec::new());
    let message = match error.kind() {
        Kind::Type { kind } => {
            let want = match kind {
                TypeKind::Single(kind) => kind.to_string(),
                TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or "),
            };
            format!("got {}, want {want}", type_name(got))
        }
        Kind::Required { .. } => {
            let missing: Vec<_> = all
                .iter()
                .filter(|other| other.instance_path() == error.instance_path())
                .filter(|other| other.evaluation_path() == error.evaluation_path())
                .filter_map(|other| match other.kind() {
                    Kind::Required { property } => property.as_str().map(quoted),
                    _ => None,
                })
                .collect();
            let trigger = path.rsplit_once('/').and_then(|(owner, name)| {
                (owner.ends_with("/dependentRequired") || owner.ends_with("/dependencies")).then_some(name)
            });
            if let Some(trigger) = trigger {
                return line(
                    format!("properties {} required, if {} exists", missing.join(", "), quoted(trigger)),
                    Vec::new(),
                );
            }
            let noun = if missing.len() == 1 { "property" } else { "properties" };
            format!("missing {noun} {}", missing.join(", "))
        }
        Kind::UnevaluatedProperties { unexpected } if !unexpected.is_empty() => {
            let at = format!("{at}/{}", unexpected[0].replace('~', "~0").replace('/', "~1"));
            return Line { at, message: "false schema".to_owned(), causes: Vec::new() };
        }
        Kind::AdditionalProperties { unexpected } => {
            let names: Vec<_> = unexpected.iter().map(|name| quoted(name)).collect();
            format!("additional properties {} not allowed", names.join(", "))
        }
        Kind::Enum { options } => match options.as_array() {
            Some(options) if options.iter().any(|option| option.is_array() || option.is_object()) => {
                "'enum' failed".to_owned()
            }
            Some(options) if options.len() == 1 => format!("value must be {}", shown(&options[0])),
            Some(options) => {
                format!("value must be one of {}", options.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
            None => "'enum' failed".to_owned(),
        },
        Kind::Constant { expected_value } if expected_value.is_array() || expected_value.is_object() => {
            "'const' failed".to_owned()
        }
        Kind::Constant { expected_value } => format!("value must be {}", shown(expected_value)),
        Kind::Pattern { pattern } => {
            format!("{} does not match pattern {}", quoted(got.as_str().unwrap_or_default()), quoted(pattern))
        }
        Kind::Format { format } => format!("{} is not valid {format}", shown(got)),
        Kind::MinLength { limit } => return sized("minLength", limit),
        Kind::MaxLength { limit } => return sized("maxLength", limit),
        Kind::MinItems { limit } => return sized("minItems", limit),
        Kind::MaxItems { limit } => return sized("maxItems", limit),
        Kind::MinProperties { limit } => return sized("minProperties", limit),
        Kind::MaxProperties { limit } => return sized("maxProperties", limit),
        Kind::Minimum { limit } => return bound("minimum", limit),
        Kind::Maximum { limit } => return bound("maximum", limit),
        Kind::ExclusiveMinimum { limit } => return bound("exclusiveMinimum", limit),
        Kind::ExclusiveMaximum { limit } => return bound("exclusiveMaximum", limit),
        Kind::MultipleOf { multiple_of } => format!("multipleOf: got {got}, want {multiple_of}"),
        Kind::AdditionalItems { limit } => {
            format!("last {} additionalItem(s) not allowed", length(got).saturating_sub(*limit))
        }
        Kind::UniqueItems => match duplicate(got) {
            Some((first, second)) => format!("items at {first} and {second} are equal"),
            None => error.to_string(),
        },
        Kind::Contains => "no items match contains schema".to_owned(),
        Kind::FalseSchema => "false schema".to_owned(),
        Kind::Not { .. } => "'not' failed".to_owned(),
        Kind::AnyOf { context } => return line("'anyOf' failed".to_owned(), nested(context)),
        Kind::OneOfNotValid { context } => {
            return line("'oneOf' failed, none matched".to_owned(), nested(context));
        }
        Kind::OneOfMultipleValid { context } => {
            let matched: Vec<_> =
                (0..context.len()).filter(|&at| context[at].is_empty()).take(2).map(|at| at.to_string()).collect();
            format!("'oneOf' failed, subschemas {} matched", matched.join(", "))
        }
        Kind::PropertyNames { error } => {
            let name = error.instance().as_str().map(quoted).unwrap_or_default();
            let cause = Line { at: String::new(), ..leaf(error, &[]) };
            return line(format!("invalid propertyName {name}"), vec![cause]);
        }
        _ => error.to_string(),
    };
    line(message, Vec::new())
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn quoted(text: &str) -> String {
    let escaped = format!("{text:?}");
    let inner = escaped[1..escaped.len() - 1].replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{inner}'")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) | Value::Object(_) => "value".to_owned(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}
