//! Rendering every template of a project, in Helm's order, each by its dialect.

use crate::diagnostic::{Diagnostic, Failure, FileId, SourceMap, Sources};
use crate::manifest::Text;
use crate::template::{Dialect, Project, Reads, helm};
use std::sync::Arc;

/// The two dialects, over the same project.
pub struct Engines<'a> {
    pub helm: Box<dyn Dialect + 'a>,
    pub jinja: Box<dyn Dialect + 'a>,
}

impl<'a> Engines<'a> {
    /// Prepares both dialects. Fails where a template does not parse, which may define what any other one uses.
    pub fn new(project: &'a Project) -> Result<Self, Failure> {
        Ok(Engines { helm: Box::new(helm::Engine::new(project)?), jinja: Box::new(Absent) })
    }
}

struct Absent;
impl Dialect for Absent {
    fn render(&mut self, template: usize) -> Result<crate::template::Output, crate::diagnostic::Failure> {
        Err(vec![Diagnostic::new(crate::diagnostic::Code::TemplateError, format!("absent {template}"))])
    }
    fn include(
        &mut self,
        _: &str,
        _: usize,
        _: crate::template::Argument,
    ) -> Result<String, crate::diagnostic::Failure> {
        Err(vec![])
    }
    fn reads(&self) -> Reads {
        Reads::default()
    }
}

/// What templates rendered to.
#[derive(Debug, Default)]
pub struct Rendered {
    /// In the order of rendering.
    pub files: Vec<RenderedFile>,
    /// Why the others failed.
    pub failures: Vec<Diagnostic>,
    /// The values that the templates read.
    pub reads: Reads,
}

/// What one template rendered to, as a source of its own.
#[derive(Debug)]
pub struct RenderedFile {
    /// Index in [`Project::templates`].
    pub template: usize,
    /// `web/templates/service.yaml`
    pub name: Arc<str>,
    pub file: FileId,
    pub map: SourceMap,
}

impl RenderedFile {
    /// Notes are for people who install a chart; they are no manifests.
    pub fn is_notes(&self) -> bool {
        self.name.ends_with("NOTES.txt")
    }

    pub fn text(&self) -> Text {
        Text { name: Arc::clone(&self.name), file: self.file }
    }
}

/// Renders all templates but partials. A template that fails does not stop the others.
pub fn render(project: &Project, engines: &mut Engines<'_>, sources: &mut Sources) -> Rendered {
    let mut rendered = Rendered::default();
    for index in order(project) {
        let template = &project.templates[index];
        let dialect = if template.is_jinja() { &mut engines.jinja } else { &mut engines.helm };
        match dialect.render(index) {
            Ok(output) => {
                let name: Arc<str> = template.output_name().into();
                let file = sources.add_rendered(&name, output.text);
                rendered.files.push(RenderedFile { template: index, name, file, map: output.map });
            }
            Err(failure) => rendered.failures.extend(failure),
        }
    }
    rendered.reads = engines.helm.reads();
    for (path, whole) in engines.jinja.reads().paths {
        *rendered.reads.paths.entry(path).or_default() |= whole;
    }
    rendered
}

/// The templates to render: deeper paths first, then by name, backwards. What one changes by `set`, later ones see.
fn order(project: &Project) -> Vec<usize> {
    let mut order: Vec<usize> = (0..project.templates.len())
        .filter(|&index| {
            let template = &project.templates[index];
            !template.is_partial() && !project.scopes[template.scope].is_library
        })
        .collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&project.templates[a].name, &project.templates[b].name);
        let depth = |name: &str| memchr::memchr_iter(b'/', name.as_bytes()).count();
        depth(b).cmp(&depth(a)).then_with(|| b.cmp(a))
    });
    order
}
