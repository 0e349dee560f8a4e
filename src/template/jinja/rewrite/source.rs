//! The template's text with its tags, and questions about what stands around a place.

use super::ahead::Cursor;
use super::tags::{Marker, Tag};
use minijinja::machinery::Span;
use minijinja::machinery::ast::Stmt;
use std::ops::Range;

pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) tags: &'a [Tag<'a>],
}

fn span(statement: &Stmt<'_>) -> Span {
    match statement {
        Stmt::Template(s) => s.span(),
        Stmt::EmitExpr(s) => s.span(),
        Stmt::EmitRaw(s) => s.span(),
        Stmt::ForLoop(s) => s.span(),
        Stmt::IfCond(s) => s.span(),
        Stmt::WithBlock(s) => s.span(),
        Stmt::Set(s) => s.span(),
        Stmt::SetBlock(s) => s.span(),
        Stmt::AutoEscape(s) => s.span(),
        Stmt::FilterBlock(s) => s.span(),
        Stmt::Block(s) => s.span(),
        Stmt::Import(s) => s.span(),
        Stmt::FromImport(s) => s.span(),
        Stmt::Extends(s) => s.span(),
        Stmt::Include(s) => s.span(),
        Stmt::Macro(s) => s.span(),
        Stmt::CallBlock(s) => s.span(),
        Stmt::Continue(s) => s.span(),
        Stmt::Break(s) => s.span(),
        Stmt::Do(s) => s.span(),
    }
}

