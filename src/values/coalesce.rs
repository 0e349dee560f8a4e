//! Coalescing: a chart's defaults under what the user and parent charts set, level by level. Helm 4.3's rules.

use super::set::go_type;
use super::table::{Clash, Item, Nulls, Table, TooDeep, coalesce_tables, without_nulls};
use super::tree::{Tree, UnitId};
use crate::yaml::{Data, Mapping, Node};
use std::sync::Arc;

/// The key whose values every subchart sees.
const GLOBAL: &str = "global";

/// Why values cannot be coalesced.
#[derive(Debug, Clone)]
pub(super) enum CoalesceError {
    /// What is set under a subchart's name is no mapping.
    TypeMismatch {
        name: Arc<str>,
        found: Node,
    },
    TooDeep,
}

impl From<TooDeep> for CoalesceError {
    fn from(_: TooDeep) -> Self {
        CoalesceError::TooDeep
    }
}

/// The values of a chart and its subcharts, given what overrides them.
pub(super) fn coalesce(
    tree: &Tree<'_>,
    unit: UnitId,
    overrides: &Node,
    nulls: Nulls,
    warnings: &mut Vec<Clash>,
) -> Result<Table, CoalesceError> {
    // Where nothing is overridden, the values are at home in the chart's own file.
    let nothing = overrides.as_map().is_some_and(Mapping::is_empty);
    let values = if nothing { Table::empty(tree.values(unit).span) } else { Table::of(overrides) };
    level(tree, unit, &values, nulls, warnings)?;
    Ok(values)
}

fn level(
    tree: &Tree<'_>,
    unit: UnitId,
    values: &Table,
    nulls: Nulls,
    warnings: &mut Vec<Clash>,
) -> Result<(), CoalesceError> {
    defaults(tree, unit, values, nulls, warnings)?;
    for &subchart in tree.subcharts(unit) {
        let name = tree.name(subchart);
        match values.get(name) {
            None => values.insert(Arc::clone(name), values.span(), Item::Table(Table::empty(values.span()))),
            Some(Item::Node(node)) if node.as_map().is_none() => {
                return Err(CoalesceError::TypeMismatch { name: Arc::clone(name), found: node });
            }
            Some(_) => {}
        }
        let Some(own) = values.table(name) else { continue };
        globals(&own, values, warnings)?;
        level(tree, subchart, &own, nulls, warnings)?;
    }
    Ok(())
}

/// Fills in the chart's own defaults.
fn defaults(
    tree: &Tree<'_>,
    unit: UnitId,
    values: &Table,
    nulls: Nulls,
    warnings: &mut Vec<Clash>,
) -> Result<(), TooDeep> {
    let Some(defaults) = tree.values(unit).as_map() else { return Ok(()) };
    for (key, entry) in defaults {
        let default = &entry.value;
        match values.get(key) {
            None => match nulls {
                Nulls::Delete if default.is_null() => {}
                Nulls::Delete => values.insert(Arc::clone(key), entry.key_span, Item::Node(without_nulls(default))),
                Nulls::Keep => values.insert(Arc::clone(key), entry.key_span, Item::Node(default.clone())),
            },
            Some(existing) if existing.is_null() => {
                if nulls == Nulls::Delete {
                    values.remove(key);
                }
            }
            Some(existing) if existing.is_table() => {
                if default.as_map().is_some() {
                    // A subchart's nulls wait for its own level, where they delete its own defaults.
                    let is_subchart = tree.subcharts(unit).iter().any(|&subchart| tree.name(subchart) == key);
                    let nulls = if is_subchart { Nulls::Keep } else { nulls };
                    let default = if nulls == Nulls::Delete { without_nulls(default) } else { default.clone() };
                    if let Some(table) = values.table(key) {
                        coalesce_tables(&table, &Item::Node(default), nulls, warnings)?;
                    }
                } else if !default.is_null() {
                    warnings.push(Clash {
                        key: Arc::clone(key),
                        winner: existing.span(),
                        loser: default.span,
                        winner_is_table: true,
                    });
                }
            }
            Some(_) => {}
        }
    }
    values.order_by(defaults.keys().cloned());
    Ok(())
}

/// Hands a chart's globals down to a subchart; the parent's win.
fn globals(own: &Table, parent: &Table, warnings: &mut Vec<Clash>) -> Result<(), TooDeep> {
    let target = match own.get(GLOBAL) {
        None => Table::empty(own.span()),
        Some(_) => match own.table(GLOBAL) {
            Some(table) => table,
            None => return Ok(()),
        },
    };
    let source = match parent.get(GLOBAL) {
        None => Table::empty(parent.span()),
        Some(_) => match parent.table(GLOBAL) {
            Some(table) => table,
            None => return Ok(()),
        },
    };
    for (key, slot) in source.entries() {
        let existing = target.get(&key);
        match source.table(&key) {
            Some(table) => {
                let copy = table.shallow_copy();
                match existing {
                    None => {}
                    Some(existing) if existing.is_table() => {
                        let Some(own) = target.table(&key) else { continue };
                        coalesce_tables(&copy, &Item::Table(own), Nulls::Keep, warnings)?;
                    }
                    Some(_) => continue,
                }
                target.insert(key, slot.key_span, Item::Table(copy));
            }
            None if existing.is_some_and(|existing| existing.is_table()) => {}
            None => target.insert(key, slot.key_span, slot.item),
        }
    }
    let span = own.key_span(GLOBAL).unwrap_or(own.span());
    own.insert(GLOBAL.into(), span, Item::Table(target));
    Ok(())
}

/// What Go's `%t` prints for a value that is no boolean, as in Helm's message on a type mismatch.
pub(super) fn go_percent_t(node: &Node) -> String {
    match &node.data {
        Data::Null => "%!t(<nil>)".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Str(text) => format!("%!t(string={text})"),
        Data::Int(number) => format!("%!t({}={number})", go_type(node)),
        Data::Uint(number) => format!("%!t(float64={number})"),
        Data::Float(number) => format!("%!t(float64={number})"),
        Data::Seq(items) => format!("[{}]", items.iter().map(go_percent_t_inside).collect::<Vec<_>>().join(" ")),
        Data::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            let shown: Vec<_> = entries
                .iter()
                .map(|(key, entry)| format!("%!t(string={key}):{}", go_percent_t(&entry.value)))
                .collect();
            format!("map[{}]", shown.join(" "))
        }
    }
}

fn go_percent_t_inside(node: &Node) -> String {
    if node.is_null() { "<nil>".to_owned() } else { go_percent_t(node) }
}
