//! One small table, and its ways out: terminal, CSV, JSON; HTML and XLSX read the same rows.
//!
//! A table holds exact values and texts in both languages, and is rounded and worded only by a renderer.
//! It has no layout beyond alignment and row kind: no merged cells, no nesting.

mod data;
mod terminal;

use parsurvey_index::exact::{Exact, Quantity, Why};
use parsurvey_index::tree::Text;

use crate::lang::Lang;
use crate::number;

pub(crate) use data::quantity_json;
pub use data::{to_csv, to_json};
pub use terminal::to_terminal;

/// A table of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// A stable key, such as `groups`.
    pub key: &'static str,
    /// The title.
    pub title: Text,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each with one cell per column.
    pub rows: Vec<Row>,
    /// What a reader must know, below the table. Not part of CSV or JSON.
    pub notes: Vec<Text>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The key in CSV and JSON.
    pub key: String,
    /// The heading. A two-part heading has `/` and a zero-width space where it parts.
    pub label: Text,
    /// Where its text stands.
    pub align: Align,
    /// Where a cell is `points/maximum`, the key of the maximum in CSV and JSON and its own column in XLSX.
    pub maximum_key: Option<String>,
    /// What the workbook writes instead of a constant.
    pub live: Live,
    /// A key for commands and files that HTML and XLSX, made for readers, leave out.
    pub technical: bool,
}

/// Alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
    /// Short marks.
    Center,
}

/// A formula that the workbook keeps live. Other renderers ignore it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// A constant.
    No,
    /// In a total row the sum over all rows of data above it, else a constant.
    Sum,
    /// In every row the sum of the named columns of that row.
    RowSum(&'static [&'static str]),
    /// In every row the first named column over the second, in percent.
    PercentOf(&'static str, &'static str),
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What kind of row.
    pub kind: RowKind,
    /// Whether a reader should look here first (such as below the goal).
    pub marked: bool,
    /// One cell per column.
    pub cells: Vec<Cell>,
}

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// Data.
    Body,
    /// A heading inside the table with sums of what follows; only terminal and HTML show it, as other tables hold its figures.
    Heading,
    /// A total.
    Total,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing belongs here.
    Blank,
    /// A code or a text without translation.
    Text(String),
    /// A text in both languages.
    Name(Text),
    /// A whole number, or unknown.
    Count(Option<u64>),
    /// `part/whole`, both whole numbers, or unknown.
    Share(Option<(u64, u64)>),
    /// A number to be rounded.
    Number(Quantity, Style),
    /// `points/maximum`; where `brief`, documents show the points alone because the maximum is plain from the context.
    Points {
        /// The points.
        points: Quantity,
        /// The maximum.
        maximum: Exact,
        /// Whether documents leave the maximum out.
        brief: bool,
    },
    /// The value before rounding: `n/d` in CSV and XLSX, digits in documents; JSON numbers carry it already.
    Unrounded(Quantity),
    /// A mark with its word.
    Flag(bool, Text),
}

/// How a number is written in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Two places.
    Plain,
    /// Two places and a percent sign.
    Percent,
    /// Two places and a sign.
    Signed,
    /// Two places, a sign and the words "percentage points", where points of two years cannot be subtracted.
    PercentPoints,
    /// As declared, without trailing zeros.
    Declared,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(key: &'static str, title: Text, columns: Vec<Column>) -> Self {
        Self { key, title, columns, rows: Vec::new(), notes: Vec::new() }
    }

    /// Adds a row of data.
    pub fn push(&mut self, cells: Vec<Cell>) {
        self.push_row(Row { kind: RowKind::Body, marked: false, cells });
    }

    /// Adds a total row.
    pub fn push_total(&mut self, cells: Vec<Cell>) {
        self.push_row(Row { kind: RowKind::Total, marked: false, cells });
    }

    /// Adds a row. Every row has one cell per column; a test of each table's builder holds it.
    pub fn push_row(&mut self, row: Row) {
        debug_assert_eq!(row.cells.len(), self.columns.len(), "table {}", self.key);
        self.rows.push(row);
    }

    /// The position of the column with `key`.
    #[must_use]
    pub fn column(&self, key: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.key == key)
    }
}

