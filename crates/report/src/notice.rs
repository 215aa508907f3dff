//! The last mail to an address that was given up: that its link is dead, and whom to tell if that is a surprise.
//!
//! It names neither who follows nor the other address, and carries no link.

use parsurvey_survey::campaign::Campaign;
use parsurvey_survey::control::NoticeKind;
use parsurvey_survey::template::Mail;

use crate::digest::digest_html;

/// The mail, in both languages.
#[must_use]
pub fn notice_mail(kind: NoticeKind, campaign: &Campaign) -> Mail {
    let (happened_vi, happened_en) = match kind {
        NoticeKind::Address => (
            "Địa chỉ nhận thư của Ông/Bà trong đợt khảo sát đã được đổi sang địa chỉ khác theo đề nghị của đơn vị.",
            "At your unit's request, your mails about this survey go to another address from now on.",
        ),
        NoticeKind::Replaced => (
            "Phiếu khảo sát trước đây gửi cho Ông/Bà đã được chuyển cho người khác theo đề nghị của đơn vị.",
            "At your unit's request, the form that you were sent has passed on to another person.",
        ),
        NoticeKind::Left => (
            "Theo đề nghị của đơn vị, Ông/Bà không còn trong danh sách người trả lời của đợt khảo sát.",
            "At your unit's request, you are not in the list of this survey's respondents any more.",
        ),
    };
    let sender = &campaign.sender;
    let vi = format!(
        "Kính gửi Ông/Bà,\n\n{happened_vi}\n\nĐợt khảo sát: {}.\n\n\
         Liên kết đã gửi tới địa chỉ này (nếu có) không còn dùng được. Ông/Bà không cần làm gì thêm.\n\n\
         Nếu Ông/Bà không biết việc này hoặc không đồng ý, đề nghị báo ngay cho bộ phận hỗ trợ: {}, {}.\n\n{}\n",
        campaign.title.vi, sender.helpline_phone, sender.helpline_email, sender.organiser.vi
    );
    let en = format!(
        "Dear Sir or Madam,\n\n{happened_en}\n\nThe survey: {}.\n\n\
         The link that was sent to this address, if any, does not work any more. You need not do anything.\n\n\
         If this is news to you, or you do not agree, please tell the helpline at once: {}, {}.\n\n{}\n",
        campaign.title.en, sender.helpline_phone, sender.helpline_email, sender.organiser.en
    );
    Mail {
        subject: "Thông báo thay đổi về phiếu khảo sát / A change about your survey form".to_owned(),
        html: digest_html(&vi, &en),
        text: format!("{vi}\n----- ENGLISH -----\n\n{en}"),
    }
}
