//! Two people: which acts on people who were invited need a second person, and who is a second person.
//!
//! Whoever may change an address alone may answer in somebody's place. So a change of address, of holder or of the frame
//! is proposed by one and carried out by another, the former address is told, and the former link dies.

use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

/// Whether two actors are one person, as far as names tell: case, spaces and ways of writing accents make no difference.
#[must_use]
pub fn is_same_actor(one: &str, other: &str) -> bool {
    let folded = |name: &str| {
        let words: Vec<&str> = name.split_whitespace().collect();
        words.join(" ").nfc().collect::<String>().to_lowercase()
    };
    folded(one) == folded(other)
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
        for other in ["nguyễn thị hoà", " NGUYỄN  THỊ\tHOÀ ", "Nguye\u{302}\u{303}n Thị Hoa\u{300}"] {
            assert!(is_same_actor("Nguyễn Thị Hoà", other), "{other}");
        }
        assert!(!is_same_actor("Nguyễn Thị Hoà", "Nguyễn Thị Hoa"));
        assert!(!is_same_actor("an", "binh"));
    }
}
