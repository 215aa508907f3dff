//! The box file (`box.sealed`): what closing hands to the key holder, and the archive that opening hands on.
//!
//! The header names campaign, key fingerprint, codebook and ballots per target × group; the body is the sealed ballots in
//! fresh random order. Neither names a form, a person, a unit or a time.

use std::collections::BTreeMap;

use parsurvey_index::code::{GroupCode, TargetCode};
use rand::seq::SliceRandom;
use rand::{CryptoRng, Rng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ballot::{BLANK, Ballot, Codebook, NO_OPINION};
use crate::hex;
use crate::key::{KeyError, PrivateKey, PublicKey};

const BOX_MAGIC: &[u8] = b"parsurvey ballot box 1\n";
const ARCHIVE_MAGIC: &[u8] = b"parsurvey archive 1\n";
/// Responses per sealed chunk of the archive: one chunk is opened at a time, so memory stays bounded.
const ARCHIVE_CHUNK: usize = 4096;

/// Ballots per target × group.
pub type BallotCounts = BTreeMap<TargetCode, BTreeMap<GroupCode, u64>>;

/// The header of a box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxHeader {
    /// The campaign's id.
    pub campaign: String,
    /// Fingerprint of the key that opens it.
    pub key_fingerprint: String,
    /// Fingerprint of the key that the archive of responses is sealed to.
    pub archive_fingerprint: String,
    /// Ballots in the box.
    pub ballots: BallotCounts,
    /// Bytes of one sealed ballot.
    pub ballot_bytes: usize,
    /// SHA-256 of the body.
    pub body_sha256: String,
    /// The tables the ballots were encoded with.
    pub codebook: Codebook,
}

/// Why a box cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoxError {
    /// The bytes are not a box file.
    #[error("this is not a ballot box file: {0}")]
    Malformed(String),
    /// The key belongs to another box.
    #[error("the key {key} does not open this box; it was sealed for {sealed_for}")]
    OtherKey {
        /// Fingerprint of the key that was offered.
        key: String,
        /// Fingerprint the box names.
        sealed_for: String,
    },
    /// The archive's key is not the one the box names.
    #[error("the archive key {key} is not the one the box names ({named})")]
    OtherArchive {
        /// Fingerprint of the key that was offered.
        key: String,
        /// Fingerprint the box names.
        named: String,
    },
    /// A ballot stands in the box more than once: somebody wants to read one person's answers out of the counts.
    #[error("{0} ballots stand in the box more than once")]
    Repeated(u64),
    /// Some ballots cannot be read and their number was not accepted.
    #[error("{unreadable} of {ballots} ballots cannot be read")]
    Unreadable {
        /// How many.
        unreadable: u64,
        /// Of how many.
        ballots: u64,
    },
    /// The box holds other numbers of ballots than its header says.
    #[error("the box does not hold the ballots its header names ({0})")]
    Counts(String),
}

/// Writes a box: header, then the ballots in an order drawn from `rng`.
///
/// # Panics
/// Never: the header is plain data.
pub fn write_box(
    codebook: &Codebook,
    key: &PublicKey,
    archive: &PublicKey,
    ballots: BallotCounts,
    mut ciphertexts: Vec<Vec<u8>>,
    rng: &mut impl Rng,
) -> Vec<u8> {
    ciphertexts.shuffle(rng);
    let body = ciphertexts.concat();
    let header = BoxHeader {
        campaign: codebook.campaign.clone(),
        key_fingerprint: key.fingerprint(),
        archive_fingerprint: archive.fingerprint(),
        ballots,
        ballot_bytes: codebook.sealed_length(),
        body_sha256: hex(&Sha256::digest(&body)),
        codebook: codebook.clone(),
    };
    let mut file = BOX_MAGIC.to_vec();
    serde_json::to_writer(&mut file, &header).expect("a header is plain data");
    file.push(b'\n');
    file.extend_from_slice(&body);
    file
}

