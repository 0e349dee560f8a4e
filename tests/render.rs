//! `chart render`.
