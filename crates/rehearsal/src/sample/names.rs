//! Vietnamese names, composed of common parts, and the mailbox names made of them.
//!
//! The weights of family names are only roughly those of the country.

use parsurvey_survey::roster::bare;

use super::dice::Dice;

const FAMILIES: [(&str, usize); 24] = [
    ("Nguyễn", 60),
    ("Trần", 22),
    ("Lê", 18),
    ("Phạm", 14),
    ("Hoàng", 9),
    ("Vũ", 9),
    ("Phan", 7),
    ("Đặng", 7),
    ("Bùi", 7),
    ("Đỗ", 8),
    ("Ngô", 5),
    ("Dương", 4),
    ("Lý", 2),
    ("Đinh", 4),
    ("Trịnh", 4),
    ("Đào", 4),
    ("Lương", 3),
    ("Mai", 3),
    ("Tạ", 3),
    ("Chu", 3),
    ("Hà", 3),
    ("Cao", 2),
    ("Lưu", 2),
    ("Kiều", 2),
];

const MENS_MIDDLES: [(&str, usize); 12] = [
    ("Văn", 20),
    ("Đức", 8),
    ("Minh", 7),
    ("Quang", 7),
    ("Hữu", 5),
    ("Anh", 5),
    ("Xuân", 4),
    ("Thanh", 5),
    ("Ngọc", 4),
    ("Đình", 5),
    ("Trọng", 3),
    ("Tiến", 3),
];

const MENS: [&str; 44] = [
    "Anh", "Bách", "Bình", "Cường", "Chiến", "Chính", "Dũng", "Duy", "Dương", "Đạt", "Đông", "Giang", "Hà", "Hải",
    "Hiếu", "Hiệp", "Hoà", "Hoàng", "Hùng", "Huy", "Hưng", "Khánh", "Khôi", "Kiên", "Lâm", "Long", "Lợi", "Mạnh",
    "Minh", "Nam", "Nghĩa", "Phong", "Phúc", "Phương", "Quân", "Quý", "Sơn", "Tài", "Tâm", "Thành", "Thắng", "Tuấn",
    "Tùng", "Việt",
];

const WOMENS_MIDDLES: [(&str, usize); 11] = [
    ("Thị", 20),
    ("Thu", 7),
    ("Thị Thanh", 4),
    ("Ngọc", 5),
    ("Minh", 4),
    ("Phương", 4),
    ("Thị Minh", 3),
    ("Thị Hồng", 4),
    ("Hồng", 4),
    ("Thanh", 5),
    ("Thị Kim", 2),
];

const WOMENS: [&str; 40] = [
    "An", "Anh", "Bích", "Chi", "Châu", "Diệp", "Dung", "Duyên", "Giang", "Hà", "Hạnh", "Hằng", "Hiền", "Hoa", "Hoà",
    "Hồng", "Huệ", "Huyền", "Hương", "Lan", "Liên", "Linh", "Loan", "Mai", "My", "Nga", "Ngân", "Ngọc", "Nhung",
    "Oanh", "Phương", "Quyên", "Quỳnh", "Thảo", "Thuỷ", "Trang", "Tuyết", "Vân", "Yến", "Xuân",
];

/// A full name.
pub(super) fn full_name(dice: &mut Dice) -> String {
    let family = *dice.weighted(&FAMILIES);
    // A sample in which two in five are women; the real share differs from body to body.
    if dice.below(5) < 2 {
        let middle = *dice.weighted(&WOMENS_MIDDLES);
        format!("{family} {middle} {}", WOMENS[dice.below(WOMENS.len())])
    } else {
        let middle = *dice.weighted(&MENS_MIDDLES);
        format!("{family} {middle} {}", MENS[dice.below(MENS.len())])
    }
}

/// The mailbox of a name as offices form it: initials, then the given name, as in `ntlan` for Nguyễn Thị Lan.
pub(super) fn mailbox(name: &str) -> String {
    let plain = bare(name);
    let mut words: Vec<&str> = plain.split(' ').collect();
    let given = words.pop().unwrap_or_default();
    let initials: String = words.iter().filter_map(|word| word.chars().next()).collect();
    format!("{initials}{given}")
}

#[cfg(test)]
mod tests {
    use super::mailbox;

    #[test]
    fn mailboxes_are_initials_and_the_given_name() {
        assert_eq!(mailbox("Nguyễn Thị Lan"), "ntlan");
        assert_eq!(mailbox("Đặng Thị Thanh Thuỷ"), "dttthuy");
    }
}
