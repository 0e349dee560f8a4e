//! Texts: trimming, case, cutting, wrapping, joining.
//!
//! Where Go counts bytes, so do these; a character may be cut in two.

use super::Type::{Any, Int, Str};
use super::unicode::{self, runes};
use super::{Env, Error, Function, any, int, text};
use crate::template::helm::print::{quote as go_quote, strval, write};
use crate::value::{Entries, List, ListKind, Map, MapKind, Value, bytes_of, text_from_bytes};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("hello", &[], |_, _| Ok("Hello!".into())),
    Function::new("trim", &[Str], |_, a| Ok(text(a, 0).trim().into())),
    Function::new("trimAll", &[Str, Str], trim_all),
    Function::new("trimall", &[Str, Str], trim_all),
    Function::new("trimSuffix", &[Str, Str], |_, a| {
        Ok(text(a, 1).strip_suffix(text(a, 0)).unwrap_or(text(a, 1)).into())
    }),
    Function::new("trimPrefix", &[Str, Str], |_, a| {
        Ok(text(a, 1).strip_prefix(text(a, 0)).unwrap_or(text(a, 1)).into())
    }),
    Function::new("upper", &[Str], |_, a| Ok(map_case(text(a, 0), unicode::to_upper).into())),
    Function::new("lower", &[Str], |_, a| Ok(map_case(text(a, 0), unicode::to_lower).into())),
    Function::new("title", &[Str], |env, a| letters(env, text(a, 0), title)),
    Function::new("untitle", &[Str], |env, a| letters(env, text(a, 0), untitle)),
    Function::new("swapcase", &[Str], |_, a| Ok(swap_case(text(a, 0)).into())),
    Function::new("snakecase", &[Str], |_, a| Ok(super::words::join(text(a, 0), '_').into())),
    Function::new("kebabcase", &[Str], |_, a| Ok(super::words::join(text(a, 0), '-').into())),
    Function::new("camelcase", &[Str], |_, a| Ok(super::words::pascal(text(a, 0)).into())),
    Function::new("repeat", &[Int, Str], repeat),
    Function::new("substr", &[Int, Int, Str], substr),
    Function::new("trunc", &[Int, Str], trunc),
    Function::new("abbrev", &[Int, Str], |_, a| Ok(abbreviate(0, int(a, 0), text(a, 1)))),
    Function::new("abbrevboth", &[Int, Int, Str], |_, a| Ok(abbreviate(int(a, 0), int(a, 1), text(a, 2)))),
    Function::new("initials", &[Str], |_, a| Ok(initials(text(a, 0)).into())),
    Function::new("nospace", &[Str], |_, a| Ok(no_space(text(a, 0)))),
    Function::new("wrap", &[Int, Str], |env, a| wrap(env, text(a, 1), int(a, 0), "\n", false)),
    Function::new("wrapWith", &[Int, Str, Str], |env, a| wrap(env, text(a, 2), int(a, 0), text(a, 1), true)),
    Function::new("contains", &[Str, Str], |_, a| Ok(text(a, 1).contains(text(a, 0)).into())),
    Function::new("hasPrefix", &[Str, Str], |_, a| Ok(text(a, 1).starts_with(text(a, 0)).into())),
    Function::new("hasSuffix", &[Str, Str], |_, a| Ok(text(a, 1).ends_with(text(a, 0)).into())),
    Function::new("replace", &[Str, Str, Str], replace),
    Function::new("plural", &[Str, Str, Int], |_, a| Ok(text(a, usize::from(int(a, 2) != 1)).into())),
    Function::variadic("quote", &[Any], quote),
    Function::variadic("squote", &[Any], squote),
    Function::variadic("cat", &[Any], cat),
    Function::new("indent", &[Int, Str], |env, a| indent(env, "", int(a, 0), text(a, 1))),
    Function::new("nindent", &[Int, Str], |env, a| indent(env, "\n", int(a, 0), text(a, 1))),
    Function::new("toString", &[Any], |_, a| Ok(strval(any(a, 0))?.into_owned().into())),
    Function::new("toStrings", &[Any], |_, a| Ok(Value::List(strings_of(any(a, 0))?))),
    Function::new("join", &[Str, Any], join),
    Function::new("sortAlpha", &[Any], sort_alpha),
    Function::new("split", &[Str, Str], |env, a| numbered(env, split(text(a, 1), text(a, 0), -1))),
    Function::new("splitn", &[Str, Int, Str], |env, a| numbered(env, split(text(a, 2), text(a, 0), int(a, 1)))),
    Function::new("splitList", &[Str, Str], split_list),
];

