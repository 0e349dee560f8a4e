//! What stands at the head of a Kubernetes object, read in one pass without building a tree.
//!
//! Most documents of a chart are only sorted by kind and printed. For those that keep to a simple subset of YAML
//! (block style, scalars without tags, anchors and odd escapes) this pass proves that the full reader would accept
//! the document without a finding, and picks the few fields. Whatever it is not sure of it leaves to that reader.

use super::resolve::{Resolved, resolve};
use super::scan::suspicious;
use foldhash::fast::FixedState;
use memchr::{memchr, memchr2, memchr3};
use std::hash::BuildHasher;

/// The identifying fields of a document; those that are absent are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head<'a> {
    pub api_version: &'a str,
    pub kind: &'a str,
    pub name: &'a str,
    pub namespace: &'a str,
    /// Helm's own annotations, such as `helm.sh/hook`, with their values.
    pub annotations: Vec<(&'a str, &'a str)>,
}

/// The head of a document, if the document is certainly one that [`super::read`] reads without error or finding, and
/// its head has no surprises; `None` says nothing about the document.
pub fn head(text: &str) -> Option<Head<'_>> {
    if has_odd_characters(text.as_bytes()) {
        return None;
    }
    let tabs = memchr(b'\t', text.as_bytes()).is_some();
    let mut pass = Pass {
        text,
        bytes: text.as_bytes(),
        at: 0,
        tabs,
        levels: Vec::with_capacity(16),
        hashes: Vec::with_capacity(64),
        hasher: FixedState::default(),
        waiting: Some(-1),
        head: Head::default(),
        in_head: InHead::Root,
    };
    pass.document()?;
    (!pass.levels.is_empty()).then_some(pass.head)
}

/// Deeper documents are left to the full reader, as are mappings with more keys.
const MAX_LEVELS: usize = 200;
const MAX_KEYS: usize = 1000;
const MAX_KEY_LENGTH: usize = 500;

/// Whether some character is one that this pass does not look for.
fn has_odd_characters(bytes: &[u8]) -> bool {
    let refused = |rest: &[u8]| match rest {
        [b'\t', ..] => false,
        [0..0x20 | 0x7F | 0xEF, ..] | [0xC2, ..0xA0, ..] | [0xE2, 0x80, 0xA8 | 0xA9, ..] => true,
        _ => false,
    };
    suspicious(bytes, &refused).is_some()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mapping,
    Sequence,
    /// A sequence whose dashes stand in the column of the key that it belongs to.
    Indentless,
}

/// An open collection.
#[derive(Clone, Copy)]
struct Level {
    column: usize,
    kind: Kind,
    /// Where this mapping's keys begin in `hashes`.
    keys: usize,
}

/// Which part of the head the innermost mapping is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InHead {
    Root,
    Metadata,
    Annotations,
}

struct Pass<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    tabs: bool,
    levels: Vec<Level>,
    /// Hashes of the keys of the open mappings.
    hashes: Vec<u64>,
    hasher: FixedState,
    /// A key or dash has no value yet; its column. The document itself waits with -1.
    waiting: Option<isize>,
    head: Head<'a>,
    in_head: InHead,
}

