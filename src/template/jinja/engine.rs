//! The dialect: one minijinja environment per project, templates compiled when they are used.

use super::context::{Root, Shared};
use super::data::{Log, Trail};
use super::diagnose;
use super::names::Names;
use super::rewrite::{self, Offsets, is_yaml_name};
use super::runtime::{Runtime, lock, register};
use super::write::{Writer, scalar_text};
use crate::diagnostic::{Failure, SourceMap, Span};
use crate::template::{Argument, Dialect, Output, Project, Reads};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Renders the Jinja templates of a project.
pub struct Engine {
    env: Environment<'static>,
    runtime: Arc<Runtime>,
    library: Arc<Library>,
    shared: Arc<Shared>,
    trail: Arc<Trail>,
}

/// The project's templates, rewritten when they are first used.
pub(super) struct Library {
    project: Arc<Project>,
    pub(super) names: Names,
    runtime: Arc<Runtime>,
    compiled: Mutex<HashMap<usize, Compiled>>,
}

enum Compiled {
    Ready(Arc<Offsets>),
    Failed(Failure),
}

/// Marks the error of a template that did not compile; its diagnostics are in the library.
pub(super) const FAILED: &str = "template does not compile";

impl Library {
    /// The rewritten text of a template by its full name, for minijinja's loader.
    fn load(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(index) = self.names.get(name) else { return Ok(None) };
        let template = &self.project.templates[index];
        if !template.is_jinja() {
            return Ok(None);
        }
        let mut spots = lock(&self.runtime.spots);
        match rewrite::rewrite(&template.text, &template.name, spots.len(), self.runtime.log.enabled) {
            Ok(rewritten) => {
                spots.extend(rewritten.spots.into_iter().map(Arc::new));
                lock(&self.compiled).insert(index, Compiled::Ready(Arc::new(rewritten.offsets)));
                Ok(Some(rewritten.text))
            }
            Err(problems) => {
                let failure = diagnose::problems(problems, template);
                lock(&self.compiled).insert(index, Compiled::Failed(failure));
                Err(Error::new(ErrorKind::SyntaxError, format!("{FAILED}: {name}")))
            }
        }
    }

    /// Why a template does not compile.
    pub(super) fn failure(&self, name: &str) -> Option<Failure> {
        match lock(&self.compiled).get(&self.names.get(name)?) {
            Some(Compiled::Failed(failure)) => Some(failure.clone()),
            _ => None,
        }
    }

    /// The place in the author's source of a range in the rewritten text of a template.
    pub(super) fn span(&self, name: &str, range: Range<usize>) -> Option<Span> {
        let index = self.names.get(name)?;
        let template = &self.project.templates[index];
        let range = match lock(&self.compiled).get(&index) {
            Some(Compiled::Ready(offsets)) => offsets.range(range),
            _ => return None,
        };
        let length = template.text.len();
        Some(Span::new(template.file, range.start.min(length), range.end.min(length)))
    }

    /// The author's text of a template.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(|index| &*self.project.templates[index].text)
    }

    /// The chart that a template belongs to.
    pub(super) fn scope(&self, name: &str) -> usize {
        self.names.get(name).map_or(0, |index| self.project.templates[index].scope)
    }
}

impl Engine {
    pub fn new(project: &Arc<Project>) -> Self {
        let limits = project.context.limits;
        let log = Arc::new(Log::new(project.context.record_reads));
        let trail = Trail::root();
        let runtime = Arc::new(Runtime::new(Arc::clone(project), Arc::clone(&log)));
        let library = Arc::new(Library {
            project: Arc::clone(project),
            names: Names::new(project),
            runtime: Arc::clone(&runtime),
            compiled: Mutex::default(),
        });
        let mut env = Environment::new();
        env.set_syntax(rewrite::syntax());
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_debug(true);
        env.set_auto_reload(false);
        env.set_recursion_limit(limits.recursion as usize);
        // minijinja charges a step for 64 bytes of output, so this bounds the output, too.
        env.set_fuel(Some(limits.fuel.min(limits.output as u64 / 64)));
        env.set_auto_escape_callback(|name| match is_yaml_name(name) {
            true => AutoEscape::Custom("yaml".into()),
            false => AutoEscape::None,
        });
        let output = limits.output;
        env.set_formatter(move |out, state, value| format(out, state, value, output));
        let loader = Arc::clone(&library);
        env.set_loader(move |name| loader.load(name));
        let resolver = Arc::clone(&library);
        env.set_path_join_callback(move |name, parent| match resolver.names.resolve(name, resolver.scope(parent)) {
            Some(index) => resolver.project.templates[index].name.to_string().into(),
            None => name.into(),
        });
        register(&mut env, &runtime);
        super::functions::register(&mut env, &runtime);
        super::filters::register(&mut env, &runtime);
        let shared = Arc::new(Shared::new(Arc::clone(project), Arc::clone(&trail), log));
        Engine { env, runtime, library, shared, trail }
    }

    fn failure(&self, error: &Error, name: &str, root: &Value) -> Failure {
        diagnose::failure(
            error,
            &diagnose::Site {
                library: &self.library,
                log: &self.runtime.log,
                name,
                root,
                limits: self.library.project.context.limits,
            },
        )
    }
}

/// What is left to write: YAML fragments as they are, everything else as a flow scalar, or as text where the template
/// is not YAML.
fn format(
    out: &mut minijinja::Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
    limit: usize,
) -> Result<(), Error> {
    if value.is_undefined() {
        return Ok(());
    }
    if let Some(text) = super::write::as_fragment(value) {
        return Ok(out.write_str(text)?);
    }
    if matches!(state.auto_escape(), AutoEscape::None)
        && let Some(text) = scalar_text(value)?
    {
        return Ok(out.write_str(&text)?);
    }
    let mut writer = Writer::new(limit);
    writer.flow(value)?;
    Ok(out.write_str(&writer.out)?)
}

impl Dialect for Engine {
    fn render(&mut self, template: usize) -> Result<Output, Failure> {
        let source = &self.library.project.templates[template];
        self.runtime.reset();
        let root = Value::from_object(Root::new(&self.shared, source));
        let compiled = self.env.get_template(&source.name);
        let rendered = compiled.and_then(|compiled| compiled.render_with_spans(root.clone()));
        let (mut text, spans) = rendered.map_err(|error| self.failure(&error, &source.name, &root))?;
        let mut map = SourceMap::default();
        for span in &spans {
            let literal = span.kind() == minijinja::OutputSpanKind::Raw;
            if let Some(place) = self.library.span(span.name(), span.source_range()) {
                map.push(span.output_range().end, place, literal, []);
            }
        }
        if source.text.ends_with('\n') && !text.ends_with('\n') && !text.trim().is_empty() {
            text.push('\n');
        }
        Ok(Output { template, text, map })
    }

    fn include(&mut self, name: &str, scope: usize, argument: Argument) -> Result<String, Failure> {
        let _ = (name, scope, argument);
        Err(Vec::new())
    }

    fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        self.trail.reads(&mut Vec::new(), &mut |path, whole| {
            *reads.paths.entry(path.to_vec()).or_default() |= whole;
        });
        reads
    }
}