fn trim_all(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let cut = text(arguments, 0);
    Ok(text(arguments, 1).trim_matches(|char| cut.contains(char)).into())
}

/// Go's `strings.Map`, which writes bytes that are not UTF-8 as U+FFFD.
fn map_case(text: &str, map: fn(char) -> char) -> String {
    runes(text).map(map).collect()
}

fn title(text: &str) -> String {
    let mut previous = ' ';
    let mut start_of_word = |char: char| {
        let separated = match previous {
            '_' => false,
            previous if previous.is_ascii() => !previous.is_ascii_alphanumeric(),
            previous => !unicode::is_letter(previous) && !unicode::is_digit(previous) && previous.is_whitespace(),
        };
        previous = char;
        separated
    };
    runes(text).map(|char| if start_of_word(char) { unicode::to_title(char) } else { char }).collect()
}

fn untitle(text: &str) -> String {
    let mut start_of_word = true;
    let lower = |char: char| {
        if char.is_whitespace() {
            start_of_word = true;
            char
        } else if std::mem::take(&mut start_of_word) {
            unicode::to_lower(char)
        } else {
            char
        }
    };
    runes(text).map(lower).collect()
}

fn swap_case(text: &str) -> String {
    let mut after_space = true;
    let swap = |char: char| {
        if unicode::is_upper(char) || unicode::is_title(char) {
            after_space = false;
            unicode::to_lower(char)
        } else if unicode::is_lower(char) {
            if std::mem::take(&mut after_space) { unicode::to_title(char) } else { unicode::to_upper(char) }
        } else {
            after_space = char.is_whitespace();
            char
        }
    };
    runes(text).map(swap).collect()
}

fn repeat(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (count, text) = (int(arguments, 0), text(arguments, 1));
    let count = usize::try_from(count).map_err(|_| "strings: negative Repeat count")?;
    let length = text.len().checked_mul(count).filter(|&length| isize::try_from(length).is_ok());
    env.allocate(length.ok_or("strings: Repeat output length overflow")?)?;
    Ok(text.repeat(count).into())
}

fn substr(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (start, end, text) = (int(arguments, 0), int(arguments, 1), text(arguments, 2));
    let bytes = bytes_of(text);
    let length = bytes.len() as i64;
    let (start, end) = match (start, end) {
        (i64::MIN..0, end) if (0..=length).contains(&end) => (0, end),
        (i64::MIN..0, end) if end < 0 => {
            return Err(format!("runtime error: slice bounds out of range [:{end}]").into());
        }
        (i64::MIN..0, end) => {
            return Err(format!("runtime error: slice bounds out of range [:{end}] with length {length}").into());
        }
        (start, end) if end < 0 || end > length => {
            if start > length {
                return Err(format!("runtime error: slice bounds out of range [{start}:{length}]").into());
            }
            (start, length)
        }
        (start, end) if start > end => {
            return Err(format!("runtime error: slice bounds out of range [{start}:{end}]").into());
        }
        bounds => bounds,
    };
    Ok(text_from_bytes(&bytes[start as usize..end as usize]).into_owned().into())
}

fn trunc(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (count, text) = (int(arguments, 0), text(arguments, 1));
    let bytes = bytes_of(text);
    let length = bytes.len() as i64;
    let kept = match count {
        i64::MIN..0 if length.checked_add(count).is_some_and(|start| start > 0) => &bytes[(length + count) as usize..],
        0.. if length > count => &bytes[..count as usize],
        _ => return Ok(arguments[1].clone()),
    };
    Ok(text_from_bytes(kept).into_owned().into())
}

/// Cuts a text to a width in bytes, with dots where something is missing. The byte at `offset` stays in sight.
fn abbreviate(offset: i64, width: i64, text: &str) -> Value {
    if width < 4 || offset > 0 && width < 7 {
        return text.into();
    }
    let bytes = bytes_of(text);
    let mut kept = Vec::new();
    abbreviate_into(&mut kept, &bytes, offset, width);
    text_from_bytes(&kept).into_owned().into()
}

