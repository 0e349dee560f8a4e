//! Reading one chart out of an index of any size.

use super::layout::{Scanner, Unusual};
use super::{Entry, malformed};
use crate::diagnostic::FileId;
use crate::repository::error::{Error, Kind, Result};
use crate::yaml::{self, Data, Node};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, Read, Seek, SeekFrom};
use std::ops::Range;

/// A version of the chart, read as far as its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub version: String,
    source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// The entry's text in the index.
    Index(String),
    /// The chart's name, and the tag or digest in a registry.
    Tag(String, String),
}

impl Found {
    fn listed(version: String, text: &str) -> Self {
        Found { version, source: Source::Index(text.to_owned()) }
    }

    /// A version in an OCI registry; `tag` may be a digest.
    pub fn tagged(name: &str, version: &str, tag: &str) -> Self {
        Found { version: version.to_owned(), source: Source::Tag(name.to_owned(), tag.to_owned()) }
    }

    /// All that the index says about it; a registry's tags say no more than the version.
    pub fn entry(&self) -> Result<Entry> {
        match &self.source {
            Source::Index(text) => Entry::parse(text),
            Source::Tag(name, _) => Ok(Entry { name: name.clone(), version: self.version.clone(), ..Entry::default() }),
        }
    }

    /// The chart's name and the tag, in a registry.
    pub fn tag(&self) -> Option<(&str, &str)> {
        match &self.source {
            Source::Index(_) => None,
            Source::Tag(name, tag) => Some((name, tag)),
        }
    }
}

/// Versions by chart, in the index's order.
pub type Charts = HashMap<String, Vec<Found>>;

/// The versions of some charts; one that the index does not know is missing.
///
/// Memory is for those charts alone: the rest is passed over line by line, or token by token in JSON. Only an index
/// that no program writes is built whole.
pub fn read_charts(reader: &mut (impl BufRead + Seek), names: &[&str]) -> Result<Charts> {
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
        return read_json(reader, names);
    }
    reader.seek(SeekFrom::Start(0)).map_err(disk)?;
    match read_lines(reader, names)? {
        Ok(found) => Ok(found),
        Err(Unusual) => {
            reader.seek(SeekFrom::Start(0)).map_err(disk)?;
            let mut text = String::new();
            reader.read_to_string(&mut text).map_err(disk)?;
            read_json(json(&text)?.to_string().as_bytes(), names)
        }
    }
}

fn read_lines(reader: &mut impl BufRead, names: &[&str]) -> Result<Result<Charts, Unusual>> {
    let mut scanner = Scanner::new(Some(names));
    let mut line = Vec::new();
    let mut kept = Vec::new();
    // Where each stretch of kept lines begins, in the file and in `kept`.
    let mut stretches: Vec<(usize, usize)> = Vec::new();
    let (mut offset, mut keeping) = (0, false);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(disk)? == 0 {
            break;
        }
        match scanner.line(&line) {
            Ok(true) => {
                if !keeping {
                    stretches.push((offset, kept.len()));
                }
                keeping = true;
                kept.extend_from_slice(&line);
            }
            Ok(false) => keeping = false,
            Err(unusual) => return Ok(Err(unusual)),
        }
        offset += line.len();
    }
    let layout = scanner.finish();
    if layout.api_version.as_deref().is_none_or(str::is_empty) {
        return Err(malformed("it has no `apiVersion`"));
    }
    let text_of = |range: &Range<usize>| {
        let at = stretches.partition_point(|(start, _)| *start <= range.start).checked_sub(1)?;
        let (start, place) = stretches[at];
        let place = range.start - start + place;
        std::str::from_utf8(kept.get(place..place + range.len())?).ok()
    };
    let mut charts = Charts::new();
    for chart in layout.charts.into_iter().filter(|chart| names.contains(&chart.name.as_str())) {
        let mut found = Vec::with_capacity(chart.items.len());
        for item in chart.items {
            let text = text_of(&item.range).ok_or_else(|| malformed("it is not UTF-8 text"))?;
            found.push(Found::listed(item.version.unwrap_or_default(), text));
        }
        charts.insert(chart.name, found);
    }
    Ok(Ok(charts))
}

fn read_json(reader: impl Read, names: &[&str]) -> Result<Charts> {
    #[derive(serde::Deserialize)]
    struct Head {
        #[serde(default)]
        version: String,
    }
    let bad = |error: serde_json::Error| malformed(&error.to_string());
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let mut charts = Charts::new();
    for (name, items) in (Top { names }).deserialize(&mut deserializer).map_err(bad)? {
        let found = items.into_iter().flatten().map(|item| {
            let head: Head = serde_json::from_str(item.get()).map_err(bad)?;
            Ok(Found::listed(head.version, item.get()))
        });
        charts.insert(name, found.collect::<Result<_>>()?);
    }
    Ok(charts)
}

type Items = Vec<(String, Vec<Option<Box<RawValue>>>)>;

/// The top level: an `apiVersion`, and of `entries` some charts.
struct Top<'a> {
    names: &'a [&'a str],
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = Items;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Items;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an index object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut has_version) = (Items::new(), false);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "entries" => found = map.next_value_seed(Entries { names: self.names })?,
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
    names: &'a [&'a str],
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = Items;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Items;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of charts")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Items::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Items::new();
        while let Some(key) = map.next_key::<String>()? {
            if self.names.contains(&key.as_str()) {
                let items = map.next_value::<Option<Vec<Option<Box<RawValue>>>>>()?;
                found.push((key, items.unwrap_or_default()));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Nodes of a text that is built whole, some 150 bytes of memory each.
const MAX_NODES: usize = 10_000_000;

/// A YAML text as JSON.
pub(super) fn json(text: &str) -> Result<Json> {
    // Before each node but the first one of these stands.
    let nodes = text.bytes().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{' | b'\n')).take(MAX_NODES + 1);
    if nodes.count() > MAX_NODES {
        return Err(malformed("it is too large to be laid out as no program does"));
    }
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
