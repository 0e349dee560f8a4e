//! What was fetched before: archives by digest, indexes by URL with their ETag.

use super::error::{Error, Kind, Result, shown};
use super::http::{Client, Head, Request};
use crate::{fs, package};
use flate2::read::MultiGzDecoder;
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use url::Url;

const MAX_INDEX: u64 = 1 << 30;

/// A cache directory, or none. Files in it are written whole, so any number of processes may share it.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    root: Option<PathBuf>,
    /// Never ask a server.
    offline: bool,
}

/// An index to read: from the cache's file or from memory.
pub enum Source {
    File(BufReader<File>),
    Memory(Cursor<Vec<u8>>),
}

impl Cache {
    pub fn new(root: Option<PathBuf>) -> Self {
        Cache { root, offline: false }
    }

    /// The same cache, asked instead of servers.
    #[must_use]
    pub fn offline(mut self) -> Self {
        self.offline = true;
        self
    }

    /// Fails where no server may be asked.
    pub fn allow(&self, what: &str) -> Result<()> {
        if self.offline {
            let error = Error::new(Kind::Missing, format!("`{what}` is not in the cache"));
            return Err(error.with_hint("go without `--offline` once"));
        }
        Ok(())
    }

    fn archive_path(&self, digest: &str) -> Option<PathBuf> {
        // Digests come from servers and lock files; only hex may become a file name.
        let is_hex = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(self.root.as_ref().filter(|_| is_hex)?.join("archives").join(format!("{digest}.tgz")))
    }

    /// An archive of this SHA-256, if it is here and whole.
    pub fn archive(&self, digest: &str) -> Option<Vec<u8>> {
        let data = fs::read(&self.archive_path(digest)?).ok()?;
        (package::digest(&data) == digest).then_some(data)
    }

    /// Keeps an archive. A cache that cannot be written is no error.
    pub fn keep(&self, digest: &str, data: &[u8]) {
        let Some(path) = self.archive_path(digest) else { return };
        // Not whole or not at all: who reads a piece of it finds that it lacks its digest, and fetches it anew.
        let mut written = fs::write_in_place(&path, data);
        if let (Err(error), Some(parent)) = (&written, path.parent())
            && error.is_not_found()
        {
            written = fs::create_dir_all(parent).and_then(|()| fs::write_in_place(&path, data));
        }
        if let Err(error) = written {
            tracing::info!("the cache is not written: {error}");
        }
    }

    fn note_path(&self, directory: &Path) -> Option<PathBuf> {
        let directory = fs::canonical(directory).ok()?;
        let name = package::digest(directory.as_os_str().as_encoded_bytes());
        Some(self.root.as_ref()?.join("listings").join(name))
    }

    /// What was noted about a directory.
    pub fn note(&self, directory: &Path) -> Option<String> {
        fs::read_text(&self.note_path(directory)?).ok()
    }

    pub fn keep_note(&self, directory: &Path, text: &str) {
        let Some(path) = self.note_path(directory) else { return };
        let Some(parent) = path.parent() else { return };
        if let Err(error) = fs::create_dir_all(parent).and_then(|()| fs::write_again(&path, text.as_bytes())) {
            tracing::info!("the cache is not written: {error}");
        }
    }

