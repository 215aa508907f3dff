//! What is made of bounces as real servers write them, and that no bytes bring the reader down.
//!
//! The mails in `tests/bounces/` are synthetic: their forms are those of the servers, their words and addresses our own.
//! Those called `real-…` were written by Postfix, postgrey and Dovecot as `tests/servers` runs them.

use std::fs;
use std::path::Path;

use parsurvey_dispatch::bounce::{Mailbox, Report, classify};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use proptest::sample::Index;

/// File → kind and, per recipient, `address action status(~ when derived) class reason`.
const TABLE: &[(&str, &str, &[&str])] = &[
    ("dsn-postfix-unknown-user", "bounce", &["nguyen.vana@soyte.example failed 5.1.1 hard unknown_user"]),
    ("dsn-postfix-mailbox-full", "bounce", &["tran.thib@soyte.example failed 5.2.2 soft mailbox_full"]),
    ("dsn-postfix-delayed-greylist", "bounce", &["le.c@sotaichinh.example delayed 4.2.0 soft temporary"]),
    (
        "dsn-several-recipients",
        "bounce",
        &[
            "a@soyte.example failed 5.1.1 hard unknown_user",
            "b@soyte.example delayed 4.4.1 soft temporary",
            "c@soyte.example delivered 2.0.0 - -",
            "d@soyte.example relayed 2.6.0 - -",
            "e@soyte.example expanded 2.0.0 - -",
        ],
    ),
    ("dsn-success-only", "other", &["a@soyte.example delivered 2.0.0 - -"]),
    (
        "dsn-groups-run-together",
        "bounce",
        &["a@soyte.example failed 5.1.1 hard unknown_user", "b@soyte.example failed 5.2.2 soft mailbox_full"],
    ),
    ("dsn-forwarded-alias", "bounce", &["vanthu@soyte.example failed 5.2.1 hard mailbox_disabled"]),
    ("dsn-internationalized", "bounce", &["người.dùng@sởyte.example failed 5.1.1 hard unknown_user"]),
    ("dsn-expired", "bounce", &["a@xa.example failed 4.4.1 soft temporary"]),
    ("dsn-unknown-domain", "bounce", &["a@khongco.example failed 5.4.4 hard unknown_domain"]),
    ("dsn-null-mx", "bounce", &["a@khongnhan.example failed 5.1.0 hard unknown_domain"]),
    ("dsn-policy", "bounce", &["a@bo.example failed 5.7.26 hard spam_or_policy"]),
    ("dsn-relay-denied", "bounce", &["a@bo.example failed 5.7.1 hard relay_denied"]),
    ("dsn-too-large", "bounce", &["a@bo.example failed 5.3.4 hard too_large"]),
    ("dsn-loop", "bounce", &["a@bo.example failed 5.4.6 hard loop"]),
    ("real-postfix-unknown-user", "bounce", &["khong@so.example failed 5.1.1 hard unknown_user"]),
    ("real-postfix-dovecot-quota", "bounce", &["day@so.example failed 5.2.2 soft mailbox_full"]),
    ("real-postfix-postgrey-delayed", "bounce", &["xam@xam.example delayed 4.2.0 soft temporary"]),
    ("real-postfix-no-domain", "bounce", &["ai@khongco.example failed 5.4.4 hard unknown_domain"]),
    ("real-postfix-unreachable-delayed", "bounce", &["ai@cham.example delayed 4.4.1 soft temporary"]),
    ("dsn-sendmail", "bounce", &["pham.d@soyte.example failed 5.1.1 hard unknown_user"]),
    ("dsn-office365", "bounce", &["hoang.e@soyte.example failed 5.1.10 hard unknown_user"]),
    ("dsn-exchange-vietnamese", "bounce", &["vu.g@soyte.example failed 5.2.2 soft mailbox_full"]),
    ("dsn-gmail", "bounce", &["khong.co@gmail.example failed 5.1.1 hard unknown_user"]),
    ("dsn-gmail-delayed", "bounce", &["a@xa.example delayed 4.4.1 soft temporary"]),
    ("dsn-domino", "bounce", &["do.h@domino.example failed 5.0.0 hard unknown_user"]),
    ("dsn-exchange2003-words-only", "bounce", &["bui.i@soyte.example failed 5.0.0 hard unknown_user"]),
    ("dsn-zimbra-vietnamese", "bounce", &["ngo.k@tinh.example failed 5.0.0 hard mailbox_disabled"]),
    ("dsn-as-text-attachment", "bounce", &["a@soyte.example failed 5.1.1 hard unknown_user"]),
    (
        "qmail",
        "bounce",
        &[
            "mai.l@qmail.example failed 5.1.1 hard unknown_user",
            "dang.m@xa.example failed 5.7.1 hard spam_or_policy",
            "cao.n@xa.example failed 4.4.1 soft temporary",
        ],
    ),
    (
        "postfix-text-only",
        "bounce",
        &["a@soyte.example failed 5.1.1 hard unknown_user", "b@soyte.example failed 5.4.6~ hard loop"],
    ),
    (
        "exim",
        "bounce",
        &["a@exim.example failed 5.1.1~ hard unknown_user", "b@exim.example failed 4.4.0~ soft temporary"],
    ),
    ("exim-unrouteable", "bounce", &["vanthu@exim.example failed 5.1.2~ hard unknown_domain"]),
    ("exim-delayed", "bounce", &["a@exim.example delayed 4.2.2~ soft mailbox_full"]),
    ("gmail-old", "bounce", &["a@soyte.example failed 5.2.2 soft mailbox_full"]),
    ("gmail-html-blocked", "bounce", &["a@bo.example failed 5.7.1 hard spam_or_policy"]),
    (
        "exchange2003",
        "bounce",
        &["a@soyte.example failed 5.1.1 hard unknown_user", "b@soyte.example failed 5.2.3 hard too_large"],
    ),
    (
        "exchange2010",
        "bounce",
        &["a@soyte.example failed 5.2.2 soft mailbox_full", "b@soyte.example failed 5.7.1 hard spam_or_policy"],
    ),
    ("office365-text", "bounce", &["a@xa.example failed 5.4.316 soft temporary"]),
    ("exchange-vietnamese-delayed", "bounce", &["a@xa.example delayed - soft temporary"]),
    (
        "vietnamese-text",
        "bounce",
        &["ly.o@tinh.example failed 5.1.1~ hard unknown_user", "ho.p@tinh.example failed 5.2.2~ soft mailbox_full"],
    ),
    ("mdaemon", "bounce", &["a@soyte.example failed 5.1.1~ hard unknown_user"]),
    ("domino-text", "bounce", &["a@domino.example failed 5.2.2~ soft mailbox_full"]),
    (
        "sendmail-text",
        "bounce",
        &["a@soyte.example failed 5.1.1 hard unknown_user", "b@soyte.example failed 5.2.2 soft mailbox_full"],
    ),
    ("yahoo", "bounce", &["a@yahoo.example failed 5.1.1~ hard unknown_user"]),
    ("courier", "bounce", &["a@courier.example failed 5.1.1~ hard unknown_user"]),
    ("hmailserver", "bounce", &["a@hmail.example failed 4.2.2 soft mailbox_full"]),
    ("display-name-only", "bounce", &["- failed 5.1.1 hard unknown_user"]),
    ("arf-abuse", "complaint", &["a@yahoo.example - - - spam_or_policy"]),
    ("arf-redacted", "complaint", &["b@yahoo.example - - - spam_or_policy"]),
    ("arf-not-spam", "other", &[]),
    ("complaint-outlook", "complaint", &["a@outlook.example - - - spam_or_policy"]),
    ("auto-outlook-vietnamese", "auto_reply", &[]),
    ("auto-vacation-zimbra", "auto_reply", &[]),
    ("auto-subject-only", "auto_reply", &[]),
    ("auto-english-left", "auto_reply", &[]),
    ("auto-precedence", "auto_reply", &[]),
    ("auto-receipt", "auto_reply", &[]),
    ("other-person-writes", "other", &[]),
    ("other-bounce-passed-on", "other", &[]),
    ("other-newsletter", "other", &[]),
    ("other-empty", "other", &[]),
    ("other-noise", "other", &[]),
];

