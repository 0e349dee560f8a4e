//! Go's `fmt` over [`Value`]s: what `{{ . }}`, `print`, `printf` and Sprig's conversions write.
//!
//! Source of the rules: Go's package documentation of `fmt` and `strconv`. Every function stops with
//! [`Error::Limit`] at a text of [`MAX_TEXT`] bytes or a nesting of [`MAX_DEPTH`], so maps that contain themselves
//! end in an error.

use super::funcs::Error;
use crate::value::number::{Bits, format_float};
use crate::value::{ListKind, Map, MapKind, Object, Value, bytes_of, is_printable, raw_byte};
use std::borrow::Cow;
use std::fmt::Write;

/// The longest text that one call writes.
pub const MAX_TEXT: usize = 64 << 20;

/// The deepest nesting of maps and lists that is written.
pub const MAX_DEPTH: usize = 500;

/// The largest width, precision or argument index that Go accepts in a format.
const MAX_NUMBER: i64 = 1_000_000;

/// Addresses would differ from run to run, so every reference has this one.
const ADDRESS: u64 = 0xc0_0000_0000;

/// A value's Go type as `%T` and `typeOf` print it.
pub fn type_of(value: &Value) -> Cow<'static, str> {
    Cow::Borrowed(match value {
        Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Int64(_) => "int64",
        Value::Uint(_) => "uint64",
        Value::Byte(_) => "uint8",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::Bytes(_) => "[]uint8",
        Value::List(list) => match list.kind() {
            ListKind::Any => "[]interface {}",
            ListKind::Str => "[]string",
            ListKind::Int => "[]int",
            ListKind::Lists => "[][]interface {}",
            ListKind::Maps => "[]map[string]interface {}",
            ListKind::Versions => "common.VersionSet",
        },
        Value::Map(map) => match map.kind() {
            MapKind::Any => "map[string]interface {}",
            MapKind::Str => "map[string]string",
            MapKind::Values => "common.Values",
            MapKind::Files => "engine.files",
            MapKind::Struct => "struct",
        },
        Value::Object(object) => return object.type_name(),
    })
}

/// A value's Go kind as `kindOf` prints it.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Int64(_) => "int64",
        Value::Uint(_) => "uint64",
        Value::Byte(_) => "uint8",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::Bytes(_) | Value::List(_) => "slice",
        Value::Map(_) => "map",
        Value::Object(object) => object.kind(),
    }
}

/// Writes what `{{ value }}` writes, save that nil is `<nil>` here.
pub fn write(out: &mut String, value: &Value) -> Result<(), Error> {
    match value {
        Value::Str(text) => out.push_str(text),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(number) | Value::Int64(number) => write!(out, "{number}").expect("writing to a string"),
        Value::Float(number) => out.push_str(&crate::value::number::format_g(*number)),
        _ => {
            let mut printer = Printer::new(std::mem::take(out));
            let result = printer.argument(value, 'v');
            *out = printer.out;
            result?;
        }
    }
    Ok(())
}

/// Sprig's `strval`: the text of strings and bytes, `%v` of all else.
pub fn strval(value: &Value) -> Result<Cow<'_, str>, Error> {
    match value {
        Value::Str(text) => Ok(Cow::Borrowed(text)),
        Value::Bytes(bytes) => Ok(crate::value::text_from_bytes(bytes)),
        _ => {
            let mut text = String::new();
            write(&mut text, value)?;
            Ok(Cow::Owned(text))
        }
    }
}

/// `fmt.Sprint`: a space between operands where neither is a string.
pub fn sprint(values: &[Value]) -> Result<String, Error> {
    let mut printer = Printer::new(String::new());
    let mut after_string = true;
    for value in values {
        let is_string = matches!(value, Value::Str(_));
        if !is_string && !after_string {
            printer.out.push(' ');
        }
        printer.argument(value, 'v')?;
        after_string = is_string;
    }
    Ok(printer.out)
}

/// `fmt.Sprintln`: operands separated by spaces, and a newline.
pub fn sprintln(values: &[Value]) -> Result<String, Error> {
    let mut printer = Printer::new(String::new());
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            printer.out.push(' ');
        }
        printer.argument(value, 'v')?;
    }
    printer.out.push('\n');
    Ok(printer.out)
}

