//! What editors, copies and slips do to campaign files must never stop the loader itself.
//!
//! Says nothing about which fault a damage brings; that is in `campaign_faults`.

mod small;

use small::{faults, replace, small};

#[test]
fn byte_order_marks_and_carriage_returns_are_no_faults() {
    let mut files = small();
    for bytes in files.values_mut() {
        let text = String::from_utf8(bytes.clone()).expect("UTF-8");
        *bytes = format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes();
    }
    assert_eq!(faults(&files), []);
    replace(&mut files, "units.csv", "office,,\r\nrecords", "ofice,,\r\nrecords");
    let found: Vec<_> = faults(&files).iter().map(|fault| (fault.code, fault.line)).collect();
    assert_eq!(found, [("unknown-parent", 3)]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    /// Whatever a hand does to a file, the loader answers, and every place it names lies within the file.
    #[test]
    fn damaged_files_never_stop_the_loader(
        which in 0..17_usize,
        at in 0.0..1.0_f64,
        length in 0..40_usize,
        put in "[\\PC\n\"={}\\[\\]]{0,6}",
    ) {
        let mut files = small();
        let name = files.keys().nth(which % files.len()).expect("a file").clone();
        let text = String::from_utf8(files[&name].clone()).expect("UTF-8");
        let skip = (text.chars().count() as f64 * at) as usize;
        let damaged: String =
            text.chars().take(skip).chain(put.chars()).chain(text.chars().skip(skip + length)).collect();
        files.insert(name, damaged.into_bytes());
        for fault in faults(&files) {
            if let (Some(span), Some(bytes)) = (&fault.span, files.get(&fault.file)) {
                let text = std::str::from_utf8(bytes).expect("UTF-8");
                proptest::prop_assert!(text.get(span.clone()).is_some(), "{fault}");
                proptest::prop_assert!(fault.line <= text.matches('\n').count() + 1, "{fault}");
            }
        }
    }
}
