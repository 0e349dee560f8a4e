//! Pods: volumes and mounts, names across containers, restart policy.

use super::{Walk, int, items, metadata};
use crate::diagnostic::{Code, Diagnostic, Severity, nearest};
use crate::schema::names;
use crate::schema::path::Path;
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
    for (list, field) in [("readinessGates", "conditionType"), ("schedulingGates", "name")] {
        for (at, gate) in items(node, list) {
            if let Some(name) = gate.get(field) {
                walk.name(Code::InvalidLabel, name, || format!("{path}.{list}[{at}].{field}"), names::qualified);
            }
        }
    }
    sharing(walk, node, path);
    init_containers(walk, node, path);
    dns(walk, node, path);
    for (at, constraint) in items(node, "topologySpreadConstraints") {
        walk.within(constraint.get("maxSkew"), 1, i64::MAX, || {
            format!("{path}.topologySpreadConstraints[{at}].maxSkew")
        });
        if let Some(least) = constraint.get("minDomains").filter(|least| !least.is_null())
            && constraint.get("whenUnsatisfiable").and_then(Node::as_str) == Some("ScheduleAnyway")
        {
            let message = format!("`{path}.topologySpreadConstraints[{at}].minDomains` needs `DoNotSchedule`");
            walk.tell(Code::ConflictingFields, least, message, "`ScheduleAnyway` does not count domains");
        }
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

/// What containers of a pod share.
fn sharing(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let is_set = |field: &str| node.get(field).and_then(Node::as_bool) == Some(true);
    if is_set("hostPID") && is_set("shareProcessNamespace") {
        walk.at_most_one(node, path, &["hostPID", "shareProcessNamespace"]);
    }
    let host_network = is_set("hostNetwork");
    let mut seen: HashMap<(i64, String, String), &Node> = HashMap::new();
    for list in CONTAINERS {
        for (at, container) in items(node, list) {
            for (index, port) in items(container, "ports") {
                let place = format!("{path}.{list}[{at}].ports[{index}]");
                let (Some(host_port), Some(number)) = (port.get("hostPort"), port.get("hostPort").and_then(int)) else {
                    continue;
                };
                let inner = port.get("containerPort").and_then(int);
                if number == 0 {
                    continue;
                }
                if host_network && inner.is_some_and(|inner| inner != number) {
                    let message = format!("`{place}.hostPort` must be the `containerPort` with `hostNetwork`");
                    let expected = inner.map_or_else(String::new, |inner| format!("expected {inner}"));
                    walk.tell(Code::ConflictingFields, host_port, message, expected);
                }
                let text = |key: &str| port.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
                let protocol = if text("protocol").is_empty() { "TCP".to_owned() } else { text("protocol") };
                match seen.get(&(number, protocol.clone(), text("hostIP"))) {
                    // Init containers come one after the other.
                    Some(first) if *list != "initContainers" => {
                        let message = format!("port {number}/{protocol} of the node is there twice in `{path}`");
                        let finding = Diagnostic::new(Code::DuplicateItem, message)
                            .label(host_port.span, format!("again here, in `{place}`"))
                            .label(first.span, "first here");
                        walk.push(finding);
                    }
                    Some(_) => {}
                    None if *list == "initContainers" => {}
                    None => drop(seen.insert((number, protocol, text("hostIP")), host_port)),
                }
            }
        }
    }
}

/// Init containers end before the others start, so nothing probes them.
fn init_containers(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for (at, container) in items(node, "initContainers") {
        // With this policy they are sidecars.
        if container.get("restartPolicy").and_then(Node::as_str) == Some("Always") {
            continue;
        }
        let Some(map) = container.as_map() else { continue };
        for field in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
            if let Some(entry) = map.get(field).filter(|entry| !entry.value.is_null()) {
                let message = format!("`{path}.initContainers[{at}]` has a `{field}`, which it cannot have");
                let finding = Diagnostic::new(Code::ConflictingFields, message)
                    .label(entry.key_span, "an init container ends before the others start");
                walk.push(finding.hint("remove it, or make a sidecar of it: `restartPolicy: Always`"));
            }
        }
    }
    if walk.version().minor() >= 34 {
        return;
    }
    for list in ["containers", "initContainers"] {
        for (at, container) in items(node, list) {
            if let Some((policy, text)) = container.get("restartPolicy").and_then(|node| Some((node, node.as_str()?)))
                && (list == "containers" || text != "Always")
            {
                let place = format!("{path}.{list}[{at}].restartPolicy");
                let message = format!("`{place}` cannot be `{text}` before Kubernetes 1.34");
                walk.tell(Code::InvalidValue, policy, message, "only `Always`, and only in `initContainers`");
            }
        }
    }
}

