//! Rendered text as Kubernetes objects: splitting into documents, hooks, install order, and the stream that is
//! printed. Documents are ranges of the rendered text; nothing is copied until the stream is written.

mod glob;
mod head;
mod hook;
mod order;
mod split;
mod stream;

pub use head::Head;
pub use hook::Event;
pub use split::documents;
pub use stream::{Hooks, Manifests, Whole, collect, framed, names, show_only};

use crate::diagnostic::{FileId, Span};
use crate::yaml::Node;
use std::sync::Arc;

/// One document of a chart's rendered text: a Kubernetes object, or a comment.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The template that wrote it, as in `# Source:` comments: `web/templates/service.yaml`.
    pub source: Arc<str>,
    /// The document in its rendered text, without the separator and leading blanks.
    pub span: Span,
    pub head: Head,
    /// The parsed document, where it was parsed in full; null for a document of comments.
    pub node: Option<Node>,
}

impl Manifest {
    pub fn is_hook(&self) -> bool {
        !self.head.events.is_empty()
    }
}

/// How far documents are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every node.
    Full,
    /// Only what sorting needs, where the document is plain enough to tell that the rest of it reads, too.
    Head,
}

/// A text that holds documents: what a template rendered to, or a file.
#[derive(Debug, Clone)]
pub struct Text {
    /// Becomes [`Manifest::source`].
    pub name: Arc<str>,
    pub file: FileId,
}
