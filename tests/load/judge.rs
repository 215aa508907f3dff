//! What people were told against what the ledger holds. Pure, so that it can be tried on histories that are wrong.

use std::collections::{BTreeMap, BTreeSet};

/// What a form's holder knows of the submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Knows {
    /// It was acknowledged: stored now, or said to be stored before.
    Acknowledged,
    /// It was sent, and no answer came.
    Unclear,
    /// It was not sent.
    NotSent,
}

/// What the ledger holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stored {
    /// How often the log says that a form was submitted.
    pub(crate) events: BTreeMap<i64, u64>,
    /// Forms whose seat is completed.
    pub(crate) completed: BTreeSet<i64>,
    /// Forms with a ballot.
    pub(crate) ballots: BTreeSet<i64>,
}

/// Everything that contradicts "acknowledged = stored, once; not acknowledged: once or not at all".
pub(crate) fn faults(people: &BTreeMap<i64, Knows>, stored: &Stored) -> Vec<String> {
    let mut faults = Vec::new();
    for (form, knows) in people {
        let events = stored.events.get(form).copied().unwrap_or_default();
        let places = (events > 0, stored.completed.contains(form), stored.ballots.contains(form));
        let is_whole = matches!(places, (true, true, true) | (false, false, false));
        if !is_whole {
            faults.push(format!("form {form} is half stored (event, completion, ballot): {places:?}"));
        }
        if events > 1 {
            faults.push(format!("form {form} was stored {events} times"));
        }
        match knows {
            Knows::Acknowledged if events == 0 => faults.push(format!("form {form} was acknowledged and is lost")),
            Knows::NotSent if events > 0 => faults.push(format!("form {form} is stored and was never sent")),
            Knows::Acknowledged | Knows::Unclear | Knows::NotSent => {}
        }
    }
    let strangers = stored.events.keys().chain(&stored.completed).chain(&stored.ballots);
    let strangers: BTreeSet<&i64> = strangers.filter(|form| !people.contains_key(form)).collect();
    faults.extend(strangers.iter().map(|form| format!("form {form} is nobody's")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> (BTreeMap<i64, Knows>, Stored) {
        let people =
            BTreeMap::from([(1, Knows::Acknowledged), (2, Knows::Unclear), (3, Knows::Unclear), (4, Knows::NotSent)]);
        let forms = BTreeSet::from([1, 2]);
        (people, Stored { events: BTreeMap::from([(1, 1), (2, 1)]), completed: forms.clone(), ballots: forms })
    }

    #[test]
    fn a_right_history_has_no_fault() {
        let (people, stored) = history();
        assert_eq!(faults(&people, &stored), Vec::<String>::new());
    }

    #[test]
    fn every_wrong_one_is_found() {
        let wrong: [(&str, fn(&mut Stored)); 6] = [
            ("acknowledged and is lost", |stored| {
                stored.events.remove(&1);
                stored.completed.remove(&1);
                stored.ballots.remove(&1);
            }),
            ("stored 2 times", |stored| {
                stored.events.insert(2, 2);
            }),
            ("form 1 is half stored", |stored| {
                stored.ballots.remove(&1);
            }),
            ("form 3 is half stored", |stored| {
                stored.completed.insert(3);
            }),
            ("never sent", |stored| {
                stored.events.insert(4, 1);
            }),
            ("form 9 is nobody's", |stored| {
                stored.ballots.insert(9);
            }),
        ];
        for (what, spoil) in wrong {
            let (people, mut stored) = history();
            spoil(&mut stored);
            let found = faults(&people, &stored);
            assert!(found.iter().any(|fault| fault.contains(what)), "{what}: {found:?}");
        }
    }
}
