//! `chart validate`: plain manifests against the Kubernetes schemas.

use super::{Exit, Failed, Terminal};
use crate::diagnostic::{Emitter, Human, Report, Severity, Sources, Unit};
use crate::schema::{Checker, Options};
use crate::{fs, yaml};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Validate {
    /// Files of manifests
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub fn run(arguments: &Validate, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let mut sources = Sources::default();
    let mut documents = Vec::new();
    for path in &arguments.files {
        let text = fs::read_text(path)?;
        let file = sources.add(path.to_string_lossy(), text);
        documents.extend(yaml::read(&sources.shared_text(file), file).documents);
    }
    let findings = Checker::new(Options::default()).check(&documents, &sources);
    let unit = Unit { name: String::new(), findings };
    terminal.complain(
        Human { color: terminal.color }.emit(Report { sources: &sources, units: std::slice::from_ref(&unit) }),
    );
    let failed = unit.findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if failed { Exit::Findings } else { Exit::Success })
}
