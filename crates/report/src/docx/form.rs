//! The parts of an official letter: national title, issuing body, number and date, subject, signature, recipients; page,
//! fonts and styles. What the letter is about is said elsewhere.
//!
//! Sizes are half points and lengths are twentieths of a point, as the format counts them; the numbers are those of
//! Nghị định 30/2020/NĐ-CP, Phụ lục I.

use docx_rs::{
    AlignmentType, BorderType, Docx, Header, LineSpacing, LineSpacingType, PageMargin, PageNum, Paragraph, Run,
    RunFonts, Shading, SpecialIndentType, Style, StyleType, Table, TableAlignmentType, TableBorder,
    TableBorderPosition, TableBorders, TableCell, TableCellBorders, TableCellMargins, TableLayoutType, TableRow,
    VAlignType, WidthType,
};

/// Text between the margins: 210 − 30 − 20 mm.
pub(super) const TEXT_WIDTH: usize = 9070;
/// The left column of head and foot; the right one is wider, because the national title must stand in one line.
const LEFT: usize = 3550;
/// 13 pt, the size of the text.
const TEXT: usize = 26;
/// 12 pt, in tables.
const IN_TABLE: usize = 24;
/// 11 pt, the list of recipients.
const RECIPIENTS: usize = 22;

const FONT: &str = "Times New Roman";

/// The style of tables whose first row is a heading.
pub(super) const GRID: &str = "CountTable";

/// The mark of everything made of synthetic data.
const SYNTHETIC: &str = "SỐ LIỆU GIẢ ĐỊNH";

/// What stands around a letter's text.
pub(super) struct Frame<'a> {
    pub(super) superior: Option<&'a str>,
    pub(super) agency: &'a str,
    pub(super) place: &'a str,
    pub(super) date: &'a str,
    pub(super) symbol: &'a str,
    pub(super) subject: &'a str,
    pub(super) signer: &'a str,
    pub(super) synthetic: bool,
}

pub(super) fn run(text: &str) -> Run {
    Run::new().add_text(text)
}

pub(super) fn line(run: Run, align: AlignmentType) -> Paragraph {
    Paragraph::new().align(align).add_run(run)
}

/// A page of A4 with the prescribed margins, its number in the middle of the head from the second page on, and the styles
/// that the letter is written in.
pub(super) fn page(title: &str, synthetic: bool) -> Docx {
    let mark = || line(run(SYNTHETIC).bold().size(IN_TABLE).color("C00000"), AlignmentType::Center).style("Header");
    let number = Paragraph::new().style("Header").align(AlignmentType::Center).add_page_num(PageNum::new());
    let (mut first, mut other) = (Header::new(), Header::new().add_paragraph(number));
    if synthetic {
        first = first.add_paragraph(mark());
        other = other.add_paragraph(mark());
    } else {
        first = first.add_paragraph(Paragraph::new().style("Header"));
    }
    let docx = Docx::new()
        .page_size(11906, 16838)
        .page_margin(PageMargin::new().top(1134).bottom(1134).left(1701).right(1134).header(567).footer(567).gutter(0))
        .default_fonts(RunFonts::new().ascii(FONT).hi_ansi(FONT).east_asia(FONT).cs(FONT))
        .default_size(TEXT)
        .custom_property("title", title)
        .created_at("1970-01-01T00:00:00Z")
        .updated_at("1970-01-01T00:00:00Z")
        .first_header(first)
        .header(other);
    styles().into_iter().fold(docx, Docx::add_style)
}

fn spacing(before: u32, after: u32) -> LineSpacing {
    LineSpacing::new().before(before).after(after).line(240).line_rule(LineSpacingType::Auto)
}

fn styles() -> Vec<Style> {
    let paragraph = |id: &str, name: &str| Style::new(id, StyleType::Paragraph).name(name).based_on("Normal");
    vec![
        Style::new("Normal", StyleType::Paragraph).name("Normal").size(TEXT).line_spacing(spacing(0, 0)),
        // The first line goes in by 1 cm; 6 pt stand between paragraphs.
        paragraph("BodyText", "Body Text").align(AlignmentType::Both).line_spacing(spacing(120, 0)).indent(
            None,
            Some(SpecialIndentType::FirstLine(567)),
            None,
            None,
        ),
        paragraph("Heading1", "heading 1")
            .next("BodyText")
            .bold()
            .outline_lvl(0)
            .line_spacing(spacing(120, 40))
            .indent(None, Some(SpecialIndentType::FirstLine(567)), None, None),
        paragraph("Title", "Title").bold().align(AlignmentType::Center).line_spacing(spacing(240, 120)),
        paragraph("Caption", "caption").italic().size(TEXT).align(AlignmentType::Center).line_spacing(spacing(120, 60)),
        paragraph("Header", "header").size(TEXT).align(AlignmentType::Center).line_spacing(spacing(0, 60)),
        paragraph("TableText", "Table Text").size(IN_TABLE).line_spacing(spacing(30, 30)),
        paragraph("Note", "Note").size(IN_TABLE).italic().align(AlignmentType::Both).line_spacing(spacing(80, 0)),
        Style::new(GRID, StyleType::Table).name("Count Table").set_borders(borders()),
    ]
}

