//! Values that do nothing: keys that nobody knows, and values that no template reads.
//!
//! A key is known when a chart's defaults, its schema or a template has it. What templates read is recorded by renders
//! ([`Usage::add_reads`], once for each variant); for branches that no variant takes, the text of the templates is
//! searched for the names. Whoever reads a mapping as a whole (`toYaml .Values.resources`) reads all that is in it.

use super::layers::Layered;
use super::mentions::{Mentions, Use};
use super::release::resolve;
use crate::chart::{Chart, Dependency};
use crate::diagnostic::{Code, Diagnostic, Span, nearest};
use crate::yaml::{Data, Node, Step, path_text};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// How far schemas are followed.
const MAX_DEPTH: usize = 64;
/// How many levels down a key is looked for that is set at the wrong one.
const LEVELS_DOWN: usize = 3;

/// What a chart and its subcharts know and use of their values.
#[derive(Debug, Default)]
pub struct Usage {
    root: Key,
    /// The names that each chart's templates go on with from mappings they take, by the path of the chart's values.
    names: Vec<Names>,
    /// What the named templates of library charts mention: they work with the values of whoever includes them.
    libraries: Mentions,
}

/// The names that a chart's templates mention, and the path of the chart's values.
type Names = (Vec<Arc<str>>, HashSet<Arc<str>>);

/// A key on some path from the root chart's values.
#[derive(Debug, Default)]
struct Key {
    /// In defaults or a schema.
    known: bool,
    /// Read in a render, or mentioned by a template.
    used: bool,
    /// Anything may stand below: the default is empty, or the schema leaves it open.
    open: bool,
    /// Read with all that is below.
    whole: bool,
    /// A template takes the mapping itself, and may go on from there by names alone.
    taken: bool,
    /// A render read this or something below.
    visited: bool,
    inner: BTreeMap<Arc<str>, Key>,
}

impl Usage {
    /// What a chart's files say.
    pub fn new(chart: &Chart) -> Self {
        let mut usage = Usage::default();
        // What charts import from others is among the processed defaults.
        if let Ok(resolved) = resolve(chart, &Layered::none()) {
            usage.root.know(&resolved.values);
        }
        usage.libraries(chart);
        usage.chart(chart, &mut Vec::new());
        usage
    }

    fn libraries(&mut self, chart: &Chart) {
        if is_library(chart) {
            self.libraries.merge(&mentions(chart));
        }
        for subchart in &chart.subcharts {
            self.libraries(subchart);
        }
    }

    fn chart(&mut self, chart: &Chart, path: &mut Vec<Arc<str>>) {
        self.root.at(path).know(&chart.values);
        let schema =
            chart.file("values.schema.json").and_then(|file| serde_json::from_slice::<Value>(file.data()).ok());
        if let Some(schema) = schema {
            self.root.at(path).know_schema(&schema, &schema, 0);
        }
        if !is_library(chart) {
            let own = mentions(chart);
            // A library that works on all values of a chart gets the paths from the chart's own templates.
            let libraries = self.libraries.paths.iter().filter(|(mention, _)| !mention.is_empty());
            for (mention, kind) in own.paths.iter().chain(libraries) {
                path.extend(mention.iter().cloned());
                self.root.at(path).mention(*kind);
                path.truncate(path.len() - mention.len());
            }
            if own.paths.get(&Vec::new()).is_some_and(|kind| *kind >= Use::Taken) {
                for chain in &own.chains {
                    path.extend(chain.iter().cloned());
                    self.root.at(path).used = true;
                    path.truncate(path.len() - chain.len());
                }
            }
            self.names.push((path.clone(), own.names));
        }
        for dependency in &chart.metadata.dependencies {
            self.dependency(dependency, path);
        }
        for subchart in &chart.subcharts {
            let own = &subchart.metadata.name;
            let declared = chart.metadata.dependencies.iter().filter(|dependency| dependency.name == *own);
            let mut names: Vec<&str> = declared.map(Dependency::effective_name).collect();
            if names.is_empty() {
                names.push(own);
            }
            for name in names {
                path.push(name.into());
                self.root.at(path).used = true;
                self.chart(subchart, path);
                path.pop();
            }
        }
    }

