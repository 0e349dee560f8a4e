//! Walks the statements of a YAML template and decides for each expression what it stands for.

use super::Problem;
use super::code::{Content, Place, Role, Site, Spot};
use super::content;
use super::offsets::Insertion;
use super::source::Source;
use super::state::{Block, Mode, Position, State};
use super::tags::Marker;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallBlock, EmitExpr, Expr, FilterBlock, Spanned, Stmt};
use std::collections::HashSet;
use std::ops::Range;

/// What may come next in the output, as bits.
pub(super) mod next {
    pub(in super::super) const NEWLINE: u8 = 1;
    pub(in super::super) const COMMENT: u8 = 2;
    pub(in super::super) const TEXT: u8 = 4;
    /// A bracket or comma in a flow collection.
    pub(in super::super) const CLOSE: u8 = 8;
    /// A colon that makes what is before it a key.
    pub(in super::super) const KEY: u8 = 16;
}

/// A place in a list of statements; the offset is that in the text of a raw statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) index: usize,
    pub(super) offset: usize,
}

/// How a plain scalar ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Line,
    Comment,
    Key,
    /// A bracket or comma in a flow collection.
    Flow,
    /// The end of the statement list.
    List,
    /// A control block that is not part of a line.
    Structure,
    /// A control block that goes on with the scalar and then with more lines.
    Broken,
}

/// What stands from the start of a plain scalar to its end.
#[derive(Debug)]
struct Scalar {
    /// Expressions, stretches of text and control blocks; a loop counts twice.
    pieces: usize,
    dynamic: bool,
    /// The last control block or producer, by index.
    control: Option<usize>,
    ends: Ending,
    end: Cursor,
    /// A trim marker that joined two lines on the way.
    joined: Option<usize>,
}

pub(super) struct Walker<'a> {
    source: &'a Source<'a>,
    pub(super) insertions: Vec<Insertion>,
    pub(super) problems: Vec<Problem>,
    /// The sites, numbered from `base`.
    pub(super) spots: Vec<Spot>,
    base: usize,
    /// Depth of macros and captures.
    nested: usize,
    headers: HashSet<usize>,
    /// Blanks that the next site writes.
    before: Range<usize>,
    /// Address of the template's own list of statements.
    top: usize,
}

impl<'a> Walker<'a> {
    pub(super) fn new(source: &'a Source<'a>, base: usize) -> Self {
        Walker {
            source,
            insertions: Vec::new(),
            problems: Vec::new(),
            spots: Vec::new(),
            base,
            nested: 0,
            headers: HashSet::new(),
            before: 0..0,
            top: 0,
        }
    }

    /// The number of a new spot.
    fn spot(&mut self, role: Role, range: Range<usize>, outer: Range<usize>) -> usize {
        let before = std::mem::replace(&mut self.before, 0..0);
        self.spots.push(Spot { role, template: 0, range, outer, before });
        self.base + self.spots.len() - 1
    }

