//! What the console asks of seats: counts that agree with what is derived one by one, and people found without marks.

use std::collections::BTreeMap;

use parsurvey_ledger::{Ledger, NewHolder, PeopleQuery, ReplacementKind, SEAT_FILTERS, SeatFilter};
use parsurvey_survey::account::Scope;
use parsurvey_survey::board::BoardCounts;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::chase::{ChaseCounts, has_reacted};
use parsurvey_survey::delivery::Settled;
use parsurvey_survey::seat::ExcuseCategory;

use crate::support::{Bench, accepted, act, at, ballot, draft, entered, inviting, mail, outcome, settle};

on_both!(
    the_board_counts_what_the_seats_say,
    people_are_found_without_marks_and_in_pages,
    a_changed_person_is_found_by_the_new_values_only,
    whoever_erases_a_person_erases_the_searched_text,
);

/// Ten seats to each of which something else happened.
async fn field(bench: &Bench) -> Ledger {
    let ledger = inviting(bench, 10).await;
    entered(&ledger, "d").await;
    let mails: Vec<_> = (1..=9).map(|form| mail(form, MailKind::Invitation, 0)).collect();
    ledger.enqueue(&mails, &act(5)).await.expect("queued");
    let leased = ledger.lease("d", 100, at(6)).await.expect("leased");
    assert_eq!(leased.len(), 9);
    for mail in &leased {
        let outcome = match mail.form {
            2 => outcome(Settled::Rejected, 7),
            3 => parsurvey_ledger::Outcome { stage: "dot".into(), ..outcome(Settled::Unknown, 7) },
            _ => accepted(7),
        };
        settle(&ledger, "d", mail.mail, &outcome).await.expect("settled");
    }
    ledger.record_started(4, 1, at(8)).await.expect("started");
    ledger.submit(5, 1, &ballot(5), at(9)).await.expect("submitted");
    ledger.excuse(6, ExcuseCategory::Ill, &act(9)).await.expect("excused");
    ledger.decline(7, &act(9)).await.expect("declined");
    ledger.mark_ineligible(8, &act(9)).await.expect("left the frame");
    ledger
}

async fn the_board_counts_what_the_seats_say(bench: Bench) {
    let ledger = field(&bench).await;
    let seats = ledger.seats().await.expect("the seats");
    let chase = ChaseCounts::of(&seats);
    let cells = ledger.board_cells().await.expect("the cells");
    let mut counts = BoardCounts::default();
    cells.iter().for_each(|cell| counts += cell.counts);
    assert_eq!(
        [counts.listed, counts.not_delivered, counts.silent, counts.begun, counts.excused, counts.completed],
        [chase.listed, chase.not_delivered, chase.silent, chase.started, chase.excused, chase.completed]
    );
    assert_eq!(counts.outstanding(), chase.outstanding);
    assert_eq!(counts.started, seats.iter().filter(|seat| !seat.ineligible && has_reacted(seat)).count() as u64);
    assert_eq!([counts.mailed, counts.reached], [8, 7]);
    assert_eq!([counts.rejected, counts.bounced, counts.unknown], [1, 0, 1]);

    let days = [("2023-11-13", -10_000), ("2023-11-14", 0), ("2023-11-15", 2000)];
    let days = days.map(|(day, minute)| (day.parse().expect("a day"), at(minute)));
    let submitted = ledger.submissions_by_day(&days).await.expect("by day");
    assert_eq!(submitted.iter().map(|cell| (cell.day, cell.completed)).collect::<Vec<_>>(), [(days[1].0, 1)]);
    assert_eq!(ledger.submissions_by_day(&[]).await, Ok(Vec::new()));

    // Each list is as long as its count says.
    let mut lengths = BTreeMap::new();
    for state in SEAT_FILTERS {
        let query = PeopleQuery { state: Some(state), most: 100, ..PeopleQuery::default() };
        let page = ledger.people_page(&query).await.expect("a page");
        assert_eq!(page.total as usize, page.seats.len());
        lengths.insert(state, page.seats.iter().map(|seat| seat.form).collect::<Vec<_>>());
    }
    let expected: [(SeatFilter, &[i64]); 10] = [
        (SeatFilter::Completed, &[5]),
        (SeatFilter::Outstanding, &[1, 2, 3, 4, 7, 9, 10]),
        (SeatFilter::Started, &[4]),
        (SeatFilter::Quiet, &[1, 2, 3, 9, 10]),
        (SeatFilter::Declined, &[7]),
        (SeatFilter::Excused, &[6]),
        (SeatFilter::Rejected, &[2]),
        (SeatFilter::Bounced, &[]),
        (SeatFilter::Unknown, &[3]),
        (SeatFilter::Suppressed, &[]),
    ];
    for (state, forms) in expected {
        assert_eq!(lengths[&state], forms, "{state}");
    }
}

