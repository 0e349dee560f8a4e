//! How a chart's templates use its values: which fields of manifests values become, and which keys are asked for.
//!
//! Nothing is taken from the text of templates but hints. The chart is rendered with its layers, and what a value was
//! written to is read off the manifests: for a value that is there, by the source map; for one that is empty by default,
//! by a probe in its place, which shows wherever the templates put it.

use super::assemble::Options;
use super::pipeline::run;
use super::{Outcome, Rendered};
use crate::chart::Chart;
use crate::diagnostic::{FileId, Sources, Span};
use crate::schema::{KubeVersion, Passage, Plain, acceptor, fields};
use crate::template::Context;
use crate::values::derive::{Usage, collect_definitions};
use crate::values::{Layered, mentioned};
use crate::yaml::{self, Data, Entry, Mapping, Node, Step};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// How often a chart is rendered at most to find which switch, or which probe of a kind, breaks it.
const MOST_RENDERS: usize = 256;

/// The fields that a value becomes: for each, its schema and how it got there.
type Landings = BTreeMap<Vec<Step>, BTreeSet<(Passage, String)>>;

/// What to look at.
#[derive(Debug)]
pub struct Study<'a> {
    pub chart: &'a Chart,
    /// Each set of layers.
    pub layers: Vec<&'a Layered>,
    /// Values that are right, whatever is found: the author's tests.
    pub examples: &'a [Node],
    /// Keys at the top that are not the chart's own: subcharts.
    pub foreign: HashSet<&'a str>,
    pub context: Context,
    pub version: KubeVersion,
}

/// A value that became a field.
struct Landing {
    path: Vec<Step>,
    passage: Passage,
    schema: Value,
    /// Shown by a value that does not tell whether the template puts quotes around it.
    is_text: bool,
}

/// What one render showed.
#[derive(Default)]
struct Seen {
    landings: Vec<Landing>,
    definitions: BTreeMap<String, Value>,
    reads: BTreeMap<Vec<Arc<str>>, bool>,
    /// Templates that rendered.
    rendered: HashSet<usize>,
    templates: usize,
}

