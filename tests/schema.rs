//! The embedded schemas.
