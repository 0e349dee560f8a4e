//! From what a user asks for to an archive that is what it claims to be.

use super::error::{Error, Kind, Result};
use super::{Cache, Download, Found, Repository};
use crate::chart::{Metadata, archive};
use crate::package;
use crate::version::{Constraint, Version};

/// Which version is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A version, a range in Masterminds' grammar, or empty for the newest.
    pub range: String,
    /// Whether an empty range takes prereleases too.
    pub devel: bool,
}

/// A chart's archive, checked.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub metadata: Metadata,
    pub data: Vec<u8>,
    /// SHA-256 in hex.
    pub digest: String,
    pub url: String,
    pub manifest_digest: Option<String>,
    pub provenance: Option<Vec<u8>>,
}

/// The version that Helm would take: the text itself if it is there, else the highest in the range. The error says what
/// there is not (`no version…`), or that the range is none.
pub fn pick<'a>(found: &'a [Found], wanted: &Wanted) -> Result<&'a Found, String> {
    let range = match wanted.range.trim() {
        "" if wanted.devel => ">0.0.0-0",
        "" => "*",
        range => range,
    };
    if let Some(exact) = found.iter().find(|found| found.version == range) {
        return Ok(exact);
    }
    let constraint = Constraint::parse(range).map_err(|error| format!("`{range}` is not a version range: {error}"))?;
    let mut best: Option<(Version, &Found)> = None;
    for candidate in found {
        let Ok(version) = Version::parse(&candidate.version) else { continue };
        let higher = best.as_ref().is_none_or(|(best, _)| version.parts().cmp_precedence(best.parts()).is_gt());
        if higher && constraint.matches(&version) {
            best = Some((version, candidate));
        }
    }
    best.map(|(_, found)| found).ok_or_else(|| {
        let mut newest: Vec<_> = found.iter().filter_map(|found| Version::parse(&found.version).ok()).collect();
        newest.sort_by(|a, b| b.parts().cmp_precedence(a.parts()));
        let some: Vec<_> = newest.iter().take(3).map(|version| format!("`{}`", version.original())).collect();
        let what = if range == "*" { "no released version".to_owned() } else { format!("no version for `{range}`") };
        match some.as_slice() {
            [] => format!("{what}: there is none at all"),
            some => format!("{what} (the newest are {})", some.join(", ")),
        }
    })
}

/// Finds the version of a chart that is wanted.
pub fn find(repository: &dyn Repository, name: &str, wanted: &Wanted) -> Result<Found> {
    if let Some(found) = repository.exact(name, &wanted.range) {
        return Ok(found);
    }
    let found = repository.versions(name)?;
    pick(&found, wanted).cloned().map_err(|why| no_version(name, &repository.location(), &why))
}

pub(super) fn no_version(name: &str, repository: &str, why: &str) -> Error {
    if !why.starts_with("no ") {
        let hint = "ranges look like `^1.2`, `~1.2.3`, `>=1.2 <2` or `1.2.x`";
        return Error::new(Kind::Usage, format!("`{name}`: {why}")).with_hint(hint);
    }
    let error = Error::new(Kind::Missing, format!("`{name}` in `{repository}` has {why}"));
    if why.starts_with("no released") { error.with_hint("`--devel` takes prereleases too") } else { error }
}

/// Fetches a version and checks digest, name, version and all that is in the archive.
pub fn fetch(
    repository: &dyn Repository,
    cache: &Cache,
    name: &str,
    found: &Found,
    with_provenance: bool,
) -> Result<Fetched> {
    accept(repository, cache, name, found, repository.fetch(found)?, with_provenance)
}

