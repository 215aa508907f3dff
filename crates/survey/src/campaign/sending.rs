//! `[sending]` of `campaign.toml`: read and judged by itself. All of it may be left out.

use std::collections::BTreeMap;

use super::address::check_address;
use super::place::Faults;
use super::walk::Table;
use crate::sending::{Canary, DomainLimit, Hours, LEAST_LEASE_SECONDS, Sending, UnknownPolicy};

/// Reads the table; the defaults without one.
pub(super) fn read(root: &Table<'_>, faults: &Faults) -> Sending {
    let Some(table) = root.optional_table("sending") else { return Sending::default() };
    let otherwise = Sending::default();
    let sending = Sending {
        hours: read_hours(&table),
        per_minute: at_least_one(&table, "per_minute"),
        connections: at_least_one(&table, "connections"),
        warm_up: read_warm_up(&table),
        every_domain: table.optional_table("every_domain").map(read_domain).unwrap_or_default(),
        domains: read_domains(&table),
        canary: table.optional_table("canary").map(|canary| read_canary(canary, faults)),
        unknown: read_policy(&table),
        lease_seconds: at_least_one(&table, "lease_seconds").unwrap_or(otherwise.lease_seconds),
        pause_after: at_least_one(&table, "pause_after").unwrap_or(otherwise.pause_after),
    };
    if sending.lease_seconds < LEAST_LEASE_SECONDS {
        table.add(table.place_of("lease_seconds").fault(
            "out-of-range",
            "a busy machine would lose its mails to another within so short a time",
            format!("set lease_seconds to {LEAST_LEASE_SECONDS} at least; 60 is usual"),
        ));
    }
    table.finish();
    sending
}

/// A whole number of one or more that may be left out.
fn at_least_one(table: &Table<'_>, key: &str) -> Option<u32> {
    let number: u32 = table.optional_whole(key)?;
    if number == 0 {
        table.add(table.place_of(key).fault(
            "out-of-range",
            format!("with {key} = 0 nothing would ever be sent"),
            "write 1 or more, or leave it out for no limit",
        ));
    }
    Some(number.max(1))
}

fn read_hours(table: &Table<'_>) -> Option<Hours> {
    let text = table.optional_text("hours")?;
    match Hours::read(&text) {
        Ok(hours) => Some(hours),
        Err(reason) => {
            table.add(table.place_of("hours").fault("bad-hours", reason, "write them as \"07:30-11:30, 13:30-17:00\""));
            None
        }
    }
}

fn read_warm_up(table: &Table<'_>) -> Vec<u32> {
    let numbers: Vec<u32> = table.wholes("warm_up");
    if numbers.contains(&0) {
        table.add(table.place_of("warm_up").fault(
            "out-of-range",
            "on a day of the warm-up nothing would be sent",
            "write mails per day, such as [50, 200, 800]",
        ));
    }
    numbers
}

fn read_domain(table: Table<'_>) -> DomainLimit {
    let limit = DomainLimit {
        per_minute: at_least_one(&table, "per_minute"),
        connections: at_least_one(&table, "connections"),
    };
    table.finish();
    limit
}

fn read_domains(table: &Table<'_>) -> BTreeMap<String, DomainLimit> {
    let Some(domains) = table.optional_table("domains") else { return BTreeMap::new() };
    let names: Vec<String> = domains.keys().into_iter().map(|key| key.value.to_owned()).collect();
    let limits =
        names.iter().filter_map(|name| Some((name.to_ascii_lowercase(), read_domain(domains.table(name)?)))).collect();
    domains.finish();
    limits
}

fn read_canary(table: Table<'_>, faults: &Faults) -> Canary {
    let canary = Canary {
        percent: table.optional_whole("percent").unwrap_or(5),
        wait_minutes: table.optional_whole("wait_minutes").unwrap_or(60),
        failures_percent: table.optional_whole("failures_percent").unwrap_or(5),
        mailboxes: table
            .texts("mailboxes")
            .into_iter()
            .map(|address| {
                check_address(&address.value, &address.place, faults);
                address.value
            })
            .collect(),
    };
    if !(1..=50).contains(&canary.percent) {
        table.add(table.place_of("percent").fault(
            "out-of-range",
            "the first few are a share of 1 to 50 in a hundred",
            "write percent = 5, or leave the canary out",
        ));
    }
    table.finish();
    canary
}

fn read_policy(table: &Table<'_>) -> UnknownPolicy {
    match table.optional_text("unknown").as_deref() {
        None | Some("hold" | "") => UnknownPolicy::Hold,
        Some("resend") => UnknownPolicy::Resend,
        Some(other) => {
            table.add(table.place_of("unknown").fault(
                "unknown-policy",
                format!("'{other}' is no policy for unknown mails"),
                "write \"hold\" (never twice), or \"resend\" (once more with the same bytes)",
            ));
            UnknownPolicy::Hold
        }
    }
}
