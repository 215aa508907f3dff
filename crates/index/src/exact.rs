//! Exact fractions: what points and percents are made of until they are printed.
//!
//! Nothing here is a float. A value is rounded once, when it is written out, half away from zero.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::str::FromStr;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use rust_decimal::Decimal;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An exact fraction in lowest terms with a positive denominator.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exact(BigRational);

/// Why a text is not an exact value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither a decimal such as 0.75 nor a fraction such as 3/4")]
pub struct ExactError(pub String);

impl Exact {
    /// Zero.
    #[must_use]
    pub fn zero() -> Self {
        Self(BigRational::zero())
    }

    /// One.
    #[must_use]
    pub fn one() -> Self {
        Self(BigRational::one())
    }

    /// The fraction `numerator / denominator`; `None` for a zero denominator.
    #[must_use]
    pub fn ratio(numerator: impl Into<BigInt>, denominator: impl Into<BigInt>) -> Option<Self> {
        let denominator = denominator.into();
        (!denominator.is_zero()).then(|| Self(BigRational::new(numerator.into(), denominator)))
    }

    /// The quotient, or `None` when `divisor` is zero.
    #[must_use]
    pub fn checked_div(&self, divisor: &Self) -> Option<Self> {
        (!divisor.is_zero()).then(|| Self(&self.0 / &divisor.0))
    }

    /// Whether the value is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Whether the value is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// The numerator in lowest terms.
    #[must_use]
    pub fn numerator(&self) -> &BigInt {
        self.0.numer()
    }

    /// The positive denominator in lowest terms.
    #[must_use]
    pub fn denominator(&self) -> &BigInt {
        self.0.denom()
    }

    /// The value rounded half away from zero to `places` decimal places, with all of them written.
    #[must_use]
    pub fn rounded(&self, places: usize) -> String {
        let scale = num_traits::pow(BigInt::from(10), places);
        let scaled = (&self.0 * BigRational::from_integer(scale.clone())).round().to_integer();
        let negative = scaled.is_negative();
        let digits = format!("{:0>width$}", scaled.abs().to_string(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let sign = if negative { "-" } else { "" };
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// The value cut off (not rounded) at `places` decimal places: how some published tables print.
    #[must_use]
    pub fn truncated(&self, places: usize) -> String {
        let scale = num_traits::pow(BigInt::from(10), places);
        let cut = (&self.0 * BigRational::from_integer(scale.clone())).trunc().to_integer();
        Self(BigRational::new(cut, scale)).rounded(places)
    }

    /// Up to 28 significant digits after rounding, without trailing zeros; for reading, not for reckoning.
    #[must_use]
    pub fn decimal(&self) -> String {
        let whole = self.0.trunc().to_integer().abs();
        let whole_digits = if whole.is_zero() { 0 } else { whole.to_string().len() };
        let text = self.rounded(28usize.saturating_sub(whole_digits));
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }
}

impl From<i64> for Exact {
    fn from(value: i64) -> Self {
        Self(BigRational::from_integer(value.into()))
    }
}

impl From<u64> for Exact {
    fn from(value: u64) -> Self {
        Self(BigRational::from_integer(value.into()))
    }
}

impl From<Decimal> for Exact {
    fn from(value: Decimal) -> Self {
        let scale = num_traits::pow(BigInt::from(10), value.scale() as usize);
        Self(BigRational::new(value.mantissa().into(), scale))
    }
}

impl FromStr for Exact {
    type Err = ExactError;

    /// Reads `0.75`, `-3`, or `3/4`.
    fn from_str(text: &str) -> Result<Self, ExactError> {
        let refuse = || ExactError(text.to_owned());
        if let Some((n, d)) = text.split_once('/') {
            let n: BigInt = n.trim().parse().map_err(|_| refuse())?;
            let d: BigInt = d.trim().parse().map_err(|_| refuse())?;
            return Self::ratio(n, d).ok_or_else(refuse);
        }
        Decimal::from_str_exact(text.trim()).map(Self::from).map_err(|_| refuse())
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl $trait for Exact {
            type Output = Exact;
            fn $method(self, other: Exact) -> Exact { Exact(self.0 $op other.0) }
        }
        impl $trait for &Exact {
            type Output = Exact;
            fn $method(self, other: &Exact) -> Exact { Exact(&self.0 $op &other.0) }
        }
    };
}
operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);

impl Div<u64> for Exact {
    type Output = Exact;

    /// Panics for a zero divisor, as integer division does; use [`Exact::checked_div`] where it can occur.
    fn div(self, divisor: u64) -> Exact {
        Exact(self.0 / BigRational::from_integer(divisor.into()))
    }
}

impl Neg for Exact {
    type Output = Exact;
    fn neg(self) -> Exact {
        Exact(-self.0)
    }
}

impl Sum for Exact {
    fn sum<I: Iterator<Item = Exact>>(values: I) -> Exact {
        values.fold(Exact::zero(), |total, value| total + value)
    }
}

impl<'a> Sum<&'a Exact> for Exact {
    fn sum<I: Iterator<Item = &'a Exact>>(values: I) -> Exact {
        values.fold(Exact::zero(), |total, value| &total + value)
    }
}

impl fmt::Display for Exact {
    /// `n/d`, always with the denominator.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.numer(), self.0.denom())
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a quantity has no value. The four are different facts and are never merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The row does not exist in that year or for that target.
    Absent,
    /// The group was not asked, by design.
    NotAsked,
    /// A group that was asked gave no substantive answer, so the mean and every sum above it have no value.
    NotDeterminable,
    /// A value exists but showing it could point at persons.
    Hidden,
}

impl Why {
    /// The word used in the JSON contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Absent => "absent",
            Why::NotAsked => "not_asked",
            Why::NotDeterminable => "not_determinable",
            Why::Hidden => "hidden",
        }
    }
}

