//! `serve`: the form and the status page, and with `--send` whatever is due, until a signal asks to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use parsurvey_desk::mailing::Relay;
use parsurvey_desk::{Because, Desk};
use parsurvey_dispatch::Stop;
use parsurvey_web::{Clock, Networks, OpenCounts, Sending, Server, SystemClock, Tls, TlsError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket, lookup_host};

use super::{Done, mailing, now, plain, shared_desk, stop_on_signal};
use crate::args::{Global, ServeArgs};
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

pub(crate) async fn serve(global: &Global, args: &ServeArgs) -> Done {
    let relay = (args.send || args.console_sends).then(|| mailing::relay(&args.smtp)).transpose()?;
    let tls = certificate(args)?;
    let desk = shared_desk(global).await?;
    let shown = now(global, desk.campaign())?;
    let clock: Arc<dyn Clock> = match global.now {
        None => Arc::new(SystemClock),
        Some(_) => Arc::new(ShiftedClock { began: Timestamp::now(), shown }),
    };
    if let Err(error) = desk.ready_drafts(&plain(global, "serve"), shown).await {
        eprintln!("warning: answers are not saved as they are given: {error}");
    }
    let listener = bind(&args.listen).await?;
    let address = listener.local_addr().map_err(|error| Failure::Told(3, error.to_string()))?;
    let networks = Networks::new(args.trusted_proxy.clone(), args.exempt_network.clone());
    let places = make_room_for_connections();
    if tls.is_none() && !networks.trust_a_proxy() && !address.ip().is_loopback() {
        eprintln!(
            "warning: links and answers travel unencrypted to and from {address}\n  help: give --tls-cert and --tls-key, \
             or listen on 127.0.0.1 behind a proxy that encrypts, or name such a proxy with --trusted-proxy"
        );
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    eprintln!("serving {} on {scheme}://{address}", desk.campaign().id);
    if args.open_counts {
        eprintln!("counts for everybody: {scheme}://{address}/status, {scheme}://{address}/chase");
    }
    eprintln!("console: {scheme}://{address}/console");
    if desk.accounts().await?.is_empty() {
        eprintln!(
            "  nobody can log in to it yet; make the first account with `parsurvey account add NAME --role administrator`"
        );
    }
    if !args.send {
        eprintln!(
            "links that people ask for at /lost leave with the next `parsurvey run`; with --send they leave at once"
        );
    }
    let stop = stop_on_signal();
    let post = relay.clone().map(|relay| Sending::new(relay, stop.clone()));
    let sending = relay.filter(|_| args.send).map(|relay| {
        let because = plain(global, "serve");
        tokio::spawn(send_when_due(Arc::clone(&desk), relay, stop.clone(), because, Arc::clone(&clock)))
    });
    let ledger = desk.ledger().clone();
    let counts = if args.open_counts { OpenCounts::Everybody } else { OpenCounts::Nobody };
    let app = parsurvey_web::app_that_sends(desk, clock, counts, post.clone());
    let asked = stop.clone();
    Server { listener, networks, tls, places }
        .run(app, async move { asked.asked().await })
        .await
        .map_err(|error| Failure::Told(3, format!("the server ended ({error}); start it again")))?;
    let written = ledger.arrivals();
    eprintln!("recorded {} steps of respondents in {} commits", written.records, written.commits);
    // Asked to stop as well, whoever sends finishes the mails in hand.
    stop.ask();
    if let Some(post) = post {
        post.finish().await;
    }
    if let Some(sending) = sending {
        sending.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()));
    }
    Ok(0)
}

/// The certificate, if one was named; it is read again whenever the system asks by SIGHUP.
fn certificate(args: &ServeArgs) -> Result<Option<Arc<Tls>>, Failure> {
    let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) else { return Ok(None) };
    // A certificate lives by the system's clock, also where a sample campaign lives by another.
    let tls = Arc::new(Tls::load(cert, key, Timestamp::now()).map_err(|error| told(&error))?);
    let mut asked = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
        .map_err(|error| Failure::Told(3, format!("the system gives no signals ({error}); start the server again")))?;
    let renewed = Arc::clone(&tls);
    tokio::spawn(async move {
        while asked.recv().await.is_some() {
            match renewed.reload(Timestamp::now()) {
                Ok(()) => eprintln!("the certificate was read again; it is valid until {}", renewed.valid_until()),
                Err(error) => eprintln!("error: the former certificate stays in use: {error}"),
            }
        }
    });
    Ok(Some(tls))
}

fn told(error: &TlsError) -> Failure {
    let text = error.to_string();
    let (what, help) = text.rsplit_once("; ").unwrap_or((&text, "name another pair of files"));
    Failure::Told(1, format!("{what}\n  help: {help}"))
}

/// File handles beside those of connections: ledger, log, certificate.
const OTHER_HANDLES: u64 = 100;

/// Asks the system for a file handle for every connection, as far as it allows; returns for how many there are.
fn make_room_for_connections() -> usize {
    let wanted = parsurvey_web::CONNECTIONS as u64 + OTHER_HANDLES;
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.unwrap_or(wanted);
    if limit.current.is_some_and(|current| current < wanted) {
        let more = Rlimit { current: Some(wanted.min(allowed)), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, more) {
            tracing::debug!(%error, "the limit of file handles could not be raised");
        }
    }
    let handles = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    let places = handles.saturating_sub(OTHER_HANDLES);
    if handles < wanted {
        eprintln!(
            "warning: the system's limit of file handles leaves room for {places} connections at a time\n  help: \
             raise it (`ulimit -n {wanted}`, or LimitNOFILE in a systemd unit)"
        );
    }
    usize::try_from(places).unwrap_or(usize::MAX).max(1)
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

/// Connections that wait to be accepted. With the usual 128 a crowd that comes at once waits a second each time it
/// overflows; the system may allow less than this.
const WAITING: u32 = 4096;

/// Listens on the first address of `listen` that can be listened on.
async fn listener(listen: &str) -> std::io::Result<TcpListener> {
    let on = |address: SocketAddr| {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A server that was killed leaves its port in use for a while; its successor takes it over at once.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(WAITING)
    };
    let mut refused = std::io::Error::from(std::io::ErrorKind::InvalidInput);
    for address in lookup_host(listen).await? {
        match on(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

pub(crate) async fn bind(listen: &str) -> Result<TcpListener, Failure> {
    listener(listen).await.map_err(|error| match error.kind() {
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
