//! The YAML that most documents keep to, read in one pass over their lines.
//!
//! go-yaml's scanner looks out for everything at every place, and cannot announce a key before it has seen its colon.
//! This pass takes block and flow collections with scalars of any style and comments, as they are usually written, and
//! tells a [`Receiver`] of them without tokens in between. Scalars that are more than a part of a line are read by the
//! scanner's own code. Texts with tags, anchors, directives, `?`, or anything else that it is not sure of it leaves to
//! the scanner, and so every error.

use super::Style;
use super::scan::{Cursor, Plain, suspicious};
use memchr::memchr;
use std::borrow::Cow;

/// What is told of a text, in its order. `None` ends the pass.
pub trait Receiver<'a> {
    fn open(&mut self, collection: Collection, style: Style, start: usize) -> Option<()>;
    /// The innermost collection ends; of one in block style, `end` is only near its end.
    fn close(&mut self, end: usize) -> Option<()>;
    fn key(&mut self, key: Scalar<'a>) -> Option<()>;
    /// An item, the value of a key, or all of a document.
    fn scalar(&mut self, scalar: Scalar<'a>) -> Option<()>;
    fn end_document(&mut self) -> Option<()>;
    /// Whether the text of the next scalar matters where it would have to be put together from several lines.
    fn keeps_next(&self) -> bool {
        true
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    Mapping,
    Sequence,
}

#[derive(Debug)]
pub struct Scalar<'a> {
    pub text: Cow<'a, str>,
    pub style: Style,
    pub start: usize,
    pub end: usize,
}

/// Tells all of a text; `None` says nothing about the text, and what was told is void.
pub fn tell<'a>(text: &'a str, receiver: &mut impl Receiver<'a>) -> Option<()> {
    if has_odd_characters(text.as_bytes()) {
        return None;
    }
    let tabs = memchr(b'\t', text.as_bytes()).is_some();
    let levels = Vec::with_capacity(16);
    Pass { cursor: Cursor::over_usual(text), receiver, tabs, levels, indent: -1, waiting: None }.documents()
}

/// Deeper documents are left to the scanner.
const MAX_LEVELS: usize = 200;
const MAX_BRACKETS: usize = 50;
/// Bytes up to a key's colon; the scanner counts characters.
const MAX_KEY: usize = 1000;

/// Whether some character is one that this pass does not look for: control characters, and line breaks other than the
/// usual one.
fn has_odd_characters(bytes: &[u8]) -> bool {
    let refused = |rest: &[u8]| match rest {
        [b'\t', ..] => false,
        [0..0x20 | 0x7F, ..] | [0xC2, ..0xA0, ..] | [0xE2, 0x80, 0xA8 | 0xA9, ..] => true,
        [0xEF, 0xBB, 0xBF, ..] | [0xEF, 0xBF, 0xBE | 0xBF, ..] | [0xF4, 0x8F, 0xBC..=0xBF, ..] => true,
        _ => false,
    };
    suspicious(bytes, &refused).is_some()
}

/// What a byte ends or begins.
const LINE: u8 = 1;
const DOUBLE: u8 = 1 << 1;
const SINGLE: u8 = 1 << 2;
const FLOW: u8 = 1 << 3;
const FIRST: u8 = 1 << 4;

