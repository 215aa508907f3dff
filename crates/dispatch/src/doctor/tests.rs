//! The rules in tables: a healthy zone, and one thing wrong with it at a time.
//!
//! Records come from zone files in the text; nothing here speaks to a network.

/// The limits of looking up, and SPF's further corners.
mod limits;
/// Faults of zone files, and what a zone answers.
mod zones;

use std::collections::BTreeMap;

use super::{Answer, Finding, Known, Signer, SigningKey, Subject, Verdict, Zone, both, examine};

/// A 2048-bit RSA key that was made for these tests.
const RSA_2048: &str = include_str!("tests/rsa2048.txt");

/// A domain as it should be. `{name}` marks where one thing is replaced.
fn healthy() -> String {
    let key = RSA_2048.trim();
    let (first, second) = key.split_at(200);
    format!(
        "$ORIGIN parindex.example.\n$TTL 3600\n\
         @ IN SOA ns.parindex.example. admin.parindex.example. 1 3600 600 86400 3600\n\
         @ MX 10 mail\n\
         @ TXT \"v=spf1 ip4:192.0.2.10 -all\"\n\
         mail A 192.0.2.10\n\
         _dmarc TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@parindex.example\"\n\
         s2023._domainkey TXT ( \"v=DKIM1; k=rsa; p={first}\" ; in two strings\n   \"{second}\" )\n\
         10.2.0.192.in-addr.arpa. PTR mail.parindex.example.\n\
         $ORIGIN soyte.example.\n@ MX 5 mx1\n@ MX 10 mx2\nmx1 A 198.51.100.1\nmx2 AAAA 2001:db8::2\n\
         $ORIGIN xa.example.\n@ A 198.51.100.9\n"
    )
}

fn subject() -> Subject {
    Subject {
        from: "khaosat@parindex.example".into(),
        return_path: "parindex.example".into(),
        reply_to: "hotro@parindex.example".into(),
        sends_from: vec!["192.0.2.10".parse().expect("an address")],
        signer: Some(Signer { selector: "s2023".into(), domain: "parindex.example".into(), key: Some(key(RSA_2048)) }),
        recipients: BTreeMap::from([("soyte.example".into(), 12), ("xa.example".into(), 3)]),
    }
}

/// The key of a record's text, as the program that signs would hold it.
fn key(base64: &str) -> SigningKey {
    use base64::Engine as _;
    let wrapped = base64::engine::general_purpose::STANDARD.decode(base64.trim()).expect("base64");
    // The wrapping of a 2048-bit key is 24 bytes long.
    SigningKey::Rsa(wrapped[24..].to_vec())
}

fn zone(text: &str) -> Zone {
    let mut zone = Zone::default();
    zone.read("zone", text.as_bytes()).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    zone
}

/// Everything found, with all that a zone knows; what it does not know stays unknown.
fn examined(subject: &Subject, text: &str) -> Vec<Finding> {
    let zone = zone(text);
    let mut known = Known::default();
    loop {
        let findings = examine(subject, &known);
        let wanted = known.take_wanted();
        if wanted.is_empty() {
            return findings;
        }
        for question in wanted {
            let answer = zone.answer(&question).unwrap_or_else(|| Answer::NotKnown(both("không rõ", "not known")));
            known.insert(question, answer);
        }
    }
}

/// The findings that are not in order, as `check: verdict`.
fn troubles(findings: &[Finding]) -> Vec<String> {
    let mut found: Vec<String> = findings
        .iter()
        .filter(|finding| finding.verdict != Verdict::Ok)
        .map(|finding| format!("{}: {}", finding.check, finding.verdict.as_str()))
        .collect();
    found.sort();
    found.dedup();
    found
}

#[track_caller]
fn expect(subject: &Subject, text: &str, troubled: &[&str], says: &str) {
    let findings = examined(subject, text);
    assert_eq!(troubles(&findings), troubled, "{findings:#?}");
    for finding in &findings {
        let nobody = [&finding.found, &finding.reason, &finding.remedy];
        assert!(
            nobody.iter().all(|text| !text.en.contains("khaosat@") && !text.vi.contains("khaosat@")),
            "{finding:?}"
        );
        assert!(
            (finding.verdict == Verdict::Ok) == finding.remedy.en.is_empty(),
            "a remedy where one is needed: {finding:?}"
        );
        assert!(finding.remedy.en.is_empty() == finding.remedy.vi.is_empty());
    }
    let said = |finding: &Finding| {
        format!(
            "{} {} {} {}",
            finding.found.en,
            finding.reason.en,
            finding.remedy.en,
            finding.publish.as_deref().unwrap_or_default()
        )
    };
    assert!(
        says.is_empty() || findings.iter().any(|finding| said(finding).contains(says)),
        "'{says}' is not in {findings:#?}"
    );
}

