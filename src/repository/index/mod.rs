//! `index.yaml`, the table of contents of a chart repository.
//!
//! Helm reads the file strictly: an unknown field anywhere breaks every client. So what is there is kept byte for byte
//! and only the lines of versions that come, change or go are written. JSON, which Helm reads under the same name,
//! stays JSON.

mod entry;
mod layout;
mod read;

pub use entry::{Entry, Published};
pub use read::{Charts, Found, read_charts};

use super::error::{Error, Kind, Result};
use crate::version::Version;
use layout::Unusual;
use serde_json::{Map, Value as Json};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

/// An index file in memory.
#[derive(Debug, Default)]
pub struct Index {
    text: String,
    form: Form,
    charts: Vec<Chart>,
    names: HashMap<String, usize>,
}

#[derive(Debug)]
enum Form {
    Yaml {
        head: Range<usize>,
        tail: Range<usize>,
        generated: Option<Range<usize>>,
        name_indent: usize,
        item_indent: usize,
    },
    /// All top-level fields; `entries` is empty.
    Json(Map<String, Json>),
}

impl Default for Form {
    fn default() -> Self {
        Form::Yaml { head: 0..0, tail: 0..0, generated: None, name_indent: 2, item_indent: 2 }
    }
}

#[derive(Debug)]
struct Chart {
    name: String,
    /// The line of the name and what stands before the first version.
    head: Range<usize>,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    version: String,
    digest: Option<String>,
    body: Body,
}

/// What an index says about a version.
#[derive(Debug, Clone)]
enum Body {
    /// Lines of the index's own text.
    Lines(Range<usize>),
    /// A mapping that is not indented yet.
    Yaml(String),
    Json(Json),
}

/// What publishing a version did to an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Added,
    /// It was there with the same digest.
    Same,
    /// It was there with another digest, and that was overridden.
    Replaced,
    /// It was there with the same digest, and got its signature.
    Signed,
}

/// Answers questions about single versions, see [`Index::finder`].
pub struct Finder<'a> {
    index: &'a Index,
    places: HashMap<(&'a str, &'a str), &'a Item>,
}

impl Finder<'_> {
    /// As [`Index::digest`].
    pub fn digest(&self, name: &str, version: &str) -> Option<Option<&str>> {
        self.places.get(&(name, version)).map(|item| item.digest.as_deref().map(bare_digest))
    }

    /// Whether a version's entry has this URL.
    pub fn has_url(&self, name: &str, version: &str, url: &str) -> bool {
        let Some(item) = self.places.get(&(name, version)) else { return false };
        let in_text = |text: &str| {
            text.lines().any(|line| {
                let value = line.trim().strip_prefix("- ").unwrap_or_default();
                value.trim_matches(['"', '\'']) == url
            })
        };
        match &item.body {
            Body::Lines(range) => in_text(&self.index.text[range.clone()]),
            Body::Yaml(text) => in_text(text),
            Body::Json(json) => {
                json["urls"].as_array().is_some_and(|urls| urls.iter().any(|it| it.as_str() == Some(url)))
            }
        }
    }
}

/// A version that an index has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub digest: Option<&'a str>,
}

impl Index {
    /// Reads an index, YAML or JSON.
    pub fn parse(text: String) -> Result<Self> {
        if text.trim_ascii_start().starts_with('{') {
            return Self::parse_json(&text);
        }
        match Self::parse_lines(text) {
            Ok(index) => index,
            Err(text) => match Self::parse_lines(read::normalized(&text)?) {
                Ok(index) => index,
                Err(_) => Err(malformed("its entries are not lists of versions")),
            },
        }
    }

