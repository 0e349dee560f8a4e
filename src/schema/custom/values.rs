//! Checks of values in custom resources: limits, patterns, and the logic of `allOf`, `anyOf`, `oneOf` and `not`.

use super::format;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::regexp::Pattern;
use crate::schema::path::Path;
use crate::schema::scalar::text_of;
use crate::schema::walk::{Walk, first_line};
use crate::schema::words;
use crate::yaml::{Data, Node};

/// What a schema says about values. Branches of its logic are of the same form, and may look into fields.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    kind: Option<String>,
    allowed: Vec<Node>,
    /// Limit, and whether it is itself excluded.
    minimum: Option<(f64, bool)>,
    maximum: Option<(f64, bool)>,
    multiple_of: Option<f64>,
    lengths: Range,
    items: Range,
    properties: Range,
    unique: bool,
    /// A regular expression in Go's language.
    pattern: Option<String>,
    format: Option<String>,
    all_of: Vec<Values>,
    any_of: Vec<Values>,
    one_of: Vec<Values>,
    not: Option<Box<Values>>,
    /// Only in branches.
    required: Vec<String>,
    fields: Vec<(String, Values)>,
    each: Option<Box<Values>>,
}

/// A number of characters, items or entries.
#[derive(Debug, Clone, Copy, Default)]
struct Range {
    least: Option<u64>,
    most: Option<u64>,
}

impl Range {
    fn read(schema: &Node, least: &str, most: &str) -> Self {
        let count = |key| schema.get(key).and_then(number).map(|number| number as u64);
        Range { least: count(least), most: count(most) }
    }

    fn fault(self, count: usize, what: &str) -> Option<(String, String)> {
        let count = count as u64;
        if let Some(least) = self.least.filter(|least| count < *least) {
            return Some((format!("has {count} {what}"), format!("at least {least} {what}")));
        }
        self.most
            .filter(|most| count > *most)
            .map(|most| (format!("has {count} {what}"), format!("at most {most} {what}")))
    }
}

/// Whether a text matches; a pattern that is none matches everything, and is told with its definition.
fn matches(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern).and_then(|pattern| pattern.is_match(text)).unwrap_or(true)
}

fn number(node: &Node) -> Option<f64> {
    match node.data {
        Data::Int(number) => Some(number as f64),
        Data::Uint(number) => Some(number as f64),
        Data::Float(number) => Some(number),
        _ => None,
    }
}

fn flag(schema: &Node, key: &str) -> bool {
    schema.get(key).and_then(Node::as_bool) == Some(true)
}

impl Values {
    /// Reads the checks of a structural node; the structure itself is not among them.
    pub fn read(schema: &Node, int_or_string: bool, depth: u32) -> Option<Self> {
        let mut values = Self::own(schema);
        let branches = |key: &str| -> Vec<Values> {
            let list = schema.get(key).and_then(Node::as_seq).unwrap_or_default();
            list.iter().map(|branch| Self::branch(branch, depth + 1)).collect()
        };
        values.all_of = branches("allOf");
        values.any_of = branches("anyOf");
        values.one_of = branches("oneOf");
        // Definitions repeat the two types of an int-or-string, as OpenAPI wants them.
        if int_or_string {
            values.any_of.clear();
            values.all_of.retain(|branch| branch.any_of.is_empty());
        }
        values.not = schema.get("not").map(|branch| Box::new(Self::branch(branch, depth + 1)));
        (!values.is_empty()).then_some(values)
    }

    fn own(schema: &Node) -> Self {
        let limit = |key, exclusive| Some((schema.get(key).and_then(number)?, flag(schema, exclusive)));
        Values {
            allowed: schema.get("enum").and_then(Node::as_seq).unwrap_or_default().to_vec(),
            minimum: limit("minimum", "exclusiveMinimum"),
            maximum: limit("maximum", "exclusiveMaximum"),
            multiple_of: schema.get("multipleOf").and_then(number).filter(|factor| *factor > 0.0),
            lengths: Range::read(schema, "minLength", "maxLength"),
            items: Range::read(schema, "minItems", "maxItems"),
            properties: Range::read(schema, "minProperties", "maxProperties"),
            unique: flag(schema, "uniqueItems"),
            pattern: schema.get("pattern").and_then(Node::as_str).map(str::to_owned),
            format: schema
                .get("format")
                .and_then(Node::as_str)
                .filter(|format| !matches!(*format, "byte" | "date-time" | "datetime"))
                .map(str::to_owned),
            ..Values::default()
        }
    }

