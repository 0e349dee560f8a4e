//! Walks the statements of a YAML template and decides for each expression what it stands for.

use super::Problem;
use super::ahead::{Cursor, Ending, Scalar, is_producer, is_silent, next};
use super::code::{Place, Role, Site, Spot};
use super::offsets::Insertion;
use super::source::Source;
use super::state::{Block, Mode, Position, State};
use minijinja::machinery::ast::Stmt;
use std::collections::HashSet;
use std::ops::Range;

pub(super) struct Walker<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) insertions: Vec<Insertion>,
    pub(super) problems: Vec<Problem>,
    /// The sites, numbered from `base`.
    pub(super) spots: Vec<Spot>,
    base: usize,
    /// Depth of macros and captures.
    pub(super) nested: usize,
    /// Headers of block scalars that have got an indentation indicator.
    pub(super) headers: HashSet<usize>,
    /// Blanks that the next site writes.
    pub(super) before: Range<usize>,
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
        }
    }

    /// The number of a new spot.
    pub(super) fn spot(&mut self, role: Role, range: Range<usize>, outer: Range<usize>) -> usize {
        let before = std::mem::replace(&mut self.before, 0..0);
        self.spots.push(Spot { role, template: 0, range, outer, before });
        self.base + self.spots.len() - 1
    }

    /// The whole template.
    pub(super) fn template(&mut self, statements: &[Stmt<'_>]) {
        let state = self.list(statements, State::start(), next::NEWLINE | next::END);
        if let (Mode::Double | Mode::Single, Some(quote)) = (state.mode, state.quote) {
            self.unclosed_quote(quote);
        }
    }

    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>, covers: Option<Range<usize>>) {
        self.insertions.push(Insertion { at, text: text.into(), covers });
    }

    pub(super) fn problem(&mut self, range: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
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
    pub(super) fn list(&mut self, list: &[Stmt<'_>], mut state: State, follow: u8) -> State {
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
            None => self.source.blank_follows(list, at.index, follow),
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
            b':' if self.source.is_colon(list, at.index, text, at.offset - 1, state.flow > 0, follow)
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
        let after = self.source.first(list, Cursor { index: at.index, offset: 0 }, state.flow > 0, follow);
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

    /// A node that starts here: one expression, a scalar of several pieces, or plain text.
    fn token(&mut self, list: &[Stmt<'_>], at: &mut Cursor, state: &mut State, follow: u8) {
        let scalar = self.source.scalar(list, *at, state.flow > 0, follow);
        if scalar.pieces == 0 {
            let statement = &list[at.index];
            at.index += 1;
            at.offset = 0;
            if !matches!(statement, Stmt::EmitRaw(_)) {
                let after = self.source.first(list, *at, state.flow > 0, follow);
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
            Ending::List => follow & !(next::NEWLINE | next::END) != 0,
            _ => false,
        };
        let mut site = self.site_for(state, key, tail);
        let only = (scalar.pieces == 1).then_some(scalar.control).flatten();
        match only {
            None if !scalar.dynamic => self.blank_before(state, start),
            _ if !scalar.dynamic && only.is_none() => {}
            Some(index) if is_producer(&list[index]) => {
                self.group(&mut site, list, &scalar, state, follow);
                self.lead(&mut site, list, index, state);
                self.producer(&list[index], site);
            }
            Some(index) if !key => {
                let after = self.source.first(list, Cursor { index: index + 1, offset: 0 }, state.flow > 0, follow);
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
                let again = self.source.first(&each.body, Cursor { index: 0, offset: 0 }, flow, follow);
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
}

/// Whether the rest of the line is the header of a block scalar.
fn is_header(rest: &[u8]) -> bool {
    let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let after = &line[1..];
    let indicators = after.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-')).count();
    let rest = after[indicators..].trim_ascii();
    rest.is_empty() || (rest[0] == b'#' && after.get(indicators) == Some(&b' '))
}
