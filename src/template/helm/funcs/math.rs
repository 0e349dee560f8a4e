//! Arithmetic on whole numbers (`add`), exact decimals (`addf`) and floats (`floor`); ranges.

use super::Type::{Any, Float64, Int};
use super::decimal::Decimal;
use super::types::{to_float, to_int};
use super::{Env, Error, Function, any, int};
use crate::value::{List, ListKind, Value};
use std::fmt::Write;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("add", &[Any], |_, a| Ok(fold(Value::Int64(0), a, i64::wrapping_add))),
    Function::new("add1", &[Any], |_, a| Ok(Value::Int64(to_int(any(a, 0)).wrapping_add(1)))),
    Function::new("sub", &[Any, Any], |_, a| Ok(Value::Int64(to_int(any(a, 0)).wrapping_sub(to_int(any(a, 1)))))),
    Function::variadic("mul", &[Any, Any], |_, a| Ok(fold(any(a, 0).clone(), &a[1..], i64::wrapping_mul))),
    Function::new("div", &[Any, Any], |_, a| divide(a, i64::wrapping_div)),
    Function::new("mod", &[Any, Any], |_, a| divide(a, i64::wrapping_rem)),
    Function::variadic("max", &[Any, Any], |_, a| Ok(fold(any(a, 0).clone(), &a[1..], i64::max))),
    Function::variadic("biggest", &[Any, Any], |_, a| Ok(fold(any(a, 0).clone(), &a[1..], i64::max))),
    Function::variadic("min", &[Any, Any], |_, a| Ok(fold(any(a, 0).clone(), &a[1..], i64::min))),
    Function::variadic("addf", &[Any], |env, a| exact(env, &Value::Nil, a, |sum, number| Ok(sum.add(number)))),
    Function::new("add1f", &[Any], |env, a| exact(env, any(a, 0), &[Value::Int(1)], |sum, one| Ok(sum.add(one)))),
    Function::variadic("subf", &[Any, Any], |env, a| {
        exact(env, any(a, 0), &a[1..], |rest, number| Ok(rest.subtract(number)))
    }),
    Function::variadic("mulf", &[Any, Any], |env, a| {
        exact(env, any(a, 0), &a[1..], |product, number| Ok(product.multiply(number)))
    }),
    Function::variadic("divf", &[Any, Any], |env, a| {
        exact(env, any(a, 0), &a[1..], |rest, number| rest.divide(number).ok_or("decimal division by 0"))
    }),
    Function::variadic("maxf", &[Any, Any], |_, a| Ok(fold_floats(a, larger))),
    Function::variadic("minf", &[Any, Any], |_, a| Ok(fold_floats(a, |a, b| -larger(-a, -b)))),
    Function::new("floor", &[Any], |_, a| Ok(Value::Float(to_float(any(a, 0)).floor()))),
    Function::new("ceil", &[Any], |_, a| Ok(Value::Float(to_float(any(a, 0)).ceil()))),
    Function::variadic("round", &[Any, Int, Float64], round),
    Function::new("until", &[Int], |env, a| range(env, 0, int(a, 0), if int(a, 0) < 0 { -1 } else { 1 })),
    Function::new("untilStep", &[Int, Int, Int], |env, a| range(env, int(a, 0), int(a, 1), int(a, 2))),
    Function::variadic("seq", &[Int], sequence),
];

fn fold(first: Value, rest: &[Value], operation: fn(i64, i64) -> i64) -> Value {
    Value::Int64(rest.iter().map(to_int).fold(to_int(&first), operation))
}

fn divide(arguments: &[Value], operation: fn(i64, i64) -> i64) -> Result<Value, Error> {
    match to_int(any(arguments, 1)) {
        0 => Err("runtime error: integer divide by zero".into()),
        divisor => Ok(Value::Int64(operation(to_int(any(arguments, 0)), divisor))),
    }
}

/// Computes with exact decimals and gives the nearest float.
fn exact(
    env: &mut Env<'_>,
    first: &Value,
    rest: &[Value],
    operation: fn(&Decimal, &Decimal) -> Result<Decimal, &'static str>,
) -> Result<Value, Error> {
    let mut result = Decimal::new(to_float(first))?;
    for (index, number) in rest.iter().enumerate() {
        // Each factor can lengthen the product.
        env.charge(index as u64 / 4)?;
        result = operation(&result, &Decimal::new(to_float(number))?)?;
    }
    Ok(Value::Float(result.to_float()))
}

