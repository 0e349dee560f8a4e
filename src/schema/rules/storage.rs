//! Volume claims, and what they share with the volumes of a cluster.

use super::{Walk, items};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::names;
use crate::schema::path::Path;
use crate::schema::scalar::{quantity_value, text_of};
use crate::yaml::Node;

pub(super) fn claim(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    access(walk, node, path);
    class(walk, node, path);
    match node.at(["resources", "requests", "storage"]).filter(|size| !size.is_null()) {
        Some(size) => positive(walk, size, || format!("{path}.resources.requests.storage")),
        None => {
            let hint = "say how much: `resources: {requests: {storage: 1Gi}}`";
            walk.lacks(node, path, "`resources.requests.storage`", hint);
        }
    }
}

/// Who may use a volume at the same time.
pub(super) fn access(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    if node.get("accessModes").is_none_or(|it| it.is_null() || it.as_seq().is_some_and(<[Node]>::is_empty)) {
        walk.lacks(node, path, "`accessModes`", "add `accessModes: [ReadWriteOnce]`");
    }
    let alone = items(node, "accessModes").find(|(_, mode)| mode.as_str() == Some("ReadWriteOncePod"));
    let other = items(node, "accessModes").find(|(_, mode)| mode.as_str() != Some("ReadWriteOncePod"));
    if let (Some((_, alone)), Some((_, other))) = (alone, other) {
        let message = format!("`{path}.accessModes` has `ReadWriteOncePod` and others, it must stand alone");
        let finding = Diagnostic::new(Code::ConflictingFields, message).label(alone.span, "one pod, and no other");
        walk.push(finding.label(other.span, "or this one").hint("remove one of them"));
    }
}

pub(super) fn class(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    if let Some(name) = node.get("storageClassName").filter(|name| name.as_str() != Some("")) {
        walk.name(Code::InvalidName, name, || format!("{path}.storageClassName"), names::dns_subdomain);
    }
}

/// A size that is more than nothing; what is below is told with the other amounts.
pub(super) fn positive(walk: &mut Walk<'_>, size: &Node, place: impl Fn() -> String) {
    if text_of(size).and_then(|text| quantity_value(&text)) == Some(0.0) {
        walk.tell(Code::OutOfRange, size, format!("`{}` is 0", place()), "a volume has a size, such as `1Gi`");
    }
}
