//! The one YAML reader and the one writer.
//!
//! Reading keeps the place of every key and value and types plain scalars as Kubernetes' and Helm's YAML library
//! does (go-yaml v2, YAML 1.1 words: `y`, `on`, `0755`, `1_000`). Writing follows Helm's `toYaml`.

mod build;
mod comment;
mod convert;
mod event;
mod explain;
mod head;
mod mapping;
mod node;
mod parse;
mod path;
mod read;
mod resolve;
mod scalar;
mod scan;
mod simple;
mod write;

pub use build::MAX_DEPTH;
pub use comment::{Comment, Comments, comments};
pub use convert::{Numbers, Step, Tags, node, untagged, value};
pub use head::{Head, head};
pub use mapping::Mapping;
pub use node::{Data, Entry, Node, Style};
pub use path::{parse_path, path_text, write_key};
pub use read::{Parsed, SyntaxError, read, read_by_tokens, read_part, read_range};
pub use resolve::{Resolved, is_timestamp, resolve};
pub use scalar::{Place, is_literal, is_plain, push_escaped, push_scalar};
pub use write::{to_yaml, to_yaml_pretty};
