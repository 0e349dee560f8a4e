//! `chart package`: reproducible archives of charts.

use super::args::{FindingFlags, Format};
use super::release::ClusterFlags;
use super::remote::RepositoryFlags;
use super::verify::SigningFlags;
use super::{Exit, Failed, Stream, Terminal, check, dependency};
use crate::chart;
use crate::diagnostic::{Failure, Sources, Unit};
use crate::fs;
use crate::package::{FIXED_TIME, Options, Package};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

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
    /// Fetch the dependencies first, as `chart dependency update` does
    #[arg(short = 'u', long)]
    dependency_update: bool,
    #[command(flatten)]
    gate: GateFlags,
    /// Sign the archive: write a provenance file beside it
    #[arg(long)]
    sign: bool,
    #[command(flatten)]
    signing: SigningFlags,
    #[command(flatten)]
    remote: RepositoryFlags,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ResultFormat,
}

/// Whether a chart is checked before it is packed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Checks")]
pub struct GateFlags {
    /// Pack the chart even if `chart check` would refuse it
    #[arg(long)]
    no_validate: bool,
    #[command(flatten)]
    cluster: ClusterFlags,
}

impl GateFlags {
    /// Whether a chart may be packed; what is wrong with it is printed.
    pub fn passes(&self, chart: &Path, format: ResultFormat, terminal: &mut Terminal) -> Result<Exit, Failed> {
        if self.no_validate {
            return Ok(Exit::Success);
        }
        check::gate(chart, &self.cluster, format.findings(), terminal)
    }
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
        if arguments.dependency_update {
            match chart::head(path, &mut sources) {
                Ok(chart) => {
                    dependency::bring(path, &chart.metadata, true, false, None, &arguments.remote, terminal)?;
                }
                Err(failure) => {
                    exit = report(failure, &sources, arguments.format, terminal)?;
                    continue;
                }
            }
        }
        let package = match Package::load(path, &options, &mut sources) {
            Ok(package) => package,
            Err(failure) => {
                exit = report(failure, &sources, arguments.format, terminal)?;
                continue;
            }
        };
        let passed = arguments.gate.passes(path, arguments.format, terminal)?;
        if passed != Exit::Success {
            exit = passed;
            continue;
        }
        let (metadata, archive) = package.pack().map_err(|error| Failed::Other(error.to_string()))?;
        fs::create_dir_all(&arguments.destination)?;
        let target = arguments.destination.join(&archive.file_name);
        // The signature first: an archive without one could be taken for unsigned.
        if arguments.sign {
            let provenance = arguments.signing.sign(&metadata, &archive)?;
            fs::write(&arguments.destination.join(format!("{}.prov", archive.file_name)), provenance.as_bytes())?;
        }
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
