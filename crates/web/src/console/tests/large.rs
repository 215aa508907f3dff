//! How long pages take at the largest frame anybody has named: 51,597 forms, each mailed three times.
//!
//! Run by hand: it makes its ledger first, which takes minutes. `--nocapture` shows the table.

#![expect(clippy::print_stdout, reason = "the table is what the test is run for")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use parsurvey_ledger::{Act, Mark, NewMail, NewPerson, Outcome, RosterChange, SeatPlace, Stage};
use parsurvey_survey::account::Role;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::Settled;
use parsurvey_survey::freeze;
use parsurvey_survey::status::StatusBy;
use tower::ServiceExt;

use super::{House, because, read, request};
use crate::app::app;
use crate::seam::Clock;

/// A clock that a test moves.
struct Moving(AtomicI64);

impl Clock for Moving {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.0.load(Ordering::Relaxed)).expect("a moment")
    }
}

const FORMS: usize = 51_597;
/// What every page must keep to.
const BOUND: Duration = Duration::from_millis(200);
/// Requests of one page.
const ROUNDS: usize = 9;

/// Fills a survey with so many people and three mails for each.
async fn fill(house: &House) {
    let (desk, ledger) = (&house.desk, house.desk.ledger());
    let campaign = desk.campaign();
    let act = Act::plain(house.now, "tester");
    let names = ["Nguyễn Thị Hòa", "Trần Văn Đức", "Lê Thùy Dương", "Phạm Quốc Ưng", "Đặng Mỹ Ý"];
    let added = (0..FORMS - 851).map(|n| NewPerson {
        external_id: Some(format!("VC{n:06}")),
        name: format!("{} {n}", names[n % names.len()]),
        email: format!("nguoi{n}@so{}.example", n % 60),
        position: "Trưởng phòng".into(),
        seats: vec![SeatPlace {
            target: campaign.targets[0].code.clone(),
            group: campaign.groups[n % 4].code.clone(),
            unit: campaign.units[n % campaign.units.len()].code.clone(),
        }],
    });
    let basis = ledger.campaign().await.expect("read").roster_version;
    let change = RosterChange { basis, added: added.collect(), ..RosterChange::default() };
    ledger.apply_roster(&change, "large", &act).await.expect("applied");
    desk.hold_keys_itself(&because(), house.now).await.expect("keys");
    let frozen = freeze::at_first_invitation(campaign, &std::collections::BTreeMap::new());
    ledger.freeze(Stage::Inviting, &frozen, &act).await.expect("inviting");
    ledger.enter_dispatcher("d", Duration::from_secs(36_000), house.now).await.expect("entered");
    for (kind, wave) in [(MailKind::Invitation, 0), (MailKind::Reminder, 1), (MailKind::Reminder, 2)] {
        let mail = |form| NewMail { form, holder: 1, address_version: 1, kind, wave, message_id: None, held: false };
        let mails: Vec<NewMail> = (1..=i64::try_from(FORMS).expect("few")).map(mail).collect();
        ledger.enqueue(&mails, &act).await.expect("queued");
        loop {
            let leased = ledger.lease("d", 2000, house.now).await.expect("leased");
            if leased.is_empty() {
                break;
            }
            let mark = |mail: i64| Mark { mail, sha256: "00".into(), peer: "127.0.0.1".into(), at: house.now };
            let marks: Vec<Mark> = leased.iter().map(|leased| mark(leased.mail)).collect();
            ledger.mark_sending("d", &marks).await.expect("marked");
            let outcome = |form: i64| Outcome {
                settled: if form % 40 == 0 { Settled::Unknown } else { Settled::Accepted },
                stage: "dot".into(),
                code: Some(250),
                enhanced: None,
                text: "queued".into(),
                peer: None,
                at: house.now,
                dice: 0,
                stops_address: None,
            };
            let outcomes: Vec<_> = leased.iter().map(|leased| (leased.mail, outcome(leased.form))).collect();
            ledger.record_outcomes("d", &outcomes).await.expect("recorded");
        }
    }
}

/// A list of as many people as a file, none of whom is known.
fn list(house: &House) -> String {
    let campaign = house.desk.campaign();
    let mut list = "name,email,group,unit,position\n".to_owned();
    for n in 0..FORMS {
        let (group, unit) = (&campaign.groups[n % 4].code, &campaign.units[n % campaign.units.len()].code);
        list.push_str(&format!("Nguyễn Thị Mới {n},moi{n}@so{}.example,{group},{unit},Trưởng phòng\n", n % 60));
    }
    list
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes a ledger of 51,597 forms and 154,791 mails first; shows how long each page takes"]
async fn every_page_is_there_in_time_at_51597_forms() {
    let house = House::hanoi().await;
    fill(&house).await;
    let person = house.person("nva", Role::Operator, &[], None).await;
    let status = house.desk.status(StatusBy::Group, house.now).await.expect("counted");
    println!("{} forms, {} invited", status.headline.all.forms, status.rows.iter().map(|row| row.invited).sum::<u64>());
    println!("{:<58}{:>10}{:>10}", "page", "median ms", "worst ms");
    let began = Instant::now();
    house.desk.board_ground(house.now).await.expect("counted");
    println!("{:<58}{:>10.1}", "(one count of everything)", began.elapsed().as_secs_f64() * 1e3);
    // One server, on whose clock every request comes ten seconds after the one before: none is served from memory because
    // it came so soon.
    let clock = Arc::new(Moving(AtomicI64::new(house.now.as_second())));
    let server = app(Arc::clone(&house.desk), clock.clone(), crate::OpenCounts::Nobody);
    let mut slow = Vec::new();
    for path in [
        "/console/login",
        "/console/account",
        "/console/board",
        "/console/board/part",
        "/console/people",
        "/console/people?page=1032",
        "/console/people?q=duong",
        "/console/people?q=nguyen+51000",
        "/console/people?q=nobody",
        "/console/people?state=unknown",
        "/console/people?state=quiet&page=500",
        "/console/people?state=bounced",
        "/console/people?unit=so-noi-vu&q=duc",
        "/console/people/51000",
        "/console/people/51000/excuse",
        "/console/acts",
        "/console/acts/pause",
        "/console/acts/send",
        "/console/acts/close",
        "/console/proposals",
    ] {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            clock.0.fetch_add(10, Ordering::Relaxed);
            let ask = request("GET", path, Some(&person.session), "");
            let began = Instant::now();
            let reply = read(server.clone().oneshot(ask).await.expect("the router answers")).await;
            times.push(began.elapsed());
            assert_eq!(reply.status, StatusCode::OK, "{path}");
        }
        times.sort();
        let (median, worst) = (times[ROUNDS / 2], times[ROUNDS - 1]);
        println!("{path:<58}{:>10.1}{:>10.1}", median.as_secs_f64() * 1e3, worst.as_secs_f64() * 1e3);
        if median > BOUND {
            slow.push(path);
        }
    }
    let began = Instant::now();
    let list = list(&house);
    let handed = house.hand_in(&person, list.as_bytes()).await;
    assert_eq!(handed.status, StatusCode::SEE_OTHER, "{}", handed.body);
    let shown = house.see("/console/roster/store", Some(&person.session)).await;
    assert!(shown.body.contains("51.597"), "every line was read");
    let took = began.elapsed().as_secs_f64() * 1e3;
    println!("{:<58}{took:>10.1}", format!("(a list of {} bytes read and compared)", list.len()));
    assert!(slow.is_empty(), "over {} ms: {slow:?}", BOUND.as_millis());
}
