//! Autoscalers and disruption budgets.

use super::{Walk, has, int, items, strategy};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::schema::path::Path;
use crate::yaml::Node;
use std::collections::HashMap;

pub(super) fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    walk.within(node.get("maxReplicas"), 1, i64::MAX, || format!("{path}.maxReplicas"));
    walk.within(node.get("minReplicas"), 0, i64::MAX, || format!("{path}.minReplicas"));
    target_group(walk, node, path);
    let least = node.get("minReplicas").and_then(int).unwrap_or(1);
    if let Some((max_node, most)) = node.get("maxReplicas").and_then(|node| Some((node, int(node)?)))
        && most < least
        && most >= 1
    {
        let finding = walk.tell(
            Code::OutOfRange,
            max_node,
            format!("`{path}.maxReplicas` is {most}, below `minReplicas`"),
            format!("at least {least}"),
        );
        if let Some(min_node) = node.get("minReplicas") {
            finding.labels.push(crate::diagnostic::Label { span: min_node.span, text: "the minimum".to_owned() });
        }
    }
    let mut seen: HashMap<&str, &Node> = HashMap::new();
    for (at, metric) in items(node, "metrics") {
        if let Some((name, text)) = metric.at(["resource", "name"]).and_then(|name| Some((name, name.as_str()?))) {
            if let Some(first) = seen.get(text) {
                let message = format!("resource `{text}` is there twice in `{path}.metrics`; the higher count wins");
                let finding = Diagnostic::new(Code::ShadowedItem, message)
                    .label(name.span, format!("again here, in `{path}.metrics[{at}]`"))
                    .label(first.span, "first here");
                walk.push(finding.hint("keep one of them, or watch another resource"));
            }
            seen.entry(text).or_insert(name);
        }
        let Some(kind) = metric.get("type").and_then(Node::as_str) else { continue };
        let list = path.key("metrics");
        let metric_path = list.index(at);
        let field = match kind {
            "Resource" => "resource",
            "ContainerResource" => "containerResource",
            "Pods" => "pods",
            "Object" => "object",
            "External" => "external",
            _ => continue,
        };
        if !has(metric, field) {
            walk.lacks(
                metric,
                &metric_path,
                &format!("`{field}`"),
                format!("`type: {kind}` is told in the field `{field}`"),
            );
        }
        if let Some(target) = metric.at([field, "target"]) {
            self::target(walk, target, &metric_path.key(field).key("target"));
        }
    }
}

/// Kinds that are scaled mostly are of the group `apps`, and an autoscaler finds them only there.
fn target_group(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let target = |key| node.at(["scaleTargetRef", key]).and_then(|node| Some((node, node.as_str()?)));
    let (Some((_, kind)), Some((version, text))) = (target("kind"), target("apiVersion")) else { return };
    let group = text.rsplit_once('/').map_or("", |(group, _)| group);
    if matches!(kind, "Deployment" | "StatefulSet" | "ReplicaSet") && group != "apps" {
        let message = format!("`{path}.scaleTargetRef` names a {kind} of `{text}`, which there is none of");
        let finding = walk.tell(Code::DanglingReference, version, message, "expected `apps/v1`");
        finding.severity = Severity::Warning;
    }
}

fn target(walk: &mut Walk<'_>, target: &Node, path: &Path<'_>) {
    let field = match target.get("type").and_then(Node::as_str) {
        Some("Utilization") => "averageUtilization",
        Some("AverageValue") => "averageValue",
        Some("Value") => "value",
        _ => return,
    };
    let kind = target.get("type").and_then(Node::as_str).unwrap_or_default();
    if !has(target, field) {
        walk.lacks(target, path, &format!("`{field}`"), format!("`type: {kind}` is told in the field `{field}`"));
    }
    walk.within(target.get("averageUtilization"), 1, i64::MAX, || format!("{path}.averageUtilization"));
}

/// How fast an autoscaler goes up or down.
pub(super) fn scaling(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    walk.within(node.get("stabilizationWindowSeconds"), 0, 3600, || format!("{path}.stabilizationWindowSeconds"));
    if let Some(list) = node.get("policies").filter(|list| list.as_seq().is_some_and(<[Node]>::is_empty)) {
        walk.tell(Code::MissingField, list, format!("`{path}.policies` is empty"), "at least one policy");
    }
    for (at, policy) in items(node, "policies") {
        walk.within(policy.get("value"), 1, i64::MAX, || format!("{path}.policies[{at}].value"));
        walk.within(policy.get("periodSeconds"), 1, 1800, || format!("{path}.policies[{at}].periodSeconds"));
    }
}

pub(super) fn budget(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    walk.at_most_one(node, path, &["minAvailable", "maxUnavailable"]);
    for field in ["minAvailable", "maxUnavailable"] {
        strategy::amount(walk, node.get(field), &path.key(field));
    }
}
