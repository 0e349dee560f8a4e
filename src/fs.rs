//! The only module that touches the disk. Errors name the path; files are written whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A failed file operation: `failed to read chart/values.yaml: No such file or directory`.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} `{}`: {}", path.display(), reason(source))]
pub struct Error {
    pub action: &'static str,
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

impl Error {
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// The operating system's words, without Rust's `(os error 2)`.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

fn at<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|source| Error { action, path: path.to_owned(), source })
}

pub fn read(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let file = at("read", path, std::fs::File::open(path))?;
    // Most files are small: a buffer that takes them at once spares asking for their size.
    let mut bytes = Vec::with_capacity(8 << 10);
    at("read", path, file.take(u64::MAX).read_to_end(&mut bytes))?;
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// Names the file of an error that reading an opened one had.
pub fn reading<T>(path: &Path, result: io::Result<T>) -> Result<T> {
    at("read", path, result)
}

/// A file without a name, which goes when it is closed.
pub fn unnamed() -> Result<std::fs::File> {
    at("create", &std::env::temp_dir(), tempfile::tempfile())
}

/// A file's text; bytes that are not UTF-8 are an error.
pub fn read_text(path: &Path) -> Result<String> {
    let bytes = read(path)?;
    let text = String::from_utf8(bytes);
    at("read", path, text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8 text")))
}

pub fn is_dir(path: &Path) -> bool {
    path.is_dir()
}

/// Whether the path is a plain file, no device or pipe.
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

pub fn exists(path: &Path) -> bool {
    path.exists()
}

pub fn create_dir_all(path: &Path) -> Result<()> {
    at("create", path, std::fs::create_dir_all(path))
}

/// The entries of a directory by name; links are followed.
pub fn list(path: &Path) -> Result<Vec<(String, PathBuf, bool)>> {
    let mut entries = Vec::new();
    for entry in at("list", path, std::fs::read_dir(path))? {
        let entry = at("list", path, entry)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let own = at("list", &path, entry.file_type())?;
        let is_dir = if own.is_symlink() { path.is_dir() } else { own.is_dir() };
        entries.push((name, path, is_dir));
    }
    entries.sort();
    Ok(entries)
}

/// What a directory entry is, once links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    File,
    Directory,
    /// A directory behind a symbolic link.
    LinkedDirectory,
    /// A link to nowhere.
    BrokenLink,
    /// A device, a socket or a pipe.
    Other,
}

/// The names in a directory and what they are, by name.
pub fn entries(path: &Path) -> Result<Vec<(String, Kind)>> {
    let mut entries = Vec::new();
    for entry in at("list", path, std::fs::read_dir(path))? {
        let entry = at("list", path, entry)?;
        let own = at("list", path, entry.file_type())?;
        let kind = if own.is_symlink() {
            match std::fs::metadata(entry.path()) {
                Ok(target) if target.is_dir() => Kind::LinkedDirectory,
                Ok(target) if target.is_file() => Kind::File,
                Ok(_) => Kind::Other,
                Err(_) => Kind::BrokenLink,
            }
        } else if own.is_dir() {
            Kind::Directory
        } else if own.is_file() {
            Kind::File
        } else {
            Kind::Other
        };
        entries.push((entry.file_name().to_string_lossy().into_owned(), kind));
    }
    entries.sort_unstable();
    Ok(entries)
}

/// A file's bytes; `None` when there are more than `limit`.
pub fn read_at_most(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    use std::io::Read;
    let file = at("read", path, std::fs::File::open(path))?;
    let size = at("read", path, file.metadata())?.len();
    if size > limit {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(size as usize + 1);
    at("read", path, file.take(limit + 1).read_to_end(&mut bytes))?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// The bytes of a file that may be read.
pub fn readable_size(path: &Path) -> Result<u64> {
    let file = at("read", path, std::fs::File::open(path))?;
    Ok(at("read", path, file.metadata())?.len())
}

/// A file of the system's database of time zones: to Go every one is a zone, `posix/Europe/Berlin` too.
pub fn zone_file(name: &str) -> Option<Vec<u8>> {
    let is_inside = !name.contains("..") && !name.starts_with(['/', '\\']);
    is_inside.then(|| read(&Path::new("/usr/share/zoneinfo").join(name)).ok())?
}

/// A path without links and `..`, to compare with others.
pub fn canonical(path: &Path) -> Result<PathBuf> {
    at("find", path, std::fs::canonicalize(path))
}

/// Writes a file whole: to a temporary file beside it, synced, then renamed over it. Readers see the old bytes
/// or the new ones, whenever the process dies.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_as(path, bytes, 0o644, true)
}

/// Writes a file as [`write`] does, but leaves it to the system when the bytes reach the disk: for what can be made or
/// fetched again, in numbers.
pub fn write_again(path: &Path, bytes: &[u8]) -> Result<()> {
    write_as(path, bytes, 0o644, false)
}

/// Writes a file where it is, so that readers may see a part of it.
pub fn write_in_place(path: &Path, bytes: &[u8]) -> Result<()> {
    at("write", path, std::fs::write(path, bytes))
}

/// Writes a file that exists whole, as [`write`] does: through links, and with the permissions that it has.
pub fn rewrite(path: &Path, bytes: &[u8]) -> Result<()> {
    let path = canonical(path)?;
    #[cfg(unix)]
    let mode = {
        use std::os::unix::fs::PermissionsExt;
        at("read", &path, std::fs::metadata(&path))?.permissions().mode() & 0o7777
    };
    #[cfg(not(unix))]
    let mode = 0o644;
    write_as(&path, bytes, mode, true)
}

fn write_as(path: &Path, bytes: &[u8], mode: u32, sync: bool) -> Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut builder = tempfile::Builder::new();
    let prefix = format!(".{name}.");
    builder.prefix(&prefix).suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    let mut file = at("write", path, builder.tempfile_in(directory))?;
    at("write", path, file.write_all(bytes).and_then(|()| if sync { file.as_file().sync_all() } else { Ok(()) }))?;
    at("write", path, file.persist(path).map(drop).map_err(|error| error.error))
}

/// Holds a lock file until it is dropped. The file itself stays, because removing it would let two in.
#[derive(Debug)]
pub struct Lock {
    _file: std::fs::File,
}

/// Waits for the exclusive lock on a file, which is made where it is missing. The system frees it when the process dies.
pub fn lock(path: &Path) -> Result<Lock> {
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = at("open", path, file)?;
    at("lock", path, file.lock())?;
    Ok(Lock { _file: file })
}

/// Removes a file; one that is not there is fine.
pub fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => at("remove", path, result),
    }
}

