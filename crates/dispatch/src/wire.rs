//! A stream that watches an SMTP exchange pass through it, for what lettre's connection does not tell.
//!
//! It knows which extensions the relay offered (lettre keeps four of them, and not DSN), how many replies have come in,
//! and whether the final dot has left this machine. It mends two things on which lettre gives up although they are
//! no failures: a reply of three digits without a space, and one that is not UTF-8.
//! Under TLS it stands inside, so that it sees what lettre says and not how that was encrypted.
//! It decides nothing and times nothing; `session` does.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use crate::stream::Stream;

/// What lettre writes after the contents.
const FINAL_DOT: &[u8] = b"\r\n.\r\n";

/// How much of the greetings is kept; a relay's list of extensions is a few hundred bytes.
const GREETING_LIMIT: usize = 16 * 1024;

/// The half that the session keeps.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Shared with lettre's half; only ever locked for one poll.
    stream: Mutex<Stream>,
    /// Replies that have come in whole, asked for or not.
    replies: AtomicUsize,
    /// What the relay said until [`Watch::offers`] was asked.
    greeting: Mutex<Option<Vec<u8>>>,
    /// Something came in unasked, or the relay hung up. Stays so: looking takes the evidence off the wire.
    disturbed: AtomicBool,
    /// The relay ended the connection.
    ended: AtomicBool,
    in_contents: AtomicBool,
    dot_left: AtomicBool,
    dot_leaves: Notify,
}

/// Which extensions the relay offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    /// Delivery status notifications: `RET=HDRS` may be given.
    pub(crate) dsn: bool,
    /// Contents of eight bits.
    pub(crate) eight_bit: bool,
    /// Addresses beyond ASCII.
    pub(crate) smtputf8: bool,
    /// Several commands at once.
    pub(crate) pipelining: bool,
}

/// The half that lettre is given.
#[derive(Debug)]
pub(crate) struct Wire {
    watch: Arc<Watch>,
    /// Bytes that were mended and not yet handed on.
    ready: Vec<u8>,
    /// Where in the current reply line the next byte stands.
    line: Line,
}

/// The place in a reply line.
#[derive(Debug, Default)]
struct Line {
    column: usize,
    is_last: bool,
}

impl Watch {
    pub(crate) fn new(stream: Stream) -> Arc<Self> {
        Arc::new(Self {
            stream: Mutex::new(stream),
            replies: AtomicUsize::new(0),
            greeting: Mutex::new(Some(Vec::new())),
            disturbed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            in_contents: AtomicBool::new(false),
            dot_left: AtomicBool::new(false),
            dot_leaves: Notify::new(),
        })
    }

    /// Replies seen since the connection began, the greeting included.
    pub(crate) fn replies(&self) -> usize {
        self.replies.load(Ordering::Acquire)
    }

    /// The extensions in the relay's greeting; forgets the greeting, so only the first call tells.
    pub(crate) fn offers(&self) -> Offers {
        let mut greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        read_offers(&greeting.take().unwrap_or_default())
    }

    /// The extensions in the relay's greeting, line by line; forgets the greeting as [`Watch::offers`] does.
    pub(crate) fn offered_lines(&self) -> Vec<String> {
        let mut greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        let greeting = greeting.take().unwrap_or_default();
        let text = String::from_utf8_lossy(&greeting);
        // The first line greets and offers nothing.
        let lines = text.lines().filter_map(|line| line.strip_prefix("250")).skip(1);
        lines.filter_map(|line| line.get(1..)).map(str::to_owned).collect()
    }

    /// The relay's own certificate (DER), where there is TLS.
    pub(crate) fn certificate(&self) -> Option<Vec<u8>> {
        self.stream().certificate()
    }

    /// Whether nothing has come in unasked and the relay has not hung up, as far as this machine knows.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        if self.poll_take(&mut context, &mut ReadBuf::new(&mut [0; 1])).is_ready() {
            self.disturbed.store(true, Ordering::Release);
        }
        !self.disturbed.load(Ordering::Acquire)
    }

    /// Whether the end of the connection was read.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Contents follow: from now on a final dot is one.
    pub(crate) fn begin_contents(&self) {
        self.dot_left.store(false, Ordering::Release);
        self.in_contents.store(true, Ordering::Release);
    }

    /// Whether the final dot, or a part of it, was handed to the network.
    pub(crate) fn dot_has_left(&self) -> bool {
        self.dot_left.load(Ordering::Acquire)
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_take(&self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_read(context, out)
    }

    fn poll_give(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream()).poll_write(context, bytes)
    }

    fn poll_give_all(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_flush(context)
    }

    /// Returns when the final dot was handed to the network.
    pub(crate) async fn dot_leaves(&self) {
        while !self.dot_has_left() {
            self.dot_leaves.notified().await;
        }
    }
}

