//! The rows of a small CSV of the campaign folder: comma-separated UTF-8 with a fixed header.
//!
//! Not for rosters, which come from many hands and have a forgiving reader of their own.

use std::ops::Range;

use csv::StringRecord;

use super::place::Document;

/// Every row that has as many cells as `columns`, with its byte range; the others are faults.
pub(super) fn rows(document: &Document<'_>, columns: &[&str]) -> Vec<(StringRecord, Range<usize>)> {
    let faults = document.faults;
    let text = document.text.trim_start_matches('\u{feff}');
    let offset = document.text.len() - text.len();
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().map(|row| row.iter().map(str::to_owned).collect()).unwrap_or_default();
    if header != columns {
        faults.add(document.place(0..0, "").fault(
            "bad-header",
            format!("the columns are '{}'", header.join(",")),
            format!("write the header {}", columns.join(",")),
        ));
        return Vec::new();
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let position = match &record {
            Ok(record) => record.position().map(csv::Position::byte),
            Err(error) => error.position().map(csv::Position::byte),
        };
        let span = line_at(document.text, offset + position.map_or(0, |byte| usize::try_from(byte).unwrap_or(0)));
        match record {
            Ok(record) if record.len() == columns.len() => rows.push((record, span)),
            Ok(record) => faults.add(document.place(span, "").fault(
                "ragged-row",
                format!("the row has {} cells where {} belong", record.len(), columns.len()),
                "give every row a cell for each column; put a text with a comma between double quotes",
            )),
            Err(_) => faults.add(document.place(span, "").fault(
                "broken-csv",
                "the row cannot be read",
                "close every double quote and keep to commas",
            )),
        }
    }
    rows
}

/// The line that begins at or after `start`: the reader's position may lie before the line breaks in between.
fn line_at(text: &str, start: usize) -> Range<usize> {
    let Some(rest) = text.get(start..) else { return 0..0 };
    let start = start + rest.len() - rest.trim_start().len();
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    start..end
}
