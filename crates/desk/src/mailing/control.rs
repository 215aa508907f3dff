//! The operator's hand on the sending: pause and resume, let the rest go, send again, settle what is unknown.

use jiff::Timestamp;
use parsurvey_ledger::Again;
use parsurvey_survey::calendar;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::{Evidence, MailState};

use crate::{Because, Desk, DeskError};

/// What reading a relay's log settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SettledByLog {
    /// Unknown mails that the log names: the relay took them.
    pub taken: u64,
    /// Unknown mails that it does not name. That proves nothing: the log may be of another day or machine.
    pub not_named: u64,
}

impl Desk {
    /// Pauses all sending of the campaign. `false` where it is paused already.
    ///
    /// # Errors
    /// No reason, or the ledger cannot be written.
    pub async fn pause(&self, because: &Because, now: Timestamp) -> Result<bool, DeskError> {
        require_reason(because, "a pause", "say why; the log keeps it, and whoever wants to send is told")?;
        Ok(self.ledger.pause(&because.act(now)).await?)
    }

    /// Lets sending go on. `false` where it was not paused.
    ///
    /// # Errors
    /// No reason, or the ledger cannot be written.
    pub async fn resume(&self, because: &Because, now: Timestamp) -> Result<bool, DeskError> {
        require_reason(because, "going on", "say what was mended; the log keeps it")?;
        Ok(self.ledger.resume(&because.act(now)).await?)
    }

    /// Lets the mails go that were held back behind the first few, whatever became of those; gives their number.
    ///
    /// # Errors
    /// No reason, or the survey is closed.
    pub async fn let_go(&self, because: &Because, now: Timestamp) -> Result<u64, DeskError> {
        require_reason(because, "letting the rest go", "say why it may; the log keeps it")?;
        Ok(self.ledger.let_go(None, &because.act(now)).await?)
    }

    /// Makes mails of a contact that were refused for good, or are unknown, ready once more; the next sending sends them.
    /// `None` is every contact that is due. People who owe no answer or had a later contact are left alone.
    ///
    /// # Errors
    /// No reason, nothing due, or the survey is closed.
    pub async fn make_ready_again(
        &self,
        kind: Option<MailKind>,
        again: Again,
        because: &Because,
        now: Timestamp,
    ) -> Result<u64, DeskError> {
        require_reason(because, "sending mails again", "say what has changed since; the log keeps it")?;
        if again == Again::Unknown {
            self.take_over_from_the_dead(now).await?;
        }
        let kinds = kind.map_or_else(|| self.due_kinds(now), |kind| vec![kind]);
        let mut made = 0;
        for kind in kinds {
            let wave = self.due_contact(kind, now)?.wave;
            made += self.ledger.make_ready_again(kind, wave, again, &because.act(now)).await?;
        }
        Ok(made)
    }

    /// Settles one unknown mail as an operator has found out: the relay took it, or never had it.
    ///
    /// # Errors
    /// No reason, no such mail, or the mail is not unknown.
    pub async fn settle(&self, mail: i64, was_taken: bool, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        require_reason(because, "settling a mail", "say how you know; the log keeps it")?;
        self.take_over_from_the_dead(now).await?;
        let evidence = if was_taken { Evidence::RelayTookIt } else { Evidence::RelayNeverHadIt };
        if self.ledger.learn_of(mail, evidence, "operator", &because.act(now)).await? {
            return Ok(());
        }
        Err(DeskError::refused(
            format!("mail {mail} is not unknown"),
            "look at `parsurvey mails --state unknown`; only those can be settled",
        ))
    }

    /// Settles the unknown mails whose Message-ID a relay's log names.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn settle_by_log(&self, log: &str, because: &Because, now: Timestamp) -> Result<SettledByLog, DeskError> {
        self.take_over_from_the_dead(now).await?;
        let named: std::collections::BTreeSet<&str> = message_ids(log).collect();
        let mut settled = SettledByLog::default();
        for mail in self.ledger.mails().await? {
            if mail.state != MailState::Unknown {
                continue;
            }
            let is_named = mail.message_id.as_deref().is_some_and(|id| named.contains(id.trim_matches(['<', '>'])));
            let act = because.act(now);
            if is_named && self.ledger.learn_of(mail.mail, Evidence::RelayTookIt, "relay log", &act).await? {
                settled.taken += 1;
            } else {
                settled.not_named += 1;
            }
        }
        Ok(settled)
    }

    /// Refuses while sending is paused.
    pub(super) async fn require_not_paused(&self) -> Result<(), DeskError> {
        let Some(pause) = self.ledger.pause_in_force().await? else { return Ok(()) };
        let since = pause.since.map(|since| format!(" since {}", calendar::written(since, &self.campaign.time_zone)));
        Err(DeskError::refused(
            format!("sending is paused{} by {}: {}", since.unwrap_or_default(), pause.by, pause.why),
            "mend what it names, then let it go on with `parsurvey resume --reason TEXT`",
        ))
    }

    /// Refuses outside the hours in which mails leave.
    pub(crate) fn require_hours(&self, now: Timestamp) -> Result<(), DeskError> {
        let campaign = &self.campaign;
        let Some(hours) = &campaign.sending.hours else { return Ok(()) };
        if hours.is_open(now, &campaign.time_zone, &campaign.holidays) {
            return Ok(());
        }
        Err(self.outside_hours(now))
    }

    pub(super) fn outside_hours(&self, now: Timestamp) -> DeskError {
        let campaign = &self.campaign;
        let hours = campaign.sending.hours.as_ref();
        let next = hours.and_then(|hours| hours.next_open(now, &campaign.time_zone, &campaign.holidays));
        let next = next.map_or_else(String::new, |next| calendar::written(next, &campaign.time_zone));
        DeskError::unfinished(
            format!("it is outside the hours in which mails leave; what is owed is queued and leaves from {next}"),
            "run the command again then, or change sending.hours in campaign.toml",
        )
    }
}

fn require_reason(because: &Because, what: &str, remedy: &str) -> Result<(), DeskError> {
    if because.reason.trim().is_empty() {
        return Err(DeskError::refused(format!("{what} needs --reason"), remedy));
    }
    Ok(())
}

/// Whatever in a log may be a Message-ID, without angle brackets, which not every relay writes.
fn message_ids(log: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    log.split(move |c| !is_part(c)).filter(|word| word.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::message_ids;

    #[test]
    fn message_ids_are_found_in_the_logs_of_the_usual_relays() {
        let log = "Dec 18 08:00:01 mx postfix/cleanup[12]: 4Zx: message-id=<a.1@par.example>\n\
                   2023-12-18 08:00:02 1rF-000 <= x@par.example H=x P=esmtp S=9 id=b.2@par.example\n\
                   Dec 18 08:00:03 mx sendmail[9]: from=<x@par.example>, msgid=<c.3@par.example>, stat=Sent\n";
        let found: Vec<&str> = message_ids(log).filter(|id| !id.starts_with('x')).collect();
        assert_eq!(found, ["a.1@par.example", "b.2@par.example", "c.3@par.example"]);
    }
}
