//! Text to spanned trees.

use super::Node;
use super::build::Builder;
use super::event::{Kind, Problem};
use super::explain::explain;
use super::parse::Parser;
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
    let mut parsed = Parsed::default();
    let mut builder = Builder::new(file, base);
    let mut events = Parser::new(text);
    loop {
        let event = match events.next() {
            Ok(event) => event,
            Err(problem) => {
                parsed.error = Some(syntax_error(&problem, text, base, file));
                break;
            }
        };
        match event.kind {
            Kind::StreamEnd => break,
            Kind::DocumentEnd => match builder.finish() {
                Ok(document) => parsed.documents.push(document),
                Err(refusal) => {
                    parsed.error = Some(SyntaxError { diagnostic: refusal.diagnostic, go: refusal.go });
                    break;
                }
            },
            _ => {
                if let Err(refusal) = builder.push(event) {
                    parsed.error = Some(SyntaxError { diagnostic: refusal.diagnostic, go: refusal.go });
                    break;
                }
            }
        }
    }
    parsed.findings = builder.take_findings();
    parsed
}

fn syntax_error(problem: &Problem, text: &str, base: usize, file: FileId) -> SyntaxError {
    SyntaxError { diagnostic: explain(problem, text, base, file), go: format!("yaml: {}", problem.go) }
}
