//! Roles and their bindings.

use super::{Walk, filled, has, items};
use crate::diagnostic::{Code, Severity};
use crate::schema::path::Path;
use crate::yaml::Node;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn binding(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let kind = walk.identity.kind;
    if let Some(role) = node.get("roleRef") {
        group(walk, role, "roleRef", GROUP);
        if let (Some(role_kind), "ClusterRoleBinding") = (role.get("kind"), kind)
            && role_kind.as_str() == Some("Role")
        {
            let message = "`roleRef.kind` cannot be `Role` in a ClusterRoleBinding".to_owned();
            walk.tell(Code::InvalidRoleRef, role_kind, message, "expected `ClusterRole`")
                .hints
                .push("a Role counts in its namespace only: use a RoleBinding there, or a ClusterRole".to_owned());
        }
        if let Some(name) = role.get("name").filter(|name| name.as_str() == Some("")) {
            walk.tell(Code::MissingField, name, "`roleRef.name` is empty".to_owned(), "the name of the role");
        }
    }
    for (at, subject) in items(node, "subjects") {
        let list = path.key("subjects");
        let place = list.index(at);
        let service_account = subject.get("kind").and_then(Node::as_str) == Some("ServiceAccount");
        // In a RoleBinding an absent namespace is the binding's own.
        if service_account && kind == "ClusterRoleBinding" && !filled(subject, "namespace") {
            walk.lacks(subject, &place, "`namespace`", "a ServiceAccount is found by name and `namespace`");
        }
        group(walk, subject, &place.to_string(), if service_account { "" } else { GROUP });
    }
}

fn group(walk: &mut Walk<'_>, node: &Node, place: &str, expected: &str) {
    let Some((group, text)) = node.get("apiGroup").and_then(|group| Some((group, group.as_str()?))) else { return };
    // Empty means the default.
    if text.is_empty() || text == expected {
        return;
    }
    let label = if expected.is_empty() { "expected `\"\"`".to_owned() } else { format!("expected `{expected}`") };
    let finding = walk.tell(Code::InvalidRoleRef, group, format!("`{place}.apiGroup` cannot be `{text}`"), label);
    finding.hints.push("it is a group without a version, and may be left out".to_owned());
}

pub(super) fn role(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let cluster = walk.identity.kind == "ClusterRole";
    for (at, rule) in items(node, "rules") {
        if rule.as_map().is_none() {
            continue;
        }
        let list = path.key("rules");
        let place = list.index(at);
        if rule.get("verbs").is_some_and(|verbs| verbs.as_seq().is_some_and(<[Node]>::is_empty)) {
            walk.lacks(rule, &place, "verb", "add verbs such as `get`, `list`, `watch`");
        }
        if let Some(urls) = rule.get("nonResourceURLs").filter(|_| filled(rule, "nonResourceURLs")) {
            if !cluster {
                let message = format!("`{place}.nonResourceURLs` needs a ClusterRole");
                walk.tell(Code::ConflictingFields, urls, message, "a Role counts in a namespace, URLs have none");
            } else if filled(rule, "resources") || filled(rule, "apiGroups") {
                let message = format!("`{place}` has both resources and `nonResourceURLs`");
                walk.tell(Code::ConflictingFields, urls, message, "make two rules of it");
            }
            continue;
        }
        for (index, group) in items(rule, "apiGroups") {
            // The server takes it, and it stands for nothing.
            if let Some((bare, _)) = group.as_str().and_then(|text| text.split_once('/')) {
                let message = format!("`{place}.apiGroups[{index}]` has a version, so it matches no group");
                let finding = walk.tell(Code::InvalidValue, group, message, "expected a group alone");
                finding.severity = Severity::Warning;
                finding.hints.push(format!("write `{bare}`"));
            }
        }
        if !filled(rule, "resources") {
            walk.lacks(rule, &place, "`resources`", "add `resources: [pods]`");
        } else if !filled(rule, "apiGroups") && !has(rule, "apiGroups") {
            walk.lacks(rule, &place, "`apiGroups`", "add `apiGroups: [\"\"]` for the core group");
        }
    }
}
