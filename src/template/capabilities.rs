//! The cluster that a render is meant for: what `.Capabilities` reports where no cluster is asked.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

/// The cluster that the render is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// As given, with a leading `v`: `v1.37.0`, or `v1.30` for `--kube-version 1.30`.
    pub kube_version: String,
    /// The version without suffixes, which constraints are held against: `v1.33.4` of `v1.33.4-gke.1245000`.
    pub normalized: String,
    pub major: String,
    pub minor: String,
    /// What `helm template` assumes, whatever the version: Go templates see it.
    pub api_versions: Vec<Cow<'static, str>>,
    /// What a cluster of this version serves, with kinds: `apps/v1`, `apps/v1/Deployment`. Jinja templates see it.
    pub served: Served,
    pub helm_version: String,
}

/// Names that are listed once somebody asks for them: few templates do.
#[derive(Clone)]
pub struct Served(Arc<LazyLock<Vec<String>, List>>);

type List = Box<dyn FnOnce() -> Vec<String> + Send>;

impl Served {
    pub fn new(list: impl FnOnce() -> Vec<String> + Send + 'static) -> Self {
        Served(Arc::new(LazyLock::new(Box::new(list))))
    }
}

impl Deref for Served {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, out)
    }
}

impl PartialEq for Served {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Served {}

impl Default for Capabilities {
    /// What `helm template` 4.3.1 assumes.
    fn default() -> Self {
        Capabilities {
            kube_version: "v1.37.0".to_owned(),
            normalized: "v1.37.0".to_owned(),
            major: "1".to_owned(),
            minor: "37".to_owned(),
            api_versions: API_VERSIONS.iter().map(|&version| version.into()).collect(),
            served: Served::new(|| API_VERSIONS.iter().map(|&version| version.to_owned()).collect()),
            helm_version: "v4.3.1".to_owned(),
        }
    }
}

impl Capabilities {
    /// The default capabilities with another Kubernetes version, as `--kube-version` takes it. The list of API
    /// versions stays as it is. Errors are Helm's.
    pub fn for_version(text: &str) -> Result<Self, String> {
        let numbers = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        let numbers = numbers.strip_prefix('v').unwrap_or(numbers);
        let components = components(numbers);
        let Some(first) = components.first() else {
            return Err(format!("could not parse {text:?} as version"));
        };
        if components.len() < 2 {
            return Err(format!("illegal version string {text:?}"));
        }
        if first.starts_with('0') && *first != "0" {
            return Err(format!("illegal zero-prefixed version component {first:?} in {text:?}"));
        }
        let mut parsed = Vec::with_capacity(components.len());
        for component in &components {
            let number: u64 = component.parse().map_err(|_| {
                format!(
                    "illegal non-numeric version component {component:?} in {text:?}: strconv.ParseUint: parsing \
                     {component:?}: value out of range"
                )
            })?;
            parsed.push(number.to_string());
        }
        Ok(Capabilities {
            kube_version: if text.starts_with('v') { text.to_owned() } else { format!("v{text}") },
            normalized: format!("v{}", parsed.join(".")),
            major: parsed[0].clone(),
            minor: parsed[1].clone(),
            ..Capabilities::default()
        })
    }
}

/// The leading `1.30.2` of a text, in parts; none where it does not start with a digit.
fn components(text: &str) -> Vec<&str> {
    let mut components = Vec::new();
    let mut rest = text;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return components;
        }
        components.push(&rest[..digits]);
        match rest[digits..].strip_prefix('.') {
            Some(after) => rest = after,
            None => return components,
        }
    }
}

/// The group versions that Helm 4.3.1 knows without a cluster, in its order.
const API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

#[cfg(test)]
mod tests {
    use super::{API_VERSIONS, Capabilities};

    #[test]
    fn versions_are_read_as_by_helm() {
        for (text, version, normalized, minor) in [
            ("1.30", "v1.30", "v1.30", "30"),
            ("v1.30.5", "v1.30.5", "v1.30.5", "30"),
            ("1.30.1-gke.100", "v1.30.1-gke.100", "v1.30.1", "30"),
            ("1.030", "v1.030", "v1.30", "30"),
            ("1.2.3.4", "v1.2.3.4", "v1.2.3.4", "2"),
            ("v1.30.x", "v1.30.x", "v1.30", "30"),
        ] {
            let capabilities = Capabilities::for_version(text).unwrap();
            assert_eq!(capabilities.kube_version, version);
            assert_eq!(capabilities.normalized, normalized);
            assert_eq!(capabilities.minor, minor);
            assert_eq!(capabilities.api_versions.len(), 57);
        }
        for (text, error) in [
            ("1", r#"illegal version string "1""#),
            ("abc", r#"could not parse "abc" as version"#),
            ("V1.30", r#"could not parse "V1.30" as version"#),
            ("v01.30", r#"illegal zero-prefixed version component "01" in "v01.30""#),
        ] {
            assert_eq!(Capabilities::for_version(text).unwrap_err(), error);
        }
        assert_eq!(API_VERSIONS[0], "v1");
    }
}
