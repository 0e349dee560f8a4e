//! Kubernetes schemas (embedded, from CRDs, from catalogs) and the checks of manifests against them.
