//! How a connection is opened: TCP, TLS in one of two ways, greetings. Nothing about a mail happens here.
//!
//! What the relay says before TLS could be said by anybody on the way. Only its offer of STARTTLS is used, anything it
//! says beyond what it was asked ends the connection, and the greetings are exchanged anew under TLS.

use std::io;
use std::sync::Arc;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::delivery::{Delivery, Outcome, Peer, Stage};
use crate::reply::Said;
use crate::route::{Route, Security};
use crate::session::{Silence, said};
use crate::stream::{Direct, Stream};
use crate::trust::{self, Trust};
use crate::wire::{Watch, Wire};

/// The longest reply that is read before TLS.
const REPLY_LIMIT: usize = 16 * 1024;

/// A connection that has greeted and was greeted.
pub(crate) struct Opened {
    pub(crate) connection: AsyncSmtpConnection,
    pub(crate) watch: Arc<Watch>,
    pub(crate) peer: Arc<Peer>,
}

/// A reply before TLS, line by line and without its code.
struct Lines {
    code: u16,
    lines: Vec<String>,
}

/// Connects, starts TLS as the route asks, and exchanges greetings.
pub(crate) async fn open(route: &Route) -> Result<Opened, Delivery> {
    let mut peer = Peer { host: route.host.clone(), address: None, tls: None };
    match dial(route, &mut peer).await {
        Ok((connection, watch)) => Ok(Opened { connection, watch, peer: Arc::new(peer) }),
        Err(delivery) => Err(delivery.by(&Arc::new(peer))),
    }
}

pub(crate) fn failed(stage: Stage, words: &str) -> Delivery {
    Delivery::without_reply(Outcome::RouteFailed, stage, words)
}

async fn dial(route: &Route, peer: &mut Peer) -> Result<(AsyncSmtpConnection, Arc<Watch>), Delivery> {
    let mut stream = timeout(route.timeouts.connect, TcpStream::connect((route.host.as_str(), route.port)))
        .await
        .map_err(|_| failed(Stage::Connect, "the relay did not answer in time"))?
        .map_err(|error| failed(Stage::Connect, connect_words(error.kind())))?;
    peer.address = stream.peer_addr().ok().map(|address| address.ip().to_canonical());
    // Without it each command waits for the acknowledgement of the one before: 40 ms a mail.
    stream.set_nodelay(true).map_err(|_| failed(Stage::Connect, "the connection broke"))?;
    let (stream, greeting) = match &route.security {
        Security::Off => (Stream::Plain(Direct(stream)), ""),
        Security::Implicit(trust) => (handshake(stream, route, trust).await?, ""),
        Security::Opportunistic(trust) | Security::Required(trust) => {
            // lettre waits for a greeting, which was used up.
            let greeting = "220 relay\r\n";
            if ask_for_tls(&mut stream, route).await? {
                (handshake(stream, route, trust).await?, greeting)
            } else {
                (Stream::Plain(Direct(stream)), greeting)
            }
        }
    };
    peer.tls = stream.tls();
    greet(stream, greeting, route).await
}

/// Exchanges greetings the way lettre does it.
async fn greet(stream: Stream, greeting: &str, route: &Route) -> Result<(AsyncSmtpConnection, Arc<Watch>), Delivery> {
    let watch = Watch::new(stream);
    let wire = Box::new(Wire::new(Arc::clone(&watch), greeting.as_bytes()));
    let name = ClientId::Domain(route.hello_name.clone());
    let greetings = AsyncSmtpConnection::connect_with_transport(wire, &name);
    match timeout(route.timeouts.hello, greetings).await {
        Ok(Ok(connection)) => Ok((connection, watch)),
        Ok(Err(error)) => Err(match said(Err(error)) {
            Ok(said) => said.judge(Stage::Hello, None),
            Err(silence) => failed(Stage::Hello, silence.seen_by(&watch).words()),
        }),
        Err(_) => Err(failed(Stage::Hello, Silence::TimedOut.words())),
    }
}

async fn handshake(stream: TcpStream, route: &Route, trust: &Trust) -> Result<Stream, Delivery> {
    let name = route.host.trim_end_matches('.').to_owned();
    let name = ServerName::try_from(name)
        .map_err(|_| failed(Stage::Tls, "the relay's host is no name that a certificate can bear"))?;
    let connecting = TlsConnector::from(trust.config()).connect(name, Direct(stream));
    match timeout(route.timeouts.hello, connecting).await {
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
        Ok(Err(error)) => Err(failed(Stage::Tls, trust::words(&error))),
        Err(_) => Err(failed(Stage::Tls, Silence::TimedOut.words())),
    }
}

