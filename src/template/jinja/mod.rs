//! Jinja on minijinja, with interpolation that knows YAML.
