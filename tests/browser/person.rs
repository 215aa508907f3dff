//! One respondent at a screen, with a link as it was received.
//!
//! The person knows what the page shows: questions by number, options by place. No field name is known here.

use parsurvey_tests::chrome::Chrome;
use parsurvey_tests::device::Device;
use parsurvey_tests::{Serving, Survey};

/// The form's main button.
pub(crate) const GO_ON: &str = "main form .primary";
/// The button or link to the other language.
pub(crate) const LANGUAGE: &str = ".lang";

/// The label of an option, both counted from 1.
pub(crate) fn option(question: usize, place: usize) -> String {
    format!("label[for='c{question}-{place}']")
}

/// From a link to the review, in any browser, with these options of the five questions.
///
/// A form that was begun goes on where it was left; what was answered before is then changed from the review.
pub(crate) async fn up_to_the_review(chrome: &Chrome, link: &str, places: [usize; 5]) {
    const REVIEW: &str = "Xem lại câu trả lời";
    let choose_and_go_on = async |questions: std::ops::RangeInclusive<usize>| {
        for question in questions {
            chrome.tap(&option(question, places[question - 1])).await;
        }
        chrome.tap_through(GO_ON).await;
    };
    chrome.open(link).await;
    chrome.tap_through(GO_ON).await;
    let begun = chrome.text("h1").await != "Công việc hằng ngày";
    if !begun {
        choose_and_go_on(1..=3).await;
    }
    if chrome.text("h1").await == REVIEW {
        chrome.tap_through("button[value='edit.q4']").await;
    }
    choose_and_go_on(4..=5).await;
    if begun {
        chrome.tap_through("button[value='edit.q1']").await;
        choose_and_go_on(1..=3).await;
    }
    assert_eq!(chrome.text("h1").await, REVIEW);
}

/// The answers as a review shows them.
pub(crate) async fn reviewed(chrome: &Chrome) -> Vec<String> {
    let script = "return [...document.querySelectorAll('.row dd:not(.act)')].map(answer => answer.innerText)";
    let texts = chrome.ask(script).await;
    texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// A respondent of the small sample campaign, whose forms are open.
pub(crate) struct Person {
    pub(crate) chrome: Chrome,
    pub(crate) survey: Survey,
    pub(crate) serving: Serving,
    pub(crate) address: String,
}

impl Person {
    /// Sits down at a screen of this size; the invitation has arrived.
    pub(crate) async fn at(width: u32, height: u32, scripts: bool) -> Self {
        let device = Device::with_window(width, height);
        Self::on(&if scripts { device } else { device.without_scripts() }).await
    }

    /// The same with this device in hand.
    pub(crate) async fn on(device: &Device) -> Self {
        let survey = Survey::invited().await;
        let serving = survey.serve().await;
        let address = survey.addresses()[0].clone();
        let chrome = Chrome::on(device).await;
        Self { chrome, survey, serving, address }
    }

    /// At a telephone.
    pub(crate) async fn with_a_phone() -> Self {
        Self::at(360, 740, true).await
    }

    /// The link of the newest mail.
    pub(crate) fn link(&self) -> String {
        self.serving.url(&self.survey.link_path(&self.address))
    }

    /// Opens the link of the newest mail.
    pub(crate) async fn arrive(&self) {
        self.chrome.open(&self.link()).await;
    }

    /// Goes on to the next page.
    pub(crate) async fn go_on(&self) {
        self.chrome.tap_through(GO_ON).await;
    }

    /// Touches the option at this place of each of these questions.
    pub(crate) async fn choose(&self, answers: &[(usize, usize)]) {
        for &(question, place) in answers {
            self.chrome.tap(&option(question, place)).await;
        }
    }

    /// From the link to the review, with these options of the five questions.
    pub(crate) async fn answer_up_to_the_review(&self, places: [usize; 5]) {
        up_to_the_review(&self.chrome, &self.link(), places).await;
    }

    /// The places of the chosen options of a page, by question; what hidden fields carry is not seen.
    pub(crate) async fn chosen(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('input:checked')].map(input => input.id)";
        let ids = self.chrome.ask(script).await;
        ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// The answers as the review shows them.
    pub(crate) async fn reviewed(&self) -> Vec<String> {
        reviewed(&self.chrome).await
    }

    /// How many forms are in, as the department sees it.
    pub(crate) async fn completed(&self) -> u64 {
        self.survey.status().await["headline"]["all"]["completed"].as_u64().unwrap()
    }

    /// What the ledger holds of respondents: started, submitted and late, by its log, whose chain is whole.
    pub(crate) async fn recorded(&self) -> (usize, usize, usize) {
        let ran = self.survey.run(&["log", "--format", "csv"]).await.done().says(&["is intact"]);
        let of = |what: &str| ran.stdout.lines().filter(|line| line.split(',').any(|cell| cell == what)).count();
        (of("started"), of("submitted"), of("too_late"))
    }

    /// Time passes: the same server at the same address, at another moment.
    pub(crate) async fn wait_until(&mut self, moment: &str) {
        self.survey.at(moment);
        self.restart().await;
    }

    /// The server falls down and stands up again at the same address.
    pub(crate) async fn restart(&mut self) {
        let address = self.serving.address();
        self.serving.stop().await;
        self.serving = self.survey.serve_on(&address).await;
    }

    /// Presses the main button while the server is gone, and meets the browser's own page about that; then it is back.
    pub(crate) async fn lose_the_line_while_going_on(&mut self) {
        let address = self.serving.address();
        self.serving.stop().await;
        self.chrome.mark().await;
        self.chrome.tap(GO_ON).await;
        self.chrome.next_page().await;
        assert_eq!(self.chrome.count(GO_ON).await, 0, "nothing of ours is on the browser's own page");
        self.serving = self.survey.serve_on(&address).await;
    }

    /// Closes the browser and stops the server.
    pub(crate) async fn leave(self) {
        self.chrome.close().await;
        self.serving.kill().await;
    }
}
