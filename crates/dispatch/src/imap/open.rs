//! How a mailbox's server is reached: TCP, TLS in one of two ways, its greeting, the login.
//!
//! What a server says before TLS could be said by anybody on the way: it is read to its end, and anything beyond what
//! was asked ends the connection.

use std::io;

use async_imap::error::Error;
use async_imap::imap_proto::{Response, Status};
use async_imap::{Client, Session};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::address::ImapScheme;
use super::bounded::Bounded;
use super::{ImapError, ImapRoute};
use crate::stream::{Direct, Stream};
use crate::trust;

/// Bytes of an answer before TLS at most.
const ANSWER_LIMIT: usize = 16 * 1024;

fn route_failed(words: &str) -> ImapError {
    ImapError::Route(words.to_owned())
}

/// What a broken connection is: lost, or a server that says what none says.
pub(super) fn broken(error: &io::Error) -> ImapError {
    match error.kind() {
        // The library's parser and the limit of what a server may announce.
        io::ErrorKind::Other | io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidData => ImapError::Refused,
        _ => ImapError::Lost,
    }
}

/// A connection under TLS that was greeted and is not logged in.
pub(super) async fn client(route: &ImapRoute) -> Result<Client<Bounded<Stream>>, ImapError> {
    let address = &route.address;
    let mut stream = timeout(route.patience, TcpStream::connect((address.host.as_str(), address.port)))
        .await
        .map_err(|_| route_failed("it did not answer in time"))?
        .map_err(|error| {
            route_failed(match error.kind() {
                io::ErrorKind::ConnectionRefused => "nothing listens at its address",
                _ => "no connection",
            })
        })?;
    stream.set_nodelay(true).map_err(|_| ImapError::Lost)?;
    if address.scheme == ImapScheme::StartTls {
        timeout(route.patience, ask_for_tls(&mut stream)).await.map_err(|_| ImapError::Lost)??;
    }
    let name = ServerName::try_from(address.host.trim_end_matches('.').to_owned())
        .map_err(|_| route_failed("its host is no name that a certificate can bear"))?;
    let connecting = TlsConnector::from(route.trust.config()).connect(name, Direct(stream));
    let stream = timeout(route.patience, connecting)
        .await
        .map_err(|_| route_failed("it did not answer in time"))?
        .map_err(|error| ImapError::Route(trust::words(&error).replace("relay", "server")))?;
    let mut client = Client::new(Bounded::new(Stream::Tls(Box::new(stream))));
    if address.scheme == ImapScheme::Imaps {
        let greeting = timeout(route.patience, client.read_response()).await.map_err(|_| ImapError::Lost)?;
        let greeting = greeting.map_err(|error| broken(&error))?.ok_or(ImapError::Lost)?;
        match greeting.parsed() {
            Response::Data { status: Status::Ok, .. } => {}
            _ => return Err(route_failed("it does not greet as a mailbox's server does")),
        }
    }
    Ok(client)
}

/// Logs in. The library's texts may quote what was sent, so none of them is passed on.
pub(super) async fn log_in(
    client: Client<Bounded<Stream>>,
    route: &ImapRoute,
) -> Result<Session<Bounded<Stream>>, ImapError> {
    let login = client.login(&route.address.user, route.password.expose_secret());
    match timeout(route.patience, login).await {
        Ok(Ok(session)) => Ok(session),
        Ok(Err((Error::No(_) | Error::Bad(_) | Error::Validate(_), _))) => Err(ImapError::Login),
        Ok(Err((Error::Io(error), _))) => Err(broken(&error)),
        Ok(Err(_)) | Err(_) => Err(ImapError::Lost),
    }
}

/// Takes the greeting and asks for TLS, in the clear.
async fn ask_for_tls(stream: &mut TcpStream) -> Result<(), ImapError> {
    let greeting = answer(stream, "* ").await?;
    if !is_ok(&greeting, "* ") {
        return Err(route_failed("it does not greet as a mailbox's server does"));
    }
    stream.write_all(b"t1 STARTTLS\r\n").await.map_err(|_| ImapError::Lost)?;
    if is_ok(&answer(stream, "t1 ").await?, "t1 ") {
        return Ok(());
    }
    Err(route_failed("it does not offer STARTTLS, or somebody on the way took it out"))
}

/// Reads until a line that begins with `start` has ended; it is the last one, and nothing follows it.
async fn answer(stream: &mut TcpStream, start: &str) -> Result<String, ImapError> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return Err(ImapError::Lost),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(last) = ended(&text, start)? {
            return Ok(last);
        }
        if bytes.len() > ANSWER_LIMIT {
            return Err(ImapError::Refused);
        }
    }
}

/// The line that was waited for; `None` while it has not come, an error where something stands behind it.
fn ended(text: &str, start: &str) -> Result<Option<String>, ImapError> {
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        if line.starts_with(start) {
            return if after.is_empty() { Ok(Some(line.trim_end().to_owned())) } else { Err(ImapError::Refused) };
        }
        rest = after;
    }
    Ok(None)
}

fn is_ok(line: &str, start: &str) -> bool {
    let word = line.strip_prefix(start).and_then(|rest| rest.split_whitespace().next());
    word.is_some_and(|word| word.eq_ignore_ascii_case("OK"))
}

#[cfg(test)]
mod tests {
    use super::{ImapError, ended, is_ok};

    #[test]
    fn an_answer_before_tls_is_read_whole_and_alone() {
        assert_eq!(ended("* OK ready\r\n", "* "), Ok(Some("* OK ready".to_owned())));
        assert_eq!(ended("* OK rea", "* "), Ok(None));
        assert_eq!(ended("* CAPABILITY X\r\nt1 OK go\r\n", "t1 "), Ok(Some("t1 OK go".to_owned())));
        // Words slipped in behind it would otherwise be believed as if they had come under TLS.
        assert_eq!(ended("t1 OK go\r\n* OK [CAPABILITY", "t1 "), Err(ImapError::Refused));
        assert!(is_ok("t1 ok begin", "t1 ") && !is_ok("t1 NO", "t1 ") && !is_ok("t1 OKAY", "t1 "));
    }
}
