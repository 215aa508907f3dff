//! The rules of chasing on hand-made seats, and as laws over random ones.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::seat::{ExcuseCategory, sample};

macro_rules! of_sample {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../../pipelines/example-small/", $name)).to_vec())
    };
}

/// The small sample with its units: `office` has a coordinator, `finance` and `records` lie below it; and two more: `tax`
/// with a coordinator below `office`, and `stray` without any.
static CAMPAIGN: LazyLock<Campaign> = LazyLock::new(|| {
    let mut files: BTreeMap<String, Vec<u8>> = [
        of_sample!("campaign.toml"),
        of_sample!("groups.toml"),
        of_sample!("questionnaire.toml"),
        of_sample!("index.toml"),
        of_sample!("units.csv"),
        of_sample!("templates/prenotice.subject.txt"),
        of_sample!("templates/prenotice.txt"),
        of_sample!("templates/prenotice.html"),
        of_sample!("templates/invitation.subject.txt"),
        of_sample!("templates/invitation.txt"),
        of_sample!("templates/invitation.html"),
        of_sample!("templates/reminder.subject.txt"),
        of_sample!("templates/reminder.txt"),
        of_sample!("templates/reminder.html"),
        of_sample!("templates/chase.subject.txt"),
        of_sample!("templates/chase.txt"),
        of_sample!("templates/chase.html"),
    ]
    .into_iter()
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .collect();
    let more = b"tax,Thue,,office,Nguyen Thi T,tax@thitranmau.example\nstray,Doi,,,,\n";
    files.get_mut("units.csv").expect("it was read").extend_from_slice(more);
    crate::campaign::load(&files).expect("the sample has no fault").campaign
});

const UNITS: [&str; 5] = ["office", "finance", "records", "tax", "stray"];

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn code<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().expect("a code")
}

/// A seat of the small campaign whose invitation was accepted.
fn seat(form: i64, unit: &str) -> Seat {
    let mail = MailSummary { invited: true, link_accepted: 1, ..MailSummary::default() };
    Seat { unit: code(unit), group: code("staff"), target: code("town"), mail, ..sample(form) }
}

#[test]
fn a_seat_stands_in_one_place() {
    let at = Some(Timestamp::UNIX_EPOCH);
    let mailed = seat(1, "office");
    let refused = MailSummary { last_link_rejected: true, ..mailed.mail.clone() };
    let never = MailSummary { queued: vec![(MailKind::Prenotice, 0)], waiting: 1, ..MailSummary::default() };
    let unknown = MailSummary { link_unknown: 1, unknown: 1, ..MailSummary::default() };
    for (seat, expected) in [
        (mailed.clone(), Standing::Silent),
        (Seat { mail: refused.clone(), ..mailed.clone() }, Standing::NotDelivered),
        (Seat { mail: never, ..mailed.clone() }, Standing::NotDelivered),
        (Seat { mail: unknown, ..mailed.clone() }, Standing::Silent),
        (Seat { started: at, mail: refused.clone(), ..mailed.clone() }, Standing::Started),
        (Seat { declined: true, mail: refused, ..mailed.clone() }, Standing::Started),
        (Seat { ever_declined: true, ..mailed.clone() }, Standing::Started),
        (Seat { excused: Some(ExcuseCategory::Ill), declined: true, ..mailed.clone() }, Standing::Excused),
        (Seat { completed: at, ever_declined: true, ..mailed }, Standing::Completed),
    ] {
        assert_eq!(standing(&seat), expected, "{seat:?}");
    }
}

#[test]
fn a_unit_is_told_through_the_nearest_coordinator() {
    for (unit, told) in
        [("office", "office"), ("finance", "office"), ("records", "office"), ("tax", "tax"), ("stray", "stray")]
    {
        assert_eq!(addressee(&CAMPAIGN, &code(unit)).as_str(), told, "{unit}");
    }
}

#[test]
fn one_letter_per_coordinator_and_none_where_all_is_done() {
    let done = Some(Timestamp::UNIX_EPOCH);
    let mut seats = vec![
        seat(1, "office"),
        Seat { completed: done, ..seat(2, "finance") },
        Seat { excused: Some(ExcuseCategory::Ill), ..seat(3, "tax") },
        Seat { completed: done, ..seat(4, "tax") },
        Seat { ineligible: true, ..seat(5, "stray") },
    ];
    let found = letters(&CAMPAIGN, &seats);
    assert_eq!(found.len(), 1, "nothing is outstanding at tax, and stray has no seat");
    assert_eq!(found[0].to.as_str(), "office");
    let keys: Vec<&str> = found[0].rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys, ["office", "finance"], "a unit that is done stands in its coordinator's letter");
    assert_eq!((found[0].total.listed, found[0].total.outstanding, found[0].total.completed), (2, 1, 1));

    seats[4].ineligible = false;
    assert_eq!(letters(&CAMPAIGN, &seats)[1].to.as_str(), "stray", "a unit without a coordinator has a letter too");
}

