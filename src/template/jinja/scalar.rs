//! Scalars: which text may stand plain, how a string is quoted, how a quoted one reads.

use std::borrow::Cow;

/// Writes a string as a scalar that reads back as this string in YAML 1.1 and 1.2: plain where that is certain,
/// double quoted otherwise. `tight` is for keys and flow collections, where more characters end a plain scalar.
pub(super) fn push_string(out: &mut String, text: &str, tight: bool) {
    if is_plain(text, tight) {
        out.push_str(text);
    } else {
        push_quoted(out, text);
    }
}

/// Writes a double quoted scalar.
pub(super) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    push_escaped(out, text);
    out.push('"');
}

/// Writes text as it stands between double quotes.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    out.reserve(text.len());
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            '\u{1b}' => out.push_str("\\e"),
            ' '..='~' => out.push(char),
            _ if is_special(char) => match u32::from(char) {
                code @ ..=0xFF => out.push_str(&format!("\\x{code:02X}")),
                code => out.push_str(&format!("\\u{code:04X}")),
            },
            _ => out.push(char),
        }
    }
}

/// Characters that YAML does not take as they are, or takes for line breaks in one of its versions.
fn is_special(char: char) -> bool {
    matches!(char, '\0'..='\x1f' | '\x7f'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether the text has a character that only double quotes can hold (a tab and a line feed apart).
pub(super) fn needs_escapes(text: &str) -> bool {
    text.chars().any(|char| is_special(char) && !matches!(char, '\n' | '\t' | '\u{a0}'))
}

/// Whether a plain scalar with this text is a string, this string, for every reader.
pub(super) fn is_plain(text: &str, tight: bool) -> bool {
    let bytes = text.as_bytes();
    let Some((&first, &last)) = bytes.first().zip(bytes.last()) else { return false };
    match first {
        b' ' | b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
        | b'"' | b'%' | b'@' | b'`' | b'=' | b'<' | b'~' => return false,
        // `--flag` is common in arguments; `---` and a lone dash are structure.
        b'-' if !matches!(bytes.get(1), Some(b'a'..=b'z' | b'A'..=b'Z'))
            && !(bytes.get(1) == Some(&b'-') && matches!(bytes.get(2), Some(b'a'..=b'z' | b'A'..=b'Z'))) =>
        {
            return false;
        }
        _ => {}
    }
    if last == b' ' || last == b':' {
        return false;
    }
    let mut previous = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'#' if previous == b' ' => return false,
            b':' if tight || bytes.get(at + 1) == Some(&b' ') => return false,
            b'?' | b',' | b'[' | b']' | b'{' | b'}' if tight => return false,
            0..=0x1f | 0x7f => return false,
            _ => {}
        }
        previous = byte;
    }
    if !text.is_ascii() && text.chars().any(is_special) {
        return false;
    }
    !resolves(text)
}

/// Whether some YAML reader takes the plain text for something else than a string. Errs on the side of yes.
fn resolves(text: &str) -> bool {
    const WORDS: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];
    let bytes = text.as_bytes();
    match bytes[0] {
        b'0'..=b'9' | b'+' | b'-' | b'.' => {
            // Numbers in every base, with underscores, exponents or sexagesimal parts, and timestamps.
            let number = |byte: &u8| {
                matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b'x' | b'X' | b'o' | b'O' | b'_' | b'.' | b'+' | b'-' | b':' | b' ' | b't' | b'T' | b'z' | b'Z')
            };
            let word = text.trim_start_matches(['+', '-', '.']);
            bytes.iter().all(number) || WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
        }
        _ => text.len() <= 8 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)),
    }
}

/// The header of a literal block scalar that holds exactly this text, if one can without an indentation indicator.
pub(super) fn literal_header(text: &str) -> Option<&'static str> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let bytes = body.as_bytes();
    if !body.contains('\n') || matches!(bytes[0], b' ' | b'\t' | b'\n') || body.ends_with('\n') {
        return None;
    }
    if needs_escapes(body) || body.lines().any(|line| line.ends_with([' ', '\t'])) {
        return None;
    }
    Some(if body.len() == text.len() { "|-" } else { "|" })
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
            '0' => { out.push('\0'); continue }
            'a' => { out.push('\x07'); continue }
            'b' => { out.push('\x08'); continue }
            't' | '\t' => { out.push('\t'); continue }
            'n' => { out.push('\n'); continue }
            'v' => { out.push('\x0b'); continue }
            'f' => { out.push('\x0c'); continue }
            'r' => { out.push('\r'); continue }
            'e' => { out.push('\x1b'); continue }
            'N' => { out.push('\u{85}'); continue }
            '_' => { out.push('\u{a0}'); continue }
            'L' => { out.push('\u{2028}'); continue }
            'P' => { out.push('\u{2029}'); continue }
            'x' => 2,
            'u' => 4,
            'U' => 8,
            other @ ('"' | '\\' | '/' | ' ' | '\'') => { out.push(other); continue }
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
    fn strings_that_look_like_other_types_are_quoted() {
        for text in [
            "", " a", "a ", "yes", "No", "ON", "y", "n", "null", "~", "true", "1", "1.0", "1e3", "0x1F", "0o17", "017",
            "1_000", "12:30", "2020-01-01", "2020-01-01T00:00:00Z", ".5", "-1", "+1", ".inf", "-.INF", ".nan", "-", "- a",
            "a: b", "a:", "a #b", "#a", "&a", "*a", "!a", "|", ">", "'a'", "\"a\"", "%a", "@a", "`a`", "=", "<<", "[a]",
            "{a}", "? a", "?", "---", "...", "1.2.3", "a\nb", "a\tb", "\u{85}", "a\u{2028}", "\u{feff}a", "a\u{a0}",
        ] {
            assert!(!is_plain(text, false), "{text:?}");
        }
        for text in ["a", "nginx", "5Gi", "100m", "--flag=1", "-x", "v1.2", "a:b", "a#b", "http://x/?a=b&c=d", "größe", "a, b", "/healthz", "$(X)"] {
            assert!(is_plain(text, false), "{text:?}");
        }
        for text in ["a:b", "a,b", "a]", "a?"] {
            assert!(!is_plain(text, true), "{text:?}");
        }
    }

    #[test]
    fn quoted_text_decodes_to_itself() {
        for text in ["a", "\"\\", "a\nb\r\tc\0\u{1b}\u{7}\u{85}\u{2028}\u{feff}\u{ffff}", "ä\u{1f600}", "\u{a0}"] {
            let mut quoted = String::new();
            push_quoted(&mut quoted, text);
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
