//! What stands between the network and the form: certificates, proxies, limits, slow and oversized requests, the log.
//!
//! Everything is asked over real sockets on loopback. Where a limit refills by the second, it is reached by asking faster.

use std::path::PathBuf;

use parsurvey_tests::{OpenForm, Reply, Serving, Survey, Wire, until};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use reqwest::Certificate;

/// A certificate with its key in files, and the root that signed it.
struct Pair {
    cert: PathBuf,
    key: PathBuf,
    root: String,
}

impl Pair {
    /// For loopback, valid until the first day of a year.
    fn until(survey: &Survey, name: &str, year: i32) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let mut own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (own.not_before, own.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().unwrap();
        let pair = Self {
            cert: survey.folder().join(format!("{name}.crt")),
            key: survey.folder().join(format!("{name}.key")),
            root: root.pem(),
        };
        std::fs::write(&pair.cert, own.signed_by(&key, &root).unwrap().pem()).unwrap();
        std::fs::write(&pair.key, key.serialize_pem()).unwrap();
        pair
    }

    fn arguments(&self) -> [&str; 4] {
        ["--tls-cert", self.cert.to_str().unwrap(), "--tls-key", self.key.to_str().unwrap()]
    }

    /// A client that trusts this root alone.
    fn client(&self) -> reqwest::Client {
        let root = Certificate::from_pem(self.root.as_bytes()).unwrap();
        reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap()
    }
}

async fn serving(survey: &Survey, more: &[&str]) -> Serving {
    survey.serve_with(&[&["--listen", "127.0.0.1:0"], more].concat()).await
}

fn wire(serving: &Serving) -> Wire {
    Wire::open(&serving.address()).unwrap()
}

/// A link that could be one of ours and is none.
fn unknown(number: usize) -> String {
    format!("/f/{number:043}")
}

/// Tries unknown links until one is refused, as if behind these addresses; how many were not, and the refusal.
fn tried(wire: &mut Wire, most: usize, address: impl Fn(usize) -> String) -> (usize, Option<Reply>) {
    for number in 0..most {
        let reply = wire.ask("GET", &unknown(number), &[("x-forwarded-for", &address(number))], "").unwrap();
        if reply.status == 429 {
            return (number, Some(reply));
        }
        assert_eq!(reply.status, 404);
    }
    (most, None)
}

#[tokio::test]
async fn a_certificate_that_cannot_be_served_is_told_with_its_file_and_a_remedy() {
    let survey = Survey::ready().await;
    let (one, other) = (Pair::until(&survey, "one", 4000), Pair::until(&survey, "other", 4000));
    let old = Pair::until(&survey, "old", 2001);
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let missing = text(&survey.folder().join("missing.crt"));
    let table = [
        (missing, text(&one.key), "missing.crt cannot be read"),
        (text(&one.cert), text(&other.key), "does not belong to the certificate"),
        (text(&old.cert), text(&old.key), "is valid from 2000-01-01T00:00:00Z to 2001-01-01T00:00:00Z and not now"),
        (text(&one.key), text(&one.key), "holds no certificate"),
        (text(&one.cert), text(&one.cert), "holds no private key"),
    ];
    for (cert, key, what) in table {
        let ran = survey.run(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key]).await;
        ran.done_with(1).says(&[what, "help: "]);
    }
    survey.run(&["serve", "--tls-cert", "a.crt"]).await.done_with(2).says(&["--tls-key"]);
}

