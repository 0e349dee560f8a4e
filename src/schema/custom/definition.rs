//! Checks of custom resource definitions themselves: names, versions, columns, subresources. The schemas are checked
//! in `structure`.

use super::structure;
use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::schema::names::{self, Fault};
use crate::schema::path::Path;
use crate::schema::walk::Walk;
use crate::yaml::Node;

/// Checks the spec of a definition.
pub fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    names(walk, node, path);
    versions(walk, node, path);
    if let Some(conversion) = node.get("conversion") {
        self::conversion(walk, conversion, &path.key("conversion"));
    }
    if let Some(preserve) = node.get("preserveUnknownFields").filter(|preserve| preserve.as_bool() == Some(true)) {
        tell(walk, preserve.span, format!("`{path}.preserveUnknownFields` must be false"), "gone with the old API")
            .hints
            .push("write `x-kubernetes-preserve-unknown-fields: true` into the schema".to_owned());
    }
    // Some of it is in the schema of definitions, too, and has been told by it.
    let at = |finding: &Diagnostic| finding.labels.first().map(|label| label.span);
    let told =
        walk.findings.iter().filter(|finding| finding.code == Code::InvalidValue).filter_map(at).collect::<Vec<_>>();
    let is_again = |finding: &Diagnostic| {
        finding.code == Code::InvalidDefinition && at(finding).is_some_and(|at| told.contains(&at))
    };
    walk.findings.retain(|finding| !is_again(finding));
}

fn tell<'w>(walk: &'w mut Walk<'_>, span: Span, message: String, label: &str) -> &'w mut Diagnostic {
    walk.push(Diagnostic::new(Code::InvalidDefinition, message).label(span, label));
    walk.findings.last_mut().expect("just pushed")
}

fn text<'n>(node: &'n Node, keys: &[&str]) -> Option<(&'n Node, &'n str)> {
    let node = node.at(keys.iter().copied())?;
    Some((node, node.as_str()?))
}

fn list<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).and_then(Node::as_seq).unwrap_or_default()
}

/// Tells a name that is not in its grammar; kinds may have capitals.
fn name(walk: &mut Walk<'_>, node: Option<&Node>, place: impl Fn() -> String, may_have_capitals: bool) {
    let Some((node, text)) = node.and_then(|node| Some((node, node.as_str()?))) else { return };
    let fault: Option<Fault> = match may_have_capitals {
        true => names::dns_1035_label(&text.to_ascii_lowercase()),
        false => names::dns_1035_label(text),
    };
    if let Some(fault) = fault {
        let lower = text.to_ascii_lowercase();
        let hint = (names::dns_1035_label(&lower).is_none()).then(|| format!("write `{lower}`"));
        tell(walk, node.span, format!("`{}` is not valid: `{text}`", place()), &fault).hints.extend(hint);
    }
}

