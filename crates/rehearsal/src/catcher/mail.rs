//! A caught mail, read as a person with a mail program would read it.
//!
//! Reads are lenient: a mail that cannot be decoded has no text, rather than an error.

use mail_parser::{Message, MessageParser};
use scraper::{Html, Selector};
use sha2::{Digest, Sha256};

use super::journal::{Event, Step};

/// A mail as the catcher took it.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The envelope's sender; empty for a bounce.
    pub from: String,
    /// Parameters of `MAIL FROM`, such as `RET=HDRS`.
    pub parameters: Vec<String>,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// The bytes, doubled dots taken back; the header alone where only links are kept.
    pub raw: Vec<u8>,
    /// The number of the connection it came over, from 1.
    pub connection: u64,
    /// Whether it came under TLS.
    pub is_under_tls: bool,
    /// Whether the sender had logged in.
    pub is_logged_in: bool,
    /// The links, where nothing else of the body was kept.
    links: Option<Vec<String>>,
}

impl Mail {
    pub(super) fn new(
        from: String,
        parameters: Vec<String>,
        recipients: Vec<String>,
        raw: Vec<u8>,
        connection: u64,
    ) -> Self {
        let (is_under_tls, is_logged_in) = (false, false);
        Self { from, parameters, recipients, raw, connection, is_under_tls, is_logged_in, links: None }
    }

    /// The same mail, come in by a door guarded like this.
    pub(super) fn through(self, is_under_tls: bool, is_logged_in: bool) -> Self {
        Self { is_under_tls, is_logged_in, ..self }
    }

    /// The subject, decoded; empty when there is none.
    #[must_use]
    pub fn subject(&self) -> String {
        self.read(|mail| mail.subject().unwrap_or_default().to_owned())
    }

    /// The plain text, decoded; empty when there is none.
    #[must_use]
    pub fn text(&self) -> String {
        self.body(|mail| mail.text_body.first().copied())
    }

    /// The HTML, decoded; empty when there is none.
    #[must_use]
    pub fn html(&self) -> String {
        self.body(|mail| mail.html_body.first().copied())
    }

    /// A header field as it was written, unfolded and still encoded.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.read(|mail| mail.header_raw(name).map(unfold))
    }

    /// The header part as it was written.
    #[must_use]
    pub fn header_part(&self) -> String {
        let end = header_end(&self.raw);
        String::from_utf8_lossy(&self.raw[..end]).into_owned()
    }

    /// Every web link a reader could follow, each once: those of the HTML first, then those of the text.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        if let Some(links) = &self.links {
            return links.clone();
        }
        let mut links = links_of_html(&self.html());
        links.extend(links_of_text(&self.text()));
        let mut seen = std::collections::HashSet::new();
        links.retain(|link| seen.insert(link.clone()));
        links
    }

    /// The same mail without its body, but with its links.
    pub(super) fn with_links_only(mut self) -> Self {
        self.links = Some(self.links());
        self.raw.truncate(header_end(&self.raw));
        self.raw.shrink_to_fit();
        self
    }

    /// That its final dot was read, as a journal tells it.
    pub(super) fn event(&self, connection: u64) -> Event {
        let sha256 = parsurvey_survey::hex(&Sha256::digest(&self.raw));
        Event { message_id: self.header("Message-ID"), sha256: Some(sha256), ..Event::new(connection, Step::Dot) }
    }

    fn read<T: Default>(&self, question: impl FnOnce(&Message<'_>) -> T) -> T {
        MessageParser::default().parse(&self.raw).map(|mail| question(&mail)).unwrap_or_default()
    }

    fn body(&self, which: impl FnOnce(&Message<'_>) -> Option<u32>) -> String {
        self.read(|mail| {
            which(mail)
                .and_then(|place| mail.part(place))
                .and_then(|part| part.text_contents())
                .unwrap_or_default()
                .to_owned()
        })
    }
}

impl std::fmt::Debug for Mail {
    /// Sizes only: a mail holds a person's name, address and link.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail")
            .field("recipients", &self.recipients.len())
            .field("bytes", &self.raw.len())
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

fn header_end(raw: &[u8]) -> usize {
    raw.windows(4).position(|window| window == b"\r\n\r\n").map_or(raw.len(), |place| place + 4)
}

fn unfold(value: &str) -> String {
    value.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn links_of_html(html: &str) -> Vec<String> {
    let selector = Selector::parse("a[href]").expect("the selector is a constant");
    Html::parse_document(html)
        .select(&selector)
        .filter_map(|anchor| anchor.value().attr("href"))
        .filter(|href| is_web(href))
        .map(str::to_owned)
        .collect()
}

/// Mail programs make links of what looks like one; the sentence's punctuation after it is not part of it.
fn links_of_text(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'))
        .map(|word| word.trim_start_matches(['(', '[', '“']))
        .filter(|word| is_web(word))
        .map(|word| word.trim_end_matches(['.', ',', ';', ':', ')', ']', '”', '!', '?']).to_owned())
        .collect()
}

fn is_web(link: &str) -> bool {
    link.starts_with("http://") || link.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::{links_of_html, links_of_text};

    #[test]
    fn links_are_found_as_a_reader_would() {
        assert_eq!(
            links_of_text("Mời mở https://k.example/f/a-b_c. Hoặc <http://x.example/>, (https://y.example)"),
            ["https://k.example/f/a-b_c", "http://x.example/", "https://y.example"]
        );
        assert_eq!(
            links_of_html("<p><a href='https://k.example/f/a?x=1&amp;y=2'>Mở</a> <a href='mailto:a@b'>b</a>"),
            ["https://k.example/f/a?x=1&y=2"]
        );
    }
}
