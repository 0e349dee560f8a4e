//! The dialect: one minijinja environment per project, templates compiled when they are used.

use super::calls::{self, IncludeGo};
use super::context::{Root, Shared};
use super::convert::from_go;
use super::data::{Log, Trail};
use super::diagnose;
use super::names::Names;
use super::rewrite::{self, Rewritten, Spot, is_yaml_name};
use super::runtime::{Runtime, lock, register};
use super::trace::Record;
use super::write::{Writer, scalar_text};
use crate::diagnostic::{Failure, FileId, SourceMap, Span};
use crate::template::{Argument, Dialect, Output, Project, Reads};
use minijinja::value::merge_maps;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, OutputSpan, OutputSpanKind, State, UndefinedBehavior, Value,
};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Renders the Jinja templates of a project. Clones share everything, so one can be called while another renders.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

impl fmt::Debug for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Engine").finish_non_exhaustive()
    }
}

struct Inner {
    env: Environment<'static>,
    runtime: Arc<Runtime>,
    templates: Arc<Library>,
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
    Ready(Arc<Rewritten>),
    Failed(Failure),
}

/// The name of the text that calls a macro for the other dialect.
const CALL: &str = "call.txt";

/// A name as a string of the template language.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
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
            Ok(mut rewritten) => {
                let new = std::mem::take(&mut rewritten.spots);
                spots.extend(new.into_iter().map(|spot| Arc::new(Spot { template: index, ..spot })));
                let text = std::mem::take(&mut rewritten.text);
                lock(&self.compiled).insert(index, Compiled::Ready(Arc::new(rewritten)));
                Ok(Some(text))
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
            Some(Compiled::Ready(rewritten)) => rewritten.offsets.range(range),
            _ => return None,
        };
        let length = template.text.len();
        Some(Span::new(template.file, range.start.min(length), range.end.min(length)))
    }

    /// Whether a template's output has a line break at its end that minijinja drops.
    fn last_line_break(&self, index: usize) -> bool {
        matches!(lock(&self.compiled).get(&index), Some(Compiled::Ready(rewritten)) if rewritten.last_line_break)
    }

    /// The author's text of a template.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(|index| &*self.project.templates[index].text)
    }

    /// Names of the macros of all templates, for suggestions.
    pub(super) fn macros(&self) -> Vec<String> {
        let texts =
            self.project.templates.iter().filter(|template| template.is_jinja()).map(|template| &*template.text);
        let tags = texts.flat_map(|text| text.split("{%").skip(1));
        tags.filter_map(|tag| {
            let rest = tag.trim_start_matches(['-', '+']).trim_start().strip_prefix("macro ")?;
            Some(rest.trim_start().split(|char: char| !char.is_ascii_alphanumeric() && char != '_').next()?.to_owned())
        })
        .collect()
    }

    /// The chart that a template belongs to; none for text that is no file.
    pub(super) fn scope(&self, name: &str) -> Option<usize> {
        self.names.get(name).map(|index| self.project.templates[index].scope)
    }
}

