//! What the loader asks of the notice on personal data: a whole table, a contact outside, and both contacts in every mail.

mod small;

use small::{faults, replace, small};

#[test]
fn the_notice_is_whole_and_complaints_go_outside() {
    let file = "campaign.toml";
    let people = "what = \"people\"                     # names, addresses, positions\naction = \"erase\"\ndays = 90";
    let log = "what = \"log\"                        # acts, with numbers of persons and forms\naction = \"keep\"";
    for (from, to, code, on) in [
        ("controller = {", "contoller = {", "missing-field", ""),
        ("[notice.complaint]", "[notice.complaints]", "missing-field", ""),
        ("phananh@thanhtra.example", "phananh@", "bad-address", "phananh@"),
        ("phananh@thanhtra.example", "Hotro@khaosat.example", "complaint-inside", "Hotro"),
        ("phananh@thanhtra.example", "phananh@THITRANMAU.example", "complaint-inside", "THITRANMAU"),
        (people, "what = \"people\"\naction = \"keep\"", "bad-action", "keep"),
        (people, "what = \"people\"\naction = \"by_hand\"\ndays = 3", "bad-action", "by_hand"),
        (people, "what = \"people\"\naction = \"erase\"", "bad-action", "erase"),
        (log, "what = \"log\"\naction = \"erase\"\ndays = 3", "bad-action", "erase"),
        (log, "what = \"log\"\naction = \"burn\"\ndays = 3", "bad-action", "burn"),
        (log, "what = \"log\"\naction = \"keep\"\ndays = 3", "bad-action", "keep"),
        (log, "what = \"logs\"\naction = \"keep\"", "unknown-kind", "logs"),
        (log, "what = \"people\"\naction = \"erase\"\ndays = 3", "duplicate-code", "people"),
    ] {
        let mut files = small();
        replace(&mut files, file, from, to);
        let found = faults(&files);
        assert!(found.iter().any(|fault| fault.code == code), "{to}: wanted {code}, got {found:#?}");
        let fault = found.iter().find(|fault| fault.code == code).expect("it is there");
        let text = String::from_utf8(files[file].clone()).expect("UTF-8");
        assert!(text.lines().nth(fault.line - 1).is_some_and(|line| line.contains(on)), "{to}: {fault}");
    }
    let mut files = small();
    replace(&mut files, file, &format!("[[notice.retention]]\n{log}\n"), "");
    let found = faults(&files);
    assert!(
        found.len() == 1 && found[0].code == "retention-missing" && found[0].reason.ends_with(": log"),
        "{found:#?}"
    );
    let mut files = small();
    let text = String::from_utf8(files[file].clone()).expect("UTF-8");
    let before = |mark: &str| text.split(mark).next().expect("the head").to_owned();
    let after = |mark: &str| text.split_once(mark).expect("the tail").1.to_owned();
    files.insert(file.to_owned(), format!("{}[chase]{}", before("[notice]"), after("[chase]")).into_bytes());
    let found = faults(&files);
    assert_eq!(
        (found.len(), found[0].code, found[0].remedy.as_str()),
        (1, "missing-field", "add 'notice', as [notice]")
    );
}

#[test]
fn every_mail_shows_helpline_and_complaint_contact() {
    for template in ["prenotice.txt", "invitation.html", "reminder.txt", "chase.txt", "chase.html"] {
        for name in ["helpline_phone", "helpline_email", "complaint_phone", "complaint_email"] {
            let mut files = small();
            let path = format!("templates/{template}");
            let text = String::from_utf8(files[&path].clone()).expect("UTF-8");
            files.insert(path, text.replace(&format!("{{{{ {name} }}}}"), "").into_bytes());
            let found = faults(&files);
            assert!(found.len() == 1 && found[0].code == "contact-missing", "{template} {name}: {found:#?}");
            assert!(found[0].reason.contains(name), "{found:#?}");
        }
    }
}
