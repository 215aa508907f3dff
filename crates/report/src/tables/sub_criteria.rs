//! The sub-criteria of one target with the years before: the longest table of the report.
//!
//! Earlier years are printed figures and stay as printed; a change is the exact value now minus the printed value then,
//! in points where the maximum is the same and in percentage points where it is not.

use parsurvey_index::code::AreaCode;
use parsurvey_index::exact::{Quantity, Why};
use parsurvey_index::history::{self, Change};
use parsurvey_index::score::SubCriterionScore;

use super::{code, percent_column, plain, total_label};
use crate::lang::text;
use crate::results::{Results, TargetResults, change};
use crate::table::{Cell, Column, Live, Row, RowKind, Style, Table};

/// How many years before the rated one are shown.
const YEARS_BACK: i16 = 3;

/// Sub-criteria under their areas: three earlier years, this year, change, percent, and the mark of those that miss the goal.
#[must_use]
pub fn sub_criteria_table(results: &Results, target: &TargetResults) -> Table {
    let year = results.year;
    let years: Vec<i16> = (year - YEARS_BACK..year).collect();
    let score = &target.score;
    let mut table = Table::new(
        "sub_criteria",
        text(
            format!("Kết quả {} tiêu chí thành phần điều tra xã hội học", score.sub_criteria.len()),
            format!("The {} sub-criteria scored by the survey", score.sub_criteria.len()),
        ),
        columns(results, &years),
    );
    let mut area: Option<&AreaCode> = None;
    for leaf in &score.sub_criteria {
        if area != Some(&leaf.area) {
            area = Some(&leaf.area);
            table.rows.extend(heading(results, target, &leaf.area, years.len()));
        }
        table.push_row(leaf_row(results, target, leaf, &years));
    }
    if !score.sub_criteria.is_empty() {
        table.push_total(total_cells(target, &years, year));
    }
    if results.tree.goal.is_some() {
        table.notes.push(text(
            "Đạt hay chưa đạt chỉ tiêu xét theo giá trị chính xác, không theo số đã làm tròn.",
            "Whether the goal is met is decided on the exact value, not on the rounded one.",
        ));
    }
    for leaf in &score.sub_criteria {
        if !leaf.renormalised_without.is_empty() {
            let groups: Vec<_> = leaf.renormalised_without.iter().map(|group| results.group_name(group)).collect();
            let vi: Vec<&str> = groups.iter().map(|group| group.vi.as_str()).collect();
            let en: Vec<&str> = groups.iter().map(|group| group.en.as_str()).collect();
            table.notes.push(text(
                format!(
                    "{}: không có câu trả lời thực chất của {}; trọng số được chuẩn hóa lại.",
                    leaf.code,
                    vi.join(", ")
                ),
                format!("{}: no substantive answer from {}; the weights were renormalised.", leaf.code, en.join(", ")),
            ));
        }
    }
    table
}

fn columns(results: &Results, years: &[i16]) -> Vec<Column> {
    let year = results.year;
    let mut columns = vec![
        Column::left("sub_criterion", text("Mã", "Code")),
        Column::left("name", text("Tiêu chí thành phần", "Sub-criterion")),
    ];
    for past in years {
        columns.push(
            Column::right(format!("points_{past}"), text(format!("Năm {past}"), past.to_string()))
                .with_maximum(format!("maximum_{past}")),
        );
    }
    columns.push(
        Column::right(format!("points_{year}"), text(format!("Năm {year}"), year.to_string()))
            .with_maximum(format!("maximum_{year}"))
            .live(Live::Sum),
    );
    columns.push(Column::right("change", text(format!("So với {}", year - 1), format!("vs {}", year - 1))));
    columns.push(percent_column());
    columns.push(Column::right("exact", text("Điểm chưa làm tròn", "Unrounded points")));
    let goal = results.tree.goal.as_ref();
    let label = goal.map_or_else(
        || text("Chỉ tiêu", "Goal"),
        |goal| {
            let percent = goal.percent.decimal();
            text(format!("Trên {}%", percent.replace('.', ",")), format!("Above {percent}%"))
        },
    );
    columns.push(Column::center("below_goal", label));
    columns
}

fn leaf_row(results: &Results, target: &TargetResults, leaf: &SubCriterionScore, years: &[i16]) -> Row {
    let name = results.sub_criterion(&leaf.code).map(|known| known.name.clone());
    let mut cells = vec![code(&leaf.code), name.map_or(Cell::Blank, Cell::Name)];
    cells.extend(years.iter().map(|year| past_cell(target, leaf, *year)));
    cells.push(Cell::Points { points: leaf.points.clone(), maximum: leaf.maximum.clone(), brief: true });
    cells.push(change_since(target, leaf, results.year - 1));
    cells.push(plain(&leaf.percent));
    cells.push(Cell::Unrounded(leaf.points.clone()));
    let below = results.misses_goal(&leaf.percent);
    cells.push(Cell::Flag(below, text("chưa đạt", "missed")));
    Row { kind: RowKind::Body, marked: below, cells }
}

/// A year's printed points; with its maximum in sight where that differs from this year's.
fn past_cell(target: &TargetResults, leaf: &SubCriterionScore, year: i16) -> Cell {
    match target.history.rows.get(&leaf.code).and_then(|years| years.get(&year)) {
        Some(past) => Cell::Points {
            points: past.points.clone().into(),
            maximum: past.maximum.clone(),
            brief: past.maximum == leaf.maximum,
        },
        None => Cell::Number(Quantity::Without(Why::Absent), Style::Plain),
    }
}

fn change_since(target: &TargetResults, leaf: &SubCriterionScore, year: i16) -> Cell {
    let earlier = target.history.rows.get(&leaf.code).and_then(|years| years.get(&year));
    match history::change(leaf, earlier) {
        Change::Points(points) => Cell::Number(points.into(), Style::Signed),
        Change::PercentPoints(percent) => Cell::Number(percent.into(), Style::PercentPoints),
        Change::Without(why) => Cell::Number(Quantity::Without(why), Style::Signed),
    }
}

fn heading(results: &Results, target: &TargetResults, area: &AreaCode, years: usize) -> Option<Row> {
    let score = target.score.areas.iter().find(|score| score.code == *area)?;
    let name = results.area(area).map_or_else(total_label, |area| area.name.clone());
    let mut cells = vec![code(area), Cell::Name(name)];
    cells.extend(std::iter::repeat_n(Cell::Blank, years));
    cells.push(Cell::Points { points: score.points.clone(), maximum: score.maximum.clone(), brief: false });
    cells.push(Cell::Blank);
    cells.push(plain(&score.percent));
    cells.push(Cell::Unrounded(score.points.clone()));
    cells.push(Cell::Blank);
    Some(Row { kind: RowKind::Heading, marked: false, cells })
}

/// The total of an earlier year is the printed one, not the sum of its printed rows: the two can differ.
fn total_cells(target: &TargetResults, years: &[i16], year: i16) -> Vec<Cell> {
    let score = &target.score;
    let mut cells = vec![code("total"), Cell::Name(total_label())];
    cells.extend(years.iter().map(|past| plain(&target.past("survey_points", *past))));
    cells.push(Cell::Points {
        points: score.survey_points.clone(),
        maximum: score.survey_maximum.clone(),
        brief: false,
    });
    let before = target.past("survey_points", year - 1);
    cells.push(Cell::Number(change(&score.survey_points, &before), Style::Signed));
    cells.push(plain(&target.survey_percent()));
    cells.push(Cell::Unrounded(score.survey_points.clone()));
    cells.push(Cell::Blank);
    cells
}
