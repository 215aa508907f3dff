//! The documents as a whole: snapshots of tables and JSON, and what must hold of every HTML page and workbook.
//!
//! How a page looks is not tested here; it was looked at.

mod fixture;

use std::io::Cursor;

use calamine::{Reader as _, Xlsx};
use fixture::{names, results};
use parsurvey_index::exact::{Quantity, Why};
use parsurvey_report::table::{Table, to_csv, to_json, to_terminal};
use parsurvey_report::tables::{self, EventRow, MailRow};
use parsurvey_report::{Lang, Results, html, score_json, xlsx};

fn all_tables(results: &Results) -> Vec<Table> {
    let target = &results.targets[0];
    let status = results.status.as_ref().expect("the fixture has a status");
    vec![
        tables::headline_table(results, target),
        tables::completion_table(&status.headline),
        tables::response_table(status, &results.groups),
        tables::status_table(status, &names()),
        tables::group_table(results, target),
        tables::area_table(results, target),
        tables::sub_criteria_table(results, target),
        tables::below_goal_table(results, target),
        tables::other_targets_table(results),
        tables::weight_table(results),
        tables::alternatives_table(results),
        tables::input_table(results),
        tables::mail_table(&[MailRow {
            mail: 9,
            form: 7,
            group: "heads".into(),
            unit: "so-noi-vu".into(),
            kind: "invitation".into(),
            wave: 0,
            state: "rejected".into(),
            code: Some(550),
            text: "\u{1b}[31m=no such\tuser".into(),
            at: "2023-12-11T08:00:00+07:00".into(),
        }]),
        tables::event_table(&[EventRow {
            id: 1,
            at: "2023-12-20T08:00:00+07:00".into(),
            actor: "phuong".into(),
            act: "excuse".into(),
            form: Some(7),
            reason: "-ốm, công văn 12/SNV".into(),
        }]),
    ]
}

fn printed(lang: Lang, width: Option<u16>) -> String {
    all_tables(&results()).iter().map(|table| to_terminal(table, lang, width) + "\n").collect()
}

#[test]
fn every_row_has_one_cell_per_column() {
    for table in all_tables(&results()) {
        for row in &table.rows {
            assert_eq!(row.cells.len(), table.columns.len(), "{}", table.key);
        }
    }
}

#[test]
fn tables_on_the_terminal() {
    insta::assert_snapshot!("terminal_vi", printed(Lang::Vi, Some(140)));
    insta::assert_snapshot!("terminal_en", printed(Lang::En, None));
    assert!(!printed(Lang::Vi, None).contains('\u{1b}'), "a relay's text must not steer the terminal");
}

#[test]
fn tables_as_csv_have_plain_numbers_and_no_formulas() {
    let csv: String = all_tables(&results())
        .iter()
        .map(|table| format!("# {}\n{}\n", table.key, to_csv(table, Lang::Vi).expect("csv")))
        .collect();
    for cell in csv.lines().flat_map(|line| line.split(',')).filter(|cell| !cell.starts_with('#')) {
        let number = cell.trim_end_matches(" pp").parse::<f64>().is_ok();
        assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t']), "{cell}");
    }
    insta::assert_snapshot!("csv", csv);
}

#[test]
fn tables_as_json_are_keyed_by_column() {
    let results = results();
    let json = to_json(&tables::sub_criteria_table(&results, &results.targets[0]), Lang::Vi);
    insta::assert_json_snapshot!("json_sub_criteria", json);
    let json = to_json(&tables::response_table(results.status.as_ref().expect("status"), &results.groups), Lang::En);
    insta::assert_json_snapshot!("json_response", json);
}

#[test]
fn the_score_contract() {
    insta::assert_json_snapshot!("score", score_json::score_json(&results()));
    insta::assert_json_snapshot!("index", score_json::index_json(&results()));
}

#[test]
fn a_hidden_cell_has_a_reason_and_no_number() {
    let mut results = results();
    let cell = &mut results.targets[0].score.sub_criteria[0].groups[0];
    cell.questions[0].hidden = Some("fewer than 5 ballots".into());
    let json = score_json::score_json(&results);
    let cell = &json["targets"][0]["sub_criteria"][0]["groups"][0];
    assert_eq!(cell["hidden"], "fewer than 5 ballots");
    for key in ["counts", "no_opinion", "blank"] {
        assert!(cell[key].is_null(), "{key}");
    }
    assert_eq!(cell["percent"]["why"], "hidden");
}

#[test]
fn several_questions_have_their_counts_apart() {
    let mut results = results();
    let cell = &mut results.targets[0].score.sub_criteria[0].groups[0];
    cell.questions.push(cell.questions[0].clone());
    let json = score_json::score_json(&results);
    let cell = &json["targets"][0]["sub_criteria"][0]["groups"][0];
    assert!(cell["counts"].is_null());
    assert_eq!(cell["questions"].as_array().map(Vec::len), Some(2));
    assert_eq!(cell["questions"][1]["counts"]["4"], 3);
}

