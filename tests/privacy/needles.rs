//! What is searched for, in every notation it could stand in: as it is, in hexadecimal, in base64 at each alignment, in
//! UTF-16. A search cannot find what was compressed or encrypted; the attacker's other tests are for that.

use std::collections::BTreeMap;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Files by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Whether `needle` stands in `hay`.
pub(crate) fn holds(hay: &[u8], needle: &[u8]) -> bool {
    position(hay, needle).is_some()
}

/// Where `needle` stands first in `hay`.
pub(crate) fn position(hay: &[u8], needle: &[u8]) -> Option<usize> {
    assert!(needle.len() >= 6, "so short a needle is found by chance");
    let (first, last) = (needle[0], needle.len() - 1);
    let mut from = 0;
    while let Some(at) = hay.get(from..)?.iter().position(|&byte| byte == first) {
        let at = from + at;
        if hay.len() - at <= last {
            return None;
        }
        if hay[at..=at + last] == *needle {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// A needle in the notations that software writes bytes in.
pub(crate) fn notations(needle: &[u8]) -> Vec<Vec<u8>> {
    let hex = parsurvey_survey::hex(needle);
    let mut all = vec![needle.to_vec(), hex.clone().into_bytes(), hex.to_uppercase().into_bytes()];
    for skipped in 0..3 {
        let padded = [&vec![0; skipped][..], needle].concat();
        let whole = base64(&padded);
        // Characters that mix with what stands around the needle are left out.
        let (start, end) = ([0, 2, 3][skipped], padded.len() * 8 / 6);
        all.push(whole[start..end].to_vec());
    }
    if let Ok(text) = std::str::from_utf8(needle) {
        all.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    all.retain(|notation| notation.len() >= 6);
    all
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0u32, |sum, &byte| sum << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        let index = |place: u32| usize::try_from(number >> (18 - 6 * place) & 63).unwrap();
        out.extend((0..4).map(|place| BASE64[index(place)]));
    }
    out
}

/// Names of the files in which one of the needles stands, in any notation.
pub(crate) fn found_in(files: &Files, needles: &[Vec<u8>]) -> Vec<String> {
    let all: Vec<Vec<u8>> = needles.iter().flat_map(|needle| notations(needle)).collect();
    // Needles by their first two bytes: every file is read once, however many needles there are.
    let mut by_start: Vec<Vec<&[u8]>> = vec![Vec::new(); 1 << 16];
    for needle in &all {
        by_start[start(needle, 0)].push(needle);
    }
    let holds_any = |bytes: &[u8]| {
        let mut at = 0;
        while at + 1 < bytes.len() {
            let candidates = &by_start[start(bytes, at)];
            if !candidates.is_empty() && candidates.iter().any(|needle| bytes[at..].starts_with(needle)) {
                return true;
            }
            at += 1;
        }
        false
    };
    files.iter().filter(|(_, bytes)| holds_any(bytes)).map(|(name, _)| name.clone()).collect()
}

fn start(bytes: &[u8], at: usize) -> usize {
    usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])
}

#[test]
fn a_needle_is_found_in_every_notation() {
    let needle = b"quvexo5=quvexo1";
    let wide: Vec<u8> = "ab quvexo5=quvexo1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut hays = vec![b"x quvexo5=quvexo1 y".to_vec(), parsurvey_survey::hex(needle).into_bytes(), wide];
    for before in 0..3 {
        hays.push(base64(&[&vec![7; before][..], needle, b"tail"].concat()));
    }
    for hay in hays {
        let files = Files::from([("hay".to_owned(), hay)]);
        assert_eq!(found_in(&files, &[needle.to_vec()]), ["hay"]);
    }
    assert!(found_in(&Files::from([("hay".to_owned(), vec![0; 99])]), &[needle.to_vec()]).is_empty());
}
