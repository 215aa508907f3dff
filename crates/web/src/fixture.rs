//! A small campaign built by hand, and a desk in memory that behaves as the real one promises.
//!
//! Only for tests: it knows four links, keeps no answers beyond their number, and can be told to fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use parsurvey_desk::DeskError;
use parsurvey_desk::drafts::Saving;
use parsurvey_desk::respond::{Answers, Changes, Draft, OpenForm, Submission, Visit};
use parsurvey_index::policy::{EmptyGroup, Policy};
use parsurvey_index::tree::{IndexTree, Text};
use parsurvey_survey::campaign::{
    AnswerOption, Campaign, FormRules, Group, KeyHolders, Limits, Question, Questionnaire, Section, Sender, Target,
};
use parsurvey_survey::chase::{Chase, ChaseCounts, ChaseRow};
use parsurvey_survey::notice::{Complaint, Kept, Notice, Retention, Then};
use parsurvey_survey::status::{Headline, Share, Status, StatusRow};

use crate::app::{House, OpenCounts, router};
use crate::seam::{Clock, Respond};

pub(crate) fn text(vi: &str, en: &str) -> Text {
    Text { vi: vi.to_owned(), en: en.to_owned() }
}

/// 2023-12-20 10:00 in Hanoi, within the window.
pub(crate) const NOW: &str = "2023-12-20T10:00:00+07:00";
/// The deadline.
pub(crate) const CLOSES: &str = "2023-12-29T17:00:00+07:00";

pub(crate) fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn question(code: &str, vi: &str, en: &str, required: bool) -> Question {
    let levels = [
        ("5", "Rất tốt", "Very good", "100"),
        ("4", "Tốt", "Good", "80"),
        ("3", "Bình thường", "Fair", "60"),
        ("2", "Chưa tốt", "Poor", "40"),
        ("1", "Rất kém", "Very poor", "20"),
    ];
    Question {
        code: code.parse().expect("a code"),
        sub_criterion: None,
        text: text(vi, en),
        required,
        no_opinion: required,
        options: levels
            .iter()
            .map(|(code, vi, en, percent)| AnswerOption {
                code: code.parse().expect("a code"),
                text: text(vi, en),
                percent: percent.parse().expect("a percent"),
            })
            .collect(),
    }
}

/// Two sections of two questions; the last question is optional and offers no "no opinion".
pub(crate) fn questionnaire() -> Questionnaire {
    Questionnaire {
        code: "form-a".parse().expect("a code"),
        version: 1,
        title: text(
            "Phiếu khảo sát về cải cách hành chính năm 2023",
            "Survey form on public administration reform, 2023",
        ),
        intro: text(
            "Xin Ông/Bà cho biết đánh giá của mình về kết quả cải cách hành chính của Thành phố trong năm 2023.",
            "Please give your own assessment of the city's public administration reform in 2023.",
        ),
        sections: vec![
            Section {
                title: text("Xây dựng thể chế", "Institutions"),
                questions: vec![
                    question(
                        "2.3.1",
                        "Ông/Bà đánh giá thế nào về tính kịp thời của việc ban hành văn bản quy phạm pháp luật của Thành phố?",
                        "How timely are the city's legal documents?",
                        true,
                    ),
                    question(
                        "2.3.2",
                        "Ông/Bà đánh giá thế nào về tính khả thi của văn bản quy phạm pháp luật <của Thành phố>?",
                        "How workable are the city's legal documents?",
                        true,
                    ),
                ],
            },
            Section {
                title: text("Chế độ công vụ", "Civil service"),
                questions: vec![
                    question(
                        "5.7.4",
                        "Ông/Bà đánh giá thế nào về chất lượng đội ngũ công chức?",
                        "How capable are civil servants?",
                        true,
                    ),
                    question(
                        "5.7.5",
                        "Ông/Bà đánh giá thế nào về việc bố trí công chức?",
                        "How well are civil servants placed?",
                        false,
                    ),
                ],
            },
        ],
        pressure: None,
    }
}

