//! DMARC (RFC 7489): is there a policy, and will the mails fulfil it.
//!
//! Whether they do needs one of two to pass and to be aligned: SPF by the return path's domain, DKIM by the signature's.
//! Reports that receivers send are not read here.

use parsurvey_index::tree::Text;

use super::dkim::tags;
use super::known::Known;
use super::{Finding, Subject, Verdict, both, domain_of, organisational, txt_line};

/// A policy record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// What receivers are asked to do with mails that fail: `none`, `quarantine` or `reject`.
    pub(crate) policy: String,
    /// The same for subdomains.
    pub(crate) subdomains: Option<String>,
    /// Whether DKIM and SPF must name exactly the From domain.
    pub(crate) strict_dkim: bool,
    pub(crate) strict_spf: bool,
    /// Percent of mails the policy is applied to.
    pub(crate) percent: u8,
    /// Domains that get aggregate reports.
    pub(crate) reports_to: Vec<String>,
}

pub(crate) fn dmarc(subject: &Subject, known: &Known) -> Vec<Finding> {
    let from = domain_of(&subject.from);
    let (place, texts) = match discover(from, known) {
        Ok(found) => found,
        Err((name, why)) => return vec![Finding::not_known("dmarc", from, &name, &why)],
    };
    let [text] = texts.as_slice() else {
        return vec![not_one(from, texts.len())];
    };
    let record = match read(text) {
        Ok(record) => record,
        Err(reason) => {
            let found = both(format!("\"{text}\""), format!("\"{text}\""));
            let finding = Finding::new("dmarc", &place, Verdict::Fault, found, reason);
            return vec![suggestion(finding, from)];
        }
    };
    let mut findings = vec![judge(&place, from, text, &record)];
    findings.extend(record.reports_to.iter().filter_map(|domain| foreign_reports(&place, domain, known)));
    findings.push(alignment(subject, from, &record));
    findings
}

/// The policy records of the domain or, where it has none, of its organisation (section 6.6.3).
fn discover(from: &str, known: &Known) -> Result<(String, Vec<String>), (String, Text)> {
    let mut places = vec![from];
    if organisational(from) != from {
        places.push(organisational(from));
    }
    let mut at = String::new();
    for place in places {
        at = format!("_dmarc.{place}");
        let texts = known.texts(&at).map_err(|why| (at.clone(), why))?;
        let is_policy = |text: &String| {
            let first = text.split(';').next().unwrap_or_default();
            first.split_once('=').is_some_and(|(name, value)| name.trim() == "v" && value.trim() == "DMARC1")
        };
        let policies: Vec<String> = texts.into_iter().filter(is_policy).collect();
        if !policies.is_empty() {
            return Ok((at, policies));
        }
    }
    Ok((at, Vec::new()))
}

fn not_one(from: &str, number: usize) -> Finding {
    let (found, reason) = if number == 0 {
        (
            both("không có bản ghi DMARC", "there is no DMARC record"),
            both(
                "các nhà cung cấp lớn đòi hỏi DMARC với thư gửi hàng loạt, và ai cũng có thể giả danh tên miền này",
                "large providers demand DMARC of who sends many mails, and anybody can forge this domain",
            ),
        )
    } else {
        (
            both(format!("có {number} bản ghi DMARC"), format!("there are {number} DMARC records")),
            both(
                "có hơn một bản ghi thì không bản ghi nào được áp dụng (RFC 7489, mục 6.6.3)",
                "with more than one, none is applied (RFC 7489, section 6.6.3)",
            ),
        )
    };
    suggestion(Finding::new("dmarc", from, Verdict::Fault, found, reason), from)
}

fn suggestion(finding: Finding, from: &str) -> Finding {
    finding
        .remedy(
            "công bố đúng một bản ghi TXT này; khi báo cáo cho thấy mọi thư đều đạt, đổi p=none thành p=reject",
            "publish this one TXT record; once the reports show that every mail passes, turn p=none into p=reject",
        )
        .publish(line(from, "none"))
}

