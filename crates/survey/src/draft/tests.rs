//! Drafts that open for their own form, link and secret, and for nothing else.

use parsurvey_index::code::QuestionnaireCode;
use parsurvey_index::counts::{OptionPercent, OptionTables, QuestionTable};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;

fn codebook() -> Codebook {
    let question = |code: &str| QuestionTable {
        code: code.parse().expect("a code"),
        denominator: 1,
        options: ["a", "b", "c"]
            .map(|option| OptionPercent { code: option.parse().expect("a code"), percent_numerator: 50 })
            .into(),
    };
    let tables = |codes: &[&str]| OptionTables { version: 1, questions: codes.iter().map(|c| question(c)).collect() };
    let [short, long] = ["short", "long"].map(|code| code.parse::<QuestionnaireCode>().expect("a code"));
    let target: TargetCode = "town".parse().expect("a code");
    let forms: BTreeMap<GroupCode, QuestionnaireCode> = BTreeMap::from([
        ("leaders".parse().expect("a code"), short.clone()),
        ("staff".parse().expect("a code"), long.clone()),
    ]);
    Codebook {
        campaign: "example".into(),
        synthetic: true,
        k: 5,
        targets: vec![target.clone()],
        groups: forms.keys().cloned().collect(),
        questionnaires: BTreeMap::from([(short, tables(&["q1", "q2"])), (long, tables(&["q1", "q2", "q3", "q4"]))]),
        forms: BTreeMap::from([(target, forms)]),
        pressure: None,
    }
}

fn answers(pairs: &[(&str, &str)]) -> Answers {
    let choice = |text: &str| match text {
        "-" => Choice::NoOpinion,
        option => Choice::Option(option.parse().expect("a code")),
    };
    pairs.iter().map(|(question, option)| (question.parse().expect("a code"), choice(option))).collect()
}

#[test]
fn a_draft_opens_for_its_form_link_and_secret_only() {
    let (codebook, mut rng) = (codebook(), ChaCha20Rng::seed_from_u64(1));
    let (target, staff, leaders) =
        ("town".parse().expect("sound"), "staff".parse().expect("sound"), "leaders".parse().expect("sound"));
    let (secret, other) = (DraftSecret::new([1; 32]), DraftSecret::new([2; 32]));
    let place = DraftPlace { codebook: &codebook, form: 7, target: &target, group: &staff };
    let draft = Draft { answers: answers(&[("q1", "b"), ("q4", "-")]) };
    let sealed = place.seal(&secret, "token", &draft, &mut rng).expect("sound");
    assert_eq!(place.open(&secret, "token", &sealed).as_ref(), Some(&draft));
    assert_eq!(place.open(&other, "token", &sealed), None, "another secret");
    assert_eq!(place.open(&secret, "Token", &sealed), None, "another link");
    assert_eq!(DraftPlace { form: 8, ..place }.open(&secret, "token", &sealed), None, "another form");
    let moved = DraftPlace { group: &leaders, ..place };
    assert_eq!(moved.open(&secret, "token", &sealed), None, "another questionnaire");
    for place_of_damage in [0, NONCE, sealed.len() - 1] {
        let mut damaged = sealed.clone();
        damaged[place_of_damage] ^= 1;
        assert_eq!(place.open(&secret, "token", &damaged), None);
    }
    assert_eq!(place.open(&secret, "token", &sealed[..5]), None);
    assert_eq!(format!("{draft:?}, {secret:?}"), "Draft, a secret", "neither can be printed");
    let alien = Draft { answers: answers(&[("q9", "a")]) };
    assert!(place.seal(&secret, "token", &alien, &mut rng).is_err());
}

