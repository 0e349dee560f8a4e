//! Fragments: pieces of YAML text that macros, captures and `toyaml` return, moved to where they are inserted.

use super::trace::Line;

/// Appends a fragment so that its least indented line starts at `column`, without blank lines around it. With
/// `inline` the first line goes on where the output stands. `lines` takes where each line went.
pub(super) fn push_shifted(
    out: &mut String,
    fragment: &str,
    column: usize,
    inline: bool,
    mut lines: Option<&mut Vec<Line>>,
) {
    let text = trim_lines(fragment);
    let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let least = text.lines().filter(|line| !line.trim_start().is_empty()).map(blanks).min().unwrap_or(0);
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let line = line.get(least.min(blanks(line))..).unwrap_or_default();
        if !(line.is_empty() || inline && at == 0) {
            push_blanks(out, column);
        }
        if let Some(lines) = &mut lines {
            let from = line.as_ptr() as usize - fragment.as_ptr() as usize;
            // With the line break, which stands behind the line in both.
            lines.push(Line { to: out.len(), from, length: line.len() + 1 });
        }
        out.push_str(line);
    }
}

/// The text without blank lines before and after, and without the last line break.
pub(super) fn trim_lines(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '\n', '\r', '\t']);
    let start = text.len() - text.trim_start_matches([' ', '\n', '\r', '\t']).len();
    match text[..start].rfind('\n') {
        Some(newline) => &text[newline + 1..],
        None => text,
    }
}

pub(super) fn push_blanks(out: &mut String, count: usize) {
    const BLANKS: &str = "                                                                ";
    let mut left = count;
    while left > 0 {
        let step = left.min(BLANKS.len());
        out.push_str(&BLANKS[..step]);
        left -= step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifted(fragment: &str, column: usize, inline: bool) -> String {
        let mut out = String::new();
        push_shifted(&mut out, fragment, column, inline, None);
        out
    }

    #[test]
    fn lines_keep_their_relative_indent() {
        assert_eq!(
            shifted("\n  a: 1\n\n  b:\n    c: |\n      x\n       y\n  ", 4, false),
            "    a: 1\n\n    b:\n      c: |\n        x\n         y"
        );
        assert_eq!(shifted("a: 1\nb: 2\n", 2, true), "a: 1\n  b: 2");
        assert_eq!(shifted("  a: 1", 0, false), "a: 1");
        assert_eq!(shifted(" \n ", 4, false), "");
    }
}
