//! The pages tried as a browser meets them: requests through the whole router, over a desk in memory.
//!
//! The real desk and a real browser are tried elsewhere. The driver below speaks the respondent's language.

mod drafts;
mod journey;
mod lost;
mod markup;
mod refusals;
mod texts;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use scraper::{Html, Selector};
use tower::ServiceExt;

use crate::fixture::{FakeDesk, NOW, app_at};

/// One browser without cookies, scripts or storage.
pub(crate) struct Browser {
    app: Router,
    pub(crate) desk: Arc<FakeDesk>,
}

/// A reply, read.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) type Fields = Vec<(String, String)>;

impl Browser {
    pub(crate) fn new() -> Self {
        Self::with(FakeDesk::new(), NOW)
    }

    pub(crate) fn with(desk: FakeDesk, now: &str) -> Self {
        let desk = Arc::new(desk);
        Self { app: app_at(Arc::clone(&desk), now), desk }
    }

    pub(crate) fn at(&self, now: &str) -> Self {
        Self { app: app_at(Arc::clone(&self.desk), now), desk: Arc::clone(&self.desk) }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Page {
        let response = self.app.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a whole body");
        let body = String::from_utf8(bytes.to_vec()).expect("a page is UTF-8");
        Page { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.ask(Method::GET, path).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str) -> Page {
        let request = Request::builder().method(method).uri(path).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(String, String)]) -> Page {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", coded(name), coded(value))).collect();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body.join("&")));
        self.send(request.expect("a request")).await
    }

    /// Presses a button of the page's form after choosing options by question code.
    pub(crate) async fn press(&self, page: &Page, chosen: &[(&str, &str)], go: &str) -> Page {
        let mut fields = page.fields();
        fields.retain(|(name, _)| !chosen.iter().any(|(code, _)| *name == format!("q.{code}")));
        fields.extend(chosen.iter().map(|(code, value)| (format!("q.{code}"), (*value).to_owned())));
        fields.push(("go".to_owned(), go.to_owned()));
        self.post(&page.action(), &fields).await
    }
}

impl Page {
    fn html(&self) -> Html {
        Html::parse_document(&self.body)
    }

    /// How many elements match.
    pub(crate) fn count(&self, selector: &str) -> usize {
        self.html().select(&css(selector)).count()
    }

    /// An attribute of every element that matches.
    pub(crate) fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let html = self.html();
        html.select(&css(selector)).filter_map(|element| element.attr(name)).map(str::to_owned).collect()
    }

    /// The text of the first element that matches, or nothing.
    pub(crate) fn text(&self, selector: &str) -> String {
        let html = self.html();
        let words: Vec<String> = html
            .select(&css(selector))
            .take(1)
            .flat_map(|element| element.text().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        words.join("").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Where the page's form is posted to.
    pub(crate) fn action(&self) -> String {
        self.attributes("form", "action").into_iter().next().expect("the page has a form")
    }

    /// What the form would send without a press: hidden fields and chosen options.
    pub(crate) fn fields(&self) -> Fields {
        let html = self.html();
        let sent = css("form input[type=hidden], form input[checked]");
        let pair = |name: Option<&str>, value: Option<&str>| Some((name?.to_owned(), value?.to_owned()));
        html.select(&sent).filter_map(|input| pair(input.attr("name"), input.attr("value"))).collect()
    }

    /// The value that the form would send for a question.
    pub(crate) fn answer(&self, code: &str) -> Option<String> {
        let name = format!("q.{code}");
        self.fields().into_iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }
}

fn css(selector: &str) -> Selector {
    Selector::parse(selector).expect("a selector")
}

fn coded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
