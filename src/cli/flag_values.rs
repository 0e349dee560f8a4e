//! Values of flags as Go's flag libraries read them, for the flags of `helm template` that have no effect here: what
//! Helm refuses is refused.

use crate::template::helm::Duration;
use crate::value::number::{ParseError, parse_float, parse_int};

/// The names that Helm keeps for labels of its own.
const RESERVED: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];

/// A Go duration: `5m30s`.
pub(super) fn duration(text: &str) -> Result<String, String> {
    match Duration::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("{error}; a duration has units: `90s`, `5m30s`")),
    }
}

/// A number that fits in 32 bits.
pub(super) fn float(text: &str) -> Result<String, String> {
    const END: f64 = 340_282_356_779_733_661_637_539_395_458_142_568_448.0;
    match parse_float(text) {
        Ok(number) if number.is_finite() && number.abs() >= END => Err("the number is out of range".to_owned()),
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(number_error(&error)),
    }
}

/// A whole number in Go's notations: `100`, `0x64`.
pub(super) fn integer(text: &str) -> Result<String, String> {
    match parse_int(text, 0) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(number_error(&error)),
    }
}

fn number_error(error: &ParseError) -> String {
    match error {
        ParseError::Range => "the number is out of range".to_owned(),
        ParseError::Syntax => "this is no number".to_owned(),
    }
}

/// A way to wait.
pub(super) fn wait(text: &str) -> Result<String, String> {
    match text {
        "watcher" | "hookOnly" | "legacy" | "true" | "false" => Ok(text.to_owned()),
        _ => Err("the ways to wait are `watcher`, `hookOnly` and `legacy`".to_owned()),
    }
}

/// `a=b,c=d`, none of them a label of Helm's own.
pub(super) fn labels(text: &str) -> Result<String, String> {
    let pairs = match text.matches('=').count() {
        0 => return Err("a label is written KEY=VALUE".to_owned()),
        1 => vec![text.trim_matches('"').to_owned()],
        _ => record(text)?.0,
    };
    for pair in pairs {
        let Some((key, _)) = pair.split_once('=') else {
            return Err(format!("a label is written KEY=VALUE, not `{pair}`"));
        };
        if RESERVED.contains(&key) {
            return Err(format!("the label `{key}` is Helm's own, as are {}", RESERVED.join(", ")));
        }
    }
    Ok(text.to_owned())
}

/// The fields of one flag's value: commas are between them, except inside of quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record(pub Vec<String>);

impl std::ops::Deref for Record {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl From<Vec<String>> for Record {
    fn from(fields: Vec<String>) -> Self {
        Record(fields)
    }
}

/// The first record of a text in CSV (RFC 4180, as Go's `encoding/csv` reads it).
pub(super) fn record(text: &str) -> Result<Record, String> {
    let mut text = text.trim_start_matches(['\r', '\n']);
    let mut fields = Vec::new();
    if text.is_empty() {
        return Ok(Record(fields));
    }
    loop {
        let (field, after) = match text.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = text.find([',', '\n']).unwrap_or(text.len());
                let (field, after) = text.split_at(end);
                if field.contains('"') {
                    return Err("a quote stands inside of an unquoted field".to_owned());
                }
                (field.strip_suffix('\r').unwrap_or(field).to_owned(), after)
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(after) => text = after,
            None => return Ok(Record(fields)),
        }
    }
}

/// The rest of a field after its first quote, and what is behind the field.
fn quoted_field(mut text: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    loop {
        let Some((part, after)) = text.split_once('"') else {
            return Err("a quote is not closed".to_owned());
        };
        field += &part.replace("\r\n", "\n");
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                text = after;
            }
            None if after.is_empty() || after.starts_with([',', '\n']) || after.starts_with("\r\n") => {
                return Ok((field, after));
            }
            None => return Err("a closing quote is not followed by a comma".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_in_go() {
        for (text, expected) in [
            ("a,b", Some(vec!["a", "b"])),
            ("a,", Some(vec!["a", ""])),
            ("", Some(vec![])),
            ("a,\"b,c\"", Some(vec!["a", "b,c"])),
            ("\"a\"\"b\"", Some(vec!["a\"b"])),
            ("\"\"", Some(vec![""])),
            ("a\nb", Some(vec!["a"])),
            ("\na", Some(vec!["a"])),
            (" \"a\"", None),
            ("\"a", None),
            ("a\"b", None),
            ("\"a\"b", None),
        ] {
            let found = record(text).ok();
            let found = found.as_ref().map(|record| record.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(found, expected, "{text}");
        }
    }
}
