//! Errors of our own filters and functions, as minijinja carries them.

use crate::diagnostic::Failure;
use minijinja::{Error, ErrorKind};
use std::fmt;

/// What goes wrong in our own filters and functions.
pub(super) struct Issue {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

impl Issue {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Issue { kind: ErrorKind::InvalidOperation, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn error(self) -> Error {
        let error = Error::new(self.kind, self.message);
        match self.hint {
            Some(hint) => error.with_source(Hint(hint)),
            None => error,
        }
    }
}

/// How to fix an error; stands as its source.
#[derive(Debug)]
pub(super) struct Hint(pub(super) String);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Hint {}

/// A limit that was passed.
pub(super) fn limit(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::OutOfFuel, message.into())
}

/// Diagnostics of the other dialect; stand as an error's source.
#[derive(Debug)]
pub(super) struct Failed(pub(super) Failure);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Go template failed")
    }
}

impl std::error::Error for Failed {}
