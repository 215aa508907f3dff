//! `init`, `check`, `keygen`, `key`: everything before the first list.

use std::path::{Path, PathBuf};

use parsurvey_desk::keys::{Copies, generate, open_test};
use parsurvey_desk::{DataFolder, Desk, DeskError, load_campaign};
use parsurvey_index::tree::Text;
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_survey::campaign::best_and_worst;
use parsurvey_survey::key::KeyRole;

use super::{Done, campaign, desk, now, plain};
use crate::args::{CopiesArgs, Global, Role};
use crate::faults::{Failure, print_faults};
use crate::output::{Output, write};

pub(crate) async fn init(global: &Global, self_held: bool) -> Done {
    let campaign = campaign(global)?;
    let now = now(global, &campaign)?;
    let because = plain(global, "init");
    let data = DataFolder::new(&global.data);
    let desk = Desk::init(campaign, data, global.database.as_deref(), &because, now).await?;
    if self_held {
        desk.hold_keys_itself(&because, now).await?;
        eprintln!(
            "warning: both keys lie in {}/keys, beside the ballots. Whoever holds this folder can read answers before the survey ends.\n  help: for a real survey run `parsurvey keygen` on the key holder's machine",
            global.data.display()
        );
    }
    eprintln!("ready: {} for the campaign {}", desk.data().root().display(), desk.campaign().id);
    eprintln!("  back up link.key apart from the ledger: whoever has both can open every form");
    eprintln!("  back up return-path.key as well: without it no bounce can be told from a forged one");
    Ok(0)
}

pub(crate) fn check(global: &Global, folders: Vec<PathBuf>) -> Done {
    let folders = if folders.is_empty() { vec![global.campaign.clone()] } else { folders };
    let output = Output::of(global);
    let mut faulty = false;
    for folder in folders {
        match load_campaign(&folder) {
            Ok((campaign, warnings)) => {
                print_faults(&warnings, "warning");
                output.table(&options(&campaign))?;
                eprintln!("{}: {} has no fault", folder.display(), campaign.id);
            }
            Err(error @ DeskError::Faults { .. }) => {
                faulty = true;
                Failure::from(error).print();
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(u8::from(faulty))
}

fn options(campaign: &parsurvey_survey::campaign::Campaign) -> Table {
    let text = |vi: &str, en: &str| Text { vi: vi.into(), en: en.into() };
    let mut table = Table::new(
        "questions",
        text("Phương án tốt nhất và xấu nhất", "Best and worst options"),
        vec![
            Column::left("questionnaire", text("Phiếu", "Questionnaire")),
            Column::left("question", text("Câu hỏi", "Question")),
            Column::left("best", text("Tốt nhất", "Best")),
            Column::left("worst", text("Xấu nhất", "Worst")),
        ],
    );
    for row in best_and_worst(campaign) {
        let option = |option: &parsurvey_survey::campaign::AnswerOption| {
            Cell::Name(text(
                &format!("{} {} ({} %)", option.code, option.text.vi, option.percent.decimal()),
                &format!("{} {} ({} %)", option.code, option.text.en, option.percent.decimal()),
            ))
        };
        table.push(vec![
            Cell::Text(row.questionnaire.to_string()),
            Cell::Text(row.question.to_string()),
            option(&row.best),
            option(&row.worst),
        ]);
    }
    table
}

pub(crate) fn keygen(role: Role, campaign_id: &str, out: &Path, copies: &CopiesArgs) -> Done {
    let role = match role {
        Role::Box => KeyRole::Box,
        Role::Archive => KeyRole::Archive,
    };
    let copies = match (&copies.second_copy, &copies.shares) {
        (_, Some(folder)) => Copies::Shares(folder.clone()),
        (Some(folder), None) => Copies::Folder(folder.clone()),
        (None, None) => {
            return Err(Failure::usage("name --second-copy DIR or --shares DIR: a lost key is a lost survey"));
        }
    };
    let files = generate(role, campaign_id, out, &copies)?;
    eprintln!("fingerprint: {}", files.fingerprint);
    eprintln!("for the server: {}", files.public.display());
    for secret in &files.secrets {
        eprintln!("keep secret:    {}", secret.display());
    }
    eprintln!("There is no back door: if every copy is lost, no ballot can ever be opened.");
    write(&format!("{}\n", files.fingerprint))?;
    Ok(0)
}

pub(crate) async fn key_register(global: &Global, files: &[PathBuf]) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    for file in files {
        let test = desk.register_key(file, &plain(global, "key register"), now).await?;
        eprintln!("registered {}", file.display());
        eprintln!("  send {} to the holder, who runs `parsurvey key open-test --key KEYFILE TESTFILE`", test.display());
        eprintln!("  then type the holder's code: `parsurvey key confirm CODE`");
    }
    key_table(global, &desk).await
}

pub(crate) fn key_open_test(keys: &[PathBuf], test: &Path) -> Done {
    write(&format!("{}\n", open_test(keys, test)?))?;
    Ok(0)
}

pub(crate) async fn key_confirm(global: &Global, code: &str) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let role = desk.confirm_key(code, &plain(global, "the holder opened the test ballot"), now).await?;
    eprintln!("the holder of the {} key has proved it", role.as_str());
    Ok(0)
}

pub(crate) async fn key_list(global: &Global) -> Done {
    let desk = desk(global).await?;
    key_table(global, &desk).await
}

async fn key_table(global: &Global, desk: &Desk) -> Done {
    let text = |vi: &str, en: &str| Text { vi: vi.into(), en: en.into() };
    let mut table = Table::new(
        "keys",
        text("Khóa", "Keys"),
        vec![
            Column::left("role", text("Vai trò", "Role")),
            Column::left("fingerprint", text("Dấu vân tay", "Fingerprint")),
            Column::left("proved", text("Đã chứng minh", "Proved")),
        ],
    );
    for key in desk.ledger().keys().await? {
        let proved = if key.confirmed.is_some() { text("có", "yes") } else { text("chưa", "no") };
        table.push(vec![Cell::Text(key.role.to_string()), Cell::Text(key.fingerprint), Cell::Name(proved)]);
    }
    Output::of(global).table(&table)?;
    Ok(0)
}
