//! Where answers come from: a resolver on the network, a zone file, or a zone file before a resolver.
//!
//! Aliases (CNAME) are followed by either. An answer that does not come, or is an error of the server, is not known;
//! only the server's word that there is nothing counts as nothing. DNSSEC is not validated here.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::task::JoinSet;

use super::both;
use super::known::{Answer, Question, Rdata, Wanted};
use super::zone::Zone;

/// Questions asked at once.
const AT_ONCE: usize = 8;

/// Where answers come from. What a zone does not know is asked of the resolver, if there is one.
pub struct Lookups {
    zone: Option<Zone>,
    resolver: Option<TokioResolver>,
}

/// Why there is no resolver.
#[derive(Debug, thiserror::Error)]
pub enum ResolverError {
    /// The system names none.
    #[error("this machine's DNS servers cannot be read ({0})")]
    System(String),
    /// The library refused.
    #[error("the DNS resolver cannot be made ({0})")]
    Library(String),
}

impl Lookups {
    /// A resolver at this address, or the system's; each answer may take so long, twice.
    ///
    /// # Errors
    /// The system names no DNS server.
    pub fn resolver(server: Option<SocketAddr>, time: Duration) -> Result<Self, ResolverError> {
        let mut builder = match server {
            Some(server) => {
                let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
                for connection in &mut connections {
                    connection.port = server.port();
                }
                let server = NameServerConfig::new(server.ip(), true, connections);
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio().map_err(|error| ResolverError::System(error.to_string()))?,
        };
        let options = builder.options_mut();
        options.timeout = time;
        options.attempts = 1;
        // The hosts file is this machine's business: receivers do not see it.
        options.use_hosts_file = ResolveHosts::Never;
        let resolver = builder.build().map_err(|error| ResolverError::Library(error.to_string()))?;
        Ok(Self { zone: None, resolver: Some(resolver) })
    }

    /// A zone file alone: what it does not hold and is not below its origins is not known.
    #[must_use]
    pub fn zone(zone: Zone) -> Self {
        Self { zone: Some(zone), resolver: None }
    }

    /// The same, with the zone file asked first: as if it were published.
    #[must_use]
    pub fn behind(self, zone: Zone) -> Self {
        Self { zone: Some(zone), ..self }
    }

    /// Answers to all of these questions, some at once.
    pub async fn all(&self, questions: BTreeSet<Question>) -> Vec<(Question, Answer)> {
        let mut answers = Vec::new();
        let mut asking = JoinSet::new();
        let mut waiting = questions.into_iter();
        loop {
            while asking.len() < AT_ONCE {
                let Some(question) = waiting.next() else { break };
                let of_zone = self.zone.as_ref().and_then(|zone| zone.answer(&question));
                match (of_zone, self.resolver.clone()) {
                    (Some(answer), _) => answers.push((question, answer)),
                    (None, Some(resolver)) => {
                        asking.spawn(async move {
                            let answer = ask(&resolver, &question).await;
                            (question, answer)
                        });
                    }
                    (None, None) => answers.push((question, not_in_the_zone())),
                }
            }
            match asking.join_next().await {
                Some(Ok(answer)) => answers.push(answer),
                Some(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
                None => return answers,
            }
        }
    }
}

fn not_in_the_zone() -> Answer {
    let why = "không có trong tệp vùng; thêm --resolver để hỏi DNS";
    Answer::NotKnown(both(why, "it is not in the zone file; add --resolver to ask DNS"))
}

async fn ask(resolver: &TokioResolver, (name, wanted): &Question) -> Answer {
    let Ok(mut absolute) = Name::from_ascii(name) else {
        // SPF can put together names that no DNS holds.
        return Answer::NoSuchName;
    };
    // Else the system's search list would be tried.
    absolute.set_fqdn(true);
    let kind = match wanted {
        Wanted::A => RecordType::A,
        Wanted::Aaaa => RecordType::AAAA,
        Wanted::Mx => RecordType::MX,
        Wanted::Txt => RecordType::TXT,
        Wanted::Ptr => RecordType::PTR,
    };
    match resolver.lookup(absolute, kind).await {
        Ok(lookup) => {
            let records: Vec<Rdata> = lookup.answers().iter().filter_map(|record| rdata(record, *wanted)).collect();
            if records.is_empty() { Answer::None } else { Answer::Found(records) }
        }
        Err(error) => nothing(&error),
    }
}

/// Tells the server's "nothing" from every kind of "no answer".
fn nothing(error: &NetError) -> Answer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, .. })) => match response_code {
            ResponseCode::NXDomain => Answer::NoSuchName,
            ResponseCode::NoError => Answer::None,
            other => refused(*other),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => refused(*code),
        NetError::Timeout => Answer::NotKnown(both("DNS không trả lời kịp", "DNS did not answer in time")),
        // The library's words name servers and ports, and no person.
        other => {
            Answer::NotKnown(both(format!("DNS không trả lời ({other})"), format!("DNS gave no answer ({other})")))
        }
    }
}

fn refused(code: ResponseCode) -> Answer {
    Answer::NotKnown(both(format!("máy chủ DNS báo lỗi ({code})"), format!("the DNS server reports an error ({code})")))
}

/// A record's contents, if it is of the wanted kind; aliases on the way are none.
pub(crate) fn rdata(record: &Record, wanted: Wanted) -> Option<Rdata> {
    match (&record.data, wanted) {
        (RData::A(address), Wanted::A) => Some(Rdata::Address(address.0.into())),
        (RData::AAAA(address), Wanted::Aaaa) => Some(Rdata::Address(address.0.into())),
        (RData::MX(mx), Wanted::Mx) => Some(Rdata::Mx(mx.preference, plain(&mx.exchange))),
        (RData::PTR(name), Wanted::Ptr) => Some(Rdata::Name(plain(&name.0))),
        (RData::TXT(text), Wanted::Txt) => {
            let bytes: Vec<u8> = text.txt_data.iter().flat_map(|part| part.iter().copied()).collect();
            Some(Rdata::Txt(String::from_utf8_lossy(&bytes).into_owned()))
        }
        _ => None,
    }
}

/// A name in small letters without its last dot; the root is empty.
pub(crate) fn plain(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}
