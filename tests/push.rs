//! `chart push`.
