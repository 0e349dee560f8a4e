//! Checks across objects: doubles, and references that lead nowhere.

use crate::diagnostic::{Code, Diagnostic, Span, nearest, nearest_within};
use crate::schema::facts::{Facts, Object, Pair, Part, Reference, Service, Strength, Workload};
use crate::schema::words;
use std::cell::{Cell, OnceCell};
use std::collections::{HashMap, HashSet};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
type Set<K> = HashSet<K, foldhash::fast::RandomState>;

/// Names that are compared with misspelt ones in a run, so that it takes time in proportion to its objects.
const MAX_COMPARED: usize = 200_000;

pub(in crate::schema) fn check(facts: &Facts, findings: &mut Vec<Diagnostic>) {
    duplicates(facts, findings);
    let (objects, pods) = (Objects::new(facts), Pods::new(facts));
    for reference in &facts.references {
        findings.extend(dangling(reference, &objects, &pods));
    }
    for service in &facts.services {
        findings.extend(selection(service, &pods));
    }
    for selector in &facts.selectors {
        let labels = pods.templated(&selector.labels);
        if !labels.is_empty()
            && pods.are_seen(&selector.namespace)
            && pods.with(&selector.namespace, &labels).next().is_none()
            && (selector.strength == Strength::Near || pods.nearly(&selector.namespace, &labels))
        {
            let place = Place { span: selector.span, pairs: &selector.labels, spans: &selector.pair_spans };
            findings.push(pods.none(&selector.by, &place, &labels, &selector.namespace));
        }
    }
}

fn duplicates(facts: &Facts, findings: &mut Vec<Diagnostic>) {
    let mut seen: Map<(&str, &str, &str, &str), Span> = Map::default();
    seen.reserve(facts.objects.len());
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

/// Objects by kind and namespace, and by name.
struct Objects<'f> {
    groups: Map<(&'f str, &'f str, &'f str), Group<'f>>,
    services: Map<(&'f str, &'f str), &'f Service>,
    compared: Cell<usize>,
}

#[derive(Default)]
struct Group<'f> {
    names: Vec<&'f str>,
    by_name: Map<&'f str, &'f Object>,
}

impl<'f> Objects<'f> {
    fn new(facts: &'f Facts) -> Self {
        let mut groups: Map<_, Group<'f>> = Map::default();
        for object in &facts.objects {
            let key = (object.group.as_str(), object.kind.as_str(), object.namespace.as_str());
            let group = groups.entry(key).or_default();
            group.names.push(&object.name);
            group.by_name.entry(&object.name).or_insert(object);
        }
        let mut services = Map::default();
        for service in &facts.services {
            services.entry((service.namespace.as_str(), service.name.as_str())).or_insert(service);
        }
        Objects { groups, services, compared: Cell::new(0) }
    }

