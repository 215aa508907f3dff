//! The console in a real browser: somebody of the department with a user name, a password and an authenticator.
//!
//! The clock is the survey's. A code is made for the moment that the server shows, and never used twice.

use jiff::Timestamp;
use parsurvey_survey::account::{Seed, step_of};
use parsurvey_tests::chrome::Chrome;
use parsurvey_tests::{Serving, Survey};

use fantoccini::Locator;

/// The password of whoever sets an account up here.
pub(crate) const PASSWORD: &str = "ba con mèo trắng";

/// Somebody of the department.
pub(crate) struct Clerk {
    name: String,
    secret: String,
    seed: Seed,
    used: i64,
}

impl Clerk {
    /// Gets an account by command, not set up yet.
    pub(crate) async fn hired(survey: &Survey, name: &str, role: &str, more: &[&str]) -> Self {
        let args = [&["account", "add", name, "--role", role, "--format", "json"], more].concat();
        let made = survey.run(&args).await.done().json();
        let text = |key: &str| made[0][key].as_str().unwrap_or_else(|| panic!("{key} in {made}")).to_owned();
        let seed = Seed::from_uri(&text("otpauth")).unwrap();
        Self { name: name.into(), secret: text("secret"), seed, used: 0 }
    }

    /// What the authenticator shows at the server's moment, or next, if that was used.
    pub(crate) fn code(&mut self, now: Timestamp) -> String {
        self.used = step_of(now).max(self.used + 1);
        assert!(self.used <= step_of(now) + 1, "no code is left that the server takes now");
        self.seed.code(self.used)
    }

    /// Sets the account up on the page for it, which stands open.
    pub(crate) async fn set_up(&mut self, chrome: &Chrome, now: Timestamp) {
        let code = self.code(now);
        for (id, text) in [
            ("name", self.name.as_str()),
            ("secret", &self.secret.to_lowercase()),
            ("password", PASSWORD),
            ("again", PASSWORD),
            ("code", &code),
        ] {
            write(chrome, id, text).await;
        }
        chrome.click_through("main .primary").await;
    }

    /// Logs in on the page for it, which stands open.
    pub(crate) async fn log_in(&mut self, chrome: &Chrome, password: &str, now: Timestamp) {
        let code = self.code(now);
        for (id, text) in [("name", self.name.as_str()), ("password", password), ("code", &code)] {
            write(chrome, id, text).await;
        }
        chrome.click_through("main .primary").await;
    }

    /// From the address of the console to its first page, in a language.
    pub(crate) async fn arrive(&mut self, survey: &Survey, serving: &Serving, chrome: &Chrome, lang: &str) {
        chrome.open(&serving.url(&format!("/console/setup?lang={lang}"))).await;
        self.set_up(chrome, serving.now(survey)).await;
    }
}

async fn write(chrome: &Chrome, id: &str, text: &str) {
    let field = chrome.client.find(Locator::Id(id)).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
}

