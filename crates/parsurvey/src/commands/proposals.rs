//! `proposals`, `approve`, `reject`, `withdraw`: the second person's hand; `independence`: the page that counts it.

use parsurvey_desk::proposals::Acted;
use parsurvey_index::tree::Text;
use parsurvey_ledger::{ProposalKind, ProposalRow};
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
        ControlCommand::Proposals => proposals(global).await,
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
    eprintln!("  help: somebody else runs `parsurvey approve {proposal} --actor NAME`; see `parsurvey proposals`");
    true
}

async fn proposals(global: &Global) -> Done {
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
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
    for row in desk.proposals().await? {
        let [added, changed, removed] = row.people.map(|n| Cell::Count(Some(n)));
        table.push(vec![
            Cell::Text(row.proposal.to_string()),
            Cell::Text(row.kind.as_str().into()),
            row.form.map_or(Cell::Blank, |form| Cell::Text(form.to_string())),
            Cell::Text(row.state.as_str().into()),
            added,
            changed,
            removed,
            Cell::Text(row.proposer),
            Cell::Text(row.reason),
            Cell::Text(row.document),
            Cell::Text(calendar::rfc3339(row.at, zone)),
            Cell::Text(row.decided_by.unwrap_or_default()),
            Cell::Text(row.decided_why.unwrap_or_default()),
        ]);
    }
    Output::of(global).table(&table)?;
    Ok(0)
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
    let form = row.form.unwrap_or_default();
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
