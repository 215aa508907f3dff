//! From raw rows to people: each cell parsed once, each fault told with its line.
//!
//! A row with a fault is left out of the result but still compared with the others, so one run shows everything.

use std::collections::BTreeMap;

use parsurvey_index::code::{GroupCode, UnitCode};
use unicode_normalization::UnicodeNormalization;

use super::header::{Column, Header, RawRow, find};
use super::names::Names;
use super::words::{self, at};
use super::{Lists, Reading, Repair, RosterRow, twice};
use crate::address::{AddressError, RespondentEmail, is_invisible, mended};

/// A row as far as it could be understood.
pub(super) struct Draft {
    pub(super) line: usize,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) email: Option<RespondentEmail>,
    pub(super) group: Option<GroupCode>,
    pub(super) unit: Option<UnitCode>,
    pub(super) position: Option<String>,
    pub(super) faulty: bool,
}

impl Draft {
    fn finish(self) -> Option<RosterRow> {
        if self.faulty {
            return None;
        }
        Some(RosterRow {
            line: self.line,
            id: self.id,
            name: self.name?,
            email: self.email?,
            group: self.group?,
            unit: self.unit?,
            position: self.position?,
        })
    }
}

/// Fills the reading from the rows of a file.
pub(super) fn read_people(file: &str, rows: &[RawRow], lists: &Lists<'_>, reading: &mut Reading) {
    let Some(header) = find(rows) else {
        reading.faults.push(words::no_header(file));
        return;
    };
    let line = rows[header.row].line;
    reading.faults.extend(header.missing().into_iter().map(|column| words::missing_column(file, line, column)));
    reading.faults.extend(header.doubled.iter().map(|column| words::doubled_column(file, line, *column)));
    let people = &rows[header.row + 1..];
    reading.read = people.len();
    if people.is_empty() {
        reading.faults.push(words::no_rows(file));
        return;
    }
    let mut cells = Cells {
        file,
        header: &header,
        groups: Names::of(lists.groups.iter().map(|group| {
            let others = std::iter::once(&group.name.en).chain(&group.aliases).collect();
            (&group.code, group.name.vi.as_str(), others)
        })),
        units: Names::of(
            lists.units.iter().map(|unit| (&unit.code, unit.name.as_str(), unit.aliases.iter().collect())),
        ),
        reading,
    };
    let mut drafts: Vec<Draft> = people.iter().map(|row| cells.draft(row)).collect();
    twice::tell(file, &mut drafts, lists, reading);
    small_groups(file, &drafts, lists, reading);
    reading.rows = drafts.into_iter().filter_map(Draft::finish).collect();
}

/// Warns of groups below k; only when every row's group is known, as the numbers mean nothing before.
fn small_groups(file: &str, drafts: &[Draft], lists: &Lists<'_>, reading: &mut Reading) {
    let mut sizes: BTreeMap<&GroupCode, u64> = BTreeMap::new();
    for draft in drafts {
        let Some(group) = &draft.group else { return };
        *sizes.entry(group).or_default() += 1;
    }
    for group in lists.groups.iter().filter(|group| !group.forms.is_empty()) {
        let size = sizes.get(&group.code).copied().unwrap_or(0);
        if size < lists.k {
            reading.warnings.push(at(
                file,
                0,
                Column::Group.as_str(),
                "group-below-k",
                format!(
                    "the group '{}' has {size} people, fewer than {}: its answers will be hidden",
                    group.name.vi, lists.k
                ),
                "complete the list, merge the group in the campaign, or accept the warning".to_owned(),
            ));
        }
    }
}

/// Reads cells of one file and keeps what it finds on the way.
struct Cells<'a> {
    file: &'a str,
    header: &'a Header,
    groups: Names<'a, GroupCode>,
    units: Names<'a, UnitCode>,
    reading: &'a mut Reading,
}