const MEANINGS: [u8; 256] = {
    const fn add(meanings: &mut [u8; 256], bytes: &[u8], meaning: u8) {
        let mut index = 0;
        while index < bytes.len() {
            meanings[bytes[index] as usize] |= meaning;
            index += 1;
        }
    }
    let mut meanings = [0; 256];
    add(&mut meanings, b"\n:#", LINE);
    add(&mut meanings, b"\n\"\\", DOUBLE);
    add(&mut meanings, b"\n'", SINGLE);
    add(&mut meanings, b"\n\t :,?[]{}", FLOW);
    add(&mut meanings, b"_./$()+=~\\;^<0123456789", FIRST);
    add(&mut meanings, b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", FIRST);
    let mut byte = 0x80;
    while byte < 256 {
        meanings[byte] |= FIRST;
        byte += 1;
    }
    meanings
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mapping,
    Sequence,
    /// A sequence whose dashes stand in the column of the key that it belongs to.
    Indentless,
}

/// An open block collection.
#[derive(Clone, Copy)]
struct Level {
    column: usize,
    kind: Kind,
    /// The indentation around it.
    outer: isize,
}

/// A key, a dash or a document that has no value yet.
#[derive(Clone, Copy)]
struct Waiting {
    column: isize,
    /// Where its value stands if there is none.
    at: usize,
}

struct Pass<'a, 'r, R> {
    cursor: Cursor<'a>,
    receiver: &'r mut R,
    tabs: bool,
    levels: Vec<Level>,
    /// The column that text must pass to go on in the next line.
    indent: isize,
    waiting: Option<Waiting>,
}

impl<'a, R: Receiver<'a>> Pass<'a, '_, R> {
    /// The byte at a place; the end of the text ends its last line.
    fn byte(&self, at: usize) -> u8 {
        self.cursor.bytes.get(at).copied().unwrap_or(b'\n')
    }

    fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\n' | b'\t')
    }

    /// Whether this byte, which a dash or colon may be, is one that means structure.
    fn is_indicator(&self, at: usize, byte: u8) -> bool {
        self.byte(at) == byte && self.is_blank(at + 1)
    }

    /// The place behind blanks.
    fn blanks(&self, mut at: usize) -> usize {
        while self.cursor.bytes.get(at) == Some(&b' ') {
            at += 1;
        }
        at
    }

    /// The next place with a byte that has this meaning.
    fn find(&self, at: usize, meaning: u8) -> usize {
        let rest = &self.cursor.bytes[at..];
        at + rest.iter().position(|byte| MEANINGS[*byte as usize] & meaning != 0).unwrap_or(rest.len())
    }

    fn start_line(&mut self, at: usize) {
        self.cursor.at = at.min(self.cursor.bytes.len());
        self.cursor.line_at = self.cursor.at;
        self.cursor.wide = 0;
    }

    /// Leaves a line of which nothing but a comment is left.
    fn leave_line(&mut self, at: usize) {
        let end = memchr(b'\n', &self.cursor.bytes[at..]).map_or(self.cursor.bytes.len(), |found| at + found);
        self.start_line(end + 1);
    }

    /// Nothing but a comment may follow in this line.
    fn rest_of_line(&mut self) -> Option<()> {
        let content = self.blanks(self.cursor.at);
        match self.byte(content) {
            b'\n' => self.start_line(content + 1),
            b'#' if content > self.cursor.at => self.leave_line(content),
            _ => return None,
        }
        Some(())
    }

    /// Goes to the next line that has content. Says whether there is one.
    fn next_line(&mut self) -> Option<bool> {
        loop {
            let content = self.blanks(self.cursor.at);
            match self.cursor.bytes.get(content) {
                None => return Some(false),
                Some(b'\n') => self.start_line(content + 1),
                Some(b'#') => self.leave_line(content),
                Some(b'\t') => return None,
                Some(_) => {
                    self.cursor.at = content;
                    return Some(true);
                }
            }
        }
    }

    fn documents(&mut self) -> Option<()> {
        let root = Some(Waiting { column: -1, at: 0 });
        self.waiting = root;
        let mut marked = false;
        while self.next_line()? {
            let column = self.cursor.at - self.cursor.line_at;
            let byte = self.byte(self.cursor.at);
            if column == 0 {
                if matches!(byte, b'-' | b'.') && self.cursor.is_document_indicator() {
                    self.end_document(marked)?;
                    self.waiting = root;
                    marked = true;
                    if byte == b'.' {
                        return None;
                    }
                    self.cursor.at += 3;
                    self.rest_of_line()?;
                    continue;
                }
                if byte == b'%' {
                    return None;
                }
            }
            if byte == b'-' && self.is_blank(self.cursor.at + 1) { self.dash(column) } else { self.line(column) }?;
        }
        self.end_document(marked)
    }

    /// Ends a document that has content. An empty one is none, unless `---` stands before it.
    fn end_document(&mut self, marked: bool) -> Option<()> {
        if matches!(self.waiting, Some(Waiting { column: -1, .. })) {
            return (!marked).then_some(());
        }
        self.nothing_waits()?;
        while !self.levels.is_empty() {
            self.close()?;
        }
        self.receiver.end_document()
    }

    /// What waits for a value has none.
    fn nothing_waits(&mut self) -> Option<()> {
        match self.waiting.take() {
            Some(Waiting { at, .. }) => self.null(at),
            None => Some(()),
        }
    }

    fn null(&mut self, at: usize) -> Option<()> {
        self.receiver.scalar(Scalar { text: Cow::Borrowed(""), style: Style::Plain, start: at, end: at })
    }

    fn open(&mut self, column: usize, kind: Kind) -> Option<()> {
        if self.levels.len() >= MAX_LEVELS {
            return None;
        }
        self.levels.push(Level { column, kind, outer: self.indent });
        if kind != Kind::Indentless {
            self.indent = column as isize;
        }
        let collection = if kind == Kind::Mapping { Collection::Mapping } else { Collection::Sequence };
        self.receiver.open(collection, Style::Block, self.cursor.at)
    }

    fn close(&mut self) -> Option<()> {
        self.indent = self.levels.pop()?.outer;
        self.receiver.close(self.cursor.at)
    }

    /// Closes the collections that stand further right than the column.
    fn close_to(&mut self, column: usize) -> Option<()> {
        while self.levels.last().is_some_and(|level| level.column > column) {
            self.close()?;
        }
        Some(())
    }

    /// A line that starts with a dash.
    fn dash(&mut self, column: usize) -> Option<()> {
        if let Some(Waiting { column: parent, .. }) = self.waiting {
            let kind = match self.levels.last() {
                _ if column as isize > parent => Some(Kind::Sequence),
                Some(level) if column as isize == parent && level.kind == Kind::Mapping => Some(Kind::Indentless),
                _ => None,
            };
            if let Some(kind) = kind {
                self.waiting = None;
                self.open(column, kind)?;
                return self.items(column);
            }
            self.nothing_waits()?;
        }
        self.close_to(column)?;
        let level = self.levels.last()?;
        if level.column != column || level.kind == Kind::Mapping {
            return None;
        }
        self.items(column)
    }

    /// A line that starts with something else.
    fn line(&mut self, column: usize) -> Option<()> {
        if let Some(Waiting { column: parent, .. }) = self.waiting {
            if column as isize > parent {
                self.waiting = None;
                return self.node(column);
            }
            self.nothing_waits()?;
        }
        self.close_to(column)?;
        if self.levels.last().is_some_and(|level| level.kind == Kind::Indentless && level.column == column) {
            self.close()?;
        }
        let level = self.levels.last()?;
        if level.column != column || level.kind != Kind::Mapping {
            return None;
        }
        let key = match self.byte(self.cursor.at) {
            b'"' | b'\'' => self.quoted_key()?.ok()?,
            _ => self.plain_key()?.ok()?,
        };
        self.pair(column, key)
    }

    /// Reads the items of this line, from a dash on.
    fn items(&mut self, mut column: usize) -> Option<()> {
        loop {
            let dash = self.cursor.at;
            let content = self.blanks(dash + 1);
            if matches!(self.byte(content), b'\n' | b'#') {
                self.waiting = Some(Waiting { column: column as isize, at: dash + 1 });
                self.leave_line(content.min(self.cursor.bytes.len()));
                return Some(());
            }
            column += content - dash;
            self.cursor.at = content;
            if !self.is_indicator(content, b'-') {
                return self.node(column);
            }
            self.open(column, Kind::Sequence)?;
        }
    }

    /// Reads what may be the first key of a mapping or a value.
    fn node(&mut self, column: usize) -> Option<()> {
        let start = self.cursor.at;
        let key = match self.byte(start) {
            b'"' | b'\'' => match self.quoted_key()? {
                Ok(key) => key,
                Err(scalar) => {
                    self.rest_of_line()?;
                    return self.receiver.scalar(scalar);
                }
            },
            _ if self.starts_plain(start) => match self.plain_key()? {
                Ok(key) => key,
                Err(line) => return self.plain(line),
            },
            _ => return self.value(),
        };
        let colon = std::mem::replace(&mut self.cursor.at, start);
        self.open(column, Kind::Mapping)?;
        self.cursor.at = colon;
        self.pair(column, key)
    }

    /// A key in quotes, up to its colon, or a scalar in quotes that is none.
    fn quoted_key(&mut self) -> Option<Result<Scalar<'a>, Scalar<'a>>> {
        let line = self.cursor.line_at;
        let scalar = self.quoted()?;
        let colon = self.blanks(self.cursor.at);
        if self.cursor.line_at != line || !self.is_indicator(colon, b':') {
            return Some(Err(scalar));
        }
        self.cursor.at = colon;
        (colon - scalar.start <= MAX_KEY).then_some(Ok(scalar))
    }

    /// A key without quotes, up to its colon, or else the end of the line's text and what ends it.
    fn plain_key(&mut self) -> Option<Result<Scalar<'a>, PlainLine>> {
        let start = self.cursor.at;
        if !self.starts_plain(start) {
            return None;
        }
        let line = self.plain_line();
        if self.byte(line.stop) != b':' {
            return Some(Err(line));
        }
        let text = &self.cursor.text[start..line.end];
        if line.stop - start > MAX_KEY || self.tabs && text.contains('\t') {
            return None;
        }
        self.cursor.at = line.stop;
        Some(Ok(Scalar { text: Cow::Borrowed(text), style: Style::Plain, start, end: line.end }))
    }

    /// A key, and its value if that is in the same line. The place is the colon.
    fn pair(&mut self, column: usize, key: Scalar<'a>) -> Option<()> {
        self.receiver.key(key)?;
        let after = self.cursor.at + 1;
        let content = self.blanks(after);
        match self.byte(content) {
            b'\n' => self.start_line(content + 1),
            b'#' => self.leave_line(content),
            _ => {
                self.cursor.at = content;
                return self.value();
            }
        }
        self.waiting = Some(Waiting { column: column as isize, at: after });
        Some(())
    }

    /// Reads a value that starts here, with all its lines.
    fn value(&mut self) -> Option<()> {
        match self.byte(self.cursor.at) {
            b'"' | b'\'' => {
                let scalar = self.quoted()?;
                self.rest_of_line()?;
                self.receiver.scalar(scalar)
            }
            b'|' | b'>' => self.indented(),
            b'[' | b'{' => {
                self.brackets(0)?;
                self.rest_of_line()
            }
            _ if self.starts_plain(self.cursor.at) => {
                let line = self.plain_line();
                self.plain(line)
            }
            _ => None,
        }
    }

    fn starts_plain(&self, at: usize) -> bool {
        let byte = self.byte(at);
        MEANINGS[byte as usize] & FIRST != 0 || byte == b'-' && !self.is_blank(at + 1)
    }

    /// Looks over one line of a plain scalar.
    fn plain_line(&self) -> PlainLine {
        let start = self.cursor.at;
        let mut stop = self.find(start, LINE);
        loop {
            match self.byte(stop) {
                b'\n' => break,
                b':' if self.is_blank(stop + 1) => break,
                b'#' if matches!(self.cursor.bytes[stop - 1], b' ' | b'\t') => break,
                _ => stop = self.find(stop + 1, LINE),
            }
        }
        let mut end = stop;
        while end > start && self.cursor.bytes[end - 1] == b' ' {
            end -= 1;
        }
        PlainLine { end, stop }
    }

    /// A plain scalar of which the first line is known.
    fn plain(&mut self, PlainLine { end, stop }: PlainLine) -> Option<()> {
        let (start, line) = (self.cursor.at, self.cursor.line_at);
        let text = &self.cursor.text[start..end];
        let scalar = Scalar { text: Cow::Borrowed(text), style: Style::Plain, start, end };
        if self.tabs && text.contains('\t') {
            return self.long_plain();
        }
        match self.byte(stop) {
            b'#' => self.leave_line(stop),
            b'\n' => {
                self.start_line(stop + 1);
                loop {
                    self.cursor.at = self.blanks(self.cursor.at);
                    match self.cursor.bytes.get(self.cursor.at) {
                        Some(b'\n') => self.start_line(self.cursor.at + 1),
                        None | Some(b'#') => break,
                        Some(b'\t') => return None,
                        Some(_) => {
                            if self.cursor.column() as isize <= self.indent {
                                break;
                            }
                            self.start_line(line);
                            self.cursor.at = start;
                            return self.long_plain();
                        }
                    }
                }
            }
            _ => return None,
        }
        self.receiver.scalar(scalar)
    }

    /// A plain scalar that may have several lines.
    fn long_plain(&mut self) -> Option<()> {
        let start = self.cursor.at;
        let Plain { text, end, passed_break } =
            self.cursor.plain(self.indent + 1, false, self.receiver.keeps_next()).ok()?;
        if !passed_break {
            match self.byte(self.cursor.at) {
                b'\n' => {}
                b'#' => self.leave_line(self.cursor.at),
                _ => return None,
            }
        }
        self.receiver.scalar(Scalar { text, style: Style::Plain, start, end })
    }

    fn quoted(&mut self) -> Option<Scalar<'a>> {
        let start = self.cursor.at;
        let quote = self.byte(start);
        let (stops, style) = match quote {
            b'"' => (DOUBLE, Style::DoubleQuoted),
            _ => (SINGLE, Style::SingleQuoted),
        };
        let stop = self.find(start + 1, stops);
        let text = if self.byte(stop) == quote && (quote == b'"' || self.byte(stop + 1) != quote) {
            self.cursor.at = stop + 1;
            Cow::Borrowed(&self.cursor.text[start + 1..stop])
        } else {
            self.cursor.quoted().ok()?
        };
        Some(Scalar { text, style, start, end: self.cursor.at })
    }

    /// A literal or folded block.
    fn indented(&mut self) -> Option<()> {
        let start = self.cursor.at;
        let style = if self.byte(start) == b'|' { Style::Literal } else { Style::Folded };
        let mut text = String::new();
        let kept = self.receiver.keeps_next().then_some(&mut text);
        let end = self.cursor.indented(self.indent, kept).ok()?;
        self.receiver.scalar(Scalar { text: Cow::Owned(text), style, start, end })
    }

    /// A collection in brackets.
    fn brackets(&mut self, depth: usize) -> Option<()> {
        let is_mapping = self.byte(self.cursor.at) == b'{';
        let (collection, closing) = if is_mapping { (Collection::Mapping, b'}') } else { (Collection::Sequence, b']') };
        if depth >= MAX_BRACKETS {
            return None;
        }
        self.receiver.open(collection, Style::Flow, self.cursor.at)?;
        self.cursor.at += 1;
        loop {
            let mut next = self.between()?;
            if next != closing {
                if is_mapping {
                    self.pair_in_brackets(depth)?;
                } else {
                    self.node_in_brackets(depth)?;
                }
                next = self.between()?;
            }
            self.cursor.at += 1;
            match next {
                b',' => {}
                _ if next == closing => return self.receiver.close(self.cursor.at),
                _ => return None,
            }
        }
    }

    /// Goes to the next token inside of brackets.
    fn between(&mut self) -> Option<u8> {
        loop {
            let content = self.blanks(self.cursor.at);
            match *self.cursor.bytes.get(content)? {
                b'\n' => {
                    self.start_line(content + 1);
                    // These may mean something at the start of a line.
                    if matches!(self.byte(self.cursor.at), b'-' | b'.' | b'%') {
                        return None;
                    }
                }
                b'#' => {
                    self.cursor.at = memchr(b'\n', &self.cursor.bytes[content..])? + content;
                }
                b'\t' => return None,
                byte => {
                    self.cursor.at = content;
                    return Some(byte);
                }
            }
        }
    }

    fn pair_in_brackets(&mut self, depth: usize) -> Option<()> {
        let line = self.cursor.line_at;
        let key = self.scalar_in_brackets()?;
        let (start, is_plain) = (key.start, key.style == Style::Plain);
        self.receiver.key(key)?;
        let colon = if is_plain { self.cursor.at } else { self.blanks(self.cursor.at) };
        if self.byte(colon) == b':' {
            if self.cursor.line_at != line || colon - start > MAX_KEY {
                return None;
            }
            self.cursor.at = colon + 1;
            if !matches!(self.between()?, b',' | b'}') {
                return self.node_in_brackets(depth);
            }
        } else {
            self.between()?;
        }
        self.null(self.cursor.at)
    }

    fn node_in_brackets(&mut self, depth: usize) -> Option<()> {
        if matches!(self.byte(self.cursor.at), b'[' | b'{') {
            return self.brackets(depth + 1);
        }
        let scalar = self.scalar_in_brackets()?;
        self.receiver.scalar(scalar)
    }

    fn scalar_in_brackets(&mut self) -> Option<Scalar<'a>> {
        let start = self.cursor.at;
        if matches!(self.byte(start), b'"' | b'\'') {
            return self.quoted();
        }
        if !self.starts_plain(start) {
            return None;
        }
        let mut end = self.find(start, FLOW);
        while self.byte(end) == b':' && !self.is_blank(end + 1) {
            end = self.find(end + 1, FLOW);
        }
        let next = if self.byte(end) == b' ' { self.blanks(end) } else { end };
        let ends = match self.byte(next) {
            b',' | b']' | b'}' => true,
            byte => byte == b':' && next == end,
        };
        let text = if ends {
            self.cursor.at = next;
            Cow::Borrowed(&self.cursor.text[start..end])
        } else {
            let plain = self.cursor.plain(self.indent + 1, true, true).ok()?;
            end = plain.end;
            plain.text
        };
        Some(Scalar { text, style: Style::Plain, start, end })
    }
}

/// A line of a plain scalar.
struct PlainLine {
    /// Where its text ends, without blanks behind it.
    end: usize,
    /// What ends it: a line break, a colon or a comment.
    stop: usize,
}
