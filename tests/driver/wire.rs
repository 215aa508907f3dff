//! One HTTP/1.1 connection, byte by byte: for loads, for slow people, and for what no honest client sends.
//!
//! It blocks its thread, which costs next to nothing beside the server it is pointed at.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take before the connection counts as lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open connection.
pub struct Wire {
    stream: TcpStream,
    address: String,
    /// What was read beyond the last reply.
    rest: Vec<u8>,
}

/// A reply.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a header, whose name is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Wire {
    /// Connects to `ADDRESS:PORT`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, address: address.to_owned(), rest: Vec::new() })
    }

    /// Opens a page.
    ///
    /// # Errors
    /// The connection is lost before the whole reply is here.
    pub fn get(&mut self, path: &str) -> io::Result<Reply> {
        self.ask("GET", path, &[], "")
    }

    /// Posts a form.
    ///
    /// # Errors
    /// As [`Wire::get`].
    pub fn post(&mut self, path: &str, body: &str) -> io::Result<Reply> {
        self.ask("POST", path, &[("content-type", "application/x-www-form-urlencoded")], body)
    }

    /// A request with headers of its own.
    ///
    /// # Errors
    /// As [`Wire::get`].
    pub fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Reply> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if method == "POST" {
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(body);
        self.send(request.as_bytes())?;
        self.reply()
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Reads the next reply.
    ///
    /// # Errors
    /// The connection is lost before the whole reply is here.
    pub fn reply(&mut self) -> io::Result<Reply> {
        let end = loop {
            if let Some(at) = self.rest.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.more()?;
        };
        let head = String::from_utf8_lossy(&self.rest[..end]).into_owned();
        let mut reply = Reply { status: 0, head, body: Vec::new() };
        reply.status = reply.head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(no_http)?;
        let length = reply.header("content-length").map_or(Ok(0), str::parse::<usize>).map_err(|_| no_http())?;
        while self.rest.len() < end + length {
            self.more()?;
        }
        reply.body = self.rest[end..end + length].to_vec();
        self.rest.drain(..end + length);
        Ok(reply)
    }

    /// Waits until the other side has closed. What still comes is thrown away; a reset is an end as well.
    ///
    /// # Errors
    /// It stays open for longer than anybody waits.
    pub fn closed(&mut self) -> io::Result<()> {
        let mut thrown = [0; 4096];
        loop {
            match self.stream.read(&mut thrown) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let mut part = [0; 16 * 1024];
        let count = self.stream.read(&mut part)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.rest.extend_from_slice(&part[..count]);
        Ok(())
    }
}

fn no_http() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is no reply of HTTP")
}
