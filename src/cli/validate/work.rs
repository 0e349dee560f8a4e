//! Reading and checking many files with little memory: trees live as long as their document is checked, texts of
//! files without findings are dropped.

use super::super::Failed;
use super::input::Input;
use crate::diagnostic::{Diagnostic, FileId, Severity, Sources, Unit};
use crate::manifest::documents as split;
use crate::schema::{self, Checker};
use crate::{fs, yaml};
use rayon::prelude::*;
use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;

/// Files that are in memory together.
const BATCH: usize = 64;
/// Bytes of text below which threads cost more than they gain.
const WORTH_THREADS: usize = 256 << 10;

pub(super) struct Work<'a> {
    pub checker: &'a Checker,
    pub workers: Option<usize>,
    pub stop_at_error: bool,
}

/// What came of all files.
#[derive(Default)]
pub(super) struct Outcome {
    pub checked: schema::Outcome,
    /// The source of each input, in order; fewer when it stopped at an error.
    files: Vec<FileId>,
    /// Whose text was dropped: index of the input.
    dropped: HashMap<FileId, usize>,
    /// Documents that are no YAML.
    pub unreadable: usize,
}

impl Work<'_> {
    pub fn run(&self, inputs: &[Input], sources: &mut Sources) -> Result<Outcome, Failed> {
        let mut outcome = Outcome::default();
        let batch = if self.stop_at_error { 1 } else { BATCH };
        for batch in inputs.chunks(batch) {
            let first = outcome.files.len();
            let mut documents = Vec::new();
            for input in batch {
                let text = read(input)?;
                let file = sources.add(input.name(), text);
                outcome.files.push(file);
                documents.extend(split(sources.text(file)).into_iter().map(|range| (file, range)));
            }
            let results = self.check(&documents, sources)?;
            let mut told = Vec::new();
            for (result, unreadable) in results {
                told.extend(result.findings.iter().flat_map(|finding| &finding.labels).map(|label| label.span.file));
                outcome.unreadable += usize::from(unreadable);
                outcome.checked.append(result);
            }
            for (at, input) in batch.iter().enumerate() {
                let file = outcome.files[first + at];
                if matches!(input, Input::File(_)) && !told.contains(&file) && inputs.len() > BATCH {
                    sources.set_text(file, "");
                    outcome.dropped.insert(file, first + at);
                }
            }
            if self.stop_at_error && outcome.checked.findings.iter().any(|finding| finding.severity == Severity::Error)
            {
                break;
            }
        }
        Ok(outcome)
    }

    fn check(
        &self,
        documents: &[(FileId, Range<usize>)],
        sources: &Sources,
    ) -> Result<Vec<(schema::Outcome, bool)>, Failed> {
        let one = |(file, range): &(FileId, Range<usize>)| self.document(*file, range.clone(), sources);
        let size: usize = documents.iter().map(|(_, range)| range.len()).sum();
        if self.workers == Some(1) || documents.len() < 2 || size < WORTH_THREADS {
            return Ok(documents.iter().map(one).collect());
        }
        let mut builder = rayon::ThreadPoolBuilder::new();
        if let Some(workers) = self.workers {
            builder = builder.num_threads(workers);
        }
        let pool = builder.build().map_err(|error| Failed::Other(format!("failed to start threads: {error}")))?;
        Ok(pool.install(|| documents.par_iter().map(one).collect()))
    }

    /// Checks a document; the second value says that it is no YAML.
    fn document(&self, file: FileId, range: Range<usize>, sources: &Sources) -> (schema::Outcome, bool) {
        let parsed = yaml::read_range(sources.text(file), range, file);
        let mut outcome = schema::Outcome::default();
        outcome.findings.extend(parsed.findings);
        for document in &parsed.documents {
            self.checker.look(document, sources, &mut outcome);
        }
        let unreadable = parsed.error.is_some();
        outcome.findings.extend(parsed.error.map(|error| error.diagnostic));
        (outcome, unreadable)
    }
}

impl Outcome {
    /// Reads the texts again that late findings point into.
    pub fn restore(&mut self, inputs: &[Input], sources: &mut Sources) -> Result<(), Failed> {
        for label in self.checked.findings.iter().flat_map(|finding| &finding.labels) {
            if let Some(at) = self.dropped.remove(&label.span.file) {
                sources.set_text(label.span.file, read(&inputs[at])?);
            }
        }
        Ok(())
    }

    /// The findings by file, each file once.
    pub fn units(&self, findings: Vec<Diagnostic>, sources: &Sources) -> Vec<Unit> {
        let mut units: Vec<Unit> =
            self.files.iter().map(|file| Unit { name: sources.name(*file).to_owned(), findings: Vec::new() }).collect();
        let at: HashMap<FileId, usize> = self.files.iter().enumerate().map(|(at, file)| (*file, at)).collect();
        for finding in findings {
            let unit = finding.labels.first().and_then(|label| at.get(&label.span.file)).copied().unwrap_or_default();
            if let Some(unit) = units.get_mut(unit) {
                unit.findings.push(finding);
            }
        }
        units
    }
}

fn read(input: &Input) -> Result<String, Failed> {
    match input {
        Input::File(path) => Ok(fs::read_text(path)?),
        Input::Stdin => {
            let mut text = String::new();
            let read = std::io::stdin().lock().read_to_string(&mut text);
            read.map_err(|error| Failed::Other(format!("failed to read stdin: {error}")))?;
            Ok(text)
        }
    }
}
