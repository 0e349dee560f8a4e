//! Tokens, as go-yaml's parser is fed with them.

use super::super::Style;
use super::cursor::{Cursor, Scan, wide};
use super::scalar::Plain;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

/// Characters that a key in its line may have, up to its colon.
const KEY_REACH: usize = 1024;

#[derive(Debug)]
pub struct Token<'a> {
    pub kind: TokenKind<'a>,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug)]
pub enum TokenKind<'a> {
    StreamEnd,
    Version(u8, u8),
    TagPrefix(Box<(Cow<'a, str>, Cow<'a, str>)>),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag(Box<(Cow<'a, str>, Cow<'a, str>)>),
    Scalar(Cow<'a, str>, Style),
}

/// A place where a key without `?` may have started.
#[derive(Debug, Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    /// The indentation leaves no other reading than a key.
    required: bool,
    token: usize,
    at: usize,
    column: usize,
}

pub struct Scanner<'a> {
    cursor: Cursor<'a>,
    /// Column of the innermost block collection, -1 outside.
    indent: isize,
    indents: Vec<isize>,
    flow_level: usize,
    key_allowed: bool,
    /// One for each flow level, and one for block context.
    keys: Vec<SimpleKey>,
    /// Which tokens may turn out to be keys, with their index in `keys`. Kept as go-yaml keeps it: it forgets the
    /// bracket of an empty collection, which therefore cannot be a key in block context.
    candidates: Vec<(usize, usize)>,
    tokens: VecDeque<Token<'a>>,
    /// Tokens that the parser has taken.
    taken: usize,
    ready: bool,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Scanner {
            cursor: Cursor::new(text),
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            key_allowed: true,
            keys: vec![SimpleKey::default()],
            candidates: Vec::new(),
            tokens: VecDeque::with_capacity(16),
            taken: 0,
            ready: false,
        }
    }

    pub fn record_comments(&mut self) {
        self.cursor.comments = Some(Vec::new());
    }

    pub fn take_comments(&mut self) -> Vec<Range<usize>> {
        self.cursor.comments.take().unwrap_or_default()
    }

    /// The next token, which [`Scanner::take`] then takes.
    pub fn peek(&mut self) -> Scan<&Token<'a>> {
        if !self.ready {
            self.fetch_more()?;
        }
        Ok(self.tokens.front().expect("a token was fetched, and the end of the stream is never taken"))
    }

    pub fn take(&mut self) -> Scan<Token<'a>> {
        if !self.ready {
            self.fetch_more()?;
        }
        self.ready = false;
        self.taken += 1;
        Ok(self.tokens.pop_front().expect("a token was fetched"))
    }

    /// Whether the end of the text, in the middle of a line, counted as one more line.
    pub fn has_counted_end(&self) -> bool {
        self.cursor.ended
    }

    /// Fetches until the first token cannot become a key any more, since a key is announced before its text.
    fn fetch_more(&mut self) -> Scan<()> {
        loop {
            if !self.tokens.is_empty() {
                let candidate = self.candidates.iter().find(|(token, _)| *token == self.taken).copied();
                match candidate {
                    None => break,
                    Some((_, key)) if key >= self.keys.len() || !self.is_valid(key)? => break,
                    Some(_) => {}
                }
            }
            let fetched = self.fetch_next();
            if self.cursor.at + 3 >= self.cursor.limit {
                return Err(self.cursor.control_character());
            }
            fetched?;
        }
        self.ready = true;
        Ok(())
    }

    fn fetch_next(&mut self) -> Scan<()> {
        self.skip_to_token();
        let column = self.cursor.column();
        self.unroll(column as isize);
        let byte = self.cursor.here();
        if self.cursor.at >= self.cursor.bytes.len() || byte == 0 {
            return self.fetch_stream_end();
        }
        if column == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if self.cursor.is_document_indicator() {
                return self.fetch_document_indicator();
            }
        }
        let next_is_blank = |scanner: &Self| scanner.cursor.is_blankz(scanner.cursor.at + 1);
        let in_flow = self.flow_level > 0;
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.push_indicator(TokenKind::FlowEntry, 1);
                Ok(())
            }
            b'-' if next_is_blank(self) => self.fetch_block_entry(),
            b'?' if in_flow || next_is_blank(self) => self.fetch_key(),
            b':' if in_flow || next_is_blank(self) => self.fetch_value(),
            b'*' | b'&' => self.fetch_anchor(),
            b'!' => self.fetch_tag(),
            b'|' | b'>' if !in_flow => self.fetch_block_scalar(byte == b'|'),
            b'\'' | b'"' => {
                self.save_key()?;
                self.key_allowed = false;
                let start = self.cursor.at;
                let text = self.cursor.quoted()?;
                let style = if byte == b'\'' { Style::SingleQuoted } else { Style::DoubleQuoted };
                self.push(TokenKind::Scalar(text, style), start);
                Ok(())
            }
            b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                Err(self.cursor.problem("found character that cannot start any token"))
            }
            _ => {
                self.save_key()?;
                self.key_allowed = false;
                let start = self.cursor.at;
                let Plain { text, end, passed_break } = self.cursor.plain(self.indent + 1, in_flow, true)?;
                self.key_allowed |= passed_break;
                self.tokens.push_back(Token { kind: TokenKind::Scalar(text, Style::Plain), start, end });
                Ok(())
            }
        }
    }

    fn skip_to_token(&mut self) {
        loop {
            while self.cursor.here() == b' '
                || self.cursor.here() == b'\t' && (self.flow_level > 0 || !self.key_allowed)
            {
                self.cursor.at += 1;
            }
            if self.cursor.here() == b'#' {
                self.cursor.skip_comment();
            }
            let width = self.cursor.break_width(self.cursor.at);
            if width == 0 {
                return;
            }
            self.cursor.skip_break(width);
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    fn is_valid(&mut self, key: usize) -> Scan<bool> {
        let candidate = self.keys[key];
        if !candidate.possible {
            return Ok(false);
        }
        let reach = self.cursor.at - candidate.at;
        let too_far = reach > KEY_REACH && {
            let passed = &self.cursor.bytes[candidate.at..self.cursor.at];
            passed.len() - wide(passed) > KEY_REACH
        };
        if candidate.at < self.cursor.line_at || too_far {
            if candidate.required {
                return Err(self.cursor.problem_in(candidate.at, "could not find expected ':'"));
            }
            self.keys[key].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn top_key(&mut self) -> &mut SimpleKey {
        self.keys.last_mut().expect("block context has a key of its own")
    }

    fn save_key(&mut self) -> Scan<()> {
        if !self.key_allowed {
            return Ok(());
        }
        let column = self.cursor.column();
        let required = self.flow_level == 0 && self.indent == column as isize;
        self.remove_key()?;
        let token = self.taken + self.tokens.len();
        let key = SimpleKey { possible: true, required, token, at: self.cursor.at, column };
        *self.top_key() = key;
        let index = self.keys.len() - 1;
        self.list(token, index);
        Ok(())
    }

    fn list(&mut self, token: usize, key: usize) {
        let taken = self.taken;
        self.candidates.retain(|(known, _)| *known != token && *known >= taken);
        self.candidates.push((token, key));
    }

    fn unlist(&mut self, token: usize) {
        self.candidates.retain(|(known, _)| *known != token);
    }

    fn remove_key(&mut self) -> Scan<()> {
        let key = *self.top_key();
        if key.possible {
            if key.required {
                return Err(self.cursor.problem_in(key.at, "could not find expected ':'"));
            }
            self.top_key().possible = false;
            self.unlist(key.token);
        }
        Ok(())
    }

    fn push(&mut self, kind: TokenKind<'a>, start: usize) {
        self.tokens.push_back(Token { kind, start, end: self.cursor.at });
    }

    fn push_indicator(&mut self, kind: TokenKind<'a>, width: usize) {
        let start = self.cursor.at;
        self.cursor.at += width;
        self.push(kind, start);
    }

    /// Puts a token before one that was fetched already, or last where the parser has taken that one.
    fn insert(&mut self, before: Option<usize>, kind: TokenKind<'a>, at: usize) {
        let token = Token { kind, start: at, end: at };
        match before.and_then(|before| before.checked_sub(self.taken)) {
            Some(index) if index <= self.tokens.len() => self.tokens.insert(index, token),
            _ => self.tokens.push_back(token),
        }
    }

    /// Opens a block collection where the column is past the current one's.
    fn roll(&mut self, column: usize, before: Option<usize>, kind: TokenKind<'a>, at: usize) {
        if self.flow_level > 0 || self.indent >= column as isize {
            return;
        }
        self.indents.push(self.indent);
        self.indent = column as isize;
        self.insert(before, kind, at);
    }

    /// Closes the block collections that stand further right than the column.
    fn unroll(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(TokenKind::BlockEnd, self.cursor.at);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch_stream_end(&mut self) -> Scan<()> {
        // go-yaml counts the end as the start of a line.
        self.cursor.ended |= self.cursor.column() != 0;
        self.cursor.skip_break(0);
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.push(TokenKind::StreamEnd, self.cursor.at);
        Ok(())
    }

    fn fetch_document_indicator(&mut self) -> Scan<()> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let kind = if self.cursor.here() == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
        self.push_indicator(kind, 3);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'a>) -> Scan<()> {
        self.save_key()?;
        let token = self.taken + self.tokens.len();
        self.keys.push(SimpleKey { token, at: self.cursor.at, ..SimpleKey::default() });
        self.flow_level += 1;
        self.key_allowed = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind<'a>) -> Scan<()> {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.keys.pop() {
                self.unlist(key.token);
            }
        }
        self.key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.cursor.problem("block sequence entries are not allowed in this context"));
            }
            self.roll(self.cursor.column(), None, TokenKind::BlockSequenceStart, self.cursor.at);
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.cursor.problem("mapping keys are not allowed in this context"));
            }
            self.roll(self.cursor.column(), None, TokenKind::BlockMappingStart, self.cursor.at);
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.push_indicator(TokenKind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scan<()> {
        let top = self.keys.len() - 1;
        if self.is_valid(top)? {
            let key = self.keys[top];
            self.insert(Some(key.token), TokenKind::Key, key.at);
            self.roll(key.column, Some(key.token), TokenKind::BlockMappingStart, key.at);
            self.keys[top].possible = false;
            self.unlist(key.token);
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    return Err(self.cursor.problem("mapping values are not allowed in this context"));
                }
                self.roll(self.cursor.column(), None, TokenKind::BlockMappingStart, self.cursor.at);
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.push_indicator(TokenKind::Value, 1);
        Ok(())
    }

    fn fetch_directive(&mut self) -> Scan<()> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let start = self.cursor.at;
        let kind = self.cursor.directive()?;
        self.push(kind, start);
        self.cursor.rest_of_line()
    }

    fn fetch_tag(&mut self) -> Scan<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.at;
        let parts = self.cursor.tag()?;
        self.push(TokenKind::Tag(Box::new(parts)), start);
        Ok(())
    }

    fn fetch_block_scalar(&mut self, literal: bool) -> Scan<()> {
        self.remove_key()?;
        self.key_allowed = true;
        let start = self.cursor.at;
        let mut text = String::new();
        let end = self.cursor.indented(self.indent, Some(&mut text))?;
        let style = if literal { Style::Literal } else { Style::Folded };
        self.tokens.push_back(Token { kind: TokenKind::Scalar(Cow::Owned(text), style), start, end });
        Ok(())
    }

    fn fetch_anchor(&mut self) -> Scan<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.at;
        self.cursor.at += 1;
        let name = self.cursor.word();
        let next = self.cursor.here();
        if name.is_empty()
            || !(self.cursor.is_blankz(self.cursor.at)
                || matches!(next, b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'))
        {
            return Err(self.cursor.problem_in(start, "did not find expected alphabetic or numeric character"));
        }
        let kind = if self.cursor.bytes[start] == b'&' { TokenKind::Anchor(name) } else { TokenKind::Alias(name) };
        self.push(kind, start);
        Ok(())
    }
}
