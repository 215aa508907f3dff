//! What was found before the first mail, one row per thing that was checked; and the seed mailboxes.
//!
//! Rows come plain from the caller. Domains and hosts stand in them, never a respondent's address.

use parsurvey_index::tree::Text;

use super::code;
use crate::lang::text;
use crate::table::{Cell, Column, Row, RowKind, Table};

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    /// What was checked, such as `spf`.
    pub check: &'static str,
    /// The domain, host or address.
    pub about: String,
    /// `ok`, `warning`, `fault` or `unknown`.
    pub verdict: &'static str,
    /// What was found.
    pub found: Text,
    /// Why that is so good or bad.
    pub reason: Text,
    /// What to do.
    pub remedy: Text,
    /// The line to publish in DNS.
    pub publish: Option<String>,
}

/// Everything that was checked, as data.
#[must_use]
pub fn check_table(checks: &[CheckRow]) -> Table {
    let mut columns = columns();
    columns.push(Column::left("remedy", text("Cách khắc phục", "Remedy")));
    columns.push(Column::left("publish", text("Bản ghi DNS cần công bố", "DNS record to publish")));
    let mut table = Table::new("doctor", title(), columns);
    for check in checks {
        let mut cells = vec![code(check.check), code(&check.about), code(check.verdict)];
        cells.extend([&check.found, &check.reason, &check.remedy].map(|text| Cell::Name(text.clone())));
        cells.push(check.publish.as_ref().map_or(Cell::Blank, code));
        table.push(cells);
    }
    table
}

/// The same for people: what to do stands below, where a line can be copied whole.
#[must_use]
pub fn checks_for_people(checks: &[CheckRow]) -> Table {
    let mut table = Table::new("doctor", title(), columns());
    for check in checks {
        let cells = vec![
            Cell::Name(name_of(check.check)),
            code(&check.about),
            Cell::Name(verdict(check.verdict)),
            Cell::Name(check.found.clone()),
            Cell::Name(check.reason.clone()),
        ];
        table.push_row(Row { kind: RowKind::Body, marked: check.verdict == "fault", cells });
    }
    for check in checks.iter().filter(|check| !check.remedy.vi.is_empty()) {
        let (name, word) = (name_of(check.check), verdict(check.verdict));
        let about = if check.about.is_empty() { String::new() } else { format!(" {}", check.about) };
        table.notes.push(text(
            format!("{}{about} ({}): {}", name.vi, word.vi, check.remedy.vi),
            format!("{}{about} ({}): {}", name.en, word.en, check.remedy.en),
        ));
        if let Some(line) = &check.publish {
            table.notes.push(text(line.clone(), line.clone()));
        }
    }
    table
}

fn title() -> Text {
    text("Kiểm tra trước khi gửi", "Checks before sending")
}

fn columns() -> Vec<Column> {
    vec![
        Column::left("check", text("Kiểm tra", "Check")),
        Column::left("about", text("Đối tượng", "About")),
        Column::left("verdict", text("Kết luận", "Verdict")),
        Column::left("found", text("Tìm thấy", "Found")),
        Column::left("reason", text("Ý nghĩa", "Meaning")),
    ]
}

/// What a check is called by people.
fn name_of(check: &str) -> Text {
    match check {
        "relay" => text("Máy chủ chuyển thư", "Relay"),
        "tls" => text("Mã hóa đường truyền", "Encryption"),
        "certificate" => text("Chứng thư", "Certificate"),
        "login" => text("Đăng nhập", "Login"),
        "spf" => text("SPF", "SPF"),
        "dkim" => text("DKIM", "DKIM"),
        "dmarc" => text("DMARC", "DMARC"),
        "alignment" => text("DMARC: khớp tên miền", "DMARC alignment"),
        "mx" => text("Nhận thư (MX)", "Mail back (MX)"),
        "reverse" => text("Tên ngược", "Reverse name"),
        "recipient" => text("Tên miền người nhận", "Recipients"),
        "seed" => text("Hộp thư thử", "Seed"),
        other => text(other, other),
    }
}

