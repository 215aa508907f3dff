//! The keys of box and archive: made on the holder's machine, registered here, and proved before anyone is invited.
//!
//! The proof is a test ballot: sealed here, opened by the holder, whose answer is typed back. Nobody is invited to a box
//! that its holder cannot open. There is no way back to a lost key.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use parsurvey_ledger::{CampaignState, KeyRow};
use parsurvey_survey::hex;
use parsurvey_survey::key::{KeyRole, PrivateKey, PublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::files::{private_folder, read_bounded, write_secret, write_whole};
use crate::{Because, Desk, DeskError, random, random_bytes};

const KEY_FILE_BYTES: u64 = 4096;
const TEST_CONTEXT: &[u8] = b"parsurvey test ballot 1";
/// The ledger keeps the code's SHA-256 in front of the sealed test ballot.
const CODE_HASH_BYTES: usize = 32;

/// How the private key is kept a second time.
#[derive(Debug, Clone)]
pub enum Copies {
    /// Not at all: only for keys that a trial makes beside its data.
    None,
    /// A second copy in this folder, on another medium.
    Folder(PathBuf),
    /// Three shares in this folder, any two of which restore it, to be handed to three people; no whole copy is kept.
    Shares(PathBuf),
}

/// The files a key was written to.
#[derive(Debug)]
pub struct KeyFiles {
    /// The private file, or the first share.
    pub private: PathBuf,
    /// The `.pub` file, for the server.
    pub public: PathBuf,
    /// Every file that holds the secret or a share of it.
    pub secrets: Vec<PathBuf>,
    /// What two people read to each other.
    pub fingerprint: String,
}

/// Makes a key pair and writes its files. Never overwrites one.
///
/// # Errors
/// A file exists or cannot be written.
pub fn generate(role: KeyRole, campaign: &str, folder: &Path, copies: &Copies) -> Result<KeyFiles, DeskError> {
    let seed = Zeroizing::new(random_bytes()?);
    let key = PrivateKey::generate(role, campaign, &seed);
    let public = key.public();
    let name = key_name(role, campaign);
    let mut secrets: Vec<(PathBuf, Zeroizing<String>)> = Vec::new();
    match copies {
        Copies::None => secrets.push((folder.join(format!("{name}.key")), key.to_file())),
        Copies::Folder(second) => {
            secrets.extend([folder, second].map(|place| (place.join(format!("{name}.key")), key.to_file())));
        }
        Copies::Shares(place) => {
            let shares = key.to_shares(&mut random()?);
            secrets.extend((1..).zip(shares).map(|(n, share)| (place.join(format!("{name}.share{n}")), share)));
        }
    }
    let public_path = folder.join(format!("{name}.pub"));
    let mut files = secrets.clone();
    files.push((public_path.clone(), Zeroizing::new(public.to_file())));
    write_all_or_none(&files)?;
    let secrets: Vec<PathBuf> = secrets.into_iter().map(|(path, _)| path).collect();
    Ok(KeyFiles { private: secrets[0].clone(), public: public_path, secrets, fingerprint: public.fingerprint() })
}

/// The name that a key's files begin with.
pub(crate) fn key_name(role: KeyRole, campaign: &str) -> String {
    format!("{campaign}-{}", role.as_str())
}

/// A key of which one copy was written and the other was not would look like a whole one on the next run.
fn write_all_or_none(files: &[(PathBuf, Zeroizing<String>)]) -> Result<(), DeskError> {
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(DeskError::refused(
            format!("{} exists already and is not overwritten", path.display()),
            "keep it, or name another folder",
        ));
    }
    for (written, (path, text)) in files.iter().enumerate() {
        let done = path.parent().map_or(Ok(()), private_folder).and_then(|()| write_secret(path, text));
        if let Err(error) = done {
            for (path, _) in &files[..written] {
                std::fs::remove_file(path).map_err(|error| DeskError::io("removing", path, &error))?;
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Reads a private key from its file, or from shares.
///
/// # Errors
/// A file is missing, or they are not a key.
pub fn read_private(paths: &[PathBuf]) -> Result<PrivateKey, DeskError> {
    let texts: Vec<Zeroizing<String>> = paths.iter().map(|path| read_text(path)).collect::<Result<_, _>>()?;
    let key = match texts.as_slice() {
        [one] if !one.starts_with("parsurvey key share") => PrivateKey::from_file(one),
        several => PrivateKey::from_shares(several.iter().map(|text| text.as_str())),
    };
    key.map_err(|error| {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        DeskError::refused(
            format!("{}: {error}", names.join(", ")),
            "name the .key file that `parsurvey keygen` wrote, or two of its shares",
        )
    })
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, DeskError> {
    String::from_utf8(read_bounded(path, KEY_FILE_BYTES)?).map(Zeroizing::new).map_err(|_| {
        DeskError::refused(
            format!("{} is not a key file", path.display()),
            "name the file that `parsurvey keygen` wrote",
        )
    })
}

/// Opens a test ballot with the private key, or with two of its shares, and returns the code to type back.
///
/// # Errors
/// The key is not the one the test was sealed to.
pub fn open_test(keys: &[PathBuf], test: &Path) -> Result<String, DeskError> {
    let key = read_private(keys)?;
    let sealed = read_bounded(test, KEY_FILE_BYTES)?;
    let code = key.open(TEST_CONTEXT, &sealed).map_err(|error| {
        DeskError::refused(
            format!("{}: {error}", test.display()),
            "compare the fingerprints: the ledger holds another public key",
        )
    })?;
    String::from_utf8(code.to_vec())
        .map_err(|_| DeskError::refused("the test ballot is damaged", "register the key again"))
}

impl Desk {
    /// Puts a public key into the ledger and seals a test ballot to it. Returns the test ballot's file.
    ///
    /// # Errors
    /// Another campaign's key; people were invited already; the file cannot be read.
    pub async fn register_key(&self, path: &Path, because: &Because, now: Timestamp) -> Result<PathBuf, DeskError> {
        let key = PublicKey::from_file(&read_text(path)?).map_err(|error| {
            DeskError::refused(
                format!("{}: {error}", path.display()),
                "name the .pub file that `parsurvey keygen` wrote",
            )
        })?;
        if key.campaign != self.campaign.id {
            return Err(DeskError::refused(
                format!("this key was made for the campaign {}", key.campaign),
                format!("make one for {} with `parsurvey keygen`", self.campaign.id),
            ));
        }
        if self.state().await? != CampaignState::Draft {
            return Err(DeskError::refused(
                "people were invited to the box of the registered key",
                "keys are registered before the first invitation",
            ));
        }
        // 80 bits in groups of four: long enough that the stored hash does not give the code away.
        let digits = hex(&random_bytes()?[..10]);
        let code: Vec<&str> = (0..5).map(|group| &digits[group * 4..group * 4 + 4]).collect();
        let code = code.join("-");
        let mut stored = Sha256::digest(&code).to_vec();
        stored.extend(key.seal(TEST_CONTEXT, code.as_bytes(), &mut random()?));
        let role = ledger_role(key.role);
        self.ledger.register_key(role, &key.hex(), &key.fingerprint(), &stored, &because.act(now)).await?;
        // Registering the same key again keeps the first test ballot; the file is made from what is stored.
        let row = self.key_row(key.role).await?;
        let sealed = row.test_ballot.get(CODE_HASH_BYTES..).unwrap_or_default();
        let test = self.data.out().join(format!("test-ballot-{}.sealed", key.role.as_str()));
        write_whole(&test, sealed)?;
        Ok(test)
    }

    /// Records that a holder has opened the test ballot. Returns the role of the key that is proved.
    ///
    /// # Errors
    /// The code belongs to no registered key.
    pub async fn confirm_key(&self, code: &str, because: &Because, now: Timestamp) -> Result<KeyRole, DeskError> {
        let hash = Sha256::digest(code.trim());
        let found = self.ledger.keys().await?.into_iter().find(|key| key.test_ballot.starts_with(&hash));
        let key = found.ok_or_else(|| {
            DeskError::refused(
                "this code opens no registered key's test ballot",
                "send the newest test ballot to the holder and type what `parsurvey key open-test` prints",
            )
        })?;
        if key.confirmed.is_none() {
            self.ledger.confirm_key(key.role, &hex(&hash), &because.act(now)).await?;
        }
        Ok(role(&key))
    }

    /// The public key of `role`, once its holder has proved it.
    ///
    /// # Errors
    /// It is not registered or not proved.
    pub async fn proved_key(&self, wanted: KeyRole) -> Result<PublicKey, DeskError> {
        let word = wanted.as_str();
        let key = self.key_row(wanted).await?;
        if key.confirmed.is_none() {
            return Err(DeskError::refused(
                format!("the holder of the {word} key has not opened the test ballot yet"),
                "send it to them, then type their code with `parsurvey key confirm CODE`",
            ));
        }
        let bytes = parsurvey_survey::unhex(&key.public_hex).unwrap_or_default();
        PublicKey::from_bytes(wanted, &self.campaign.id, &bytes).map_err(|error| {
            DeskError::refused(format!("the ledger's {word} key is damaged: {error}"), "restore the ledger")
        })
    }

    async fn key_row(&self, wanted: KeyRole) -> Result<KeyRow, DeskError> {
        let word = wanted.as_str();
        self.ledger.keys().await?.into_iter().find(|key| role(key) == wanted).ok_or_else(|| {
            DeskError::refused(
                format!("no {word} key is registered"),
                format!("run `parsurvey keygen {word}` on the holder's machine and `parsurvey key register` here"),
            )
        })
    }
}

/// The role of a registered key.
pub(crate) fn role(key: &KeyRow) -> KeyRole {
    match key.role {
        parsurvey_ledger::KeyRole::Box => KeyRole::Box,
        parsurvey_ledger::KeyRole::Archive => KeyRole::Archive,
    }
}

fn ledger_role(role: KeyRole) -> parsurvey_ledger::KeyRole {
    match role {
        KeyRole::Box => parsurvey_ledger::KeyRole::Box,
        KeyRole::Archive => parsurvey_ledger::KeyRole::Archive,
    }
}
