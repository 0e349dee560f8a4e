//! Values to text, byte for byte as Helm's `toYaml` and `toYamlPretty` write them.

use super::MAX_DEPTH;
use super::resolve::{Resolved, resolve};
use super::scalar::{Analysis, is_ambiguous, is_printable, push_escape, width};
use crate::value::{Map, MapKind, Object, Str, Value, bytes_of, json, number, raw_byte};
use base64::Engine;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Past this column a blank becomes a line break.
const WIDTH: usize = 80;
/// At this depth the writer looks how deep it will get.
const LOOK_AHEAD: u32 = 64;
/// Longer keys are written `? key`.
const KEY_LENGTH: usize = 128;
/// Characters after which go-yaml no longer takes a JSON string for a key.
const JSON_KEY_LENGTH: usize = 1024;

/// `toYaml`: block style, keys in natural order, without the final newline. Errors are those for which Helm's
/// function yields an empty text: a float that JSON cannot hold, a character that YAML cannot hold, a map inside
/// itself.
pub fn to_yaml(value: &Value) -> Result<String, String> {
    write(value, false)
}

/// `toYamlPretty`: as [`to_yaml`], with lists indented under their keys, long lines left alone and whole floats past
/// a million in exponent form.
pub fn to_yaml_pretty(value: &Value) -> Result<String, String> {
    write(value, true)
}

fn write(value: &Value, pretty: bool) -> Result<String, String> {
    let mut writer = Writer {
        out: String::with_capacity(256),
        pretty,
        column: 0,
        indent: -1,
        whitespace: true,
        indention: true,
        depth: 0,
    };
    writer.node(value, Context::Root)?;
    writer.indent = -1;
    writer.line();
    if writer.out.ends_with('\n') {
        writer.out.pop();
    }
    Ok(writer.out)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    Item,
    /// The value of a key.
    Mapping,
    Key,
    /// A key behind `?`.
    LongKey,
}

impl Context {
    fn is_key(self) -> bool {
        matches!(self, Context::Key | Context::LongKey)
    }
}

struct Writer {
    out: String,
    pretty: bool,
    /// In characters.
    column: usize,
    indent: isize,
    /// A blank or nothing stands before this place.
    whitespace: bool,
    /// Nothing but indentation, `-`, `?` and `:` stands before this place in its line.
    indention: bool,
    depth: u32,
}

/// The first list or map that lies this many levels below, in the order of keys, if `steps` suffice to find one.
fn below(value: &Value, levels: u32, steps: &mut u32) -> Option<Value> {
    *steps = steps.checked_sub(1)?;
    let next = |inner: &Value, steps: &mut u32| match levels {
        0 => matches!(inner, Value::List(_) | Value::Map(_)).then(|| inner.clone()),
        _ => below(inner, levels - 1, steps),
    };
    match value {
        Value::List(list) => list.items().iter().find_map(|item| next(item, steps)),
        Value::Map(map) => {
            let entries = map.snapshot();
            let mut sorted: Vec<(&Str, &Value)> = entries.iter().collect();
            sorted.sort_unstable_by(|a, b| a.0.cmp(b.0));
            sorted.into_iter().find_map(|(_, inner)| next(inner, steps))
        }
        _ => None,
    }
}

impl Writer {
    fn node(&mut self, value: &Value, context: Context) -> Result<(), String> {
        if self.out.len() > json::MAX_TEXT {
            return Err(json::TOO_LARGE.to_owned());
        }
        match value {
            Value::Nil => self.plain("null"),
            Value::Bool(true) => self.plain("true"),
            Value::Bool(false) => self.plain("false"),
            Value::Int(_) | Value::Int64(_) | Value::Uint(_) | Value::Byte(_) | Value::Float(_) => {
                self.number(value)?
            }
            Value::Str(text) => self.text(text, context)?,
            Value::Bytes(bytes) => self.bytes(bytes, context)?,
            Value::List(list) if list.is_nil() && !self.pretty => self.plain("null"),
            Value::List(_) | Value::Map(_) | Value::Object(_) => {
                self.deeper(value)?;
                match value {
                    Value::List(list) => self.sequence(list.items(), context)?,
                    Value::Map(map) => self.map(map)?,
                    Value::Object(object) => self.object(&**object, context)?,
                    _ => {}
                }
                self.depth -= 1;
            }
        }
        Ok(())
    }