#[tokio::test]
async fn with_an_own_certificate_browsers_stay_encrypted_and_a_renewed_one_is_taken_up() {
    let survey = Survey::ready().await;
    let first = Pair::until(&survey, "first", 4000);
    let serving = serving(&survey, &first.arguments()).await;
    assert!(serving.url("").starts_with("https://"), "{}", serving.url(""));
    let page = first.client().get(serving.url("/healthz")).send().await.unwrap();
    assert_eq!(page.headers()["strict-transport-security"], "max-age=31536000");
    let second = Pair::until(&survey, "second", 4000);
    assert!(second.client().get(serving.url("/healthz")).send().await.is_err(), "another root vouches for nothing");
    assert!(wire(&serving).get("/healthz").is_err(), "plain words are cut off");
    std::fs::copy(&second.cert, &first.cert).unwrap();
    std::fs::copy(&second.key, &first.key).unwrap();
    serving.signal("HUP").await;
    let second = second.client();
    until("the renewed certificate is shown", async || second.get(serving.url("/healthz")).send().await.is_ok()).await;
    std::fs::write(&first.key, "no key").unwrap();
    serving.signal("HUP").await;
    until("the spoilt key is refused", async || {
        assert_eq!(second.get(serving.url("/healthz")).send().await.unwrap().status(), 200);
        serving.said().iter().any(|line| line.contains("the former certificate stays in use"))
    })
    .await;
}

#[tokio::test]
async fn a_proxys_word_counts_only_where_it_is_listed() {
    let survey = Survey::ready().await;
    let said = |serving: &Serving, headers: &[(&str, &str)]| {
        let reply = wire(serving).ask("GET", "/healthz", headers, "").unwrap();
        reply.header("strict-transport-security").map(str::to_owned)
    };
    let encrypted = [("x-forwarded-proto", "https")];
    let plain = serving(&survey, &[]).await;
    assert_eq!(said(&plain, &encrypted), None, "anybody can write a header");
    // Whatever it writes, it stays one and the same stranger.
    let (number, refused) = tried(&mut wire(&plain), 2000, |number| format!("198.51.100.{}", number % 250));
    assert!(refused.is_some(), "{number} links that do not exist were tried by one address");
    let behind = serving(&survey, &["--trusted-proxy", "127.0.0.1", "--trusted-proxy", "10.0.0.0/8"]).await;
    assert_eq!(said(&behind, &encrypted).as_deref(), Some("max-age=31536000"));
    assert_eq!(said(&behind, &[("x-forwarded-proto", "http")]), None);
    let mut line = wire(&behind);
    let each_another = |number: usize| format!("198.51.{}.{}", number / 250, number % 250);
    assert!(tried(&mut line, 500, each_another).1.is_none(), "people behind a proxy are counted each alone");
    let forged = |number: usize| format!("198.51.100.{}, 203.0.113.9, 10.1.2.3", number % 250);
    assert!(tried(&mut line, 2000, forged).1.is_some(), "what the client wrote itself stands to the left");
    let subscriber = |number: usize| format!("2001:db8:1:2:{number:x}::1");
    assert!(tried(&mut line, 2000, subscriber).1.is_some(), "a /64 is one subscriber");
}

#[tokio::test]
async fn who_tries_links_is_held_up_while_real_links_from_the_same_address_go_on() {
    let mut survey = Survey::small().await;
    let forms = survey.open_forms(12).await;
    let serving_all = serving(&survey, &[]).await;
    let mut line = wire(&serving_all);
    let (number, refused) = tried(&mut line, 2000, |_| String::new());
    let refused = refused.expect("links were tried without end");
    assert!(number >= 60, "a department that mistypes is not a thief: {number}");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    assert!(refused.text().contains("Quá nhiều lượt truy cập"));
    for form in &forms[..4] {
        assert_eq!(form.look(&mut line).unwrap().status, 200);
        assert_eq!(form.begin(&mut line).unwrap().status, 200);
        assert_eq!(form.hand_in(&mut line).unwrap().status, 303);
    }
    let open = serving(&survey, &["--exempt-network", "127.0.0.0/8"]).await;
    assert!(tried(&mut wire(&open), 300, |_| String::new()).1.is_none(), "an exempt network is not counted");
}

