//! helm-docs' comments: <https://github.com/norwoodj/helm-docs#valuesyaml-metadata>.

use super::Note;
use crate::yaml::Comments;
use std::collections::HashMap;

/// Lines of a description that stands apart from its value.
const MAX_LINES: usize = 200;

/// Reads the lines above a value, each without its `#`; `None` where none starts with `--`. The last one that does
/// counts.
pub(super) fn parse(lines: &[&str]) -> Option<Note> {
    // More dashes are a ruler.
    let starts = |line: &&str| line.strip_prefix(" --").is_some_and(|rest| !rest.starts_with('-'));
    let start = lines.iter().rposition(starts)?;
    let first = lines[start][3..].trim_start();
    Some(note(first, &lines[start + 1..]))
}

/// The notes that name their value, `# controller.replicas -- text`, which may stand anywhere.
pub(super) fn keyed(comments: &Comments<'_>) -> HashMap<String, Note> {
    let mut found = HashMap::new();
    let all: Vec<_> = comments.iter().filter(|comment| comment.alone).collect();
    for (at, comment) in all.iter().enumerate() {
        let Some((name, first)) = comment.text.split_once(" -- ") else { continue };
        let name = name.trim();
        if name.is_empty() || name.starts_with('-') || name.starts_with('@') {
            continue;
        }
        // What follows on the next lines, without a gap.
        let mut lines = Vec::new();
        for pair in all[at..].windows(2).take(MAX_LINES) {
            let between = comments.between(pair[0], pair[1]);
            if between.trim_matches([' ', '\t', '\r']) != "\n" {
                break;
            }
            lines.push(pair[1].text);
        }
        found.entry(name.to_owned()).or_insert_with(|| note(first.trim_start(), &lines));
    }
    found
}

fn note(first: &str, lines: &[&str]) -> Note {
    let mut note = Note { marked: true, ..Note::default() };
    let (type_name, text) = match first.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((type_name, text)) if !type_name.is_empty() => (type_name, text.trim_start()),
        _ => ("", first),
    };
    note.type_name = type_name.to_owned();
    note.description = text.to_owned();
    let mut raw = false;
    for line in lines {
        let tag =
            |name: &str| line.trim_start().strip_prefix(name)?.trim_start().strip_prefix("-- ").map(str::trim_end);
        if !raw && line.starts_with(' ') && line.trim_start().starts_with("@raw") {
            raw = true;
        } else if let Some(default) = tag("@default") {
            note.default = default.to_owned();
        } else if let Some(notation) = tag("@notationType") {
            note.notation = notation.to_owned();
        } else if let Some(section) = tag("@section") {
            note.section = section.to_owned();
        } else {
            note.description.push(if raw { '\n' } else { ' ' });
            note.description += line.strip_prefix([' ', '\t']).unwrap_or(line);
        }
    }
    if !raw {
        note.description.truncate(note.description.trim_end().len());
    }
    note
}
