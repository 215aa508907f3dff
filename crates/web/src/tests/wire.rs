//! The server on a real loopback socket: refusals that arrive whole, and a stop that lets requests finish.
//!
//! Timeouts are not waited for here.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::fixture::{FakeDesk, NOW, app_at};
use crate::guard::BODY_LIMIT;

struct Server {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

async fn server() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let app = app_at(Arc::new(FakeDesk::new()), NOW);
    let served = tokio::spawn(crate::serve(listener, app, async move {
        stopped.await.expect("the test stops the server");
    }));
    Server { address, stop, served }
}

async fn talk(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.expect("the server reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.expect("the server closes in order");
    reply
}

#[tokio::test]
async fn a_large_post_gets_its_page_and_not_a_broken_line() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let head = format!(
        "POST /f/open/page?lang=en HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        16 * BODY_LIMIT
    );
    let mut request = head.into_bytes();
    request.extend(std::iter::repeat_n(b'a', 16 * BODY_LIMIT));
    let reply = talk(&mut stream, &request).await;
    assert!(reply.starts_with("HTTP/1.1 413"), "{}", &reply[..40]);
    assert!(reply.contains("What was sent is too large"));
}

#[tokio::test]
async fn a_request_in_hand_is_answered_after_the_stop() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let body = "go=start";
    let head = format!(
        "POST /f/open/page HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    // The interim reply shows that the request is in hand: its page has begun to read the body.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.expect("an interim reply");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.stop.send(()).expect("the server runs");
    let reply = talk(&mut stream, body.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    server.served.await.expect("no panic").expect("served");
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing is accepted after the stop");
}

#[tokio::test]
async fn rubbish_does_not_disturb_the_server() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let reply = talk(&mut stream, b"\x16\x03\x01 this is not HTTP\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 400"));
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let reply = talk(&mut stream, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(reply.ends_with("ok"));
}
