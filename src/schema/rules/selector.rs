//! Selectors, and whether they select the pods of their own template.

use super::{Walk, has, items, metadata};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::path::Path;
use crate::schema::scalar::text_of;
use crate::yaml::Node;

/// A selector by itself.
pub(super) fn label_selector(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    metadata::labels(walk, node.get("matchLabels"), &path.key("matchLabels"));
    for (at, expression) in items(node, "matchExpressions") {
        let list = path.key("matchExpressions");
        let place = list.index(at);
        let values = expression.get("values").and_then(Node::as_seq).map_or(0, <[Node]>::len);
        match expression.get("operator").and_then(Node::as_str) {
            Some(operator @ ("In" | "NotIn")) if values == 0 => {
                walk.lacks(
                    expression,
                    &place,
                    "`values`",
                    format!("`{operator}` compares with a list: `values: [a, b]`"),
                );
            }
            Some(operator @ ("Exists" | "DoesNotExist")) if values > 0 => {
                let node = expression.get("values").unwrap_or(expression);
                let message = format!("`{place}` has `values`, which `{operator}` does not use");
                walk.tell(Code::ConflictingFields, node, message, "remove them")
                    .hints
                    .push("`In` compares with values".into());
            }
            _ => {}
        }
    }
}

/// A workload's selector against its template.
pub(super) fn workload(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some(selector) = node.get("selector").filter(|selector| selector.as_map().is_some()) else { return };
    let expressions = selector.get("matchExpressions").and_then(Node::as_seq).unwrap_or_default();
    let labels = selector.get("matchLabels").and_then(Node::as_map);
    if expressions.is_empty() && labels.is_none_or(|labels| labels.is_empty()) {
        walk.tell(
            Code::SelectorMismatch,
            selector,
            format!("`{path}.selector` is empty"),
            "it must select the pods of the template",
        );
        return;
    }
    match_template(walk, node, path, labels.into_iter().flatten());
    let template = template_labels(node);
    for (at, expression) in expressions.iter().enumerate() {
        let Some(key) = expression.get("key").and_then(Node::as_str) else { continue };
        let found = template.and_then(|labels| labels.get(key)).and_then(|entry| text_of(&entry.value));
        let among = |value: &str| {
            let mut values = expression.get("values").and_then(Node::as_seq).unwrap_or_default().iter();
            values.any(|node| text_of(node).as_deref() == Some(value))
        };
        let fits = match expression.get("operator").and_then(Node::as_str) {
            Some("In") => found.as_deref().is_some_and(among),
            Some("NotIn") => !found.as_deref().is_some_and(among),
            Some("Exists") => found.is_some(),
            Some("DoesNotExist") => found.is_none(),
            _ => true,
        };
        if !fits {
            let message = format!("`{path}.selector.matchExpressions[{at}]` does not select the pods of the template");
            let label = match found {
                Some(value) => format!("the template's label `{key}` is `{value}`"),
                None => format!("the template has no label `{key}`"),
            };
            walk.tell(Code::SelectorMismatch, expression, message, label);
        }
    }
}

/// The selector of a replication controller is a plain map, by default the template's labels.
pub(super) fn replication_controller(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    if has(node, "template") {
        match_template(walk, node, path, node.get("selector").and_then(Node::as_map).into_iter().flatten());
    }
}

fn template_labels(node: &Node) -> Option<&crate::yaml::Mapping> {
    node.at(["template", "metadata", "labels"]).and_then(Node::as_map)
}

fn match_template<'n>(
    walk: &mut Walk<'_>,
    node: &'n Node,
    path: &Path<'_>,
    wanted: impl Iterator<Item = (&'n std::sync::Arc<str>, &'n crate::yaml::Entry)>,
) {
    let template = template_labels(node);
    let entry = |keys: &[&str], last| node.at(keys.iter().copied())?.as_map()?.get(last);
    let nearest_entry = entry(&["template", "metadata"], "labels")
        .or_else(|| entry(&["template"], "metadata"))
        .or_else(|| entry(&[], "template"));
    let template_span = nearest_entry.map(|entry| entry.key_span);
    for (key, entry) in wanted {
        let Some(value) = text_of(&entry.value) else { continue };
        let found = template.and_then(|labels| labels.get(key));
        if found.and_then(|found| text_of(&found.value)).is_some_and(|found| found == value) {
            continue;
        }
        let message = format!("the selector wants label `{key}: {value}`, which the pod template does not have");
        let mut finding =
            Diagnostic::new(Code::SelectorMismatch, message).label(entry.key_span, format!("`{path}.selector`"));
        finding = match (found, template_span) {
            (Some(found), _) => finding.label(found.value.span, "the template has this value"),
            (None, Some(span)) => finding.label(span, format!("the template has no label `{key}`")),
            (None, None) => finding,
        };
        walk.push(finding.hint("the labels in `selector` must be among those in `template.metadata.labels`"));
    }
}
