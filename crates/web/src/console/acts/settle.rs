//! Settling a mail of which nobody knows whether it left: the relay took it, or never had it.

use jiff::Timestamp;
use parsurvey_desk::{Because, DeskError};
use parsurvey_ledger::MailRow;
use parsurvey_survey::delivery::MailState;

use super::seat::found;
use super::{Act, Ask, Given, Input, Kind, Outlook, mark};
use crate::console::names;

/// Settles one unknown mail of a seat.
pub(in crate::console) struct Settle;

/// When a mail was last heard of.
fn moment(mail: &MailRow) -> Timestamp {
    mail.last.as_ref().map_or(mail.queued, |last| last.at)
}

impl Act for Settle {
    const NAME: &'static str = "settle";
    const TITLE: &'static str = "act-settle-title";
    const BUTTON: &'static str = "act-settle-button";
    const DOCUMENT: bool = false;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some(found) = found(ask).await? else { return Ok(None) };
        let mut look = found.outlook(ask);
        // A mail is settled whatever became of its seat.
        look.hindrances.clear();
        let unknown = found.file.mails.iter().map(|(mail, _)| mail).filter(|mail| mail.state == MailState::Unknown);
        let unknown: Vec<&MailRow> = unknown.collect();
        if unknown.is_empty() {
            look.hindrances.push(ask.t("act-settle-none"));
        }
        let label = |mail: &MailRow| {
            let contact = names::contact(ask.lang, mail.kind, mail.wave);
            let (number, time) = (mail.mail, ask.moment(moment(mail)));
            ask.lang.tn("act-settle-mail", &[("what", &contact), ("mail", &number), ("time", &time)])
        };
        let mails = unknown.iter().map(|mail| (mail.mail.to_string(), label(mail))).collect();
        let said = [("taken", "act-settle-taken"), ("never", "act-settle-never")];
        let said = said.map(|(word, label)| (word.to_owned(), ask.t(label))).into();
        let choice = |name, label, hint: &str, kind| Input {
            name,
            label: ask.t(label),
            hint: if hint.is_empty() { String::new() } else { ask.t(hint) },
            kind: Kind::Choice(kind),
            required: true,
        };
        look.inputs = vec![
            choice("mail", "act-settle-which", "", mails),
            choice("said", "act-settle-said", "act-settle-said-hint", said),
        ];
        look.consequences = ["act-settle-if-taken", "act-settle-if-never", "act-settle-final"].map(|k| ask.t(k)).into();
        look.mark = mark((look.mark, unknown.iter().map(|mail| mail.mail).collect::<Vec<_>>()));
        Ok(Some(look))
    }

    async fn act(ask: &Ask, given: &Given, because: &Because) -> Result<String, DeskError> {
        // The page took no other number than one of its own.
        let mail = given.get("mail").parse().unwrap_or(0);
        let was_taken = given.get("said") == "taken";
        ask.room.desk.settle(mail, was_taken, because, ask.now).await?;
        Ok(ask.lang.t1(if was_taken { "act-settle-done-taken" } else { "act-settle-done-never" }, "mail", mail))
    }
}
