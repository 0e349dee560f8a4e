//! The one YAML reader and the one writer.
//!
//! Reading keeps the place of every key and value and types plain scalars as Kubernetes' and Helm's YAML library
//! does (go-yaml v2, YAML 1.1 words: `y`, `on`, `0755`, `1_000`). Writing follows Helm's `toYaml`.

mod node;

pub use node::{Data, Entry, Mapping, Node, Style};
