//! Writes one sheet: head, tables, paragraphs, widths, print setup.
//!
//! A formula is written only where the exact result has a value: a sum over cells without one would hide that it has none.

use std::collections::BTreeMap;

use parsurvey_index::exact::{Exact, Quantity};
use rust_xlsxwriter::{ColNum, Format, FormatAlign, FormatBorder, Formula, RowNum, Worksheet, XlsxError, utility};

use super::{Head, Sheet};
use crate::lang::Lang;
use crate::number;
use crate::table::{Align, Cell, Column, Live, Row, RowKind, Style, Table};

const A4: u8 = 9;
/// Column widths, in characters.
const NAME_WIDTH: f64 = 52.0;
const EXACT_WIDTH: f64 = 27.0;
const CODE_WIDTH: f64 = 20.0;
const NUMBER_WIDTH: f64 = 11.0;
const SHORT_WIDTH: f64 = 8.0;
/// Height of one line of text, in points.
const LINE_HEIGHT: f64 = 15.5;

/// Writes the sheet.
pub(super) fn write(page: &mut Worksheet, sheet: &Sheet, head: &Head, lang: Lang) -> Result<(), XlsxError> {
    page.set_name(lang.of(&sheet.name))?;
    let bold = Format::new().set_bold();
    page.write_string_with_format(0, 0, &head.title, &bold.clone().set_font_size(13))?;
    page.write_string_with_format(1, 0, &head.mark, &bold)?;
    let mut row: RowNum = 3;
    let mut first_header = None;
    let mut widths = BTreeMap::new();
    for table in &sheet.tables {
        first_header.get_or_insert(row + 1);
        row = write_table(page, table, row, &mut widths, lang)? + 1;
    }
    for paragraph in &sheet.paragraphs {
        let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        page.merge_range(row, 0, row, 4, lang.of(paragraph), &wrapped)?;
        page.set_row_height(row, 130)?;
        row += 1;
    }
    for (column, width) in widths {
        page.set_column_width(column, width)?;
    }
    print_setup(page, first_header, head, lang)
}

fn print_setup(page: &mut Worksheet, header: Option<RowNum>, head: &Head, lang: Lang) -> Result<(), XlsxError> {
    page.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0).set_margins(0.5, 0.5, 0.7, 0.6, 0.3, 0.3);
    page.set_header(format!("&C{}", head.mark));
    page.set_footer(match lang {
        Lang::Vi => "&L&A&RTrang &P/&N",
        Lang::En => "&L&A&RPage &P/&N",
    });
    if let Some(header) = header {
        page.set_freeze_panes(header + 1, 0)?;
        page.set_repeat_rows(header, header)?;
    }
    Ok(())
}

/// Where a table's columns stand: a two-part column takes two.
struct Places {
    by_key: BTreeMap<String, ColNum>,
    /// Rows of data written so far, for totals.
    body: Vec<RowNum>,
}

/// Writes a table from `top` and gives the first free row.
fn write_table(
    page: &mut Worksheet,
    table: &Table,
    top: RowNum,
    widths: &mut BTreeMap<ColNum, f64>,
    lang: Lang,
) -> Result<RowNum, XlsxError> {
    page.write_string_with_format(top, 0, lang.of(&table.title), &Format::new().set_italic())?;
    let mut places = Places { by_key: BTreeMap::new(), body: Vec::new() };
    let header = framed().set_bold().set_text_wrap().set_align(FormatAlign::Center).set_background_color(0xE7E6E1);
    let header = header.set_align(FormatAlign::VerticalCenter);
    let mut place: ColNum = 0;
    for (position, column) in table.columns.iter().enumerate().filter(|(_, column)| !column.technical) {
        let (first, second) = labels(column, lang);
        page.write_string_with_format(top + 1, place, first, &header)?;
        places.by_key.insert(column.key.clone(), place);
        widen(widths, place, width(table, position));
        place += 1;
        if let Some(key) = &column.maximum_key {
            page.write_string_with_format(top + 1, place, second, &header)?;
            places.by_key.insert(key.clone(), place);
            widen(widths, place, SHORT_WIDTH);
            place += 1;
        }
    }
    page.set_row_height(top + 1, 2.0 * LINE_HEIGHT)?;
    let mut line = top + 2;
    for row in table.rows.iter().filter(|row| row.kind != RowKind::Heading) {
        write_row(page, table, row, line, &places, lang)?;
        page.set_row_height(line, height(table, row, lang))?;
        if row.kind == RowKind::Body {
            places.body.push(line);
        }
        line += 1;
    }
    for note in &table.notes {
        page.write_string_with_format(line, 0, lang.of(note), &Format::new().set_italic().set_font_size(9))?;
        line += 1;
    }
    Ok(line)
}

