//! The list from a file: read with its faults, shown with its difference, stored when somebody decides so.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use parsurvey_survey::account::Role;

use super::acts::{body, typed};
use super::{House, Person, Reply};

const UPLOAD: &str = "/console/roster";
const STORE: &str = "/console/roster/store";

impl House {
    pub(super) async fn hand_in(&self, person: &Person, bytes: &[u8]) -> Reply {
        let mut whole =
            b"--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"danh-sach.csv\"\r\n\r\n".to_vec();
        whole.extend_from_slice(bytes);
        whole.extend_from_slice(b"\r\n--cut--\r\n");
        let request = Request::post(UPLOAD)
            .header(header::HOST, "127.0.0.1:8080")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut")
            .header(header::COOKIE, format!("parsurvey={}", person.session));
        self.ask(request.body(Body::from(whole)).expect("a request")).await
    }
}

fn sample() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join("sample-data/hanoi-2023/roster.csv")).expect("the sample")
}

#[tokio::test]
async fn a_list_is_shown_with_its_faults_and_its_difference_before_it_is_stored() {
    let house = House::hanoi().await;
    let nva = house.person("nva", Role::Operator, &[], None).await;
    let none = house.open(STORE, &nva).await;
    assert!(none.text(".hinders").contains("Chưa có tệp nào"), "{}", none.text(".hinders"));

    let sample = sample();
    let broken = sample.replacen('@', "", 1);
    let done = house.hand_in(&nva, broken.as_bytes()).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/console/roster/store?lang=vi"));
    let page = house.open(STORE, &nva).await;
    assert_eq!(page.texts("table[class=plain] tbody tr").len(), 1, "{}", page.text("table"));
    assert!(page.text(".hinders").contains("1 lỗi") && page.texts("#do").is_empty());

    // The last of the list is gone, the first has another name.
    let mut lines: Vec<&str> = sample.lines().collect();
    let gone = lines.pop().expect("a line");
    assert!(gone.contains('@'));
    let first = lines[1].to_owned();
    let name = first.split(',').find(|cell| cell.contains(' ')).expect("a name");
    let renamed = first.replacen(name, "Đổi Tên Mới", 1);
    lines[1] = &renamed;
    house.hand_in(&nva, lines.join("\n").as_bytes()).await;
    let page = house.open(STORE, &nva).await;
    let (table, follows) = (page.text("table"), page.text(".follows"));
    assert!(table.contains("Đổi Tên Mới") && table.contains("sửa") && table.contains("bớt"), "{table}");
    assert!(follows.contains("Thêm 0, sửa 1, bớt 1, trở lại 0 người."), "{follows}");
    let before = house.desk.ledger().stored_people().await.expect("read").people.len();
    let other = house.person("nvb", Role::Operator, &[], None).await;
    let theirs = house.open(STORE, &other).await;
    assert!(theirs.text(".hinders").contains("Chưa có tệp nào"), "a file is its account's alone");

    let warned = page.texts("#warnings").len() > 1;
    let more: &[(&str, &str)] = if warned { &[("warnings", "yes")] } else { &[] };
    let post = body(&page, &typed(more));
    let stored = house.post(STORE, Some(&nva.session), &post).await;
    assert!(house.told(&stored, &nva).await.contains("Đã lưu danh sách"), "{}", stored.body);
    let again = house.post(STORE, Some(&nva.session), &post).await;
    assert_eq!(again.location(), stored.location(), "pressed twice");
    let people = house.desk.ledger().stored_people().await.expect("read").people;
    let in_frame = people.iter().filter(|person| !person.seats.is_empty());
    assert_eq!(in_frame.count(), before - 1);
    assert!(people.iter().any(|person| person.name == "Đổi Tên Mới"));
    assert!(house.open(STORE, &nva).await.text(".hinders").contains("Chưa có tệp nào"), "it is kept no longer");
}

#[tokio::test]
async fn after_the_first_invitation_a_list_is_proposed_and_removals_are_named_by_number() {
    let house = House::inviting().await;
    let nva = house.person("nva", Role::Operator, &[], None).await;
    let sample = sample();
    let lines: Vec<&str> = sample.lines().collect();
    house.hand_in(&nva, lines[..lines.len() - 1].join("\n").as_bytes()).await;
    let page = house.open(STORE, &nva).await;
    assert!(page.text(".follows").contains("cần hai người"), "{}", page.text(".follows"));
    let seats = page.text("#removes-hint").chars().filter(char::is_ascii_digit).collect::<String>();
    let agreed = if page.texts("input#warnings").is_empty() { ("w", "") } else { ("warnings", "yes") };
    let wrong = house.act(STORE, &nva, &typed(&[agreed, ("removes", "77")])).await;
    assert!(wrong.text("#fault").contains("--removes names 77"), "{}", wrong.body);
    let right = house.act(STORE, &nva, &typed(&[agreed, ("removes", &seats)])).await;
    assert!(house.told(&right, &nva).await.contains("đề nghị số 1"), "{}", right.body);
    assert_eq!(house.desk.proposals().await.expect("read").len(), 1);
}

#[tokio::test]
async fn a_file_that_is_too_large_or_none_is_told_so_and_strangers_are_not_listened_to() {
    let house = House::hanoi().await;
    let nva = house.person("nva", Role::Operator, &[], None).await;
    let large = house.hand_in(&nva, &vec![b'a'; 16 * 1024 * 1024 + 1]).await;
    assert_eq!(large.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(large.text("#fault").contains("16 MB"), "{}", large.text("#fault"));
    let empty = house.hand_in(&nva, b"").await;
    assert!(empty.text("#fault").contains("Chưa có tệp nào"));
    // Whoever is not logged in sends as much as they like, and none of it is read.
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0_u8; 1 << 16]));
    let request = Request::post(UPLOAD)
        .header(header::HOST, "127.0.0.1:8080")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut");
    let stranger = house.ask(request.body(Body::from_stream(endless)).expect("a request")).await;
    assert!(stranger.location().starts_with("/console/login"));
}
