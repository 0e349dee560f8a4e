//! What we tell users about their files: a [`Diagnostic`] has a severity, a code, a message and labelled
//! places ([`Span`]s) in [`Sources`]; a [`Sink`] collects them, and one file per output format prints them.

mod code;
mod github;
mod human;
mod json;
mod junit;
mod levels;
mod nearest;
mod sarif;
mod short;
mod sink;
mod source;
mod tap;

pub use code::{Code, Level};
pub use github::Github;
pub use human::Human;
pub use json::Json;
pub use junit::Junit;
pub use levels::{level_by_comment, project_levels};
pub use nearest::{nearest, nearest_within};
pub use sarif::Sarif;
pub use short::Short;
pub use sink::Sink;
pub use source::{FileId, Kind, Position, SourceMap, Sources, Span};
pub use tap::Tap;

/// How bad a finding is. Errors make a command fail; warnings and notes do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Note,
    Warning,
    Error,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A place in a source and what to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// A step on the way to the place that failed, outermost first: `while including "app.labels"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub text: String,
    pub span: Option<Span>,
}

/// Something wrong in the user's files or input. `labels[0]`, if any, is the primary place.
///
/// Messages are lower case without a final period, with code in backticks; they say what was found and
/// what was expected. The way to fix it is a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: Code,
    pub message: String,
    pub labels: Vec<Label>,
    pub trace: Vec<Frame>,
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic at the code's default level.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: code.default_level().severity().unwrap_or(Severity::Note),
            code,
            message: message.into(),
            labels: Vec::new(),
            trace: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Adds a labelled place; the first one added is the primary place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    #[must_use]
    pub fn frame(mut self, text: impl Into<String>, span: Option<Span>) -> Self {
        self.trace.push(Frame { text: text.into(), span });
        self
    }
}

impl Diagnostic {
    /// Moves all places to sources that come `offset` later, see [`Sources::append`].
    pub fn shift(&mut self, offset: u32) {
        let frames = self.trace.iter_mut().filter_map(|frame| frame.span.as_mut());
        for span in self.labels.iter_mut().map(|label| &mut label.span).chain(frames) {
            span.file.0 += offset;
        }
    }

    /// The first place in a file that the user can open: the template rather than the rendered text.
    pub fn file_label(&self, sources: &Sources) -> Option<&Label> {
        self.labels.iter().find(|label| sources.kind(label.span.file) == Kind::File)
    }
}

/// Something that was checked, and what was found.
#[derive(Debug, Clone, Default)]
pub struct Unit {
    /// As the user would say it: `charts/web with ci/ha-values.yaml`.
    pub name: String,
    pub findings: Vec<Diagnostic>,
}

impl Unit {
    pub fn failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// All that a command found.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    pub sources: &'a Sources,
    pub units: &'a [Unit],
}

impl<'a> Report<'a> {
    pub fn findings(&self) -> impl Iterator<Item = &'a Diagnostic> {
        self.units.iter().flat_map(|unit| &unit.findings)
    }
}

/// An output format for findings.
pub trait Emitter {
    /// The whole report as text.
    fn emit(&self, report: Report<'_>) -> String;
}

/// Diagnostics that stopped an operation. Never empty.
pub type Failure = Vec<Diagnostic>;
