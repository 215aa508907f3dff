//! `account`: who may log in to the console. A new account's secrets go to stdout once, and nowhere else.

use parsurvey_desk::Desk;
use parsurvey_desk::accounts::{SetUp, Wanted};
use parsurvey_index::code::{TargetCode, UnitCode};
use parsurvey_index::tree::Text;
use parsurvey_ledger::AccountRow;
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_survey::account::AccountName;
use parsurvey_survey::calendar;

use super::{Done, because, desk, now};
use crate::args::{AccountCommand, Format, Global};
use crate::faults::Failure;
use crate::output::{Output, write};

pub(crate) async fn account(global: &Global, command: AccountCommand) -> Done {
    match command {
        AccountCommand::Add { name, role, units, target, because: args } => {
            let units: Vec<UnitCode> = units.iter().map(|unit| code(unit, "--unit")).collect::<Result<_, _>>()?;
            let target: Option<TargetCode> = target.map(|target| code(&target, "--target")).transpose()?;
            let desk = desk(global).await?;
            let now = now(global, desk.campaign())?;
            let wanted = Wanted { name: name.clone(), role, units, target };
            let set_up = desk.add_account(wanted, &because(global, &args), now).await?;
            show(global, &desk, &name, &set_up)
        }
        AccountCommand::List => list(global).await,
        AccountCommand::Revoke { name, because: args } => {
            let desk = desk(global).await?;
            desk.revoke_account(&name, &because(global, &args), now(global, desk.campaign())?).await?;
            eprintln!("the account {name} is revoked; its sessions have ended");
            Ok(0)
        }
        AccountCommand::Reset { name, because: args } => {
            let desk = desk(global).await?;
            let now = now(global, desk.campaign())?;
            let set_up = desk.reset_account(&name, &because(global, &args), now).await?;
            show(global, &desk, &name, &set_up)
        }
    }
}

fn code<T: std::str::FromStr>(text: &str, option: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| Failure::usage(format!("{option} {text}: a code has small letters, digits and hyphens")))
}

/// Shows what the person needs to set the account up. Whoever reads it can log in as that person, until it is used.
fn show(global: &Global, desk: &Desk, name: &AccountName, set_up: &SetUp) -> Done {
    let until = calendar::rfc3339(set_up.until, &desk.campaign().time_zone);
    if global.format == Format::Table {
        write(&format!(
            "account   {name}\nsecret    {}\notpauth   {}\nuntil     {until}\n",
            set_up.secret.as_str(),
            set_up.uri.as_str()
        ))?;
    } else {
        let columns = ["account", "secret", "otpauth", "until"]
            .map(|key| Column::left(key, Text { vi: key.into(), en: key.into() }));
        let text = |vi: &str, en: &str| Text { vi: vi.into(), en: en.into() };
        let mut table = Table::new("account", text("Tài khoản", "Account"), columns.into());
        let cells = [name.as_str(), set_up.secret.as_str(), set_up.uri.as_str(), &until];
        table.push(cells.map(|cell| Cell::Text(cell.to_owned())).into());
        Output::of(global).table(&table)?;
    }
    eprintln!("hand this to the person and to nobody else; it is not shown again");
    eprintln!("they open /console/setup, type name and secret, and let their authenticator read the otpauth address");
    Ok(0)
}

async fn list(global: &Global) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let zone = &desk.campaign().time_zone;
    let text = |vi: &str, en: &str| Text { vi: vi.into(), en: en.into() };
    let mut table = Table::new(
        "accounts",
        text("Tài khoản", "Accounts"),
        vec![
            Column::left("account", text("Tài khoản", "Account")),
            Column::left("role", text("Vai trò", "Role")),
            Column::left("units", text("Đơn vị", "Units")),
            Column::left("target", text("Đối tượng đánh giá", "Target")),
            Column::left("state", text("Trạng thái", "State")),
            Column::left("created", text("Tạo lúc", "Created")),
        ],
    );
    for account in desk.accounts().await? {
        let units: Vec<&str> = account.units.iter().map(UnitCode::as_str).collect();
        let cells = [
            account.name.to_string(),
            account.role.as_str().to_owned(),
            units.join(" "),
            account.target.as_ref().map(ToString::to_string).unwrap_or_default(),
            state(&account, now).to_owned(),
            calendar::rfc3339(account.created, zone),
        ];
        table.push(cells.map(Cell::Text).into());
    }
    Output::of(global).table(&table)?;
    Ok(0)
}

fn state(account: &AccountRow, now: jiff::Timestamp) -> &'static str {
    if account.revoked.is_some() {
        "revoked"
    } else if account.password.is_some() {
        "active"
    } else if account.setup_until.is_some_and(|until| until > now) {
        "to_set_up"
    } else {
        "setup_expired"
    }
}
