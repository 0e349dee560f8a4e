//! What differs between the tree that a file holds and the one it is to hold, as changes to its text.

use crate::values::difference::same;
use crate::yaml::{Data, Node, Step};
use std::sync::Arc;

/// A change at a path of the wanted tree, or of the old one for what goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Replace(Vec<Step>),
    Add(Vec<Step>),
    Remove(Vec<Step>),
}

impl Change {
    pub(super) fn path(&self) -> &[Step] {
        match self {
            Change::Replace(path) | Change::Add(path) | Change::Remove(path) => path,
        }
    }

    /// What is to be done first: a mapping is never empty in between.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Change::Replace(_) => 0,
            Change::Add(_) => 1,
            Change::Remove(_) => 2,
        }
    }
}

/// All changes, in the order of the wanted tree. Of items that go from one list, the last is named first.
pub(super) fn changes(old: &Node, new: &Node) -> Vec<Change> {
    let mut found = Vec::new();
    compare(old, new, &mut Vec::new(), &mut found);
    found
}

fn compare(old: &Node, new: &Node, path: &mut Vec<Step>, found: &mut Vec<Change>) {
    match (&old.data, &new.data) {
        (Data::Map(before), Data::Map(after)) => {
            for (key, entry) in after.iter() {
                path.push(Step::Key(Arc::clone(key)));
                match before.get(key) {
                    Some(before) => compare(&before.value, &entry.value, path, found),
                    None => found.push(Change::Add(path.clone())),
                }
                path.pop();
            }
            for key in before.keys().filter(|key| !after.contains_key(key)) {
                path.push(Step::Key(Arc::clone(key)));
                found.push(Change::Remove(path.clone()));
                path.pop();
            }
        }
        (Data::Seq(before), Data::Seq(after)) if !after.is_empty() && !before.is_empty() => {
            items(before, after, path, found);
        }
        _ if same(old, new) => {}
        _ => found.push(Change::Replace(path.clone())),
    }
}

fn items(before: &[Node], after: &[Node], path: &mut Vec<Step>, found: &mut Vec<Change>) {
    let to = |index: usize| path.iter().cloned().chain([Step::Index(index)]).collect();
    if let Some(gone) = missing(before, after) {
        found.extend(gone.into_iter().rev().map(|index| Change::Remove(to(index))));
        return;
    }
    found.extend((after.len()..before.len()).rev().map(|index| Change::Remove(to(index))));
    for (index, item) in after.iter().enumerate() {
        match before.get(index) {
            Some(old) => {
                path.push(Step::Index(index));
                compare(old, item, path, found);
                path.pop();
            }
            None => found.push(Change::Add(path.iter().cloned().chain([Step::Index(index)]).collect())),
        }
    }
}

/// The items that were removed, if nothing else happened to the list.
fn missing(before: &[Node], after: &[Node]) -> Option<Vec<usize>> {
    if after.len() >= before.len() {
        return None;
    }
    let mut gone = Vec::new();
    let mut next = 0;
    for (index, item) in before.iter().enumerate() {
        if after.get(next).is_some_and(|after| same(item, after)) {
            next += 1;
        } else {
            gone.push(index);
        }
    }
    (next == after.len()).then_some(gone)
}
