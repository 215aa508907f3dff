//! Seed mailboxes: what is recorded of them, and what is not.

use parsurvey_ledger::{Chain, LedgerError, SeedResult};

use crate::support::{Bench, act, at, draft};

on_both!(the_last_look_into_a_seed_counts_and_no_mailbox_is_kept);

async fn the_last_look_into_a_seed_counts_and_no_mailbox_is_kept(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    assert_eq!(ledger.seed_looks().await, Ok(Vec::new()));
    ledger.record_seed("so.example", SeedResult::Spam, &act(5)).await.expect("recorded");
    ledger.record_seed("so.example", SeedResult::Inbox, &act(6)).await.expect("recorded again");
    ledger.record_seed("quan.example", SeedResult::Missing, &act(7)).await.expect("recorded");
    let refused = ledger.record_seed("mau1@so.example", SeedResult::Inbox, &act(8)).await;
    assert!(matches!(refused, Err(LedgerError::Conflict(_))), "{refused:?}");
    let looks = ledger.seed_looks().await.expect("looks");
    let seen: Vec<_> = looks.iter().map(|look| (look.domain.as_str(), look.result, look.at)).collect();
    assert_eq!(
        seen,
        [
            ("so.example", SeedResult::Spam, at(5)),
            ("so.example", SeedResult::Inbox, at(6)),
            ("quan.example", SeedResult::Missing, at(7)),
        ]
    );
    assert_eq!(looks[0].actor, "operator");
    assert!(matches!(ledger.verify_chain().await, Ok(Chain::Intact { events: 5, .. })));
}
