//! What a survey is: campaign, roster, seats and forms, links, ballots, dispositions, response rates, the plan of what to send.
//!
//! Pure: no disk, network, clock, environment or async; `now` and random bytes are arguments.
//! Start with [`campaign::Campaign`] and [`seat::Seat`].

pub mod campaign;
pub mod fault;
pub mod seat;
pub mod status;
