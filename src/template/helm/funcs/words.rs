//! The case styles: `snake_case`, `kebab-case`, `CamelCase`.
//!
//! Word boundaries are those of the Go package `xstrings` 1.5: acronyms are words (`HTTPServer` is http + server), a
//! number starts a word when letters follow it (`http2xx` is http + 2xx) and else belongs to the word before.

use super::unicode;

/// The words of a text in lower case, joined by the connector.
pub(super) fn join(text: &str, connector: char) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut words = Words { rest: &chars };
    let mut out = String::with_capacity(text.len() + 8);
    let (mut kind, mut word) = words.next();
    while !words.rest.is_empty() {
        if kind != Kind::Connector {
            lower(&mut out, kind, word, connector);
        }
        let (previous, last) = (kind, word);
        (kind, word) = words.next();
        match previous {
            Kind::Connector => lower(&mut out, previous, last, connector),
            Kind::Punctuation => {}
            Kind::Number => {
                (kind, word) = words.letters_and_digits(&mut out, kind, word, connector);
                if !matches!(kind, Kind::Invalid | Kind::Punctuation | Kind::Connector) {
                    out.push(connector);
                }
            }
            _ if kind != Kind::Number => {
                if !matches!(kind, Kind::Punctuation | Kind::Connector) {
                    out.push(connector);
                }
            }
            _ if words.rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word) = words.next();
                let starts_a_word = kind == Kind::Letters;
                if starts_a_word {
                    out.push(connector);
                }
                lower(&mut out, Kind::Number, number, connector);
                if starts_a_word {
                    (kind, word) = words.letters_and_digits(&mut out, kind, word, connector);
                }
                let joins_on = match kind {
                    Kind::Punctuation | Kind::Connector => false,
                    Kind::Invalid => !starts_a_word,
                    _ => true,
                };
                if joins_on {
                    out.push(connector);
                }
            }
        }
    }
    lower(&mut out, kind, word, connector);
    out
}

/// The words of a text, each with a capital; connectors at the start stay, and all but one of those in a row.
pub(super) fn pascal(text: &str) -> String {
    let mut chars = unicode::runes(text);
    let mut out = String::with_capacity(text.len());
    let mut current = None;
    let mut acronym = false;
    for char in chars.by_ref() {
        current = Some(char);
        if !is_connector(char) {
            acronym = unicode::is_upper(char);
            current = Some(unicode::to_upper(char));
            break;
        }
        out.push(char);
    }
    let Some(mut current) = current else { return out };
    for char in chars {
        let previous = std::mem::replace(&mut current, char);
        match (is_connector(previous), is_connector(char)) {
            (true, true) => out.push(previous),
            (true, false) => {
                acronym = unicode::is_upper(char);
                current = unicode::to_upper(char);
            }
            (false, _) => {
                if acronym && unicode::is_upper(char) {
                    current = unicode::to_lower(char);
                } else {
                    acronym = false;
                }
                out.push(previous);
            }
        }
    }
    out.push(current);
    out
}

fn lower(out: &mut String, kind: Kind, word: &[char], connector: char) {
    match kind {
        Kind::Upper | Kind::Connector => out.extend(word.iter().map(|&char| match char {
            char if is_connector(char) => connector,
            char if is_invalid(char) => char::REPLACEMENT_CHARACTER,
            char if unicode::is_upper(char) => unicode::to_lower(char),
            char => char,
        })),
        _ => out.extend(word),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing, or bytes that are not UTF-8.
    Invalid,
    Number,
    /// Starts with a capital.
    Upper,
    Letters,
    Connector,
    Punctuation,
    Other,
}

/// Cuts words off a text.
struct Words<'c> {
    rest: &'c [char],
}

impl<'c> Words<'c> {
    fn next(&mut self) -> (Kind, &'c [char]) {
        let (kind, length) = first_word(self.rest);
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        (kind, word)
    }

    /// Writes words of small letters and digits; the first other one is next.
    fn letters_and_digits(
        &mut self,
        out: &mut String,
        mut kind: Kind,
        mut word: &'c [char],
        connector: char,
    ) -> (Kind, &'c [char]) {
        while matches!(kind, Kind::Letters | Kind::Number) {
            lower(out, kind, word, connector);
            (kind, word) = self.next();
        }
        (kind, word)
    }
}

