//! Looks ahead from a place in the statements: where a scalar ends, and what may come next.

use super::content;
use super::source::Source;
use minijinja::machinery::ast::Stmt;

/// What may come next in the output, as bits.
pub(super) mod next {
    pub(in crate::template::jinja::rewrite) const NEWLINE: u8 = 1;
    pub(in crate::template::jinja::rewrite) const COMMENT: u8 = 2;
    pub(in crate::template::jinja::rewrite) const TEXT: u8 = 4;
    /// A bracket or comma in a flow collection.
    pub(in crate::template::jinja::rewrite) const CLOSE: u8 = 8;
    /// The end of the template or of what is captured.
    pub(in crate::template::jinja::rewrite) const END: u8 = 32;
    /// A colon that makes what is before it a key.
    pub(in crate::template::jinja::rewrite) const KEY: u8 = 16;
}

/// A place in a list of statements; the offset is that in the text of a raw statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) index: usize,
    pub(super) offset: usize,
}

/// How a plain scalar ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Line,
    Comment,
    Key,
    /// A bracket or comma in a flow collection.
    Flow,
    /// The end of the statement list.
    List,
    /// A control block that is not part of a line.
    Structure,
    /// A control block that goes on with the scalar and then with more lines.
    Broken,
}

/// What stands from the start of a plain scalar to its end.
#[derive(Debug)]
pub(super) struct Scalar {
    /// Expressions, stretches of text and control blocks; a loop counts twice.
    pub(super) pieces: usize,
    pub(super) dynamic: bool,
    /// The last control block or producer, by index.
    pub(super) control: Option<usize>,
    pub(super) ends: Ending,
    pub(super) end: Cursor,
    /// A trim marker that joined two lines on the way.
    pub(super) joined: Option<usize>,
}

