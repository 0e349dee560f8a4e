//! What went wrong while templates ran, and its text as Helm words it.

use super::print;
use crate::diagnostic::Span;
use crate::value::Str;

/// Helm's marks around the messages of `fail` and `required` in the text of an error.
const MARK_START: &str = "HELM_ERR_START";
const MARK_END: &str = "HELM_ERR_END";

/// An error at a node of a template; the cause leads from an `include` inward.
#[derive(Debug, Clone)]
pub(super) struct ExecError {
    /// `file:line:column`
    pub(super) location: String,
    /// The template's name.
    pub(super) template: Str,
    /// The node, re-printed.
    pub(super) context: String,
    pub(super) message: String,
    pub(super) cause: Option<Cause>,
    /// The node's place, where its text is a file's.
    pub(super) span: Option<Span>,
    pub(super) help: Help,
}

/// What a failed function returned.
#[derive(Debug, Clone)]
pub(super) enum Cause {
    /// A template that it ran failed.
    Template(Box<ExecError>),
    /// `tpl`: the argument's text, and the error in it.
    Tpl(Str, Box<ExecError>),
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
    /// A limit that stopped the render at no node in particular.
    pub(super) fn limit(message: &str) -> Self {
        ExecError {
            location: String::new(),
            template: Str::from(""),
            context: String::new(),
            message: message.to_owned(),
            cause: None,
            span: None,
            help: Help::Limit,
        }
    }

    /// There is no template of this name to start with.
    pub(super) fn no_template(name: &str, known: Vec<Str>) -> Self {
        ExecError {
            message: format!("no template {} associated with template \"gotpl\"", print::quote(name)),
            help: Help::Template { name: name.into(), known },
            ..ExecError::limit("")
        }
    }

    /// The error as Go prints it, in one line unless a message has several.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "template: {}: executing {} at <{}>: {}",
            self.location,
            print::quote(&self.template),
            self.context,
            self.message
        );
        if let Some(cause) = &self.cause {
            text.push_str(": ");
            text.push_str(&cause.text());
        }
        text
    }

    /// The innermost error.
    pub(super) fn innermost(&self) -> &ExecError {
        let mut error = self;
        while let Some(Cause::Template(inner) | Cause::Tpl(_, inner)) = &error.cause {
            error = inner;
        }
        error
    }

    /// The errors from the outermost inward.
    pub(super) fn levels(&self) -> Vec<&ExecError> {
        let mut levels = vec![self];
        while let Some(Cause::Template(inner) | Cause::Tpl(_, inner)) = &levels[levels.len() - 1].cause {
            levels.push(inner);
        }
        levels
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
        let mut blocks: Vec<String> = Vec::new();
        let mut error = Some(self);
        while let Some(level) = error {
            let Some(block) = block(&level.text()) else { return text };
            if blocks.last() != Some(&block) {
                blocks.push(block);
            }
            error = match &level.cause {
                None => None,
                Some(Cause::Template(inner)) => Some(inner),
                Some(Cause::NoTemplate(name)) => {
                    blocks.push(format!("{}\n", no_template(name)));
                    None
                }
                Some(_) => return text,
            };
        }
        blocks.concat().trim().to_owned()
    }
}

impl Cause {
    fn text(&self) -> String {
        match self {
            Cause::Template(error) => error.text(),
            Cause::Tpl(source, error) => {
                format!("error during tpl function execution for {}: {}", print::quote(source), error.text())
            }
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

/// One level's text as Helm lays it out; `None` where the text does not have the shape that Helm looks for.
fn block(text: &str) -> Option<String> {
    let rest = text.strip_prefix("template: ")?;
    if rest.starts_with("no template ") {
        return Some(format!("{text}\n"));
    }
    let cut = |message: &str| message.split(" template:").next().unwrap_or_default().to_owned();
    if let Some((location, after)) = rest.split_once(": executing ") {
        let parsed = after.strip_prefix('"').and_then(|after| {
            let (function, after) = after.split_once('"')?;
            let (expression, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
            let mut block = format!("{location}\n  executing \"{function}\" at <{expression}>:\n    ");
            let message = cut(message);
            if message.is_empty() {
                Some(block)
            } else {
                block += &message;
                Some(block + "\n")
            }
        });
        if parsed.is_some() {
            return parsed;
        }
    }
    let (location, message) = rest.rsplit_once(": ")?;
    let message = cut(message);
    Some(if message.is_empty() { format!("{location}\n  ") } else { format!("{location}\n  {message}\n") })
}
