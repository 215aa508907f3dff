//! Accounts of the console: who may log in, in which role, for which units and which target.
//!
//! An account is an operator's user name, never a respondent's. What a role may is one table, [`Role::may`]; which page
//! asks for what is decided where the pages are. Passwords are hashed elsewhere, because that takes time on purpose.

mod seal;
mod session;
mod throttle;
mod totp;

use std::fmt;
use std::str::FromStr;

use parsurvey_index::code::{TargetCode, UnitCode};

pub use seal::{Console, ConsoleSecret, Device, SealError};
pub use session::{ABSOLUTE, IDLE, SEEN_AGAIN, SETUP, is_alive};
pub use throttle::{Knock, Throttle};
pub use totp::{SEED_BYTES, Seed, Step, step_of};

/// What an account is for. Each person has an account of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the campaign: sees every seat with its person.
    Operator,
    /// Chases some units: sees their counts, and names only on the organiser's recorded order.
    Coordinator,
    /// Works on results: counts, no people.
    Analyst,
    /// Keys answers that came on paper: no people, no counts.
    DataEntry,
    /// Looks at what was done: counts and the log, no people.
    Auditor,
    /// Cares for accounts and the server, and can stand in for an operator.
    Administrator,
    /// Holds the box key: sees nothing of the field.
    KeyHolder,
}

/// Every role.
pub const ROLES: [Role; 7] = [
    Role::Operator,
    Role::Coordinator,
    Role::Analyst,
    Role::DataEntry,
    Role::Auditor,
    Role::Administrator,
    Role::KeyHolder,
];

/// What a page can ask of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// One's own account: see it, log out.
    OwnAccount,
    /// Counts of seats: rates, funnel, chase. A coordinator's are those of the own units.
    SeeCounts,
    /// A list of seats with names and addresses. A coordinator's is short, and empty without an order.
    SeePeople,
    /// One person's mails with what became of each.
    SeeMails,
    /// Results, once the box was opened: points, percents and counts of groups that are large enough.
    SeeResults,
    /// Acts of the campaign: pause, excuse, replace, send, close, and what else an operator does.
    Act,
}

impl Role {
    /// Whether the role has the right. What is not written here is forbidden.
    #[must_use]
    pub fn may(self, right: Right) -> bool {
        match right {
            Right::OwnAccount => true,
            Right::SeeCounts => match self {
                Role::Operator | Role::Coordinator | Role::Analyst | Role::Auditor | Role::Administrator => true,
                Role::DataEntry | Role::KeyHolder => false,
            },
            Right::SeePeople => match self {
                Role::Operator | Role::Coordinator | Role::Administrator => true,
                Role::Analyst | Role::DataEntry | Role::Auditor | Role::KeyHolder => false,
            },
            Right::SeeResults => match self {
                Role::Operator | Role::Analyst | Role::Auditor | Role::Administrator => true,
                Role::Coordinator | Role::DataEntry | Role::KeyHolder => false,
            },
            Right::SeeMails | Right::Act => match self {
                Role::Operator | Role::Administrator => true,
                Role::Coordinator | Role::Analyst | Role::DataEntry | Role::Auditor | Role::KeyHolder => false,
            },
        }
    }

    /// The word stored, typed and printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Coordinator => "coordinator",
            Role::Analyst => "analyst",
            Role::DataEntry => "data_entry",
            Role::Auditor => "auditor",
            Role::Administrator => "administrator",
            Role::KeyHolder => "key_holder",
        }
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        let found = ROLES.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| format!("'{word}' is not a role"))
    }
}

/// The name somebody logs in with: 2 to 32 characters of `a`–`z`, `0`–`9`, `.`, `_` and `-`, a letter first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct AccountName(String);

impl AccountName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for AccountName {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
        let fits = (2..=32).contains(&text.len()) && text.chars().all(allowed);
        if fits && text.starts_with(|c: char| c.is_ascii_lowercase()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a name has 2 to 32 characters of a-z, 0-9, dot, underscore and hyphen, a letter first")
        }
    }
}

/// Which seats an account sees at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only seats that rate this target; `None` for every target.
    pub target: Option<TargetCode>,
    /// Only seats of these units; `None` for every unit.
    pub units: Option<Vec<UnitCode>>,
}