fn abbreviate_into(kept: &mut Vec<u8>, bytes: &[u8], offset: i64, width: i64) {
    const DOTS: &[u8] = b"...";
    let length = bytes.len() as i64;
    if length <= width {
        return kept.extend_from_slice(bytes);
    }
    // The text is longer than the width, so neither bound can pass its end.
    let room = width - 3;
    let offset = offset.min(length).min(length - room);
    if offset <= 4 {
        kept.extend_from_slice(&bytes[..room as usize]);
        kept.extend_from_slice(DOTS);
    } else if offset + room < length {
        kept.extend_from_slice(DOTS);
        abbreviate_into(kept, &bytes[offset as usize..], 0, room);
    } else {
        kept.extend_from_slice(DOTS);
        kept.extend_from_slice(&bytes[(length - room) as usize..]);
    }
}

/// The first byte of each word, read as a character.
fn initials(text: &str) -> String {
    let mut after_gap = true;
    let mut result = String::new();
    for &byte in bytes_of(text).iter() {
        if unicode::is_space_byte(byte) {
            after_gap = true;
        } else if std::mem::take(&mut after_gap) {
            result.push(char::from(byte));
        }
    }
    result
}

/// Without blanks; a text that has some is then read byte by byte.
fn no_space(text: &str) -> Value {
    let bytes = bytes_of(text);
    if bytes.iter().any(|&byte| unicode::is_space_byte(byte)) {
        let kept = bytes.iter().filter(|&&byte| !unicode::is_space_byte(byte));
        Value::from(kept.map(|&byte| char::from(byte)).collect::<String>())
    } else {
        text.into()
    }
}

/// Breaks a text at blanks so that lines have at most so many bytes; `split_words` breaks longer words as well.
fn wrap(env: &mut Env<'_>, text: &str, width: i64, line_break: &str, split_words: bool) -> Result<Value, Error> {
    let line_break = if line_break.is_empty() { "\n" } else { line_break };
    let line_break = bytes_of(line_break);
    let bytes = bytes_of(text);
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    let mut wrapped = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    let mut at = 0;
    while bytes.len() - at > width {
        if bytes[at] == b' ' {
            at += 1;
            continue;
        }
        let line = &bytes[at..];
        let blank = memchr::memrchr(b' ', &line[..=width]);
        let blank =
            blank.or_else(|| if split_words { None } else { Some(memchr::memchr(b' ', line).unwrap_or(line.len())) });
        match blank {
            Some(end) if end == line.len() => break,
            Some(end) => {
                wrapped.extend_from_slice(&line[..end]);
                at += end + 1;
            }
            None => {
                wrapped.extend_from_slice(&line[..width]);
                at += width;
            }
        }
        env.allocate(wrapped.len() + line_break.len())?;
        wrapped.extend_from_slice(&line_break);
    }
    wrapped.extend_from_slice(&bytes[at..]);
    Ok(text_from_bytes(&wrapped).into_owned().into())
}

fn replace(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (old, new, text) = (text(arguments, 0), text(arguments, 1), text(arguments, 2));
    if new.len() > old.len() {
        env.allocate(text.len().saturating_add(text.matches(old).count().saturating_mul(new.len())))?;
    }
    Ok(text.replace(old, new).into())
}

fn quote(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let mut result = String::new();
    for (index, value) in arguments.iter().filter(|value| !value.is_nil()).enumerate() {
        result.push_str(if index == 0 { "" } else { " " });
        result.push_str(&go_quote(&strval(value)?));
    }
    Ok(result.into())
}

fn squote(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let mut result = String::new();
    for (index, value) in arguments.iter().filter(|value| !value.is_nil()).enumerate() {
        result.push_str(if index == 0 { "'" } else { " '" });
        write(&mut result, value)?;
        result.push('\'');
    }
    Ok(result.into())
}

fn cat(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let mut result = String::new();
    for (index, value) in arguments.iter().filter(|value| !value.is_nil()).enumerate() {
        result.push_str(if index == 0 { "" } else { " " });
        write(&mut result, value)?;
    }
    Ok(result.into())
}

/// Puts blanks before each line, empty ones too.
fn indent(env: &mut Env<'_>, start: &str, spaces: i64, text: &str) -> Result<Value, Error> {
    let spaces = usize::try_from(spaces).map_err(|_| "strings: negative Repeat count")?;
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
    let length = lines.checked_mul(spaces).and_then(|length| length.checked_add(start.len() + text.len()));
    let length = length.ok_or(Error::Limit)?;
    env.allocate(length)?;
    let mut result = String::with_capacity(length);
    result.push_str(start);
    for (index, line) in text.split('\n').enumerate() {
        result.push_str(if index == 0 { "" } else { "\n" });
        result.extend(std::iter::repeat_n(' ', spaces));
        result.push_str(line);
    }
    Ok(result.into())
}