/// Reads a box file's header and finds its ballots.
///
/// # Errors
/// It is not a box, is of a newer format, or its body was altered.
pub fn read_box(file: &[u8]) -> Result<(BoxHeader, Vec<&[u8]>), BoxError> {
    let rest = file
        .strip_prefix(BOX_MAGIC)
        .ok_or_else(|| BoxError::Malformed("its first line is not 'parsurvey ballot box 1'".into()))?;
    let end = rest.iter().position(|&b| b == b'\n').ok_or_else(|| BoxError::Malformed("it has no header".into()))?;
    let header: BoxHeader = serde_json::from_slice(&rest[..end])
        .map_err(|error| BoxError::Malformed(format!("its header cannot be read ({error})")))?;
    let body = &rest[end + 1..];
    if hex(&Sha256::digest(body)) != header.body_sha256 {
        return Err(BoxError::Malformed("its body was altered or cut off".into()));
    }
    if header.ballot_bytes == 0 || body.len() % header.ballot_bytes != 0 {
        return Err(BoxError::Malformed("its ballots are not of one length".into()));
    }
    let ballots: Vec<&[u8]> = body.chunks_exact(header.ballot_bytes).collect();
    let named: u64 = header.ballots.values().flat_map(BTreeMap::values).sum();
    if named != ballots.len() as u64 {
        return Err(BoxError::Counts(format!("{} found, {named} named", ballots.len())));
    }
    Ok((header, ballots))
}

/// Opens every ballot of a box and shuffles them anew. Refuses another key before it reads a ballot.
///
/// # Errors
/// Another key; repeated ballots; ballots that cannot be read, unless exactly `accept_unreadable` of them; counts unlike
/// the header's.
pub fn open_box(
    header: &BoxHeader,
    sealed: &[&[u8]],
    key: &PrivateKey,
    accept_unreadable: u64,
    rng: &mut impl Rng,
) -> Result<Vec<Ballot>, BoxError> {
    let fingerprint = key.public().fingerprint();
    if fingerprint != header.key_fingerprint {
        return Err(BoxError::OtherKey { key: fingerprint, sealed_for: header.key_fingerprint.clone() });
    }
    let distinct: std::collections::HashSet<&[u8]> = sealed.iter().copied().collect();
    if distinct.len() != sealed.len() {
        return Err(BoxError::Repeated((sealed.len() - distinct.len()) as u64));
    }
    let mut opened: Vec<Ballot> = sealed.iter().filter_map(|ballot| header.codebook.open(key, ballot).ok()).collect();
    let unreadable = (sealed.len() - opened.len()) as u64;
    if unreadable != accept_unreadable {
        return Err(BoxError::Unreadable { unreadable, ballots: sealed.len() as u64 });
    }
    let counts = count(&opened);
    if unreadable == 0 && counts != header.ballots {
        return Err(BoxError::Counts("target × group numbers differ".into()));
    }
    opened.shuffle(rng);
    Ok(opened)
}

/// Whether `key` is the archive key that the box names.
///
/// # Errors
/// It is another, or another campaign's.
pub fn check_archive(header: &BoxHeader, key: &PublicKey) -> Result<(), BoxError> {
    if key.fingerprint() == header.archive_fingerprint && key.campaign == header.campaign {
        return Ok(());
    }
    Err(BoxError::OtherArchive { key: key.fingerprint(), named: header.archive_fingerprint.clone() })
}

/// Ballots per target × group.
#[must_use]
pub fn count(ballots: &[Ballot]) -> BallotCounts {
    let mut counts = BallotCounts::new();
    for ballot in ballots {
        *counts.entry(ballot.target.clone()).or_default().entry(ballot.group.clone()).or_default() += 1;
    }
    counts
}

/// One response as the archive keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedResponse {
    /// The target.
    pub target: TargetCode,
    /// The group.
    pub group: GroupCode,
    /// Questionnaire and version, as `code@version`.
    pub questionnaire: String,
    /// Question → option code, or `no_opinion`; a blank question is not a key.
    pub answers: BTreeMap<String, String>,
}

/// What an archive says of itself to whoever cannot open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveHeader {
    /// The campaign's id.
    pub campaign: String,
    /// Fingerprint of the key that opens it.
    pub key_fingerprint: String,
    /// Responses in it.
    pub responses: u64,
}

