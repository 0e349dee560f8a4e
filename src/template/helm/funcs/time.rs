//! `time.Time` and its zones.

use super::duration::{DURATION, Duration};
use super::layout::{self, MONTHS, WEEKDAYS};
use super::{Env, types};
use crate::template::helm::print::quote;
use crate::value::{Map, Object, Signature, Value};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

/// A moment, and the zone in which it is shown.
#[derive(Debug, Clone)]
pub(super) struct Time {
    /// Since the Unix epoch.
    pub(super) seconds: i64,
    pub(super) nanos: u32,
    pub(super) zone: Zone,
}

/// Go's `*time.Location`.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    Utc,
    /// From the database, or the machine's where the name is `Local`.
    Named {
        name: Arc<str>,
        rules: TimeZone,
    },
    /// An offset in seconds, with whatever abbreviation it was read with.
    Fixed {
        name: Arc<str>,
        offset: i32,
    },
}

impl Zone {
    pub(super) fn fixed(name: &str, offset: i32) -> Self {
        Zone::Fixed { name: name.into(), offset }
    }

    /// The zone of the machine, or what stands in for it.
    pub(super) fn local(env: &Env<'_>) -> Self {
        let rules = match env.context.time_zone.as_deref().map(|name| name.strip_prefix(':').unwrap_or(name)) {
            None | Some("/etc/localtime") => TimeZone::try_system().ok(),
            Some(name) => database(env, name.strip_prefix("/usr/share/zoneinfo/").unwrap_or(name)),
        };
        Zone::Named { name: "Local".into(), rules: rules.unwrap_or(TimeZone::UTC) }
    }

    /// Go's `time.LoadLocation`.
    pub(super) fn load(env: &Env<'_>, name: &str) -> Option<Self> {
        match name {
            "" | "UTC" => Some(Zone::Utc),
            "Local" => Some(Zone::local(env)),
            name => Some(Zone::Named { name: name.into(), rules: database(env, name)? }),
        }
    }

    fn name(&self) -> &str {
        match self {
            Zone::Utc => "UTC",
            Zone::Named { name, .. } | Zone::Fixed { name, .. } => name,
        }
    }

    /// Offset in seconds and abbreviation at a moment.
    pub(super) fn at(&self, seconds: i64) -> (i32, String) {
        match self {
            Zone::Utc => (0, "UTC".to_owned()),
            Zone::Fixed { name, offset } => (*offset, name.as_ref().to_owned()),
            Zone::Named { rules, .. } => {
                let info = rules.to_offset_info(timestamp(seconds));
                (info.offset().seconds(), info.abbreviation().to_owned())
            }
        }
    }

    /// The moment at which clocks in this zone show what clocks in UTC show at `seconds`.
    pub(super) fn to_utc(&self, seconds: i64) -> i64 {
        match self.at(seconds).0 {
            0 => seconds,
            offset => seconds - i64::from(self.at(seconds - i64::from(offset)).0),
        }
    }

    /// The offset that an abbreviation means in this zone, at best the one in force.
    pub(super) fn offset_of(&self, abbreviation: &str, seconds: i64) -> Option<i32> {
        /// Enough for every change in the database and some years of its rules.
        const CHANGES: usize = 500;
        let Zone::Named { rules, .. } = self else {
            let (offset, name) = self.at(seconds);
            return (name == abbreviation).then_some(offset);
        };
        let first = self.at(i64::MIN);
        let changes = rules.following(Timestamp::MIN).take(CHANGES);
        let changes = changes.map(|change| (change.offset().seconds(), change.abbreviation().to_owned()));
        let mut known: Vec<i32> = Vec::new();
        for (offset, name) in std::iter::once(first).chain(changes) {
            if name == abbreviation && !known.contains(&offset) {
                known.push(offset);
            }
        }
        let in_force = known.iter().find_map(|offset| {
            let (found, name) = self.at(seconds - i64::from(*offset));
            (name == abbreviation).then_some(found)
        });
        in_force.or(known.first().copied())
    }
}

/// A zone by its exact name, or that of a file of the system's database.
fn database(env: &Env<'_>, name: &str) -> Option<TimeZone> {
    let known = TimeZone::get(name).ok().filter(|zone| zone.iana_name() == Some(name));
    known.or_else(|| TimeZone::tzif(name, &env.context.zone_file?(name)?).ok())
}

/// The nearest moment that the zone database knows; rules for the future recur with the calendar.
fn timestamp(seconds: i64) -> Timestamp {
    const PERIOD: i64 = CYCLE * 86_400;
    let past = (seconds.saturating_sub(Timestamp::MAX.as_second())).max(0);
    let recurring = seconds - (past + PERIOD - 1) / PERIOD * PERIOD;
    let bounded = recurring.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(bounded).unwrap_or_default()
}

