//! Cuts template text into tokens. Rules and messages are those of Go's `text/template/parse`.

use super::funcs::unicode::{is_digit, is_letter};
use super::print;
use crate::value::{Value, raw_byte};

/// The kind of a [`Token`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The text is [`Lexer::error`].
    Error,
    Eof,
    /// Text outside of actions, already trimmed.
    Text,
    LeftDelim,
    RightDelim,
    Space,
    Pipe,
    LeftParen,
    RightParen,
    /// `=`
    Assign,
    /// `:=`
    Declare,
    Bool,
    /// `'a'`
    Char,
    /// `1+2i`
    Complex,
    Number,
    String,
    RawString,
    /// `.name`
    Field,
    /// A function's name.
    Identifier,
    /// `$` or `$name`
    Variable,
    /// Any other printable ASCII character, such as a comma.
    Other,
    Dot,
    Nil,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
}

impl Kind {
    /// Go's `item.typ > itemKeyword`.
    pub(super) fn is_keyword(self) -> bool {
        self as u8 >= Kind::Dot as u8
    }
}

/// A piece of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What is read next.
#[derive(Clone, Copy)]
enum Mode {
    Text,
    Action,
    /// Nothing follows an error.
    Failed,
}

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    mode: Mode,
    parens: u32,
    /// What an error token says.
    pub(super) error: Option<String>,
}

