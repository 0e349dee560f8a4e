//! Volume claims.

use super::Walk;
use crate::schema::path::Path;
use crate::yaml::Node;

pub(super) fn claim(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    if node.get("accessModes").is_none_or(|it| it.is_null() || it.as_seq().is_some_and(<[Node]>::is_empty)) {
        walk.lacks(node, path, "`accessModes`", "add `accessModes: [ReadWriteOnce]`");
    }
    if node.at(["resources", "requests", "storage"]).is_none_or(Node::is_null) {
        walk.lacks(node, path, "`resources.requests.storage`", "say how much: `resources: {requests: {storage: 1Gi}}`");
    }
}
