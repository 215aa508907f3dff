//! Results: from the imported tally, or from a file of answers, to scores, index, explanation and report.
//!
//! On a ledger nothing exists before the box is opened. From a file no ledger is needed, so that anyone can check the
//! arithmetic. Every result names its inputs by hash and its policy by name and version.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use parsurvey_index::area_table::index_points;
use parsurvey_index::code::{GroupCode, SubCriterionCode, TargetCode};
use parsurvey_index::counts::Tally;
use parsurvey_index::explain::{Explanation, explain};
use parsurvey_index::policy::Policy;
use parsurvey_index::scoring::{ScoredGroup, ScoredTarget, score};
use parsurvey_index::sensitivity::sensitivity;
use parsurvey_ledger::CampaignState;
use parsurvey_report::Results;
use parsurvey_report::results::{Input, Outcome};
use parsurvey_survey::ballot::Codebook;
use parsurvey_survey::campaign::{self, Campaign};
use parsurvey_survey::status::Status;
use parsurvey_survey::{calendar, hex};
use parsurvey_tally::answers_csv::{AnswersError, AnswersFile, Orientation, count_answers};
use parsurvey_tally::counter::{Asked, Frame};
use sha2::{Digest, Sha256};

use crate::accounts::login::Visitor;
use crate::files::read_bounded;
use crate::{Desk, DeskError};

const POLICY_BYTES: u64 = 1_000_000;

/// A file of answers and how to read it.
#[derive(Debug, Clone)]
pub struct AnswersInput {
    /// The file.
    pub file: PathBuf,
    /// What its numbers mean.
    pub orientation: Orientation,
    /// The target it rates; the first with a tree when not named.
    pub target: Option<TargetCode>,
    /// Seats in the frame by group, where known.
    pub frame: BTreeMap<GroupCode, u64>,
}

/// Everything results are made of, however it was obtained.
struct Counted {
    tally: Tally,
    policy: Policy,
    frame: BTreeMap<(TargetCode, GroupCode), u64>,
    inputs: Vec<Input>,
    released: bool,
    status: Option<Status>,
}

impl Desk {
    /// The results of the ledger's tally under `policy_file`, or the campaign's own policy.
    ///
    /// # Errors
    /// The box is not opened yet, or the policy does not fit.
    pub async fn results(&self, policy_file: Option<&Path>, now: Timestamp) -> Result<Results, DeskError> {
        let tally = self.stored_tally().await?;
        let (policy, mut inputs) = chosen_policy(&self.campaign, policy_file)?;
        let stored = self.ledger.tally().await?;
        inputs.extend(stored.map(|stored| Input { path: "tally.json".into(), sha256: stored.tally_sha256 }));
        inputs.extend(
            self.ledger.roster_sha256s().await?.into_iter().map(|sha256| Input { path: "roster".into(), sha256 }),
        );
        let counted = Counted {
            tally,
            policy,
            frame: self.group_sizes().await?,
            inputs,
            released: self.state().await? == CampaignState::Released,
            status: Some(self.status_by_group(now).await?),
        };
        assemble(&self.campaign, counted, now)
    }

    /// The results as somebody at the console sees them, under the campaign's own policy: of the one target of the
    /// account, or of all. `None` before the box was opened.
    ///
    /// # Errors
    /// The ledger cannot be read, or holds another campaign's tally.
    pub async fn results_for(&self, visitor: &Visitor, now: Timestamp) -> Result<Option<Results>, DeskError> {
        if !matches!(self.state().await?, CampaignState::Opened | CampaignState::Released) {
            return Ok(None);
        }
        let mut results = self.results(None, now).await?;
        if let Some(own) = &visitor.scope.target {
            results.targets.retain(|target| target.code == *own);
            results.alternatives.retain(|(target, _)| target == own);
            // Its counts are of all targets.
            results.status = None;
        }
        Ok(Some(results))
    }
}

/// The results of a file of answers; needs no ledger.
///
/// # Errors
/// Faults of the file, all of them; an unknown target; a policy that does not fit.
pub fn results_of_answers(
    campaign: &Campaign,
    answers: &AnswersInput,
    policy_file: Option<&Path>,
    now: Timestamp,
) -> Result<Results, DeskError> {
    let target = match &answers.target {
        Some(code) => code.clone(),
        None => campaign.targets.iter().find(|target| target.has_tree).map(|target| target.code.clone()).ok_or_else(
            || DeskError::refused("the campaign has no target with a tree", "name the target with --target"),
        )?,
    };
    if !campaign.targets.iter().any(|known| known.code == target) {
        return Err(DeskError::refused(format!("the campaign has no target {target}"), "name one of campaign.toml"));
    }
    for group in answers.frame.keys() {
        if campaign.group(group).is_none() {
            return Err(DeskError::refused(
                format!("--frame names the group {group}, which the campaign does not have"),
                "use a code of groups.toml",
            ));
        }
    }
    let (policy, mut inputs) = chosen_policy(campaign, policy_file)?;
    let name = answers.file.display().to_string();
    let file = File::open(&answers.file).map_err(|error| DeskError::io("reading", &answers.file, &error))?;
    let mut reader = Hashing { inner: file, hash: Sha256::new() };
    let how = AnswersFile { name: &name, orientation: answers.orientation, target: &target, tree: &campaign.tree };
    let tally = count_answers(&mut reader, &how, frame_of(campaign, &policy)).map_err(|error| match error {
        AnswersError::Faults(faults) => DeskError::Faults { what: format!("the answers file {name}"), faults },
        AnswersError::Count(error) => DeskError::refused(format!("{name}: {error}"), "check the campaign folder"),
    })?;
    inputs.push(Input { path: name, sha256: hex(&reader.hash.finalize()) });
    let frame = answers.frame.iter().map(|(group, n)| ((target.clone(), group.clone()), *n)).collect();
    assemble(campaign, Counted { tally, policy, frame, inputs, released: false, status: None }, now)
}

