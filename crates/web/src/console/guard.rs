//! What stands before every page of the console: whose session it is, what its role may, and where a post comes from.
//!
//! The form lets a post pass that says `Origin: null` and nothing else, because it also needs the link's secret in its path
//! and no cookie is sent along ([`crate::guard`]). Here the browser sends a cookie by itself, so that reason does not hold:
//! a post must *say* that it comes from a page of ours, by `Sec-Fetch-Site` or by an `Origin` that is our host. Silence and
//! `null` are refused. So that browsers can say it also where `Sec-Fetch-Site` is not sent, on a line without encryption,
//! the console's pages let their origin be told to themselves (`Referrer-Policy: same-origin`); no address of the console
//! holds a secret. The cookie is `SameSite=Strict` besides, which old browsers do not know.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::caller::Caller;
use super::routes::Access;
use super::{Shared, shell};
use crate::guard::is_host;
use crate::problem::{Problem, see_other};
use crate::words::Lang;

const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Lets a request through to its page, or answers in its place.
pub(super) async fn admit(
    State((room, access, method)): State<(Shared, Access, &'static str)>,
    mut request: Request,
    next: Next,
) -> Response {
    let lang = Lang::of_query(request.uri().query());
    let changes = method != "GET";
    let caller = Caller::of(request.extensions(), request.headers(), &room.desk.campaign().link_base);
    let mut response = if changes && !is_own(request.headers()) {
        shell::problem(&room, lang, None, Problem::ForeignSite)
    } else if let Some(right) = access.right() {
        let now = room.clock.now();
        let counts = matches!(access, Access::Needs(_));
        let visitor = match &caller.session {
            Some(session) => room.desk.visitor(session, counts, now).await,
            None => Ok(None),
        };
        match visitor {
            Err(error) => shell::unavailable(&room, lang, None, &error),
            Ok(None) => see_other(&format!("/console/login?lang={}", lang.code())),
            Ok(Some(visitor)) if !visitor.account.role.may(right) => {
                shell::problem(&room, lang, Some(&visitor), Problem::NotAllowed)
            }
            Ok(Some(visitor)) => {
                request.extensions_mut().insert(visitor);
                request.extensions_mut().insert(caller);
                next.run(request).await
            }
        }
    } else {
        request.extensions_mut().insert(caller);
        next.run(request).await
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Whether the headers say that a page of ours sent the request.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    if let Some(site) = text("sec-fetch-site") {
        return site == b"same-origin";
    }
    text("origin").is_some_and(|origin| is_host(origin, text("host")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_must_say_that_it_is_ours() {
        let cases: [(&[(&str, &str)], bool); 9] = [
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (&[("origin", "https://a.example"), ("host", "a.example")], true),
            (&[], false),
            (&[("origin", "null"), ("host", "a.example")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://a.example"), ("host", "a.example")], false),
            (&[("origin", "https://b.example"), ("host", "a.example")], false),
            (&[("origin", "rubbish")], false),
        ];
        for (headers, own) in cases {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(is_own(&map), own, "{headers:?}");
        }
    }
}
