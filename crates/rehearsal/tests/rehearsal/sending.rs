//! Who gets a mail when addresses are bad, relays fail, and people interrupt. Each test states how many mails left.

use std::net::TcpListener;
use std::time::Duration;

use parsurvey_dispatch::{
    DomainPace, Outcome, Pace, Route, RunError, RunLimits, Stage, StageTimeouts, Stop, Summary, run,
};
use parsurvey_rehearsal::catcher::{Act, At, Catcher, Reply, Script};

use crate::pile::{Pile, limits, people, route, shared};

/// Sends a pile to a catcher with one connection, and says what came of it.
async fn send(script: Script, addresses: &[&str]) -> (Catcher, std::sync::Arc<Pile>, Summary) {
    let catcher = Catcher::start(script).await.unwrap();
    let pile = shared(Pile::of(addresses));
    let summary = run(&route(catcher.port()), &limits(1), pile.clone(), &Stop::new()).await.unwrap();
    (catcher, pile, summary)
}

#[tokio::test]
async fn a_refused_mail_stops_nobody_and_keeps_the_connection() {
    let say = |code, text| Act::Say(Reply::new(code, text));
    let script = Script::new()
        .reject("b1@x.example", 550, "5.1.1 <b1@x.example>: user unknown")
        .reject("b2@x.example", 450, "4.2.0 greylisted")
        .on("b3@x.example", At::Data, say(452, "4.3.1 storage full"))
        .on("b4@x.example", At::Dot, say(550, "5.7.1 looks like spam"));
    let addresses = ["b1@x.example", "b2@x.example", "b3@x.example", "b4@x.example", "ok@x.example"];
    let (catcher, pile, summary) = send(script, &addresses).await;
    assert_eq!(summary, Summary { accepted: 1, rejected: 2, transient: 2, ..Summary::default() });
    let told: Vec<String> = (1..=5).map(|id| pile.outcome(id).to_string()).collect();
    assert_eq!(
        told,
        [
            "rejected_permanent at rcpt 550 5.1.1: <[address]>: user unknown",
            "rejected_transient at rcpt 450 4.2.0: greylisted",
            "rejected_transient at data 452 4.3.1: storage full",
            "rejected_permanent at dot 550 5.7.1: looks like spam",
            "accepted at dot 250 2.0.0: taken over connection 1",
        ]
    );
    let counts = catcher.counts();
    assert_eq!((counts.connections, counts.taken, counts.refused), (1, 1, 4));
    assert_eq!(catcher.mailbox("ok@x.example").len(), 1);
}

#[tokio::test]
async fn fifty_bad_in_front_do_not_stop_seventy_good() {
    let people = people(120);
    let script =
        people.iter().take(50).fold(Script::new(), |script, bad| script.reject(bad, 550, "5.1.1 user unknown"));
    let catcher = Catcher::start(script).await.unwrap();
    let pile = shared(Pile::of(&people));
    let summary = run(&route(catcher.port()), &limits(4), pile.clone(), &Stop::new()).await.unwrap();
    assert_eq!((summary.accepted, summary.rejected), (70, 50));
    assert_eq!(catcher.counts().taken, 70);
    assert!(catcher.counts().connections <= 4);
    for good in &people[50..] {
        assert_eq!(catcher.mailbox(good).len(), 1);
    }
}

#[tokio::test]
async fn an_absent_relay_loses_nothing() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let pile = shared(Pile::of(people(20)));
    let error = run(&route(port), &limits(4), pile.clone(), &Stop::new()).await.unwrap_err();
    let text = error.to_string();
    let RunError::Route { summary, last } = error else {
        panic!("{text}");
    };
    assert_eq!((last.outcome, last.stage), (Outcome::RouteFailed, Stage::Connect));
    assert_eq!(summary.accepted + summary.unknown, 0);
    let [waiting, claimed, outcomes, released] = pile.sizes();
    assert_eq!((waiting + released, claimed, outcomes), (20, 0, 0));
    assert_eq!(summary.released, released as u64);
    assert!(text.contains("nothing listens at the relay's address"), "{text}");
}

