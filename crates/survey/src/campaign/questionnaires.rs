//! `questionnaire.toml`: scales, questionnaires, sections, questions, options.
//!
//! A question names a scale or carries its own options. Nothing is assumed about direction: each option states its percent.

use std::collections::{BTreeMap, BTreeSet};

use parsurvey_index::code::{OptionCode, QuestionCode, QuestionnaireCode, SubCriterionCode};
use parsurvey_index::exact::Exact;

use super::head::duplicate;
use super::place::{Faults, Place, Placed};
use super::walk::Table;
use super::{AnswerOption, Question, Questionnaire, Section, pressure};

/// A questionnaire and where its questions stand.
pub(super) struct PlacedQuestionnaire {
    pub(super) questionnaire: Questionnaire,
    pub(super) place: Place,
    pub(super) question_places: BTreeMap<QuestionCode, Place>,
}

type Scales = BTreeMap<String, Vec<AnswerOption>>;

/// Reads the file.
pub(super) fn read(root: Table<'_>, faults: &Faults) -> Vec<PlacedQuestionnaire> {
    let scales = read_scales(&root, faults);
    let pressure = root.optional_table("pressure").map(|table| pressure::read(table, faults));
    let mut used = BTreeSet::new();
    let mut questionnaires: Vec<PlacedQuestionnaire> = Vec::new();
    for table in root.tables("questionnaire") {
        let mut seen = BTreeMap::new();
        let version = table.whole("version").unwrap_or(1);
        if version == 0 {
            faults.add(table.place_of("version").fault("out-of-range", "versions count from 1", "write version = 1"));
        }
        let title = table.bilingual("title");
        let intro = table.bilingual("intro");
        let sections: Vec<_> = table
            .tables("section")
            .into_iter()
            .map(|section| read_section(section, &scales, &mut used, &mut seen, faults))
            .collect();
        if seen.is_empty() {
            faults.add(table.place().fault(
                "no-question",
                "the questionnaire asks nothing",
                "add a [[questionnaire.section]] with a [[questionnaire.section.question]]",
            ));
        }
        if let Some(code) = table.code::<QuestionnaireCode>("code") {
            if questionnaires.iter().any(|other| other.questionnaire.code == code) {
                faults.add(duplicate(&table.place_of("code"), "questionnaire", code.as_str()));
            }
            questionnaires.push(PlacedQuestionnaire {
                questionnaire: Questionnaire { code, version, title, intro, sections, pressure: pressure.clone() },
                place: table.place(),
                question_places: seen,
            });
        }
        table.finish();
    }
    for scale in scales.iter().filter(|(code, _)| !used.contains(*code)).map(|(code, _)| code) {
        faults.warn(root.place_of("scale").fault(
            "unused-scale",
            format!("no question uses the scale '{scale}'"),
            "remove it, or name it at a question",
        ));
    }
    root.finish();
    questionnaires
}

fn read_scales(root: &Table<'_>, faults: &Faults) -> Scales {
    let mut scales = Scales::new();
    for table in root.tables("scale") {
        let code = table.text("code");
        let options = read_options(&table, faults);
        if scales.insert(code.clone(), options).is_some() {
            faults.add(duplicate(&table.place_of("code"), "scale", &code));
        }
        table.finish();
    }
    scales
}

fn read_section(
    table: Table<'_>,
    scales: &Scales,
    used: &mut BTreeSet<String>,
    seen: &mut BTreeMap<QuestionCode, Place>,
    faults: &Faults,
) -> Section {
    let title = table.bilingual("title");
    let mut questions = Vec::new();
    for question in table.tables("question") {
        let place = question.place_of("code");
        if let Some(read) = read_question(question, scales, used, faults) {
            if seen.insert(read.code.clone(), place.clone()).is_some() {
                faults.add(duplicate(&place, "question", read.code.as_str()));
            }
            if read.code == pressure::code() {
                faults.add(place.fault(
                    "reserved-code",
                    format!("the code '{}' belongs to the question of [pressure]", read.code),
                    "give the question another code",
                ));
            }
            questions.push(read);
        }
    }
    table.finish();
    Section { title, questions }
}

fn read_question(table: Table<'_>, scales: &Scales, used: &mut BTreeSet<String>, faults: &Faults) -> Option<Question> {
    let code = table.code::<QuestionCode>("code");
    let sub_criterion = table.optional_code::<SubCriterionCode>("sub_criterion");
    let text = table.bilingual("text");
    let required = table.boolean("required", Some(true));
    let no_opinion = table.boolean("no_opinion", Some(true));
    let options = match table.optional_text("scale") {
        Some(scale) => {
            if table.has("options") {
                faults.add(table.place_of("options").fault(
                    "two-option-tables",
                    "the question names a scale and carries options of its own",
                    "keep one of the two",
                ));
            }
            let options = scales.get(&scale).cloned();
            if options.is_none() {
                faults.add(table.place_of("scale").fault(
                    "unknown-scale",
                    format!("there is no scale '{scale}'"),
                    format!("declare it as [[scale]], or use one of: {}", keys(scales)),
                ));
            }
            used.insert(scale);
            options.unwrap_or_default()
        }
        None => read_options(&table, faults),
    };
    table.finish();
    Some(Question { code: code?, sub_criterion, text, required, no_opinion, options })
}

fn keys(scales: &Scales) -> String {
    scales.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Reads `options` of a scale or question and judges the table as a whole.
fn read_options(owner: &Table<'_>, faults: &Faults) -> Vec<AnswerOption> {
    let mut options: Vec<AnswerOption> = Vec::new();
    let mut percents: Vec<Placed<Exact>> = Vec::new();
    let tables = owner.tables("options");
    let declared = tables.len();
    for table in tables {
        let text = table.bilingual("text");
        let percent = table.exact("percent");
        let place = table.place_of("code");
        if let (Some(code), Some(percent)) = (table.code::<OptionCode>("code"), percent) {
            for (what, same) in [
                ("code", options.iter().any(|other| other.code == code)),
                ("wording", options.iter().any(|other| other.text.vi == text.vi || other.text.en == text.en)),
            ] {
                if same {
                    faults.add(place.fault(
                        "duplicate-option",
                        format!("an earlier option has the same {what} as '{code}'"),
                        "give every option its own code and wording",
                    ));
                }
            }
            if percent.value.is_negative() || percent.value > Exact::from(100_i64) {
                faults.add(percent.place.fault(
                    "percent-out-of-range",
                    "an option is worth less than 0 or more than 100 percent",
                    "write a percent from 0 to 100",
                ));
            }
            options.push(AnswerOption { code, text, percent: percent.value.clone() });
            percents.push(percent);
        }
        table.finish();
    }
    if declared < 2 {
        faults.add(owner.place_of("options").fault(
            "too-few-options",
            "a question needs two options at least",
            "add options = [{ code, percent, text }, …], or name a scale",
        ));
    }
    check_monotone(&percents, faults);
    options
}

/// In shown order the percents must rise all the way or fall all the way: anything else is a slip of the pen.
fn check_monotone(percents: &[Placed<Exact>], faults: &Faults) {
    let [first, second, ..] = percents else { return };
    let rising = second.value > first.value;
    let broken = percents.windows(2).find(|pair| match pair {
        [a, b] => a.value == b.value || (b.value > a.value) != rising,
        _ => false,
    });
    if let Some([_, place]) = broken {
        faults.add(place.place.fault(
            "options-not-monotone",
            format!("in shown order the percents do not go on {} here", if rising { "rising" } else { "falling" }),
            "order the options from worst to best or from best to worst, each with its own percent",
        ));
    }
}
