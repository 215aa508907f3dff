//! The faults of a roster file as a whole, in words: what it is, and how to make it a roster.
//!
//! Faults of single rows are worded where they are found.

use super::MAX_ROSTER_ROWS;
use super::header::{Column, HEADER_WITHIN};
use super::text::{DecodeError, Kind};
use super::workbook::WorkbookError;
use crate::fault::Fault;

/// A fault at a line and a column of the roster.
pub(super) fn at(file: &str, line: usize, field: &str, code: &'static str, reason: String, remedy: String) -> Fault {
    Fault { line, field: field.to_owned(), ..Fault::of_file(file, code, reason, remedy) }
}

/// A file that is neither text nor XLSX.
pub(super) fn of_kind(file: &str, kind: Kind) -> Fault {
    let (code, reason, remedy) = match kind {
        Kind::Empty => ("empty-file", "the file is empty", "hand in the list as XLSX or CSV"),
        Kind::OldExcel => (
            "old-excel",
            "the file is an Excel 97–2003 workbook (XLS) or is protected by a password",
            "open it in Excel or LibreOffice and save it as XLSX without a password",
        ),
        Kind::Pdf => ("pdf", "the file is a PDF document", "ask for the list as XLSX or CSV"),
        Kind::Html => (
            "html",
            "the file is a web page, whatever its name says",
            "open it in Excel or LibreOffice and save it as XLSX, or export the list anew",
        ),
        Kind::Zip | Kind::Text => ("unreadable", "the file cannot be read", "hand in the list as XLSX or CSV"),
    };
    Fault::of_file(file, code, reason, remedy)
}

/// A workbook without rows.
pub(super) fn of_workbook(file: &str, error: WorkbookError) -> Fault {
    match error {
        WorkbookError::NotAWorkbook(why) => Fault::of_file(
            file,
            "not-a-workbook",
            format!("the file is packed like an XLSX workbook but is none, or is damaged ({why})"),
            "open it in Excel or LibreOffice and save it as XLSX",
        ),
        WorkbookError::TooLarge => Fault::of_file(
            file,
            "too-large",
            "the workbook unpacks to more than is read",
            "keep only the sheet with the list of people and save it as a new workbook",
        ),
        WorkbookError::NoSuchSheet(names) => Fault::of_file(
            file,
            "no-such-sheet",
            "the workbook has no sheet of that name",
            format!("choose one of: {}", names.join(", ")),
        ),
        WorkbookError::SeveralSheets(names) => Fault::of_file(
            file,
            "several-sheets",
            format!("{} sheets have the header of a roster", names.len()),
            format!("choose one with --sheet: {}", names.join(", ")),
        ),
    }
}

/// Bytes that are not text.
pub(super) fn of_encoding(file: &str, error: DecodeError) -> Fault {
    let remedy = "save it again as XLSX or as CSV UTF-8".to_owned();
    match error {
        DecodeError::BrokenUtf8(line) => {
            at(file, line, "", "broken-utf8", "the text is UTF-8 with damaged characters".to_owned(), remedy)
        }
        DecodeError::Unknown => {
            Fault::of_file(file, "unknown-encoding", "the file is not text in UTF-8, UTF-16 or Windows-1258", remedy)
        }
    }
}

/// A quotation mark that is never closed.
pub(super) fn open_quote(file: &str, line: usize) -> Fault {
    let reason = "a quotation mark opens in this row and is never closed, so the rest of the file cannot be told apart";
    at(
        file,
        line,
        "",
        "open-quote",
        reason.to_owned(),
        "close it, or write it twice if it belongs to the text".to_owned(),
    )
}

/// More rows than are read.
pub(super) fn too_many_rows(file: &str) -> Fault {
    let reason = format!("the file has more than {MAX_ROSTER_ROWS} rows, the headings included");
    Fault::of_file(file, "too-many-rows", reason, "hand in the list of people only")
}

/// No header.
pub(super) fn no_header(file: &str) -> Fault {
    let names: Vec<&str> = Column::REQUIRED.into_iter().map(Column::vietnamese).collect();
    Fault::of_file(
        file,
        "no-header",
        format!("none of the first {HEADER_WITHIN} rows is a header with names of columns that are known"),
        format!(
            "write a row with {} above the list; a list in a TCVN3 or VNI font must be converted to Unicode first",
            names.join(", ")
        ),
    )
}

/// A column that the header lacks.
pub(super) fn missing_column(file: &str, line: usize, column: Column) -> Fault {
    let reason = format!("the header has no column '{}' ({})", column.as_str(), column.vietnamese());
    let remedy = format!("add it, with '{}' as its header", column.vietnamese());
    at(file, line, column.as_str(), "missing-column", reason, remedy)
}

/// A column that stands twice in the header.
pub(super) fn doubled_column(file: &str, line: usize, column: Column) -> Fault {
    let reason = format!("two columns are headed '{}' ({})", column.as_str(), column.vietnamese());
    at(file, line, column.as_str(), "doubled-column", reason, "keep one of them under that header".to_owned())
}

/// A header with nothing below it.
pub(super) fn no_rows(file: &str) -> Fault {
    Fault::of_file(file, "no-rows", "there is nobody below the header", "hand in the list with its people")
}
