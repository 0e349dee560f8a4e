//! How workloads roll out: numbers and percentages.

use super::{Walk, int};
use crate::diagnostic::Code;
use crate::schema::names;
use crate::schema::path::Path;
use crate::yaml::Node;

pub(super) fn deployment(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    counts(walk, node, path, &["replicas", "minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit"]);
    let Some(strategy) = node.get("strategy") else { return };
    let strategy_path = path.key("strategy");
    let rolling = strategy.get("rollingUpdate").filter(|node| !node.is_null());
    if let (Some("Recreate"), Some(rolling)) = (strategy.get("type").and_then(Node::as_str), rolling) {
        let message = format!("`{strategy_path}` has `rollingUpdate`, which `type: Recreate` rules out");
        walk.tell(Code::ConflictingFields, rolling, message, "remove it, or the type");
        return;
    }
    if let Some(rolling) = rolling {
        surge(walk, rolling, &strategy_path.key("rollingUpdate"));
    }
}

pub(super) fn daemon_set(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    counts(walk, node, path, &["minReadySeconds", "revisionHistoryLimit"]);
    let strategy_path = path.key("updateStrategy");
    if let Some(rolling) = node.at(["updateStrategy", "rollingUpdate"]) {
        surge(walk, rolling, &strategy_path.key("rollingUpdate"));
    }
}

pub(super) fn stateful_set(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    counts(walk, node, path, &["replicas", "minReadySeconds", "revisionHistoryLimit"]);
    let Some(rolling) = node.at(["updateStrategy", "rollingUpdate"]) else { return };
    let rolling_path = path.key("updateStrategy");
    amount(walk, rolling.get("maxUnavailable"), &rolling_path.key("rollingUpdate").key("maxUnavailable"));
}

/// Fields that count something.
pub(super) fn counts(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>, fields: &[&str]) {
    for field in fields {
        walk.within(node.get(field), 0, i64::MAX, || path.key(field).to_string());
    }
}

fn surge(walk: &mut Walk<'_>, rolling: &Node, path: &Path<'_>) {
    for field in ["maxSurge", "maxUnavailable"] {
        amount(walk, rolling.get(field), &path.key(field));
    }
    let zero = |field| {
        rolling.get(field).is_some_and(|node| int(node) == Some(0) || node.as_str().and_then(names::percent) == Some(0))
    };
    if zero("maxSurge") && zero("maxUnavailable") {
        let node = rolling.get("maxUnavailable").unwrap_or(rolling);
        let message = format!("`{path}` allows no pod more and no pod less, so it can replace none");
        walk.tell(Code::ConflictingFields, node, message, "`maxSurge` is 0, too");
    }
}

/// A number of pods or a percentage of them.
pub(super) fn amount(walk: &mut Walk<'_>, node: Option<&Node>, path: &Path<'_>) {
    let Some(node) = node else { return };
    walk.within(Some(node), 0, i64::MAX, || path.to_string());
    let Some(text) = node.as_str() else { return };
    if names::percent(text).is_none() {
        let finding = walk.tell(
            Code::InvalidPercent,
            node,
            format!("`{path}` is not a number or percentage: `{text}`"),
            "expected `1` or `25%`",
        );
        if text.parse::<u32>().is_ok() {
            finding.hints.push(format!("write `{text}` without quotes, or `{text}%`"));
        }
    }
}
