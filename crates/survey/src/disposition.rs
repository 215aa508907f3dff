//! Final dispositions and response rates by the AAPOR Standard Definitions for web surveys of named persons.
//!
//! The codes have not been compared with the 2023 edition; do that before they are printed in an official report.
//!
//! Partials cannot be read before the box is opened, so P = 0 and RR2 = RR1. The employer certifies the list, so e = 1.
//! Opening a page is not contact. An excuse is an administrative flag: it removes nobody from an AAPOR denominator.
//! A substitute counts apart: the rates keep the person who was in post on the frame date as the nonrespondent.

use parsurvey_index::exact::Exact;
use serde::Serialize;

use crate::seat::{ExcuseCategory, Former, MailSummary, Seat};

/// Tình trạng phiếu: the final disposition of a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// 1.1: submitted.
    Submitted,
    /// 2.11: refused.
    Refused,
    /// 2.12: started, not submitted (break-off).
    Started,
    /// 2.26: away for the whole field time.
    Away,
    /// 2.27: sent in too late.
    TooLate,
    /// 2.31: dead.
    Dead,
    /// 2.32: ill, in hospital.
    Ill,
    /// 2.30: excused for another approved reason.
    OtherExcused,
    /// 3.11: never mailed.
    NeverMailed,
    /// 3.19: mailed, silent.
    Silent,
    /// 3.30: undeliverable.
    Undeliverable,
    /// 4.10: not in post on the frame date.
    NotEligible,
}

impl Disposition {
    /// The code, as printed.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Disposition::Submitted => "1.1",
            Disposition::Refused => "2.11",
            Disposition::Started => "2.12",
            Disposition::Away => "2.26",
            Disposition::TooLate => "2.27",
            Disposition::Dead => "2.31",
            Disposition::Ill => "2.32",
            Disposition::OtherExcused => "2.30",
            Disposition::NeverMailed => "3.11",
            Disposition::Silent => "3.19",
            Disposition::Undeliverable => "3.30",
            Disposition::NotEligible => "4.10",
        }
    }

    /// The disposition of a seat's present holder as far as it is known; final once the survey is closed.
    #[must_use]
    pub fn of(seat: &Seat) -> Self {
        if seat.ineligible {
            return Disposition::NotEligible;
        }
        if seat.completed.is_some() {
            return Disposition::Submitted;
        }
        let Seat { excused, declined, too_late, started, mail, .. } = seat;
        Self::of_nonrespondent(*excused, *declined, *too_late, started.is_some(), mail)
    }

    /// The disposition the rates count: of whoever was in post on the frame date, whom a substitute does not answer for.
    #[must_use]
    pub fn in_frame(seat: &Seat) -> Self {
        match &seat.original {
            Some(_) if seat.ineligible => Disposition::NotEligible,
            Some(Former { excused, declined, started, too_late, mail }) => {
                Self::of_nonrespondent(*excused, *declined, *too_late, started.is_some(), mail)
            }
            None => Self::of(seat),
        }
    }

    fn of_nonrespondent(
        excused: Option<ExcuseCategory>,
        declined: bool,
        too_late: bool,
        started: bool,
        mail: &MailSummary,
    ) -> Self {
        if let Some(category) = excused {
            return match category {
                ExcuseCategory::Ill => Disposition::Ill,
                ExcuseCategory::Away => Disposition::Away,
                ExcuseCategory::Dead => Disposition::Dead,
                ExcuseCategory::Other => Disposition::OtherExcused,
            };
        }
        if declined {
            Disposition::Refused
        } else if too_late {
            Disposition::TooLate
        } else if started {
            Disposition::Started
        } else if mail.last_link_rejected && mail.link_accepted == 0 {
            Disposition::Undeliverable
        } else if mail.link_accepted == 0 && mail.link_unknown == 0 {
            Disposition::NeverMailed
        } else {
            Disposition::Silent
        }
    }
}

/// Counts in AAPOR's letters. P is 0 and is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AaporCounts {
    /// Complete responses (1.1).
    pub i: u64,
    /// Refusals and break-offs (2.1).
    pub r: u64,
    /// Non-contacts (2.2).
    pub nc: u64,
    /// Other eligible non-responses (2.3).
    pub o: u64,
    /// Unknown eligibility (3.x).
    pub u: u64,
    /// Not eligible (4.x), in no denominator.
    pub not_eligible: u64,
    /// Seats held by a substitute; under the letters above stands whoever was in post on the frame date.
    pub substitutes: u64,
    /// Of these, those that the substitute submitted; in no rate.
    pub substitutes_completed: u64,
}