/// The two headings of a two-part column; the second is unused for others.
fn labels(column: &Column, lang: Lang) -> (&str, &str) {
    let default = match lang {
        Lang::Vi => "Điểm tối đa",
        Lang::En => "Maximum",
    };
    lang.of(&column.label).split_once("/\u{200b}").unwrap_or((lang.of(&column.label), default))
}

fn widen(widths: &mut BTreeMap<ColNum, f64>, column: ColNum, width: f64) {
    let known = widths.entry(column).or_insert(width);
    *known = known.max(width);
}

fn width(table: &Table, position: usize) -> f64 {
    let column = &table.columns[position];
    if column.key == "exact" {
        return EXACT_WIDTH;
    }
    let longest = table.rows.iter().map(|row| match &row.cells[position] {
        Cell::Text(text) => text.chars().count(),
        Cell::Name(name) => name.vi.chars().count().max(name.en.chars().count()),
        Cell::Blank
        | Cell::Count(_)
        | Cell::Share(_)
        | Cell::Number(..)
        | Cell::Points { .. }
        | Cell::Unrounded(_)
        | Cell::Flag(..) => 0,
    });
    match (column.align, longest.max().unwrap_or(0)) {
        (Align::Left, 0..=6) => SHORT_WIDTH,
        (Align::Left, 7..=20) => CODE_WIDTH,
        (Align::Left, 21..=59) => NAME_WIDTH,
        (Align::Left, 60..) => NAME_WIDTH + 16.0,
        (Align::Right | Align::Center, _) => NUMBER_WIDTH,
    }
}

/// Readers that do not fit heights themselves would cut a wrapped text, so the height is given.
fn height(table: &Table, row: &Row, lang: Lang) -> f64 {
    let lines = row.cells.iter().enumerate().map(|(position, cell)| match cell {
        Cell::Text(_) | Cell::Name(_) => lines(cell.shown(lang).chars().count(), width(table, position) * 1.1),
        Cell::Unrounded(Quantity::Value(value)) => lines(value.to_string().len(), EXACT_WIDTH * 1.1),
        Cell::Blank
        | Cell::Count(_)
        | Cell::Share(_)
        | Cell::Number(..)
        | Cell::Points { .. }
        | Cell::Unrounded(Quantity::Without(_))
        | Cell::Flag(..) => 1.0,
    });
    lines.fold(1.0, f64::max) * LINE_HEIGHT
}

fn lines(characters: usize, width: f64) -> f64 {
    (f64::from(u32::try_from(characters).unwrap_or(u32::MAX)) / width).ceil().max(1.0)
}

fn framed() -> Format {
    Format::new().set_border(FormatBorder::Thin).set_border_color(0xB0B0B0).set_align(FormatAlign::Top)
}

fn write_row(
    page: &mut Worksheet,
    table: &Table,
    row: &Row,
    line: RowNum,
    places: &Places,
    lang: Lang,
) -> Result<(), XlsxError> {
    let mut base = framed();
    if row.kind == RowKind::Total {
        base = base.set_bold().set_background_color(0xF4F3EF);
    }
    if row.marked {
        base = base.set_background_color(0xFBEFD9);
    }
    for (column, cell) in table.columns.iter().zip(&row.cells).filter(|(column, _)| !column.technical) {
        let place = places.by_key[&column.key];
        let second = column.maximum_key.as_ref().map(|key| places.by_key[key]);
        let writer = Writer { base: &base, column, row, line, places, lang };
        let shown = if row.is_total_key(column) { &Cell::Blank } else { cell };
        writer.cell(page, shown, place, second)?;
    }
    Ok(())
}

/// What every cell of a row shares.
struct Writer<'a> {
    base: &'a Format,
    column: &'a Column,
    row: &'a Row,
    line: RowNum,
    places: &'a Places,
    lang: Lang,
}