    /// Reads a branch of the logic.
    fn branch(schema: &Node, depth: u32) -> Self {
        if depth > 64 {
            return Values::default();
        }
        let mut values = Self::read(schema, false, depth).unwrap_or_default();
        values.kind = schema.get("type").and_then(Node::as_str).map(str::to_owned);
        let required = schema.get("required").and_then(Node::as_seq).unwrap_or_default();
        values.required = required.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        for (name, entry) in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
            values.fields.push((name.to_string(), Self::branch(&entry.value, depth + 1)));
        }
        values.each = schema.get("items").map(|items| Box::new(Self::branch(items, depth + 1)));
        values
    }

    pub fn format(&self) -> Option<&str> {
        self.format.as_deref()
    }

    pub fn is_empty(&self) -> bool {
        let plain =
            self.allowed.is_empty() && self.minimum.is_none() && self.maximum.is_none() && self.multiple_of.is_none();
        let ranges = [self.lengths, self.items, self.properties]
            .iter()
            .all(|range| range.least.is_none() && range.most.is_none());
        let texts = self.pattern.is_none() && self.format.is_none() && !self.unique;
        plain
            && ranges
            && texts
            && self.all_of.is_empty()
            && self.any_of.is_empty()
            && self.one_of.is_empty()
            && self.not.is_none()
    }

    /// Takes the allowed values out when all are texts.
    pub fn take_texts(&mut self) -> Option<Vec<String>> {
        let texts: Option<Vec<String>> = self.allowed.iter().map(|node| node.as_str().map(str::to_owned)).collect();
        let texts = texts.filter(|texts| !texts.is_empty())?;
        self.allowed.clear();
        Some(texts)
    }

    /// Tells what is wrong with a value.
    pub fn check(&self, walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
        let span = if node.as_map().is_some() { walk.place_of(node, path) } else { first_line(node, walk.sources) };
        for Fault { code, what, wanted, hint } in self.faults(node) {
            let finding = Diagnostic::new(code, format!("`{path}` {what}")).label(span, wanted);
            walk.push(match hint {
                Some(hint) => finding.hint(hint),
                None => finding,
            });
        }
        for branch in &self.all_of {
            if let Some(fault) = branch.first_fault(node) {
                walk.push(fault.at(&format!("{path}"), span));
            }
        }
        for (branches, least, most) in [(&self.any_of, 1, usize::MAX), (&self.one_of, 1, 1)] {
            if branches.is_empty() {
                continue;
            }
            let fitting = branches.iter().filter(|branch| branch.first_fault(node).is_none()).count();
            // A field that is not known may be the one that was meant.
            let fits = (least..=most).contains(&fitting);
            if !fits && (fitting > 0 || !walk.has_unknown(node)) {
                walk.push(
                    choice(branches, fitting, node, path)
                        .label(span, if most == 1 { "exactly one must hold" } else { "one must hold at least" }),
                );
            }
        }
        if let Some(not) = &self.not
            && not.first_fault(node).is_none()
        {
            let message = format!("`{path}` must not {}", not.words());
            walk.push(Diagnostic::new(Code::ConflictingFields, message).label(span, "here"));
        }
    }

    /// The faults of the value itself, without the logic.
    fn faults(&self, node: &Node) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut tell = |code, what: String, wanted: String| faults.push(Fault { code, what, wanted, hint: None });
        if !self.allowed.is_empty() && !self.allowed.iter().any(|allowed| same(allowed, node)) {
            let texts: Vec<_> = self.allowed.iter().filter_map(text_of).collect();
            let list = words::alternatives(texts.iter().map(AsRef::as_ref));
            tell(
                Code::InvalidValue,
                format!("cannot be {}", words::found(node).replacen("the ", "", 1)),
                format!("expected {list}"),
            );
            if let (Some(text), Some(fault)) = (node.as_str(), faults.last_mut()) {
                fault.hint =
                    nearest(text, texts.iter().map(AsRef::as_ref)).map(|meant| format!("did you mean `{meant}`?"));
            }
        }
        let mut tell = |code, what: String, wanted: String| faults.push(Fault { code, what, wanted, hint: None });
        if let Some(value) = number(node) {
            if let Some((limit, exclusive)) = self.minimum
                && (value < limit || exclusive && value <= limit)
            {
                tell(
                    Code::OutOfRange,
                    format!("is out of range: {value}"),
                    format!("{} {limit}", if exclusive { "more than" } else { "at least" }),
                );
            }
            if let Some((limit, exclusive)) = self.maximum
                && (value > limit || exclusive && value >= limit)
            {
                tell(
                    Code::OutOfRange,
                    format!("is out of range: {value}"),
                    format!("{} {limit}", if exclusive { "less than" } else { "at most" }),
                );
            }
            if let Some(factor) = self.multiple_of
                && (value / factor).fract() != 0.0
            {
                tell(
                    Code::OutOfRange,
                    format!("is not a multiple of {factor}: {value}"),
                    format!("expected a multiple of {factor}"),
                );
            }
        }
        match &node.data {
            Data::Str(text) => {
                if let Some((what, wanted)) = self.lengths.fault(text.chars().count(), "characters") {
                    tell(Code::OutOfRange, what, wanted);
                }
                if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !matches(pattern, text)) {
                    tell(
                        Code::InvalidFormat,
                        format!("is not in its format: {}", words::found(node).trim_start_matches("the string ")),
                        format!("must match `{}`", pattern),
                    );
                }
                if let Some(wanted) = self.format.as_deref().and_then(|format| format::fault(format, text)) {
                    tell(Code::InvalidFormat, format!("is not in its format: `{text}`"), wanted.to_owned());
                }
            }
            Data::Seq(items) => {
                if let Some((what, wanted)) = self.items.fault(items.len(), "items") {
                    tell(Code::OutOfRange, what, wanted);
                }
                let repeats = |at: usize| items[..at].iter().any(|earlier| same(earlier, &items[at]));
                if let Some(at) = (self.unique).then(|| (1..items.len().min(1000)).find(|at| repeats(*at))).flatten() {
                    tell(
                        Code::DuplicateItem,
                        format!("has the same item twice, the second is number {}", at + 1),
                        "items must differ".to_owned(),
                    );
                }
            }
            Data::Map(map) => {
                if let Some((what, wanted)) = self.properties.fault(map.len(), "fields") {
                    tell(Code::OutOfRange, what, wanted);
                }
            }
            _ => {}
        }
        faults
    }

    /// The first reason why a value does not fit a branch.
    fn first_fault(&self, node: &Node) -> Option<Fault> {
        if let Some(kind) = &self.kind
            && node.type_name() != kind
            && !(kind == "number" && node.type_name() == "integer")
        {
            let what = format!("must be of type {kind}, found {}", words::found(node));
            return Some(Fault { code: Code::TypeMismatch, what, wanted: format!("expected type {kind}"), hint: None });
        }
        if let Some(fault) = self.faults(node).into_iter().next() {
            return Some(fault);
        }
        if node.as_map().is_some() {
            if let Some(name) = self.required.iter().find(|name| node.get(name).is_none()) {
                return Some(Fault {
                    code: Code::MissingField,
                    what: format!("has no `{name}`"),
                    wanted: format!("`{name}` is missing"),
                    hint: None,
                });
            }
            for (name, branch) in &self.fields {
                if let Some(mut fault) =
                    node.get(name).filter(|value| !value.is_null()).and_then(|value| branch.first_fault(value))
                {
                    fault.what = format!("field `{name}` {}", fault.what);
                    return Some(fault);
                }
            }
        }
        if let (Some(each), Some(items)) = (&self.each, node.as_seq())
            && let Some(fault) = items.iter().find_map(|item| each.first_fault(item))
        {
            return Some(fault);
        }
        if let Some(fault) = self.all_of.iter().find_map(|branch| branch.first_fault(node)) {
            return Some(fault);
        }
        let fits = |branches: &[Values]| branches.iter().filter(|branch| branch.first_fault(node).is_none()).count();
        let broken = !self.any_of.is_empty() && fits(&self.any_of) == 0
            || !self.one_of.is_empty() && fits(&self.one_of) != 1
            || self.not.as_ref().is_some_and(|not| not.first_fault(node).is_none());
        broken.then(|| Fault {
            code: Code::ConflictingFields,
            what: "does not fit".into(),
            wanted: "see the definition".into(),
            hint: None,
        })
    }

    /// What a branch asks for, as a phrase behind "must".
    fn words(&self) -> String {
        if !self.required.is_empty() {
            return format!("have {}", words::list(self.required.iter().map(String::as_str)));
        }
        if let Some(kind) = &self.kind {
            return format!("be of type {kind}");
        }
        if let Some(pattern) = &self.pattern {
            return format!("match `{}`", pattern);
        }
        let texts: Vec<_> = self.allowed.iter().filter_map(text_of).collect();
        if !texts.is_empty() {
            return format!("be {}", words::alternatives(texts.iter().map(AsRef::as_ref)));
        }
        match self.fields.first() {
            Some((name, branch)) => format!("have a `{name}` that must {}", branch.words()),
            None => "be as the definition says".to_owned(),
        }
    }
}

