//! Reading one chart out of an index of any size.

use super::layout::{Scanner, Unusual};
use super::{Entry, malformed};
use crate::diagnostic::FileId;
use crate::repository::error::{Error, Kind, Result};
use crate::yaml::{self, Data, Node};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use std::fmt;
use std::io::{BufRead, Read, Seek, SeekFrom};

/// A version of the chart, read as far as its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub version: String,
    text: String,
}

impl Found {
    /// All of it.
    pub fn entry(&self) -> Result<Entry> {
        Entry::parse(&self.text)
    }
}

/// The versions of one chart, in the index's order; `None` where the index does not know the chart.
///
/// Memory is for that chart alone: the rest is passed over line by line, or token by token in JSON. Only an index that
/// no program writes is built whole.
pub fn read_chart(reader: &mut (impl BufRead + Seek), name: &str) -> Result<Option<Vec<Found>>> {
    let first = loop {
        match reader.fill_buf().map_err(disk)? {
            [] => return Err(malformed("it is empty")),
            [first, ..] if !first.is_ascii_whitespace() => break *first,
            [_, ..] => reader.consume(1),
        }
    };
    if first == b'<' {
        return Err(malformed("it is a web page"));
    }
    if first == b'{' {
        return read_json(reader, name);
    }
    reader.seek(SeekFrom::Start(0)).map_err(disk)?;
    match read_lines(reader, name)? {
        Ok(found) => Ok(found),
        Err(Unusual) => {
            reader.seek(SeekFrom::Start(0)).map_err(disk)?;
            let mut text = String::new();
            reader.read_to_string(&mut text).map_err(disk)?;
            read_json(json(&text)?.to_string().as_bytes(), name)
        }
    }
}

fn read_lines(reader: &mut impl BufRead, name: &str) -> Result<Result<Option<Vec<Found>>, Unusual>> {
    let mut scanner = Scanner::new(Some(name));
    let mut line = Vec::new();
    let mut kept = Vec::new();
    // Offset in the file, and in `kept`, of each stretch of lines that was kept.
    let mut offset = 0;
    let mut starts = None;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(disk)? == 0 {
            break;
        }
        match scanner.line(&line) {
            Ok(true) => {
                starts.get_or_insert(offset);
                kept.extend_from_slice(&line);
            }
            Ok(false) => {}
            Err(unusual) => return Ok(Err(unusual)),
        }
        offset += line.len();
    }
    let layout = scanner.finish();
    if layout.api_version.as_deref().is_none_or(str::is_empty) {
        return Err(malformed("it has no `apiVersion`"));
    }
    let Some(chart) = layout.charts.into_iter().find(|chart| chart.name == name) else { return Ok(Ok(None)) };
    let start = starts.unwrap_or_default();
    let mut found = Vec::with_capacity(chart.items.len());
    for item in chart.items {
        let bytes = kept.get(item.range.start - start..item.range.end - start);
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| malformed("it is not UTF-8 text"))?;
        found.push(Found { version: item.version.unwrap_or_default(), text: text.to_owned() });
    }
    Ok(Ok(Some(found)))
}

fn read_json(reader: impl Read, name: &str) -> Result<Option<Vec<Found>>> {
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let found = Top { name }.deserialize(&mut deserializer).map_err(|error| malformed(&error.to_string()))?;
    let Some(items) = found else { return Ok(None) };
    let found = items.into_iter().flatten().map(|item| {
        #[derive(serde::Deserialize)]
        struct Head {
            #[serde(default)]
            version: String,
        }
        let head: Head = serde_json::from_str(item.get()).map_err(|error| malformed(&error.to_string()))?;
        Ok(Found { version: head.version, text: item.get().to_owned() })
    });
    found.collect::<Result<_>>().map(Some)
}

type Items = Vec<Option<Box<RawValue>>>;

/// The top level: an `apiVersion`, and of `entries` one chart.
struct Top<'a> {
    name: &'a str,
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = Option<Items>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Option<Items>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an index object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut has_version) = (None, false);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "entries" => found = map.next_value_seed(Entries { name: self.name })?,
                "apiVersion" => has_version = !map.next_value::<String>()?.is_empty(),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if !has_version {
            return Err(serde::de::Error::custom("it has no `apiVersion`"));
        }
        Ok(found)
    }
}

struct Entries<'a> {
    name: &'a str,
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = Option<Items>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Option<Items>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of charts")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.name {
                found = Some(map.next_value::<Option<Items>>()?.unwrap_or_default());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// A YAML text as JSON.
pub(super) fn json(text: &str) -> Result<Json> {
    let parsed = yaml::read(text, FileId(0));
    let node = parsed.first().map_err(|error| malformed(&error.diagnostic.message))?;
    Ok(to_json(&node))
}

/// An index laid out as programs do.
pub(super) fn normalized(text: &str) -> Result<String> {
    let json = json(text)?;
    if !json.is_object() {
        return Err(malformed("it is not a mapping"));
    }
    Ok(super::entry::yaml(&json)? + "\n")
}

fn to_json(node: &Node) -> Json {
    match &node.data {
        Data::Null => Json::Null,
        Data::Bool(value) => Json::Bool(*value),
        Data::Int(number) => (*number).into(),
        Data::Uint(number) => (*number).into(),
        Data::Float(number) => (*number).into(),
        Data::Str(text) => Json::String(text.to_string()),
        Data::Seq(items) => Json::Array(items.iter().map(to_json).collect()),
        Data::Map(map) => {
            Json::Object(map.iter().map(|(key, entry)| (key.to_string(), to_json(&entry.value))).collect())
        }
    }
}

fn disk(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::InvalidData {
        return malformed("it is not UTF-8 text");
    }
    Error::new(Kind::Disk, format!("failed to read the index: {error}"))
}
