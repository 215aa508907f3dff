//! SPF's limits and its less usual terms.

use super::{Subject, Verdict, examined, expect, subject, with};

/// A zone whose SPF record is this, with more names below.
fn spf(record: &str, more: &str) -> String {
    format!("{}\n$ORIGIN parindex.example.\n{more}\n", with("@ TXT", &format!("@ TXT \"{record}\"")))
}

#[test]
fn ten_lookups_are_allowed_and_an_eleventh_is_an_error() {
    let chain = |length: usize| -> String {
        let link = |n: usize| {
            let next =
                if n == length { "ip4:192.0.2.10".to_owned() } else { format!("include:i{}.parindex.example", n + 1) };
            format!("i{n} TXT \"v=spf1 {next} -all\"\n")
        };
        (1..=length).map(link).collect()
    };
    let record = "v=spf1 include:i1.parindex.example -all";
    expect(&subject(), &spf(record, &chain(10)), &[], "10 look-ups of 10");
    expect(&subject(), &spf(record, &chain(11)), &["spf: fault"], "more than 10 look-ups are needed");
    // An address that matches early does not hide the rest.
    let early = format!("v=spf1 ip4:192.0.2.10 {} -all", ["a:mail.parindex.example"; 11].join("\" \" "));
    let findings = examined(&subject(), &spf(&early, ""));
    assert!(findings.iter().any(|f| f.check == "spf" && f.verdict == Verdict::Ok && f.found.en.contains("pass")));
    expect(&subject(), &spf(&early, ""), &["spf: fault"], "more than 10");
}

#[test]
fn a_circle_of_includes_ends_at_the_limit() {
    expect(&subject(), &spf("v=spf1 include:parindex.example -all", ""), &["spf: fault"], "more than 10");
    expect(&subject(), &spf("v=spf1 redirect=parindex.example", ""), &["spf: fault"], "more than 10");
}

#[test]
fn two_lookups_may_find_nothing_and_a_third_is_an_error() {
    let gone = |number: usize| {
        let terms: Vec<String> = (0..number).map(|n| format!("a:gone{n}.parindex.example")).collect();
        spf(&format!("v=spf1 {} ip4:192.0.2.10 -all", terms.join(" ")), "")
    };
    expect(&subject(), &gone(2), &[], "");
    expect(&subject(), &gone(3), &["spf: fault"], "more than 2 look-ups find nothing");
}

#[test]
fn every_term_can_let_the_address_pass() {
    let six = Subject { sends_from: vec!["2001:db8::10".parse().expect("an address")], ..subject() };
    let reverse = "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR mail.parindex.example.\nmail AAAA 2001:db8::10";
    for (record, more) in [
        ("v=spf1 a:mail.parindex.example -all", ""),
        ("v=spf1 a -all", "@ A 192.0.2.10"),
        ("v=spf1 a:near.parindex.example/28 -all", "near A 192.0.2.1"),
        ("v=spf1 mx -all", ""),
        ("v=spf1 mx/24 -all", ""),
        ("V=SPF1 MX ~ALL", ""),
        ("v=spf1 exists:%{ir}.ok.%{d} -all", "10.2.0.192.ok A 127.0.0.2"),
        ("v=spf1 -ip4:192.0.2.11 ?ip4:192.0.2.12 include:i.parindex.example -all", "i TXT \"v=spf1 ip4:192.0.2.0/24\""),
        ("v=spf1 redirect=r.parindex.example", "r TXT \"v=spf1 ip4:192.0.2.10 -all\""),
        ("v=spf1 unknown=x exp=e.parindex.example ip4:192.0.2.10 -all", ""),
        // A record's strings are joined without a space.
        ("v=spf1 ip4:192.\" \"0.2.10 -all", ""),
        // Other texts of the domain are no concern of SPF.
        ("v=spf1 ip4:192.0.2.10 -all", "@ TXT \"google-site-verification=x\"\n@ TXT \"v=spf10 +all\""),
    ] {
        expect(&subject(), &spf(record, more), &[], "");
    }
    expect(&six, &spf("v=spf1 mx -all", reverse), &[], "2001:db8::10: pass");
    expect(&six, &spf("v=spf1 ip6:2001:db8::/64 -all", reverse), &[], "2001:db8::10: pass");
    expect(
        &six,
        &spf("v=spf1 ip4:192.0.2.10 -all", reverse),
        &["spf: fault"],
        "\"v=spf1 ip6:2001:db8::10 ip4:192.0.2.10 -all\"",
    );
    // An inner refusal is no refusal of the whole, and an inner `all` lets nobody in.
    expect(&subject(), &spf("v=spf1 include:i.parindex.example ip4:192.0.2.10 -all", "i TXT \"v=spf1 -all\""), &[], "");
    // A record that asks for the sender's name alone lets everybody use it.
    expect(
        &subject(),
        &spf("v=spf1 exists:%{l}.users.%{o} -all", "khaosat.users A 127.0.0.2"),
        &["spf: fault"],
        "every machine",
    );
    // Whoever includes a record that lets everybody pass lets everybody pass.
    expect(
        &subject(),
        &spf("v=spf1 include:i.parindex.example -all", "i TXT \"v=spf1 +all\""),
        &["spf: fault"],
        "every machine",
    );
}

#[test]
fn a_broken_record_behind_an_include_is_ours_to_mend() {
    let record = "v=spf1 include:i.parindex.example -all";
    expect(&subject(), &spf(record, "i TXT \"v=spf1 foo\""), &["spf: fault"], "i.parindex.example: 'foo' is no term");
    let two = "i TXT \"v=spf1 -all\"\ni TXT \"v=spf1 mx -all\"";
    expect(&subject(), &spf(record, two), &["spf: fault"], "i.parindex.example has several SPF records");
    let many: String = (0..11).map(|n| format!("m MX {n} h{n}\nh{n} A 192.0.2.1\n")).collect();
    expect(&subject(), &spf("v=spf1 mx:m.parindex.example -all", &many), &["spf: fault"], "names more than 10 hosts");
    expect(&subject(), &spf("v=spf1 exists:%{z} -all", ""), &["spf: fault"], "'exists:%{z}' is no term");
}

#[test]
fn what_the_zone_does_not_know_is_neither_fine_nor_missing() {
    let other = "x.other.example. A 192.0.2.1\n";
    expect(
        &subject(),
        other,
        &["dkim: unknown", "dmarc: unknown", "mx: unknown", "recipient: unknown", "reverse: unknown", "spf: unknown"],
        "could not be looked up",
    );
}