/// Says that too few or too many branches hold, once for all of them.
fn choice(branches: &[Values], fitting: usize, node: &Node, path: &Path<'_>) -> Diagnostic {
    let names: Option<Vec<&str>> = branches
        .iter()
        .map(|branch| match branch.required.as_slice() {
            [one] if branch.fields.is_empty() => Some(one.as_str()),
            _ => None,
        })
        .collect();
    let place = if path.is_root() { "the object".to_owned() } else { format!("`{path}`") };
    if let Some(names) = names {
        let list = words::alternatives(names.iter().copied());
        let there: Vec<&str> = names.iter().copied().filter(|name| node.get(name).is_some()).collect();
        return match there.as_slice() {
            [] => Diagnostic::new(Code::MissingField, format!("{place} has none of {list}")),
            some => Diagnostic::new(
                Code::ConflictingFields,
                format!("{place} has {}, only one is allowed", words::list(some.iter().copied())),
            ),
        };
    }
    let options: Vec<String> = branches.iter().map(Values::words).collect();
    let message = if fitting == 0 {
        format!("{place} fits none of {} alternatives", branches.len())
    } else {
        format!("{place} fits {fitting} of {} alternatives", branches.len())
    };
    Diagnostic::new(Code::ConflictingFields, message).hint(format!("it must {}", options.join(", or ")))
}

struct Fault {
    code: Code,
    what: String,
    wanted: String,
    hint: Option<String>,
}

impl Fault {
    fn at(self, path: &str, span: crate::diagnostic::Span) -> Diagnostic {
        let place = if path.is_empty() { "the object".to_owned() } else { format!("`{path}`") };
        let finding = Diagnostic::new(self.code, format!("{place} {}", self.what)).label(span, self.wanted);
        match self.hint {
            Some(hint) => finding.hint(hint),
            None => finding,
        }
    }
}

/// Whether two values are the same data, wherever they stand.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    match (&a.data, &b.data) {
        (Data::Null, Data::Null) => true,
        (Data::Bool(a), Data::Bool(b)) => a == b,
        (Data::Str(a), Data::Str(b)) => a == b,
        (Data::Seq(a), Data::Seq(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Data::Map(a), Data::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, entry)| b.get(key).is_some_and(|other| same(&entry.value, &other.value)))
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
    }
}
