//! Shell patterns as Go's `filepath.Match` reads them: `*`, `?`, `[a-z]`, `[^a]`, `\x`. None of them crosses a `/`.

/// A pattern that cannot be read: a bracket that does not close, or a `\` at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Char(char),
    /// `?`
    Any,
    /// `*`
    Star,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A pattern that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
    /// How a name begins and ends that may match: most names are told by these.
    head: String,
    tail: String,
}

impl Pattern {
    pub fn new(text: &str) -> Result<Self, BadPattern> {
        let mut parts = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            parts.push(match char {
                '*' => Part::Star,
                '?' => Part::Any,
                '\\' => Part::Char(chars.next().ok_or(BadPattern)?),
                '[' => {
                    let negated = chars.next_if_eq(&'^').is_some();
                    let mut ranges = Vec::new();
                    while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
                        let low = class_char(&mut chars)?;
                        let high = if chars.next_if_eq(&'-').is_some() { class_char(&mut chars)? } else { low };
                        ranges.push((low, high));
                    }
                    Part::Class { negated, ranges }
                }
                char => Part::Char(char),
            });
        }
        let plain = |part: &Part| if let Part::Char(char) = part { Some(*char) } else { None };
        let head: String = parts.iter().map_while(plain).collect();
        let tail: Vec<char> = parts.iter().rev().map_while(plain).collect();
        Ok(Pattern { head, tail: tail.into_iter().rev().collect(), parts })
    }

    /// Whether the whole name matches.
    pub fn matches(&self, name: &str) -> bool {
        if !name.starts_with(&self.head) || !name.ends_with(&self.tail) {
            return false;
        }
        let char_at = |at: usize| name[at..].chars().next();
        let (mut part, mut at) = (0, 0);
        // The last star, and where its match ends so far: a later mismatch lets it take one character more.
        let mut star: Option<(usize, usize)> = None;
        loop {
            match self.parts.get(part) {
                Some(Part::Star) => {
                    star = Some((part, at));
                    part += 1;
                    continue;
                }
                Some(wanted) => {
                    if let Some(char) = char_at(at).filter(|&char| wanted.matches(char)) {
                        part += 1;
                        at += char.len_utf8();
                        continue;
                    }
                }
                None if at == name.len() => return true,
                None => {}
            }
            let Some((star_part, end)) = star else { return false };
            match char_at(end) {
                Some(char) if char != '/' => {
                    at = end + char.len_utf8();
                    star = Some((star_part, at));
                    part = star_part + 1;
                }
                _ => return false,
            }
        }
    }
}

impl Part {
    fn matches(&self, char: char) -> bool {
        match self {
            Part::Char(wanted) => *wanted == char,
            Part::Any => char != '/',
            Part::Star => false,
            Part::Class { negated, ranges } => {
                ranges.iter().any(|&(low, high)| (low..=high).contains(&char)) != *negated
            }
        }
    }
}

/// One end of a range inside brackets.
fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<char, BadPattern> {
    match chars.next() {
        None | Some('-' | ']') => Err(BadPattern),
        Some('\\') => chars.next().ok_or(BadPattern),
        Some(char) => Ok(char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, name, expected) in [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "a", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*/b", "a/c/b", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Ok(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Ok(false)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[b-d]", "abc", Ok(true)),
            ("ab[^c]", "abc", Ok(false)),
            ("ab[^e-g]", "abc", Ok(true)),
            ("a\\*b", "a*b", Ok(true)),
            ("a\\*b", "ab", Ok(false)),
            ("a?b", "a☺b", Ok(true)),
            ("a[^a]b", "a☺b", Ok(true)),
            ("a???b", "a☺b", Ok(false)),
            ("[a-ζ]*", "α", Ok(true)),
            ("*[a-ζ]", "A", Ok(false)),
            ("a?b", "a/b", Ok(false)),
            ("[\\]a]", "]", Ok(true)),
            ("[\\-x]", "-", Ok(true)),
            ("*x", "xxx", Ok(true)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-]", "-", Err(BadPattern)),
            ("[x-]", "x", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("[^bc", "a", Err(BadPattern)),
            ("a\\", "a", Err(BadPattern)),
        ] {
            assert_eq!(Pattern::new(pattern).map(|it| it.matches(name)), expected, "{pattern} on {name}");
        }
    }
}
