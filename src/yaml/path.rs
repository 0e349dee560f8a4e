//! Paths into trees, as people write them: `ports[0].name`, `annotations["a.b/c"]`.

use super::{Node, Step};
use std::fmt::{self, Write};

/// Writes a key of a path: `spec`, `["app.kubernetes.io/name"]`.
pub fn write_key(out: &mut impl Write, key: &str, first: bool) -> fmt::Result {
    let plain =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'));
    match (plain, first) {
        (true, true) => out.write_str(key),
        (true, false) => write!(out, ".{key}"),
        (false, _) => write!(out, "[{key:?}]"),
    }
}

/// A path as text.
pub fn path_text(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        let first = text.is_empty();
        let _ = match step {
            Step::Key(key) => write_key(&mut text, key, first),
            Step::Index(index) => write!(text, "[{index}]"),
        };
    }
    text
}

/// Reads a path. Keys with dots stand in brackets and quotes, or have a `\` before the dot; a leading dot is fine.
/// The error says what is wrong.
pub fn parse_path(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = text.strip_prefix('.').unwrap_or(text);
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let quoted = inside.starts_with(['"', '\'']);
            let end = if quoted {
                let quote = &inside[..1];
                inside[1..].find(&format!("{quote}]")).map(|at| at + 2)
            } else {
                inside.find(']')
            };
            let Some(end) = end else { return Err(format!("`[` does not close in `{text}`")) };
            let inner = &inside[..end];
            steps.push(match (quoted, inner.parse()) {
                (true, _) => Step::Key(inner[1..inner.len() - 1].into()),
                (false, Ok(index)) => Step::Index(index),
                (false, Err(_)) => {
                    return Err(format!("`[{inner}]` is no index; a key goes in quotes: `[\"{inner}\"]`"));
                }
            });
            rest = &inside[end + 1..];
        } else {
            let mut key = String::new();
            let mut chars = rest.char_indices();
            rest = loop {
                match chars.next() {
                    None => break "",
                    Some((_, '\\')) => key.extend(chars.next().map(|(_, char)| char)),
                    Some((at, '.' | '[')) => break &rest[at..],
                    Some((_, char)) => key.push(char),
                }
            };
            if key.is_empty() {
                return Err(format!("a name is missing in `{text}`"));
            }
            steps.push(Step::Key(key.into()));
        }
        if let Some(after) = rest.strip_prefix('.') {
            if after.is_empty() {
                return Err(format!("a name is missing at the end of `{text}`"));
            }
            rest = after;
        }
    }
    Ok(steps)
}

impl Node {
    /// The value one step further.
    pub fn step(&self, step: &Step) -> Option<&Node> {
        match step {
            Step::Key(key) => self.get(key),
            Step::Index(index) => self.as_seq()?.get(*index),
        }
    }

    /// The value at a path.
    pub fn follow(&self, path: &[Step]) -> Option<&Node> {
        path.iter().try_fold(self, |node, step| node.step(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back() {
        for text in ["image.tag", "ports[0].name", "a[0][1]", "annotations[\"a.b/c\"].x", "[\"a b\"]"] {
            assert_eq!(path_text(&parse_path(text).expect("a path")), text);
        }
        assert_eq!(parse_path("a\\.b.c"), parse_path("[\"a.b\"].c"));
        assert_eq!(parse_path(".Values"), Ok(vec![Step::Key("Values".into())]));
        assert_eq!(parse_path(""), Ok(vec![]));
    }

    #[test]
    fn bad_paths_are_errors() {
        for text in ["a..b", "a.", "a[0", "a[x]", "a[\"x]"] {
            assert!(parse_path(text).is_err(), "{text}");
        }
    }
}
