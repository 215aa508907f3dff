//! Relays that guard their door, and people on the way who tamper with it: nothing leaves in the clear that should not.

use std::time::Duration;

use parsurvey_dispatch::{
    Delivery, Login, Outcome, Route, RunError, Security, Session, Stage, StageTimeouts, Stop, Trust, run,
};
use parsurvey_rehearsal::catcher::{Act, At, Catcher, Counts, Handshake, Identity, Script};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::pile::{Pile, letter, limits, mail, people, route, shared};

const USER: &str = "khaosat";
const PASSWORD: &str = "mật khẩu dài";

fn identity() -> Identity {
    Identity::of(&["127.0.0.1"]).unwrap()
}

fn trust(identity: &Identity) -> Trust {
    Trust::only(identity.root().as_bytes()).unwrap()
}

fn login(password: &str) -> Login {
    Login::new(USER, password.to_owned().into())
}

/// Sends one mail, or says why no connection came about.
async fn send(route: &Route) -> Delivery {
    match Session::connect(route).await {
        Ok(mut session) => session.send(&mail(1, "hoa@soyte.example")).await,
        Err(delivery) => delivery,
    }
}

/// Sends one mail to a catcher of this script, by this way.
async fn told(script: Script, way: impl FnOnce(Route) -> Route) -> (Delivery, Counts) {
    let catcher = Catcher::start(script).await.unwrap();
    let delivery = send(&way(route(catcher.port()))).await;
    (delivery, catcher.counts())
}

