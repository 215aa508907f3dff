//! `chase` and `digest`: the morning's counts, letters to units, and what the operator needs to know.

use parsurvey_desk::Desk;
use parsurvey_desk::chase::{DigestSent, SentLetters};
use parsurvey_index::tree::Text;
use parsurvey_ledger::{ChaseLetter, ChaseState};
use parsurvey_report::digest::digest_text;
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_report::tables::{ToldRow, chase_group_table, chase_table, told_table};
use parsurvey_survey::calendar;
use serde_json::json;

use super::{Done, because, desk, now, plain, stop_on_signal};
use crate::args::{BecauseArgs, ChaseCommand, DigestArgs, Format, Global, SmtpArgs};
use crate::faults::Failure;
use crate::output::{Output, lang, write};
use crate::relay;

pub(crate) async fn chase(global: &Global, command: Option<ChaseCommand>) -> Done {
    match command {
        None => counts(global).await,
        Some(ChaseCommand::Letters(args)) => letters(global, args.names).await,
        Some(ChaseCommand::Send { names, smtp }) => send(global, names.names, &smtp).await,
        Some(ChaseCommand::Order(args)) => order(global, &args).await,
        Some(ChaseCommand::Told) => told(global).await,
    }
}

async fn counts(global: &Global) -> Done {
    let desk = desk(global).await?;
    let chase = desk.chase(now(global, desk.campaign())?).await?;
    let groups = desk.campaign().groups.iter().map(|group| (group.code.to_string(), group.name.clone()));
    let mut tables =
        vec![chase_table(&chase, &unit_names(&desk)), chase_group_table(&chase, &groups.collect::<Vec<_>>())];
    if global.format == Format::Csv {
        tables.truncate(1);
    }
    Output::of(global).tables(&tables, || json!(chase))?;
    Ok(0)
}

fn unit_names(desk: &Desk) -> Vec<(String, Text)> {
    let name = |name: &str| Text { vi: name.to_owned(), en: name.to_owned() };
    desk.campaign().units.iter().map(|unit| (unit.code.to_string(), name(&unit.name))).collect()
}

async fn letters(global: &Global, names: bool) -> Done {
    let desk = desk(global).await?;
    let made = desk.chase_letters(names, &plain(global, ""), now(global, desk.campaign())?).await?;
    let names = unit_names(&desk);
    let text = |vi: &str, en: &str| Text { vi: vi.into(), en: en.into() };
    let mut table = Table::new(
        "letters",
        text("Văn bản đôn đốc", "Letters to units"),
        vec![
            Column::left("unit", text("Mã", "Unit")),
            Column::left("name", text("Đơn vị", "Name")),
            Column::right("outstanding", text("Còn phải gửi", "Outstanding")),
            Column::left("file", text("Tệp", "File")),
        ],
    );
    for row in &made.letters {
        let name = names.iter().find(|(key, _)| *key == row.key).map(|(_, name)| name.clone());
        table.push(vec![
            Cell::Text(row.key.clone()),
            name.map_or(Cell::Blank, Cell::Name),
            Cell::Count(Some(row.counts.outstanding)),
            Cell::Text(made.folder.join(format!("{}.docx", row.key)).display().to_string()),
        ]);
    }
    Output::of(global).table(&table)?;
    eprintln!("{} letters in {}, {} of them new", made.letters.len(), made.folder.display(), made.new);
    Ok(0)
}

async fn send(global: &Global, names: bool, smtp: &SmtpArgs) -> Done {
    let route = relay::route(smtp)?;
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let sent = desk.chase_send(&route, names, &stop_on_signal(), &plain(global, ""), now).await?;
    answer(global, &sent)
}

