//! A table as data: CSV and JSON, with plain numbers in every language.
//!
//! Heading rows inside a table are left out: their figures stand in tables of their own.

use parsurvey_index::exact::{Exact, Quantity};
use serde_json::{Map, Value};

use super::{Cell, RowKind, Style, Table, printable};
use crate::ReportError;
use crate::lang::Lang;
use crate::number::PLACES;

/// The table as CSV (RFC 4180, UTF-8, one header line of column keys).
/// A value that is missing is its reason in a word; the unrounded value is `n/d`.
///
/// # Errors
/// [`ReportError::Csv`] when the writer fails.
pub fn to_csv(table: &Table, lang: Lang) -> Result<String, ReportError> {
    let refuse = |error: csv::Error| ReportError::Csv(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header = Vec::new();
    for column in &table.columns {
        header.push(column.key.clone());
        header.extend(column.maximum_key.clone());
    }
    writer.write_record(&header).map_err(refuse)?;
    for row in table.rows.iter().filter(|row| row.kind != RowKind::Heading) {
        let mut record = Vec::new();
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            let (first, second) = csv_fields(cell, lang);
            record.push(first);
            if column.maximum_key.is_some() {
                record.push(second);
            }
        }
        writer.write_record(&record).map_err(refuse)?;
    }
    let bytes = writer.into_inner().map_err(|error| ReportError::Csv(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| ReportError::Csv(error.to_string()))
}

/// The table as a JSON array of objects keyed by column key.
#[must_use]
pub fn to_json(table: &Table, lang: Lang) -> Value {
    let body = table.rows.iter().filter(|row| row.kind != RowKind::Heading);
    body.map(|row| {
        let mut object = Map::new();
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            if matches!(cell, Cell::Unrounded(_)) {
                continue;
            }
            let (first, second) = json_values(cell, lang);
            object.insert(column.key.clone(), first);
            if let Some(key) = &column.maximum_key {
                object.insert(key.clone(), second);
            }
        }
        Value::Object(object)
    })
    .collect()
}

/// A spreadsheet runs a text that begins like a formula; an apostrophe in front makes it a text again.
/// Control characters become spaces, as a CSV is often looked at in a terminal.
fn neutral(text: &str) -> String {
    let plain = printable(text);
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{plain}") } else { plain }
}

fn csv_fields(cell: &Cell, lang: Lang) -> (String, String) {
    let one = |text: String| (text, String::new());
    match cell {
        Cell::Blank => one(String::new()),
        Cell::Text(text) => one(neutral(text)),
        Cell::Name(text) => one(neutral(lang.of(text))),
        Cell::Count(value) => one(value.map_or_else(String::new, |value| value.to_string())),
        Cell::Share(share) => {
            share.map_or_else(Default::default, |(part, whole)| (part.to_string(), whole.to_string()))
        }
        Cell::Number(value, style) => one(plain(value, *style)),
        Cell::Points { points, maximum, brief: _ } => (plain(points, Style::Plain), maximum.decimal()),
        Cell::Unrounded(value) => one(value.value().map_or_else(String::new, Exact::to_string)),
        Cell::Flag(on, _) => one(on.to_string()),
    }
}

fn plain(value: &Quantity, style: Style) -> String {
    match (value, style) {
        (Quantity::Value(value), Style::Plain | Style::Percent | Style::Signed) => value.rounded(PLACES),
        (Quantity::Value(value), Style::PercentPoints) => format!("{} pp", value.rounded(PLACES)),
        (Quantity::Value(value), Style::Declared) => value.decimal(),
        (
            Quantity::Without(why),
            Style::Plain | Style::Percent | Style::Signed | Style::PercentPoints | Style::Declared,
        ) => why.as_str().to_owned(),
    }
}

fn json_values(cell: &Cell, lang: Lang) -> (Value, Value) {
    let one = |value: Value| (value, Value::Null);
    match cell {
        Cell::Blank => one(Value::Null),
        Cell::Text(text) => one(text.as_str().into()),
        Cell::Name(text) => one(lang.of(text).into()),
        Cell::Count(value) => one((*value).into()),
        Cell::Share(share) => share.map_or((Value::Null, Value::Null), |(part, whole)| (part.into(), whole.into())),
        Cell::Number(value, Style::PercentPoints) => {
            let mut json = quantity_json(value);
            json["unit"] = "percent_points".into();
            one(json)
        }
        Cell::Number(value, Style::Plain | Style::Percent | Style::Signed | Style::Declared) => {
            one(quantity_json(value))
        }
        Cell::Points { points, maximum, brief: _ } => (quantity_json(points), quantity_json(&maximum.clone().into())),
        Cell::Unrounded(_) => one(Value::Null),
        Cell::Flag(on, _) => one((*on).into()),
    }
}

/// The contract's form of a quantity.
pub(crate) fn quantity_json(value: &Quantity) -> Value {
    serde_json::to_value(value).expect("a quantity is a map of strings and cannot fail to serialise")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::text;
    use crate::table::Column;
    use parsurvey_index::exact::Why;

    fn one_cell(cell: Cell) -> Table {
        let mut table = Table::new("t", text("B", "T"), vec![Column::left("a", text("a", "a"))]);
        table.push(vec![cell]);
        table
    }

    #[test]
    fn texts_that_look_like_formulas_are_neutralised_and_numbers_are_not() {
        for (cell, line) in [
            (Cell::Text("=HYPERLINK(1)".into()), "'=HYPERLINK(1)"),
            (Cell::Text("+84".into()), "'+84"),
            (Cell::Text("-x".into()), "'-x"),
            (Cell::Text("@a".into()), "'@a"),
            (Cell::Text("\tx".into()), "' x"),
            (Cell::Name(text("=1", "=2")), "'=1"),
            (Cell::Text("5.7.4".into()), "5.7.4"),
            (Cell::Number("-0.5".parse::<Exact>().expect("a value").into(), Style::Signed), "-0.50"),
            (Cell::Number(Quantity::Without(Why::NotAsked), Style::Plain), "not_asked"),
            (Cell::Unrounded(Exact::ratio(1, 3).expect("a ratio").into()), "1/3"),
        ] {
            let csv = to_csv(&one_cell(cell), Lang::Vi).expect("csv");
            assert_eq!(csv.lines().nth(1), Some(line));
        }
    }

    #[test]
    fn json_numbers_are_quantities_and_counts_are_integers() {
        let half: Quantity = Exact::ratio(1, 2).expect("a ratio").into();
        let json = to_json(&one_cell(Cell::Number(half, Style::Percent)), Lang::Vi);
        assert_eq!(json.to_string(), r#"[{"a":{"exact":"1/2","decimal":"0.5","rounded":"0.50"}}]"#);
        assert_eq!(to_json(&one_cell(Cell::Count(Some(816))), Lang::Vi).to_string(), r#"[{"a":816}]"#);
        assert_eq!(to_json(&one_cell(Cell::Count(None)), Lang::Vi).to_string(), r#"[{"a":null}]"#);
    }
}
