//! JSON as Go's `encoding/json` writes and reads it.

use super::{Entries, List, Map, MapKind, Str, Value, bytes_of, is_printable, number, raw_byte, text_from_bytes};
use base64::Engine;

/// Nesting past which values and texts are refused.
const MAX_DEPTH: u32 = 1000;

/// The longest text that is written: lists and maps that hold one another several times are small, but their text is
/// not.
pub const MAX_TEXT: usize = 64 << 20;

/// The error at a text longer than [`MAX_TEXT`].
pub const TOO_LARGE: &str = "the text is too large";

/// How JSON is laid out and escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `toJson`: one line, with `<`, `>` and `&` escaped.
    Compact,
    /// `toPrettyJson`: indented by two, with the same escapes.
    Pretty,
    /// `toRawJson`: one line, without these escapes.
    Raw,
}

/// The JSON of a value, keys in byte order. The error is Go's text, for a float that JSON does not have or a map that
/// holds itself.
pub fn to_json(value: &Value, layout: Layout) -> Result<String, String> {
    let mut out = String::new();
    write(value, layout, 0, &mut out)?;
    Ok(out)
}

/// Go's words for a value that holds itself. Go looks for it below 1,000 levels, and names the type found first there.
pub fn cycle(value: &Value) -> String {
    let kind = match value {
        Value::List(_) => "[]interface {}",
        Value::Map(map) if map.kind() == MapKind::Values => "common.Values",
        _ => "map[string]interface {}",
    };
    format!("json: unsupported value: encountered a cycle via {kind}")
}

fn write(value: &Value, layout: Layout, depth: u32, out: &mut String) -> Result<(), String> {
    if out.len() > MAX_TEXT {
        return Err(TOO_LARGE.to_owned());
    }
    if depth >= MAX_DEPTH && matches!(value, Value::List(_) | Value::Map(_)) {
        return Err(cycle(value));
    }
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(number) | Value::Int64(number) => out.push_str(&number.to_string()),
        Value::Uint(number) => out.push_str(&number.to_string()),
        Value::Byte(number) => out.push_str(&number.to_string()),
        Value::Float(number) => match number::format_json(*number) {
            Some(text) => out.push_str(&text),
            None => return Err(format!("json: unsupported value: {}", number::format_g(*number))),
        },
        Value::Str(text) => write_string(text, layout, out),
        Value::Bytes(bytes) => {
            out.push('"');
            base64::engine::general_purpose::STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        Value::List(list) if list.is_nil() => out.push_str("null"),
        Value::List(list) if list.is_empty() => out.push_str("[]"),
        Value::List(list) => {
            out.push('[');
            for (index, item) in list.items().iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                break_line(layout, depth + 1, out);
                write(item, layout, depth + 1, out)?;
            }
            break_line(layout, depth, out);
            out.push(']');
        }
        Value::Map(map) => {
            let entries = map.snapshot();
            if entries.is_empty() {
                out.push_str(if map.is_nil() { "null" } else { "{}" });
                return Ok(());
            }
            let mut sorted: Vec<(&Str, &Value)> = entries.iter().collect();
            if map.kind() != MapKind::Struct && !sorted.is_sorted_by(|a, b| a.0 <= b.0) {
                sorted.sort_unstable_by(|a, b| a.0.cmp(b.0));
            }
            out.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                break_line(layout, depth + 1, out);
                write_string(key, layout, out);
                out.push_str(if layout == Layout::Pretty { ": " } else { ":" });
                write(value, layout, depth + 1, out)?;
            }
            break_line(layout, depth, out);
            out.push('}');
        }
        Value::Object(object) => write(&object.to_json(), layout, depth, out)?,
    }
    Ok(())
}

fn break_line(layout: Layout, depth: u32, out: &mut String) {
    if layout == Layout::Pretty {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth as usize));
    }
}