impl<'a> Source<'a> {
    /// The tag around an offset.
    pub(super) fn tag_at(&self, at: usize) -> Option<&Tag<'a>> {
        let next = self.tags.partition_point(|tag| tag.start <= at);
        self.tags[..next].last().filter(|tag| at < tag.end)
    }

    /// The end of the tag around an offset.
    pub(super) fn after_tag(&self, at: usize) -> usize {
        self.tag_at(at).map_or(at, |tag| tag.end)
    }

    /// Behind the word at an offset and the blanks after it.
    pub(super) fn after_word(&self, at: usize) -> usize {
        let rest = self.text[at..].trim_start_matches(|char: char| char.is_ascii_alphanumeric() || char == '_');
        self.text.len() - rest.trim_start().len()
    }

    /// Behind the `=` or `in` after the target of an assignment.
    pub(super) fn after_assignment(&self, target_end: usize, sign: &str) -> Option<usize> {
        let rest = self.text[target_end..].trim_start_matches([' ', '\t', '\n', '\r', ')']).strip_prefix(sign)?;
        Some(self.text.len() - rest.trim_start().len())
    }

    fn tag_ending_at(&self, at: usize) -> Option<&Tag<'a>> {
        self.tag_at(at.checked_sub(1)?).filter(|tag| tag.end == at)
    }

    fn tag_starting_at(&self, at: usize) -> Option<&Tag<'a>> {
        self.tag_at(at).filter(|tag| tag.start == at)
    }

    /// The tag around an offset, with its delimiters.
    pub(super) fn tag_range(&self, at: usize) -> Range<usize> {
        self.tag_at(at).map_or(at..at, |tag| tag.start..tag.end)
    }

    /// A statement from its first to its last tag.
    pub(super) fn whole(&self, statement: Span) -> Range<usize> {
        let (start, end) = (statement.start_offset as usize, statement.end_offset as usize);
        self.tag_range(start).start..self.tag_range(end.saturating_sub(1).max(start)).end
    }

    /// What stands between a statement's first and last tag.
    pub(super) fn body(&self, statement: Span) -> Range<usize> {
        let (start, end) = (statement.start_offset as usize, statement.end_offset as usize);
        let start = self.tag_range(start).end;
        start..self.tag_range(end.saturating_sub(1)).start.max(start)
    }

    /// The first and the last tag of a statement: their outer edges.
    pub(super) fn edges(&self, statement: &Stmt<'_>) -> (Range<usize>, Marker, Marker) {
        let span = span(statement);
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        if matches!(statement, Stmt::EmitRaw(_)) {
            return (start..end, Marker::None, Marker::None);
        }
        let open = self.tag_at(start);
        let close = self.tag_at(end.saturating_sub(1).max(start));
        (
            open.map_or(start, |tag| tag.start)..close.map_or(end, |tag| tag.end),
            open.map_or(Marker::None, |tag| tag.left),
            close.map_or(Marker::None, |tag| tag.right),
        )
    }

    /// What messages point at: the expression, or the statement's first tag without delimiters.
    pub(super) fn range(&self, statement: &Stmt<'_>) -> Range<usize> {
        let span = span(statement);
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        match statement {
            Stmt::EmitExpr(_) | Stmt::EmitRaw(_) => start..end,
            _ => self.tag_at(start).map_or(start..end, |tag| tag.start..tag.end),
        }
    }

    /// The offset of a cursor, with the trim marker that applies before it.
    pub(super) fn start(&self, list: &[Stmt<'_>], at: Cursor) -> (usize, Marker) {
        match list.get(at.index) {
            Some(Stmt::EmitRaw(raw)) => (raw.span().start_offset as usize + at.offset, Marker::None),
            Some(statement) => {
                let (range, left, _) = self.edges(statement);
                (range.start, left)
            }
            None => self.end(list, at),
        }
    }

    /// The offset where what is before the cursor ends, with the trim marker that applies after it.
    pub(super) fn end(&self, list: &[Stmt<'_>], at: Cursor) -> (usize, Marker) {
        match list.get(at.index) {
            Some(Stmt::EmitRaw(raw)) if at.offset > 0 => (raw.span().start_offset as usize + at.offset, Marker::None),
            _ => match at.index.checked_sub(1).and_then(|index| list.get(index)) {
                Some(statement) => {
                    let (range, _, right) = self.edges(statement);
                    (range.end, right)
                }
                None => (0, Marker::None),
            },
        }
    }

    /// The trim marker that removed blanks before an offset, and the blanks.
    fn trimmed(&self, at: usize) -> Option<(usize, &'a str)> {
        let before = &self.text[..at];
        let blanks = &before[before.trim_end().len()..];
        if blanks.is_empty() {
            return None;
        }
        let start = at - blanks.len();
        let by_previous = self.tag_ending_at(start).filter(|tag| tag.right == Marker::Remove).map(|tag| tag.end - 3);
        let by_next = self.tag_starting_at(at).filter(|tag| tag.left == Marker::Remove).map(|tag| tag.start + 2);
        by_previous.or(by_next).map(|marker| (marker, blanks))
    }

    /// The last trim marker before an offset that removed blanks, looking back over tags without text between.
    pub(super) fn last_trim_before(&self, at: usize) -> Option<usize> {
        let mut at = at;
        loop {
            if let Some((marker, _)) = self.trimmed(at) {
                return Some(marker);
            }
            at = self.tag_ending_at(at)?.start;
        }
    }

    /// The trim marker that removed the line break before an offset.
    pub(super) fn joined_before(&self, at: usize) -> Option<usize> {
        self.trimmed(at).filter(|(_, blanks)| blanks.contains('\n')).map(|(marker, _)| marker)
    }

    /// The indent that a `-` took from the first line of a body that starts at an offset.
    pub(super) fn trimmed_indent(&self, body: usize) -> usize {
        let rest = &self.text[body..];
        let blanks = &rest[..rest.len() - rest.trim_start().len()];
        match (self.tag_ending_at(body), blanks.rfind('\n')) {
            (Some(tag), Some(newline)) if tag.right == Marker::Remove => blanks.len() - newline - 1,
            _ => 0,
        }
    }

    /// The rest of a line, for messages.
    pub(super) fn excerpt(&self, at: usize) -> &'a str {
        let line = self.text[at..].lines().next().unwrap_or_default();
        let end = line.char_indices().nth(20).map_or(line.len(), |(end, _)| end);
        line[..end].trim_end()
    }
}
