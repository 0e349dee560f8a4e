//! The nodes that write, choose and repeat.

use super::super::ast::{Branch, Id, Kind, Many, Source};
use super::super::builtins::{Callee, Engine, Param};
use super::super::error::{ExecError, Help};
use super::super::funcs::Type;
use super::super::funcs::duration::{DURATION, duration_of};
use super::super::print;
use super::{Exec, Flow, Frame, MAX_DEPTH, Result, Val};
use crate::value::{List, ListKind, Map, MapKind, Value};
use std::sync::Arc;

impl Exec<'_> {
    pub(super) fn walk(&mut self, frame: &Frame<'_>, dot: &Val, id: Id) -> Result<Flow> {
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

    fn range_list(&mut self, frame: &Frame<'_>, list: &List, looping: &mut Loop) -> std::result::Result<(), Jump> {
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
        let name = &frame.source.ast.strings[name as usize];
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
    let callee = source.ast.functions[function as usize];
    matches!(callee, Callee::Engine(Engine::Include)).then_some((command, operands))
}
