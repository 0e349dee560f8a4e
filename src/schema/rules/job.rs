//! Jobs and their schedules.

use super::{Walk, strategy};
use crate::diagnostic::{Code, nearest};
use crate::schema::path::Path;
use crate::schema::{cron, names};
use crate::yaml::Node;

pub(super) fn job(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    strategy::counts(walk, node, path, &["parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished"]);
    walk.within(node.get("activeDeadlineSeconds"), 0, i64::MAX, || format!("{path}.activeDeadlineSeconds"));
    if let Some(mode) = node.get("completionMode").filter(|mode| mode.as_str() == Some("Indexed"))
        && node.get("completions").is_none_or(Node::is_null)
    {
        let message = format!("`{path}` has no `completions`");
        let finding = walk.tell(Code::MissingField, mode, message, "this mode counts to it");
        finding.hints.push("add `completions: 3`".to_owned());
    }
    let selector = node.get("selector").filter(|selector| selector.as_map().is_some_and(|map| !map.is_empty()));
    if let Some(selector) = selector.filter(|_| node.get("manualSelector").and_then(Node::as_bool) != Some(true)) {
        let message = format!("`{path}` cannot have a `selector`");
        walk.tell(Code::ConflictingFields, selector, message, "a job selects its own pods")
            .hints
            .push("remove it; to choose pods yourself add `manualSelector: true`".to_owned());
    }
    let Some(pod) = node.at(["template", "spec"]).filter(|pod| pod.as_map().is_some()) else { return };
    let template = path.key("template");
    let pod_path = template.key("spec");
    match pod.get("restartPolicy").filter(|policy| !policy.is_null() && policy.as_str() != Some("")) {
        None => {
            walk.lacks(pod, &pod_path, "`restartPolicy`", "a job's pods need `restartPolicy: OnFailure` or `Never`")
        }
        Some(policy) if policy.as_str() == Some("Always") => {
            let message = format!("`{pod_path}.restartPolicy` cannot be `Always` in a job");
            walk.tell(Code::InvalidValue, policy, message, "expected `OnFailure` or `Never`");
        }
        Some(policy) => {
            if policy.as_str() == Some("OnFailure") && node.get("podFailurePolicy").is_some_and(|it| !it.is_null()) {
                let message = format!("`{pod_path}.restartPolicy` must be `Never` with a `podFailurePolicy`");
                walk.tell(Code::ConflictingFields, policy, message, "expected `Never`");
            }
        }
    }
}

pub(super) fn cron_job(walk: &mut Walk<'_>, node: &Node, path: &Path<'_>) {
    strategy::counts(
        walk,
        node,
        path,
        &["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"],
    );
    if let Some((schedule, text)) = node.get("schedule").and_then(|node| Some((node, node.as_str()?)))
        && let Some(fault) = cron::fault(text)
    {
        let message = format!("`{path}.schedule` is not a schedule: `{text}`");
        walk.tell(Code::InvalidCron, schedule, message, fault.message).hints.extend(fault.hint);
    }
    if let Some((zone, text)) = node.get("timeZone").and_then(|node| Some((node, node.as_str()?)))
        && let Some(fault) = zone_fault(text)
    {
        walk.tell(Code::InvalidFormat, zone, format!("`{path}.timeZone` is not a time zone: `{text}`"), fault)
            .hints
            .push("write a name of the IANA time zone database, such as `Europe/Berlin` or `Etc/UTC`".to_owned());
    }
}

/// Names of zones by their form, and by the database of the world's zones.
fn zone_fault(text: &str) -> Option<names::Fault> {
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '/' | '_' | '-' | '+');
    if text.eq_ignore_ascii_case("local") {
        return Some("`Local` would be the controller's own zone".into());
    }
    if text.is_empty() || text.starts_with(|char: char| !char.is_ascii_alphabetic()) {
        return Some("expected a name".into());
    }
    if let Some(char) = text.chars().find(|char| !allowed(*char)) {
        return Some(format!("`{}` is not allowed", char.escape_default()).into());
    }
    let near = |known: Vec<String>| nearest(text, known.iter().map(String::as_str)).map(str::to_owned);
    let known = || jiff::tz::db().available().map(|name| name.to_string()).collect();
    jiff::tz::db().get(text).is_err().then(|| match near(known()) {
        Some(meant) => format!("there is none of this name; did you mean `{meant}`?").into(),
        None => "there is none of this name".into(),
    })
}
