//! Keys of the sealed ballot box: the pair a holder makes, its files, and the sealing itself.
//!
//! Sealing is HPKE (RFC 9180), base mode, X25519 / HKDF-SHA256 / ChaCha20-Poly1305: 48 bytes more than the text, and
//! bound to a context string, so that a ballot of one campaign never opens as another's.
//! There is no back door: whoever loses the private key and its copies has lost the survey.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use blahaj::{Share, Sharks};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::hex;

type Suite = X25519HkdfSha256;

/// Bytes that sealing adds to a text: the encapsulated key and the authentication tag.
pub const SEAL_OVERHEAD: usize = 48;

/// How many shares are made, and how many of them restore the key.
pub const SHARES: (u8, u8) = (3, 2);

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyRole {
    /// Opens the ballot box.
    Box,
    /// Opens the archive of responses.
    Archive,
}

impl KeyRole {
    /// The word in files, arguments and the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            KeyRole::Box => "box",
            KeyRole::Archive => "archive",
        }
    }
}

impl std::str::FromStr for KeyRole {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text {
            "box" => Ok(KeyRole::Box),
            "archive" => Ok(KeyRole::Archive),
            _ => Err(KeyError::Malformed("its role is neither box nor archive".into())),
        }
    }
}

/// Why a key or something sealed cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not a key file of the kind asked for.
    #[error("this is not a usable key file: {0}")]
    Malformed(String),
    /// The sealed bytes do not open with this key and context.
    #[error("the sealed text does not open with this key")]
    DoesNotOpen,
    /// Too few shares, or shares of different keys.
    #[error("these shares do not restore the key: {0}")]
    Shares(String),
}

/// A public key: what the server holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// What it is for.
    pub role: KeyRole,
    /// The campaign it was made for.
    pub campaign: String,
    bytes: [u8; 32],
}

/// A private key: what only its holder has. It cannot be printed.
pub struct PrivateKey {
    /// What it is for.
    pub role: KeyRole,
    /// The campaign it was made for.
    pub campaign: String,
    bytes: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({}, {})", self.role.as_str(), self.campaign)
    }
}

impl PublicKey {
    /// A key from its 32 bytes.
    ///
    /// # Errors
    /// The bytes are not an X25519 public key.
    pub fn from_bytes(role: KeyRole, campaign: &str, bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Malformed("a public key has 32 bytes".into()))?;
        <Suite as Kem>::PublicKey::from_bytes(&bytes)
            .map_err(|_| KeyError::Malformed("its bytes are not an X25519 key".into()))?;
        Ok(Self { role, campaign: campaign.to_owned(), bytes })
    }

    /// The key's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The key in hexadecimal.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.bytes)
    }

    /// What two people read to each other: the first 80 bits of SHA-256 over the key, in five groups.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = hex(&Sha256::digest(self.bytes));
        let groups: Vec<&str> = (0..5).map(|i| &digest[i * 4..i * 4 + 4]).collect();
        groups.join("-")
    }

    /// The `.pub` file.
    #[must_use]
    pub fn to_file(&self) -> String {
        format!(
            "parsurvey public key 1\nrole: {}\ncampaign: {}\nfingerprint: {}\nkey: {}\n",
            self.role.as_str(),
            self.campaign,
            self.fingerprint(),
            self.hex()
        )
    }

    /// Reads a `.pub` file.
    ///
    /// # Errors
    /// It is not one, or its fingerprint does not belong to its key.
    pub fn from_file(text: &str) -> Result<Self, KeyError> {
        let fields = Fields::read(text, "parsurvey public key 1")?;
        let bytes =
            crate::unhex(fields.get("key")?).ok_or_else(|| KeyError::Malformed("its key is not hexadecimal".into()))?;
        let key = Self::from_bytes(fields.get("role")?.parse()?, fields.get("campaign")?, &bytes)?;
        if key.fingerprint() != fields.get("fingerprint")? {
            return Err(KeyError::Malformed("its fingerprint does not belong to its key".into()));
        }
        Ok(key)
    }

    /// Seals `text` so that only the private key opens it under the same `context`.
    ///
    /// # Panics
    /// Never: the key was checked when it was made.
    pub fn seal(&self, context: &[u8], text: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        let key = <Suite as Kem>::PublicKey::from_bytes(&self.bytes).expect("the key was checked when it was made");
        let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Suite>(
            &OpModeS::Base,
            &key,
            context,
            text,
            &[],
            rng,
        )
        .expect("base mode seals any text below 256 GiB");
        let mut sealed = encapsulated.to_bytes().to_vec();
        sealed.extend_from_slice(&ciphertext);
        sealed
    }
}

