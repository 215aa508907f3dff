//! Who asks, as far as the request shows it: address, whether the browser's line is encrypted, and the cookies.
//!
//! The cookie of a session is `Secure` and bound to the host (`__Host-`) where the browser came encrypted or under
//! the campaign's own https address. On a loopback address, where people try things out, there is no encryption and the cookie
//! has another name, so that neither can be taken for the other.

use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use crate::client::Client;

/// How long a browser that has logged in is known.
const DEVICE_SECONDS: u32 = 180 * 24 * 3600;

/// Who asks.
#[derive(Clone)]
pub(crate) struct Caller {
    /// The address, for counting tries; nothing for a network that limits by address do not count.
    pub(crate) address: Option<String>,
    /// Whether cookies can be marked as for encrypted lines only.
    secure: bool,
    /// What the session's cookie holds.
    pub(crate) session: Option<Zeroizing<String>>,
    /// The browser's mark.
    pub(crate) device: Option<String>,
}

impl Caller {
    /// Reads a request's head. `link_base` is where the campaign says that it stands.
    pub(crate) fn of(extensions: &Extensions, headers: &HeaderMap, link_base: &str) -> Self {
        let client = Client::of(extensions);
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let is_declared = link_base.strip_prefix("https://").is_some_and(|rest| {
            let authority = rest.split('/').next().unwrap_or_default();
            host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
        });
        let secure = client.https || is_declared;
        let cookie = |name: &str| cookie(headers, name);
        Self {
            address: (!client.exempt).then(|| client.network().to_string()),
            secure,
            session: cookie(session_name(secure)).map(Zeroizing::new),
            device: cookie(device_name(secure)),
        }
    }

    /// The cookie of a session that has begun. It ends with the browser, and earlier with the session.
    pub(crate) fn session_cookie(&self, session: &str) -> HeaderValue {
        self.cookie(session_name(self.secure), session, None)
    }

    /// Takes the session's cookie away.
    pub(crate) fn no_session_cookie(&self) -> HeaderValue {
        self.cookie(session_name(self.secure), "", Some(0))
    }

    /// The mark of a browser that has logged in.
    pub(crate) fn device_cookie(&self, mark: &str) -> HeaderValue {
        self.cookie(device_name(self.secure), mark, Some(DEVICE_SECONDS))
    }

    fn cookie(&self, name: &str, value: &str, seconds: Option<u32>) -> HeaderValue {
        let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{age}{secure}"))
            .expect("names and base64 make a header")
    }
}

fn session_name(secure: bool) -> &'static str {
    if secure { "__Host-parsurvey" } else { "parsurvey" }
}

fn device_name(secure: bool) -> &'static str {
    if secure { "__Host-parsurvey-device" } else { "parsurvey-device" }
}

/// The value of a cookie, where there is exactly one of this name: of two, one may be planted.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(other, _)| *other == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) if !value.is_empty() && value.len() <= 256 => Some(value.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(host: &'static str, cookies: &'static str) -> Caller {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        headers.insert(header::COOKIE, HeaderValue::from_static(cookies));
        Caller::of(&Extensions::new(), &headers, "https://khaosat.example/")
    }

    #[test]
    fn under_the_declared_address_only_the_cookie_of_the_host_counts() {
        let there = caller("khaosat.example", "parsurvey=plain; __Host-parsurvey=bound");
        assert_eq!(there.session.as_ref().map(|session| session.as_str()), Some("bound"));
        let cookie = there.session_cookie("abc");
        assert_eq!(cookie, "__Host-parsurvey=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
        let here = caller("127.0.0.1:8080", "parsurvey=plain; __Host-parsurvey=bound");
        assert_eq!(here.session.as_ref().map(|session| session.as_str()), Some("plain"));
        assert_eq!(here.no_session_cookie(), "parsurvey=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }

    #[test]
    fn of_two_cookies_of_one_name_none_counts() {
        assert!(caller("127.0.0.1", "parsurvey=one; parsurvey=two").session.is_none());
        assert!(caller("127.0.0.1", "parsurvey=").session.is_none());
        assert!(caller("127.0.0.1", "xparsurvey=one").session.is_none());
    }
}
