//! Drafts: who has database, backups, logs and every mail, but not the draft secret, opens none.

use std::collections::BTreeSet;

use parsurvey_survey::ballot::{Choice, Codebook};
use parsurvey_survey::draft::{Draft, DraftPlace, DraftSecret};
use parsurvey_tests::{read_folder, root};

use crate::needles::{Files, found_in};
use crate::record::{Database, Moment, OPTION, Person, Record, record};
use crate::rows;

/// The draft that stands in the open ledger, and whose it is.
fn standing(record: &Record) -> (&Person, Vec<u8>) {
    let drafts: Vec<_> = record.open.rows.iter().filter(|row| row.table == "draft").collect();
    assert_eq!(drafts.len(), 1, "ten handed in and took their drafts with them, one began and stopped");
    let person = record.people.iter().find(|person| Some(person.form) == drafts[0].form()).unwrap();
    (person, rows::blob(drafts[0], "ciphertext"))
}

/// The codebook of the record's campaign, whose options bear a mark of their own.
fn codebook() -> Codebook {
    let mut files = read_folder(&root().join("pipelines/example-small"));
    let text = String::from_utf8(files["questionnaire.toml"].clone()).unwrap();
    let marked = text.replace("{ code = \"", &format!("{{ code = \"{OPTION}"));
    files.insert("questionnaire.toml".into(), marked.into_bytes());
    Codebook::of(&parsurvey_survey::campaign::load(&files).unwrap().campaign)
}

/// Tries a secret and a link on the draft that stands.
fn try_on(record: &Record, codebook: &Codebook, secret: &DraftSecret, token: &str) -> Option<Draft> {
    let (person, sealed) = standing(record);
    let seat = rows::of(&record.open.rows, "seat").into_iter().find(|row| row.form() == Some(person.form)).unwrap();
    let (target, group) = (seat.text("target").parse().unwrap(), seat.text("grp").parse().unwrap());
    DraftPlace { codebook, form: person.form, target: &target, group: &group }.open(secret, token, &sealed)
}

/// A draft secret as the file of a folder holds it.
fn secret(files: &Files, name: &str) -> DraftSecret {
    DraftSecret::from_file(std::str::from_utf8(&files[name]).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_opens_with_its_link_and_the_draft_secret_only() {
    let codebook = codebook();
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let (owner, _) = standing(record);
        let files = &record.open.files;
        // With both it opens, so that a draft that stays shut below is known to be a draft.
        let draft = try_on(record, &codebook, &secret(files, "data/draft.key"), &owner.token).unwrap();
        assert!(!draft.answers.is_empty());
        for (question, choice) in &draft.answers {
            let Choice::Option(option) = choice else { panic!("nobody chose no opinion") };
            assert_eq!(owner.answers.get(question.as_str()), Some(&option.to_string()));
        }
        for name in ["data/link.key", "data/return-path.key"] {
            assert!(try_on(record, &codebook, &secret(files, name), &owner.token).is_none(), "{name} opens a draft");
        }
        let nothing = DraftSecret::new([0; 32]);
        assert!(try_on(record, &codebook, &nothing, &owner.token).is_none(), "the link alone opens a draft");
        for other in record.people.iter().filter(|person| person.form != owner.form) {
            let drafts = secret(files, "data/draft.key");
            assert!(try_on(record, &codebook, &drafts, &other.token).is_none(), "another's link opens a draft");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_destroys_drafts_and_their_secret() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let hex = String::from_utf8(record.open.files["data/draft.key"].clone()).unwrap().trim().to_owned();
        let needles = [hex.clone().into_bytes(), parsurvey_survey::unhex(&hex).unwrap()];
        assert_eq!(found_in(&record.open.files, &needles), ["data/draft.key"], "{database:?}: it stands nowhere else");
        for Moment { files, rows } in [&record.closed, &record.opened] {
            assert_eq!(found_in(files, &needles), Vec::<String>::new(), "{database:?}");
            assert!(rows.iter().all(|row| row.table != "draft"), "{database:?}");
        }
        for files in [&record.said, &record.printed, &record.pages, &record.headers, &record.bodies] {
            assert_eq!(found_in(files, &needles), Vec::<String>::new(), "{database:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_tells_when_or_how_often_somebody_saved() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let draft = record.open.rows.iter().find(|row| row.table == "draft").unwrap();
        let hidden = ["rowid", "ctid", "xmin", "xmax"];
        let columns = draft.cells.keys().map(String::as_str).filter(|name| !hidden.contains(name));
        assert_eq!(columns.collect::<BTreeSet<_>>(), BTreeSet::from(["ciphertext", "form"]), "{database:?}");
        let events = rows::of(&record.opened.rows, "event");
        assert!(events.iter().all(|event| event.text("kind") == "draft_key" || !event.text("kind").contains("draft")));
    }
}
