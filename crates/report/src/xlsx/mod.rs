//! The XLSX workbook: the report's tables as sheets to reckon with.
//!
//! A spreadsheet has only binary floats, so each cell holds the nearest one and the exact fraction stands beside it as text.
//! The moment of creation is the results' own, so the same results give the same bytes. There are no charts and no macros.

mod sheet;

use jiff::Timestamp;
use parsurvey_index::tree::Text;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};

use crate::lang::{Lang, text};
use crate::results::Results;
use crate::table::Table;
use crate::{ReportError, html, number, tables};

/// One sheet: its name, its tables one below the other, and paragraphs after them.
pub(crate) struct Sheet {
    name: Text,
    tables: Vec<Table>,
    paragraphs: Vec<Text>,
}

/// What stands on top of every sheet.
pub(crate) struct Head {
    title: String,
    mark: String,
}

/// The workbook's bytes.
///
/// # Errors
/// [`ReportError::Moment`] when `generated_at` is not RFC 3339; [`ReportError::Xlsx`] when the writer fails.
pub fn xlsx(results: &Results, lang: Lang) -> Result<Vec<u8>, ReportError> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties(results, lang)?);
    let head = head(results, lang);
    for sheet in sheets(results) {
        sheet::write(workbook.add_worksheet(), &sheet, &head, lang)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn properties(results: &Results, lang: Lang) -> Result<DocProperties, ReportError> {
    let refuse = || ReportError::Moment(results.generated_at.clone());
    let moment: Timestamp = results.generated_at.parse().map_err(|_| refuse())?;
    let utc = moment.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let created = ExcelDateTime::parse_from_str(&utc)?;
    Ok(DocProperties::new()
        .set_title(lang.of(&results.title))
        .set_author(lang.of(&results.organiser))
        .set_creation_datetime(&created))
}

fn head(results: &Results, lang: Lang) -> Head {
    let marks: Vec<String> = results.marks().iter().map(|mark| lang.of(mark).to_owned()).collect();
    Head {
        title: format!("{} · {}", lang.of(&results.title), number::moment(&results.generated_at, lang)),
        mark: marks.join(" · "),
    }
}

fn sheets(results: &Results) -> Vec<Sheet> {
    let sheet = |vi: &str, en: &str, tables: Vec<Table>| Sheet { name: text(vi, en), tables, paragraphs: Vec::new() };
    let each = |make: fn(&Results, &crate::results::TargetResults) -> Table| -> Vec<Table> {
        results.indexed().map(|target| make(results, target)).collect()
    };
    let mut summary = each(tables::headline_table);
    let mut response = Vec::new();
    if let Some(status) = &results.status {
        summary.push(tables::completion_table(&status.headline));
        response.push(tables::response_table(status, &results.groups));
    }
    let mut policy = vec![tables::weight_table(results)];
    if !results.alternatives.is_empty() {
        policy.push(tables::alternatives_table(results));
    }
    let mut sheets = vec![
        sheet("Tổng hợp", "Summary", summary),
        sheet("Nhóm", "Groups", each(tables::group_table)),
        sheet("Lĩnh vực", "Areas", each(tables::area_table)),
        sheet("Tiêu chí thành phần", "Sub-criteria", each(tables::sub_criteria_table)),
    ];
    if results.tree.goal.is_some() {
        sheets.push(sheet("Chưa đạt chỉ tiêu", "Goal missed", each(tables::below_goal_table)));
    }
    sheets.extend([
        sheet("Phiếu", "Responses", response),
        sheet("Đối tượng khác", "Other targets", vec![tables::other_targets_table(results)]),
        Sheet { paragraphs: vec![html::method()], ..sheet("Phương pháp", "Policy", policy) },
        sheet("Đầu vào", "Inputs", vec![tables::input_table(results)]),
    ]);
    sheets
}
