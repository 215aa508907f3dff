//! Posts that suit a group and a unit, in the order in which a list names them.
//!
//! The divisions are typical ones; which divisions a real department has is not said here.

/// Divisions that most departments have, then numbered ones.
const DIVISIONS: [&str; 6] = [
    "Tổ chức cán bộ",
    "Kế hoạch - Tài chính",
    "Pháp chế",
    "Hành chính - Tổng hợp",
    "Công nghệ thông tin",
    "Tuyên truyền",
];

const COMMITTEES: [&str; 4] = ["Ban Pháp chế", "Ban Kinh tế - Ngân sách", "Ban Văn hoá - Xã hội", "Ban Đô thị"];

/// A council delegate's post: every fourth sits in a committee.
pub(super) fn delegate(place: usize) -> String {
    match place % 4 {
        3 => format!("Đại biểu HĐND Thành phố, Uỷ viên {}", COMMITTEES[place / 4 % COMMITTEES.len()]),
        _ => "Đại biểu HĐND Thành phố".to_owned(),
    }
}

/// The head of a department first, then the deputies.
pub(super) fn department_leader(unit: &str, place: usize) -> String {
    let title = if unit.starts_with("Văn phòng") {
        "Chánh Văn phòng"
    } else if unit.starts_with("Thanh tra") {
        "Chánh Thanh tra"
    } else if unit.starts_with("Ban ") {
        "Trưởng ban"
    } else {
        "Giám đốc"
    };
    if place == 0 { title.to_owned() } else { format!("Phó {title}") }
}

/// Heads and deputies, three to a division; a department's office and inspectorate come first.
pub(super) fn division_head(unit: &str, place: usize) -> String {
    let (division, deputy) = (place / 3, !place.is_multiple_of(3));
    let own = if unit.starts_with("Sở ") { 2 } else { 0 };
    let (title, of) = match (own, division) {
        (2, 0) => ("Chánh Văn phòng", "Sở".to_owned()),
        (2, 1) => ("Chánh Thanh tra", "Sở".to_owned()),
        _ => ("Trưởng phòng", named_division(division - own)),
    };
    match (deputy, title) {
        (false, _) => format!("{title} {of}"),
        (true, "Trưởng phòng") => format!("Phó Trưởng phòng {of}"),
        (true, _) => format!("Phó {title} {of}"),
    }
}

fn named_division(division: usize) -> String {
    match DIVISIONS.get(division) {
        Some(name) => (*name).to_owned(),
        None => format!("Nghiệp vụ {}", division + 1 - DIVISIONS.len()),
    }
}

/// The chair first, then the vice-chairs. The unit's name begins with `UBND`.
pub(super) fn district_leader(unit: &str, place: usize) -> String {
    if place == 0 { format!("Chủ tịch {unit}") } else { format!("Phó Chủ tịch {unit}") }
}

/// A director, three deputies, then heads and deputies of divisions.
pub(super) fn bank(place: usize) -> String {
    match place {
        0 => "Giám đốc".to_owned(),
        1..=3 => "Phó Giám đốc".to_owned(),
        _ => {
            let (division, deputy) = ((place - 4) / 4, !(place - 4).is_multiple_of(4));
            let title = if deputy { "Phó Trưởng phòng" } else { "Trưởng phòng" };
            format!("{title} {}", named_division(division))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{bank, department_leader, division_head};

    #[test]
    fn titles_follow_the_kind_of_unit() {
        assert_eq!(department_leader("Sở Y tế", 0), "Giám đốc");
        assert_eq!(department_leader("Thanh tra Thành phố", 1), "Phó Chánh Thanh tra");
        assert_eq!(division_head("Sở Y tế", 1), "Phó Chánh Văn phòng Sở");
        assert_eq!(division_head("Sở Y tế", 6), "Trưởng phòng Tổ chức cán bộ");
        assert_eq!(division_head("Ban Dân tộc", 0), "Trưởng phòng Tổ chức cán bộ");
        assert_eq!(division_head("Ban Dân tộc", 19), "Phó Trưởng phòng Nghiệp vụ 1");
        assert_eq!(bank(4), "Trưởng phòng Tổ chức cán bộ");
    }
}