/// `fmt.Sprintf`.
pub fn sprintf(format: &str, values: &[Value]) -> Result<String, Error> {
    let mut printer = Printer::new(String::with_capacity(format.len() + 16));
    printer.format(format, values)?;
    Ok(printer.out)
}

/// `strconv.Quote`: a Go string literal.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_quoted(&mut out, text, '"', false);
    out
}

fn write_quoted(out: &mut String, text: &str, delimiter: char, ascii: bool) {
    out.push(delimiter);
    for char in text.chars() {
        match char {
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            _ if char == delimiter => out.extend(['\\', char]),
            _ if char.is_ascii() && is_printable(char) => out.push(char),
            _ => write_escaped(out, char, ascii),
        }
    }
    out.push(delimiter);
}

fn write_escaped(out: &mut String, char: char, ascii: bool) {
    let code = u32::from(char);
    let written = match raw_byte(char) {
        Some(byte) => write!(out, "\\x{byte:02x}"),
        None if !ascii && is_printable(char) => {
            out.push(char);
            Ok(())
        }
        None if char.is_ascii() => write!(out, "\\x{code:02x}"),
        None if code < 0x1_0000 => write!(out, "\\u{code:04x}"),
        None => write!(out, "\\U{code:08x}"),
    };
    written.expect("writing to a string");
}

/// The flags of one verb.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%#v`: Go syntax.
    go_syntax: bool,
    /// `%+v`: with the names of fields.
    names: bool,
}

struct Printer {
    out: String,
    flags: Flags,
    /// Within `%!d(…)`, where methods are not called.
    erroring: bool,
}

impl Printer {
    fn new(out: String) -> Self {
        Printer { out, flags: Flags::default(), erroring: false }
    }

    fn check(&self, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH || self.out.len() > MAX_TEXT { Err(Error::Limit) } else { Ok(()) }
    }

    fn format(&mut self, format: &str, values: &[Value]) -> Result<(), Error> {
        let bytes = format.as_bytes();
        let mut arguments = Arguments { values, next: 0, reordered: false, good: true };
        let mut at = 0;
        loop {
            let percent = memchr::memchr(b'%', &bytes[at..]).map_or(bytes.len(), |found| at + found);
            self.out.push_str(&format[at..percent]);
            if percent == bytes.len() {
                break;
            }
            at = self.directive(format, percent + 1, &mut arguments)?;
            self.check(0)?;
        }
        if !arguments.reordered && arguments.next < values.len() {
            self.flags = Flags::default();
            self.out.push_str("%!(EXTRA ");
            for (index, value) in values[arguments.next..].iter().enumerate() {
                if index > 0 {
                    self.out.push_str(", ");
                }
                self.typed(value)?;
            }
            self.out.push(')');
        }
        Ok(())
    }