/// Mails that carry nothing of the mail they answer.
const WITHOUT_ID: &[&str] = &[
    "dsn-groups-run-together",
    "postfix-text-only",
    "exim-delayed",
    "exchange2003",
    "exchange-vietnamese-delayed",
    "mdaemon",
    "domino-text",
    "courier",
    "hmailserver",
    "display-name-only",
    "auto-subject-only",
    "auto-english-left",
    "auto-precedence",
    "other-bounce-passed-on",
    "other-newsletter",
    "other-empty",
    "other-noise",
];

fn read(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounces").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A report as the table writes it.
fn shown(report: &Report) -> Vec<String> {
    let none = || "-".to_owned();
    let recipients = report.recipients.iter().map(|recipient| {
        let derived = recipient.status_source.is_some_and(|source| source.as_str() == "derived");
        let status = recipient.status.map(|status| format!("{status}{}", if derived { "~" } else { "" }));
        [
            recipient.address.as_ref().map(|address| address.expose().to_owned()),
            recipient.action.map(|action| action.as_str().to_owned()),
            status,
            recipient.class.map(|class| class.as_str().to_owned()),
            recipient.reason.map(|reason| reason.as_str().to_owned()),
        ]
        .map(|word| word.unwrap_or_else(none))
        .join(" ")
    });
    recipients.collect()
}

/// What is wrong with the report on a mail, if anything is.
fn check(bytes: &[u8], name: &str, kind: &str, recipients: &[&str]) -> Option<String> {
    let report = classify(bytes);
    let found = shown(&report);
    let is_right = report.kind.as_str() == kind && found == recipients;
    (!is_right).then(|| format!("{name}: {} {found:?}\n    instead of {kind} {recipients:?}", report.kind.as_str()))
}

#[test]
fn every_server_is_understood() {
    let mut wrong = Vec::new();
    for (name, kind, recipients) in TABLE {
        let mail = read(&format!("{name}.eml"));
        wrong.extend(check(&mail, name, kind, recipients));
        // Mail comes with either end of line.
        if let Ok(text) = String::from_utf8(mail) {
            wrong.extend(check(text.replace('\n', "\r\n").as_bytes(), &format!("{name} in CRLF"), kind, recipients));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_mail_in_the_folder_stands_in_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounces");
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".eml").map(str::to_owned))
        .collect();
    names.sort();
    let mut known: Vec<&str> = TABLE.iter().map(|(name, _, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(names, known);
}

#[test]
fn the_mail_that_is_answered_is_named() {
    for (name, _, _) in TABLE {
        let report = classify(&read(&format!("{name}.eml")));
        let expected = if WITHOUT_ID.contains(name) { None } else { Some("<7f3a9c@thutuc.example>") };
        assert_eq!(report.message_id.as_deref(), expected, "{name}");
        let return_path = "b1f-00112233445566778899aabbccddeeff";
        let is_found = report.sent_to.iter().any(|address| address.local_part() == return_path);
        assert_eq!(is_found, !matches!(*name, "other-empty" | "other-noise"), "{name}");
    }
}

#[test]
fn an_mbox_gives_its_mails() {
    let file = read("three.mbox");
    let kinds: Vec<(String, usize)> = Mailbox::new(&file[..])
        .map(|mail| classify(&mail.expect("bytes can be read")))
        .map(|report| (report.kind.as_str().to_owned(), report.recipients.len()))
        .collect();
    assert_eq!(kinds, [("bounce".to_owned(), 3), ("auto_reply".to_owned(), 0), ("bounce".to_owned(), 1)]);
}

#[test]
fn debug_shows_nobody_and_no_words() {
    for (name, _, _) in TABLE {
        let report = classify(&read(&format!("{name}.eml")));
        let shown = format!("{report:?}");
        assert!(!shown.contains('@') && !shown.contains("example"), "{name}: {shown}");
        assert!(shown.len() < 2_000, "{name}: {shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_bring_it_down(bytes in vec(any::<u8>(), 0..4_000)) {
        let report = classify(&bytes);
        prop_assert!(report.recipients.len() <= 500);
        for mail in Mailbox::new(&bytes[..]) {
            prop_assert!(classify(&mail.expect("bytes can be read")).recipients.len() <= 500);
        }
    }

    #[test]
    fn no_damage_to_a_bounce_brings_it_down(
        which in any::<Index>(),
        edits in vec((any::<Index>(), 0u8..4, vec(any::<u8>(), 0..12)), 1..12),
        other in any::<Index>(),
    ) {
        let (name, _, _) = which.get(TABLE);
        let mut mail = read(&format!("{name}.eml"));
        for (at, kind, bytes) in edits {
            if mail.is_empty() {
                break;
            }
            let at = at.index(mail.len());
            match kind {
                0 => mail.truncate(at),
                1 => drop(mail.splice(at..at, bytes)),
                2 => drop(mail.drain(at..mail.len().min(at + 40))),
                _ => {
                    let (name, _, _) = other.get(TABLE);
                    let piece = read(&format!("{name}.eml"));
                    drop(mail.splice(at..at, piece));
                }
            }
        }
        prop_assert!(classify(&mail).recipients.len() <= 500);
    }

    #[test]
    fn no_words_around_signs_bring_it_down(
        words in vec(proptest::sample::select(PIECES.to_vec()), 0..80),
    ) {
        prop_assert!(classify(words.concat().as_bytes()).recipients.len() <= 500);
    }
}

/// Pieces that the reader looks for, to be put together in any order.
const PIECES: &[&str] = &[
    "From: ",
    "MAILER-DAEMON@x.example",
    "\n",
    "\r\n",
    "\n\n",
    "Content-Type: ",
    "multipart/report; boundary=\"b\"",
    "--b",
    "--",
    "message/delivery-status",
    "message/rfc822",
    "message/feedback-report",
    "text/html",
    "; charset=utf-7",
    "; charset=iso-2022-jp",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "=",
    "=E1",
    "Final-Recipient: ",
    "rfc822;",
    "utf-8;",
    "\\x{1EA1}",
    "\\x{",
    "a@b.example",
    "\"",
    "<",
    ">",
    "@",
    "đ@ớ",
    "Action: failed",
    "Status: ",
    "5.1.1",
    "550 ",
    "5.",
    "4",
    "Subject: ",
    "=?UTF-8?B?",
    "VHLhuqM=",
    "?=",
    "Undeliverable",
    "<!--",
    "<p",
    "&#x110000;",
    "Message-ID: <",
    "(expanded from",
    "<mailto:",
    "X-Failed-Recipients: ",
    " ",
    "\t",
    "\u{301}",
    "From x Mon Jan 1 00:00 2024",
];
