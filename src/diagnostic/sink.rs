//! Collects findings, applies levels, and puts them in a stable order.

use super::{Code, Diagnostic, Level, Severity};
use std::collections::HashMap;

/// Findings of a run. Level overrides apply as findings come in.
#[derive(Debug, Clone, Default)]
pub struct Sink {
    findings: Vec<Diagnostic>,
    levels: HashMap<Code, Level>,
}

impl Sink {
    pub fn new(levels: HashMap<Code, Level>) -> Self {
        Sink { findings: Vec::new(), levels }
    }

    pub fn push(&mut self, diagnostic: Diagnostic) {
        match self.levels.get(&diagnostic.code) {
            Some(&level) => return self.push_at(diagnostic, level),
            None if diagnostic.code.default_level() == Level::Allow => return,
            None => {}
        }
        self.findings.push(diagnostic);
    }

    /// Adds a finding at a level of its own.
    pub fn push_at(&mut self, mut diagnostic: Diagnostic, level: Level) {
        if let Some(severity) = level.severity() {
            diagnostic.severity = severity;
            self.findings.push(diagnostic);
        }
    }

    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The findings by place, each once: on whichever way it was reached first.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.findings.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.labels.first().map(|label| label.span), d.code);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        self.findings.dedup_by(|a, b| (a.code, &a.message, &a.labels) == (b.code, &b.message, &b.labels));
        self.findings
    }
}
