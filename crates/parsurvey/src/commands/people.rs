//! `roster` and the acts on seats. The list with names goes to stdout, for the operator who asked; never to a log.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use parsurvey_desk::Desk;
use parsurvey_desk::acts::Successor;
use parsurvey_desk::proposals::Acted;
use parsurvey_desk::roster::{ImportOptions, Imported};
use parsurvey_index::tree::Text;
use parsurvey_ledger::PersonRow;
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_survey::disposition::Disposition;
use parsurvey_survey::seat::ExcuseCategory;
use serde_json::json;

use super::{Done, because, desk, now, proposals};
use crate::args::{BecauseArgs, Category, Format, Global, RosterCommand};
use crate::faults::print_faults;
use crate::output::Output;

pub(crate) async fn roster(global: &Global, command: RosterCommand) -> Done {
    match command {
        RosterCommand::Import { file, sheet, accept, dry_run, amend, removes, because } => {
            let accept = accept.into_iter().collect();
            import(global, &file, &ImportOptions { sheet, accept, dry_run, amend, removes }, &because).await
        }
        RosterCommand::List { unit, group } => list(global, unit, group).await,
    }
}

async fn import(global: &Global, file: &Path, options: &ImportOptions, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let imported = desk.import_roster(file, options, &because(global, args), now).await?;
    let reading = &imported.reading;
    print_faults(&reading.faults, "error");
    print_faults(&reading.warnings, "warning");
    for repair in &reading.repaired {
        eprintln!("repaired: line {}, {}: '{}' → '{}'", repair.line, repair.field, repair.from, repair.to);
    }
    let output = Output::of(global);
    match global.format {
        Format::Json => output.json(&as_json(&imported))?,
        Format::Table if imported.difference.is_empty() => output.table(&summary(&imported))?,
        Format::Table => output.tables(&[summary(&imported), changes(&imported)], || as_json(&imported))?,
        Format::Csv => output.table(&changes(&imported))?,
    }
    for pair in &imported.difference.perhaps_same {
        eprintln!(
            "perhaps the same person: stored person {} is gone and line {} is new; give the list an id column to keep the seat",
            pair.removed, pair.added
        );
    }
    if !reading.is_clean() {
        let faults = reading.faults.len();
        let refused = reading.blocking().count() - faults;
        eprintln!("nothing was stored: {faults} fault(s), {refused} warning(s) not accepted (see --accept)");
        return Ok(1);
    }
    if let Some(acted) = imported.waits {
        let difference = &imported.difference;
        let consequences = format!(
            "{} people are added, {} changed, {} removed and {} return; who is removed or gets another address is told at \
             the old one, whose link dies, and whoever is new there is owed an invitation",
            difference.added.len(),
            difference.changed.len(),
            difference.removed.len(),
            difference.returned.len()
        );
        proposals::waits(acted, "the list is corrected", &consequences);
        return Ok(0);
    }
    eprintln!("{}", if imported.stored { "stored" } else { "nothing was changed" });
    Ok(0)
}

fn as_json(imported: &Imported) -> serde_json::Value {
    let reading = &imported.reading;
    let difference = &imported.difference;
    json!({
        "read": reading.read,
        "valid": reading.rows.len(),
        "repaired": reading.repaired.iter().map(|r| json!({"line": r.line, "field": r.field, "from": r.from, "to": r.to})).collect::<Vec<_>>(),
        "faults": reading.faults.iter().map(fault_json).collect::<Vec<_>>(),
        "warnings": reading.warnings.iter().map(fault_json).collect::<Vec<_>>(),
        "added": difference.added.len(),
        "changed": difference.changed.len(),
        "removed": difference.removed.len(),
        "returned": difference.returned.len(),
        "proposal": match imported.waits {
            Some(Acted::Waits { proposal, .. }) => Some(proposal),
            Some(Acted::Done) | None => None,
        },
    })
}