#[tokio::test]
async fn a_link_used_too_often_waits_keeps_what_was_typed_and_holds_up_no_other() {
    let mut survey = Survey::small().await;
    let forms = survey.open_forms(12).await;
    let serving = serving(&survey, &["--exempt-network", "127.0.0.0/8"]).await;
    let mut line = wire(&serving);
    let refused = (0..5000).map(|_| forms[0].begin(&mut line).unwrap()).find(|reply| reply.status == 429);
    let refused = refused.expect("one link was used without end");
    assert!(refused.header("retry-after").is_some());
    let page = refused.text();
    for answer in ["name=\"q.q1\" value=\"5\" checked", "name=\"q.q2\" value=\"4\" checked"] {
        assert!(page.contains(answer), "the answers are still on the page: {page}");
    }
    assert_eq!(forms[1].hand_in(&mut line).unwrap().status, 303, "another link goes on");
    let looked = (0..200).map(|_| forms[0].look(&mut line).unwrap()).find(|reply| reply.status == 429);
    assert!(looked.is_some(), "looking counts as well");
}

/// It waits for the server's own clock: half a minute, in which others are served.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_is_cut_off_while_others_are_served() {
    let mut survey = Survey::small().await;
    let forms = survey.open_forms(12).await;
    let serving = serving(&survey, &[]).await;
    let (mut idle, mut head, mut body) = (wire(&serving), wire(&serving), wire(&serving));
    head.send(format!("GET {} HTTP/1.1\r\nhost: a\r\nx-slow: ", forms[0].path).as_bytes()).unwrap();
    let slow = format!("POST {}/page HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\ngo=next&q.q1=", forms[0].path);
    body.send(slow.as_bytes()).unwrap();
    let hand_in = |form: &OpenForm| form.hand_in(&mut wire(&serving)).unwrap().status;
    assert_eq!(hand_in(&forms[1]), 303);
    for wire in [&mut idle, &mut head] {
        wire.closed().expect("cut off");
    }
    assert_eq!(body.reply().unwrap().status, 408);
    body.closed().expect("cut off");
    assert_eq!(hand_in(&forms[2]), 303);
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_others_are_served() {
    let survey = Survey::ready().await;
    let serving = serving(&survey, &[]).await;
    let huge = "a".repeat(20_000);
    let reply = wire(&serving).ask("GET", "/healthz", &[("x-huge", &huge)], "").unwrap();
    assert_eq!(reply.status, 431);
    let many: Vec<(String, &str)> = (0..200).map(|number| (format!("x-{number}"), "a")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(wire(&serving).ask("GET", "/healthz", &many, "").unwrap().status, 431);
    let reply = wire(&serving).post(&format!("{}/page", unknown(1)), &"a".repeat(200_000)).unwrap();
    assert_eq!(reply.status, 413);
    assert_eq!(wire(&serving).get("/healthz").unwrap().status, 200);
}

#[tokio::test]
async fn the_most_talkative_log_holds_no_address_and_no_link() {
    let mut survey = Survey::small().await;
    let forms = survey.open_forms(12).await;
    let args = survey.arguments(&["serve", "--listen", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1"]);
    let serving = Serving::start_with(&args, &[("PARSURVEY_LOG", "trace")]).await;
    let client = "203.0.113.77";
    let mut line = wire(&serving);
    let from = [("x-forwarded-for", client)];
    assert_eq!(line.ask("GET", &forms[0].path, &from, "").unwrap().status, 200);
    assert_eq!(forms[0].hand_in(&mut line).unwrap().status, 303);
    assert!(tried(&mut line, 2000, |_| client.to_owned()).1.is_some());
    let said = serving.end().await.join("\n");
    assert!(said.contains("/f/{token}/page"), "the log tells of requests");
    for secret in [client, forms[0].path.trim_start_matches("/f/"), &unknown(7)[3..]] {
        assert!(!said.contains(secret), "the log holds {secret}");
    }
}

#[tokio::test]
async fn who_serves_plainly_beyond_this_machine_is_warned() {
    let survey = Survey::ready().await;
    let says = |serving: &Serving| serving.said().iter().any(|line| line.contains("travel unencrypted"));
    assert!(says(&survey.serve_with(&["--listen", "0.0.0.0:0"]).await));
    assert!(!says(&survey.serve_with(&["--listen", "0.0.0.0:0", "--trusted-proxy", "10.0.0.7"]).await));
    assert!(!says(&serving(&survey, &[]).await));
    let refused = survey.run(&["serve", "--trusted-proxy", "10.1.2.3/8"]).await.done_with(2);
    refused.says(&["10.0.0.0/8"]);
}
