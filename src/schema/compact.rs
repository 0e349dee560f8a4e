//! The compact text form of schemas, in which the bundle is kept.
//!
//! ```text
//! shape  = "*" | "o" | "b" | "n" | "i" | "i32" | "i64" | "x" | "q"      any, any object, boolean, number, integers,
//!                                                                        int-or-string, quantity
//!        | "s" [":" format] ["=" value {"|" value}]                      string
//!        | "[" shape "]" ["^" | "%" key {"," key}]                       list: of unique items, unique by keys
//!        | "<" shape ">"                                                 mapping with free keys
//!        | "{" [field {";" field}] "}"                                   object
//!        | "@" name                                                      definition
//! field  = name ("!" | " ") shape                                        required, optional
//! ```
//!
//! Everything but a required field may be null.

use super::shape::{Field, Fields, Format, Ref, Shape, Text, Unique, Width};

/// Characters that names and values of the text form cannot have.
const RESERVED: &[char] = &[';', '}', ']', '>', '|', ',', '!', '%', '^', '\t', '\n', '='];

/// Reads a shape from the embedded text; `None` when it is not in the grammar.
pub fn read(text: &'static str) -> Option<Shape> {
    let mut reader = Reader { rest: text };
    let shape = reader.shape()?;
    reader.rest.is_empty().then_some(shape)
}

struct Reader {
    rest: &'static str,
}

impl Reader {
    fn eat(&mut self, token: char) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The text up to one of these characters or the end.
    fn until(&mut self, stops: &[u8]) -> &'static str {
        let end = self.rest.bytes().position(|byte| stops.contains(&byte)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn shape(&mut self) -> Option<Shape> {
        let first = self.rest.chars().next()?;
        self.rest = &self.rest[first.len_utf8()..];
        Some(match first {
            '*' => Shape::Any,
            'o' => Shape::AnyObject,
            'b' => Shape::Boolean,
            'n' => Shape::Number,
            'x' => Shape::IntOrString,
            'q' => Shape::Quantity,
            'i' => Shape::Integer(match self.until(b";}]>") {
                "" => Width::Any,
                "32" => Width::Int32,
                "64" => Width::Int64,
                _ => return None,
            }),
            's' => {
                let format = if self.eat(':') {
                    match self.until(b";}]>=") {
                        "byte" => Format::Byte,
                        "date-time" => Format::DateTime,
                        _ => return None,
                    }
                } else {
                    Format::Plain
                };
                let mut values = Vec::new();
                if self.eat('=') {
                    loop {
                        values.push(Text::Borrowed(self.until(b";}]>|")));
                        if !self.eat('|') {
                            break;
                        }
                    }
                }
                Shape::String { format, values }
            }
            '[' => {
                let items = Box::new(self.shape()?);
                if !self.eat(']') {
                    return None;
                }
                let unique = if self.eat('^') {
                    Unique::Items
                } else if self.eat('%') {
                    let mut keys = vec![Text::Borrowed(self.until(b";}]>,"))];
                    while self.eat(',') {
                        keys.push(Text::Borrowed(self.until(b";}]>,")));
                    }
                    Unique::Keys(keys)
                } else {
                    Unique::Nothing
                };
                Shape::List { items, unique }
            }
            '<' => {
                let items = Box::new(self.shape()?);
                if !self.eat('>') {
                    return None;
                }
                Shape::Map(items)
            }
            '{' => {
                let mut fields = Vec::new();
                while !self.eat('}') {
                    let name = Text::Borrowed(self.until(b"! "));
                    let required = self.eat('!');
                    if !required && !self.eat(' ') {
                        return None;
                    }
                    fields.push(Field { name, required, shape: self.shape()? });
                    self.eat(';');
                }
                Shape::Object(Fields::new(fields))
            }
            '@' => Shape::Ref(Ref::new(self.until(b";}]>"))),
            _ => return None,
        })
    }
}

/// Writes a shape; `None` when a name or value has a reserved character, or the shape is a custom resource's.
pub fn write(shape: &Shape, out: &mut String) -> Option<()> {
    let word = |text: &str, out: &mut String| -> Option<()> {
        if text.contains(RESERVED) {
            return None;
        }
        out.push_str(text);
        Some(())
    };
    match shape {
        Shape::Any => out.push('*'),
        Shape::AnyObject => out.push('o'),
        Shape::Boolean => out.push('b'),
        Shape::Number => out.push('n'),
        Shape::IntOrString => out.push('x'),
        Shape::Quantity => out.push('q'),
        Shape::Integer(width) => out.push_str(match width {
            Width::Any => "i",
            Width::Int32 => "i32",
            Width::Int64 => "i64",
        }),
        Shape::String { format, values } => {
            out.push_str(match format {
                Format::Plain => "s",
                Format::Byte => "s:byte",
                Format::DateTime => "s:date-time",
            });
            for (at, value) in values.iter().enumerate() {
                out.push(if at == 0 { '=' } else { '|' });
                word(value, out)?;
            }
        }
        Shape::List { items, unique } => {
            out.push('[');
            write(items, out)?;
            out.push(']');
            match unique {
                Unique::Nothing => {}
                Unique::Items => out.push('^'),
                Unique::Keys(keys) => {
                    for (at, key) in keys.iter().enumerate() {
                        out.push(if at == 0 { '%' } else { ',' });
                        word(key, out)?;
                    }
                }
            }
        }
        Shape::Map(items) => {
            out.push('<');
            write(items, out)?;
            out.push('>');
        }
        Shape::Object(fields) => {
            out.push('{');
            for (at, field) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(';');
                }
                word(&field.name, out)?;
                out.push(if field.required { '!' } else { ' ' });
                write(&field.shape, out)?;
            }
            out.push('}');
        }
        Shape::Ref(reference) => {
            out.push('@');
            word(&reference.name, out)?;
        }
        Shape::Custom(_) => return None,
    }
    Some(())
}
