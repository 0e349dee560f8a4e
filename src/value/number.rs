//! Numbers as Go's `strconv` reads and writes them.

/// Why a text is no number. Prints as Go says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("invalid syntax")]
    Syntax,
    #[error("value out of range")]
    Range,
}

/// Go's `strconv.ParseInt(text, base, 64)`; base 0 takes the base from the prefix (`0x`, `0o`, `0`, `0b`) and allows
/// underscores between digits.
pub fn parse_int(text: &str, base: u32) -> Result<i64, ParseError> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = parse_uint(digits, base)?;
    if negative {
        0i64.checked_sub_unsigned(magnitude).ok_or(ParseError::Range)
    } else {
        i64::try_from(magnitude).map_err(|_| ParseError::Range)
    }
}

/// Go's `strconv.ParseUint(text, base, 64)`: no sign.
pub fn parse_uint(text: &str, base: u32) -> Result<u64, ParseError> {
    let bytes = text.as_bytes();
    let (radix, digits) = match (base, bytes) {
        (0, [b'0', b'x' | b'X', _, ..]) => (16, &bytes[2..]),
        (0, [b'0', b'o' | b'O', _, ..]) => (8, &bytes[2..]),
        (0, [b'0', b'b' | b'B', _, ..]) => (2, &bytes[2..]),
        (0, [b'0', _, ..]) => (8, &bytes[1..]),
        (0, _) => (10, bytes),
        _ => (u64::from(base), bytes),
    };
    if digits.is_empty() {
        return Err(ParseError::Syntax);
    }
    let mut number: u64 = 0;
    let mut underscores = false;
    for &byte in digits {
        let digit = match byte {
            b'_' if base == 0 => {
                underscores = true;
                continue;
            }
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' => byte - b'A' + 10,
            _ => return Err(ParseError::Syntax),
        };
        if u64::from(digit) >= radix {
            return Err(ParseError::Syntax);
        }
        number = number
            .checked_mul(radix)
            .and_then(|number| number.checked_add(u64::from(digit)))
            .ok_or(ParseError::Range)?;
    }
    if underscores && !underscores_separate_digits(bytes) {
        return Err(ParseError::Syntax);
    }
    Ok(number)
}

/// Go's `strconv.ParseFloat(text, 64)`: decimal and hexadecimal, `inf`, `infinity` and `nan` in any case.
pub fn parse_float(text: &str) -> Result<f64, ParseError> {
    let bytes = text.as_bytes();
    let unsigned = match bytes.first() {
        Some(b'+' | b'-') => &text[1..],
        _ => text,
    };
    let negative = bytes.first() == Some(&b'-');
    if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
        return Ok(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if text.eq_ignore_ascii_case("nan") {
        return Ok(f64::NAN);
    }
    let stripped;
    let plain = if text.contains('_') {
        if !underscores_separate_digits(bytes) {
            return Err(ParseError::Syntax);
        }
        stripped = unsigned.replace('_', "");
        stripped.as_str()
    } else {
        unsigned
    };
    let number = match plain.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => parse_hex_float(&plain.as_bytes()[2..])?,
        [b'0'..=b'9' | b'.', ..] => plain.parse::<f64>().map_err(|_| ParseError::Syntax)?,
        _ => return Err(ParseError::Syntax),
    };
    if number.is_infinite() {
        return Err(ParseError::Range);
    }
    Ok(if negative { -number } else { number })
}

/// `1.8p3` after its `0x`.
fn parse_hex_float(bytes: &[u8]) -> Result<f64, ParseError> {
    let mut mantissa: u64 = 0;
    let mut exponent: i64 = 0;
    let mut sticky = false;
    let mut any = false;
    let mut point = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digit = match byte {
            b'.' if !point => {
                point = true;
                at += 1;
                continue;
            }
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => break,
        };
        any = true;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
            exponent -= if point { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            exponent += if point { 0 } else { 4 };
        }
        at += 1;
    }
    if !any || !matches!(bytes.get(at), Some(b'p' | b'P')) {
        return Err(ParseError::Syntax);
    }
    let power = std::str::from_utf8(&bytes[at + 1..]).map_err(|_| ParseError::Syntax)?;
    let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseError::Syntax);
    }
    let magnitude = digits.bytes().fold(0i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(100_000));
    exponent += if power.starts_with('-') { -magnitude } else { magnitude };
    Ok(scale(mantissa, exponent, sticky))
}

