//! From minijinja's errors to diagnostics at the author's source.

use super::calls::TPL;
use super::context::NAMES;
use super::data::Log;
use super::engine::{FAILED, Library};
use super::error::{Failed, Hint};
use super::functions;
use super::rewrite::{Problem, ProblemKind};
use crate::diagnostic::{Code, Diagnostic, Failure, Frame, Span, nearest};
use crate::template::{Limits, Template};
use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

/// What an error is explained with.
pub(super) struct Scene<'a> {
    pub(super) templates: &'a Library,
    pub(super) log: &'a Log,
    /// The template that was rendered.
    pub(super) name: &'a str,
    pub(super) root: &'a Value,
    pub(super) limits: Limits,
}

/// Frames at each end of a trace that are shown.
const SHOWN_FRAMES: usize = 4;

/// Mistakes that the rewriter found.
pub(super) fn problems(problems: Vec<Problem>, template: &Template) -> Failure {
    problems
        .into_iter()
        .map(|problem| {
            let code = match problem.kind {
                ProblemKind::Syntax => Code::TemplateSyntax,
                ProblemKind::Limit => Code::LimitExceeded,
            };
            let span = Span::new(template.file, problem.range.start, problem.range.end);
            let mut diagnostic = Diagnostic::new(code, problem.message).label(span, "");
            diagnostic.hints = problem.hints;
            diagnostic
        })
        .collect()
}

/// An error of a render.
pub(super) fn failure(error: &Error, scene: &Scene<'_>) -> Failure {
    let mut frames = Vec::new();
    let mut hints = Vec::new();
    let mut current = error;
    while let Some(source) = std::error::Error::source(current) {
        if let Some(inner) = source.downcast_ref::<Error>() {
            frames.push(frame(current, scene));
            current = inner;
            continue;
        }
        if let Some(Failed(failure)) = source.downcast_ref::<Failed>() {
            frames.push(frame(current, scene));
            return with_frames(failure.clone(), frames);
        }
        hints.extend(source.downcast_ref::<Hint>().map(|hint| hint.0.clone()));
        break;
    }
    if let Some(name) = current.detail().and_then(|detail| detail.strip_prefix(FAILED))
        && let Some(failure) = scene.templates.failure(name.trim_start_matches([':', ' ']))
    {
        frames.extend(place(current, scene).map(|span| Frame { text: "loaded here".to_owned(), span: Some(span) }));
        return with_frames(failure, frames);
    }
    let mut diagnostic = explained(current, scene);
    diagnostic.hints.splice(0..0, hints);
    if diagnostic.labels.is_empty()
        && let Some(span) = place(current, scene).or_else(|| frames.iter().rev().find_map(|frame| frame.span))
    {
        diagnostic = diagnostic.label(span, "");
    }
    with_frames(vec![diagnostic], frames)
}

fn with_frames(mut failure: Failure, frames: Vec<Frame>) -> Failure {
    let mut distinct: Vec<(Frame, usize)> = Vec::new();
    for frame in frames {
        match distinct.last_mut().filter(|(last, _)| *last == frame) {
            Some((_, count)) => *count += 1,
            None => distinct.push((frame, 1)),
        }
    }
    let mut frames: Vec<Frame> = distinct
        .into_iter()
        .map(|(frame, count)| match count {
            1 => frame,
            _ => Frame { text: format!("{} ({count} times)", frame.text), ..frame },
        })
        .collect();
    if frames.len() > 2 * SHOWN_FRAMES + 1 {
        let left_out = frames.len() - 2 * SHOWN_FRAMES;
        let note = Frame { text: format!("… {left_out} more calls"), span: None };
        frames.splice(SHOWN_FRAMES..SHOWN_FRAMES + left_out, [note]);
    }
    for diagnostic in &mut failure {
        diagnostic.trace.splice(0..0, frames.iter().cloned());
    }
    failure
}

