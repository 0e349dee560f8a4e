//! Kinds that a Kubernetes version does not have: removed, not there yet, misspelt; and those that go.

use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::schema::bundle::{self, Line};
use crate::schema::kind::Identity;
use crate::schema::version::KubeVersion;

/// API versions that were gone before the bundle's first version: `group/version`, kinds (none for all), the minor
/// that removed them, and what to use.
///
/// Source: Kubernetes' deprecated API migration guide.
const REMOVED: &[(&str, &[&str], u16, &str)] = &[
    (
        "admissionregistration.k8s.io/v1beta1",
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
        22,
        "admissionregistration.k8s.io/v1",
    ),
    ("apiextensions.k8s.io/v1beta1", &["CustomResourceDefinition"], 22, "apiextensions.k8s.io/v1"),
    ("apiregistration.k8s.io/v1beta1", &["APIService"], 22, "apiregistration.k8s.io/v1"),
    ("apps/v1beta1", &[], 16, "apps/v1"),
    ("apps/v1beta2", &[], 16, "apps/v1"),
    ("authentication.k8s.io/v1beta1", &["TokenReview"], 22, "authentication.k8s.io/v1"),
    ("authorization.k8s.io/v1beta1", &[], 22, "authorization.k8s.io/v1"),
    ("autoscaling/v2beta1", &["HorizontalPodAutoscaler"], 25, "autoscaling/v2"),
    ("batch/v1beta1", &["CronJob"], 25, "batch/v1"),
    ("batch/v2alpha1", &["CronJob"], 21, "batch/v1"),
    ("certificates.k8s.io/v1beta1", &["CertificateSigningRequest"], 22, "certificates.k8s.io/v1"),
    ("coordination.k8s.io/v1beta1", &["Lease"], 22, "coordination.k8s.io/v1"),
    ("discovery.k8s.io/v1beta1", &["EndpointSlice"], 25, "discovery.k8s.io/v1"),
    ("events.k8s.io/v1beta1", &["Event"], 25, "events.k8s.io/v1"),
    ("extensions/v1beta1", &["DaemonSet", "Deployment", "ReplicaSet"], 16, "apps/v1"),
    ("extensions/v1beta1", &["Ingress"], 22, "networking.k8s.io/v1"),
    ("extensions/v1beta1", &["NetworkPolicy"], 16, "networking.k8s.io/v1"),
    ("extensions/v1beta1", &["PodSecurityPolicy"], 16, ""),
    ("networking.k8s.io/v1beta1", &["Ingress", "IngressClass"], 22, "networking.k8s.io/v1"),
    ("node.k8s.io/v1beta1", &["RuntimeClass"], 25, "node.k8s.io/v1"),
    ("policy/v1beta1", &["PodDisruptionBudget"], 25, "policy/v1"),
    ("policy/v1beta1", &["PodSecurityPolicy"], 25, ""),
    ("rbac.authorization.k8s.io/v1alpha1", &[], 22, "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", &[], 22, "rbac.authorization.k8s.io/v1"),
    ("scheduling.k8s.io/v1alpha1", &["PriorityClass"], 22, "scheduling.k8s.io/v1"),
    ("scheduling.k8s.io/v1beta1", &["PriorityClass"], 22, "scheduling.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"], 22, "storage.k8s.io/v1"),
];

/// What to do instead of kinds that have no successor of the same name.
const INSTEAD: &[(&str, &str)] = &[(
    "PodSecurityPolicy",
    "use Pod Security Admission: label the namespace with `pod-security.kubernetes.io/enforce`",
)];

/// Kinds that are served, but told to be deprecated: key, since which minor, advice.
const DEPRECATED: &[(&str, u16, &str)] = &[
    ("v1/ComponentStatus", 19, "there is no replacement"),
    ("v1/Endpoints", 33, "use EndpointSlice of `discovery.k8s.io/v1`"),
];

/// What is wrong with the kind of an object that has no definition in this version; `None` for what may be a custom
/// resource.
pub(in crate::schema) fn absent(identity: &Identity<'_>, version: KubeVersion) -> Option<Diagnostic> {
    let (api_version, kind) = (identity.api_version, identity.kind);
    if let Some(line) = bundle::kind(&identity.key()) {
        let (first, last) = span_of(line);
        let finding = if last < version {
            let gone = KubeVersion::of_minor(last.minor() + 1);
            let message = format!("`{api_version}` {kind} was removed in Kubernetes {gone}");
            Diagnostic::new(Code::RemovedApi, message).label(identity.api_version_span(), removed_label(version))
        } else {
            let message = format!("`{api_version}` {kind} comes with Kubernetes {first}");
            Diagnostic::new(Code::UnavailableApi, message)
                .label(identity.api_version_span(), format!("not in Kubernetes {version}"))
        };
        return Some(advise(finding, identity, version));
    }
    if let Some((.., minor, instead)) =
        REMOVED.iter().find(|(at, kinds, ..)| *at == api_version && (kinds.is_empty() || kinds.contains(&kind)))
    {
        let message = format!("`{api_version}` {kind} was removed in Kubernetes 1.{minor}");
        let finding =
            Diagnostic::new(Code::RemovedApi, message).label(identity.api_version_span(), removed_label(version));
        return Some(match INSTEAD.iter().find(|(name, _)| *name == kind) {
            Some((_, advice)) => finding.hint(*advice),
            None => finding.hint(format!("use `{instead}`")),
        });
    }
    unknown(identity, version)
}

