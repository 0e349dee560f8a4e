//! CEL's macros with two variables: `all(k, v, …)`, `exists`, `existsOne`, `transformList`, `transformMap`,
//! `transformMapEntry`.
//!
//! The engine's loops have one variable. So a loop goes over pairs of key and value (or index and item), and its
//! body binds the two variables to the pair's halves; a binding is a loop over nothing whose result is the body.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue, operators};
use cel::parser::{Macro, MacroExprHelper};
use cel::{DeclarationError, Env};

/// The variable that holds the pair; no expression can name it.
const PAIR: &str = "@pair";
const RESULT: &str = "@result";

type Helper<'h> = MacroExprHelper<'h>;

/// Adds the macros.
pub(super) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    let kinds = [
        ("all", 3, Kind::All),
        ("exists", 3, Kind::Exists),
        ("existsOne", 3, Kind::One),
        ("exists_one", 3, Kind::One),
        ("transformList", 3, Kind::List),
        ("transformList", 4, Kind::List),
        ("transformMap", 3, Kind::Map),
        ("transformMap", 4, Kind::Map),
        ("transformMapEntry", 3, Kind::Entries),
        ("transformMapEntry", 4, Kind::Entries),
    ];
    for (name, arguments, kind) in kinds {
        env.add_macro(Macro::receiver(name, arguments, move |helper, target, arguments| {
            // Names that are no variables make it a call like any other, and no function has this form.
            let (Some(Expr::Ident(key)), Some(Expr::Ident(value))) =
                (arguments.first().map(|it| &it.expr), arguments.get(1).map(|it| &it.expr))
            else {
                return Err(helper.new_error(0, "argument must be a simple name"));
            };
            let (key, value) = (key.clone(), value.clone());
            let Some(range) = target.take() else { return Ok(None) };
            Ok(Some(expand(helper, kind, range, (&key, &value), arguments.split_off(2))))
        }))?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    All,
    Exists,
    One,
    List,
    Map,
    Entries,
}

/// `arguments` are a filter, where there is one, and what is made of a pair.
fn expand(
    helper: &mut Helper<'_>,
    kind: Kind,
    range: IdedExpr,
    (key, value): (&str, &str),
    mut arguments: Vec<IdedExpr>,
) -> IdedExpr {
    let result = |helper: &mut Helper<'_>| ident(helper, RESULT);
    let boolean = |helper: &mut Helper<'_>, is: bool| helper.next_expr(Expr::Literal(LiteralValue::Boolean(is.into())));
    let int = |helper: &mut Helper<'_>, number: i64| helper.next_expr(Expr::Literal(LiteralValue::Int(number.into())));
    let made = arguments.pop().unwrap_or_default();
    let filter = arguments.pop().map(|filter| bound(helper, filter, key, value));
    let (start, going, step, end) = match kind {
        Kind::All | Kind::Exists => {
            let is_all = matches!(kind, Kind::All);
            let mut goes_on = result(helper);
            if !is_all {
                goes_on = call(helper, operators::LOGICAL_NOT, vec![goes_on]);
            }
            let going = call(helper, operators::NOT_STRICTLY_FALSE, vec![goes_on]);
            let both = vec![result(helper), bound(helper, made, key, value)];
            let step = call(helper, if is_all { operators::LOGICAL_AND } else { operators::LOGICAL_OR }, both);
            (boolean(helper, is_all), going, step, result(helper))
        }
        Kind::One => {
            let sum = vec![result(helper), int(helper, 1)];
            let more = call(helper, operators::ADD, sum);
            let step = vec![bound(helper, made, key, value), more, result(helper)];
            let step = call(helper, operators::CONDITIONAL, step);
            let end = vec![result(helper), int(helper, 1)];
            (int(helper, 0), boolean(helper, true), step, call(helper, operators::EQUALS, end))
        }
        Kind::List | Kind::Map | Kind::Entries => {
            let mut item = bound(helper, made, key, value);
            if matches!(kind, Kind::Map) {
                let key = half(helper, 0);
                item = list(helper, vec![key, item]);
            }
            let more = vec![result(helper), list(helper, vec![item])];
            let mut step = call(helper, operators::ADD, more);
            if let Some(filter) = filter {
                let choice = vec![filter, step, result(helper)];
                step = call(helper, operators::CONDITIONAL, choice);
            }
            let mut end = result(helper);
            if !matches!(kind, Kind::List) {
                end = call(helper, "@entries", vec![end]);
            }
            (list(helper, Vec::new()), boolean(helper, true), step, end)
        }
    };
    let pairs = call(helper, "@pairs", vec![range]);
    helper.next_expr(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: pairs,
        iter_var: PAIR.to_owned(),
        iter_var2: None,
        accu_var: RESULT.to_owned(),
        accu_init: start,
        loop_cond: going,
        loop_step: step,
        result: end,
    })))
}

fn ident(helper: &mut Helper<'_>, name: &str) -> IdedExpr {
    helper.next_expr(Expr::Ident(name.to_owned()))
}

fn call(helper: &mut Helper<'_>, function: &str, args: Vec<IdedExpr>) -> IdedExpr {
    helper.next_expr(Expr::Call(CallExpr { func_name: function.to_owned(), target: None, args }))
}

fn list(helper: &mut Helper<'_>, items: Vec<IdedExpr>) -> IdedExpr {
    helper.next_expr(Expr::List(ListExpr::new(items)))
}

/// The key (0) or the value (1) of the pair.
fn half(helper: &mut Helper<'_>, index: i64) -> IdedExpr {
    let both = vec![ident(helper, PAIR), helper.next_expr(Expr::Literal(LiteralValue::Int(index.into())))];
    call(helper, operators::INDEX, both)
}

/// An expression in which the two variables are the halves of the pair.
fn bound(helper: &mut Helper<'_>, body: IdedExpr, key: &str, value: &str) -> IdedExpr {
    [(value, 1), (key, 0)].into_iter().fold(body, |body, (name, index)| {
        let binding = ComprehensionExpr {
            iter_range: list(helper, Vec::new()),
            iter_var: "#unused".to_owned(),
            iter_var2: None,
            accu_var: name.to_owned(),
            accu_init: half(helper, index),
            loop_cond: helper.next_expr(Expr::Literal(LiteralValue::Boolean(false.into()))),
            loop_step: ident(helper, name),
            result: body,
        };
        helper.next_expr(Expr::Comprehension(Box::new(binding)))
    })
}
