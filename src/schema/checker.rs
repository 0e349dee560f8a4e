//! Checks objects against the schemas of the Kubernetes versions in question.

use super::catalog::Catalogs;
use super::custom::{CustomKind, Store};
use super::facts::Facts;
use super::kind::{Identity, KindFilter};
use super::path::Path;
use super::pool::Pool;
use super::rules;
use super::version::KubeVersion;
use super::walk::Walk;
use crate::diagnostic::{Code, Diagnostic, FileId, Severity, Sources, Span, nearest};
use crate::yaml::Node;
use std::collections::HashSet;
use std::sync::Arc;

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
    /// Where objects live that name no namespace.
    pub namespace: String,
    /// Where schemas of other kinds are looked for.
    pub catalogs: Option<Catalogs>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            versions: vec![KubeVersion::newest()],
            strict: true,
            ignore_missing: false,
            skip: Vec::new(),
            reject: Vec::new(),
            namespace: "default".to_owned(),
            catalogs: None,
        }
    }
}

/// Checks objects; one serves a whole run.
#[derive(Debug)]
pub struct Checker {
    options: Options,
    definitions: Store,
}

/// What came of the objects looked at so far. Small: trees are kept only of custom resources whose definition has
/// not been seen yet.
#[derive(Debug, Default)]
pub struct Outcome {
    pub findings: Vec<Diagnostic>,
    /// The objects, in the order in which they were seen.
    pub objects: Vec<Seen>,
    facts: Facts,
    definitions: Vec<Node>,
    waiting: Vec<Node>,
}

/// The kinds of custom resources whose definition has not been seen yet.
#[derive(Debug)]
pub struct Wanted(Vec<(String, String)>);

impl Wanted {
    fn new(waiting: &[Node]) -> Self {
        let identities = waiting.iter().filter_map(|node| Identity::read(node).ok());
        let mut kinds: Vec<_> = identities.map(|it| (it.group().to_owned(), it.kind.to_string())).collect();
        kinds.sort();
        kinds.dedup();
        Wanted(kinds)
    }

    /// Whether a file may define one of them: its group is named, and its kind after the word `kind`.
    pub fn may_be_in(&self, text: &str) -> bool {
        let kinds = || {
            let words = memchr::memmem::find_iter(text.as_bytes(), "kind").map(|at| &text[at + "kind".len()..]);
            words.map(|rest| rest.trim_start_matches([' ', '\t', '\r', '\n', ':', '"', '\'']))
        };
        self.0.iter().any(|(group, kind)| {
            memchr::memmem::find(text.as_bytes(), group.as_bytes()).is_some()
                && kinds().any(|rest| rest.starts_with(kind.as_str()))
        })
    }
}

/// An object that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub span: Span,
    /// `Deployment web`.
    pub name: String,
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Held against its schema.
    Checked,
    /// Left out by `--skip`.
    Skipped,
    /// There is no schema for it.
    Unknown,
}

impl Outcome {
    /// The files whose text [`Checker::conclude`] looks at.
    pub fn waiting(&self) -> impl Iterator<Item = FileId> {
        self.waiting.iter().map(|node| node.span.file)
    }

    /// Adds what came of objects that follow.
    pub fn append(&mut self, mut other: Outcome) {
        self.findings.append(&mut other.findings);
        self.objects.append(&mut other.objects);
        self.facts.append(other.facts);
        self.definitions.append(&mut other.definitions);
        self.waiting.append(&mut other.waiting);
    }
}

impl Checker {
    pub fn new(options: Options) -> Self {
        Checker { options, definitions: Store::default() }
    }

    /// Adds custom resource definitions; other documents are left alone. The first definition of a kind counts.
    pub fn define(&mut self, documents: &[Node]) {
        for document in documents {
            each_object(document, &mut |node| self.definitions.add(node));
        }
    }

    /// Checks objects as one whole: what is duplicated or referred to among them. The findings point at spans of the
    /// documents. `kind: List` counts as its items, null as nothing. Definitions among the objects count for them;
    /// `definitions` gives more, and is asked only when there is an object that needs them.
    pub fn check(
        &self,
        documents: &[Node],
        sources: &Sources,
        definitions: impl FnOnce(&Wanted) -> Vec<Node>,
    ) -> Vec<Diagnostic> {
        let mut outcome = Outcome::default();
        for document in documents {
            self.look(document, sources, &mut outcome);
        }
        if !outcome.waiting.is_empty() {
            let wanted = Wanted::new(&outcome.waiting);
            outcome.definitions.extend(definitions(&wanted));
        }
        self.conclude(&mut outcome, sources);
        outcome.findings
    }

    /// Checks one document by itself. After the last one comes [`Checker::conclude`].
    pub fn look(&self, document: &Node, sources: &Sources, outcome: &mut Outcome) {
        each_object(document, &mut |node| self.object(node, sources, outcome));
    }

