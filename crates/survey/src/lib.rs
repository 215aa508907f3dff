//! What a survey is: campaign, roster, seats and forms, links, ballots, dispositions, response rates, the plan of what to send.
//!
//! Pure: no disk, network, clock, environment or async; `now` and random bytes are arguments.
//! Start with [`campaign::Campaign`] and [`seat::Seat`].

pub mod account;
pub mod address;
pub mod anchor;
pub mod ballot;
pub mod ballot_box;
pub mod board;
pub mod calendar;
pub mod callback;
pub mod campaign;
pub mod chase;
pub mod control;
pub mod delivery;
pub mod disposition;
pub mod draft;
pub mod evidence;
pub mod fault;
pub mod freeze;
pub mod independence;
pub mod key;
pub mod link;
pub mod notice;
pub mod plan;
pub mod roster;
pub mod seat;
pub mod secret;
pub mod seeds;
pub mod sending;
pub mod status;
pub mod template;

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Bytes from hexadecimal; `None` when it is something else.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| {
        digits
            .chunks_exact(2)
            .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("two digits are a byte"))
            .collect()
    })
}
