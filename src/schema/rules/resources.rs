//! Requests and limits.

use super::Walk;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::schema::path::{Path, Step};
use crate::schema::scalar::{quantity_value, text_of};
use crate::yaml::Node;

/// Resources without a domain in their name that a container can have.
const CONTAINER: &[&str] = &["cpu", "memory", "ephemeral-storage"];

pub(super) fn check(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    let is_claim = is_claim(walk, path);
    for list in ["limits", "requests"] {
        for (name, entry) in node.get(list).and_then(Node::as_map).into_iter().flatten() {
            let known = if is_claim {
                &**name == "storage"
            } else {
                CONTAINER.contains(&&**name) || name.starts_with("hugepages-")
            };
            if !known && !name.contains('/') {
                let candidates = if is_claim { &["storage"][..] } else { CONTAINER };
                let expected = crate::schema::words::alternatives(candidates.iter().copied());
                let message = format!("`{name}` is no resource, in `{path}.{list}`");
                let mut finding = Diagnostic::new(Code::UnknownResource, message).label(
                    entry.key_span,
                    format!("expected {expected}, or a name with a domain such as `nvidia.com/gpu`"),
                );
                if let Some(meant) = nearest(name, candidates.iter().copied()) {
                    finding = finding.hint(format!("did you mean `{meant}`?"));
                }
                walk.push(finding);
            }
            amount(walk, name, &entry.value, || format!("{path}.{list}.{name}"));
        }
    }
    above_limit(walk, node, path);
}

fn amount(walk: &mut Walk<'_>, name: &str, node: &Node, place: impl Fn() -> String) {
    let Some(text) = text_of(node) else { return };
    let Some(value) = quantity_value(&text) else { return };
    if value < 0.0 {
        walk.tell(Code::InvalidQuantity, node, format!("`{}` is negative: `{text}`", place()), "at least 0");
    } else if matches!(name, "memory" | "ephemeral-storage" | "storage") && text.ends_with('m') {
        let meant = format!("`m` is a thousandth; write `{}Mi` for mebibytes", text.trim_end_matches('m'));
        walk.tell(Code::OddQuantity, node, format!("`{}` is {value} bytes: `{text}`", place()), "a part of a byte")
            .hints
            .push(meant);
    } else if name == "cpu" && value >= 1024.0 && text.ends_with('i') {
        walk.tell(
            Code::OddQuantity,
            node,
            format!("`{}` is {value} cores: `{text}`", place()),
            "a size rather than a number of cores",
        );
    } else if name == "memory" && value > 0.0 && value < 1024.0 {
        let meant = format!("write `{text}Mi` for mebibytes");
        walk.tell(Code::OddQuantity, node, format!("`{}` is {value} bytes: `{text}`", place()), "less than a kilobyte")
            .hints
            .push(meant);
    }
}

fn above_limit(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    for (name, request) in node.get("requests").and_then(Node::as_map).into_iter().flatten() {
        let Some(limit) = node.at(["limits", name]) else { continue };
        let (Some(asked), Some(most)) = (text_of(&request.value), text_of(limit)) else { continue };
        let (Some(asked_value), Some(most_value)) = (quantity_value(&asked), quantity_value(&most)) else { continue };
        if asked_value > most_value {
            let message = format!("`{path}.requests.{name}` is `{asked}`, more than the limit of `{most}`");
            let finding = Diagnostic::new(Code::RequestAboveLimit, message)
                .label(request.value.span, "requested here")
                .label(limit.span, "the limit");
            walk.push(finding.hint("lower the request, or raise the limit"));
        }
    }
}

/// Whether a volume claim asks for the resources; older versions have one definition for both.
fn is_claim(walk: &Walk<'_>, path: &Path<'_>) -> bool {
    let templates = |step: &Step<'_>| matches!(step, Step::Key("volumeClaimTemplates" | "volumeClaimTemplate"));
    walk.identity.kind == "PersistentVolumeClaim" || path.steps().iter().any(templates)
}
