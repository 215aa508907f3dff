//! A name server on loopback that knows one TXT record and no host at all: every other name does not exist.
//!
//! It stands at the usual port of an address of its own in 127.0.0.0/8, because a resolver's configuration names no
//! port. It answers what tests ask and nothing else.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU32, Ordering};

/// A running name server; it ends with the test's process.
pub(crate) struct Dns {
    /// Its address.
    pub(crate) address: String,
}

impl Dns {
    /// Starts one that answers `record` to TXT questions for `name`.
    pub(crate) fn start(name: &str, record: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst) % 250;
        let process = std::process::id();
        // Other test runs on this machine have other numbers.
        let address = format!("127.{}.{}.{}", 64 + number % 64, process / 250 % 250, process % 250 + 1);
        let socket = UdpSocket::bind((address.as_str(), 53)).expect("only root may answer at port 53: run as root");
        let (name, record) = (name.to_ascii_lowercase(), record.to_owned());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((count, from)) = socket.recv_from(&mut buffer) {
                if let Some(answer) = answer(&buffer[..count], &name, &record) {
                    socket.send_to(&answer, from).unwrap();
                }
            }
        });
        Self { address }
    }
}

/// The answer to one question (RFC 1035).
fn answer(question: &[u8], known: &str, record: &str) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut name = Vec::new();
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        name.push(String::from_utf8_lossy(question.get(at..at + length)?).to_ascii_lowercase());
        at += length;
    }
    let kind = question.get(at..at + 2)?;
    let asked = question.get(12..at + 4)?;
    let is_known = name.join(".") == known && kind == [0, 16];
    let mut answer = question.get(..2)?.to_vec();
    // A response, recursion desired and available; "no such name" where nothing is known.
    answer.extend([0x81, if is_known { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(is_known), 0, 0, 0, 0]);
    answer.extend(asked);
    if is_known {
        let texts: Vec<u8> = record
            .as_bytes()
            .chunks(255)
            .flat_map(|text| [&[u8::try_from(text.len()).unwrap()], text].concat())
            .collect();
        // The name as a pointer to the question's, then TXT, IN, a minute.
        answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(texts.len()).unwrap().to_be_bytes());
        answer.extend(texts);
    }
    Some(answer)
}
