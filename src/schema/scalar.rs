//! The grammars of scalars: quantities, times, names, labels.

use super::path::Path;
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{Data, Node};
use std::borrow::Cow;

/// A scalar as text; `None` for null, lists and mappings.
pub fn text_of(node: &Node) -> Option<Cow<'_, str>> {
    Some(match &node.data {
        Data::Str(text) => Cow::Borrowed(&**text),
        Data::Bool(value) => Cow::Owned(value.to_string()),
        Data::Int(number) => Cow::Owned(number.to_string()),
        Data::Uint(number) => Cow::Owned(number.to_string()),
        Data::Float(number) => Cow::Owned(number.to_string()),
        Data::Null | Data::Seq(_) | Data::Map(_) => return None,
    })
}

/// A quantity's value, as far as a `f64` holds it: `1500m` is 1.5, `1Ki` is 1024.
///
/// Grammar: sign, decimal digits with at most one point, then a decimal suffix (`n` to `E`), a binary one (`Ki` to
/// `Ei`) or an exponent, as `k8s.io/apimachinery/pkg/api/resource` documents it.
pub fn quantity_value(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(digits);
    if number.bytes().filter(|&byte| byte == b'.').count() > 1 || !number.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: f64 = number.parse().ok()?;
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024f64,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            10f64.powi(exponent.parse().ok()?)
        }
    };
    Some(if text.starts_with('-') { -value * factor } else { value * factor })
}

/// What is wrong with a quantity.
pub fn quantity(text: &str, path: &Path<'_>) -> Option<Diagnostic> {
    if quantity_value(text).is_some() {
        return None;
    }
    let finding = Diagnostic::new(Code::InvalidQuantity, format!("`{path}` is not a quantity: `{text}`"));
    Some(match meant_quantity(text) {
        Some(meant) => finding.hint(format!("write `{meant}`")),
        None => finding.hint(
            "a quantity is a number with a suffix: `m` (thousandths), `k`, `M`, `G`, `T`, or `Ki`, `Mi`, `Gi`, `Ti` (powers of 1024)",
        ),
    })
}

/// `512Mi` for `512MB`, `512 Mi`, `512mi`.
fn meant_quantity(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|char| !char.is_whitespace() && *char != '_' && *char != ',').collect();
    if quantity_value(&compact).is_some() {
        return Some(compact);
    }
    let digits = compact.find(|char: char| !char.is_ascii_digit() && char != '.')?;
    let (number, suffix) = compact.split_at(digits);
    if number.is_empty() {
        return None;
    }
    let lower = suffix.to_ascii_lowercase();
    let suffix = match lower.as_str() {
        "kb" | "kib" | "ki" => "Ki",
        "mb" | "mib" | "mi" => "Mi",
        "gb" | "gib" | "gi" | "g" => "Gi",
        "tb" | "tib" | "ti" | "t" => "Ti",
        "b" | "bytes" | "cpu" | "core" | "cores" => "",
        "millis" | "milli" | "mcpu" | "mc" => "m",
        _ => return None,
    };
    let meant = format!("{number}{suffix}");
    quantity_value(&meant).map(|_| meant)
}

/// Why a text is not standard base64 with padding; line breaks are allowed, as Go's decoder allows them.
pub fn base64_fault(text: &str) -> Option<String> {
    let (mut digits, mut padding) = (0usize, 0usize);
    for char in text.chars() {
        match char {
            '\n' | '\r' => {}
            '=' => padding += 1,
            'A'..='Z' | 'a'..='z' | '0'..='9' | '+' | '/' if padding == 0 => digits += 1,
            'A'..='Z' | 'a'..='z' | '0'..='9' | '+' | '/' => {
                return Some("there is text behind the padding `=`".into());
            }
            other => return Some(format!("`{}` is no base64 digit", other.escape_default())),
        }
    }
    let fits = (digits + padding) % 4 == 0 && padding <= 2 && (digits % 4 != 1);
    (!fits).then(|| "its length is not a multiple of 4".into())
}

/// Whether a text is a time as RFC 3339 writes it.
pub fn is_date_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u32> {
        let part = text.get(from..to)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten()
    };
    let date = || -> Option<bool> {
        let (month, day) = (number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        number(0, 4)?;
        let separators = bytes[4] == b'-'
            && bytes[7] == b'-'
            && matches!(bytes[10], b'T' | b't')
            && bytes[13] == b':'
            && bytes[16] == b':';
        Some(
            separators
                && (1..=12).contains(&month)
                && (1..=31).contains(&day)
                && hour < 24
                && minute < 60
                && second <= 60,
        )
    };
    if bytes.len() < 20 || !text.is_ascii() || date() != Some(true) {
        return false;
    }
    let mut rest = &text[19..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.find(|char: char| !char.is_ascii_digit()).unwrap_or(fraction.len());
        if digits == 0 {
            return false;
        }
        rest = &fraction[digits..];
    }
    match rest.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', offset @ ..] => {
            offset.len() == 5
                && offset[2] == b':'
                && offset.iter().enumerate().all(|(at, byte)| at == 2 || byte.is_ascii_digit())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_follow_the_grammar() {
        for (text, value) in [
            ("0", 0.0),
            ("500m", 0.5),
            ("1Gi", 1_073_741_824.0),
            ("1.5", 1.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1E3", 1000.0),
            ("12E", 12e18),
            ("-1k", -1000.0),
            ("+2", 2.0),
            ("100n", 1e-7),
            ("1e-3", 1e-3),
        ] {
            let found = quantity_value(text).unwrap_or_else(|| panic!("{text}"));
            assert!((found - value).abs() <= value.abs() * 1e-12, "{text}: {found}");
        }
        for text in ["", "m", "1.2.3", "1 Gi", "1GB", "1gi", "500 m", "1e", "1K", "0x10", "--1", "1Gi2", ".", "½"] {
            assert_eq!(quantity_value(text), None, "{text}");
        }
    }

    #[test]
    fn wrong_quantities_are_corrected() {
        for (text, meant) in
            [("1GB", "1Gi"), ("512 Mi", "512Mi"), ("512mb", "512Mi"), ("2cores", "2"), ("100mcpu", "100m")]
        {
            assert_eq!(meant_quantity(text).as_deref(), Some(meant), "{text}");
        }
        assert_eq!(meant_quantity("lots"), None);
    }

    #[test]
    fn base64_is_what_go_decodes() {
        for text in ["", "YQ==", "YWI=", "YWJj", "YWJj\nYWJj\n"] {
            assert_eq!(base64_fault(text), None, "{text}");
        }
        for text in ["a", "YQ", "YQ=", "YQ==YQ==", "pass word", "YWJ-", "====", "YQ==="] {
            assert!(base64_fault(text).is_some(), "{text}");
        }
    }

    #[test]
    fn times_are_rfc_3339() {
        for text in
            ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00+02:00", "2026-01-31t12:00:00z"]
        {
            assert!(is_date_time(text), "{text}");
        }
        for text in [
            "2026-01-31",
            "2026-01-31 12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31T25:00:00Z",
            "ü026-01-31T12:00:00Z",
        ] {
            assert!(!is_date_time(text), "{text}");
        }
    }
}
