//! What a composed mail looks like, and what is refused. Decoding as a mail program does it is tested with the catcher.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use jiff::Timestamp;
use parsurvey_survey::campaign::MailKind;
use secrecy::SecretString;

use super::{ComposeError, Correspondent, Letter, compose, message_id};

const TOKEN: &str = "Zm9vYmFyYmF6cXV4LTEyMzQ1Ng";

fn letter() -> Letter {
    Letter {
        from: Correspondent { name: "Bộ Nội vụ".to_owned(), address: "khaosat@noivu.example".to_owned() },
        return_path: None,
        reply_to: "hotro@noivu.example".to_owned(),
        to: Correspondent {
            name: "Nguyễn Thị Hòa, Trưởng phòng".to_owned(), address: "hoa@soyte.example".to_owned()
        },
        subject: "Thư mời tham gia khảo sát Chỉ số cải cách hành chính năm 2023".to_owned(),
        text: format!("Kính gửi Bà,\n.một dấu chấm\r\nhttps://k.example/f/{TOKEN}\r"),
        html: format!("<p>Kính gửi <a href=\"https://k.example/f/{TOKEN}\">Bà</a></p>\n"),
        message_id: message_id("hanoi-2023", 17, 1, 1, MailKind::Invitation, 0, "noivu.example"),
        date: "2023-12-04T01:00:00.9Z".parse().unwrap(),
        language: "vi, en".to_owned(),
        link_secret: Some(SecretString::from(TOKEN)),
    }
}

fn header_part(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).unwrap();
    text.split_once("\r\n\r\n").unwrap().0.to_owned()
}

#[test]
fn the_same_letter_makes_the_same_bytes() {
    let first = compose(&letter()).unwrap();
    assert_eq!(first.bytes(), compose(&letter()).unwrap().bytes());
    let mut other = letter();
    other.message_id = message_id("hanoi-2023", 18, 1, 1, MailKind::Invitation, 0, "noivu.example");
    assert_ne!(first.bytes(), compose(&other).unwrap().bytes());
}

#[test]
fn the_mail_is_clean_on_the_wire() {
    let mail = compose(&letter()).unwrap();
    let bytes = mail.bytes();
    assert!(bytes.is_ascii());
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
    assert!(text.split("\r\n").all(|line| line.len() <= 998));
    assert!(text.ends_with("--\r\n"));
    assert_eq!(mail.envelope().from(), "khaosat@noivu.example");
    assert_eq!(mail.envelope().to(), "hoa@soyte.example");
}

#[test]
fn a_return_path_is_the_envelopes_and_changes_no_byte() {
    let mut returning = letter();
    returning.return_path = Some("tra-ve+b1f-00112233445566778899aabbccddeeff@noivu.example".to_owned());
    let (mail, plain) = (compose(&returning).unwrap(), compose(&letter()).unwrap());
    assert_eq!(mail.envelope().from(), "tra-ve+b1f-00112233445566778899aabbccddeeff@noivu.example");
    assert_eq!(mail.bytes(), plain.bytes());
}

#[test]
fn the_headers_say_what_they_should() {
    let head = header_part(compose(&letter()).unwrap().bytes());
    for line in [
        "Date: Mon, 04 Dec 2023 01:00:00 +0000",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply",
        "Content-Language: vi, en",
        "MIME-Version: 1.0",
        "Reply-To: hotro@noivu.example",
    ] {
        assert!(head.contains(line), "{line} is not in\n{head}");
    }
    assert!(head.contains("Content-Type: multipart/alternative;"));
    assert!(head.contains("Subject: =?utf-8?b?"));
    assert!(!head.contains("Precedence") && !head.contains("List-"));
    assert!(!head.contains(TOKEN) && !head.contains("://"));
}

#[test]
fn a_message_id_names_its_row_and_nothing_else() {
    let id = |campaign, form, holder, version, kind, wave| {
        message_id(campaign, form, holder, version, kind, wave, "noivu.example")
    };
    use MailKind::{Invitation, Prenotice, Reminder};
    let rows = [
        id("hanoi-2023", 1, 1, 1, Invitation, 0),
        id("hanoi-202", 1, 1, 1, Invitation, 0),
        id("hanoi-2023", 2, 1, 1, Invitation, 0),
        id("hanoi-2023", 1, 2, 1, Invitation, 0),
        id("hanoi-2023", 1, 1, 2, Invitation, 0),
        id("hanoi-2023", 1, 1, 1, Prenotice, 0),
        id("hanoi-2023", 1, 1, 1, Reminder, 1),
        id("hanoi-2023", 1, 1, 1, Reminder, 2),
    ];
    let distinct: std::collections::BTreeSet<_> = rows.iter().collect();
    assert_eq!(distinct.len(), rows.len());
    // Stored ids are compared with made ones across versions of the program, so this one may never change.
    assert_eq!(rows[0], "<9b2795690be8f65c3339753d68f283b8@noivu.example>");
}

#[test]
fn an_unfit_letter_is_refused() {
    type Spoil = fn(&mut Letter);
    let table: [(Spoil, ComposeError); 15] = [
        (|l| l.to.address = "hoa".into(), ComposeError::Address("recipient's")),
        (|l| l.from.address = String::new(), ComposeError::Address("sender's")),
        (|l| l.return_path = Some("tra-ve".into()), ComposeError::Address("return path's")),
        (|l| l.reply_to = "a b@c".into(), ComposeError::Address("Reply-To")),
        (|l| l.subject = "a\r\nBcc: x@y.example".into(), ComposeError::ControlCharacter("Subject")),
        (|l| l.to.name = "a\nb".into(), ComposeError::ControlCharacter("To")),
        (|l| l.subject = format!("Mời {TOKEN}"), ComposeError::SecretInHeader("Subject")),
        (|l| l.subject = TOKEN.to_lowercase(), ComposeError::SecretInHeader("Subject")),
        (|l| l.to.name = TOKEN.into(), ComposeError::SecretInHeader("To")),
        (|l| l.message_id = format!("<{TOKEN}@x.example>"), ComposeError::SecretInHeader("Message-ID")),
        (|l| l.subject = "Mời: https://k.example".into(), ComposeError::LinkInHeader("Subject")),
        (|l| l.message_id = "a@b".into(), ComposeError::MessageId),
        (|l| l.message_id = "<a@b c>".into(), ComposeError::MessageId),
        (|l| l.language = String::new(), ComposeError::Language),
        (|l| l.date = Timestamp::from_second(-1).unwrap(), ComposeError::Date),
    ];
    for (spoil, expected) in table {
        let mut spoilt = letter();
        spoil(&mut spoilt);
        assert_eq!(compose(&spoilt).map(|_| ()), Err(expected));
    }
}

#[test]
fn a_name_of_any_kind_cannot_add_a_recipient() {
    for name in ["A <b@c.example>, D", "\"quoted\" \\ name", "名字", "", "(a) ; b :"] {
        let mut odd = letter();
        odd.to.name = name.to_owned();
        let head = header_part(compose(&odd).unwrap().bytes());
        let unfolded = head.replace("\r\n ", " ");
        let to = unfolded.lines().find(|line| line.starts_with("To: ")).unwrap();
        assert!(to.ends_with("hoa@soyte.example>") || to.ends_with("hoa@soyte.example"), "{to}");
    }
}

#[test]
fn what_holds_a_person_does_not_print_it() {
    let mail = compose(&letter()).unwrap();
    let printed = format!("{mail:?} {:?}", mail.envelope());
    assert!(!printed.contains("hoa") && !printed.contains(TOKEN), "{printed}");
}
