//! Which column is which: headers in Vietnamese or English, wherever in the first rows they stand.
//!
//! Columns that are not named here, such as STT, are passed over. Order does not matter, and nothing is guessed from the cells below.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::fold::bare;

/// One row as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawRow {
    /// The line (CSV) or row (XLSX) where it begins, from 1.
    pub(super) line: usize,
    /// The cells, untouched.
    pub(super) cells: Vec<String>,
}

impl RawRow {
    /// Whether no cell shows anything.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.chars().all(|c| c.is_whitespace() || crate::address::is_invisible(c)))
    }
}

/// A column the roster knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    /// The person's id, optional.
    Id,
    /// The person's name.
    Name,
    /// The address.
    Email,
    /// The respondent group.
    Group,
    /// The unit.
    Unit,
    /// The post held.
    Position,
}

impl Column {
    /// The columns a roster must have.
    pub(super) const REQUIRED: [Column; 5] =
        [Column::Name, Column::Email, Column::Group, Column::Unit, Column::Position];

    /// The name used in faults and in the difference.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Column::Id => "id",
            Column::Name => "name",
            Column::Email => "email",
            Column::Group => "group",
            Column::Unit => "unit",
            Column::Position => "position",
        }
    }

    /// The header to write when the column is missing.
    pub(super) fn vietnamese(self) -> &'static str {
        match self {
            Column::Id => "mã",
            Column::Name => "họ và tên",
            Column::Email => "thư điện tử",
            Column::Group => "nhóm đối tượng",
            Column::Unit => "đơn vị",
            Column::Position => "chức vụ",
        }
    }

    /// The column with this bare key.
    fn of_key(key: &str) -> Option<Self> {
        Some(match key {
            "id" | "ma" | "ma so" | "ma dinh danh" | "ma can bo" | "ma cong chuc" | "ma nguoi" | "ma nguoi tra loi"
            | "ma doi tuong" | "so hieu" | "code" | "identifier" => Column::Id,
            "ho va ten"
            | "ho ten"
            | "ten"
            | "ho va ten nguoi tra loi"
            | "ho ten nguoi tra loi"
            | "name"
            | "full name"
            | "fullname" => Column::Name,
            "thu dien tu"
            | "dia chi thu dien tu"
            | "hop thu"
            | "hom thu"
            | "hop thu dien tu"
            | "hom thu dien tu"
            | "dia chi hop thu"
            | "dia chi hop thu dien tu"
            | "thu dien tu cong vu"
            | "hop thu cong vu"
            | "email"
            | "e mail"
            | "mail"
            | "dia chi email"
            | "dia chi e mail"
            | "email cong vu"
            | "email address"
            | "e mail address" => Column::Email,
            "nhom"
            | "nhom doi tuong"
            | "doi tuong"
            | "nhom doi tuong khao sat"
            | "nhom doi tuong tra loi"
            | "doi tuong khao sat"
            | "group"
            | "respondent group" => Column::Group,
            "don vi"
            | "co quan"
            | "co quan don vi"
            | "don vi cong tac"
            | "co quan cong tac"
            | "co quan don vi cong tac"
            | "noi cong tac"
            | "ten don vi"
            | "ten co quan"
            | "unit"
            | "agency"
            | "organisation"
            | "organization" => Column::Unit,
            "chuc vu" | "chuc danh" | "chuc vu chuc danh" | "chuc danh chuc vu" | "chuc vu cong tac" | "position"
            | "post" | "title" | "job title" => Column::Position,
            _ => return None,
        })
    }

    /// The column a header cell names; of a header in two languages either part will do.
    fn of_header(cell: &str) -> Option<Self> {
        // A header is short; a long cell above it is a title or a note.
        if cell.len() > 200 {
            return None;
        }
        Self::of_key(&bare(cell)).or_else(|| {
            let mut named = cell.split(['/', '(', '\n', '|']).filter_map(|part| Self::of_key(&bare(part)));
            let first = named.next()?;
            named.all(|other| other == first).then_some(first)
        })
    }
}

/// The header row and what its cells name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// Its place among the rows.
    pub(super) row: usize,
    /// Cell by column.
    pub(super) cells: BTreeMap<Column, usize>,
    /// Columns that two cells name.
    pub(super) doubled: Vec<Column>,
}

impl Header {
    /// The required columns it lacks.
    pub(super) fn missing(&self) -> Vec<Column> {
        Column::REQUIRED.into_iter().filter(|column| !self.cells.contains_key(column)).collect()
    }
}

/// The most cells of a row that are looked at.
pub(super) const MAX_COLUMNS: usize = 256;

/// How many rows may stand above the header.
pub(super) const HEADER_WITHIN: usize = 60;

/// The row that names most columns, the first of equals. At least two of them must be what a title never names alone.
pub(super) fn find(rows: &[RawRow]) -> Option<Header> {
    let mut best: Option<Header> = None;
    for (row, raw) in rows.iter().take(HEADER_WITHIN).enumerate() {
        let mut header = Header { row, cells: BTreeMap::new(), doubled: Vec::new() };
        for (place, cell) in raw.cells.iter().enumerate() {
            if let Some(column) = Column::of_header(cell) {
                match header.cells.entry(column) {
                    Entry::Occupied(_) => header.doubled.push(column),
                    Entry::Vacant(free) => {
                        free.insert(place);
                    }
                }
            }
        }
        let required = header.cells.len() - usize::from(header.cells.contains_key(&Column::Id));
        if required >= 2 && best.as_ref().is_none_or(|known| header.cells.len() > known.cells.len()) {
            best = Some(header);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::{Column, RawRow, find};

    fn check(headers: &str, expected: &[(Column, usize)]) {
        let title = RawRow { line: 1, cells: vec!["DANH SÁCH ĐỐI TƯỢNG".into()] };
        let row = RawRow { line: 3, cells: headers.split(',').map(str::to_owned).collect() };
        let header = find(&[title, row]).expect("a header");
        assert_eq!(header.row, 1);
        assert_eq!(header.cells.into_iter().collect::<Vec<_>>(), expected, "{headers}");
    }

    #[test]
    fn headers_in_both_languages_and_any_spelling() {
        use Column::{Email, Group, Id, Name, Position, Unit};
        check(
            "id,name,email,group,unit,position",
            &[(Id, 0), (Name, 1), (Email, 2), (Group, 3), (Unit, 4), (Position, 5)],
        );
        check(
            "STT,HỌ VÀ TÊN,Chức vụ,Cơ quan/đơn vị,Địa chỉ email,Nhóm đối tượng,Ghi chú",
            &[(Name, 1), (Email, 4), (Group, 5), (Unit, 3), (Position, 2)],
        );
        check(
            "Mã,Ho ten,Hộp thư,nhóm (*),Đơn vị (Unit),Chức danh / Position",
            &[(Id, 0), (Name, 1), (Email, 2), (Group, 3), (Unit, 4), (Position, 5)],
        );
    }

    #[test]
    fn a_title_is_no_header() {
        let row = RawRow { line: 1, cells: vec!["Đơn vị".into(), "Sở Nội vụ".into()] };
        assert_eq!(find(&[row]), None);
    }
}
