//! Files of every kind that is handed in as a roster: workbooks, wrong files, damaged files.
//!
//! Single cells and people are tested in the parent module.

use super::{HEADER, read_bytes, read_text};
use crate::roster::{MAX_ROSTER_BYTES, ReadOptions};

#[test]
fn files_that_are_no_roster_get_one_clear_fault() {
    let check = |bytes: &[u8], code: &str| {
        let reading = read_bytes(bytes, 0, &ReadOptions::default());
        assert_eq!(reading.faults.iter().map(|f| f.code).collect::<Vec<_>>(), [code]);
        assert!(reading.rows.is_empty());
    };
    check(b"", "empty-file");
    check(b"<html><table><tr><td>email</td></tr></table></html>", "html");
    check(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "old-excel");
    check(b"%PDF-1.7", "pdf");
    check(b"PK\x03\x04nothing", "not-a-workbook");
    check(b"hello\nworld\n", "no-header");
    check(HEADER.as_bytes(), "no-rows");
    check(b"a\0\x01\x02b", "unknown-encoding");
    check("họ tên,email,nhóm,đơn vị\nLan,a@a.example,heads,snv\n".as_bytes(), "missing-column");
    check(&vec![b'a'; MAX_ROSTER_BYTES + 1], "too-large");
}

#[test]
fn three_hundred_faults_are_three_hundred() {
    let rows: String = (0..300).map(|i| format!("{i},Người {i},hỏng{i},heads,snv,\n")).collect();
    let reading = read_text(&format!("{HEADER}{rows}"));
    assert_eq!((reading.faults.len(), reading.read, reading.rows.len()), (300, 300, 0));
    assert!(reading.faults.iter().enumerate().all(|(i, fault)| fault.line == i + 2));
}

#[test]
fn a_stray_quote_loses_nobody_silently() {
    let text = format!(
        "{HEADER}1,\"Lan,a@a.example,heads,snv,\n2,Mai,b@a.example,heads,snv,\n3,\"Tú,c@a.example,heads,snv,\n"
    );
    assert!(!read_text(&text).is_clean());
}

#[test]
fn a_workbook_is_read_from_the_sheet_with_the_header() {
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().set_name("Bìa").and_then(|s| s.write(0, 0, "Danh sách")).expect("a sheet");
    let sheet = book.add_worksheet().set_name("Danh sách").expect("a sheet");
    sheet.write(0, 0, "DANH SÁCH ĐỐI TƯỢNG KHẢO SÁT").expect("a cell");
    sheet.write_row(3, 0, ["STT", "Họ và tên", "Email", "Nhóm", "Đơn vị", "Chức vụ", "Mã"]).expect("a row");
    sheet.write_row(4, 0, ["1", "Lan", "lan@a.example", "heads", "Sở NV", "Trưởng phòng"]).expect("a row");
    sheet.write(4, 6, 17).expect("a cell");
    sheet.write_row(6, 0, ["2", "Mai", "mai", "heads", "snv", ""]).expect("a row");
    let bytes = book.save_to_buffer().expect("a workbook");
    let reading = read_bytes(&bytes, 0, &ReadOptions::default());
    assert_eq!(reading.rows.iter().map(|r| (r.line, r.id.as_deref())).collect::<Vec<_>>(), [(5, Some("17"))]);
    assert_eq!(reading.faults.iter().map(|f| (f.line, f.code)).collect::<Vec<_>>(), [(7, "bad-address")]);
    let options = |sheet: &str| ReadOptions { sheet: Some(sheet.to_owned()), ..ReadOptions::default() };
    assert_eq!(read_bytes(&bytes, 0, &options("bìa")).faults[0].code, "no-header");
    assert_eq!(read_bytes(&bytes, 0, &options("khác")).faults[0].code, "no-such-sheet");
}

#[test]
fn a_workbook_that_leaves_a_choice_or_unpacks_to_too_much_is_refused() {
    let mut book = rust_xlsxwriter::Workbook::new();
    for name in ["Sở", "Huyện"] {
        let sheet = book.add_worksheet().set_name(name).expect("a sheet");
        sheet.write_row(0, 0, ["name", "email", "group", "unit", "position"]).expect("a row");
        sheet.write_row(1, 0, ["Lan", "lan@a.example", "heads", "snv", ""]).expect("a row");
        // A format far away must not be read as a million rows.
        sheet.set_row_height(1_048_575, 40).expect("a row");
    }
    let mut bytes = book.save_to_buffer().expect("a workbook");
    let reading = read_bytes(&bytes, 0, &ReadOptions::default());
    assert_eq!(reading.faults.iter().map(|f| f.code).collect::<Vec<_>>(), ["several-sheets"]);
    let chosen = ReadOptions { sheet: Some("Huyện".to_owned()), ..ReadOptions::default() };
    assert_eq!(read_bytes(&bytes, 0, &chosen).rows.len(), 1);
    let entry = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    bytes[entry + 24..entry + 28].copy_from_slice(&u32::MAX.to_le_bytes());
    let reading = read_bytes(&bytes, 0, &ReadOptions::default());
    assert_eq!(reading.faults.iter().map(|f| f.code).collect::<Vec<_>>(), ["too-large"]);
}
