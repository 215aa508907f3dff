//! Every page of the table with every role, without a login, and with an account of another target.

#![expect(clippy::print_stdout, reason = "the matrix is for whoever reviews the roles")]

use std::fmt::Write as _;

use axum::http::{Request, StatusCode};
use parsurvey_survey::account::{ROLES, Right, Role};
use sha2::{Digest as _, Sha256};

use super::{House, Person, Reply, because, request};
use crate::console::routes::{Access, Route, table};

/// Another session of somebody, without the trouble of a login: a walk past pages that end sessions needs many.
async fn another_session(house: &House, person: &Person, number: i64) -> String {
    let row = house.desk.ledger().account(&person.name).await.expect("read").expect("there");
    let session = format!("session-{}-{number}", person.name);
    let sha256: String = Sha256::digest(session.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let act = parsurvey_ledger::Act::plain(house.now, person.name.as_str());
    let password = row.password.expect("set up");
    let begun = house.desk.ledger().begin_session(&person.name, &password, row.used_step + 1, &sha256, &act).await;
    assert_eq!(begun, Ok(true));
    session
}

/// What a visitor gets, in a word.
fn word(reply: &Reply) -> &'static str {
    match reply.status {
        StatusCode::SEE_OTHER if reply.location().starts_with("/console/login") => "log in",
        StatusCode::SEE_OTHER => "open",
        StatusCode::FORBIDDEN => "-",
        // The way in answers an empty form with its fault, and many of them with a wait.
        StatusCode::OK | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::TOO_MANY_REQUESTS => "open",
        other => panic!("{other}: {}", reply.body),
    }
}

fn path_of(route: &Route) -> String {
    route
        .path
        .replace("{form}", "1")
        .replace("{proposal}", "1")
        .replace("{contact}", "1")
        .replace("{code}", "2.3")
        .replace("{name}", "report.xlsx")
}

#[tokio::test]
async fn every_page_opens_for_the_roles_of_the_table_and_for_nobody_else() {
    let house = House::inviting().await;
    let proposed = house.desk.correct_address(1, "moi@donvi.example", &because(), house.now).await;
    assert!(
        matches!(proposed, Ok(parsurvey_desk::proposals::Acted::Waits { proposal: 1, .. })),
        "a proposal to look at"
    );
    let mut people = Vec::new();
    for role in ROLES {
        let units: &[&str] = if role == Role::Coordinator { &["so-noi-vu"] } else { &[] };
        people.push((role, house.person(&role.as_str().replace('_', "-"), role, units, None).await));
    }
    // So that the coordinator's list is there to be opened.
    house.desk.order_names(&because(), house.now).await.expect("ordered");
    let mut matrix = format!("{:<44}{:<14}", "page", "no login");
    for role in ROLES {
        write!(matrix, "{:<14}", role.as_str()).expect("writing to a string cannot fail");
    }
    for (number, route) in (0..).zip(table()) {
        let path = path_of(&route);
        let nobody = house.ask(request(route.method, &path, None, "")).await;
        let expected = if route.access == Access::Anyone { "open" } else { "log in" };
        assert_eq!(word(&nobody), expected, "{path} without a login");
        write!(matrix, "\n{:<44}{:<14}", format!("{} {}", route.method, route.path), word(&nobody)).expect("a string");
        for (role, person) in &people {
            let session = another_session(&house, person, number).await;
            let reply = house.ask(request(route.method, &path, Some(&session), "")).await;
            // Whoever logs out is led to the way in as well.
            let left = route.path.starts_with("/console/logout");
            let found = if left && word(&reply) == "log in" { "open" } else { word(&reply) };
            let may = route.access.right().is_none_or(|right| role.may(right));
            let by_role = if may { "open" } else { "-" };
            // Before the last reminder is due a coordinator's list says so instead.
            let too_early = *role == Role::Coordinator && route.path == "/console/people";
            assert_eq!(found, if too_early { "-" } else { by_role }, "{path} as {role:?}");
            assert!(!too_early || reply.body.contains("đôn đốc cuối"), "{}", reply.body);
            write!(matrix, "{:<14}", if too_early { "on order" } else { found }).expect("a string");
            if found == "-" {
                assert!(!reply.body.contains("@"), "no address is on a page that is refused");
            }
        }
    }
    println!("{matrix}");
    assert_eq!(matrix.lines().count(), table().len() + 1);
}

