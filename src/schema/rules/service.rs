//! Services: ports, and what each type allows.

use super::{Walk, filled, items, metadata};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::schema::names;
use crate::schema::path::Path;
use crate::yaml::Node;
use std::collections::HashMap;
use std::net::IpAddr;

pub(super) fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let kind = match node.get("type").and_then(Node::as_str) {
        None | Some("") => "ClusterIP",
        Some(kind) => kind,
    };
    let headless = node.get("clusterIP").and_then(Node::as_str) == Some("None");
    let count = node.get("ports").and_then(Node::as_seq).map_or(0, <[Node]>::len);
    match kind {
        "ExternalName" if !filled(node, "externalName") => {
            let message = format!("`{path}` has no `externalName`");
            walk.tell(Code::MissingField, node.get("type").unwrap_or(node), message, "this type is an alias")
                .hints
                .push("add `externalName: some.host.name`".to_owned());
        }
        "ExternalName" => {
            if let Some(ip) = node.get("clusterIP").filter(|ip| ip.as_str().is_some_and(|text| !text.is_empty())) {
                let message = format!("`{path}.clusterIP` cannot be set in a service of type ExternalName");
                walk.tell(Code::ConflictingFields, ip, message, "an alias has no address: remove it");
            }
        }
        // What is no list has been told.
        _ if count == 0 && !headless && node.get("ports").is_none_or(|it| it.is_null() || it.as_seq().is_some()) => {
            walk.lacks(node, path, "`ports`", "add `ports: [{port: 80}]`, or `clusterIP: None` for a headless service");
        }
        _ => {}
    }
    if headless
        && matches!(kind, "NodePort" | "LoadBalancer")
        && let Some(ip) = node.get("clusterIP")
    {
        let message = format!("`{path}.clusterIP` cannot be `None` in a service of type {kind}");
        walk.tell(Code::ConflictingFields, ip, message, "remove it, or use `type: ClusterIP`");
    }
    let external = matches!(kind, "NodePort" | "LoadBalancer");
    if let Some(policy) =
        node.get("externalTrafficPolicy").filter(|policy| policy.as_str().is_some_and(|text| !text.is_empty()))
        && !external
        && !filled(node, "externalIPs")
    {
        let message = format!("`{path}.externalTrafficPolicy` needs a service of type NodePort or LoadBalancer");
        walk.tell(Code::ConflictingFields, policy, message, format!("this one is of type {kind}"));
    }
    metadata::labels(walk, node.get("selector"), &path.key("selector"));
    addresses(walk, node, path, kind);
    ports(walk, node, path, kind, count);
}

/// Addresses, and what belongs to one type of service.
fn addresses(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>, kind: &str) {
    if let Some((name, text)) = node.get("externalName").and_then(|name| Some((name, name.as_str()?)))
        && kind == "ExternalName"
        && !text.is_empty()
        && let Some(fault) = names::dns_subdomain(text.strip_suffix('.').unwrap_or(text))
    {
        let message = format!("`{path}.externalName` is not a host name: `{text}`");
        walk.tell(Code::InvalidName, name, message, fault);
    }
    let own = |ip: &&Node| ip.as_str().is_some_and(|text| !text.is_empty() && text != "None");
    walk.address(node.get("clusterIP").filter(own), || format!("{path}.clusterIP"));
    for (at, ip) in items(node, "externalIPs") {
        walk.address(Some(ip), || format!("{path}.externalIPs[{at}]"));
        if let Some((text, address)) = ip.as_str().and_then(|text| Some((text, text.parse::<IpAddr>().ok()?)))
            && let Some(fault) = special(address)
        {
            let message = format!("`{path}.externalIPs[{at}]` cannot be `{text}`");
            walk.tell(Code::InvalidFormat, ip, message, fault);
        }
    }
    families(walk, node, path);
    for (at, range) in items(node, "loadBalancerSourceRanges") {
        super::network::network(walk, range, || format!("{path}.loadBalancerSourceRanges[{at}]"));
    }
    for field in ["loadBalancerClass", "allocateLoadBalancerNodePorts", "loadBalancerSourceRanges"] {
        if kind != "LoadBalancer"
            && filled(node, field)
            && let Some(value) = node.get(field)
        {
            let message = format!("`{path}.{field}` needs a service of type LoadBalancer");
            walk.tell(Code::ConflictingFields, value, message, format!("this one is of type {kind}"));
        }
    }
    let local = node.get("externalTrafficPolicy").and_then(Node::as_str) == Some("Local");
    if let Some(port) = node.get("healthCheckNodePort").filter(|port| super::int(port).is_some_and(|port| port != 0))
        && !(kind == "LoadBalancer" && local)
    {
        let message =
            format!("`{path}.healthCheckNodePort` needs `type: LoadBalancer` and `externalTrafficPolicy: Local`");
        walk.tell(Code::ConflictingFields, port, message, "remove it, or set both");
    }
    if let Some(config) = node.get("sessionAffinityConfig").filter(|config| !config.is_null())
        && node.get("sessionAffinity").and_then(Node::as_str) != Some("ClientIP")
    {
        let message = format!("`{path}.sessionAffinityConfig` needs `sessionAffinity: ClientIP`");
        walk.tell(Code::ConflictingFields, config, message, "the service has no affinity");
    }
    let timeout = node.at(["sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
    walk.within(timeout, 1, 86_400, || format!("{path}.sessionAffinityConfig.clientIP.timeoutSeconds"));
}

/// Why an address is not one to reach a service at from outside.
fn special(address: IpAddr) -> Option<&'static str> {
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.octets()[..3] == [224, 0, 0],
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.segments()[0] & 0xff0f == 0xff02,
    };
    match address {
        _ if address.is_unspecified() => Some("this stands for no address"),
        _ if address.is_loopback() => Some("this is the machine itself"),
        _ if link_local => Some("this does not leave its own link"),
        _ => None,
    }
}

