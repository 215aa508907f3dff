//! The tables of chasing: where each unit and group stands, and who was told what and when. Counts of forms only.

use parsurvey_index::tree::Text;
use parsurvey_survey::chase::{Chase, ChaseCounts, ChaseRow};

use super::{code, total_label};
use crate::lang::text;
use crate::number;
use crate::table::{Cell, Column, Live, Table};

const COUNTS: [(&str, &str, &str); 7] = [
    ("listed", "Số phiếu", "Listed"),
    ("not_delivered", "Thư chưa đến", "Not delivered"),
    ("silent", "Chưa phản hồi", "Silent"),
    ("started", "Đã bắt đầu hoặc liên hệ", "Begun or in touch"),
    ("excused", "Được miễn", "Excused"),
    ("completed", "Đã gửi", "Submitted"),
    ("outstanding", "Còn phải gửi", "Outstanding"),
];

/// The counts in the order of the columns.
#[must_use]
pub fn chase_counts(counts: &ChaseCounts) -> [u64; 7] {
    [
        counts.listed,
        counts.not_delivered,
        counts.silent,
        counts.started,
        counts.excused,
        counts.completed,
        counts.outstanding,
    ]
}

/// Units of the chase with their sum; `names` are looked up by the rows' keys.
#[must_use]
pub fn chase_table(chase: &Chase, names: &[(String, Text)]) -> Table {
    let title = |lang, vi: &str| format!("{vi} {}", number::moment(&chase.as_of, lang));
    let title = text(
        title(crate::Lang::Vi, "Tình hình trả lời phiếu theo đơn vị đến"),
        title(crate::Lang::En, "Where each unit stands as of"),
    );
    let mut table = Table::new("units", title, columns("unit", text("Đơn vị", "Unit")));
    fill(&mut table, &chase.units, names);
    table.push_total(cells("total", total_label(), &chase.total));
    table.notes.push(text(
        "Chỉ có số phiếu, không có tên người và không có câu trả lời. “Đã bắt đầu hoặc liên hệ” gồm cả người đã mở phiếu và người đã liên hệ, chưa gửi.",
        "Numbers of forms only, no person and no answer. “Begun or in touch” are people who opened the form or wrote back, and have not submitted.",
    ));
    table
}

/// Groups of the chase.
#[must_use]
pub fn chase_group_table(chase: &Chase, names: &[(String, Text)]) -> Table {
    let title = text("Tình hình trả lời phiếu theo nhóm đối tượng", "Where each respondent group stands");
    let mut table = Table::new("groups", title, columns("group", text("Nhóm đối tượng", "Respondent group")));
    fill(&mut table, &chase.groups, names);
    table
}

fn columns(key: &'static str, name: Text) -> Vec<Column> {
    let mut columns = vec![Column::key(key, text("Mã", "Code")), Column::left("name", name)];
    columns.extend(COUNTS.map(|(key, vi, en)| Column::right(key, text(vi, en)).live(Live::Sum)));
    columns
}

fn fill(table: &mut Table, rows: &[ChaseRow], names: &[(String, Text)]) {
    for row in rows {
        let name = names.iter().find(|(key, _)| *key == row.key).map(|(_, name)| name.clone());
        table.push(cells(&row.key, name.unwrap_or_else(|| text(&row.key, &row.key)), &row.counts));
    }
}

fn cells(key: &str, name: Text, counts: &ChaseCounts) -> Vec<Cell> {
    let mut cells = vec![code(key), Cell::Name(name)];
    cells.extend(chase_counts(counts).map(|count| Cell::Count(Some(count))));
    cells
}

/// One letter that was made or sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldRow {
    /// The day of the counts, `YYYY-MM-DD`.
    pub day: String,
    /// The unit's code; empty for the digest.
    pub unit: String,
    /// `docx`, `mail` or `digest`.
    pub how: String,
    /// `made`, `told`, `unknown`, `refused` or `waiting`.
    pub state: String,
    /// Whether people are named.
    pub named: bool,
    /// What was told.
    pub counts: ChaseCounts,
    /// By whom.
    pub by: String,
    /// The order that allows names.
    pub document: String,
    /// SHA-256 of the letter's bytes.
    pub sha256: String,
    /// When, RFC 3339.
    pub at: String,
    /// The relay's words about a mail that it did not take, without addresses.
    pub text: String,
}

/// Who was told what and when.
#[must_use]
pub fn told_table(rows: &[ToldRow]) -> Table {
    let mut table = Table::new(
        "told",
        text("Đã thông báo cho đơn vị", "What units were told"),
        vec![
            Column::left("day", text("Số liệu ngày", "Day")),
            Column::left("unit", text("Đơn vị", "Unit")),
            Column::left("how", text("Hình thức", "How")),
            Column::left("state", text("Trạng thái", "State")),
            Column::center("named", text("Nêu tên", "Names")),
        ],
    );
    table.columns.extend(COUNTS.map(|(key, vi, en)| Column::right(key, text(vi, en))));
    table.columns.extend([
        Column::left("by", text("Người thực hiện", "By")),
        Column::left("document", text("Văn bản cho phép nêu tên", "Order")),
        Column::left("at", text("Thời điểm", "At")),
        Column::key("sha256", text("SHA-256", "SHA-256")),
        Column::left("text", text("Trả lời của máy chủ thư", "Relay's reply")),
    ]);
    for row in rows {
        let mut cells = vec![
            code(&row.day),
            code(&row.unit),
            code(&row.how),
            code(&row.state),
            Cell::Flag(row.named, text("có", "yes")),
        ];
        cells.extend(chase_counts(&row.counts).map(|count| Cell::Count(Some(count))));
        cells.extend([code(&row.by), code(&row.document), code(&row.at), code(&row.sha256), code(&row.text)]);
        table.push(cells);
    }
    table
}