    fn object(&mut self, object: &dyn Object, context: Context) -> Result<(), String> {
        let json = object.to_json();
        // The library behind `toYamlPretty` does not go by way of JSON.
        match (&*object.type_name(), &json) {
            ("time.Time", Value::Str(text)) if self.pretty => self.plain(text),
            ("time.Duration", _) if self.pretty => self.text(&object.display(), context)?,
            _ => match object.public_fields().filter(|_| self.pretty) {
                Some(fields) => self.map(&fields)?,
                None => self.node(&json, context)?,
            },
        }
        Ok(())
    }

    // Apart from `node`, whose stack frames a deep tree piles up.
    fn number(&mut self, value: &Value) -> Result<(), String> {
        let text = match value {
            Value::Int(number) | Value::Int64(number) => number.to_string(),
            Value::Uint(number) => number.to_string(),
            Value::Byte(number) => number.to_string(),
            Value::Float(number) => self.float(*number)?,
            _ => return Ok(()),
        };
        self.plain(&text);
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8], context: Context) -> Result<(), String> {
        if self.pretty {
            let items: Vec<Value> = bytes.iter().map(|&byte| Value::Int(i64::from(byte))).collect();
            return self.sequence(&items, context);
        }
        self.text(&base64::engine::general_purpose::STANDARD.encode(bytes), context)
    }

    fn map(&mut self, map: &Map) -> Result<(), String> {
        let entries = map.snapshot();
        if map.is_nil() && !self.pretty {
            self.plain("null");
            return Ok(());
        }
        if entries.is_empty() {
            self.indicator("{}", true, false, false);
            return Ok(());
        }
        if self.pretty && map.kind() == MapKind::Struct {
            let names: Vec<Str> = entries.keys().map(|name| name.to_lowercase().into()).collect();
            let fields: Vec<(&Str, &Value)> = names.iter().zip(entries.values()).collect();
            return self.mapping(&fields);
        }
        let mut sorted: Vec<(&Str, &Value)> = entries.iter().collect();
        sort(&mut sorted, self.pretty);
        self.mapping(&sorted)
    }

    fn deeper(&mut self, value: &Value) -> Result<(), String> {
        self.depth += 1;
        // Far down, lines are mostly indentation: what holds itself is found before they are written.
        let mut steps = 1 << 16;
        if self.depth == LOOK_AHEAD
            && let Some(deepest) = below(value, MAX_DEPTH - LOOK_AHEAD, &mut steps)
        {
            return Err(self.too_deep(&deepest));
        }
        if self.depth > MAX_DEPTH {
            return Err(self.too_deep(value));
        }
        Ok(())
    }

    fn too_deep(&self, value: &Value) -> String {
        match self.pretty {
            true => format!("nested deeper than {MAX_DEPTH} levels, or a map holds itself"),
            false => format!("error marshaling into JSON: {}", json::cycle(value)),
        }
    }

    fn float(&self, number: f64) -> Result<String, String> {
        if !number.is_finite() {
            let shown = number::format_g(number);
            return if !self.pretty {
                Err(format!("error marshaling into JSON: json: unsupported value: {shown}"))
            } else if number.is_nan() {
                Ok(".nan".to_owned())
            } else {
                Ok(if number > 0.0 { ".inf" } else { "-.inf" }.to_owned())
            };
        }
        if self.pretty {
            return Ok(number::format_g(number));
        }
        // Helm writes JSON and reads that as YAML, where whole numbers that fit become integers.
        let json = number::format_json(number).unwrap_or_default();
        Ok(match resolve(&json) {
            Resolved::Int(number) => number.to_string(),
            Resolved::Uint(number) => number.to_string(),
            _ => number::format_g(number),
        })
    }

    fn sequence(&mut self, items: &[Value], context: Context) -> Result<(), String> {
        if items.is_empty() {
            self.indicator("[]", true, false, false);
            return Ok(());
        }
        let outer = self.indent;
        let indentless = context == Context::Mapping && !self.indention && !self.pretty;
        if !indentless {
            self.indent_block();
        }
        for item in items {
            self.line();
            self.indicator("-", true, false, true);
            self.node(item, Context::Item)?;
        }
        self.indent = outer;
        Ok(())
    }

    fn mapping(&mut self, entries: &[(&Str, &Value)]) -> Result<(), String> {
        let outer = self.indent;
        self.indent_block();
        for (key, value) in entries {
            self.line();
            if key.len() <= KEY_LENGTH && !Analysis::of(key).multiline {
                self.text(key, Context::Key)?;
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.text(key, Context::LongKey)?;
                self.line();
                self.indicator(":", true, false, true);
            }
            self.node(value, Context::Mapping)?;
        }
        self.indent = outer;
        Ok(())
    }

    /// Indents for a block collection.
    fn indent_block(&mut self) {
        self.indent = if self.indent < 0 { 0 } else { self.indent + 2 };
    }

    /// Goes to the current indentation, on a new line unless it is free up to there.
    fn line(&mut self) {
        let indent = self.indent.max(0) as usize;
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.newline();
        }
        self.out.extend(std::iter::repeat_n(' ', indent.saturating_sub(self.column)));
        self.column = self.column.max(indent);
        self.whitespace = true;
        self.indention = true;
    }

    fn newline(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn indicator(&mut self, text: &str, needs_blank: bool, is_blank: bool, is_indention: bool) {
        if needs_blank && !self.whitespace {
            self.out.push(' ');
            self.column += 1;
        }
        self.out.push_str(text);
        self.column += text.len();
        self.whitespace = is_blank;
        self.indention = self.indention && is_indention;
    }

    /// ASCII that needs no quotes.
    fn plain(&mut self, text: &str) {
        self.indicator(text, true, false, false);
    }

    fn text(&mut self, text: &str, context: Context) -> Result<(), String> {
        let prepared = if self.pretty { Cow::Borrowed(text) } else { through_json(text, context.is_key())? };
        if self.pretty && has_raw_bytes(text) {
            self.binary(text);
            return Ok(());
        }
        let text: &str = &prepared;
        let is_key = context == Context::Key;
        let found = Analysis::of(text);
        let ambiguous = is_ambiguous(text);
        let outer = self.indent;
        self.indent = if self.indent < 0 { 2 } else { self.indent + 2 };
        let special = found.special || found.tab && !self.pretty;
        let literal_allowed = !(text.is_empty() || found.trailing_space || found.space_break || special || is_key);
        let single_allowed = !(found.break_space || found.space_break || special || found.tab);
        let plain_allowed = single_allowed
            && !(found.leading_blank || found.trailing_blank || found.multiline || found.indicators)
            && !(text.is_empty() && is_key);
        if text.contains('\n') && !is_key {
            if literal_allowed {
                self.literal(text);
            } else {
                self.double_quoted(text, true);
            }
        } else if ambiguous || text.contains('\n') || is_key && found.multiline {
            self.double_quoted(text, !is_key);
        } else if plain_allowed {
            self.folded(text, !is_key, false);
        } else if single_allowed {
            self.folded(text, !is_key, true);
        } else {
            self.double_quoted(text, !is_key);
        }
        self.indent = outer;
        Ok(())
    }

    /// A text that is not UTF-8, as go-yaml v3 writes it.
    fn binary(&mut self, text: &str) {
        let encoded = base64::engine::general_purpose::STANDARD.encode(bytes_of(text));
        self.indicator("!!binary", true, false, false);
        let outer = self.indent;
        self.indent = if self.indent < 0 { 2 } else { self.indent + 2 };
        if encoded.len() < 70 {
            self.plain(&encoded);
        } else {
            let lines: Vec<&str> =
                encoded.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
            self.literal(&(lines.join("\n") + "\n"));
        }
        self.indent = outer;
    }

    fn push(&mut self, character: &str) {
        self.out.push_str(character);
        self.column += 1;
    }

    /// A plain or single-quoted scalar, folded where it grows too wide.
    fn folded(&mut self, text: &str, may_fold: bool, quoted: bool) {
        if quoted {
            self.indicator("'", true, false, false);
        } else if !self.whitespace {
            self.push(" ");
        }
        let may_fold = may_fold && !self.pretty;
        let bytes = text.as_bytes();
        // Short ASCII without quotes needs no look at its characters.
        if !quoted && text.is_ascii() && (!may_fold || self.column + bytes.len() <= WIDTH) {
            self.out.push_str(text);
            self.column += bytes.len();
            self.whitespace = false;
            self.indention = false;
            return;
        }
        let mut space_before = false;
        let mut break_before = false;
        for (at, character) in characters(text) {
            match character {
                " " => {
                    let fold = may_fold
                        && !space_before
                        && self.column > WIDTH
                        && bytes.get(at + 1).is_some_and(|&next| next != b' ')
                        && (!quoted || at > 0);
                    if fold {
                        self.line();
                    } else {
                        self.push(" ");
                    }
                    space_before = true;
                }
                // The line separators of Unicode; a text with a newline is never written here.
                "\u{2028}" | "\u{2029}" => {
                    self.out.push_str(character);
                    self.column = 0;
                    self.indention = true;
                    break_before = true;
                }
                _ => {
                    if break_before {
                        self.line();
                    }
                    if quoted && character == "'" {
                        self.push("'");
                    }
                    self.push(character);
                    self.indention = false;
                    space_before = false;
                    break_before = false;
                }
            }
        }
        if quoted {
            self.indicator("'", false, false, false);
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn double_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator("\"", true, false, false);
        let may_fold = may_fold && !self.pretty;
        let bytes = text.as_bytes();
        // go-yaml asks the start of the text, not the character at hand, whether it is a byte order mark.
        let escape_all = text.starts_with('\u{FEFF}');
        let mut space_before = false;
        for (at, character) in characters(text) {
            let escape = escape_all
                || matches!(character, "\"" | "\\" | "\n" | "\u{2028}" | "\u{2029}")
                || !is_printable(character.as_bytes());
            if escape {
                let before = self.out.len();
                push_escape(&mut self.out, character.chars().next().unwrap_or_default());
                self.column += self.out.len() - before;
                space_before = false;
            } else if character == " " {
                if may_fold && !space_before && self.column > WIDTH && at > 0 && at + 1 < bytes.len() {
                    self.line();
                    if bytes[at + 1] == b' ' {
                        self.push("\\");
                    }
                } else {
                    self.push(" ");
                }
                space_before = true;
            } else {
                self.push(character);
                space_before = false;
            }
        }
        self.indicator("\"", false, false, false);
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false, false);
        if text.starts_with([' ', '\n', '\u{2028}', '\u{2029}']) {
            self.indicator("2", false, false, false);
        }
        let is_break = |char: char| matches!(char, '\n' | '\u{2028}' | '\u{2029}');
        let mut ends = text.chars().rev();
        let last = ends.next().is_some_and(is_break);
        if !last {
            self.indicator("-", false, false, false);
        } else if ends.next().is_none_or(is_break) {
            self.indicator("+", false, false, false);
        }
        self.newline();
        self.indention = true;
        self.whitespace = true;
        for line in text.split_inclusive(is_break) {
            let content = line.trim_end_matches(is_break);
            if !content.is_empty() {
                self.line();
                self.out.push_str(content);
                // Nothing asks for the column again before the next line.
                self.column += 1;
                self.indention = false;
            }
            if content.len() < line.len() {
                self.out.push_str(&line[content.len()..]);
                self.column = 0;
                self.indention = true;
            }
        }
        if !last {
            self.whitespace = false;
        }
    }
}

