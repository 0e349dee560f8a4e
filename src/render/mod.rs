//! The pipeline: load → layer → render → parse → sort → validate, pure from loaded chart to result.

mod assemble;

pub use assemble::{Assembly, Crd, Options, assemble};
