//! Finds the tags of a template: `{{ … }}`, `{% … %}` and `{# … #}`, as minijinja's lexer delimits them.

use super::Problem;

/// What a tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Expression,
    Block,
    Comment,
}

/// How a tag treats the blanks beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    None,
    /// `-`: they are removed.
    Remove,
    /// `+`: they stay.
    Keep,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'s> {
    pub(super) kind: Kind,
    /// Byte range with delimiters.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) left: Marker,
    pub(super) right: Marker,
    /// The first word of a block tag: `if`, `endfor`.
    pub(super) keyword: &'s str,
}

/// All tags in order. Stops at a tag that does not end: parsing says so.
pub(super) fn find(source: &str) -> Vec<Tag<'_>> {
    let bytes = source.as_bytes();
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(brace) = memchr::memchr(b'{', &bytes[at..]).map(|found| at + found) {
        let kind = match bytes.get(brace + 1) {
            Some(b'{') => Kind::Expression,
            Some(b'%') => Kind::Block,
            Some(b'#') => Kind::Comment,
            _ => {
                at = brace + 1;
                continue;
            }
        };
        let Some(tag) = read(source, brace, kind) else { break };
        at = tag.end;
        tags.push(tag);
        if tag.keyword == "raw" && inner(source, &tag).trim() == "raw" {
            let Some(end) = end_of_raw(source, at) else { break };
            at = end.end;
            tags.push(end);
        }
    }
    tags
}

/// The first block that is not closed, or the first end that closes nothing.
pub(super) fn unbalanced(source: &str, tags: &[Tag<'_>]) -> Option<Problem> {
    let mut open: Vec<&Tag<'_>> = Vec::new();
    for tag in tags {
        match tag.keyword {
            "if" | "for" | "with" | "filter" | "call" | "macro" | "block" | "autoescape" | "raw" => open.push(tag),
            "set" if !super::lines::assigns(inner(source, tag)) => open.push(tag),
            word if word.starts_with("end") && word.len() > 3 => {
                let opened = open.pop();
                if opened.is_none_or(|opened| opened.keyword != &word[3..]) {
                    let problem = match opened {
                        Some(opened) => Problem::new(
                            opened.start..opened.end,
                            format!("`{}` is opened here, but `{word}` closes it", opened.keyword),
                        )
                        .hint(format!("add `{{% end{} %}}` before `{{% {word} %}}`", opened.keyword)),
                        None => Problem::new(tag.start..tag.end, format!("`{word}` closes nothing"))
                            .hint(format!("remove it, or open the block with `{{% {} … %}}`", &word[3..])),
                    };
                    return Some(problem);
                }
            }
            _ => {}
        }
    }
    open.pop().map(|tag| {
        Problem::new(tag.start..tag.end, format!("`{}` is opened here and never closed", tag.keyword))
            .hint(format!("add `{{% end{} %}}`", tag.keyword))
    })
}

/// The text between a block tag's delimiters and markers.
pub(super) fn inner<'s>(source: &'s str, tag: &Tag<'_>) -> &'s str {
    let left = 2 + usize::from(tag.left != Marker::None);
    let right = 2 + usize::from(tag.right != Marker::None);
    source.get(tag.start + left..tag.end - right).unwrap_or_default()
}

fn marker(byte: Option<&u8>) -> Marker {
    match byte {
        Some(b'-') => Marker::Remove,
        Some(b'+') => Marker::Keep,
        _ => Marker::None,
    }
}

fn read(source: &str, start: usize, kind: Kind) -> Option<Tag<'_>> {
    let bytes = source.as_bytes();
    let left = marker(bytes.get(start + 2));
    let from = start + 2 + usize::from(left != Marker::None);
    let (end, right) = match kind {
        Kind::Comment => {
            let close = memchr::memmem::find(&bytes[from..], b"#}")? + from;
            (close + 2, if close > from { marker(bytes.get(close - 1)) } else { Marker::None })
        }
        Kind::Expression => close(bytes, from, b"}}")?,
        Kind::Block => close(bytes, from, b"%}")?,
    };
    let keyword = if kind == Kind::Block { word(source.get(from..end)?) } else { "" };
    Some(Tag { kind, start, end, left, right, keyword })
}

fn word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(text.len());
    &text[..end]
}

/// The end of a tag whose content starts at `at`, and its right marker.
fn close(bytes: &[u8], mut at: usize, delimiter: &[u8; 2]) -> Option<(usize, Marker)> {
    let mut depth = 0i32;
    loop {
        let byte = *bytes.get(at)?;
        if depth == 0 {
            if bytes[at..].starts_with(delimiter) {
                return Some((at + 2, Marker::None));
            }
            if matches!(byte, b'-' | b'+') && bytes[at + 1..].starts_with(delimiter) {
                return Some((at + 3, marker(Some(&byte))));
            }
        }
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b'"' | b'\'' => {
                at += 1;
                while *bytes.get(at)? != byte {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The `{% endraw %}` after `from`.
fn end_of_raw(source: &str, from: usize) -> Option<Tag<'_>> {
    let bytes = source.as_bytes();
    let mut at = from;
    loop {
        let start = memchr::memmem::find(&bytes[at..], b"{%")? + at;
        let tag = read(source, start, Kind::Block);
        match tag {
            Some(tag) if tag.keyword == "endraw" => return Some(tag),
            _ => at = start + 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_end_where_the_lexer_ends_them() {
        let source = "a {{- {'x': '}}'}['x'] -}} {%+ if a == \"%}\" %}{# c -#} {% raw %}{{ x }}{%- endraw %}{{ y }}";
        let found: Vec<_> = find(source).iter().map(|tag| (&source[tag.start..tag.end], tag.left, tag.right)).collect();
        assert_eq!(
            found,
            [
                ("{{- {'x': '}}'}['x'] -}}", Marker::Remove, Marker::Remove),
                ("{%+ if a == \"%}\" %}", Marker::Keep, Marker::None),
                ("{# c -#}", Marker::None, Marker::Remove),
                ("{% raw %}", Marker::None, Marker::None),
                ("{%- endraw %}", Marker::Remove, Marker::None),
                ("{{ y }}", Marker::None, Marker::None),
            ]
        );
        assert!(find("{{ a").is_empty());
        assert!(find("{% raw %}{{ x }}").len() == 1);
    }
}
