//! Checks objects against the schemas of the Kubernetes versions in question.

use super::kind::{Identity, KindFilter};
use super::pool::Pool;
use super::rules;
use super::version::KubeVersion;
use super::walk::Walk;
use crate::diagnostic::{Code, Diagnostic, Severity, Sources};
use crate::yaml::Node;

/// What to check, and how strictly.
#[derive(Debug, Clone)]
pub struct Options {
    /// At least one.
    pub versions: Vec<KubeVersion>,
    /// Whether unknown fields are findings.
    pub strict: bool,
    /// Whether an object without a schema is only a note.
    pub ignore_missing: bool,
    /// Kinds that are not checked.
    pub skip: Vec<KindFilter>,
    /// Kinds that are findings by themselves.
    pub reject: Vec<KindFilter>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            versions: vec![KubeVersion::newest()],
            strict: true,
            ignore_missing: false,
            skip: Vec::new(),
            reject: Vec::new(),
        }
    }
}

/// Checks objects; one serves a whole run.
#[derive(Debug)]
pub struct Checker {
    options: Options,
}

impl Checker {
    pub fn new(options: Options) -> Self {
        Checker { options }
    }

    /// Checks objects as one whole: what is duplicated or referred to among them. The findings point at spans of the
    /// documents. `kind: List` counts as its items, null as nothing.
    pub fn check(&self, documents: &[Node], sources: &Sources) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        for document in documents {
            self.document(document, sources, &mut findings);
        }
        findings
    }

    fn document(&self, node: &Node, sources: &Sources, findings: &mut Vec<Diagnostic>) {
        if node.is_null() {
            return;
        }
        let identity = match Identity::read(node) {
            Ok(identity) => identity,
            Err(finding) => return findings.push(*finding),
        };
        if identity.is_list() {
            if let Some(items) = node.get("items").and_then(Node::as_seq) {
                items.iter().for_each(|item| self.document(item, sources, findings));
            }
            return;
        }
        if self.options.skip.iter().any(|filter| filter.matches(&identity)) {
            return;
        }
        if self.options.reject.iter().any(|filter| filter.matches(&identity)) {
            let message = format!("{} objects are rejected here", identity.kind);
            let finding =
                Diagnostic::new(Code::RejectedKind, message).label(identity.kind_span(), "rejected by `--reject`");
            return findings.push(finding);
        }
        let all = self.options.versions.iter().map(|&version| (version, self.object(&identity, version, sources)));
        findings.extend(merge(all.collect()));
    }

    /// Checks an object against one version.
    fn object(&self, identity: &Identity<'_>, version: KubeVersion, sources: &Sources) -> Vec<Diagnostic> {
        let pool = Pool::of(version);
        let Some(definition) = pool.kind(&identity.key()) else {
            let finding = rules::api::absent(identity, version).unwrap_or_else(|| self.missing(identity));
            return vec![finding];
        };
        let mut walk =
            Walk { pool, strict: self.options.strict, sources, root: &definition.shape, findings: Vec::new() };
        walk.findings.extend(rules::api::deprecated(identity, version));
        walk.definition(definition, identity.node, &super::path::Path::ROOT);
        walk.findings
    }

    fn missing(&self, identity: &Identity<'_>) -> Diagnostic {
        let message = format!("no schema for {} {}, so it is not checked", identity.api_version, identity.kind);
        let mut finding =
            Diagnostic::new(Code::MissingSchema, message).label(identity.kind_span(), "kind without a schema");
        if self.options.ignore_missing {
            finding.severity = Severity::Note;
        }
        finding.hint("give its CustomResourceDefinition with `--crds FILE`, or a catalog with `--schema-location`")
    }
}

/// The findings of several versions as one list: what all versions have is told once, the rest names its versions.
fn merge(mut all: Vec<(KubeVersion, Vec<Diagnostic>)>) -> Vec<Diagnostic> {
    if all.len() == 1 {
        return all.pop().map(|(_, findings)| findings).unwrap_or_default();
    }
    let count = all.len();
    let mut merged: Vec<(Diagnostic, Vec<KubeVersion>)> = Vec::new();
    for (version, findings) in all {
        for finding in findings {
            match merged.iter_mut().find(|(known, _)| *known == finding) {
                Some((_, versions)) => versions.push(version),
                None => merged.push((finding, vec![version])),
            }
        }
    }
    let tell = |(mut finding, versions): (Diagnostic, Vec<KubeVersion>)| {
        if versions.len() < count {
            finding.message += &format!(" (Kubernetes {})", spans(&versions));
        }
        finding
    };
    merged.into_iter().map(tell).collect()
}

/// `1.29 to 1.31, 1.34`.
fn spans(versions: &[KubeVersion]) -> String {
    let mut texts = Vec::new();
    let mut at = 0;
    while at < versions.len() {
        let mut end = at;
        while end + 1 < versions.len() && versions[end + 1].minor() == versions[end].minor() + 1 {
            end += 1;
        }
        texts.push(if end == at { versions[at].to_string() } else { format!("{} to {}", versions[at], versions[end]) });
        at = end + 1;
    }
    texts.join(", ")
}
