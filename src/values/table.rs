//! Values while they are coalesced: trees whose mappings change in place and may be shared.
//!
//! Helm's coalescing works on Go maps and lets parts of one chart's `global` be the same map as a part of another's,
//! so a key that one subchart adds deep inside shows up in its parent and siblings. Equal results need equal sharing.
//! What nobody changes stays an immutable [`Node`].

use crate::diagnostic::Span;
use crate::yaml::{Data, Entry, Mapping, Node, Style};
use indexmap::IndexMap;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Deepest nesting of values that are coalesced; sharing could tie a knot.
const MAX_DEPTH: usize = 500;

#[derive(Debug, Clone)]
pub(super) enum Item {
    /// A value that nothing else refers to.
    Node(Node),
    Table(Table),
}

/// A mapping that can change; clones are the same mapping.
#[derive(Debug, Clone)]
pub(super) struct Table(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    span: Span,
    style: Style,
    slots: RefCell<Slots>,
}

type Slots = IndexMap<Arc<str>, Slot, foldhash::fast::RandomState>;

#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) key_span: Span,
    pub(super) item: Item,
}

/// Values that contain themselves, or nest too deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooDeep;

impl Item {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Item::Node(node) if node.is_null())
    }

    pub(super) fn is_table(&self) -> bool {
        match self {
            Item::Node(node) => node.as_map().is_some(),
            Item::Table(_) => true,
        }
    }

    /// The keys and values of a mapping; nothing for anything else.
    fn entries(&self) -> Vec<(Arc<str>, Slot)> {
        match self {
            Item::Table(table) => {
                table.0.slots.borrow().iter().map(|(key, slot)| (Arc::clone(key), slot.clone())).collect()
            }
            Item::Node(node) => match node.as_map() {
                Some(map) => map.iter().map(|(key, entry)| (Arc::clone(key), Slot::from(entry))).collect(),
                None => Vec::new(),
            },
        }
    }

    fn frozen(&self, depth: usize) -> Result<Node, TooDeep> {
        if depth > MAX_DEPTH {
            return Err(TooDeep);
        }
        match self {
            Item::Node(node) => Ok(node.clone()),
            Item::Table(table) => {
                let slots = table.0.slots.borrow();
                let mut map = Mapping::with_capacity(slots.len());
                for (key, slot) in slots.iter() {
                    let value = slot.item.frozen(depth + 1)?;
                    map.insert(Arc::clone(key), Entry { key_span: slot.key_span, value });
                }
                Ok(Node { span: table.0.span, style: table.0.style, data: Data::Map(Arc::new(map)) })
            }
        }
    }
}

impl From<&Entry> for Slot {
    fn from(entry: &Entry) -> Self {
        Slot { key_span: entry.key_span, item: Item::Node(entry.value.clone()) }
    }
}

impl Table {
    /// A mapping that nobody wrote, at the start of what asks for it.
    pub(super) fn empty(span: Span) -> Self {
        let span = Span { end: span.start, ..span };
        Table(Rc::new(Inner { span, style: Style::Block, slots: RefCell::default() }))
    }

    /// A copy of a mapping, or an empty one.
    pub(super) fn of(node: &Node) -> Self {
        let slots = Item::Node(node.clone()).entries().into_iter().collect();
        Table(Rc::new(Inner { span: node.span, style: node.style, slots: RefCell::new(slots) }))
    }

    pub(super) fn span(&self) -> Span {
        self.0.span
    }

    /// The mapping as a node of its own.
    pub(super) fn to_node(&self) -> Result<Node, TooDeep> {
        Item::Table(self.clone()).frozen(0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.slots.borrow().is_empty()
    }

    pub(super) fn get(&self, key: &str) -> Option<Item> {
        self.0.slots.borrow().get(key).map(|slot| slot.item.clone())
    }

    pub(super) fn key_span(&self, key: &str) -> Option<Span> {
        self.0.slots.borrow().get(key).map(|slot| slot.key_span)
    }

    pub(super) fn insert(&self, key: Arc<str>, key_span: Span, item: Item) {
        self.0.slots.borrow_mut().insert(key, Slot { key_span, item });
    }

    pub(super) fn remove(&self, key: &str) {
        self.0.slots.borrow_mut().shift_remove(key);
    }

    pub(super) fn entries(&self) -> Vec<(Arc<str>, Slot)> {
        Item::Table(self.clone()).entries()
    }

    /// The mapping under a key, made changeable where it stands.
    pub(super) fn table(&self, key: &str) -> Option<Table> {
        let mut slots = self.0.slots.borrow_mut();
        let slot = slots.get_mut(key)?;
        match &slot.item {
            Item::Table(table) => Some(table.clone()),
            Item::Node(node) if node.as_map().is_some() => {
                let table = Table::of(node);
                slot.item = Item::Table(table.clone());
                Some(table)
            }
            Item::Node(_) => None,
        }
    }

    /// Go's shallow copy: another mapping whose values are the same mappings.
    pub(super) fn shallow_copy(&self) -> Table {
        for (key, _) in self.entries() {
            self.table(&key);
        }
        let slots = self.0.slots.borrow().clone();
        Table(Rc::new(Inner { span: self.0.span, style: self.0.style, slots: RefCell::new(slots) }))
    }

    /// Makes every mapping in it changeable, so that parts can be shared from here on.
    pub(super) fn thaw(&self) {
        for (key, _) in self.entries() {
            if let Some(table) = self.table(&key) {
                table.thaw();
            }
        }
    }

    /// Puts these keys first, in this order, where they are present.
    pub(super) fn order_by(&self, first: impl Iterator<Item = Arc<str>>) {
        let mut slots = self.0.slots.borrow_mut();
        let mut next = 0;
        for key in first {
            if let Some(at) = slots.get_index_of(&*key) {
                if at != next && at > next {
                    slots.move_index(at, next);
                }
                next += 1;
            }
        }
    }
}

/// How Helm's coalescing differs from its merging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// A null removes what it overrides and disappears with it.
    Delete,
    /// Nulls are values, to be resolved later.
    Keep,
}