/// `mantissa * 2^exponent`, rounded to nearest even; `sticky` says that lower bits were dropped.
fn scale(mantissa: u64, exponent: i64, sticky: bool) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    // Bring the top bit to bit 63, then drop what the precision at that exponent cannot hold.
    let zeros = mantissa.leading_zeros();
    let mantissa = mantissa << zeros;
    let exponent = exponent - i64::from(zeros);
    let top = exponent + 63;
    let keep = if top < -1022 { 53 - (-1022 - top) } else { 53 };
    if keep < 0 {
        return 0.0;
    }
    let drop = 64 - keep as u32;
    let (mut kept, rest, half) = if drop >= 64 {
        (0, u128::from(mantissa), 1u128 << 63)
    } else {
        (mantissa >> drop, u128::from(mantissa & ((1u64 << drop) - 1)), 1u128 << (drop - 1))
    };
    if rest > half || rest == half && (sticky || kept & 1 == 1) {
        kept += 1;
    }
    // `kept` has at most 54 bits and the power is that of its lowest bit, so both products are exact.
    let power = exponent + i64::from(drop);
    if power > 1100 {
        return f64::INFINITY;
    }
    let half = power / 2;
    kept as f64 * 2f64.powi(half as i32) * 2f64.powi((power - half) as i32)
}

fn underscores_separate_digits(bytes: &[u8]) -> bool {
    let bytes = match bytes {
        [b'+' | b'-', rest @ ..] => rest,
        _ => bytes,
    };
    let (mut digit_before, hex, rest) = match bytes {
        [b'0', b'x' | b'X', rest @ ..] => (true, true, rest),
        [b'0', b'b' | b'B' | b'o' | b'O', rest @ ..] => (true, false, rest),
        _ => (false, false, bytes),
    };
    let mut underscore_before = false;
    for &byte in rest {
        if byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit() {
            (digit_before, underscore_before) = (true, false);
        } else if byte == b'_' {
            if !digit_before {
                return false;
            }
            (digit_before, underscore_before) = (false, true);
        } else {
            if underscore_before {
                return false;
            }
            digit_before = false;
        }
    }
    !underscore_before
}

/// Size of a float in memory, which decides how many digits are needed to tell it from its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    B32,
    B64,
}

/// Go's `%v` and `%g` of a float: the fewest digits that read back, in exponent form below 1e-4 and from 1e+06 on…
/// which is what templates print: `1e+06`.
pub fn format_g(number: f64) -> String {
    format_float(number, b'g', None, Bits::B64)
}

/// A float as `encoding/json` writes it: decimal unless below 1e-6 or from 1e21 on. `None` for what JSON cannot hold.
pub fn format_json(number: f64) -> Option<String> {
    if !number.is_finite() {
        return None;
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let mut text = format_float(number, b'e', None, Bits::B64);
        // `e-09` becomes `e-9`.
        if text.len() >= 4 && text.as_bytes()[text.len() - 4..].starts_with(b"e-0") {
            text.remove(text.len() - 2);
        }
        return Some(text);
    }
    Some(format_float(number, b'f', None, Bits::B64))
}

/// Go's `strconv.FormatFloat`: `verb` is one of `e E f F g G b x X`; without a precision, as many digits as reading
/// back the same float takes.
pub fn format_float(number: f64, verb: u8, precision: Option<usize>, bits: Bits) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let mut text = String::with_capacity(24);
    if number.is_sign_negative() {
        text.push('-');
    }
    let number = number.abs();
    match verb {
        b'e' | b'E' => {
            let digits = match precision {
                Some(precision) => Digits::fixed(number, precision.saturating_add(1)),
                None => Digits::shortest(number, bits),
            };
            let precision = precision.unwrap_or_else(|| digits.text.len().saturating_sub(1));
            digits.scientific(precision, verb, &mut text);
        }
        b'f' | b'F' => match precision {
            Some(precision) => {
                // A double has at most 1074 decimals; what follows is zeros.
                let exact = precision.min(1100);
                text.push_str(&format!("{number:.exact$}"));
                text.extend(std::iter::repeat_n('0', precision - exact));
            }
            None => {
                let digits = Digits::shortest(number, bits);
                let precision = (digits.text.len() as i32 - digits.point).max(0);
                digits.decimal(precision as usize, &mut text);
            }
        },
        b'g' | b'G' => {
            let digits = match precision {
                Some(precision) => Digits::fixed(number, precision.max(1)),
                None => Digits::shortest(number, bits),
            };
            let count = digits.text.len();
            let mut precision_of_verb = precision.map_or(count, |precision| precision.max(1));
            let mut limit = precision_of_verb.min(1 << 20) as i32;
            if limit > count as i32 && count as i32 >= digits.point {
                limit = count as i32;
            }
            if precision.is_none() {
                limit = 6;
            }
            let exponent = digits.point - 1;
            if exponent < -4 || exponent >= limit {
                precision_of_verb = precision_of_verb.min(count);
                digits.scientific(precision_of_verb.saturating_sub(1), verb - 2, &mut text);
            } else {
                if precision_of_verb as i64 > i64::from(digits.point) {
                    precision_of_verb = count;
                }
                let decimals = (precision_of_verb as i64 - i64::from(digits.point)).max(0);
                digits.decimal(decimals as usize, &mut text);
            }
        }
        b'b' => {
            let (mantissa, exponent) = parts(number, bits);
            text.push_str(&format!("{mantissa}p{exponent:+}"));
        }
        b'x' | b'X' => hexadecimal(number, verb, precision, &mut text),
        _ => return format!("%{}", char::from(verb)),
    }
    text
}