#[test]
fn names_are_of_who_was_not_heard_of_and_each_stands_once() {
    let begun = Some(Timestamp::UNIX_EPOCH);
    let seats = [
        seat(1, "finance"),
        Seat { declined: true, ..seat(2, "office") },
        Seat { started: begun, ..seat(3, "office") },
        seat(4, "office"),
        // A second seat of the first person, and one of a person who declined the other.
        Seat { person: 1, ..seat(5, "finance") },
        Seat { person: 2, ..seat(6, "office") },
        Seat { ineligible: true, ..seat(7, "office") },
    ];
    let letter = letters(&CAMPAIGN, &seats).remove(0);
    let forms: Vec<_> = names(&letter, &seats).into_iter().map(|named| (named.form, named.unit.to_string())).collect();
    assert_eq!(forms, [(4, "office".to_owned()), (1, "finance".to_owned())]);
}

#[test]
fn names_need_an_order_and_the_last_reminder() {
    let due = moment("2023-12-22T08:00:00+07:00");
    let before = moment("2023-12-22T07:59:59+07:00");
    for (ordered, now, expected) in [
        (false, due, Err(NamesRefused::NoOrder)),
        (true, before, Err(NamesRefused::TooEarly(due))),
        (false, before, Err(NamesRefused::NoOrder)),
        (true, due, Ok(())),
    ] {
        assert_eq!(may_name(&CAMPAIGN, ordered, now), expected, "{ordered} {now}");
    }
    let mut without = CAMPAIGN.clone();
    without.contacts.retain(|contact| contact.kind != MailKind::Reminder);
    assert_eq!(may_name(&without, true, due), Err(NamesRefused::NoReminder));
}

#[test]
fn the_mail_says_what_the_counts_are_and_names_nobody_unless_told_to() {
    let seats = [seat(1, "office"), Seat { completed: Some(Timestamp::UNIX_EPOCH), ..seat(2, "finance") }];
    let letter = letters(&CAMPAIGN, &seats).remove(0);
    let chasing = CAMPAIGN.chasing.as_ref().expect("the sample declares it");
    let mut particulars = Particulars {
        coordinator: "Lê Văn <Mẫu>",
        names: &[],
        order: "",
        day: date(2023, 12, 22),
        closes: CAMPAIGN.closes,
    };
    let write = |particulars| {
        let values = chase_values(&CAMPAIGN, chasing, &letter, particulars, "https://khaosat.example");
        render_chase(&chasing.mail, &values).expect("the sample renders")
    };
    let mail = write(particulars);
    assert!(mail.text.contains("Văn phòng thị trấn Mẫu: 1 phiếu; đã gửi 0, được miễn 0, còn lại 1"), "{}", mail.text);
    assert!(
        mail.text.contains("trước 23:59 ngày 10/01/2024") && !mail.text.contains("danh sách người"),
        "{}",
        mail.text
    );
    assert!(mail.html.contains("Lê Văn &lt;Mẫu&gt;") && !mail.text.contains("://"));
    let names = ["1. Nguyễn Văn An, Chủ tịch".to_owned()];
    (particulars.names, particulars.order) = (&names, "Công văn số 9/BNV");
    let mail = write(particulars);
    assert!(
        mail.text.contains("Theo Công văn số 9/BNV, danh sách người chưa phản hồi:\n1. Nguyễn Văn An"),
        "{}",
        mail.text
    );
}

#[test]
fn a_date_is_written_as_official_letters_write_it() {
    for (day, expected) in [
        (date(2023, 12, 22), "ngày 22 tháng 12 năm 2023"),
        (date(2024, 1, 5), "ngày 05 tháng 01 năm 2024"),
        (date(2024, 3, 31), "ngày 31 tháng 3 năm 2024"),
    ] {
        assert_eq!(date_in_words(day), expected);
    }
}

#[test]
fn the_digest_says_what_is_new_what_fails_and_what_is_next() {
    let now = moment("2023-12-21T08:00:00+07:00");
    let submitted = [moment("2023-12-20T07:00:00+07:00"), moment("2023-12-20T09:00:00+07:00")];
    let waiting = MailSummary { waiting: 1, ..MailSummary::default() };
    let seats = [
        Seat { completed: Some(submitted[0]), ..seat(1, "office") },
        Seat { completed: Some(submitted[1]), ..seat(2, "office") },
        seat(3, "finance"),
        seat(4, "records"),
        seat(5, "records"),
        // Of who declined no mail is told to be in trouble.
        Seat { declined: true, mail: waiting.clone(), ..seat(6, "office") },
        Seat { mail: waiting, ..seat(7, "tax") },
    ];
    let found = digest(&CAMPAIGN, &seats, &submitted, (1, 2), true, CAMPAIGN.closes, now);
    assert_eq!(found.submitted_since_yesterday, 1);
    let trouble = Trouble { not_delivered: 1, unknown: 0, waiting: 1, letters_unknown: 1, letters_refused: 2 };
    assert_eq!(found.trouble, trouble);
    let due: Vec<_> = found.due.iter().map(|due| (due.what.as_str(), due.at.as_str())).collect();
    assert_eq!(due, [("reminder 1", "2023-12-22T08:00:00+07:00"), ("deadline", "2024-01-10T23:59:00+07:00")]);
    let behind: Vec<_> = found.behind.iter().map(|unit| (unit.unit.as_str(), unit.outstanding)).collect();
    assert_eq!(behind, [("records", 2), ("finance", 1), ("tax", 1), ("office", 1)]);
    assert_eq!(found.letters, 2);
    let before = digest(&CAMPAIGN, &seats, &submitted, (0, 0), false, CAMPAIGN.closes, now);
    assert_eq!((before.letters, before.behind.len(), before.trouble), (0, 0, Trouble::default()));
}

