//! The parts of a mail that a report can stand in, and nothing else of it.
//!
//! Walks the parts itself with fixed limits on depth, number and size: a general parser builds every nested mail, and a
//! mail made of thousands of them exhausts its stack. Encodings, character sets and encoded words are the library's.
//! Never looks inside the returned mail but for its headers: what our own mail says must not be taken for a report.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::html::html_to_text;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;

const DEPTH_LIMIT: u8 = 8;
const PART_LIMIT: usize = 64;
const HEADER_LIMIT: usize = 500;
const VALUE_LIMIT: usize = 16 * 1024;
/// Bytes of words that are read for a reason.
const TEXT_LIMIT: usize = 64 * 1024;
/// Bytes of machine-readable fields: room for several hundred recipients.
const FIELDS_LIMIT: usize = 512 * 1024;

/// The headers of a mail or a part: small-letter names, unfolded values.
#[derive(Default)]
pub(super) struct Headers(Vec<(String, String)>);

/// What of a mail can be a report.
#[derive(Default)]
pub(super) struct Mail {
    /// The mail's own headers.
    pub(super) headers: Headers,
    /// Its words, all parts together.
    pub(super) text: String,
    /// The `message/delivery-status` parts, decoded.
    pub(super) status: Vec<String>,
    /// The `message/feedback-report` part, decoded.
    pub(super) feedback: Option<String>,
    /// The `message/disposition-notification` part, decoded: it is a receipt (RFC 8098).
    pub(super) disposition: Option<String>,
    /// The headers of the returned mail.
    pub(super) returned: Option<Headers>,
    html: String,
    parts: usize,
}

impl Headers {
    /// Reads headers up to the empty line; gives what follows it as well.
    pub(super) fn read(bytes: &[u8]) -> (Self, &[u8]) {
        let mut headers = Self::default();
        let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // Empty lines and an mbox line in front belong to no header.
        loop {
            let (line, after) = next_line(rest);
            let is_filler = line.is_empty() || line.starts_with(b"From ") || line.starts_with(b">From ");
            if rest.is_empty() || !is_filler {
                break;
            }
            rest = after;
        }
        while !rest.is_empty() {
            let (line, after) = next_line(rest);
            if line.is_empty() {
                return (headers, after);
            }
            if line[0] == b' ' || line[0] == b'\t' {
                headers.fold_in(line);
            } else if let Some(colon) = line.iter().position(|byte| *byte == b':').filter(|at| is_name(&line[..*at])) {
                headers.push(&line[..colon], &line[colon + 1..]);
            } else {
                return (headers, rest);
            }
            rest = after;
        }
        (headers, rest)
    }

    fn push(&mut self, name: &[u8], value: &[u8]) {
        if self.0.len() < HEADER_LIMIT {
            let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
            self.0.push((name, lossy(value, VALUE_LIMIT).trim().to_owned()));
        }
    }

    fn fold_in(&mut self, line: &[u8]) {
        if let Some((_, value)) = self.0.last_mut().filter(|(_, value)| value.len() < VALUE_LIMIT) {
            value.push(' ');
            value.push_str(lossy(line, VALUE_LIMIT).trim());
        }
    }

    /// All values of a header, in their order.
    pub(super) fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header, as it stands.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first value with encoded words (RFC 2047) read; empty when there is none.
    pub(super) fn decoded(&self, name: &str) -> String {
        let Some(value) = self.first(name) else { return String::new() };
        if !value.contains("=?") {
            return value.to_owned();
        }
        let line = format!("{value}\n");
        match MessageStream::new(line.as_bytes()).parse_unstructured().as_text() {
            Some(text) => text.to_owned(),
            None => value.to_owned(),
        }
    }
}