    /// The whole template.
    pub(super) fn template(&mut self, statements: &[Stmt<'_>]) {
        self.top = statements.as_ptr() as usize;
        let state = self.list(statements, State::start(), next::NEWLINE);
        if let (Mode::Double | Mode::Single, Some(quote)) = (state.mode, state.quote) {
            self.unclosed_quote(quote);
        }
    }

    fn insert(&mut self, at: usize, text: impl Into<String>, covers: Option<Range<usize>>) {
        self.insertions.push(Insertion { at, text: text.into(), covers });
    }

    fn problem(&mut self, range: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        let problem = Problem::new(range, message).hint(hint);
        let line = |at: usize| self.source.text[..at].rfind('\n');
        if self.problems.last().is_some_and(|last| line(last.range.start) == line(problem.range.start)) {
            return;
        }
        self.problems.push(problem);
    }

    fn unclosed_quote(&mut self, quote: usize) {
        let mark = self.source.text[quote..].chars().next().unwrap_or('"');
        self.problem(
            quote..quote + 1,
            format!("the quote `{mark}` that opens here is not closed on this line"),
            format!("add the closing `{mark}`, or leave the quotes out: an expression that stands alone needs none"),
        );
    }

    /// Walks statements from a state to the state after them. `follow` says what may come after the list.
    fn list(&mut self, list: &[Stmt<'_>], mut state: State, follow: u8) -> State {
        let mut at = Cursor { index: 0, offset: 0 };
        while let Some(statement) = list.get(at.index) {
            if let Stmt::EmitRaw(raw) = statement {
                self.raw(list, raw.raw, raw.span().start_offset as usize, &mut at, &mut state, follow);
            } else {
                self.statement(list, &mut at, &mut state, follow);
            }
        }
        state
    }

    /// Reads raw text until it ends or a scalar takes over the cursor.
    fn raw(&mut self, list: &[Stmt<'_>], raw: &str, base: usize, at: &mut Cursor, state: &mut State, follow: u8) {
        let text = raw.as_bytes();
        let index = at.index;
        while at.index == index {
            let Some(&byte) = text.get(at.offset) else {
                *at = Cursor { index: index + 1, offset: 0 };
                return;
            };
            match state.mode {
                Mode::Start => self.start(list, text, base, at, state, follow),
                Mode::Block => self.block_text(byte, text, at, state),
                _ if byte == b'\n' => {
                    state.newline();
                    at.offset += 1;
                }
                Mode::Double => {
                    at.offset += 1;
                    match byte {
                        b'"' => state.mode = Mode::After,
                        b'\\' => at.offset += 1,
                        _ => {}
                    }
                    at.offset = at.offset.min(text.len());
                }
                Mode::Single => {
                    at.offset += 1;
                    if byte == b'\'' {
                        match text.get(at.offset) {
                            Some(b'\'') => at.offset += 1,
                            _ => state.mode = Mode::After,
                        }
                    }
                }
                Mode::Comment | Mode::Header | Mode::Unknown => {
                    at.offset += memchr::memchr(b'\n', &text[at.offset..]).unwrap_or(text.len() - at.offset);
                }
                Mode::After | Mode::Open => self.after(list, text, base, at, state, follow),
            }
        }
    }

    /// One step where a node may start.
    fn start(&mut self, list: &[Stmt<'_>], text: &[u8], base: usize, at: &mut Cursor, state: &mut State, follow: u8) {
        let rest = &text[at.offset..];
        let here = base + at.offset;
        let blank_next = || match rest.get(1) {
            None => self.blank_follows(list, at.index, follow),
            Some(byte) => matches!(byte, b' ' | b'\t' | b'\n' | b'\r'),
        };
        let mut skip = |state: &mut State, count: usize| {
            at.offset += count;
            state.column += count as i32;
        };
        match rest[0] {
            b'\n' => {
                state.newline();
                at.offset += 1;
            }
            b'\t' if state.position == Position::Line && state.flow == 0 && !rest.trim_ascii_start().is_empty() => {
                let content = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(0);
                if rest[content] != b'\n' && self.nested == 0 {
                    self.problem(
                        here..here + 1,
                        "a tab indents this line, and YAML takes only blanks",
                        "replace the tab with blanks",
                    );
                }
                at.offset += content;
                state.column += content as i32;
            }
            b' ' | b'\t' | b'\r' => {
                state.blank = true;
                skip(state, 1);
            }
            b'#' => state.mode = Mode::Comment,
            b'-' if state.flow == 0 && blank_next() => {
                state.node = state.column;
                state.position = Position::Item;
                state.blank = false;
                skip(state, 1);
            }
            b'-' if state.column == 0
                && rest.starts_with(b"---")
                && matches!(rest.get(3), None | Some(b' ' | b'\n' | b'\r')) =>
            {
                state.node = -2;
                state.position = Position::Value;
                state.blank = false;
                skip(state, 3);
                if matches!(rest.get(3), Some(b'\n' | b'\r')) {
                    *state = State { column: 3, ..State::start() };
                    state.mode = Mode::Comment;
                }
            }
            b'?' | b':' if state.flow == 0 && blank_next() => {
                state.node = state.column;
                state.position = if rest[0] == b':' { Position::Value } else { Position::Item };
                skip(state, 1);
            }
            quote @ (b'"' | b'\'') => {
                self.blank_before(state, here);
                state.mode = if quote == b'"' { Mode::Double } else { Mode::Single };
                state.token = state.column;
                state.quote = Some(here);
                skip(state, 1);
            }
            b'[' | b'{' => {
                self.blank_before(state, here);
                state.token = if state.flow == 0 { state.column } else { state.token };
                state.flow += 1;
                state.blank = true;
                skip(state, 1);
            }
            b']' | b'}' if state.flow > 0 => {
                state.flow -= 1;
                state.mode = Mode::After;
                state.quote = Some(here);
                skip(state, 1);
            }
            b',' if state.flow > 0 => {
                state.blank = true;
                skip(state, 1);
            }
            b':' if state.flow > 0 => {
                state.blank = false;
                skip(state, 1);
            }
            b'&' | b'!' if rest.iter().any(|byte| matches!(byte, b' ' | b'\n')) => {
                let length = rest.iter().position(|byte| matches!(byte, b' ' | b'\n')).unwrap_or(rest.len());
                state.blank = false;
                skip(state, length);
            }
            b'|' | b'>' if state.flow == 0 && is_header(rest) => self.header(rest, here, at, state),
            _ => self.token(list, at, state, follow),
        }
    }

    fn header(&mut self, rest: &[u8], here: usize, at: &mut Cursor, state: &mut State) {
        let parent = match state.position {
            Position::Value | Position::Item => state.node.max(-1),
            Position::Line => state.open_key.unwrap_or(state.column - 1),
        };
        let digit = rest[1..].iter().take(2).find(|byte| byte.is_ascii_digit());
        state.block = Some(Block {
            parent,
            body: digit.map(|digit| parent.max(0) + i32::from(digit - b'0')),
            header: if digit.is_some() { None } else { Some(here + 1) },
            started: false,
            blank_line: false,
        });
        state.mode = Mode::Header;
        at.offset += 1;
        state.column += 1;
    }

    /// Says when a trim marker took the blank between a colon and raw text.
    fn blank_before(&mut self, state: &State, here: usize) {
        if state.flow > 0 || state.position == Position::Line || state.blank || self.nested > 0 {
            return;
        }
        if let Some(marker) = self.source.last_trim_before(here) {
            self.problem(
                marker..marker + 1,
                "the trim marker `-` removes the blank that YAML needs before this value",
                "remove the `-`",
            );
        }
    }

    /// One step in the text of a block scalar.
    fn block_text(&mut self, byte: u8, text: &[u8], at: &mut Cursor, state: &mut State) {
        let Some(block) = &mut state.block else {
            state.mode = Mode::Start;
            return;
        };
        match byte {
            b'\n' => {
                state.newline();
                at.offset += 1;
            }
            b' ' | b'\r' if block.blank_line => {
                state.column += 1;
                at.offset += 1;
            }
            _ if block.blank_line => {
                if state.column <= block.parent {
                    state.leave_block();
                } else {
                    block.body.get_or_insert(state.column);
                    block.started = true;
                    block.blank_line = false;
                }
            }
            _ => at.offset += memchr::memchr(b'\n', &text[at.offset..]).unwrap_or(text.len() - at.offset),
        }
    }

    /// One step after a scalar or a closing bracket.
    fn after(&mut self, list: &[Stmt<'_>], text: &[u8], base: usize, at: &mut Cursor, state: &mut State, follow: u8) {
        let here = base + at.offset;
        let byte = text[at.offset];
        at.offset += 1;
        match byte {
            b' ' | b'\t' | b'\r' => {}
            b'#' if at.offset < 2 || text[at.offset - 2].is_ascii_whitespace() => state.mode = Mode::Comment,
            b':' if self.is_colon(list, at.index, text, at.offset - 1, state.flow > 0, follow)
                || state.flow > 0 && state.quote.is_some() =>
            {
                self.key(state);
            }
            b',' if state.flow > 0 => {
                state.mode = Mode::Start;
                state.blank = true;
            }
            b']' | b'}' if state.flow > 0 => {
                state.flow -= 1;
                state.mode = Mode::After;
                state.quote = Some(here);
            }
            _ => {
                let quote = state.quote.filter(|&quote| matches!(self.source.text.as_bytes()[quote], b'"' | b'\''));
                if let (Mode::After, Some(quote), 0) = (state.mode, quote, self.nested)
                    && self.has_tag(quote..here)
                {
                    let mark = char::from(self.source.text.as_bytes()[quote]);
                    self.problem(
                        quote..quote + 1,
                        format!("the quote `{mark}` that opens here ends only before `{}`", self.source.excerpt(here)),
                        format!("add the missing `{mark}`, or escape a `{mark}` inside the quotes"),
                    );
                }
                state.mode = Mode::Unknown;
            }
        }
    }

    fn has_tag(&self, range: Range<usize>) -> bool {
        let text = &self.source.text[range];
        text.contains("{{") || text.contains("{%")
    }

    fn key(&mut self, state: &mut State) {
        if state.flow == 0 {
            state.node = state.token;
            state.position = Position::Value;
        }
        state.mode = Mode::Start;
        state.quote = None;
        state.dynamic = false;
        state.blank = false;
        state.column += 1;
    }

    /// A statement other than raw text.
    fn statement(&mut self, list: &[Stmt<'_>], at: &mut Cursor, state: &mut State, follow: u8) {
        let statement = &list[at.index];
        if is_silent(statement) {
            self.definition(statement);
            at.index += 1;
            return;
        }
        if state.mode == Mode::Block
            && state.block.is_some_and(|block| block.blank_line && state.column <= block.parent)
            && is_producer(statement)
        {
            state.leave_block();
        }
        if state.mode == Mode::Start {
            self.token(list, at, state, follow);
            return;
        }
        at.index += 1;
        let after = self.first(list, Cursor { index: at.index, offset: 0 }, state.flow > 0, follow);
        if !is_producer(statement) {
            *state = self.control(statement, state.clone(), after);
            return;
        }
        match state.mode {
            Mode::Double => self.producer(statement, Site::new(Place::Double, 0)),
            Mode::Single => self.producer(statement, Site::new(Place::Single, 0)),
            Mode::Comment => self.producer(statement, Site::new(Place::Comment, 0)),
            Mode::Block => self.block_site(statement, state, after),
            Mode::Header => {
                self.producer(statement, Site::new(Place::Text, 0));
                self.problem(
                    self.source.range(statement),
                    "an expression cannot stand in the line that opens a block scalar",
                    "put the expression on a line of its own below, indented, or write it without `|`: `key: {{ … }}`",
                );
            }
            _ => {
                self.producer(statement, Site::new(Place::Text, 0));
                self.misplaced(statement, state);
            }
        }
    }

    fn misplaced(&mut self, statement: &Stmt<'_>, state: &State) {
        let range = self.source.range(statement);
        if let Some(marker) = self.source.joined_before(range.start) {
            self.trim_joins(marker);
            return;
        }
        let (message, hint) = match (state.mode, state.quote) {
            (Mode::After, Some(_)) => (
                "this expression follows a value that has already ended",
                "put all of the value inside one pair of quotes",
            ),
            (Mode::Unknown, _) => (
                "it is not clear where in YAML this expression stands: the text before it ends differently depending on a control block",
                "let every branch end at the same place, best at the end of a line",
            ),
            _ => (
                "this value goes on after a control block, so it is not known where it starts",
                "put the whole value inside the block, or the whole line",
            ),
        };
        self.problem(range, message, hint);
    }

    fn trim_joins(&mut self, marker: usize) {
        self.problem(
            marker..marker + 1,
            "the trim marker `-` joins this line with the next one, and two keys end up on one line",
            "remove the `-`: lines that hold only `{% … %}` leave no blank line anyway",
        );
    }

    /// An expression in the text of a block scalar.
    fn block_site(&mut self, statement: &Stmt<'_>, state: &mut State, after: u8) {
        let Some(block) = &mut state.block else { return };
        let column = state.column;
        let alone = block.blank_line && after & !next::NEWLINE == 0;
        if block.blank_line && !block.started {
            block.body.get_or_insert(column);
            let indent = column - block.parent.max(0);
            if let (Some(header), 1..=9) = (block.header, indent)
                && self.headers.insert(header)
            {
                self.insertions.push(Insertion { at: header, text: indent.to_string(), covers: None });
            }
        }
        let site = match (alone, block.body) {
            (true, _) => Site::new(Place::BlockLine, column),
            (false, body) => Site::new(Place::BlockPart, body.unwrap_or(column)),
        };
        block.blank_line = false;
        self.producer(statement, site);
    }

    /// A node that starts here: one expression, a scalar of several pieces, or plain text.
    fn token(&mut self, list: &[Stmt<'_>], at: &mut Cursor, state: &mut State, follow: u8) {
        let scalar = self.scalar(list, *at, state.flow > 0, follow);
        if scalar.pieces == 0 {
            let statement = &list[at.index];
            at.index += 1;
            at.offset = 0;
            if !matches!(statement, Stmt::EmitRaw(_)) {
                let after = self.first(list, *at, state.flow > 0, follow);
                *state = self.control(statement, state.clone(), after);
            }
            return;
        }
        state.token = state.column;
        let (start, _) = self.source.start(list, *at);
        self.check_continuation(&scalar, state, list, *at);
        let key = scalar.ends == Ending::Key;
        if key && state.position == Position::Value && state.flow == 0 && (self.nested == 0 || scalar.dynamic) {
            if let Some(marker) = scalar.joined {
                self.trim_joins(marker);
            } else {
                let (end, _) = self.source.start(list, scalar.end);
                self.problem(
                    start..end,
                    "a value without quotes cannot contain `: `",
                    "put the whole value in double quotes",
                );
            }
        } else if key && let Some(marker) = scalar.joined {
            self.trim_joins(marker);
        }
        match (scalar.dynamic, scalar.ends) {
            (_, Ending::Broken) if scalar.joined.is_some() => self.trim_joins(scalar.joined.unwrap_or(start)),
            (true, Ending::Broken) => {
                let range = self.source.range(&list[scalar.end.index]);
                self.problem(
                    range,
                    "this control block starts within a value and goes on with other lines",
                    "end the value on its line before the block starts",
                );
            }
            (true, Ending::List) if follow & (next::TEXT | next::KEY) != 0 && state.flow == 0 => {
                let (end, _) = self.source.end(list, scalar.end);
                self.problem(
                    start..end,
                    "the scalar that starts here continues outside this control block",
                    "put the whole value inside the block, or the whole line",
                );
            }
            _ => {}
        }
        let tail = match scalar.ends {
            Ending::Comment | Ending::Flow => true,
            Ending::List => follow & !next::NEWLINE != 0,
            _ => false,
        };
        let mut site = self.site_for(state, key, tail);
        let only = (scalar.pieces == 1).then_some(scalar.control).flatten();
        match only {
            None if !scalar.dynamic => self.blank_before(state, start),
            _ if !scalar.dynamic && only.is_none() => {}
            Some(index) if is_producer(&list[index]) => {
                self.group(&mut site, list, &scalar, state);
                self.lead(&mut site, list, index, state);
                self.producer(&list[index], site);
            }
            Some(index) if !key => {
                let after = self.first(list, Cursor { index: index + 1, offset: 0 }, state.flow > 0, follow);
                *state = self.control(&list[index], state.clone(), after);
                *at = Cursor { index: index + 1, offset: 0 };
                return;
            }
            _ => self.composite(list, *at, scalar.end, site, state),
        }
        state.dynamic = scalar.dynamic;
        self.finish(at, &scalar, state);
    }

    /// Moves past a scalar.
    fn finish(&mut self, at: &mut Cursor, scalar: &Scalar, state: &mut State) {
        *at = scalar.end;
        state.quote = None;
        match scalar.ends {
            Ending::Key => {
                self.key(state);
                at.offset += 1;
            }
            Ending::List | Ending::Broken => state.mode = Mode::Open,
            _ => state.mode = Mode::After,
        }
    }

    /// A plain scalar of the line before that this line would continue.
    fn check_continuation(&mut self, scalar: &Scalar, state: &mut State, list: &[Stmt<'_>], at: Cursor) {
        let Some((parent, dynamic)) = state.plain.take() else { return };
        if state.position != Position::Line || state.flow > 0 || state.column <= parent || scalar.ends == Ending::Key {
            return;
        }
        if dynamic && at.offset > 0 || scalar.dynamic && !dynamic {
            let (start, _) = self.source.start(list, at);
            let (end, _) = self.source.end(list, scalar.end);
            self.problem(
                start..end.max(start + 1),
                "this line continues the plain value of the line before, where expressions cannot be inserted exactly",
                "write the value on one line, or as a block scalar with `|` or `>-`",
            );
        }
    }

    fn site_for(&self, state: &State, key: bool, tail: bool) -> Site {
        let mut site = match state.position {
            _ if key => Site::new(Place::Key, 0),
            _ if state.flow > 0 => Site::new(Place::Flow, 0),
            Position::Value => Site::new(Place::Value, state.node + 2),
            Position::Item => Site::new(Place::Item, state.column),
            Position::Line => Site::new(Place::Line, state.column),
        };
        site.tail = tail;
        site
    }

    /// Whether the site writes the blank before its value.
    fn lead(&mut self, site: &mut Site, list: &[Stmt<'_>], index: usize, state: &State) {
        let statement = &list[index];
        if site.place == Place::Line {
            self.line_lead(site, statement, index, list);
        }
        if site.place == Place::Key || state.flow == 0 && state.position == Position::Line {
            return;
        }
        let (tag, left, _) = self.source.edges(statement);
        let before = tag.start.checked_sub(1).map(|before| self.source.text.as_bytes()[before]);
        if !state.blank {
            site.lead = true;
            if site.place == Place::Item {
                site.column += 1;
            }
        } else if site.place == Place::Value
            && before == Some(b' ')
            && left == Marker::None
            && matches!(statement, Stmt::EmitExpr(emit) if !streams(&emit.expr))
        {
            self.insert(tag.start + 2, "-", None);
            site.lead = true;
        }
    }

    /// A line's indent and the line break before it are the site's, so that a value that vanishes leaves no blanks.
    fn line_lead(&mut self, site: &mut Site, statement: &Stmt<'_>, index: usize, list: &[Stmt<'_>]) {
        let (tag, left, _) = self.source.edges(statement);
        let Some(Stmt::EmitRaw(raw)) = index.checked_sub(1).and_then(|before| list.get(before)) else { return };
        let kept = raw.raw.trim_end().len();
        if left != Marker::None
            || kept == raw.raw.len()
            || raw.span().end_offset as usize != tag.start
            || !matches!(statement, Stmt::EmitExpr(emit) if !streams(&emit.expr))
        {
            return;
        }
        self.insert(tag.start + 2, "-", None);
        self.before = raw.span().start_offset as usize + kept..tag.start;
        site.lead = true;
    }

    /// Whether the expression is alone under a key, or one of several that are.
    fn group(&mut self, site: &mut Site, list: &[Stmt<'_>], scalar: &Scalar, state: &mut State) {
        if site.place != Place::Line {
            return;
        }
        let below = state.open_key.is_some_and(|key| key < state.column);
        if below && state.group {
            site.first = !state.grouped;
            site.last = self.line_after(list, scalar.end).is_some_and(|column| column < state.column);
            state.grouped = true;
        }
        state.alone = true;
    }

    /// The column of the next line with text; -1 at the end of the template, `None` where it depends.
    fn line_after(&self, list: &[Stmt<'_>], from: Cursor) -> Option<i32> {
        let mut column = None;
        for (index, statement) in list.iter().enumerate().skip(from.index) {
            let Stmt::EmitRaw(raw) = statement else {
                return if is_producer(statement) { column } else { None };
            };
            let skipped = if index == from.index { from.offset } else { 0 };
            for &byte in &raw.raw.as_bytes()[skipped..] {
                column = match (byte, column) {
                    (b'\n', _) => Some(0),
                    (b' ' | b'\r', Some(count)) => Some(count + 1),
                    (b' ' | b'\r', None) => None,
                    _ => return column,
                };
            }
        }
        (list.as_ptr() as usize == self.top).then_some(-1)
    }

    /// Walks a control block from a state.
    fn control(&mut self, statement: &Stmt<'_>, state: State, follow: u8) -> State {
        match statement {
            Stmt::IfCond(cond) => {
                let yes = self.list(&cond.true_body, state.clone(), follow);
                let no = self.list(&cond.false_body, state, follow);
                State::join(yes, no)
            }
            Stmt::ForLoop(each) => {
                let flow = state.flow > 0;
                let again = self.first(&each.body, Cursor { index: 0, offset: 0 }, flow, follow);
                let mut inside = state.clone();
                inside.open_key = None;
                inside.group = false;
                let body = self.list(&each.body, inside, follow | again);
                let none = self.list(&each.else_body, state, follow);
                State::join(body, none)
            }
            Stmt::WithBlock(with) => self.list(&with.body, state, follow),
            Stmt::Block(block) => self.list(&block.body, state, follow),
            Stmt::AutoEscape(escape) => {
                let start = self.source.range(statement).start;
                self.problem(
                    start..start + "autoescape".len(),
                    "`autoescape` has no meaning in a YAML template",
                    "remove it; `|raw` inserts one value as it is",
                );
                self.list(&escape.body, state, follow)
            }
            _ => state,
        }
    }

    /// Statements that write nothing here but have a body.
    fn definition(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Macro(definition) => {
                let number = self.body(&definition.body, definition.span());
                self.insertions.push(macro_wrapper(self.source, statement, definition.name, number));
            }
            Stmt::SetBlock(set) => {
                let number = self.body(&set.body, set.span());
                self.insert(set.target.span().end_offset as usize, format!("|__cap({number})"), None);
            }
            _ => {}
        }
    }

    /// The body of a macro or capture; gives its number.
    fn body(&mut self, body: &[Stmt<'_>], statement: Span) -> usize {
        let range = self.source.body(statement);
        let content = content::of(body);
        let indent = self.source.trimmed_indent(range.start);
        match content {
            Content::Fragment => self.fragment(body, indent),
            _ => self.texts(body, Place::Text, true),
        }
        let indent = if content == Content::Fragment { indent } else { 0 };
        self.spot(Role::Body(content, indent), range.clone(), range)
    }

    fn fragment(&mut self, body: &[Stmt<'_>], indent: usize) {
        self.nested += 1;
        let state = State { column: indent as i32, ..State::start() };
        self.list(body, state, next::NEWLINE);
        self.nested -= 1;
    }

    /// Expressions that are parts of a text. `sole` says that nothing else is in it so far.
    fn texts(&mut self, list: &[Stmt<'_>], place: Place, sole: bool) {
        let pieces = content::pieces(list);
        for statement in list {
            let sole = sole && pieces <= 1;
            match statement {
                Stmt::IfCond(cond) => {
                    self.texts(&cond.true_body, place, sole);
                    self.texts(&cond.false_body, place, sole);
                }
                Stmt::ForLoop(each) => {
                    self.texts(&each.body, place, false);
                    self.texts(&each.else_body, place, false);
                }
                Stmt::WithBlock(with) => self.texts(&with.body, place, sole),
                Stmt::AutoEscape(escape) => self.texts(&escape.body, place, sole),
                Stmt::Block(block) => self.texts(&block.body, place, sole),
                _ if is_producer(statement) => {
                    let mut site = Site::new(place, 0);
                    site.sole = sole && place == Place::Text;
                    self.producer(statement, site);
                }
                _ => self.definition(statement),
            }
        }
    }

    /// Wraps what writes something so that its value is written for the site.
    fn producer(&mut self, statement: &Stmt<'_>, site: Site) {
        match statement {
            Stmt::EmitExpr(emit) => self.expression(emit, site),
            Stmt::Include(include) => {
                let whole = site.place == Place::Line && site.column == 0;
                if whole && !site.first {
                    return;
                }
                let site = Site { include: true, text: super::is_text_name(&include.name), ..site };
                self.wrap(
                    statement,
                    "__y",
                    site,
                    include.span().start_offset as usize..include.span().end_offset as usize,
                );
            }
            Stmt::CallBlock(call) => self.call(statement, call, site),
            Stmt::FilterBlock(filter) => self.filter(filter, site),
            _ => {}
        }
    }

    fn expression(&mut self, emit: &Spanned<EmitExpr<'_>>, site: Site) {
        if streams(&emit.expr) {
            return;
        }
        let range = emit.span().start_offset as usize..emit.span().end_offset as usize;
        self.insert(range.start, "(", None);
        let outer = self.source.tag_range(range.start);
        let spot = self.spot(Role::Site(site), range.clone(), outer);
        self.insert(range.end, format!(")|__y({spot})"), Some(range));
    }

    fn call(&mut self, statement: &Stmt<'_>, call: &CallBlock<'_>, site: Site) {
        let range = call.call_expr_span.start_offset as usize..call.call_expr_span.end_offset as usize;
        let body = self.source.after_tag(range.start);
        let indent = self.source.trimmed_indent(body);
        self.wrap(statement, "__y", site, range);
        self.fragment(&call.macro_decl.body, indent);
    }

    fn filter(&mut self, filter: &Spanned<FilterBlock<'_>>, site: Site) {
        let range = filter.filter_span.start_offset as usize..filter.filter_span.end_offset as usize;
        let number = self.body(&filter.body, filter.span());
        self.insert(range.start, format!("__cap({number})|"), None);
        let spot = self.spot(Role::Site(site), range.clone(), self.source.whole(filter.span()));
        self.insert(range.end, format!("|__y({spot})"), Some(range));
    }

    /// Puts a filter block around a statement.
    fn wrap(&mut self, statement: &Stmt<'_>, filter: &str, site: Site, covers: Range<usize>) {
        let (range, left, right) = self.source.edges(statement);
        self.wrap_between((range.start, left), (range.end, right), filter, site, covers);
    }

    fn wrap_between(
        &mut self,
        open: (usize, Marker),
        close: (usize, Marker),
        filter: &str,
        site: Site,
        covers: Range<usize>,
    ) {
        let (start, left) = (open.0, if open.1 == Marker::Remove { '-' } else { '+' });
        let (end, right) = (close.0, if close.1 == Marker::Remove { '-' } else { '+' });
        let spot = self.spot(Role::Site(site), covers.clone(), start..end);
        self.insert(start, format!("{{%{left} filter {filter}({spot}) +%}}"), Some(covers));
        self.insert(end, format!("{{%+ endfilter {right}%}}"), None);
    }

    /// A scalar of several pieces, captured and written as one string.
    fn composite(&mut self, list: &[Stmt<'_>], from: Cursor, to: Cursor, mut site: Site, state: &State) {
        let open = self.source.start(list, from);
        let close = self.source.end(list, to);
        let value = state.flow > 0 || state.position != Position::Line;
        if value && site.place != Place::Key && !state.blank {
            site.lead = true;
        }
        self.wrap_between(open, close, "__p", site, open.0..close.0);
        let last = if to.offset > 0 { to.index + 1 } else { to.index };
        self.texts(&list[from.index..last.min(list.len())], Place::Part, false);
    }

    /// Looks ahead from the start of a plain scalar to its end.
    fn scalar(&self, list: &[Stmt<'_>], from: Cursor, flow: bool, follow: u8) -> Scalar {
        let mut scalar =
            Scalar { pieces: 0, dynamic: false, control: None, ends: Ending::List, end: from, joined: None };
        let mut in_text = false;
        for (index, statement) in list.iter().enumerate().skip(from.index) {
            let joined = if scalar.pieces > 0 && (index, 0) != (from.index, from.offset) {
                self.source.joined_before(self.source.start(list, Cursor { index, offset: 0 }).0)
            } else {
                None
            };
            match statement {
                Stmt::EmitRaw(raw) => {
                    let text = raw.raw.as_bytes();
                    let skipped = if index == from.index { from.offset } else { 0 };
                    if skipped == 0 {
                        scalar.joined = scalar.joined.or(joined);
                    }
                    let mut previous = if skipped > 0 || scalar.pieces == 0 { b' ' } else { b'x' };
                    for (offset, &byte) in text.iter().enumerate().skip(skipped) {
                        let ends = match byte {
                            b'\n' => Some(Ending::Line),
                            b'#' if previous == b' ' && scalar.pieces > 0 => Some(Ending::Comment),
                            b':' if self.is_colon(list, index, text, offset, flow, follow) => Some(Ending::Key),
                            b',' | b'[' | b']' | b'{' | b'}' if flow => Some(Ending::Flow),
                            _ => None,
                        };
                        if let Some(ends) = ends {
                            scalar.ends = ends;
                            if ends == Ending::Key {
                                scalar.end = Cursor { index, offset };
                            }
                            return scalar;
                        }
                        if !matches!(byte, b' ' | b'\t' | b'\r') {
                            scalar.pieces += usize::from(!in_text);
                            in_text = true;
                            scalar.end = Cursor { index, offset: offset + 1 };
                        }
                        previous = if matches!(byte, b' ' | b'\t') { b' ' } else { byte };
                    }
                }
                _ if is_silent(statement) => {}
                _ => {
                    let inline = content::inline(statement, flow, scalar.pieces == 0);
                    let Some(inline) = inline else {
                        let after = Cursor { index: index + 1, offset: 0 };
                        let first = self.first(
                            &list[index..=index],
                            Cursor { index: 0, offset: 0 },
                            flow,
                            self.first(list, after, flow, follow),
                        );
                        scalar.ends = match scalar.pieces {
                            0 => Ending::Structure,
                            _ if flow && (first & next::TEXT == 0 || first & next::CLOSE != 0) => Ending::Flow,
                            _ if first & next::TEXT == 0 => Ending::Line,
                            _ => {
                                scalar.joined = scalar.joined.or(joined).or_else(|| self.joined_inside(statement));
                                scalar.end.index = index;
                                scalar.end.offset = 0;
                                Ending::Broken
                            }
                        };
                        return scalar;
                    };
                    if scalar.pieces == 0 && inline.pieces == 0 {
                        scalar.ends = Ending::Structure;
                        return scalar;
                    }
                    scalar.joined = scalar.joined.or(joined);
                    scalar.pieces += inline.pieces;
                    scalar.dynamic |= inline.dynamic;
                    if inline.pieces > 0 {
                        in_text = false;
                        scalar.control = Some(index);
                        scalar.end = Cursor { index: index + 1, offset: 0 };
                    }
                }
            }
        }
        scalar
    }

    /// The trim marker that joins the first line of a control block's content with what is before.
    fn joined_inside(&self, statement: &Stmt<'_>) -> Option<usize> {
        let bodies: [&[Stmt<'_>]; 2] = match statement {
            Stmt::IfCond(cond) => [&cond.true_body, &cond.false_body],
            Stmt::ForLoop(each) => [&each.body, &each.else_body],
            Stmt::WithBlock(with) => [&with.body, &[]],
            _ => return None,
        };
        bodies
            .iter()
            .filter(|body| !body.is_empty())
            .find_map(|body| self.source.joined_before(self.source.start(body, Cursor { index: 0, offset: 0 }).0))
    }

    /// Whether the colon at an offset of raw text makes a key.
    fn is_colon(&self, list: &[Stmt<'_>], index: usize, text: &[u8], offset: usize, flow: bool, follow: u8) -> bool {
        match text.get(offset + 1) {
            Some(b' ' | b'\t' | b'\n' | b'\r') => true,
            Some(b',' | b'[' | b']' | b'{' | b'}') => flow,
            Some(_) => false,
            None => self.blank_follows(list, index, follow),
        }
    }

    /// Whether a blank or line break comes after the raw text at this index, or came before it was trimmed.
    fn blank_follows(&self, list: &[Stmt<'_>], index: usize, follow: u8) -> bool {
        match list.get(index + 1) {
            None => follow & next::TEXT == 0,
            Some(Stmt::EmitRaw(raw)) => raw.raw.starts_with([' ', '\n', '\t']),
            Some(statement) => {
                let (start, _) = self.source.start(list, Cursor { index: index + 1, offset: 0 });
                let before = start.checked_sub(1).map(|at| self.source.text.as_bytes()[at]);
                if matches!(before, Some(b' ' | b'\n' | b'\t' | b'\r')) {
                    return true;
                }
                !is_producer(statement)
                    && self.first(list, Cursor { index: index + 1, offset: 0 }, false, follow)
                        & (next::TEXT | next::KEY)
                        == 0
            }
        }
    }

    /// What may be written first from a place on.
    fn first(&self, list: &[Stmt<'_>], from: Cursor, flow: bool, follow: u8) -> u8 {
        let Some(statement) = list.get(from.index) else { return follow };
        let rest = Cursor { index: from.index + 1, offset: 0 };
        match statement {
            Stmt::EmitRaw(raw) => {
                let text = &raw.raw.as_bytes()[from.offset..];
                let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
                match text.get(blanks) {
                    None => self.first(list, rest, flow, follow),
                    Some(b'\n') => next::NEWLINE,
                    Some(b'#') if blanks > 0 => next::COMMENT,
                    Some(b',' | b']' | b'}') if flow => next::CLOSE,
                    Some(b':')
                        if self.is_colon(list, from.index, raw.raw.as_bytes(), from.offset + blanks, flow, follow) =>
                    {
                        next::KEY
                    }
                    Some(_) => next::TEXT,
                }
            }
            Stmt::IfCond(cond) => {
                let after = self.first(list, rest, flow, follow);
                let start = Cursor { index: 0, offset: 0 };
                self.first(&cond.true_body, start, flow, after) | self.first(&cond.false_body, start, flow, after)
            }
            Stmt::ForLoop(each) => {
                let after = self.first(list, rest, flow, follow);
                let start = Cursor { index: 0, offset: 0 };
                self.first(&each.body, start, flow, after) | self.first(&each.else_body, start, flow, after)
            }
            Stmt::WithBlock(with) => {
                self.first(&with.body, Cursor { index: 0, offset: 0 }, flow, self.first(list, rest, flow, follow))
            }
            Stmt::AutoEscape(escape) => {
                self.first(&escape.body, Cursor { index: 0, offset: 0 }, flow, self.first(list, rest, flow, follow))
            }
            Stmt::Block(block) => {
                self.first(&block.body, Cursor { index: 0, offset: 0 }, flow, self.first(list, rest, flow, follow))
            }
            _ if is_silent(statement) => self.first(list, rest, flow, follow),
            _ => next::TEXT,
        }
    }
}

/// What replaces a macro, behind its end, with one that knows what it gives.
pub(super) fn macro_wrapper(source: &Source<'_>, statement: &Stmt<'_>, name: &str, number: usize) -> Insertion {
    let (range, _, right) = source.edges(statement);
    let close = match right {
        Marker::None => "%}",
        Marker::Remove => "-%}",
        Marker::Keep => "+%}",
    };
    Insertion { at: range.end, text: format!("{{%+ set {name} = __macro({name}, {number}) {close}"), covers: None }
}

/// Whether the rest of the line is the header of a block scalar.
fn is_header(rest: &[u8]) -> bool {
    let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let after = &line[1..];
    let indicators = after.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-')).count();
    let rest = after[indicators..].trim_ascii();
    rest.is_empty() || (rest[0] == b'#' && after.get(indicators) == Some(&b' '))
}

/// Statements that write nothing where they stand.
pub(super) fn is_silent(statement: &Stmt<'_>) -> bool {
    matches!(
        statement,
        Stmt::Set(_)
            | Stmt::SetBlock(_)
            | Stmt::Macro(_)
            | Stmt::Import(_)
            | Stmt::FromImport(_)
            | Stmt::Extends(_)
            | Stmt::Do(_)
            | Stmt::Continue(_)
            | Stmt::Break(_)
    )
}

/// Statements that write one value.
pub(super) fn is_producer(statement: &Stmt<'_>) -> bool {
    matches!(statement, Stmt::EmitExpr(_) | Stmt::Include(_) | Stmt::CallBlock(_) | Stmt::FilterBlock(_))
}

/// Expressions that write straight to the output: `|raw`, `super()`, `self.block()` and `loop(…)`.
fn streams(expression: &Expr<'_>) -> bool {
    use minijinja::machinery::ast::CallType;
    match expression {
        Expr::Filter(filter) => matches!(filter.name, "raw" | "safe") && filter.args.is_empty(),
        Expr::Call(call) => match call.identify_call() {
            CallType::Function("super") => call.args.is_empty(),
            CallType::Function("loop") => call.args.len() == 1,
            CallType::Block(_) => true,
            _ => false,
        },
        _ => false,
    }
}
