//! A values tree as YAML, line by line, in the author's order, each line with the path of what it says.

use crate::value::Value;
use crate::yaml::{Data, Node, Place, Step, is_literal, push_scalar, to_yaml};
use std::sync::Arc;

/// A line of YAML.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub text: String,
    pub path: Vec<Step>,
    /// Whether a value stands here; not so for the line of a key whose value follows, and for further lines of a text.
    pub is_leaf: bool,
}

/// The lines of a tree.
pub fn lines(root: &Node) -> Vec<Line> {
    let mut listing = Listing { lines: Vec::new(), path: Vec::new() };
    match &root.data {
        Data::Map(map) if !map.is_empty() => listing.entries(root, ""),
        Data::Seq(items) if !items.is_empty() => listing.entries(root, ""),
        _ => listing.value(String::new(), root, ""),
    }
    listing.lines
}

/// A tree as YAML.
pub fn yaml(root: &Node) -> String {
    lines(root).into_iter().flat_map(|line| [line.text, "\n".to_owned()]).collect()
}

/// Longest text that [`short`] shows, in characters.
const SHORT: usize = 72;

/// A scalar on one line, as YAML writes it and cut where it is long; of a mapping or list the number of entries.
pub fn short(node: &Node) -> String {
    match &node.data {
        Data::Str(text) if text.chars().count() > SHORT => {
            let cut: String = text.chars().take(SHORT - 1).collect();
            scalar(&Node { data: Data::Str(format!("{cut}…").into()), ..node.clone() })
        }
        Data::Seq(items) if !items.is_empty() => format!("[{} items]", items.len()),
        Data::Map(map) if !map.is_empty() => format!("{{{} entries}}", map.len()),
        _ => scalar(node),
    }
}

fn scalar(node: &Node) -> String {
    match &node.data {
        Data::Null => "null".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Uint(number) => number.to_string(),
        Data::Float(number) => to_yaml(&Value::Float(*number)).unwrap_or_else(|_| number.to_string()),
        Data::Str(text) => {
            let mut out = String::new();
            push_scalar(&mut out, text, Place::Block);
            out
        }
        Data::Seq(_) => "[]".to_owned(),
        Data::Map(_) => "{}".to_owned(),
    }
}

struct Listing {
    lines: Vec<Line>,
    path: Vec<Step>,
}

impl Listing {
    /// The entries of a mapping or list that has some, each starting with `indent`.
    fn entries(&mut self, node: &Node, indent: &str) {
        match &node.data {
            Data::Map(map) => {
                for (key, entry) in map.iter() {
                    let mut start = indent.to_owned();
                    push_scalar(&mut start, key, Place::Key);
                    start.push(':');
                    self.path.push(Step::Key(Arc::clone(key)));
                    let inner = if entry.value.as_map().is_some() { format!("{indent}  ") } else { indent.to_owned() };
                    self.entry(start, &entry.value, indent, &inner);
                    self.path.pop();
                }
            }
            Data::Seq(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    let first = self.lines.len();
                    match &item.data {
                        Data::Map(map) if !map.is_empty() => self.entries(item, &format!("{indent}  ")),
                        Data::Seq(inner) if !inner.is_empty() => self.entries(item, &format!("{indent}  ")),
                        _ => self.value(format!("{indent}-"), item, indent),
                    }
                    // The first line of an item shares its line with the dash.
                    if let Some(line) = self.lines.get_mut(first)
                        && line.text.as_bytes().get(indent.len()) == Some(&b' ')
                    {
                        line.text.replace_range(indent.len()..indent.len() + 1, "-");
                    }
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, start: String, node: &Node, indent: &str, inner: &str) {
        let has_entries = match &node.data {
            Data::Map(map) => !map.is_empty(),
            Data::Seq(items) => !items.is_empty(),
            _ => false,
        };
        if has_entries {
            self.lines.push(Line { text: start, path: self.path.clone(), is_leaf: false });
            self.entries(node, inner);
        } else {
            self.value(start, node, indent);
        }
    }

    /// A scalar or empty collection behind `start`.
    fn value(&mut self, start: String, node: &Node, indent: &str) {
        let start = if start.is_empty() { start } else { format!("{start} ") };
        let line = |text, is_leaf| Line { text, path: self.path.clone(), is_leaf };
        match node.as_str() {
            Some(text) if is_literal(text) && !start.is_empty() => {
                let mut lines = vec![line(format!("{start}{}", if text.ends_with('\n') { "|" } else { "|-" }), true)];
                for part in text.lines() {
                    lines.push(line(if part.is_empty() { String::new() } else { format!("{indent}  {part}") }, false));
                }
                self.lines.append(&mut lines);
            }
            _ => {
                let line = line(format!("{start}{}", scalar(node)), true);
                self.lines.push(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::FileId;
    use crate::yaml::read;

    #[test]
    fn a_tree_reads_back_in_its_order() {
        let text = "z: 1\na:\n  b: \"yes\"\n  c: []\n  d: {}\nl:\n- x: 1\n  \"y\":\n  - 1\n  - - 2\n    - 3\n- \"\"\n- null\nt: |\n  one\n\n  two\n\
                    \"on\": 1.5\nu: |-\n  a\n  b\n";
        let node = read(text, FileId(0)).first().expect("YAML");
        assert_eq!(yaml(&node), text);
    }

    #[test]
    fn lines_know_what_they_say() {
        let node = read("a:\n- b: |\n    x\n  c: 1\n", FileId(0)).first().expect("YAML");
        let lines = lines(&node);
        let shown: Vec<_> = lines.iter().map(|line| (crate::yaml::path_text(&line.path), line.is_leaf)).collect();
        let expected = [("a", false), ("a[0].b", true), ("a[0].b", false), ("a[0].c", true)];
        assert_eq!(shown, expected.map(|(path, is_leaf)| (path.to_owned(), is_leaf)));
    }
}
