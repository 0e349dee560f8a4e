//! Reading and checking many files with little memory: trees live as long as their document is checked, texts of
//! files without findings are dropped.

use super::super::Failed;
use super::input::Input;
use super::parts::{Part, Parts, SIZE};
use crate::diagnostic::{Diagnostic, FileId, Severity, Sources, Unit};
use crate::manifest::documents as split;
use crate::schema::{self, Checker};
use crate::{fs, yaml};
use rayon::prelude::*;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::sync::OnceLock;

/// Files that are in memory together.
const BATCH: usize = 64;
/// Bytes of text below which threads cost more than they gain.
const WORTH_THREADS: usize = 256 << 10;

pub(super) struct Work<'a> {
    checker: &'a Checker,
    workers: Option<usize>,
    stop_at_error: bool,
    pool: OnceLock<rayon::ThreadPool>,
}

/// What came of all files.
#[derive(Default)]
pub(super) struct Outcome {
    pub checked: schema::Outcome,
    /// The source of each input, in order; fewer when it stopped at an error.
    files: Vec<FileId>,
    /// Whose text was dropped: index of the input.
    dropped: HashMap<FileId, usize>,
    /// What came from stdin and pipes, which cannot be read twice, where it was too long to keep.
    copies: HashMap<FileId, File>,
    /// Documents that are no YAML.
    pub unreadable: usize,
}

/// Texts that are checked together: the index of the input, and where the text starts in it.
#[derive(Default)]
struct Batch {
    texts: Vec<(usize, FileId, u32)>,
    size: usize,
}

/// A document: its text and where that starts in its file.
type Document<'t> = (FileId, usize, &'t str);

impl<'a> Work<'a> {
    pub fn new(checker: &'a Checker, workers: Option<usize>, stop_at_error: bool) -> Self {
        Work { checker, workers, stop_at_error, pool: OnceLock::new() }
    }

    pub fn run(&self, inputs: &[Input], sources: &mut Sources) -> Result<Outcome, Failed> {
        let mut outcome = Outcome::default();
        let mut batch = Batch::default();
        let mut space = vec![0; 64 << 10];
        for (at, input) in inputs.iter().enumerate() {
            let file = sources.add(input.name(), "");
            outcome.files.push(file);
            let mut parts = Parts::new(input.open()?, matches!(input, Input::File(_)));
            while let Some(Part { base, text, is_last }) = input.reading(parts.next(&mut space))? {
                let is_whole = base == 0 && is_last;
                if !is_whole {
                    outcome.checked_batch(self, &mut batch, inputs, sources)?;
                    outcome.dropped.insert(file, at);
                    outcome.keep(input, file, &text)?;
                }
                batch.texts.push((at, file, base));
                batch.size += text.len();
                sources.set_part(file, base, text);
                if !is_whole || self.stop_at_error || batch.texts.len() == BATCH || batch.size >= SIZE {
                    outcome.checked_batch(self, &mut batch, inputs, sources)?;
                }
            }
            let is_error = |finding: &Diagnostic| finding.severity == Severity::Error;
            if self.stop_at_error && outcome.checked.findings.iter().any(is_error) {
                break;
            }
        }
        outcome.checked_batch(self, &mut batch, inputs, sources)?;
        Ok(outcome)
    }

    fn check(&self, documents: &[Document<'_>], sources: &Sources) -> Result<Vec<(schema::Outcome, bool)>, Failed> {
        let one = |document: &Document<'_>| self.document(*document, sources);
        let size: usize = documents.iter().map(|(.., text)| text.len()).sum();
        if self.workers == Some(1) || documents.len() < 2 || size < WORTH_THREADS {
            return Ok(documents.iter().map(one).collect());
        }
        let pool = match self.pool.get() {
            Some(pool) => pool,
            None => {
                let builder = rayon::ThreadPoolBuilder::new().num_threads(self.workers.unwrap_or(0));
                let pool =
                    builder.build().map_err(|error| Failed::Other(format!("failed to start threads: {error}")))?;
                self.pool.get_or_init(|| pool)
            }
        };
        Ok(pool.install(|| documents.par_iter().map(one).collect()))
    }

    /// Checks a document; the second value says that it is no YAML.
    fn document(&self, (file, base, text): Document<'_>, sources: &Sources) -> (schema::Outcome, bool) {
        let parsed = yaml::read_part(text, base, file);
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
    /// Checks the texts of a batch, and drops those that nothing points into.
    fn checked_batch(
        &mut self,
        work: &Work<'_>,
        batch: &mut Batch,
        inputs: &[Input],
        sources: &mut Sources,
    ) -> Result<(), Failed> {
        let Batch { texts, .. } = std::mem::take(batch);
        let documents: Vec<Document<'_>> = texts
            .iter()
            .flat_map(|&(_, file, base)| {
                let text = sources.text(file);
                split(text).into_iter().map(move |range| (file, base as usize + range.start, &text[range]))
            })
            .collect();
        let results = work.check(&documents, sources)?;
        let mut told: HashSet<FileId> = HashSet::new();
        for (result, unreadable) in results {
            told.extend(result.findings.iter().flat_map(|finding| &finding.labels).map(|label| label.span.file));
            told.extend(result.waiting());
            self.unreadable += usize::from(unreadable);
            self.checked.append(result);
        }
        for (at, file, _) in texts {
            let again = matches!(inputs[at], Input::File(_)) && !told.contains(&file) && inputs.len() > BATCH;
            if again {
                self.dropped.insert(file, at);
            }
            if self.dropped.contains_key(&file) {
                sources.set_text(file, "");
            }
        }
        Ok(())
    }

    /// Keeps a part of what cannot be read twice.
    fn keep(&mut self, input: &Input, file: FileId, text: &str) -> Result<(), Failed> {
        if input.is_file() {
            return Ok(());
        }
        let copy = match self.copies.entry(file) {
            Entry::Occupied(copy) => copy.into_mut(),
            Entry::Vacant(place) => place.insert(fs::unnamed()?),
        };
        input.reading(copy.write_all(text.as_bytes()))
    }

    /// Reads the texts again of custom resources that wait for their definition.
    pub fn restore_waiting(&mut self, inputs: &[Input], sources: &mut Sources) -> Result<(), Failed> {
        let files: Vec<FileId> = self.checked.waiting().collect();
        self.restore(&files, inputs, sources)
    }

    /// Reads the texts again that findings point into.
    pub fn restore_told(&mut self, inputs: &[Input], sources: &mut Sources) -> Result<(), Failed> {
        let labels = self.checked.findings.iter().flat_map(|finding| &finding.labels);
        let files: Vec<FileId> = labels.map(|label| label.span.file).collect();
        self.restore(&files, inputs, sources)
    }

    fn restore(&mut self, files: &[FileId], inputs: &[Input], sources: &mut Sources) -> Result<(), Failed> {
        for file in files {
            let Some(at) = self.dropped.remove(file) else { continue };
            let text = match (self.copies.get_mut(file), &inputs[at]) {
                (Some(copy), input) => {
                    let mut text = String::new();
                    input.reading(copy.rewind().and_then(|()| copy.read_to_string(&mut text)))?;
                    text
                }
                (None, Input::Given(path) | Input::File(path)) => fs::read_text(path)?,
                (None, Input::Stdin) => continue,
            };
            sources.set_text(*file, text);
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
