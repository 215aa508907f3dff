//! Rows out of an XLSX workbook: the sheet that was named, or the only visible one with a header.
//!
//! Cells are read as a stream, so a stray format in the last row of a sheet costs nothing. Formulas give their stored values; dates are not needed and come out as numbers.

use std::io::Cursor;

use calamine::{DataRef, Reader, SheetVisible, Xlsx};

use super::header::{MAX_COLUMNS, RawRow, find};

/// The rows of the chosen sheet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    /// The rows that have a cell, at most as many as asked for.
    pub(super) rows: Vec<RawRow>,
    /// Whether there are more rows than asked for.
    pub(super) more: bool,
}

/// Why a workbook gives no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WorkbookError {
    /// A ZIP archive that is no workbook, or a damaged one.
    NotAWorkbook(String),
    /// It would unpack to more bytes than are read.
    TooLarge,
    /// No sheet of that name; the names there are.
    NoSuchSheet(Vec<String>),
    /// Several visible sheets have a header; their names.
    SeveralSheets(Vec<String>),
}

/// The most bytes a workbook may unpack to, as its directory declares them.
const MAX_UNPACKED_BYTES: u64 = 128 * 1024 * 1024;

/// Reads at most `limit` rows of the sheet `wanted`, or of the one that has a header.
pub(super) fn rows(bytes: &[u8], wanted: Option<&str>, limit: usize) -> Result<Sheet, WorkbookError> {
    if unpacked_size(bytes) > MAX_UNPACKED_BYTES {
        return Err(WorkbookError::TooLarge);
    }
    let mut book: Xlsx<_> =
        Xlsx::new(Cursor::new(bytes)).map_err(|error| WorkbookError::NotAWorkbook(error.to_string()))?;
    let names = book.sheet_names();
    if let Some(wanted) = wanted {
        let name = names.iter().find(|name| super::fold::fold(name) == super::fold::fold(wanted)).cloned();
        return match name {
            Some(name) => sheet(&mut book, &name, limit),
            None => Err(WorkbookError::NoSuchSheet(names)),
        };
    }
    let visible: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect();
    let mut found: Vec<(String, Sheet)> = Vec::new();
    let mut first: Option<Sheet> = None;
    for name in visible {
        // A chart has no cells; it is not a reason to refuse the sheet beside it.
        let Ok(sheet) = sheet(&mut book, &name, limit) else {
            continue;
        };
        if find(&sheet.rows).is_some_and(|header| header.missing().is_empty()) {
            found.push((name, sheet));
        } else if first.as_ref().is_none_or(|known| find(&known.rows).is_none()) {
            first = Some(sheet);
        }
    }
    if found.len() > 1 {
        return Err(WorkbookError::SeveralSheets(found.into_iter().map(|(name, _)| name).collect()));
    }
    // Without a full header the caller is given the nearest sheet, to say what it lacks.
    found
        .pop()
        .map(|(_, sheet)| sheet)
        .or(first)
        .ok_or_else(|| WorkbookError::NotAWorkbook("it has no visible sheet with cells".to_owned()))
}

fn sheet(book: &mut Xlsx<Cursor<&[u8]>>, name: &str, limit: usize) -> Result<Sheet, WorkbookError> {
    let broken = |error: calamine::XlsxError| WorkbookError::NotAWorkbook(error.to_string());
    let mut reader = book.worksheet_cells_reader(name).map_err(broken)?;
    let mut out = Sheet { rows: Vec::new(), more: false };
    while let Some(cell) = reader.next_cell().map_err(broken)? {
        let (row, column) = cell.get_position();
        let text = shown(cell.get_value());
        let (line, column) = (row as usize + 1, column as usize);
        if text.is_empty() || column >= MAX_COLUMNS {
            continue;
        }
        if out.rows.last().is_none_or(|last| last.line != line) {
            if out.rows.len() == limit {
                out.more = true;
                break;
            }
            out.rows.push(RawRow { line, cells: Vec::new() });
        }
        if let Some(last) = out.rows.last_mut() {
            if last.cells.len() <= column {
                last.cells.resize(column + 1, String::new());
            }
            last.cells[column] = text;
        }
    }
    out.rows.retain(|row| !row.is_blank());
    Ok(out)
}

/// The text of a cell; whole numbers without a decimal point, as ids are often typed.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(value) => value.as_f64().to_string(),
        DataRef::Error(error) => error.to_string(),
    }
}

/// The sum of the unpacked sizes that the archive's directory declares; 0 where there is no directory.
///
/// A directory can lie; the check is against accidents, and the person who imports chose the file.
fn unpacked_size(bytes: &[u8]) -> u64 {
    let field = |at: usize| -> Option<u32> {
        let bytes = bytes.get(at..at.checked_add(4)?)?;
        bytes.try_into().ok().map(u32::from_le_bytes)
    };
    // The end record is the last thing in the archive, before a comment of at most 64 KiB.
    let tail = bytes.len().saturating_sub(66_000);
    let Some(end) = bytes[tail..].windows(4).rposition(|window| window == b"PK\x05\x06") else {
        return 0;
    };
    let Some(mut at) = field(tail + end + 16).and_then(|at| usize::try_from(at).ok()) else {
        return 0;
    };
    let mut total = 0_u64;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.windows(4).position(|w| w == b"PK\x01\x02")) {
        at += found;
        // The unpacked size stands 24 bytes into an entry of the directory.
        total = total.saturating_add(field(at + 24).map_or(0, u64::from));
        at += 4;
    }
    total
}
