//! From a finding in rendered text to the template that wrote the text and the values that the template read.

use super::Rendered;
use crate::diagnostic::{Code, Diagnostic, FileId, Label, Sources, Span};
use crate::manifest::Manifests;
use crate::yaml::{Data, Node};

/// Past this many values only the first ones are shown.
const MOST_VALUES: usize = 2;

/// The sources of values, for saying which of them set one.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The user's layers, lowest first.
    pub files: Vec<FileId>,
}

/// Adds to each finding in rendered text where the text was written, and which values it was made of.
pub fn explain(
    findings: &mut [Diagnostic],
    rendered: &Rendered,
    manifests: &Manifests,
    values: &Node,
    layers: &Layers,
    sources: &Sources,
) {
    for finding in findings {
        let Some(label) = finding.labels.first() else { continue };
        let span = label.span;
        let Some(file) = rendered.files.iter().find(|file| file.file == span.file) else { continue };
        let mut labels = Vec::new();
        // An error at the end of the text belongs to what was written last.
        let start =
            (span.start..=span.start).chain(span.start.checked_sub(1)).find(|&at| file.map.template(at).is_some());
        let Some(start) = start else { continue };
        if let Some(written) = file.map.template(start) {
            let written = widened(written, &file.map, span);
            // What a helper wrote is told where it was asked for, where the finding says where that is.
            let around = finding.labels.get(1).map(|label| label.span).filter(|around| around.file == span.file);
            if let Some((around, place)) = around.and_then(|around| Some((around, file.map.template(around.start)?)))
                && place.file != written.file
            {
                let place = widened(place, &file.map, around);
                labels.push(Label { span: place, text: "asked for here".to_owned() });
            }
            labels.push(Label { span: written, text: "written here".to_owned() });
        }
        let document = manifests
            .iter()
            .find(|manifest| {
                let place = manifest.span;
                place.file == span.file && place.start <= span.start && span.start < place.end
            })
            .and_then(|manifest| manifest.node.as_ref());
        let (path, is_key) = document.and_then(|document| path_to(document, span)).unwrap_or_default();
        let mut reads = file.map.values_in(start, span.end.max(start + 1));
        if reads.is_empty() {
            // A key that the template has: its value stands behind it on the line.
            let line = sources.position(span.file, start).line;
            reads = file.map.values_in(start, sources.line_range(span.file, line).end as u32);
        }
        if reads.is_empty() && finding.code == Code::MissingField {
            // What a mapping lacks is told at its key; the values are those of its own lines.
            if let Some(own) = document.filter(|_| is_key).and_then(|document| follow(document, &path)) {
                let line = sources.position(span.file, own.span.start).line;
                reads = file.map.values_in(own.span.start, sources.line_range(span.file, line).end as u32);
            }
        }
        for read in reads {
            if labels.len() > MOST_VALUES {
                break;
            }
            let place = find(values, read).and_then(|node| deepest(node, &path, is_key)).unwrap_or(read);
            if !labels.iter().any(|label| label.span == place) {
                labels.push(Label { span: place, text: layers.say(place.file) });
            }
        }
        if labels.len() < 2
            && let Some(place) = document.and_then(|document| pair_behind(document, &path, values))
        {
            labels.push(Label { span: place, text: layers.say(place.file) });
        }
        finding.labels.splice(1..1, labels);
    }
}

/// Adds to findings in values where a template uses them.
pub fn show_use(findings: &mut [Diagnostic], rendered: &Rendered) {
    for finding in findings {
        let Some(value) = finding.labels.first().map(|label| label.span) else { continue };
        let uses = rendered.files.iter().filter_map(|file| file.map.reader(value));
        // The nearest use is the one that reads the least around the value.
        if let Some((_, template)) = uses.min_by_key(|(read, _)| read.end - read.start) {
            finding.labels.insert(1, Label { span: template, text: "used here".to_owned() });
        }
    }
}

