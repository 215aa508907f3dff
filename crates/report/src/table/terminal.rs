//! A table for the terminal. No colour: what is printed is often pasted into a letter or a log.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table as Grid, Width, presets};

use super::{Align, Cell, Column, Row, RowKind, Table};
use crate::lang::Lang;

/// The shortest lines a name is broken into, and whether words of a heading stay whole: the first that fits is taken.
const BREAKS: [(usize, bool); 3] = [(24, true), (24, false), (12, false)];

/// The table with its title and notes, at most `width` characters wide where a width is given. What does not fit loses
/// first the columns that only commands and recalculations need, then breaks its names into lines.
#[must_use]
pub fn to_terminal(table: &Table, lang: Lang, width: Option<u16>) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::UTF8_HORIZONTAL_ONLY);
    // Rows without lines between them: a table of 22 must fit a screen.
    grid.style_mut().row_separator = LineStyle::none();
    grid.set_header(table.columns.iter().map(|column| lang.of(&column.label).replace('\u{200b}', "")));
    for row in &table.rows {
        grid.add_row(shown_row(row, lang));
    }
    for (place, column) in table.columns.iter().enumerate() {
        if let Some(cells) = grid.column_mut(place) {
            cells.set_cell_alignment(match column.align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
                Align::Center => CellAlignment::Center,
            });
        }
    }
    if let Some(width) = width {
        fit(&mut grid, table, lang, width);
    }
    let mut out = format!("{}\n", lang.of(&table.title));
    for line in grid.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for note in &table.notes {
        out.push_str(&format!("* {}\n", lang.of(note)));
    }
    out
}

/// Makes the table at most `width` characters wide.
fn fit(grid: &mut Grid, table: &Table, lang: Lang, width: u16) {
    let too_wide = |grid: &Grid| grid.lines().any(|line| line.trim_end().chars().count() > usize::from(width));
    for spared in [is_code, is_unrounded] {
        if !too_wide(grid) {
            return;
        }
        for (place, column) in table.columns.iter().enumerate() {
            if spared(table, column, place)
                && let Some(cells) = grid.column_mut(place)
            {
                cells.set_constraint(ColumnConstraint::Hidden);
            }
        }
    }
    for (name_width, whole_headings) in BREAKS {
        if !too_wide(grid) {
            return;
        }
        grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        for (place, cells) in grid.column_iter_mut().enumerate() {
            if !cells.is_hidden() {
                let least = least_width(table, place, lang, name_width, whole_headings) + cells.padding_width();
                cells.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
            }
        }
    }
}

/// The fewest characters in which a column can be read. A number is never broken.
fn least_width(table: &Table, place: usize, lang: Lang, name_width: usize, whole_headings: bool) -> u16 {
    let column = &table.columns[place];
    let label = lang.of(&column.label).replace('\u{200b}', "");
    let heading = label.split(' ').map(|word| word.chars().count()).max().filter(|_| whole_headings);
    let cells = table.rows.iter().filter_map(|row| row.cells.get(place));
    let widest = cells.map(|cell| cell.shown(lang).chars().count()).max().unwrap_or_default();
    let content = match column.align {
        Align::Left => widest.min(name_width),
        Align::Right | Align::Center => widest,
    };
    u16::try_from(content.max(heading.unwrap_or_default())).unwrap_or(u16::MAX)
}

/// Whether a column is a key for commands, or a code that stands before its own name.
fn is_code(table: &Table, column: &Column, place: usize) -> bool {
    let named = |row: &Row| {
        matches!(row.cells.get(place), Some(Cell::Text(_))) && matches!(row.cells.get(place + 1), Some(Cell::Name(_)))
    };
    let key = matches!(column.key.as_str(), "code" | "key" | "group");
    column.technical || (key && place == 0 && table.rows.iter().all(named))
}

/// Whether a column repeats its neighbour with every digit.
fn is_unrounded(table: &Table, _: &Column, place: usize) -> bool {
    table.rows.iter().any(|row| matches!(row.cells.get(place), Some(Cell::Unrounded(_))))
}

/// Without bold type, a heading inside the table is told by a mark before its first text.
fn shown_row(row: &Row, lang: Lang) -> Vec<String> {
    let mut cells: Vec<String> = row.cells.iter().map(|cell| cell.shown(lang)).collect();
    match row.kind {
        RowKind::Heading => {
            if let Some(first) = cells.first_mut() {
                first.insert_str(0, "▪ ");
            }
        }
        RowKind::Body | RowKind::Total => {}
    }
    cells
}
