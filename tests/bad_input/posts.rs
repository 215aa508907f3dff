//! What reaches the form server besides honest answers: altered posts and links, two people with one link, rubbish.
//!
//! Each is answered with a page that says what to do, none is stored, and the server goes on serving. Which page stands
//! for what is held in the web crate's own tests; here the real ledger shows that nothing was kept.

use std::collections::BTreeMap;

use parsurvey_rehearsal::browser::{Browser, Page};
use parsurvey_tests::{Serving, Survey, moments};
use tokio::io::AsyncWriteExt;

use crate::wire::{ask, connect, post, read};

const FORM: &str = "application/x-www-form-urlencoded";
const SOMEBODY: &str = "an@thitranmau.example";

struct Field {
    survey: Survey,
    serving: Serving,
    /// The path of somebody's link.
    link: String,
}

async fn field() -> Field {
    let survey = Survey::invited().await;
    let serving = survey.serve().await;
    let link = survey.link_path(SOMEBODY);
    Field { survey, serving, link }
}

impl Field {
    /// Posts these fields to somebody's form.
    async fn post(&self, fields: &str) -> crate::wire::Reply {
        post(&self.serving, &format!("{}/page", self.link), FORM, fields.as_bytes()).await
    }

    /// Every answer of the questionnaire as form fields.
    fn answers(&self, level: usize) -> String {
        let answers: BTreeMap<String, String> = self.survey.answers(level);
        answers.iter().map(|(question, option)| format!("q.{question}={option}&")).collect()
    }

