//! Changes single fields of `Chart.yaml` and leaves every other byte as it is.

use crate::diagnostic::{Code, Diagnostic, Failure, FileId};
use crate::yaml::{self, Data, Node, Resolved, Style};

/// Sets a top-level string field of a YAML text.
pub fn set_field(text: &str, field: &str, value: &str) -> Result<String, Failure> {
    let node = yaml::read(text, FileId(0)).first().map_err(|error| vec![error.diagnostic])?;
    let refuse = |why: &str| {
        let message = format!("`{field}` of `Chart.yaml` cannot be set: {why}");
        Err(vec![Diagnostic::new(Code::InvalidChart, message).hint(format!("write `{field}: {}`", quoted(value)))])
    };
    let old: Option<&Node> = node.get(field);
    let Some(old) = old else {
        if node.style == Style::Flow || node.as_map().is_none() {
            return refuse("the file is not a mapping by lines");
        }
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return Ok(format!("{text}{end}{field}: {}\n", quoted(value)));
    };
    if matches!(old.style, Style::Literal | Style::Folded | Style::Block | Style::Flow) {
        return refuse("its value spans lines");
    }
    let range = old.span.start as usize..old.span.end as usize;
    let Some(written) = text.get(range.clone()) else { return refuse("its value cannot be found") };
    if written.contains('\n') || (old.is_null() && written.trim().is_empty()) {
        return refuse("its value is not on one line");
    }
    let value = match old.style {
        Style::DoubleQuoted => escaped(value),
        Style::SingleQuoted if !value.contains(['\'', '\n']) => format!("'{value}'"),
        _ => quoted(value),
    };
    let edited = format!("{}{value}{}", &text[..range.start], &text[range.end..]);
    // Anchors, tags and the like could make the new text read otherwise.
    let read = yaml::read(&edited, FileId(0)).first().map_err(|error| vec![error.diagnostic])?;
    match read.get(field).map(|node| &node.data) {
        Some(Data::Str(_)) => Ok(edited),
        _ => refuse("the line is not plain"),
    }
}

/// A string as a YAML scalar on one line: bare where it then reads as that string.
fn quoted(text: &str) -> String {
    let safe = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '+' | '_');
    let starts_well = text.starts_with(|char: char| char.is_ascii_alphanumeric());
    if starts_well
        && text.chars().all(safe)
        && matches!(yaml::resolve(text), Resolved::Str)
        && !yaml::is_timestamp(text)
    {
        text.to_owned()
    } else {
        escaped(text)
    }
}

/// JSON's strings are YAML's, too.
fn escaped(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, field: &str, value: &str) -> String {
        set_field(text, field, value).unwrap_or_else(|failure| format!("error: {}", failure[0].message))
    }

    #[test]
    fn only_the_value_changes() {
        let text = "# ours\nname: web\nversion: 1.0.0 # bump\nappVersion:   '1.2'\nx: |\n  version: 3\n";
        assert_eq!(set(text, "version", "2.0.0-rc.1+b"), text.replace("1.0.0 #", "2.0.0-rc.1+b #"));
        assert_eq!(set(text, "appVersion", "1.3"), text.replace("'1.2'", "'1.3'"));
        assert_eq!(set("version: \"1\"", "version", "2.0.0"), "version: \"2.0.0\"");
        assert_eq!(set("version: 1.0.0\n", "appVersion", "1.10"), "version: 1.0.0\nappVersion: \"1.10\"\n");
        assert_eq!(set("version: 1.0.0", "appVersion", "a: b\n"), "version: 1.0.0\nappVersion: \"a: b\\n\"\n");
        assert_eq!(set("appVersion: 1.0", "appVersion", "yes"), "appVersion: \"yes\"");
        assert_eq!(set("{name: web, version: 1.0.0}", "version", "2.0.0"), "{name: web, version: 2.0.0}");
    }

    #[test]
    fn what_cannot_be_changed_in_place_is_refused() {
        for text in ["{name: web}", "version: |\n  1.0.0\n", "version:\nname: web\n", "- a\n", "version: {a: b}\n"] {
            assert!(set(text, "version", "2.0.0").starts_with("error: `version`"), "{text}");
        }
    }
}