/// What can be said of a seat, apart from who holds it.
fn any_seat(form: i64) -> impl Strategy<Value = Seat> {
    let at = prop::option::of(Just(Timestamp::UNIX_EPOCH));
    let flags = prop::array::uniform4(prop::bool::weighted(0.3));
    (0..UNITS.len(), 1..=form, at.clone(), at, flags, 0..3_u32, 0..2_u32, any::<bool>()).prop_map(
        move |(unit, person, started, completed, [excused, declined, ever, ineligible], accepted, unknown, refused)| {
            let mail = MailSummary {
                link_accepted: accepted,
                link_unknown: unknown,
                last_link_rejected: refused,
                ..MailSummary::default()
            };
            Seat {
                person,
                started,
                completed: completed.filter(|_| !excused),
                excused: excused.then_some(ExcuseCategory::Other),
                declined,
                ever_declined: declined || ever,
                ineligible,
                mail,
                ..seat(form, UNITS[unit])
            }
        },
    )
}

fn any_seats() -> impl Strategy<Value = Vec<Seat>> {
    (0..20_usize).prop_flat_map(|n| (0..n).map(|form| any_seat(form as i64 + 1)).collect::<Vec<_>>())
}

/// The same seats as if everybody who declined had begun to answer instead.
fn begun_instead(seats: &[Seat]) -> Vec<Seat> {
    seats
        .iter()
        .map(|seat| Seat {
            started: seat.started.or((seat.declined || seat.ever_declined).then_some(Timestamp::UNIX_EPOCH)),
            declined: false,
            ever_declined: false,
            ..seat.clone()
        })
        .collect()
}

proptest! {
    #[test]
    fn the_places_sum_to_the_seats(seats in any_seats()) {
        let found = chase(&CAMPAIGN, &seats, CAMPAIGN.closes, CAMPAIGN.opens);
        let framed = seats.iter().filter(|seat| !seat.ineligible).count() as u64;
        prop_assert_eq!(found.total.listed, framed);
        for rows in [&found.units, &found.groups] {
            let mut sum = ChaseCounts::default();
            for ChaseRow { counts, .. } in rows {
                let places = counts.not_delivered + counts.silent + counts.started + counts.excused + counts.completed;
                prop_assert_eq!(counts.listed, places);
                prop_assert_eq!(counts.outstanding, counts.listed - counts.excused - counts.completed);
                sum += *counts;
            }
            prop_assert_eq!(sum, found.total);
        }
        let told: u64 = letters(&CAMPAIGN, &seats).iter().map(|letter| letter.total.outstanding).sum();
        prop_assert_eq!(told, found.total.outstanding);
    }

    /// Whatever a unit can see is the same as if nobody had declined and those people had begun to answer; so it holds
    /// for every sequence of days, and no comparison of letters tells a refusal.
    #[test]
    fn who_declined_is_seen_as_one_who_has_begun(seats in any_seats()) {
        let others = begun_instead(&seats);
        let see = |seats: &[Seat]| {
            let letters = letters(&CAMPAIGN, seats);
            let names: Vec<_> = letters.iter().map(|letter| names(letter, seats)).collect();
            (chase(&CAMPAIGN, seats, CAMPAIGN.closes, CAMPAIGN.opens), letters, names)
        };
        prop_assert_eq!(see(&seats), see(&others));
        prop_assert_eq!(crate::status::SeatCounts::of(&seats), crate::status::SeatCounts::of(&others));
    }

    /// Counts of a person never go back from begun to silent, whatever becomes of refusal and mails.
    #[test]
    fn nobody_goes_back_to_silence(seat in any_seat(1), mail in any_seat(1)) {
        prop_assume!(has_reacted(&seat));
        let later = Seat { declined: false, mail: mail.mail, ..seat.clone() };
        prop_assert!(standing(&later) >= Standing::Started);
    }

    #[test]
    fn nobody_who_has_reacted_is_named_and_nobody_twice_in_a_letter(seats in any_seats()) {
        for letter in letters(&CAMPAIGN, &seats) {
            let mut told = std::collections::BTreeSet::new();
            for named in names(&letter, &seats) {
                prop_assert!(told.insert(named.person));
                let theirs = seats.iter().filter(|seat| seat.person == named.person && !seat.ineligible);
                prop_assert!(theirs.clone().all(|seat| !seat.declined || seat.completed.is_some() || seat.excused.is_some()));
                prop_assert!(theirs.clone().any(is_outstanding_and_unheard));
            }
        }
    }
}

fn is_outstanding_and_unheard(seat: &Seat) -> bool {
    matches!(standing(seat), Standing::NotDelivered | Standing::Silent)
}
