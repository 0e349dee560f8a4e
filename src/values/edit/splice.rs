//! One change to the text of a file.

use super::change::Change;
use super::style::{FileStyle, column};
use super::text::{Writer, is_lines, literal_header, literal_lines};
use crate::diagnostic::{Sources, Span};
use crate::yaml::{Data, Entry, Node, Place, Step, Style, is_literal};
use std::ops::Range;

/// Why a change cannot be made.
pub(super) struct Refusal {
    pub message: String,
    pub place: Option<Span>,
    pub hint: Option<String>,
}

impl Refusal {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Refusal { message: message.into(), place: None, hint: None }
    }

    fn at(self, node: &Node) -> Self {
        Refusal { place: Some(node.span), ..self }
    }

    fn hint(self, hint: &str) -> Self {
        Refusal { hint: Some(hint.to_owned()), ..self }
    }
}

type Spliced = Result<String, Refusal>;

/// A file as it is now.
pub(super) struct Document<'a> {
    pub text: &'a str,
    pub root: &'a Node,
    pub style: &'a FileStyle,
    pub sources: &'a Sources,
}

impl Document<'_> {
    /// The text with this change.
    pub(super) fn apply(&self, change: &Change, wanted: &Node) -> Spliced {
        let path = change.path();
        let Some((last, parent)) = path.split_last() else {
            return Err(Refusal::new("the whole file would be replaced"));
        };
        for depth in 0..=parent.len() {
            if let Some(node) = self.root.follow(&path[..depth]).filter(|node| self.is_alias(node)) {
                let refusal = Refusal::new("the way there leads through an alias (`*`), which other places share");
                return Err(refusal.at(node).hint("write the mapping out in the place of the alias, then edit it"));
            }
        }
        let in_flow = (0..=parent.len()).any(|depth| {
            self.root.follow(&path[..depth]).is_some_and(|node| node.style == Style::Flow && !is_empty(node))
        });
        let Some(holder) = self.root.follow(parent) else { return Err(Refusal::new("there is nothing to hold it")) };
        let value = wanted.follow(path);
        match (change, value) {
            (Change::Replace(_), Some(value)) => self.replace(holder, last, path, value, in_flow),
            (Change::Add(_), Some(value)) => self.add(holder, last, parent, value, in_flow),
            (Change::Remove(_), _) => self.remove(holder, last, parent),
            _ => Err(Refusal::new("there is nothing to write")),
        }
    }

    fn writer(&self) -> Writer<'_> {
        Writer { style: self.style, open_end: !self.text.ends_with('\n'), sources: self.sources }
    }

    fn is_alias(&self, node: &Node) -> bool {
        node.span.start < node.span.end && self.text.as_bytes().get(node.span.start as usize) == Some(&b'*')
    }

    // Places in the text.

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The start of the line after the one that `at` is in; the end of the text after the last line.
    fn next_line(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    fn line(&self, start: usize) -> &str {
        self.text[start..self.next_line(start)].trim_end_matches(['\n', '\r'])
    }

    /// Whether nothing but blanks stands before a place in its line.
    fn is_first(&self, at: usize) -> bool {
        self.text[self.line_start(at)..at].bytes().all(|byte| byte == b' ')
    }

    fn skip_blanks(&self, at: usize) -> usize {
        at + self.text[at..].bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    /// Where a value starts behind its anchor and tag.
    fn content(&self, node: &Node) -> usize {
        let (mut at, end) = (node.span.start as usize, node.span.end as usize);
        while at < end && matches!(self.text.as_bytes()[at], b'&' | b'!') {
            at += self.text[at..end].bytes().take_while(|byte| !byte.is_ascii_whitespace()).count();
            at = self.skip_blanks(at).min(end);
        }
        at
    }

    /// The start of the line after a value in block style, also after the blank lines that a `|+` keeps.
    fn end(&self, node: &Node) -> usize {
        let end = node.span.end as usize;
        let mut at = if end > 0 && self.text.as_bytes()[end - 1] == b'\n' { end } else { self.next_line(end) };
        let last = self.last(node);
        let keeps = matches!(last.style, Style::Literal | Style::Folded)
            && last.span.end == node.span.end
            && !self.is_alias(last)
            && self.line(self.content(last)).split_whitespace().next().is_some_and(|header| header.contains('+'));
        while keeps && at < self.text.len() && self.line(at).trim().is_empty() {
            at = self.next_line(at);
        }
        at
    }

    /// The innermost value at the end of a value.
    fn last<'n>(&self, node: &'n Node) -> &'n Node {
        let mut node = node;
        loop {
            let inner: Option<&Node> = match &node.data {
                _ if self.is_alias(node) || node.style == Style::Flow => None,
                Data::Map(map) => map
                    .values()
                    .map(|entry| &entry.value)
                    .filter(|value| value.span.end <= node.span.end)
                    .max_by_key(|value| value.span.end),
                Data::Seq(items) => items.last(),
                _ => None,
            };
            match inner {
                Some(inner) if inner.span.end == node.span.end => node = inner,
                _ => return node,
            }
        }
    }

    /// Skips comments that are indented more than a column: they belong to what stands above.
    fn after_comments(&self, mut at: usize, column: usize) -> usize {
        let mut next = at;
        while next < self.text.len() {
            let line = self.line(next);
            let inner = line.trim_start_matches(' ');
            next = self.next_line(next);
            if inner.starts_with('#') && line.len() - inner.len() > column {
                at = next;
            } else if !inner.is_empty() {
                break;
            }
        }
        at
    }

    fn spliced(&self, splices: &[(Range<usize>, String)]) -> String {
        let mut text = String::with_capacity(self.text.len() + 64);
        let mut at = 0;
        for (range, new) in splices {
            text.push_str(&self.text[at..range.start]);
            text.push_str(new);
            at = range.end;
        }
        text + &self.text[at..]
    }

    /// Lines to put where a line starts; at the end of a text without a newline they keep it so.
    fn block(&self, at: usize, lines: &[String]) -> String {
        let newline = self.style.newline;
        if at > 0 && at == self.text.len() && !self.text.ends_with('\n') {
            return lines.iter().map(|line| format!("{newline}{line}")).collect();
        }
        lines.iter().map(|line| format!("{line}{newline}")).collect()
    }

    /// Where the text before a value ends: behind the colon of its key or the dash of its item, and an anchor or tag.
    fn header(&self, holder: &Node, step: &Step, value: &Node) -> Result<usize, Refusal> {
        let start = value.span.start as usize;
        let content = self.content(value);
        if content > start {
            let trimmed = self.text[..content].trim_end_matches([' ', '\t']);
            return Ok(trimmed.len());
        }
        match step {
            Step::Key(key) => {
                let entry = entry(holder, key).ok_or_else(|| Refusal::new("there is no such key"))?;
                let colon = self.skip_blanks(entry.key_span.end as usize);
                if self.text.as_bytes().get(colon) != Some(&b':') {
                    return Err(Refusal::new("the key is written in an unusual way").hint("write it like `key: value`"));
                }
                // An anchor or tag of a block collection stands before it.
                let mut at = colon + 1;
                loop {
                    let next = self.skip_blanks(at);
                    match self.text.as_bytes().get(next) {
                        Some(b'&' | b'!') if next < start => {
                            at =
                                next + self.text[next..].bytes().take_while(|byte| !byte.is_ascii_whitespace()).count();
                        }
                        _ => return Ok(at),
                    }
                }
            }
            Step::Index(_) => {
                let before = self.text[..start].trim_end_matches([' ', '\t']);
                if before.ends_with('-') {
                    Ok(before.len())
                } else {
                    Err(Refusal::new("the item is written in an unusual way").at(value))
                }
            }
        }
    }

    // Replacing.

    fn replace(&self, holder: &Node, step: &Step, path: &[Step], value: &Node, in_flow: bool) -> Spliced {
        let Some(old) = holder.step(step) else { return Err(Refusal::new("there is nothing to replace")) };
        // What comes in by `<<` is overridden by a key of the mapping's own.
        if let (Step::Key(key), Some((_, parent))) = (step, path.split_last())
            && entry(holder, key).is_some_and(|entry| !is_own(holder, entry))
        {
            return self.add(holder, step, parent, value, in_flow);
        }
        let alias = self.is_alias(old);
        let place = if in_flow { Place::Flow } else { Place::Block };
        let as_lines = !in_flow && !self.style.json && is_lines(value);
        // The column of the key or dash, which lines are indented from.
        let outer = match step {
            Step::Key(_) => column(self.text, holder.span.start),
            Step::Index(_) => column(self.text, holder.span.start) + 2 - self.style.step.min(2),
        };
        if !alias && old.style == Style::Block && matches!(old.data, Data::Map(_) | Data::Seq(_)) {
            return self.replace_block(holder, step, old, value);
        }
        if !alias && matches!(old.style, Style::Literal | Style::Folded) {
            return self.replace_literal(old, value, outer, path.len());
        }
        let (start, end) = (self.content(old), old.span.end as usize);
        if as_lines {
            let header = self.header(holder, step, old)?;
            let header = if start > header || start == end { header } else { start };
            let at = self.after_comments(self.next_line(end), outer);
            let indent = match step {
                Step::Key(_) => outer + self.writer().inner(value),
                Step::Index(_) => column(self.text, holder.span.start) + 2,
            };
            let lines = self.writer().lines(value, indent);
            return Ok(self.spliced(&[(header..end, String::new()), (at..at, self.block(at, &lines))]));
        }
        if let Some(text) = value.as_str()
            && !in_flow
            && !self.style.json
            && self.writer().is_literal(text)
            && !matches!(old.style, Style::SingleQuoted | Style::DoubleQuoted)
        {
            let at = self.next_line(end);
            let header =
                if start == end { format!(" {}", literal_header(text)) } else { literal_header(text).to_owned() };
            let start = if start == end { self.header(holder, step, old)? } else { start };
            let lines = literal_lines(text, outer + self.style.step);
            return Ok(self.spliced(&[(start..end.max(start), header), (at..at, self.block(at, &lines))]));
        }
        let like = (!alias && start < end).then_some(old.style);
        let text = self.writer().inline(value, like, place);
        if start < end {
            return Ok(self.spliced(&[(start..end, text)]));
        }
        let at = self.header(holder, step, old)?;
        Ok(self.spliced(&[(at..at, format!(" {text}"))]))
    }

    fn replace_block(&self, holder: &Node, step: &Step, old: &Node, value: &Node) -> Spliced {
        let start = old.span.start as usize;
        let at_dash = matches!(step, Step::Index(_));
        if !self.is_first(start) {
            // `- a: 1`: the collection goes on from the dash.
            let end = self.end(old);
            let tail = &self.text[old.span.end as usize..end];
            let text = if is_lines(value) {
                let lines = self.writer().lines(value, column(self.text, old.span.start));
                lines.join(self.style.newline).trim_start().to_owned()
            } else {
                self.writer().inline(value, None, Place::Block)
            };
            let end = if tail.trim_start().starts_with('#') { old.span.end as usize } else { end };
            let newline = if self.text[..end].ends_with('\n') { self.style.newline } else { "" };
            return Ok(self.spliced(&[(start..end, text + newline)]));
        }
        let (from, to) = (self.line_start(start), self.end(old));
        let removed = self.removal(from, to);
        if is_lines(value) {
            let indent = if std::mem::discriminant(&old.data) == std::mem::discriminant(&value.data) || at_dash {
                column(self.text, old.span.start)
            } else {
                column(self.text, holder.span.start) + self.writer().inner(value)
            };
            let mut text = self.block(from, &self.writer().lines(value, indent));
            if to == self.text.len() && !self.text.ends_with('\n') {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
            }
            return Ok(self.spliced(&[(from..to, text)]));
        }
        let header = self.header(holder, step, old)?;
        let text = format!(" {}", self.writer().inline(value, None, Place::Block));
        Ok(self.spliced(&[(header..header, text), (removed, String::new())]))
    }

    /// What to cut so that lines are gone: at the end of a text without a newline, the newline before them, unless a
    /// literal block needs that.
    fn removal(&self, from: usize, to: usize) -> Range<usize> {
        let left = self.text[..from].trim_end_matches(['\n', '\r']).len();
        if to == self.text.len() && !self.text.ends_with('\n') && !ends_literal(self.root, left) {
            return left..to;
        }
        from..to
    }

    fn replace_literal(&self, old: &Node, value: &Node, outer: usize, depth: usize) -> Spliced {
        let start = self.content(old);
        let header_end = start + self.text[start..].bytes().take_while(|byte| !byte.is_ascii_whitespace()).count();
        let (body, end) = (self.next_line(start), self.end(old));
        let fits = |text: &str| {
            !text.is_empty()
                && !text.starts_with([' ', '\n', '\t', '#'])
                && (self.writer().is_literal(text) || !text.contains('\n') && is_literal(&format!("{text}\n")))
        };
        if let Some(text) = value.as_str().filter(|text| fits(text)) {
            let first = self.text[body.min(end)..end].lines().find(|line| !line.trim().is_empty());
            let has_digit = self.text[start..header_end].bytes().any(|byte| byte.is_ascii_digit());
            let indent = match first {
                Some(line) if !has_digit => line.len() - line.trim_start_matches(' ').len(),
                _ if depth == 1 => self.style.step,
                _ => outer + self.style.step,
            };
            let folds = self.text[start..].starts_with('>') && !text.trim_end_matches('\n').contains('\n');
            let chomp = if text.ends_with('\n') { "" } else { "-" };
            let header = format!("{}{chomp}", if folds { '>' } else { '|' });
            let mut lines = self.block(0, &literal_lines(text, indent));
            if !self.text[..end].ends_with('\n') {
                lines.truncate(lines.trim_end_matches(['\r', '\n']).len());
            }
            return Ok(self.spliced(&[(start..header_end, header), (body.min(end)..end, lines)]));
        }
        if is_lines(value) {
            let at_key = self.writer();
            let mut lines = self.block(0, &at_key.lines(value, outer + at_key.inner(value)));
            if !self.text[..end].ends_with('\n') {
                lines.truncate(lines.trim_end_matches(['\r', '\n']).len());
            }
            let blanks = self.text[..start].trim_end_matches([' ', '\t']).len();
            return Ok(self.spliced(&[(blanks..header_end, String::new()), (body.min(end)..end, lines)]));
        }
        let text = self.writer().inline(value, None, Place::Block);
        Ok(self.spliced(&[(start..header_end, text), (self.removal(body.min(end), end), String::new())]))
    }

    /// A key must stand in its mapping itself, not come in by `<<`.
    fn own<'n>(&self, holder: &'n Node, key: &str) -> Result<&'n Entry, Refusal> {
        let entry = entry(holder, key).ok_or_else(|| Refusal::new("there is no such key"))?;
        if is_own(holder, entry) {
            return Ok(entry);
        }
        Err(Refusal::new("the key comes from another mapping by `<<`")
            .at(&Node { span: entry.key_span, ..entry.value.clone() })
            .hint("remove it there, or set it to another value here"))
    }

    // Adding.

    fn add(&self, holder: &Node, step: &Step, parent: &[Step], value: &Node, in_flow: bool) -> Spliced {
        let writer = self.writer();
        let element = || match step {
            Step::Key(key) => format!("{}: {}", writer.key(key), writer.inline(value, None, Place::Flow)),
            Step::Index(_) => writer.inline(value, None, Place::Flow),
        };
        if holder.style == Style::Flow && holder.span.end > holder.span.start {
            if !is_empty(holder) {
                return Ok(self.add_in_flow(holder, &element()));
            }
            if in_flow || self.style.json {
                let (start, end) = (self.content(holder) + 1, holder.span.end as usize - 1);
                return Ok(self.spliced(&[(start..end, element())]));
            }
        }
        let lines = |indent: usize| match step {
            Step::Key(key) => writer.entry(key, value, indent),
            Step::Index(_) => writer.item(value, indent),
        };
        let Some((last, above)) = parent.split_last() else {
            return Ok(self.add_at_root(holder, &lines(0)));
        };
        if holder.style == Style::Block {
            let indent = column(self.text, holder.span.start);
            let at = self.after_comments(self.end(holder), indent);
            return Ok(self.spliced(&[(at..at, self.block(at, &lines(indent)))]));
        }
        // `resources: {}` becomes a block.
        let Some(outer) = self.root.follow(above) else { return Err(Refusal::new("there is nothing to hold it")) };
        let indent = match last {
            Step::Key(_) => column(self.text, outer.span.start) + writer.inner(holder),
            Step::Index(_) => column(self.text, outer.span.start) + 2,
        };
        let (start, end) = (self.content(holder), holder.span.end as usize);
        let header = self.header(outer, last, holder)?;
        let at = self.after_comments(self.next_line(end), column(self.text, outer.span.start));
        Ok(self.spliced(&[(header.min(start)..end, String::new()), (at..at, self.block(at, &lines(indent)))]))
    }

    /// Adds to the root: after its last line, in the place of `{}`, or at the end of a text without values.
    fn add_at_root(&self, root: &Node, lines: &[String]) -> String {
        if root.span.start == root.span.end {
            return self.spliced(&[(self.text.len()..self.text.len(), self.block(self.text.len(), lines))]);
        }
        if root.style == Style::Flow {
            let text = lines.join(self.style.newline);
            return self.spliced(&[(root.span.start as usize..root.span.end as usize, text)]);
        }
        let indent = column(self.text, root.span.start);
        let lines: Vec<String> = lines
            .iter()
            .map(|line| if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(indent)) })
            .collect();
        let at = self.after_comments(self.end(root), indent);
        self.spliced(&[(at..at, self.block(at, &lines))])
    }

    fn add_in_flow(&self, holder: &Node, element: &str) -> String {
        let elements = elements(self.text, holder);
        let Some(last) = elements.last() else { return self.text.to_owned() };
        let own_line = self.is_first(last.start);
        let close = holder.span.end as usize - 1;
        let ends_line = self.next_line(last.end) <= close;
        if !own_line || !ends_line {
            return self.spliced(&[(last.end..last.end, format!(", {element}"))]);
        }
        let rest = &self.text[last.end..close];
        let trailing = rest.trim_start().starts_with(',');
        let at = self.next_line(last.end) - if self.text[..self.next_line(last.end)].ends_with("\r\n") { 2 } else { 1 };
        let indent = " ".repeat(column(self.text, last.start as u32));
        let line = format!("{}{indent}{element}{}", self.style.newline, if trailing { "," } else { "" });
        let comma = if trailing { "" } else { "," };
        self.spliced(&[(last.end..last.end, comma.to_owned()), (at..at, line)])
    }

    // Removing.

    fn remove(&self, holder: &Node, step: &Step, parent: &[Step]) -> Spliced {
        let (start, value) = match step {
            Step::Key(key) => {
                let entry = self.own(holder, key)?;
                (entry.key_span.start as usize, &entry.value)
            }
            Step::Index(_) => {
                let value = holder.step(step).ok_or_else(|| Refusal::new("there is no such item"))?;
                (value.span.start as usize, value)
            }
        };
        if holder.style == Style::Flow {
            return self.remove_in_flow(holder, start);
        }
        let left = match &holder.data {
            Data::Map(map) => map.len(),
            Data::Seq(items) => items.len(),
            _ => 0,
        };
        if left == 1 && !parent.is_empty() {
            return self.empty(holder, parent);
        }
        let (from, to) = match step {
            Step::Key(_) => (start, self.end(value)),
            Step::Index(_) => {
                let before = self.text[..start].trim_end_matches([' ', '\t']);
                let dash = match before.strip_suffix('-') {
                    _ if value.span.start == value.span.end => start - 1,
                    Some(before) => before.len(),
                    None => return Err(Refusal::new("the item is written in an unusual way").at(value)),
                };
                (dash, self.end(value))
            }
        };
        if self.is_first(from) {
            let range = self.removal(self.line_start(from), to);
            return Ok(self.spliced(&[(range, String::new())]));
        }
        // The first key of an item: the next one takes its place behind the dash.
        let next = to + self.text[to..].bytes().take_while(|byte| *byte == b' ').count();
        let is_entry =
            holder.as_map().is_some_and(|map| map.values().any(|entry| entry.key_span.start as usize == next));
        if is_entry && !self.text[value.span.end as usize..to].contains('#') {
            return Ok(self.spliced(&[(from..next, String::new())]));
        }
        Err(Refusal::new("what follows cannot take its place").at(value).hint("edit it by hand"))
    }

    /// Removes the last thing in a mapping or list, of which brackets stay.
    fn empty(&self, holder: &Node, parent: &[Step]) -> Spliced {
        let brackets = if matches!(holder.data, Data::Seq(_)) { "[]" } else { "{}" };
        let Some((last, above)) = parent.split_last() else { return Err(Refusal::new("nothing would be left")) };
        let Some(outer) = self.root.follow(above) else { return Err(Refusal::new("there is nothing to hold it")) };
        let start = holder.span.start as usize;
        if !self.is_first(start) {
            return Ok(self.spliced(&[(start..holder.span.end as usize, brackets.to_owned())]));
        }
        let header = self.header(outer, last, holder)?;
        let range = self.removal(self.line_start(start), self.end(holder));
        Ok(self.spliced(&[(header..header, format!(" {brackets}")), (range, String::new())]))
    }

    fn remove_in_flow(&self, holder: &Node, start: usize) -> Spliced {
        let elements = elements(self.text, holder);
        let Some(at) = elements.iter().position(|element| element.start == start) else {
            return Err(Refusal::new("it is written in an unusual way").at(holder));
        };
        let range = match (elements.get(at + 1), at.checked_sub(1)) {
            (Some(next), _) => elements[at].start..next.start,
            (None, Some(previous)) => elements[previous].end..elements[at].end,
            (None, None) => self.content(holder) + 1..holder.span.end as usize - 1,
        };
        Ok(self.spliced(&[(range, String::new())]))
    }
}

