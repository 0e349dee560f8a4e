//! Findings on values, at the line that sets them.

use super::super::path::write_key;
use super::super::words::{alternatives, found};
use crate::diagnostic::{Code, Diagnostic, Sources, Span, nearest};
use crate::yaml::{Data, Node};
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

/// Where the checked values stand.
pub(super) struct Place<'a> {
    /// From the root chart's values to these.
    pub(super) path: &'a [&'a str],
    pub(super) values: &'a Node,
    /// The schema with places.
    pub(super) schema: Option<&'a Node>,
    pub(super) sources: &'a Sources,
}

/// A diagnostic for each error; one for each property that is too much.
pub(super) fn diagnostics(errors: &[ValidationError<'_>], place: &Place<'_>) -> Vec<Diagnostic> {
    errors.iter().flat_map(|error| place.diagnostics(error)).collect()
}

/// The node at a JSON pointer, or the last one on the way that exists.
pub(in crate::schema) fn follow<'n>(root: &'n Node, pointer: &str) -> Option<&'n Node> {
    let mut node = root;
    for token in tokens(pointer) {
        node = match step(node, &token) {
            Some(next) => next,
            None => return Some(node),
        };
    }
    Some(node)
}

fn step<'n>(node: &'n Node, token: &str) -> Option<&'n Node> {
    node.get(token).or_else(|| node.as_seq()?.get(token.parse::<usize>().ok()?))
}

fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

impl Place<'_> {
    /// `redis.auth.users[0]`
    fn name(&self, pointer: &str) -> String {
        let mut name = String::new();
        for key in self.path {
            let first = name.is_empty();
            let _ = write_key(&mut name, key, first);
        }
        let mut node = Some(self.values);
        for token in tokens(pointer) {
            if node.is_some_and(|node| node.as_seq().is_some()) {
                name += &format!("[{token}]");
            } else {
                let first = name.is_empty();
                let _ = write_key(&mut name, &token, first);
            }
            node = node.and_then(|node| step(node, &token));
        }
        name
    }

    /// Where to point for the value at a pointer: at a scalar itself, at the key of what has more lines.
    fn span(&self, pointer: &str, at: &Node) -> Span {
        let (outer, last) = pointer.rsplit_once('/').unwrap_or_default();
        let key = last.replace("~1", "/").replace("~0", "~");
        let entry = follow(self.values, outer).and_then(|outer| outer.as_map()?.get(key.as_str()));
        match (entry, at.as_map().is_some() || at.as_seq().is_some()) {
            (Some(entry), true) if !pointer.is_empty() => entry.key_span,
            (_, true) => Span { end: at.span.start, ..at.span },
            _ => at.span,
        }
    }

    fn inside(&self, pointer: &str, key: &str) -> String {
        let mut name = self.name(pointer);
        let first = name.is_empty();
        let _ = write_key(&mut name, key, first);
        name
    }

    fn diagnostics(&self, error: &ValidationError<'_>) -> Vec<Diagnostic> {
        let pointer = error.instance_path().as_str();
        let at = follow(self.values, pointer).unwrap_or(self.values);
        let subject = match self.name(pointer) {
            name if name.is_empty() => "the values".to_owned(),
            name => format!("`{name}`"),
        };
        let label = |span: Span, text: String, message: String| {
            self.with_schema(Diagnostic::new(Code::ValuesSchema, message).label(span, text), error)
        };
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => unexpected
                .iter()
                .map(|key| {
                    let span =
                        at.as_map().and_then(|map| map.get(key.as_str())).map_or(at.span, |entry| entry.key_span);
                    let message = format!("`{}` is no value of this chart", self.inside(pointer, key));
                    let diagnostic = label(span, "not in the schema".to_owned(), message);
                    match self.known_names(error).and_then(|names| nearest(key, names)) {
                        Some(name) => diagnostic.hint(format!("did you mean `{name}`?")),
                        None => diagnostic,
                    }
                })
                .collect(),
            Kind::Required { property } => {
                let property = property.as_str().unwrap_or_default();
                let message = format!("`{}` is required", self.inside(pointer, property));
                vec![label(self.span(pointer, at), format!("`{property}` is missing in here"), message)]
            }
            kind => {
                let wanted = wanted(kind, at);
                let message = format!("{subject} {wanted}, found {}", found(at));
                let mut diagnostic = label(self.span(pointer, at), short(kind), message);
                if let Kind::Type { kind: TypeKind::Single(JsonType::String) } = kind
                    && let Some(text) = self.unquoted(at)
                {
                    diagnostic = diagnostic.hint(format!("in quotes it is a string: `\"{text}\"`"));
                }
                if let Kind::AnyOf { context } | Kind::OneOfNotValid { context } = kind {
                    diagnostic = self.with_alternatives(diagnostic, context);
                }
                vec![diagnostic]
            }
        }
    }

    /// What the author wrote, for a scalar that YAML takes for something else than a string.
    fn unquoted(&self, at: &Node) -> Option<&str> {
        if !matches!(at.data, Data::Bool(_) | Data::Int(_) | Data::Uint(_) | Data::Float(_)) {
            return None;
        }
        self.sources.text(at.span.file).get(at.span.start as usize..at.span.end as usize)
    }

    /// Points at the rule in the schema.
    fn with_schema(&self, diagnostic: Diagnostic, error: &ValidationError<'_>) -> Diagnostic {
        let rule = self.schema.and_then(|schema| {
            let mut node = schema;
            for token in tokens(error.schema_path().as_str()) {
                node = step(node, &token)?;
            }
            Some(node.span)
        });
        let diagnostic = match rule {
            Some(span) => diagnostic.label(span, "required by the schema here"),
            None => diagnostic,
        };
        // Schemas may say themselves what went wrong.
        let message = self.schema.and_then(|schema| {
            let pointer = error.schema_path().as_str();
            let owner = pointer.rsplit_once('/').map_or("", |(owner, _)| owner);
            follow(schema, owner)?.get("errorMessage")?.as_str().map(str::to_owned)
        });
        message.into_iter().fold(diagnostic, Diagnostic::hint)
    }

    /// The properties that the schema names beside the ones that it forbids.
    fn known_names(&self, error: &ValidationError<'_>) -> Option<impl Iterator<Item = &str>> {
        let pointer = error.schema_path().as_str();
        let owner = pointer.rsplit_once('/').map_or("", |(owner, _)| owner);
        let properties = follow(self.schema?, owner)?.get("properties")?.as_map()?;
        Some(properties.keys().map(|key| &**key))
    }

    /// Says what each alternative lacks, nearest first, at most three.
    fn with_alternatives(&self, diagnostic: Diagnostic, context: &[Vec<ValidationError<'_>>]) -> Diagnostic {
        let depth = |errors: &&Vec<ValidationError<'_>>| {
            let deepest = errors.iter().map(|error| error.instance_path().as_str().matches('/').count()).max();
            (std::cmp::Reverse(deepest), errors.len())
        };
        let mut alternatives: Vec<_> = context.iter().filter(|errors| !errors.is_empty()).collect();
        alternatives.sort_by_key(depth);
        alternatives.into_iter().take(3).fold(diagnostic, |diagnostic, errors| {
            let messages: Vec<_> =
                errors.iter().flat_map(|error| self.diagnostics(error)).map(|inner| inner.message).collect();
            diagnostic.hint(format!("one way to fit: {}", messages.join("; ")))
        })
    }
}

