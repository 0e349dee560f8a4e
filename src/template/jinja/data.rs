//! The chart's values as Jinja sees them: views of the values tree that note what is read and what is missed.

use crate::diagnostic::Span;
use crate::yaml::{Data, Mapping, Node};
use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// What expressions read and missed, as far as nobody asked yet.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) enabled: bool,
    reads: Mutex<Vec<Span>>,
    miss: Mutex<Option<Miss>>,
    /// Where each string of the values stands, by its address: strings keep theirs on their way through templates.
    origins: OnceLock<HashMap<usize, Span>>,
}

/// A key that a map of the values does not have.
#[derive(Debug, Clone)]
pub(super) struct Miss {
    pub(super) trail: Arc<Trail>,
    pub(super) key: String,
    pub(super) entries: Arc<Mapping>,
}

/// More reads than this by one expression are of no use to anyone.
const MAX_READS: usize = 4096;

impl Log {
    pub(super) fn new(enabled: bool) -> Self {
        Log { enabled, ..Log::default() }
    }

    pub(super) fn read(&self, span: Span) {
        if self.enabled {
            let mut reads = lock(&self.reads);
            if reads.len() < MAX_READS && reads.last() != Some(&span) {
                reads.push(span);
            }
        }
    }

    /// Notes the place of a string of the values that has come here by way of variables.
    pub(super) fn read_origin(&self, value: &Value, values: &Node) {
        if !self.enabled || value.kind() != ValueKind::String {
            return;
        }
        let Some(text) = value.to_str().filter(|text| !text.is_empty()) else { return };
        let origins = self.origins.get_or_init(|| {
            let mut origins = HashMap::new();
            collect_origins(values, &mut origins);
            origins
        });
        if let Some(&span) = origins.get(&(text.as_ptr() as usize))
            && !lock(&self.reads).contains(&span)
        {
            self.read(span);
        }
    }

    /// The reads since the last call.
    pub(super) fn take_reads(&self) -> Vec<Span> {
        if self.enabled { std::mem::take(&mut lock(&self.reads)) } else { Vec::new() }
    }

    pub(super) fn clear_reads(&self) {
        if self.enabled {
            lock(&self.reads).clear();
        }
    }

    /// The last key that was looked up in vain.
    pub(super) fn take_miss(&self) -> Option<Miss> {
        lock(&self.miss).take()
    }
}

fn collect_origins(node: &Node, origins: &mut HashMap<usize, Span>) {
    match &node.data {
        Data::Str(text) => {
            origins.insert(text.as_ptr() as usize, node.span);
        }
        Data::Seq(items) => items.iter().for_each(|item| collect_origins(item, origins)),
        Data::Map(entries) => entries.values().for_each(|entry| collect_origins(&entry.value, origins)),
        _ => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A map or list on the way from the chart's values, with what was read of it.
pub(super) struct Trail {
    /// Weak: a parent holds the views of its children.
    parent: Weak<Trail>,
    pub(super) key: Arc<str>,
    children: Mutex<Children>,
    leaves: Mutex<HashSet<Arc<str>>>,
    whole: AtomicBool,
}

/// The views below, by key.
type Children = HashMap<Arc<str>, (Arc<Trail>, Value)>;

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trail({})", self.path().join("."))
    }
}

impl Trail {
    pub(super) fn root() -> Arc<Trail> {
        Trail::new(Weak::new(), "".into())
    }

    fn new(parent: Weak<Trail>, key: Arc<str>) -> Arc<Trail> {
        Arc::new(Trail {
            parent,
            key,
            children: Mutex::default(),
            leaves: Mutex::default(),
            whole: AtomicBool::new(false),
        })
    }

    /// The keys from the values to here.
    pub(super) fn path(&self) -> Vec<Arc<str>> {
        let Some(parent) = self.parent.upgrade() else { return Vec::new() };
        let mut path = parent.path();
        path.push(Arc::clone(&self.key));
        path
    }

    /// Calls `found` with every path that was read, and whether as a whole.
    pub(super) fn reads(&self, path: &mut Vec<Arc<str>>, found: &mut dyn FnMut(&[Arc<str>], bool)) {
        if self.whole.load(Ordering::Relaxed) {
            found(path, true);
        }
        let mut leaves: Vec<Arc<str>> = lock(&self.leaves).iter().cloned().collect();
        leaves.sort();
        for leaf in leaves {
            path.push(leaf);
            found(path, false);
            path.pop();
        }
        let mut children: Vec<Arc<Trail>> = lock(&self.children).values().map(|(trail, _)| Arc::clone(trail)).collect();
        children.sort_by(|a, b| a.key.cmp(&b.key));
        for child in children {
            path.push(Arc::clone(&child.key));
            child.reads(path, found);
            path.pop();
        }
    }
}