fn write_string(text: &str, layout: Layout, out: &mut String) {
    out.push('"');
    let mut plain_from = 0;
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        let escaped = match byte {
            b'"' | b'\\' | 0..0x20 => true,
            b'<' | b'>' | b'&' => layout != Layout::Raw,
            // The first bytes of U+2028, U+2029 and of what stands for bytes that are not UTF-8.
            0xE2 | 0xF4 => true,
            _ => false,
        };
        if !escaped {
            continue;
        }
        let Some(char) = text[at..].chars().next() else { break };
        let raw = raw_byte(char).is_some();
        if byte >= 0x80 && !raw && !matches!(char, '\u{2028}' | '\u{2029}') {
            continue;
        }
        out.push_str(&text[plain_from..at]);
        plain_from = at + char.len_utf8();
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0C' => out.push_str("\\f"),
            _ if raw => out.push(char::REPLACEMENT_CHARACTER),
            _ => out.push_str(&format!("\\u{:04x}", u32::from(char))),
        }
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

/// Reads JSON as Go does into `interface {}`: every number is a float, the last of equal keys wins. The error is Go's
/// text: `unexpected end of JSON input`.
pub fn from_json(text: &str) -> Result<Value, String> {
    read(text, false).and_then(complete)
}

/// [`from_json`], and besides the value the error for its first number past float64, in whose place there is 0.
pub fn from_json_partly(text: &str) -> Result<(Value, Option<String>), String> {
    read(text, false)
}

fn complete((value, error): (Value, Option<String>)) -> Result<Value, String> {
    error.map_or(Ok(value), Err)
}

/// [`from_json`] with whole numbers kept whole where they fit 64 bits.
pub fn from_json_exact(text: &str) -> Result<Value, String> {
    read(text, true).and_then(complete)
}