impl Cells<'_> {
    fn draft(&mut self, row: &RawRow) -> Draft {
        let faults = self.reading.faults.len();
        let name = self.name(row);
        let id = self.text(row, Column::Id).filter(|id| !id.is_empty());
        let email = self.email(row);
        let group = self.group(row);
        let unit = self.unit(row);
        let position = self.text(row, Column::Position);
        let faulty = self.reading.faults.len() > faults;
        Draft { line: row.line, id, name, email, group, unit, position, faulty }
    }

    /// The raw cell; `None` when the roster has no such column, an empty text when the row ends before it.
    fn cell<'r>(&self, row: &'r RawRow, column: Column) -> Option<&'r str> {
        let place = *self.header.cells.get(&column)?;
        Some(row.cells.get(place).map_or("", String::as_str))
    }

    fn fault(&mut self, row: &RawRow, column: Column, code: &'static str, reason: String, remedy: &str) {
        let fault = at(self.file, row.line, column.as_str(), code, reason, remedy.to_owned());
        self.reading.faults.push(fault);
    }

    fn repaired(&mut self, row: &RawRow, column: Column, from: &str, to: &str) {
        // Spaces around a cell are invisible to the person and not worth a line.
        if from.trim_matches(' ') != to {
            let repair = Repair { line: row.line, field: column.as_str(), from: from.to_owned(), to: to.to_owned() };
            self.reading.repaired.push(repair);
        }
    }

    /// A cell as text: NFC, one space between words, nothing invisible.
    fn text(&mut self, row: &RawRow, column: Column) -> Option<String> {
        let raw = self.cell(row, column)?;
        let text = tidy(raw);
        self.repaired(row, column, raw, &text);
        if text.starts_with(['=', '+', '@', '-']) {
            self.reading.warnings.push(at(
                self.file,
                row.line,
                column.as_str(),
                "formula-like",
                format!("'{}' begins like a formula; it is kept as text", quoted(&text)),
                "check the cell, or accept the warning".to_owned(),
            ));
        }
        Some(text)
    }

    fn name(&mut self, row: &RawRow) -> Option<String> {
        let name = self.text(row, Column::Name)?;
        let formula = name.starts_with(['=', '+', '@', '-']);
        if name.is_empty() {
            self.fault(
                row,
                Column::Name,
                "missing-name",
                "there is no name".to_owned(),
                "write the person's full name",
            );
            return None;
        }
        let not_a_name = !name.chars().any(char::is_alphabetic)
            || name.starts_with('#')
            || name.chars().count() > 200
            || name.contains('@') && !formula;
        if not_a_name {
            let reason = format!("'{}' is not a person's name", quoted(&name));
            let remedy = "write the full name; look for cells that slipped, and for a quotation mark left open";
            self.fault(row, Column::Name, "bad-name", reason, remedy);
            return None;
        }
        Some(name)
    }

    fn email(&mut self, row: &RawRow) -> Option<RespondentEmail> {
        let raw = self.cell(row, Column::Email)?;
        let error = match RespondentEmail::parse(&mended(raw)) {
            Ok(email) => {
                self.repaired(row, Column::Email, raw, email.expose());
                return Some(email);
            }
            Err(error) => error,
        };
        let (code, remedy) = match error {
            AddressError::Missing => ("missing-address", "write the person's own address"),
            AddressError::Several => ("several-addresses", "keep one: the mailbox that the person reads"),
            AddressError::NoAt
            | AddressError::BadMailbox
            | AddressError::NoDot
            | AddressError::BadDomain
            | AddressError::TooLong => ("bad-address", "correct it, such as ten@coquan.gov.vn; nothing is guessed"),
        };
        let reason = match error {
            AddressError::Missing => error.to_string(),
            _ => format!("'{}': {error}", quoted(raw)),
        };
        self.fault(row, Column::Email, code, reason, remedy);
        None
    }

    fn group(&mut self, row: &RawRow) -> Option<GroupCode> {
        let raw = self.cell(row, Column::Group)?;
        if let Some(code) = self.groups.get(raw) {
            return Some(code);
        }
        let (code, reason) = absent("group", raw, ("missing-group", "unknown-group"));
        let remedy = match self.groups.nearest(raw) {
            Some(near) => {
                format!("write {near} if that is meant, or add the spelling to the group's aliases in groups.toml")
            }
            None => format!("use one of: {}", self.groups.all()),
        };
        self.fault(row, Column::Group, code, reason, &remedy);
        None
    }

    fn unit(&mut self, row: &RawRow) -> Option<UnitCode> {
        let raw = self.cell(row, Column::Unit)?;
        if let Some(code) = self.units.get(raw) {
            return Some(code);
        }
        let (code, reason) = absent("unit", raw, ("missing-unit", "unknown-unit"));
        let remedy = match self.units.nearest(raw) {
            Some(near) => {
                format!("write {near} if that is meant, or add the spelling to the unit's aliases in units.csv")
            }
            None => "write a name or code of units.csv, or add the unit there".to_owned(),
        };
        self.fault(row, Column::Unit, code, reason, &remedy);
        None
    }
}

fn absent(kind: &str, raw: &str, codes: (&'static str, &'static str)) -> (&'static str, String) {
    let text = tidy(raw);
    if text.is_empty() {
        (codes.0, format!("there is no {kind}"))
    } else {
        (codes.1, format!("'{}' is no {kind} of the campaign", quoted(&text)))
    }
}

/// NFC, one space between words, nothing invisible.
fn tidy(raw: &str) -> String {
    let plain: String = raw.nfc().filter(|c| !is_invisible(*c)).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As much of a cell as fits in a sentence.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}
