//! The comments of a text, which the tree does not keep.

use super::scan::{Scanner, TokenKind};
use crate::diagnostic::{FileId, Span};

/// A comment, from its `#` to the end of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment<'a> {
    pub span: Span,
    /// What stands behind the `#`, blanks included.
    pub text: &'a str,
    /// Nothing but blanks stands before it in its line.
    pub alone: bool,
}

/// The comments of a text, in its order.
#[derive(Debug, Clone)]
pub struct Comments<'a> {
    source: &'a str,
    list: Vec<Comment<'a>>,
}

/// Finds the comments of a text, up to where it stops being YAML.
pub fn comments(text: &str, file: FileId) -> Comments<'_> {
    let mut scanner = Scanner::new(text);
    scanner.record_comments();
    while let Ok(token) = scanner.take() {
        if matches!(token.kind, TokenKind::StreamEnd) {
            break;
        }
    }
    let list = scanner.take_comments().into_iter().map(|range| {
        let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        Comment {
            span: Span::new(file, range.start, range.end),
            text: &text[range.start + 1..range.end],
            alone: text[line..range.start].trim_matches([' ', '\t', '\u{FEFF}']).is_empty(),
        }
    });
    Comments { source: text, list: list.collect() }
}

impl<'a> Comments<'a> {
    pub fn iter(&self) -> impl Iterator<Item = &Comment<'a>> {
        self.list.iter()
    }

    /// The comments on the lines directly above the line of an offset, without an empty line between.
    pub fn above(&self, offset: u32) -> &[Comment<'a>] {
        let mut line = self.line_start(offset as usize);
        let end = self.list.partition_point(|comment| (comment.span.start as usize) < line);
        let mut start = end;
        while start > 0 {
            let comment = &self.list[start - 1];
            if !comment.alone || line == 0 || self.line_start(line - 1) > comment.span.start as usize {
                break;
            }
            line = self.line_start(comment.span.start as usize);
            start -= 1;
        }
        &self.list[start..end]
    }

    /// The comment at the end of the line of an offset.
    pub fn beside(&self, offset: u32) -> Option<&Comment<'a>> {
        let line = self.line_start(offset as usize);
        let after = self.list.partition_point(|comment| comment.span.start < offset);
        self.list.get(after).filter(|comment| self.line_start(comment.span.start as usize) == line)
    }

    /// The last comment that ends before an offset.
    pub fn before(&self, offset: u32) -> Option<&Comment<'a>> {
        let end = self.list.partition_point(|comment| comment.span.end <= offset);
        self.list.get(end.checked_sub(1)?)
    }

    /// The text from the end of a comment to the start of a later one.
    pub fn between(&self, first: &Comment<'_>, second: &Comment<'_>) -> &'a str {
        self.source.get(first.span.end as usize..second.span.start as usize).unwrap_or_default()
    }

    fn line_start(&self, offset: usize) -> usize {
        memchr::memrchr(b'\n', &self.source.as_bytes()[..offset]).map_or(0, |at| at + 1)
    }
}
