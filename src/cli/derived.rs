//! Files that a command derives from a chart: written, printed, or compared with what is there.

use super::{Exit, Failed, Terminal};
use crate::fs;
use clap::Args;
use similar::TextDiff;
use std::path::{Path, PathBuf};

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
    /// The file of a chart; `None` stands for stdout.
    pub fn path(&self, chart: &Path, name: &str) -> Option<PathBuf> {
        match &self.output {
            Some(output) if output.as_os_str() == "-" => None,
            Some(output) => Some(chart.join(output)),
            None => Some(chart.join(name)),
        }
    }

    /// Charts that are no directories have no place for a file.
    pub fn refuse_archives(&self, charts: &[PathBuf], name: &str) -> Result<(), Failed> {
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
    pub fn deliver(&self, path: Option<&Path>, text: &str, terminal: &mut Terminal) -> Result<Exit, Failed> {
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
