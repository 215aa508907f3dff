//! A zone file cut into entries with their lines (RFC 1035, section 5.1): quotes, parentheses, comments, escapes.
//!
//! The DNS library has a reader of its own, which stops at the first fault, names no line and takes quotes within
//! parentheses apart. What an entry means is not decided here.

use super::Note;

/// A word of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// As it was written, escapes included, without quotes.
    pub(super) raw: String,
    /// With escapes taken out.
    pub(super) value: Vec<u8>,
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
}

/// A record or a directive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// The line it begins in, from 1.
    pub(super) line: usize,
    /// Whether it begins with a blank: it is of the name before.
    pub(super) continues: bool,
    pub(super) tokens: Vec<Token>,
    /// A comment follows a word without quotes at once, as in `v=DMARC1; p=none`.
    pub(super) glued_comment: bool,
}

/// Cuts a file; faults are noted with their lines, and reading goes on behind them.
pub(super) fn entries(text: &str, notes: &mut Vec<Note>) -> Vec<Entry> {
    let mut cutter = Cutter { line: 1, ..Cutter::default() };
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => cutter.end_of_line(notes),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\\' => cutter.escape(&mut chars, notes),
            '"' => cutter.quote(),
            _ if cutter.in_quotes => cutter.push(c, c),
            ';' => {
                cutter.entry.glued_comment |= cutter.token.as_ref().is_some_and(|token| !token.quoted);
                cutter.end_of_token();
                while chars.next_if(|c| *c != '\n').is_some() {}
            }
            '(' => {
                cutter.end_of_token();
                cutter.depth += 1;
                cutter.opened = cutter.line;
            }
            ')' => {
                cutter.end_of_token();
                match cutter.depth.checked_sub(1) {
                    Some(depth) => cutter.depth = depth,
                    None => notes.push(Note::new(
                        cutter.line,
                        "stray-parenthesis",
                        "')' closes nothing",
                        "remove it, or add the '(' before",
                    )),
                }
            }
            c if c.is_whitespace() => {
                if cutter.is_at_start() {
                    cutter.entry.continues = true;
                }
                cutter.end_of_token();
            }
            c => cutter.push(c, c),
        }
    }
    cutter.end_of_line(notes);
    if cutter.depth > 0 {
        notes.push(Note::new(
            cutter.opened,
            "open-parenthesis",
            "'(' is not closed",
            "close it with ')' behind the record's last part",
        ));
        cutter.depth = 0;
        cutter.end_of_line(notes);
    }
    cutter.entries
}

#[derive(Default)]
struct Cutter {
    entries: Vec<Entry>,
    entry: Entry,
    token: Option<Token>,
    in_quotes: bool,
    depth: u32,
    /// The line of the last `(`.
    opened: usize,
    line: usize,
}

impl Cutter {
    fn is_at_start(&self) -> bool {
        self.entry.tokens.is_empty() && self.token.is_none() && self.depth == 0
    }

    fn push(&mut self, raw: char, value: char) {
        if self.entry.tokens.is_empty() && self.token.is_none() {
            self.entry.line = self.line;
        }
        let quoted = self.in_quotes;
        let token = self.token.get_or_insert_with(|| Token { raw: String::new(), value: Vec::new(), quoted });
        token.raw.push(raw);
        token.value.extend_from_slice(value.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn quote(&mut self) {
        if self.in_quotes {
            self.in_quotes = false;
            self.end_of_token();
            return;
        }
        self.end_of_token();
        if self.entry.tokens.is_empty() {
            self.entry.line = self.line;
        }
        self.in_quotes = true;
        // An empty text is a text too.
        self.token = Some(Token { raw: String::new(), value: Vec::new(), quoted: true });
    }

    fn escape(&mut self, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, notes: &mut Vec<Note>) {
        let digits: String = chars.clone().take(3).take_while(char::is_ascii_digit).collect();
        if digits.len() == 3 {
            for _ in 0..3 {
                chars.next();
            }
            if let Ok(byte) = digits.parse::<u8>() {
                self.push('\\', '\0');
                let token = self.token.as_mut().expect("a character was pushed");
                token.raw.push_str(&digits);
                token.value.pop();
                token.value.push(byte);
            } else {
                notes.push(Note::new(
                    self.line,
                    "bad-escape",
                    "'\\DDD' must be from 000 to 255",
                    "write the byte's three digits",
                ));
            }
            return;
        }
        match chars.next_if(|c| *c != '\n') {
            Some(c) if !c.is_ascii_digit() => {
                self.push('\\', c);
                self.token.as_mut().expect("a character was pushed").raw.push(c);
            }
            Some(_) | None => notes.push(Note::new(
                self.line,
                "bad-escape",
                "'\\' needs a character or three digits behind it",
                "write '\\\\' for the sign itself",
            )),
        }
    }

    fn end_of_token(&mut self) {
        self.entry.tokens.extend(self.token.take());
    }

    fn end_of_line(&mut self, notes: &mut Vec<Note>) {
        if std::mem::take(&mut self.in_quotes) {
            notes.push(Note::new(
                self.line,
                "open-quote",
                "a quotation mark is not closed on its line",
                "close it; a long text is written as several quoted strings",
            ));
        }
        self.end_of_token();
        self.line += 1;
        if self.depth > 0 {
            return;
        }
        let entry = std::mem::take(&mut self.entry);
        if !entry.tokens.is_empty() {
            self.entries.push(entry);
        }
    }
}
