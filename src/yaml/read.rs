//! Text to spanned trees.

use super::build::{Builder, Refusal};
use super::event::{Event, Kind, Tag};
use super::explain::explain;
use super::parse::Parser;
use super::simple::{Collection, Receiver, Scalar, tell};
use super::{Node, Style};
use crate::diagnostic::{Diagnostic, Failure, FileId, Span};
use std::ops::Range;

/// What a text holds.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// The documents before the end or the first error. A document without content is null; a text without
    /// documents has none.
    pub documents: Vec<Node>,
    /// What is suspicious, though it reads: duplicate keys.
    pub findings: Vec<Diagnostic>,
    /// What ended the reading.
    pub error: Option<SyntaxError>,
}

/// Why reading ended early.
#[derive(Debug, Clone)]
pub struct SyntaxError {
    /// What we say.
    pub diagnostic: Diagnostic,
    /// What Helm's YAML library says, which templates see through `fromYaml`, without the prefix
    /// `error converting YAML to JSON: `: `yaml: line 2: did not find expected key`.
    pub go: String,
}

impl Parsed {
    /// All documents, or the error.
    pub fn complete(self) -> Result<Vec<Node>, Failure> {
        match self.error {
            Some(error) => Err(vec![error.diagnostic]),
            None => Ok(self.documents),
        }
    }

    /// The first document, which is all that Helm looks at in most places; null where there is none. An error
    /// behind the first document does not matter.
    pub fn first(self) -> Result<Node, Box<SyntaxError>> {
        match (self.documents.into_iter().next(), self.error) {
            (Some(first), _) => Ok(first),
            (None, Some(error)) => Err(Box::new(error)),
            (None, None) => Ok(Node::new(Span::new(FileId(0), 0, 0), super::Data::Null)),
        }
    }
}

/// Reads every document of a text, typing scalars as go-yaml v2 does.
pub fn read(text: &str, file: FileId) -> Parsed {
    read_range(text, 0..text.len(), file)
}

/// Reads a part of a text as if it were all; places count from the start of the text.
pub fn read_range(text: &str, range: Range<usize>, file: FileId) -> Parsed {
    read_part(&text[range.clone()], range.start, file)
}

/// Reads a part of a file, which starts at `base` in it.
pub fn read_part(text: &str, base: usize, file: FileId) -> Parsed {
    read_quickly(text, base, file).unwrap_or_else(|| read_by_tokens(text, base, file))
}

/// Reads a text that the quick pass can tell all of.
fn read_quickly(text: &str, base: usize, file: FileId) -> Option<Parsed> {
    let mut reader = Reader { builder: Builder::new(file, base), parsed: Parsed::default() };
    let told = tell(text, &mut reader);
    (told.is_some() || reader.parsed.error.is_some()).then(|| reader.finish())
}

/// Reads as [`read_part`] does, without the quick pass that most texts allow: what that pass is held against.
pub fn read_by_tokens(text: &str, base: usize, file: FileId) -> Parsed {
    let mut reader = Reader { builder: Builder::new(file, base), parsed: Parsed::default() };
    let mut events = Parser::new(text);
    loop {
        match events.next() {
            Ok(Event { kind: Kind::StreamEnd, .. }) => break,
            Ok(Event { kind: Kind::DocumentEnd, .. }) => {
                if reader.end_document().is_none() {
                    break;
                }
            }
            Ok(event) => {
                if let Err(refusal) = reader.builder.push(event) {
                    reader.parsed.error = Some(refusal.into());
                    break;
                }
            }
            Err(problem) => {
                let diagnostic = explain(&problem, text, base, file);
                reader.parsed.error = Some(SyntaxError { diagnostic, go: format!("yaml: {}", problem.go) });
                break;
            }
        }
    }
    reader.finish()
}

struct Reader {
    builder: Builder,
    parsed: Parsed,
}

impl Reader {
    fn finish(mut self) -> Parsed {
        self.parsed.findings = self.builder.take_findings();
        self.parsed
    }
}

impl<'a> Receiver<'a> for Reader {
    fn open(&mut self, collection: Collection, style: Style, start: usize) -> Option<()> {
        self.builder.open(collection == Collection::Mapping, style, 0, start, start).ok()
    }

    fn close(&mut self, end: usize) -> Option<()> {
        self.builder.close(end);
        Some(())
    }

    fn key(&mut self, key: Scalar<'a>) -> Option<()> {
        self.scalar(key)
    }

    fn scalar(&mut self, Scalar { text, style, start, end }: Scalar<'a>) -> Option<()> {
        self.builder.scalar(text, style, 0, Tag::None, self.builder.span(start, end));
        Some(())
    }

    /// `None` where the document is refused: the rest does not matter.
    fn end_document(&mut self) -> Option<()> {
        match self.builder.finish() {
            Ok(document) => {
                self.parsed.documents.push(document);
                Some(())
            }
            Err(refusal) => {
                self.parsed.error = Some(refusal.into());
                None
            }
        }
    }
}

impl From<Box<Refusal>> for SyntaxError {
    fn from(refusal: Box<Refusal>) -> Self {
        SyntaxError { diagnostic: refusal.diagnostic, go: refusal.go }
    }
}