/// `must be an integer`
pub(in crate::schema) fn wanted(kind: &Kind, at: &Node) -> String {
    match kind {
        Kind::Type { kind } => {
            let names: Vec<&str> = match kind {
                TypeKind::Single(kind) => vec![with_article(kind.as_str())],
                TypeKind::Multiple(kinds) => kinds.iter().map(|kind| with_article(kind.as_str())).collect(),
            };
            match names.split_last() {
                Some((last, rest)) if !rest.is_empty() => format!("must be {} or {last}", rest.join(", ")),
                _ => format!("must be {}", names.concat()),
            }
        }
        Kind::Enum { options } => {
            let options: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
            format!("must be {}", alternatives(options.iter().map(String::as_str)))
        }
        Kind::Constant { expected_value } => format!("must be `{}`", plain(expected_value)),
        Kind::Pattern { pattern } => format!("must match the pattern `{pattern}`"),
        Kind::Format { format } => format!("must be in the format `{format}`"),
        Kind::MinLength { limit: 1 } | Kind::MinItems { limit: 1 } | Kind::MinProperties { limit: 1 } => {
            "must not be empty".to_owned()
        }
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must have at most {}", counted(*limit, "character")),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxItems { limit } => format!("must have at most {}", counted(*limit, "item")),
        Kind::AdditionalItems { limit } => format!("must have at most {}", counted(*limit as u64, "item")),
        Kind::MinProperties { limit } => format!("must have at least {limit} entries"),
        Kind::MaxProperties { limit: 1 } => "must have at most one entry".to_owned(),
        Kind::MaxProperties { limit } => format!("must have at most {limit} entries"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::UniqueItems => match duplicate(&at.to_json()) {
            Some((first, second)) => format!("must have no item twice (items {first} and {second} are equal)"),
            None => "must have no item twice".to_owned(),
        },
        Kind::Contains => "must have an item of the kind that the schema wants".to_owned(),
        Kind::FalseSchema => "must not be set".to_owned(),
        Kind::Not { .. } => "must not be what the schema forbids".to_owned(),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => "fits none of the alternatives of the schema".to_owned(),
        Kind::OneOfMultipleValid { .. } => "must fit only one of the alternatives of the schema".to_owned(),
        Kind::PropertyNames { error } => {
            let name = error.instance().as_str().unwrap_or_default();
            format!("must not have the key `{name}`: {error}")
        }
        other => format!("does not satisfy `{}`", other.keyword()),
    }
}

/// The label at the value.
fn short(kind: &Kind) -> String {
    match kind {
        Kind::Type { kind: TypeKind::Single(kind) } => format!("expected {}", with_article(kind.as_str())),
        Kind::FalseSchema => "not allowed".to_owned(),
        _ => "set here".to_owned(),
    }
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn with_article(type_name: &str) -> &'static str {
    match type_name {
        "null" => "null",
        "boolean" => "a boolean",
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "array" => "a list",
        _ => "a mapping",
    }
}

/// The first two equal items of a list.
pub(super) fn duplicate(list: &Value) -> Option<(usize, usize)> {
    let items = list.as_array()?;
    (0..items.len()).find_map(|second| Some((items[..second].iter().position(|item| *item == items[second])?, second)))
}
