//! Who asks, and whether what lies outside is encrypted: from the connection, and from a proxy's word where it is believed.
//!
//! Anybody can write `X-Forwarded-For`. Only what a listed proxy added is believed: the addresses are read from the right,
//! and the first that is not a listed proxy's is the client. An address never goes into a log.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Once};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// Who asks, in the extensions of every request. It has no `Debug`, so that an address is not printed by accident.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The address, as far as it can be believed. An IPv4 address that came as IPv6 is written as IPv4.
    pub address: IpAddr,
    /// Whether the client's own connection is encrypted: here, or at a listed proxy that says so.
    pub https: bool,
    /// Whether the address lies in a network that limits by address do not count.
    pub exempt: bool,
}

impl Client {
    /// The client of a request. Where nothing was put into the extensions, as in a router tried without a server: an
    /// unspecified address without encryption, which shares one account with all others of its kind.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        let unknown = Self { address: Ipv4Addr::UNSPECIFIED.into(), https: false, exempt: false };
        extensions.get::<Self>().copied().unwrap_or(unknown)
    }

    /// What limits by address count together: an IPv4 address, or the /64 that one subscriber of IPv6 has to himself.
    #[must_use]
    pub fn network(&self) -> IpNet {
        let bits = if self.address.is_ipv4() { 32 } else { 64 };
        IpNet::new(self.address, bits).expect("both lengths are lengths of their kind").trunc()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.extensions))
    }
}

/// Which proxies are believed, and which networks are exempt from limits by address. Cheap to clone.
#[derive(Clone, Default)]
pub struct Networks {
    trusted: Arc<[IpNet]>,
    exempt: Arc<[IpNet]>,
}

impl Networks {
    /// Believes the proxies of `trusted` and exempts the clients of `exempt`.
    #[must_use]
    pub fn new(trusted: Vec<IpNet>, exempt: Vec<IpNet>) -> Self {
        Self { trusted: trusted.into(), exempt: exempt.into() }
    }

    /// Whether any proxy is believed.
    #[must_use]
    pub fn trust_a_proxy(&self) -> bool {
        !self.trusted.is_empty()
    }

    /// Who asks over a connection from `peer` that is encrypted here or not.
    pub(crate) fn client(&self, peer: IpAddr, encrypted: bool, headers: &HeaderMap) -> Client {
        let peer = peer.to_canonical();
        if !holds(&self.trusted, peer) {
            if headers.contains_key("x-forwarded-for") {
                // Everybody behind such a proxy counts as one address. Anybody can write the header, so it is told once.
                static TOLD: Once = Once::new();
                TOLD.call_once(|| {
                    tracing::warn!(
                        "a request came through a proxy that is not listed: everybody behind it counts as one address; \
                         if the proxy is yours, name it with --trusted-proxy"
                    );
                });
            }
            return Client { address: peer, https: encrypted, exempt: holds(&self.exempt, peer) };
        }
        let address = self.forwarded_for(peer, headers);
        // Of several words the last is the nearest proxy's own.
        let said = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|value| value.to_str().ok());
        let said = said.and_then(|said| said.rsplit(',').next()).map(str::trim);
        // A proxy that says nothing of it passes on what it was asked.
        let https = said.map_or(encrypted, |said| said.eq_ignore_ascii_case("https"));
        Client { address, https, exempt: holds(&self.exempt, address) }
    }

    /// The rightmost address that is no listed proxy's. Where the chain ends or cannot be read: the last proxy read.
    fn forwarded_for(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        for value in headers.get_all("x-forwarded-for").iter().rev() {
            let Ok(text) = value.to_str() else { return client };
            for hop in text.rsplit(',') {
                let Some(hop) = address_of(hop.trim()) else { return client };
                client = hop;
                if !holds(&self.trusted, hop) {
                    return client;
                }
            }
        }
        client
    }
}

