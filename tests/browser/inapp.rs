//! The browsers inside other apps, in which links from mails and chats really open: nothing stored, no second tab, no
//! scripts, an old name.
//!
//! What they are called and what they lack is imitated; the apps themselves are not here.

use parsurvey_tests::device::Device;

use crate::person::Person;

/// Names that the apps' browsers go by.
const AGENTS: [(&str, &str); 3] = [
    (
        "Zalo on Android",
        "Mozilla/5.0 (Linux; Android 10; SM-A205F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 \
         Chrome/108.0.5359.128 Mobile Safari/537.36 Zalo android/12100680 ZaloTheme/light ZaloLanguage/vi",
    ),
    (
        "Zalo on iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 15_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 \
         Zalo iOS/540 ZaloTheme/light ZaloLanguage/vi",
    ),
    (
        "Gmail on iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
         GSA/280.3.573 Mobile/15E148 Safari/604.1",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_browsers_of_zalo_and_gmail_finish_the_form_with_nothing_stored() {
    for (app, agent) in AGENTS {
        for scripts in [true, false] {
            let device = Device::with_window(360, 640).calling_itself(agent).without_storage();
            let device = if scripts { device } else { device.without_scripts() };
            let person = Person::on(&device).await;
            person.arrive().await;
            assert_eq!(person.chrome.ask("return navigator.userAgent").await, agent);
            assert_eq!(person.chrome.ask("return document.cookie").await, "", "{app}: nothing is kept in a cookie");
            let stored =
                "try { localStorage.setItem('a', 'b'); return 'stored' } catch (refused) { return refused.name }";
            assert_eq!(person.chrome.ask(stored).await, "SecurityError", "{app}: this browser stores nothing");
            let tabs = "return document.querySelectorAll('[target], a[rel~=opener]').length";
            assert_eq!(person.chrome.ask(tabs).await, 0, "{app}: nothing wants a second tab");
            person.answer_up_to_the_review([2, 1, 6, 4, 5]).await;
            assert_eq!(person.reviewed().await, ["Tốt", "Rất tốt", "Không có ý kiến", "Hiếm khi", "Rất kém"]);
            person.go_on().await;
            assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi", "{app}, scripts {scripts}");
            assert_eq!(person.chrome.client.windows().await.unwrap().len(), 1, "{app}: one window is enough");
            assert_eq!(person.recorded().await, (1, 1, 0));
            person.leave().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_forgets_the_page_leads_back_to_the_start_and_not_to_an_error() {
    let device = Device::with_window(360, 640).calling_itself(AGENTS[0].1).without_storage();
    let person = Person::on(&device).await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 2), (3, 3)]).await;
    person.go_on().await;
    // The app was closed and opens the last address again, by GET.
    let address = person.chrome.client.current_url().await.unwrap();
    person.chrome.open("about:blank").await;
    person.chrome.open(address.as_str()).await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu khảo sát thử");
    person.answer_up_to_the_review([1, 1, 1, 1, 1]).await;
    person.go_on().await;
    assert_eq!(person.recorded().await, (1, 1, 0));
    person.leave().await;
}
