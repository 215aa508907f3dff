//! Counts a CSV file of answers: columns `group`, `respondent`, then one per question or sub-criterion code.
//!
//! A cell holds a level, nothing, or `no_opinion`. One file rates one target. The file is streamed, every fault is
//! collected, and nothing is counted of a file that has one. Who is asked what is an argument, never guessed from blanks.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::str::FromStr;

use csv::ByteRecord;
use parsurvey_index::code::{GroupCode, TargetCode};
use parsurvey_index::counts::Tally;
use parsurvey_index::tree::IndexTree;
use parsurvey_survey::fault::Fault;

use crate::counter::{BLANK, CountError, Counter, Frame, NO_OPINION};
use crate::layout::{GroupLayout, Layout, Rule, read_header};
use crate::lines::{Bounded, Since};

/// Faults after which reading stops.
pub const FAULTS_SHOWN: usize = 1000;

/// What the numbers in the cells mean. A file that does not declare it cannot be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// Levels from 1, the worst, upwards: the highest is the best answer to every question, however it was shown.
    Oriented,
    /// Option codes as the questionnaire showed them; each question's own table says which is best.
    AsShown,
}

/// The word is not an orientation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an orientation; say oriented (5 is best everywhere) or as_shown (codes as the form showed them)")]
pub struct OrientationError(String);

impl FromStr for Orientation {
    type Err = OrientationError;
    fn from_str(text: &str) -> Result<Self, OrientationError> {
        match text {
            "oriented" => Ok(Orientation::Oriented),
            "as_shown" => Ok(Orientation::AsShown),
            other => Err(OrientationError(other.to_owned())),
        }
    }
}

/// How to read a file of answers.
#[derive(Debug, Clone, Copy)]
pub struct AnswersFile<'a> {
    /// The file as the person named it.
    pub name: &'a str,
    /// What the numbers mean.
    pub orientation: Orientation,
    /// The target that all rows rate.
    pub target: &'a TargetCode,
    /// The tree, for columns named by sub-criterion: such a column answers the sub-criterion's only question.
    pub tree: &'a IndexTree,
}

/// Why a file of answers was not counted.
#[derive(Debug, thiserror::Error)]
pub enum AnswersError {
    /// The file has faults; all of them, up to [`FAULTS_SHOWN`].
    #[error("the answers have {} faults", .0.len())]
    Faults(Vec<Fault>),
    /// The frame is unusable or the engine failed.
    #[error(transparent)]
    Count(#[from] CountError),
}

/// Counts the answers in `reader`. Of `frame` only `file.target` is used.
///
/// # Errors
/// Every fault of the file, or a frame or engine that cannot count.
pub fn count_answers(reader: impl Read, file: &AnswersFile<'_>, mut frame: Frame) -> Result<Tally, AnswersError> {
    frame.targets.retain(|target, _| target == file.target);
    let since = Since::default();
    let mut csv = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(Bounded::new(reader, since.clone()));
    let mut faults = Faults { file: file.name, found: Vec::new() };
    let mut record = ByteRecord::new();
    let layout = match csv.read_byte_record(&mut record) {
        Ok(true) => match names(&record) {
            Some(names) => read_header(names, file, &frame).map_err(AnswersError::Faults)?,
            None => return Err(faults.not_utf8(1, "").refuse()),
        },
        Ok(false) => return Err(faults.empty().refuse()),
        Err(error) => return Err(faults.unreadable(&error).refuse()),
    };
    let counter = Counter::new(frame)?;
    // Where lines end in CRLF, as Excel writes them, the parser leaves the LF to the record that follows, and its
    // positions lag by a line.
    let lag = u64::from(csv.position().line() == 1);
    let (seen, answers) = (BTreeMap::new(), Vec::new());
    let mut rows = Rows { layout: &layout, target: file.target, counter, lag, seen, answers };
    loop {
        since.reset();
        match csv.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => rows.take(&record, &mut faults)?,
            Err(error) => {
                faults.unreadable(&error);
                break;
            }
        }
        if faults.found.len() >= FAULTS_SHOWN {
            return Err(faults.stop().refuse());
        }
    }
    for group in layout.groups.keys().filter(|group| !rows.seen.contains_key(*group)) {
        faults.group_without_answers(group);
    }
    if faults.found.is_empty() { Ok(rows.counter.finish()?) } else { Err(faults.refuse()) }
}

fn names(record: &ByteRecord) -> Option<Vec<String>> {
    let text = |cell| std::str::from_utf8(cell).ok().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned());
    record.iter().map(text).collect()
}

struct Rows<'a> {
    layout: &'a Layout,
    target: &'a TargetCode,
    counter: Counter,
    /// Lines by which the parser's positions lag.
    lag: u64,
    /// Respondents seen, with the line.
    seen: BTreeMap<GroupCode, HashMap<Box<str>, u64>>,
    answers: Vec<u8>,
}

