//! `doctor` before the first mail: a healthy domain, each record broken, DNS that does not answer, and the relay's door.
//!
//! The rules are tried in tables in `crates/dispatch/src/doctor`; here is what an operator sees of them.

use std::path::PathBuf;
use std::process::Command;

use parsurvey_rehearsal::catcher::{Catcher, Handshake, Identity, Script};
use parsurvey_tests::dns::{Dns, Mischief};
use parsurvey_tests::{Ran, Survey, moments};
use serde_json::Value;

/// A small campaign with a signing key and the zone that belongs to it.
struct Sender {
    survey: Survey,
    key: String,
    /// The healthy zone.
    zone: String,
}

impl Sender {
    async fn new() -> Self {
        let survey = Survey::small().await;
        let key = survey.folder().join("dkim.pem");
        let made = openssl(&["genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"]);
        std::fs::write(&key, &made).unwrap();
        let public = openssl(&["pkey", "-in", key.to_str().unwrap(), "-pubout"]);
        let public = String::from_utf8(public).unwrap();
        let public: String = public.lines().filter(|line| !line.starts_with('-')).collect();
        let (first, second) = public.split_at(200);
        let zone = format!(
            "$TTL 3600\n$ORIGIN khaosat.example.\n\
             @ IN SOA ns admin 1 3600 600 86400 3600\n\
             @ IN MX 10 mail\n\
             @ IN TXT \"v=spf1 ip4:192.0.2.10 -all\"\n\
             mail IN A 192.0.2.10\n\
             _dmarc IN TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@khaosat.example\"\n\
             s2023._domainkey IN TXT \"v=DKIM1; k=rsa; p={first}\" \"{second}\"\n\
             $ORIGIN 2.0.192.in-addr.arpa.\n\
             @ IN SOA ns admin 1 3600 600 86400 3600\n\
             10 IN PTR mail.khaosat.example.\n\
             $ORIGIN thitranmau.example.\n\
             @ IN SOA ns admin 1 3600 600 86400 3600\n\
             @ IN MX 10 mx\n\
             mx IN CNAME host\n\
             host IN A 198.51.100.1\n"
        );
        Self { survey, key: key.to_str().unwrap().to_owned(), zone }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.survey.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The zone with a line replaced, found by what it begins with.
    fn with(&self, line: &str, replacement: &str) -> String {
        assert!(self.zone.lines().any(|l| l.starts_with(line)), "no line begins with {line}");
        let lines = self.zone.lines().map(|l| if l.starts_with(line) { replacement } else { l });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }

    async fn doctor(&self, more: &[&str]) -> Ran {
        let signing = ["doctor", "--dkim-key", &self.key, "--dkim-selector", "s2023", "--format", "json"];
        let ran = self.survey.run(&[&signing, more].concat()).await;
        for private in ["khaosat@", "an@", "@thitranmau"] {
            assert!(!ran.stdout.contains(private) && !ran.stderr.contains(private), "{private}: {ran:?}");
        }
        ran
    }

    /// The answer of DNS alone, from a zone file.
    async fn zone(&self, text: &str) -> Ran {
        let file = self.file("zone.txt", text);
        self.doctor(&["--no-relay", "--sends-from", "192.0.2.10", "--zone", &file]).await
    }
}

fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).output().expect("install the Debian package openssl");
    assert!(output.status.success(), "{arguments:?}");
    output.stdout
}

/// Verdicts of one check.
fn verdicts(ran: &Ran, check: &str) -> Vec<String> {
    let rows = ran.json();
    let of_check = rows.as_array().unwrap().iter().filter(|row| row["check"] == check);
    of_check.map(|row| row["verdict"].as_str().unwrap().to_owned()).collect()
}

