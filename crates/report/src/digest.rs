//! The operator's digest in words: text for terminal and mail, and the same in a mail's HTML.
//!
//! Numbers of forms and names of units; no person, address, answer or refusal.

use parsurvey_survey::campaign::Campaign;
use parsurvey_survey::chase::{Behind, Digest, Due};

use crate::lang::Lang;
use crate::number;

/// The digest as text, about twenty lines.
#[must_use]
pub fn digest_text(digest: &Digest, campaign: &Campaign, lang: Lang) -> String {
    let pick = |vi: &'static str, en: &'static str| match lang {
        Lang::Vi => vi,
        Lang::En => en,
    };
    let count = |value| number::count(value, lang);
    let share = |share: parsurvey_survey::status::Share| {
        let part = format!("{}/{}", count(share.completed), count(share.forms));
        let percent = number::share(share.completed, share.forms);
        percent.value().map_or_else(|| part.clone(), |value| format!("{part} ({})", number::percent(value, lang)))
    };
    let (headline, total, trouble) = (digest.headline, digest.total, digest.trouble);
    let mut lines = vec![
        format!("{} – {}", lang.of(&campaign.title), number::moment(&digest.as_of, lang)),
        String::new(),
        format!(
            "{}: {}; {}: {}; {}: {}",
            pick("Đã gửi phiếu", "Submitted"),
            share(headline.counted),
            pick("trừ người được miễn", "without the excused"),
            share(headline.able),
            pick("tất cả các nhóm", "every group"),
            share(headline.all)
        ),
        format!("{}: +{}", pick("Trong 24 giờ qua", "In the last 24 hours"), count(digest.submitted_since_yesterday)),
        format!(
            "{}: {} ({}: {}; {}: {}; {}: {})",
            pick("Còn phải gửi", "Outstanding"),
            count(total.outstanding),
            pick("thư chưa đến", "not delivered"),
            count(total.not_delivered),
            pick("chưa phản hồi", "silent"),
            count(total.silent),
            pick("đã bắt đầu hoặc liên hệ", "begun or in touch"),
            count(total.started)
        ),
    ];
    let section = |lines: &mut Vec<String>, vi, en| lines.extend([String::new(), pick(vi, en).to_owned()]);
    section(&mut lines, "Việc gửi thư cần xem", "Delivery to look at");
    for (vi, en, value) in [
        ("phiếu mà thư chưa đến", "forms whose mail did not arrive", trouble.not_delivered),
        ("phiếu có thư chưa rõ kết quả", "forms with a mail of unknown outcome", trouble.unknown),
        ("phiếu có thư đang chờ gửi", "forms with a mail that waits", trouble.waiting),
        ("thư gửi đầu mối chưa rõ kết quả", "letters to coordinators of unknown outcome", trouble.letters_unknown),
        ("thư gửi đầu mối bị từ chối", "letters to coordinators that were refused", trouble.letters_refused),
    ] {
        lines.push(format!("  {} {}", count(value), pick(vi, en)));
    }
    section(&mut lines, "Sắp đến", "Due next");
    lines.extend(digest.due.iter().map(|due| format!("  {}: {}", due_words(due, lang), number::moment(&due.at, lang))));
    if digest.letters > 0 {
        let words = pick("văn bản đôn đốc cần ký hoặc gửi", "letters to units to sign or send");
        lines.push(format!("  {} {words}", count(digest.letters)));
    }
    if !digest.behind.is_empty() {
        section(&mut lines, "Đơn vị còn nhiều phiếu nhất", "Units most behind");
        lines.extend(digest.behind.iter().map(|unit| behind_line(unit, campaign, lang)));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn behind_line(behind: &Behind, campaign: &Campaign, lang: Lang) -> String {
    let unit = campaign.units.iter().find(|unit| unit.code.as_str() == behind.unit);
    let name = unit.map_or(behind.unit.as_str(), |unit| &unit.name);
    format!("  {name}: {}/{}", number::count(behind.outstanding, lang), number::count(behind.listed, lang))
}

fn due_words(due: &Due, lang: Lang) -> String {
    let word = due.what.split(' ').next().unwrap_or_default();
    let name = match (word, lang) {
        ("prenotice", Lang::Vi) => "thư báo trước",
        ("invitation", Lang::Vi) => "thư mời",
        ("reminder", Lang::Vi) => "thư nhắc đợt",
        ("deadline", Lang::Vi) => "hạn trả lời",
        (other, Lang::Vi | Lang::En) => other,
    };
    due.what.replacen(word, name, 1)
}

/// The subject of the digest's mail, in both languages.
#[must_use]
pub fn digest_subject(digest: &Digest) -> String {
    let share = digest.headline.counted;
    format!(
        "Bản tin khảo sát: {0}/{1} phiếu, còn {2} / Survey digest: {0}/{1} forms, {2} outstanding",
        share.completed, share.forms, digest.total.outstanding
    )
}

/// The HTML of the digest's mail: the two texts as they are, in the reader's own font.
#[must_use]
pub fn digest_html(vi: &str, en: &str) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<!doctype html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>parsurvey</title>\n</head>\n\
         <body style=\"font-family:Arial,sans-serif;font-size:16px;line-height:1.5;max-width:640px;margin:auto;padding:16px\">\n\
         <div style=\"white-space:pre-wrap\">{}</div>\n<hr>\n<div lang=\"en\" style=\"white-space:pre-wrap\">{}</div>\n</body>\n</html>\n",
        escaped(vi),
        escaped(en)
    )
}
