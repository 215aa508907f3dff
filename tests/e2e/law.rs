//! Lost links and the erasing of names, from outside and on both databases.
//!
//! Time is passed in. What a stranger could see of a lost link is compared byte for byte; what is left of a name is searched
//! for in every file of the data folder, or of the tables of PostgreSQL.

use std::path::{Path, PathBuf};

use parsurvey_rehearsal::browser::{Browser, Page};
use parsurvey_tests::{Serving, Survey, moments, postgres_folder, until};

/// Asks for a link as a person does: opens the page, types an address, presses the button.
async fn ask(serving: &Serving, address: &str) -> Page {
    let browser = Browser::new().unwrap();
    let page = browser.open(&serving.url("/lost")).await.unwrap();
    let mut form = page.form().unwrap();
    form.fields.retain(|(name, _)| name != "email");
    form.fields.push(("email".to_owned(), address.to_owned()));
    browser.press(&form, &(String::new(), String::new())).await.unwrap()
}

/// The links that were asked for and stand in the outbox, once there are so many.
async fn links(survey: &Survey, number: usize) -> Vec<serde_json::Value> {
    let queued = async || {
        let mut mails = survey.mails(None).await;
        mails.retain(|mail| mail["kind"] == "link");
        mails
    };
    // What runs beside the replies of another process shows itself in the ledger alone.
    until("the links are queued", async || queued().await.len() >= number).await;
    let mails = queued().await;
    assert_eq!(mails.len(), number);
    mails
}

