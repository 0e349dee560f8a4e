//! `chart versions`: what a repository has of a chart.

use super::package::ResultFormat;
use super::remote::{RepositoryFlags, named};
use super::{Exit, Failed, Terminal};
use crate::repository::index::newer;
use crate::repository::{Found, Result};
use crate::version::{Constraint, Version};
use clap::Args;

#[derive(Debug, Args)]
pub struct Versions {
    /// The chart: oci://host/path/chart, https://host/charts/chart, file:///path/chart, or a name with `--repo`
    #[arg(value_name = "REF")]
    reference: String,
    /// Repository in which the chart has this name
    #[arg(long, value_name = "URL")]
    repo: Option<String>,
    /// Only versions in this range
    #[arg(long, value_name = "RANGE")]
    version: Option<String>,
    /// Prereleases too, with a range that does not name any
    #[arg(long)]
    devel: bool,
    /// How versions are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ResultFormat,
    #[command(flatten)]
    remote: RepositoryFlags,
}

pub fn run(arguments: &Versions, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let named = named(&arguments.reference, arguments.repo.as_deref(), &arguments.remote, terminal)?;
    let mut found = named.repository.versions(&named.name)?;
    if let Some(range) = &arguments.version {
        let constraint = Constraint::parse(range)
            .map_err(|error| Failed::Usage(format!("`{range}` is not a version range: {error}"), None))?;
        found.retain(|found| match Version::parse(&found.version) {
            Ok(version) if arguments.devel && version.is_prerelease() => {
                constraint.matches(&released(&version)) || constraint.matches(&version)
            }
            Ok(version) => constraint.matches(&version),
            Err(_) => false,
        });
    }
    // Some servers list what was pushed last first.
    found.sort_by(|a, b| newer(&b.version, &a.version));
    let mut text = String::new();
    for found in &found {
        text += &match arguments.format {
            ResultFormat::Human => line(found),
            ResultFormat::Json => json(found),
        }
        .map_err(|error| error.context(format!("`{}`", named.repository.location())))?;
    }
    terminal.print(text)?;
    Ok(if found.is_empty() { Exit::Findings } else { Exit::Success })
}

fn released(version: &Version) -> Version {
    let mut parts = version.parts().clone();
    parts.pre = semver::Prerelease::EMPTY;
    Version::from_parts(parts, false)
}

/// The version, and the app version where there is one.
fn line(found: &Found) -> Result<String> {
    let entry = found.entry()?;
    let deprecated = if entry.deprecated { " deprecated" } else { "" };
    let app = if entry.app_version.is_empty() { String::new() } else { format!(" (app {})", entry.app_version) };
    // Repositories write what they like, terminals do what they are told.
    let line = format!("{}{app}{deprecated}", found.version);
    Ok(line.replace(char::is_control, "\u{fffd}") + "\n")
}

fn json(found: &Found) -> Result<String> {
    let entry = found.entry()?;
    let mut json = serde_json::json!({ "name": entry.name, "version": found.version });
    let digest = if entry.digest.is_empty() { String::new() } else { format!("sha256:{}", entry.digest) };
    for (key, value) in [("appVersion", entry.app_version), ("created", entry.created), ("digest", digest)] {
        if !value.is_empty() {
            json[key] = value.into();
        }
    }
    if entry.deprecated {
        json["deprecated"] = true.into();
    }
    if let Some((_, tag)) = found.tag() {
        json["tag"] = tag.into();
    }
    Ok(format!("{json}\n"))
}
