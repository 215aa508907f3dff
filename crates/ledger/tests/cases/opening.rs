//! What is found at a place, and every error that tells it. Nothing here needs people or ballots.

use parsurvey_ledger::{CampaignState, Ledger, LedgerError, NewMail};
use parsurvey_survey::campaign::MailKind;
use sqlx::Connection as _;

use crate::support::{Bench, act, add, confirm_keys, mail};

on_both!(
    a_made_ledger_opens_with_its_campaign,
    making_a_ledger_twice_is_refused,
    an_interrupted_making_can_be_repeated,
    other_peoples_databases_are_left_alone,
    an_empty_database_is_not_a_ledger,
    a_newer_format_is_told_with_both_numbers,
    a_lock_held_by_another_is_transient,
    an_older_format_is_brought_up_to_date_with_its_mails,
);

async fn a_made_ledger_opens_with_its_campaign(bench: Bench) {
    let made = bench.create().await.expect("made");
    made.disconnect().await;
    for _ in 0..2 {
        let campaign = bench.open().await.expect("opens").campaign().await.expect("its campaign");
        assert_eq!((campaign.id.as_str(), campaign.state), ("hanoi-2023", CampaignState::Draft));
        assert_eq!((campaign.deadline, campaign.erase_pending), (None, false));
    }
}

async fn making_a_ledger_twice_is_refused(bench: Bench) {
    bench.create().await.expect("made");
    let again = bench.create().await.expect_err("refused");
    assert!(matches!(again, LedgerError::Conflict(_)), "{again:?}");
    bench.open().await.expect("the first one is unharmed");
}

async fn an_interrupted_making_can_be_repeated(bench: Bench) {
    bench.create().await.expect("made").disconnect().await;
    let off = if bench.is_sqlite() { "DROP TRIGGER event_no_delete" } else { "ALTER TABLE event DISABLE TRIGGER USER" };
    bench.run(off).await.expect("an administrator can do this");
    bench.run("DELETE FROM event; DELETE FROM campaign").await.expect("as if killed before the campaign's row");
    let half = bench.open().await.expect_err("half a ledger");
    assert!(matches!(half, LedgerError::NotALedger(_)), "{half:?}");
    bench.create().await.expect("made anew");
    bench.open().await.expect("opens");
}

async fn other_peoples_databases_are_left_alone(bench: Bench) {
    bench.run("CREATE TABLE accounts (id BIGINT)").await.expect("another program's table");
    for error in [bench.open().await.expect_err("refused"), bench.create().await.expect_err("refused")] {
        assert_eq!(error, LedgerError::NotALedger("it holds other tables"));
    }
}

async fn an_empty_database_is_not_a_ledger(bench: Bench) {
    if bench.is_sqlite() {
        std::fs::write(bench.file(), "").expect("an empty file");
    }
    assert_eq!(bench.open().await.expect_err("refused"), LedgerError::NotALedger("it is empty"));
    bench.create().await.expect("but one can be made there");
}

async fn a_newer_format_is_told_with_both_numbers(bench: Bench) {
    bench.create().await.expect("made").disconnect().await;
    let newer = "UPDATE _sqlx_migrations SET version = 99 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    bench.run(newer).await.expect("a newer program was here");
    let refused = bench.open().await.expect_err("refused");
    assert!(matches!(refused, LedgerError::Newer { found: 99, known: 1..99 }), "{refused:?}");
}

async fn a_lock_held_by_another_is_transient(bench: Bench) {
    bench.create().await.expect("made").disconnect().await;
    let ledger = bench.open().await.expect("opens");
    let mut other = bench.raw().await;
    let begin = if bench.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN" };
    let mut held = other.begin_with(begin).await.expect("a transaction");
    sqlx::query("UPDATE campaign SET deadline = NULL").execute(&mut *held).await.expect("the lock");
    let refused = ledger.enqueue(&[mail(1, MailKind::Prenotice, 0)], &act(1)).await.expect_err("locked out");
    assert_eq!(refused, LedgerError::Locked);
    assert!(refused.is_transient());
    ledger.seats().await.expect("reading goes on");
    held.rollback().await.expect("released");
    add(&ledger, 1).await;
}

#[tokio::test]
async fn sqlite_missing_file_and_folder() {
    let bench = Bench::sqlite();
    let missing = bench.open().await.expect_err("no file");
    assert_eq!(missing, LedgerError::NotFound("the ledger file"));
    assert!(!bench.file().exists(), "opening makes no file");
    let nowhere = format!("sqlite:{}/none/ledger.sqlite", bench.folder.path().display());
    let error = Ledger::create(&nowhere, "x", &act(0)).await.expect_err("no folder");
    assert_eq!(error, LedgerError::NotFound("the folder of the ledger"));
}

