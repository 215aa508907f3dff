//! Who may open what, walked through the whole router over a real desk: every page, every role, every target.
//!
//! The campaign is the large sample, because it has two targets. A browser is tried elsewhere.

mod acts;
mod doors;
mod files;
mod large;
mod walk;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use jiff::Timestamp;
use parsurvey_desk::accounts::Wanted;
use parsurvey_desk::accounts::login::{Credentials, Login};
use parsurvey_desk::roster::ImportOptions;
use parsurvey_desk::{Because, DataFolder, Desk, load_campaign};
use parsurvey_survey::account::{AccountName, Right, Role, Seed, step_of};
use tower::ServiceExt;
use zeroize::Zeroizing;

use crate::app::{OpenCounts, app};
use crate::seam::Clock;

pub(super) const PASSWORD: &str = "ba con mèo trắng";

/// A survey with its roster and its console, at a moment that stands still.
pub(super) struct House {
    pub(super) desk: Arc<Desk>,
    pub(super) app: Router,
    pub(super) now: Timestamp,
    _folder: tempfile::TempDir,
}

/// Somebody with an account that is set up.
pub(super) struct Person {
    pub(super) name: AccountName,
    pub(super) seed: Seed,
    /// The session of the set-up.
    pub(super) session: String,
}

/// A reply, read.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

pub(super) fn because() -> Because {
    Because { actor: "tester".into(), reason: "tried".into(), document: "1/SNV".into() }
}

impl House {
    pub(super) async fn hanoi() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let now: Timestamp = "2023-12-18T09:00:00+07:00".parse().expect("a moment");
        let (campaign, _) = load_campaign(&root.join("pipelines/hanoi-2023")).expect("the sample campaign");
        let data = DataFolder::new(folder.path().join("data"));
        let desk = Desk::init(campaign, data, None, &because(), now).await.expect("made");
        let roster = root.join("sample-data/hanoi-2023/roster.csv");
        let imported = desk.import_roster(&roster, &ImportOptions::default(), &because(), now).await.expect("read");
        assert!(imported.stored, "the sample roster has no fault");
        let desk = Arc::new(desk);
        let app = app(Arc::clone(&desk), Arc::new(Fixed(now)), OpenCounts::Nobody);
        Self { desk, app, now, _folder: folder }
    }

    /// The same after the list was frozen by the first invitation, of which no mail was sent.
    pub(super) async fn inviting() -> Self {
        let house = Self::hanoi().await;
        house.desk.hold_keys_itself(&because(), house.now).await.expect("keys");
        let keys = house.desk.ledger().keys().await.expect("read").into_iter();
        let keys = keys.map(|key| (key.role.as_str().to_owned(), key.fingerprint)).collect();
        let parts = parsurvey_survey::freeze::at_first_invitation(house.desk.campaign(), &keys);
        let act = parsurvey_ledger::Act::plain(house.now, "tester");
        house.desk.ledger().freeze(parsurvey_ledger::Stage::Inviting, &parts, &act).await.expect("frozen");
        house
    }

    /// The same survey at another moment.
    pub(super) fn at(&self, now: Timestamp) -> Router {
        app(Arc::clone(&self.desk), Arc::new(Fixed(now)), OpenCounts::Nobody)
    }

    /// Makes an account and sets it up.
    pub(super) async fn person(&self, name: &str, role: Role, units: &[&str], target: Option<&str>) -> Person {
        let name: AccountName = name.parse().expect("a name");
        let wanted = Wanted {
            name: name.clone(),
            role,
            units: units.iter().map(|unit| unit.parse().expect("a code")).collect(),
            target: target.map(|target| target.parse().expect("a code")),
        };
        let made = self.desk.add_account(wanted, &because(), self.now).await.expect("made");
        let seed = Seed::from_uri(&made.uri).expect("a seed");
        let credentials = Credentials {
            name: name.to_string(),
            password: made.secret.clone(),
            code: seed.code(step_of(self.now)),
            address: Some("127.0.0.1".into()),
            device: None,
        };
        let password = Zeroizing::new(PASSWORD.to_owned());
        match self.desk.set_up_account(&credentials, password, self.now).await.expect("answered") {
            Login::Entered(entered) => Person { name, seed, session: entered.session.to_string() },
            _ => panic!("{name} is not let in"),
        }
    }

    pub(super) async fn ask(&self, request: Request<Body>) -> Reply {
        read(self.app.clone().oneshot(request).await.expect("the router answers")).await
    }

    /// Opens a page.
    pub(super) async fn see(&self, path: &str, session: Option<&str>) -> Reply {
        self.ask(request("GET", path, session, "")).await
    }

    /// Sends a form from a page of ours.
    pub(super) async fn post(&self, path: &str, session: Option<&str>, body: &str) -> Reply {
        self.ask(request("POST", path, session, body)).await
    }
}

pub(super) fn request(method: &str, path: &str, session: Option<&str>, body: &str) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    if let Some(session) = session {
        request = request.header(header::COOKIE, format!("parsurvey={session}"));
    }
    request.body(Body::from(body.to_owned())).expect("a request")
}

/// Reads a reply, but not a stream.
pub(super) async fn read(response: axum::response::Response) -> Reply {
    let (parts, body) = response.into_parts();
    let streams = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
    let bytes = if streams { Vec::new() } else { to_bytes(body, usize::MAX).await.expect("a whole body").to_vec() };
    Reply { status: parts.status, headers: parts.headers, body: String::from_utf8(bytes).expect("UTF-8") }
}

impl Reply {
    pub(super) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// A cookie that the reply sets: its value, and its attributes.
    pub(super) fn cookie(&self, name: &str) -> Option<(String, String)> {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().expect("ASCII"));
        let mut found = cookies.filter_map(|cookie| cookie.split_once('=')).filter(|(other, _)| *other == name);
        let (value, attributes) = found.next()?.1.split_once(';')?;
        Some((value.to_owned(), attributes.to_owned()))
    }
}
