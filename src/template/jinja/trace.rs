//! Which part of which template wrote which part of a text, also inside fragments that were captured on the way.
//!
//! minijinja says it for what goes straight to the output. What a macro or capture holds is one text to it, so we note
//! each site's text as it is written, and find these texts again, in order, in the captured text.

use super::rewrite::Spot;
use crate::diagnostic::Span;
use crate::template::Project;
use std::sync::Arc;

/// A stretch of a text up to `end`; it starts where the one before ends.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) end: usize,
    pub(super) span: Span,
    /// The text is that of the span, byte for byte.
    pub(super) literal: bool,
    pub(super) reads: Vec<Span>,
}

/// What one site wrote.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) spot: Arc<Spot>,
    pub(super) text: Arc<str>,
    /// Where the text came from, if it is a fragment that is known in detail.
    pub(super) pieces: Vec<Piece>,
    pub(super) reads: Vec<Span>,
}

impl Record {
    /// The record's text in pieces that start at an offset.
    pub(super) fn pieces_at(&self, offset: usize, project: &Project) -> Vec<Piece> {
        if self.pieces.is_empty() {
            return vec![Piece {
                end: offset + self.text.len(),
                span: span(project, &self.spot, self.spot.range.start, self.spot.range.end),
                literal: false,
                reads: self.reads.clone(),
            }];
        }
        self.pieces.iter().map(|piece| Piece { end: piece.end + offset, ..piece.clone() }).collect()
    }
}

/// A line of a fragment where it was inserted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Offset in the text that it was inserted in, behind its indent.
    pub(super) to: usize,
    /// Offset in the fragment.
    pub(super) from: usize,
    pub(super) length: usize,
}

fn span(project: &Project, spot: &Spot, start: usize, end: usize) -> Span {
    Span::new(project.templates[spot.template].file, start, end)
}

/// Pieces of a fragment as they stand in the text that its lines were inserted in.
pub(super) fn shifted(pieces: &[Piece], lines: &[Line], total: usize) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let mut at = 0;
    for line in lines {
        let end = line.from + line.length;
        while pieces.get(at).is_some_and(|piece| piece.end <= line.from) {
            at += 1;
        }
        let mut index = at;
        let mut start = line.from;
        while start < end
            && let Some(piece) = pieces.get(index)
        {
            let stop = piece.end.min(end);
            let before = index.checked_sub(1).map_or(0, |before| pieces[before].end);
            let skipped = start - before;
            let span = if piece.literal {
                Span { start: piece.span.start + skipped as u32, ..piece.span }
            } else {
                piece.span
            };
            // The indent before the line belongs to its first piece, which is then no longer the text of its span.
            let indent = out.last().map_or(0, |last| last.end) < line.to + (start - line.from);
            if indent && piece.literal {
                out.push(Piece {
                    end: line.to + (start - line.from),
                    span: Span { end: span.start, ..span },
                    literal: false,
                    reads: Vec::new(),
                });
            }
            out.push(Piece {
                end: line.to + (stop - line.from),
                span,
                literal: piece.literal,
                reads: piece.reads.clone(),
            });
            start = stop;
            index += 1;
        }
    }
    out.iter_mut().for_each(|piece| piece.end = piece.end.min(total));
    if let Some(last) = out.last_mut().filter(|last| last.end < total && !last.literal) {
        last.end = total;
    }
    out
}

/// Finds the texts of records in the text that they are parts of. What stands between is text of the template, starting
/// in the body that the text was captured from.
pub(super) fn aligned(text: &str, records: &[Record], body: Option<&Spot>, project: &Project) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut done = 0;
    let mut before: Option<Place<'_>> =
        body.map(|spot| Place { project, template: spot.template, offset: spot.range.start });
    for record in records.iter().filter(|record| !record.text.is_empty()) {
        let spot = &record.spot;
        let source = &*project.templates[spot.template].text;
        let start = if spot.before.is_empty() { spot.outer.start } else { spot.before.start };
        let lead = source.get(..start).unwrap_or_default();
        let mut anchor = &lead[lead.rfind(['\n', '}']).map_or(0, |at| at + 1)..];
        if record.text.starts_with([' ', '\n']) {
            anchor = anchor.trim_end_matches(' ');
        }
        let trimmed = lead.len() - (anchor.as_ptr() as usize - lead.as_ptr() as usize) - anchor.len();
        let needle = anchor.trim_start();
        let Some(found) = find(&text[done..], needle, &record.text) else { continue };
        let at = done + found;
        let after = Place { project, template: spot.template, offset: start - trimmed };
        literal(&mut pieces, text, done..at, before, Some(after));
        pieces.extend(record.pieces_at(at, project));
        done = at + record.text.len();
        before = Some(Place { offset: spot.outer.end, ..after });
    }
    literal(&mut pieces, text, done..text.len(), before, None);
    pieces
}

/// The offset of a text that stands behind an anchor.
fn find(text: &str, anchor: &str, part: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(anchor)? + anchor.len();
        if text[at..].starts_with(part) {
            return Some(at);
        }
        // Without an anchor a short text could be anywhere.
        if anchor.is_empty() {
            return (part.len() > 3).then(|| text[from..].find(part)).flatten().map(|found| from + found);
        }
        from = at;
    }
}

/// An offset in a template.
#[derive(Clone, Copy)]
struct Place<'a> {
    project: &'a Project,
    template: usize,
    offset: usize,
}

impl<'a> Place<'a> {
    fn span(self, start: usize, end: usize) -> Span {
        Span::new(self.project.templates[self.template].file, start, end)
    }

    fn text(self) -> &'a str {
        &self.project.templates[self.template].text
    }
}

/// Text between two sites: as far as it is the template's text behind the first or before the second, byte for byte.
fn literal(
    pieces: &mut Vec<Piece>,
    text: &str,
    range: std::ops::Range<usize>,
    before: Option<Place<'_>>,
    after: Option<Place<'_>>,
) {
    let gap = &text[range.clone()];
    if gap.is_empty() {
        return;
    }
    let suffix = after.map_or(0, |place| {
        let source = place.text().as_bytes()[..place.offset.min(place.text().len())].iter().rev();
        let count = gap.bytes().rev().zip(source).take_while(|(a, b)| a == *b).count();
        (gap.len() - count..=gap.len()).find(|&at| gap.is_char_boundary(at)).map_or(0, |at| gap.len() - at)
    });
    let rest = &gap[..gap.len() - suffix];
    let prefix = before.map_or(0, |place| {
        let source = place.text().as_bytes().get(place.offset..).unwrap_or_default();
        let count = rest.bytes().zip(source).take_while(|(a, b)| a == *b).count();
        (0..=count).rev().find(|&at| rest.is_char_boundary(at)).unwrap_or(0)
    });
    let mut push = |end: usize, span: Span, literal: bool| {
        if pieces.last().map_or(0, |last: &Piece| last.end) < end {
            pieces.push(Piece { end, span, literal, reads: Vec::new() });
        }
    };
    if let Some(place) = before.filter(|_| prefix > 0) {
        push(range.start + prefix, place.span(place.offset, place.offset + prefix), true);
    }
    if let Some(place) = after.or(before) {
        push(range.end - suffix, place.span(place.offset, place.offset), false);
    }
    if let Some(place) = after.filter(|_| suffix > 0) {
        push(range.end, place.span(place.offset - suffix, place.offset), true);
    }
}
