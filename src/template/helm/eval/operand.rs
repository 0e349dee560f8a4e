//! Pipelines, commands, fields, variables and constants: what gives a value.

use super::super::ast::{Id, Kind, Many};
use super::super::builtins::{self, Param};
use super::super::error::{Cause, Help};
use super::super::funcs::Type;
use super::super::funcs::duration::{DURATION, duration_of};
use super::super::{methods, objects, print};
use super::{Exec, Frame, Result, Val};
use crate::value::{ListKind, MapKind, Object, Str, Value};
use std::sync::Arc;

impl Exec<'_> {
    pub(super) fn pipeline(&mut self, frame: &Frame<'_>, dot: &Val, id: Id) -> Result<Val> {
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

    pub(super) fn assign(&mut self, frame: &Frame<'_>, node: Id, value: Val) -> Result<()> {
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
        self.fail(frame, format!("undefined variable: {}", frame.source.ast.variables[variable as usize]))
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
                let callee = frame.source.ast.functions[function as usize];
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
                    Kind::Str(text) => Ok(Val::new(Value::Str(Arc::clone(&frame.source.ast.strings[text as usize])))),
                    _ => self.fail(frame, "nil is not a command"),
                }
            }
        }
    }

    fn constant(&self, frame: &Frame<'_>, number: u32) -> Result<Val> {
        match &frame.source.ast.numbers[number as usize].ideal {
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
                let value = self.call(frame, dot, frame.source.ast.functions[function as usize], operand, &[], None)?;
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

    /// Checks that a value may be passed for a parameter.
    pub(super) fn accept(&self, frame: &Frame<'_>, value: Val, param: Param) -> Result<Val> {
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

    pub(super) fn argument(&mut self, frame: &Frame<'_>, dot: &Val, param: Param, id: Id) -> Result<Val> {
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
                self.call(frame, dot, frame.source.ast.functions[function as usize], id, &[], None)?
            }
            Kind::Chain { operand, fields } => self.chain(frame, dot, id, operand, fields, None, None)?,
            kind => return self.literal(frame, param, kind, id),
        };
        self.accept(frame, value, param)
    }

    /// A constant as an argument: Go types it by the parameter.
    fn literal(&mut self, frame: &Frame<'_>, param: Param, kind: Kind, id: Id) -> Result<Val> {
        let number = |index: u32| &frame.source.ast.numbers[index as usize];
        let value = match (param, kind) {
            (Param::Reflect | Param::Of(Type::Any), Kind::Bool(value)) => Some(Value::Bool(value)),
            (Param::Reflect | Param::Of(Type::Any), Kind::Number(index)) => return self.constant(frame, index),
            (Param::Reflect | Param::Of(Type::Any | Type::Str), Kind::Str(index)) => {
                Some(Value::Str(Arc::clone(&frame.source.ast.strings[index as usize])))
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