/// Sprig's `toStrings`: each item as text, nil ones left out.
pub(super) fn strings_of(value: &Value) -> Result<List, Error> {
    let one = |value: &Value| match value {
        Value::Str(text) => Ok(Value::Str(text.clone())),
        value => Ok(Value::from(strval(value)?.into_owned())),
    };
    let items = match value {
        Value::List(list) if list.kind() == ListKind::Str => return Ok(list.clone()),
        Value::List(list) => {
            list.items().iter().filter(|item| !item.is_nil()).map(one).collect::<Result<Vec<_>, Error>>()?
        }
        Value::Bytes(bytes) => bytes.iter().map(|byte| byte.to_string().into()).collect(),
        Value::Nil => Vec::new(),
        value => vec![one(value)?],
    };
    Ok(List::with(ListKind::Str, Some(items), 0))
}

fn join(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let separator = text(arguments, 0);
    let strings = strings_of(any(arguments, 1))?;
    let parts: Vec<&str> = strings.items().iter().filter_map(Value::as_str).collect();
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    env.allocate(length.saturating_add(separator.len().saturating_mul(parts.len())))?;
    Ok(parts.join(separator).into())
}

fn sort_alpha(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let strings = match any(arguments, 0) {
        Value::Nil => return Ok(Value::List(List::strings(["<nil>".into()]))),
        value => strings_of(value)?,
    };
    let mut items: Vec<_> =
        strings.items().iter().filter_map(Value::as_str).map(|text| (bytes_of(text), text)).collect();
    items.sort();
    let items = items.into_iter().map(|(_, text)| text.into());
    Ok(Value::List(List::with(ListKind::Str, Some(items.collect()), 0)))
}

/// Go's `strings.SplitN`: `None` where it gives a nil slice.
fn split<'t>(text: &'t str, separator: &str, limit: i64) -> Option<Vec<&'t str>> {
    let limit = match limit {
        0 => return None,
        limit => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    if !separator.is_empty() {
        return Some(text.splitn(limit, separator).collect());
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        if parts.len() + 1 == limit {
            parts.push(rest);
            break;
        }
        let (part, after) = rest.split_at(char.len_utf8());
        parts.push(part);
        rest = after;
    }
    Some(parts)
}

/// What is done letter by letter is slower than what passes over bytes.
fn letters<T: Into<Value>>(env: &mut Env<'_>, text: &str, change: fn(&str) -> T) -> Result<Value, Error> {
    env.charge(text.len() as u64 / 4)?;
    Ok(change(text).into())
}

/// `_0`, `_1`, …
fn numbered(env: &mut Env<'_>, parts: Option<Vec<&str>>) -> Result<Value, Error> {
    // An entry takes far longer to make, to hold and to drop than an item of a list.
    const ENTRY: u64 = 32;
    let parts = parts.unwrap_or_default();
    env.charge(ENTRY.saturating_mul(parts.len() as u64))?;
    let entries: Entries =
        parts.iter().enumerate().map(|(index, part)| (format!("_{index}").into(), Value::from(*part))).collect();
    Ok(Value::Map(Map::with(MapKind::Str, entries, 0)))
}

