//! Names that would be markup or a header elsewhere: they arrive as text, in mails and on pages.
//!
//! What a spreadsheet would run is tried beside the rosters.

use parsurvey_tests::{Survey, moments};

const HOSTILE: &str = "Trần <b onclick='x'>Thị</b> & <script>alert(1)</script>";
const SPLIT: &str = "Lê Văn\nBcc: everybody@thitranmau.example";

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_a_name_stays_text_in_mails_and_pages() {
    let mut survey = Survey::small().await;
    let text = std::fs::read_to_string(&survey.roster).unwrap();
    let text = text.replacen("Nguyễn Văn An", &format!("\"{HOSTILE}\""), 1);
    std::fs::write(&survey.roster, text).unwrap();
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    assert_eq!(survey.catcher.mails().len(), 12);
    for mail in survey.catcher.mails() {
        assert_eq!(mail.recipients.len(), 1, "a name adds no recipient");
        assert!(mail.header("Bcc").is_none());
        let html = mail.html();
        assert!(!html.contains("<script") && !html.contains("<b onclick"), "{html}");
    }
    let mailbox = survey.catcher.mailbox("an@thitranmau.example");
    let mail = mailbox.last().unwrap();
    assert!(mail.text().contains(HOSTILE), "a text part is no markup, so nothing is changed in it:\n{}", mail.text());
    assert!(mail.html().contains("&lt;script&gt;"), "{}", mail.html());

    let serving = survey.serve().await;
    let page = survey.answer(&serving, "an@thitranmau.example", 5).await;
    assert_eq!(page.status, 200);
    let browser = parsurvey_rehearsal::browser::Browser::new().unwrap();
    for path in ["/status".to_owned(), survey.link_path("an@thitranmau.example")] {
        let page = browser.open(&serving.url(&path)).await.unwrap();
        assert!(!page.html.contains("<script") && !page.html.contains("onclick"), "{}", page.html);
        assert!(!page.html.contains("Trần <b"), "{}", page.html);
    }
}

#[tokio::test]
async fn a_name_that_holds_a_header_line_is_no_name() {
    let survey = Survey::small().await;
    survey.run(&["init", "--self-held"]).await.done();
    let text = std::fs::read_to_string(&survey.roster).unwrap();
    std::fs::write(&survey.roster, text.replacen("Trần Thị Bình", &format!("\"{SPLIT}\""), 1)).unwrap();
    let ran = survey.run(&["roster", "import", survey.roster.to_str().unwrap()]).await;
    crate::refused(ran, 1, &["roster.csv:3: name", "not a person's name", "nothing was stored"]);
}