/// Reads an archive's header and finds its body.
///
/// # Errors
/// It is not an archive.
pub fn read_archive(file: &[u8]) -> Result<(ArchiveHeader, &[u8]), KeyError> {
    let rest = file
        .strip_prefix(ARCHIVE_MAGIC)
        .ok_or_else(|| KeyError::Malformed("its first line is not 'parsurvey archive 1'".into()))?;
    let end =
        rest.iter().position(|&b| b == b'\n').ok_or_else(|| KeyError::Malformed("the archive has no header".into()))?;
    let header = serde_json::from_slice(&rest[..end])
        .map_err(|_| KeyError::Malformed("the archive's header cannot be read".into()))?;
    Ok((header, &rest[end + 1..]))
}

/// Seals opened responses, in the order given, for the archive's holder.
///
/// # Panics
/// Never: responses are plain data.
pub fn write_archive(codebook: &Codebook, key: &PublicKey, ballots: &[Ballot], rng: &mut impl CryptoRng) -> Vec<u8> {
    let mut file = ARCHIVE_MAGIC.to_vec();
    let header = ArchiveHeader {
        campaign: codebook.campaign.clone(),
        key_fingerprint: key.fingerprint(),
        responses: ballots.len() as u64,
    };
    serde_json::to_writer(&mut file, &header).expect("a header is plain data");
    file.push(b'\n');
    for (number, chunk) in ballots.chunks(ARCHIVE_CHUNK).enumerate() {
        let mut text = Vec::new();
        for ballot in chunk {
            serde_json::to_writer(&mut text, &archived(codebook, ballot)).expect("a response is plain data");
            text.push(b'\n');
        }
        let sealed = key.seal(&archive_context(codebook, number), &text, rng);
        file.extend_from_slice(&(sealed.len() as u64).to_be_bytes());
        file.extend_from_slice(&sealed);
    }
    file
}

/// Opens an archive.
///
/// # Errors
/// Not an archive of this campaign, another key, or altered bytes.
pub fn open_archive(campaign: &str, file: &[u8], key: &PrivateKey) -> Result<Vec<ArchivedResponse>, KeyError> {
    let (_, mut body) = read_archive(file)?;
    let mut responses = Vec::new();
    let mut number = 0;
    while let Some((length, after)) = body.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| KeyError::DoesNotOpen)?;
        let (sealed, after) = after.split_at_checked(length).ok_or(KeyError::DoesNotOpen)?;
        let text = key.open(&context_of(campaign, number), sealed)?;
        for line in text.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            responses.push(serde_json::from_slice(line).map_err(|_| KeyError::DoesNotOpen)?);
        }
        body = after;
        number += 1;
    }
    Ok(responses)
}

fn archive_context(codebook: &Codebook, chunk: usize) -> Vec<u8> {
    context_of(&codebook.campaign, chunk)
}

fn context_of(campaign: &str, chunk: usize) -> Vec<u8> {
    // The chunk's number is bound in, so that chunks cannot be dropped from the middle or exchanged unnoticed.
    [b"parsurvey archive 1\0", campaign.as_bytes(), b"\0", &(chunk as u64).to_be_bytes()].concat()
}

fn archived(codebook: &Codebook, ballot: &Ballot) -> ArchivedResponse {
    let tables = &codebook.questionnaires[&ballot.questionnaire];
    let answers = tables
        .questions
        .iter()
        .zip(&ballot.answers)
        .filter(|(_, answer)| **answer != BLANK)
        .map(|(question, &answer)| {
            let choice = if answer == NO_OPINION {
                "no_opinion".to_owned()
            } else {
                question.options[usize::from(answer) - 1].code.to_string()
            };
            (question.code.to_string(), choice)
        })
        .collect();
    ArchivedResponse {
        target: ballot.target.clone(),
        group: ballot.group.clone(),
        questionnaire: format!("{}@{}", ballot.questionnaire, ballot.version),
        answers,
    }
}