/// A moment as a calendar and a clock show it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) year_day: i64,
    /// From Sunday, 0.
    pub(super) weekday: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

/// Days of a Gregorian cycle of 400 years.
const CYCLE: i64 = 146_097;
/// Days from 1 March of the year 0 to the epoch.
const EPOCH: i64 = 719_468;
/// Seconds to the epoch from where Go's calendar starts, the first of March of the year -292277022400.
const START: i128 = (730_692_556 * CYCLE as i128 + EPOCH as i128) * 86_400;

impl Civil {
    /// Seconds since the epoch, in the zone's own time. What is before Go's calendar is at its other end, as in Go.
    pub(super) fn of(seconds: i64) -> Self {
        let seconds = (i128::from(seconds) + START).rem_euclid(1 << 64) - START;
        let (days, clock) = (seconds.div_euclid(86_400) as i64, seconds.rem_euclid(86_400) as i64);
        // Years that begin in March end with the leap day.
        let shifted = days + EPOCH;
        let (cycle, day) = (shifted.div_euclid(CYCLE), shifted.rem_euclid(CYCLE));
        let year = (day - day / 1460 + day / 36_524 - day / (CYCLE - 1)) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day_of_month = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = cycle * 400 + year + i64::from(month <= 2);
        Civil {
            year,
            month,
            day: day_of_month,
            year_day: days - Civil::days(year, 1, 1) + 1,
            weekday: (days + 4).rem_euclid(7),
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
        }
    }

