//! A mail provider's HTTP interface as a way to send: one POST of JSON per mail, the same states as SMTP.
//!
//! What the JSON looks like is the provider's affair, so it is a template in a file. Every request carries an idempotency
//! key that is the same whenever the mail is, so that a provider which knows such keys takes a repeated request for the
//! first one. A request that may have arrived without an answer is unknown all the same: not every provider does.
//! Redirects are not followed, since they would carry the link elsewhere. Webhooks of providers are not read here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::delivery::{Delivery, Enhanced, Outcome, Peer, Stage};
use crate::engine::{Carrier, Line, Permit};
use crate::letter::{Composed, Envelope};
use crate::reply::strip;

/// The template's name; its ending makes every value in it a JSON value.
const BODY: &str = "body.json";

/// How much of an answer is read.
const ANSWER_LIMIT: usize = 16 * 1024;

/// Steps that a template may take for one mail.
const FUEL: u64 = 100_000;

/// A provider, as its file describes it. Cheap to clone.
#[derive(Clone)]
pub struct Provider(Arc<Shared>);

struct Shared {
    url: reqwest::Url,
    headers: HeaderMap,
    idempotency_header: HeaderName,
    template: Environment<'static>,
    client: reqwest::Client,
    peer: Arc<Peer>,
}

/// A connection to a provider; the client below keeps the real ones.
#[derive(Debug)]
pub struct ProviderLine(Provider);

/// Why a provider's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The file is not what it should be.
    #[error("{0}")]
    File(String),
    /// A field has a value that cannot be used.
    #[error("{field}: {reason}")]
    Field {
        /// Its name.
        field: String,
        /// Why, and what to write.
        reason: String,
    },
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    url: String,
    body: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default = "idempotency_key")]
    idempotency_header: String,
    #[serde(default = "half_a_minute")]
    timeout_seconds: u64,
}

fn idempotency_key() -> String {
    "Idempotency-Key".to_owned()
}

fn half_a_minute() -> u64 {
    30
}

impl Provider {
    /// Reads a provider's file (TOML). `{secret}` in a header's value stands for the secret.
    ///
    /// # Errors
    /// What is wrong with the file, by field; a template that gives no JSON is told here and not with the first mail.
    pub fn read(text: &str, secret: Option<&SecretString>) -> Result<Self, ProviderError> {
        let file: File = toml::from_str(text).map_err(|error| ProviderError::File(error.to_string()))?;
        let url: reqwest::Url = file.url.parse().map_err(|_| field("url", "is no URL; write https://… in full"))?;
        let is_loopback = url.host_str().is_some_and(|host| host == "127.0.0.1" || host == "[::1]");
        if url.scheme() != "https" && !is_loopback {
            return Err(field("url", "mails hold links: write https://, or an address of this machine"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &file.headers {
            let place = format!("headers.{name}");
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| field(&place, "is no name of a header"))?;
            let value = match (value.contains("{secret}"), secret) {
                (false, _) => value.clone(),
                (true, Some(secret)) => value.replace("{secret}", secret.expose_secret().trim_end()),
                (true, None) => {
                    return Err(field(&place, "needs the secret; name its file with --provider-secret-file"));
                }
            };
            let mut value =
                HeaderValue::from_str(&value).map_err(|_| field(&place, "holds a character no header can have"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let idempotency_header = HeaderName::from_bytes(file.idempotency_header.as_bytes())
            .map_err(|_| field("idempotency_header", "is no name of a header"))?;
        let template = template(file.body)?;
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(file.timeout_seconds.clamp(1, 600)))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| ProviderError::File("no HTTP client can be made on this machine".to_owned()))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let peer = Arc::new(Peer { host, address: None, tls: None });
        Ok(Self(Arc::new(Shared { url, headers, idempotency_header, template, client, peer })))
    }
}

fn field(field: &str, reason: &str) -> ProviderError {
    ProviderError::Field { field: field.to_owned(), reason: reason.to_owned() }
}

/// The template, tried with a mail that makes trouble for whoever forgets that values are JSON already.
fn template(body: String) -> Result<Environment<'static>, ProviderError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Json);
    environment.set_fuel(Some(FUEL));
    let wrong = |reason: String| ProviderError::Field { field: "body".to_owned(), reason };
    environment.add_template_owned(BODY, body).map_err(|error| wrong(error.to_string()))?;
    let parts = Parts { from_name: "Bộ \"Nội vụ\"\n", ..Parts::default() };
    let text = parts.fill(&environment).map_err(|error| {
        wrong(format!(
            "{error}; the values are from, from_name, to, to_name, reply_to, subject, text, html, raw_base64, message_id"
        ))
    })?;
    serde_json::from_str::<serde_json::Value>(&text).map_err(|error| {
        wrong(format!("gives no JSON ({error}); values bring their own quotation marks: write \"to\": {{{{ to }}}}"))
    })?;
    Ok(environment)
}

/// A mail taken apart for providers that want it so.
#[derive(Default)]
struct Parts<'a> {
    from: &'a str,
    from_name: &'a str,
    to: &'a str,
    to_name: &'a str,
    reply_to: &'a str,
    subject: &'a str,
    text: &'a str,
    html: &'a str,
    raw_base64: &'a str,
    message_id: &'a str,
}

impl Parts<'_> {
    fn fill(&self, environment: &Environment<'_>) -> Result<String, minijinja::Error> {
        let Parts { from, from_name, to, to_name, reply_to, subject, text, html, raw_base64, message_id } = *self;
        environment.get_template(BODY)?.render(context! {
            from, from_name, to, to_name, reply_to, subject, text, html, raw_base64, message_id,
        })
    }
}

