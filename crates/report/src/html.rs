//! The HTML report: one file that opens from disk, asks nothing of the network and prints on A4.
//!
//! The page is a list of sections of tables and charts; the template knows nothing of surveys. There is no script.

use askama::Template;

use crate::chart::{Bar, bars};
use crate::lang::{Lang, text};
use crate::results::{Results, TargetResults};
use crate::table::{Align, Cell, Row, RowKind, Table};
use crate::{ReportError, number, tables};

/// The report of all targets.
///
/// # Errors
/// [`ReportError::Html`] when the template fails.
pub fn html(results: &Results, lang: Lang) -> Result<String, ReportError> {
    Ok(Page::new(results, lang).render()?)
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    lang: &'static str,
    organiser: String,
    title: String,
    subtitle: String,
    made: String,
    synthetic: Option<String>,
    unreleased: Option<String>,
    /// What stands on top of every printed page; safe inside a CSS string.
    print_mark: String,
    lead: Vec<Lead>,
    sections: Vec<Section>,
}

/// A figure in large type at the top.
struct Lead {
    name: String,
    value: String,
    beside: String,
}

struct Section {
    title: String,
    blocks: Vec<Block>,
}

enum Block {
    Paragraph(String),
    Chart(String),
    Table(HtmlTable),
}

