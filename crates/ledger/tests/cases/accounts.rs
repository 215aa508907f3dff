//! Accounts and sessions of the console: what is stored of them, and that no race gives two logins for one code.

use parsurvey_ledger::{Chain, HeldSecret, Ledger, LedgerError, NewAccount, NewSetup};
use parsurvey_survey::account::{AccountName, Role};

use crate::support::{Bench, act, at, draft};

on_both!(
    an_account_is_set_up_once_and_a_code_is_used_once,
    a_revoked_account_has_no_session_and_its_name_is_never_used_again,
    a_reset_ends_password_and_sessions,
    the_ledger_is_held_to_one_console_key,
    no_secret_of_an_account_is_in_the_log,
);

fn name(text: &str) -> AccountName {
    text.parse().expect("a name")
}

fn setup(secret: &str) -> NewSetup {
    NewSetup { seed: b"SEALED-SEED".to_vec(), secret_sha256: secret.to_owned(), until: at(100) }
}

fn account(text: &str, role: Role) -> NewAccount {
    let units = vec!["so-noi-vu".parse().expect("a code")];
    NewAccount {
        name: name(text),
        role,
        units,
        target: Some("hanoi".parse().expect("a code")),
        setup: setup("SETUP-SHA"),
    }
}

async fn set_up(ledger: &Ledger, text: &str) {
    ledger.add_account(&account(text, Role::Coordinator), &act(5)).await.expect("added");
    let done = ledger.set_up_account(&name(text), "SETUP-SHA", "hash-1", 10, "session-1", &act(6)).await;
    assert_eq!(done, Ok(true));
}

async fn an_account_is_set_up_once_and_a_code_is_used_once(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    ledger.add_account(&account("nva", Role::Coordinator), &act(5)).await.expect("added");
    let again = ledger.add_account(&account("nva", Role::Operator), &act(5)).await;
    assert!(matches!(again, Err(LedgerError::Conflict(_))), "{again:?}");
    let who = name("nva");
    assert_eq!(ledger.set_up_account(&who, "wrong", "hash-1", 10, "s1", &act(6)).await, Ok(false));
    assert_eq!(ledger.set_up_account(&who, "SETUP-SHA", "hash-1", 10, "s1", &act(200)).await, Ok(false), "it ran out");
    assert_eq!(ledger.set_up_account(&who, "SETUP-SHA", "hash-1", 10, "s1", &act(6)).await, Ok(true));
    assert_eq!(ledger.set_up_account(&who, "SETUP-SHA", "hash-2", 11, "s2", &act(6)).await, Ok(false), "it was used");

    assert_eq!(ledger.begin_session(&who, "hash-1", 10, "s2", &act(7)).await, Ok(false), "the code was used");
    assert_eq!(ledger.begin_session(&who, "other", 11, "s2", &act(7)).await, Ok(false));
    let (one, two) = tokio::join!(async { ledger.begin_session(&who, "hash-1", 11, "s2", &act(7)).await }, async {
        ledger.begin_session(&who, "hash-1", 11, "s3", &act(7)).await
    },);
    assert_eq!([one, two].iter().filter(|done| **done == Ok(true)).count(), 1, "one code, one login");

    let session = ledger.session("s1").await.expect("read").expect("it is there");
    assert_eq!((session.begun, session.seen), (at(6), at(6)));
    assert_eq!(session.account.role, Role::Coordinator);
    assert_eq!(session.account.units, ["so-noi-vu".parse().expect("a code")]);
    ledger.session_seen("s1", at(9)).await.expect("noted");
    ledger.session_seen("s1", at(8)).await.expect("noted");
    assert_eq!(ledger.session("s1").await.expect("read").expect("it is there").seen, at(9));
    assert_eq!(ledger.session("other").await, Ok(None));
    ledger.end_session(&name("nvb"), "s1", &act(10)).await.expect("done");
    assert!(ledger.session("s1").await.expect("read").is_some(), "nobody ends another's session");
    ledger.end_session(&who, "s1", &act(10)).await.expect("done");
    ledger.end_session(&who, "s1", &act(10)).await.expect("done twice");
    assert_eq!(ledger.session("s1").await, Ok(None));
    assert_eq!(ledger.end_sessions(&who, &act(11)).await, Ok(1));
    assert_eq!(ledger.sessions_of(&who).await, Ok(Vec::new()));
    assert!(matches!(ledger.verify_chain().await, Ok(Chain::Intact { events: 7, .. })));
}

