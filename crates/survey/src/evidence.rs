//! What a mail that came back proves about a mail we sent: the words of a report, and the one rule that weighs them.
//!
//! It reads no mail and changes no state: who reads reports is `dispatch`, and what a mail becomes is decided in
//! `delivery`. Nothing here knows an address.

use crate::delivery;

/// Declares an enum whose variants are stored and printed as words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every value, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word to store.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();

            fn from_str(word: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word).ok_or(())
            }
        }
    };
}

words!(
    /// What a mail that came back is.
    Kind {
        /// Somebody was not reached, or not yet.
        Bounce = "bounce",
        /// A recipient called a mail unwanted (RFC 5965).
        Complaint = "complaint",
        /// A mailbox or a mail program answered by itself: out of office, receipt, challenge.
        AutoReply = "auto_reply",
        /// Anything else, reports of success included.
        Other = "other",
    }
);

words!(
    /// What a server did for a recipient, in the words of RFC 3464.
    Action {
        /// It gave up.
        Failed = "failed",
        /// It keeps trying.
        Delayed = "delayed",
        /// It put the mail into the mailbox.
        Delivered = "delivered",
        /// It passed the mail on to a server that reports nothing.
        Relayed = "relayed",
        /// It passed the mail on to several addresses.
        Expanded = "expanded",
    }
);

words!(
    /// Whether another attempt at the same address can succeed.
    Class {
        /// It cannot.
        Hard = "hard",
        /// It can.
        Soft = "soft",
    }
);

words!(
    /// Where a status comes from.
    StatusSource {
        /// A server wrote it as an enhanced code.
        Said = "said",
        /// No server wrote one: it is the code that stands for the basic code or for the words.
        Derived = "derived",
    }
);

words!(
    /// Why a mail failed.
    Reason {
        /// Nobody has this address.
        UnknownUser = "unknown_user",
        /// The mailbox has no room.
        MailboxFull = "mailbox_full",
        /// The mailbox exists and is closed, locked or unused.
        MailboxDisabled = "mailbox_disabled",
        /// The domain does not exist, or takes no mail.
        UnknownDomain = "unknown_domain",
        /// The server does not take mail for this domain from us.
        RelayDenied = "relay_denied",
        /// The server refuses the mail or its sender, not the address.
        SpamOrPolicy = "spam_or_policy",
        /// The mail is too large.
        TooLarge = "too_large",
        /// It may pass: greylisting, no connection, an overloaded server.
        Temporary = "temporary",
        /// The mail went in circles.
        Loop = "loop",
        /// The report does not say.
        Other = "other",
    }
);

words!(
    /// How it is known which mail a report answers.
    Proof {
        /// A return path that was made with our secret came back.
        Verp = "verp",
        /// The report names a Message-ID of ours. Whoever has seen a mail can write that, and so can a relay's log.
        MessageId = "message_id",
        /// It is not known.
        None = "none",
    }
);

words!(
    /// What a report proves about the mail it answers, the mildest first.
    Finding {
        /// The mailbox has the mail, or a mail program answered it: it arrived.
        Delivered = "delivered",
        /// The mail arrived, and the mailbox answered by itself.
        AutoReplied = "auto_replied",
        /// The mail arrived, and its recipient called it unwanted. Never a refusal of the survey.
        Complained = "complained",
        /// The mail left and is still under way.
        Delayed = "delayed",
        /// The mail did not arrive; a later one may.
        BouncedSoft = "bounced_soft",
        /// The mail did not arrive, and a later one will not.
        BouncedHard = "bounced_hard",
    }
);

impl Finding {
    /// What is learnt about the mail: a report that it is under way shows that a relay took it.
    #[must_use]
    pub fn learnt(self) -> delivery::Evidence {
        match self {
            Finding::Delivered => delivery::Evidence::Delivered,
            Finding::AutoReplied => delivery::Evidence::AutoReplied,
            Finding::Complained => delivery::Evidence::Complained,
            Finding::Delayed => delivery::Evidence::RelayTookIt,
            Finding::BouncedSoft => delivery::Evidence::BouncedSoft,
            Finding::BouncedHard => delivery::Evidence::BouncedHard,
        }
    }
}