/// Decimal digits without trailing zeros, and where the point stands in them: `0.text * 10^point`. Zero has none.
struct Digits {
    text: String,
    point: i32,
}

impl Digits {
    fn shortest(number: f64, bits: Bits) -> Self {
        Self::of(match bits {
            Bits::B32 => format!("{:e}", number as f32),
            Bits::B64 => even(number, format!("{number:e}")),
        })
    }

    fn fixed(number: f64, count: usize) -> Self {
        // A double has at most 767 significant digits.
        Self::of(format!("{number:.*e}", count.min(800) - 1))
    }

    fn of(scientific: String) -> Self {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let mut text: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        text.truncate(text.trim_end_matches('0').len());
        let point = if text.is_empty() { 0 } else { exponent.parse::<i32>().unwrap_or(0) + 1 };
        Digits { text, point }
    }

    /// `d.ddde±dd` with `precision` decimals.
    fn scientific(&self, precision: usize, verb: u8, out: &mut String) {
        let first = if self.text.is_empty() { "0" } else { &self.text[..1] };
        out.push_str(first);
        if precision > 0 {
            out.push('.');
            let end = self.text.len().min(precision + 1);
            let rest = self.text.get(1..end).unwrap_or_default();
            out.push_str(rest);
            out.extend(std::iter::repeat_n('0', precision - rest.len()));
        }
        let exponent = if self.text.is_empty() { 0 } else { self.point - 1 };
        out.push(char::from(verb));
        out.push(if exponent < 0 { '-' } else { '+' });
        out.push_str(&format!("{:02}", exponent.abs()));
    }

    /// `ddd.ddd` with `precision` decimals.
    fn decimal(&self, precision: usize, out: &mut String) {
        let whole = self.point.max(0) as usize;
        if whole == 0 {
            out.push('0');
        } else {
            let known = whole.min(self.text.len());
            out.push_str(&self.text[..known]);
            out.extend(std::iter::repeat_n('0', whole - known));
        }
        if precision > 0 {
            out.push('.');
            let zeros = ((-self.point).max(0) as usize).min(precision);
            out.extend(std::iter::repeat_n('0', zeros));
            let rest = self.text.get(whole..).unwrap_or_default();
            let rest = &rest[..rest.len().min(precision - zeros)];
            out.push_str(rest);
            out.extend(std::iter::repeat_n('0', precision - zeros - rest.len()));
        }
    }
}

/// Where two shortest texts are equally near, Go takes the one that ends in an even digit; Rust rounds up.
fn even(number: f64, text: String) -> String {
    let Some((mantissa, exponent)) = text.split_once('e').filter(|(mantissa, _)| mantissa.len() >= 16) else {
        return text;
    };
    let digits = mantissa.len() - 1;
    let exact = format!("{number:.800e}");
    let Some((lower, rest)) = exact.split_at_checked(digits + 1) else { return text };
    let is_tie = rest.strip_prefix('5').is_some_and(|rest| rest.trim_start_matches('0').starts_with('e'));
    let other = format!("{lower}e{exponent}");
    let is_even = lower.bytes().last().is_some_and(|digit| digit % 2 == 0);
    if is_tie && is_even && other.parse() == Ok(number) { other } else { text }
}

/// Mantissa and exponent: the number is `mantissa * 2^exponent`.
fn parts(number: f64, bits: Bits) -> (u64, i32) {
    let (mantissa, exponent, width, bias) = match bits {
        Bits::B32 => {
            let raw = (number as f32).to_bits();
            (u64::from(raw & 0x7F_FFFF), (raw >> 23 & 0xFF) as i32, 23, 127)
        }
        Bits::B64 => {
            let raw = number.to_bits();
            (raw & 0xF_FFFF_FFFF_FFFF, (raw >> 52 & 0x7FF) as i32, 52, 1023)
        }
    };
    match exponent {
        0 => (mantissa, 1 - bias - width),
        _ => (mantissa | 1 << width, exponent - bias - width),
    }
}

