//! Rosters as agencies hand them in, good and bad, and the rules that hold for all of them.
//!
//! The campaign here is three groups and three units; real names and addresses are nowhere.

mod files;
mod laws;

use std::collections::BTreeSet;

use parsurvey_index::tree::Text;
use unicode_normalization::UnicodeNormalization;

use super::{Lists, ReadOptions, Reading, RosterRow, StoredPerson, difference, read_with};
use crate::campaign::{Group, Unit};

const HEADER: &str = "mã,họ và tên,thư điện tử,nhóm đối tượng,đơn vị,chức vụ\n";

fn group(code: &str, vi: &str, target: &str) -> Group {
    let forms = std::iter::once((target.parse().expect("a code"), "q".parse().expect("a code"))).collect();
    let name = Text { vi: vi.to_owned(), en: code.replace('_', " ") };
    Group { code: code.parse().expect("a code"), name, aliases: Vec::new(), counted: true, feeds: true, forms }
}

fn unit(code: &str, name: &str, alias: &str) -> Unit {
    let aliases = vec![alias.to_owned()];
    Unit { code: code.parse().expect("a code"), name: name.to_owned(), aliases, parent: None, coordinator: None }
}

fn groups() -> Vec<Group> {
    vec![
        group("heads", "Trưởng phòng", "hanoi"),
        group("leaders", "Giám đốc Sở", "hanoi"),
        group("bank", "Ngân hàng", "sbv"),
    ]
}

fn units() -> Vec<Unit> {
    vec![
        unit("snv", "Sở Nội vụ", "Sở NV"),
        unit("stp", "Sở Tư pháp", "STP Hà Nội"),
        unit("hoa", "Quận Hoà Lạc", "Hoà Lạc"),
    ]
}

fn read_bytes(bytes: &[u8], k: u64, options: &ReadOptions) -> Reading {
    let (groups, units) = (groups(), units());
    read_with("roster.csv", bytes, &Lists { groups: &groups, units: &units, k }, options)
}

fn read_text(text: &str) -> Reading {
    read_bytes(text.as_bytes(), 0, &ReadOptions::default())
}

/// The codes of faults and warnings with their lines, for rows below the header.
fn check(rows: &str, expected: &[(usize, &str)]) -> Reading {
    let reading = read_text(&format!("{HEADER}{rows}"));
    let got: Vec<(usize, &str)> =
        reading.faults.iter().chain(&reading.warnings).map(|fault| (fault.line, fault.code)).collect();
    assert_eq!(got, expected, "{rows}");
    reading
}

#[test]
fn a_good_row_is_read() {
    let reading = check("c1,Nguyễn Thị Hoà,ntha@snv.hanoi.example,TRƯỞNG  PHÒNG,sở nội vụ,Trưởng phòng\n", &[]);
    let row = &reading.rows[0];
    assert_eq!((row.line, row.id.as_deref(), row.name.as_str()), (2, Some("c1"), "Nguyễn Thị Hoà"));
    assert_eq!((row.group.as_str(), row.unit.as_str(), row.position.as_str()), ("heads", "snv", "Trưởng phòng"));
    assert_eq!((reading.read, reading.repaired.len(), reading.sha256.len()), (1, 0, 64));
    assert!(reading.is_clean());
}

#[test]
fn groups_and_units_by_code_name_alias_and_either_tone_style() {
    for (group, unit) in
        [("heads", "hoa"), ("Trưởng phòng", "Quận Hòa Lạc"), ("Heads", "HÒA LẠC"), ("HEADS", "hoà  lạc")]
    {
        check(&format!("1,Lan,lan@a.example,{group},{unit},\n"), &[]);
    }
}

#[test]
fn each_bad_cell_is_told_with_its_line() {
    check(
        "1,Lan,,heads,snv,\n2,Lan,lan,heads,stp,\n3,,c@a.example,heads,snv,\n4,Mai,d@a.example,chief,snv,\n\
         5,Tú,e@a.example,heads,Sở Nội vu,\n6,Hà,f@a.example;g@a.example,heads,snv,\n7,x@y,h@a.example,,,\n",
        &[
            (2, "missing-address"),
            (3, "bad-address"),
            (4, "missing-name"),
            (5, "unknown-group"),
            (6, "unknown-unit"),
            (7, "several-addresses"),
            (8, "bad-name"),
            (8, "missing-group"),
            (8, "missing-unit"),
        ],
    );
    let reading = check("5,Tú,e@a.example,heads,So Noi vu,\n", &[(2, "unknown-unit")]);
    assert!(reading.faults[0].remedy.contains("'Sở Nội vụ' (snv)"), "{}", reading.faults[0].remedy);
    assert_eq!(reading.faults[0].field, "unit");
}

#[test]
fn the_same_person_twice() {
    let lan = "c1,Lan,lan@a.example,heads,snv,\n";
    check(&format!("{lan}c1,Lan B,lanb@a.example,heads,stp,\n"), &[(3, "same-person-twice")]);
    check(&format!("{lan},LAN,LAN@a.example,heads,stp,\n"), &[(3, "same-person-twice")]);
    check(&format!("{lan},Lan,other@a.example,heads,snv,\n"), &[(3, "same-person-twice")]);
    check(&format!("{lan}c2,Lan,other@a.example,heads,snv,\n"), &[]);
    check(&format!("{lan}c2,Mai,lan@a.example,heads,snv,\n"), &[(3, "shared-address")]);
    check(&format!("{lan},Lan,other@a.example,heads,stp,\n"), &[]);
}

