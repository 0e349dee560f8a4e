//! `chart package`.