fn place(error: &Error, scene: &Scene<'_>) -> Option<Span> {
    scene.templates.span(error.name()?, error.range()?)
}

/// A step on the way to the error: an include, a macro call, a block.
fn frame(error: &Error, scene: &Scene<'_>) -> Frame {
    let detail = error.detail().unwrap_or("called here");
    let text = match detail.strip_prefix("error in \"").and_then(|rest| rest.strip_suffix('"')) {
        Some(name) => format!("while including `{name}`"),
        None => detail.to_owned(),
    };
    Frame { text, span: place(error, scene) }
}

/// The error itself: message, place and hints.
fn explained(error: &Error, scene: &Scene<'_>) -> Diagnostic {
    let detail = error.detail().unwrap_or_default();
    let mut diagnostic = match error.kind() {
        ErrorKind::UndefinedError => undefined(error, detail, scene),
        ErrorKind::UnknownFilter => unknown(Kind::Filter, detail, scene),
        ErrorKind::UnknownFunction => unknown(Kind::Function, detail, scene),
        ErrorKind::UnknownTest => unknown(Kind::Test, detail, scene),
        ErrorKind::UnknownMethod => unknown_method(detail),
        ErrorKind::TemplateNotFound => not_found(detail, scene),
        ErrorKind::SyntaxError => Diagnostic::new(Code::TemplateSyntax, detail),
        ErrorKind::OutOfFuel if detail.is_empty() => {
            let steps = scene.limits.fuel.min(scene.limits.output as u64 / 64);
            Diagnostic::new(Code::LimitExceeded, format!("the template takes more than {steps} steps"))
                .hint("does a loop or recursion end too late, or grow its output?")
        }
        ErrorKind::OutOfFuel => Diagnostic::new(Code::LimitExceeded, detail),
        ErrorKind::InvalidOperation if detail == "recursion limit exceeded" => {
            Diagnostic::new(Code::LimitExceeded, "templates or macros call each other without end")
                .hint("let the recursion stop: test what gets smaller before the call")
        }
        ErrorKind::InvalidOperation if detail.contains("not callable (`") => not_callable(detail, scene),
        ErrorKind::TooManyArguments | ErrorKind::MissingArgument if detail.is_empty() => {
            Diagnostic::new(Code::TemplateError, format!("{} for this filter or function", error.kind()))
        }
        _ if detail.is_empty() => Diagnostic::new(Code::TemplateError, error.kind().to_string()),
        _ => Diagnostic::new(Code::TemplateError, detail),
    };
    if error.name() == Some(TPL) {
        let line = error.line().unwrap_or(1);
        diagnostic.message += &format!(" (in line {line} of the text given to `tpl`)");
    }
    diagnostic
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Filter,
    Function,
    Test,
}

/// minijinja's filters, functions and tests, for suggestions.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "int",
    "items",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "raw",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "zip",
];
const BUILTINS: &[&str] = &["range", "dict", "namespace", "debug"];
const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Names of Sprig and Go that have a Jinja name, or something to write instead.
fn helm_hint(name: &str) -> Option<String> {
    match functions::jinja_name(name) {
        Ok(jinja) if jinja != name => Some(format!("Helm's `{name}` is `{jinja}` in Jinja")),
        Ok(_) => None,
        Err("") => None,
        Err(instead) => Some(format!("instead of Helm's `{name}`: {instead}")),
    }
}

