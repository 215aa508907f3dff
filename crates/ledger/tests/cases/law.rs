//! Links on request, and the erasing of personal data: how often, for whom, and what a search through the files then finds.

use jiff::SignedDuration;
use parsurvey_ledger::{AskingPace, Chain, ClosedBox, Ledger, LedgerError, NewMail, OpenSeat, Stage};
use parsurvey_survey::campaign::MailKind::{Invitation, Link, Reminder};
use parsurvey_survey::notice::Kept;
use sqlx::Connection as _;

use crate::support::{Bench, accepted, act, at, ballot, draft, entered, inviting, mail, outcome, settle};

on_both!(
    a_link_is_queued_for_whom_it_may_be_and_as_often_as_the_pace_allows,
    a_requested_link_is_no_contact,
    names_are_erased_from_tables_and_files_and_the_rest_stays,
    nothing_is_erased_before_the_opening,
);

const PACE: AskingPace = AskingPace { between: SignedDuration::from_mins(10), per_day: 3 };

fn links(seats: &[OpenSeat]) -> Vec<NewMail> {
    let link = |seat: &OpenSeat| NewMail {
        form: seat.form,
        holder: seat.holder,
        address_version: seat.address_version,
        kind: Link,
        wave: seat.asked + 1,
        message_id: Some(format!("{}.link.{}@par.example", seat.form, seat.asked + 1)),
        held: false,
    };
    seats.iter().map(link).collect()
}

async fn a_link_is_queued_for_whom_it_may_be_and_as_often_as_the_pace_allows(bench: Bench) {
    let ledger = inviting(&bench, 4).await;
    let events = ledger.events(0, 1000).await.expect("the log").len();
    assert!(ledger.open_seats_at("nobody@so.example").await.expect("asked").is_empty());
    assert!(ledger.open_seats_at("").await.expect("asked").is_empty());
    assert_eq!(ledger.enqueue_links(&[], PACE, &act(10)).await.expect("nothing"), 0);
    assert_eq!(ledger.events(0, 1000).await.expect("the log").len(), events, "what strangers ask for leaves no trace");

    // Case does not matter; who declined may take it back.
    ledger.decline(1, &act(9)).await.expect("declined");
    let mut asked = Vec::new();
    for minute in [10, 15, 20, 30, 40, 60 * 24 + 10] {
        let seats = ledger.open_seats_at("MAU1@so.Example").await.expect("asked");
        assert_eq!(seats.len(), 1);
        let queued = ledger.enqueue_links(&links(&seats), PACE, &act(minute)).await.expect("asked");
        asked.push(queued);
        if queued > 0 {
            let leased = lease_one(&ledger, minute).await;
            settle(&ledger, "one", leased, &accepted(minute)).await.expect("settled");
        }
    }
    assert_eq!(asked, [1, 0, 1, 1, 0, 1], "one in ten minutes, three in 24 hours");

    // One that waits is enough, however long it waits.
    let seats = ledger.open_seats_at("mau2@so.example").await.expect("asked");
    assert_eq!(ledger.enqueue_links(&links(&seats), PACE, &act(50)).await.expect("asked"), 1);
    let seats = ledger.open_seats_at("mau2@so.example").await.expect("asked");
    assert_eq!(ledger.enqueue_links(&links(&seats), PACE, &act(80)).await.expect("asked"), 0);

    // Nobody who owes no answer, and no stopped address.
    ledger.submit(3, 1, &ballot(3), at(60)).await.expect("submitted");
    assert!(ledger.open_seats_at("mau3@so.example").await.expect("asked").is_empty());
    ledger.enqueue(&[mail(4, Invitation, 0)], &act(61)).await.expect("queued");
    entered(&ledger, "two").await;
    let refused = ledger.lease("two", 10, at(62)).await.expect("leased");
    let invitation = refused.iter().find(|mail| mail.form == 4).expect("the invitation").mail;
    let dead = parsurvey_ledger::Outcome {
        stops_address: Some("refused"),
        ..outcome(parsurvey_survey::delivery::Settled::Rejected, 62)
    };
    settle(&ledger, "two", invitation, &dead).await.expect("settled");
    assert!(ledger.open_seats_at("mau4@so.example").await.expect("asked").is_empty());
    let events = ledger.events(0, 1000).await.expect("the log");
    let requests: Vec<_> = events.iter().filter(|event| event.kind == "link_requested").collect();
    assert_eq!(
        requests.iter().map(|event| event.form).collect::<Vec<_>>(),
        [Some(1), Some(1), Some(1), Some(1), Some(2)]
    );
    assert!(events.iter().all(|event| !event.detail.contains("example")), "no address is in the log");
}

