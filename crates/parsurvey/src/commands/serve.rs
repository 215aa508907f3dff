//! `serve`: the form and the status page, until a signal asks to stop.

use std::sync::Arc;

use jiff::Timestamp;
use parsurvey_web::{Clock, SystemClock};
use tokio::net::TcpListener;

use super::{Done, now, shared_desk, stop_on_signal};
use crate::args::Global;
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

pub(crate) async fn serve(global: &Global, listen: &str) -> Done {
    let desk = shared_desk(global).await?;
    let shown = now(global, desk.campaign())?;
    let clock: Arc<dyn Clock> = match global.now {
        None => Arc::new(SystemClock),
        Some(_) => Arc::new(ShiftedClock { began: Timestamp::now(), shown }),
    };
    let listener = bind(listen).await?;
    let address = listener.local_addr().map_err(|error| Failure::Told(3, error.to_string()))?;
    eprintln!("serving {} on http://{address} (status: http://{address}/status)", desk.campaign().id);
    let stop = stop_on_signal();
    let app = parsurvey_web::app(desk, clock);
    parsurvey_web::serve(listener, app, async move { stop.asked().await })
        .await
        .map_err(|error| Failure::Told(3, format!("the server ended ({error}); start it again")))?;
    Ok(0)
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
