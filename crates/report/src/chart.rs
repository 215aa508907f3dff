//! Horizontal bars, and columns by day, as inline SVG, written by hand.
//!
//! Two charts of one kind do not carry a chart crate with its fonts and rasterisers; bars in percent need one scale and no layout engine.
//! Bars differ by length and printed value, never by colour, so a grey copy reads the same. Points of other ranges are not drawn here.

use std::fmt::Write as _;

use num_traits::ToPrimitive;
use parsurvey_index::exact::{Exact, Quantity};

use crate::lang::Lang;
use crate::number;

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it is.
    pub label: String,
    /// Its percent, 0–100; without a value there is no bar but the reason.
    pub percent: Quantity,
}

/// Units of the drawing; the page scales it to its column.
const WIDTH: u32 = 720;
/// Room right of the bars for the value.
const VALUE_ROOM: u32 = 150;
/// A label line and a bar line.
const ROW: u32 = 40;
const BAR: u32 = 14;

/// Bars on a scale of 0–100 %, with a dashed line at `goal` where there is one.
#[must_use]
pub fn bars(title: &str, rows: &[Bar], goal: Option<&Exact>, lang: Lang) -> String {
    let height = rows.len() as u32 * ROW + if goal.is_some() { 22 } else { 4 };
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">",
        escaped(title)
    );
    let track = WIDTH - VALUE_ROOM;
    for (place, row) in rows.iter().enumerate() {
        let top = place as u32 * ROW;
        let (text_y, bar_y) = (top + 14, top + 20);
        element(&mut svg, format_args!("<text x=\"0\" y=\"{text_y}\">{}</text>", escaped(&row.label)));
        element(
            &mut svg,
            format_args!("<rect class=\"track\" x=\"0\" y=\"{bar_y}\" width=\"{track}\" height=\"{BAR}\"/>"),
        );
        let length = row.percent.value().map_or(0, |value| along(value, track));
        element(
            &mut svg,
            format_args!("<rect class=\"bar\" x=\"0\" y=\"{bar_y}\" width=\"{length}\" height=\"{BAR}\"/>"),
        );
        let value = match &row.percent {
            Quantity::Value(value) => number::percent(value, lang),
            Quantity::Without(why) => number::without(*why, lang),
        };
        let (x, y) = (track + 8, bar_y + 12);
        element(&mut svg, format_args!("<text class=\"value\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(&value)));
    }
    if let Some(goal) = goal {
        let x = along(goal, track);
        let bottom = rows.len() as u32 * ROW;
        element(&mut svg, format_args!("<line class=\"goal\" x1=\"{x}\" y1=\"0\" x2=\"{x}\" y2=\"{bottom}\"/>"));
        let y = bottom + 14;
        element(
            &mut svg,
            format_args!(
                "<text class=\"value\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}</text>",
                number::percent(goal, lang)
            ),
        );
    }
    svg.push_str("</svg>");
    svg
}

/// One day of a chart of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayBar {
    /// The day, in a few characters.
    pub label: String,
    /// What was done on it.
    pub count: u64,
    /// What was done up to its end.
    pub sum: u64,
    /// What stands out about it, in a few words; empty for most days.
    pub mark: String,
}

/// Room above the columns for marks, and below for days.
const MARKS: u64 = 34;
const COLUMNS: u64 = 170;
const LABELS: u64 = 24;
/// A day's width.
const DAY: u64 = 52;
/// Room left of the columns, for a mark of the first day.
const EDGE: u64 = 10;