fn line(from: &str, policy: &str) -> String {
    txt_line(&format!("_dmarc.{from}"), &format!("v=DMARC1; p={policy}; rua=mailto:dmarc@{from}"))
}

fn judge(place: &str, from: &str, text: &str, record: &Record) -> Finding {
    let found = both(format!("\"{text}\""), format!("\"{text}\""));
    let finding = |verdict, vi: &str, en: &str| Finding::new("dmarc", place, verdict, found.clone(), both(vi, en));
    let applied = if place == format!("_dmarc.{from}") {
        &record.policy
    } else {
        record.subdomains.as_ref().unwrap_or(&record.policy)
    };
    if record.reports_to.is_empty() {
        return finding(
            Verdict::Warning,
            "không có rua: sẽ không ai cho biết thư nào không đạt",
            "there is no rua: nobody will tell which mails fail",
        )
        .remedy("thêm địa chỉ nhận báo cáo", "add an address for reports")
        .publish(line(from, applied));
    }
    if record.percent < 100 {
        return finding(
            Verdict::Warning,
            "pct dưới 100: chính sách chỉ áp dụng cho một phần thư",
            "pct is under 100: the policy is applied to a part of the mails",
        )
        .remedy("bỏ pct khỏi bản ghi", "take pct out of the record");
    }
    if applied == "none" {
        return finding(
            Verdict::Warning,
            "p=none chỉ theo dõi: thư giả danh vẫn được nhận",
            "p=none only watches: forged mails are still taken",
        )
        .remedy(
            "khi báo cáo cho thấy mọi thư đều đạt, đổi thành p=quarantine rồi p=reject",
            "once the reports show that every mail passes, turn it into p=quarantine and then p=reject",
        )
        .publish(line(from, "quarantine"));
    }
    finding(Verdict::Ok, "thư giả danh sẽ bị chặn và có báo cáo", "forged mails are stopped, and reports are sent")
}

/// Another organisation must agree to get reports (section 7.1), else they are not sent.
fn foreign_reports(place: &str, domain: &str, known: &Known) -> Option<Finding> {
    let of = place.strip_prefix("_dmarc.").unwrap_or(place);
    if organisational(domain) == organisational(of) {
        return None;
    }
    let name = format!("{of}._report._dmarc.{domain}");
    match known.texts(&name) {
        Err(why) => Some(Finding::not_known("dmarc", place, &name, &why)),
        Ok(texts) if texts.iter().any(|text| text.trim_start().starts_with("v=DMARC1")) => None,
        Ok(_) => {
            let found = both(format!("báo cáo gửi tới {domain}"), format!("reports go to {domain}"));
            let reason = both(
                "tên miền đó chưa đồng ý nhận báo cáo (RFC 7489, mục 7.1), nên sẽ không có báo cáo",
                "that domain does not agree to get them (RFC 7489, section 7.1), so that none are sent",
            );
            let finding = Finding::new("dmarc", place, Verdict::Warning, found, reason);
            Some(
                finding
                    .remedy(
                        "đề nghị chủ tên miền đó công bố bản ghi này",
                        "ask that domain's owner to publish this record",
                    )
                    .publish(txt_line(&name, "v=DMARC1")),
            )
        }
    }
}

