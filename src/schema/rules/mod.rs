//! Checks beyond the schema: what the API server refuses, and what cannot work, by the documented rules of each
//! field. One file per area; a rule hangs on the definition whose values it checks.

mod admission;
pub(super) mod api;
mod autoscaling;
mod config;
mod container;
mod ingress;
mod job;
pub(super) mod metadata;
mod network;
mod pod;
mod rbac;
pub(super) mod references;
mod resources;
mod scheduling;
mod selector;
mod service;
mod storage;
mod strategy;
mod volume;

use super::names::{self, Fault};
use super::path::Path;
use super::walk::Walk;
use crate::diagnostic::{Code, Diagnostic, Label};
use crate::yaml::{Data, Node};

/// A check of a value of some definition. The value is a mapping; what is of a wrong type in it has been told.
pub(super) type Rule = fn(&mut Walk<'_>, &Node, &Path<'_>);

/// What is wrong with a text, if anything.
type Grammar = fn(&str) -> Option<Fault>;

/// The rules of a definition.
pub(super) fn of_definition(name: &str) -> &'static [Rule] {
    match name {
        "meta.v1.ObjectMeta" => &[metadata::check],
        "meta.v1.LabelSelector" => &[selector::label_selector],
        "apps.v1.DeploymentSpec" => &[selector::workload, strategy::deployment],
        "apps.v1.ReplicaSetSpec" => &[selector::workload, strategy::replica_set],
        "apps.v1.StatefulSetSpec" => &[selector::workload, strategy::stateful_set, volume::claim_templates],
        "apps.v1.DaemonSetSpec" => &[selector::workload, strategy::daemon_set],
        "core.v1.ReplicationControllerSpec" => &[selector::replication_controller],
        "core.v1.PodSpec" => &[pod::check, scheduling::tolerations],
        "core.v1.NodeSelector" => &[scheduling::node_selector],
        "core.v1.NodeSelectorRequirement" => &[scheduling::node_requirement],
        "core.v1.PreferredSchedulingTerm" | "core.v1.WeightedPodAffinityTerm" => &[scheduling::weight],
        "core.v1.PodAffinityTerm" => &[scheduling::pod_affinity_term],
        "core.v1.PodSecurityContext" => &[pod::security],
        "core.v1.SeccompProfile" | "core.v1.AppArmorProfile" => &[pod::profile],
        "core.v1.Sysctl" => &[pod::sysctl],
        "core.v1.ConfigMapVolumeSource" | "core.v1.SecretVolumeSource" => &[volume::files, volume::source],
        "core.v1.DownwardAPIVolumeSource" => &[volume::files],
        "core.v1.ProjectedVolumeSource" => &[volume::files, volume::projected],
        "core.v1.ConfigMapProjection"
        | "core.v1.SecretProjection"
        | "core.v1.ConfigMapEnvSource"
        | "core.v1.SecretEnvSource"
        | "core.v1.ConfigMapKeySelector"
        | "core.v1.SecretKeySelector" => &[volume::source],
        "core.v1.KeyToPath" => &[volume::file],
        "core.v1.DownwardAPIVolumeFile" => &[volume::downward_file],
        "core.v1.EmptyDirVolumeSource" => &[volume::empty_dir],
        "core.v1.HostPathVolumeSource" => &[volume::host_path],
        "core.v1.ServiceAccountTokenProjection" => &[volume::token],
        "core.v1.ObjectFieldSelector" => &[volume::field_ref],
        "core.v1.ResourceFieldSelector" => &[volume::resource_ref],
        "core.v1.PersistentVolumeSpec" => &[volume::persistent],
        "core.v1.LimitRangeItem" => &[resources::range],
        "core.v1.ResourceQuotaSpec" => &[resources::quota],
        "coordination.v1.LeaseSpec" => &[scheduling::lease],
        "discovery.v1.EndpointSlice" => &[network::slice],
        "networking.v1.IngressClassSpec" => &[network::class],
        "scheduling.v1.PriorityClass" => &[resources::priority],
        "admissionregistration.v1.ValidatingWebhook" | "admissionregistration.v1.MutatingWebhook" => {
            &[admission::webhook]
        }
        "admissionregistration.v1.RuleWithOperations" | "admissionregistration.v1.NamedRuleWithOperations" => {
            &[admission::operations]
        }
        "admissionregistration.v1.Validation"
        | "admissionregistration.v1.MatchCondition"
        | "admissionregistration.v1.Variable"
        | "admissionregistration.v1.AuditAnnotation" => &[admission::expressions],
        "apiregistration.v1.APIServiceSpec" => &[admission::api_service],
        "autoscaling.v2.HPAScalingRules" => &[autoscaling::scaling],
        "core.v1.Container" | "core.v1.EphemeralContainer" => &[container::check],
        "core.v1.ResourceRequirements" | "core.v1.VolumeResourceRequirements" => &[resources::check],
        "core.v1.ServiceSpec" => &[service::check],
        "core.v1.ConfigMap" => &[config::config_map],
        "core.v1.Secret" => &[config::secret],
        "core.v1.PersistentVolumeClaimSpec" => &[storage::claim],
        "batch.v1.JobSpec" => &[job::job],
        "batch.v1.CronJobSpec" => &[job::cron_job],
        "networking.v1.IngressSpec" => &[ingress::check],
        "networking.v1.NetworkPolicySpec" => &[network::check],
        "autoscaling.v1.HorizontalPodAutoscalerSpec" | "autoscaling.v2.HorizontalPodAutoscalerSpec" => {
            &[autoscaling::check]
        }
        "policy.v1.PodDisruptionBudgetSpec" => &[autoscaling::budget],
        "rbac.v1.RoleBinding" | "rbac.v1.ClusterRoleBinding" => &[rbac::binding],
        "apiextensions.v1.CustomResourceDefinitionSpec" => &[super::custom::check_definition],
        "rbac.v1.Role" | "rbac.v1.ClusterRole" => &[rbac::role],
        _ => &[],
    }
}

