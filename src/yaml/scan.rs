//! Text to tokens, for the YAML 1.1 that go-yaml v2 reads.
//!
//! What Helm and Kubernetes accept is what go-yaml accepts, so this scanner takes its decisions exactly: which
//! characters end a plain scalar, where a key may start and how far it may reach, what tabs may do, which texts are
//! refused and in which words. Text is borrowed from the source where it stands there as it is.

use super::Style;
use super::event::Problem;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

/// Characters that a key in its line may have, up to its colon.
const KEY_REACH: usize = 1024;
/// go-yaml looks at its input in pieces of this many bytes, and refuses a piece that has a control character.
const PIECE: usize = 512;

#[derive(Debug)]
pub(super) struct Token<'a> {
    pub kind: TokenKind<'a>,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug)]
pub(super) enum TokenKind<'a> {
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

pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Where the line begins.
    line_at: usize,
    /// Bytes of this line before `at` that do not begin a character.
    wide: usize,
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
    /// Where reading a control character becomes an error.
    limit: usize,
    ended: bool,
    /// Where comments stand, if they are asked for.
    comments: Option<Vec<Range<usize>>>,
}

type Scan<T> = Result<T, Box<Problem>>;

/// What a byte means inside a plain scalar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    /// Beyond ASCII.
    High,
    Colon,
    /// Ends a plain scalar in flow context.
    Flow,
    Blank,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0x80;
    while byte < 256 {
        classes[byte] = Class::High;
        byte += 1;
    }
    classes[b':' as usize] = Class::Colon;
    let mut index = 0;
    let flow = b",?[]{}";
    while index < flow.len() {
        classes[flow[index] as usize] = Class::Flow;
        index += 1;
    }
    classes[b' ' as usize] = Class::Blank;
    classes[b'\t' as usize] = Class::Blank;
    classes[b'\n' as usize] = Class::Blank;
    classes[b'\r' as usize] = Class::Blank;
    classes[0] = Class::Blank;
    classes
};

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        // go-yaml skips a second mark as well.
        let start = text.len() - text.trim_start_matches("\u{FEFF}\u{FEFF}").trim_start_matches('\u{FEFF}').len();
        Scanner {
            text,
            bytes: text.as_bytes(),
            at: start,
            line_at: start,
            wide: 0,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            key_allowed: true,
            keys: vec![SimpleKey::default()],
            candidates: Vec::new(),
            tokens: VecDeque::with_capacity(16),
            taken: 0,
            ready: false,
            limit: control_character(text).map_or(usize::MAX, |at| at / PIECE * PIECE),
            ended: false,
            comments: None,
        }
    }

    pub fn record_comments(&mut self) {
        self.comments = Some(Vec::new());
    }

    pub fn take_comments(&mut self) -> Vec<Range<usize>> {
        self.comments.take().unwrap_or_default()
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
        self.ended
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
            if self.at + 3 >= self.limit {
                return Err(self.control_character());
            }
            fetched?;
        }
        self.ready = true;
        Ok(())
    }

    fn fetch_next(&mut self) -> Scan<()> {
        self.skip_to_token();
        let column = self.column();
        self.unroll(column as isize);
        let byte = self.byte(self.at);
        if self.at >= self.bytes.len() || byte == 0 {
            return self.fetch_stream_end();
        }
        if column == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if self.is_document_indicator() {
                return self.fetch_document_indicator();
            }
        }
        let next_is_blank = |scanner: &Self| scanner.is_blankz(scanner.at + 1);
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
                let token = self.scan_quoted(byte == b'\'')?;
                self.tokens.push_back(token);
                Ok(())
            }
            b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                Err(self.problem("found character that cannot start any token"))
            }
            _ => {
                self.save_key()?;
                self.key_allowed = false;
                let token = self.scan_plain()?;
                self.tokens.push_back(token);
                Ok(())
            }
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// In characters.
    fn column(&self) -> usize {
        self.at - self.line_at - self.wide
    }

    fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\t')
    }

    /// The bytes of a line break, 0 where there is none.
    fn break_width(&self, at: usize) -> usize {
        match self.byte(at) {
            b'\n' => 1,
            b'\r' => 1 + usize::from(self.byte(at + 1) == b'\n'),
            0xC2 if self.byte(at + 1) == 0x85 => 2,
            0xE2 if self.byte(at + 1) == 0x80 && matches!(self.byte(at + 2), 0xA8 | 0xA9) => 3,
            _ => 0,
        }
    }

    fn is_blankz(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\t' | 0) || self.break_width(at) > 0
    }

    /// `---` or `...`, alone or before a blank.
    fn is_document_indicator(&self) -> bool {
        let rest = &self.bytes[self.at..];
        (rest.starts_with(b"---") || rest.starts_with(b"...")) && self.is_blankz(self.at + 3)
    }

    fn skip_break(&mut self, width: usize) {
        self.at += width;
        self.line_at = self.at;
        self.wide = 0;
    }

    fn skip_blanks(&mut self) {
        while self.is_blank(self.at) {
            self.at += 1;
        }
    }

    fn skip_comment(&mut self) {
        let start = self.at;
        self.skip_line();
        if let Some(comments) = &mut self.comments {
            comments.push(start..self.at);
        }
    }

    /// Goes to the end of the line, over characters of any width.
    fn skip_line(&mut self) {
        let start = self.at;
        self.at += memchr::memchr2(b'\n', b'\r', &self.bytes[start..]).unwrap_or(self.bytes.len() - start);
        let line = &self.text[start..self.at];
        if !line.is_ascii() {
            if let Some(found) = line.find(['\u{85}', '\u{2028}', '\u{2029}']) {
                self.at = start + found;
            }
            self.wide += wide(&self.bytes[start..self.at]);
        }
    }

    fn skip_to_token(&mut self) {
        loop {
            while self.byte(self.at) == b' '
                || self.byte(self.at) == b'\t' && (self.flow_level > 0 || !self.key_allowed)
            {
                self.at += 1;
            }
            if self.byte(self.at) == b'#' {
                self.skip_comment();
            }
            let width = self.break_width(self.at);
            if width == 0 {
                return;
            }
            self.skip_break(width);
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    /// An error at this place, in go-yaml's words.
    fn problem(&self, text: &str) -> Box<Problem> {
        self.problem_in(self.at, text)
    }

    /// An error at this place, in something that began earlier.
    fn problem_in(&self, from: usize, text: &str) -> Box<Problem> {
        Problem::scanner(self.text, from, self.at, self.ended, text)
    }

    fn control_character(&self) -> Box<Problem> {
        let at = control_character(self.text).unwrap_or(self.at);
        Problem::reader(at)
    }

    fn is_valid(&mut self, key: usize) -> Scan<bool> {
        let candidate = self.keys[key];
        if !candidate.possible {
            return Ok(false);
        }
        let reach = self.at - candidate.at;
        let too_far = reach > KEY_REACH && {
            let passed = &self.bytes[candidate.at..self.at];
            passed.len() - wide(passed) > KEY_REACH
        };
        if candidate.at < self.line_at || too_far {
            if candidate.required {
                return Err(self.problem_in(candidate.at, "could not find expected ':'"));
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
        let column = self.column();
        let required = self.flow_level == 0 && self.indent == column as isize;
        self.remove_key()?;
        let token = self.taken + self.tokens.len();
        let key = SimpleKey { possible: true, required, token, at: self.at, column };
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
                return Err(self.problem_in(key.at, "could not find expected ':'"));
            }
            self.top_key().possible = false;
            self.unlist(key.token);
        }
        Ok(())
    }

    fn push(&mut self, kind: TokenKind<'a>, start: usize) {
        self.tokens.push_back(Token { kind, start, end: self.at });
    }

    fn push_indicator(&mut self, kind: TokenKind<'a>, width: usize) {
        let start = self.at;
        self.at += width;
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
            self.push(TokenKind::BlockEnd, self.at);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch_stream_end(&mut self) -> Scan<()> {
        // go-yaml counts the end as the start of a line.
        self.ended |= self.column() != 0;
        self.skip_break(0);
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.push(TokenKind::StreamEnd, self.at);
        Ok(())
    }

    fn fetch_document_indicator(&mut self) -> Scan<()> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let kind = if self.byte(self.at) == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
        self.push_indicator(kind, 3);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'a>) -> Scan<()> {
        self.save_key()?;
        let token = self.taken + self.tokens.len();
        self.keys.push(SimpleKey { token, at: self.at, ..SimpleKey::default() });
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
                return Err(self.problem("block sequence entries are not allowed in this context"));
            }
            self.roll(self.column(), None, TokenKind::BlockSequenceStart, self.at);
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.problem("mapping keys are not allowed in this context"));
            }
            self.roll(self.column(), None, TokenKind::BlockMappingStart, self.at);
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
                    return Err(self.problem("mapping values are not allowed in this context"));
                }
                self.roll(self.column(), None, TokenKind::BlockMappingStart, self.at);
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.push_indicator(TokenKind::Value, 1);
        Ok(())
    }

    fn fetch_anchor(&mut self) -> Scan<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.at;
        self.at += 1;
        let name = self.word();
        let next = self.byte(self.at);
        if name.is_empty()
            || !(self.is_blankz(self.at) || matches!(next, b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'))
        {
            return Err(self.problem_in(start, "did not find expected alphabetic or numeric character"));
        }
        let kind = if self.bytes[start] == b'&' { TokenKind::Anchor(name) } else { TokenKind::Alias(name) };
        self.push(kind, start);
        Ok(())
    }

    /// Letters, digits, `_` and `-`.
    fn word(&mut self) -> &'a str {
        let start = self.at;
        while matches!(self.byte(self.at), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-') {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn fetch_directive(&mut self) -> Scan<()> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let start = self.at;
        self.at += 1;
        let name = self.word();
        if name.is_empty() {
            return Err(self.problem("could not find expected directive name"));
        }
        if !self.is_blankz(self.at) {
            return Err(self.problem("found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.version_number()?;
                if self.byte(self.at) != b'.' {
                    return Err(self.problem("did not find expected digit or '.' character"));
                }
                self.at += 1;
                TokenKind::Version(major, self.version_number()?)
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.tag_handle()?;
                if handle != "!" && !handle.ends_with('!') {
                    return Err(self.problem("did not find expected '!'"));
                }
                if !self.is_blank(self.at) {
                    return Err(self.problem("did not find expected whitespace"));
                }
                self.skip_blanks();
                let prefix = self.tag_uri("")?;
                if !self.is_blankz(self.at) {
                    return Err(self.problem("did not find expected whitespace or line break"));
                }
                TokenKind::TagPrefix(Box::new((handle.into(), prefix)))
            }
            _ => return Err(self.problem("found unknown directive name")),
        };
        self.push(kind, start);
        self.rest_of_line()
    }

    fn version_number(&mut self) -> Scan<u8> {
        let mut number = 0;
        let mut length = 0;
        while let digit @ b'0'..=b'9' = self.byte(self.at) {
            length += 1;
            if length > 2 {
                return Err(self.problem("found extremely long version number"));
            }
            number = number * 10 + (digit - b'0');
            self.at += 1;
        }
        if length == 0 {
            return Err(self.problem("did not find expected version number"));
        }
        Ok(number)
    }

    /// Blanks, a comment and the line break.
    fn rest_of_line(&mut self) -> Scan<()> {
        self.skip_blanks();
        if self.byte(self.at) == b'#' {
            self.skip_comment();
        }
        let width = self.break_width(self.at);
        if width == 0 && self.byte(self.at) != 0 {
            return Err(self.problem("did not find expected comment or line break"));
        }
        if width > 0 {
            self.skip_break(width);
        }
        Ok(())
    }

    fn fetch_tag(&mut self) -> Scan<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.at;
        let (handle, suffix) = if self.byte(self.at + 1) == b'<' {
            self.at += 2;
            let suffix = self.tag_uri("")?;
            if self.byte(self.at) != b'>' {
                return Err(self.problem("did not find the expected '>'"));
            }
            self.at += 1;
            ("", suffix)
        } else {
            let handle = self.tag_handle()?;
            if handle.len() > 1 && handle.ends_with('!') {
                (handle, self.tag_uri("")?)
            } else {
                let suffix = self.tag_uri(handle)?;
                if suffix.is_empty() { ("", Cow::Borrowed("!")) } else { ("!", suffix) }
            }
        };
        if !self.is_blankz(self.at) {
            return Err(self.problem("did not find expected whitespace or line break"));
        }
        self.push(TokenKind::Tag(Box::new((handle.into(), suffix))), start);
        Ok(())
    }

    fn tag_handle(&mut self) -> Scan<&'a str> {
        if self.byte(self.at) != b'!' {
            return Err(self.problem("did not find expected '!'"));
        }
        let start = self.at;
        self.at += 1;
        self.word();
        if self.byte(self.at) == b'!' {
            self.at += 1;
        }
        Ok(&self.text[start..self.at])
    }

    /// The rest of a tag behind what was taken for a handle but was none.
    fn tag_uri(&mut self, head: &str) -> Scan<Cow<'a, str>> {
        let start = self.at;
        let mut bytes: Vec<u8> = Vec::new();
        bytes.extend_from_slice(head.as_bytes().get(1..).unwrap_or_default());
        loop {
            match self.byte(self.at) {
                b'%' => self.uri_escape(&mut bytes)?,
                byte @ (b'a'..=b'z'
                | b'A'..=b'Z'
                | b'0'..=b'9'
                | b'_'
                | b'-'
                | b';'
                | b'/'
                | b'?'
                | b':'
                | b'@'
                | b'&'
                | b'='
                | b'+'
                | b'$'
                | b','
                | b'.'
                | b'!'
                | b'~'
                | b'*'
                | b'\''
                | b'('
                | b')'
                | b'['
                | b']') => {
                    bytes.push(byte);
                    self.at += 1;
                }
                _ => break,
            }
        }
        if head.is_empty() && self.at == start {
            return Err(self.problem("did not find expected tag URI"));
        }
        Ok(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// One character in `%xx` form.
    fn uri_escape(&mut self, bytes: &mut Vec<u8>) -> Scan<()> {
        let mut left = None;
        while left != Some(0) {
            let hex = |at| char::from(self.byte(at)).to_digit(16);
            let (b'%', Some(high), Some(low)) = (self.byte(self.at), hex(self.at + 1), hex(self.at + 2)) else {
                return Err(self.problem("did not find URI escaped octet"));
            };
            let octet = (high << 4 | low) as u8;
            left = Some(match left {
                None => match octet {
                    0..0x80 => 0,
                    0xC0..0xE0 => 1,
                    0xE0..0xF0 => 2,
                    0xF0..0xF8 => 3,
                    _ => return Err(self.problem("found an incorrect leading UTF-8 octet")),
                },
                Some(_) if octet & 0xC0 != 0x80 => {
                    return Err(self.problem("found an incorrect trailing UTF-8 octet"));
                }
                Some(left) => left - 1,
            });
            bytes.push(octet);
            self.at += 3;
        }
        Ok(())
    }

    fn fetch_block_scalar(&mut self, literal: bool) -> Scan<()> {
        self.remove_key()?;
        self.key_allowed = true;
        let start = self.at;
        self.at += 1;
        let (mut chomping, mut increment) = (None, 0);
        for _ in 0..2 {
            match self.byte(self.at) {
                byte @ (b'+' | b'-') if chomping.is_none() => {
                    chomping = Some(byte);
                    self.at += 1;
                }
                b'0' if increment == 0 => {
                    return Err(self.problem_in(start, "found an indentation indicator equal to 0"));
                }
                byte @ b'1'..=b'9' if increment == 0 => {
                    increment = isize::from(byte - b'0');
                    self.at += 1;
                }
                _ => break,
            }
        }
        self.rest_of_line()?;
        let mut indent = if increment > 0 { (self.indent.max(0) + increment) as usize } else { 0 };
        let mut out = String::new();
        let mut end = self.at;
        let mut trailing = Breaks::default();
        self.block_breaks(&mut indent, &mut trailing)?;
        let mut leading: &str = "";
        let mut blank_before = false;
        while self.column() == indent && self.byte(self.at) != 0 {
            let blank = self.is_blank(self.at);
            if !literal && leading == "\n" && !blank_before && !blank {
                if trailing.is_empty() {
                    out.push(' ');
                }
            } else {
                out.push_str(leading);
            }
            trailing.drain_into(&mut out);
            blank_before = blank;
            let line = self.at;
            self.skip_line();
            self.stop_at_nul(line);
            out.push_str(&self.text[line..self.at]);
            end = self.at;
            leading = self.take_break();
            self.block_breaks(&mut indent, &mut trailing)?;
        }
        if chomping != Some(b'-') {
            out.push_str(leading);
        }
        if chomping == Some(b'+') {
            trailing.drain_into(&mut out);
        }
        let style = if literal { Style::Literal } else { Style::Folded };
        self.tokens.push_back(Token { kind: TokenKind::Scalar(Cow::Owned(out), style), start, end });
        Ok(())
    }

    /// A line ends at NUL too, as go-yaml takes that for the end of its input.
    fn stop_at_nul(&mut self, from: usize) {
        if self.limit != usize::MAX
            && let Some(found) = memchr::memchr(0, &self.bytes[from..self.at])
        {
            self.wide -= wide(&self.bytes[from + found..self.at]);
            self.at = from + found;
        }
    }

    /// Skips a line break and says what it reads as.
    fn take_break(&mut self) -> &'a str {
        let width = self.break_width(self.at);
        let start = self.at;
        if width == 0 {
            return "";
        }
        self.skip_break(width);
        if width == 3 { &self.text[start..start + 3] } else { "\n" }
    }

    /// Skips indentation and empty lines, and finds the indentation where that is not known.
    fn block_breaks(&mut self, indent: &mut usize, breaks: &mut Breaks) -> Scan<()> {
        let mut deepest = 0;
        loop {
            while self.byte(self.at) == b' ' && (*indent == 0 || self.column() < *indent) {
                self.at += 1;
            }
            deepest = deepest.max(self.column());
            if self.byte(self.at) == b'\t' && (*indent == 0 || self.column() < *indent) {
                return Err(self.problem("found a tab character where an indentation space is expected"));
            }
            if self.break_width(self.at) == 0 {
                break;
            }
            let text = self.take_break();
            breaks.push(text);
        }
        if *indent == 0 {
            *indent = deepest.max((self.indent + 1).max(1) as usize);
        }
        Ok(())
    }

    fn scan_quoted(&mut self, single: bool) -> Scan<Token<'a>> {
        let start = self.at;
        self.at += 1;
        let mut out: Option<String> = None;
        // What has been read and is not in `out`.
        let mut from = self.at;
        loop {
            if self.at == self.line_at && self.is_document_indicator() {
                return Err(self.problem_in(start, "found unexpected document indicator"));
            }
            if self.byte(self.at) == 0 {
                return Err(self.problem_in(start, "found unexpected end of stream"));
            }
            let mut breaks = Breaks::default();
            let mut leading: Option<&str> = None;
            loop {
                let byte = self.byte(self.at);
                match byte {
                    b'\'' if single && self.byte(self.at + 1) == b'\'' => {
                        out.get_or_insert_default().push_str(&self.text[from..=self.at]);
                        self.at += 2;
                        from = self.at;
                    }
                    b'\'' if single => break,
                    b'"' if !single => break,
                    b'\\' if !single => {
                        let done = out.get_or_insert_default();
                        done.push_str(&self.text[from..self.at]);
                        let width = self.break_width(self.at + 1);
                        if width > 0 {
                            self.at += 1;
                            self.skip_break(width);
                            from = self.at;
                            leading = Some("");
                            break;
                        }
                        let escaped = self.escape()?;
                        out.get_or_insert_default().push(escaped);
                        from = self.at;
                    }
                    _ if self.is_blankz(self.at) => break,
                    0..0x80 => self.at += 1,
                    _ => {
                        self.at += 1;
                        while self.byte(self.at) & 0xC0 == 0x80 {
                            self.at += 1;
                            self.wide += 1;
                        }
                    }
                }
            }
            if self.byte(self.at) == if single { b'\'' } else { b'"' } && leading.is_none() {
                break;
            }
            let content_end = self.at;
            loop {
                if self.is_blank(self.at) {
                    self.at += 1;
                } else if self.break_width(self.at) > 0 {
                    let text = self.take_break();
                    match leading {
                        None => leading = Some(text),
                        Some(_) => breaks.push(text),
                    }
                } else {
                    break;
                }
            }
            if let Some(leading) = leading {
                let done = out.get_or_insert_default();
                done.push_str(&self.text[from..content_end]);
                join(done, leading, &mut breaks);
                from = self.at;
            }
            // An escaped line break may be followed by the closing quote.
            if self.byte(self.at) == if single { b'\'' } else { b'"' } && !(single && self.byte(self.at + 1) == b'\'') {
                break;
            }
        }
        let text = match out {
            None => Cow::Borrowed(&self.text[from..self.at]),
            Some(mut text) => {
                text.push_str(&self.text[from..self.at]);
                Cow::Owned(text)
            }
        };
        self.at += 1;
        let style = if single { Style::SingleQuoted } else { Style::DoubleQuoted };
        Ok(Token { kind: TokenKind::Scalar(text, style), start, end: self.at })
    }

    /// The character of an escape in double quotes.
    fn escape(&mut self) -> Scan<char> {
        let length = match self.byte(self.at + 1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            byte => {
                let char = match byte {
                    b'0' => '\0',
                    b'a' => '\x07',
                    b'b' => '\x08',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\x0B',
                    b'f' => '\x0C',
                    b'r' => '\r',
                    b'e' => '\x1B',
                    b' ' => ' ',
                    b'"' => '"',
                    b'\'' => '\'',
                    b'\\' => '\\',
                    b'N' => '\u{85}',
                    b'_' => '\u{A0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return Err(self.problem("found unknown escape character")),
                };
                self.at += 2;
                return Ok(char);
            }
        };
        self.at += 2;
        let mut code: u32 = 0;
        for offset in 0..length {
            match char::from(self.byte(self.at + offset)).to_digit(16) {
                Some(digit) => code = code << 4 | digit,
                None => return Err(self.problem("did not find expected hexdecimal number")),
            }
        }
        let Some(char) = char::from_u32(code) else {
            return Err(self.problem("found invalid Unicode character escape code"));
        };
        self.at += length;
        Ok(char)
    }

    fn scan_plain(&mut self) -> Scan<Token<'a>> {
        let start = self.at;
        let indent = self.indent + 1;
        let mut out: Option<String> = None;
        // What has been read and is not in `out`.
        let mut from = start;
        let mut end = start;
        let mut leading: Option<&str> = None;
        let mut breaks = Breaks::default();
        loop {
            if self.at == self.line_at && self.is_document_indicator() || self.byte(self.at) == b'#' {
                break;
            }
            let run = self.at;
            self.skip_plain_run();
            if self.at > run {
                if let Some(leading) = leading.take() {
                    let done = out.get_or_insert_default();
                    done.push_str(&self.text[from..end]);
                    join(done, leading, &mut breaks);
                    from = run;
                }
                end = self.at;
            }
            if !self.is_blank(self.at) && self.break_width(self.at) == 0 {
                break;
            }
            loop {
                if self.is_blank(self.at) {
                    if leading.is_some() && self.byte(self.at) == b'\t' && (self.column() as isize) < indent {
                        return Err(self.problem_in(start, "found a tab character that violates indentation"));
                    }
                    self.at += 1;
                } else if self.break_width(self.at) > 0 {
                    let text = self.take_break();
                    match leading {
                        None => leading = Some(text),
                        Some(_) => breaks.push(text),
                    }
                } else {
                    break;
                }
            }
            if self.flow_level == 0 && (self.column() as isize) < indent {
                break;
            }
        }
        if leading.is_some() {
            self.key_allowed = true;
        }
        let text = match out {
            None => Cow::Borrowed(&self.text[from..end]),
            Some(mut text) => {
                text.push_str(&self.text[from..end]);
                Cow::Owned(text)
            }
        };
        Ok(Token { kind: TokenKind::Scalar(text, Style::Plain), start, end })
    }

    /// Skips what can stand in a plain scalar up to a blank.
    fn skip_plain_run(&mut self) {
        let in_flow = self.flow_level > 0;
        while let Some(&byte) = self.bytes.get(self.at) {
            match CLASSES[byte as usize] {
                Class::Plain => self.at += 1,
                Class::Colon if self.is_blankz(self.at + 1) => return,
                Class::Flow if in_flow => return,
                Class::Colon | Class::Flow => self.at += 1,
                Class::Blank => return,
                Class::High if self.break_width(self.at) > 0 => return,
                Class::High => {
                    self.at += 1;
                    while self.byte(self.at) & 0xC0 == 0x80 {
                        self.at += 1;
                        self.wide += 1;
                    }
                }
            }
        }
    }
}