#[test]
fn all_drafts_have_one_length_and_none_resembles_another() {
    let (codebook, mut rng) = (codebook(), ChaCha20Rng::seed_from_u64(2));
    let target = "town".parse().expect("sound");
    let secret = DraftSecret::new([1; 32]);
    let mut seal = |group: &str, given: &[(&str, &str)]| {
        let group = group.parse().expect("sound");
        let place = DraftPlace { codebook: &codebook, form: 7, target: &target, group: &group };
        place.seal(&secret, "token", &Draft { answers: answers(given) }, &mut rng).expect("sound")
    };
    let full = [("q1", "a"), ("q2", "b"), ("q3", "c"), ("q4", "-")];
    let sealed = [seal("staff", &full), seal("staff", &full), seal("staff", &[]), seal("leaders", &full[..1])];
    assert_eq!(sealed.iter().map(Vec::len).collect::<std::collections::BTreeSet<_>>().len(), 1);
    for (place, one) in sealed.iter().enumerate() {
        for other in &sealed[place + 1..] {
            let same = one.iter().zip(other).filter(|(left, right)| left == right).count();
            assert!(same < one.len() / 4, "{same} of {} bytes are the same", one.len());
        }
    }
}

#[test]
fn the_question_on_pressure_is_sealed_with_the_others_and_makes_no_length_of_its_own() {
    let (mut codebook, mut rng) = (codebook(), ChaCha20Rng::seed_from_u64(3));
    let (target, staff) = ("town".parse().expect("sound"), "staff".parse().expect("sound"));
    let unasked = codebook.sealed_length();
    assert!(codebook.ballot(&target, &staff, &answers(&[("pressure", "steered")])).is_err(), "it is not asked");
    codebook.pressure = Some(["none", "steered"].map(|code| code.parse().expect("a code")).into());
    assert_eq!(codebook.sealed_length(), unasked + 1);
    let secret = DraftSecret::new([1; 32]);
    let mut lengths = std::collections::BTreeSet::new();
    for given in [&[("q1", "a"), ("pressure", "steered")][..], &[("q1", "a")], &[("pressure", "none")], &[]] {
        let place = DraftPlace { codebook: &codebook, form: 7, target: &target, group: &staff };
        let draft = Draft { answers: answers(given) };
        let sealed = place.seal(&secret, "token", &draft, &mut rng).expect("sound");
        assert_eq!(place.open(&secret, "token", &sealed), Some(draft));
        lengths.insert(sealed.len());
    }
    assert_eq!(lengths.len(), 1);
    for alien in ["other", "-"] {
        assert!(codebook.ballot(&target, &staff, &answers(&[("pressure", alien)])).is_err(), "{alien}");
    }
}

#[test]
fn what_was_chosen_last_wins_and_nothing_else_is_lost() {
    let draft = Draft { answers: answers(&[("q1", "a"), ("q2", "b")]) };
    let changes = Changes {
        given: answers(&[("q2", "c")]),
        cleared: vec!["q1".parse().expect("sound")],
        brought: answers(&[("q1", "c"), ("q3", "a")]),
    };
    assert_eq!(changes.onto(Some(&draft)), answers(&[("q2", "c"), ("q3", "a")]));
    assert_eq!(Changes::default().onto(Some(&draft)), draft.answers);
    assert!(Changes::default().is_empty() && !changes.is_empty());
}

fn any_answers() -> impl Strategy<Value = Answers> {
    let pairs = prop::collection::btree_map(prop::sample::select(vec!["q1", "q2", "q3", "q4"]), "[abc]", 0..5);
    pairs.prop_map(|pairs| answers(&pairs.iter().map(|(q, o)| (*q, o.as_str())).collect::<Vec<_>>()))
}

proptest! {
    /// Two devices that each save what they were given lose nothing, in whichever order the server hears of them.
    #[test]
    fn two_devices_add_to_each_other(left in any_answers(), right in any_answers()) {
        let saved = |draft: Option<&Draft>, given: &Answers| {
            let changes = Changes { given: given.clone(), ..Changes::default() };
            Draft { answers: changes.onto(draft) }
        };
        let first = saved(None, &left);
        let both = saved(Some(&first), &right);
        for (question, choice) in &right {
            prop_assert_eq!(both.answers.get(question), Some(choice));
        }
        for (question, choice) in left.iter().filter(|(question, _)| !right.contains_key(*question)) {
            prop_assert_eq!(both.answers.get(question), Some(choice));
        }
        prop_assert_eq!(both.answers.len(), left.keys().chain(right.keys()).collect::<std::collections::BTreeSet<_>>().len());
    }
}
