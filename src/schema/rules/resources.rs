//! Requests and limits.

use super::Walk;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::schema::path::{Path, Step};
use crate::schema::scalar::{quantity_value, text_of};
use crate::yaml::Node;

/// Resources without a domain in their name that a container can have.
const CONTAINER: &[&str] = &["cpu", "memory", "ephemeral-storage"];

pub(super) fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let is_claim = is_claim(walk, path);
    for list in ["limits", "requests"] {
        for (name, entry) in node.get(list).and_then(Node::as_map).into_iter().flatten() {
            let known = if is_claim {
                &**name == "storage"
            } else {
                CONTAINER.contains(&&**name) || name.starts_with("hugepages-")
            };
            if !known && !name.contains('/') {
                let candidates = if is_claim { &["storage"][..] } else { CONTAINER };
                let expected = crate::schema::words::alternatives(candidates.iter().copied());
                let message = format!("`{name}` is no resource, in `{path}.{list}`");
                let mut finding = Diagnostic::new(Code::UnknownResource, message).label(
                    entry.key_span,
                    format!("expected {expected}, or a name with a domain such as `nvidia.com/gpu`"),
                );
                if let Some(meant) = nearest(name, candidates.iter().copied()) {
                    finding = finding.hint(format!("did you mean `{meant}`?"));
                }
                walk.push(finding);
            }
            amount(walk, name, &entry.value, || format!("{path}.{list}.{name}"));
        }
    }
    above_limit(walk, node, path);
    if !is_claim {
        whole(walk, node, path);
        huge_pages(walk, node, path);
    }
}

/// Devices and huge pages cannot be shared: they are counted in whole numbers, and requests are the limits.
fn whole(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let is_whole = |name: &str| name.starts_with("hugepages-") || name.contains('/');
    for list in ["limits", "requests"] {
        for (name, entry) in node.get(list).and_then(Node::as_map).into_iter().flatten() {
            if !is_whole(name) {
                continue;
            }
            let Some(text) = text_of(&entry.value) else { continue };
            let Some(value) = quantity_value(&text) else { continue };
            if value.fract() != 0.0 {
                let message = format!("`{path}.{list}[\"{name}\"]` must be a whole number: `{text}`");
                walk.tell(Code::InvalidQuantity, &entry.value, message, "it cannot be shared");
            }
            if let Some(limit) = node.at(["limits", name]).filter(|_| list == "requests")
                && text_of(limit).and_then(|text| quantity_value(&text)).is_some_and(|most| most > value)
            {
                let message = format!("`{path}.requests[\"{name}\"]` differs from its limit");
                let finding =
                    Diagnostic::new(Code::ConflictingFields, message).label(entry.value.span, "requested here");
                walk.push(finding.label(limit.span, "the limit").hint("they must be the same: it cannot be shared"));
            }
            if list == "requests" && node.at(["limits", name]).is_none_or(Node::is_null) {
                let message = format!("`{path}.requests` has `{name}`, which `limits` does not");
                walk.push(
                    Diagnostic::new(Code::ConflictingFields, message)
                        .label(entry.key_span, "it must have the same limit")
                        .hint(format!("add `limits: {{{name}: {text}}}`, or write it under `limits` alone")),
                );
            }
        }
    }
}

/// Resources of a namespace without a domain in their name that a quota can count.
const QUOTA: &[&str] = &[
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
];

