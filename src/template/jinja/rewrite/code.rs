//! What the rewriter tells the run-time about a place: one number per insertion.

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

const PLACES: [Place; 12] = [
    Place::Value,
    Place::Item,
    Place::Line,
    Place::Key,
    Place::Flow,
    Place::Part,
    Place::Text,
    Place::Double,
    Place::Single,
    Place::Comment,
    Place::BlockLine,
    Place::BlockPart,
];

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
            text: false,
        }
    }

    pub(crate) fn encode(self) -> u64 {
        let flags = [self.lead, self.tail, self.first, self.last, self.sole, self.text];
        let flags = flags.iter().rev().fold(0, |bits, &flag| bits << 1 | u64::from(flag));
        self.place as u64 | flags << 4 | (self.column as u64) << 10
    }

    pub(crate) fn decode(code: u64) -> Option<Site> {
        let flag = |bit: u32| code >> (4 + bit) & 1 == 1;
        Some(Site {
            place: *PLACES.get((code & 15) as usize)?,
            column: usize::try_from(code >> 10).ok()?,
            lead: flag(0),
            tail: flag(1),
            first: flag(2),
            last: flag(3),
            sole: flag(4),
            text: flag(5),
        })
    }
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

const CONTENTS: [Content; 5] =
    [Content::Fragment, Content::Text, Content::Value, Content::Literal, Content::Verbatim];

impl Content {
    /// With the indent that a `-` took from the first line.
    pub(crate) fn encode(self, indent: usize) -> u64 {
        self as u64 | (indent as u64) << 3
    }

    pub(crate) fn decode(code: u64) -> Option<(Content, usize)> {
        Some((*CONTENTS.get((code & 7) as usize)?, usize::try_from(code >> 3).ok()?))
    }
}
