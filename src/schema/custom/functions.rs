//! Functions that the API server adds to CEL. Durations are seconds and quantities are numbers, which
//! compare and add as the server's own types do.

use super::format;
use crate::regexp::Pattern;
use crate::schema::{duration, scalar};
use cel::extractors::This;
use cel::{Context, ExecutionError, Value};
use std::cmp::Ordering;
use std::net::IpAddr;
use std::sync::Arc;

type Result<T> = std::result::Result<T, ExecutionError>;
type Text = Arc<String>;
type List = Arc<Vec<Value>>;

/// Adds the functions.
pub(super) fn add(context: &mut Context<'_, '_>) -> std::result::Result<(), cel::DeclarationError> {
    context.add_function("duration", |text: Text| {
        duration::parse(&text).ok_or_else(|| ExecutionError::function_error("duration", "no duration"))
    })?;
    context.add_function("isURL", |text: Text| format::fault("uri", &text).is_none())?;
    context.add_function("isIP", |text: Text| text.parse::<IpAddr>().is_ok())?;
    context.add_function("isCIDR", |text: Text| format::fault("cidr", &text).is_none())?;
    context.add_function("isQuantity", |text: Text| scalar::quantity_value(&text).is_some())?;
    context.add_function("quantity", |text: Text| {
        scalar::quantity_value(&text).ok_or_else(|| ExecutionError::function_error("quantity", "no quantity"))
    })?;
    context.add_function("isGreaterThan", |This(a): This<f64>, b: f64| a > b)?;
    context.add_function("isLessThan", |This(a): This<f64>, b: f64| a < b)?;
    context
        .add_function("compareTo", |This(a): This<f64>, b: f64| a.partial_cmp(&b).map_or(0, |order| order as i64))?;
    context.add_function("isInteger", |This(a): This<f64>| a.fract() == 0.0)?;
    context.add_function("asInteger", |This(a): This<f64>| -> Result<i64> {
        match a.fract() == 0.0 && a.abs() < 9e18 {
            true => Ok(a as i64),
            false => Err(ExecutionError::function_error("asInteger", "no whole number")),
        }
    })?;
    context.add_function("asApproximateFloat", |This(a): This<f64>| a)?;
    context.add_function("find", |This(text): This<Text>, pattern: Text| -> Result<Value> {
        let pattern = Pattern::new(&pattern).map_err(|error| ExecutionError::function_error("find", error))?;
        let found = pattern.regex.find(&text).map(|found| found.as_str().to_owned()).unwrap_or_default();
        Ok(Value::String(Arc::new(found)))
    })?;
    context.add_function("isSorted", |This(list): This<List>| list.is_sorted())?;
    context.add_function("min", |This(list): This<List>| best(&list, Ordering::Less))?;
    context.add_function("max", |This(list): This<List>| best(&list, Ordering::Greater))?;
    context.add_function("sum", |This(list): This<List>| -> Result<Value> {
        let whole = |item: &Value| if let Value::Int(number) = item { Some(*number) } else { None };
        let float = |item: &Value| if let Value::Float(number) = item { Some(*number) } else { None };
        let ints = list.iter().map(whole).try_fold(0i64, |sum, number| sum.checked_add(number?));
        let floats = || list.iter().map(float).sum::<Option<f64>>();
        let sum = ints.map(Value::Int).or_else(|| floats().map(Value::Float));
        sum.ok_or_else(|| ExecutionError::function_error("sum", "not a list of numbers"))
    })?;
    Ok(())
}

fn best(list: &[Value], wanted: Ordering) -> Result<Value> {
    let better = |a: &Value, b: &Value| a.partial_cmp(b) == Some(wanted);
    let found = list.iter().reduce(|best, item| if better(item, best) { item } else { best });
    found.cloned().ok_or_else(|| ExecutionError::function_error("min", "the list is empty"))
}