impl Study<'_> {
    pub fn usage(&self, sources: &Sources) -> Usage {
        let slim = slim(self.chart, true);
        let study = Study {
            chart: &slim,
            layers: self.layers.clone(),
            examples: self.examples,
            foreign: self.foreign.clone(),
            context: self.context.clone(),
            version: self.version,
        };
        study.all(sources)
    }

    fn all(&self, sources: &Sources) -> Usage {
        let mut all: Vec<Seen> = self.layers.par_iter().map(|layered| self.look(layered, sources)).collect();
        let switches = self.switches();
        let harmless = self.harmless(&switches, sources);
        let off = Vec::new();
        let mut shared = sources.clone();
        all.push(self.look(&overlay(&[], &harmless, &mut shared), &shared));
        let probes = self.probes();
        let rounds: Vec<Vec<Probe>> = [
            &[Kind::Map][..],
            &[Kind::List],
            &[Kind::MapOfStrings],
            &[Kind::ListOfMaps],
            &[Kind::String],
            &[Kind::MapForNull],
        ]
        .map(|kinds| probes.iter().filter(|probe| kinds.contains(&probe.kind)).cloned().collect())
        .into();
        let least = self.rendered_with(&[], sources);
        for on in [&off, &switches] {
            all.par_extend(rounds.par_iter().map(|round| self.probe(round, on, sources)));
        }
        all.par_extend(rounds.par_iter().flat_map(|round| self.split(round, &harmless, least, MOST_RENDERS, sources)));
        self.conclude(all)
    }

    /// Renders with probes, and where that breaks templates, with fewer at a time: `most` times at most.
    fn split(
        &self,
        probes: &[Probe],
        switches: &[Vec<Step>],
        least: usize,
        most: usize,
        sources: &Sources,
    ) -> Vec<Seen> {
        let seen = self.probe(probes, switches, sources);
        let rest = most / 2;
        if seen.rendered.len() >= least || probes.len() < 2 || rest == 0 {
            return vec![seen];
        }
        let (left, right) = probes.split_at(probes.len() / 2);
        let (mut all, right) = rayon::join(
            || self.split(left, switches, least, rest, sources),
            || self.split(right, switches, least, rest, sources),
        );
        all.push(seen);
        all.extend(right);
        all
    }

    /// The switches that can be turned on together without a template failing that renders without.
    fn harmless(&self, switches: &[Vec<Step>], sources: &Sources) -> Vec<Vec<Step>> {
        let least = self.rendered_with(&[], sources);
        let mut on = Vec::new();
        let mut waiting = vec![switches];
        let mut most = MOST_RENDERS;
        while let Some(some) = waiting.pop() {
            let together = [&on, some].concat();
            if most == 0 || some.is_empty() {
                continue;
            }
            most -= 1;
            if self.rendered_with(&together, sources) >= least {
                on = together;
            } else if some.len() > 1 {
                let (left, right) = some.split_at(some.len() / 2);
                waiting.extend([right, left]);
            }
        }
        on
    }

    /// How many of the chart's own templates render with these switches on.
    fn rendered_with(&self, switches: &[Vec<Step>], sources: &Sources) -> usize {
        let mut sources = sources.clone();
        let layered = overlay(&[], switches, &mut sources);
        self.render(&layered, &mut sources).map_or(0, |outcome| Seen::of(&outcome).rendered.len())
    }

    /// Renders with these layers, and looks where their values show.
    fn look(&self, layered: &Layered, sources: &Sources) -> Seen {
        let mut sources = sources.clone();
        let Some(outcome) = self.render(layered, &mut sources) else { return Seen::default() };
        let mut seen = Seen::of(&outcome);
        let mut plain = Plain::new(self.version);
        let values = Values::new(&outcome.project.values, &self.foreign);
        for file in outcome.rendered.files.iter().filter(|file| !file.is_notes()) {
            for document in yaml::read(sources.text(file.file), file.file).documents {
                for field in fields(self.version, &document) {
                    let span = field.node.span;
                    let reads = file.map.values_in(span.start, span.end.max(span.start + 1));
                    let expression = file
                        .map
                        .template(span.start)
                        .map(|it| sources.text(it.file).get(it.start as usize..it.end as usize).unwrap_or_default());
                    let expression = expression.unwrap_or_default();
                    let Some((path, partial)) = values.of(field.node, &reads, expression) else { continue };
                    let passage = Passage { templated: expression.contains("tpl"), quoted: false, partial };
                    if let Some(schema) = plain.schema(&field, passage) {
                        seen.landings.push(Landing { path, passage, schema, is_text: true });
                    }
                }
            }
        }
        seen.definitions = plain.definitions;
        seen
    }

    fn render(&self, layered: &Layered, sources: &mut Sources) -> Option<Outcome> {
        let options = Options { skip_schema_validation: true, incomplete: true };
        let context = Context { record_reads: true, ..self.context.clone() };
        run(self.chart, layered, context, options, sources).ok()
    }

    /// Renders with probes in the place of values, and looks where they show.
    fn probe(&self, probes: &[Probe], switches: &[Vec<Step>], sources: &Sources) -> Seen {
        if probes.is_empty() {
            return Seen::default();
        }
        let mut sources = sources.clone();
        let layered = overlay(probes, switches, &mut sources);
        let Some(outcome) = self.render(&layered, &mut sources) else { return Seen::default() };
        let mut seen = Seen::of(&outcome);
        let by_mark: HashMap<&str, &Probe> = probes.iter().map(|probe| (probe.mark.as_str(), probe)).collect();
        let mut plain = Plain::new(self.version);
        for file in outcome.rendered.files.iter().filter(|file| !file.is_notes()) {
            let text = sources.text(file.file);
            if !text.contains(MARK) {
                continue;
            }
            for document in yaml::read(text, file.file).documents {
                for field in fields(self.version, &document) {
                    for (probe, passage) in marks(field.node, &by_mark) {
                        let templated = file.map.template(field.node.span.start).is_some_and(|it| {
                            let text = sources.text(it.file).get(it.start as usize..it.end as usize);
                            text.is_some_and(|text| text.contains("tpl"))
                        });
                        let passage = Passage { templated, ..passage };
                        if let Some(schema) = plain.schema(&field, passage) {
                            let (path, is_text) = (probe.path.clone(), probe.kind != Kind::Map);
                            seen.landings.push(Landing { path, passage, schema, is_text });
                        }
                    }
                }
            }
        }
        seen.definitions = plain.definitions;
        seen
    }

    /// A probe for each value that is empty by default.
    fn probes(&self) -> Vec<Probe> {
        let mut probes = Vec::new();
        self.each(&mut |path, node| {
            let kinds: &[Kind] = match &node.data {
                // Whether the entries get quotes shows in one more.
                Data::Map(map) if map.values().all(|entry| entry.value.as_str().is_some()) && !map.is_empty() => {
                    &[Kind::Map]
                }
                Data::Map(map) if map.is_empty() => &[Kind::Map, Kind::MapOfStrings],
                Data::Seq(items) if items.is_empty() => &[Kind::List, Kind::ListOfMaps],
                Data::Str(text) if text.is_empty() => &[Kind::String],
                Data::Null => &[Kind::String, Kind::MapForNull],
                _ => &[],
            };
            for kind in kinds {
                let mark = format!("{MARK}{}", probes.len());
                probes.push(Probe { path: path.to_vec(), kind: *kind, mark });
            }
        });
        probes
    }

    /// What is off by default.
    fn switches(&self) -> Vec<Vec<Step>> {
        let mut switches = Vec::new();
        self.each(&mut |path, node| {
            if node.data == Data::Bool(false) {
                switches.push(path.to_vec());
            }
        });
        switches
    }

    fn each(&self, found: &mut impl FnMut(&[Step], &Node)) {
        let Some(map) = self.chart.values.as_map() else { return };
        for (key, entry) in map.iter().filter(|(key, _)| !self.foreign.contains(&***key)) {
            each_node(&mut vec![Step::Key(Arc::clone(key))], &entry.value, found);
        }
    }

    fn conclude(&self, all: Vec<Seen>) -> Usage {
        let mut usage = Usage::default();
        let mut landings = Landings::new();
        let mut rendered = HashSet::new();
        let mut templates = 0;
        let sure = all.iter().flat_map(|seen| &seen.landings).filter(|landing| !landing.is_text);
        let told: HashSet<Vec<Step>> = sure.map(|landing| landing.path.clone()).collect();
        for seen in all {
            for landing in seen.landings {
                if landing.is_text && told.contains(&landing.path) {
                    continue;
                }
                landings.entry(landing.path).or_default().insert((landing.passage, landing.schema.to_string()));
            }
            usage.definitions.extend(seen.definitions);
            for (path, whole) in seen.reads {
                usage.learn(&path, whole);
            }
            rendered.extend(seen.rendered);
            templates = templates.max(seen.templates);
        }
        usage.complete = templates > 0 && rendered.len() == templates;
        for (path, whole) in mentioned(self.chart) {
            usage.learn(&path, whole);
        }
        for (path, found) in landings {
            let default = self.chart.values.follow(&path);
            let Some(schema) = combined(&found, default) else { continue };
            if self.holds(&path, &schema, &usage.definitions) {
                usage.fields.insert(path, schema);
                continue;
            }
            // Where the default is nothing, a field that must have something is left out.
            let schema = json!({"anyOf": [schema, {"type": "object", "maxProperties": 0}]});
            let is_empty = default.and_then(Node::as_map).is_some_and(|map| map.is_empty());
            if is_empty && self.holds(&path, &schema, &usage.definitions) {
                usage.fields.insert(path, schema);
            }
        }
        usage
    }

    /// Whether the default and the author's tests satisfy what was found.
    fn holds(&self, path: &[Step], schema: &Value, definitions: &BTreeMap<String, Value>) -> bool {
        let all = [&self.chart.values].into_iter().chain(self.examples);
        let values: Vec<&Node> = all.filter_map(|values| values.follow(path)).filter(|it| !it.is_null()).collect();
        values.is_empty() || {
            let mut reached = serde_json::Map::new();
            collect_definitions(schema, definitions, &mut reached);
            let accepts = acceptor(schema, &reached);
            values.iter().all(|value| accepts(value))
        }
    }
}

