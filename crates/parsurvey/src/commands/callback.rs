//! `audit callback`: whom an outside body asks, and what the calls prove. People go to stdout alone, for the auditor.

use parsurvey_desk::audit::CallbackSummary;
use parsurvey_index::tree::Text;
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_survey::callback::{CallCounts, CallOutcome};

use super::{Done, because, desk, now};
use crate::args::{CallbackArgs, CallbackCommand, Global, Outcome};
use crate::output::Output;

pub(crate) async fn run(global: &Global, args: CallbackArgs) -> Done {
    match args.command {
        None => draw(global, &args).await,
        Some(CallbackCommand::Record { form, outcome, because: given }) => {
            let desk = desk(global).await?;
            let outcome = match outcome {
                Outcome::Confirmed => CallOutcome::Confirmed,
                Outcome::Denied => CallOutcome::Denied,
                Outcome::NotReached => CallOutcome::NotReached,
                Outcome::Refused => CallOutcome::Refused,
            };
            desk.callback_record(form, outcome, &because(global, &given), now(global, desk.campaign())?).await?;
            eprintln!("form {form}: recorded as {}", outcome.as_str());
            Ok(0)
        }
        Some(CallbackCommand::Summary) => {
            let summary = desk(global).await?.callback_summary().await?;
            Output::of(global).table(&summary_table(&summary))?;
            eprintln!(
                "draw {}, seed {:?}, list {}; who was not reached, would not say or was not called counts as not confirming",
                summary.draw, summary.seed, summary.list_sha256
            );
            Ok(0)
        }
    }
}

async fn draw(global: &Global, args: &CallbackArgs) -> Done {
    let desk = desk(global).await?;
    // The command line asks for both where no subcommand stands.
    let (n, seed) = (args.n.unwrap_or_default(), args.seed.clone().unwrap_or_default());
    let because = because(global, &args.because);
    let drawn = desk.callback_draw(n, &seed, args.by.is_some(), &because, now(global, desk.campaign())?).await?;
    let mut table = Table::new(
        "callback",
        text("Người trả lời được chọn để hỏi lại", "People to be called back"),
        vec![
            Column::right("form", text("Phiếu số", "Form")),
            Column::left("name", text("Họ và tên", "Name")),
            Column::left("email", text("Thư điện tử", "Address")),
            Column::left("position", text("Chức vụ", "Position")),
            Column::left("group", text("Nhóm", "Group")),
            Column::left("unit", text("Đơn vị", "Unit")),
        ],
    );
    for person in &drawn.people {
        table.push(vec![
            Cell::Text(person.form.to_string()),
            Cell::Text(person.name.clone()),
            Cell::Text(person.email.clone()),
            Cell::Text(person.position.clone()),
            Cell::Text(person.group.to_string()),
            Cell::Text(person.unit.to_string()),
        ]);
    }
    Output::of(global).table(&table)?;
    eprintln!(
        "draw {} ({}): {} of {} completed forms, list {}",
        drawn.draw,
        if drawn.is_new { "new" } else { "shown again" },
        drawn.people.len(),
        drawn.population,
        drawn.list_sha256
    );
    eprintln!("ask whether they answered themselves and freely; never ask what they answered");
    Ok(0)
}

fn summary_table(summary: &CallbackSummary) -> Table {
    let mut table = Table::new(
        "callback_summary",
        text("Kết quả hỏi lại", "What the calls gave"),
        vec![
            Column::left("group", text("Nhóm", "Group")),
            Column::right("population", text("Phiếu đã gửi", "Completed")),
            Column::right("drawn", text("Được chọn", "Drawn")),
            Column::right("confirmed", text("Xác nhận", "Confirmed")),
            Column::right("denied", text("Không xác nhận", "Denied")),
            Column::right("not_reached", text("Không liên hệ được", "Not reached")),
            Column::right("refused", text("Từ chối trả lời", "Would not say")),
            Column::right("open", text("Chưa hỏi", "Not called yet")),
            Column::right(
                "not_confirmed_at_most",
                text("Không xác nhận, nhiều nhất (95 %)", "Not confirmed at most (95 %)"),
            ),
        ],
    );
    let row = |name: Cell, counts: &CallCounts, bound: Option<u64>| {
        let mut cells = vec![name];
        let of = [
            counts.population,
            counts.drawn,
            counts.confirmed,
            counts.denied,
            counts.not_reached,
            counts.refused,
            counts.open,
        ];
        cells.extend(of.map(|n| Cell::Count(Some(n))));
        cells.push(bound.map_or(Cell::Blank, |n| Cell::Count(Some(n))));
        cells
    };
    for (group, counts) in &summary.groups {
        table.push(row(Cell::Text(group.to_string()), counts, counts.not_confirmed_at_most()));
    }
    let all = Cell::Name(text("Tổng cộng", "Total"));
    table.push_total(row(all, &summary.total, summary.bound_over_all()));
    table.notes.push(text(
        "Giới hạn trên chính xác theo phân phối siêu bội, độ tin cậy 95 %: số phiếu đã gửi mà người trả lời sẽ không xác nhận.",
        "Exact upper bound by the hypergeometric distribution, 95 % confidence: completed forms whose people would not confirm.",
    ));
    table
}

fn text(vi: &str, en: &str) -> Text {
    Text { vi: vi.into(), en: en.into() }
}
