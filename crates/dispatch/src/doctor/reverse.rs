//! The names of the addresses that send: each must have one that leads back to it (RFC 1912, section 2.1).

use std::net::IpAddr;

use super::known::{Known, Wanted};
use super::names::reverse_of;
use super::{Finding, Subject, Verdict, both, domain_of};

pub(crate) fn reverse(subject: &Subject, known: &Known) -> Vec<Finding> {
    let from = domain_of(&subject.from);
    subject.sends_from.iter().map(|ip| of_address(*ip, from, known)).collect()
}

fn of_address(ip: IpAddr, from: &str, known: &Known) -> Finding {
    let about = ip.to_string();
    let name = reverse_of(ip);
    let names = match known.pointers(&name) {
        Ok(names) => names,
        Err(why) => return Finding::not_known("reverse", &about, &name, &why),
    };
    let fault = |found| {
        let reason = both(
            "nhiều máy chủ lớn từ chối thư từ địa chỉ không có tên hai chiều",
            "many large servers refuse mails from an address whose name does not lead back to it",
        );
        let kind = if ip.is_ipv4() { "A" } else { "AAAA" };
        Finding::new("reverse", &about, Verdict::Fault, found, reason)
            .remedy(
                format!("đề nghị nhà cung cấp địa chỉ đặt tên ngược này, và công bố mail.{from}. IN {kind} {ip}"),
                format!("ask the address's provider to set this reverse name, and publish mail.{from}. IN {kind} {ip}"),
            )
            .publish(format!("{name}. IN PTR mail.{from}."))
    };
    if names.is_empty() {
        return fault(both("không có tên ngược (PTR)", "there is no reverse name (PTR)"));
    }
    // All are asked before any is judged, so that they are looked up in one round.
    let family = if ip.is_ipv4() { Wanted::A } else { Wanted::Aaaa };
    let addresses: Vec<_> = names.iter().map(|name| known.addresses_of(name, family)).collect();
    let list = names.join(", ");
    if addresses.iter().flatten().any(|addresses| addresses.contains(&ip)) {
        let reason = both("tên dẫn về đúng địa chỉ", "the name leads back to the address");
        return Finding::new("reverse", &about, Verdict::Ok, both(list.clone(), list), reason);
    }
    if let Some(why) = addresses.into_iter().find_map(Result::err) {
        return Finding::not_known("reverse", &about, &list, &why);
    }
    fault(both(format!("{list} không dẫn về {ip}"), format!("{list} does not lead back to {ip}")))
}
