//! Results after the box was opened: points, percents and counts of groups that are large enough, each sub-criterion with
//! its explanation, and the report as files. Nothing is computed here; the tables are the report's.
//!
//! Before the opening there is nothing to see, for nobody.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_desk::results::explanations;
use parsurvey_index::code::{GroupCode, SubCriterionCode, TargetCode};
use parsurvey_report::table::{Align, Cell, RowKind, Table};
use parsurvey_report::tables::{
    alternatives_table, group_table, headline_table, other_targets_table, sub_criteria_table,
};
use parsurvey_report::walk::{WalkStep, walk_steps};
use parsurvey_report::{Lang as ReportLang, ReportError, Results};

use super::Shared;
use super::shell::{Place, Shell, problem, said, unavailable};
use crate::problem::{Problem, Standing, reply};
use crate::words::Lang;

/// The column whose cells lead to an explanation.
const EXPLAINED: &str = "sub_criterion";

/// A table as the page prints it.
struct TableView {
    id: String,
    title: String,
    heads: Vec<(&'static str, String)>,
    rows: Vec<RowView>,
    notes: Vec<String>,
}

struct RowView {
    class: &'static str,
    cells: Vec<CellView>,
}

struct CellView {
    class: &'static str,
    text: String,
    /// Where the figure is explained.
    link: Option<String>,
}

#[derive(Template)]
#[template(path = "console/results.html")]
struct ResultsPage<'a> {
    c: Shell<'a>,
    marks: Vec<String>,
    policy: String,
    tables: Vec<TableView>,
    /// Files: address and label.
    files: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "console/explained.html")]
struct ExplainedPage<'a> {
    c: Shell<'a>,
    name: String,
    marks: Vec<String>,
    walks: Vec<(String, Vec<WalkStep>)>,
}

/// GET of the results.
pub(super) async fn page(State(room): State<Shared>, Extension(visitor): Extension<Visitor>, lang: Lang) -> Response {
    let results = match opened(&room, lang, &visitor).await {
        Ok(results) => results,
        Err(refused) => return refused,
    };
    let c = Shell::new(&room, lang, Some(&visitor), Place::Results, "c-results-title", "/console/results");
    let mut tables = Vec::new();
    for target in results.indexed() {
        tables.push(headline_table(&results, target));
        tables.push(sub_criteria_table(&results, target));
        tables.push(group_table(&results, target));
    }
    if !results.alternatives.is_empty() {
        tables.push(alternatives_table(&results));
    }
    if results.others().next().is_some() {
        tables.push(other_targets_table(&results));
    }
    // A file is the whole report: an account of one target has what the page shows.
    let whole = visitor.scope.target.is_none();
    let file = |name: &str, key: &str| (c.link(&format!("/console/results/files/{name}")), c.t(key));
    let files = if whole {
        vec![file("report.html", "c-results-html"), file("report.xlsx", "c-results-xlsx")]
    } else {
        Vec::new()
    };
    let page = ResultsPage {
        marks: marks(&results, lang),
        policy: lang.t1("c-results-policy", "policy", format!("{} {}", results.policy.name, results.policy.version)),
        tables: tables.iter().enumerate().map(|(place, table)| view(table, place, lang, &c)).collect(),
        files,
        c,
    };
    reply(Standing::Fine, page.render())
}

/// GET of the walk through one sub-criterion.
pub(super) async fn explained(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    lang: Lang,
    Path(code): Path<String>,
) -> Response {
    let results = match opened(&room, lang, &visitor).await {
        Ok(results) => results,
        Err(refused) => return refused,
    };
    let walked =
        code.parse::<SubCriterionCode>().ok().and_then(|code| explanations(&results, &code).ok().zip(Some(code)));
    let Some((walks, code)) = walked else {
        return problem(&room, lang, Some(&visitor), Problem::NoSuchPage);
    };
    let path = format!("/console/results/explain/{code}");
    let mut c = Shell::new(&room, lang, Some(&visitor), Place::Results, "c-results-title", &path);
    c.f.title = lang.t1("c-explained-title", "code", &code);
    let spoken = spoken(lang);
    let name = results.sub_criterion(&code).map(|leaf| spoken.of(&leaf.name).to_owned()).unwrap_or_default();
    let group = |code: &GroupCode| spoken.of(&results.group_name(code)).to_owned();
    let of_target = |code: &TargetCode| results.targets.iter().find(|target| target.code == *code);
    let walks = walks.iter().map(|walk| {
        let target = of_target(&walk.target).map_or_else(|| walk.target.to_string(), |t| spoken.of(&t.name).to_owned());
        (target, walk_steps(walk, spoken, group))
    });
    let page = ExplainedPage { name, marks: marks(&results, lang), walks: walks.collect(), c };
    reply(Standing::Fine, page.render())
}