    fn parse_lines(text: String) -> Result<Result<Self>, String> {
        let Ok(layout) = layout::scan(&text) else { return Err(text) };
        if layout.api_version.as_deref().is_none_or(str::is_empty) {
            return Ok(Err(malformed("it has no `apiVersion`")));
        }
        let charts: Vec<Chart> = layout
            .charts
            .into_iter()
            .map(|chart| {
                let head = chart.range.start..chart.items.first().map_or(chart.range.end, |item| item.range.start);
                let items = chart.items.into_iter().map(|item| Item {
                    version: item.version.unwrap_or_default(),
                    digest: item.digest,
                    body: Body::Lines(item.range),
                });
                Chart { name: chart.name, head, items: items.collect() }
            })
            .collect();
        let (head, tail) = match &layout.entries {
            Some(line) => {
                let last = charts.last().map(end_of);
                (0..line.start, last.unwrap_or(line.end)..text.len())
            }
            None => (0..text.len(), text.len()..text.len()),
        };
        let form = Form::Yaml {
            head,
            tail,
            generated: layout.generated,
            name_indent: layout.name_indent.unwrap_or(2),
            item_indent: layout.item_indent.unwrap_or(2),
        };
        let mut index = Index { text, form, charts, names: HashMap::new() };
        Ok(index.name_charts().map(|()| index))
    }

    fn parse_json(text: &str) -> Result<Self> {
        let mut top: Map<String, Json> = serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
        if top.get("apiVersion").and_then(Json::as_str).is_none_or(str::is_empty) {
            return Err(malformed("it has no `apiVersion`"));
        }
        let entries = top.get_mut("entries").map(Json::take);
        let entries = match entries {
            Some(Json::Object(entries)) => entries,
            None | Some(Json::Null) => Map::new(),
            _ => return Err(malformed("`entries` is not an object")),
        };
        let mut charts = Vec::with_capacity(entries.len());
        for (name, items) in entries {
            let items = match items {
                Json::Array(items) => items,
                Json::Null => Vec::new(),
                _ => return Err(malformed(&format!("the entry of `{name}` is not a list"))),
            };
            let text = |item: &Json, key: &str| item.get(key).and_then(Json::as_str).map(str::to_owned);
            let items = items.into_iter().map(|item| Item {
                version: text(&item, "version").unwrap_or_default(),
                digest: text(&item, "digest"),
                body: Body::Json(item),
            });
            charts.push(Chart { name, head: 0..0, items: items.collect() });
        }
        let mut index = Index { text: String::new(), form: Form::Json(top), charts, names: HashMap::new() };
        index.name_charts()?;
        Ok(index)
    }

    fn name_charts(&mut self) -> Result<()> {
        for (at, chart) in self.charts.iter().enumerate() {
            if self.names.insert(chart.name.clone(), at).is_some() {
                return Err(malformed(&format!("`{}` is there twice", chart.name)));
            }
        }
        Ok(())
    }