/// The characters of a text with their offsets.
fn characters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        at += width(*text.as_bytes().get(start)?);
        Some((start, &text[start..at]))
    })
}

fn has_raw_bytes(text: &str) -> bool {
    memchr::memchr(0xF4, text.as_bytes()).is_some() && text.chars().any(|char| raw_byte(char).is_some())
}

/// What becomes of a text that is written as JSON and read as YAML: bytes that are not UTF-8 become U+FFFD, and what
/// go-yaml's reader refuses is an error.
fn through_json(text: &str, is_key: bool) -> Result<Cow<'_, str>, String> {
    if is_key && text.len() > JSON_KEY_LENGTH / 6 && !is_json_key(text) {
        return Err("yaml: did not find expected ',' or '}'".to_owned());
    }
    if !text.bytes().any(|byte| matches!(byte, 0x7F | 0xC2 | 0xEF | 0xF4)) {
        return Ok(Cow::Borrowed(text));
    }
    let mut next_line = false;
    let mut raw = false;
    for char in text.chars() {
        match char {
            '\u{85}' if is_key => return Err("yaml: line 1: did not find expected ',' or '}'".to_owned()),
            '\u{85}' => next_line = true,
            '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}' => {
                return Err("yaml: control characters are not allowed".to_owned());
            }
            _ => raw |= raw_byte(char).is_some(),
        }
    }
    if !raw && !next_line {
        return Ok(Cow::Borrowed(text));
    }
    let replace = |char| if raw_byte(char).is_some() { char::REPLACEMENT_CHARACTER } else { char };
    let text: String = text.chars().map(replace).collect();
    Ok(Cow::Owned(if next_line { fold_next_lines(&text) } else { text }))
}

