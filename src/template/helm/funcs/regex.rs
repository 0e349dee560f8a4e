//! Regular expressions in Go's syntax.
//!
//! Of each pair of functions, the plain one panics on a bad pattern and the `must` one returns the error; all fail,
//! with different words. Only `regexMatch` takes a bad pattern for one that does not match.

use super::Type::{Int, Str};
use super::unicode;
use super::{Env, Error, Function, int, text};
use crate::regexp::Pattern;
use crate::template::helm::print::{can_backquote, quote};
use crate::value::{List, ListKind, Value};
use regex_automata::util::captures::Captures;
use std::sync::Arc;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("regexMatch", &[Str, Str], |_, a| {
        Ok(Pattern::new(text(a, 0)).and_then(|pattern| pattern.is_match(text(a, 1))).unwrap_or(false).into())
    }),
    Function::new("mustRegexMatch", &[Str, Str], |_, a| Ok(Pattern::new(text(a, 0))?.is_match(text(a, 1))?.into())),
    Function::new("regexFind", &[Str, Str], |_, a| find(&*must(text(a, 0))?, text(a, 1))),
    Function::new("mustRegexFind", &[Str, Str], |_, a| find(&*Pattern::new(text(a, 0))?, text(a, 1))),
    Function::new("regexFindAll", &[Str, Str, Int], |env, a| find_all(env, &*must(text(a, 0))?, a)),
    Function::new("mustRegexFindAll", &[Str, Str, Int], |env, a| find_all(env, &*Pattern::new(text(a, 0))?, a)),
    Function::new("regexReplaceAll", &[Str, Str, Str], |env, a| replace(env, &*must(text(a, 0))?, a, expand)),
    Function::new("mustRegexReplaceAll", &[Str, Str, Str], |env, a| {
        replace(env, &*Pattern::new(text(a, 0))?, a, expand)
    }),
    Function::new("regexReplaceAllLiteral", &[Str, Str, Str], |env, a| replace(env, &*must(text(a, 0))?, a, literal)),
    Function::new("mustRegexReplaceAllLiteral", &[Str, Str, Str], |env, a| {
        replace(env, &*Pattern::new(text(a, 0))?, a, literal)
    }),
    Function::new("regexSplit", &[Str, Str, Int], |env, a| split(env, &*must(text(a, 0))?, a)),
    Function::new("mustRegexSplit", &[Str, Str, Int], |env, a| split(env, &*Pattern::new(text(a, 0))?, a)),
    Function::new("regexQuoteMeta", &[Str], |_, a| Ok(quote_meta(text(a, 0)).into())),
];

/// The pattern, or the error of Go's `regexp.MustCompile`.
fn must(source: &str) -> Result<Arc<Pattern>, String> {
    Pattern::new(source).map_err(|error| {
        let source = if can_backquote(source) { format!("`{source}`") } else { quote(source) };
        format!("regexp: Compile({source}): {error}")
    })
}

fn find(pattern: &Pattern, text: &str) -> Result<Value, Error> {
    Ok(pattern.find(text)?.unwrap_or_default().into())
}

fn limit(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn find_all(env: &mut Env<'_>, pattern: &Pattern, arguments: &[Value]) -> Result<Value, Error> {
    let text = text(arguments, 1);
    let matches = pattern.on(text)?.find_iter(text).take(limit(int(arguments, 2)));
    let found: Vec<Value> = matches.map(|found| text[found.range()].into()).collect();
    env.charge(found.len() as u64)?;
    Ok(Value::List(List::with(ListKind::Str, (!found.is_empty()).then_some(found), 0)))
}

/// A match of a pattern in a text.
struct Found<'t> {
    pattern: &'t Pattern,
    text: &'t str,
    captures: Captures,
}

/// Writes what takes a match's place.
type Replacement = fn(&mut String, &Found<'_>, &str);

fn replace(env: &mut Env<'_>, pattern: &Pattern, arguments: &[Value], with: Replacement) -> Result<Value, Error> {
    let (source, template) = (text(arguments, 1), text(arguments, 2));
    let mut result = String::with_capacity(source.len());
    let mut end = 0;
    for captures in pattern.on(source)?.captures_iter(source) {
        let Some(whole) = captures.get_match() else { continue };
        result.push_str(&source[end..whole.start()]);
        end = whole.end();
        let before = result.len();
        with(&mut result, &Found { pattern, text: source, captures }, template);
        env.allocate(result.len())?;
        env.charge(((result.len() - before) / 16) as u64)?;
    }
    result.push_str(&source[end..]);
    Ok(result.into())
}

fn literal(out: &mut String, _: &Found<'_>, template: &str) {
    out.push_str(template);
}

/// `$1`, `${1}`, `$name`, `$$`. The longest name counts: `$1x` is the group `1x`.
fn expand(out: &mut String, found: &Found<'_>, template: &str) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = group_name(after) {
            out.push_str(found.group(name).unwrap_or_default());
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
}

fn group_name(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let inner = braced.unwrap_or(text);
    let is_part = |char| char == '_' || unicode::is_letter(char) || unicode::is_digit(char);
    let length = inner.find(|char| !is_part(char)).unwrap_or(inner.len());
    let (name, after) = inner.split_at(length);
    let after = if braced.is_some() { after.strip_prefix('}')? } else { after };
    (!name.is_empty()).then_some((name, after))
}

impl Found<'_> {
    fn group(&self, name: &str) -> Option<&str> {
        let number = |number: usize| self.captures.get_group(number).map(|span| &self.text[span.range()]);
        let is_number = name == "0" || !name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            return number(name.parse().ok()?);
        }
        // Go lets several groups have one name: the first that matched counts.
        let named = self.pattern.names.iter().enumerate().filter(|(_, other)| other.as_deref() == Some(name));
        named.filter_map(|(index, _)| number(index + 1)).next()
    }
}

