//! The response tables: counts of seats. They come from the status alone and can be shown while the survey runs.

use parsurvey_index::tree::Text;
use parsurvey_survey::status::{Headline, Share, Status, StatusRow};

use super::{code, plain};
use crate::lang::text;
use crate::number;
use crate::results::GroupName;
use crate::table::{Cell, Column, Live, Table};

/// The three completion shares: counted, able to answer, all groups.
#[must_use]
pub fn completion_table(headline: &Headline) -> Table {
    let mut table = Table::new(
        "completion",
        text("Tỷ lệ hoàn thành phiếu", "Completion"),
        vec![
            Column::key("share", text("Mã", "Code")),
            Column::left("name", text("Phạm vi", "Scope")),
            Column::right("completed", text("Hoàn thành/\u{200b}tổng số phiếu", "Completed/\u{200b}forms"))
                .with_maximum("forms"),
            Column::right("percent", text("Tỷ lệ (%)", "Rate (%)")).live(Live::PercentOf("completed", "forms")),
            super::unrounded_column(),
        ],
    );
    let rows = [
        ("counted", headline.counted, text("Các nhóm được tính vào kết quả", "Groups counted in the headline")),
        (
            "able",
            headline.able,
            text(
                "Trong đó: người có thể trả lời (trừ người được miễn)",
                "Of these: able to answer (without the excused)",
            ),
        ),
        ("all", headline.all, text("Tất cả các nhóm", "Every group")),
    ];
    for (key, Share { completed, forms }, name) in rows {
        let percent = number::share(completed, forms);
        let share = Cell::Share(Some((completed, forms)));
        table.push(vec![code(key), Cell::Name(name), share, plain(&percent), Cell::Unrounded(percent)]);
    }
    table
}

/// The status rows as they are, for the `status` command; `names` are looked up by the rows' keys and may miss some (units, days).
#[must_use]
pub fn status_table(status: &Status, names: &[(String, Text)]) -> Table {
    let title = text(
        format!("Tình trạng trả lời phiếu đến {}", number::moment(&status.as_of, crate::Lang::Vi)),
        format!("Response status as of {}", number::moment(&status.as_of, crate::Lang::En)),
    );
    let mut columns = vec![Column::left("key", text("Mã", "Key"))];
    if !names.is_empty() {
        columns.push(Column::left("name", text("Tên", "Name")));
    }
    for (key, vi, en) in COUNTS {
        columns.push(Column::right(key, text(vi, en)).live(Live::Sum));
    }
    columns.push(Column::right("percent", text("Tỷ lệ (%)", "Rate (%)")));
    let mut table = Table::new("status", title, columns);
    for row in &status.rows {
        let known = names.iter().find(|(key, _)| *key == row.key);
        let name = known.map_or(Cell::Blank, |(_, name)| Cell::Name(name.clone()));
        table.push(status_cells(row, (!names.is_empty()).then_some(name)));
    }
    table.notes.push(headline_note(&status.headline));
    table
}

const COUNTS: [(&str, &str, &str); 8] = [
    ("listed", "Danh sách", "Listed"),
    ("invited", "Đã mời", "Invited"),
    ("rejected", "Bị từ chối nhận", "Rejected"),
    ("unknown", "Chưa rõ", "Unknown"),
    ("started", "Đã bắt đầu hoặc liên hệ", "Begun or in touch"),
    ("completed", "Hoàn thành", "Completed"),
    ("excused", "Được miễn", "Excused"),
    ("outstanding", "Chưa hoàn thành", "Outstanding"),
];

fn counts(row: &StatusRow) -> [u64; 8] {
    [row.listed, row.invited, row.rejected, row.unknown, row.started, row.completed, row.excused, row.outstanding]
}

fn status_cells(row: &StatusRow, name: Option<Cell>) -> Vec<Cell> {
    let mut cells = vec![code(&row.key)];
    cells.extend(name);
    cells.extend(counts(row).map(|value| Cell::Count(Some(value))));
    cells.push(plain(&number::share(row.completed, row.listed)));
    cells
}

