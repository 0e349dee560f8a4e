//! The pipeline: load → layer → render → parse → sort → validate, pure from loaded chart to result.