/// Whether an ASCII character belongs to names.
static IN_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || byte == b'_' as usize;
        byte += 1;
    }
    table
};

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Lexer { text, at: 0, mode: Mode::Text, parens: 0, error: None }
    }

    pub(super) fn next_token(&mut self) -> Token {
        match self.mode {
            Mode::Action => self.action(),
            Mode::Text => self.text(),
            Mode::Failed => Token { kind: Kind::Eof, start: self.at as u32, end: self.at as u32 },
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek_byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn peek(&self) -> Option<char> {
        match self.peek_byte() {
            Some(byte) if byte.is_ascii() => Some(char::from(byte)),
            Some(_) => self.rest().chars().next(),
            None => None,
        }
    }

    fn token(&self, kind: Kind, start: usize) -> Token {
        Token { kind, start: start as u32, end: self.at as u32 }
    }

    fn fail(&mut self, start: usize, message: impl Into<String>) -> Token {
        self.error = Some(message.into());
        self.mode = Mode::Failed;
        self.token(Kind::Error, start)
    }

    /// Text up to the next action, or the action's start.
    fn text(&mut self) -> Token {
        loop {
            let start = self.at;
            let bytes = self.text.as_bytes();
            let Some(open) = memchr::memchr_iter(b'{', &bytes[start..])
                .map(|found| start + found)
                .find(|&found| bytes.get(found + 1) == Some(&b'{'))
            else {
                self.at = bytes.len();
                return self.token(if start < self.at { Kind::Text } else { Kind::Eof }, start);
            };
            let trims = has_left_trim_marker(&bytes[open + 2..]);
            if open > start {
                self.at = open;
                let text = &bytes[start..open];
                let kept = if trims {
                    text.iter().rposition(|&byte| !is_space(byte)).map_or(0, |at| at + 1)
                } else {
                    text.len()
                };
                if kept > 0 {
                    return Token { kind: Kind::Text, start: start as u32, end: (start + kept) as u32 };
                }
            }
            let trim = if trims { 2 } else { 0 };
            self.at = open + 2;
            if !bytes[self.at + trim..].starts_with(b"/*") {
                self.mode = Mode::Action;
                self.parens = 0;
                let token = self.token(Kind::LeftDelim, open);
                self.at += trim;
                return token;
            }
            self.at += trim;
            if let Err(token) = self.comment() {
                return token;
            }
        }
    }

    fn comment(&mut self) -> Result<(), Token> {
        let start = self.at;
        let Some(close) = memchr::memmem::find(&self.rest().as_bytes()[2..], b"*/") else {
            return Err(self.fail(start, "unclosed comment"));
        };
        self.at += 2 + close + 2;
        match self.right_delim() {
            None => Err(self.fail(start, "comment ends before closing delimiter")),
            Some(trims) => {
                self.close_action(trims);
                Ok(())
            }
        }
    }

    /// Whether a right delimiter stands here, and if so whether it trims.
    fn right_delim(&self) -> Option<bool> {
        match &self.text.as_bytes()[self.at..] {
            [b'}', b'}', ..] => Some(false),
            [b' ' | b'\t' | b'\r' | b'\n', b'-', b'}', b'}', ..] => Some(true),
            _ => None,
        }
    }

    /// Passes the right delimiter and, if it trims, the space after it.
    fn close_action(&mut self, trims: bool) {
        self.at += if trims { 4 } else { 2 };
        if trims {
            self.pass_space();
        }
    }

    fn pass_space(&mut self) {
        while self.peek_byte().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// Passes the space that comes next in an action, where it is plain to be no part of a right delimiter. Says
    /// whether there was any.
    pub(super) fn pass_plain_space(&mut self) -> bool {
        if !matches!(self.mode, Mode::Action) {
            return false;
        }
        let rest = &self.text.as_bytes()[self.at..];
        let len = rest.iter().position(|&byte| !is_space(byte)).unwrap_or(rest.len());
        let is_plain = len > 0 && rest.get(len) != Some(&b'-');
        self.at += if is_plain { len } else { 0 };
        is_plain
    }

    fn action(&mut self) -> Token {
        let start = self.at;
        let Some(byte) = self.peek_byte() else {
            return self.fail(start, "unclosed action");
        };
        if matches!(byte, b'}' | b' ' | b'\t' | b'\r' | b'\n') {
            if let Some(trims) = self.right_delim() {
                return self.end_of_action(trims);
            }
            if byte != b'}' {
                return self.space();
            }
        }
        self.at += 1;
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.identifier(start),
            b'=' => self.token(Kind::Assign, start),
            b':' if self.peek_byte() == Some(b'=') => {
                self.at += 1;
                self.token(Kind::Declare, start)
            }
            b':' => self.fail(start, "expected :="),
            b'|' => self.token(Kind::Pipe, start),
            b'"' => self.quoted(start, b'"', Kind::String, "unterminated quoted string"),
            b'\'' => self.quoted(start, b'\'', Kind::Char, "unterminated character constant"),
            b'`' => match memchr::memchr(b'`', self.rest().as_bytes()) {
                Some(close) => {
                    self.at += close + 1;
                    self.token(Kind::RawString, start)
                }
                None => self.fail(start, "unterminated raw quoted string"),
            },
            b'$' => self.name(start, Kind::Variable),
            b'.' if self.peek_byte().is_some_and(|byte| !byte.is_ascii_digit()) => self.name(start, Kind::Field),
            b'.' | b'+' | b'-' | b'0'..=b'9' => {
                self.at = start;
                self.number(start)
            }
            b'(' => {
                self.parens += 1;
                self.token(Kind::LeftParen, start)
            }
            b')' if self.parens == 0 => self.fail(start, "unexpected right paren"),
            b')' => {
                self.parens -= 1;
                self.token(Kind::RightParen, start)
            }
            b'!'..=b'~' => self.token(Kind::Other, start),
            _ => {
                let char = self.text[start..].chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
                self.at = start + char.len_utf8();
                if is_alphanumeric(char) {
                    return self.identifier(start);
                }
                self.fail(start, format!("unrecognized character in action: {}", code_point(char)))
            }
        }
    }

    fn end_of_action(&mut self, trims: bool) -> Token {
        let start = self.at;
        if self.parens > 0 {
            return self.fail(start, "unclosed left paren");
        }
        let delim = start + if trims { 2 } else { 0 };
        self.close_action(trims);
        self.mode = Mode::Text;
        Token { kind: Kind::RightDelim, start: delim as u32, end: delim as u32 + 2 }
    }

    /// A run of spaces, without the one that belongs to a trimming right delimiter.
    fn space(&mut self) -> Token {
        let start = self.at;
        self.pass_space();
        if self.peek_byte() == Some(b'-') && self.rest().as_bytes().starts_with(b"-}}") {
            self.at -= 1;
            if self.at == start {
                return self.end_of_action(true);
            }
        }
        self.token(Kind::Space, start)
    }

    fn quoted(&mut self, start: usize, quote: u8, kind: Kind, unterminated: &str) -> Token {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b'\\') if bytes.get(self.at + 1).is_some_and(|&byte| byte != b'\n') => self.at += 2,
                Some(b'\\' | b'\n') | None => return self.fail(start, unterminated),
                Some(&byte) => {
                    self.at += 1;
                    if byte == quote {
                        return self.token(kind, start);
                    }
                }
            }
        }
    }

    /// Letters, digits and underscores.
    fn word(&mut self) {
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            self.at += rest.iter().position(|&byte| !IN_NAME[byte as usize]).unwrap_or(rest.len());
            match self.peek_byte() {
                None | Some(..0x80) => break,
                Some(_) => match self.peek().filter(|&char| is_alphanumeric(char)) {
                    Some(char) => self.at += char.len_utf8(),
                    None => break,
                },
            }
        }
    }

    /// Go's `atTerminator`: what may follow a name.
    fn at_terminator(&self) -> bool {
        match self.peek_byte() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(') => true,
            Some(b'}') => self.text.as_bytes()[self.at..].starts_with(b"}}"),
            _ => false,
        }
    }

    fn bad_character(&mut self, start: usize) -> Token {
        let char = self.peek().unwrap_or(char::REPLACEMENT_CHARACTER);
        self.fail(start, format!("bad character {}", code_point(char)))
    }

    /// A field or variable after its `.` or `$`.
    fn name(&mut self, start: usize, kind: Kind) -> Token {
        if self.at_terminator() {
            return self.token(if kind == Kind::Field { Kind::Dot } else { kind }, start);
        }
        self.word();
        if self.at_terminator() { self.token(kind, start) } else { self.bad_character(start) }
    }

    /// Whether a dot comes next.
    pub(super) fn at_dot(&self) -> bool {
        self.peek_byte() == Some(b'.')
    }

    /// The name of a field that comes next, if it is a plain one.
    pub(super) fn field(&mut self) -> Option<(u32, u32)> {
        let name = self.text.as_bytes()[self.at..].strip_prefix(b".")?;
        let len = name.iter().position(|&byte| !IN_NAME[byte as usize])?;
        if len == 0 || name[0].is_ascii_digit() || !matches!(name[len], b' ' | b'.' | b')') {
            return None;
        }
        let start = self.at + 1;
        self.at = start + len;
        Some((start as u32, self.at as u32))
    }

    fn identifier(&mut self, start: usize) -> Token {
        self.word();
        if !self.at_terminator() {
            return self.bad_character(start);
        }
        let kind = match &self.text[start..self.at] {
            "block" => Kind::Block,
            "break" => Kind::Break,
            "continue" => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "nil" => Kind::Nil,
            "range" => Kind::Range,
            "template" => Kind::Template,
            "with" => Kind::With,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        };
        self.token(kind, start)
    }

    fn number(&mut self, start: usize) -> Token {
        if !self.scan_number() {
            return self.bad_number(start);
        }
        if !matches!(self.peek_byte(), Some(b'+' | b'-')) {
            return self.token(Kind::Number, start);
        }
        if self.scan_number() && self.text[start..self.at].ends_with('i') {
            self.token(Kind::Complex, start)
        } else {
            self.bad_number(start)
        }
    }

    fn bad_number(&mut self, start: usize) -> Token {
        let message = format!("bad number syntax: {}", print::quote(&self.text[start..self.at]));
        self.fail(start, message)
    }

    fn accept(&mut self, set: &[u8]) -> bool {
        let found = self.peek_byte().is_some_and(|byte| set.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn accept_run(&mut self, is_digit: impl Fn(u8) -> bool) {
        while self.peek_byte().is_some_and(&is_digit) {
            self.at += 1;
        }
    }

    fn scan_number(&mut self) -> bool {
        fn decimal(byte: u8) -> bool {
            byte.is_ascii_digit() || byte == b'_'
        }
        self.accept(b"+-");
        let mut is_digit: fn(u8) -> bool = decimal;
        let mut exponent: &[u8] = b"eE";
        if self.accept(b"0") {
            if self.accept(b"xX") {
                is_digit = |byte| byte.is_ascii_hexdigit() || byte == b'_';
                exponent = b"pP";
            } else if self.accept(b"oO") {
                is_digit = |byte| matches!(byte, b'0'..=b'7' | b'_');
                exponent = b"";
            } else if self.accept(b"bB") {
                is_digit = |byte| matches!(byte, b'0' | b'1' | b'_');
                exponent = b"";
            }
        }
        self.accept_run(is_digit);
        if self.accept(b".") {
            self.accept_run(is_digit);
        }
        if self.accept(exponent) {
            self.accept(b"+-");
            self.accept_run(decimal);
        }
        self.accept(b"i");
        match self.peek().filter(|&char| is_alphanumeric(char)) {
            Some(char) => {
                self.at += char.len_utf8();
                false
            }
            None => true,
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_alphanumeric(char: char) -> bool {
    match char {
        '_' | '0'..='9' | 'a'..='z' | 'A'..='Z' => true,
        _ if char.is_ascii() => false,
        _ => is_letter(char) || is_digit(char),
    }
}

/// A `-` and a space, after a left delimiter.
fn has_left_trim_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space(*space))
}

/// `U+002D '-'`
fn code_point(char: char) -> String {
    let char = if raw_byte(char).is_some() { char::REPLACEMENT_CHARACTER } else { char };
    print::sprintf("%#U", &[Value::Int(i64::from(u32::from(char)))]).unwrap_or_default()
}
