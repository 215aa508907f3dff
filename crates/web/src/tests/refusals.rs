//! What must get a clear page and the right status: altered posts, wrong links, wrong methods, large bodies.
//!
//! Slow clients are bounded in `serve` and in `guard`; waiting for them is not tried here.

use axum::body::Body;
use axum::http::{Method, Request};

use super::{Browser, Page};
use crate::guard::BODY_LIMIT;

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn unknown_questions_and_options_are_refused_and_the_rest_kept() {
    let browser = Browser::new();
    for strange in [
        field("q.9.9.9", "5"),
        field("q.2.3.2", "6"),
        field("q.5.7.5", "~no-opinion"),
        field("q.2.3.1", "4"),
        field("colour", "blue"),
        field("go", "edit.9.9.9"),
        field("go", "conquer"),
        field("at", "0"),
    ] {
        let fields = [field("at", "1"), field("q.2.3.1", "5"), field("go", "next"), strange.clone()];
        let page = browser.post("/f/open/page?lang=en", &fields).await;
        assert_eq!(page.status.as_u16(), 422, "{strange:?}");
        assert!(page.body.contains("does not match the form"), "{strange:?}");
        assert!(page.answer("2.3.1").is_some(), "{strange:?}");
    }
    assert_eq!(browser.desk.told().savings, 0, "an altered post is no start");
}

#[tokio::test]
async fn links_and_addresses_get_their_page() {
    let browser = Browser::new();
    for (path, status, vi, en) in [
        ("/f/open", 200, "Bắt đầu trả lời", "Start answering"),
        ("/f/early", 200, "Khảo sát mở từ 08:00 ngày 18/12/2023.", "The survey opens at 08:00 on 18 December 2023."),
        ("/f/excused", 200, "được miễn", "excused"),
        ("/f/never-heard-of", 404, "Liên kết không đúng", "This link is not right"),
        ("/f/%FF", 404, "Liên kết không đúng", "This link is not right"),
        ("/f/a%2Fb", 404, "Liên kết không đúng", "This link is not right"),
        ("/f/revoked", 410, "Liên kết không còn hiệu lực", "This link is no longer valid"),
        ("/nowhere", 404, "Không có trang này", "There is no such page"),
        ("/f/panic", 500, "Hệ thống gặp lỗi", "Hệ thống gặp lỗi"),
    ] {
        for (lang, words) in [("vi", vi), ("en", en)] {
            let page = browser.get(&format!("{path}?lang={lang}")).await;
            assert_eq!(page.status.as_u16(), status, "{path}");
            assert!(page.body.contains(words), "{path} {lang}");
            assert!(page.body.contains("024 3900 0000"), "every page shows the helpline: {path}");
            assert_eq!(page.headers["cache-control"], "no-store");
        }
    }
}

#[tokio::test]
async fn an_unknown_link_says_nothing_of_the_form() {
    let browser = Browser::new();
    for path in ["/f/never-heard-of", "/f/revoked"] {
        let page = browser.get(path).await;
        assert!(!page.body.contains("Trưởng phòng") && !page.body.contains("Thành phố Hà Nội"), "{path}");
        assert!(!page.body.contains("never-heard-of"), "{path}");
    }
}

#[tokio::test]
async fn methods_are_kept_apart() {
    let browser = Browser::new();
    let head = browser.ask(Method::HEAD, "/f/open").await;
    assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""));
    for (method, path) in [
        (Method::DELETE, "/f/open"),
        (Method::PUT, "/f/open/page"),
        (Method::POST, "/status"),
        (Method::POST, "/chase"),
        (Method::POST, "/f/open"),
    ] {
        let page = browser.ask(method, path).await;
        assert_eq!(page.status.as_u16(), 405, "{path}");
        assert!(page.headers.contains_key("allow"), "{path}");
        assert!(page.body.contains("Không thể mở trang theo cách này"));
    }
    let again = browser.get("/f/open/page?lang=en").await;
    assert_eq!(again.status.as_u16(), 303);
    assert_eq!(again.headers["location"], "/f/open?lang=en");
}

async fn raw(browser: &Browser, kind: &str, site: &str, body: Vec<u8>) -> Page {
    let request = Request::post("/f/open/page")
        .header("content-type", kind)
        .header("sec-fetch-site", site)
        .body(Body::from(body));
    browser.send(request.expect("a request")).await
}

#[tokio::test]
async fn bodies_that_are_no_form_of_ours_are_refused() {
    let browser = Browser::new();
    let form = "application/x-www-form-urlencoded";
    for (kind, site, body, status) in [
        ("application/json", "same-origin", b"{}".to_vec(), 415),
        ("multipart/form-data; boundary=x", "same-origin", b"--x--".to_vec(), 415),
        (form, "same-origin", vec![b'a'; BODY_LIMIT + 1], 413),
        (form, "same-origin", vec![b'a'; 8 * 1024 * 1024], 413),
        (form, "cross-site", b"go=start".to_vec(), 403),
        (form, "same-origin", b"%FF=%FF&&&==".to_vec(), 422),
        (form, "same-origin", Vec::new(), 200),
    ] {
        let page = raw(&browser, kind, site, body).await;
        assert_eq!(page.status.as_u16(), status, "{kind} {site}");
        assert!(page.body.contains("<h1>"), "a page says what happened");
    }
}
