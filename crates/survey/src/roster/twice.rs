//! The same person twice, one person in two groups, two people on one address.
//!
//! Who is the same: the same id; the same name on the same address; the same name in the same unit, unless both have ids and they differ.
//! A person may stand in two groups that rate different targets, one row for each.

use std::collections::HashMap;
use std::hash::Hash;

use parsurvey_index::code::GroupCode;

use super::fold::fold;
use super::people::Draft;
use super::words::at;
use super::{Lists, Reading};

/// Rows seen under a key: the first of each group, apart for rows with and without an id.
type Seen<K> = HashMap<K, Vec<(GroupCode, bool, usize)>>;

/// Adds the faults and warnings, and marks the later rows faulty.
pub(super) fn tell(file: &str, drafts: &mut [Draft], lists: &Lists<'_>, reading: &mut Reading) {
    let mut by_id: Seen<String> = HashMap::new();
    let mut by_address: Seen<(String, String)> = HashMap::new();
    let mut by_name: Seen<(String, String)> = HashMap::new();
    let mut addresses: HashMap<String, (String, usize)> = HashMap::new();
    for draft in drafts.iter_mut() {
        let (line, has_id) = (draft.line, draft.id.is_some());
        let name = draft.name.as_deref().map(fold);
        let address = draft.email.as_ref().map(crate::address::RespondentEmail::key);
        if let (Some(address), Some(name)) = (&address, &name) {
            let (first_name, first) = addresses.entry(address.clone()).or_insert_with(|| (name.clone(), line));
            if first_name != name {
                let reason = format!("the address already stands in line {first} beside another name");
                let remedy = "write the person's own address, or accept the warning if both read this mailbox";
                reading.warnings.push(at(file, line, "email", "shared-address", reason, remedy.to_owned()));
            }
        }
        let Some(group) = draft.group.clone() else {
            continue;
        };
        let mut found: Option<(Same, usize, &str)> = None;
        let mut note = |what: &'static str, same: Option<(Same, usize)>| {
            if let Some((same, first)) = same {
                found.get_or_insert((same, first, what));
            }
        };
        if let Some(id) = draft.id.clone() {
            note("id", meet(&mut by_id, id, (&group, has_id, line), lists, |_| true));
        }
        if let (Some(address), Some(name)) = (address, name.clone()) {
            note("name and address", meet(&mut by_address, (address, name), (&group, has_id, line), lists, |_| true));
        }
        if let (Some(name), Some(unit)) = (name, &draft.unit) {
            let key = (name, unit.to_string());
            // Where both have ids, equal ones were met above and different ones are two people.
            note("name and unit", meet(&mut by_name, key, (&group, has_id, line), lists, |other| !(has_id && other)));
        }
        if let Some((same, first, what)) = found {
            draft.faulty = true;
            reading.faults.push(same.fault(file, line, first, what));
        }
    }
}

/// How two rows of one person stand to each other.
#[derive(Clone, Copy)]
enum Same {
    Group,
    OtherGroup,
}

impl Same {
    fn fault(self, file: &str, line: usize, first: usize, what: &str) -> crate::fault::Fault {
        let field = if what == "id" { "id" } else { "name" };
        match self {
            Same::Group => at(
                file,
                line,
                field,
                "same-person-twice",
                format!("the same {what} already stands in line {first}"),
                "delete one of the rows; if they are two people, give each an id".to_owned(),
            ),
            Same::OtherGroup => at(
                file,
                line,
                "group",
                "person-in-two-groups",
                format!("the same {what} stands in line {first} in another group for the same target"),
                "keep the row of the post that decides the group; if they are two people, give each an id".to_owned(),
            ),
        }
    }
}

/// The first earlier row under `key` that is the same person and in conflict; remembers this one.
fn meet<K: Eq + Hash>(
    seen: &mut Seen<K>,
    key: K,
    (group, has_id, line): (&GroupCode, bool, usize),
    lists: &Lists<'_>,
    comparable: impl Fn(bool) -> bool,
) -> Option<(Same, usize)> {
    let bucket = seen.entry(key).or_default();
    let mut others = bucket.iter().filter(|(_, other_has_id, _)| comparable(*other_has_id));
    let same_group = others.clone().find(|(other, _, _)| other == group);
    let conflict = match same_group {
        Some((_, _, first)) => Some((Same::Group, *first)),
        None => others
            .find(|(other, _, _)| share_a_target(lists, other, group))
            .map(|(_, _, first)| (Same::OtherGroup, *first)),
    };
    if !bucket.iter().any(|(other, other_has_id, _)| other == group && *other_has_id == has_id) {
        bucket.push((group.clone(), has_id, line));
    }
    conflict
}

fn share_a_target(lists: &Lists<'_>, a: &GroupCode, b: &GroupCode) -> bool {
    let forms = |code: &GroupCode| lists.groups.iter().find(|group| group.code == *code).map(|group| &group.forms);
    match (forms(a), forms(b)) {
        (Some(a), Some(b)) => a.keys().any(|target| b.contains_key(target)),
        (None, _) | (_, None) => false,
    }
}
