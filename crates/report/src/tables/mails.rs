//! What became of mails: all of them, one of them, and the seats that got none.
//!
//! They come as plain rows from the caller; they hold form numbers and codes, never names, addresses or links.

use super::code;
use crate::lang::text;
use crate::table::{Cell, Column, Table};

/// One mail of the outbox, without its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRow {
    /// The mail's number.
    pub mail: i64,
    /// The form's number.
    pub form: i64,
    /// The group's code.
    pub group: String,
    /// The unit's code.
    pub unit: String,
    /// The kind, such as `reminder`.
    pub kind: String,
    /// The wave.
    pub wave: u32,
    /// The state in a word, such as `accepted`, `rejected`, `unknown`.
    pub state: String,
    /// The relay's code, if it gave one.
    pub code: Option<u16>,
    /// The relay's text with addresses masked by the caller.
    pub text: String,
    /// When, RFC 3339.
    pub at: String,
}

/// Mails, one row each.
#[must_use]
pub fn mail_table(mails: &[MailRow]) -> Table {
    let mut table = Table::new(
        "mails",
        text("Thư đã gửi", "Mails"),
        vec![
            Column::right("mail", text("Thư số", "Mail")),
            Column::right("form", text("Phiếu số", "Form")),
            Column::left("group", text("Nhóm", "Group")),
            Column::left("unit", text("Đơn vị", "Unit")),
            Column::left("kind", text("Loại thư", "Kind")),
            Column::right("wave", text("Đợt", "Wave")),
            Column::left("state", text("Trạng thái", "State")),
            Column::right("code", text("Mã trả lời", "Code")),
            Column::left("text", text("Trả lời của máy chủ thư", "Relay's reply")),
            Column::left("at", text("Thời điểm", "At")),
        ],
    );
    for mail in mails {
        table.push(vec![
            code(mail.mail),
            code(mail.form),
            code(&mail.group),
            code(&mail.unit),
            code(&mail.kind),
            Cell::Count(Some(u64::from(mail.wave))),
            code(&mail.state),
            Cell::Count(mail.code.map(u64::from)),
            code(&mail.text),
            code(&mail.at),
        ]);
    }
    table
}

/// One line of a mail's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// When, RFC 3339.
    pub at: String,
    /// What the line says, such as `sending`, `accepted`, `bounced_hard`.
    pub result: String,
    /// Where in the dialogue; `later` for what was learnt afterwards.
    pub stage: String,
    /// The relay's code, if it gave one.
    pub code: Option<u16>,
    /// The enhanced code, if it gave one.
    pub enhanced: String,
    /// The relay's text with addresses masked by the caller.
    pub text: String,
    /// Who was spoken to, and under which TLS.
    pub peer: String,
    /// SHA-256 of the bytes, in the mark before the final dot.
    pub sha256: String,
}

/// The history of one mail, oldest line first.
#[must_use]
pub fn attempt_table(attempts: &[AttemptRow]) -> Table {
    let mut table = Table::new(
        "attempts",
        text("Lịch sử của một thư", "History of a mail"),
        vec![
            Column::left("at", text("Thời điểm", "At")),
            Column::left("result", text("Kết quả", "Result")),
            Column::left("stage", text("Bước", "Stage")),
            Column::right("code", text("Mã trả lời", "Code")),
            Column::left("enhanced", text("Mã mở rộng", "Enhanced code")),
            Column::left("text", text("Trả lời của máy chủ thư", "Relay's reply")),
            Column::left("peer", text("Máy chủ", "Peer")),
            Column::left("sha256", text("SHA-256", "SHA-256")),
        ],
    );
    for attempt in attempts {
        table.push(vec![
            code(&attempt.at),
            code(&attempt.result),
            code(&attempt.stage),
            Cell::Count(attempt.code.map(u64::from)),
            code(&attempt.enhanced),
            code(&attempt.text),
            code(&attempt.peer),
            code(&attempt.sha256),
        ]);
    }
    table
}

/// A seat that a contact did not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmailedRow {
    /// The form's number.
    pub form: i64,
    /// The group's code.
    pub group: String,
    /// The unit's code.
    pub unit: String,
    /// Why, in a word or two.
    pub why: String,
    /// The state of its mail; empty without one.
    pub state: String,
    /// The relay's text with addresses masked by the caller.
    pub text: String,
    /// When it is tried again, RFC 3339; empty where it is not.
    pub next_try: String,
}

/// Who was not mailed by a contact, one seat each.
#[must_use]
pub fn unmailed_table(seats: &[UnmailedRow]) -> Table {
    let mut table = Table::new(
        "unmailed",
        text("Phiếu chưa gửi được thư", "Seats not mailed"),
        vec![
            Column::right("form", text("Phiếu số", "Form")),
            Column::left("group", text("Nhóm", "Group")),
            Column::left("unit", text("Đơn vị", "Unit")),
            Column::left("why", text("Lý do", "Why")),
            Column::left("state", text("Trạng thái thư", "State of the mail")),
            Column::left("text", text("Trả lời của máy chủ thư", "Relay's reply")),
            Column::left("next_try", text("Gửi lại từ", "Tried again from")),
        ],
    );
    for seat in seats {
        table.push(vec![
            code(seat.form),
            code(&seat.group),
            code(&seat.unit),
            code(&seat.why),
            code(&seat.state),
            code(&seat.text),
            code(&seat.next_try),
        ]);
    }
    table
}