struct HtmlTable {
    caption: String,
    /// The section's heading already says what the table is: the caption stays for screen readers alone.
    quiet: bool,
    class: &'static str,
    heads: Vec<(&'static str, String)>,
    rows: Vec<(String, Vec<HtmlCell>)>,
    notes: Vec<String>,
}

struct HtmlCell {
    class: String,
    text: String,
}

impl Page {
    fn new(results: &Results, lang: Lang) -> Self {
        let word = |vi: &str, en: &str| lang.of(&text(vi, en)).to_owned();
        let synthetic = results.synthetic.then(|| {
            word(
                "SỐ LIỆU GIẢ ĐỊNH – số liệu đầu vào là số liệu mẫu, không phải kết quả khảo sát thật",
                "SYNTHETIC SAMPLE – made from sample inputs, not from a real survey",
            )
        });
        let unreleased = (!results.released).then(|| word("CHƯA CÔNG BỐ", "NOT RELEASED"));
        let marks: Vec<String> = results.marks().iter().map(|mark| lang.of(mark).to_owned()).collect();
        Self {
            lang: lang.tag(),
            organiser: lang.of(&results.organiser).to_owned(),
            title: match lang {
                Lang::Vi => format!("Kết quả Chỉ số cải cách hành chính năm {}", results.year),
                Lang::En => format!("Public administration reform index, {}", results.year),
            },
            subtitle: lang.of(&results.title).to_owned(),
            made: format!("{} {}", word("Lập lúc", "Made"), number::moment(&results.generated_at, lang)),
            synthetic,
            unreleased,
            print_mark: marks.join(" · "),
            lead: lead(results, lang),
            sections: sections(results, lang),
        }
    }
}

fn lead(results: &Results, lang: Lang) -> Vec<Lead> {
    let mut out = Vec::new();
    for target in results.indexed() {
        let Some(index) = &target.index else { continue };
        let total = &index.total;
        out.push(Lead {
            name: format!("{} – {}", lang.of(&text("Chỉ số CCHC", "PAR INDEX")), lang.of(&target.name)),
            value: number::quantity(&total.points, number::PLACES, lang),
            beside: format!("/{}", number::declared(&total.maximum, lang)),
        });
        out.push(Lead {
            name: lang.of(&text("Điểm điều tra xã hội học", "Survey points")).to_owned(),
            value: number::quantity(&target.score.survey_points, number::PLACES, lang),
            beside: format!(
                "/{} ({}%)",
                number::declared(&target.score.survey_maximum, lang),
                number::quantity(&target.survey_percent(), number::PLACES, lang)
            ),
        });
    }
    if let Some(status) = &results.status {
        let counted = status.headline.counted;
        out.push(Lead {
            name: lang.of(&text("Phiếu hoàn thành", "Forms completed")).to_owned(),
            value: number::count(counted.completed, lang),
            beside: format!(
                "/{} ({}%)",
                number::count(counted.forms, lang),
                number::quantity(&number::share(counted.completed, counted.forms), number::PLACES, lang)
            ),
        });
    }
    out
}

fn sections(results: &Results, lang: Lang) -> Vec<Section> {
    let mut list: Vec<(String, Vec<Block>)> = Vec::new();
    let word = |vi: &str, en: &str| lang.of(&text(vi, en)).to_owned();
    let shown = |table: Table| Block::Table(html_table(&table, lang));
    let several = results.indexed().count() > 1;
    for target in results.indexed() {
        let of = if several { format!(" – {}", lang.of(&target.name)) } else { String::new() };
        list.push((word("Kết quả chung", "Headline") + &of, vec![shown(tables::headline_table(results, target))]));
    }
    let response = match &results.status {
        Some(status) => vec![
            shown(tables::completion_table(&status.headline)),
            shown(tables::response_table(status, &results.groups)),
        ],
        None => vec![Block::Paragraph(word(
            "Báo cáo này được lập từ tệp câu trả lời, không có số liệu về tình trạng phiếu.",
            "This report was made from a file of answers; it knows nothing of the response status.",
        ))],
    };
    list.push((word("Tình trạng trả lời phiếu", "Response"), response));
    for target in results.indexed() {
        let of = if several { format!(" – {}", lang.of(&target.name)) } else { String::new() };
        list.extend(target_sections(results, target, lang).into_iter().map(|(title, blocks)| (title + &of, blocks)));
    }
    if results.others().next().is_some() {
        let table = shown(tables::other_targets_table(results));
        list.push((word("Đối tượng được đánh giá khác", "Other targets"), vec![table]));
    }
    let mut policy = vec![shown(tables::weight_table(results))];
    if !results.alternatives.is_empty() {
        policy.push(shown(tables::alternatives_table(results)));
    }
    policy.push(Block::Paragraph(lang.of(&method()).to_owned()));
    list.push((word("Phương pháp tính điểm", "Policy"), policy));
    list.push((word("Dữ liệu đầu vào", "Inputs"), vec![shown(tables::input_table(results))]));
    let numbered = list.into_iter().enumerate();
    numbered.map(|(place, (title, blocks))| Section { title: format!("{}. {title}", place + 1), blocks }).collect()
}

fn target_sections(results: &Results, target: &TargetResults, lang: Lang) -> Vec<(String, Vec<Block>)> {
    let word = |vi: &str, en: &str| lang.of(&text(vi, en)).to_owned();
    let shown = |table: Table| Block::Table(html_table(&table, lang));
    let groups = word("Kết quả theo nhóm đối tượng", "Results by respondent group");
    let group_bars: Vec<Bar> = target
        .score
        .groups
        .iter()
        .map(|group| Bar {
            label: lang.of(&results.group_name(&group.code)).to_owned(),
            percent: group.percent.clone(),
        })
        .collect();
    let areas = word("Kết quả theo lĩnh vực", "Results by area");
    let area_bars = target.index.iter().flat_map(|index| &index.areas).map(|area| {
        let name = area.code.as_ref().and_then(|code| results.area(code));
        let label = name.map_or_else(String::new, |area| format!("{}. {}", area.code, lang.of(&area.name)));
        Bar { label, percent: area.percent.clone() }
    });
    let area_bars: Vec<Bar> = area_bars.collect();
    let mut out = vec![
        (
            groups.clone(),
            vec![shown(tables::group_table(results, target)), Block::Chart(bars(&groups, &group_bars, None, lang))],
        ),
        (
            areas.clone(),
            vec![shown(tables::area_table(results, target)), Block::Chart(bars(&areas, &area_bars, None, lang))],
        ),
        (
            word("Kết quả theo tiêu chí thành phần", "Results by sub-criterion"),
            vec![shown(tables::sub_criteria_table(results, target))],
        ),
    ];
    if results.tree.goal.is_some() {
        let table = tables::below_goal_table(results, target);
        let block = if table.rows.is_empty() {
            Block::Paragraph(word(
                "Tất cả các tiêu chí thành phần đều đạt chỉ tiêu.",
                "Every sub-criterion meets the goal.",
            ))
        } else {
            shown(table)
        };
        out.push((word("Tiêu chí thành phần chưa đạt chỉ tiêu", "Sub-criteria that miss the goal"), vec![block]));
    }
    out
}

/// How points are made, in one paragraph; the workbook prints the same.
pub(crate) fn method() -> parsurvey_index::tree::Text {
    text(
        "Mỗi phương án trả lời ứng với một tỷ lệ phần trăm của điểm tối đa. Điểm của nhóm ở một câu hỏi là trung bình tỷ lệ của các câu trả lời \
         thực chất; “không có ý kiến”, bỏ trống và không hỏi được đếm riêng và không tính vào trung bình. Điểm tiêu chí thành phần = điểm tối đa × \
         trung bình có trọng số của các nhóm được hỏi. Mọi phép tính dùng phân số chính xác; chỉ làm tròn khi in (0,5 làm tròn ra xa số 0), \
         giá trị chưa làm tròn ghi bên cạnh. Số liệu các năm trước giữ nguyên như đã công bố.",
        "Each option carries a percent of the maximum. A group's result for a question is the mean percent of its substantive answers; \"no opinion\", \
         blank and not asked are counted apart and enter no mean. Points of a sub-criterion = maximum × weighted mean over the groups asked. \
         Everything is reckoned in exact fractions and rounded only in print (half away from zero), with the unrounded value beside it. \
         Figures of earlier years stand as they were published.",
    )
}

fn html_table(table: &Table, lang: Lang) -> HtmlTable {
    HtmlTable {
        caption: lang.of(&table.title).to_owned(),
        quiet: !matches!(table.key, "below_goal" | "policy" | "alternatives" | "completion" | "response"),
        class: table.key,
        heads: table
            .columns
            .iter()
            .filter(|column| !column.technical)
            .map(|column| (align(column.align), lang.of(&column.label).to_owned()))
            .collect(),
        rows: table.rows.iter().map(|row| (row_class(row), html_cells(table, row, lang))).collect(),
        notes: table.notes.iter().map(|note| lang.of(note).to_owned()).collect(),
    }
}

fn html_cells(table: &Table, row: &Row, lang: Lang) -> Vec<HtmlCell> {
    let cells = table.columns.iter().zip(&row.cells).filter(|(column, _)| !column.technical);
    cells
        .map(|(column, cell)| {
            let mut class = align(column.align).to_owned();
            if matches!(cell, Cell::Unrounded(_)) {
                class.push_str(" exact");
            }
            let text = if row.is_total_key(column) { String::new() } else { cell.shown(lang) };
            HtmlCell { class, text }
        })
        .collect()
}

fn align(align: Align) -> &'static str {
    match align {
        Align::Left => "l",
        Align::Right => "r",
        Align::Center => "c",
    }
}

fn row_class(row: &Row) -> String {
    let kind = match row.kind {
        RowKind::Body => "",
        RowKind::Heading => "heading",
        RowKind::Total => "total",
    };
    if row.marked { format!("{kind} marked").trim().to_owned() } else { kind.to_owned() }
}
