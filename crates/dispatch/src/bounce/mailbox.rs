//! A file of mails: one mail (RFC 5322) or an mbox of many, told apart by the first line.
//!
//! Reads as a stream and keeps [`MAIL_LIMIT`] bytes of each mail, so a mailbox of any size costs the same memory.
//! Length fields of the mboxcl kinds are not read: a line begins a mail when it says `From `, somebody, and when.

use std::io::{self, BufRead, Read};

use super::MAIL_LIMIT;

/// Longest piece of a line that is read at once.
const PIECE: u64 = 64 * 1024;
const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The mails of a file, one after the other. An empty file holds none.
pub struct Mailbox<R> {
    reader: R,
    is_mbox: Option<bool>,
    /// Whether the last piece ended a line, and whether that line was empty.
    line_ended: bool,
    after_blank: bool,
    mail: Option<Vec<u8>>,
}

impl<R: BufRead> Mailbox<R> {
    /// Reads from `reader`; a file, standard input, or bytes.
    pub fn new(reader: R) -> Self {
        Self { reader, is_mbox: None, line_ended: true, after_blank: true, mail: None }
    }

    /// Takes one piece in; gives the mail that ends before it.
    fn take(&mut self, piece: &[u8]) -> Option<Vec<u8>> {
        let starts_line = self.line_ended;
        let may_begin = starts_line && self.after_blank;
        self.line_ended = piece.ends_with(b"\n");
        self.after_blank = starts_line && matches!(piece, b"\n" | b"\r\n");
        let is_mbox = match self.is_mbox {
            Some(is_mbox) => is_mbox,
            None if self.after_blank => return None,
            None => *self.is_mbox.insert(is_from_line(piece)),
        };
        if is_mbox && may_begin && is_from_line(piece) {
            return self.mail.replace(Vec::new());
        }
        let mail = self.mail.get_or_insert_default();
        let quoted = is_mbox && starts_line && {
            let bare = piece.trim_ascii_start();
            let marks = bare.iter().take_while(|byte| **byte == b'>').count();
            marks > 0 && piece.starts_with(b">") && bare[marks..].starts_with(b"From ")
        };
        let piece = if quoted { &piece[1..] } else { piece };
        let room = MAIL_LIMIT.saturating_sub(mail.len()).min(piece.len());
        mail.extend_from_slice(&piece[..room]);
        None
    }
}

impl<R: BufRead> Iterator for Mailbox<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = Vec::new();
        loop {
            piece.clear();
            match self.reader.by_ref().take(PIECE).read_until(b'\n', &mut piece) {
                Ok(0) => return self.mail.take().map(Ok),
                Ok(_) => {
                    if let Some(mail) = self.take(&piece) {
                        return Some(Ok(mail));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// `From somebody Mon Dec 18 09:01:02 2023`: a month's name and a time of day must stand in the line.
fn is_from_line(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    let words = || rest.split(|byte| byte.is_ascii_whitespace()).skip(1);
    let is_time =
        |word: &[u8]| matches!(word, [a, b, b':', c, d, ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()));
    words().any(is_time) && words().any(|word| MONTHS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::Mailbox;

    fn mails(bytes: &str) -> Vec<String> {
        let texts = Mailbox::new(bytes.as_bytes()).map(|mail| mail.expect("bytes can be read"));
        texts.map(|mail| String::from_utf8(mail).expect("the test is text")).collect()
    }

    #[test]
    fn one_mail_or_many() {
        let from = "From MAILER-DAEMON Mon Dec 18 09:01:02 2023\n";
        let table: &[(String, &[&str])] = &[
            (String::new(), &[]),
            ("\n\n".into(), &[]),
            ("A: b\n\nFrom me to you\n".into(), &["A: b\n\nFrom me to you\n"]),
            (format!("{from}A: 1\n\nx\n\n{from}A: 2\n\ny\n"), &["A: 1\n\nx\n\n", "A: 2\n\ny\n"]),
            (format!("\n{from}A: 1\n"), &["A: 1\n"]),
            (format!("{from}A: 1\n\n>From me\n>>From me\n> From me\n"), &["A: 1\n\nFrom me\n>From me\n> From me\n"]),
            // Without an empty line before it, or without a date, the line belongs to the mail.
            (format!("{from}A: 1\n\nx\n{from}"), &["A: 1\n\nx\nFrom MAILER-DAEMON Mon Dec 18 09:01:02 2023\n"]),
            (format!("{from}A: 1\n\nFrom May on, dear\n"), &["A: 1\n\nFrom May on, dear\n"]),
            (format!("{from}{from}"), &["From MAILER-DAEMON Mon Dec 18 09:01:02 2023\n"]),
        ];
        for (bytes, expected) in table {
            assert_eq!(mails(bytes), *expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_mail_without_end_costs_no_more_than_the_limit() {
        let endless = std::io::Read::take(std::io::repeat(b'a'), 5 << 20);
        let lengths: Vec<usize> =
            Mailbox::new(std::io::BufReader::new(endless)).map(|mail| mail.expect("it can be read").len()).collect();
        assert_eq!(lengths, [super::MAIL_LIMIT]);
    }
}