    /// All versions, in the order of the file.
    pub fn listed(&self) -> impl Iterator<Item = Listed<'_>> {
        self.charts.iter().flat_map(|chart| {
            chart.items.iter().map(|item| Listed {
                name: &chart.name,
                version: &item.version,
                digest: item.digest.as_deref(),
            })
        })
    }

    /// The digest of a version that is there; the inner value is `None` for an entry without one.
    pub fn digest(&self, name: &str, version: &str) -> Option<Option<&str>> {
        let chart = &self.charts[*self.names.get(name)?];
        let item = chart.items.iter().find(|item| item.version == version)?;
        Some(item.digest.as_deref().map(bare_digest))
    }

    /// A version's entry.
    pub fn entry(&self, name: &str, version: &str) -> Option<Result<Entry>> {
        let chart = &self.charts[*self.names.get(name)?];
        let item = chart.items.iter().find(|item| item.version == version)?;
        Some(match &item.body {
            Body::Lines(range) => Entry::parse(&self.text[range.clone()]),
            Body::Yaml(text) => Entry::parse(text),
            Body::Json(json) => Entry::parse(&json.to_string()),
        })
    }

    /// Adds a version where its order wants it, newest first. One that is there with another digest is replaced only
    /// with `force`.
    pub fn publish(&mut self, new: Published, force: bool) -> Result<Change> {
        let at = match self.names.get(&new.name) {
            Some(&at) => at,
            None => self.add_chart(&new.name),
        };
        let items = &mut self.charts[at].items;
        let item = Item { version: new.version, digest: Some(new.digest), body: new.body };
        if let Some(old) = items.iter_mut().find(|old| old.version == item.version) {
            let same = old.digest.as_deref().map(bare_digest) == item.digest.as_deref();
            if same {
                return Ok(Change::Same);
            }
            if !force {
                return Err(conflict(&new.name, &item.version, old.digest.as_deref(), item.digest.as_deref()));
            }
            *old = item;
            return Ok(Change::Replaced);
        }
        let older = items.iter().position(|old| newer(&item.version, &old.version) == Ordering::Greater);
        items.insert(older.unwrap_or(items.len()), item);
        Ok(Change::Added)
    }

    /// Adds many versions, each in the place of one that is there, and sorts their charts.
    pub fn publish_all(&mut self, mut new: Vec<Published>) {
        new.sort_by(|a, b| a.name.cmp(&b.name));
        let mut new = new.into_iter().peekable();
        while let Some(name) = new.peek().map(|first| first.name.clone()) {
            let at = match self.names.get(&name) {
                Some(&at) => at,
                None => self.add_chart(&name),
            };
            let items = std::mem::take(&mut self.charts[at].items);
            let places: HashMap<String, usize> =
                items.iter().enumerate().map(|(at, item)| (item.version.clone(), at)).collect();
            let mut keyed: Vec<_> = items.into_iter().map(|item| (Version::parse(&item.version).ok(), item)).collect();
            while let Some(new) = new.next_if(|new| new.name == name) {
                let place = places.get(&new.version).copied();
                let item = Item { version: new.version, digest: Some(new.digest), body: new.body };
                match place {
                    Some(place) => keyed[place].1 = item,
                    None => keyed.push((new.order, item)),
                }
            }
            keyed.sort_by(|(a, first), (b, second)| match (a, b) {
                (Some(a), Some(b)) => b.parts().cmp_precedence(a.parts()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => second.version.cmp(&first.version),
            });
            self.charts[at].items = keyed.into_iter().map(|(_, item)| item).collect();
        }
    }

    /// For many questions: finds versions without going through their chart's list each time.
    pub fn finder(&self) -> Finder<'_> {
        let mut places = HashMap::new();
        for chart in &self.charts {
            for item in &chart.items {
                places.entry((chart.name.as_str(), item.version.as_str())).or_insert(item);
            }
        }
        Finder { index: self, places }
    }

    /// Takes over the versions of another index that this one lacks.
    pub fn merge(&mut self, other: &Index) -> Result<usize> {
        let (mut new, here) = (Vec::new(), self.finder());
        for chart in &other.charts {
            for item in &chart.items {
                if here.digest(&chart.name, &item.version).is_some() {
                    continue;
                }
                let json = match &item.body {
                    Body::Json(json) => json.clone(),
                    Body::Yaml(text) => read::json(text)?,
                    Body::Lines(range) => match read::json(&other.text[range.clone()])? {
                        Json::Array(mut items) if items.len() == 1 => items.remove(0),
                        other => other,
                    },
                };
                if !json.is_object() {
                    return Err(malformed("an entry is not a mapping"));
                }
                let body = Body::Json(json);
                let (name, version) = (chart.name.clone(), item.version.clone());
                let digest = item.digest.as_deref().map(bare_digest).unwrap_or_default().to_owned();
                new.push(Published { order: Version::parse(&version).ok(), name, version, digest, body });
            }
        }
        let count = new.len();
        self.publish_all(new);
        Ok(count)
    }

    /// Keeps the versions for which `keep` holds, and says how many went.
    pub fn retain(&mut self, mut keep: impl FnMut(Listed<'_>) -> bool) -> usize {
        let mut gone = 0;
        for chart in &mut self.charts {
            let before = chart.items.len();
            let name = &chart.name;
            chart.items.retain(|item| keep(Listed { name, version: &item.version, digest: item.digest.as_deref() }));
            gone += before - chart.items.len();
        }
        self.charts.retain(|chart| !chart.items.is_empty());
        self.names = self.charts.iter().enumerate().map(|(at, chart)| (chart.name.clone(), at)).collect();
        gone
    }

    fn add_chart(&mut self, name: &str) -> usize {
        let at = self.charts.iter().position(|chart| chart.name.as_str() > name).unwrap_or(self.charts.len());
        self.charts.insert(at, Chart { name: name.to_owned(), head: 0..0, items: Vec::new() });
        for place in self.names.values_mut().filter(|place| **place >= at) {
            *place += 1;
        }
        self.names.insert(name.to_owned(), at);
        at
    }

    pub fn is_json(&self) -> bool {
        matches!(self.form, Form::Json(_))
    }

    /// Makes it JSON from now on.
    pub fn into_json(self) -> Result<Self> {
        match &self.form {
            Form::Json(_) => Ok(self),
            Form::Yaml { .. } if self.text.is_empty() && self.charts.is_empty() => {
                let form = Form::Json(Map::from_iter([("apiVersion".to_owned(), "v1".into())]));
                Ok(Index { form, ..self })
            }
            Form::Yaml { .. } => Self::parse_json(&read::json(&self.render(None)?)?.to_string()),
        }
    }

    /// The file's text. `generated` is the time to note, in RFC 3339; `None` leaves it.
    pub fn render(&self, generated: Option<&str>) -> Result<String> {
        match &self.form {
            Form::Yaml { head, tail, generated: line, name_indent, item_indent } => {
                let mut out = String::with_capacity(self.text.len() + 4096);
                let fresh = self.text.is_empty();
                let line = line.clone().filter(|_| generated.is_some());
                let stamp = || format!("generated: \"{}\"\n", generated.unwrap_or_default());
                let push_part = |out: &mut String, range: &Range<usize>| match &line {
                    Some(line) if range.start <= line.start && line.end <= range.end => {
                        out.push_str(&self.text[range.start..line.start]);
                        out.push_str(&stamp());
                        out.push_str(&self.text[line.end..range.end]);
                    }
                    _ => out.push_str(&self.text[range.clone()]),
                };
                if fresh {
                    out.push_str("apiVersion: v1\n");
                } else {
                    push_part(&mut out, head);
                    end_line(&mut out);
                }
                let some = self.charts.iter().any(|chart| !chart.items.is_empty());
                out.push_str(if some { "entries:\n" } else { "entries: {}\n" });
                for chart in self.charts.iter().filter(|chart| some && !chart.items.is_empty()) {
                    self.push_chart(&mut out, chart, *name_indent, *item_indent)?;
                }
                if fresh && generated.is_some() {
                    out.push_str(&stamp());
                }
                push_part(&mut out, tail);
                Ok(out)
            }
            Form::Json(top) => {
                let mut top = top.clone();
                let entries = self.charts.iter().map(|chart| {
                    let items = chart.items.iter().map(|item| match &item.body {
                        Body::Json(json) => Ok(json.clone()),
                        Body::Yaml(text) => read::json(text),
                        Body::Lines(range) => read::json(&self.text[range.clone()]),
                    });
                    Ok((chart.name.clone(), Json::Array(items.collect::<Result<_>>()?)))
                });
                top.insert("entries".to_owned(), Json::Object(entries.collect::<Result<_>>()?));
                if let Some(generated) = generated {
                    top.insert("generated".to_owned(), generated.into());
                }
                let text = serde_json::to_string_pretty(&top).map_err(|error| malformed(&error.to_string()))?;
                Ok(text + "\n")
            }
        }
    }

    fn push_chart(&self, out: &mut String, chart: &Chart, name_indent: usize, item_indent: usize) -> Result<()> {
        let head = &self.text[chart.head.clone()];
        // `name: []` and a comment with the last version gone read differently now.
        let is_plain = head.lines().next().is_some_and(|line| line.trim_end().ends_with(':'));
        if is_plain {
            out.push_str(head);
            end_line(out);
        } else {
            let key = entry::yaml(&Json::Object(Map::from_iter([(chart.name.clone(), Json::Null)])))?;
            let key = key.strip_suffix("null").unwrap_or(&key).trim_end();
            out.push_str(&format!("{:name_indent$}{key}\n", ""));
        }
        let blanks = " ".repeat(item_indent);
        for item in &chart.items {
            match &item.body {
                Body::Lines(range) => {
                    out.push_str(&self.text[range.clone()]);
                    end_line(out);
                }
                Body::Yaml(text) => push_lines(out, text, &blanks),
                Body::Json(json) => push_lines(out, &entry::item_yaml(json)?, &blanks),
            }
        }
        Ok(())
    }
}