fn fault_json(fault: &parsurvey_survey::fault::Fault) -> serde_json::Value {
    json!({"line": fault.line, "field": fault.field, "code": fault.code, "reason": fault.reason, "remedy": fault.remedy})
}

fn summary(imported: &Imported) -> Table {
    let reading = &imported.reading;
    let difference = &imported.difference;
    let columns = [
        ("read", "Dòng đã đọc", "Read", reading.read),
        ("valid", "Hợp lệ", "Valid", reading.rows.len()),
        ("repaired", "Đã sửa", "Repaired", reading.repaired.len()),
        ("faults", "Lỗi", "Faults", reading.faults.len()),
        ("warnings", "Cảnh báo", "Warnings", reading.warnings.len()),
        ("added", "Thêm", "Added", difference.added.len()),
        ("changed", "Thay đổi", "Changed", difference.changed.len()),
        ("removed", "Bớt", "Removed", difference.removed.len()),
        ("returned", "Trở lại", "Returned", difference.returned.len()),
    ];
    let mut table = Table::new(
        "roster",
        text("Danh sách", "Roster"),
        columns.iter().map(|(key, vi, en, _)| Column::right(*key, text(vi, en))).collect(),
    );
    table.push(columns.iter().map(|(_, _, _, n)| Cell::Count(Some(*n as u64))).collect());
    table
}

/// Rows that are shown of each kind of change; a first import is all additions.
const CHANGES_SHOWN: usize = 40;

fn changes(imported: &Imported) -> Table {
    let mut table = Table::new(
        "changes",
        text("Thay đổi so với danh sách đã lưu", "Changes to what is stored"),
        vec![
            Column::left("change", text("Thay đổi", "Change")),
            Column::right("line", text("Dòng", "Line")),
            Column::left("name", text("Họ và tên", "Name")),
            Column::left("unit", text("Đơn vị", "Unit")),
            Column::left("fields", text("Nội dung", "Fields")),
        ],
    );
    let difference = &imported.difference;
    for row in difference.added.iter().take(CHANGES_SHOWN) {
        table.push(change_row(text("thêm", "added"), Some(row.line), &row.name, row.unit.as_str(), ""));
    }
    for change in difference.changed.iter().take(CHANGES_SHOWN) {
        let fields = change.fields.join(", ");
        let row = &change.row;
        table.push(change_row(text("sửa", "changed"), Some(row.line), &row.name, row.unit.as_str(), &fields));
    }
    for change in difference.returned.iter().take(CHANGES_SHOWN) {
        let fields = change.fields.join(", ");
        let row = &change.row;
        table.push(change_row(text("trở lại", "returned"), Some(row.line), &row.name, row.unit.as_str(), &fields));
    }
    for person in difference.removed.iter().take(CHANGES_SHOWN) {
        table.push(change_row(text("bớt", "removed"), None, &person.name, person.unit.as_str(), ""));
    }
    table
}

fn change_row(change: Text, line: Option<usize>, name: &str, unit: &str, fields: &str) -> Vec<Cell> {
    vec![
        Cell::Name(change),
        line.map_or(Cell::Blank, |line| Cell::Text(line.to_string())),
        Cell::Text(name.to_owned()),
        Cell::Text(unit.to_owned()),
        Cell::Text(fields.to_owned()),
    ]
}