impl Writer<'_> {
    fn cell(&self, page: &mut Worksheet, cell: &Cell, place: ColNum, second: Option<ColNum>) -> Result<(), XlsxError> {
        // A maximum's column is framed even when the first part fills none of it.
        if let Some(second) = second {
            page.write_blank(self.line, second, self.base)?;
        }
        match cell {
            Cell::Blank => {
                page.write_blank(self.line, place, self.base)?;
            }
            Cell::Text(_) | Cell::Name(_) | Cell::Flag(..) => {
                page.write_string_with_format(self.line, place, cell.shown(self.lang), &self.words())?;
            }
            Cell::Count(value) => self.whole(page, place, *value)?,
            Cell::Share(share) => {
                self.whole(page, place, share.map(|(part, _)| part))?;
                if let Some(second) = second {
                    self.whole(page, second, share.map(|(_, whole)| whole))?;
                }
            }
            Cell::Number(value, style) => self.number(page, place, value, *style)?,
            Cell::Points { points, maximum, brief: _ } => {
                self.number(page, place, points, Style::Plain)?;
                if let Some(second) = second.filter(|_| !maximum.is_zero()) {
                    self.number(page, second, &maximum.clone().into(), Style::Declared)?;
                }
            }
            Cell::Unrounded(value) => {
                let fraction = value.value().map_or_else(|| "–".to_owned(), Exact::to_string);
                let small = self.base.clone().set_font_size(9).set_text_wrap().set_indent(1);
                page.write_string_with_format(self.line, place, fraction, &small)?;
            }
        }
        Ok(())
    }

    fn words(&self) -> Format {
        let align = match self.column.align {
            Align::Left => FormatAlign::Left,
            Align::Right => FormatAlign::Right,
            Align::Center => FormatAlign::Center,
        };
        self.base.clone().set_text_wrap().set_align(align)
    }

    fn whole(&self, page: &mut Worksheet, place: ColNum, value: Option<u64>) -> Result<(), XlsxError> {
        match value {
            Some(value) => self.value(page, place, &Exact::from(value), "#,##0"),
            None => self.dash(page, place, "–"),
        }
    }

    fn number(&self, page: &mut Worksheet, place: ColNum, value: &Quantity, style: Style) -> Result<(), XlsxError> {
        let form = match style {
            Style::Plain | Style::Percent => "0.00",
            Style::Signed => "+0.00;-0.00;0.00",
            Style::PercentPoints => "+0.00\" pp\";-0.00\" pp\";0.00\" pp\"",
            Style::Declared => "General",
        };
        match (value, style) {
            // A change of 0.001 would show as "+0.00": a change is read, not reckoned with, so the cell holds what is printed.
            (Quantity::Value(value), Style::Signed | Style::PercentPoints) => {
                let printed = value.rounded(number::PLACES).parse().unwrap_or_else(|_| value.clone());
                self.value(page, place, &printed, form)
            }
            (Quantity::Value(value), Style::Plain | Style::Percent | Style::Declared) => {
                self.value(page, place, value, form)
            }
            (
                Quantity::Without(why),
                Style::Plain | Style::Percent | Style::Signed | Style::PercentPoints | Style::Declared,
            ) => self.dash(page, place, &number::without(*why, self.lang)),
        }
    }

    fn dash(&self, page: &mut Worksheet, place: ColNum, words: &str) -> Result<(), XlsxError> {
        page.write_string_with_format(self.line, place, words, &self.words())?;
        Ok(())
    }

    /// A constant, or the column's formula with the exact result cached for readers that do not reckon.
    fn value(&self, page: &mut Worksheet, place: ColNum, value: &Exact, form: &str) -> Result<(), XlsxError> {
        let format = self.base.clone().set_num_format(form).set_align(FormatAlign::Right);
        match self.formula(place) {
            Some(formula) => {
                let formula = Formula::new(formula).set_result(value.decimal());
                page.write_formula_with_format(self.line, place, formula, &format)?;
            }
            None => {
                // The file format has no other number than this; the exact one stands in the text beside it.
                let nearest: f64 = value.decimal().parse().expect("a decimal numeral is a float literal");
                page.write_number_with_format(self.line, place, nearest, &format)?;
            }
        }
        Ok(())
    }

    fn formula(&self, place: ColNum) -> Option<String> {
        let at = |key: &str| Some(utility::row_col_to_cell(self.line, *self.places.by_key.get(key)?));
        match &self.column.live {
            Live::No => None,
            Live::Sum => (self.row.kind == RowKind::Total && !self.places.body.is_empty())
                .then(|| format!("=SUM({})", ranges(&self.places.body, place))),
            Live::RowSum(keys) => {
                // The maximum of a sum is the sum of the maxima.
                let is_maximum = self.column.maximum_key.as_ref().is_some_and(|key| self.places.by_key[key] == place);
                let suffix = if is_maximum { "_maximum" } else { "" };
                let cells: Option<Vec<String>> = keys.iter().map(|key| at(&format!("{key}{suffix}"))).collect();
                Some(format!("=SUM({})", cells?.join(",")))
            }
            Live::PercentOf(part, whole) => Some(format!("={}/{}*100", at(part)?, at(whole)?)),
        }
    }
}

/// Consecutive rows as ranges: `C5:C8,C10`.
fn ranges(rows: &[RowNum], column: ColNum) -> String {
    let mut spans: Vec<(RowNum, RowNum)> = Vec::new();
    for row in rows {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *row => *last = *row,
            Some(_) | None => spans.push((*row, *row)),
        }
    }
    let cell = |row| utility::row_col_to_cell(row, column);
    let written = spans.iter().map(|(first, last)| format!("{}:{}", cell(*first), cell(*last)));
    written.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn rows_of_data_become_ranges_around_the_totals_between_them() {
        assert_eq!(ranges(&[4, 5, 6], 2), "C5:C7");
        assert_eq!(ranges(&[4, 5, 7], 2), "C5:C6,C8:C8");
    }
}
