//! The one place that writes numbers for people.
//!
//! Documents use the reader's signs (`1.234,5` in Vietnamese, `1,234.5` in English); CSV and JSON always use plain `1234.5`.
//! A value is rounded here, once, half away from zero; nothing computed from a rounded value leaves this crate.

use parsurvey_index::exact::{Exact, Quantity, Why};
use parsurvey_index::tree::Text;

use crate::lang::{Lang, text};

/// Decimal places of points and percents in print.
pub const PLACES: usize = 2;

/// Digits after the point that [`unrounded`] shows before it cuts with an ellipsis.
const UNROUNDED_DIGITS: usize = 8;

/// A whole number with thousands separators.
#[must_use]
pub fn count(value: u64, lang: Lang) -> String {
    localised(&value.to_string(), lang)
}

/// A value rounded to `places`.
#[must_use]
pub fn exact(value: &Exact, places: usize, lang: Lang) -> String {
    localised(&value.rounded(places), lang)
}

/// A percent rounded to two places, with its sign.
#[must_use]
pub fn percent(value: &Exact, lang: Lang) -> String {
    format!("{}%", exact(value, PLACES, lang))
}

/// A change with its sign: `+0,02`, `−0,01`, and `0,00` without a sign when it rounds to zero.
#[must_use]
pub fn signed(value: &Exact, places: usize, lang: Lang) -> String {
    let plain = value.rounded(places);
    let is_zero = plain.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-'));
    if is_zero {
        localised(plain.trim_start_matches('-'), lang)
    } else if value.is_negative() {
        localised(&plain, lang)
    } else {
        format!("+{}", localised(&plain, lang))
    }
}

/// A maximum or weight as it was declared, without trailing zeros: `9,5`, `4`. A value that has no short decimal is a fraction.
#[must_use]
pub fn declared(value: &Exact, lang: Lang) -> String {
    let decimal = value.decimal();
    if decimal.len() <= 12 { localised(&decimal, lang) } else { value.to_string() }
}

/// The value before rounding: all its digits when they are few, else cut off (never rounded) and marked with `…`.
#[must_use]
pub fn unrounded(value: &Exact, lang: Lang) -> String {
    let full = value.decimal();
    let digits = full.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    if digits <= UNROUNDED_DIGITS {
        localised(&full, lang)
    } else {
        format!("{}…", localised(&value.truncated(UNROUNDED_DIGITS), lang))
    }
}

/// The quantity rounded, or an en dash with the reason it has no value; an absent one is the dash alone.
#[must_use]
pub fn quantity(value: &Quantity, places: usize, lang: Lang) -> String {
    match value {
        Quantity::Value(value) => exact(value, places, lang),
        Quantity::Without(why) => without(*why, lang),
    }
}

/// The en dash, and the reason in brackets unless the row is simply absent.
#[must_use]
pub fn without(why: Why, lang: Lang) -> String {
    match why {
        Why::Absent => "–".to_owned(),
        Why::NotAsked | Why::NotDeterminable | Why::Hidden => format!("– ({})", lang.of(&reason(why))),
    }
}

/// The reason in words.
#[must_use]
pub fn reason(why: Why) -> Text {
    match why {
        Why::Absent => text("không có", "absent"),
        Why::NotAsked => text("không hỏi", "not asked"),
        Why::NotDeterminable => text("không xác định được", "not determinable"),
        Why::Hidden => text("không công khai", "hidden"),
    }
}

/// `part` of `whole` in percent; absent when the whole is nothing.
#[must_use]
pub fn share(part: u64, whole: u64) -> Quantity {
    Exact::ratio(part * 100, whole).map_or(Quantity::Without(Why::Absent), Quantity::Value)
}

/// `points / maximum` in percent; absent when the maximum is zero.
#[must_use]
pub fn percent_of(points: &Quantity, maximum: &Exact) -> Quantity {
    match points {
        Quantity::Value(points) => (points * &Exact::from(100_u64))
            .checked_div(maximum)
            .map_or(Quantity::Without(Why::Absent), Quantity::Value),
        Quantity::Without(why) => Quantity::Without(*why),
    }
}

/// A moment in RFC 3339 as people of the language write it: `15/01/2024 10:00`. Any other text is given back unchanged.
#[must_use]
pub fn moment(rfc3339: &str, lang: Lang) -> String {
    let parts = (rfc3339.get(0..4), rfc3339.get(5..7), rfc3339.get(8..10), rfc3339.get(11..16));
    match (parts, lang) {
        ((Some(year), Some(month), Some(day), Some(time)), Lang::Vi) => format!("{day}/{month}/{year} {time}"),
        ((Some(year), Some(month), Some(day), Some(time)), Lang::En) => format!("{year}-{month}-{day} {time}"),
        _ => rfc3339.to_owned(),
    }
}

/// Puts the language's signs into a plain number (`-1234.5`). The minus becomes U+2212, as wide as a plus.
fn localised(plain: &str, lang: Lang) -> String {
    let (thousands, point) = match lang {
        Lang::Vi => ('.', ','),
        Lang::En => (',', '.'),
    };
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |digits| ("\u{2212}", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(thousands);
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push(point);
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Exact {
        text.parse().expect("a value in a test")
    }

    #[test]
    fn numbers_take_the_signs_of_the_language() {
        for (input, vi, en) in [
            ("0", "0,00", "0.00"),
            ("1234.5", "1.234,50", "1,234.50"),
            ("-1234567.891", "\u{2212}1.234.567,89", "\u{2212}1,234,567.89"),
            ("123", "123,00", "123.00"),
            ("2/3", "0,67", "0.67"),
            ("0.125", "0,13", "0.13"),
        ] {
            assert_eq!(exact(&value(input), 2, Lang::Vi), vi, "{input}");
            assert_eq!(exact(&value(input), 2, Lang::En), en, "{input}");
        }
        assert_eq!(count(1_045_816, Lang::Vi), "1.045.816");
    }

    #[test]
    fn a_change_has_its_sign_unless_it_rounds_to_zero() {
        for (input, written) in
            [("0.02", "+0,02"), ("-0.014", "\u{2212}0,01"), ("-0.001", "0,00"), ("0.004", "0,00"), ("0", "0,00")]
        {
            assert_eq!(signed(&value(input), 2, Lang::Vi), written, "{input}");
        }
    }

    #[test]
    fn the_unrounded_value_is_cut_and_says_so() {
        for (input, written) in
            [("1/3", "0,33333333…"), ("8.3665", "8,3665"), ("2/3", "0,66666666…"), ("4", "4"), ("9.5", "9,5")]
        {
            assert_eq!(unrounded(&value(input), Lang::Vi), written, "{input}");
        }
    }

    #[test]
    fn a_missing_value_gives_its_reason() {
        for (why, written) in [
            (Why::Absent, "–"),
            (Why::NotAsked, "– (không hỏi)"),
            (Why::NotDeterminable, "– (không xác định được)"),
            (Why::Hidden, "– (không công khai)"),
        ] {
            assert_eq!(quantity(&Quantity::Without(why), 2, Lang::Vi), written);
        }
    }

    #[test]
    fn a_declared_number_is_short_or_a_fraction() {
        assert_eq!(declared(&value("9.50"), Lang::Vi), "9,5");
        assert_eq!(declared(&value("1/3"), Lang::Vi), "1/3");
    }

    #[test]
    fn a_moment_reads_as_a_date_and_a_time() {
        assert_eq!(moment("2024-01-10T23:59:00+07:00", Lang::Vi), "10/01/2024 23:59");
        assert_eq!(moment("soon", Lang::Vi), "soon");
    }
}
