//! Drafts: the answers of a form that is not handed in yet, kept so that nobody loses what was typed.
//!
//! A draft is sealed under a key that is made from two things: the link's token, which only the mail holds, and the draft
//! secret, which lies in a file outside database and backup and is destroyed at closing. Whoever has database, backups,
//! logs and every mail, but not the secret, opens none; the running server can while a link is used. All drafts of a
//! campaign have one length, so a length tells nothing.

use std::collections::BTreeMap;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use parsurvey_index::code::{GroupCode, QuestionCode, TargetCode};
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ballot::{BallotError, Choice, Codebook};
use crate::seat::FormId;
use crate::secret::Secret;

/// What [`DraftSecret`] is for.
#[derive(Debug)]
pub enum Drafts {}

/// The secret that drafts are sealed with, besides the link's token.
pub type DraftSecret = Secret<Drafts>;

/// Answers by question; a question without an entry was left blank.
pub type Answers = BTreeMap<QuestionCode, Choice>;

/// Bytes of the nonce in front of a sealed draft.
const NONCE: usize = 12;

/// Answers given so far. It has no `Debug` that shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    /// The answers.
    pub answers: Answers,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Draft")
    }
}

/// What one page or one press adds to a draft. It has no `Debug` that shows answers.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// What the person chose just now.
    pub given: Answers,
    /// Questions whose answer the person took back just now.
    pub cleared: Vec<QuestionCode>,
    /// What the page brought along from before: it counts where the draft knows nothing.
    pub brought: Answers,
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Changes")
    }
}

impl Changes {
    /// Whether the person chose something or took something back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty() && self.cleared.is_empty() && self.brought.is_empty()
    }

    /// The answers after these changes. What was chosen just now wins over the draft, and the draft wins over what an
    /// older page brought along: of two tabs or devices each adds to the other.
    #[must_use]
    pub fn onto(&self, draft: Option<&Draft>) -> Answers {
        let mut answers = self.brought.clone();
        if let Some(draft) = draft {
            answers.extend(draft.answers.clone());
        }
        for question in &self.cleared {
            answers.remove(question);
        }
        answers.extend(self.given.clone());
        answers
    }
}

/// Where a draft belongs: sealed for one form of a campaign, it opens as no other's.
#[derive(Debug, Clone, Copy)]
pub struct DraftPlace<'a> {
    /// The tables that turn answers into bytes.
    pub codebook: &'a Codebook,
    /// The form.
    pub form: FormId,
    /// The target it rates.
    pub target: &'a TargetCode,
    /// The respondent group.
    pub group: &'a GroupCode,
}

impl DraftPlace<'_> {
    /// Seals a draft with ChaCha20-Poly1305 (RFC 8439) under HKDF-SHA-256 (RFC 5869) of token and draft secret.
    ///
    /// # Errors
    /// A question or an option that the form does not have.
    ///
    /// # Panics
    /// Never: a draft is far shorter than what the cipher can seal.
    pub fn seal(
        &self,
        secret: &DraftSecret,
        token: &str,
        draft: &Draft,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, BallotError> {
        let ballot = self.codebook.ballot(self.target, self.group, &draft.answers)?;
        let text = Zeroizing::new(self.codebook.encode(&ballot)?);
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let sealed = self
            .cipher(secret, token)
            .encrypt(&Nonce::from(nonce), Payload { msg: &text, aad: &self.form.to_be_bytes() })
            .expect("a draft is far shorter than the cipher's limit");
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens a sealed draft. `None` where it is not this form's, was sealed under another link or secret, is damaged, or
    /// was made for a questionnaire that the form no longer has.
    #[must_use]
    pub fn open(&self, secret: &DraftSecret, token: &str, sealed: &[u8]) -> Option<Draft> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: &self.form.to_be_bytes() };
        let text = Zeroizing::new(self.cipher(secret, token).decrypt(&Nonce::from(*nonce), payload).ok()?);
        let ballot = self.codebook.decode(&text).ok()?;
        let asked = self.codebook.forms.get(self.target)?.get(self.group)?;
        let answers = (ballot.questionnaire == *asked).then(|| self.codebook.answers(&ballot))??;
        Some(Draft { answers })
    }

    fn cipher(&self, secret: &DraftSecret, token: &str) -> ChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(secret.expose()), token.as_bytes())
            .expand_multi_info(&[b"parsurvey draft 1\0", self.codebook.campaign.as_bytes()], key.as_mut_slice())
            .expect("32 bytes are less than the limit of HKDF");
        ChaCha20Poly1305::new(&Key::from(*key))
    }
}

#[cfg(test)]
mod tests;
