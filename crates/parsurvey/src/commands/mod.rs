//! One function per command, grouped as an operator meets them. Each opens the desk, does one act, and prints.

mod account;
mod ask;
mod audit;
mod bounces;
mod callback;
mod chase;
mod control;
mod demo;
mod doctor;
mod ending;
mod mailing;
mod people;
mod proposals;
mod purge;
mod returned;
mod serve;
mod setup;

use std::sync::Arc;

use jiff::Timestamp;
use parsurvey_desk::mailing::Clock;
use parsurvey_desk::opening::OpenOptions;
use parsurvey_desk::{Because, DataFolder, Desk, load_campaign};
use parsurvey_dispatch::Stop;
use parsurvey_survey::campaign::{Campaign, MailKind};

use crate::args::sending::SendingCommand;
use crate::args::{BecauseArgs, BouncesCommand, ChaseCommand, Cli, Command, Global, KeyCommand, TallyCommand};
use crate::faults::{Failure, print_faults};

pub(crate) type Done = Result<u8, Failure>;

/// Runs a command. Sending and serving stop by themselves when a signal asks; every other act is stored in one
/// transaction, so a signal may end it at any point and leaves nothing half done.
pub(crate) async fn run(cli: Cli) -> Done {
    let stops_itself = matches!(
        cli.command,
        Command::Invite(_)
            | Command::Remind(_)
            | Command::Send(_)
            | Command::Sending(SendingCommand::Run { .. })
            | Command::Chase { command: Some(ChaseCommand::Send { .. }) }
            | Command::Serve(_)
            | Command::Demo { .. }
    );
    if stops_itself {
        return act(cli).await;
    }
    // In a task of its own, because an act that only computes would never let the signal be noticed.
    let acting = tokio::spawn(act(cli));
    tokio::select! {
        done = acting => done.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic())),
        () = termination() => {
            eprintln!("error: stopped before it was done; nothing is half done\n  help: run the command again");
            std::process::exit(3);
        }
    }
}

async fn act(cli: Cli) -> Done {
    let global = &cli.global;
    match cli.command {
        Command::Init { self_held } => setup::init(global, self_held).await,
        Command::Check { folders } => setup::check(global, folders),
        Command::Keygen { role, campaign_id, out, copies } => setup::keygen(role, &campaign_id, &out, &copies),
        Command::Key { command } => match command {
            KeyCommand::Register { files } => setup::key_register(global, &files).await,
            KeyCommand::OpenTest { key, test } => setup::key_open_test(&key, &test),
            KeyCommand::Confirm { code } => setup::key_confirm(global, &code).await,
            KeyCommand::List => setup::key_list(global).await,
        },
        Command::Roster { command } => people::roster(global, command).await,
        Command::Invite(args) => mailing::contact(global, &args, MailKind::Invitation).await,
        Command::Remind(args) => mailing::contact(global, &args, MailKind::Reminder).await,
        Command::Send(args) => mailing::send(global, &args).await,
        Command::Preview { kind, wave, html } => mailing::preview(global, kind, wave, html).await,
        Command::Sending(command) => control::run(global, command).await,
        Command::Doctor(args) => doctor::doctor(global, &args).await,
        Command::Seed { command } => doctor::seed(global, command).await,
        Command::Bounces { command } => match command {
            BouncesCommand::Classify { inputs } => bounces::classify(global, &inputs),
            BouncesCommand::Read(args) => returned::read(global, &args).await,
            BouncesCommand::List { unmatched } => returned::list(global, unmatched).await,
            BouncesCommand::Addresses => returned::addresses(global).await,
            BouncesCommand::Resume { form, because } => returned::resume(global, form, &because).await,
        },
        Command::Status { by, explain } => ask::status(global, by, explain).await,
        Command::Chase { command } => chase::chase(global, command).await,
        Command::Digest(args) => chase::digest(global, &args).await,
        Command::Control(command) => proposals::run(global, command).await,
        Command::Log => ask::log(global).await,
        Command::Excuse { form, category, because } => people::excuse(global, form, category, &because).await,
        Command::Reinstate { form, because } => people::reinstate(global, form, &because).await,
        Command::Replace { form, name, email, position, substitution, because } => {
            let successor = parsurvey_desk::acts::Successor { name, email, position, substitution };
            people::replace(global, form, &successor, &because).await
        }
        Command::CorrectAddress { form, email, because } => {
            people::correct_address(global, form, &email, &because).await
        }
        Command::Decline { form, because } => people::decline(global, form, &because).await,
        Command::Extend { until, because } => people::extend(global, until, &because).await,
        Command::Close => ending::close(global).await,
        Command::Open { key, box_file, archive_pub, out, sha256, accept_unreadable, another_box } => {
            let options = OpenOptions { box_sha256: sha256.unwrap_or_default(), accept_unreadable, another_box };
            match (box_file, archive_pub) {
                (Some(file), Some(archive)) => ending::open_away(&file, &key, &archive, &options, &out),
                _ => ending::open_here(global, &key, &options).await,
            }
        }
        Command::Tally { command: TallyCommand::Import { file, archive, restored, because } } => {
            ending::tally_import(global, &file, &archive, restored, &because).await
        }
        Command::Purge { dry_run, because } => purge::purge(global, dry_run, &because).await,
        Command::Score(score) => ask::score(global, &score).await,
        Command::Index(score) => ask::index(global, &score).await,
        Command::Explain { code, score } => ask::explain(global, &code, &score).await,
        Command::Report { documents, out, score } => ask::report(global, &documents, out, &score).await,
        Command::Account { command } => account::account(global, command).await,
        Command::Serve(args) => serve::serve(global, &args).await,
        Command::Demo { out, serve } => demo::demo(global, &out, serve).await,
    }
}

