//! Reads one JSON value at the start of a text, as `--set-json` needs it.

use crate::diagnostic::{FileId, Span};
use crate::yaml::{Data, Entry, Mapping, Node, Style};
use std::sync::Arc;

/// How deeply values may nest.
const MAX_DEPTH: usize = 200;

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JsonError {
    pub(super) message: String,
    pub(super) at: usize,
}

/// The value that starts at byte `at`, and where it ends.
pub(super) fn prefix(text: &str, at: usize, file: FileId) -> Result<(Node, usize), JsonError> {
    let mut reader = Reader { text, at, file };
    let node = reader.value(0)?;
    Ok((node, reader.at))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    file: FileId,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn error<T>(&self, expected: &str) -> Result<T, JsonError> {
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "the end of the text".to_owned(),
            Some(char) => format!("`{char}`"),
        };
        Err(JsonError { message: format!("expected {expected}, found {found}"), at: self.at })
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        self.blanks();
        if self.peek() != Some(byte) {
            return self.error(&format!("`{}`", byte as char));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError { message: format!("nested more than {MAX_DEPTH} deep"), at: self.at });
        }
        self.blanks();
        let start = self.at;
        let (style, data) = match self.peek() {
            Some(b'{') => (Style::Flow, self.object(depth)?),
            Some(b'[') => (Style::Flow, self.array(depth)?),
            Some(b'"') => (Style::DoubleQuoted, Data::Str(self.string()?.into())),
            Some(b'-' | b'0'..=b'9') => (Style::Plain, self.number()?),
            _ => {
                let words = [("null", Data::Null), ("true", Data::Bool(true)), ("false", Data::Bool(false))];
                match words.into_iter().find(|(word, _)| self.text[self.at..].starts_with(word)) {
                    Some((word, data)) => {
                        self.at += word.len();
                        (Style::Plain, data)
                    }
                    None => return self.error("a JSON value"),
                }
            }
        };
        Ok(Node { span: Span::new(self.file, start, self.at), style, data })
    }

    fn object(&mut self, depth: usize) -> Result<Data, JsonError> {
        self.at += 1;
        let mut map = Mapping::default();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Data::Map(Arc::new(map)));
        }
        loop {
            self.blanks();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return self.error("a key in double quotes");
            }
            let key = self.string()?;
            let key_span = Span::new(self.file, start, self.at);
            self.expect(b':')?;
            let value = self.value(depth + 1)?;
            map.insert(key.into(), Entry { key_span, value });
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Data::Map(Arc::new(map)));
                }
                _ => return self.error("`,` or `}`"),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Data, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Data::Seq(Arc::new(items)));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Data::Seq(Arc::new(items)));
                }
                _ => return self.error("`,` or `]`"),
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return self.error("`\"`"),
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let at = start;
        serde_json::from_str(self.text.get(start..self.at).unwrap_or_default())
            .map_err(|error| JsonError { message: format!("not a JSON string: {error}"), at })
    }

    fn number(&mut self) -> Result<Data, JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let number: serde_json::Number = serde_json::from_str(&self.text[start..self.at])
            .map_err(|error| JsonError { message: format!("not a JSON number: {error}"), at: start })?;
        Ok(match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Data::Int(number),
            (None, Some(number)) => Data::Uint(number),
            _ => Data::Float(number.as_f64().unwrap_or(f64::INFINITY)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_it_ends() {
        let text = r#"x={"a":[1,2.5,"é\u00e9"],"b":null},y=1"#;
        let (node, end) = prefix(text, 2, FileId(0)).expect("reads");
        assert_eq!(&text[end..], ",y=1");
        assert_eq!(node.get("a").and_then(Node::as_seq).map(|items| items[2].as_str()), Some(Some("éé")));
    }

    #[test]
    fn errors_name_what_was_expected() {
        for (text, message) in [
            ("[1,", "expected a JSON value, found the end of the text"),
            ("{a:1}", "expected a key in double quotes, found `a`"),
            ("[1 2]", "expected `,` or `]`, found `2`"),
            ("\"a", "expected `\"`, found the end of the text"),
        ] {
            assert_eq!(prefix(text, 0, FileId(0)).unwrap_err().message, message);
        }
        assert!(prefix(&"[".repeat(100_000), 0, FileId(0)).unwrap_err().message.contains("nested"));
    }
}
