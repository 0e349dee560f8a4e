//! `tpl` renders text that comes from values; `include` calls a named Go template.

use super::context::ContextMark;
use super::convert::to_go;
use super::error::{Failed, Issue, limit};
use super::rewrite::rewrite;
use super::runtime::Runtime;
use crate::diagnostic::Failure;
use crate::template::Argument;
use minijinja::value::{Kwargs, ValueKind, merge_maps};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, Value};
use std::sync::Arc;

/// The name under which text from values renders.
pub(super) const TPL: &str = "tpl.txt";
/// Calls of `tpl` and of Go templates inside each other.
const MAX_DEPTH: usize = 8;

/// Calls a named Go template for a chart.
pub type IncludeGo = dyn Fn(&str, usize, Argument) -> Result<String, Failure> + Send + Sync;

pub(super) fn register(env: &mut Environment<'static>, runtime: &Arc<Runtime>) {
    for name in ["tpl", "include"] {
        let with = Arc::clone(runtime);
        let call = move |state: &mut State<'_, '_>, value: &Value, argument: Option<Value>, kwargs: Kwargs| match name {
            "tpl" => tpl(&with, state, value, argument, &kwargs),
            _ => {
                kwargs.assert_all_used()?;
                include(&with, state, value, argument.as_ref())
            }
        };
        if name == "tpl" {
            env.add_filter(name, call.clone());
        }
        env.add_function(name, call);
    }
}

/// `tpl`: renders text as a Jinja template with the chart's names and the given ones; maps and lists text by text.
fn tpl(
    runtime: &Runtime,
    state: &mut State<'_, '_>,
    value: &Value,
    context: Option<Value>,
    kwargs: &Kwargs,
) -> Result<Value, Error> {
    let mut names = vec![runtime.root()];
    names.extend(context.filter(|context| context.downcast_object_ref::<ContextMark>().is_none()));
    for name in kwargs.args() {
        names.push(Value::from_pairs([(name, kwargs.get::<Value>(name)?)]));
    }
    names.reverse();
    kwargs.assert_all_used()?;
    runtime.guard(state, value)?;
    rendered(runtime, state, value, &merge_maps(names))
}

fn rendered(runtime: &Runtime, state: &mut State<'_, '_>, value: &Value, names: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined => value.get_attr(""),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if text.contains("{{") || text.contains("{%") || text.contains("{#") {
                runtime.nested(|depth| {
                    check_depth(depth)?;
                    text_rendered(runtime, state, text, names)
                })
            } else {
                Ok(value.clone())
            }
        }
        ValueKind::Map => {
            let pairs = value.as_object().and_then(|object| object.try_iter_pairs()).into_iter().flatten();
            let pairs: Result<Vec<(Value, Value)>, Error> =
                pairs.map(|(key, value)| Ok((key, rendered(runtime, state, &value, names)?))).collect();
            pairs.map(Value::from_pairs)
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.collect();
            items
                .iter()
                .map(|item| rendered(runtime, state, item, names))
                .collect::<Result<Vec<_>, Error>>()
                .map(Value::from)
        }
        _ => Ok(value.clone()),
    }
}

fn check_depth(depth: usize) -> Result<(), Error> {
    match depth {
        ..=MAX_DEPTH => Ok(()),
        _ => Err(limit(format!("`tpl` and `include()` are called more than {MAX_DEPTH} levels deep in each other"))),
    }
}

fn text_rendered(runtime: &Runtime, state: &mut State<'_, '_>, text: &str, names: &Value) -> Result<Value, Error> {
    let rewritten = runtime.rewrite_text(text, |text, base| rewrite(text, TPL, base, false)).map_err(|problems| {
        let problem = problems.into_iter().next();
        let line = problem.as_ref().map_or(1, |problem| text[..problem.range.start].matches('\n').count() + 1);
        let message = problem.as_ref().map_or("it does not parse", |problem| problem.message.as_str());
        let issue = Issue::new(format!("the text given to `tpl` is no Jinja template: {message} (in its line {line})"));
        match problem.as_ref().and_then(|problem| problem.hints.first()) {
            Some(hint) => issue.hint(hint.clone()).error(),
            None => issue.error(),
        }
    })?;
    let outer = |error| Error::new(ErrorKind::BadInclude, "in the text that `tpl` renders").with_source(error);
    let template = state.env().template_from_named_str(TPL, &rewritten).map_err(outer)?;
    let captured = template.render_captured(names.clone()).map_err(outer)?;
    if let Some((consumed, _)) = captured.state().fuel_levels() {
        state.consume_fuel(consumed)?;
    }
    Ok(Value::from(captured.into_output()))
}

/// `include`: the text of a named Go template, a fragment where the template is YAML. Without an argument, or with
/// `ctx`, it gets the chart's root context.
fn include(runtime: &Runtime, state: &State<'_, '_>, name: &Value, argument: Option<&Value>) -> Result<Value, Error> {
    let Some(name) = name.as_str() else {
        return Err(Issue::new("`include` expects the name of a Go template as a string").error());
    };
    let argument = match argument {
        None => Argument::Root,
        Some(value) if value.downcast_object_ref::<ContextMark>().is_some() => Argument::Root,
        Some(value) if value.is_undefined() => return value.get_attr(""),
        Some(value) => Argument::Value(to_go(value)?),
    };
    let called = runtime.nested(|depth| check_depth(depth).map(|()| runtime.include_go(name, argument)))?;
    let text = match called {
        Some(Ok(text)) => text,
        Some(Err(failure)) => {
            let text = format!("in the Go template `{name}`");
            return Err(Error::new(ErrorKind::BadInclude, text).with_source(Failed(failure)));
        }
        None => {
            return Err(Issue::new(format!("there is no Go template `{name}`"))
                .hint("`include()` calls what a `.tpl` file defines; a Jinja file is included with `{% include \"file.j2\" %}`")
                .error());
        }
    };
    Ok(match state.auto_escape() {
        AutoEscape::None => Value::from(text),
        _ => Value::from_safe_string(text),
    })
}
