//! Exact decimal arithmetic for `addf`, `subf`, `mulf`, `divf`: 0.1 + 0.2 is 0.3.

use num_bigint::{BigInt, Sign};

/// Decimals of a quotient, as in the Go package `decimal`.
const DIVISION_PRECISION: i64 = 16;

/// A number `mantissa × 10^exponent`.
#[derive(Debug, Clone)]
pub(super) struct Decimal {
    mantissa: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The shortest decimal that reads back as the float.
    pub(super) fn new(number: f64) -> Result<Self, String> {
        if !number.is_finite() {
            let name = match number {
                number if number.is_nan() => "NaN",
                f64::INFINITY => "+Inf",
                _ => "-Inf",
            };
            return Err(format!("Cannot create a Decimal from {name}"));
        }
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i64);
        let digits: String = mantissa.chars().filter(|char| *char != '.').collect();
        let mantissa = digits.parse().unwrap_or_default();
        Ok(Decimal { mantissa, exponent: exponent.parse::<i64>().unwrap_or(0) - decimals })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        // Negative zero does not exist here.
        if self.mantissa.sign() == Sign::NoSign {
            return 0.0;
        }
        format!("{}e{}", self.mantissa, self.exponent).parse().unwrap_or(f64::NAN)
    }

    pub(super) fn add(&self, other: &Decimal) -> Decimal {
        let exponent = self.exponent.min(other.exponent);
        Decimal { mantissa: self.scaled(exponent) + other.scaled(exponent), exponent }
    }

    pub(super) fn subtract(&self, other: &Decimal) -> Decimal {
        let exponent = self.exponent.min(other.exponent);
        Decimal { mantissa: self.scaled(exponent) - other.scaled(exponent), exponent }
    }

    pub(super) fn multiply(&self, other: &Decimal) -> Decimal {
        Decimal { mantissa: &self.mantissa * &other.mantissa, exponent: self.exponent + other.exponent }
    }

    /// Rounded half away from zero at 16 decimals; `None` divides by zero.
    pub(super) fn divide(&self, other: &Decimal) -> Option<Decimal> {
        if other.mantissa.sign() == Sign::NoSign {
            return None;
        }
        let shift = self.exponent - other.exponent + DIVISION_PRECISION;
        let (mut dividend, mut divisor) = (self.mantissa.clone(), other.mantissa.clone());
        if shift < 0 {
            divisor *= power_of_ten(-shift);
        } else {
            dividend *= power_of_ten(shift);
        }
        let quotient = &dividend / &divisor;
        let rest = &dividend - &quotient * &divisor;
        let away = if rest.magnitude() * 2u32 < *divisor.magnitude() {
            0
        } else if dividend.sign() == divisor.sign() {
            1
        } else {
            -1
        };
        Some(Decimal { mantissa: quotient + away, exponent: -DIVISION_PRECISION })
    }

    fn scaled(&self, exponent: i64) -> BigInt {
        &self.mantissa * power_of_ten(self.exponent - exponent)
    }
}

/// The exponents of floats are small, and so are those of the few results that one call can reach.
fn power_of_ten(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}
