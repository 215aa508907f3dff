//! Rules that hold for every roster: the way of writing, the order of rows and hostile bytes change nothing.
//!
//! Rows are made with distinct ids and addresses; lists with faults are in the parent module.

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use unicode_normalization::UnicodeNormalization;

use super::{HEADER, read_bytes, read_text, stored};
use crate::roster::{ReadOptions, difference};

/// Rows with ids, distinct, as a list would have them.
fn rows() -> impl Strategy<Value = Vec<[String; 6]>> {
    let names =
        proptest::sample::select(vec!["Nguyễn Thị Hoà", "Trần Văn Đức", "Lê \"Út\", Bảy", "Phạm; Quỳnh", "Ưng Ổi"]);
    let groups = proptest::sample::select(vec!["heads", "Giám đốc Sở", "bank"]);
    let units = proptest::sample::select(vec!["snv", "Sở Tư pháp", "Quận Hòa Lạc"]);
    let positions = proptest::sample::select(vec!["", "Trưởng phòng", "Phó phòng,\nkiêm nhiệm"]);
    proptest::collection::vec((names, groups, units, positions), 1..12).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(i, (name, group, unit, position))| {
                [
                    format!("c{i}"),
                    name.to_owned(),
                    format!("p{i}@a.example"),
                    group.to_owned(),
                    unit.to_owned(),
                    position.to_owned(),
                ]
            })
            .collect()
    })
}

fn written(rows: &[[String; 6]], separator: u8) -> String {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
    writer.write_record(HEADER.trim().split(',')).expect("a header");
    rows.iter().for_each(|row| writer.write_record(row).expect("a row"));
    String::from_utf8(writer.into_inner().expect("bytes")).expect("text")
}

fn encoded(text: &str, encoding: u8) -> Vec<u8> {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    match encoding {
        0 => text.as_bytes().to_vec(),
        1 => [&b"\xEF\xBB\xBF"[..], text.as_bytes()].concat(),
        2 => [&b"\xFF\xFE"[..], &utf16(u16::to_le_bytes)].concat(),
        3 => [&b"\xFE\xFF"[..], &utf16(u16::to_be_bytes)].concat(),
        4 => text.nfd().collect::<String>().into_bytes(),
        _ => {
            // Windows-1258 has letters with vowel marks composed and tone marks apart.
            let letters: String = text
                .chars()
                .flat_map(|c| {
                    let parts: Vec<char> = c.nfd().collect();
                    let (tones, base): (Vec<char>, Vec<char>) =
                        parts.into_iter().partition(|p| "\u{300}\u{301}\u{303}\u{309}\u{323}".contains(*p));
                    base.into_iter().collect::<String>().nfc().chain(tones).collect::<Vec<char>>()
                })
                .collect();
            encoding_rs::WINDOWS_1258.encode(&letters).0.into_owned()
        }
    }
}

proptest! {
    #[test]
    fn the_way_of_writing_does_not_matter(rows in rows(), separator in proptest::sample::select(vec![b',', b';', b'\t']), encoding in 0_u8..6) {
        let plain = read_text(&written(&rows, b','));
        prop_assert!(plain.faults.is_empty(), "{:?}", plain.faults);
        let other = read_bytes(&encoded(&written(&rows, separator), encoding), 0, &ReadOptions::default());
        prop_assert!(plain.rows == other.rows, "{:?}", other.faults);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), head in proptest::sample::select(vec!["", "PK\u{3}\u{4}", HEADER])) {
        let bytes = [head.as_bytes(), &bytes].concat();
        let reading = read_bytes(&bytes, 0, &ReadOptions::default());
        prop_assert!(reading.rows.len() <= reading.read);
    }

    #[test]
    fn a_roster_differs_in_nothing_from_itself(rows in rows(), with_ids in any::<bool>(), order in any::<u64>()) {
        let mut rows = read_text(&written(&rows, b',')).rows;
        if !with_ids {
            rows.iter_mut().for_each(|row| row.id = None);
        }
        let people = stored(&rows);
        let same = difference(&people, &rows);
        prop_assert!(same.is_empty() && same.perhaps_same.is_empty());
        let turn = usize::try_from(order % rows.len() as u64).expect("small");
        rows.rotate_left(turn);
        rows.iter_mut().enumerate().for_each(|(i, row)| row.line = i + 2);
        prop_assert_eq!(difference(&people, &rows), same);
    }

    #[test]
    fn every_person_and_row_is_accounted_for(before in rows(), after in rows(), keep_ids in proptest::collection::vec(any::<bool>(), 12)) {
        let people = stored(&read_text(&written(&before, b',')).rows);
        let mut rows = read_text(&written(&after, b',')).rows;
        rows.iter_mut().zip(&keep_ids).for_each(|(row, keep)| if !keep { row.id = None; });
        let difference_then = difference(&people, &rows);
        let met = difference_then.changed.len() + difference_then.unchanged.len();
        prop_assert_eq!(met + difference_then.removed.len(), people.len());
        prop_assert_eq!(met + difference_then.added.len(), rows.len());
        let turn = 1 % rows.len();
        rows.rotate_left(turn);
        prop_assert_eq!(difference(&people, &rows), difference_then);
    }
}