/// `816/819 · 816/816 · 848/851` in words.
#[must_use]
pub fn headline_note(headline: &Headline) -> Text {
    let share = |share: Share, lang| {
        let percent = number::share(share.completed, share.forms);
        let counts = format!("{}/{}", number::count(share.completed, lang), number::count(share.forms, lang));
        percent.value().map_or_else(|| counts.clone(), |value| format!("{counts} ({})", number::percent(value, lang)))
    };
    let (vi, en) = (crate::Lang::Vi, crate::Lang::En);
    text(
        format!(
            "Hoàn thành {} phiếu của các nhóm được tính; {} phiếu của người có thể trả lời; {} phiếu của tất cả các nhóm.",
            share(headline.counted, vi),
            share(headline.able, vi),
            share(headline.all, vi)
        ),
        format!(
            "Completed: {} of the counted groups; {} of those able to answer; {} of every group.",
            share(headline.counted, en),
            share(headline.able, en),
            share(headline.all, en)
        ),
    )
}

/// The response table of the report: the counted groups and their sum, then the others and the sum of all.
#[must_use]
pub fn response_table(status: &Status, groups: &[GroupName]) -> Table {
    let mut table = Table::new(
        "response",
        text("Tình trạng trả lời phiếu theo nhóm đối tượng", "Response by respondent group"),
        vec![
            Column::key("group", text("Mã nhóm", "Code")),
            Column::left("name", text("Nhóm đối tượng", "Respondent group")),
            Column::right("listed", text("Danh sách", "Listed")).live(Live::Sum),
            Column::right("invited", text("Đã mời", "Invited")).live(Live::Sum),
            Column::right("completed", text("Hoàn thành", "Completed")).live(Live::Sum),
            Column::right("excused", text("Được miễn", "Excused")).live(Live::Sum),
            Column::right("outstanding", text("Chưa hoàn thành", "Outstanding")).live(Live::Sum),
            Column::right("percent", text("Tỷ lệ (%)", "Rate (%)")).live(Live::PercentOf("completed", "listed")),
        ],
    );
    let group_of = |row: &StatusRow| groups.iter().find(|group| group.code.as_str() == row.key);
    let (counted, apart): (Vec<_>, Vec<_>) =
        status.rows.iter().partition(|row| group_of(row).is_some_and(|group| group.counted));
    let name_of = |row: &StatusRow| group_of(row).map_or_else(|| text(&row.key, &row.key), |group| group.name.clone());
    for row in &counted {
        table.push(response_cells(row, name_of(row)));
    }
    if !counted.is_empty() && !apart.is_empty() {
        table.push_total(response_cells(&sum("counted", &counted), text("Cộng các nhóm được tính", "Counted groups")));
    }
    for row in &apart {
        let name = name_of(row);
        let name = text(format!("{} (ngoài số được tính)", name.vi), format!("{} (not in the headline)", name.en));
        table.push(response_cells(row, name));
    }
    let all: Vec<_> = counted.into_iter().chain(apart).collect();
    table.push_total(response_cells(&sum("total", &all), text("Tổng cộng", "Total")));
    table.notes.push(text(
        "Chưa hoàn thành = danh sách − hoàn thành − được miễn. Số được miễn là số hành chính; tỷ lệ theo AAPOR vẫn tính họ trong mẫu số.",
        "Outstanding = listed − completed − excused. Excusing is administrative: AAPOR rates keep the excused in the denominator.",
    ));
    table
}

fn sum(key: &str, rows: &[&StatusRow]) -> StatusRow {
    let mut sum = StatusRow { key: key.to_owned(), ..StatusRow::default() };
    for row in rows {
        sum.listed += row.listed;
        sum.invited += row.invited;
        sum.completed += row.completed;
        sum.excused += row.excused;
        sum.outstanding += row.outstanding;
    }
    sum
}

fn response_cells(row: &StatusRow, name: Text) -> Vec<Cell> {
    let mut cells = vec![code(&row.key), Cell::Name(name)];
    let values = [row.listed, row.invited, row.completed, row.excused, row.outstanding];
    cells.extend(values.map(|value| Cell::Count(Some(value))));
    cells.push(plain(&number::share(row.completed, row.listed)));
    cells
}