/// The kind and length of the word that a text starts with.
fn first_word(chars: &[char]) -> (Kind, usize) {
    let (first, mut length) = next_valid(chars, char::REPLACEMENT_CHARACTER);
    if first == char::REPLACEMENT_CHARACTER {
        return (Kind::Invalid, length);
    }
    let is_small = |char| is_alphabetic(char) && !unicode::is_upper(char);
    if unicode::is_upper(first) && !is_connector(first) && !unicode::is_punctuation(first) {
        let (second, size) = next_valid(&chars[length..], first);
        if length == chars.len() {
            return (Kind::Upper, length);
        }
        if !unicode::is_upper(second) {
            if is_alphabetic(second) {
                run(chars, &mut length, second, is_small);
            }
            return (Kind::Upper, length);
        }
        length += size;
        let (after, last) = run(chars, &mut length, second, unicode::is_upper);
        // The last capital of `HTTPServer` starts the next word.
        if length < chars.len() && is_alphabetic(after) {
            length -= last.unwrap_or(size);
        }
        return (Kind::Upper, length);
    }
    let (kind, belongs): (Kind, fn(char) -> bool) = match first {
        char if is_connector(char) => (Kind::Connector, is_connector),
        char if unicode::is_punctuation(char) => (Kind::Punctuation, unicode::is_punctuation),
        char if is_alphabetic(char) => (Kind::Letters, is_small),
        char if unicode::is_number(char) => (Kind::Number, unicode::is_number),
        _ => (Kind::Other, |char| {
            !is_connector(char) && !is_alphabetic(char) && !unicode::is_number(char) && !unicode::is_punctuation(char)
        }),
    };
    run(chars, &mut length, first, belongs);
    (kind, length)
}

/// Lengthens a word by the characters that belong to it. Gives the character that does not, and the size of the last
/// that does.
fn run(chars: &[char], length: &mut usize, first: char, belongs: impl Fn(char) -> bool) -> (char, Option<usize>) {
    let mut char = first;
    let mut last = None;
    while *length < chars.len() {
        let (next, size) = next_valid(&chars[*length..], char);
        char = next;
        if !belongs(next) {
            break;
        }
        last = Some(size);
        *length += size;
    }
    (char, last)
}

/// The next valid character and how many there are up to it; at the end the previous one again.
fn next_valid(chars: &[char], previous: char) -> (char, usize) {
    match chars.iter().position(|&char| !is_invalid(char)) {
        Some(index) => (chars[index], index + 1),
        None => (previous, chars.len()),
    }
}

fn is_invalid(char: char) -> bool {
    char == char::REPLACEMENT_CHARACTER || crate::value::raw_byte(char).is_some()
}

fn is_connector(char: char) -> bool {
    matches!(char, '-' | '_') || char.is_whitespace()
}

/// A letter, but not one of the common Chinese, Japanese or Korean ideographs.
fn is_alphabetic(char: char) -> bool {
    unicode::is_letter(char)
        && !matches!(char, '\u{3400}'..='\u{4D85}' | '\u{4E00}'..='\u{9FCC}' | '\u{20000}'..='\u{2B81D}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined() {
        for (text, expected) in [
            ("", ""),
            ("FirstName", "first_name"),
            ("HTTPServer", "http_server"),
            ("NoHTTPS", "no_https"),
            ("GO PATH-x", "go_path_x"),
            ("http2xx", "http_2xx"),
            ("HTTP20xOK", "http_20x_ok"),
            ("Duration2m3s", "duration_2m3s"),
            ("Bld4Floor3rd", "bld4_floor_3rd"),
            ("a.B,c", "a.b,c"),
            ("日本Go", "日本_go"),
            ("__a__", "__a__"),
        ] {
            assert_eq!(join(text, '_'), expected, "{text}");
        }
    }

    #[test]
    fn words_get_capitals() {
        for (text, expected) in [
            ("some_words", "SomeWords"),
            ("http_server", "HttpServer"),
            ("_complex__case_", "_Complex_Case_"),
            ("GOLANG_IS_GREAT", "GolangIsGreat"),
            ("a", "A"),
            ("_", "__"),
            ("", ""),
        ] {
            assert_eq!(pascal(text), expected, "{text}");
        }
    }
}
