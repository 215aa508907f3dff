//! What people are told of their data: who answers for it, on what basis, whom to complain to, and how long what is kept.
//!
//! It says and counts days; erasing is done elsewhere, by this same table, so that the notice cannot promise what nobody
//! carries out. It is a draft that a lawyer has to read (`docs/law`).

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use parsurvey_index::tree::Text;

/// `[notice]` of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Who decides why and how the data are processed (bên kiểm soát).
    pub controller: Text,
    /// Who processes them on the controller's behalf (bên xử lý).
    pub processor: Text,
    /// The legal basis, in the lawyer's words.
    pub basis: Text,
    /// Further recipients than the program knows of, such as a mail provider.
    pub recipients: Option<Text>,
    /// Whom to complain to: outside the body that is scored, and not the helpline.
    pub complaint: Complaint,
    /// What is kept how long: every [`Kept`] once, in the order of the file.
    pub retention: Vec<Retention>,
}

/// A contact outside the body that is scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The office.
    pub name: Text,
    /// Its phone number, as printed.
    pub phone: String,
    /// Its address.
    pub email: String,
}

/// One row of the retention table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// What is kept.
    pub what: Kept,
    /// What becomes of it.
    pub then: Then,
}

/// What becomes of data when their time has come. Days count from the opening of the ballot box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// `parsurvey purge` erases it after so many days.
    Erase(u32),
    /// A person destroys it after so many days: it lies where the program cannot reach.
    ByHand(u32),
    /// It stays.
    Keep,
}

impl Then {
    /// The word of the campaign file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Erase(_) => "erase",
            Self::ByHand(_) => "by_hand",
            Self::Keep => "keep",
        }
    }

    /// Days after the opening; `None` for what stays.
    #[must_use]
    pub fn days(self) -> Option<u32> {
        match self {
            Self::Erase(days) | Self::ByHand(days) => Some(days),
            Self::Keep => None,
        }
    }

    /// The moment from which it is due, for a box opened at `opened`; `None` for what stays.
    #[must_use]
    pub fn due(self, opened: Timestamp) -> Option<Timestamp> {
        let time = SignedDuration::from_hours(24 * i64::from(self.days()?));
        Some(opened.checked_add(time).unwrap_or(Timestamp::MAX))
    }
}

/// What a survey leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kept {
    /// Names, addresses, positions and the list's own numbers: one table of the ledger.
    People,
    /// What mail servers said of mails, in the ledger.
    Replies,
    /// Letters to units in the data folder, which may name people.
    Letters,
    /// The log of acts: numbers of persons and forms, never a name.
    Log,
    /// Tally, scores and reports.
    Results,
    /// The sealed archive of responses.
    Archive,
    /// Backups of ledger and data folder.
    Backups,
    /// Logs of the server, the proxy and the mail relay.
    ServerLogs,
}

/// Every kind, in the order in which a notice names them.
pub const KEPT: [Kept; 8] = [
    Kept::People,
    Kept::Replies,
    Kept::Letters,
    Kept::Log,
    Kept::Results,
    Kept::Archive,
    Kept::Backups,
    Kept::ServerLogs,
];

impl Kept {
    /// The word of the campaign file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Replies => "replies",
            Self::Letters => "letters",
            Self::Log => "log",
            Self::Results => "results",
            Self::Archive => "archive",
            Self::Backups => "backups",
            Self::ServerLogs => "server_logs",
        }
    }

    /// What it is called, in Vietnamese and in English.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::People => (
                "Họ tên, địa chỉ thư điện tử, chức vụ, mã số trong danh sách",
                "Names, e-mail addresses, positions, numbers in the list",
            ),
            Self::Replies => ("Lời báo của máy chủ thư về từng thư", "What mail servers said of each mail"),
            Self::Letters => ("Văn bản đôn đốc gửi cơ quan, đơn vị", "Letters to agencies and units"),
            Self::Log => (
                "Nhật ký thao tác: mã số phiếu và người, không có tên",
                "Log of acts: numbers of forms and persons, no name",
            ),
            Self::Results => ("Bảng đếm, điểm và báo cáo kết quả", "Tally, scores and reports"),
            Self::Archive => ("Bản lưu phiếu đã niêm phong, không có tên", "Sealed archive of forms, without names"),
            Self::Backups => ("Bản sao lưu của cơ sở dữ liệu", "Backups of the database"),
            Self::ServerLogs => {
                ("Nhật ký của máy chủ web và máy chủ chuyển thư", "Logs of the web server and the mail relay")
            }
        }
    }

    /// Whether `parsurvey purge` can erase it.
    #[must_use]
    pub fn can_be_erased(self) -> bool {
        matches!(self, Self::People | Self::Replies | Self::Letters)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kept {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        KEPT.into_iter().find(|kept| kept.as_str() == word).ok_or_else(|| format!("'{word}' is nothing that is kept"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_counted_from_the_opening() {
        let opened: Timestamp = "2024-01-11T00:31:00+07:00".parse().expect("a moment");
        for (then, due) in [
            (Then::Erase(90), Some("2024-04-10T00:31:00+07:00")),
            (Then::ByHand(0), Some("2024-01-11T00:31:00+07:00")),
            (Then::Keep, None),
        ] {
            assert_eq!(then.due(opened), due.map(|due| due.parse().expect("a moment")), "{then:?}");
        }
    }

    #[test]
    fn every_word_means_one_thing() {
        for kept in KEPT {
            assert_eq!(kept.as_str().parse(), Ok(kept));
        }
        assert!("names".parse::<Kept>().is_err());
    }
}
