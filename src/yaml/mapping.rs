//! Mappings in their author's order.

use super::Entry;
use std::collections::HashMap;
use std::ops::Index;
use std::sync::Arc;

/// Entries in the author's order; keys are unique. Most mappings are small, and keep no table.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    entries: Vec<(Arc<str>, Entry)>,
    /// Where each key's entry is, once there are too many to look through.
    table: Option<Box<Table>>,
}

type Table = HashMap<Arc<str>, usize, foldhash::fast::RandomState>;

/// Entries that are looked through one by one.
const FEW: usize = 8;

impl Mapping {
    pub fn with_capacity(capacity: usize) -> Self {
        Mapping { entries: Vec::with_capacity(capacity), table: None }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn place(&self, key: &str) -> Option<usize> {
        match &self.table {
            Some(table) => table.get(key).copied(),
            None => self.entries.iter().position(|(known, _)| **known == *key),
        }
    }

    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.place(key).map(|at| &self.entries[at].1)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.place(key).map(|at| &mut self.entries[at].1)
    }

    pub fn get_key_value(&self, key: &str) -> Option<(&Arc<str>, &Entry)> {
        self.get_index(self.place(key)?)
    }

    /// The entry of a key, which is made if it is absent.
    pub fn get_or_insert_with(&mut self, key: &Arc<str>, make: impl FnOnce() -> Entry) -> &mut Entry {
        let at = self.place(key).unwrap_or_else(|| self.insert_full(Arc::clone(key), make()).0);
        &mut self.entries[at].1
    }

    /// The entry at a place in the author's order.
    pub fn get_index(&self, at: usize) -> Option<(&Arc<str>, &Entry)> {
        self.entries.get(at).map(|(key, entry)| (key, entry))
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    pub fn first(&self) -> Option<(&Arc<str>, &Entry)> {
        self.get_index(0)
    }

    /// Sets a key, at the end if it is new. Returns the entry that it had.
    pub fn insert(&mut self, key: Arc<str>, entry: Entry) -> Option<Entry> {
        self.insert_full(key, entry).1
    }

    /// [`Mapping::insert`] that also says at which place.
    pub fn insert_full(&mut self, key: Arc<str>, entry: Entry) -> (usize, Option<Entry>) {
        if let Some(at) = self.place(&key) {
            return (at, Some(std::mem::replace(&mut self.entries[at].1, entry)));
        }
        let at = self.entries.len();
        if let Some(table) = &mut self.table {
            table.insert(Arc::clone(&key), at);
        }
        self.entries.push((key, entry));
        if at == FEW {
            let mut table = Table::with_capacity_and_hasher(self.entries.capacity(), Default::default());
            table.extend(self.entries.iter().enumerate().map(|(at, (key, _))| (Arc::clone(key), at)));
            self.table = Some(Box::new(table));
        }
        (at, None)
    }

    /// Removes a key; what stands behind it moves up.
    pub fn shift_remove(&mut self, key: &str) -> Option<Entry> {
        let at = self.place(key)?;
        if let Some(table) = &mut self.table {
            table.remove(key);
            table.values_mut().filter(|place| **place > at).for_each(|place| *place -= 1);
        }
        Some(self.entries.remove(at).1)
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter(self.entries.iter())
    }

    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Arc<str>, &mut Entry)> {
        self.entries.iter_mut().map(|(key, entry)| (&*key, entry))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Arc<str>> + ExactSizeIterator + Clone {
        self.entries.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator + Clone {
        self.entries.iter().map(|(_, entry)| entry)
    }

    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut Entry> {
        self.entries.iter_mut().map(|(_, entry)| entry)
    }
}

/// The order does not matter, as nowhere in YAML.
impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, entry)| other.get(key) == Some(entry))
    }
}

impl Index<&str> for Mapping {
    type Output = Entry;

    fn index(&self, key: &str) -> &Entry {
        self.get(key).expect("a key of the mapping")
    }
}

impl Extend<(Arc<str>, Entry)> for Mapping {
    fn extend<I: IntoIterator<Item = (Arc<str>, Entry)>>(&mut self, entries: I) {
        for (key, entry) in entries {
            self.insert(key, entry);
        }
    }
}

impl FromIterator<(Arc<str>, Entry)> for Mapping {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Entry)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut mapping = Mapping::with_capacity(entries.size_hint().0);
        mapping.extend(entries);
        mapping
    }
}

impl IntoIterator for Mapping {
    type Item = (Arc<str>, Entry);
    type IntoIter = std::vec::IntoIter<(Arc<str>, Entry)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a> IntoIterator for &'a Mapping {
    type Item = (&'a Arc<str>, &'a Entry);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The entries of a [`Mapping`] in its order.
#[derive(Debug, Clone)]
pub struct Iter<'a>(std::slice::Iter<'a, (Arc<str>, Entry)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Arc<str>, &'a Entry);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, entry)| (key, entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, entry)| (key, entry))
    }
}

impl ExactSizeIterator for Iter<'_> {}
