//! Drafts: what a respondent gave so far, kept sealed until the form is handed in.
//!
//! The secret lies in `draft.key` and is destroyed at closing. Where it is missing, or the campaign wants no drafts, the
//! form works as well; answers are then held by the open page alone.

use jiff::Timestamp;
use parsurvey_ledger::{CampaignState, DraftResult, HeldSecret, LinkedForm};
use parsurvey_survey::draft::{Changes, Draft, DraftPlace, DraftSecret};

use crate::files::remove_with_parts;
use crate::respond::Visit;
use crate::secrets::SecretFile;
use crate::{Because, Desk, DeskError, random};

/// How often a saving is tried again because another device saved at the same moment.
const TRIES: usize = 20;

/// What became of saving what a person gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saving {
    /// Saved.
    Saved,
    /// Not saved, because this survey saves no drafts; that an answer has arrived is recorded.
    Noted,
    /// Not saved: the link takes nothing now; the visit says why.
    Refused(Visit),
}

impl Desk {
    /// Whether answers are saved as they are given: [`Desk::ready_drafts`] found the secret.
    #[must_use]
    pub fn saves_drafts(&self) -> bool {
        self.draft_secret.get().is_some()
    }

    /// Reads the secret of drafts, and makes it where there never was one. After closing there is none.
    ///
    /// # Errors
    /// It was lost, it is another one, or it cannot be written. The form works without it.
    pub async fn ready_drafts(&self, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        match self.state().await? {
            CampaignState::Draft | CampaignState::Inviting => {}
            CampaignState::Closed | CampaignState::Opened | CampaignState::Released => return Ok(()),
        }
        if self.saves_drafts() || !self.campaign.form.drafts {
            return Ok(());
        }
        let path = self.data.draft_key();
        let file = SecretFile {
            which: HeldSecret::Drafts,
            path: &path,
            what: "the secret of drafts",
            otherwise: "with this one nobody could go on with a form that was begun",
            fresh: |random| DraftSecret::new(random).to_file().to_string(),
            read: DraftSecret::from_file,
            fingerprint: DraftSecret::fingerprint,
        };
        let secret = self.secret(&file, because, now).await?.ok_or_else(|| {
            DeskError::refused(
                format!("{} is missing", path.display()),
                "restore it from its separate copy; until then answers are kept by the open page alone",
            )
        })?;
        // Whoever came first read the same file.
        self.draft_secret.get_or_init(|| secret);
        Ok(())
    }

    /// Saves what a person gave just now, together with what was given before on whichever device. The first time this is
    /// a start (AAPOR "started"). Changes that hold nothing change nothing.
    ///
    /// # Errors
    /// The ledger cannot be written, or others saved the same form all the time.
    pub async fn save_draft(&self, token: &str, changes: &Changes, now: Timestamp) -> Result<Saving, DeskError> {
        for _ in 0..TRIES {
            let (seat, visit) = self.look_up(token, now).await?;
            let (Some(seat), Visit::Open(form)) = (&seat, &visit) else { return Ok(Saving::Refused(visit)) };
            let starts = now <= form.closes;
            let Some(secret) = self.draft_secret.get() else {
                if starts && !changes.is_empty() {
                    self.ledger.record_started(seat.form, seat.link_version, now).await?;
                }
                return Ok(Saving::Noted);
            };
            let opened = self.opened_draft(seat, token);
            let draft = Draft { answers: changes.onto(opened.as_ref()) };
            if draft.answers.is_empty() && seat.draft.is_none() || opened.as_ref() == Some(&draft) {
                return Ok(Saving::Saved);
            }
            let sealed = self.place(seat).seal(secret, token, &draft, &mut random()?).map_err(|error| {
                DeskError::unfinished(format!("the answers could not be saved: {error}"), "open the link again")
            })?;
            let (before, place) = (seat.draft.as_deref(), (seat.form, seat.link_version));
            match self.ledger.save_draft(place, before, &sealed, starts, now).await? {
                DraftResult::Saved => return Ok(Saving::Saved),
                DraftResult::Meanwhile => {}
                // Something changed between the look and the write: the next look says what.
                DraftResult::AlreadySubmitted | DraftResult::Refused(_) => {
                    return Ok(Saving::Refused(self.visit(token, now).await?));
                }
            }
        }
        Err(DeskError::unfinished("the same form is being saved elsewhere", "try again"))
    }

    /// The draft of a form that can be answered; `None` where there is none or it does not open.
    pub(crate) fn opened_draft(&self, seat: &LinkedForm, token: &str) -> Option<Draft> {
        self.place(seat).open(self.draft_secret.get()?, token, seat.draft.as_ref()?)
    }

    /// Destroys the secret: no backup yields a draft afterwards, not even with every mail. Does nothing when it is gone.
    pub(crate) fn destroy_drafts(&self) -> Result<(), DeskError> {
        remove_with_parts(&self.data.draft_key())
    }

    fn place<'a>(&'a self, seat: &'a LinkedForm) -> DraftPlace<'a> {
        DraftPlace { codebook: &self.codebook, form: seat.form, target: &seat.target, group: &seat.group }
    }
}
