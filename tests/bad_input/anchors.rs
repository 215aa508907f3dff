//! Anchors that are none: missing, empty, damaged, somebody else's. A verification never passes over one.

use parsurvey_tests::Survey;

use crate::refused_without_people;

const BLOCK: &str = "-----BEGIN PARSURVEY ANCHOR-----\ncampaign: example-small\nday: 2023-12-20\n\
    taken: 2023-12-20T01:00:00Z\nentries: 4\n\
    hash: 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\n-----END PARSURVEY ANCHOR-----\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_anchor_is_named_and_never_passed_over() {
    let survey = Survey::ready().await;
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("empty.eml", Vec::new(), "holds no anchor"),
        ("letter.eml", b"From: a@b.example\r\nSubject: x\r\n\r\nKinh gui\r\n".to_vec(), "holds no anchor"),
        ("noise.eml", (0..=255).cycle().take(5000).collect(), "holds no anchor"),
        ("cut.eml", BLOCK.replace("-----END PARSURVEY ANCHOR-----", "").into_bytes(), "does not end"),
        ("short.eml", BLOCK.replace("hash: 0a", "hash: ").into_bytes(), "'hash:'"),
        ("number.eml", BLOCK.replace("entries: 4", "entries: 99999999999999999999").into_bytes(), "'entries:'"),
        ("lines.eml", BLOCK.replace("day: 2023-12-20\n", "").into_bytes(), "'day: …'"),
        ("other.eml", BLOCK.replace("example-small", "hanoi-2023").into_bytes(), "is of the campaign hanoi-2023"),
        ("wrong.eml", BLOCK.as_bytes().to_vec(), "is not on the chain"),
    ];
    for (name, bytes, words) in cases {
        let path = survey.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        let ran = survey.run(&["audit", "verify", "--anchor", path.to_str().unwrap()]).await;
        refused_without_people(ran, 1, &[words]);
    }
    let absent = survey.folder().join("absent.eml");
    let ran = survey.run(&["audit", "verify", "--anchor", absent.to_str().unwrap()]).await;
    refused_without_people(ran, 1, &["absent.eml", "cannot be read"]);
    let ran = survey.run(&["audit", "verify", "--anchor", "-"]).await;
    refused_without_people(ran, 1, &["stdin holds no anchor"]);
    refused_without_people(survey.run(&["audit", "verify"]).await, 1, &["without anchors"]);
}