fn holds(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

/// Reads a network such as `10.0.0.0/8` or `2001:db8::/32`; a single address is a network of one.
///
/// # Errors
/// It is neither, or bits beyond the network's length are set; the text says so.
pub fn network(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let network: IpNet = text.parse().map_err(|_| "give a network such as 10.0.0.0/8 or an address".to_owned())?;
    if network != network.trunc() {
        return Err(format!("the network of this address is {}; write that, or the address alone", network.trunc()));
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn networks() -> Networks {
        let list = |texts: &[&str]| texts.iter().map(|text| network(text).expect("a network")).collect();
        Networks::new(list(&["127.0.0.1", "10.1.0.0/16", "fd00::/8"]), list(&["192.0.2.0/24"]))
    }

    fn ask(peer: &str, headers: &[(&'static str, &'static str)]) -> (String, bool, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let client = networks().client(peer.parse().expect("an address"), false, &map);
        (client.address.to_string(), client.https, client.exempt)
    }

    /// Peer, headers, the client's address, whether it came encrypted, whether it is exempt.
    type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str, bool, bool);

    #[test]
    fn only_a_listed_proxy_is_believed() {
        let table: [Row; 13] = [
            ("203.0.113.9", &[], "203.0.113.9", false, false),
            (
                "203.0.113.9",
                &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")],
                "203.0.113.9",
                false,
                false,
            ),
            ("127.0.0.1", &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")], "192.0.2.7", true, true),
            ("::ffff:127.0.0.1", &[("x-forwarded-for", "203.0.113.7")], "203.0.113.7", false, false),
            // What the client wrote itself stands to the left of what the proxy added.
            ("127.0.0.1", &[("x-forwarded-for", "192.0.2.7, 203.0.113.7")], "203.0.113.7", false, false),
            ("127.0.0.1", &[("x-forwarded-for", "192.0.2.7, 203.0.113.7, 10.1.2.3")], "203.0.113.7", false, false),
            (
                "127.0.0.1",
                &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "203.0.113.7")],
                "203.0.113.7",
                false,
                false,
            ),
            ("127.0.0.1", &[("x-forwarded-for", "203.0.113.7:4711")], "203.0.113.7", false, false),
            ("127.0.0.1", &[("x-forwarded-for", "[2001:db8::1]:4711")], "2001:db8::1", false, false),
            ("fd00::5", &[("x-forwarded-for", "2001:db8::1")], "2001:db8::1", false, false),
            // A chain that cannot be read on is the last proxy's own.
            ("127.0.0.1", &[("x-forwarded-for", "192.0.2.7, unknown, 10.1.2.3")], "10.1.2.3", false, false),
            ("127.0.0.1", &[("x-forwarded-proto", "https, http")], "127.0.0.1", false, false),
            ("127.0.0.1", &[("x-forwarded-proto", "http"), ("x-forwarded-proto", "HTTPS")], "127.0.0.1", true, false),
        ];
        for (peer, headers, address, https, exempt) in table {
            assert_eq!(ask(peer, headers), (address.to_owned(), https, exempt), "{peer} {headers:?}");
        }
    }

    #[test]
    fn an_address_counts_alone_and_an_ipv6_subscriber_as_a_whole() {
        let network = |text: &str| {
            let address = text.parse().expect("an address");
            Client { address, https: false, exempt: false }.network().to_string()
        };
        assert_eq!(network("192.0.2.7"), "192.0.2.7/32");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }

    #[test]
    fn a_network_is_read_as_it_is_meant() {
        assert_eq!(network("10.0.0.0/8").map(|network| network.to_string()), Ok("10.0.0.0/8".to_owned()));
        assert_eq!(network("::1").map(|network| network.to_string()), Ok("::1/128".to_owned()));
        assert!(network("10.1.2.3/8").is_err_and(|error| error.contains("10.0.0.0/8")));
        assert!(network("the proxy").is_err());
    }
}
