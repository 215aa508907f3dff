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
        self.arrive().await;
        self.go_on().await;
        self.choose(&[(1, places[0]), (2, places[1]), (3, places[2])]).await;
        self.go_on().await;
        self.choose(&[(4, places[3]), (5, places[4])]).await;
        self.go_on().await;
        assert_eq!(self.chrome.text("h1").await, "Xem lại câu trả lời");
    }

    /// The places of the chosen options of a page, by question; what hidden fields carry is not seen.
    pub(crate) async fn chosen(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('input:checked')].map(input => input.id)";
        let ids = self.chrome.ask(script).await;
        ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// The answers as the review shows them.
    pub(crate) async fn reviewed(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('.row dd:not(.act)')].map(answer => answer.innerText)";
        let texts = self.chrome.ask(script).await;
        texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// How many forms are in, as the department sees it.
    pub(crate) async fn completed(&self) -> u64 {
        self.survey.status().await["headline"]["all"]["completed"].as_u64().unwrap()
    }

    /// Closes the browser and stops the server.
    pub(crate) async fn leave(self) {
        self.chrome.close().await;
        self.serving.kill().await;
    }
}
