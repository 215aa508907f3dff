//! The text of a mail as its reader sees it: for mails that others kept and hand in again.

use mail_parser::MessageParser;

/// Every text of a mail, decoded, one after the other; empty where the bytes are no mail.
#[must_use]
pub fn text_of(mail: &[u8]) -> String {
    let Some(parsed) = MessageParser::default().parse(mail) else { return String::new() };
    let mut text = String::new();
    for place in 0..parsed.text_body.len() {
        text.push_str(&parsed.body_text(place).unwrap_or_default());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::text_of;

    #[test]
    fn a_body_is_read_whatever_it_was_sent_in() {
        let head = "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
        let base64 = format!("{head}Content-Transfer-Encoding: base64\r\n\r\nxJDhuqd1IGNodeG7l2k6IGE9Yg==\r\n");
        let quoted = format!(
            "{head}Content-Transfer-Encoding: quoted-printable\r\n\r\n=C4=90=E1=BA=A7u chu=E1=BB=97i: a=3Db\r\n"
        );
        for mail in [base64, quoted] {
            assert_eq!(text_of(mail.as_bytes()).trim(), "Đầu chuỗi: a=b");
        }
        assert_eq!(text_of(b""), "");
    }
}
