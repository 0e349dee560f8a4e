//! All values with their origins, like `git blame`.

use super::{Final, table};
use crate::diagnostic::{Sources, Span};
use crate::values::{History, Line, Setter, Source, is_generated, lines, short};
use crate::yaml::{Data, Node, Step, path_text};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) struct Origins<'a> {
    values: &'a Final<'a>,
    sources: &'a Sources,
    lines: Vec<Line>,
    /// Paths that a null deleted.
    deleted: Vec<Vec<Step>>,
}

impl<'a> Origins<'a> {
    pub(super) fn new(values: &'a Final<'a>, sources: &'a Sources) -> Self {
        let root = &values.resolved.values;
        let mut deleted = Vec::new();
        for (_, layer) in &values.layered.layers {
            nulls(layer, &mut Vec::new(), &mut |path| {
                if root.follow(path).is_none() && !deleted.iter().any(|known| known == path) {
                    deleted.push(path.to_vec());
                }
            });
        }
        deleted.retain(|path| {
            let history = values.resolved.history(&values.layered, path);
            history.setters.iter().any(|setter| !setter.value.is_null())
        });
        Origins { values, sources, lines: lines(root), deleted }
    }

    fn history(&self, path: &[Step]) -> History {
        self.values.resolved.history(&self.values.layered, path)
    }

    fn value(&self, path: &[Step]) -> &Node {
        self.values.resolved.values.follow(path).unwrap_or(&self.values.resolved.values)
    }

    /// `default` is overridden by `winner`: what is worth telling is what had another value.
    fn overridden<'h>(&self, history: &'h History) -> impl Iterator<Item = &'h Setter> {
        let end = history.winner.unwrap_or(history.setters.len().saturating_sub(1));
        history.setters[..end].iter().rev().filter(|setter| setter.depth > 0)
    }

    fn place(&self, span: Span) -> String {
        self.sources.locate(span)
    }

    /// Where a value is set; nowhere, if it is there only because subcharts have such a mapping.
    fn set_at(&self, value: &Node) -> String {
        if is_generated(value) { String::new() } else { self.place(value.span) }
    }

    /// `over v1 (values.yaml:3:8)`
    fn over(&self, history: &History) -> Option<String> {
        let setter = self.overridden(history).next()?;
        Some(format!("over {} ({})", short(&setter.value), self.place(setter.value.span)))
    }

    /// YAML with the origin of each line in front of it.
    pub(super) fn annotated(&self) -> String {
        let mut rows: Vec<(String, String)> = Vec::new();
        for line in &self.lines {
            if !line.is_leaf {
                rows.push((String::new(), line.text.clone()));
                continue;
            }
            let mut text = line.text.clone();
            if let Some(over) = self.over(&self.history(&line.path)) {
                text += &format!("  # {over}");
            }
            rows.push((self.set_at(self.value(&line.path)), text));
        }
        for path in &self.deleted {
            let history = self.history(path);
            let Some(null) = history.setters.last() else { continue };
            let over = self.over(&history).unwrap_or_default();
            rows.push((self.place(null.value.span), format!("# {}: deleted, {over}", path_text(path))));
        }
        let width = rows.iter().map(|(place, _)| place.chars().count()).max().unwrap_or(0);
        rows.iter().map(|(place, text)| format!("{}\n", format!("{place:width$}  {text}").trim_end())).collect()
    }

    pub(super) fn table(&self) -> String {
        let leaves = self.lines.iter().filter(|line| line.is_leaf).map(|line| {
            let value = self.value(&line.path);
            let over = self.over(&self.history(&line.path)).unwrap_or_default();
            vec![path_text(&line.path), short(value), self.set_at(value), over]
        });
        let deleted = self.deleted.iter().map(|path| {
            let history = self.history(path);
            let place = history.setters.last().map(|null| self.place(null.value.span)).unwrap_or_default();
            vec![path_text(path), "(deleted)".to_owned(), place, self.over(&history).unwrap_or_default()]
        });
        table(&["PATH", "VALUE", "SET AT", ""], leaves.chain(deleted).collect())
    }

    pub(super) fn json(&self) -> Value {
        let entry = |path: &Vec<Step>, value: Value, origin: Value| {
            let history = self.history(path);
            let overrides: Vec<Value> = self.overridden(&history).map(|setter| self.setter_json(setter)).collect();
            json!({"path": path_text(path), "value": value, "origin": origin, "overrides": overrides})
        };
        let leaves = self.lines.iter().filter(|line| line.is_leaf).map(|line| {
            let value = self.value(&line.path);
            let origin = if is_generated(value) { Value::Null } else { place_json(value.span, self.sources) };
            entry(&line.path, value.to_json(), origin)
        });
        let deleted = self.deleted.iter().map(|path| {
            let history = self.history(path);
            let origin = history.setters.last().map(|null| place_json(null.value.span, self.sources));
            let mut entry = entry(path, Value::Null, origin.unwrap_or_default());
            entry["deleted"] = true.into();
            entry
        });
        json!({"version": 1, "values": leaves.chain(deleted).collect::<Vec<_>>()})
    }

    fn setter_json(&self, setter: &Setter) -> Value {
        json!({"value": setter.value.to_json(), "origin": place_json(setter.value.span, self.sources)})
    }
}

/// Calls back with the path of each null.
fn nulls(node: &Node, path: &mut Vec<Step>, found: &mut impl FnMut(&[Step])) {
    match &node.data {
        Data::Null => found(path),
        Data::Map(map) => {
            for (key, entry) in map.iter() {
                path.push(Step::Key(Arc::clone(key)));
                nulls(&entry.value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

pub(super) fn place_json(span: Span, sources: &Sources) -> Value {
    let position = sources.position(span.file, span.start);
    json!({"file": sources.name(span.file), "line": position.line, "column": position.column})
}

/// What a layer is, for people.
pub(super) fn layer(setter: &Setter, sources: &Sources) -> String {
    match &setter.source {
        Source::Default(chart) => format!("default of {chart}"),
        Source::Imported(chart) => format!("imported into {chart}"),
        Source::Layer(_) => match sources.name(setter.value.span.file) {
            name if name.starts_with("<--") => "argument".to_owned(),
            _ => "values file".to_owned(),
        },
    }
}