#[test]
fn the_page_asks_nothing_of_the_network_and_runs_nothing() {
    for lang in [Lang::Vi, Lang::En] {
        let page = html::html(&results(), lang).expect("html");
        for banned in
            ["http:", "https:", "//", "<script", "<link", "<img", "src=", "url(", "@import", "onclick", "javascript:"]
        {
            assert!(!page.contains(banned), "{banned}");
        }
    }
}

#[test]
fn the_page_says_what_it_is_made_of() {
    let vi = html::html(&results(), Lang::Vi).expect("html");
    for words in [
        "SỐ LIỆU GIẢ ĐỊNH",
        "CHƯA CÔNG BỐ",
        "one-to-two",
        "1.246",
        "99,76",
        &"ab".repeat(32),
        "Sở Nội vụ",
        "170/KH-UBND",
    ] {
        assert!(vi.contains(words), "{words}");
    }
    let en = html::html(&results(), Lang::En).expect("html");
    for words in ["SYNTHETIC SAMPLE", "NOT RELEASED", "1,246", "99.76"] {
        assert!(en.contains(words), "{words}");
    }
    let mut real = results();
    (real.synthetic, real.released) = (false, true);
    let real = html::html(&real, Lang::Vi).expect("html");
    for words in ["SỐ LIỆU GIẢ ĐỊNH", "CHƯA CÔNG BỐ"] {
        assert!(!real.contains(words), "{words}");
    }
}

#[test]
fn the_page_escapes_what_it_is_given() {
    let mut results = results();
    results.inputs[0].path = "<script>alert(1)</script>".into();
    results.groups[0].name.vi = "a</text><script>".into();
    let page = html::html(&results, Lang::Vi).expect("html");
    assert!(!page.contains("<script"), "{page}");
}

#[test]
fn the_page_in_words() {
    let page = html::html(&results(), Lang::Vi).expect("html");
    let body = page.split_once("<body>").expect("a body").1;
    insta::assert_snapshot!("html_vi", body);
}

#[test]
fn the_same_results_give_the_same_bytes() {
    let (one, two) = (results(), results());
    assert_eq!(html::html(&one, Lang::Vi).expect("html"), html::html(&two, Lang::Vi).expect("html"));
    assert_eq!(xlsx::xlsx(&one, Lang::Vi).expect("xlsx"), xlsx::xlsx(&two, Lang::Vi).expect("xlsx"));
}

#[test]
fn the_workbook_needs_a_moment() {
    let mut results = results();
    results.generated_at = "yesterday".into();
    let error = xlsx::xlsx(&results, Lang::Vi).expect_err("no moment");
    assert!(error.to_string().contains("RFC 3339"), "{error}");
}

fn sheet_cells(results: &Results, sheet: &str) -> (Vec<String>, Vec<String>) {
    let bytes = xlsx::xlsx(results, Lang::Vi).expect("xlsx");
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a workbook");
    let formulas = book.worksheet_formula(sheet).expect("the sheet");
    let formulas = formulas.used_cells().map(|(_, _, formula)| formula.clone()).filter(|formula| !formula.is_empty());
    let formulas = formulas.collect();
    let values = book.worksheet_range(sheet).expect("the sheet");
    (formulas, values.used_cells().map(|(_, _, value)| value.to_string()).collect())
}

#[test]
fn the_workbook_has_live_sums_beside_exact_fractions() {
    let (formulas, values) = sheet_cells(&results(), "Lĩnh vực");
    for formula in ["SUM(C6:C9)", "SUM(C6,E6,G6)", "SUM(D6,F6,H6)", "I6/J6*100", "SUM(C10,E10,G10)"] {
        assert!(formulas.iter().any(|found| found == formula), "{formula} in {formulas:?}");
    }
    assert!(values.iter().any(|value| value == "1276489/13950"), "{values:?}");
    assert!(values.iter().any(|value| value.starts_with("38.43")), "the cached sum in {values:?}");
    let (formulas, _) = sheet_cells(&results(), "Phiếu");
    assert!(formulas.iter().any(|formula| formula == "SUM(B6:B7,B9:B9)"), "{formulas:?}");
}

#[test]
fn a_sum_without_a_value_is_no_formula() {
    let mut results = results();
    let lost = Quantity::Without(Why::NotDeterminable);
    let index = results.targets[0].index.as_mut().expect("an index");
    for row in [&mut index.areas[1], &mut index.total] {
        (row.survey, row.points, row.percent) = (lost.clone(), lost.clone(), lost.clone());
    }
    let (formulas, values) = sheet_cells(&results, "Lĩnh vực");
    for formula in ["SUM(E6:E9)", "SUM(C7,E7,G7)", "I10/J10*100"] {
        assert!(formulas.iter().all(|found| found != formula), "{formula} in {formulas:?}");
    }
    assert!(values.iter().any(|value| value == "– (không xác định được)"), "{values:?}");
}
