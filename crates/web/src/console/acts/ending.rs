//! A later deadline, and the end of the survey.

use parsurvey_desk::{Because, DeskError};
use parsurvey_ledger::{CampaignState, ProposalState};
use parsurvey_survey::delivery::MailState;

use super::{Act, Ask, Fact, Given, INDEX, Input, Kind, Outlook, mark};

/// Moves the deadline to a later moment.
pub(in crate::console) struct Extend;
/// Ends the survey and writes the sealed box.
pub(in crate::console) struct Close;

impl Act for Extend {
    const NAME: &'static str = "extend";
    const TITLE: &'static str = "act-extend-title";
    const BUTTON: &'static str = "act-extend-button";
    const DOCUMENT: bool = true;
    const WHOLE_SURVEY: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let standing = ask.room.desk.standing().await?;
        let hindrances = ask.field_only(&standing);
        let facts = vec![Fact { label: ask.t("act-deadline"), text: ask.moment(standing.deadline) }];
        Ok(Some(Outlook {
            back: INDEX.to_owned(),
            facts,
            consequences: ["act-extend-forms", "act-extend-mails", "act-extend-back"].map(|key| ask.t(key)).into(),
            hindrances,
            inputs: vec![Input {
                name: "until",
                label: ask.t("act-extend-until"),
                hint: ask.lang.t1("act-extend-hint", "zone", ask.zone()),
                kind: Kind::Moment,
                required: true,
            }],
            mark: mark((standing.deadline, standing.is_over())),
            ..Outlook::default()
        }))
    }

    async fn act(ask: &Ask, given: &Given, because: &Because) -> Result<String, DeskError> {
        // The page took nothing that is no moment; the present one is refused by the desk as too early.
        let until = ask.moment_of(given.get("until")).unwrap_or(ask.now);
        ask.room.desk.extend(until, because, ask.now).await?;
        Ok(ask.lang.t1("act-extend-done", "time", ask.moment(until)))
    }
}

impl Act for Close {
    const NAME: &'static str = "close";
    const TITLE: &'static str = "act-close-title";
    const BUTTON: &'static str = "act-close-button";
    const DOCUMENT: bool = false;
    const WHOLE_SURVEY: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let desk = &ask.room.desk;
        let standing = desk.standing().await?;
        let mut hindrances = Vec::new();
        match standing.state {
            CampaignState::Draft => hindrances.push(ask.t("act-close-nobody")),
            CampaignState::Inviting if ask.now <= standing.accepted_until => {
                hindrances.push(ask.lang.t1("act-close-early", "time", ask.moment(standing.accepted_until)));
            }
            CampaignState::Inviting => {}
            CampaignState::Closed | CampaignState::Opened | CampaignState::Released => {
                hindrances.push(ask.t("act-closed"));
            }
        }
        let open = desk.proposals().await?.iter().filter(|row| row.state == ProposalState::Open).count() as u64;
        let mut consequences = vec![
            ask.lang.t1("act-close-forms", "n", ask.count(standing.completed)),
            ask.lang.t1("act-close-mails", "n", ask.count(standing.mails_that(MailState::is_waiting))),
            ask.t("act-close-drafts"),
            ask.t("act-close-frozen"),
            ask.t("act-close-never"),
        ];
        if open > 0 {
            consequences.push(ask.lang.t1("act-close-proposals", "n", ask.count(open)));
        }
        let mut facts = vec![Fact { label: ask.t("act-deadline"), text: ask.moment(standing.deadline) }];
        facts.extend(standing.box_sha256.clone().map(|text| Fact { label: ask.t("act-close-sha256"), text }));
        Ok(Some(Outlook {
            back: INDEX.to_owned(),
            facts,
            consequences,
            hindrances,
            mark: mark((standing.state as u8, standing.deadline, standing.completed)),
            ..Outlook::default()
        }))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        let closed = ask.room.desk.close(because, ask.now).await?;
        let ballots: u64 = closed.ballots.values().flat_map(std::collections::BTreeMap::values).sum();
        let file = closed.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (ballots, sha256) = (ask.count(ballots), closed.sha256);
        let mut said = vec![ask.lang.tn("act-close-done", &[("n", &ballots), ("file", &file), ("sha256", &sha256)])];
        if !closed.untold.is_empty() {
            said.push(ask.lang.t1("act-close-untold", "n", ask.count(closed.untold.len() as u64)));
        }
        Ok(said.join(" "))
    }
}

impl Ask {
    /// The campaign's zone by its name.
    fn zone(&self) -> String {
        let zone = &self.room.desk.campaign().time_zone;
        zone.iana_name().unwrap_or("UTC").to_owned()
    }
}
