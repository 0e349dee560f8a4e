//! Comments that follow no notation.

/// The text of the lines above a value, each without its first `#`, up to where they turn into something else:
/// values that are commented out, rulers, tags.
pub(super) fn text(lines: &[&str]) -> String {
    let mut paragraphs: Vec<String> = vec![String::new()];
    for line in lines {
        let line = line.trim_start_matches('#').trim();
        if line.is_empty() || is_ruler(line) {
            if paragraphs.last().is_some_and(|last| !last.is_empty()) {
                paragraphs.push(String::new());
            }
            continue;
        }
        if is_code(line) {
            break;
        }
        if line.starts_with('@') {
            continue;
        }
        if let Some(last) = paragraphs.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            *last += line.strip_prefix("-- ").unwrap_or(line);
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n")
}

fn is_ruler(line: &str) -> bool {
    line.chars().all(|char| matches!(char, '-' | '=' | '*' | '#' | '~' | '_'))
}

/// Whether a line is YAML or a template rather than a sentence.
fn is_code(line: &str) -> bool {
    let is_name = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.' | '/' | '"' | '\''))
    };
    let key = line.strip_prefix("- ").unwrap_or(line);
    // `Note:` and `Ref: https://…` are sentences.
    let is_entry = key.split_once(':').is_some_and(|(word, rest)| {
        is_name(word)
            && !word.starts_with(|char: char| char.is_ascii_uppercase())
            && word != "ref"
            && (rest.is_empty() || rest.starts_with(' '))
    });
    is_entry
        || line.starts_with("- ") && line.len() < 40 && !line.contains(". ")
        || line.starts_with("{{")
        || line == "{}"
}
