//! Volumes: file modes, paths, and what fields of pods they show.

use super::{Walk, filled, has, int, items, storage};
use crate::diagnostic::{Code, Diagnostic, Severity, nearest};
use crate::schema::names;
use crate::schema::path::{Path, Step};
use crate::schema::words;
use crate::yaml::Node;
use std::collections::HashMap;

/// Fields of a pod that a variable can show.
const VARIABLE_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields of a pod that a file can show.
const FILE_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// A config map, secret, or downward API as files.
pub(super) fn files(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    mode(walk, node.get("defaultMode"), || format!("{path}.defaultMode"));
}

/// The config map or secret that a volume or a variable is of. Its name may be left out of the schema, not of the
/// object.
pub(super) fn source(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let (field, what) = match path.last_key() {
        Some("secret") if !path.steps().iter().any(|step| matches!(step, Step::Key("projected"))) => {
            ("secretName", "secret")
        }
        Some("secret" | "secretRef" | "secretKeyRef") => ("name", "secret"),
        _ => ("name", "config map"),
    };
    if !has_unknown(node, field) && !filled(node, field) {
        walk.lacks(node, path, &format!("`{field}`"), format!("say which {what} is meant"));
    } else if let Some((name, text)) = node.get(field).and_then(|name| Some((name, name.as_str()?)))
        && let Some(fault) = names::dns_subdomain(text)
    {
        // The server takes it, but no object can have such a name.
        let message = format!("`{path}.{field}` is no name of a {what}: `{text}`");
        walk.tell(Code::InvalidName, name, message, fault).severity = Severity::Warning;
    }
}

/// Whether a mapping has the sibling of a field that is easily taken for it.
fn has_unknown(node: &Node, field: &str) -> bool {
    let other = if field == "name" { "secretName" } else { "name" };
    node.get(other).is_some() && node.get(field).is_none()
}

/// Files of several sources in one volume.
pub(super) fn projected(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let mut seen: HashMap<&str, &Node> = HashMap::new();
    for (_, source) in items(node, "sources") {
        let lists = ["configMap", "secret", "downwardAPI"].iter().filter_map(|kind| source.get(kind));
        let token = source.at(["serviceAccountToken", "path"]).into_iter();
        let files = lists.flat_map(|list| items(list, "items").filter_map(|(_, item)| item.get("path")));
        for (file, text) in files.chain(token).filter_map(|file| Some((file, file.as_str()?))) {
            if let Some(first) = seen.get(text) {
                let message = format!("file `{text}` is there twice in `{path}.sources`");
                let finding = Diagnostic::new(Code::DuplicateItem, message).label(file.span, "again here");
                walk.push(finding.label(first.span, "first here"));
            }
            seen.entry(text).or_insert(file);
        }
    }
}

/// A key, or a field, as a file.
pub(super) fn file(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    mode(walk, node.get("mode"), || format!("{path}.mode"));
    inner_path(walk, node, path);
}

/// A file of the downward API.
pub(super) fn downward_file(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    file(walk, node, path);
    walk.exactly_one(node, path, &["fieldRef", "resourceFieldRef"], "source");
    if let Some(resource) = node.get("resourceFieldRef").filter(|resource| resource.as_map().is_some())
        && !has(resource, "containerName")
    {
        let place = path.key("resourceFieldRef");
        walk.lacks(resource, &place, "`containerName`", "a volume belongs to all containers: say which one is meant");
    }
}

/// Modes are octal in every manual, but YAML reads `755` as seven hundred and fifty-five.
fn mode(walk: &mut Walk<'_>, node: Option<&Node>, place: impl Fn() -> String) {
    let Some((node, number)) = node.and_then(|node| Some((node, int(node)?))) else { return };
    if (0..=0o777).contains(&number) {
        return;
    }
    let written = walk.written(node).to_owned();
    let finding = walk.tell(
        Code::OutOfRange,
        node,
        format!("`{}` is out of range: {number}", place()),
        "a file's mode is between 0 and 511, which is 0777 in octal",
    );
    if written.len() <= 4 && written.bytes().all(|byte| matches!(byte, b'0'..=b'7')) {
        finding.hints.push(format!("write `0{}`, which is octal", written.trim_start_matches('0')));
    }
}

fn inner_path(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some((target, text)) = node.get("path").and_then(|path| Some((path, path.as_str()?))) else { return };
    let fault = if text.is_empty() {
        "it is empty"
    } else if text.starts_with('/') {
        "it must not start with `/`"
    } else if text.split('/').any(|part| part == "..") || text.starts_with("..") {
        "it must not have `..`"
    } else {
        return;
    };
    walk.tell(Code::InvalidFormat, target, format!("`{path}.path` is not a path in the volume: `{text}`"), fault);
}

/// Where an empty folder is: the server takes any word, and no node mounts an unknown one.
pub(super) fn empty_dir(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some((medium, text)) = node.get("medium").and_then(|medium| Some((medium, medium.as_str()?))) else { return };
    if !matches!(text, "" | "Memory" | "HugePages") && !text.starts_with("HugePages-") {
        let message = format!("`{path}.medium` cannot be `{text}`");
        let finding = walk.tell(Code::InvalidValue, medium, message, "expected `Memory`, `HugePages`, or nothing");
        finding.severity = Severity::Warning;
        finding.hints.extend(nearest(text, ["Memory", "HugePages"]).map(|meant| format!("did you mean `{meant}`?")));
    }
}