/// GET of the report as a file.
pub(super) async fn file(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    lang: Lang,
    Path(name): Path<String>,
) -> Response {
    if visitor.scope.target.is_some() {
        return problem(&room, lang, Some(&visitor), Problem::NotAllowed);
    }
    let results = match opened(&room, lang, &visitor).await {
        Ok(results) => results,
        Err(refused) => return refused,
    };
    let Some((kind, make)) = document(&name) else {
        return problem(&room, lang, Some(&visitor), Problem::NoSuchPage);
    };
    let spoken = spoken(lang);
    // A workbook takes a moment of a whole core, in which others are served.
    let made = tokio::task::spawn_blocking(move || make(&results, spoken)).await;
    match made.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic())) {
        Ok(bytes) => saved_as(&name, kind, bytes),
        Err(error) => {
            tracing::error!(%error, "a report could not be made");
            problem(&room, lang, Some(&visitor), Problem::Defect)
        }
    }
}

type Make = fn(&Results, ReportLang) -> Result<Vec<u8>, ReportError>;

/// What a file is, and how it is made.
fn document(name: &str) -> Option<(&'static str, Make)> {
    match name {
        "report.html" => Some(("text/html; charset=utf-8", |results, lang| {
            parsurvey_report::html::html(results, lang).map(String::into_bytes)
        })),
        "report.xlsx" => {
            Some(("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", parsurvey_report::xlsx::xlsx))
        }
        _ => None,
    }
}

/// A file to be kept, never a page of ours: its styles are its own.
fn saved_as(name: &str, kind: &'static str, bytes: Vec<u8>) -> Response {
    let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, disposition)];
    (headers, bytes).into_response()
}

/// The results that somebody sees, or the page that says why there are none.
async fn opened(room: &Shared, lang: Lang, visitor: &Visitor) -> Result<Results, Response> {
    match room.desk.results_for(visitor, room.clock.now()).await {
        Ok(Some(results)) => Ok(results),
        Ok(None) => {
            let holder = lang.pick(&room.desk.campaign().key_holders.ballot_box);
            let text = lang.t1("c-results-sealed", "holder", holder);
            Err(said(room, lang, Some(visitor), Standing::Fine, "c-results-title", vec![text]))
        }
        Err(error) => Err(unavailable(room, lang, Some(visitor), &error)),
    }
}

fn spoken(lang: Lang) -> ReportLang {
    match lang {
        Lang::Vi => ReportLang::Vi,
        Lang::En => ReportLang::En,
    }
}

fn marks(results: &Results, lang: Lang) -> Vec<String> {
    results.marks().iter().map(|mark| spoken(lang).of(mark).to_owned()).collect()
}

/// A table as the page prints it; what only programs read is left out.
fn view(table: &Table, place: usize, lang: Lang, c: &Shell<'_>) -> TableView {
    let spoken = spoken(lang);
    let shown: Vec<usize> = (0..table.columns.len()).filter(|&at| !table.columns[at].technical).collect();
    let class = |align: Align| if align == Align::Right { "number" } else { "text" };
    let cell = |row: &parsurvey_report::table::Row, at: usize| {
        let column = &table.columns[at];
        let link = match &row.cells[at] {
            Cell::Text(code) if column.key == EXPLAINED && row.kind == RowKind::Body => {
                Some(c.link(&format!("/console/results/explain/{code}")))
            }
            _ => None,
        };
        let text = if row.is_total_key(column) { String::new() } else { row.cells[at].shown(spoken) };
        CellView { class: class(column.align), text, link }
    };
    TableView {
        id: format!("t{place}"),
        title: spoken.of(&table.title).to_owned(),
        heads: shown
            .iter()
            .map(|&at| (class(table.columns[at].align), spoken.of(&table.columns[at].label).to_owned()))
            .collect(),
        rows: table
            .rows
            .iter()
            .map(|row| RowView {
                class: match row.kind {
                    RowKind::Body => "",
                    RowKind::Heading => "part",
                    RowKind::Total => "total",
                },
                cells: shown.iter().map(|&at| cell(row, at)).collect(),
            })
            .collect(),
        notes: table.notes.iter().map(|note| spoken.of(note).to_owned()).collect(),
    }
}
