//! `[notice]` of `campaign.toml`: what people are told of their data, and how long what is kept.

use std::collections::BTreeMap;

use super::Unit;
use super::address::check_address;
use super::head::Head;
use super::place::{Faults, Place};
use super::walk::Table;
use crate::notice::{Complaint, KEPT, Kept, Notice, Retention, Then};

/// The complaint contact's address with its place, for the comparison with those it may not be.
pub(super) struct Told {
    pub(super) notice: Notice,
    pub(super) complaint_place: Place,
}

/// Reads the table.
pub(super) fn read(table: Table<'_>, faults: &Faults) -> Told {
    let (complaint, complaint_place) =
        table.table("complaint").map_or_else(no_complaint, |at| read_complaint(at, faults));
    let notice = Notice {
        controller: table.bilingual("controller"),
        processor: table.bilingual("processor"),
        basis: table.bilingual("basis"),
        recipients: table.optional_bilingual("recipients"),
        complaint,
        retention: read_retention(&table, faults),
    };
    table.finish();
    Told { notice, complaint_place }
}

fn no_complaint() -> (Complaint, Place) {
    let nothing = parsurvey_index::tree::Text { vi: String::new(), en: String::new() };
    (Complaint { name: nothing, phone: String::new(), email: String::new() }, Place::default())
}

fn read_complaint(table: Table<'_>, faults: &Faults) -> (Complaint, Place) {
    let complaint = Complaint { name: table.bilingual("name"), phone: table.text("phone"), email: table.text("email") };
    let place = table.place_of("email");
    check_address(&complaint.email, &place, faults);
    table.finish();
    (complaint, place)
}

fn read_retention(table: &Table<'_>, faults: &Faults) -> Vec<Retention> {
    let mut rows: BTreeMap<Kept, usize> = BTreeMap::new();
    let mut retention = Vec::new();
    let mut whole = true;
    for row in table.tables("retention") {
        match read_row(&row) {
            Some(read) if rows.insert(read.what, retention.len()).is_none() => retention.push(read),
            Some(read) => faults.add(row.place_of("what").fault(
                "duplicate-code",
                format!("what becomes of '{}' was said before", read.what),
                "keep one row for each",
            )),
            None => whole = false,
        }
        row.finish();
    }
    // A row that is broken is no row that is missing.
    let missing: Vec<_> = KEPT.iter().filter(|kept| !rows.contains_key(kept)).map(|kept| kept.as_str()).collect();
    if whole && !missing.is_empty() {
        faults.add(table.place_of("retention").fault(
            "retention-missing",
            format!("the notice does not say how long is kept: {}", missing.join(", ")),
            "add [[notice.retention]] with what, action and days for each; the sample campaigns have all of them",
        ));
    }
    retention
}

fn read_row(row: &Table<'_>) -> Option<Retention> {
    let what = row.text("what");
    let action = row.text("action");
    let days = row.optional_whole::<u32>("days");
    let what = match what.parse::<Kept>() {
        Ok(what) => what,
        Err(_) if what.is_empty() => return None,
        Err(reason) => {
            let known: Vec<_> = KEPT.iter().map(|kept| kept.as_str()).collect();
            row.add(row.place_of("what").fault("unknown-kind", reason, format!("write one of {}", known.join(", "))));
            return None;
        }
    };
    let then = match (action.as_str(), days) {
        ("erase", Some(days)) if what.can_be_erased() => Then::Erase(days),
        ("by_hand", Some(days)) if what != Kept::People => Then::ByHand(days),
        ("keep", None) if what != Kept::People => Then::Keep,
        ("", _) => return None,
        (action, days) => {
            row.add(row.place_of("action").fault("bad-action", wrong(what, action, days), remedy(what)));
            return None;
        }
    };
    Some(Retention { what, then })
}

fn wrong(what: Kept, action: &str, days: Option<u32>) -> String {
    match (action, days) {
        ("erase" | "by_hand", None) => format!("'{what}' has no day on which it goes"),
        ("keep", Some(_)) => format!("'{what}' is kept and has a day on which it goes"),
        ("erase" | "by_hand" | "keep", _) => format!("'{action}' is nothing that can be done with '{what}'"),
        _ => format!("'{action}' is no action"),
    }
}

fn remedy(what: Kept) -> &'static str {
    match what {
        Kept::People => "write action = \"erase\" and the days after the opening: `parsurvey purge` carries it out",
        _ if what.can_be_erased() => {
            "write action = \"erase\" and days, \"by_hand\" and days, or \"keep\" without days"
        }
        _ => "write action = \"by_hand\" and days, or \"keep\" without days: the program cannot reach it",
    }
}

/// A complaint that goes to those complained of is none: the contact is not the survey's own, and not at a unit's domain.
pub(super) fn check_outside(head: &Head, units: &[Unit], faults: &Faults) {
    let (Some(told), Some(sender)) = (&head.told, &head.sender) else { return };
    let email = told.notice.complaint.email.as_str();
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
    let own = [&sender.address, &sender.reply_to, &sender.helpline_email];
    let inside = if own.iter().any(|address| address.eq_ignore_ascii_case(email)) {
        Some("the survey's own address".to_owned())
    } else {
        let coordinators = units.iter().filter_map(|unit| Some((unit, unit.coordinator.as_ref()?)));
        let mut same = coordinators.filter(|(_, coordinator)| domain(&coordinator.email) == domain(email));
        same.next().map(|(unit, _)| format!("the domain of the unit '{}'", unit.code))
    };
    if let Some(inside) = inside {
        faults.add(told.complaint_place.fault(
            "complaint-inside",
            format!("complaints would go to {inside}, not to an office outside the body that is scored"),
            "name an office that neither runs the survey nor is rated by it, such as an inspectorate",
        ));
    }
}
