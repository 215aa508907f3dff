//! The one place that knows HTTP status codes: what a page stands for, and the problems that have a page of their own.
//!
//! A problem says what happened and what the person can do next. It never says more about a link than its holder needs.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

/// What a page tells about the request that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// All is well.
    Fine,
    /// Something that was posted is missing or not allowed; the page shows what.
    Faulty,
    /// The form had been submitted before; this post was not stored.
    SubmittedBefore,
    /// What a page showed has changed before its button was pressed; nothing was done.
    Meanwhile,
    /// Received too late; not stored.
    TooLate,
    /// Not stored because the server could not; the page keeps the answers.
    NotStored,
    /// Too many requests; nothing was looked up or stored, and the page keeps the answers.
    TooFast,
    /// Too many tries to log in.
    TooManyTries,
    /// A problem.
    Problem(Problem),
}

/// Why a request gets a page of its own instead of what it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// No such link.
    UnknownLink,
    /// The link was replaced or revoked.
    RevokedLink,
    /// No such page.
    NoSuchPage,
    /// The page does not take this method.
    WrongMethod,
    /// The body is not what a form sends.
    NotAForm,
    /// The body is larger than any form of ours.
    TooLarge,
    /// The request took too long to arrive.
    TooSlow,
    /// A link was used, or links that do not exist were tried, too often.
    TooFast,
    /// The request came from another site.
    ForeignSite,
    /// Links were asked for too often, from one network or by everybody together.
    AskedTooOften,
    /// The role may not see the page.
    NotAllowed,
    /// The server cannot answer now.
    Unavailable,
    /// A defect of the program.
    Defect,
}

impl Problem {
    /// The keys of the title and of the explanation.
    pub(crate) fn keys(self) -> (&'static str, &'static str) {
        match self {
            Problem::UnknownLink => ("unknown-link-title", "unknown-link-text"),
            Problem::RevokedLink => ("revoked-link-title", "revoked-link-text"),
            Problem::NoSuchPage => ("no-such-page-title", "no-such-page-text"),
            Problem::WrongMethod => ("wrong-method-title", "wrong-method-text"),
            Problem::NotAForm => ("not-a-form-title", "not-a-form-text"),
            Problem::TooLarge => ("too-large-title", "too-large-text"),
            Problem::TooSlow => ("too-slow-title", "too-slow-text"),
            Problem::TooFast => ("too-fast-title", "too-fast-text"),
            Problem::ForeignSite => ("foreign-site-title", "foreign-site-text"),
            Problem::AskedTooOften => ("asked-too-often-title", "asked-too-often-text"),
            Problem::NotAllowed => ("c-not-allowed-title", "c-not-allowed-text"),
            Problem::Unavailable => ("unavailable-title", "unavailable-text"),
            Problem::Defect => ("defect-title", "defect-text"),
        }
    }
}

/// What the page's script is told of the answers it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SavedAs {
    /// Saved.
    Saved,
    /// This survey saves no drafts; the script need not try again.
    Noted,
    /// The link takes nothing now, or not this.
    Refused,
    /// The server could not; the script tries again.
    NotStored,
}

/// The reply to the page's script: a status without a body.
pub(crate) fn saved(outcome: SavedAs) -> Response {
    match outcome {
        SavedAs::Saved => StatusCode::NO_CONTENT,
        SavedAs::Noted => StatusCode::ACCEPTED,
        SavedAs::Refused => StatusCode::CONFLICT,
        SavedAs::NotStored => StatusCode::SERVICE_UNAVAILABLE,
    }
    .into_response()
}

/// Seconds after which a browser or a proxy may try again what the server could not do.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("30");

impl Standing {
    fn status(self) -> StatusCode {
        match self {
            Standing::Fine => StatusCode::OK,
            Standing::Faulty => StatusCode::UNPROCESSABLE_ENTITY,
            Standing::SubmittedBefore | Standing::Meanwhile => StatusCode::CONFLICT,
            Standing::TooLate => StatusCode::FORBIDDEN,
            Standing::NotStored => StatusCode::SERVICE_UNAVAILABLE,
            Standing::TooFast | Standing::TooManyTries => StatusCode::TOO_MANY_REQUESTS,
            Standing::Problem(problem) => match problem {
                Problem::UnknownLink | Problem::NoSuchPage => StatusCode::NOT_FOUND,
                Problem::RevokedLink => StatusCode::GONE,
                Problem::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
                Problem::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Problem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Problem::TooSlow => StatusCode::REQUEST_TIMEOUT,
                Problem::TooFast => StatusCode::TOO_MANY_REQUESTS,
                Problem::ForeignSite | Problem::NotAllowed => StatusCode::FORBIDDEN,
                Problem::AskedTooOften => StatusCode::TOO_MANY_REQUESTS,
                Problem::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                Problem::Defect => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }
}

/// A page as a reply. A page that cannot be drawn is a defect, which is told in plain text.
pub(crate) fn reply(standing: Standing, page: Result<String, askama::Error>) -> Response {
    let html = match page {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be drawn");
            return (StatusCode::INTERNAL_SERVER_ERROR, "Lỗi hệ thống / System error").into_response();
        }
    };
    let status = standing.status();
    let mut response = (status, Html(html)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    if status == StatusCode::REQUEST_TIMEOUT || status == StatusCode::PAYLOAD_TOO_LARGE {
        // The rest of the request may still be on its way, so the connection cannot carry another.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Sends the browser to `path` with a GET, so that a reload repeats nothing.
pub(crate) fn see_other(path: &str) -> Response {
    Redirect::to(path).into_response()
}
