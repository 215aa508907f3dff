//! The letter that chases a unit, and the table over all units that goes with the letters to whoever signs them.
//!
//! Numbers of forms only. People are named only where the caller hands them in, which it may on the organiser's order.

use docx_rs::{AlignmentType, Paragraph};
use parsurvey_survey::chase::ChaseCounts;

use super::form::{self, Entry, Frame, foot, grid, head, line, page, run};
use super::pack::pack;
use crate::ReportError;
use crate::lang::Lang;
use crate::number;

/// Everything a letter says.
#[derive(Clone)]
pub struct ChaseLetter {
    /// The body above the one that chases.
    pub superior: Option<String>,
    /// The body that chases.
    pub agency: String,
    /// The place before the date.
    pub place: String,
    /// The letter's date in words, such as `ngày 22 tháng 12 năm 2023`.
    pub date: String,
    /// The day of the counts, such as `22/12/2023`.
    pub day: String,
    /// What follows the slash of the letter's number.
    pub symbol: String,
    /// The post of who signs.
    pub signer: String,
    /// The survey's title.
    pub title: String,
    /// The year that is rated.
    pub year: i16,
    /// The body that runs the survey.
    pub organiser: String,
    /// The official letter that announced it.
    pub official_letter: String,
    /// The unit that is written to.
    pub to: String,
    /// The units it is about.
    pub rows: Vec<UnitCounts>,
    /// Their sum.
    pub total: ChaseCounts,
    /// The deadline in force, such as `23:59 ngày 10/01/2024`.
    pub closes: String,
    /// Where every true mail comes from.
    pub sender_address: String,
    /// The domain of every true link.
    pub link_domain: String,
    /// The helpline's number.
    pub helpline_phone: String,
    /// The helpline's address.
    pub helpline_email: String,
    /// The people named, on [`ChaseLetter::order`]; `None` where the letter names nobody.
    pub names: Option<Vec<NamedPerson>>,
    /// The document that allows names.
    pub order: String,
    /// Whether the data are made up.
    pub synthetic: bool,
}

/// Somebody a letter names. Has no `Debug`, so that it cannot be logged by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedPerson {
    /// The name.
    pub name: String,
    /// The position.
    pub position: String,
    /// The unit's name.
    pub unit: String,
}

/// A unit's name and counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitCounts {
    /// The name.
    pub name: String,
    /// Its seats.
    pub counts: ChaseCounts,
}

/// The table over all units.
#[derive(Debug, Clone)]
pub struct ChaseSummary {
    /// The survey's title.
    pub title: String,
    /// The day of the counts, such as `22/12/2023`.
    pub day: String,
    /// The deadline in force.
    pub closes: String,
    /// Every unit that holds seats.
    pub rows: Vec<UnitCounts>,
    /// Their sum.
    pub total: ChaseCounts,
    /// Whether the data are made up.
    pub synthetic: bool,
}

/// Widths of the table of counts: the unit, then seven numbers.
const WIDTHS: [usize; 8] = [2360, 880, 940, 940, 1160, 960, 880, 950];
const HEADINGS: [&str; 8] = [
    "Cơ quan, đơn vị",
    "Số phiếu",
    "Thư chưa đến",
    "Chưa phản hồi",
    "Đã bắt đầu hoặc liên hệ",
    "Được miễn",
    "Đã gửi",
    "Còn phải gửi",
];
const NOTE: &str = "Ghi chú: “Thư chưa đến”: chưa có thư kèm đường dẫn nào được xác nhận đã đến. “Đã bắt đầu hoặc liên hệ”: \
    đã mở phiếu trả lời hoặc đã liên hệ, chưa gửi. Còn phải gửi = số phiếu − được miễn − đã gửi.";

/// The letter's bytes.
///
/// # Errors
/// [`ReportError::Docx`] when the writer fails.
pub fn chase_letter(letter: &ChaseLetter) -> Result<Vec<u8>, ReportError> {
    let subject = format!("V/v đôn đốc trả lời phiếu khảo sát năm {}", letter.year);
    let frame = Frame {
        superior: letter.superior.as_deref(),
        agency: &letter.agency,
        place: &letter.place,
        date: &letter.date,
        symbol: &letter.symbol,
        subject: &subject,
        signer: &letter.signer,
        synthetic: letter.synthetic,
    };
    let mut docx = head(page(&subject, frame.synthetic), &frame);
    docx = docx.add_paragraph(
        line(run(&format!("Kính gửi: {}", letter.to)), AlignmentType::Center)
            .line_spacing(docx_rs::LineSpacing::new().before(160).after(60)),
    );
    let opening = format!(
        "Thực hiện {}, {} tổ chức “{}”. {} thông báo tình hình trả lời phiếu tính đến ngày {} và đề nghị {} phối hợp như sau:",
        letter.official_letter, letter.organiser, letter.title, letter.agency, letter.day, letter.to
    );
    docx = docx.add_paragraph(body(&opening)).add_paragraph(heading("1. Tình hình trả lời phiếu"));
    docx = docx
        .add_table(counts(&letter.rows, letter.total))
        .add_paragraph(Paragraph::new().style("Note").add_run(run(NOTE)));
    docx = docx.add_paragraph(heading("2. Đề nghị"));
    for text in requests(letter) {
        docx = docx.add_paragraph(body(&text));
    }
    if let Some(names) = &letter.names {
        docx = docx.add_paragraph(heading("3. Danh sách người chưa phản hồi")).add_paragraph(body(&format!(
            "Danh sách lập theo {}, tính đến ngày {}. Người đã bắt đầu trả lời hoặc đã liên hệ không có trong danh sách; danh \
             sách chỉ để nhắc và không dùng vào việc khác.",
            letter.order, letter.day
        )));
        docx = docx.add_paragraph(Paragraph::new().style("TableText")).add_table(named(names));
    }
    let number = if letter.names.is_some() { 4 } else { 3 };
    docx = docx.add_paragraph(heading(&format!("{number}. Nhận biết thư khảo sát chính thức và hỗ trợ")));
    docx = docx.add_paragraph(body(&recognition(letter)));
    // The last words go with the signature, which must never stand on a page alone.
    let closing =
        body(&format!("{} trân trọng cảm ơn sự phối hợp của {}./.", letter.agency, letter.to)).keep_next(true);
    docx = foot(docx.add_paragraph(closing), &frame, unit_symbol(&letter.symbol));
    pack(docx)
}

