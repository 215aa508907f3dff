//! A reader that refuses a record without end: one unclosed quotation mark would pull a whole file into memory.
//!
//! It knows no CSV; whoever reads records tells it when one has ended.

use std::cell::Cell;
use std::io::{Error, ErrorKind, Read};
use std::rc::Rc;

/// Bytes of one record at most, the parser's look-ahead included.
const BYTES_PER_RECORD: u64 = 4 * 1024 * 1024;

/// Bytes read since the last record ended, shared between the reader and whoever reads records.
#[derive(Clone, Default)]
pub(crate) struct Since(Rc<Cell<u64>>);

impl Since {
    /// A record has ended.
    pub(crate) fn reset(&self) {
        self.0.set(0);
    }
}

/// Reads on until a record takes too many bytes.
pub(crate) struct Bounded<R> {
    inner: R,
    since: Since,
}

impl<R> Bounded<R> {
    pub(crate) fn new(inner: R, since: Since) -> Self {
        Self { inner, since }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let total = &self.since.0;
        if total.get() > BYTES_PER_RECORD {
            return Err(Error::new(ErrorKind::InvalidData, "a line has no end; look for an unclosed quotation mark"));
        }
        let n = self.inner.read(buffer)?;
        total.set(total.get() + n as u64);
        Ok(n)
    }
}