async fn list(global: &Global, unit: Option<String>, group: Option<String>) -> Done {
    let desk = desk(global).await?;
    let mut table = Table::new(
        "seats",
        text("Danh sách phiếu", "Seats"),
        vec![
            Column::right("form", text("Phiếu số", "Form")),
            Column::left("name", text("Họ và tên", "Name")),
            Column::left("email", text("Thư điện tử", "Address")),
            Column::left("position", text("Chức vụ", "Position")),
            Column::left("group", text("Nhóm", "Group")),
            Column::left("unit", text("Đơn vị", "Unit")),
            Column::left("target", text("Đối tượng đánh giá", "Target")),
            Column::left("disposition", text("Tình trạng", "Disposition")),
        ],
    );
    let seats = desk.ledger().seats().await?;
    let people = desk.ledger().stored_people().await?.people;
    let people: BTreeMap<i64, &PersonRow> = people.iter().map(|person| (person.person, person)).collect();
    let wanted = |code: &str, filter: &Option<String>| filter.as_deref().is_none_or(|filter| filter == code);
    for seat in seats.iter().filter(|s| wanted(s.unit.as_str(), &unit) && wanted(s.group.as_str(), &group)) {
        let person = people.get(&seat.person);
        let field =
            |read: fn(&PersonRow) -> &String| Cell::Text(person.map(|person| read(person).clone()).unwrap_or_default());
        table.push(vec![
            Cell::Text(seat.form.to_string()),
            field(|person| &person.name),
            field(|person| &person.email),
            field(|person| &person.position),
            Cell::Text(seat.group.to_string()),
            Cell::Text(seat.unit.to_string()),
            Cell::Text(seat.target.to_string()),
            Cell::Text(Disposition::of(seat).code().to_owned()),
        ]);
    }
    Output::of(global).table(&table)?;
    Ok(0)
}

pub(crate) async fn excuse(global: &Global, form: i64, category: Category, args: &BecauseArgs) -> Done {
    let category = match category {
        Category::Ill => ExcuseCategory::Ill,
        Category::Away => ExcuseCategory::Away,
        Category::Dead => ExcuseCategory::Dead,
        Category::Other => ExcuseCategory::Other,
    };
    let (desk, now) = opened(global).await?;
    desk.excuse(form, category, &because(global, args), now).await?;
    told("excused", form)
}

pub(crate) async fn reinstate(global: &Global, form: i64, args: &BecauseArgs) -> Done {
    let (desk, now) = opened(global).await?;
    desk.reinstate(form, &because(global, args), now).await?;
    told("reinstated", form)
}

pub(crate) async fn replace(global: &Global, form: i64, successor: &Successor, args: &BecauseArgs) -> Done {
    let (desk, now) = opened(global).await?;
    let acted = desk.replace(form, successor, &because(global, args), now).await?;
    let consequences = "the old link dies, the old address is told, and the new holder is owed an invitation (1 mail)";
    if proposals::waits(acted, &format!("form {form} passes to another person"), consequences) {
        return Ok(0);
    }
    eprintln!("the former link is dead; `parsurvey invite` sends the new holder an invitation");
    told("replaced", form)
}

pub(crate) async fn correct_address(global: &Global, form: i64, email: &str, args: &BecauseArgs) -> Done {
    let (desk, now) = opened(global).await?;
    let acted = desk.correct_address(form, email, &because(global, args), now).await?;
    let consequences = "the old link dies, the old address is told, and the new one is owed an invitation (1 mail)";
    if proposals::waits(acted, &format!("form {form} gets another address"), consequences) {
        return Ok(0);
    }
    eprintln!("`parsurvey invite` sends an invitation to the new address");
    told("address corrected", form)
}

pub(crate) async fn decline(global: &Global, form: i64, args: &BecauseArgs) -> Done {
    let (desk, now) = opened(global).await?;
    desk.decline(form, &because(global, args), now).await?;
    told("recorded as declined; no reminder will be sent, and the unit is not told", form)
}

pub(crate) async fn extend(global: &Global, until: Timestamp, args: &BecauseArgs) -> Done {
    let (desk, now) = opened(global).await?;
    desk.extend(until, &because(global, args), now).await?;
    eprintln!("the deadline is now {}", parsurvey_survey::calendar::written(until, &desk.campaign().time_zone));
    Ok(0)
}

async fn opened(global: &Global) -> Result<(Desk, Timestamp), crate::faults::Failure> {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    Ok((desk, now))
}

fn told(what: &str, form: i64) -> Done {
    eprintln!("form {form}: {what}");
    Ok(0)
}

fn text(vi: &str, en: &str) -> Text {
    Text { vi: vi.into(), en: en.into() }
}
