//! Go's `unicode` package: categories, and case mappings from one character to one character.

use regex::Regex;
use std::sync::LazyLock;

/// A general category, asked only about characters past ASCII.
fn is_in(class: &LazyLock<Option<Regex>>, char: char) -> bool {
    class.as_ref().is_some_and(|class| class.is_match(char.encode_utf8(&mut [0; 4])))
}

macro_rules! category {
    ($name:ident, $category:literal, $ascii:expr) => {
        #[doc = concat!("Category ", $category, ".")]
        pub(in crate::template::helm) fn $name(char: char) -> bool {
            static CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(concat!("\\p{", $category, "}")).ok());
            if char.is_ascii() { $ascii(char) } else { is_in(&CLASS, char) }
        }
    };
}

category!(is_upper, "Lu", |char: char| char.is_ascii_uppercase());
category!(is_lower, "Ll", |char: char| char.is_ascii_lowercase());
category!(is_letter, "L", |char: char| char.is_ascii_alphabetic());
category!(is_digit, "Nd", |char: char| char.is_ascii_digit());
category!(is_number, "N", |char: char| char.is_ascii_digit());
category!(is_punctuation, "P", |char: char| char.is_ascii_punctuation()
    && !matches!(char, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~'));

/// `DŽ`, `LJ`, `NJ`, `DZ` in their title case, and the Greek capitals with iota adscript.
pub(super) fn is_title(char: char) -> bool {
    matches!(char,
        'ǅ' | 'ǈ' | 'ǋ' | 'ǲ' | '\u{1F88}'..='\u{1F8F}' | '\u{1F98}'..='\u{1F9F}' | '\u{1FA8}'..='\u{1FAF}'
        | '\u{1FBC}' | '\u{1FCC}' | '\u{1FFC}')
}

pub(super) fn to_upper(char: char) -> char {
    let mut mapped = char.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) => upper,
        _ => greek_with_iota(char).unwrap_or(char),
    }
}

/// Greek letters with iota subscript, whose full upper case is two letters.
fn greek_with_iota(char: char) -> Option<char> {
    let code = u32::from(char);
    match code {
        0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7 => char::from_u32(code + 8),
        0x1FB3 | 0x1FC3 | 0x1FF3 => char::from_u32(code + 9),
        _ => None,
    }
}

pub(super) fn to_lower(char: char) -> char {
    // Only `İ` has a longer lower case; its first letter is the simple mapping.
    char.to_lowercase().next().unwrap_or(char)
}

pub(super) fn to_title(char: char) -> char {
    match char {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        // Georgian letters have capitals, but no title case.
        '\u{10D0}'..='\u{10FF}' => char,
        _ => to_upper(char),
    }
}

/// A text's characters as Go's `[]rune` has them: U+FFFD for each byte that is not UTF-8.
pub(super) fn runes(text: &str) -> impl DoubleEndedIterator<Item = char> + '_ {
    text.chars().map(|char| if crate::value::raw_byte(char).is_some() { char::REPLACEMENT_CHARACTER } else { char })
}

/// `unicode.IsSpace` of a byte taken for a character.
pub(super) fn is_space_byte(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xA0)
}
