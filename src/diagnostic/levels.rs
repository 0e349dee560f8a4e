//! Levels that a project sets for itself: in `chart.toml`, and by a comment at the line.

use super::{Code, Diagnostic, FileId, Level, Position, Sources, Span, nearest};
use serde::Deserialize;
use std::collections::HashMap;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    #[serde(default)]
    findings: HashMap<Spanned<String>, Spanned<String>>,
    /// The layers of values are read where they are used.
    #[serde(rename = "values")]
    _values: Option<serde::de::IgnoredAny>,
}

/// Reads the levels of a `chart.toml`:
///
/// ```toml
/// [findings]
/// deprecated-api = "deny"
/// unknown-port = "allow"
/// ```
pub fn project_levels(text: &str, file: FileId) -> Result<HashMap<Code, Level>, Vec<Diagnostic>> {
    let project: Project = toml::from_str(text).map_err(|error| {
        let span = error.span().map(|span| Span::new(file, span.start, span.end));
        let finding = Diagnostic::new(Code::InvalidProject, error.message().to_lowercase());
        vec![
            finding
                .label(span.unwrap_or(Span::new(file, 0, 0)), "")
                .hint("levels go under `[findings]`: `code = \"allow\"`"),
        ]
    })?;
    let mut levels = HashMap::new();
    let mut findings = Vec::new();
    for (name, level) in &project.findings {
        let at = |spanned: &Spanned<String>| Span::new(file, spanned.span().start, spanned.span().end);
        let Some(code) = Code::from_name(name.as_ref()) else {
            let finding = Diagnostic::new(Code::InvalidProject, format!("there is no finding `{}`", name.as_ref()));
            let finding = finding.label(at(name), "unknown code");
            findings.push(match nearest(name.as_ref(), Code::ALL.iter().map(|code| code.as_str())) {
                Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
                None => finding,
            });
            continue;
        };
        let Some(level) = level_named(level.as_ref()) else {
            let finding = Diagnostic::new(Code::InvalidProject, format!("`{}` is no level", level.as_ref()));
            findings.push(finding.label(at(level), "expected `allow`, `note`, `warn` or `deny`"));
            continue;
        };
        levels.insert(code, level);
    }
    findings.sort_by_key(|finding| finding.labels.first().map(|label| label.span));
    if findings.is_empty() { Ok(levels) } else { Err(findings) }
}

/// The level that a comment at one of a finding's places gives it: `# chart: allow unknown-field` at the end of the
/// line, or on lines of its own right above; in templates also `{# chart: allow … #}` and `{{/* chart: allow … */}}`.
/// Instead of `allow` there may be `note`, `warn` or `deny`. Several codes are separated by commas; what follows them is
/// the reason. The nearest comment counts.
pub fn level_by_comment(finding: &Diagnostic, sources: &Sources) -> Option<Level> {
    finding.labels.iter().find_map(|label| {
        let Position { line, .. } = sources.position(label.span.file, label.span.start);
        let text = |line: usize| {
            let range = sources.line_range(label.span.file, line);
            sources.text(label.span.file).get(range).unwrap_or_default()
        };
        let above = (1..line).rev().map(text).take_while(|line| is_comment(line));
        std::iter::once(text(line)).chain(above).find_map(|line| level_in(line, finding.code))
    })
}

/// What comments open with.
const OPENINGS: &[&str] = &["#", "{#", "{#-", "/*"];

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("{#") || line.starts_with("{{/*") || line.starts_with("{{- /*")
}

fn level_in(line: &str, code: Code) -> Option<Level> {
    line.match_indices("chart: ").find_map(|(at, marker)| {
        let before = line[..at].trim_end();
        let (verb, codes) = line[at + marker.len()..].split_once(' ')?;
        let level = level_named(verb)?;
        let mut codes = codes.split(',').map(|part| part.split_whitespace().next().unwrap_or_default());
        let is_comment = OPENINGS.iter().any(|opening| before.ends_with(opening));
        (is_comment && codes.any(|name| name == code.as_str())).then_some(level)
    })
}

fn level_named(name: &str) -> Option<Level> {
    match name {
        "allow" => Some(Level::Allow),
        "note" => Some(Level::Note),
        "warn" => Some(Level::Warn),
        "deny" => Some(Level::Deny),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_set_levels() {
        let levels =
            project_levels("[findings]\ndeprecated-api = \"deny\"\nunknown-field = \"allow\"\n", FileId(0)).unwrap();
        assert_eq!(levels[&Code::DeprecatedApi], Level::Deny);
        assert_eq!(levels[&Code::UnknownField], Level::Allow);
        assert!(project_levels("", FileId(0)).unwrap().is_empty());
    }

    #[test]
    fn mistakes_in_projects_are_told_at_their_place() {
        let text = "[findings]\ndepricated-api = \"deny\"\nunknown-field = \"off\"\n";
        let findings = project_levels(text, FileId(0)).unwrap_err();
        let told: Vec<_> = findings
            .iter()
            .map(|finding| {
                (
                    finding.message.as_str(),
                    &text[finding.labels[0].span.start as usize..finding.labels[0].span.end as usize],
                )
            })
            .collect();
        assert_eq!(
            told,
            [("there is no finding `depricated-api`", "depricated-api"), ("`off` is no level", "\"off\"")]
        );
        assert_eq!(findings[0].hints, ["did you mean `deprecated-api`?"]);
        assert!(project_levels("[finding]\n", FileId(0)).is_err());
        assert!(project_levels("findings = 1", FileId(0)).is_err());
    }

    #[test]
    fn comments_allow_what_they_name() {
        let text = "a: 1  # chart: allow unknown-field\n\
                    # chart: allow type-mismatch, unknown-field because of that\n# more\nb: 2\n\
                    {{/* chart: allow unknown-field */}}\nc: 3\n\
                    d: 'chart: allow unknown-field'\n\
                    # chart: allow unknown-fields\ne: 5\nf: 6  # chart: warn unknown-field\n";
        let mut sources = Sources::default();
        let file = sources.add("x.yaml", text);
        let allowed = |key: &str, code| {
            let at = text.find(key).unwrap();
            level_by_comment(&Diagnostic::new(code, "").label(Span::new(file, at, at + 1), ""), &sources)
                == Some(Level::Allow)
        };
        assert!(allowed("a: 1", Code::UnknownField));
        assert!(!allowed("a: 1", Code::TypeMismatch));
        assert!(allowed("b: 2", Code::UnknownField) && allowed("b: 2", Code::TypeMismatch));
        assert!(allowed("c: 3", Code::UnknownField));
        assert!(!allowed("d: '", Code::UnknownField));
        assert!(!allowed("e: 5", Code::UnknownField));
        let at = text.find("f: 6").unwrap();
        let finding = Diagnostic::new(Code::UnknownField, "").label(Span::new(file, at, at + 1), "");
        assert_eq!(level_by_comment(&finding, &sources), Some(Level::Warn));
    }
}
