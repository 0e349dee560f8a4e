//! How a file is written: its indent, its lists, its quotes, its line ends.

use crate::yaml::{Data, Node, Style};
use std::collections::BTreeMap;

/// The habits of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileStyle {
    /// Blanks that a mapping in a mapping is indented by.
    pub step: usize,
    /// The same for a list.
    pub list: usize,
    /// How strings are written that are nothing special.
    pub quotes: Style,
    /// Quotes where a string needs some.
    pub needed: Style,
    pub newline: &'static str,
    /// The file is JSON.
    pub json: bool,
}

#[derive(Default)]
struct Habits {
    steps: BTreeMap<usize, usize>,
    lists: BTreeMap<usize, usize>,
    plain: usize,
    single: usize,
    double: usize,
}

impl FileStyle {
    pub(super) fn of(text: &str, root: &Node, json: bool) -> Self {
        let json = json
            || root.style == Style::Flow
                && root.as_map().is_some_and(|map| !map.is_empty())
                && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let mut habits = Habits::default();
        habits.look(text, root);
        let most = |counts: &BTreeMap<usize, usize>| {
            counts.iter().max_by_key(|(step, count)| (**count, usize::MAX - **step)).map(|(step, _)| *step)
        };
        let step = most(&habits.steps).unwrap_or(2);
        let Habits { plain, single, double, .. } = habits;
        let needed = if single > double && !json { Style::SingleQuoted } else { Style::DoubleQuoted };
        FileStyle {
            step,
            list: most(&habits.lists).unwrap_or(step.min(2)),
            quotes: if json || single.max(double) > plain { needed } else { Style::Plain },
            needed,
            newline: if text.split_once('\n').is_some_and(|(line, _)| line.ends_with('\r')) { "\r\n" } else { "\n" },
            json,
        }
    }
}

impl Habits {
    fn look(&mut self, text: &str, node: &Node) {
        match &node.data {
            Data::Str(_) => match node.style {
                Style::SingleQuoted => self.single += 1,
                Style::DoubleQuoted => self.double += 1,
                Style::Plain => self.plain += 1,
                _ => {}
            },
            Data::Seq(items) => items.iter().for_each(|item| self.look(text, item)),
            Data::Map(map) => {
                for entry in map.values() {
                    let value = &entry.value;
                    let (outer, inner) = (column(text, entry.key_span.start), column(text, value.span.start));
                    let has_lines = value.style == Style::Block && value.span.start > entry.key_span.end;
                    match value.data {
                        Data::Map(_) if has_lines && inner > outer => {
                            *self.steps.entry(inner - outer).or_default() += 1;
                        }
                        Data::Seq(_) if has_lines && inner >= outer => {
                            *self.lists.entry(inner - outer).or_default() += 1;
                        }
                        _ => {}
                    }
                    self.look(text, value);
                }
            }
            _ => {}
        }
    }
}

/// Bytes from the start of the line.
pub(super) fn column(text: &str, at: u32) -> usize {
    let at = at as usize;
    at - text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}
