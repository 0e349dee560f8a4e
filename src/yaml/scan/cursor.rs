//! A place in a text, and what stands there in the eyes of go-yaml.

use super::super::event::Problem;
use crate::value::{bytes_of, raw_byte};
use std::ops::Range;

/// go-yaml looks at its input in pieces of this many bytes, and refuses a piece that has a control character.
const PIECE: usize = 512;

pub type Scan<T> = Result<T, Box<Problem>>;

/// A place in a text, with what is known of its line.
pub struct Cursor<'a> {
    pub text: &'a str,
    pub bytes: &'a [u8],
    pub at: usize,
    /// Where the line begins.
    pub line_at: usize,
    /// Bytes of this line before `at` that do not begin a character.
    pub wide: usize,
    /// Where reading a control character becomes an error.
    pub limit: usize,
    /// Whether the end of the text, in the middle of a line, counted as one more line.
    pub ended: bool,
    /// Where comments stand, if they are asked for.
    pub comments: Option<Vec<Range<usize>>>,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        // go-yaml skips a second mark as well.
        let start = text.len() - text.trim_start_matches("\u{FEFF}\u{FEFF}").trim_start_matches('\u{FEFF}').len();
        let limit = control_character(text).map_or(usize::MAX, |at| at / PIECE * PIECE);
        Cursor { at: start, line_at: start, limit, ..Self::over_usual(text) }
    }

    /// At the start of a text without control characters and byte order marks.
    pub fn over_usual(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        Cursor { text, bytes, at: 0, line_at: 0, wide: 0, limit: usize::MAX, ended: false, comments: None }
    }

    pub fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The byte at the place, 0 at the end.
    pub fn here(&self) -> u8 {
        self.byte(self.at)
    }

    /// In characters.
    pub fn column(&self) -> usize {
        self.at - self.line_at - self.wide
    }

    pub fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\t')
    }

    /// The bytes of a line break, 0 where there is none.
    pub fn break_width(&self, at: usize) -> usize {
        match self.byte(at) {
            b'\n' => 1,
            b'\r' => 1 + usize::from(self.byte(at + 1) == b'\n'),
            0xC2 if self.byte(at + 1) == 0x85 => 2,
            0xE2 if self.byte(at + 1) == 0x80 && matches!(self.byte(at + 2), 0xA8 | 0xA9) => 3,
            _ => 0,
        }
    }

    pub fn is_blankz(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\t' | 0) || self.break_width(at) > 0
    }

    /// `---` or `...`, alone or before a blank.
    pub fn is_document_indicator(&self) -> bool {
        let rest = &self.bytes[self.at..];
        (rest.starts_with(b"---") || rest.starts_with(b"...")) && self.is_blankz(self.at + 3)
    }

    pub fn skip_break(&mut self, width: usize) {
        self.at += width;
        self.line_at = self.at;
        self.wide = 0;
    }

    pub fn skip_blanks(&mut self) {
        while self.is_blank(self.at) {
            self.at += 1;
        }
    }

    pub fn skip_comment(&mut self) {
        let start = self.at;
        self.skip_line();
        if let Some(comments) = &mut self.comments {
            comments.push(start..self.at);
        }
    }

    /// Goes to the end of the line, over characters of any width.
    pub fn skip_line(&mut self) {
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

    /// An error at this place, in go-yaml's words.
    pub fn problem(&self, text: &str) -> Box<Problem> {
        self.problem_in(self.at, text)
    }

    /// An error at this place, in something that began earlier.
    pub fn problem_in(&self, from: usize, text: &str) -> Box<Problem> {
        Problem::scanner(self.text, from, self.at, self.ended, text)
    }

    pub fn control_character(&self) -> Box<Problem> {
        let at = control_character(self.text).unwrap_or(self.at);
        Problem::reader(at, bad_octets(&self.text[at..]))
    }

    /// Blanks, a comment and the line break.
    pub fn rest_of_line(&mut self) -> Scan<()> {
        self.skip_blanks();
        if self.here() == b'#' {
            self.skip_comment();
        }
        let width = self.break_width(self.at);
        if width == 0 && self.here() != 0 {
            return Err(self.problem("did not find expected comment or line break"));
        }
        if width > 0 {
            self.skip_break(width);
        }
        Ok(())
    }

    /// A line ends at NUL too, as go-yaml takes that for the end of its input.
    pub fn stop_at_nul(&mut self, from: usize) {
        if self.limit != usize::MAX
            && let Some(found) = memchr::memchr(0, &self.bytes[from..self.at])
        {
            self.wide -= wide(&self.bytes[from + found..self.at]);
            self.at = from + found;
        }
    }

    /// Skips a line break and says what it reads as.
    pub fn take_break(&mut self) -> &'a str {
        let width = self.break_width(self.at);
        let start = self.at;
        if width == 0 {
            return "";
        }
        self.skip_break(width);
        if width == 3 { &self.text[start..start + 3] } else { "\n" }
    }
}

/// Bytes that do not begin a character.
pub fn wide(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 == 0x80).count()
}

/// The first character that go-yaml does not let into a text.
fn control_character(text: &str) -> Option<usize> {
    suspicious(text.as_bytes(), &|rest| {
        matches!(rest, [0..=8 | 11 | 12 | 14..=31 | 0x7F, ..] | [0xC2, 0x80..=0x84 | 0x86..=0x9F, ..])
            || matches!(rest, [0xEF, 0xBF, 0xBE | 0xBF, ..] | [0xF4, 0x8F, 0xBC..=0xBF, ..])
    })
}

/// What go-yaml says of bytes that are not UTF-8, and of a control character.
fn bad_octets(text: &str) -> &'static str {
    let mut chars = text.chars();
    let width = match chars.next().and_then(raw_byte) {
        None => return "control characters are not allowed",
        Some(0xC0..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF7) => 4,
        Some(_) => return "invalid leading UTF-8 octet",
    };
    let start: String = text.chars().take(width).collect();
    let octets = bytes_of(&start);
    match octets.get(1..width) {
        None => "incomplete UTF-8 octet sequence",
        Some(others) if others.iter().any(|octet| octet & 0xC0 != 0x80) => "invalid trailing UTF-8 octet",
        Some(_) if matches!(octets[0], 0xED | 0xF4..) => "invalid Unicode character",
        Some(_) => "invalid length of a UTF-8 sequence",
    }
}

/// The first place for which `is_refused` is true of the bytes from there on. Only control characters other than the
/// line feed and what may begin an odd character of Unicode are asked about; the rest goes by in large steps.
pub fn suspicious(bytes: &[u8], is_refused: &dyn Fn(&[u8]) -> bool) -> Option<usize> {
    const STEP: usize = 64;
    let odd = |byte: u8| (byte < 0x20) & (byte != b'\n') | matches!(byte, 0x7F | 0xC2 | 0xE2 | 0xEF | 0xF4);
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