#[tokio::test]
async fn sqlite_file_that_another_process_has_to_itself() {
    let bench = Bench::sqlite();
    bench.create().await.expect("made").disconnect().await;
    let mut other = bench.raw().await;
    for sql in ["PRAGMA locking_mode = EXCLUSIVE", "UPDATE campaign SET deadline = NULL"] {
        sqlx::query(sql).execute(&mut other).await.expect("the file is held");
    }
    assert_eq!(bench.open().await.expect_err("locked out"), LedgerError::Locked);
    other.close().await.expect("released");
    bench.open().await.expect("opens");
}

#[tokio::test]
async fn sqlite_file_that_is_no_database() {
    let bench = Bench::sqlite();
    for content in ["short".to_owned(), "Họ tên;Thư điện tử\n".repeat(1000)] {
        std::fs::write(bench.file(), &content).expect("a file");
        for error in [bench.open().await.expect_err("refused"), bench.create().await.expect_err("refused")] {
            assert_eq!(error, LedgerError::NotALedger("it is not a database file"));
        }
        assert_eq!(std::fs::read_to_string(bench.file()).expect("the file"), content, "left as it was");
    }
    let folder = format!("sqlite:{}", bench.folder.path().display());
    assert_eq!(Ledger::open(&folder).await.expect_err("refused"), LedgerError::NotALedger("it is a folder"));
}

#[cfg(unix)]
#[tokio::test]
async fn sqlite_files_are_their_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::sqlite();
    let ledger = bench.create().await.expect("made");
    let files: Vec<_> = std::fs::read_dir(bench.folder.path()).expect("the folder").flatten().collect();
    assert!(files.len() > 1, "the write-ahead log is there while the ledger is open");
    for file in files {
        let mode = file.metadata().expect("its mode").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
    ledger.disconnect().await;
}

#[tokio::test]
async fn sqlite_settings_hold_for_every_write() {
    let bench = Bench::sqlite();
    bench.create().await.expect("made");
    // A seat without a person: foreign keys are on in the ledger's own connection.
    let ledger = bench.open().await.expect("opens");
    let orphan = NewMail { form: 77, ..mail(1, MailKind::Prenotice, 0) };
    let error = ledger.enqueue(&[orphan], &act(1)).await.expect_err("no such form");
    assert!(error.to_string().contains("FOREIGN KEY"), "{error}");
    let mut raw = bench.raw().await;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut raw).await.expect("the mode");
    assert_eq!(mode, "wal");
}

/// Permissions do not bind root, so root runs this test once more as nobody.
#[tokio::test]
async fn sqlite_read_only_file_is_told() {
    let mut id = std::process::Command::new("id");
    if id.arg("-u").output().expect("id").stdout.trim_ascii() == b"0" {
        let copy = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()
            .expect("a folder for everybody");
        let binary = copy.path().join("suite");
        std::fs::copy(std::env::current_exe().expect("this program"), &binary).expect("a copy");
        let output = std::process::Command::new("runuser")
            .args(["-u", "nobody", "--"])
            .arg(&binary)
            .args(["--exact", "cases::opening::sqlite_read_only_file_is_told"])
            .current_dir("/")
            .output()
            .expect("runuser");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::sqlite();
    bench.create().await.expect("made").disconnect().await;
    std::fs::set_permissions(bench.file(), std::fs::Permissions::from_mode(0o400)).expect("a read-only file");
    assert_eq!(bench.open().await.expect_err("refused"), LedgerError::ReadOnly);
    std::fs::set_permissions(bench.file(), std::fs::Permissions::from_mode(0o600)).expect("writable again");
    std::fs::set_permissions(bench.folder.path(), std::fs::Permissions::from_mode(0o500)).expect("a read-only folder");
    let error = bench.open().await.expect_err("refused");
    std::fs::set_permissions(bench.folder.path(), std::fs::Permissions::from_mode(0o700)).expect("removable again");
    assert_eq!(error, LedgerError::ReadOnly);
}

#[tokio::test]
async fn postgres_out_of_reach_refused_or_absent() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("its address").port()
    };
    let dead = format!("postgres://operator:mật-khẩu@127.0.0.1:{port}/ledger");
    let error = Ledger::open(&dead).await.expect_err("nobody listens");
    assert_eq!(error, LedgerError::Unreachable);
    assert!(error.is_transient() && !format!("{error} {error:?}").contains("mật-khẩu"));
    let bench = Bench::postgres().await;
    let (before, after) = bench.url.split_once("/bench_").expect("the URL of a bench");
    let absent = format!("{before}/absent?{}", after.split_once('?').expect("the socket").1);
    assert_eq!(Ledger::open(&absent).await.expect_err("no database"), LedgerError::NotFound("the database"));
}