/// The bytes of the table over all units.
///
/// # Errors
/// [`ReportError::Docx`] when the writer fails.
pub fn chase_summary(summary: &ChaseSummary) -> Result<Vec<u8>, ReportError> {
    let title = "BẢNG TỔNG HỢP TÌNH HÌNH TRẢ LỜI PHIẾU KHẢO SÁT";
    let about = format!("{}. Tính đến ngày {}; hạn trả lời: {}.", summary.title, summary.day, summary.closes);
    let docx = page(title, summary.synthetic)
        .add_paragraph(line(run(title), AlignmentType::Center).style("Title"))
        .add_paragraph(line(run(&about).italic(), AlignmentType::Center).style("Caption"))
        .add_table(counts(&summary.rows, summary.total))
        .add_paragraph(Paragraph::new().style("Note").add_run(run(NOTE)));
    pack(docx)
}

fn body(text: &str) -> Paragraph {
    Paragraph::new().style("BodyText").add_run(run(text))
}

fn heading(text: &str) -> Paragraph {
    Paragraph::new().style("Heading1").keep_next(true).add_run(run(text))
}

/// The division of a symbol such as `SNV-CCHC` keeps the letter; a symbol of one part does so itself.
fn unit_symbol(symbol: &str) -> &str {
    symbol.rsplit('-').next().unwrap_or(symbol)
}

fn requests(letter: &ChaseLetter) -> Vec<String> {
    let total = letter.total;
    let count = |value| number::count(value, Lang::Vi);
    let is_one = total.not_delivered == 0;
    let mut texts = vec![format!(
        "{}Nhắc các cá nhân có tên trong danh sách khảo sát gửi phiếu trước {}. Số phiếu còn phải gửi: {}.",
        if is_one { "" } else { "a) " },
        letter.closes,
        count(total.outstanding)
    )];
    if !is_one {
        texts.push(format!(
            "b) Rà soát địa chỉ thư điện tử của các cá nhân trong danh sách: {} phiếu chưa có thư nào được xác nhận đã đến; báo \
             địa chỉ đúng cho đường dây hỗ trợ.",
            count(total.not_delivered)
        ));
    }
    texts.push(
        "Việc trả lời là tự nguyện và được giữ kín: không yêu cầu ai cho xem, không hỏi và không chọn thay câu trả lời. Không \
         cơ quan, đơn vị nào được biết câu trả lời của cá nhân."
            .to_owned(),
    );
    texts
}

fn recognition(letter: &ChaseLetter) -> String {
    format!(
        "Thư khảo sát chính thức gửi từ địa chỉ {}; đường dẫn đến phiếu luôn thuộc tên miền {} và không bao giờ hỏi mật khẩu. \
         Mỗi đường dẫn dành riêng cho một người, không chuyển tiếp. Hỗ trợ: điện thoại {}; thư điện tử {}.",
        letter.sender_address, letter.link_domain, letter.helpline_phone, letter.helpline_email
    )
}

fn counts(rows: &[UnitCounts], total: ChaseCounts) -> docx_rs::Table {
    let row = |name: &str, counts: &ChaseCounts| {
        let numbers = [
            counts.listed,
            counts.not_delivered,
            counts.silent,
            counts.started,
            counts.excused,
            counts.completed,
            counts.outstanding,
        ];
        let mut cells = vec![Entry { text: name.to_owned(), align: AlignmentType::Left }];
        cells.extend(numbers.map(|value| Entry { text: number::count(value, Lang::Vi), align: AlignmentType::Center }));
        cells
    };
    let mut all: Vec<_> = rows.iter().map(|unit| row(&unit.name, &unit.counts)).collect();
    let totals = rows.len() > 1;
    if totals {
        all.push(row("Cộng", &total));
    }
    grid(&WIDTHS, &HEADINGS, all, totals)
}

fn named(names: &[NamedPerson]) -> docx_rs::Table {
    let rows = names.iter().enumerate().map(|(place, person)| {
        let left = |text: &str| Entry { text: text.to_owned(), align: AlignmentType::Left };
        let number = Entry { text: (place + 1).to_string(), align: AlignmentType::Center };
        vec![number, left(&person.name), left(&person.position), left(&person.unit)]
    });
    let widths = [770, 2700, 2800, 2800];
    debug_assert_eq!(widths.iter().sum::<usize>(), form::TEXT_WIDTH);
    grid(&widths, &["STT", "Họ và tên", "Chức vụ", "Cơ quan, đơn vị"], rows.collect(), false)
}
