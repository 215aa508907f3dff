//! SPF (RFC 7208): may the relay's addresses send for the return path's domain, and does the record hold its limits.
//!
//! A receiver asks with the address it sees; here every address is asked about, and the whole record is walked once more
//! for nobody, because an address that matches early hides what stands behind.

mod check;
mod macros;
mod parse;

use std::net::{IpAddr, Ipv4Addr};

use parsurvey_index::tree::Text;

use self::check::{Check, LOOKUPS, Outcome, VOID, Walk, Who};
use self::parse::{Mechanism, Qualifier, is_spf, parse};
use super::known::Known;
use super::{Finding, Subject, Verdict, both, domain_of, txt_line};

/// A reserved address from which nobody can send: a record that lets it pass lets everybody pass.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(240, 0, 0, 1));

pub(crate) fn spf(subject: &Subject, known: &Known) -> Vec<Finding> {
    let domain = subject.return_path.as_str();
    let texts = match known.texts(domain) {
        Ok(texts) => texts,
        Err(why) => return vec![Finding::not_known("spf", domain, domain, &why)],
    };
    let records: Vec<&String> = texts.iter().filter(|text| is_spf(text)).collect();
    let [record] = records.as_slice() else {
        return vec![not_one(domain, &records, &subject.sends_from)];
    };
    let (whole, walk) = asked(subject, known, Who::Nobody);
    let (stranger, _) = asked(subject, known, Who::Sender(STRANGER));
    let mut findings = if stranger == Outcome::Said(Qualifier::Pass) {
        vec![open_to_all(domain, record, &subject.sends_from)]
    } else {
        vec![of_record(domain, record, &whole, &walk, &subject.sends_from)]
    };
    for ip in &subject.sends_from {
        let (outcome, _) = asked(subject, known, Who::Sender(*ip));
        findings.push(of_address(domain, record, *ip, &outcome));
    }
    if subject.sends_from.is_empty() {
        findings.push(without_address(domain));
    }
    findings
}

fn asked(subject: &Subject, known: &Known, who: Who) -> (Outcome, Walk) {
    let sender = format!("{}@{}", local_part(&subject.from), subject.return_path);
    let mut check = Check { known, sender: &sender, who, walk: Walk::default() };
    let outcome = check.host(&subject.return_path);
    (outcome, check.walk)
}

fn local_part(address: &str) -> &str {
    let domain = domain_of(address);
    address.strip_suffix(domain).and_then(|local| local.strip_suffix('@')).unwrap_or("postmaster")
}

/// No record, or more than one.
fn not_one(domain: &str, records: &[&String], ips: &[IpAddr]) -> Finding {
    if records.is_empty() {
        let found = both("không có bản ghi SPF", "there is no SPF record");
        let reason = both(
            "máy chủ nhận không biết máy nào được gửi thư cho tên miền này; nhiều nơi từ chối",
            "receivers cannot tell who may send for this domain; many refuse",
        );
        return Finding::new("spf", domain, Verdict::Fault, found, reason)
            .remedy("công bố bản ghi TXT này", "publish this TXT record")
            .publish(txt_line(domain, &with_addresses("v=spf1 -all", ips)));
    }
    let found = both(format!("có {} bản ghi SPF", records.len()), format!("there are {} SPF records", records.len()));
    let reason = both(
        "có hơn một bản ghi thì SPF bị lỗi và không có tác dụng (RFC 7208, mục 4.5)",
        "with more than one, SPF is an error and of no use (RFC 7208, section 4.5)",
    );
    Finding::new("spf", domain, Verdict::Fault, found, reason)
        .remedy("gộp thành một bản ghi và xóa các bản ghi kia", "merge them into one record and remove the others")
        .publish(txt_line(domain, &with_addresses(&merged(records), ips)))
}

/// The record as a whole, whoever sends.
fn of_record(domain: &str, record: &str, whole: &Outcome, walk: &Walk, ips: &[IpAddr]) -> Finding {
    let found = both(format!("\"{record}\""), format!("\"{record}\""));
    let finding = |verdict, reason: Text| Finding::new("spf", domain, verdict, found.clone(), reason);
    match whole {
        Outcome::NotKnown(why) => return Finding::not_known("spf", domain, domain, why),
        Outcome::Broken(why) => {
            return finding(Verdict::Fault, why.clone()).remedy(
                format!("sửa bản ghi: cú pháp đúng, nhiều nhất {LOOKUPS} lần tra cứu và {VOID} lần không có kết quả; thay include, a, mx bằng ip4, ip6 nếu quá nhiều"),
                format!("mend the record: right terms, at most {LOOKUPS} look-ups and {VOID} without result; write ip4 and ip6 instead of include, a, mx where there are too many"),
            );
        }
        Outcome::None | Outcome::Said(_) => {}
    }
    let parsed = parse(record).unwrap_or_default();
    let all = parsed.directives.iter().find(|(_, mechanism)| *mechanism == Mechanism::All);
    match all.map(|(qualifier, _)| *qualifier) {
        Some(Qualifier::Neutral) => neutral(finding, domain, record, ips),
        None if parsed.redirect.is_none() => neutral(finding, domain, record, ips),
        Some(Qualifier::Pass | Qualifier::Fail | Qualifier::SoftFail) | None if walk.ptr => finding(
            Verdict::Warning,
            both(
                "ptr chậm và không nên dùng (RFC 7208, mục 5.5)",
                "ptr is slow and not to be used (RFC 7208, section 5.5)",
            ),
        )
        .remedy("thay ptr bằng ip4 hoặc ip6", "write ip4 or ip6 instead of ptr"),
        Some(Qualifier::Pass | Qualifier::Fail | Qualifier::SoftFail) | None => finding(
            Verdict::Ok,
            both(
                format!("đúng cú pháp, {} lần tra cứu (cho phép {LOOKUPS})", walk.lookups),
                format!("in order, {} look-ups of {LOOKUPS}", walk.lookups),
            ),
        ),
    }
}