fn names(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let (plural, group) = (text(node, &["names", "plural"]), text(node, &["group"]));
    if let (Some((_, plural)), Some((_, group)), Some((name, found))) =
        (plural, group, text(walk.identity.node, &["metadata", "name"]))
        && !found.eq_ignore_ascii_case(&format!("{plural}.{group}"))
    {
        let message = format!("the definition must be called `{plural}.{group}`, found `{found}`");
        tell(walk, name.span, message, "`names.plural` and `group`, joined by a dot");
    }
    if let Some((node, group)) = group {
        let fault = names::dns_subdomain(group).or((!group.contains('.')).then(|| "it must have a dot".into()));
        if let Some(fault) = fault {
            tell(walk, node.span, format!("`{path}.group` is not a domain: `{group}`"), &fault)
                .hints
                .push("a group is a domain of yours, such as `example.com`".to_owned());
        }
        let own = group == "k8s.io" || group.ends_with(".k8s.io") || group.ends_with(".kubernetes.io");
        let approved = walk.identity.node.at(["metadata", "annotations", "api-approved.kubernetes.io"]);
        if own && approved.is_none() {
            let message = format!("`{path}.group` is `{group}`, which belongs to Kubernetes");
            tell(walk, node.span, message, "needs the annotation `api-approved.kubernetes.io`")
                .hints
                .push("take a domain of your own; Kubernetes' groups need its approval".to_owned());
        }
    }
    let Some(names) = node.get("names") else { return };
    for key in ["plural", "singular"] {
        name(walk, names.get(key), || format!("{path}.names.{key}"), false);
    }
    for key in ["kind", "listKind"] {
        name(walk, names.get(key), || format!("{path}.names.{key}"), true);
    }
    for key in ["shortNames", "categories"] {
        for (at, item) in list(names, key).iter().enumerate() {
            name(walk, Some(item), || format!("{path}.names.{key}[{at}]"), false);
        }
    }
    if let (Some((_, kind)), Some((list_kind, list_name))) = (text(names, &["kind"]), text(names, &["listKind"]))
        && kind == list_name
    {
        let message = format!("`{path}.names` has `{kind}` as both `kind` and `listKind`");
        tell(walk, list_kind.span, message, "they must differ").hints.push(format!("write `{kind}List`"));
    }
}

fn versions(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let versions = list(node, "versions");
    let key_span = node.as_map().and_then(|map| map.get("versions")).map_or(node.span, |entry| entry.key_span);
    if versions.is_empty() {
        if node.get("versions").is_some_and(|versions| versions.as_seq().is_some()) {
            tell(walk, key_span, format!("`{path}.versions` is empty"), "at least one version");
        }
        return;
    }
    let stored: Vec<Span> = versions
        .iter()
        .filter_map(|version| version.get("storage").filter(|node| node.as_bool() == Some(true)))
        .map(|node| node.span)
        .collect();
    match stored[..] {
        [_] => {}
        [] => {
            tell(walk, key_span, "exactly one version must have `storage: true`, found none".to_owned(), "in these")
                .hints
                .push("objects are stored in that version; it is usually the newest".to_owned());
        }
        [first, second, ..] => {
            let count = stored.len();
            let message = format!("exactly one version must have `storage: true`, found {count}");
            let finding = tell(walk, second, message, "stored here, too");
            finding.labels.push(crate::diagnostic::Label { span: first, text: "and here".to_owned() });
        }
    }
    if versions.iter().all(|version| version.get("served").and_then(Node::as_bool) == Some(false)) {
        let message = "no version has `served: true`, so nobody can use the kind".to_owned();
        tell(walk, key_span, message, "in these").severity = Severity::Warning;
    }
    for (at, version) in versions.iter().enumerate() {
        let list = path.key("versions");
        self::version(walk, version, &list.index(at), node);
        if let Some((name, text)) = text(version, &["name"])
            && let Some(first) =
                versions[..at].iter().find(|other| other.get("name").and_then(Node::as_str) == Some(text))
        {
            let message = format!("version `{text}` is there twice in `{path}.versions`");
            let finding = Diagnostic::new(Code::DuplicateItem, message).label(name.span, "again here");
            walk.push(finding.label(first.get("name").map_or(first.span, |name| name.span), "first here"));
        }
    }
}

