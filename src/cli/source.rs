//! Where a chart comes from: this disk, or a repository.

use super::args::given;
use super::pull::{SourceFlags, obtain};
use super::release::Stop;
use super::remote::{RepositoryFlags, known_names};
use super::verify::KeyringFlags;
use super::{Failed, Terminal, dependency};
use crate::chart::{self, Chart};
use crate::diagnostic::Sources;
use crate::fs;
use clap::Args;
use std::path::Path;

/// How a chart that is named on the command line is found.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Chart")]
pub struct SourceArgs {
    #[command(flatten)]
    source: SourceFlags,
    /// Check the signature of the chart's archive
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    keyring: KeyringFlags,
    /// Fetch the chart's dependencies first, as `chart dependency update` does
    #[arg(long)]
    dependency_update: bool,
    #[command(flatten)]
    remote: RepositoryFlags,
}

/// Loads the chart that the user names. What is on this disk comes first, as with Helm.
pub(super) fn load(
    reference: &str,
    arguments: &SourceArgs,
    sources: &mut Sources,
    terminal: &Terminal,
) -> Result<Chart, Stop> {
    let path = Path::new(reference);
    if given(&arguments.source.repo).is_some() || (!fs::exists(path) && is_remote(reference, &arguments.remote)) {
        let fetched = obtain(reference, &arguments.source, arguments.verify, &arguments.remote, terminal)?;
        if arguments.verify {
            let file_name = format!("{}-{}.tgz", fetched.metadata.name, fetched.metadata.version);
            arguments.keyring.verify(&fetched.data, fetched.provenance.as_deref(), &file_name)?;
        }
        return Ok(chart::load_archive(&fetched.url, &fetched.data, sources)?);
    }
    arguments.remote.check_files()?;
    if arguments.verify {
        verify(path, &arguments.keyring)?;
    }
    if arguments.dependency_update {
        let head = chart::head(path, sources)?;
        dependency::bring(path, &head.metadata, true, false, None, &arguments.remote, terminal)?;
    }
    Ok(chart::load(path, sources)?)
}

/// Checks the signature of an archive on this disk: its provenance is beside it.
fn verify(path: &Path, keyring: &KeyringFlags) -> Result<(), Failed> {
    if fs::is_dir(path) {
        return Err(Failed::Usage(
            format!("`{}` is a folder, and only archives are signed", path.display()),
            Some("leave `--verify` out, or name the archive".to_owned()),
        ));
    }
    let mut provenance = path.as_os_str().to_owned();
    provenance.push(".prov");
    let provenance = if fs::exists(Path::new(&provenance)) { Some(fs::read(Path::new(&provenance))?) } else { None };
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    keyring.verify(&fs::read(path)?, provenance.as_deref(), &file_name)?;
    Ok(())
}

/// `oci://…`, `https://…`, or `NAME/chart` of a repository that `helm repo add` knows.
fn is_remote(reference: &str, flags: &RepositoryFlags) -> bool {
    let known = |name: &str| known_names(flags).iter().any(|known| known == name);
    reference.contains("://") || reference.split_once('/').is_some_and(|(name, _)| known(name))
}
