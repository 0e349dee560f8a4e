//! Chart archives: reproducible writing, digests, provenance. Reading them is `chart`'s, as for directories.