/// A chart without what takes time and shows nothing: keys that templates generate, and what subcharts render from
/// values of their own.
fn slim(chart: &Chart, is_root: bool) -> Chart {
    let mut slim = chart.clone();
    slim.files.retain(|file| {
        let base = file.path.rsplit('/').next().unwrap_or(&file.path);
        let renders = file.path.starts_with("templates/") && !base.starts_with('_');
        let generates = || {
            ["genCA", "genSelfSignedCert", "genSignedCert", "genPrivateKey", "gen_ca"]
                .iter()
                .any(|name| memchr::memmem::find(file.data(), name.as_bytes()).is_some())
        };
        !renders || is_root && !generates()
    });
    slim.subcharts = chart.subcharts.iter().map(|subchart| self::slim(subchart, false)).collect();
    slim
}

/// One schema for a value that becomes several fields. All of them must take it, so the narrower one counts.
fn combined(found: &BTreeSet<(Passage, String)>, default: Option<&Node>) -> Option<Value> {
    let templated = found.iter().any(|(passage, _)| passage.templated);
    let parsed = found.iter().filter(|(passage, _)| passage.templated == templated);
    let mut schemas: Vec<Value> = parsed.filter_map(|(_, text)| serde_json::from_str(text).ok()).collect();
    schemas.dedup();
    let wider: Vec<bool> = (0..schemas.len())
        .map(|at| (0..schemas.len()).any(|other| other != at && contains(&schemas[at], &schemas[other])))
        .collect();
    let mut kept = wider.iter();
    schemas.retain(|_| !*kept.next().unwrap_or(&false));
    let mut alternatives = match schemas.len() {
        0 => return None,
        1..=3 => schemas,
        _ => return None,
    };
    let is_string = |schema: &Value| {
        schema.get("type").is_some_and(|types| {
            types == "string" || matches!(types, Value::Array(all) if all.iter().any(|it| it == "string"))
        })
    };
    if templated && !alternatives.iter().any(is_string) {
        alternatives.push(json!({"type": "string"}));
    }
    match default.map(|node| &node.data) {
        Some(Data::Str(text)) if text.is_empty() && !alternatives.iter().any(is_string) => {
            alternatives.push(json!({"const": ""}));
        }
        Some(Data::Null) => match alternatives.as_mut_slice() {
            [Value::Object(only)] if only.len() == 1 && only.contains_key("type") => {
                let mut types = match only["type"].take() {
                    Value::Array(types) => types,
                    one => vec![one],
                };
                types.push("null".into());
                only.insert("type".to_owned(), types.into());
            }
            _ => alternatives.push(json!({"type": "null"})),
        },
        _ => {}
    }
    Some(match alternatives.len() {
        1 => alternatives.swap_remove(0),
        _ => json!({"anyOf": alternatives}),
    })
}

