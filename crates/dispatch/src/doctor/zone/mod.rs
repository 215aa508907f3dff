//! A zone file as a source of answers (RFC 1035, section 5): `$ORIGIN`, `$TTL`, comments, parentheses, quoted strings.
//!
//! Records of the kinds that are asked for are kept; others are read for their faults only. `$INCLUDE` is refused, since
//! a file that is handed in must not name others to read. Of names below an SOA's owner or an `$ORIGIN` the file knows
//! everything; of others only what it holds. Delegations are not followed.

mod entries;

use std::collections::BTreeMap;

use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::proto::serialize::txt::{Parser, parse_ttl};
use parsurvey_survey::fault::Fault;

use self::entries::{Entry, Token, entries};
use super::both;
use super::known::{Answer, Question, Rdata, Wanted};
use super::resolver::{plain, rdata};

/// Aliases that may follow one another.
const ALIASES: usize = 8;
/// Bytes of a string of a TXT record.
const STRING: usize = 255;

/// What one or more zone files hold.
#[derive(Debug, Default)]
pub struct Zone {
    names: BTreeMap<String, Node>,
    /// At and below these names the files know everything.
    origins: Vec<String>,
}

#[derive(Debug, Default)]
struct Node {
    records: Vec<(Wanted, Rdata)>,
    /// Where it leads, and the line that says so.
    alias: Option<(String, usize)>,
    /// Records of kinds that nobody asks for.
    others: bool,
}

/// A fault before it has its file.
pub(super) struct Note {
    line: usize,
    code: &'static str,
    reason: String,
    remedy: String,
}

impl Note {
    pub(super) fn new(line: usize, code: &'static str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { line, code, reason: reason.into(), remedy: remedy.into() }
    }
}

/// What holds from one entry to the next.
#[derive(Default)]
struct State {
    origin: Option<Name>,
    owner: Option<Name>,
}

