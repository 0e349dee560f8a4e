//! Scalars: floats, literal blocks, and the text that a fragment's scalar stands for.

use crate::yaml::is_literal;
use std::borrow::Cow;

/// Whether the text has a character that only double quotes can hold.
pub(super) fn needs_escapes(text: &str) -> bool {
    text.chars().any(|char| {
        matches!(char, '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    })
}

/// The header of a literal block scalar that holds exactly this text, if one can without an indentation indicator.
pub(super) fn literal_header(text: &str) -> Option<&'static str> {
    if !is_literal(text) {
        return None;
    }
    Some(if text.ends_with('\n') { "|" } else { "|-" })
}

/// A float so that it reads back as this float, and as a float.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{number:?}");
    match text.split_once('e') {
        None => text,
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{mantissa}{point}e{sign}{exponent}")
        }
    }
}

/// The text of a fragment that is one flow scalar on one line; `None` if it is anything else.
pub(super) fn decode(fragment: &str) -> Option<Cow<'_, str>> {
    let text = fragment.trim_matches([' ', '\n', '\r', '\t']);
    match text.as_bytes().first() {
        None => Some(Cow::Borrowed("")),
        Some(b'"') => unquote_double(&text[1..]),
        Some(b'\'') => unquote_single(&text[1..]),
        Some(_) if text.contains('\n') || !is_scalar_line(text) => None,
        Some(b'[' | b'{' | b'|' | b'>' | b'&' | b'*' | b'!' | b'#') => None,
        Some(_) => Some(Cow::Borrowed(text.split(" #").next().unwrap_or_default().trim_end())),
    }
}

/// Whether a line without line breaks holds a value rather than an entry or item of a collection.
pub(super) fn is_scalar_line(text: &str) -> bool {
    let bytes = text.as_bytes();
    let rest = match bytes.first() {
        None => return true,
        Some(b'#') => return false,
        Some(b'-' | b'?') if matches!(bytes.get(1), None | Some(b' ')) => return false,
        Some(b'"') => match closing_double(bytes, 1) {
            Some(end) => &bytes[end + 1..],
            None => return false,
        },
        Some(b'\'') => match closing_single(bytes, 1) {
            Some(end) => &bytes[end + 1..],
            None => return false,
        },
        Some(b'[' | b'{') => return true,
        Some(_) => bytes,
    };
    let mut previous = b'x';
    for (at, &byte) in rest.iter().enumerate() {
        match byte {
            b':' if matches!(rest.get(at + 1), None | Some(b' ' | b'\t')) => return false,
            b'#' if previous == b' ' => return true,
            _ => {}
        }
        previous = byte;
    }
    true
}

fn closing_double(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn closing_single(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => return Some(at),
            _ => at += 1,
        }
    }
}

/// Whether nothing but a comment follows.
fn ends(rest: &str) -> bool {
    let trimmed = rest.trim_start();
    trimmed.is_empty() || (trimmed.len() < rest.len() && trimmed.starts_with('#'))
}

fn unquote_single(text: &str) -> Option<Cow<'_, str>> {
    let end = closing_single(text.as_bytes(), 0)?;
    if !ends(&text[end + 1..]) {
        return None;
    }
    Some(Cow::Owned(fold(&text[..end].replace("''", "'"))))
}

fn unquote_double(text: &str) -> Option<Cow<'_, str>> {
    let end = closing_double(text.as_bytes(), 0)?;
    if !ends(&text[end + 1..]) {
        return None;
    }
    let inner = &text[..end];
    if !inner.contains(['\\', '\n']) {
        return Some(Cow::Borrowed(inner));
    }
    let folded = fold(inner);
    let mut out = String::with_capacity(folded.len());
    let mut chars = folded.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        let digits = match chars.next()? {
            '0' => {
                out.push('\0');
                continue;
            }
            'a' => {
                out.push('\x07');
                continue;
            }
            'b' => {
                out.push('\x08');
                continue;
            }
            't' | '\t' => {
                out.push('\t');
                continue;
            }
            'n' => {
                out.push('\n');
                continue;
            }
            'v' => {
                out.push('\x0b');
                continue;
            }
            'f' => {
                out.push('\x0c');
                continue;
            }
            'r' => {
                out.push('\r');
                continue;
            }
            'e' => {
                out.push('\x1b');
                continue;
            }
            'N' => {
                out.push('\u{85}');
                continue;
            }
            '_' => {
                out.push('\u{a0}');
                continue;
            }
            'L' => {
                out.push('\u{2028}');
                continue;
            }
            'P' => {
                out.push('\u{2029}');
                continue;
            }
            'x' => 2,
            'u' => 4,
            'U' => 8,
            other @ ('"' | '\\' | '/' | ' ' | '\'') => {
                out.push(other);
                continue;
            }
            _ => return None,
        };
        let mut code = 0;
        for _ in 0..digits {
            code = code * 16 + chars.next()?.to_digit(16)?;
        }
        out.push(char::from_u32(code)?);
    }
    Some(Cow::Owned(out))
}

/// Line folding inside quotes: one line break is a blank, more are one less.
fn fold(text: &str) -> String {
    if !text.contains('\n') {
        return text.to_owned();
    }
    let mut lines = text.split('\n');
    let mut out = lines.next().unwrap_or_default().trim_end_matches([' ', '\t']).to_owned();
    let mut empty = 0;
    let lines: Vec<&str> = lines.collect();
    for (at, line) in lines.iter().enumerate() {
        let line = line.trim_start_matches([' ', '\t']);
        let line = if at + 1 < lines.len() { line.trim_end_matches([' ', '\t']) } else { line };
        if line.is_empty() && at + 1 < lines.len() {
            empty += 1;
            continue;
        }
        match empty {
            0 => out.push(' '),
            count => (0..count).for_each(|_| out.push('\n')),
        }
        empty = 0;
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_decodes_to_itself() {
        for text in ["a", "\"\\", "a\nb\r\tc\0\u{1b}\u{7}\u{85}\u{2028}\u{feff}\u{ffff}", "ä\u{1f600}", "\u{a0}"] {
            let mut quoted = "\"".to_owned();
            crate::yaml::push_escaped(&mut quoted, text);
            quoted.push('"');
            assert_eq!(decode(&quoted).as_deref(), Some(text));
        }
        assert_eq!(decode("'it''s'").as_deref(), Some("it's"));
        assert_eq!(decode("'a\n  b\n\n  c'").as_deref(), Some("a b\nc"));
        assert_eq!(decode("plain # c"), Some("plain".into()));
        for fragment in ["a: b", "- a", "[a]", "a\nb", "\"a\": b", "'a' b", "{a: 1}"] {
            assert_eq!(decode(fragment), None, "{fragment}");
        }
    }

    #[test]
    fn floats_stay_floats() {
        let texts = [1.0, 0.1, 1e16, 1e100, 1.5e-7, -0.0, 1e6].map(float);
        assert_eq!(texts, ["1.0", "0.1", "1.0e+16", "1.0e+100", "1.5e-7", "-0.0", "1000000.0"]);
    }
}
