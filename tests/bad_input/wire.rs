//! HTTP as bytes on a socket: what no browser sends and a scanner or an attacker does.
//!
//! Nothing here knows pages; it reads a status and the text.

use parsurvey_tests::Serving;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A reply.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status; 0 when the server closed without a word.
    pub(crate) status: u16,
    /// Head and body.
    pub(crate) text: String,
}

/// A connection of its own.
pub(crate) async fn connect(serving: &Serving) -> TcpStream {
    TcpStream::connect(serving.address()).await.unwrap()
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn send(serving: &Serving, bytes: &[u8]) -> Reply {
    let mut stream = connect(serving).await;
    stream.write_all(bytes).await.unwrap();
    read(&mut stream).await
}

/// Reads until the server closes.
pub(crate) async fn read(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Reply { status, text }
}

/// A request without a body.
pub(crate) async fn ask(serving: &Serving, method: &str, path: &str) -> Reply {
    send(serving, format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes()).await
}

/// A post of this content type.
pub(crate) async fn post(serving: &Serving, path: &str, kind: &str, body: &[u8]) -> Reply {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    send(serving, &[head.as_bytes(), body].concat()).await
}
