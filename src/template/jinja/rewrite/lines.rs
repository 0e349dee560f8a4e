//! Lines that hold nothing but block tags or comments leave no line behind.
//!
//! minijinja's `trim_blocks` and `lstrip_blocks` are on, and tags that are to keep their blanks get a `+`. They are:
//! tags that share their line with anything else, tags of a statement of which some tag does, tags that have a
//! marker themselves, and those edges of `include`, `call` and `filter` where their output stands. The definition of a
//! macro or variable writes nothing, whatever it holds: it vanishes if nothing stands before and after all of it.

use super::tags::{Kind, Marker, Tag, inner};

/// The offsets at which a `+` is to be inserted, in order. `fragments` says that `call` and `filter` blocks stand for
/// their output at their place (in YAML templates) instead of giving lines as they come.
pub(super) fn kept_blanks(source: &str, tags: &[Tag<'_>], fragments: bool) -> Vec<usize> {
    let mut edges: Vec<Edges> =
        alone_on_lines(source, tags).into_iter().map(|alone| Edges { left: alone, right: alone }).collect();
    spread_over_statements(source, tags, &mut edges);
    let mut plus = Vec::new();
    for (tag, vanishes) in tags.iter().zip(edges) {
        if tag.kind == Kind::Expression {
            continue;
        }
        let output = fragments && matches!(tag.keyword, "call" | "filter") || tag.keyword == "include";
        let end_of_output = fragments && matches!(tag.keyword, "endcall" | "endfilter") || tag.keyword == "include";
        if tag.left == Marker::None && (!vanishes.left || output) && starts_line(source, tag.start) {
            plus.push(tag.start + 2);
        }
        if tag.right == Marker::None
            && (!vanishes.right || end_of_output)
            && matches!(source.as_bytes().get(tag.end), Some(b'\r' | b'\n'))
        {
            plus.push(tag.end - 2);
        }
    }
    plus
}

fn starts_line(source: &str, at: usize) -> bool {
    let before = &source[..at];
    let trimmed = before.trim_end_matches(|char: char| char.is_whitespace() && char != '\n' && char != '\r');
    trimmed.is_empty() || trimmed.ends_with(['\n', '\r'])
}

fn ends_line(source: &str, at: usize) -> bool {
    matches!(source.as_bytes().get(at), None | Some(b'\n' | b'\r'))
}

/// Whether a tag's line has nothing else: tags that touch each other count as one.
fn alone_on_lines(source: &str, tags: &[Tag<'_>]) -> Vec<bool> {
    let mut alone = vec![false; tags.len()];
    let mut first = 0;
    while first < tags.len() {
        let mut next = first + 1;
        while next < tags.len() && tags[next].start == tags[next - 1].end {
            next += 1;
        }
        let run = &tags[first..next];
        let bare =
            run.iter().all(|tag| tag.kind != Kind::Expression && tag.left == Marker::None && tag.right == Marker::None);
        if bare && starts_line(source, run[0].start) && ends_line(source, run[run.len() - 1].end) {
            alone[first..next].fill(true);
        }
        first = next;
    }
    alone
}

/// Whether the blanks at a tag's edges vanish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edges {
    left: bool,
    right: bool,
}

/// A statement's tags (`if`, `elif`, `else`, `endif`) vanish only together.
fn spread_over_statements(source: &str, tags: &[Tag<'_>], edges: &mut [Edges]) {
    let mut open: Vec<Vec<usize>> = Vec::new();
    for (at, tag) in tags.iter().enumerate() {
        match tag.keyword {
            "if" | "for" | "with" | "filter" | "call" | "macro" | "block" | "autoescape" | "raw" => open.push(vec![at]),
            "set" if !assigns(inner(source, tag)) => open.push(vec![at]),
            "else" | "elif" => {
                if let Some(statement) = open.last_mut() {
                    statement.push(at);
                }
            }
            word if word.starts_with("end") => {
                let mut statement = open.pop().unwrap_or_default();
                statement.push(at);
                if statement.iter().all(|&tag| edges[tag].left) {
                    continue;
                }
                statement.iter().for_each(|&tag| edges[tag] = Edges { left: false, right: false });
                let first = &tags[statement[0]];
                let defines = matches!(word, "endmacro" | "endset") && statement.len() == 2;
                let bare = first.left == Marker::None && tag.right == Marker::None;
                if defines && bare && starts_line(source, first.start) && ends_line(source, tag.end) {
                    statement.iter().for_each(|&tag| edges[tag] = Edges { left: true, right: true });
                }
            }
            _ => {}
        }
    }
}

/// Whether a `set` tag has its value in itself.
pub(super) fn assigns(tag: &str) -> bool {
    let mut depth = 0;
    let mut quote = None;
    for char in tag.chars() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(char),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, '|') => return false,
            (None, '=') if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::jinja::rewrite::tags::find;

    fn plus(source: &str) -> String {
        let mut out = source.to_owned();
        for at in kept_blanks(source, &find(source), true).into_iter().rev() {
            out.insert(at, '+');
        }
        out
    }

    #[test]
    fn only_lines_of_tags_vanish() {
        assert_eq!(plus("a: 1\n  {% if x %}\nb: 2\n{% endif %}\nc: 3"), "a: 1\n  {% if x %}\nb: 2\n{% endif %}\nc: 3");
        assert_eq!(plus("  {% if x %}b: 2{% endif %}\nc"), "  {%+ if x %}b: 2{% endif +%}\nc");
        assert_eq!(plus("a\n{%- if x %}\nb\n{% endif %}\nc"), "a\n{%- if x +%}\nb\n{%+ endif +%}\nc");
        assert_eq!(plus("k: {% if x %}\n  b: 2\n{% endif %}\nc"), "k: {% if x +%}\n  b: 2\n{%+ endif +%}\nc");
        assert_eq!(
            plus("{% if x %} {% if y %}\n{% endif %}{% endif %}\n"),
            "{%+ if x %} {% if y +%}\n{%+ endif %}{% endif +%}\n"
        );
        assert_eq!(plus("  {# c #}\n{# d #} x\n"), "  {# c #}\n{#+ d #} x\n");
        assert_eq!(plus("  {% call m() %}\n x\n  {% endcall %}\n"), "  {%+ call m() %}\n x\n  {% endcall +%}\n");
        assert_eq!(plus("  {% include 'x' %}\n"), "  {%+ include 'x' +%}\n");
        assert_eq!(
            plus("  {% macro m() %}x{% endmacro %}\n{% set a -%}\nx\n{%- endset %}\n"),
            "  {% macro m() %}x{% endmacro %}\n{% set a -%}\nx\n{%- endset %}\n"
        );
        assert_eq!(
            plus("{% set a %}\nx\n{% endset %}\n{% set b = 1 %}\n"),
            "{% set a %}\nx\n{% endset %}\n{% set b = 1 %}\n"
        );
    }
}
