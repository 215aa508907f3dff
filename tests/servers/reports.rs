//! From the invitation to the list of what came back: a relay's real reports, by return path, over IMAP, into the ledger.

use std::collections::BTreeMap;

use parsurvey_tests::{Survey, moments};
use serde_json::{Value, json};

use crate::dns::Dns;
use crate::house::{House, PASSWORD, RETURN_PATH, Recipients};

/// Who is invited, in the order of forms; the others are all reached.
const BEFALLEN: [&str; 6] = [
    Recipients::FINE,
    Recipients::UNKNOWN,
    Recipients::FULL,
    Recipients::GREYLISTED,
    Recipients::NO_DOMAIN,
    Recipients::UNREACHABLE,
];

/// A survey of twelve people whose mail servers do what they do, ready to be invited.
pub(crate) async fn survey() -> Survey {
    let mut survey = Survey::small().await;
    survey.name_return_path(RETURN_PATH);
    let roster = std::fs::read_to_string(&survey.roster).unwrap();
    let addresses = survey.addresses();
    let roster = addresses.iter().enumerate().fold(roster, |roster, (place, address)| {
        let other = BEFALLEN.get(place).map_or_else(|| format!("an+{place}@so.example"), |other| (*other).to_owned());
        // With the comma, because one name may end like another.
        roster.replace(&format!(",{address}"), &format!(",{other}"))
    });
    std::fs::write(&survey.roster, roster).unwrap();
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey
}

/// Sends the invitations through the relay, over TLS that is believed by our own root only.
pub(crate) async fn invite(survey: &Survey, house: &House) {
    let (relay, root) = (house.relay(), house.root_certificate());
    survey.run(&["invite", "--smtp", &relay, "--smtp-ca", &root]).await.done();
}

/// The arguments that read our mailbox, followed by others.
pub(crate) fn reading(house: &House, mailbox: &str, more: &[&str]) -> Vec<String> {
    let (password, root) = (house.file("password", PASSWORD), house.root_certificate());
    let start = ["bounces", "read", "--format", "json", "--imap", mailbox, "--imap-password-file", &password];
    start.iter().chain(&["--imap-ca", &root]).chain(more).map(|word| (*word).to_owned()).collect()
}

/// Runs a command whose arguments were put together before.
pub(crate) async fn run(survey: &Survey, arguments: &[String]) -> parsurvey_tests::Ran {
    survey.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
}

