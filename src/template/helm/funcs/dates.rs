//! Dates: reading, printing and shifting times. Layouts are Go's: `2006-01-02`.

use super::Type::{Any, Object, Str};
use super::duration::{Duration, SECOND};
use super::layout;
use super::time::{Time, Zone};
use super::{Env, Function, any, text};
use crate::value::{Object as _, Value, bytes_of};

const TIME: super::Type = Object("time.Time");

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("now", &[], |env, _| Ok(Time::now(env).value())),
    Function::new("date", &[Str, Any], |env, a| Ok(format_in(env, text(a, 0), any(a, 1), "Local"))),
    Function::new("dateInZone", &[Str, Any, Str], |env, a| Ok(format_in(env, text(a, 0), any(a, 1), text(a, 2)))),
    Function::new("date_in_zone", &[Str, Any, Str], |env, a| Ok(format_in(env, text(a, 0), any(a, 1), text(a, 2)))),
    Function::new("htmlDate", &[Any], |env, a| Ok(format_in(env, "2006-01-02", any(a, 0), "Local"))),
    Function::new("htmlDateInZone", &[Any, Str], |env, a| Ok(format_in(env, "2006-01-02", any(a, 0), text(a, 1)))),
    Function::new("toDate", &[Str, Str], |env, a| Ok(parse(env, a).unwrap_or_else(|_| Time::zero()).value())),
    Function::new("mustToDate", &[Str, Str], |env, a| Ok(parse(env, a)?.value())),
    Function::new("dateModify", &[Str, TIME], |_, a| Ok(shift(a).unwrap_or_else(|_| any(a, 1).clone()))),
    Function::new("date_modify", &[Str, TIME], |_, a| Ok(shift(a).unwrap_or_else(|_| any(a, 1).clone()))),
    Function::new("mustDateModify", &[Str, TIME], |_, a| Ok(shift(a)?)),
    Function::new("must_date_modify", &[Str, TIME], |_, a| Ok(shift(a)?)),
    Function::new("ago", &[Any], |env, a| Ok(since(env, any(a, 0)).rounded(Duration(SECOND)).display().into())),
    Function::new("durationRound", &[Any], |env, a| Ok(rough(env, any(a, 0)).into())),
    Function::new("unixEpoch", &[TIME], |_, a| {
        Ok(Time::of(any(a, 0)).map_or(0, |time| time.seconds).to_string().into())
    }),
];

/// A time, or seconds since the epoch; anything else is now.
fn moment(env: &Env<'_>, value: &Value) -> Time {
    match value {
        Value::Int(seconds) | Value::Int64(seconds) => Time::unix(*seconds, Zone::local(env)),
        value => Time::of(value).cloned().unwrap_or_else(|| Time::now(env)),
    }
}

fn format_in(env: &mut Env<'_>, layout: &str, value: &Value, zone: &str) -> Value {
    let zone = Zone::load(env, zone).unwrap_or(Zone::Utc);
    layout::format(&moment(env, value).within(zone), layout).into()
}

fn parse(env: &Env<'_>, arguments: &[Value]) -> Result<Time, String> {
    layout::parse(text(arguments, 0), &bytes_of(text(arguments, 1)), &Zone::local(env))
}

fn shift(arguments: &[Value]) -> Result<Value, String> {
    let duration = Duration::parse(text(arguments, 0))?;
    Ok(Time::of(any(arguments, 1)).map_or(Value::Nil, |time| time.add(duration).value()))
}

fn since(env: &Env<'_>, value: &Value) -> Duration {
    Time::now(env).since(&moment(env, value))
}

