//! The plan: who is owed which mail now, and who is not and why. It decides; it sends nothing.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::calendar;
use crate::campaign::{Campaign, Contact, MailKind};
use crate::seat::{FormId, Seat};

/// A mail that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The seat's form.
    pub form: FormId,
    /// Its holder.
    pub holder: u32,
    /// The version of the holder's address.
    pub address_version: u32,
    /// The kind of mail.
    pub kind: MailKind,
    /// The wave.
    pub wave: u32,
}

/// Why a seat is sent nothing in a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// This mail was queued before; it is never queued twice.
    AlreadyQueued,
    /// The form is submitted.
    Completed,
    /// The person is excused.
    Excused,
    /// The person declined. Not told to the unit.
    Declined,
    /// The person was not in post on the frame date.
    NotEligible,
    /// A reminder follows an invitation, and none was accepted.
    NotInvited,
    /// A later contact was queued, which takes this one's place.
    Superseded,
    /// The address was refused or bounced, or its owner complained: the unit is asked for a new one.
    AddressStopped,
    /// Too few working days have passed since the last mail with a link was accepted, or may have left.
    TooSoon,
}

/// What a wave owes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The mails owed, in form order.
    pub owed: Vec<Owed>,
    /// The seats that are sent nothing, with the reason.
    pub skipped: Vec<(FormId, Skip)>,
}

/// How much time is left between a mail with a link and the reminder after it.
#[derive(Debug, Clone, Copy)]
pub struct Pace<'a> {
    /// Working days at least; 0 for none.
    pub working_days: u32,
    /// Days that are none, besides Saturdays and Sundays.
    pub holidays: &'a [Date],
    /// The zone in which days begin.
    pub zone: &'a TimeZone,
}

impl<'a> Pace<'a> {
    /// As the campaign declares it.
    #[must_use]
    pub fn of(campaign: &'a Campaign) -> Self {
        Self {
            working_days: campaign.limits.working_days_between,
            holidays: &campaign.holidays,
            zone: &campaign.time_zone,
        }
    }

    fn is_too_soon(&self, last: Timestamp, now: Timestamp) -> bool {
        let (from, to) = (calendar::day(last, self.zone), calendar::day(now, self.zone));
        calendar::working_days_between(from, to, self.holidays) < self.working_days
    }
}

/// What `contact` owes the seats at `now`.
#[must_use]
pub fn plan(contact: &Contact, seats: &[Seat], pace: Pace<'_>, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    for seat in seats {
        match skip(contact, seat, pace, now) {
            Some(reason) => plan.skipped.push((seat.form, reason)),
            None => plan.owed.push(Owed {
                form: seat.form,
                holder: seat.holder,
                address_version: seat.address_version,
                kind: contact.kind,
                wave: contact.wave,
            }),
        }
    }
    plan
}

fn skip(contact: &Contact, seat: &Seat, pace: Pace<'_>, now: Timestamp) -> Option<Skip> {
    if seat.ineligible {
        return Some(Skip::NotEligible);
    }
    if seat.completed.is_some() {
        return Some(Skip::Completed);
    }
    if seat.excused.is_some() {
        return Some(Skip::Excused);
    }
    if seat.declined {
        return Some(Skip::Declined);
    }
    if seat.address_stopped {
        return Some(Skip::AddressStopped);
    }
    let this = (contact.kind, contact.wave);
    if seat.mail.queued.contains(&this) {
        return Some(Skip::AlreadyQueued);
    }
    if seat.mail.queued.iter().any(|queued| *queued > this) {
        return Some(Skip::Superseded);
    }
    if contact.kind != MailKind::Reminder {
        return None;
    }
    // An address corrected, or a person replaced, after the invitation's wave is owed an invitation, not a reminder.
    // An unknown invitation is not sent again, and the reminder covers it.
    if seat.mail.link_accepted == 0 && seat.mail.link_unknown == 0 {
        return Some(Skip::NotInvited);
    }
    seat.mail.last_link_sent.is_some_and(|last| pace.is_too_soon(last, now)).then_some(Skip::TooSoon)
}

/// The latest contact of `kind` that is due at `now`, if any.
#[must_use]
pub fn due(contacts: &[Contact], kind: MailKind, now: Timestamp) -> Option<&Contact> {
    contacts.iter().rfind(|contact| contact.kind == kind && contact.due <= now)
}

