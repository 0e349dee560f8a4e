//! The charts that a render uses: which subcharts are enabled, under which names, with which defaults.
//!
//! Follows Helm's processing of dependencies: matching by name and version range, aliases, tags, conditions,
//! `import-values`, and the order that results.

use super::coalesce::{CoalesceError, coalesce};
use super::table::{Clash, Item, Nulls, Table, TooDeep, coalesce_tables};
use crate::chart::{Chart, Dependency, ImportValues, Metadata};
use crate::diagnostic::Span;
use crate::version::{Constraint, Version};
use crate::yaml::{Data, Node};
use std::sync::Arc;

/// Index of a chart in a [`Tree`].
pub type UnitId = usize;

/// A chart as it takes part in a render: the root, or a subchart under its alias.
#[derive(Debug, Clone)]
pub struct Unit<'a> {
    pub chart: &'a Chart,
    /// The chart's defaults. Where it has dependencies, theirs and imported values are among them.
    pub values: Node,
    /// `web/charts/redis`, as in template names.
    pub path: Arc<str>,
    name: Arc<str>,
    subcharts: Vec<UnitId>,
    parent: Option<UnitId>,
    /// Index in [`Tree::records`].
    record: usize,
}

/// A chart's metadata while it is processed.
#[derive(Debug, Clone)]
struct Record {
    metadata: Metadata,
    /// Its `import-values` have been followed. Helm does not follow them again.
    imported: bool,
}

/// The root chart and its enabled subcharts.
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    units: Vec<Unit<'a>>,
    /// Copies of an undeclared subchart share one, as in Helm: what processing does to it shows in all.
    records: Vec<Record>,
}

/// A dependency's condition, tag or import that does not do what it says.
#[derive(Debug, Clone)]
pub(super) struct Oddity {
    pub(super) message: String,
    /// The entry in `Chart.yaml`.
    pub(super) span: Option<Span>,
    /// The value that it is about.
    pub(super) value: Option<Span>,
}

/// What processing noticed on the way.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) oddities: Vec<Oddity>,
    pub(super) clashes: Vec<Clash>,
}

impl<'a> Tree<'a> {
    pub const ROOT: UnitId = 0;

    /// All charts as loaded, none disabled.
    fn loaded(chart: &'a Chart) -> Self {
        let mut tree = Tree { units: Vec::new(), records: Vec::new() };
        tree.load(chart, None);
        tree
    }

    fn load(&mut self, chart: &'a Chart, parent: Option<UnitId>) -> UnitId {
        let id = self.units.len();
        let record = self.records.len();
        self.records.push(Record { metadata: chart.metadata.clone(), imported: false });
        self.units.push(Unit {
            chart,
            values: chart.values.clone(),
            path: "".into(),
            name: chart.metadata.name.as_str().into(),
            subcharts: Vec::new(),
            parent,
            record,
        });
        let subcharts = chart.subcharts.iter().map(|subchart| self.load(subchart, Some(id))).collect();
        self.units[id].subcharts = subcharts;
        id
    }

    /// Processes dependencies with the user's values.
    pub(super) fn process(chart: &'a Chart, values: &Node, notes: &mut Notes) -> Result<Self, CoalesceError> {
        let mut tree = Self::loaded(chart);
        tree.enable(Self::ROOT, values, "", notes)?;
        tree.import(Self::ROOT, notes)?;
        for id in 0..tree.units.len() {
            tree.units[id].path = tree.full_path(id).into();
        }
        Ok(tree)
    }