impl Engine {
    pub fn new(project: &Arc<Project>) -> Self {
        let limits = project.context.limits;
        let log = Arc::new(Log::new(project.context.record_reads));
        let trail = Trail::root();
        let runtime = Arc::new(Runtime::new(Arc::clone(project), Arc::clone(&log)));
        let templates = Arc::new(Library {
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
        let loader = Arc::clone(&templates);
        env.set_loader(move |name| loader.load(name));
        let resolver = Arc::clone(&templates);
        env.set_path_join_callback(move |name, parent| {
            match resolver.names.resolve(name, resolver.scope(parent).unwrap_or_else(|| resolver.runtime.scope())) {
                Some(index) => resolver.project.templates[index].name.to_string().into(),
                None => name.into(),
            }
        });
        register(&mut env, &runtime);
        super::functions::register(&mut env, &runtime);
        super::filters::register(&mut env, &runtime);
        calls::register(&mut env, &runtime);
        let shared = Arc::new(Shared::new(Arc::clone(project), Arc::clone(&trail), log));
        Engine(Arc::new(Inner { env, runtime, templates, shared, trail }))
    }

    /// Says how the named templates of the Go dialect are called, for `include()`.
    pub fn set_include(&self, include: Arc<IncludeGo>) {
        self.0.runtime.set_include(include);
    }

    /// Calls a macro of a partial (`_helpers.j2:labels`) with one argument, or renders a whole partial
    /// (`_helpers.j2`), for templates of the other dialect.
    pub fn call(&self, name: &str, scope: usize, argument: Argument) -> Result<String, Failure> {
        self.0.call(name, scope, argument)
    }
}

impl Inner {
    fn call(&self, name: &str, scope: usize, argument: Argument) -> Result<String, Failure> {
        let root = Value::from_object(Root::of_scope(&self.shared, scope));
        let (file, call) = name.split_once(':').unwrap_or((name, ""));
        let arguments = if matches!(argument, Argument::Root) { "" } else { "__argument" };
        let source = match call {
            "" => format!("{{% include {} %}}", quoted(file)),
            call => format!("{{% from {} import {call} %}}{{{{ {call}({arguments}) }}}}", quoted(file)),
        };
        let names = match argument {
            Argument::Root => root.clone(),
            Argument::Value(value) => merge_maps([Value::from_pairs([("__argument", from_go(&value))]), root.clone()]),
        };
        let result = self.runtime.within(root.clone(), scope, || self.env.render_named_str(CALL, &source, names));
        result.map_err(|error| self.failure(&error, CALL, &root))
    }

    fn failure(&self, error: &Error, name: &str, root: &Value) -> Failure {
        diagnose::failure(
            error,
            &diagnose::Scene {
                templates: &self.templates,
                log: &self.runtime.log,
                name,
                root,
                limits: self.templates.project.context.limits,
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
        self.0.render(template)
    }

    fn include(&mut self, name: &str, scope: usize, argument: Argument) -> Result<String, Failure> {
        self.call(name, scope, argument)
    }

    fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        self.0.trail.reads(&mut Vec::new(), &mut |path, whole| {
            *reads.paths.entry(path.to_vec()).or_default() |= whole;
        });
        reads
    }
}

impl Inner {
    fn render(&self, template: usize) -> Result<Output, Failure> {
        let source = &self.templates.project.templates[template];
        let root = Value::from_object(Root::new(&self.shared, source));
        self.runtime.start(root.clone(), source.scope);
        let compiled = self.env.get_template(&source.name);
        let rendered = compiled.and_then(|compiled| compiled.render_with_spans(root.clone()));
        let (mut text, spans) = rendered.map_err(|error| self.failure(&error, &source.name, &root))?;
        let mut map = self.map(&text, &spans);
        // A literal block at the end of the text needs its last line break to mean what it says.
        let open_line = is_yaml_name(&source.name) && !text.ends_with('\n');
        if !text.trim().is_empty() && (open_line || self.templates.last_line_break(template)) {
            text.push('\n');
            let end = source.text.len();
            map.push(text.len(), Span::new(source.file, end.saturating_sub(1), end), false, []);
        }
        Ok(Output { template, text, map })
    }

    /// Leads the output back to templates and values. What sites wrote is known in more detail than minijinja does.
    fn map(&self, text: &str, spans: &[OutputSpan]) -> SourceMap {
        let records = self.runtime.take_records();
        let mut waiting: HashMap<(FileId, usize, usize), VecDeque<&Record>> = HashMap::new();
        let project = &self.templates.project;
        for record in &records {
            let file = project.templates[record.spot.template].file;
            let key = (file, record.spot.range.start, record.spot.range.end);
            waiting.entry(key).or_default().push_back(record);
        }
        let mut map = SourceMap::default();
        for span in spans {
            let Some(place) = self.templates.span(span.name(), span.source_range()) else { continue };
            let range = span.output_range();
            if span.kind() == OutputSpanKind::Raw {
                map.push(range.end, place, true, []);
                continue;
            }
            let queue = waiting.get_mut(&(place.file, place.start as usize, place.end as usize));
            let written = &text[range.clone()];
            let record = queue.and_then(|queue| {
                let at = queue.iter().take(MAX_SKIPPED).position(|record| &*record.text == written)?;
                queue.drain(..=at).next_back()
            });
            for piece in record.map(|record| record.pieces_at(range.start, project)).unwrap_or_default() {
                map.push(piece.end.min(range.end), piece.span, piece.literal, piece.reads);
            }
            map.push(range.end, place, false, []);
        }
        map
    }
}

/// Records of a site that were written into captured text instead of the output and are passed over.
const MAX_SKIPPED: usize = 1000;