#[test]
fn a_healthy_domain_has_nothing_to_mend() {
    expect(&subject(), &healthy(), &[], "12 people; MX mx1.soyte.example, mx2.soyte.example");
    expect(&subject(), &healthy(), &[], "an RSA key of 2048 bits");
}

/// One line of the healthy zone replaced (by its beginning); an empty replacement removes it.
fn with(line: &str, replacement: &str) -> String {
    let text = healthy();
    let at = text.lines().position(|l| l.starts_with(line)).unwrap_or_else(|| panic!("no line begins with {line}"));
    let mut lines: Vec<&str> = text.lines().collect();
    // The key's record goes on in a second line.
    let until = if line.starts_with("s2023") { at + 2 } else { at + 1 };
    lines.splice(at..until, [replacement]);
    lines.join("\n")
}

/// A line of the healthy zone, what stands there instead, which checks then are in trouble, and what is said.
type Broken = (&'static str, &'static str, &'static [&'static str], &'static str);

const BROKEN: &[Broken] = &[
    // SPF
    ("@ TXT", "", &["spf: fault"], "parindex.example. IN TXT \"v=spf1 ip4:192.0.2.10 -all\""),
    (
        "@ TXT",
        "@ TXT \"v=spf1 ip4:192.0.2.10 -all\"\n@ TXT \"v=spf1 mx ~all\"",
        &["spf: fault"],
        "\"v=spf1 ip4:192.0.2.10 mx -all\"",
    ),
    ("@ TXT", "@ TXT \"v=spf1 +all\"", &["spf: fault"], "\"v=spf1 ip4:192.0.2.10 -all\""),
    ("@ TXT", "@ TXT \"v=spf1 ip4:0.0.0.0/0 -all\"", &["spf: fault"], "every machine on earth"),
    ("@ TXT", "@ TXT \"v=spf1 ip4:192.0.2.11 -all\"", &["spf: fault"], "\"v=spf1 ip4:192.0.2.10 ip4:192.0.2.11 -all\""),
    ("@ TXT", "@ TXT \"v=spf1 ip4:192.0.2.11 ~all\"", &["spf: fault"], "192.0.2.10: softfail"),
    ("@ TXT", "@ TXT \"v=spf1 mx\"", &["spf: warning"], "v=spf1 ip4:192.0.2.10 mx -all"),
    ("@ TXT", "@ TXT \"v=spf1 mx ?all\"", &["spf: warning"], "no protection against forgery"),
    ("@ TXT", "@ TXT \"v=spf1 ip4:192.0.2.10 ptr -all\"", &["spf: warning"], "ptr is slow"),
    ("@ TXT", "@ TXT \"v=spf1 ipv4:192.0.2.10 -all\"", &["spf: fault"], "'ipv4:192.0.2.10' is no term"),
    (
        "@ TXT",
        "@ TXT \"v=spf1 include:nothing.parindex.example -all\"",
        &["spf: fault"],
        "that domain has no SPF record",
    ),
    ("@ TXT", "@ TXT \"v=spf1 include:elsewhere.test -all\"", &["spf: unknown"], "run the command again"),
    // DKIM
    ("s2023", "", &["dkim: fault"], "s2023._domainkey.parindex.example. IN TXT \"v=DKIM1; k=rsa; p=MIIB"),
    ("s2023", "s2023._domainkey TXT \"v=DKIM1; k=rsa; p=\"", &["dkim: fault"], "revoked"),
    ("s2023", "s2023._domainkey TXT \"v=DKIM1; k=rsa; p=MIIBIjAN\"", &["dkim: fault"], "cut short"),
    ("s2023", "s2023._domainkey TXT \"v=DKIM1; k=rsa; p=x'y\"", &["dkim: fault"], "no base64"),
    ("s2023", "s2023._domainkey TXT \"k=rsa\"", &["dkim: fault"], "p= (the key) is missing"),
    ("s2023", "s2023._domainkey TXT \"k=rsa; v=DKIM1; p=AAAA\"", &["dkim: fault"], "must begin with v=DKIM1"),
    ("s2023", "s2023._domainkey TXT \"v=DKIM1; k=dsa; p=AAAA\"", &["dkim: fault"], "'dsa' is not known"),
    ("s2023", "s2023._domainkey TXT \"v=DKIM1; h=sha1; p=AAAA\"", &["dkim: fault"], "does not allow sha256"),
    ("s2023", "s2023._domainkey TXT \"v=DKIM1; s=tlsrpt; p=AAAA\"", &["dkim: fault"], "does not allow e-mail"),
    ("s2023", "s2023._domainkey TXT \"junk\"", &["dkim: fault"], "no list of tags"),
    (
        "s2023",
        "s2023._domainkey TXT \"p=a\"\ns2023._domainkey TXT \"p=b\"",
        &["dkim: fault"],
        "there are 2 TXT records",
    ),
    // DMARC
    (
        "_dmarc",
        "",
        &["dmarc: fault"],
        "_dmarc.parindex.example. IN TXT \"v=DMARC1; p=none; rua=mailto:dmarc@parindex.example\"",
    ),
    (
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject\"\n_dmarc TXT \"v=DMARC1; p=none\"",
        &["dmarc: fault"],
        "2 DMARC records",
    ),
    (
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; rua=mailto:d@parindex.example\"",
        &["dmarc: fault"],
        "p= (the policy) is missing",
    ),
    (
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=block; rua=mailto:d@parindex.example\"",
        &["dmarc: fault"],
        "p=block is neither",
    ),
    (
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject; rua=dmarc@parindex.example\"",
        &["dmarc: fault"],
        "rua must be mailto",
    ),
    ("_dmarc", "_dmarc TXT \"v=DMARC1; p=reject; pct=200\"", &["dmarc: fault"], "pct must be"),
    ("_dmarc", "_dmarc TXT \"v=DMARC1; p=reject\"", &["dmarc: warning"], "there is no rua"),
    (
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=none; rua=mailto:d@parindex.example\"",
        &["dmarc: warning"],
        "p=none only watches",
    ),
    (
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject; pct=50; rua=mailto:d@parindex.example\"",
        &["dmarc: warning"],
        "pct is under 100",
    ),
    (
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:d@soyte.example\"",
        &["dmarc: warning"],
        "parindex.example._report._dmarc.soyte.example. IN TXT \"v=DMARC1\"",
    ),
    ("_dmarc", "_dmarc TXT \"v=DMARC2; p=reject\"", &["dmarc: fault"], "there is no DMARC record"),
    // MX and reverse names
    ("@ MX 10 mail", "", &["mx: fault"], "parindex.example. IN MX 10 mail.parindex.example."),
    ("@ MX 10 mail", "@ MX 0 .", &["mx: fault"], "a null MX"),
    ("@ MX 10 mail", "@ MX 10 mail.parindex.example", &["mx: fault"], "mail.parindex.example.parindex.example"),
    ("@ MX 10 mail", "@ MX 10 192.0.2.10.", &["mx: fault"], "no host name"),
    ("@ MX 10 mail", "@ MX 10 mail\n@ MX 20 gone", &["mx: warning"], "without an address: gone.parindex.example"),
    ("@ MX 10 mail", "@ A 192.0.2.10", &["mx: warning"], "no MX, only an address"),
    ("10.2.0.192", "", &["reverse: unknown"], "10.2.0.192.in-addr.arpa"),
    (
        "10.2.0.192",
        "$ORIGIN 2.0.192.in-addr.arpa.\n11 PTR mail.parindex.example.",
        &["reverse: fault"],
        "10.2.0.192.in-addr.arpa. IN PTR mail.parindex.example.",
    ),
    (
        "10.2.0.192",
        "10.2.0.192.in-addr.arpa. PTR mx1.soyte.example.",
        &["reverse: fault"],
        "mx1.soyte.example does not lead back to 192.0.2.10",
    ),
    // Recipients
    ("@ MX 5 mx1", "@ MX 0 .", &["recipient: fault"], "12 people; a null MX"),
    (
        "$ORIGIN xa",
        "$ORIGIN xa.example.\nx A 192.0.2.1\n$ORIGIN y.example.",
        &["recipient: fault"],
        "3 people; neither MX nor address",
    ),
    ("$ORIGIN xa", "$ORIGIN y.example.", &["recipient: unknown"], ""),
];

