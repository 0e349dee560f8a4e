//! What the comments of a values file say about its values, in the notations that chart authors use:
//!
//! - helm-docs: `# -- text`, `# path.to.key -- text`, `(type)`, `@default`, `@section`, `@raw`, `@ignored`,
//!   `@notationType`
//! - `# @schema` … `# @schema` around JSON Schema as YAML, and `# @schema.root`
//! - `# @schema type:[string, null];minimum:1` on the line of a value or above it
//! - `## @param path [modifiers] text`, `@extra`, `@skip` and `@section`
//!
//! A comment in none of these is a description, too, though one that was not marked as such.

mod annotation;
mod helm_docs;
mod param;
mod plain;

use crate::diagnostic::{Code, Diagnostic, FileId};
use crate::yaml::{Comment, Comments, Data, Node, Step, comments};
use annotation::Annotation;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// What the comments say about one value. What they do not say is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Note {
    pub description: String,
    /// The description is marked as one, so that it belongs into tables for users.
    pub marked: bool,
    /// The type in the author's words: `string`, `int`, `list`, `tpl/string`.
    pub type_name: String,
    /// What stands in the place of the default, as Markdown.
    pub default: String,
    /// How the default is shown, in the words of the author's template: `yaml`, `tpl`.
    pub notation: String,
    /// The heading under which the value is listed.
    pub section: String,
    /// The value and all below it are left out of tables.
    pub ignored: bool,
    /// JSON Schema keywords.
    pub schema: Map<String, Value>,
    /// Whether the value must be there.
    pub required: Option<bool>,
    /// The value is left out of the schema.
    pub hidden: bool,
    /// `null` is allowed besides what is there.
    pub nullable: bool,
    /// All entries of the mapping are of one kind, under names of the user's choice.
    pub merge_properties: bool,
    /// The entries of the mapping are not described.
    pub skip_properties: bool,
}

/// The comments of a values file, by the paths of the values.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    notes: HashMap<Vec<Step>, Note>,
    /// Keywords for the schema of the whole.
    pub root: Map<String, Value>,
    /// Annotations that cannot be read.
    pub findings: Vec<Diagnostic>,
}

impl Notes {
    /// Reads the comments of the text that `values` was read from.
    pub fn read(values: &Node, text: &str, file: FileId) -> Self {
        let comments = comments(text, file);
        let mut keyed = helm_docs::keyed(&comments);
        param::keyed(&comments, &mut keyed);
        let mut reader = Reader { text, comments, file, keyed, notes: Notes::default(), path: Vec::new() };
        reader.root();
        reader.below(values);
        reader.notes
    }

    /// Whether the author marks descriptions for users.
    pub fn has_marked(&self) -> bool {
        self.notes.values().any(|note| note.marked)
    }

    pub fn get(&self, path: &[Step]) -> Option<&Note> {
        self.notes.get(path)
    }
}

struct Reader<'a> {
    text: &'a str,
    comments: Comments<'a>,
    file: FileId,
    /// Notes that name the value that they are about, by its [`key`].
    keyed: HashMap<String, Note>,
    notes: Notes,
    path: Vec<Step>,
}

impl<'a> Reader<'a> {
    fn root(&mut self) {
        let lines: Vec<Comment> = self.comments.iter().filter(|comment| comment.alone).copied().collect();
        match annotation::root(&lines) {
            Ok(keywords) => self.notes.root = keywords,
            Err(finding) => self.notes.findings.push(*finding),
        }
    }

    fn below(&mut self, node: &Node) {
        match &node.data {
            Data::Map(map) => {
                for (key, entry) in map.iter() {
                    self.path.push(Step::Key(Arc::clone(key)));
                    let place = entry.key_span;
                    if place.file == self.file {
                        // What is above the dash of a list's item is about the item.
                        let is_first = self.before(place.start).is_empty();
                        let above = if is_first { self.above(place.start) } else { Vec::new() };
                        let beside = self.comments.beside(place.start).copied();
                        self.add(&above, beside, entry.value.as_map().is_some());
                    }
                    self.below(&entry.value);
                    self.path.pop();
                }
            }
            Data::Seq(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    if item.span.file == self.file && self.before(item.span.start) == "-" {
                        let above = self.above(item.span.start);
                        self.add(&above, None, item.as_map().is_some());
                    }
                    self.below(item);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    /// What stands before a place in its line.
    fn before(&self, offset: u32) -> &str {
        let text = self.text.get(..offset as usize).unwrap_or_default();
        text[text.rfind('\n').map_or(0, |at| at + 1)..].trim()
    }

    /// The comments above a line. Tags alone belong to the text that is one empty line further up.
    fn above(&self, offset: u32) -> Vec<Comment<'a>> {
        let mut lines = self.comments.above(offset).to_vec();
        if let Some(first) = lines.first().copied()
            && lines.iter().all(|line| line.text.starts_with(" @") && line.text.contains(" -- "))
            && let Some(last) = self.comments.before(first.span.start)
            && last.alone
            && self.comments.between(last, &first).trim_matches([' ', '\t', '\r']) == "\n\n"
        {
            lines.insert(0, *last);
            lines.splice(0..0, self.comments.above(last.span.start).iter().copied());
        }
        lines
    }

    fn add(&mut self, above: &[Comment<'_>], beside: Option<Comment<'_>>, is_map: bool) {
        let note = self.note(above, beside, is_map);
        if note != Note::default() {
            self.notes.notes.insert(self.path.clone(), note);
        }
    }

    fn note(&mut self, above: &[Comment<'_>], beside: Option<Comment<'_>>, is_map: bool) -> Note {
        let (mut annotation, rest) = match annotation::above(above) {
            Ok(found) => found,
            Err(finding) => {
                self.notes.findings.push(*finding);
                (Annotation::default(), above.to_vec())
            }
        };
        if let Some(beside) = beside
            && let Err(finding) = annotation.line(&beside)
        {
            self.notes.findings.push(*finding);
        }
        let lines: Vec<&str> = rest.iter().map(|comment| comment.text).collect();
        let mut note = helm_docs::parse(&lines).unwrap_or_default();
        if let Some(keyed) = self.keyed.get(&key(&self.path)) {
            note.take(keyed);
        }
        if note.description.is_empty() {
            note.description = plain::text(&lines);
        }
        note.ignored |= lines.iter().any(|line| line.contains("@ignore"));
        annotation.apply(&mut note, is_map);
        note
    }
}

impl Note {
    /// Fills what is empty from another note.
    fn take(&mut self, other: &Note) {
        let fields = [
            (&mut self.description, &other.description),
            (&mut self.type_name, &other.type_name),
            (&mut self.default, &other.default),
            (&mut self.section, &other.section),
        ];
        for (own, other) in fields {
            if own.is_empty() {
                own.clone_from(other);
            }
        }
        self.marked |= other.marked;
        self.ignored |= other.ignored;
        self.nullable |= other.nullable;
    }
}

fn refused(comment: &Comment<'_>, message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(Code::InvalidValues, message).label(comment.span, "in this comment"))
}

/// A path as comments and tables write it: `ingress.hosts[0].host`, keys with dots or blanks in quotes.
pub fn key(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Index(index) => text += &format!("[{index}]"),
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                match key.contains(['.', ' ']) {
                    true => text += &format!("\"{key}\""),
                    false => text += key,
                }
            }
        }
    }
    text
}