/// The largest unit that fits more than once, and how often: `2h`, `3mo`.
fn rough(env: &Env<'_>, value: &Value) -> String {
    const UNITS: [(u64, &str); 6] =
        [(365 * 86_400, "y"), (30 * 86_400, "mo"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let duration = match value {
        Value::Str(text) => Duration::parse(text).unwrap_or_default(),
        Value::Int64(nanos) => Duration(*nanos),
        value if Time::of(value).is_some() => since(env, value),
        _ => Duration(0),
    };
    let nanos = duration.0.unsigned_abs();
    let unit = UNITS.iter().map(|(size, name)| (size * SECOND as u64, name)).find(|(size, _)| nanos > *size);
    unit.map_or_else(|| "0s".to_owned(), |(size, name)| format!("{}{name}", nanos / size))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{call, context, env};
    use super::*;
    use crate::template::helm::print::strval;

    fn at(layout: &str, value: &str, zone: &str) -> Result<String, String> {
        let context = crate::template::Context { time_zone: Some(zone.into()), ..context() };
        let env = env(&context);
        layout::parse(layout, value.as_bytes(), &Zone::local(&env)).map(|time| time.display())
    }

    #[test]
    fn seconds_are_shown_as_dates() {
        for (layout, seconds, zone, expected) in [
            ("2006-01-02T15:04:05Z07:00", 1_700_000_000, "UTC", "2023-11-14T22:13:20Z"),
            ("Mon Jan _2 15:04:05 MST 2006", 0, "Europe/Berlin", "Thu Jan  1 01:00:00 CET 1970"),
            ("Monday, 02-Jan-06 3:04PM -0700", 0, "Asia/Kolkata", "Thursday, 01-Jan-70 5:30AM +0530"),
            ("2006-002 __2 pm", 951_782_400, "", "2000-060  60 am"),
            ("2006 .000 ,99", -62_135_596_801, "UTC", "0000 .000 "),
            ("2006-01-02 MST", 253_402_300_800, "No/Where", "10000-01-01 UTC"),
            ("MST", 0, "europe/berlin", "UTC"),
        ] {
            let arguments = [layout.into(), Value::Int64(seconds), zone.into()];
            assert_eq!(call("dateInZone", &arguments), expected, "{layout}");
        }
        assert_eq!(call("date", &["2006".into(), Value::Float(0.0)]), "2023");
        assert_eq!(call("htmlDate", &[Value::Int(0)]), "1970-01-01");
        assert_eq!(call("now", &[]), "2023-11-14 22:13:20.123456789 +0000 UTC");
        assert_eq!(call("ago", &[Value::Int(1_699_996_399)]), "1h0m1s");
    }

    #[test]
    fn texts_become_times() {
        for (layout, value, zone, expected) in [
            ("2006-01-02", "2024-02-29", "UTC", "2024-02-29 00:00:00 +0000 UTC"),
            ("2006-01-02", "2024-07-01", "Europe/Berlin", "2024-07-01 00:00:00 +0200 CEST"),
            ("2006-01-02 MST", "2024-07-01 EST", "America/New_York", "2024-07-01 01:00:00 -0400 EDT"),
            ("2006-01-02 MST", "2024-07-01 XYZ", "UTC", "2024-07-01 00:00:00 +0000 XYZ"),
            ("2006-01-02 MST", "2024-07-01 GMT+3", "UTC", "2024-07-01 03:00:00 +0300 GMT+3"),
            ("2006 15:04 Z07:00", "2024 10:00 +05:30", "UTC", "2024-01-01 10:00:00 +0530 +0530"),
            ("2006-002 3PM", "2024-060 12AM", "UTC", "2024-02-29 00:00:00 +0000 UTC"),
            ("05", "07.25", "UTC", "0000-01-01 00:00:07.25 +0000 UTC"),
        ] {
            assert_eq!(at(layout, value, zone).as_deref(), Ok(expected), "{layout} {value}");
        }
        for (layout, value, error) in [
            ("2006", "x", r#"parsing time "x" as "2006": cannot parse "x" as "2006""#),
            ("2006-01", "2024-13", r#"parsing time "2024-13": month out of range"#),
            ("2006-01-02", "2023-02-29", r#"parsing time "2023-02-29": day out of range"#),
            ("2006", "2024 é", r#"parsing time "2024 \xc3\xa9": extra text: " \xc3\xa9""#),
            ("2006-002 Jan", "2024-060 Jan", r#"parsing time "2024-060 Jan": day-of-year does not match month"#),
        ] {
            assert_eq!(at(layout, value, "UTC"), Err(error.to_owned()), "{layout} {value}");
        }
        assert_eq!(call("toDate", &["2006".into(), "x".into()]), "0001-01-01 00:00:00 +0000 UTC");
    }

    #[test]
    fn times_are_shifted() {
        let context = context();
        let time = Time::now(&env(&context)).value();
        assert_eq!(call("dateModify", &["-1.5h".into(), time.clone()]), "2023-11-14 20:43:20.123456789 +0000 UTC");
        assert_eq!(call("dateModify", &["x".into(), time.clone()]), "2023-11-14 22:13:20.123456789 +0000 UTC");
        assert_eq!(call("mustDateModify", &["x".into(), time.clone()]), "error: time: invalid duration \"x\"");
        assert_eq!(call("unixEpoch", &[time]), "1700000000");
    }

    #[test]
    fn times_have_methods() {
        let context = context();
        let time = Time::now(&env(&context));
        for (name, arguments, expected) in [
            ("Year", &[][..], "2023"),
            ("Month", &[], "November"),
            ("Weekday", &[], "Tuesday"),
            ("YearDay", &[], "318"),
            ("UnixNano", &[], "1700000000123456789"),
            ("AddDate", &[Value::Int(0), Value::Int(3), Value::Int(17)], "2024-03-02 22:13:20.123456789 +0000 UTC"),
            ("Truncate", &[Duration(3600 * SECOND).value()], "2023-11-14 22:00:00 +0000 UTC"),
            ("Round", &[Duration(SECOND).value()], "2023-11-14 22:13:20 +0000 UTC"),
            ("Sub", &[Time::unix(0, Zone::Utc).value()], "472222h13m20.123456789s"),
            ("IsZero", &[], "false"),
            ("Format", &["Jan".into()], "Nov"),
        ] {
            let result = time.call(name, arguments).expect(name).expect(name);
            assert_eq!(strval(&result).expect("text"), expected, "{name}");
        }
        assert_eq!(time.method("Clock").expect("a method").results.len(), 3);
        assert!(time.method("Nope").is_none());
    }
}
