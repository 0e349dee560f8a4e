//! Helm's Go template language: lexer, parser, evaluator and functions.