fn hexadecimal(number: f64, verb: u8, precision: Option<usize>, out: &mut String) {
    let (mantissa, exponent) = parts(number, Bits::B64);
    // The leading 1 goes to bit 60, so that each digit after it is four bits.
    let (mut mantissa, mut exponent) = if mantissa == 0 { (0, 0) } else { (mantissa << 8, exponent + 52) };
    while mantissa != 0 && mantissa & 1 << 60 == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision @ 0..15) = precision {
        let shift = precision * 4;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & 1 << 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let upper = verb == b'X';
    out.push('0');
    out.push(char::from(verb));
    out.push(if mantissa >> 60 & 1 == 1 { '1' } else { '0' });
    let digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    let digits = match precision {
        None => digits.trim_end_matches('0').to_owned(),
        Some(precision) => format!("{digits:0<precision$}")[..precision].to_owned(),
    };
    if !digits.is_empty() {
        out.push('.');
        out.push_str(&if upper { digits.to_uppercase() } else { digits });
    }
    out.push(if upper { 'P' } else { 'p' });
    out.push(if exponent < 0 { '-' } else { '+' });
    out.push_str(&format!("{:02}", exponent.abs()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_templates_print_them() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (999_999.0, "999999"),
            (1_000_000.0, "1e+06"),
            (123_456.789, "123456.789"),
            (1_234_567.5, "1.2345675e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(format_g(number), text);
        }
    }

    #[test]
    fn floats_print_as_json_writes_them() {
        for (number, text) in [
            (1e-7, "1e-7"),
            (1e-6, "0.000001"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-0.0, "-0"),
            (1.5e-10, "1.5e-10"),
        ] {
            assert_eq!(format_json(number).as_deref(), Some(text));
        }
        assert_eq!(format_json(f64::NAN), None);
    }

    #[test]
    fn verbs_and_precisions() {
        for (number, verb, precision, text) in [
            (1234.5678, 'e', Some(2), "1.23e+03"),
            (1234.5678, 'E', None, "1.2345678E+03"),
            (0.0, 'e', Some(2), "0.00e+00"),
            (2.5, 'f', Some(0), "2"),
            (1e21, 'f', None, "1000000000000000000000"),
            (0.000_012_3, 'f', None, "0.0000123"),
            (1234.5678, 'g', Some(3), "1.23e+03"),
            (100_000.0, 'g', Some(3), "1e+05"),
            (100.0, 'g', Some(10), "100"),
            (0.0, 'g', Some(3), "0"),
            (1.0, 'b', None, "4503599627370496p-52"),
            (1.0, 'x', None, "0x1p+00"),
            (1.1, 'x', Some(3), "0x1.19ap+00"),
            (255.75, 'X', None, "0X1.FF8P+07"),
        ] {
            assert_eq!(format_float(number, verb as u8, precision, Bits::B64), text, "{number} {verb} {precision:?}");
        }
        assert_eq!(format_float(0.1, b'g', None, Bits::B32), "0.1");
        assert_eq!(format_float(1.0, b'f', Some(2000), Bits::B64).len(), 2002);
    }

    #[test]
    fn texts_read_as_go_reads_them() {
        assert_eq!(parse_int("0755", 0), Ok(493));
        assert_eq!(parse_int("0o7", 0), Ok(7));
        assert_eq!(parse_int("-0x1F", 0), Ok(-31));
        assert_eq!(parse_int("1_000", 0), Ok(1000));
        assert_eq!(parse_int("1_000", 10), Err(ParseError::Syntax));
        assert_eq!(parse_int("1__0", 0), Err(ParseError::Syntax));
        assert_eq!(parse_int("08", 0), Err(ParseError::Syntax));
        assert_eq!(parse_int("-9223372036854775808", 10), Ok(i64::MIN));
        assert_eq!(parse_int("9223372036854775808", 10), Err(ParseError::Range));
        assert_eq!(parse_uint("18446744073709551615", 10), Ok(u64::MAX));
        assert_eq!(parse_uint("+1", 10), Err(ParseError::Syntax));
        assert_eq!(parse_float(".5"), Ok(0.5));
        assert_eq!(parse_float("5."), Ok(5.0));
        assert_eq!(parse_float("0x1.8p1"), Ok(3.0));
        assert_eq!(parse_float("0x1p-1074"), Ok(5e-324));
        assert_eq!(parse_float("0x1p-1075"), Ok(0.0));
        assert_eq!(parse_float("0x1.8p-1075"), Ok(5e-324));
        assert_eq!(parse_float("0x1.fffffffffffff8p0"), Ok(2.0));
        assert_eq!(parse_float("-Infinity"), Ok(f64::NEG_INFINITY));
        assert_eq!(parse_float("1e400"), Err(ParseError::Range));
        assert_eq!(parse_float("."), Err(ParseError::Syntax));
        assert_eq!(parse_float("1e"), Err(ParseError::Syntax));
    }
}
