//! From a loaded chart to manifests: the stages in their order.

use super::assemble::{Crd, Options, assemble};
use super::driver::{Rendered, render};
use super::origin::{Layers, explain, show_use};
use crate::chart::Chart;
use crate::diagnostic::{Code, Diagnostic, Failure, FileId, Sources};
use crate::manifest::{Depth, Manifests, Text, collect};
use crate::schema::{Checker, Wanted};
use crate::template::{Context, Dialect, Project, Scope, Template, helm};
use crate::values::Layered;
use crate::yaml::{self, Node};
use std::sync::Arc;

/// What a chart came to, as far as the stages have run.
#[derive(Debug)]
pub struct Outcome {
    pub project: Arc<Project>,
    pub crds: Vec<Crd>,
    pub rendered: Rendered,
    /// Filled by [`Outcome::parse`].
    pub manifests: Manifests,
    /// What was found on the way. A template or document that failed is missing above.
    pub findings: Vec<Diagnostic>,
}

/// Renders a chart's templates. An error is what kept the templates from rendering at all.
pub fn run(
    chart: &Chart,
    layered: &Layered,
    context: Context,
    options: Options,
    sources: &mut Sources,
) -> Result<Outcome, Failure> {
    let assembly = match assemble(chart, layered, context.clone(), options, sources) {
        Ok(assembly) => assembly,
        Err(mut failure) => {
            if failure.iter().any(|finding| finding.code == Code::ValuesSchema) {
                // Nothing that this renders is used: it tells where the wrong values are used.
                let options = Options { skip_schema_validation: true, ..options };
                let context = Context { record_reads: true, ..context };
                if let Ok(assembly) = assemble(chart, layered, context, options, sources) {
                    show_use(&mut failure, &render(&Arc::new(assembly.project), sources));
                }
            }
            return Err(failure);
        }
    };
    let project = Arc::new(assembly.project);
    let rendered = render(&project, sources);
    let mut findings = assembly.findings;
    findings.extend(rendered.failures.iter().cloned());
    Ok(Outcome { project, crds: assembly.crds, rendered, manifests: Manifests::default(), findings })
}

/// Evaluates a Go template that has functions but neither a chart nor values.
pub fn evaluate(template: &str, name: &str, context: Context, sources: &mut Sources) -> Result<String, Failure> {
    let text: Arc<str> = template.into();
    let file = sources.add(name, Arc::clone(&text));
    let scope = Scope {
        path: "".into(),
        metadata: Arc::default(),
        files: Arc::default(),
        parent: None,
        children: Vec::new(),
        name: "".into(),
        is_library: false,
    };
    let project = Project {
        context,
        scopes: vec![scope],
        templates: vec![Template { name: name.into(), scope: 0, text, file }],
        values: Node::empty_map(file),
    };
    let output = helm::Engine::new(project)?.render(0)?;
    Ok(output.text)
}

impl Outcome {
    /// Reads the rendered texts as manifests. Says whether there is nothing to say of them.
    pub fn parse(&mut self, depth: Depth, layered: &Layered, sources: &Sources) -> bool {
        let texts: Vec<Text> =
            self.rendered.files.iter().filter(|file| !file.is_notes()).map(|file| file.text()).collect();
        let (manifests, mut findings) = collect(texts, depth, sources);
        self.manifests = manifests;
        self.explain(&mut findings, layered, sources);
        let fine = findings.is_empty();
        self.findings.append(&mut findings);
        fine
    }

    /// Checks the manifests, which were read in full, against the Kubernetes schemas.
    pub fn validate(&mut self, checker: &Checker, layered: &Layered, sources: &Sources) {
        let documents: Vec<Node> = self.manifests.iter().filter_map(|manifest| manifest.node.clone()).collect();
        let definitions = |wanted: &Wanted| {
            let files = self.crds.iter().filter_map(|crd| crd.file.source);
            let files = files.filter(|file| wanted.may_be_in(sources.text(*file)));
            files.flat_map(|file| yaml::read(sources.text(file), file).documents).collect()
        };
        let mut findings = checker.check(&documents, sources, definitions);
        self.explain(&mut findings, layered, sources);
        self.findings.append(&mut findings);
    }

    /// Checks the manifests of `crds/`, which are printed as they are.
    pub fn validate_crds(&mut self, checker: &Checker, sources: &Sources) {
        let files = self.crds.iter().filter_map(|crd| crd.file.source);
        let findings: Vec<Diagnostic> = files.flat_map(|file| check_file(file, checker, sources)).collect();
        self.findings.extend(findings);
    }

    /// Leads findings in rendered text to the template and the values.
    fn explain(&self, findings: &mut [Diagnostic], layered: &Layered, sources: &Sources) {
        let layers = Layers { files: layered.layers.iter().map(|(_, node)| node.span.file).collect() };
        explain(findings, &self.rendered, &self.manifests, &self.project.values, &layers, sources);
    }
}

/// Checks the manifests in the `crds/` of a chart and of all its dependencies, also of those that are not enabled.
pub fn validate_crds(chart: &Chart, checker: &Checker, sources: &Sources) -> Vec<Diagnostic> {
    let files = chart.crds.iter().filter_map(|path| chart.file(path)?.source);
    let own = files.flat_map(|file| check_file(file, checker, sources));
    let subcharts = chart.subcharts.iter().flat_map(|subchart| validate_crds(subchart, checker, sources));
    own.chain(subcharts).collect()
}

/// Checks the manifests of a file that is no template.
fn check_file(file: FileId, checker: &Checker, sources: &Sources) -> Vec<Diagnostic> {
    let mut parsed = yaml::read(sources.text(file), file);
    let mut findings = std::mem::take(&mut parsed.findings);
    findings.extend(checker.check(&parsed.documents, sources, |_| Vec::new()));
    findings.extend(parsed.error.map(|error| error.diagnostic));
    findings
}
