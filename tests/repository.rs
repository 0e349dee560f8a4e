//! Real servers: nginx, ChartMuseum, registries.