async fn a_requested_link_is_no_contact(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    ledger.enqueue(&[mail(1, Invitation, 0)], &act(5)).await.expect("queued");
    let seats = ledger.open_seats_at("mau1@so.example").await.expect("asked");
    ledger.enqueue_links(&links(&seats), PACE, &act(6)).await.expect("asked");
    entered(&ledger, "one").await;
    let leased = ledger.lease("one", 10, at(7)).await.expect("leased");
    assert_eq!(leased.iter().map(|mail| mail.kind).collect::<Vec<_>>(), [Invitation, Link], "none overtakes the other");
    for mail in &leased {
        settle(&ledger, "one", mail.mail, &accepted(8)).await.expect("settled");
    }
    let seats = ledger.open_seats_at("mau1@so.example").await.expect("asked");
    ledger.enqueue_links(&links(&seats), PACE, &act(30)).await.expect("asked");
    let leased = ledger.lease("one", 10, at(31)).await.expect("leased");
    settle(&ledger, "one", leased[0].mail, &accepted(32)).await.expect("settled");
    let seat = ledger.seat(1).await.expect("the seat");
    assert_eq!(seat.mail.queued, [(Invitation, 0)], "no plan knows of it");
    assert_eq!(seat.mail.link_accepted, 3);
    assert_eq!(seat.mail.last_link_sent, Some(at(8)), "no reminder keeps a distance from it");
    ledger.enqueue(&[mail(1, Reminder, 1)], &act(40)).await.expect("queued");
    assert_eq!(ledger.lease("one", 10, at(41)).await.expect("leased").len(), 1);
}

/// The files of the database that hold the words.
fn found(bench: &Bench, words: &str) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![if bench.is_sqlite() { bench.folder.path().to_path_buf() } else { Bench::postgres_tables() }];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(words.len()).any(|window| window == words.as_bytes())
        {
            files.push(path);
        }
    }
    files
}

async fn names_are_erased_from_tables_and_files_and_the_rest_stays(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    let own = format!("needle{}", bench.folder.path().file_name().expect("a name").to_string_lossy().replace('.', ""));
    bench
        .run(&format!("UPDATE person SET name = '{own} name', email = '{own}@so.example' WHERE person = 1"))
        .await
        .expect("changed");
    ledger.enqueue(&[mail(1, Invitation, 0)], &act(5)).await.expect("queued");
    let leased = lease_one(&ledger, 6).await;
    let words = parsurvey_ledger::Outcome {
        text: format!("{own} said no"),
        ..outcome(parsurvey_survey::delivery::Settled::Rejected, 7)
    };
    settle(&ledger, "one", leased, &words).await.expect("settled");
    ledger.submit(2, 1, &ballot(2), at(8)).await.expect("submitted");
    ledger.freeze(Stage::Closed, &std::collections::BTreeMap::new(), &act(9)).await.expect("frozen");
    ledger.close(&ClosedBox { sha256: "aa".into(), ballots: 1, content: None }, &act(10)).await.expect("closed");
    ledger.import_tally("{}", "t", "a", &act(11)).await.expect("opened");
    ledger.erase_deleted().await.expect("erased");
    if !bench.is_sqlite() {
        bench.run("CHECKPOINT").await.expect("on disk");
    }
    assert!(!found(&bench, &own).is_empty(), "a search that finds it before is known to work");
    let (seats, counts) = (ledger.seats().await.expect("seats"), ledger.seat_counts().await.expect("counts"));

    // Somebody else still looks at the database as it was, which keeps former versions of rows from being cleared away.
    let mut onlooker = bench.raw().await;
    if !bench.is_sqlite() {
        let look = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT COUNT(*) FROM frozen";
        sqlx::raw_sql(look).execute(&mut onlooker).await.expect("a look");
    }
    assert_eq!(ledger.rows_to_purge(Kept::People).await.expect("counted"), 2);
    assert_eq!(ledger.rows_to_purge(Kept::Replies).await.expect("counted"), 1);
    for (minute, files) in [(20, 3), (21, 0)] {
        ledger.purge(&[Kept::People, Kept::Replies, Kept::Letters], files, &act(minute)).await.expect("purged");
        let purged = ledger.purged().await.expect("read");
        let items: Vec<_> = purged.iter().map(|purged| (purged.what, purged.items, purged.at)).collect();
        assert_eq!(
            items,
            [(Kept::Letters, 3, at(20)), (Kept::People, 2, at(20)), (Kept::Replies, 1, at(20))],
            "twice is once"
        );
        ledger.rewrite_purged().await.expect("rewritten");
        assert!(ledger.purged().await.expect("read").iter().all(|purged| purged.is_rewritten));
    }
    if !bench.is_sqlite() {
        bench.run("CHECKPOINT").await.expect("on disk");
    }
    onlooker.close().await.expect("closed");
    let left = found(&bench, &own);
    assert!(left.is_empty(), "a name, an address or a server's words are still in {left:?}");
    if bench.is_sqlite() {
        // The other databases of the PostgreSQL server hold people of these names too.
        assert!(found(&bench, "Nguyễn Thị Mẫu 2").is_empty() && found(&bench, "mau2@so.example").is_empty());
    }
    assert_eq!(ledger.seats().await.expect("seats"), seats);
    assert_eq!(ledger.seat_counts().await.expect("counts"), counts);
    assert!(matches!(ledger.verify_chain().await.expect("read"), Chain::Intact { .. }));
    let people = ledger.stored_people().await.expect("people").people;
    let shown: Vec<_> = people.iter().map(|person| (person.name.as_str(), person.email.as_str())).collect();
    assert_eq!(shown, [("#1", ""), ("#2", "")]);
    let history = ledger.attempts(1).await.expect("history");
    assert!(
        history.iter().all(|attempt| attempt.text.is_empty())
            && history.iter().any(|attempt| attempt.code == Some(550))
    );
    let refused = bench.run("UPDATE attempt SET code = 250, text = '' WHERE code = 550").await;
    refused.expect_err("but for words the history is append-only");
    bench.run("DELETE FROM attempt").await.expect_err("and nothing leaves it");
}

