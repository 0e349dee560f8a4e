//! Values files: YAML whose documents are merged into one mapping.

use super::chartfile::found;
use crate::diagnostic::{Code, Diagnostic, Failure, FileId, Sources, Span};
use crate::yaml::{self, Data, Entry, Mapping, Node};
use std::ops::Range;
use std::sync::Arc;

/// A values file that was read.
#[derive(Debug, Clone)]
pub struct ValuesFile {
    /// All documents merged, later ones over earlier ones; always a mapping.
    pub values: Node,
    /// Duplicate keys.
    pub findings: Vec<Diagnostic>,
}

/// Reads a values file: a chart's `values.yaml` or one that the user gives.
pub fn read_values(file: FileId, sources: &Sources) -> Result<ValuesFile, Failure> {
    let text = sources.text(file);
    let mut values: Option<Node> = None;
    let mut findings = Vec::new();
    for range in documents(text, file)? {
        let parsed = yaml::read_range(text, range, file);
        findings.extend(parsed.findings.iter().cloned());
        let document = parsed.first().map_err(|error| vec![error.diagnostic])?;
        match document.data {
            Data::Null => {}
            Data::Map(_) => {
                values = Some(match values {
                    None => document,
                    Some(base) => merge(&base, &document),
                });
            }
            _ => {
                let found = found(&document);
                let message = format!("a values file must be a mapping of names to values, found {found}");
                return Err(vec![
                    Diagnostic::new(Code::InvalidValues, message).label(document.span, "expected `name: value`"),
                ]);
            }
        }
    }
    let values = values.unwrap_or_else(|| Node { span: Span::new(file, 0, 0), ..Node::empty_map(file) });
    Ok(ValuesFile { values, findings })
}

/// The documents of a values file, as Helm takes it apart before its YAML library sees it: at lines that start with
/// `---`, after which only a comment may follow.
fn documents(text: &str, file: FileId) -> Result<Vec<Range<usize>>, Failure> {
    let mut documents = Vec::new();
    let mut start = 0;
    let first = text.starts_with("---").then_some(0);
    for line in first.into_iter().chain(memchr::memmem::find_iter(text.as_bytes(), "\n---").map(|at| at + 1)) {
        let end = memchr::memchr(b'\n', &text.as_bytes()[line..]).map_or(text.len(), |at| line + at + 1);
        let rest = text[line + 3..end].trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            let message = format!("`---` must stand alone on its line, found `{rest}` after it");
            let span = Span::new(file, line, line + text[line..end].trim_end().len());
            return Err(vec![Diagnostic::new(Code::InvalidValues, message).label(span, "a document starts here")]);
        }
        documents.push(start..line);
        start = end;
    }
    documents.push(start..text.len());
    Ok(documents)
}

/// Merges two mappings as Helm merges `-f` files: mappings deeply, everything else replaced, nulls kept. Keys keep
/// the order of `base`, new ones follow. What does not change is shared.
pub fn merge(base: &Node, over: &Node) -> Node {
    let (Data::Map(below), Data::Map(above)) = (&base.data, &over.data) else { return over.clone() };
    if below.is_empty() {
        return over.clone();
    }
    if above.is_empty() {
        return base.clone();
    }
    let mut merged: Mapping = (**below).clone();
    for (key, entry) in above.iter() {
        match merged.get_mut(key) {
            Some(existing) => {
                *existing = Entry { key_span: entry.key_span, value: merge(&existing.value, &entry.value) }
            }
            None => {
                merged.insert(Arc::clone(key), entry.clone());
            }
        }
    }
    Node { span: over.span, style: over.style, data: Data::Map(Arc::new(merged)) }
}
