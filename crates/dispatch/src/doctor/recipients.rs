//! Whether the recipients' domains take mail at all. Domains and numbers of people only, never an address.

use super::known::Known;
use super::mx::{Takes, takes};
use super::{Finding, Subject, Verdict, both};

pub(crate) fn recipients(subject: &Subject, known: &Known) -> Vec<Finding> {
    subject.recipients.iter().map(|(domain, people)| of_domain(domain, *people, takes(domain, known))).collect()
}

fn of_domain(domain: &str, people: u64, takes: Takes) -> Finding {
    let (verdict, what) = match takes {
        Takes::NotKnown(why) => return Finding::not_known("recipient", domain, domain, &why),
        Takes::Exchangers(hosts, _) => {
            let hosts = hosts.join(", ");
            (Verdict::Ok, both(format!("MX {hosts}"), format!("MX {hosts}")))
        }
        Takes::Address => (Verdict::Ok, both("nhận qua địa chỉ, không có MX", "by its address, without MX")),
        Takes::Null => {
            (Verdict::Fault, both("MX rỗng: không nhận thư (RFC 7505)", "a null MX: takes no mail (RFC 7505)"))
        }
        Takes::Literal(literal) => (
            Verdict::Warning,
            both(format!("MX là địa chỉ IP {literal}"), format!("the MX is an IP address, {literal}")),
        ),
        Takes::Dead(hosts) => {
            let hosts = hosts.join(", ");
            (
                Verdict::Fault,
                both(format!("MX không có địa chỉ: {hosts}"), format!("no exchanger has an address: {hosts}")),
            )
        }
        Takes::Nothing => (Verdict::Fault, both("không có MX và không có địa chỉ", "neither MX nor address")),
    };
    let found = both(format!("{people} người; {}", what.vi), format!("{people} people; {}", what.en));
    let finding = |reason| Finding::new("recipient", domain, verdict, found.clone(), reason);
    match verdict {
        Verdict::Ok => finding(both("tên miền nhận được thư", "the domain takes mail")),
        Verdict::Warning | Verdict::Unknown => {
            finding(both("nhiều máy chủ không gửi tới địa chỉ IP", "many servers do not send to an IP address"))
                .remedy("báo cho cơ quan đó sửa bản ghi MX", "tell that body to mend its MX record")
        }
        Verdict::Fault => {
            finding(both("thư mời tới những người này sẽ bị trả lại", "the invitations of these people will come back"))
                .remedy(
                    "kiểm tra tên miền trong danh sách; đề nghị đơn vị cung cấp địa chỉ đúng rồi nhập lại danh sách",
                    "check the domain in the list; ask the unit for the right addresses and import the list again",
                )
        }
    }
}
