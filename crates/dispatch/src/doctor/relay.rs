//! What a relay showed when it was called, judged: protection, certificate, login, what it can carry.
//!
//! Calling it is not here (see `probe`); this reads what was seen.

use std::net::IpAddr;

use jiff::Timestamp;

use super::{Finding, Verdict, both};
use crate::delivery::{Delivery, Stage, TlsSeen};

/// Days before its end from which a certificate is worth a warning, and days it must at least last: a survey's field
/// time is some weeks.
const SOON: i64 = 30;
/// The least size of a mail that a relay must take, in bytes; ours are some ten thousand.
const LEAST_SIZE: u64 = 200_000;

/// How the connection was to be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    Off,
    /// By TLS where it is offered.
    Opportunistic,
    /// By TLS or not at all.
    Required,
}

/// What a relay showed.
#[derive(Debug, Clone)]
pub struct RelaySeen {
    /// `HOST:PORT` as configured.
    pub place: String,
    /// How the connection was to be protected.
    pub protection: Protection,
    /// The address that was connected to.
    pub address: Option<IpAddr>,
    /// The TLS that was agreed on.
    pub tls: Option<TlsSeen>,
    /// Until when the relay's certificate is valid.
    pub certificate_end: Option<Timestamp>,
    /// What it offered in answer to `EHLO`, line by line.
    pub offers: Vec<String>,
    /// How far it went wrong, if it did.
    pub failure: Option<Delivery>,
    /// Whether a login was tried.
    pub logged_in: bool,
}

/// Whether an address is of the public network, so that receivers may see it.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
            let none = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified();
            !(none || shared || ip.is_broadcast() || ip.is_multicast() || ip.is_documentation())
        }
        IpAddr::V6(ip) => (ip.segments()[0] & 0xe000) == 0x2000 && !ip.is_loopback(),
    }
}

/// Judges what was seen at this moment.
#[must_use]
pub fn relay(seen: &RelaySeen, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(failure) = &seen.failure {
        findings.push(failed(seen, failure));
    }
    // A login is tried after everything else was seen; another failure leaves nothing to judge.
    if seen.failure.as_ref().is_some_and(|failure| failure.stage != Stage::Auth) {
        return findings;
    }
    findings.push(protection(seen));
    findings.extend(certificate(seen, now));
    findings.extend(login(seen));
    findings.push(extensions(seen));
    findings
}

fn failed(seen: &RelaySeen, failure: &Delivery) -> Finding {
    let said = failure.code.map_or_else(|| failure.text.clone(), |code| format!("{code} {}", failure.text));
    let found = both(said.clone(), said);
    let finding =
        |check, verdict, vi: &str, en: &str| Finding::new(check, &seen.place, verdict, found.clone(), both(vi, en));
    match failure.stage {
        Stage::Tls => finding(
            "tls",
            Verdict::Fault,
            "không có kết nối TLS tin cậy: không thư nào được gửi",
            "there is no TLS that can be trusted: no mail would be sent",
        )
        .remedy(
            "đề nghị người quản trị máy chủ chuyển thư sửa chứng thư; nếu là chứng thư nội bộ, nêu tệp bằng --smtp-ca",
            "ask the relay's administrator to mend the certificate; name an authority of your own with --smtp-ca",
        ),
        Stage::Auth if failure.code.is_some_and(|code| code < 500) => finding(
            "login",
            Verdict::Unknown,
            "máy chủ tạm thời không cho đăng nhập",
            "the relay lets nobody log in for now",
        )
        .remedy("chạy lại sau", "run the command again later"),
        Stage::Auth => finding(
            "login",
            Verdict::Fault,
            "không đăng nhập được: không thư nào được gửi",
            "the login fails: no mail would be sent",
        )
        .remedy("kiểm tra tên người dùng và tệp mật khẩu", "check the user and the password's file"),
        Stage::Connect | Stage::Hello | Stage::Mail | Stage::Rcpt | Stage::Data | Stage::Body | Stage::Dot => {
            let turned_away = failure.code.is_some_and(|code| code >= 500);
            let verdict = if turned_away { Verdict::Fault } else { Verdict::Unknown };
            finding("relay", verdict, "không kiểm tra được máy chủ chuyển thư", "the relay could not be checked")
                .remedy(
                    "kiểm tra --smtp và máy chủ, rồi chạy lại; --no-relay để chỉ kiểm tra DNS",
                    "check --smtp and the relay, and run the command again; --no-relay checks DNS alone",
                )
        }
    }
}

