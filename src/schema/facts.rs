//! What objects say of themselves and of each other: all that checks across objects need, without their trees.

use super::kind::Identity;
use super::scalar::text_of;
use crate::diagnostic::Span;
use crate::yaml::Node;
use std::collections::HashSet;

/// A label and its value.
pub(super) type Pair = (String, String);

/// Facts of all objects of a run.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub objects: Vec<Object>,
    pub workloads: Vec<Workload>,
    pub services: Vec<Service>,
    pub references: Vec<Reference>,
    pub selectors: Vec<Selector>,
    /// Whether some custom resource may make pods that nobody sees here.
    pub opaque: bool,
}

/// An object by its name.
#[derive(Debug)]
pub(super) struct Object {
    pub group: String,
    pub kind: String,
    /// Empty for objects that are in no namespace.
    pub namespace: String,
    pub name: String,
    pub span: Span,
    /// Keys of a config map's or secret's data.
    pub keys: HashSet<String>,
}

/// Something that makes pods.
#[derive(Debug)]
pub(super) struct Workload {
    pub namespace: String,
    pub labels: Vec<Pair>,
    /// The names of its containers' ports.
    pub ports: Vec<String>,
    /// Their numbers.
    pub numbers: Vec<i64>,
    /// Whether each of its containers says which ports it has.
    pub lists_ports: bool,
}

#[derive(Debug)]
pub(super) struct Service {
    pub namespace: String,
    pub name: String,
    pub span: Span,
    pub selector: Vec<Pair>,
    pub selector_span: Span,
    /// Where the selector's labels stand.
    pub pair_spans: Vec<Span>,
    pub ports: Vec<ServicePort>,
}

#[derive(Debug)]
pub(super) struct ServicePort {
    pub name: String,
    pub number: i64,
    /// Name of a container's port, and where it stands.
    pub target: Option<(String, Span)>,
    /// Number of a container's port, and where it stands.
    pub target_number: Option<(i64, Span)>,
}

/// One object names another.
#[derive(Debug)]
pub(super) struct Reference {
    pub group: &'static str,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub span: Span,
    /// A key of the other's data, or a port.
    pub part: Option<(Part, Span)>,
    pub strength: Strength,
    /// Who refers: `HorizontalPodAutoscaler `web``.
    pub by: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Key(String),
    PortName(String),
    PortNumber(i64),
}

/// How sure a reference's target is to be among the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// It usually comes with the object that refers.
    Near,
    /// It is often made elsewhere: only a near miss tells a mistake.
    Far,
}

/// An object that chooses pods by labels, other than services and the workloads themselves.
#[derive(Debug)]
pub(super) struct Selector {
    pub namespace: String,
    pub labels: Vec<Pair>,
    pub span: Span,
    /// Where the labels stand.
    pub pair_spans: Vec<Span>,
    pub strength: Strength,
    pub by: String,
}

/// Kinds of Kubernetes itself whose objects are in no namespace.
const CLUSTER_SCOPED: &[&str] = &[
    "APIService",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "ComponentStatus",
    "CSIDriver",
    "CSINode",
    "CustomResourceDefinition",
    "DeviceClass",
    "DeviceTaintRule",
    "FlowSchema",
    "IPAddress",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ResourceSlice",
    "RuntimeClass",
    "ServiceCIDR",
    "StorageClass",
    "StorageVersion",
    "StorageVersionMigration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
];

/// Groups of well-known custom resources that make no pods.
const NO_PODS: &[&str] = &[
    "cert-manager.io",
    "external-secrets.io",
    "gateway.networking.k8s.io",
    "networking.istio.io",
    "security.istio.io",
    "traefik.io",
    "cilium.io",
    "kyverno.io",
    "keda.sh",
    "snapshot.storage.k8s.io",
    "autoscaling.k8s.io",
    "apiextensions.k8s.io",
];

/// Kinds of other groups that make no pods.
const NO_PODS_KINDS: &[&str] = &[
    "ServiceMonitor",
    "PodMonitor",
    "PrometheusRule",
    "Probe",
    "ScrapeConfig",
    "AlertmanagerConfig",
    "GrafanaDashboard",
];

