//! Config maps and secrets: keys, sizes, and what types of secrets ask for.

use super::{Walk, has};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::names;
use crate::schema::path::Path;
use crate::yaml::Node;
use base64::Engine;

/// Bytes of all values of a config map or secret together.
const MAX_DATA: usize = 1024 * 1024;

pub(super) fn config_map(walk: &mut Walk<'_>, node: &Node, _path: &Path<'_>) {
    let size = data(walk, node, "data", false) + data(walk, node, "binaryData", true);
    if let (Some(text), Some(binary)) =
        (node.get("data").and_then(Node::as_map), node.get("binaryData").and_then(Node::as_map))
    {
        for (key, entry) in binary.iter() {
            if let Some(other) = text.get(key) {
                let finding =
                    Diagnostic::new(Code::DuplicateItem, format!("key `{key}` is in both `data` and `binaryData`"))
                        .label(entry.key_span, "again here")
                        .label(other.key_span, "first here");
                walk.push(finding);
            }
        }
    }
    too_large(walk, node, size);
}

pub(super) fn secret(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    // Plain text counts as the server stores it.
    let size = data(walk, node, "data", true) + data(walk, node, "stringData", false);
    too_large(walk, node, size);
    docker_config(walk, node);
    let wanted: &[&str] = match node.get("type").and_then(Node::as_str) {
        Some("kubernetes.io/tls") => &["tls.crt", "tls.key"],
        Some("kubernetes.io/dockerconfigjson") => &[".dockerconfigjson"],
        Some("kubernetes.io/dockercfg") => &[".dockercfg"],
        Some("kubernetes.io/ssh-auth") => &["ssh-privatekey"],
        Some("kubernetes.io/basic-auth") => {
            let any = ["username", "password"]
                .iter()
                .any(|key| node.at(["data", key]).is_some() || node.at(["stringData", key]).is_some());
            if !any {
                walk.lacks(
                    node,
                    path,
                    "`username` or `password` in its data",
                    "a secret of type kubernetes.io/basic-auth has one of them at least",
                );
            }
            return;
        }
        _ => return,
    };
    for key in wanted {
        if node.at(["data", key]).is_none() && node.at(["stringData", key]).is_none() {
            let kind = node.get("type").and_then(Node::as_str).unwrap_or_default();
            let hint = format!("a secret of type {kind} has it");
            let data = ["data", "stringData"].iter().find_map(|field| Some((field, node.as_map()?.get(field)?)));
            match data {
                Some((field, entry)) => {
                    let message = format!("`{field}` has no `{key}`");
                    walk.push(Diagnostic::new(Code::MissingField, message).label(entry.key_span, "here").hint(hint));
                }
                None => walk.lacks(node, path, &format!("`{key}` in its data"), hint),
            }
        }
    }
}

/// The credentials of registries are JSON.
fn docker_config(walk: &mut Walk<'_>, node: &Node) {
    let key = match node.get("type").and_then(Node::as_str) {
        Some("kubernetes.io/dockerconfigjson") => ".dockerconfigjson",
        Some("kubernetes.io/dockercfg") => ".dockercfg",
        _ => return,
    };
    for (field, encoded) in [("data", true), ("stringData", false)] {
        let Some((value, text)) = node.at([field, key]).and_then(|value| Some((value, value.as_str()?))) else {
            continue;
        };
        let bytes = match encoded {
            true => {
                let bare: String = text.chars().filter(|char| !char.is_ascii_whitespace()).collect();
                // What is not base64 has been told.
                let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(bare) else { continue };
                bytes
            }
            false => text.as_bytes().to_vec(),
        };
        if serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err() {
            let what = if encoded { "the decoded text is not JSON" } else { "the text is not JSON" };
            let message = format!("`{field}[\"{key}\"]` is not the configuration of a registry");
            walk.tell(Code::InvalidFormat, value, message, what)
                .hints
                .push("it reads `{\"auths\": {\"registry.example.com\": {\"auth\": \"…\"}}}`".to_owned());
        }
    }
}

/// Checks the keys under a field and gives the bytes of its values.
fn data(walk: &mut Walk<'_>, node: &Node, field: &str, encoded: bool) -> usize {
    if !has(node, field) {
        return 0;
    }
    let mut size = 0;
    for (key, entry) in node.get(field).and_then(Node::as_map).into_iter().flatten() {
        let length = entry.value.as_str().map_or(0, str::len);
        size += if encoded { length / 4 * 3 } else { length };
        if let Some(fault) = names::config_key(key) {
            let message = format!("`{key}` is not a key, in `{field}`");
            let finding = Diagnostic::new(Code::InvalidName, message).label(entry.key_span, fault);
            walk.push(finding.hint("keys become names of files; use letters, digits, `-`, `_` and `.`"));
        }
    }
    size
}

fn too_large(walk: &mut Walk<'_>, node: &Node, size: usize) {
    if size > MAX_DATA {
        let message = format!("the data is too large: {size} bytes");
        let entry = ["data", "stringData", "binaryData"].iter().find_map(|key| node.as_map()?.get(key));
        let span = entry.map_or(node.span, |entry| entry.key_span);
        walk.push(Diagnostic::new(Code::TooLarge, message).label(span, format!("at most {MAX_DATA} bytes together")));
    }
}
