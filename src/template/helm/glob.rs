//! Patterns of `.Files.Glob`: `*` and `?` stop at `/`, `**` does not, `[a-z]`, `[!abc]`, `{a,b}`, `\` escapes.
//!
//! The grammar is that of gobwas/glob, which Helm uses.

use std::str::Chars;

/// A compiled pattern.
#[derive(Debug)]
pub(in crate::template) struct Glob(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    /// `*`
    Any,
    /// `**`
    Super,
    /// `?`
    Single,
    Set {
        chars: String,
        not: bool,
    },
    Range {
        low: char,
        high: char,
        not: bool,
    },
    AnyOf(Vec<Vec<Part>>),
}

/// Nesting of `{…}` in `{…}`.
const MAX_DEPTH: u32 = 50;

impl Glob {
    /// `None` for a pattern that does not compile.
    pub(in crate::template) fn new(pattern: &str) -> Option<Self> {
        let mut parser = Parser { rest: pattern.chars(), depth: 0 };
        let mut parts = Vec::new();
        parser.sequence(&mut parts)?;
        Some(Glob(parts))
    }

    pub(in crate::template) fn matches(&self, text: &str) -> bool {
        ends(&self.0, text, vec![0]).contains(&text.len())
    }
}

/// Where matches of the parts end that start at one of the places.
fn ends(parts: &[Part], text: &str, starts: Vec<usize>) -> Vec<usize> {
    let mut places = starts;
    for part in parts {
        let mut next: Vec<usize> = Vec::new();
        for &place in &places {
            let rest = &text[place..];
            let first = rest.chars().next();
            let mut one = |holds: bool| {
                if let Some(char) = first.filter(|_| holds) {
                    next.push(place + char.len_utf8());
                }
            };
            match part {
                Part::Text(literal) if rest.starts_with(literal.as_str()) => next.push(place + literal.len()),
                Part::Text(_) => {}
                Part::Single => one(first != Some('/')),
                Part::Set { chars, not } => one(first.is_some_and(|char| chars.contains(char)) != *not),
                Part::Range { low, high, not } => one(first.is_some_and(|char| (*low..=*high).contains(&char)) != *not),
                Part::Any | Part::Super => {
                    let stop = match part {
                        Part::Any => rest.find('/').unwrap_or(rest.len()),
                        _ => rest.len(),
                    };
                    next.extend((0..=stop).map(|at| place + at).filter(|&at| text.is_char_boundary(at)));
                }
                Part::AnyOf(choices) => {
                    for choice in choices {
                        next.extend(ends(choice, text, vec![place]));
                    }
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        places = next;
    }
    places
}

struct Parser<'p> {
    rest: Chars<'p>,
    depth: u32,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// Parts up to the end of the pattern or, inside braces, up to `,` or `}`.
    fn sequence(&mut self, parts: &mut Vec<Part>) -> Option<()> {
        while let Some(char) = self.peek() {
            match char {
                ',' | '}' if self.depth > 0 => return Some(()),
                '*' => {
                    self.rest.next();
                    if self.peek() == Some('*') {
                        self.rest.next();
                        parts.push(Part::Super);
                    } else {
                        parts.push(Part::Any);
                    }
                }
                '?' => {
                    self.rest.next();
                    parts.push(Part::Single);
                }
                '[' => {
                    self.rest.next();
                    parts.push(self.range()?);
                }
                '{' => {
                    self.rest.next();
                    parts.push(self.choices()?);
                }
                _ => {
                    let breakers: &[char] =
                        if self.depth > 0 { &['?', '*', '[', '{', '}', ','] } else { &['?', '*', '[', '{'] };
                    parts.push(Part::Text(self.text(breakers)));
                }
            }
        }
        Some(())
    }

    fn choices(&mut self) -> Option<Part> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut choices = Vec::new();
        loop {
            let mut parts = Vec::new();
            self.sequence(&mut parts)?;
            choices.push(parts);
            // A brace that is never closed counts as closed at the end.
            if self.rest.next() != Some(',') {
                break;
            }
        }
        self.depth -= 1;
        Some(Part::AnyOf(choices))
    }

    fn text(&mut self, breakers: &[char]) -> String {
        let mut text = String::new();
        while let Some(char) = self.peek() {
            if breakers.contains(&char) {
                break;
            }
            self.rest.next();
            match char {
                '\\' => text.extend(self.rest.next()),
                _ => text.push(char),
            }
        }
        text
    }

    fn range(&mut self) -> Option<Part> {
        let not = self.peek() == Some('!');
        if not {
            self.rest.next();
        }
        let mut ahead = self.rest.clone();
        let low = ahead.next()?;
        if ahead.next() == Some('-') {
            self.rest = ahead;
            let high = self.rest.next()?;
            return (self.rest.next() == Some(']') && high >= low).then_some(Part::Range { low, high, not });
        }
        let chars = self.text(&[']']);
        (self.rest.next() == Some(']') && !chars.is_empty()).then_some(Part::Set { chars, not })
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn patterns_match_as_in_helm() {
        for (pattern, yes, no) in [
            ("*", &["a", ""][..], &["a/b"][..]),
            ("**", &["a/b", "a"], &[]),
            ("config/*.yaml", &["config/a.yaml"], &["config/a/b.yaml", "config/a.yml"]),
            ("config/**.yaml", &["config/a.yaml", "config/a/b.yaml"], &["a.yaml"]),
            ("?.txt", &["a.txt", "é.txt"], &["/.txt", "ab.txt"]),
            ("[abc]x", &["ax"], &["dx"]),
            ("[!abc]x", &["dx", "/x"], &["ax"]),
            ("[a-c]x", &["bx"], &["dx"]),
            ("{a,b*}.c", &["a.c", "bz.c"], &["z.c"]),
            ("{a,{b,c}}d", &["ad", "cd"], &["dd"]),
            ("a\\*", &["a*"], &["ab"]),
            ("a,b", &["a,b"], &[]),
            ("{a,b", &["a", "b"], &["c"]),
        ] {
            let glob = Glob::new(pattern).unwrap();
            for text in yes {
                assert!(glob.matches(text), "{pattern} {text}");
            }
            for text in no {
                assert!(!glob.matches(text), "{pattern} {text}");
            }
        }
        for bad in ["[", "[a", "[c-a]", "[]", "[!", "[a-bc]"] {
            assert!(Glob::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn many_stars_are_matched_in_little_time() {
        let glob = Glob::new(&"*a".repeat(200)).unwrap();
        assert!(!glob.matches(&"a".repeat(150)));
    }
}
