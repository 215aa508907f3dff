//! Acts from the browser: what a page says before them, that each is done once whoever presses, and who may not.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use parsurvey_desk::DeskError;
use parsurvey_desk::mailing::{Relay, Stop};
use parsurvey_dispatch::{Folder, RunLimits, Way};
use parsurvey_survey::account::Role;
use scraper::{Html, Selector};

use super::{House, Person, Reply, because, read, request};
use crate::app::{OpenCounts, app_that_sends};
use tower::ServiceExt;

impl Reply {
    pub(super) fn texts(&self, css: &str) -> Vec<String> {
        let selector = Selector::parse(css).expect("a selector");
        let page = Html::parse_document(&self.body);
        page.select(&selector).map(|found| found.text().collect::<String>()).collect()
    }

    pub(super) fn text(&self, css: &str) -> String {
        self.texts(css).join("\n")
    }

    /// What the page's form brings along by itself.
    fn hidden(&self) -> Vec<(String, String)> {
        let selector = Selector::parse("main form input[type=hidden]").expect("a selector");
        let page = Html::parse_document(&self.body);
        let inputs = page.select(&selector).map(|input| input.value());
        let pair = |input: &scraper::node::Element| {
            let of = |name: &str| input.attr(name).unwrap_or_default().to_owned();
            (of("name"), of("value"))
        };
        inputs.map(pair).collect()
    }
}

/// A form's body: what the page brought, and what somebody typed.
pub(super) fn body(page: &Reply, typed: &[(&str, &str)]) -> String {
    let mut fields: BTreeMap<String, String> = page.hidden().into_iter().collect();
    assert!(fields.contains_key("mark") && fields.contains_key("number"), "{}", page.body);
    fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

const SURE: [(&str, &str); 2] = [("reason", "vì công việc"), ("confirm", "yes")];
const DOCUMENT: [(&str, &str); 2] = [("document", "45/SNV"), ("document-date", "2023-12-15")];

pub(super) fn typed<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&SURE[..], &DOCUMENT, more].concat()
}

