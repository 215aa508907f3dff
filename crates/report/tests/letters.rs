//! Official letters as files: the same letter the same bytes, what they say, and how a word processor draws them.

use std::io::Read;
use std::path::Path;
use std::process::Command;

use parsurvey_report::docx::{ChaseLetter, ChaseSummary, NamedPerson, UnitCounts, chase_letter, chase_summary};
use parsurvey_survey::chase::ChaseCounts;

fn counts(not_delivered: u64, silent: u64, started: u64, excused: u64, completed: u64) -> ChaseCounts {
    let outstanding = not_delivered + silent + started;
    let listed = outstanding + excused + completed;
    ChaseCounts { listed, not_delivered, silent, started, excused, completed, outstanding }
}

fn units() -> (Vec<UnitCounts>, ChaseCounts) {
    let rows = vec![
        UnitCounts { name: "Văn phòng UBND Thành phố".into(), counts: counts(1, 6, 2, 0, 21) },
        UnitCounts { name: "Ban Tiếp công dân <Thành phố>".into(), counts: counts(0, 0, 0, 1, 4) },
    ];
    let mut total = ChaseCounts::default();
    rows.iter().for_each(|row| total += row.counts);
    (rows, total)
}

fn letter() -> ChaseLetter {
    let (rows, total) = units();
    ChaseLetter {
        superior: Some("Ủy ban nhân dân thành phố Hà Nội".into()),
        agency: "Sở Nội vụ".into(),
        place: "Hà Nội".into(),
        date: "ngày 04 tháng 01 năm 2024".into(),
        day: "04/01/2024".into(),
        symbol: "SNV-CCHC".into(),
        signer: "Giám đốc".into(),
        title: "Khảo sát xác định Chỉ số cải cách hành chính năm 2023".into(),
        year: 2023,
        organiser: "Bộ Nội vụ".into(),
        official_letter: "Công văn số 0001/BNV-CCHC ngày 08/12/2023 (số mẫu)".into(),
        to: "Văn phòng UBND Thành phố".into(),
        rows,
        total,
        closes: "23:59 ngày 10/01/2024".into(),
        sender_address: "khaosat@parindex.example".into(),
        link_domain: "khaosat.parindex.example".into(),
        helpline_phone: "024 0000 0000".into(),
        helpline_email: "hotro@parindex.example".into(),
        names: None,
        order: String::new(),
        synthetic: true,
    }
}

fn with_names(n: usize) -> ChaseLetter {
    let person = |number| NamedPerson {
        name: format!("Nguyễn Thị Người Thứ {number}"),
        position: "Phó Trưởng phòng Cải cách hành chính".into(),
        unit: "Văn phòng UBND Thành phố".into(),
    };
    ChaseLetter { names: Some((1..=n).map(person).collect()), order: "Công văn số 9/BNV-CCHC".into(), ..letter() }
}

/// The parts of a file by name.
fn parts(bytes: &[u8]) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip archive");
    let names: Vec<String> = archive.file_names().map(|name| name.expect("a name").into_owned()).collect();
    let mut read = |name: String| {
        let mut text = String::new();
        archive.by_name(&name).expect("a part").read_to_string(&mut text).expect("UTF-8");
        (name, text)
    };
    names.into_iter().filter(|name| name.ends_with(".xml")).map(&mut read).collect()
}

/// The words of the document, one line per paragraph.
fn words(bytes: &[u8]) -> String {
    let document = parts(bytes).into_iter().find(|(name, _)| name == "word/document.xml").expect("the document").1;
    let mut text = String::new();
    for piece in document.split('<') {
        match piece.split_once('>') {
            Some(("/w:p", _)) => text.push('\n'),
            Some((tag, words)) if tag.starts_with("w:t ") || tag == "w:t" => text.push_str(words),
            _ => {}
        }
    }
    text
}

#[test]
fn the_letter_reads_as_it_should() {
    insta::assert_snapshot!("letter", words(&chase_letter(&letter()).expect("a letter")));
    insta::assert_snapshot!("letter_with_names", words(&chase_letter(&with_names(2)).expect("a letter")));
    let (rows, total) = units();
    let title = letter().title;
    let summary = ChaseSummary {
        title,
        day: "04/01/2024".into(),
        closes: "23:59 ngày 10/01/2024".into(),
        rows,
        total,
        synthetic: true,
    };
    insta::assert_snapshot!("summary", words(&chase_summary(&summary).expect("a summary")));
}

