//! Checks across objects: doubles, and references that lead nowhere.

use crate::diagnostic::{Code, Diagnostic, Span, nearest_within};
use crate::schema::facts::{Facts, Object, Pair, Part, Reference, Service, Strength, Workload};
use crate::schema::words;
use std::collections::{HashMap, HashSet};

pub(in crate::schema) fn check(facts: &Facts, findings: &mut Vec<Diagnostic>) {
    duplicates(facts, findings);
    let objects = Objects::new(facts);
    for reference in &facts.references {
        findings.extend(dangling(reference, &objects, facts));
    }
    for service in &facts.services {
        selection(service, facts, findings);
    }
    for selector in &facts.selectors {
        let labels = templated(facts, &selector.labels);
        if !labels.is_empty() && sees_pods(facts, &selector.namespace) && !selects(facts, &selector.namespace, &labels)
        {
            findings.push(no_pods(&selector.by, selector.span, &labels, facts, &selector.namespace));
        }
    }
}

fn duplicates(facts: &Facts, findings: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<(&str, &str, &str, &str), Span> = HashMap::with_capacity(facts.objects.len());
    for object in &facts.objects {
        let key = (object.group.as_str(), object.kind.as_str(), object.namespace.as_str(), object.name.as_str());
        let Some(&first) = seen.get(&key) else {
            seen.insert(key, object.span);
            continue;
        };
        let place =
            if object.namespace.is_empty() { String::new() } else { format!(" in namespace `{}`", object.namespace) };
        let message = format!("{} `{}`{place} is there twice", object.kind, object.name);
        let finding =
            Diagnostic::new(Code::DuplicateObject, message).label(object.span, "again here").label(first, "first here");
        findings.push(finding.hint("the second one overwrites the first; give it another name, or remove it"));
    }
}

/// Objects by kind and namespace.
struct Objects<'f> {
    groups: HashMap<(&'f str, &'f str, &'f str), Vec<&'f Object>>,
}

impl<'f> Objects<'f> {
    fn new(facts: &'f Facts) -> Self {
        let mut groups: HashMap<_, Vec<&Object>> = HashMap::new();
        for object in &facts.objects {
            groups
                .entry((object.group.as_str(), object.kind.as_str(), object.namespace.as_str()))
                .or_default()
                .push(object);
        }
        Objects { groups }
    }

    fn of(&self, group: &'f str, kind: &'f str, namespace: &'f str) -> &[&'f Object] {
        self.groups.get(&(group, kind, namespace)).map(Vec::as_slice).unwrap_or_default()
    }
}

fn dangling<'f>(reference: &'f Reference, objects: &Objects<'f>, facts: &Facts) -> Option<Diagnostic> {
    let Reference { group, kind, namespace, name, span, part, strength, by } = reference;
    let candidates = objects.of(group, kind, namespace);
    if let Some(target) = candidates.iter().find(|object| object.name == *name) {
        return match part {
            Some((Part::Key(key), at)) => missing_key(target, key, *at),
            Some((port, at)) => missing_port(reference, port, *at, facts),
            None => None,
        };
    }
    let names = || candidates.iter().map(|object| object.name.as_str());
    let near = nearest_within(name, 2, names()).filter(|near| !differ_in_digits(name, near));
    if *strength == Strength::Far && near.is_none() {
        return None;
    }
    // Where no object of the kind is here, it is made elsewhere.
    if candidates.is_empty() && !(*group == "apps" && sees_pods(facts, namespace)) {
        return None;
    }
    let finding =
        Diagnostic::new(Code::DanglingReference, format!("{by} refers to {kind} `{name}`, which is not here"))
            .label(*span, format!("no {kind} of this name"));
    Some(match near {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None if candidates.is_empty() => finding,
        None => finding.hint(format!("here is {}", words::list(names().take(8)))),
    })
}

/// Whether two names are the same but for numbers: `db-1` is no misspelt `db-2`.
fn differ_in_digits(a: &str, b: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|char| !char.is_ascii_digit()).collect::<String>();
    letters(a) == letters(b)
}

fn missing_key(target: &Object, key: &str, at: Span) -> Option<Diagnostic> {
    if target.keys.contains(key) {
        return None;
    }
    let message = format!("{} `{}` has no key `{key}`", target.kind, target.name);
    let finding =
        Diagnostic::new(Code::DanglingReference, message).label(at, "no such key").label(target.span, "the object");
    let mut keys: Vec<&str> = target.keys.iter().map(String::as_str).collect();
    keys.sort_unstable();
    Some(match crate::diagnostic::nearest(key, keys.iter().copied()) {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None if keys.is_empty() => finding.hint("it has no keys"),
        None => finding.hint(format!("its keys are {}", words::list(keys.into_iter().take(12)))),
    })
}