fn notice() -> Notice {
    let office = text("Thanh tra Bộ Nội vụ", "Inspectorate of the Ministry");
    Notice {
        controller: text("Bộ Nội vụ", "Ministry of Home Affairs"),
        processor: text("Đơn vị vận hành", "The operating unit"),
        basis: text("Hoạt động của cơ quan nhà nước", "Work of a state agency"),
        recipients: None,
        complaint: Complaint {
            name: office,
            phone: "024 3900 0001".to_owned(),
            email: "a@thanhtra.example".to_owned(),
        },
        retention: vec![
            Retention { what: Kept::People, then: Then::Erase(90) },
            Retention { what: Kept::Log, then: Then::Keep },
            Retention { what: Kept::Backups, then: Then::ByHand(30) },
        ],
    }
}

pub(crate) fn campaign() -> Campaign {
    let paper = questionnaire();
    Campaign {
        id: "fixture".to_owned(),
        sample: true,
        year: 2023,
        title: text("Khảo sát xác định Chỉ số cải cách hành chính năm 2023", "PAR INDEX survey 2023"),
        targets: vec![Target {
            code: "hanoi".parse().expect("a code"),
            name: text("Thành phố Hà Nội", "Hanoi City"),
            has_tree: true,
        }],
        frame_date: "2023-12-01".parse().expect("a day"),
        time_zone: TimeZone::get("Asia/Ho_Chi_Minh").expect("the zone"),
        time_zone_name: "Asia/Ho_Chi_Minh".to_owned(),
        opens: moment("2023-12-18T08:00:00+07:00"),
        closes: moment(CLOSES),
        grace_minutes: 60,
        sender: Sender {
            name: text("Ban tổ chức khảo sát", "Survey office"),
            address: "khaosat@bonoivu.example".to_owned(),
            reply_to: "hotro@bonoivu.example".to_owned(),
            helpline_phone: "024 3900 0000".to_owned(),
            helpline_email: "hotro@bonoivu.example".to_owned(),
            official_letter: text("Công văn số 6251/BNV-CCHC ngày 14/11/2023", "Letter 6251/BNV-CCHC of 14/11/2023"),
            organiser: text("Bộ Nội vụ", "Ministry of Home Affairs"),
        },
        link_base: "https://khaosat.example".to_owned(),
        contacts: Vec::new(),
        chasing: None,
        lost_link: parsurvey_survey::campaign::LostLink::default(),
        holidays: Vec::new(),
        limits: Limits { k: 5, reminders: 3, working_days_between: 3, substitution: false },
        form: FormRules::default(),
        sending: parsurvey_survey::sending::Sending::default(),
        return_path: None,
        anchor_to: None,
        two_people: true,
        notice: notice(),
        key_holders: KeyHolders {
            ballot_box: text(
                "Vụ Cải cách hành chính, Bộ Nội vụ",
                "Department of Administrative Reform, Ministry of Home Affairs",
            ),
            archive: text("Bộ Nội vụ", "Ministry of Home Affairs"),
        },
        groups: vec![Group {
            code: "division_heads".parse().expect("a code"),
            name: text("Trưởng phòng, Phó Trưởng phòng thuộc Sở", "Division heads of departments"),
            aliases: Vec::new(),
            counted: true,
            feeds: true,
            forms: BTreeMap::from([("hanoi".parse().expect("a code"), paper.code.clone())]),
        }],
        units: Vec::new(),
        questionnaires: BTreeMap::from([(paper.code.clone(), paper)]),
        tree: IndexTree { year: 2023, areas: Vec::new(), goal: None },
        policy: Policy {
            name: "equal".to_owned(),
            version: "1".to_owned(),
            weights: BTreeMap::new(),
            empty_group: EmptyGroup::NotDeterminable,
            asked: BTreeMap::new(),
        },
        imported: BTreeMap::new(),
        history: BTreeMap::new(),
        official_ranks: BTreeMap::new(),
        files: BTreeMap::new(),
    }
}

