//! Where text came from: files, `--set` arguments and rendered output, and byte ranges in them.

use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

/// Index of a text in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A byte range of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Span { file, start: start as u32, end: end as u32 }
    }
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file that the user can open, in a chart, an archive or beside them.
    File,
    /// What a template rendered to.
    Rendered,
    /// Text from the command line or from stdin: `<--set 1>`.
    Argument,
}

#[derive(Debug, Clone)]
struct Source {
    name: Arc<str>,
    kind: Kind,
    text: Text,
    /// Where the text starts in the file: past 0 while only a part of it is in memory.
    base: u32,
    line_starts: Arc<OnceLock<Vec<u32>>>,
}

/// Brings a text when it is first looked at.
type Bring = Box<dyn FnOnce() -> Arc<str> + Send>;

/// Shared text.
#[derive(Debug, Clone)]
enum Text {
    Str(Arc<str>),
    /// Rendered text can be large, and turning a `String` into an `Arc<str>` would copy it.
    String(Arc<String>),
    Later(Arc<LazyLock<Arc<str>, Bring>>),
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Str(text) => text,
            Text::String(text) => text,
            Text::Later(text) => text,
        }
    }
}

impl Source {
    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at as u32 + 1)).collect()
        })
    }
}

/// Every text that a diagnostic may show. Cheap to clone: texts are shared.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    sources: Vec<Source>,
}

impl Sources {
    /// Adds a text under the name that users see: a path as they would type it, or `<--set 1>` for text that is in
    /// no file.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let name = name.into();
        let kind = if name.starts_with('<') { Kind::Argument } else { Kind::File };
        self.push(name, Text::Str(text.into()), kind)
    }

    /// Adds a file's text that few runs look at: it is brought when one does.
    pub fn add_later(
        &mut self,
        name: impl Into<Arc<str>>,
        bring: impl FnOnce() -> Arc<str> + Send + 'static,
    ) -> FileId {
        self.push(name.into(), Text::Later(Arc::new(LazyLock::new(Box::new(bring)))), Kind::File)
    }

    /// Adds what a template rendered to, as `rendered web/templates/service.yaml`.
    pub fn add_rendered(&mut self, name: &str, text: impl Into<String>) -> FileId {
        self.push(format!("rendered {name}").into(), Text::String(Arc::new(text.into())), Kind::Rendered)
    }

    fn push(&mut self, name: Arc<str>, text: Text, kind: Kind) -> FileId {
        let id = FileId(u32::try_from(self.sources.len()).expect("fewer than 2^32 sources"));
        self.sources.push(Source { name, kind, text, base: 0, line_starts: Arc::default() });
        id
    }

    /// Adds all texts of another collection; the result is what their ids grow by.
    pub fn append(&mut self, other: &Sources) -> u32 {
        let offset = self.sources.len() as u32;
        self.sources.extend(other.sources.iter().cloned());
        offset
    }

    pub fn kind(&self, file: FileId) -> Kind {
        self.sources[file.0 as usize].kind
    }

    pub fn name(&self, file: FileId) -> &str {
        &self.sources[file.0 as usize].name
    }

    pub fn text(&self, file: FileId) -> &str {
        &self.sources[file.0 as usize].text
    }

    /// Replaces a text; spans in it must still fit. Long runs drop texts that nothing points into, and put them back
    /// when something does.
    pub fn set_text(&mut self, file: FileId, text: impl Into<String>) {
        self.set_part(file, 0, text);
    }

    /// Replaces a text by the part of the file that starts at `base`. Spans count from the file's start; lines and
    /// columns are right again when the whole text is back.
    pub fn set_part(&mut self, file: FileId, base: u32, text: impl Into<String>) {
        let (source, text) = (&mut self.sources[file.0 as usize], text.into());
        // Of the empty text there is one for all.
        let text = if text.is_empty() { Text::Str(Arc::default()) } else { Text::String(Arc::new(text)) };
        (source.text, source.base) = (text, base);
        if source.line_starts.get().is_some() {
            source.line_starts = Arc::default();
        }
    }

    /// The text of a span; empty where it is not in memory.
    pub fn slice(&self, span: Span) -> &str {
        let source = &self.sources[span.file.0 as usize];
        let range = span.start.checked_sub(source.base).zip(span.end.checked_sub(source.base));
        range.and_then(|(start, end)| source.text.get(start as usize..end as usize)).unwrap_or_default()
    }

    /// The text itself, shared.
    pub fn shared_text(&self, file: FileId) -> Arc<str> {
        match &self.sources[file.0 as usize].text {
            Text::Str(text) => Arc::clone(text),
            Text::String(text) => text.as_str().into(),
            Text::Later(text) => Arc::clone(text),
        }
    }

    pub fn len(&self) -> usize {
        self.sources.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The line and column of a byte offset; offsets past the end count as the end.
    pub fn position(&self, file: FileId, offset: u32) -> Position {
        let source = &self.sources[file.0 as usize];
        let starts = source.line_starts();
        let offset = offset.min(source.text.len() as u32);
        let line = starts.partition_point(|&start| start <= offset);
        let start = starts[line - 1] as usize;
        let column = String::from_utf8_lossy(&source.text.as_bytes()[start..offset as usize]).chars().count() + 1;
        Position { line, column }
    }

    /// The byte range of a line, numbered from 1, without its line break.
    pub fn line_range(&self, file: FileId, line: usize) -> Range<usize> {
        let source = &self.sources[file.0 as usize];
        let starts = source.line_starts();
        let start = starts.get(line - 1).map_or(source.text.len(), |&start| start as usize);
        let end = starts.get(line).map_or(source.text.len(), |&next| next as usize - 1);
        start..end.max(start)
    }

    /// `name:line:column` of a span's start.
    pub fn locate(&self, span: Span) -> String {
        let Position { line, column } = self.position(span.file, span.start);
        format!("{}:{line}:{column}", self.name(span.file))
    }
}

