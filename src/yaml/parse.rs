//! Tokens to events.

use super::Style;
use super::event::{Event, Kind, Problem, Tag};
use super::scan::{Scanner, Token, TokenKind};
use std::borrow::Cow;
use std::collections::HashMap;

const CORE: &str = "tag:yaml.org,2002:";

/// What is expected next. Each open collection has one on the stack below the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirst,
    BlockSequenceEntry,
    IndentlessEntry,
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequenceEntry,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingNoValue,
    End,
}

pub(super) struct Parser<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    prefixes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    anchors: HashMap<&'a str, u32, foldhash::fast::RandomState>,
    anchor_count: u32,
    /// Where the open collections begin.
    marks: Vec<usize>,
}

type Parse<T> = Result<T, Box<Problem>>;

impl<'a> Parser<'a> {
    pub fn new(text: &'a str) -> Self {
        Parser {
            text,
            scanner: Scanner::new(text),
            state: State::ImplicitDocumentStart,
            states: Vec::new(),
            prefixes: Vec::new(),
            anchors: HashMap::default(),
            anchor_count: 0,
            marks: Vec::new(),
        }
    }

    pub fn next(&mut self) -> Parse<Event<'a>> {
        match self.state {
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirst => {
                self.open()?;
                self.block_sequence_entry()
            }
            State::BlockSequenceEntry => self.block_sequence_entry(),
            State::IndentlessEntry => self.indentless_entry(),
            State::BlockMappingFirst => {
                self.open()?;
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => {
                self.open()?;
                self.flow_sequence_entry(true)
            }
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                let at = self.scanner.peek()?.start;
                self.state = State::FlowSequenceEntry;
                Ok(Event { kind: Kind::MappingEnd, start: at, end: at })
            }
            State::FlowMappingFirst => {
                self.open()?;
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingNoValue => {
                let at = self.scanner.peek()?.start;
                self.state = State::FlowMappingKey;
                Ok(empty(at))
            }
            State::End => Ok(Event { kind: Kind::StreamEnd, start: self.text.len(), end: self.text.len() }),
        }
    }

    fn open(&mut self) -> Parse<()> {
        let start = self.scanner.take()?.start;
        self.marks.push(start);
        Ok(())
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// An error at the next token, in go-yaml's words.
    fn problem(&mut self, text: &str) -> Box<Problem> {
        match self.scanner.peek() {
            Ok(token) => {
                let at = token.start;
                self.problem_at(at, text)
            }
            Err(problem) => problem,
        }
    }

    fn problem_at(&self, at: usize, text: &str) -> Box<Problem> {
        let from = self.marks.last().copied().unwrap_or(at);
        Problem::parser(self.text, from, at, at >= self.text.len() && self.scanner.has_counted_end(), text)
    }

    fn document_start(&mut self, implicit: bool) -> Parse<Event<'a>> {
        if !implicit {
            while matches!(self.scanner.peek()?.kind, TokenKind::DocumentEnd) {
                self.scanner.take()?;
            }
        }
        self.anchors.clear();
        let token = self.scanner.peek()?;
        let (start, end) = (token.start, token.end);
        match token.kind {
            TokenKind::StreamEnd => {
                self.state = State::End;
                return Ok(Event { kind: Kind::StreamEnd, start, end });
            }
            TokenKind::Version(..) | TokenKind::TagPrefix(_) | TokenKind::DocumentStart => {}
            _ if implicit => {
                self.default_prefixes();
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                return Ok(Event { kind: Kind::DocumentStart, start, end });
            }
            _ => {}
        }
        self.directives()?;
        if !matches!(self.scanner.peek()?.kind, TokenKind::DocumentStart) {
            return Err(self.problem("did not find expected <document start>"));
        }
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        let token = self.scanner.take()?;
        Ok(Event { kind: Kind::DocumentStart, start, end: token.end })
    }

