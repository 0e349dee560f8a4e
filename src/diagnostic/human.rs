//! Findings for people, in the look of rustc: every labelled place with its line.

use super::{Diagnostic, Emitter, FileId, Label, Report, Severity, Sources};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use std::ops::Range;

/// Past this many bytes before a place in its line, the line is not shown.
const LONGEST_LEAD: usize = 4096;
/// Labels of one file that are at most this many lines apart are shown in one piece.
const CLOSE: usize = 100;

/// `error[code]: message`, then the places.
#[derive(Debug, Clone, Copy)]
pub struct Human {
    pub color: bool,
}

impl Emitter for Human {
    fn emit(&self, report: Report<'_>) -> String {
        let renderer = if self.color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Unicode);
        let mut text = String::new();
        for finding in report.findings() {
            text.push_str(&show(finding, report.sources, &renderer));
            text.push_str("\n\n");
        }
        text
    }
}

fn show(finding: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    for piece in pieces(finding, sources) {
        piece.push(&mut elements, sources);
    }
    for frame in finding.trace.iter().rev() {
        let place = frame.span.map(|span| format!(" ({})", sources.locate(span))).unwrap_or_default();
        elements.push(Level::NOTE.message(format!("{}{place}", frame.text)).into());
    }
    for hint in &finding.hints {
        elements.push(Level::HELP.message(hint.as_str()).into());
    }
    let title = level.primary_title(finding.message.as_str()).id(finding.code.as_str());
    renderer.render(&[title.elements(elements)])
}

/// Labels that are shown together: of one file, and not far apart.
struct Piece<'a> {
    file: FileId,
    lines: Range<usize>,
    labels: Vec<(bool, &'a Label)>,
}

fn pieces<'a>(finding: &'a Diagnostic, sources: &Sources) -> Vec<Piece<'a>> {
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    for (index, label) in finding.labels.iter().enumerate() {
        let file = label.span.file;
        let line = sources.position(file, label.span.start).line;
        let near = pieces
            .iter_mut()
            .find(|piece| piece.file == file && line + CLOSE >= piece.lines.end && line <= piece.lines.start + CLOSE);
        match near {
            Some(piece) => {
                piece.lines = piece.lines.start.min(line)..piece.lines.end.max(line + 1);
                piece.labels.push((index == 0, label));
            }
            None => pieces.push(Piece { file, lines: line..line + 1, labels: vec![(index == 0, label)] }),
        }
    }
    pieces
}

impl<'a> Piece<'a> {
    fn push(self, elements: &mut Vec<Element<'a>>, sources: &'a Sources) {
        let name = sources.name(self.file);
        let text = sources.text(self.file);
        let start = sources.line_range(self.file, self.lines.start).start;
        let last = self.labels.iter().map(|(_, label)| label.span).max_by_key(|span| span.start);
        let Some(last) = last else { return };
        let last_line = sources.line_range(self.file, self.lines.end - 1);
        let lead = (last.start as usize).saturating_sub(last_line.start);
        if lead > LONGEST_LEAD || text[start..last_line.end].is_empty() {
            for (_, label) in self.labels {
                let position = sources.position(self.file, label.span.start);
                elements.push(Origin::path(name).line(position.line).char_column(position.column).into());
                if !label.text.is_empty() {
                    elements.push(Level::NOTE.message(label.text.as_str()).into());
                }
            }
            return;
        }
        // The tail of a very long line is never seen.
        let end = floor(text, (last.end as usize).clamp(last.start as usize, last_line.end) + 512).min(last_line.end);
        let mut snippet = Snippet::source(&text[start..end]).path(name).line_start(self.lines.start);
        for (is_primary, label) in self.labels {
            let kind = if is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let line = sources.position(self.file, label.span.start).line;
            // A place of several lines is marked in its first one.
            let line_end = sources.line_range(self.file, line).end.min(end);
            let from = floor(text, (label.span.start as usize).min(line_end));
            let to = floor(text, (label.span.end as usize).clamp(from, line_end));
            let annotation = kind.span(from - start..to - start);
            snippet = snippet.annotation(if label.text.is_empty() {
                annotation
            } else {
                annotation.label(label.text.as_str())
            });
        }
        elements.push(snippet.into());
    }
}

/// The nearest character boundary at or before an offset.
fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
