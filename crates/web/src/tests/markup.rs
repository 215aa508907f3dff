//! What every page owes its reader: labels, languages, no script, nothing from elsewhere, little weight.
//!
//! Contrast and real screen readers need a browser and are not tried here.

use super::{Browser, Page};

async fn pages(browser: &Browser, lang: &str) -> Vec<(&'static str, Page)> {
    let landing = browser.get(&format!("/f/open?lang={lang}")).await;
    let first = browser.press(&landing, &[], "start").await;
    let missing = browser.press(&first, &[], "next").await;
    let second = browser.press(&first, &[("2.3.1", "5"), ("2.3.2", "1")], "next").await;
    let review = browser.press(&second, &[("5.7.4", "3")], "next").await;
    let late = browser.at("2023-12-30T19:00:00+07:00").press(&review, &[], "submit").await;
    vec![
        ("landing", landing),
        ("first", first),
        ("missing", missing),
        ("second", second),
        ("review", review),
        ("late", late),
        ("decline", browser.get(&format!("/f/open/decline?lang={lang}")).await),
        ("status", browser.get(&format!("/status?lang={lang}")).await),
        ("chase", browser.get(&format!("/chase?lang={lang}")).await),
        ("lost", browser.get(&format!("/lost?lang={lang}")).await),
        ("lost-faulty", browser.post(&format!("/lost?lang={lang}"), &[("email".to_owned(), "an".to_owned())]).await),
        ("lost-asked", browser.get(&format!("/lost?lang={lang}&asked=yes")).await),
        ("notice", browser.get(&format!("/notice?lang={lang}")).await),
        ("unknown", browser.get(&format!("/f/x?lang={lang}")).await),
        ("excused", browser.get(&format!("/f/excused?lang={lang}")).await),
    ]
}

#[tokio::test]
async fn every_page_is_whole_and_asks_nothing_of_others() {
    let browser = Browser::new();
    for lang in ["vi", "en"] {
        for (name, page) in pages(&browser, lang).await {
            let place = format!("{name} {lang}");
            assert_eq!(page.attributes("html", "lang"), [lang], "{place}");
            assert_eq!(page.count("h1"), 1, "{place}");
            assert_eq!(page.count("main#main"), 1, "{place}");
            assert_eq!(page.attributes("a.skip", "href"), ["#main"], "{place}");
            assert!(page.text("title").len() > 20, "{place}");
            assert_eq!(page.count("style, [style], iframe, object, [onclick]"), 0, "{place}");
            assert_eq!(page.count("script"), page.count("script[src^='/assets/'][defer]:empty"), "{place}");
            assert!(!page.body.contains("http://") && !page.body.contains("https://"), "{place}");
            assert!(!page.body.contains("//khaosat") && !page.body.contains("@import"), "{place}");
            assert_eq!(page.attributes("a[href^='tel:']", "href"), ["tel:02439000000", "tel:02439000001"], "{place}");
            let mails = page.attributes("a[href^='mailto:']", "href");
            assert_eq!(mails, ["mailto:hotro@bonoivu.example", "mailto:a@thanhtra.example"], "{place}");
            assert_eq!(page.count(&format!("footer a[href='/notice?lang={lang}']")), 1, "{place}");
            assert!(page.body.len() < 30_000, "{place} weighs {}", page.body.len());
        }
    }
}

#[tokio::test]
async fn every_input_has_its_label_and_every_reference_its_element() {
    let browser = Browser::new();
    for (name, page) in pages(&browser, "vi").await {
        let ids = page.attributes("[id]", "id");
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "{name}: an id stands twice");
        let labels = page.attributes("label", "for");
        assert_eq!(labels, page.attributes("input[type=radio], input[type=email]", "id"), "{name}");
        for attribute in ["aria-labelledby", "aria-describedby"] {
            for id in page.attributes(&format!("[{attribute}]"), attribute) {
                assert!(ids.contains(&id), "{name}: {attribute} points at {id}");
            }
        }
        assert_eq!(page.count("fieldset"), page.count("fieldset > legend"), "{name}");
        let forms = page.count("form");
        assert_eq!(page.count("form[method=post]"), forms, "{name}");
    }
}

#[tokio::test]
async fn texts_from_outside_are_escaped() {
    let browser = Browser::new();
    let first = browser.press(&browser.get("/f/open").await, &[], "start").await;
    assert!(!first.body.contains("<của Thành phố>"));
    assert!(first.text("#t2").contains("<của Thành phố>"));
    let page = browser.post("/f/open/page", &[("q.2.3.1".to_owned(), "\"><script>alert(1)</script>".to_owned())]).await;
    assert!(!page.body.contains("<script>"));
}

