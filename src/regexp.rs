//! Go's regular expressions, translated for the `regex` crate.
//!
//! Both engines are of RE2's family and find the same matches, but their languages differ: in Go `\d \w \s \b` know
//! only ASCII, `{,3}` is text, `[a&&b]` is a plain set, and much that Rust accepts is an error. So the pattern is read
//! here by Go's rules, with Go's errors, and written anew without flags.

use crate::value::raw_byte;
use regex_automata::meta::{self, Regex};
use regex_automata::util::syntax;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

/// Most copies of an expression that nested counts may ask for, as in Go.
const MAX_REPEAT: u32 = 1000;
/// Deepest nesting of groups. Go allows 1000.
const MAX_DEPTH: usize = 250;
/// Bytes of a compiled pattern.
const MAX_SIZE: usize = 32 << 20;
/// Patterns kept for the process.
const CACHE: usize = 512;

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    source: String,
    /// The pattern in the words of the `regex` crate.
    translated: String,
    /// For text that is all ASCII: what a set leaves out is then a hundred characters, not a million, and compiling it
    /// costs a tenth. `None` where the pattern asks for more.
    ascii: Option<Regex>,
    unicode: OnceLock<Result<Regex, String>>,
    /// Names of the groups from the first on.
    pub names: Vec<Option<String>>,
}

impl Pattern {
    /// Compiles a pattern, or takes it from those compiled before. The error is that of Go's `regexp.Compile`.
    pub fn new(source: &str) -> Result<Arc<Pattern>, String> {
        type Known = HashMap<String, Result<Arc<Pattern>, String>>;
        static PATTERNS: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
        let patterns = || PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pattern) = patterns().get(source) {
            return pattern.clone();
        }
        let pattern = Pattern::compile(source).map(Arc::new);
        let mut patterns = patterns();
        if patterns.len() >= CACHE {
            patterns.clear();
        }
        patterns.insert(source.to_owned(), pattern.clone());
        pattern
    }

    fn compile(source: &str) -> Result<Pattern, String> {
        let mut reader = Reader::new(source);
        let read = reader.read().map_err(|Fault(what, text)| format!("error parsing regexp: {what}: `{text}`"));
        read?;
        let pattern = Pattern {
            source: source.to_owned(),
            ascii: build(&reader.out, false),
            translated: reader.out,
            unicode: OnceLock::new(),
            names: reader.names,
        };
        match pattern.ascii {
            Some(_) => Ok(pattern),
            None => pattern.unicode().map(|_| ()).map(|()| pattern),
        }
    }

    fn unicode(&self) -> Result<&Regex, String> {
        let build = || {
            let large = || format!("error parsing regexp: expression too large: `{}`", self.source);
            build(&self.translated, true).ok_or_else(large)
        };
        self.unicode.get_or_init(build).as_ref().map_err(String::clone)
    }

    /// The pattern for use on this text. Fails where it has become too large for text beyond ASCII.
    pub fn on(&self, text: &str) -> Result<&Regex, String> {
        match &self.ascii {
            Some(regex) if text.is_ascii() => Ok(regex),
            _ => self.unicode(),
        }
    }

    /// Whether the text, or a part of it, matches.
    pub fn is_match(&self, text: &str) -> Result<bool, String> {
        Ok(self.on(text)?.is_match(text))
    }

    /// The first match.
    pub fn find<'t>(&self, text: &'t str) -> Result<Option<&'t str>, String> {
        Ok(self.on(text)?.find(text).map(|found| &text[found.range()]))
    }
}

fn build(pattern: &str, unicode: bool) -> Option<Regex> {
    Regex::builder()
        .configure(meta::Config::new().nfa_size_limit(Some(MAX_SIZE)).utf8_empty(unicode))
        .syntax(syntax::Config::new().nest_limit(4 * MAX_DEPTH as u32).unicode(unicode).utf8(unicode))
        .build(pattern)
        .ok()
}

/// What is wrong, and with which part of the pattern.
struct Fault<'s>(&'static str, &'s str);

const BAD_RANGE: &str = "invalid character class range";
const BAD_ESCAPE: &str = "invalid escape sequence";
const BAD_NAME: &str = "invalid named capture";
const BAD_PERL: &str = "invalid or unsupported Perl syntax";
const BAD_COUNT: &str = "invalid repeat count";

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_all: bool,
    lazy: bool,
}

/// A group that is open, or the whole pattern.
#[derive(Debug, Clone, Copy)]
struct Level {
    /// The flags to go back to at its end.
    flags: Flags,
    /// Where what a repetition would repeat begins in the output.
    atom: Option<usize>,
    /// Copies that counts ask for: in the atom, and at most in any part of the group.
    copies: u32,
    most_copies: u32,
    /// Where the group begins in the output.
    start: usize,
}