/// Whether go-yaml still takes the JSON of a key for one: it looks no further than so many characters.
fn is_json_key(text: &str) -> bool {
    json::to_json(&Value::str(text), json::Layout::Compact).is_ok_and(|json| json.chars().count() <= JSON_KEY_LENGTH)
}

/// U+0085 is a line break to go-yaml: inside quotes one becomes a blank, more become one newline less, and the blanks
/// around them go.
fn fold_next_lines(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{85}') {
        folded.push_str(rest[..at].trim_end_matches(' '));
        let after = rest[at..].trim_start_matches([' ', '\u{85}']);
        let breaks = rest[at..rest.len() - after.len()].matches('\u{85}').count();
        folded.push_str(if breaks == 1 { " " } else { "" });
        folded.extend(std::iter::repeat_n('\n', breaks - 1));
        rest = after;
    }
    folded.push_str(rest);
    folded
}

/// Sorts entries by key as go-yaml does. Its order is not transitive for some mixes of letters and digits, which
/// the library's sort refuses; a merge sort takes any order.
fn sort(entries: &mut Vec<(&Str, &Value)>, pretty: bool) {
    if entries
        .iter()
        .all(|(key, _)| key.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'.' | b'/')))
    {
        if !entries.is_sorted_by(|a, b| a.0 <= b.0) {
            entries.sort_unstable_by(|a, b| a.0.cmp(b.0));
        }
        return;
    }
    entries.sort_unstable_by(|a, b| a.0.cmp(b.0));
    merge_sort(entries, &|a, b| natural(a.0, b.0, pretty));
}

