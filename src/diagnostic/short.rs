//! One line for each finding: `templates/deployment.yaml:8:13: error[type-mismatch]: …`.

use super::{Diagnostic, Emitter, Report, Sources};

/// For editors and `grep`: the place is in a file that can be opened, where there is one.
#[derive(Debug, Clone, Copy)]
pub struct Short;

impl Emitter for Short {
    fn emit(&self, report: Report<'_>) -> String {
        let mut text = String::new();
        for finding in report.findings() {
            text.push_str(&line(finding, report.sources));
            text.push('\n');
        }
        text
    }
}

/// A finding on one line, with its other places in parentheses.
pub(super) fn line(finding: &Diagnostic, sources: &Sources) -> String {
    let mut line = String::new();
    let main = finding.file_label(sources).or(finding.labels.first());
    if let Some(label) = main {
        line += &sources.locate(label.span);
        line += ": ";
    }
    line += &format!("{}[{}]: {}", finding.severity.as_str(), finding.code.as_str(), finding.message);
    let others: Vec<String> = finding
        .labels
        .iter()
        .filter(|label| !main.is_some_and(|main| std::ptr::eq(main, *label)))
        .map(|label| format!("{} {}", sources.locate(label.span), label.text).trim_end().to_owned())
        .collect();
    if !others.is_empty() {
        line += &format!(" ({})", others.join("; "));
    }
    line.replace(['\n', '\r'], " ").chars().map(visible).collect()
}

/// Texts of manifests may have characters that change what a terminal does; their pictures stand for them.
pub(super) fn visible(char: char) -> char {
    match char {
        '\n' | '\t' => char,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(char)).unwrap_or(char),
        '\x7f' => '␡',
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        _ => char,
    }
}
