//! Text to spanned trees.

use super::Node;
use super::Style;
use super::build::{Builder, MAX_DEPTH};
use super::event::{Event, Kind, Problem, Tag};
use crate::diagnostic::{Code, Diagnostic, Failure, FileId, Span};
use granit_parser::{Parser, ScalarStyle, StrInput, StructureStyle};
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
    let mut parsed = Parsed::default();
    let mut builder = Builder::new(file);
    let base = range.start;
    let text = &text[range];
    let mut events = Events::new(text, base);
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
    let end = text[problem.offset..].chars().next().map_or(problem.offset, |next| problem.offset + next.len_utf8());
    let mut diagnostic = Diagnostic::new(Code::YamlSyntax, problem.message.clone())
        .label(Span::new(file, base + problem.offset, base + end), "");
    if let Some(hint) = &problem.hint {
        diagnostic = diagnostic.hint(hint.clone());
    }
    SyntaxError { diagnostic, go: format!("yaml: {}", problem.go) }
}

struct Events<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    /// Where the text starts in the file.
    base: usize,
}

impl<'a> Events<'a> {
    fn new(text: &'a str, base: usize) -> Self {
        let options = granit_parser::options! {
            emit_comments: false,
            flow_nesting_limit: MAX_DEPTH as usize + 1,
            block_nesting_limit: MAX_DEPTH as usize + 1,
        };
        Events { parser: Parser::new_from_str_with_options(text, options), text, base }
    }

    fn next(&mut self) -> Result<Event<'a>, Problem> {
        use granit_parser::Event as Granit;
        loop {
            let (event, span) = match self.parser.next_event() {
                None => {
                    let end = self.base + self.text.len();
                    return Ok(Event { kind: Kind::StreamEnd, start: end, end });
                }
                Some(Ok(event)) => event,
                Some(Err(error)) => {
                    let offset = error.marker().byte_offset().unwrap_or(0).min(self.text.len());
                    let offset = (0..=offset).rev().find(|&at| self.text.is_char_boundary(at)).unwrap_or(0);
                    let go = format!("line {}: {}", error.marker().line(), error.info());
                    return Err(Problem { offset, message: error.info(), go, hint: None });
                }
            };
            let range = span.byte_range().unwrap_or(0..0);
            let structure = |style| if style == StructureStyle::Flow { Style::Flow } else { Style::Block };
            let kind = match event {
                Granit::StreamEnd => Kind::StreamEnd,
                Granit::DocumentStart(..) => Kind::DocumentStart,
                Granit::DocumentEnd => Kind::DocumentEnd,
                Granit::Alias(id) => Kind::Alias(id as u32),
                Granit::Scalar(text, style, anchor, tag) => Kind::Scalar {
                    text,
                    style: match style {
                        ScalarStyle::Plain => Style::Plain,
                        ScalarStyle::SingleQuoted => Style::SingleQuoted,
                        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                        ScalarStyle::Literal => Style::Literal,
                        ScalarStyle::Folded => Style::Folded,
                    },
                    anchor: anchor as u32,
                    tag: match tag {
                        None => Tag::None,
                        Some(tag) if tag.handle().is_empty() && tag.suffix() == "!" => Tag::Plain,
                        Some(tag) if tag.handle() == "tag:yaml.org,2002:" && tag.suffix() == "binary" => {
                            Tag::Core("binary".into())
                        }
                        Some(tag) => match tag.core_suffix() {
                            Some(name) => Tag::Core(name.to_owned().into()),
                            None => Tag::Other,
                        },
                    },
                },
                Granit::SequenceStart(style, anchor, _) => {
                    Kind::SequenceStart { style: structure(style), anchor: anchor as u32 }
                }
                Granit::MappingStart(style, anchor, _) => {
                    Kind::MappingStart { style: structure(style), anchor: anchor as u32 }
                }
                Granit::SequenceEnd => Kind::SequenceEnd,
                Granit::MappingEnd => Kind::MappingEnd,
                _ => continue,
            };
            return Ok(Event { kind, start: self.base + range.start, end: self.base + range.end });
        }
    }
}
