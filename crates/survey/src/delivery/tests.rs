//! The table of a mail's life, whole: every state against every event.

use std::collections::BTreeSet;

use super::{Event, Evidence, MailState, STATES, Settled};
use Event::{
    AddressStopped, DeadlinePassed, DotLeaves, GivenBack, HolderLost, Learnt, Leased as Lease, LetGo, OwedNoLonger,
    QueuedAgain, SentAgain, SettledLate,
};
use MailState::{
    Accepted, AutoReplied, BouncedHard, BouncedSoft, Cancelled, Complained, Deferred, Delivered, Expired, Leased,
    Planned, Ready, Rejected, Sending, Suppressed, Unknown,
};

const SETTLED: [Settled; 5] =
    [Settled::Accepted, Settled::Rejected, Settled::Deferred, Settled::NotSent, Settled::Unknown];
const EVIDENCE: [Evidence; 7] = [
    Evidence::RelayTookIt,
    Evidence::RelayNeverHadIt,
    Evidence::Delivered,
    Evidence::BouncedHard,
    Evidence::BouncedSoft,
    Evidence::Complained,
    Evidence::AutoReplied,
];

fn events() -> Vec<Event> {
    let plain = [
        LetGo,
        Lease,
        GivenBack,
        DotLeaves,
        HolderLost,
        OwedNoLonger,
        DeadlinePassed,
        AddressStopped,
        QueuedAgain,
        SentAgain,
    ];
    plain
        .into_iter()
        .chain(SETTLED.map(Event::Settled))
        .chain(SETTLED.map(SettledLate))
        .chain(EVIDENCE.map(Learnt))
        .collect()
}

/// Every step there is; whatever is not here changes nothing.
#[test]
fn the_whole_table() {
    let settled = Event::Settled;
    let steps = [
        (Planned, LetGo, Ready),
        (Planned, OwedNoLonger, Cancelled),
        (Planned, DeadlinePassed, Expired),
        (Planned, AddressStopped, Suppressed),
        (Ready, Lease, Leased),
        (Ready, OwedNoLonger, Cancelled),
        (Ready, DeadlinePassed, Expired),
        (Ready, AddressStopped, Suppressed),
        (Ready, SettledLate(Settled::Accepted), Accepted),
        (Leased, GivenBack, Ready),
        (Leased, DotLeaves, Sending),
        (Leased, HolderLost, Ready),
        (Leased, OwedNoLonger, Cancelled),
        (Leased, settled(Settled::Rejected), Rejected),
        (Leased, settled(Settled::Deferred), Deferred),
        (Leased, settled(Settled::NotSent), Deferred),
        (Sending, HolderLost, Unknown),
        (Sending, settled(Settled::Accepted), Accepted),
        (Sending, settled(Settled::Rejected), Rejected),
        (Sending, settled(Settled::Deferred), Deferred),
        (Sending, settled(Settled::NotSent), Deferred),
        (Sending, settled(Settled::Unknown), Unknown),
        (Deferred, Lease, Leased),
        (Deferred, OwedNoLonger, Cancelled),
        (Deferred, DeadlinePassed, Expired),
        (Deferred, AddressStopped, Suppressed),
        (Deferred, SettledLate(Settled::Accepted), Accepted),
        (Rejected, SentAgain, Ready),
        (Unknown, SentAgain, Ready),
        (Unknown, SettledLate(Settled::Accepted), Accepted),
        (Unknown, SettledLate(Settled::Rejected), Rejected),
        (Unknown, SettledLate(Settled::Deferred), Deferred),
        (Unknown, SettledLate(Settled::NotSent), Deferred),
        (Unknown, Learnt(Evidence::RelayTookIt), Accepted),
        (Unknown, Learnt(Evidence::RelayNeverHadIt), Ready),
        (Expired, QueuedAgain, Ready),
        (Cancelled, QueuedAgain, Ready),
        (Suppressed, QueuedAgain, Ready),
    ];
    let later = [
        (Evidence::AutoReplied, AutoReplied),
        (Evidence::Delivered, Delivered),
        (Evidence::BouncedSoft, BouncedSoft),
        (Evidence::BouncedHard, BouncedHard),
        (Evidence::Complained, Complained),
    ];
    let mut expected: BTreeSet<(MailState, Event, MailState)> = steps.into_iter().collect();
    for (place, (evidence, became)) in later.into_iter().enumerate() {
        for weaker in [Accepted, Unknown].into_iter().chain(later[..place].iter().map(|(_, state)| *state)) {
            expected.insert((weaker, Learnt(evidence), became));
        }
    }
    let found: BTreeSet<(MailState, Event, MailState)> = STATES
        .into_iter()
        .flat_map(|state| events().into_iter().filter_map(move |event| Some((state, event, state.after(event)?))))
        .collect();
    assert_eq!(found, expected);
}

/// What may have left is sent again by order, policy or proof only: by no failure, no lost lease and no deadline.
#[test]
fn what_may_have_left_becomes_sendable_only_by_order_or_proof() {
    for state in [Sending, Unknown, Accepted, Delivered, BouncedHard, BouncedSoft, Complained, AutoReplied] {
        for event in events() {
            let Some(next) = state.after(event) else { continue };
            let is_proof = matches!(
                event,
                SentAgain
                    | Event::Settled(Settled::NotSent | Settled::Deferred)
                    | SettledLate(Settled::NotSent | Settled::Deferred)
                    | Learnt(Evidence::RelayNeverHadIt)
            );
            assert!(!next.is_waiting() || is_proof, "{state} {event:?} {next}");
        }
    }
}

#[test]
fn every_word_is_read_back_and_every_state_is_reached() {
    let mut reached = BTreeSet::from([Planned]);
    loop {
        let more: BTreeSet<MailState> = reached
            .iter()
            .flat_map(|state| events().into_iter().filter_map(|event| state.after(event)))
            .chain(reached.iter().copied())
            .collect();
        if more == reached {
            break;
        }
        reached = more;
    }
    assert_eq!(reached, STATES.into_iter().collect());
    for state in STATES {
        assert_eq!(state.as_str().parse(), Ok(state));
    }
    assert!("claimed".parse::<MailState>().is_err());
}
