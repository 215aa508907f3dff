//! How a relay's reply is read: whose fault it is, whether for good, and what of its words may be kept.
//!
//! A reply can quote the person's address, and a filter's reply can quote the link out of the body; neither is kept.
//! What is taken out is replaced by a bracketed word, so that the rest still reads as a sentence.

use crate::delivery::{Delivery, Enhanced, Outcome, Stage};
use crate::letter::Envelope;

/// The longest text that is kept, in characters.
const TEXT_LIMIT: usize = 240;

/// A run of letters and digits this long may be a secret: links carry at least 22 such characters.
const SECRET_RUN: usize = 20;

/// A reply as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The basic code.
    pub(crate) code: u16,
    /// The lines, joined by spaces, without the code.
    pub(crate) text: String,
}

impl Said {
    /// Whether the relay is about to hang up, whatever else it says.
    pub(crate) fn is_closing(&self) -> bool {
        self.code == 421
    }

    /// Whether the code is of the class 2.
    pub(crate) fn is_yes(&self) -> bool {
        (200..300).contains(&self.code)
    }

    fn enhanced(&self) -> Option<Enhanced> {
        self.text.split_whitespace().next()?.parse().ok()
    }

    /// What the reply means for the mail in hand.
    pub(crate) fn judge(&self, stage: Stage, envelope: Option<&Envelope>) -> Delivery {
        let enhanced = self.enhanced();
        let words = match enhanced {
            Some(_) => self.text.trim_start().split_once(' ').map_or("", |(_, rest)| rest),
            None => self.text.as_str(),
        };
        Delivery {
            outcome: outcome(stage, self.code, enhanced),
            stage,
            code: Some(self.code),
            enhanced,
            text: strip(words, envelope),
            peer: None,
        }
    }
}

/// The table: what a code means at a stage. The enhanced code tells for good from for now where the two disagree.
fn outcome(stage: Stage, code: u16, enhanced: Option<Enhanced>) -> Outcome {
    if code < 400 {
        // Anything but 2xx after the final dot is an answer to another question.
        return match (stage, code) {
            (Stage::Dot, 200..=299) => Outcome::Accepted,
            (Stage::Dot, _) => Outcome::Unknown,
            (
                Stage::Connect
                | Stage::Hello
                | Stage::Tls
                | Stage::Auth
                | Stage::Mail
                | Stage::Rcpt
                | Stage::Data
                | Stage::Body,
                _,
            ) => Outcome::RouteFailed,
        };
    }
    let of_this_mail = match stage {
        // Until a recipient was named, nothing a relay says is about a person.
        Stage::Connect | Stage::Hello | Stage::Tls | Stage::Auth | Stage::Mail => false,
        Stage::Rcpt | Stage::Data | Stage::Body => !is_about_route(code, enhanced),
        Stage::Dot => true,
    };
    if !of_this_mail {
        return Outcome::RouteFailed;
    }
    match enhanced.map(|enhanced| enhanced.class) {
        Some(4) => Outcome::RejectedTransient,
        Some(5) => Outcome::RejectedPermanent,
        Some(_) | None if code < 500 => Outcome::RejectedTransient,
        Some(_) | None => Outcome::RejectedPermanent,
    }
}

/// Whether a refusal speaks of the relay or of how we talk to it: shutting down, syntax, order, authentication.
fn is_about_route(code: u16, enhanced: Option<Enhanced>) -> bool {
    matches!(code, 421 | 454 | 500 | 502 | 503 | 504 | 530 | 534 | 535 | 538)
        || enhanced.is_some_and(|enhanced| enhanced.class != 2 && enhanced.subject == 5)
}

/// The words of a reply without addresses, links, long secrets and control characters, cut to a bounded length.
pub(crate) fn strip(text: &str, envelope: Option<&Envelope>) -> String {
    let mut text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if let Some(envelope) = envelope {
        text = without_person(&text, envelope.to());
    }
    text = without_quoted_local_part(&text).replace('＠', "@").replace(" @", "@").replace("@ ", "@");
    let words: Vec<String> = text.split_whitespace().map(strip_word).collect();
    words.join(" ").chars().take(TEXT_LIMIT).collect()
}

/// Takes out the recipient, whole or without its domain: relays quote either.
fn without_person(text: &str, address: &str) -> String {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    let mut out = text.to_owned();
    for needle in [address, local] {
        out = replace_word(&out, needle);
    }
    out
}

/// Replaces `needle` wherever it stands by itself, in any case of ASCII letters.
fn replace_word(text: &str, needle: &str) -> String {
    let (haystack, needle) = (text.to_ascii_lowercase(), needle.to_ascii_lowercase());
    if needle.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, found) in haystack.match_indices(&needle) {
        let end = at + found.len();
        let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric());
        if joined(haystack[..at].chars().next_back()) || joined(haystack[end..].chars().next()) {
            continue;
        }
        out.push_str(&text[copied..at]);
        out.push_str("[address]");
        copied = end;
    }
    out.push_str(&text[copied..]);
    out
}