/// A record that lets everybody send, by `+all`, by a network of every address, or by what it includes.
fn open_to_all(domain: &str, record: &str, ips: &[IpAddr]) -> Finding {
    let found = both(format!("\"{record}\""), format!("\"{record}\""));
    let reason = both(
        "bản ghi cho phép mọi máy trên mạng gửi thư giả danh tên miền này",
        "the record lets every machine on earth send in this name",
    );
    Finding::new("spf", domain, Verdict::Fault, found, reason)
        .remedy(
            "chỉ liệt kê các máy của mình và kết thúc bản ghi bằng -all",
            "list your own machines only and end the record with -all",
        )
        .publish(txt_line(domain, &with_addresses(&ending_in_fail(record), ips)))
}

fn neutral(finding: impl Fn(Verdict, Text) -> Finding, domain: &str, record: &str, ips: &[IpAddr]) -> Finding {
    let reason = both(
        "bản ghi không nói gì về những máy không có tên trong đó: không bảo vệ trước thư giả",
        "the record says nothing of machines it does not name: no protection against forgery",
    );
    finding(Verdict::Warning, reason)
        .remedy("kết thúc bản ghi bằng -all", "end the record with -all")
        .publish(txt_line(domain, &with_addresses(&ending_in_fail(record), ips)))
}

/// What the record says of one address.
fn of_address(domain: &str, record: &str, ip: IpAddr, outcome: &Outcome) -> Finding {
    let about = format!("{domain} ({ip})");
    let said = |vi: &str, en: &str| both(format!("{ip}: {vi}"), format!("{ip}: {en}"));
    let (found, reason) = match outcome {
        Outcome::NotKnown(why) => return Finding::not_known("spf", &about, domain, why),
        Outcome::Said(Qualifier::Pass) => {
            let reason = both("địa chỉ này được phép gửi", "this address may send");
            return Finding::new("spf", &about, Verdict::Ok, said("đạt (pass)", "pass"), reason);
        }
        Outcome::Said(Qualifier::Fail) => (said("bị cấm (fail)", "fail"), refused()),
        Outcome::Said(Qualifier::SoftFail) => (said("đáng ngờ (softfail)", "softfail"), refused()),
        Outcome::Said(Qualifier::Neutral) => (said("không nói gì (neutral)", "neutral"), refused()),
        Outcome::Broken(why) => (said("bản ghi lỗi (permerror)", "permerror"), why.clone()),
        Outcome::None => (said("không có bản ghi (none)", "none"), refused()),
    };
    Finding::new("spf", &about, Verdict::Fault, found, reason)
        .remedy("thêm địa chỉ của máy gửi vào bản ghi", "add the address to the record")
        .publish(txt_line(domain, &with_addresses(record, &[ip])))
}

fn refused() -> Text {
    both(
        "thư gửi từ địa chỉ này không qua SPF: sẽ bị từ chối hoặc vào thư rác",
        "mails from this address do not pass SPF: they are refused or land in spam",
    )
}

fn without_address(domain: &str) -> Finding {
    let found =
        both("không biết máy chủ chuyển thư gửi từ địa chỉ nào", "from which address the relay sends is not known");
    let reason = both(
        "chưa kiểm tra được bản ghi SPF có cho phép địa chỉ đó không",
        "so that it cannot be said whether the record allows it",
    );
    Finding::new("spf", domain, Verdict::Unknown, found, reason).remedy(
        "hỏi người quản trị máy chủ chuyển thư và nêu địa chỉ bằng --sends-from",
        "ask the relay's administrator and name the address with --sends-from",
    )
}

/// The record with these addresses in front, unless they stand there.
fn with_addresses(record: &str, ips: &[IpAddr]) -> String {
    let term = |ip: &IpAddr| if ip.is_ipv4() { format!("ip4:{ip}") } else { format!("ip6:{ip}") };
    let terms: Vec<&str> = record.split_whitespace().collect();
    let new = ips.iter().map(term).filter(|term| !terms.contains(&term.as_str()));
    let rest = terms.iter().skip(1).map(|term| (*term).to_owned());
    std::iter::once("v=spf1".to_owned()).chain(new).chain(rest).collect::<Vec<_>>().join(" ")
}

/// The record ending in `-all`, whatever it ended in.
fn ending_in_fail(record: &str) -> String {
    let is_all = |term: &&str| term.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all");
    let kept: Vec<&str> = record.split_whitespace().filter(|term| !is_all(term)).collect();
    format!("{} -all", kept.join(" "))
}

/// One record of several: every term once, one `-all` at the end.
fn merged(records: &[&String]) -> String {
    let mut terms: Vec<&str> = Vec::new();
    for term in records.iter().flat_map(|record| record.split_whitespace().skip(1)) {
        if !terms.contains(&term) {
            terms.push(term);
        }
    }
    ending_in_fail(&format!("v=spf1 {}", terms.join(" ")))
}
