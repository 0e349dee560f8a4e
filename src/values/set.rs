//! The grammar of `--set` and its siblings: `a.b=1,c[0].d={x,y}`, with Helm's quirks, from Helm's `strvals` package.
//!
//! Arguments change a values tree in place, so `a[1]=x` extends the list that a file gave. Running out of text is no
//! error in Helm (`a[0` changes nothing), which is why [`Fail::End`] travels apart from errors.

use super::json;
use crate::diagnostic::{FileId, Span};
use crate::yaml::{Data, Entry, Mapping, Node, Style};
use std::sync::Arc;

/// Largest list index, and deepest nesting of names, that Helm allows.
const MAX_INDEX: i64 = 65536;
const MAX_NESTING: usize = 30;

/// Which flag an argument was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    SetJson,
    Set,
    SetString,
    SetFile,
    SetLiteral,
}

impl Flag {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Flag::SetJson => "--set-json",
            Flag::Set => "--set",
            Flag::SetString => "--set-string",
            Flag::SetFile => "--set-file",
            Flag::SetLiteral => "--set-literal",
        }
    }
}

/// Why an argument cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetError {
    pub message: String,
    pub span: Span,
}

/// Reads a file for `--set-file`; the error is the whole message.
pub type ReadFile<'a> = dyn FnMut(&str) -> Result<String, String> + 'a;

/// Applies an argument to a values tree. `file` is the argument's own text among the sources.
pub fn apply(
    flag: Flag,
    text: &str,
    file: FileId,
    into: &mut Mapping,
    read_file: &mut ReadFile<'_>,
) -> Result<(), SetError> {
    let mut parser = Parser { text, at: 0, file, flag, read_file };
    loop {
        let start = parser.at;
        match parser.key(into, 0) {
            Ok(()) => {}
            Err(Fail::End) => return Ok(()),
            Err(Fail::Error(message)) => {
                let end = parser.at.max(start);
                return Err(SetError { message, span: Span::new(file, start, end) });
            }
        }
    }
}

enum Fail {
    /// The text ended where more could have come.
    End,
    Error(String),
}

type Step<T> = Result<T, Fail>;

fn fail<T>(message: impl Into<String>) -> Step<T> {
    Err(Fail::Error(message.into()))
}

/// A run of characters up to a stop character or the end.
struct Word {
    text: String,
    span: Span,
    /// `None` at the end of the text.
    stop: Option<char>,
}

struct Parser<'a, 'r> {
    text: &'a str,
    at: usize,
    file: FileId,
    flag: Flag,
    read_file: &'a mut ReadFile<'r>,
}

