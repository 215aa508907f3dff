//! Printed points of earlier years: a CSV beside `index.toml`, and figures by name within it.
//!
//! They are imported as printed and never recomputed; a year that is missing is absent, not zero.

use std::collections::BTreeMap;

use parsurvey_index::exact::Exact;
use parsurvey_index::tree::{Area, History, IndexTree, PastPoints};

use super::place::{Document, Faults};
use super::rows::rows;
use super::walk::Table;

const COLUMNS: [&str; 4] = ["code", "year", "points", "maximum"];

/// Reads one `[[history]]` table and the file it names.
pub(super) fn read(table: &Table<'_>, tree: &IndexTree, files: &BTreeMap<String, Vec<u8>>, faults: &Faults) -> History {
    let mut history = History::default();
    if let Some(file) = table.optional_text("file") {
        match files.get_key_value(&file) {
            Some((file, bytes)) => {
                if let Some(document) = Document::new(file, bytes, faults) {
                    read_rows(&document, tree, &mut history);
                }
            }
            None => faults.add(table.place_of("file").fault(
                "missing-file",
                format!("there is no file {file} in the campaign folder"),
                "put it there, or remove the line",
            )),
        }
    }
    if let Some(headline) = table.optional_table("headline") {
        for name in headline.keys() {
            let Some(years) = headline.optional_table(name.value) else { continue };
            for key in years.keys() {
                let value = years.exact(key.value);
                match key.value.parse::<i16>() {
                    Ok(year) => {
                        let values = history.headline.entry(name.value.to_owned()).or_default();
                        values.extend(value.map(|placed| (year, placed.value)));
                    }
                    Err(_) => faults.add(key.place.fault(
                        "bad-year",
                        format!("'{}' is not a year", key.value),
                        "write figures as { year = \"value\" }",
                    )),
                }
            }
            years.finish();
        }
        headline.finish();
    }
    history
}

fn read_rows(document: &Document<'_>, tree: &IndexTree, history: &mut History) {
    for (record, span) in rows(document, &COLUMNS) {
        if let Err((field, code, reason, remedy)) = read_row(&record, tree, history) {
            document.faults.add(document.place(span, field).fault(code, reason, remedy));
        }
    }
}

type RowFault = (&'static str, &'static str, String, &'static str);

fn read_row(record: &csv::StringRecord, tree: &IndexTree, history: &mut History) -> Result<(), RowFault> {
    let decimal = |at: usize, field| {
        let text = &record[at];
        rust_decimal::Decimal::from_str_exact(text).map(Exact::from).map_err(|_| {
            (field, "bad-decimal", format!("'{text}' is not a decimal"), "write digits with a point, such as 0.75")
        })
    };
    let leaves = tree.areas.iter().flat_map(|area: &Area| &area.sub_criteria);
    let leaf = leaves.clone().find(|leaf| leaf.code.as_str() == &record[0]).ok_or_else(|| {
        (
            "code",
            "unknown-sub-criterion",
            format!("there is no sub-criterion '{}'", &record[0]),
            "write a code of this year's tree; a row that no longer exists cannot be compared",
        )
    })?;
    let year = record[1].parse::<i16>().ok().filter(|year| *year < tree.year).ok_or_else(|| {
        (
            "year",
            "bad-year",
            format!("'{}' is not a year before {}", &record[1], tree.year),
            "leave the campaign's own year out: its points come from the survey",
        )
    })?;
    let (points, maximum) = (decimal(2, "points")?, decimal(3, "maximum")?);
    if points.is_negative() || points > maximum {
        return Err((
            "points",
            "points-above-maximum",
            format!("{} is outside 0 to {}", points.decimal(), maximum.decimal()),
            "correct the points or that year's maximum",
        ));
    }
    let years = history.rows.entry(leaf.code.clone()).or_default();
    if years.insert(year, PastPoints { points, maximum }).is_some() {
        return Err(("year", "duplicate-row", format!("{} has two rows for {year}", leaf.code), "keep one of the two"));
    }
    Ok(())
}
