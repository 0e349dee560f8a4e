//! `chart push`: archives and charts to a repository.

use super::package::{GateFlags, ResultFormat, report};
use super::remote::{Context, RepositoryFlags, cache};
use super::{Exit, Failed, Terminal};
use crate::diagnostic::Sources;
use crate::fs;
use crate::package::{Options, Package};
use crate::repository::{Change, Protocol, Upload};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(override_usage = "chart push [OPTIONS] ARCHIVE|CHART... URL")]
pub struct Push {
    /// Archives, or chart directories to pack on the way; then the repository: http(s)://, oci:// or file://
    #[arg(value_names = ["ARCHIVE|CHART", "URL"], num_args = 1.., required = true)]
    names: Vec<String>,
    /// What the server is, where it cannot be found out
    #[arg(long, value_name = "KIND")]
    kind: Option<ServerKind>,
    /// Path at which a ChartMuseum is mounted, where its index does not say
    #[arg(long, value_name = "PATH")]
    context_path: Option<String>,
    /// Replace a version that is there with other contents
    #[arg(short, long)]
    force: bool,
    /// Version to push a chart directory as
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// App version to push a chart directory with
    #[arg(long, value_name = "VERSION")]
    app_version: Option<String>,
    #[command(flatten)]
    gate: GateFlags,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ResultFormat,
    #[command(flatten)]
    remote: RepositoryFlags,
}

/// Servers that take charts over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServerKind {
    /// ChartMuseum's API
    Chartmuseum,
    /// Plain files: WebDAV and whatever else takes PUT; the index is put too
    #[value(alias = "webdav", alias = "http")]
    Put,
    /// Nexus, hosted Helm repository
    Nexus,
    /// Artifactory, local Helm repository
    Artifactory,
    /// GitLab package registry
    Gitlab,
    /// Gitea or Forgejo package registry
    #[value(alias = "forgejo")]
    Gitea,
}

impl From<ServerKind> for Protocol {
    fn from(kind: ServerKind) -> Self {
        match kind {
            ServerKind::Chartmuseum => Protocol::ChartMuseum,
            ServerKind::Put => Protocol::Put,
            ServerKind::Nexus => Protocol::Nexus,
            ServerKind::Artifactory => Protocol::Artifactory,
            ServerKind::Gitlab => Protocol::Gitlab,
            ServerKind::Gitea => Protocol::Gitea,
        }
    }
}

pub fn run(arguments: &Push, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let Some((url, charts)) = arguments.names.split_last().filter(|(_, charts)| !charts.is_empty()) else {
        return Err(Failed::Usage("there is nothing to push".to_owned(), Some("give charts and a URL".to_owned())));
    };
    let kind = arguments.kind.map(Protocol::from);
    let context = Context::new(&arguments.remote, &[url], cache(), terminal)?;
    let repository = context.open_as(url, kind, arguments.context_path.clone())?;
    for path in charts {
        let mut sources = Sources::default();
        if fs::is_dir(Path::new(path)) {
            let passed = arguments.gate.passes(Path::new(path), arguments.format, terminal)?;
            if passed != Exit::Success {
                return Ok(passed);
            }
        }
        let mut upload = match read(arguments, Path::new(path), &mut sources)? {
            Ok(upload) => upload,
            Err(failure) => return report(failure, &sources, arguments.format, terminal),
        };
        upload.force = arguments.force;
        let receipt = repository.publish(&upload)?;
        let what = match receipt.change {
            Change::Added => "pushed",
            Change::Same => "already there",
            Change::Replaced => "replaced",
            Change::Signed => "signed",
        };
        match arguments.format {
            ResultFormat::Human => {
                let (name, version) = (upload.name(), upload.version());
                terminal.say(format!("{what}: {name} {version} at {}", receipt.location));
                let digest = receipt.manifest_digest.unwrap_or_else(|| format!("sha256:{}", receipt.digest));
                terminal.print(format!("{} {digest}\n", receipt.location))?;
            }
            ResultFormat::Json => {
                let mut line = serde_json::json!({
                    "name": upload.name(),
                    "version": upload.version(),
                    "url": receipt.location,
                    "digest": format!("sha256:{}", receipt.digest),
                    "size": upload.data.len(),
                    "change": match receipt.change {
                        Change::Added => "added",
                        Change::Same => "same",
                        Change::Replaced => "replaced",
                        Change::Signed => "signed",
                    },
                });
                if let Some(digest) = receipt.manifest_digest {
                    line["manifestDigest"] = digest.into();
                }
                terminal.print(format!("{line}\n"))?;
            }
        }
    }
    Ok(Exit::Success)
}

/// An archive as it is, with the provenance beside it, or a directory packed.
fn read(
    arguments: &Push,
    path: &Path,
    sources: &mut Sources,
) -> Result<Result<Upload, crate::diagnostic::Failure>, Failed> {
    let now = super::remote::now();
    if !fs::is_dir(path) {
        if arguments.version.is_some() || arguments.app_version.is_some() {
            let message = "an archive is pushed as it is, with its own version".to_owned();
            return Err(Failed::Usage(message, Some("push the chart's directory, or pack it anew".to_owned())));
        }
        let context = |error: crate::repository::Error| error.context(format!("`{}`", path.display()));
        let mut upload = Upload::new(fs::read(path)?, now).map_err(context)?;
        let provenance = PathBuf::from(format!("{}.prov", path.display()));
        if fs::exists(&provenance) {
            upload.provenance = Some(fs::read(&provenance)?.into());
        }
        return Ok(Ok(upload));
    }
    let options = Options {
        version: arguments.version.clone(),
        app_version: arguments.app_version.clone(),
        modified: super::package::modified()?,
    };
    let package = match Package::load(path, &options, sources) {
        Ok(package) => package,
        Err(failure) => return Ok(Err(failure)),
    };
    let (_, archive) = package.pack().map_err(|error| Failed::Other(error.to_string()))?;
    Ok(Ok(Upload::new(archive.data, now)?))
}
