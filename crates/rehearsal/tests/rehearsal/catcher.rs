//! What the catcher keeps, and whether it reads a mail as a person would.

use std::time::Duration;

use parsurvey_dispatch::{Outcome, Session};
use parsurvey_rehearsal::catcher::{Catcher, Keep, Script};

use crate::pile::{TOKEN, letter, mail, route};

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let catcher = Catcher::start(Script::new()).await.unwrap();
    let mut session = Session::connect(&route(catcher.port())).await.unwrap();
    let sent = mail(1, "Hoa@SoYTe.example");
    assert_eq!(session.send(&sent).await.outcome, Outcome::Accepted);
    session.quit().await;

    let caught = catcher.mailbox("hoa@soyte.EXAMPLE");
    let [caught] = caught.as_slice() else {
        panic!("{} mails", caught.len());
    };
    let written = letter(1, "");
    assert_eq!(caught.subject(), written.subject);
    assert_eq!(caught.text().replace("\r\n", "\n"), written.text);
    assert_eq!(caught.html().replace("\r\n", "\n"), written.html);
    assert_eq!(caught.links(), [format!("https://k.example/f/{TOKEN}")]);
    assert_eq!(caught.header("message-id").unwrap(), written.message_id);
    assert_eq!(caught.header("auto-submitted").unwrap(), "auto-generated");
    assert_eq!(caught.header("x-none"), None);
    assert!(!caught.header_part().contains(TOKEN));
    assert_eq!(caught.raw, sent.bytes());
    assert_eq!(caught.from, "khaosat@noivu.example");
    assert_eq!(caught.recipients, ["Hoa@soyte.example"].map(|_| sent.envelope().to()));
    assert_eq!(caught.parameters, ["RET=HDRS"]);
    assert!(!format!("{caught:?}").contains("oa@"));
}

#[tokio::test]
async fn what_is_kept_can_be_bounded() {
    let keep = Keep { at_most: 2, links_only: true };
    let catcher = Catcher::start_on(0, Script::new(), keep).await.unwrap();
    let mut session = Session::connect(&route(catcher.port())).await.unwrap();
    for id in 1..=3 {
        session.send(&mail(id, "hoa@soyte.example")).await;
    }
    let counts = catcher.taken(3, Duration::from_secs(60)).await.unwrap();
    assert_eq!((counts.taken, counts.forgotten), (3, 1));
    let caught = catcher.mails();
    assert_eq!(caught.len(), 2);
    assert_eq!(caught[0].links(), [format!("https://k.example/f/{TOKEN}")]);
    assert_eq!(caught[0].subject(), letter(1, "").subject);
    assert_eq!(caught[0].text(), "");
    catcher.empty();
    assert!(catcher.mailbox("hoa@soyte.example").is_empty());
    assert_eq!(catcher.counts().taken, 3);
}

#[tokio::test]
async fn waiting_for_mails_that_do_not_come_ends() {
    let catcher = Catcher::start(Script::new()).await.unwrap();
    let counts = catcher.taken(1, Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(counts.taken, 0);
}
