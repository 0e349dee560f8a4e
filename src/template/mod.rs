//! Rendering templates. The file name chooses the [`Dialect`]: `*.j2` is Jinja, everything else Helm's Go templates.

mod capabilities;
pub mod helm;
pub mod jinja;

pub use capabilities::{Capabilities, Served};

use crate::chart::{File, Metadata};
use crate::diagnostic::{Failure, FileId, SourceMap};
use crate::yaml::Node;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The file of a time zone, by the zone's name.
pub type ZoneFile = fn(&str) -> Option<Vec<u8>>;

/// Everything a render depends on besides charts and values. Same inputs, same output.
#[derive(Debug, Clone)]
pub struct Context {
    pub release: Release,
    pub capabilities: Capabilities,
    pub limits: Limits,
    /// Seed of random functions and keys; `None` takes fresh randomness from the system.
    pub seed: Option<u64>,
    /// What `now` returns: nanoseconds since the Unix epoch.
    pub now: i128,
    /// The local time zone's IANA name (the variable `TZ`); `None` takes the machine's.
    pub time_zone: Option<String>,
    /// Objects that `lookup` finds, from `--lookup-dir`.
    pub lookup: Vec<Node>,
    /// Where the files of the system's database of time zones come from.
    pub zone_file: Option<ZoneFile>,
    /// Whom `getHostByName` may ask for the addresses of a host; `None` gives no address.
    pub resolver: Option<fn(&str) -> Vec<IpAddr>>,
    /// Whether to record which values are read and what in the templates wrote what, for reports on unused values and
    /// for the places in findings.
    pub record_reads: bool,
}

/// A release like any other, the same on every machine at any time: for renders that nobody installs.
impl Default for Context {
    fn default() -> Self {
        Context {
            release: Release::default(),
            capabilities: Capabilities::default(),
            limits: Limits::default(),
            seed: Some(0),
            now: 0,
            time_zone: Some("UTC".to_owned()),
            lookup: Vec::new(),
            zone_file: None,
            resolver: None,
            record_reads: false,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Release {
    pub name: String,
    pub namespace: String,
    pub revision: i64,
    pub is_upgrade: bool,
    /// `Helm`, as charts expect in the label `app.kubernetes.io/managed-by`.
    pub service: String,
}

impl Default for Release {
    fn default() -> Self {
        Release {
            name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            revision: 1,
            is_upgrade: false,
            service: "Helm".to_owned(),
        }
    }
}

/// What stops a hostile template.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Nested template calls.
    pub recursion: u32,
    /// Evaluation steps of one template file.
    pub fuel: u64,
    /// Bytes of output of one template file.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { recursion: 1000, fuel: 50_000_000, output: 256 << 20 }
    }
}

/// One chart of the tree that is rendered: the root, or an enabled subchart under its alias.
#[derive(Debug, Clone)]
pub struct Scope {
    /// `web`, or `web/charts/redis` for a subchart.
    pub path: Arc<str>,
    pub metadata: Arc<Metadata>,
    /// Files that templates may read: all but metadata, values, schema, templates and subcharts.
    pub files: Arc<Vec<File>>,
    pub parent: Option<usize>,
    /// Indices of the subcharts, in the order in which Helm walks them.
    pub children: Vec<usize>,
    /// Name under which the parent's values hold this chart's values: the last part of `path`.
    pub name: Arc<str>,
    pub is_library: bool,
}

/// A file under `templates/` of some scope.
#[derive(Debug, Clone)]
pub struct Template {
    /// `web/templates/service.yaml.j2`: scope path and path in the chart. Unique.
    pub name: Arc<str>,
    pub scope: usize,
    pub text: Arc<str>,
    pub file: FileId,
}

impl Template {
    pub fn is_jinja(&self) -> bool {
        self.name.ends_with(".j2")
    }

    /// Partials (`_helpers.tpl`, `_macros.j2`) are for others to use and give no output.
    pub fn is_partial(&self) -> bool {
        self.name.rsplit('/').next().is_some_and(|base| base.starts_with('_'))
    }

    /// The name in `# Source:` comments and output directories: without `.j2`.
    pub fn output_name(&self) -> &str {
        self.name.strip_suffix(".j2").unwrap_or(&self.name)
    }
}

/// All that a dialect needs to render templates. `scopes[0]` is the root chart.
#[derive(Debug, Clone)]
pub struct Project {
    pub context: Context,
    pub scopes: Vec<Scope>,
    pub templates: Vec<Template>,
    /// The root chart's final values; a subchart's are those under its name, level by level.
    pub values: Node,
}

impl Project {
    /// The final values of a scope. Helm takes a chart's name for a path here, so a chart whose name has a dot
    /// finds no values.
    pub fn values_of(&self, scope: usize) -> Option<&Node> {
        match self.scopes[scope].parent {
            None => Some(&self.values),
            Some(parent) => self.values_of(parent)?.at(self.scopes[scope].name.split('.')),
        }
    }
}

/// What one template file rendered to.
#[derive(Debug, Clone)]
pub struct Output {
    /// Index in [`Project::templates`].
    pub template: usize,
    pub text: String,
    /// Empty where reads are not recorded.
    pub map: SourceMap,
}

/// Which values a render read, as paths from the root chart's values: `["redis", "image", "tag"]`.
/// A path stands for everything below it when `whole`.
#[derive(Debug, Clone, Default)]
pub struct Reads {
    pub paths: BTreeMap<Vec<Arc<str>>, bool>,
}

/// A template language. One instance renders all its templates of a project, in the order it is asked to:
/// templates share state (values that `set` changes, parsed partials).
pub trait Dialect {
    /// Renders the template with this index.
    fn render(&mut self, template: usize) -> Result<Output, Failure>;

    /// Calls a named template or macro of this dialect from the other one: `include("common.names.fullname", ctx)`.
    fn include(&mut self, name: &str, scope: usize, argument: Argument) -> Result<String, Failure>;

    /// What has been read so far.
    fn reads(&self) -> Reads;
}

/// What a template of one dialect passes to a named template of the other.
#[derive(Debug, Clone)]
pub enum Argument {
    /// The root context of the calling scope (`.` at the top of a Go template).
    Root,
    /// Where a part of it is a [`RootContext`], the calling scope's root context is meant.
    Value(crate::value::Value),
}

/// Stands for the calling scope's root context inside an [`Argument::Value`]: what `ctx` is in Jinja, as in
/// `include("common.tplvalues.render", {"value": values.extra, "context": ctx})`.
#[derive(Debug, Clone, Copy)]
pub struct RootContext;

impl crate::value::Object for RootContext {
    fn type_name(&self) -> std::borrow::Cow<'static, str> {
        "common.Values".into()
    }

    fn kind(&self) -> &'static str {
        "map"
    }

    fn field(&self, _: &str) -> Option<crate::value::Value> {
        None
    }

    fn call(&self, _: &str, _: &[crate::value::Value]) -> Option<Result<crate::value::Value, String>> {
        None
    }

    fn display(&self) -> String {
        "ctx".to_owned()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
