//! `chart check`.
