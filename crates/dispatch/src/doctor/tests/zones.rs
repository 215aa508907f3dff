//! Zone files: what is read, every fault with its line, and what a zone answers.

use crate::doctor::{Answer, Rdata, Wanted, Zone};

fn faults(text: &str) -> Vec<(usize, &'static str)> {
    let mut zone = Zone::default();
    let faults = zone.read("zone", text.as_bytes()).err().unwrap_or_default();
    for fault in &faults {
        assert!(!fault.reason.is_empty() && !fault.remedy.is_empty() && fault.file == "zone");
    }
    faults.into_iter().map(|fault| (fault.line, fault.code)).collect()
}

#[track_caller]
fn text_of(zone: &str, name: &str) -> String {
    match super::zone(zone).answer(&(name.to_owned(), Wanted::Txt)) {
        Some(Answer::Found(records)) => match records.as_slice() {
            [Rdata::Txt(text)] => text.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn texts_are_read_however_they_are_written() {
    for (line, text) in [
        (r#"x.example. TXT "a b" "c""#, "a bc"),
        (
            r#"x.example. TXT ( "a b"
            "c" )"#,
            "a bc",
        ),
        (
            r#"x.example. 300 IN TXT ("a;b"	; a remark ( with " signs
            ; another
            c)"#,
            "a;bc",
        ),
        (r#"x.example. IN 300 TXT "say \"hi\" \\ \059""#, "say \"hi\" \\ ;"),
        (r#"x.example. TXT plain"#, "plain"),
        (r#"x.example. TXT a b ; c"#, "ab"),
        (r#"x.example. TXT """#, ""),
        (r#"X.Example. txt "\196\145""#, "đ"),
        ("\u{feff}$ORIGIN example.\r\n$TTL 1h\r\nx\tTXT\t\"a\"\r\n", "a"),
        ("$ORIGIN example.\nx A 192.0.2.1\n  TXT \"same name\"\n", "same name"),
        ("$origin example.\n$ORIGIN x\n@ TXT \"relative origin\"", "relative origin"),
    ] {
        assert_eq!(text_of(line, "x.example"), text, "{line}");
    }
}

#[test]
fn every_fault_is_told_at_once_with_its_line() {
    let long = "x".repeat(256);
    let text = format!(
        "mail A 192.0.2.1\n\
         $ORIGIN example.\n\
         a A 192.0.2.256\n\
         b MX mail\n\
         c FOO bar\n\
         d TXT \"{long}\"\n\
         e TXT v=DMARC1; p=none\n\
         f TXT \"open\n\
         g TXT )\n\
         $INCLUDE /etc/passwd\n\
         h CNAME i\n\
         h A 192.0.2.1\n\
         j CH A 192.0.2.1\n\
         k AAAA 192.0.2.1\n\
         l A 192.0.2.1 192.0.2.2\n\
         m TXT \"\\9\"\n\
         n A\n\
         o\n\
         p..q A 192.0.2.1\n\
         $TTL soon\n\
         good A 192.0.2.1\n\
         r TXT ( \"a\"\n"
    );
    assert_eq!(
        faults(&text),
        [
            (1, "bad-name"),
            (3, "bad-record"),
            (4, "bad-record"),
            (5, "bad-record"),
            (6, "long-string"),
            (7, "text-cut-short"),
            (8, "open-quote"),
            (9, "stray-parenthesis"),
            (9, "bad-record"),
            (10, "bad-directive"),
            (11, "alias-beside-records"),
            (13, "bad-record"),
            (14, "bad-record"),
            (15, "bad-record"),
            (16, "bad-escape"),
            (17, "bad-record"),
            (18, "bad-record"),
            (19, "bad-name"),
            (20, "bad-directive"),
            (22, "open-parenthesis"),
        ]
    );
    assert_eq!(faults("  A 192.0.2.1\n"), [(1, "no-name")]);
    assert_eq!(faults("@ A 192.0.2.1\n"), [(1, "bad-name")]);
    assert_eq!(faults(""), []);
    let mut zone = Zone::default();
    let latin = zone.read("zone", b"$ORIGIN example.\nx TXT \"\xe9\"\n").expect_err("not UTF-8");
    assert_eq!((latin[0].line, latin[0].code), (2, "not-utf8"));
}

#[test]
fn other_kinds_of_records_are_read_and_left_alone() {
    let text = "$ORIGIN example.\n@ SOA ns h 1 3600 600 86400 3600\n@ NS ns.example.\n@ CAA 0 issue \"ca.example\"\n\
                _imaps._tcp SRV 0 1 993 mail\n@ TXT \"v=spf1 -all\"\n";
    assert_eq!(faults(text), []);
    assert_eq!(faults("$ORIGIN example.\n@ SOA ns h one 3600 600 86400 3600\n"), [(2, "bad-record")]);
}

#[test]
fn a_zone_knows_what_lies_below_it_and_of_other_names_what_it_holds() {
    let zone = super::zone(
        "$ORIGIN example.\n@ MX 10 mail\nmail A 192.0.2.1\nwww CNAME mail\nout CNAME x.elsewhere.test.\nround CNAME circle\n\
         circle CNAME round\n*.wild TXT \"w\"\na.wild A 192.0.2.2\n_spf.other.test. TXT \"v=spf1 -all\"\n",
    );
    let ask = |name: &str, wanted| zone.answer(&(name.to_owned(), wanted));
    let address = Rdata::Address("192.0.2.1".parse().expect("an address"));
    assert_eq!(ask("mail.example", Wanted::A), Some(Answer::Found(vec![address.clone()])));
    assert_eq!(ask("www.example", Wanted::A), Some(Answer::Found(vec![address])));
    assert_eq!(ask("mail.example", Wanted::Aaaa), Some(Answer::None));
    assert_eq!(ask("gone.example", Wanted::A), Some(Answer::NoSuchName));
    assert_eq!(ask("wild.example", Wanted::A), Some(Answer::None), "a name above another exists");
    assert_eq!(ask("b.wild.example", Wanted::Txt), Some(Answer::Found(vec![Rdata::Txt("w".into())])));
    assert_eq!(ask("a.wild.example", Wanted::Txt), Some(Answer::None), "a wildcard yields to a name");
    assert_eq!(ask("_spf.other.test", Wanted::A), Some(Answer::None));
    assert_eq!(ask("other.test", Wanted::Mx), Some(Answer::None));
    assert_eq!(ask("www.other.test", Wanted::A), None, "nothing is known of it");
    assert!(matches!(ask("out.example", Wanted::A), Some(Answer::NotKnown(_))));
    assert!(matches!(ask("round.example", Wanted::A), Some(Answer::NotKnown(_))));
}

proptest::proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = Zone::default().read("zone", &bytes);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "([a-z.@$\\\\();\" \n0-9]|TXT|MX| A |IN|CNAME|\\$ORIGIN a\\.){0,60}") {
        let _ = Zone::default().read("zone", text.as_bytes());
    }
}