async fn forms(ledger: &Ledger, text: &str) -> Vec<i64> {
    let query = PeopleQuery { text: text.into(), most: 100, ..PeopleQuery::default() };
    ledger.people_page(&query).await.expect("a page").seats.iter().map(|seat| seat.form).collect()
}

async fn people_are_found_without_marks_and_in_pages(bench: Bench) {
    let ledger = draft(&bench, 12).await;
    let all: Vec<i64> = (1..=12).collect();
    for text in ["", "nguyen", "NGUYỄN thi", "thị nguyễn", "truong phong", "so.example", "vc000", "%", "_"] {
        assert_eq!(forms(&ledger, text).await, all, "{text}");
    }
    assert_eq!(forms(&ledger, "mau 12").await, [12]);
    assert_eq!(forms(&ledger, "MAU7@so.example").await, [7]);
    for text in ["nguyenx", "' OR 1=1 --", "nguyen tran"] {
        assert_eq!(forms(&ledger, text).await, Vec::<i64>::new(), "{text}");
    }
    let query = PeopleQuery { text: "nguyen".into(), skip: 10, most: 5, ..PeopleQuery::default() };
    let page = ledger.people_page(&query).await.expect("a page");
    assert_eq!((page.total, page.seats.iter().map(|seat| seat.form).collect::<Vec<_>>()), (12, vec![11, 12]));
    let scoped = |target: &str, units: Option<Vec<&str>>| PeopleQuery {
        scope: Scope {
            target: Some(target.parse().expect("a code")),
            units: units.map(|units| units.into_iter().map(|unit| unit.parse().expect("a code")).collect()),
        },
        most: 100,
        ..PeopleQuery::default()
    };
    for (query, total) in [
        (scoped("hanoi", None), 12),
        (scoped("sbv", None), 0),
        (scoped("hanoi", Some(vec!["so-y-te", "so-noi-vu"])), 12),
        (scoped("hanoi", Some(vec!["so-y-te"])), 0),
        (scoped("hanoi", Some(Vec::new())), 0),
    ] {
        assert_eq!(ledger.people_page(&query).await.expect("a page").total, total);
    }
    assert!(!format!("{page:?}").contains("Mẫu"), "a person is not printed by accident");
}

async fn a_changed_person_is_found_by_the_new_values_only(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.correct_address(1, "dung@quan.example", &act(5)).await.expect("corrected");
    assert_eq!(forms(&ledger, "dung").await, [1]);
    assert_eq!(forms(&ledger, "mau1 so").await, Vec::<i64>::new());
    let (name, email, position) = ("Đặng Thùy Dương".into(), "duong@so.example".into(), "Phó".into());
    let holder = NewHolder { external_id: None, name, email, position };
    ledger.replace(2, holder, ReplacementKind::FrameCorrection, &act(6)).await.expect("replaced");
    assert_eq!(forms(&ledger, "dang duong").await, [2]);
    assert_eq!(forms(&ledger, "mau2").await, Vec::<i64>::new());
}

async fn whoever_erases_a_person_erases_the_searched_text(bench: Bench) {
    let ledger = draft(&bench, 2).await;
    bench.run("UPDATE person SET name = 'x' WHERE person = 1").await.expect("erased behind the ledger's back");
    assert_eq!(forms(&ledger, "nguyen").await, [2]);
    ledger.disconnect().await;
    let ledger = bench.open_patient().await;
    assert_eq!(forms(&ledger, "mau1").await, [1], "and it is made anew of what is left");
    assert_eq!(forms(&ledger, "nguyen").await, [2]);
}
