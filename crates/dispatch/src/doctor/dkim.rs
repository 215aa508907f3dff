//! The record that publishes the key mails are signed with (RFC 6376, section 3.6; RFC 8301; RFC 8463).
//!
//! Signing and verifying a mail are not here: whether a signature holds is tried elsewhere, with real mails.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use parsurvey_index::tree::Text;

use super::der::{RsaPublic, Wrapped, public_key, wrap_rsa};
use super::known::Known;
use super::{Finding, Signer, SigningKey, Subject, Verdict, both, domain_of, txt_line};

/// A record whose tags were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    Rsa(RsaPublic),
    /// As [`Record::Rsa`], in a form that not everybody reads.
    BareRsa(RsaPublic),
    Ed25519(Vec<u8>),
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) Text);

pub(crate) fn dkim(subject: &Subject, known: &Known) -> Vec<Finding> {
    let Some(signer) = &subject.signer else {
        let from = domain_of(&subject.from);
        let found = both("chương trình không ký thư (DKIM)", "this program signs no mail (DKIM)");
        let reason = both(
            "không có chữ ký, DMARC chỉ dựa vào SPF và mất hiệu lực khi thư được chuyển tiếp",
            "without a signature DMARC rests on SPF alone and is lost when a mail is forwarded",
        );
        return vec![Finding::new("dkim", from, Verdict::Warning, found, reason).remedy(
            "ký bằng --dkim-key và --dkim-selector; nếu máy chủ chuyển thư ký, nêu tên khóa bằng --relay-selector",
            "sign with --dkim-key and --dkim-selector; if the relay signs, name its key with --relay-selector",
        )];
    };
    let name = format!("{}._domainkey.{}", signer.selector, signer.domain);
    let texts = match known.texts(&name) {
        Ok(texts) => texts,
        Err(why) => return vec![Finding::not_known("dkim", &name, &name, &why)],
    };
    vec![judge(signer, &name, &texts)]
}

fn judge(signer: &Signer, name: &str, texts: &[String]) -> Finding {
    let fault = |found: Text, reason: Text| {
        let finding = Finding::new("dkim", name, Verdict::Fault, found, reason);
        publishing(finding, signer, name)
    };
    let [text] = texts else {
        if texts.is_empty() {
            return fault(
                both("không có bản ghi TXT", "there is no TXT record"),
                both(
                    "máy chủ nhận không kiểm tra được chữ ký và coi như thư không ký",
                    "receivers cannot verify the signature and treat the mail as unsigned",
                ),
            );
        }
        return fault(
            both(format!("có {} bản ghi TXT", texts.len()), format!("there are {} TXT records", texts.len())),
            both(
                "tên khóa chỉ được có một bản ghi; có nhiều thì kết quả không xác định (RFC 6376, mục 3.6.2.2)",
                "a selector has one record; with more the result is undefined (RFC 6376, section 3.6.2.2)",
            ),
        );
    };
    let (record, testing) = match read(text) {
        Ok(read) => read,
        Err(Broken(reason)) => return fault(both("bản ghi bị lỗi", "the record is broken"), reason),
    };
    if !matches_key(&record, signer) {
        return fault(
            found(&record),
            both(
                "khóa công bố không khớp với khóa ký (--dkim-key): mọi chữ ký sẽ bị coi là sai",
                "the published key is not that of --dkim-key: every signature will be found false",
            ),
        );
    }
    strength(&record, testing, signer, name)
}

