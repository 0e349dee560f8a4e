//! `chart dependency`: what a chart is made of.

use super::package::{ResultFormat, report};
use super::remote::{self, RepositoryFlags};
use super::verify::KeyringFlags;
use super::{Exit, Failed, Terminal};
use crate::chart::{self, Chart, Metadata};
use crate::diagnostic::Sources;
use crate::fs;
use crate::repository::dependency::{Done, Job, status};
use crate::repository::{Error, Fetched, Kind, Repository, redacted};
use clap::{Args, Subcommand};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

#[derive(Debug, Args)]
pub struct DependencyArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Resolve the versions in Chart.yaml anew, fetch them and write Chart.lock
    #[command(visible_alias = "up")]
    Update(Box<Fetch>),
    /// Fetch what Chart.lock says
    Build(Box<Fetch>),
    /// List the dependencies and what is in charts/
    #[command(visible_alias = "ls")]
    List(List),
}

#[derive(Debug, Args)]
struct Fetch {
    /// Charts
    #[arg(value_name = "CHART", default_value = ".")]
    charts: Vec<PathBuf>,
    /// Ask no server: take everything from the cache
    #[arg(long)]
    offline: bool,
    /// Check the signature of every archive
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    keyring: KeyringFlags,
    #[arg(long, hide = true)]
    skip_refresh: bool,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ResultFormat,
    #[command(flatten)]
    remote: RepositoryFlags,
}

#[derive(Debug, Args)]
struct List {
    /// A chart
    #[arg(value_name = "CHART", default_value = ".")]
    chart: PathBuf,
    /// How the list is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ResultFormat,
    #[arg(long, hide = true)]
    max_col_width: Option<usize>,
}

pub fn run(arguments: &DependencyArgs, terminal: &mut Terminal) -> Result<Exit, Failed> {
    match &arguments.action {
        Action::Update(fetch) => fetch.run(true, terminal),
        Action::Build(fetch) => fetch.run(false, terminal),
        Action::List(list) => list.run(terminal),
    }
}

/// Loads a chart, or reports why it cannot be.
fn load(path: &Path, format: ResultFormat, terminal: &mut Terminal) -> Result<Result<Chart, Exit>, Failed> {
    let mut sources = Sources::default();
    match chart::head(path, &mut sources) {
        Ok(chart) => Ok(Ok(chart)),
        Err(failure) => Ok(Err(report(failure, &sources, format, terminal)?)),
    }
}

/// Brings the dependencies of a chart's directory up to date, as `chart dependency update` or `build` does.
pub fn bring(
    path: &Path,
    metadata: &Metadata,
    update: bool,
    offline: bool,
    keyring: Option<&KeyringFlags>,
    flags: &RepositoryFlags,
    terminal: &Terminal,
) -> Result<Done, Failed> {
    if !fs::is_dir(path) {
        let message = format!("`{}` is no directory, and an archive's dependencies are in it", path.display());
        return Err(Failed::Usage(message, None));
    }
    let cache = if offline { remote::cache().offline() } else { remote::cache() };
    let now = remote::now();
    let repositories: Vec<&str> =
        metadata.dependencies.iter().map(|dependency| dependency.repository.as_str()).collect();
    let context = remote::Context::new(flags, &repositories, cache.clone(), terminal)?;
    // As with Helm, a lock has the address of a repository that goes by a name, and its sum is over that.
    let mut metadata = metadata.clone();
    let written = metadata.clone();
    for dependency in &mut metadata.dependencies {
        dependency.repository = context.resolved(&dependency.repository);
    }
    let opened: Mutex<HashMap<String, Arc<dyn Repository>>> = Mutex::default();
    let open = |url: &str| -> Result<Arc<dyn Repository>, Error> {
        let mut opened = opened.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = opened.get(url) {
            return Ok(Arc::clone(known));
        }
        let repository = context.open(url)?;
        opened.insert(url.to_owned(), Arc::clone(&repository));
        Ok(repository)
    };
    let check = |file_name: &str, fetched: &Fetched| -> Result<(), Error> {
        let Some(keyring) = keyring else { return Ok(()) };
        let verified = keyring.verify(&fetched.data, fetched.provenance.as_deref(), file_name);
        verified.map(drop).map_err(|failed| Error::new(Kind::Integrity, failed.to_string()))
    };
    let job = Job {
        path,
        metadata: &metadata,
        written: &written.dependencies,
        open: &open,
        cache: &cache,
        now: &now,
        check: if keyring.is_some() { Some(&check) } else { None },
    };
    Ok(if update { job.update()? } else { job.build()? })
}

impl Fetch {
    fn run(&self, update: bool, terminal: &mut Terminal) -> Result<Exit, Failed> {
        for path in &self.charts {
            let chart = match load(path, self.format, terminal)? {
                Ok(chart) => chart,
                Err(exit) => return Ok(exit),
            };
            let keyring = self.verify.then_some(&self.keyring);
            let done = bring(path, &chart.metadata, update, self.offline, keyring, &self.remote, terminal)?;
            self.print(path, &done, terminal)?;
        }
        Ok(Exit::Success)
    }

    fn print(&self, path: &Path, done: &Done, terminal: &mut Terminal) -> Result<(), Failed> {
        if self.format == ResultFormat::Json {
            let line = serde_json::json!({
                "chart": path,
                "written": done.written,
                "kept": done.kept,
                "removed": done.removed,
                "lockChanged": done.lock_changed,
            });
            return terminal.print(format!("{line}\n"));
        }
        for name in &done.written {
            terminal.say(format!("fetched {name}"));
        }
        for name in &done.removed {
            terminal.say(format!("removed {name}"));
        }
        if done.lock_changed {
            terminal.say("wrote the lock file");
        }
        if done.written.is_empty() && done.removed.is_empty() && !done.lock_changed {
            terminal.say("nothing to do");
        }
        Ok(())
    }
}

impl List {
    fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failed> {
        let chart = match load(&self.chart, self.format, terminal)? {
            Ok(chart) => chart,
            Err(exit) => return Ok(exit),
        };
        let rows: Vec<[String; 4]> = chart
            .metadata
            .dependencies
            .iter()
            .map(|it| {
                let status = status(&self.chart, it).to_owned();
                [it.name.clone(), it.version.clone(), redacted(&it.repository), status]
            })
            .collect();
        if self.format == ResultFormat::Json {
            for [name, version, repository, status] in &rows {
                let line = serde_json::json!({
                    "name": name, "version": version, "repository": repository, "status": status,
                });
                terminal.print(format!("{line}\n"))?;
            }
            return Ok(Exit::Success);
        }
        if rows.is_empty() {
            terminal.say(format!("`{}` has no dependencies", self.chart.display()));
            return Ok(Exit::Success);
        }
        let heads = ["NAME", "VERSION", "REPOSITORY", "STATUS"].map(str::to_owned);
        let width = |at: usize| rows.iter().chain([&heads]).map(|row| row[at].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        let mut text = String::new();
        for row in std::iter::once(&heads).chain(&rows) {
            for (cell, width) in row.iter().zip(widths) {
                text += &format!("{cell:width$}  ");
            }
            text += &row[3];
            text += "\n";
        }
        terminal.print(text)?;
        Ok(Exit::Success)
    }
}
