//! The head of the log, mailed to an address outside once a day; and an insider with the whole database, who is caught
//! by it and by nothing else.
//!
//! The insider is a good one: every hash is recomputed, and the log itself says that it is intact.

use parsurvey_rehearsal::catcher::Script;
use parsurvey_tests::{Ran, Survey, moments};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::any::Any;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

const OUTSIDE: &str = "luu-giu@kiemtoan.example";
const NEXT_DAY: &str = "2023-12-19T08:00:00+07:00";

fn anchored(survey: &Survey) {
    survey.declare(&format!("[audit]\nanchor_to = \"{OUTSIDE}\""));
}

/// The mails that the body outside has kept, as files; gives the newest.
fn kept(survey: &Survey) -> String {
    let folder = survey.folder().join("kept");
    std::fs::create_dir_all(&folder).unwrap();
    let mut newest = String::new();
    for (place, mail) in survey.catcher.mailbox(OUTSIDE).iter().enumerate() {
        let path = folder.join(format!("{place}.eml"));
        std::fs::write(&path, &mail.raw).unwrap();
        newest = path.to_str().unwrap().to_owned();
    }
    newest
}

async fn verify(survey: &Survey, anchors: &[&str]) -> Ran {
    let mut args = vec!["audit", "verify", "--format", "json"];
    if !anchors.is_empty() {
        args.push("--anchor");
        args.extend(anchors);
    }
    survey.run(&args).await
}

/// The verdicts on one kind of check.
#[track_caller]
fn verdicts(ran: &Ran, check: &str) -> Vec<String> {
    let rows = ran.json();
    let of: Vec<&Value> = rows.as_array().unwrap().iter().filter(|row| row["check"] == check).collect();
    of.into_iter().map(|row| row["verdict"].as_str().unwrap().to_owned()).collect()
}

