//! An attacker who wants to know who gave which response.
//!
//! He has every table with its hidden columns, every file and write-ahead log, at three moments; the order of both boxes,
//! which an older backup ties to forms; and more than he would ever have: the archive's responses in the clear, in their
//! order. He has no box key. He sorts the people of a group by everything there is to sort by and lays them beside the
//! group's responses. A right guess by chance is 1/n for each person of a group of n, so one per group and campaign.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::needles::position;
use crate::play::{Played, play, played};
use crate::rows::{self, Row};

/// By which people are sorted: form → a text that sorts.
type Order = BTreeMap<i64, String>;

/// A strategy is suspicious when chance alone does as well less often than this. Some 300 strategies are tried.
const BY_CHANCE: f64 = 1e-9;

/// Right guesses by strategy, summed over campaigns; and how many chance gives.
fn attack(campaigns: &[Played]) -> (BTreeMap<String, usize>, f64, usize) {
    let (mut hits, mut cells, mut people) = (BTreeMap::new(), 0u32, 0);
    for played in campaigns {
        for (name, order) in orders(played) {
            for backwards in [false, true] {
                let name = format!("{name}{}", if backwards { ", backwards" } else { "" });
                *hits.entry(name).or_default() += by_order(played, &order, backwards);
            }
        }
        *hits.entry("reads an answer".to_owned()).or_default() += by_reading(played);
        cells += u32::try_from(groups(played).len()).unwrap();
        people += played.groups.len();
    }
    (hits, f64::from(cells), people)
}

fn groups(played: &Played) -> BTreeSet<&String> {
    played.groups.values().collect()
}

/// Everything to sort by.
fn orders(played: &Played) -> BTreeMap<String, Order> {
    let mut orders: BTreeMap<String, Order> = BTreeMap::new();
    for (moment, when) in played.moments.iter().zip(["open", "closed", "opened"]) {
        for row in &moment.rows {
            let Some(form) = row.form() else { continue };
            let kind = row.cells.get("kind").and_then(Value::as_str).unwrap_or("");
            for column in row.cells.keys() {
                let name = format!("{when}: {} {kind} {column}", row.table);
                orders.entry(name).or_default().insert(form, sortable(&row.text(column)));
            }
        }
    }
    for (name, forms) in [("place in the box", &played.box_order), ("place in the second box", &played.rewritten_order)]
    {
        orders.insert(name.into(), forms.iter().enumerate().map(|(i, form)| (*form, format!("{i:06}"))).collect());
    }
    for row in rows::of(&played.moments[0].rows, "ballot") {
        let ciphertext = rows::blob(row, "ciphertext");
        for (name, bytes) in &played.moments[1].files {
            // The box has its own strategy; a file of PostgreSQL is named by a number that differs every time.
            let place = if name.starts_with("out/") { None } else { position(bytes, &ciphertext) };
            if let Some(place) = place {
                let kind = name.trim_end_matches(|c: char| c.is_ascii_hexdigit() || c == '/');
                let name = format!("place in the files {kind}");
                orders.entry(name).or_default().insert(row.form().unwrap(), format!("{place:012}"));
            }
        }
    }
    orders
}

/// Numbers within a text are padded, so that text order is number order.
fn sortable(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            if !digits.is_empty() {
                out.push_str(&format!("{digits:0>20}"));
                digits.clear();
            }
            out.push(c);
        }
    }
    out
}

fn by_order(played: &Played, order: &Order, backwards: bool) -> usize {
    let mut hits = 0;
    for group in groups(played) {
        let mut people: Vec<(&String, &i64)> =
            order.iter().filter(|(form, _)| played.groups.get(form) == Some(group)).map(|(f, key)| (key, f)).collect();
        people.sort();
        if backwards {
            people.reverse();
        }
        let responses = played.archive_order.iter().filter(|form| played.groups.get(form) == Some(group));
        hits += people.iter().zip(responses).filter(|((_, form), response)| form == response).count();
    }
    hits
}

/// Takes a response for a person's when it stands in a row that names the person's form.
fn by_reading(played: &Played) -> usize {
    let rows = played.moments.iter().flat_map(|moment| &moment.rows).chain(&played.leaked);
    let mut right = BTreeSet::new();
    for row in rows {
        let Some(form) = row.form() else { continue };
        let text: String = row.cells.keys().map(|column| row.text(column) + "\n").collect();
        let read: Vec<&i64> =
            played.truth.iter().filter(|(_, answers)| text.contains(*answers)).map(|(f, _)| f).collect();
        if read == [&form] {
            right.insert(form);
        }
    }
    right.len()
}

