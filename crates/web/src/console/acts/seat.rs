//! Acts on one seat that one person may do: excuse, take an excuse back, record a refusal, send to an address again.

use parsurvey_desk::outlook::Standing;
use parsurvey_desk::people::PersonFile;
use parsurvey_desk::{Because, DeskError};
use parsurvey_ledger::{ProposalRow, ProposalState};
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::seat::{ExcuseCategory, Seat};

use super::{Act, Ask, Fact, Given, Input, Kind, Outlook, mark};

/// Excuses somebody from answering.
pub(in crate::console) struct Excuse;
/// Takes an excuse back.
pub(in crate::console) struct Reinstate;
/// Records that somebody declines.
pub(in crate::console) struct Decline;
/// Lets mails go again to an address that was given up.
pub(in crate::console) struct ResumeMails;

/// A seat, with whatever acts on it rest on.
pub(super) struct Found {
    pub(super) file: PersonFile,
    pub(super) standing: Standing,
    pub(super) proposals: Vec<ProposalRow>,
}

/// The seat that is asked for, where the visitor may see it.
pub(super) async fn found(ask: &Ask) -> Result<Option<Found>, DeskError> {
    let desk = &ask.room.desk;
    let Some(file) = desk.person_file(&ask.visitor, ask.subject).await? else { return Ok(None) };
    let mut proposals = desk.proposals().await?;
    proposals.retain(|row| row.form == Some(ask.subject) && row.state == ProposalState::Open);
    Ok(Some(Found { file, standing: desk.standing().await?, proposals }))
}

impl Found {
    pub(super) fn seat(&self) -> &Seat {
        &self.file.seat
    }

    /// The page's beginning: whom it is about, and what keeps everybody from acting on this seat.
    pub(super) fn outlook(&self, ask: &Ask) -> Outlook {
        let (campaign, seat, person) = (ask.room.desk.campaign(), self.seat(), &self.file.person);
        let unit = campaign.unit(&seat.unit).map_or_else(|| seat.unit.to_string(), |unit| unit.name.clone());
        let facts = [
            ("c-people-name", person.name.clone()),
            ("c-person-position", person.position.clone()),
            ("chase-unit", unit),
            ("c-person-email", person.email.clone()),
            ("c-person-form", seat.form.to_string()),
        ];
        let mut hindrances = ask.field_only(&self.standing);
        if seat.completed.is_some() {
            hindrances.push(ask.t("act-seat-completed"));
        }
        if seat.ineligible {
            hindrances.push(ask.t("act-seat-left"));
        }
        Outlook {
            back: format!("/console/people/{}", seat.form),
            facts: facts.into_iter().map(|(label, text)| Fact { label: ask.t(label), text }).collect(),
            hindrances,
            mark: self.mark(),
            ..Outlook::default()
        }
    }

    /// Mails to its holder that wait.
    pub(super) fn waiting(&self) -> u64 {
        self.file.mails.iter().filter(|(mail, _)| mail.state.is_waiting()).count() as u64
    }

    fn mark(&self) -> u64 {
        let seat = self.seat();
        let open: Vec<i64> = self.proposals.iter().map(|row| row.proposal).collect();
        mark((
            (seat.holder, seat.address_version, seat.link_version, seat.address_stopped),
            (seat.excused.map(|category| category as u8), seat.declined, seat.ineligible, seat.completed.is_some()),
            open,
        ))
    }
}

const CATEGORIES: [(&str, &str, ExcuseCategory); 4] = [
    ("ill", "act-excuse-ill", ExcuseCategory::Ill),
    ("away", "act-excuse-away", ExcuseCategory::Away),
    ("dead", "act-excuse-dead", ExcuseCategory::Dead),
    ("other", "act-excuse-other", ExcuseCategory::Other),
];

impl Act for Excuse {
    const NAME: &'static str = "excuse";
    const TITLE: &'static str = "act-excuse-title";
    const BUTTON: &'static str = "act-excuse-button";
    const DOCUMENT: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some(found) = found(ask).await? else { return Ok(None) };
        let mut look = found.outlook(ask);
        if found.seat().excused.is_some() {
            look.hindrances.push(ask.t("act-excuse-before"));
        }
        look.consequences = vec![
            ask.lang.t1("act-excuse-waiting", "n", ask.count(found.waiting())),
            ask.t("act-excuse-link"),
            ask.t("act-excuse-rate"),
            ask.t("act-excuse-back"),
        ];
        look.inputs = vec![Input {
            name: "category",
            label: ask.t("act-excuse-category"),
            hint: String::new(),
            kind: Kind::Choice(CATEGORIES.iter().map(|(word, label, _)| ((*word).to_owned(), ask.t(label))).collect()),
            required: true,
        }];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, given: &Given, because: &Because) -> Result<String, DeskError> {
        let category = CATEGORIES.iter().find(|(word, _, _)| *word == given.get("category"));
        // The page took no other word; whoever has sent one meant none of the named reasons.
        let category = category.map_or(ExcuseCategory::Other, |(_, _, category)| *category);
        ask.room.desk.excuse(ask.subject, category, because, ask.now).await?;
        Ok(ask.lang.t1("act-excuse-done", "form", ask.subject))
    }
}

impl Act for Reinstate {
    const NAME: &'static str = "reinstate";
    const TITLE: &'static str = "act-reinstate-title";
    const BUTTON: &'static str = "act-reinstate-button";
    const DOCUMENT: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some(found) = found(ask).await? else { return Ok(None) };
        let mut look = found.outlook(ask);
        if found.seat().excused.is_none() {
            look.hindrances.push(ask.t("act-reinstate-not"));
        }
        look.consequences =
            vec![ask.t("act-reinstate-link"), ask.t("act-reinstate-mails"), ask.t("act-reinstate-rate")];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        ask.room.desk.reinstate(ask.subject, because, ask.now).await?;
        Ok(ask.lang.t1("act-reinstate-done", "form", ask.subject))
    }
}

impl Act for Decline {
    const NAME: &'static str = "decline";
    const TITLE: &'static str = "act-decline-title";
    const BUTTON: &'static str = "act-decline-button";
    const DOCUMENT: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some(found) = found(ask).await? else { return Ok(None) };
        let mut look = found.outlook(ask);
        if found.seat().declined {
            look.hindrances.push(ask.t("act-decline-before"));
        }
        look.consequences = vec![
            ask.lang.t1("act-decline-waiting", "n", ask.count(found.waiting())),
            ask.t("act-decline-unit"),
            ask.t("act-decline-rate"),
        ];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        ask.room.desk.decline(ask.subject, because, ask.now).await?;
        Ok(ask.lang.t1("act-decline-done", "form", ask.subject))
    }
}

impl Act for ResumeMails {
    const NAME: &'static str = "resume-mails";
    const TITLE: &'static str = "act-resume-mails-title";
    const BUTTON: &'static str = "act-resume-mails-button";
    const DOCUMENT: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some(found) = found(ask).await? else { return Ok(None) };
        let mut look = found.outlook(ask);
        if !found.seat().address_stopped {
            look.hindrances.push(ask.t("act-resume-mails-not"));
        }
        let failed =
            found.file.mails.iter().filter(|(mail, _)| mail.state.has_failed() || mail.state == MailState::Complained);
        look.consequences = vec![
            ask.lang.t1("act-resume-mails-failed", "n", ask.count(failed.count() as u64)),
            ask.t("act-resume-mails-next"),
            ask.t("act-resume-mails-better"),
        ];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        ask.room.desk.resume_mails(ask.subject, because, ask.now).await?;
        Ok(ask.lang.t1("act-resume-mails-done", "form", ask.subject))
    }
}
