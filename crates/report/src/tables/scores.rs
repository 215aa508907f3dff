//! The headline figures, the group table and the area table of one target.
//!
//! Official ranks are shown as they were published; no rank is computed here, as one province has nobody to be ranked against.

use parsurvey_index::exact::{Exact, Quantity, Why};
use parsurvey_index::score::AreaIndex;
use parsurvey_index::tree::Text;

use super::{code, percent_column, plain, total_label, unrounded_column};
use crate::lang::text;
use crate::number;
use crate::results::{Results, TargetResults, change};
use crate::table::{Cell, Column, Live, Row, RowKind, Style, Table};

/// The headline: appraisal, survey, SIPAS and index, with last year's printed figures and the change.
///
/// Last year's figures are looked up in the history under `appraisal_points`, `appraisal_percent`, `survey_points`,
/// `survey_percent`, `sipas_points`, `survey_and_sipas_points` and `index`; `index_rank` with `index_rank_of`, and `national_mean_percent`,
/// are printed where this year's were imported.
#[must_use]
pub fn headline_table(results: &Results, target: &TargetResults) -> Table {
    let last = results.year - 1;
    let year = results.year;
    let mut table = Table::new(
        "headline",
        text(format!("Kết quả chung năm {year}"), format!("Headline figures, {year}")),
        vec![
            Column::left("figure", text("Chỉ tiêu", "Figure")),
            Column::right(format!("value_{year}"), text(format!("Năm {year}"), year.to_string())),
            Column::right("maximum", text("Điểm tối đa", "Maximum")),
            Column::right(format!("value_{last}"), text(format!("Năm {last}"), last.to_string())),
            Column::right("change", text("Tăng/giảm", "Change")),
            unrounded_column(),
        ],
    );
    for figure in figures(target) {
        let before = target.past(figure.past, last);
        let kind = if figure.past == "index" { RowKind::Total } else { RowKind::Body };
        table.push_row(Row { kind, marked: false, cells: figure.cells(&before) });
    }
    published(&mut table, results, target);
    table
}

/// Figures that others published and that nothing here can compute.
fn published(table: &mut Table, results: &Results, target: &TargetResults) {
    let (year, last) = (results.year, results.year - 1);
    let declared = |figure: &str, year| Cell::Number(target.past(figure, year), Style::Declared);
    if let (Quantity::Value(_), Quantity::Value(of)) =
        (target.past("index_rank", year), target.past("index_rank_of", year))
    {
        let name =
            text(format!("Xếp hạng công bố (trên {})", of.decimal()), format!("Official rank (of {})", of.decimal()));
        let rank = |year| declared("index_rank", year);
        table.push(vec![Cell::Name(name), rank(year), Cell::Blank, rank(last), Cell::Blank, Cell::Blank]);
    }
    if let mean @ Quantity::Value(_) = target.past("national_mean_percent", year) {
        let name = text("Trung bình cả nước, theo công bố (%)", "National mean as published (%)");
        let before = plain(&target.past("national_mean_percent", last));
        table.push(vec![Cell::Name(name), plain(&mean), Cell::Blank, before, Cell::Blank, Cell::Blank]);
    }
}

/// One figure of the headline.
struct Figure {
    name: Text,
    now: Quantity,
    /// `None` for a percent.
    maximum: Option<Exact>,
    /// Its name in the history.
    past: &'static str,
}

impl Figure {
    fn points(vi: &str, en: &str, now: &Quantity, maximum: &Exact, past: &'static str) -> Self {
        Self { name: text(vi, en), now: now.clone(), maximum: Some(maximum.clone()), past }
    }

    fn percent(vi: &str, en: &str, now: Quantity, past: &'static str) -> Self {
        Self { name: text(vi, en), now, maximum: None, past }
    }

    fn cells(self, before: &Quantity) -> Vec<Cell> {
        let maximum = self.maximum.map_or(Cell::Blank, |maximum| Cell::Number(maximum.into(), Style::Declared));
        vec![
            Cell::Name(self.name),
            plain(&self.now),
            maximum,
            plain(before),
            Cell::Number(change(&self.now, before), Style::Signed),
            Cell::Unrounded(self.now),
        ]
    }
}

fn figures(target: &TargetResults) -> Vec<Figure> {
    let score = &target.score;
    let (points, maximum) = (&score.survey_points, &score.survey_maximum);
    let survey = Figure::points("Điểm điều tra xã hội học", "Survey points", points, maximum, "survey_points");
    let percent = target.survey_percent();
    let survey_percent =
        Figure::percent("Điểm điều tra xã hội học (%)", "Survey points (%)", percent, "survey_percent");
    let Some(index) = &target.index else { return vec![survey, survey_percent] };
    let AreaIndex { appraisal, appraisal_maximum, sipas, sipas_maximum, .. } = &index.total;
    let both = Quantity::sum([points, sipas]);
    let appraisal_percent = number::percent_of(appraisal, appraisal_maximum);
    vec![
        Figure::points("Điểm thẩm định", "Appraisal points", appraisal, appraisal_maximum, "appraisal_points"),
        Figure::percent("Điểm thẩm định (%)", "Appraisal points (%)", appraisal_percent, "appraisal_percent"),
        survey,
        survey_percent,
        Figure::points("Điểm SIPAS", "SIPAS points", sipas, sipas_maximum, "sipas_points"),
        Figure::points(
            "Điểm điều tra xã hội học và SIPAS",
            "Survey and SIPAS points together",
            &both,
            &(maximum + sipas_maximum),
            "survey_and_sipas_points",
        ),
        Figure::points(
            "Chỉ số cải cách hành chính (PAR INDEX)",
            "Public administration reform index (PAR INDEX)",
            &index.total.points,
            &index.total.maximum,
            "index",
        ),
    ]
}

