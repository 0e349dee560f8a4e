//! Helm's rendering of a project: parse every template, then run each file with its chart's context.

use super::ast::{Source, Tree};
use super::context;
use super::error::ExecError;
use super::eval::{Exec, Val, without_no_value};
use super::explain::{self, Explainer};
use super::funcs::Env;
use super::namespace::Layer;
use super::output::Output;
use super::parser::{Batch, Definitions, ParseError};
use super::reads::Reads;
use super::shared::Shared;
use crate::diagnostic::{Failure, SourceMap};
use crate::template::{self, Argument, Dialect, Project, Template};
use crate::value::{Map, MapKind, Value};
use crate::yaml::Tags;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

/// The Helm dialect.
#[derive(Debug)]
pub struct Engine {
    project: Arc<Project>,
    contexts: Vec<Map>,
    names: Arc<Layer>,
    shared: Shared,
    seed: [u8; 32],
    last_error: Option<String>,
}

impl Engine {
    /// Parses the Go templates of a project. Fails with the first error of each file that does not parse, in the
    /// order in which Helm would come to them.
    pub fn new(project: impl Into<Arc<Project>>) -> Result<Self, Failure> {
        let project = project.into();
        let mut names = Layer::default();
        let mut errors = Vec::new();
        for (template, parsed) in parsed(&project) {
            match parsed {
                Ok(trees) => trees.into_iter().for_each(|tree| names.add(Arc::new(tree))),
                Err(error) => errors.push(explain::syntax(template, &error)),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut tags = Tags::default();
        let contexts = context::contexts(&project, &mut tags);
        let shared = Shared::new(Reads::new(project.context.record_reads, tags));
        let mut seed = [0; 32];
        match project.context.seed {
            Some(number) => seed[..8].copy_from_slice(&number.to_le_bytes()),
            None => rand::fill(&mut seed),
        }
        Ok(Engine { project, contexts, names: Arc::new(names), shared, seed, last_error: None })
    }

    /// The text that `helm template` prints after `Error: ` for the last failure of a render.
    pub fn helm_text(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Random numbers for one template: those of a seed do not depend on what else is rendered.
    fn random(&self, name: &str) -> ChaCha20Rng {
        let mut random = ChaCha20Rng::from_seed(self.seed);
        // FNV-1a
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        random.set_stream(hash);
        random
    }

    fn run(&mut self, name: &str, data: Val, map: Option<SourceMap>) -> Result<Output, Box<ExecError>> {
        let context = &self.project.context;
        let env = Env { context, random: self.random(name), fuel: context.limits.fuel };
        let out = Output::new(context.limits.output, map);
        self.shared.includes.clear();
        let mut exec = Exec::new(env, &mut self.shared, out);
        exec.run_named(name, &self.names, &data)?;
        Ok(exec.out)
    }

    fn new_map(&self) -> Option<SourceMap> {
        self.project.context.record_reads.then(SourceMap::default)
    }

    fn explain(&mut self, error: &ExecError, scope: usize) -> Failure {
        self.last_error = Some(error.helm_text());
        Explainer { project: &self.project, scope }.explain(error)
    }
}

/// Bytes of templates that are worth a second thread: it costs as much as reading some tens of kilobytes.
const MUCH: usize = 200_000;

type Parsed<'p> = (&'p Template, Result<Vec<Tree>, Box<ParseError>>);

/// The Go templates of a project in the order in which their names count. Of library charts only the partials are
/// parsed.
fn parsed(project: &Project) -> Vec<Parsed<'_>> {
    let is_parsed = |template: &&Template| {
        !template.is_jinja() && (!project.scopes[template.scope].is_library || template.is_partial())
    };
    let templates: Vec<&Template> = project.templates.iter().filter(is_parsed).collect();
    let parse = |part: &[&Template]| -> Vec<_> {
        let mut batch = Batch::default();
        let parsed: Vec<_> = part.iter().map(|template| batch.parse(&template.name, &template.text)).collect();
        let ast = batch.finish();
        let trees = |(template, parsed): (&&Template, Result<Definitions, _>)| {
            let (name, text, ast) = (Arc::clone(&template.name), Arc::clone(&template.text), Arc::clone(&ast));
            parsed.map(|definitions| Source { name, text, file: Some(template.file), ast }.trees(definitions).collect())
        };
        part.iter().zip(parsed).map(trees).collect()
    };
    let total: usize = templates.iter().map(|template| template.text.len()).sum();
    let mut before = 0;
    let middle = templates.iter().position(|template| {
        before += template.text.len();
        before > total / 2
    });
    let (first, second) = templates.split_at(middle.filter(|_| total > MUCH).unwrap_or(0));
    let results: Vec<_> = thread::scope(|scope| {
        let helper = (!first.is_empty()).then(|| thread::Builder::new().spawn_scoped(scope, || parse(first)));
        let second = parse(second);
        let first = match helper {
            Some(Ok(helper)) => helper.join().unwrap_or_else(|panic| resume_unwind(panic)),
            _ => parse(first),
        };
        first.into_iter().chain(second).collect()
    });
    templates.into_iter().zip(results).collect()
}

impl Dialect for Engine {
    fn render(&mut self, template: usize) -> Result<template::Output, Failure> {
        let project = Arc::clone(&self.project);
        let file = &project.templates[template];
        let scope = &project.scopes[file.scope];
        let context = self.contexts[file.scope].clone();
        let about = Value::map([
            ("Name", Value::Str(Arc::clone(&file.name))),
            ("BasePath", format!("{}/templates", scope.path).into()),
        ]);
        let about = about.as_map().map(|map| map.as_kind(MapKind::Values)).unwrap_or_default();
        context.insert("Template".into(), Value::Map(about));
        match self.run(&file.name, Val::new(Value::Map(context)), self.new_map()) {
            Ok(out) => {
                let mut map = out.map.unwrap_or_default();
                let text = match without_no_value(&out.text) {
                    Some(text) => {
                        map.cut(&out.text, "<no value>");
                        text
                    }
                    None => out.text,
                };
                Ok(template::Output { template, text, map })
            }
            Err(error) => Err(self.explain(&error, file.scope)),
        }
    }

    fn include(&mut self, name: &str, scope: usize, argument: Argument) -> Result<String, Failure> {
        let data = match argument {
            Argument::Root => Value::Map(self.contexts[scope].clone()),
            Argument::Value(value) => value,
        };
        match self.run(name, Val::new(data), None) {
            Ok(out) => Ok(without_no_value(&out.text).unwrap_or(out.text)),
            Err(error) => Err(self.explain(&error, scope)),
        }
    }

    fn reads(&self) -> template::Reads {
        self.shared.reads.paths()
    }
}