fn fold(report: &Value) -> String {
    let told = &report["recipients"][0];
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let words = [&report["kind"], &report["proof"], &report["finding"], &told["recipient"], &told["action"]];
    let more = [&told["status"], &told["class"], &told["reason"]];
    words.into_iter().chain(more).map(word).collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_real_servers_send_back_is_read_and_proved() {
    let dns = Dns::start("nothing.example", "");
    let mut house = House::start(&dns);
    let survey = survey().await;
    invite(&survey, &house).await;
    // Unknown, full, greylisted (late), no domain, unreachable (late); and the late one is delivered in the end.
    house.until_returned(5);
    let taken = |line: &str| line.contains("to=<xam@xam.example>") && line.contains("queued as");
    house.postfix.until("that the greylisted mail was taken", 1, taken);

    let arguments = reading(&house, &house.mailbox(), &[]);
    let ran = run(&survey, &arguments).await.done();
    let told = ran.json();
    for (key, expected) in [
        ("read", 5),
        ("known", 0),
        ("bounce", 5),
        ("unproved", 0),
        ("bounced_hard", 2),
        ("bounced_soft", 1),
        ("delayed", 2),
        ("dead_addresses", 2),
        ("paused", 0),
    ] {
        assert_eq!(told[key], expected, "{key} in {told}");
    }
    let listed = survey.run(&["bounces", "list", "--format", "json"]).await.done().json();
    let by_form: BTreeMap<i64, String> =
        listed.as_array().unwrap().iter().map(|report| (report["form"].as_i64().unwrap(), fold(report))).collect();
    let expected = [
        (2, "bounce verp bounced_hard own failed 5.1.1 hard unknown_user"),
        (3, "bounce verp bounced_soft own failed 5.2.2 soft mailbox_full"),
        (4, "bounce verp delayed own delayed 4.2.0 soft temporary"),
        (5, "bounce verp bounced_hard own failed 5.4.4 hard unknown_domain"),
        (6, "bounce verp delayed own delayed 4.4.1 soft temporary"),
    ];
    assert_eq!(by_form, expected.map(|(form, words)| (form, words.to_owned())).into(), "{listed:#}");
    let dead = survey.run(&["bounces", "addresses", "--format", "json"]).await.done().json();
    let dead: Vec<i64> = dead.as_array().unwrap().iter().map(|row| row["form"].as_i64().unwrap()).collect();
    assert_eq!(dead, [2, 5]);

    let mut states: BTreeMap<i64, String> = BTreeMap::new();
    for mail in survey.mails(None).await {
        let form = mail["form"].as_str().unwrap().parse().unwrap();
        states.insert(form, mail["state"].as_str().unwrap().to_owned());
    }
    let words = ["accepted", "bounced_hard", "bounced_soft", "accepted", "bounced_hard", "accepted"];
    let words = words.into_iter().chain(std::iter::repeat("accepted"));
    assert_eq!(states, (1..=12).zip(words.map(str::to_owned)).collect());
    let status = survey.status().await;
    let rejected: u64 = status["rows"].as_array().unwrap().iter().map(|row| row["rejected"].as_u64().unwrap()).sum();
    assert_eq!(rejected, 2, "who was not reached: {status}");

    // Nothing was changed in the mailbox, nothing is read twice, and no address was kept.
    let flagged = |(path, _): &(std::path::PathBuf, Vec<u8>)| path.to_string_lossy().contains(":2,S");
    let mails = house.mails_of("tra-ve");
    assert!(mails.len() == 5 && !mails.iter().any(flagged), "reading leaves no trace");
    assert_eq!(run(&survey, &arguments).await.done().json()["read"], 0);
    assert!(!listed.to_string().contains('@'));
    // The reports themselves, for whoever wants to look: `cargo test --test servers -- --nocapture`.
    for (_, mail) in mails {
        eprintln!("{}\n{}", "=".repeat(72), String::from_utf8_lossy(&mail));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_report_among_real_ones_changes_nothing() {
    let dns = Dns::start("nothing.example", "");
    let mut house = House::start(&dns);
    let survey = survey().await;
    invite(&survey, &house).await;
    house.until_returned(5);
    // The report of the unknown user, its return path changed by one letter to another person's mail.
    let mails = house.mails_of("tra-ve");
    let real = mails.into_iter().map(|(_, mail)| String::from_utf8(mail).unwrap());
    let real = real.into_iter().find(|mail| mail.contains("khong.co@so.example")).unwrap();
    let forged = real.replace("tra-ve+b2-", "tra-ve+b1-").replace("khong.co@so.example", Recipients::FINE);
    let file = house.file("forged.eml", &forged);
    let told = survey.run(&["bounces", "read", &file, "--format", "json"]).await.done().says(&["prove nothing"]).json();
    assert_eq!((&told["bounce"], &told["unproved"], &told["dead_addresses"]), (&json!(1), &json!(1), &json!(0)));
    let listed = survey.run(&["bounces", "list", "--unmatched", "--format", "json"]).await.done().json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["finding"], Value::Null);
    assert_eq!(survey.run(&["bounces", "addresses", "--format", "json"]).await.done().json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_greylists_takes_the_mail_when_it_is_sent_again() {
    let dns = Dns::start("nothing.example", "");
    let mut house = House::start(&dns);
    let mut survey = Survey::small().await;
    let roster = "name,email,group,unit,position\n".to_owned()
        + &(1..=12)
            .map(|person| {
                let group = if person % 2 == 0 { "staff" } else { "leaders" };
                format!("Người thứ {person},xam+{person}@xam.example,{group},office,Chuyên viên\n")
            })
            .collect::<String>();
    std::fs::write(&survey.roster, roster).unwrap();
    survey.set_up().await;
    survey.at(moments::INVITATION);
    let smtp = house.recipients_server();
    let first = survey.run(&["invite", "--smtp", &smtp, "--format", "json"]).await.done_with(3).json();
    assert_eq!((&first[0]["accepted"], &first[0]["deferred"]), (&json!(0), &json!(12)), "{first}");
    // A mail that was put off waits by the survey's clock; the server's own second has passed by then.
    for minute in 1..60 {
        survey.at(&format!("2023-12-18T{:02}:{:02}:00+07:00", 8 + minute * 10 / 60, minute * 10 % 60));
        let ran = survey.run(&["invite", "--smtp", &smtp]).await;
        if ran.code == 0 {
            break;
        }
        ran.done_with(3);
    }
    assert_eq!(survey.mails(Some("accepted")).await.len(), 12);
    let taken = |line: &str| line.contains("to=<xam+") && line.contains("status=sent");
    house.postfix.until("that every mail was delivered", 12, taken);
    assert_eq!(house.mails_of("xam").len(), 12, "everybody once");
}