    /// Every chart, enabled or not.
    pub fn iter(&self) -> impl Iterator<Item = &Unit<'a>> {
        self.units.iter()
    }

    pub fn unit(&self, id: UnitId) -> &Unit<'a> {
        &self.units[id]
    }

    /// The chart's metadata, with its alias for a name and without disabled dependencies.
    pub fn metadata(&self, id: UnitId) -> &Metadata {
        &self.records[self.units[id].record].metadata
    }

    fn record(&mut self, id: UnitId) -> &mut Record {
        let record = self.units[id].record;
        &mut self.records[record]
    }

    pub fn name(&self, id: UnitId) -> &Arc<str> {
        &self.units[id].name
    }

    pub fn values(&self, id: UnitId) -> &Node {
        &self.units[id].values
    }

    /// The enabled subcharts, in Helm's order.
    pub fn subcharts(&self, id: UnitId) -> &[UnitId] {
        &self.units[id].subcharts
    }

    fn full_path(&self, id: UnitId) -> String {
        match self.units[id].parent {
            None => self.units[id].name.to_string(),
            Some(parent) => format!("{}/charts/{}", self.full_path(parent), self.units[id].name),
        }
    }

    /// Keeps the subcharts that are enabled, under their aliases. `path` leads to this chart's values.
    fn enable(&mut self, id: UnitId, values: &Node, path: &str, notes: &mut Notes) -> Result<(), CoalesceError> {
        if !self.metadata(id).declares_dependencies {
            return Ok(());
        }
        let mut dependencies = std::mem::take(&mut self.record(id).metadata.dependencies);
        let loaded = std::mem::take(&mut self.units[id].subcharts);
        let matches = |tree: &Self, unit: UnitId, dependency: &Dependency| {
            let metadata = tree.metadata(unit);
            metadata.name == dependency.name && in_range(&dependency.version, &metadata.version)
        };
        // Charts that no dependency declares come first and are always enabled.
        let mut subcharts: Vec<UnitId> = loaded
            .iter()
            .copied()
            .filter(|&unit| !dependencies.iter().any(|dependency| matches(self, unit, dependency)))
            .collect();
        for dependency in &mut dependencies {
            if let Some(&unit) = loaded.iter().find(|&&unit| matches(self, unit, dependency)) {
                subcharts.push(self.alias(unit, &dependency.alias));
            }
            dependency.name = dependency.effective_name().to_owned();
        }
        for &subchart in &subcharts {
            self.units[subchart].parent = Some(id);
        }
        self.units[id].subcharts = subcharts;
        for dependency in &mut dependencies {
            dependency.enabled = true;
        }

        let coalesced = coalesce(self, id, values, Nulls::Delete, &mut notes.clashes)?.to_node()?;
        apply_tags(&mut dependencies, &coalesced, notes);
        apply_conditions(&mut dependencies, &coalesced, path, notes);
        let disabled =
            |name: &str| dependencies.iter().any(|dependency| !dependency.enabled && dependency.name == name);
        let mut subcharts = std::mem::take(&mut self.units[id].subcharts);
        subcharts.retain(|&subchart| !disabled(&self.metadata(subchart).name));
        let kept: Vec<Dependency> =
            dependencies.iter().filter(|dependency| !disabled(&dependency.name)).cloned().collect();
        for &subchart in &subcharts {
            let path = format!("{path}{}.", self.units[subchart].name);
            self.enable(subchart, &coalesced, &path, notes)?;
        }
        let metadata = &mut self.record(id).metadata;
        metadata.declares_dependencies = !kept.is_empty();
        metadata.dependencies = kept;
        self.units[id].subcharts = subcharts;
        Ok(())
    }

    /// A copy of a subchart under another name, or its own. Helm copies one level of its subcharts with it.
    fn alias(&mut self, id: UnitId, alias: &str) -> UnitId {
        let copy = self.copy(id, None);
        let record = self.records[self.units[copy].record].clone();
        self.units[copy].record = self.records.len();
        self.records.push(record);
        if !alias.is_empty() {
            self.record(copy).metadata.name = alias.to_owned();
            self.units[copy].name = alias.into();
        }
        let subcharts = self.units[copy].subcharts.clone();
        let subcharts = subcharts.into_iter().map(|subchart| self.copy(subchart, Some(copy))).collect();
        self.units[copy].subcharts = subcharts;
        copy
    }

    fn copy(&mut self, id: UnitId, parent: Option<UnitId>) -> UnitId {
        let unit = Unit { parent, ..self.units[id].clone() };
        self.units.push(unit);
        self.units.len() - 1
    }

    /// Copies what charts import from their subcharts into their defaults, from the leaves up.
    fn import(&mut self, id: UnitId, notes: &mut Notes) -> Result<(), CoalesceError> {
        for subchart in self.units[id].subcharts.clone() {
            self.import(subchart, notes)?;
        }
        if !self.metadata(id).declares_dependencies {
            return Ok(());
        }
        let nothing = Node::empty_map(self.units[id].values.span.file);
        let values = coalesce(self, id, &nothing, Nulls::Keep, &mut Vec::new())?;
        if self.record(id).imported {
            for dependency in &mut self.record(id).metadata.dependencies {
                dependency.import_values.clear();
            }
        }
        self.record(id).imported = true;
        if self.metadata(id).dependencies.iter().all(|dependency| dependency.import_values.is_empty()) {
            self.units[id].values = values.to_node()?;
            return Ok(());
        }
        values.thaw();
        let imported = Table::empty(self.units[id].values.span);
        for dependency in &self.metadata(id).dependencies {
            for import in &dependency.import_values {
                let (child, parent) = match import {
                    ImportValues::Export(name) => (format!("exports.{name}"), "."),
                    ImportValues::Copy { child, parent } => (child.clone(), parent.as_str()),
                };
                let path = format!("{}.{child}", dependency.name);
                let Some(table) = lookup(&values, &path) else {
                    let name = &dependency.name;
                    notes.oddities.push(Oddity {
                        message: format!("`import-values` of `{name}` finds no mapping `{child}` in its defaults"),
                        span: dependency.span,
                        value: None,
                    });
                    continue;
                };
                // Helm takes a copy of an empty mapping and the very mapping otherwise.
                let table = if table.is_empty() { Table::empty(table.span()) } else { table };
                let source = match parent {
                    "." => table,
                    parent => parent.rsplit('.').fold(table, |table, key| {
                        let outer = Table::empty(table.span());
                        outer.insert(key.into(), table.span(), Item::Table(table));
                        outer
                    }),
                };
                merge(&imported, &source)?;
            }
        }
        let own = Table::of(&values.to_node()?);
        merge(&own, &imported)?;
        // As templates see them in `.Chart.Dependencies`.
        for dependency in &mut self.record(id).metadata.dependencies {
            for import in &mut dependency.import_values {
                if let ImportValues::Export(name) = import {
                    *import = ImportValues::Copy { child: format!("exports.{name}"), parent: ".".to_owned() };
                }
            }
        }
        self.units[id].values = own.to_node()?;
        Ok(())
    }
}

