//! A table for the terminal. No colour: what is printed is often pasted into a letter or a log.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table as Grid, Width, presets};

use super::{Align, Cell, Column, Row, RowKind, Table};
use crate::lang::Lang;

/// A name is not broken into shorter lines than this, where the screen allows it.
const NAME_WIDTH: u16 = 24;

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
        fit(&mut grid, table, width);
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
fn fit(grid: &mut Grid, table: &Table, width: u16) {
    let too_wide = |grid: &Grid| grid.lines().any(|line| line.trim_end().chars().count() > usize::from(width));
    for spared in [|column: &Column, _: &Table, _: usize| column.technical, is_unrounded] {
        if !too_wide(grid) {
            return;
        }
        for (place, column) in table.columns.iter().enumerate() {
            if spared(column, table, place)
                && let Some(cells) = grid.column_mut(place)
            {
                cells.set_constraint(ColumnConstraint::Hidden);
            }
        }
    }
    if too_wide(grid) {
        grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        let widths = grid.column_max_content_widths();
        for (cells, content) in grid.column_iter_mut().zip(widths) {
            if !cells.is_hidden() && content > NAME_WIDTH {
                cells.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(NAME_WIDTH)));
            }
        }
    }
}

/// Whether a column repeats its neighbour with every digit.
fn is_unrounded(_: &Column, table: &Table, place: usize) -> bool {
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
