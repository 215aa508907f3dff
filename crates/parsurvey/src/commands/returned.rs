//! `bounces read`, `list`, `addresses`, `resume`: what came back, taken into the ledger, and what is known from it.
//!
//! What a report means and proves is decided below; here it is read, counted and shown.

use std::io::{self, BufReader};
use std::path::Path;

use parsurvey_desk::bounces::{MailboxError, Reading, mail_files};
use parsurvey_dispatch::imap::{ImapError, Keyword};
use parsurvey_index::tree::Text;
use parsurvey_ledger::{ReportRow, Taken};
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_survey::calendar;
use parsurvey_survey::evidence::{Finding, Kind};
use serde_json::{Value, json};

use super::{Done, because, desk, now, plain};
use crate::args::{BecauseArgs, Global, ReadArgs};
use crate::faults::Failure;
use crate::output::Output;

pub(crate) async fn read(global: &Global, args: &ReadArgs) -> Done {
    let mark = args.imap_mark.as_deref().map(|word| word.parse::<Keyword>()).transpose();
    let mark = mark.map_err(|error| Failure::usage(format!("--imap-mark: {error}")))?;
    let mailbox = args.imap.as_deref().map(|url| crate::relay::mailbox(url, args)).transpose()?;
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let mut reading = desk.reading(&plain(global, "bounces read"), now).await?;
    let mut unread = 0;
    for input in &args.inputs {
        unread += read_input(&mut reading, input).await?;
    }
    let mut failed = None;
    if let Some(route) = &mailbox {
        match reading.mailbox(route, mark.as_ref()).await {
            Ok(()) => {}
            Err(MailboxError::Desk(error)) => return Err(error.into()),
            Err(MailboxError::Imap(error)) => failed = Some(error),
        }
    }
    let taken = reading.finish().await?;
    let is_proving = desk.campaign().return_path.is_some();
    tell(&taken, is_proving);
    Output::of(global).tables(&[taken_table(&taken)], || taken_json(&taken))?;
    if let Some(error) = failed {
        return Err(of_mailbox(&error));
    }
    if unread > 0 {
        return Err(Failure::Told(3, format!("{unread} file(s) could not be read; the others are stored")));
    }
    Ok(0)
}

/// Reads one input; gives the number of files that could not be read.
async fn read_input(reading: &mut Reading<'_>, input: &Path) -> Result<u64, Failure> {
    if input.as_os_str() == "-" {
        let stdin = BufReader::new(io::stdin());
        return match reading.mails("stdin", stdin).await? {
            Ok(()) => Ok(0),
            Err(error) => {
                eprintln!("warning: stdin cannot be read to its end ({error})");
                Ok(1)
            }
        };
    }
    let files =
        mail_files(input).map_err(|error| Failure::Told(1, format!("{} cannot be read ({error})", input.display())))?;
    let mut unread = 0;
    for file in files {
        if let Err(error) = reading.file(&file).await? {
            eprintln!("warning: {} cannot be read ({error})", file.display());
            unread += 1;
        }
    }
    Ok(unread)
}

fn of_mailbox(error: &ImapError) -> Failure {
    let (code, help) = match error {
        ImapError::Login => (1, "check the user in --imap and the password"),
        ImapError::Folder => (1, "check the folder at the end of --imap, such as …/INBOX"),
        ImapError::Route(_) => (3, "check --imap and --imap-ca, then run the command again"),
        ImapError::Lost => (3, "what was read is stored; run the command again for the rest"),
        ImapError::Refused => (3, "what was read is stored; run it again, without --imap-mark if it keeps no keywords"),
    };
    Failure::Told(code, format!("{error}\n  help: {help}"))
}

/// Says what a person should do about it.
fn tell(taken: &Taken, is_proving: bool) {
    if taken.dead > 0 {
        eprintln!("{} address(es) are dead; see `parsurvey bounces addresses` and ask the units", taken.dead);
    }
    if taken.paused > 0 {
        eprintln!("{} person(s) called a mail unwanted and get no more of them; they have not declined", taken.paused);
    }
    if taken.unproved > 0 {
        eprintln!(
            "{} report(s) prove nothing and change nothing; see `parsurvey bounces list --unmatched`",
            taken.unproved
        );
        if !is_proving {
            eprintln!("  help: name a mailbox under [bounces] in campaign.toml, so that later mails prove theirs");
        }
    }
}

fn taken_table(taken: &Taken) -> Table {
    let mut table = Table::new(
        "returned",
        text("Thư phản hồi đã đọc trong lần này", "Mails that came back, read in this run"),
        vec![Column::left("what", text("Nội dung", "What")), Column::right("mails", text("Số thư", "Mails"))],
    );
    for (key, count) in counts(taken) {
        table.push(vec![Cell::Text(key.into()), Cell::Count(Some(count))]);
    }
    table
}

fn taken_json(taken: &Taken) -> Value {
    Value::Object(counts(taken).into_iter().map(|(key, count)| (key.to_owned(), json!(count))).collect())
}

