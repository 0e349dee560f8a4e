//! Brings a chart's dependencies into its `charts/` folder.
//!
//! `update` resolves the ranges of `Chart.yaml` anew and writes `Chart.lock`; `build` fetches what the lock says and
//! fails where lock, chart and archive disagree. Both do only what is left to do.

use super::error::{Error, Kind, Result, redacted};
use super::lock::{Lock, Locked, old_sum, sum};
use super::parallel::{TRANSFERS, cores, parallel};
use super::resolve::{accept, no_version, pick};
use super::{Cache, Download, Fetched, Found, Repository, Wanted};
use crate::chart::{self, Dependency, Metadata};
use crate::diagnostic::Sources;
use crate::fs;
use crate::package::{self, FIXED_TIME, Options, Package};
use crate::version::{Constraint, Version};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of fetched archives from which on it pays to check them on all cores.
const PARALLEL_BYTES: usize = 1 << 20;

/// Opens the repository of a `repository:` field.
pub type Open<'a> = dyn Fn(&str) -> Result<Arc<dyn Repository>> + Sync + 'a;

/// Judges an archive before it is used: file name, bytes, provenance.
pub type Check<'a> = dyn Fn(&str, &Fetched) -> Result<()> + Sync + 'a;

/// The work on one chart.
pub struct Job<'a> {
    /// The chart's directory.
    pub path: &'a Path,
    /// With the addresses of repositories that go by names.
    pub metadata: &'a Metadata,
    /// The dependencies as `Chart.yaml` has them.
    pub written: &'a [Dependency],
    pub open: &'a Open<'a>,
    pub cache: &'a Cache,
    /// The time for a lock that changes, in RFC 3339.
    pub now: &'a str,
    /// Where given, provenance is fetched and every archive that is used is judged.
    pub check: Option<&'a Check<'a>>,
}

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Archives that were written to `charts/`.
    pub written: Vec<String>,
    /// Archives that were there already.
    pub kept: Vec<String>,
    /// Archives that no dependency asks for any more.
    pub removed: Vec<String>,
    pub lock_changed: bool,
}

/// One archive of `charts/`.
struct Piece {
    file_name: String,
    /// `None` where the right file is there.
    data: Option<Vec<u8>>,
}

/// What needs no server.
enum AtHand {
    /// `None` where nothing need be done.
    Piece(Option<(Piece, String)>),
    Nowhere,
}

/// A dependency with the version it resolved to.
struct Resolved {
    locked: Locked,
    source: Source,
}

/// A dependency, its repository and what that has of it.
type Remote<'a> = (&'a Locked, &'a dyn Repository, &'a Found);

enum Source {
    /// In `charts/` as a folder, by hand.
    Vendored,
    Local(PathBuf),
    Remote(Arc<dyn Repository>, Found),
}