impl Level {
    fn new(flags: Flags, start: usize) -> Self {
        Level { flags, atom: None, copies: 1, most_copies: 1, start }
    }
}

struct Reader<'s> {
    source: &'s str,
    rest: &'s str,
    out: String,
    flags: Flags,
    levels: Vec<Level>,
    names: Vec<Option<String>>,
}

impl<'s> Reader<'s> {
    fn new(source: &'s str) -> Self {
        Reader {
            source,
            rest: source,
            out: String::with_capacity(source.len() * 2),
            flags: Flags::default(),
            levels: vec![Level::new(Flags::default(), 0)],
            names: Vec::new(),
        }
    }

    /// The part from an earlier rest up to here.
    fn since(&self, before: &'s str) -> &'s str {
        &before[..before.len() - self.rest.len()]
    }

    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::new(self.flags, 0));
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// The next character; bytes that are not UTF-8 are an error.
    fn next(&mut self) -> Result<Option<char>, Fault<'s>> {
        let Some(char) = self.rest.chars().next() else { return Ok(None) };
        if raw_byte(char).is_some() {
            return Err(Fault("invalid UTF-8", self.rest));
        }
        self.rest = &self.rest[char.len_utf8()..];
        Ok(Some(char))
    }

    fn read(&mut self) -> Result<(), Fault<'s>> {
        let mut last_repeat = None;
        while let Some(char) = self.rest.chars().next() {
            let before = self.rest;
            let mut repeat = None;
            match char {
                '(' if self.rest.starts_with("(?") => self.flags_or_group()?,
                '(' => {
                    self.rest = &self.rest[1..];
                    self.names.push(None);
                    self.open("(")?;
                }
                '|' => {
                    self.rest = &self.rest[1..];
                    self.out.push('|');
                    self.level().atom = None;
                }
                ')' => self.close()?,
                '^' => self.assertion(1, if self.flags.multi_line { "(?m:^)" } else { "\\A" }),
                '$' => self.assertion(1, if self.flags.multi_line { "(?m:$)" } else { "\\z" }),
                '.' => self.assertion(1, if self.flags.dot_all { "(?s:.)" } else { "." }),
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    self.rest = &self.rest[1..];
                    self.repeat(before, last_repeat, None)?;
                    repeat = Some(before);
                }
                '{' => match self.counts() {
                    Some(counts) => {
                        self.repeat(before, last_repeat, Some(counts))?;
                        repeat = Some(before);
                    }
                    None => {
                        self.rest = &self.rest[1..];
                        self.literal('{');
                    }
                },
                '\\' => self.escape()?,
                _ => {
                    if let Some(char) = self.next()? {
                        self.literal(char);
                    }
                }
            }
            last_repeat = repeat;
        }
        if self.levels.len() > 1 { Err(Fault("missing closing )", self.source)) } else { Ok(()) }
    }

    /// Begins the expression that a repetition would repeat.
    fn atom(&mut self) {
        let start = self.out.len();
        let level = self.level();
        level.atom = Some(start);
        level.copies = 1;
    }

    /// Something written the same in both languages, or nearly.
    fn assertion(&mut self, length: usize, written: &str) {
        self.rest = &self.rest[length..];
        self.atom();
        self.out.push_str(written);
    }

    fn literal(&mut self, char: char) {
        self.atom();
        if self.flags.fold && (!char.is_ascii() || char.is_ascii_alphabetic()) {
            self.out.push_str("(?i:");
            write_char(&mut self.out, char);
            self.out.push(')');
        } else {
            write_char(&mut self.out, char);
        }
    }

    fn open(&mut self, written: &str) -> Result<(), Fault<'s>> {
        if self.levels.len() > MAX_DEPTH {
            return Err(Fault("expression nests too deeply", self.source));
        }
        self.levels.push(Level::new(self.flags, self.out.len()));
        self.out.push_str(written);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault<'s>> {
        let closed = match self.levels.len() {
            0 | 1 => return Err(Fault("unexpected )", self.source)),
            _ => self.levels.pop(),
        };
        self.rest = &self.rest[1..];
        self.out.push(')');
        if let Some(closed) = closed {
            self.flags = closed.flags;
            let level = self.level();
            level.atom = Some(closed.start);
            level.copies = closed.most_copies;
            level.most_copies = level.most_copies.max(closed.most_copies);
        }
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?i)`, `(?s-U:`.
    fn flags_or_group(&mut self) -> Result<(), Fault<'s>> {
        let before = self.rest;
        let named = ["(?P<", "(?<"].into_iter().find(|start| before.starts_with(start) && before.len() > start.len());
        if let Some(start) = named {
            let Some(end) = before.find('>') else { return Err(Fault(BAD_NAME, before)) };
            let name = &before[start.len()..end];
            if name.is_empty() || !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
                return Err(Fault(BAD_NAME, &before[..=end]));
            }
            self.rest = &before[end + 1..];
            self.names.push(Some(name.to_owned()));
            return self.open("(");
        }
        self.rest = &before[2..];
        let mut flags = self.flags;
        let mut negative = false;
        let mut any = false;
        while let Some(char) = self.next()? {
            match char {
                'i' => flags.fold = !negative,
                'm' => flags.multi_line = !negative,
                's' => flags.dot_all = !negative,
                'U' => flags.lazy = !negative,
                '-' if !negative => {
                    negative = true;
                    any = false;
                    continue;
                }
                ':' | ')' if any || !negative => {
                    if char == ':' {
                        self.open("(?:")?;
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            any = true;
        }
        Err(Fault(BAD_PERL, self.since(before)))
    }

    /// `{2}`, `{2,}` and `{2,3}`: least and most copies, `None` for what does not look like that. Numbers that are
    /// too large are `u32::MAX`.
    fn counts(&mut self) -> Option<(u32, Option<u32>)> {
        let number = |text: &'s str| {
            let length = text.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, rest) = text.split_at(length);
            if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
                return None;
            }
            Some((digits.parse().unwrap_or(u32::MAX), rest))
        };
        let (least, rest) = number(&self.rest[1..])?;
        let (most, rest) = match rest.strip_prefix(',') {
            None => (Some(least), rest),
            Some(rest) if rest.starts_with('}') => (None, rest),
            Some(rest) => number(rest).map(|(most, rest)| (Some(most), rest))?,
        };
        self.rest = rest.strip_prefix('}')?;
        Some((least, most))
    }

    /// Repeats the last expression. `before` is the rest at the operator, which has been read up to a `?`.
    fn repeat(
        &mut self,
        before: &'s str,
        last_repeat: Option<&'s str>,
        counts: Option<(u32, Option<u32>)>,
    ) -> Result<(), Fault<'s>> {
        if let Some((least, most)) = counts {
            let out_of_order = most.is_some_and(|most| most > MAX_REPEAT || least > most);
            if least > MAX_REPEAT || out_of_order {
                return Err(Fault(BAD_COUNT, self.since(before)));
            }
        }
        let operator = self.since(before);
        let mut lazy = self.flags.lazy;
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
            lazy = !lazy;
        }
        let with_mark = self.since(before);
        if let Some(last) = last_repeat {
            return Err(Fault("invalid nested repetition operator", self.since(last)));
        }
        let Some(start) = self.level().atom else {
            return Err(Fault("missing argument to repetition operator", with_mark));
        };
        if let Some((least, most)) = counts {
            let level = self.level();
            let times = most.unwrap_or(least);
            level.copies = if most == Some(0) { 1 } else { times.max(1).saturating_mul(level.copies) };
            level.most_copies = level.most_copies.max(level.copies);
            if level.copies > MAX_REPEAT && (least >= 2 || times >= 2) {
                return Err(Fault(BAD_COUNT, with_mark));
            }
        }
        // A group of its own, so that flags between the expression and its operator do not come between them.
        self.out.insert_str(start, "(?:");
        self.out.push(')');
        self.out.push_str(operator);
        if lazy {
            self.out.push('?');
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Fault<'s>> {
        match self.rest.as_bytes().get(1) {
            Some(b'A') => self.assertion(2, "\\A"),
            Some(b'z') => self.assertion(2, "\\z"),
            Some(b'b') => self.assertion(2, "(?-u:\\b)"),
            Some(b'B') => self.assertion(2, "(?-u:\\B)"),
            Some(b'C') => return Err(Fault(BAD_ESCAPE, &self.rest[..2])),
            Some(b'Q') => {
                let quoted = &self.rest[2..];
                let (quoted, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                self.rest = quoted;
                while let Some(char) = self.next()? {
                    self.literal(char);
                }
                self.rest = rest;
            }
            _ => {
                let mut set = String::new();
                if self.set(&mut set)? {
                    self.atom();
                    self.write_folded(&set);
                } else {
                    let char = self.escaped_char()?;
                    self.literal(char);
                }
            }
        }
        Ok(())
    }

    fn write_folded(&mut self, written: &str) {
        if self.flags.fold {
            self.out.push_str("(?i:");
            self.out.push_str(written);
            self.out.push(')');
        } else {
            self.out.push_str(written);
        }
    }

    /// `\pL`, `\p{^Greek}`, `\d`, …: whether there is one here.
    fn set(&mut self, out: &mut String) -> Result<bool, Fault<'s>> {
        let Some(kind) = self.rest.strip_prefix('\\').and_then(|rest| rest.bytes().next()) else { return Ok(false) };
        match kind {
            b'd' => out.push_str("[0-9]"),
            b'D' => out.push_str("[^0-9]"),
            b'w' => out.push_str("[0-9A-Za-z_]"),
            b'W' => out.push_str("[^0-9A-Za-z_]"),
            b's' => out.push_str("[\\t\\n\\x0C\\r ]"),
            b'S' => out.push_str("[^\\t\\n\\x0C\\r ]"),
            b'p' | b'P' => {
                self.unicode_set(out, kind == b'P')?;
                return Ok(true);
            }
            _ => return Ok(false),
        }
        self.rest = &self.rest[2..];
        Ok(true)
    }

    fn unicode_set(&mut self, out: &mut String, mut negative: bool) -> Result<(), Fault<'s>> {
        let before = self.rest;
        self.rest = &self.rest[2..];
        let name = match self.next()? {
            None => return Err(Fault(BAD_RANGE, before)),
            Some('{') => {
                let Some(end) = before.find('}') else { return Err(Fault(BAD_RANGE, before)) };
                self.rest = &before[end + 1..];
                &before[3..end]
            }
            Some(_) => &self.since(before)[2..],
        };
        let name = match name.strip_prefix('^') {
            Some(name) => {
                negative = !negative;
                name
            }
            None => name,
        };
        let mut set = unicode_set(name).ok_or(Fault(BAD_RANGE, self.since(before)))?;
        if let Some(inverse) = set.strip_prefix("\\P{Cn") {
            negative = !negative;
            set = format!("\\p{{Cn{inverse}");
        }
        let _ = if negative { write!(out, "[^{set}]") } else { write!(out, "[{set}]") };
        Ok(())
    }

    /// A backslash and what it stands for.
    fn escaped_char(&mut self) -> Result<char, Fault<'s>> {
        let before = self.rest;
        self.rest = &self.rest[1..];
        let Some(char) = self.next()? else { return Err(Fault("trailing backslash at end of expression", "")) };
        let is_octal = |byte: &u8| matches!(byte, b'0'..=b'7');
        match char {
            '0'..='7' if char == '0' || self.rest.as_bytes().first().is_some_and(is_octal) => {
                let digits = self.rest.bytes().take(2).take_while(is_octal).count();
                let code = u32::from_str_radix(&before[1..2 + digits], 8).unwrap_or(0);
                self.rest = &self.rest[digits..];
                return Ok(char::from_u32(code).unwrap_or_default());
            }
            'x' => {
                if let Some(char) = self.hexadecimal()? {
                    return Ok(char);
                }
            }
            'a' => return Ok('\x07'),
            'f' => return Ok('\x0C'),
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'v' => return Ok('\x0B'),
            _ if char.is_ascii() && !char.is_ascii_alphanumeric() => return Ok(char),
            _ => {}
        }
        Err(Fault(BAD_ESCAPE, self.since(before)))
    }

    /// `7F` or `{10FFFF}` after its `\x`; `None` where that is not what stands here.
    fn hexadecimal(&mut self) -> Result<Option<char>, Fault<'s>> {
        let Some(first) = self.next()? else { return Ok(None) };
        let mut code = 0;
        if first != '{' {
            let second = self.next()?.and_then(|char| char.to_digit(16));
            return Ok(first.to_digit(16).zip(second).and_then(|(first, second)| char::from_u32(first * 16 + second)));
        }
        let mut any = false;
        while let Some(char) = self.next()? {
            match char.to_digit(16) {
                Some(digit) if code * 16 + digit <= u32::from(char::MAX) => code = code * 16 + digit,
                // A surrogate is no character: it matches nothing that a text can hold.
                None if char == '}' && any => {
                    return Ok(Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)));
                }
                _ => return Ok(None),
            }
            any = true;
        }
        Ok(None)
    }

    /// `[^a-z[:alpha:]\d]`.
    fn class(&mut self) -> Result<(), Fault<'s>> {
        let before = self.rest;
        self.rest = &self.rest[1..];
        let mut set = String::from("[");
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            set.push('^');
        }
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if self.posix_set(&mut set)? || self.set(&mut set)? {
                continue;
            }
            let range = self.rest;
            let low = self.class_char(before)?;
            let mut high = low;
            if self.rest.starts_with('-') && self.rest.len() > 1 && !self.rest.starts_with("-]") {
                self.rest = &self.rest[1..];
                high = self.class_char(before)?;
                if high < low {
                    return Err(Fault(BAD_RANGE, self.since(range)));
                }
            }
            write_char(&mut set, low);
            if high != low {
                set.push('-');
                write_char(&mut set, high);
            }
        }
        self.rest = &self.rest[1..];
        set.push(']');
        self.atom();
        self.write_folded(&set);
        Ok(())
    }

    fn class_char(&mut self, class: &'s str) -> Result<char, Fault<'s>> {
        if self.rest.starts_with('\\') {
            return self.escaped_char();
        }
        self.next()?.ok_or(Fault("missing closing ]", class))
    }

    /// `[:alpha:]`, `[:^alpha:]`.
    fn posix_set(&mut self, out: &mut String) -> Result<bool, Fault<'s>> {
        let Some(end) = self.rest.strip_prefix("[:").and_then(|rest| rest.find(":]")) else { return Ok(false) };
        let (whole, rest) = self.rest.split_at(end + 4);
        let name = &whole[2..end + 2];
        let (start, name) = name.strip_prefix('^').map_or(("[", name), |name| ("[^", name));
        let set = match name {
            "alnum" => "0-9A-Za-z",
            "alpha" => "A-Za-z",
            "ascii" => "\\x00-\\x7F",
            "blank" => "\\t ",
            "cntrl" => "\\x00-\\x1F\\x7F",
            "digit" => "0-9",
            "graph" => "!-~",
            "lower" => "a-z",
            "print" => " -~",
            "punct" => "!-/:-@\\[-`{-~",
            "space" => "\\t-\\r ",
            "upper" => "A-Z",
            "word" => "0-9A-Za-z_",
            "xdigit" => "0-9A-Fa-f",
            _ => return Err(Fault(BAD_RANGE, whole)),
        };
        self.rest = rest;
        let _ = write!(out, "{start}{set}]");
        Ok(true)
    }
}

