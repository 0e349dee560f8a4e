//! Files that a command derives from a chart: written, printed, or compared with what is there.

use super::args::FindingFlags;
use super::release::Stop;
use super::{Exit, Failed, Stream, Terminal, discover, project};
use crate::diagnostic::{Diagnostic, Sources, Unit};
use crate::fs;
use clap::Args;
use rayon::prelude::*;
use similar::TextDiff;
use std::path::{Path, PathBuf};

/// What a command derives for each chart.
pub struct Job<'a> {
    /// The file's usual name.
    pub file: &'a str,
    /// What is said where it is not up to date.
    pub stale: &'a str,
    pub derive: &'a (dyn Fn(&Path, &mut Sources) -> Derived + Sync),
}

/// A text and what was found on the way.
type Derived = Result<(String, Vec<Diagnostic>), Stop>;

/// What becomes of a derived file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct DerivedFlags {
    /// Where it goes, relative to the chart; `-` prints it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Change nothing: show how the file differs from what would be written, and fail if it does
    #[arg(long)]
    check: bool,
}

impl DerivedFlags {
    /// Derives the file of each chart, several at once, and writes them in their order.
    pub fn run(
        &self,
        charts: &[PathBuf],
        findings: &FindingFlags,
        job: &Job<'_>,
        terminal: &mut Terminal,
    ) -> Result<Exit, Failed> {
        let charts = discover::charts(charts, false)?;
        if charts.is_empty() {
            let way_out = "name the directory of a chart, or one that has charts below it".to_owned();
            return Err(Failed::Usage("there is no chart here".to_owned(), Some(way_out)));
        }
        self.refuse_archives(&charts, job.file)?;
        let progress = terminal.progress("deriving", charts.len());
        let derived = charts.par_iter().map(|path| {
            let mut sources = Sources::default();
            let derived = (job.derive)(path, &mut sources);
            progress.inc(1);
            (path, derived, sources)
        });
        let derived: Vec<_> = derived.collect();
        progress.finish_and_clear();
        let mut all = Sources::default();
        let mut units = Vec::new();
        let mut stale = false;
        for (path, derived, mut sources) in derived {
            let (text, found) = match derived {
                Ok((text, found)) => (Some(text), found),
                Err(Stop::Found(found)) => (None, found),
                Err(Stop::Failed(failed)) => return Err(failed),
            };
            let levels = project::levels(path, &mut sources)?;
            let mut found = findings.judge(found, levels, &sources);
            let offset = all.append(&sources);
            found.iter_mut().for_each(|finding| finding.shift(offset));
            units.push(Unit { name: path.display().to_string(), findings: found });
            if let Some(text) = text {
                let target = self.path(path, job.file);
                stale |= self.deliver(target.as_deref(), &text, terminal)? != Exit::Success;
            }
        }
        let exit = terminal.report(&mut units, &all, findings, Stream::Stderr)?;
        if stale && exit == Exit::Success {
            terminal.say(job.stale);
            return Ok(Exit::Findings);
        }
        Ok(exit)
    }

    /// The file of a chart; `None` stands for stdout.
    pub fn path(&self, chart: &Path, name: &str) -> Option<PathBuf> {
        match &self.output {
            Some(output) if output.as_os_str() == "-" => None,
            Some(output) => Some(chart.join(output)),
            None => Some(chart.join(name)),
        }
    }

    /// Charts that are no directories have no place for a file.
    fn refuse_archives(&self, charts: &[PathBuf], name: &str) -> Result<(), Failed> {
        match charts.iter().find(|chart| !fs::is_dir(chart) && self.path(chart, name).is_some()) {
            None => Ok(()),
            Some(archive) => {
                let way_out = "print it with `--output -`, or unpack the chart".to_owned();
                let message = format!("`{}` is an archive: there is nowhere to write {name}", archive.display());
                Err(Failed::Usage(message, Some(way_out)))
            }
        }
    }

    /// Writes, prints or compares; gives [`Exit::Findings`] for a file that is not up to date.
    fn deliver(&self, path: Option<&Path>, text: &str, terminal: &mut Terminal) -> Result<Exit, Failed> {
        let Some(path) = path else {
            terminal.print(text)?;
            return Ok(Exit::Success);
        };
        let before = match fs::read_text(path) {
            Ok(text) => Some(text),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        if before.as_deref() == Some(text) {
            return Ok(Exit::Success);
        }
        let shown = path.display();
        if self.check {
            let before = before.unwrap_or_default();
            let diff = TextDiff::from_lines(before.as_str(), text);
            let diff = diff.unified_diff().header(&shown.to_string(), &format!("{shown}, as derived")).to_string();
            terminal.print(diff)?;
            return Ok(Exit::Findings);
        }
        fs::write(path, text.as_bytes())?;
        terminal.say(format!("wrote {shown}"));
        Ok(Exit::Success)
    }
}