fn removed_label(version: KubeVersion) -> String {
    format!("gone in Kubernetes {version}")
}

/// First and last version of a line's mask.
fn span_of(line: Line) -> (KubeVersion, KubeVersion) {
    let oldest = KubeVersion::oldest().minor();
    let first = oldest + line.mask.trailing_zeros() as u16;
    let last = oldest + (31 - line.mask.leading_zeros()) as u16;
    (KubeVersion::of_minor(first), KubeVersion::of_minor(last))
}

/// Adds which API version has the kind.
fn advise(finding: Diagnostic, identity: &Identity<'_>, version: KubeVersion) -> Diagnostic {
    match homes(identity.kind, version).as_slice() {
        [] => finding.hint(format!("Kubernetes {version} has no such kind")),
        [home, ..] => finding.hint(format!("use `{home}`")),
    }
}

/// The API versions that have a kind in a version, stable ones first.
fn homes(kind: &str, version: KubeVersion) -> Vec<&'static str> {
    let mut homes: Vec<&str> = bundle::kinds()
        .filter(|line| line.mask & version.bit() != 0)
        .filter_map(|line| line.key.rsplit_once('/'))
        .filter(|(_, name)| *name == kind)
        .map(|(api_version, _)| api_version)
        .collect();
    homes.sort_by_key(|api_version| {
        (api_version.contains("alpha"), api_version.contains("beta"), std::cmp::Reverse(*api_version))
    });
    homes
}

/// A kind that no version has, in a group that Kubernetes itself fills.
fn unknown(identity: &Identity<'_>, version: KubeVersion) -> Option<Diagnostic> {
    let group = identity.group();
    let own_group = |key: &str| match key.split_once('/') {
        Some((first, rest)) if rest.contains('/') => first == group,
        _ => group.is_empty(),
    };
    // Groups of custom resources are domains, which have a dot.
    if group.contains('.') && !bundle::kinds().any(|line| own_group(line.key)) {
        return None;
    }
    let (api_version, kind) = (identity.api_version, identity.kind);
    let homes = homes(kind, version);
    if let [home, ..] = homes[..] {
        let message = format!("`{api_version}` has no kind {kind}");
        let finding = Diagnostic::new(Code::UnknownKind, message)
            .label(identity.api_version_span(), format!("expected `{home}`"));
        return Some(finding.hint(format!("{kind} is in `{home}`")));
    }
    let known =
        || bundle::kinds().filter(|line| line.mask & version.bit() != 0).filter_map(|line| line.key.rsplit_once('/'));
    let finding = Diagnostic::new(Code::UnknownKind, format!("`{api_version}` has no kind `{kind}`"))
        .label(identity.kind_span(), "no such kind");
    let here = nearest(kind, known().filter(|(home, _)| *home == api_version).map(|(_, kind)| kind));
    Some(match here.or_else(|| nearest(kind, known().map(|(_, kind)| kind))) {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None => finding.hint("a custom resource's group is a domain of its own, such as `example.com/v1`"),
    })
}

/// The API version of Kubernetes' own kind of this name.
pub(in crate::schema) fn home(kind: &str, version: KubeVersion) -> Option<&'static str> {
    homes(kind, version).first().copied()
}

/// Warns of a kind that is there, but deprecated or gone in a later version.
pub(in crate::schema) fn deprecated(identity: &Identity<'_>, version: KubeVersion) -> Option<Diagnostic> {
    let key = identity.key();
    let line = bundle::kind(&key)?;
    if let Some((.., advice)) = DEPRECATED.iter().find(|(known, minor, _)| *known == key && *minor <= version.minor()) {
        let message = format!("`{}` {} is deprecated", identity.api_version, identity.kind);
        let finding = Diagnostic::new(Code::DeprecatedApi, message).label(identity.api_version_span(), "deprecated");
        return Some(finding.hint(*advice));
    }
    let (_, last) = span_of(line);
    if last == KubeVersion::newest() {
        return None;
    }
    let gone = KubeVersion::of_minor(last.minor() + 1);
    let message = format!("`{}` {} is removed in Kubernetes {gone}", identity.api_version, identity.kind);
    let finding =
        Diagnostic::new(Code::DeprecatedApi, message).label(identity.api_version_span(), format!("gone in {gone}"));
    let now = homes(identity.kind, version)
        .into_iter()
        .find(|home| bundle::kind(&format!("{home}/{}", identity.kind)).is_some_and(|line| span_of(line).1 > last));
    Some(match (now, homes(identity.kind, gone).first()) {
        (Some(home), _) => finding.hint(format!("use `{home}`")),
        (None, Some(home)) => finding.hint(format!("it is in `{home}` from then on")),
        (None, None) => finding.hint("there is no replacement"),
    })
}