    /// Conditions and tags are read by whoever processes dependencies.
    fn dependency(&mut self, dependency: &Dependency, path: &[Arc<str>]) {
        let conditions = dependency.condition.split(',').map(str::trim).filter(|it| !it.is_empty());
        let tags = dependency.tags.iter().map(|tag| format!("tags.{tag}"));
        for condition in conditions.map(str::to_owned).chain(tags) {
            let mut full = path.to_vec();
            full.extend(condition.split('.').map(Arc::from));
            let key = self.root.at(&full);
            (key.known, key.used) = (true, true);
        }
        let section = self.root.at(path).inner.entry(dependency.effective_name().into()).or_default();
        (section.known, section.used) = (true, true);
    }

    /// What a render read: paths from the root chart's values, and whether all below was read, too.
    pub fn add_reads<'r>(&mut self, reads: impl IntoIterator<Item = (&'r [Arc<str>], bool)>) {
        for (path, whole) in reads {
            self.root.read(path, whole);
            // Subcharts see their parents' globals under their own names.
            if let Some(at) = path.iter().rposition(|key| &**key == "global") {
                for start in 0..at {
                    let shared: Vec<Arc<str>> = path[..start].iter().chain(&path[at..]).cloned().collect();
                    self.root.read(&shared, whole);
                }
            }
        }
    }

    /// Findings on a layer: keys that nobody knows, and values that nobody reads.
    pub fn check(&self, layer: &Node) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        let mut mentions = Mentions::default();
        templates_in(layer, &mut mentions);
        let mut checker = Checker { usage: self, mentions: &mentions, path: Vec::new(), findings: &mut findings };
        checker.layer(&self.root, layer, Taken::default());
        findings
    }

    /// Findings on a chart's own defaults: values that nobody reads. A library's defaults are for those who use it.
    pub fn check_defaults(&self, chart: &Chart) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        let mentions = Mentions::default();
        if !is_library(chart) {
            let mut checker = Checker { usage: self, mentions: &mentions, path: Vec::new(), findings: &mut findings };
            checker.defaults(&self.root, &chart.values, Taken::default());
        }
        findings
    }
}

impl Key {
    fn at(&mut self, path: &[Arc<str>]) -> &mut Key {
        path.iter().fold(self, |key, name| key.inner.entry(Arc::clone(name)).or_default())
    }

    fn read(&mut self, path: &[Arc<str>], whole: bool) {
        self.visited = true;
        let mut key = self;
        for name in path {
            key = key.inner.entry(Arc::clone(name)).or_default();
            key.visited = true;
        }
        key.used = true;
        key.whole |= whole;
    }

    fn mention(&mut self, kind: Use) {
        self.used = true;
        self.taken |= kind != Use::Read;
        self.open |= kind == Use::Iterated;
        self.whole |= kind == Use::Whole;
    }

    fn know(&mut self, node: &Node) {
        self.known = true;
        match &node.data {
            Data::Map(map) if !map.is_empty() => {
                for (name, entry) in map.iter() {
                    self.inner.entry(Arc::clone(name)).or_default().know(&entry.value);
                }
            }
            // An empty default says nothing about what may come, a list nothing about its items.
            _ => self.open = true,
        }
    }

    fn know_schema(&mut self, schema: &Value, root: &Value, depth: usize) {
        self.known = true;
        let target = schema.get("$ref").and_then(Value::as_str);
        if depth > MAX_DEPTH || target.is_some_and(|url| !url.starts_with('#')) {
            self.open = true;
            return;
        }
        let alternatives = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|word| schema.get(word)?.as_array());
        let branches = ["then", "else", "if"].into_iter().filter_map(|word| schema.get(word));
        let target = target.and_then(|url| root.pointer(&url[1..]));
        let mut others = false;
        for other in alternatives.flatten().chain(branches).chain(target) {
            others = true;
            self.know_schema(other, root, depth + 1);
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            self.inner.entry(name.as_str().into()).or_default().know_schema(property, root, depth + 1);
        }
        let more =
            schema.get("additionalProperties").is_some_and(|more| more.is_object() || *more == Value::Bool(true));
        self.open |= more || schema.get("patternProperties").is_some() || properties.is_none() && !others && depth > 0;
    }
}