fn fold_floats(arguments: &[Value], operation: fn(f64, f64) -> f64) -> Value {
    Value::Float(arguments.iter().map(to_float).reduce(operation).unwrap_or(0.0))
}

/// Go's `math.Max`: NaN wins unless the other is +Inf, and 0 is larger than -0.
fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        if a.is_sign_negative() { b } else { a }
    } else if a > b {
        a
    } else {
        b
    }
}

fn round(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let threshold = arguments.get(2).map_or(0.5, to_float);
    let power = power_of_ten(int(arguments, 1));
    let digits = power * to_float(any(arguments, 0));
    // The fraction of an infinite number is not a number, which rounds down.
    let up = digits.is_finite() && digits.fract() >= threshold;
    let whole = if up { digits.ceil() } else { digits.floor() };
    Ok(Value::Float(whole / power))
}

/// Go's `math.Pow(10, n)`, which differs from the nearest float in the last bit here and there.
fn power_of_ten(exponent: i64) -> f64 {
    if exponent == 0 {
        return 1.0;
    }
    // 10 is 0.625 × 2^4; the mantissa is squared and the binary exponent doubled at each bit.
    let (mut square, mut square_exponent) = (0.625_f64, 4_i64);
    let (mut result, mut result_exponent) = (1.0_f64, 0_i64);
    let mut bits = exponent.unsigned_abs();
    while bits != 0 {
        if square_exponent > 1 << 12 {
            result_exponent += square_exponent;
            break;
        }
        if bits & 1 == 1 {
            result *= square;
            result_exponent += square_exponent;
        }
        square *= square;
        square_exponent *= 2;
        if square < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        bits >>= 1;
    }
    if exponent < 0 {
        result = 1.0 / result;
        result_exponent = -result_exponent;
    }
    // In two steps, so that neither factor leaves the range.
    let half = result_exponent.clamp(-4096, 4096) as i32 / 2;
    let other = result_exponent.clamp(-4096, 4096) as i32 - half;
    result * 2f64.powi(half) * 2f64.powi(other)
}

/// The numbers from `start` up or down to `stop`, without it.
fn numbers(env: &mut Env<'_>, start: i64, stop: i64, step: i64) -> Result<impl Iterator<Item = i64> + use<>, Error> {
    let away = if stop < start { step >= 0 } else { step <= 0 };
    let count = if away { 0 } else { start.abs_diff(stop).div_ceil(step.unsigned_abs()) };
    env.charge(count.saturating_mul(4))?;
    Ok((0..count as i64).map(move |index| start.wrapping_add(index.wrapping_mul(step))))
}

fn range(env: &mut Env<'_>, start: i64, stop: i64, step: i64) -> Result<Value, Error> {
    let items = numbers(env, start, stop, step)?.map(Value::Int).collect();
    Ok(Value::List(List::with(ListKind::Int, Some(items), 0)))
}

