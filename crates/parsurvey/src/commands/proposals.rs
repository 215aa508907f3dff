//! `proposals`, `approve`, `reject`, `withdraw`: the second person's hand; `independence`: the page that counts it.

use jiff::tz::TimeZone;
use parsurvey_desk::proposals::Acted;
use parsurvey_index::tree::Text;
use parsurvey_ledger::{NewPerson, ProposalKind, ProposalRow, ProposalState, ReplacementKind, ShownChange};
use parsurvey_report::table::{Cell, Column, Table, to_json};
use parsurvey_report::tables::{UnitRow, independence_table, pair_table};
use parsurvey_survey::calendar;
use serde_json::json;

use super::{Done, audit, because, desk, now};
use crate::args::control::ControlCommand;
use crate::args::{BecauseArgs, Format, Global};
use crate::output::Output;

pub(crate) async fn run(global: &Global, command: ControlCommand) -> Done {
    match command {
        ControlCommand::Audit { command } => audit::run(global, command).await,
        ControlCommand::Independence => independence(global).await,
        ControlCommand::Proposals { proposal: None } => proposals(global).await,
        ControlCommand::Proposals { proposal: Some(proposal) } => show(global, proposal).await,
        ControlCommand::Approve { proposal, because } => approve(global, proposal, &because).await,
        ControlCommand::Reject { proposal, because } => reject(global, proposal, &because).await,
        ControlCommand::Withdraw { proposal, because } => withdraw(global, proposal, &because).await,
    }
}

/// Says that an act waits, and what it will do.
pub(crate) fn waits(acted: Acted, what: &str, consequences: &str) -> bool {
    let Acted::Waits { proposal, is_new } = acted else { return false };
    let again = if is_new { "" } else { " (it was proposed before)" };
    eprintln!("proposal {proposal}{again}: {what}; it waits for a second person");
    eprintln!("  when it is approved, {consequences}");
    eprintln!(
        "  help: somebody else looks at `parsurvey proposals {proposal}`, then runs `parsurvey approve {proposal} --actor NAME`"
    );
    true
}

async fn proposals(global: &Global) -> Done {
    let desk = desk(global).await?;
    let table = table_of(&desk.proposals().await?, &desk.campaign().time_zone);
    Output::of(global).table(&table)?;
    Ok(0)
}

fn table_of(rows: &[ProposalRow], zone: &TimeZone) -> Table {
    let mut table = Table::new(
        "proposals",
        text("Đề nghị cần người thứ hai", "Proposals that need a second person"),
        vec![
            Column::right("proposal", text("Số", "No.")),
            Column::left("what", text("Nội dung", "What")),
            Column::left("form", text("Phiếu số", "Form")),
            Column::left("state", text("Trạng thái", "State")),
            Column::right("added", text("Thêm người", "Added")),
            Column::right("changed", text("Sửa người", "Changed")),
            Column::right("removed", text("Bớt người", "Removed")),
            Column::left("proposer", text("Người đề nghị", "Proposer")),
            Column::left("reason", text("Lý do", "Reason")),
            Column::left("document", text("Văn bản", "Document")),
            Column::left("at", text("Thời điểm", "At")),
            Column::left("decided_by", text("Người quyết định", "Decided by")),
            Column::left("why", text("Lý do quyết định", "Why")),
        ],
    );
    for row in rows {
        let [added, changed, removed] = row.people.map(|n| Cell::Count(Some(n)));
        table.push(vec![
            Cell::Text(row.proposal.to_string()),
            Cell::Text(row.kind.as_str().into()),
            row.form.map_or(Cell::Blank, |form| Cell::Text(form.to_string())),
            Cell::Text(row.state.as_str().into()),
            added,
            changed,
            removed,
            Cell::Text(row.proposer.clone()),
            Cell::Text(row.reason.clone()),
            Cell::Text(row.document.clone()),
            Cell::Text(calendar::rfc3339(row.at, zone)),
            Cell::Text(row.decided_by.clone().unwrap_or_default()),
            Cell::Text(row.decided_why.clone().unwrap_or_default()),
        ]);
    }
    table
}

/// One proposal with the values before and after. They name people, and go to stdout alone.
async fn show(global: &Global, proposal: i64) -> Done {
    let desk = desk(global).await?;
    let shown = desk.proposal(proposal).await?;
    let output = Output::of(global);
    let mut tables =
        vec![table_of(std::slice::from_ref(&shown.row), &desk.campaign().time_zone), differences(&shown.changes)];
    let whole = json!({
        "proposal": to_json(&tables[0], output.lang),
        "replacement": shown.replacement.map(ReplacementKind::as_str),
        "can_be_approved": shown.can_be_approved,
        "changes": to_json(&tables[1], output.lang),
    });
    if global.format == Format::Csv {
        // CSV is one table; who proposed it is in the list of proposals.
        tables.remove(0);
    }
    output.tables(&tables, || whole)?;
    if shown.replacement == Some(ReplacementKind::Substitution) {
        eprintln!("a substitution: the holder was in post on the frame date, and the new one is counted apart");
    }
    match (shown.row.state, shown.can_be_approved) {
        (ProposalState::Open, true) => eprintln!(
            "it waits for a second person: `parsurvey approve {proposal} --actor NAME`, or `parsurvey reject {proposal} --reason TEXT`"
        ),
        (ProposalState::Open, false) => {
            eprintln!("what it rests on has changed since it was made, and it cannot be approved any more");
            eprintln!("  help: withdraw or reject it, and propose again");
        }
        (state, _) => eprintln!("it is {state}; what it would have made of people is shown only while it is open"),
    }
    Ok(0)
}

