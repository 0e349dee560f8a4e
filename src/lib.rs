//! `chart` renders, validates, packages and publishes Kubernetes charts.
//!
//! Data flows one way: load → layer → render → parse → validate → write. Each stage takes plain data and
//! returns plain data; the disk is reached through [`fs`], the network through [`repository`] and the
//! terminal through [`cli`].

pub mod chart;
pub mod cli;
pub mod diagnostic;
pub mod fs;
pub mod manifest;
pub mod package;
pub mod readme;
pub mod regexp;
pub mod render;
pub mod repository;
pub mod schema;
pub mod template;
pub mod value;
pub mod values;
pub mod version;
pub mod yaml;
