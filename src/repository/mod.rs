//! Where charts are published and found: ChartMuseum, plain HTTP, OCI registries, directories.
//!
//! [`open`] makes a [`Repository`] of a URL; its kind follows from the scheme, or from a probe when something is
//! published over HTTP. Nothing is half-published: the archive is up before an index names it.

pub mod auth;
mod cache;
pub mod dependency;
mod directory;
pub mod docker;
mod error;
pub mod http;
pub mod index;
pub mod listing;
pub mod lock;
mod mutex;
pub mod oci;
mod parallel;
pub mod resolve;
mod server;
mod settle;

pub use cache::Cache;
pub use directory::Directory;
pub use error::{Error, Kind, Result, redacted, shown};
pub use index::{Change, Entry, Found};
pub use resolve::{Fetched, Wanted};
pub use server::{Protocol, Server};

use crate::chart::{Metadata, archive};
use crate::package;
use std::sync::Arc;

/// Bytes of the largest archive that is fetched or read.
const MAX_ARCHIVE: u64 = 200 << 20;
/// Bytes of the largest provenance file.
const MAX_PROVENANCE: u64 = 1 << 20;

/// A place that charts are published to and fetched from.
pub trait Repository: Send + Sync {
    /// Publishes an archive, or finds it published already. Another archive under the same version is an error, unless
    /// the upload forces it.
    fn publish(&self, upload: &Upload) -> Result<Receipt>;

    /// The versions of some charts, in the repository's order. One that is not there is missing.
    fn charts(&self, names: &[&str]) -> Result<index::Charts>;

    /// Where it is, for messages.
    fn location(&self) -> String;

    /// The versions of a chart that must be there.
    fn versions(&self, name: &str) -> Result<Vec<Found>> {
        self.charts(&[name])?.remove(name).ok_or_else(|| no_chart(name, &self.location()))
    }

    /// A version that is known exactly, where the repository can be asked for it without a list.
    fn exact(&self, _name: &str, _version: &str) -> Option<Found> {
        None
    }

    /// Fetches a version's archive.
    fn fetch(&self, found: &Found) -> Result<Download>;

    /// Fetches the archives of several versions, some at a time, in their order.
    fn fetch_all(&self, found: &[&Found]) -> Result<Vec<Download>> {
        parallel::parallel(parallel::TRANSFERS, found, |found| self.fetch(found))
    }

    /// Fetches a version's provenance file.
    fn provenance(&self, found: &Found) -> Result<Option<Vec<u8>>>;
}

/// An archive to publish.
#[derive(Debug, Clone)]
pub struct Upload {
    pub metadata: Metadata,
    /// `<name>-<version>.tgz`
    pub file_name: String,
    pub data: Arc<[u8]>,
    /// SHA-256 in hex.
    pub digest: String,
    /// The archive's own time: that of its `Chart.yaml`, in seconds since the Unix epoch.
    pub modified: u64,
    pub provenance: Option<Arc<[u8]>>,
    /// The time of publication, in RFC 3339.
    pub now: String,
    pub force: bool,
}

impl Upload {
    /// Reads an archive's metadata. The name that it is published under follows from them.
    pub fn new(data: Vec<u8>, now: String) -> Result<Self> {
        let refuse = |why: String| Error::new(Kind::Malformed, why);
        let limits = archive::Limits::default();
        let entry = archive::read_file(&data, &limits, "Chart.yaml").map_err(|error| refuse(error.to_string()))?;
        let entry = entry.ok_or_else(|| refuse("the archive has no `Chart.yaml`".to_owned()))?;
        let text = String::from_utf8(entry.data).map_err(|_| refuse("`Chart.yaml` is not UTF-8 text".to_owned()))?;
        let metadata = Metadata::parse(&text).map_err(|why| refuse(format!("`Chart.yaml`: {why}")))?;
        let digest = package::digest(&data);
        let file_name = resolve::file_name(&metadata).map_err(refuse)?;
        let data = data.into();
        let modified = entry.modified;
        Ok(Upload { metadata, file_name, data, digest, modified, provenance: None, now, force: false })
    }

    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    pub fn version(&self) -> &str {
        &self.metadata.version
    }

    /// The index entry of this archive at a URL.
    fn entry(&self, url: &str) -> index::Published {
        index::Published::new(&self.metadata, url, &self.digest, &self.now)
    }
}

/// What publishing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub change: Change,
    /// Where the archive is.
    pub location: String,
    /// SHA-256 of the archive in hex.
    pub digest: String,
    /// `sha256:…` of the manifest, in an OCI registry.
    pub manifest_digest: Option<String>,
}

impl Receipt {
    fn new(change: Change, location: String, upload: &Upload) -> Self {
        Receipt { change, location, digest: upload.digest.clone(), manifest_digest: None }
    }
}

/// A fetched archive, not yet checked against its digest.
#[derive(Debug)]
pub struct Download {
    pub data: Vec<u8>,
    pub url: String,
    /// SHA-256 in hex that it must have, as far as the repository says.
    pub digest: Option<String>,
    /// `sha256:…` of the manifest, in an OCI registry.
    pub manifest_digest: Option<String>,
    /// Whether it came from a server just now, so that the cache wants it.
    pub is_new: bool,
}

fn no_chart(name: &str, repository: &str) -> Error {
    Error::new(Kind::Missing, format!("there is no chart `{name}` in `{repository}`"))
}

fn no_url(entry: &Entry) -> Error {
    Error::new(Kind::Malformed, format!("the index has no URL for `{}` {}", entry.name, entry.version))
}