impl Zone {
    /// Reads a file into the zone.
    ///
    /// # Errors
    /// Every fault of the file, with its line.
    pub fn read(&mut self, file: &str, bytes: &[u8]) -> Result<(), Vec<Fault>> {
        let mut notes = Vec::new();
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(text);
                let mut state = State::default();
                for entry in entries(text, &mut notes) {
                    if let Err(note) = self.entry(&entry, &mut state) {
                        notes.push(note);
                    }
                }
                notes.extend(self.mixed_aliases());
            }
            Err(error) => {
                let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
                notes.push(Note::new(line, "not-utf8", "the file is not in UTF-8", "save it as plain text in UTF-8"));
            }
        }
        if notes.is_empty() {
            return Ok(());
        }
        notes.sort_by_key(|note| note.line);
        let located =
            |note: Note| Fault { line: note.line, ..Fault::of_file(file, note.code, note.reason, note.remedy) };
        Err(notes.into_iter().map(located).collect())
    }

    fn entry(&mut self, entry: &Entry, state: &mut State) -> Result<(), Note> {
        let first = &entry.tokens[0];
        if !entry.continues && !first.quoted && first.raw.starts_with('$') {
            return self.directive(entry, state);
        }
        let mut rest = entry.tokens.as_slice();
        if !entry.continues {
            state.owner = Some(name(first, state.origin.as_ref(), entry.line)?);
            rest = &rest[1..];
        }
        let Some(owner) = state.owner.clone() else {
            return Err(Note::new(
                entry.line,
                "no-name",
                "the record begins with a blank and no name stands before",
                "write the name at the beginning of the line",
            ));
        };
        let (kind, data) = kind_of(rest, entry.line)?;
        if kind == RecordType::SOA {
            self.knows(&owner);
        }
        if kind == RecordType::TXT {
            let text = text(data, entry)?;
            self.node(&owner).records.push((Wanted::Txt, Rdata::Txt(text)));
            return Ok(());
        }
        self.record(&owner, kind, data, state.origin.as_ref(), entry.line)
    }

    fn directive(&mut self, entry: &Entry, state: &mut State) -> Result<(), Note> {
        let what = entry.tokens[0].raw.to_ascii_uppercase();
        let argument = entry.tokens.get(1);
        match (what.as_str(), argument) {
            ("$ORIGIN", Some(token)) => {
                let origin = name(token, state.origin.as_ref(), entry.line)?;
                self.knows(&origin);
                state.origin = Some(origin);
                Ok(())
            }
            ("$TTL", Some(token)) if parse_ttl(&token.raw).is_ok() => Ok(()),
            ("$ORIGIN" | "$TTL", _) => Err(Note::new(
                entry.line,
                "bad-directive",
                format!("{what} has no value that fits"),
                "write $ORIGIN with a domain that ends with a dot, $TTL with seconds",
            )),
            _ => Err(Note::new(
                entry.line,
                "bad-directive",
                format!("{what} is not read"),
                "put the records themselves into the file; $ORIGIN and $TTL are the directives that may stand here",
            )),
        }
    }

    fn record(
        &mut self,
        owner: &Name,
        kind: RecordType,
        data: &[Token],
        origin: Option<&Name>,
        line: usize,
    ) -> Result<(), Note> {
        let wrong = |reason: String| Note::new(line, "bad-record", reason, format!("write it as {}", pattern(kind)));
        let names_at = match kind {
            RecordType::MX => Some(1),
            RecordType::CNAME | RecordType::PTR | RecordType::NS => Some(0),
            _ => None,
        };
        let expected = match kind {
            RecordType::A | RecordType::AAAA => Some(1),
            _ => names_at.map(|at| at + 1),
        };
        if let Some(expected) = expected.filter(|expected| data.len() != *expected) {
            return Err(wrong(format!("{kind} needs {expected} part(s) behind it, here stand {}", data.len())));
        }
        if let Some(token) = names_at.and_then(|at| data.get(at)) {
            name(token, origin, line)?;
        }
        // The library reads one record at a time, so that its fault has our line.
        let part = |token: &Token| if token.quoted { format!("\"{}\"", token.raw) } else { token.raw.clone() };
        let parts = data.iter().map(part).collect::<Vec<_>>().join(" ");
        let text = format!("{}\t0\tIN\t{kind}\t{parts}\n", owner.to_ascii());
        let origin = origin.cloned().unwrap_or_else(Name::root);
        let (_, sets) = Parser::new(text, None, Some(origin))
            .parse()
            .map_err(|error| wrong(format!("the {kind} record cannot be read ({error})")))?;
        let node = self.node(owner);
        for record in sets.values().flat_map(|set| set.records_without_rrsigs()) {
            let kept = [Wanted::A, Wanted::Aaaa, Wanted::Mx, Wanted::Ptr]
                .into_iter()
                .find_map(|wanted| Some((wanted, rdata(record, wanted)?)));
            match (&record.data, kept) {
                (_, Some(kept)) => node.records.push(kept),
                (RData::CNAME(target), None) => node.alias = Some((plain(&target.0), line)),
                (_, None) => node.others = true,
            }
        }
        Ok(())
    }

    fn node(&mut self, owner: &Name) -> &mut Node {
        self.names.entry(plain(owner)).or_default()
    }

    fn knows(&mut self, origin: &Name) {
        // Nobody's file knows everything below the root.
        if !origin.is_root() {
            self.origins.push(plain(origin));
        }
    }

    /// RFC 1034, section 3.6.2: beside an alias nothing else may stand.
    fn mixed_aliases(&self) -> Vec<Note> {
        let mixed = |(name, node): (&String, &Node)| {
            let (_, line) = node.alias.as_ref()?;
            (!node.records.is_empty() || node.others).then(|| {
                Note::new(
                    *line,
                    "alias-beside-records",
                    format!("{name} has a CNAME and other records"),
                    "keep the one or the others: beside a CNAME nothing else may stand",
                )
            })
        };
        self.names.iter().filter_map(mixed).collect()
    }

    /// The answer, with aliases followed; `None` where the files know nothing of the name.
    pub(crate) fn answer(&self, (name, wanted): &Question) -> Option<Answer> {
        let mut name = name.clone();
        for step in 0..ALIASES {
            let Some(node) = self.names.get(&name).or_else(|| self.wildcard(&name)) else {
                if self.is_above_a_name(&name) {
                    return Some(Answer::None);
                }
                if self.is_known(&name) {
                    return Some(Answer::NoSuchName);
                }
                let outside = || {
                    Answer::NotKnown(both(
                        format!("bí danh dẫn tới {name}, không có trong tệp vùng"),
                        format!("the alias leads to {name}, which is not in the zone file"),
                    ))
                };
                return (step > 0).then(outside);
            };
            let found: Vec<Rdata> =
                node.records.iter().filter(|(kind, _)| kind == wanted).map(|(_, data)| data.clone()).collect();
            match &node.alias {
                _ if !found.is_empty() => return Some(Answer::Found(found)),
                Some((target, _)) => name.clone_from(target),
                None => return Some(Answer::None),
            }
        }
        Some(Answer::NotKnown(both("bí danh dẫn vòng quanh", "the aliases go round in a circle")))
    }

    fn is_known(&self, name: &str) -> bool {
        self.origins.iter().any(|origin| is_below(name, origin))
    }

    /// A name without records that has names below it exists nevertheless.
    fn is_above_a_name(&self, name: &str) -> bool {
        self.names.keys().any(|known| known != name && is_below(known, name))
    }

    /// RFC 4592: the wildcard below the nearest name that exists.
    fn wildcard(&self, name: &str) -> Option<&Node> {
        let mut parent = name;
        while let Some((_, above)) = parent.split_once('.') {
            if let Some(node) = self.names.get(&format!("*.{above}")) {
                return (!self.is_above_a_name(name)).then_some(node);
            }
            if self.names.contains_key(above) || self.is_above_a_name(above) {
                return None;
            }
            parent = above;
        }
        None
    }
}

