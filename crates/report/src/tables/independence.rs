//! The tables of the independence page: counts by unit, and who proposed and carried out what. No person of the list.

use parsurvey_index::tree::Text;
use parsurvey_survey::callback::CallCounts;
use parsurvey_survey::independence::{PairChanges, UnitChanges};

use super::{code, total_label};
use crate::lang::text;
use crate::table::{Cell, Column, Table};

const COUNTS: [(&str, &str, &str); 11] = [
    ("addresses", "Đổi địa chỉ", "Addresses changed"),
    ("replacements", "Thay người", "Holders changed"),
    ("frame", "Sửa danh sách", "Frame corrections"),
    ("excuses", "Được miễn", "Excuses"),
    ("alone", "Do một người thực hiện", "By one person alone"),
    ("changed_forms", "Phiếu có thay đổi", "Forms changed"),
    ("followed", "Gửi phiếu trong 24 giờ sau đó", "Submitted within 24 h"),
    ("drawn", "Được chọn hỏi lại", "Called back"),
    ("confirmed", "Xác nhận", "Confirmed"),
    ("denied", "Không xác nhận", "Denied"),
    ("other", "Chưa rõ", "Not known"),
];

/// One unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRow {
    /// The unit's code.
    pub unit: String,
    /// Its name.
    pub name: String,
    /// What was changed.
    pub changes: UnitChanges,
    /// What the calls gave.
    pub calls: CallCounts,
}

impl UnitRow {
    fn counts(&self) -> [u64; 11] {
        let (changes, calls) = (&self.changes, &self.calls);
        [
            changes.addresses,
            changes.replacements,
            changes.frame,
            changes.excuses,
            changes.alone,
            changes.changed_forms,
            changes.followed,
            calls.drawn,
            calls.confirmed,
            calls.denied,
            calls.drawn - calls.confirmed - calls.denied,
        ]
    }
}

/// The units, with their sum.
#[must_use]
pub fn independence_table(rows: &[UnitRow]) -> Table {
    let mut table = Table::new(
        "units",
        text("Thay đổi về người trả lời sau khi gửi thư mời", "Changes to people after the first invitation"),
        vec![Column::key("unit", text("Mã", "Code")), Column::left("name", text("Đơn vị", "Unit"))],
    );
    table.columns.extend(COUNTS.map(|(key, vi, en)| Column::right(key, text(vi, en))));
    let cells = |unit: &str, name: Text, counts: [u64; 11]| {
        let mut cells = vec![code(unit), Cell::Name(name)];
        cells.extend(counts.map(|n| Cell::Count(Some(n))));
        cells
    };
    let mut total = [0; 11];
    for row in rows {
        let counts = row.counts();
        for (sum, n) in total.iter_mut().zip(counts) {
            *sum += n;
        }
        table.push(cells(&row.unit, text(&row.name, &row.name), counts));
    }
    table.push_total(cells("total", total_label(), total));
    table.notes.push(text(
        "Chỉ có số lượng, không có tên người và không có câu trả lời. Nhiều thay đổi không chứng minh điều gì; đó là nơi cần hỏi trước.",
        "Counts only, no person and no answer. Many changes prove nothing; they are where to ask first.",
    ));
    table
}

/// Who proposed and carried out how many changes, by unit.
#[must_use]
pub fn pair_table(rows: &[PairChanges]) -> Table {
    let mut table = Table::new(
        "people",
        text("Người đề nghị và người thực hiện", "Who proposed and who carried out"),
        vec![
            Column::left("unit", text("Đơn vị", "Unit")),
            Column::left("proposer", text("Người đề nghị", "Proposer")),
            Column::left("by", text("Người thực hiện", "Carried out by")),
            Column::right("changes", text("Số thay đổi", "Changes")),
        ],
    );
    for row in rows {
        table.push(vec![code(&row.unit), code(&row.proposer), code(&row.by), Cell::Count(Some(row.changes))]);
    }
    table
}
