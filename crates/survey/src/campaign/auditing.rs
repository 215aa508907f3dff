//! `[audit]` and `[control]` of `campaign.toml`: where the head of the log goes, and whether acts on people need two.

use super::address::check_address;
use super::place::Faults;
use super::walk::Table;

/// Reads `[audit]`: the address outside that is mailed the head of the log; none where the table is left out.
pub(super) fn read(root: &Table<'_>, sender: Option<&str>, faults: &Faults) -> Option<String> {
    let table = root.optional_table("audit")?;
    let address = table.text("anchor_to");
    let place = table.place_of("anchor_to");
    check_address(&address, &place, faults);
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
    if let (Some(own), Some(outside)) = (sender.and_then(domain), domain(&address))
        && is_of(&own, &outside)
    {
        faults.warn(place.fault(
            "anchor-inside",
            format!("{outside} is of the sender's own domain, whose administrators can also rewrite the log"),
            "name an address of a body outside, such as the ministry's inspection or an auditor",
        ));
    }
    table.finish();
    Some(address)
}

/// Whether one domain is the other, or lies below it.
fn is_of(one: &str, other: &str) -> bool {
    let below = |name: &str, above: &str| name.strip_suffix(above).is_some_and(|rest| rest.ends_with('.'));
    one == other || below(one, other) || below(other, one)
}

/// Reads `[control]`: whether acts on people who were invited need two; they do where nothing is said.
pub(super) fn read_two_people(root: &Table<'_>) -> bool {
    let Some(table) = root.optional_table("control") else { return true };
    let two_people = table.boolean("two_people", Some(true));
    table.finish();
    two_people
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_domain_below_is_of_the_same_house() {
        assert!(super::is_of("noivu.example", "noivu.example"));
        assert!(super::is_of("noivu.example", "thanhtra.noivu.example"));
        assert!(super::is_of("mail.noivu.example", "noivu.example"));
        assert!(!super::is_of("noivu.example", "kiemtoan.example"));
        assert!(!super::is_of("noivu.example", "xnoivu.example"));
    }
}
