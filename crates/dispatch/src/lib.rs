//! Mail out: a letter becomes bytes, the bytes go to a relay, and what the relay said becomes a [`Delivery`].
//!
//! Nothing here knows a database, a campaign's schedule or a template: [`Outbox`] is the only way in and out.
//! It holds no pool of connections on purpose: a pooled connection that was left in the middle of an exchange gives the
//! next mail an answer which is not its own.
//! Speaks SMTP, in the clear to a relay on the same machine and under TLS to others, or a provider's HTTP; when a refused
//! mail is tried again is not decided here.
//! Asks DNS nothing but what [`doctor`] wants to know before the first mail.
//! Never enable the `tracing` feature of lettre: it would log every mail as it is written, link included.
//!
//! Start with [`compose`] (what is sent), [`Session::send`] (how one mail is sent) and [`run`] (how all are); a new way to
//! send is a [`Carrier`]. What comes back is [`bounce`], and [`imap`] where it lies in a mailbox elsewhere.

mod address;
pub mod bounce;
mod consequence;
mod delivery;
pub mod doctor;
mod engine;
mod folder;
pub mod imap;
mod letter;
mod open;
mod plain;
mod probe;
mod provider;
mod reply;
mod route;
mod session;
mod stream;
mod transaction;
mod trust;
mod way;
mod wire;

pub use address::{AddressError, RelayAddress, Scheme};
pub use consequence::Consequence;
pub use delivery::{Delivery, Enhanced, Outcome, Peer, Stage, TlsSeen};
pub use engine::{
    Always, Carrier, DomainPace, JobId, Line, Outbox, Pace, Permit, RunError, RunLimits, Stop, Summary, Ticket, run,
};
pub use folder::Folder;
pub use letter::dkim::{Dkim, DkimError};
pub use letter::{ComposeError, Composed, Correspondent, Envelope, Letter, compose, message_id};
pub use plain::text_of;
pub use probe::probe;
pub use provider::{Provider, ProviderError};
pub use route::{Login, Route, Security, StageTimeouts};
pub use session::Session;
pub use trust::{Trust, TrustError};
pub use way::{Way, WayLine};
