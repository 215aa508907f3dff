//! A DNS server on loopback, over UDP and TCP, that answers from a zone file and misbehaves about names it is told.
//!
//! It reads the file by the DNS library's own reader, not by the program's. It recurses nowhere and caches nothing.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{LowerName, Name, RData, Record, RecordType};
use hickory_resolver::proto::serialize::txt::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

/// What the server does about a name instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// It says nothing.
    Silence,
    /// It says SERVFAIL.
    Fails,
    /// It says REFUSED.
    Refuses,
}

/// A running server; it stops when it is dropped.
pub struct Dns {
    address: SocketAddr,
    zone: Arc<Zone>,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Default)]
struct Zone {
    records: BTreeMap<(String, RecordType), Vec<Record>>,
    mischief: Mutex<HashMap<String, Mischief>>,
    /// Questions that came in, over UDP and over TCP.
    asked: Mutex<(usize, usize)>,
}

impl Dns {
    /// Serves a zone file from a free port.
    pub async fn serve(text: &str) -> Self {
        let (_, sets) = Parser::new(text, None, None).parse().unwrap();
        let mut zone = Zone::default();
        for (key, set) in sets {
            let records = set.records_without_rrsigs().cloned().collect();
            zone.records.insert((plain(&key.name), key.record_type), records);
        }
        let zone = Arc::new(zone);
        // The same port for both: what one has, the other may find taken.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let tasks = [tokio::spawn(over_udp(udp, Arc::clone(&zone))), tokio::spawn(over_tcp(tcp, Arc::clone(&zone)))];
        Self { address, zone, tasks }
    }

    /// Where it listens, as `--resolver` takes it.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Misbehaves about a name from now on.
    pub fn misbehave(&self, name: &str, mischief: Mischief) {
        self.zone.mischief.lock().unwrap().insert(name.to_owned(), mischief);
    }

    /// Questions that came in so far, over UDP and over TCP.
    #[must_use]
    pub fn asked(&self) -> (usize, usize) {
        *self.zone.asked.lock().unwrap()
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Zone {
    /// The whole answer; `None` for silence.
    fn answer(&self, question: &[u8]) -> Option<Message> {
        let asked = Message::from_vec(question).ok()?;
        let query = asked.queries.first()?.clone();
        let mut name = plain(&LowerName::from(query.name.clone()));
        let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
        answer.metadata.recursion_desired = asked.metadata.recursion_desired;
        answer.metadata.recursion_available = true;
        answer.add_query(query.clone());
        match self.mischief.lock().unwrap().get(&name) {
            Some(Mischief::Silence) => return None,
            Some(Mischief::Fails) => answer.metadata.response_code = ResponseCode::ServFail,
            Some(Mischief::Refuses) => answer.metadata.response_code = ResponseCode::Refused,
            None => {
                while let Some(alias) = self.records.get(&(name.clone(), RecordType::CNAME)) {
                    answer.add_answers(alias.iter().cloned());
                    let RData::CNAME(target) = &alias[0].data else { unreachable!("the key says so") };
                    name = plain(&LowerName::from(target.0.clone()));
                }
                match self.records.get(&(name.clone(), query.query_type)) {
                    Some(records) => _ = answer.add_answers(records.iter().cloned()),
                    None => self.nothing(&name, &mut answer),
                }
            }
        }
        Some(answer)
    }

    fn nothing(&self, name: &str, answer: &mut Message) {
        let exists = |known: &str| known == name || known.ends_with(&format!(".{name}"));
        if !self.records.keys().any(|(known, _)| exists(known)) {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        let zone = self.records.iter().find(|((zone, kind), _)| {
            *kind == RecordType::SOA && (name == zone || name.ends_with(&format!(".{zone}")))
        });
        answer.add_authorities(zone.into_iter().flat_map(|(_, soa)| soa.iter().cloned()));
    }
}

async fn over_udp(socket: UdpSocket, zone: Arc<Zone>) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        zone.asked.lock().unwrap().0 += 1;
        let Some(answer) = zone.answer(&buffer[..length]) else { continue };
        let room = Message::from_vec(&buffer[..length]).map_or(512, |asked| usize::from(asked.max_payload()));
        let mut bytes = answer.to_vec().unwrap();
        if bytes.len() > room {
            bytes = answer.truncate().to_vec().unwrap();
        }
        // A caller that went away is not our concern.
        let _ = socket.send_to(&bytes, from).await;
    }
}

async fn over_tcp(listener: TcpListener, zone: Arc<Zone>) {
    while let Ok((stream, _)) = listener.accept().await {
        let zone = Arc::clone(&zone);
        tokio::spawn(async move {
            let _ = converse(stream, &zone).await;
        });
    }
}

async fn converse(mut stream: TcpStream, zone: &Zone) -> io::Result<()> {
    loop {
        let mut question = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut question).await?;
        zone.asked.lock().unwrap().1 += 1;
        if let Some(answer) = zone.answer(&question) {
            let bytes = answer.to_vec().unwrap();
            stream.write_u16(u16::try_from(bytes.len()).unwrap()).await?;
            stream.write_all(&bytes).await?;
        }
    }
}

fn plain(name: &LowerName) -> String {
    Name::from(name.clone()).to_ascii().trim_end_matches('.').to_owned()
}
