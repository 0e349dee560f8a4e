//! Where pods run: node and pod affinity, tolerations.

use super::{Walk, items};
use crate::diagnostic::{Code, Severity};
use crate::schema::names;
use crate::schema::path::Path;
use crate::schema::scalar::text_of;
use crate::yaml::Node;

/// A node affinity's term compares a label of nodes with values.
pub(super) fn node_requirement(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let values = node.get("values").and_then(Node::as_seq).unwrap_or_default();
    let Some(operator) = node.get("operator").and_then(Node::as_str) else { return };
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            walk.lacks(node, path, "`values`", format!("`{operator}` compares with a list: `values: [a, b]`"));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let message = format!("`{path}` has `values`, which `{operator}` does not use");
            let at = node.get("values").unwrap_or(node);
            walk.tell(Code::ConflictingFields, at, message, "remove them")
                .hints
                .push("`In` compares with values".into());
        }
        "Gt" | "Lt" => match values {
            [one] if one.as_str().is_some_and(|text| text.parse::<i64>().is_err()) => {
                let message =
                    format!("`{path}.values[0]` must be a whole number in quotes, which `{operator}` compares");
                // The server takes it, but no node fits.
                let finding = walk.tell(Code::InvalidFormat, one, message, "expected a number such as `\"4\"`");
                finding.severity = Severity::Warning;
            }
            [_] => {}
            _ => {
                let at = node.get("values").unwrap_or(node);
                let message = format!("`{path}.values` must have one item, which `{operator}` compares");
                walk.tell(Code::InvalidFormat, at, message, "expected one number, such as `[\"4\"]`");
            }
        },
        _ => {}
    }
    // Keys of `matchFields` are fields of the node.
    if let Some((key, text)) = node.get("key").and_then(|key| Some((key, key.as_str()?)))
        && let Some(fault) = names::qualified(text)
    {
        walk.tell(Code::InvalidLabel, key, format!("`{path}.key` is not a label key: `{text}`"), fault);
    }
}

/// Preferred terms of node and pod affinity have a weight.
pub(super) fn weight(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    walk.within(node.get("weight"), 1, 100, || format!("{path}.weight"));
}

pub(super) fn pod_affinity_term(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some((key, text)) = node.get("topologyKey").and_then(|key| Some((key, key.as_str()?))) else { return };
    if text.is_empty() {
        walk.tell(Code::MissingField, key, format!("`{path}.topologyKey` is empty"), "a label of nodes")
            .hints
            .push("write `topologyKey: kubernetes.io/hostname`, or `topology.kubernetes.io/zone`".to_owned());
    } else if let Some(fault) = names::qualified(text) {
        walk.tell(Code::InvalidLabel, key, format!("`{path}.topologyKey` is not a label key: `{text}`"), fault);
    }
}

pub(super) fn node_selector(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    if let Some(terms) = node.get("nodeSelectorTerms").filter(|terms| terms.as_seq().is_some_and(<[Node]>::is_empty)) {
        let message = format!("`{path}.nodeSelectorTerms` is empty");
        walk.tell(Code::MissingField, terms, message, "at least one term")
            .hints
            .push("or leave out the affinity".into());
    }
}

/// Who leads, and for how long.
pub(super) fn lease(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    walk.within(node.get("leaseDurationSeconds"), 1, i64::MAX, || format!("{path}.leaseDurationSeconds"));
    walk.within(node.get("leaseTransitions"), 0, i64::MAX, || format!("{path}.leaseTransitions"));
}

pub(super) fn tolerations(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for (at, toleration) in items(node, "tolerations") {
        let list = path.key("tolerations");
        self::toleration(walk, toleration, &list.index(at));
    }
}

fn toleration(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let operator = node.get("operator").and_then(Node::as_str).filter(|text| !text.is_empty()).unwrap_or("Equal");
    let value = node.get("value").filter(|value| text_of(value).is_some_and(|text| !text.is_empty()));
    if let ("Exists", Some(value)) = (operator, value) {
        let message = format!("`{path}` has a `value`, which `operator: Exists` does not compare");
        walk.tell(Code::ConflictingFields, value, message, "remove it, or use `operator: Equal`");
    }
    let key = node.get("key").and_then(Node::as_str).unwrap_or_default();
    if key.is_empty() && operator != "Exists" && ["effect", "value", "operator"].iter().any(|key| super::has(node, key))
    {
        walk.lacks(node, path, "`key`", "add `key`, or `operator: Exists` to tolerate every taint");
    }
    if let Some(fault) = (!key.is_empty()).then(|| names::qualified(key)).flatten()
        && let Some(key_node) = node.get("key")
    {
        walk.tell(Code::InvalidLabel, key_node, format!("`{path}.key` is not the key of a taint: `{key}`"), fault);
    }
    if let Some(seconds) = node.get("tolerationSeconds").filter(|seconds| !seconds.is_null())
        && node.get("effect").and_then(Node::as_str) != Some("NoExecute")
    {
        let message = format!("`{path}.tolerationSeconds` needs `effect: NoExecute`");
        walk.tell(Code::ConflictingFields, seconds, message, "only pods that are evicted wait");
    }
}