    /// Writes the directive after a `%`; returns where the text goes on.
    fn directive(&mut self, format: &str, mut at: usize, arguments: &mut Arguments<'_>) -> Result<usize, Error> {
        let bytes = format.as_bytes();
        let mut flags = Flags::default();
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            at += 1;
        }
        arguments.good = true;
        let mut after_index;
        (at, after_index) = arguments.index(bytes, at);
        if bytes.get(at) == Some(&b'*') {
            at += 1;
            match arguments.number() {
                Some(width) => {
                    if width < 0 {
                        flags.minus = true;
                        flags.zero = false;
                    }
                    flags.width = Some(width.unsigned_abs() as usize);
                }
                None => self.out.push_str("%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            (flags.width, at) = parse_number(bytes, at, bytes.len());
            if after_index && flags.width.is_some() {
                arguments.good = false;
            }
        }
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            if after_index {
                arguments.good = false;
            }
            (at, after_index) = arguments.index(bytes, at);
            if bytes.get(at) == Some(&b'*') {
                at += 1;
                flags.precision = match arguments.number() {
                    Some(precision) => usize::try_from(precision).ok(),
                    None => None,
                };
                if flags.precision.is_none() {
                    self.out.push_str("%!(BADPREC)");
                }
                after_index = false;
            } else {
                let precision;
                (precision, at) = parse_number(bytes, at, bytes.len());
                flags.precision = Some(precision.unwrap_or(0));
            }
        }
        if !after_index {
            (at, _) = arguments.index(bytes, at);
        }
        let Some(verb) = format.get(at..).and_then(|rest| rest.chars().next()) else {
            self.out.push_str("%!(NOVERB)");
            return Ok(bytes.len());
        };
        at += verb.len_utf8();
        let verb = if raw_byte(verb).is_some() { char::REPLACEMENT_CHARACTER } else { verb };
        self.flags = flags;
        if verb == '%' {
            self.out.push('%');
        } else if !arguments.good {
            self.out.extend(["%!", verb.encode_utf8(&mut [0; 4]), "(BADINDEX)"]);
        } else if let Some(value) = arguments.values.get(arguments.next) {
            if matches!(verb, 'v' | 'w') {
                self.flags.go_syntax = flags.sharp;
                self.flags.sharp = false;
                self.flags.names = flags.plus;
                self.flags.plus = false;
            }
            self.argument(value, verb)?;
            arguments.next += 1;
        } else {
            self.out.extend(["%!", verb.encode_utf8(&mut [0; 4]), "(MISSING)"]);
        }
        Ok(at)
    }

    /// A whole argument.
    fn argument(&mut self, value: &Value, verb: char) -> Result<(), Error> {
        match (verb, value) {
            ('T' | 'v', Value::Nil) => self.padded("<nil>"),
            ('T', _) => self.text(&type_of(value)),
            ('p', _) => self.pointer(value, verb)?,
            (_, Value::Nil) => self.bad_verb(value, verb)?,
            ('v' | 'd', Value::Bytes(bytes)) if self.flags.go_syntax => self.bytes(bytes, "[]byte"),
            _ => self.value(value, verb, 0)?,
        }
        Ok(())
    }

