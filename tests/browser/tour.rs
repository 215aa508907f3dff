//! A walk past every page that a person can meet, in one language, in a state that really occurred.
//!
//! Pages of a failing server are not on the way: the server's own tests draw them.

use parsurvey_tests::chrome::Chrome;
use parsurvey_tests::{Serving, Survey, moments};

use crate::person::{GO_ON, option};

/// What a tour needs: a browser, a survey whose invitations were sent, and its server.
pub(crate) struct Tour {
    pub(crate) chrome: Chrome,
    survey: Survey,
    serving: Serving,
    lang: &'static str,
}

impl Tour {
    /// Sets out in a language, `vi` or `en`.
    pub(crate) async fn in_language(lang: &'static str) -> Self {
        let survey = Survey::invited().await;
        let serving = survey.serve().await;
        let chrome = Chrome::start(1280, 900, true).await;
        Self { chrome, survey, serving, lang }
    }

    /// Where the server answers.
    pub(crate) fn origin(&self) -> String {
        self.serving.url("/")
    }

    /// Shows every page to `look`, with a name for it.
    pub(crate) async fn every_page(&mut self, look: impl AsyncFn(&Chrome, &str)) {
        self.of_the_form(&look).await;
        self.of_an_answered_form(&look).await;
        self.of_other_links(&look).await;
        self.of_other_times(&look).await;
    }

    /// Ends the tour.
    pub(crate) async fn end(self) {
        self.chrome.close().await;
        self.serving.kill().await;
    }

    async fn of_the_form(&self, look: &impl AsyncFn(&Chrome, &str)) {
        let chrome = &self.chrome;
        self.open_form(0).await;
        look(chrome, "landing").await;
        chrome.click_through(GO_ON).await;
        look(chrome, "section-1").await;
        self.choose(&[(1, 2), (3, 6)]).await;
        chrome.click_through(GO_ON).await;
        look(chrome, "missing").await;
        self.choose(&[(2, 1)]).await;
        chrome.click_through(GO_ON).await;
        self.choose(&[(4, 1), (5, 3)]).await;
        look(chrome, "section-2").await;
        chrome.click_through(GO_ON).await;
        look(chrome, "review").await;
        chrome.click_through(".edit").await;
        look(chrome, "editing").await;
    }

    async fn of_an_answered_form(&self, look: &impl AsyncFn(&Chrome, &str)) {
        let chrome = &self.chrome;
        self.up_to_the_review(0).await;
        let waiting = chrome.client.window().await.unwrap();
        let other = chrome.client.new_window(true).await.unwrap().handle;
        chrome.client.switch_to_window(other).await.unwrap();
        self.up_to_the_review(0).await;
        chrome.click_through(GO_ON).await;
        look(chrome, "thanks").await;
        chrome.client.switch_to_window(waiting).await.unwrap();
        chrome.click_through(GO_ON).await;
        look(chrome, "submitted-before").await;
        self.open("/status", "&live=no").await;
        look(chrome, "status").await;
        self.open("/chase", "&live=no").await;
        look(chrome, "chase").await;
    }

    async fn of_other_links(&self, look: &impl AsyncFn(&Chrome, &str)) {
        let chrome = &self.chrome;
        let decline = format!("{}/decline", self.form(1));
        self.open(&decline, "").await;
        look(chrome, "decline").await;
        chrome.click_through(GO_ON).await;
        look(chrome, "decline-missing").await;
        chrome.click("label[for='declined-yes']").await;
        chrome.click_through(GO_ON).await;
        look(chrome, "declined").await;
        self.survey.excuse(3).await.done();
        self.open_form(2).await;
        look(chrome, "excused").await;
        let holder = ["replace", "4", "--name", "Lý Thị Mới", "--email", "moi@thitranmau.example"];
        self.survey.by_two(&[&holder[..], &["--reason", "moved", "--document", "13/BNV"]].concat()).await.done();
        self.open_form(3).await;
        look(chrome, "replaced").await;
        self.open("/f/nobody", "").await;
        look(chrome, "unknown").await;
        self.open("/nowhere", "").await;
        look(chrome, "nowhere").await;
    }

    async fn of_other_times(&mut self, look: &impl AsyncFn(&Chrome, &str)) {
        self.up_to_the_review(4).await;
        self.move_to("2024-01-11T00:10:00+07:00").await;
        self.chrome.click_through(".lang").await;
        self.chrome.click_through(".lang").await;
        look(&self.chrome, "grace").await;
        self.move_to(moments::AFTER).await;
        self.chrome.click_through(GO_ON).await;
        look(&self.chrome, "too-late").await;
        self.open_form(5).await;
        look(&self.chrome, "closed").await;
        self.move_to(moments::PRENOTICE).await;
        self.open_form(5).await;
        look(&self.chrome, "not-yet").await;
    }

    /// The same server at the same address, at another time.
    async fn move_to(&mut self, moment: &str) {
        self.survey.at(moment);
        let origin = self.origin();
        let address = origin.trim_start_matches("http://").trim_end_matches('/').to_owned();
        self.serving.stop().await;
        self.serving = Serving::start(self.survey.arguments(&["serve", "--listen", &address])).await;
    }

    async fn up_to_the_review(&self, person: usize) {
        self.open_form(person).await;
        self.chrome.click_through(GO_ON).await;
        self.choose(&[(1, 2), (2, 1), (3, 6)]).await;
        self.chrome.click_through(GO_ON).await;
        self.choose(&[(4, 1), (5, 3)]).await;
        self.chrome.click_through(GO_ON).await;
    }

    async fn choose(&self, answers: &[(usize, usize)]) {
        for &(question, place) in answers {
            self.chrome.click(&option(question, place)).await;
        }
    }

    fn form(&self, person: usize) -> String {
        self.survey.link_path(&self.survey.addresses()[person])
    }

    async fn open_form(&self, person: usize) {
        self.open(&self.form(person), "").await;
    }

    async fn open(&self, path: &str, more: &str) {
        self.chrome.open(&self.serving.url(&format!("{path}?lang={}{more}", self.lang))).await;
    }
}