async fn a_lost_link(mut survey: Survey) {
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    let addresses = survey.addresses();
    let link = survey.link_path(&addresses[0]);
    survey.excuse(2).await.done();
    let serving = survey.serve().await;
    survey.answer(&serving, &addresses[2], 4).await;

    // A stranger's, excused, submitted, and last, so that whatever the others left is there before it, one that is listed,
    // in other letters: one reply, word for word.
    let mut replies = Vec::new();
    for address in ["nobody@elsewhere.example", &addresses[1], &addresses[2], &addresses[0].to_uppercase()] {
        let page = ask(&serving, address).await;
        assert_eq!(page.status, 200);
        assert!(!page.html.contains(address) && !page.html.contains("/f/"), "neither address nor link comes back");
        replies.push(page.html);
    }
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    let queued = links(&survey, 1).await;
    assert_eq!((queued[0]["form"].as_str(), queued[0]["state"].as_str()), (Some("1"), Some("ready")));

    // It leaves with the ordinary outbox, whatever waves are due; a pause holds it up.
    survey.run(&["pause", "--reason", "a trial"]).await.done();
    let smtp = survey.smtp();
    survey.run(&["run", "--smtp", &smtp]).await.done_with(1);
    assert_eq!(survey.catcher.mailbox(&addresses[0]).len(), 1);
    survey.run(&["resume", "--reason", "the trial is over"]).await.done();
    survey.run(&["run", "--smtp", &smtp]).await.done();
    let mails = survey.catcher.mailbox(&addresses[0]);
    assert_eq!(mails.len(), 2);
    assert_eq!(survey.link_path(&addresses[0]), link, "the same link");
    assert!(mails[1].subject().contains("Liên kết đến phiếu"), "{}", mails[1].subject());
    for contact in ["024 0000 0000", "hotro@khaosat.example", "024 0000 0001", "phananh@thanhtra.example"] {
        assert!(mails[1].text().matches(contact).count() == 2 && mails[1].html().matches(contact).count() == 2);
    }
    assert_eq!(survey.catcher.mailbox(&addresses[1]).len(), 1);

    // Again at once: the reply is the same, and no second mail is queued.
    assert_eq!(ask(&serving, &addresses[0]).await.html, replies[0]);
    serving.kill().await;
    survey.at("2023-12-18T08:11:00+07:00");
    let serving = survey.serve().await;
    assert_eq!(ask(&serving, &addresses[0]).await.html, replies[0]);
    links(&survey, 2).await;
    let log = survey.run(&["log", "--format", "csv"]).await.done().stdout;
    assert_eq!(log.matches("link_requested").count(), 2);
    assert!(addresses.iter().all(|address| !log.to_lowercase().contains(&address.to_lowercase())));

    // The reminder does not wait for it, and it does not stand in the reminder's way.
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    assert_eq!(survey.catcher.mailbox(&addresses[0]).len(), 4, "invitation, link, link, reminder");
    serving.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_link_comes_by_mail_alone_and_the_page_tells_nobody() {
    a_lost_link(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_link_comes_by_mail_alone_and_the_page_tells_nobody_on_postgresql() {
    a_lost_link(Survey::small_on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_declined_is_sent_the_link_and_can_take_it_back() {
    let survey = Survey::invited().await;
    let address = survey.addresses()[0].clone();
    let serving = survey.serve().await;
    let browser = Browser::new().unwrap();
    let decline = serving.url(&format!("{}/decline", survey.link_path(&address)));
    for (choice, words) in [("yes", "Ông/Bà đã báo không tham gia"), ("no", "Tôi không tham gia khảo sát này")]
    {
        let mut form = browser.open(&decline).await.unwrap().form().unwrap();
        form.fields.push(("declined".to_owned(), choice.to_owned()));
        let page = browser.press(&form, &(String::new(), String::new())).await.unwrap();
        assert!(page.text().contains(words), "{}", page.text());
        if choice == "yes" {
            ask(&serving, &address).await;
            links(&survey, 1).await;
        }
    }
    let page = survey.answer(&serving, &address, 5).await;
    assert!(page.text().contains("Phiếu đã được gửi"));
    serving.kill().await;
}

/// Every file below a folder that holds the words.
fn files_with(folder: &Path, words: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(words.len()).any(|window| window == words.as_bytes())
        {
            found.push(path);
        }
    }
    found
}

/// Names and addresses that no other test of this run uses.
fn with_people_of_its_own(survey: &Survey) -> Vec<String> {
    let own = format!("k{}", survey.folder().file_name().unwrap().to_string_lossy().trim_start_matches(".tmp"));
    let mut text = "name,email,group,unit,position\n".to_owned();
    for person in 1..=12 {
        let group = if person % 2 == 0 { "staff" } else { "leaders" };
        text.push_str(&format!("Họ {own} {person},{own}{person}@thitranmau.example,{group},office,Chức {own}\n"));
    }
    std::fs::write(&survey.roster, text).unwrap();
    vec![format!("Họ {own}"), format!("{own}1@"), format!("Chức {own}")]
}

async fn purge(mut survey: Survey) {
    let needles = with_people_of_its_own(&survey);
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    let why = ["--reason", "hết thời hạn lưu", "--document", "07/SNV"];
    let erase = [&["purge", "--format", "json"][..], &why].concat();
    survey.run(&erase).await.done_with(1).says(&["has not ended", "close the survey"]);
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 4).await;
    serving.kill().await;
    survey.close_and_open().await;
    std::fs::create_dir_all(survey.data.join("out/chase/2023-12-20")).unwrap();
    std::fs::write(survey.data.join("out/chase/2023-12-20/office.docx"), &needles[0]).unwrap();

    let early = survey.run(&erase).await.done().says(&["nothing is due", "people"]);
    assert_eq!(early.json()[0]["standing"], "early");
    survey.at("2024-04-20T08:00:00+07:00");
    let dry = survey.run(&["purge", "--dry-run", "--format", "json"]).await.done().says(&["would erase: people"]);
    assert_eq!((&dry.json()[0]["standing"], &dry.json()[0]["items"]), (&"due".into(), &12.into()));
    assert_eq!(dry.json()[2]["items"], 1, "one letter");
    survey.run(&["purge"]).await.done_with(1).says(&["--reason", "--document"]);
    let folder = if survey.database().is_some() { postgres_folder().join("data/base") } else { survey.data.clone() };
    let (status, score) = (survey.status().await, survey.run(&["score", "--format", "json"]).await.done().stdout);
    for needle in &needles {
        assert!(survey.database().is_some() || !files_with(&folder, needle).is_empty(), "the search finds '{needle}'");
    }

    // Two at once and a third that is killed on its way: whoever comes last finds it done.
    let (one, other, third) = (survey.begin(&erase), survey.begin(&erase), survey.begin(&erase));
    third.kill().await;
    for ended in [one.end().await, other.end().await] {
        assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    }
    survey.run(&erase).await.done();
    let again = survey.run(&erase).await.done().says(&["erased before", "the log"]);
    assert_eq!(again.json()[0]["standing"], "erased");
    if let Some(database) = survey.database() {
        checkpoint(database).await;
    }
    for needle in &needles {
        assert_eq!(files_with(&folder, needle), Vec::<PathBuf>::new(), "'{needle}' is still there");
        assert!(files_with(&survey.data, needle).is_empty());
    }
    assert_eq!(survey.status().await["rows"], status["rows"]);
    let after = survey.run(&["score", "--format", "json"]).await.done().stdout;
    let without_time =
        |text: &str| text.lines().filter(|line| !line.contains("generated_at")).collect::<Vec<_>>().join("\n");
    assert_eq!(without_time(&after), without_time(&score));
    let list = survey.run(&["roster", "list", "--format", "csv"]).await.done().stdout;
    assert!(list.contains("#1,") && list.contains("#12,") && !list.contains('@'), "{list}");
    let log = survey.run(&["log", "--format", "csv"]).await.done();
    assert_eq!(log.stdout.matches("purged").count(), 3, "people, replies, letters, each once");
    survey.run(&["mails"]).await.done();
    survey.run(&["report"]).await.done();
}

/// Has PostgreSQL write its pages and let go of the files that it has left.
async fn checkpoint(database: &str) {
    use sqlx::Connection;
    let mut connection = sqlx::postgres::PgConnection::connect(database).await.unwrap();
    sqlx::query("CHECKPOINT").execute(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_erases_names_from_every_file_and_leaves_counts_and_chain() {
    purge(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_erases_names_from_every_file_and_leaves_counts_and_chain_on_postgresql() {
    purge(Survey::small_on_postgres().await).await;
}
