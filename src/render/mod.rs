//! The pipeline: load → layer → render → parse → sort → validate, pure from loaded chart to result.

mod assemble;
mod driver;
mod origin;
mod pipeline;
mod usage;

pub use assemble::{Assembly, Crd, Options, assemble};
pub use driver::{Rendered, RenderedFile};
pub use origin::{Layers, explain};
pub use pipeline::{Outcome, evaluate, run, validate_crds};
pub use usage::Study;