async fn mailed_once_a_day(survey: Survey) {
    let mut survey = survey;
    anchored(&survey);
    survey.set_up().await;
    survey.at(moments::INVITATION);
    let smtp = survey.smtp();
    let run = ["run", "--smtp", &smtp];
    survey.run(&run).await.done();
    survey.run(&run).await.done();
    survey.run(&["audit", "anchor", "--smtp", &smtp]).await.done().says(&["already"]);
    assert_eq!(survey.catcher.mailbox(OUTSIDE).len(), 1);
    survey.at(NEXT_DAY);
    let (one, other) = (survey.begin(&run), survey.begin(&run));
    one.end().await;
    other.end().await;
    assert_eq!(survey.catcher.mailbox(OUTSIDE).len(), 2, "two at once send one");

    let newest = kept(&survey);
    let mail = survey.catcher.mailbox(OUTSIDE)[1].clone();
    assert!(mail.subject().contains("example-small ngày 19/12/2023"), "{}", mail.subject());
    let whole = format!("{}{}", mail.text(), mail.html());
    let roster = std::fs::read_to_string(&survey.roster).unwrap();
    for person in roster.lines().skip(1) {
        for cell in person.split(',').take(2) {
            assert!(!whole.contains(cell), "the mail names a person");
        }
    }
    let anchors = survey.run(&["audit", "anchors", "--format", "json"]).await.done().json();
    let states: Vec<_> = anchors.as_array().unwrap().iter().map(|row| (&row["day"], &row["state"])).collect();
    assert_eq!(states, [(&json!("2023-12-18"), &json!("told")), (&json!("2023-12-19"), &json!("told"))]);
    assert!(mail.text().contains(anchors[1]["hash"].as_str().unwrap()));

    let ran = verify(&survey, &[&newest]).await.done().says(&["anchor of 2023-12-19"]);
    assert_eq!((verdicts(&ran, "chain"), verdicts(&ran, "anchor")), (vec!["ok".into()], vec!["ok".into()]));
    let folder = survey.folder().join("kept");
    assert_eq!(verdicts(&verify(&survey, &[folder.to_str().unwrap()]).await.done(), "anchor"), ["ok", "ok"]);
    // What is left of a mail that was printed, forwarded and typed in again.
    let block: String =
        mail.text().lines().skip_while(|line| !line.contains("BEGIN")).map(|l| format!("> {l}\n")).collect();
    let quoted = survey.folder().join("quoted.txt");
    std::fs::write(&quoted, block).unwrap();
    verify(&survey, &[quoted.to_str().unwrap()]).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_the_log_is_mailed_once_a_day_to_an_address_outside() {
    mailed_once_a_day(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_the_log_is_mailed_once_a_day_on_postgresql() {
    mailed_once_a_day(Survey::small_on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_refuses_the_anchor_holds_up_nobodys_mail() {
    let mut survey = Survey::small().await;
    anchored(&survey);
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.catcher.rescript(Script::new().reject(OUTSIDE, 550, "5.1.1 no such mailbox"));
    let smtp = survey.smtp();
    survey.run(&["run", "--smtp", &smtp]).await.done_with(3).says(&["anchor was not sent", "550"]);
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
    survey.run(&["audit", "anchor", "--smtp", &smtp]).await.done_with(1).says(&["audit.anchor_to"]);
    survey.catcher.rescript(Script::new());
    // Neither a pause nor the end of the survey keeps the head of the log back.
    survey.run(&["pause", "--reason", "to be looked at"]).await.done();
    survey.run(&["run", "--smtp", &smtp]).await.done_with(1).says(&["sending is paused"]);
    assert_eq!(survey.catcher.mailbox(OUTSIDE).len(), 1);
    survey.at(moments::AFTER);
    survey.run(&["close"]).await.done();
    survey.run(&["run", "--smtp", &smtp]).await.done();
    assert_eq!(survey.catcher.mailbox(OUTSIDE).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_the_senders_own_domain_is_warned_of() {
    let survey = Survey::small().await;
    survey.run(&["audit", "anchor"]).await.done_with(1);
    survey.declare("[audit]\nanchor_to = \"luu@thanhtra.khaosat.example\"");
    let campaign = survey.campaign.to_str().unwrap().to_owned();
    survey.run(&["check", &campaign]).await.done().says(&["anchor-inside", "a body outside"]);
    let survey = Survey::small().await;
    survey.declare("[audit]\nanchor_to = \"nobody\"");
    survey.run(&["check", survey.campaign.to_str().unwrap()]).await.done_with(1).says(&["bad-address"]);
    let survey = Survey::ready().await;
    survey.run(&["audit", "anchor"]).await.done_with(1).says(&["names no address outside", "anchor_to"]);
}

/// Somebody with the whole database.
struct Insider(AnyConnection);

impl Insider {
    async fn of(survey: &Survey) -> Self {
        sqlx::any::install_default_drivers();
        let file = survey.data.join("ledger.sqlite");
        let url = survey.database().map_or_else(|| format!("sqlite:{}", file.display()), str::to_owned);
        let mut insider = Self(AnyConnection::connect(&url).await.unwrap());
        if survey.database().is_some() {
            insider.run("ALTER TABLE event DISABLE TRIGGER USER").await;
        } else {
            insider.run("DROP TRIGGER IF EXISTS event_no_update; DROP TRIGGER IF EXISTS event_no_delete").await;
        }
        insider
    }

    async fn run(&mut self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.0).await.unwrap();
    }

    /// Recomputes every hash, and what the campaign remembers of the last entry.
    async fn forge(&mut self) {
        type Row = (i64, i64, String, Option<i64>, Option<i64>, String, String, String, String);
        let rows = sqlx::query_as::<Any, Row>(
            "SELECT seq, at, kind, form, person, actor, reason, document, detail FROM event ORDER BY seq",
        )
        .fetch_all(&mut self.0)
        .await
        .unwrap();
        let (mut last, mut hash) = (0, String::new());
        for (seq, at, kind, form, person, actor, reason, document, detail) in rows {
            let entry = json!({"seq": seq, "at": at, "kind": kind, "form": form, "person": person, "actor": actor,
                "reason": reason, "document": document, "detail": detail});
            let digest = Sha256::digest(format!("{hash}{entry}"));
            hash = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            self.run(&format!("UPDATE event SET hash = '{hash}' WHERE seq = {seq}")).await;
            last = seq;
        }
        self.run(&format!("UPDATE campaign SET event_seq = {last}, event_hash = '{hash}'")).await;
    }
}

async fn caught_by_the_anchor_alone(survey: Survey) {
    let mut survey = survey;
    anchored(&survey);
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    survey.excuse(3).await.done();
    let smtp = survey.smtp();
    survey.run(&["audit", "anchor", "--smtp", &smtp]).await.done();
    let anchor = kept(&survey);
    verify(&survey, &[&anchor]).await.done();
    survey.excuse(4).await.done();

    let mut insider = Insider::of(&survey).await;
    let rewrite = "UPDATE event SET reason = 'on leave' WHERE kind = 'excused' AND form =";
    insider.run(&format!("{rewrite} 3")).await;
    survey.run(&["log"]).await.done_with(1).says(&["does not follow"]);
    verify(&survey, &[&anchor]).await.done_with(1).says(&["the chain is broken: entry "]);

    insider.forge().await;
    survey.run(&["log"]).await.done().says(&["intact"]);
    let alone = verify(&survey, &[]).await.done_with(1);
    let alone = alone.says(&["without anchors a rewritten log cannot be told from a true one"]);
    assert_eq!(verdicts(&alone, "chain"), ["ok"], "the forgery is perfect in itself");
    assert!(!alone.stderr.contains("not on the chain") && !alone.stderr.contains("contradict"));
    let caught = verify(&survey, &[&anchor]).await.done_with(1).says(&["is not on the chain", "hand them to the body"]);
    assert_eq!((verdicts(&caught, "chain"), verdicts(&caught, "anchor")), (vec!["ok".into()], vec!["fault".into()]));

    // What came after the anchor is not spoken for by it, and the table says so.
    insider.run("UPDATE event SET reason = 'in hospital' WHERE kind = 'excused' AND form = 3").await;
    insider.run(&format!("{rewrite} 4")).await;
    insider.forge().await;
    let ran = verify(&survey, &[&anchor]).await.done();
    let rows = ran.json();
    let uncovered = rows.as_array().unwrap().iter().find(|row| row["check"] == "uncovered").unwrap();
    assert_ne!(uncovered["found"], "0", "{uncovered}");

    // A log that is cut short, with all that follows from it.
    let cut = "DELETE FROM event WHERE kind IN ('excused', 'anchor', 'anchor_outcome')";
    insider.run(cut).await;
    insider.run("UPDATE seat SET excused = NULL; DELETE FROM notice").await;
    insider.forge().await;
    survey.run(&["log"]).await.done().says(&["intact"]);
    verify(&survey, &[&anchor]).await.done_with(1).says(&["lies beyond the log", "entries were taken away"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_log_is_caught_by_the_anchor_and_by_nothing_else() {
    caught_by_the_anchor_alone(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_log_on_postgresql_is_caught_by_the_anchor_and_by_nothing_else() {
    caught_by_the_anchor_alone(Survey::small_on_postgres().await).await;
}
