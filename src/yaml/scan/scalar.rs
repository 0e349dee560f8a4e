//! The texts of scalars: plain, quoted and by indentation.

use super::cursor::{Cursor, Scan};
use std::borrow::Cow;

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

/// A scalar without quotes.
pub struct Plain<'a> {
    pub text: Cow<'a, str>,
    pub end: usize,
    /// A line break follows it.
    pub passed_break: bool,
}

impl<'a> Cursor<'a> {
    /// A scalar by indentation, from its `|` or `>` on, in a collection at the column `indent`. Returns where its last
    /// line ends; the place is then where the next token may start.
    pub fn indented(&mut self, outer: isize, out: Option<&mut String>) -> Scan<usize> {
        let mut out = Out(out);
        let start = self.at;
        let literal = self.here() == b'|';
        self.at += 1;
        let (mut chomping, mut increment) = (None, 0);
        for _ in 0..2 {
            match self.here() {
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
        let mut indent = if increment > 0 { (outer.max(0) + increment) as usize } else { 0 };
        let mut end = self.at;
        let mut trailing = Breaks::default();
        self.block_breaks(outer, &mut indent, &mut trailing)?;
        let mut leading: &str = "";
        let mut blank_before = false;
        while self.column() == indent && self.here() != 0 {
            let blank = self.is_blank(self.at);
            if !literal && leading == "\n" && !blank_before && !blank {
                if trailing.is_empty() {
                    out.push_str(" ");
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
            self.block_breaks(outer, &mut indent, &mut trailing)?;
        }
        if chomping != Some(b'-') {
            out.push_str(leading);
        }
        if chomping == Some(b'+') {
            trailing.drain_into(&mut out);
        }
        Ok(end)
    }

    /// Skips indentation and empty lines, and finds the indentation where that is not known.
    fn block_breaks(&mut self, outer: isize, indent: &mut usize, breaks: &mut Breaks) -> Scan<()> {
        let mut deepest = 0;
        loop {
            while self.here() == b' ' && (*indent == 0 || self.column() < *indent) {
                self.at += 1;
            }
            deepest = deepest.max(self.column());
            if self.here() == b'\t' && (*indent == 0 || self.column() < *indent) {
                return Err(self.problem("found a tab character where an indentation space is expected"));
            }
            if self.break_width(self.at) == 0 {
                break;
            }
            let text = self.take_break();
            breaks.push(text);
        }
        if *indent == 0 {
            *indent = deepest.max((outer + 1).max(1) as usize);
        }
        Ok(())
    }

    /// A scalar in quotes.
    pub fn quoted(&mut self) -> Scan<Cow<'a, str>> {
        let start = self.at;
        let single = self.here() == b'\'';
        self.at += 1;
        let mut out: Option<String> = None;
        // What has been read and is not in `out`.
        let mut from = self.at;
        loop {
            if self.at == self.line_at && self.is_document_indicator() {
                return Err(self.problem_in(start, "found unexpected document indicator"));
            }
            if self.here() == 0 {
                return Err(self.problem_in(start, "found unexpected end of stream"));
            }
            let mut breaks = Breaks::default();
            let mut leading: Option<&str> = None;
            loop {
                let byte = self.here();
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
                        while self.here() & 0xC0 == 0x80 {
                            self.at += 1;
                            self.wide += 1;
                        }
                    }
                }
            }
            if self.here() == if single { b'\'' } else { b'"' } && leading.is_none() {
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
                join(&mut Out(Some(done)), leading, &mut breaks);
                from = self.at;
            }
            // An escaped line break may be followed by the closing quote.
            if self.here() == if single { b'\'' } else { b'"' } && !(single && self.byte(self.at + 1) == b'\'') {
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
        Ok(text)
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

    /// A scalar without quotes, whose further lines must reach the column `indent` outside of brackets. Goes on to what
    /// follows.
    ///
    /// Of a text of several lines that is not to be kept, only the last line is told.
    pub fn plain(&mut self, indent: isize, in_flow: bool, keep: bool) -> Scan<Plain<'a>> {
        let start = self.at;
        let mut out: Option<String> = None;
        // What has been read and is not in `out`.
        let mut from = start;
        let mut end = start;
        let mut leading: Option<&str> = None;
        let mut breaks = Breaks::default();
        loop {
            if self.at == self.line_at && self.is_document_indicator() || self.here() == b'#' {
                break;
            }
            let run = self.at;
            self.skip_plain_run(in_flow);
            if self.at > run {
                if let Some(leading) = leading.take() {
                    if keep {
                        let done = out.get_or_insert_default();
                        done.push_str(&self.text[from..end]);
                        join(&mut Out(Some(done)), leading, &mut breaks);
                    } else {
                        breaks = Breaks::default();
                    }
                    from = run;
                }
                end = self.at;
            }
            if !self.is_blank(self.at) && self.break_width(self.at) == 0 {
                break;
            }
            loop {
                if self.is_blank(self.at) {
                    if leading.is_some() && self.here() == b'\t' && (self.column() as isize) < indent {
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
            if !in_flow && (self.column() as isize) < indent {
                break;
            }
        }
        let text = match out {
            None => Cow::Borrowed(&self.text[from..end]),
            Some(mut text) => {
                text.push_str(&self.text[from..end]);
                Cow::Owned(text)
            }
        };
        Ok(Plain { text, end, passed_break: leading.is_some() })
    }

    /// Skips what can stand in a plain scalar up to a blank.
    fn skip_plain_run(&mut self, in_flow: bool) {
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
                    while self.here() & 0xC0 == 0x80 {
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

    fn drain_into(&mut self, out: &mut Out<'_>) {
        out.push_str(&self.0);
        self.0.clear();
    }
}

/// Where the text of a scalar goes; nowhere, if only its end is asked for.
struct Out<'o>(Option<&'o mut String>);

impl Out<'_> {
    fn push_str(&mut self, text: &str) {
        if let Some(out) = &mut self.0 {
            out.push_str(text);
        }
    }
}

/// Folds line breaks: one becomes a blank, of more the first goes.
fn join(out: &mut Out<'_>, leading: &str, breaks: &mut Breaks) {
    if leading == "\n" {
        if breaks.is_empty() {
            out.push_str(" ");
        }
    } else {
        out.push_str(leading);
    }
    breaks.drain_into(out);
}
