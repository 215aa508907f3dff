//! `status`, `score`, `index`, `explain`, `report`: questions. `status` touches no answer; the others need an opened box.

use std::path::PathBuf;

use parsurvey_desk::files::write_whole;
use parsurvey_desk::results::{AnswersInput, explanations, results_of_answers};
use parsurvey_index::code::SubCriterionCode;
use parsurvey_index::exact::Quantity;
use parsurvey_index::explain::Explanation;
use parsurvey_index::tree::Text;
use parsurvey_ledger::Chain;
use parsurvey_report::Results;
use parsurvey_report::score_json::{index_json, score_json};
use parsurvey_report::table::{Cell, Column, Style, Table};
use parsurvey_report::tables::{
    EventRow, alternatives_table, area_table, completion_table, event_table, group_table, headline_table,
    other_targets_table, status_table, sub_criteria_table,
};
use parsurvey_report::walk::walk_steps;
use parsurvey_survey::calendar;
use parsurvey_survey::status::StatusBy;
use parsurvey_tally::answers_csv::Orientation;
use serde_json::json;

use super::{Done, campaign, desk, now};
use crate::args::{By, Document, Format, Global, Orientation as OrientationArg, ScoreArgs};
use crate::faults::Failure;
use crate::output::{Output, lang, write};

pub(crate) async fn status(global: &Global, by: By, explain: bool) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let output = Output::of(global);
    if explain {
        output.table(&rates(&desk.aapor().await?))?;
        return Ok(0);
    }
    let by = match by {
        By::Group => StatusBy::Group,
        By::Unit => StatusBy::Unit,
        By::Day => StatusBy::Day,
    };
    let status = desk.status(by, now).await?;
    let campaign = desk.campaign();
    let names: Vec<(String, Text)> = match by {
        StatusBy::Group => campaign.groups.iter().map(|g| (g.code.to_string(), g.name.clone())).collect(),
        StatusBy::Unit => campaign
            .units
            .iter()
            .map(|u| (u.code.to_string(), Text { vi: u.name.clone(), en: u.name.clone() }))
            .collect(),
        StatusBy::Day => Vec::new(),
    };
    let rows = status_table(&status, &names);
    let tables = match global.format {
        // CSV is one table; the headline is in the JSON and on the terminal.
        Format::Csv => vec![rows],
        Format::Table | Format::Json => vec![completion_table(&status.headline), rows],
    };
    output.tables(&tables, || json!(status))?;
    Ok(0)
}

fn rates(counts: &parsurvey_survey::disposition::AaporCounts) -> Table {
    let mut table = Table::new(
        "aapor",
        text("Tỷ lệ trả lời theo AAPOR", "AAPOR rates"),
        vec![
            Column::left("rate", text("Tỷ lệ", "Rate")),
            Column::right("percent", text("%", "%")),
            Column::left(
                "formula",
                text(
                    "Công thức (P = 0; e = 1: cơ quan xác nhận danh sách)",
                    "Formula (P = 0; e = 1: the employer certifies the list)",
                ),
            ),
            Column::left("counts", text("Số phiếu", "Counts")),
        ],
    );
    let letters = format!("I={} R={} NC={} O={} U={}", counts.i, counts.r, counts.nc, counts.o, counts.u);
    for rate in counts.rates() {
        let percent =
            rate.percent.map_or(Quantity::Without(parsurvey_index::exact::Why::NotDeterminable), Quantity::Value);
        table.push(vec![
            Cell::Text(rate.name.into()),
            Cell::Number(percent, Style::Plain),
            Cell::Text(rate.formula.into()),
            Cell::Text(letters.clone()),
        ]);
    }
    if counts.substitutes > 0 {
        // Apart from the rates, which keep the original as the nonrespondent.
        table.push(vec![
            Cell::Name(text("người thay thế", "substitutes")),
            Cell::Blank,
            Cell::Name(text(
                "tính riêng; người được thay vẫn là người không trả lời",
                "counted apart; the original stays a nonrespondent",
            )),
            Cell::Text(format!("{} / {}", counts.substitutes_completed, counts.substitutes)),
        ]);
    }
    table
}

/// Events that are read at a time.
const EVENTS_AT_ONCE: u32 = 10_000;

pub(crate) async fn log(global: &Global) -> Done {
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
    let mut rows = Vec::new();
    let mut after = 0;
    loop {
        let events = desk.ledger().events(after, EVENTS_AT_ONCE).await?;
        let Some(last) = events.last() else { break };
        after = last.seq;
        rows.extend(events.into_iter().map(|event| {
            EventRow {
                id: event.seq,
                at: calendar::rfc3339(event.at, zone),
                actor: event.actor,
                act: event.kind,
                form: event.form,
                reason: [event.reason, event.document]
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect::<Vec<_>>()
                    .join("; "),
            }
        }));
    }
    Output::of(global).table(&event_table(&rows))?;
    match desk.ledger().verify_chain().await? {
        Chain::Intact { events, head } => {
            eprintln!("the chain of {events} entries is intact; its head, to be kept elsewhere: {head}");
            Ok(0)
        }
        Chain::Broken { seq } => {
            eprintln!("error: the log was altered: entry {seq} does not follow from the one before");
            eprintln!("  help: keep the data folder as it is and compare it with a backup");
            Ok(1)
        }
    }
}

