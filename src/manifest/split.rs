//! Splitting a text into documents as Helm 4.3 does: at `---` at the start of a line, whatever follows it.

use memchr::memmem;
use std::ops::Range;

/// The documents of a text as byte ranges: leading white space is left out, trailing white space kept, and what is
/// only white space is no document.
///
/// `---` at the start of any line separates, with the blanks and tabs behind it, also in `---a: b`.
pub fn documents(text: &str) -> Vec<Range<usize>> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut push = |start: usize, end: usize| {
        let trimmed = text[start..end].trim_start();
        if !trimmed.is_empty() {
            documents.push(end - trimmed.len()..end);
        }
    };
    // A separator on the text's first line must not be indented by the white space before it either.
    let lead = text.len() - text.trim_start().len();
    let first = text[lead..].starts_with("---").then_some(lead);
    let others = memmem::find_iter(&text.as_bytes()[lead..], "\n---").map(|at| lead + at + 1);
    for separator in first.into_iter().chain(others) {
        push(start, separator);
        let after = separator + 3;
        start = text.len() - text[after..].trim_start_matches([' ', '\t']).len();
    }
    push(start, text.len());
    documents
}

#[cfg(test)]
mod tests {
    use super::documents;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = documents(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn separators_stand_at_line_starts() {
        check("a: 1\n---\nb: 2\n", &["a: 1\n", "b: 2\n"]);
        check("a: 1\n ---\nb: 2\n", &["a: 1\n ---\nb: 2\n"]);
        check("---a: 1\n---  b: 2", &["a: 1\n", "b: 2"]);
        check("a: 1\n----\n", &["a: 1\n", "-\n"]);
        check("a: 1\r\n---\r\nb: 2\r\n", &["a: 1\r\n", "b: 2\r\n"]);
    }

    #[test]
    fn leading_blanks_go_and_trailing_ones_stay() {
        check("\n\n a: 1\n\n  \n---\n\n b: 2\n\n\n", &["a: 1\n\n  \n", "b: 2\n\n\n"]);
        check(" \n  ---\na: 1\n", &["a: 1\n"]);
        check("\u{85}\u{a0}---\na: 1\n", &["a: 1\n"]);
    }

    #[test]
    fn blank_documents_are_none() {
        check("", &[]);
        check("---\n---\n\n---   \n \t\n---", &[]);
        check("---\n# c\n---\n", &["# c\n"]);
    }
}
