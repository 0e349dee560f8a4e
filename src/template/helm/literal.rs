//! String, character and number constants as Go's `strconv` reads them.

use super::ast::Number;
use super::lexer::Kind;
use super::print;
use crate::value::number::{parse_float, parse_int, parse_uint};
use crate::value::{Object, Value, text_from_bytes};
use std::borrow::Cow;

/// What a constant holds whose text stands for itself.
pub(super) fn plain(text: &str) -> Option<&str> {
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    let odd = if text.starts_with('`') { b'\r' } else { b'\\' };
    memchr::memchr(odd, inner.as_bytes()).is_none().then_some(inner)
}

/// `strconv.Unquote` of a `"…"` or backquoted constant.
pub(super) fn unquote(text: &str) -> Option<String> {
    if let Some(inner) = plain(text) {
        return Some(inner.to_owned());
    }
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    if text.starts_with('`') {
        return Some(inner.replace('\r', ""));
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unit, tail) = unquote_char(rest, '"')?;
        match unit {
            Unit::Char(char) => {
                let mut buffer = [0; 4];
                bytes.extend_from_slice(&crate::value::bytes_of(char.encode_utf8(&mut buffer)));
            }
            Unit::Byte(byte) => bytes.push(byte),
        }
        rest = tail;
    }
    Some(text_from_bytes(&bytes).into_owned())
}

enum Unit {
    Char(char),
    /// From `\x` and octal escapes in strings.
    Byte(u8),
}

