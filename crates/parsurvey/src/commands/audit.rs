//! `audit`: the head of the log to a body outside, and the log held against what that body kept.

use std::io::Read;
use std::path::Path;

use parsurvey_desk::audit::{AnchorSent, AnchorVerdict, Audit, agrees, read_anchors};
use parsurvey_desk::bounces::mail_files;
use parsurvey_index::tree::Text;
use parsurvey_ledger::{AnchorRow, ChaseState, StateCheck, StateOf};
use parsurvey_report::table::to_json;
use parsurvey_report::tables::{AnchorLine, AuditRow, anchor_table, audit_table};
use parsurvey_survey::anchor::Anchor;
use parsurvey_survey::calendar;

use super::{Done, desk, mailing, now, plain};
use crate::args::{AuditCommand, Global, SmtpArgs, VerifyArgs};
use crate::faults::Failure;
use crate::output::Output;

/// Anchors are small; a file larger than this is none.
const ANCHOR_BYTES: u64 = 64 * 1024 * 1024;

pub(crate) async fn run(global: &Global, command: AuditCommand) -> Done {
    match command {
        AuditCommand::Verify(args) => verify(global, &args).await,
        AuditCommand::Anchor { smtp } => anchor(global, &smtp).await,
        AuditCommand::Anchors => anchors(global).await,
        AuditCommand::Callback(args) => super::callback::run(global, args).await,
    }
}

async fn verify(global: &Global, args: &VerifyArgs) -> Done {
    let mut anchors = Vec::new();
    for input in &args.anchor {
        anchors.extend(read(input)?);
    }
    let desk = desk(global).await?;
    let audit = desk.audit_verify(anchors).await?;
    let output = Output::of(global);
    let table = audit_table(&rows(&audit));
    output.tables(std::slice::from_ref(&table), || to_json(&table, output.lang))?;
    if audit.is_proved() {
        let newest = audit.anchors.last().map(|(anchor, _)| anchor.day.to_string()).unwrap_or_default();
        eprintln!("the log is the one that was anchored, up to the anchor of {newest}");
        return Ok(0);
    }
    for problem in problems(&audit) {
        eprintln!("error: {problem}");
    }
    eprintln!("  help: keep ledger and backups as they are, and hand them to the body that keeps the anchors");
    Ok(1)
}

fn read(input: &Path) -> Result<Vec<Anchor>, Failure> {
    if input.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .take(ANCHOR_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::Told(3, format!("stdin cannot be read to its end ({error})")))?;
        return Ok(read_anchors("stdin", &bytes)?);
    }
    let unreadable = |path: &Path, error: &std::io::Error| {
        Failure::Told(1, format!("{} cannot be read ({error})\n  help: check the path", path.display()))
    };
    let files = mail_files(input).map_err(|error| unreadable(input, &error))?;
    let mut anchors = Vec::new();
    for file in files {
        let bytes = parsurvey_desk::files::read_bounded(&file, ANCHOR_BYTES)?;
        anchors.extend(read_anchors(&file.display().to_string(), &bytes)?);
    }
    Ok(anchors)
}

/// What speaks against the log, or for which nothing speaks.
fn problems(audit: &Audit) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(seq) = audit.log.broken_at {
        problems.push(format!("the chain is broken: entry {seq} does not follow from the one before, or is missing"));
    }
    for (anchor, verdict) in &audit.anchors {
        let of = format!("the anchor of {} (entry {})", anchor.day, anchor.entries);
        problems.extend(match verdict {
            AnchorVerdict::OnChain => None,
            AnchorVerdict::NotOnChain => Some(format!(
                "{of} is not on the chain: an entry up to number {} was changed after it was taken",
                anchor.entries
            )),
            AnchorVerdict::BeyondTheEnd => Some(format!(
                "{of} lies beyond the log, which has {} entries: entries were taken away",
                audit.log.entries
            )),
            AnchorVerdict::OtherCampaign => Some(format!("{of} is of the campaign {}", anchor.campaign)),
        });
    }
    for check in audit.log.states.iter().filter(|check| !agrees(check)) {
        let name = state_name(check.what).1.en;
        problems.push(format!("log and tables contradict each other in {} place(s): {name}", check.differing));
    }
    if audit.anchors.is_empty() {
        problems.push("without anchors a rewritten log cannot be told from a true one; name them with --anchor".into());
    }
    problems
}