fn protection(seen: &RelaySeen) -> Finding {
    let here = seen.address.is_some_and(|address| address.to_canonical().is_loopback());
    let found = match seen.tls {
        Some(tls) => both(format!("{} {}", tls.version, tls.cipher), format!("{} {}", tls.version, tls.cipher)),
        None => both("không có TLS", "no TLS"),
    };
    let finding = |verdict, vi: &str, en: &str| Finding::new("tls", &seen.place, verdict, found.clone(), both(vi, en));
    let mended = |finding: Finding| {
        finding.remedy(
            "dùng smtp+starttls://HOST hoặc smtps://HOST trong --smtp",
            "use smtp+starttls://HOST or smtps://HOST in --smtp",
        )
    };
    match (seen.tls, seen.protection) {
        (Some(_), Protection::Required) => finding(
            Verdict::Ok,
            "kết nối được mã hóa và chứng thư đã kiểm tra",
            "the connection is encrypted and the certificate verified",
        ),
        (Some(_), Protection::Opportunistic | Protection::Off) => mended(finding(
            Verdict::Warning,
            "được mã hóa, nhưng kẻ xen giữa có thể tắt mã hóa (smtp://)",
            "encrypted, but who stands in between can switch that off (smtp://)",
        )),
        (None, _) if here => {
            finding(Verdict::Ok, "máy chủ chuyển thư ở ngay trên máy này", "the relay is on this machine")
        }
        (None, _) => mended(finding(
            Verdict::Fault,
            "thư và đường dẫn riêng của từng người đi qua mạng không mã hóa",
            "mails and everybody's own link cross the network in the clear",
        )),
    }
}

fn certificate(seen: &RelaySeen, now: Timestamp) -> Option<Finding> {
    seen.tls?;
    let Some(end) = seen.certificate_end else {
        let found = both("không đọc được hạn chứng thư", "the certificate's end cannot be read");
        let reason = both("chứng thư đã được kiểm tra khi kết nối", "the certificate was verified when connecting");
        return Some(Finding::new("certificate", &seen.place, Verdict::Warning, found, reason));
    };
    let days = end.as_second().saturating_sub(now.as_second()) / 86_400;
    let found = both(format!("còn {days} ngày"), format!("{days} days left"));
    if days >= SOON {
        let reason = both("đủ cho đợt khảo sát", "enough for the field time");
        return Some(Finding::new("certificate", &seen.place, Verdict::Ok, found, reason));
    }
    let reason = both(
        "chứng thư hết hạn trong thời gian khảo sát sẽ chặn mọi thư",
        "a certificate that ends during the field time stops every mail",
    );
    Some(Finding::new("certificate", &seen.place, Verdict::Warning, found, reason).remedy(
        "đề nghị người quản trị máy chủ chuyển thư gia hạn chứng thư",
        "ask the relay's administrator to renew it",
    ))
}

fn login(seen: &RelaySeen) -> Option<Finding> {
    if seen.failure.is_some() {
        return None;
    }
    let offer = parameters(seen, "AUTH");
    let mechanisms = offer.as_deref().unwrap_or_default();
    if seen.logged_in {
        let found = both(format!("AUTH {mechanisms}"), format!("AUTH {mechanisms}"));
        let reason = both("đăng nhập được", "the login works");
        return Some(Finding::new("login", &seen.place, Verdict::Ok, found, reason));
    }
    offer.as_ref()?;
    let found = both(format!("AUTH {mechanisms}, chưa đăng nhập"), format!("AUTH {mechanisms}, not logged in"));
    let reason =
        both("máy chủ có thể đòi đăng nhập mới chuyển thư ra ngoài", "the relay may pass nothing on without a login");
    Some(Finding::new("login", &seen.place, Verdict::Warning, found, reason).remedy(
        "nếu được cấp tài khoản, nêu người dùng trong --smtp và tệp mật khẩu bằng --smtp-password-file",
        "if you were given an account, name the user in --smtp and the password's file with --smtp-password-file",
    ))
}

fn extensions(seen: &RelaySeen) -> Finding {
    let size = parameters(seen, "SIZE").and_then(|text| text.trim().parse::<u64>().ok()).filter(|size| *size > 0);
    let mut parts = vec![size.map_or_else(|| "SIZE –".to_owned(), |size| format!("SIZE {size}"))];
    for keyword in ["8BITMIME", "PIPELINING", "SMTPUTF8", "DSN"] {
        let sign = if parameters(seen, keyword).is_some() { '+' } else { '−' };
        parts.push(format!("{sign}{keyword}"));
    }
    let found = both(parts.join(" "), parts.join(" "));
    let finding =
        |verdict, vi: &str, en: &str| Finding::new("relay", &seen.place, verdict, found.clone(), both(vi, en));
    match size {
        Some(size) if size < LEAST_SIZE => {
            finding(Verdict::Fault, "máy chủ chỉ nhận thư rất nhỏ", "the relay takes very small mails only").remedy(
                format!("đề nghị người quản trị nâng giới hạn lên ít nhất {LEAST_SIZE} byte"),
                format!("ask the administrator to raise the limit to at least {LEAST_SIZE} bytes"),
            )
        }
        Some(_) | None => finding(
            Verdict::Ok,
            "máy chủ chuyển được thư khảo sát; không gửi thư nào khi kiểm tra",
            "the relay can carry the survey's mails; none was sent to find out",
        ),
    }
}

/// What stands behind a keyword that the relay offered.
fn parameters(seen: &RelaySeen, keyword: &str) -> Option<String> {
    seen.offers.iter().find_map(|offer| {
        let (word, rest) = offer.split_once([' ', '=']).unwrap_or((offer, ""));
        word.eq_ignore_ascii_case(keyword).then(|| rest.to_owned())
    })
}