impl Layers {
    fn say(&self, file: FileId) -> String {
        match self.files.iter().position(|&layer| layer == file) {
            Some(at) if self.files.len() > 1 => format!("value set here (layer {} of {})", at + 1, self.files.len()),
            Some(_) => "value set here".to_owned(),
            None => "default set here".to_owned(),
        }
    }
}

/// Text that was copied from the template has a place for each byte: the place of all of it.
fn widened(written: Span, map: &crate::diagnostic::SourceMap, span: Span) -> Span {
    if written.start != written.end || span.end <= span.start {
        return written;
    }
    match map.template(span.end - 1) {
        Some(last) if last.file == written.file && last.start == last.end && last.start >= written.start => {
            Span { end: last.start + 1, ..written }
        }
        _ => Span { end: written.start + 1, ..written },
    }
}

/// A step from a node to one below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// The path from a document to what stands at a place, and whether that is the key at the path's end.
fn path_to(document: &Node, place: Span) -> Option<(Vec<Step<'_>>, bool)> {
    if document.span == place {
        return Some((Vec::new(), false));
    }
    if let Some(map) = document.as_map() {
        for (key, entry) in map {
            let is_key = entry.key_span == place;
            let below = if is_key { Some((Vec::new(), true)) } else { path_to(&entry.value, place) };
            if let Some((mut path, is_key)) = below {
                path.insert(0, Step::Key(key));
                return Some((path, is_key));
            }
        }
    }
    for (index, item) in document.as_seq().into_iter().flatten().enumerate() {
        if let Some((mut path, is_key)) = path_to(item, place) {
            path.insert(0, Step::Item(index));
            return Some((path, is_key));
        }
    }
    None
}

/// The node at a path.
fn follow<'n>(document: &'n Node, path: &[Step<'_>]) -> Option<&'n Node> {
    path.iter().try_fold(document, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Item(index) => node.as_seq()?.get(*index),
    })
}

/// The entry of the values that a loop wrote as a mapping of its key and its value: `{name: KEY, value: …}`. Loops hand
/// out keys and plain values without their places. One that fits twice is none.
fn pair_behind(document: &Node, path: &[Step<'_>], values: &Node) -> Option<Span> {
    let around = follow(document, path.split_last()?.1)?.as_map()?;
    let texts: Vec<String> = around.values().filter_map(|entry| plain(&entry.value)).collect();
    let mut found = Vec::new();
    let mut open = vec![values];
    while let Some(node) = open.pop() {
        for (key, entry) in node.as_map().into_iter().flatten() {
            let is_pair = texts.iter().any(|text| **text == **key)
                && plain(&entry.value).is_some_and(|value| texts.contains(&value) && *value != **key);
            if is_pair {
                found.push(entry.key_span);
            }
            open.push(&entry.value);
        }
        open.extend(node.as_seq().into_iter().flatten());
    }
    if let [one] = found[..] { Some(one) } else { None }
}

/// A scalar as text.
fn plain(node: &Node) -> Option<String> {
    match &node.data {
        Data::Str(text) => Some(text.to_string()),
        Data::Bool(is) => Some(is.to_string()),
        Data::Int(number) => Some(number.to_string()),
        Data::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The node of a tree that was read at this place.
fn find(values: &Node, place: Span) -> Option<&Node> {
    if values.span == place {
        return Some(values);
    }
    let below = values.as_map().into_iter().flat_map(|map| map.values().map(|entry| &entry.value));
    below.chain(values.as_seq().into_iter().flatten()).find_map(|node| find(node, place))
}

/// A value that was written whole: the part of it that the end of the path names.
fn deepest(node: &Node, path: &[Step<'_>], is_key: bool) -> Option<Span> {
    (0..path.len()).find_map(|skipped| {
        let mut node = node;
        let mut place = None;
        for step in &path[skipped..] {
            match step {
                Step::Key(key) => {
                    let entry = node.as_map()?.get(key)?;
                    node = &entry.value;
                    place = Some(if is_key { entry.key_span } else { node.span });
                }
                Step::Item(index) => {
                    node = node.as_seq()?.get(*index)?;
                    place = Some(node.span);
                }
            }
        }
        place
    })
}
