//! Where charts are published and found: ChartMuseum, plain HTTP, OCI registries, directories.