/// Greets in the clear and asks for TLS; false when it is not offered and need not be.
async fn ask_for_tls(stream: &mut TcpStream, route: &Route) -> Result<bool, Delivery> {
    let asked = timeout(route.timeouts.hello, async {
        yes(reply(stream).await, Stage::Hello)?;
        let hello = ask(stream, &format!("EHLO {}\r\n", route.hello_name)).await;
        let offered = yes(hello, Stage::Hello)?.offers("STARTTLS");
        if !offered {
            return match route.security {
                Security::Opportunistic(_) => Ok(false),
                Security::Off | Security::Required(_) | Security::Implicit(_) => {
                    Err(failed(Stage::Tls, "the relay does not offer STARTTLS, or somebody on the way took it out"))
                }
            };
        }
        yes(ask(stream, "STARTTLS\r\n").await, Stage::Tls)?;
        Ok(true)
    });
    asked.await.unwrap_or_else(|_| Err(failed(Stage::Hello, Silence::TimedOut.words())))
}

/// The reply, if it is one of the class 2.
fn yes(reply: Result<Lines, Silence>, stage: Stage) -> Result<Lines, Delivery> {
    let lines = reply.map_err(|silence| failed(stage, silence.words()))?;
    let said = Said { code: lines.code, text: lines.lines.join(" ") };
    if said.is_yes() { Ok(lines) } else { Err(said.judge(stage, None)) }
}

async fn ask(stream: &mut TcpStream, command: &str) -> Result<Lines, Silence> {
    stream.write_all(command.as_bytes()).await.map_err(|_| Silence::Broken)?;
    reply(stream).await
}

/// Reads exactly one reply: bytes after it would be taken for words said under TLS, so that they end the connection.
async fn reply(stream: &mut TcpStream) -> Result<Lines, Silence> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return Err(Silence::Broken),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
        if let Some(lines) = Lines::read(&bytes)? {
            return Ok(lines);
        }
        if bytes.len() > REPLY_LIMIT {
            return Err(Silence::OutOfStep);
        }
    }
}

impl Lines {
    /// A whole reply and nothing after it; `None` while its last line is missing.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Silence> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = Vec::new();
        let mut rest = text.as_ref();
        while let Some((line, after)) = rest.split_once('\n') {
            let line = line.trim_end_matches('\r');
            let code = line.get(..3).and_then(|code| code.parse().ok()).ok_or(Silence::OutOfStep)?;
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            match line.as_bytes().get(3) {
                Some(b'-') => rest = after,
                Some(b' ') | None if after.is_empty() => return Ok(Some(Self { code, lines })),
                Some(_) | None => return Err(Silence::OutOfStep),
            }
        }
        Ok(None)
    }

    fn offers(&self, keyword: &str) -> bool {
        let first_word = |line: &String| line.split_whitespace().next().unwrap_or_default().to_owned();
        self.lines.iter().skip(1).any(|line| first_word(line).eq_ignore_ascii_case(keyword))
    }
}

/// Plain words for the usual ways in which a relay is not there; the system's own could name hosts.
fn connect_words(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "nothing listens at the relay's address",
        io::ErrorKind::TimedOut => "the relay did not answer in time",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "the relay's network cannot be reached",
        _ => "the relay could not be reached",
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn a_reply_before_tls_is_read_whole_and_alone() {
        let read = |text: &str| Lines::read(text.as_bytes()).map(|lines| lines.map(|lines| lines.code)).ok();
        assert_eq!(read("220 relay.example\r\n"), Some(Some(220)));
        assert_eq!(read("250\r\n"), Some(Some(250)));
        assert_eq!(read("250-relay\r\n250-SIZE\r\n"), Some(None));
        assert_eq!(read("250-relay\r\n250 STARTTLS\r\n"), Some(Some(250)));
        // Words slipped in behind a reply would otherwise be believed as if they had come under TLS.
        assert_eq!(read("220 go\r\n250-relay\r\n"), None);
        assert_eq!(read("220 go\r\n2"), None);
        assert_eq!(read("HTTP/1.1 200 OK\r\n"), None);
        assert_eq!(read("\u{16}\u{3}\u{1}\n"), None);
    }

    #[test]
    fn the_first_line_offers_nothing() {
        let offers =
            |text: &str| Lines::read(text.as_bytes()).ok().flatten().is_some_and(|lines| lines.offers("STARTTLS"));
        assert!(offers("250-relay.example\r\n250-SIZE\r\n250 starttls\r\n"));
        assert!(!offers("250 STARTTLS\r\n"));
        assert!(!offers("250-relay.example\r\n250 XXXXXXXX\r\n"));
        assert!(!offers("250-relay.example\r\n250 SIZE STARTTLS\r\n"));
    }
}