/// Whether templates take a mapping that a key is in, so that its name alone may reach it.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    /// The mapping right above, or one further up that is not all values: who takes all of them knows their keys.
    any: bool,
    /// A mapping that is not all values.
    section: bool,
}

impl Taken {
    fn by(self, key: &Key, is_root: bool) -> Self {
        Taken { any: self.section || key.taken, section: self.section || key.taken && !is_root }
    }
}

struct Checker<'a> {
    usage: &'a Usage,
    /// What templates in the layer itself mention.
    mentions: &'a Mentions,
    path: Vec<Step>,
    findings: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    /// Whether the templates of the chart whose value this is may reach a name from a mapping that they took.
    fn is_named(&self, name: &str) -> bool {
        let is_prefix = |chart: &[Arc<str>]| {
            chart.len() <= self.path.len()
                && chart.iter().zip(&self.path).all(|(key, step)| matches!(step, Step::Key(it) if it == key))
        };
        let charts = self.usage.names.iter().filter(|(chart, _)| is_prefix(chart));
        charts.max_by_key(|(chart, _)| chart.len()).is_some_and(|(_, names)| names.contains(name))
            || self.usage.libraries.names.contains(name)
            || self.mentions.names.contains(name)
    }

    fn is_mentioned(&self) -> bool {
        let path: Option<Vec<Arc<str>>> = self
            .path
            .iter()
            .map(|step| match step {
                Step::Key(key) => Some(Arc::clone(key)),
                Step::Index(_) => None,
            })
            .collect();
        path.is_some_and(|path| self.mentions.paths.keys().any(|mention| mention.starts_with(&path)))
    }

    /// `key` is what is known of the place of `node`; `taken` says who took a mapping on the way.
    fn layer(&mut self, key: &Key, node: &Node, taken: Taken) {
        let Some(map) = node.as_map() else { return };
        let taken = taken.by(key, self.path.is_empty());
        for (name, entry) in map {
            self.path.push(Step::Key(Arc::clone(name)));
            match key.inner.get(name) {
                _ if key.whole => {}
                Some(inner) if inner.open || inner.whole || entry.value.as_map().is_none_or(|map| map.is_empty()) => {
                    if !inner.known && !any_used(inner) && !self.is_mentioned() {
                        self.unknown(key, name, entry.key_span);
                    } else if !self.is_used(inner, name, taken) {
                        self.unused(entry.key_span, "set here");
                    }
                }
                Some(inner) => self.layer(inner, &entry.value, taken),
                // Whoever takes a mapping where no render came along may do anything with it.
                None if key.open || key.taken && !key.visited => {}
                None if taken.any && self.is_named(name) || self.is_mentioned() => {}
                None => self.unknown(key, name, entry.key_span),
            }
            self.path.pop();
        }
    }

    fn defaults(&mut self, key: &Key, node: &Node, taken: Taken) {
        let Some(map) = node.as_map() else { return };
        let taken = taken.by(key, self.path.is_empty());
        if key.whole || taken.section {
            return;
        }
        for (name, entry) in map {
            let Some(inner) = key.inner.get(name) else { continue };
            self.path.push(Step::Key(Arc::clone(name)));
            if !self.is_used(inner, name, taken) {
                self.unused(entry.key_span, "the default");
            } else if !inner.whole && entry.value.as_map().is_some_and(|map| !map.is_empty()) {
                self.defaults(inner, &entry.value, taken);
            }
            self.path.pop();
        }
    }

    fn is_used(&self, key: &Key, name: &str, taken: Taken) -> bool {
        any_used(key) || taken.section || taken.any && self.is_named(name) || self.is_mentioned()
    }

    fn unused(&mut self, span: Span, label: &str) {
        let message = format!("no template reads `{}`", path_text(&self.path));
        self.findings.push(Diagnostic::new(Code::UnusedValue, message).label(span, label));
    }

    /// A key that nobody knows, beside the ones in `siblings`.
    fn unknown(&mut self, siblings: &Key, name: &str, span: Span) {
        let path = path_text(&self.path);
        let message = format!("`{path}` is not known: no default, no schema and no template has it");
        let diagnostic = Diagnostic::new(Code::UnknownValue, message).label(span, "set here, to no effect");
        let parent = &self.path[..self.path.len() - 1];
        let known = siblings.inner.iter().filter(|(_, key)| key.known || key.used).map(|(name, _)| &**name);
        let hint = if let Some(near) = nearest(name, known) {
            let mut path = parent.to_vec();
            path.push(Step::Key(near.into()));
            Some(format!("did you mean `{}`?", path_text(&path)))
        } else {
            self.elsewhere(siblings, name)
        };
        self.findings.push(hint.into_iter().fold(diagnostic, Diagnostic::hint));
    }

    /// Where the same name is known, above or below the place.
    fn elsewhere(&self, siblings: &Key, name: &str) -> Option<String> {
        let parent = &self.path[..self.path.len() - 1];
        for up in 1..=parent.len() {
            let outer = &parent[..parent.len() - up];
            let key = outer.iter().try_fold(&self.usage.root, |key, step| match step {
                Step::Key(name) => key.inner.get(name),
                Step::Index(_) => None,
            })?;
            if key.inner.get(name).is_some_and(|key| key.known) {
                let place =
                    if outer.is_empty() { "at the top".to_owned() } else { format!("under `{}`", path_text(outer)) };
                return Some(format!("`{name}` exists {} up, {place}", levels(up)));
            }
        }
        let (path, down) = below(siblings, name, 1)?;
        let mut place = parent.to_vec();
        place.extend(path.into_iter().map(Step::Key));
        Some(format!("`{name}` exists {} down, under `{}`", levels(down), path_text(&place)))
    }
}

