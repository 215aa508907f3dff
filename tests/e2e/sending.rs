//! The hand on the sending: pauses, hours, the first few before the rest, other ways than a relay, and what is due.
//!
//! Every test counts the mails that left. The clock is given to each command.

use std::sync::{Arc, Mutex};

use parsurvey_rehearsal::catcher::{Act, At, Reply, Script};
use parsurvey_tests::{Ran, Survey, moments};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BECAUSE: [&str; 2] = ["--reason", "looked at and mended"];

async fn because(survey: &Survey, args: &[&str]) -> Ran {
    survey.run(&[args, &BECAUSE].concat()).await
}

/// Adds a table to campaign.toml.
fn declare(survey: &Survey, table: &str) {
    let path = survey.campaign.join("campaign.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{text}\n{table}\n")).unwrap();
}

fn total(survey: &Survey) -> usize {
    survey.mails_by_person().iter().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_every_sender_until_it_is_lifted() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    survey.run(&["pause"]).await.done_with(1).says(&["--reason"]);
    because(&survey, &["pause"]).await.done().says(&["sending is paused"]);
    because(&survey, &["pause"]).await.done().says(&["paused already"]);
    survey
        .invite()
        .await
        .done_with(1)
        .says(&["sending is paused since 18/12/2023 08:00 by tester", "parsurvey resume"]);
    let smtp = survey.smtp();
    survey.run(&["run", "--smtp", &smtp]).await.done_with(1).says(&["sending is paused"]);
    assert_eq!(total(&survey), 0);
    because(&survey, &["resume"]).await.done();
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
    let log = survey.run(&["log", "--format", "csv"]).await.done().stdout;
    assert_eq!(log.lines().filter(|line| line.contains(",paused,") || line.contains(",resumed,")).count(), 2, "{log}");
}

