//! `purge`: the retention table, shown or carried out.

use parsurvey_desk::purge::{PurgeRow, Standing};
use parsurvey_index::tree::Text;
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_survey::calendar;
use parsurvey_survey::campaign::Campaign;

use super::{Done, because, desk, now};
use crate::args::{BecauseArgs, Global};
use crate::output::Output;

pub(crate) async fn purge(global: &Global, dry_run: bool, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let before = desk.retention(now).await?;
    let rows = if dry_run { before.clone() } else { desk.purge(&because(global, args), now).await? };
    Output::of(global).table(&table(desk.campaign(), &rows))?;
    let due: Vec<_> = before.iter().filter(|row| row.standing == Standing::Due).map(|row| row.what.as_str()).collect();
    match (dry_run, due.is_empty()) {
        (true, false) => eprintln!("would erase: {}; nothing was changed", due.join(", ")),
        (false, false) => eprintln!("erased: {}; persons are shown by their numbers from now on", due.join(", ")),
        (_, true) => match next(&rows, desk.campaign()) {
            Some(next) => eprintln!("nothing is due; the next is {next}"),
            None => eprintln!("everything that the program erases was erased before"),
        },
    }
    eprintln!(
        "stays: numbers of forms and persons, times, states and the log, so that its chain verifies and counts hold"
    );
    for row in rows.iter().filter(|row| row.standing == Standing::ByHand) {
        eprintln!(
            "note: {} are due and lie where the program cannot reach; destroy them there and keep a record",
            row.what
        );
    }
    Ok(0)
}

/// What is erased next, and when.
fn next(rows: &[PurgeRow], campaign: &Campaign) -> Option<String> {
    let early = rows.iter().filter(|row| row.standing == Standing::Early && row.then.as_str() == "erase");
    let next = early.filter_map(|row| Some((row.due?, row.what))).min()?;
    Some(format!("{} from {}", next.1, calendar::written(next.0, &campaign.time_zone)))
}

fn table(campaign: &Campaign, rows: &[PurgeRow]) -> Table {
    let text = |vi: &str, en: &str| Text { vi: vi.into(), en: en.into() };
    let mut table = Table::new(
        "retention",
        text("Thời hạn lưu dữ liệu", "Retention of data"),
        vec![
            Column::left("what", text("Dữ liệu", "Data")),
            Column::left("action", text("Xử lý", "Action")),
            Column::left("due", text("Đến hạn", "Due")),
            Column::left("standing", text("Tình trạng", "Standing")),
            Column::left("at", text("Thời điểm xóa", "Erased at")),
            Column::right("items", text("Số mục", "Items")),
        ],
    );
    let moment = |moment: Option<jiff::Timestamp>| {
        Cell::Text(moment.map(|moment| calendar::written(moment, &campaign.time_zone)).unwrap_or_default())
    };
    for row in rows {
        let erased = match row.standing {
            Standing::Erased(at) => Some(at),
            Standing::Due | Standing::Early | Standing::ByHand | Standing::Stays => None,
        };
        table.push(vec![
            Cell::Text(row.what.to_string()),
            Cell::Text(row.then.as_str().into()),
            moment(row.due),
            Cell::Text(row.standing.as_str().into()),
            moment(erased),
            Cell::Count(row.items),
        ]);
    }
    table
}
