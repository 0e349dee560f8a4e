//! A chart repository in a directory: archives beside an `index.yaml`, for a web server, a share or GitHub Pages.

use super::error::{Error, Kind, Result};
use super::index::{Change, Index, bare_digest, conflict};
use super::{Download, Found, MAX_ARCHIVE, MAX_PROVENANCE, Receipt, Repository, Upload, index};
use crate::{fs, package};
use std::path::{Path, PathBuf};

/// Changes to the directory happen one at a time, under a lock on `.index.yaml.lock`: the archive first, then the
/// index, each whole.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Directory { path: path.into() }
    }

    fn index_path(&self) -> PathBuf {
        self.path.join("index.yaml")
    }

    fn read_index(&self) -> Result<Index> {
        match fs::read_text(&self.index_path()) {
            Ok(text) => Index::parse(text).map_err(|error| error.context(format!("`{}`", self.index_path().display()))),
            Err(error) if error.is_not_found() => Ok(Index::default()),
            Err(error) => Err(error.into()),
        }
    }

    fn write_index(&self, index: &Index, now: &str) -> Result<()> {
        Ok(fs::write(&self.index_path(), index.render(Some(now))?.as_bytes())?)
    }

    fn archive_path(&self, entry: &super::Entry) -> Result<PathBuf> {
        let Some(url) = entry.urls.first() else { return Err(super::no_url(entry)) };
        Ok(match url.strip_prefix("file://") {
            Some(path) => PathBuf::from(path),
            None if url.contains("://") => {
                let message = format!("`{}` {} is at {url}, not in this directory", entry.name, entry.version);
                return Err(Error::new(Kind::Usage, message).with_hint("pull from that repository's own URL"));
            }
            None => self.path.join(url),
        })
    }

    fn write_archive(&self, upload: &Upload) -> Result<()> {
        if let Some(provenance) = &upload.provenance {
            fs::write(&self.path.join(format!("{}.prov", upload.file_name)), provenance)?;
        }
        Ok(fs::write(&self.path.join(&upload.file_name), &upload.data)?)
    }
}

/// Locks a repository directory, and removes the temporary files of writers that died: nobody writes under the lock.
pub(super) fn lock(path: &Path) -> Result<fs::Lock> {
    let lock = fs::lock(&path.join(".index.yaml.lock"))?;
    for (name, path, is_directory) in fs::list(path)? {
        let ours = name.starts_with(".index.yaml.") || name.contains(".tgz.");
        if !is_directory && ours && name.starts_with('.') && name.ends_with(".tmp") {
            fs::remove(&path)?;
        }
    }
    Ok(lock)
}

impl Repository for Directory {
    fn publish(&self, upload: &Upload) -> Result<Receipt> {
        fs::create_dir_all(&self.path)?;
        let _lock = lock(&self.path)?;
        let mut index = self.read_index()?;
        let target = self.path.join(&upload.file_name);
        let provenance = self.path.join(format!("{}.prov", upload.file_name));
        let receipt = |change| Receipt::new(change, target.display().to_string(), upload);
        let mut replaces = false;
        if let Some(there) = index.digest(upload.name(), upload.version()) {
            if there == Some(&*upload.digest) {
                let intact = fs::read(&target).is_ok_and(|data| package::digest(&data) == upload.digest);
                let is_unsigned = upload.provenance.is_some() && !fs::exists(&provenance);
                if !intact || is_unsigned {
                    self.write_archive(upload)?;
                }
                return Ok(receipt(if is_unsigned { Change::Signed } else { Change::Same }));
            }
            if !upload.force {
                return Err(conflict(upload.name(), upload.version(), there, Some(&upload.digest)));
            }
            // The old entry goes before its archive does, so that no index ever names bytes that are not there.
            index.retain(|listed| listed.name != upload.name() || listed.version != upload.version());
            self.write_index(&index, &upload.now)?;
            fs::remove(&provenance)?;
            replaces = true;
        }
        self.write_archive(upload)?;
        index.publish(upload.entry(&upload.file_name), false)?;
        self.write_index(&index, &upload.now)?;
        Ok(receipt(if replaces { Change::Replaced } else { Change::Added }))
    }

    fn charts(&self, names: &[&str]) -> Result<index::Charts> {
        let path = self.index_path();
        let charts = index::read_charts(&mut fs::open(&path)?, names);
        charts.map_err(|error| error.context(format!("`{}`", path.display())))
    }

    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn fetch(&self, found: &Found) -> Result<Download> {
        let entry = found.entry()?;
        let path = self.archive_path(&entry)?;
        if fs::exists(&path) && !fs::is_file(&path) {
            return Err(Error::new(Kind::Malformed, format!("`{}` is not a file", path.display())));
        }
        let data = fs::read_at_most(&path, MAX_ARCHIVE)?.ok_or_else(|| {
            Error::new(Kind::Malformed, format!("`{}` has more than {MAX_ARCHIVE} bytes", path.display()))
        })?;
        Ok(Download {
            data,
            url: path.display().to_string(),
            digest: Some(bare_digest(&entry.digest).to_owned()).filter(|digest| !digest.is_empty()),
            manifest_digest: None,
            is_new: false,
        })
    }

    fn provenance(&self, found: &Found) -> Result<Option<Vec<u8>>> {
        let path = self.archive_path(&found.entry()?)?;
        match fs::read_at_most(&PathBuf::from(format!("{}.prov", path.display())), MAX_PROVENANCE) {
            Ok(data) => Ok(data),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
