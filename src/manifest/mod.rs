//! Rendered text as Kubernetes objects: splitting into documents, hooks, install order.
