//! What the builder is fed with: the structure of a YAML stream, without meaning.

use super::Style;
use std::borrow::Cow;

/// A part of a stream, with the byte range it stands at.
#[derive(Debug)]
pub struct Event<'a> {
    pub kind: Kind<'a>,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug)]
pub enum Kind<'a> {
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias {
        /// The number of the anchor that is meant.
        anchor: u32,
        name: &'a str,
    },
    Scalar {
        text: Cow<'a, str>,
        style: Style,
        /// The number of this node's anchor; 0 is none.
        anchor: u32,
        tag: Tag<'a>,
    },
    SequenceStart {
        style: Style,
        anchor: u32,
    },
    SequenceEnd,
    MappingStart {
        style: Style,
        anchor: u32,
    },
    MappingEnd,
}

/// A scalar's tag. Tags of collections mean nothing to go-yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag<'a> {
    None,
    /// `!`: text, but `<<` merges.
    Plain,
    /// `str` of `!!str`.
    Core(Cow<'a, str>),
    /// Any other: the scalar is text.
    Other,
}

/// Where and why the text is not YAML.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where go-yaml stopped.
    pub offset: usize,
    /// Where what it was reading began.
    pub from: usize,
    /// In go-yaml's words, without the line.
    pub text: String,
    /// With the line as go-yaml counts it: `line 2: did not find expected key`.
    pub go: String,
}

impl Problem {
    /// An error among characters. `forced` says that go-yaml has counted the end of the text as a line.
    #[cold]
    pub(super) fn scanner(text: &str, from: usize, offset: usize, forced: bool, message: &str) -> Box<Self> {
        let lines = lines_before(text, offset) + usize::from(forced);
        Self::at_line(from, offset, message, if lines == 0 { 0 } else { lines + 1 })
    }

    /// An error among tokens, for which go-yaml reports the line before.
    #[cold]
    pub(super) fn parser(text: &str, from: usize, offset: usize, forced: bool, message: &str) -> Box<Self> {
        Self::at_line(from, offset, message, lines_before(text, offset) + usize::from(forced))
    }

    /// A character that go-yaml does not let in.
    #[cold]
    pub(super) fn reader(offset: usize, message: &str) -> Box<Self> {
        Self::at_line(offset, offset, message, 0)
    }

    #[cold]
    pub(super) fn alias(offset: usize, name: &str) -> Box<Self> {
        Self::at_line(offset, offset, &format!("unknown anchor '{name}' referenced"), 0)
    }

    fn at_line(from: usize, offset: usize, message: &str, line: usize) -> Box<Self> {
        let go = if line == 0 { message.to_owned() } else { format!("line {line}: {message}") };
        Box::new(Problem { offset, from, text: message.to_owned(), go })
    }
}

fn lines_before(text: &str, offset: usize) -> usize {
    let bytes = &text.as_bytes()[..offset.min(text.len())];
    let newline = |at: usize| match bytes[at] {
        b'\n' => at == 0 || bytes[at - 1] != b'\r',
        b'\r' => true,
        0x85 => at > 0 && bytes[at - 1] == 0xC2,
        0xA8 | 0xA9 => bytes[..at].ends_with(&[0xE2, 0x80]),
        _ => false,
    };
    (0..bytes.len()).filter(|&at| newline(at)).count()
}
