//! The names that templates see: `values`, `release`, `chart`, `capabilities`, `files`, `template`, `subcharts`, `ctx`.

use super::data::{Log, Trail, view};
use super::files::Files;
use crate::chart::{Dependency, Metadata};
use crate::template::{Project, Template};
use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The top-level names, for suggestions.
pub(super) const NAMES: &[&str] =
    &["values", "release", "chart", "capabilities", "files", "template", "subcharts", "ctx"];

/// What all templates of a project share.
pub(super) struct Shared {
    project: Arc<Project>,
    values: Value,
    trail: Arc<Trail>,
    log: Arc<Log>,
    release: OnceLock<Value>,
    capabilities: OnceLock<Value>,
    scopes: Vec<Scope>,
}

/// What the templates of one chart share; made when it is asked for.
#[derive(Default)]
struct Scope {
    chart: OnceLock<Value>,
    files: OnceLock<Value>,
    values: OnceLock<Value>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

fn map<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::from_pairs(entries)
}

impl Shared {
    pub(super) fn new(project: Arc<Project>, trail: Arc<Trail>, log: Arc<Log>) -> Self {
        let values = view(&project.values, &trail, &log);
        let scopes = project.scopes.iter().map(|_| Scope::default()).collect();
        Shared { project, values, trail, log, release: OnceLock::new(), capabilities: OnceLock::new(), scopes }
    }

    fn release(&self) -> Value {
        let release = &self.project.context.release;
        let make = || {
            map([
                ("name", Value::from(release.name.as_str())),
                ("namespace", Value::from(release.namespace.as_str())),
                ("revision", Value::from(release.revision)),
                ("is_install", Value::from(!release.is_upgrade)),
                ("is_upgrade", Value::from(release.is_upgrade)),
                ("service", Value::from(release.service.as_str())),
            ])
        };
        self.release.get_or_init(make).clone()
    }

    fn capabilities(&self) -> Value {
        let capabilities = &self.project.context.capabilities;
        let make = || {
            let version = KubeVersion {
                text: capabilities.kube_version.clone(),
                major: capabilities.major.clone(),
                minor: capabilities.minor.clone(),
            };
            map([
                ("kube_version", Value::from_object(version)),
                ("api_versions", Value::from_object(ApiVersions { project: Arc::clone(&self.project) })),
                ("helm_version", Value::from(capabilities.helm_version.as_str())),
            ])
        };
        self.capabilities.get_or_init(make).clone()
    }

    fn chart(&self, scope: usize) -> Value {
        let make = || chart(&self.project.scopes[scope].metadata, scope == 0);
        self.scopes[scope].chart.get_or_init(make).clone()
    }

    fn files(&self, scope: usize) -> Value {
        let make = || Value::from_object(Files::new(&self.project.scopes[scope].files));
        self.scopes[scope].files.get_or_init(make).clone()
    }

    /// The values of a chart: a part of its parent's.
    fn values(&self, scope: usize) -> Value {
        let Some(parent) = self.project.scopes[scope].parent else { return self.values.clone() };
        let make = || {
            let mut value = self.values(parent);
            for part in self.project.scopes[scope].name.split('.') {
                value = value.get_attr(part).unwrap_or(Value::UNDEFINED);
            }
            if value.kind() == minijinja::value::ValueKind::Map {
                value
            } else {
                let file = self.project.values.span.file;
                view(&crate::yaml::Node::empty_map(file), &self.trail, &self.log)
            }
        };
        self.scopes[scope].values.get_or_init(make).clone()
    }
}

fn texts(items: &[String]) -> Value {
    items.iter().map(|item| Value::from(item.as_str())).collect::<Vec<Value>>().into()
}

