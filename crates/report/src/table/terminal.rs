//! A table for the terminal. No colour: what is printed is often pasted into a letter or a log.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table as Grid, presets};

use super::{Align, Row, RowKind, Table};
use crate::lang::Lang;

/// The table with its title and notes, at most `width` columns wide where a width is given.
#[must_use]
pub fn to_terminal(table: &Table, lang: Lang, width: Option<u16>) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::UTF8_HORIZONTAL_ONLY);
    if let Some(width) = width {
        grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
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