/// What a report says of one recipient. Whether that is the mail's own is found by comparing addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Whether the report means the mail's recipient; `None` where the address of that time is not known any more.
    pub is_recipient: Option<bool>,
    /// What the server did.
    pub action: Option<Action>,
    /// The enhanced status code (RFC 3463): class, subject, detail.
    pub status: Option<(u8, u16, u16)>,
    /// Hard or soft; `None` when nothing failed.
    pub class: Option<Class>,
    /// Why; `None` when nothing failed.
    pub reason: Option<Reason>,
}

/// What a report with this proof proves; `None` where it proves nothing.
///
/// Without a return path of ours a report proves nothing at all, because anybody can write one. Of several recipients
/// those count that are the mail's own, or all where none is: the address was an alias. Where they disagree the mildest
/// word wins, so that nobody is cut off because one of three forwards failed.
#[must_use]
pub fn finding(kind: Kind, proof: Proof, told: &[Told]) -> Option<Finding> {
    match proof {
        Proof::Verp => {}
        Proof::MessageId | Proof::None => return None,
    }
    match kind {
        Kind::Complaint => Some(Finding::Complained),
        Kind::AutoReply => Some(Finding::AutoReplied),
        Kind::Bounce | Kind::Other => relevant(told).into_iter().filter_map(one).min(),
    }
}

/// Whether a report that bounced hard says that the address itself is dead, so that no mail goes to it any more: a code
/// 5.1.x, or a reason that says the same. A refusal of the mail or of its sender says nothing about the address.
#[must_use]
pub fn is_address_dead(told: &[Told]) -> bool {
    let failed = relevant(told).into_iter().filter(|told| one(told) == Some(Finding::BouncedHard));
    failed.into_iter().any(|told| match (told.status, told.reason) {
        (_, Some(Reason::RelayDenied | Reason::SpamOrPolicy | Reason::TooLarge | Reason::Loop)) => false,
        (_, Some(Reason::UnknownUser | Reason::UnknownDomain | Reason::MailboxDisabled)) => true,
        (Some((5, 1, _)), Some(Reason::MailboxFull | Reason::Temporary | Reason::Other) | None) => true,
        (_, Some(Reason::MailboxFull | Reason::Temporary | Reason::Other) | None) => false,
    })
}

/// Those that are the mail's own recipient, or all where none is known to be.
fn relevant(told: &[Told]) -> Vec<&Told> {
    let own: Vec<&Told> = told.iter().filter(|told| told.is_recipient == Some(true)).collect();
    if own.is_empty() { told.iter().collect() } else { own }
}