fn is_below(name: &str, origin: &str) -> bool {
    name == origin || name.strip_suffix(origin).is_some_and(|rest| rest.ends_with('.'))
}

/// A name, made absolute.
fn name(token: &Token, origin: Option<&Name>, line: usize) -> Result<Name, Note> {
    let bad = |reason: String| {
        Note::new(line, "bad-name", reason, "write a domain name; one that ends with a dot is complete")
    };
    if token.raw == "@" && !token.quoted {
        return origin
            .cloned()
            .ok_or_else(|| bad("'@' stands for the origin, and there is none; begin the file with $ORIGIN".into()));
    }
    let absolute = token.raw.ends_with('.') && !token.raw.ends_with("\\.");
    if !absolute && origin.is_none() {
        return Err(bad(format!("'{}' has no dot at its end, and no $ORIGIN to complete it", token.raw)));
    }
    let mut name =
        Name::parse(&token.raw, origin).map_err(|error| bad(format!("'{}' is no name ({error})", token.raw)))?;
    name.set_fqdn(true);
    Ok(name)
}

/// The kind of a record, behind its TTL and class, and what follows.
fn kind_of(mut tokens: &[Token], line: usize) -> Result<(RecordType, &[Token]), Note> {
    let no_kind = |reason: String| {
        Note::new(line, "bad-record", reason, "write NAME TTL IN TYPE DATA; TTL and IN may be left out")
    };
    loop {
        let Some((first, rest)) = tokens.split_first() else {
            return Err(no_kind("the record has no type".into()));
        };
        let word = first.raw.to_ascii_uppercase();
        if word == "IN" || (!first.quoted && parse_ttl(&first.raw).is_ok()) {
            tokens = rest;
            continue;
        }
        if ["CH", "HS", "CS"].contains(&word.as_str()) {
            return Err(no_kind(format!("'{word}' is not the class of the internet")));
        }
        let kind = word.parse::<RecordType>().map_err(|_| no_kind(format!("'{}' is no type of record", first.raw)))?;
        return Ok((kind, rest));
    }
}

/// The strings of a TXT record, joined.
fn text(data: &[Token], entry: &Entry) -> Result<String, Note> {
    if data.is_empty() {
        return Err(Note::new(
            entry.line,
            "bad-record",
            "the TXT record has no text",
            "write the text in quotation marks",
        ));
    }
    if entry.glued_comment && data.iter().any(|token| !token.quoted) {
        return Err(Note::new(
            entry.line,
            "text-cut-short",
            "the text stands without quotation marks, and ';' begins a comment: the rest is lost",
            "put the text into quotation marks",
        ));
    }
    if let Some(long) = data.iter().find(|token| token.value.len() > STRING) {
        return Err(Note::new(
            entry.line,
            "long-string",
            format!("a string of the TXT record has {} bytes; at most {STRING} fit", long.value.len()),
            "write it as several quoted strings behind one another",
        ));
    }
    let bytes: Vec<u8> = data.iter().flat_map(|token| token.value.iter().copied()).collect();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn pattern(kind: RecordType) -> &'static str {
    match kind {
        RecordType::A => "NAME IN A 192.0.2.1",
        RecordType::AAAA => "NAME IN AAAA 2001:db8::1",
        RecordType::MX => "NAME IN MX 10 mail.example.",
        RecordType::CNAME => "NAME IN CNAME other.example.",
        RecordType::PTR => "1.2.0.192.in-addr.arpa. IN PTR mail.example.",
        RecordType::NS => "NAME IN NS ns1.example.",
        RecordType::SOA => "NAME IN SOA ns1.example. hostmaster.example. 1 3600 600 86400 3600",
        _ => "NAME IN TYPE DATA",
    }
}