/// The first contact of `kind` that is not yet due at `now`, if any.
#[must_use]
pub fn next(contacts: &[Contact], kind: MailKind, now: Timestamp) -> Option<&Contact> {
    contacts.iter().find(|contact| contact.kind == kind && contact.due > now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seat::{ExcuseCategory, MailSummary, sample};

    const DUE: &str = "2023-12-22T08:00:00+07:00";

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    fn contact(kind: MailKind, wave: u32) -> Contact {
        let text = String::new;
        Contact { kind, wave, due: moment(DUE), subject: text(), text: text(), html: text() }
    }

    /// Why `contact` is not owed to a seat whose mails are `mail`, at `now`.
    fn check(contact: &Contact, mail: MailSummary, now: &str) -> Option<Skip> {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").expect("the bundled database has it");
        let pace = Pace { working_days: 3, holidays: &[jiff::civil::date(2024, 1, 1)], zone: &zone };
        let plan = plan(contact, &[Seat { mail, ..sample(1) }], pace, moment(now));
        assert_eq!(plan.owed.len() + plan.skipped.len(), 1);
        plan.skipped.first().map(|(_, reason)| *reason)
    }

    fn accepted(at: &str) -> MailSummary {
        MailSummary { invited: true, link_accepted: 1, last_link_sent: Some(moment(at)), ..MailSummary::default() }
    }

    #[test]
    fn a_reminder_keeps_its_distance_in_working_days() {
        let reminder = contact(MailKind::Reminder, 1);
        for (last, now, expected) in [
            ("2023-12-18T08:00:00+07:00", DUE, None),
            ("2023-12-19T23:30:00+07:00", DUE, None),
            ("2023-12-20T00:30:00+07:00", DUE, Some(Skip::TooSoon)),
            // A mail that left late holds the next reminder up beyond its date; weekends and holidays do not count.
            ("2023-12-22T08:00:00+07:00", "2023-12-26T08:00:00+07:00", Some(Skip::TooSoon)),
            ("2023-12-22T08:00:00+07:00", "2023-12-27T08:00:00+07:00", None),
            ("2023-12-28T08:00:00+07:00", "2024-01-02T08:00:00+07:00", Some(Skip::TooSoon)),
            ("2023-12-28T08:00:00+07:00", "2024-01-03T00:10:00+07:00", None),
            // A moment that the zone puts on the next day.
            ("2023-12-19T17:30:00Z", DUE, Some(Skip::TooSoon)),
        ] {
            assert_eq!(check(&reminder, accepted(last), now), expected, "{last} {now}");
        }
        let invitation = contact(MailKind::Invitation, 0);
        assert_eq!(check(&invitation, accepted(DUE), DUE), None, "the distance is between a link and its reminder");
    }

    #[test]
    fn a_prenotice_is_no_invitation() {
        let reminder = contact(MailKind::Reminder, 1);
        let prenotice = MailSummary {
            unknown: 1,
            last_rejected: true,
            queued: vec![(MailKind::Prenotice, 0)],
            ..MailSummary::default()
        };
        assert_eq!(check(&reminder, prenotice.clone(), DUE), Some(Skip::NotInvited));
        assert_eq!(check(&contact(MailKind::Invitation, 0), prenotice, DUE), None);
        assert_eq!(check(&reminder, MailSummary { link_unknown: 1, ..MailSummary::default() }, DUE), None);
        // Invited before the address was corrected: the present address was not.
        let elsewhere = MailSummary { invited: true, ..MailSummary::default() };
        assert_eq!(check(&reminder, elsewhere, DUE), Some(Skip::NotInvited));
    }

    #[test]
    fn what_was_queued_is_owed_neither_again_nor_after_a_later_contact() {
        let queued = |kind, wave| MailSummary { queued: vec![(kind, wave)], ..accepted("2023-12-01T08:00:00Z") };
        for (kind, wave, before, expected) in [
            (MailKind::Invitation, 0, queued(MailKind::Invitation, 0), Some(Skip::AlreadyQueued)),
            (MailKind::Invitation, 0, queued(MailKind::Prenotice, 0), None),
            (MailKind::Prenotice, 0, queued(MailKind::Invitation, 0), Some(Skip::Superseded)),
            (MailKind::Invitation, 0, queued(MailKind::Reminder, 1), Some(Skip::Superseded)),
            (MailKind::Reminder, 1, queued(MailKind::Reminder, 2), Some(Skip::Superseded)),
            (MailKind::Reminder, 2, queued(MailKind::Reminder, 1), None),
        ] {
            assert_eq!(check(&contact(kind, wave), before, DUE), expected, "{kind:?} {wave}");
        }
    }

    #[test]
    fn nobody_is_mailed_who_owes_no_answer() {
        let zone = TimeZone::UTC;
        let pace = Pace { working_days: 3, holidays: &[], zone: &zone };
        let seats = [
            Seat { ineligible: true, ..sample(1) },
            Seat { completed: Some(moment(DUE)), ..sample(2) },
            Seat { excused: Some(ExcuseCategory::Ill), ..sample(3) },
            Seat { declined: true, ..sample(4) },
            Seat { address_stopped: true, ..sample(6) },
            sample(5),
        ];
        let plan = plan(&contact(MailKind::Invitation, 0), &seats, pace, moment(DUE));
        let reasons = [Skip::NotEligible, Skip::Completed, Skip::Excused, Skip::Declined, Skip::AddressStopped];
        assert_eq!(plan.skipped, [1, 2, 3, 4, 6].into_iter().zip(reasons).collect::<Vec<_>>());
        assert_eq!(plan.owed.iter().map(|owed| owed.form).collect::<Vec<_>>(), [5]);
    }
}
