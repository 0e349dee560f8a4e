//! Rewrites a template's source once, when it is compiled, so that what expressions write fits the YAML around them.
//!
//! The source is parsed, its text is read as YAML line by line ([`walk`]), and every expression gets a filter that
//! knows where it stands: `{{ e }}` becomes `{{( e )|__y(code)}}`. A plain scalar of several pieces is captured and
//! written as one string. Text is only inserted, never a line break, and [`Offsets`] leads every offset back.

mod ahead;
mod code;
mod content;
mod expressions;
mod lines;
mod offsets;
mod sites;
mod source;
mod state;
mod tags;
mod walk;

pub(crate) use code::{Content, Place, Role, Site, Spot};
pub(crate) use offsets::Offsets;

use expressions::Guards;
use minijinja::machinery::ast::{Expr, Stmt};
use minijinja::machinery::parse;
use minijinja::syntax::SyntaxConfig;
use offsets::Insertion;
use source::Source;
use std::ops::Range;
use std::sync::OnceLock;
use tags::{Kind, Marker, Tag};
use walk::Walker;

/// Operators and names in one tag; the parser recurses over them.
const MAX_TAG: usize = 1000;
/// `elif` branches of one `if`; the parser recurses over them.
const MAX_BRANCHES: usize = 200;

/// A mistake that shows in the source.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// In the author's source.
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
    /// The parser's, or a limit's.
    pub(crate) kind: ProblemKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    Syntax,
    Limit,
}

impl Problem {
    fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Problem { range, message: message.into(), hints: Vec::new(), kind: ProblemKind::Syntax }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// A template ready for minijinja.
#[derive(Debug)]
pub(crate) struct Rewritten {
    pub(crate) text: String,
    pub(crate) offsets: Offsets,
    pub(crate) spots: Vec<Spot>,
    /// Whether the text ends with a line break that is part of the output. minijinja drops it.
    pub(crate) last_line_break: bool,
}

/// The whitespace rules that [`lines`] relies on.
pub(crate) fn syntax() -> SyntaxConfig {
    static SYNTAX: OnceLock<SyntaxConfig> = OnceLock::new();
    SYNTAX
        .get_or_init(|| {
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("default delimiters are valid")
        })
        .clone()
}

/// Whether a template of this file name holds YAML: `*.yaml.j2`, `*.yml.j2`, and names without another extension
/// (`_helpers.j2`, `_helpers.tpl.j2`).
pub(crate) fn is_yaml_name(name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let base = base.strip_suffix(".j2").unwrap_or(base);
    match base.rsplit_once('.') {
        None => true,
        Some((_, extension)) => matches!(extension, "yaml" | "yml" | "tpl"),
    }
}

/// Whether an included template is known to be plain text.
fn is_text_name(name: &Expr<'_>) -> bool {
    name.as_const().is_some_and(|name| name.as_str().is_some_and(|name| !is_yaml_name(name)))
}

/// Rewrites a template. Sites are numbered from `base`; `reads` keeps what conditions read apart from what
/// expressions read.
pub(crate) fn rewrite(source: &str, name: &str, base: usize, reads: bool) -> Result<Rewritten, Vec<Problem>> {
    let yaml = is_yaml_name(name);
    let tags = tags::find(source);
    if let Some(problem) = too_complex(source, &tags) {
        return Err(vec![problem]);
    }
    let plus = lines::kept_blanks(source, &tags, yaml);
    let author_tags = tags.clone();
    let (spaced, tags) = insert_plus(source, tags, &plus);
    let author = |at: usize| at - plus.iter().enumerate().take_while(|(count, plus)| *plus + count < at).count();
    let author_range = |range: Range<usize>| author(range.start)..author(range.end).max(author(range.start));
    let template = parse(&spaced, name, syntax()).map_err(|error| {
        let unbalanced = tags::unbalanced(source, &author_tags);
        vec![unbalanced.unwrap_or_else(|| syntax_problem(source, &error, author_range))]
    })?;
    let Stmt::Template(template) = &template else { return Err(Vec::new()) };
    let place = Source { text: &spaced, tags: &tags };

    let mut guards = Guards::new(&place, reads);
    guards.statements(&template.children);
    let mut insertions = guards.insertions;
    let mut spots = Vec::new();
    if yaml {
        let mut walker = Walker::new(&place, base);
        walker.template(&template.children);
        if !walker.problems.is_empty() {
            let mut problems = walker.problems;
            problems.iter_mut().for_each(|problem| problem.range = author_range(problem.range.clone()));
            problems.sort_by_key(|problem| problem.range.start);
            return Err(problems);
        }
        insertions.extend(walker.insertions);
        spots = walker.spots;
    } else {
        wrap_macros(&place, &template.children, base, &mut insertions, &mut spots);
    }
    for spot in &mut spots {
        spot.range = author_range(spot.range.clone());
        spot.outer = author_range(spot.outer.clone());
        spot.before = author_range(spot.before.clone());
    }
    insertions.sort_by_key(|insertion| insertion.at);
    let merged = merge(insertions, &plus, author_range);
    let (text, offsets) = Offsets::apply(source, &merged);
    let last_line_break = keeps_last_line_break(&spaced, &tags);
    Ok(Rewritten { text, offsets, spots, last_line_break })
}

fn keeps_last_line_break(text: &str, tags: &[Tag<'_>]) -> bool {
    let Some(line) = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) else { return false };
    match tags.last().filter(|tag| tag.end == line.len()) {
        None => true,
        Some(tag) if tag.kind == Kind::Expression => tag.right != Marker::Remove,
        Some(tag) => tag.right == Marker::Keep,
    }
}

/// Inserts the `+` markers, and moves the tags accordingly.
fn insert_plus<'s>(source: &str, mut tags: Vec<Tag<'s>>, plus: &[usize]) -> (String, Vec<Tag<'s>>) {
    let mut text = String::with_capacity(source.len() + plus.len());
    let mut done = 0;
    for &at in plus {
        text.push_str(&source[done..at]);
        text.push('+');
        done = at;
    }
    text.push_str(&source[done..]);
    let mut passed = 0;
    for tag in &mut tags {
        let (start, end) = (tag.start, tag.end);
        tag.start += passed;
        while plus.get(passed).is_some_and(|&at| at < end) {
            if plus[passed] == start + 2 && tag.left == Marker::None && plus[passed] + 2 != end {
                tag.left = Marker::Keep;
            } else {
                tag.right = Marker::Keep;
            }
            passed += 1;
        }
        tag.end += passed;
    }
    (text, tags)
}

