//! Links that people ask for again: which forms an address may be sent, and how often.
//!
//! Nothing here says whether an address is known, but to the desk. The log gets an entry only for a link that is queued: what
//! strangers ask for leaves no trace in it.

use jiff::{SignedDuration, Timestamp};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::seat::FormId;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, small, to_millis};
use crate::campaign::CampaignState;
use crate::error::Result;
use crate::event::Entry;
use crate::mail::NewMail;
use crate::sql::{CHUNK, in_order, members};

/// A form that may still be answered by whoever has an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSeat {
    /// The form.
    pub form: FormId,
    /// Its holder.
    pub holder: u32,
    /// The version of the holder's address.
    pub address_version: u32,
    /// The version of the link in force.
    pub link_version: u32,
    /// How many links were asked for of this form before.
    pub asked: u32,
}

/// How often a link may be sent to one address on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskingPace {
    /// Time at least between two.
    pub between: SignedDuration,
    /// At most so many within 24 hours.
    pub per_day: u32,
}

impl Ledger {
    /// The forms that may still be answered by whoever has this address, by form: not submitted, not excused, in the frame,
    /// at an address that is not stopped. Who declined is among them, because that can be taken back.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn open_seats_at(&self, address: &str) -> Result<Vec<OpenSeat>> {
        let rows = sqlx::query_as::<Any, (i64, i64, i64, i64, i64)>(
            "SELECT s.form, s.holder, p.email_version, s.link_version, \
             (SELECT COUNT(*) FROM mail m WHERE m.form = s.form AND m.kind = 'link') \
             FROM person p JOIN seat s ON s.person = p.person WHERE lower(p.email) = lower($1) AND p.email <> '' \
             AND (p.stopped_version IS NULL OR p.stopped_version <> p.email_version) AND s.removed = 0 \
             AND s.ineligible = 0 AND s.completed IS NULL AND s.excused IS NULL ORDER BY s.form",
        )
        .bind(address)
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter()
            .take(CHUNK)
            .map(|(form, holder, address_version, link_version, asked)| {
                Ok(OpenSeat {
                    form,
                    holder: small(holder, "seat.holder")?,
                    address_version: small(address_version, "person.email_version")?,
                    link_version: small(link_version, "seat.link_version")?,
                    asked: small(asked, "mail.wave")?,
                })
            })
            .collect()
    }

    /// Queues links that one address asked for, all or none: none within `pace` of the last, and none while one waits to be
    /// sent. What a former holder or address asked for does not count. Gives their number.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn enqueue_links(&self, mails: &[NewMail], pace: AskingPace, act: &Act) -> Result<u64> {
        let (mut tx, mut head) = self.change().await?;
        if mails.is_empty() || head.state != CampaignState::Inviting {
            return Ok(0);
        }
        let sql = format!(
            "SELECT m.queued, \
             CASE WHEN m.state IN ('planned', 'ready', 'leased', 'sending', 'deferred') THEN 1 ELSE 0 END \
             FROM mail m JOIN seat s ON s.form = m.form JOIN person p ON p.person = s.person \
             WHERE m.kind = 'link' AND m.holder = s.holder AND m.address_version = p.email_version AND m.form IN ({})",
            members(1, mails.len())
        );
        let mut query = sqlx::query_as::<Any, (i64, i64)>(in_order(&tx, sql));
        for mail in mails {
            query = query.bind(mail.form);
        }
        let before = query.fetch_all(&mut *tx).await?;
        if !may_ask(&before, pace, act.at) {
            return Ok(0);
        }
        let mut queued = 0;
        for mail in mails {
            let inserted = sqlx::query(
                "INSERT INTO mail (form, holder, address_version, kind, wave, message_id, state, queued) \
                 VALUES ($1, $2, $3, $4, $5, $6, 'ready', $7) ON CONFLICT DO NOTHING",
            )
            .bind(mail.form)
            .bind(i64::from(mail.holder))
            .bind(i64::from(mail.address_version))
            .bind(MailKind::Link.as_str())
            .bind(i64::from(mail.wave))
            .bind(mail.message_id.clone())
            .bind(to_millis(act.at))
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if inserted > 0 {
                queued += inserted;
                head.append(&mut tx, act, Entry::of("link_requested").form(mail.form)).await?;
            }
        }
        tx.commit().await?;
        Ok(queued)
    }
}

/// Whether another link may be sent, after those that were queued at these moments; the second is 1 for one that waits.
fn may_ask(before: &[(i64, i64)], pace: AskingPace, now: Timestamp) -> bool {
    let now = to_millis(now);
    let millis = |time: SignedDuration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let within = |time| move |at: &&i64| now.saturating_sub(**at) < millis(time);
    // What one request queued for several forms was queued at one moment.
    let mut moments: Vec<i64> = before.iter().map(|(queued, _)| *queued).collect();
    moments.sort_unstable();
    moments.dedup();
    let today = moments.iter().filter(within(SignedDuration::from_hours(24))).count();
    before.iter().all(|(_, waits)| *waits == 0)
        && !moments.iter().any(|at| within(pace.between)(&at))
        && u32::try_from(today).is_ok_and(|today| today < pace.per_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_more_links_than_the_pace_allows() {
        let now: Timestamp = "2023-12-20T10:00:00Z".parse().expect("a moment");
        let ago = |minutes: i64| to_millis(now) - minutes * 60_000;
        let pace = AskingPace { between: SignedDuration::from_mins(10), per_day: 3 };
        let asked: [(&[(i64, i64)], bool); 8] = [
            (&[], true),
            (&[(ago(9), 0)], false),
            (&[(ago(10), 0)], true),
            (&[(ago(30), 1)], false),
            (&[(ago(30), 0), (ago(60), 0)], true),
            (&[(ago(30), 0), (ago(60), 0), (ago(90), 0)], false),
            // Two forms of one person at one moment are one request, and what is older than a day counts no more.
            (&[(ago(30), 0), (ago(30), 0), (ago(60), 0)], true),
            (&[(ago(30), 0), (ago(60), 0), (ago(24 * 60), 0)], true),
        ];
        for (before, allowed) in asked {
            assert_eq!(may_ask(before, pace, now), allowed, "{before:?}");
        }
    }
}
