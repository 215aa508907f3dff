//! Keys of the words for roles, states and kinds. Every key stands here in full, so that a test can find it.

use parsurvey_ledger::{AttemptResult, SeatFilter, SeatStanding};
use parsurvey_survey::account::Role;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::MailState;

use crate::words::Lang;

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Operator => "c-role-operator",
        Role::Coordinator => "c-role-coordinator",
        Role::Analyst => "c-role-analyst",
        Role::DataEntry => "c-role-data-entry",
        Role::Auditor => "c-role-auditor",
        Role::Administrator => "c-role-administrator",
        Role::KeyHolder => "c-role-key-holder",
    }
}

pub(super) fn filter(filter: SeatFilter) -> &'static str {
    match filter {
        SeatFilter::Completed => "c-seat-completed",
        SeatFilter::Outstanding => "c-seat-outstanding",
        SeatFilter::Started => "c-seat-started",
        SeatFilter::Quiet => "c-seat-quiet",
        SeatFilter::Declined => "c-seat-declined",
        SeatFilter::Excused => "c-seat-excused",
        SeatFilter::Rejected => "c-seat-rejected",
        SeatFilter::Bounced => "c-seat-bounced",
        SeatFilter::Unknown => "c-seat-unknown",
        SeatFilter::Suppressed => "c-seat-suppressed",
    }
}

pub(super) fn standing(standing: SeatStanding) -> &'static str {
    match standing {
        SeatStanding::Completed => "c-seat-completed",
        SeatStanding::Excused => "c-seat-excused",
        SeatStanding::Declined => "c-seat-declined",
        SeatStanding::Started => "c-seat-started",
        SeatStanding::Quiet => "c-seat-quiet",
    }
}

pub(super) fn mail_state(state: MailState) -> &'static str {
    match state {
        MailState::Planned => "c-mail-planned",
        MailState::Ready => "c-mail-ready",
        MailState::Leased => "c-mail-leased",
        MailState::Sending => "c-mail-sending",
        MailState::Deferred => "c-mail-deferred",
        MailState::Accepted => "c-mail-accepted",
        MailState::Rejected => "c-mail-rejected",
        MailState::Unknown => "c-mail-unknown",
        MailState::Expired => "c-mail-expired",
        MailState::Cancelled => "c-mail-cancelled",
        MailState::Suppressed => "c-mail-suppressed",
        MailState::Delivered => "c-mail-delivered",
        MailState::BouncedHard => "c-mail-bounced-hard",
        MailState::BouncedSoft => "c-mail-bounced-soft",
        MailState::Complained => "c-mail-complained",
        MailState::AutoReplied => "c-mail-auto-replied",
    }
}

pub(super) fn attempt(result: AttemptResult) -> &'static str {
    match result {
        AttemptResult::Sending => "c-try-sending",
        AttemptResult::Accepted => "c-mail-accepted",
        AttemptResult::Rejected => "c-mail-rejected",
        AttemptResult::Deferred => "c-try-deferred",
        AttemptResult::RouteFailed => "c-try-route-failed",
        AttemptResult::Unknown => "c-mail-unknown",
        AttemptResult::RelayTookIt => "c-try-relay-took-it",
        AttemptResult::RelayNeverHadIt => "c-try-relay-never-had-it",
        AttemptResult::Delivered => "c-mail-delivered",
        AttemptResult::BouncedHard => "c-mail-bounced-hard",
        AttemptResult::BouncedSoft => "c-mail-bounced-soft",
        AttemptResult::Complained => "c-mail-complained",
        AttemptResult::AutoReplied => "c-mail-auto-replied",
    }
}

/// A contact as people call it; reminders by their number.
pub(super) fn contact(lang: Lang, kind: MailKind, wave: u32) -> String {
    match kind {
        MailKind::Prenotice => lang.t("c-contact-prenotice"),
        MailKind::Invitation => lang.t("c-contact-invitation"),
        MailKind::Reminder => lang.t1("c-contact-reminder", "wave", wave),
        MailKind::Link => lang.t("c-contact-link"),
    }
}

/// What a role may see, in a sentence.
pub(super) fn meaning(role: Role) -> &'static str {
    match role {
        Role::Operator => "c-meaning-operator",
        Role::Coordinator => "c-meaning-coordinator",
        Role::Analyst => "c-meaning-analyst",
        Role::DataEntry => "c-meaning-data-entry",
        Role::Auditor => "c-meaning-auditor",
        Role::Administrator => "c-meaning-administrator",
        Role::KeyHolder => "c-meaning-key-holder",
    }
}
