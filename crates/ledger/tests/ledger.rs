//! One suite for both databases. Each case runs on SQLite and on PostgreSQL; without PostgreSQL the suite fails.
//!
//! `support` finds and starts databases and makes fixtures. A case belongs where its subject is: `opening` what is found
//! at a place, `log` the event log, `people` roster and seats, `mails` the outbox, `bounces` what comes back, `ballots` submission to erasure.
//! What one database alone can do (file modes, raw bytes) is tested once and says so.

mod cases;
mod support;