    /// A value inside another (`depth` > 0) or a whole one that is not nil.
    fn value(&mut self, value: &Value, verb: char, depth: usize) -> Result<(), Error> {
        self.check(depth)?;
        match value {
            Value::Nil => self.out.push_str(if self.flags.go_syntax { "interface {}(nil)" } else { "<nil>" }),
            Value::Bool(truth) if matches!(verb, 't' | 'v') => self.padded(if *truth { "true" } else { "false" }),
            Value::Int(number) | Value::Int64(number) if is_integer_verb(verb) => {
                self.integer(number.unsigned_abs(), *number < 0, *number, verb);
            }
            Value::Uint(number) if is_integer_verb(verb) => match verb {
                'v' if self.flags.go_syntax => self.hexadecimal(*number),
                _ => self.integer(*number, false, i64::try_from(*number).unwrap_or(i64::MAX), verb),
            },
            Value::Byte(number) if is_integer_verb(verb) => match verb {
                'v' if self.flags.go_syntax => self.hexadecimal(u64::from(*number)),
                _ => self.integer(u64::from(*number), false, i64::from(*number), verb),
            },
            Value::Float(number) if matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') => {
                self.float(*number, verb);
            }
            Value::Str(text) if matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') => self.string(text, verb),
            Value::Bytes(bytes) => self.byte_slice(bytes, verb, depth)?,
            Value::List(_) | Value::Map(_) if verb == 'w' => self.bad_verb(value, verb)?,
            Value::List(list) => {
                let (open, separator, close) = if self.flags.go_syntax { ('{', ", ", '}') } else { ('[', " ", ']') };
                if self.flags.go_syntax {
                    self.out.push_str(&type_of(value));
                    if list.is_nil() {
                        self.out.push_str("(nil)");
                        return Ok(());
                    }
                }
                self.out.push(open);
                for (index, item) in list.items().iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(separator);
                    }
                    self.value(item, verb, depth + 1)?;
                }
                self.out.push(close);
            }
            Value::Map(map) => self.map(map, value, verb, depth)?,
            Value::Object(object) => self.object(&**object, value, verb, depth)?,
            _ => self.bad_verb(value, verb)?,
        }
        Ok(())
    }

    fn byte_slice(&mut self, bytes: &[u8], verb: char, depth: usize) -> Result<(), Error> {
        match verb {
            's' | 'x' | 'X' | 'q' => self.string(&crate::value::text_from_bytes(bytes), verb),
            'v' | 'd' if self.flags.go_syntax => self.bytes(bytes, "[]uint8"),
            _ => {
                self.out.push('[');
                for (index, byte) in bytes.iter().enumerate() {
                    if index > 0 {
                        self.out.push(' ');
                    }
                    if is_integer_verb(verb) {
                        self.integer(u64::from(*byte), false, i64::from(*byte), verb);
                    } else {
                        write!(self.out, "%!{verb}(uint8=").expect("writing to a string");
                        self.integer(u64::from(*byte), false, i64::from(*byte), 'v');
                        self.out.push(')');
                    }
                    self.check(depth)?;
                }
                self.out.push(']');
            }
        }
        Ok(())
    }

    fn object(&mut self, object: &dyn Object, value: &Value, verb: char, depth: usize) -> Result<(), Error> {
        if let Some([real, imaginary]) = object.complex() {
            if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
                return self.bad_verb(value, verb);
            }
            let plus = self.flags.plus;
            self.out.push('(');
            self.float(real, verb);
            self.flags.plus = true;
            self.float(imaginary, verb);
            self.flags.plus = plus;
            self.out.push_str("i)");
            return Ok(());
        }
        if !self.erroring {
            if verb == 'w' {
                return self.bad_verb(value, verb);
            }
            if self.flags.go_syntax {
                if let Some(text) = object.go_stringer() {
                    self.text(&text);
                    return Ok(());
                }
            } else if matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
                && let Some(text) = object.stringer()
            {
                self.string(&text, verb);
                return Ok(());
            }
        }
        let is_pointer = object.kind() == "ptr";
        match (object.integer(), object.structure()) {
            (Some(number), _) if is_integer_verb(verb) => {
                self.integer(number.unsigned_abs(), number < 0, number, verb);
            }
            (Some(_), _) => self.bad_verb(value, verb)?,
            (None, Some(fields)) if !is_pointer => self.structure(&object.type_name(), &fields, verb, depth)?,
            (None, Some(fields)) if depth == 0 => {
                self.out.push('&');
                self.structure(object.type_name().trim_start_matches('*'), &fields, verb, depth + 1)?;
            }
            _ if is_pointer => self.address(object, value, verb)?,
            _ if matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') => self.string(&object.display(), verb),
            _ => self.bad_verb(value, verb)?,
        }
        Ok(())
    }

    fn structure(
        &mut self,
        name: &str,
        fields: &[(&'static str, Value)],
        verb: char,
        depth: usize,
    ) -> Result<(), Error> {
        if self.flags.go_syntax {
            self.out.push_str(name);
        }
        self.out.push('{');
        for (index, (name, field)) in fields.iter().enumerate() {
            if index > 0 {
                self.out.push_str(if self.flags.go_syntax { ", " } else { " " });
            }
            if self.flags.go_syntax || self.flags.names {
                self.out.extend([name, ":"]);
            }
            self.value(field, verb, depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }

    /// A pointer inside a value.
    fn address(&mut self, object: &dyn Object, value: &Value, verb: char) -> Result<(), Error> {
        let address = address(object);
        match verb {
            'v' if self.flags.go_syntax => {
                write!(self.out, "({})(", object.type_name()).expect("writing to a string");
                if object.is_null() {
                    self.out.push_str("nil");
                } else {
                    self.hexadecimal(address);
                }
                self.out.push(')');
            }
            'v' if object.is_null() => self.padded("<nil>"),
            'v' | 'p' => self.hexadecimal(address),
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(address, false, address as i64, verb),
            _ => self.bad_verb(value, verb)?,
        }
        Ok(())
    }

    fn map(&mut self, map: &Map, value: &Value, verb: char, depth: usize) -> Result<(), Error> {
        if self.flags.go_syntax {
            self.out.push_str(&type_of(value));
            if map.is_nil() {
                self.out.push_str("(nil)");
                return Ok(());
            }
            self.out.push('{');
        } else {
            self.out.push_str("map[");
        }
        for (index, (key, item)) in map.sorted().iter().enumerate() {
            if index > 0 {
                self.out.push_str(if self.flags.go_syntax { ", " } else { " " });
            }
            self.value(&Value::Str(key.clone()), verb, depth + 1)?;
            self.out.push(':');
            self.value(item, verb, depth + 1)?;
        }
        self.out.push(if self.flags.go_syntax { '}' } else { ']' });
        Ok(())
    }

    /// `%!d(string=x)`. Flags, width and precision go on to the value, as in Go.
    fn bad_verb(&mut self, value: &Value, verb: char) -> Result<(), Error> {
        let outer = std::mem::replace(&mut self.erroring, true);
        self.out.extend(["%!", verb.encode_utf8(&mut [0; 4]), "("]);
        self.typed(value)?;
        self.out.push(')');
        self.erroring = outer;
        Ok(())
    }

    /// `string=x`.
    fn typed(&mut self, value: &Value) -> Result<(), Error> {
        self.out.push_str(&type_of(value));
        if !value.is_nil() {
            self.out.push('=');
            self.argument(value, 'v')?;
        }
        Ok(())
    }

    fn pointer(&mut self, value: &Value, verb: char) -> Result<(), Error> {
        match value {
            Value::List(list) if list.is_nil() => self.hexadecimal(0),
            Value::List(_) | Value::Map(_) | Value::Bytes(_) => self.hexadecimal(ADDRESS),
            Value::Object(object) if object.kind() == "ptr" => self.hexadecimal(address(&**object)),
            _ => self.bad_verb(value, verb)?,
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8], type_name: &str) {
        self.out.push_str(type_name);
        self.out.push('{');
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.hexadecimal(u64::from(*byte));
        }
        self.out.push('}');
    }

    fn hexadecimal(&mut self, number: u64) {
        let sharp = std::mem::replace(&mut self.flags.sharp, true);
        self.integer(number, false, i64::try_from(number).unwrap_or(i64::MAX), 'x');
        self.flags.sharp = sharp;
    }

    fn padding(&mut self, count: usize, zeros: bool) {
        self.out.extend(std::iter::repeat_n(if zeros { '0' } else { ' ' }, count));
    }

    /// Pads to the width, with the flags' kind of padding.
    fn padded(&mut self, text: &str) {
        let missing = self.flags.width.map_or(0, |width| width.saturating_sub(text.chars().count()));
        if self.flags.minus {
            self.out.push_str(text);
            self.padding(missing, false);
        } else {
            self.padding(missing, self.flags.zero);
            self.out.push_str(text);
        }
    }

    fn padded_with_spaces(&mut self, text: &str) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.padded(text);
        self.flags.zero = zero;
    }

    fn truncated<'t>(&self, text: &'t str) -> &'t str {
        match self.flags.precision {
            Some(precision) => text.char_indices().nth(precision).map_or(text, |(at, _)| &text[..at]),
            None => text,
        }
    }

    fn text(&mut self, text: &str) {
        self.padded(self.truncated(text));
    }

    fn string(&mut self, text: &str, verb: char) {
        match verb {
            'v' if !self.flags.go_syntax => self.text(text),
            's' => self.text(text),
            'x' | 'X' => self.hex_string(text, verb),
            _ => {
                let text = self.truncated(text);
                if self.flags.sharp && can_backquote(text) {
                    self.padded(&format!("`{text}`"));
                } else {
                    let mut quoted = String::with_capacity(text.len() + 2);
                    write_quoted(&mut quoted, text, '"', self.flags.plus);
                    self.padded(&quoted);
                }
            }
        }
    }

    fn hex_string(&mut self, text: &str, verb: char) {
        let bytes = bytes_of(text);
        let bytes = &bytes[..self.flags.precision.unwrap_or(usize::MAX).min(bytes.len())];
        let prefix = if verb == 'x' { "0x" } else { "0X" };
        let mut hex = String::with_capacity(bytes.len() * 2 + 2);
        for (index, byte) in bytes.iter().enumerate() {
            if self.flags.space && index > 0 {
                hex.push(' ');
            }
            if self.flags.sharp && (self.flags.space || index == 0) {
                hex.push_str(prefix);
            }
            let written = if verb == 'x' { write!(hex, "{byte:02x}") } else { write!(hex, "{byte:02X}") };
            written.expect("writing to a string");
        }
        self.padded(&hex);
    }

    /// Writes a number of any integer type: its magnitude and sign, and the number itself for `%c` and `%q`.
    fn integer(&mut self, magnitude: u64, negative: bool, number: i64, verb: char) {
        let char = u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
        let mut digits = match verb {
            'b' => format!("{magnitude:b}"),
            'o' | 'O' => format!("{magnitude:o}"),
            'x' => format!("{magnitude:x}"),
            'X' => format!("{magnitude:X}"),
            'c' => return self.padded(char.encode_utf8(&mut [0; 4])),
            'q' => {
                let mut quoted = String::new();
                write_quoted(&mut quoted, char.encode_utf8(&mut [0; 4]), '\'', self.flags.plus);
                return self.padded(&quoted);
            }
            'U' => return self.code_point(number as u64),
            _ => magnitude.to_string(),
        };
        let flags = self.flags;
        let mut least = 0;
        match (flags.precision, flags.width) {
            (Some(0), _) if magnitude == 0 => return self.padding(flags.width.unwrap_or(0), false),
            (Some(precision), _) => least = precision,
            (None, Some(width)) if flags.zero && !flags.minus => {
                least = width - usize::from(width > 0 && (negative || flags.plus || flags.space));
            }
            _ => {}
        }
        if digits.len() < least {
            digits.insert_str(0, &"0".repeat(least - digits.len()));
        }
        let prefix = match verb {
            'O' if flags.sharp && !digits.starts_with('0') => "0o0",
            'O' => "0o",
            'b' if flags.sharp => "0b",
            'o' if flags.sharp && !digits.starts_with('0') => "0",
            'x' if flags.sharp => "0x",
            'X' if flags.sharp => "0X",
            _ => "",
        };
        let sign = match (negative, flags.plus, flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        if sign.is_empty() && prefix.is_empty() {
            self.padded_with_spaces(&digits);
        } else {
            self.padded_with_spaces(&format!("{sign}{prefix}{digits}"));
        }
    }

    fn code_point(&mut self, number: u64) {
        let digits = self.flags.precision.unwrap_or(4).max(4);
        let mut text = format!("{number:X}");
        if text.len() < digits {
            text.insert_str(0, &"0".repeat(digits - text.len()));
        }
        text.insert_str(0, "U+");
        let char = u32::try_from(number).ok().and_then(char::from_u32);
        if let Some(char) = char.filter(|&char| self.flags.sharp && is_printable(char)) {
            text.extend([" '", char.encode_utf8(&mut [0; 4]), "'"]);
        }
        self.padded_with_spaces(&text);
    }

    fn float(&mut self, number: f64, verb: char) {
        let (verb, precision) = match verb {
            'v' => ('g', None),
            'F' => ('f', Some(6)),
            'f' | 'e' | 'E' => (verb, Some(6)),
            _ => (verb, None),
        };
        let precision = self.flags.precision.or(precision);
        let mut text = format_float(number, verb as u8, precision, Bits::B64);
        let flags = self.flags;
        if !number.is_finite() {
            if number.is_nan() && (flags.plus || flags.space) {
                text.insert(0, '+');
            }
            if flags.space && !flags.plus && text.starts_with('+') {
                text.replace_range(..1, " ");
            }
            return self.padded_with_spaces(&text);
        }
        if flags.sharp && verb != 'b' {
            text = with_point(&text, verb, precision);
        }
        if !text.starts_with('-') {
            if flags.plus {
                text.insert(0, '+');
            } else if flags.space {
                text.insert(0, ' ');
            }
        }
        let has_sign = text.starts_with(['-', '+', ' ']);
        match flags.width {
            Some(width) if has_sign && flags.zero && !flags.minus && width > text.len() => {
                self.out.push_str(&text[..1]);
                self.padding(width - text.len(), true);
                self.out.push_str(&text[1..]);
            }
            _ => self.padded(&text),
        }
    }
}

