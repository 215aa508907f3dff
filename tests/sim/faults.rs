//! Every fault at every stage, one person each, and what must be believed of them afterwards.
//!
//! The faults are told by the addresses; `parsurvey_rehearsal::catcher::Faults` says what the words mean. One of them must
//! not touch the other people.

use parsurvey_tests::Survey;

use crate::disturbed::finished;
use crate::judge::Belief;
use crate::relay::Relay;
use crate::sender::{Ours, Sender, start};

const ACCEPTED: &[Belief] = &[Belief::Accepted];
const REJECTED: &[Belief] = &[Belief::Rejected];
const UNKNOWN: &[Belief] = &[Belief::Unknown];
const EITHER: &[Belief] = &[Belief::Accepted, Belief::Unknown];

/// What a recipient meets, and what is known in the end.
const TABLE: [(&str, &[Belief]); 30] = [
    ("", ACCEPTED),
    ("rcpt-421x1", ACCEPTED),
    ("rcpt-450x1", ACCEPTED),
    ("rcpt-450x3", ACCEPTED),
    ("rcpt-550", REJECTED),
    ("rcpt-dropx1", ACCEPTED),
    ("rcpt-mutex1", ACCEPTED),
    ("rcpt-late", ACCEPTED),
    ("rcpt-drip", ACCEPTED),
    ("rcpt-lines", ACCEPTED),
    ("data-421x1", ACCEPTED),
    ("data-452x1", ACCEPTED),
    ("data-550", REJECTED),
    ("data-dropx1", ACCEPTED),
    ("data-mutex1", ACCEPTED),
    ("data-late", ACCEPTED),
    // The contents fit into what the network buffers: if the dot has left, nobody can know that it was not read.
    ("contents-dropx1", EITHER),
    ("contents-mutex1", EITHER),
    ("dot-421x1", ACCEPTED),
    ("dot-451x1", ACCEPTED),
    ("dot-451x3", ACCEPTED),
    ("dot-550", REJECTED),
    ("dot-552", REJECTED),
    ("dot-drop", UNKNOWN),
    ("dot-lose", UNKNOWN),
    ("dot-mute", UNKNOWN),
    ("dot-late", ACCEPTED),
    ("dot-drip", ACCEPTED),
    ("dot-lines", ACCEPTED),
    ("rcpt-450x1.dot-drop", UNKNOWN),
];

fn words(faults: &[&str]) -> Vec<String> {
    let times = ["late_ms=300", "mute_ms=300", "drip_ms=5"];
    faults.iter().chain(&times).map(|word| (*word).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_stage_is_known_for_what_it_is() {
    let mut roster = "name,email,group,unit,position\n".to_owned();
    let addresses = TABLE.map(|(word, _)| match word {
        "" => "khong@soyte.example".to_owned(),
        word => format!("co+{word}@soyte.example"),
    });
    for (place, address) in addresses.iter().enumerate() {
        let group = ["leaders", "staff"][place % 2];
        roster.push_str(&format!("Người thứ {place},{address},{group},office,Chuyên viên\n"));
    }
    let mut ours = Ours::of(Survey::small().await, &roster).await;
    let relay = Relay::start(ours.survey.folder(), &words(&["by_name=yes"])).await;
    finished(&mut ours, &relay).await;
    let beliefs = ours.beliefs().await;
    for ((word, expected), address) in TABLE.iter().zip(&addresses) {
        assert!(expected.contains(&beliefs[address]), "{word}: {:?}", beliefs[address]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_fail_before_there_is_a_recipient_cost_nobody_a_mail() {
    let mut ours = Ours::with(150).await;
    let relay = Relay::start(ours.survey.folder(), &words(&["seed=3", "connections=400"])).await;
    let verdict = finished(&mut ours, &relay).await;
    assert_eq!((verdict.taken, verdict.believed(Belief::Accepted)), (150, 150));
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_breaks_or_is_taken_out_lets_nothing_go_in_the_clear() {
    let mut ours = Ours::with(100).await;
    let root = ours.survey.folder().join("root.pem");
    let tls = format!("tls={}", root.display());
    let mut relay = Relay::start(ours.survey.folder(), &words(&["seed=3", "connections=500", &tls])).await;
    ours.options = vec!["--smtp-ca".to_owned(), root.display().to_string()];
    relay.address = format!("smtp+starttls://{}", relay.address);
    let verdict = finished(&mut ours, &relay).await;
    assert_eq!((verdict.taken, verdict.believed(Belief::Accepted)), (100, 100));
    let journal = relay.journal().await;
    assert!(journal.iter().filter(|event| event.taken).all(|event| event.secured));
    // And without faults as well, once more: nothing is left, and nobody is mailed.
    assert!(start(&ours, &relay.address, 2).wait().await.unwrap().success());
    assert_eq!(relay.journal().await.len(), journal.len());
}