/// The number of right guesses that chance reaches less often than [`BY_CHANCE`]. Right guesses of a random order are
/// Poisson in all but the tail, where they are rarer.
fn limit(mean: f64) -> usize {
    let mut term = (-mean).exp();
    let (mut below, mut n) = (0.0, 0u32);
    while 1.0 - below > BY_CHANCE {
        below += term;
        n += 1;
        term *= mean / f64::from(n);
    }
    usize::try_from(n).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_no_better_than_chance() {
    let (hits, chance, people) = attack(played().await);
    assert!(hits.len() > 100, "only {} strategies were tried", hits.len());
    for what in
        ["open: seat  completed", "open: ballot  rowid", "open: ballot  xmin", "open: ballot  ctid", "place in the box"]
    {
        assert!(hits.contains_key(what), "{what} was not tried: {:?}", hits.keys());
    }
    let (best, n) = hits.iter().max_by_key(|(_, n)| **n).unwrap();
    let limit = limit(chance);
    println!(
        "{} ways to sort, {people} people: chance gives {chance}, the best gave {n} ({best}), limit {limit}",
        hits.len()
    );
    assert!(*n < limit, "'{best}' guesses {n} of {people} right; chance gives {chance}");
    assert_eq!(hits["reads an answer"], 0);
}

/// The same campaigns as a broken program would have left them: each wall that is missing is found.
#[tokio::test(flavor = "multi_thread")]
async fn the_attacker_succeeds_where_a_wall_is_missing() {
    let breaks: [(&str, fn(&mut Played)); 4] = [
        ("the answers stand next to the completion", |played| {
            let note = |(form, answers): (&i64, &String)| Row {
                table: "seat".into(),
                cells: json!({ "form": form, "note": answers }).as_object().unwrap().clone(),
            };
            played.leaked = played.truth.iter().map(note).collect();
        }),
        ("opening does not shuffle anew", |played| played.archive_order = played.box_order.clone()),
        ("nothing shuffles", |played| played.archive_order = played.submitted.clone()),
        ("the archive follows the forms", |played| played.archive_order.sort_unstable()),
    ];
    for (what, destroy) in breaks {
        let mut broken = played().await.to_vec();
        broken.iter_mut().for_each(destroy);
        let (hits, chance, people) = attack(&broken);
        let (best, n) = hits.iter().max_by_key(|(_, n)| **n).unwrap();
        println!("where {what}: {n} of {people} right by '{best}'");
        assert!(*n == people && people > limit(chance), "{what}: only {n} of {people} by '{best}'");
    }
}

/// Campaigns alike in everything but the answers differ in the places in which campaigns alike in everything differ too.
#[tokio::test(flavor = "multi_thread")]
async fn answers_change_nothing_that_is_not_random_anyhow() {
    for postgres in [false, true] {
        let one = play(1, 1, postgres).await;
        let same = play(1, 1, postgres).await;
        let other = play(1, 2, postgres).await;
        assert_ne!(one.truth, other.truth);
        for moment in 0..2 {
            let by_chance = differences(&one, &same, moment);
            let by_answers = differences(&one, &other, moment);
            assert!(by_chance.contains("ballot.ciphertext"), "{by_chance:?}");
            let more: Vec<&String> = by_answers.difference(&by_chance).collect();
            assert!(more.is_empty(), "the answers change {more:?}");
            if !postgres {
                assert_eq!(sizes(&one, moment), sizes(&other, moment));
            }
        }
        // The comparison sees answers where they do show: in the tally's counts.
        assert_eq!(counted(&one), counted(&same));
        assert_ne!(counted(&one), counted(&other));
    }
}

/// Columns in which two campaigns differ, row by row. Where PostgreSQL puts a row and which transaction wrote it depends on
/// what other databases of the server do; those columns are the guessing attacker's.
fn differences(one: &Played, other: &Played, moment: usize) -> BTreeSet<String> {
    let (left, right) = (by_identity(one, moment), by_identity(other, moment));
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    let mut columns = BTreeSet::new();
    // When the tables were made is the machine's own clock, read before anybody was invited.
    let answered_later = |row: &Row| row.table != "_sqlx_migrations";
    for (a, b) in left.values().zip(right.values()).filter(|(a, _)| answered_later(a)) {
        let differing = a.cells.iter().filter(|(column, value)| b.cells.get(*column) != Some(value));
        let own = differing.filter(|(column, _)| !["ctid", "xmin", "xmax"].contains(&column.as_str()));
        columns.extend(own.map(|(column, _)| format!("{}.{column}", a.table)));
    }
    columns
}

/// Rows by what says which row it is.
fn by_identity(played: &Played, moment: usize) -> BTreeMap<String, &Row> {
    let rows = &played.moments[moment].rows;
    let identity = |row: &Row| {
        [
            "seq",
            "form",
            "kind",
            "wave",
            "person",
            "mail",
            "attempt",
            "stage",
            "path",
            "role",
            "version",
            "event_seq",
            "link_version",
            "name",
        ]
        .map(|column| row.cells.get(column).map_or(String::new(), Value::to_string))
        .join(" ")
    };
    let found: BTreeMap<String, &Row> =
        rows.iter().map(|row| (format!("{} {}", row.table, identity(row)), row)).collect();
    assert_eq!(found.len(), rows.len(), "a row is not told from another");
    found
}

fn counted(played: &Played) -> Value {
    let tally: Value = serde_json::from_slice(&played.moments[2].files["out/tally.json"]).unwrap();
    tally["targets"].clone()
}

fn sizes(played: &Played, moment: usize) -> BTreeMap<&String, usize> {
    played.moments[moment].files.iter().map(|(name, bytes)| (name, bytes.len())).collect()
}