impl Row {
    /// Whether the cell under `column` only says "total" to a program; a reader sees that by the row.
    #[must_use]
    pub fn is_total_key(&self, column: &Column) -> bool {
        self.kind == RowKind::Total && matches!(column.key.as_str(), "area" | "sub_criterion")
    }
}

impl Column {
    /// A column of texts.
    #[must_use]
    pub fn left(key: impl Into<String>, label: Text) -> Self {
        Self { key: key.into(), label, align: Align::Left, maximum_key: None, live: Live::No, technical: false }
    }

    /// A column of keys.
    #[must_use]
    pub fn key(key: impl Into<String>, label: Text) -> Self {
        Self { technical: true, ..Self::left(key, label) }
    }

    /// A column of numbers.
    #[must_use]
    pub fn right(key: impl Into<String>, label: Text) -> Self {
        Self { align: Align::Right, ..Self::left(key, label) }
    }

    /// A column of marks.
    #[must_use]
    pub fn center(key: impl Into<String>, label: Text) -> Self {
        Self { align: Align::Center, ..Self::left(key, label) }
    }

    /// Names the key of the maximum (or whole) of a two-part cell.
    #[must_use]
    pub fn with_maximum(mut self, key: impl Into<String>) -> Self {
        self.maximum_key = Some(key.into());
        self
    }

    /// Sets the live formula.
    #[must_use]
    pub fn live(mut self, live: Live) -> Self {
        self.live = live;
        self
    }
}

impl Cell {
    /// The cell as a reader of `lang` sees it, in one line and without control characters.
    #[must_use]
    pub fn shown(&self, lang: Lang) -> String {
        match self {
            Cell::Blank => String::new(),
            Cell::Text(text) => printable(text),
            Cell::Name(text) => printable(lang.of(text)),
            Cell::Count(value) => value.map_or_else(|| "–".to_owned(), |value| number::count(value, lang)),
            Cell::Share(share) => share.map_or_else(
                || "–".to_owned(),
                |(part, whole)| format!("{}/{}", number::count(part, lang), number::count(whole, lang)),
            ),
            Cell::Number(value, style) => shown_number(value, *style, lang),
            Cell::Points { points, maximum, brief } => match points {
                Quantity::Value(value) if *brief => number::exact(value, number::PLACES, lang),
                Quantity::Value(value) => {
                    format!("{}/{}", number::exact(value, number::PLACES, lang), number::declared(maximum, lang))
                }
                Quantity::Without(why) => number::without(*why, lang),
            },
            Cell::Unrounded(value) => match value {
                Quantity::Value(value) => number::unrounded(value, lang),
                Quantity::Without(Why::Absent | Why::NotAsked | Why::NotDeterminable | Why::Hidden) => "–".to_owned(),
            },
            Cell::Flag(on, word) => {
                if *on {
                    lang.of(word).to_owned()
                } else {
                    String::new()
                }
            }
        }
    }
}

fn shown_number(value: &Quantity, style: Style, lang: Lang) -> String {
    match (value, style) {
        (Quantity::Value(value), Style::Plain) => number::exact(value, number::PLACES, lang),
        (Quantity::Value(value), Style::Percent) => number::percent(value, lang),
        (Quantity::Value(value), Style::Signed) => number::signed(value, number::PLACES, lang),
        (Quantity::Value(value), Style::Declared) => number::declared(value, lang),
        (Quantity::Value(value), Style::PercentPoints) => {
            let unit = match lang {
                Lang::Vi => "điểm %",
                Lang::En => "pp",
            };
            format!("{} {unit}", number::signed(value, number::PLACES, lang))
        }
        (
            Quantity::Without(why),
            Style::Plain | Style::Percent | Style::Signed | Style::PercentPoints | Style::Declared,
        ) => number::without(*why, lang),
    }
}

/// A text of foreign origin (a relay's reply, say) must not steer a terminal: control characters become spaces.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
