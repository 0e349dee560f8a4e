//! Builds the spanned tree from events: types scalars, applies `<<`, expands aliases within bounds.

use super::event::{Event, Kind, Tag};
use super::resolve::{self, Resolved};
use super::{Data, Entry, Mapping, Node, Style};
use crate::diagnostic::{Code, Diagnostic, FileId, Span};
use crate::value::number;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Nesting, also through aliases, past which a text is refused.
pub const MAX_DEPTH: u32 = 1000;

/// Why a document that parses has no value, as a diagnostic and as go-yaml words it.
#[derive(Debug)]
pub struct Refusal {
    pub diagnostic: Diagnostic,
    pub go: String,
    stage: Stage,
}

/// When Helm would notice; the earliest is what it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Decode,
    Convert,
    Marshal,
}

/// Collects the events of a document at a time.
pub struct Builder {
    file: FileId,
    /// Where the text that is read starts in the file.
    base: usize,
    open: Open,
    anchors: HashMap<u32, Anchored>,
    root: Option<Node>,
    refusal: Option<Refusal>,
    findings: Vec<Diagnostic>,
    decoded: u64,
    aliased: u64,
}

/// What is under way, and what the thread's next reader can use again: documents have their keys in common.
#[derive(Default)]
struct Open {
    frames: Vec<Frame>,
    /// Finished nodes of the open sequences.
    items: Vec<Node>,
    /// Finished entries of the open mappings.
    entries: Vec<(Key, Span, Node)>,
    /// Keys of open mappings that wait for their values.
    keys: Vec<(Key, Span)>,
    texts: Texts,
}

thread_local! {
    static LEFT: Cell<Open> = Cell::default();
}

/// Elements of larger stacks are not kept.
const MAX_LEFT: usize = 1 << 12;

impl Drop for Builder {
    fn drop(&mut self) {
        let mut open = std::mem::take(&mut self.open);
        if open.items.capacity().max(open.entries.capacity()) <= MAX_LEFT {
            open.frames.clear();
            open.items.clear();
            open.entries.clear();
            open.keys.clear();
            LEFT.set(open);
        }
    }
}

struct Frame {
    mapping: bool,
    /// The next node of a mapping is a key.
    at_key: bool,
    style: Style,
    anchor: u32,
    start: usize,
    /// Where this collection's nodes begin in `items` or `entries`.
    base: usize,
    height: u32,
    decoded_before: u64,
}

struct Anchored {
    node: Node,
    height: u32,
    /// Nodes that decoding it visits, itself included.
    weight: u64,
}

enum Key {
    Text(Arc<str>),
    /// `<<`
    Merge,
    /// A key that JSON cannot have; reported already.
    Refused,
    /// The same, to be reported with the value in these words of Go.
    Unsupported(Box<Unsupported>),
}

struct Unsupported {
    what: &'static str,
    go: String,
}

impl Builder {
    pub fn new(file: FileId, base: usize) -> Self {
        let mut open = LEFT.take();
        open.texts.slots.resize(Texts::SLOTS, None);
        Builder {
            file,
            base,
            open,
            anchors: HashMap::new(),
            root: None,
            refusal: None,
            findings: Vec::new(),
            decoded: 0,
            aliased: 0,
        }
    }

