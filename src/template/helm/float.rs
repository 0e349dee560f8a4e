//! Go's `strconv.FormatFloat`: a float's text for each of the verbs `e E f g G x X b`.

use std::fmt::Write;

/// Rust's formatter takes no precision past 16 bits; no `f64` has this many decimals, so zeros follow.
const MAX_DECIMALS: usize = 1100;

/// The text of a float; no precision means the fewest digits that read back as the same number.
pub fn format_float(number: f64, verb: char, precision: Option<usize>) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    let mut out = String::with_capacity(24);
    if number.is_sign_negative() {
        out.push('-');
    }
    let number = number.abs();
    if number.is_infinite() {
        out.push_str(if out.is_empty() { "+Inf" } else { "Inf" });
        return out;
    }
    match verb {
        'f' | 'F' => fixed(&mut out, number, precision),
        'e' | 'E' => exponential(&mut out, &Digits::of(number, precision), precision),
        'x' | 'X' => hexadecimal(&mut out, number, precision),
        'b' => binary(&mut out, number),
        _ => general(&mut out, number, precision),
    }
    if matches!(verb, 'E' | 'G' | 'X') {
        out.make_ascii_uppercase();
    }
    out
}

/// Decimal digits d.ddd × 10^exponent, without trailing zeros.
struct Digits {
    text: String,
    exponent: i32,
}

impl Digits {
    /// The digits rounded to so many decimals of the exponential form, or as few as identify the number.
    fn of(number: f64, decimals: Option<usize>) -> Self {
        let text = match decimals {
            Some(decimals) => format!("{number:.*e}", decimals.min(MAX_DECIMALS)),
            None => even(number, format!("{number:e}")),
        };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let significant = digits.trim_end_matches('0').len();
        Digits { text: digits[..significant].to_owned(), exponent: exponent.parse().unwrap_or(0) }
    }
}

/// Where two shortest texts are equally near, Go takes the one that ends in an even digit; Rust rounds up.
fn even(number: f64, text: String) -> String {
    let Some((mantissa, exponent)) = text.split_once('e').filter(|(mantissa, _)| mantissa.len() >= 16) else {
        return text;
    };
    let digits = mantissa.len() - 1;
    let exact = format!("{number:.*e}", MAX_DECIMALS);
    let Some((lower, rest)) = exact.split_at_checked(digits + 1) else { return text };
    let is_tie = rest.strip_prefix('5').is_some_and(|rest| rest.trim_start_matches('0').starts_with('e'));
    let other = format!("{lower}e{exponent}");
    let is_even = lower.bytes().last().is_some_and(|digit| digit % 2 == 0);
    if is_tie && is_even && other.parse() == Ok(number) { other } else { text }
}

fn fixed(out: &mut String, number: f64, precision: Option<usize>) {
    let Some(precision) = precision else {
        let digits = Digits::of(number, None);
        return positional(out, &digits, if number == 0.0 { 0 } else { i64::from(digits.exponent) + 1 });
    };
    let decimals = precision.min(MAX_DECIMALS);
    write!(out, "{number:.decimals$}").expect("writing to a string");
    out.extend(std::iter::repeat_n('0', precision - decimals));
}

fn exponential(out: &mut String, digits: &Digits, precision: Option<usize>) {
    let decimals = digits.text.get(1..).unwrap_or_default();
    let wanted = precision.unwrap_or(decimals.len());
    out.push_str(digits.text.get(..1).unwrap_or("0"));
    if wanted > 0 {
        out.push('.');
        out.push_str(decimals);
        out.extend(std::iter::repeat_n('0', wanted.saturating_sub(decimals.len())));
    }
    let sign = if digits.exponent < 0 { '-' } else { '+' };
    write!(out, "e{sign}{:02}", digits.exponent.unsigned_abs()).expect("writing to a string");
}

/// The exponential form for exponents below -4 or from the precision on (6 for the shortest text).
fn general(out: &mut String, number: f64, precision: Option<usize>) {
    let precision = precision.map(|precision| precision.max(1));
    let digits = Digits::of(number, precision.map(|precision| precision - 1));
    let count = digits.text.len() as i64;
    let point = if number == 0.0 { 0 } else { i64::from(digits.exponent) + 1 };
    let limit = match precision {
        None => 6,
        Some(precision) if precision as i64 > count && count >= point => count,
        Some(precision) => precision as i64,
    };
    if point - 1 < -4 || point > limit {
        // With a precision the digits are already rounded to it.
        return exponential(out, &digits, None);
    }
    positional(out, &digits, point);
}

