//! Which tree a file is to hold after assignments: Helm's grammar and rules, and the types that the file has.

use crate::chart::merge;
use crate::diagnostic::{Code, Diagnostic, Failure, FileId, Sources, Span};
use crate::values::json;
use crate::values::set::{self, Flag, ReadFile};
use crate::yaml::{self, Data, Entry, Mapping, Node, Resolved, Step, Style, path_text};
use std::sync::Arc;

type Path = Vec<Step>;

/// What is to be set and removed.
#[derive(Debug, Clone, Default)]
pub struct Assignments {
    /// As for the flags of `chart render`.
    pub arguments: Vec<(Flag, String)>,
    /// Paths to remove.
    pub unset: Vec<String>,
}

/// The wanted tree, and the paths to remove that are not there.
pub(super) fn wanted(
    root: &Node,
    assignments: &Assignments,
    sources: &mut Sources,
    read_file: &mut ReadFile<'_>,
) -> Result<(Node, Vec<Path>), Failure> {
    let mut arguments: Vec<(Flag, String, bool)> =
        assignments.arguments.iter().map(|(flag, text)| (*flag, text.clone(), false)).collect();
    arguments.sort_by_key(|(flag, ..)| *flag);
    arguments.extend(assignments.unset.iter().map(|path| (Flag::Set, format!("{path}=null"), true)));
    let mut tree = root.clone();
    let mut removed: Vec<Path> = Vec::new();
    for (number, (flag, text, unset)) in arguments.into_iter().enumerate() {
        let shown = if unset { text.trim_end_matches("=null") } else { &text };
        let file = sources.add(format!("<argument {}>", number + 1), shown);
        let failed = |message: String, span: Span| {
            vec![Diagnostic::new(Code::InvalidValues, message).label(clipped(span, shown), "")]
        };
        if flag == Flag::SetJson && text.trim_start().starts_with('{') {
            let start = text.len() - text.trim_start().len();
            let (node, end) = json::prefix(&text, start, file)
                .map_err(|error| failed(error.message, Span::new(file, error.at, error.at)))?;
            if !text[end..].trim().is_empty() {
                return Err(failed("there is text after the JSON object".to_owned(), Span::new(file, end, text.len())));
            }
            tree = merge(&tree, &node);
            continue;
        }
        let mut alone = Mapping::default();
        set::apply(flag, &text, file, &mut alone, read_file).map_err(|error| failed(error.message, error.span))?;
        let alone = Node::new(Span::new(file, 0, shown.len()), Data::Map(Arc::new(alone)));
        let mut nulls = Vec::new();
        removals(&alone, &mut Vec::new(), &mut nulls);
        if unset && (nulls.len() != 1 || leaves(&alone) != 1) {
            return Err(failed(
                format!("`{shown}` is no path: expected one like `image.tag` or `ports[0].name`"),
                alone.span,
            ));
        }
        if alone.as_map().is_some_and(Mapping::is_empty) {
            return Err(failed(format!("`{shown}` sets nothing: expected `path=value`"), alone.span));
        }
        fits(&tree, &alone, &mut Vec::new())?;
        let before = tree.clone();
        let mut opened = Vec::new();
        open(&mut tree, &alone, &mut Vec::new(), &mut opened);
        if let Data::Map(map) = &mut tree.data {
            set::apply(flag, &text, file, Arc::make_mut(map), read_file)
                .map_err(|error| failed(error.message, error.span))?;
        }
        keep_types(&mut tree, Some(&before), file, sources);
        // From the end, so that the items of a list keep their numbers.
        for path in nulls.into_iter().rev() {
            remove(&mut tree, Some(&before), &path);
            removed.push(path);
        }
        for (path, entry) in opened.into_iter().rev() {
            close(&mut tree, &path, entry);
        }
    }
    let missing = removed.into_iter().filter(|path| root.follow(path).is_none()).collect();
    Ok((tree, missing))
}

fn clipped(span: Span, shown: &str) -> Span {
    let end = shown.len() as u32;
    Span { start: span.start.min(end), end: span.end.min(end), ..span }
}