/// The `#` flag on floats: a decimal point always, and `%g` keeps its trailing zeros.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let (sign, number) = text.strip_prefix('-').map_or(("", text), |number| ("-", number));
    let is_hex = matches!(verb, 'x' | 'X');
    let tail_at = number.find(if is_hex { ['p', 'P'] } else { ['e', 'E'] }).unwrap_or(number.len());
    let (number, tail) = number.split_at(tail_at);
    let mut digits = if matches!(verb, 'g' | 'G' | 'x') { precision.unwrap_or(6) } else { 0 };
    let mut seen = false;
    for byte in number.bytes().filter(|&byte| byte != b'.') {
        seen |= byte != b'0';
        digits = digits.saturating_sub(usize::from(seen));
    }
    let mut out = format!("{sign}{number}");
    if !number.contains('.') {
        digits = digits.saturating_sub(usize::from(number == "0"));
        out.push('.');
    }
    out.extend(std::iter::repeat_n('0', digits));
    out.push_str(tail);
    out
}

/// Where a pointer points.
fn address(object: &dyn Object) -> u64 {
    if object.is_null() { 0 } else { ADDRESS }
}

fn is_integer_verb(verb: char) -> bool {
    matches!(verb, 'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' | 'c' | 'q' | 'U')
}

/// Whether a text fits in backquotes: no control characters but tab, no backquote, no byte order mark.
pub(super) fn can_backquote(text: &str) -> bool {
    text.chars().all(|char| {
        raw_byte(char).is_none() && char != '\u{feff}' && (char >= ' ' || char == '\t') && !matches!(char, '`' | '\x7f')
    })
}