impl Job<'_> {
    fn required(&self) -> &[Dependency] {
        &self.metadata.dependencies
    }

    /// `Chart.lock`, or `requirements.lock` of a chart whose dependencies are in `requirements.yaml`.
    fn lock_path(&self) -> PathBuf {
        let old = self.metadata.api_version == "v1";
        self.path.join(if old { "requirements.lock" } else { "Chart.lock" })
    }

    fn read_lock(&self) -> Result<Option<Lock>> {
        let path = self.lock_path();
        match fs::read_text(&path) {
            Ok(text) => Lock::parse(&text).map(Some).map_err(|error| error.context(format!("`{}`", path.display()))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Resolves every dependency anew, fetches, and writes the lock if it says something new.
    pub fn update(&self) -> Result<Done> {
        let old = self.read_lock()?;
        let mut resolved = self.resolve(self.required())?;
        let pieces = self.pieces(&resolved)?;
        for (resolved, piece) in resolved.iter_mut().zip(&pieces) {
            if let (Source::Remote(..), Some((_, digest))) = (&resolved.source, piece) {
                resolved.locked.digest = Some(digest.clone());
            }
        }
        let dependencies: Vec<Locked> = resolved.into_iter().map(|resolved| resolved.locked).collect();
        let digest = sum(self.required(), &dependencies);
        let lock = Lock { dependencies, digest, generated: self.now.to_owned() };
        let same = old.as_ref().is_some_and(|old| old.dependencies == lock.dependencies && old.digest == lock.digest);
        let mut names: Vec<String> = self.required().iter().map(|it| it.name.clone()).collect();
        names.extend(old.into_iter().flat_map(|old| old.dependencies).map(|locked| locked.name));
        let mut done = self.write(pieces, |done| {
            if !same {
                fs::write(&self.lock_path(), lock.render()?.as_bytes())?;
                done.lock_changed = true;
            }
            Ok(())
        })?;
        self.remove_stale(&names, &mut done)?;
        Ok(done)
    }

    /// Brings in what the lock says.
    pub fn build(&self) -> Result<Done> {
        let Some(lock) = self.read_lock()? else {
            return if self.required().is_empty() { Ok(Done::default()) } else { self.update() };
        };
        let name = self.lock_path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_old = || self.metadata.api_version == "v1" && old_sum(self.written) == lock.digest;
        if sum(self.required(), &lock.dependencies) != lock.digest && !is_old() {
            let message = format!("`{name}` is out of sync with the dependencies in `Chart.yaml`");
            let hint = format!("resolve them anew with `chart dependency update {}`", self.path.display());
            return Err(Error::new(Kind::Integrity, message).with_hint(hint));
        }
        // The lock's own sum ties the two lists together; their order is the same.
        let pairs: Vec<_> = self.required().iter().zip(&lock.dependencies).collect();
        if pairs.len() != lock.dependencies.len() || pairs.len() != self.required().len() {
            return Err(Error::new(Kind::Integrity, format!("`{name}` has other dependencies than `Chart.yaml`")));
        }
        // Packing folders takes long; to look for archives is faster than to start a thread.
        let packs = lock.dependencies.iter().any(|locked| self.is_folder(&locked.repository));
        let workers = if packs { cores() } else { 1 };
        let mut pieces = parallel(workers, &pairs, |(required, locked)| self.at_hand(required, locked))?;
        let missing: Vec<usize> = (0..pieces.len()).filter(|&at| matches!(pieces[at], AtHand::Nowhere)).collect();
        let fetched = self.fetch_locked(missing.iter().map(|&at| pairs[at].1).collect())?;
        for (at, piece) in missing.into_iter().zip(fetched) {
            pieces[at] = AtHand::Piece(piece);
        }
        let pieces = pieces.into_iter().map(|piece| match piece {
            AtHand::Piece(piece) => piece,
            AtHand::Nowhere => None,
        });
        let mut done = self.write(pieces.collect(), |_| Ok(()))?;
        let names: Vec<String> = lock.dependencies.into_iter().map(|locked| locked.name).collect();
        self.remove_stale(&names, &mut done)?;
        Ok(done)
    }

    /// Asks each repository once for all that is wanted of it.
    fn resolve(&self, wanted: &[Dependency]) -> Result<Vec<Resolved>> {
        let mut by_repository: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, dependency) in wanted.iter().enumerate() {
            by_repository.entry(&dependency.repository).or_default().push(at);
        }
        let groups: Vec<_> = by_repository.into_iter().collect();
        let resolved = parallel(TRANSFERS, &groups, |(repository, places)| {
            self.resolve_group(repository, places.iter().map(|&at| &wanted[at]).collect())
        })?;
        let mut all: Vec<_> =
            groups.iter().flat_map(|(_, places)| places.iter().copied()).zip(resolved.into_iter().flatten()).collect();
        all.sort_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, resolved)| resolved).collect())
    }

    fn resolve_group(&self, repository: &str, dependencies: Vec<&Dependency>) -> Result<Vec<Resolved>> {
        let locked = |dependency: &Dependency, version: &str| Locked {
            name: dependency.name.clone(),
            version: version.to_owned(),
            repository: dependency.repository.clone(),
            digest: None,
        };
        if self.is_folder(repository) {
            return dependencies
                .into_iter()
                .map(|dependency| match self.local(dependency)? {
                    Some((path, version)) => {
                        Ok(Resolved { locked: locked(dependency, &version), source: Source::Local(path) })
                    }
                    None => Ok(Resolved { locked: locked(dependency, &dependency.version), source: Source::Vendored }),
                })
                .collect();
        }
        let opened = (self.open)(repository)?;
        let exact: Vec<Option<Found>> =
            dependencies.iter().map(|dependency| opened.exact(&dependency.name, &dependency.version)).collect();
        let names: Vec<&str> = dependencies
            .iter()
            .zip(&exact)
            .filter(|(_, exact)| exact.is_none())
            .map(|(dependency, _)| dependency.name.as_str())
            .collect();
        let charts = if names.is_empty() { super::index::Charts::new() } else { opened.charts(&names)? };
        dependencies
            .into_iter()
            .zip(exact)
            .map(|(dependency, exact)| {
                let found = match exact {
                    Some(found) => found,
                    None => {
                        let location = opened.location();
                        let found = charts.get(&dependency.name);
                        let found = found.ok_or_else(|| super::no_chart(&dependency.name, &location))?;
                        let wanted = Wanted { range: dependency.version.clone(), devel: false };
                        let picked = pick(found, &wanted).map_err(|why| no_version(&dependency.name, &location, &why));
                        picked?.clone()
                    }
                };
                let locked = locked(dependency, &found.version);
                Ok(Resolved { locked, source: Source::Remote(Arc::clone(&opened), found) })
            })
            .collect()
    }

    /// Whether a dependency is a chart folder on this disk: in `charts/`, or at a `file://` path that is no
    /// directory repository.
    fn is_folder(&self, repository: &str) -> bool {
        let Some(path) = repository.strip_prefix("file://") else { return repository.is_empty() };
        let path = self.path.join(path);
        fs::exists(&path.join("Chart.yaml")) || !fs::exists(&path.join("index.yaml"))
    }

    /// The folder and version of a chart that is on this disk; `None` for one that is in `charts/` by hand.
    fn local(&self, dependency: &Dependency) -> Result<Option<(PathBuf, String)>> {
        let missing = |what: String| Err(Error::new(Kind::Missing, what));
        if dependency.repository.is_empty() {
            if unpacked(self.path, &dependency.name).is_none() {
                return missing(format!(
                    "the dependency `{}` has no `repository:`, and there is no `charts/{}`",
                    dependency.name, dependency.name
                ));
            }
            return Ok(None);
        }
        let relative = dependency.repository.strip_prefix("file://").unwrap_or(&dependency.repository);
        let path = self.path.join(relative);
        let chart = chart::head(&path, &mut Sources::default()).map_err(|failure| {
            let why = failure.into_iter().next().map_or_else(String::new, |first| first.message);
            Error::new(Kind::Missing, format!("the dependency `{}`: {why}", dependency.name))
        })?;
        let version = chart.metadata.version;
        let range = Constraint::parse(&dependency.version).map_err(|error| {
            let message = format!("the dependency `{}` has no version range: {error}", dependency.name);
            Error::new(Kind::Usage, message)
        })?;
        if !Version::parse(&version).is_ok_and(|version| range.matches(&version)) {
            return missing(format!(
                "the dependency `{}` wants version `{}`, but `{}` has {version}",
                dependency.name,
                dependency.version,
                path.display()
            ));
        }
        Ok(Some((path, version)))
    }

    fn target(&self, file_name: &str) -> PathBuf {
        self.path.join("charts").join(file_name)
    }

    fn there(&self, file_name: &str) -> Option<Vec<u8>> {
        fs::read(&self.target(file_name)).ok()
    }

    /// The archives of resolved dependencies, in their order.
    fn pieces(&self, resolved: &[Resolved]) -> Result<Vec<Option<(Piece, String)>>> {
        let packs = resolved.iter().any(|resolved| matches!(resolved.source, Source::Local(_)));
        let mut pieces = parallel(if packs { cores() } else { 1 }, resolved, |resolved| self.nearby(resolved))?;
        let mut by_repository: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, piece) in pieces.iter().enumerate() {
            if matches!(piece, AtHand::Nowhere) {
                by_repository.entry(&resolved[at].locked.repository).or_default().push(at);
            }
        }
        let groups: Vec<Vec<usize>> = by_repository.into_values().collect();
        let fetched = parallel(TRANSFERS, &groups, |places| {
            self.fetch_group(&places.iter().map(|&at| &resolved[at]).collect::<Vec<_>>())
        })?;
        for (at, piece) in groups.into_iter().flatten().zip(fetched.into_iter().flatten()) {
            pieces[at] = AtHand::Piece(Some(piece));
        }
        let pieces = pieces.into_iter().map(|piece| match piece {
            AtHand::Piece(piece) => piece,
            AtHand::Nowhere => None,
        });
        Ok(pieces.collect())
    }

    /// The archive of a resolved dependency, if no server need be asked for it.
    fn nearby(&self, resolved: &Resolved) -> Result<AtHand> {
        match &resolved.source {
            Source::Vendored => Ok(AtHand::Piece(None)),
            Source::Local(path) => {
                let options = Options { modified: FIXED_TIME, ..Options::default() };
                let package = Package::load(path, &options, &mut Sources::default()).map_err(|failure| {
                    let first = failure.into_iter().next();
                    let error = Error::new(Kind::Malformed, first.as_ref().map_or("", |it| &it.message));
                    let error = error.context(format!("`{}`", path.display()));
                    match first.and_then(|first| first.hints.into_iter().next()) {
                        Some(hint) => error.with_hint(hint),
                        None => error,
                    }
                })?;
                let (_, archive) = package.pack().map_err(|error| Error::new(Kind::Disk, error.to_string()))?;
                let same = self.there(&archive.file_name).is_some_and(|data| data == archive.data);
                let data = (!same).then_some(archive.data);
                Ok(AtHand::Piece(Some((Piece { file_name: archive.file_name, data }, archive.digest))))
            }
            Source::Remote(_, found) => {
                // What has the lock's digest was found before.
                if self.check.is_some() || resolved.locked.digest.is_some() || found.tag().is_some() {
                    return Ok(AtHand::Nowhere);
                }
                let entry = found
                    .entry()
                    .map_err(|error| error.context(format!("`{}`", redacted(&resolved.locked.repository))))?;
                let (file_name, listed) = (resolved.locked.file_name(), entry.digest);
                let same = self.there(&file_name).is_some_and(|data| package::digest(&data) == listed);
                let kept = || AtHand::Piece(Some((Piece { file_name, data: None }, listed)));
                Ok(if same { kept() } else { AtHand::Nowhere })
            }
        }
    }

    /// Fetches dependencies from the repository of the first one, which is that of all.
    fn fetch_group(&self, resolved: &[&Resolved]) -> Result<Vec<(Piece, String)>> {
        let remote: Vec<Remote<'_>> = resolved
            .iter()
            .filter_map(|resolved| match &resolved.source {
                Source::Remote(repository, found) => Some((&resolved.locked, &**repository, found)),
                Source::Vendored | Source::Local(_) => None,
            })
            .collect();
        let Some((_, repository, _)) = remote.first() else { return Ok(Vec::new()) };
        let downloads = repository.fetch_all(&remote.iter().map(|(_, _, found)| *found).collect::<Vec<_>>())?;
        let size: usize = downloads.iter().map(|download| download.data.len()).sum();
        let pairs: Vec<_> = remote.into_iter().zip(downloads).collect();
        let accept = |(remote, download)| self.accept(remote, download);
        if size < PARALLEL_BYTES && self.check.is_none() {
            return pairs.into_iter().map(accept).collect();
        }
        pairs.into_par_iter().map(accept).collect::<Vec<_>>().into_iter().collect()
    }

    /// Checks a fetched dependency.
    fn accept(&self, (locked, repository, found): Remote<'_>, download: Download) -> Result<(Piece, String)> {
        let (file_name, expected) = (locked.file_name(), locked.digest.as_deref());
        let with_provenance = self.check.is_some();
        let fetched = accept(repository, self.cache, &locked.name, found, download, with_provenance)?;
        if let Some(expected) = expected.filter(|expected| *expected != fetched.digest) {
            return Err(changed(locked, expected, &fetched));
        }
        if let Some(check) = self.check {
            check(&file_name, &fetched)?;
        }
        // One that has the lock's digest would have been found before.
        let is_looked_for = expected.is_some() && self.check.is_none();
        let same = !is_looked_for && self.there(&file_name).is_some_and(|data| data == fetched.data);
        Ok((Piece { file_name, data: (!same).then_some(fetched.data) }, fetched.digest))
    }

    /// The archive that a lock names, if no server need be asked for it.
    fn at_hand(&self, required: &Dependency, locked: &Locked) -> Result<AtHand> {
        let range = Constraint::parse(&required.version).ok();
        let version = Version::parse(&locked.version).ok();
        let fits = range.zip(version).is_some_and(|(range, version)| range.matches(&version));
        if required.name != locked.name || !(fits || required.version == locked.version) {
            let message = format!(
                "the lock has `{}` {} where `Chart.yaml` asks for `{}` {}",
                locked.name, locked.version, required.name, required.version
            );
            return Err(Error::new(Kind::Integrity, message));
        }
        if self.is_folder(&locked.repository) {
            let source = match self.local(required)? {
                Some((path, version)) if version == locked.version => Source::Local(path),
                Some((_, version)) => {
                    let message =
                        format!("the lock has `{}` {}, but the chart is at {version}", locked.name, locked.version);
                    let hint = "resolve it anew with `chart dependency update`";
                    return Err(Error::new(Kind::Integrity, message).with_hint(hint));
                }
                None => Source::Vendored,
            };
            return self.nearby(&Resolved { locked: locked.clone(), source });
        }
        let file_name = locked.file_name();
        if self.check.is_some() {
            return Ok(AtHand::Nowhere);
        }
        if let Some(data) = self.there(&file_name) {
            let digest = package::digest(&data);
            let fits = match &locked.digest {
                Some(expected) => *expected == digest,
                None => super::resolve::metadata(&data)
                    .is_ok_and(|it| it.name == locked.name && it.version == locked.version),
            };
            if fits {
                return Ok(AtHand::Piece(Some((Piece { file_name, data: None }, digest))));
            }
        }
        let cached = locked.digest.as_ref().and_then(|digest| Some((self.cache.archive(digest)?, digest)));
        Ok(match cached {
            Some((data, digest)) => AtHand::Piece(Some((Piece { file_name, data: Some(data) }, digest.clone()))),
            None => AtHand::Nowhere,
        })
    }

    fn fetch_locked(&self, missing: Vec<&Locked>) -> Result<Vec<Option<(Piece, String)>>> {
        let wanted: Vec<Dependency> = missing
            .iter()
            .map(|locked| Dependency {
                name: locked.name.clone(),
                version: locked.version.clone(),
                repository: locked.repository.clone(),
                ..Dependency::default()
            })
            .collect();
        let resolved: Vec<Resolved> = self
            .resolve(&wanted)?
            .into_iter()
            .zip(missing)
            .map(|(resolved, locked)| Resolved { locked: locked.clone(), ..resolved })
            .collect();
        self.pieces(&resolved)
    }

    /// Writes archives, then does what must come after them.
    fn write(&self, pieces: Vec<Option<(Piece, String)>>, then: impl FnOnce(&mut Done) -> Result<()>) -> Result<Done> {
        let mut done = Done::default();
        let mut new: Vec<(String, Vec<u8>)> = Vec::new();
        for (piece, _) in pieces.into_iter().flatten() {
            match piece.data {
                // One archive may serve two dependencies.
                Some(_) if new.iter().any(|(name, _)| *name == piece.file_name) => {}
                Some(data) => new.push((piece.file_name, data)),
                None => done.kept.push(piece.file_name),
            }
        }
        let folder = self.path.join("charts");
        if !new.is_empty() && (fs::exists(&folder) || fs::write_tree(&folder, files(&new)).is_err()) {
            fs::create_dir_all(&folder)?;
            for (name, data) in &new {
                fs::write_again(&folder.join(name), data)?;
            }
        }
        done.written = new.into_iter().map(|(name, _)| name).collect();
        then(&mut done)?;
        Ok(done)
    }

    /// Removes archives of dependencies in versions that are not wanted any more.
    fn remove_stale(&self, names: &[String], done: &mut Done) -> Result<()> {
        let folder = self.path.join("charts");
        if !fs::is_dir(&folder) {
            return Ok(());
        }
        for (file, path, is_directory) in fs::list(&folder)? {
            let is_version_of = |name: &String| {
                let rest = file.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('-'));
                rest.and_then(|rest| rest.strip_suffix(".tgz")).is_some_and(|it| Version::parse(it).is_ok())
            };
            let wanted = done.written.contains(&file) || done.kept.contains(&file);
            if !is_directory && !wanted && names.iter().any(is_version_of) {
                fs::remove(&path)?;
                done.removed.push(file);
            }
        }
        Ok(())
    }
}

