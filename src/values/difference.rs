//! What differs between two trees of values.

use crate::yaml::{Data, Node, Step};
use std::sync::Arc;

/// A place where two trees differ: one of them has no value there, or another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference<'n> {
    pub path: Vec<Step>,
    pub before: Option<&'n Node>,
    pub after: Option<&'n Node>,
}

/// All differences, in the order of `after`, removed keys last in their mapping. Lists of one length are compared item
/// by item, others as a whole.
pub fn differences<'n>(before: &'n Node, after: &'n Node) -> Vec<Difference<'n>> {
    let mut found = Vec::new();
    compare(before, after, &mut Vec::new(), &mut found);
    found
}

fn compare<'n>(before: &'n Node, after: &'n Node, path: &mut Vec<Step>, found: &mut Vec<Difference<'n>>) {
    match (&before.data, &after.data) {
        (Data::Map(old), Data::Map(new)) => {
            for (key, entry) in new.iter() {
                path.push(Step::Key(Arc::clone(key)));
                match old.get(key) {
                    Some(old) => compare(&old.value, &entry.value, path, found),
                    None => found.push(Difference { path: path.clone(), before: None, after: Some(&entry.value) }),
                }
                path.pop();
            }
            for (key, entry) in old.iter().filter(|(key, _)| !new.contains_key(key)) {
                path.push(Step::Key(Arc::clone(key)));
                found.push(Difference { path: path.clone(), before: Some(&entry.value), after: None });
                path.pop();
            }
        }
        (Data::Seq(old), Data::Seq(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new.iter()).enumerate() {
                path.push(Step::Index(index));
                compare(old, new, path, found);
                path.pop();
            }
        }
        _ if same(before, after) => {}
        _ => found.push(Difference { path: path.clone(), before: Some(before), after: Some(after) }),
    }
}

/// Whether two trees hold the same, wherever it stands.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    match (&a.data, &b.data) {
        (Data::Seq(a), Data::Seq(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Data::Map(a), Data::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, entry)| b.get(key).is_some_and(|it| same(&entry.value, &it.value)))
        }
        (a, b) => a == b,
    }
}
