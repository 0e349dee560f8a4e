//! Workflow commands of GitHub Actions, which show findings beside the lines of a pull request.

use super::{Diagnostic, Emitter, Report, Severity, Sources, short};

/// One `::error file=…::message` line per finding.
#[derive(Debug, Clone, Copy)]
pub struct Github;

impl Emitter for Github {
    fn emit(&self, report: Report<'_>) -> String {
        report.findings().map(|finding| command(finding, report.sources)).collect()
    }
}

fn command(finding: &Diagnostic, sources: &Sources) -> String {
    let name = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let main = finding.file_label(sources);
    let mut properties = Vec::new();
    if let Some(label) = main {
        let file = sources.name(label.span.file);
        let start = sources.position(label.span.file, label.span.start);
        let end = sources.position(label.span.file, label.span.end);
        properties.push(format!("file={}", property(file.strip_prefix("./").unwrap_or(file))));
        properties.push(format!("line={},endLine={}", start.line, end.line));
        // GitHub refuses columns of places that span lines.
        if start.line == end.line {
            properties.push(format!("col={},endColumn={}", start.column, end.column));
        }
    }
    properties.push(format!("title={}", property(finding.code.as_str())));
    let mut message = finding.message.clone();
    for label in finding.labels.iter().filter(|label| !main.is_some_and(|main| std::ptr::eq(main, *label))) {
        message += format!("\n{}: {}", sources.locate(label.span), label.text).trim_end_matches([':', ' ']);
    }
    for hint in &finding.hints {
        message += &format!("\nhelp: {hint}");
    }
    format!("::{name} {}::{}\n", properties.join(","), data(&message))
}

/// The escapes of a command's text.
fn data(text: &str) -> String {
    let text: String = text.chars().map(|char| if char == '\r' { char } else { short::visible(char) }).collect();
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