fn levels(count: usize) -> String {
    if count == 1 { "one level".to_owned() } else { format!("{count} levels") }
}

/// The nearest mapping below that has a name, and how far down it is.
fn below(key: &Key, name: &str, down: usize) -> Option<(Vec<Arc<str>>, usize)> {
    if let Some((outer, _)) = key.inner.iter().find(|(_, key)| key.inner.get(name).is_some_and(|key| key.known)) {
        return Some((vec![Arc::clone(outer)], down));
    }
    if down >= LEVELS_DOWN {
        return None;
    }
    key.inner.iter().find_map(|(outer, key)| {
        let (mut path, down) = below(key, name, down + 1)?;
        path.insert(0, Arc::clone(outer));
        Some((path, down))
    })
}

/// Whether a key or one below it is used.
fn any_used(key: &Key) -> bool {
    key.used || key.whole || key.inner.values().any(any_used)
}

fn is_library(chart: &Chart) -> bool {
    chart.metadata.kind.eq_ignore_ascii_case("library")
}

/// What a chart's templates mention, and other files and defaults that may be templates for `tpl`.
fn mentions(chart: &Chart) -> Mentions {
    let mut mentions = Mentions::default();
    for file in &chart.files {
        if file.path.starts_with("templates/") || memchr::memmem::find(file.data(), b"{{").is_some() {
            mentions.scan(&file.path, &String::from_utf8_lossy(file.data()));
        }
    }
    templates_in(&chart.values, &mut mentions);
    mentions
}

/// What templates in the strings of a tree mention.
fn templates_in(node: &Node, mentions: &mut Mentions) {
    match &node.data {
        Data::Str(text) if text.contains("{{") => mentions.scan_value(text),
        Data::Seq(items) => items.iter().for_each(|item| templates_in(item, mentions)),
        Data::Map(map) => map.values().for_each(|entry| templates_in(&entry.value, mentions)),
        _ => {}
    }
}