#[test]
fn one_person_in_two_groups_is_a_fault_only_for_one_target() {
    let lan = "c1,Lan,lan@a.example,heads,snv,\n";
    check(&format!("{lan}c1,Lan,lan@a.example,leaders,snv,\n"), &[(3, "person-in-two-groups")]);
    check(&format!("{lan}c2,Lan,lan@a.example,leaders,stp,\n"), &[(3, "person-in-two-groups")]);
    check(&format!("{lan}c1,Lan,lan@a.example,bank,snv,\n"), &[]);
}

#[test]
fn warnings_block_until_accepted() {
    let text = format!("{HEADER}1,=Lan,a@a.example,heads,snv,\n2,Mai,a@a.example,heads,snv,\n");
    let mut options = ReadOptions::default();
    let reading = read_bytes(text.as_bytes(), 2, &options);
    let codes: Vec<&str> = reading.warnings.iter().map(|w| w.code).collect();
    assert_eq!(codes, ["group-below-k", "group-below-k", "formula-like", "shared-address"]);
    assert!(reading.faults.is_empty() && !reading.is_clean());
    options.accept = codes.iter().map(|c| (*c).to_owned()).collect();
    let reading = read_bytes(text.as_bytes(), 2, &options);
    assert!(reading.is_clean() && reading.warnings.len() == 4);
    options.accept = BTreeSet::from(["shared-adress".to_owned()]);
    assert_eq!(read_bytes(text.as_bytes(), 0, &options).faults[0].code, "unknown-warning");
}

#[test]
fn repairs_are_told() {
    let name: String = "Nguyễn Thị  Hoà".nfd().collect();
    let reading = check(&format!("1,{name},lan\u{FF20}SNV.example;,heads,snv,Phó\u{A0}phòng\n"), &[]);
    let fields: Vec<(usize, &str, &str)> = reading.repaired.iter().map(|r| (r.line, r.field, r.to.as_str())).collect();
    assert_eq!(fields, [(2, "name", "Nguyễn Thị Hoà"), (2, "email", "lan@snv.example"), (2, "position", "Phó phòng")]);
}

/// The rows as a ledger would hold them.
fn stored(rows: &[RosterRow]) -> Vec<StoredPerson> {
    let person = |(i, row): (usize, &RosterRow)| StoredPerson {
        person: i64::try_from(i).expect("few") + 1,
        id: row.id.clone(),
        name: row.name.clone(),
        email: row.email.expose().to_owned(),
        group: row.group.clone(),
        unit: row.unit.clone(),
        position: row.position.clone(),
    };
    rows.iter().enumerate().map(person).collect()
}

#[test]
fn identity_is_the_id_then_the_address() {
    let read = |rows: &str| read_text(&format!("{HEADER}{rows}")).rows;
    let people =
        stored(&read("c1,Lan,lan@a.example,heads,snv,\n,Mai,mai@a.example,heads,snv,\n,Tú,tu@a.example,heads,stp,\n"));
    let rows =
        read("c1,Lan Anh,la@a.example,leaders,stp,\n,Mai,mai@a.example,heads,snv,Phó\n,Tú,tu2@a.example,heads,stp,\n");
    let found = difference(&people, &rows);
    let changed: Vec<_> = found.changed.iter().map(|c| (c.person, c.fields.as_slice())).collect();
    assert_eq!(changed, [(1, &["name", "email", "group", "unit"][..]), (2, &["position"][..])]);
    assert_eq!((found.removed[0].person, found.added.len()), (3, 1));
    assert_eq!(found.perhaps_same.iter().map(|p| (p.removed, p.added)).collect::<Vec<_>>(), [(3, 4)]);
    // A new holder of an office's mailbox with an id of their own is another person.
    let newcomer = difference(&people[..1], &read("c9,Hà,lan@a.example,heads,snv,\n"));
    assert_eq!((newcomer.removed.len(), newcomer.added.len(), newcomer.perhaps_same.len()), (1, 1, 0));
}

#[test]
fn who_left_the_frame_is_found_again_by_id_else_address_else_name() {
    let read = |rows: &str| read_text(&format!("{HEADER}{rows}")).rows;
    let gone = stored(&read(
        "c1,Lan,lan@a.example,heads,snv,\n,Mai,mai@a.example,heads,snv,\n,Tú,tu@a.example,heads,stp,\nc4,Hà,ha@a.example,heads,snv,\n",
    ));
    let rows = read(
        "c1,Lan Anh,la@a.example,leaders,stp,\n,Mai,mai@a.example,heads,snv,\n,Tú,tu2@a.example,heads,stp,\nc5,Hà,ha2@a.example,heads,snv,\n,Mới,moi@a.example,heads,snv,\n",
    );
    let mut found = difference(&[], &rows);
    found.welcome_back(&gone);
    let returned: Vec<_> = found.returned.iter().map(|c| (c.person, c.row.line, c.fields.as_slice())).collect();
    let expected = [(1, 2, &["name", "email", "group", "unit"][..]), (2, 3, &[][..]), (3, 4, &["email"][..])];
    assert_eq!(returned, expected, "another id is another person, whatever the name");
    assert_eq!(found.added.iter().map(|row| row.line).collect::<Vec<_>>(), [5, 6]);
    assert!(!found.is_empty());
    // Whoever is in the frame keeps the row: nobody who left it takes a seat away.
    let mut same = difference(&gone[1..2], &rows[1..2]);
    same.welcome_back(&gone);
    assert_eq!((same.returned.len(), same.unchanged.len()), (0, 1));
}