/// A scalar that stands in one line.
#[derive(Clone, Copy)]
enum Value<'a> {
    /// Without quotes.
    Plain(&'a str),
    Quoted(&'a str),
    /// A scalar that is text, but not as it stands here: of several lines or with escapes.
    Text,
    /// `{}`
    Empty,
    /// A list in brackets.
    List,
}

impl<'a> Pass<'a> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b'\n')
    }

    /// Where the line that holds an offset ends.
    fn line_end(&self, at: usize) -> usize {
        memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |found| at + found)
    }

    fn blanks(&self, mut at: usize) -> usize {
        while self.bytes.get(at) == Some(&b' ') {
            at += 1;
        }
        at
    }

    /// Goes to the next line that has content, and says its column.
    fn next_line(&mut self) -> Option<Option<usize>> {
        loop {
            if self.at >= self.bytes.len() {
                return Some(None);
            }
            let start = self.at;
            let content = self.blanks(start);
            match self.byte(content) {
                b'\n' => self.at = content + 1,
                b'#' => self.at = self.line_end(content) + 1,
                b'\t' => return None,
                _ => {
                    self.at = content;
                    return Some(Some(content - start));
                }
            }
        }
    }

    fn document(&mut self) -> Option<()> {
        while let Some(column) = self.next_line()? {
            if column == 0 {
                let rest = &self.bytes[self.at..];
                if rest.starts_with(b"---") || rest.starts_with(b"...") || rest[0] == b'%' {
                    return None;
                }
            }
            let dash = self.is_dash(self.at);
            self.place(column, dash)?;
            self.entry(column, dash)?;
        }
        Some(())
    }

    fn is_dash(&self, at: usize) -> bool {
        self.byte(at) == b'-' && matches!(self.byte(at + 1), b' ' | b'\n')
    }

    /// Closes and opens collections so that an entry can start in a column.
    fn place(&mut self, column: usize, dash: bool) -> Option<()> {
        if let Some(parent) = self.waiting.take() {
            if column as isize > parent {
                return self.open(column, if dash { Kind::Sequence } else { Kind::Mapping });
            }
            let in_mapping = self.levels.last().is_some_and(|level| level.kind == Kind::Mapping);
            if column as isize == parent && dash && in_mapping {
                return self.open(column, Kind::Indentless);
            }
        }
        while self.levels.last().is_some_and(|level| level.column > column) {
            self.close();
        }
        if !dash && self.levels.last().is_some_and(|level| level.kind == Kind::Indentless && level.column == column) {
            self.close();
        }
        let level = self.levels.last()?;
        (level.column == column && dash == (level.kind != Kind::Mapping)).then_some(())
    }

    fn open(&mut self, column: usize, kind: Kind) -> Option<()> {
        if self.levels.len() >= MAX_LEVELS {
            return None;
        }
        if self.levels.is_empty() && kind != Kind::Mapping {
            return None;
        }
        self.levels.push(Level { column, kind, keys: self.hashes.len() });
        Some(())
    }

    fn close(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.hashes.truncate(level.keys);
        }
        // Levels 1, 2 and 3 may be the root, `metadata` and its annotations.
        match (self.levels.len(), self.in_head) {
            (2, InHead::Annotations) => self.in_head = InHead::Metadata,
            (1, InHead::Metadata | InHead::Annotations) => self.in_head = InHead::Root,
            _ => {}
        }
    }

    /// Reads the rest of a line: dashes, a key, a value.
    fn entry(&mut self, mut column: usize, mut dash: bool) -> Option<()> {
        while dash {
            let content = self.blanks(self.at + 1);
            self.waiting = Some(column as isize);
            if matches!(self.byte(content), b'\n' | b'#') {
                self.at = self.line_end(content) + 1;
                return Some(());
            }
            column += content - self.at;
            self.at = content;
            dash = self.is_dash(content);
            if dash || self.key_end(content).is_some() {
                self.waiting = None;
                self.open(column, if dash { Kind::Sequence } else { Kind::Mapping })?;
            } else {
                self.waiting = None;
                self.value()?;
                return Some(());
            }
        }
        self.pair(column)
    }

    /// The offset of the colon behind a key that starts here, if one does.
    fn key_end(&self, at: usize) -> Option<usize> {
        let colon = match self.byte(at) {
            quote @ (b'"' | b'\'') => {
                let end = at + 1 + memchr2(quote, b'\n', &self.bytes[at + 1..])?;
                if self.bytes[end] != quote {
                    return None;
                }
                end + 1
            }
            _ => {
                let mut end = at;
                while is_word(self.byte(end)) || self.byte(end) == b':' && is_word(self.byte(end + 1)) {
                    end += 1;
                }
                end
            }
        };
        (self.byte(colon) == b':' && matches!(self.byte(colon + 1), b' ' | b'\n')).then_some(colon)
    }

    /// Reads `key:` or `key: value`.
    fn pair(&mut self, column: usize) -> Option<()> {
        let colon = self.key_end(self.at)?;
        if colon - self.at > MAX_KEY_LENGTH {
            return None;
        }
        let first = self.byte(self.at);
        let key = if matches!(first, b'"' | b'\'') {
            let key = &self.text[self.at + 1..colon - 1];
            if key.contains(['\\', '\t']) {
                return None;
            }
            key
        } else {
            let key = &self.text[self.at..colon];
            if !is_key_start(first) || resolve(key) != Resolved::Str {
                return None;
            }
            key
        };
        self.remember(key)?;
        let in_head = self.levels.len() <= 3 && self.is_in_head();
        if in_head && self.is_ambiguous(key) {
            return None;
        }
        let content = self.blanks(colon + 1);
        match self.byte(content) {
            b'\n' => {}
            b'#' if content > colon + 1 => {}
            _ => {
                self.at = content;
                let value = self.value()?;
                return if in_head { self.note(key, value) } else { Some(()) };
            }
        }
        self.at = self.line_end(content) + 1;
        self.waiting = Some(column as isize);
        if in_head { self.enter(key) } else { Some(()) }
    }

    /// Whether the innermost mapping is one that the head is read from.
    fn is_in_head(&self) -> bool {
        match self.in_head {
            InHead::Root => self.levels.len() == 1,
            InHead::Metadata => self.levels.len() == 2,
            InHead::Annotations => self.levels.len() == 3,
        }
    }

    /// A key that Go's JSON decoder would take for another one, since it ignores case.
    fn is_ambiguous(&self, key: &str) -> bool {
        let names: &[&str] = match self.in_head {
            InHead::Root => &["apiVersion", "kind", "metadata"],
            InHead::Metadata => &["name", "namespace", "annotations"],
            InHead::Annotations => &[],
        };
        names.iter().any(|name| key.eq_ignore_ascii_case(name) && key != *name)
    }

    /// A key whose value is on the lines below, or null.
    fn enter(&mut self, key: &str) -> Option<()> {
        match (self.in_head, key) {
            (InHead::Root, "metadata") => {
                let (column, kind) = self.peek_value()?;
                self.in_head = InHead::Metadata;
                (kind == Kind::Mapping && column > self.levels.last()?.column).then_some(())
            }
            (InHead::Metadata, "annotations") => {
                let (column, kind) = self.peek_value()?;
                self.in_head = InHead::Annotations;
                (kind == Kind::Mapping && column > self.levels.last()?.column).then_some(())
            }
            (InHead::Root, "apiVersion" | "kind") | (InHead::Metadata, "name" | "namespace") => None,
            (InHead::Annotations, _) => None,
            _ => Some(()),
        }
    }

    /// The column of the next line with content, and what it opens.
    fn peek_value(&mut self) -> Option<(usize, Kind)> {
        let before = self.at;
        let column = self.next_line()??;
        let kind = if self.is_dash(self.at) { Kind::Sequence } else { Kind::Mapping };
        self.at = before;
        Some((column, kind))
    }

    /// A key with its value in the same line.
    fn note(&mut self, key: &'a str, value: Value<'a>) -> Option<()> {
        let text = || match value {
            Value::Plain(text) if resolve(text) == Resolved::Str => Some(text),
            Value::Quoted(text) => Some(text),
            _ => None,
        };
        match (self.in_head, key) {
            (InHead::Root, "apiVersion") => self.head.api_version = text()?,
            (InHead::Root, "kind") => self.head.kind = text()?,
            (InHead::Root, "metadata") | (InHead::Metadata, "annotations") if !matches!(value, Value::Empty) => {
                return None;
            }
            (InHead::Metadata, "name") => self.head.name = text()?,
            (InHead::Metadata, "namespace") => self.head.namespace = text()?,
            (InHead::Annotations, _) => {
                if key.starts_with("helm.sh/") {
                    self.head.annotations.push((key, text()?));
                } else if matches!(value, Value::Empty | Value::List) {
                    return None;
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Refuses keys that the mapping has already, or might have.
    fn remember(&mut self, key: &str) -> Option<()> {
        let from = self.levels.last()?.keys;
        let hash = self.hasher.hash_one(key);
        let known = &self.hashes[from..];
        if known.len() >= MAX_KEYS || known.iter().fold(false, |found, other| found | (*other == hash)) {
            return None;
        }
        self.hashes.push(hash);
        Some(())
    }

    /// The column that text must pass to go on in the next line.
    fn indent(&self) -> isize {
        let block = self.levels.iter().rev().find(|level| level.kind != Kind::Indentless);
        block.map_or(-1, |level| level.column as isize)
    }

    /// Reads a value that starts here, with all its lines.
    fn value(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        match self.byte(start) {
            quote @ (b'"' | b'\'') => self.quoted(quote),
            b'|' | b'>' => self.block().map(|()| Value::Text),
            b'[' => self.bracketed(),
            b'{' if self.byte(start + 1) == b'}' => {
                self.rest_of_line(start + 2)?;
                Some(Value::Empty)
            }
            b'-' if !matches!(self.byte(start + 1), b' ' | b'\n' | b'\t') => self.plain(),
            first if is_value_start(first) => self.plain(),
            _ => None,
        }
    }

    /// Nothing but a comment may follow in this line.
    fn rest_of_line(&mut self, at: usize) -> Option<()> {
        let content = self.blanks(at);
        match self.byte(content) {
            b'\n' => {}
            b'#' if content > at => {}
            _ => return None,
        }
        self.at = self.line_end(content) + 1;
        Some(())
    }

    fn plain(&mut self) -> Option<Value<'a>> {
        let first = self.bytes[self.at];
        let (text, mut commented) = self.plain_line()?;
        let mut lines = 1;
        let indent = self.indent();
        while !commented && self.at < self.bytes.len() {
            let content = self.blanks(self.at);
            match self.byte(content) {
                b'\n' => {
                    self.at = content + 1;
                    continue;
                }
                b'\t' => return None,
                b'#' => break,
                _ if (content - self.at) as isize <= indent => break,
                _ => {}
            }
            self.at = content;
            (_, commented) = self.plain_line()?;
            lines += 1;
        }
        if lines > 1 {
            return Some(Value::Text);
        }
        let infinite = || matches!(resolve(text), Resolved::Float(number) if !number.is_finite());
        if matches!(first, b'.' | b'+' | b'-') && infinite() {
            return None;
        }
        Some(Value::Plain(text))
    }

    /// One line of a plain scalar, and whether a comment ends it. Goes to the next line.
    fn plain_line(&mut self) -> Option<(&'a str, bool)> {
        let start = self.at;
        let mut at = start;
        loop {
            // Most values are short, and the library's search has to warm up.
            let near = self.bytes[at..].iter().take(24).position(|byte| matches!(byte, b'\n' | b':' | b'#'));
            at = match near {
                Some(near) => at + near,
                None => at + memchr3(b'\n', b':', b'#', &self.bytes[at..]).unwrap_or(self.bytes.len() - at),
            };
            match self.byte(at) {
                b'\n' => break,
                b':' if matches!(self.byte(at + 1), b' ' | b'\n') => return None,
                b'#' if self.bytes[at - 1] == b' ' => break,
                _ => at += 1,
            }
        }
        let text = self.text[start..at].trim_end_matches(' ');
        if self.tabs && text.contains('\t') {
            return None;
        }
        let commented = self.byte(at) == b'#';
        self.at = if commented { self.line_end(at) + 1 } else { at + 1 };
        Some((text, commented))
    }

    fn quoted(&mut self, quote: u8) -> Option<Value<'a>> {
        let start = self.at + 1;
        let mut at = start;
        let mut simple = true;
        loop {
            let stop = match quote {
                b'"' => memchr2(b'"', b'\\', &self.bytes[at..])?,
                _ => memchr(b'\'', &self.bytes[at..])?,
            };
            at += stop;
            if self.bytes[at] == b'\\' {
                if !matches!(self.byte(at + 1), b'n' | b't' | b'r' | b'"' | b'\\' | b'\'' | b'0' | b'e' | b' ') {
                    return None;
                }
                simple = false;
                at += 2;
            } else if quote == b'\'' && self.byte(at + 1) == b'\'' {
                simple = false;
                at += 2;
            } else {
                break;
            }
        }
        let inner = &self.bytes[start..at];
        if memchr(b'\n', inner).is_some() {
            simple = false;
            let marks = |line: &[u8]| line.starts_with(b"---") || line.starts_with(b"...");
            if inner.split(|byte| *byte == b'\n').skip(1).any(marks) {
                return None;
            }
        }
        if self.tabs && memchr(b'\t', inner).is_some() {
            return None;
        }
        let text = &self.text[start..at];
        self.rest_of_line(at + 1)?;
        Some(if simple { Value::Quoted(text) } else { Value::Text })
    }

    /// `[a, "b", 'c']` in one line.
    fn bracketed(&mut self) -> Option<Value<'a>> {
        let mut at = self.blanks(self.at + 1);
        if self.byte(at) != b']' {
            loop {
                match self.byte(at) {
                    quote @ (b'"' | b'\'') => {
                        let end = at + 1 + memchr2(quote, b'\n', &self.bytes[at + 1..])?;
                        let inner = &self.bytes[at + 1..end];
                        if self.bytes[end] != quote || memchr2(b'\\', b'\t', inner).is_some() {
                            return None;
                        }
                        at = end + 1;
                    }
                    first if first.is_ascii_alphanumeric() => {
                        while is_flow_word(self.byte(at)) {
                            at += 1;
                        }
                    }
                    _ => return None,
                }
                at = self.blanks(at);
                match self.byte(at) {
                    b',' => at = self.blanks(at + 1),
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.rest_of_line(at + 1)?;
        Some(Value::List)
    }

    /// A literal or folded block.
    fn block(&mut self) -> Option<()> {
        let mut header = self.at + 1;
        let mut indent = None;
        let mut chomped = false;
        for _ in 0..2 {
            match self.byte(header) {
                b'+' | b'-' if !chomped => {
                    chomped = true;
                    header += 1;
                }
                digit @ b'1'..=b'9' if indent.is_none() => {
                    indent = Some(self.indent().max(0) as usize + usize::from(digit - b'0'));
                    header += 1;
                }
                _ => break,
            }
        }
        self.rest_of_line(header)?;
        let mut deepest_blank = 0;
        while self.at < self.bytes.len() {
            let line = self.at;
            let content = self.blanks(line);
            let column = content - line;
            let end = self.line_end(content);
            if content == end {
                deepest_blank = deepest_blank.max(column);
                self.at = end + 1;
                continue;
            }
            let indent = match indent {
                Some(indent) => indent,
                None if column as isize <= self.indent() => return Some(()),
                None if deepest_blank > column || self.bytes[content] == b'\t' => return None,
                None => *indent.insert(column),
            };
            if column < indent {
                return (self.bytes[content] != b'\t').then_some(());
            }
            self.at = end + 1;
        }
        Some(())
    }
}

/// What a key without quotes may be made of here.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-' | b'$' | b'*' | b'(' | b')' | b'+' | b'@')
}

fn is_key_start(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'$' | b'-')
}

fn is_flow_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-')
}

fn is_value_start(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte >= 0x80
        || matches!(byte, b'_' | b'.' | b'/' | b'$' | b'(' | b')' | b'+' | b'=' | b'~' | b'\\' | b';' | b'^' | b'<')
}