fn unknown(kind: Kind, detail: &str, scene: &Scene<'_>) -> Diagnostic {
    let name = detail.trim_start_matches("filter ").trim_start_matches("test ");
    let name = name.strip_suffix(" is unknown").unwrap_or(name);
    let what = match kind {
        Kind::Filter => "filter",
        Kind::Function => "function or macro",
        Kind::Test => "test",
    };
    let diagnostic = Diagnostic::new(Code::UndefinedValue, format!("there is no {what} `{name}`"));
    if let Some(hint) = helm_hint(name) {
        return diagnostic.hint(hint);
    }
    let macros = local_names(scene);
    let names: Vec<&str> = match kind {
        Kind::Filter => FILTERS.iter().copied().chain(functions::names()).collect(),
        Kind::Function => {
            let mut names: Vec<&str> = BUILTINS.iter().copied().chain(functions::names()).collect();
            names.extend(macros.iter().map(String::as_str));
            names
        }
        Kind::Test => TESTS.to_vec(),
    };
    match nearest(name, names.into_iter().filter(|known| *known != name)) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None if kind == Kind::Function && FILTERS.contains(&name) => {
            diagnostic.hint(format!("`{name}` is a filter: `value|{name}`"))
        }
        None if kind == Kind::Function => diagnostic
            .hint(format!("a macro of another file is imported first: `{{% from \"_helpers.j2\" import {name} %}}`")),
        None => diagnostic,
    }
}

/// A call of something that is undefined: an import of a name that its file does not have.
fn not_callable(detail: &str, scene: &Scene<'_>) -> Diagnostic {
    let name = detail.split('`').nth(1).unwrap_or_default();
    let diagnostic = Diagnostic::new(Code::UndefinedValue, format!("there is no macro `{name}`"));
    let known = scene.templates.macros();
    let own = name.rsplit('.').next().unwrap_or(name);
    match nearest(own, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// Names that the rendered template gives to macros, variables and imports.
fn local_names(scene: &Scene<'_>) -> Vec<String> {
    let text = scene.templates.text(scene.name).unwrap_or_default();
    let mut names = Vec::new();
    for tag in text.split("{%").skip(1) {
        let tag = tag.split("%}").next().unwrap_or_default();
        let mut words =
            tag.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').filter(|word| !word.is_empty());
        match words.next() {
            Some("set" | "macro" | "with") => names.extend(words.next().map(str::to_owned)),
            Some("for") => names.extend(words.take_while(|word| *word != "in").map(str::to_owned)),
            Some("import" | "from") => {
                let words = words.skip_while(|word| !matches!(*word, "import" | "as")).skip(1);
                names.extend(words.filter(|word| *word != "as").map(str::to_owned));
            }
            _ => {}
        }
    }
    names
}

fn unknown_method(detail: &str) -> Diagnostic {
    let name = detail.rsplit(' ').next().unwrap_or_default().trim_matches('`');
    let diagnostic =
        Diagnostic::new(Code::UndefinedValue, if detail.is_empty() { "there is no such method" } else { detail });
    if FILTERS.contains(&name) || functions::names().any(|known| known == name) {
        return diagnostic.hint(format!("`{name}` is a filter: `value|{name}`"));
    }
    diagnostic
}

fn not_found(detail: &str, scene: &Scene<'_>) -> Diagnostic {
    let name = detail.split(['"', '\'']).nth(1).unwrap_or(detail);
    let diagnostic = Diagnostic::new(Code::UndefinedValue, format!("there is no template `{name}`"));
    let scope = scene.templates.scope(scene.name).unwrap_or(0);
    if name.contains(".tpl") || !name.ends_with(".j2") && name.contains('.') && !name.contains(".j2") {
        let near = nearest(&format!("{name}.j2"), scene.templates.names.candidates(scope));
        return match near {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint("named Go templates are called with `include(\"name\")`; Jinja files end in `.j2`"),
        };
    }
    let candidates = scene.templates.names.candidates(scope);
    match nearest(name, candidates.iter().copied()) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => {
            let partials: Vec<String> = candidates
                .iter()
                .filter(|name| name.rsplit('/').next().is_some_and(|base| base.starts_with('_')))
                .take(5)
                .map(|name| format!("`{name}`"))
                .collect();
            match partials.is_empty() {
                true => diagnostic.hint("names are those in `templates/`, or `CHART/FILE` for another chart's"),
                false => diagnostic.hint(format!("there are {}", partials.join(", "))),
            }
        }
    }
}

/// The expression that is undefined, and which part of it.
fn undefined(error: &Error, detail: &str, scene: &Scene<'_>) -> Diagnostic {
    let expression = detail.split('`').nth(1).filter(|_| detail.contains("is undefined")).unwrap_or_default();
    if expression.is_empty() || expression.contains("(...)") {
        let message = if detail.is_empty() { "an undefined value is used" } else { detail };
        let miss = scene.log.take_miss();
        let diagnostic = Diagnostic::new(Code::UndefinedValue, message);
        return match miss.and_then(|miss| near_key(&miss.key, miss.entries.keys().map(|key| &**key))) {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        };
    }
    let mut found = missing(expression, scene);
    if let Some(span) = locate(error, expression, scene) {
        found = found.label(span, "");
    }
    if found.hints.is_empty() && !found.message.contains(": ") {
        let with_default =
            format!("if it may be absent: `{expression}|default(…)` or `{{% if {expression} is defined %}}`");
        found = found.hint(with_default);
    }
    found
}

/// The steps of `a.b['c'][0]`, with the length of the text up to the end of each.
fn steps(expression: &str) -> Vec<(String, usize)> {
    let mut steps = Vec::new();
    let mut at = 0;
    while at < expression.len() {
        let rest = &expression[at..];
        if let Some(inner) = rest.strip_prefix('[') {
            let Some(end) = inner.find(']') else { break };
            steps.push((inner[..end].trim_matches(['\'', '"']).to_owned(), at + end + 2));
            at += end + 2;
        } else {
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            let start = expression.len() - rest.len();
            let length = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push((rest[..length].to_owned(), start + length));
            at = start + length.max(1);
        }
    }
    steps
}

fn near_key<'a>(key: &str, keys: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(near) = nearest(key, keys.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<String> = keys.take(9).map(|key| format!("`{key}`")).collect();
    match all.len() {
        1..=8 => Some(format!("it has {}", all.join(", "))),
        _ => None,
    }
}

