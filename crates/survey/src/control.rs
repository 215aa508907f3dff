//! Two people: which acts on people who were invited need a second person, and who is a second person.
//!
//! Whoever may change an address alone may answer in somebody's place. So a change of address, of holder or of the frame
//! is proposed by one and carried out by another, the former address is told, and the former link dies.

use std::str::FromStr;

use crate::roster::joined;

/// Whether two actors are one person, as far as names tell: case, spaces, ways of writing accents, the place of a tone
/// mark and signs that show nothing make no difference.
#[must_use]
pub fn is_same_actor(one: &str, other: &str) -> bool {
    joined(one) == joined(other)
}

/// What an address is told for the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// The person's mails go to another address from now on.
    Address,
    /// The form passed on to another person.
    Replaced,
    /// The person is not in the list any more.
    Left,
}

impl NoticeKind {
    /// The word stored and printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Replaced => "replaced",
            Self::Left => "left",
        }
    }
}

impl FromStr for NoticeKind {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Address, Self::Replaced, Self::Left]
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| format!("'{word}' is not a kind of notice"))
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_actor;

    #[test]
    fn a_name_written_otherwise_is_no_second_person() {
        for other in [
            "nguyễn thị hoà",
            " NGUYỄN  THỊ\tHOÀ ",
            "Nguye\u{302}\u{303}n Thị Hoa\u{300}",
            "Nguyễn Thị Hòa",
            "Nguyễn\u{200B} Thị Ho\u{2063}à\u{FEFF}",
            "Nguye\u{303}\u{34F}\u{302}n Thị Hoà",
            "Nguyễn\u{A0}ThịHoà",
            "Ｎguyễn Thị Hoà",
        ] {
            assert!(is_same_actor("Nguyễn Thị Hoà", other), "{other}");
        }
        assert!(is_same_actor("Ðỗ Văn Thuý", "đỗ văn thúy"));
        for other in ["Nguyễn Thị Hoa", "Nguyễn Thị Hoả", "Nguyên Thị Hoà", "Nguyễn Thi Hoà"] {
            assert!(!is_same_actor("Nguyễn Thị Hoà", other), "{other}");
        }
        assert!(!is_same_actor("an", "binh"));
    }
}