fn version(walk: &mut Walk<'_>, version: &Node, path: &Path<'_>, spec: &Node) {
    self::name(walk, version.get("name"), || format!("{path}.name"), false);
    let name = version.get("name").and_then(Node::as_str).unwrap_or("?");
    let status = version.at(["subresources", "status"]).or_else(|| spec.at(["subresources", "status"]));
    match version.at(["schema", "openAPIV3Schema"]) {
        Some(schema) => structure::check(walk, name, schema, status.is_some()),
        None => {
            let span = version.get("name").map_or(version.span, |name| name.span);
            tell(walk, span, "a version must have a schema".to_owned(), "`schema.openAPIV3Schema` is missing")
                .hints
                .push(
                    "the loosest is `openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}`"
                        .into(),
                );
        }
    }
    if let Some(warning) = version.get("deprecationWarning")
        && version.get("deprecated").and_then(Node::as_bool) != Some(true)
    {
        tell(walk, warning.span, format!("`{path}.deprecationWarning` needs `deprecated: true`"), "never shown");
    }
    for (at, column) in list(version, "additionalPrinterColumns").iter().enumerate() {
        let list = path.key("additionalPrinterColumns");
        self::column(walk, column, &list.index(at));
    }
    if let Some(scale) = version.at(["subresources", "scale"]) {
        let subresources = path.key("subresources");
        let path = subresources.key("scale");
        for (key, roots) in [
            ("specReplicasPath", &[".spec."][..]),
            ("statusReplicasPath", &[".status."]),
            ("labelSelectorPath", &[".spec.", ".status."]),
        ] {
            let Some((node, text)) = text(scale, &[key]) else { continue };
            if !roots.iter().any(|root| text.starts_with(root)) && !text.is_empty() {
                let roots = crate::schema::words::alternatives(roots.iter().copied());
                tell(walk, node.span, format!("`{path}.{key}` must start with {roots}: `{text}`"), "a path to a field");
            }
        }
    }
}

fn column(walk: &mut Walk<'_>, column: &Node, path: &Path<'_>) {
    for (key, allowed) in [
        ("type", &["boolean", "date", "integer", "number", "string"][..]),
        ("format", &["byte", "date", "date-time", "double", "float", "int32", "int64", "password"]),
    ] {
        if let Some((node, text)) = text(column, &[key])
            && !allowed.contains(&text)
            && !(text.is_empty() && key == "format")
        {
            let expected = crate::schema::words::alternatives(allowed.iter().copied());
            tell(walk, node.span, format!("`{path}.{key}` cannot be `{text}`"), &format!("expected {expected}"));
        }
    }
    if let Some((node, text)) = text(column, &["jsonPath"])
        && !text.starts_with('.')
    {
        let finding = tell(walk, node.span, format!("`{path}.jsonPath` must start with a dot: `{text}`"), "here");
        let bare = text.trim_start_matches(['{', '$', '.']).trim_end_matches('}');
        finding.hints.push(format!("write `.{bare}`"));
    }
}

fn conversion(walk: &mut Walk<'_>, conversion: &Node, path: &Path<'_>) {
    let webhook = conversion.get("webhook").filter(|webhook| !webhook.is_null());
    match (text(conversion, &["strategy"]), webhook) {
        (Some((_, "Webhook")), Some(webhook)) => {
            let client = webhook.get("clientConfig");
            if client.is_none() {
                let span = webhook.as_map().and_then(|map| map.values().next()).map_or(webhook.span, |it| it.key_span);
                tell(walk, span, format!("`{path}.webhook` has no `clientConfig`"), "who converts is missing");
            }
            if let Some(client) = client.filter(|client| client.as_map().is_some()) {
                let count = ["url", "service"].iter().filter(|key| client.get(key).is_some()).count();
                if count != 1 {
                    let message = format!("`{path}.webhook.clientConfig` must have one of `url` and `service`");
                    tell(walk, client.span, message, "exactly one");
                }
            }
        }
        (Some((strategy, "Webhook")), None) => {
            tell(walk, strategy.span, format!("`{path}` has no `webhook`"), "`strategy: Webhook` needs one");
        }
        (Some((strategy, "None")), Some(_)) => {
            tell(walk, strategy.span, format!("`{path}` has a `webhook`, which `strategy: None` does not use"), "here");
        }
        (Some((strategy, other)), _) if !matches!(other, "None" | "Webhook") => {
            let message = format!("`{path}.strategy` cannot be `{other}`");
            tell(walk, strategy.span, message, "expected `None` or `Webhook`");
        }
        _ => {}
    }
}