/// The arguments of a format, and which comes next.
struct Arguments<'a> {
    values: &'a [Value],
    next: usize,
    reordered: bool,
    good: bool,
}

impl Arguments<'_> {
    /// Reads `[n]` at `at`; returns where it ends and whether there was one.
    fn index(&mut self, format: &[u8], at: usize) -> (usize, bool) {
        if format.get(at) != Some(&b'[') {
            return (at, false);
        }
        self.reordered = true;
        let close = memchr::memchr(b']', &format[at..]).map(|found| at + found).filter(|_| format.len() - at >= 3);
        let Some(close) = close else {
            self.good = false;
            return (at + 1, false);
        };
        match parse_number(format, at + 1, close) {
            (Some(number), end) if end == close => {
                if (1..=self.values.len()).contains(&number) {
                    self.next = number - 1;
                } else {
                    self.good = false;
                }
                (close + 1, true)
            }
            _ => {
                self.good = false;
                (close + 1, false)
            }
        }
    }

    /// The next argument as the number for a `*`.
    fn number(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        match value {
            Value::Int(number) | Value::Int64(number) if number.unsigned_abs() <= MAX_NUMBER as u64 => Some(*number),
            Value::Uint(number) => i64::try_from(*number).ok().filter(|&number| number <= MAX_NUMBER),
            Value::Byte(number) => Some(i64::from(*number)),
            Value::Object(object) => object.integer().filter(|number| number.unsigned_abs() <= MAX_NUMBER as u64),
            _ => None,
        }
    }
}

