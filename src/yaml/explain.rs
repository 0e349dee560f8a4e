//! What is wrong with a text that go-yaml refuses, in words that help.

use super::event::Problem;
use super::scalar::push_escaped;
use crate::diagnostic::{Code, Diagnostic, FileId, Span};
use crate::value::raw_byte;
use std::ops::Range;

/// The diagnostic of a problem in a text that starts at `base` in its file.
pub(super) fn explain(problem: &Problem, text: &str, base: usize, file: FileId) -> Diagnostic {
    let scene = Scene { problem, text };
    let (message, place, label, hint) = scene.explain();
    let span = |range: Range<usize>| Span::new(file, base + range.start, base + range.end);
    let mut diagnostic = Diagnostic::new(Code::YamlSyntax, message).label(span(place), label);
    if let Some((place, label)) = scene.opening() {
        diagnostic = diagnostic.label(span(place), label);
    }
    let template = scene.line().contains("{{") || scene.line().contains("{%");
    diagnostic.hint(if template {
        "this line has a template expression, but the text is read as plain YAML".to_owned()
    } else {
        hint
    })
}

struct Scene<'a> {
    problem: &'a Problem,
    text: &'a str,
}

type Explanation = (String, Range<usize>, &'static str, String);

impl Scene<'_> {
    fn explain(&self) -> Explanation {
        let here = self.word_at(self.problem.offset);
        let shown = &self.text[here.clone()];
        let found = if shown.is_empty() { "the end of the text".to_owned() } else { format!("`{shown}`") };
        let from = self.problem.from;
        let say = |message: String, place: Range<usize>, label: &'static str, hint: &str| {
            (message, place, label, hint.to_owned())
        };
        match self.problem.text.as_str() {
            "found character that cannot start any token" => self.bad_start(),
            "mapping values are not allowed in this context" => self.second_colon(),
            "did not find expected key" if self.is_behind_value() => say(
                format!("found {found} behind a value that had ended"),
                here,
                "the value ended before this",
                "quote the whole value",
            ),
            "did not find expected key" => say(
                format!("expected a key of the mapping above, found {found}"),
                here,
                "this line belongs to no mapping above it",
                "indent this line as far as the keys it belongs to",
            ),
            "did not find expected '-' indicator" if self.is_behind_value() => say(
                format!("found {found} behind a value that had ended"),
                here,
                "the value ended before this",
                "quote the whole value",
            ),
            "did not find expected '-' indicator" => say(
                format!("expected `- ` for the next item of the list above, found {found}"),
                here,
                "this line belongs to no list or mapping above it",
                "start it with `- `, or indent it as far as what it belongs to",
            ),
            "could not find expected ':'" => {
                let key = self.rest_of_line(from);
                say(
                    format!("expected `:` behind the key `{}`", self.text[key.clone()].trim_end()),
                    key,
                    "a key, for it stands where the keys of this mapping stand",
                    "write `key: value`, or indent a text that goes on from the line before",
                )
            }
            "block sequence entries are not allowed in this context" => say(
                "a list cannot start here".to_owned(),
                here,
                "`- ` in the middle of something else",
                "put `- ` at the start of a line of its own, or quote the value",
            ),
            "mapping keys are not allowed in this context" => say(
                "a key cannot start here".to_owned(),
                here,
                "`? ` in the middle of something else",
                "quote the value",
            ),
            "did not find expected ',' or ']'" => say(
                format!("expected `,` or `]`, found {found}"),
                here,
                "the list in brackets does not go on like this",
                "close the list with `]`, or separate its items with `,`",
            ),
            "did not find expected ',' or '}'" => say(
                format!("expected `,` or `}}`, found {found}"),
                here,
                "the mapping in braces does not go on like this",
                "close the mapping with `}`, separate its entries with `,`, or quote it if text is meant",
            ),
            "did not find expected node content" => say(
                format!("expected a value, found {found}"),
                here,
                "no value starts like this",
                "quote the value if text is meant",
            ),
            "found unexpected end of stream" => say(
                "a quoted text never ends".to_owned(),
                from..from + 1,
                "the quote that opens it",
                "close it with the same quote; inside single quotes, `'` is written `''`",
            ),
            "found unexpected document indicator" => say(
                "a quoted text goes on over the end of the document".to_owned(),
                from..from + 1,
                "the quote that opens it",
                "close it with the same quote; inside single quotes, `'` is written `''`",
            ),
            "found unknown escape character" => {
                let escape = self.clip(self.problem.offset..self.problem.offset + 2);
                say(
                    format!("`{}` is no escape of double quotes", &self.text[escape.clone()]),
                    escape,
                    "unknown escape",
                    "write `\\\\` for a backslash, or use single quotes, where it means itself",
                )
            }
            "did not find expected hexdecimal number" | "found invalid Unicode character escape code" => say(
                "an escape names no character".to_owned(),
                here,
                "expected hexadecimal digits of a character",
                "write `\\xHH`, `\\uHHHH` or `\\UHHHHHHHH`, or use single quotes, where a backslash means itself",
            ),
            "found a tab character where an indentation space is expected"
            | "found a tab character that violates indentation" => say(
                "a tab stands where YAML takes only spaces".to_owned(),
                self.clip(self.problem.offset..self.problem.offset + 1),
                "a tab",
                "indent with spaces",
            ),
            "did not find expected alphabetic or numeric character" => {
                let place = self.rest_of_line(from);
                let what = if self.text[from..].starts_with('*') { "alias" } else { "anchor" };
                say(
                    format!("`{}` is no {what}", self.text[place.clone()].trim_end()),
                    place,
                    "a name of letters, digits, `-` and `_` must follow",
                    "quote the value if text is meant",
                )
            }
            "did not find expected comment or line break" => say(
                format!("found {found} where the line must end"),
                here,
                "only a comment may stand here",
                "put the text of a block on the lines below `|` or `>`, indented",
            ),
            "found an indentation indicator equal to 0" => say(
                "the indentation of a block cannot be 0".to_owned(),
                here,
                "expected 1 to 9",
                "leave it out: the first line decides",
            ),
            "found incompatible YAML document" => say(
                "only YAML 1.1 is read".to_owned(),
                self.rest_of_line(self.problem.offset),
                "another version",
                "remove this line",
            ),
            "found unknown directive name"
            | "could not find expected directive name"
            | "found unexpected non-alphabetical character" => say(
                "`%` at the start of a line opens a directive, and this is none that YAML has".to_owned(),
                self.whole_line(),
                "read as a directive",
                "quote the text, or indent it if it goes on from the line before",
            ),
            "did not find expected <document start>" => say(
                format!("expected `---` before the next document, found {found}"),
                here,
                "the document above has ended",
                "indent this line as far as what it belongs to, or write `---` before it",
            ),
            "control characters are not allowed" => {
                let char = self.text[self.problem.offset..].chars().next().unwrap_or_default();
                say(
                    format!("found the control character U+{:04X}", u32::from(char)),
                    self.clip(self.problem.offset..self.problem.offset + char.len_utf8()),
                    "YAML does not allow this character",
                    "remove it, or write it as an escape in double quotes",
                )
            }
            "invalid leading UTF-8 octet"
            | "invalid trailing UTF-8 octet"
            | "incomplete UTF-8 octet sequence"
            | "invalid length of a UTF-8 sequence"
            | "invalid Unicode character" => {
                let char = self.text[self.problem.offset..].chars().next().unwrap_or_default();
                say(
                    format!("found the byte 0x{:02X}, which is not UTF-8", raw_byte(char).unwrap_or_default()),
                    self.clip(self.problem.offset..self.problem.offset + char.len_utf8()),
                    "YAML is read as UTF-8",
                    "write the text in UTF-8, or encode bytes in base64",
                )
            }
            text if text.starts_with("unknown anchor ") => say(
                format!("no anchor `&{}` stands before this alias", shown.trim_start_matches('*')),
                here,
                "an alias of nothing",
                "define the anchor above, or quote the value if text is meant",
            ),
            "found undefined tag handle" => say(
                format!("the tag {found} has no declared prefix"),
                here,
                "a tag",
                "quote the value if text is meant",
            ),
            other => say(other.to_owned(), here, "here", "quote the value if text is meant"),
        }
    }

    fn bad_start(&self) -> Explanation {
        let at = self.problem.offset;
        let char = self.text[at..].chars().next().unwrap_or_default();
        let place = self.clip(at..at + char.len_utf8());
        if char == '\t' {
            let hint = "indent with spaces".to_owned();
            return ("a tab stands where YAML takes only spaces".to_owned(), place, "a tab", hint);
        }
        let value = self.text[self.rest_of_line(at)].trim_end();
        let shown = if char == '`' { "a backtick".to_owned() } else { format!("`{char}`") };
        let message = format!("a value without quotes cannot start with {shown}");
        let mut quoted = String::new();
        push_escaped(&mut quoted, value);
        (message, place, "not allowed here", format!("quote it: `\"{quoted}\"`"))
    }

    fn second_colon(&self) -> Explanation {
        let colon = self.clip(self.problem.offset..self.problem.offset + 1);
        let line = &self.text[self.whole_line()];
        let before = &self.text[self.whole_line().start..self.problem.offset];
        if before.contains(": ") {
            let message = "found a second `: ` in one line".to_owned();
            let hint = "quote the value, or put the inner key on a line of its own, indented".to_owned();
            return (message, colon, "this would start a mapping inside a value", hint);
        }
        let key = line.trim_start().split(':').next().unwrap_or_default();
        (
            format!("the key `{key}` stands inside the value of the line above"),
            colon,
            "the line above has a value already, so no key can follow deeper",
            "indent this line as far as the key it follows, or remove the value above".to_owned(),
        )
    }

    /// The second place that explains the first: where the bracket opened.
    fn opening(&self) -> Option<(Range<usize>, &'static str)> {
        let from = self.problem.from;
        let opened = matches!(
            self.problem.text.as_str(),
            "did not find expected ',' or ']'" | "did not find expected ',' or '}'"
        ) && from < self.problem.offset
            && self.text[from..].starts_with(['[', '{']);
        opened.then(|| (from..from + 1, "opened here"))
    }

    /// Something other than indentation stands before the place in its line.
    fn is_behind_value(&self) -> bool {
        let start = self.whole_line().start;
        !self.text[start..self.problem.offset].trim_matches([' ', '-']).is_empty()
    }

    fn clip(&self, range: Range<usize>) -> Range<usize> {
        let end = self.text.len();
        let boundary = |at: usize| (at.min(end)..=end).find(|&at| self.text.is_char_boundary(at)).unwrap_or(end);
        boundary(range.start)..boundary(range.end)
    }

    /// What stands at an offset up to a blank, at most some characters of it.
    fn word_at(&self, at: usize) -> Range<usize> {
        let rest = &self.text[at..];
        let length = rest.char_indices().take_while(|(index, char)| *index < 40 && !char.is_whitespace()).last();
        at..at + length.map_or(0, |(index, char)| index + char.len_utf8())
    }

    fn rest_of_line(&self, at: usize) -> Range<usize> {
        let length = self.text[at..].find(['\n', '\r']).unwrap_or(self.text.len() - at);
        at..at + length
    }

    fn whole_line(&self) -> Range<usize> {
        let start = self.text[..self.problem.offset].rfind('\n').map_or(0, |at| at + 1);
        start..self.rest_of_line(self.problem.offset).end
    }

    fn line(&self) -> &str {
        &self.text[self.whole_line()]
    }
}