    /// Nobody started or completed, and somebody's form can still be answered.
    async fn untouched(self) {
        let status = self.survey.status().await;
        for row in status["rows"].as_array().unwrap() {
            assert_eq!((row["started"].as_u64(), row["completed"].as_u64()), (Some(0), Some(0)), "{status}");
        }
        let page = self.survey.answer(&self.serving, SOMEBODY, 5).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(self.survey.status().await["headline"]["all"]["completed"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_posts_store_nothing() {
    let field = field().await;
    let answers = field.answers(5);
    for strange in ["q.q99=5", "q.q1=6", "q.q1=4", "colour=blue", "go=conquer", "at=0", "q.=5", "q.q1=%00"] {
        let reply = field.post(&format!("at=review&{answers}{strange}&go=submit")).await;
        assert_eq!(reply.status, 422, "{strange}: {}", reply.text);
        assert!(reply.text.contains("<h1>"), "a page says what happened");
    }
    field.untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_form_are_refused_and_store_nothing() {
    let field = field().await;
    let page = format!("{}/page", field.link);
    let submit = format!("at=review&{}go=submit", field.answers(5));
    let huge = [submit.as_bytes(), b"&x=", &vec![b'a'; 5_000_000]].concat();
    for (kind, body, status) in [
        ("application/json", submit.as_bytes(), 415),
        ("text/plain", submit.as_bytes(), 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("", submit.as_bytes(), 415),
        (FORM, &huge[..1_000_000], 413),
        (FORM, b"%ZZ=%&%FF=%C0%80&&&==%", 422),
        (FORM, b"", 200),
    ] {
        let reply = post(&field.serving, &page, kind, body).await;
        assert_eq!(reply.status, status, "{kind}: {}", reply.text);
        assert!(reply.text.contains("<h1>"), "a page says what happened: {}", reply.text);
    }
    field.untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_cut_off() {
    let field = field().await;
    let mut stream = connect(&field.serving).await;
    let head = format!(
        "POST {}/page HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FORM}\r\ntransfer-encoding: chunked\r\n\r\n",
        field.link
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n", &vec![b'a'; 0x10000][..], b"\r\n"].concat();
    let mut taken = 0;
    // The server stops reading long before a gigabyte; the write then fails, which is the end of the matter.
    while taken < 1 << 30 && stream.write_all(&chunk).await.is_ok() {
        taken += chunk.len();
    }
    assert!(taken < 64 << 20, "{taken} bytes were taken");
    field.untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_no_links_tell_nothing() {
    let field = field().await;
    let token = field.link.trim_start_matches("/f/").to_owned();
    let mut altered = token.clone();
    altered.replace_range(..1, if token.starts_with('A') { "B" } else { "A" });
    for wrong in [altered.as_str(), &token[..token.len() - 1], &format!("{token}A"), &token.to_lowercase(), "-", "%00"]
    {
        for path in [format!("/f/{wrong}"), format!("/f/{wrong}/decline")] {
            let reply = ask(&field.serving, "GET", &path).await;
            assert_eq!(reply.status, 404, "{path}: {}", reply.text);
            assert!(!reply.text.contains("Nguyễn Văn An"), "{}", reply.text);
            assert!(wrong.len() < 40 || !reply.text.contains(wrong), "{}", reply.text);
        }
        let submit = format!("at=review&{}go=submit", field.answers(5));
        let reply = post(&field.serving, &format!("/f/{wrong}/page"), FORM, submit.as_bytes()).await;
        assert_eq!(reply.status, 404, "{}", reply.text);
    }
    field.untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_persons_link_is_dead_and_the_successors_lives() {
    let field = field().await;
    let survey = &field.survey;
    let seats = survey.run(&["roster", "list", "--format", "json"]).await.done().json();
    let seat = seats.as_array().unwrap().iter().find(|seat| seat["email"] == SOMEBODY).unwrap();
    let form = seat["form"].as_str().unwrap();
    let successor = ["--name", "Lý Thị Mới", "--email", "moi@thitranmau.example"];
    let because = ["--reason", "đổi công tác", "--document", "15/QĐ"];
    survey.by_two(&[&["replace", form][..], &successor, &because].concat()).await.done();
    survey.invite().await.done();
    let submit = format!("at=review&{}go=submit", field.answers(5));
    let reply = field.post(&submit).await;
    assert_eq!(reply.status, 410, "{}", reply.text);
    let reply = ask(&field.serving, "GET", &field.link).await;
    assert_eq!(reply.status, 410);
    assert!(reply.text.contains("không còn hiệu lực"), "{}", reply.text);
    assert!(!reply.text.contains("Lý Thị Mới"), "the predecessor is not told the successor");
    assert_eq!(survey.status().await["headline"]["all"]["completed"], 0);
    let page = survey.answer(&field.serving, "moi@thitranmau.example", 5).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(survey.status().await["headline"]["all"]["completed"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_with_one_link_make_one_ballot() {
    let mut field = field().await;
    let submit: Vec<String> =
        [1, 5].map(|level| format!("paper=short&at=review&{}go=submit", field.answers(level))).into();
    let bodies: Vec<&String> = (0..10).map(|number| &submit[number % 2]).collect();
    let (a, b, c, d, e, f, g, h, i, j) = tokio::join!(
        field.post(bodies[0]),
        field.post(bodies[1]),
        field.post(bodies[2]),
        field.post(bodies[3]),
        field.post(bodies[4]),
        field.post(bodies[5]),
        field.post(bodies[6]),
        field.post(bodies[7]),
        field.post(bodies[8]),
        field.post(bodies[9])
    );
    let mut statuses = [a, b, c, d, e, f, g, h, i, j].map(|reply| reply.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
    let others: Vec<String> = field.survey.addresses().into_iter().filter(|address| address != SOMEBODY).collect();
    field.survey.everybody_answers(&field.serving, &others, 3).await;
    field.serving.stop().await;
    field.survey.close_and_open().await;
    let score = field.survey.run(&["score", "--format", "json"]).await.done().json();
    let groups = score["targets"][0]["groups"].as_array().unwrap();
    let ballots: u64 = groups.iter().filter_map(|group| group["ballots"].as_u64()).sum();
    assert_eq!(ballots, 12, "{score}");
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_changes_nothing_whatever_the_method() {
    let field = field().await;
    for (method, path, status) in [
        ("HEAD", field.link.clone(), 200),
        ("GET", field.link.clone(), 200),
        ("GET", format!("{}/page", field.link), 303),
        ("GET", format!("{}/decline", field.link), 200),
        ("PUT", format!("{}/page", field.link), 405),
        ("DELETE", field.link.clone(), 405),
        ("POST", field.link.clone(), 405),
        ("PATCH", "/status".into(), 405),
        ("TRACE", "/".into(), 404),
        ("GET", "/../../etc/passwd".into(), 404),
        ("GET", "/assets/..%2f..%2f..%2fetc%2fpasswd".into(), 404),
        ("GET", "/assets/../../link.key".into(), 404),
        ("GET", "/f/..%2f..%2flink.key".into(), 404),
        ("GET", "/data/ledger.sqlite".into(), 404),
        ("GET", "/%00".into(), 404),
        ("GET", "/f/%FF%FE".into(), 404),
    ] {
        let reply = ask(&field.serving, method, &path).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
        assert!(!reply.text.contains("root:"), "{path}");
        if method == "HEAD" {
            assert!(reply.text.ends_with("\r\n\r\n"), "a head without a body");
        }
    }
    field.untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_and_slow_clients_disturb_nobody() {
    let field = field().await;
    // Two hundred clients that send half a request and fall silent.
    let mut silent = Vec::new();
    for _ in 0..200 {
        let mut stream = connect(&field.serving).await;
        stream.write_all(b"POST /f/x/page HTTP/1.1\r\nhost: lo").await.unwrap();
        silent.push(stream);
    }
    for rubbish in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\0\0\0\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET /f/\0 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"POST /f/x/page HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
    ] {
        let mut stream = connect(&field.serving).await;
        stream.write_all(rubbish).await.unwrap();
        let reply = read(&mut stream).await;
        assert!((400..500).contains(&reply.status) || reply.status == 505, "{rubbish:?}: {reply:?}");
    }
    let long = format!("/f/{}", "a".repeat(100_000));
    let mut stream = connect(&field.serving).await;
    // The server may refuse before it has read all of it.
    let sent = stream.write_all(format!("GET {long} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await;
    if sent.is_ok() {
        assert!((400..=431).contains(&read(&mut stream).await.status));
    }
    drop(silent.split_off(100));
    field.untouched().await;
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_after_the_deadline_are_shown_back_and_not_stored() {
    let mut field = field().await;
    let submit = format!("paper=short&at=review&{}go=submit", field.answers(5));
    field.serving.stop().await;
    field.survey.at(moments::AFTER);
    let late = field.survey.serve().await;
    let reply = post(&late, &format!("{}/page", field.link), FORM, submit.as_bytes()).await;
    assert_eq!(reply.status, 403, "{}", reply.text);
    assert!(reply.text.contains("Rất tốt"), "the person sees what they had chosen: {}", reply.text);
    let page: Page = Browser::new().unwrap().open(&late.url(&field.link)).await.unwrap();
    assert!(page.form().is_err(), "nothing is left to fill in");
    assert_eq!(field.survey.status().await["headline"]["all"]["completed"], 0);
}