fn open_form() -> OpenForm {
    OpenForm {
        target: "hanoi".parse().expect("a code"),
        group: "division_heads".parse().expect("a code"),
        closes: moment(CLOSES),
        accepted_until: moment("2023-12-29T18:00:00+07:00"),
        declined: false,
        draft: None,
    }
}

/// What the desk in memory was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) savings: u32,
    pub(crate) draft: Option<Draft>,
    pub(crate) stored: Vec<Answers>,
    pub(crate) declined: bool,
    pub(crate) late: u32,
    /// Addresses for which a link was asked.
    pub(crate) asked: Vec<String>,
}

/// A desk in memory. Links: `open`, `revoked`, `excused`, `early`; anything else is unknown.
pub(crate) struct FakeDesk {
    campaign: Campaign,
    told: Mutex<Told>,
    /// How often the seats were counted.
    pub(crate) counted: std::sync::atomic::AtomicU32,
    /// Whether every call fails, as when the database is gone.
    pub(crate) broken: bool,
    /// Whether only storing fails.
    pub(crate) full: bool,
    /// Whether no drafts are saved.
    pub(crate) forgetful: bool,
}

impl FakeDesk {
    /// One whose campaign lets people answer anew until the deadline.
    pub(crate) fn revisable() -> Self {
        let mut desk = Self::new();
        desk.campaign.form.revise_until_close = true;
        desk
    }

    pub(crate) fn new() -> Self {
        Self {
            campaign: campaign(),
            told: Mutex::default(),
            counted: 0.into(),
            broken: false,
            full: false,
            forgetful: false,
        }
    }

    /// What the desk was told so far.
    pub(crate) fn told(&self) -> Told {
        self.book().clone()
    }

    /// As if the form behind `open` had been handed in elsewhere.
    pub(crate) fn hand_in(&self) {
        self.book().stored.push(Answers::new());
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().expect("no test panics while it holds the lock")
    }

    fn fail(&self, when: bool) -> Result<(), DeskError> {
        if when { Err(DeskError::unfinished("the ledger is gone", "try again")) } else { Ok(()) }
    }

    fn look(&self, token: &str, now: Timestamp) -> Visit {
        match token {
            "revoked" => Visit::Revoked,
            "excused" => Visit::Excused,
            "early" => Visit::NotYetOpen { opens: self.campaign.opens },
            "open" if !self.book().stored.is_empty() => {
                let may = self.campaign.form.revise_until_close && now <= moment(CLOSES);
                Visit::Completed { anew: may.then(open_form) }
            }
            "open" if now > moment(CLOSES) => Visit::Closed,
            "open" => {
                let book = self.book();
                Visit::Open(OpenForm { declined: book.declined, draft: book.draft.clone(), ..open_form() })
            }
            "panic" => panic!("a defect on purpose"),
            _ => Visit::Unknown,
        }
    }
}

impl Respond for FakeDesk {
    fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    async fn visit(&self, token: &str, now: Timestamp) -> Result<Visit, DeskError> {
        self.fail(self.broken)?;
        Ok(self.look(token, now))
    }

    fn saves_drafts(&self) -> bool {
        !self.forgetful
    }

    async fn save_draft(&self, token: &str, changes: &Changes, now: Timestamp) -> Result<Saving, DeskError> {
        self.fail(self.full)?;
        match self.look(token, now) {
            Visit::Open(form) => {
                let mut book = self.book();
                book.savings += 1;
                if self.forgetful {
                    return Ok(Saving::Noted);
                }
                book.draft = Some(Draft { answers: changes.onto(form.draft.as_ref()) });
                Ok(Saving::Saved)
            }
            other => Ok(Saving::Refused(other)),
        }
    }