/// The verdict on a record that can be used.
fn strength(record: &Record, testing: bool, signer: &Signer, name: &str) -> Finding {
    let finding = |verdict, reason: Text| Finding::new("dkim", name, verdict, found(record), reason);
    let again = |finding: Finding| {
        finding.remedy(
            "tạo khóa RSA 2048 bit, công bố dưới tên khóa mới rồi chuyển sang ký bằng khóa đó",
            "make an RSA key of 2048 bits, publish it under a new selector and sign with it",
        )
    };
    let (bits, bare) = match record {
        Record::Ed25519(_) => {
            let reason = both(
                "nhiều máy chủ nhận chỉ hiểu RSA và coi thư chỉ ký Ed25519 là không ký",
                "many receivers know RSA alone and treat a mail that only Ed25519 signs as unsigned",
            );
            return again(finding(Verdict::Warning, reason));
        }
        Record::Rsa(key) => (key.bits(), false),
        Record::BareRsa(key) => (key.bits(), true),
    };
    if bits < 1024 {
        let reason = both(
            "khóa dưới 1024 bit bị bỏ qua (RFC 8301, mục 3.2)",
            "keys under 1024 bits are not considered (RFC 8301, section 3.2)",
        );
        return again(finding(Verdict::Fault, reason));
    }
    if bits < 2048 {
        let reason = both("khóa dưới 2048 bit là yếu (RFC 8301)", "keys under 2048 bits are weak (RFC 8301)");
        return again(finding(Verdict::Warning, reason));
    }
    if bare {
        let reason = both(
            "khóa được ghi dạng RSAPublicKey; một số máy chủ chỉ đọc dạng SubjectPublicKeyInfo",
            "the key is written as RSAPublicKey; some receivers read SubjectPublicKeyInfo alone",
        );
        return publishing(finding(Verdict::Warning, reason), signer, name);
    }
    if testing {
        let reason = both(
            "cờ t=y cho biết đang thử nghiệm: máy chủ nhận được phép bỏ qua chữ ký",
            "the flag t=y says testing: receivers may disregard the signature",
        );
        return finding(Verdict::Warning, reason)
            .remedy("bỏ t=y khỏi bản ghi trước khi gửi", "take t=y out of the record before sending");
    }
    let reason = match signer.key {
        Some(_) => both("khóa công bố khớp với khóa ký", "the published key is that of --dkim-key"),
        None => both(
            "bản ghi hợp lệ; khóa do máy chủ chuyển thư giữ nên không đối chiếu được",
            "the record is in order; the relay holds the key, so that it cannot be compared",
        ),
    };
    finding(Verdict::Ok, reason)
}

fn found(record: &Record) -> Text {
    match record {
        Record::Rsa(key) | Record::BareRsa(key) => {
            both(format!("khóa RSA {} bit", key.bits()), format!("an RSA key of {} bits", key.bits()))
        }
        Record::Ed25519(_) => both("khóa Ed25519", "an Ed25519 key"),
    }
}

fn matches_key(record: &Record, signer: &Signer) -> bool {
    match (&signer.key, record) {
        (None, _) => true,
        (Some(SigningKey::Rsa(der)), Record::Rsa(key) | Record::BareRsa(key)) => {
            RsaPublic::bare(der).as_ref() == Some(key)
        }
        (Some(SigningKey::Ed25519(bytes)), Record::Ed25519(key)) => bytes == key,
        (Some(_), Record::Rsa(_) | Record::BareRsa(_) | Record::Ed25519(_)) => false,
    }
}

/// Adds what to publish: the whole record where the key is held here.
fn publishing(finding: Finding, signer: &Signer, name: &str) -> Finding {
    match &signer.key {
        Some(key) => finding
            .remedy(
                "công bố đúng một bản ghi TXT này (chuỗi dài được chia thành các đoạn 255 ký tự)",
                "publish this one TXT record (long texts are split into strings of 255 characters)",
            )
            .publish(line(name, key)),
        None => finding.remedy(
            "lấy bản ghi từ người quản trị máy chủ chuyển thư và công bố đúng một bản ghi TXT",
            "get the record from the relay's administrator and publish one TXT record",
        ),
    }
}

/// The line of a zone file that publishes a key.
pub(crate) fn line(name: &str, key: &SigningKey) -> String {
    let record = match key {
        SigningKey::Rsa(bare) => format!("v=DKIM1; k=rsa; p={}", BASE64.encode(wrap_rsa(bare))),
        SigningKey::Ed25519(bytes) => format!("v=DKIM1; k=ed25519; p={}", BASE64.encode(bytes)),
    };
    txt_line(name, &record)
}