fn dns(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let servers = node.at(["dnsConfig", "nameservers"]).and_then(Node::as_seq).unwrap_or_default();
    if let Some(policy) = node.get("dnsPolicy").filter(|policy| policy.as_str() == Some("None"))
        && servers.is_empty()
    {
        let message = format!("`{path}.dnsPolicy` is `None`, so `dnsConfig` must have `nameservers`");
        walk.tell(Code::MissingField, policy, message, "no name server")
            .hints
            .push("add `dnsConfig: {nameservers: [10.0.0.10]}`, or use `dnsPolicy: ClusterFirst`".to_owned());
    }
    for (at, server) in servers.iter().enumerate() {
        walk.address(Some(server), || format!("{path}.dnsConfig.nameservers[{at}]"));
    }
    for (at, alias) in items(node, "hostAliases") {
        walk.address(alias.get("ip"), || format!("{path}.hostAliases[{at}].ip"));
        for (index, name) in items(alias, "hostnames") {
            let place = || format!("{path}.hostAliases[{at}].hostnames[{index}]");
            walk.name(Code::InvalidName, name, place, names::dns_subdomain);
        }
    }
}

/// A profile is named where it is a file of the node, and only there.
pub(super) fn profile(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some(kind) = node.get("type").and_then(Node::as_str) else { return };
    match (kind, node.get("localhostProfile").filter(|profile| profile.as_str() != Some("") && !profile.is_null())) {
        ("Localhost", None) => {
            let hint = "`type: Localhost` is a file of the node: name it, or use `type: RuntimeDefault`";
            walk.lacks(node, path, "`localhostProfile`", hint);
        }
        ("RuntimeDefault" | "Unconfined", Some(profile)) => {
            let message = format!("`{path}.localhostProfile` needs `type: Localhost`");
            walk.tell(Code::ConflictingFields, profile, message, format!("the type is `{kind}`"));
        }
        _ => {}
    }
}

/// Parameters of the kernel, with dots or slashes between the parts of their names.
pub(super) fn sysctl(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some((name, text)) = node.get("name").and_then(|name| Some((name, name.as_str()?))) else { return };
    let ends = |part: &str| {
        let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        part.as_bytes().first().is_some_and(allowed) && part.as_bytes().last().is_some_and(allowed)
    };
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if !text.split(['.', '/']).all(|part| ends(part) && part.bytes().all(inner)) {
        let message = format!("`{path}.name` is not a parameter of the kernel: `{text}`");
        walk.tell(Code::InvalidName, name, message, "expected a name such as `net.core.somaxconn`");
    }
}

/// Users and groups of the pod or of a container.
pub(super) fn security(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for field in ["runAsUser", "runAsGroup", "fsGroup"] {
        walk.within(node.get(field), 0, i64::from(i32::MAX), || format!("{path}.{field}"));
    }
    for (at, group) in items(node, "supplementalGroups") {
        walk.within(Some(group), 0, i64::from(i32::MAX), || format!("{path}.supplementalGroups[{at}]"));
    }
    if let Some(user) = node.get("runAsUser").filter(|user| int(user) == Some(0))
        && node.get("runAsNonRoot").and_then(Node::as_bool) == Some(true)
    {
        // The server takes it, and no container of the pod ever starts.
        let message = format!("`{path}` has `runAsNonRoot: true`, but the user 0 is root");
        let finding = walk.tell(Code::ConflictingFields, user, message, "the container will not start");
        finding.severity = Severity::Warning;
        finding.hints.push("name another user, such as 1000, or remove `runAsNonRoot`".to_owned());
    }
}
