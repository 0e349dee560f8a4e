//! Helm's Go template language: lexer, parser, evaluator and functions.
//!
//! Semantics, order of evaluation and error texts are those of Go's `text/template` as Helm 4.3.1 drives it.

mod ast;
mod builtins;
mod context;
mod engine;
mod error;
mod eval;
mod explain;
pub mod funcs;
mod glob;
mod lexer;
mod literal;
mod methods;
mod namespace;
mod objects;
mod output;
mod parser;
pub mod print;
mod reads;
mod shared;
mod stack;

pub use engine::Engine;
pub use funcs::duration::Duration;
pub(in crate::template) use glob::Glob;
