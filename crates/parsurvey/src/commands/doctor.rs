//! `doctor` and `seed`: what to mend before the first mail, and where trial mails landed.

use std::time::Duration;

use parsurvey_desk::doctor::{Examination, examine, read_seeds};
use parsurvey_desk::{DataFolder, Desk};
use parsurvey_dispatch::doctor::{Finding, Verdict};
use parsurvey_ledger::SeedResult;
use parsurvey_report::table::to_json;
use parsurvey_report::tables::{CheckRow, SeedRow, check_table, checks_for_people, seed_table};
use parsurvey_survey::calendar;

use super::{Done, campaign, desk, now, plain};
use crate::args::{DoctorArgs, Format, Global, Landed, SeedCommand};
use crate::output::Output;

pub(crate) async fn doctor(global: &Global, args: &DoctorArgs) -> Done {
    let how = Examination {
        route: crate::relay::route(&args.smtp)?,
        call_relay: !args.no_relay,
        sends_from: args.sends_from.clone(),
        relay_selector: args.relay_selector.clone(),
        return_path: args.return_path.clone(),
        zones: args.zone.clone(),
        resolver: args.resolver,
        patience: Duration::from_secs(u64::from(args.patience)),
    };
    let campaign = campaign(global)?;
    let now = now(global, &campaign)?;
    let data = DataFolder::new(&global.data);
    let desk = if global.database.is_some() || data.ledger().exists() {
        Some(Desk::open(campaign.clone(), data, global.database.as_deref()).await?)
    } else {
        eprintln!("there is no ledger yet: the recipients' domains and the seeds are not checked");
        None
    };
    let findings = examine(&campaign, &global.campaign, desk.as_ref(), &how, now).await?;
    let rows: Vec<CheckRow> = findings.iter().map(row).collect();
    let output = Output::of(global);
    match global.format {
        Format::Table => output.table(&checks_for_people(&rows))?,
        Format::Csv | Format::Json => {
            let table = check_table(&rows);
            output.tables(std::slice::from_ref(&table), || to_json(&table, output.lang))?;
        }
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (faults, unknown) = (count(Verdict::Fault), count(Verdict::Unknown));
    eprintln!(
        "{} in order, {} warning(s), {faults} fault(s), {unknown} not known; no mail was sent",
        count(Verdict::Ok),
        count(Verdict::Warning)
    );
    Ok(match (faults, unknown) {
        (0, 0) => 0,
        (0, _) => 3,
        (_, _) => 1,
    })
}

fn row(finding: &Finding) -> CheckRow {
    CheckRow {
        check: finding.check,
        about: finding.about.clone(),
        verdict: finding.verdict.as_str(),
        found: finding.found.clone(),
        reason: finding.reason.clone(),
        remedy: finding.remedy.clone(),
        publish: finding.publish.clone(),
    }
}

pub(crate) async fn seed(global: &Global, command: SeedCommand) -> Done {
    match command {
        SeedCommand::Record { domain, result } => record_seed(global, &domain, result).await,
        SeedCommand::List => list_seeds(global).await,
    }
}

async fn record_seed(global: &Global, domain: &str, result: Landed) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let result = match result {
        Landed::Inbox => SeedResult::Inbox,
        Landed::Spam => SeedResult::Spam,
        Landed::Missing => SeedResult::Missing,
    };
    desk.record_seed(&global.campaign, domain, result, &plain(global, "a look into the seed mailbox"), now).await?;
    eprintln!("recorded: {domain} {result}");
    Ok(0)
}

async fn list_seeds(global: &Global) -> Done {
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
    let looks = desk.ledger().seed_looks().await?;
    let mut rows = Vec::new();
    for seed in read_seeds(&global.campaign)? {
        let last = looks.iter().rev().find(|look| look.domain == seed.domain());
        rows.push(SeedRow {
            domain: seed.domain().to_owned(),
            mailbox: seed.mailbox.expose().to_owned(),
            holder: seed.holder.clone(),
            result: last.map(|look| look.result.as_str()),
            at: last.map(|look| calendar::rfc3339(look.at, zone)),
            actor: last.map(|look| look.actor.clone()),
        });
    }
    Output::of(global).table(&seed_table(&rows))?;
    Ok(0)
}
