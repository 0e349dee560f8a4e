//! Parts of a README that are derived, between comments that say so; the rest is the author's.
//!
//! `<!-- chart docs: begin -->` … `<!-- chart docs: end -->` holds the values; `<!-- chart docs: begin NAME -->` what
//! the named template gives.

const BEGIN: &str = "<!-- chart docs: begin";
const END: &str = "<!-- chart docs: end -->";

/// What is derived where no name is given.
const VALUES: &str = "chart.valuesSection";

/// A derived part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The bytes between the markers.
    pub range: std::ops::Range<usize>,
    /// The named template.
    pub name: String,
    /// The byte where the name is given, or where it could be.
    pub place: usize,
}

/// Finds the marked parts. An error says what is wrong, and at which byte.
pub fn find(text: &str) -> Result<Vec<Marked>, (String, usize)> {
    let mut found: Vec<Marked> = Vec::new();
    let mut at = 0;
    while let Some(begin) = text[at..].find(BEGIN).map(|begin| at + begin) {
        let Some(close) = text[begin..].find("-->").map(|close| begin + close) else {
            return Err(("this comment does not end".to_owned(), begin));
        };
        let name = text[begin + BEGIN.len()..close].trim();
        let place = begin + BEGIN.len() + 1;
        let start = close + 3;
        let end = match text[start..].find(END) {
            Some(end) if !text[start..start + end].contains(BEGIN) => start + end,
            _ => return Err((format!("this part does not end with `{END}`"), begin)),
        };
        let name = if name.is_empty() { VALUES } else { name };
        found.push(Marked { range: start..end, name: name.to_owned(), place });
        at = end + END.len();
    }
    Ok(found)
}

/// Puts texts into the marked parts, each on lines of its own.
pub fn fill(text: &str, parts: &[(Marked, String)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut at = 0;
    for (marked, part) in parts {
        filled += &text[at..marked.range.start];
        filled.push('\n');
        let part = part.trim_matches('\n');
        if !part.is_empty() {
            filled += part;
            filled.push('\n');
        }
        at = marked.range.end;
    }
    filled + &text[at..]
}
