//! The calendar of a campaign: window, frame date, contacts and the working days between them.
//!
//! Judges the plan only; what is due now is decided elsewhere, from what was really sent.

use super::MailKind;
use super::head::{Head, Planned};
use super::place::Faults;
use crate::calendar::{is_working_day, working_days_between};

/// Records every fault of the calendar.
pub(super) fn check(head: &Head, faults: &Faults) {
    check_window(head, faults);
    check_kinds(head, faults);
    check_order(head, faults);
    for contact in &head.contacts {
        check_contact(head, contact, faults);
    }
}

fn check_window(head: &Head, faults: &Faults) {
    if let (Some(opens), Some(closes)) = (&head.opens, &head.closes)
        && opens.value >= closes.value
    {
        faults.add(closes.place.fault(
            "window-reversed",
            "the survey closes before it opens",
            "set closes later than opens",
        ));
    }
    if let (Some(frame), Some(opens)) = (&head.frame_date, &head.opens)
        && frame.value > opens.value.date()
    {
        faults.add(frame.place.fault(
            "frame-after-opening",
            "the frame date lies after the survey opens, so nobody could know who belongs",
            "set frame_date to the opening day or before",
        ));
    }
}

fn check_kinds(head: &Head, faults: &Faults) {
    let of = |kind| head.contacts.iter().filter(move |contact| contact.kind == kind);
    if of(MailKind::Invitation).next().is_none() {
        faults.add(crate::fault::Fault::of_file(
            "campaign.toml",
            "no-invitation",
            "no contact is an invitation, so nobody would get a link",
            "add a [[contact]] with kind = \"invitation\"",
        ));
    }
    for kind in [MailKind::Prenotice, MailKind::Invitation] {
        for extra in of(kind).skip(1) {
            faults.add(extra.place.fault(
                "duplicate-contact",
                format!("a campaign has one {}", kind.as_str()),
                "remove it, or make it a reminder",
            ));
        }
    }
    let limit = head.limits.reminders;
    for extra in of(MailKind::Reminder).filter(|contact| contact.wave > limit) {
        faults.add(extra.place.fault(
            "too-many-reminders",
            format!("this is reminder {} where limits.reminders allows {limit}", extra.wave),
            "remove it, or raise the limit if the organiser agrees",
        ));
    }
}

fn check_order(head: &Head, faults: &Faults) {
    for pair in head.contacts.windows(2) {
        let [earlier, later] = pair else { continue };
        let (from, to) = (earlier.due.value, later.due.value);
        if later.kind < earlier.kind {
            let (code, reason) = match later.kind {
                MailKind::Prenotice => ("prenotice-after-invitation", "the prenotice stands after a mail with a link"),
                MailKind::Invitation | MailKind::Reminder | MailKind::Link => {
                    ("contacts-out-of-order", "the invitation stands after a reminder")
                }
            };
            faults.add(later.place.fault(code, reason, "list prenotice, invitation, reminders in this order"));
        } else if to <= from {
            let (code, reason) = match earlier.kind {
                MailKind::Prenotice => ("prenotice-after-invitation", "the prenotice is due after the invitation"),
                MailKind::Invitation | MailKind::Reminder | MailKind::Link => {
                    ("contacts-out-of-order", "the contact is due before the one above it")
                }
            };
            let remedy = "give the contacts rising dates in the order they are listed";
            faults.add(later.due.place.fault(code, reason, remedy));
        } else {
            let least = head.limits.working_days_between;
            let days = working_days_between(from.date(), to.date(), &head.holidays);
            if days < least {
                faults.add(later.due.place.fault(
                    "contacts-too-close",
                    format!("it is due {days} working days after the contact above it, and {least} are the least"),
                    "set it later, or lower limits.working_days_between",
                ));
            }
        }
    }
}

fn check_contact(head: &Head, contact: &Planned, faults: &Faults) {
    let due = contact.due.value;
    let place = &contact.due.place;
    if let Some(closes) = &head.closes
        && due >= closes.value
    {
        let code = match contact.kind {
            MailKind::Reminder => "reminder-after-deadline",
            MailKind::Prenotice | MailKind::Invitation | MailKind::Link => "contact-after-deadline",
        };
        faults.add(place.fault(code, "it is due after the survey has closed", "set it before window.closes"));
    }
    if let Some(opens) = &head.opens
        && contact.kind != MailKind::Prenotice
        && due < opens.value
    {
        faults.add(place.fault(
            "contact-before-opening",
            "its link would lead to a form that is not open yet",
            "set it at window.opens or later",
        ));
    }
    if !is_working_day(due.date(), &head.holidays) {
        faults.warn(place.fault(
            "contact-on-day-off",
            format!("{} is not a working day", due.date()),
            "set it on a working day, when people read official mail",
        ));
    }
}