    /// The index at a URL: fetched, or the kept one where the server says that it has not changed.
    pub fn index(&self, client: &Client, url: &Url) -> Result<Source> {
        let request = super::server::accept(Request::new(Method::GET, url.clone())).header(ACCEPT_ENCODING, "gzip");
        let Some(root) = &self.root else {
            self.allow(&shown(url))?;
            return Ok(Source::Memory(Cursor::new(fetch(client, &request)?)));
        };
        let folder = root.join("indexes");
        // The URL's query may hold a token; only its hash is a file name.
        let name = package::digest(url.as_str().as_bytes());
        let (path, tag_path) = (folder.join(format!("{name}.index")), folder.join(format!("{name}.tag")));
        if self.offline {
            return match fs::open(&path) {
                Ok(file) => Ok(Source::File(file)),
                Err(_) => self.allow(&shown(url)).map(|()| Source::Memory(Cursor::default())),
            };
        }
        let tag = fs::read_text(&tag_path).ok().filter(|_| fs::exists(&path));
        let mut conditional = request.clone();
        if let Some((kind, value)) = tag.as_deref().and_then(|tag| tag.trim_end().split_once(' ')) {
            let header = if kind == "etag" { IF_NONE_MATCH } else { IF_MODIFIED_SINCE };
            conditional = conditional.header(header, value);
        }
        let Ok(()) = fs::create_dir_all(&folder) else {
            return Ok(Source::Memory(Cursor::new(fetch(client, &request)?)));
        };
        let start = || tempfile::NamedTempFile::new_in(&folder);
        let (head, mut file) = client.block_on(client.exchange(&conditional, MAX_INDEX, start))?;
        if head.status.as_u16() == 304 {
            return Ok(Source::File(fs::open(&path)?));
        }
        if !head.status.is_success() {
            return Err(head.error("fetch"));
        }
        let disk = |error: std::io::Error| Error::new(Kind::Disk, format!("failed to read the cache: {error}"));
        let tag = match (head.header(ETAG), head.header(LAST_MODIFIED)) {
            (Some(etag), _) => format!("etag {etag}\n"),
            (None, Some(time)) => format!("modified {time}\n"),
            (None, None) => String::new(),
        };
        file.as_file_mut().seek(SeekFrom::Start(0)).map_err(disk)?;
        if is_gzip(&head) {
            let mut plain = start().map_err(disk)?;
            let packed = file.as_file().metadata().map_err(disk)?.len();
            unpack(BufReader::new(file.as_file()), packed, plain.as_file_mut(), url)?;
            plain.as_file_mut().seek(SeekFrom::Start(0)).map_err(disk)?;
            file = plain;
        }
        let reader = file.as_file().try_clone().map_err(disk)?;
        // Without a tag first: the tag of one index must never stand beside another.
        let kept = fs::remove(&tag_path).is_ok() && file.persist(&path).is_ok();
        if kept && !tag.is_empty() {
            let _ = fs::write_again(&tag_path, tag.as_bytes());
        }
        Ok(Source::File(BufReader::with_capacity(1 << 18, reader)))
    }
}

fn fetch(client: &Client, request: &Request) -> Result<Vec<u8>> {
    let (head, data) = client.block_on(client.exchange(request, MAX_INDEX, || Ok(Vec::new())))?;
    if !head.status.is_success() {
        return Err(head.error("fetch"));
    }
    if !is_gzip(&head) {
        return Ok(data);
    }
    let mut plain = Vec::new();
    unpack(data.as_slice(), data.len() as u64, &mut plain, &request.url).map(|()| plain)
}

/// Unpacks what a server packed for the way, unless it is a bomb: an index takes ten to fifty times its packed size.
fn unpack(packed: impl BufRead, size: u64, into: &mut impl Write, url: &Url) -> Result<()> {
    let most = (16 << 20).max(size.saturating_mul(200)).min(MAX_INDEX);
    let done = std::io::copy(&mut MultiGzDecoder::new(packed).take(most + 1), into);
    let bad = |why: String| Error::new(Kind::Malformed, format!("`{}` {why}", shown(url)));
    match done {
        Ok(done) if done <= most => Ok(()),
        Ok(_) => Err(bad(format!("unpacks to more than {most} bytes"))),
        Err(error) => Err(bad(format!("does not unpack: {error}"))),
    }
}

fn is_gzip(head: &Head) -> bool {
    head.header(CONTENT_ENCODING).is_some_and(|encoding| encoding.eq_ignore_ascii_case("gzip"))
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Source::File(file) => file.read(buffer),
            Source::Memory(memory) => memory.read(buffer),
        }
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        match self {
            Source::File(file) => file.fill_buf(),
            Source::Memory(memory) => memory.fill_buf(),
        }
    }

    fn consume(&mut self, count: usize) {
        match self {
            Source::File(file) => file.consume(count),
            Source::Memory(memory) => memory.consume(count),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match self {
            Source::File(file) => file.seek(to),
            Source::Memory(memory) => memory.seek(to),
        }
    }
}
