//! The parsed form of a Go template. The nodes of one text lie in one arena and refer to each other by index.

use super::builtins::Callee;
use super::parser::Definitions;
use super::print;
use crate::diagnostic::{FileId, Span};
use crate::value::{Str, Value, bytes_of};
use std::fmt::Write;
use std::ops::Range;
use std::slice;
use std::sync::Arc;

/// Index of a [`Node`] in its [`Source`].
pub(super) type Id = u32;

/// A run of entries of one of the lists of a [`Source`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Many {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Many {
    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Where Go says that the node is: for `.a.b` at the second dot.
    pub(super) pos: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// What is a `pipe` here and below is a [`Kind::Pipe`] only where it has variables, several commands or
    /// parentheses, else its one command.
    Action {
        pipe: Id,
    },
    If(Branch),
    With(Branch),
    Range(Branch),
    /// `{{template "name" pipe}}`; the name is in [`Source::strings`].
    Template {
        name: u32,
        pipe: Option<Id>,
    },
    Break,
    Continue,
    List(Many),
    /// Declared variables and commands, both in [`Source::ids`]. A command is a [`Kind::Command`] only where it has
    /// several operands or one in parentheses, else its one operand.
    Pipe {
        variables: Many,
        commands: Many,
        assigns: bool,
    },
    /// The operands, in [`Source::ids`].
    Command(Many),
    /// A function, in [`Source::functions`].
    Function(u32),
    /// A variable and the fields after it.
    Variable {
        variable: u32,
        fields: Many,
    },
    Dot,
    Nil,
    Field(Many),
    Chain {
        operand: Id,
        fields: Many,
    },
    Bool(bool),
    /// In [`Source::numbers`].
    Number(u32),
    /// In [`Source::strings`].
    Str(u32),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    pub(super) pipe: Id,
    pub(super) body: Id,
    pub(super) otherwise: Option<Id>,
}

/// A number constant, as each of the types that it can be.
#[derive(Debug, Clone)]
pub(super) struct Number {
    pub(super) int: Option<i64>,
    pub(super) float: Option<f64>,
    /// What it is where any type will do; `None` when it overflows.
    pub(super) ideal: Option<Value>,
}

/// What was parsed from one text, or from several: one list of each kind for all of them is cheaper than many.
#[derive(Debug, Default)]
pub(super) struct Ast {
    pub(super) nodes: Vec<Node>,
    pub(super) ids: Vec<Id>,
    /// Where the names of fields are in the text that they belong to.
    pub(super) names: Vec<(u32, u32)>,
    /// Names of variables with their `$`; the first is `$`.
    pub(super) variables: Vec<Str>,
    /// String constants and names of templates that are called, each once.
    pub(super) strings: Vec<Str>,
    pub(super) numbers: Vec<Number>,
    /// Each once.
    pub(super) functions: Vec<Callee>,
}

/// A text, and where what was parsed from it is.
#[derive(Debug)]
pub(super) struct Source {
    /// The template's name, as locations in errors have it.
    pub(super) name: Str,
    pub(super) text: Arc<str>,
    /// `None` for the argument of `tpl`.
    pub(super) file: Option<FileId>,
    pub(super) ast: Arc<Ast>,
}

impl Source {
    /// The templates of the text.
    pub(super) fn trees(self, definitions: Definitions) -> impl Iterator<Item = Tree> {
        let source = Arc::new(self);
        let tree = move |(name, (root, is_empty))| Tree { name, source: Arc::clone(&source), root, is_empty };
        definitions.into_iter().map(tree)
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.ast.nodes[id as usize]
    }

    pub(super) fn ids(&self, many: Many) -> &[Id] {
        &self.ast.ids[many.range()]
    }

    /// The commands of a pipe.
    pub(super) fn commands<'s>(&'s self, pipe: &'s Id) -> &'s [Id] {
        match self.node(*pipe).kind {
            Kind::Pipe { commands, .. } => self.ids(commands),
            _ => slice::from_ref(pipe),
        }
    }

    /// The operands of a command.
    pub(super) fn operands<'s>(&'s self, command: &'s Id) -> &'s [Id] {
        match self.node(*command).kind {
            Kind::Command(operands) => self.ids(operands),
            _ => slice::from_ref(command),
        }
    }

    pub(super) fn names(&self, many: Many) -> impl ExactSizeIterator<Item = &str> {
        self.ast.names[many.range()].iter().map(|&(start, end)| &self.text[start as usize..end as usize])
    }