/// Whether an object of a kind of Kubernetes itself is in no namespace.
pub(super) fn is_cluster_scoped(identity: &Identity<'_>) -> bool {
    CLUSTER_SCOPED.contains(&identity.kind)
}

impl Facts {
    /// Adds the facts of objects that follow.
    pub fn append(&mut self, mut other: Facts) {
        self.objects.append(&mut other.objects);
        self.workloads.append(&mut other.workloads);
        self.services.append(&mut other.services);
        self.references.append(&mut other.references);
        self.selectors.append(&mut other.selectors);
        self.opaque |= other.opaque;
    }

    /// Takes note of an object. `namespace` is that of objects that name none.
    pub fn collect(&mut self, identity: &Identity<'_>, namespace: &str, custom: bool) {
        let node = identity.node;
        let name_node = node.at(["metadata", "name"]);
        let name = name_node.and_then(Node::as_str).unwrap_or_default();
        let own = node.at(["metadata", "namespace"]).and_then(Node::as_str).filter(|text| !text.is_empty());
        let namespace = if is_cluster_scoped(identity) && !custom { "" } else { own.unwrap_or(namespace) };
        if custom {
            self.opaque |= !NO_PODS.contains(&identity.group()) && !NO_PODS_KINDS.contains(&identity.kind);
        }
        if let (Some(name_node), false) = (name_node, name.is_empty()) {
            self.objects.push(Object {
                group: identity.group().to_owned(),
                kind: identity.kind.to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                span: name_node.span,
                keys: data_keys(node),
            });
        }
        let by = format!("{} `{name}`", identity.kind);
        let mut seen = Collector { facts: self, namespace, by };
        match (identity.group(), identity.kind) {
            ("", "Pod") => seen.pod(node.get("spec"), node.get("metadata")),
            ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("", "ReplicationController")
            | ("batch", "Job") => {
                seen.template(node.at(["spec", "template"]));
                if let Some(name) = node.at(["spec", "serviceName"]) {
                    seen.refer("", "Service", Some(name), None, Strength::Far);
                }
            }
            ("batch", "CronJob") => seen.template(node.at(["spec", "jobTemplate", "spec", "template"])),
            ("", "Service") => seen.service(node, name),
            ("autoscaling", "HorizontalPodAutoscaler") => seen.scale_target(node),
            ("policy", "PodDisruptionBudget") => {
                seen.selector(node.at(["spec", "selector", "matchLabels"]), Strength::Near);
            }
            ("networking.k8s.io", "Ingress") => seen.ingress(node),
            ("gateway.networking.k8s.io", "HTTPRoute" | "GRPCRoute") => seen.route(node),
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => seen.binding(node),
            ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
                seen.webhooks(node)
            }
            ("networking.k8s.io", "NetworkPolicy") => {
                seen.selector(node.at(["spec", "podSelector", "matchLabels"]), Strength::Far);
            }
            _ => {}
        }
    }
}

fn data_keys(node: &Node) -> HashSet<String> {
    let maps = ["data", "stringData", "binaryData"].into_iter().filter_map(|key| node.get(key)?.as_map());
    maps.flat_map(|map| map.keys().map(|key| key.to_string())).collect()
}

fn pairs(node: Option<&Node>) -> Vec<Pair> {
    let entries = node.and_then(Node::as_map).into_iter().flatten();
    entries.filter_map(|(key, entry)| Some((key.to_string(), text_of(&entry.value)?.into_owned()))).collect()
}

fn pair_spans(node: Option<&Node>) -> Vec<Span> {
    let entries = node.and_then(Node::as_map).into_iter().flatten();
    entries.filter(|(_, entry)| text_of(&entry.value).is_some()).map(|(_, entry)| entry.key_span).collect()
}

fn int(node: Option<&Node>) -> i64 {
    node.and_then(|node| text_of(node)?.parse().ok()).unwrap_or_default()
}

fn list<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).and_then(Node::as_seq).unwrap_or_default()
}

struct Collector<'f> {
    facts: &'f mut Facts,
    namespace: &'f str,
    by: String,
}