fn split(env: &mut Env<'_>, pattern: &Pattern, arguments: &[Value]) -> Result<Value, Error> {
    let (source, count) = (text(arguments, 1), int(arguments, 2));
    if count == 0 {
        return Ok(Value::List(List::with(ListKind::Str, None, 0)));
    }
    if source.is_empty() && !text(arguments, 0).is_empty() {
        return Ok(Value::List(List::strings(["".into()])));
    }
    let mut parts = Vec::new();
    let (mut start, mut end) = (0, 0);
    for found in pattern.on(source)?.find_iter(source).take(limit(count)) {
        if count > 0 && parts.len() as i64 == count - 1 {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(source[start..end].into());
        }
        start = found.end();
    }
    if end != source.len() {
        parts.push(source[start..].into());
    }
    env.charge(parts.len() as u64)?;
    Ok(Value::List(List::strings(parts)))
}

fn quote_meta(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if matches!(char, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    fn matches(pattern: &str, text: &str) -> String {
        call("mustRegexMatch", &[pattern.into(), text.into()])
    }

    #[test]
    fn patterns_follow_go() {
        for (pattern, text, expected) in [
            (r"^\d+$", "12", "true"),
            (r"^\d+$", "١٢", "false"),
            (r"\bé", "é", "false"),
            (r"(?i)STRASSE\x2e", "strasse.", "true"),
            (r"^[a&&b]+$", "&ab", "true"),
            (r"^a{,2}$", "a{,2}", "true"),
            (r"^[]a]+$", "]a", "true"),
            (r"^\Qa.b\E+$", "a.bb", "true"),
            (r"^\101\x{42}$", "AB", "true"),
            (r"^[[:^alpha:][:digit:]]$", "a", "false"),
            (r"^\p{greek}\P{^L}$", "αx", "true"),
            (r"a(?i)*$", "aaa", "true"),
            (r"(?s)^a.b$", "a\nb", "true"),
            (r"(?m)^b$", "a\nb", "true"),
            (r"^b$", "a\nb", "false"),
            (r"^(?:(?i)a)a$", "AA", "false"),
            (r"^(a{0}){1000}$", "", "true"),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn bad_patterns_get_gos_errors() {
        for (pattern, error) in [
            ("a(", "missing closing ): `a(`"),
            ("a)", "unexpected ): `a)`"),
            ("[a", "missing closing ]: `[a`"),
            ("[z-a]", "invalid character class range: `z-a`"),
            ("[[:no:]]", "invalid character class range: `[:no:]`"),
            (r"\p{No_Such}", r"invalid character class range: `\p{No_Such}`"),
            (r"\8", r"invalid escape sequence: `\8`"),
            (r"\u00e9", r"invalid escape sequence: `\u`"),
            (r"a\", "trailing backslash at end of expression: ``"),
            ("*", "missing argument to repetition operator: `*`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("x{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
            ("x{1001}", "invalid repeat count: `{1001}`"),
            ("(x{100}){11}", "invalid repeat count: `{11}`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
            ("(?P<n", "invalid named capture: `(?P<n`"),
            ("(?P<a-b>x)", "invalid named capture: `(?P<a-b>`"),
        ] {
            assert_eq!(matches(pattern, ""), format!("error: error parsing regexp: {error}"), "{pattern}");
        }
        assert_eq!(
            call("regexFind", &["a(".into(), "".into()]),
            "error: regexp: Compile(`a(`): error parsing regexp: missing closing ): `a(`"
        );
        assert_eq!(call("regexMatch", &["a(".into(), "a(".into()]), "false");
    }

    #[test]
    fn matches_are_replaced() {
        for (pattern, text, template, expected) in [
            ("a(x*)b", "-ab-axxb-", "${1}W", "-W-xxW-"),
            ("a(x*)b", "-ab-axxb-", "$1W", "---"),
            ("(?P<n>a)|(?P<n>b)", "ab", "<$n$$>", "<a$><b$>"),
            ("a*", "baac", "-", "-b-c-"),
            ("", "héy", "-", "-h-é-y-"),
            ("a", "a", "${1", "${1"),
            ("a", "a", "$ $01", "$ "),
        ] {
            let arguments = [pattern.into(), text.into(), template.into()];
            assert_eq!(call("regexReplaceAll", &arguments), expected, "{pattern} {template}");
        }
        assert_eq!(call("regexReplaceAllLiteral", &["a".into(), "ab".into(), "$1".into()]), "$1b");
        assert_eq!(
            call("regexReplaceAll", &["".into(), "x".repeat(1 << 20).into(), "y".repeat(1 << 12).into()]),
            "limit"
        );
    }

    #[test]
    fn matches_are_found_and_split_at() {
        let at = |name: &str, count| call(name, &["[0-9]+".into(), "1a2b3c".into(), Value::Int(count)]);
        assert_eq!(at("regexFindAll", -1), "[1 2 3]");
        assert_eq!(at("regexFindAll", 2), "[1 2]");
        assert_eq!(at("regexFindAll", 0), "[]");
        assert_eq!(at("regexSplit", -1), "[ a b c]");
        assert_eq!(at("regexSplit", 2), "[ a2b3c]");
        assert_eq!(at("regexSplit", 0), "[]");
        assert_eq!(call("regexFind", &["b.".into(), "abc".into()]), "bc");
        assert_eq!(call("regexQuoteMeta", &["a.b[c]".into()]), "a\\.b\\[c\\]");
    }
}
