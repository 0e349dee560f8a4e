//! Cuts template text into tokens. Rules and messages are those of Go's `text/template/parse`.

use super::funcs::unicode::{is_digit, is_letter};
use super::print;
use crate::value::{Value, raw_byte};
use memchr::memmem::Finder;

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

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    inside_action: bool,
    parens: u32,
    /// What an error token says.
    pub(super) error: Option<String>,
    left_delim: Finder<'static>,
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

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Lexer { text, at: 0, inside_action: false, parens: 0, error: None, left_delim: Finder::new("{{") }
    }

    pub(super) fn next_token(&mut self) -> Token {
        if self.error.is_some() {
            return Token { kind: Kind::Eof, start: self.at as u32, end: self.at as u32 };
        }
        if self.inside_action { self.action() } else { self.text() }
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
        self.token(Kind::Error, start)
    }

    /// Text up to the next action, or the action's start.
    fn text(&mut self) -> Token {
        loop {
            let start = self.at;
            let Some(open) = self.left_delim.find(&self.text.as_bytes()[start..]).map(|found| start + found) else {
                self.at = self.text.len();
                return self.token(if start < self.at { Kind::Text } else { Kind::Eof }, start);
            };
            if open > start {
                self.at = open;
                let text = &self.text[start..open];
                let trims = has_left_trim_marker(&self.text[open + 2..]);
                let kept = if trims { text.trim_end_matches(SPACES).len() } else { text.len() };
                if kept > 0 {
                    return Token { kind: Kind::Text, start: start as u32, end: (start + kept) as u32 };
                }
            }
            self.at = open + 2;
            let trim = if has_left_trim_marker(self.rest()) { 2 } else { 0 };
            if !self.rest()[trim..].starts_with("/*") {
                self.inside_action = true;
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
            self.at = self.text.len() - self.rest().trim_start_matches(SPACES).len();
        }
    }

    fn action(&mut self) -> Token {
        let start = self.at;
        if let Some(trims) = self.right_delim() {
            if self.parens > 0 {
                return self.fail(start, "unclosed left paren");
            }
            let delim = start + if trims { 2 } else { 0 };
            self.close_action(trims);
            self.inside_action = false;
            return Token { kind: Kind::RightDelim, start: delim as u32, end: delim as u32 + 2 };
        }
        let Some(char) = self.peek() else {
            return self.fail(start, "unclosed action");
        };
        if is_space(char) {
            return self.space();
        }
        self.at += char.len_utf8();
        match char {
            '=' => self.token(Kind::Assign, start),
            ':' if self.peek_byte() == Some(b'=') => {
                self.at += 1;
                self.token(Kind::Declare, start)
            }
            ':' => self.fail(start, "expected :="),
            '|' => self.token(Kind::Pipe, start),
            '"' => self.quoted(start, b'"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted(start, b'\'', Kind::Char, "unterminated character constant"),
            '`' => match memchr::memchr(b'`', self.rest().as_bytes()) {
                Some(close) => {
                    self.at += close + 1;
                    self.token(Kind::RawString, start)
                }
                None => self.fail(start, "unterminated raw quoted string"),
            },
            '$' => self.name(start, Kind::Variable),
            '.' if self.peek_byte().is_some_and(|byte| !byte.is_ascii_digit()) => self.name(start, Kind::Field),
            '.' | '+' | '-' | '0'..='9' => {
                self.at = start;
                self.number(start)
            }
            '(' => {
                self.parens += 1;
                self.token(Kind::LeftParen, start)
            }
            ')' if self.parens == 0 => self.fail(start, "unexpected right paren"),
            ')' => {
                self.parens -= 1;
                self.token(Kind::RightParen, start)
            }
            _ if is_alphanumeric(char) => self.identifier(start),
            '!'..='~' => self.token(Kind::Other, start),
            _ => self.fail(start, format!("unrecognized character in action: {}", code_point(char))),
        }
    }

    /// A run of spaces, without the one that belongs to a trimming right delimiter.
    fn space(&mut self) -> Token {
        let start = self.at;
        while matches!(self.peek_byte(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        if self.text.as_bytes()[self.at..].starts_with(b"-}}") {
            self.at -= 1;
            if self.at == start {
                return self.action();
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
        let bytes = self.text.as_bytes();
        loop {
            while bytes.get(self.at).is_some_and(|&byte| IN_NAME[byte as usize]) {
                self.at += 1;
            }
            match self.peek().filter(|&char| is_alphanumeric(char)) {
                Some(char) => self.at += char.len_utf8(),
                None => break,
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

fn is_space(char: char) -> bool {
    SPACES.contains(&char)
}

fn is_alphanumeric(char: char) -> bool {
    match char {
        '_' | '0'..='9' | 'a'..='z' | 'A'..='Z' => true,
        _ if char.is_ascii() => false,
        _ => is_letter(char) || is_digit(char),
    }
}

/// A `-` and a space, after a left delimiter.
fn has_left_trim_marker(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-', b' ' | b'\t' | b'\r' | b'\n', ..])
}

/// `U+002D '-'`
fn code_point(char: char) -> String {
    let char = if raw_byte(char).is_some() { char::REPLACEMENT_CHARACTER } else { char };
    print::sprintf("%#U", &[Value::Int(i64::from(u32::from(char)))]).unwrap_or_default()
}