    /// Checks what needs all objects: custom resources whose definition was among them, doubles and references.
    pub fn conclude(&self, outcome: &mut Outcome, sources: &Sources) {
        if !outcome.waiting.is_empty() {
            let mut definitions = self.definitions.clone();
            for document in outcome.definitions.drain(..) {
                each_object(&document, &mut |node| definitions.add(node));
            }
            let mut missing = HashSet::new();
            for node in std::mem::take(&mut outcome.waiting) {
                let Ok(identity) = Identity::read(&node) else { continue };
                self.all_custom(&identity, &definitions, sources, &mut missing, outcome);
            }
        }
        rules::references::check(&outcome.facts, &mut outcome.findings);
        // That a rule cannot be checked is told once, not for each object that has it.
        let mut unchecked = HashSet::new();
        outcome.findings.retain(|finding| {
            let rule = finding.labels.first().map(|label| label.text.clone());
            finding.code != Code::UncheckedRule || unchecked.insert((finding.message.clone(), rule))
        });
    }

    fn object(&self, node: &Node, sources: &Sources, outcome: &mut Outcome) {
        let identity = match Identity::read(node) {
            Ok(identity) => identity,
            Err(finding) => {
                outcome.objects.push(Seen { span: node.span, name: "object".to_owned(), state: State::Checked });
                return outcome.findings.push(*finding);
            }
        };
        let mut see = |state| outcome.objects.push(Seen { span: node.span, name: identity.to_string(), state });
        if self.options.skip.iter().any(|filter| filter.matches(&identity)) {
            return see(State::Skipped);
        }
        see(State::Checked);
        if self.options.reject.iter().any(|filter| filter.matches(&identity)) {
            let message = format!("{} objects are rejected here", identity.kind);
            let finding = Diagnostic::new(Code::RejectedKind, message);
            return outcome.findings.push(finding.label(identity.kind_span(), "rejected by `--reject`"));
        }
        if Store::is_definition(node) {
            outcome.definitions.push(node.clone());
        }
        let mut waits = false;
        let all = self.options.versions.iter().map(|&version| {
            let findings = self.built_in(&identity, version, sources);
            waits |= findings.is_none();
            (version, findings.unwrap_or_default())
        });
        let all = all.collect();
        outcome.facts.collect(&identity, &self.options.namespace, waits);
        if !waits {
            outcome.findings.extend(merge(all));
        } else if self.definitions.get(&identity.key()).is_some() {
            self.all_custom(&identity, &self.definitions, sources, &mut HashSet::new(), outcome);
        } else {
            outcome.waiting.push(node.clone());
        }
    }

    /// Checks an object against Kubernetes' own schemas of one version; `None` for what may be a custom resource.
    fn built_in(&self, identity: &Identity<'_>, version: KubeVersion, sources: &Sources) -> Option<Vec<Diagnostic>> {
        let pool = Pool::of(version);
        let Some(definition) = pool.kind(&identity.key()) else {
            return rules::api::absent(identity, version).map(|finding| vec![finding]);
        };
        let mut walk = self.walk(pool, identity, sources, &definition.shape);
        walk.findings.extend(rules::api::deprecated(identity, version));
        walk.definition(definition, identity.node, &Path::ROOT);
        rules::metadata::required(&mut walk, definition);
        Some(walk.findings)
    }

    fn all_custom(
        &self,
        identity: &Identity<'_>,
        definitions: &Store,
        sources: &Sources,
        missing: &mut HashSet<String>,
        outcome: &mut Outcome,
    ) {
        let all = self.options.versions.iter();
        let all = all.map(|&version| (version, self.custom(identity, version, definitions, sources, missing, outcome)));
        let all = all.collect();
        outcome.findings.extend(merge(all));
    }

    /// Checks an object of a kind that is not Kubernetes' own.
    fn custom(
        &self,
        identity: &Identity<'_>,
        version: KubeVersion,
        definitions: &Store,
        sources: &Sources,
        missing: &mut HashSet<String>,
        outcome: &mut Outcome,
    ) -> Vec<Diagnostic> {
        let key = identity.key();
        let kind = definitions.get(&key);
        if let Some(kind) = kind
            && let Some(shape) = kind.shape()
        {
            let mut walk = self.walk(Pool::of(version), identity, sources, shape);
            walk.findings.extend(served(identity, kind, definitions));
            walk.value(shape, identity.node, &Path::ROOT);
            return walk.findings;
        }
        if let Some(findings) =
            self.options.catalogs.as_ref().and_then(|catalogs| catalogs.check(identity, version, sources))
        {
            return findings;
        }
        if let Some(seen) = outcome.objects.iter_mut().find(|seen| seen.span == identity.node.span) {
            seen.state = State::Unknown;
        }
        // A version that a known definition does not have is a mistake; a kind that nobody knows is told once.
        match definitions.versions_of(&key).as_slice() {
            [] if kind.is_none() && (!self.options.ignore_missing || missing.insert(key)) => {
                vec![self.missing(identity)]
            }
            versions if kind.is_none() && !versions.is_empty() => {
                let message = format!("the definition of {} has no version `{}`", identity.kind, identity.version());
                let finding =
                    Diagnostic::new(Code::UnknownKind, message).label(identity.api_version_span(), "no such version");
                vec![finding.hint(format!("it has {}", super::words::list(versions.iter().copied())))]
            }
            _ => Vec::new(),
        }
    }

