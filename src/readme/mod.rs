//! A chart's README: tables of its values and dependencies, by a template of the author's.
//!
//! Templates that helm-docs reads work here: they get the same data, and the named templates that helm-docs documents
//! are there (`parts.gotmpl`). Jinja templates have the same as `docs`.

mod markers;
mod page;
mod rows;

pub use markers::{Marked, fill};
pub use page::{Page, Source};
pub use rows::{Row, Sort, rows};
