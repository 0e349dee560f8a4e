//! Output formats and source positions.