/// A value, or the reason there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quantity {
    /// The exact value.
    Value(Exact),
    /// No value, and why.
    Without(Why),
}

impl Quantity {
    /// The value, if there is one.
    #[must_use]
    pub fn value(&self) -> Option<&Exact> {
        match self {
            Quantity::Value(value) => Some(value),
            Quantity::Without(_) => None,
        }
    }

    /// Applies `f` to the value and keeps a missing one missing for the same reason.
    #[must_use]
    pub fn map(&self, f: impl FnOnce(&Exact) -> Exact) -> Quantity {
        match self {
            Quantity::Value(value) => Quantity::Value(f(value)),
            Quantity::Without(why) => Quantity::Without(*why),
        }
    }

    /// The sum of all; without a value as soon as one part is, for the first such part's reason.
    pub fn sum<'a>(parts: impl IntoIterator<Item = &'a Quantity>) -> Quantity {
        let mut total = Exact::zero();
        for part in parts {
            match part {
                Quantity::Value(value) => total = &total + value,
                Quantity::Without(why) => return Quantity::Without(*why),
            }
        }
        Quantity::Value(total)
    }

    /// The value rounded to `places`, or an en dash.
    #[must_use]
    pub fn rounded(&self, places: usize) -> String {
        self.value().map_or_else(|| "–".to_owned(), |value| value.rounded(places))
    }
}

impl From<Exact> for Quantity {
    fn from(value: Exact) -> Self {
        Quantity::Value(value)
    }
}

impl Serialize for Quantity {
    /// `{"exact":"n/d","decimal":"…","rounded":"0.81"}` with two places, or `{"exact":null,"why":"…"}` (docs/output.md).
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Quantity::Value(value) => {
                map.serialize_entry("exact", value)?;
                map.serialize_entry("decimal", &value.decimal())?;
                map.serialize_entry("rounded", &value.rounded(2))?;
            }
            Quantity::Without(why) => {
                map.serialize_entry("exact", &None::<Exact>)?;
                map.serialize_entry("why", why)?;
            }
        }
        map.end()
    }
}