/// Results from the ledger, or from an answers file.
async fn results(global: &Global, args: &ScoreArgs) -> Result<Results, Failure> {
    let Some(file) = &args.answers else {
        if args.target.is_some() || !args.frame.is_empty() || args.orientation.is_some() {
            return Err(Failure::usage("--target, --frame and --orientation go with --answers FILE"));
        }
        let desk = desk(global).await?;
        let now = now(global, desk.campaign())?;
        return Ok(desk.results(args.policy.as_deref(), now).await?);
    };
    let campaign = campaign(global)?;
    let orientation = match args.orientation {
        Some(OrientationArg::Oriented) => Orientation::Oriented,
        Some(OrientationArg::AsShown) => Orientation::AsShown,
        None => return Err(Failure::usage("--answers needs --orientation oriented or as_shown")),
    };
    let mut frame = std::collections::BTreeMap::new();
    for entry in &args.frame {
        let wrong = || Failure::usage(format!("--frame {entry}: give GROUP=N, such as division_heads=543"));
        let (group, n) = entry.split_once('=').ok_or_else(wrong)?;
        frame.insert(group.parse().map_err(|_| wrong())?, n.parse().map_err(|_| wrong())?);
    }
    let target = args
        .target
        .as_deref()
        .map(|code| code.parse().map_err(|error| Failure::usage(format!("--target: {error}"))))
        .transpose()?;
    let now = now(global, &campaign)?;
    let input = AnswersInput { file: file.clone(), orientation, target, frame };
    Ok(results_of_answers(&campaign, &input, args.policy.as_deref(), now)?)
}

pub(crate) async fn score(global: &Global, args: &ScoreArgs) -> Done {
    let results = results(global, args).await?;
    let mut tables = Vec::new();
    for target in results.indexed() {
        tables.push(headline_table(&results, target));
        tables.push(group_table(&results, target));
        tables.push(sub_criteria_table(&results, target));
    }
    tables.push(alternatives_table(&results));
    if results.others().next().is_some() {
        tables.push(other_targets_table(&results));
    }
    if global.format == Format::Csv {
        tables.retain(|table| table.key == "sub_criteria");
    }
    note(&results);
    Output::of(global).tables(&tables, || score_json(&results))?;
    Ok(0)
}

pub(crate) async fn index(global: &Global, args: &ScoreArgs) -> Done {
    let results = results(global, args).await?;
    let tables: Vec<Table> = results.indexed().map(|target| area_table(&results, target)).collect();
    note(&results);
    Output::of(global).tables(&tables, || index_json(&results))?;
    Ok(0)
}

/// What every result says of itself: its policy, and whether it is a sample and released.
fn note(results: &Results) {
    eprintln!("policy: {} {}", results.policy.name, results.policy.version);
    if results.synthetic {
        eprintln!("synthetic sample: made from sample inputs");
    }
    if !results.released {
        eprintln!("not released");
    }
}

pub(crate) async fn explain(global: &Global, code: &str, args: &ScoreArgs) -> Done {
    let code: SubCriterionCode = code.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let results = results(global, args).await?;
    let walks = explanations(&results, &code)?;
    match global.format {
        Format::Json => Output::of(global).json(&json!(walks))?,
        Format::Table | Format::Csv => {
            note(&results);
            for walk in &walks {
                write(&walk_text(&results, walk, global))?;
            }
        }
    }
    Ok(0)
}

fn walk_text(results: &Results, walk: &Explanation, global: &Global) -> String {
    let language = lang(global.lang);
    let mut lines = vec![format!("{} · {}", walk.target, walk.sub_criterion)];
    if let Some(leaf) = results.sub_criterion(&walk.sub_criterion) {
        lines.push(language.of(&leaf.name).to_owned());
    }
    for step in walk_steps(walk, language, ToString::to_string) {
        lines.push(format!("  {}\n    {}", step.heading, step.formula));
    }
    lines.push(String::new());
    lines.join("\n")
}

pub(crate) async fn report(global: &Global, documents: &[Document], out: Option<PathBuf>, args: &ScoreArgs) -> Done {
    let results = results(global, args).await?;
    let language = lang(global.lang);
    let out = out.unwrap_or_else(|| global.data.join("out"));
    std::fs::create_dir_all(&out).map_err(|error| parsurvey_desk::DeskError::io("making the folder", &out, &error))?;
    note(&results);
    for document in documents {
        let (ending, bytes) = match document {
            Document::Html => ("html", parsurvey_report::html::html(&results, language)?.into_bytes()),
            Document::Xlsx => ("xlsx", parsurvey_report::xlsx::xlsx(&results, language)?),
        };
        let path = out.join(format!("report.{}.{ending}", language.tag()));
        write_whole(&path, &bytes)?;
        write(&format!("{}\n", path.display()))?;
    }
    Ok(0)
}

fn text(vi: &str, en: &str) -> Text {
    Text { vi: vi.into(), en: en.into() }
}
