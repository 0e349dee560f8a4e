//! `chart pull`: archives from repositories.

use super::package::ResultFormat;
use super::remote::{Named, RepositoryFlags, archive_at, cache, named};
use super::verify::KeyringFlags;
use super::{Exit, Failed, Terminal};
use crate::chart::archive;
use crate::fs;
use crate::repository::resolve::{fetch, find};
use crate::repository::{Error, Fetched, Found, Kind, Wanted, redacted};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Pull {
    /// The chart: oci://host/path/chart[:version][@sha256:…], https://host/charts/chart, an archive's URL, or a name
    /// with `--repo`
    #[arg(value_name = "REF", required = true)]
    references: Vec<String>,
    #[command(flatten)]
    source: SourceFlags,
    /// Where the archive goes
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    destination: PathBuf,
    /// Unpack the archive instead of keeping it
    #[arg(long)]
    untar: bool,
    /// With `--untar`: unpack into this directory, under the destination
    #[arg(long, value_name = "DIR", default_value = ".")]
    untardir: PathBuf,
    /// Fetch the provenance file too
    #[arg(long)]
    prov: bool,
    /// Check the signature before anything is written
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    keyring: KeyringFlags,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ResultFormat,
    #[command(flatten)]
    remote: RepositoryFlags,
}

/// Which version of a chart, and from where.
#[derive(Debug, Clone, Default, Args)]
pub struct SourceFlags {
    /// Repository in which the chart has this name
    #[arg(long, value_name = "URL")]
    pub repo: Option<String>,
    /// Version, or a range such as `^1.2` (default: the newest)
    #[arg(long, value_name = "RANGE")]
    pub version: Option<String>,
    /// Take prereleases too: the same as `--version '>0.0.0-0'`
    #[arg(long)]
    pub devel: bool,
}

pub fn run(arguments: &Pull, terminal: &mut Terminal) -> Result<Exit, Failed> {
    for reference in &arguments.references {
        let with_provenance = arguments.prov || arguments.verify;
        let fetched = obtain(reference, &arguments.source, with_provenance, &arguments.remote, terminal)?;
        let file_name = format!("{}-{}.tgz", fetched.metadata.name, fetched.metadata.version);
        if arguments.verify {
            let signer = arguments.keyring.verify(&fetched.data, fetched.provenance.as_deref(), &file_name)?;
            terminal.say(format!("{signer}"));
        }
        fs::create_dir_all(&arguments.destination)?;
        let target = if arguments.untar {
            let into = arguments.destination.join(&arguments.untardir);
            // Without `.` in the middle, which messages would show.
            untar(&fetched, &into.components().collect::<PathBuf>())?
        } else {
            let target = arguments.destination.join(&file_name);
            fs::write(&target, &fetched.data)?;
            target
        };
        if arguments.prov {
            match &fetched.provenance {
                Some(provenance) => fs::write(&arguments.destination.join(format!("{file_name}.prov")), provenance)?,
                None => terminal.say(format!("{file_name} has no provenance file")),
            }
        }
        print(arguments.format, &fetched, &target, terminal)?;
    }
    Ok(Exit::Success)
}

fn print(format: ResultFormat, fetched: &Fetched, target: &Path, terminal: &mut Terminal) -> Result<(), Failed> {
    let shown = target.strip_prefix(".").unwrap_or(target).display().to_string();
    match format {
        ResultFormat::Human => terminal.print(format!("{shown} sha256:{}\n", fetched.digest)),
        ResultFormat::Json => {
            let mut line = serde_json::json!({
                "name": fetched.metadata.name,
                "version": fetched.metadata.version,
                "path": shown,
                "url": fetched.url,
                "digest": format!("sha256:{}", fetched.digest),
            });
            if let Some(digest) = &fetched.manifest_digest {
                line["manifestDigest"] = digest.clone().into();
            }
            terminal.print(format!("{line}\n"))
        }
    }
}

/// Fetches and checks the archive that a reference means.
pub fn obtain(
    reference: &str,
    source: &SourceFlags,
    with_provenance: bool,
    flags: &RepositoryFlags,
    terminal: &Terminal,
) -> Result<Fetched, Failed> {
    let is_archive =
        |url: &str| url.starts_with("http") && url.split(['?', '#']).next().unwrap_or(url).ends_with(".tgz");
    if source.repo.is_none() && is_archive(reference) {
        return archive_at(reference, with_provenance, flags, terminal);
    }
    let Named { repository, name, version, pin } = named(reference, source.repo.as_deref(), flags, terminal)?;
    let range = match (&source.version, version) {
        (Some(wanted), Some(tag)) if *wanted != tag => {
            let reference = redacted(reference);
            let message = format!("`{reference}` asks for version {tag}, and `--version` for {wanted}");
            return Err(Failed::Usage(message, Some("leave out one of them".to_owned())));
        }
        (Some(range), _) => range.clone(),
        (None, tag) => tag.unwrap_or_default(),
    };
    let found = match &pin {
        Some(digest) => Found::tagged(&name, &range, digest),
        None => find(&*repository, &name, &Wanted { range, devel: source.devel })?,
    };
    Ok(fetch(&*repository, &cache(), &name, &found, with_provenance)?)
}

/// Unpacks into a folder of the chart's name, which must not be there yet. The folder appears when it is complete.
fn untar(fetched: &Fetched, into: &Path) -> Result<PathBuf, Failed> {
    let target = into.join(&fetched.metadata.name);
    if fs::exists(&target) {
        let hint = "remove it, or choose another place with `--untardir`".to_owned();
        return Err(Failed::Usage(format!("`{}` is there already", target.display()), Some(hint)));
    }
    let limits = archive::Limits::default();
    let entries = archive::read(&fetched.data, &limits)
        .map_err(|error| Error::new(Kind::Integrity, format!("`{}`: {error}", fetched.url)))?;
    fs::write_tree(&target, entries.iter().map(|entry| (entry.path.as_str(), entry.data.as_slice())))?;
    Ok(target)
}
