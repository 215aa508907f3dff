//! Results at the console: none before the box was opened, and afterwards what the commands print, for the roles that may.

use parsurvey_tests::chrome::Chrome;
use parsurvey_tests::{Serving, Survey, moments};

use crate::office::Clerk;

/// The text of every cell of a table's rows.
const ROWS: &str = "return [...document.querySelectorAll('#t1 ~ .scroll tbody tr')].map(row => [...row.cells].map(cell => cell.innerText.trim()))";
/// What a file weighs and how it comes, asked for by the logged-in browser.
const FILE: &str = "return fetch('/console/results/files/NAME?lang=vi').then(async reply => [reply.status,
    reply.headers.get('content-disposition'), (await reply.arrayBuffer()).byteLength])";

async fn open(chrome: &Chrome, serving: &Serving, path: &str) {
    chrome.open(&serving.url(&format!("{path}?lang=vi"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_there_after_the_opening_alone_and_every_figure_is_explained() {
    let mut survey = Survey::invited().await;
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 4).await;
    let chrome = Chrome::start(1280, 900, true).await;
    let mut analyst = Clerk::hired(&survey, "nva", "analyst", &[]).await;
    analyst.arrive(&survey, &serving, &chrome, "vi").await;
    chrome.click_through(".way a[href^='/console/results']").await;
    let sealed = chrome.text("main").await;
    assert!(sealed.contains("hòm phiếu chưa được mở") && sealed.contains("Bà Trần Thị Mẫu"), "{sealed}");
    assert_eq!(chrome.count("table").await, 0);
    open(&chrome, &serving, "/console/results/explain/1.1").await;
    assert!(chrome.text("main").await.contains("hòm phiếu chưa được mở"));
    serving.kill().await;

    survey.close_and_open().await;
    let serving = survey.serve().await;
    let mut auditor = Clerk::hired(&survey, "nvb", "auditor", &[]).await;
    auditor.arrive(&survey, &serving, &chrome, "vi").await;
    chrome.click_through(".way a[href^='/console/results']").await;
    let page = chrome.text("main").await;
    assert!(page.contains("CHƯA CÔNG BỐ"), "{page}");
    let printed = survey.run(&["score", "--format", "table"]).await.done().stdout;
    for figure in chrome.ask(ROWS).await.as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap()) {
        let figure = figure.as_str().unwrap().split('\n').next().unwrap().trim_end_matches(" – cách tính");
        assert!(figure.is_empty() || printed.contains(figure), "'{figure}' is not what the command prints:\n{printed}");
    }
    chrome.click_through("table a[href*='/explain/1.1']").await;
    assert_eq!(chrome.text("h1").await, "Cách tính điểm 1.1");
    let explained = survey.run(&["explain", "1.1"]).await.done().stdout;
    let steps = chrome.ask("return [...document.querySelectorAll('.formula')].map(step => step.textContent)").await;
    let steps = steps.as_array().unwrap().clone();
    assert!(steps.len() >= 4, "{steps:?}");
    for step in steps {
        assert!(explained.contains(step.as_str().unwrap()), "{step} is not in:\n{explained}");
    }
    for (name, least) in [("report.html", 10_000), ("report.xlsx", 5_000)] {
        let file = chrome.ask(&FILE.replace("NAME", name)).await;
        assert_eq!((&file[0], &file[1]), (&200.into(), &format!("attachment; filename=\"{name}\"").into()));
        assert!(file[2].as_u64().unwrap() > least, "{name}: {file}");
    }
    assert_eq!(chrome.ask(&FILE.replace("NAME", "tally.json")).await[0], 404);
    open(&chrome, &serving, "/console/results/explain/9.9").await;
    assert_eq!(chrome.text("h1").await, "Không có trang này");
    chrome.close().await;
    serving.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_chases_a_unit_sees_no_results() {
    let mut survey = Survey::invited().await;
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 2).await;
    serving.kill().await;
    survey.close_and_open().await;
    survey.at(moments::AFTER);
    let serving = survey.serve().await;
    let chrome = Chrome::start(360, 740, true).await;
    let mut coordinator = Clerk::hired(&survey, "dau-moi", "coordinator", &["--unit", "office"]).await;
    coordinator.arrive(&survey, &serving, &chrome, "vi").await;
    assert_eq!(chrome.count(".way a[href^='/console/results']").await, 0);
    open(&chrome, &serving, "/console/results").await;
    assert_eq!(chrome.count("table").await, 0, "{}", chrome.text("main").await);
    assert_eq!(chrome.ask(&FILE.replace("NAME", "report.xlsx")).await[0], 403);
    chrome.close().await;
    serving.kill().await;
}