/// The numbers of the command `seq`, both ends included, as text.
fn sequence(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (start, end, step) = match arguments {
        [_] => (1, int(arguments, 0), None),
        [_, _] => (int(arguments, 0), int(arguments, 1), None),
        [_, _, _] => (int(arguments, 0), int(arguments, 2), Some(int(arguments, 1))),
        _ => return Ok("".into()),
    };
    let direction = if end < start { -1 } else { 1 };
    if direction < 0 && step.is_some_and(|step| step > 0) {
        return Ok("".into());
    }
    let mut text = String::new();
    for number in numbers(env, start, end.wrapping_add(direction), step.unwrap_or(direction))? {
        write!(text, "{}{number}", if text.is_empty() { "" } else { " " })?;
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    fn ints(name: &str, numbers: &[i64]) -> String {
        call(name, &numbers.iter().copied().map(Value::Int).collect::<Vec<_>>())
    }

    fn floats(name: &str, numbers: &[f64]) -> String {
        call(name, &numbers.iter().copied().map(Value::Float).collect::<Vec<_>>())
    }

    #[test]
    fn whole_numbers_wrap() {
        assert_eq!(ints("add", &[]), "0");
        assert_eq!(ints("add", &[1, 2, 3]), "6");
        assert_eq!(ints("add", &[i64::MAX, 1]), "-9223372036854775808");
        assert_eq!(ints("add1", &[1]), "2");
        assert_eq!(ints("sub", &[1, 3]), "-2");
        assert_eq!(ints("mul", &[2, 3, 4]), "24");
        assert_eq!(ints("div", &[-7, 2]), "-3");
        assert_eq!(ints("div", &[i64::MIN, -1]), "-9223372036854775808");
        assert_eq!(ints("div", &[1, 0]), "error: runtime error: integer divide by zero");
        assert_eq!(ints("mod", &[-7, 2]), "-1");
        assert_eq!(ints("mod", &[1, 0]), "error: runtime error: integer divide by zero");
        assert_eq!(ints("max", &[1, 3, 2]), "3");
        assert_eq!(ints("biggest", &[1]), "1");
        assert_eq!(ints("min", &[2, 1, 3]), "1");
        assert_eq!(floats("add", &[1.9, 1.9]), "2");
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(floats("addf", &[0.1, 0.2]), "0.3");
        assert_eq!(floats("addf", &[1e300, 1e-300]), "1e+300");
        assert_eq!(floats("add1f", &[0.1]), "1.1");
        assert_eq!(floats("subf", &[0.3, 0.1, 0.1]), "0.1");
        assert_eq!(floats("mulf", &[1.1, 1.1]), "1.21");
        assert_eq!(floats("mulf", &[1e300, 1e300]), "+Inf");
        assert_eq!(floats("mulf", &[-1.0, 0.0]), "0");
        assert_eq!(floats("divf", &[1.0, 3.0]), "0.3333333333333333");
        assert_eq!(floats("divf", &[-2.0, 3.0]), "-0.6666666666666667");
        assert_eq!(floats("divf", &[1.0, 0.0]), "error: decimal division by 0");
        assert_eq!(floats("addf", &[f64::NAN]), "error: Cannot create a Decimal from NaN");
    }

    #[test]
    fn floats_are_rounded() {
        assert_eq!(floats("maxf", &[1.0, f64::NAN, 2.0]), "NaN");
        assert_eq!(floats("maxf", &[-0.0, 0.0]), "0");
        assert_eq!(floats("minf", &[0.0, -0.0, 1.0]), "-0");
        assert_eq!(floats("floor", &[-1.2]), "-2");
        assert_eq!(floats("ceil", &[1.2]), "2");
        for (number, places, on, expected) in [
            (2.5, 0, None, "3"),
            (-1.2, 0, None, "-2"),
            (1.005, 2, None, "1"),
            (123.5555, 3, None, "123.556"),
            (123.3, 0, Some(0.4), "123"),
            (123.5, 0, Some(0.4), "124"),
            (1234.5, -2, None, "1200"),
            (1.0, 400, None, "NaN"),
            (0.0, -400, None, "NaN"),
        ] {
            let mut arguments = vec![Value::Float(number), Value::Int(places)];
            arguments.extend(on.map(Value::Float));
            assert_eq!(call("round", &arguments), expected, "{number} {places}");
        }
        assert_eq!([power_of_ten(3), power_of_ten(-2), power_of_ten(308)], [1e3, 1e-2, 1.0000000000000006e308]);
    }

    #[test]
    fn ranges_are_bounded() {
        assert_eq!(ints("until", &[3]), "[0 1 2]");
        assert_eq!(ints("until", &[-3]), "[0 -1 -2]");
        assert_eq!(ints("untilStep", &[1, 10, 4]), "[1 5 9]");
        assert_eq!(ints("untilStep", &[10, 1, -4]), "[10 6 2]");
        assert_eq!(ints("untilStep", &[1, 10, -1]), "[]");
        assert_eq!(ints("untilStep", &[0, i64::MAX, i64::MAX - 1]), "[0 9223372036854775806]");
        assert_eq!(ints("until", &[i64::MAX]), "limit");
        for (numbers, expected) in [
            (&[][..], ""),
            (&[5], "1 2 3 4 5"),
            (&[-3], "1 0 -1 -2 -3"),
            (&[0], "1 0"),
            (&[2, 5], "2 3 4 5"),
            (&[5, 2], "5 4 3 2"),
            (&[2, 2, 6], "2 4 6"),
            (&[5, -2, 0], "5 3 1"),
            (&[5, 2, 0], ""),
            (&[2, -2, 6], ""),
            (&[1, 2, 3, 4], ""),
            (&[i64::MAX - 1], "limit"),
            (&[i64::MAX], ""),
        ] {
            assert_eq!(ints("seq", numbers), expected, "{numbers:?}");
        }
    }
}
