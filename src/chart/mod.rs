//! A chart in memory: the same whether it came from a directory, an archive or a registry.

pub mod archive;
mod chartfile;
mod ignore;
mod loader;
mod metadata;
mod pattern;
mod values_file;

pub use ignore::{IgnoreRules, RuleError};
pub use loader::{Files, files, head, load, load_archive};
pub use metadata::{Dependency, ImportValues, Maintainer, Metadata};
pub use pattern::{BadPattern, Pattern};
pub use values_file::{ValuesFile, merge, read_values};

use crate::diagnostic::{Diagnostic, FileId};
use crate::fs;
use crate::yaml::Node;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// A chart with all its files and subcharts.
#[derive(Debug, Clone)]
pub struct Chart {
    pub metadata: Metadata,
    /// Where the chart is, as users would type it: prefix of its files' names in messages.
    pub location: Arc<str>,
    /// Every file of the chart itself (not of its subcharts), by path relative to the chart, sorted.
    /// Templates, values, schema and metadata are among them.
    pub files: Vec<File>,
    /// `values.yaml`, all its documents merged; an empty mapping where there is none.
    pub values: Node,
    /// Subcharts found in `charts/`, as loaded: before conditions, tags and aliases.
    pub subcharts: Vec<Chart>,
    /// Paths of the manifests in `crds/`, in the order in which they were loaded.
    pub crds: Vec<Arc<str>>,
    /// What is suspicious in `Chart.yaml` and `values.yaml` but no reason to refuse the chart. Those of subcharts
    /// are theirs.
    pub findings: Vec<Diagnostic>,
}

/// A file of a chart.
#[derive(Debug, Clone)]
pub struct File {
    /// Relative to the chart, with `/`: `templates/service.yaml.j2`.
    pub path: Arc<str>,
    content: Content,
    /// Its text in [`crate::diagnostic::Sources`]; `None` for files that are not UTF-8 text, and for those that only
    /// templates may ask for.
    pub source: Option<FileId>,
}

/// A file's bytes without a byte order mark.
#[derive(Debug, Clone)]
enum Content {
    Here(Arc<[u8]>),
    /// Most renders ask neither for the files of a directory that are no templates nor for its `crds/`.
    OnDisk(Arc<OnDisk>),
}

#[derive(Debug)]
struct OnDisk {
    path: PathBuf,
    data: OnceLock<Arc<[u8]>>,
}

impl OnDisk {
    /// A file that is gone by now is empty, as one that is not there is for a template.
    fn data(&self) -> &Arc<[u8]> {
        self.data.get_or_init(|| without_bom(fs::read(&self.path).unwrap_or_default()).into())
    }
}

/// Helm drops the mark wherever it loads a file.
fn without_bom(mut data: Vec<u8>) -> Vec<u8> {
    if data.starts_with(b"\xef\xbb\xbf") {
        data.drain(..3);
    }
    data
}

impl File {
    /// A file with these bytes.
    pub fn new(path: impl Into<Arc<str>>, data: impl Into<Arc<[u8]>>, source: Option<FileId>) -> Self {
        File { path: path.into(), content: Content::Here(data.into()), source }
    }

    pub fn data(&self) -> &Arc<[u8]> {
        match &self.content {
            Content::Here(data) => data,
            Content::OnDisk(file) => file.data(),
        }
    }
}

impl Chart {
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.binary_search_by(|file| (*file.path).cmp(path)).ok().map(|at| &self.files[at])
    }
}