/// A key without a value (`resources:`) is a place for one, not a value in the way: takes those away that the argument
/// leads through.
fn open(node: &mut Node, alone: &Node, path: &mut Path, opened: &mut Vec<(Path, Entry)>) {
    match (&mut node.data, &alone.data) {
        (Data::Map(map), Data::Map(alone)) => {
            for (key, wanted) in alone.iter() {
                let Some(entry) = map.get(key) else { continue };
                path.push(Step::Key(Arc::clone(key)));
                if !entry.value.is_null() {
                    if let Some(entry) = Arc::make_mut(map).get_mut(key) {
                        open(&mut entry.value, &wanted.value, path, opened);
                    }
                } else if matches!(wanted.value.data, Data::Map(_) | Data::Seq(_))
                    && let Some(entry) = Arc::make_mut(map).shift_remove(key)
                {
                    opened.push((path.clone(), entry));
                }
                path.pop();
            }
        }
        (Data::Seq(items), Data::Seq(alone)) => {
            for (index, (item, alone)) in Arc::make_mut(items).iter_mut().zip(alone.iter()).enumerate() {
                path.push(Step::Index(index));
                open(item, alone, path, opened);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Puts a key without a value back where nothing took its place.
fn close(node: &mut Node, path: &[Step], entry: Entry) {
    match (&mut node.data, path) {
        (Data::Map(map), [Step::Key(key)]) if !map.contains_key(key) => {
            Arc::make_mut(map).insert(Arc::clone(key), entry);
        }
        (Data::Map(map), [Step::Key(key), rest @ ..]) => {
            if let Some(inner) = Arc::make_mut(map).get_mut(key) {
                close(&mut inner.value, rest, entry);
            }
        }
        (Data::Seq(items), [Step::Index(index), rest @ ..]) => {
            if let Some(item) = Arc::make_mut(items).get_mut(*index) {
                close(item, rest, entry);
            }
        }
        _ => {}
    }
}

/// The paths that `path=null` names.
fn removals(node: &Node, path: &mut Path, found: &mut Vec<Path>) {
    match &node.data {
        Data::Null if node.style == Style::Argument => found.push(path.clone()),
        Data::Map(map) => {
            for (key, entry) in map.iter() {
                path.push(Step::Key(Arc::clone(key)));
                removals(&entry.value, path, found);
                path.pop();
            }
        }
        Data::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                removals(item, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The values that an argument sets; what pads a list is none.
fn leaves(node: &Node) -> usize {
    match &node.data {
        Data::Map(map) => map.values().map(|entry| leaves(&entry.value)).sum(),
        Data::Seq(items) => items.iter().map(leaves).sum(),
        Data::Null => usize::from(node.style == Style::Argument),
        _ => 1,
    }
}

/// The way to a value must lead through mappings and lists.
fn fits(tree: &Node, alone: &Node, path: &mut Path) -> Result<(), Failure> {
    let wrong = |path: &Path, wanted: &str| {
        let at = path_text(path);
        let message = format!("`{at}` is no {wanted}: it holds {}", super::super::short(tree));
        let diagnostic = Diagnostic::new(Code::UnsafeEdit, message).label(tree.span, format!("expected a {wanted}"));
        Err(vec![diagnostic.hint(format!("remove it first: `{at}=null`"))])
    };
    match (&tree.data, &alone.data) {
        (Data::Map(map), Data::Map(alone)) => {
            for (key, entry) in alone.iter() {
                let Some(existing) = map.get(key) else { continue };
                path.push(Step::Key(Arc::clone(key)));
                fits(&existing.value, &entry.value, path)?;
                path.pop();
            }
        }
        (Data::Seq(items), Data::Seq(alone)) => {
            for (index, (item, alone)) in items.iter().zip(alone.iter()).enumerate() {
                path.push(Step::Index(index));
                fits(item, alone, path)?;
                path.pop();
            }
        }
        (Data::Null, _) => {}
        (_, Data::Map(_)) if alone.style == Style::Block => return wrong(path, "mapping"),
        _ => {}
    }
    Ok(())
}

/// A value keeps its type where its text allows: what replaces a string is a string, also `42` and `true`; and `1.5` in
/// the place of a number is a number, though Helm's grammar takes it for a string.
fn keep_types(node: &mut Node, before: Option<&Node>, file: FileId, sources: &Sources) {
    match &mut node.data {
        Data::Map(map) => {
            for (key, entry) in Arc::make_mut(map).iter_mut() {
                keep_types(&mut entry.value, before.and_then(|before| before.get(key)), file, sources);
            }
        }
        Data::Seq(items) => {
            let old = before.and_then(Node::as_seq).unwrap_or_default();
            for (index, item) in Arc::make_mut(items).iter_mut().enumerate() {
                keep_types(item, old.get(index), file, sources);
            }
        }
        data if node.span.file == file && node.style == Style::Argument && *data != Data::Null => {
            let text = &sources.text(file)[node.span.start as usize..node.span.end as usize];
            let resolved = match yaml::resolve(text) {
                Resolved::Bool(value) => Data::Bool(value),
                Resolved::Int(number) => Data::Int(number),
                Resolved::Uint(number) => Data::Uint(number),
                Resolved::Float(number) if number.is_finite() => Data::Float(number),
                _ => Data::Null,
            };
            let is_number = |data: &Data| matches!(data, Data::Int(_) | Data::Uint(_) | Data::Float(_));
            match before.map(|before| &before.data) {
                Some(Data::Str(_)) if !matches!(data, Data::Str(_)) => *data = Data::Str(text.into()),
                Some(old) if is_number(old) && is_number(&resolved) => *data = resolved,
                Some(Data::Bool(_)) if matches!(resolved, Data::Bool(_)) => *data = resolved,
                _ => {}
            }
        }
        _ => {}
    }
}

/// Removes what is at a path, and what was only made to lead there.
fn remove(node: &mut Node, before: Option<&Node>, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else { return };
    let is_empty = |node: &Node| match &node.data {
        Data::Map(map) => map.is_empty(),
        Data::Seq(items) => items.is_empty(),
        _ => false,
    };
    match (&mut node.data, step) {
        (Data::Map(map), Step::Key(key)) => {
            let map = Arc::make_mut(map);
            let old = before.and_then(|before| before.get(key));
            let emptied = match map.get_mut(key) {
                Some(entry) if !rest.is_empty() => {
                    remove(&mut entry.value, old, rest);
                    old.is_none() && is_empty(&entry.value)
                }
                found => found.is_some(),
            };
            if emptied {
                map.shift_remove(key);
            }
        }
        (Data::Seq(items), Step::Index(index)) => {
            let items = Arc::make_mut(items);
            let length = before.and_then(Node::as_seq).map_or(0, <[Node]>::len);
            if *index >= length {
                items.truncate(length);
            } else if rest.is_empty() {
                items.remove(*index);
            } else if let Some(item) = items.get_mut(*index) {
                remove(item, before.and_then(|before| before.step(step)), rest);
            }
        }
        _ => {}
    }
}