impl Mail {
    /// Reads a mail.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let (headers, body) = Headers::read(bytes);
        let mut mail = Self::default();
        mail.walk(&headers, body, 0);
        mail.headers = headers;
        if mail.text.trim().is_empty() {
            mail.text = html_to_text(&with_line_breaks(&mail.html));
        }
        mail
    }

    fn walk(&mut self, headers: &Headers, body: &[u8], depth: u8) {
        self.parts += 1;
        if self.parts > PART_LIMIT || depth > DEPTH_LIMIT {
            return;
        }
        let kind = ContentKind::of(headers);
        if kind.main == "multipart"
            && let Some(boundary) = &kind.boundary
        {
            let inner = split(body, boundary.as_bytes());
            if !inner.is_empty() {
                for part in inner {
                    let (headers, body) = Headers::read(part);
                    self.walk(&headers, body, depth + 1);
                }
                return;
            }
        }
        self.leaf(&kind, headers, body);
    }

    fn leaf(&mut self, kind: &ContentKind, headers: &Headers, body: &[u8]) {
        let bytes = decode(headers, body);
        match (kind.main.as_str(), kind.sub.as_str()) {
            ("message", "delivery-status" | "global-delivery-status") => self.status.push(lossy(&bytes, FIELDS_LIMIT)),
            ("message", "feedback-report") => self.feedback = Some(lossy(&bytes, FIELDS_LIMIT)),
            ("message", "disposition-notification" | "global-disposition-notification") => {
                self.disposition = Some(lossy(&bytes, FIELDS_LIMIT));
            }
            ("message" | "text", "rfc822" | "global" | "rfc822-headers" | "global-headers") => {
                self.returned.get_or_insert_with(|| Headers::read(&bytes).0);
            }
            ("text", "html") => push_text(&mut self.html, &kind.text(&bytes)),
            ("text" | "multipart", _) => {
                let text = kind.text(&bytes);
                if looks_like_status(&text) {
                    self.status.push(text);
                } else {
                    push_text(&mut self.text, &text);
                }
            }
            _ => {}
        }
    }
}

/// Some gateways hand the fields on as a text file of their own.
fn looks_like_status(text: &str) -> bool {
    let mut lines = text.lines().take(40).map(|line| line.trim_start().to_ascii_lowercase());
    let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
    ["reporting-mta:", "final-recipient:", "original-recipient:"].iter().any(|name| first.starts_with(name))
        && (first.starts_with("final-recipient:") || lines.any(|line| line.starts_with("final-recipient:")))
}

struct ContentKind {
    main: String,
    sub: String,
    boundary: Option<String>,
    charset: Option<String>,
}

impl ContentKind {
    fn of(headers: &Headers) -> Self {
        let line = format!("{}\n", headers.first("content-type").unwrap_or_default());
        let value = MessageStream::new(line.as_bytes()).parse_content_type();
        let content = value.as_content_type();
        let attribute = |name| content.and_then(|content| content.attribute(name)).map(str::to_owned);
        Self {
            main: content.map_or_else(|| "text".to_owned(), |content| content.ctype().to_ascii_lowercase()),
            sub: content.and_then(|content| content.subtype()).unwrap_or("plain").to_ascii_lowercase(),
            boundary: attribute("boundary").filter(|boundary| !boundary.is_empty()),
            charset: attribute("charset"),
        }
    }

    /// The words of a part in its character set; bytes that are UTF-8 are UTF-8, whatever the part says.
    fn text(&self, bytes: &[u8]) -> String {
        let bytes = bytes.get(..TEXT_LIMIT).unwrap_or(bytes);
        let decoder = self.charset.as_ref().and_then(|charset| charset_decoder(charset.as_bytes()));
        match (std::str::from_utf8(bytes), decoder) {
            // Seven-bit encodings of other alphabets are valid UTF-8 and must be decoded all the same.
            (Ok(text), _) if !text.contains('\u{1b}') => text.to_owned(),
            (_, Some(decode)) => decode(bytes),
            (_, None) => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

/// Undoes the transfer encoding; what is not encoded as it says is read as it stands.
fn decode(headers: &Headers, body: &[u8]) -> Vec<u8> {
    let encoding = headers.first("content-transfer-encoding").unwrap_or_default();
    let decoded = match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => base64_decode(body.trim_ascii()),
        "quoted-printable" => quoted_printable_decode(body),
        _ => None,
    };
    decoded.unwrap_or_else(|| body.to_vec())
}

/// The parts between lines `--boundary`; a missing last line ends the last part all the same.
fn split<'b>(body: &'b [u8], boundary: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    let mut start = None;
    let mut offset = 0;
    while offset < body.len() && parts.len() < PART_LIMIT {
        let (line, after) = next_line(&body[offset..]);
        let next = body.len() - after.len();
        if let Some(tail) = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)) {
            let tail = tail.trim_ascii();
            if tail.is_empty() || tail == b"--" {
                parts.extend(start.map(|start| &body[start..offset]));
                start = tail.is_empty().then_some(next);
            }
        }
        offset = next;
    }
    parts.extend(start.map(|start| &body[start..]));
    parts
}

