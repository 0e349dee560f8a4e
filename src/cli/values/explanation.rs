//! One value: every layer that sets it, in order, and the template lines that read it.

use super::origins::{layer, place_json};
use super::{Final, table};
use crate::cli::release::Stop;
use crate::diagnostic::{Code, Diagnostic, Severity, Sources, Span, nearest};
use crate::render::{self, Options};
use crate::template::{Context, Project};
use crate::values::{History, Setter, actions_with, short, yaml};
use crate::yaml::{Data, Node, Step, path_text};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) struct Explanation {
    path: Vec<Step>,
    value: Option<Node>,
    history: History,
    readers: Vec<Span>,
    /// Where templates name it besides: in conditions, and where this render did not come along.
    named: Vec<Span>,
}

impl Explanation {
    pub(super) fn new(values: &Final<'_>, path: &[Step], sources: &mut Sources) -> Result<Self, Stop> {
        let history = values.resolved.history(&values.layered, path);
        let value = values.resolved.values.follow(path).cloned();
        if value.is_none() && history.setters.is_empty() {
            return Err(Stop::Found(vec![unknown(&values.resolved.values, path)]));
        }
        let (readers, named) = readers(values, path, value.as_ref().map(|value| value.span), sources);
        Ok(Explanation { path: path.to_vec(), value, history, readers, named })
    }

    pub(super) fn text(&self, sources: &Sources) -> String {
        let path = path_text(&self.path);
        let mut text = match &self.value {
            Some(value @ Node { data: Data::Map(_) | Data::Seq(_), .. }) => {
                let inner: String = yaml(value).lines().map(|line| format!("  {line}\n")).collect();
                format!("{path}:\n{inner}")
            }
            Some(value) => format!("{path}: {}\n", short(value)),
            None => format!("{path} is not set\n"),
        };
        text += "\nset by\n";
        let rows = self.history.setters.iter().enumerate().map(|(number, setter)| {
            let mark = if self.history.winner == Some(number) { "▸" } else { " " };
            vec![format!("{mark} {}", sources.locate(setter.value.span)), self.said(setter), layer(setter, sources)]
        });
        text += &indented(&table(&["", "", ""], rows.collect()));
        for (title, spans) in [("read by", &self.readers), ("named by", &self.named)] {
            if spans.is_empty() {
                continue;
            }
            text += &format!("\n{title}\n");
            let rows = spans.iter().map(|&span| {
                let position = sources.position(span.file, span.start);
                let line = &sources.text(span.file)[sources.line_range(span.file, position.line)];
                vec![format!("  {}", sources.locate(span)), line.trim().to_owned()]
            });
            text += &indented(&table(&["", ""], rows.collect()));
        }
        text
    }

    /// What a layer says, and about which part of the path.
    fn said(&self, setter: &Setter) -> String {
        let value = short(&setter.value);
        if setter.depth < self.path.len() {
            return format!("{}: {value}", path_text(&self.path[..setter.depth]));
        }
        if setter.value.is_null() && self.value.is_none() { format!("{value} (deletes it)") } else { value }
    }

    pub(super) fn json(&self, sources: &Sources) -> Value {
        let setters = self.history.setters.iter().enumerate().map(|(number, setter)| {
            json!({
                "layer": layer(setter, sources),
                "path": path_text(&self.path[..setter.depth.min(self.path.len())]),
                "value": setter.value.to_json(),
                "origin": place_json(setter.value.span, sources),
                "wins": self.history.winner == Some(number),
            })
        });
        json!({
            "version": 1,
            "path": path_text(&self.path),
            "value": self.value.as_ref().map(Node::to_json),
            "setBy": setters.collect::<Vec<_>>(),
            "readBy": self.readers.iter().map(|&span| place_json(span, sources)).collect::<Vec<_>>(),
            "namedBy": self.named.iter().map(|&span| place_json(span, sources)).collect::<Vec<_>>(),
        })
    }
}

/// A table without its empty header.
fn indented(table: &str) -> String {
    table.lines().skip(1).map(|line| format!("{line}\n")).collect()
}

/// There is nothing at this path: says how far it leads, and what is there.
fn unknown(root: &Node, path: &[Step]) -> Diagnostic {
    let known = (0..path.len()).rev().find(|&depth| root.follow(&path[..depth]).is_some()).unwrap_or(0);
    let message = format!("there is no value `{}`", path_text(path));
    let diagnostic = Diagnostic { severity: Severity::Error, ..Diagnostic::new(Code::UnknownValue, message) };
    let parent = root.follow(&path[..known]);
    let Some(Step::Key(wanted)) = path.get(known) else { return diagnostic };
    let Some(map) = parent.and_then(Node::as_map) else {
        return diagnostic.hint(format!("`{}` holds no mapping", path_text(&path[..known])));
    };
    match nearest(wanted, map.keys().map(|key| &**key)) {
        Some(name) => {
            let mut steps = path[..known].to_vec();
            steps.push(Step::Key(name.into()));
            diagnostic.hint(format!("did you mean `{}`?", path_text(&steps)))
        }
        None => diagnostic,
    }
}

/// The template expressions whose output a value is part of, and the lines that name it besides. A chart that does not
/// render reads as far as it does.
fn readers(values: &Final<'_>, path: &[Step], value: Option<Span>, sources: &mut Sources) -> (Vec<Span>, Vec<Span>) {
    let context = Context { record_reads: true, ..Context::default() };
    let options = Options { skip_schema_validation: true, incomplete: true };
    let Ok(outcome) = render::run(values.chart, &values.layered, context, options, sources) else {
        return (Vec::new(), Vec::new());
    };
    let mut readers: Vec<Span> = Vec::new();
    for file in &outcome.rendered.files {
        readers.extend(value.into_iter().flat_map(|value| file.map.readers(value)));
    }
    readers.sort_unstable();
    readers.dedup();
    let named = named(&outcome.project, path, &readers, sources);
    (readers, named)
}

/// Where the templates of the charts that a path leads into name it, on other lines than those of `readers`.
fn named(project: &Project, path: &[Step], readers: &[Span], sources: &Sources) -> Vec<Span> {
    let keys: Vec<Arc<str>> = path
        .iter()
        .map_while(|step| match step {
            Step::Key(key) => Some(Arc::clone(key)),
            Step::Index(_) => None,
        })
        .collect();
    let line = |span: &Span| (span.file, sources.position(span.file, span.start).line);
    let mut known: Vec<_> = readers.iter().map(line).collect();
    let mut named = Vec::new();
    for template in &project.templates {
        // The path as the template's chart sees it.
        let mut chart = &project.scopes[template.scope];
        let mut inner = Vec::new();
        while let Some(parent) = chart.parent {
            inner.insert(0, Arc::clone(&chart.name));
            chart = &project.scopes[parent];
        }
        let is_library = project.scopes[template.scope].is_library;
        let Some(own) = (if is_library { Some(&keys[..]) } else { keys.strip_prefix(&inner[..]) }) else { continue };
        if own.is_empty() {
            continue;
        }
        for at in actions_with(&template.name, &template.text, own) {
            let span = Span::new(template.file, at, at + 2);
            if !known.contains(&line(&span)) {
                known.push(line(&span));
                named.push(span);
            }
        }
    }
    named
}