fn merge_sort<T: Copy>(items: &mut Vec<T>, order: &dyn Fn(&T, &T) -> Ordering) {
    let mut width = 1;
    let mut from = std::mem::take(items);
    let mut to = Vec::with_capacity(from.len());
    while width < from.len() {
        to.clear();
        for pair in from.chunks(2 * width) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let ([a, ..], [b, ..]) = (left, right) {
                if order(b, a) == Ordering::Less {
                    to.push(*b);
                    right = &right[1..];
                } else {
                    to.push(*a);
                    left = &left[1..];
                }
            }
            to.extend_from_slice(left);
            to.extend_from_slice(right);
        }
        std::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    *items = from;
}

/// go-yaml's order of keys: letters by code point, anything else before letters, runs of digits by value.
fn natural(a: &str, b: &str, pretty: bool) -> Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = left.iter().zip(&right).position(|(a, b)| a != b) else { return left.len().cmp(&right.len()) };
    let (x, y) = (left[at], right[at]);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (false, false) => {}
        (x_is_letter, _) => {
            // v3 keeps numbers of different length together: `a1` `a10` before `a1b`.
            let after_digit = pretty && at > 0 && is_digit(left[at - 1]);
            return if x_is_letter == after_digit { Ordering::Less } else { Ordering::Greater };
        }
    }
    let seed =
        (x == '0' || y == '0') && left[..at].iter().rev().take_while(|char| is_digit(**char)).any(|char| *char != '0');
    let run = |text: &[char]| {
        let digits = text[at..].iter().take_while(|char| is_digit(**char));
        digits.fold((i64::from(seed), at), |(number, end), digit| {
            let digit = i64::from(u32::from(*digit)) - i64::from(b'0');
            (number.wrapping_mul(10).wrapping_add(digit), end + 1)
        })
    };
    run(&left).cmp(&run(&right)).then_with(|| x.cmp(&y))
}

fn is_digit(char: char) -> bool {
    char.is_ascii_digit() || !char.is_ascii() && char.is_numeric()
}
