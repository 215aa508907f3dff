//! Rosters as agencies hand them in: with faults, in every encoding they use, as workbooks, and far too large.
//!
//! Whatever is refused, the stored list stays as it was.

use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use parsurvey_tests::{Ran, Survey};
use rust_xlsxwriter::Workbook;
use serde_json::Value;

use crate::refused;

/// A survey with keys and without a list.
async fn waiting() -> Survey {
    let survey = Survey::small().await;
    survey.run(&["init", "--self-held"]).await.done();
    survey
}

fn write(survey: &Survey, name: &str, bytes: &[u8]) -> PathBuf {
    let path = survey.folder().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

async fn import(survey: &Survey, file: &std::path::Path) -> Ran {
    survey.run(&["roster", "import", file.to_str().unwrap(), "--format", "json"]).await
}

async fn listed(survey: &Survey) -> usize {
    survey.run(&["roster", "list", "--format", "json"]).await.done().json().as_array().unwrap().len()
}

/// The sample list: a row of headers and twelve people.
fn sample(survey: &Survey) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(&survey.roster).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn three_hundred_faults_are_all_told_and_nothing_is_stored() {
    let survey = waiting().await;
    let rows: Vec<String> =
        (0..300).map(|number| format!("Người {number},khong-co-a-cong-{number},leaders,office,Chuyên viên")).collect();
    let text = format!("name,email,group,unit,position\n{}\n", rows.join("\n"));
    let file = write(&survey, "faulty.csv", text.as_bytes());
    let ran = refused(import(&survey, &file).await, 1, &["300 fault(s)"]);
    let faults = ran.json()["faults"].as_array().unwrap().clone();
    let lines: Vec<u64> = faults.iter().map(|fault| fault["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, (2..=301).collect::<Vec<u64>>());
    for line in [2, 150, 301] {
        assert!(ran.stderr.contains(&format!("faulty.csv:{line}: email: ")), "{}", ran.stderr);
    }
    assert!(faults.iter().all(|fault| fault["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty())));
    assert_eq!(listed(&survey).await, 0);
}

#[tokio::test]
async fn a_faulty_list_leaves_the_stored_one_untouched() {
    let survey = Survey::ready().await;
    let before = survey.run(&["roster", "list", "--format", "json"]).await.done().stdout;
    let mut text = std::fs::read_to_string(&survey.roster).unwrap().replacen("Nguyễn Văn An", "Nguyễn Văn Anh", 1);
    text.push_str("\nThêm,them@thitranmau.example,leaders,ofice,\n");
    let file = write(&survey, "new.csv", text.as_bytes());
    refused(import(&survey, &file).await, 1, &["new.csv:", "'ofice'", "office"]);
    let after = survey.run(&["roster", "list", "--format", "json"]).await.done().stdout;
    assert_eq!(before, after);
}

#[tokio::test]
async fn two_hundred_megabytes_are_refused_unread() {
    let survey = waiting().await;
    let path = survey.folder().join("huge.csv");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&std::fs::read(&survey.roster).unwrap()).unwrap();
    // A sparse tail: the size is real to every reader, and the test's disk is spared.
    file.seek(SeekFrom::Start(200_000_000)).unwrap();
    file.write_all(b"\n").unwrap();
    drop(file);
    let limited =
        format!("ulimit -v 1500000; exec {} \"$@\"", parsurvey_tests::binary().to_str().expect("the path is text"));
    let args = survey.arguments(&["roster", "import", path.to_str().unwrap()]);
    let output = tokio::process::Command::new("sh").args(["-c", &limited, "sh"]).args(&args).output().await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("huge.csv has 200 MB") && told.contains("help: "), "{told}");
    assert_eq!(listed(&survey).await, 0);
}

#[tokio::test]
async fn files_that_are_no_list_are_called_what_they_are() {
    let survey = waiting().await;
    let html = b"<html><body><table><tr><td>name</td></tr></table></body></html>";
    for (name, bytes, words) in [
        ("renamed.xlsx", &html[..], "web page"),
        ("empty.csv", b"", "empty"),
        ("torn.xlsx", b"PK\x03\x04 torn off", "damaged"),
        ("old.xls", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "XLSX"),
        ("scan.csv", b"%PDF-1.7", "PDF"),
        ("noise.csv", b"a\0b\x01c\xFF\xFE\0", "noise.csv"),
        ("title.csv", "Danh sách\nkhông có tiêu đề cột\n".as_bytes(), "title.csv"),
    ] {
        let file = write(&survey, name, bytes);
        refused(import(&survey, &file).await, 1, &[name, words, "nothing was stored"]);
    }
    refused(import(&survey, &survey.folder().join("absent.csv")).await, 1, &["absent.csv"]);
    refused(import(&survey, &survey.campaign).await, 1, &["folder"]);
    assert_eq!(listed(&survey).await, 0);
}

/// A workbook with a title above its header and a sheet of notes beside it.
fn workbook(rows: &[Vec<String>]) -> Vec<u8> {
    let mut book = Workbook::new();
    let notes = book.add_worksheet().set_name("Ghi chú").unwrap();
    notes.write_string(0, 0, "Danh sách do văn phòng lập").unwrap();
    let sheet = book.add_worksheet().set_name("Danh sách").unwrap();
    sheet.write_string(0, 0, "DANH SÁCH NGƯỜI ĐƯỢC HỎI Ý KIẾN").unwrap();
    for (row, cells) in (2_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

#[tokio::test]
async fn a_workbook_is_read_like_a_text_file_and_its_faults_by_row() {
    let survey = waiting().await;
    let mut rows = sample(&survey);
    rows[0] = ["Họ và tên", "Thư điện tử", "Nhóm đối tượng", "Đơn vị", "Chức vụ"].map(str::to_owned).into();
    let mut faulty = rows.clone();
    faulty[3][1] = "khong phai dia chi".into();
    faulty[5][3] = "Phòng không có".into();
    let file = write(&survey, "faulty.xlsx", &workbook(&faulty));
    let ran = refused(import(&survey, &file).await, 1, &["faulty.xlsx:6: ", "faulty.xlsx:8: "]);
    assert_eq!(ran.json()["faults"].as_array().unwrap().len(), 2, "{}", ran.stdout);
    assert_eq!(listed(&survey).await, 0);

    let file = write(&survey, "list.xlsx", &workbook(&rows));
    let ran = import(&survey, &file).await.done();
    assert_eq!((ran.json()["read"].as_u64(), ran.json()["added"].as_u64()), (Some(12), Some(12)));
    let ran = survey.run(&["roster", "import", file.to_str().unwrap(), "--sheet", "Không có"]).await;
    refused(ran, 1, &["Danh sách"]);
}

/// The same twelve people in every encoding and with every separator an office program writes.
#[tokio::test]
async fn every_usual_encoding_and_separator_gives_the_same_people() {
    let survey = waiting().await;
    let text = std::fs::read_to_string(&survey.roster).unwrap();
    import(&survey, &survey.roster).await.done();
    let stored = survey.run(&["roster", "list", "--format", "json"]).await.done().json();
    let utf16 = |big: bool| -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let variants: [(&str, Vec<u8>); 6] = [
        ("bom.csv", [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
        ("utf16le.csv", utf16(false)),
        ("utf16be.csv", utf16(true)),
        ("semicolons.csv", text.replace(',', ";").into_bytes()),
        ("tabs.csv", text.replace(',', "\t").into_bytes()),
        ("windows-lines.csv", text.replace('\n', "\r\n").into_bytes()),
    ];
    for (name, bytes) in variants {
        let file = write(&survey, name, &bytes);
        let ran = import(&survey, &file).await.done();
        let told = ran.json();
        assert_eq!(
            ["read", "added", "changed", "removed"].map(|key| told[key].as_u64()),
            [Some(12), Some(0), Some(0), Some(0)],
            "{name}: {told}"
        );
    }
    assert_eq!(survey.run(&["roster", "list", "--format", "json"]).await.done().json(), stored);
}

#[tokio::test]
async fn windows_1258_is_read_and_the_guess_is_told() {
    let survey = waiting().await;
    let mut bytes = b"name,email,group,unit,position\n".to_vec();
    for number in 0..12 {
        let group = if number < 6 { "leaders" } else { "staff" };
        // Nguyễn Văn Đạt, with its tone marks as characters of their own, as this encoding writes them.
        bytes.extend(b"Nguy\xEA\xDEn V\xE3n \xD0a\xF2t ");
        bytes.extend(format!("{number},dat{number}@thitranmau.example,{group},office,\n").bytes());
    }
    let file = write(&survey, "old.csv", &bytes);
    let ran = import(&survey, &file).await.done();
    assert!(ran.stderr.contains("windows-1258"), "{}", ran.stderr);
    let stored = survey.run(&["roster", "list", "--format", "json"]).await.done().json();
    let names: Vec<&str> = stored.as_array().unwrap().iter().filter_map(|row| row["name"].as_str()).collect();
    assert!(names.contains(&"Nguyễn Văn Đạt 0") && names.len() == 12, "{names:?}");
}

#[tokio::test]
async fn accepting_a_warning_that_does_not_exist_is_refused() {
    let survey = waiting().await;
    let ran = survey.run(&["roster", "import", survey.roster.to_str().unwrap(), "--accept", "everything"]).await;
    refused(ran, 1, &["'everything'", "shared-address"]);
    assert_eq!(listed(&survey).await, 0);
}

#[tokio::test]
async fn a_name_like_a_formula_needs_a_person_and_stays_text() {
    let survey = waiting().await;
    let text = std::fs::read_to_string(&survey.roster).unwrap();
    let text = text.replacen("Nguyễn Văn An", "=cmd|' /C calc'!A0", 1);
    let file = write(&survey, "formula.csv", text.as_bytes());
    refused(import(&survey, &file).await, 1, &["formula.csv:2: name", "[formula-like]", "--accept"]);
    assert_eq!(listed(&survey).await, 0);
    survey.run(&["roster", "import", file.to_str().unwrap(), "--accept", "formula-like"]).await.done();
    let shown = survey.run(&["roster", "list", "--format", "csv"]).await.done().stdout;
    let cells: Vec<&str> = shown.lines().flat_map(|line| line.split(',')).collect();
    let alive = cells.iter().find(|cell| cell.trim_start_matches('"').starts_with('='));
    assert_eq!(alive, None, "no cell of an exported list may be a formula:\n{shown}");
    let stored: Value = survey.run(&["roster", "list", "--format", "json"]).await.done().json();
    assert!(stored.to_string().contains("=cmd|' /C calc'!A0"), "stored as it was typed");
}