/// A view of a node: scalars as they are, maps and lists as recording objects.
pub(super) fn view(node: &Node, trail: &Arc<Trail>, log: &Arc<Log>) -> Value {
    match &node.data {
        Data::Null => Value::from(()),
        Data::Bool(value) => Value::from(*value),
        Data::Int(number) => Value::from(*number),
        Data::Uint(number) => Value::from(*number),
        Data::Float(number) => Value::from(*number),
        Data::Str(text) => Value::from(Arc::clone(text)),
        Data::Seq(items) => Value::from_object(Items {
            span: node.span,
            items: Arc::clone(items),
            trail: Arc::clone(trail),
            log: Arc::clone(log),
        }),
        Data::Map(entries) => Value::from_object(Entries {
            span: node.span,
            entries: Arc::clone(entries),
            trail: Arc::clone(trail),
            log: Arc::clone(log),
        }),
    }
}

/// A view that notes nothing.
pub(super) fn plain(node: &Node) -> Value {
    static SILENT: LazyLock<(Arc<Trail>, Arc<Log>)> = LazyLock::new(|| (Trail::root(), Arc::default()));
    view(node, &SILENT.0, &SILENT.1)
}

/// A mapping of the values.
pub(super) struct Entries {
    pub(super) span: Span,
    pub(super) entries: Arc<Mapping>,
    pub(super) trail: Arc<Trail>,
    log: Arc<Log>,
}

/// A sequence of the values.
pub(super) struct Items {
    pub(super) span: Span,
    pub(super) items: Arc<Vec<Node>>,
    pub(super) trail: Arc<Trail>,
    log: Arc<Log>,
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entries({:?})", self.trail)
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Items({:?})", self.trail)
    }
}

impl Entries {
    /// Notes that all of it is read.
    pub(super) fn read_whole(&self) {
        self.mark();
        self.log.read(self.span);
    }

    fn mark(&self) {
        if self.log.enabled {
            self.trail.whole.store(true, Ordering::Relaxed);
        }
    }

    fn value(&self, key: &Arc<str>, node: &Node) -> Value {
        match &node.data {
            Data::Map(_) | Data::Seq(_) => {
                let mut children = lock(&self.trail.children);
                let (_, value) = children.entry(Arc::clone(key)).or_insert_with(|| {
                    let trail = Trail::new(Arc::downgrade(&self.trail), Arc::clone(key));
                    let value = view(node, &trail, &self.log);
                    (trail, value)
                });
                value.clone()
            }
            _ => {
                if self.log.enabled {
                    self.log.read(node.span);
                    if !self.trail.whole.load(Ordering::Relaxed) {
                        lock(&self.trail.leaves).insert(Arc::clone(key));
                    }
                }
                view(node, &self.trail, &self.log)
            }
        }
    }
}

impl Object for Entries {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match self.entries.get_key_value(key) {
            Some((name, entry)) => Some(self.value(name, &entry.value)),
            None => {
                let miss =
                    Miss { trail: Arc::clone(&self.trail), key: key.to_owned(), entries: Arc::clone(&self.entries) };
                *lock(&self.log.miss) = Some(miss);
                None
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mark();
        Enumerator::Values(self.entries.keys().map(|key| Value::from(Arc::clone(key))).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.entries.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mark();
        f.write_str(&super::write::flow_of_node(&Data::Map(Arc::clone(&self.entries))))
    }
}

impl Items {
    /// Notes that all of it is read.
    pub(super) fn read_whole(&self) {
        self.mark();
        self.log.read(self.span);
    }

    fn mark(&self) {
        if self.log.enabled {
            self.trail.whole.store(true, Ordering::Relaxed);
        }
    }
}

impl Object for Items {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let node = self.items.get(key.as_usize()?)?;
        self.mark();
        if !matches!(node.data, Data::Map(_) | Data::Seq(_)) {
            self.log.read(node.span);
        }
        Some(view(node, &self.trail, &self.log))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mark();
        Enumerator::Seq(self.items.len())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.items.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mark();
        f.write_str(&super::write::flow_of_node(&Data::Seq(Arc::clone(&self.items))))
    }
}
