//! Jinja on minijinja, with interpolation that knows YAML.

mod fragment;
mod rewrite;
mod scalar;
