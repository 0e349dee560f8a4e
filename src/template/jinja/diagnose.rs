//! From minijinja's errors to diagnostics at the author's source.

use super::data::Log;
use super::engine::{FAILED, Library};
use super::error::Hint;
use super::rewrite::{Problem, ProblemKind};
use crate::diagnostic::{Code, Diagnostic, Failure, Frame, Span};
use crate::template::{Limits, Template};
use minijinja::{Error, ErrorKind, Value};

/// What an error is explained with.
pub(super) struct Site<'a> {
    pub(super) library: &'a Library,
    pub(super) log: &'a Log,
    /// The template that was rendered.
    pub(super) name: &'a str,
    pub(super) root: &'a Value,
    pub(super) limits: Limits,
}

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
pub(super) fn failure(error: &Error, site: &Site<'_>) -> Failure {
    let mut frames = Vec::new();
    let mut hints = Vec::new();
    let mut current = error;
    loop {
        match std::error::Error::source(current) {
            Some(source) => match source.downcast_ref::<Error>() {
                Some(inner) => {
                    frames.push(frame(current, site));
                    current = inner;
                }
                None => {
                    hints.extend(source.downcast_ref::<Hint>().map(|hint| hint.0.clone()));
                    break;
                }
            },
            None => break,
        }
    }
    if let Some(failed) = current.detail().and_then(|detail| detail.strip_prefix(FAILED)) {
        let name = failed.trim_start_matches([':', ' ']);
        if let Some(mut failure) = site.library.failure(name) {
            frames.extend(
                place(current, site).map(|span| Frame { text: format!("while loading `{name}`"), span: Some(span) }),
            );
            for diagnostic in &mut failure {
                diagnostic.trace.clone_from(&frames);
            }
            return failure;
        }
    }
    let mut diagnostic =
        Diagnostic::new(code(current), current.detail().map_or_else(|| current.kind().to_string(), str::to_owned));
    if let Some(span) = place(current, site) {
        diagnostic = diagnostic.label(span, "");
    }
    diagnostic.hints = hints;
    diagnostic.trace = frames;
    let _ = (site.log, site.name, site.root, site.limits);
    vec![diagnostic]
}

fn code(error: &Error) -> Code {
    match error.kind() {
        ErrorKind::UndefinedError => Code::UndefinedValue,
        ErrorKind::SyntaxError => Code::TemplateSyntax,
        ErrorKind::OutOfFuel => Code::LimitExceeded,
        ErrorKind::InvalidOperation if error.detail() == Some("recursion limit exceeded") => Code::LimitExceeded,
        _ => Code::TemplateError,
    }
}

fn place(error: &Error, site: &Site<'_>) -> Option<Span> {
    site.library.span(error.name()?, error.range()?)
}

fn frame(error: &Error, site: &Site<'_>) -> Frame {
    Frame { text: error.detail().unwrap_or("while rendering").to_owned(), span: place(error, site) }
}
