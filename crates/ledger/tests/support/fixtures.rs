//! Small campaigns in the states the cases need. Names and addresses are invented, under `.example`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_ledger::{
    Act, Ballot, KeyRole, Ledger, LinkHash, Mark, NewMail, NewPerson, Outcome, RosterChange, SeatPlace, Stage,
};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::Settled;
use parsurvey_survey::freeze::ONE_PERSON;

use super::Bench;

/// A moment, `minute` minutes into the campaign.
pub(crate) fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + minute * 60).expect("a moment")
}

pub(crate) fn act(minute: i64) -> Act {
    Act { at: at(minute), actor: "operator".into(), reason: "vì thế".into(), document: "12/SNV".into() }
}

pub(crate) fn place(target: &str, group: &str, unit: &str) -> SeatPlace {
    let code = "codes of fixtures are well-formed";
    SeatPlace {
        target: target.parse().expect(code),
        group: group.parse().expect(code),
        unit: unit.parse().expect(code),
    }
}

/// Person number `n`, a division head with one seat.
pub(crate) fn new_person(n: usize) -> NewPerson {
    NewPerson {
        external_id: Some(format!("VC{n:05}")),
        name: format!("Nguyễn Thị Mẫu {n}"),
        email: format!("mau{n}@so.example"),
        position: "Trưởng phòng".into(),
        seats: vec![place("hanoi", "division_heads", "so-noi-vu")],
    }
}

/// Adds persons 1 to `n`; on an empty ledger their forms are 1 to `n` too.
pub(crate) async fn add(ledger: &Ledger, n: usize) {
    let basis = ledger.campaign().await.expect("the campaign").roster_version;
    let change = RosterChange { basis, added: (1..=n).map(new_person).collect(), ..RosterChange::default() };
    ledger.apply_roster(&change, "roster-hash", &act(1)).await.expect("the roster is applied");
}

/// A ledger in draft with `n` persons.
pub(crate) async fn draft(bench: &Bench, n: usize) -> Ledger {
    bench.create().await.expect("the ledger is made");
    let ledger = bench.open_patient().await;
    add(&ledger, n).await;
    ledger
}

pub(crate) async fn confirm_keys(ledger: &Ledger) {
    for role in [KeyRole::Box, KeyRole::Archive] {
        ledger.register_key(role, "ab", "ab:cd", b"sealed test", &act(2)).await.expect("the key is registered");
        ledger.confirm_key(role, "opened", &act(3)).await.expect("the key is confirmed");
    }
}

/// A ledger that invites, with `n` persons and their links, where one person alone may change people.
pub(crate) async fn inviting(bench: &Bench, n: usize) -> Ledger {
    inviting_with(bench, n, &["campaign.toml", ONE_PERSON]).await
}

/// As [`inviting`], where a change of people needs two.
pub(crate) async fn inviting_by_two(bench: &Bench, n: usize) -> Ledger {
    inviting_with(bench, n, &["campaign.toml"]).await
}

async fn inviting_with(bench: &Bench, n: usize, parts: &[&str]) -> Ledger {
    let ledger = draft(bench, n).await;
    confirm_keys(&ledger).await;
    let files: BTreeMap<String, String> = parts.iter().map(|part| ((*part).to_owned(), "aa".to_owned())).collect();
    ledger.freeze(Stage::Inviting, &files, &act(4)).await.expect("inviting begins");
    ledger.store_links(&links(n, 1)).await.expect("links are stored");
    ledger
}

fn links(n: usize, link_version: u32) -> Vec<LinkHash> {
    (1..=i64::try_from(n).expect("few"))
        .map(|form| LinkHash { form, link_version, hash: format!("hash-{form}-{link_version}") })
        .collect()
}

pub(crate) fn mail(form: i64, kind: MailKind, wave: u32) -> NewMail {
    let message_id = Some(format!("{form}.{wave}@par.example"));
    NewMail { form, holder: 1, address_version: 1, kind, wave, message_id, held: false }
}

/// Long enough for every test.
pub(crate) const LEASE: std::time::Duration = std::time::Duration::from_secs(3600);

/// A dispatcher of this name, entered if it was not.
pub(crate) async fn entered(ledger: &Ledger, dispatcher: &str) {
    // A second entry under the same name is refused, which is as good here.
    drop(ledger.enter_dispatcher(dispatcher, LEASE, at(0)).await);
}

/// The mark before the final dot of a mail.
pub(crate) fn mark(mail: i64, minute: i64) -> Mark {
    Mark { mail, sha256: format!("sha-{mail}"), peer: "127.0.0.1 without TLS".into(), at: at(minute) }
}

/// Marks a mail where its outcome needs that, and records the outcome.
pub(crate) async fn settle(
    ledger: &Ledger,
    dispatcher: &str,
    mail: i64,
    outcome: &Outcome,
) -> Result<(), parsurvey_ledger::LedgerError> {
    if outcome.stage == "dot" {
        ledger.mark_sending(dispatcher, &[Mark { at: outcome.at, ..mark(mail, 0) }]).await?;
    }
    ledger.record_outcomes(dispatcher, &[(mail, outcome.clone())]).await
}

pub(crate) fn outcome(settled: Settled, minute: i64) -> Outcome {
    Outcome {
        settled,
        stage: "rcpt".into(),
        code: Some(550),
        enhanced: Some("5.1.1".into()),
        text: "no such user".into(),
        peer: Some("127.0.0.1 without TLS".into()),
        at: at(minute),
        dice: 0,
        stops_address: None,
    }
}

pub(crate) fn accepted(minute: i64) -> Outcome {
    Outcome { stage: "dot".into(), code: Some(250), enhanced: None, ..outcome(Settled::Accepted, minute) }
}

/// A ballot of a division head that a search through raw bytes finds.
pub(crate) fn ballot(form: i64) -> Ballot {
    let SeatPlace { target, group, .. } = place("hanoi", "division_heads", "so-noi-vu");
    Ballot { target, group, ciphertext: format!("CIPHERTEXT-OF-FORM-{form:06}-").repeat(20).into_bytes() }
}
