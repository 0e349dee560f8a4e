//! `time.Duration`: reading, printing, and the functions on it.

use super::Type::Any;
use super::layout::quote as time_quote;
use super::types::{parse_clamped, saturated_to_int};
use super::{Env, Error, Function, any};
use crate::template::helm::print::{quote, type_of};
use crate::value::number::{format_g, parse_float};
use crate::value::{Object, Signature, Value};
use std::borrow::Cow;
use std::sync::Arc;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("duration", &[Any], duration),
    Function::new("mustToDuration", &[Any], |_, a| Ok(Duration::read(any(a, 0))?.value())),
    Function::new("durationNanoseconds", &[Any], |_, a| Ok(Value::Int64(Duration::read_or_zero(a).0))),
    Function::new("durationMicroseconds", &[Any], |_, a| Ok(Value::Int64(Duration::read_or_zero(a).0 / 1000))),
    Function::new("durationMilliseconds", &[Any], |_, a| Ok(Value::Int64(Duration::read_or_zero(a).0 / 1_000_000))),
    Function::new("durationSeconds", &[Any], |_, a| Ok(Value::Float(Duration::read_or_zero(a).in_units(SECOND)))),
    Function::new("durationMinutes", &[Any], |_, a| Ok(Value::Float(Duration::read_or_zero(a).in_units(MINUTE)))),
    Function::new("durationHours", &[Any], |_, a| Ok(Value::Float(Duration::read_or_zero(a).in_units(HOUR)))),
    Function::new("durationDays", &[Any], |_, a| Ok(Value::Float(Duration::read_or_zero(a).in_units(HOUR) / 24.0))),
    Function::new("durationWeeks", &[Any], |_, a| {
        Ok(Value::Float(Duration::read_or_zero(a).in_units(HOUR) / 24.0 / 7.0))
    }),
    Function::new("durationRoundTo", &[Any, Any], |_, a| to_multiple(a, Duration::rounded)),
    Function::new("durationTruncateTo", &[Any, Any], |_, a| to_multiple(a, Duration::truncated)),
];

pub(super) const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The Go type's name.
pub(in crate::template::helm) const DURATION: &str = "time.Duration";

/// A duration of so many nanoseconds.
pub(in crate::template::helm) fn duration_of(nanos: i64) -> Value {
    Duration(nanos).value()
}

/// Nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Duration(pub(super) i64);

impl Duration {
    pub(super) fn of(value: &Value) -> Option<Duration> {
        match value {
            Value::Object(object) => object.as_any().downcast_ref().copied(),
            _ => None,
        }
    }

    pub(super) fn value(self) -> Value {
        Value::Object(Arc::new(self))
    }