    async fn submit(&self, token: &str, answers: &Answers, now: Timestamp) -> Result<Submission, DeskError> {
        self.fail(self.full)?;
        match self.look(token, now) {
            Visit::Open(_) => {
                self.book().stored.push(answers.clone());
                Ok(Submission::Stored)
            }
            Visit::Closed => {
                self.book().late += 1;
                Ok(Submission::TooLate)
            }
            Visit::Completed { .. } => Ok(Submission::AlreadySubmitted),
            other @ (Visit::Unknown | Visit::Revoked | Visit::NotYetOpen { .. } | Visit::Excused) => {
                Ok(Submission::Refused(other))
            }
        }
    }

    async fn revise(&self, token: &str, answers: &Answers, now: Timestamp) -> Result<Submission, DeskError> {
        self.fail(self.full)?;
        match self.look(token, now) {
            Visit::Completed { anew: Some(_) } => {
                self.book().stored = vec![answers.clone()];
                Ok(Submission::Stored)
            }
            other => Ok(Submission::Refused(other)),
        }
    }

    async fn set_declined(&self, token: &str, declined: bool, now: Timestamp) -> Result<Visit, DeskError> {
        self.book().declined = declined;
        Ok(self.look(token, now))
    }

    async fn ask_for_link(&self, address: &str, _now: Timestamp) -> Result<(), DeskError> {
        self.fail(self.broken)?;
        self.book().asked.push(address.to_owned());
        Ok(())
    }

    async fn chase(&self, _now: Timestamp) -> Result<Chase, DeskError> {
        self.fail(self.broken)?;
        self.counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(chased())
    }

    async fn status(&self, _now: Timestamp) -> Result<Status, DeskError> {
        self.fail(self.broken)?;
        self.counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let row = |key: &str, listed, completed, excused| StatusRow {
            key: key.to_owned(),
            listed,
            invited: listed,
            started: completed,
            completed,
            excused,
            outstanding: listed - completed - excused,
            ..StatusRow::default()
        };
        Ok(Status {
            campaign: "fixture".to_owned(),
            as_of: NOW.to_owned(),
            headline: Headline {
                counted: Share { completed: 816, forms: 819 },
                able: Share { completed: 816, forms: 816 },
                all: Share { completed: 848, forms: 851 },
            },
            rows: vec![
                row("council_delegates", 94, 94, 0),
                row("division_heads", 543, 540, 3),
                row("district_leaders", 102, 51, 0),
                row("state_bank_branch", 32, 0, 0),
            ],
        })
    }
}

/// What the desk in memory tells of its units.
fn chased() -> Chase {
    let counts = |[not_delivered, silent, started, excused, completed]: [u64; 5]| {
        let outstanding = not_delivered + silent + started;
        let listed = outstanding + excused + completed;
        ChaseCounts { listed, not_delivered, silent, started, excused, completed, outstanding }
    };
    let row = |key: &str, places| ChaseRow { key: key.to_owned(), counts: counts(places) };
    let units = vec![
        row("so-noi-vu", [0, 0, 0, 3, 1537]),
        row("quan-<ba>-dinh", [2, 25, 4, 0, 51]),
        row("ngan-hang", [0, 32, 0, 0, 0]),
    ];
    let mut total = ChaseCounts::default();
    units.iter().for_each(|unit| total += unit.counts);
    let groups = vec![row("division_heads", [2, 25, 4, 3, 1588]), row("state_bank_branch", [0, 32, 0, 0, 0])];
    let (campaign, as_of, deadline) = ("fixture".to_owned(), NOW.to_owned(), CLOSES.to_owned());
    Chase { campaign, as_of, deadline, total, units, groups }
}

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The application over a desk in memory, at a fixed moment.
pub(crate) fn app_at(desk: Arc<FakeDesk>, now: &str) -> Router {
    let (latest, chased, limits, asked) = (Arc::default(), Arc::default(), Arc::default(), Arc::default());
    let house = House { desk, clock: Arc::new(Fixed(moment(now))), latest, chased, limits, asked };
    router(house, OpenCounts::Everybody, Router::new())
}
