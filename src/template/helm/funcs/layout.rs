//! Go's time layouts: formatting and parsing by the example of `Mon Jan 2 15:04:05 MST 2006`.

use super::time::{Civil, Time, Zone, days_in_month};
use crate::value::bytes_of;

pub(super) const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";
/// What `time.Time` prints as.
pub(super) const DEBUG: &str = "2006-01-02 15:04:05.999999999 -0700 MST";

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A part of a layout that stands for part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    LongMonth,
    Month,
    NumberMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperNoon,
    LowerNoon,
    Abbreviation,
    /// `-07:00`; `Z` stands for no offset where `utc`.
    Offset {
        utc: bool,
        colon: bool,
        minutes: bool,
        seconds: bool,
    },
    /// `.000`, or `.999` where zeros at the end are cut.
    Fraction {
        digits: usize,
        cut: bool,
        mark: u8,
    },
}

const fn offset(utc: bool, colon: bool, minutes: bool, seconds: bool) -> Piece {
    Piece::Offset { utc, colon, minutes, seconds }
}

/// In the order in which they are tried at a place.
const PIECES: &[(&[u8], Piece)] = &[
    (b"January", Piece::LongMonth),
    (b"Jan", Piece::Month),
    (b"Monday", Piece::LongWeekday),
    (b"Mon", Piece::Weekday),
    (b"MST", Piece::Abbreviation),
    (b"01", Piece::ZeroMonth),
    (b"02", Piece::ZeroDay),
    (b"03", Piece::ZeroHour12),
    (b"04", Piece::ZeroMinute),
    (b"05", Piece::ZeroSecond),
    (b"06", Piece::Year),
    (b"002", Piece::ZeroYearDay),
    (b"15", Piece::Hour),
    (b"1", Piece::NumberMonth),
    (b"2006", Piece::LongYear),
    (b"2", Piece::Day),
    (b"_2", Piece::UnderDay),
    (b"__2", Piece::UnderYearDay),
    (b"3", Piece::Hour12),
    (b"4", Piece::Minute),
    (b"5", Piece::Second),
    (b"PM", Piece::UpperNoon),
    (b"pm", Piece::LowerNoon),
    (b"-070000", offset(false, false, true, true)),
    (b"-07:00:00", offset(false, true, true, true)),
    (b"-0700", offset(false, false, true, false)),
    (b"-07:00", offset(false, true, true, false)),
    (b"-07", offset(false, false, false, false)),
    (b"Z070000", offset(true, false, true, true)),
    (b"Z07:00:00", offset(true, true, true, true)),
    (b"Z0700", offset(true, false, true, false)),
    (b"Z07:00", offset(true, true, true, false)),
    (b"Z07", offset(true, false, false, false)),
];

/// The first piece: where it starts, which it is, and its length.
fn first_piece(layout: &[u8]) -> Option<(usize, Piece, usize)> {
    (0..layout.len()).find_map(|at| {
        let rest = &layout[at..];
        if rest.starts_with(b"_2006") {
            return Some((at + 1, Piece::LongYear, 4));
        }
        if let [mark @ (b'.' | b','), digit @ (b'0' | b'9'), ..] = rest {
            let digits = rest[1..].iter().take_while(|byte| *byte == digit).count();
            let ends = !rest.get(1 + digits).is_some_and(u8::is_ascii_digit);
            return ends.then_some((at, Piece::Fraction { digits, cut: *digit == b'9', mark: *mark }, 1 + digits));
        }
        let (text, piece) = PIECES.iter().find(|(text, piece)| {
            let is_short = matches!(piece, Piece::Month | Piece::Weekday);
            rest.starts_with(text) && !(is_short && rest.get(3).is_some_and(u8::is_ascii_lowercase))
        })?;
        Some((at, *piece, text.len()))
    })
}

