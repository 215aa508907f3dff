//! `index.toml`: the year's tree, the policy, points from outside, earlier years, published ranks.
//!
//! Which questions make a sub-criterion stands in the questionnaires, not here; see `cross`.

use std::collections::BTreeMap;

use parsurvey_index::code::{AreaCode, GroupCode, QuestionCode, SubCriterionCode, TargetCode};
use parsurvey_index::exact::Exact;
use parsurvey_index::policy::{EmptyGroup, Policy};
use parsurvey_index::tree::{Area, Goal, History, ImportedPoints, IndexTree, OfficialRanks, SubCriterion};

use super::head::duplicate;
use super::place::{Faults, Place, Placed, bad_code};
use super::walk::Table;
use super::{Group, Questionnaire, Target, history};

/// What `index.toml` says, with places for later checks.
pub(super) struct IndexFile {
    pub(super) tree: IndexTree,
    pub(super) leaf_places: BTreeMap<SubCriterionCode, Place>,
    /// Declared weights of the questions of a sub-criterion.
    pub(super) question_weights: BTreeMap<SubCriterionCode, BTreeMap<QuestionCode, Placed<Exact>>>,
    pub(super) policy: Policy,
    pub(super) imported: BTreeMap<TargetCode, ImportedPoints>,
    pub(super) history: BTreeMap<TargetCode, History>,
    pub(super) official_ranks: OfficialRanks,
}

/// What the other files said; `None` while one of them is broken, and then nothing is looked up in them.
pub(super) struct Others<'a> {
    pub(super) year: Option<i16>,
    pub(super) targets: &'a [Target],
    pub(super) groups: Vec<&'a Group>,
    pub(super) questionnaires: &'a BTreeMap<super::QuestionnaireCode, Questionnaire>,
}

/// Reads the file.
pub(super) fn read(
    root: Table<'_>,
    others: Option<&Others<'_>>,
    files: &BTreeMap<String, Vec<u8>>,
    faults: &Faults,
) -> IndexFile {
    let year = root.whole("year");
    if let (Some(ours), Some(theirs)) = (year, others.and_then(|others| others.year))
        && ours != theirs
    {
        faults.add(root.place_of("year").fault(
            "year-differs",
            format!("the tree is of {ours} and the campaign of {theirs}"),
            "write the same year in campaign.toml and index.toml",
        ));
    }
    let year = year.unwrap_or(i16::MAX);
    let mut file = IndexFile {
        tree: IndexTree { year, areas: Vec::new(), goal: root.optional_table("goal").map(read_goal) },
        leaf_places: BTreeMap::new(),
        question_weights: BTreeMap::new(),
        policy: Policy {
            name: String::new(),
            version: String::new(),
            weights: BTreeMap::new(),
            empty_group: EmptyGroup::NotDeterminable,
            asked: BTreeMap::new(),
        },
        imported: BTreeMap::new(),
        history: BTreeMap::new(),
        official_ranks: OfficialRanks::new(),
    };
    for area in root.tables("area") {
        read_area(area, &mut file, faults);
    }
    check_maximum(&root, &file.tree, faults);
    if let Some(policy) = root.table("policy") {
        let asked = others.map(|others| {
            super::policy::Asked::of(others.targets, others.groups.iter().copied(), others.questionnaires, &file.tree)
        });
        file.policy = super::policy::read(policy, asked.as_ref());
    }
    for import in root.tables("import") {
        read_import(import, others, &mut file, faults);
    }
    for table in root.tables("history") {
        let target = read_target(&table, others, faults);
        let history = history::read(&table, &file.tree, files, faults);
        if let Some(target) = target {
            file.history.insert(target, history);
        }
        table.finish();
    }
    for rank in root.tables("official_rank") {
        read_rank(rank, others, &mut file.official_ranks, faults);
    }
    root.finish();
    file
}

fn read_goal(table: Table<'_>) -> Goal {
    let percent = table.exact("percent").map_or_else(Exact::zero, |placed| placed.value);
    let goal = Goal { percent, source: table.text("source") };
    table.finish();
    goal
}

fn read_area(table: Table<'_>, file: &mut IndexFile, faults: &Faults) {
    let code = table.code::<AreaCode>("code");
    let area_maximum = |key: &str| {
        let placed = table.optional_exact(key)?;
        if placed.value.is_negative() {
            faults.add(placed.place.fault("out-of-range", "a maximum is not below zero", "write \"0\" or more"));
        }
        Some(placed.value)
    };
    let appraisal_maximum = area_maximum("appraisal_maximum").unwrap_or_else(Exact::zero);
    let sipas_maximum = area_maximum("sipas_maximum").unwrap_or_else(Exact::zero);
    let name = table.bilingual("name");
    let leaves: Vec<_> = table.tables("sub_criterion");
    let sub_criteria = leaves.into_iter().filter_map(|leaf| read_leaf(leaf, file, faults)).collect();
    if let Some(code) = code {
        if file.tree.areas.iter().any(|other| other.code == code) {
            faults.add(duplicate(&table.place_of("code"), "area", code.as_str()));
        }
        file.tree.areas.push(Area { code, name, appraisal_maximum, sipas_maximum, sub_criteria });
    }
    table.finish();
}

