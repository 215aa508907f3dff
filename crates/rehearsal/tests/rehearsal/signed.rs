//! Whether others believe the signature: every mail is judged by dkimpy, which shares no code with what signed it.
//!
//! The keys are made by OpenSSL for each run. No DNS is asked: the verifier is handed the record.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use parsurvey_dispatch::{ComposeError, Composed, Dkim, DkimError, Outcome, Session, compose};
use parsurvey_rehearsal::catcher::{Catcher, Script};

use crate::pile::{letter, mail, route};

const VERIFIER: &str = include_str!("verify_dkim.py");

/// How the two kinds of key are made, and what stands in DNS in front of the public half.
const KINDS: [(&str, &[&str], &str); 2] = [
    ("ed25519", &["-algorithm", "ed25519"], "v=DKIM1; k=ed25519; p="),
    ("rsa", &["-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"], "v=DKIM1; k=rsa; p="),
];

/// A key and its DNS record.
struct Pair {
    dkim: Dkim,
    record: String,
}

fn run_tool(program: &str, arguments: &[&str], package: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; install the Debian package {package}"));
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?} failed; is the Debian package {package} installed?");
    output.stdout
}

fn pem(arguments: &[&str]) -> String {
    let all = [&["genpkey"], arguments].concat();
    String::from_utf8(run_tool("openssl", &all, "openssl", b"")).unwrap()
}

fn pair(kind: &str) -> Pair {
    let (_, arguments, head) = KINDS.into_iter().find(|(name, ..)| *name == kind).unwrap();
    let pem = pem(arguments);
    let der = run_tool("openssl", &["pkey", "-pubout", "-outform", "DER"], "openssl", pem.as_bytes());
    // RFC 8463 publishes the bare key, RFC 6376 one in its wrapping.
    let public = if kind == "ed25519" { &der[der.len() - 32..] } else { &der[..] };
    Pair { dkim: Dkim::new("s2023", &pem.into()).unwrap(), record: format!("{head}{}", BASE64.encode(public)) }
}

/// The verifier's word on each mail.
fn verdicts(record: &str, mails: &[Vec<u8>]) -> Vec<bool> {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<String> = (0..mails.len()).map(|n| path(folder.path(), n)).collect();
    for (file, mail) in files.iter().zip(mails) {
        std::fs::write(file, mail).unwrap();
    }
    let mut arguments = vec!["-c", VERIFIER, "s2023._domainkey.noivu.example.", record];
    arguments.extend(files.iter().map(String::as_str));
    // Debian's own interpreter: another one in front of it in the path does not see Debian's packages.
    let said = run_tool("/usr/bin/python3", &arguments, "python3-dkim (and python3-nacl)", b"");
    String::from_utf8(said).unwrap().lines().map(|line| line == "pass").collect()
}

fn path(folder: &Path, number: usize) -> String {
    folder.join(format!("{number}.eml")).to_str().unwrap().to_owned()
}

/// The mail with one text replaced by another, which must occur.
fn with(mail: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(mail).unwrap();
    assert!(text.contains(from), "{from} is not in the mail");
    text.replacen(from, to, 1).into_bytes()
}

fn with_field(mail: &[u8], field: &str) -> Vec<u8> {
    [field.as_bytes(), b"\r\n", mail].concat()
}

fn sign(mail: Composed, pair: &Pair) -> Vec<u8> {
    mail.signed(&pair.dkim).unwrap().bytes().to_vec()
}

#[test]
fn a_signature_holds_for_the_mail_and_breaks_with_it() {
    for (kind, ..) in KINDS {
        let pair = pair(kind);
        let signed = sign(mail(1, "hoa@soyte.example"), &pair);
        let boundary = "\r\n\r\n--=_";
        let table = [
            ("as it is", signed.clone(), true),
            (
                "a relay's trace in front",
                with_field(&signed, "Received: from a by b; Mon, 4 Dec 2023 01:00:01 +0000"),
                true,
            ),
            ("folded anew", with(&signed, "Date: Mon,", "Date:\r\n\t Mon,"), true),
            ("spaces at a field's end", with(&signed, boundary, " \t\r\n\r\n--=_"), true),
            ("spaces at a line's end", with(&signed, "--\r\n", "-- \t\r\n"), true),
            ("empty lines at the end", [&signed[..], b"\r\n\r\n"].concat(), true),
            ("another body", with(&signed, "--\r\n", "--\r\nmore\r\n"), false),
            ("another recipient", with(&signed, "hoa@soyte.example", "lan@soyte.example"), false),
            ("another reply address", with(&signed, "hotro@noivu.example", "hotro@noivu.invalid"), false),
            ("another date", with(&signed, "Date: Mon, 04", "Date: Tue, 05"), false),
            ("another language", with(&signed, "Content-Language: vi", "Content-Language: fr"), false),
            ("no longer automatic", with(&signed, "auto-generated", "no"), false),
            ("a second sender", with_field(&signed, "From: x@noivu.example"), false),
            ("a second subject", with_field(&signed, "Subject: x"), false),
            ("a second reply address", with_field(&signed, "Reply-To: x@y.example"), false),
            ("a second type", with_field(&signed, "Content-Type: text/plain"), false),
        ];
        let mails: Vec<Vec<u8>> = table.iter().map(|(_, mail, _)| mail.clone()).collect();
        for ((what, _, expected), holds) in table.iter().zip(verdicts(&pair.record, &mails)) {
            assert_eq!(holds, *expected, "{kind}: {what}");
        }
        // Another key of the same kind does not do.
        let other = self::pair(kind);
        assert_eq!(verdicts(&other.record, &[signed]), [false], "{kind}");
    }
}