impl Shared {
    fn body(&self, mail: &Composed) -> Result<String, minijinja::Error> {
        let parsed = mail_parser::MessageParser::default().parse(mail.bytes()).unwrap_or_default();
        let first = |address: Option<&mail_parser::Address<'_>>| -> (String, String) {
            let first = address.and_then(|address| address.first());
            let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
            first.map(|first| (part(first.address()), part(first.name()))).unwrap_or_default()
        };
        let ((from, from_name), (_, to_name), (reply_to, _)) =
            (first(parsed.from()), first(parsed.to()), first(parsed.reply_to()));
        let raw = STANDARD.encode(mail.bytes());
        let (text, html) = (parsed.body_text(0).unwrap_or_default(), parsed.body_html(0).unwrap_or_default());
        Parts {
            from: &from,
            from_name: &from_name,
            to: mail.envelope().to(),
            to_name: &to_name,
            reply_to: &reply_to,
            subject: parsed.subject().unwrap_or_default(),
            text: &text,
            html: &html,
            raw_base64: &raw,
            message_id: mail.message_id(),
        }
        .fill(&self.template)
    }

    /// Posts a mail. What failed before the request could have left is a failed route; after that only an answer decides.
    async fn post(&self, mail: &Composed, body: String) -> Delivery {
        let key = mail.message_id().trim_matches(['<', '>']);
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(&self.idempotency_header, key)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body);
        match request.send().await {
            Ok(answer) => {
                let code = answer.status().as_u16();
                let words = words(answer).await;
                judge(code, &words, mail.envelope())
            }
            Err(error) if error.is_connect() || error.is_builder() => {
                Delivery::without_reply(Outcome::RouteFailed, Stage::Connect, "the provider cannot be reached")
            }
            Err(error) if error.is_timeout() => {
                Delivery::without_reply(Outcome::Unknown, Stage::Dot, "the provider did not answer in time")
            }
            Err(_) => Delivery::without_reply(Outcome::Unknown, Stage::Dot, "the connection broke"),
        }
    }
}

/// The beginning of an answer.
async fn words(mut answer: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= ANSWER_LIMIT {
            break;
        }
    }
    String::from_utf8_lossy(&bytes[..bytes.len().min(ANSWER_LIMIT)]).into_owned()
}