fn rows(audit: &Audit) -> Vec<AuditRow> {
    let log = &audit.log;
    let mut rows = vec![AuditRow {
        check: "chain",
        name: text("Chuỗi mã băm liền mạch từ mục đầu", "The chain of hashes holds from the first entry"),
        about: String::new(),
        found: log.broken_at.map_or_else(|| log.intact.to_string(), |seq| format!("{} ({seq} ✗)", log.intact)),
        expected: log.entries.to_string(),
        verdict: if log.broken_at.is_none() { "ok" } else { "fault" },
    }];
    for (anchor, verdict) in &audit.anchors {
        let now = log.hashes.get(&anchor.entries).cloned().unwrap_or_else(|| "–".to_owned());
        rows.push(AuditRow {
            check: "anchor",
            name: match verdict {
                AnchorVerdict::OnChain => text("Đầu chuỗi đã lưu có trong nhật ký", "The kept head is in the log"),
                AnchorVerdict::NotOnChain => {
                    text("Đầu chuỗi đã lưu không có trong nhật ký", "The kept head is not in the log")
                }
                AnchorVerdict::BeyondTheEnd => text("Nhật ký ngắn hơn đầu chuỗi đã lưu", "The log is shorter"),
                AnchorVerdict::OtherCampaign => text("Đầu chuỗi của đợt khảo sát khác", "Of another campaign"),
            },
            about: format!("{} #{}", anchor.day, anchor.entries),
            found: if *verdict == AnchorVerdict::OtherCampaign { anchor.campaign.clone() } else { now },
            expected: anchor.hash.clone(),
            verdict: if *verdict == AnchorVerdict::OnChain { "ok" } else { "fault" },
        });
    }
    let given = audit.anchors.len();
    rows.push(AuditRow {
        check: "anchors_given",
        name: text(
            "Số đầu chuỗi đối chiếu, và số đã gửi mà chưa đưa ra",
            "Anchors given, and those mailed but not given",
        ),
        about: String::new(),
        found: given.to_string(),
        expected: format!("+{}", audit.not_given),
        verdict: if given == 0 { "fault" } else { "note" },
    });
    rows.push(AuditRow {
        check: "uncovered",
        name: text("Số mục sau đầu chuỗi mới nhất", "Entries behind the newest anchor, which nothing proves yet"),
        about: String::new(),
        found: audit.uncovered.to_string(),
        expected: String::new(),
        verdict: "note",
    });
    rows.extend(log.states.iter().map(state_row));
    rows
}

fn state_row(check: &StateCheck) -> AuditRow {
    let (code, name) = state_name(check.what);
    // A stage is no number of things: only whether both tell the same one is said.
    let is_stage = check.what == StateOf::Stage;
    let number = |n: u64| if is_stage { String::new() } else { n.to_string() };
    AuditRow {
        check: code,
        name,
        about: if check.differing > 0 && !is_stage { format!("≠ {}", check.differing) } else { String::new() },
        found: number(check.tables),
        expected: number(check.log),
        verdict: if agrees(check) { "ok" } else { "fault" },
    }
}

fn state_name(what: StateOf) -> (&'static str, Text) {
    match what {
        StateOf::Completions => {
            ("completions", text("Phiếu đã gửi: bảng so với nhật ký", "submitted forms, tables beside log"))
        }
        StateOf::Ballots => ("ballots", text("Phiếu trong hòm so với phiếu đã gửi", "ballots beside submitted forms")),
        StateOf::Excused => {
            ("excused", text("Phiếu được miễn: bảng so với nhật ký", "excused forms, tables beside log"))
        }
        StateOf::Holders => {
            ("holders", text("Thay người trả lời: bảng so với nhật ký", "changes of holder, tables beside log"))
        }
        StateOf::Stage => {
            ("stage", text("Giai đoạn khảo sát: bảng so với nhật ký", "stage of the survey, table beside log"))
        }
    }
}

async fn anchor(global: &Global, smtp: &SmtpArgs) -> Done {
    let relay = mailing::relay(smtp)?;
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let (code, words) = match desk.send_anchor(&relay.way, &plain(global, ""), now).await? {
        AnchorSent::Told(entries) => {
            (0, format!("the head of the log, entry {entries}, was mailed to the address outside"))
        }
        AnchorSent::Already => (0, "today's anchor was mailed already".to_owned()),
        AnchorSent::Unknown => (0, "it may or may not have left; it is held, and tomorrow's covers it".to_owned()),
        AnchorSent::Refused(said) => {
            (1, format!("the relay refused it ({said})\n  help: correct audit.anchor_to in campaign.toml"))
        }
        AnchorSent::Deferred(said) => {
            (3, format!("the relay refused it for now ({said}); run the command again later"))
        }
    };
    eprintln!("{words}");
    Ok(code)
}

async fn anchors(global: &Global) -> Done {
    let desk = desk(global).await?;
    let zone = &desk.campaign().time_zone;
    let row = |row: AnchorRow| AnchorLine {
        day: row.day.to_string(),
        entries: row.seq,
        hash: row.hash,
        state: match row.state {
            ChaseState::Made | ChaseState::Ready => "waiting",
            ChaseState::Claimed => "unknown",
            ChaseState::Told => "told",
            ChaseState::Refused => "refused",
        }
        .to_owned(),
        at: calendar::rfc3339(row.at, zone),
        text: row.text,
    };
    let rows: Vec<AnchorLine> = desk.anchors().await?.into_iter().map(row).collect();
    Output::of(global).table(&anchor_table(&rows))?;
    Ok(0)
}

fn text(vi: &str, en: &str) -> Text {
    Text { vi: vi.into(), en: en.into() }
}
