//! Chart archives: reproducible writing, digests, provenance. Reading them is `chart`'s, as for directories.

mod metadata;

pub use metadata::{dependency_json, metadata_json};