/// Loads the campaign and shows its warnings.
pub(crate) fn campaign(global: &Global) -> Result<Campaign, Failure> {
    let (campaign, warnings) = load_campaign(&global.campaign)?;
    print_faults(&warnings, "warning");
    Ok(campaign)
}

/// Opens campaign and data folder.
pub(crate) async fn desk(global: &Global) -> Result<Desk, Failure> {
    let campaign = campaign(global)?;
    Ok(Desk::open(campaign, DataFolder::new(&global.data), global.database.as_deref()).await?)
}

/// The moment a command speaks of: the system's, or `--now` for a sample campaign.
pub(crate) fn now(global: &Global, campaign: &Campaign) -> Result<Timestamp, Failure> {
    match global.now {
        None => Ok(Timestamp::now()),
        Some(now) if campaign.sample => Ok(now),
        Some(_) => Err(Failure::usage("--now works only on campaigns marked `sample = true`")),
    }
}

/// A clock for a run that lasts: the system's, or the one that stands still at `--now`.
pub(crate) fn clock(global: &Global, campaign: &Campaign) -> Result<Clock, Failure> {
    let fixed = now(global, campaign)?;
    Ok(if global.now.is_some() { Clock::from(fixed) } else { Clock::new(Timestamp::now) })
}

/// Who does it: `--actor`, or the account's name.
pub(crate) fn actor(global: &Global) -> String {
    let account = || std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).ok();
    global.actor.clone().or_else(account).unwrap_or_else(|| "operator".into())
}

pub(crate) fn because(global: &Global, args: &BecauseArgs) -> Because {
    Because { actor: actor(global), reason: args.reason.clone(), document: args.document.clone() }
}

pub(crate) fn plain(global: &Global, reason: &str) -> Because {
    Because { actor: actor(global), reason: reason.into(), document: String::new() }
}

/// A stop that Ctrl-C or a termination signal asks for; a second Ctrl-C ends the process at once.
pub(crate) fn stop_on_signal() -> Stop {
    let stop = Stop::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        termination().await;
        eprintln!("stopping: what is in hand is finished and recorded; press Ctrl-C again to end at once");
        asked.ask();
        termination().await;
        std::process::exit(3);
    });
    stop
}

async fn termination() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .expect("the runtime was built with signals enabled");
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.expect("the runtime was built with signals enabled"),
        _ = terminate.recv() => {}
    }
}

/// For commands that share one desk among tasks.
pub(crate) async fn shared_desk(global: &Global) -> Result<Arc<Desk>, Failure> {
    Ok(Arc::new(desk(global).await?))
}
