//! Which values the text of a template mentions: a look at what no render has reached.
//!
//! This is no parser. It finds chains of names (`.Values.image.tag`, `values.image.tag`, `.tag`, `$image.tag`) and string
//! literals in the actions of Go and Jinja templates, and errs towards finding too many.

use std::collections::HashSet;
use std::sync::Arc;

/// What templates mention.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    /// Paths from a chart's values.
    pub(super) paths: HashSet<Vec<Arc<str>>>,
    /// Names that follow a dot anywhere else, and strings that could be keys.
    pub(super) names: HashSet<Arc<str>>,
}

impl Mentions {
    /// Adds what a template mentions.
    pub(super) fn scan(&mut self, text: &str) {
        let mut rest = text;
        while let Some(start) = rest.find(['{']) {
            let (end, body) = match rest.as_bytes().get(start + 1) {
                Some(b'{') => ("}}", start + 2),
                Some(b'%') => ("%}", start + 2),
                Some(b'#') => ("#}", start + 2),
                _ => {
                    rest = &rest[start + 1..];
                    continue;
                }
            };
            let length = rest[body..].find(end).unwrap_or(rest.len() - body);
            if end != "#}" {
                self.action(&rest[body..body + length]);
            }
            rest = &rest[(body + length + end.len()).min(rest.len())..];
        }
    }

    fn action(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        // The chain that `index` goes on from: `index .Values "a" "b"`, `values["a"]`.
        let mut open: Option<Vec<Arc<str>>> = None;
        while at < bytes.len() {
            match bytes[at] {
                quote @ (b'"' | b'\'' | b'`') => {
                    let end = string_end(bytes, at, quote);
                    let content = text.get(at + 1..end).unwrap_or_default();
                    self.string(content, &mut open);
                    at = end + 1;
                }
                b'.' | b'$' | b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                    let start = at;
                    while at < bytes.len() && is_chain(bytes[at]) {
                        at += 1;
                    }
                    open = self.chain(&text[start..at], start > 0 && matches!(bytes[start - 1], b')' | b']'));
                }
                byte => {
                    if !matches!(byte, b' ' | b'[' | b']' | b'\t' | b'\n') {
                        open = None;
                    }
                    at += 1;
                }
            }
        }
    }

    fn string(&mut self, content: &str, open: &mut Option<Vec<Arc<str>>>) {
        if content.contains("{{") {
            self.scan(content);
        }
        if content.is_empty() || content.len() > 64 || content.contains(['{', '\n', ' ']) {
            return;
        }
        for part in content.split('.') {
            self.names.insert(part.into());
        }
        self.names.insert(content.into());
        if let Some(path) = open {
            path.push(content.into());
            self.paths.insert(path.clone());
        }
    }

    /// A chain of names. Gives the path if it starts at the values.
    fn chain(&mut self, text: &str, goes_on: bool) -> Option<Vec<Arc<str>>> {
        let mut parts = text.trim_end_matches('.').split('.');
        let is_values = |part: &str| part == "Values" || part == "values";
        if parts.clone().any(is_values) && !goes_on {
            let path: Vec<Arc<str>> =
                parts.by_ref().skip_while(|part| !is_values(part)).skip(1).map(Arc::from).collect();
            self.paths.insert(path.clone());
            return Some(path);
        }
        // The first part is a variable, a function, or empty before a dot.
        if !goes_on {
            parts.next();
        }
        self.names.extend(parts.filter(|part| !part.is_empty()).map(Arc::from));
        None
    }
}

fn is_chain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$') || byte >= 0x80
}

fn string_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' && quote != b'`' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_mention_paths_and_names() {
        let mut mentions = Mentions::default();
        mentions.scan(
            "a: .Values.not.this\n{{- with .Values.image }}{{ .tag | default $.Values.appVersion }}{{ end }}\n\
             {{ index .Values \"a-b\" \"c\" }} {{ include \"x.y\" (dict \"context\" $ \"v\" .context.Values.deep.er) }}\n\
             {{ (.Values.p).q }} {{ hasKey .Values.h \"key\" }} {# values.comment #}{% if values.jinja.on %}{{ values[\"k\"] }}{% endif %}\n\
             {{ tpl \"{{ .Values.inner }}\" . }}{{ toYaml .Values }}",
        );
        let mut paths: Vec<String> = mentions.paths.iter().map(|path| path.join("/")).collect();
        paths.sort();
        let expected =
            ["", "a-b", "a-b/c", "appVersion", "deep/er", "h", "h/key", "image", "inner", "jinja/on", "k", "p"];
        assert_eq!(paths, expected);
        for name in ["tag", "q", "key"] {
            assert!(mentions.names.contains(name), "{name}");
        }
        for name in ["Values", "not", "comment"] {
            assert!(!mentions.names.contains(name), "{name}");
        }
    }
}
