//! Calling a relay without sending anything: TCP, TLS, greetings, the login, and good-bye.
//!
//! It goes the same way as mails do, so that what it meets is what they will meet. What it saw is judged elsewhere.

use crate::delivery::{Delivery, Stage};
use crate::doctor::certificate_end;
use crate::doctor::{Protection, RelaySeen};
use crate::open;
use crate::route::{Route, Security};
use crate::session::Session;

/// Calls the relay. A failure is part of what was seen.
pub async fn probe(route: &Route) -> RelaySeen {
    let mut seen = RelaySeen {
        place: format!("{}:{}", route.host, route.port),
        protection: match route.security {
            Security::Off => Protection::Off,
            Security::Opportunistic(_) => Protection::Opportunistic,
            Security::Required(_) | Security::Implicit(_) => Protection::Required,
        },
        address: None,
        tls: None,
        certificate_end: None,
        offers: Vec::new(),
        failure: None,
        logged_in: false,
    };
    match open::open(route).await {
        Ok(mut opened) => {
            seen.address = opened.peer.address;
            seen.tls = opened.peer.tls;
            seen.certificate_end = opened.watch.certificate().as_deref().and_then(certificate_end);
            seen.offers = opened.watch.offered_lines();
            // Good-bye is said, so that the relay's log shows no broken connection; its answer changes nothing.
            let _ = tokio::time::timeout(route.timeouts.hello, opened.connection.quit()).await;
        }
        Err(failure) => {
            seen.address = failure.peer.as_ref().and_then(|peer| peer.address);
            seen.failure = Some(failure);
            return seen;
        }
    }
    // The login is a session's own business, and a session keeps its connection: it is tried with one of its own.
    if route.login.is_some() {
        match Session::connect(route).await {
            Ok(session) => {
                seen.logged_in = true;
                session.quit().await;
            }
            Err(failure) => seen.failure = Some(at_login(failure)),
        }
    }
    seen
}

/// The relay was there a moment ago: whatever ends the second call is told with the login.
fn at_login(failure: Delivery) -> Delivery {
    Delivery { stage: Stage::Auth, ..failure }
}
