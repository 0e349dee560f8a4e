//! Makes the `index.yaml` of a directory of archives, and checks one.
//!
//! What the archives held is remembered in the cache with their sizes and times, so a second run reads only those that
//! are new or were touched. The index's lines for the others stay as they are.

use super::MAX_ARCHIVE;
use super::cache::Cache;
use super::directory::lock;
use super::error::{Error, Kind, Result};
use super::index::{Index, Published};
use crate::chart::Metadata;
use crate::{fs, package};
use rayon::prelude::*;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

/// How an index is made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// URL of the directory, for absolute URLs in the index.
    pub url: Option<String>,
    /// Text of an index whose other versions are taken over.
    pub merge: Option<String>,
    pub json: bool,
    /// The time for new entries, in RFC 3339.
    pub now: String,
}

/// What making an index did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Made {
    pub listed: usize,
    pub added: usize,
    pub changed: usize,
    pub removed: usize,
    /// Archives that were read, not only looked at.
    pub read: usize,
    pub written: bool,
    /// Files that are no charts, and why.
    pub skipped: Vec<(String, String)>,
}

/// What is known of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    stamp: fs::Stamp,
    digest: String,
    /// Empty for a file that is no chart.
    name: String,
    version: String,
}

/// What came of looking at an archive.
struct Look {
    known: Known,
    was_read: bool,
    /// Where the index does not say so already.
    new: Option<Published>,
}

/// Makes or renews the index of a directory.
pub fn make(directory: &Path, options: &Options, cache: &Cache) -> Result<Made> {
    let _lock = lock(directory)?;
    let path = directory.join("index.yaml");
    let mut index = match fs::read_text(&path) {
        Ok(text) => Index::parse(text).map_err(|error| error.context(format!("`{}`", path.display())))?,
        Err(error) if error.is_not_found() => Index::default(),
        Err(error) => return Err(error.into()),
    };
    let remembered = recall(directory, cache);
    let finder = index.finder();
    let as_text = !options.json && !index.is_json();
    let look = |room: &mut Vec<u8>, file: &str| -> Result<Look, String> {
        let path = directory.join(file);
        let url = url(options, file);
        let is_listed = |known: &Known| {
            finder.digest(&known.name, &known.version) == Some(Some(&known.digest))
                && finder.has_url(&known.name, &known.version, &url)
        };
        if let Some(known) = remembered.get(file)
            && fs::stamp(&path).is_ok_and(|stamp| stamp == known.stamp)
            && is_listed(known)
        {
            return Ok(Look { known: known.clone(), was_read: false, new: None });
        }
        let (stamp, digest, metadata) = read(&path, room)?;
        let known = Known { stamp, digest, name: metadata.name.clone(), version: metadata.version.clone() };
        let new = (!is_listed(&known)).then(|| Published::new(&metadata, &url, &known.digest, &options.now));
        let new = if as_text { new.map(Published::written).transpose() } else { Ok(new) };
        Ok(Look { known, was_read: true, new: new.map_err(|error| error.to_string())? })
    };
    let found: Vec<(String, Result<Look, String>)> = archives(directory)?
        .into_par_iter()
        .map_init(Vec::new, |room, file| {
            let look = look(room, &file);
            (file, look)
        })
        .collect();

    let mut made = Made::default();
    let (mut seen, mut new) = (Vec::with_capacity(found.len()), Vec::new());
    for (file, look) in found {
        match look {
            Ok(look) => {
                new.push((look.was_read, look.new));
                seen.push((file, look.known));
            }
            Err(why) => made.skipped.push((file, why)),
        }
    }
    let mut by_version: HashMap<(&str, &str), &(String, Known)> = HashMap::with_capacity(seen.len());
    let (mut memory, mut changes) = (Vec::with_capacity(seen.len()), Vec::with_capacity(seen.len()));
    for (archive, (was_read, published)) in seen.iter().zip(new) {
        let (file, known) = archive;
        if let Some((other, first)) = by_version.get(&(&known.name, &known.version)) {
            if first.digest == known.digest {
                continue;
            }
            let message = format!("`{other}` and `{file}` are both `{}` {}", known.name, known.version);
            return Err(Error::new(Kind::Conflict, message).with_hint("remove one of them"));
        }
        by_version.insert((&known.name, &known.version), archive);
        made.read += usize::from(was_read);
        if let Some(published) = published {
            match finder.digest(&known.name, &known.version) {
                Some(_) => made.changed += 1,
                None => made.added += 1,
            }
            changes.push(published);
        }
        memory.push(archive);
    }
    let merge = options.merge.clone().map(Index::parse).transpose()?;
    let merged = merge.as_ref().map(Index::finder);
    let keep = |name: &str, version: &str| {
        by_version.contains_key(&(name, version))
            || merged.as_ref().is_some_and(|merged| merged.digest(name, version).is_some())
    };
    made.removed = index.retain(|listed| keep(listed.name, listed.version));
    index.publish_all(changes);
    if let Some(merge) = &merge {
        made.added += index.merge(merge)?;
    }
    made.listed = index.listed().count();
    let was_json = index.is_json();
    if options.json && !was_json {
        index = index.into_json()?;
    }
    let fresh = !fs::exists(&path);
    made.written = fresh || made.added + made.changed + made.removed > 0 || index.is_json() != was_json;
    let write = || match made.written {
        true => Ok(fs::write(&path, index.render(Some(&options.now))?.as_bytes())?),
        false => Ok(()),
    };
    let (written, ()): (Result<()>, ()) = rayon::join(write, || remember(directory, cache, &memory));
    written.map(|()| made)
}

