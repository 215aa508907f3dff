//! `demo`: the whole campaign on sample data, with progress for whoever watches and tables at the end.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use parsurvey_rehearsal::demo::{self, Demo, SmallSurvey, Watch};
use parsurvey_report::tables::{area_table, completion_table, group_table, headline_table, status_table};
use parsurvey_survey::calendar;

use super::serve::bind;
use super::{Done, stop_on_signal};
use crate::args::Global;
use crate::faults::Failure;
use crate::output::Output;

/// Steps on stderr; a bar only where somebody looks at a terminal.
struct Progress {
    began: Instant,
    bar: ProgressBar,
}

impl Watch for Progress {
    fn step(&self, what: &str) {
        self.bar.suspend(|| eprintln!("{:6.1} s  {what}", self.began.elapsed().as_secs_f32()));
    }

    fn answered(&self, done: usize, total: usize) {
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
    }
}

pub(crate) async fn demo(global: &Global, out: &Path, keep_serving: bool) -> Done {
    let stop = stop_on_signal();
    let bar = if std::io::stderr().is_terminal() {
        let style = ProgressStyle::with_template("          {bar:40} {pos}/{len} answered")
            .expect("the template is a constant");
        ProgressBar::new(0).with_style(style)
    } else {
        ProgressBar::hidden()
    };
    let progress = Progress { began: Instant::now(), bar };
    let demo = demo::run(out, &progress, &stop).await?;
    progress.bar.finish_and_clear();
    progress.step("done");
    print(global, &demo)?;
    if keep_serving {
        serve(demo, &stop).await?;
    }
    Ok(0)
}

fn print(global: &Global, demo: &Demo) -> Result<(), Failure> {
    let results = &demo.results;
    let mut tables = vec![completion_table(&demo.status.headline)];
    let names: Vec<_> = results.groups.iter().map(|g| (g.code.to_string(), g.name.clone())).collect();
    tables.push(status_table(&demo.status, &names));
    for target in results.indexed() {
        tables.push(group_table(results, target));
        tables.push(area_table(results, target));
        tables.push(headline_table(results, target));
    }
    Output::of(global).tables(&tables, || {
        serde_json::json!({
            "status": demo.status,
            "score": parsurvey_report::score_json::score_json(results),
            "index": parsurvey_report::score_json::index_json(results),
        })
    })?;
    let [prenotices, invitations, reminders] = demo.mails;
    eprintln!("mails taken by the relay: {prenotices} prenotices, {invitations} invitations, {reminders} reminders");
    eprintln!("files in {}:", demo.folder.display());
    for document in &demo.documents {
        eprintln!("  {}", document.display());
    }
    eprintln!("  the campaign: {}", demo.folder.join("campaign").display());
    eprintln!("  the data:     {}", demo.folder.join("data").display());
    eprintln!("warning: this demonstration keeps both keys beside the data; a real key holder keeps them elsewhere");
    eprintln!("SYNTHETIC SAMPLE: the answers are made up; they reproduce the printed figures of 2023");
    Ok(())
}

async fn serve(demo: Demo, stop: &parsurvey_dispatch::Stop) -> Result<(), Failure> {
    let board = bind("127.0.0.1:0").await?;
    let form = bind("127.0.0.1:0").await?;
    let address = |listener: &tokio::net::TcpListener| {
        listener.local_addr().map(|a| format!("http://{a}")).map_err(|error| Failure::Told(3, error.to_string()))
    };
    let base = address(&form)?;
    let SmallSurvey { desk, clock, links } = demo::open_small(&demo.folder, &base, stop).await?;
    eprintln!("status of the large survey: {}/status", address(&board)?);
    eprintln!("status of the small survey: {base}/status");
    let moment = parsurvey_web::Clock::now(clock.as_ref());
    eprintln!("three links to click (it is {} there):", calendar::written(moment, &desk.campaign().time_zone));
    for link in &links {
        eprintln!("  {link}");
    }
    eprintln!("Ctrl-C ends it");
    let until = |stop: &parsurvey_dispatch::Stop| {
        let stop = stop.clone();
        async move { stop.asked().await }
    };
    let everybody = parsurvey_web::OpenCounts::Everybody;
    let app = parsurvey_web::app;
    let board = parsurvey_web::serve(board, app(Arc::clone(&demo.desk), demo.clock.clone(), everybody), until(stop));
    let form = parsurvey_web::serve(form, app(desk, clock, everybody), until(stop));
    let (board, form) = tokio::join!(board, form);
    board.and(form).map_err(|error| Failure::Told(3, format!("the server ended ({error}); start it again")))
}