/// The items of a list under a key, and their places.
fn items<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = (usize, &'n Node)> {
    node.get(key).and_then(Node::as_seq).unwrap_or_default().iter().enumerate()
}

/// Whether a field is there and not null.
fn has(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|value| !value.is_null())
}

/// Whether a field has a value that is not empty.
fn filled(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|value| match &value.data {
        Data::Null => false,
        Data::Str(text) => !text.is_empty(),
        Data::Seq(items) => !items.is_empty(),
        Data::Map(map) => !map.is_empty(),
        _ => true,
    })
}

/// A whole number.
fn int(node: &Node) -> Option<i64> {
    match node.data {
        Data::Int(number) => Some(number),
        Data::Float(number) if number.fract() == 0.0 => Some(number as i64),
        _ => None,
    }
}

impl Walk<'_> {
    /// Tells a finding at a value.
    fn tell(&mut self, code: Code, node: &Node, message: String, label: impl Into<String>) -> &mut Diagnostic {
        self.push(Diagnostic::new(code, message).label(node.span, label));
        self.findings.last_mut().expect("just pushed")
    }

    /// Whether an unknown field of a mapping has just been told.
    pub(super) fn has_unknown(&self, node: &Node) -> bool {
        let Some(map) = node.as_map() else { return false };
        let within = |label: &Label| map.values().any(|entry| entry.key_span == label.span);
        let is_unknown =
            |finding: &Diagnostic| finding.code == Code::UnknownField && finding.labels.first().is_some_and(within);
        self.findings.iter().rev().take(8).any(is_unknown)
    }

    /// Tells a missing field of a mapping, at the key that the mapping stands under.
    fn lacks(&mut self, node: &Node, path: &Path<'_>, what: &str, hint: impl Into<String>) {
        // A field that is not known may be the one that was meant: then that has been told.
        let field = what.trim_matches('`');
        if node.as_map().is_some_and(|map| map.keys().any(|key| super::walk::is_meant(key, field)))
            && self.has_unknown(node)
        {
            return;
        }
        let span = self.place_of(node, path);
        let place = if path.is_root() { "the object".to_owned() } else { format!("`{path}`") };
        self.push(
            Diagnostic::new(Code::MissingField, format!("{place} has no {what}"))
                .label(span, format!("{what} is missing"))
                .hint(hint),
        );
    }

    /// Tells that a text is not in the grammar of its field.
    fn name(&mut self, code: Code, node: &Node, place: impl Fn() -> String, check: Grammar) {
        let Some(text) = node.as_str() else { return };
        let Some(fault) = check(text) else { return };
        let message = format!("`{}` is not valid: `{text}`", place());
        let finding = self.tell(code, node, message, fault);
        if let Some(meant) = names::repaired(text, check) {
            finding.hints.push(format!("write `{meant}`"));
        }
    }

    /// Tells a number that is out of its range.
    fn within(&mut self, node: Option<&Node>, least: i64, most: i64, place: impl Fn() -> String) {
        let Some((node, number)) = node.and_then(|node| Some((node, int(node)?))) else { return };
        if (least..=most).contains(&number) {
            return;
        }
        let label = match (least, most) {
            (least, i64::MAX) => format!("at least {least}"),
            (least, most) => format!("between {least} and {most}"),
        };
        let message = format!("`{}` is out of range: {number}", place());
        self.tell(Code::OutOfRange, node, message, label);
    }

    /// Tells a text that is no IP address.
    fn address(&mut self, node: Option<&Node>, place: impl Fn() -> String) {
        let Some((node, text)) = node.and_then(|node| Some((node, node.as_str()?))) else { return };
        if text.parse::<std::net::IpAddr>().is_err() {
            let message = format!("`{}` is not an IP address: `{text}`", place());
            self.tell(Code::InvalidFormat, node, message, "expected an address such as `10.0.0.1`");
        }
    }

    /// Tells a number that is no port.
    fn port(&mut self, node: Option<&Node>, place: impl Fn() -> String) {
        let Some((node, number)) = node.and_then(|node| Some((node, int(node)?))) else { return };
        if !(1..=65535).contains(&number) {
            let message = format!("`{}` is not a port: {number}", place());
            self.tell(Code::InvalidPort, node, message, "a port is between 1 and 65535");
        }
    }

    /// Checks a port that is a number or the name of one.
    fn port_or_name(&mut self, node: Option<&Node>, place: impl Fn() -> String) {
        let Some(node) = node else { return };
        match node.as_str() {
            // A number in quotes is taken for a name, and no port has such a name.
            Some(text) if text.parse::<u32>().is_ok() => {
                let message = format!("`{}` is the name of a port, but `{text}` is a number in quotes", place());
                self.tell(Code::InvalidPort, node, message, "a name must have a letter")
                    .hints
                    .push(format!("write `{text}` without quotes"));
            }
            Some(_) => self.name(Code::InvalidPort, node, place, names::port_name),
            None => self.port(Some(node), place),
        }
    }

    /// Tells when of several fields none or more than one is set.
    fn exactly_one(&mut self, node: &Node, path: &Path<'_>, fields: &[&str], what: &str) {
        // A field that is not known is the one that was meant.
        if self.at_most_one(node, path, fields) == 0 && !self.has_unknown(node) {
            let choices = super::words::alternatives(fields.iter().copied());
            self.lacks(node, path, what, format!("add one of {choices}"));
        }
    }

    /// Tells when of several fields more than one is set; gives how many are.
    fn at_most_one(&mut self, node: &Node, path: &Path<'_>, fields: &[&str]) -> usize {
        let Some(map) = node.as_map() else { return 1 };
        let set: Vec<_> =
            map.iter().filter(|(key, entry)| fields.contains(&&***key) && !entry.value.is_null()).collect();
        if let [(first, first_entry), (second, second_entry), ..] = set[..] {
            let message = format!("`{path}` has both `{first}` and `{second}`, only one is allowed");
            let finding = Diagnostic::new(Code::ConflictingFields, message)
                .label(second_entry.key_span, "this one")
                .label(first_entry.key_span, "or this one");
            self.push(finding.hint(format!("remove `{first}` or `{second}`")));
        }
        set.len()
    }
}