fn borders() -> TableBorders {
    let of = |position| TableBorder::new(position).border_type(BorderType::Single).size(4).color("000000");
    TableBorders::with_empty()
        .set(of(TableBorderPosition::Top))
        .set(of(TableBorderPosition::Bottom))
        .set(of(TableBorderPosition::Left))
        .set(of(TableBorderPosition::Right))
        .set(of(TableBorderPosition::InsideH))
        .set(of(TableBorderPosition::InsideV))
}

/// The head: issuing body and number on the left, national title and date on the right.
pub(super) fn head(docx: Docx, frame: &Frame<'_>) -> Docx {
    let center = |run| line(run, AlignmentType::Center);
    let mut left = TableCell::new();
    if let Some(superior) = frame.superior {
        left = left.add_paragraph(center(run(&superior.to_uppercase()).size(TEXT)));
    }
    left = left.add_paragraph(center(run(&frame.agency.to_uppercase()).bold().size(TEXT)));
    // A line of a third to a half of the words' width stands below the body's name, one of their full width below the motto.
    left = left.add_paragraph(center(run("_______").bold().size(16)));
    let right = TableCell::new()
        .add_paragraph(center(run("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM").bold().size(IN_TABLE)))
        .add_paragraph(center(run("Độc lập - Tự do - Hạnh phúc").bold().size(TEXT)))
        .add_paragraph(center(run("________________________").bold().size(16)));
    let numbered = TableCell::new()
        .add_paragraph(center(run(&format!("Số: ……/{}", frame.symbol)).size(TEXT)))
        .add_paragraph(center(run(frame.subject).size(IN_TABLE)));
    let dated =
        TableCell::new().add_paragraph(center(run(&format!("{}, {}", frame.place, frame.date)).italic().size(TEXT)));
    let rows = vec![TableRow::new(wide(vec![left, right])), TableRow::new(wide(vec![numbered, dated]))];
    docx.add_table(plain(rows))
}

/// The foot: recipients on the left, the signer's post on the right with room for signature and stamp.
pub(super) fn foot(docx: Docx, frame: &Frame<'_>, file: &str) -> Docx {
    let item = |text: &str| line(run(text).size(RECIPIENTS), AlignmentType::Left);
    let left = TableCell::new()
        .add_paragraph(line(run("Nơi nhận:").bold().italic().size(IN_TABLE), AlignmentType::Left))
        .add_paragraph(item("- Như trên;"))
        .add_paragraph(item(&format!("- Lưu: VT, {file}.")));
    let center = |run| line(run, AlignmentType::Center);
    let mut right =
        TableCell::new().add_paragraph(center(run(&frame.signer.to_uppercase()).bold().size(TEXT)).keep_next(true));
    for _ in 0..3 {
        right = right.add_paragraph(Paragraph::new().keep_next(true));
    }
    right = right.add_paragraph(center(run("………………………").bold().size(TEXT)));
    let spacer = Paragraph::new().line_spacing(spacing(120, 0)).keep_next(true);
    docx.add_paragraph(spacer).add_table(plain(vec![TableRow::new(wide(vec![left, right])).cant_split()]))
}

/// The two cells of a row of head or foot.
fn wide(cells: Vec<TableCell>) -> Vec<TableCell> {
    let widths = [LEFT, TEXT_WIDTH - LEFT];
    cells.into_iter().zip(widths).map(|(cell, width)| cell.width(width, WidthType::Dxa).clear_all_border()).collect()
}

fn plain(rows: Vec<TableRow>) -> Table {
    Table::without_borders(rows)
        .set_grid(vec![LEFT, TEXT_WIDTH - LEFT])
        .width(TEXT_WIDTH, WidthType::Dxa)
        .layout(TableLayoutType::Fixed)
        .align(TableAlignmentType::Center)
        .margins(TableCellMargins::new().margin_left(0, WidthType::Dxa).margin_right(0, WidthType::Dxa))
}

/// A cell of a table of counts or names.
pub(super) struct Entry {
    pub(super) text: String,
    pub(super) align: AlignmentType,
}

/// A table with a heading row that is repeated on every page (`pack` sees to it), rows that no page cuts, and a last row in bold where `totals`.
pub(super) fn grid(widths: &[usize], headings: &[&str], rows: Vec<Vec<Entry>>, totals: bool) -> Table {
    let cell = |width: usize, run: Run, align: AlignmentType| {
        TableCell::new()
            .width(width, WidthType::Dxa)
            .set_borders(TableCellBorders::new())
            .vertical_align(VAlignType::Center)
            .add_paragraph(line(run, align).style("TableText"))
    };
    let heading = widths.iter().zip(headings).map(|(width, heading)| {
        let shade = Shading::new().fill("E7E6E6").color("auto");
        cell(*width, run(heading).bold().size(IN_TABLE), AlignmentType::Center).shading(shade)
    });
    let mut all = vec![TableRow::new(heading.collect()).cant_split()];
    let last = rows.len();
    for (number, row) in rows.into_iter().enumerate() {
        let is_total = totals && number + 1 == last;
        let cells = widths.iter().zip(row).map(|(width, entry)| {
            let text = run(&entry.text).size(IN_TABLE);
            cell(*width, if is_total { text.bold() } else { text }, entry.align)
        });
        all.push(TableRow::new(cells.collect()).cant_split());
    }
    Table::new(all)
        .style(GRID)
        .set_grid(widths.to_vec())
        .width(widths.iter().sum(), WidthType::Dxa)
        .layout(TableLayoutType::Fixed)
        .align(TableAlignmentType::Center)
}
