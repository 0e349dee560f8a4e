//! `chart dependency`.
