//! Anchors: the head of the event log as a body outside keeps it, so that a log that was rewritten as a whole is told
//! from the true one.
//!
//! A chain of hashes shows a change to whoever kept an earlier hash, and to nobody else. An anchor is that hash, written
//! as a small block of text that survives forwarding and quoting. It names no person.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

const BEGIN: &str = "-----BEGIN PARSURVEY ANCHOR-----";
const END: &str = "-----END PARSURVEY ANCHOR-----";

/// What stands behind the keys of a block, each with its line.
type Fields<'t> = BTreeMap<&'t str, (usize, &'t str)>;

/// The head of a campaign's log at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The campaign's id.
    pub campaign: String,
    /// The day it was taken, in the campaign's zone.
    pub day: Date,
    /// The moment it was taken.
    pub taken: Timestamp,
    /// Entries of the log up to here; the number of its last entry.
    pub entries: i64,
    /// SHA-256 (64 lower-case hexadecimal digits) of the last entry, which rests on all before it.
    pub hash: String,
}

/// Why a text that begins an anchor is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct AnchorFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl Anchor {
    /// The block as it stands in the mail: every line is plain ASCII and short enough for any mail program.
    #[must_use]
    pub fn block(&self) -> String {
        format!(
            "{BEGIN}\ncampaign: {}\nday: {}\ntaken: {}\nentries: {}\nhash: {}\n{END}\n",
            self.campaign, self.day, self.taken, self.entries, self.hash
        )
    }

    /// Every anchor of a text, in its order; none where no block begins. Marks of quoting (`>`) are passed over.
    ///
    /// # Errors
    /// A block that does not end, or that lacks a line or has one that cannot be read.
    pub fn read_all(text: &str) -> Result<Vec<Self>, AnchorFault> {
        let mut found = Vec::new();
        let mut open: Option<(usize, Fields<'_>)> = None;
        for (place, line) in text.lines().enumerate() {
            let line = line.trim_start_matches(['>', ' ', '\t']).trim_end();
            if line == BEGIN {
                open = Some((place + 1, BTreeMap::new()));
            } else if line == END {
                if let Some((began, fields)) = open.take() {
                    found.push(Self::of(began, &fields)?);
                }
            } else if let (Some((_, fields)), Some((key, value))) = (&mut open, line.split_once(": ")) {
                fields.insert(key, (place + 1, value.trim()));
            }
        }
        match open {
            None => Ok(found),
            Some((line, _)) => Err(AnchorFault { line, reason: "an anchor begins here and does not end".to_owned() }),
        }
    }

    fn of(began: usize, fields: &Fields<'_>) -> Result<Self, AnchorFault> {
        let hash: String = read(began, fields, "hash")?;
        let hash = hash.to_ascii_lowercase();
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(unreadable(fields, "hash"));
        }
        let entries = read(began, fields, "entries")?;
        if entries < 1 {
            return Err(unreadable(fields, "entries"));
        }
        Ok(Self {
            campaign: read(began, fields, "campaign")?,
            day: read(began, fields, "day")?,
            taken: read(began, fields, "taken")?,
            entries,
            hash,
        })
    }
}

fn read<T: std::str::FromStr>(began: usize, fields: &Fields<'_>, key: &str) -> Result<T, AnchorFault> {
    let (_, value) = fields.get(key).ok_or_else(|| AnchorFault {
        line: began,
        reason: format!("the anchor that begins here has no line '{key}: …'"),
    })?;
    value.parse().map_err(|_| unreadable(fields, key))
}

fn unreadable(fields: &Fields<'_>, key: &str) -> AnchorFault {
    let line = fields.get(key).map_or(0, |(line, _)| *line);
    AnchorFault { line, reason: format!("what stands behind '{key}:' is not what an anchor says there") }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn anchor(entries: i64) -> Anchor {
        Anchor {
            campaign: "hanoi-2023".into(),
            day: date(2023, 12, 20),
            taken: Timestamp::from_second(1_703_034_000).expect("a moment"),
            entries,
            hash: "0a".repeat(32),
        }
    }

    #[test]
    fn what_is_written_is_read_again_however_it_was_quoted() {
        let (one, other) = (anchor(7), anchor(9));
        let quoted: String = other.block().lines().map(|line| format!("> > {line}  \r\n")).collect();
        let text = format!("Kính gửi\n\n{}\nlời cuối: xin giữ thư này\n{quoted}", one.block());
        assert_eq!(Anchor::read_all(&text), Ok(vec![one.clone(), other]));
        assert!(one.block().lines().all(|line| line.is_ascii() && line.len() <= 72));
        assert_eq!(Anchor::read_all("nothing: here"), Ok(Vec::new()));
    }

    #[test]
    fn a_block_that_is_damaged_is_told_by_its_line() {
        let block = anchor(7).block();
        for (from, to, line, word) in [
            (END, "", 1, "does not end"),
            ("day: 2023-12-20\n", "", 1, "'day: …'"),
            ("entries: 7", "entries: seven", 5, "'entries:'"),
            ("entries: 7", "entries: 0", 5, "'entries:'"),
            ("hash: 0a", "hash: 0g", 6, "'hash:'"),
            ("hash: 0a", "hash: a", 6, "'hash:'"),
            ("taken: 2023", "taken: in 2023", 4, "'taken:'"),
        ] {
            let fault = Anchor::read_all(&block.replacen(from, to, 1)).expect_err(to);
            assert_eq!(fault.line, line, "{fault}");
            assert!(fault.reason.contains(word), "{fault}");
        }
    }
}
