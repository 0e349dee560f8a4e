//! Kubernetes schemas (embedded, from CRDs, from catalogs) and the checks of manifests against them.
//!
//! A [`Checker`] walks the spanned tree of a document along the [`shape`] of its kind, which is parsed from the
//! embedded bundle as far as the data reaches. Rules beyond the schema hang on definitions (see `rules`).

pub mod build;
mod bundle;
mod catalog;
mod checker;
mod compact;
mod cron;
mod custom;
mod duration;
pub mod enums;
mod facts;
mod kind;
mod names;
mod path;
mod plain;
mod pool;
mod rules;
mod scalar;
mod shape;
pub mod values;
mod version;
mod walk;
mod words;

pub use bundle::{api_versions, definitions};
pub use catalog::{BadLocation, Catalogs, Fetch};
pub use checker::{Checker, Options, Outcome, Seen, State, Wanted};
pub use compact::{read as read_shape, write as write_shape};
pub use kind::KindFilter;
pub use plain::{Passage, Plain, acceptor, fields};
pub use shape::{Field, Fields, Format, Ref, Shape, Text, Unique, Width};
pub use version::{Chosen, KubeVersion};
