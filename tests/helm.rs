//! The Helm dialect: vectors of Helm's own output.
