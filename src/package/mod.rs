//! Chart archives: reproducible writing, digests, provenance. Reading them is `chart`'s, as for directories.

mod archive;
mod build;
mod edit;
mod metadata;
pub mod provenance;

pub use archive::{Archive, FIXED_TIME, digest, pack};
pub use build::{Options, Package};
pub use edit::set_field;
pub use metadata::{dependency_json, metadata_json, value_of, yaml_of};
