//! `chart index`.
