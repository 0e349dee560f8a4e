//! How workloads roll out: numbers and percentages.

use super::{Walk, int};
use crate::diagnostic::Code;
use crate::schema::names;
use crate::schema::path::Path;
use crate::yaml::Node;

/// Pods of a workload that goes on for ever start again whenever they end.
fn forever(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some(pod) = node.at(["template", "spec"]) else { return };
    let template = path.key("template");
    let pod_path = template.key("spec");
    let kind = walk.identity.kind;
    if let Some((policy, text)) = pod.get("restartPolicy").and_then(|policy| Some((policy, policy.as_str()?)))
        && matches!(text, "Never" | "OnFailure")
    {
        let message = format!("`{pod_path}.restartPolicy` cannot be `{text}` in a {kind}");
        walk.tell(Code::InvalidValue, policy, message, "expected `Always`")
            .hints
            .push("leave it out; a Job is for pods that end".to_owned());
    }
    if let Some(deadline) = pod.get("activeDeadlineSeconds").filter(|deadline| !deadline.is_null()) {
        let message = format!("`{pod_path}` cannot have `activeDeadlineSeconds` in a {kind}");
        walk.tell(Code::ConflictingFields, deadline, message, "its pods have no deadline")
            .hints
            .push("remove it, or make it a Job".to_owned());
    }
}

pub(super) fn replica_set(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    counts(walk, node, path, &["replicas", "minReadySeconds"]);
    forever(walk, node, path);
}

pub(super) fn deployment(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    counts(walk, node, path, &["replicas", "minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit"]);
    forever(walk, node, path);
    let ready = node.get("minReadySeconds").and_then(int).unwrap_or(0);
    if let Some((deadline, seconds)) = node.get("progressDeadlineSeconds").and_then(|node| Some((node, int(node)?)))
        && (0..=ready).contains(&seconds)
    {
        let message = format!("`{path}.progressDeadlineSeconds` is {seconds}, not more than `minReadySeconds`");
        walk.tell(Code::OutOfRange, deadline, message, format!("at least {}", ready + 1));
    }
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
    forever(walk, node, path);
    let strategy_path = path.key("updateStrategy");
    if let Some(rolling) = node.at(["updateStrategy", "rollingUpdate"]) {
        surge(walk, rolling, &strategy_path.key("rollingUpdate"));
        let zero = |node: &Node| int(node) == Some(0) || matches!(node.as_str(), Some("0%"));
        if let Some(more) = rolling.get("maxSurge").filter(|more| !more.is_null() && !zero(more))
            && !rolling.get("maxUnavailable").is_some_and(zero)
        {
            let message = format!("`{strategy_path}.rollingUpdate` has a `maxSurge`, so `maxUnavailable` must be 0");
            walk.tell(Code::ConflictingFields, more, message, "`maxUnavailable` is 1 by default")
                .hints
                .push("add `maxUnavailable: 0`, or remove `maxSurge`".to_owned());
        }
    }
}

pub(super) fn stateful_set(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    counts(walk, node, path, &["replicas", "minReadySeconds", "revisionHistoryLimit"]);
    forever(walk, node, path);
    if let (Some("OnDelete"), Some(rolling)) = (
        node.at(["updateStrategy", "type"]).and_then(Node::as_str),
        node.at(["updateStrategy", "rollingUpdate"]).filter(|rolling| !rolling.is_null()),
    ) {
        let message = format!("`{path}.updateStrategy` has `rollingUpdate`, which `type: OnDelete` rules out");
        walk.tell(Code::ConflictingFields, rolling, message, "remove it, or the type");
    }
    walk.within(node.at(["ordinals", "start"]), 0, i64::MAX, || format!("{path}.ordinals.start"));
    walk.within(node.at(["updateStrategy", "rollingUpdate", "partition"]), 0, i64::MAX, || {
        format!("{path}.updateStrategy.rollingUpdate.partition")
    });
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
    if names::percent(text).is_some_and(|percent| percent > 100) && path.last_key() != Some("maxSurge") {
        walk.tell(Code::InvalidPercent, node, format!("`{path}` is more than all pods: `{text}`"), "at most `100%`");
    }
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