fn split_list(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let parts = split(text(arguments, 1), text(arguments, 0), -1).unwrap_or_default();
    env.charge(4 * parts.len() as u64)?;
    Ok(Value::List(List::strings(parts.into_iter().map(Into::into))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn texts_are_cut_by_bytes() {
        for (start, end, expected) in [
            (-1, 2, "h\u{10FFC3}"),
            (1, 3, "é"),
            (3, -1, "llo"),
            (3, 99, "llo"),
            (0, 0, ""),
            (4, 2, "error: runtime error: slice bounds out of range [4:2]"),
            (9, -1, "error: runtime error: slice bounds out of range [9:6]"),
            (-1, 9, "error: runtime error: slice bounds out of range [:9] with length 6"),
            (-1, -2, "error: runtime error: slice bounds out of range [:-2]"),
        ] {
            let arguments = [Value::Int(start), Value::Int(end), "héllo".into()];
            assert_eq!(call("substr", &arguments), expected, "{start} {end}");
        }
        for (count, expected) in [(3, "hé"), (-3, "llo"), (-9, "héllo"), (9, "héllo"), (0, ""), (i64::MIN, "héllo")]
        {
            assert_eq!(call("trunc", &[Value::Int(count), "héllo".into()]), expected, "{count}");
        }
    }

    #[test]
    fn texts_are_abbreviated() {
        let text = "Now is the time for all good men";
        for (offset, width, expected) in [
            (0, 10, "Now is ..."),
            (0, 3, text),
            (4, 10, "Now is ..."),
            (5, 10, "...s th..."),
            (20, 10, "...all ..."),
            (99, 10, "...ood men"),
            (1, 6, text),
            (-9, 40, text),
        ] {
            assert_eq!(strval(&abbreviate(offset, width, text)).expect("text"), expected, "{offset} {width}");
        }
    }

    #[test]
    fn texts_are_wrapped() {
        let arguments = |width| [Value::Int(width), "one  two threefour five".into()];
        assert_eq!(call("wrap", &arguments(5)), "one \ntwo\nthreefour\nfive");
        assert_eq!(call("wrap", &arguments(0)), "one\ntwo\nthreefour\nfive");
        let with = |width| [Value::Int(width), "|".into(), "one  two threefour five".into()];
        assert_eq!(call("wrapWith", &with(5)), "one |two|three|four|five");
    }

    #[test]
    fn cases_follow_go() {
        assert_eq!(title("it's foo-bar_baz ǆx"), "It'S Foo-Bar_baz ǅx");
        assert_eq!(map_case("straße ῳ ŉ\u{10FFC3}", unicode::to_upper), "STRAßE ῼ ŉ\u{FFFD}");
        assert_eq!(map_case("İΣ", unicode::to_lower), "iσ");
        assert_eq!(untitle("Hello World ÉX"), "hello world éX");
        assert_eq!(swap_case("hello World ǅ"), "HELLO wORLD ǆ");
        assert_eq!(initials("éa first  Try"), "ÃfT");
    }

    #[test]
    fn only_what_fits_is_allocated() {
        assert_eq!(call("repeat", &[Value::Int(-1), "a".into()]), "error: strings: negative Repeat count");
        assert_eq!(
            call("repeat", &[Value::Int(i64::MAX), "ab".into()]),
            "error: strings: Repeat output length overflow"
        );
        assert_eq!(call("repeat", &[Value::Int(1 << 40), "ab".into()]), "limit");
        assert_eq!(call("indent", &[Value::Int(1 << 40), "ab".into()]), "limit");
        assert_eq!(call("repeat", &[Value::Int(3), "ab".into()]), "ababab");
    }

    #[test]
    fn lists_become_texts() {
        let list = Value::list(vec!["b".into(), Value::Nil, Value::Int(1), Value::Float(1e6), "a".into()]);
        assert_eq!(call("join", &["-".into(), list.clone()]), "b-1-1e+06-a");
        assert_eq!(call("sortAlpha", &[list]), "[1 1e+06 a b]");
        assert_eq!(call("join", &["-".into(), Value::Nil]), "");
        assert_eq!(call("join", &["-".into(), Value::Int(3)]), "3");
        assert_eq!(call("quote", &[Value::Nil, "a\"\n".into(), Value::Float(1e6)]), r#""a\"\n" "1e+06""#);
        assert_eq!(call("squote", &[Value::Nil, "a'".into(), Value::Int(1)]), "'a'' '1'");
        assert_eq!(call("cat", &["a".into(), Value::Nil, "".into(), Value::Int(1)]), "a  1");
    }

    #[test]
    fn texts_are_split() {
        assert_eq!(call("split", &[",".into(), "a,b,".into()]), "map[_0:a _1:b _2:]");
        assert_eq!(call("split", &["".into(), "aé".into()]), "map[_0:a _1:é]");
        assert_eq!(call("splitn", &[",".into(), Value::Int(2), "a,b,c".into()]), "map[_0:a _1:b,c]");
        assert_eq!(call("splitn", &[",".into(), Value::Int(0), "a,b,c".into()]), "map[]");
        assert_eq!(call("splitn", &["".into(), Value::Int(2), "abc".into()]), "map[_0:a _1:bc]");
        assert_eq!(call("splitList", &[",".into(), "".into()]), "[]");
        assert_eq!(split("", ",", -1), Some(vec![""]));
    }
}