async fn a_revoked_account_has_no_session_and_its_name_is_never_used_again(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    set_up(&ledger, "nva").await;
    ledger.revoke_account(&name("nva"), &act(8)).await.expect("revoked");
    ledger.revoke_account(&name("nva"), &act(9)).await.expect("revoked twice");
    assert_eq!(ledger.session("session-1").await, Ok(None));
    assert_eq!(ledger.begin_session(&name("nva"), "hash-1", 99, "s9", &act(9)).await, Ok(false));
    let row = ledger.account(&name("nva")).await.expect("read").expect("it stays");
    assert_eq!((row.revoked, row.password, row.setup), (Some(at(8)), None, None));
    for refused in [
        ledger.add_account(&account("nva", Role::Operator), &act(9)).await,
        ledger.reset_account(&name("nva"), &setup("new"), &act(9)).await,
    ] {
        assert!(matches!(refused, Err(LedgerError::Conflict(_))), "{refused:?}");
    }
    let unknown = ledger.revoke_account(&name("nobody"), &act(9)).await;
    assert!(matches!(unknown, Err(LedgerError::NotFound(_))), "{unknown:?}");
}

async fn a_reset_ends_password_and_sessions(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    set_up(&ledger, "nva").await;
    ledger.reset_account(&name("nva"), &setup("second"), &act(8)).await.expect("reset");
    assert_eq!(ledger.session("session-1").await, Ok(None));
    assert_eq!(ledger.begin_session(&name("nva"), "hash-1", 99, "s9", &act(9)).await, Ok(false));
    assert_eq!(ledger.set_up_account(&name("nva"), "SETUP-SHA", "hash-2", 9, "s2", &act(9)).await, Ok(false));
    // Another seed has other codes, so an earlier step is as good as any.
    assert_eq!(ledger.set_up_account(&name("nva"), "second", "hash-2", 9, "s2", &act(9)).await, Ok(true));
    assert_eq!(ledger.accounts().await.expect("read").len(), 1);
}

async fn the_ledger_is_held_to_one_console_key(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    assert_eq!(ledger.held_secret(HeldSecret::Console).await, Ok(None));
    ledger.hold_to_secret(HeldSecret::Console, "ab", &act(2)).await.expect("held");
    ledger.hold_to_secret(HeldSecret::Console, "ab", &act(3)).await.expect("held already");
    assert_eq!(ledger.held_secret(HeldSecret::Console).await, Ok(Some("ab".to_owned())));
    let other = ledger.hold_to_secret(HeldSecret::Console, "cd", &act(4)).await;
    assert!(matches!(other, Err(LedgerError::Conflict(_))), "{other:?}");
}

async fn no_secret_of_an_account_is_in_the_log(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    set_up(&ledger, "nva").await;
    let log = format!("{:?}", ledger.events(0, 100).await.expect("the log"));
    for kind in ["account_added", "account_set_up"] {
        assert!(log.contains(kind), "{kind}");
    }
    for secret in ["SEALED-SEED", "hash-1", "session-1", "SETUP-SHA"] {
        assert!(!log.contains(secret), "{secret}");
    }
    let row = format!("{:?}", ledger.session("session-1").await.expect("read"));
    assert!(row.contains("nva") && !row.contains("hash-1"), "{row}");
}