/// A mapping as an item of a list.
fn push_lines(out: &mut String, text: &str, indent: &str) {
    for (number, line) in text.lines().enumerate() {
        if !line.is_empty() {
            out.push_str(indent);
            out.push_str(if number == 0 { "- " } else { "  " });
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn end_of(chart: &Chart) -> usize {
    match chart.items.last().map(|item| &item.body) {
        Some(Body::Lines(range)) => range.end,
        _ => chart.head.end,
    }
}

fn end_line(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// Orders version texts as SemVer does; what is no version comes last.
pub fn newer(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Ok(a), Ok(b)) => a.parts().cmp_precedence(b.parts()),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// A digest without `sha256:`, as an index has it.
pub fn bare_digest(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

/// The error for a version that is published with other bytes.
pub fn conflict(name: &str, version: &str, there: Option<&str>, ours: Option<&str>) -> Error {
    let digest = |digest: Option<&str>| match digest {
        Some(digest) => format!("sha256 {}", bare_digest(digest)),
        None => "no digest".to_owned(),
    };
    let message = format!(
        "`{name}` {version} is published already with other contents ({}, this archive has {})",
        digest(there),
        digest(ours)
    );
    Error::new(Kind::Conflict, message).with_hint("raise the version, or replace what is there with `--force`")
}

fn malformed(why: &str) -> Error {
    Error::new(Kind::Malformed, format!("not a repository index: {why}"))
}

impl From<Unusual> for Error {
    fn from(Unusual: Unusual) -> Self {
        malformed("its lines are not laid out as expected")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Metadata;
    use std::io::Cursor;

    fn published(name: &str, version: &str, digest: &str) -> Published {
        let metadata = Metadata { name: name.into(), version: version.into(), ..Metadata::default() };
        Published::new(&metadata, &format!("{name}-{version}.tgz"), digest, "2026-01-01T00:00:00Z")
    }

    fn versions(text: &str, name: &str) -> Vec<(String, String)> {
        let charts = read_charts(&mut Cursor::new(text), &["other", name]).expect("readable");
        let found = charts.get(name).expect("known");
        found.iter().map(|found| (found.version.clone(), found.entry().expect("an entry").digest)).collect()
    }

    const USUAL: &str = "# ours\napiVersion: v1\nentries:\n    web:\n      - version: 1.10.0\n        name: web\n        digest: aa\n        x-ours: kept\n      - version: 1.2.0\n        name: web\nserverInfo: {}\n";

    #[test]
    fn only_the_lines_of_a_version_are_written() {
        let mut index = Index::parse(USUAL.into()).expect("an index");
        assert_eq!(index.publish(published("web", "1.10.0", "aa"), false).expect("same"), Change::Same);
        assert_eq!(index.render(None).expect("text"), USUAL);
        assert_eq!(index.publish(published("web", "1.9.0", "bb"), false).expect("new"), Change::Added);
        assert_eq!(index.publish(published("api", "0.1.0", "cc"), false).expect("new"), Change::Added);
        let text = index.render(Some("2026-01-01T00:00:00Z")).expect("text");
        let added = "      - created: \"2026-01-01T00:00:00Z\"\n        digest: bb\n        name: web\n        urls:\n        - web-1.9.0.tgz\n        version: 1.9.0\n";
        let api = added.replace("bb", "cc").replace("web", "api").replace("1.9.0", "0.1.0");
        let expected = USUAL.replace("      - version: 1.2.0", &format!("{added}      - version: 1.2.0"));
        assert_eq!(text, expected.replace("    web:\n", &format!("    api:\n{api}    web:\n")));
        assert_eq!(versions(&text, "web")[1], ("1.9.0".into(), "bb".into()));
    }

    #[test]
    fn a_version_with_other_bytes_is_refused() {
        let mut index = Index::parse(USUAL.into()).expect("an index");
        let error = index.publish(published("web", "1.10.0", "zz"), false).expect_err("refused");
        assert_eq!((error.kind, index.digest("web", "1.10.0")), (Kind::Conflict, Some(Some("aa"))));
        assert_eq!(index.publish(published("web", "1.10.0", "zz"), true).expect("forced"), Change::Replaced);
        assert_eq!(versions(&index.render(None).expect("text"), "web")[0].1, "zz");
        assert_eq!(index.retain(|listed| listed.version == "none"), 2);
        assert_eq!(index.render(None).expect("text"), "# ours\napiVersion: v1\nentries: {}\nserverInfo: {}\n");
    }

    #[test]
    fn json_stays_json() {
        let text =
            r#"{"apiVersion":"v1","entries":{"web":[{"version":"1.0.0","digest":"aa","name":"web"},null]},"x":1}"#;
        assert_eq!(versions(text, "web")[0], ("1.0.0".into(), "aa".into()));
        let mut index = Index::parse(text.replace(",null", "")).expect("an index");
        index.publish(published("web", "2.0.0", "bb"), false).expect("new");
        let text = index.render(Some("now")).expect("text");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&json["entries"]["web"][0]["version"], &json["x"]), (&"2.0.0".into(), &1.into()));
        assert_eq!(versions(&text, "web").len(), 2);
    }

    #[test]
    fn any_other_layout_is_read_too() {
        let text = "entries: {web: [{version: 1.0.0, name: web, digest: aa}]}\napiVersion: v1\n";
        assert_eq!(versions(text, "web"), [("1.0.0".into(), "aa".into())]);
        let mut index = Index::parse(text.into()).expect("an index");
        index.publish(published("web", "2.0.0", "bb"), false).expect("new");
        assert_eq!(versions(&index.render(None).expect("text"), "web").len(), 2);
        let yaml = Index::default().into_json().expect("JSON").render(None).expect("text");
        assert!(yaml.starts_with("{\n  \"apiVersion\": \"v1\""), "{yaml}");
    }

    #[test]
    fn no_text_makes_it_panic() {
        let json = r#"{"apiVersion":"v1","entries":{"web":[{"version":"1.0.0","digest":"aa","name":"web"}]},"x":1}"#;
        for text in [USUAL, json] {
            for at in 0..text.len() {
                for byte in [b' ', b'\n', b':', b'-', b'{', b'"', b'#', b'\t', b'|', b'&'] {
                    let mut bytes = text.as_bytes().to_vec();
                    bytes[at] = byte;
                    let text = String::from_utf8(bytes).expect("ASCII");
                    let read = read_charts(&mut Cursor::new(&text), &["web"]);
                    let Ok(mut index) = Index::parse(text) else { continue };
                    let _ = index.publish(published("web", "1.5.0", "ee"), true);
                    let rendered = index.render(None).expect("text");
                    // What was read before the change is still there after it.
                    let after = read_charts(&mut Cursor::new(&rendered), &["web"]);
                    if let (Ok(before), Ok(after)) = (read, after) {
                        let count = |charts: &Charts| charts.get("web").map_or(0, Vec::len);
                        assert!(count(&after) >= count(&before), "{rendered}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_index_is_said() {
        for (text, why) in [
            ("entries: {}\n", "no `apiVersion`"),
            ("{\"entries\": {}}", "no `apiVersion`"),
            ("", "empty"),
            ("<html>", "web page"),
            ("apiVersion: v1\nentries: [1]\n", "expected an object of charts"),
            ("apiVersion: v1\nentries:\n  web: {a: b}\n", "expected a sequence"),
            ("{\"apiVersion\": \"v1\", \"entries\": ", "EOF"),
        ] {
            let error = read_charts(&mut Cursor::new(text), &["web"]).expect_err("no index").to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
