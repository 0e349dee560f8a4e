//! `chart pull` and `chart versions`.
