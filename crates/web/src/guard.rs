//! What stands between the network and every page: time, size, origin, headers, and a log line without secrets.
//!
//! Rate limits and TLS have files of their own. The log names the route's template, never the path, because the path holds the link.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;

use crate::app::House;
use crate::client::Client;
use crate::limit::Kept;
use crate::problem::Problem;
use crate::respond::problem_page;
use crate::seam::Respond;
use crate::words::Lang;

/// The largest body of a form. The longest questionnaires we know need a tenth of it.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;
/// How much of a larger body is read and thrown away, so that the browser shows our page instead of a broken line.
const DRAIN_LIMIT: usize = 4 * 1024 * 1024;
/// How long the body of a request may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The one page that takes a file, which has a limit of its own.
pub(crate) const UPLOAD: &str = "/console/roster";

/// What a page may do. Only a page that frames one of ours says more.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow, noarchive")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// For a year. Of this name alone: what else stands under the domain is not ours to decide about.
const ENCRYPTED_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Puts the protective headers on every reply, and forbids storing it unless its handler said otherwise. Whoever came
/// encrypted is told to come only so.
pub(crate) async fn headers(client: Client, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    if client.https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ENCRYPTED_ONLY);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// One log line per request: method, route template, status, time taken. No path, query, address or body.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = template(request.uri().path());
    let response = next.run(request).await;
    tracing::info!(
        %method,
        route,
        status = response.status().as_u16(),
        micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// The template of a path, so that a log never holds a link.
fn template(path: &str) -> &'static str {
    let mut parts = path.split('/').skip(1);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("f"), Some(_), None, None) => "/f/{token}",
        (Some("f"), Some(_), Some("page"), None) => "/f/{token}/page",
        (Some("f"), Some(_), Some("save"), None) => "/f/{token}/save",
        (Some("f"), Some(_), Some("decline"), None) => "/f/{token}/decline",
        (Some("notice"), None, None, None) => "/notice",
        (Some("lost"), None, None, None) => "/lost",
        (Some("status"), None, None, None) => "/status",
        (Some("chase"), None, None, None) => "/chase",
        (Some("console"), _, _, _) => "/console",
        (Some("healthz"), None, None, None) => "/healthz",
        (Some("assets"), Some(_), None, None) => "/assets/{name}",
        _ => "other",
    }
}

/// Refuses a post that another site made the browser send.
pub(crate) async fn origin<D: Respond>(State(house): State<House<D>>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && is_foreign(request.headers()) {
        return problem_page(&house, Lang::of_query(request.uri().query()), Problem::ForeignSite);
    }
    next.run(request).await
}

/// Whether the headers say that another site sent the request.
///
/// Our `no-referrer` policy makes browsers send `Origin: null` with our own forms, so `null` tells nothing and must
/// pass; such a browser either sends `Sec-Fetch-Site` as well, or is an old in-app one. Every post also needs the link's
/// secret in its path, which another site does not know; but for `/lost`, which does nothing that anybody could not ask for.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, b"same-origin" | b"none");
    }
    match text("origin") {
        None | Some(b"null") => false,
        Some(origin) => !is_host(origin, text("host")),
    }
}

/// Whether an `Origin` is the host that was asked.
pub(crate) fn is_host(origin: &[u8], host: Option<&[u8]>) -> bool {
    let authority = origin.windows(3).position(|part| part == b"://").map(|at| &origin[at + 3..]);
    authority.is_some() && authority == host
}

/// Reads the body up to the limits of size and time before the page sees the request. What the page does with it has no
/// limit here: the database has its own, and its page says truly whether something was stored.
pub(crate) async fn size<D: Respond>(State(house): State<House<D>>, request: Request, next: Next) -> Response {
    // A file is read by its own page, once it is known who sends it.
    if request.uri().path() == UPLOAD {
        return next.run(request).await;
    }
    let lang = Lang::of_query(request.uri().query());
    let (parts, body) = request.into_parts();
    let collected = tokio::time::timeout(BODY_TIME, collect(body)).await;
    match collected.unwrap_or(Err(Problem::TooSlow)) {
        Ok(bytes) => {
            let mut request = Request::from_parts(parts, Body::from(bytes.clone()));
            request.extensions_mut().insert(Kept(bytes));
            next.run(request).await
        }
        Err(problem) => problem_page(&house, lang, problem),
    }
}

async fn collect(body: Body) -> Result<Bytes, Problem> {
    let mut stream = body.into_data_stream();
    let mut kept = Vec::new();
    let mut received = 0_usize;
    while let Some(part) = stream.next().await {
        // A body that breaks off belongs to a person who has left or lost the line: nobody reads the reply.
        let part = part.map_err(|_broken| Problem::NotAForm)?;
        received += part.len();
        if received > DRAIN_LIMIT {
            break;
        }
        if received <= BODY_LIMIT {
            kept.extend_from_slice(&part);
        }
    }
    if received > BODY_LIMIT {
        return Err(Problem::TooLarge);
    }
    Ok(Bytes::from(kept))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::is_foreign;

    #[test]
    fn posts_of_other_sites_are_foreign() {
        let cases: [(&[(&str, &str)], bool); 9] = [
            (&[], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://a.example"), ("host", "a.example")], true),
            (&[("origin", "null"), ("host", "a.example")], false),
            (&[("origin", "https://a.example:8443"), ("host", "a.example:8443")], false),
            (&[("origin", "https://b.example"), ("host", "a.example")], true),
            (&[("origin", "rubbish"), ("host", "a.example")], true),
        ];
        for (headers, foreign) in cases {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(is_foreign(&map), foreign, "{headers:?}");
        }
    }
}