#[tokio::test]
async fn a_relay_that_turns_us_away_is_told_with_its_words() {
    let catcher = Catcher::start(Script::new().greeting(554, "5.7.1 not from you")).await.unwrap();
    let pile = shared(Pile::of(people(3)));
    let error = run(&route(catcher.port()), &limits(1), pile.clone(), &Stop::new()).await.unwrap_err();
    let RunError::Route { last, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(last.to_string(), "route_failed at hello 554 5.7.1: not from you");
    assert_eq!(pile.released(), [1, 2, 3], "what was claimed ahead is given back too");
    assert_eq!(catcher.counts().connections, 5);
}

#[tokio::test]
async fn after_the_dot_a_lost_connection_is_unknown_and_not_used_again() {
    let script = Script::new().on("b@x.example", At::Dot, Act::HangUp);
    let (catcher, pile, summary) = send(script, &["a@x.example", "b@x.example", "c@x.example"]).await;
    assert_eq!((summary.accepted, summary.unknown, summary.released), (2, 1, 0));
    assert_eq!(pile.outcome(2).to_string(), "unknown at dot: the connection broke");
    assert_eq!(catcher.counts().connections, 2);
    // The relay had taken it, so a second try would have been a second mail.
    assert_eq!(catcher.mailbox("b@x.example").len(), 1);
    assert_eq!(catcher.mailbox("c@x.example")[0].connection, 2);
}

#[tokio::test]
async fn before_the_dot_a_lost_connection_is_no_mail() {
    for at in [At::Rcpt, At::Data] {
        let script = Script::new().on("b@x.example", at, Act::HangUp);
        let (catcher, pile, summary) = send(script, &["a@x.example", "b@x.example", "c@x.example"]).await;
        assert_eq!((summary.accepted, summary.unknown, summary.broken_off), (2, 0, 1), "{at:?}");
        assert_eq!((pile.outcome(2).outcome, pile.released().len()), (Outcome::RouteFailed, 0));
        assert_eq!(catcher.counts().taken, 2);
        assert_eq!(catcher.counts().connections, 3, "a and b; b again; c");
    }
}

#[tokio::test]
async fn a_relay_that_shuts_down_once_gets_the_mail_on_a_new_connection() {
    let closing = Act::Say(Reply::new(421, "4.3.2 shutting down"));
    let script = Script::new().first(1, "b@x.example", At::Rcpt, closing);
    let (catcher, _, summary) = send(script, &["a@x.example", "b@x.example"]).await;
    assert_eq!((summary.accepted, summary.released), (2, 0));
    assert_eq!(catcher.counts().connections, 2);
}

#[tokio::test]
async fn a_late_answer_is_never_taken_by_the_next_mail() {
    // "b" is answered too late; "bad" must get its own refusal and "c" its own acceptance.
    let script = Script::new()
        .on("b@x.example", At::Dot, Act::Late(Duration::from_millis(900)))
        .on("s@x.example", At::Dot, Act::Silence)
        .reject("bad@x.example", 550, "5.1.1 user unknown");
    let catcher = Catcher::start(script).await.unwrap();
    let patient = route(catcher.port());
    let route = Route { timeouts: StageTimeouts { dot: Duration::from_millis(400), ..patient.timeouts }, ..patient };
    let addresses = ["b@x.example", "bad@x.example", "s@x.example", "c@x.example"];
    let pile = shared(Pile::of(addresses));
    run(&route, &limits(1), pile.clone(), &Stop::new()).await.unwrap();
    let outcomes: Vec<Outcome> = (1..=4).map(|id| pile.outcome(id).outcome).collect();
    assert_eq!(outcomes, [Outcome::Unknown, Outcome::RejectedPermanent, Outcome::Unknown, Outcome::Accepted]);
    assert_eq!(pile.outcome(1).text, "the relay did not answer in time");
    assert_eq!(pile.outcome(4).text, "taken over connection 3");
    assert_eq!(catcher.counts().connections, 3);
}

#[tokio::test]
async fn a_relay_that_hangs_up_after_every_mail_does_not_eat_the_outbox() {
    let people = people(30);
    let script = people.iter().fold(Script::new(), |script, person| script.on(person, At::Dot, Act::HangUp));
    let catcher = Catcher::start(script).await.unwrap();
    let pile = shared(Pile::of(&people));
    let error = run(&route(catcher.port()), &limits(1), pile.clone(), &Stop::new()).await.unwrap_err();
    assert!(matches!(error, RunError::Route { .. }), "{error}");
    assert_eq!(pile.count(Outcome::Unknown), 5);
    let [waiting, claimed, outcomes, released] = pile.sizes();
    assert_eq!((waiting + released, claimed, outcomes), (25, 0, 5));
    assert_eq!(catcher.counts().taken, 5);
}

#[tokio::test]
async fn two_runs_at_once_send_nothing_twice() {
    let people = people(60);
    let catcher = Catcher::start(Script::new()).await.unwrap();
    let pile = shared(Pile::of(&people));
    let (route, limits) = (route(catcher.port()), RunLimits { claim: 3, ..limits(2) });
    let (first, second) = (Stop::new(), Stop::new());
    let (first, second) =
        tokio::join!(run(&route, &limits, pile.clone(), &first), run(&route, &limits, pile.clone(), &second),);
    assert_eq!(first.unwrap().accepted + second.unwrap().accepted, 60);
    assert_eq!(catcher.counts().taken, 60);
    for person in &people {
        assert_eq!(catcher.mailbox(person).len(), 1);
    }
    // A third finds nothing to do, and does not even connect.
    let connections = catcher.counts().connections;
    let third = run(&route, &limits, pile, &Stop::new()).await.unwrap();
    assert_eq!(third, Summary::default());
    assert_eq!(catcher.counts().connections, connections);
}

#[tokio::test]
async fn asked_to_stop_it_finishes_the_mail_in_hand_and_gives_the_rest_back() {
    let catcher = Catcher::start(Script::new().latency(Duration::from_millis(20))).await.unwrap();
    let pile = shared(Pile::of(people(100)));
    let limits = RunLimits { claim: 10, ..limits(2) };
    let (route, stop) = (route(catcher.port()), Stop::new());
    let (summary, ()) = tokio::join!(run(&route, &limits, pile.clone(), &stop), async {
        catcher.taken(3, Duration::from_secs(60)).await.unwrap();
        stop.ask();
    });
    let summary = summary.unwrap();
    assert!(summary.stopped);
    assert_eq!(summary.unknown, 0);
    assert_eq!(summary.accepted, catcher.counts().taken);
    assert!((3..100).contains(&summary.accepted));
    let [waiting, claimed, outcomes, released] = pile.sizes();
    assert_eq!((claimed, waiting + outcomes + released), (0, 100));
    assert_eq!(summary.released, released as u64);
}

#[tokio::test]
async fn an_outbox_that_fails_ends_the_run_and_is_told_what_it_missed() {
    let catcher = Catcher::start(Script::new()).await.unwrap();
    let pile = shared(Pile::of(people(10)).forgetful());
    let error = run(&route(catcher.port()), &limits(1), pile.clone(), &Stop::new()).await.unwrap_err();
    let RunError::Outbox { summary, unrecorded, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((summary.accepted, unrecorded), (0, 1));
    assert_eq!(catcher.counts().taken, 1);
    // The mark stays: whoever looks sees a mail that may have been sent.
    let [waiting, claimed, outcomes, released] = pile.sizes();
    assert_eq!((waiting + released, claimed, outcomes), (9, 1, 0));
}

#[tokio::test]
async fn a_mail_that_is_withheld_before_its_final_dot_does_not_leave() {
    let catcher = Catcher::start(Script::new()).await.unwrap();
    let pile = shared(Pile::of(people(3)).withholding(2));
    let summary = run(&route(catcher.port()), &limits(1), pile.clone(), &Stop::new()).await.unwrap();
    assert_eq!((summary.accepted, summary.withheld, summary.released), (2, 1, 0));
    assert_eq!(catcher.counts().taken, 2);
    assert!(catcher.mailbox("p2@soyte.example").is_empty());
    assert_eq!(pile.sizes(), [0, 0, 2, 0]);
}

#[tokio::test]
async fn a_connection_is_left_after_as_many_mails_as_are_set() {
    let catcher = Catcher::start(Script::new()).await.unwrap();
    let limits = RunLimits { mails_per_connection: 4, ..limits(1) };
    let pile = shared(Pile::of(people(10)));
    run(&route(catcher.port()), &limits, pile, &Stop::new()).await.unwrap();
    assert_eq!((catcher.counts().taken, catcher.counts().connections), (10, 3));
}

#[tokio::test]
async fn one_connection_to_a_domain_means_one_at_a_time() {
    let catcher = Catcher::start(Script::new().latency(Duration::from_millis(2))).await.unwrap();
    let one = DomainPace { connections: Some(1), per_minute: None };
    let pace = Pace { every_domain: one, at_most: Some(12), ..Pace::default() };
    let limits = RunLimits { pace, claim: 3, ..limits(4) };
    let pile = shared(Pile::of(people(20)));
    let summary = run(&route(catcher.port()), &limits, pile.clone(), &Stop::new()).await.unwrap();
    assert_eq!(summary.accepted, 12, "the warm-up allows no more");
    let [waiting, claimed, outcomes, released] = pile.sizes();
    assert_eq!((waiting + released, claimed, outcomes), (8, 0, 12));
}
