//! Reading and writing YAML.
