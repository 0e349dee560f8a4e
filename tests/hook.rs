//! The pre-commit hook.
