//! The tables of an audit: what speaks for the log and against it, and which heads of it were mailed outside.

use parsurvey_index::tree::Text;

use super::code;
use crate::lang::text;
use crate::table::{Cell, Column, Table};

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// What: `chain`, `anchor`, `anchors_given`, `uncovered`, `completions`, `ballots`, `excused`, `holders`, `stage`.
    pub check: &'static str,
    /// Its name for people.
    pub name: Text,
    /// Which one, such as an anchor's day; may be empty.
    pub about: String,
    /// What was found.
    pub found: String,
    /// What it was compared with; may be empty.
    pub expected: String,
    /// `ok`, `fault`, or `note` for what neither proves nor disproves.
    pub verdict: &'static str,
}

/// The checks of an audit.
#[must_use]
pub fn audit_table(rows: &[AuditRow]) -> Table {
    let mut table = Table::new(
        "audit",
        text("Kiểm tra nhật ký", "Audit of the log"),
        vec![
            Column::key("check", text("Mã", "Code")),
            Column::left("name", text("Nội dung kiểm tra", "Check")),
            Column::left("about", text("Đối tượng", "About")),
            Column::left("found", text("Kết quả", "Found")),
            Column::left("expected", text("Đối chiếu với", "Compared with")),
            Column::left("verdict", text("Kết luận", "Verdict")),
        ],
    );
    for row in rows {
        table.push(vec![
            code(row.check),
            Cell::Name(row.name.clone()),
            code(&row.about),
            code(&row.found),
            code(&row.expected),
            code(row.verdict),
        ]);
    }
    table
}

/// An anchor that was mailed, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorLine {
    /// The day, `YYYY-MM-DD`.
    pub day: String,
    /// Entries of the log up to here.
    pub entries: i64,
    /// The hash of the last of them.
    pub hash: String,
    /// `told`, `unknown`, `refused` or `waiting`.
    pub state: String,
    /// When, RFC 3339.
    pub at: String,
    /// The relay's words, without addresses.
    pub text: String,
}

/// The anchors that were mailed.
#[must_use]
pub fn anchor_table(rows: &[AnchorLine]) -> Table {
    let mut table = Table::new(
        "anchors",
        text("Đầu chuỗi đã gửi ra ngoài", "Heads of the log that were mailed outside"),
        vec![
            Column::left("day", text("Ngày", "Day")),
            Column::right("entries", text("Số mục", "Entries")),
            Column::left("state", text("Trạng thái", "State")),
            Column::left("at", text("Thời điểm", "At")),
            Column::left("hash", text("Mã băm", "Hash")),
            Column::left("text", text("Trả lời của máy chủ thư", "Relay's reply")),
        ],
    );
    for row in rows {
        table.push(vec![
            code(&row.day),
            Cell::Count(Some(row.entries.unsigned_abs())),
            code(&row.state),
            code(&row.at),
            code(&row.hash),
            code(&row.text),
        ]);
    }
    table
}