/// A ledger that was begun before the planner was told to sample no names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_of_names_in_postgresql_s_statistics_go_as_well() {
    let bench = Bench::postgres().await;
    let ledger = inviting(&bench, 5).await;
    let sampled = "SELECT COUNT(*) FROM pg_stats WHERE tablename = 'person' AND \
                   CONCAT(most_common_vals::text, histogram_bounds::text) LIKE '%mau2%'";
    for column in ["name", "email", "search"] {
        bench.run(&format!("ALTER TABLE person ALTER COLUMN {column} SET STATISTICS 100")).await.expect("altered");
    }
    bench.run("ANALYZE person").await.expect("analysed");
    for column in ["name", "email", "search"] {
        bench.run(&format!("ALTER TABLE person ALTER COLUMN {column} SET STATISTICS 0")).await.expect("altered");
    }
    let mut looking = bench.raw().await;
    let before: i64 = sqlx::query_scalar(sampled).fetch_one(&mut looking).await.expect("a number");
    assert!(before > 0, "the samples are there before");
    ledger.freeze(Stage::Closed, &std::collections::BTreeMap::new(), &act(9)).await.expect("frozen");
    ledger.close(&ClosedBox { sha256: "aa".into(), ballots: 0, content: None }, &act(10)).await.expect("closed");
    ledger.import_tally("{}", "t", "a", &act(11)).await.expect("opened");
    ledger.purge(&[Kept::People], 0, &act(20)).await.expect("purged");
    ledger.rewrite_purged().await.expect("rewritten");
    bench.run("ANALYZE person").await.expect("analysed");
    let after: i64 = sqlx::query_scalar(sampled).fetch_one(&mut looking).await.expect("a number");
    assert_eq!(after, 0);
    looking.close().await.expect("closed");
}

async fn nothing_is_erased_before_the_opening(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    let refused = ledger.purge(&[Kept::People], 0, &act(20)).await.expect_err("too early");
    assert!(matches!(refused, LedgerError::Conflict(_)), "{refused}");
    ledger.rewrite_purged().await.expect("nothing to do");
    assert_eq!(ledger.rows_to_purge(Kept::People).await.expect("counted"), 1);
}

/// The number of the one mail that is handed out.
async fn lease_one(ledger: &Ledger, minute: i64) -> i64 {
    entered(ledger, "one").await;
    ledger.lease("one", 1, at(minute)).await.expect("leased")[0].mail
}