/// Merges `source` under `target`: what `target` has wins. Helm's `coalesceTablesFullKey`.
pub(super) fn coalesce_tables(
    target: &Table,
    source: &Item,
    nulls: Nulls,
    warnings: &mut Vec<Clash>,
) -> Result<(), TooDeep> {
    coalesce_at(target, source, nulls, warnings, 0)
}

/// A mapping and something else in one place; the overriding one stays.
#[derive(Debug, Clone)]
pub(super) struct Clash {
    pub(super) key: Arc<str>,
    /// Where the key is overridden.
    pub(super) winner: Span,
    /// Where the value that does not fit stands.
    pub(super) loser: Span,
    pub(super) winner_is_table: bool,
}

impl Item {
    pub(super) fn span(&self) -> Span {
        match self {
            Item::Node(node) => node.span,
            Item::Table(table) => table.span(),
        }
    }
}

fn coalesce_at(
    target: &Table,
    source: &Item,
    nulls: Nulls,
    warnings: &mut Vec<Clash>,
    depth: usize,
) -> Result<(), TooDeep> {
    if depth > MAX_DEPTH {
        return Err(TooDeep);
    }
    let defaults = source.entries();
    // Helm first copies the target's nulls into the source, which others may see when it is shared.
    if let Item::Table(shared) = source {
        for (key, slot) in target.entries() {
            if slot.item.is_null() {
                shared.insert(key, slot.key_span, slot.item);
            }
        }
    }
    for (key, slot) in &defaults {
        match target.get(key) {
            None => target.insert(Arc::clone(key), slot.key_span, slot.item.clone()),
            Some(existing) if existing.is_null() => {
                if nulls == Nulls::Delete && !slot.item.is_null() {
                    target.remove(key);
                }
            }
            Some(existing) => {
                let clash = |winner_is_table| Clash {
                    key: Arc::clone(key),
                    winner: existing.span(),
                    loser: slot.item.span(),
                    winner_is_table,
                };
                match (existing.is_table(), slot.item.is_table()) {
                    (true, true) => {
                        let Some(table) = target.table(key) else { continue };
                        coalesce_at(&table, &slot.item, nulls, warnings, depth + 1)?;
                    }
                    (false, true) => warnings.push(clash(false)),
                    (true, false) if !slot.item.is_null() => warnings.push(clash(true)),
                    _ => {}
                }
            }
        }
    }
    target.order_by(defaults.into_iter().map(|(key, _)| key));
    Ok(())
}

/// A mapping without nulls at any depth of mappings; what has none is shared.
pub(super) fn without_nulls(node: &Node) -> Node {
    let Some(map) = node.as_map() else { return node.clone() };
    let mut cleaned: Option<Mapping> = None;
    for (key, entry) in map {
        if entry.value.is_null() {
            cleaned.get_or_insert_with(|| map.clone()).shift_remove(key);
        } else if entry.value.as_map().is_some() {
            let value = without_nulls(&entry.value);
            if !same_map(&value, &entry.value)
                && let Some(slot) = cleaned.get_or_insert_with(|| map.clone()).get_mut(key)
            {
                slot.value = value;
            }
        }
    }
    match cleaned {
        Some(map) => Node { data: Data::Map(Arc::new(map)), ..node.clone() },
        None => node.clone(),
    }
}

fn same_map(a: &Node, b: &Node) -> bool {
    matches!((&a.data, &b.data), (Data::Map(a), Data::Map(b)) if Arc::ptr_eq(a, b))
}
