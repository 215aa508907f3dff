//! The form and the status page in a real browser.
//!
//! Nothing here sleeps: time is passed in.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

#[test]
fn the_driver_finds_the_sample_campaigns() {
    let entry = std::fs::read_dir(parsurvey_tests::root().join("pipelines")).unwrap().next().unwrap();
    assert!(entry.unwrap().path().is_dir());
}
