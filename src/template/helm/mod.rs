//! Helm's Go template language: lexer, parser, evaluator and functions.

pub mod funcs;
pub mod print;