#[test]
fn letters_of_every_shape_keep_their_signature() {
    let shapes: [(&str, String, &str); 8] = [
        ("", String::new(), ""),
        ("x", "\n\n\n".to_owned(), "Nguyễn Thị Hòa"),
        ("  hai  dấu cách  ", "a \t b  \n \n\n".to_owned(), "A <b@c.example>, D"),
        ("Thư mời ", "dòng cuối không xuống dòng".to_owned(), "\"quoted\" \\ name"),
        ("subject: with: colons;", ".\n..\n.a\n".to_owned(), "(a) ; b :"),
        ("名字", "x".repeat(5000), "名字"),
        ("a", "đ\r\nđ\rđ\n".to_owned(), " Trưởng  phòng "),
        ("=?utf-8?b?eA==?=", "=\n= \n=20\n".to_owned(), "=?utf-8?q?x?="),
    ];
    for (kind, ..) in KINDS {
        let pair = pair(kind);
        let mut mails = Vec::new();
        for (subject, text, name) in &shapes {
            for long in [1, 40] {
                let mut odd = letter(1, "hoa@soyte.example");
                odd.subject = subject.repeat(long);
                odd.text.clone_from(text);
                odd.html = text.repeat(long);
                odd.to.name = (*name).to_owned();
                mails.push(sign(compose(&odd).unwrap(), &pair));
            }
        }
        let holds = verdicts(&pair.record, &mails);
        assert_eq!((holds.len(), holds.iter().position(|holds| !holds)), (mails.len(), None), "{kind}");
    }
}

#[tokio::test]
async fn the_same_letter_is_signed_with_the_same_bytes_and_arrives_with_them() {
    for (kind, ..) in KINDS {
        let pair = pair(kind);
        let signed = mail(1, "hoa@soyte.example").signed(&pair.dkim).unwrap();
        assert_eq!(signed.bytes(), sign(mail(1, "hoa@soyte.example"), &pair));
        let head = String::from_utf8(signed.bytes().to_vec()).unwrap();
        assert!(
            head.starts_with(&format!("DKIM-Signature: v=1; a={kind}-sha256; c=relaxed/relaxed; d=noivu.example;"))
        );
        // The time is the letter's, not the clock's.
        assert!(head.contains(" s=s2023; t=1701651600;\r\n"));
        assert!(head.contains("h=from:from:reply-to:reply-to:"));
        assert!(head.split("\r\n").all(|line| line.len() <= 998));
        let catcher = Catcher::start(Script::new()).await.unwrap();
        let mut session = Session::connect(&route(catcher.port())).await.unwrap();
        assert_eq!(session.send(&signed).await.outcome, Outcome::Accepted);
        let caught = catcher.mails()[0].raw.clone();
        assert_eq!(caught, signed.bytes());
        assert_eq!(verdicts(&pair.record, &[caught]), [true]);
    }
}

#[test]
fn keys_that_cannot_sign_are_refused() {
    let refused = |arguments: &[&str]| Dkim::new("s2023", &pem(arguments).into()).map(|_| ());
    assert_eq!(refused(&["-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1024"]), Err(DkimError::Kind));
    assert_eq!(refused(&["-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]), Err(DkimError::Kind));
    let old = run_tool("openssl", &["rsa", "-traditional"], "openssl", pem(KINDS[1].1).as_bytes());
    assert!(Dkim::new("s2023", &String::from_utf8(old).unwrap().into()).is_ok(), "PKCS#1 is read too");
    let Pair { dkim, .. } = pair("ed25519");
    assert!(!format!("{dkim:?}").contains("PRIVATE"));
    let mut abroad = letter(1, "hoa@soyte.example");
    abroad.from.address = "khaosat@nộivụ.example".into();
    let abroad = compose(&abroad).unwrap();
    assert_eq!(abroad.clone().signed(&dkim).map(|_| ()), Err(ComposeError::Signature));
    assert!(abroad.signed(&dkim.clone().for_domain("xn--nivu-lz5a.example").unwrap()).is_ok());
    assert_eq!(dkim.for_domain("nộivụ.example").map(|_| ()), Err(DkimError::Name("domain")));
}

/// Prints how many mails are put together and signed in a second by one thread.
#[test]
#[ignore = "a measurement; it asserts nothing about this machine"]
fn signing_pace() {
    let pace = |sign: &dyn Fn(Composed) -> Composed| {
        let began = Instant::now();
        for id in 1..=1000 {
            sign(mail(id, "hoa@soyte.example"));
        }
        1000.0 / began.elapsed().as_secs_f64()
    };
    eprintln!("unsigned: {:.0} mails/s", pace(&|mail| mail));
    for (kind, ..) in KINDS {
        let pair = pair(kind);
        eprintln!("{kind}: {:.0} mails/s", pace(&|mail| mail.signed(&pair.dkim).unwrap()));
    }
}