    fn walk<'a>(
        &self,
        pool: &'static Pool,
        identity: &Identity<'a>,
        sources: &'a Sources,
        root: &'a super::shape::Shape,
    ) -> Walk<'a> {
        Walk { pool, strict: self.options.strict, identity: *identity, sources, root, findings: Vec::new() }
    }

    fn missing(&self, identity: &Identity<'_>) -> Diagnostic {
        let message = format!("no schema for `{}` {}, so it is not checked", identity.api_version, identity.kind);
        let mut finding =
            Diagnostic::new(Code::MissingSchema, message).label(identity.kind_span(), "kind without a schema");
        if self.options.ignore_missing {
            finding.severity = Severity::Note;
        }
        // A group that is nearly one of Kubernetes' own is misspelt.
        let newest = self.options.versions.last().copied().unwrap_or_else(KubeVersion::newest);
        let home = rules::api::home(identity.kind, newest);
        let home = home.filter(|home| nearest(identity.api_version, [*home]).is_some());
        if let Some(home) = home {
            return finding.hint(format!("did you mean `{home}`?"));
        }
        finding.hint(
            "put its CustomResourceDefinition into the chart's `crds/`; `chart validate` takes it with `--crds`, \
             or a catalog with `--schema-location`",
        )
    }
}

/// Warns of a version that its definition does not serve, or has deprecated.
fn served(identity: &Identity<'_>, kind: &Arc<CustomKind>, definitions: &Store) -> Option<Diagnostic> {
    let span = identity.api_version_span();
    let versions = definitions.versions_of(&identity.key());
    let list = super::words::alternatives(versions.iter().copied());
    if !kind.served {
        let message = format!("`{}` {} is not served", identity.api_version, identity.kind);
        let finding = Diagnostic::new(Code::RemovedApi, message).label(span, "the definition has `served: false`");
        return Some(finding.label(kind.span, "the definition").hint(format!("use {list}")));
    }
    let warning = kind.deprecated.as_ref()?;
    let message = format!("`{}` {} is deprecated", identity.api_version, identity.kind);
    let finding = Diagnostic::new(Code::DeprecatedApi, message).label(span, "deprecated by its definition");
    Some(if warning.is_empty() { finding } else { finding.hint(warning.clone()) })
}

/// Calls for each object of a document: the items of a list, nothing for null.
fn each_object(document: &Node, call: &mut dyn FnMut(&Node)) {
    let mut open = vec![document];
    while let Some(node) = open.pop() {
        let is_list = node.get("kind").and_then(Node::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("list"))
            && node.get("apiVersion").and_then(Node::as_str).is_some_and(|version| version == "v1");
        match node.get("items") {
            Some(items) if is_list => open.extend(items.as_seq().unwrap_or_default().iter().rev()),
            _ if node.is_null() || is_list => {}
            _ => call(node),
        }
    }
}

/// The findings of several versions as one list: what all versions have is told once, the rest names its versions.
fn merge(mut all: Vec<(KubeVersion, Vec<Diagnostic>)>) -> Vec<Diagnostic> {
    if all.len() == 1 {
        return all.pop().map(|(_, findings)| findings).unwrap_or_default();
    }
    // Where a version is told to be gone, that it goes is no news.
    let is_gone = |finding: &Diagnostic| finding.code == Code::RemovedApi;
    if all.iter().any(|(_, findings)| findings.iter().any(is_gone)) {
        for (_, findings) in &mut all {
            findings.retain(|finding| finding.code != Code::DeprecatedApi);
        }
    }
    let count = all.len();
    let mut merged: Vec<(Diagnostic, Vec<KubeVersion>)> = Vec::new();
    for (version, findings) in all {
        for finding in findings {
            match merged.iter_mut().find(|(known, _)| same(known, &finding)) {
                // The newest version has the newest advice.
                Some((known, versions)) => {
                    *known = finding;
                    versions.push(version);
                }
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

/// Whether two versions say the same; their advice may differ.
fn same(a: &Diagnostic, b: &Diagnostic) -> bool {
    let places = |finding: &Diagnostic| finding.labels.iter().map(|label| label.span).collect::<Vec<_>>();
    (a.code, &a.message) == (b.code, &b.message) && places(a) == places(b)
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