fn missing_port(reference: &Reference, part: &Part, at: Span, facts: &Facts) -> Option<Diagnostic> {
    let service = facts.services.iter().find(|it| it.name == reference.name && it.namespace == reference.namespace)?;
    let (found, shown) = match part {
        Part::PortName(name) => (service.ports.iter().any(|port| port.name == *name), name.clone()),
        Part::PortNumber(number) => (service.ports.iter().any(|port| port.number == *number), number.to_string()),
        Part::Key(_) => return None,
    };
    if found || service.ports.is_empty() {
        return None;
    }
    let message = format!("Service `{}` has no port `{shown}`", service.name);
    let ports: Vec<String> = service
        .ports
        .iter()
        .map(|port| match port.name.as_str() {
            "" => port.number.to_string(),
            name => format!("{name} ({})", port.number),
        })
        .collect();
    let finding =
        Diagnostic::new(Code::UnknownPort, message).label(at, "no such port").label(service.span, "the service");
    Some(finding.hint(format!("its ports are {}", words::list(ports.iter().map(String::as_str)))))
}

/// Whether the pods of a namespace are all to be seen here.
fn sees_pods(facts: &Facts, namespace: &str) -> bool {
    !facts.opaque && facts.workloads.iter().any(|workload| workload.namespace == namespace)
}

/// Labels that Kubernetes' controllers put on pods.
const GIVEN: &[&str] = &[
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
];

/// The pairs of a selector that a template can have. Some programs label their own pods, such as the one that leads:
/// a key that no template here has, and that is no misspelt one, is taken for such.
fn templated(facts: &Facts, labels: &[Pair]) -> Vec<Pair> {
    let keys: HashSet<&str> =
        facts.workloads.iter().flat_map(|workload| &workload.labels).map(|(key, _)| key.as_str()).collect();
    let misspelt = |key: &str| crate::diagnostic::nearest(key, keys.iter().copied()).is_some();
    let (known, unknown): (Vec<_>, Vec<_>) = labels.iter().partition(|(key, _)| keys.contains(key.as_str()));
    let told =
        unknown.into_iter().filter(|(key, _)| !GIVEN.contains(&key.as_str()) && (misspelt(key) || known.is_empty()));
    told.chain(known.iter().copied()).cloned().collect()
}

fn selects(facts: &Facts, namespace: &str, labels: &[Pair]) -> bool {
    facts
        .workloads
        .iter()
        .any(|workload| workload.namespace == namespace && labels.iter().all(|pair| workload.labels.contains(pair)))
}

fn no_pods(by: &str, span: Span, labels: &[Pair], facts: &Facts, namespace: &str) -> Diagnostic {
    let mut finding = Diagnostic::new(Code::DanglingReference, format!("{by} selects no pods that are here"))
        .label(span, "no pod template has these labels");
    let here = || facts.workloads.iter().filter(|workload| workload.namespace == namespace);
    let values = |wanted: &str| -> Vec<&str> {
        let labels = here().flat_map(|workload| &workload.labels).filter(|(key, _)| key == wanted);
        let mut values: Vec<&str> = labels.map(|(_, value)| value.as_str()).collect();
        values.sort_unstable();
        values.dedup();
        values
    };
    let told = labels.iter().find_map(|(key, value)| {
        let there = values(key);
        (!there.is_empty() && !there.contains(&value.as_str())).then_some((key, value, there))
    });
    // Or each label is there, but in no template all of them are.
    let missing = |workload: &Workload| labels.iter().filter(|pair| !workload.labels.contains(pair)).count();
    let lacking = here().min_by_key(|workload| missing(workload)).filter(|workload| missing(workload) < labels.len());
    match (told, lacking) {
        (Some((key, value, there)), _) => {
            let list = words::alternatives(there.into_iter().take(4));
            finding = finding.hint(format!("`{key}` is {list} in the templates here, not `{value}`"));
        }
        (None, Some(workload)) => {
            let lacks = labels.iter().filter(|pair| !workload.labels.contains(pair));
            let lacks: Vec<String> = lacks.map(|(key, value)| format!("{key}: {value}")).collect();
            finding =
                finding.hint(format!("the nearest template lacks {}", words::list(lacks.iter().map(String::as_str))));
        }
        (None, None) => {}
    }
    finding
}

fn selection(service: &Service, facts: &Facts, findings: &mut Vec<Diagnostic>) {
    let labels = templated(facts, &service.selector);
    if labels.is_empty() || !sees_pods(facts, &service.namespace) {
        return;
    }
    let selected: Vec<_> = facts
        .workloads
        .iter()
        .filter(|workload| {
            workload.namespace == service.namespace && labels.iter().all(|pair| workload.labels.contains(pair))
        })
        .collect();
    if selected.is_empty() {
        let by = format!("Service `{}`", service.name);
        return findings.push(no_pods(&by, service.selector_span, &labels, facts, &service.namespace));
    }
    for port in &service.ports {
        let Some((target, span)) = &port.target else { continue };
        let names = || selected.iter().flat_map(|workload| &workload.ports).map(String::as_str);
        if target.parse::<i64>().is_ok() || names().any(|name| name == target) {
            continue;
        }
        let message =
            format!("Service `{}` sends to port `{target}`, which no container that it selects has", service.name);
        let finding = Diagnostic::new(Code::UnknownPort, message).label(*span, "no such port");
        findings.push(match crate::diagnostic::nearest(target, names()) {
            Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
            None => match words::list(names().take(8)).as_str() {
                "" => finding.hint("the containers name no ports; write the number"),
                list => finding.hint(format!("the containers have {list}")),
            },
        });
    }
}
