//! SARIF 2.1.0, which code scanning services read.

use super::{Code, Diagnostic, Emitter, Kind, Label, Report, Severity, Sources};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One SARIF log with one run.
#[derive(Debug, Clone, Copy)]
pub struct Sarif;

impl Emitter for Sarif {
    fn emit(&self, report: Report<'_>) -> String {
        let rules: Vec<Value> = Code::ALL.iter().copied().map(rule).collect();
        let results: Vec<Value> = report.findings().map(|finding| result(finding, report.sources)).collect();
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "chart", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules } },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        });
        let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.about() },
        "defaultConfiguration": { "level": code.default_level().severity().map_or("none", level) },
    })
}

fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

fn result(finding: &Diagnostic, sources: &Sources) -> Value {
    let main = finding.file_label(sources);
    let mut message = finding.message.clone();
    for hint in &finding.hints {
        message += &format!("\nhelp: {hint}");
    }
    let related: Vec<Value> = finding
        .labels
        .iter()
        .filter(|label| !main.is_some_and(|main| std::ptr::eq(main, *label)))
        .filter_map(|label| location(label, sources))
        .collect();
    let mut result = json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": Code::ALL.iter().position(|code| *code == finding.code),
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": main.and_then(|label| location(label, sources)).into_iter().collect::<Vec<_>>(),
        "partialFingerprints": { "chartFinding/v1": fingerprint(finding, main, sources) },
    });
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    if let Some(rendered) = finding.labels.iter().find(|label| sources.kind(label.span.file) != Kind::File) {
        result["properties"] = json!({ "rendered": sources.locate(rendered.span) });
    }
    result
}

/// A place in a file; rendered text is no artifact that a viewer could open.
fn location(label: &Label, sources: &Sources) -> Option<Value> {
    if sources.kind(label.span.file) != Kind::File {
        return None;
    }
    let start = sources.position(label.span.file, label.span.start);
    let end = sources.position(label.span.file, label.span.end.max(label.span.start));
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(sources.name(label.span.file)) },
            "region": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        },
    });
    if !label.text.is_empty() {
        location["message"] = json!({ "text": label.text });
    }
    Some(location)
}

/// Stays the same when lines move: code, file and message.
fn fingerprint(finding: &Diagnostic, main: Option<&Label>, sources: &Sources) -> String {
    let file = main.map_or("", |label| sources.name(label.span.file));
    let digest = Sha256::digest(format!("{}\0{file}\0{}", finding.code.as_str(), finding.message));
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}
