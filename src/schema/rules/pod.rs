//! Pods: volumes and mounts, names across containers, restart policy.

use super::{Walk, has, items, metadata};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::schema::names;
use crate::schema::path::Path;
use crate::schema::scalar::text_of;
use crate::yaml::Node;
use std::collections::HashMap;

const CONTAINERS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];

pub(super) fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    if let Some(list) = node.get("containers").filter(|list| list.as_seq().is_some_and(<[Node]>::is_empty)) {
        walk.tell(
            Code::MissingField,
            list,
            format!("`{path}.containers` is empty"),
            "a pod has at least one container",
        );
    }
    container_names(walk, node, path);
    volumes(walk, node, path);
    mounts(walk, node, path);
    metadata::labels(walk, node.get("nodeSelector"), &path.key("nodeSelector"));
    for field in ["terminationGracePeriodSeconds", "activeDeadlineSeconds"] {
        walk.within(node.get(field), i64::from(field.starts_with('a')), i64::MAX, || format!("{path}.{field}"));
    }
    for field in ["serviceAccountName", "priorityClassName", "runtimeClassName"] {
        if let Some(name) = node.get(field).filter(|name| name.as_str() != Some("")) {
            walk.name(Code::InvalidName, name, || format!("{path}.{field}"), names::dns_subdomain);
        }
    }
    for field in ["hostname", "subdomain"] {
        if let Some(name) = node.get(field).filter(|name| name.as_str() != Some("")) {
            walk.name(Code::InvalidName, name, || format!("{path}.{field}"), names::dns_label);
        }
    }
    tolerations(walk, node, path);
    for (at, constraint) in items(node, "topologySpreadConstraints") {
        walk.within(constraint.get("maxSkew"), 1, i64::MAX, || {
            format!("{path}.topologySpreadConstraints[{at}].maxSkew")
        });
    }
}

/// Containers of all lists share one set of names; doubles inside a list are told with the list.
fn container_names(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let mut seen: HashMap<&str, (&str, &Node)> = HashMap::new();
    for list in CONTAINERS {
        for (at, container) in items(node, list) {
            let Some((name, name_node)) = container.get("name").and_then(|name| Some((name.as_str()?, name))) else {
                continue;
            };
            match seen.get(name) {
                Some((other, first)) if other != list => {
                    let message = format!("container `{name}` is there twice in `{path}`");
                    let finding = Diagnostic::new(Code::DuplicateItem, message)
                        .label(name_node.span, format!("again here, in `{list}[{at}]`"))
                        .label(first.span, "first here");
                    walk.push(finding);
                }
                Some(_) => {}
                None => drop(seen.insert(name, (list, name_node))),
            }
        }
    }
}

fn volumes(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for (at, volume) in items(node, "volumes") {
        if let Some(name) = volume.get("name") {
            walk.name(Code::InvalidName, name, || format!("{path}.volumes[{at}].name"), names::dns_label);
        }
        let Some(map) = volume.as_map() else { continue };
        let sources: Vec<_> = map.iter().filter(|(key, entry)| &***key != "name" && !entry.value.is_null()).collect();
        if let [(first, first_entry), (second, second_entry), ..] = sources[..]
            && walk.knows("core.v1.Volume", first)
            && walk.knows("core.v1.Volume", second)
        {
            let message = format!("`{path}.volumes[{at}]` has two sources, `{first}` and `{second}`");
            let finding = Diagnostic::new(Code::ConflictingFields, message)
                .label(second_entry.key_span, "this one")
                .label(first_entry.key_span, "or this one");
            walk.push(finding.hint("a volume has one source; make two volumes"));
        }
    }
}

/// Mounts and devices name volumes of the pod, or claims that a stateful set makes for it.
fn mounts(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let names = |node: &'_ Node, list: &str, at: &[&str]| -> Vec<String> {
        let found = items(node, list).filter_map(|(_, item)| item.at(at.iter().copied())?.as_str().map(str::to_owned));
        found.collect()
    };
    let mut known = names(node, "volumes", &["name"]);
    if walk.identity.kind == "StatefulSet"
        && let Some(spec) = walk.identity.node.get("spec")
    {
        known.extend(names(spec, "volumeClaimTemplates", &["metadata", "name"]));
    }
    for list in CONTAINERS {
        for (at, container) in items(node, list) {
            for field in ["volumeMounts", "volumeDevices"] {
                for (index, mount) in items(container, field) {
                    let Some(name) = mount.get("name") else { continue };
                    let Some(text) = name.as_str() else { continue };
                    if known.iter().any(|volume| volume == text) {
                        continue;
                    }
                    let place = format!("{path}.{list}[{at}].{field}[{index}]");
                    let finding = walk.tell(
                        Code::UnknownVolume,
                        name,
                        format!("`{place}` mounts `{text}`, but the pod has no such volume"),
                        "no volume of this name",
                    );
                    finding.hints.push(match nearest(text, known.iter().map(String::as_str)) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None if known.is_empty() => "add it under `volumes`".to_owned(),
                        None => format!(
                            "add it under `volumes`; there are {}",
                            crate::schema::words::list(known.iter().map(String::as_str))
                        ),
                    });
                }
            }
        }
    }
}

fn tolerations(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for (at, toleration) in items(node, "tolerations") {
        let operator = toleration.get("operator").and_then(Node::as_str).unwrap_or("Equal");
        let value = toleration.get("value").filter(|value| text_of(value).is_some_and(|text| !text.is_empty()));
        if let ("Exists", Some(value)) = (operator, value) {
            let message =
                format!("`{path}.tolerations[{at}]` has a `value`, which `operator: Exists` does not compare");
            walk.tell(Code::ConflictingFields, value, message, "remove it, or use `operator: Equal`");
        }
        let key = toleration.get("key").and_then(Node::as_str).unwrap_or_default();
        if key.is_empty()
            && operator != "Exists"
            && (has(toleration, "effect") || has(toleration, "value") || has(toleration, "operator"))
        {
            let place = path.key("tolerations");
            walk.lacks(
                toleration,
                &place.index(at),
                "`key`",
                "add `key`, or `operator: Exists` to tolerate every taint",
            );
        }
    }
}
