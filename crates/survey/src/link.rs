//! Links: how a form is reached, and how little of that is kept.
//!
//! A token is made when a mail is composed, from a secret that lies outside database and backup; the ledger keeps only
//! the token's hash. The same form and version always give the same token, so reminders carry the same link.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::hex;
use crate::seat::FormId;
use crate::secret::Secret;

/// Characters of a token: 32 bytes in base64url without padding.
pub const TOKEN_CHARACTERS: usize = 43;

/// What [`LinkSecret`] is for.
#[derive(Debug)]
pub enum Links {}

/// The secret that tokens are made from.
pub type LinkSecret = Secret<Links>;

/// The secret part of a link. It cannot be printed by accident; [`LinkToken::expose`] names the place where it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(Zeroizing<String>);

impl std::fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkToken")
    }
}

impl LinkSecret {
    /// The token of a form's link: HMAC-SHA-256(secret, campaign ‖ form ‖ version), RFC 2104.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    #[must_use]
    pub fn token(&self, campaign: &str, form: FormId, version: u32) -> LinkToken {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.expose()).expect("HMAC takes a key of any length");
        mac.update(b"parsurvey link 1\0");
        mac.update(campaign.as_bytes());
        mac.update(&[0]);
        mac.update(&form.to_be_bytes());
        mac.update(&version.to_be_bytes());
        LinkToken(Zeroizing::new(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
    }
}

impl LinkToken {
    /// The token's characters, for the body of a mail.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the ledger keeps.
    #[must_use]
    pub fn hash(&self) -> String {
        token_hash(&self.0)
    }
}

/// The hash by which a token that arrives is looked up: SHA-256 in hexadecimal, under a prefix of its own.
#[must_use]
pub fn token_hash(token: &str) -> String {
    hex(&Sha256::new().chain_update(b"parsurvey link hash 1\0").chain_update(token).finalize())
}

/// Whether a text could be a token at all; anything else is not worth a look-up.
#[must_use]
pub fn looks_like_token(text: &str) -> bool {
    text.len() == TOKEN_CHARACTERS && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_stable_and_differ_by_form_version_campaign_and_secret() {
        let secret = LinkSecret::new([7; 32]);
        let token = secret.token("example", 1, 1);
        assert_eq!(token, secret.token("example", 1, 1));
        assert!(looks_like_token(token.expose()));
        for other in [
            secret.token("example", 2, 1),
            secret.token("example", 1, 2),
            secret.token("other", 1, 1),
            LinkSecret::new([8; 32]).token("example", 1, 1),
        ] {
            assert_ne!(token, other);
        }
        assert!(!format!("{token:?}{secret:?}").contains(token.expose()));
        assert!(!token.hash().contains(token.expose()));
    }

    #[test]
    fn the_secret_file_round_trips() {
        let secret = LinkSecret::new([9; 32]);
        let read = LinkSecret::from_file(&secret.to_file()).expect("reads");
        assert_eq!(read.token("c", 1, 1), secret.token("c", 1, 1));
        assert!(LinkSecret::from_file("not a secret").is_none());
    }
}
