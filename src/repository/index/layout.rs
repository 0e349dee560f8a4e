//! Finds the entries of an `index.yaml` by its lines, without building it in memory.
//!
//! Index files are written by programs, in block style: chart names at one indent, a `-` for each version. That is all
//! this reads; anything else (flow style, JSON, anchors at odd places) is [`Unusual`], and the caller reads it whole.

use std::collections::HashSet;
use std::ops::Range;

/// The text is not laid out as programs lay out an index.
#[derive(Debug, PartialEq, Eq)]
pub struct Unusual;

/// A chart's versions, where they stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chart {
    pub name: String,
    /// From the line of the name up to that of the next one.
    pub range: Range<usize>,
    pub items: Vec<Item>,
}

/// One version.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// Its lines.
    pub range: Range<usize>,
    pub version: Option<String>,
    pub digest: Option<String>,
}

/// Where the parts of an index are. Offsets are bytes of the text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub api_version: Option<String>,
    /// The line of `generated:`.
    pub generated: Option<Range<usize>>,
    /// The line of `entries:`.
    pub entries: Option<Range<usize>>,
    pub charts: Vec<Chart>,
    /// Indent of the chart names.
    pub name_indent: Option<usize>,
    /// Indent of the dashes.
    pub item_indent: Option<usize>,
    /// Length of the text that was read.
    pub length: usize,
}

/// Reads lines one by one.
#[derive(Debug, Default)]
pub struct Scanner {
    layout: Layout,
    in_entries: bool,
    /// Indent of the keys of the current item.
    key_indent: Option<usize>,
    /// The charts whose items are wanted; all where `None`.
    wanted: Option<HashSet<String>>,
    in_wanted: bool,
    started: bool,
    ended: bool,
}

impl Scanner {
    pub fn new(wanted: Option<&[&str]>) -> Self {
        let wanted = wanted.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        Scanner { wanted, ..Self::default() }
    }

    /// Takes the next line, with its line break. Says whether the line belongs to an item that is wanted.
    pub fn line(&mut self, line: &[u8]) -> Result<bool, Unusual> {
        let start = self.layout.length;
        self.layout.length += line.len();
        let range = start..self.layout.length;
        let text = trim_end(line);
        let indent = text.iter().take_while(|&&byte| byte == b' ').count();
        let rest = &text[indent..];
        match rest.first() {
            None | Some(b'#') => return Ok(self.continues(range)),
            // Text of a block scalar may well start with a tab.
            Some(b'\t') if !self.key_indent.is_some_and(|keys| self.in_entries && indent > keys) => {
                return Err(Unusual);
            }
            _ => {}
        }
        if indent == 0 {
            return self.top(rest, range).map(|()| false);
        }
        if !self.in_entries {
            return Ok(false);
        }
        let names = *self.layout.name_indent.get_or_insert(indent);
        let dash = rest[0] == b'-' && rest.get(1).is_none_or(|&byte| byte == b' ');
        if indent < names {
            return Err(Unusual);
        }
        if indent == names && !dash {
            return self.name(rest, range).map(|()| false);
        }
        if self.layout.charts.is_empty() {
            return Err(Unusual);
        }
        let items = match self.layout.item_indent {
            Some(items) => items,
            None if dash => *self.layout.item_indent.insert(indent),
            None => return Err(Unusual),
        };
        if dash && indent == items {
            self.start_item(text, indent, range)?;
        } else if indent <= items {
            return Err(Unusual);
        } else {
            if self.key_indent.is_none() {
                self.key_indent = Some(indent);
            }
            if !self.continues(range) {
                return Ok(false);
            }
            self.key(text, indent)?;
        }
        Ok(self.in_wanted)
    }

    /// The layout, once all lines were read.
    pub fn finish(self) -> Layout {
        self.layout
    }

    fn chart(&mut self) -> Option<&mut Chart> {
        self.layout.charts.last_mut()
    }

    /// Lengthens the current item, or only its chart.
    fn continues(&mut self, range: Range<usize>) -> bool {
        let wanted = self.in_wanted;
        if !self.in_entries {
            return false;
        }
        let Some(chart) = self.chart() else { return false };
        chart.range.end = range.end;
        match chart.items.last_mut() {
            Some(item) if wanted => {
                item.range.end = range.end;
                true
            }
            _ => false,
        }
    }

