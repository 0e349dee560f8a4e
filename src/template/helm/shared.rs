//! What the templates of a project share while they are rendered one after the other.

use super::ast::{Source, Tree};
use super::namespace::{Layer, TPL};
use super::parser::Batch;
use super::reads::Reads;
use crate::value::Str;
use std::collections::HashMap;
use std::sync::Arc;

/// Texts given to `tpl` whose parsed form is kept, in bytes.
const CACHE: usize = 16 << 20;

type Parsed = Result<Arc<[Arc<Tree>]>, Str>;

#[derive(Debug)]
pub(super) struct Shared {
    /// How many calls of each name are running.
    pub(super) includes: HashMap<Str, u32, foldhash::fast::RandomState>,
    pub(super) reads: Reads,
    parsed: HashMap<Str, Parsed, foldhash::fast::RandomState>,
    parsed_bytes: usize,
    tpl: Str,
}

impl Shared {
    pub(super) fn new(reads: Reads) -> Self {
        Shared { includes: HashMap::default(), reads, parsed: HashMap::default(), parsed_bytes: 0, tpl: TPL.into() }
    }

    /// The layer of an argument of `tpl`, or why it is no template.
    pub(super) fn parse_tpl(&mut self, text: &Str, below: &Arc<Layer>) -> Result<Arc<Layer>, String> {
        let parsed = match self.parsed.get(text) {
            Some(parsed) => parsed.clone(),
            None => {
                let mut batch = Batch::default();
                let parsed: Parsed = match batch.parse(&self.tpl, text) {
                    Ok(definitions) => {
                        let (name, text) = (Arc::clone(&self.tpl), Arc::clone(text));
                        let source = Source { name, text, file: None, ast: batch.finish() };
                        Ok(source.trees(definitions).map(Arc::new).collect())
                    }
                    Err(error) => Err(format!("template: {TPL}:{}: {}", error.line, error.message).into()),
                };
                if self.parsed_bytes > CACHE {
                    self.parsed.clear();
                    self.parsed_bytes = 0;
                }
                // Trees take about ten times their text.
                self.parsed_bytes += 256 + text.len();
                self.parsed.insert(Arc::clone(text), parsed.clone());
                parsed
            }
        };
        match parsed {
            Ok(trees) => Ok(Arc::new(Layer::above(below, &trees))),
            Err(message) => Err(message.to_string()),
        }
    }
}