fn verdict(word: &str) -> Text {
    match word {
        "ok" => text("đạt", "ok"),
        "warning" => text("cảnh báo", "warning"),
        "fault" => text("LỖI", "FAULT"),
        "unknown" => text("chưa rõ", "not known"),
        other => text(other, other),
    }
}

/// A seed mailbox and the last look into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedRow {
    /// The mailbox's domain.
    pub domain: String,
    /// The mailbox, for the operator who asked.
    pub mailbox: String,
    /// Who can look into it.
    pub holder: String,
    /// `inbox`, `spam` or `missing`; absent where nobody looked.
    pub result: Option<&'static str>,
    /// When that was recorded, RFC 3339.
    pub at: Option<String>,
    /// Who recorded it.
    pub actor: Option<String>,
}

/// Seed mailboxes, one row each.
#[must_use]
pub fn seed_table(seeds: &[SeedRow]) -> Table {
    let mut table = Table::new(
        "seeds",
        text("Hộp thư thử", "Seed mailboxes"),
        vec![
            Column::left("domain", text("Tên miền", "Domain")),
            Column::left("mailbox", text("Hộp thư", "Mailbox")),
            Column::left("holder", text("Người xem", "Holder")),
            Column::left("result", text("Kết quả", "Result")),
            Column::left("at", text("Thời điểm", "At")),
            Column::left("actor", text("Người ghi", "Recorded by")),
        ],
    );
    for seed in seeds {
        let maybe = |value: Option<&str>| value.map_or(Cell::Blank, code);
        table.push(vec![
            code(&seed.domain),
            code(&seed.mailbox),
            code(&seed.holder),
            maybe(seed.result),
            maybe(seed.at.as_deref()),
            maybe(seed.actor.as_deref()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{CheckRow, SeedRow, check_table, checks_for_people, seed_table};
    use crate::lang::{Lang, text};
    use crate::table::{Table, to_csv, to_terminal};

    fn check(verdict: &'static str, remedy: &str, publish: Option<&str>) -> CheckRow {
        CheckRow {
            check: "spf",
            about: "a.example".into(),
            verdict,
            found: text("không có", "none"),
            reason: text("vì thế", "so"),
            remedy: text(remedy, remedy),
            publish: publish.map(str::to_owned),
        }
    }

    fn is_even(table: &Table) -> bool {
        table.rows.iter().all(|row| row.cells.len() == table.columns.len())
    }

    #[test]
    fn people_find_the_line_to_publish_whole_and_programs_in_its_column() {
        let line = "a.example. IN TXT \"v=spf1 -all\"";
        let checks = [check("ok", "", None), check("fault", "publish", Some(line))];
        let (data, people) = (check_table(&checks), checks_for_people(&checks));
        assert!(is_even(&data) && is_even(&people));
        let csv = to_csv(&data, Lang::En).expect("csv");
        assert_eq!(csv.lines().next(), Some("check,about,verdict,found,reason,remedy,publish"));
        assert_eq!(csv.lines().nth(1), Some("spf,a.example,ok,none,so,,"));
        let shown = to_terminal(&people, Lang::Vi, Some(80));
        assert!(
            shown.contains("LỖI") && shown.ends_with(&format!("* SPF a.example (LỖI): publish\n* {line}\n")),
            "{shown}"
        );
    }

    #[test]
    fn a_seed_that_nobody_looked_into_has_empty_cells() {
        let seed = SeedRow {
            domain: "a.example".into(),
            mailbox: "x@a.example".into(),
            holder: "Lan".into(),
            result: None,
            at: None,
            actor: None,
        };
        let table = seed_table(&[seed]);
        assert!(is_even(&table));
        assert_eq!(to_csv(&table, Lang::En).expect("csv").lines().nth(1), Some("a.example,x@a.example,Lan,,,"));
    }
}