/// The walk through one sub-criterion, for every target that has it.
///
/// # Errors
/// No target has it.
pub fn explanations(results: &Results, code: &SubCriterionCode) -> Result<Vec<Explanation>, DeskError> {
    let found: Vec<Explanation> =
        results.targets.iter().filter_map(|target| explain(&target.score, &results.tree, code)).collect();
    if found.is_empty() {
        return Err(DeskError::refused(
            format!("the index has no survey sub-criterion {code}"),
            "use a code that `parsurvey score` lists",
        ));
    }
    Ok(found)
}

fn chosen_policy(campaign: &Campaign, file: Option<&Path>) -> Result<(Policy, Vec<Input>), DeskError> {
    let Some(file) = file else { return Ok((campaign.policy.clone(), Vec::new())) };
    let bytes = read_bounded(file, POLICY_BYTES)?;
    let name = file.display().to_string();
    let policy = campaign::load_policy(&name, &bytes, campaign)
        .map_err(|faults| DeskError::Faults { what: format!("the policy {name}"), faults })?;
    Ok((policy, vec![Input { path: name, sha256: hex(&Sha256::digest(&bytes)) }]))
}

/// Who was asked what: the questionnaires, narrowed by the policy's `asked`.
fn frame_of(campaign: &Campaign, policy: &Policy) -> Frame {
    let codebook = Codebook::of(campaign);
    let narrowed = |group: &GroupCode| -> BTreeSet<_> {
        campaign
            .tree
            .areas
            .iter()
            .flat_map(|area| &area.sub_criteria)
            .filter(|leaf| policy.asked.get(&leaf.code).is_some_and(|groups| !groups.contains(group)))
            .flat_map(|leaf| leaf.questions.iter().map(|(question, _)| question.clone()))
            .collect()
    };
    let targets = codebook
        .forms
        .iter()
        .map(|(target, groups)| {
            let groups = groups
                .iter()
                .map(|(group, questionnaire)| {
                    let mut asked = Asked::all(questionnaire.clone(), &codebook.questionnaires[questionnaire]);
                    let left_out = narrowed(group);
                    asked.questions.retain(|question| !left_out.contains(question));
                    (group.clone(), asked)
                })
                .collect();
            (target.clone(), groups)
        })
        .collect();
    Frame {
        campaign: codebook.campaign,
        synthetic: codebook.synthetic,
        k: codebook.k,
        questionnaires: codebook.questionnaires,
        targets,
    }
}

/// The frame of a box, whose codebook it travels with: every question of every form.
pub(crate) fn frame_of_box(codebook: &Codebook) -> Frame {
    let targets = codebook
        .forms
        .iter()
        .map(|(target, groups)| {
            let groups = groups
                .iter()
                .map(|(group, form)| (group.clone(), Asked::all(form.clone(), &codebook.questionnaires[form])))
                .collect();
            (target.clone(), groups)
        })
        .collect();
    Frame {
        campaign: codebook.campaign.clone(),
        synthetic: codebook.synthetic,
        k: codebook.k,
        questionnaires: codebook.questionnaires.clone(),
        targets,
    }
}

fn assemble(campaign: &Campaign, counted: Counted, now: Timestamp) -> Result<Results, DeskError> {
    let Counted { tally, policy, frame, inputs, released, status } = counted;
    let targets: Vec<ScoredTarget> = campaign
        .targets
        .iter()
        .map(|target| ScoredTarget { code: target.code.clone(), has_tree: target.has_tree })
        .collect();
    let groups: Vec<ScoredGroup> = campaign
        .groups
        .iter()
        .map(|group| ScoredGroup {
            code: group.code.clone(),
            feeds: group.feeds,
            frame: group
                .forms
                .keys()
                .map(|target| (target.clone(), frame.get(&(target.clone(), group.code.clone())).copied()))
                .collect(),
        })
        .collect();
    let unfit = |error: parsurvey_index::scoring::ScoreError| {
        DeskError::refused(error.to_string(), "check that campaign folder, policy and answers belong together")
    };
    let scores = score(&tally, &campaign.tree, &targets, &policy, &groups).map_err(unfit)?;
    let mut indices = Vec::new();
    let mut alternatives = Vec::new();
    for target in targets.iter().filter(|target| target.has_tree) {
        let Some(score) = scores.iter().find(|score| score.code == target.code) else { continue };
        let imported = campaign.imported.get(&target.code).cloned().unwrap_or_default();
        indices.push(index_points(score, &campaign.tree, &imported));
        for other in sensitivity(&tally, &campaign.tree, &target.code, &policy, &groups).map_err(unfit)? {
            alternatives.push((target.code.clone(), other));
        }
    }
    let synthetic = tally.synthetic;
    let generated_at = calendar::rfc3339(now, &campaign.time_zone);
    Ok(Results::new(
        campaign,
        Outcome { policy, scores, indices, alternatives, inputs, synthetic, released, status, generated_at },
    ))
}

/// Hashes what is read, so that a large file is read once.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: std::io::Read> std::io::Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        Ok(n)
    }
}
