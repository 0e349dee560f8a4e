//! Collecting the documents of all rendered texts, and printing them as `helm template` does.

use super::glob::glob;
use super::{Depth, Event, Head, Manifest, Text, documents, order};
use crate::diagnostic::{Diagnostic, Sources, Span};
use crate::yaml;
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

/// Splits texts into documents, reads them, drops hooks for unknown events and sorts the rest. Documents that Helm
/// would refuse are left out and reported, and so are suspicious ones, with warnings as they are: duplicate keys.
pub fn collect(mut texts: Vec<Text>, depth: Depth, sources: &Sources) -> (Manifests, Vec<Diagnostic>) {
    texts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut manifests = Manifests::default();
    let mut findings = Vec::new();
    for Text { name, file } in texts {
        for range in documents(sources.text(file)) {
            let span = Span::new(file, range.start, range.end);
            if depth == Depth::Head
                && let Some(head) = yaml::head(&sources.text(file)[range.clone()])
            {
                manifests.add(Manifest { source: Arc::clone(&name), span, head: Head::quick(&head), node: None });
                continue;
            }
            let mut parsed = yaml::read_range(sources.text(file), range, file);
            findings.append(&mut parsed.findings);
            let read = parsed.first().map_err(|error| Box::new(error.diagnostic));
            match read.and_then(|node| Ok((Head::read(&node)?, node))) {
                Ok((head, node)) => {
                    manifests.add(Manifest { source: Arc::clone(&name), span, head, node: Some(node) });
                }
                Err(finding) => findings.push(*finding),
            }
        }
    }
    order::sort(&mut manifests.objects);
    order::sort(&mut manifests.hooks);
    (manifests, findings)
}

impl Manifests {
    fn add(&mut self, manifest: Manifest) {
        match manifest.head {
            Head { is_dropped: true, .. } => {}
            Head { ref events, .. } if events.is_empty() => self.objects.push(manifest),
            _ => self.hooks.push(manifest),
        }
    }

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

    /// What `helm template` prints, in pieces that are printed one after the other.
    pub fn stream<'a>(&'a self, sources: &'a Sources, whole: &'a [Whole<'a>], hooks: Hooks) -> Vec<&'a str> {
        let mut pieces = Vec::with_capacity(5 * (self.objects.len() + self.hooks.len() + whole.len()) + 1);
        for file in whole {
            pieces.extend(framed(&file.source, file.text));
        }
        for manifest in &self.objects {
            pieces.extend(framed(&manifest.source, manifest.text(sources)));
        }
        // Helm trims all but the hooks.
        while let Some(last) = pieces.last_mut() {
            *last = last.trim_end();
            if !last.is_empty() {
                break;
            }
            pieces.pop();
        }
        pieces.push("\n");
        for hook in self.shown_hooks(hooks) {
            pieces.extend(framed(&hook.source, hook.text(sources)));
        }
        pieces
    }
}

impl Manifest {
    /// The document's text.
    pub fn text<'a>(&self, sources: &'a Sources) -> &'a str {
        &sources.text(self.span.file)[self.span.start as usize..self.span.end as usize]
    }
}

/// A document as it stands in the stream.
pub fn framed<'a>(source: &'a str, text: &'a str) -> [&'a str; 5] {
    ["---\n# Source: ", source, "\n", text, "\n"]
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

/// Whether a pattern of `--show-only` names the template with this `# Source:`.
pub fn names(pattern: &str, source: &str) -> bool {
    source.split_once('/').is_some_and(|(_, path)| glob(pattern, path))
}

/// The path below the chart in a document's first `# Source: CHART/PATH`.
fn source_path(document: &str) -> Option<&str> {
    document.match_indices("# Source: ").find_map(|(at, comment)| {
        let line = document[at + comment.len()..].split('\n').next()?;
        let (chart, path) = line.split_once('/')?;
        (!chart.is_empty() && !path.is_empty()).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stream of these rendered files, and the messages of the findings.
    fn stream(files: &[(&str, &str)], hooks: Hooks) -> (String, Vec<String>) {
        let mut sources = Sources::default();
        let texts = files
            .iter()
            .map(|(name, text)| Text { name: (*name).into(), file: sources.add_rendered(name, *text) })
            .collect();
        let (manifests, findings) = collect(texts, Depth::Full, &sources);
        let say = |finding: &Diagnostic| {
            let place = finding.labels.first().map(|label| sources.locate(label.span)).unwrap_or_default();
            format!("{place}: {}", finding.message)
        };
        (manifests.stream(&sources, &[], hooks).concat(), findings.iter().map(say).collect())
    }

    #[test]
    fn objects_come_in_install_order_and_hooks_last() {
        let files = [
            ("t/templates/z.yaml", "kind: Foo\n---\nkind: Namespace\n"),
            ("t/templates/a.yaml", "kind: Bar\n---\n# only a comment\n---\nkind: Namespace\nx: 1\n\n\n"),
            ("t/templates/h.yaml", "kind: Job\nmetadata: {annotations: {helm.sh/hook: 'Test , pre-install'}}"),
            ("t/templates/u.yaml", "kind: Job\nmetadata: {annotations: {helm.sh/hook: bogus}}"),
        ];
        let objects = "---\n# Source: t/templates/a.yaml\nkind: Namespace\nx: 1\n\n\n\n\
                       ---\n# Source: t/templates/z.yaml\nkind: Namespace\n\n\
                       ---\n# Source: t/templates/a.yaml\n# only a comment\n\n\
                       ---\n# Source: t/templates/a.yaml\nkind: Bar\n\n\
                       ---\n# Source: t/templates/z.yaml\nkind: Foo\n";
        let hook = "---\n# Source: t/templates/h.yaml\nkind: Job\nmetadata: {annotations: {helm.sh/hook: 'Test , pre-install'}}\n";
        assert_eq!(stream(&files, Hooks::All), (format!("{objects}{hook}"), vec![]));
        assert_eq!(stream(&files, Hooks::NoTests).0, objects);
        assert_eq!(stream(&files, Hooks::None).0, objects);
        assert_eq!(stream(&[], Hooks::All).0, "\n");
    }

    #[test]
    fn what_helm_refuses_is_refused_at_its_line() {
        for (text, expected) in [
            ("a: 1\n---\n- x\n", "rendered t:3:1: a document must be a mapping, found a list"),
            ("kind: [a]\n", "rendered t:1:7: `kind` must be a string, found a list"),
            ("\nmetadata: x\n", "rendered t:2:11: `metadata` must be a mapping, found a string"),
            (
                "metadata:\n  annotations:\n    a: {}\n",
                "rendered t:3:8: `metadata.annotations[\"a\"]` must be a string, found a mapping",
            ),
        ] {
            assert_eq!(stream(&[("t", text)], Hooks::All).1, [expected], "{text:?}");
        }
        for text in
            ["kind: 5\nmetadata: {name: 1.5, annotations: {a: true, b: null}}", "Kind: x\nmetadata:", "# nothing"]
        {
            assert_eq!(stream(&[("t", text)], Hooks::All).1, [""; 0], "{text:?}");
        }
    }
}
