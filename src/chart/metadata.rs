//! `Chart.yaml`, with Helm's field names.

use crate::diagnostic::Span;
use indexmap::IndexMap;

/// The contents of `Chart.yaml`. Absent strings are empty, as in Helm.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// `v1` or `v2`.
    pub api_version: String,
    pub name: String,
    pub version: String,
    pub kube_version: String,
    pub description: String,
    /// `application`, `library` or empty.
    pub kind: String,
    pub keywords: Vec<String>,
    pub home: String,
    pub sources: Vec<String>,
    pub dependencies: Vec<Dependency>,
    /// Whether there is a `dependencies:` list, even an empty one. Helm looks into subcharts only then.
    pub declares_dependencies: bool,
    pub maintainers: Vec<Maintainer>,
    pub icon: String,
    pub app_version: String,
    pub deprecated: bool,
    pub annotations: IndexMap<String, String>,
    /// Whether there is an `annotations:` mapping, even an empty one. Templates see it.
    pub declares_annotations: bool,
    pub condition: String,
    pub tags: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Maintainer {
    pub name: String,
    pub email: String,
    pub url: String,
}

/// An entry of `dependencies:`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dependency {
    pub name: String,
    pub version: String,
    pub repository: String,
    pub condition: String,
    pub tags: Vec<String>,
    pub enabled: bool,
    pub import_values: Vec<ImportValues>,
    pub alias: String,
    /// The entry in `Chart.yaml`.
    pub span: Option<Span>,
}

impl Dependency {
    /// The name under which the dependency's values stand: its alias, or else its name.
    pub fn effective_name(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }
}

/// An entry of `import-values:`.
#[derive(Debug, Clone, PartialEq)]
pub enum ImportValues {
    /// `- NAME`: what the child exports under `exports.NAME`.
    Export(String),
    /// `- child: …, parent: …`.
    Copy { child: String, parent: String },
}
