//! What went wrong while templates ran, and its text as Helm words it.

use super::print;
use crate::diagnostic::Span;
use crate::value::Str;

/// Helm's marks around the messages of `fail` and `required` in the text of an error.
const MARK_START: &str = "HELM_ERR_START";
const MARK_END: &str = "HELM_ERR_END";

/// Where the text of an error is cut: each level of `tpl` repeats its template.
const MAX_TEXT: usize = 4 << 20;

/// An error in a template that was called through others.
#[derive(Debug, Clone)]
pub(super) struct ExecError {
    /// The calls on the way, the innermost first. Never empty.
    pub(super) levels: Vec<Level>,
    /// What a function returned at the innermost level.
    pub(super) cause: Option<Cause>,
    pub(super) help: Help,
}

/// A node of a template that failed.
#[derive(Debug, Clone)]
pub(super) struct Level {
    /// `file:line:column`
    pub(super) location: String,
    /// The template's name.
    pub(super) template: Str,
    /// The node, re-printed.
    pub(super) context: String,
    pub(super) message: String,
    /// The node's place, where its text is a file's.
    pub(super) span: Option<Span>,
    /// The text that `tpl` ran here, in which the level before failed.
    pub(super) tpl: Option<Str>,
}

/// What a failed function returned.
#[derive(Debug, Clone)]
pub(super) enum Cause {
    /// `tpl`: the argument's text, and why it is no template.
    TplSyntax(Str, String),
    Message(String),
    /// `fail` and `required`.
    Warning(String),
    /// There is no template of this name.
    NoTemplate(Str),
}

/// What is known beyond Helm's message, for hints.
#[derive(Debug, Clone, Default)]
pub(super) enum Help {
    #[default]
    None,
    /// A field was taken of nil: the path that is nil, and the keys that stand beside its last part.
    Nil { path: Vec<Str>, siblings: Vec<Str> },
    /// There is no template of this name; there are these.
    Template { name: Str, known: Vec<Str> },
    /// A limit stopped the render.
    Limit,
}

impl ExecError {
    /// An error at no node in particular.
    fn nowhere(message: String, help: Help) -> Self {
        let level = Level {
            location: String::new(),
            template: Str::from(""),
            context: String::new(),
            message,
            span: None,
            tpl: None,
        };
        ExecError { levels: vec![level], cause: None, help }
    }

    /// A limit that stopped the render.
    pub(super) fn limit(message: &str) -> Self {
        Self::nowhere(message.to_owned(), Help::Limit)
    }

    /// There is no template of this name to start with.
    pub(super) fn no_template(name: &str, known: Vec<Str>) -> Self {
        Self::nowhere(format!("no template `{name}`"), Help::Template { name: name.into(), known })
    }

    pub(super) fn innermost(&self) -> &Level {
        &self.levels[0]
    }

    /// The error as Go prints it, in one line unless a message has several: from the outermost level inward.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (depth, level) in self.levels.iter().enumerate().rev() {
            if text.len() > MAX_TEXT {
                break;
            }
            text.push_str(&level.text());
            if let Some(source) = &level.tpl {
                text.push_str(": error during tpl function execution for ");
                text.push_str(&print::quote(source));
            }
            if depth > 0 {
                text.push_str(": ");
            }
        }
        if let Some(cause) = &self.cause {
            text.push_str(": ");
            text.push_str(&cause.text());
        }
        text
    }

    /// The error as `helm template` prints it: blocks of location, expression and message where every level has
    /// that shape, else the one line.
    pub(super) fn helm_text(&self) -> String {
        let text = self.text();
        // Helm cuts at the first two `: `.
        let rest = text.splitn(3, ": ").nth(2).unwrap_or_default();
        if let (Some(start), Some(end)) = (rest.find(MARK_START), rest.rfind(MARK_END))
            && start < end
        {
            let location = text.split(": ").nth(1).unwrap_or_default();
            return format!("execution error at ({location}): {}", &rest[start + MARK_START.len()..end]);
        }
        let is_raw = !matches!(self.cause, None | Some(Cause::NoTemplate(_)));
        if is_raw || self.levels.iter().any(|level| level.tpl.is_some()) {
            return text;
        }
        let mut blocks: Vec<String> = Vec::new();
        for (depth, level) in self.levels.iter().enumerate().rev() {
            let mut text = level.text();
            if depth > 0 || self.cause.is_some() {
                // What follows a level's own text is cut from here on.
                text.push_str(": template: ");
            }
            let block = block(&text);
            if blocks.last() != Some(&block) {
                blocks.push(block);
            }
        }
        if let Some(Cause::NoTemplate(name)) = &self.cause {
            blocks.push(format!("{}\n", no_template(name)));
        }
        blocks.concat().trim().to_owned()
    }
}

impl Level {
    fn text(&self) -> String {
        if self.location.is_empty() {
            return format!("template: {}", self.message);
        }
        let template = print::quote(&self.template);
        format!("template: {}: executing {template} at <{}>: {}", self.location, self.context, self.message)
    }
}

impl Cause {
    fn text(&self) -> String {
        match self {
            Cause::TplSyntax(source, error) => format!("cannot parse template {}: {error}", print::quote(source)),
            Cause::Message(message) => message.clone(),
            Cause::Warning(message) => format!("{MARK_START}{message}{MARK_END}"),
            Cause::NoTemplate(name) => no_template(name),
        }
    }
}

fn no_template(name: &str) -> String {
    format!("template: no template {} associated with template \"gotpl\"", print::quote(name))
}

/// One level's text as Helm lays it out, by the marks that Helm looks for.
fn block(text: &str) -> String {
    let rest = text.strip_prefix("template: ").unwrap_or(text);
    if rest.starts_with("no template ") {
        return format!("{text}\n");
    }
    let cut = |message: &str| message.split(" template:").next().unwrap_or_default().to_owned();
    let lines = |head: String, message: &str| {
        let message = cut(message);
        if message.is_empty() { head } else { format!("{head}{message}\n") }
    };
    let parsed = rest.split_once(": executing ").and_then(|(location, after)| {
        let (function, after) = after.strip_prefix('"')?.split_once('"')?;
        let (expression, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
        Some(lines(format!("{location}\n  executing \"{function}\" at <{expression}>:\n    "), message))
    });
    parsed.unwrap_or_else(|| {
        let (location, message) = rest.rsplit_once(": ").unwrap_or(("", rest));
        lines(format!("{location}\n  "), message)
    })
}