/// Digits with the decimal point after the first `point` of them.
fn positional(out: &mut String, digits: &Digits, point: i64) {
    let count = digits.text.len() as i64;
    if point <= 0 {
        out.push('0');
    } else {
        let whole = digits.text.get(..point as usize).unwrap_or(&digits.text);
        out.push_str(whole);
        out.extend(std::iter::repeat_n('0', point as usize - whole.len()));
    }
    if count > point {
        out.push('.');
        out.extend(std::iter::repeat_n('0', usize::try_from(-point).unwrap_or(0)));
        out.push_str(&digits.text[usize::try_from(point).unwrap_or(0)..]);
    }
}

const MANTISSA_BITS: u32 = 52;
const HIDDEN_BIT: u64 = 1 << MANTISSA_BITS;

/// mantissa × 2^exponent
fn parts(number: f64) -> (u64, i32) {
    let bits = number.to_bits();
    let exponent = (bits >> MANTISSA_BITS & 0x7ff) as i32;
    let mantissa = bits & (HIDDEN_BIT - 1);
    if exponent == 0 { (mantissa, -1074) } else { (mantissa | HIDDEN_BIT, exponent - 1075) }
}

/// `0x1.8p+01`
fn hexadecimal(out: &mut String, number: f64, precision: Option<usize>) {
    let (mut mantissa, mut exponent) = parts(number);
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - (63 - MANTISSA_BITS);
        mantissa <<= shift;
        exponent += MANTISSA_BITS as i32 - shift as i32;
    }
    // 13 hexadecimal digits after the point.
    let mut fraction_digits = MANTISSA_BITS as usize / 4;
    if let Some(precision) = precision.filter(|&precision| precision < fraction_digits) {
        let drop = 4 * (fraction_digits - precision) as u32;
        let rest = mantissa & ((1 << drop) - 1);
        mantissa >>= drop;
        let half = 1 << (drop - 1);
        if rest > half || rest == half && mantissa & 1 == 1 {
            mantissa += 1;
        }
        fraction_digits = precision;
        if mantissa >> (4 * fraction_digits) > 1 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let whole = mantissa >> (4 * fraction_digits);
    let fraction = mantissa & ((1 << (4 * fraction_digits)) - 1);
    write!(out, "0x{whole}").expect("writing to a string");
    let digits = if fraction_digits == 0 { String::new() } else { format!("{fraction:0fraction_digits$x}") };
    let digits = if precision.is_none() { digits.trim_end_matches('0') } else { &digits };
    let zeros = precision.unwrap_or(0).saturating_sub(digits.len());
    if digits.len() + zeros > 0 {
        out.push('.');
        out.push_str(digits);
        out.extend(std::iter::repeat_n('0', zeros));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(out, "p{sign}{:02}", exponent.unsigned_abs()).expect("writing to a string");
}

/// `4503599627370496p-52`
fn binary(out: &mut String, number: f64) {
    let (mantissa, exponent) = parts(number);
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(out, "{mantissa}p{sign}{}", exponent.unsigned_abs()).expect("writing to a string");
}

#[cfg(test)]
mod tests {
    use super::format_float;

    #[test]
    fn texts_are_those_of_go() {
        for (number, verb, precision, expected) in [
            (0.0, 'g', None, "0"),
            (-0.0, 'g', None, "-0"),
            (999_999.0, 'g', None, "999999"),
            (1_000_000.0, 'g', None, "1e+06"),
            (123_456.789, 'g', None, "123456.789"),
            (1_234_567.5, 'g', None, "1.2345675e+06"),
            (0.0001, 'g', None, "0.0001"),
            (0.00001, 'g', None, "1e-05"),
            (100.0, 'g', Some(3), "100"),
            (100.0, 'g', Some(2), "1e+02"),
            (0.0, 'g', Some(3), "0"),
            (123_456.0, 'g', Some(3), "1.23e+05"),
            (2.5, 'f', Some(0), "2"),
            (1e20, 'f', Some(2), "100000000000000000000.00"),
            (1234.5, 'e', Some(2), "1.23e+03"),
            (1234.5, 'E', None, "1.2345E+03"),
            (3.0, 'x', None, "0x1.8p+01"),
            (0.0, 'x', None, "0x0p+00"),
            (3.999, 'x', Some(0), "0x1p+02"),
            (1.0, 'X', Some(3), "0X1.000P+00"),
            (1.0, 'b', None, "4503599627370496p-52"),
            (f64::INFINITY, 'g', None, "+Inf"),
            (f64::NAN, 'e', None, "NaN"),
        ] {
            assert_eq!(format_float(number, verb, precision), expected, "{number:e} {verb} {precision:?}");
        }
    }
}