    /// Go's `time.ParseDuration`: `1h30m`, `-1.5s`.
    pub fn parse(text: &str) -> Result<Duration, String> {
        let fault = |what: &str| format!("time: {what} {}", time_quote(&crate::value::bytes_of(text)));
        let invalid = || fault("invalid duration");
        let negative = text.starts_with('-');
        let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
        if rest == "0" {
            return Ok(Duration(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        const END: u64 = 1 << 63;
        let mut total = 0u64;
        while !rest.is_empty() {
            let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
            let (whole, after) = rest.split_at(digits(rest));
            let (decimals, after) = match after.strip_prefix('.') {
                Some(after) => after.split_at(digits(after)),
                None => ("", after),
            };
            if whole.is_empty() && decimals.is_empty() {
                return Err(invalid());
            }
            let number: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
            let end = after.find(|char: char| char == '.' || char.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            let size: u64 = match unit {
                "" => return Err(fault("missing unit in duration")),
                "ns" => 1,
                "us" | "µs" | "μs" => 1000,
                "ms" => 1_000_000,
                "s" => SECOND as u64,
                "m" => MINUTE as u64,
                "h" => HOUR as u64,
                unit => {
                    return Err(fault(&format!(
                        "unknown unit {} in duration",
                        time_quote(&crate::value::bytes_of(unit))
                    )));
                }
            };
            let mut nanos = number.checked_mul(size).filter(|nanos| *nanos <= END).ok_or_else(invalid)?;
            let (fraction, scale) = leading_fraction(decimals);
            if fraction > 0 {
                nanos += (fraction as f64 * (size as f64 / scale)) as u64;
            }
            total = total.checked_add(nanos).filter(|total| *total <= END && nanos <= END).ok_or_else(invalid)?;
            rest = after;
        }
        match (negative, i64::try_from(total)) {
            (true, _) => Ok(Duration((total as i64).wrapping_neg())),
            (false, Ok(total)) => Ok(Duration(total)),
            (false, Err(_)) => Err(invalid()),
        }
    }

    /// A duration in any of the forms that Helm's own functions take; numbers are seconds.
    fn read(value: &Value) -> Result<Duration, String> {
        const MOST: i64 = i64::MAX / SECOND;
        let seconds = |seconds: i64| match seconds.unsigned_abs() <= MOST.unsigned_abs() {
            true => Ok(Duration(seconds * SECOND)),
            false => Err(format!("duration seconds overflow: {seconds}")),
        };
        match value {
            Value::Str(text) => {
                let trimmed = text.trim();
                if trimmed.is_empty() {
                    return Err("empty duration".to_owned());
                }
                if let Ok(duration) = Duration::parse(trimmed) {
                    return Ok(duration);
                }
                let number = parse_float(trimmed).map_err(|_| format!("could not parse duration {}", quote(text)))?;
                Duration::of_seconds(number)
            }
            Value::Nil => Err("invalid duration".to_owned()),
            Value::Int(number) | Value::Int64(number) => seconds(*number),
            Value::Byte(number) => seconds(i64::from(*number)),
            Value::Uint(number) => match i64::try_from(*number) {
                Ok(number) => seconds(number),
                Err(_) => Err(format!("duration seconds overflow: {number}")),
            },
            Value::Float(number) => Duration::of_seconds(*number),
            value => match (Duration::of(value), value) {
                (Some(duration), _) => Ok(duration),
                (None, Value::Object(object)) if object.integer().is_some() => seconds(object.integer().unwrap_or(0)),
                _ => Err(format!("unsupported duration type {}", type_of(value))),
            },
        }
    }

    fn of_seconds(seconds: f64) -> Result<Duration, String> {
        const MOST: f64 = i64::MAX as f64 / SECOND as f64;
        if !seconds.is_finite() {
            return Err(format!("invalid duration seconds: {}", format_g(seconds)));
        }
        if seconds.abs() > MOST {
            return Err(format!("duration seconds overflow: {}", format_g(seconds)));
        }
        Ok(Duration(saturated_to_int(seconds * SECOND as f64)))
    }

    fn read_or_zero(arguments: &[Value]) -> Duration {
        Duration::read(any(arguments, 0)).unwrap_or_default()
    }

    /// The whole units and the rest, as Go adds them up.
    fn in_units(self, unit: i64) -> f64 {
        (self.0 / unit) as f64 + (self.0 % unit) as f64 / unit as f64
    }

    pub(super) fn truncated(self, step: Duration) -> Duration {
        if step.0 <= 0 { self } else { Duration(self.0 - self.0 % step.0) }
    }

    /// To the nearest multiple, halves away from zero.
    pub(super) fn rounded(self, step: Duration) -> Duration {
        if step.0 <= 0 {
            return self;
        }
        let rest = self.0 % step.0;
        if rest.unsigned_abs() < step.0.unsigned_abs() - rest.unsigned_abs() {
            return Duration(self.0 - rest);
        }
        let away = if self.0 < 0 { -step.0 } else { step.0 };
        let end = if self.0 < 0 { i64::MIN } else { i64::MAX };
        Duration((self.0 - rest).checked_add(away).unwrap_or(end))
    }
}

/// Digits as a whole number and what to divide it by; digits past 63 bits are dropped.
fn leading_fraction(decimals: &str) -> (u64, f64) {
    let (mut number, mut scale) = (0u64, 1.0);
    for digit in decimals.bytes() {
        if number > (i64::MAX as u64) / 10 {
            break;
        }
        let next = number * 10 + u64::from(digit - b'0');
        if next > 1 << 63 {
            break;
        }
        (number, scale) = (next, scale * 10.0);
    }
    (number, scale)
}

/// Sprig's `duration`: whole seconds, as text or `int64`.
fn duration(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let seconds = match any(arguments, 0) {
        Value::Str(text) => parse_clamped(text),
        Value::Int64(number) => *number,
        _ => 0,
    };
    Ok(Duration(seconds.wrapping_mul(SECOND)).display().into())
}

fn to_multiple(arguments: &[Value], operation: fn(Duration, Duration) -> Duration) -> Result<Value, Error> {
    let duration = Duration::read(any(arguments, 0));
    Ok(match (duration, Duration::read(any(arguments, 1))) {
        (Ok(duration), Ok(step)) => operation(duration, step),
        (Ok(duration), Err(_)) => duration,
        (Err(_), _) => Duration(0),
    }
    .value())
}

impl Object for Duration {
    fn type_name(&self) -> Cow<'static, str> {
        DURATION.into()
    }

    fn kind(&self) -> &'static str {
        "int64"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Signature> {
        let (params, results): (&[_], &[_]) = match name {
            "Nanoseconds" | "Microseconds" | "Milliseconds" => (&[], &["int64"]),
            "Seconds" | "Minutes" | "Hours" => (&[], &["float64"]),
            "Abs" => (&[], &[DURATION]),
            "Round" | "Truncate" => (&[DURATION], &[DURATION]),
            "String" => (&[], &["string"]),
            _ => return None,
        };
        Some(Signature { params, results })
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let step = arguments.first().and_then(Duration::of).unwrap_or_default();
        let value = match name {
            "Nanoseconds" => Value::Int64(self.0),
            "Microseconds" => Value::Int64(self.0 / 1000),
            "Milliseconds" => Value::Int64(self.0 / 1_000_000),
            "Seconds" => Value::Float(self.in_units(SECOND)),
            "Minutes" => Value::Float(self.in_units(MINUTE)),
            "Hours" => Value::Float(self.in_units(HOUR)),
            "Abs" => Duration(self.0.saturating_abs()).value(),
            "Round" => self.rounded(step).value(),
            "Truncate" => self.truncated(step).value(),
            "String" => self.display().into(),
            _ => return None,
        };
        Some(Ok(value))
    }

    /// `1h2m3.5s`; below a second the unit that leaves a whole number before the point.
    fn display(&self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let decimal = |digits: usize, scale: u64| {
            let rest = format!("{:0digits$}", nanos % scale);
            let rest = rest.trim_end_matches('0');
            if rest.is_empty() { String::new() } else { format!(".{rest}") }
        };
        match nanos {
            0 => "0s".to_owned(),
            1..1000 => format!("{sign}{nanos}ns"),
            1000..1_000_000 => format!("{sign}{}{}µs", nanos / 1000, decimal(3, 1000)),
            1_000_000..1_000_000_000 => format!("{sign}{}{}ms", nanos / 1_000_000, decimal(6, 1_000_000)),
            _ => {
                let seconds = nanos / SECOND as u64;
                let fraction = decimal(9, SECOND as u64);
                let (hours, minutes, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
                match (hours, seconds / 60) {
                    (0, 0) => format!("{sign}{second}{fraction}s"),
                    (0, _) => format!("{sign}{minutes}m{second}{fraction}s"),
                    _ => format!("{sign}{hours}h{minutes}m{second}{fraction}s"),
                }
            }
        }
    }

    fn to_json(&self) -> Value {
        Value::Int64(self.0)
    }

    fn integer(&self) -> Option<i64> {
        Some(self.0)
    }

    fn is_true(&self) -> bool {
        self.0 != 0
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn durations_are_read_and_printed() {
        for (text, expected) in [
            ("1h30m", "1h30m0s"),
            ("-1.5s", "-1.5s"),
            ("1500us", "1.5ms"),
            ("1.5µs", "1.5µs"),
            ("7ns", "7ns"),
            ("0", "0s"),
            ("90", "1m30s"),
            ("  2.5 ", "2.5s"),
            ("-9223372036854775808ns", "-2562047h47m16.854775808s"),
            ("9223372036854775808ns", "error: could not parse duration \"9223372036854775808ns\""),
            ("1d", "error: could not parse duration \"1d\""),
            ("", "error: empty duration"),
            ("inf", "error: invalid duration seconds: +Inf"),
            ("1e10", "error: duration seconds overflow: 1e+10"),
        ] {
            assert_eq!(call("mustToDuration", &[text.into()]), expected, "{text}");
        }
        for (text, error) in [
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            ("1", "time: missing unit in duration \"1\""),
            (".s", "time: invalid duration \".s\""),
        ] {
            assert_eq!(Duration::parse(text), Err(error.to_owned()));
        }
        assert_eq!(
            call("mustToDuration", &[Value::Int(9_300_000_000)]),
            "error: duration seconds overflow: 9300000000"
        );
        assert_eq!(call("mustToDuration", &[true.into()]), "error: unsupported duration type bool");
        assert_eq!(call("mustToDuration", &[Value::Nil]), "error: invalid duration");
    }

    #[test]
    fn durations_are_converted() {
        for (name, expected) in [
            ("durationNanoseconds", "129600500000000"),
            ("durationMicroseconds", "129600500000"),
            ("durationMilliseconds", "129600500"),
            ("durationSeconds", "129600.5"),
            ("durationMinutes", "2160.008333333333"),
            ("durationHours", "36.00013888888889"),
            ("durationDays", "1.5000057870370371"),
            ("durationWeeks", "0.21428654100529101"),
        ] {
            assert_eq!(call(name, &["36h0.5s".into()]), expected, "{name}");
            assert_eq!(call(name, &["x".into()]), "0", "{name}");
        }
        assert_eq!(call("durationRoundTo", &["1h45m".into(), "1h".into()]), "2h0m0s");
        assert_eq!(call("durationRoundTo", &["-1h30m".into(), "1h".into()]), "-2h0m0s");
        assert_eq!(call("durationTruncateTo", &["1h45m".into(), "1h".into()]), "1h0m0s");
        assert_eq!(call("durationTruncateTo", &["1h45m".into(), "x".into()]), "1h45m0s");
        assert_eq!(call("duration", &["95".into()]), "1m35s");
        assert_eq!(call("duration", &[Value::Int(95)]), "0s");
        for (text, expected) in [("2h10m5s", "2h"), ("400h", "16d"), ("1s", "0s"), ("61s", "1m"), ("-2h", "2h")] {
            assert_eq!(call("durationRound", &[text.into()]), expected, "{text}");
        }
    }
}