/// Whether a schema is nothing but types, and those take in all types of another one.
fn contains(wide: &Value, narrow: &Value) -> bool {
    let types = |schema: &Value| match schema.get("type") {
        Some(Value::String(one)) => Some(vec![one.clone()]),
        Some(Value::Array(many)) => many.iter().map(|it| it.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    let Some(wide_types) = types(wide).filter(|_| wide.as_object().is_some_and(|map| map.len() == 1)) else {
        return false;
    };
    // A reference is to an object.
    let narrow_types = types(narrow).or_else(|| narrow.get("$ref").map(|_| vec!["object".to_owned()]));
    narrow_types.is_some_and(|narrow| {
        narrow
            .iter()
            .all(|name| wide_types.contains(name) || name == "integer" && wide_types.iter().any(|it| it == "number"))
    })
}

/// The start of all marks.
const MARK: &str = "chart-probe-";

/// What stands in the place of a value to show where it goes.
#[derive(Debug, Clone)]
struct Probe {
    path: Vec<Step>,
    kind: Kind,
    mark: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A mapping of the mark to a number, which tells whether the template puts entries in quotes.
    Map,
    MapOfStrings,
    List,
    ListOfMaps,
    String,
    /// A mapping where the default is null.
    MapForNull,
}

/// What probes hold besides their marks.
const NUMBER: i64 = 17;

impl Probe {
    fn value(&self, file: FileId) -> Node {
        let node = |data| Node::new(Span::new(file, 0, 0), data);
        let map = |value: Node| {
            let mut map = Mapping::default();
            map.insert(self.mark.as_str().into(), Entry { key_span: Span::new(file, 0, 0), value });
            node(Data::Map(Arc::new(map)))
        };
        let text = || node(Data::Str(self.mark.as_str().into()));
        match self.kind {
            Kind::Map | Kind::MapForNull => map(node(Data::Int(NUMBER))),
            Kind::MapOfStrings => map(text()),
            Kind::List => node(Data::Seq(Arc::new(vec![text()]))),
            Kind::ListOfMaps => node(Data::Seq(Arc::new(vec![map(text())]))),
            Kind::String => text(),
        }
    }
}

/// The probes whose value stands at a node.
fn marks<'p>(node: &Node, probes: &HashMap<&str, &'p Probe>) -> Vec<(&'p Probe, Passage)> {
    let mut found = Vec::new();
    let is_map = |kind| matches!(kind, Kind::Map | Kind::MapOfStrings | Kind::MapForNull);
    match &node.data {
        Data::Str(text) => {
            let probe = probes.get(&**text).filter(|probe| probe.kind == Kind::String);
            found.extend(probe.map(|probe| (*probe, Passage::default())));
        }
        Data::Map(map) => {
            for (key, entry) in map.iter() {
                let Some(probe) = probes.get(&**key).filter(|probe| is_map(probe.kind)) else { continue };
                let quoted = probe.kind != Kind::MapOfStrings && entry.value.as_str().is_some();
                found.push((*probe, Passage { quoted, partial: map.len() > 1, templated: false }));
            }
        }
        Data::Seq(items) => {
            for item in items.iter() {
                let mark = match &item.data {
                    Data::Str(text) => probes.get(&**text).filter(|probe| probe.kind == Kind::List),
                    Data::Map(map) => {
                        map.keys().find_map(|key| probes.get(&**key)).filter(|probe| probe.kind == Kind::ListOfMaps)
                    }
                    _ => None,
                };
                found.extend(mark.map(|probe| (*probe, Passage::default())));
            }
        }
        _ => {}
    }
    found
}

/// A layer of probes, and of switches that are on.
fn overlay(probes: &[Probe], switches: &[Vec<Step>], sources: &mut Sources) -> Layered {
    let file = sources.add("<probe>", "");
    let mut values = Node::empty_map(file);
    for path in switches {
        put(&mut values, path, Node::new(Span::new(file, 0, 0), Data::Bool(true)));
    }
    for probe in probes {
        put(&mut values, &probe.path, probe.value(file));
    }
    Layered { values, ..Layered::none() }
}

/// Puts a value at a path of keys.
fn put(root: &mut Node, path: &[Step], value: Node) {
    let Some((Step::Key(key), rest)) = path.split_first() else {
        *root = value;
        return;
    };
    let span = root.span;
    let Data::Map(map) = &mut root.data else { return };
    let map = Arc::make_mut(map);
    let entry =
        map.get_or_insert_with(key, || Entry { key_span: span, value: Node::new(span, Data::Map(Arc::default())) });
    if !rest.is_empty() && entry.value.as_map().is_none() {
        return;
    }
    put(&mut entry.value, rest, value);
}

/// Calls for every value, from the outside in; lists count as one.
fn each_node(path: &mut Vec<Step>, node: &Node, found: &mut impl FnMut(&[Step], &Node)) {
    found(path, node);
    for (key, entry) in node.as_map().into_iter().flatten() {
        path.push(Step::Key(Arc::clone(key)));
        each_node(path, &entry.value, found);
        path.pop();
    }
}

impl Seen {
    fn of(outcome: &Outcome) -> Self {
        let project = &outcome.project;
        let own = |index: usize| project.templates[index].scope == 0 && !project.templates[index].is_partial();
        Seen {
            reads: outcome.rendered.reads.paths.clone(),
            rendered: rendered(&outcome.rendered).filter(|&index| own(index)).collect(),
            templates: (0..project.templates.len()).filter(|&index| own(index)).count(),
            ..Seen::default()
        }
    }
}

fn rendered(rendered: &Rendered) -> impl Iterator<Item = usize> + '_ {
    rendered.files.iter().map(|file| file.template)
}