    /// Findings of all documents so far.
    pub fn take_findings(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.findings)
    }

    /// Takes any event between the start and the end of a document.
    pub fn push(&mut self, event: Event<'_>) -> Result<(), Box<Refusal>> {
        let Event { kind, start, end } = event;
        match kind {
            Kind::StreamEnd | Kind::DocumentEnd => Ok(()),
            Kind::DocumentStart => {
                self.anchors.clear();
                (self.decoded, self.aliased) = (1, 0);
                Ok(())
            }
            Kind::Alias { anchor, name } => self.alias(anchor, name, self.span(start, end)),
            Kind::Scalar { text, style, anchor, tag } => {
                self.scalar(text, style, anchor, tag, self.span(start, end));
                Ok(())
            }
            Kind::SequenceStart { style, anchor } => self.open(false, style, anchor, start, end),
            Kind::MappingStart { style, anchor } => self.open(true, style, anchor, start, end),
            Kind::SequenceEnd | Kind::MappingEnd => {
                self.close(end);
                Ok(())
            }
        }
    }

    /// The document that has just ended.
    pub fn finish(&mut self) -> Result<Node, Box<Refusal>> {
        let root = self.root.take();
        match self.refusal.take() {
            Some(refusal) => Err(Box::new(refusal)),
            None => Ok(root.unwrap_or_else(|| Node::new(self.span(0, 0), Data::Null))),
        }
    }

    pub fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, self.base + start, self.base + end)
    }

    /// A mapping or sequence starts, of whose text `end` is not the end but that of its first token.
    pub fn open(
        &mut self,
        mapping: bool,
        style: Style,
        anchor: u32,
        start: usize,
        end: usize,
    ) -> Result<(), Box<Refusal>> {
        if self.open.frames.len() as u32 >= MAX_DEPTH {
            return Err(too_deep(self.span(start, end)));
        }
        let base = if mapping { self.open.entries.len() } else { self.open.items.len() };
        self.open.frames.push(Frame {
            mapping,
            at_key: mapping,
            style,
            anchor,
            start,
            base,
            height: 1,
            decoded_before: self.decoded,
        });
        self.count(1, 0, self.span(start, end));
        Ok(())
    }

    /// A key, where one is due, or else a finished node.
    #[inline]
    pub fn scalar(&mut self, text: Cow<'_, str>, style: Style, anchor: u32, tag: Tag<'_>, span: Span) {
        let is_key = self.open.frames.last().is_some_and(|frame| frame.at_key);
        let plain = tag == Tag::None && style == Style::Plain;
        let merges = is_key
            && text == "<<"
            && (plain || tag == Tag::Plain || matches!(&tag, Tag::Core(name) if name == "merge"));
        if !merges {
            self.count(1, 0, span);
        }
        let mut text = text;
        let merged = !is_key && matches!(self.open.keys.last(), Some((Key::Merge, _))) && self.in_mapping();
        let resolved = match &tag {
            _ if merges || merged => Resolved::Str,
            _ if plain => resolve::resolve(&text),
            Tag::Core(name) => match resolve::tagged(name, &text) {
                Ok(resolve::Tagged::Value(resolved)) => resolved,
                Ok(resolve::Tagged::Text(decoded)) => {
                    text = Cow::Owned(decoded);
                    Resolved::Str
                }
                Err(go) => {
                    let diagnostic = Diagnostic::new(Code::YamlSyntax, format!("`{text}` is not a `!!{name}`"))
                        .label(span, "tagged so here")
                        .hint(format!("drop the tag `!!{name}`, or write a value of that type"));
                    self.refuse(Stage::Decode, diagnostic, go);
                    Resolved::Str
                }
            },
            _ => Resolved::Str,
        };
        if let Resolved::Float(number) = resolved
            && !number.is_finite()
            && !is_key
        {
            let diagnostic =
                Diagnostic::new(Code::YamlSyntax, format!("`{text}` cannot be a value: JSON has no such number"))
                    .label(span, "not a finite number")
                    .hint(format!("write `\"{text}\"` if the text is meant"));
            self.refuse(Stage::Marshal, diagnostic, format!("json: unsupported value: {}", number::format_g(number)));
        }
        if is_key {
            let key = if merges { Key::Merge } else { self.key(&text, resolved) };
            if anchor != 0 {
                let node = Node { span, style, data: self.data(&text, resolved) };
                self.anchors.insert(anchor, Anchored { node, height: 0, weight: 1 });
            }
            self.key_done(key, span);
            return;
        }
        let node = Node { span, style, data: self.data(&text, resolved) };
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), height: 0, weight: 1 });
        }
        self.place(node, 0);
    }

    fn in_mapping(&self) -> bool {
        self.open.frames.last().is_some_and(|frame| frame.mapping)
    }

    fn data(&mut self, text: &str, resolved: Resolved) -> Data {
        match resolved {
            Resolved::Null => Data::Null,
            Resolved::Bool(value) => Data::Bool(value),
            Resolved::Int(number) => Data::Int(number),
            Resolved::Uint(number) => Data::Uint(number),
            Resolved::Float(number) => Data::Float(number),
            Resolved::Str => Data::Str(self.open.texts.share(text)),
        }
    }

    /// The text of a key, as Kubernetes' YAML library writes keys into JSON.
    fn key(&mut self, text: &str, resolved: Resolved) -> Key {
        let unsupported = |what, go| Key::Unsupported(Box::new(Unsupported { what, go }));
        match resolved {
            Resolved::Str => Key::Text(self.open.texts.share(text)),
            Resolved::Bool(value) => Key::Text(self.open.texts.share(if value { "true" } else { "false" })),
            Resolved::Int(number) => Key::Text(self.open.texts.share(&number.to_string())),
            Resolved::Float(number) => Key::Text(self.open.texts.share(&float_key(number))),
            Resolved::Null => unsupported("null", "%!s(<nil>), key: <nil>".to_owned()),
            Resolved::Uint(number) => unsupported("a number past 2^63", format!("uint64, key: 0x{number:x}")),
        }
    }

    fn key_done(&mut self, key: Key, span: Span) {
        if let Some(frame) = self.open.frames.last_mut() {
            frame.at_key = false;
        }
        self.open.keys.push((key, span));
    }

    /// Puts a finished node where it belongs: an item, a mapping's value, a mapping's key, or the root.
    fn place(&mut self, node: Node, height: u32) {
        let Some(frame) = self.open.frames.last_mut() else {
            self.root = Some(node);
            return;
        };
        frame.height = frame.height.max(height + 1);
        if !frame.mapping {
            self.open.items.push(node);
            return;
        }
        if frame.at_key {
            let span = node.span;
            let key = match &node.data {
                Data::Null => self.key("", Resolved::Null),
                Data::Bool(value) => self.key("", Resolved::Bool(*value)),
                Data::Int(number) => self.key("", Resolved::Int(*number)),
                Data::Uint(number) => self.key("", Resolved::Uint(*number)),
                Data::Float(number) => self.key("", Resolved::Float(*number)),
                Data::Str(text) => Key::Text(Arc::clone(text)),
                Data::Seq(_) | Data::Map(_) => {
                    self.refuse_key(&node);
                    Key::Refused
                }
            };
            self.key_done(key, span);
            return;
        }
        frame.at_key = true;
        let (mut key, key_span) = self.open.keys.pop().unwrap_or((Key::Refused, node.span));
        if let Key::Unsupported(unsupported) = &key {
            let Unsupported { what, go } = &**unsupported;
            let value = if node.is_null() { "<nil>".to_owned() } else { go_syntax(&node) };
            let go = format!("unsupported map key of type: {go}, value: {value}");
            let diagnostic = Diagnostic::new(Code::YamlSyntax, format!("a key cannot be {what}"))
                .label(key_span, "this key")
                .hint("write the key as a quoted string");
            self.refuse(Stage::Convert, diagnostic, go);
            key = Key::Refused;
        }
        self.open.entries.push((key, key_span, node));
    }

    fn refuse_key(&mut self, node: &Node) {
        let what = if matches!(node.data, Data::Map(_)) { "a mapping" } else { "a list" };
        let outer = self.open.frames.last().map(|frame| (self.base + frame.start) as u32);
        let diagnostic = if node.style == Style::Flow && outer.is_some_and(|outer| outer + 1 == node.span.start) {
            let braces = Span { start: node.span.start - 1, end: node.span.end + 1, ..node.span };
            Diagnostic::new(Code::YamlSyntax, "found `{{`, which YAML reads as a mapping for a key")
                .label(braces, "a template expression without quotes")
                .hint("quote it: `\"{{ … }}\"`")
        } else {
            Diagnostic::new(Code::YamlSyntax, format!("a key must be text, found {what}"))
                .label(node.span, "this key")
                .hint("write the key as a quoted string")
        };
        self.refuse(Stage::Decode, diagnostic, format!("yaml: invalid map key: {}", go_syntax(node)));
    }

    fn alias(&mut self, id: u32, name: &str, span: Span) -> Result<(), Box<Refusal>> {
        let Some(anchored) = self.anchors.get(&id) else {
            let diagnostic = Diagnostic::new(Code::YamlSyntax, "an alias stands inside the very node it names")
                .label(span, "this alias")
                .hint("an anchored node cannot contain itself");
            self.refuse(Stage::Decode, diagnostic, format!("yaml: anchor '{name}' value contains itself"));
            self.place(Node::new(span, Data::Null), 0);
            return Ok(());
        };
        let (height, weight) = (anchored.height, anchored.weight);
        let node = Node { span, ..anchored.node.clone() };
        if self.open.frames.len() as u32 + height > MAX_DEPTH {
            return Err(too_deep(span));
        }
        self.count(1 + weight, weight, span);
        self.place(node, height);
        Ok(())
    }

    /// Counts nodes as go-yaml's decoder does and applies its bound on what aliases may expand to.
    #[inline]
    fn count(&mut self, decoded: u64, aliased: u64, span: Span) {
        self.decoded = self.decoded.saturating_add(decoded);
        self.aliased = self.aliased.saturating_add(aliased);
        if self.aliased > 100 && self.decoded > 1000 {
            self.bound(span);
        }
    }

    fn bound(&mut self, span: Span) {
        let total = self.decoded as f64;
        let (low, high) = (400_000.0, 4_000_000.0);
        let allowed = (0.99 - 0.89 * ((total - low) / (high - low))).clamp(0.10, 0.99);
        if self.aliased as f64 / total > allowed
            && self.refusal.as_ref().is_none_or(|known| known.stage > Stage::Decode)
        {
            let diagnostic = Diagnostic::new(Code::LimitExceeded, "aliases expand to too many nodes")
                .label(span, "the limit is passed here")
                .hint("repeat less through `*aliases` of large anchors");
            self.refuse(Stage::Decode, diagnostic, "yaml: document contains excessive aliasing".to_owned());
        }
    }

    /// The innermost collection ends.
    pub fn close(&mut self, end: usize) {
        let Some(frame) = self.open.frames.pop() else { return };
        let (data, last) = match frame.mapping {
            true => self.mapping(frame.base),
            false => {
                let items: Vec<Node> = self.open.items.drain(frame.base..).collect();
                let last = items.last().map(|last| last.span.end);
                (Data::Seq(Arc::new(items)), last)
            }
        };
        let end = match (frame.style, last) {
            (Style::Block, Some(last)) => last as usize - self.base,
            _ => end,
        };
        let node = Node { span: self.span(frame.start, end.max(frame.start)), style: frame.style, data };
        if frame.anchor != 0 {
            let weight = self.decoded - frame.decoded_before;
            self.anchors.insert(frame.anchor, Anchored { node: node.clone(), height: frame.height, weight });
        }
        self.place(node, frame.height);
    }

    /// A mapping of the entries from `base` on, and where the last one ends.
    fn mapping(&mut self, base: usize) -> (Data, Option<u32>) {
        let mut entries = std::mem::take(&mut self.open.entries);
        let mut map = Mapping::with_capacity(entries.len() - base);
        let mut merged: Option<HashSet<Arc<str>>> = None;
        let last = entries.last().filter(|_| entries.len() > base);
        let last = last.map(|(_, key_span, value)| value.span.end.max(key_span.end));
        for (key, key_span, value) in entries.drain(base..) {
            match key {
                Key::Refused | Key::Unsupported(_) => {}
                Key::Merge => self.merge(&mut map, merged.get_or_insert_default(), &value),
                Key::Text(key) => {
                    let (at, earlier) = map.insert_full(key, Entry { key_span, value });
                    let Some(earlier) = earlier else { continue };
                    let Some((key, _)) = map.get_index(at) else { continue };
                    if merged.as_mut().is_none_or(|merged| !merged.remove(key)) {
                        self.findings.push(
                            Diagnostic::new(Code::DuplicateKey, format!("the key `{key}` stands twice in one mapping"))
                                .label(key_span, "this one counts")
                                .label(earlier.key_span, "this one is lost")
                                .hint("keep one of the two"),
                        );
                    }
                }
            }
        }
        self.open.entries = entries;
        (Data::Map(Arc::new(map)), last)
    }

    /// `<<` in go-yaml's order: it overrides what stands before it; of a list, the first mapping wins.
    fn merge(&mut self, map: &mut Mapping, merged: &mut HashSet<Arc<str>>, value: &Node) {
        if self.refusal.is_some() {
            return;
        }
        let mut insert = |node: &Node| match node.as_map() {
            Some(source) => {
                for (key, entry) in source {
                    merged.insert(Arc::clone(key));
                    map.insert(Arc::clone(key), entry.clone());
                }
                true
            }
            None => false,
        };
        let fine = match &value.data {
            Data::Map(_) => insert(value),
            Data::Seq(items) => items.iter().rev().all(insert),
            _ => false,
        };
        if !fine {
            let diagnostic = Diagnostic::new(Code::YamlSyntax, "`<<` must name a mapping or a list of mappings")
                .label(value.span, "expected a mapping")
                .hint("write `<<: *name` with the anchor `&name` on a mapping");
            let go = "yaml: map merge requires map or sequence of maps as the value".to_owned();
            self.refuse(Stage::Decode, diagnostic, go);
        }
    }

    fn refuse(&mut self, stage: Stage, diagnostic: Diagnostic, go: String) {
        if self.refusal.as_ref().is_none_or(|known| stage < known.stage) {
            self.refusal = Some(Refusal { diagnostic, go, stage });
        }
    }
}