/// As [`fetch`], of what the repository gave already.
pub(super) fn accept(
    repository: &dyn Repository,
    cache: &Cache,
    name: &str,
    found: &Found,
    download: Download,
    with_provenance: bool,
) -> Result<Fetched> {
    let digest = package::digest(&download.data);
    if let Some(expected) = download.digest.as_ref().filter(|expected| !expected.eq_ignore_ascii_case(&digest)) {
        let message = format!("`{}` has SHA-256 {digest}, but the repository says {expected}", download.url);
        return Err(Error::new(Kind::Integrity, message)
            .with_hint("the archive was changed after it was listed, or on its way; nothing was kept"));
    }
    let metadata =
        metadata(&download.data).map_err(|why| Error::new(Kind::Integrity, format!("`{}`: {why}", download.url)))?;
    let same_version = |a: &str, b: &str| {
        let versions = Version::parse(a).ok().zip(Version::parse(b).ok());
        // A tag may stand for a version with build metadata that was not asked for.
        let same = |a: &semver::Version, b: &semver::Version| match found.tag() {
            Some(_) if b.build.is_empty() => a.cmp_precedence(b).is_eq(),
            _ => a == b,
        };
        a == b || versions.is_some_and(|(a, b)| same(a.parts(), b.parts()))
    };
    if metadata.name != name || !(found.version.is_empty() || same_version(&metadata.version, &found.version)) {
        let message = format!(
            "`{}` is `{}` {}, but was listed as `{name}` {}",
            download.url, metadata.name, metadata.version, found.version
        );
        return Err(Error::new(Kind::Integrity, message));
    }
    if download.is_new {
        cache.keep(&digest, &download.data);
    }
    let provenance = if with_provenance { repository.provenance(found)? } else { None };
    Ok(Fetched {
        metadata,
        data: download.data,
        digest,
        url: download.url,
        manifest_digest: download.manifest_digest,
        provenance,
    })
}

/// The metadata in an archive that can be read to its end.
pub fn metadata(data: &[u8]) -> Result<Metadata, String> {
    let entry =
        archive::read_file(data, &archive::Limits::default(), "Chart.yaml").map_err(|error| error.to_string())?;
    let entry = entry.ok_or("it has no `Chart.yaml`")?;
    let text = String::from_utf8(entry.data).map_err(|_| "its `Chart.yaml` is not UTF-8 text")?;
    let metadata = Metadata::parse(&text).map_err(|why| format!("its `Chart.yaml` is not valid: {why}"))?;
    file_name(&metadata).map(|_| metadata)
}

/// The name under which an archive is kept and published: `<name>-<version>.tgz`.
pub fn file_name(metadata: &Metadata) -> Result<String, String> {
    let name = format!("{}-{}.tgz", metadata.name, metadata.version);
    let is_odd = |char: char| char.is_control() || matches!(char, '/' | '\\' | '?' | '#' | '%');
    match name.chars().find(|&char| is_odd(char)) {
        Some(char) => Err(format!("its name or version has a {char:?}, which cannot be in a file's name")),
        None if name.len() > 255 => Err("its name and version are too long for a file's name".to_owned()),
        None => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(range: &str, devel: bool) -> String {
        let versions = ["2.0.0-rc.1", "1.10.0", "v1.9.3", "1.9.0+b", "junk", "0.9.0"];
        let found: Vec<_> = versions.iter().map(|version| Found::tagged("web", version, version)).collect();
        match pick(&found, &Wanted { range: range.to_owned(), devel }) {
            Ok(found) => found.version.clone(),
            Err(why) => format!("error: {why}"),
        }
    }

    #[test]
    fn versions_are_picked_as_helm_does() {
        assert_eq!(picked("", false), "1.10.0");
        assert_eq!(picked("", true), "2.0.0-rc.1");
        assert_eq!(picked("~1.9", false), "v1.9.3");
        assert_eq!(picked("1.9.0+b", false), "1.9.0+b");
        assert_eq!(picked("1.9.3", false), "v1.9.3");
        assert_eq!(picked("<1 || >=3", false), "0.9.0");
        assert_eq!(picked("junk", false), "junk");
        assert_eq!(picked("^3", false), "error: no version for `^3` (the newest are `2.0.0-rc.1`, `1.10.0`, `v1.9.3`)");
        assert!(picked("latest", false).starts_with("error: `latest` is not a version range"));
    }
}
