//! Calls of functions, methods and templates.

use super::super::ast::{Id, Tree};
use super::super::builtins::{Builtin, Callee, Engine, Nil, Param, Run};
use super::super::error::{Cause, ExecError, Help};
use super::super::funcs::{Error, Function, Type};
use super::super::methods::Method;
use super::super::namespace::Layer;
use super::super::output::Captured;
use super::super::print;
use super::{Exec, Frame, MAX_CALLS, Result, Val, without_no_value};
use crate::value::{Str, Value};
use std::sync::Arc;

impl Exec<'_> {
    /// Calls a function at `id`: its command, or itself where it is an argument.
    pub(super) fn call(
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

    pub(super) fn check_count(
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
    pub(super) fn arguments(
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
        self.returned(frame, id, function.name, values, result)
    }

    /// What a function made of these values, which leave their room for the next ones.
    fn returned(
        &mut self,
        frame: &Frame<'_>,
        id: Id,
        name: &'static str,
        mut values: Vec<Value>,
        result: std::result::Result<Value, Error>,
    ) -> Result<Val> {
        values.clear();
        self.spare.push(values);
        match result {
            Ok(value) => {
                self.charge_result(frame, id, &value)?;
                Ok(Val::new(value))
            }
            Err(error) => {
                self.node = id;
                self.function_failed(frame, name, error)
            }
        }
    }

    /// Charges for the items that are printed.
    fn charge_printing(&mut self, frame: &Frame<'_>, id: Id, values: &[Value]) -> Result<()> {
        let items: usize = values.iter().map(|value| if let Value::List(list) = value { list.len() } else { 0 }).sum();
        if items == 0 || self.env.charge(items as u64).is_ok() {
            return Ok(());
        }
        self.node = id;
        self.limit(frame, "the template takes too many steps")
    }

    /// Charges for what a function made: what may be held in memory is bounded by the steps.
    fn charge_result(&mut self, frame: &Frame<'_>, id: Id, value: &Value) -> Result<()> {
        let steps = match value {
            Value::Str(text) if text.len() > self.env.context.limits.output => {
                self.node = id;
                return self.limit(frame, "the text is too large");
            }
            Value::Str(text) => text.len() / 16,
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

    pub(super) fn call_failed<T>(&self, frame: &Frame<'_>, name: &str, cause: Cause) -> Result<T> {
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
        if matches!(builtin.name, "print" | "println" | "printf" | "html" | "js" | "urlquery") {
            self.charge_printing(frame, id, &values)?;
        }
        let result = run(&values, nil);
        self.returned(frame, id, builtin.name, values, result)
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn call_method(
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

    pub(super) fn engine_failed<T>(&self, frame: &Frame<'_>, name: &str, failed: Failed) -> Result<T> {
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
    pub(super) fn include(&mut self, frame: &Frame<'_>, name: &Str, data: Val) -> std::result::Result<(), Failed> {
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
}

/// Why `include`, `tpl`, `required` or `fail` failed.
pub(super) enum Failed {
    Cause(Cause),
    /// In the template that `include` ran.
    Template(Box<ExecError>),
    /// In the text that `tpl` ran.
    Tpl(Str, Box<ExecError>),
}
