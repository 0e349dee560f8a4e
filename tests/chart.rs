//! Loading charts: directories, archives, ignore rules, metadata.
