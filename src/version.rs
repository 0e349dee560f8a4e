//! Versions and version ranges in Masterminds' grammar, which Helm uses for chart, dependency and Kubernetes versions.
