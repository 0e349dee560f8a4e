//! Ingresses: hosts, paths, backends.

use super::{Walk, has, items};
use crate::diagnostic::{Code, Diagnostic, Label};
use crate::schema::names;
use crate::schema::path::Path;
use crate::yaml::Node;
use std::collections::HashMap;

pub(super) fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let empty = |key| node.get(key).and_then(Node::as_seq).is_none_or(<[Node]>::is_empty);
    if empty("rules")
        && !has(node, "defaultBackend")
        && node.get("rules").is_none_or(|rules| rules.is_null() || rules.as_seq().is_some())
    {
        walk.lacks(node, path, "`rules`", "add `rules`, or a `defaultBackend`");
    }
    let annotation = walk.identity.node.at(["metadata", "annotations", "kubernetes.io/ingress.class"]);
    if let (Some(class), Some(named)) = (node.get("ingressClassName"), annotation)
        && class.as_str().is_some_and(|class| named.as_str().is_some_and(|named| named != class))
    {
        let message = format!("`{path}.ingressClassName` differs from the annotation `kubernetes.io/ingress.class`");
        let finding = walk.tell(Code::ConflictingFields, class, message, "this class");
        finding.labels.push(Label { span: named.span, text: "or this one".to_owned() });
        finding.hints.push("remove the annotation, which is older".to_owned());
    }
    for (at, tls) in items(node, "tls") {
        for (index, host) in items(tls, "hosts") {
            self::host(walk, host, &path.key("tls").index(at).key("hosts").index(index));
        }
    }
    if let Some(backend) = node.get("defaultBackend").filter(|backend| backend.as_map().is_some()) {
        self::backend(walk, backend, &path.key("defaultBackend"));
    }
    let mut seen: HashMap<(&str, &str), &Node> = HashMap::new();
    for (at, rule) in items(node, "rules") {
        let rules = path.key("rules");
        let rule_path = rules.index(at);
        if let Some(host) = rule.get("host") {
            self::host(walk, host, &rule_path.key("host"));
        }
        let http = rule_path.key("http");
        let paths = http.key("paths");
        if let Some(list) = rule.at(["http", "paths"]).filter(|list| list.as_seq().is_some_and(<[Node]>::is_empty)) {
            walk.tell(Code::MissingField, list, format!("`{paths}` is empty"), "add a path");
        }
        for (index, item) in rule.get("http").map(|http| items(http, "paths")).into_iter().flatten() {
            let item_path = paths.index(index);
            let kind = item.get("pathType").and_then(Node::as_str).unwrap_or_default();
            if let Some((target, text)) = item.get("path").and_then(|path| Some((path, path.as_str()?)))
                && matches!(kind, "Exact" | "Prefix" | "ImplementationSpecific")
                && !(text.starts_with('/') || (text.is_empty() && kind == "ImplementationSpecific"))
            {
                let message = format!("`{item_path}.path` must start with `/`: `{text}`");
                walk.tell(Code::InvalidFormat, target, message, "expected an absolute path")
                    .hints
                    .push(format!("write `/{text}`"));
            }
            if let Some((target, text)) = item.get("path").and_then(|path| Some((path, path.as_str()?))) {
                let host = rule.get("host").and_then(Node::as_str).unwrap_or_default();
                if let Some(first) =
                    seen.get(&(host, text)).filter(|first| first.get("pathType").and_then(Node::as_str) == Some(kind))
                    && let Some(first) = first.get("path")
                {
                    let message = format!("path `{text}` is there twice for host `{}`; only one counts", or_any(host));
                    let finding = Diagnostic::new(Code::ShadowedItem, message)
                        .label(target.span, format!("again here, in `{item_path}`"))
                        .label(first.span, "first here");
                    walk.push(finding.hint("make one path of them, or change one"));
                }
                seen.entry((host, text)).or_insert(item);
                let odd = ["//", "/./", "/../"].iter().find(|part| text.contains(**part));
                let odd = odd.or_else(|| ["/..", "/."].iter().find(|end| text.ends_with(**end)));
                if let Some(odd) = odd.filter(|_| matches!(kind, "Exact" | "Prefix")) {
                    let message = format!("`{item_path}.path` cannot have `{odd}` with `pathType: {kind}`: `{text}`");
                    walk.tell(Code::InvalidFormat, target, message, "expected a plain path such as `/api`");
                }
            }
            if item.get("path").is_none() && matches!(kind, "Exact" | "Prefix") {
                walk.lacks(item, &item_path, "`path`", format!("`pathType: {kind}` needs one, such as `path: /`"));
            }
            if let Some(backend) = item.get("backend").filter(|backend| backend.as_map().is_some()) {
                self::backend(walk, backend, &item_path.key("backend"));
            }
        }
    }
}

fn or_any(host: &str) -> &str {
    if host.is_empty() { "*" } else { host }
}

fn host(walk: &mut Walk<'_>, host: &Node, path: &Path<'_>) {
    let Some(text) = host.as_str().filter(|text| !text.is_empty()) else { return };
    let looks_like_ip = text.split('.').count() == 4 && text.split('.').all(|part| part.parse::<u8>().is_ok());
    let fault = if looks_like_ip {
        Some("an address is not allowed, only a name".into())
    } else {
        names::dns_subdomain(text.strip_prefix("*.").unwrap_or(text))
    };
    if let Some(fault) = fault {
        let finding = walk.tell(Code::InvalidName, host, format!("`{path}` is not a host name: `{text}`"), fault);
        if text.contains("://") || text.contains('/') {
            let bare = text.rsplit("://").next().unwrap_or(text).split('/').next().unwrap_or(text);
            finding.hints.push(format!("write `{bare}`"));
        }
    }
}

fn backend(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    // Fields of the API before networking.k8s.io/v1 are told as unknown.
    if has(node, "serviceName") || has(node, "servicePort") {
        return;
    }
    walk.exactly_one(node, path, &["service", "resource"], "`service`");
    let Some(service) = node.get("service").filter(|service| service.as_map().is_some()) else { return };
    let service_path = path.key("service");
    match service.get("port").filter(|port| port.as_map().is_some()) {
        Some(port) => {
            let name = port.get("name").filter(|name| name.as_str() != Some(""));
            let number = port.get("number").filter(|number| super::int(number) != Some(0));
            if name.is_some() && number.is_some() {
                walk.at_most_one(port, &service_path.key("port"), &["name", "number"]);
            } else if name.is_none() && number.is_none() {
                walk.lacks(
                    port,
                    &service_path.key("port"),
                    "`name` or `number`",
                    "add `number: 80`, or the `name` of the service's port",
                );
            }
            walk.port(number, || format!("{service_path}.port.number"));
        }
        None => walk.lacks(service, &service_path, "`port`", "add `port: {number: 80}`"),
    }
}
