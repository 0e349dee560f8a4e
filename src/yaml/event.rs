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
    /// The number of the anchor that is meant.
    Alias(u32),
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
    /// `!`: resolve as if plain.
    Plain,
    /// `str` of `!!str`.
    Core(Cow<'a, str>),
    /// Any other: the scalar is text.
    Other,
}

/// Where and why the text is not YAML.
#[derive(Debug)]
pub struct Problem {
    pub offset: usize,
    pub message: String,
    /// As go-yaml words it: `line 2: did not find expected key`.
    pub go: String,
    pub hint: Option<String>,
}
