//! The way from offsets in rewritten text back to the author's source.

use std::ops::Range;

/// Text to insert into the author's source.
#[derive(Debug, Clone)]
pub(super) struct Insertion {
    /// Offset in the source, and what comes first at the same offset.
    pub(super) at: usize,
    pub(super) text: String,
    /// The source range that spans inside the inserted text stand for.
    pub(super) covers: Option<Range<usize>>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// Where the inserted text starts in the rewritten text.
    start: u32,
    end: u32,
    origin: u32,
    covers: Option<(u32, u32)>,
}

/// Maps offsets of rewritten text to the author's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offsets {
    entries: Vec<Entry>,
}

impl Offsets {
    /// Applies insertions, which are in order.
    pub(super) fn apply(source: &str, insertions: &[Insertion]) -> (String, Offsets) {
        let mut text = String::with_capacity(source.len() + insertions.iter().map(|i| i.text.len()).sum::<usize>());
        let mut entries = Vec::with_capacity(insertions.len());
        let mut done = 0;
        for insertion in insertions {
            text.push_str(&source[done..insertion.at]);
            done = insertion.at;
            let start = text.len() as u32;
            text.push_str(&insertion.text);
            entries.push(Entry {
                start,
                end: text.len() as u32,
                origin: insertion.at as u32,
                covers: insertion.covers.as_ref().map(|range| (range.start as u32, range.end as u32)),
            });
        }
        text.push_str(&source[done..]);
        (text, Offsets { entries })
    }

    fn entry(&self, at: usize) -> Option<&Entry> {
        let next = self.entries.partition_point(|entry| entry.start as usize <= at);
        next.checked_sub(1).map(|found| &self.entries[found])
    }

    /// The offset in the author's source.
    pub(crate) fn original(&self, at: usize) -> usize {
        match self.entry(at) {
            None => at,
            Some(entry) => entry.origin as usize + at.saturating_sub(entry.end as usize),
        }
    }

    /// The range in the author's source.
    pub(crate) fn range(&self, range: Range<usize>) -> Range<usize> {
        if let Some(entry) = self.entry(range.start)
            && range.start < entry.end as usize
            && let Some((start, end)) = entry.covers
        {
            return start as usize..end as usize;
        }
        let start = self.original(range.start);
        start..self.original(range.end).max(start)
    }
}
