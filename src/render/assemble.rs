//! From a chart, the user's values and a context to all that the template dialects need.

use crate::chart::{Chart, File, Metadata};
use crate::diagnostic::{Code, Diagnostic, Failure, Sources};
use crate::schema::values::{self as values_schema, ValuesReport};
use crate::template::{Context, Project, Scope, Template};
use crate::value::text_from_bytes;
use crate::values::{Layered, Tree, UnitId, resolve};
use crate::version::{Constraint, Version};
use crate::yaml::Node;
use std::collections::HashMap;
use std::sync::Arc;

/// What may be left out on the way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Do not hold values against `values.schema.json`.
    pub skip_schema_validation: bool,
    /// Also accept what cannot be installed: a library chart, a chart whose dependencies are missing, a chart for
    /// another version of Kubernetes.
    pub incomplete: bool,
}

/// A chart that is ready to be rendered.
#[derive(Debug, Clone)]
pub struct Assembly {
    pub project: Project,
    /// The manifests in `crds/`, the root's first, in Helm's order.
    pub crds: Vec<Crd>,
    /// What is suspicious in the charts and values.
    pub findings: Vec<Diagnostic>,
}

/// A file in some chart's `crds/`.
#[derive(Debug, Clone)]
pub struct Crd {
    /// `web/crds/widgets.yaml`
    pub name: String,
    pub file: File,
}

/// Enables subcharts, coalesces and checks values, and lists the templates in Helm's order: the deepest paths first,
/// and names from the last to the first. That is the order of parsing, where later definitions win, and of rendering.
pub fn assemble(
    chart: &Chart,
    layered: &Layered,
    context: Context,
    options: Options,
    sources: &mut Sources,
) -> Result<Assembly, Failure> {
    if !options.incomplete {
        installable(chart)?;
    }
    let resolved = resolve(chart, layered)?;
    let mut remote = Vec::new();
    if !options.skip_schema_validation {
        let mut reports = Vec::new();
        check_values(&resolved.tree, Tree::ROOT, &mut Vec::new(), &resolved.values, sources, &mut reports);
        let errors: Vec<Diagnostic> = reports.iter_mut().flat_map(|report| report.errors.drain(..)).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        remote = reports.into_iter().flat_map(|report| report.findings).collect();
    }
    if !options.incomplete {
        runs_on(&chart.metadata, chart, &context, sources)?;
    }
    let mut builder = Builder {
        tree: &resolved.tree,
        sources,
        scopes: Vec::new(),
        templates: Vec::new(),
        by_name: HashMap::new(),
        crds: Vec::new(),
    };
    builder.scope(Tree::ROOT, None);
    let Builder { scopes, mut templates, crds, .. } = builder;
    templates.sort_by(|a, b| render_order(&a.name, &b.name));
    let mut findings = layered.findings.clone();
    collect_findings(chart, &mut findings);
    findings.extend(resolved.findings);
    findings.extend(remote);
    Ok(Assembly { project: Project { context, scopes, templates, values: resolved.values }, crds, findings })
}

/// Helm's order of parsing and rendering.
fn render_order(a: &str, b: &str) -> std::cmp::Ordering {
    let depth = |name: &str| name.bytes().filter(|&byte| byte == b'/').count();
    depth(b).cmp(&depth(a)).then_with(|| b.cmp(a))
}

fn collect_findings(chart: &Chart, findings: &mut Vec<Diagnostic>) {
    findings.extend(chart.findings.iter().cloned());
    for subchart in &chart.subcharts {
        collect_findings(subchart, findings);
    }
}

/// Helm refuses to install library charts, and charts whose dependencies are not in `charts/`.
fn installable(chart: &Chart) -> Result<(), Failure> {
    let metadata = &chart.metadata;
    if !matches!(metadata.kind.as_str(), "" | "application") {
        let diagnostic = Diagnostic::new(Code::InvalidChart, format!("{} charts are not installable", metadata.kind));
        return Err(vec![diagnostic.hint("render a chart that uses it")]);
    }
    let missing: Vec<_> = metadata
        .dependencies
        .iter()
        .filter(|dependency| !chart.subcharts.iter().any(|subchart| subchart.metadata.name == dependency.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|dependency| dependency.name.as_str()).collect();
    let message = format!("found in Chart.yaml, but missing in charts/ directory: {}", names.join(", "));
    let mut diagnostic = Diagnostic::new(Code::InvalidChart, message);
    for dependency in &missing {
        if let Some(span) = dependency.span {
            diagnostic = diagnostic.label(span, "not in `charts/`");
        }
    }
    Err(vec![diagnostic.hint(format!("`chart dependency build {}` fetches what is missing", chart.location))])
}

/// Holds the values of a chart and its subcharts against their schemas.
fn check_values<'t>(
    tree: &'t Tree<'_>,
    id: UnitId,
    path: &mut Vec<&'t str>,
    values: &Node,
    sources: &Sources,
    reports: &mut Vec<ValuesReport>,
) {
    reports.push(values_schema::check(tree.unit(id).chart, tree.name(id), path, values, sources));
    for &subchart in tree.subcharts(id) {
        let name = tree.name(subchart);
        let Some(values) = values.get(name) else { continue };
        path.push(name);
        check_values(tree, subchart, path, values, sources, reports);
        path.pop();
    }
}

