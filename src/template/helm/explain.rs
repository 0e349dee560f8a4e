//! Findings from errors: Helm's own message first, then the place, the way there, and how to mend it.

use super::builtins;
use super::error::{Cause, ExecError, Help};
use super::parser::ParseError;
use crate::diagnostic::{Code, Diagnostic, Failure, Span, nearest};
use crate::template::{Project, Template};
use crate::value::Str;

/// Why a file is no template.
pub(super) fn syntax(template: &Template, error: &ParseError) -> Diagnostic {
    let span = Span { file: template.file, start: error.start, end: error.end };
    if error.too_deep {
        return Diagnostic::new(Code::LimitExceeded, "template nests too deep").label(span, "the nesting goes on here");
    }
    let diagnostic = Diagnostic::new(Code::TemplateSyntax, error.message.clone()).label(span, "here");
    match syntax_hint(&error.message) {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

fn syntax_hint(message: &str) -> Option<String> {
    let quoted = message.split('"').nth(1);
    let hint = match message {
        _ if message.starts_with("function ") => match quoted? {
            "env" | "expandenv" => "charts cannot read the environment; pass the value in with `--set`".to_owned(),
            name => match nearest(name, builtins::names()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => "Helm has no function of this name; a named template is called with `include`".to_owned(),
            },
        },
        _ if message.starts_with("undefined variable ") => {
            let name = quoted?;
            format!("declare it before, in the same block or one around it: `{{{{ {name} := … }}}}`")
        }
        "unexpected EOF" => "an `if`, `range`, `with`, `define` or `block` has no `{{ end }}`".to_owned(),
        "unexpected {{end}}" => "this `{{ end }}` has no `if`, `range`, `with`, `define` or `block`".to_owned(),
        _ if message.starts_with("unclosed action") => "the action has no `}}`".to_owned(),
        _ if message.starts_with("bad character U+002D") => {
            "a key with a dash is read with `index`: `{{ index .Values \"my-key\" }}`".to_owned()
        }
        _ if message.starts_with("unexpected \"/\"") => {
            "a comment touches its delimiters: `{{/* … */}}` or `{{- /* … */ -}}`".to_owned()
        }
        _ => return None,
    };
    Some(hint)
}

/// How many calls on the way to an error are shown.
const MAX_FRAMES: usize = 16;

/// Turns errors of a scope's templates into findings.
pub(super) struct Explainer<'p> {
    pub(super) project: &'p Project,
    pub(super) scope: usize,
}

impl Explainer<'_> {
    pub(super) fn explain(&self, error: &ExecError) -> Failure {
        let (code, message) = describe(error);
        let mut diagnostic = Diagnostic::new(code, message);
        // Errors in the argument of `tpl` have no place of their own: that of the call stands for them.
        let shown = error.levels.iter().position(|level| level.span.is_some());
        if let Some((shown, span)) = shown.and_then(|shown| Some((shown, error.levels[shown].span?))) {
            diagnostic = diagnostic.label(span, label(error, shown));
        }
        let outer = error.levels.len() - shown.map_or(0, |shown| shown + 1);
        for (index, level) in error.levels.iter().rev().take(outer).enumerate() {
            if outer > MAX_FRAMES && index == MAX_FRAMES / 2 {
                diagnostic = diagnostic.frame(format!("… {} more calls", outer - MAX_FRAMES), None);
            }
            if outer <= MAX_FRAMES || index < MAX_FRAMES / 2 || index >= outer - MAX_FRAMES / 2 {
                let text = format!("while `{}` ran in template `{}`", level.context, level.template);
                diagnostic = diagnostic.frame(text, level.span);
            }
        }
        for hint in self.hints(error) {
            diagnostic = diagnostic.hint(hint);
        }
        vec![diagnostic]
    }

    fn hints(&self, error: &ExecError) -> Vec<String> {
        match &error.help {
            Help::Nil { path, siblings } => self.nil_hints(path, siblings),
            Help::Template { name, known } => match nearest(name, known.iter().map(|name| &**name)) {
                Some(known) => vec![format!("did you mean `{known}`?")],
                None => Vec::new(),
            },
            Help::Limit => vec!["a template that needs this much is most likely in an endless loop".to_owned()],
            Help::None => match error.innermost().message.split_once(';') {
                Some(("wrong type for value", rest)) if rest.contains("expected string") => {
                    vec!["convert the value with `toString`, or quote it where it is set".to_owned()]
                }
                _ if error.innermost().message.starts_with("range can't iterate over") => {
                    vec!["`range` takes a list, a map or a whole number; numbers from files need `int`".to_owned()]
                }
                _ => self.comparison_hint(error),
            },
        }
    }

    fn comparison_hint(&self, error: &ExecError) -> Vec<String> {
        match &error.cause {
            Some(Cause::Message(message)) if message.starts_with("incompatible types for comparison") => {
                vec![
                    "numbers from values files are floats: compare `(int .Values.x)` with `1`, or with `1.0`"
                        .to_owned(),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn nil_hints(&self, path: &[Str], siblings: &[Str]) -> Vec<String> {
        let Some((last, before)) = path.split_last() else { return Vec::new() };
        let mut hints = Vec::new();
        if let Some(known) = nearest(last, siblings.iter().map(|name| &**name)) {
            return vec![format!("did you mean `{known}`?")];
        }
        if before.first().is_some_and(|first| **first == *"Values") {
            let key = self.values_path(&path[1..]);
            hints.push(format!("set `{key}` in a values file or with `--set {key}.…`"));
        }
        let path = path.join(".");
        hints.push(format!("where it may be missing, write `(.{path}).…`, which gives nothing, or test with `with`"));
        hints
    }

    /// A path in the root chart's values.
    fn values_path(&self, path: &[Str]) -> String {
        let mut names: Vec<&str> = path.iter().rev().map(|name| &**name).collect();
        let mut scope = self.scope;
        while let Some(parent) = self.project.scopes[scope].parent {
            names.push(&self.project.scopes[scope].name);
            scope = parent;
        }
        names.reverse();
        names.join(".")
    }
}

fn describe(error: &ExecError) -> (Code, String) {
    let code = match error.help {
        Help::Nil { .. } => Code::UndefinedValue,
        Help::Limit => Code::LimitExceeded,
        _ => Code::TemplateError,
    };
    let message = &error.innermost().message;
    let message = match &error.cause {
        Some(Cause::Warning(message)) if message.is_empty() => "the chart fails without a message".to_owned(),
        Some(Cause::Warning(message)) => message.clone(),
        Some(Cause::Message(cause)) => format!("{message}: {cause}"),
        Some(Cause::NoTemplate(name)) => format!("no template `{name}`"),
        Some(Cause::TplSyntax(_, cause)) => format!("`tpl` is given a text that is no template: {cause}"),
        None => match &error.help {
            Help::Nil { path, .. } if !path.is_empty() => format!("{message}: `.{}` is nil", path.join(".")),
            _ => message.clone(),
        },
    };
    (code, message)
}

/// What to say at the place of a level.
fn label(error: &ExecError, shown: usize) -> String {
    if shown > 0 {
        let innermost = error.innermost();
        return format!("in the text that `tpl` runs here, at {} `{}`", innermost.location, innermost.context);
    }
    match (&error.help, &error.cause) {
        (Help::Nil { .. }, _) => "a field of nil".to_owned(),
        (_, Some(Cause::Warning(_))) => "the chart asks for this".to_owned(),
        (Help::Limit, _) => "stopped here".to_owned(),
        _ => "failed here".to_owned(),
    }
}
