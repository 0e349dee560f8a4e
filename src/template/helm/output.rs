//! The text that a template writes, with its source map.

use super::ast::Source;
use super::reads::Reads;
use crate::diagnostic::{SourceMap, Span};
use crate::value::Str;

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

/// What `include` gave to an expression.
pub(super) struct Captured {
    pub(super) text: Str,
    pub(super) map: SourceMap,
}

impl Captured {
    /// The lines that hold something, without what is around it, and where that starts.
    fn lines(&self) -> impl Iterator<Item = (&Captured, usize, &str)> + Clone {
        let mut end = 0;
        self.text.split_inclusive('\n').filter_map(move |line| {
            let start = end;
            end += line.len();
            let content = line.trim();
            (!content.is_empty()).then(|| (self, start + (line.len() - line.trim_start().len()), content))
        })
    }
}

/// Lines that a function may have dropped between two that it kept.
const MOST_SKIPPED: usize = 50;

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

    /// Writes text in which lines of these others stand, whatever is around them: `include … | nindent 4` gives the
    /// lines of the template another indentation.
    pub(super) fn lines_of(&mut self, text: &str, others: &[Captured], span: Option<Span>, reads: &mut Reads) {
        let mut known = others.iter().flat_map(Captured::lines).peekable();
        for line in text.split_inclusive('\n') {
            let start = self.text.len();
            self.text.push_str(line);
            let content = line.trim();
            if content.is_empty() {
                continue;
            }
            let mut ahead = known.clone().take(MOST_SKIPPED);
            let Some(skipped) = ahead.position(|(_, _, other)| other == content) else { continue };
            let Some((other, at, _)) = known.nth(skipped) else { continue };
            if let (Some(map), Some(span)) = (&mut self.map, span) {
                let start = start + (line.len() - line.trim_start().len());
                map.push(start, span, false, []);
                map.push_copy(start, &other.map, at..at + content.len());
            }
        }
        self.expression(span, reads);
    }

    /// Starts a new text.
    pub(super) fn capture(&mut self, is_mapped: bool) -> Waiting {
        let text = std::mem::replace(&mut self.text, self.spare.pop().unwrap_or_default());
        self.waiting += text.len();
        Waiting { text, map: std::mem::replace(&mut self.map, is_mapped.then(SourceMap::default)) }
    }

    /// Ends the text that [`Output::capture`] started, and drops it. The result is its map.
    pub(super) fn release(&mut self, outer: Waiting) -> Option<SourceMap> {
        self.waiting -= outer.text.len();
        let mut text = std::mem::replace(&mut self.text, outer.text);
        text.clear();
        self.spare.push(text);
        std::mem::replace(&mut self.map, outer.map)
    }
}
