//! The last word to addresses that were given up: sent with the next mails, each at most once.

use jiff::Timestamp;
use parsurvey_dispatch::{Line, Way, WayLine};
use parsurvey_ledger::{ChaseState, OwedNotice};
use parsurvey_report::notice::notice_mail;

use crate::single::{self, To};
use crate::{Because, Desk, DeskError};

impl Desk {
    /// Tells every address that is owed a last word; gives how many the relay took. One that is refused for good is not
    /// tried again: an address that does not exist needs no word.
    pub(crate) async fn send_notices(&self, way: &Way, because: &Because, now: Timestamp) -> Result<u64, DeskError> {
        let owed = self.ledger.owed_notices().await?;
        if owed.is_empty() {
            return Ok(0);
        }
        let claimant = single::claimant("notice")?;
        let mut line = single::open(way).await?;
        let mut told = 0;
        for notice in &owed {
            if !line.is_usable() {
                line = single::open(way).await?;
            }
            told += u64::from(self.send_notice(&mut line, notice, &claimant, way, because, now).await?);
        }
        line.leave().await;
        Ok(told)
    }

    async fn send_notice(
        &self,
        line: &mut WayLine,
        notice: &OwedNotice,
        claimant: &str,
        way: &Way,
        because: &Because,
        now: Timestamp,
    ) -> Result<bool, DeskError> {
        let to = To { name: "", address: &notice.email };
        let mail = notice_mail(notice.kind, &self.campaign);
        let mark = format!("notice {}", notice.notice);
        let mail = self.single(&to, &mail, &mark, way, now)?;
        let act = because.act(now);
        if !self.ledger.claim_notice(notice.notice, claimant, &act).await? {
            return Ok(false);
        }
        // A claim without an outcome is what unknown means in the ledger: it is never sent again by itself.
        let Some((state, said)) = single::carry(line, &mail).await else { return Ok(false) };
        self.ledger.settle_notice(notice.notice, claimant, state, &said, &act).await?;
        Ok(state == ChaseState::Told)
    }
}
