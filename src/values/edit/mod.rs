//! Editing a values file in place: only what an assignment means changes; comments, order, quotes, blank lines and line
//! ends stay.
//!
//! [`wanted`] says which tree the file is to hold. What differs from the tree it holds is spliced into the text, one
//! change at a time. In the end the text is read again: it must hold the wanted tree and all comments, else the edit is
//! refused.

mod change;
mod splice;
mod style;
mod text;
mod wanted;

pub use wanted::Assignments;

use super::difference::same;
use super::set::ReadFile;
use crate::chart::read_values;
use crate::diagnostic::{Code, Diagnostic, Failure, FileId, Sources, Span};
use crate::yaml::{self, Data, Node, Step, comments, path_text};
use change::{Change, changes};
use splice::{Document, Refusal};
use style::FileStyle;
use wanted::wanted;

/// A file that was edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    pub text: String,
    /// The paths whose values changed.
    pub changed: Vec<Vec<Step>>,
    /// The paths that were to be removed, and are not there.
    pub missing: Vec<Vec<Step>>,
}

/// Edits the text of a values file, which is among the sources without its byte order mark. `json` says that the file
/// must stay JSON.
pub fn edit(
    file: FileId,
    assignments: &Assignments,
    json: bool,
    sources: &mut Sources,
    read_file: &mut ReadFile<'_>,
) -> Result<Edited, Failure> {
    let before = sources.shared_text(file);
    let root = root(&before, file)?;
    let (wanted, missing) = wanted(&root, assignments, sources, read_file)?;
    let all = changes(&root, &wanted);
    let changed: Vec<Vec<Step>> = all.iter().map(|change| change.path().to_vec()).collect();
    refuse_twice(&before, file, &changed)?;
    let mut text = before.to_string();
    // Each splice makes one change; a list that shrinks may take more of them than the first count says.
    for left in (0..2 * all.len() + 16).rev() {
        let root = match self::root(&text, file) {
            Ok(root) => root,
            Err(failure) => return Err(broken(&failure, &changed, &root, file)),
        };
        let Some(change) = changes(&root, &wanted).into_iter().min_by_key(Change::rank) else { break };
        if !changed.iter().any(|path| change.path().starts_with(path)) {
            return Err(shared(change.path(), &changed, &root, file));
        }
        let style = FileStyle::of(&text, &root, json);
        let document = Document { text: &text, root: &root, style: &style, sources };
        match document.apply(&change, &wanted) {
            Ok(next) if next != text && left > 0 => text = next,
            Ok(_) => {
                return Err(vec![refused(change.path(), &Refusal::new("the edit comes to nothing"), file, &before)]);
            }
            Err(refusal) => return Err(vec![refused(change.path(), &refusal, file, &before)]),
        }
    }
    verify(file, &before, &text, &wanted, &changed, sources)?;
    Ok(Edited { text, changed, missing })
}

/// The one document of a file that has content; an empty mapping where none has.
fn root(text: &str, file: FileId) -> Result<Node, Failure> {
    let mut documents = yaml::read(text, file).complete()?.into_iter().filter(|document| !document.is_null());
    let Some(first) = documents.next() else {
        return Ok(Node { span: Span::new(file, 0, 0), ..Node::empty_map(file) });
    };
    if let Some(second) = documents.next() {
        let diagnostic =
            Diagnostic::new(Code::UnsafeEdit, "the file has several documents, which are merged when it is read")
                .label(second.span, "the second one starts here")
                .hint("make it one document, then edit it");
        return Err(vec![diagnostic]);
    }
    match first.data {
        Data::Map(_) => Ok(first),
        _ => Err(vec![
            Diagnostic::new(Code::InvalidValues, "a values file must be a mapping of names to values")
                .label(first.span, "expected `name: value`"),
        ]),
    }
}

/// Refuses to touch what stands twice in its mapping.
fn refuse_twice(text: &str, file: FileId, changed: &[Vec<Step>]) -> Result<(), Failure> {
    for finding in yaml::read(text, file).findings.into_iter().filter(|finding| finding.code == Code::DuplicateKey) {
        let Some(place) = finding.labels.first().map(|label| label.span) else { continue };
        let goes_there = |path: &Vec<Step>| {
            let mut at = yaml::read(text, file).documents.into_iter().find(|document| !document.is_null());
            path.iter().any(|step| {
                let entry = match (&at, step) {
                    (Some(node), Step::Key(key)) => node.as_map().and_then(|map| map.get(key)).cloned(),
                    _ => None,
                };
                let hit = entry.as_ref().is_some_and(|entry| entry.key_span == place);
                at = match step {
                    Step::Key(_) => entry.map(|entry| entry.value),
                    Step::Index(_) => at.as_ref().and_then(|node| node.step(step)).cloned(),
                };
                hit
            })
        };
        if changed.iter().any(goes_there) {
            return Err(vec![Diagnostic {
                severity: crate::diagnostic::Severity::Error,
                code: Code::UnsafeEdit,
                ..finding
            }]);
        }
    }
    Ok(())
}

