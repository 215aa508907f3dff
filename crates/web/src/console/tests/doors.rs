//! The way in and out: what a refusal tells, what cookies are like, when a session ends.

use axum::http::StatusCode;
use jiff::ToSpan;
use parsurvey_survey::account::{Role, step_of};
use tower::ServiceExt;

use super::{House, PASSWORD, Person, Reply, read, request};

fn coded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn log_in(house: &House, name: &str, password: &str, code: &str) -> Reply {
    let body = format!("name={}&password={}&code={}", coded(name), coded(password), coded(code));
    house.post("/console/login", None, &body).await
}

/// A code that was not used yet.
fn fresh_code(house: &House, person: &Person) -> String {
    person.seed.code(step_of(house.now) + 1)
}

#[tokio::test]
async fn whoever_is_refused_does_not_learn_why() {
    let house = House::hanoi().await;
    let person = house.person("nva", Role::Operator, &[], None).await;
    let code = fresh_code(&house, &person);
    let used = person.seed.code(step_of(house.now));
    let mut pages = Vec::new();
    for (name, password, code) in [
        ("nobody", PASSWORD, code.as_str()),
        ("not a name", PASSWORD, &code),
        ("nva", "ba con mèo đen", &code),
        ("nva", PASSWORD, "000000"),
        ("nva", PASSWORD, &used),
        ("nva", "", ""),
    ] {
        let reply = log_in(&house, name, password, code).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(reply.headers.get("set-cookie").is_none());
        assert!(password.is_empty() || !reply.body.contains(password), "no password comes back");
        pages.push(reply.body.replace(name, "NAME"));
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]), "the pages differ");

    let reply = log_in(&house, "NVA ", PASSWORD, &code).await;
    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/console/board?lang=vi"));
    let (session, attributes) = reply.cookie("parsurvey").expect("a session");
    assert_ne!(session, person.session, "a login begins a new session");
    assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Strict"), "{attributes}");
    assert_eq!(house.see("/console/board", Some(&session)).await.status, StatusCode::OK);
    assert_eq!(log_in(&house, "nva", PASSWORD, &code).await.status, StatusCode::UNPROCESSABLE_ENTITY, "used");
}

#[tokio::test]
async fn counts_are_shown_to_nobody_who_has_not_logged_in() {
    let house = House::hanoi().await;
    for path in ["/status", "/chase", "/status?lang=en&live=no", "/console/board", "/console/board/still"] {
        let reply = house.see(path, None).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{path}");
        assert!(reply.location().starts_with("/console/"), "{path} leads to {}", reply.location());
    }
}

#[tokio::test]
async fn a_login_ends_the_session_that_came_along_whosever_it_is() {
    let house = House::hanoi().await;
    let first = house.person("nva", Role::Operator, &[], None).await;
    let second = house.person("nvb", Role::Operator, &[], None).await;
    let code = fresh_code(&house, &second);
    let body = format!("name=nvb&password={}&code={code}", coded(PASSWORD));
    let reply = house.post("/console/login", Some(&first.session), &body).await;
    assert_eq!(reply.location(), "/console/board?lang=vi");
    assert_eq!(house.see("/console/board", Some(&first.session)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn strangers_wait_and_a_known_browser_does_not() {
    let house = House::hanoi().await;
    let person = house.person("nva", Role::Operator, &[], None).await;
    let first = log_in(&house, "nva", PASSWORD, &fresh_code(&house, &person)).await;
    let (device, attributes) = first.cookie("parsurvey-device").expect("the browser is marked");
    assert!(attributes.contains("HttpOnly") && attributes.contains("Max-Age"), "{attributes}");
    let mut refused = 0;
    let waiting = loop {
        let reply = log_in(&house, "nva", "wrong", "000000").await;
        if reply.status != StatusCode::UNPROCESSABLE_ENTITY {
            break reply;
        }
        refused += 1;
        assert!(refused <= 40, "nobody waits");
    };
    assert_eq!((refused, waiting.status), (10, StatusCode::TOO_MANY_REQUESTS));
    let unknown = loop {
        let reply = log_in(&house, "nobody", "wrong", "000000").await;
        if reply.status != StatusCode::UNPROCESSABLE_ENTITY {
            break reply;
        }
    };
    let plain = |reply: &Reply| reply.body.replace("nobody", "NAME").replace("nva", "NAME");
    assert_eq!(plain(&unknown), plain(&waiting), "a name that nobody has waits alike");

    // Two steps later, the owner at the browser of the first login.
    let later = house.now.checked_add(60.seconds()).expect("a moment");
    let body = format!("name=nva&password={}&code={}", coded(PASSWORD), person.seed.code(step_of(later)));
    let mut post = request("POST", "/console/login", None, &body);
    let cookie = format!("parsurvey-device={device}").parse().expect("a header");
    post.headers_mut().insert("cookie", cookie);
    let reply = read(house.at(later).oneshot(post).await.expect("the router answers")).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
}

#[tokio::test]
async fn a_session_ends_idle_and_old_and_when_it_is_ended() {
    let house = House::hanoi().await;
    let person = house.person("nva", Role::Operator, &[], None).await;
    let board = |minute: i64| {
        let at = house.at(house.now.checked_add(minute.minutes()).expect("a moment"));
        let ask = request("GET", "/console/board", Some(&person.session), "");
        async move { at.oneshot(ask).await.expect("the router answers").status() }
    };
    assert_eq!(board(29).await, StatusCode::OK);
    assert_eq!(board(58).await, StatusCode::OK, "the use before counts");
    assert_eq!(board(88).await, StatusCode::SEE_OTHER, "half an hour without a use");
    // Looking at it by itself is no use.
    let watched = house.at(house.now.checked_add(80.minutes()).expect("a moment"));
    let part = request("GET", "/console/board/part", Some(&person.session), "");
    assert_eq!(watched.oneshot(part).await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(board(88).await, StatusCode::SEE_OTHER);

    let code = fresh_code(&house, &person);
    let (session, _) = log_in(&house, "nva", PASSWORD, &code).await.cookie("parsurvey").expect("a session");
    let left = house.post("/console/logout", Some(&session), "").await;
    assert_eq!((left.status, left.location()), (StatusCode::SEE_OTHER, "/console/login?lang=vi"));
    assert!(left.cookie("parsurvey").expect("taken away").1.contains("Max-Age=0"));
    assert_eq!(house.see("/console/board", Some(&session)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(house.see("/console/board", Some(&person.session)).await.status, StatusCode::OK, "the other one lives");
    house.desk.revoke_account(&person.name, &super::because(), house.now).await.expect("revoked");
    assert_eq!(house.see("/console/board", Some(&person.session)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_consoles_pages_are_not_stored_and_have_nothing_inline() {
    let house = House::hanoi().await;
    let person = house.person("nva", Role::Operator, &[], None).await;
    for path in ["/console/login", "/console/board", "/console/people", "/console/people/1", "/console/account"] {
        let reply = house.see(path, Some(&person.session)).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_eq!(reply.headers["cache-control"], "no-store", "{path}");
        assert_eq!(reply.headers["referrer-policy"], "same-origin", "{path}");
        let policy = reply.headers["content-security-policy"].to_str().expect("ASCII");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert!(
            !reply.body.contains("style=") && !reply.body.contains("onclick"),
            "{path} has no inline style or script"
        );
        for key in ["c-", "status-", "chase-"] {
            let shown = reply.body.split('>').filter_map(|piece| piece.split('<').next());
            assert!(!shown.into_iter().any(|text| text.trim().starts_with(key)), "{path} shows a key");
        }
    }
}