fn counts(taken: &Taken) -> Vec<(&'static str, u64)> {
    let kind = |kind| taken.kinds.get(&kind).copied().unwrap_or_default();
    let proved = |found| taken.proved.get(&found).copied().unwrap_or_default();
    vec![
        ("read", taken.read),
        ("known", taken.known),
        ("bounce", kind(Kind::Bounce)),
        ("complaint", kind(Kind::Complaint)),
        ("auto_reply", kind(Kind::AutoReply)),
        ("other", kind(Kind::Other)),
        ("unproved", taken.unproved),
        ("bounced_hard", proved(Finding::BouncedHard)),
        ("bounced_soft", proved(Finding::BouncedSoft)),
        ("delayed", proved(Finding::Delayed)),
        ("delivered", proved(Finding::Delivered)),
        ("auto_replied", proved(Finding::AutoReplied)),
        ("complained", proved(Finding::Complained)),
        ("dead_addresses", taken.dead),
        ("paused", taken.paused),
    ]
}

pub(crate) async fn list(global: &Global, unmatched: bool) -> Done {
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
    let reports = desk.reports(unmatched).await?;
    let at = |report: &ReportRow| calendar::rfc3339(report.at, zone);
    let mut table = report_table();
    for report in &reports {
        push_report(&mut table, report, at(report));
    }
    Output::of(global).tables(&[table], || reports.iter().map(|report| report_json(report, &at(report))).collect())?;
    Ok(0)
}

fn report_table() -> Table {
    Table::new(
        "reports",
        text("Thư phản hồi đã đọc", "Mails that came back"),
        vec![
            Column::right("report", text("Số", "No.")),
            Column::left("at", text("Đọc lúc", "Read")),
            Column::left("source", text("Nguồn", "Source")),
            Column::left("kind", text("Loại", "Kind")),
            Column::right("form", text("Phiếu", "Form")),
            Column::right("mail", text("Thư số", "Mail")),
            Column::left("proof", text("Căn cứ", "Proof")),
            Column::left("finding", text("Kết luận", "Proves")),
            Column::left("recipient", text("Người nhận", "Recipient")),
            Column::left("action", text("Xử lý", "Action")),
            Column::left("status", text("Mã", "Status")),
            Column::left("class", text("Mức", "Class")),
            Column::left("reason", text("Lý do", "Reason")),
        ],
    )
}

/// One row per recipient; a report that speaks of none has a row of its own.
fn push_report(table: &mut Table, report: &ReportRow, at: String) {
    let word = |word: Option<&str>| word.map_or(Cell::Blank, |word| Cell::Text(word.into()));
    let start = [
        Cell::Count(u64::try_from(report.report).ok()),
        Cell::Text(at),
        Cell::Text(report.source.clone()),
        Cell::Text(report.kind.as_str().into()),
        number(report.form),
        number(report.mail),
        Cell::Text(report.proof.as_str().into()),
        word(report.finding.map(Finding::as_str)),
    ];
    for told in &report.told {
        let rest = [
            word(told.is_recipient.map(recipient)),
            word(told.action.map(|action| action.as_str())),
            word(told.status.as_deref()),
            word(told.class.map(|class| class.as_str())),
            word(told.reason.map(|reason| reason.as_str())),
        ];
        table.push(start.iter().cloned().chain(rest).collect());
    }
    if report.told.is_empty() {
        table.push(start.into_iter().chain(std::iter::repeat_n(Cell::Blank, 5)).collect());
    }
}

fn report_json(report: &ReportRow, at: &str) -> Value {
    let told: Vec<Value> = report
        .told
        .iter()
        .map(|told| {
            json!({
                "recipient": told.is_recipient.map(recipient),
                "action": told.action.map(|action| action.as_str()),
                "status": told.status,
                "class": told.class.map(|class| class.as_str()),
                "reason": told.reason.map(|reason| reason.as_str()),
            })
        })
        .collect();
    json!({
        "report": report.report,
        "at": at,
        "source": report.source,
        "kind": report.kind.as_str(),
        "form": report.form,
        "mail": report.mail,
        "proof": report.proof.as_str(),
        "finding": report.finding.map(Finding::as_str),
        "recipients": told,
    })
}

/// Whether a report means the person who was mailed.
fn recipient(is_recipient: bool) -> &'static str {
    if is_recipient { "own" } else { "other" }
}

pub(crate) async fn addresses(global: &Global) -> Done {
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
    let mut table = Table::new(
        "stopped_addresses",
        text("Địa chỉ không gửi thư được nữa, đề nghị đơn vị cung cấp lại", "Addresses to which no mail goes any more"),
        vec![
            Column::right("form", text("Phiếu", "Form")),
            Column::left("group", text("Nhóm", "Group")),
            Column::left("unit", text("Đơn vị", "Unit")),
            Column::left("why", text("Lý do", "Why")),
            Column::left("status", text("Mã", "Status")),
            Column::left("since", text("Từ lúc", "Since")),
        ],
    );
    for stopped in desk.stopped_addresses().await? {
        table.push(vec![
            number(Some(stopped.form)),
            Cell::Text(stopped.group.to_string()),
            Cell::Text(stopped.unit.to_string()),
            Cell::Text(stopped.why),
            stopped.status.map_or(Cell::Blank, Cell::Text),
            stopped.since.map_or(Cell::Blank, |since| Cell::Text(calendar::rfc3339(since, zone))),
        ]);
    }
    Output::of(global).table(&table)?;
    Ok(0)
}

pub(crate) async fn resume(global: &Global, form: i64, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    desk.resume_mails(form, &because(global, args), now).await?;
    eprintln!("mails go to form {form} again");
    Ok(0)
}

fn number(number: Option<i64>) -> Cell {
    number.map_or(Cell::Blank, |number| Cell::Count(u64::try_from(number).ok()))
}

fn text(vi: &str, en: &str) -> Text {
    Text { vi: vi.into(), en: en.into() }
}