/// How often something was frozen.
async fn frozen(survey: &Survey) -> usize {
    let log = survey.run(&["log", "--format", "csv"]).await.done().stdout;
    log.lines().filter(|line| line.contains(",frozen,")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_is_refused_freezes_nothing() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    because(&survey, &["pause"]).await.done();
    survey.invite().await.done_with(1).says(&["sending is paused"]);
    assert_eq!(frozen(&survey).await, 0);
    because(&survey, &["resume"]).await.done();
    survey.invite().await.done();
    assert_eq!(frozen(&survey).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_from_another_terminal_stops_a_run_within_the_mail_in_hand() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let third = survey.addresses()[2].clone();
    survey.catcher.rescript(Script::new().on(&third, At::Rcpt, Act::Silence));
    let smtp = survey.smtp();
    let running = survey.begin(&["invite", "--smtp", &smtp, "--connections", "1"]);
    survey.catcher.taken(2, std::time::Duration::from_secs(60)).await.unwrap();
    because(&survey, &["pause"]).await.done();
    // The relay hangs up on the third and takes everybody from here on: what was in hand is not sent all the same.
    survey.catcher.rescript(Script::new());
    running.interrupt().await;
    running.kill().await;
    survey.invite().await.done_with(1);
    assert_eq!(total(&survey), 2);
    because(&survey, &["resume"]).await.done();
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_reasons_of_policy_pauses_the_campaign_and_says_why() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let addresses = survey.addresses();
    let spam = Act::Say(Reply::new(554, "5.7.1 rejected as spam"));
    survey.catcher.rescript(Script::new().on(&addresses[2], At::Dot, spam));
    let smtp = survey.smtp();
    let invite = ["invite", "--smtp", &smtp, "--connections", "1"];
    survey.run(&invite).await.done_with(1).says(&["paused", "parsurvey", "554 5.7.1", "rejected as spam", "resume"]);
    assert_eq!(total(&survey), 2, "nobody after the refusal");
    survey.catcher.rescript(Script::new());
    survey.run(&invite).await.done_with(1);
    because(&survey, &["resume"]).await.done();
    survey.run(&invite).await.done();
    let mut expected = vec![1; 12];
    expected[2] = 0;
    assert_eq!(survey.mails_by_person(), expected, "the refused one is not sent again by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_does_not_exist_gets_no_further_mail_and_is_asked_for() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let first = survey.addresses()[0].clone();
    survey.catcher.rescript(Script::new().reject(&first, 550, "5.1.1 user unknown"));
    survey.invite().await.done();
    survey.catcher.rescript(Script::new());
    survey.at(moments::REMINDER);
    survey.remind().await.done().says(&["ask the unit for another"]);
    let mut expected = vec![2; 12];
    expected[0] = 0;
    assert_eq!(survey.mails_by_person(), expected);
    let unmailed = survey.run(&["unmailed", "--format", "json"]).await.done().json();
    let unmailed = unmailed.as_array().unwrap().clone();
    assert_eq!((unmailed.len(), unmailed[0]["why"].as_str()), (1, Some("refused by the relay")));
    assert!(!unmailed[0].to_string().contains(&first), "the list names no address");

    let correct = ["correct-address", "1", "--email", "an2@thitranmau.example", "--document", "3/KS"];
    survey.by_two(&[&correct[..], &BECAUSE].concat()).await.done();
    survey.invite().await.done();
    assert_eq!(survey.catcher.mailbox("an2@thitranmau.example").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_leave_in_the_declared_hours_of_working_days() {
    let mut survey = Survey::ready().await;
    declare(&survey, "[sending]\nhours = \"08:00-11:30, 13:30-17:00\"");
    survey.at("2023-12-18T12:00:00+07:00");
    survey.invite().await.done_with(3).says(&["outside the hours", "leaves from 18/12/2023 13:30"]);
    let smtp = survey.smtp();
    survey.run(&["run", "--smtp", &smtp]).await.done().says(&["outside the hours", "next: the hours of sending begin"]);
    assert_eq!(total(&survey), 0);
    survey.at("2023-12-18T13:30:00+07:00");
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_go_before_the_rest_and_the_rest_only_if_all_is_well() {
    let mut survey = Survey::small().await;
    survey.with_people(100);
    declare(&survey, "[sending.canary]\npercent = 10\nwait_minutes = 60\nfailures_percent = 5");
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done_with(3).says(&["90 mails are held back", "until 18/12/2023 09:00"]);
    assert_eq!(total(&survey), 10);
    survey.invite().await.done_with(3);
    assert_eq!(total(&survey), 10, "nothing goes before its time");
    survey.at("2023-12-18T09:00:00+07:00");
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_first_few_fail_a_person_lets_the_rest_go() {
    let mut survey = Survey::small().await;
    survey.with_people(100);
    declare(&survey, "[sending.canary]\npercent = 10\nwait_minutes = 0");
    survey.set_up().await;
    survey.at(moments::INVITATION);
    let tenth = survey.addresses()[9].clone();
    survey.catcher.rescript(Script::new().reject(&tenth, 550, "5.2.1 mailbox disabled"));
    survey.invite().await.done_with(1).says(&["1 of the first 10 failed", "parsurvey let-go"]);
    assert_eq!(total(&survey), 9);
    survey.run(&["let-go"]).await.done_with(1).says(&["--reason"]);
    because(&survey, &["let-go"]).await.done().says(&["90 mails"]);
    survey.invite().await.done();
    assert_eq!(total(&survey), 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_looks_at_the_mail_before_it_goes_to_people() {
    let mut survey = Survey::ready().await;
    declare(&survey, "[sending.canary]\nmailboxes = [\"xem@khaosat.example\", \"xem@thitranmau.example\"]");
    survey.at(moments::INVITATION);
    survey.invite().await.done_with(1).says(&["nobody has looked yet", "parsurvey canary invitation"]);
    assert_eq!(total(&survey), 0);
    let smtp = survey.smtp();
    survey.run(&["canary", "invitation", "--smtp", &smtp]).await.done().says(&["2 copies"]);
    let copy = survey.catcher.mailbox("xem@khaosat.example")[0].clone();
    assert!(copy.subject().starts_with("[THỬ] ") && copy.text().contains(&"x".repeat(43)), "{}", copy.subject());
    survey.invite().await.done_with(1);
    because(&survey, &["canary", "invitation", "--seen"]).await.done();
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_is_about_the_mail_that_was_sent_to_be_looked_at() {
    let mut survey = Survey::ready().await;
    declare(&survey, "[sending.canary]\nmailboxes = [\"xem@khaosat.example\"]");
    survey.at(moments::INVITATION);
    let seen = ["canary", "invitation", "--seen"];
    because(&survey, &seen).await.done_with(1).says(&["no invitation was sent yet to mailboxes of one's own"]);
    let smtp = survey.smtp();
    survey.run(&["canary", "invitation", "--smtp", &smtp]).await.done();
    because(&survey, &seen).await.done();
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
    // The invitation was looked at; the reminder was not.
    survey.at(moments::REMINDER);
    survey.remind().await.done_with(1).says(&["nobody has looked yet at the reminder"]);
    because(&survey, &["canary", "reminder", "--seen"]).await.done_with(1);
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_mail_is_settled_by_the_relays_log_by_an_answer_or_by_a_person() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let addresses = survey.addresses();
    let script = addresses[..4].iter().fold(Script::new(), |script, who| script.on(who, At::Dot, Act::HangUp));
    survey.catcher.rescript(script);
    survey.invite().await.done();
    survey.catcher.rescript(Script::new());
    assert_eq!(survey.mails(Some("unknown")).await.len(), 4);

    let log = survey.folder().join("mail.log");
    let id = survey.catcher.mailbox(&addresses[0])[0].header("Message-ID").unwrap();
    std::fs::write(&log, format!("Dec 18 08:00:01 mx postfix/cleanup[9]: 4Zx: message-id={id}\n")).unwrap();
    let told = survey.run(&["settle", "--relay-log", log.to_str().unwrap()]).await.done();
    told.says(&["1 unknown mails stand in the log", "3 do not"]);

    let serving = survey.serve().await;
    survey.answer(&serving, &addresses[1], 4).await;
    drop(serving);
    survey.invite().await.done();
    assert_eq!(survey.mails(Some("delivered")).await.len(), 1, "who answered has got it");

    let number = |mails: &[serde_json::Value]| mails[0]["mail"].to_string().trim_matches('"').to_owned();
    let unknown = number(&survey.mails(Some("unknown")).await);
    because(&survey, &["settle", &unknown, "--taken"]).await.done();
    let unknown = number(&survey.mails(Some("unknown")).await);
    because(&survey, &["settle", &unknown, "--never-taken"]).await.done();
    because(&survey, &["settle", &unknown, "--taken"]).await.done_with(1).says(&["is not unknown"]);
    survey.invite().await.done();
    let history = survey.run(&["mails", "--history", &unknown, "--format", "json"]).await.done().json();
    let said: Vec<&str> = history.as_array().unwrap().iter().map(|line| line["result"].as_str().unwrap()).collect();
    assert_eq!(said, ["sending", "unknown", "relay_never_had_it", "sending", "accepted"]);
    let hashes: Vec<&str> = history.as_array().unwrap().iter().filter_map(|line| line["sha256"].as_str()).collect();
    let marks: Vec<&&str> = hashes.iter().filter(|hash| !hash.is_empty()).collect();
    assert_eq!((marks.len(), marks[0]), (2, marks[1]), "both attempts sent the same bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_resend_sends_an_unknown_mail_once_more_and_no_further() {
    let mut survey = Survey::ready().await;
    declare(&survey, "[sending]\nunknown = \"resend\"");
    survey.at(moments::INVITATION);
    let third = survey.addresses()[2].clone();
    survey.catcher.rescript(Script::new().on(&third, At::Dot, Act::HangUp));
    for sent in [1, 2, 2] {
        survey.invite().await.done();
        assert_eq!(survey.catcher.mailbox(&third).len(), sent);
    }
    let copies = survey.catcher.mailbox(&third);
    assert_eq!(copies[0].header("Message-ID"), copies[1].header("Message-ID"));
    assert_eq!(copies[0].text(), copies[1].text());
    assert_eq!(survey.mails(Some("unknown")).await.len(), 1, "unknown for good");
}

/// A provider that answers every request with these status lines in turn, the last one for ever.
async fn provider(answers: &'static [&'static str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/mails", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 8192];
            loop {
                let count = stream.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..count]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length =
                    head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                if count == 0 || body.len() >= length.unwrap_or(0) {
                    break;
                }
            }
            let answer = {
                let mut seen = kept.lock().unwrap();
                seen.push(String::from_utf8_lossy(&request).into_owned());
                answers[(seen.len() - 1).min(answers.len() - 1)]
            };
            let reply = format!("HTTP/1.1 {answer}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    });
    (url, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_providers_interface_has_the_same_states_as_a_relay() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let (url, seen) = provider(&["422 no", "500 broken", "202 taken"]).await;
    let (file, secret) = (survey.folder().join("provider.toml"), survey.folder().join("secret"));
    let described = format!(
        "url = \"{url}\"\nbody = '{{\"to\": {{{{ to }}}}, \"subject\": {{{{ subject }}}}, \"text\": {{{{ text }}}}}}'\n\
         [headers]\nAuthorization = \"Bearer {{secret}}\"\n"
    );
    std::fs::write(&file, described).unwrap();
    std::fs::write(&secret, "s3cret\n").unwrap();
    let (file, secret) = (file.to_str().unwrap(), secret.to_str().unwrap());
    let invite = ["invite", "--connections", "1", "--provider", file, "--provider-secret-file", secret];
    survey.run(&invite).await.done();
    let states = |state: &'static str| survey.mails(Some(state));
    assert_eq!(states("accepted").await.len(), 10);
    assert_eq!((states("rejected").await.len(), states("unknown").await.len()), (1, 1));
    survey.run(&invite).await.done();
    assert_eq!(total(&survey), 0, "no relay was asked");
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 12, "each person once");
    assert!(seen[0].contains("authorization: Bearer s3cret") && seen[0].contains("Thư mời"), "{}", seen[0]);
    let keys: std::collections::BTreeSet<_> =
        seen.iter().filter_map(|request| request.lines().find(|line| line.starts_with("idempotency-key: "))).collect();
    assert_eq!(keys.len(), 12, "each with a key of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_takes_the_mails_of_a_rehearsal_and_of_nothing_else() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let folder = survey.folder().join("mails");
    let way = format!("file:{}", folder.display());
    survey.run(&["invite", "--smtp", &way]).await.done();
    survey.run(&["invite", "--smtp", &way]).await.done();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 12);
    assert_eq!(survey.mails(Some("accepted")).await.len(), 12);
    assert_eq!(total(&survey), 0);
}

/// A whole campaign by one command, at the moments a timer would call it.
#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_played_by_whatever_is_due() {
    let mut survey = Survey::ready().await;
    let addresses = survey.addresses();
    let smtp = survey.smtp();
    let mut timeline = Vec::new();
    let moments = [
        "2023-12-11T08:00:00+07:00",
        "2023-12-11T08:01:00+07:00",
        "2023-12-18T08:00:00+07:00",
        "2023-12-20T08:00:00+07:00",
        "2023-12-22T08:00:00+07:00",
        "2023-12-28T08:00:00+07:00",
        "2024-01-04T08:00:00+07:00",
        "2024-01-10T12:00:00+07:00",
        "2024-01-11T00:00:00+07:00",
    ];
    for moment in moments {
        survey.at(moment);
        let before = total(&survey);
        let ran = survey.run(&["run", "--smtp", &smtp]).await;
        let told = ran.stderr.lines().find(|line| line.starts_with("next: ") || line.starts_with("note: "));
        timeline.push(format!(
            "{} {:>2} mails, exit {}, {}",
            &moment[..16],
            total(&survey) - before,
            ran.code,
            told.unwrap_or("")
        ));
        if moment.starts_with("2023-12-18") {
            let serving = survey.serve().await;
            survey.everybody_answers(&serving, &addresses[..7], 4).await;
        }
        if moment.starts_with("2023-12-22") {
            survey.excuse(8).await.done();
        }
    }
    insta::assert_snapshot!("timeline", timeline.join("\n"));
}
