//! From a chart on disk to its archive.

use super::archive::{Archive, pack};
use super::edit::set_field;
use crate::chart::{self, Chart, Files, Metadata};
use crate::diagnostic::{Code, Diagnostic, Failure, Sources};
use crate::version::Version;
use std::path::Path;

/// What a package is made with besides the chart.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Version to pack instead of the chart's own.
    pub version: Option<String>,
    pub app_version: Option<String>,
    /// Time of all entries, in seconds since the Unix epoch.
    pub modified: u64,
}

/// A chart ready to be checked and packed.
#[derive(Debug)]
pub struct Package {
    /// With the versions that were asked for.
    pub chart: Chart,
    files: Files,
    modified: u64,
}

impl Package {
    /// Reads the chart in a directory or an archive.
    pub fn load(path: &Path, options: &Options, sources: &mut Sources) -> Result<Self, Failure> {
        let mut files = chart::files(path, sources)?;
        let mut chart = chart::load(path, sources)?;
        for (field, value) in [("version", &options.version), ("appVersion", &options.app_version)] {
            if let Some(value) = value {
                set(&mut files, field, value)?;
            }
        }
        if let Some(version) = &options.version {
            chart.metadata.version.clone_from(version);
        }
        if let Some(version) = &options.app_version {
            chart.metadata.app_version.clone_from(version);
        }
        check_names(&chart.metadata)?;
        check_dependencies(&chart)?;
        let own = format!("{}-", chart.metadata.name);
        files.retain(|(path, _)| !is_own_archive(path, &own));
        Ok(Package { chart, files, modified: options.modified })
    }

    pub fn pack(self) -> std::io::Result<(Metadata, Archive)> {
        let metadata = self.chart.metadata;
        let archive = pack(&metadata.name, &metadata.version, self.files, self.modified)?;
        Ok((metadata, archive))
    }
}

fn set(files: &mut Files, field: &str, value: &str) -> Result<(), Failure> {
    let Some((_, data)) = files.iter_mut().find(|(path, _)| path == "Chart.yaml") else { return Ok(()) };
    let text = String::from_utf8_lossy(data);
    *data = set_field(&text, field, value)?.into_bytes();
    Ok(())
}

/// Names become file names and URLs, so this does not rely on what other checks let through.
fn check_names(metadata: &Metadata) -> Result<(), Failure> {
    let refuse = |message: String, hint: &str| Err(vec![Diagnostic::new(Code::InvalidChart, message).hint(hint)]);
    let name = &metadata.name;
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        return refuse(format!("{name:?} cannot be a chart's name"), "use lower-case letters, digits and dashes");
    }
    let version = &metadata.version;
    if let Err(error) = Version::parse(version) {
        return refuse(format!("{version:?} is not a version: {error}"), "versions look like `1.2.3` or `1.2.3-rc.1`");
    }
    Ok(())
}

/// Every dependency must be there, or nobody could render the package.
fn check_dependencies(chart: &Chart) -> Result<(), Failure> {
    let there = |name: &str| chart.subcharts.iter().any(|subchart| subchart.metadata.name == name);
    let missing: Vec<_> = chart.metadata.dependencies.iter().filter(|dependency| !there(&dependency.name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let failure = missing.iter().map(|dependency| {
        let message = format!("the dependency `{}` is missing in `charts/`", dependency.name);
        let diagnostic = Diagnostic::new(Code::InvalidChart, message);
        let diagnostic = match dependency.span {
            Some(span) => diagnostic.label(span, "declared here"),
            None => diagnostic,
        };
        diagnostic.hint(format!("fetch it with `chart dependency build {}`", chart.location))
    });
    Err(failure.collect())
}

/// Packages of the chart that an earlier run left in its own folder; packing them would make each package different.
fn is_own_archive(path: &str, own: &str) -> bool {
    let version = path.strip_prefix(own).map(|rest| rest.strip_suffix(".prov").unwrap_or(rest));
    version.and_then(|rest| rest.strip_suffix(".tgz")).is_some_and(|version| Version::parse(version).is_ok())
}
