//! What each column of an answers file means for each group, settled once from the header.
//!
//! A column is never read by its place or guessed from its cells.

use std::collections::BTreeMap;

use parsurvey_index::code::{GroupCode, QuestionCode};
use parsurvey_index::counts::{OptionTables, QuestionTable};
use parsurvey_survey::fault::Fault;

use crate::answers_csv::{AnswersFile, Orientation};
use crate::counter::{Asked, Frame};

pub(crate) const GROUP: &str = "group";
pub(crate) const RESPONDENT: &str = "respondent";

/// The meaning of a header.
pub(crate) struct Layout {
    pub(crate) names: Vec<String>,
    pub(crate) group: usize,
    pub(crate) respondent: usize,
    pub(crate) groups: BTreeMap<GroupCode, GroupLayout>,
}

/// The meaning of a group's cells.
pub(crate) struct GroupLayout {
    /// Questions of the group's questionnaire.
    pub(crate) length: usize,
    /// Column and rule of every answer column.
    pub(crate) cells: Vec<(usize, Rule)>,
}

/// What a cell of one column may hold, for one group.
pub(crate) enum Rule {
    /// Nothing: the group is not asked.
    Blank,
    /// An answer to the question at this place of the questionnaire, as one of these texts.
    Answer { place: usize, texts: Vec<(String, u8)> },
}

/// Reads a header, or says everything that is wrong with it.
pub(crate) fn read_header(names: Vec<String>, file: &AnswersFile<'_>, frame: &Frame) -> Result<Layout, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, code, reason: String, remedy: &str| {
        let place = Fault { line: 1, field: field.to_owned(), ..Fault::of_file(file.name, code, reason, remedy) };
        faults.push(place);
    };
    if let [only] = names.as_slice()
        && only.contains([';', '\t'])
    {
        fault(
            "",
            "wrong-separator",
            "The columns are separated by semicolons or tabs".to_owned(),
            "Save the file with commas between the columns",
        );
        return Err(faults);
    }
    for (column, name) in names.iter().enumerate() {
        if names[..column].contains(name) {
            fault(name, "duplicate-column", format!("Column '{name}' stands twice"), "Remove one of the two");
        }
    }
    let mut find = |wanted: &str| {
        let found = names.iter().position(|name| name == wanted);
        if found.is_none() {
            fault(
                wanted,
                "missing-column",
                format!("There is no column '{wanted}'"),
                "Add the column; the first line must name group, respondent and the codes asked",
            );
        }
        found
    };
    let (group, respondent) = (find(GROUP), find(RESPONDENT));
    let mut groups = BTreeMap::new();
    let mut known = vec![false; names.len()];
    for (code, asked) in frame.targets.get(file.target).into_iter().flatten() {
        if let Some(tables) = frame.questionnaires.get(&asked.questionnaire) {
            let layout = group_layout(&names, code, asked, tables, file, &mut known, &mut fault);
            groups.insert(code.clone(), layout);
        }
    }
    for (name, known) in names.iter().zip(known) {
        if !known && name != GROUP && name != RESPONDENT {
            fault(
                name,
                "unknown-code",
                format!("'{name}' is neither a question nor a sub-criterion of the campaign"),
                "Correct the code or remove the column",
            );
        }
    }
    match (group, respondent, faults.is_empty()) {
        (Some(group), Some(respondent), true) => Ok(Layout { names, group, respondent, groups }),
        (_, _, _) => Err(faults),
    }
}

fn group_layout(
    names: &[String],
    group: &GroupCode,
    asked: &Asked,
    tables: &OptionTables,
    file: &AnswersFile<'_>,
    known: &mut [bool],
    fault: &mut impl FnMut(&str, &'static str, String, &str),
) -> GroupLayout {
    let mut cells = Vec::new();
    let mut covered: Vec<Option<&str>> = vec![None; tables.questions.len()];
    for (column, name) in names.iter().enumerate().filter(|(_, name)| *name != GROUP && *name != RESPONDENT) {
        let (places, is_known) = places_of(name, tables, file);
        known[column] |= is_known;
        let rule = match places.as_slice() {
            [] => Rule::Blank,
            [place] => {
                let table = &tables.questions[*place];
                if let Some(other) = covered[*place].replace(name).filter(|other| other != name) {
                    fault(
                        name,
                        "duplicate-column",
                        format!("Columns '{other}' and '{name}' both answer question {} of group {group}", table.code),
                        "Keep one of the two",
                    );
                }
                if asked.questions.contains(&table.code) {
                    Rule::Answer { place: *place, texts: texts(table, file.orientation) }
                } else {
                    Rule::Blank
                }
            }
            [_, _, ..] => {
                fault(
                    name,
                    "ambiguous-code",
                    format!("Sub-criterion {name} has several questions for group {group}"),
                    "Give one column per question, named by the question's code",
                );
                Rule::Blank
            }
        };
        cells.push((column, rule));
    }
    for (table, covered) in tables.questions.iter().zip(covered) {
        if covered.is_none() && asked.questions.contains(&table.code) {
            fault(
                table.code.as_str(),
                "missing-column",
                format!("Question {} is asked of group {group} and has no column", table.code),
                "Add the column, or use a policy that does not ask it of the group",
            );
        }
    }
    GroupLayout { length: tables.questions.len(), cells }
}

/// The places a column's name stands for in a questionnaire, and whether the campaign knows the name at all.
/// A question's own code goes before a sub-criterion's.
fn places_of(name: &str, tables: &OptionTables, file: &AnswersFile<'_>) -> (Vec<usize>, bool) {
    let place = |code: &QuestionCode| tables.questions.iter().position(|table| table.code == *code);
    if let Some(place) = tables.questions.iter().position(|table| table.code.as_str() == name) {
        return (vec![place], true);
    }
    let mut leaves = file.tree.areas.iter().flat_map(|area| &area.sub_criteria);
    match leaves.find(|leaf| leaf.code.as_str() == name) {
        Some(leaf) => (leaf.questions.iter().filter_map(|(code, _)| place(code)).collect(), true),
        None => (Vec::new(), false),
    }
}

/// The texts a cell may hold for each option. Oriented levels count from 1, the worst, so the highest is the option
/// worth most, whichever way the questionnaire showed them.
fn texts(table: &QuestionTable, orientation: Orientation) -> Vec<(String, u8)> {
    let mut options: Vec<_> = table.options.iter().zip(1..).collect();
    match orientation {
        Orientation::AsShown => options.into_iter().map(|(option, place)| (option.code.to_string(), place)).collect(),
        Orientation::Oriented => {
            options.sort_by_key(|(option, _)| option.percent_numerator);
            options.into_iter().zip(1_usize..).map(|((_, place), level)| (level.to_string(), place)).collect()
        }
    }
}
