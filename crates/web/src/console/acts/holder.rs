//! Acts on who holds a seat and where it is reached. Once people were invited, these need two people where the campaign
//! says so: the page then says that it makes a proposal, and what follows when somebody else has approved it.

use parsurvey_desk::acts::Successor;
use parsurvey_desk::proposals::Acted;
use parsurvey_desk::{Because, DeskError};
use parsurvey_ledger::CampaignState;

use super::seat::{Found, found};
use super::{Act, Ask, Given, Input, Kind, Outlook};

/// Passes a seat to another person.
pub(in crate::console) struct Replace;
/// Corrects the address of a seat's holder.
pub(in crate::console) struct CorrectAddress;

/// What keeps from proposing a second thing of one seat, and whether it is a proposal at all.
fn ground(ask: &Ask, found: &Found, look: &mut Outlook) {
    if ask.room.desk.needs_two(found.standing.state) {
        look.consequences.push(ask.t("act-two-people"));
    }
    for row in &found.proposals {
        look.hindrances.push(ask.lang.t1("act-proposed-before", "proposal", row.proposal));
    }
}

/// What follows for link and mails, whoever decides.
fn follows(ask: &Ask, found: &Found, keys: [&'static str; 2], look: &mut Outlook) {
    if found.standing.state == CampaignState::Draft {
        look.consequences.push(ask.t("act-holder-draft"));
        return;
    }
    look.consequences.extend(keys.map(|key| ask.t(key)));
    look.consequences.push(ask.t("act-holder-link"));
}

fn outcome(ask: &Ask, acted: Acted, done: &str) -> String {
    match acted {
        Acted::Done => ask.lang.t1(done, "form", ask.subject),
        Acted::Waits { proposal, is_new: true } => ask.lang.t1("act-proposed", "proposal", proposal),
        Acted::Waits { proposal, is_new: false } => ask.lang.t1("act-proposed-before", "proposal", proposal),
    }
}

fn text(ask: &Ask, name: &'static str, label: &'static str, hint: &'static str, kind: Kind) -> Input {
    let hint = if hint.is_empty() { String::new() } else { ask.t(hint) };
    Input { name, label: ask.t(label), hint, kind, required: true }
}

impl Act for Replace {
    const NAME: &'static str = "replace";
    const TITLE: &'static str = "act-replace-title";
    const BUTTON: &'static str = "act-replace-button";
    const DOCUMENT: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some(found) = found(ask).await? else { return Ok(None) };
        let mut look = found.outlook(ask);
        ground(ask, &found, &mut look);
        follows(ask, &found, ["act-replace-told", "act-replace-mail"], &mut look);
        let mut kinds = vec![("frame".to_owned(), ask.t("act-replace-frame"))];
        if ask.room.desk.campaign().limits.substitution {
            kinds.push(("substitution".to_owned(), ask.t("act-replace-substitution")));
        }
        look.inputs = vec![
            text(ask, "name", "act-replace-name", "", Kind::Text),
            text(ask, "email", "act-replace-email", "act-email-hint", Kind::Email),
            text(ask, "position", "act-replace-position", "", Kind::Text),
            text(ask, "kind", "act-replace-kind", "act-replace-kind-hint", Kind::Choice(kinds)),
        ];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, given: &Given, because: &Because) -> Result<String, DeskError> {
        let successor = Successor {
            name: given.get("name").to_owned(),
            email: given.get("email").to_owned(),
            position: given.get("position").to_owned(),
            substitution: given.get("kind") == "substitution",
        };
        let acted = ask.room.desk.replace(ask.subject, &successor, because, ask.now).await?;
        Ok(outcome(ask, acted, "act-replace-done"))
    }
}

impl Act for CorrectAddress {
    const NAME: &'static str = "address";
    const TITLE: &'static str = "act-address-title";
    const BUTTON: &'static str = "act-address-button";
    const DOCUMENT: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some(found) = found(ask).await? else { return Ok(None) };
        let mut look = found.outlook(ask);
        ground(ask, &found, &mut look);
        let seats = found.file.person.seats.len() as u64;
        let targets = || found.file.person.seats.iter().map(|(_, place)| &place.target);
        if ask.visitor.scope.target.as_ref().is_some_and(|own| targets().any(|target| target != own)) {
            look.hindrances.push(ask.t("act-address-elsewhere"));
        }
        if seats > 1 {
            look.consequences.push(ask.lang.t1("act-address-seats", "n", ask.count(seats)));
        }
        follows(ask, &found, ["act-address-told", "act-address-mail"], &mut look);
        look.inputs = vec![text(ask, "email", "act-address-email", "act-email-hint", Kind::Email)];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, given: &Given, because: &Because) -> Result<String, DeskError> {
        let acted = ask.room.desk.correct_address(ask.subject, given.get("email"), because, ask.now).await?;
        Ok(outcome(ask, acted, "act-address-done"))
    }
}
