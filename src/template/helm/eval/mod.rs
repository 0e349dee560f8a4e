//! Runs parsed templates. Order of evaluation, and which node an error names, are those of Go's `text/template`.
//!
//! `flow.rs` runs the nodes of a list, `operand.rs` evaluates pipelines and what they are made of, `call.rs` calls
//! functions and methods.

mod call;
mod flow;
mod operand;

use super::ast::{Id, Source, Tree};
use super::error::{Cause, ExecError, Help, Level};
use super::funcs::Env;
use super::namespace::Layer;
use super::output::{Captured, Output};
use super::print;
use super::shared::Shared;
use super::stack::{self, Guard};
use crate::value::{Str, Value};
use std::sync::Arc;

/// Go's own bound on `{{template}}` in `{{template}}`.
const MAX_DEPTH: u32 = 100_000;

/// Nested calls of `include` and `tpl`. Helm bounds them by its stack, which holds a few times as many.
const MAX_CALLS: u32 = 20_000;

/// A value as Go's `reflect` sees it.
#[derive(Debug, Clone, Default)]
pub(super) struct Val {
    pub(super) value: Value,
    /// Held in an `interface {}`, as what maps and lists hold. Nil is then a nil interface, else no value at all.
    pub(super) interface: bool,
}

impl Val {
    pub(super) fn new(value: Value) -> Self {
        Val { value, interface: false }
    }

    fn is_invalid(&self) -> bool {
        !self.interface && self.value.is_nil()
    }

    fn type_name(&self) -> std::borrow::Cow<'static, str> {
        if self.interface { "interface {}".into() } else { print::type_of(&self.value) }
    }
}

pub(super) type Result<T> = std::result::Result<T, Box<ExecError>>;

/// Why a list of nodes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Normal,
    Break,
    Continue,
}

/// A template while it runs.
#[derive(Clone, Copy)]
struct Frame<'f> {
    source: &'f Source,
    name: &'f Str,
    layer: &'f Arc<Layer>,
    depth: u32,
    /// Where this template's variables start.
    base: usize,
}

/// Runs templates of one file.
pub(super) struct Exec<'e> {
    pub(super) env: Env<'e>,
    pub(super) shared: &'e mut Shared,
    pub(super) out: Output,
    guard: Guard,
    variables: Vec<(u32, Val)>,
    /// Calls of `include` and `tpl` that are running.
    calls: u32,
    /// The node at which Go would report an error.
    node: Id,
    /// Buffers for arguments.
    spare: Vec<Vec<Value>>,
    /// What `include` gave to the expressions that are running, the innermost last.
    captured: Vec<Captured>,
}

impl<'e> Exec<'e> {
    pub(super) fn new(env: Env<'e>, shared: &'e mut Shared, out: Output) -> Self {
        Exec {
            env,
            shared,
            out,
            guard: Guard::small(),
            variables: Vec::new(),
            calls: 0,
            node: 0,
            spare: Vec::new(),
            captured: Vec::new(),
        }
    }

    /// Runs a template of the namespace.
    pub(super) fn run_named(&mut self, name: &str, layer: &Arc<Layer>, data: &Val) -> Result<()> {
        match layer.find(name) {
            Some(tree) => self.run(&tree, layer, data, 0),
            None => Err(Box::new(ExecError::no_template(name, layer.names()))),
        }
    }

    /// Runs a template with a new `$`.
    pub(super) fn run(&mut self, tree: &Tree, layer: &Arc<Layer>, data: &Val, depth: u32) -> Result<()> {
        if !self.guard.has_room() && !self.guard.is_large() {
            return self.on_large_stack(|exec| exec.run(tree, layer, data, depth));
        }
        let node = self.node;
        let base = self.variables.len();
        self.variables.push((0, data.clone()));
        let frame = Frame { source: &tree.source, name: &tree.name, layer, depth, base };
        self.node = tree.root;
        let result = self.walk(&frame, data, tree.root);
        self.variables.truncate(base);
        self.node = node;
        result.map(drop)
    }

    fn on_large_stack<T: Send>(&mut self, run: impl FnOnce(&mut Self) -> Result<T> + Send) -> Result<T> {
        let small = self.guard;
        let result = stack::grow(|guard| {
            self.guard = guard;
            run(self)
        });
        self.guard = small;
        result.unwrap_or_else(|| Err(Box::new(ExecError::limit("the system gives no stack for deep recursion"))))
    }

    /// Goes on with a large stack, or gives up where this one is large already.
    fn deepen<T: Send>(&mut self, frame: &Frame<'_>, run: impl FnOnce(&mut Self) -> Result<T> + Send) -> Result<T> {
        if self.guard.is_large() {
            return self.limit(frame, "templates nest too deep");
        }
        self.on_large_stack(run)
    }

    /// An error at the current node.
    fn fail<T>(&self, frame: &Frame<'_>, message: impl Into<String>) -> Result<T> {
        Err(self.error(frame, message.into(), None, Help::None))
    }

    fn error(&self, frame: &Frame<'_>, message: String, cause: Option<Cause>, help: Help) -> Box<ExecError> {
        Box::new(ExecError { levels: vec![self.level(frame, message, None)], cause, help })
    }

    fn level(&self, frame: &Frame<'_>, message: String, tpl: Option<Str>) -> Level {
        Level {
            location: frame.source.location(self.node),
            template: Arc::clone(frame.name),
            context: frame.source.print(self.node),
            message,
            span: frame.source.span(self.node),
            tpl,
        }
    }

    fn limit<T>(&self, frame: &Frame<'_>, message: &str) -> Result<T> {
        Err(self.error(frame, message.to_owned(), None, Help::Limit))
    }

    fn spend(&mut self, frame: &Frame<'_>, steps: u64) -> Result<()> {
        match self.env.charge(steps) {
            Ok(()) => Ok(()),
            Err(_) => self.limit(frame, "the template takes too many steps"),
        }
    }
}

/// The text without Go's words for nil, where it has them.
pub(super) fn without_no_value(text: &str) -> Option<String> {
    memchr::memmem::find(text.as_bytes(), b"<no value>").map(|_| text.replace("<no value>", ""))
}