/// Says which step of an expression is missing, and what could be meant.
fn missing(expression: &str, scene: &Scene<'_>) -> Diagnostic {
    let steps = steps(expression);
    let plain = || Diagnostic::new(Code::UndefinedValue, format!("`{expression}` is not defined"));
    let Some((base, _)) = steps.first() else { return plain() };
    if !NAMES.contains(&base.as_str()) {
        if steps.len() > 1 {
            return missing_in_variable(expression, scene);
        }
        let diagnostic = plain();
        let local = local_names(scene);
        let names = NAMES.iter().copied().chain(local.iter().map(String::as_str));
        let helm = match base.as_str() {
            "end" => Some("blocks end with `{% endif %}`, `{% endfor %}` and so on in Jinja"),
            "include" | "define" | "template" | "range" => Some("see the guide on Helm's syntax and Jinja's"),
            _ => None,
        };
        return match nearest(base, names) {
            _ if helm.is_some() => diagnostic.hint(helm.unwrap_or_default()),
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => {
                let value = scene.root.get_attr("values").and_then(|values| values.get_attr(base));
                match value.is_ok_and(|value| !value.is_undefined()) {
                    true => diagnostic.hint(format!("did you mean `values.{base}`?")),
                    false => {
                        diagnostic.hint(format!("the names are {}, and what the template itself sets", list(NAMES)))
                    }
                }
            }
        };
    }
    let mut value = scene.root.clone();
    let mut parents: Vec<(Value, usize)> = Vec::new();
    let mut done = 0;
    for (key, end) in &steps {
        let next = value.get_attr(key).ok().filter(|next| !next.is_undefined()).or_else(|| {
            let index: usize = key.parse().ok()?;
            value.get_item_by_index(index).ok().filter(|next| !next.is_undefined())
        });
        match next {
            Some(next) => {
                parents.push((value, done));
                value = next;
                done = *end;
            }
            None => return missing_step(expression, key, done, *end, &value, &parents),
        }
    }
    plain()
}

