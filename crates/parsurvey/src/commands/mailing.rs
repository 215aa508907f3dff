//! `invite`, `remind`, `send`, `preview`, `mails`.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressStyle};
use parsurvey_desk::Desk;
use parsurvey_desk::mailing::{Clock, Relay, Sent};
use parsurvey_dispatch::RunLimits;
use parsurvey_index::tree::Text;
use parsurvey_ledger::MailState;
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_report::tables::{MailRow, mail_table};
use parsurvey_survey::calendar;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::plan::Skip;
use parsurvey_survey::seat::Seat;

use super::{Done, clock, desk, plain, shared_desk, stop_on_signal};
use crate::args::{self, Global, Kind, SendArgs, SmtpArgs};
use crate::faults::Failure;
use crate::output::{Output, write};

pub(crate) async fn contact(global: &Global, args: &SendArgs, kind: MailKind) -> Done {
    let relay = relay(&args.smtp)?;
    let desk = shared_desk(global).await?;
    let clock = clock(global, desk.campaign())?;
    make_ready_again(global, &desk, Some(kind), args, &clock).await?;
    let sent = desk.contact(kind, &relay, &stop_on_signal(), &plain(global, kind.as_str()), clock).await?;
    answer(global, &[(kind, sent)])
}

pub(crate) async fn send(global: &Global, args: &SendArgs) -> Done {
    let relay = relay(&args.smtp)?;
    let desk = shared_desk(global).await?;
    let clock = clock(global, desk.campaign())?;
    make_ready_again(global, &desk, None, args, &clock).await?;
    let sent = desk.send_due(&relay, &stop_on_signal(), &plain(global, "send"), clock).await?;
    answer(global, &sent)
}

async fn make_ready_again(
    global: &Global,
    desk: &Desk,
    kind: Option<MailKind>,
    args: &SendArgs,
    clock: &Clock,
) -> Result<(), Failure> {
    let Some(again) = args.again else { return Ok(()) };
    let again = match again {
        args::Again::Rejected => parsurvey_ledger::Again::Rejected,
        args::Again::Unknown => parsurvey_ledger::Again::Unknown,
    };
    let because = plain(global, args.reason.as_deref().unwrap_or_default());
    let made = desk.make_ready_again(kind, again, &because, clock.now()).await?;
    eprintln!("{} mails that were {} are ready once more", made.mails, again.as_str());
    if made.in_hand > 0 {
        eprintln!(
            "{} more were claimed within the last half hour, and a sender may still have them in hand; ask again later",
            made.in_hand
        );
    }
    Ok(())
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
    let faulty = tell_unwritten(sent) | tell_refusal(sent);
    if waiting {
        eprintln!("some mails were refused for now and wait; run the command again later");
    }
    Ok(if faulty {
        1
    } else if waiting {
        3
    } else {
        0
    })
}

/// Forms that are named of each fault; the others have the same.
const FORMS_SHOWN: usize = 10;

/// Says which mails could not be put together and why; they wait, and the others were sent.
fn tell_unwritten(sent: &[(MailKind, Sent)]) -> bool {
    let mut faults: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for unwritten in sent.iter().flat_map(|(_, sent)| &sent.unwritten) {
        faults.entry((&unwritten.reason, &unwritten.remedy)).or_default().push(unwritten.form.to_string());
    }
    for ((reason, remedy), forms) in &faults {
        let named = forms[..forms.len().min(FORMS_SHOWN)].join(", ");
        let more = forms.len().saturating_sub(FORMS_SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        eprintln!("error: {reason} (form {named}{more}; not sent, and nobody else was held up)\n  help: {remedy}");
    }
    !faults.is_empty()
}

/// Says what the relay said where it refused every single mail: then it is hardly the addresses.
fn tell_refusal(sent: &[(MailKind, Sent)]) -> bool {
    let sum = |field: fn(&Sent) -> u64| sent.iter().map(|(_, sent)| field(sent)).sum::<u64>();
    let rejected = sum(|sent| sent.rejected);
    if rejected == 0 || sum(|sent| sent.accepted + sent.deferred + sent.unknown) > 0 {
        return false;
    }
    let words = sent.iter().rev().find_map(|(_, sent)| sent.refusal.as_deref()).unwrap_or("nothing");
    eprintln!("error: the relay refused every mail of this run for good ({rejected}); it said: {words}");
    eprintln!(
        "  help: mend what it names (the sender's address, the login, an address), then send these mails with --again rejected --reason TEXT"
    );
    true
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
        Skip::Superseded => "a later contact was queued",
        Skip::TooSoon => "mailed too few working days ago; run it again later, or the next reminder reminds them",
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
    let seats: BTreeMap<i64, &Seat> = seats.iter().map(|seat| (seat.form, seat)).collect();
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
        let seat = seats.get(&mail.form);
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