/// Go's `Time.Format`.
pub(super) fn format(time: &Time, layout: &str) -> String {
    let (offset, abbreviation) = time.zone.at(time.seconds);
    let civil = Civil::of(time.seconds.wrapping_add(offset.into()));
    let hour12 = if civil.hour % 12 == 0 { 12 } else { civil.hour % 12 };
    let mut out = Vec::with_capacity(layout.len() + 8);
    let mut rest = layout.as_bytes();
    while let Some((start, piece, length)) = first_piece(rest) {
        out.extend_from_slice(&rest[..start]);
        rest = &rest[start + length..];
        let month = MONTHS[(civil.month as usize - 1) % 12];
        let weekday = WEEKDAYS[civil.weekday as usize % 7];
        let text = match piece {
            Piece::LongMonth => month.to_owned(),
            Piece::Month => month[..3].to_owned(),
            Piece::NumberMonth => civil.month.to_string(),
            Piece::ZeroMonth => format!("{:02}", civil.month),
            Piece::LongWeekday => weekday.to_owned(),
            Piece::Weekday => weekday[..3].to_owned(),
            Piece::Day => civil.day.to_string(),
            Piece::UnderDay => format!("{:2}", civil.day),
            Piece::ZeroDay => format!("{:02}", civil.day),
            Piece::UnderYearDay => format!("{:3}", civil.year_day),
            Piece::ZeroYearDay => format!("{:03}", civil.year_day),
            Piece::Hour => format!("{:02}", civil.hour),
            Piece::Hour12 => hour12.to_string(),
            Piece::ZeroHour12 => format!("{hour12:02}"),
            Piece::Minute => civil.minute.to_string(),
            Piece::ZeroMinute => format!("{:02}", civil.minute),
            Piece::Second => civil.second.to_string(),
            Piece::ZeroSecond => format!("{:02}", civil.second),
            Piece::LongYear if civil.year < 0 => format!("-{:04}", -civil.year),
            Piece::LongYear => format!("{:04}", civil.year),
            Piece::Year => format!("{:02}", civil.year.abs() % 100),
            Piece::UpperNoon => if civil.hour >= 12 { "PM" } else { "AM" }.to_owned(),
            Piece::LowerNoon => if civil.hour >= 12 { "pm" } else { "am" }.to_owned(),
            Piece::Abbreviation if abbreviation.is_empty() => format_offset(offset, false, true, false),
            Piece::Abbreviation => abbreviation.clone(),
            Piece::Offset { utc: true, .. } if offset == 0 => "Z".to_owned(),
            Piece::Offset { colon, minutes, seconds, .. } => format_offset(offset, colon, minutes, seconds),
            Piece::Fraction { digits, cut, mark } => {
                let all = format!("{:09}", time.nanos);
                let kept = &all[..digits.min(9)];
                let kept = if cut { kept.trim_end_matches('0') } else { kept };
                if kept.is_empty() { String::new() } else { format!("{}{kept}", char::from(mark)) }
            }
        };
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(rest);
    String::from_utf8(out).unwrap_or_default()
}

fn format_offset(offset: i32, colon: bool, minutes: bool, seconds: bool) -> String {
    let whole = offset / 60;
    let sign = if whole < 0 { '-' } else { '+' };
    let colon = if colon { ":" } else { "" };
    let mut text = format!("{sign}{:02}", whole.abs() / 60);
    if minutes {
        text += &format!("{colon}{:02}", whole.abs() % 60);
    }
    if seconds {
        text += &format!("{colon}{:02}", offset.abs() % 60);
    }
    text
}

/// What does not fit, before it is told with layout and value.
enum Fault {
    /// The text is not of the piece's form.
    Form,
    /// A number is too large.
    Range(&'static str),
}

#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    /// `PM` or `AM`.
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    abbreviation: Option<String>,
}

/// Go's `time.ParseInLocation`, with its errors.
pub(super) fn parse(layout: &str, value: &[u8], local: &Zone) -> Result<Time, String> {
    let whole = value;
    let describe = |message: &str| format!("parsing time {}{message}", quote(whole));
    let mut fields = Fields::default();
    let mut value = value;
    let layout = &*bytes_of(layout);
    let mut rest = layout;
    loop {
        let piece = first_piece(rest);
        let start = piece.map_or(rest.len(), |(start, _, _)| start);
        let cannot = |value: &[u8], element: &[u8]| {
            describe(&format!(" as {}: cannot parse {} as {}", quote(layout), quote(value), quote(element)))
        };
        skip(&mut value, &rest[..start]).map_err(|()| cannot(value, &rest[..start]))?;
        let Some((_, piece, length)) = piece else { break };
        let element = &rest[start..start + length];
        rest = &rest[start + length..];
        let before = value;
        fields.read(piece, &mut value, rest).map_err(|fault| match fault {
            Fault::Form => cannot(before, element),
            Fault::Range(what) => describe(&format!(": {what} out of range")),
        })?;
    }
    if !value.is_empty() {
        return Err(describe(&format!(": extra text: {}", quote(value))));
    }
    fields.time(local).map_err(|message| describe(&format!(": {message}")))
}

/// Takes a prefix off the value; runs of blanks are as good as one.
fn skip(value: &mut &[u8], mut prefix: &[u8]) -> Result<(), ()> {
    while let Some(&byte) = prefix.first() {
        if byte == b' ' {
            if value.first().is_some_and(|&byte| byte != b' ') {
                return Err(());
            }
            prefix = without_blanks(prefix);
            *value = without_blanks(value);
        } else if value.first() == Some(&byte) {
            prefix = &prefix[1..];
            *value = &value[1..];
        } else {
            return Err(());
        }
    }
    Ok(())
}

fn without_blanks(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|&&byte| byte == b' ').count()..]
}

