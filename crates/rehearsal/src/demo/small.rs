//! The small survey that a demonstration leaves open, with links for whoever wants to click through the form.

use std::path::Path;
use std::sync::Arc;

use parsurvey_desk::{DataFolder, Desk, load_campaign};
use parsurvey_dispatch::Stop;
use parsurvey_survey::campaign::MailKind;

use super::{DemoError, because, folder, import, relay};
use crate::catcher::Catcher;
use crate::clock::CampaignClock;

/// Links that are printed.
const LINKS: usize = 3;

/// A survey that is open.
pub struct SmallSurvey {
    /// Its desk.
    pub desk: Arc<Desk>,
    /// The clock it runs on: a moment after the invitation.
    pub clock: Arc<CampaignClock>,
    /// Links found in received mails, unanswered.
    pub links: Vec<String>,
}

/// Opens the small survey in the demonstration's folder; its links begin with `base`.
///
/// # Errors
/// A step does not do what it must.
pub async fn open_small(root: &Path, base: &str, stop: &Stop) -> Result<SmallSurvey, DemoError> {
    let folder = folder::add_small(root)?;
    let (campaign, _) = load_campaign(&folder.campaign)?;
    let invitation = campaign
        .contacts
        .iter()
        .find(|contact| contact.kind == MailKind::Invitation)
        .ok_or_else(|| DemoError::Contradiction("the small campaign has no invitation".into()))?
        .due;
    let clock = Arc::new(CampaignClock::new(invitation));
    let because = because("demonstration");
    let mut desk = Desk::init(campaign, DataFolder::new(&folder.data), None, &because, invitation).await?;
    desk.hold_keys_itself(&because, invitation).await?;
    let rows = import(&desk, &folder.roster, invitation).await?;
    desk.set_link_base(base);
    let desk = Arc::new(desk);
    let catcher =
        Catcher::start(crate::catcher::Script::new()).await.map_err(|e| DemoError::Io("the mail catcher".into(), e))?;
    desk.contact(MailKind::Invitation, &relay(&catcher), stop, &because, invitation).await?;
    let links = rows
        .iter()
        .filter_map(|row| {
            let mails = catcher.mailbox(row.email.expose());
            mails.last()?.links().into_iter().find(|link| link.starts_with(base))
        })
        .take(LINKS)
        .collect();
    Ok(SmallSurvey { desk, clock, links })
}