/// Every value that would differ, and whom it is about.
fn differences(changes: &[ShownChange]) -> Table {
    let mut table = Table::new(
        "changes",
        text("Thay đổi được đề nghị", "Changes that are proposed"),
        vec![
            Column::left("change", text("Thay đổi", "Change")),
            Column::left("form", text("Phiếu số", "Form")),
            Column::left("person", text("Người số", "Person")),
            Column::left("field", text("Mục", "Field")),
            Column::left("old", text("Hiện nay", "Now")),
            Column::left("new", text("Đề nghị", "Proposed")),
        ],
    );
    for change in changes {
        let what = match (&change.old, &change.new) {
            (None, _) => "added",
            (_, None) => "removed",
            (Some(_), Some(_)) => "changed",
        };
        let number = |number: Option<i64>| number.map_or(Cell::Blank, |number| Cell::Text(number.to_string()));
        let (old, new) = (change.old.as_ref().map(fields), change.new.as_ref().map(fields));
        for (place, (field, always)) in FIELDS.into_iter().enumerate() {
            let of = |values: &Option<[String; 5]>| values.as_ref().map_or("", |values| &values[place]).to_owned();
            let (old, new) = (of(&old), of(&new));
            if always || old != new {
                table.push(vec![
                    Cell::Text(what.into()),
                    number(change.form),
                    number(change.person),
                    Cell::Text(field.into()),
                    Cell::Text(old),
                    Cell::Text(new),
                ]);
            }
        }
    }
    table
}

/// What is shown of a person, and whether also where it stays as it is: whoever decides has to know whom it is about.
const FIELDS: [(&str, bool); 5] =
    [("name", true), ("email", true), ("position", true), ("id", false), ("seats", false)];

/// The values in the order of [`FIELDS`].
fn fields(person: &NewPerson) -> [String; 5] {
    let seats: Vec<String> =
        person.seats.iter().map(|seat| format!("{}/{}/{}", seat.target, seat.group, seat.unit)).collect();
    let id = person.external_id.clone().unwrap_or_default();
    [person.name.clone(), person.email.clone(), person.position.clone(), id, seats.join(" ")]
}

async fn approve(global: &Global, proposal: i64, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    let done = desk.approve(proposal, &because(global, args), now(global, desk.campaign())?).await?;
    eprintln!("proposal {proposal} is carried out: {}", done_words(&done));
    eprintln!("`parsurvey invite` tells the former addresses and sends the invitations that are owed");
    Ok(0)
}

fn done_words(row: &ProposalRow) -> String {
    let [added, changed, removed] = row.people;
    let form = row.form.map_or_else(|| "?".to_owned(), |form| form.to_string());
    match row.kind {
        ProposalKind::Address => format!("form {form} has another address, and its former link is dead"),
        ProposalKind::Replacement => format!("form {form} has another holder, and its former link is dead"),
        ProposalKind::Roster => format!("the list has {added} people more, {changed} changed, {removed} removed"),
    }
}

async fn reject(global: &Global, proposal: i64, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    desk.reject(proposal, &because(global, args), now(global, desk.campaign())?).await?;
    eprintln!("proposal {proposal} is rejected; nothing was changed");
    Ok(0)
}

async fn withdraw(global: &Global, proposal: i64, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    desk.withdraw(proposal, &because(global, args), now(global, desk.campaign())?).await?;
    eprintln!("proposal {proposal} is withdrawn; nothing was changed");
    Ok(0)
}

async fn independence(global: &Global) -> Done {
    let desk = desk(global).await?;
    let page = desk.independence().await?;
    let rows: Vec<UnitRow> = desk
        .campaign()
        .units
        .iter()
        .map(|unit| UnitRow {
            unit: unit.code.to_string(),
            name: unit.name.clone(),
            changes: page.changes.units.get(&unit.code).cloned().unwrap_or_default(),
            calls: page.calls.get(&unit.code).cloned().unwrap_or_default(),
        })
        .collect();
    let output = Output::of(global);
    let mut tables = vec![independence_table(&rows), pair_table(&page.changes.pairs)];
    let whole = json!({"units": to_json(&tables[0], output.lang), "people": to_json(&tables[1], output.lang)});
    if global.format == Format::Csv {
        // CSV is one table; who did it is in the JSON and on the terminal.
        tables.truncate(1);
    }
    output.tables(&tables, || whole)?;
    Ok(0)
}

fn text(vi: &str, en: &str) -> Text {
    Text { vi: vi.into(), en: en.into() }
}
