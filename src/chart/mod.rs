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
use crate::yaml::Node;
use std::sync::Arc;

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
    pub data: Arc<[u8]>,
    /// Its text in [`crate::diagnostic::Sources`]; `None` for files that are not UTF-8 text.
    pub source: Option<FileId>,
}

impl Chart {
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.binary_search_by(|file| (*file.path).cmp(path)).ok().map(|at| &self.files[at])
    }
}
