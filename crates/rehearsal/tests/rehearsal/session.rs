//! One session against relays that speak oddly but rightly, and against ones that are out of step.

use std::time::Duration;

use parsurvey_dispatch::{Delivery, Outcome, Route, Session, Stage, StageTimeouts, compose};
use parsurvey_rehearsal::catcher::{Act, At, Catcher, Reply, Script};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::pile::{letter, mail, route};

/// A relay that gives these answers, in this order, to whatever it is told; after the last it hangs up.
async fn parrot(answers: Vec<&'static [u8]>) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        for answer in answers {
            let in_contents = answer.starts_with(b"354");
            stream.get_mut().write_all(answer).await.unwrap();
            let mut line = Vec::new();
            loop {
                line.clear();
                if stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
                    return;
                }
                if !in_contents || line == b".\r\n" {
                    break;
                }
            }
        }
    });
    (port, task)
}

/// Sends one mail, command by command, to a relay that gives these answers after the greetings.
async fn told(answers: &[&'static [u8]]) -> (Delivery, bool) {
    told_after(b"250 odd.example\r\n", answers).await
}

/// The same with the commands of the envelope at once.
async fn told_together(answers: &[&'static [u8]]) -> (Delivery, bool) {
    told_after(b"250-odd.example\r\n250 PIPELINING\r\n", answers).await
}

async fn told_after(hello: &'static [u8], answers: &[&'static [u8]]) -> (Delivery, bool) {
    let mut all: Vec<&'static [u8]> = vec![b"220 odd.example\r\n", hello];
    all.extend_from_slice(answers);
    let (port, relay) = parrot(all).await;
    let mut session = Session::connect(&route(port)).await.unwrap();
    let delivery = session.send(&mail(1, "hoa@soyte.example")).await;
    let usable = session.is_usable();
    drop(session);
    relay.await.unwrap();
    (delivery, usable)
}

#[tokio::test]
async fn odd_but_right_answers_count() {
    // Three digits alone, words in another encoding, an answer of several lines: each is an acceptance.
    let dots: [&'static [u8]; 3] = [b"250\r\n", b"250 2.0.0 re\xe7u\r\n", b"250-2.0.0 one\r\n250 2.0.0 two\r\n"];
    for dot in dots {
        let (delivery, usable) = told(&[b"250\r\n", b"251 moved\r\n", b"354\r\n", dot]).await;
        assert_eq!(delivery.outcome, Outcome::Accepted, "{delivery}");
        assert!(usable);
    }
}

#[tokio::test]
async fn an_answer_too_many_is_never_taken_for_the_next() {
    // Before the dot it is a failure of the relay, and the mail is not sent.
    let (delivery, usable) = told(&[b"250 ok\r\n250 stray\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 ok\r\n"]).await;
    assert_eq!((delivery.outcome, usable), (Outcome::RouteFailed, false), "{delivery}");
    // After it the first answer is the mail's own, but the session is not used again.
    let (delivery, usable) = told(&[b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 ok\r\n421 bye\r\n"]).await;
    assert_eq!((delivery.outcome, usable), (Outcome::Accepted, false), "{delivery}");
}

#[tokio::test]
async fn answers_of_the_wrong_kind_are_doubted() {
    let table: [(&[&'static [u8]], Outcome, Stage); 5] = [
        (&[b"354 go\r\n"], Outcome::RouteFailed, Stage::Mail),
        (&[b"250 ok\r\n", b"354 go\r\n"], Outcome::RouteFailed, Stage::Rcpt),
        (&[b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n"], Outcome::RouteFailed, Stage::Data),
        (&[b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"354 go\r\n"], Outcome::Unknown, Stage::Dot),
        (&[b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"HTTP/1.1 200 OK\r\n"], Outcome::Unknown, Stage::Dot),
    ];
    for (answers, outcome, stage) in table {
        for (delivery, usable) in [told(answers).await, told_together(answers).await] {
            assert_eq!((delivery.outcome, delivery.stage, usable), (outcome, stage, false), "{delivery}");
        }
    }
}

#[tokio::test]
async fn commands_that_leave_together_are_each_given_their_own_answer() {
    let no: &[u8] = b"550 5.1.1 user unknown\r\n";
    let (ok, go): (&[u8], &[u8]) = (b"250 ok\r\n", b"354 go\r\n");
    let nobody: &[u8] = b"554 5.5.1 no valid recipients\r\n";
    let table: [(&[&'static [u8]], Outcome, Stage, bool); 7] = [
        (&[ok, ok, go, ok], Outcome::Accepted, Stage::Dot, true),
        (&[ok, no, nobody, ok], Outcome::RejectedPermanent, Stage::Rcpt, true),
        // It takes nobody and wants contents: it is given none, and no dot.
        (&[ok, no, go], Outcome::RejectedPermanent, Stage::Rcpt, false),
        (&[ok, ok, b"452 4.3.1 full\r\n", ok], Outcome::RejectedTransient, Stage::Data, true),
        (&[b"550 5.7.1 not you\r\n", nobody, nobody], Outcome::RouteFailed, Stage::Mail, false),
        (&[ok, b"421 4.3.2 bye\r\n"], Outcome::RouteFailed, Stage::Rcpt, false),
        // An answer too many.
        (&[b"250 ok\r\n250 ok\r\n", ok, go, ok], Outcome::RouteFailed, Stage::Data, false),
    ];
    for (answers, outcome, stage, usable) in table {
        let (delivery, is_usable) = told_together(answers).await;
        assert_eq!((delivery.outcome, delivery.stage, is_usable), (outcome, stage, usable), "{delivery}");
    }
}

#[tokio::test]
async fn what_the_relay_does_not_offer_is_not_used() {
    let catcher = Catcher::start(Script::new().without("DSN").without("SMTPUTF8")).await.unwrap();
    let mut session = Session::connect(&route(catcher.port())).await.unwrap();
    let abroad = session.send(&mail(1, "hòa@soyte.example")).await;
    assert_eq!(abroad.outcome, Outcome::RejectedPermanent);
    assert_eq!(abroad.enhanced.unwrap().to_string(), "5.6.7");
    assert_eq!(session.send(&mail(2, "hoa@soyte.example")).await.outcome, Outcome::Accepted);
    assert!(catcher.mails()[0].parameters.is_empty());

    let catcher = Catcher::start(Script::new()).await.unwrap();
    let mut session = Session::connect(&route(catcher.port())).await.unwrap();
    let abroad = session.send(&mail(1, "hòa@soyte.example")).await;
    assert_eq!(abroad.outcome, Outcome::Accepted, "{abroad}");
    let parameters = &catcher.mails()[0].parameters;
    assert!(parameters.iter().any(|p| p == "SMTPUTF8") && parameters.iter().any(|p| p == "RET=HDRS"));
}

#[tokio::test]
async fn a_relay_that_leaves_during_the_contents_has_no_mail() {
    let script = Script::new().on("hoa@soyte.example", At::Contents, Act::HangUp);
    let catcher = Catcher::start(script).await.unwrap();
    let mut session = Session::connect(&route(catcher.port())).await.unwrap();
    // Larger than what the two ends of a connection buffer, so that the contents cannot all be written.
    let mut long = letter(1, "hoa@soyte.example");
    long.text = "Kính gửi Quý vị đại biểu. ".repeat(400_000);
    let delivery = session.send(&compose(&long).unwrap()).await;
    assert_eq!((delivery.outcome, delivery.stage), (Outcome::RouteFailed, Stage::Body), "{delivery}");
    assert!(!session.is_usable());
    assert_eq!(catcher.counts().taken, 0);
}

#[tokio::test]
async fn each_stage_has_its_own_time() {
    let short = Duration::from_millis(50);
    let long = StageTimeouts::all(Duration::from_secs(60));
    let table = [
        (At::Rcpt, StageTimeouts { rcpt: short, ..long }, Outcome::RouteFailed, Stage::Rcpt),
        (At::Data, StageTimeouts { data: short, ..long }, Outcome::RouteFailed, Stage::Data),
        (At::Dot, StageTimeouts { dot: short, ..long }, Outcome::Unknown, Stage::Dot),
    ];
    for ((at, timeouts, outcome, stage), keyword) in
        table.into_iter().flat_map(|row| ["PIPELINING", "nothing"].map(|keyword| (row, keyword)))
    {
        let script = Script::new().without(keyword).on("hoa@soyte.example", at, Act::Silence);
        let catcher = Catcher::start(script).await.unwrap();
        let route = Route { timeouts, ..route(catcher.port()) };
        let mut session = Session::connect(&route).await.unwrap();
        let delivery = session.send(&mail(1, "hoa@soyte.example")).await;
        assert_eq!((delivery.outcome, delivery.stage), (outcome, stage), "{delivery}");
        assert!(!session.is_usable());
    }
}

#[tokio::test]
async fn a_send_that_is_dropped_takes_its_connection_along() {
    let catcher = Catcher::start(Script::new().on("hoa@soyte.example", At::Dot, Act::Silence)).await.unwrap();
    let mut session = Session::connect(&route(catcher.port())).await.unwrap();
    let minute = Duration::from_secs(60);
    let hoa = mail(1, "hoa@soyte.example");
    tokio::select! {
        delivery = session.send(&hoa) => panic!("{delivery}"),
        taken = catcher.taken(1, minute) => assert!(taken.is_ok()),
    }
    assert!(!session.is_usable());
    let next = session.send(&mail(2, "lan@soyte.example")).await;
    assert_eq!(next.outcome, Outcome::RouteFailed);
    catcher.counts_when(minute, |counts| counts.open == 0).await.unwrap();
}

/// Cancels a send at every await there is, and gives the session another mail: no reply is ever taken for another's.
#[tokio::test]
async fn wherever_a_send_is_cancelled_the_next_mail_gets_its_own_reply() {
    cancelled_everywhere(Script::new().without("PIPELINING"), 3).await;
    cancelled_everywhere(Script::new(), 2).await;
}

/// `least`: awaits at which a send can be cancelled, at least.
async fn cancelled_everywhere(script: Script, least: usize) {
    let script = script.reject("bad@x.example", 550, "5.1.1 user unknown").on(
        "spam@x.example",
        At::Dot,
        Act::Say(Reply::new(554, "5.6.0 unwanted")),
    );
    let catcher = Catcher::start(script).await.unwrap();
    let route = route(catcher.port());
    let [bad, spam, ok] = ["bad@x.example", "spam@x.example", "ok@x.example"].map(|to| mail(1, to));
    let expected = |place: usize| [Outcome::RejectedPermanent, Outcome::RejectedPermanent, Outcome::Accepted][place];
    for (place, first) in [&bad, &spam, &ok].into_iter().enumerate() {
        let mut cancelled = 0;
        for polls in 1.. {
            let mut session = Session::connect(&route).await.unwrap();
            let finished = polled(session.send(first), polls).await;
            if let Some(delivery) = &finished {
                assert_eq!(delivery.outcome, expected(place));
            } else {
                cancelled += 1;
                assert!(!session.is_usable(), "a cancelled send takes its connection along");
            }
            // Whatever the session is worth now, the next mail is told what the relay says of it, or nothing.
            for (next, place) in [(&ok, 2), (&bad, 0)] {
                let delivery = session.send(next).await;
                assert!(
                    delivery.outcome == expected(place) || delivery.outcome == Outcome::RouteFailed,
                    "after {polls} polls: {delivery}"
                );
            }
            if finished.is_some() {
                break;
            }
        }
        assert!(cancelled >= least, "every stage was interrupted: {cancelled}");
    }
}

/// Polls a future so many times and drops it then; its result where it was ready by that time.
async fn polled<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending if left <= 1 => std::task::Poll::Ready(None),
        std::task::Poll::Pending => {
            left -= 1;
            std::task::Poll::Pending
        }
    })
    .await
}
