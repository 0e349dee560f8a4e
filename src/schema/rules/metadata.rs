//! Names, namespaces, labels and annotations.

use super::{Grammar, Walk, has};
use crate::diagnostic::Code;
use crate::schema::names;
use crate::schema::path::Path;
use crate::schema::pool::Definition;
use crate::schema::shape::Shape;
use crate::yaml::Node;

/// Bytes of all annotations of an object together.
const MAX_ANNOTATIONS: usize = 256 * 1024;

/// Kinds whose objects are named by what fits into a URL.
const PATH_NAMES: &[&str] =
    &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "CertificateSigningRequest", "Event", "Node"];

/// Groups whose objects are questions to the server, and need no name.
const NAMELESS: &[&str] = &["authentication.k8s.io", "authorization.k8s.io"];

/// Tells an object without metadata; with them, their own rule looks for the name.
pub(in crate::schema) fn required(walk: &mut Walk<'_>, definition: &Definition) {
    let object = walk.identity.node;
    let Shape::Object(fields) = &definition.shape else { return };
    let named = matches!(fields.get("metadata").map(|field| &field.shape), Some(Shape::Ref(to)) if to.name == "meta.v1.ObjectMeta");
    if named && !has(object, "metadata") && !NAMELESS.contains(&walk.identity.group()) {
        walk.lacks(object, &Path::ROOT, "`metadata`", "every object needs a name: `metadata: {name: …}`");
    }
}

pub(super) fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    if path.depth() == 1 {
        own_metadata(walk, node, path);
    } else if let Some(name) = node.get("name") {
        walk.name(Code::InvalidName, name, || format!("{path}.name"), names::dns_subdomain);
    }
    labels(walk, node.get("labels"), &path.key("labels"));
    annotations(walk, node, path);
}

/// Metadata of the object itself rather than of a template in it.
fn own_metadata(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let (grammar, most) = name_grammar(walk);
    match (node.get("name"), node.get("generateName")) {
        (Some(name), _) if !name.is_null() && name.as_str() != Some("") => {
            walk.name(Code::InvalidName, name, || format!("{path}.name"), grammar);
            if let (Some(most), Some(text)) = (most, name.as_str())
                && text.len() > most
            {
                let message = format!("`{path}.name` is too long: {} characters", text.len());
                let label =
                    format!("at most {most} in a {}, whose objects get names that start with it", walk.identity.kind);
                walk.tell(Code::InvalidName, name, message, label);
            }
        }
        (_, Some(prefix)) if prefix.as_str().is_some_and(|prefix| !prefix.is_empty()) => {
            // A generated name goes on with letters and digits.
            let text = prefix.as_str().unwrap_or_default();
            if let Some(fault) = grammar(text.trim_end_matches(['-', '.'])) {
                walk.tell(Code::InvalidName, prefix, format!("`{path}.generateName` is not valid: `{text}`"), fault);
            }
        }
        (Some(name), _) => {
            walk.tell(Code::MissingField, name, format!("`{path}.name` is empty"), "every object needs a name");
        }
        (None, _) if NAMELESS.contains(&walk.identity.group()) => {}
        (None, _) => walk.lacks(node, path, "`name`", "every object needs a `name`, or a `generateName`"),
    }
    for (at, finalizer) in super::items(node, "finalizers") {
        let Some(text) = finalizer.as_str() else { continue };
        // The server knows the finalizers of its own kinds.
        let known =
            ["foregroundDeletion", "kubernetes", "orphan"].contains(&text) || matches!(walk.root, Shape::Custom(_));
        let fault =
            names::qualified(text).or_else(|| (!known && !text.contains('/')).then(|| "it has no domain".into()));
        if let Some(fault) = fault {
            let message = format!("`{path}.finalizers[{at}]` is not a finalizer: `{text}`");
            walk.tell(Code::InvalidName, finalizer, message, fault)
                .hints
                .push("a finalizer reads `example.com/cleanup`".to_owned());
        }
    }
    if let Some(namespace) = node.get("namespace")
        && namespace.as_str() != Some("")
    {
        walk.name(Code::InvalidName, namespace, || format!("{path}.namespace"), names::dns_label);
    }
}

/// The grammar of an object's name, and the length where it is shorter than the grammar's.
fn name_grammar(walk: &Walk<'_>) -> (Grammar, Option<usize>) {
    let kind = walk.identity.kind;
    match (walk.identity.group(), kind) {
        ("", "Namespace") => (names::dns_label, None),
        ("", "Service") if walk.version().minor() < 34 => (names::dns_1035_label, None),
        ("", "Service") => (names::dns_label, None),
        // The names of a cron job's jobs have 11 characters more.
        ("batch", "CronJob") => (names::dns_subdomain, Some(52)),
        ("" | "rbac.authorization.k8s.io" | "certificates.k8s.io" | "events.k8s.io", kind)
            if PATH_NAMES.contains(&kind) =>
        {
            (names::path_segment, None)
        }
        _ => (names::dns_subdomain, None),
    }
}

/// Checks a map of labels.
pub(super) fn labels(walk: &mut Walk<'_>, labels: Option<&Node>, path: &Path<'_>) {
    for (key, entry) in labels.and_then(Node::as_map).into_iter().flatten() {
        if let Some(fault) = names::qualified(key) {
            let message = format!("`{key}` is not a label key, in `{path}`");
            walk.push(crate::diagnostic::Diagnostic::new(Code::InvalidLabel, message).label(entry.key_span, fault));
        }
        let Some(fault) = entry.value.as_str().and_then(names::label_value) else { continue };
        let text = entry.value.as_str().unwrap_or_default();
        let message = format!("`{text}` is not a label value, in `{}`", path.key(key));
        let hint = repaired_value(text);
        let finding = walk.tell(Code::InvalidLabel, &entry.value, message, fault);
        finding.hints.extend(hint);
    }
}

fn repaired_value(text: &str) -> Option<String> {
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    let replaced: String = text.chars().map(|char| if allowed(char) { char } else { '_' }).take(63).collect();
    let meant = replaced.trim_matches(|char: char| !char.is_ascii_alphanumeric());
    (!meant.is_empty()).then(|| format!("write `{meant}`, or move the text to an annotation"))
}

fn annotations(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    if !has(node, "annotations") {
        return;
    }
    let mut size = 0;
    for (key, entry) in node.get("annotations").and_then(Node::as_map).into_iter().flatten() {
        size += key.len() + entry.value.as_str().map_or(0, str::len);
        // The domain of an annotation may have capitals.
        if let Some(fault) = names::qualified(&key.to_ascii_lowercase()) {
            let message = format!("`{key}` is not an annotation key, in `{path}.annotations`");
            walk.push(
                crate::diagnostic::Diagnostic::new(Code::InvalidAnnotation, message).label(entry.key_span, fault),
            );
        }
    }
    if size > MAX_ANNOTATIONS
        && let Some(annotations) = node.get("annotations")
    {
        let message = format!("`{path}.annotations` are too large: {size} bytes");
        let label = format!("at most {MAX_ANNOTATIONS} bytes together");
        let span =
            annotations.as_map().and_then(|map| map.values().next()).map_or(annotations.span, |entry| entry.key_span);
        walk.push(crate::diagnostic::Diagnostic::new(Code::TooLarge, message).label(span, label));
    }
}
