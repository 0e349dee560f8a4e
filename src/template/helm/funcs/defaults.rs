//! Choosing between values by whether they are empty.

use super::Type::{Any, Bool};
use super::{Function, any};
use crate::value::Value;

// Sprig's "empty" and Go's "false" are the same set of values.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("default", &[Any, Any], |_, a| {
        Ok(a[1..].first().filter(|given| given.is_true()).unwrap_or(&a[0]).clone())
    }),
    Function::new("empty", &[Any], |_, a| Ok((!any(a, 0).is_true()).into())),
    Function::variadic("coalesce", &[Any], |_, a| {
        Ok(a.iter().find(|value| value.is_true()).cloned().unwrap_or_default())
    }),
    Function::variadic("all", &[Any], |_, a| Ok(a.iter().all(Value::is_true).into())),
    Function::variadic("any", &[Any], |_, a| Ok(a.iter().any(Value::is_true).into())),
    Function::new("ternary", &[Any, Any, Bool], |_, a| Ok(any(a, usize::from(!any(a, 2).is_true())).clone())),
];

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn empty_values_give_way() {
        assert_eq!(call("default", &["d".into(), Value::Int(0)]), "d");
        assert_eq!(call("default", &["d".into()]), "d");
        assert_eq!(call("default", &["d".into(), "x".into()]), "x");
        assert_eq!(call("empty", &[Value::list(vec![])]), "true");
        assert_eq!(call("empty", &["false".into()]), "false");
        assert_eq!(call("coalesce", &[Value::Nil, "".into(), false.into()]), "<nil>");
        assert_eq!(call("coalesce", &[Value::Nil, Value::Int(2), Value::Int(3)]), "2");
        assert_eq!(call("all", &[]), "true");
        assert_eq!(call("all", &[Value::Int(1), "".into()]), "false");
        assert_eq!(call("any", &[]), "false");
        assert_eq!(call("any", &[Value::Int(1), "".into()]), "true");
        assert_eq!(call("ternary", &["t".into(), "f".into(), true.into()]), "t");
        assert_eq!(call("ternary", &["t".into(), "f".into(), false.into()]), "f");
    }
}