/// Somebody on the way who takes STARTTLS out of every offer and passes on everything else.
async fn stripper(to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            let ((mut from_near, mut to_near), (from_far, mut to_far)) = (near.into_split(), far.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut from_near, &mut to_far).await });
            tokio::spawn(async move {
                let mut lines = BufReader::new(from_far);
                let mut line = String::new();
                while lines.read_line(&mut line).await.unwrap_or(0) > 0 {
                    let passed = line.replace("STARTTLS", "XXXXXXXX");
                    if to_near.write_all(passed.as_bytes()).await.is_err() {
                        break;
                    }
                    line.clear();
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn mails_go_under_tls_where_they_should() {
    let identity = identity();
    let table: [(Script, Security); 3] = [
        (Script::new().starttls(&identity), Security::Required(trust(&identity))),
        (Script::new().starttls(&identity), Security::Opportunistic(trust(&identity))),
        (Script::new().implicit_tls(&identity), Security::Implicit(trust(&identity))),
    ];
    for (script, security) in table {
        let catcher = Catcher::start(script).await.unwrap();
        let mut session = Session::connect(&route(catcher.port()).secured(security)).await.unwrap();
        for id in 1..=3 {
            let delivery = session.send(&mail(id, "hoa@soyte.example")).await;
            assert_eq!(delivery.outcome, Outcome::Accepted, "{delivery}");
            let peer = delivery.peer.unwrap();
            assert_eq!(peer.tls.unwrap().version, "TLSv1_3");
            assert!(peer.to_string().starts_with("127.0.0.1 [127.0.0.1] TLSv1_3 TLS13_"), "{peer}");
            assert!(session.is_usable());
        }
        session.quit().await;
        let counts = catcher.counts();
        assert_eq!((counts.connections, counts.secured, counts.taken), (1, 1, 3));
        let mails = catcher.mails();
        assert!(mails.iter().all(|mail| mail.is_under_tls && !mail.is_logged_in));
        // The offers are read anew under TLS.
        assert_eq!(mails[0].parameters, ["RET=HDRS"]);
        assert_eq!(mails[0].raw, mail(1, "hoa@soyte.example").bytes());
    }
}

#[tokio::test]
async fn what_is_wrong_with_tls_is_a_failed_route_and_no_mail() {
    let own = identity();
    let other = Identity::of(&["other.example"]).unwrap();
    let expired = Identity::expired(&["127.0.0.1"]).unwrap();
    let required = |identity: &Identity| Security::Required(trust(identity));
    let spoilt = |handshake| Script::new().starttls(&own).handshake(handshake);
    let table: [(Script, Security, &str); 13] = [
        (Script::new(), required(&own), "the relay does not offer STARTTLS, or somebody on the way took it out"),
        (spoilt(Handshake::Refused), required(&own), "TLS not available"),
        (spoilt(Handshake::Refused), Security::Opportunistic(trust(&own)), "TLS not available"),
        (spoilt(Handshake::HangsUp), required(&own), "the relay broke off the TLS handshake"),
        (spoilt(Handshake::Garbage), required(&own), "the relay does not speak TLS where it should"),
        (
            spoilt(Handshake::Garbage),
            Security::Opportunistic(trust(&own)),
            "the relay does not speak TLS where it should",
        ),
        (spoilt(Handshake::Injected), required(&own), "the relay's answer was not one to what was asked"),
        (Script::new(), Security::Implicit(trust(&own)), "the relay does not speak TLS where it should"),
        (
            Script::new().starttls(&own),
            required(&other),
            "the relay's certificate was not issued by an authority that is trusted",
        ),
        (
            Script::new().implicit_tls(&own),
            Security::Implicit(Trust::platform().unwrap()),
            "the relay's certificate was not issued by an authority that is trusted",
        ),
        (
            Script::new().starttls(&own),
            Security::Opportunistic(trust(&other)),
            "the relay's certificate was not issued by an authority that is trusted",
        ),
        (Script::new().starttls(&other), required(&other), "the relay's certificate is for another name"),
        (Script::new().starttls(&expired), required(&expired), "the relay's certificate has expired"),
    ];
    for (script, security, words) in table {
        let (delivery, counts) = told(script, |route| route.secured(security)).await;
        assert_eq!((delivery.outcome, delivery.stage), (Outcome::RouteFailed, Stage::Tls), "{delivery}");
        assert_eq!(delivery.text, words);
        assert_eq!(delivery.peer.unwrap().tls, None);
        assert_eq!(counts.taken, 0);
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_given_up() {
    let identity = identity();
    let script = Script::new().starttls(&identity).handshake(Handshake::Silence);
    let (delivery, counts) = told(script, |route| {
        let timeouts = StageTimeouts { hello: Duration::from_millis(200), ..route.timeouts };
        Route { timeouts, ..route }.secured(Security::Required(trust(&identity)))
    })
    .await;
    assert_eq!(delivery.to_string(), "route_failed at tls: the relay did not answer in time");
    assert_eq!((counts.secured, counts.taken), (0, 0));
}

#[tokio::test]
async fn an_offer_stripped_on_the_way_stops_who_requires_it() {
    let identity = identity();
    let catcher = Catcher::start(Script::new().starttls(&identity)).await.unwrap();
    let port = stripper(catcher.port()).await;
    let required = route(port).secured(Security::Required(trust(&identity)));
    let delivery = send(&required).await;
    assert_eq!((delivery.outcome, delivery.stage), (Outcome::RouteFailed, Stage::Tls), "{delivery}");
    // A whole run gives every mail back, and no person is held to account for it.
    let pile = shared(Pile::of(people(10)));
    let error = run(&required, &limits(2), pile.clone(), &Stop::new()).await.unwrap_err();
    assert!(matches!(&error, RunError::Route { last, .. } if last.stage == Stage::Tls), "{error}");
    assert_eq!(pile.sizes()[1..3], [0, 0]);
    assert_eq!(catcher.counts().taken, 0);
    // Who only takes what is offered is fooled; the log of attempts says so.
    let delivery = send(&route(port).secured(Security::Opportunistic(trust(&identity)))).await;
    assert_eq!(delivery.outcome, Outcome::Accepted);
    assert_eq!(delivery.peer.unwrap().to_string(), "127.0.0.1 [127.0.0.1] without TLS");
    assert!(!catcher.mails()[0].is_under_tls);
}

#[tokio::test]
async fn a_login_opens_the_door() {
    let identity = identity();
    for mechanisms in ["PLAIN LOGIN", "PLAIN", "LOGIN"] {
        let script = Script::new().starttls(&identity).login(USER, PASSWORD, mechanisms);
        let catcher = Catcher::start(script).await.unwrap();
        let way = route(catcher.port()).secured(Security::Required(trust(&identity))).logged_in(login(PASSWORD));
        let mut session = Session::connect(&way).await.unwrap();
        for id in 1..=2 {
            let delivery = session.send(&mail(id, "hoa@soyte.example")).await;
            assert_eq!(delivery.outcome, Outcome::Accepted, "{mechanisms}: {delivery}");
        }
        assert!(catcher.mails().iter().all(|mail| mail.is_logged_in && mail.is_under_tls));
        assert_eq!(catcher.counts().told_in_plain, 0);
    }
}

#[tokio::test]
async fn a_login_that_fails_is_the_routes_fault() {
    let identity = identity();
    let guarded = |mechanisms| Script::new().starttls(&identity).login(USER, PASSWORD, mechanisms);
    let required = |route: Route| route.secured(Security::Required(trust(&identity)));
    type Table<'a> = [(Script, Option<&'a str>, Stage, &'a str); 4];
    let table: Table<'_> = [
        (guarded("PLAIN"), Some("wrong"), Stage::Auth, "route_failed at auth 535 5.7.8: wrong password for [user]"),
        (guarded("LOGIN"), Some("wrong"), Stage::Auth, "route_failed at auth 535 5.7.8: wrong password for [user]"),
        (
            guarded("CRAM-MD5"),
            Some(PASSWORD),
            Stage::Auth,
            "route_failed at auth: the relay offers neither AUTH PLAIN nor AUTH LOGIN",
        ),
        (guarded("PLAIN"), None, Stage::Mail, "route_failed at mail 530 5.7.0: log in first"),
    ];
    for (script, password, stage, words) in table {
        let (delivery, counts) = told(script, |route| match password {
            Some(password) => required(route).logged_in(login(password)),
            None => required(route),
        })
        .await;
        assert_eq!((delivery.to_string().as_str(), delivery.stage), (words, stage));
        assert_eq!((counts.secured, counts.taken), (1, 0));
        assert!(delivery.peer.unwrap().tls.is_some());
    }
}

#[tokio::test]
async fn a_password_is_never_told_in_the_clear_unless_it_was_allowed_on_this_machine() {
    let identity = identity();
    let open = || Script::new().starttls(&identity).login(USER, PASSWORD, "PLAIN LOGIN").login_in_plain();
    let refused = "route_failed at auth: without TLS the password is not sent";
    let (delivery, counts) = told(open(), |route| route.logged_in(login(PASSWORD))).await;
    assert_eq!((delivery.to_string().as_str(), counts.told_in_plain, counts.taken), (refused, 0, 0));

    // Somebody on the way makes it look as if there were no TLS.
    let catcher = Catcher::start(open()).await.unwrap();
    let way = route(stripper(catcher.port()).await).logged_in(login(PASSWORD));
    let delivery = send(&way.secured(Security::Opportunistic(trust(&identity)))).await;
    assert_eq!((delivery.to_string().as_str(), catcher.counts().told_in_plain), (refused, 0));

    let (delivery, counts) = told(open(), |route| route.logged_in(login(PASSWORD).plain_on_loopback())).await;
    assert_eq!((delivery.outcome, counts.told_in_plain, counts.taken), (Outcome::Accepted, 1, 1), "{delivery}");
    assert!(!format!("{:?}", login(PASSWORD)).contains("mật"));
}

#[tokio::test]
async fn under_tls_a_mail_is_as_surely_sent_or_unsent_as_without() {
    let identity = identity();
    let hoa = "hoa@soyte.example";
    let short = Duration::from_millis(200);
    let table = [
        (At::Rcpt, Act::HangUp, Outcome::RouteFailed, Stage::Rcpt, 0),
        (At::Contents, Act::HangUp, Outcome::RouteFailed, Stage::Body, 0),
        (At::Dot, Act::HangUp, Outcome::Unknown, Stage::Dot, 1),
        (At::Dot, Act::Silence, Outcome::Unknown, Stage::Dot, 1),
    ];
    // Larger than what the two ends of a connection buffer, so that the contents cannot all be written.
    let mut long = letter(1, hoa);
    long.text = "Kính gửi Quý vị đại biểu. ".repeat(400_000);
    let (long, usual) = (parsurvey_dispatch::compose(&long).unwrap(), mail(1, hoa));
    for (at, act, outcome, stage, taken) in table {
        let script = Script::new().implicit_tls(&identity).on(hoa, at, act);
        let catcher = Catcher::start(script).await.unwrap();
        let way = route(catcher.port()).secured(Security::Implicit(trust(&identity)));
        let way = Route { timeouts: StageTimeouts { dot: short, ..way.timeouts }, ..way };
        let mut session = Session::connect(&way).await.unwrap();
        let delivery = session.send(if at == At::Contents { &long } else { &usual }).await;
        assert_eq!((delivery.outcome, delivery.stage), (outcome, stage), "{delivery}");
        assert!(!session.is_usable());
        assert_eq!(catcher.counts().taken, taken);
    }
}

#[tokio::test]
async fn under_tls_a_relay_that_left_between_two_mails_is_noticed() {
    let identity = identity();
    let catcher = Catcher::start(Script::new().implicit_tls(&identity)).await.unwrap();
    let way = route(catcher.port()).secured(Security::Implicit(trust(&identity)));
    let mut session = Session::connect(&way).await.unwrap();
    assert_eq!(session.send(&mail(1, "hoa@soyte.example")).await.outcome, Outcome::Accepted);
    assert!(session.is_usable());
    drop(catcher);
    // The end of the connection arrives by itself; nothing but looking for it is waited for.
    tokio::time::timeout(Duration::from_secs(60), async {
        while session.is_usable() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let delivery = session.send(&mail(2, "lan@soyte.example")).await;
    assert_eq!((delivery.outcome, delivery.stage), (Outcome::RouteFailed, Stage::Mail));
}

#[tokio::test]
async fn a_run_over_several_secured_connections_sends_each_mail_once() {
    let identity = identity();
    let script = Script::new().starttls(&identity).login(USER, PASSWORD, "PLAIN");
    let catcher = Catcher::start(script.reject("p7@soyte.example", 550, "5.1.1 user unknown")).await.unwrap();
    let way = route(catcher.port()).secured(Security::Required(trust(&identity))).logged_in(login(PASSWORD));
    let people = people(200);
    let pile = shared(Pile::of(&people));
    let summary = run(&way, &limits(4), pile.clone(), &Stop::new()).await.unwrap();
    assert_eq!((summary.accepted, summary.rejected, summary.unknown), (199, 1, 0));
    let counts = catcher.counts();
    assert_eq!((counts.taken, counts.secured), (199, counts.connections));
    assert!(people.iter().all(|person| catcher.mailbox(person).len() <= 1));
}