pub(super) fn host_path(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some((target, text)) = node.get("path").and_then(|path| Some((path, path.as_str()?))) else { return };
    if text.is_empty() {
        walk.tell(Code::MissingField, target, format!("`{path}.path` is empty"), "a path on the node");
    } else if text.split('/').any(|part| part == "..") {
        walk.tell(Code::InvalidFormat, target, format!("`{path}.path` must not have `..`: `{text}`"), "here");
    }
}

pub(super) fn token(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    inner_path(walk, node, path);
    walk.within(node.get("expirationSeconds"), 600, 1 << 32, || format!("{path}.expirationSeconds"));
}

/// A field of the pod, in a variable or a file.
pub(super) fn field_ref(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some((target, text)) = node.get("fieldPath").and_then(|path| Some((path, path.as_str()?))) else { return };
    let in_variable = path.steps().iter().any(|step| matches!(step, Step::Key("valueFrom")));
    let known = if in_variable { VARIABLE_FIELDS } else { FILE_FIELDS };
    let subscript = |map: &str| text.strip_prefix(map).and_then(|rest| rest.strip_prefix("['")?.strip_suffix("']"));
    if known.contains(&text) || ["metadata.labels", "metadata.annotations"].iter().any(|map| subscript(map).is_some()) {
        return;
    }
    let what = if in_variable { "a variable" } else { "a file" };
    let message = format!("`{path}.fieldPath` is not a field that {what} can show: `{text}`");
    let expected = words::alternatives(known.iter().copied());
    let finding = walk.tell(Code::InvalidValue, target, message, format!("expected {expected}"));
    finding.hints.push(match nearest(text, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if text.starts_with("metadata.labels") || text.starts_with("metadata.annotations") => {
            "one label reads `metadata.labels['app']`".to_owned()
        }
        None => "or one label or annotation: `metadata.labels['app']`".to_owned(),
    });
}

pub(super) fn resource_ref(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let Some((target, text)) = node.get("resource").and_then(|path| Some((path, path.as_str()?))) else { return };
    if RESOURCES.contains(&text) || text.contains(".hugepages-") {
        return;
    }
    let expected = words::alternatives(RESOURCES.iter().copied());
    let message = format!("`{path}.resource` is not a resource that can be shown: `{text}`");
    let finding = walk.tell(Code::InvalidValue, target, message, format!("expected {expected}"));
    finding.hints.extend(nearest(text, RESOURCES.iter().copied()).map(|meant| format!("did you mean `{meant}`?")));
}

/// A volume of the cluster.
pub(super) fn persistent(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    match node.at(["capacity", "storage"]).filter(|size| !size.is_null()) {
        Some(size) => storage::positive(walk, size, || format!("{path}.capacity.storage")),
        None => walk.lacks(node, path, "`capacity.storage`", "say how much: `capacity: {storage: 10Gi}`"),
    }
    storage::access(walk, node, path);
    storage::class(walk, node, path);
    const SOURCES: &[&str] = &[
        "awsElasticBlockStore",
        "azureDisk",
        "azureFile",
        "cephfs",
        "cinder",
        "csi",
        "fc",
        "flexVolume",
        "flocker",
        "gcePersistentDisk",
        "glusterfs",
        "hostPath",
        "iscsi",
        "local",
        "nfs",
        "photonPersistentDisk",
        "portworxVolume",
        "quobyte",
        "rbd",
        "scaleIO",
        "storageos",
        "vsphereVolume",
    ];
    if walk.at_most_one(node, path, SOURCES) == 0 {
        walk.lacks(node, path, "source", "say where the volume is: `csi`, `nfs`, `hostPath`, `local` or another");
    }
    if let Some(entry) = node.as_map().and_then(|map| map.get("local")).filter(|entry| !entry.value.is_null())
        && !has(node, "nodeAffinity")
    {
        let finding = Diagnostic::new(Code::MissingField, format!("`{path}` has no `nodeAffinity`"));
        let finding = finding.label(entry.key_span, "a `local` volume is on one node");
        walk.push(finding.hint("say on which: add `nodeAffinity`"));
    }
}

/// Names of volume claims in a stateful set become names of volumes.
pub(super) fn claim_templates(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let mut seen: HashMap<&str, &Node> = HashMap::new();
    for (at, claim) in items(node, "volumeClaimTemplates") {
        let list = path.key("volumeClaimTemplates");
        if claim.as_map().is_some() && !claim.get("metadata").is_some_and(|metadata| filled(metadata, "name")) {
            walk.lacks(claim, &list.index(at), "`metadata.name`", "containers mount the claim by its name");
        }
        if let Some((name, text)) = claim.at(["metadata", "name"]).and_then(|name| Some((name, name.as_str()?))) {
            if let Some(first) = seen.get(text) {
                let message = format!("claim `{text}` is there twice in `{list}`");
                let finding = Diagnostic::new(Code::DuplicateItem, message).label(name.span, "again here");
                walk.push(finding.label(first.span, "first here"));
            }
            seen.entry(text).or_insert(name);
        }
        if let Some(name) = claim.at(["metadata", "name"]) {
            let place = || format!("{path}.volumeClaimTemplates[{at}].metadata.name");
            walk.name(Code::InvalidName, name, place, names::dns_label);
        }
    }
}