    /// The name that a misspelt one is meant to be.
    fn near(&self, name: &str, names: &[&'f str]) -> Option<&'f str> {
        let compared = self.compared.get() + names.len();
        self.compared.set(compared);
        let near = (compared <= MAX_COMPARED).then(|| nearest_within(name, 2, names.iter().copied())).flatten();
        near.filter(|near| !differ_in_digits(name, near))
    }
}

fn dangling<'f>(reference: &'f Reference, objects: &Objects<'f>, pods: &Pods<'f>) -> Option<Diagnostic> {
    let Reference { group, kind, namespace, name, span, part, strength, by } = reference;
    let candidates = objects.groups.get(&(*group, kind.as_str(), namespace.as_str()));
    if let Some(target) = candidates.and_then(|group| group.by_name.get(name.as_str())) {
        return match part {
            Some((Part::Key(key), at)) => missing_key(target, key, *at),
            Some((port, at)) => missing_port(objects.services.get(&(namespace.as_str(), name.as_str()))?, port, *at),
            None => None,
        };
    }
    let candidates = candidates.map_or(&[][..], |group| &group.names);
    let near = objects.near(name, candidates);
    if *strength == Strength::Far && near.is_none() {
        return None;
    }
    // Where no object of the kind is here, it is made elsewhere.
    if candidates.is_empty() && !(*group == "apps" && pods.are_seen(namespace)) {
        return None;
    }
    let finding =
        Diagnostic::new(Code::DanglingReference, format!("{by} refers to {kind} `{name}`, which is not here"))
            .label(*span, format!("no {kind} of this name"));
    Some(match near {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None if candidates.is_empty() => finding,
        None => finding.hint(format!("here is {}", words::list(candidates.iter().copied().take(8)))),
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
    Some(match nearest(key, keys.iter().copied()) {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None if keys.is_empty() => finding.hint("it has no keys"),
        None => finding.hint(format!("its keys are {}", words::list(keys.into_iter().take(12)))),
    })
}

fn missing_port(service: &Service, part: &Part, at: Span) -> Option<Diagnostic> {
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

/// The pods that the objects make, by their labels.
struct Pods<'f> {
    facts: &'f Facts,
    /// The workloads of a namespace with a label and its value.
    labelled: Map<(&'f str, &'f str, &'f str), Vec<&'f Workload>>,
    namespaces: Set<&'f str>,
    keys: Set<&'f str>,
    /// The values of a label in a namespace, for what to say of one that no pod has.
    values: OnceCell<Map<(&'f str, &'f str), Vec<&'f str>>>,
}

impl<'f> Pods<'f> {
    fn new(facts: &'f Facts) -> Self {
        let mut labelled: Map<_, Vec<&Workload>> = Map::default();
        let (mut namespaces, mut keys) = (Set::default(), Set::default());
        for workload in &facts.workloads {
            namespaces.insert(workload.namespace.as_str());
            for (key, value) in &workload.labels {
                keys.insert(key.as_str());
                labelled.entry((workload.namespace.as_str(), key.as_str(), value.as_str())).or_default().push(workload);
            }
        }
        Pods { facts, labelled, namespaces, keys, values: OnceCell::new() }
    }

    /// Whether the pods of a namespace are all to be seen here.
    fn are_seen(&self, namespace: &str) -> bool {
        !self.facts.opaque && self.namespaces.contains(namespace)
    }

    /// The pairs of a selector that a template can have. Some programs label their own pods, such as the one that
    /// leads: a key that no template here has, and that is no misspelt one, is taken for such.
    fn templated(&self, labels: &[Pair]) -> Vec<Pair> {
        let misspelt = |key: &str| nearest(key, self.keys.iter().copied()).is_some();
        let (known, unknown): (Vec<_>, Vec<_>) = labels.iter().partition(|(key, _)| self.keys.contains(key.as_str()));
        let told = unknown
            .into_iter()
            .filter(|(key, _)| !GIVEN.contains(&key.as_str()) && (misspelt(key) || known.is_empty()));
        told.chain(known.iter().copied()).cloned().collect()
    }

    /// The workloads of a namespace whose pods have all these labels.
    fn with<'a>(&'a self, namespace: &'a str, labels: &'a [Pair]) -> impl Iterator<Item = &'f Workload> + 'a {
        let lists = labels.iter().map(|(key, value)| self.labelled.get(&(namespace, key.as_str(), value.as_str())));
        // The rarest label leaves the fewest to look at.
        let rarest = lists.min_by_key(|list| list.map_or(0, Vec::len)).flatten();
        rarest
            .into_iter()
            .flatten()
            .copied()
            .filter(move |workload| labels.iter().all(|pair| workload.labels.contains(pair)))
    }

    /// The values that a label has in a namespace.
    fn values<'a>(&'a self, namespace: &'a str, key: &'a str) -> &'a [&'f str] {
        let all = self.values.get_or_init(|| {
            let mut all: Map<_, Vec<&str>> = Map::default();
            for &(namespace, key, value) in self.labelled.keys() {
                all.entry((namespace, key)).or_default().push(value);
            }
            all.values_mut().for_each(|values| values.sort_unstable());
            all
        });
        all.get(&(namespace, key)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a label is there with a value that is nearly the same.
    fn nearly(&self, namespace: &str, labels: &[Pair]) -> bool {
        labels.iter().any(|(key, value)| {
            let there = self.values(namespace, key);
            !there.contains(&value.as_str())
                && nearest(value, there.iter().copied()).is_some_and(|near| !differ_in_digits(value, near))
        })
    }

    /// Tells a selector that selects none.
    fn none(&self, by: &str, place: &Place<'_>, labels: &[Pair], namespace: &str) -> Diagnostic {
        let tell = |span, label: &str| {
            Diagnostic::new(Code::DanglingReference, format!("{by} selects no pods that are here")).label(span, label)
        };
        let told = labels.iter().find_map(|(key, value)| {
            let there = self.values(namespace, key);
            (!there.is_empty() && !there.contains(&value.as_str())).then_some((key, value, there))
        });
        if let Some((key, value, there)) = told {
            let list = words::alternatives(there.iter().copied().take(4));
            let finding = match place.of(key) {
                Some(span) => tell(span, "no pod template has this label").label(place.span, "the selector"),
                None => tell(place.span, "no pod template has these labels"),
            };
            return finding.hint(format!("`{key}` is {list} in the templates here, not `{value}`"));
        }
        let finding = tell(place.span, "no pod template has these labels");
        // Each label is there, but in no template all of them are.
        let missing = |workload: &&Workload| labels.iter().filter(|pair| !workload.labels.contains(pair)).count();
        let here = self.facts.workloads.iter().filter(|workload| workload.namespace == namespace).take(1000);
        match here.min_by_key(missing).filter(|workload| missing(workload) < labels.len()) {
            Some(workload) => {
                let lacks = labels.iter().filter(|pair| !workload.labels.contains(pair));
                let lacks: Vec<String> = lacks.map(|(key, value)| format!("{key}: {value}")).collect();
                finding.hint(format!("the nearest template lacks {}", words::list(lacks.iter().map(String::as_str))))
            }
            None => finding,
        }
    }
}

/// Where a selector stands, and its labels one by one.
struct Place<'s> {
    span: Span,
    pairs: &'s [Pair],
    spans: &'s [Span],
}

impl Place<'_> {
    fn of(&self, key: &str) -> Option<Span> {
        self.spans.get(self.pairs.iter().position(|(name, _)| name == key)?).copied()
    }
}

fn selection(service: &Service, pods: &Pods<'_>) -> Vec<Diagnostic> {
    let labels = pods.templated(&service.selector);
    if labels.is_empty() || !pods.are_seen(&service.namespace) {
        return Vec::new();
    }
    let selected = || pods.with(&service.namespace, &labels);
    if selected().next().is_none() {
        let by = format!("Service `{}`", service.name);
        let place = Place { span: service.selector_span, pairs: &service.selector, spans: &service.pair_spans };
        return vec![pods.none(&by, &place, &labels, &service.namespace)];
    }
    let names = || selected().flat_map(|workload| &workload.ports).map(String::as_str);
    let missing = service.ports.iter().filter_map(|port| {
        let (target, span) = port.target.as_ref()?;
        (target.parse::<i64>().is_err() && !names().any(|name| name == target)).then_some((target, *span))
    });
    let tell = |(target, span): (&String, Span)| {
        let message =
            format!("Service `{}` sends to port `{target}`, which no container that it selects has", service.name);
        let finding = Diagnostic::new(Code::UnknownPort, message).label(span, "no such port");
        match nearest(target, names().take(1000)) {
            Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
            None => match words::list(names().take(8)).as_str() {
                "" => finding.hint("the containers name no ports; write the number"),
                list => finding.hint(format!("the containers have {list}")),
            },
        }
    };
    // Containers need not say their ports; where all do, one that none has is a mistake.
    let numbers = || selected().flat_map(|workload| workload.numbers.iter().copied());
    let unlisted = service.ports.iter().filter_map(|port| port.target_number).filter(|(number, _)| {
        selected().all(|workload| workload.lists_ports) && !numbers().any(|known| known == *number)
    });
    let tell_number = |(number, span): (i64, Span)| {
        let message =
            format!("Service `{}` sends to port {number}, which no container that it selects lists", service.name);
        let mut known: Vec<i64> = numbers().take(64).collect();
        known.sort_unstable();
        known.dedup();
        let list: Vec<String> = known.iter().take(8).map(i64::to_string).collect();
        Diagnostic::new(Code::UnknownPort, message).label(span, "no such port").hint(format!(
            "the containers list {}; add it to their `ports` if they listen on it",
            words::list(list.iter().map(String::as_str))
        ))
    };
    missing.map(tell).chain(unlisted.map(tell_number)).collect()
}