fn files(files: &[(String, Vec<u8>)]) -> impl Iterator<Item = (&str, &[u8])> {
    files.iter().map(|(name, data)| (name.as_str(), data.as_slice()))
}

fn changed(locked: &Locked, expected: &str, fetched: &Fetched) -> Error {
    let message = format!(
        "`{}` {} at `{}` has SHA-256 {}, but the lock says {expected}",
        locked.name, locked.version, fetched.url, fetched.digest
    );
    Error::new(Kind::Integrity, message)
        .with_hint("somebody replaced the version; if that is meant, `chart dependency update` takes it")
}

/// The chart in a folder of `charts/`.
fn unpacked(path: &Path, name: &str) -> Option<Metadata> {
    let text = fs::read_text(&path.join("charts").join(name).join("Chart.yaml")).ok()?;
    Metadata::parse(&text).ok()
}

/// What is in `charts/` for a dependency, in Helm's words.
pub fn status(path: &Path, dependency: &Dependency) -> &'static str {
    let folder = path.join("charts");
    let entries = fs::list(&folder).unwrap_or_default();
    let fits = |version: &str| {
        version == dependency.version
            || Constraint::parse(&dependency.version)
                .ok()
                .zip(Version::parse(version).ok())
                .is_some_and(|(range, version)| range.matches(&version))
    };
    let archives: Vec<_> = entries
        .iter()
        .filter(|(name, _, is_directory)| {
            let rest = name.strip_prefix(dependency.name.as_str()).and_then(|rest| rest.strip_prefix('-'));
            let version = rest.and_then(|rest| rest.strip_suffix(".tgz"));
            !is_directory && version.is_some_and(|version| Version::parse(version).is_ok())
        })
        .collect();
    match archives.as_slice() {
        [(_, path, _)] => {
            let read = fs::read(path).ok().and_then(|data| super::resolve::metadata(&data).ok());
            match read {
                None => "corrupt",
                Some(metadata) if metadata.name != dependency.name => "misnamed",
                Some(metadata) if !fits(&metadata.version) => "wrong version",
                Some(_) => "ok",
            }
        }
        [] => match unpacked(path, &dependency.name) {
            None => "missing",
            Some(metadata) if metadata.name != dependency.name => "misnamed",
            Some(metadata) if !fits(&metadata.version) => "wrong version",
            Some(_) => "unpacked",
        },
        _ => "too many matches",
    }
}
