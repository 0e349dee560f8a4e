//! Findings as JSON, one object per line; `schemas/finding.schema.json` describes it.

use super::{Emitter, Kind, Position, Report, Sources, Span};
use serde::Serialize;

/// Raised when a field changes its meaning; new fields do not raise it.
const VERSION: u32 = 1;

/// One JSON object per finding and line.
#[derive(Debug, Clone, Copy)]
pub struct Json;

#[derive(Serialize)]
struct Finding<'a> {
    version: u32,
    unit: &'a str,
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    labels: Vec<Label<'a>>,
    trace: Vec<Frame<'a>>,
    hints: &'a [String],
}

#[derive(Serialize)]
struct Label<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct Frame<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    source: &'a str,
    kind: &'static str,
    start: Point,
    end: Point,
}

#[derive(Serialize)]
struct Point {
    line: usize,
    column: usize,
    offset: u32,
}

impl Emitter for Json {
    fn emit(&self, report: Report<'_>) -> String {
        let mut text = String::new();
        for unit in report.units {
            for finding in &unit.findings {
                let place = |span: Span| place(span, report.sources);
                let object = Finding {
                    version: VERSION,
                    unit: &unit.name,
                    severity: finding.severity.as_str(),
                    code: finding.code.as_str(),
                    message: &finding.message,
                    labels: finding
                        .labels
                        .iter()
                        .map(|label| Label { place: place(label.span), text: &label.text })
                        .collect(),
                    trace: finding
                        .trace
                        .iter()
                        .map(|frame| Frame { text: &frame.text, place: frame.span.map(place) })
                        .collect(),
                    hints: &finding.hints,
                };
                text.push_str(&serde_json::to_string(&object).unwrap_or_default());
                text.push('\n');
            }
        }
        text
    }
}

fn place(span: Span, sources: &Sources) -> Place<'_> {
    let (source, kind) = match (sources.name(span.file), sources.kind(span.file)) {
        (name, Kind::File) => (name, "file"),
        (name, Kind::Rendered) => (name.strip_prefix("rendered ").unwrap_or(name), "rendered"),
        (name, Kind::Argument) => (name, "argument"),
    };
    let point = |offset: u32| {
        let Position { line, column } = sources.position(span.file, offset);
        Point { line, column, offset }
    };
    Place { source, kind, start: point(span.start), end: point(span.end) }
}
