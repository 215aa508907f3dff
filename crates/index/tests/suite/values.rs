//! Exact values and codes: reading, printing, rounding.
//!
//! Rounding is checked against integer arithmetic of its own, never against floats.

use parsurvey_index::code::{GroupCode, QuestionCode, SubCriterionCode};
use parsurvey_index::exact::{Exact, Quantity, Why};
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

use crate::world::exact;

#[test]
fn rounding_is_half_away_from_zero() {
    for (value, places, rounded, truncated) in [
        ("0.005", 2, "0.01", "0.00"),
        ("-0.005", 2, "-0.01", "0.00"),
        ("0.004999", 2, "0.00", "0.00"),
        ("2.5", 0, "3", "2"),
        ("-2.5", 0, "-3", "-2"),
        ("1/3", 4, "0.3333", "0.3333"),
        ("-2/3", 1, "-0.7", "-0.6"),
        ("9.995", 2, "10.00", "9.99"),
        ("7", 2, "7.00", "7.00"),
        ("-0.001", 2, "0.00", "0.00"),
    ] {
        assert_eq!(exact(value).rounded(places), rounded, "{value} rounded");
        assert_eq!(exact(value).truncated(places), truncated, "{value} cut off");
    }
}

#[test]
fn decimals_have_at_most_28_significant_digits() {
    for (value, decimal) in [
        ("1/7", "0.1428571428571428571428571429"),
        ("100/7", "14.28571428571428571428571429"),
        ("0.750", "0.75"),
        ("-3", "-3"),
        ("1200", "1200"),
        ("0", "0"),
    ] {
        assert_eq!(exact(value).decimal(), decimal);
    }
}

#[test]
fn texts_that_are_no_value_are_refused() {
    for text in ["", "x", "1/0", "1/", "/2", "1,5", "1e3", "0.1/2", "NaN", "1/2/3"] {
        assert!(text.parse::<Exact>().is_err(), "{text}");
    }
    assert_eq!(Exact::ratio(1, 0), None);
    assert_eq!(Exact::one().checked_div(&Exact::zero()), None);
    assert_eq!(exact(" 6/-8 ").to_string(), "-3/4");
}

#[test]
fn quantities_follow_the_contract() {
    let json = |quantity: Quantity| serde_json::to_string(&quantity).unwrap();
    assert_eq!(json(exact("0.805").into()), r#"{"exact":"161/200","decimal":"0.805","rounded":"0.81"}"#);
    assert_eq!(json(Quantity::Without(Why::NotAsked)), r#"{"exact":null,"why":"not_asked"}"#);
    assert_eq!(Quantity::Without(Why::Absent).rounded(2), "–");
    let parts = [exact("1").into(), Quantity::Without(Why::Hidden), Quantity::Without(Why::Absent)];
    assert_eq!(Quantity::sum(&parts), Quantity::Without(Why::Hidden));
    assert_eq!(Quantity::sum([]), Quantity::Value(Exact::zero()));
}

#[test]
fn codes_are_parsed_once_at_the_door() {
    for text in ["7.x", " 5.7.4 ", "state_bank-1"] {
        assert_eq!(text.parse::<SubCriterionCode>().unwrap().as_str(), text.trim());
    }
    let long = "a".repeat(65);
    for text in ["", "  ", "a b", "nhóm", "a/b", long.as_str()] {
        let error = text.parse::<GroupCode>().unwrap_err();
        assert_eq!((error.text.as_str(), error.kind), (text.trim(), "respondent group code"));
    }
    assert!(serde_json::from_str::<QuestionCode>("\"a b\"").is_err());
    let code: QuestionCode = serde_json::from_str("\"5.7.4\"").unwrap();
    assert_eq!(serde_json::to_string(&code).unwrap(), "\"5.7.4\"");
    assert_eq!(format!("{code:>7}|"), "  5.7.4|");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_back(n in proptest::num::i64::ANY, d in 1..i64::MAX) {
        let value = Exact::ratio(n, d).unwrap();
        prop_assert_eq!(&value.to_string().parse::<Exact>().unwrap(), &value);
        let json = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(serde_json::from_str::<Exact>(&json).unwrap(), value);
    }

    /// |rounded − value| ≤ half a unit, and on the half itself away from zero.
    #[test]
    fn rounding_is_never_off_by_more_than_half(n in -1_000_000_i64..1_000_000, d in 1..2_000_i64, places in 0..5_usize) {
        let value = Exact::ratio(n, d).unwrap();
        let rounded: Exact = value.rounded(places).parse().unwrap();
        let off = &(&rounded - &value) * &Exact::from(10_i64.pow(u32::try_from(places).unwrap()));
        let half = exact("1/2");
        prop_assert!(off <= half && off >= -half.clone());
        if off == half || off == -half {
            prop_assert_eq!((&rounded - &value).is_negative(), value.is_negative());
        }
    }

    #[test]
    fn arithmetic_holds(a in -1000..1000_i64, b in 1..1000_i64, c in -1000..1000_i64, d in 1..1000_i64) {
        let (x, y) = (Exact::ratio(a, b).unwrap(), Exact::ratio(c, d).unwrap());
        prop_assert_eq!(&x + &y, Exact::ratio(a * d + c * b, b * d).unwrap());
        prop_assert_eq!(&x - &y, &x + &-y.clone());
        prop_assert_eq!(&x * &y, Exact::ratio(a * c, b * d).unwrap());
        if let Some(quotient) = x.checked_div(&y) {
            prop_assert_eq!(&quotient * &y, x.clone());
        }
        prop_assert_eq!([x.clone(), y.clone()].iter().sum::<Exact>(), &x + &y);
        prop_assert_eq!(x > y, a * d > c * b);
    }
}
