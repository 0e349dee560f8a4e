//! `chart package`: reproducible archives of charts.

use super::args::{FindingFlags, Format};
use super::{Exit, Failed, Stream, Terminal};
use crate::diagnostic::{Failure, Sources, Unit};
use crate::fs;
use crate::package::{FIXED_TIME, Options, Package};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct PackageArgs {
    /// Chart directories
    #[arg(required = true, value_name = "CHART")]
    charts: Vec<PathBuf>,
    /// Where the archives go
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    destination: PathBuf,
    /// Version to give the package (SemVer)
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// App version to give the package
    #[arg(long, value_name = "VERSION")]
    app_version: Option<String>,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ResultFormat,
}

/// Output formats for what a command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResultFormat {
    Human,
    /// One JSON object per line
    Json,
}

impl ResultFormat {
    /// How findings are printed beside such a result.
    pub fn findings(self) -> FindingFlags {
        let format = match self {
            ResultFormat::Human => Format::Human,
            ResultFormat::Json => Format::Json,
        };
        FindingFlags { format, ..FindingFlags::default() }
    }
}

pub fn run(arguments: &PackageArgs, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let options = Options {
        version: arguments.version.clone(),
        app_version: arguments.app_version.clone(),
        modified: modified()?,
    };
    let mut exit = Exit::Success;
    for path in &arguments.charts {
        let mut sources = Sources::default();
        let package = match Package::load(path, &options, &mut sources) {
            Ok(package) => package,
            Err(failure) => {
                exit = report(failure, &sources, arguments.format, terminal)?;
                continue;
            }
        };
        let (metadata, archive) = package.pack().map_err(|error| Failed::Other(error.to_string()))?;
        fs::create_dir_all(&arguments.destination)?;
        let target = arguments.destination.join(&archive.file_name);
        fs::write(&target, &archive.data)?;
        let shown = target.strip_prefix(".").unwrap_or(&target).display().to_string();
        match arguments.format {
            ResultFormat::Human => terminal.print(format!("{shown} sha256:{}\n", archive.digest))?,
            ResultFormat::Json => {
                let line = serde_json::json!({
                    "name": metadata.name,
                    "version": metadata.version,
                    "path": shown,
                    "digest": format!("sha256:{}", archive.digest),
                    "size": archive.data.len(),
                });
                terminal.print(format!("{line}\n"))?;
            }
        }
    }
    Ok(exit)
}

/// Prints why a chart was refused.
pub fn report(
    failure: Failure,
    sources: &Sources,
    format: ResultFormat,
    terminal: &mut Terminal,
) -> Result<Exit, Failed> {
    let mut units = [Unit { name: String::new(), findings: failure }];
    terminal.report(&mut units, sources, &format.findings(), Stream::Stderr)
}

/// The time of archive entries: `SOURCE_DATE_EPOCH`, or a fixed one.
pub fn modified() -> Result<u64, Failed> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) if !text.is_empty() => text.parse().map_err(|_| {
            let hint = "give seconds since 1970, or unset it".to_owned();
            Failed::Usage(format!("SOURCE_DATE_EPOCH is `{text}`, expected a whole number"), Some(hint))
        }),
        _ => Ok(FIXED_TIME),
    }
}
