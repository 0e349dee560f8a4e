//! Runs parsed templates. Order of evaluation, and which node an error names, are those of Go's `text/template`.

use super::ast::{Branch, Id, Kind, Many, Source, Tree};
use super::builtins::{self, Builtin, Callee, Engine, Nil, Param, Run};
use super::error::{Cause, ExecError, Help, Level};
use super::funcs::duration::{DURATION, duration_of};
use super::funcs::{Env, Error, Function, Type};
use super::methods::{self, Method};
use super::namespace::Layer;
use super::objects;
use super::output::{Captured, Output};
use super::print;
use super::shared::Shared;
use super::stack::{self, Guard};
use crate::value::{ListKind, Map, MapKind, Object, Str, Value};
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

    fn walk(&mut self, frame: &Frame<'_>, dot: &Val, id: Id) -> Result<Flow> {
        self.node = id;
        let node = frame.source.node(id);
        match node.kind {
            Kind::Text => {
                self.out.literal(frame.source, node.start, node.end);
                if self.out.is_full() {
                    return self.limit(frame, "the output is too large");
                }
            }
            Kind::Action { pipe } => self.action(frame, dot, id, pipe)?,
            Kind::If(branch) => return self.branch(frame, dot, branch, false),
            Kind::With(branch) => return self.branch(frame, dot, branch, true),
            Kind::Range(branch) => return self.range(frame, dot, branch),
            Kind::Template { name, pipe } => self.template(frame, dot, name, pipe)?,
            Kind::Break => return Ok(Flow::Break),
            Kind::Continue => return Ok(Flow::Continue),
            Kind::List(items) => {
                for &item in frame.source.ids(items) {
                    let flow = self.walk(frame, dot, item)?;
                    if flow != Flow::Normal {
                        return Ok(flow);
                    }
                }
            }
            _ => return self.fail(frame, "unknown node"),
        }
        Ok(Flow::Normal)
    }

    fn action(&mut self, frame: &Frame<'_>, dot: &Val, id: Id, pipe: Id) -> Result<()> {
        self.shared.reads.start_expression();
        let mark = self.captured.len();
        if matches!(frame.source.node(pipe).kind, Kind::Pipe { variables, .. } if variables.len > 0) {
            self.pipeline(frame, dot, pipe)?;
            self.captured.truncate(mark);
            return Ok(());
        }
        if let Some((command, operands)) = include_alone(frame.source, pipe) {
            return self.include_in_place(frame, dot, pipe, command, operands);
        }
        let value = self.pipeline(frame, dot, pipe)?;
        self.node = id;
        self.print_value(frame, id, &value.value, mark)?;
        self.captured.truncate(mark);
        Ok(())
    }

    /// Writes the value of an expression that has captured texts from `mark` on.
    fn print_value(&mut self, frame: &Frame<'_>, id: Id, value: &Value, mark: usize) -> Result<()> {
        let before = self.out.text.len();
        match value {
            Value::Str(text) if self.captured.len() > mark => {
                let others = &self.captured[mark..];
                self.out.lines_of(text, others, frame.source.span(id), &mut self.shared.reads);
            }
            Value::Nil => self.out.text.push_str("<no value>"),
            Value::Str(text) => self.out.text.push_str(text),
            Value::Object(object) => self.out.text.push_str(&object.display()),
            value => {
                self.shared.reads.whole(value);
                if print::write(&mut self.out.text, value).is_err() {
                    return self.limit(frame, "the printed value is too large");
                }
            }
        }
        if self.out.is_full() {
            return self.limit(frame, "the output is too large");
        }
        let written = self.out.text.len() - before;
        self.spend(frame, written as u64 / 64)?;
        self.out.expression(frame.source.span(id), &mut self.shared.reads);
        Ok(())
    }

    /// `{{ include "name" . }}` with nothing after it writes straight into the output.
    fn include_in_place(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        pipe: Id,
        command: Id,
        [function, name, data]: [Id; 3],
    ) -> Result<()> {
        self.spend(frame, 1)?;
        self.node = function;
        let name = self.argument(frame, dot, Param::Of(Type::Str), name)?;
        let data = self.argument(frame, dot, Param::Of(Type::Any), data)?;
        let Value::Str(name) = name.value else { return Ok(()) };
        let result = self.include(frame, &name, Val::new(data.value));
        if let Err(failed) = result {
            self.node = command;
            return self.engine_failed(frame, "include", failed);
        }
        if self.out.map.is_none() {
            return Ok(());
        }
        self.out.expression(frame.source.span(pipe), &mut self.shared.reads);
        Ok(())
    }

    fn branch(&mut self, frame: &Frame<'_>, dot: &Val, branch: Branch, is_with: bool) -> Result<Flow> {
        if !self.guard.has_room() {
            return self.deepen(frame, |exec| exec.branch(frame, dot, branch, is_with));
        }
        let mark = self.variables.len();
        let value = self.condition(frame, dot, branch.pipe)?;
        let flow = if value.value.is_true() {
            self.walk(frame, if is_with { &value } else { dot }, branch.body)
        } else if let Some(otherwise) = branch.otherwise {
            self.walk(frame, dot, otherwise)
        } else {
            Ok(Flow::Normal)
        };
        self.variables.truncate(mark);
        flow
    }

    /// Goes on with a large stack, or gives up where this one is large already.
    fn deepen<T: Send>(&mut self, frame: &Frame<'_>, run: impl FnOnce(&mut Self) -> Result<T> + Send) -> Result<T> {
        if self.guard.is_large() {
            return self.limit(frame, "templates nest too deep");
        }
        self.on_large_stack(run)
    }

    fn range(&mut self, frame: &Frame<'_>, dot: &Val, branch: Branch) -> Result<Flow> {
        if !self.guard.has_room() {
            return self.deepen(frame, |exec| exec.range(frame, dot, branch));
        }
        let outer = self.variables.len();
        let value = self.condition(frame, dot, branch.pipe)?;
        let (variables, assigns) = match frame.source.node(branch.pipe).kind {
            Kind::Pipe { variables, assigns, .. } => (variables, assigns),
            _ => (Many::default(), false),
        };
        let mark = self.variables.len();
        let mut looping = Loop { pipe: branch.pipe, variables, assigns, body: branch.body, mark, ran: false };
        let done = match &value.value {
            Value::Int(count) | Value::Int64(count) => self.range_count(frame, *count, &value, &mut looping),
            Value::Uint(count) => {
                self.range_count(frame, i64::try_from(*count).unwrap_or(i64::MAX), &value, &mut looping)
            }
            Value::Object(object) if DURATION == object.type_name() => {
                self.range_count(frame, object.integer().unwrap_or(0), &value, &mut looping)
            }
            Value::Byte(count) => self.range_count(frame, i64::from(*count), &value, &mut looping),
            Value::List(list) => self.range_list(frame, list, &mut looping),
            Value::Bytes(bytes) => bytes.iter().enumerate().try_for_each(|(index, byte)| {
                let byte = Val::new(Value::Byte(*byte));
                self.iterate(frame, Val::new(Value::Int(index as i64)), byte, &mut looping)
            }),
            Value::Map(map) => self.range_map(frame, map, &mut looping),
            Value::Nil => Ok(()),
            other => {
                let text = print::sprintf("range can't iterate over %v", std::slice::from_ref(other));
                return self.fail(frame, text.unwrap_or_default());
            }
        };
        match done {
            Err(Jump::Error(error)) => return Err(error),
            Ok(()) | Err(Jump::Break) => {}
        }
        let flow = match branch.otherwise {
            Some(otherwise) if !looping.ran => self.walk(frame, dot, otherwise),
            _ => Ok(Flow::Normal),
        };
        self.variables.truncate(outer);
        flow
    }

    fn range_count(
        &mut self,
        frame: &Frame<'_>,
        count: i64,
        value: &Val,
        looping: &mut Loop,
    ) -> std::result::Result<(), Jump> {
        if looping.variables.len > 1 {
            let text = print::sprintf(
                "can't use %v to iterate over more than one variable",
                std::slice::from_ref(&value.value),
            );
            return Err(Jump::Error(self.fail::<()>(frame, text.unwrap_or_default()).unwrap_err()));
        }
        for number in 0..count {
            let number = match value.value {
                Value::Int64(_) => Value::Int64(number),
                Value::Uint(_) => Value::Uint(number as u64),
                Value::Byte(_) => Value::Byte(number as u8),
                Value::Object(_) => duration_of(number),
                _ => Value::Int(number),
            };
            self.iterate(frame, Val::default(), Val::new(number), looping)?;
        }
        Ok(())
    }

    fn range_list(
        &mut self,
        frame: &Frame<'_>,
        list: &crate::value::List,
        looping: &mut Loop,
    ) -> std::result::Result<(), Jump> {
        let interface = list.kind() == ListKind::Any;
        for (index, item) in list.items().iter().enumerate() {
            self.shared.reads.item(list, index, item);
            self.shared.reads.enter_item(list, index);
            let item = Val { value: item.clone(), interface };
            let ended = self.iterate(frame, Val::new(Value::Int(index as i64)), item, looping);
            self.shared.reads.leave();
            ended?;
        }
        Ok(())
    }

    fn range_map(&mut self, frame: &Frame<'_>, map: &Map, looping: &mut Loop) -> std::result::Result<(), Jump> {
        let interface = matches!(map.kind(), MapKind::Any | MapKind::Values);
        for (key, item) in map.sorted() {
            self.shared.reads.field(map, &key, &item);
            self.shared.reads.enter_entry(map, &key);
            let item = Val { value: item, interface };
            let ended = self.iterate(frame, Val::new(Value::Str(key)), item, looping);
            self.shared.reads.leave();
            ended?;
        }
        Ok(())
    }

    fn iterate(
        &mut self,
        frame: &Frame<'_>,
        index: Val,
        item: Val,
        looping: &mut Loop,
    ) -> std::result::Result<(), Jump> {
        looping.ran = true;
        if self.env.charge(1).is_err() {
            self.node = looping.pipe;
            self.spend(frame, 1).map_err(Jump::Error)?;
        }
        match (frame.source.ids(looping.variables), looping.assigns) {
            ([], _) => {}
            ([only], true) => self.assign(frame, *only, item.clone()).map_err(Jump::Error)?,
            ([first, second, ..], true) => {
                self.assign(frame, *first, index).map_err(Jump::Error)?;
                self.assign(frame, *second, item.clone()).map_err(Jump::Error)?;
            }
            (declared, false) => {
                let top = self.variables.len();
                self.variables[top - 1].1 = item.clone();
                if declared.len() > 1 {
                    self.variables[top - 2].1 = index;
                }
            }
        }
        let flow = self.walk(frame, &item, looping.body);
        self.variables.truncate(looping.mark);
        match flow {
            Ok(Flow::Normal | Flow::Continue) => Ok(()),
            Ok(Flow::Break) => Err(Jump::Break),
            Err(error) => Err(Jump::Error(error)),
        }
    }

    fn template(&mut self, frame: &Frame<'_>, dot: &Val, name: u32, pipe: Option<Id>) -> Result<()> {
        let name = &frame.source.strings[name as usize];
        let Some(tree) = frame.layer.find(name) else {
            let help = Help::Template { name: Arc::clone(name), known: frame.layer.names() };
            let message = format!("template {} not defined", print::quote(name));
            return Err(self.error(frame, message, None, help));
        };
        if frame.depth == MAX_DEPTH {
            return self.fail(frame, format!("exceeded maximum template depth ({MAX_DEPTH})"));
        }
        if !self.guard.has_room() && self.guard.is_large() {
            return self.limit(frame, "templates nest too deep");
        }
        let data = match pipe {
            Some(pipe) => self.condition(frame, dot, pipe)?,
            None => Val::default(),
        };
        self.run(&tree, frame.layer, &data, frame.depth + 1)
    }

    /// A pipeline whose value is not written.
    fn condition(&mut self, frame: &Frame<'_>, dot: &Val, id: Id) -> Result<Val> {
        let mark = self.captured.len();
        let value = self.pipeline(frame, dot, id)?;
        self.captured.truncate(mark);
        Ok(value)
    }

    fn pipeline(&mut self, frame: &Frame<'_>, dot: &Val, id: Id) -> Result<Val> {
        if !self.guard.has_room() {
            return self.deepen(frame, |exec| exec.pipeline(frame, dot, id));
        }
        self.node = id;
        let mut value = None;
        for &command in frame.source.commands(&id) {
            self.spend(frame, 1)?;
            let mut result = self.command(frame, dot, command, value)?;
            result.interface = false;
            value = Some(result);
        }
        let value = value.unwrap_or_default();
        let Kind::Pipe { variables, assigns, .. } = frame.source.node(id).kind else { return Ok(value) };
        for &variable in frame.source.ids(variables) {
            if assigns {
                self.assign(frame, variable, value.clone())?;
            } else if let Kind::Variable { variable, .. } = frame.source.node(variable).kind {
                self.variables.push((variable, value.clone()));
            }
        }
        Ok(value)
    }

    fn assign(&mut self, frame: &Frame<'_>, node: Id, value: Val) -> Result<()> {
        let Kind::Variable { variable, .. } = frame.source.node(node).kind else { return Ok(()) };
        let found = self.variables[frame.base..].iter_mut().rev().find(|entry| entry.0 == variable);
        match found {
            Some(entry) => {
                entry.1 = value;
                Ok(())
            }
            None => self.undefined(frame, variable),
        }
    }

    fn undefined<T>(&self, frame: &Frame<'_>, variable: u32) -> Result<T> {
        self.fail(frame, format!("undefined variable: {}", frame.source.variables[variable as usize]))
    }

    fn variable(&self, frame: &Frame<'_>, variable: u32) -> Result<&Val> {
        match self.variables[frame.base..].iter().rev().find(|entry| entry.0 == variable) {
            Some(entry) => Ok(&entry.1),
            None => self.undefined(frame, variable),
        }
    }

    fn not_a_function(&self, frame: &Frame<'_>, operands: &[Id], last: Option<&Val>) -> Result<()> {
        if operands.len() > 1 || last.is_some() {
            let operand = frame.source.print(operands[0]);
            return self.fail(frame, format!("can't give argument to non-function {operand}"));
        }
        Ok(())
    }

    /// A command of a pipeline; `last` is what the command before it gave.
    fn command(&mut self, frame: &Frame<'_>, dot: &Val, id: Id, last: Option<Val>) -> Result<Val> {
        let operands = frame.source.operands(&id);
        let first = operands[0];
        match frame.source.node(first).kind {
            Kind::Field(fields) => {
                self.node = first;
                self.fields(frame, dot, dot, first, fields, Some(operands), last)
            }
            Kind::Chain { operand, fields } => self.chain(frame, dot, first, operand, fields, Some(operands), last),
            Kind::Function(function) => {
                self.node = first;
                let callee = frame.source.functions[function as usize];
                self.call(frame, dot, callee, id, &operands[1..], last)
            }
            Kind::Pipe { .. } => {
                self.not_a_function(frame, operands, last.as_ref())?;
                self.pipeline(frame, dot, first)
            }
            Kind::Variable { variable, fields } => {
                self.node = first;
                self.variable_fields(frame, dot, first, variable, fields, Some(operands), last)
            }
            kind => {
                self.node = first;
                self.not_a_function(frame, operands, last.as_ref())?;
                if matches!(kind, Kind::Dot) {
                    self.shared.reads.bare();
                }
                match kind {
                    Kind::Bool(value) => Ok(Val::new(Value::Bool(value))),
                    Kind::Dot => Ok(dot.clone()),
                    Kind::Number(number) => self.constant(frame, number),
                    Kind::Str(text) => Ok(Val::new(Value::Str(Arc::clone(&frame.source.strings[text as usize])))),
                    _ => self.fail(frame, "nil is not a command"),
                }
            }
        }
    }

    fn constant(&self, frame: &Frame<'_>, number: u32) -> Result<Val> {
        match &frame.source.numbers[number as usize].ideal {
            Some(value) => Ok(Val::new(value.clone())),
            None => self.fail(frame, format!("{} overflows int", frame.source.print(self.node))),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn chain(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        id: Id,
        operand: Id,
        fields: Many,
        operands: Option<&[Id]>,
        last: Option<Val>,
    ) -> Result<Val> {
        self.node = id;
        let receiver = match frame.source.node(operand).kind {
            Kind::Pipe { .. } => {
                self.node = operand;
                self.pipeline(frame, dot, operand)?
            }
            Kind::Function(function) => {
                self.node = operand;
                let value = self.call(frame, dot, frame.source.functions[function as usize], operand, &[], None)?;
                Val { interface: value.interface || value.value.is_nil(), ..value }
            }
            _ => return self.fail(frame, "internal error: unexpected operand of a chain"),
        };
        self.fields(frame, dot, &receiver, id, fields, operands, last)
    }

    #[allow(clippy::too_many_arguments)]
    fn variable_fields(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        id: Id,
        variable: u32,
        fields: Many,
        operands: Option<&[Id]>,
        last: Option<Val>,
    ) -> Result<Val> {
        let value = self.variable(frame, variable)?.clone();
        if fields.len == 0 {
            self.shared.reads.bare();
            self.not_a_function(frame, operands.unwrap_or_default(), last.as_ref())?;
            return Ok(value);
        }
        self.fields(frame, dot, &value, id, fields, operands, last)
    }

    /// `.X.Y.Z`, where the last may be a method that takes arguments.
    #[allow(clippy::too_many_arguments)]
    fn fields(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        receiver: &Val,
        id: Id,
        fields: Many,
        operands: Option<&[Id]>,
        last: Option<Val>,
    ) -> Result<Val> {
        let count = fields.len as usize;
        let mut held: Option<Val> = None;
        let mut last = last;
        for (index, name) in frame.source.names(fields).enumerate() {
            let receiver = held.as_ref().unwrap_or(receiver);
            let is_last = index + 1 == count;
            let (operands, last) = if is_last { (operands, last.take()) } else { (None, None) };
            held = Some(self.field(frame, dot, name, id, index, operands, last, receiver)?);
        }
        Ok(held.unwrap_or_default())
    }

    #[allow(clippy::too_many_arguments)]
    fn field(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        name: &str,
        id: Id,
        index: usize,
        operands: Option<&[Id]>,
        last: Option<Val>,
        receiver: &Val,
    ) -> Result<Val> {
        let has_arguments = operands.is_some_and(|operands| operands.len() > 1) || last.is_some();
        match &receiver.value {
            Value::Nil if !receiver.interface => Ok(Val::default()),
            Value::Nil => {
                let help = self.help_for_nil(frame, id, index);
                Err(self.error(frame, format!("nil pointer evaluating interface {{}}.{name}"), None, help))
            }
            Value::Map(map) => {
                if let Some(method) = methods::of_map(map.kind(), name) {
                    let arguments = operands.unwrap_or_default().get(1..).unwrap_or_default();
                    return self.call_method(frame, dot, &receiver.value, method, id, arguments, last);
                }
                if has_arguments {
                    return self.fail(frame, format!("{name} is not a method but has arguments"));
                }
                let interface = matches!(map.kind(), MapKind::Any | MapKind::Values);
                let value = match map.get(name) {
                    Some(value) => value,
                    None => builtins::zero(map.kind()),
                };
                self.shared.reads.field_named(map, name, &value);
                Ok(Val { value, interface })
            }
            Value::List(list) => match methods::of_list(list.kind(), name) {
                Some(method) => {
                    let arguments = operands.unwrap_or_default().get(1..).unwrap_or_default();
                    self.call_method(frame, dot, &receiver.value, method, id, arguments, last)
                }
                None => self.no_field(frame, name, receiver),
            },
            Value::Object(object) => {
                let object = Arc::clone(object);
                self.object_field(frame, dot, name, id, operands, last, &*object, receiver)
            }
            _ => self.no_field(frame, name, receiver),
        }
    }

    fn no_field<T>(&self, frame: &Frame<'_>, name: &str, receiver: &Val) -> Result<T> {
        self.fail(frame, format!("can't evaluate field {name} in type {}", receiver.type_name()))
    }

    #[allow(clippy::too_many_arguments)]
    fn object_field(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        name: &str,
        id: Id,
        operands: Option<&[Id]>,
        last: Option<Val>,
        object: &dyn Object,
        receiver: &Val,
    ) -> Result<Val> {
        let operands = operands.unwrap_or_default();
        if let Some(value) = object.field(name) {
            if operands.len() > 1 || last.is_some() {
                return self.fail(frame, format!("{name} has arguments but cannot be invoked as function"));
            }
            return Ok(Val::new(value));
        }
        let Some(signature) = object.method(name) else { return self.no_field(frame, name, receiver) };
        let operands = operands.get(1..).unwrap_or_default();
        let params = signature.params;
        self.check_count(frame, name, params.len(), false, operands.len(), last.is_some())?;
        match signature.results {
            [_] | [_, "error"] => {}
            [_, second] => {
                let start = format!("invalid function signature for {name}");
                return self.fail(frame, format!("{start}: second return value should be error; is {second}"));
            }
            results => {
                let message = format!("function {name} has {} return values; should be 1 or 2", results.len());
                return self.fail(frame, message);
            }
        }
        let mut arguments = Vec::new();
        let param = |index: usize| Param::Of(Type::named(params[index]));
        self.arguments(frame, dot, param, operands, last, &mut arguments)?;
        match object.call(name, &arguments) {
            Some(Ok(value)) => Ok(Val::new(value)),
            Some(Err(message)) => {
                self.node = id;
                self.call_failed(frame, name, Cause::Message(message))
            }
            None => self.no_field(frame, name, receiver),
        }
    }

    /// What is nil where a field after the first `index` ones of an expression failed.
    fn help_for_nil(&self, frame: &Frame<'_>, id: Id, index: usize) -> Help {
        let (fields, start) = match frame.source.node(id).kind {
            Kind::Field(fields) => (fields, self.variables[frame.base..].first()),
            Kind::Variable { variable, fields } => {
                (fields, self.variables[frame.base..].iter().rev().find(|entry| entry.0 == variable))
            }
            _ => return Help::None,
        };
        let path: Vec<Str> = frame.source.names(fields).take(index).map(Str::from).collect();
        let mut holder = start.map(|(_, value)| value.value.clone()).unwrap_or_default();
        for name in path.iter().take(index.saturating_sub(1)) {
            holder = holder.as_map().and_then(|map| map.get(name)).unwrap_or_default();
        }
        let siblings = holder.as_map().map(|map| map.snapshot().keys().cloned().collect()).unwrap_or_default();
        Help::Nil { path, siblings }
    }

    /// Calls a function at `id`: its command, or itself where it is an argument.
    fn call(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        callee: Callee,
        id: Id,
        operands: &[Id],
        last: Option<Val>,
    ) -> Result<Val> {
        match callee {
            Callee::Table(function) => self.call_table(frame, dot, function, id, operands, last),
            Callee::Builtin(builtin) => self.call_builtin(frame, dot, builtin, id, operands, last),
            Callee::Engine(engine) => self.call_engine(frame, dot, engine, id, operands, last),
        }
    }

    fn check_count(
        &self,
        frame: &Frame<'_>,
        name: &str,
        params: usize,
        variadic: bool,
        operands: usize,
        has_last: bool,
    ) -> Result<()> {
        let count = operands + usize::from(has_last);
        if variadic {
            let fixed = params - 1;
            if count < fixed {
                let message = format!("wrong number of args for {name}: want at least {fixed} got {operands}");
                return self.fail(frame, message);
            }
        } else if count != params {
            return self.fail(frame, format!("wrong number of args for {name}: want {params} got {count}"));
        }
        Ok(())
    }

    /// Evaluates arguments by the types of the parameters. The second result is which nil the first argument is.
    #[allow(clippy::too_many_arguments)]
    fn arguments(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        param: impl Fn(usize) -> Param,
        operands: &[Id],
        last: Option<Val>,
        out: &mut Vec<Value>,
    ) -> Result<Nil> {
        let mut nil = Nil::Invalid;
        for (index, &operand) in operands.iter().enumerate() {
            let value = self.argument(frame, dot, param(index), operand)?;
            if index == 0 && value.interface {
                nil = Nil::Interface;
            }
            out.push(value.value);
        }
        if let Some(last) = last {
            let value = self.accept(frame, last, param(operands.len()))?;
            out.push(value.value);
        }
        Ok(nil)
    }

    fn call_table(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        function: &'static Function,
        id: Id,
        operands: &[Id],
        last: Option<Val>,
    ) -> Result<Val> {
        let params = function.params;
        self.check_count(frame, function.name, params.len(), function.variadic, operands.len(), last.is_some())?;
        let mut values = self.spare.pop().unwrap_or_default();
        let param = |index: usize| Param::Of(params[index.min(params.len() - 1)]);
        self.arguments(frame, dot, param, operands, last, &mut values)?;
        self.shared.reads.call(function.name, &values);
        let result = function.invoke(&mut self.env, &values);
        values.clear();
        self.spare.push(values);
        match result {
            Ok(value) => {
                self.charge_result(frame, id, &value)?;
                Ok(Val::new(value))
            }
            Err(error) => {
                self.node = id;
                self.function_failed(frame, function.name, error)
            }
        }
    }

    /// Charges for what a function made: what may be held in memory is bounded by the steps.
    fn charge_result(&mut self, frame: &Frame<'_>, id: Id, value: &Value) -> Result<()> {
        let steps = match value {
            Value::Str(text) => text.len() / 64,
            Value::List(list) if list.is_unshared() => list.len() * 4,
            Value::Map(map) if map.is_unshared() => map.len() * 4,
            _ => 0,
        };
        if self.env.charge(steps as u64).is_ok() {
            return Ok(());
        }
        self.node = id;
        self.limit(frame, "the template takes too many steps")
    }

    fn function_failed<T>(&self, frame: &Frame<'_>, name: &str, error: Error) -> Result<T> {
        match error {
            Error::Message(message) => self.call_failed(frame, name, Cause::Message(message)),
            Error::Limit => self.limit(frame, &format!("`{name}` takes too many steps or makes too large a value")),
        }
    }

    fn call_failed<T>(&self, frame: &Frame<'_>, name: &str, cause: Cause) -> Result<T> {
        let help = match &cause {
            Cause::NoTemplate(name) => Help::Template { name: Arc::clone(name), known: frame.layer.names() },
            _ => Help::None,
        };
        Err(self.error(frame, format!("error calling {name}"), Some(cause), help))
    }

    fn call_builtin(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        builtin: &'static Builtin,
        id: Id,
        operands: &[Id],
        last: Option<Val>,
    ) -> Result<Val> {
        let params = builtin.params;
        self.check_count(frame, builtin.name, params.len(), builtin.variadic, operands.len(), last.is_some())?;
        let run = match builtin.run {
            Run::And | Run::Or => {
                let wanted = matches!(builtin.run, Run::Or);
                let mut value = Val::default();
                for &operand in operands {
                    value = self.argument(frame, dot, Param::Reflect, operand)?;
                    if value.value.is_true() == wanted {
                        return Ok(value);
                    }
                }
                return Ok(last.unwrap_or(value));
            }
            Run::Call => {
                let mut values = Vec::new();
                self.arguments(frame, dot, |_| Param::Reflect, operands, last, &mut values)?;
                let name = match (operands.first(), &values[0]) {
                    (Some(&operand), _) => frame.source.print(operand),
                    (None, Value::Str(text)) => text.to_string(),
                    (None, value) => format!("<{} Value>", print::type_of(value)),
                };
                let message = match &values[0] {
                    Value::Nil => "call of nil".to_owned(),
                    value => format!("non-function {name} of type {}", print::type_of(value)),
                };
                self.node = id;
                return self.call_failed(frame, "call", Cause::Message(message));
            }
            Run::Plain(run) => run,
        };
        let mut values = self.spare.pop().unwrap_or_default();
        let param = |index: usize| params[index.min(params.len() - 1)];
        let nil = self.arguments(frame, dot, param, operands, last, &mut values)?;
        self.shared.reads.call(builtin.name, &values);
        let result = run(&values, nil);
        values.clear();
        self.spare.push(values);
        match result {
            Ok(value) => {
                self.charge_result(frame, id, &value)?;
                Ok(Val::new(value))
            }
            Err(error) => {
                self.node = id;
                self.function_failed(frame, builtin.name, error)
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn call_method(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        receiver: &Value,
        method: &'static Method,
        id: Id,
        operands: &[Id],
        last: Option<Val>,
    ) -> Result<Val> {
        let params = method.params;
        self.check_count(frame, method.name, params.len(), false, operands.len(), last.is_some())?;
        let mut values = Vec::new();
        let param = |index: usize| Param::Of(params[index.min(params.len().saturating_sub(1))]);
        self.arguments(frame, dot, param, operands, last, &mut values)?;
        self.shared.reads.whole_of(method.reads_all, receiver);
        match (method.call)(&mut self.env, receiver, &values) {
            Ok(value) => {
                self.charge_result(frame, id, &value)?;
                Ok(Val { value, interface: method.interface })
            }
            Err(error) => {
                self.node = id;
                self.function_failed(frame, method.name, error)
            }
        }
    }

    fn call_engine(
        &mut self,
        frame: &Frame<'_>,
        dot: &Val,
        engine: Engine,
        id: Id,
        operands: &[Id],
        last: Option<Val>,
    ) -> Result<Val> {
        const STR: Param = Param::Of(Type::Str);
        const ANY: Param = Param::Of(Type::Any);
        let name = Callee::Engine(engine).name();
        let params: &[Param] = if engine == Engine::Fail { &[STR] } else { &[STR, ANY] };
        self.check_count(frame, name, params.len(), false, operands.len(), last.is_some())?;
        let mut values = self.spare.pop().unwrap_or_default();
        self.arguments(frame, dot, |index| params[index], operands, last, &mut values)?;
        let data = if params.len() > 1 { values.pop().unwrap_or_default() } else { Value::Nil };
        let Some(Value::Str(text)) = values.pop() else { return Ok(Val::default()) };
        self.spare.push(values);
        let result = match engine {
            Engine::Fail => Err(Failed::Cause(Cause::Warning(text.to_string()))),
            Engine::Required if data.is_nil() || data.as_str() == Some("") => {
                Err(Failed::Cause(Cause::Warning(text.to_string())))
            }
            Engine::Required => return Ok(Val::new(data)),
            Engine::Include => self.captured(|exec| exec.include(frame, &text, Val::new(data))),
            Engine::Tpl => self.tpl(frame, &text, data),
        };
        match result {
            Ok(text) => {
                self.spend(frame, text.len() as u64 / 64)?;
                Ok(Val::new(Value::Str(text)))
            }
            Err(failed) => {
                self.node = id;
                self.engine_failed(frame, name, failed)
            }
        }
    }

    fn engine_failed<T>(&self, frame: &Frame<'_>, name: &str, failed: Failed) -> Result<T> {
        let (mut error, tpl) = match failed {
            Failed::Cause(cause) => return self.call_failed(frame, name, cause),
            Failed::Template(error) => (error, None),
            Failed::Tpl(text, error) => (error, Some(text)),
        };
        error.levels.push(self.level(frame, format!("error calling {name}"), tpl));
        Err(error)
    }

    /// Runs with an output of its own, and gives its text.
    fn captured(
        &mut self,
        run: impl FnOnce(&mut Self) -> std::result::Result<(), Failed>,
    ) -> std::result::Result<Str, Failed> {
        let outer = self.out.capture(self.out.map.is_some() && self.shared.reads.is_on());
        let result = run(self);
        let text = result.map(|()| Str::from(self.out.text.as_str()));
        let map = self.out.release(outer);
        if let (Ok(text), Some(map)) = (&text, map) {
            self.captured.push(Captured { text: Arc::clone(text), map });
        }
        text
    }

    /// Runs a named template into the current output.
    fn include(&mut self, frame: &Frame<'_>, name: &Str, data: Val) -> std::result::Result<(), Failed> {
        let limit = self.env.context.limits.recursion;
        let count = match self.shared.includes.get_mut(&**name) {
            Some(count) => {
                if *count > limit {
                    return Err(Failed::Cause(Cause::Message(format!(
                        "rendering template has a nested reference name: {name}: unable to execute template"
                    ))));
                }
                *count += 1;
                *count
            }
            None => {
                self.shared.includes.insert(Arc::clone(name), 1);
                1
            }
        };
        let result = match frame.layer.find(name) {
            None => Err(Failed::Cause(Cause::NoTemplate(Arc::clone(name)))),
            Some(tree) => self.nested(frame, &tree, frame.layer, &data).map_err(Failed::Template),
        };
        if let Some(entry) = self.shared.includes.get_mut(&**name) {
            *entry = count - 1;
        }
        result
    }

    /// Runs a template for a function.
    fn nested(&mut self, frame: &Frame<'_>, tree: &Tree, layer: &Arc<Layer>, data: &Val) -> Result<()> {
        if self.calls == MAX_CALLS || !self.guard.has_room() && self.guard.is_large() {
            return self.limit(frame, "templates nest too deep");
        }
        self.calls += 1;
        let result = self.run(tree, layer, data, 0);
        self.calls -= 1;
        result
    }

    fn tpl(&mut self, frame: &Frame<'_>, text: &Str, data: Value) -> std::result::Result<Str, Failed> {
        if memchr::memmem::find(text.as_bytes(), b"{{").is_none() {
            return Ok(without_no_value(text).map_or_else(|| Arc::clone(text), Str::from));
        }
        self.spend(frame, 8 + text.len() as u64 / 8).map_err(Failed::Template)?;
        let layer = match self.shared.parse_tpl(text, frame.layer) {
            Ok(layer) => layer,
            Err(message) => return Err(Failed::Cause(Cause::TplSyntax(Arc::clone(text), message))),
        };
        let Some(tree) = layer.main() else { return Ok(Str::from("")) };
        let outer = self.out.capture(false);
        let result = self.nested(frame, &tree, &layer, &Val::new(data));
        let rendered = result.map(|()| match without_no_value(&self.out.text) {
            Some(text) => Str::from(text),
            None => Str::from(self.out.text.as_str()),
        });
        self.out.release(outer);
        rendered.map_err(|error| Failed::Tpl(Arc::clone(text), error))
    }

    /// Checks that a value may be passed for a parameter.
    fn accept(&self, frame: &Frame<'_>, value: Val, param: Param) -> Result<Val> {
        let Param::Of(wanted) = param else { return Ok(value) };
        if value.is_invalid() {
            if can_be_nil(wanted) {
                return Ok(value);
            }
            return self.fail(frame, format!("invalid value; expected {}", type_name(wanted)));
        }
        if is_assignable(&value.value, wanted) {
            return Ok(Val { value: objects::copied(value.value), ..value });
        }
        let found = if value.value.is_nil() { value.type_name() } else { print::type_of(&value.value) };
        self.fail(frame, format!("wrong type for value; expected {}; got {found}", type_name(wanted)))
    }

    fn argument(&mut self, frame: &Frame<'_>, dot: &Val, param: Param, id: Id) -> Result<Val> {
        self.node = id;
        let kind = frame.source.node(id).kind;
        let value = match kind {
            Kind::Dot => {
                self.shared.reads.bare();
                dot.clone()
            }
            Kind::Nil => {
                return match param {
                    Param::Of(wanted) if !can_be_nil(wanted) => {
                        self.fail(frame, format!("cannot assign nil to {}", type_name(wanted)))
                    }
                    _ => Ok(Val::default()),
                };
            }
            Kind::Field(fields) => self.fields(frame, dot, dot, id, fields, None, None)?,
            Kind::Variable { variable, fields } => {
                self.variable_fields(frame, dot, id, variable, fields, None, None)?
            }
            Kind::Pipe { .. } => self.pipeline(frame, dot, id)?,
            Kind::Function(function) => {
                self.call(frame, dot, frame.source.functions[function as usize], id, &[], None)?
            }
            Kind::Chain { operand, fields } => self.chain(frame, dot, id, operand, fields, None, None)?,
            kind => return self.literal(frame, param, kind, id),
        };
        self.accept(frame, value, param)
    }

    /// A constant as an argument: Go types it by the parameter.
    fn literal(&mut self, frame: &Frame<'_>, param: Param, kind: Kind, id: Id) -> Result<Val> {
        let number = |index: u32| &frame.source.numbers[index as usize];
        let value = match (param, kind) {
            (Param::Reflect | Param::Of(Type::Any), Kind::Bool(value)) => Some(Value::Bool(value)),
            (Param::Reflect | Param::Of(Type::Any), Kind::Number(index)) => return self.constant(frame, index),
            (Param::Reflect | Param::Of(Type::Any | Type::Str), Kind::Str(index)) => {
                Some(Value::Str(Arc::clone(&frame.source.strings[index as usize])))
            }
            (Param::Of(Type::Bool), Kind::Bool(value)) => Some(Value::Bool(value)),
            (Param::Of(Type::Int), Kind::Number(index)) => number(index).int.map(Value::Int),
            (Param::Of(Type::Int64), Kind::Number(index)) => number(index).int.map(Value::Int64),
            (Param::Of(Type::Object(DURATION)), Kind::Number(index)) => number(index).int.map(duration_of),
            (Param::Of(Type::Uint32), Kind::Number(index)) => {
                number(index).int.filter(|&int| int >= 0).map(|int| Value::Uint(int as u64))
            }
            (Param::Of(Type::Float64), Kind::Number(index)) => number(index).float.map(Value::Float),
            _ => None,
        };
        if let Some(value) = value {
            return Ok(Val::new(value));
        }
        let found = frame.source.print(id);
        let expected = match param {
            Param::Of(Type::Bool) => "bool",
            Param::Of(Type::Str) => "string",
            Param::Of(Type::Int | Type::Int64 | Type::Object(DURATION)) => "integer",
            Param::Of(Type::Uint32) => "unsigned integer",
            Param::Of(Type::Float64) => "float",
            Param::Of(wanted) => {
                return self.fail(frame, format!("can't handle {found} for arg of type {}", type_name(wanted)));
            }
            Param::Reflect => return self.fail(frame, format!("can't handle {found} for arg of type reflect.Value")),
        };
        self.fail(frame, format!("expected {expected}; found {found}"))
    }
}

/// Why `include`, `tpl`, `required` or `fail` failed.
enum Failed {
    Cause(Cause),
    /// In the template that `include` ran.
    Template(Box<ExecError>),
    /// In the text that `tpl` ran.
    Tpl(Str, Box<ExecError>),
}

/// The state of a `range`.
struct Loop {
    pipe: Id,
    variables: Many,
    assigns: bool,
    body: Id,
    /// Variables above this are those of the body.
    mark: usize,
    ran: bool,
}

/// What ends a `range` early.
enum Jump {
    Break,
    Error(Box<ExecError>),
}

/// The command and the operands of a pipeline that is `include "name" data` and no more.
fn include_alone(source: &Source, pipe: Id) -> Option<(Id, [Id; 3])> {
    let &[command] = source.commands(&pipe) else { return None };
    let operands: [Id; 3] = source.operands(&command).try_into().ok()?;
    let Kind::Function(function) = source.node(operands[0]).kind else { return None };
    let callee = source.functions[function as usize];
    matches!(callee, Callee::Engine(Engine::Include)).then_some((command, operands))
}

/// The text without Go's words for nil, where it has them.
pub(super) fn without_no_value(text: &str) -> Option<String> {
    memchr::memmem::find(text.as_bytes(), b"<no value>").map(|_| text.replace("<no value>", ""))
}

fn can_be_nil(wanted: Type) -> bool {
    match wanted {
        Type::Any | Type::Map | Type::List | Type::Strings => true,
        Type::Object(name) => name.starts_with('*'),
        _ => false,
    }
}

fn type_name(wanted: Type) -> &'static str {
    match wanted {
        Type::Any => "interface {}",
        Type::Str => "string",
        Type::Int => "int",
        Type::Int64 => "int64",
        Type::Uint32 => "uint32",
        Type::Float64 => "float64",
        Type::Bool => "bool",
        Type::Map => "map[string]interface {}",
        Type::List => "[]interface {}",
        Type::Strings => "[]string",
        Type::Object(name) => name,
    }
}

fn is_assignable(value: &Value, wanted: Type) -> bool {
    match (wanted, value) {
        (Type::Any, _)
        | (Type::Str, Value::Str(_))
        | (Type::Int, Value::Int(_))
        | (Type::Int64, Value::Int64(_))
        | (Type::Float64, Value::Float(_))
        | (Type::Bool, Value::Bool(_)) => true,
        (Type::Map, Value::Map(map)) => matches!(map.kind(), MapKind::Any | MapKind::Values),
        (Type::List, Value::List(list)) => list.kind() == ListKind::Any,
        (Type::Strings, Value::List(list)) => matches!(list.kind(), ListKind::Str | ListKind::Versions),
        (Type::Object(name), Value::Object(object)) => object.type_name() == name,
        _ => false,
    }
}