impl Wire {
    /// `greeting` is what the relay said before there was a wire to watch: lettre, which waits for a greeting, is given it.
    pub(crate) fn new(watch: Arc<Watch>, greeting: &[u8]) -> Self {
        let mut wire = Self { watch, ready: Vec::new(), line: Line::default() };
        wire.take_in(greeting);
        wire
    }

    /// Passes on what came in, mended, and counts the replies in it.
    fn take_in(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match (self.line.column, byte) {
                (3, b'\r' | b'\n') => {
                    self.ready.push(b' ');
                    self.line.is_last = true;
                }
                (3, b' ') => self.line.is_last = true,
                _ => {}
            }
            self.ready.push(if byte.is_ascii() { byte } else { b'?' });
            self.line.column += 1;
            if byte == b'\n' {
                if self.line.is_last {
                    self.watch.replies.fetch_add(1, Ordering::AcqRel);
                }
                self.line = Line::default();
            }
        }
        let mut greeting = self.watch.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(greeting) = greeting.as_mut() {
            let room = GREETING_LIMIT.saturating_sub(greeting.len());
            greeting.extend(bytes.iter().take(room));
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.ready.is_empty() {
            let mut bytes = [0; 2048];
            let mut buffer = ReadBuf::new(&mut bytes);
            match ready!(this.watch.poll_take(context, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => {
                    this.watch.ended.store(true, Ordering::Release);
                    return Poll::Ready(Ok(()));
                }
                Ok(()) => this.take_in(buffer.filled()),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let count = this.ready.len().min(out.remaining());
        out.put_slice(&this.ready[..count]);
        this.ready.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let watch = &self.watch;
        // The contents have their dots doubled, so these bytes can be nothing else.
        let is_dot = bytes == FINAL_DOT && watch.in_contents.load(Ordering::Acquire);
        if is_dot {
            // TLS may still hold a part of the contents; what is not sent yet must not look as if it were.
            ready!(watch.poll_give_all(context))?;
            // A relay that spoke or hung up during the contents is not asked to take them: so far nothing is sent.
            if !watch.is_quiet() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
        }
        let count = ready!(watch.poll_give(context, bytes))?;
        if is_dot {
            watch.in_contents.store(false, Ordering::Release);
            watch.dot_left.store(true, Ordering::Release);
            watch.dot_leaves.notify_one();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watch.poll_give_all(context)
    }

    /// Nothing to do: the connection closes when both halves are dropped, without a `QUIT` that would have to be awaited.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.watch.stream().peer_addr()
    }
}

fn read_offers(greeting: &[u8]) -> Offers {
    let text = String::from_utf8_lossy(greeting);
    let mut offers = Offers::default();
    for line in text.lines().filter(|line| line.starts_with("250")) {
        let keyword = line.get(4..).unwrap_or_default();
        match keyword.split_whitespace().next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "DSN" => offers.dsn = true,
            "8BITMIME" => offers.eight_bit = true,
            "SMTPUTF8" => offers.smtputf8 = true,
            "PIPELINING" => offers.pipelining = true,
            _ => {}
        }
    }
    offers
}

#[cfg(test)]
mod tests {
    use super::{Offers, read_offers};

    #[test]
    fn offers_are_read_from_the_greeting() {
        let greeting =
            b"220 relay.example ESMTP DSN\r\n250-relay.example\r\n250-SIZE 10\r\n250-dsn\r\n250-Pipelining\r\n250 8BITMIME\r\n";
        assert_eq!(read_offers(greeting), Offers { dsn: true, eight_bit: true, smtputf8: false, pipelining: true });
        assert_eq!(read_offers(b"220 DSN\r\n250 relay.example\r\n"), Offers::default());
        assert_eq!(read_offers(b"250\r\n250-\xff"), Offers::default());
    }
}
