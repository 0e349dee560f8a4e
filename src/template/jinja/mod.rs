//! Jinja on minijinja, with interpolation that knows YAML.

mod calls;
mod capture;
mod context;
mod convert;
mod data;
mod diagnose;
mod engine;
mod error;
mod files;
mod filters;
mod fragment;
mod functions;
mod names;
mod rewrite;
mod runtime;
mod scalar;
mod trace;
mod write;

pub use calls::IncludeGo;
pub use engine::Engine;
pub use functions::jinja_name;