impl Parser<'_, '_> {
    fn next(&mut self) -> Option<char> {
        let char = self.text[self.at..].chars().next()?;
        self.at += char.len_utf8();
        Some(char)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn word(&mut self, stops: &str) -> Word {
        let start = self.at;
        let mut text = String::new();
        loop {
            let end = self.at;
            let stop = match self.next() {
                Some('\\') if self.flag != Flag::SetLiteral => {
                    if let Some(escaped) = self.next() {
                        text.push(escaped);
                        continue;
                    }
                    None
                }
                Some(char) if !stops.contains(char) => {
                    text.push(char);
                    continue;
                }
                stop => stop,
            };
            return Word { text, span: self.span(start, end), stop };
        }
    }

    /// One `key=value`, or the rest of one below a map.
    fn key(&mut self, data: &mut Mapping, nesting: usize) -> Step<()> {
        let literal = self.flag == Flag::SetLiteral;
        let word = self.word(if literal { "=[." } else { "=[,." });
        let key: Arc<str> = word.text.as_str().into();
        let set = |data: &mut Mapping, value: Node| {
            if !key.is_empty() {
                data.insert(Arc::clone(&key), Entry { key_span: word.span, value });
            }
        };
        match word.stop {
            None if key.is_empty() => Err(Fail::End),
            None => fail(format!("key {key:?} has no value")),
            Some('[') => {
                let index = self.index()?;
                let mut list = match data.get(&key).map(|entry| &entry.value) {
                    None => Vec::new(),
                    Some(value) => as_list(value)?,
                };
                let result = self.item(&mut list, index, nesting);
                // Helm keeps the list also when the text ends here: `a[0]` makes an empty list.
                if !matches!(result, Err(Fail::Error(_))) {
                    set(data, self.list(list, word.span));
                }
                result
            }
            Some('=') => {
                let (value, result) = self.value()?;
                set(data, value);
                result
            }
            Some(',') => fail(format!("key {key:?} has no value (cannot end with ,)")),
            _ => {
                if nesting + 1 > MAX_NESTING {
                    return fail(format!(
                        "value name nested level is greater than maximum supported nested level of {MAX_NESTING}"
                    ));
                }
                let (mut inner, span) = match data.get(&key).map(|entry| &entry.value) {
                    None => (Mapping::default(), word.span),
                    Some(value) => (as_map(value)?, value.span),
                };
                let result = self.key(&mut inner, nesting + 1);
                if result.is_ok() && inner.is_empty() {
                    return fail(format!("key map {key:?} has no value"));
                }
                if !inner.is_empty() {
                    set(data, Node { span, style: Style::Block, data: Data::Map(Arc::new(inner)) });
                }
                result
            }
        }
    }

    /// What stands after `=`. The second part says whether the text ended there.
    fn value(&mut self) -> Step<(Node, Step<()>)> {
        match self.flag {
            Flag::SetJson => Ok((self.json_value()?, Ok(()))),
            Flag::SetLiteral => {
                let word = self.word("");
                Ok((self.typed(&word)?, Ok(())))
            }
            _ => match self.peek() {
                None => {
                    let end = self.at;
                    Ok((Node::new(self.span(end, end), Data::Str("".into())), Err(Fail::End)))
                }
                Some('{') => Ok((self.braces()?, Ok(()))),
                Some(_) => {
                    let word = self.word(",");
                    Ok((self.typed(&word)?, Ok(())))
                }
            },
        }
    }

    /// `{a,b}`, and the comma after it.
    fn braces(&mut self) -> Step<Node> {
        let start = self.at;
        self.next();
        let mut items = Vec::new();
        loop {
            let word = self.word(",}");
            if word.stop.is_none() {
                return fail("list must terminate with '}'");
            }
            items.push(self.typed(&word)?);
            if word.stop == Some('}') {
                let span = self.span(start, self.at);
                if self.peek() == Some(',') {
                    self.next();
                }
                return Ok(Node { span, style: Style::Flow, data: Data::Seq(Arc::new(items)) });
            }
        }
    }

    fn json_value(&mut self) -> Step<Node> {
        if let Some(span) = self.empty_value() {
            return Ok(Node::new(span, Data::Null));
        }
        let (node, end) = json::prefix(self.text, self.at, self.file).map_err(|error| {
            self.at = error.at;
            Fail::Error(error.message)
        })?;
        self.at = end;
        self.empty_value();
        Ok(node)
    }

    /// Skips blanks and a comma. The place, if that or the end came before a value.
    fn empty_value(&mut self) -> Option<Span> {
        loop {
            let at = self.at;
            match self.next() {
                None | Some(',') => return Some(self.span(at, at)),
                Some(char) if char.is_whitespace() => {}
                Some(_) => {
                    self.at = at;
                    return None;
                }
            }
        }
    }

    /// The number between `[` and `]`.
    fn index(&mut self) -> Step<i64> {
        let word = self.word("]");
        if word.stop.is_none() {
            return Err(Fail::End);
        }
        match word.text.parse::<i64>() {
            Ok(index) => Ok(index),
            Err(_) => fail(format!("error parsing index: {:?} is not a whole number", word.text)),
        }
    }

    /// What stands after `[index]`.
    fn item(&mut self, list: &mut Vec<Node>, index: i64, nesting: usize) -> Step<()> {
        if index < 0 {
            return fail(format!("negative {index} index not allowed"));
        }
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let word = self.word("[.=");
        if !word.text.is_empty() {
            return fail(format!("unexpected data at end of array index: {:?}", word.text));
        }
        match word.stop {
            None => Err(Fail::End),
            Some('=') => {
                // Unlike for a key, the end of the text here is no end: the index is set.
                let (value, _) = self.value()?;
                self.set_item(list, index, value)
            }
            Some('[') => {
                let inner_index = self.index()?;
                let existing = list.get(at).filter(|item| !item.is_null());
                let mut inner = existing.map(as_list).transpose()?.unwrap_or_default();
                let result = self.item(&mut inner, inner_index, nesting);
                if matches!(result, Ok(()))
                    || matches!(result, Err(Fail::End)) && existing_len(list.get(at)) == Some(inner.len())
                {
                    self.set_item(list, index, self.list(inner, word.span))?;
                }
                result
            }
            _ => {
                let existing = list.get(at).map(|item| as_map(item).unwrap_or_default());
                let existed = existing.is_some();
                let mut inner = existing.unwrap_or_default();
                let result = self.key(&mut inner, nesting);
                if result.is_ok() || existed {
                    let span = self.span(word.span.end as usize, self.at);
                    let inner = Node { span, style: Style::Block, data: Data::Map(Arc::new(inner)) };
                    self.set_item(list, index, inner)?;
                }
                result
            }
        }
    }

    fn set_item(&self, list: &mut Vec<Node>, index: i64, value: Node) -> Step<()> {
        if index > MAX_INDEX {
            return fail(format!("index of {index} is greater than maximum supported index of {MAX_INDEX}"));
        }
        let index = index as usize;
        if list.len() <= index {
            let gap = self.span(self.at, self.at);
            list.resize(index + 1, Node::new(gap, Data::Null));
        }
        list[index] = value;
        Ok(())
    }

    fn list(&self, items: Vec<Node>, span: Span) -> Node {
        Node { span, style: Style::Flow, data: Data::Seq(Arc::new(items)) }
    }

    /// A word as a value: typed for `--set`, the file's text for `--set-file`, else the text itself.
    fn typed(&mut self, word: &Word) -> Step<Node> {
        let mut style = Style::Plain;
        let data = match self.flag {
            Flag::Set => {
                style = Style::Argument;
                typed(&word.text)
            }
            Flag::SetFile => match (self.read_file)(&word.text) {
                Ok(text) => Data::Str(text.into()),
                Err(message) => return fail(message),
            },
            _ => Data::Str(word.text.as_str().into()),
        };
        Ok(Node { span: word.span, style, data })
    }
}

fn existing_len(item: Option<&Node>) -> Option<usize> {
    item?.as_seq().map(<[Node]>::len)
}

/// Helm's typing of `--set` values: words in any case, whole numbers without a leading zero, else text.
fn typed(text: &str) -> Data {
    // Go folds the long s too.
    let folded = text.replace('ſ', "s");
    if folded.eq_ignore_ascii_case("true") {
        return Data::Bool(true);
    }
    if folded.eq_ignore_ascii_case("false") {
        return Data::Bool(false);
    }
    if folded.eq_ignore_ascii_case("null") {
        return Data::Null;
    }
    if text == "0" {
        return Data::Int(0);
    }
    match text.parse::<i64>() {
        Ok(number) if !text.starts_with('0') => Data::Int(number),
        _ => Data::Str(text.into()),
    }
}

fn as_map(node: &Node) -> Step<Mapping> {
    match node.as_map() {
        Some(map) => Ok(map.clone()),
        None => wrong_type(node, "map[string]interface {}"),
    }
}

fn as_list(node: &Node) -> Step<Vec<Node>> {
    match node.as_seq() {
        Some(items) => Ok(items.to_vec()),
        None => wrong_type(node, "[]interface {}"),
    }
}

fn wrong_type<T>(node: &Node, wanted: &str) -> Step<T> {
    let found = go_type(node);
    fail(format!("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}"))
}

/// The Go type that Helm holds such a value in.
pub(super) fn go_type(node: &Node) -> &'static str {
    match node.data {
        Data::Null => "nil",
        Data::Bool(_) => "bool",
        Data::Int(_) if node.style == Style::Argument => "int64",
        Data::Int(_) | Data::Uint(_) | Data::Float(_) => "float64",
        Data::Str(_) => "string",
        Data::Seq(_) => "[]interface {}",
        Data::Map(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply_to(flag: Flag, text: &str, base: &mut Mapping) -> Result<(), String> {
        apply(flag, text, FileId(0), base, &mut |path| Ok(format!("<{path}>"))).map_err(|error| error.message)
    }

    #[test]
    fn values_know_their_place_in_the_argument() {
        let mut base = Mapping::default();
        let text = "image.tag=v1,list[0]=x";
        apply_to(Flag::Set, text, &mut base).expect("applies");
        let root = Node::new(Span::new(FileId(0), 0, 0), Data::Map(Arc::new(base)));
        let place = |span: Span| &text[span.start as usize..span.end as usize];
        assert_eq!(place(root.at(["image", "tag"]).expect("set").span), "v1");
        assert_eq!(place(root.get("image").and_then(Node::as_map).expect("map")["tag"].key_span), "tag");
        assert_eq!(place(root.get("list").and_then(Node::as_seq).expect("list")[0].span), "x");
    }

    #[test]
    fn arguments_change_what_is_there() {
        let mut base = Mapping::default();
        for text in ["a.b=1", "a.c=2", "l={x,y}", "l[1]=z", "l[3]=w"] {
            apply_to(Flag::Set, text, &mut base).expect("applies");
        }
        let shown: Vec<_> = base.iter().map(|(key, entry)| format!("{key}: {:?}", entry.value.data)).collect();
        assert!(shown[0].contains("Int(1)") && shown[0].contains("Int(2)"), "{shown:?}");
        assert_eq!(base["l"].value.as_seq().map(<[Node]>::len), Some(4));
        let error = apply_to(Flag::Set, "a.b.c=1", &mut base).unwrap_err();
        assert_eq!(
            error,
            "unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}"
        );
    }
}