fn too_deep(span: Span) -> Box<Refusal> {
    let diagnostic = Diagnostic::new(Code::LimitExceeded, format!("nested deeper than {MAX_DEPTH} levels"))
        .label(span, "too deep from here on")
        .hint("flatten the structure");
    Box::new(Refusal { diagnostic, go: format!("yaml: exceeded max depth of {MAX_DEPTH}"), stage: Stage::Decode })
}

/// A float key's text: shortest digits of single precision.
fn float_key(number: f64) -> String {
    if number.is_nan() {
        ".nan".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { ".inf" } else { "-.inf" }.to_owned()
    } else {
        number::format_float(number, b'g', None, number::Bits::B32)
    }
}

/// Go's `%#v` of a decoded node, for error texts.
fn go_syntax(node: &Node) -> String {
    match &node.data {
        Data::Null => "interface {}(nil)".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Uint(number) => format!("0x{number:x}"),
        Data::Float(number) => number::format_g(*number),
        Data::Str(text) => format!("{text:?}"),
        Data::Seq(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Data::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| Arc::clone(key));
            let entries: Vec<String> =
                entries.iter().map(|(key, entry)| format!("{key:?}:{}", go_syntax(&entry.value))).collect();
            format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
        }
    }
}

/// Shares the allocations of short texts that repeat, as keys do: a small direct-mapped cache.
#[derive(Default)]
struct Texts {
    slots: Vec<Option<Arc<str>>>,
}

impl Texts {
    const SLOTS: usize = 512;

    fn share(&mut self, text: &str) -> Arc<str> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > 32 {
            return Arc::from(text);
        }
        let mix = bytes.len()
            ^ usize::from(bytes[0]) << 3
            ^ usize::from(bytes[bytes.len() / 2]) << 1
            ^ usize::from(bytes[bytes.len() - 1]) << 5;
        let slot = &mut self.slots[mix % Self::SLOTS];
        match slot {
            Some(known) if **known == *text => Arc::clone(known),
            _ => {
                let shared: Arc<str> = Arc::from(text);
                *slot = Some(Arc::clone(&shared));
                shared
            }
        }
    }
}
