//! `pause`, `resume`, `let-go`, `canary`, `settle`, `unmailed` and `mails`: the operator's hand on sending, and what came of it.

use std::collections::BTreeMap;
use std::path::Path;

use parsurvey_desk::Because;
use parsurvey_ledger::Attempt;
use parsurvey_report::tables::{AttemptRow, MailRow, UnmailedRow, attempt_table, mail_table, unmailed_table};
use parsurvey_survey::calendar;
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::seat::Seat;

use super::{Done, because, desk, mailing, now};
use crate::args::sending::SendingCommand;
use crate::args::{BecauseArgs, Global, SmtpArgs};
use crate::faults::Failure;
use crate::output::Output;

pub(crate) async fn run(global: &Global, command: SendingCommand) -> Done {
    match command {
        SendingCommand::Run { smtp } => mailing::run(global, &smtp).await,
        SendingCommand::Mails { state, history: None } => mails(global, state).await,
        SendingCommand::Mails { history: Some(mail), .. } => history(global, mail).await,
        SendingCommand::Unmailed { kind, wave } => unmailed(global, mailing::kind_of(kind), wave).await,
        SendingCommand::Pause { because } => pause(global, &because).await,
        SendingCommand::Resume { because } => resume(global, &because).await,
        SendingCommand::LetGo { because } => let_go(global, &because).await,
        SendingCommand::Canary { kind, seen, because, smtp } => {
            canary(global, mailing::kind_of(kind), seen, &because, &smtp).await
        }
        SendingCommand::Settle { mail, taken, relay_log, because, .. } => {
            settle(global, mail, taken, relay_log.as_deref(), &because).await
        }
    }
}

async fn pause(global: &Global, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    let paused = desk.pause(&because(global, args), now(global, desk.campaign())?).await?;
    eprintln!("{}", if paused { "sending is paused" } else { "sending was paused already; the first reason stays" });
    Ok(0)
}

async fn resume(global: &Global, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    let resumed = desk.resume(&because(global, args), now(global, desk.campaign())?).await?;
    eprintln!(
        "{}",
        if resumed { "sending may go on; run the sending command again" } else { "sending was not paused" }
    );
    Ok(0)
}

async fn let_go(global: &Global, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    let mails = desk.let_go(&because(global, args), now(global, desk.campaign())?).await?;
    eprintln!("{mails} mails that were held back may go; run the sending command again");
    Ok(0)
}

async fn canary(
    global: &Global,
    kind: parsurvey_survey::campaign::MailKind,
    seen: bool,
    args: &BecauseArgs,
    smtp: &SmtpArgs,
) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    if seen {
        let wave = desk.looked_at(kind, &because(global, args), now).await?;
        let wave = if wave > 0 { format!(" {wave}") } else { String::new() };
        eprintln!("recorded; the {}{wave} may go to people", kind.as_str());
    } else {
        let copies = desk.send_copies(kind, &mailing::relay(smtp)?, &because(global, args), now).await?;
        eprintln!(
            "{copies} copies were taken by the relay; look at them, then say so with `parsurvey canary {} --seen --reason TEXT`",
            kind.as_str()
        );
    }
    Ok(0)
}

async fn settle(global: &Global, mail: Option<i64>, taken: bool, relay_log: Option<&Path>, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    let (because, now): (Because, _) = (because(global, args), now(global, desk.campaign())?);
    if let Some(mail) = mail {
        desk.settle(mail, taken, &because, now).await?;
        eprintln!(
            "mail {mail} is settled: the relay {}",
            if taken { "took it" } else { "never had it; it is sent again" }
        );
    }
    if let Some(path) = relay_log {
        let log = std::fs::read(path).map_err(|error| {
            Failure::Told(1, format!("cannot read {}: {error}\n  help: check the path", path.display()))
        })?;
        let settled = desk.settle_by_log(&String::from_utf8_lossy(&log), &because, now).await?;
        eprintln!(
            "{} unknown mails stand in the log and are settled; {} do not, which proves nothing",
            settled.taken, settled.not_named
        );
    }
    Ok(0)
}

async fn unmailed(global: &Global, kind: parsurvey_survey::campaign::MailKind, wave: u32) -> Done {
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
    let found = desk.unmailed(kind, wave).await?;
    let rows: Vec<UnmailedRow> = found
        .into_iter()
        .map(|one| UnmailedRow {
            form: one.form,
            group: one.group,
            unit: one.unit,
            why: one.why,
            state: one.state.map(MailState::as_str).unwrap_or_default().to_owned(),
            text: one.text,
            next_try: one.next_try.map(|next| calendar::rfc3339(next, zone)).unwrap_or_default(),
        })
        .collect();
    Output::of(global).table(&unmailed_table(&rows))?;
    Ok(0)
}

/// What a word of `--state` means: one state, or several of a kind.
fn wanted(word: &str) -> Result<Box<dyn Fn(MailState) -> bool + Send + Sync>, Failure> {
    Ok(match word {
        "waiting" => Box::new(MailState::is_waiting),
        "unknown" => Box::new(MailState::is_unclear),
        "failed" => Box::new(MailState::has_failed),
        "sent" => Box::new(MailState::was_accepted),
        other => {
            let state: MailState = other.parse().map_err(|_| {
                let states: Vec<&str> = parsurvey_survey::delivery::STATES.iter().map(|state| state.as_str()).collect();
                Failure::usage(format!(
                    "--state {other}: write waiting, unknown, failed or sent, or one of {}",
                    states.join(", ")
                ))
            })?;
            Box::new(move |found| found == state)
        }
    })
}

async fn mails(global: &Global, state: Option<String>) -> Done {
    let wanted = state.as_deref().map(wanted).transpose()?;
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
    let seats = desk.ledger().seats().await?;
    let seats: BTreeMap<i64, &Seat> = seats.iter().map(|seat| (seat.form, seat)).collect();
    let mut rows = Vec::new();
    for mail in desk.ledger().mails().await? {
        if !wanted.as_ref().is_none_or(|wanted| wanted(mail.state)) {
            continue;
        }
        let seat = seats.get(&mail.form);
        let moment = mail.last.as_ref().map(|last| last.at).or(mail.leased).unwrap_or(mail.queued);
        rows.push(MailRow {
            mail: mail.mail,
            form: mail.form,
            group: seat.map(|seat| seat.group.to_string()).unwrap_or_default(),
            unit: seat.map(|seat| seat.unit.to_string()).unwrap_or_default(),
            kind: mail.kind.as_str().into(),
            wave: mail.wave,
            state: mail.state.as_str().into(),
            code: mail.last.as_ref().and_then(|last| last.code),
            text: mail.why.or(mail.last.map(|last| last.text)).unwrap_or_default(),
            at: calendar::rfc3339(moment, zone),
        });
    }
    Output::of(global).table(&mail_table(&rows))?;
    Ok(0)
}

async fn history(global: &Global, mail: i64) -> Done {
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
    let attempts = desk.ledger().attempts(mail).await?;
    let row = |attempt: Attempt| AttemptRow {
        at: calendar::rfc3339(attempt.at, zone),
        result: attempt.result.as_str().into(),
        stage: attempt.stage,
        code: attempt.code,
        enhanced: attempt.enhanced.unwrap_or_default(),
        text: attempt.text,
        peer: attempt.peer.unwrap_or_default(),
        sha256: attempt.sha256.unwrap_or_default(),
    };
    let rows: Vec<AttemptRow> = attempts.into_iter().map(row).collect();
    Output::of(global).table(&attempt_table(&rows))?;
    Ok(0)
}
