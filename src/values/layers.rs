//! The user's layers of values: `-f` files, then `--set-json`, `--set`, `--set-string`, `--set-file` and
//! `--set-literal`, in this order whatever the order on the command line. Later ones win.

use super::json;
use super::set::{self, Flag, ReadFile};
use crate::chart::{merge, read_values};
use crate::diagnostic::{Code, Diagnostic, Failure, FileId, Sources, Span};
use crate::yaml::{Data, Mapping, Node};
use std::sync::Arc;

/// Values that the user gives, in the order of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// A values file: its name as the user knows it (`prod.yaml`, `<stdin>`, a URL), and its text.
    File { name: String, text: Arc<str> },
    /// The argument of a `--set` flag.
    Argument { flag: Flag, text: String },
}

/// The user's values.
#[derive(Debug, Clone)]
pub struct Layered {
    /// All layers merged, nulls included. A mapping.
    pub values: Node,
    /// Each layer by itself, lowest first, under the name of its source.
    pub layers: Vec<(Arc<str>, Node)>,
    /// Duplicate keys in files.
    pub findings: Vec<Diagnostic>,
}

impl Layered {
    /// No layers.
    pub fn none() -> Self {
        Layered { values: Node::empty_map(FileId(0)), layers: Vec::new(), findings: Vec::new() }
    }

    /// Reads and merges layers. Their texts go to `sources`, arguments as `<--set 1>`. `read_file` reads the files
    /// that `--set-file` names.
    pub fn read(layers: Vec<Layer>, sources: &mut Sources, read_file: &mut ReadFile<'_>) -> Result<Self, Failure> {
        let mut layered = Layered::none();
        let mut arguments = Vec::new();
        for layer in layers {
            match layer {
                Layer::File { name, text } => {
                    let name: Arc<str> = name.into();
                    let text = text.strip_prefix('\u{feff}').map_or(Arc::clone(&text), Arc::from);
                    let file = sources.add(Arc::clone(&name), text);
                    let read = read_values(file, sources)?;
                    layered.values = merge(&layered.values, &read.values);
                    layered.findings.extend(read.findings);
                    layered.layers.push((name, read.values));
                }
                Layer::Argument { flag, text } => arguments.push((flag, text)),
            }
        }
        arguments.sort_by_key(|(flag, _)| *flag);
        let mut count = 0;
        let mut last = None;
        for (flag, text) in arguments {
            count = if last == Some(flag) { count + 1 } else { 1 };
            last = Some(flag);
            layered.argument(flag, &text, count, sources, read_file)?;
        }
        Ok(layered)
    }

    fn argument(
        &mut self,
        flag: Flag,
        text: &str,
        number: usize,
        sources: &mut Sources,
        read_file: &mut ReadFile<'_>,
    ) -> Result<(), Failure> {
        let name: Arc<str> = format!("<{} {number}>", flag.name()).into();
        let file = sources.add(Arc::clone(&name), text);
        let failed = |message: String, span: Span| {
            let message = format!("failed parsing {} data: {message}", flag.name());
            vec![Diagnostic::new(Code::InvalidValues, message).label(span, "")]
        };
        let whole = Span::new(file, 0, text.len());
        if flag == Flag::SetJson && text.trim_start().starts_with('{') {
            let start = text.len() - text.trim_start().len();
            let (node, end) = json::prefix(text, start, file)
                .map_err(|error| failed(error.message, Span::new(file, error.at, error.at)))?;
            if !text[end..].trim().is_empty() {
                return Err(failed("there is text after the JSON object".to_owned(), Span::new(file, end, text.len())));
            }
            self.values = merge(&self.values, &node);
            self.layers.push((name, node));
            return Ok(());
        }
        let mut alone = Mapping::default();
        let mut values = std::mem::replace(&mut self.values, Node::empty_map(file));
        if let Data::Map(map) = &mut values.data {
            set::apply(flag, text, file, Arc::make_mut(map), read_file)
                .map_err(|error| failed(error.message, error.span))?;
        }
        self.values = values;
        // What the argument says by itself, for origins. It fits: it has just been applied.
        let _ = set::apply(flag, text, file, &mut alone, read_file);
        self.layers.push((name, Node::new(whole, Data::Map(Arc::new(alone)))));
        Ok(())
    }
}