    fn directives(&mut self) -> Parse<()> {
        let mut versioned = false;
        loop {
            match &self.scanner.peek()?.kind {
                TokenKind::Version(major, minor) => {
                    if versioned {
                        return Err(self.problem("found duplicate %YAML directive"));
                    }
                    if (*major, *minor) != (1, 1) {
                        return Err(self.problem("found incompatible YAML document"));
                    }
                    versioned = true;
                }
                TokenKind::TagPrefix(directive) => {
                    let directive = (**directive).clone();
                    if self.prefixes.iter().any(|(handle, _)| *handle == directive.0) {
                        return Err(self.problem("found duplicate %TAG directive"));
                    }
                    self.prefixes.push(directive);
                }
                _ => break,
            }
            self.scanner.take()?;
        }
        self.default_prefixes();
        Ok(())
    }

    fn default_prefixes(&mut self) {
        for (handle, prefix) in [("!", "!"), ("!!", CORE)] {
            if !self.prefixes.iter().any(|(known, _)| known == handle) {
                self.prefixes.push((handle.into(), prefix.into()));
            }
        }
    }

    fn document_content(&mut self) -> Parse<Event<'a>> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::Version(..)
            | TokenKind::TagPrefix(_)
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                let at = token.start;
                self.pop();
                Ok(empty(at))
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Parse<Event<'a>> {
        let token = self.scanner.peek()?;
        let (start, mut end) = (token.start, token.start);
        if matches!(token.kind, TokenKind::DocumentEnd) {
            end = token.end;
            self.scanner.take()?;
        }
        self.prefixes.clear();
        self.state = State::DocumentStart;
        Ok(Event { kind: Kind::DocumentEnd, start, end })
    }

    fn node(&mut self, block: bool, indentless: bool) -> Parse<Event<'a>> {
        let first = self.scanner.peek()?;
        let mut start = first.start;
        if let TokenKind::Alias(name) = first.kind {
            let end = first.end;
            let Some(&anchor) = self.anchors.get(name) else {
                return Err(Problem::alias(start, name));
            };
            self.pop();
            self.scanner.take()?;
            return Ok(Event { kind: Kind::Alias { anchor, name }, start, end });
        }
        let (mut anchor, mut tag, mut properties_end) = (None, None, start);
        for _ in 0..2 {
            match self.scanner.peek()?.kind {
                TokenKind::Anchor(name) if anchor.is_none() => {
                    anchor = Some(name);
                    properties_end = self.scanner.take()?.end;
                }
                TokenKind::Tag(_) if tag.is_none() => {
                    let Token { kind, start, end } = self.scanner.take()?;
                    if let TokenKind::Tag(parts) = kind {
                        tag = Some((parts, start));
                    }
                    properties_end = end;
                }
                _ => break,
            }
        }
        let tag = match tag {
            Some((parts, at)) => self.tag(&parts, at)?,
            None => Tag::None,
        };
        let bare = anchor.is_none() && tag == Tag::None;
        let number = match anchor {
            Some(name) => {
                self.anchor_count += 1;
                self.anchors.insert(name, self.anchor_count);
                self.anchor_count
            }
            None => 0,
        };
        let token = self.scanner.peek()?;
        let end = token.end;
        // A block collection starts where its first key or dash stands, not at its anchor.
        if !bare && matches!(token.kind, TokenKind::BlockMappingStart | TokenKind::BlockSequenceStart) {
            start = token.start;
        }
        let (state, kind) = match &token.kind {
            TokenKind::BlockEntry if indentless => {
                (State::IndentlessEntry, Kind::SequenceStart { style: Style::Block, anchor: number })
            }
            TokenKind::Scalar(..) => {
                self.pop();
                let TokenKind::Scalar(text, style) = self.scanner.take()?.kind else {
                    unreachable!("the token that was seen is the one that is taken");
                };
                return Ok(Event { kind: Kind::Scalar { text, style, anchor: number, tag }, start, end });
            }
            TokenKind::FlowSequenceStart => {
                (State::FlowSequenceFirst, Kind::SequenceStart { style: Style::Flow, anchor: number })
            }
            TokenKind::FlowMappingStart => {
                (State::FlowMappingFirst, Kind::MappingStart { style: Style::Flow, anchor: number })
            }
            TokenKind::BlockSequenceStart if block => {
                (State::BlockSequenceFirst, Kind::SequenceStart { style: Style::Block, anchor: number })
            }
            TokenKind::BlockMappingStart if block => {
                (State::BlockMappingFirst, Kind::MappingStart { style: Style::Block, anchor: number })
            }
            _ if !bare => {
                self.pop();
                let kind = Kind::Scalar { text: Cow::Borrowed(""), style: Style::Plain, anchor: number, tag };
                return Ok(Event { kind, start, end: properties_end });
            }
            _ => return Err(self.problem("did not find expected node content")),
        };
        self.state = state;
        Ok(Event { kind, start, end })
    }

    fn tag(&mut self, (handle, suffix): &(Cow<'a, str>, Cow<'a, str>), at: usize) -> Parse<Tag<'a>> {
        let tag: Cow<'_, str> = if handle.is_empty() {
            Cow::Borrowed(suffix)
        } else {
            let prefix = self.prefixes.iter().find(|(known, _)| known == handle);
            match prefix {
                Some((_, prefix)) if !prefix.is_empty() || !suffix.is_empty() => {
                    Cow::Owned(format!("{prefix}{suffix}"))
                }
                _ => return Err(self.problem_at(at, "found undefined tag handle")),
            }
        };
        Ok(match tag.strip_prefix(CORE) {
            Some(name) => Tag::Core(name.to_owned().into()),
            None if tag.is_empty() => Tag::None,
            None if tag == "!" => Tag::Plain,
            None => Tag::Other,
        })
    }

    fn block_sequence_entry(&mut self) -> Parse<Event<'a>> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::BlockEntry => {
                let end = self.scanner.take()?.end;
                match self.scanner.peek()?.kind {
                    TokenKind::BlockEntry | TokenKind::BlockEnd => {
                        self.state = State::BlockSequenceEntry;
                        Ok(empty(end))
                    }
                    _ => {
                        self.states.push(State::BlockSequenceEntry);
                        self.node(true, false)
                    }
                }
            }
            TokenKind::BlockEnd => self.close(Kind::SequenceEnd),
            _ => Err(self.problem("did not find expected '-' indicator")),
        }
    }

    fn indentless_entry(&mut self) -> Parse<Event<'a>> {
        let token = self.scanner.peek()?;
        if !matches!(token.kind, TokenKind::BlockEntry) {
            let at = token.start;
            self.pop();
            return Ok(Event { kind: Kind::SequenceEnd, start: at, end: at });
        }
        let end = self.scanner.take()?.end;
        match self.scanner.peek()?.kind {
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                self.state = State::IndentlessEntry;
                Ok(empty(end))
            }
            _ => {
                self.states.push(State::IndentlessEntry);
                self.node(true, false)
            }
        }
    }

    /// Ends a collection with its closing token.
    fn close(&mut self, kind: Kind<'a>) -> Parse<Event<'a>> {
        let token = self.scanner.take()?;
        self.marks.pop();
        self.pop();
        Ok(Event { kind, start: token.start, end: token.end })
    }

    fn block_mapping_key(&mut self) -> Parse<Event<'a>> {
        match self.scanner.peek()?.kind {
            TokenKind::Key => {
                let end = self.scanner.take()?.end;
                self.block_mapping_node(State::BlockMappingValue, end)
            }
            TokenKind::BlockEnd => self.close(Kind::MappingEnd),
            _ => Err(self.problem("did not find expected key")),
        }
    }

    fn block_mapping_value(&mut self) -> Parse<Event<'a>> {
        let token = self.scanner.peek()?;
        if matches!(token.kind, TokenKind::Value) {
            let end = self.scanner.take()?.end;
            return self.block_mapping_node(State::BlockMappingKey, end);
        }
        let at = token.start;
        self.state = State::BlockMappingKey;
        Ok(empty(at))
    }

    /// A key or a value, or nothing at `at` where none stands.
    fn block_mapping_node(&mut self, then: State, at: usize) -> Parse<Event<'a>> {
        if matches!(self.scanner.peek()?.kind, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
            self.state = then;
            return Ok(empty(at));
        }
        self.states.push(then);
        self.node(true, true)
    }

    fn flow_sequence_entry(&mut self, first: bool) -> Parse<Event<'a>> {
        if matches!(self.scanner.peek()?.kind, TokenKind::FlowSequenceEnd) {
            return self.close(Kind::SequenceEnd);
        }
        if !first {
            if !matches!(self.scanner.peek()?.kind, TokenKind::FlowEntry) {
                return Err(self.problem("did not find expected ',' or ']'"));
            }
            self.scanner.take()?;
        }
        match self.scanner.peek()?.kind {
            TokenKind::Key => {
                let token = self.scanner.take()?;
                self.state = State::FlowPairKey;
                let kind = Kind::MappingStart { style: Style::Flow, anchor: 0 };
                Ok(Event { kind, start: token.start, end: token.end })
            }
            TokenKind::FlowSequenceEnd => self.close(Kind::SequenceEnd),
            _ => {
                self.states.push(State::FlowSequenceEntry);
                self.node(false, false)
            }
        }
    }

    fn flow_pair_key(&mut self) -> Parse<Event<'a>> {
        let token = self.scanner.peek()?;
        match token.kind {
            // go-yaml takes the token without a look at it.
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                let end = self.scanner.take()?.end;
                self.state = State::FlowPairValue;
                Ok(empty(end))
            }
            _ => {
                self.states.push(State::FlowPairValue);
                self.node(false, false)
            }
        }
    }

    fn flow_pair_value(&mut self) -> Parse<Event<'a>> {
        let mut at = self.scanner.peek()?.start;
        if matches!(self.scanner.peek()?.kind, TokenKind::Value) {
            self.scanner.take()?;
            let token = self.scanner.peek()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
                self.states.push(State::FlowPairEnd);
                return self.node(false, false);
            }
            at = token.start;
        }
        self.state = State::FlowPairEnd;
        Ok(empty(at))
    }

    fn flow_mapping_key(&mut self, first: bool) -> Parse<Event<'a>> {
        if matches!(self.scanner.peek()?.kind, TokenKind::FlowMappingEnd) {
            return self.close(Kind::MappingEnd);
        }
        if !first {
            if !matches!(self.scanner.peek()?.kind, TokenKind::FlowEntry) {
                return Err(self.problem("did not find expected ',' or '}'"));
            }
            self.scanner.take()?;
        }
        match self.scanner.peek()?.kind {
            TokenKind::Key => {
                self.scanner.take()?;
                let token = self.scanner.peek()?;
                if matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                    let at = token.start;
                    self.state = State::FlowMappingValue;
                    return Ok(empty(at));
                }
                self.states.push(State::FlowMappingValue);
                self.node(false, false)
            }
            TokenKind::FlowMappingEnd => self.close(Kind::MappingEnd),
            _ => {
                self.states.push(State::FlowMappingNoValue);
                self.node(false, false)
            }
        }
    }

    fn flow_mapping_value(&mut self) -> Parse<Event<'a>> {
        let mut at = self.scanner.peek()?.start;
        if matches!(self.scanner.peek()?.kind, TokenKind::Value) {
            self.scanner.take()?;
            let token = self.scanner.peek()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
            at = token.start;
        }
        self.state = State::FlowMappingKey;
        Ok(empty(at))
    }
}

/// A node that is not there.
fn empty<'a>(at: usize) -> Event<'a> {
    let kind = Kind::Scalar { text: Cow::Borrowed(""), style: Style::Plain, anchor: 0, tag: Tag::None };
    Event { kind, start: at, end: at }
}