impl Collector<'_> {
    fn refer(
        &mut self,
        group: &'static str,
        kind: &str,
        name: Option<&Node>,
        part: Option<(Part, Span)>,
        strength: Strength,
    ) {
        let Some((node, name)) = name.and_then(|node| Some((node, node.as_str()?))) else { return };
        if name.is_empty() {
            return;
        }
        self.facts.references.push(Reference {
            group,
            kind: kind.to_owned(),
            namespace: self.namespace.to_owned(),
            name: name.to_owned(),
            span: node.span,
            part,
            strength,
            by: self.by.clone(),
        });
    }

    fn template(&mut self, template: Option<&Node>) {
        if let Some(template) = template {
            self.pod(template.get("spec"), template.get("metadata"));
        }
    }

    fn pod(&mut self, spec: Option<&Node>, metadata: Option<&Node>) {
        let Some(spec) = spec else { return };
        let (mut ports, mut numbers) = (Vec::new(), Vec::new());
        let lists_ports = list(spec, "containers").iter().all(|container| !list(container, "ports").is_empty());
        for key in ["containers", "initContainers"] {
            for container in list(spec, key) {
                ports.extend(
                    list(container, "ports").iter().filter_map(|port| port.get("name")?.as_str().map(str::to_owned)),
                );
                numbers.extend(list(container, "ports").iter().map(|port| int(port.get("containerPort"))));
                self.environment(container);
            }
        }
        self.facts.workloads.push(Workload {
            namespace: self.namespace.to_owned(),
            labels: pairs(metadata.and_then(|metadata| metadata.get("labels"))),
            ports,
            numbers,
            lists_ports,
        });
        for volume in list(spec, "volumes") {
            if let Some(source) = volume.get("configMap") {
                self.data("ConfigMap", source, "name");
            }
            if let Some(source) = volume.get("secret") {
                self.data("Secret", source, "secretName");
            }
            if let Some(claim) = volume.at(["persistentVolumeClaim", "claimName"]) {
                self.refer("", "PersistentVolumeClaim", Some(claim), None, Strength::Far);
            }
            for source in volume.get("projected").map(|projected| list(projected, "sources")).unwrap_or_default() {
                for (key, kind) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
                    if let Some(source) = source.get(key) {
                        self.data(kind, source, "name");
                    }
                }
            }
        }
        self.refer("", "ServiceAccount", spec.get("serviceAccountName"), None, Strength::Far);
    }

    fn environment(&mut self, container: &Node) {
        for variable in list(container, "env") {
            for (field, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
                let Some(source) = variable.at(["valueFrom", field]).filter(|source| !is_optional(source)) else {
                    continue;
                };
                let key = source.get("key").and_then(|key| Some((Part::Key(key.as_str()?.to_owned()), key.span)));
                self.refer("", kind, source.get("name"), key, Strength::Far);
            }
        }
        for from in list(container, "envFrom") {
            for (field, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
                if let Some(source) = from.get(field).filter(|source| !is_optional(source)) {
                    self.refer("", kind, source.get("name"), None, Strength::Far);
                }
            }
        }
    }

    /// A config map or secret as a volume.
    fn data(&mut self, kind: &str, source: &Node, name_field: &str) {
        if is_optional(source) {
            return;
        }
        let items = list(source, "items");
        if items.is_empty() {
            self.refer("", kind, source.get(name_field), None, Strength::Far);
        }
        for item in items {
            let key = item.get("key").and_then(|key| Some((Part::Key(key.as_str()?.to_owned()), key.span)));
            self.refer("", kind, source.get(name_field), key, Strength::Far);
        }
    }

    fn service(&mut self, node: &Node, name: &str) {
        let Some(spec) = node.get("spec") else { return };
        let ports = list(spec, "ports").iter().map(|port| ServicePort {
            name: port.get("name").and_then(Node::as_str).unwrap_or_default().to_owned(),
            number: int(port.get("port")),
            target: port.get("targetPort").and_then(|target| Some((target.as_str()?.to_owned(), target.span))),
            target_number: port.get("targetPort").and_then(|target| match target.data {
                // Zero is as good as absent.
                crate::yaml::Data::Int(number) if number != 0 => Some((number, target.span)),
                _ => None,
            }),
        });
        let selector = spec.get("selector").filter(|_| spec.get("type").and_then(Node::as_str) != Some("ExternalName"));
        self.facts.services.push(Service {
            namespace: self.namespace.to_owned(),
            name: name.to_owned(),
            span: node.at(["metadata", "name"]).map_or(node.span, |name| name.span),
            selector: pairs(selector),
            pair_spans: pair_spans(selector),
            selector_span: spec.as_map().and_then(|map| map.get("selector")).map_or(spec.span, |entry| entry.key_span),
            ports: ports.collect(),
        });
    }

    fn scale_target(&mut self, node: &Node) {
        let Some(target) = node.at(["spec", "scaleTargetRef"]) else { return };
        let kind = target.get("kind").and_then(Node::as_str).unwrap_or_default();
        if matches!(kind, "Deployment" | "StatefulSet" | "ReplicaSet") {
            self.refer("apps", kind, target.get("name"), None, Strength::Near);
        }
    }

    fn webhooks(&mut self, node: &Node) {
        for service in list(node, "webhooks").iter().filter_map(|webhook| webhook.at(["clientConfig", "service"])) {
            let Some(namespace) = service.get("namespace").and_then(Node::as_str) else { continue };
            let mut inner = Collector { facts: self.facts, namespace, by: self.by.clone() };
            inner.refer("", "Service", service.get("name"), None, Strength::Far);
        }
    }

    fn selector(&mut self, labels: Option<&Node>, strength: Strength) {
        let Some(node) = labels else { return };
        self.facts.selectors.push(Selector {
            namespace: self.namespace.to_owned(),
            labels: pairs(Some(node)),
            pair_spans: pair_spans(Some(node)),
            strength,
            span: node.as_map().and_then(|map| map.values().next()).map_or(node.span, |entry| entry.key_span),
            by: self.by.clone(),
        });
    }

    fn ingress(&mut self, node: &Node) {
        let Some(spec) = node.get("spec") else { return };
        let paths = list(spec, "rules").iter().filter_map(|rule| rule.get("http")).flat_map(|http| list(http, "paths"));
        let backends = paths.filter_map(|path| path.get("backend")).chain(spec.get("defaultBackend"));
        for service in backends.filter_map(|backend| backend.get("service")) {
            let port = service.get("port").and_then(|port| match (port.get("name"), port.get("number")) {
                (Some(name), _) => Some((Part::PortName(name.as_str()?.to_owned()), name.span)),
                (None, Some(number)) => Some((Part::PortNumber(int(Some(number))), number.span)),
                (None, None) => None,
            });
            self.refer("", "Service", service.get("name"), port, Strength::Near);
        }
    }

    fn route(&mut self, node: &Node) {
        let rules = node.get("spec").map(|spec| list(spec, "rules")).unwrap_or_default();
        for backend in rules.iter().flat_map(|rule| list(rule, "backendRefs")) {
            let kind = backend.get("kind").and_then(Node::as_str).unwrap_or("Service");
            if kind == "Service" && backend.get("namespace").is_none() {
                let port = backend.get("port").map(|port| (Part::PortNumber(int(Some(port))), port.span));
                self.refer("", "Service", backend.get("name"), port, Strength::Near);
            }
        }
    }

    fn binding(&mut self, node: &Node) {
        let kind = node.at(["roleRef", "kind"]).and_then(Node::as_str).unwrap_or_default();
        if matches!(kind, "Role" | "ClusterRole") {
            let namespace = if kind == "ClusterRole" { "" } else { self.namespace };
            let mut inner = Collector { facts: self.facts, namespace, by: self.by.clone() };
            inner.refer("rbac.authorization.k8s.io", kind, node.at(["roleRef", "name"]), None, Strength::Far);
        }
        for subject in list(node, "subjects") {
            let Some(namespace) = subject.get("namespace").and_then(Node::as_str) else { continue };
            if subject.get("kind").and_then(Node::as_str) == Some("ServiceAccount") {
                let mut inner = Collector { facts: self.facts, namespace, by: self.by.clone() };
                inner.refer("", "ServiceAccount", subject.get("name"), None, Strength::Far);
            }
        }
    }
}

fn is_optional(source: &Node) -> bool {
    source.get("optional").and_then(Node::as_bool) == Some(true)
}