    pub(super) fn span(&self, id: Id) -> Option<Span> {
        let node = self.node(id);
        Some(Span { file: self.file?, start: node.start, end: node.end })
    }

    /// `file:line:column` as Go gives it: the line from 1, the column in bytes from 0.
    pub(super) fn location(&self, id: Id) -> String {
        let (line, column) = self.line_and_column(self.node(id).pos);
        format!("{}:{line}:{column}", self.name)
    }

    fn line_and_column(&self, pos: u32) -> (usize, usize) {
        let before = &self.text[..pos as usize];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line_of(&self.text, pos), bytes_of(&before[start..]).len())
    }

    /// The node as Go re-prints it in errors.
    pub(super) fn print(&self, id: Id) -> String {
        enum Part {
            Node(Id),
            Text(&'static str),
            Fields(Many),
        }
        let mut out = String::new();
        let mut parts = vec![Part::Node(id)];
        while let Some(part) = parts.pop() {
            let id = match part {
                Part::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Fields(fields) => {
                    self.print_fields(fields, &mut out);
                    continue;
                }
                Part::Node(id) => id,
            };
            let node = self.node(id);
            match node.kind {
                Kind::Action { pipe } => {
                    out.push_str("{{");
                    parts.extend([Part::Text("}}"), Part::Node(pipe)]);
                }
                Kind::Template { name, pipe } => {
                    write!(out, "{{{{template {}", print::quote(&self.ast.strings[name as usize])).expect("a string");
                    parts.push(Part::Text("}}"));
                    if let Some(pipe) = pipe {
                        parts.extend([Part::Node(pipe), Part::Text(" ")]);
                    }
                }
                Kind::Pipe { variables, commands, assigns } => {
                    for (index, &command) in self.ids(commands).iter().enumerate().rev() {
                        parts.push(Part::Node(command));
                        if index > 0 {
                            parts.push(Part::Text(" | "));
                        }
                    }
                    if variables.len > 0 {
                        parts.push(Part::Text(if assigns { " = " } else { " := " }));
                    }
                    for (index, &variable) in self.ids(variables).iter().enumerate().rev() {
                        parts.push(Part::Node(variable));
                        if index > 0 {
                            parts.push(Part::Text(", "));
                        }
                    }
                }
                Kind::Command(operands) => {
                    for (index, &operand) in self.ids(operands).iter().enumerate().rev() {
                        if matches!(self.node(operand).kind, Kind::Pipe { .. }) {
                            parts.extend([Part::Text(")"), Part::Node(operand), Part::Text("(")]);
                        } else {
                            parts.push(Part::Node(operand));
                        }
                        if index > 0 {
                            parts.push(Part::Text(" "));
                        }
                    }
                }
                Kind::Function(function) => out.push_str(self.ast.functions[function as usize].name()),
                Kind::Variable { variable, fields } => {
                    out.push_str(&self.ast.variables[variable as usize]);
                    self.print_fields(fields, &mut out);
                }
                Kind::Field(fields) => self.print_fields(fields, &mut out),
                Kind::Chain { operand, fields } => {
                    parts.push(Part::Fields(fields));
                    if matches!(self.node(operand).kind, Kind::Pipe { .. }) {
                        parts.extend([Part::Text(")"), Part::Node(operand), Part::Text("(")]);
                    } else {
                        parts.push(Part::Node(operand));
                    }
                }
                Kind::Dot => out.push('.'),
                Kind::Nil => out.push_str("nil"),
                Kind::Bool(value) => out.push_str(if value { "true" } else { "false" }),
                Kind::Break => out.push_str("{{break}}"),
                Kind::Continue => out.push_str("{{continue}}"),
                Kind::Text | Kind::Number(_) | Kind::Str(_) => {
                    out.push_str(&self.text[node.start as usize..node.end as usize]);
                }
                Kind::If(_) | Kind::With(_) | Kind::Range(_) | Kind::List(_) => {}
            }
        }
        out
    }

    fn print_fields(&self, fields: Many, out: &mut String) {
        for field in self.names(fields) {
            out.push('.');
            out.push_str(field);
        }
    }
}

/// The line of an offset, from 1.
pub(super) fn line_of(text: &str, pos: u32) -> usize {
    memchr::memchr_iter(b'\n', &text.as_bytes()[..pos as usize]).count() + 1
}

/// A template of a name: a file's own text, or a definition in it.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) name: Str,
    pub(super) source: Arc<Source>,
    pub(super) root: Id,
    /// Nothing but space and comments.
    pub(super) is_empty: bool,
}