/// One stretch of rendered text: what in the template wrote it, and which values it read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// Where the stretch ends in the output; it starts where the one before ends.
    end: u32,
    span: Span,
    /// Text copied from the template byte for byte, so that offsets carry over.
    literal: bool,
    /// End of this piece's entries in `reads`.
    reads: u32,
}

/// Maps offsets of rendered text to template spans, and to the spans of the values that were read there.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    pieces: Vec<Piece>,
    reads: Vec<Span>,
}

impl SourceMap {
    /// Says that output up to `end` (exclusive) was written by `span`, having read the values at `reads`.
    /// Calls come in output order. `literal` text is byte for byte that of `span`.
    pub fn push(&mut self, end: usize, span: Span, literal: bool, reads: impl IntoIterator<Item = Span>) {
        let end = end as u32;
        let before = self.reads.len();
        self.reads.extend(reads);
        // An expression that wrote nothing still read values: an image without a tag comes of an empty one.
        if self.pieces.last().is_some_and(|last| last.end > end || last.end == end && self.reads.len() == before) {
            self.reads.truncate(before);
            return;
        }
        self.pieces.push(Piece { end, span, literal, reads: self.reads.len() as u32 });
    }

    /// Says that the output from `at` on is a copy of a range of another text, which has a map of its own.
    pub fn push_copy(&mut self, at: usize, other: &SourceMap, range: Range<usize>) {
        let (from, to) = (range.start as u32, range.end as u32);
        let first = other.pieces.partition_point(|piece| piece.end <= from);
        let before = first.checked_sub(1).map(|index| other.pieces[index]);
        let (mut start, mut reads) = before.map_or((0, 0), |piece| (piece.end, piece.reads));
        for piece in &other.pieces[first..] {
            if start >= to {
                break;
            }
            let (begin, end) = (start.max(from), piece.end.min(to));
            let mut span = piece.span;
            if piece.literal {
                (span.start, span.end) = (piece.span.start + (begin - start), piece.span.start + (end - start));
            }
            let values = other.reads[reads as usize..piece.reads as usize].iter().copied();
            self.push(at + (end - from) as usize, span, piece.literal, values);
            (start, reads) = (piece.end, piece.reads);
        }
    }

    /// Follows the removal of every `part` from the text that the map is of.
    pub fn cut(&mut self, text: &str, part: &str) {
        let mut removed = text.match_indices(part).map(|(at, _)| (at as u32, (at + part.len()) as u32)).peekable();
        let mut before = 0;
        let mut start = 0;
        for piece in &mut self.pieces {
            let end = piece.end;
            while let Some(&(from, to)) = removed.peek() {
                if from >= end {
                    break;
                }
                // What is left of a text that is cut no longer stands byte for byte in the template.
                piece.literal &= to <= start;
                before += to.min(end) - from.max(start);
                if to > end {
                    break;
                }
                removed.next();
            }
            piece.end = end - before;
            start = end;
        }
    }

    /// The template span that wrote the byte at `offset`: for literal text an empty span at that very byte.
    pub fn template(&self, offset: u32) -> Option<Span> {
        let at = self.pieces.partition_point(|piece| piece.end <= offset);
        let piece = self.pieces.get(at)?;
        if !piece.literal {
            return Some(piece.span);
        }
        let start = if at == 0 { 0 } else { self.pieces[at - 1].end };
        let place = (piece.span.start + (offset - start)).min(piece.span.end);
        Some(Span { start: place, end: place, ..piece.span })
    }

    /// The values that were read for the bytes from `start` to `end`, in the order of reading, each once.
    pub fn values_in(&self, start: u32, end: u32) -> Vec<Span> {
        let first = self.pieces.partition_point(|piece| piece.end <= start);
        let last = self.pieces.partition_point(|piece| piece.end < end).min(self.pieces.len().saturating_sub(1));
        let from = if first == 0 { 0 } else { self.pieces[first - 1].reads };
        let to = self.pieces.get(last).map_or(from, |piece| piece.reads).max(from);
        let mut values: Vec<Span> = Vec::new();
        for span in &self.reads[from as usize..to as usize] {
            if !values.contains(span) {
                values.push(*span);
            }
        }
        values
    }

    /// The template spans of the expressions that read the value at this place, each once.
    pub fn readers(&self, value: Span) -> Vec<Span> {
        let mut readers = Vec::new();
        let mut start = 0;
        for piece in &self.pieces {
            let end = piece.reads as usize;
            if self.reads[start..end].contains(&value) && !readers.contains(&piece.span) {
                readers.push(piece.span);
            }
            start = end;
        }
        readers
    }

    /// The smallest value that was read and has `value` in it, and the template span that read it first.
    pub fn reader(&self, value: Span) -> Option<(Span, Span)> {
        let mut best: Option<(Span, Span)> = None;
        let mut next = 0;
        for piece in &self.pieces {
            for read in &self.reads[next..piece.reads as usize] {
                let contains = read.file == value.file && read.start <= value.start && value.end <= read.end;
                if contains && best.is_none_or(|(least, _)| read.end - read.start < least.end - least.start) {
                    best = Some((*read, piece.span));
                }
            }
            next = piece.reads as usize;
        }
        best
    }

    /// The values that the expression at `offset` read.
    pub fn values(&self, offset: u32) -> &[Span] {
        let at = self.pieces.partition_point(|piece| piece.end <= offset);
        let Some(piece) = self.pieces.get(at) else { return &[] };
        let start = if at == 0 { 0 } else { self.pieces[at - 1].reads };
        &self.reads[start as usize..piece.reads as usize]
    }
}