/// Waits until the page says something true; nothing is waited for by the clock.
async fn until(chrome: &Chrome, condition: &str) {
    let true_ = async {
        let script = format!("return {condition}");
        while !matches!(chrome.client.execute(&script, Vec::new()).await, Ok(serde_json::Value::Bool(true))) {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(60);
    assert!(tokio::time::timeout(patience, true_).await.is_ok(), "it never came: {condition}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_login_sets_password_and_authenticator_and_leads_to_the_board() {
    let survey = Survey::invited().await;
    let mut clerk = Clerk::hired(&survey, "nva", "administrator", &[]).await;
    let serving = survey.serve().await;
    let chrome = Chrome::start(1280, 900, true).await;
    chrome.open(&serving.url("/console")).await;
    assert_eq!(chrome.text("h1").await, "Đăng nhập");
    chrome.click_through("main a.button").await;
    assert_eq!(chrome.text("h1").await, "Đăng nhập lần đầu");
    clerk.set_up(&chrome, serving.now(&survey)).await;
    assert_eq!(chrome.text("h1").await, "Tổng quan");
    assert_eq!(chrome.text(".shares .figure").await, "0/12");
    assert!(chrome.text(".who").await.contains("nva · Quản trị"));
    // The cookie is out of reach of any script, and the secret is used up.
    assert_eq!(chrome.ask("return document.cookie").await, "");
    chrome.click_through(".mine button").await;
    assert_eq!(chrome.text("h1").await, "Đăng nhập");
    chrome.client.back().await.unwrap();
    until(&chrome, "document.querySelector('h1').innerText === 'Đăng nhập'").await;
    chrome.open(&serving.url("/console/setup")).await;
    clerk.set_up(&chrome, serving.now(&survey)).await;
    assert!(chrome.text(".fault").await.contains("đã dùng"), "{}", chrome.text(".fault").await);
    let console = chrome.console().await;
    let ours: Vec<&String> = console.iter().filter(|said| !said.contains("responded with a status")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    chrome.close().await;
    serving.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_says_what_a_wrong_name_says() {
    let survey = Survey::invited().await;
    let mut clerk = Clerk::hired(&survey, "nva", "operator", &[]).await;
    let serving = survey.serve().await;
    let chrome = Chrome::start(360, 740, true).await;
    clerk.arrive(&survey, &serving, &chrome, "vi").await;
    chrome.click_through(".mine button").await;
    clerk.log_in(&chrome, "ba con mèo đen nào", serving.now(&survey)).await;
    let fault = chrome.text(".fault").await;
    assert!(fault.contains("không đúng"), "{fault}");
    let mut stranger = Clerk { name: "nobody".into(), used: clerk.used - 1, ..clerk };
    stranger.log_in(&chrome, PASSWORD, serving.now(&survey)).await;
    assert_eq!(chrome.text(".fault").await, fault);
    let typed = "return [...document.querySelectorAll('input')].map(input => input.value).join('|')";
    assert_eq!(chrome.ask(typed).await, "nobody||", "only the name comes back");
    chrome.close().await;
    serving.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_not_used_for_half_an_hour_is_over() {
    let mut survey = Survey::invited().await;
    let mut clerk = Clerk::hired(&survey, "nva", "operator", &[]).await;
    let mut serving = survey.serve().await;
    let chrome = Chrome::start(1280, 900, true).await;
    clerk.arrive(&survey, &serving, &chrome, "vi").await;
    for (moment, title) in
        [("2023-12-18T08:20:00+07:00", "Tài khoản của tôi"), ("2023-12-18T08:55:00+07:00", "Đăng nhập")]
    {
        let address = serving.address();
        serving.stop().await;
        survey.at(moment);
        serving = survey.serve_on(&address).await;
        chrome.open(&serving.url("/console/account")).await;
        assert_eq!(chrome.text("h1").await, title, "at {moment}");
    }
    chrome.close().await;
    serving.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_everywhere_ends_the_session_of_another_device() {
    let survey = Survey::invited().await;
    let mut clerk = Clerk::hired(&survey, "nva", "operator", &[]).await;
    let serving = survey.serve().await;
    let (office, phone) = tokio::join!(Chrome::start(1280, 900, true), Chrome::start(360, 740, true));
    clerk.arrive(&survey, &serving, &office, "vi").await;
    phone.open(&serving.url("/console/login")).await;
    clerk.log_in(&phone, PASSWORD, serving.now(&survey)).await;
    assert_eq!(phone.text("h1").await, "Tổng quan");
    office.open(&serving.url("/console/account")).await;
    assert!(office.text(".facts").await.contains("Số phiên đang mở\n2"), "{}", office.text(".facts").await);
    office.click_through("#everywhere").await;
    for device in [&office, &phone] {
        device.open(&serving.url("/console/board")).await;
        assert_eq!(device.text("h1").await, "Đăng nhập");
    }
    office.close().await;
    phone.close().await;
    serving.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_counts_a_form_as_it_comes_in_and_is_right_again_after_a_lost_line() {
    let mut survey = Survey::invited().await;
    let mut clerk = Clerk::hired(&survey, "nva", "operator", &[]).await;
    let mut serving = survey.serve().await;
    let chrome = Chrome::start(1280, 900, true).await;
    clerk.arrive(&survey, &serving, &chrome, "vi").await;
    until(&chrome, "document.querySelector('#live').innerText.includes('Tự cập nhật')").await;
    assert_eq!(chrome.text(".shares .figure").await, "0/12");
    chrome.mark().await;
    chrome.click("#days-table summary").await;
    survey.answer(&serving, &survey.addresses()[0], 5).await;
    until(&chrome, "document.querySelector('.shares .figure').innerText === '1/12'").await;
    let same = "document.documentElement.dataset.left === 'yes' && document.querySelector('#days-table').open";
    until(&chrome, same).await;

    // The line is lost, a form comes in elsewhere, and the server is back at its address.
    let address = serving.address();
    serving.stop().await;
    survey.at("2023-12-18T08:10:00+07:00");
    let other = survey.serve().await;
    survey.answer(&other, &survey.addresses()[1], 5).await;
    other.kill().await;
    let serving = survey.serve_on(&address).await;
    until(&chrome, "document.querySelector('.shares .figure').innerText === '2/12'").await;
    until(&chrome, "document.documentElement.dataset.left === 'yes'").await;
    assert_eq!(chrome.count("noscript").await, 1, "without a script it would reload itself");
    chrome.close().await;

    let plain = Chrome::start(1280, 900, false).await;
    plain.open(&serving.url("/console/login")).await;
    clerk.log_in(&plain, PASSWORD, serving.now(&survey)).await;
    assert_eq!(plain.text(".shares .figure").await, "2/12");
    assert_eq!(plain.count("meta[http-equiv=refresh]").await, 1);
    assert!(plain.text("#live").await.contains("30 giây"));
    plain.close().await;
    serving.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_without_diacritics_with_what_became_of_their_mails() {
    let survey = Survey::invited().await;
    let mut clerk = Clerk::hired(&survey, "nva", "operator", &[]).await;
    let serving = survey.serve().await;
    let chrome = Chrome::start(1280, 900, true).await;
    clerk.arrive(&survey, &serving, &chrome, "vi").await;
    let roster = std::fs::read_to_string(&survey.roster).unwrap();
    let name = roster.lines().nth(1).unwrap().split(',').find(|cell| cell.contains(' ')).unwrap().to_owned();
    let bare = parsurvey_survey::roster::bare(&name);
    assert_ne!(bare, name.to_lowercase(), "the sample has a name with diacritics: {name}");
    chrome.open(&serving.url("/console/people")).await;
    assert_eq!(chrome.count("tbody tr").await, 12);
    write(&chrome, "q", &bare.to_uppercase()).await;
    chrome.click_through(".search .primary").await;
    assert_eq!(chrome.count("tbody tr").await, 1, "{}", chrome.text("main").await);
    assert_eq!(chrome.text("tbody th a").await, name);
    chrome.click_through("tbody th a").await;
    assert_eq!(chrome.text("h1").await, name);
    let mail = chrome.text(".mail").await;
    assert!(mail.contains("Thư mời: Máy chủ đã nhận") && mail.contains("250"), "{mail}");
    let source = chrome.client.source().await.unwrap();
    assert!(!source.contains("/f/"), "no link stands on the page");
    chrome.close().await;
    serving.kill().await;
}
