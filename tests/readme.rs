//! The README's commands and tables.