/// Digits from `at`; no number (and the end) when it is absurdly large.
fn parse_number(format: &[u8], at: usize, end: usize) -> (Option<usize>, usize) {
    let mut number = None;
    for (offset, byte) in format[at.min(end)..end].iter().enumerate() {
        if !byte.is_ascii_digit() {
            return (number, at + offset);
        }
        let value: usize = number.unwrap_or(0);
        if value as i64 > MAX_NUMBER {
            return (None, end);
        }
        number = Some(value * 10 + usize::from(byte - b'0'));
    }
    (number, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;

    #[test]
    fn operands_that_are_not_strings_are_spaced() {
        let values = [Value::from("a"), Value::Int(1), Value::Int64(2), Value::from("b"), Value::Nil, Value::Nil];
        assert_eq!(sprint(&values).unwrap(), "a1 2b<nil> <nil>");
        assert_eq!(sprintln(&values[..3]).unwrap(), "a 1 2\n");
    }

    #[test]
    fn formats_follow_go() {
        let map = Value::map([("b", Value::Float(1.5)), ("a", Value::list(vec![Value::Int(1), Value::Nil]))]);
        let cases: &[(&str, &[Value], &str)] = &[
            ("%v %d%%", &[map.clone(), Value::Int(3)], "map[a:[1 <nil>] b:1.5] 3%"),
            (
                "%#v",
                std::slice::from_ref(&map),
                r#"map[string]interface {}{"a":[]interface {}{1, interface {}(nil)}, "b":1.5}"#,
            ),
            ("%T %s", &[map.clone(), Value::Nil], "map[string]interface {} %!s(<nil>)"),
            ("%s %d", &[Value::Int(3), Value::from("x")], "%!s(int=3) %!d(string=x)"),
            ("%s", &[Value::list(vec![Value::Int(1), Value::from("a")])], "[%!s(int=1) a]"),
            ("%s", &[], "%!s(MISSING)"),
            ("a", &[Value::Int(1), Value::Nil], "a%!(EXTRA int=1, <nil>)"),
            ("%", &[], "%!(NOVERB)"),
            ("%[3]s %[1]d", &[Value::Int(1)], "%!s(BADINDEX) 1"),
            ("%z", &[Value::Float(1.0)], "%!z(float64=1)"),
            (
                "%5d|%-5d|%05d|%+d|%x|%#X|%o|%b|%c|%q|%U",
                &[5, 5, -5, 5, 255, 255, 8, 5, 233, 65, 0x1F600].map(Value::Int),
                "    5|5    |-0005|+5|ff|0XFF|10|101|é|'A'|U+1F600",
            ),
            (
                "%*d|%-*d|%.*f",
                &[Value::Int(4), Value::Int(1), Value::Int(3), Value::Int(2), Value::Int(1), Value::Float(2.25)],
                "   1|2  |2.2",
            ),
            (
                "%6.2f|%-8s|%8.3s|%q|%x|% x|%t",
                &[
                    Value::Float(3.24159),
                    Value::from("ab"),
                    Value::from("abcdef"),
                    Value::from("a\"\n"),
                    Value::from("hi"),
                    Value::from("hi"),
                    Value::Bool(true),
                ],
                r#"  3.24|ab      |     abc|"a\"\n"|6869|68 69|true"#,
            ),
            (
                "%s %v %x",
                &[Value::Bytes((*b"hi").into()), Value::Bytes((*b"hi").into()), Value::Bytes((*b"hi").into())],
                "hi [104 105] 6869",
            ),
        ];
        for (format, values, expected) in cases {
            assert_eq!(sprintf(format, values).unwrap(), *expected, "{format}");
        }
    }

    #[test]
    fn infinities_have_one_sign() {
        for (format, number, expected) in [
            ("%v", f64::INFINITY, "+Inf"),
            ("% v", f64::INFINITY, " Inf"),
            ("%+v", f64::INFINITY, "+Inf"),
            ("%#v", f64::NEG_INFINITY, "-Inf"),
            ("%v", f64::NAN, "NaN"),
            ("%+v", f64::NAN, "NaN"),
            ("%+g", f64::NAN, "+NaN"),
            ("% 6v", f64::NAN, "   NaN"),
        ] {
            assert_eq!(sprintf(format, &[Value::Float(number)]).expect("text"), expected, "{format}");
        }
    }

    #[test]
    fn quoting_escapes_what_go_calls_unprintable() {
        assert_eq!(
            quote("é日😀\u{301}\u{a0}\u{200b}\u{e000}\u{7f}\0"),
            r#""é日😀\u0301\u00a0\u200b\ue000\x7f\x00""#.replace("\\u0301", "\u{301}")
        );
        assert_eq!(quote(&crate::value::text_from_bytes(b"a\xc3")), r#""a\xc3""#);
    }

    #[test]
    fn a_map_in_itself_is_refused() {
        let map = Map::default();
        map.insert("self".into(), Value::Map(map.clone()));
        map.insert("again".into(), Value::Map(map.clone()));
        assert!(matches!(strval(&Value::Map(map.clone())), Err(Error::Limit)));
        map.remove("self");
        map.remove("again");
    }
}
