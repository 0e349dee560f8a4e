//! `chart validate`.