/// `"a b"@host` would otherwise fall into two words, one of them a name.
fn without_quoted_local_part(text: &str) -> String {
    let mut out = text.to_owned();
    while let Some(at) = out.find("\"@") {
        let open = out[..at].rfind('"').unwrap_or(0);
        out.replace_range(open..=at, "[address]");
    }
    out
}

fn strip_word(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    if ["@", "%40", "=40", "+40"].iter().any(|sign| lower.contains(sign)) {
        return "[address]".to_owned();
    }
    if lower.contains("://") || lower.contains("www.") {
        return "[link]".to_owned();
    }
    let may_be_secret = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '=');
    let longest = word.split(|c| !may_be_secret(c)).map(str::len).max().unwrap_or(0);
    if longest >= SECRET_RUN {
        return "[...]".to_owned();
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::{Said, strip};
    use crate::delivery::{Outcome, Stage};
    use crate::letter::Envelope;

    fn envelope() -> Envelope {
        Envelope::new("khaosat@thutuc.example", "Nguyen.VanA@soyte.example").unwrap()
    }

    #[test]
    fn a_reply_is_judged_by_stage_and_enhanced_code() {
        use Outcome::{Accepted, RejectedPermanent, RejectedTransient, RouteFailed, Unknown};
        use Stage::{Data, Dot, Hello, Mail, Rcpt};
        let table = [
            (Hello, 554, "5.7.1 no service for you", RouteFailed),
            (Mail, 550, "5.7.1 sender refused", RouteFailed),
            (Mail, 452, "4.3.1 storage full", RouteFailed),
            (Rcpt, 550, "5.1.1 user unknown", RejectedPermanent),
            (Rcpt, 550, "user unknown", RejectedPermanent),
            (Rcpt, 450, "4.2.1 greylisted", RejectedTransient),
            (Rcpt, 450, "try later", RejectedTransient),
            // The enhanced code wins where the two disagree.
            (Rcpt, 550, "4.7.1 greylisted", RejectedTransient),
            (Rcpt, 450, "5.1.1 user unknown", RejectedPermanent),
            // A class of success beside a refusal says nothing.
            (Rcpt, 550, "2.0.0 what", RejectedPermanent),
            (Rcpt, 421, "4.3.2 shutting down", RouteFailed),
            (Rcpt, 530, "5.7.0 authenticate first", RouteFailed),
            (Rcpt, 503, "5.5.1 MAIL first", RouteFailed),
            (Rcpt, 250, "2.1.5 ok", RouteFailed),
            (Data, 452, "4.3.1 storage full", RejectedTransient),
            (Data, 554, "no valid recipients", RejectedPermanent),
            (Data, 421, "bye", RouteFailed),
            (Dot, 250, "2.0.0 queued", Accepted),
            (Dot, 250, "", Accepted),
            (Dot, 354, "go ahead", Unknown),
            (Dot, 550, "5.7.1 looks like spam", RejectedPermanent),
            (Dot, 451, "4.3.0 try later", RejectedTransient),
            (Dot, 421, "4.3.2 shutting down", RejectedTransient),
        ];
        for (stage, code, text, expected) in table {
            let said = Said { code, text: text.to_owned() };
            let delivery = said.judge(stage, Some(&envelope()));
            assert_eq!(delivery.outcome, expected, "{stage:?} {code} {text}");
            assert_eq!(delivery.code, Some(code));
        }
    }

    #[test]
    fn the_enhanced_code_leaves_the_words() {
        let said = Said { code: 550, text: "5.1.1 user unknown".to_owned() };
        let delivery = said.judge(Stage::Rcpt, None);
        assert_eq!(delivery.enhanced.unwrap().to_string(), "5.1.1");
        assert_eq!(delivery.text, "user unknown");
        assert_eq!(delivery.to_string(), "rejected_permanent at rcpt 550 5.1.1: user unknown");
    }

    #[test]
    fn no_address_link_or_secret_is_kept() {
        let table = [
            (
                "<nguyen.vana@soyte.example>: Recipient address rejected: User unknown in table",
                "<[address]>: Recipient address rejected: User unknown in table",
            ),
            ("nguyen.vana: no such user", "[address]: no such user"),
            ("NGUYEN.VANA has moved", "[address] has moved"),
            ("nguyen.vanas is another", "nguyen.vanas is another"),
            ("<\"tran thi b\"@x.example> unknown", "[address] unknown"),
            ("forward to b+c=d@y.example, please", "forward to [address] please"),
            ("user b @ y.example unknown", "user [address] unknown"),
            ("bounce-b=40y.example-1 refused", "[address] refused"),
            ("tên＠đơnvị.example refused", "[address] refused"),
            ("see https://k.example/f/abc for help", "see [link] for help"),
            ("spam: www.k.example/f/abc", "spam: [link]"),
            ("spam: k.example/f/Zm9vYmFyYmF6cXV4LTEyMzQ1", "spam: [...]"),
            ("Ok: queued as 4Zxy12AbCd", "Ok: queued as 4Zxy12AbCd"),
            ("a\r\nb\u{0}c", "a b c"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(strip(text, Some(&envelope())), expected);
        }
        assert_eq!(strip(&"ab ".repeat(500), None).chars().count(), 240);
    }
}