/// A number of one digit up to `most`; of exactly `most` where `fixed`.
fn number(value: &mut &[u8], most: usize, fixed: bool) -> Result<i64, Fault> {
    let digits = value.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || fixed && digits < most {
        return Err(Fault::Form);
    }
    let (text, rest) = value.split_at(digits);
    *value = rest;
    Ok(text.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

/// A number below a bound.
fn bounded(value: &mut &[u8], fixed: bool, end: i64, what: &'static str) -> Result<i64, Fault> {
    let number = number(value, 2, fixed)?;
    if number < end { Ok(number) } else { Err(Fault::Range(what)) }
}

/// The index of the name that the value starts with, in any case.
fn name(value: &mut &[u8], names: &[&str], length: Option<usize>) -> Result<i64, Fault> {
    let index = names.iter().position(|name| {
        let name = &name.as_bytes()[..length.unwrap_or(name.len())];
        value.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    });
    let index = index.ok_or(Fault::Form)?;
    *value = &value[length.unwrap_or(names[index].len())..];
    Ok(index as i64)
}

/// A mark and digits after it, as nanoseconds; digits past the ninth are dropped.
fn fraction(value: &mut &[u8], digits: usize) -> Result<u32, Fault> {
    let text = value.get(..=digits).ok_or(Fault::Form)?;
    if !matches!(text[0], b'.' | b',') || !text[1..].iter().take(9).all(u8::is_ascii_digit) {
        return Err(Fault::Form);
    }
    *value = &value[1 + digits..];
    let kept = text[1..].iter().take(9);
    let scale = 10u32.pow(9 - kept.len() as u32);
    Ok(kept.fold(0, |number, digit| number * 10 + u32::from(digit - b'0')) * scale)
}

impl Fields {
    fn read(&mut self, piece: Piece, value: &mut &[u8], rest: &[u8]) -> Result<(), Fault> {
        match piece {
            Piece::Year => {
                // Go reads two bytes with its `Atoi`, which takes a sign as well.
                let text = value.get(..2).ok_or(Fault::Form)?;
                let text = std::str::from_utf8(text).map_err(|_| Fault::Form)?;
                let year: i64 = text.parse().map_err(|_| Fault::Form)?;
                self.year = if year >= 69 { 1900 + year } else { 2000 + year };
                *value = &value[2..];
            }
            Piece::LongYear => self.year = number(value, 4, true)?,
            Piece::Month => self.month = Some(name(value, &MONTHS, Some(3))? + 1),
            Piece::LongMonth => self.month = Some(name(value, &MONTHS, None)? + 1),
            Piece::NumberMonth | Piece::ZeroMonth => {
                let month = bounded(value, piece == Piece::ZeroMonth, 13, "month")?;
                self.month = Some(if month == 0 { return Err(Fault::Range("month")) } else { month });
            }
            Piece::Weekday => drop(name(value, &WEEKDAYS, Some(3))?),
            Piece::LongWeekday => drop(name(value, &WEEKDAYS, None)?),
            Piece::Day | Piece::UnderDay | Piece::ZeroDay => {
                if piece == Piece::UnderDay {
                    *value = value.strip_prefix(b" ").unwrap_or(value);
                }
                self.day = Some(number(value, 2, piece == Piece::ZeroDay)?);
            }
            Piece::UnderYearDay | Piece::ZeroYearDay => {
                for _ in 0..2 {
                    if piece == Piece::UnderYearDay {
                        *value = value.strip_prefix(b" ").unwrap_or(value);
                    }
                }
                self.year_day = Some(number(value, 3, piece == Piece::ZeroYearDay)?);
            }
            Piece::Hour => self.hour = bounded(value, false, 24, "hour")?,
            Piece::Hour12 | Piece::ZeroHour12 => {
                self.hour = bounded(value, piece == Piece::ZeroHour12, 13, "hour")?;
            }
            Piece::Minute | Piece::ZeroMinute => {
                self.minute = bounded(value, piece == Piece::ZeroMinute, 60, "minute")?;
            }
            Piece::Second | Piece::ZeroSecond => {
                self.second = bounded(value, piece == Piece::ZeroSecond, 60, "second")?;
                let in_layout = matches!(first_piece(rest), Some((_, Piece::Fraction { .. }, _)));
                if let [b'.' | b',', b'0'..=b'9', ..] = value
                    && !in_layout
                {
                    let digits = value[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    self.nanos = fraction(value, digits)?;
                }
            }
            Piece::UpperNoon | Piece::LowerNoon => {
                let text = value.get(..2).ok_or(Fault::Form)?;
                self.afternoon = match (piece, text) {
                    (Piece::UpperNoon, b"PM") | (Piece::LowerNoon, b"pm") => Some(true),
                    (Piece::UpperNoon, b"AM") | (Piece::LowerNoon, b"am") => self.afternoon.or(Some(false)),
                    _ => return Err(Fault::Form),
                };
                *value = &value[2..];
            }
            Piece::Offset { utc: true, .. } if value.first() == Some(&b'Z') => {
                *value = &value[1..];
                self.utc = true;
            }
            Piece::Offset { colon, minutes, seconds, .. } => {
                self.offset = Some(read_offset(value, colon, minutes, seconds)?)
            }
            Piece::Abbreviation if value.starts_with(b"UTC") => {
                *value = &value[3..];
                self.utc = true;
            }
            Piece::Abbreviation => {
                let length = abbreviation(value).ok_or(Fault::Form)?;
                self.abbreviation = Some(String::from_utf8_lossy(&value[..length]).into_owned());
                *value = &value[length..];
            }
            Piece::Fraction { digits, cut: false, .. } => self.nanos = fraction(value, digits)?,
            Piece::Fraction { .. } => {
                if let [b'.' | b',', b'0'..=b'9', ..] = value {
                    let digits = value[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    self.nanos = fraction(value, digits)?;
                }
            }
        }
        Ok(())
    }

    fn time(self, local: &Zone) -> Result<Time, &'static str> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = match self.year_day {
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
            Some(year_day) => {
                let (month, day) = Civil::of_year_day(self.year, year_day).ok_or("day-of-year out of range")?;
                if self.month.is_some_and(|seen| seen != month) {
                    return Err("day-of-year does not match month");
                }
                if self.day.is_some_and(|seen| seen != day) {
                    return Err("day-of-year does not match day");
                }
                (month, day)
            }
        };
        if day < 1 || day > days_in_month(self.year, month) {
            return Err("day out of range");
        }
        let clock = (hour * 60 + self.minute) * 60 + self.second;
        let seconds = Civil::days(self.year, month, day) * 86_400 + clock;
        let at = |seconds, zone| Ok(Time { seconds, nanos: self.nanos, zone });
        if self.utc {
            return at(seconds, Zone::Utc);
        }
        let name = self.abbreviation.unwrap_or_default();
        if let Some(offset) = self.offset {
            let seconds = seconds - i64::from(offset);
            let (local_offset, local_name) = local.at(seconds);
            let is_local = offset == local_offset && (name.is_empty() || name == local_name);
            return at(seconds, if is_local { local.clone() } else { Zone::fixed(&name, offset) });
        }
        if name.is_empty() {
            return at(local.to_utc(seconds), local.clone());
        }
        if let Some(offset) = local.offset_of(&name, seconds) {
            return at(seconds - i64::from(offset), local.clone());
        }
        let hours: i32 = name.strip_prefix("GMT").and_then(|hours| hours.parse().ok()).unwrap_or(0);
        at(seconds, Zone::fixed(&name, hours * 3600))
    }
}

fn read_offset(value: &mut &[u8], colon: bool, minutes: bool, seconds: bool) -> Result<i32, Fault> {
    let length = 3
        + usize::from(colon) * (usize::from(minutes) + usize::from(seconds))
        + 2 * (usize::from(minutes) + usize::from(seconds));
    let text = value.get(..length).ok_or(Fault::Form)?;
    let step = if colon { 3 } else { 2 };
    if colon && (text[3] != b':' || seconds && text[6] != b':') {
        return Err(Fault::Form);
    }
    let part = |index: usize, wanted: bool| {
        let at = if index == 0 { 1 } else { 3 + usize::from(colon) + (index - 1) * step };
        if wanted { number(&mut &text[at..at + 2], 2, true) } else { Ok(0) }
    };
    let parts = (part(0, true)?, part(1, minutes)?, part(2, seconds)?);
    for (number, most, what) in [
        (parts.0, 24, "time zone offset hour"),
        (parts.1, 60, "time zone offset minute"),
        (parts.2, 60, "time zone offset second"),
    ] {
        if number > most {
            return Err(Fault::Range(what));
        }
    }
    let offset = ((parts.0 * 60 + parts.1) * 60 + parts.2) as i32;
    let offset = match text[0] {
        b'+' => offset,
        b'-' => -offset,
        _ => return Err(Fault::Form),
    };
    *value = &value[length..];
    Ok(offset)
}

/// The length of a zone's abbreviation: three to five capitals, `GMT+3`, or `-03`.
fn abbreviation(value: &[u8]) -> Option<usize> {
    let signed = |value: &[u8]| {
        let digits = value.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(value.get(1..=digits)?).ok()?.parse::<u64>().ok()?;
        (matches!(value[0], b'+' | b'-') && number <= 23).then_some(digits + 1)
    };
    if value.len() < 3 {
        return None;
    }
    if value.starts_with(b"ChST") || value.starts_with(b"MeST") {
        return Some(4);
    }
    if value.starts_with(b"GMT") {
        return Some(3 + signed(&value[3..]).unwrap_or(0));
    }
    if matches!(value[0], b'+' | b'-') {
        return signed(value);
    }
    let capitals = value.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    let fits = match capitals {
        3 => true,
        4 => value[3] == b'T' || value.starts_with(b"WITA"),
        5 => value[4] == b'T',
        _ => false,
    };
    fits.then_some(capitals)
}

/// How Go's `time` package quotes in errors.
pub(super) fn quote(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for &byte in text {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            0x20..0x80 => quoted.push(char::from(byte)),
            _ => quoted += &format!("\\x{byte:02x}"),
        }
    }
    quoted.push('"');
    quoted
}
