//! Which values the templates read, for reports on unused values and on the values behind a finding.

use crate::diagnostic::Span;
use crate::template;
use crate::value::{List, Map, Str, Value};
use crate::yaml::{Node, Step, Tags};
use std::collections::HashMap;
use std::sync::Arc;

/// A record of reads. Does nothing unless it is on.
#[derive(Debug, Default)]
pub(super) struct Reads {
    on: bool,
    tags: Tags,
    seen: HashMap<(u32, Step), bool, foldhash::fast::RandomState>,
    whole: HashMap<u32, (), foldhash::fast::RandomState>,
    /// Where the values stand that the current expression has read.
    spans: Vec<Span>,
    /// Where the items stand that the loops around are at.
    items: Vec<Option<Span>>,
    /// Whether the current expression has a variable or the dot as it is, which in a loop is the item.
    bare: bool,
}

/// Functions that look at some keys only, or hand their arguments on.
const SELECTIVE: &[&str] = &[
    "and",
    "append",
    "coalesce",
    "compact",
    "concat",
    "default",
    "dict",
    "dig",
    "empty",
    "eq",
    "first",
    "get",
    "has",
    "hasKey",
    "index",
    "initial",
    "keys",
    "kindIs",
    "kindOf",
    "last",
    "len",
    "list",
    "merge",
    "mergeOverwrite",
    "mustAppend",
    "mustMerge",
    "mustMergeOverwrite",
    "ne",
    "not",
    "or",
    "pick",
    "prepend",
    "push",
    "required",
    "rest",
    "reverse",
    "set",
    "slice",
    "ternary",
    "tuple",
    "typeIs",
    "typeIsLike",
    "typeOf",
];

