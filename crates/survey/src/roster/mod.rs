//! The roster (danh sách): who is asked, read from the CSV or XLSX files that agencies hand in.
//!
//! [`read`] takes bytes and reports every fault by line; it stores nothing and repairs only what is certain.
//! [`difference()`] compares the rows with the people that are stored. Neither decides whether a change is allowed now.

mod difference;
mod fold;
mod header;
mod names;
mod people;
mod separated;
mod text;
mod twice;
mod words;
mod workbook;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use parsurvey_index::code::{GroupCode, UnitCode};
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use difference::{Changed, Difference, PerhapsSame, StoredPerson, difference};
pub(crate) use fold::joined;
pub use fold::{bare, fold};

use crate::address::RespondentEmail;
use crate::campaign::{Campaign, Group, Unit};
use crate::fault::Fault;
use header::RawRow;

/// The largest file that is read. A caller that opens files asks for the size first: see [`too_large`].
pub const MAX_ROSTER_BYTES: usize = 32 * 1024 * 1024;

/// The most rows that are read; a province's list has hundreds.
pub const MAX_ROSTER_ROWS: usize = 100_000;

/// The codes of warnings, for `--accept`.
pub const WARNINGS: [&str; 3] = ["shared-address", "group-below-k", "formula-like"];

/// How to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The sheet of a workbook; without it the only one with a header is taken.
    pub sheet: Option<String>,
    /// Codes of warnings that a person has accepted.
    pub accept: BTreeSet<String>,
}

/// One person as the roster lists them, for one group.
#[derive(Clone, PartialEq, Eq)]
pub struct RosterRow {
    /// The line (CSV) or row (XLSX) where it begins, from 1.
    pub line: usize,
    /// The id, where the roster has ids.
    pub id: Option<String>,
    /// The name, NFC, as typed.
    pub name: String,
    /// The address.
    pub email: RespondentEmail,
    /// The respondent group.
    pub group: GroupCode,
    /// The unit.
    pub unit: UnitCode,
    /// The post held, NFC, as typed; may be empty.
    pub position: String,
}

impl fmt::Debug for RosterRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RosterRow")
            .field("line", &self.line)
            .field("group", &self.group)
            .field("unit", &self.unit)
            .finish_non_exhaustive()
    }
}

/// What was mended, for the person who handed the roster in; never for a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repair {
    /// The line; 0 for the file as a whole.
    pub line: usize,
    /// The column, or `encoding` where the encoding was guessed.
    pub field: &'static str,
    /// As it was.
    pub from: String,
    /// As it is now.
    pub to: String,
}

/// What a roster says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Rows below the header that are not blank.
    pub read: usize,
    /// The rows without a fault, in file order.
    pub rows: Vec<RosterRow>,
    /// What was mended.
    pub repaired: Vec<Repair>,
    /// What must be put right; nothing may be stored while one is left.
    pub faults: Vec<Fault>,
    /// What a person must accept by code, or put right.
    pub warnings: Vec<Fault>,
    /// The codes that were accepted.
    pub accepted: BTreeSet<String>,
    /// SHA-256 of the bytes, in hex; empty when the file was too large to be read.
    pub sha256: String,
}

impl Reading {
    /// Every fault, and every warning that was not accepted.
    pub fn blocking(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().chain(self.warnings.iter().filter(|warning| !self.accepted.contains(warning.code)))
    }

    /// Whether the rows may be stored.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.blocking().next().is_none()
    }
}

/// The fault of a file that is too large, or `None`; for callers to ask before they read it.
#[must_use]
pub fn too_large(file_name: &str, bytes: u64) -> Option<Fault> {
    (bytes > MAX_ROSTER_BYTES as u64).then(|| {
        Fault::of_file(
            file_name,
            "too-large",
            format!("the file has {} MiB, more than the {} MiB that are read", bytes >> 20, MAX_ROSTER_BYTES >> 20),
            "keep only the list of people in the file, without pictures and other sheets, or hand in the right file",
        )
    })
}

/// Reads a roster. The file's name is only quoted in faults; what the file is, its bytes say.
#[must_use]
pub fn read(file_name: &str, bytes: &[u8], campaign: &Campaign, options: &ReadOptions) -> Reading {
    let lists = Lists { groups: &campaign.groups, units: &campaign.units, k: campaign.limits.k };
    read_with(file_name, bytes, &lists, options)
}

/// The part of a campaign that a roster is read against.
#[derive(Clone, Copy)]
struct Lists<'a> {
    groups: &'a [Group],
    units: &'a [Unit],
    k: u64,
}

fn read_with(file_name: &str, bytes: &[u8], lists: &Lists<'_>, options: &ReadOptions) -> Reading {
    let mut reading = Reading {
        read: 0,
        rows: Vec::new(),
        repaired: Vec::new(),
        faults: Vec::new(),
        warnings: Vec::new(),
        accepted: options.accept.clone(),
        sha256: String::new(),
    };
    for code in options.accept.iter().filter(|code| !WARNINGS.contains(&code.as_str())) {
        reading.faults.push(Fault::of_file(
            file_name,
            "unknown-warning",
            format!("'{code}' is not the code of a warning, so it cannot be accepted"),
            format!("use {}", WARNINGS.join(", ")),
        ));
    }
    if let Some(fault) = too_large(file_name, bytes.len() as u64) {
        reading.faults.push(fault);
        return reading;
    }
    reading.sha256 = crate::hex(&Sha256::digest(bytes));
    match raw_rows(file_name, bytes, options.sheet.as_deref(), &mut reading) {
        Ok(rows) => people::read_people(file_name, &rows, lists, &mut reading),
        Err(fault) => reading.faults.push(*fault),
    }
    reading.faults.sort_by_key(|fault| fault.line);
    reading.warnings.sort_by_key(|warning| warning.line);
    reading
}

/// The rows of the file, or the fault that leaves none.
fn raw_rows(file: &str, bytes: &[u8], sheet: Option<&str>, reading: &mut Reading) -> Result<Vec<RawRow>, Box<Fault>> {
    let (rows, more) = match text::kind(bytes) {
        text::Kind::Zip => match workbook::rows(bytes, sheet, MAX_ROSTER_ROWS) {
            Ok(sheet) => (sheet.rows, sheet.more),
            Err(error) => return Err(Box::new(words::of_workbook(file, error))),
        },
        text::Kind::Text => {
            let decoded = text::decode(bytes).map_err(|error| Box::new(words::of_encoding(file, error)))?;
            if let Some(encoding) = decoded.guessed {
                reading.repaired.push(Repair {
                    line: 0,
                    field: "encoding",
                    from: encoding.to_lowercase(),
                    to: "utf-8".to_owned(),
                });
            }
            let read = separated::rows(&decoded.text, MAX_ROSTER_ROWS);
            reading.faults.extend(read.open_quote.map(|line| words::open_quote(file, line)));
            (read.rows, read.more)
        }
        other @ (text::Kind::Empty | text::Kind::OldExcel | text::Kind::Pdf | text::Kind::Html) => {
            return Err(Box::new(words::of_kind(file, other)));
        }
    };
    if more {
        reading.faults.push(words::too_many_rows(file));
    }
    Ok(rows)
}