#[tokio::test]
async fn what_is_not_in_the_table_is_no_page() {
    let house = House::hanoi().await;
    let admin = house.person("admin", Role::Administrator, &[], None).await;
    for path in ["/console/", "/console/accounts", "/console/people/1/x", "/console/board/x", "/consolex"] {
        assert_eq!(house.see(path, Some(&admin.session)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for (method, path) in [("POST", "/console/board"), ("DELETE", "/console/people"), ("PUT", "/console/login")] {
        let reply = house.ask(request(method, path, Some(&admin.session), "")).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
    for form in ["0", "99999", "x", "-1"] {
        let path = format!("/console/people/{form}");
        assert_eq!(house.see(&path, Some(&admin.session)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn every_act_refuses_a_post_that_does_not_say_it_is_ours() {
    let house = House::hanoi().await;
    let admin = house.person("admin", Role::Administrator, &[], None).await;
    for route in table().into_iter().filter(|route| route.method == "POST") {
        for headers in
            [&[][..], &[("origin", "null")], &[("origin", "https://b.example")], &[("sec-fetch-site", "none")]]
        {
            let mut post = Request::post(route.path).header("host", "127.0.0.1:8080");
            for (name, value) in headers {
                post = post.header(*name, *value);
            }
            let post = post.header("cookie", format!("parsurvey={}", admin.session));
            let reply = house.ask(post.body(axum::body::Body::empty()).expect("a request")).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{} {headers:?}", route.path);
        }
    }
    assert_eq!(house.see("/console/account", Some(&admin.session)).await.status, StatusCode::OK, "nothing was done");
}

#[tokio::test]
async fn an_account_of_another_target_sees_nothing_of_this_one() {
    let house = House::hanoi().await;
    let seats = house.desk.ledger().seats().await.expect("the seats");
    let of = |target: &str| seats.iter().filter(|seat| seat.target.as_str() == target).collect::<Vec<_>>();
    let (hanoi, bank) = (of("hanoi"), of("sbv"));
    assert_eq!((hanoi.len(), bank.len()), (819, 32));
    for (target, own, others) in [("hanoi", &hanoi, &bank), ("sbv", &bank, &hanoi)] {
        for role in ROLES.into_iter().filter(|role| role.may(Right::SeeCounts)) {
            let units: Vec<String> = seats.iter().map(|seat| seat.unit.to_string()).collect();
            let units: Vec<&str> = units.iter().map(String::as_str).collect();
            let units = if role == Role::Coordinator { &units[..] } else { &[] };
            let name = format!("{}-{target}", role.as_str().replace('_', "-"));
            let person = house.person(&name, role, units, Some(target)).await;
            let board = house.see("/console/board", Some(&person.session)).await.body;
            assert!(board.contains(&format!("/{}</span>", own.len())), "{name}: {board}");
            assert!(!board.contains(&format!("/{}</span>", others.len())), "{name} sees the others' number");
            assert!(!board.contains("/851</span>"), "{name} sees the sum");
            if !role.may(Right::SeeMails) {
                continue;
            }
            let list = house.see("/console/people", Some(&person.session)).await.body;
            assert!(list.contains(&format!(" trong {}", own.len())), "{name}");
            for seat in [own[0], own[own.len() - 1]] {
                let path = format!("/console/people/{}", seat.form);
                assert_eq!(house.see(&path, Some(&person.session)).await.status, StatusCode::OK, "{name} {path}");
            }
            for seat in [others[0], others[others.len() - 1]] {
                let path = format!("/console/people/{}", seat.form);
                assert_eq!(
                    house.see(&path, Some(&person.session)).await.status,
                    StatusCode::NOT_FOUND,
                    "{name} {path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_coordinator_sees_counts_of_the_own_unit_and_names_only_on_order() {
    let house = House::hanoi().await;
    let person = house.person("dau-moi", Role::Coordinator, &["so-noi-vu"], None).await;
    let seats = house.desk.ledger().seats().await.expect("the seats");
    let own = seats.iter().filter(|seat| seat.unit.as_str() == "so-noi-vu").count();
    let board = house.see("/console/board", Some(&person.session)).await.body;
    assert!(own > 1 && board.contains(&format!("/{own}</span>")), "{board}");
    assert!(!board.contains("id=\"groups\""), "a group of one within a unit would be a name");
    assert_eq!(board.matches("<th scope=\"row\">").count(), days(&board) + 2, "one unit and the sum");

    let refused = house.see("/console/people", Some(&person.session)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("văn bản"), "{}", refused.body);
    house.desk.order_names(&because(), house.now).await.expect("ordered");
    let early = house.see("/console/people", Some(&person.session)).await;
    assert_eq!(early.status, StatusCode::FORBIDDEN, "the last reminder is not due");
    let last = house.desk.campaign().contacts.last().expect("a reminder").due;
    let at_last = house.at(last);
    // By then the session has run out; another one.
    let session = {
        let late =
            House { desk: house.desk.clone(), app: at_last, now: last, _folder: tempfile::tempdir().expect("one") };
        let session = another_session(&late, &person, 1).await;
        let list = late.see("/console/people?state=declined", Some(&session)).await;
        assert_eq!(list.status, StatusCode::OK);
        assert!(
            list.body.contains(&format!(" trong {own}")),
            "whatever is asked for, it is who is silent: {}",
            list.body
        );
        assert!(!list.body.contains('@') && !list.body.contains("/console/people/1"), "no address and no file");
        let other = late.see("/console/people?unit=so-y-te", Some(&session)).await.body;
        assert!(other.contains(" trong 0"), "{other}");
        let by_address = late.see("/console/people?q=example", Some(&session)).await.body;
        assert!(by_address.contains(" trong 0"), "a piece of an address finds nobody: {by_address}");
        let by_name = late.see("/console/people?q=nguyen", Some(&session)).await.body;
        assert!(!by_name.contains(" trong 0") && by_name.contains("Nguyễn"), "{by_name}");
        session
    };
    assert!(!session.is_empty());
}

fn days(board: &str) -> usize {
    board
        .split("id=\"days-table\"")
        .nth(1)
        .and_then(|rest| rest.split("</details>").next())
        .map_or(0, |table| table.matches("<th scope=\"row\">").count())
}
