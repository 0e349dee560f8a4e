//! Puts filters where values are written, and around what defines macros and captures.

use super::ahead::{Cursor, Scalar, is_producer, next};
use super::code::{Content, Place, Role, Site};
use super::content;
use super::offsets::Insertion;
use super::source::Source;
use super::state::{Position, State};
use super::tags::Marker;
use super::walk::Walker;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallBlock, EmitExpr, Expr, FilterBlock, Spanned, Stmt};
use std::ops::Range;

impl Walker<'_> {
    /// An expression in the text of a block scalar.
    pub(super) fn block_site(&mut self, statement: &Stmt<'_>, state: &mut State, after: u8) {
        let Some(block) = &mut state.block else { return };
        let column = state.column;
        let alone = block.blank_line && after & !(next::NEWLINE | next::END) == 0;
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

    pub(super) fn site_for(&self, state: &State, key: bool, tail: bool) -> Site {
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
    pub(super) fn lead(&mut self, site: &mut Site, list: &[Stmt<'_>], index: usize, state: &State) {
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
    pub(super) fn line_lead(&mut self, site: &mut Site, statement: &Stmt<'_>, index: usize, list: &[Stmt<'_>]) {
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
    pub(super) fn group(&mut self, site: &mut Site, list: &[Stmt<'_>], scalar: &Scalar, state: &mut State, follow: u8) {
        if site.place != Place::Line {
            return;
        }
        let below = state.open_key.is_some_and(|key| key < state.column);
        if below && state.group {
            site.first = !state.grouped;
            site.last = self.source.line_after(list, scalar.end, follow).is_some_and(|column| column < state.column);
            state.grouped = true;
        }
        state.alone = true;
    }

    /// Statements that write nothing here but have a body.
    pub(super) fn definition(&mut self, statement: &Stmt<'_>) {
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
    pub(super) fn body(&mut self, body: &[Stmt<'_>], statement: Span) -> usize {
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

    pub(super) fn fragment(&mut self, body: &[Stmt<'_>], indent: usize) {
        self.nested += 1;
        // All that is captured counts as the content of one key: an empty map that is alone is `{}`.
        let state = State { column: indent as i32, open_key: Some(-1), group: true, ..State::start() };
        self.list(body, state, next::NEWLINE | next::END);
        self.nested -= 1;
    }

    /// Expressions that are parts of a text. `sole` says that nothing else is in it so far.
    pub(super) fn texts(&mut self, list: &[Stmt<'_>], place: Place, sole: bool) {
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
    pub(super) fn producer(&mut self, statement: &Stmt<'_>, site: Site) {
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

    pub(super) fn expression(&mut self, emit: &Spanned<EmitExpr<'_>>, site: Site) {
        if streams(&emit.expr) {
            return;
        }
        let range = emit.span().start_offset as usize..emit.span().end_offset as usize;
        self.insert(range.start, "(", None);
        let outer = self.source.tag_range(range.start);
        let spot = self.spot(Role::Site(site), range.clone(), outer);
        self.insert(range.end, format!(")|__y({spot})"), Some(range));
    }

    pub(super) fn call(&mut self, statement: &Stmt<'_>, call: &CallBlock<'_>, site: Site) {
        let range = call.call_expr_span.start_offset as usize..call.call_expr_span.end_offset as usize;
        let body = self.source.after_tag(range.start);
        let indent = self.source.trimmed_indent(body);
        self.wrap(statement, "__y", site, range);
        self.fragment(&call.macro_decl.body, indent);
    }

    pub(super) fn filter(&mut self, filter: &Spanned<FilterBlock<'_>>, site: Site) {
        let range = filter.filter_span.start_offset as usize..filter.filter_span.end_offset as usize;
        let number = self.body(&filter.body, filter.span());
        self.insert(range.start, format!("__cap({number})|"), None);
        let spot = self.spot(Role::Site(site), range.clone(), self.source.whole(filter.span()));
        self.insert(range.end, format!("|__y({spot})"), Some(range));
    }

    /// Puts a filter block around a statement.
    pub(super) fn wrap(&mut self, statement: &Stmt<'_>, filter: &str, site: Site, covers: Range<usize>) {
        let (range, left, right) = self.source.edges(statement);
        self.wrap_between((range.start, left), (range.end, right), filter, site, covers);
    }

    pub(super) fn wrap_between(
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
    pub(super) fn composite(&mut self, list: &[Stmt<'_>], from: Cursor, to: Cursor, mut site: Site, state: &State) {
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
