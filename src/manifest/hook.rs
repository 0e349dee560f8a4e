//! Hooks: documents that Helm runs at events instead of installing them.

/// Names the events, separated by commas.
pub(super) const ANNOTATION: &str = "helm.sh/hook";

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    PreInstall,
    PostInstall,
    PreDelete,
    PostDelete,
    PreUpgrade,
    PostUpgrade,
    PreRollback,
    PostRollback,
    Test,
}

/// The events of an annotation; `None` if one of them is unknown, for which Helm drops the document.
pub(super) fn events(annotation: &str) -> Option<Vec<Event>> {
    annotation.split(',').map(|name| event(name.trim())).collect()
}

fn event(name: &str) -> Option<Event> {
    Some(match name.to_lowercase().as_str() {
        "pre-install" => Event::PreInstall,
        "post-install" => Event::PostInstall,
        "pre-delete" => Event::PreDelete,
        "post-delete" => Event::PostDelete,
        "pre-upgrade" => Event::PreUpgrade,
        "post-upgrade" => Event::PostUpgrade,
        "pre-rollback" => Event::PreRollback,
        "post-rollback" => Event::PostRollback,
        // The second is Helm 2's name.
        "test" | "test-success" => Event::Test,
        _ => return None,
    })
}
