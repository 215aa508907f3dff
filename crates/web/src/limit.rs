//! How often a link may be used, and how often one address may try links that do not exist.
//!
//! A whole department sits behind one address, so an address is never counted while the links it uses are real ones; a
//! real link is counted by itself. Links and networks are counted in a fixed number of slots chosen by a hash that is
//! secret to this process: memory has a bound whatever is tried, and nobody can choose whose slot to share.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::app::House;
use crate::client::Client;
use crate::respond::too_fast;
use crate::seam::Respond;
use crate::words::Lang;

/// Uses of one link at once, and how many come back in a second. A person with a fast thumb needs a tenth.
const LINK: (u32, u32) = (120, 2);
/// Links that do not exist, at once from one address, and how many more in a second.
const STRANGER: (u32, u32) = (60, 1);
/// Slots for links: many more than forms, so that hardly two share one.
const LINK_SLOTS: u64 = 1 << 18;
/// Slots for networks.
const STRANGER_SLOTS: u64 = 1 << 16;

/// The limits of one server.
pub(crate) struct Limits {
    links: Slots,
    strangers: Slots,
}

impl Default for Limits {
    fn default() -> Self {
        Self { links: Slots::new(LINK_SLOTS, LINK), strangers: Slots::new(STRANGER_SLOTS, STRANGER) }
    }
}

/// A limiter over slots.
struct Slots {
    limiter: RateLimiter<u64, HashMapStateStore<u64>, DefaultClock>,
    clock: DefaultClock,
    number: u64,
    hash: RandomState,
}

impl Slots {
    fn new(number: u64, (at_once, a_second): (u32, u32)) -> Self {
        let some = |count| NonZeroU32::new(count).expect("a limit is not zero");
        let quota = Quota::per_second(some(a_second)).allow_burst(some(at_once));
        Self { limiter: RateLimiter::hashmap(quota), clock: DefaultClock::default(), number, hash: RandomState::new() }
    }

    /// Counts one use.
    ///
    /// # Errors
    /// It is one too many; after so long it would not be.
    fn count(&self, of: impl Hash) -> Result<(), Duration> {
        let slot = self.hash.hash_one(of) % self.number;
        self.limiter.check_key(&slot).map_err(|refused| refused.wait_time_from(self.clock.now()))
    }
}

/// The body of a request as it was posted, kept beside the request for a page that shows it again.
#[derive(Clone)]
pub(crate) struct Kept(pub(crate) Bytes);

/// Counts uses of links, and of links that do not exist.
pub(crate) async fn links<D: Respond>(State(house): State<House<D>>, request: Request, next: Next) -> Response {
    let Some(token) = token_of(request.uri().path()) else {
        return next.run(request).await;
    };
    let token = token.to_owned();
    let lang = Lang::of_query(request.uri().query());
    let client = Client::of(request.extensions());
    let kept = request.extensions().get::<Kept>().cloned().unwrap_or_else(|| Kept(Bytes::new()));
    let refused = match house.limits.links.count(&token) {
        Err(wait) => Some(wait),
        Ok(()) => {
            let response = next.run(request).await;
            // No other page of a link says that nothing was found.
            let is_stranger = response.status() == StatusCode::NOT_FOUND && !client.exempt;
            match is_stranger.then(|| house.limits.strangers.count(client.network())) {
                Some(Err(wait)) => Some(wait),
                Some(Ok(())) | None => return response,
            }
        }
    };
    let mut response = too_fast(&house, lang, &token, &kept.0);
    let seconds = refused.map_or(1, |wait| wait.as_secs() + 1);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// The token in the path of one of a form's pages.
fn token_of(path: &str) -> Option<&str> {
    path.strip_prefix("/f/")?.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_link_is_counted_by_itself_and_too_many_are_told_how_long_to_wait() {
        let limits = Limits::default();
        for _ in 0..LINK.0 {
            assert!(limits.links.count("one").is_ok());
        }
        let wait = limits.links.count("one").expect_err("one too many");
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(limits.links.count("another").is_ok());
    }

    #[test]
    fn whatever_is_tried_takes_a_bounded_number_of_slots() {
        let slots = Slots::new(64, STRANGER);
        let free = (0..10_000_u32).filter(|number| slots.count(number).is_ok()).count();
        assert!(free < 64 * usize::try_from(STRANGER.0 + 10).expect("a small number"), "slots are shared");
        assert!(slots.limiter.len() <= 64);
    }

    #[test]
    fn the_token_of_every_page_of_a_form_is_found() {
        let table = [("/f/abc", Some("abc")), ("/f/abc/page", Some("abc")), ("/f/abc/decline", Some("abc"))];
        for (path, token) in table.into_iter().chain([("/status", None), ("/", None)]) {
            assert_eq!(token_of(path), token, "{path}");
        }
    }
}