fn one(told: &Told) -> Option<Finding> {
    match (told.action, told.class) {
        (Some(Action::Delivered), _) => Some(Finding::Delivered),
        // Passed on: the mail left, and nobody will tell what became of it.
        (Some(Action::Relayed | Action::Expanded), _) => Some(Finding::Delayed),
        (Some(Action::Delayed), _) => Some(Finding::Delayed),
        (Some(Action::Failed) | None, Some(Class::Hard)) => Some(Finding::BouncedHard),
        (Some(Action::Failed) | None, Some(Class::Soft)) => Some(Finding::BouncedSoft),
        (Some(Action::Failed) | None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Class, Finding, Kind, Proof, Reason, Told, finding, is_address_dead};

    fn told(action: Action, class: Option<Class>) -> Told {
        Told { is_recipient: Some(true), action: Some(action), status: None, class, reason: None }
    }

    #[test]
    fn a_report_proves_what_it_says_only_with_a_return_path_of_ours() {
        let (hard, soft) = (Some(Class::Hard), Some(Class::Soft));
        let table = [
            (Kind::Bounce, vec![told(Action::Failed, hard)], Some(Finding::BouncedHard)),
            (Kind::Bounce, vec![told(Action::Failed, soft)], Some(Finding::BouncedSoft)),
            (Kind::Bounce, vec![told(Action::Delayed, soft)], Some(Finding::Delayed)),
            (Kind::Other, vec![told(Action::Delivered, None)], Some(Finding::Delivered)),
            (Kind::Other, vec![told(Action::Relayed, None)], Some(Finding::Delayed)),
            (Kind::Other, vec![], None),
            (Kind::Bounce, vec![Told { action: None, ..told(Action::Failed, hard) }], Some(Finding::BouncedHard)),
            (Kind::Bounce, vec![told(Action::Failed, None)], None),
            (Kind::Complaint, vec![], Some(Finding::Complained)),
            (Kind::AutoReply, vec![], Some(Finding::AutoReplied)),
        ];
        for (kind, told, expected) in table {
            assert_eq!(finding(kind, Proof::Verp, &told), expected, "{kind:?} {told:?}");
            assert_eq!(finding(kind, Proof::MessageId, &told), None);
            assert_eq!(finding(kind, Proof::None, &told), None);
        }
    }

    #[test]
    fn of_several_recipients_the_mails_own_counts_and_else_the_mildest() {
        let of = |is_recipient, action, class| Told { is_recipient, ..told(action, Some(class)) };
        let hard = |is| of(is, Action::Failed, Class::Hard);
        let soft = |is| of(is, Action::Failed, Class::Soft);
        let table = [
            (vec![hard(Some(true)), soft(Some(false))], Finding::BouncedHard),
            (vec![hard(Some(false)), soft(Some(true))], Finding::BouncedSoft),
            // An alias: none of them was mailed.
            (vec![hard(Some(false)), hard(Some(false))], Finding::BouncedHard),
            (vec![hard(Some(false)), soft(Some(false))], Finding::BouncedSoft),
            (vec![hard(None), told(Action::Delivered, None)], Finding::Delivered),
            (vec![hard(None), of(None, Action::Delayed, Class::Soft)], Finding::Delayed),
        ];
        for (told, expected) in table {
            assert_eq!(finding(Kind::Bounce, Proof::Verp, &told), Some(expected), "{told:?}");
        }
    }

    #[test]
    fn an_address_is_dead_when_the_report_is_about_the_address() {
        let table = [
            (Some((5, 1, 1)), Some(Reason::UnknownUser), true),
            (Some((5, 4, 4)), Some(Reason::UnknownDomain), true),
            (Some((5, 2, 1)), Some(Reason::MailboxDisabled), true),
            (Some((5, 1, 10)), None, true),
            (Some((5, 1, 8)), Some(Reason::SpamOrPolicy), false),
            (Some((5, 7, 1)), Some(Reason::RelayDenied), false),
            (Some((5, 3, 4)), Some(Reason::TooLarge), false),
            (Some((5, 0, 0)), Some(Reason::Other), false),
            (None, None, false),
        ];
        for (status, reason, expected) in table {
            let failed = Told { status, reason, ..told(Action::Failed, Some(Class::Hard)) };
            assert_eq!(is_address_dead(&[failed]), expected, "{status:?} {reason:?}");
            let later = Told { class: Some(Class::Soft), ..failed };
            assert!(!is_address_dead(&[later]));
            // Another's address is another's.
            let own = Told { reason: Some(Reason::SpamOrPolicy), ..failed };
            assert!(!is_address_dead(&[Told { is_recipient: Some(false), ..failed }, own]));
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        for finding in Finding::ALL {
            assert_eq!(finding.as_str().parse(), Ok(*finding));
        }
        assert_eq!("Bounce".parse::<Kind>(), Err(()));
    }
}
