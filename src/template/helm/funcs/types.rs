//! Types and conversions. Numbers are converted by the rules of the Go package `cast` 1.7.

use super::Type::{Any, Str};
use super::{Env, Error, Function, any, text};
use crate::template::helm::print::{kind_of, strval, type_of};
use crate::value::number::{ParseError, parse_float, parse_int};
use crate::value::{Object, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("typeOf", &[Any], |_, a| Ok((*type_of(any(a, 0))).into())),
    Function::new("typeIs", &[Str, Any], |_, a| Ok((text(a, 0) == type_of(any(a, 1))).into())),
    Function::new("typeIsLike", &[Str, Any], type_is_like),
    Function::new("kindOf", &[Any], |_, a| Ok(kind_of(any(a, 0)).into())),
    Function::new("kindIs", &[Str, Any], |_, a| Ok((text(a, 0) == kind_of(any(a, 1))).into())),
    Function::new("int", &[Any], |_, a| Ok(Value::Int(to_int(any(a, 0))))),
    Function::new("int64", &[Any], |_, a| Ok(Value::Int64(to_int(any(a, 0))))),
    Function::new("float64", &[Any], |_, a| Ok(Value::Float(to_float(any(a, 0))))),
    Function::new("atoi", &[Str], |_, a| Ok(Value::Int(parse_clamped(text(a, 0))))),
    Function::new("toDecimal", &[Any], to_decimal),
];

fn type_is_like(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (wanted, found) = (text(arguments, 0), type_of(any(arguments, 1)));
    Ok((wanted == found || found.strip_prefix('*') == Some(wanted)).into())
}

/// Reads the text of a value as an octal number, such as a file mode.
fn to_decimal(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    Ok(Value::Int64(parse_int(&strval(any(arguments, 0))?, 8).unwrap_or(0)))
}

/// `cast.ToInt64`: what is no number is 0.
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Uint(number) => *number as i64,
        Value::Byte(number) => i64::from(*number),
        Value::Float(number) => saturated_to_int(*number),
        Value::Bool(value) => i64::from(*value),
        Value::Str(text) => parse_int(without_zero_decimals(text), 0).unwrap_or(0),
        Value::Object(object) => date_part(&**object),
        _ => 0,
    }
}

/// `cast.ToFloat64`.
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(number) | Value::Int64(number) => *number as f64,
        Value::Uint(number) => *number as f64,
        Value::Byte(number) => f64::from(*number),
        Value::Float(number) => *number,
        Value::Bool(value) => f64::from(*value),
        Value::Str(text) => parse_float(text).unwrap_or(0.0),
        Value::Object(object) => date_part(&**object) as f64,
        _ => 0.0,
    }
}

/// The types of whole numbers that `cast` knows besides Go's own.
fn date_part(object: &dyn Object) -> i64 {
    match &*object.type_name() {
        "time.Month" | "time.Weekday" => object.integer().unwrap_or(0),
        _ => 0,
    }
}

/// Go's conversion on amd64: all that does not fit is the least integer.
pub(super) fn saturated_to_int(number: f64) -> i64 {
    const END: f64 = 9_223_372_036_854_775_808.0;
    if (-END..END).contains(&number) { number as i64 } else { i64::MIN }
}

/// `12.00` as `12`.
fn without_zero_decimals(text: &str) -> &str {
    match text.rsplit_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() && decimals.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    }
}

/// `strconv.ParseInt` whose error is ignored: numbers out of range are the nearest one, everything else is 0.
pub(super) fn parse_clamped(text: &str) -> i64 {
    match parse_int(text, 10) {
        Ok(number) => number,
        Err(ParseError::Range) if text.starts_with('-') => i64::MIN,
        Err(ParseError::Range) => i64::MAX,
        Err(ParseError::Syntax) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn values_become_numbers() {
        for (value, whole, float) in [
            (Value::Nil, "0", "0"),
            (true.into(), "1", "1"),
            (Value::Float(-1.9), "-1", "-1.9"),
            (Value::Float(1e300), "-9223372036854775808", "1e+300"),
            (Value::Float(f64::NAN), "-9223372036854775808", "NaN"),
            ("0x1f".into(), "31", "0"),
            ("012".into(), "10", "12"),
            ("1_000".into(), "1000", "1000"),
            ("12.00".into(), "12", "12"),
            ("1.5".into(), "0", "1.5"),
            (" 5".into(), "0", "0"),
            ("1e3".into(), "0", "1000"),
            ("9223372036854775808".into(), "0", "9.223372036854776e+18"),
            (Value::list(vec![]), "0", "0"),
        ] {
            let arguments = [value];
            assert_eq!(call("int", &arguments), whole, "{arguments:?}");
            assert_eq!(call("int64", &arguments), whole, "{arguments:?}");
            assert_eq!(call("float64", &arguments), float, "{arguments:?}");
        }
        for (text, expected) in
            [("12", "12"), ("-3", "-3"), ("0x1f", "0"), ("99999999999999999999", "9223372036854775807"), ("a", "0")]
        {
            assert_eq!(call("atoi", &[text.into()]), expected, "{text}");
        }
        assert_eq!(call("toDecimal", &["0777".into()]), "511");
        assert_eq!(call("toDecimal", &[Value::Int(777)]), "511");
        assert_eq!(call("toDecimal", &["8".into()]), "0");
    }

    #[test]
    fn types_have_gos_names() {
        for (value, name, kind) in [
            (Value::Nil, "<nil>", "invalid"),
            (Value::Int(1), "int", "int"),
            (Value::list(vec![]), "[]interface {}", "slice"),
            (Value::map([("a", Value::Nil)]), "map[string]interface {}", "map"),
        ] {
            assert_eq!(call("typeOf", std::slice::from_ref(&value)), name);
            assert_eq!(call("kindOf", std::slice::from_ref(&value)), kind);
            assert_eq!(call("typeIs", &[name.into(), value.clone()]), "true");
            assert_eq!(call("typeIsLike", &[name.into(), value.clone()]), "true");
            assert_eq!(call("kindIs", &["ptr".into(), value]), "false");
        }
    }
}
