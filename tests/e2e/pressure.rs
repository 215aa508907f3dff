//! The last page that asks whether anybody wanted to see or steer the answers: sealed with the ballot, told to the holder
//! of the box's key alone, and in nothing that the department gets.

use std::collections::BTreeMap;

use parsurvey_rehearsal::browser::{Browser, Page};
use parsurvey_tests::{Serving, Survey, moments, read_folder};

async fn asking() -> Survey {
    let mut survey = Survey::small().await;
    survey.ask_about_pressure();
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    survey
}

async fn answer(survey: &Survey, serving: &Serving, address: &str, pressure: Option<&str>) -> Page {
    let mut answers: BTreeMap<String, String> = survey.answers(4);
    answers.extend(pressure.map(|option| ("pressure".to_owned(), option.to_owned())));
    Browser::new().unwrap().answer(&serving.url(&survey.link_path(address)), &answers).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_to_it_is_told_to_the_key_s_holder_and_to_nobody_else() {
    let mut survey = asking().await;
    let serving = survey.serve().await;
    let addresses = survey.addresses();
    let landing = Browser::new().unwrap().open(&serving.url(&survey.link_path(&addresses[0]))).await.unwrap();
    assert!(landing.text().contains("6 câu"), "{}", landing.text());
    for (place, address) in addresses.iter().enumerate() {
        let given = ["steered", "seen", "none"].get(place).copied().or(if place < 9 { Some("none") } else { None });
        let page = answer(&survey, &serving, address, given).await;
        assert!(page.text().contains("Phiếu đã được gửi"), "it may be left blank: {}", page.text());
    }
    serving.kill().await;
    survey.at(moments::AFTER);
    survey.run(&["close"]).await.done();
    let opened = survey.open().await.done();
    assert!(opened.stderr.contains("town: 12 ballots, none 7, seen 1, steered 1, blank 3"), "{}", opened.stderr);

    let key = survey.box_key();
    let file = key.with_file_name(format!("{}.pressure.json", key.file_name().unwrap().to_string_lossy()));
    let counts: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let expected = serde_json::json!({ "ballots": 12, "blank": 3, "chosen": { "none": 7, "seen": 1, "steered": 1 } });
    assert_eq!(counts["targets"]["town"], expected);
    survey.run(&["score"]).await.done();
    survey.run(&["report"]).await.done();
    let department = read_folder(&survey.data);
    assert!(department.keys().any(|name| name == "out/tally.json"));
    for (name, bytes) in department.iter().filter(|(name, _)| !name.starts_with("keys/")) {
        let told = [&b"steered"[..], b"pressure"].iter().any(|word| bytes.windows(word.len()).any(|at| at == *word));
        // The ledger's frozen parts name what was frozen, in hashes.
        assert!(!told || name.starts_with("ledger.sqlite"), "{name} tells of it");
    }
    let score = survey.run(&["score", "--format", "json"]).await.done().stdout;
    assert!(!score.contains("pressure") && !score.contains("steered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_who_is_told_and_its_wording_is_fixed_by_the_first_invitation() {
    let survey = asking().await;
    let serving = survey.serve().await;
    let browser = Browser::new().unwrap();
    let mut page = browser.open(&serving.url(&survey.link_path(&survey.addresses()[0]))).await.unwrap();
    while !page.text().contains("Về việc trả lời phiếu") {
        assert!(!page.text().contains("không tính điểm"), "only that page scores nothing: {}", page.text());
        let mut form = page.form().unwrap();
        form.fill(&survey.answers(4));
        page = browser.press(&form, &form.buttons[0].clone()).await.unwrap();
    }
    for said in ["không tính điểm", "Chỉ Bà Trần Thị Mẫu, Ban Thanh tra được biết", "Không có ai", "bỏ trống"]
    {
        assert!(page.text().contains(said), "'{said}' is not on:\n{}", page.text());
    }
    assert!(!page.text().contains("Không có ý kiến"), "no opinion would be no answer to it");
    serving.kill().await;
    let path = survey.campaign.join("questionnaire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("Someone asked to see them", "Somebody asked")).unwrap();
    survey.run(&["status"]).await.done_with(1).says(&["differs from what was frozen: pressure"]);
}
