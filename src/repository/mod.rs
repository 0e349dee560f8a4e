//! Where charts are published and found: ChartMuseum, plain HTTP, OCI registries, directories.

pub mod auth;
mod error;
pub mod http;
pub mod index;

pub use error::{Error, Kind, Result, shown};