/// Holds the root's `kubeVersion` against the cluster's version.
fn runs_on(metadata: &Metadata, chart: &Chart, context: &Context, sources: &Sources) -> Result<(), Failure> {
    let wanted = &metadata.kube_version;
    let cluster = &context.capabilities;
    let compatible = match (Constraint::parse(wanted), Version::parse(&cluster.normalized)) {
        (Ok(range), Ok(version)) => range.matches(&version),
        _ => false,
    };
    if wanted.is_empty() || compatible {
        return Ok(());
    }
    let message =
        format!("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {}", cluster.kube_version);
    let diagnostic = Diagnostic::new(Code::InvalidChart, message);
    let place = chart.file("Chart.yaml").and_then(|file| file.source).and_then(|file| {
        let read = crate::yaml::read(sources.text(file), file);
        read.documents.first()?.get("kubeVersion").map(|node| node.span)
    });
    let diagnostic = place.into_iter().fold(diagnostic, |it, span| it.label(span, "required here"));
    Err(vec![diagnostic.hint("choose another version with `--kube-version`")])
}

struct Builder<'t, 'a> {
    tree: &'t Tree<'a>,
    sources: &'t mut Sources,
    scopes: Vec<Scope>,
    templates: Vec<Template>,
    by_name: HashMap<Arc<str>, usize>,
    crds: Vec<Crd>,
}

impl Builder<'_, '_> {
    fn scope(&mut self, id: UnitId, parent: Option<usize>) -> usize {
        let (unit, metadata) = (self.tree.unit(id), self.tree.metadata(id));
        let index = self.scopes.len();
        self.scopes.push(Scope {
            path: Arc::clone(&unit.path),
            metadata: Arc::new(metadata.clone()),
            files: Arc::new(
                unit.chart.files.iter().filter(|file| is_readable(&file.path, metadata)).cloned().collect(),
            ),
            parent,
            children: Vec::new(),
            name: Arc::clone(self.tree.name(id)),
            is_library: metadata.kind.eq_ignore_ascii_case("library"),
        });
        for path in &unit.chart.crds {
            if let Some(file) = unit.chart.file(path) {
                self.crds.push(Crd { name: format!("{}/{path}", unit.path), file: file.clone() });
            }
        }
        for &subchart in self.tree.subcharts(id) {
            let child = self.scope(subchart, Some(index));
            self.scopes[index].children.push(child);
        }
        self.templates_of(id, index);
        index
    }

    /// A chart's own templates; of a library only partials. A name that two charts share is the last one's.
    fn templates_of(&mut self, id: UnitId, scope: usize) {
        let unit = self.tree.unit(id);
        let is_library = self.scopes[scope].is_library;
        for file in &unit.chart.files {
            let base = file.path.rsplit('/').next().unwrap_or(&file.path);
            if !file.path.starts_with("templates/") || is_library && !base.starts_with('_') {
                continue;
            }
            let name: Arc<str> = format!("{}/{}", unit.path, file.path).into();
            let (text, file) = match file.source {
                Some(source) => (self.sources.shared_text(source), source),
                None => {
                    let text: Arc<str> = text_from_bytes(file.data()).into();
                    let shown = format!("{}/{}", unit.chart.location, file.path);
                    (Arc::clone(&text), self.sources.add(shown, text))
                }
            };
            let template = Template { name: Arc::clone(&name), scope, text, file };
            match self.by_name.get(&name) {
                Some(&at) => self.templates[at] = template,
                None => {
                    self.by_name.insert(name, self.templates.len());
                    self.templates.push(template);
                }
            }
        }
    }
}

/// Whether `.Files` has a file.
fn is_readable(path: &str, metadata: &Metadata) -> bool {
    match path {
        "Chart.yaml" | "Chart.lock" | "values.yaml" | "values.schema.json" => false,
        "requirements.yaml" | "requirements.lock" => metadata.api_version == "v1",
        path => !path.starts_with("templates/"),
    }
}
