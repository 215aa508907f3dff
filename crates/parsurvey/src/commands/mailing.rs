//! `invite`, `remind`, `send`, `preview`, `mails`.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressStyle};
use parsurvey_desk::mailing::{Relay, Sent};
use parsurvey_dispatch::RunLimits;
use parsurvey_index::tree::Text;
use parsurvey_ledger::MailState;
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_report::tables::{MailRow, mail_table};
use parsurvey_survey::calendar;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::plan::Skip;

use super::{Done, desk, now, plain, shared_desk, stop_on_signal};
use crate::args::{Global, Kind, SmtpArgs};
use crate::faults::Failure;
use crate::output::{Output, write};

pub(crate) async fn invite(global: &Global, smtp: &SmtpArgs) -> Done {
    contact(global, smtp, MailKind::Invitation).await
}

pub(crate) async fn remind(global: &Global, smtp: &SmtpArgs) -> Done {
    contact(global, smtp, MailKind::Reminder).await
}

async fn contact(global: &Global, smtp: &SmtpArgs, kind: MailKind) -> Done {
    let relay = relay(smtp)?;
    let desk = shared_desk(global).await?;
    let now = now(global, desk.campaign())?;
    let sent = desk.contact(kind, &relay, &stop_on_signal(), &plain(global, kind.as_str()), now).await?;
    answer(global, &[(kind, sent)])
}

pub(crate) async fn send(global: &Global, smtp: &SmtpArgs) -> Done {
    let relay = relay(smtp)?;
    let desk = shared_desk(global).await?;
    let now = now(global, desk.campaign())?;
    let sent = desk.send_due(&relay, &stop_on_signal(), &plain(global, "send"), now).await?;
    answer(global, &sent)
}

fn answer(global: &Global, sent: &[(MailKind, Sent)]) -> Done {
    let mut table = Table::new(
        "sent",
        text("Thư đã gửi trong lần này", "Mails of this run"),
        vec![
            Column::left("kind", text("Loại thư", "Kind")),
            Column::right("queued", text("Đưa vào hàng đợi", "Queued")),
            Column::right("accepted", text("Máy chủ nhận", "Accepted")),
            Column::right("rejected", text("Bị từ chối", "Rejected")),
            Column::right("deferred", text("Hoãn", "Deferred")),
            Column::right("unknown", text("Không rõ", "Unknown")),
            Column::right("skipped", text("Không gửi", "Skipped")),
        ],
    );
    let mut waiting = false;
    for (kind, sent) in sent {
        waiting |= sent.deferred + sent.released > 0;
        let count = |n: u64| Cell::Count(Some(n));
        table.push(vec![
            Cell::Text(kind.as_str().into()),
            count(sent.queued),
            count(sent.accepted),
            count(sent.rejected),
            count(sent.deferred),
            count(sent.unknown),
            count(sent.skipped.values().sum()),
        ]);
        for (reason, seats) in &sent.skipped {
            eprintln!("{}: {seats} not sent: {}", kind.as_str(), in_words(*reason));
        }
        if sent.rejected + sent.unknown > 0 {
            eprintln!("look at `parsurvey mails --state rejected` and `--state unknown`");
        }
    }
    Output::of(global).table(&table)?;
    if waiting {
        eprintln!("some mails were refused for now and wait; run the command again later");
        return Ok(3);
    }
    Ok(0)
}

/// Counts mails on stderr while they are sent, where somebody looks at a terminal.
fn show_progress(relay: &Relay) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let settled = Arc::clone(&relay.settled);
    let bar = ProgressBar::new_spinner().with_message("mails settled");
    bar.set_style(ProgressStyle::with_template("{spinner} {pos} {msg}").expect("the template is a constant"));
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
        loop {
            tick.tick().await;
            bar.set_position(settled.load(Ordering::Relaxed));
        }
    });
}

fn in_words(reason: Skip) -> &'static str {
    match reason {
        Skip::AlreadyQueued => "this mail was queued before",
        Skip::Completed => "the form is submitted",
        Skip::Excused => "excused",
        Skip::Declined => "declined (not to be told to the unit)",
        Skip::NotEligible => "not in post on the frame date",
        Skip::NotInvited => "no invitation was accepted yet",
        Skip::JustContacted => "mailed after this reminder fell due; the next one reminds them",
    }
}

pub(crate) async fn preview(global: &Global, kind: Kind, wave: u32, html: bool) -> Done {
    let desk = desk(global).await?;
    let kind = match kind {
        Kind::Prenotice => MailKind::Prenotice,
        Kind::Invitation => MailKind::Invitation,
        Kind::Reminder => MailKind::Reminder,
    };
    let mail = desk.preview(kind, wave)?;
    if html {
        write(&mail.html)?;
    } else {
        write(&format!("Subject: {}\n\n{}\n", mail.subject, mail.text.trim_end()))?;
    }
    Ok(0)
}

pub(crate) async fn mails(global: &Global, state: Option<String>) -> Done {
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
    let seats = desk.ledger().seats().await?;
    let mut rows = Vec::new();
    for mail in desk.ledger().mails().await? {
        let shown = match mail.state {
            MailState::Claimed => "unknown",
            MailState::Ready => "waiting",
            MailState::Accepted => "accepted",
            MailState::Rejected => "rejected",
            MailState::Cancelled => "cancelled",
        };
        if state.as_deref().is_some_and(|wanted| wanted != shown) {
            continue;
        }
        let seat = seats.iter().find(|seat| seat.form == mail.form);
        let moment = mail.last.as_ref().map(|last| last.at).or(mail.claimed).unwrap_or(mail.queued);
        rows.push(MailRow {
            form: mail.form,
            group: seat.map(|seat| seat.group.to_string()).unwrap_or_default(),
            unit: seat.map(|seat| seat.unit.to_string()).unwrap_or_default(),
            kind: mail.kind.as_str().into(),
            wave: mail.wave,
            state: shown.into(),
            code: mail.last.as_ref().and_then(|last| last.code),
            text: mail.last.map(|last| last.text).or(mail.why).unwrap_or_default(),
            at: calendar::rfc3339(moment, zone),
        });
    }
    Output::of(global).table(&mail_table(&rows))?;
    Ok(0)
}

fn relay(smtp: &SmtpArgs) -> Result<Relay, Failure> {
    let route = crate::relay::route(smtp)?;
    let limits = RunLimits { connections: usize::from(smtp.connections), ..RunLimits::default() };
    let relay = Relay { route, limits, settled: Arc::default() };
    show_progress(&relay);
    Ok(relay)
}

fn text(vi: &str, en: &str) -> Text {
    Text { vi: vi.into(), en: en.into() }
}
