//! `serve`: the form and the status page, and with `--send` whatever is due, until a signal asks to stop.

use std::sync::Arc;

use jiff::Timestamp;
use parsurvey_desk::mailing::Relay;
use parsurvey_desk::{Because, Desk};
use parsurvey_dispatch::Stop;
use parsurvey_web::{Clock, SystemClock};
use tokio::net::TcpListener;

use super::{Done, mailing, now, plain, shared_desk, stop_on_signal};
use crate::args::{Global, SmtpArgs};
use crate::faults::Failure;

/// A clock that began at another moment and runs as fast as the system's: for trying a sample campaign.
struct ShiftedClock {
    began: Timestamp,
    shown: Timestamp,
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        self.shown.checked_add(self.began.duration_until(Timestamp::now())).unwrap_or(self.shown)
    }
}

/// How often the schedule is looked at.
const LOOK: std::time::Duration = std::time::Duration::from_secs(60);

pub(crate) async fn serve(global: &Global, listen: &str, smtp: Option<&SmtpArgs>) -> Done {
    let relay = smtp.map(mailing::relay).transpose()?;
    let desk = shared_desk(global).await?;
    let shown = now(global, desk.campaign())?;
    let clock: Arc<dyn Clock> = match global.now {
        None => Arc::new(SystemClock),
        Some(_) => Arc::new(ShiftedClock { began: Timestamp::now(), shown }),
    };
    if let Err(error) = desk.ready_drafts(&plain(global, "serve"), shown).await {
        eprintln!("warning: answers are not saved as they are given: {error}");
    }
    let listener = bind(listen).await?;
    let address = listener.local_addr().map_err(|error| Failure::Told(3, error.to_string()))?;
    eprintln!("serving {} on http://{address} (status: http://{address}/status)", desk.campaign().id);
    let stop = stop_on_signal();
    let sending = relay.map(|relay| {
        let because = plain(global, "serve");
        tokio::spawn(send_when_due(Arc::clone(&desk), relay, stop.clone(), because, Arc::clone(&clock)))
    });
    let app = parsurvey_web::app(desk, clock);
    let asked = stop.clone();
    parsurvey_web::serve(listener, app, async move { asked.asked().await })
        .await
        .map_err(|error| Failure::Told(3, format!("the server ended ({error}); start it again")))?;
    if let Some(sending) = sending {
        // Asked to stop as well, it finishes the mails in hand.
        stop.ask();
        sending.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()));
    }
    Ok(0)
}

/// Does what is due, again and again. What goes wrong is told once, and tried again at the next look.
async fn send_when_due(desk: Arc<Desk>, relay: Relay, stop: Stop, because: Because, clock: Arc<dyn Clock>) {
    let mut told = String::new();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.asked() => return,
            _ = look.tick() => {}
        }
        let telling = Arc::clone(&clock);
        let clock = parsurvey_desk::mailing::Clock::new(move || telling.now());
        let (desk, relay, asked, because) = (Arc::clone(&desk), relay.clone(), stop.clone(), because.clone());
        // On a task of its own, so that a panic over one look neither ends the form's server nor goes unnoticed.
        let done = tokio::spawn(async move { desk.run_due(&relay, &asked, &because, clock).await });
        let said = match done.await {
            Err(_) => "this look at the schedule came to nothing; the next one is in a minute".to_owned(),
            Ok(Ok(done)) => {
                for (kind, _, sent) in done.sent.iter().filter(|(_, _, sent)| sent.accepted + sent.rejected > 0) {
                    eprintln!("{}: {} accepted, {} refused", kind.as_str(), sent.accepted, sent.rejected);
                }
                let anchor = done.anchor.map(|why| format!("the day's anchor was not sent: {why}"));
                let stand = done.stands_still.map(|stand| format!("{}; {}", stand.reason, stand.remedy));
                anchor.into_iter().chain(stand).collect::<Vec<_>>().join("; ")
            }
            Ok(Err(error)) => error.to_string(),
        };
        if said != told && !said.is_empty() {
            eprintln!("sending: {said}");
        }
        told = said;
    }
}

pub(crate) async fn bind(listen: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(listen).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Failure::Told(
            3,
            format!(
                "{listen} is taken by another program\n  help: stop that program, or name another port with --listen"
            ),
        ),
        std::io::ErrorKind::InvalidInput => {
            Failure::usage(format!("--listen {listen}: give ADDRESS:PORT, such as 127.0.0.1:8080"))
        }
        _ => Failure::Told(
            3,
            format!("{listen} cannot be listened on ({error})\n  help: name another address with --listen"),
        ),
    })
}
