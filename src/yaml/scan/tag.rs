//! Directives, tags and the names of anchors.

use super::cursor::{Cursor, Scan};
use super::token::TokenKind;
use std::borrow::Cow;

impl<'a> Cursor<'a> {
    /// Letters, digits, `_` and `-`.
    pub fn word(&mut self) -> &'a str {
        let start = self.at;
        while matches!(self.here(), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-') {
            self.at += 1;
        }
        &self.text[start..self.at]
    }
    /// A directive from its `%` on.
    pub fn directive(&mut self) -> Scan<TokenKind<'a>> {
        self.at += 1;
        let name = self.word();
        if name.is_empty() {
            return Err(self.problem("could not find expected directive name"));
        }
        if !self.is_blankz(self.at) {
            return Err(self.problem("found unexpected non-alphabetical character"));
        }
        Ok(match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.version_number()?;
                if self.here() != b'.' {
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
        })
    }

    fn version_number(&mut self) -> Scan<u8> {
        let mut number = 0;
        let mut length = 0;
        while let digit @ b'0'..=b'9' = self.here() {
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

    /// A tag in two parts: its handle and what follows.
    pub fn tag(&mut self) -> Scan<(Cow<'a, str>, Cow<'a, str>)> {
        let (handle, suffix) = if self.byte(self.at + 1) == b'<' {
            self.at += 2;
            let suffix = self.tag_uri("")?;
            if self.here() != b'>' {
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
        Ok((handle.into(), suffix))
    }

    fn tag_handle(&mut self) -> Scan<&'a str> {
        if self.here() != b'!' {
            return Err(self.problem("did not find expected '!'"));
        }
        let start = self.at;
        self.at += 1;
        self.word();
        if self.here() == b'!' {
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
            match self.here() {
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
            let (b'%', Some(high), Some(low)) = (self.here(), hex(self.at + 1), hex(self.at + 2)) else {
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
}
