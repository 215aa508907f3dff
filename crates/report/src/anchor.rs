//! The mail that carries an anchor to the body outside: what it is, what to do with it, and the block itself.

use parsurvey_survey::anchor::Anchor;
use parsurvey_survey::campaign::Campaign;
use parsurvey_survey::template::Mail;

use crate::digest::digest_html;
use crate::lang::Lang;
use crate::number;

/// The mail of an anchor. It names no person and no unit.
#[must_use]
pub fn anchor_mail(anchor: &Anchor, campaign: &Campaign) -> Mail {
    let day = anchor.day.strftime("%d/%m/%Y");
    let vi = format!(
        "Kính gửi Ông/Bà,\n\n\
         Đây là thư tự động về nhật ký của đợt khảo sát “{}”. Tại thời điểm ghi dưới đây, nhật ký có {} mục; \
         mã băm của mục cuối phụ thuộc vào toàn bộ các mục trước đó.\n\n\
         Đề nghị Ông/Bà lưu giữ nguyên thư này ở nơi mà đơn vị khảo sát không sửa, xóa được. Nếu về sau có người sửa nhật ký \
         rồi tính lại toàn bộ chuỗi mã băm, chỉ đối chiếu với các thư đã lưu mới phát hiện được, bằng lệnh:\n\n\
         parsurvey audit verify --anchor TỆP\n\n\
         Mỗi ngày có một thư. Nếu có ngày không nhận được thư, đề nghị hỏi lại đơn vị khảo sát. Thư này không chứa dữ liệu cá nhân.\n\n{}",
        campaign.title.vi,
        number::count(anchor.entries.unsigned_abs(), Lang::Vi),
        anchor.block(),
    );
    let en = format!(
        "This is an automatic mail about the log of the survey “{}”. At the moment below the log had {} entries; the hash of \
         the last one rests on all before it.\n\n\
         Please keep this mail as it is, where the surveying body can neither change nor delete it. If somebody later changes \
         the log and recomputes its whole chain of hashes, only a comparison with the mails that you kept shows it, by the command\n\n\
         parsurvey audit verify --anchor FILE\n\n\
         One mail comes each day. If none comes on some day, please ask the surveying body why. This mail holds no personal data.\n",
        campaign.title.en,
        number::count(anchor.entries.unsigned_abs(), Lang::En),
    );
    Mail {
        subject: format!("Đầu chuỗi nhật ký {} ngày {day} / Head of the log", anchor.campaign),
        html: digest_html(&vi, &en),
        text: format!("{vi}\n----- ENGLISH -----\n\n{en}"),
    }
}
