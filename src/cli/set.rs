//! `chart set`: edits a values file in place.

use super::args::{FindingFlags, ValuesFlags};
use super::release::Stop;
use super::{Exit, Failed, Stream, Terminal, layers};
use crate::chart;
use crate::diagnostic::{Severity, Sources, Unit};
use crate::fs;
use crate::values::{Assignments, Flag, Layout, edit};
use crate::yaml::path_text;
use clap::Args;
use similar::TextDiff;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The bytes that some editors put before UTF-8.
const BOM: char = '\u{feff}';

#[derive(Debug, Args)]
pub struct Set {
    /// A values file; a chart, for its values.yaml or the layer that --env and the like choose; or stdin (`-`)
    #[arg(value_name = "FILE|CHART")]
    target: PathBuf,
    /// What to set: `image.tag=v2`; `path=null` removes
    #[arg(value_name = "PATH=VALUE")]
    values: Vec<String>,
    /// Values that are strings, whatever they look like
    #[arg(long, value_name = "PATH=VALUE")]
    set_string: Vec<String>,
    /// Values as JSON: `PATH=JSON` or an object; `null` is written
    #[arg(long, value_name = "PATH=JSON")]
    set_json: Vec<String>,
    /// Values that are the texts of files
    #[arg(long, value_name = "PATH=FILE")]
    set_file: Vec<String>,
    /// A string value, taken as it stands to the end
    #[arg(long, value_name = "PATH=VALUE")]
    set_literal: Vec<String>,
    /// Remove the value at this path
    #[arg(long, value_name = "PATH")]
    unset: Vec<String>,
    /// Print what changes as a diff
    #[arg(long)]
    diff: bool,
    /// Print what would change as a diff, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Edit the values file that chart.toml names for this environment
    #[arg(long, value_name = "NAME", help_heading = "Layer")]
    env: Option<String>,
    /// The same for a region
    #[arg(long, value_name = "NAME", help_heading = "Layer")]
    region: Option<String>,
    /// The same for a service
    #[arg(long, value_name = "NAME", help_heading = "Layer")]
    service: Option<String>,
    /// The same for any other name in the layers of chart.toml
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Layer")]
    choose: Vec<String>,
}

pub fn run(arguments: &Set, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let mut sources = Sources::default();
    match arguments.set(&mut sources, terminal) {
        Ok(()) => Ok(Exit::Success),
        Err(Stop::Failed(failed)) => Err(failed),
        Err(Stop::Found(mut findings)) => {
            findings.iter_mut().for_each(|finding| finding.severity = Severity::Error);
            let mut units = [Unit { name: arguments.target.display().to_string(), findings }];
            terminal.report(&mut units, &sources, &FindingFlags::default(), Stream::Stderr)
        }
    }
}

impl Set {
    fn set(&self, sources: &mut Sources, terminal: &mut Terminal) -> Result<(), Stop> {
        let assignments = self.assignments();
        if assignments.arguments.is_empty() && assignments.unset.is_empty() {
            let way_out = "give a path and a value: `image.tag=v2`".to_owned();
            return Err(Failed::Usage("there is nothing to set".to_owned(), Some(way_out)).into());
        }
        let file = self.file(sources)?;
        let is_stdin = self.target == Path::new("-");
        // A chart may lack a values file; a misspelt name is an error.
        let exists = is_stdin || file == self.target || fs::exists(&file);
        let whole = match exists {
            true if is_stdin => stdin()?,
            true => fs::read_text(&file)?,
            false => String::new(),
        };
        let text = whole.strip_prefix(BOM).unwrap_or(&whole);
        let name = if is_stdin { "<stdin>".to_owned() } else { file.display().to_string() };
        let source = sources.add(name.as_str(), text);
        let is_json = file.extension().is_some_and(|extension| extension == "json");
        let edited = edit(source, &assignments, is_json, sources, &mut layers::read_text)?;
        for path in &edited.missing {
            terminal.say(format!("note: `{}` is not set in {name}: there is nothing to remove", path_text(path)));
        }
        if self.diff || self.dry_run {
            terminal.print(diff(&name, text, &edited.text))?;
        }
        if is_stdin {
            return if self.diff || self.dry_run { Ok(()) } else { Ok(terminal.print(edited.text)?) };
        }
        if edited.text == text {
            terminal.say(format!("{name} is as asked already"));
            return Ok(());
        }
        let paths: Vec<String> = edited.changed.iter().map(|path| path_text(path)).collect();
        if self.dry_run {
            terminal.say(format!("would set {} in {name}", paths.join(", ")));
            return Ok(());
        }
        let bom = if text.len() < whole.len() { BOM.to_string() } else { String::new() };
        let bytes = (bom + &edited.text).into_bytes();
        if exists {
            fs::rewrite(&file, &bytes)?;
        } else {
            fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
            fs::write(&file, &bytes)?;
        }
        terminal.say(format!("set {} in {name}", paths.join(", ")));
        Ok(())
    }

    fn assignments(&self) -> Assignments {
        let flags = [
            (Flag::Set, &self.values),
            (Flag::SetString, &self.set_string),
            (Flag::SetJson, &self.set_json),
            (Flag::SetFile, &self.set_file),
            (Flag::SetLiteral, &self.set_literal),
        ];
        let arguments = flags.iter().flat_map(|(flag, texts)| texts.iter().map(|text| (*flag, text.clone())));
        Assignments { arguments: arguments.collect(), unset: self.unset.clone() }
    }

    /// The file to edit.
    fn file(&self, sources: &mut Sources) -> Result<PathBuf, Stop> {
        let flags = ValuesFlags {
            env: self.env.clone(),
            region: self.region.clone(),
            service: self.service.clone(),
            choose: self.choose.clone(),
            ..ValuesFlags::default()
        };
        let choice = flags.choice()?;
        if !fs::is_dir(&self.target) {
            if !choice.is_empty() {
                let message = format!("`{}` is a file, so there is no layer to choose", self.target.display());
                return Err(Failed::Usage(message, Some("give the chart instead".to_owned())).into());
            }
            return Ok(self.target.clone());
        }
        let chart = chart::head(&self.target, sources)?;
        if choice.is_empty() {
            return Ok(self.target.join("values.yaml"));
        }
        let Some(layout) = Layout::find(&self.target, sources)? else {
            let message =
                format!("there is no chart.toml for `{}` that says which file this is", self.target.display());
            return Err(Failed::Usage(message, Some("name the values file instead of the chart".to_owned())).into());
        };
        Ok(layout.file_for(&choice, &chart.metadata.name)?)
    }
}

fn stdin() -> Result<String, Failed> {
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| Failed::Other(format!("failed to read values from stdin: {error}")))?;
    Ok(text)
}

/// What changes, in the form that `patch` reads.
fn diff(name: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().header(name, name).to_string()
}