fn read_leaf(table: Table<'_>, file: &mut IndexFile, faults: &Faults) -> Option<SubCriterion> {
    let code = table.code::<SubCriterionCode>("code");
    let name = table.bilingual("name");
    let agency = table.optional_bilingual("agency");
    let maximum = table.exact("maximum");
    if let Some(placed) = maximum.as_ref().filter(|placed| placed.value <= Exact::zero()) {
        faults.add(placed.place.fault(
            "out-of-range",
            "a sub-criterion without points cannot be scored",
            "write a maximum above zero",
        ));
    }
    let mut weights = BTreeMap::new();
    if let Some(declared) = table.optional_table("questions") {
        for key in declared.keys() {
            let weight = declared.exact(key.value);
            if let Some(placed) = weight.as_ref().filter(|placed| placed.value <= Exact::zero()) {
                faults.add(placed.place.fault(
                    "bad-weight",
                    "a weight is greater than zero",
                    "write a positive weight",
                ));
            }
            match key.value.parse::<QuestionCode>() {
                Ok(question) => weights.extend(weight.map(|weight| (question, weight))),
                Err(error) => faults.add(bad_code(&key.place, &error)),
            }
        }
        declared.finish();
    }
    let place = table.place_of("code");
    table.finish();
    let code = code?;
    if file.leaf_places.insert(code.clone(), place.clone()).is_some() {
        faults.add(duplicate(&place, "sub-criterion", code.as_str()));
    }
    file.question_weights.insert(code.clone(), weights);
    let maximum = maximum.map_or_else(Exact::zero, |placed| placed.value);
    Some(SubCriterion { code, name, maximum, questions: Vec::new(), agency })
}

/// The maxima of all areas must make the declared whole (100 unless the file says otherwise).
fn check_maximum(root: &Table<'_>, tree: &IndexTree, faults: &Faults) {
    let declared = root.optional_exact("maximum");
    let place = root.place_of(if declared.is_some() { "maximum" } else { "area" });
    let whole = declared.map_or_else(|| Exact::from(100_i64), |placed| placed.value);
    let sum: Exact = tree.areas.iter().map(Area::maximum).sum();
    if !tree.areas.is_empty() && sum != whole {
        faults.add(place.fault(
            "maxima-do-not-sum",
            format!("the maxima of the areas make {} where {} belongs", sum.decimal(), whole.decimal()),
            "correct the maxima, or declare the whole as maximum = \"…\" at the top of index.toml",
        ));
    }
}

fn read_target(table: &Table<'_>, others: Option<&Others<'_>>, faults: &Faults) -> Option<TargetCode> {
    let target = table.code::<TargetCode>("target")?;
    if let Some(others) = others
        && !others.targets.iter().any(|other| other.code == target)
    {
        faults.add(unknown_target(&table.place_of("target"), &target));
    }
    Some(target)
}

/// The fault of a target that campaign.toml does not declare.
pub(super) fn unknown_target(place: &Place, target: &TargetCode) -> crate::fault::Fault {
    place.fault(
        "unknown-target",
        format!("there is no target '{target}'"),
        "write the code of a [[target]] of campaign.toml",
    )
}

fn read_import(table: Table<'_>, others: Option<&Others<'_>>, file: &mut IndexFile, faults: &Faults) {
    let target = read_target(&table, others, faults);
    let points = ImportedPoints {
        synthetic: table.boolean("synthetic", None),
        appraisal: read_points(&table, "appraisal", &file.tree, |area| &area.appraisal_maximum, faults),
        sipas: read_points(&table, "sipas", &file.tree, |area| &area.sipas_maximum, faults),
    };
    if let Some(target) = target
        && file.imported.insert(target.clone(), points).is_some()
    {
        faults.add(duplicate(&table.place_of("target"), "import for target", target.as_str()));
    }
    table.finish();
}

fn read_points(
    table: &Table<'_>,
    key: &str,
    tree: &IndexTree,
    maximum: impl Fn(&Area) -> &Exact,
    faults: &Faults,
) -> BTreeMap<AreaCode, Exact> {
    let mut points = BTreeMap::new();
    let Some(given) = table.optional_table(key) else { return points };
    for key in given.keys() {
        let Some(placed) = given.exact(key.value) else { continue };
        let Some(area) = tree.areas.iter().find(|area| area.code.as_str() == key.value) else {
            faults.add(key.place.fault(
                "unknown-area",
                format!("there is no area '{}'", key.value),
                "write the code of an [[area]]",
            ));
            continue;
        };
        if placed.value > *maximum(area) || placed.value.is_negative() {
            faults.add(placed.place.fault(
                "points-above-maximum",
                format!("{} is outside 0 to {}", placed.value.decimal(), maximum(area).decimal()),
                "correct the points, or the area's maximum",
            ));
        }
        points.insert(area.code.clone(), placed.value);
    }
    for area in tree.areas.iter().filter(|area| !maximum(area).is_zero() && !points.contains_key(&area.code)) {
        faults.warn(given.place().fault(
            "points-missing",
            format!("area {} has no points here, so its total cannot be determined", area.code),
            "add its points when they are known",
        ));
    }
    given.finish();
    points
}

fn read_rank(table: Table<'_>, others: Option<&Others<'_>>, ranks: &mut OfficialRanks, faults: &Faults) {
    let target = read_target(&table, others, faults);
    let group = table.code::<GroupCode>("group");
    let placing = table.whole::<u32>("rank").zip(table.whole::<u32>("of"));
    if let Some((rank, of)) = placing
        && (rank == 0 || rank > of)
    {
        faults.add(table.place_of("rank").fault(
            "out-of-range",
            format!("there is no rank {rank} of {of}"),
            "write the published rank and of how many",
        ));
    }
    if let (Some(group), Some(others)) = (&group, others)
        && !others.groups.iter().any(|other| other.code == *group)
    {
        faults.add(table.place_of("group").fault(
            "unknown-group",
            format!("there is no group '{group}'"),
            "write the code of a [[group]] of groups.toml",
        ));
    }
    if let (Some(target), Some(group), Some(placing)) = (target, group, placing) {
        ranks.insert((target, group), placing);
    }
    table.finish();
}
