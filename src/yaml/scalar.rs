//! How a text can be written: plain, quoted or as a literal block.

use super::resolve::{Resolved, is_timestamp, resolve};

/// What stands in a text, as far as it decides how the text can be written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Analysis {
    pub multiline: bool,
    /// Something that means structure in block context.
    pub indicators: bool,
    pub special: bool,
    pub tab: bool,
    pub leading_blank: bool,
    pub trailing_blank: bool,
    pub trailing_space: bool,
    pub space_break: bool,
    pub break_space: bool,
}

impl Analysis {
    pub fn of(text: &str) -> Self {
        let mut found = Analysis::default();
        let bytes = text.as_bytes();
        let Some(&first) = bytes.first() else { return found };
        found.indicators = match first {
            b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
            | b'`' => true,
            b'?' | b':' | b'-' => bytes.get(1).is_none_or(|byte| matches!(byte, b' ' | b'\t')),
            _ => false,
        } || text.starts_with("---")
            || text.starts_with("...");
        let mut blank_before = true;
        let mut previous = Class::Other;
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            let width = width(byte);
            let end = at + width == bytes.len();
            let class = match byte {
                b' ' => Class::Space,
                b'\n' => Class::Break,
                b'\t' => {
                    found.tab = true;
                    Class::Other
                }
                b'\r' => {
                    found.special = true;
                    Class::Break
                }
                0x21..=0x7E => {
                    let ends_key = byte == b':' && (end || matches!(bytes[at + 1], b' ' | b'\t'));
                    found.indicators |= at > 0 && (ends_key || byte == b'#' && blank_before);
                    Class::Other
                }
                _ => match &bytes[at..at + width] {
                    [0xE2, 0x80, 0xA8 | 0xA9] => Class::Break,
                    character => {
                        found.special |= !is_printable(character);
                        if matches!(character, [0xC2, 0x85]) { Class::Break } else { Class::Other }
                    }
                },
            };
            match class {
                Class::Space => {
                    found.leading_blank |= at == 0;
                    found.trailing_blank |= end;
                    found.trailing_space |= end;
                    found.break_space |= previous == Class::Break;
                }
                Class::Break => {
                    found.multiline = true;
                    found.leading_blank |= at == 0;
                    found.trailing_blank |= end;
                    found.space_break |= previous == Class::Space;
                }
                Class::Other => {}
            }
            blank_before = class != Class::Other || matches!(byte, b'\t' | 0);
            previous = class;
            at += width;
        }
        found
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Break,
    Other,
}

/// Bytes of the character that starts with this byte of valid UTF-8.
pub(super) fn width(byte: u8) -> usize {
    match byte {
        0..0x80 => 1,
        0x80..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

/// Whether go-yaml's writer shows a character as it is. Nothing above U+FFFF is printable to it.
pub(super) fn is_printable(character: &[u8]) -> bool {
    match character {
        [b'\n' | 0x20..=0x7E] => true,
        [0xC2, second] => *second >= 0xA0,
        [0xEF, 0xBB, 0xBF] | [0xEF, 0xBF, 0xBE | 0xBF] => false,
        [0xC3..=0xEF, ..] => true,
        _ => false,
    }
}

/// Whether a plain scalar would be read as something else than this text by some YAML 1.1 or 1.2 reader; go-yaml
/// quotes these.
pub(super) fn is_ambiguous(text: &str) -> bool {
    resolve(text) != Resolved::Str || is_base60(text) || is_timestamp(text)
}

/// `1:30`, which YAML 1.1 reads as 90: `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base60(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !rest.starts_with(|char: char| char.is_ascii_digit()) || !rest.contains(':') {
        return false;
    }
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    digits(first)
        && digits(fraction)
        && parts.all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

/// Where a scalar is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// As the value of a key or an item of a list in block style.
    Block,
    /// Inside `[ ]` or `{ }`.
    Flow,
    /// As a key.
    Key,
}

/// Whether a text without quotes reads back as that text in every YAML 1.1 and 1.2 reader.
pub fn is_plain(text: &str, place: Place) -> bool {
    let Some(&first) = text.as_bytes().first() else { return false };
    let safe_start = first.is_ascii_alphanumeric()
        || matches!(first, b'/' | b'_' | b'.' | b'$' | b'(' | b'-' | b'+')
        || first >= 0x80;
    if !safe_start || matches!(first, b'-' if text.as_bytes().get(1).is_none_or(|byte| !byte.is_ascii_alphanumeric())) {
        return false;
    }
    let found = Analysis::of(text);
    if found.indicators
        || found.multiline
        || found.special
        || found.tab
        || found.leading_blank
        || found.trailing_blank
        || is_ambiguous(text)
    {
        return false;
    }
    match place {
        Place::Block => true,
        Place::Flow | Place::Key => !text.contains([':', '?', ',', '[', ']', '{', '}']),
    }
}

/// Whether a text of several lines can be written as a literal block (`|` where it ends in a newline, `|-` where not)
/// and reads back as that text.
pub fn is_literal(text: &str) -> bool {
    let found = Analysis::of(text);
    text.contains('\n')
        && !text.contains(['\u{2028}', '\u{2029}'])
        && !text.ends_with("\n\n")
        && !(found.special || found.tab || found.leading_blank || found.trailing_space || found.space_break)
}

/// Appends a text as a scalar of one line that reads back as that text: plain where [`is_plain`], else in double quotes.
pub fn push_scalar(out: &mut String, text: &str, place: Place) {
    if is_plain(text, place) {
        out.push_str(text);
    } else {
        out.push('"');
        push_escaped(out, text);
        out.push('"');
    }
}

/// Appends a text as it must stand inside double quotes, on one line.
pub fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(needs_escape) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let mut chars = after.chars();
        if let Some(char) = chars.next() {
            push_escape(out, char);
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

fn needs_escape(char: char) -> bool {
    match char {
        '"' | '\\' | '\n' | '\u{2028}' | '\u{2029}' | '\u{A0}' => true,
        ' '..='~' => false,
        _ => !is_printable(char.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Appends the escape of a character, with its backslash.
pub(super) fn push_escape(out: &mut String, char: char) {
    out.push('\\');
    match char {
        '\0' => out.push('0'),
        '\x07' => out.push('a'),
        '\x08' => out.push('b'),
        '\t' => out.push('t'),
        '\n' => out.push('n'),
        '\x0B' => out.push('v'),
        '\x0C' => out.push('f'),
        '\r' => out.push('r'),
        '\x1B' => out.push('e'),
        '"' => out.push('"'),
        '\\' => out.push('\\'),
        '\u{85}' => out.push('N'),
        '\u{A0}' => out.push('_'),
        '\u{2028}' => out.push('L'),
        '\u{2029}' => out.push('P'),
        _ => {
            let code = u32::from(char);
            out.push_str(&match code {
                0..=0xFF => format!("x{code:02X}"),
                0x100..=0xFFFF => format!("u{code:04X}"),
                _ => format!("U{code:08X}"),
            });
        }
    }
}