/// A character that stands for itself, in a class or outside.
fn write_char(out: &mut String, char: char) {
    if char.is_ascii() && !char.is_ascii_alphanumeric() {
        let _ = write!(out, "\\x{:02X}", u32::from(char));
    } else {
        out.push(char);
    }
}

/// A category or script by its name, with Go's freedom in case, blanks, hyphens and underscores.
fn unicode_set(name: &str) -> Option<String> {
    let plain: String = name.chars().filter(|char| !matches!(char, '_' | '-' | ' ')).collect();
    if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let lower = plain.to_ascii_lowercase();
    let written = match lower.as_str() {
        "any" => "\\x00-\\x{10FFFF}".to_owned(),
        "ascii" => "\\x00-\\x7F".to_owned(),
        "assigned" => "\\P{Cn}".to_owned(),
        "lc" | "casedletter" => "\\p{Lu}\\p{Ll}\\p{Lt}".to_owned(),
        // No text holds surrogates.
        "cs" | "surrogate" => "[^\\x00-\\x{10FFFF}]".to_owned(),
        _ => {
            let category = format!("\\p{{gc={lower}}}");
            let script = format!("\\p{{sc={lower}}}");
            [category, script].into_iter().find(|set| Regex::new(set).is_ok())?
        }
    };
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Ranges of all groups of all matches.
    fn matches(regex: &Regex, text: &str) -> Vec<Vec<Option<std::ops::Range<usize>>>> {
        let groups = |captures: regex_automata::util::captures::Captures| {
            captures.iter().map(|group| group.map(|span| span.range())).collect()
        };
        regex.captures_iter(text).map(groups).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn ascii_text_has_the_same_matches_either_way(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "b", "k", ".", "[^a]", "[^a-z\\d\\-]", "(", "(?:", ")", "|", "*", "+?", "{2}", "\\b", "\\B", "^", "$",
                    "(?i)", "(?s)", "(?m)", "\\w", "\\W", "\\S", "[[:^alpha:]]", "é", "\\x{e9}", "[a-é]", "\\z",
                ]),
                1..8,
            ),
            text in "[abkK \n-]{0,12}",
        ) {
            if let Ok(pattern) = Pattern::new(&parts.concat())
                && let Some(ascii) = &pattern.ascii
            {
                prop_assert_eq!(matches(ascii, &text), matches(pattern.unicode().unwrap(), &text), "{}", parts.concat());
            }
        }
    }
}
