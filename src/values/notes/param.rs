//! Bitnami's comments: <https://github.com/bitnami/readme-generator-for-helm#valuesyaml-metadata>.

use super::Note;
use crate::yaml::Comments;
use std::collections::HashMap;

/// Adds the notes of `@param`, `@extra` and `@skip`. A section holds for the parameters after it.
pub(super) fn keyed(comments: &Comments<'_>, found: &mut HashMap<String, Note>) {
    let mut section = "";
    for comment in comments.iter().filter(|comment| comment.alone) {
        let text = comment.text.trim_start_matches('#').trim();
        let Some((tag, rest)) = text.split_once(char::is_whitespace) else { continue };
        let rest = rest.trim_start();
        match tag {
            "@section" if !rest.starts_with("-- ") => section = rest,
            "@param" | "@extra" => {
                let (path, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                let note = Note { section: section.to_owned(), ..note(rest.trim_start()) };
                found.entry(path.to_owned()).or_insert(note);
            }
            "@skip" => {
                let path = rest.split_whitespace().next().unwrap_or_default();
                found.entry(path.to_owned()).or_insert(Note { ignored: true, ..Note::default() });
            }
            _ => {}
        }
    }
}

/// `[string, nullable] What it is for`.
fn note(text: &str) -> Note {
    let mut note = Note { marked: true, ..Note::default() };
    let (modifiers, text) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((modifiers, text)) => (modifiers, text.trim_start()),
        None => ("", text),
    };
    for modifier in modifiers.split(',').map(str::trim).filter(|modifier| !modifier.is_empty()) {
        match modifier.split_once(':') {
            Some(("default", value)) => note.default = format!("`{}`", value.trim()),
            _ if modifier == "nullable" => note.nullable = true,
            _ => note.type_name = modifier.to_owned(),
        }
    }
    note.description = text.to_owned();
    note
}
