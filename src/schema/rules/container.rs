//! Containers: image, ports, environment, probes, mounts, security.

use super::{Walk, has, items};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::schema::names;
use crate::schema::path::Path;
use crate::yaml::Node;
use std::collections::HashMap;

/// The fields that say what a probe or hook does.
const HANDLERS: &[&str] = &["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

pub(super) fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    if let Some(name) = node.get("name") {
        walk.name(Code::InvalidName, name, || format!("{path}.name"), names::dns_label);
    }
    image(walk, node, path);
    ports(walk, node, path);
    environment(walk, node, path);
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = node.get(field).filter(|probe| probe.as_map().is_some()) {
            self::probe(walk, node, probe, &path.key(field), field);
        }
    }
    for field in ["postStart", "preStop"] {
        if let Some(hook) = node.at(["lifecycle", field]).filter(|hook| hook.as_map().is_some()) {
            handler(walk, node, hook, &path.key("lifecycle").key(field));
        }
    }
    mounts(walk, node, path);
    security(walk, node, path);
    if let Some(context) = node.get("securityContext") {
        super::pod::security(walk, context, &path.key("securityContext"));
    }
}

fn image(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    match node.get("image") {
        Some(image) if !image.is_null() => {
            let Some(fault) = image.as_str().and_then(names::image) else { return };
            let text = image.as_str().unwrap_or_default();
            let finding =
                walk.tell(Code::InvalidImage, image, format!("`{path}.image` is not an image: `{text}`"), fault);
            let hint = match text.ends_with(':') {
                true => "is the value of the tag empty?",
                false => "an image reads `[host[:port]/]name[:tag][@digest]`",
            };
            finding.hints.push(hint.to_owned());
        }
        _ => walk.lacks(node, path, "`image`", "add `image: name:tag`"),
    }
}

fn ports(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let mut seen: HashMap<&str, &Node> = HashMap::new();
    for (at, port) in items(node, "ports") {
        walk.port(port.get("containerPort"), || format!("{path}.ports[{at}].containerPort"));
        walk.address(port.get("hostIP").filter(|ip| ip.as_str() != Some("")), || format!("{path}.ports[{at}].hostIP"));
        if port.get("hostPort").and_then(super::int) != Some(0) {
            walk.port(port.get("hostPort"), || format!("{path}.ports[{at}].hostPort"));
        }
        let Some(name) = port.get("name").filter(|name| name.as_str().is_some_and(|name| !name.is_empty())) else {
            continue;
        };
        walk.name(Code::InvalidPort, name, || format!("{path}.ports[{at}].name"), names::port_name);
        let text = name.as_str().unwrap_or_default();
        match seen.get(text) {
            Some(first) => {
                let finding =
                    Diagnostic::new(Code::DuplicateItem, format!("port name `{text}` is there twice in `{path}`"))
                        .label(name.span, format!("again here, in `ports[{at}]`"))
                        .label(first.span, "first here");
                walk.push(finding);
            }
            None => drop(seen.insert(text, name)),
        }
    }
}

fn environment(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let relaxed = walk.version().minor() >= 32;
    let grammar =
        if relaxed { |text: &str| names::env_name(text, true) } else { |text: &str| names::env_name(text, false) };
    for (at, variable) in items(node, "env") {
        if let Some(name) = variable.get("name") {
            let text = name.as_str().unwrap_or("-");
            if let Some(fault) = grammar(text) {
                walk.tell(Code::InvalidEnv, name, format!("`{path}.env[{at}].name` is not valid: `{text}`"), fault);
            }
        }
        let from = variable.get("valueFrom").filter(|from| from.as_map().is_some());
        let value = variable.get("value").filter(|value| value.as_str().is_some_and(|text| !text.is_empty()));
        let list = path.key("env");
        let place = list.index(at);
        if value.is_some() && from.is_some() {
            walk.at_most_one(variable, &place, &["value", "valueFrom"]);
        }
        if let Some(from) = from {
            let sources = ["configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef"];
            walk.exactly_one(from, &place.key("valueFrom"), &sources, "source");
        }
    }
    for (at, source) in items(node, "envFrom") {
        let list = path.key("envFrom");
        walk.exactly_one(source, &list.index(at), &["configMapRef", "secretRef"], "source");
    }
}

fn probe(walk: &mut Walk<'_>, container: &Node, probe: &Node, path: &Path<'_>, field: &str) {
    handler(walk, container, probe, path);
    walk.within(probe.get("initialDelaySeconds"), 0, i64::MAX, || format!("{path}.initialDelaySeconds"));
    for number in ["periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold"] {
        // Zero is as good as absent: the default is used.
        walk.within(probe.get(number), 0, i64::MAX, || format!("{path}.{number}"));
    }
    if let Some(grace) = probe.get("terminationGracePeriodSeconds").filter(|grace| !grace.is_null()) {
        if field == "readinessProbe" {
            let message = format!("`{path}` cannot have `terminationGracePeriodSeconds`");
            walk.tell(Code::ConflictingFields, grace, message, "a readinessProbe stops nothing");
        } else {
            walk.within(Some(grace), 1, i64::MAX, || format!("{path}.terminationGracePeriodSeconds"));
        }
    }
    let threshold = probe.get("successThreshold");
    if let (true, Some(node)) = (field != "readinessProbe", threshold)
        && super::int(node).is_some_and(|number| number > 1)
    {
        walk.tell(
            Code::OutOfRange,
            node,
            format!("`{path}.successThreshold` must be 1"),
            format!("a {field} succeeds at once"),
        );
    }
}

