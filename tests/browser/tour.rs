//! A walk past every page that a person can meet, in one language, in a state that really occurred.
//!
//! Not on the way are three messages of a server that is slow, cut off from its ledger or defective: they are drawn by the
//! template of all messages, and the server's own tests write them.

use parsurvey_tests::chrome::Chrome;
use parsurvey_tests::device::Device;
use parsurvey_tests::{Serving, Survey, moments};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::day::fill;
use crate::office::Clerk;
use crate::person::{GO_ON, option};

/// Pages that anybody can open by their address, whatever was done before: name and path.
const OPEN_TO_ALL: [(&str, &str); 4] =
    [("status", "/status?live=no"), ("chase", "/chase?live=no"), ("unknown", "/f/nobody"), ("nowhere", "/nowhere")];

/// Presses of a button that no page of ours makes: name, and what a script does to the form of the landing page first.
const STRANGE_POSTS: [(&str, &str); 3] = [
    ("wrong-method", "form.action = location.pathname + location.search"),
    ("too-large", "form.querySelector('[name=paper]').value = 'x'.repeat(100000)"),
    ("not-a-form", "form.enctype = 'multipart/form-data'"),
];

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
        Self::on(&Device::with_window(1280, 900), lang).await
    }

    /// The same on another device.
    pub(crate) async fn on(device: &Device, lang: &'static str) -> Self {
        let survey = Survey::invited().await;
        let serving = survey.serve().await;
        let chrome = Chrome::on(device).await;
        Self { chrome, survey, serving, lang }
    }

    /// Where the server answers.
    pub(crate) fn origin(&self) -> String {
        self.serving.url("/")
    }

    /// Shows every page to `look`, with a name for it.
    pub(crate) async fn every_page(&mut self, look: impl AsyncFn(&Chrome, &str)) {
        self.of_the_form(&look).await;
        self.of_strange_posts(&look).await;
        self.of_a_form_without_an_answer(&look).await;
        self.of_a_busy_ledger(&look).await;
        self.of_an_answered_form(&look).await;
        self.of_other_links(&look).await;
        self.of_the_console(&look).await;
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
        self.open_form(0).await;
        look(chrome, "begun").await;
    }

    /// Posts that no person makes, but a broken browser, another site or somebody curious does.
    async fn of_strange_posts(&self, look: &impl AsyncFn(&Chrome, &str)) {
        let chrome = &self.chrome;
        for (name, change) in STRANGE_POSTS {
            self.open_form(1).await;
            chrome.ask(&format!("const form = document.querySelector('main form'); {change}")).await;
            chrome.click_through(GO_ON).await;
            look(chrome, name).await;
        }
        let action = self.address(&format!("{}/page", self.form(1))).replace('&', "%26");
        let elsewhere = format!("<form method=post action='{action}'><button>go</button></form>");
        chrome.open(&format!("data:text/html,{elsewhere}")).await;
        chrome.click_through("button").await;
        look(chrome, "foreign-site").await;
        self.open_form(1).await;
        chrome.click_through(GO_ON).await;
        chrome.ask("document.getElementById('c1-1').value = 'rubbish'").await;
        self.choose(&[(1, 1), (2, 2), (3, 3)]).await;
        chrome.click_through(GO_ON).await;
        look(chrome, "alien").await;
    }

    /// A questionnaire in which every question may be left blank, handed in blank; then one that may be answered anew.
    async fn of_a_form_without_an_answer(&self, look: &impl AsyncFn(&Chrome, &str)) {
        let mut other = Survey::small().await;
        let path = other.campaign.join("questionnaire.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let optional = text.replace("sub_criterion = ", "required = false\nsub_criterion = ");
        std::fs::write(path, optional).unwrap();
        other.ask_about_pressure();
        let path = other.campaign.join("campaign.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text.replacen("[limits]", "[form]\nrevise_until_close = true\n\n[limits]", 1)).unwrap();
        other.set_up().await;
        other.at(moments::INVITATION);
        other.invite().await.done();
        let serving = other.serve().await;
        let link = serving.url(&other.link_path(&other.addresses()[0]));
        self.chrome.open(&format!("{link}?lang={}", self.lang)).await;
        self.chrome.click_through(GO_ON).await;
        look(&self.chrome, "optional").await;
        self.chrome.click_through(GO_ON).await;
        self.chrome.click_through(GO_ON).await;
        look(&self.chrome, "pressure").await;
        self.chrome.click_through(GO_ON).await;
        self.chrome.click_through(GO_ON).await;
        look(&self.chrome, "empty").await;
        self.chrome.click_through(".edit").await;
        self.choose(&[(1, 1)]).await;
        self.chrome.click_through(GO_ON).await;
        self.chrome.click_through(GO_ON).await;
        look(&self.chrome, "thanks-anew").await;
        serving.kill().await;
    }

    /// Handing in while something else holds the ledger for longer than the server waits.
    async fn of_a_busy_ledger(&self, look: &impl AsyncFn(&Chrome, &str)) {
        self.up_to_the_review(6).await;
        let file = SqliteConnectOptions::new().filename(self.survey.data.join("ledger.sqlite"));
        let mut held = SqliteConnection::connect_with(&file).await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut held).await.unwrap();
        self.chrome.click_through(GO_ON).await;
        look(&self.chrome, "not-stored").await;
        held.close().await.unwrap();
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
        for (name, path) in OPEN_TO_ALL {
            self.open(path).await;
            look(chrome, name).await;
        }
    }

    async fn of_other_links(&self, look: &impl AsyncFn(&Chrome, &str)) {
        let chrome = &self.chrome;
        let decline = format!("{}/decline", self.form(1));
        self.open(&decline).await;
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
        self.open("/lost").await;
        look(chrome, "lost").await;
        chrome.click_through(GO_ON).await;
        look(chrome, "lost-faulty").await;
        self.open("/lost?asked=yes").await;
        look(chrome, "lost-asked").await;
        self.open("/notice").await;
        look(chrome, "notice").await;
    }

    async fn of_the_console(&self, look: &impl AsyncFn(&Chrome, &str)) {
        let chrome = &self.chrome;
        self.open("/console/login").await;
        look(chrome, "console-login").await;
        let mut clerk = Clerk::hired(&self.survey, "nva", "operator", &[]).await;
        self.open("/console/setup").await;
        look(chrome, "console-setup").await;
        clerk.set_up(chrome, self.serving.now(&self.survey)).await;
        chrome.click("#days-table summary").await;
        look(chrome, "console-board").await;
        for (path, name) in [
            ("/console/people", "console-people"),
            ("/console/people/1", "console-person"),
            ("/console/account", "console-account"),
        ] {
            self.open(path).await;
            look(chrome, name).await;
        }
        self.of_acts(look).await;
        let mut coordinator = Clerk::hired(&self.survey, "dau-moi", "coordinator", &["--unit", "office"]).await;
        self.open("/console/setup").await;
        coordinator.set_up(chrome, self.serving.now(&self.survey)).await;
        look(chrome, "console-unit").await;
        self.open("/console/people").await;
        look(chrome, "console-not-now").await;
        chrome.click_through(".mine button").await;
    }

    /// The pages of acts; nothing is done on them but what is needed to see the next.
    async fn of_acts(&self, look: &impl AsyncFn(&Chrome, &str)) {
        let chrome = &self.chrome;
        let proposed = ["correct-address", "6", "--email", "khac@thitranmau.example"];
        self.survey.run(&[&proposed[..], &["--reason", "moved", "--document", "14/BNV"]].concat()).await.done();
        for (path, name) in [
            ("/console/acts", "acts"),
            ("/console/acts/resume", "act-not-now"),
            ("/console/acts/send", "act-send"),
            ("/console/acts/extend", "act-extend"),
            ("/console/acts/close", "act-close"),
            ("/console/people/6", "acts-person"),
            ("/console/people/6/replace", "act-proposed"),
            ("/console/people/7/replace", "act-replace"),
            ("/console/people/7/address", "act-address"),
            ("/console/people/7/settle", "act-settle"),
            ("/console/proposals", "proposals"),
            ("/console/proposals/1", "proposal-decided"),
            ("/console/proposals/2", "proposal"),
            ("/console/proposals/2/approve", "act-approve"),
            ("/console/preview/2", "preview"),
            ("/console/preview/2/copy", "act-copy"),
        ] {
            self.open(path).await;
            look(chrome, name).await;
        }
        self.open("/console/people/7/excuse").await;
        look(chrome, "act-excuse").await;
        chrome.ask("document.querySelector('main form').noValidate = true").await;
        chrome.click_through("#do").await;
        look(chrome, "act-faulty").await;
        self.open("/console/acts/pause").await;
        fill(chrome, &[("reason", "cần kiểm tra máy chủ thư"), ("confirm", "")]).await;
        chrome.click_through("#do").await;
        look(chrome, "acts-done").await;
        let broken = self.survey.folder().join("danh-sach.csv");
        let list = std::fs::read_to_string(&self.survey.roster).unwrap().replacen('@', "", 2);
        std::fs::write(&broken, list).unwrap();
        self.open("/console/roster").await;
        look(chrome, "roster").await;
        for (list, name) in [(&broken, "roster-faulty"), (&self.survey.roster, "roster-changes")] {
            self.open("/console/roster").await;
            let file = chrome.client.find(fantoccini::Locator::Id("file")).await.unwrap();
            file.send_keys(list.to_str().unwrap()).await.unwrap();
            chrome.click_through("#do").await;
            look(chrome, name).await;
        }
        self.survey.run(&["resume", "--reason", "looked at"]).await.done();
    }

    async fn of_other_times(&mut self, look: &impl AsyncFn(&Chrome, &str)) {
        self.up_to_the_review(4).await;
        self.move_to("2024-01-11T00:10:00+07:00").await;
        self.chrome.click_through(".lang").await;
        self.chrome.click_through(".lang").await;
        look(&self.chrome, "grace").await;
        self.open_form(4).await;
        look(&self.chrome, "grace-landing").await;
        self.up_to_the_review(4).await;
        self.move_to(moments::AFTER).await;
        self.chrome.click_through(GO_ON).await;
        look(&self.chrome, "too-late").await;
        self.open_form(5).await;
        look(&self.chrome, "closed").await;
        self.move_to(moments::PRENOTICE).await;
        self.open_form(5).await;
        look(&self.chrome, "not-yet").await;
        self.move_to(moments::AFTER).await;
        let mut analyst = Clerk::hired(&self.survey, "phan-tich", "analyst", &[]).await;
        self.open("/console/setup").await;
        analyst.set_up(&self.chrome, self.serving.now(&self.survey)).await;
        self.open("/console/results").await;
        look(&self.chrome, "console-sealed").await;
        self.survey.run(&["close"]).await.done();
        self.survey.open().await.done();
        self.open("/console/results").await;
        look(&self.chrome, "console-results").await;
        self.chrome.click_through(".results a").await;
        look(&self.chrome, "console-explained").await;
    }

    /// The same server at the same address, at another time.
    async fn move_to(&mut self, moment: &str) {
        self.survey.at(moment);
        let origin = self.origin();
        let address = origin.trim_start_matches("http://").trim_end_matches('/').to_owned();
        self.serving.stop().await;
        self.serving = Serving::start(self.survey.arguments(&["serve", "--open-counts", "--listen", &address])).await;
    }

    async fn up_to_the_review(&self, person: usize) {
        self.open_form(person).await;
        self.chrome.click_through(GO_ON).await;
        // A form that was answered before goes on at the review.
        if self.chrome.count(".reviewed").await > 0 {
            return;
        }
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
        self.open(&self.form(person)).await;
    }

    async fn open(&self, path: &str) {
        self.chrome.open(&self.address(path)).await;
    }

    /// A path of the server in the tour's language.
    fn address(&self, path: &str) -> String {
        let sign = if path.contains('?') { '&' } else { '?' };
        self.serving.url(&format!("{path}{sign}lang={}", self.lang))
    }
}