/// Joins insertions, given in offsets of the text with `+` markers, with those markers.
fn merge(
    insertions: Vec<Insertion>,
    plus: &[usize],
    author_range: impl Fn(Range<usize>) -> Range<usize>,
) -> Vec<Insertion> {
    let mut merged = Vec::with_capacity(insertions.len() + plus.len());
    let mut passed = 0;
    for insertion in insertions {
        while plus.get(passed).is_some_and(|&at| at + passed < insertion.at) {
            merged.push(Insertion { at: plus[passed], text: "+".to_owned(), covers: None });
            passed += 1;
        }
        let covers = insertion.covers.map(&author_range);
        merged.push(Insertion { at: insertion.at - passed, covers, ..insertion });
    }
    merged.extend(plus[passed..].iter().map(|&at| Insertion { at, text: "+".to_owned(), covers: None }));
    merged
}

/// Macros of text templates: wrapped for errors' call sites, their text as it stands.
fn wrap_macros(
    place: &Source<'_>,
    list: &[Stmt<'_>],
    base: usize,
    insertions: &mut Vec<Insertion>,
    spots: &mut Vec<Spot>,
) {
    for statement in list {
        match statement {
            Stmt::Macro(definition) => {
                let range = place.body(definition.span());
                let role = Role::Body(Content::Verbatim, 0);
                spots.push(Spot { role, template: 0, range: range.clone(), outer: range, before: 0..0 });
                let number = base + spots.len() - 1;
                insertions.push(sites::macro_wrapper(place, statement, definition.name, number));
                wrap_macros(place, &definition.body, base, insertions, spots);
            }
            Stmt::IfCond(cond) => {
                wrap_macros(place, &cond.true_body, base, insertions, spots);
                wrap_macros(place, &cond.false_body, base, insertions, spots);
            }
            Stmt::ForLoop(each) => wrap_macros(place, &each.body, base, insertions, spots),
            Stmt::WithBlock(with) => wrap_macros(place, &with.body, base, insertions, spots),
            Stmt::Block(block) => wrap_macros(place, &block.body, base, insertions, spots),
            _ => {}
        }
    }
}

/// The parser's error, with what a user of Helm's templates may have meant.
fn syntax_problem(
    source: &str,
    error: &minijinja::Error,
    author_range: impl Fn(Range<usize>) -> Range<usize>,
) -> Problem {
    let range = error.range().map_or(source.len()..source.len(), author_range);
    let range = range.start.min(source.len())..range.end.min(source.len());
    let detail = error.detail().unwrap_or("the template does not parse");
    let mut problem = Problem::new(range.clone(), detail);
    let before = &source[..range.start];
    let open = before.rfind("{{").into_iter().chain(before.rfind("{%")).max().unwrap_or(range.start);
    let tag = source[open..].split('\n').next().unwrap_or_default();
    let content = tag.trim_start_matches(['{', '%', '-', '+', ' ']);
    let word = content.split(|char: char| !char.is_ascii_alphanumeric()).next().unwrap_or_default();
    if content.starts_with('.') || content.contains(" .") || content.contains("(.") {
        problem = problem.hint("names have no leading dot in Jinja: Helm's `.Values.x` is `values.x`");
    } else if content.contains(":=") || content.starts_with('$') {
        problem = problem.hint("Helm's `{{ $x := … }}` is `{% set x = … %}` in Jinja, and `$x` is `x`");
    } else if tag.starts_with("{{")
        && matches!(word, "if" | "range" | "with" | "define" | "template" | "else" | "end" | "block")
    {
        let jinja = match word {
            "range" => "{% for item in list %}",
            "define" => "{% macro name(…) %}",
            "template" => "{{ name() }} of a macro",
            "end" => "{% endif %}, {% endfor %} and so on",
            "else" => "{% else %}",
            "with" => "{% with x = … %}",
            _ => "{% if … %}",
        };
        problem = problem.hint(format!("Helm's `{{{{ {word} … }}}}` is `{jinja}` in Jinja"));
    } else if detail.starts_with("unexpected identifier") || detail.starts_with("unexpected string") {
        problem =
            problem.hint("arguments stand in parentheses: `name(a, b)`, and filters after a bar: `value|name(a)`");
    }
    problem
}

/// What would take the parser too deep.
fn too_complex(source: &str, tags: &[Tag<'_>]) -> Option<Problem> {
    let limit = |tag: &Tag<'_>, message: String| Problem {
        kind: ProblemKind::Limit,
        ..Problem::new(tag.start..tag.end, message)
    };
    let mut branches = vec![0];
    for tag in tags {
        match tag.keyword {
            "if" => branches.push(0),
            "endif" => drop(branches.pop()),
            "elif" => {
                let count = branches.last_mut()?;
                *count += 1;
                if *count > MAX_BRANCHES {
                    return Some(limit(tag, format!("this `if` has more than {MAX_BRANCHES} branches")));
                }
            }
            _ => {}
        }
        if tag.kind != Kind::Comment && tag.end - tag.start > MAX_TAG && weight(&source[tag.start..tag.end]) > MAX_TAG {
            return Some(limit(tag, format!("this tag has more than {MAX_TAG} operators and names")));
        }
    }
    None
}

/// Operators and names outside quotes.
fn weight(tag: &str) -> usize {
    let mut count = 0;
    let mut quote = None;
    let mut word = false;
    let mut escaped = false;
    for byte in tag.bytes() {
        if let Some(open) = quote {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                _ if byte == open => quote = None,
                _ => {}
            }
            continue;
        }
        let letter = byte.is_ascii_alphanumeric() || byte == b'_';
        match byte {
            b'"' | b'\'' => quote = Some(byte),
            b'+' | b'-' | b'*' | b'/' | b'~' | b'%' | b'|' | b'.' | b'[' | b'(' | b'{' | b'<' | b'>' | b'=' | b'!' => {
                count += 1
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' if !word => count += 1,
            _ => {}
        }
        word = letter;
    }
    count
}