fn merge(target: &Table, source: &Table) -> Result<(), TooDeep> {
    coalesce_tables(target, &Item::Table(source.clone()), Nulls::Keep, &mut Vec::new())
}

fn lookup(values: &Table, path: &str) -> Option<Table> {
    path.split('.').try_fold(values.clone(), |table, key| table.table(key))
}

fn in_range(range: &str, version: &str) -> bool {
    match (Constraint::parse(range), Version::parse(version)) {
        (Ok(range), Ok(version)) => range.matches(&version),
        _ => false,
    }
}

/// A dependency is disabled when some of its tags are false and none is true.
fn apply_tags(dependencies: &mut [Dependency], values: &Node, notes: &mut Notes) {
    let Some(tags) = values.get("tags").and_then(Node::as_map) else { return };
    for dependency in dependencies {
        let (mut some_true, mut some_false) = (false, false);
        for tag in &dependency.tags {
            match tags.get(tag.as_str()).map(|entry| &entry.value) {
                None => {}
                Some(Node { data: Data::Bool(true), .. }) => some_true = true,
                Some(Node { data: Data::Bool(false), .. }) => some_false = true,
                Some(value) => notes.oddities.push(not_boolean("tag", &format!("tags.{tag}"), value, dependency)),
            }
        }
        dependency.enabled = some_true || !some_false;
    }
}

/// The first of a dependency's condition paths that leads to a boolean decides.
fn apply_conditions(dependencies: &mut [Dependency], values: &Node, path: &str, notes: &mut Notes) {
    for dependency in dependencies {
        for condition in dependency.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
            let full = format!("{path}{condition}");
            match values.at(full.split('.')) {
                Some(Node { data: Data::Bool(value), .. }) => {
                    dependency.enabled = *value;
                    break;
                }
                None | Some(Node { data: Data::Map(_), .. }) => {}
                Some(value) => notes.oddities.push(not_boolean("condition", &full, value, dependency)),
            }
        }
    }
}

fn not_boolean(what: &str, path: &str, value: &Node, dependency: &Dependency) -> Oddity {
    let (name, found) = (&dependency.name, value.type_name());
    Oddity {
        message: format!("the {what} `{path}` of dependency `{name}` is no boolean but {found}, so it has no effect"),
        span: dependency.span,
        value: Some(value.span),
    }
}
