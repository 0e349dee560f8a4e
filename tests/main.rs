//! One test binary: a module per topic. Tests drive the built binary or the public API.

mod chart;
mod check;
mod create;
mod dependency;
mod diagnostics;
mod helm;
mod hook;
mod index;
mod jinja;
mod layering;
mod lookup;
mod mistakes;
mod mixed;
mod package;
mod pull;
mod push;
mod readme;
mod render;
mod repository;
mod schema;
mod server;
mod servers;
mod support;
mod validate;
mod values;
mod yaml;
