//! The operator's hand on the sending: pause, go on, let the rest go.

use parsurvey_desk::{Because, DeskError};
use parsurvey_survey::delivery::MailState;

use super::{Act, Ask, Fact, Given, INDEX, Outlook, mark};

/// Pauses all sending.
pub(in crate::console) struct Pause;
/// Lets sending go on after a pause.
pub(in crate::console) struct Resume;
/// Lets the mails go that wait behind the first few.
pub(in crate::console) struct LetGo;

impl Act for Pause {
    const NAME: &'static str = "pause";
    const TITLE: &'static str = "act-pause-title";
    const BUTTON: &'static str = "act-pause-button";
    const DOCUMENT: bool = false;
    const WHOLE_SURVEY: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let standing = ask.room.desk.standing().await?;
        let waiting = standing.mails_that(MailState::is_waiting);
        let mut hindrances = Vec::new();
        if let Some(pause) = &standing.pause {
            hindrances.push(ask.lang.t2("act-paused-by", ("who", &pause.by), ("why", &pause.why)));
        }
        Ok(Some(Outlook {
            back: INDEX.to_owned(),
            consequences: vec![
                ask.lang.t1("act-pause-waiting", "n", ask.count(waiting)),
                ask.t("act-pause-in-hand"),
                ask.t("act-pause-forms"),
            ],
            hindrances,
            mark: mark(standing.pause.is_some()),
            ..Outlook::default()
        }))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        let paused = ask.room.desk.pause(because, ask.now).await?;
        Ok(ask.t(if paused { "act-pause-done" } else { "act-pause-before" }))
    }
}

impl Act for Resume {
    const NAME: &'static str = "resume";
    const TITLE: &'static str = "act-resume-title";
    const BUTTON: &'static str = "act-resume-button";
    const DOCUMENT: bool = false;
    const WHOLE_SURVEY: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let standing = ask.room.desk.standing().await?;
        let waiting = standing.mails_that(MailState::is_waiting);
        let (mut facts, mut hindrances) = (Vec::new(), Vec::new());
        match &standing.pause {
            None => hindrances.push(ask.t("act-not-paused")),
            Some(pause) => {
                let since = pause.since.map(|since| ask.moment(since)).unwrap_or_default();
                for (label, text) in
                    [("act-since", since), ("act-who", pause.by.clone()), ("act-reason", pause.why.clone())]
                {
                    facts.push(Fact { label: ask.t(label), text });
                }
            }
        }
        let since = standing.pause.as_ref().and_then(|pause| pause.since);
        Ok(Some(Outlook {
            back: INDEX.to_owned(),
            facts,
            consequences: vec![ask.lang.t1("act-resume-waiting", "n", ask.count(waiting))],
            hindrances,
            mark: mark((standing.pause.is_some(), since)),
            ..Outlook::default()
        }))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        let resumed = ask.room.desk.resume(because, ask.now).await?;
        Ok(ask.t(if resumed { "act-resume-done" } else { "act-not-paused" }))
    }
}

impl Act for LetGo {
    const NAME: &'static str = "let-go";
    const TITLE: &'static str = "act-let-go-title";
    const BUTTON: &'static str = "act-let-go-button";
    const DOCUMENT: bool = false;
    const WHOLE_SURVEY: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let standing = ask.room.desk.standing().await?;
        let held = standing.mails_that(|state| state == MailState::Planned);
        let mut hindrances = ask.field_only(&standing);
        if held == 0 {
            hindrances.push(ask.t("act-let-go-none"));
        }
        Ok(Some(Outlook {
            back: INDEX.to_owned(),
            consequences: vec![
                ask.lang.t1("act-let-go-held", "n", ask.count(held)),
                ask.t("act-let-go-when"),
                ask.t("act-let-go-care"),
            ],
            hindrances,
            mark: mark(held),
            ..Outlook::default()
        }))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        let mails = ask.room.desk.let_go(because, ask.now).await?;
        Ok(ask.lang.t1("act-let-go-done", "n", ask.count(mails)))
    }
}