#[tokio::test]
async fn headers_protect_and_the_first_view_is_light() {
    let browser = Browser::new();
    let landing = browser.get("/f/open").await;
    let policy = landing.headers["content-security-policy"].to_str().expect("ASCII").to_owned();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"));
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(landing.headers[name], value);
    }
    assert!(landing.headers.get("set-cookie").is_none());

    let style = browser.get(&landing.attributes("link[rel=stylesheet]", "href")[0]).await;
    assert_eq!(style.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    let icon = browser.get(&landing.attributes("link[rel=icon]", "href")[0]).await;
    let weight = landing.body.len() + style.body.len() + icon.body.len();
    assert!(weight < 30_000, "the first view weighs {weight} bytes uncompressed");
}

#[tokio::test]
async fn the_status_page_shows_the_headline_and_can_be_held() {
    let browser = Browser::new();
    let page = browser.get("/status").await;
    assert_eq!(page.text(".shares .figure"), "816/819");
    assert_eq!(page.text(".shares .percent"), "99,63\u{a0}%".replace('\u{a0}', " "));
    assert!(page.body.contains("848") && page.body.contains("Trưởng phòng"));
    assert_eq!(page.attributes("rect.fill", "width"), ["100%", "99%", "50%", "0%"]);
    assert_eq!(page.count("meta[http-equiv=refresh]"), 1);
    let held = browser.get(&page.attributes(".lead a", "href")[0]).await;
    assert_eq!(held.count("meta[http-equiv=refresh]"), 0);
    assert_eq!(browser.get("/healthz").await.body, "ok");
}

#[tokio::test]
async fn the_notice_names_law_people_and_time_from_the_campaign() {
    let browser = Browser::new();
    for (lang, words) in [
        (
            "vi",
            [
                "91/2025/QH15",
                "356/2025/NĐ-CP",
                "Bên kiểm soát dữ liệu cá nhân: Bộ Nội vụ.",
                "02 ngày làm việc",
                "90 ngày",
            ],
        ),
        (
            "en",
            [
                "91/2025/QH15",
                "356/2025/NĐ-CP",
                "Processor of personal data: The operating unit.",
                "2 working days",
                "90 days",
            ],
        ),
    ] {
        let page = browser.get(&format!("/notice?lang={lang}")).await;
        assert_eq!(page.status, 200);
        let main = page.text("main");
        for word in words {
            assert!(main.contains(word), "{lang}: '{word}' is not on the notice");
        }
        assert_eq!(page.count("tbody tr"), 3);
        // What is a draft for a lawyer says so in the documents, not to the person who reads it.
        assert!(!main.contains("luật sư") && !main.contains("lawyer") && !main.contains("[…]"));
        let other = if lang == "vi" { "en" } else { "vi" };
        assert_eq!(page.attributes("a.lang", "href"), [format!("/notice?lang={other}")]);
    }
}

#[tokio::test]
async fn the_chase_page_shows_units_that_are_behind_first_and_no_more_than_counts() {
    let browser = Browser::new();
    let page = browser.get("/chase").await;
    assert_eq!(page.status, 200);
    let figures: Vec<String> = (1..=3).map(|n| page.text(&format!(".shares div:nth-child({n}) .figure"))).collect();
    assert_eq!(figures, ["63", "2", "2"]);
    let names: Vec<String> =
        (1..=4).map(|n| page.text(&format!("#units + .scroll tbody tr:nth-child({n}) th"))).collect();
    assert_eq!(names, ["quan-<ba>-dinh", "ngan-hang", "so-noi-vu", "Tổng cộng"]);
    assert_eq!(page.text("#units + .scroll tbody tr:nth-child(4)"), "Tổng cộng63257431.5881.654");
    assert!(!page.body.contains("<ba>") && page.count("form, input") == 0);
    assert_eq!(page.count("meta[http-equiv=refresh]"), 1);
    let held = browser.get(&page.attributes(".lead a", "href")[0]).await;
    assert_eq!(held.count("meta[http-equiv=refresh]"), 0);
}

#[tokio::test]
async fn however_many_look_at_the_status_the_seats_are_counted_once() {
    let browser = Browser::new();
    let asked = (0..8).map(|n| browser.get(if n % 2 == 0 { "/status" } else { "/status?lang=en" }));
    let pages = futures_util::future::join_all(asked).await;
    assert!(pages.iter().all(|page| page.text(".shares .figure") == "816/819"));
    assert_eq!(browser.desk.counted.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test]
#[ignore = "writes the pages into the folder named by PARSURVEY_PAGES, to be looked at"]
async fn write_pages() {
    let folder = std::path::PathBuf::from(std::env::var("PARSURVEY_PAGES").expect("a folder"));
    std::fs::create_dir_all(folder.join("assets")).expect("the folder can be written");
    let style = crate::assets::style_path();
    std::fs::write(folder.join(&style[1..]), crate::assets::STYLE).expect("the folder can be written");
    for lang in ["vi", "en"] {
        let browser = Browser::new();
        let mut all = pages(&browser, lang).await;
        browser.desk.hand_in();
        all.push(("thanks", browser.get(&format!("/f/open?lang={lang}")).await));
        for (name, page) in all {
            std::fs::write(folder.join(format!("{name}-{lang}.html")), page.body).expect("the folder can be written");
        }
    }
}
