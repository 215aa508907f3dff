//! Answering anew: an answer given under somebody's eyes is undone, and nothing that anybody is shown tells of it.

use parsurvey_rehearsal::browser::Browser;
use parsurvey_tests::{Survey, moments};

/// A survey whose forms can be answered anew until the deadline.
async fn revisable(postgres: bool) -> Survey {
    let mut survey = if postgres { Survey::small_on_postgres().await } else { Survey::small().await };
    let path = survey.campaign.join("campaign.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("[limits]", "[form]\nrevise_until_close = true\n\n[limits]", 1)).unwrap();
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    survey
}

/// Everything that the department is shown.
async fn shown(survey: &Survey) -> Vec<String> {
    let mut all = Vec::new();
    for args in [
        &["status", "--format", "json"][..],
        &["status", "--by", "unit", "--format", "csv"],
        &["status", "--by", "day", "--format", "csv"],
        &["chase", "--format", "csv"],
        &["roster", "list", "--format", "csv"],
        &["mails", "--format", "csv"],
        &["log", "--format", "json"],
    ] {
        all.push(survey.run(args).await.done().stdout);
    }
    all
}

/// How many chose each option of the first question, over all groups, worst first: the options are named by their level.
async fn first_question(survey: &Survey) -> Vec<u64> {
    let text = std::fs::read_to_string(survey.data.join("out/tally.json")).unwrap();
    let tally: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut counts = vec![0; 5];
    for group in tally["targets"]["town"].as_object().unwrap().values() {
        for level in 1..=5 {
            counts[level - 1] += group["questions"]["q1"]["options"][level.to_string()].as_u64().unwrap();
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn the_later_answers_count_and_nothing_shows_that_there_were_earlier_ones() {
    for postgres in [false, true] {
        let mut survey = revisable(postgres).await;
        let serving = survey.serve().await;
        let addresses = survey.addresses();
        survey.everybody_answers(&serving, &addresses, 5).await;
        let page = Browser::new().unwrap().open(&serving.url(&survey.link_path(&addresses[0]))).await.unwrap();
        let before = shown(&survey).await;
        survey.answer(&serving, &addresses[0], 1).await;
        survey.answer(&serving, &addresses[1], 2).await;
        survey.answer(&serving, &addresses[1], 3).await;
        assert_eq!(shown(&survey).await, before, "nothing that is shown has changed");
        let again = Browser::new().unwrap().open(&serving.url(&survey.link_path(&addresses[0]))).await.unwrap();
        assert_eq!(again.html, page.html, "the link shows what it showed before");
        serving.kill().await;
        survey.close_and_open().await;
        assert_eq!(first_question(&survey).await, [1, 0, 1, 0, 10], "postgres: {postgres}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_deadline_nothing_is_answered_anew() {
    let mut survey = revisable(false).await;
    let addresses = survey.addresses();
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &addresses, 5).await;
    let link = survey.link_path(&addresses[0]);
    let browser = Browser::new().unwrap();
    let open = browser.open(&serving.url(&link)).await.unwrap();
    assert!(open.html.contains("Trả lời lại từ đầu"));
    // Begun in time: all is filled in anew, and only the last button is not pressed yet.
    let mut page = open;
    let (mut form, button) = loop {
        let mut form = page.form().unwrap();
        form.fill(&survey.answers(1));
        let button = form.buttons[0].clone();
        if button.1 == "submit" {
            break (form, button);
        }
        page = browser.press(&form, &button).await.unwrap();
    };
    let address_before = serving.address();
    serving.kill().await;
    // Within the grace for late answers, which is none for answers given anew.
    survey.at("2024-01-11T00:10:00+07:00");
    let serving = survey.serve_on(&address_before).await;
    let late = browser.open(&serving.url(&link)).await.unwrap();
    assert!(late.html.contains("Phiếu đã được gửi") && !late.html.contains("Trả lời lại từ đầu"));
    let refused = browser.press(&form, &button).await.unwrap();
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("Phiếu này đã được gửi trước đó"), "{}", refused.text());
    form.fields.retain(|(name, _)| name != "anew");
    assert_eq!(browser.press(&form, &button).await.unwrap().status, 409, "nor as if it were the first time");
    serving.kill().await;
    survey.close_and_open().await;
    assert_eq!(first_question(&survey).await, [0, 0, 0, 0, 12], "the answers in time count");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_done_with_the_form_is_fixed_by_the_first_invitation() {
    let survey = revisable(false).await;
    let path = survey.campaign.join("campaign.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("revise_until_close = true", "revise_until_close = false")).unwrap();
    let refused = survey.run(&["status"]).await;
    refused.done_with(1).says(&["differs from what was frozen: form", "help: "]);
}