/// The values of a render by their places.
struct Values<'v> {
    by_span: HashMap<Span, Vec<(Vec<Step>, &'v Node)>>,
}

impl<'v> Values<'v> {
    fn new(root: &'v Node, foreign: &HashSet<&str>) -> Self {
        let mut values = Values { by_span: HashMap::new() };
        for (key, entry) in root.as_map().into_iter().flatten().filter(|(key, _)| !foreign.contains(&***key)) {
            values.add(&mut vec![Step::Key(Arc::clone(key))], &entry.value);
        }
        values
    }

    fn add(&mut self, path: &mut Vec<Step>, node: &'v Node) {
        self.by_span.entry(node.span).or_default().push((path.clone(), node));
        for (key, entry) in node.as_map().into_iter().flatten() {
            path.push(Step::Key(Arc::clone(key)));
            self.add(path, &entry.value);
            path.pop();
        }
    }

    /// The one value among those that an expression read which a node is, and whether the node has more than it.
    fn of(&self, node: &Node, reads: &[Span], expression: &str) -> Option<(Vec<Step>, bool)> {
        let read: Vec<&(Vec<Step>, &Node)> = reads.iter().filter_map(|span| self.by_span.get(span)).flatten().collect();
        let is_empty = match &node.data {
            Data::Map(map) => map.is_empty(),
            Data::Seq(items) => items.is_empty(),
            Data::Str(text) => text.is_empty(),
            Data::Null => true,
            _ => false,
        };
        if is_empty {
            return None;
        }
        let mut found: Vec<(&[Step], bool)> = read
            .iter()
            .filter_map(|(path, value)| match same(value, node) {
                true => Some((path.as_slice(), false)),
                false => is_part(value, node).then_some((path.as_slice(), true)),
            })
            .collect();
        // Of several with the same content, it is the one that the template names.
        if found.len() > 1 {
            found.retain(|(path, _)| matches!(path.last(), Some(Step::Key(key)) if expression.contains(&**key)));
        }
        match found.as_slice() {
            [(path, partial)] => Some((path.to_vec(), *partial)),
            _ => None,
        }
    }
}

/// Whether two trees hold the same data.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.data, &b.data) {
        (Data::Map(a), Data::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, entry)| b.get(key).is_some_and(|other| same(&entry.value, &other.value)))
        }
        (Data::Seq(a), Data::Seq(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Data::Map(_) | Data::Seq(_), _) | (_, Data::Map(_) | Data::Seq(_)) => false,
        (a, b) => a == b,
    }
}

/// Whether all entries of a mapping are in another one that has more.
fn is_part(part: &Node, whole: &Node) -> bool {
    let (Some(part), Some(whole)) = (part.as_map(), whole.as_map()) else { return false };
    !part.is_empty()
        && part.iter().all(|(key, entry)| whole.get(key).is_some_and(|other| same(&entry.value, &other.value)))
}
