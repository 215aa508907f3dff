//! Every folder of `pipelines/` passes the loader, and says what its sources say.
//!
//! Reads the disk, which the crate itself does not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parsurvey_survey::campaign::{Campaign, best_and_worst, load, load_policy};
use parsurvey_survey::template::{Addressee, render_mail, values};

fn pipelines() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines")
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
            files.insert(name, std::fs::read(&path).expect("the file can be read"));
        }
    }
}

fn read(name: &str) -> BTreeMap<String, Vec<u8>> {
    let root = pipelines().join(name);
    let mut files = BTreeMap::new();
    collect(&root, &root, &mut files);
    files
}

fn campaign(name: &str) -> Campaign {
    let loaded = load(&read(name)).unwrap_or_else(|faults| {
        let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
        panic!("{name} has {} faults:\n{}", faults.len(), lines.join("\n"))
    });
    assert!(loaded.warnings.is_empty(), "{name}: {:?}", loaded.warnings);
    loaded.campaign
}

#[test]
fn every_folder_passes_and_every_mail_renders() {
    let mut seen = 0;
    for entry in std::fs::read_dir(pipelines()).expect("pipelines/ exists") {
        let name = entry.expect("the entry can be read").file_name().to_string_lossy().into_owned();
        let campaign = campaign(&name);
        assert_eq!(campaign.id, name, "a folder is named after its campaign");
        for group in &campaign.groups {
            for target in group.forms.keys() {
                let addressee =
                    Addressee { name: "Nguyễn Văn A", group: &group.code, unit: &campaign.units[0].code, target };
                for contact in &campaign.contacts {
                    let values = values(
                        &campaign,
                        contact,
                        addressee,
                        Some("https://x.example/f/t"),
                        "https://x.example",
                        campaign.closes,
                    );
                    let mail = render_mail(contact, &values).expect("the mail renders");
                    assert!(mail.subject.chars().count() < 150 && !mail.subject.contains("https"), "{}", mail.subject);
                    assert!(mail.text.contains("Nguyễn Văn A"), "{}", mail.text);
                }
            }
        }
        seen += 1;
    }
    assert!(seen >= 2, "both sample campaigns are there");
}

#[test]
fn options_of_bad_things_run_the_other_way() {
    for (name, bad) in [("example-small", &["q4"][..]), ("hanoi-2023", &["5.2.4", "5.3.3", "5.7.3"][..])] {
        let rows = best_and_worst(&campaign(name));
        let worst_first: Vec<_> = rows.iter().filter(|row| row.worst_first).map(|row| row.question.as_str()).collect();
        assert_eq!(worst_first, bad, "{name}");
        for row in &rows {
            assert!(row.best.percent > row.worst.percent, "{}", row.question);
        }
    }
}

#[test]
fn hanoi_has_the_tree_and_the_people_of_its_sources() {
    let campaign = campaign("hanoi-2023");
    assert_eq!(campaign.targets.len(), 2);
    assert_eq!(campaign.groups.len(), 5);
    assert_eq!(campaign.groups.iter().filter(|group| group.counted && group.feeds).count(), 4);
    let count = |prefix: &[&str]| {
        campaign.units.iter().filter(|unit| prefix.iter().any(|start| unit.code.as_str().starts_with(start))).count()
    };
    assert_eq!(count(&["quan-", "huyen-", "thi-xa-"]), 30);
    assert_eq!(campaign.units.len() - 30 - 2, 22);
    let maxima: Vec<_> = campaign.tree.areas.iter().map(|area| area.maximum().decimal()).collect();
    assert_eq!(maxima, ["9.5", "10", "13", "10.5", "15", "12", "13.5", "16.5"]);
    let leaves: Vec<_> = campaign.tree.areas.iter().flat_map(|area| &area.sub_criteria).collect();
    assert_eq!(leaves.len(), 22);
    assert!(leaves.iter().all(|leaf| leaf.questions.len() == 1 && leaf.agency.is_some()));
    let imported = &campaign.imported[&"hanoi".parse().expect("a code")];
    let appraisal: parsurvey_index::exact::Exact = imported.appraisal.values().sum();
    assert_eq!(appraisal.decimal(), "64.5126");
    let rows = &campaign.history[&"hanoi".parse().expect("a code")].rows;
    assert_eq!(rows.values().map(BTreeMap::len).sum::<usize>(), 17 * 2 + 22);
}

#[test]
fn the_second_policy_narrows_who_is_asked() {
    let campaign = campaign("hanoi-2023");
    let bytes = read("hanoi-2023").remove("policy-by-form.toml").expect("the file is there");
    let policy = load_policy("policy-by-form.toml", &bytes, &campaign).expect("it passes");
    assert_eq!(policy.asked.len(), 9 + 4);
    let asked = |leaf: &str, group: &str| {
        policy.asked[&leaf.parse().expect("a code")].contains(&group.parse().expect("a code"))
    };
    assert!(!asked("5.7.4", "council_delegates") && asked("5.7.4", "division_heads"));
    assert!(!asked("2.4.1", "division_heads") && asked("2.4.1", "council_delegates"));
}