impl Scope {
    /// Whether a seat of this target and unit is seen.
    #[must_use]
    pub fn holds(&self, target: &TargetCode, unit: &UnitCode) -> bool {
        self.target.as_ref().is_none_or(|own| own == target) && self.units.as_ref().is_none_or(|own| own.contains(unit))
    }
}

/// The least characters of a password. Length is what counts; no kinds of characters are demanded.
pub const PASSWORD_LEAST: usize = 12;
/// The most bytes of a password, so that nobody makes the server hash a book.
pub const PASSWORD_MOST: usize = 256;

/// Why a password cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPassword {
    /// Fewer than [`PASSWORD_LEAST`] characters.
    Short,
    /// More than [`PASSWORD_MOST`] bytes.
    Long,
    /// It holds the account's name, or is one character again and again.
    Guessable,
}

/// Judges a new password.
///
/// # Errors
/// Why it cannot be taken.
pub fn judge_password(name: &AccountName, password: &str) -> Result<(), BadPassword> {
    if password.chars().count() < PASSWORD_LEAST {
        return Err(BadPassword::Short);
    }
    if password.len() > PASSWORD_MOST {
        return Err(BadPassword::Long);
    }
    let first = password.chars().next();
    let is_one_character = password.chars().all(|c| Some(c) == first);
    if is_one_character || password.to_lowercase().contains(name.as_str()) {
        return Err(BadPassword::Guessable);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_roles_have_their_words() {
        for good in ["nva", "a1", "so-noi-vu.dd", "x_y"] {
            assert!(good.parse::<AccountName>().is_ok(), "{good}");
        }
        for bad in ["", "a", "1a", "Nva", "nguyễn", "a b", "a/b", "a@b", &"a".repeat(33)] {
            assert!(bad.parse::<AccountName>().is_err(), "{bad}");
        }
        for role in ROLES {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }

    #[test]
    fn whoever_sees_mails_sees_people_and_whoever_sees_people_sees_counts() {
        for role in ROLES {
            assert!(role.may(Right::OwnAccount));
            assert!(!role.may(Right::SeeMails) || role.may(Right::SeePeople));
            assert!(!role.may(Right::Act) || role.may(Right::SeeMails), "nobody acts on what they cannot see");
            assert!(!role.may(Right::SeePeople) || role.may(Right::SeeCounts));
            assert!(!role.may(Right::SeeResults) || role.may(Right::SeeCounts));
        }
        for blind in [Role::DataEntry, Role::KeyHolder] {
            assert!(!blind.may(Right::SeeCounts) && !blind.may(Right::SeeResults));
        }
        for nameless in [Role::Analyst, Role::Auditor] {
            assert!(!nameless.may(Right::SeePeople));
        }
    }

    #[test]
    fn a_scope_holds_its_target_and_its_units_only() {
        let (hanoi, sbv) = ("hanoi".parse::<TargetCode>().expect("a code"), "sbv".parse().expect("a code"));
        let (y_te, noi_vu) = ("so-y-te".parse::<UnitCode>().expect("a code"), "so-noi-vu".parse().expect("a code"));
        assert!(Scope::default().holds(&sbv, &y_te));
        let bound = Scope { target: Some(hanoi.clone()), units: Some(vec![y_te.clone()]) };
        assert!(bound.holds(&hanoi, &y_te));
        assert!(!bound.holds(&sbv, &y_te) && !bound.holds(&hanoi, &noi_vu));
    }

    #[test]
    fn a_password_is_long_and_not_the_name() {
        let name: AccountName = "nguyenvana".parse().expect("a name");
        assert_eq!(judge_password(&name, "ngắn quá"), Err(BadPassword::Short));
        assert_eq!(judge_password(&name, &"dài".repeat(100)), Err(BadPassword::Long));
        assert_eq!(judge_password(&name, "NguyenVanA2024"), Err(BadPassword::Guessable));
        assert_eq!(judge_password(&name, "aaaaaaaaaaaaaa"), Err(BadPassword::Guessable));
        assert_eq!(judge_password(&name, "ba con mèo trắng"), Ok(()));
    }
}
