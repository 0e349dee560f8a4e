//! Webhooks and policies that are asked before objects are taken, and API services.

use super::{Walk, has, items};
use crate::diagnostic::Code;
use crate::schema::custom::syntax_fault;
use crate::schema::names;
use crate::schema::path::Path;
use crate::yaml::Node;

pub(super) fn webhook(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    if let Some((name, text)) = node.get("name").and_then(|name| Some((name, name.as_str()?))) {
        let fault = names::dns_subdomain(text)
            .or_else(|| (text.split('.').count() < 3).then(|| "it must have three parts at least".into()));
        if let Some(fault) = fault {
            walk.tell(Code::InvalidName, name, format!("`{path}.name` is not a full domain name: `{text}`"), fault)
                .hints
                .push("a webhook's name reads `name.group.domain`, such as `check.web.example.com`".to_owned());
        }
    }
    walk.within(node.get("timeoutSeconds"), 1, 30, || format!("{path}.timeoutSeconds"));
    if let Some(client) = node.get("clientConfig").filter(|client| client.as_map().is_some()) {
        let client_path = path.key("clientConfig");
        walk.exactly_one(client, &client_path, &["url", "service"], "`url` or `service`");
        if let Some((url, text)) = client.get("url").and_then(|url| Some((url, url.as_str()?)))
            && !text.starts_with("https://")
        {
            let message = format!("`{client_path}.url` must start with `https://`: `{text}`");
            walk.tell(Code::InvalidFormat, url, message, "webhooks are called through TLS");
        }
        if let Some((target, text)) = client.at(["service", "path"]).and_then(|path| Some((path, path.as_str()?)))
            && !text.is_empty()
            && (!text.starts_with('/') || text.contains("//"))
        {
            let message = format!("`{client_path}.service.path` is not the path of a URL: `{text}`");
            let finding = walk.tell(Code::InvalidFormat, target, message, "it starts with `/`, and has no empty part");
            finding.hints.push(format!("write `/{}`", text.trim_start_matches('/')));
        }
    }
    if let Some(versions) =
        node.get("admissionReviewVersions").filter(|versions| versions.as_seq().is_some_and(<[Node]>::is_empty))
    {
        let message = format!("`{path}.admissionReviewVersions` is empty");
        walk.tell(Code::MissingField, versions, message, "write `[v1]`");
    }
}

/// What a webhook or policy is asked about.
pub(super) fn operations(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for field in ["apiGroups", "apiVersions", "operations", "resources"] {
        let empty = node.get(field).is_none_or(|list| list.is_null() || list.as_seq().is_some_and(<[Node]>::is_empty));
        if empty {
            walk.lacks(node, path, &format!("`{field}`"), format!("`{field}: [\"*\"]` stands for all"));
        }
    }
    for field in ["apiGroups", "apiVersions", "operations"] {
        let list = node.get(field).and_then(Node::as_seq).unwrap_or_default();
        if list.len() > 1
            && let Some((_, all)) = items(node, field).find(|(_, item)| item.as_str() == Some("*"))
        {
            let message = format!("`{path}.{field}` has `*` and others");
            walk.tell(Code::ConflictingFields, all, message, "`*` stands for all: leave it alone");
        }
    }
}

/// CEL expressions of policies.
pub(super) fn expressions(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for field in ["expression", "messageExpression", "valueExpression"] {
        let Some((expression, text)) = node.get(field).and_then(|node| Some((node, node.as_str()?))) else { continue };
        if let Some(fault) = syntax_fault(text) {
            let message = format!("`{path}.{field}` does not compile: {fault}");
            walk.tell(Code::InvalidFormat, expression, message, "expected an expression in CEL");
        }
    }
}

pub(super) fn api_service(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    walk.within(node.get("groupPriorityMinimum"), 1, 20_000, || format!("{path}.groupPriorityMinimum"));
    walk.within(node.get("versionPriority"), 1, 1000, || format!("{path}.versionPriority"));
    let text = |key| node.get(key).and_then(Node::as_str);
    let name = walk.identity.node.at(["metadata", "name"]);
    if let (Some(version), Some(group), Some((name, found))) =
        (text("version"), text("group"), name.and_then(|name| Some((name, name.as_str()?))))
        && found != format!("{version}.{group}")
    {
        let message = format!("the API service must be called `{version}.{group}`, found `{found}`");
        walk.tell(Code::InvalidName, name, message, "`version` and `group`, joined by a dot");
    }
    if node.get("insecureSkipTLSVerify").and_then(Node::as_bool) == Some(true) && has(node, "caBundle") {
        let bundle = node.get("caBundle").unwrap_or(node);
        let message = format!("`{path}` has both `caBundle` and `insecureSkipTLSVerify`");
        walk.tell(Code::ConflictingFields, bundle, message, "remove one of them");
    }
}
