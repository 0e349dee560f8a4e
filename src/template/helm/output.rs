//! The text that a template writes, with its source map.

use super::ast::Source;
use super::reads::Reads;
use crate::diagnostic::{SourceMap, Span};

pub(super) struct Output {
    pub(super) text: String,
    /// `None` while the text is a function's result.
    pub(super) map: Option<SourceMap>,
    /// Bytes in the texts that wait while this one is written.
    waiting: usize,
    limit: usize,
    spare: Vec<String>,
}

/// An output that waits while another is written.
pub(super) struct Waiting {
    text: String,
    map: Option<SourceMap>,
}

impl Output {
    pub(super) fn new(limit: usize, map: Option<SourceMap>) -> Self {
        Output { text: String::new(), map, waiting: 0, limit, spare: Vec::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() + self.waiting > self.limit
    }

    /// Writes text of a template as it stands.
    pub(super) fn literal(&mut self, source: &Source, start: u32, end: u32) {
        self.text.push_str(&source.text[start as usize..end as usize]);
        if let (Some(map), Some(file)) = (&mut self.map, source.file) {
            map.push(self.text.len(), Span { file, start, end }, true, []);
        }
    }

    /// Says that an expression wrote what was written last.
    pub(super) fn expression(&mut self, span: Option<Span>, reads: &mut Reads) {
        if let (Some(map), Some(span)) = (&mut self.map, span) {
            map.push(self.text.len(), span, false, reads.take_spans());
        }
    }

    /// Starts a new text.
    pub(super) fn capture(&mut self) -> Waiting {
        let text = std::mem::replace(&mut self.text, self.spare.pop().unwrap_or_default());
        self.waiting += text.len();
        Waiting { text, map: self.map.take() }
    }

    /// Ends the text that [`Output::capture`] started, and drops it.
    pub(super) fn release(&mut self, outer: Waiting) {
        self.waiting -= outer.text.len();
        let mut text = std::mem::replace(&mut self.text, outer.text);
        self.map = outer.map;
        text.clear();
        self.spare.push(text);
    }
}
