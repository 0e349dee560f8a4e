//! Text to tokens, for the YAML 1.1 that go-yaml v2 reads.
//!
//! What Helm and Kubernetes accept is what go-yaml accepts, so this scanner takes its decisions exactly: which
//! characters end a plain scalar, where a key may start and how far it may reach, what tabs may do, which texts are
//! refused and in which words. Text is borrowed from the source where it stands there as it is.

mod cursor;
mod scalar;
mod tag;
mod token;

pub use cursor::{Cursor, suspicious};
pub use scalar::Plain;
pub use token::{Scanner, Token, TokenKind};