/// What each group gave, with the official rank where one was published.
#[must_use]
pub fn group_table(results: &Results, target: &TargetResults) -> Table {
    let mut table = Table::new(
        "groups",
        text("Kết quả đánh giá theo nhóm đối tượng", "Results by respondent group"),
        vec![
            Column::key("group", text("Mã nhóm", "Code")),
            Column::left("name", text("Nhóm đối tượng", "Respondent group")),
            Column::right("frame", text("Danh sách", "Frame")).live(Live::Sum),
            Column::right("ballots", text("Số phiếu", "Ballots")).live(Live::Sum),
            percent_column(),
            unrounded_column(),
            Column::right("rank", text("Xếp hạng công bố/\u{200b}tổng số", "Official rank/\u{200b}of"))
                .with_maximum("rank_of"),
        ],
    );
    let groups = &target.score.groups;
    for group in groups {
        let rank = results.official_ranks.get(&(target.code.clone(), group.code.clone()));
        let mut name = results.group_name(&group.code);
        if !group.feeds {
            name = text(format!("{} (không tính điểm)", name.vi), format!("{} (does not feed the points)", name.en));
        }
        table.push(vec![
            code(&group.code),
            Cell::Name(name),
            Cell::Count(group.frame),
            Cell::Count(Some(group.ballots)),
            plain(&group.percent),
            Cell::Unrounded(group.percent.clone()),
            Cell::Share(rank.map(|(rank, of)| (u64::from(*rank), u64::from(*of)))),
        ]);
    }
    let percent = target.survey_percent();
    table.push_total(vec![
        code("total"),
        Cell::Name(text("Chung theo phương pháp tính điểm", "All groups under the policy")),
        Cell::Count(groups.iter().map(|group| group.frame).sum()),
        Cell::Count(Some(groups.iter().map(|group| group.ballots).sum())),
        plain(&percent),
        Cell::Unrounded(percent),
        Cell::Blank,
    ]);
    table
}

/// The areas and their total, in the form of the official table: points over maximum by source.
/// Empty for a target without an index.
#[must_use]
pub fn area_table(results: &Results, target: &TargetResults) -> Table {
    let mut table = Table::new(
        "areas",
        text(
            format!("Kết quả Chỉ số theo {} lĩnh vực", results.tree.areas.len()),
            format!("Index by area ({} areas)", results.tree.areas.len()),
        ),
        vec![
            Column::left("area", text("TT", "No.")),
            Column::left("name", text("Lĩnh vực", "Area")),
            part("appraisal", "Điểm thẩm định/\u{200b}tối đa", "Appraisal/\u{200b}maximum"),
            part("survey", "Điểm ĐTXHH/\u{200b}tối đa", "Survey/\u{200b}maximum"),
            part("sipas", "Điểm SIPAS/\u{200b}tối đa", "SIPAS/\u{200b}maximum"),
            Column::right("points", text("Tổng điểm/\u{200b}tối đa", "Points/\u{200b}maximum"))
                .with_maximum("points_maximum")
                .live(Live::RowSum(&["appraisal", "survey", "sipas"])),
            percent_column().live(Live::PercentOf("points", "points_maximum")),
            unrounded_column(),
        ],
    );
    let Some(index) = &target.index else { return table };
    for area in &index.areas {
        table.push(area_cells(area, area_name(results, area)));
    }
    table.push_total(area_cells(&index.total, text("CHỈ SỐ CCHC", "PAR INDEX")));
    table
}

fn part(key: &str, vi: &str, en: &str) -> Column {
    Column::right(key, text(vi, en)).with_maximum(format!("{key}_maximum")).live(Live::Sum)
}

fn area_name(results: &Results, area: &AreaIndex) -> Text {
    let known = area.code.as_ref().and_then(|code| results.area(code));
    known.map_or_else(total_label, |area| area.name.clone())
}

fn area_cells(area: &AreaIndex, name: Text) -> Vec<Cell> {
    let points = |points: &Quantity, maximum: &Exact| {
        // A part that the area does not have is the official table's plain dash, with no maximum of zero beside it.
        if maximum.is_zero() {
            Cell::Points { points: Quantity::Without(Why::Absent), maximum: maximum.clone(), brief: true }
        } else {
            Cell::Points { points: points.clone(), maximum: maximum.clone(), brief: false }
        }
    };
    vec![
        area.code.as_ref().map_or_else(|| code("total"), code),
        Cell::Name(name),
        points(&area.appraisal, &area.appraisal_maximum),
        points(&area.survey, &area.survey_maximum),
        points(&area.sipas, &area.sipas_maximum),
        points(&area.points, &area.maximum),
        plain(&area.percent),
        Cell::Unrounded(area.percent.clone()),
    ]
}