impl Rows<'_> {
    /// Checks a row, and counts it while the file has no fault.
    fn take(&mut self, record: &ByteRecord, faults: &mut Faults<'_>) -> Result<(), CountError> {
        let line = record.position().map_or(0, csv::Position::line) + self.lag;
        let names = &self.layout.names;
        if record.len() != names.len() {
            faults.add(
                line,
                "",
                "ragged-row",
                format!("The line has {} cells, the first line has {}", record.len(), names.len()),
                "Give every line one cell per column; an answer not given is an empty cell",
            );
            return Ok(());
        }
        let mut cells = Vec::with_capacity(names.len());
        for (cell, name) in record.iter().zip(names) {
            match std::str::from_utf8(cell) {
                Ok(cell) => cells.push(cell.trim()),
                Err(_) => {
                    faults.not_utf8(line, name);
                    return Ok(());
                }
            }
        }
        let Some((group, layout)) = self.group(cells[self.layout.group], line, faults) else {
            return Ok(());
        };
        self.respondent(group, cells[self.layout.respondent], line, faults);
        self.answers.clear();
        self.answers.resize(layout.length, BLANK);
        for (column, rule) in &layout.cells {
            match (rule, cells[*column]) {
                (Rule::Blank | Rule::Answer { .. }, "") => {}
                (Rule::Blank, _) => faults.add(
                    line,
                    &names[*column],
                    "not-asked",
                    format!("Group {group} is not asked this, and the cell holds an answer"),
                    "Empty the cell, or use the policy under which the group is asked",
                ),
                (Rule::Answer { place, .. }, "no_opinion") => self.answers[*place] = NO_OPINION,
                (Rule::Answer { place, texts }, cell) => match texts.iter().find(|(text, _)| text == cell) {
                    Some((_, answer)) => self.answers[*place] = *answer,
                    None => faults.unknown_level(line, &names[*column], cell, texts),
                },
            }
        }
        if faults.found.is_empty() { self.counter.push_answers(self.target, group, &self.answers) } else { Ok(()) }
    }

    fn respondent(&mut self, group: &GroupCode, respondent: &str, line: u64, faults: &mut Faults<'_>) {
        let seen = match self.seen.get_mut(group) {
            Some(seen) => seen,
            None => self.seen.entry(group.clone()).or_default(),
        };
        if respondent.is_empty() {
            let remedy = "Give every line of a group its own number";
            faults.add(line, "respondent", "missing-respondent", "The cell is empty".to_owned(), remedy);
        } else if let Some(earlier) = seen.insert(respondent.into(), line) {
            faults.add(
                line,
                "respondent",
                "duplicate-respondent",
                format!("Respondent {} of group {group} stands already on line {earlier}", quoted(respondent)),
                "Remove one of the two lines, or correct the number",
            );
        }
    }
}

impl<'a> Rows<'a> {
    fn group(&self, cell: &str, line: u64, faults: &mut Faults<'_>) -> Option<(&'a GroupCode, &'a GroupLayout)> {
        let known = &self.layout.groups;
        let found = cell.parse::<GroupCode>().ok().and_then(|code| known.get_key_value(&code));
        if found.is_none() {
            let list: Vec<_> = known.keys().map(GroupCode::as_str).collect();
            let (code, reason) = if cell.is_empty() {
                ("missing-group", "The cell is empty".to_owned())
            } else {
                ("unknown-group", format!("{} is no group that rates {}", quoted(cell), self.target))
            };
            faults.add(line, "group", code, reason, &format!("Use one of {}", list.join(", ")));
        }
        found
    }
}

struct Faults<'a> {
    file: &'a str,
    found: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, line: u64, field: &str, code: &'static str, reason: String, remedy: &str) {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        let fault = Fault::of_file(self.file, code, reason, remedy);
        self.found.push(Fault { line, field: field.to_owned(), ..fault });
    }

    fn unknown_level(&mut self, line: u64, field: &str, cell: &str, texts: &[(String, u8)]) {
        let known: Vec<_> = texts.iter().map(|(text, _)| text.as_str()).collect();
        let reason = format!("{} is not a level of this question", quoted(cell));
        let remedy = format!("Use one of {}, no_opinion, or leave the cell empty", known.join(", "));
        self.add(line, field, "unknown-level", reason, &remedy);
    }

    fn not_utf8(&mut self, line: u64, field: &str) -> &mut Self {
        self.add(line, field, "not-utf8", "The text is not UTF-8".to_owned(), "Save the file as CSV in UTF-8");
        self
    }

    fn unreadable(&mut self, error: &csv::Error) -> &mut Self {
        let line = error.position().map_or(0, csv::Position::line);
        let remedy = "Check that the file is a complete CSV file and can be read";
        self.add(line, "", "unreadable", format!("The file cannot be read: {error}"), remedy);
        self
    }

    fn empty(&mut self) -> &mut Self {
        self.add(0, "", "no-answers", "The file is empty".to_owned(), "Give a file with a first line of column names");
        self
    }

    fn group_without_answers(&mut self, group: &GroupCode) {
        self.add(
            0,
            "group",
            "group-without-answers",
            format!("Group {group} is asked and has no line"),
            "Add its answers, or use a policy that asks it nothing",
        );
    }

    fn stop(&mut self) -> &mut Self {
        self.found.truncate(FAULTS_SHOWN);
        let reason = format!("Reading stopped after {FAULTS_SHOWN} faults; there may be more");
        self.add(0, "", "too-many-faults", reason, "Correct these first, then try again");
        self
    }

    fn refuse(&mut self) -> AnswersError {
        AnswersError::Faults(std::mem::take(&mut self.found))
    }
}

/// A cell as a message quotes it: never a megabyte.
fn quoted(cell: &str) -> String {
    let mut text: String = cell.chars().take(40).collect();
    if text.len() < cell.len() {
        text.push('…');
    }
    format!("'{text}'")
}