/// Objects are counted, not measured.
const COUNTED: &[&str] = &[
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

pub(super) fn quota(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for (name, entry) in node.get("hard").and_then(Node::as_map).into_iter().flatten() {
        let is_known = QUOTA.contains(&&**name) || name.contains('/') || name.contains("hugepages-");
        if !is_known {
            let message = format!("`{name}` is nothing that a quota counts, in `{path}.hard`");
            let label = "expected a resource such as `requests.cpu`, or objects such as `pods` or `count/jobs.batch`";
            let mut finding = Diagnostic::new(Code::UnknownResource, message).label(entry.key_span, label);
            if let Some(meant) = nearest(name, QUOTA.iter().copied()) {
                finding = finding.hint(format!("did you mean `{meant}`?"));
            }
            walk.push(finding);
        }
        let counted = COUNTED.contains(&&**name) || name.starts_with("count/");
        if let Some(text) =
            text_of(&entry.value).filter(|text| counted && quantity_value(text).is_some_and(|it| it.fract() != 0.0))
        {
            let message = format!("`{path}.hard[\"{name}\"]` must be a whole number: `{text}`");
            walk.tell(Code::InvalidQuantity, &entry.value, message, "objects are counted");
        } else {
            amount(walk, name.rsplit('.').next().unwrap_or(name), &entry.value, || format!("{path}.hard[\"{name}\"]"));
        }
    }
}

/// Huge pages come with CPU or memory of the ordinary kind.
fn huge_pages(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let lists = ["limits", "requests"].map(|list| node.get(list).and_then(Node::as_map));
    let mut all = lists.iter().flatten().flat_map(|map| map.iter());
    let page = all.clone().find(|(name, _)| name.starts_with("hugepages-"));
    if let Some((name, entry)) = page.filter(|_| !all.any(|(name, _)| matches!(&**name, "cpu" | "memory"))) {
        let message = format!("`{path}` has `{name}`, but neither `cpu` nor `memory`");
        let finding =
            Diagnostic::new(Code::ConflictingFields, message).label(entry.key_span, "one of them must be set");
        walk.push(finding.hint("add `memory: 128Mi` next to it"));
    }
}

/// Limits of a namespace, of which none may rule another out.
pub(super) fn range(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for (low, high) in [
        ("min", "max"),
        ("min", "default"),
        ("min", "defaultRequest"),
        ("defaultRequest", "default"),
        ("default", "max"),
        ("defaultRequest", "max"),
    ] {
        for (name, entry) in node.get(low).and_then(Node::as_map).into_iter().flatten() {
            let Some(other) = node.at([high, name]) else { continue };
            let (Some(least), Some(most)) = (text_of(&entry.value), text_of(other)) else { continue };
            let (Some(least_value), Some(most_value)) = (quantity_value(&least), quantity_value(&most)) else {
                continue;
            };
            if least_value > most_value {
                let message = format!("`{path}.{low}.{name}` is `{least}`, more than `{high}`, which is `{most}`");
                let finding = Diagnostic::new(Code::OutOfRange, message)
                    .label(entry.value.span, format!("at most {most}"))
                    .label(other.span, format!("the `{high}`"));
                walk.push(finding);
            }
        }
    }
}

pub(super) fn priority(walk: &mut Walk<'_>, node: &Node, _path: &Path<'_>) {
    let name = node.at(["metadata", "name"]).and_then(Node::as_str).unwrap_or_default();
    if name.starts_with("system-") {
        return;
    }
    walk.within(node.get("value"), i64::from(i32::MIN), 1_000_000_000, || "value".to_owned());
}

fn amount(walk: &mut Walk<'_>, name: &str, node: &Node, place: impl Fn() -> String) {
    let Some(text) = text_of(node) else { return };
    let Some(value) = quantity_value(&text) else { return };
    if value < 0.0 {
        walk.tell(Code::InvalidQuantity, node, format!("`{}` is negative: `{text}`", place()), "at least 0");
    } else if matches!(name, "memory" | "ephemeral-storage" | "storage") && text.ends_with('m') {
        let meant = format!("`m` is a thousandth; write `{}Mi` for mebibytes", text.trim_end_matches('m'));
        walk.tell(Code::OddQuantity, node, format!("`{}` is {value} bytes: `{text}`", place()), "a part of a byte")
            .hints
            .push(meant);
    } else if name == "cpu" && value >= 1024.0 && text.ends_with('i') {
        walk.tell(
            Code::OddQuantity,
            node,
            format!("`{}` is {value} cores: `{text}`", place()),
            "a size rather than a number of cores",
        );
    } else if name == "cpu" && value > 0.0 && value < 0.001 {
        let message = format!("`{}` is less than a thousandth of a core: `{text}`", place());
        walk.tell(Code::OddQuantity, node, message, "`1m` is the least")
            .hints
            .push("write `500m` for half a core".into());
    } else if name == "memory" && value > 0.0 && value < 1024.0 {
        let meant = format!("write `{text}Mi` for mebibytes");
        walk.tell(Code::OddQuantity, node, format!("`{}` is {value} bytes: `{text}`", place()), "less than a kilobyte")
            .hints
            .push(meant);
    }
}

fn above_limit(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for (name, request) in node.get("requests").and_then(Node::as_map).into_iter().flatten() {
        let Some(limit) = node.at(["limits", name]) else { continue };
        let (Some(asked), Some(most)) = (text_of(&request.value), text_of(limit)) else { continue };
        let (Some(asked_value), Some(most_value)) = (quantity_value(&asked), quantity_value(&most)) else { continue };
        if asked_value > most_value {
            let message = format!("`{path}.requests.{name}` is `{asked}`, more than the limit of `{most}`");
            let finding = Diagnostic::new(Code::RequestAboveLimit, message)
                .label(request.value.span, "requested here")
                .label(limit.span, "the limit");
            walk.push(finding.hint("lower the request, or raise the limit"));
        }
    }
}

/// Whether a volume claim asks for the resources; older versions have one definition for both.
fn is_claim(walk: &Walk<'_>, path: &Path<'_>) -> bool {
    let templates = |step: &Step<'_>| matches!(step, Step::Key("volumeClaimTemplates" | "volumeClaimTemplate"));
    walk.identity.kind == "PersistentVolumeClaim" || path.steps().iter().any(templates)
}
