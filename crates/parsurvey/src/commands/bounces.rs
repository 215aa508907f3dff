//! `bounces classify`: what mails that came back say, from files, folders or stdin.
//!
//! Reads without a campaign and without a ledger, and changes neither.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use parsurvey_desk::bounces::mail_files;
use parsurvey_dispatch::bounce::{Mailbox, Recipient, Report, classify as classify_mail};
use parsurvey_index::tree::Text;
use parsurvey_report::table::{Cell, Column, Table};
use serde_json::{Value, json};

use super::Done;
use crate::args::Global;
use crate::faults::Failure;
use crate::output::Output;

/// One mail of an input.
struct Classified {
    file: String,
    /// Its place in the file, from 1: an mbox holds several.
    mail: u64,
    report: Report,
}

pub(crate) fn classify(global: &Global, inputs: &[PathBuf]) -> Done {
    let mut found = Vec::new();
    let mut unread = 0;
    for input in inputs {
        if input.as_os_str() == "-" {
            read("-", io::stdin().lock(), &mut found)
                .map_err(|error| Failure::Told(3, format!("stdin cannot be read to its end ({error})")))?;
            continue;
        }
        let files = mail_files(input)
            .map_err(|error| Failure::Told(1, format!("{} cannot be read ({error})", input.display())))?;
        for file in files {
            let opened = File::open(&file).map(BufReader::new);
            if let Err(error) = opened.and_then(|reader| read(&file.to_string_lossy(), reader, &mut found)) {
                eprintln!("warning: {} cannot be read ({error})", file.display());
                unread += 1;
            }
        }
    }
    Output::of(global).tables(&[table(&found)], || found.iter().map(as_json).collect())?;
    if unread > 0 {
        return Err(Failure::Told(3, format!("{unread} file(s) could not be read; the others are above")));
    }
    Ok(0)
}

/// Classifies the mails of one file. A file without any is one mail that says nothing.
fn read(file: &str, reader: impl BufRead, found: &mut Vec<Classified>) -> io::Result<()> {
    let mut push =
        |mail, bytes: &[u8]| found.push(Classified { file: file.to_owned(), mail, report: classify_mail(bytes) });
    let mut number = 0;
    for mail in Mailbox::new(reader) {
        number += 1;
        push(number, &mail?);
    }
    if number == 0 {
        push(1, b"");
    }
    Ok(())
}

fn as_json(found: &Classified) -> Value {
    let recipient = |recipient: &Recipient| {
        json!({
            "address": recipient.address.as_ref().map(|address| address.expose()),
            "action": recipient.action.map(|action| action.as_str()),
            "status": recipient.status.map(|status| status.to_string()),
            "status_source": recipient.status_source.map(|source| source.as_str()),
            "class": recipient.class.map(|class| class.as_str()),
            "reason": recipient.reason.map(|reason| reason.as_str()),
        })
    };
    json!({
        "file": found.file,
        "mail": found.mail,
        "kind": found.report.kind.as_str(),
        "recipients": found.report.recipients.iter().map(recipient).collect::<Vec<_>>(),
        "message_id": found.report.message_id,
    })
}

/// One row per recipient; a mail that speaks of none has a row of its own.
fn table(found: &[Classified]) -> Table {
    let text = |vi: &str, en: &str| Text { vi: vi.into(), en: en.into() };
    let mut table = Table::new(
        "bounces",
        text("Thư phản hồi từ máy chủ", "Mails that came back"),
        vec![
            Column::left("file", text("Tệp", "File")),
            Column::right("mail", text("Thư số", "Mail")),
            Column::left("kind", text("Loại", "Kind")),
            Column::left("address", text("Địa chỉ", "Address")),
            Column::left("action", text("Xử lý", "Action")),
            Column::left("status", text("Mã", "Status")),
            Column::left("class", text("Mức", "Class")),
            Column::left("reason", text("Lý do", "Reason")),
        ],
    );
    let word = |word: Option<&str>| word.map_or(Cell::Blank, |word| Cell::Text(word.into()));
    for Classified { file, mail, report } in found {
        let start = [Cell::Text(file.clone()), Cell::Count(Some(*mail)), Cell::Text(report.kind.as_str().into())];
        for recipient in &report.recipients {
            let rest = [
                word(recipient.address.as_ref().map(|address| address.expose())),
                word(recipient.action.map(|action| action.as_str())),
                word(recipient.status.map(|status| status.to_string()).as_deref()),
                word(recipient.class.map(|class| class.as_str())),
                word(recipient.reason.map(|reason| reason.as_str())),
            ];
            table.push(start.iter().cloned().chain(rest).collect());
        }
        if report.recipients.is_empty() {
            table.push(start.into_iter().chain(std::iter::repeat_n(Cell::Blank, 5)).collect());
        }
    }
    table
}