fn troubles(ran: &Ran) -> Vec<(String, String)> {
    let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = ran.json();
    let rows = rows.as_array().unwrap().iter().filter(|row| row["verdict"] != "ok");
    rows.map(|row| (word(row, "check"), word(row, "verdict"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_sender_passes_from_a_zone_file_and_from_a_dns_server_alike() {
    let sender = Sender::new().await;
    let identity = Identity::of(&["127.0.0.1"]).unwrap();
    let relay = Catcher::start(Script::new().starttls(&identity).login("ks", "bi-mat", "PLAIN LOGIN")).await.unwrap();
    let smtp = format!("smtp+starttls://ks@127.0.0.1:{}", relay.port());
    let (ca, password) = (sender.file("ca.pem", identity.root()), sender.file("password", "bi-mat\n"));
    let zone = sender.file("zone.txt", &sender.zone);
    let dns = Dns::serve(&sender.zone).await;
    let at = ["--smtp", &smtp, "--smtp-ca", &ca, "--smtp-password-file", &password, "--sends-from", "192.0.2.10"];

    // The folder alone is enough.
    let before = sender.doctor(&[&at[..], &["--zone", &zone]].concat()).await.done().says(&["no ledger yet"]);
    assert_eq!(troubles(&before), []);
    for check in ["tls", "certificate", "login", "relay", "spf", "dkim", "dmarc", "alignment", "mx", "reverse"] {
        assert!(verdicts(&before, check).iter().all(|verdict| verdict == "ok"), "{check}");
        assert!(!verdicts(&before, check).is_empty(), "{check}");
    }
    assert!(!sender.survey.data.exists(), "nothing was made");

    sender.survey.set_up().await;
    let of_file = sender.doctor(&[&at[..], &["--zone", &zone]].concat()).await.done();
    let of_dns = sender.doctor(&[&at[..], &["--resolver", &dns.address()]].concat()).await.done();
    assert_eq!(of_file.json(), of_dns.json(), "both sources say the same");
    assert!(of_file.stdout.contains("12 người; MX mx.thitranmau.example"), "{}", of_file.stdout);
    // No mailbox of one's own is there yet.
    assert_eq!(troubles(&of_file), [("seed".to_owned(), "warning".to_owned())]);
    assert!(dns.asked().0 > 0);
    assert_eq!(
        (relay.counts().taken, relay.mails().len(), relay.counts().told_in_plain),
        (0, 0, 0),
        "no mail was sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_each_record_makes_it_fail_with_the_line_to_publish() {
    let sender = Sender::new().await;
    sender.survey.set_up().await;
    let table = [
        ("@ IN TXT", "", "spf", "khaosat.example. IN TXT \"v=spf1 ip4:192.0.2.10 -all\""),
        ("@ IN TXT", "@ IN TXT \"v=spf1 +all\"", "spf", "\"v=spf1 ip4:192.0.2.10 -all\""),
        ("s2023", "", "dkim", "s2023._domainkey.khaosat.example. IN TXT \"v=DKIM1; k=rsa; p=MII"),
        ("s2023", "s2023._domainkey IN TXT \"v=DKIM1; p=\"", "dkim", "v=DKIM1; k=rsa; p=MII"),
        (
            "_dmarc",
            "",
            "dmarc",
            "_dmarc.khaosat.example. IN TXT \"v=DMARC1; p=none; rua=mailto:dmarc@khaosat.example\"",
        ),
        ("@ IN MX 10 mail", "@ IN MX 0 .", "mx", "khaosat.example. IN MX 10 mail.khaosat.example."),
        ("10 IN PTR", "", "reverse", "10.2.0.192.in-addr.arpa. IN PTR mail.khaosat.example."),
        ("@ IN MX 10 mx", "@ IN MX 0 .", "recipient", ""),
    ];
    for (line, replacement, check, publish) in table {
        let ran = sender.zone(&sender.with(line, replacement)).await.done_with(1);
        let faults: Vec<_> = troubles(&ran).into_iter().filter(|(_, verdict)| verdict == "fault").collect();
        assert!(!faults.is_empty() && faults.iter().all(|(of, _)| of == check), "{check}: {faults:?}");
        let rows = ran.json();
        let row = rows.as_array().unwrap().iter().find(|row| row["verdict"] == "fault").unwrap();
        assert!(!row["remedy"].as_str().unwrap().is_empty());
        assert!(row["publish"].as_str().unwrap_or_default().contains(publish), "{row}");
    }
    // A line that was told can be published as it is, and then all is well.
    let broken = sender.with("s2023", "");
    let told = sender.zone(&broken).await.done_with(1).json();
    let line = told.as_array().unwrap().iter().find(|row| row["check"] == "dkim").unwrap()["publish"].clone();
    sender.zone(&format!("{broken}{}\n", line.as_str().unwrap())).await.done();
    // For people the line stands whole below the table.
    let file = sender.file("zone.txt", &broken);
    let asked = ["doctor", "--no-relay", "--zone", &file, "--dkim-key", &sender.key, "--dkim-selector", "s2023"];
    let shown = sender.survey.run(&asked).await.done_with(1).stdout;
    assert!(
        shown.contains(line.as_str().unwrap()) && shown.contains("LỖI") && shown.contains("Kiểm tra trước khi gửi"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_that_does_not_answer_is_not_known_and_asks_to_run_again() {
    let sender = Sender::new().await;
    sender.survey.set_up().await;
    let dns = Dns::serve(&sender.zone).await;
    let ask = async |name: &str, mischief| {
        dns.misbehave(name, mischief);
        sender
            .doctor(&["--no-relay", "--sends-from", "192.0.2.10", "--patience", "1", "--resolver", &dns.address()])
            .await
    };
    let ran = ask("s2023._domainkey.khaosat.example", Mischief::Silence).await.done_with(3);
    assert_eq!((verdicts(&ran, "dkim"), verdicts(&ran, "spf").len()), (vec!["unknown".to_owned()], 2));
    let ran = ask("_dmarc.khaosat.example", Mischief::Fails).await.done_with(3);
    assert_eq!(verdicts(&ran, "dmarc"), ["unknown"]);
    let ran = ask("khaosat.example", Mischief::Refuses).await.done_with(3);
    assert_eq!((verdicts(&ran, "spf"), verdicts(&ran, "mx")), (vec!["unknown".to_owned()], vec!["unknown".to_owned()]));
    let ran = ask("thitranmau.example", Mischief::Fails).await.done_with(3);
    assert_eq!(verdicts(&ran, "recipient"), ["unknown"]);
    // Beside a fault the fault decides: somebody has to act.
    let gone = Dns::serve(&sender.with("10 IN PTR", "")).await;
    gone.misbehave("khaosat.example", Mischief::Silence);
    let more = ["--no-relay", "--sends-from", "192.0.2.10", "--patience", "1", "--resolver", &gone.address()];
    let ran = sender.doctor(&more).await.done_with(1);
    assert_eq!(
        (verdicts(&ran, "reverse"), verdicts(&ran, "spf")),
        (vec!["fault".to_owned()], vec!["unknown".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_comes_over_tcp_and_a_zone_file_goes_before_a_server() {
    let sender = Sender::new().await;
    let filler: String = (0..40).map(|n| format!("@ IN TXT \"filler-{n}-{}\"\n", "x".repeat(100))).collect();
    let long = sender.with("mail IN A", &format!("mail IN A 192.0.2.10\n{}", filler.trim_end()));
    let dns = Dns::serve(&long).await;
    let asking = ["--no-relay", "--sends-from", "192.0.2.10", "--resolver", &dns.address()];
    sender.doctor(&asking).await.done();
    assert!(dns.asked().1 > 0, "the answer did not fit, and was asked for over TCP");
    // What is about to be published can be tried before: the file knows one domain, the server the rest.
    let planned = "$ORIGIN khaosat.example.\n@ MX 0 .\nmail A 192.0.2.10\n";
    let file = sender.file("planned.txt", planned);
    let ran = sender.doctor(&[&asking[..], &["--zone", &file]].concat()).await.done_with(1);
    assert_eq!((verdicts(&ran, "mx"), verdicts(&ran, "reverse")), (vec!["fault".to_owned()], vec!["ok".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_zone_file_is_told_with_its_line() {
    let sender = Sender::new().await;
    let ran = sender.zone("mail A 192.0.2.1\n$ORIGIN a.example.\nb A 192.0.2.999\nc TXT v=DMARC1; p=none\n").await;
    let ran = ran.done_with(1).says(&["zone.txt:1", "zone.txt:3", "zone.txt:4", "text-cut-short", "has 3 fault(s)"]);
    assert_eq!(ran.stdout, "");
    sender.doctor(&["--no-relay", "--zone", "/nowhere/zone"]).await.done_with(1).says(&["/nowhere/zone"]);
    sender.doctor(&["--resolver", "nonsense"]).await.done_with(2).says(&["--resolver"]);
    sender.doctor(&["--sends-from", "mail.example"]).await.done_with(2).says(&["--sends-from"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relays_door_is_tried_without_a_mail() {
    let sender = Sender::new().await;
    let zone = sender.file("zone.txt", &sender.zone);
    let identity = Identity::of(&["127.0.0.1"]).unwrap();
    let (other, expired) = (Identity::of(&["relay.example"]).unwrap(), Identity::expired(&["127.0.0.1"]).unwrap());
    let account = |script: Script| script.login("ks", "bi-mat", "PLAIN");
    let secured = || Script::new().starttls(&identity);
    let table: Vec<(&str, Script, &Identity, &str, i32, &str, &str)> = vec![
        ("smtps://", Script::new().implicit_tls(&identity), &identity, "bi-mat", 0, "tls", "ok"),
        ("smtp://", secured(), &identity, "bi-mat", 0, "tls", "warning"),
        ("", Script::new(), &identity, "bi-mat", 0, "tls", "ok"),
        ("smtp+starttls://", Script::new(), &identity, "bi-mat", 1, "tls", "fault"),
        ("smtp+starttls://", secured(), &other, "bi-mat", 1, "tls", "fault"),
        ("smtp+starttls://", Script::new().starttls(&other), &other, "bi-mat", 1, "tls", "fault"),
        ("smtp+starttls://", Script::new().starttls(&expired), &expired, "bi-mat", 1, "tls", "fault"),
        ("smtp+starttls://", secured().handshake(Handshake::Garbage), &identity, "bi-mat", 1, "tls", "fault"),
        ("smtp+starttls://ks@", account(secured()), &identity, "bi-mat", 0, "login", "ok"),
        ("smtp+starttls://ks@", account(secured()), &identity, "sai", 1, "login", "fault"),
        ("smtp+starttls://", account(secured()), &identity, "", 0, "login", "warning"),
        ("smtp+starttls://", secured().greeting(554, "5.7.1 not you"), &identity, "", 1, "relay", "fault"),
        ("smtp+starttls://", secured().greeting(421, "4.3.2 later"), &identity, "", 3, "relay", "unknown"),
    ];
    for (number, (scheme, script, believed, password, code, check, verdict)) in table.into_iter().enumerate() {
        let relay = Catcher::start(script).await.unwrap();
        let smtp = format!("{scheme}127.0.0.1:{}", relay.port());
        let (ca, file) = (sender.file("ca.pem", believed.root()), sender.file("password", password));
        let mut more = vec!["--smtp", &smtp, "--smtp-ca", &ca, "--sends-from", "192.0.2.10", "--zone", &zone];
        if scheme.contains('@') {
            more.extend(["--smtp-password-file", file.as_str()]);
        }
        let ran = sender.doctor(&more).await;
        assert_eq!((ran.code, verdicts(&ran, check)), (code, vec![verdict.to_owned()]), "{number} {scheme}: {ran:?}");
        assert!(!ran.stdout.contains("bi-mat") && !ran.stderr.contains("bi-mat"));
        assert_eq!(relay.counts().taken, 0, "no mail was sent");
        assert!(verdicts(&ran, "spf").iter().all(|verdict| verdict == "ok"), "DNS is checked whatever the relay does");
    }
    // An absent relay is not known, and names the way on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let ran = sender.doctor(&["--smtp", &free, "--sends-from", "192.0.2.10", "--zone", &zone]).await.done_with(3);
    assert_eq!(verdicts(&ran, "relay"), ["unknown"]);
    // From a relay on this machine nothing tells from where mails leave.
    let ran = sender.doctor(&["--no-relay", "--zone", &zone]).await.done_with(3);
    assert!(ran.stdout.contains("--sends-from"), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_seeds_is_recorded_and_shown() {
    let mut sender = Sender::new().await;
    sender.survey.set_up().await;
    sender.survey.at(moments::PRENOTICE);
    let survey = &sender.survey;
    let seeds: PathBuf = survey.campaign.join("seeds.csv");
    let record = async |domain: &str, result: &str| survey.run(&["seed", "record", domain, result]).await;
    record("thitranmau.example", "inbox").await.done_with(1).says(&["no mailbox at thitranmau.example", "seeds.csv"]);
    std::fs::write(&seeds, "mailbox,holder\nkhong-co\n").unwrap();
    survey.run(&["seed", "list"]).await.done_with(1).says(&["seeds.csv", "ragged-row"]);
    std::fs::write(&seeds, "mailbox,holder\nthu@thitranmau.example,Tổ khảo sát\n").unwrap();
    survey.run(&["check"]).await.done();
    let seed = async || {
        let ran = sender.zone(&sender.zone).await;
        (ran.code, verdicts(&ran, "seed").join(" "))
    };
    assert_eq!(seed().await, (0, "warning".to_owned()), "nobody looked yet");
    for (result, code, verdict) in [("missing", 1, "fault"), ("spam", 0, "warning"), ("inbox", 0, "ok")] {
        record("ThiTranMau.example", result).await.done().says(&[result]);
        assert_eq!(seed().await, (code, verdict.to_owned()), "the last look counts");
    }
    record("other.example", "inbox").await.done_with(1);
    record("thitranmau.example", "lost").await.done_with(2);
    let list = survey.run(&["seed", "list", "--format", "json"]).await.done().json();
    assert_eq!(
        (&list[0]["mailbox"], &list[0]["result"], &list[0]["actor"], list.as_array().unwrap().len()),
        (&"thu@thitranmau.example".into(), &"inbox".into(), &"tester".into(), 1)
    );
    let log = survey.run(&["log", "--format", "json"]).await.done();
    let looks = log.json().as_array().unwrap().iter().filter(|event| event["act"] == "seed").count();
    assert_eq!(looks, 3);
    assert!(!log.stdout.contains("thu@"), "the log names no mailbox");
}