fn entry<'n>(holder: &'n Node, key: &str) -> Option<&'n Entry> {
    holder.as_map()?.get(key)
}

fn is_own(holder: &Node, entry: &Entry) -> bool {
    holder.span.start <= entry.key_span.start && entry.key_span.end <= holder.span.end
}

fn is_empty(node: &Node) -> bool {
    match &node.data {
        Data::Map(map) => map.is_empty(),
        Data::Seq(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether a literal block ends at a place.
fn ends_literal(node: &Node, at: usize) -> bool {
    match &node.data {
        Data::Map(map) => map.values().any(|entry| ends_literal(&entry.value, at)),
        Data::Seq(items) => items.iter().any(|item| ends_literal(item, at)),
        _ => matches!(node.style, Style::Literal | Style::Folded) && node.span.end as usize == at,
    }
}

/// The places of what stands in brackets, in the order of the text.
fn elements(text: &str, holder: &Node) -> Vec<Range<usize>> {
    let mut elements: Vec<Range<usize>> = match &holder.data {
        Data::Map(map) => {
            let own = map.values().filter(|entry| is_own(holder, entry));
            own.map(|entry| {
                let (key, value) = (entry.key_span, entry.value.span);
                let end = if value.start < value.end {
                    value.end as usize
                } else {
                    let rest = &text[key.end as usize..];
                    let blanks = rest.len() - rest.trim_start().len();
                    key.end as usize + if rest.trim_start().starts_with(':') { blanks + 1 } else { 0 }
                };
                key.start as usize..end
            })
            .collect()
        }
        Data::Seq(items) => items.iter().map(|item| item.span.start as usize..item.span.end as usize).collect(),
        _ => Vec::new(),
    };
    elements.sort_by_key(|element| element.start);
    elements
}
