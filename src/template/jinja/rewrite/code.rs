//! What the rewriter tells the run-time about places, by their numbers.

use std::ops::Range;

/// What an expression's value is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A value after `key:`; the column is that of a mapping's entries on the lines below.
    Value,
    /// An item after `- `; the column is that of the item.
    Item,
    /// Alone on its line, at the column.
    Line,
    Key,
    Flow,
    /// A part of a plain scalar that is written as a whole.
    Part,
    /// A part of text in a macro or capture.
    Text,
    Double,
    Single,
    Comment,
    /// Alone on a line of a block scalar, at the column.
    BlockLine,
    /// Within a line of a block scalar whose text starts at the column.
    BlockPart,
}

/// A place with its column and circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) place: Place,
    pub(crate) column: usize,
    /// The blank before the value is the site's to write.
    pub(crate) lead: bool,
    /// Something follows on the line.
    pub(crate) tail: bool,
    /// First and last of the expressions that are all that stands under a key.
    pub(crate) first: bool,
    pub(crate) last: bool,
    /// The only content of a macro or capture (on this path).
    pub(crate) sole: bool,
    /// An included template.
    pub(crate) include: bool,
    /// A text file's content, which is a string whatever it looks like.
    pub(crate) text: bool,
}

impl Site {
    pub(crate) fn new(place: Place, column: i32) -> Site {
        Site {
            place,
            column: usize::try_from(column).unwrap_or(0),
            lead: false,
            tail: false,
            first: false,
            last: false,
            sole: false,
            include: false,
            text: false,
        }
    }
}

/// A place in a template that the run-time is told about by number.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) role: Role,
    /// Index of the template.
    pub(crate) template: usize,
    /// What messages point at, in the author's source: the expression, or the body of a macro or capture.
    pub(crate) range: Range<usize>,
    /// All of it with its delimiters.
    pub(crate) outer: Range<usize>,
    /// The blanks before it that the site writes itself, if it writes anything.
    pub(crate) before: Range<usize>,
}

/// What a spot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Site(Site),
    /// A macro or capture, with the indent that a `-` took from its first line.
    Body(Content, usize),
}

/// What a macro or capture gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// YAML with structure.
    Fragment,
    /// A string.
    Text,
    /// The value of its one expression, or its literal text.
    Value,
    /// Literal text that YAML reads: `true`, `8080`.
    Literal,
    /// Text as it stands, in templates that are not YAML.
    Verbatim,
}