/// The first character or escape, and what follows it.
fn unquote_char(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    match chars.next()? {
        '\\' => {}
        char if char == quote || char == '\n' => return None,
        char => return Some((Unit::Char(char), chars.as_str())),
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let digits = |count: usize, radix: u32| {
        let digits = rest.get(..count).filter(|digits| digits.chars().all(|digit| digit.is_digit(radix)))?;
        Some((u32::from_str_radix(digits, radix).ok()?, &rest[count..]))
    };
    let char = match escape {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' => '\\',
        '\'' | '"' if escape == quote => escape,
        'x' => {
            let (byte, rest) = digits(2, 16)?;
            return Some((Unit::Byte(byte as u8), rest));
        }
        'u' | 'U' => {
            let (code, rest) = digits(if escape == 'u' { 4 } else { 8 }, 16)?;
            return Some((Unit::Char(char::from_u32(code)?), rest));
        }
        '0'..='7' => {
            let octal = text.get(1..4).filter(|digits| digits.chars().all(|digit| digit.is_digit(8)))?;
            let byte = u8::try_from(u32::from_str_radix(octal, 8).ok()?).ok()?;
            return Some((Unit::Byte(byte), &text[4..]));
        }
        _ => return None,
    };
    Some((Unit::Char(char), rest))
}

/// A number constant, or Go's words on why it is none.
pub(super) fn number(text: &str, kind: Kind) -> Result<Number, String> {
    match kind {
        Kind::Char => character(text),
        Kind::Complex => {
            // The sign between the parts is the last one that is not an exponent's.
            let is_between = |at: usize| at > 0 && !matches!(text.as_bytes()[at - 1], b'e' | b'E' | b'p' | b'P');
            let split = text.rmatch_indices(['+', '-']).map(|(at, _)| at).find(|&at| is_between(at));
            let parts = split.map(|at| text.split_at(at)).and_then(|(real, imaginary)| {
                Some((parse_float(real).ok()?, parse_float(imaginary.strip_suffix('i')?).ok()?))
            });
            let (real, imaginary) = parts.ok_or("syntax error scanning complex number")?;
            Ok(complex(real, imaginary))
        }
        _ => match text.strip_suffix('i').map(parse_float) {
            Some(Ok(imaginary)) => Ok(complex(0.0, imaginary)),
            _ => real(text),
        },
    }
}

fn character(text: &str) -> Result<Number, String> {
    let (unit, tail) = unquote_char(&text[1..], '\'').ok_or("invalid syntax")?;
    if tail != "'" {
        return Err(format!("malformed character constant: {text}"));
    }
    let code = match unit {
        Unit::Char(char) if crate::value::raw_byte(char).is_some() => i64::from(u32::from(char::REPLACEMENT_CHARACTER)),
        Unit::Char(char) => i64::from(u32::from(char)),
        Unit::Byte(byte) => i64::from(byte),
    };
    Ok(Number { int: Some(code), float: Some(code as f64), ideal: Some(Value::Int(code)) })
}

fn real(text: &str) -> Result<Number, String> {
    let mut unsigned = parse_uint(text, 0).ok();
    let mut int = parse_int(text, 0).ok();
    let mut float = int.map(|int| int as f64).or(unsigned.map(|unsigned| unsigned as f64));
    let looks_like_float = text.contains(['.', 'e', 'E', 'p', 'P']);
    if float.is_none()
        && let Ok(number) = parse_float(text)
    {
        if !looks_like_float {
            return Err(format!("integer overflow: {}", print::quote(text)));
        }
        float = Some(number);
        int = whole(number);
        unsigned = (number >= 0.0 && number < 2f64.powi(64) && number.fract() == 0.0).then_some(number as u64);
    }
    if float.is_none() {
        return Err(format!("illegal number syntax: {}", print::quote(text)));
    }
    let is_hex_int = text.len() > 2 && matches!(&text.as_bytes()[..2], b"0x" | b"0X") && !text.contains(['p', 'P']);
    let ideal = match (float, int, unsigned) {
        (Some(float), ..) if looks_like_float && !is_hex_int => Some(Value::Float(float)),
        (_, Some(int), _) => Some(Value::Int(int)),
        _ => None,
    };
    Ok(Number { int, float, ideal })
}

fn whole(number: f64) -> Option<i64> {
    (number >= -(2f64.powi(63)) && number < 2f64.powi(63) && number.fract() == 0.0).then_some(number as i64)
}

fn complex(real: f64, imaginary: f64) -> Number {
    let float = (imaginary == 0.0).then_some(real);
    let ideal = Value::Object(std::sync::Arc::new(Complex { real, imaginary }));
    Number { int: float.and_then(whole), float, ideal: Some(ideal) }
}

/// A `complex128`; templates can do nothing with one but print it.
#[derive(Debug)]
struct Complex {
    real: f64,
    imaginary: f64,
}

impl Object for Complex {
    fn type_name(&self) -> Cow<'static, str> {
        "complex128".into()
    }

    fn kind(&self) -> &'static str {
        "complex128"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn call(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    fn display(&self) -> String {
        print::sprintf("(%g%+gi)", &[Value::Float(self.real), Value::Float(self.imaginary)]).unwrap_or_default()
    }

    fn complex(&self) -> Option<[f64; 2]> {
        Some([self.real, self.imaginary])
    }

    fn is_true(&self) -> bool {
        self.real != 0.0 || self.imaginary != 0.0
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_read_as_by_go() {
        assert_eq!(unquote(r#""a\n\"\x41\101\u00e9\U0001F600\\""#).unwrap(), "a\n\"AAé😀\\");
        assert_eq!(unquote(r#""\xff""#).unwrap(), text_from_bytes(b"\xff"));
        assert_eq!(unquote(r#""\xc3\xa9""#).unwrap(), "é");
        for bad in [r#""\'""#, r#""\q""#, r#""\x4""#, r#""\ud800""#, r#""\400""#, r#""\8""#] {
            assert_eq!(unquote(bad), None, "{bad}");
        }
        let ideal = |text| match number(text, Kind::Number).unwrap().ideal.unwrap() {
            Value::Int(int) => format!("int {int}"),
            Value::Float(float) => format!("float {float}"),
            other => format!("{other:?}"),
        };
        for (text, expected) in [
            ("3", "int 3"),
            ("1e3", "float 1000"),
            ("0x1e", "int 30"),
            ("-0x1e", "float -30"),
            ("017", "int 15"),
            ("0b11", "int 3"),
            ("1_000", "int 1000"),
            (".5", "float 0.5"),
            ("0x1p4", "float 16"),
        ] {
            assert_eq!(ideal(text), expected, "{text}");
        }
        assert!(number("9223372036854775808", Kind::Number).unwrap().ideal.is_none());
        assert_eq!(
            number("99999999999999999999", Kind::Number).unwrap_err(),
            r#"integer overflow: "99999999999999999999""#
        );
        assert_eq!(number("08", Kind::Number).unwrap_err(), r#"integer overflow: "08""#);
        assert_eq!(number(".", Kind::Number).unwrap_err(), r#"illegal number syntax: ".""#);
    }
}
