//! Connections that are held open: idle ones, and such as send a head or a body byte by byte.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parsurvey_tests::OpenForm;

/// How often a slow one sends a byte.
const DRIP: Duration = Duration::from_secs(1);

/// Connections that are held until it is dropped.
pub(crate) struct Held {
    streams: Arc<Vec<TcpStream>>,
    done: Arc<AtomicBool>,
    dripping: Option<JoinHandle<()>>,
}

impl Held {
    /// Opens so many, a third of each kind.
    pub(crate) fn open(address: &str, number: usize, forms: &[OpenForm]) -> Self {
        let streams: Vec<TcpStream> = (0..number)
            .map(|place| {
                let mut stream = TcpStream::connect(address).unwrap();
                let path = &forms[place % forms.len()].path;
                let head = match place % 3 {
                    0 => String::new(),
                    1 => format!("GET {path} HTTP/1.1\r\nhost: a\r\nx-slow: "),
                    _ => format!(
                        "POST {path}/page HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\
                         content-type: application/x-www-form-urlencoded\r\n\r\ngo=next&q.q1="
                    ),
                };
                stream.write_all(head.as_bytes()).unwrap();
                stream.set_nonblocking(true).unwrap();
                stream
            })
            .collect();
        let (streams, done) = (Arc::new(streams), Arc::new(AtomicBool::new(false)));
        let (slow, ended) = (Arc::clone(&streams), Arc::clone(&done));
        let dripping = std::thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                for mut stream in slow.iter().enumerate().filter(|(place, _)| place % 3 != 0).map(|(_, stream)| stream)
                {
                    // One that was cut off takes no more, which is what is counted in the end.
                    drop(stream.write(b"5"));
                }
                std::thread::sleep(DRIP);
            }
        });
        Self { streams, done, dripping: Some(dripping) }
    }

    /// How many the server has not closed.
    pub(crate) fn still_open(&self) -> usize {
        let mut byte = [0; 512];
        let is_open = |stream: &&TcpStream| {
            let mut stream: &TcpStream = stream;
            stream.read(&mut byte).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        };
        self.streams.iter().filter(is_open).count()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        if let Some(dripping) = self.dripping.take() {
            dripping.join().unwrap();
        }
    }
}
