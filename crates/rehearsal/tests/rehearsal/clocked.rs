//! The desk's sending on a clock that goes on while mails leave. What needs the program as a process is not here.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use parsurvey_desk::mailing::{Clock, Relay};
use parsurvey_desk::roster::ImportOptions;
use parsurvey_desk::{Because, DataFolder, Desk, load_campaign};
use parsurvey_dispatch::{Route, RunLimits, Stop};
use parsurvey_rehearsal::catcher::{Catcher, Script};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::MailState;

/// A clock that goes on by `seconds` whenever it is asked.
fn going(from: Timestamp, seconds: i64) -> Clock {
    let asked = AtomicI64::new(0);
    Clock::new(move || from + SignedDuration::from_secs(asked.fetch_add(seconds, Ordering::Relaxed)))
}

/// The small sample, ready to invite, with a relay of one connection.
async fn ready(folder: &Path) -> (Arc<Desk>, Catcher, Relay) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let because = Because { actor: "tester".into(), ..Because::default() };
    let (campaign, _) = load_campaign(&root.join("pipelines/example-small")).unwrap();
    let before = campaign.contacts[0].due;
    let desk = Desk::init(campaign, DataFolder::new(folder.join("data")), None, &because, before).await.unwrap();
    desk.hold_keys_itself(&because, before).await.unwrap();
    let roster = root.join("sample-data/example-small/roster.csv");
    desk.import_roster(&roster, &ImportOptions::default(), &because, before).await.unwrap();
    let catcher = Catcher::start(Script::new()).await.unwrap();
    let limits = RunLimits { connections: 1, ..RunLimits::default() };
    let relay = Relay { way: Route::loopback(catcher.port()).into(), limits, settled: Arc::default() };
    (Arc::new(desk), catcher, relay)
}

#[tokio::test]
async fn every_outcome_has_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, _catcher, relay) = ready(folder.path()).await;
    let because = Because::default();
    let due = desk.campaign().contacts[1].due;
    let sent = desk.contact(MailKind::Invitation, &relay, &Stop::new(), &because, going(due, 1)).await.unwrap();
    assert_eq!(sent.accepted, 12);
    let mails = desk.ledger().mails().await.unwrap();
    let times: Vec<Timestamp> = mails.iter().map(|mail| mail.last.as_ref().unwrap().at).collect();
    assert!(times.is_sorted_by(|one, next| one < next), "{times:?}");
    assert!(mails.iter().all(|mail| mail.leased.unwrap() < mail.last.as_ref().unwrap().at));
}

#[tokio::test]
async fn no_link_leaves_after_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, catcher, relay) = ready(folder.path()).await;
    let because = Because::default();
    let clock = going(desk.campaign().closes - SignedDuration::from_mins(10), 60);
    let error = desk.contact(MailKind::Invitation, &relay, &Stop::new(), &because, clock).await.unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let text = error.to_string();
    assert!(text.contains("the deadline passed while mails were sent; ") && text.contains("extend"), "{text}");
    let taken = usize::try_from(catcher.counts().taken).unwrap();
    assert!((1..12).contains(&taken), "{taken}");
    let mails = desk.ledger().mails().await.unwrap();
    let waiting = mails.iter().filter(|mail| mail.state == MailState::Ready).count();
    assert_eq!((mails.len(), waiting), (12, 12 - taken), "the others wait, and none is unknown");
}
