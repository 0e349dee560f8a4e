//! The Test Anything Protocol, version 14.

use super::{Emitter, Report, short};

/// One test point for each thing that was checked, findings as YAML blocks below it.
#[derive(Debug, Clone, Copy)]
pub struct Tap;

impl Emitter for Tap {
    fn emit(&self, report: Report<'_>) -> String {
        let mut tap = format!("TAP version 14\n1..{}\n", report.units.len());
        for (index, unit) in report.units.iter().enumerate() {
            let status = if unit.failed() { "not ok" } else { "ok" };
            let name = unit.name.replace('\\', "\\\\").replace('#', "\\#").replace(['\n', '\r'], " ");
            tap += &format!("{status} {} - {name}\n", index + 1);
            if unit.findings.is_empty() {
                continue;
            }
            tap += "  ---\n  findings:\n";
            for finding in &unit.findings {
                // JSON strings are YAML scalars.
                let quoted = |text: &str| serde_json::Value::from(text).to_string();
                tap += &format!("    - severity: {}\n", finding.severity.as_str());
                tap += &format!("      code: {}\n", finding.code.as_str());
                tap += &format!("      message: {}\n", quoted(&short::line(finding, report.sources)));
                for (index, hint) in finding.hints.iter().enumerate() {
                    let key = if index == 0 { "      hints:\n" } else { "" };
                    tap += &format!("{key}        - {}\n", quoted(hint));
                }
            }
            tap += "  ...\n";
        }
        tap
    }
}