impl House {
    pub(super) async fn open(&self, path: &str, person: &Person) -> Reply {
        let page = self.see(path, Some(&person.session)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
        page
    }

    /// Opens an act's page, fills it in and presses its button.
    pub(super) async fn act(&self, path: &str, person: &Person, typed: &[(&str, &str)]) -> Reply {
        let page = self.open(path, person).await;
        self.post(path, Some(&person.session), &body(&page, typed)).await
    }

    /// What the page says that an act leads to.
    pub(super) async fn told(&self, done: &Reply, person: &Person) -> String {
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        self.open(done.location(), person).await.text("#told")
    }

    /// The same survey on a server that was told to write mails into a folder.
    fn that_sends(&self, folder: &std::path::Path) -> (axum::Router, crate::Sending) {
        let way = Way::Folder(Folder::new(folder.join("mails")));
        let relay = Relay { way, limits: RunLimits::default(), settled: std::sync::Arc::default() };
        let sending = crate::Sending::new(relay, Stop::new());
        let clock = std::sync::Arc::new(super::Fixed(self.now));
        (app_that_sends(self.desk.clone(), clock, OpenCounts::Nobody, Some(sending.clone())), sending)
    }

    /// How often the log has this, and who did it last, why, and by which document.
    async fn logged(&self, kind: &str) -> (usize, [String; 3]) {
        let events = self.desk.ledger().events(0, 100_000).await.expect("the log");
        let found: Vec<_> = events.into_iter().filter(|event| event.kind == kind).collect();
        let last = found.last().map(|event| [&event.actor, &event.reason, &event.document].map(Clone::clone));
        (found.len(), last.unwrap_or_default())
    }
}

#[tokio::test]
async fn a_button_that_is_pressed_twice_does_its_act_once_and_says_so_once() {
    let house = House::inviting().await;
    let nva = house.person("nva", Role::Operator, &[], None).await;
    let page = house.open("/console/acts/pause", &nva).await;
    assert!(page.text(".follows").contains("0 thư đang chờ"), "{}", page.text(".follows"));
    let post = body(&page, &SURE);
    let (first, second) = tokio::join!(
        house.post("/console/acts/pause", Some(&nva.session), &post),
        house.post("/console/acts/pause", Some(&nva.session), &post)
    );
    assert_eq!((first.status, second.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    assert_eq!(first.location(), second.location());
    assert_eq!(house.logged("paused").await, (1, ["nva".into(), "vì công việc".into(), String::new()]));
    assert_eq!(house.told(&second, &nva).await, "Đã tạm dừng gửi thư.");
    assert_eq!(house.told(&second, &nva).await, "", "a page that is loaded again says it no more");
    let index = house.open("/console/acts?lang=en", &nva).await;
    assert!(index.text(".stand").contains("The sending is paused. By: nva"), "{}", index.text(".stand"));
    assert_eq!(index.texts("a[href^='/console/acts/pause']").len(), 0);

    let resumed = house.act("/console/acts/resume", &nva, &SURE).await;
    assert_eq!(house.told(&resumed, &nva).await, "Đã cho gửi thư tiếp.");
    assert_eq!(house.logged("resumed").await.0, 1);
}

#[tokio::test]
async fn of_two_operators_with_the_same_page_one_does_it_and_the_other_looks_again() {
    let house = House::inviting().await;
    let (nva, nvb) = (
        house.person("nva", Role::Operator, &[], None).await,
        house.person("nvb", Role::Administrator, &[], None).await,
    );
    let path = "/console/people/7/excuse";
    let (one, other) = (house.open(path, &nva).await, house.open(path, &nvb).await);
    let typed = typed(&[("category", "ill")]);
    let (first, second) = (body(&one, &typed), body(&other, &typed));
    let (first, second) =
        tokio::join!(house.post(path, Some(&nva.session), &first), house.post(path, Some(&nvb.session), &second));
    let mut states = [first.status, second.status];
    states.sort();
    assert_eq!(states, [StatusCode::SEE_OTHER, StatusCode::CONFLICT]);
    let late = if first.status == StatusCode::CONFLICT { first } else { second };
    assert!(late.text("#fault").contains("tình hình đã thay đổi"), "{}", late.body);
    assert!(late.text(".hinders").contains("đã được miễn"), "it shows how things stand now");
    assert_eq!(late.texts("#do").len(), 0, "there is nothing left to do");
    let (times, [_, reason, document]) = house.logged("excused").await;
    assert_eq!((times, reason.as_str(), document.as_str()), (1, "vì công việc", "45/SNV, 15/12/2023"));
}

#[tokio::test]
async fn nothing_is_done_without_reason_document_and_confirmation() {
    let house = House::inviting().await;
    let nva = house.person("nva", Role::Operator, &[], None).await;
    let path = "/console/people/7/excuse";
    let whole = typed(&[("category", "away")]);
    for left_out in ["reason", "document", "document-date", "category", "confirm"] {
        let given: Vec<_> = whole.iter().copied().filter(|(name, _)| *name != left_out).collect();
        let again = house.act(path, &nva, &given).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "without {left_out}");
        assert_eq!(again.texts("#fault li").len(), 1, "{left_out}");
        if left_out != "reason" {
            assert!(again.body.contains("vì công việc"), "what was typed is kept");
        }
    }
    let page = house.open(path, &nva).await;
    let unmarked = body(&page, &whole).replace("mark=", "nothing=");
    assert_eq!(house.post(path, Some(&nva.session), &unmarked).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.logged("excused").await.0, 0);
    let done = house.act(path, &nva, &whole).await;
    assert!(house.told(&done, &nva).await.contains("phiếu số 7"));
    let back = house.act("/console/people/7/reinstate", &nva, &typed(&[])).await;
    assert!(house.told(&back, &nva).await.contains("Đã hủy việc miễn"));
    assert_eq!(house.logged("reinstated").await.0, 1);
    let declined = house.act("/console/people/7/decline", &nva, &typed(&[])).await;
    assert!(house.told(&declined, &nva).await.contains("Đã ghi nhận từ chối"));
}

#[tokio::test]
async fn after_the_first_invitation_another_holder_is_proposed_and_somebody_else_decides() {
    let house = House::inviting().await;
    let (nva, nvb) =
        (house.person("nva", Role::Operator, &[], None).await, house.person("nvb", Role::Operator, &[], None).await);
    let holder =
        [("name", "Lý Thị Mới"), ("email", "moi@donvi.example"), ("position", "Trưởng phòng"), ("kind", "frame")];
    let page = house.open("/console/people/9/replace", &nva).await;
    assert!(page.text(".follows").contains("cần hai người"), "{}", page.text(".follows"));
    let proposed = house.act("/console/people/9/replace", &nva, &typed(&holder)).await;
    assert!(house.told(&proposed, &nva).await.contains("đề nghị số 1"));
    assert!(house.open("/console/people/9/replace", &nva).await.text(".hinders").contains("đề nghị số 1"));
    assert_eq!(house.logged("replaced").await.0, 0);

    let own = house.open("/console/proposals/1", &nva).await;
    assert_eq!(own.texts(".few a[href*='/approve']").len(), 0, "not the proposer's to approve");
    let page = house.open("/console/proposals/1/withdraw", &nva).await;
    let forged = house.post("/console/proposals/1/approve", Some(&nva.session), &body(&page, &SURE)).await;
    assert!(forged.status.is_client_error() && house.logged("replaced").await.0 == 0, "{}", forged.status);

    let address = house.act("/console/people/12/address", &nvb, &typed(&[("email", "khac@donvi.example")])).await;
    assert!(house.told(&address, &nvb).await.contains("đề nghị số 2"));
    let list = house.open("/console/proposals", &nvb).await;
    assert_eq!(list.texts("tbody tr").len(), 2);
    let one = house.open("/console/proposals/1", &nvb).await;
    assert!(one.text("table").contains("Lý Thị Mới") && one.text("table").contains("moi@donvi.example"));
    let (stale, approved) = (
        house.open("/console/proposals/1/reject", &nvb).await,
        house.act("/console/proposals/1/approve", &nvb, &SURE).await,
    );
    assert!(house.told(&approved, &nvb).await.contains("Đã thực hiện đề nghị số 1"));
    assert_eq!(house.logged("replaced").await.0, 1);
    let late = house.post("/console/proposals/1/reject", Some(&nvb.session), &body(&stale, &SURE)).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let rejected = house.act("/console/proposals/2/reject", &nva, &SURE).await;
    assert!(house.told(&rejected, &nva).await.contains("Đã từ chối đề nghị số 2"));
    assert_eq!(house.see("/console/proposals/3", Some(&nva.session)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_the_desk_refuses_is_told_in_the_page_and_changes_nothing() {
    let house = House::inviting().await;
    let nva = house.person("nva", Role::Operator, &[], None).await;
    let bad = house.act("/console/people/9/address", &nva, &typed(&[("email", "not an address")])).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bad.text("#fault").contains("faulty") && bad.body.contains("not an address"));
    let early = house.open("/console/acts/close", &nva).await;
    assert!(early.text(".hinders").contains("00:29 ngày 11/01/2024"), "{}", early.text(".hinders"));
    assert_eq!(early.texts("#do").len(), 0);
    let sooner = house.act("/console/acts/extend", &nva, &typed(&[("until", "2023-12-20T17:00")])).await;
    assert!(sooner.text("#fault").contains("not earlier"), "{}", sooner.body);
    let nonsense = house.act("/console/acts/extend", &nva, &typed(&[("until", "soon")])).await;
    assert!(nonsense.text("#fault").contains("Hạn mới"), "{}", nonsense.body);
    let done = house.act("/console/acts/extend", &nva, &typed(&[("until", "2024-01-12T17:00")])).await;
    assert!(house.told(&done, &nva).await.contains("17:00 ngày 12/01/2024"));
    assert_eq!(house.see("/console/people/99999/excuse", Some(&nva.session)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_account_of_one_target_acts_on_its_own_forms_and_not_on_the_survey() {
    let house = House::inviting().await;
    let bank = house.person("nh", Role::Operator, &[], Some("sbv")).await;
    let seats = house.desk.ledger().seats().await.expect("the seats");
    let of = |target: &str| seats.iter().find(|seat| seat.target.as_str() == target).expect("a seat").form;
    let (own, other) = (of("sbv"), of("hanoi"));
    for word in ["excuse", "replace", "address", "decline", "settle"] {
        let path = |form: i64| format!("/console/people/{form}/{word}");
        house.open(&path(own), &bank).await;
        assert_eq!(house.see(&path(other), Some(&bank.session)).await.status, StatusCode::NOT_FOUND, "{word}");
    }
    for word in ["pause", "extend", "close", "send"] {
        let page = house.open(&format!("/console/acts/{word}"), &bank).await;
        assert!(page.text(".hinders").contains("một đối tượng được đánh giá"), "{word}");
        assert_eq!((page.texts("#do").len(), page.texts(".follows").len()), (0, 0), "no figure of the survey");
    }
    let index = house.open("/console/acts", &bank).await;
    assert!(!index.text("main").contains("Thư đang chờ gửi"), "{}", index.text("main"));
    house.desk.correct_address(other, "moi@donvi.example", &because(), house.now).await.expect("proposed");
    assert_eq!(house.open("/console/proposals", &bank).await.texts("tbody tr").len(), 0);
    assert_eq!(house.see("/console/proposals/1/approve", Some(&bank.session)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn mails_leave_from_the_console_only_where_the_server_was_told_how() {
    let house = House::inviting().await;
    let nva = house.person("nva", Role::Operator, &[], None).await;
    let path = "/console/acts/send";
    let page = house.open(path, &nva).await;
    assert!(page.text(".hinders").contains("parsurvey send"), "{}", page.text(".hinders"));
    assert!(page.text(".follows").contains("Thư mời: gửi tới 851 người"), "{}", page.text(".follows"));

    let folder = tempfile::tempdir().expect("a folder");
    let (app, sending) = house.that_sends(folder.path());
    let ask = |method: &'static str, path: String, body: String| {
        let request = request(method, &path, Some(&nva.session), &body);
        let app = app.clone();
        async move { read(app.oneshot(request).await.expect("the router answers")).await }
    };
    let page = ask("GET", path.into(), String::new()).await;
    assert_eq!(page.texts("#do").len(), 1, "{}", page.body);
    let post = body(&page, &SURE);
    let begun = ask("POST", path.into(), post.clone()).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
    assert_eq!(ask("POST", path.into(), post).await.location(), begun.location(), "pressed twice");
    sending.finish().await;
    let after = ask("GET", begun.location().into(), String::new()).await;
    assert!(after.text("#told").contains("Đã bắt đầu gửi"));
    let facts = after.text(".facts");
    assert!(facts.contains("Máy chủ đã nhận: 851") && facts.contains("Đã xong: máy chủ nhận 851 thư"), "{facts}");
    assert!(after.text(".hinders").contains("không có ai đến hạn"), "{}", after.text(".hinders"));
    let files = std::fs::read_dir(folder.path().join("mails")).expect("mails").count();
    assert_eq!(files, 851, "each mail once");
}

#[tokio::test]
async fn a_mail_is_shown_in_a_frame_that_may_do_nothing_and_sent_to_oneself() {
    let house = House::inviting().await;
    let nva = house.person("nva", Role::Operator, &[], None).await;
    let page = house.open("/console/preview/2", &nva).await;
    let policy = page.headers["content-security-policy"].to_str().expect("ASCII");
    assert!(policy.contains("frame-src 'self'") && policy.contains("script-src 'self'") && !policy.contains("unsafe"));
    assert!(page.body.contains("src=\"/console/preview/2/mail?lang=vi\"") && page.body.contains("sandbox></iframe>"));
    assert!(page.text("pre").contains("Nguyễn Văn A"), "{}", page.text("pre"));
    let mail = house.open("/console/preview/2/mail", &nva).await;
    let policy = mail.headers["content-security-policy"].to_str().expect("ASCII");
    assert!(policy.ends_with("sandbox") && policy.contains("default-src 'none'") && !policy.contains("script-src"));
    assert!(mail.body.contains("Nguyễn Văn A") && mail.body.contains(&"x".repeat(43)), "a dummy link");
    for path in ["/console/preview/0", "/console/preview/99", "/console/preview/x", "/console/preview/99/mail"] {
        assert_eq!(house.see(path, Some(&nva.session)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let copy = house.open("/console/preview/2/copy", &nva).await;
    assert!(copy.text(".hinders").contains("parsurvey send"), "no relay, no copy");

    let folder = tempfile::tempdir().expect("a folder");
    let app = house.that_sends(folder.path()).0;
    let ask = |method: &'static str, body: String| {
        let request = request(method, "/console/preview/2/copy", Some(&nva.session), &body);
        let app = app.clone();
        async move { read(app.oneshot(request).await.expect("the router answers")).await }
    };
    let page = ask("GET", String::new()).await;
    let post = body(&page, &[&SURE[..], &[("email", "toi@sonoivu.example")]].concat());
    let (first, second) = tokio::join!(ask("POST", post.clone()), ask("POST", post.clone()));
    assert_eq!((first.status, second.location()), (StatusCode::SEE_OTHER, first.location()));
    let sent = std::fs::read_dir(folder.path().join("mails")).expect("mails");
    let sent: Vec<_> = sent.map(|file| std::fs::read(file.expect("a file").path()).expect("a mail")).collect();
    assert_eq!(sent.len(), 1, "one mail, however often it is pressed");
    assert!(String::from_utf8_lossy(&sent[0]).contains("toi@sonoivu.example"));
}

#[tokio::test]
async fn every_acts_page_says_what_follows_in_both_languages_and_shows_no_key() -> Result<(), DeskError> {
    let house = House::inviting().await;
    let nva = house.person("nva", Role::Operator, &[], None).await;
    house.desk.correct_address(3, "moi@donvi.example", &because(), house.now).await?;
    let routes = crate::console::routes::table();
    let pages = routes.iter().filter(|route| route.method == "GET" && route.access.right() == Some(super::Right::Act));
    let mut seen = 0;
    for route in pages {
        for lang in ["vi", "en"] {
            let path = route.path.replace("{form}", "3").replace("{proposal}", "1").replace("{contact}", "1");
            let page = house.open(&format!("{path}?lang={lang}"), &nva).await;
            let words = page.text("main");
            for begin in ["act-", "acts-", "proposal", "c-"] {
                let shown = words.split_whitespace().any(|word| word.starts_with(begin) && word.contains('-'));
                assert!(!shown, "{path} {lang} shows a key: {words}");
            }
            if page.body.contains("class=\"follows\"") {
                assert!(page.texts(".follows li").iter().all(|line| line.len() > 10), "{path} {lang}");
                assert!(!page.texts(".follows li").is_empty(), "{path} {lang}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 30, "only {seen} pages of acts");
    Ok(())
}
