//! A stream that ends when a server announces more than a mail may have.
//!
//! The IMAP library makes room for whatever a server announces, up to half a gigabyte. This looks at what comes in,
//! before the library does, and knows no more of IMAP than where literals begin and how long they are.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::bounce::MAIL_LIMIT;

/// Bytes of a line at most, literals not counted: enough for the numbers of a million mails.
const LINE_LIMIT: usize = 16 << 20;
/// Characters of `{1048576}` and a line end that are kept to be recognised.
const TAIL: usize = 24;

/// A stream from an IMAP server.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    inner: S,
    meter: Meter,
}

/// Where in the server's words the last byte stood.
#[derive(Debug, Default)]
struct Meter {
    /// Bytes of a literal that are still to come.
    literal: usize,
    /// Bytes of the line so far.
    line: usize,
    /// The end of the line so far.
    tail: Vec<u8>,
}

impl<S> Bounded<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, meter: Meter::default() }
    }
}

impl Meter {
    /// Takes bytes in; `false` where the server announces too much.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        while let Some(first) = bytes.first() {
            if self.literal > 0 {
                let count = self.literal.min(bytes.len());
                self.literal -= count;
                bytes = &bytes[count..];
                continue;
            }
            bytes = &bytes[1..];
            self.line += 1;
            if *first == b'\n' {
                self.literal = literal(&self.tail);
                (self.line, self.tail) = (0, Vec::new());
            } else {
                if self.tail.len() == TAIL {
                    self.tail.remove(0);
                }
                self.tail.push(*first);
            }
            if self.line > LINE_LIMIT || self.literal > MAIL_LIMIT {
                return false;
            }
        }
        true
    }
}

/// The length that `… {123}` at the end of a line announces; 0 where it announces none.
fn literal(line: &[u8]) -> usize {
    let Some(line) = line.trim_ascii_end().strip_suffix(b"}") else { return 0 };
    let Some(at) = line.iter().rposition(|byte| *byte == b'{') else { return 0 };
    std::str::from_utf8(&line[at + 1..]).ok().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = out.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(context, out))?;
        if this.meter.take(&out.filled()[before..]) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(io::Error::from(io::ErrorKind::FileTooLarge)))
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE_LIMIT, MAIL_LIMIT, Meter};

    /// Whether all of it passes, in pieces of one size.
    fn passes(text: &[u8], piece: usize) -> bool {
        let mut meter = Meter::default();
        text.chunks(piece).all(|piece| meter.take(piece))
    }

    #[test]
    fn a_literal_may_be_as_long_as_a_mail_and_no_longer() {
        let mail = vec![b'\n'; MAIL_LIMIT];
        let whole =
            [format!("* 1 FETCH (BODY[]<0> {{{MAIL_LIMIT}}}\r\n").as_bytes(), &mail, b")\r\na1 OK\r\n"].concat();
        let too_long = format!("* 1 FETCH (BODY[]<0> {{{}}}\r\n", MAIL_LIMIT + 1).into_bytes();
        // Within a literal nothing is an announcement.
        let inner = b"* 1 FETCH (BODY[] {12}\r\n{99999999}\r\n)\r\n* OK\r\n".to_vec();
        let after = b"* 1 FETCH (BODY[] {3}\r\nabc BODY[] {99999999}\r\n".to_vec();
        for piece in [1, 7, 4096] {
            assert!(passes(&whole, piece) && passes(&inner, piece));
            assert!(!passes(&too_long, piece) && !passes(&after, piece));
        }
        assert!(passes(b"* OK {} {x} {12\r\n* OK\r\n", 3));
    }

    #[test]
    fn a_line_has_an_end() {
        assert!(!passes(&vec![b'1'; LINE_LIMIT + 1], 65_536));
        assert!(passes(&vec![b'1'; LINE_LIMIT], 65_536));
    }
}
