//! What an untyped scalar means: the rules of go-yaml v2, which Helm, kubectl and the tools around them share.

use crate::value::number;

/// The value of a scalar; `Str` is its text as it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    /// Past `i64`.
    Uint(u64),
    Float(f64),
    Str,
}

/// What a plain scalar without a tag means: `yes` is true, `0755` is 493, `1_000` is 1000, `1:30` is text.
pub fn resolve(text: &str) -> Resolved {
    match text.as_bytes() {
        [] => Resolved::Null,
        [b'~' | b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O', ..] => word(text),
        [b'.', ..] => point(text),
        [b'+' | b'-' | b'0'..=b'9', ..] => numeric(text),
        _ => Resolved::Str,
    }
}

fn word(text: &str) -> Resolved {
    match text {
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Resolved::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Resolved::Bool(false),
        _ => Resolved::Str,
    }
}

fn point(text: &str) -> Resolved {
    match text {
        ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" => Resolved::Float(f64::INFINITY),
        _ => number::parse_float(text).map_or(Resolved::Str, Resolved::Float),
    }
}

fn numeric(text: &str) -> Resolved {
    let bytes = text.as_bytes();
    // The usual case first: a few decimal digits.
    if bytes.len() <= 18 && bytes[0] != b'0' && bytes.iter().all(u8::is_ascii_digit) {
        return Resolved::Int(bytes.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')));
    }
    if !bytes[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-' | b'_')) {
        return Resolved::Str;
    }
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let stripped;
    let plain = if text.contains('_') {
        stripped = text.replace('_', "");
        stripped.as_str()
    } else {
        text
    };
    if let Ok(number) = number::parse_int(plain, 0) {
        return Resolved::Int(number);
    }
    if let Ok(number) = number::parse_uint(plain, 0) {
        return Resolved::Uint(number);
    }
    if is_float(plain)
        && let Ok(number) = number::parse_float(plain)
    {
        return Resolved::Float(number);
    }
    // `0b-1` and `-0b-1`: go-yaml hands what follows the prefix to a parser that takes signs.
    if let Some(digits) = plain.strip_prefix("0b") {
        if let Ok(number) = number::parse_int(digits, 2) {
            return Resolved::Int(number);
        }
    } else if let Some(digits) = plain.strip_prefix("-0b")
        && let Ok(number) = number::parse_int(&format!("-{digits}"), 2)
    {
        return Resolved::Int(number);
    }
    Resolved::Str
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
pub(super) fn is_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = digits(rest);
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let (fraction, rest) = digits(fraction);
            if whole == 0 && fraction == 0 {
                return false;
            }
            rest
        }
        None if whole == 0 => return false,
        None => rest,
    };
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let (count, rest) = digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
            count > 0 && rest.is_empty()
        }
        None => rest.is_empty(),
    }
}

fn digits(text: &str) -> (usize, &str) {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    (count, &text[count..])
}

/// What a scalar with one of YAML's own tags means.
pub enum Tagged {
    Value(Resolved),
    /// What `!!binary` holds.
    Text(String),
}

/// The value of a scalar tagged `!!name`; the error is go-yaml's text.
pub fn tagged(name: &str, text: &str) -> Result<Tagged, String> {
    let found = match name {
        "str" => return Ok(Tagged::Value(Resolved::Str)),
        "binary" => {
            use base64::Engine;
            let packed: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
            return match base64::engine::general_purpose::STANDARD.decode(packed) {
                Ok(bytes) => Ok(Tagged::Text(lossy(&bytes))),
                Err(_) => Err("yaml: !!binary value contains invalid base64 data".to_owned()),
            };
        }
        "bool" | "int" | "float" | "null" | "timestamp" => resolve(text),
        _ => return Ok(Tagged::Value(Resolved::Str)),
    };
    let kind = match found {
        Resolved::Null => "null",
        Resolved::Bool(_) => "bool",
        Resolved::Int(_) | Resolved::Uint(_) => "int",
        Resolved::Float(_) => "float",
        Resolved::Str if matches!(name, "timestamp") && is_timestamp(text) => "timestamp",
        Resolved::Str => "str",
    };
    match (name, found) {
        ("float", Resolved::Int(number)) => Ok(Tagged::Value(Resolved::Float(number as f64))),
        _ if name == kind => Ok(Tagged::Value(found)),
        _ => Err(format!("yaml: cannot decode !!{kind} `{text}` as a !!{name}")),
    }
}

/// Each byte that is not UTF-8 becomes U+FFFD, as Go's JSON writer has it.
fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// A date, or a date and time, in one of the four forms that go-yaml takes for a timestamp: `2006-1-2`,
/// `2006-1-2 15:4:5.999`, and `2006-1-2T15:4:5.999Z07:00` with `T` or `t`.
pub fn is_timestamp(text: &str) -> bool {
    timestamp(text.as_bytes()).is_some()
}

fn timestamp(text: &[u8]) -> Option<()> {
    let (year, rest) = text.split_at_checked(4)?;
    if !year.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let year = year.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    let (month, rest) = field(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = field(rest.strip_prefix(b"-")?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > days {
        return None;
    }
    let zoned = match rest {
        [] => return Some(()),
        [b' ', ..] => false,
        [b'T' | b't', ..] => true,
        _ => return None,
    };
    let (hour, rest) = field(&rest[1..], 2)?;
    let (minute, rest) = field(rest.strip_prefix(b":")?, 2)?;
    let (second, mut rest) = field(rest.strip_prefix(b":")?, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if let [b'.' | b',', b'0'..=b'9', ..] = rest {
        let digits = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = &rest[1 + digits..];
    }
    if !zoned {
        return rest.is_empty().then_some(());
    }
    match rest {
        b"Z" => Some(()),
        [b'+' | b'-', hours @ ..] if hours.len() == 5 && hours[2] == b':' => {
            let (hour, none) = field(&hours[..2], 2)?;
            let (minute, nothing) = field(&hours[3..], 2)?;
            (none.is_empty() && nothing.is_empty() && hour <= 24 && minute < 60).then_some(())
        }
        _ => None,
    }
}

/// A number of one or more digits, at most `width`.
fn field(text: &[u8], width: usize) -> Option<(u32, &[u8])> {
    let count = text.iter().take(width).take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let number = text[..count].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some((number, &text[count..]))
}
