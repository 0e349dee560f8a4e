//! What the body of a macro, a capture or a branch holds: structure, text, one value.

use super::ahead::{is_producer, is_silent};
use super::code::Content;
use minijinja::machinery::ast::Stmt;

/// What a macro or capture with this body gives.
pub(super) fn of(body: &[Stmt<'_>]) -> Content {
    let mut start = true;
    if has_structure(body, &mut start) {
        return Content::Fragment;
    }
    match (pieces(body), has_expressions(body)) {
        (_, false) if !has_lines(body) => Content::Literal,
        (0 | 1, true) => Content::Value,
        _ => Content::Text,
    }
}

/// How many values and stretches of text are written at most; a loop counts twice.
pub(super) fn pieces(list: &[Stmt<'_>]) -> usize {
    list.iter()
        .map(|statement| match statement {
            Stmt::EmitRaw(raw) => usize::from(!raw.raw.trim().is_empty()),
            Stmt::IfCond(cond) => pieces(&cond.true_body).max(pieces(&cond.false_body)),
            Stmt::ForLoop(each) => (2 * pieces(&each.body)).max(pieces(&each.else_body)),
            Stmt::WithBlock(with) => pieces(&with.body),
            Stmt::AutoEscape(escape) => pieces(&escape.body),
            Stmt::Block(block) => pieces(&block.body),
            _ => usize::from(is_producer(statement)),
        })
        .sum()
}

/// Whether a stretch of text has several lines.
fn has_lines(list: &[Stmt<'_>]) -> bool {
    list.iter().any(|statement| match statement {
        Stmt::EmitRaw(raw) => raw.raw.trim().contains('\n'),
        Stmt::IfCond(cond) => has_lines(&cond.true_body) || has_lines(&cond.false_body),
        Stmt::ForLoop(each) => has_lines(&each.body) || has_lines(&each.else_body),
        Stmt::WithBlock(with) => has_lines(&with.body),
        _ => false,
    })
}

fn has_expressions(list: &[Stmt<'_>]) -> bool {
    list.iter().any(|statement| match statement {
        Stmt::IfCond(cond) => has_expressions(&cond.true_body) || has_expressions(&cond.false_body),
        Stmt::ForLoop(each) => has_expressions(&each.body) || has_expressions(&each.else_body),
        Stmt::WithBlock(with) => has_expressions(&with.body),
        Stmt::AutoEscape(escape) => has_expressions(&escape.body),
        Stmt::Block(block) => has_expressions(&block.body),
        _ => is_producer(statement),
    })
}

/// Whether the text has keys, items, quotes, brackets, block scalars or comments, or includes other templates.
/// `start` says that a node could start where the list starts, and then, where it ends.
fn has_structure(list: &[Stmt<'_>], start: &mut bool) -> bool {
    list.iter().any(|statement| match statement {
        Stmt::EmitRaw(raw) => text_has_structure(raw.raw.as_bytes(), start),
        Stmt::Include(_) | Stmt::CallBlock(_) => true,
        Stmt::EmitExpr(_) | Stmt::FilterBlock(_) => {
            *start = false;
            false
        }
        Stmt::IfCond(cond) => {
            let mut other = *start;
            let found = has_structure(&cond.true_body, start) || has_structure(&cond.false_body, &mut other);
            *start |= other;
            found
        }
        Stmt::ForLoop(each) => {
            let mut other = *start;
            let found = has_structure(&each.body, start) || has_structure(&each.else_body, &mut other);
            *start |= other;
            found
        }
        Stmt::WithBlock(with) => has_structure(&with.body, start),
        Stmt::AutoEscape(escape) => has_structure(&escape.body, start),
        Stmt::Block(block) => has_structure(&block.body, start),
        _ => false,
    })
}

fn text_has_structure(text: &[u8], start: &mut bool) -> bool {
    let mut previous = if *start { b' ' } else { b'x' };
    for (at, &byte) in text.iter().enumerate() {
        let next = text.get(at + 1);
        let blank_next = matches!(next, Some(b' ' | b'\n' | b'\r' | b'\t'));
        match byte {
            b'\n' => *start = true,
            b' ' | b'\t' | b'\r' => {}
            b'"' | b'\'' | b'[' | b'{' | b'#' | b'&' | b'*' | b'!' if *start => return true,
            b'|' | b'>' if *start && (blank_next || matches!(next, Some(b'-' | b'+' | b'0'..=b'9'))) => return true,
            b'-' | b'?' if *start && (blank_next || next.is_none()) => return true,
            b':' if blank_next => return true,
            b'#' if matches!(previous, b' ' | b'\t') => return true,
            _ => *start = false,
        }
        previous = byte;
    }
    false
}

/// What a statement adds to a plain scalar.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Inline {
    pub(super) pieces: usize,
    pub(super) dynamic: bool,
}

/// A statement as a part of a scalar on one line; `None` if it has line breaks or structure. `start` says that the
/// scalar starts with it.
pub(super) fn inline(statement: &Stmt<'_>, flow: bool, start: bool) -> Option<Inline> {
    let both = |a: &[Stmt<'_>], b: &[Stmt<'_>]| -> Option<Inline> {
        let (a, b) = (inline_list(a, flow, start)?, inline_list(b, flow, start)?);
        Some(Inline { pieces: a.pieces.max(b.pieces).min(1), dynamic: a.dynamic || b.dynamic })
    };
    match statement {
        Stmt::IfCond(cond) => both(&cond.true_body, &cond.false_body),
        Stmt::ForLoop(each) => both(&each.body, &each.else_body).map(|one| Inline { pieces: 2 * one.pieces, ..one }),
        Stmt::WithBlock(with) => both(&with.body, &[]),
        Stmt::AutoEscape(escape) => both(&escape.body, &[]),
        Stmt::Block(block) => both(&block.body, &[]),
        _ if is_silent(statement) => Some(Inline::default()),
        _ => Some(Inline { pieces: 1, dynamic: true }),
    }
}

fn inline_list(list: &[Stmt<'_>], flow: bool, start: bool) -> Option<Inline> {
    let mut total = Inline::default();
    for statement in list {
        let start = start && total.pieces == 0;
        let part = match statement {
            Stmt::EmitRaw(raw) => {
                let text = raw.raw.as_bytes();
                let mut starts = start;
                let blank = raw.raw.trim().is_empty();
                let broken = text.contains(&b'\n')
                    || text_has_structure(text, &mut starts)
                    || flow && text.iter().any(|byte| matches!(byte, b',' | b'[' | b']' | b'{' | b'}'));
                if broken {
                    return None;
                }
                Inline { pieces: usize::from(!blank), dynamic: false }
            }
            _ => inline(statement, flow, start)?,
        };
        total.pieces += part.pieces;
        total.dynamic |= part.dynamic;
    }
    Some(total)
}