/// One line without its end, and what follows.
fn next_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (line, after) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &bytes[bytes.len()..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), after)
}

fn is_name(name: &[u8]) -> bool {
    let name = name.trim_ascii_end();
    !name.is_empty() && name.len() <= 80 && name.iter().all(u8::is_ascii_graphic)
}

fn lossy(bytes: &[u8], limit: usize) -> String {
    String::from_utf8_lossy(bytes.get(..limit).unwrap_or(bytes)).into_owned()
}

fn push_text(all: &mut String, text: &str) {
    if all.len() < TEXT_LIMIT {
        all.push_str(text);
        all.push_str("\n\n");
    }
}

/// Puts a line break where a block of HTML ends: the library knows only `br` and `p`.
fn with_line_breaks(html: &str) -> String {
    const BLOCKS: [&str; 7] = ["/div", "/tr", "/td", "/li", "/h", "/pre", "hr"];
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    for (index, piece) in html.split('<').enumerate() {
        if index > 0 {
            let starts = |tag: &&str| piece.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
            out.push_str(if BLOCKS.iter().any(starts) { "<br><" } else { "<" });
        }
        out.push_str(piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Headers, Mail};

    #[test]
    fn headers_end_where_the_words_begin() {
        type Pairs = &'static [(&'static str, &'static str)];
        let table: &[(&str, Pairs, &str)] = &[
            ("A: 1\nB:2\n\nx\n", &[("a", "1"), ("b", "2")], "x\n"),
            ("A: 1\r\n two\r\n\r\nx", &[("a", "1 two")], "x"),
            ("From x Mon\nA: 1\n\nx", &[("a", "1")], "x"),
            ("\n\nA: 1\n\n", &[("a", "1")], ""),
            ("A: 1\nwords without a name\n", &[("a", "1")], "words without a name\n"),
            ("", &[], ""),
        ];
        for (bytes, expected, body) in table {
            let (headers, rest) = Headers::read(bytes.as_bytes());
            let found: Vec<(&str, &str)> = headers.0.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(found, *expected, "{bytes:?}");
            assert_eq!(rest, body.as_bytes(), "{bytes:?}");
        }
    }

    #[test]
    fn encoded_words_and_parts_are_read() {
        let mail = Mail::read(
            "Subject: =?UTF-8?B?VHLhuqMgbOG7nWk=?=\nContent-Type: multipart/mixed; boundary=\"x y\"\n\nnone\n--x y\n\
             Content-Transfer-Encoding: quoted-printable\n\nT=E1=BB=AB ch=\n=E1=BB=91i\n--x y\nContent-Type: \
             message/rfc822\n\nMessage-ID: <1@x>\n\nFinal-Recipient: no\n--x y--\n"
                .as_bytes(),
        );
        assert_eq!(mail.headers.decoded("subject"), "Trả lời");
        assert_eq!(mail.text.trim(), "Từ chối");
        assert_eq!(mail.returned.as_ref().and_then(|headers| headers.first("message-id")), Some("<1@x>"));
        assert!(mail.status.is_empty());
    }

    #[test]
    fn html_alone_is_read_line_by_line() {
        let mail = Mail::read(b"Content-Type: text/html\n\n<div>a@x.example</div><div>550 5.1.1 &lt;unknown&gt;</div>");
        let lines: Vec<&str> = mail.text.lines().map(str::trim).collect();
        assert_eq!(lines, ["a@x.example", "550 5.1.1 <unknown>"]);
    }

    #[test]
    fn a_mail_of_nothing_but_nested_mails_ends() {
        let nested = "Content-Type: message/rfc822\n\n".repeat(30_000);
        assert!(Mail::read(nested.as_bytes()).returned.is_some());
        let parts = "Content-Type: multipart/mixed; boundary=a\n\n--a\n".repeat(20_000);
        assert!(Mail::read(parts.as_bytes()).text.is_empty());
    }
}