    fn top(&mut self, rest: &[u8], range: Range<usize>) -> Result<(), Unusual> {
        if rest == b"---" && !self.started {
            return Ok(());
        }
        if rest == b"..." || rest == b"---" || rest[0] == b'-' || self.ended {
            // A list of the top level, or a second document.
            self.ended = true;
            return if rest == b"..." { Ok(()) } else { Err(Unusual) };
        }
        self.started = true;
        self.in_entries = false;
        let (key, value) = entry(rest)?;
        match key.as_str() {
            "apiVersion" => self.layout.api_version = Some(scalar(value)?.ok_or(Unusual)?),
            "generated" => self.layout.generated = Some(range),
            "entries" => {
                if self.layout.entries.is_some() {
                    return Err(Unusual);
                }
                self.layout.entries = Some(range);
                self.in_entries = match value {
                    b"" => true,
                    b"{}" | b"null" | b"~" => false,
                    _ => return Err(Unusual),
                };
            }
            _ => {}
        }
        Ok(())
    }

    fn name(&mut self, rest: &[u8], range: Range<usize>) -> Result<(), Unusual> {
        let (name, value) = entry(rest)?;
        if !matches!(value, b"" | b"[]" | b"null" | b"~") {
            return Err(Unusual);
        }
        self.in_wanted = self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&name));
        self.layout.charts.push(Chart { name, range, items: Vec::new() });
        Ok(())
    }

    fn start_item(&mut self, text: &[u8], indent: usize, range: Range<usize>) -> Result<(), Unusual> {
        let inner = text[indent + 1..].iter().position(|&byte| byte != b' ');
        self.key_indent = inner.map(|at| indent + 1 + at);
        let wanted = self.in_wanted;
        let chart = self.chart().ok_or(Unusual)?;
        chart.range.end = range.end;
        if !wanted {
            return Ok(());
        }
        chart.items.push(Item { range, ..Item::default() });
        match self.key_indent {
            Some(at) => self.key(text, at),
            None => Ok(()),
        }
    }

    /// Notes version and digest where the line is such a key of the item.
    fn key(&mut self, text: &[u8], indent: usize) -> Result<(), Unusual> {
        if self.key_indent != Some(indent) {
            return Ok(());
        }
        let rest = &text[indent..];
        let is_version = rest.starts_with(b"version:");
        if !is_version && !rest.starts_with(b"digest:") {
            // Keys in quotes, anchors and flow mappings would hide what is looked for.
            return if matches!(rest[0], b'"' | b'\'' | b'{' | b'&' | b'*' | b'?' | b'<') {
                Err(Unusual)
            } else {
                Ok(())
            };
        }
        let (_, value) = entry(rest)?;
        let value = scalar(value)?;
        let item = self.chart().and_then(|chart| chart.items.last_mut()).ok_or(Unusual)?;
        if is_version {
            item.version = value;
        } else {
            item.digest = value;
        }
        Ok(())
    }
}

fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    line.trim_ascii_end()
}

/// Splits `key: value`.
fn entry(text: &[u8]) -> Result<(String, &[u8]), Unusual> {
    let (key, rest) = match text[0] {
        quote @ (b'"' | b'\'') => {
            let end = memchr::memchr(quote, &text[1..]).ok_or(Unusual)?;
            (&text[..end + 2], &text[end + 2..])
        }
        _ => {
            let mut from = 0;
            let colon = loop {
                let at = memchr::memchr(b':', &text[from..]).ok_or(Unusual)? + from;
                if text.get(at + 1).is_none_or(|&byte| byte == b' ') {
                    break at;
                }
                from = at + 1;
            };
            (&text[..colon], &text[colon..])
        }
    };
    let value = rest.strip_prefix(b":").ok_or(Unusual)?;
    if value.first().is_some_and(|&byte| byte != b' ') {
        return Err(Unusual);
    }
    let mut value = value.trim_ascii();
    if value.starts_with(b"#") {
        value = b"";
    }
    Ok((scalar(key)?.ok_or(Unusual)?, value))
}

/// A scalar on one line, without escapes; `None` for null.
fn scalar(text: &[u8]) -> Result<Option<String>, Unusual> {
    let text = std::str::from_utf8(text).map_err(|_| Unusual)?;
    let inner = match text.as_bytes().first() {
        None => return Ok(None),
        Some(&quote @ (b'"' | b'\'')) => {
            let (inner, rest) = text[1..].split_once(char::from(quote)).ok_or(Unusual)?;
            if inner.contains('\\') || !(rest.is_empty() || rest.trim_start().starts_with('#') && rest.starts_with(' '))
            {
                return Err(Unusual);
            }
            return Ok(Some(inner.to_owned()));
        }
        Some(b'&' | b'*' | b'!' | b'|' | b'>' | b'{' | b'[' | b'%' | b'@' | b'`' | b'?') => return Err(Unusual),
        _ => text.split(" #").next().unwrap_or(text).trim_end(),
    };
    Ok((!matches!(inner, "null" | "~" | "Null" | "NULL")).then(|| inner.to_owned()))
}