/// What is wrong between an index and its directory, in words.
pub fn check(directory: &Path, url_base: Option<&str>) -> Result<Vec<String>> {
    let path = directory.join("index.yaml");
    let index = Index::parse(fs::read_text(&path)?).map_err(|error| error.context(format!("`{}`", path.display())))?;
    let files = archives(directory)?;
    let read: Vec<_> = files.par_iter().map_init(Vec::new, |room, file| read(&directory.join(file), room)).collect();
    let mut archives: HashMap<(String, String), (String, String)> = HashMap::new();
    let mut wrong = Vec::new();
    for (file, read) in files.into_iter().zip(read) {
        match read {
            Ok((_, digest, metadata)) => {
                archives.insert((metadata.name, metadata.version), (file, digest));
            }
            Err(why) => wrong.push(format!("`{file}` is no chart archive: {why}")),
        }
    }
    for listed in index.listed() {
        let (name, version) = (listed.name.to_owned(), listed.version.to_owned());
        let what = format!("`{name}` {version}");
        match archives.remove(&(name, version)) {
            None => {
                let elsewhere = match index.entry(listed.name, listed.version) {
                    Some(entry) => entry?
                        .urls
                        .iter()
                        .any(|url| url.contains("://") && !url_base.is_some_and(|base| url.starts_with(base))),
                    None => false,
                };
                if !elsewhere {
                    wrong.push(format!("{what} is listed but its archive is missing"));
                }
            }
            Some((file, digest)) => match listed.digest.map(super::index::bare_digest) {
                Some(listed) if listed == digest => {}
                Some(listed) => {
                    wrong.push(format!("{what} is listed with SHA-256 {listed}, but `{file}` has {digest}"))
                }
                None => wrong.push(format!("{what} is listed without a digest")),
            },
        }
    }
    let mut unlisted: Vec<_> = archives.into_values().map(|(file, _)| file).collect();
    unlisted.sort();
    wrong.extend(unlisted.into_iter().map(|file| format!("`{file}` is not listed")));
    Ok(wrong)
}

fn url(options: &Options, file: &str) -> String {
    match options.url.as_deref().map(|url| url.trim_end_matches('/')) {
        Some(base) if !base.is_empty() => format!("{base}/{file}"),
        _ => file.to_owned(),
    }
}

/// The archives in a directory and its sub-directories, one level deep as Helm looks, by path.
fn archives(directory: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for (name, kind) in fs::entries(directory)? {
        if matches!(kind, fs::Kind::Directory | fs::Kind::LinkedDirectory) {
            for (inner, kind) in fs::entries(&directory.join(&name))? {
                if kind == fs::Kind::File && is_archive(&inner) {
                    files.push(format!("{name}/{inner}"));
                }
            }
        } else if kind == fs::Kind::File && is_archive(&name) {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}

fn is_archive(name: &str) -> bool {
    name.ends_with(".tgz") && !name.starts_with('.')
}

/// Stamp, digest and metadata of an archive, which `room` takes up meanwhile.
fn read(path: &Path, room: &mut Vec<u8>) -> Result<(fs::Stamp, String, Metadata), String> {
    let read = fs::read_into(path, room, MAX_ARCHIVE).map_err(|error| error.to_string())?;
    let (stamp, data) = read.ok_or_else(|| format!("it has more than {MAX_ARCHIVE} bytes"))?;
    let metadata = super::resolve::metadata(data)?;
    Ok((stamp, package::digest(data), metadata))
}

/// What an earlier run noted: a line for each archive, with blanks between the fields and the path last.
fn recall(directory: &Path, cache: &Cache) -> HashMap<String, Known> {
    let Some(text) = cache.note(directory) else { return HashMap::new() };
    let mut known = HashMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.splitn(7, ' ').collect();
        let [size, modified, changed, digest, name, version, file] = fields[..] else { continue };
        let (Ok(size), Ok(modified), Ok(changed)) = (size.parse(), modified.parse(), changed.parse()) else { continue };
        let stamp = fs::Stamp { size, modified, changed };
        let (digest, name, version) = (digest.to_owned(), name.to_owned(), version.to_owned());
        known.insert(file.to_owned(), Known { stamp, digest, name, version });
    }
    known
}

fn remember(directory: &Path, cache: &Cache, memory: &[&(String, Known)]) {
    let mut text = String::new();
    for (file, known) in memory {
        let Known { stamp: fs::Stamp { size, modified, changed }, digest, name, version } = known;
        // A name with blanks or line breaks would read as something else next time.
        if !file.contains('\n') && !name.contains(char::is_whitespace) && !version.contains(char::is_whitespace) {
            let _ = writeln!(text, "{size} {modified} {changed} {digest} {name} {version} {file}");
        }
    }
    cache.keep_note(directory, &text);
}