fn answer(global: &Global, sent: &SentLetters) -> Done {
    let text = |vi: &str, en: &str| Text { vi: vi.into(), en: en.into() };
    let columns = [
        ("told", "Máy chủ nhận", "Accepted", sent.told),
        ("already", "Đã gửi trước đó", "Sent before", sent.already),
        ("refused", "Bị từ chối", "Refused", sent.refused),
        ("deferred", "Hoãn", "Deferred", sent.deferred),
        ("unknown", "Không rõ", "Unknown", sent.unknown),
        ("on_paper", "Chỉ có văn bản giấy", "On paper only", sent.on_paper.len() as u64),
    ];
    let mut table = Table::new(
        "sent",
        text("Thư gửi đầu mối trong lần này", "Letters to coordinators of this run"),
        columns.iter().map(|(key, vi, en, _)| Column::right(*key, text(vi, en))).collect(),
    );
    table.push(columns.iter().map(|(_, _, _, count)| Cell::Count(Some(*count))).collect());
    Output::of(global).table(&table)?;
    if !sent.on_paper.is_empty() {
        eprintln!("without a coordinator, so told on paper only: {}", sent.on_paper.join(", "));
        eprintln!("  help: name one in units.csv, or sign the letter of `parsurvey chase letters`");
    }
    if sent.unknown > 0 {
        eprintln!("{} letters may or may not have left; they are held: see `parsurvey chase told`", sent.unknown);
    }
    if let Some(said) = &sent.refusal {
        eprintln!("the relay said last: {said}");
    }
    if sent.refused > 0 {
        eprintln!("  help: correct the coordinator's address in units.csv and run the command again");
    }
    if sent.deferred > 0 {
        eprintln!("some letters were refused for now and wait; run the command again later");
    }
    Ok(if sent.refused > 0 {
        1
    } else if sent.deferred > 0 {
        3
    } else {
        0
    })
}

async fn order(global: &Global, args: &BecauseArgs) -> Done {
    let desk = desk(global).await?;
    desk.order_names(&because(global, args), now(global, desk.campaign())?).await?;
    eprintln!(
        "recorded; once the last reminder is due, `chase letters --names` and `chase send --names` may name people"
    );
    Ok(0)
}

async fn told(global: &Global) -> Done {
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
    let row = |letter: ChaseLetter| ToldRow {
        day: letter.told.day.to_string(),
        unit: letter.told.unit,
        how: letter.told.how.to_string(),
        state: state_word(letter.state).to_owned(),
        named: letter.told.named,
        counts: letter.told.counts,
        by: letter.actor,
        document: letter.document,
        sha256: letter.told.sha256,
        at: calendar::rfc3339(letter.at, zone),
        text: letter.text,
    };
    let rows: Vec<ToldRow> = desk.chase_told().await?.into_iter().map(row).collect();
    Output::of(global).table(&told_table(&rows))?;
    Ok(0)
}

/// The words of `mails`: a claim without outcome is unknown, a mail that is ready waits.
fn state_word(state: ChaseState) -> &'static str {
    match state {
        ChaseState::Made => "made",
        ChaseState::Ready => "waiting",
        ChaseState::Claimed => "unknown",
        ChaseState::Told => "told",
        ChaseState::Refused => "refused",
    }
}

pub(crate) async fn digest(global: &Global, args: &DigestArgs) -> Done {
    let route = if args.send { Some(relay::route(&args.smtp)?) } else { None };
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let digest = desk.digest(now).await?;
    match global.format {
        Format::Json => Output::of(global).json(&json!(digest))?,
        Format::Table => write(&digest_text(&digest, desk.campaign(), lang(global.lang)))?,
        Format::Csv => return Err(Failure::usage("a digest is no table; use --format table or json")),
    }
    let Some(route) = route else { return Ok(0) };
    let (code, words) = match desk.send_digest(&route, &plain(global, ""), now).await? {
        DigestSent::Told => (0, "sent to the operator".to_owned()),
        DigestSent::Already => (0, "the operator has today's digest already".to_owned()),
        DigestSent::Unknown => (0, "it may or may not have left; it is held: see `parsurvey chase told`".to_owned()),
        DigestSent::Refused(said) => {
            (1, format!("the relay refused it ({said}); correct chase.operator in campaign.toml"))
        }
        DigestSent::Deferred(said) => {
            (3, format!("the relay refused it for now ({said}); run the command again later"))
        }
    };
    eprintln!("{words}");
    Ok(code)
}