impl AaporCounts {
    /// Counts the seats.
    #[must_use]
    pub fn of<'a>(seats: impl IntoIterator<Item = &'a Seat>) -> Self {
        let mut counts = Self::default();
        for seat in seats {
            if seat.original.is_some() && !seat.ineligible {
                counts.substitutes += 1;
                counts.substitutes_completed += u64::from(seat.completed.is_some());
            }
            let slot = match Disposition::in_frame(seat) {
                Disposition::Submitted => &mut counts.i,
                Disposition::Refused | Disposition::Started => &mut counts.r,
                Disposition::Away | Disposition::TooLate => &mut counts.nc,
                Disposition::Dead | Disposition::Ill | Disposition::OtherExcused => &mut counts.o,
                Disposition::NeverMailed | Disposition::Silent | Disposition::Undeliverable => &mut counts.u,
                Disposition::NotEligible => &mut counts.not_eligible,
            };
            *slot += 1;
        }
        counts
    }

    /// Every rate with its formula. `None` where the denominator is zero.
    #[must_use]
    pub fn rates(&self) -> Vec<Rate> {
        let Self { i, r, nc, o, u, .. } = *self;
        let known = i + r + nc + o;
        let row = |name, formula, numerator: u64, denominator: u64| Rate {
            name,
            formula,
            percent: Exact::ratio(numerator, denominator).map(|share| &share * &Exact::from(100u64)),
        };
        vec![
            row("RR1", "I / ((I + P) + (R + NC + O) + (UH + UO))", i, known + u),
            row("RR2", "(I + P) / ((I + P) + (R + NC + O) + (UH + UO))", i, known + u),
            row("RR3", "I / ((I + P) + (R + NC + O) + e(UH + UO))", i, known + u),
            row("RR4", "(I + P) / ((I + P) + (R + NC + O) + e(UH + UO))", i, known + u),
            row("RR5", "I / ((I + P) + (R + NC + O))", i, known),
            row("RR6", "(I + P) / ((I + P) + (R + NC + O))", i, known),
            row("COOP1", "I / ((I + P) + R + O)", i, i + r + o),
            row("COOP2", "(I + P) / ((I + P) + R + O)", i, i + r + o),
            row("COOP3", "I / ((I + P) + R)", i, i + r),
            row("COOP4", "(I + P) / ((I + P) + R)", i, i + r),
            row("REF1", "R / ((I + P) + (R + NC + O) + (UH + UO))", r, known + u),
            row("REF2", "R / ((I + P) + (R + NC + O) + e(UH + UO))", r, known + u),
            row("REF3", "R / ((I + P) + (R + NC + O))", r, known),
            row("CON1", "((I + P) + R + O) / ((I + P) + R + O + NC + (UH + UO))", i + r + o, known + u),
            row("CON2", "((I + P) + R + O) / ((I + P) + R + O + NC + e(UH + UO))", i + r + o, known + u),
            row("CON3", "((I + P) + R + O) / ((I + P) + R + O + NC)", i + r + o, known),
        ]
    }
}

/// One rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// AAPOR's name.
    pub name: &'static str,
    /// AAPOR's formula; here P = 0, and e = 1 because the employer certifies the list.
    pub formula: &'static str,
    /// Percent, or `None` where nothing is in the denominator.
    pub percent: Option<Exact>,
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::seat::sample;

    fn mailed() -> MailSummary {
        MailSummary { invited: true, link_accepted: 1, ..MailSummary::default() }
    }

    #[test]
    fn every_nonrespondent_has_a_disposition() {
        type Change = fn(&mut Seat);
        let table: [(Change, Disposition); 12] = [
            (|_| {}, Disposition::NeverMailed),
            (|seat| seat.mail = mailed(), Disposition::Silent),
            (|seat| seat.mail.link_unknown = 1, Disposition::Silent),
            (|seat| seat.mail.last_link_rejected = true, Disposition::Undeliverable),
            // What only a prenotice met says nothing of an invitation.
            (|seat| (seat.mail.unknown, seat.mail.last_rejected) = (1, true), Disposition::NeverMailed),
            (|seat| seat.started = Some(Timestamp::UNIX_EPOCH), Disposition::Started),
            (|seat| seat.too_late = true, Disposition::TooLate),
            (|seat| seat.declined = true, Disposition::Refused),
            (|seat| seat.excused = Some(ExcuseCategory::Ill), Disposition::Ill),
            (|seat| seat.excused = Some(ExcuseCategory::Other), Disposition::OtherExcused),
            (|seat| seat.completed = Some(Timestamp::UNIX_EPOCH), Disposition::Submitted),
            (|seat| seat.ineligible = true, Disposition::NotEligible),
        ];
        for (change, expected) in table {
            let mut seat = sample(1);
            change(&mut seat);
            assert_eq!((Disposition::of(&seat), Disposition::in_frame(&seat)), (expected, expected));
        }
    }

    #[test]
    fn a_substitute_counts_apart_and_the_original_stays_a_nonrespondent() {
        let original = Former { excused: Some(ExcuseCategory::Away), mail: mailed(), ..Former::default() };
        let completed = Some(Timestamp::UNIX_EPOCH);
        let seats = [
            Seat { completed, ..sample(1) },
            Seat { substitute: true, original: Some(original.clone()), completed, ..sample(2) },
            Seat { substitute: true, original: Some(Former::default()), ..sample(3) },
            Seat { substitute: true, original: Some(original), ineligible: true, ..sample(4) },
        ];
        assert_eq!(Disposition::of(&seats[1]), Disposition::Submitted);
        assert_eq!(Disposition::in_frame(&seats[1]), Disposition::Away);
        let counts = AaporCounts::of(&seats);
        let letters = AaporCounts { i: 1, nc: 1, u: 1, not_eligible: 1, ..AaporCounts::default() };
        assert_eq!(counts, AaporCounts { substitutes: 2, substitutes_completed: 1, ..letters });
    }

    #[test]
    fn hanoi_2023_rates_are_the_published_ones() {
        let counts = AaporCounts { i: 816, o: 3, ..AaporCounts::default() };
        for rate in counts.rates() {
            let percent = rate.percent.expect("the denominator is not zero").rounded(3);
            let expected = match rate.name {
                "COOP3" | "COOP4" | "CON1" | "CON2" | "CON3" => "100.000",
                "REF1" | "REF2" | "REF3" => "0.000",
                _ => "99.634",
            };
            assert_eq!(percent, expected, "{}", rate.name);
        }
    }

    #[test]
    fn an_empty_frame_has_no_rate() {
        assert!(AaporCounts::default().rates().iter().all(|rate| rate.percent.is_none()));
    }
}
