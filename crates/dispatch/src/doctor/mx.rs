//! Where mails come back to: the exchangers of the sender's domains (RFC 5321, section 5.1; RFC 7505).
//!
//! Bounces must reach the return path, answers the reply address. No exchanger is connected to.

use std::collections::BTreeMap;
use std::net::IpAddr;

use parsurvey_index::tree::Text;

use super::known::Known;
use super::{Finding, Subject, Verdict, both, domain_of};

/// Whether a domain takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Takes {
    /// By exchangers, of which the second list has no address.
    Exchangers(Vec<String>, Vec<String>),
    /// By its own address alone.
    Address,
    /// It says that it takes none.
    Null,
    /// An exchanger named by an address instead of a name.
    Literal(String),
    /// None of its exchangers has an address.
    Dead(Vec<String>),
    /// It has neither exchanger nor address.
    Nothing,
    /// It could not be found out.
    NotKnown(Text),
}

/// How a domain takes mail.
pub(crate) fn takes(domain: &str, known: &Known) -> Takes {
    let exchangers = match known.exchangers(domain) {
        Ok(exchangers) => exchangers,
        Err(why) => return Takes::NotKnown(why),
    };
    if exchangers.is_empty() {
        return match known.addresses(domain) {
            Ok(addresses) if addresses.is_empty() => Takes::Nothing,
            Ok(_) => Takes::Address,
            Err(why) => Takes::NotKnown(why),
        };
    }
    let hosts: Vec<String> = exchangers.into_iter().map(|(_, host)| host).collect();
    if hosts.iter().any(String::is_empty) {
        return Takes::Null;
    }
    if let Some(literal) = hosts.iter().find(|host| host.parse::<IpAddr>().is_ok()) {
        return Takes::Literal(literal.clone());
    }
    // All are asked before any is judged, so that they are looked up in one round.
    let addresses: Vec<_> = hosts.iter().map(|host| known.addresses(host)).collect();
    let mut without = Vec::new();
    let mut unknown = None;
    for (host, addresses) in hosts.iter().zip(addresses) {
        match addresses {
            Ok(addresses) if addresses.is_empty() => without.push(host.clone()),
            Ok(_) => {}
            Err(why) => unknown = Some(why),
        }
    }
    match unknown {
        Some(why) => Takes::NotKnown(why),
        None if without.len() == hosts.len() => Takes::Dead(hosts),
        None => Takes::Exchangers(hosts, without),
    }
}

pub(crate) fn mx(subject: &Subject, known: &Known) -> Vec<Finding> {
    let mut roles: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    roles.entry(&subject.return_path).or_default().push(("thư báo lỗi", "bounces"));
    roles.entry(domain_of(&subject.from)).or_default().push(("người gửi", "the sender's address"));
    roles.entry(domain_of(&subject.reply_to)).or_default().push(("thư trả lời", "answers"));
    roles.into_iter().map(|(domain, roles)| of_domain(domain, &roles, takes(domain, known))).collect()
}

fn of_domain(domain: &str, roles: &[(&str, &str)], takes: Takes) -> Finding {
    let join = |part: fn(&(&str, &str)) -> String| roles.iter().map(part).collect::<Vec<_>>().join(", ");
    let role = both(join(|role| role.0.to_owned()), join(|role| role.1.to_owned()));
    let finding = |verdict, found: Text, vi: &str, en: &str| {
        let reason = both(format!("{vi} ({})", role.vi), format!("{en} ({})", role.en));
        Finding::new("mx", domain, verdict, found, reason)
    };
    let lost = |found: Text| {
        finding(Verdict::Fault, found, "thư gửi tới tên miền này sẽ mất", "mails to this domain are lost")
            .remedy(
                "công bố máy chủ nhận thư có địa chỉ; trong tệp vùng, tên phải kết thúc bằng dấu chấm",
                "publish an exchanger that has an address; in a zone file its name ends with a dot",
            )
            .publish(format!("{domain}. IN MX 10 mail.{domain}."))
    };
    match takes {
        Takes::NotKnown(why) => Finding::not_known("mx", domain, domain, &why),
        Takes::Exchangers(hosts, without) if without.is_empty() => finding(
            Verdict::Ok,
            both(hosts.join(", "), hosts.join(", ")),
            "tên miền nhận được thư",
            "the domain takes mail",
        ),
        Takes::Exchangers(_, without) => {
            let names = without.join(", ");
            finding(
                Verdict::Warning,
                both(format!("không có địa chỉ: {names}"), format!("without an address: {names}")),
                "thư phải thử máy khác và có thể chậm",
                "mails have to try another host and may be late",
            )
            .remedy("sửa tên hoặc xóa các bản ghi MX đó", "mend the names or remove those MX records")
        }
        Takes::Address => finding(
            Verdict::Warning,
            both("không có MX, chỉ có địa chỉ", "no MX, only an address"),
            "thư được gửi thẳng tới địa chỉ đó; một số máy chủ không gửi",
            "mails go to that address; some servers do not send there",
        )
        .remedy("công bố bản ghi MX", "publish an MX record")
        .publish(format!("{domain}. IN MX 10 {domain}.")),
        Takes::Null => {
            lost(both("MX rỗng: tên miền không nhận thư (RFC 7505)", "a null MX: the domain takes no mail (RFC 7505)"))
        }
        Takes::Literal(literal) => lost(both(
            format!("MX là địa chỉ IP {literal}, không phải tên máy"),
            format!("the MX is an IP address, {literal}, and no host name"),
        )),
        Takes::Dead(hosts) => {
            let names = hosts.join(", ");
            lost(both(format!("MX không có địa chỉ: {names}"), format!("no exchanger has an address: {names}")))
        }
        Takes::Nothing => lost(both("không có MX và không có địa chỉ", "neither MX nor address")),
    }
}
