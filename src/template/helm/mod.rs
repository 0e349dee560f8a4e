//! Helm's Go template language: lexer, parser, evaluator and functions.

mod float;
pub mod funcs;
pub mod print;