#[tokio::test]
async fn postgres_read_only_and_full_are_told() {
    let bench = Bench::postgres().await;
    let ledger = bench.create().await.expect("made");
    bench
        .run(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$; \
             CREATE TRIGGER full_disk BEFORE INSERT ON box_key FOR EACH ROW EXECUTE FUNCTION full_disk()",
        )
        .await
        .expect("a full disk");
    let full = ledger.register_key(parsurvey_ledger::KeyRole::Box, "ab", "ab", b"t", &act(1)).await;
    assert_eq!(full, Err(LedgerError::DiskFull));
    bench.run("DROP TRIGGER full_disk ON box_key").await.expect("room again");
    confirm_keys(&ledger).await;
    ledger.disconnect().await;
    let name = bench.url.split(['/', '?']).nth(3).expect("the database").to_owned();
    bench
        .run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"))
        .await
        .expect("read-only from now on");
    let ledger = bench.open().await.expect("reading is possible");
    ledger.seats().await.expect("reading is enough for a status");
    let refused = ledger.confirm_key(parsurvey_ledger::KeyRole::Box, "p", &act(1)).await;
    assert_eq!(refused, Err(LedgerError::ReadOnly));
}

#[tokio::test]
async fn a_url_of_something_else_is_told() {
    for url in ["mysql://localhost/x", "ledger.sqlite", "sqlite:", "sqlite::memory:", ""] {
        let error = Ledger::open(url).await.expect_err("refused");
        assert!(matches!(error, LedgerError::Database(_)), "{url}: {error:?}");
    }
}

/// A ledger as the first format left it, with a mail in every state it knew, then opened by this program.
async fn an_older_format_is_brought_up_to_date_with_its_mails(bench: Bench) {
    let kind = if bench.is_sqlite() { "sqlite" } else { "postgres" };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(kind).join("0001_ledger.sql");
    std::fs::copy(first, folder.path().join("0001_ledger.sql")).expect("copied");
    let migrator = sqlx::migrate::Migrator::new(folder.path().to_owned()).await.expect("the first migration");
    let mut raw = bench.raw().await;
    migrator.run(&mut raw).await.expect("made");
    raw.close().await.expect("closed");
    let states = ["ready", "claimed", "accepted", "rejected", "cancelled"];
    let mut sql = String::from(
        "INSERT INTO campaign (one, id, state, created, event_seq, event_hash) VALUES (1, 'hanoi-2023', 'inviting', 0, 0, ''); \
         INSERT INTO person (person, name, email, position) VALUES (1, 'Nguyễn Thị Mẫu', 'mau@so.example', 'x'); ",
    );
    for (form, state) in (1..).zip(states) {
        sql.push_str(&format!(
            "INSERT INTO seat (form, target, grp, unit, person) VALUES ({form}, 'hanoi', 'division_heads', 'so-noi-vu', 1); \
             INSERT INTO mail (form, holder, address_version, kind, wave, state, queued, claimant, claimed, last_attempt, last_result, last_at) \
             VALUES ({form}, 1, 1, 'invitation', 0, '{state}', 5, 'old', 6, {form}, 'accepted', 7); \
             INSERT INTO attempt (mail, claimant, result, stage, text, at) VALUES ({form}, 'old', 'accepted', 'dot', '', 7); ",
        ));
    }
    bench.run(&sql).await.expect("filled");
    let ledger = bench.open_patient().await;
    let mails = ledger.mails().await.expect("mails");
    let found: Vec<&str> = mails.iter().map(|mail| mail.state.as_str()).collect();
    assert_eq!(found, ["ready", "unknown", "accepted", "rejected", "cancelled"]);
    assert!(mails.iter().all(|mail| mail.last.as_ref().is_some_and(|last| last.stage == "dot")), "{mails:?}");
    // New rows get new numbers.
    let another = crate::support::mail(1, parsurvey_survey::campaign::MailKind::Reminder, 1);
    assert_eq!(ledger.enqueue(&[another], &crate::support::act(9)).await, Ok(1));
    assert_eq!(ledger.mails().await.expect("mails")[5].mail, 6);
    assert!(bench.run("UPDATE attempt SET text = 'x'").await.is_err(), "the history stays append-only");
}
