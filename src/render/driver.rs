//! Rendering every template of a project, in Helm's order, each by its dialect.

use crate::diagnostic::{Diagnostic, Failure, FileId, SourceMap, Sources};
use crate::manifest::Text;
use crate::template::{Dialect, Output, Project, Reads, helm, jinja};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The dialects of a project. Each is set up when the first of its templates comes: a chart of Jinja templates parses
/// no Go templates.
#[derive(Debug)]
pub struct Engines {
    project: Arc<Project>,
    helm: Arc<Helm>,
    jinja: Option<jinja::Engine>,
}

/// The engine for Go templates, or why they do not parse. Jinja templates call it, too, through `include()`.
type Helm = Mutex<Option<Result<helm::Engine, Failure>>>;

fn lock(helm: &Helm) -> MutexGuard<'_, Option<Result<helm::Engine, Failure>>> {
    helm.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engines {
    fn render(&mut self, template: usize) -> Result<Output, Failure> {
        if self.project.templates[template].is_jinja() {
            return self.jinja.get_or_insert_with(|| jinja(&self.project, &self.helm)).render(template);
        }
        match lock(&self.helm).get_or_insert_with(|| helm::Engine::new(Arc::clone(&self.project))) {
            Ok(engine) => engine.render(template),
            // One template that does not parse takes the others with it; the reasons are told once.
            Err(failure) => Err(std::mem::take(failure)),
        }
    }

    fn reads(&self) -> Reads {
        let mut reads = match &*lock(&self.helm) {
            Some(Ok(engine)) => engine.reads(),
            _ => Reads::default(),
        };
        for (path, whole) in self.jinja.iter().flat_map(|engine| engine.reads().paths) {
            *reads.paths.entry(path).or_default() |= whole;
        }
        reads
    }
}

/// The Jinja engine of a project, whose `include()` calls the project's named Go templates.
fn jinja(project: &Arc<Project>, helm: &Arc<Helm>) -> jinja::Engine {
    let engine = jinja::Engine::new(project);
    let (project, helm) = (Arc::clone(project), Arc::clone(helm));
    engine.set_include(Arc::new(move |name, scope, argument| {
        match lock(&helm).get_or_insert_with(|| helm::Engine::new(Arc::clone(&project))) {
            Ok(engine) => engine.include(name, scope, argument),
            Err(failure) => Err(failure.clone()),
        }
    }));
    engine
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
    /// All that was parsed, which a program that ends with the render need not give back.
    pub engines: Option<Engines>,
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

/// Renders all templates but partials, which are in Helm's order. A template that fails does not stop the others.
pub fn render(project: &Arc<Project>, sources: &mut Sources) -> Rendered {
    let mut engines = Engines { project: Arc::clone(project), helm: Arc::default(), jinja: None };
    let mut rendered = Rendered::default();
    for (index, template) in project.templates.iter().enumerate() {
        if template.is_partial() || project.scopes[template.scope].is_library {
            continue;
        }
        match engines.render(index) {
            Ok(output) => {
                let name: Arc<str> = template.output_name().into();
                let file = sources.add_rendered(&name, output.text);
                rendered.files.push(RenderedFile { template: index, name, file, map: output.map });
            }
            Err(failure) => rendered.failures.extend(failure),
        }
    }
    rendered.reads = engines.reads();
    rendered.engines = Some(engines);
    rendered
}
