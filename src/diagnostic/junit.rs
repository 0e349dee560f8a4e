//! JUnit XML, which every CI server reads: a test case for each thing that was checked.

use super::{Emitter, Report, Severity, short};

/// One test suite; a case fails with its errors, warnings are its output.
#[derive(Debug, Clone, Copy)]
pub struct Junit;

impl Emitter for Junit {
    fn emit(&self, report: Report<'_>) -> String {
        let failures = report.units.iter().filter(|unit| unit.failed()).count();
        let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\"", report.units.len());
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"chart\" {counts}>\n"
        );
        for unit in report.units {
            xml += &format!("    <testcase classname=\"chart\" name=\"{}\"", escape(&unit.name));
            if unit.findings.is_empty() {
                xml += "/>\n";
                continue;
            }
            xml += ">\n";
            let mut output = String::new();
            for finding in &unit.findings {
                let mut text = short::line(finding, report.sources);
                for hint in &finding.hints {
                    text += &format!("\nhelp: {hint}");
                }
                if finding.severity == Severity::Error {
                    xml += &format!(
                        "      <failure type=\"{}\" message=\"{}\">{}</failure>\n",
                        finding.code.as_str(),
                        escape(&finding.message),
                        escape(&text)
                    );
                } else {
                    output += &format!("{text}\n");
                }
            }
            if !output.is_empty() {
                xml += &format!("      <system-out>{}</system-out>\n", escape(&output));
            }
            xml += "    </testcase>\n";
        }
        xml += "  </testsuite>\n</testsuites>\n";
        xml
    }
}

/// Text for an element or a quoted attribute. Characters that XML cannot hold become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' => escaped += "&#10;",
            '\t' => escaped += "&#9;",
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}
