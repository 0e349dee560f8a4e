//! The order in which Helm installs kinds, which is the order of the printed stream.

use super::Manifest;

const KINDS: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Sorts by kind: known ones in install order, then the others by name. Equal kinds keep their order.
pub(super) fn sort(manifests: &mut [Manifest]) {
    manifests.sort_by(|a, b| {
        let (first, second) = (rank(&a.head.kind), rank(&b.head.kind));
        first
            .cmp(&second)
            .then_with(|| if first == KINDS.len() { a.head.kind.cmp(&b.head.kind) } else { first.cmp(&second) })
    });
}

fn rank(kind: &str) -> usize {
    KINDS.iter().position(|&known| known == kind).unwrap_or(KINDS.len())
}