fn handler(walk: &mut Walk<'_>, container: &Node, node: &Node, path: &Path<'_>) {
    walk.exactly_one(node, path, HANDLERS, "handler");
    for action in ["httpGet", "tcpSocket"] {
        let Some(port) = node.at([action, "port"]) else { continue };
        let place = || format!("{path}.{action}.port");
        let known: Vec<&str> = items(container, "ports").filter_map(|(_, port)| port.get("name")?.as_str()).collect();
        match port.as_str() {
            Some(name) if names::port_name(name).is_none() && !known.contains(&name) => {
                let message = format!("`{}` is `{name}`, but the container has no port of this name", place());
                let finding = walk.tell(Code::UnknownPort, port, message, "no such port");
                finding.hints.push(match nearest(name, known.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None if known.is_empty() => "add it under `ports`, or write the number".to_owned(),
                    None => format!("its ports are {}", crate::schema::words::list(known.iter().copied())),
                });
            }
            _ => walk.port_or_name(Some(port), place),
        }
    }
    if let Some(exec) = node.get("exec").filter(|exec| exec.as_map().is_some())
        && exec.get("command").and_then(Node::as_seq).is_none_or(<[Node]>::is_empty)
        && exec.get("command").is_none_or(|command| command.is_null() || command.as_seq().is_some())
    {
        walk.lacks(exec, &path.key("exec"), "`command`", "add `command: [program, argument]`");
    }
    for (at, header) in node.get("httpGet").into_iter().flat_map(|action| items(action, "httpHeaders")) {
        let Some((name, text)) = header.get("name").and_then(|name| Some((name, name.as_str()?))) else { continue };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            let message = format!("`{path}.httpGet.httpHeaders[{at}].name` is not the name of a header: `{text}`");
            walk.tell(Code::InvalidName, name, message, "letters, digits and `-`");
        }
    }
    walk.port(node.at(["grpc", "port"]), || format!("{path}.grpc.port"));
}

/// A path without the drive that it has on Windows: `C:\var\log`.
fn after_drive(path: &str) -> &str {
    path.strip_prefix(|letter: char| letter.is_ascii_alphabetic())
        .and_then(|rest| rest.strip_prefix(':'))
        .unwrap_or(path)
}

fn mounts(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for (at, mount) in items(node, "volumeMounts") {
        let place = |field: &str| format!("{path}.volumeMounts[{at}].{field}");
        if let Some(target) = mount.get("mountPath") {
            match target.as_str() {
                Some("") => drop(walk.tell(
                    Code::MissingField,
                    target,
                    format!("`{}` is empty", place("mountPath")),
                    "expected a path",
                )),
                Some(text) if after_drive(text).contains(':') => {
                    walk.tell(
                        Code::InvalidFormat,
                        target,
                        format!("`{}` must not have `:`", place("mountPath")),
                        "here",
                    );
                }
                _ => {}
            }
        }
        for field in ["subPath", "subPathExpr"] {
            let Some((sub, text)) = mount.get(field).and_then(|sub| Some((sub, sub.as_str()?))) else { continue };
            if text.starts_with('/') || text.split('/').any(|part| part == "..") {
                let message = format!("`{}` must be a path inside the volume: `{text}`", place(field));
                walk.tell(Code::InvalidFormat, sub, message, "expected a relative path without `..`");
            }
        }
        if let Some(propagation) =
            mount.get("mountPropagation").filter(|propagation| propagation.as_str() == Some("Bidirectional"))
            && node.at(["securityContext", "privileged"]).and_then(Node::as_bool) != Some(true)
        {
            let message = format!("`{}` cannot be `Bidirectional` in this container", place("mountPropagation"));
            walk.tell(Code::ConflictingFields, propagation, message, "the container is not privileged");
        }
        let list = path.key("volumeMounts");
        if mount.get("subPath").is_some_and(|sub| sub.as_str() != Some("")) && has(mount, "subPathExpr") {
            walk.at_most_one(mount, &list.index(at), &["subPath", "subPathExpr"]);
        }
    }
}

fn security(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some(context) = node.get("securityContext") else { return };
    let privileged = context.get("privileged").and_then(Node::as_bool) == Some(true);
    if let Some(escalation) = context.get("allowPrivilegeEscalation")
        && escalation.as_bool() == Some(false)
        && privileged
    {
        let message = format!("`{path}.securityContext` is privileged, so `allowPrivilegeEscalation` cannot be false");
        walk.tell(Code::ConflictingFields, escalation, message, "set it to true, or remove `privileged`");
    }
    let added = context.get("capabilities").into_iter().flat_map(|capabilities| items(capabilities, "add"));
    for (_, capability) in added {
        let Some(text) = capability.as_str() else { continue };
        let forbidden = context.get("allowPrivilegeEscalation").and_then(Node::as_bool) == Some(false);
        if text == "CAP_SYS_ADMIN" && forbidden {
            let message =
                format!("`{path}.securityContext` adds `{text}`, so `allowPrivilegeEscalation` cannot be false");
            walk.tell(Code::ConflictingFields, capability, message, "remove it, or allow the escalation");
        }
    }
}
