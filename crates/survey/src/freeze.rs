//! What is frozen when: at the first invitation everything that decides who is asked what, at closing the index tree.
//!
//! Each part is kept as a hash, so that a later command can name the part that was changed. Wording of mails and the
//! schedule of contacts are not frozen: a typing error in a reminder may be mended.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ballot::Codebook;
use crate::campaign::{Campaign, FormRules, Question, Questionnaire};
use crate::hex;

/// SHA-256 per part, by the part's name.
pub type FrozenParts = BTreeMap<String, String>;

/// The parts that the first invitation freezes. `keys` are the registered fingerprints by role.
#[must_use]
pub fn at_first_invitation(campaign: &Campaign, keys: &BTreeMap<String, String>) -> FrozenParts {
    let targets: Vec<Value> =
        campaign.targets.iter().map(|t| json!([t.code.as_str(), t.has_tree, t.name.vi, t.name.en])).collect();
    let groups: Vec<Value> = campaign
        .groups
        .iter()
        .map(|g| {
            let forms: BTreeMap<&str, &str> = g.forms.iter().map(|(t, q)| (t.as_str(), q.as_str())).collect();
            json!([g.code.as_str(), g.counted, g.feeds, forms])
        })
        .collect();
    let questionnaires: Vec<Value> = campaign.questionnaires.values().map(wording).collect();
    let tables = json!(Codebook::of(campaign).questionnaires);
    let thresholds = json!([campaign.limits.k, campaign.limits.substitution]);
    let frame = json!([campaign.frame_date.to_string(), campaign.time_zone_name]);
    // A deadline moves later by an act that is logged, never by an edit; `sample` decides whose clock is believed.
    let window = json!([campaign.opens.to_string(), campaign.closes.to_string(), campaign.grace_minutes]);
    let kind = json!([campaign.sample, campaign.year]);
    // Left out where it is as usual, so that surveys begun before there was a choice are what they were.
    let form = (campaign.form != FormRules::default())
        .then(|| ("form", json!([campaign.form.drafts, campaign.form.revise_until_close])));
    let pressure = campaign.questionnaires.values().find_map(Questionnaire::pressure_question).map(question);
    let pressure = pressure.map(|wording| ("pressure", wording));
    // The usual rule is no part of its own, so that campaigns frozen before there was another keep their parts.
    let one_person = (!campaign.two_people).then(|| (ONE_PERSON, json!("one person")));
    [
        ("targets", json!(targets)),
        ("groups", json!(groups)),
        ("questionnaires", json!(questionnaires)),
        ("option tables", tables),
        ("thresholds", thresholds),
        ("frame date", frame),
        ("window", window),
        ("sample and year", kind),
        ("keys", json!(keys)),
    ]
    .into_iter()
    .chain(form)
    .chain(one_person)
    .chain(pressure)
    .map(|(name, value)| (name.to_owned(), digest(&value)))
    .collect()
}

/// The part that says that one person alone may change people who were invited; absent where two are needed.
pub const ONE_PERSON: &str = "control";

/// The part that closing freezes: the index tree with its weights, policy and inputs, by the hash of its file.
#[must_use]
pub fn at_closing(campaign: &Campaign) -> FrozenParts {
    campaign
        .files
        .iter()
        .filter(|(path, _)| path.as_str() == "index.toml" || path.starts_with("inputs/"))
        .map(|(path, sha256)| (path.clone(), sha256.clone()))
        .collect()
}

/// The names of parts that differ between what was frozen and what is there now.
#[must_use]
pub fn differences(frozen: &FrozenParts, now: &FrozenParts) -> Vec<String> {
    let mut names: Vec<String> =
        frozen.iter().filter(|(name, hash)| now.get(*name) != Some(hash)).map(|(name, _)| name.clone()).collect();
    names.extend(now.keys().filter(|name| !frozen.contains_key(*name)).cloned());
    names
}

fn wording(questionnaire: &Questionnaire) -> Value {
    let questions: Vec<Value> = questionnaire.questions().map(question).collect();
    json!([questionnaire.code.as_str(), questionnaire.version, questions])
}

fn question(q: &Question) -> Value {
    let options: Vec<Value> = q.options.iter().map(|o| json!([o.code.as_str(), o.text.vi, o.text.en])).collect();
    let sub_criterion = q.sub_criterion.as_ref().map(|code| code.as_str());
    json!([q.code.as_str(), sub_criterion, q.text.vi, q.text.en, q.required, q.no_opinion, options])
}

fn digest(value: &Value) -> String {
    hex(&Sha256::digest(value.to_string()))
}