fn keys(value: &Value) -> Vec<String> {
    match value.kind() {
        ValueKind::Map => value
            .try_iter()
            .map(|keys| keys.filter_map(|key| key.to_str()).map(|key| key.to_string()).collect())
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// A key that a value does not have; `parents` are the values on the way, with the length of the text before each.
fn missing_step(
    expression: &str,
    key: &str,
    done: usize,
    end: usize,
    value: &Value,
    parents: &[(Value, usize)],
) -> Diagnostic {
    let path = &expression[..end];
    let holder = &expression[..done];
    let known = keys(value);
    let kind = value.kind();
    if !matches!(kind, ValueKind::Map | ValueKind::Plain) {
        let message = format!("`{path}` is not defined: `{holder}` is {}, not a map", super::write::describe(value));
        return Diagnostic::new(Code::UndefinedValue, message);
    }
    let diagnostic = Diagnostic::new(Code::UndefinedValue, format!("`{path}` is not defined"));
    let dotted = |holder: &str, key: &str| if holder.is_empty() { key.to_owned() } else { format!("{holder}.{key}") };
    if let Some(near) = nearest(key, known.iter().map(String::as_str)) {
        return diagnostic.hint(format!("did you mean `{}`?", dotted(holder, near)));
    }
    // The key may stand one level up or down.
    for (parent, length) in parents.iter().rev().filter(|(_, length)| *length > 0) {
        if keys(parent).iter().any(|known| known == key) {
            let place = dotted(&expression[..*length], key);
            return diagnostic.hint(format!("it exists a level up: `{place}`"));
        }
    }
    for child in &known {
        let below = value.get_attr(child).map(|child| keys(&child)).unwrap_or_default();
        if below.iter().any(|known| known == key) {
            return diagnostic.hint(format!("it exists a level down: `{}`", dotted(&dotted(holder, child), key)));
        }
    }
    match known.len() {
        1..=8 => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            diagnostic.hint(format!("`{holder}` has {}", list(&known)))
        }
        _ => diagnostic,
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A key that is missing in a value that has a name of its own: the values know where it was looked for.
fn missing_in_variable(expression: &str, scene: &Scene<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UndefinedValue, format!("`{expression}` is not defined"));
    let Some(miss) = scene.log.take_miss().filter(|miss| expression.ends_with(miss.key.as_str())) else {
        return diagnostic;
    };
    let path: Vec<Box<str>> = miss.trail.path().iter().map(|key| Box::from(&**key)).collect();
    let path = format!("values.{}", path.join("."));
    match near_key(&miss.key, miss.entries.keys().map(|key| &**key)) {
        Some(hint) => diagnostic.hint(format!("it is looked for in `{}`; {hint}", path.trim_end_matches('.'))),
        None => diagnostic,
    }
}

/// The place of an expression in the author's source: near where the error is, but the whole of it.
fn locate(error: &Error, expression: &str, scene: &Scene<'_>) -> Option<Span> {
    let span = place(error, scene)?;
    let text = scene.templates.text(error.name()?)?;
    let at = span.start as usize;
    let end = (0..=(at + 2).min(text.len())).rev().find(|&end| text.is_char_boundary(end))?;
    let before = &text[..end];
    let open = before.rfind("{{").into_iter().chain(before.rfind("{%")).max()?;
    let close = text[open..].find("}}").into_iter().chain(text[open..].find("%}")).min()? + open;
    let tag = &text[open..close.max(open)];
    let last = steps(expression).last().map(|(key, _)| key.clone()).unwrap_or_default();
    let found = tag.find(expression).map(|found| (found, expression.len())).or_else(|| {
        let found = tag.find(last.as_str()).filter(|_| !last.is_empty())?;
        Some((found, last.len()))
    });
    let (found, length) = found?;
    Some(Span::new(span.file, open + found, open + found + length))
}
