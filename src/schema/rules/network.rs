//! Network policies: peers, address ranges, ports.

use super::{Walk, has, int, items};
use crate::diagnostic::Code;
use crate::schema::names;
use crate::schema::path::Path;
use crate::yaml::Node;
use std::net::IpAddr;

pub(super) fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (at, rule) in items(node, direction) {
            let list = path.key(direction);
            let rule_path = list.index(at);
            for (index, peer) in items(rule, peers) {
                let peer_list = rule_path.key(peers);
                self::peer(walk, peer, &peer_list.index(index));
            }
            for (index, port) in items(rule, "ports") {
                let port_list = rule_path.key("ports");
                self::port(walk, port, &port_list.index(index));
            }
        }
    }
}

/// Addresses behind a service are of the kind that their slice says.
pub(super) fn slice(walk: &mut Walk<'_>, node: &Node, _path: &Path<'_>) {
    let kind = node.get("addressType").and_then(Node::as_str).unwrap_or_default();
    for (at, endpoint) in items(node, "endpoints") {
        for (index, address) in items(endpoint, "addresses") {
            let Some(text) = address.as_str() else { continue };
            let fits = match kind {
                "IPv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
                "IPv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
                "FQDN" => names::dns_subdomain(text.trim_end_matches('.')).is_none(),
                _ => continue,
            };
            if !fits {
                let message = format!("`endpoints[{at}].addresses[{index}]` is not of the type {kind}: `{text}`");
                let label = if kind == "FQDN" { "expected a host name" } else { "expected an address of this type" };
                walk.tell(Code::InvalidFormat, address, message, label);
            }
        }
    }
}

/// Who serves a class of ingresses.
pub(super) fn class(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some((controller, text)) = node.get("controller").and_then(|node| Some((node, node.as_str()?))) else { return };
    let fits =
        text.split_once('/').is_some_and(|(domain, rest)| names::dns_subdomain(domain).is_none() && !rest.is_empty());
    if !text.is_empty() && !fits {
        let message = format!("`{path}.controller` must be a path behind a domain: `{text}`");
        let finding =
            walk.tell(Code::InvalidName, controller, message, "expected a name such as `example.com/ingress`");
        finding.hints.push("the controller's manual says which name it goes by".to_owned());
    }
}

fn peer(walk: &mut Walk<'_>, peer: &Node, path: &Path<'_>) {
    if peer.as_map().is_none() {
        return;
    }
    let selectors = ["podSelector", "namespaceSelector"].into_iter().find(|key| has(peer, key));
    match (peer.get("ipBlock").filter(|block| !block.is_null()), selectors) {
        (None, None) => {
            walk.lacks(
                peer,
                path,
                "peer",
                "add `podSelector`, `namespaceSelector` or `ipBlock`; for all peers leave out the list",
            );
        }
        (Some(block), Some(selector)) => {
            let message = format!("`{path}` has both `ipBlock` and `{selector}`, only one is allowed");
            walk.tell(Code::ConflictingFields, block, message, "make two peers of it");
        }
        (Some(block), None) => ip_block(walk, block, &path.key("ipBlock")),
        (None, Some(_)) => {}
    }
}

fn ip_block(walk: &mut Walk<'_>, block: &Node, path: &Path<'_>) {
    let whole = block.get("cidr").and_then(|node| network(walk, node, || format!("{path}.cidr")));
    for (at, except) in items(block, "except") {
        let part = network(walk, except, || format!("{path}.except[{at}]"));
        if let (Some(whole), Some(part)) = (whole, part)
            && !(contains(whole, part) && part.1 > whole.1)
        {
            let message = format!("`{path}.except[{at}]` is not a part of `cidr`");
            walk.tell(Code::OutOfRange, except, message, "must lie within the range, and be smaller");
        }
    }
}

/// Reads an address range, or tells that it is none.
pub(super) fn network(walk: &mut Walk<'_>, node: &Node, place: impl Fn() -> String) -> Option<(IpAddr, u8)> {
    let text = node.as_str()?;
    let parsed = parse(text);
    if parsed.is_none() {
        let finding = walk.tell(
            Code::InvalidFormat,
            node,
            format!("`{}` is not an address range: `{text}`", place()),
            "expected a range such as `10.0.0.0/8`",
        );
        if text.parse::<IpAddr>().is_ok() {
            let bits = if text.contains(':') { 128 } else { 32 };
            finding.hints.push(format!("write `{text}/{bits}` for this one address"));
        }
    }
    parsed
}

fn parse(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let length: u8 = length.parse().ok()?;
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

fn contains(whole: (IpAddr, u8), part: (IpAddr, u8)) -> bool {
    let bits = |address: IpAddr, length: u8| match address {
        IpAddr::V4(address) => u128::from(u32::from(address)).checked_shr(32 - u32::from(length)).unwrap_or(0),
        IpAddr::V6(address) => u128::from(address).checked_shr(128 - u32::from(length)).unwrap_or(0),
    };
    whole.0.is_ipv4() == part.0.is_ipv4() && bits(whole.0, whole.1) == bits(part.0, whole.1)
}

fn port(walk: &mut Walk<'_>, port: &Node, path: &Path<'_>) {
    walk.port_or_name(port.get("port"), || format!("{path}.port"));
    let Some(end) = port.get("endPort").filter(|end| !end.is_null()) else { return };
    walk.port(Some(end), || format!("{path}.endPort"));
    match (port.get("port").and_then(int), int(end)) {
        (Some(first), Some(last)) if last < first => {
            walk.tell(
                Code::OutOfRange,
                end,
                format!("`{path}.endPort` is {last}, below `port`, which is {first}"),
                format!("at least {first}"),
            );
        }
        (None, Some(_)) => {
            walk.tell(
                Code::ConflictingFields,
                end,
                format!("`{path}.endPort` needs a number in `port`"),
                "the range starts at `port`",
            );
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lie_within_ranges() {
        let range = |text| parse(text).unwrap();
        assert!(contains(range("10.0.0.0/8"), range("10.1.0.0/16")));
        assert!(contains(range("0.0.0.0/0"), range("169.254.169.254/32")));
        assert!(contains(range("::/0"), range("fd00::/8")));
        assert!(!contains(range("10.0.0.0/8"), range("11.0.0.0/16")));
        assert!(!contains(range("0.0.0.0/0"), range("fd00::/8")));
        assert_eq!(parse("10.0.0.0/33"), None);
        assert_eq!(parse("10.0.0/8"), None);
    }
}