impl PrivateKey {
    /// A fresh key from 32 random bytes.
    #[must_use]
    pub fn generate(role: KeyRole, campaign: &str, random: &[u8; 32]) -> Self {
        let (private, _) = <Suite as Kem>::derive_keypair(random);
        let bytes: [u8; 32] = private.to_bytes().into();
        Self { role, campaign: campaign.to_owned(), bytes: Zeroizing::new(bytes) }
    }

    /// The public half.
    ///
    /// # Panics
    /// Never: every 32 bytes are an X25519 private key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let bytes = <Suite as Kem>::sk_to_pk(&self.inner()).to_bytes().into();
        PublicKey { role: self.role, campaign: self.campaign.clone(), bytes }
    }

    fn inner(&self) -> <Suite as Kem>::PrivateKey {
        <Suite as Kem>::PrivateKey::from_bytes(self.bytes.as_slice()).expect("every 32 bytes are an X25519 private key")
    }

    /// Opens what [`PublicKey::seal`] sealed.
    ///
    /// # Errors
    /// Another key, another context, or altered bytes.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (encapsulated, ciphertext) = sealed.split_at_checked(32).ok_or(KeyError::DoesNotOpen)?;
        let encapsulated = <Suite as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| KeyError::DoesNotOpen)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Suite>(
            &OpModeR::Base,
            &self.inner(),
            &encapsulated,
            context,
            ciphertext,
            &[],
        )
        .map(Zeroizing::new)
        .map_err(|_| KeyError::DoesNotOpen)
    }

    /// The private file.
    #[must_use]
    pub fn to_file(&self) -> Zeroizing<String> {
        let public = self.public();
        Zeroizing::new(format!(
            "parsurvey private key 1\nrole: {}\ncampaign: {}\nfingerprint: {}\nsecret: {}\n",
            self.role.as_str(),
            self.campaign,
            public.fingerprint(),
            BASE64.encode(self.bytes.as_slice())
        ))
    }

    /// Reads a private file.
    ///
    /// # Errors
    /// It is not one, or it is damaged.
    pub fn from_file(text: &str) -> Result<Self, KeyError> {
        let fields = Fields::read(text, "parsurvey private key 1")?;
        Self::from_secret(&fields, &decode(fields.get("secret")?)?)
    }

    fn from_secret(fields: &Fields<'_>, secret: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 32] =
            secret.try_into().map_err(|_| KeyError::Malformed("its secret has not 32 bytes".into()))?;
        let key = Self {
            role: fields.get("role")?.parse()?,
            campaign: fields.get("campaign")?.to_owned(),
            bytes: Zeroizing::new(bytes),
        };
        if key.public().fingerprint() != fields.get("fingerprint")? {
            return Err(KeyError::Malformed("its fingerprint does not belong to its secret".into()));
        }
        Ok(key)
    }

    /// The key as [`SHARES`] share files (Shamir); any two restore it, one alone says nothing.
    #[must_use]
    pub fn to_shares(&self, rng: &mut impl CryptoRng) -> Vec<Zeroizing<String>> {
        let (shares, needed) = SHARES;
        let public = self.public();
        Sharks(needed)
            .dealer_rng(self.bytes.as_slice(), rng)
            .take(usize::from(shares))
            .enumerate()
            .map(|(i, share)| {
                let bytes = Zeroizing::new(Vec::<u8>::from(&share));
                Zeroizing::new(format!(
                    "parsurvey key share 1\nrole: {}\ncampaign: {}\nfingerprint: {}\nshare: {} of {shares}, any {needed} open\nsecret: {}\n",
                    self.role.as_str(),
                    self.campaign,
                    public.fingerprint(),
                    i + 1,
                    BASE64.encode(bytes.as_slice())
                ))
            })
            .collect()
    }

    /// Restores a key from share files.
    ///
    /// # Errors
    /// Fewer than two, shares of different keys, or a damaged one.
    pub fn from_shares<'a>(files: impl IntoIterator<Item = &'a str>) -> Result<Self, KeyError> {
        let read: Vec<Fields<'_>> =
            files.into_iter().map(|file| Fields::read(file, "parsurvey key share 1")).collect::<Result<_, _>>()?;
        let first = read.first().ok_or_else(|| KeyError::Shares("none was given".into()))?;
        for fields in &read {
            if fields.get("fingerprint")? != first.get("fingerprint")? {
                return Err(KeyError::Shares("they belong to different keys".into()));
            }
        }
        let shares: Vec<Share> = read
            .iter()
            .map(|fields| {
                let bytes = decode(fields.get("secret")?)?;
                Share::try_from(bytes.as_slice()).map_err(|reason| KeyError::Shares(reason.to_owned()))
            })
            .collect::<Result<_, _>>()?;
        let secret =
            Zeroizing::new(Sharks(SHARES.1).recover(&shares).map_err(|reason| KeyError::Shares(reason.to_owned()))?);
        Self::from_secret(first, &secret)
    }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    BASE64.decode(text).map(Zeroizing::new).map_err(|_| KeyError::Malformed("its secret is not base64".into()))
}

struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn read(text: &'a str, first_line: &str) -> Result<Self, KeyError> {
        let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty());
        if lines.next() != Some(first_line) {
            return Err(KeyError::Malformed(format!("its first line is not '{first_line}'")));
        }
        lines
            .map(|line| {
                let (name, value) =
                    line.split_once(':').ok_or_else(|| KeyError::Malformed("a line has no colon".into()))?;
                Ok((name.trim(), value.trim()))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn get(&self, name: &str) -> Result<&'a str, KeyError> {
        self.0
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, value)| *value)
            .ok_or_else(|| KeyError::Malformed(format!("it has no '{name}'")))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::generate(KeyRole::Box, "example", &[seed; 32])
    }

    #[test]
    fn only_the_key_and_the_context_open_what_was_sealed() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let sealed = key(1).public().seal(b"here", b"ballot", &mut rng);
        assert_eq!(sealed.len(), 6 + SEAL_OVERHEAD);
        assert_eq!(key(1).open(b"here", &sealed).expect("opens").as_slice(), b"ballot");
        assert_eq!(key(2).open(b"here", &sealed).expect_err("another key"), KeyError::DoesNotOpen);
        assert_eq!(key(1).open(b"there", &sealed).expect_err("another context"), KeyError::DoesNotOpen);
        let mut altered = sealed;
        altered[40] ^= 1;
        assert_eq!(key(1).open(b"here", &altered).expect_err("altered"), KeyError::DoesNotOpen);
        assert_eq!(key(1).open(b"here", b"short").expect_err("short"), KeyError::DoesNotOpen);
    }

    #[test]
    fn files_round_trip_and_damage_is_told() {
        let public = key(3).public();
        assert_eq!(PublicKey::from_file(&public.to_file()).expect("reads"), public);
        let restored = PrivateKey::from_file(&key(3).to_file()).expect("reads");
        assert_eq!(restored.public(), public);
        let damaged = public.to_file().replace("fingerprint: ", "fingerprint: 0");
        assert!(PublicKey::from_file(&damaged).is_err());
        assert!(PublicKey::from_file("hello").is_err());
        assert!(!format!("{restored:?}").contains(&BASE64.encode(restored.bytes.as_slice())));
    }

    #[test]
    fn any_two_shares_restore_the_key_and_one_does_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let shares = key(4).to_shares(&mut rng);
        assert_eq!(shares.len(), 3);
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let restored = PrivateKey::from_shares([shares[a].as_str(), shares[b].as_str()]).expect("restores");
            assert_eq!(restored.public(), key(4).public());
        }
        assert!(PrivateKey::from_shares([shares[0].as_str()]).is_err());
        let other = key(5).to_shares(&mut rng);
        assert!(PrivateKey::from_shares([shares[0].as_str(), other[1].as_str()]).is_err());
    }
}