#[test]
fn the_same_letter_is_the_same_bytes_whatever_was_written_before() {
    let first = chase_letter(&letter()).expect("a letter");
    chase_letter(&with_names(3)).expect("another letter");
    assert_eq!(first, chase_letter(&letter()).expect("the same letter"));
    let elsewhere = std::thread::spawn(|| chase_letter(&letter()).expect("the same letter")).join();
    assert_eq!(first, elsewhere.expect("no panic"));
    // Every local header of the archive has the format's first moment: 1980-01-01 00:00.
    let headers = first.windows(4).enumerate().filter(|(_, bytes)| bytes == b"PK\x03\x04");
    let times: Vec<&[u8]> = headers.map(|(at, _)| &first[at + 10..at + 14]).collect();
    assert!(times.len() > 10 && times.iter().all(|time| *time == [0, 0, 0x21, 0]), "{times:?}");
}

#[test]
fn the_form_is_the_prescribed_one() {
    let bytes = chase_letter(&with_names(2)).expect("a letter");
    let parts = parts(&bytes);
    let part = |name: &str| &parts.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1;
    let document = part("word/document.xml");
    assert_eq!(document.matches("<w:tblHeader />").count(), 2, "each table repeats its heading row");
    assert!(document.contains("w:pgSz w:w=\"11906\" w:h=\"16838\"") && document.contains("w:left=\"1701\""), "A4");
    assert!(document.contains("w:val=\"Heading1\"") && document.contains("<w:titlePg"), "{document}");
    assert!(!document.contains("paraId=") && document.contains("&lt;Thành phố&gt;"));
    assert!(part("word/styles.xml").contains("Times New Roman"));
    let heads: Vec<&String> =
        parts.iter().filter(|(name, _)| name.starts_with("word/header")).map(|(_, text)| text).collect();
    assert_eq!(heads.len(), 2);
    assert_eq!(heads.iter().filter(|text| text.contains("PAGE")).count(), 1, "the first page has no number");
    assert!(heads.iter().all(|text| text.contains("SỐ LIỆU GIẢ ĐỊNH")));
    let real = chase_letter(&ChaseLetter { synthetic: false, ..letter() }).expect("a letter");
    assert!(!String::from_utf8_lossy(&real).contains("GIẢ ĐỊNH"), "a real letter is not marked");
    for (name, text) in &parts {
        assert!(!text.contains("http://khaosat") && !text.contains("https://khaosat"), "{name} holds a link");
    }
}

/// `PARSURVEY_LETTERS=DIR` keeps the files and their pictures.
#[test]
fn a_word_processor_opens_the_letters_and_repeats_their_headings() {
    let kept = std::env::var_os("PARSURVEY_LETTERS").map(std::path::PathBuf::from);
    let thrown = tempfile::tempdir().expect("a temporary folder");
    let folder = kept.as_deref().unwrap_or(thrown.path());
    std::fs::create_dir_all(folder).expect("the folder can be made");
    let (unit, total) = units();
    let many: Vec<UnitCounts> =
        (0..60).map(|number| UnitCounts { name: format!("Đơn vị số {number}"), ..unit[0].clone() }).collect();
    let title = letter().title;
    let summary = ChaseSummary {
        title,
        day: "04/01/2024".into(),
        closes: "10/01/2024".into(),
        rows: many,
        total,
        synthetic: true,
    };
    let files = [
        ("letter", chase_letter(&letter()).expect("a letter"), 1..=2),
        ("names", chase_letter(&with_names(40)).expect("a letter"), 2..=4),
        ("all units", chase_summary(&summary).expect("a summary"), 2..=4),
    ];
    for (name, bytes, pages) in files {
        let path = folder.join(format!("{name}.docx"));
        std::fs::write(&path, bytes).expect("the folder can be written");
        convert(folder, thrown.path(), &path);
        let text = text_of(&folder.join(format!("{name}.pdf")));
        let found = text.matches('\u{c}').count();
        assert!(pages.contains(&found), "{name} has {found} pages:\n{text}");
        if name == "all units" {
            assert_eq!(text.matches("Cơ quan, đơn vị").count(), found, "the heading row stands on each page:\n{text}");
        }
    }
}

/// Makes the PDF. The word processor gets a profile of its own, so that two runs at once do not wait for each other.
fn convert(folder: &Path, profile: &Path, file: &Path) {
    let made = Command::new("soffice")
        .arg(format!("-env:UserInstallation=file://{}/profile", profile.display()))
        .args(["--headless", "--convert-to", "pdf", "--outdir"])
        .arg(folder)
        .arg(file)
        .output()
        .expect("soffice is missing: install it (Debian: apt-get install libreoffice-writer-nogui)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn text_of(pdf: &Path) -> String {
    let made = Command::new("pdftotext").arg("-layout").arg(pdf).arg("-").output();
    let made = made.expect("pdftotext is missing: install it (Debian: apt-get install poppler-utils)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).expect("UTF-8")
}