fn read(text: &str, exact: bool) -> Result<(Value, Option<String>), String> {
    let mut reader = Reader { text, at: 0, exact, path: Vec::new(), range_error: None };
    reader.blanks();
    let value = reader.value(0)?;
    reader.blanks();
    match reader.peek() {
        Some(_) => Err(reader.unexpected("after top-level value")),
        None => Ok((value, reader.range_error)),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    exact: bool,
    /// The way to the value that is being read.
    path: Vec<Step>,
    /// Go checks the whole syntax before it looks at values.
    range_error: Option<String>,
}

enum Step {
    Key(Str),
    Item(usize),
}

const END: &str = "unexpected end of JSON input";

/// A character where another was expected, as Go's `strconv.QuoteRune` shows it.
fn unexpected(char: char, place: &str) -> String {
    let shown = match char {
        '\'' => "\\'".to_owned(),
        '"' => char.to_string(),
        _ => quoted(char),
    };
    format!("invalid character '{shown}' {place}")
}

/// A character as in Go's double quotes.
fn quoted(char: char) -> String {
    match char {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\x07' => "\\a".to_owned(),
        '\x08' => "\\b".to_owned(),
        '\x09' => "\\t".to_owned(),
        '\x0A' => "\\n".to_owned(),
        '\x0B' => "\\v".to_owned(),
        '\x0C' => "\\f".to_owned(),
        '\x0D' => "\\r".to_owned(),
        '\0'..' ' | '\x7F' => format!("\\x{:02x}", u32::from(char)),
        _ => match raw_byte(char) {
            Some(byte) => format!("\\x{byte:x}"),
            None if is_printable(char) => char.to_string(),
            None if u32::from(char) < 0x1_0000 => format!("\\u{:04x}", u32::from(char)),
            None => format!("\\U{:08x}", u32::from(char)),
        },
    }
}

/// The first bytes of a text, as far as it goes, where an escape sequence should stand.
fn invalid_escape(text: &str, length: usize) -> String {
    let bytes = bytes_of(text);
    let sequence = text_from_bytes(&bytes[..length.min(bytes.len())]);
    let is_plain = |char: char| char != '`' && raw_byte(char).is_none() && !char.is_whitespace() && !char.is_control();
    if sequence.chars().all(is_plain) {
        format!("invalid escape sequence `{sequence}` in string")
    } else {
        let quoted: String = sequence.chars().map(quoted).collect();
        format!("invalid escape sequence \"{quoted}\" in string")
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn unexpected(&self, place: &str) -> String {
        unexpected(self.text[self.at..].chars().next().unwrap_or_default(), place)
    }

    fn next(&mut self) -> Result<u8, String> {
        let byte = self.peek().ok_or(END)?;
        self.at += 1;
        Ok(byte)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: u32) -> Result<Value, String> {
        match self.peek().ok_or(END)? {
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b'"' => Ok(Value::Str(self.string()?.into())),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Nil),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    /// The way to a value in the words of Go's errors.
    fn place(&self) -> String {
        let step = |step: &Step| match step {
            Step::Key(key) => key.replace('~', "~0").replace('/', "~1"),
            Step::Item(index) => index.to_string(),
        };
        let way = self.path.iter().map(step).collect::<Vec<_>>().join(".");
        match self.path.last() {
            Some(Step::Item(_)) => format!(".{way}"),
            Some(Step::Key(_)) if !way.is_empty() => format!("Go struct field .{way}"),
            _ => "Go value".to_owned(),
        }
    }

    fn literal(&mut self, word: &'static str, value: Value) -> Result<Value, String> {
        for expected in word.chars() {
            if char::from(self.peek().ok_or(END)?) != expected {
                return Err(self.unexpected(&format!("in literal {word} (expecting '{expected}')")));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn deeper(depth: u32) -> Result<(), String> {
        if depth > MAX_DEPTH { Err("exceeded max depth".to_owned()) } else { Ok(()) }
    }

    fn object(&mut self, depth: u32) -> Result<Value, String> {
        Self::deeper(depth)?;
        self.at += 1;
        let mut entries = Entries::default();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(Map::new(entries)));
        }
        loop {
            self.blanks();
            match self.peek().ok_or(END)? {
                b'"' => {}
                _ => return Err(self.unexpected("looking for beginning of object key string")),
            }
            let key: Str = self.string()?.into();
            self.blanks();
            match self.peek().ok_or(END)? {
                b':' => self.at += 1,
                _ => return Err(self.unexpected("after object key")),
            }
            self.blanks();
            self.path.push(Step::Key(key.clone()));
            let value = self.value(depth)?;
            self.path.pop();
            entries.insert(key, value);
            self.blanks();
            match self.peek().ok_or(END)? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(Value::Map(Map::new(entries)));
                }
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: u32) -> Result<Value, String> {
        Self::deeper(depth)?;
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(List::new(items)));
        }
        loop {
            self.blanks();
            self.path.push(Step::Item(items.len()));
            items.push(self.value(depth)?);
            self.path.pop();
            self.blanks();
            match self.peek().ok_or(END)? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(Value::List(List::new(items)));
                }
                _ => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let plain = bytes[start..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20 | 0xF4));
        let plain = start + plain.ok_or(END)?;
        let mut out = self.text[start..plain].to_owned();
        self.at = plain;
        loop {
            match self.next()? {
                b'"' => return Ok(out),
                b'\\' => self.escape(&mut out)?,
                byte @ 0..0x20 => return Err(unexpected(char::from(byte), "in string")),
                byte if byte < 0x80 => out.push(char::from(byte)),
                _ => {
                    let char = self.text[self.at - 1..].chars().next().unwrap_or_default();
                    self.at += char.len_utf8() - 1;
                    out.push(if raw_byte(char).is_some() { char::REPLACEMENT_CHARACTER } else { char });
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), String> {
        out.push(match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\x08',
            b'f' => '\x0C',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex()?;
                let second = self.text.as_bytes()[self.at..].starts_with(b"\\u");
                if matches!(unit, 0xD800..0xDC00) && second {
                    let before = self.at;
                    self.at += 2;
                    let low = self.hex()?;
                    if matches!(low, 0xDC00..0xE000) {
                        let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                    } else {
                        self.at = before;
                        char::REPLACEMENT_CHARACTER
                    }
                } else {
                    char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
                }
            }
            _ => return Err(invalid_escape(&self.text[self.at - 2..], 2)),
        });
        Ok(())
    }

    /// The four digits after `\u`.
    fn hex(&mut self) -> Result<u32, String> {
        let rest = &self.text[self.at - 2..];
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16);
            unit = unit << 4 | digit.ok_or_else(|| invalid_escape(rest, 6))?;
        }
        Ok(unit)
    }

    fn digits(&mut self) -> Result<(), String> {
        if !self.peek().ok_or(END)?.is_ascii_digit() {
            return Err(self.unexpected("in numeric literal"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        let mut whole = true;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek().ok_or(END)? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        if self.exact && whole {
            if let Ok(number) = text.parse() {
                return Ok(Value::Int64(number));
            }
            if let Ok(number) = text.parse() {
                return Ok(Value::Uint(number));
            }
        }
        Ok(match number::parse_float(text) {
            Ok(number) => Value::Float(number),
            Err(_) => {
                let error = || format!("json: cannot unmarshal number {text} into {} of type float64", self.place());
                if self.range_error.is_none() {
                    self.range_error = Some(error());
                }
                Value::Float(0.0)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_escape_as_in_go() {
        let text = Value::str("a<b>&\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}\u{2028}é€😀\u{10FFC3}");
        assert_eq!(
            to_json(&text, Layout::Compact).unwrap(),
            r#""a\u003cb\u003e\u0026\"\\\n\r\t\b\f\u0001"#.to_owned() + "\u{7f}\\u2028é€😀\u{FFFD}\""
        );
        assert_eq!(to_json(&Value::str("<&>"), Layout::Raw).unwrap(), "\"<&>\"");
    }

    #[test]
    fn values_lay_out_as_in_go() {
        let value = Value::map([
            ("b", Value::list(vec![Value::Float(1.0), Value::Int(2), Value::Nil])),
            ("a", Value::map([("x", Value::Bytes(b"hi".to_vec().into()))])),
            ("c", Value::List(List::nil())),
            ("d", Value::list(vec![])),
            ("e", Value::Map(Map::default())),
        ]);
        assert_eq!(
            to_json(&value, Layout::Compact).unwrap(),
            r#"{"a":{"x":"aGk="},"b":[1,2,null],"c":null,"d":[],"e":{}}"#
        );
        assert_eq!(
            to_json(&Value::map([("a", Value::list(vec![Value::Int(1)]))]), Layout::Pretty).unwrap(),
            "{\n  \"a\": [\n    1\n  ]\n}"
        );
        assert_eq!(to_json(&Value::Float(f64::NAN), Layout::Raw).unwrap_err(), "json: unsupported value: NaN");
    }

    #[test]
    fn a_map_inside_itself_is_an_error() {
        let map = Map::default();
        map.insert("x".into(), Value::Map(map.clone()));
        let error = to_json(&Value::Map(map.clone()), Layout::Compact).unwrap_err();
        assert_eq!(error, "json: unsupported value: encountered a cycle via map[string]interface {}");
        map.remove("x");
    }

    #[test]
    fn errors_are_worded_as_in_go() {
        for (text, error) in [
            ("", END),
            ("{", END),
            ("[1,", END),
            ("\"a", END),
            ("-", END),
            ("tru", END),
            ("x", "invalid character 'x' looking for beginning of value"),
            ("[1 2]", "invalid character '2' after array element"),
            ("{a: 1}", "invalid character 'a' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("1 2", "invalid character '2' after top-level value"),
            ("01", "invalid character '1' after top-level value"),
            ("nul1", "invalid character '1' in literal null (expecting 'l')"),
            ("1.x", "invalid character 'x' in numeric literal"),
            ("1ex", "invalid character 'x' in numeric literal"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("\"\n\"", "invalid character '\\n' in string"),
            (r#""\x""#, "invalid escape sequence `\\x` in string"),
            (r#""\u12"#, END),
            (r#""\u12x4""#, "invalid escape sequence `\\u12x4` in string"),
            ("\u{feff}{}", "invalid character '\\ufeff' looking for beginning of value"),
            ("é", "invalid character 'é' looking for beginning of value"),
            ("1e400", "json: cannot unmarshal number 1e400 into Go value of type float64"),
        ] {
            assert_eq!(from_json(text).unwrap_err(), error, "{text}");
        }
        assert_eq!(from_json(&"[".repeat(2000)).unwrap_err(), "exceeded max depth");
    }

    #[test]
    fn texts_read_as_in_go() {
        let show = |text: &str| to_json(&from_json(text).unwrap(), Layout::Raw).unwrap();
        assert_eq!(
            show(r#" {"b":1,"a":[true,null,"\u00e9\ud83d\ude00\ud83dx\/"],"b":2.50} "#),
            "{\"a\":[true,null,\"é😀\u{fffd}x/\"],\"b\":2.5}"
        );
        assert!(matches!(from_json("1").unwrap(), Value::Float(1.0)));
        assert!(matches!(from_json_exact("1").unwrap(), Value::Int64(1)));
        assert!(matches!(from_json_exact("18446744073709551615").unwrap(), Value::Uint(u64::MAX)));
        assert!(matches!(from_json_exact("1.0").unwrap(), Value::Float(1.0)));
    }
}