/// `Chart.yaml` with the fields' names in snake case.
fn chart(metadata: &Metadata, is_root: bool) -> Value {
    let text = |text: &str| Value::from(text);
    let dependency = |dependency: &Dependency| {
        map([
            ("name", text(&dependency.name)),
            ("version", text(&dependency.version)),
            ("repository", text(&dependency.repository)),
            ("condition", text(&dependency.condition)),
            ("tags", texts(&dependency.tags)),
            ("alias", text(&dependency.alias)),
        ])
    };
    let maintainers = metadata.maintainers.iter().map(|maintainer| {
        map([("name", text(&maintainer.name)), ("email", text(&maintainer.email)), ("url", text(&maintainer.url))])
    });
    let annotations = metadata.annotations.iter().map(|(key, value)| (key.as_str(), text(value)));
    map([
        ("name", text(&metadata.name)),
        ("version", text(&metadata.version)),
        ("app_version", text(&metadata.app_version)),
        ("api_version", text(&metadata.api_version)),
        ("kube_version", text(&metadata.kube_version)),
        ("description", text(&metadata.description)),
        ("type", text(&metadata.kind)),
        ("keywords", texts(&metadata.keywords)),
        ("home", text(&metadata.home)),
        ("sources", texts(&metadata.sources)),
        ("icon", text(&metadata.icon)),
        ("deprecated", Value::from(metadata.deprecated)),
        ("annotations", Value::from_pairs(annotations)),
        ("maintainers", maintainers.collect::<Vec<Value>>().into()),
        ("dependencies", metadata.dependencies.iter().map(dependency).collect::<Vec<Value>>().into()),
        ("is_root", Value::from(is_root)),
    ])
}

/// The root of a template's names, or of a subchart's under `subcharts`.
#[derive(Debug)]
pub(super) struct Root {
    shared: Arc<Shared>,
    scope: usize,
    /// The full name of the template; none for a subchart.
    template: Option<Arc<str>>,
}

impl Root {
    pub(super) fn new(shared: &Arc<Shared>, template: &Template) -> Self {
        Root { shared: Arc::clone(shared), scope: template.scope, template: Some(Arc::clone(&template.name)) }
    }

    pub(super) fn of_scope(shared: &Arc<Shared>, scope: usize) -> Self {
        Root { shared: Arc::clone(shared), scope, template: None }
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let shared = &self.shared;
        Some(match key {
            "values" => shared.values(self.scope),
            "release" => shared.release(),
            "chart" => shared.chart(self.scope),
            "capabilities" => shared.capabilities(),
            "files" => shared.files(self.scope),
            "subcharts" => Value::from_object(Subcharts { shared: Arc::clone(shared), scope: self.scope }),
            "template" => {
                let base = format!("{}/templates", shared.project.scopes[self.scope].path);
                let name = self.template.as_deref().unwrap_or_default();
                map([("name", Value::from(name)), ("base_path", Value::from(base))])
            }
            "ctx" => Value::from_object(ContextMark),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(NAMES)
    }
}

/// `ctx`: stands for the calling chart's root context where a named Go template is called.
#[derive(Debug)]
pub(super) struct ContextMark;

impl Object for ContextMark {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ctx")
    }
}

/// The charts below, by name.
#[derive(Debug)]
struct Subcharts {
    shared: Arc<Shared>,
    scope: usize,
}

impl Object for Subcharts {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let scopes = &self.shared.project.scopes;
        let scope = scopes[self.scope].children.iter().copied().find(|&child| &*scopes[child].name == name)?;
        Some(Value::from_object(Root::of_scope(&self.shared, scope)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let scopes = &self.shared.project.scopes;
        let names = scopes[self.scope].children.iter().map(|&child| Value::from(Arc::clone(&scopes[child].name)));
        Enumerator::Values(names.collect())
    }
}

/// The cluster's version: a text with parts.
#[derive(Debug)]
struct KubeVersion {
    text: String,
    major: String,
    minor: String,
}

impl Object for KubeVersion {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "version" | "git_version" => Value::from(self.text.as_str()),
            "major" => Value::from(self.major.as_str()),
            "minor" => Value::from(self.minor.as_str()),
            _ => return None,
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The API versions that the cluster has: a list with `has`.
#[derive(Debug)]
struct ApiVersions {
    project: Arc<Project>,
}

impl ApiVersions {
    fn list(&self) -> &[String] {
        &self.project.context.capabilities.served
    }
}

impl Object for ApiVersions {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.list().get(key.as_usize()?).map(|version| Value::from(version.as_str()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.list().len())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "has" => {
                let (version,): (&str,) = minijinja::value::from_args(arguments)?;
                Ok(Value::from(self.list().iter().any(|known| known == version)))
            }
            _ => Err(Error::new(ErrorKind::UnknownMethod, format!("`api_versions` has no method `{method}`"))),
        }
    }
}
