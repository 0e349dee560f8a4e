//! Layering, `--set`, origins, `chart values|set|schema|docs`.