/// Line breaks after the first one.
#[derive(Default)]
struct Breaks(String);

impl Breaks {
    fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn drain_into(&mut self, out: &mut String) {
        out.push_str(&self.0);
        self.0.clear();
    }
}

/// Folds line breaks: one becomes a blank, of more the first goes.
fn join(out: &mut String, leading: &str, breaks: &mut Breaks) {
    if leading == "\n" {
        if breaks.is_empty() {
            out.push(' ');
        }
    } else {
        out.push_str(leading);
    }
    breaks.drain_into(out);
}

/// Bytes that do not begin a character.
fn wide(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 == 0x80).count()
}

/// The first character that go-yaml does not let into a text.
fn control_character(text: &str) -> Option<usize> {
    suspicious(text.as_bytes(), &|rest| {
        matches!(rest, [0..=8 | 11 | 12 | 14..=31 | 0x7F, ..] | [0xC2, 0x80..=0x84 | 0x86..=0x9F, ..])
            || matches!(rest, [0xEF, 0xBF, 0xBE | 0xBF, ..])
    })
}

/// The first place for which `is_refused` is true of the bytes from there on. Only control characters other than the
/// line feed and what may begin an odd character of Unicode are asked about; the rest goes by in large steps.
pub(super) fn suspicious(bytes: &[u8], is_refused: &dyn Fn(&[u8]) -> bool) -> Option<usize> {
    const STEP: usize = 64;
    let odd = |byte: u8| (byte < 0x20) & (byte != b'\n') | matches!(byte, 0x7F | 0xC2 | 0xE2 | 0xEF);
    for (step, chunk) in bytes.chunks(STEP).enumerate() {
        if chunk.iter().fold(false, |found, &byte| found | odd(byte)) {
            let start = step * STEP;
            let places = start..start + chunk.len();
            if let Some(at) = places.into_iter().find(|&at| odd(bytes[at]) && is_refused(&bytes[at..])) {
                return Some(at);
            }
        }
    }
    None
}