fn alignment(subject: &Subject, from: &str, record: &Record) -> Finding {
    let aligned = |domain: &str, strict: bool| {
        if strict { domain == from } else { organisational(domain) == organisational(from) }
    };
    let spf = aligned(&subject.return_path, record.strict_spf);
    let dkim = subject.signer.as_ref().map(|signer| aligned(&signer.domain, record.strict_dkim));
    let word = |aligned: bool| if aligned { ("khớp", "aligned") } else { ("không khớp", "not aligned") };
    let signer = subject.signer.as_ref().map_or(("không ký".to_owned(), "none".to_owned()), |signer| {
        let (vi, en) = word(dkim == Some(true));
        (format!("{} {vi}", signer.domain), format!("{} {en}", signer.domain))
    });
    let found = both(
        format!("SPF: {} {}; DKIM: {}", subject.return_path, word(spf).0, signer.0),
        format!("SPF: {} {}; DKIM: {}", subject.return_path, word(spf).1, signer.1),
    );
    let finding = |verdict, vi: &str, en: &str| Finding::new("alignment", from, verdict, found.clone(), both(vi, en));
    match (spf, dkim) {
        (true, Some(true)) => finding(
            Verdict::Ok,
            "cả SPF và DKIM đều cùng tên miền với địa chỉ người gửi",
            "both SPF and DKIM are of the From address's domain",
        ),
        (false, Some(false) | None) => finding(
            Verdict::Fault,
            "không cái nào cùng tên miền với địa chỉ người gửi: DMARC sẽ không đạt dù SPF và DKIM đúng",
            "neither is of the From address's domain: DMARC fails even where SPF and DKIM pass",
        )
        .remedy(
            format!("ký bằng khóa của {from}, hoặc đặt địa chỉ trả về trong {from}"),
            format!("sign with a key of {from}, or put the return path into {from}"),
        ),
        (true, Some(false) | None) => finding(
            Verdict::Warning,
            "DMARC chỉ dựa vào SPF và mất hiệu lực khi thư được chuyển tiếp",
            "DMARC rests on SPF alone and is lost when a mail is forwarded",
        )
        .remedy(format!("ký thư bằng khóa của {from}"), format!("sign with a key of {from}")),
        (false, Some(true)) => finding(
            Verdict::Warning,
            "DMARC chỉ dựa vào chữ ký; máy chủ sửa thư trên đường sẽ làm hỏng nó",
            "DMARC rests on the signature alone; a server that changes mails on the way breaks it",
        )
        .remedy(
            format!("đặt địa chỉ trả về trong {from} hoặc tên miền con"),
            format!("put the return path into {from} or a domain below it"),
        ),
    }
}

/// Reads a policy record.
///
/// # Errors
/// What makes receivers disregard it.
pub(crate) fn read(text: &str) -> Result<Record, Text> {
    let tags =
        tags(text).ok_or_else(|| both("không đọc được các thẻ tên=giá trị", "it is no list of tags, name=value"))?;
    let tag = |name: &str| tags.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let policies = ["none", "quarantine", "reject"];
    let policy = |name: &'static str| -> Result<Option<String>, Text> {
        let Some(value) = tag(name) else { return Ok(None) };
        let value = value.to_ascii_lowercase();
        if policies.contains(&value.as_str()) {
            return Ok(Some(value));
        }
        Err(both(
            format!("{name}={value} không phải none, quarantine hay reject"),
            format!("{name}={value} is neither none, quarantine nor reject"),
        ))
    };
    let strict = |name: &'static str| match tag(name).map(str::to_ascii_lowercase).as_deref() {
        None | Some("r") => Ok(false),
        Some("s") => Ok(true),
        Some(_) => Err(both(format!("{name}= phải là r hoặc s"), format!("{name}= must be r or s"))),
    };
    let percent = match tag("pct") {
        None => 100,
        Some(text) => text
            .parse()
            .ok()
            .filter(|percent| *percent <= 100)
            .ok_or_else(|| both("pct phải từ 0 đến 100", "pct must be from 0 to 100"))?,
    };
    let mut reports_to = Vec::new();
    for uri in tag("rua").unwrap_or_default().split(',').map(str::trim).filter(|uri| !uri.is_empty()) {
        // A limit of size may follow: mailto:a@b.example!10m
        let address = uri.split('!').next().unwrap_or_default();
        let domain = address
            .get(..7)
            .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
            .and_then(|_| address[7..].rsplit_once('@'))
            .and_then(|(_, domain)| super::ascii_domain(domain));
        reports_to.push(domain.ok_or_else(|| both("rua phải là mailto:địa-chỉ", "rua must be mailto:ADDRESS"))?);
    }
    Ok(Record {
        policy: policy("p")?.ok_or_else(|| both("thiếu p= (chính sách)", "p= (the policy) is missing"))?,
        subdomains: policy("sp")?,
        strict_dkim: strict("adkim")?,
        strict_spf: strict("aspf")?,
        percent,
        reports_to,
    })
}