/// Reads a record; the flag tells whether it is marked as a test.
pub(crate) fn read(text: &str) -> Result<(Record, bool), Broken> {
    let broken = |vi: String, en: String| Broken(both(vi, en));
    let tags = tags(text).ok_or_else(|| {
        broken("không đọc được các thẻ tên=giá trị".into(), "it is no list of tags, name=value".into())
    })?;
    let tag = |name: &str| tags.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if let Some(place) = tags.iter().position(|(name, _)| name == "v")
        && (place != 0 || tags[0].1 != "DKIM1")
    {
        return Err(broken("bản ghi phải bắt đầu bằng v=DKIM1".into(), "the record must begin with v=DKIM1".into()));
    }
    let among = |tag: Option<&str>, wanted: &[&str]| {
        tag.is_none_or(|list| list.split(':').any(|word| wanted.contains(&word.trim())))
    };
    if !among(tag("s"), &["*", "email"]) {
        return Err(broken("thẻ s= không cho phép thư điện tử".into(), "the tag s= does not allow e-mail".into()));
    }
    if !among(tag("h"), &["sha256"]) {
        return Err(broken("thẻ h= không cho phép sha256".into(), "the tag h= does not allow sha256".into()));
    }
    let key: String = tag("p")
        .ok_or_else(|| broken("thiếu thẻ p= (khóa)".into(), "the tag p= (the key) is missing".into()))?
        .split_whitespace()
        .collect();
    if key.is_empty() {
        return Err(broken("thẻ p= rỗng: khóa đã bị thu hồi".into(), "the tag p= is empty: the key is revoked".into()));
    }
    let bytes = BASE64.decode(&key).map_err(|_| {
        broken(
            "khóa ở p= không phải base64; có thể bị cắt ở 255 ký tự hoặc lẫn dấu nháy".into(),
            "the key at p= is no base64; it may have been cut at 255 characters or hold quotes".into(),
        )
    })?;
    let testing = tag("t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y"));
    let unreadable = || {
        broken(
            "khóa ở p= không đọc được; có thể bị cắt ngắn".into(),
            "the key at p= cannot be read; it may have been cut short".into(),
        )
    };
    match tag("k").unwrap_or("rsa") {
        "rsa" => match public_key(&bytes).ok_or_else(unreadable)? {
            Wrapped::Rsa(key) => Ok((Record::Rsa(key), testing)),
            Wrapped::BareRsa(key) => Ok((Record::BareRsa(key), testing)),
            Wrapped::LongEd25519 => Err(unreadable()),
        },
        "ed25519" if bytes.len() == 32 => Ok((Record::Ed25519(bytes), testing)),
        "ed25519" => Err(broken(
            "khóa Ed25519 phải là đúng 32 byte, không kèm phần đầu (RFC 8463)".into(),
            "an Ed25519 key is its 32 bytes alone, without a wrapping (RFC 8463)".into(),
        )),
        other => {
            Err(broken(format!("loại khóa '{other}' không được biết"), format!("the key type '{other}' is not known")))
        }
    }
}

/// `name=value; …` (RFC 6376, section 3.2); `None` where a part is none or a name comes twice.
pub(crate) fn tags(text: &str) -> Option<Vec<(String, String)>> {
    let mut tags: Vec<(String, String)> = Vec::new();
    let parts: Vec<&str> = text.split(';').collect();
    for (place, part) in parts.iter().enumerate() {
        if part.trim().is_empty() && place + 1 == parts.len() {
            break;
        }
        let (name, value) = part.split_once('=')?;
        let name = name.trim();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name || tags.iter().any(|(known, _)| known == name) {
            return None;
        }
        tags.push((name.to_owned(), value.trim().to_owned()));
    }
    (!tags.is_empty()).then_some(tags)
}