/// The layout of a whole text.
pub fn scan(text: &str) -> Result<Layout, Unusual> {
    let mut scanner = Scanner::new(None);
    for line in text.as_bytes().split_inclusive(|&byte| byte == b'\n') {
        scanner.line(line)?;
    }
    Ok(scanner.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
apiVersion: v1
entries:
  alpine:
  - apiVersion: v2
    description: |
      version: 9.9.9

      - not an item
    digest: \"ab12\"
    version: 0.2.0
    urls:
    - alpine-0.2.0.tgz
  # a comment
  - version: '0.1.0' # old
  empty: []
  \"web\":
  - version: 1.0.0+build
generated: \"2026-01-01T00:00:00Z\"
";

    #[test]
    fn entries_are_found_by_their_lines() {
        let layout = scan(TEXT).expect("the usual layout");
        let shown: Vec<_> = layout
            .charts
            .iter()
            .map(|chart| {
                let items = chart.items.iter().map(|item| {
                    let text = &TEXT[item.range.clone()];
                    (item.version.as_deref(), item.digest.as_deref(), text.lines().count())
                });
                (chart.name.as_str(), items.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("alpine", vec![(Some("0.2.0"), Some("ab12"), 10), (Some("0.1.0"), None, 1)]),
                ("empty", vec![]),
                ("web", vec![(Some("1.0.0+build"), None, 1)]),
            ]
        );
        assert!(TEXT[layout.charts[0].range.clone()].ends_with("# old\n"));
        assert!(TEXT[layout.generated.expect("there")].starts_with("generated:"));
        assert_eq!((layout.name_indent, layout.item_indent, layout.length), (Some(2), Some(2), TEXT.len()));
    }

    #[test]
    fn one_chart_is_picked_out_of_a_stream() {
        let mut scanner = Scanner::new(Some(&["web"]));
        let mut kept = Vec::new();
        for line in TEXT.as_bytes().split_inclusive(|&byte| byte == b'\n') {
            if scanner.line(line).expect("the usual layout") {
                kept.extend_from_slice(line);
            }
        }
        assert_eq!(kept, b"  - version: 1.0.0+build\n");
        let layout = scanner.finish();
        assert_eq!(layout.charts.iter().map(|chart| chart.items.len()).sum::<usize>(), 1);
    }

    #[test]
    fn other_indents_are_usual_too() {
        let text =
            "entries:\n    web:\n      -\n        version: 1.0.0\n      -   version: 2.0.0\n          digest: x\n";
        let layout = scan(text).expect("the usual layout");
        let versions: Vec<_> = layout.charts[0].items.iter().map(|item| item.version.as_deref()).collect();
        assert_eq!(versions, [Some("1.0.0"), Some("2.0.0")]);
        assert_eq!((layout.name_indent, layout.item_indent), (Some(4), Some(6)));
        assert_eq!(scan("entries: {}\napiVersion: v1\n").expect("empty").charts, []);
    }

    #[test]
    fn what_lines_cannot_tell_is_unusual() {
        for text in [
            "{\"entries\": {}}",
            "entries: {web: []}\n",
            "entries:\n  web: [{version: 1.0.0}]\n",
            "entries:\n  web:\n  - {version: 1.0.0}\n",
            "entries:\n  web:\n  - &a\n    version: 1.0.0\n",
            "entries:\n  web:\n  - \"version\": 1.0.0\n",
            "entries:\n  web:\n  - version: \"1.\\x30.0\"\n",
            "entries:\n  web:\n  - version: |\n      1.0.0\n",
            "entries:\n\tweb:\n",
            "entries:\n  - web\n",
            "entries:\n    web:\n  other:\n",
            "entries:\n  web:\n    version: 1.0.0\n",
            "- entries\n",
            "entries:\n---\nentries:\n",
            "entries:\nentries:\n",
        ] {
            assert_eq!(scan(text), Err(Unusual), "{text}");
        }
    }
}
