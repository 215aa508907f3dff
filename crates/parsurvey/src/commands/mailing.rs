//! `invite`, `remind`, `send`, `preview`.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use parsurvey_desk::Desk;
use parsurvey_desk::mailing::{Clock, Relay, Sent};
use parsurvey_dispatch::RunLimits;
use parsurvey_index::tree::Text;
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_survey::calendar;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::plan::Skip;

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
    answer(global, &desk.campaign().time_zone, &[(kind, sent)])
}

pub(crate) async fn send(global: &Global, args: &SendArgs) -> Done {
    let relay = relay(&args.smtp)?;
    let desk = shared_desk(global).await?;
    let clock = clock(global, desk.campaign())?;
    make_ready_again(global, &desk, None, args, &clock).await?;
    let sent = desk.send_due(&relay, &stop_on_signal(), &plain(global, "send"), clock).await?;
    answer(global, &desk.campaign().time_zone, &sent)
}

/// Does whatever is due, and tells what comes next.
pub(crate) async fn run(global: &Global, smtp: &SmtpArgs) -> Done {
    let relay = relay(smtp)?;
    let desk = shared_desk(global).await?;
    let clock = clock(global, desk.campaign())?;
    let done = desk.run_due(&relay, &stop_on_signal(), &plain(global, "run"), clock).await?;
    let zone = &desk.campaign().time_zone;
    let sent: Vec<(MailKind, Sent)> = done.sent.into_iter().map(|(kind, _, sent)| (kind, sent)).collect();
    let mut code = answer(global, zone, &sent)?;
    if let Some(why) = done.anchor {
        eprintln!(
            "note: the day's anchor was not sent: {why}\n  help: run the command again, or `parsurvey audit anchor`"
        );
        code = code.max(3);
    }
    if let Some(next) = done.next {
        eprintln!("next: {} at {}", next.what, calendar::written(next.at, zone));
    }
    match done.stands_still {
        None => Ok(code),
        Some(stand) => {
            eprintln!("note: {}\n  help: {}", stand.reason, stand.remedy);
            Ok(if stand.needs_person { 1 } else { code })
        }
    }
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
    let mails = desk.make_ready_again(kind, again, &because, clock.now()).await?;
    eprintln!("{mails} mails that were {} are ready once more", again.as_str());
    Ok(())
}

fn answer(global: &Global, zone: &TimeZone, sent: &[(MailKind, Sent)]) -> Done {
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
        waiting |= sent.deferred + sent.released > 0 || sent.next_try.is_some() || sent.notices.is_unfinished();
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
            let what = if *reason == Skip::AlreadyQueued { "not queued again" } else { "not sent" };
            eprintln!("{}: {seats} {what}: {}", kind.as_str(), in_words(*reason));
        }
        tell_rest(kind.as_str(), sent);
    }
    Output::of(global).table(&table)?;
    let faulty = tell_unwritten(sent) | tell_refusal(sent);
    let held: Vec<_> = sent.iter().filter_map(|(_, sent)| sent.held_back.as_ref()).collect();
    if let Some(next) = sent.iter().filter_map(|(_, sent)| sent.next_try).min().filter(|_| waiting) {
        eprintln!(
            "some mails were not taken for now and wait; run the command again from {}",
            calendar::written(next, zone)
        );
    } else if waiting {
        eprintln!("some mails wait; run the command again");
    }
    Ok(if faulty || held.iter().any(|held| held.needs_person()) {
        1
    } else if waiting || !held.is_empty() || sent.iter().any(|(_, sent)| sent.in_other_hands > 0) {
        3
    } else {
        0
    })
}

/// What a run leaves behind, and where to look.
fn tell_rest(kind: &str, sent: &Sent) {
    if sent.notices.told > 0 {
        eprintln!("{} addresses that were given up were told so", sent.notices.told);
    }
    if sent.notices.wait > 0 {
        eprintln!("{} addresses that were given up are still to be told; the next run does", sent.notices.wait);
    }
    if let Some(trouble) = &sent.notices.trouble {
        eprintln!("note: not every address that was given up could be told: {trouble}");
    }
    if sent.taken_over > 0 {
        eprintln!("{kind}: {} mails were taken over, unsent, from a sender that is gone", sent.taken_over);
    }
    if sent.left_unknown > 0 {
        eprintln!("{kind}: {} mails that a sender had in hand when it ended are unknown", sent.left_unknown);
    }
    if sent.in_other_hands > 0 {
        eprintln!("{kind}: {} mails are in the hands of another sender, which is alive", sent.in_other_hands);
    }
    if let Some(held) = &sent.held_back {
        eprintln!("{kind}: {held}");
    }
    if sent.rejected + sent.unknown + sent.left_unknown + sent.deferred + sent.released > 0 {
        eprintln!(
            "{kind}: `parsurvey unmailed {kind}` lists who was not mailed and why; `parsurvey mails --state unknown` what is unknown"
        );
    }
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
        Skip::AlreadyQueued => "this mail was queued before; `parsurvey mails` tells what became of it",
        Skip::Completed => "the form is submitted",
        Skip::Excused => "excused",
        Skip::Declined => "declined (not to be told to the unit)",
        Skip::NotEligible => "not in post on the frame date",
        Skip::NotInvited => "no invitation was accepted yet",
        Skip::Superseded => "a later contact was queued",
        Skip::AddressStopped => "the address was refused or bounced; ask the unit for another and correct it",
        Skip::TooSoon => "mailed too few working days ago; run it again later, or the next reminder reminds them",
    }
}

pub(crate) fn kind_of(kind: Kind) -> MailKind {
    match kind {
        Kind::Prenotice => MailKind::Prenotice,
        Kind::Invitation => MailKind::Invitation,
        Kind::Reminder => MailKind::Reminder,
        Kind::Link => MailKind::Link,
    }
}

pub(crate) async fn preview(global: &Global, kind: Kind, wave: u32, html: bool) -> Done {
    let desk = desk(global).await?;
    let mail = desk.preview(kind_of(kind), wave)?;
    if html {
        write(&mail.html)?;
    } else {
        write(&format!("Subject: {}\n\n{}\n", mail.subject, mail.text.trim_end()))?;
    }
    Ok(0)
}

pub(crate) fn relay(smtp: &SmtpArgs) -> Result<Relay, Failure> {
    let way = crate::relay::way(smtp)?;
    let limits = RunLimits { connections: usize::from(smtp.connections), ..RunLimits::default() };
    let relay = Relay { way, limits, settled: Arc::default() };
    show_progress(&relay);
    Ok(relay)
}

fn text(vi: &str, en: &str) -> Text {
    Text { vi: vi.into(), en: en.into() }
}