#[test]
fn each_broken_record_is_found_by_its_own_check() {
    for (line, replacement, troubled, says) in BROKEN {
        let text = with(line, replacement);
        eprintln!("{line} → {replacement}");
        expect(&subject(), &text, troubled, says);
    }
}

#[test]
fn keys_are_judged_by_kind_length_and_match() {
    let ours = Signer { selector: "s2023".into(), domain: "parindex.example".into(), key: None };
    let published = |text: &str| with("s2023", &format!("s2023._domainkey TXT {text}"));
    let relays = Subject { signer: Some(ours.clone()), ..subject() };
    let weak = include_str!("tests/rsa1024.txt").trim();
    let tiny = include_str!("tests/rsa512.txt").trim();
    let ed25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    expect(&relays, &healthy(), &[], "so that it cannot be compared");
    expect(&relays, &published(&format!("\"v=DKIM1; p={weak}\"")), &["dkim: warning"], "under 2048 bits");
    expect(&relays, &published(&format!("\"v=DKIM1; p={tiny}\"")), &["dkim: fault"], "under 1024 bits");
    expect(&relays, &published(&format!("\"v=DKIM1; k=ed25519; p={ed25519}\"")), &["dkim: warning"], "know RSA alone");
    expect(&relays, &published("\"v=DKIM1; k=ed25519; p=AAAA\""), &["dkim: fault"], "32 bytes alone");
    // Another key than ours, of the same or of another kind.
    expect(&subject(), &published(&format!("\"v=DKIM1; p={weak}\"")), &["dkim: fault"], "is not that of --dkim-key");
    expect(&subject(), &published(&format!("\"v=DKIM1; k=ed25519; p={ed25519}\"")), &["dkim: fault"], "is not that of");
    let (first, second) = RSA_2048.trim().split_at(200);
    let testing = published(&format!("\"v=DKIM1; t=y; p={first}\" \"{second}\""));
    expect(&subject(), &testing, &["dkim: warning"], "t=y says testing");
    // RFC 6376 speaks of RSAPublicKey, and nearly everybody wraps it.
    use base64::Engine as _;
    let SigningKey::Rsa(bare) = key(RSA_2048) else { unreachable!("the key is RSA") };
    let bare = base64::engine::general_purpose::STANDARD.encode(bare);
    let (first, second) = bare.split_at(200);
    expect(
        &subject(),
        &published(&format!("\"p={first}\" \"{second}\"")),
        &["dkim: warning"],
        "written as RSAPublicKey",
    );
    let unsigned = Subject { signer: None, ..subject() };
    expect(&unsigned, &healthy(), &["alignment: warning", "dkim: warning"], "--relay-selector");
}