/// Opens a file for reading piece by piece.
pub fn open(path: &Path) -> Result<io::BufReader<std::fs::File>> {
    Ok(io::BufReader::with_capacity(1 << 18, unbuffered(path)?))
}

/// Opens a file to be read in large parts.
pub fn unbuffered(path: &Path) -> Result<std::fs::File> {
    at("read", path, std::fs::File::open(path))
}

/// Writes a file as [`write`] does, readable by its owner alone: for secrets.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    write_as(path, bytes, 0o600, true)
}

/// Writes a new directory with files at relative paths. It gets its name when all of it is there.
pub fn write_tree<'a>(path: &Path, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_dir_all(parent)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".tmp").tempdir_in(parent);
    let temporary = at("create", path, temporary)?;
    let mut last = temporary.path().to_owned();
    for (file, data) in files {
        let target = temporary.path().join(file);
        if let Some(folder) = target.parent().filter(|folder| *folder != last) {
            create_dir_all(folder)?;
            folder.clone_into(&mut last);
        }
        // New ones only: on some disks two names are one file.
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&target);
        at("write", &target, file.and_then(|mut file| file.write_all(data)))?;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        at("write", path, std::fs::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o755)))?;
    }
    at("write", path, std::fs::rename(temporary.path(), path))?;
    // The directory has another name now; there is nothing to remove.
    let _ = temporary.keep();
    Ok(())
}

/// What tells whether a file was touched: its size, and the times of its content and of its entry in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub size: u64,
    pub modified: i128,
    pub changed: i128,
}

pub fn stamp(path: &Path) -> Result<Stamp> {
    Ok(stamp_of(&at("read", path, std::fs::metadata(path))?))
}

fn stamp_of(metadata: &std::fs::Metadata) -> Stamp {
    let nanoseconds = |time: std::time::SystemTime| match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    };
    let modified = metadata.modified().map_or(0, nanoseconds);
    #[cfg(unix)]
    let changed = {
        use std::os::unix::fs::MetadataExt;
        i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec())
    };
    #[cfg(not(unix))]
    let changed = modified;
    Stamp { size: metadata.len(), modified, changed }
}

/// Reads a file of at most so many bytes into room that is used again for the next one; `None` for a larger one. The
/// stamp is from before the reading, so that one that changes meanwhile differs from it.
pub fn read_into<'a>(path: &Path, room: &'a mut Vec<u8>, limit: u64) -> Result<Option<(Stamp, &'a [u8])>> {
    use std::io::Read;
    let mut file = at("read", path, std::fs::File::open(path))?;
    let stamp = stamp_of(&at("read", path, file.metadata())?);
    if stamp.size > limit {
        return Ok(None);
    }
    let mut length = 0;
    // One byte more than there are, so that the end shows without growing.
    let expected = stamp.size as usize + 1;
    while length as u64 <= limit {
        if room.len() < (length + 1).max(expected) {
            room.resize((length * 2).max(expected), 0);
        }
        match at("read", path, file.read(&mut room[length..]))? {
            0 => return Ok(Some((stamp, &room[..length]))),
            some => length += some,
        }
    }
    Ok(None)
}
