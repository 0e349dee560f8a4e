//! Values as YAML text in the style of a file.

use super::style::FileStyle;
use crate::diagnostic::Sources;
use crate::value::Value;
use crate::yaml::{self, Data, Node, Place, Resolved, Style, is_literal, is_plain, push_escaped, push_scalar, to_yaml};

/// Writes values as a file does.
pub(super) struct Writer<'a> {
    pub style: &'a FileStyle,
    /// The file does not end in a newline, so no literal block can at its end.
    pub open_end: bool,
    pub sources: &'a Sources,
}

impl Writer<'_> {
    /// A value on one line. `like` is how what it replaces is written.
    pub(super) fn inline(&self, node: &Node, like: Option<Style>, place: Place) -> String {
        match &node.data {
            Data::Str(text) => self.string(text, like, place),
            Data::Map(map) => {
                let entries = map
                    .iter()
                    .map(|(key, entry)| format!("{}: {}", self.key(key), self.inline(&entry.value, None, Place::Flow)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
            Data::Seq(items) => {
                let items = items.iter().map(|item| self.inline(item, None, Place::Flow));
                format!("[{}]", items.collect::<Vec<_>>().join(", "))
            }
            Data::Null => "null".to_owned(),
            data => self.as_given(node).unwrap_or_else(|| match data {
                Data::Bool(value) => value.to_string(),
                Data::Int(number) => number.to_string(),
                Data::Uint(number) => number.to_string(),
                Data::Float(number) => to_yaml(&Value::Float(*number)).unwrap_or_else(|_| number.to_string()),
                _ => String::new(),
            }),
        }
    }

    /// A number or boolean in the words of the argument: `0755`, `1e6`.
    fn as_given(&self, node: &Node) -> Option<String> {
        if node.style != Style::Argument || self.style.json {
            return None;
        }
        let text = self.sources.text(node.span.file).get(node.span.start as usize..node.span.end as usize)?;
        let same = match (yaml::resolve(text), &node.data) {
            (Resolved::Bool(a), Data::Bool(b)) => a == *b,
            (Resolved::Int(a), Data::Int(b)) => a == *b,
            (Resolved::Uint(a), Data::Uint(b)) => a == *b,
            (Resolved::Float(a), Data::Float(b)) => a == *b,
            _ => false,
        };
        same.then(|| text.to_owned())
    }

    fn string(&self, text: &str, like: Option<Style>, place: Place) -> String {
        let style = match like {
            _ if self.style.json => Style::DoubleQuoted,
            Some(style @ (Style::SingleQuoted | Style::DoubleQuoted)) => style,
            Some(Style::Plain) if !text.is_empty() => Style::Plain,
            _ => self.style.quotes,
        };
        let style = if style == Style::Plain && !is_plain(text, place) { self.style.needed } else { style };
        match style {
            Style::Plain => text.to_owned(),
            Style::SingleQuoted if is_single(text) => format!("'{}'", text.replace('\'', "''")),
            _ => {
                let mut out = "\"".to_owned();
                push_escaped(&mut out, text);
                out + "\""
            }
        }
    }

    pub(super) fn key(&self, key: &str) -> String {
        let mut out = String::new();
        if self.style.json {
            out.push('"');
            push_escaped(&mut out, key);
            out.push('"');
        } else {
            push_scalar(&mut out, key, Place::Key);
        }
        out
    }

    /// The lines of `key: value`, indented.
    pub(super) fn entry(&self, key: &str, node: &Node, indent: usize) -> Vec<String> {
        let start = format!("{}{}:", " ".repeat(indent), self.key(key));
        if is_lines(node) {
            let mut lines = vec![start];
            lines.extend(self.lines(node, indent + self.inner(node)));
            return lines;
        }
        self.value(start, node, indent + self.style.step)
    }

    /// The lines of `- value`, indented.
    pub(super) fn item(&self, node: &Node, indent: usize) -> Vec<String> {
        if !is_lines(node) {
            return self.value(format!("{}-", " ".repeat(indent)), node, indent + 2);
        }
        let mut lines = self.lines(node, indent + 2);
        if let Some(first) = lines.first_mut() {
            first.replace_range(indent..=indent, "-");
        }
        lines
    }

    /// Whether a text can be written as a literal block.
    pub(super) fn is_literal(&self, text: &str) -> bool {
        is_literal(text) && !(self.open_end && text.ends_with('\n'))
    }

    /// How much deeper than its key a collection stands.
    pub(super) fn inner(&self, node: &Node) -> usize {
        if matches!(node.data, Data::Seq(_)) { self.style.list } else { self.style.step }
    }

    /// The lines of a mapping or list that has entries.
    pub(super) fn lines(&self, node: &Node, indent: usize) -> Vec<String> {
        match &node.data {
            Data::Map(map) => map.iter().flat_map(|(key, entry)| self.entry(key, &entry.value, indent)).collect(),
            Data::Seq(items) => items.iter().flat_map(|item| self.item(item, indent)).collect(),
            _ => Vec::new(),
        }
    }

    fn value(&self, start: String, node: &Node, inner: usize) -> Vec<String> {
        match node.as_str() {
            Some(text) if self.is_literal(text) => {
                let mut lines = vec![format!("{start} {}", literal_header(text))];
                lines.extend(literal_lines(text, inner));
                lines
            }
            _ => vec![format!("{start} {}", self.inline(node, None, Place::Block))],
        }
    }
}

/// Whether a value takes lines of its own.
pub(super) fn is_lines(node: &Node) -> bool {
    match &node.data {
        Data::Map(map) => !map.is_empty(),
        Data::Seq(items) => !items.is_empty(),
        _ => false,
    }
}

pub(super) fn literal_header(text: &str) -> &'static str {
    if text.ends_with('\n') { "|" } else { "|-" }
}

pub(super) fn literal_lines(text: &str, indent: usize) -> Vec<String> {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(indent)) };
    text.lines().map(line).collect()
}

/// Whether a text can stand in single quotes on one line.
fn is_single(text: &str) -> bool {
    !text.chars().any(|char| char.is_control() || matches!(char, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}'))
}
