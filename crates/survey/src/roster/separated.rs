//! Rows out of separated text: `,` `;` or tab, found by which of them makes a header.
//!
//! Line numbers are those an editor shows, also after quoted line breaks. A quote that is never closed is told, not swallowed.

use super::header::{HEADER_WITHIN, MAX_COLUMNS, RawRow, find};

/// Rows of a text, as far as they could be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rows {
    /// The rows that have a cell, at most as many as asked for.
    pub(super) rows: Vec<RawRow>,
    /// The line on which a quote opens that is never closed.
    pub(super) open_quote: Option<usize>,
    /// Whether there are more rows than asked for.
    pub(super) more: bool,
}

/// Written after the text: it comes back as a record of its own exactly when every quote was closed.
const END: &str = "\u{1}";

/// Reads at most `limit` rows.
pub(super) fn rows(text: &str, limit: usize) -> Rows {
    if text.contains('\r') && !text.contains('\n') {
        // Old spreadsheets end lines with CR alone, which nobody else counts as a line.
        return rows(&text.replace('\r', "\n"), limit);
    }
    let declared = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("sep=").or_else(|| line.strip_prefix("\"sep=")))
        .and_then(|rest| rest.bytes().next());
    let separator = match declared {
        Some(separator) => separator,
        None => likeliest(text),
    };
    read(text, separator, limit)
}

/// The header is looked for in this much of the text.
const SNIFFED_BYTES: usize = 256 * 1024;

/// The separator whose first rows name most columns; of equals, the one that makes most cells.
fn likeliest(text: &str) -> u8 {
    let head = &text[..text.floor_char_boundary(SNIFFED_BYTES)];
    let weigh = |separator: u8| {
        let rows = read(head, separator, HEADER_WITHIN).rows;
        let named = find(&rows).map_or(0, |header| header.cells.len());
        (named, rows.iter().map(|row| row.cells.len()).max().unwrap_or(0))
    };
    let mut best = (b',', weigh(b','));
    for separator in [b';', b'\t'] {
        let weight = weigh(separator);
        if weight > best.1 {
            best = (separator, weight);
        }
    }
    best.0
}

fn read(text: &str, separator: u8, limit: usize) -> Rows {
    let end = format!("\n{END}\n");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(std::io::Read::chain(text.as_bytes(), end.as_bytes()));
    let mut out = Rows { rows: Vec::new(), open_quote: None, more: false };
    let mut record = csv::StringRecord::new();
    let mut last_line = 0;
    let mut closed = false;
    // Text in memory that is UTF-8 cannot fail to be read, so an error ends the rows like an open quote.
    while reader.read_record(&mut record).unwrap_or(false) {
        closed = record.len() == 1 && record.get(0) == Some(END);
        if closed {
            continue;
        }
        last_line = line_of(text, record.position());
        let row = RawRow { line: last_line, cells: record.iter().take(MAX_COLUMNS).map(str::to_owned).collect() };
        if row.is_blank() {
            continue;
        }
        if out.rows.len() == limit {
            out.more = true;
            return out;
        }
        out.rows.push(row);
    }
    if !closed {
        out.rows.pop_if(|row| row.line == last_line);
        out.open_quote = Some(last_line);
    }
    out
}

/// The line on which a record begins: its position is that of the blank lines before it, which are skipped here.
fn line_of(text: &str, position: Option<&csv::Position>) -> usize {
    let (line, byte) = position.map_or((1, 0), |p| (p.line(), p.byte()));
    let line = usize::try_from(line).unwrap_or(usize::MAX);
    let rest = usize::try_from(byte).ok().and_then(|byte| text.as_bytes().get(byte..)).unwrap_or_default();
    line + rest.iter().take_while(|b| matches!(**b, b'\r' | b'\n')).filter(|b| **b == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::rows;

    fn check(text: &str, expected: &[(usize, &[&str])]) {
        let read = rows(text, 1000);
        let got: Vec<(usize, Vec<&str>)> =
            read.rows.iter().map(|row| (row.line, row.cells.iter().map(String::as_str).collect())).collect();
        let expected: Vec<(usize, Vec<&str>)> = expected.iter().map(|(line, cells)| (*line, cells.to_vec())).collect();
        assert_eq!(got, expected, "{text:?}");
        assert_eq!(read.open_quote, None);
    }

    #[test]
    fn lines_are_those_of_an_editor() {
        check(
            "name,email\n\n\nLan,a\n\"Hoa\nHồng\",b\nMai,c\n",
            &[(1, &["name", "email"]), (4, &["Lan", "a"]), (5, &["Hoa\nHồng", "b"]), (7, &["Mai", "c"])],
        );
        check(
            "name,email\r\n\r\nLan,a\r\n\"Hoa\r\nHồng\",b\r\nMai,c",
            &[(1, &["name", "email"]), (3, &["Lan", "a"]), (4, &["Hoa\r\nHồng", "b"]), (6, &["Mai", "c"])],
        );
        check("name,email\rLan,a\rMai,b\r", &[(1, &["name", "email"]), (2, &["Lan", "a"]), (3, &["Mai", "b"])]);
    }

    #[test]
    fn the_separator_that_makes_a_header_wins() {
        check(
            "Danh sách, đợt 1, năm 2023;;\nhọ tên;email;chức vụ\nLan;a;\"Trưởng phòng; đảng viên\"\n",
            &[
                (1, &["Danh sách, đợt 1, năm 2023", "", ""]),
                (2, &["họ tên", "email", "chức vụ"]),
                (3, &["Lan", "a", "Trưởng phòng; đảng viên"]),
            ],
        );
        check("name\temail\nLan, B\ta\n", &[(1, &["name", "email"]), (2, &["Lan, B", "a"])]);
        check("sep=;\nx;y\n", &[(1, &["sep=", ""]), (2, &["x", "y"])]);
    }

    #[test]
    fn a_quote_left_open_is_told_with_its_line() {
        let read = rows("name,email\nLan,a\n\"Hoa,b\nMai,c\n", 1000);
        assert_eq!((read.open_quote, read.rows.len()), (Some(3), 2));
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let read = rows("name,email\na,b\nc,d\ne,f\n", 3);
        assert_eq!((read.rows.len(), read.more), (3, true));
    }
}