fn refused(path: &[Step], refusal: &Refusal, file: FileId, text: &str) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::UnsafeEdit, format!("cannot edit `{}`: {}", path_text(path), refusal.message));
    // A place in a text that has been edited before is none in the file.
    let place = refusal.place.filter(|place| place.end as usize <= text.len());
    let diagnostic = diagnostic.label(place.unwrap_or(Span::new(file, 0, 0)), "here");
    refusal.hint.iter().cloned().fold(diagnostic, Diagnostic::hint)
}

const BY_HAND: &str = "edit this value by hand";

/// An edit that cannot be made at its place.
fn in_place(message: String, hint: &str, changed: &[Vec<Step>], root: &Node, file: FileId) -> Failure {
    let path = changed.first().map(Vec::as_slice).unwrap_or_default();
    let place = root.follow(path).map_or(Span::new(file, 0, 0), |node| node.span);
    let message = format!("setting `{}` in place {message}", path_text(path));
    vec![Diagnostic::new(Code::UnsafeEdit, message).label(place, "the file is left as it is").hint(hint)]
}

fn broken(failure: &Failure, changed: &[Vec<Step>], root: &Node, file: FileId) -> Failure {
    let reason = failure.first().map(|finding| finding.message.clone()).unwrap_or_default();
    in_place(format!("would break the file: {reason}"), BY_HAND, changed, root, file)
}

/// The edit would change another value, too.
fn shared(other: &[Step], changed: &[Vec<Step>], root: &Node, file: FileId) -> Failure {
    let hint = "they are one value by an anchor (`&`) and its aliases (`*`): write one of them out first";
    in_place(format!("would change `{}`, too", path_text(other)), hint, changed, root, file)
}

/// The edited text must hold what is wanted, and every comment that was not removed with its line.
fn verify(
    file: FileId,
    before: &str,
    after: &str,
    wanted: &Node,
    changed: &[Vec<Step>],
    sources: &mut Sources,
) -> Result<(), Failure> {
    let name = sources.name(file).to_owned();
    let edited = sources.add(name.as_str(), after);
    let root = root(before, file)?;
    let read = match read_values(edited, sources) {
        Ok(read) => read.values,
        Err(failure) => return Err(broken(&failure, changed, &root, file)),
    };
    if !same(&read, wanted) {
        let differing = super::differences(wanted, &read);
        let other = differing.iter().find(|difference| !changed.iter().any(|path| difference.path.starts_with(path)));
        if let Some(other) = other {
            return Err(shared(&other.path, changed, &root, file));
        }
        let found = differing.first().map_or("the file as a whole".to_owned(), |first| {
            let found = first.after.map_or("nothing".to_owned(), super::short);
            format!("`{}` comes out as {found}", path_text(&first.path))
        });
        return Err(in_place(format!("would not read back: {found}"), BY_HAND, changed, &root, file));
    }
    let replaced: Vec<Span> = changed.iter().filter_map(|path| extent(&root, path)).collect();
    if lost_comment(before, after, file, &replaced) {
        let hint = "move the comment, or edit this value by hand";
        return Err(in_place("would lose a comment".to_owned(), hint, changed, &root, file));
    }
    Ok(())
}

/// A value with its key.
fn extent(root: &Node, path: &[Step]) -> Option<Span> {
    let (last, parent) = path.split_last()?;
    let holder = root.follow(parent)?;
    match last {
        Step::Key(key) => {
            let entry = holder.as_map()?.get(key)?;
            Some(Span { end: entry.value.span.end, ..entry.key_span })
        }
        Step::Index(_) => Some(holder.step(last)?.span),
    }
}

/// Whether a comment is gone that stands alone in its line, and in no value that was replaced.
fn lost_comment(before: &str, after: &str, file: FileId, replaced: &[Span]) -> bool {
    let kept: Vec<&str> = comments(after, file).iter().map(|comment| comment.text.trim_end()).collect();
    let mut next = 0;
    let inside = |place: Span| replaced.iter().any(|value| value.start <= place.start && place.end <= value.end);
    comments(before, file).iter().filter(|comment| comment.alone && !inside(comment.span)).any(|comment| {
        match kept[next..].iter().position(|it| *it == comment.text.trim_end()) {
            Some(at) => {
                next += at + 1;
                false
            }
            None => true,
        }
    })
}