impl Source<'_> {
    /// The column of the next line with text; -1 where nothing comes any more, `None` where it depends.
    pub(super) fn line_after(&self, list: &[Stmt<'_>], from: Cursor, follow: u8) -> Option<i32> {
        let mut column = None;
        for (index, statement) in list.iter().enumerate().skip(from.index) {
            let Stmt::EmitRaw(raw) = statement else {
                return if is_producer(statement) { column } else { None };
            };
            let skipped = if index == from.index { from.offset } else { 0 };
            for &byte in &raw.raw.as_bytes()[skipped..] {
                column = match (byte, column) {
                    (b'\n', _) => Some(0),
                    (b' ' | b'\r', Some(count)) => Some(count + 1),
                    (b' ' | b'\r', None) => None,
                    _ => return column,
                };
            }
        }
        (follow & next::END != 0 && follow & !(next::NEWLINE | next::END) == 0).then_some(-1)
    }

    /// Looks ahead from the start of a plain scalar to its end.
    pub(super) fn scalar(&self, list: &[Stmt<'_>], from: Cursor, flow: bool, follow: u8) -> Scalar {
        let mut scalar =
            Scalar { pieces: 0, dynamic: false, control: None, ends: Ending::List, end: from, joined: None };
        let mut in_text = false;
        for (index, statement) in list.iter().enumerate().skip(from.index) {
            let joined = if scalar.pieces > 0 && (index, 0) != (from.index, from.offset) {
                self.joined_before(self.start(list, Cursor { index, offset: 0 }).0)
            } else {
                None
            };
            match statement {
                Stmt::EmitRaw(raw) => {
                    let text = raw.raw.as_bytes();
                    let skipped = if index == from.index { from.offset } else { 0 };
                    if skipped == 0 {
                        scalar.joined = scalar.joined.or(joined);
                    }
                    let mut previous = if skipped > 0 || scalar.pieces == 0 { b' ' } else { b'x' };
                    for (offset, &byte) in text.iter().enumerate().skip(skipped) {
                        let ends = match byte {
                            b'\n' => Some(Ending::Line),
                            b'#' if previous == b' ' && scalar.pieces > 0 => Some(Ending::Comment),
                            b':' if self.is_colon(list, index, text, offset, flow, follow) => Some(Ending::Key),
                            b',' | b'[' | b']' | b'{' | b'}' if flow => Some(Ending::Flow),
                            _ => None,
                        };
                        if let Some(ends) = ends {
                            scalar.ends = ends;
                            if ends == Ending::Key {
                                scalar.end = Cursor { index, offset };
                            }
                            return scalar;
                        }
                        if !matches!(byte, b' ' | b'\t' | b'\r') {
                            scalar.pieces += usize::from(!in_text);
                            in_text = true;
                            scalar.end = Cursor { index, offset: offset + 1 };
                        }
                        previous = if matches!(byte, b' ' | b'\t') { b' ' } else { byte };
                    }
                }
                _ if is_silent(statement) => {}
                _ => {
                    let inline = content::inline(statement, flow, scalar.pieces == 0);
                    let Some(inline) = inline else {
                        let after = Cursor { index: index + 1, offset: 0 };
                        let first = self.first(
                            &list[index..=index],
                            Cursor { index: 0, offset: 0 },
                            flow,
                            self.first(list, after, flow, follow),
                        );
                        scalar.ends = match scalar.pieces {
                            0 => Ending::Structure,
                            _ if flow && (first & next::TEXT == 0 || first & next::CLOSE != 0) => Ending::Flow,
                            _ if first & next::TEXT == 0 => Ending::Line,
                            _ => {
                                scalar.joined = scalar.joined.or(joined).or_else(|| self.joined_inside(statement));
                                scalar.end.index = index;
                                scalar.end.offset = 0;
                                Ending::Broken
                            }
                        };
                        return scalar;
                    };
                    if scalar.pieces == 0 && inline.pieces == 0 {
                        scalar.ends = Ending::Structure;
                        return scalar;
                    }
                    scalar.joined = scalar.joined.or(joined);
                    scalar.pieces += inline.pieces;
                    scalar.dynamic |= inline.dynamic;
                    if inline.pieces > 0 {
                        in_text = false;
                        scalar.control = Some(index);
                        scalar.end = Cursor { index: index + 1, offset: 0 };
                    }
                }
            }
        }
        scalar
    }

    /// The trim marker that joins the first line of a control block's content with what is before.
    fn joined_inside(&self, statement: &Stmt<'_>) -> Option<usize> {
        let bodies: [&[Stmt<'_>]; 2] = match statement {
            Stmt::IfCond(cond) => [&cond.true_body, &cond.false_body],
            Stmt::ForLoop(each) => [&each.body, &each.else_body],
            Stmt::WithBlock(with) => [&with.body, &[]],
            _ => return None,
        };
        bodies
            .iter()
            .filter(|body| !body.is_empty())
            .find_map(|body| self.joined_before(self.start(body, Cursor { index: 0, offset: 0 }).0))
    }

    /// Whether the colon at an offset of raw text makes a key.
    pub(super) fn is_colon(
        &self,
        list: &[Stmt<'_>],
        index: usize,
        text: &[u8],
        offset: usize,
        flow: bool,
        follow: u8,
    ) -> bool {
        match text.get(offset + 1) {
            Some(b' ' | b'\t' | b'\n' | b'\r') => true,
            Some(b',' | b'[' | b']' | b'{' | b'}') => flow,
            Some(_) => false,
            None => self.blank_follows(list, index, follow),
        }
    }

    /// Whether a blank or line break comes after the raw text at this index, or came before it was trimmed.
    pub(super) fn blank_follows(&self, list: &[Stmt<'_>], index: usize, follow: u8) -> bool {
        match list.get(index + 1) {
            None => follow & next::TEXT == 0,
            Some(Stmt::EmitRaw(raw)) => raw.raw.starts_with([' ', '\n', '\t']),
            Some(statement) => {
                let (start, _) = self.start(list, Cursor { index: index + 1, offset: 0 });
                let before = start.checked_sub(1).map(|at| self.text.as_bytes()[at]);
                if matches!(before, Some(b' ' | b'\n' | b'\t' | b'\r')) {
                    return true;
                }
                !is_producer(statement)
                    && self.first(list, Cursor { index: index + 1, offset: 0 }, false, follow)
                        & (next::TEXT | next::KEY)
                        == 0
            }
        }
    }

    /// What may be written first from a place on.
    pub(super) fn first(&self, list: &[Stmt<'_>], from: Cursor, flow: bool, follow: u8) -> u8 {
        let Some(statement) = list.get(from.index) else { return follow };
        let rest = Cursor { index: from.index + 1, offset: 0 };
        match statement {
            Stmt::EmitRaw(raw) => {
                let text = &raw.raw.as_bytes()[from.offset..];
                let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
                match text.get(blanks) {
                    None => self.first(list, rest, flow, follow),
                    Some(b'\n') if is_blank(text) && list[rest.index..].iter().all(is_blank_text) => {
                        next::NEWLINE | follow & next::END
                    }
                    Some(b'\n') => next::NEWLINE,
                    Some(b'#') if blanks > 0 => next::COMMENT,
                    Some(b',' | b']' | b'}') if flow => next::CLOSE,
                    Some(b':')
                        if self.is_colon(list, from.index, raw.raw.as_bytes(), from.offset + blanks, flow, follow) =>
                    {
                        next::KEY
                    }
                    Some(_) => next::TEXT,
                }
            }
            Stmt::IfCond(cond) => {
                let after = self.first(list, rest, flow, follow);
                let start = Cursor { index: 0, offset: 0 };
                self.first(&cond.true_body, start, flow, after) | self.first(&cond.false_body, start, flow, after)
            }
            Stmt::ForLoop(each) => {
                let after = self.first(list, rest, flow, follow);
                let start = Cursor { index: 0, offset: 0 };
                self.first(&each.body, start, flow, after) | self.first(&each.else_body, start, flow, after)
            }
            Stmt::WithBlock(with) => {
                self.first(&with.body, Cursor { index: 0, offset: 0 }, flow, self.first(list, rest, flow, follow))
            }
            Stmt::AutoEscape(escape) => {
                self.first(&escape.body, Cursor { index: 0, offset: 0 }, flow, self.first(list, rest, flow, follow))
            }
            Stmt::Block(block) => {
                self.first(&block.body, Cursor { index: 0, offset: 0 }, flow, self.first(list, rest, flow, follow))
            }
            _ if is_silent(statement) => self.first(list, rest, flow, follow),
            _ => next::TEXT,
        }
    }
}

fn is_blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}

fn is_blank_text(statement: &Stmt<'_>) -> bool {
    matches!(statement, Stmt::EmitRaw(raw) if is_blank(raw.raw.as_bytes())) || is_silent(statement)
}

/// Statements that write nothing where they stand.
pub(super) fn is_silent(statement: &Stmt<'_>) -> bool {
    matches!(
        statement,
        Stmt::Set(_)
            | Stmt::SetBlock(_)
            | Stmt::Macro(_)
            | Stmt::Import(_)
            | Stmt::FromImport(_)
            | Stmt::Extends(_)
            | Stmt::Do(_)
            | Stmt::Continue(_)
            | Stmt::Break(_)
    )
}

/// Statements that write one value.
pub(super) fn is_producer(statement: &Stmt<'_>) -> bool {
    matches!(statement, Stmt::EmitExpr(_) | Stmt::Include(_) | Stmt::CallBlock(_) | Stmt::FilterBlock(_))
}