/// What an answer means for the mail. The codes are those of RFC 9110 and RFC 6585.
fn judge(code: u16, words: &str, envelope: &Envelope) -> Delivery {
    let (outcome, stage) = match code {
        200..=299 => (Outcome::Accepted, Stage::Dot),
        // Not us, not here, not so fast: of the provider and not of this mail.
        401 | 402 | 403 | 404 | 405 | 407 | 425 | 429 => (Outcome::RouteFailed, Stage::Mail),
        // Of 408 and 409 nobody says whether the mail was taken before: a request that came late in part, or a key that
        // the provider has seen before.
        400..=407 | 410..=499 => (Outcome::RejectedPermanent, Stage::Dot),
        // Whether it was taken before the server failed is not known, and a gateway in between says 503 as well; neither
        // is it known after a redirect.
        _ => (Outcome::Unknown, Stage::Dot),
    };
    Delivery { outcome, stage, code: Some(code), enhanced: None, text: strip(words, Some(envelope)), peer: None }
}

impl Carrier for Provider {
    type Line = ProviderLine;

    async fn open(&self) -> Result<ProviderLine, Delivery> {
        Ok(ProviderLine(self.clone()))
    }
}

impl Line for ProviderLine {
    fn is_usable(&self) -> bool {
        true
    }

    async fn carry<P: Permit>(&mut self, mail: &Composed, permit: P) -> Option<Delivery> {
        let shared = &self.0.0;
        let body = match shared.body(mail) {
            Ok(body) => body,
            Err(error) => {
                let text = format!("the provider's template cannot be filled ({})", error.kind());
                // Our own fault (5.6.0), and every further mail's: whoever sees to it pauses the campaign.
                let refused = Delivery::without_reply(Outcome::RejectedPermanent, Stage::Mail, &text);
                let enhanced = Enhanced { class: 5, subject: 6, detail: 0 };
                return Some(Delivery { enhanced: Some(enhanced), ..refused }.by(&shared.peer));
            }
        };
        if !permit.ask(&shared.peer).await {
            return None;
        }
        Some(shared.post(mail, body).await.by(&shared.peer))
    }

    async fn leave(self) {}
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("host", &self.0.peer.host).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        Provider::read(text, None).expect_err(text).to_string()
    }

    #[test]
    fn a_file_that_cannot_be_used_is_told_by_field() {
        assert!(told("url = 1").contains("line 1"));
        assert!(told("url = \"http://mail.example/\"\nbody = \"1\"").contains("write https://"));
        assert!(told("url = \"https://mail.example/\"\nbody = \"1\"\nfoo = 2").contains("foo"));
        let secret = "url = \"https://mail.example/\"\nbody = \"1\"\nheaders.Authorization = \"Bearer {secret}\"";
        assert!(told(secret).contains("--provider-secret-file"));
        let loose = "url = \"https://mail.example/\"\nbody = '{\"to\": \"{{ to }}\"}'";
        assert!(told(loose).contains("quotation marks"), "{}", told(loose));
        assert!(told("url = \"https://mail.example/\"\nbody = '{{ nobody }}'").contains("raw_base64"));
    }

    #[test]
    fn an_answer_is_judged_by_its_code() {
        let envelope = Envelope::new("khaosat@par.example", "b@so.example").expect("addresses");
        for (code, outcome) in [
            (200, Outcome::Accepted),
            (202, Outcome::Accepted),
            (302, Outcome::Unknown),
            (400, Outcome::RejectedPermanent),
            (401, Outcome::RouteFailed),
            (422, Outcome::RejectedPermanent),
            (429, Outcome::RouteFailed),
            (500, Outcome::Unknown),
            (408, Outcome::Unknown),
            (409, Outcome::Unknown),
            (503, Outcome::Unknown),
        ] {
            let delivery = judge(code, "to b@so.example: no", &envelope);
            assert_eq!((delivery.outcome, delivery.code), (outcome, Some(code)));
            assert_eq!(delivery.text, "to [address]: no");
        }
    }
}
