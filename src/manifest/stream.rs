//! Collecting the documents of all rendered texts, and printing them as `helm template` does.

use super::glob::glob;
use super::{Event, Head, Manifest, Text, documents, order};
use crate::diagnostic::{Diagnostic, Failure, Sources, Span};
use crate::yaml::Node;
use std::sync::Arc;

/// The documents of a chart in install order.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    pub objects: Vec<Manifest>,
    /// Hooks, in the same order of kinds (not of their weights, as in `helm template`).
    pub hooks: Vec<Manifest>,
}

/// A text that is printed whole before the documents: a file of `crds/`.
#[derive(Debug, Clone)]
pub struct Whole<'a> {
    pub source: Arc<str>,
    pub text: &'a str,
}

/// Which hooks are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hooks {
    All,
    /// All that do not run at `test`.
    NoTests,
    None,
}

/// Splits texts into documents, reads the head of each with `read`, drops hooks for unknown events and sorts the
/// rest. The documents that `read` refuses are left out; why is the second result.
pub fn collect(
    mut texts: Vec<Text>,
    sources: &Sources,
    mut read: impl FnMut(Span) -> Result<(Head, Option<Node>), Failure>,
) -> (Manifests, Vec<Diagnostic>) {
    texts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut manifests = Manifests::default();
    let mut refused = Vec::new();
    for Text { name, file } in texts {
        for range in documents(sources.text(file)) {
            let span = Span::new(file, range.start, range.end);
            match read(span) {
                Ok((head, _)) if head.is_dropped => {}
                Ok((head, node)) => {
                    let list = if head.events.is_empty() { &mut manifests.objects } else { &mut manifests.hooks };
                    list.push(Manifest { source: Arc::clone(&name), span, head, node });
                }
                Err(failure) => refused.extend(failure),
            }
        }
    }
    order::sort(&mut manifests.objects);
    order::sort(&mut manifests.hooks);
    (manifests, refused)
}

impl Manifests {
    /// Every document in the order of printing.
    pub fn iter(&self) -> impl Iterator<Item = &Manifest> {
        self.objects.iter().chain(&self.hooks)
    }

    /// The hooks to print.
    pub fn shown_hooks(&self, hooks: Hooks) -> impl Iterator<Item = &Manifest> {
        self.hooks.iter().filter(move |hook| match hooks {
            Hooks::All => true,
            Hooks::NoTests => !hook.head.events.contains(&Event::Test),
            Hooks::None => false,
        })
    }

    /// The stream, byte for byte as `helm template` prints it.
    pub fn stream(&self, sources: &Sources, whole: &[Whole<'_>], hooks: Hooks) -> String {
        let size =
            |manifest: &Manifest| manifest.source.len() + (manifest.span.end - manifest.span.start) as usize + 20;
        let total: usize = self.iter().map(size).sum::<usize>()
            + whole.iter().map(|file| file.source.len() + file.text.len() + 20).sum::<usize>();
        let mut stream = String::with_capacity(total);
        for file in whole {
            push(&mut stream, &file.source, file.text);
        }
        for manifest in &self.objects {
            push(&mut stream, &manifest.source, manifest.text(sources));
        }
        // Helm trims all but the hooks.
        stream.truncate(stream.trim_end().len());
        stream.push('\n');
        for hook in self.shown_hooks(hooks) {
            push(&mut stream, &hook.source, hook.text(sources));
        }
        stream
    }
}

impl Manifest {
    /// The document's text.
    pub fn text<'a>(&self, sources: &'a Sources) -> &'a str {
        &sources.text(self.span.file)[self.span.start as usize..self.span.end as usize]
    }
}

/// Appends a document as it stands in the stream.
pub fn push(stream: &mut String, source: &str, text: &str) {
    stream.push_str("---\n# Source: ");
    stream.push_str(source);
    stream.push('\n');
    stream.push_str(text);
    stream.push('\n');
}

/// The documents of a stream that patterns name by template path below the chart (`templates/service.yaml`,
/// `templates/*.yaml`), in the order of the patterns: what `--show-only` prints. The error is a pattern that names
/// none.
///
/// Helm splits the printed stream again and looks for the first `# Source:` comment of each document, so the
/// second document of a file in `crds/` has none.
pub fn show_only<'a>(stream: &str, patterns: &'a [String]) -> Result<String, &'a str> {
    let shown: Vec<(&str, &str)> = documents(stream)
        .into_iter()
        .filter_map(|range| {
            let document = &stream[range];
            Some((source_path(document)?, document))
        })
        .collect();
    let mut output = String::new();
    for pattern in patterns {
        let mut found = false;
        for (path, document) in &shown {
            if glob(pattern, path) {
                found = true;
                output.push_str("---\n");
                output.push_str(document);
                output.push('\n');
            }
        }
        if !found {
            return Err(pattern);
        }
    }
    Ok(output)
}

/// The path below the chart in a document's first `# Source: CHART/PATH`.
fn source_path(document: &str) -> Option<&str> {
    document.match_indices("# Source: ").find_map(|(at, comment)| {
        let line = document[at + comment.len()..].split('\n').next()?;
        let (chart, path) = line.split_once('/')?;
        (!chart.is_empty() && !path.is_empty()).then_some(path)
    })
}