impl Reads {
    pub(super) fn new(on: bool, tags: Tags) -> Self {
        Reads { on, tags, ..Reads::default() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    pub(super) fn start_expression(&mut self) {
        if self.on {
            self.spans.clear();
            self.bare = false;
        }
    }

    /// The expression has a variable or the dot without a field.
    pub(super) fn bare(&mut self) {
        self.bare = true;
    }

    /// A loop comes to an item of a list; [`Reads::leave`] follows.
    pub(super) fn enter_item(&mut self, list: &List, index: usize) {
        if self.on {
            let items = self.tags.node(list.tag()).and_then(Node::as_seq);
            self.items.push(items.and_then(|items| items.get(index)).map(|item| item.span));
        }
    }

    /// A loop comes to an entry of a map; [`Reads::leave`] follows.
    pub(super) fn enter_entry(&mut self, map: &Map, key: &str) {
        if self.on {
            let place = (map.tag() != 0).then(|| self.tags.span(map.tag(), key)).flatten();
            self.items.push(place);
        }
    }

    pub(super) fn leave(&mut self) {
        self.items.pop();
    }

    pub(super) fn take_spans(&mut self) -> Vec<Span> {
        if !self.on {
            return Vec::new();
        }
        if self.bare && self.spans.is_empty() {
            let item = self.items.iter().rev().find_map(|item| *item);
            self.spans.extend(item);
        }
        std::mem::take(&mut self.spans)
    }

    fn record(&mut self, tag: u32, step: Step, value: &Value) {
        if tag == 0 {
            return;
        }
        let is_leaf = !matches!(value, Value::Map(_) | Value::List(_));
        if is_leaf && let Step::Key(key) = &step {
            self.place(self.tags.span(tag, key));
        }
        *self.seen.entry((tag, step)).or_default() |= is_leaf;
    }

    fn place(&mut self, span: Option<Span>) {
        if let Some(span) = span.filter(|span| !self.spans.contains(span)) {
            self.spans.push(span);
        }
    }

    pub(super) fn field(&mut self, map: &Map, key: &Str, value: &Value) {
        if self.on {
            self.record(map.tag(), Step::Key(Arc::clone(key)), value);
        }
    }

    pub(super) fn field_named(&mut self, map: &Map, key: &str, value: &Value) {
        if self.on && map.tag() != 0 {
            self.record(map.tag(), Step::Key(key.into()), value);
        }
    }

    pub(super) fn item(&mut self, list: &List, index: usize, value: &Value) {
        if self.on {
            self.record(list.tag(), Step::Index(index), value);
        }
    }

    /// A value is read with all that it holds.
    pub(super) fn whole(&mut self, value: &Value) {
        if !self.on {
            return;
        }
        let mut waiting = vec![value.clone()];
        // What a template put together holds values of several tags; those are looked for a few levels deep.
        for _ in 0..1000 {
            let Some(value) = waiting.pop() else { break };
            let (tag, inner): (u32, Vec<Value>) = match &value {
                Value::Map(map) => (map.tag(), map.snapshot().values().cloned().collect()),
                Value::List(list) => (list.tag(), list.items().to_vec()),
                _ => continue,
            };
            self.place(self.tags.node(tag).map(|node| node.span));
            if tag == 0 {
                waiting.extend(inner);
            } else if self.whole.insert(tag, ()).is_none() {
                // `set` and `merge` can have put maps of other places here.
                waiting.extend(inner);
            }
        }
    }

    pub(super) fn whole_of(&mut self, reads_all: bool, value: &Value) {
        if reads_all {
            self.whole(value);
        }
    }

    /// A function is called with these arguments.
    pub(super) fn call(&mut self, name: &str, arguments: &[Value]) {
        if !self.on {
            return;
        }
        if SELECTIVE.binary_search(&name).is_err() {
            arguments.iter().for_each(|argument| self.whole(argument));
            return;
        }
        match (name, arguments) {
            ("get" | "hasKey", [Value::Map(map), Value::Str(key)]) => {
                self.field(map, key, &map.get(key).unwrap_or_default());
            }
            ("pick", [Value::Map(map), keys @ ..]) => {
                for key in keys.iter().filter_map(Value::as_str) {
                    self.field_named(map, key, &map.get(key).unwrap_or_default());
                }
            }
            ("index", [value, keys @ ..]) => self.path(value, keys),
            ("dig", [keys @ .., _, value]) => self.path(value, keys),
            // Entries of the others are read later, but under the first one's name.
            ("merge" | "mergeOverwrite" | "mustMerge" | "mustMergeOverwrite", [_, others @ ..]) => {
                others.iter().for_each(|other| self.whole(other));
            }
            (
                "concat" | "first" | "last" | "initial" | "rest" | "reverse" | "slice" | "has" | "compact" | "append"
                | "prepend" | "push" | "mustAppend",
                _,
            ) => {
                for list in arguments.iter().filter_map(Value::as_list) {
                    let items = list.items().iter().enumerate();
                    items.for_each(|(index, item)| self.item(list, index, item));
                }
            }
            _ => {}
        }
    }

    fn path(&mut self, value: &Value, keys: &[Value]) {
        let mut value = value.clone();
        for key in keys {
            let next = super::builtins::index_one(&value, key).unwrap_or_default();
            match (&value, key) {
                (Value::Map(map), Value::Str(key)) => self.field(map, key, &next),
                (Value::List(list), Value::Int(index)) => self.item(list, usize::try_from(*index).unwrap_or(0), &next),
                _ => return,
            }
            value = next;
        }
    }

    /// Everything that was read, by path.
    pub(super) fn paths(&self) -> template::Reads {
        let name = |step: Step| match step {
            Step::Key(key) => key,
            Step::Index(index) => index.to_string().into(),
        };
        let path = |tag: u32| -> Vec<Str> { self.tags.path(tag).into_iter().map(name).collect() };
        let mut reads = template::Reads::default();
        for ((tag, step), whole) in &self.seen {
            let mut path = path(*tag);
            path.push(name(step.clone()));
            *reads.paths.entry(path).or_default() |= whole;
        }
        for tag in self.whole.keys() {
            reads.paths.insert(path(*tag), true);
        }
        reads
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_can_be_searched() {
        assert!(super::SELECTIVE.is_sorted());
    }
}