/// Columns for what was done each day, with the number above each, and a line for the sum as a part of `whole`. Columns are
/// as high as they are in the largest one. A mark has a dashed line of its own.
#[must_use]
pub fn days(title: &str, days: &[DayBar], whole: u64) -> String {
    let width = days.len() as u64 * DAY + 2 * EDGE;
    let height = MARKS + COLUMNS + LABELS;
    let mut svg = format!(
        "<svg class=\"chart days\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">",
        escaped(title)
    );
    let largest = days.iter().map(|day| day.count).max().unwrap_or(0);
    let part = |count: u64, of: u64, room: u64| (count * room).checked_div(of).unwrap_or(0).min(room);
    let bottom = MARKS + COLUMNS;
    let mut line = String::new();
    for (place, day) in days.iter().enumerate() {
        let left = EDGE + place as u64 * DAY;
        let middle = left + DAY / 2;
        if !day.mark.is_empty() {
            element(
                &mut svg,
                format_args!("<line class=\"goal\" x1=\"{middle}\" y1=\"20\" x2=\"{middle}\" y2=\"{bottom}\"/>"),
            );
            // A mark near the right edge is written towards the left.
            let anchor = if place * 2 > days.len() { "end" } else { "start" };
            let mark = escaped(&day.mark);
            element(
                &mut svg,
                format_args!("<text class=\"mark\" x=\"{middle}\" y=\"14\" text-anchor=\"{anchor}\">{mark}</text>"),
            );
        }
        // Room for the number above the highest column.
        let high = part(day.count, largest, COLUMNS - 20);
        let (x, top) = (left + 8, bottom - high);
        let wide = DAY - 16;
        element(
            &mut svg,
            format_args!("<rect class=\"bar\" x=\"{x}\" y=\"{top}\" width=\"{wide}\" height=\"{high}\"/>"),
        );
        if day.count > 0 {
            let above = top - 5;
            element(
                &mut svg,
                format_args!(
                    "<text class=\"value\" x=\"{middle}\" y=\"{above}\" text-anchor=\"middle\">{}</text>",
                    day.count
                ),
            );
        }
        let below = bottom + 17;
        element(
            &mut svg,
            format_args!(
                "<text class=\"day\" x=\"{middle}\" y=\"{below}\" text-anchor=\"middle\">{}</text>",
                escaped(&day.label)
            ),
        );
        line.push_str(&format!("{middle},{} ", bottom - part(day.sum, whole, COLUMNS - 20)));
    }
    element(&mut svg, format_args!("<polyline class=\"sum\" points=\"{}\"/>", line.trim_end()));
    let right = width - EDGE;
    element(
        &mut svg,
        format_args!("<line class=\"floor\" x1=\"{EDGE}\" y1=\"{bottom}\" x2=\"{right}\" y2=\"{bottom}\"/>"),
    );
    svg.push_str("</svg>");
    svg
}

/// A length on the page is no measurement: whole units of the drawing are finer than print, and no float is needed.
fn along(percent: &Exact, track: u32) -> u32 {
    let scaled = percent * &Exact::from(u64::from(track));
    let hundredths = scaled.checked_div(&Exact::from(100_u64)).unwrap_or_else(Exact::zero);
    let whole = hundredths.numerator() / hundredths.denominator();
    whole.to_u32().unwrap_or(0).min(track)
}

fn element(svg: &mut String, piece: std::fmt::Arguments<'_>) {
    svg.write_fmt(piece).expect("writing to a string cannot fail");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use parsurvey_index::exact::Why;

    #[test]
    fn a_column_is_as_high_as_its_part_of_the_highest() {
        let day = |label: &str, count, sum, mark: &str| DayBar { label: label.into(), count, sum, mark: mark.into() };
        let svg = days("T", &[day("18/12", 5, 5, "Thư <mời>"), day("19/12", 10, 15, ""), day("20/12", 0, 15, "")], 30);
        for piece in ["height=\"75\"", "height=\"150\"", "Thư &lt;mời&gt;", "points=\"36,179 88,129 140,129\""] {
            assert!(svg.contains(piece), "{piece} in {svg}");
        }
        assert_eq!(svg.matches("class=\"value\"").count(), 2, "a day without forms bears no number");
        assert!(days("T", &[], 0).ends_with("</svg>"));
    }

    #[test]
    fn a_bar_is_as_long_as_its_percent_and_a_missing_one_says_why() {
        let half: Exact = "50".parse().expect("a value");
        let rows = [
            Bar { label: "a < b".into(), percent: half.clone().into() },
            Bar { label: "c".into(), percent: Quantity::Without(Why::NotDeterminable) },
        ];
        let svg = bars("T", &rows, Some(&half), Lang::Vi);
        for piece in ["a &lt; b", "width=\"285\"", "50,00%", "không xác định được", "class=\"goal\" x1=\"285\""]
        {
            assert!(svg.contains(piece), "{piece} in {svg}");
        }
    }
}