fn families(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let families = node.get("ipFamilies").and_then(Node::as_seq).unwrap_or_default();
    let [first, second] = families else { return };
    if first.as_str() == second.as_str() {
        let message = format!("`{path}.ipFamilies` has the same family twice");
        walk.tell(Code::DuplicateItem, second, message, "expected `IPv4` and `IPv6`");
    } else if node.get("ipFamilyPolicy").and_then(Node::as_str) == Some("SingleStack") {
        let message = format!("`{path}.ipFamilies` has two families, which `ipFamilyPolicy: SingleStack` rules out");
        let hint = "remove one, or write `ipFamilyPolicy: PreferDualStack`";
        walk.tell(Code::ConflictingFields, second, message, "one family is allowed").hints.push(hint.to_owned());
    }
}

fn ports(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>, kind: &str, count: usize) {
    let mut node_ports: HashMap<(i64, &str), &Node> = HashMap::new();
    let mut told = false;
    let mut seen: HashMap<&str, &Node> = HashMap::new();
    for (at, port) in items(node, "ports") {
        let place = |field: &str| format!("{path}.ports[{at}].{field}");
        walk.port(port.get("port"), || place("port"));
        walk.port_or_name(port.get("targetPort").filter(|port| super::int(port) != Some(0)), || place("targetPort"));
        if let Some(node_port) = port.get("nodePort").filter(|node| super::int(node).is_some_and(|number| number != 0))
        {
            walk.port(Some(node_port), || place("nodePort"));
            let protocol = port.get("protocol").and_then(Node::as_str).unwrap_or("TCP");
            let key = (super::int(node_port).unwrap_or_default(), protocol);
            if let Some(first) = node_ports.get(&key) {
                let message = format!("`nodePort` {} is there twice in `{path}.ports`", key.0);
                let finding = Diagnostic::new(Code::DuplicateItem, message).label(node_port.span, "again here");
                walk.push(finding.label(first.span, "first here"));
            }
            node_ports.entry(key).or_insert(node_port);
            if let Some(number) = super::int(node_port)
                && (1..=65535).contains(&number)
                && !(30_000..=32_767).contains(&number)
            {
                // A cluster can be set up with another range.
                let message = format!("`{}` is {number}, which most clusters refuse", place("nodePort"));
                walk.tell(Code::OutOfRange, node_port, message, "between 30000 and 32767").severity = Severity::Warning;
            }
            if kind == "ClusterIP" {
                let message = format!("`{}` needs a service of type NodePort or LoadBalancer", place("nodePort"));
                walk.tell(Code::ConflictingFields, node_port, message, "this one is of type ClusterIP");
            }
        }
        let name = port.get("name").filter(|name| name.as_str().is_some_and(|name| !name.is_empty()));
        let Some(name) = name else {
            if count > 1 && port.as_map().is_some() && !std::mem::replace(&mut told, true) {
                let list = path.key("ports");
                walk.lacks(port, &list.index(at), "`name`", "a service of several ports needs a name for each");
            }
            continue;
        };
        walk.name(Code::InvalidPort, name, || place("name"), names::dns_label);
        let text = name.as_str().unwrap_or_default();
        match seen.get(text) {
            Some(first) => {
                let finding = Diagnostic::new(
                    Code::DuplicateItem,
                    format!("port name `{text}` is there twice in `{path}.ports`"),
                )
                .label(name.span, "again here")
                .label(first.span, "first here");
                walk.push(finding);
            }
            None => drop(seen.insert(text, name)),
        }
    }
}