#[test]
fn dmarc_wants_one_of_two_to_be_of_the_from_domain() {
    let below = |signer: Option<&str>, return_path: &str| {
        let signer = signer.map(|domain| Signer { selector: "s2023".into(), domain: domain.into(), key: None });
        Subject { signer, return_path: return_path.into(), ..subject() }
    };
    let more = format!(
        "{}$ORIGIN parindex.example.\nbounce MX 10 mail.parindex.example.\nbounce TXT \"v=spf1 ip4:192.0.2.10 -all\"\n\
         s2023._domainkey.relay.example. TXT \"v=DKIM1; p={}\"\n\
         out.example. MX 10 mail.parindex.example.\nout.example. TXT \"v=spf1 ip4:192.0.2.10 -all\"\n",
        healthy(),
        include_str!("tests/rsa1024.txt").trim()
    );
    let strict = more.replace("p=reject;", "p=reject; aspf=s; adkim=s;");
    expect(
        &below(Some("parindex.example"), "bounce.parindex.example"),
        &more,
        &[],
        "SPF: bounce.parindex.example aligned",
    );
    expect(
        &below(Some("parindex.example"), "bounce.parindex.example"),
        &strict,
        &["alignment: warning"],
        "rests on the signature",
    );
    expect(
        &below(Some("relay.example"), "parindex.example"),
        &more,
        &["alignment: warning", "dkim: warning"],
        "rests on SPF",
    );
    expect(
        &below(Some("relay.example"), "out.example"),
        &more,
        &["alignment: fault", "dkim: warning"],
        "sign with a key of parindex.example",
    );
    expect(&below(None, "out.example"), &more, &["alignment: fault", "dkim: warning"], "DMARC fails");
}

#[test]
fn the_organisations_policy_stands_for_its_subdomains() {
    let sub = Subject {
        from: "khaosat@survey.parindex.example".into(),
        reply_to: "hotro@parindex.example".into(),
        ..subject()
    };
    let more = format!("{}$ORIGIN parindex.example.\nsurvey MX 10 mail.parindex.example.\n", healthy());
    expect(&sub, &more, &[], "forged mails are stopped");
    expect(&sub, &more.replace("p=reject;", "p=reject; sp=none;"), &["dmarc: warning"], "p=none only watches");
    let own = format!("{more}_dmarc.survey TXT \"v=DMARC1; p=quarantine; rua=mailto:d@parindex.example\"\n");
    expect(&sub, &own.replace("p=reject;", "p=block;"), &[], "forged mails are stopped");
}

#[test]
fn an_address_that_is_not_known_is_asked_for() {
    let nowhere = Subject { sends_from: Vec::new(), ..subject() };
    expect(&nowhere, &healthy(), &["spf: unknown"], "name the address with --sends-from");
}
