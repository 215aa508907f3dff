//! Broken campaign folders: every fault at once, each with its place, its line and what to do.
//!
//! Which faults there are is held in the campaign loader's own tests; here a person reads them.

use std::path::Path;

use parsurvey_tests::{Survey, run_in};

use crate::{refused, refused_without_people};

fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// A fault as it is drawn: where it stands, the line itself, and the remedy.
#[track_caller]
fn shown(stderr: &str, place: &str, line: &str, remedy: &str) {
    let at = stderr.find(&format!("--> {place}\n")).unwrap_or_else(|| panic!("{place} is not in:\n{stderr}"));
    let rest = &stderr[at..];
    let end = rest[1..].find("\n --> ").or_else(|| rest[1..].find("\nerror")).map_or(rest.len(), |end| end + 1);
    for words in [line, remedy] {
        assert!(rest[..end].contains(words), "'{words}' is not beside {place}:\n{}", &rest[..end]);
    }
}

#[tokio::test]
async fn syntax_faults_of_several_files_are_shown_at_once() {
    let survey = Survey::small().await;
    edit(&survey.campaign, "campaign.toml", "year = 2023", "year = = 2023");
    edit(&survey.campaign, "groups.toml", "counted = true  ", "countedd = true  ");
    edit(&survey.campaign, "index.toml", "[policy]", "[policy");
    let ran = run_in(&survey.campaign, &["check"]).await;
    let stderr = refused(ran, 1, &["fault(s)"]).stderr;
    shown(&stderr, "./campaign.toml:6:8", "6 | year = = 2023", "help: correct the line");
    shown(&stderr, "./groups.toml:7:1", "7 | countedd = true", "did you mean 'counted'?");
    assert!(stderr.contains("--> ./index.toml:"), "{stderr}");
}

#[tokio::test]
async fn faults_of_meaning_are_shown_at_once_from_any_folder() {
    let survey = Survey::small().await;
    edit(&survey.campaign, "campaign.toml", "closes = 2024", "closes = 2023");
    edit(&survey.campaign, "campaign.toml", "k = 5 ", "k = \"năm\" ");
    edit(&survey.campaign, "groups.toml", "short", "shrt");
    edit(&survey.campaign, "templates/invitation.txt", "{{", "{{ nonsense }}{{");
    let ran = survey.run(&["check"]).await;
    let stderr = refused(ran, 1, &[]).stderr;
    let path = |file: &str| survey.campaign.join(file).display().to_string();
    shown(&stderr, &format!("{}:20:10", path("campaign.toml")), "closes = 2023-01-10T23:59:00", "set closes later");
    shown(&stderr, &format!("{}:33:5", path("campaign.toml")), "k = \"năm\"", "write a whole number");
    shown(&stderr, &format!("{}:9:18", path("groups.toml")), "\"shrt\"", "questionnaire.toml");
    assert!(stderr.contains("nonsense") && stderr.contains(&path("templates/invitation.txt")), "{stderr}");
}

#[tokio::test]
async fn every_command_refuses_a_broken_campaign_before_it_does_anything() {
    let survey = Survey::small().await;
    edit(&survey.campaign, "campaign.toml", "id = ", "id = = ");
    for command in [&["init"][..], &["status"], &["serve"], &["roster", "import", "x.csv"]] {
        refused(survey.run(command).await, 1, &["campaign.toml:4:", "nothing was changed"]);
    }
    assert!(!survey.data.exists(), "a refused init leaves no folder");
}

#[tokio::test]
async fn a_folder_that_is_no_campaign_is_named() {
    let survey = Survey::small().await;
    let folder = survey.folder().join("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    let ran = run_in(&folder, &["status"]).await;
    refused_without_people(ran, 1, &["holds no campaign.toml", "--campaign"]);
}

#[tokio::test]
async fn a_moment_of_ones_own_is_for_samples_only() {
    let survey = Survey::small().await;
    edit(&survey.campaign, "campaign.toml", "sample = true", "sample = false");
    let ran = survey.run(&["init"]).await.done_with(2).says(&["--now", "sample = true"]);
    assert!(ran.stdout.is_empty() && !survey.data.exists());
}