    /// Days since the epoch. Months and days past the end run on into the next year or month.
    pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
        let year = year + (month - 1).div_euclid(12);
        let month = (month - 1).rem_euclid(12) + 1;
        let year = year - i64::from(month <= 2);
        let (cycle, year) = (year.div_euclid(400), year.rem_euclid(400));
        let month = if month > 2 { month - 3 } else { month + 9 };
        cycle * CYCLE + year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 - EPOCH + day - 1
    }

    /// Month and day of the n-th day of a year.
    pub(super) fn of_year_day(year: i64, year_day: i64) -> Option<(i64, i64)> {
        let length = if is_leap(year) { 366 } else { 365 };
        (1..=length).contains(&year_day).then(|| {
            let civil = Civil::of((Civil::days(year, 1, 1) + year_day - 1) * 86_400);
            (civil.month, civil.day)
        })
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Time {
    pub(super) fn unix(seconds: i64, zone: Zone) -> Self {
        Time { seconds, nanos: 0, zone }
    }

    /// Go's zero time: the first of January of the year 1.
    pub(super) fn zero() -> Self {
        Time::unix(-62_135_596_800, Zone::Utc)
    }

    pub(super) fn now(env: &Env<'_>) -> Self {
        let now = env.context.now;
        let seconds = now.div_euclid(1_000_000_000).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        Time { seconds, nanos: now.rem_euclid(1_000_000_000) as u32, zone: Zone::local(env) }
    }

    pub(super) fn of(value: &Value) -> Option<&Time> {
        match value {
            Value::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    pub(super) fn value(self) -> Value {
        Value::Object(Arc::new(self))
    }

    pub(super) fn within(&self, zone: Zone) -> Self {
        Time { zone, ..*self }
    }

    fn civil(&self) -> Civil {
        Civil::of(self.seconds.wrapping_add(self.zone.at(self.seconds).0.into()))
    }

    fn total(&self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos)
    }

    pub(super) fn add(&self, duration: Duration) -> Self {
        let total = self.total() + i128::from(duration.0);
        let seconds = total.div_euclid(1_000_000_000) as i64;
        Time { seconds, nanos: total.rem_euclid(1_000_000_000) as u32, zone: self.zone.clone() }
    }

    /// As Go source would make it.
    fn go_string(&self) -> String {
        let Civil { year, month, day, hour, minute, second, .. } = self.civil();
        let month = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
        let zone = match &self.zone {
            Zone::Utc => "time.UTC".to_owned(),
            Zone::Named { name, .. } if &**name == "Local" => "time.Local".to_owned(),
            zone => format!("time.Location({})", quote(zone.name())),
        };
        format!("time.Date({year}, time.{month}, {day}, {hour}, {minute}, {second}, {}, {zone})", self.nanos)
    }

    /// The time since another, at most what a duration can hold.
    pub(super) fn since(&self, other: &Time) -> Duration {
        let nanos = self.total() - other.total();
        Duration(nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

    fn add_date(&self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.civil();
        let clock = (civil.hour * 60 + civil.minute) * 60 + civil.second;
        let bounded = |number: i64| number.clamp(-1 << 40, 1 << 40);
        let days = Civil::days(civil.year + bounded(years), civil.month + bounded(months), civil.day + bounded(days));
        let seconds = self.zone.to_utc(days.saturating_mul(86_400).saturating_add(clock));
        Time { seconds, nanos: self.nanos, zone: self.zone.clone() }
    }

    /// Down to a multiple of a duration since the year 1; half up where `round`.
    fn to_multiple(&self, step: Duration, round: bool) -> Self {
        if step.0 <= 0 {
            return self.clone();
        }
        let step = i128::from(step.0);
        let rest = (self.total() - Time::zero().total()).rem_euclid(step);
        let up = if round && rest * 2 >= step { step } else { 0 };
        let total = self.total() - rest + up;
        let seconds = total.div_euclid(1_000_000_000) as i64;
        Time { seconds, nanos: total.rem_euclid(1_000_000_000) as u32, zone: self.zone.clone() }
    }
}

const TIME: &str = "time.Time";
const LOCATION: &str = "*time.Location";
const STRING: Signature = Signature { params: &[], results: &["string"] };

impl Object for Time {
    fn type_name(&self) -> Cow<'static, str> {
        TIME.into()
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Signature> {
        const INT: &str = "int";
        let (params, results): (&[_], &[_]) = match name {
            "After" | "Before" | "Equal" => (&[TIME], &["bool"]),
            "Compare" => (&[TIME], &[INT]),
            "Sub" => (&[TIME], &[DURATION]),
            "Add" | "Round" | "Truncate" => (&[DURATION], &[TIME]),
            "AddDate" => (&[INT, INT, INT], &[TIME]),
            "Format" => (&["string"], &["string"]),
            "In" => (&[LOCATION], &[TIME]),
            "Clock" => (&[], &[INT, INT, INT]),
            "Date" => (&[], &[INT, "time.Month", INT]),
            "ISOWeek" => (&[], &[INT, INT]),
            "Zone" => (&[], &["string", INT]),
            "ZoneBounds" => (&[], &[TIME, TIME]),
            "Year" | "Day" | "YearDay" | "Hour" | "Minute" | "Second" | "Nanosecond" => (&[], &[INT]),
            "Month" => (&[], &["time.Month"]),
            "Weekday" => (&[], &["time.Weekday"]),
            "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" => (&[], &["int64"]),
            "UTC" | "Local" => (&[], &[TIME]),
            "Location" => (&[], &[LOCATION]),
            "IsZero" | "IsDST" => (&[], &["bool"]),
            "String" | "GoString" => (&[], &["string"]),
            "MarshalJSON" | "MarshalText" => (&[], &["[]uint8", "error"]),
            _ => return None,
        };
        Some(Signature { params, results })
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let int = |number: i64| Value::Int(number);
        let other = arguments.first().and_then(Time::of);
        let duration = arguments.first().and_then(Duration::of).unwrap_or_default();
        let number = |index: usize| arguments.get(index).map_or(0, types::to_int);
        let nanos = i64::from(self.nanos);
        let value = match (name, other) {
            ("Year", _) => int(self.civil().year),
            ("Month", _) => Named::value("time.Month", self.civil().month, &MONTHS, 1),
            ("Day", _) => int(self.civil().day),
            ("Weekday", _) => Named::value("time.Weekday", self.civil().weekday, &WEEKDAYS, 0),
            ("YearDay", _) => int(self.civil().year_day),
            ("Hour", _) => int(self.civil().hour),
            ("Minute", _) => int(self.civil().minute),
            ("Second", _) => int(self.civil().second),
            ("Nanosecond", _) => int(nanos),
            ("Unix", _) => Value::Int64(self.seconds),
            ("UnixMilli", _) => Value::Int64(self.seconds.wrapping_mul(1000).wrapping_add(nanos / 1_000_000)),
            ("UnixMicro", _) => Value::Int64(self.seconds.wrapping_mul(1_000_000).wrapping_add(nanos / 1000)),
            ("UnixNano", _) => Value::Int64(self.seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos)),
            ("UTC", _) => self.within(Zone::Utc).value(),
            // The zone of the machine is not known here; times from templates are in it unless they say otherwise.
            ("Local", _) => self.clone().value(),
            ("In", _) => match arguments.first() {
                Some(Value::Object(object)) => match object.as_any().downcast_ref::<Location>() {
                    Some(location) => self.within(location.0.clone().unwrap_or(Zone::Utc)).value(),
                    None => return None,
                },
                _ => return Some(Err("time: missing Location in call to Time.In".to_owned())),
            },
            ("Location", _) => Value::Object(Arc::new(Location(Some(self.zone.clone())))),
            ("IsZero", _) => (self.total() == Time::zero().total()).into(),
            ("IsDST", _) => match &self.zone {
                Zone::Named { rules, .. } => rules.to_offset_info(timestamp(self.seconds)).dst().is_dst().into(),
                _ => false.into(),
            },
            ("String", _) => self.display().into(),
            ("GoString", _) => self.go_string().into(),
            ("Format", _) => layout::format(self, arguments.first().and_then(Value::as_str).unwrap_or_default()).into(),
            ("MarshalJSON", _) => {
                Value::Bytes(format!("\"{}\"", layout::format(self, layout::RFC3339_NANO)).into_bytes().into())
            }
            ("MarshalText", _) => Value::Bytes(layout::format(self, layout::RFC3339_NANO).into_bytes().into()),
            ("Add", _) => self.add(duration).value(),
            ("AddDate", _) => self.add_date(number(0), number(1), number(2)).value(),
            ("Round", _) => self.to_multiple(duration, true).value(),
            ("Truncate", _) => self.to_multiple(duration, false).value(),
            ("Sub", Some(other)) => self.since(other).value(),
            ("After", Some(other)) => (self.total() > other.total()).into(),
            ("Before", Some(other)) => (self.total() < other.total()).into(),
            ("Equal", Some(other)) => (self.total() == other.total()).into(),
            ("Compare", Some(other)) => int(self.total().cmp(&other.total()) as i64),
            ("Sub" | "After" | "Before" | "Equal" | "Compare", None) => Value::Nil,
            _ => return None,
        };
        Some(Ok(value))
    }

    fn display(&self) -> String {
        layout::format(self, layout::DEBUG)
    }

    fn go_stringer(&self) -> Option<String> {
        Some(self.go_string())
    }

    fn structure(&self) -> Option<Vec<(&'static str, Value)>> {
        let zone = match &self.zone {
            Zone::Utc => None,
            zone => Some(zone.clone()),
        };
        Some(vec![
            ("wall", Value::Uint(u64::from(self.nanos))),
            ("ext", Value::Int64(self.seconds.wrapping_sub(Time::zero().seconds))),
            ("loc", Value::Object(Arc::new(Location(zone)))),
        ])
    }

    fn to_json(&self) -> Value {
        layout::format(self, layout::RFC3339_NANO).into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A pointer to a zone; within a time the null pointer is UTC.
#[derive(Debug)]
struct Location(Option<Zone>);

impl Object for Location {
    fn type_name(&self) -> Cow<'static, str> {
        LOCATION.into()
    }

    fn kind(&self) -> &'static str {
        "ptr"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "String").then_some(STRING)
    }

    fn call(&self, name: &str, _: &[Value]) -> Option<Result<Value, String>> {
        (name == "String").then(|| Ok(self.display().into()))
    }

    fn display(&self) -> String {
        self.0.as_ref().map_or("<nil>", Zone::name).to_owned()
    }

    fn stringer(&self) -> Option<String> {
        self.0.as_ref().map(|zone| zone.name().to_owned())
    }

    fn is_null(&self) -> bool {
        self.0.is_none()
    }

    fn to_json(&self) -> Value {
        Value::Map(Map::default())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A month or weekday: a whole number that prints as a name.
#[derive(Debug)]
struct Named {
    type_name: &'static str,
    number: i64,
    name: &'static str,
}

impl Named {
    fn value(type_name: &'static str, number: i64, names: &[&'static str], first: i64) -> Value {
        let name = names.get((number - first) as usize).copied().unwrap_or_default();
        Value::Object(Arc::new(Named { type_name, number, name }))
    }
}

impl Object for Named {
    fn type_name(&self) -> Cow<'static, str> {
        self.type_name.into()
    }

    fn kind(&self) -> &'static str {
        "int"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "String").then_some(STRING)
    }

    fn call(&self, name: &str, _: &[Value]) -> Option<Result<Value, String>> {
        (name == "String").then(|| Ok(self.name.into()))
    }

    fn display(&self) -> String {
        self.name.to_owned()
    }

    fn to_json(&self) -> Value {
        Value::Int(self.number)
    }

    fn integer(&self) -> Option<i64> {
        Some(self.number)
    }

    fn is_true(&self) -> bool {
        self.number != 0
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
