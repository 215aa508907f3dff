//! Whether an address of the campaign folder can be mailed to. Roster cells have their own, more forgiving reader.

use email_address::EmailAddress;

use super::place::{Faults, Place};

/// Records a fault unless `address` is a plain address whose domain has a dot.
pub(super) fn check_address(address: &str, place: &Place, faults: &Faults) {
    let plain = address.is_ascii() && EmailAddress::is_valid(address) && !address.contains(['<', '"', ' ']);
    let dotted = address.rsplit_once('@').is_some_and(|(_, domain)| domain.contains('.') && !domain.starts_with('['));
    if !(address.is_empty() || (plain && dotted)) {
        faults.add(place.fault(
            "bad-address",
            format!("'{address}' is not an e-mail address"),
            "write it as name@domain.vn, without spaces, brackets or accents",
        ));
    }
}
