//! What the loader refuses: each row breaks one thing in the small sample campaign and names the fault it must bring.
//!
//! A row checks that its fault is found, and that it is the only kind of fault, so that one slip never makes a hundred lines.

mod small;

use std::collections::BTreeMap;

use parsurvey_survey::campaign::{check_group_sizes, load, load_policy};

use small::{faults, replace, small};

/// `from` becomes `to` in `file`; every fault then has `code`, and the first stands on the line that holds `on`.
fn check(file: &str, from: &str, to: &str, code: &str, on: &str) {
    let mut files = small();
    replace(&mut files, file, from, to);
    let found = faults(&files);
    let codes: Vec<_> = found.iter().map(|fault| fault.code).collect();
    assert!(
        !codes.is_empty() && codes.iter().all(|found| *found == code),
        "{from} -> {to}: wanted {code}, got {found:#?}"
    );
    let fault = &found[0];
    assert!(!fault.reason.is_empty() && !fault.remedy.is_empty() && !fault.reason.ends_with('.'), "{fault}");
    if on.is_empty() {
        return;
    }
    let text = String::from_utf8(files[&fault.file].clone()).expect("UTF-8");
    let line = text.lines().nth(fault.line - 1).expect("the line exists");
    assert!(line.contains(on), "{from} -> {to}: the fault stands on '{line}', not on '{on}'");
    assert!(fault.column >= 1 && fault.span.is_some(), "{fault}");
}

#[test]
fn campaign_toml() {
    let file = "campaign.toml";
    for (from, to, code, on) in [
        ("sample = true", "smaple = true", "unknown-field", "smaple"),
        ("year = 2023", "", "missing-field", ""),
        ("year = 2023", "year = \"2023\"", "wrong-type", "year"),
        ("year = 2023", "year = 99999", "out-of-range", "year"),
        ("id = \"example-small\"", "id = \"ex ample\"", "bad-code", "ex ample"),
        ("id = \"example-small\"", "id = example-small", "broken-toml", "example-small"),
        ("en = \"Mau Town Office\"", "en = \" \"", "empty-text", "Văn phòng"),
        (", en = \"Mau Town Office\"", "", "missing-field", "Văn phòng"),
        ("Asia/Ho_Chi_Minh", "Asia/Hanoi", "bad-time-zone", "Asia/Hanoi"),
        ("frame_date = 2023-12-01", "frame_date = 2023-12-19", "frame-after-opening", "frame_date"),
        ("frame_date = 2023-12-01", "frame_date = \"1/12/2023\"", "bad-date", "1/12/2023"),
        ("opens = 2023-12-18T08:00:00", "opens = 2023-12-18T08:00:00Z", "bad-date", "opens"),
        ("opens = 2023-12-18T08:00:00", "opens = 2023-12-18", "bad-date", "opens"),
        ("opens = 2023-12-18T08:00:00", "opens = 2023-02-30T08:00:00", "broken-toml", "opens"),
        ("link_base = \"https://", "link_base = \"http://", "bad-link-base", "link_base"),
        ("address = \"khaosat@", "address = \"khao sát@", "bad-address", "khao sát"),
        ("reply_to = \"hotro@khaosat.example\"", "reply_to = \"hotro@localhost\"", "bad-address", "reply_to"),
        ("[limits]", "[bounces]\nreturn_path = \"tra ve@x.example\"\n[limits]", "bad-address", "tra ve"),
        ("[limits]", "[bounces]\nreturn_path = \"a+b@x.example\"\n[limits]", "bad-return-path", "a+b"),
        ("[limits]", "[bounces]\n[limits]", "missing-field", "[bounces]"),
        (
            "[limits]",
            "[bounces]\nretrun_path = \"a@x.example\"\nreturn_path = \"b@x.example\"\n[limits]",
            "unknown-field",
            "retrun",
        ),
        ("k = 5 ", "k = 1 ", "out-of-range", "k = 1"),
        ("grace_minutes = 30", "grace_minutes = -1", "out-of-range", "grace"),
    ] {
        check(file, from, to, code, on);
    }
    check(
        file,
        "[window]",
        "[[target]]\ncode = \"town\"\nname = { vi = \"B\", en = \"B\" }\ntree = true\n[window]",
        "duplicate-code",
        "town",
    );
    check(
        file,
        "[window]",
        "[[target]]\ncode = \"other\"\nname = { vi = \"B\", en = \"B\" }\ntree = true\n[window]",
        "target-of-nobody",
        "",
    );
}

#[test]
fn the_schedule_of_contacts() {
    let file = "campaign.toml";
    let reminder = "due = 2023-12-22T08:00:00";
    let more = "\ntemplate = \"reminder\"\n[[contact]]\nkind = \"reminder\"\ndue = 202";
    let four = format!("{reminder}{more}3-12-27T08:00:00{more}4-01-02T08:00:00{more}4-01-05T08:00:00");
    for (from, to, code, on) in [
        (reminder, "due = 2024-01-11T08:00:00", "reminder-after-deadline", "2024-01-11"),
        (reminder, "due = 2023-12-20T08:00:00", "contacts-too-close", "2023-12-20"),
        (reminder, "due = 2023-12-23T08:00:00", "contact-on-day-off", "2023-12-23"),
        (reminder, "due = 2024-01-01T08:00:00", "contact-on-day-off", "2024-01-01"),
        ("closes = 2024-01-10T23:59:00", "closes = 2023-12-18T07:59:00", "window-reversed", ""),
        ("due = 2023-12-11T08:00:00", "due = 2023-12-19T08:00:00", "prenotice-after-invitation", "due = 2023-12-18"),
        ("kind = \"invitation\"", "kind = \"prenotice\"", "duplicate-contact", ""),
        ("kind = \"invitation\"", "kind = \"letter\"", "unknown-kind", "letter"),
        ("reminders = 3", "reminders = 0", "too-many-reminders", "[[contact]]"),
        ("reminders = 3", "reminders = 5", "too-many-reminders", "reminders = 5"),
        ("template = \"reminder\"", "template = \"reminder2\"", "missing-template", "reminder2"),
        (reminder, four.as_str(), "too-many-reminders", "[[contact]]"),
    ] {
        let mut files = small();
        replace(&mut files, file, from, to);
        let found = faults(&files);
        let fault = found.iter().find(|fault| fault.code == code).unwrap_or_else(|| panic!("no {code} in {found:#?}"));
        let text = String::from_utf8(files[&fault.file].clone()).expect("UTF-8");
        let line = fault.line.checked_sub(1).and_then(|at| text.lines().nth(at)).unwrap_or_default();
        assert!(line.contains(on), "{code} stands on '{line}', not on '{on}'");
    }
    check(file, "due = 2023-12-18T08:00:00", "due = 2023-12-15T08:00:00", "contact-before-opening", "2023-12-15");
    check(file, reminder, "due = 2023-12-18T08:00:00", "contacts-out-of-order", "due = 2023-12-18");
}

#[test]
fn groups_and_units() {
    for (from, to, code, on) in [
        ("forms = { town = \"short\" } ", "forms = { town = \"long\" } ", "unknown-questionnaire", "long"),
        ("forms = { town = \"short\" } ", "forms = { city = \"short\" } ", "unknown-target", "city"),
        ("forms = { town = \"short\" } ", "forms = { } ", "no-form", "forms"),
        ("code = \"staff\"", "code = \"leaders\"", "duplicate-code", "leaders"),
        ("counted = true ", "counted = \"yes\" ", "wrong-type", "yes"),
        ("\"Ban lãnh đạo\"", "\"chuyên  VIÊN\"", "ambiguous-name", "Chuyên viên"),
    ] {
        let mut files = small();
        replace(&mut files, "groups.toml", from, to);
        let found = faults(&files);
        let fault = found.iter().find(|fault| fault.code == code).unwrap_or_else(|| panic!("no {code} in {found:#?}"));
        let text = String::from_utf8(files["groups.toml"].clone()).expect("UTF-8");
        assert!(text.lines().nth(fault.line - 1).expect("a line").contains(on), "{fault}");
    }
    for (from, to, code, on) in [
        ("records,", "finance,", "duplicate-code", "finance,Tổ Tư pháp"),
        ("To Tai chinh,office", "To Tai chinh,ofice", "unknown-parent", "ofice"),
        ("VP thị trấn,,", "VP thị trấn,records,", "circular-parent", ""),
        ("Tài chính|To Tai chinh", "Tài chính|Tư pháp", "ambiguous-name", "records"),
        ("records,Tổ", "records,extra,Tổ", "ragged-row", "records"),
        ("coordinator@thitranmau.example", "coordinator", "bad-address", "coordinator"),
        (",coordinator@thitranmau.example", ",", "half-coordinator", "office"),
        ("code,name", "code,title", "bad-header", "title"),
        ("records,Tổ Tư pháp - Hộ tịch", "records,", "empty-text", "records"),
    ] {
        check("units.csv", from, to, code, on);
    }
}

#[test]
fn chasing() {
    for (from, to, code, on) in [
        ("signer = \"Tổ trưởng\"", "", "missing-field", ""),
        ("symbol = \"TKS\"", "symbol = 7", "wrong-type", "symbol"),
        ("symbol = \"TKS\"", "symbol = \"TKS\"\nsignature = \"x\"", "unknown-field", "signature"),
        ("symbol = \"TKS\"", "symbol = \"TKS\"\noperator = \"me\"", "bad-address", "operator"),
        ("template = \"chase\"", "template = \"chas\"", "missing-template", "chas"),
    ] {
        let mut files = small();
        replace(&mut files, "campaign.toml", from, to);
        let found = faults(&files);
        let fault = found.iter().find(|fault| fault.code == code).unwrap_or_else(|| panic!("no {code} in {found:#?}"));
        let text = String::from_utf8(files[&fault.file].clone()).expect("UTF-8");
        let line = fault.line.checked_sub(1).and_then(|at| text.lines().nth(at)).unwrap_or_default();
        assert!(line.contains(on), "{code} stands on '{line}', not on '{on}'");
    }
    for (file, from, to, code, on) in [
        ("templates/chase.txt", "{{ silent }}", "{{ silennt }}", "unknown-variable", "silennt"),
        ("templates/chase.txt", "{{ silent }}", "{{ respondent_name }}", "unknown-variable", "respondent_name"),
        ("templates/chase.txt", "{{ silent }}", "{{ link }}", "link-in-chase", "{{ link }}"),
        ("templates/chase.html", "<p>{{ agency }}</p>", "<a href=\"https://x\">x</a>", "link-in-chase", "https"),
        ("templates/chase.txt", "{{ names }}", "", "names-missing", ""),
        ("templates/chase.txt", "{{ silent }}", "{{ silent", "broken-template", ""),
        ("templates/chase.subject.txt", "{{ day_vi }}", "{{ day_vi.x.y }}", "template-does-not-render", ""),
    ] {
        let mut files = small();
        replace(&mut files, file, from, to);
        if code == "names-missing" {
            replace(&mut files, file, "{% if names %}", "{% if order %}");
        }
        let found = faults(&files);
        assert!(found.iter().all(|fault| fault.code == code) && !found.is_empty(), "{from} -> {to}: {found:#?}");
        let text = String::from_utf8(files[&found[0].file].clone()).expect("UTF-8");
        assert!(text.lines().nth(found[0].line - 1).expect("a line").contains(on), "{}", found[0]);
    }
    let mut files = small();
    let text = String::from_utf8(files["campaign.toml"].clone()).expect("UTF-8");
    let (without, _) = text.split_once("[chase]").expect("the sample chases");
    files.insert("campaign.toml".to_owned(), without.as_bytes().to_vec());
    let codes: Vec<_> = faults(&files).iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["unused-file"; 3], "the table may be left out, and its templates are then of no use");
}

#[test]
fn questionnaires() {
    for (from, to, code, on) in [
        ("percent = \"80\", text = { vi = \"Tốt\"", "percent = 80.0, text = { vi = \"Tốt\"", "points-as-float", "Tốt"),
        ("percent = \"80\", text = { vi = \"Tốt\"", "percent = \"8o\", text = { vi = \"Tốt\"", "bad-decimal", "8o"),
        (
            "percent = \"80\", text = { vi = \"Tốt\"",
            "percent = \"60\", text = { vi = \"Tốt\"",
            "options-not-monotone",
            "Bình thường",
        ),
        (
            "percent = \"100\", text = { vi = \"Rất tốt\"",
            "percent = \"101\", text = { vi = \"Rất tốt\"",
            "percent-out-of-range",
            "Rất tốt",
        ),
        ("code = \"4\", percent = \"80\"", "code = \"5\", percent = \"80\"", "duplicate-option", "Tốt"),
        ("vi = \"Tốt\"", "vi = \"Rất tốt\"", "duplicate-option", "Good"),
        ("code = \"q2\"", "code = \"q1\"", "duplicate-code", "q1"),
        ("code = \"q2\"", "code = \"pressure\"", "reserved-code", "pressure"),
        (
            "[[questionnaire]]",
            "[pressure]\ntitle = { vi = \"P\", en = \"P\" }\ntext = { vi = \"P\", en = \"P\" }\noptions = [{ code = \"a\", text = { vi = \"P\", en = \"P\" } }]\n[[questionnaire]]",
            "too-few-options",
            "options = [{ code",
        ),
        ("sub_criterion = \"1.2\"", "sub_criterion = \"1.1\"", "sub-criterion-not-asked", "1.2"),
        ("scale = \"bad\"", "scale = \"ugly\"", "unknown-scale", "ugly"),
        ("scale = \"bad\"", "scale = \"good\"", "unused-scale", ""),
        ("scale = \"bad\"", "", "too-few-options", "[[questionnaire.section.question]]"),
        ("version = 1", "version = 0", "out-of-range", "version"),
        ("sub_criterion = \"2.2\"\n", "", "question-without-sub-criterion", "q5"),
        ("sub_criterion = \"2.2\"", "sub_criterion = \"2.3\"", "unknown-sub-criterion", "q5"),
    ] {
        let mut files = small();
        replace(&mut files, "questionnaire.toml", from, to);
        let found = faults(&files);
        let fault = found.iter().find(|fault| fault.code == code).unwrap_or_else(|| panic!("no {code} in {found:#?}"));
        let text = String::from_utf8(files[&fault.file].clone()).expect("UTF-8");
        assert!(text.lines().nth(fault.line - 1).expect("a line").contains(on), "{fault}");
    }
}

#[test]
fn a_target_without_a_tree_needs_no_sub_criterion() {
    let mut files = small();
    replace(
        &mut files,
        "campaign.toml",
        "[window]",
        "[[target]]\ncode = \"bank\"\nname = { vi = \"B\", en = \"B\" }\ntree = false\n[window]",
    );
    replace(
        &mut files,
        "groups.toml",
        "feeds = true                        # its answers become points\nforms = { town = \"short\" }",
        "feeds = false\nforms = { bank = \"free\" }",
    );
    let extra = "\n[[questionnaire]]\ncode = \"free\"\nversion = 1\ntitle = { vi = \"P\", en = \"P\" }\nintro = { vi = \"P\", en = \"P\" }\n[[questionnaire.section]]\ntitle = { vi = \"P\", en = \"P\" }\n[[questionnaire.section.question]]\ncode = \"f1\"\nscale = \"good\"\ntext = { vi = \"P\", en = \"P\" }\n";
    files.get_mut("questionnaire.toml").expect("there").extend_from_slice(extra.as_bytes());
    assert_eq!(faults(&files), []);
}

#[test]
fn index_toml() {
    let weights =
        "empty_group = \"not_determinable\"    # a group asked without an answer leaves the points open, never zero";
    let with = |extra: &str| format!("{weights}\n{extra}");
    for (from, to, code, on) in [
        ("maximum = \"10\"", "maximum = \"11\"", "maxima-do-not-sum", "11"),
        ("maximum = \"10\"", "maximum = 10.0", "points-as-float", "10.0"),
        ("appraisal_maximum = \"2\"", "appraisal_maximum = 2", "wrong-type", "appraisal_maximum"),
        ("year = 2023", "year = 2024", "year-differs", "2024"),
        ("1 = \"1.75\"", "1 = \"2.25\"", "points-above-maximum", "2.25"),
        ("1 = \"1.75\"", "9 = \"1.75\"", "unknown-area", "9 ="),
        ("sipas = { 2 = \"2.4\" }", "sipas = { 2 = \"3.01\" }", "points-above-maximum", "3.01"),
        ("target = \"town\"", "target = \"city\"", "unknown-target", "city"),
        ("q2 = \"1\" }", "q3 = \"1\" }", "unknown-question", "q3"),
        ("q2 = \"1\" }", "q2 = \"0\" }", "bad-weight", "q2"),
        ("not_determinable", "zero", "unknown-choice", "zero"),
        (weights, &with("[policy.weights]\nnobody = \"1\""), "weight-of-nobody", "nobody"),
        (weights, &with("[policy.weights]\nstaff = \"0\""), "bad-weight", "staff"),
        (weights, &with("[policy.asked]\n\"9.9\" = [\"staff\"]"), "unknown-sub-criterion", "9.9"),
        (weights, &with("[policy.asked]\n\"1.1\" = [\"stuff\"]"), "unknown-group", "stuff"),
        (weights, &with("[policy.asked]\n1 = []"), "asked-of-nobody", "1 = []"),
        (
            "[[import]]",
            "[[official_rank]]\ntarget = \"town\"\ngroup = \"staff\"\nrank = 64\nof = 63\n[[import]]",
            "out-of-range",
            "rank",
        ),
        (
            "[[import]]",
            "[[official_rank]]\ntarget = \"town\"\ngroup = \"nobody\"\nrank = 1\nof = 63\n[[import]]",
            "unknown-group",
            "nobody",
        ),
        ("[[import]]", "[[history]]\ntarget = \"town\"\nfile = \"inputs/h.csv\"\n[[import]]", "missing-file", "h.csv"),
    ] {
        let mut files = small();
        replace(&mut files, "index.toml", from, to);
        let found = faults(&files);
        let fault = found.iter().find(|fault| fault.code == code).unwrap_or_else(|| panic!("no {code} in {found:#?}"));
        let text = String::from_utf8(files[&fault.file].clone()).expect("UTF-8");
        assert!(text.lines().nth(fault.line - 1).expect("a line").contains(on), "{fault}");
    }
}

#[test]
fn earlier_years() {
    for (row, code) in [
        ("1.1,2022,1.5,2", ""),
        ("1.1,2022,2.5,2", "points-above-maximum"),
        ("1.1,2023,1.5,2", "bad-year"),
        ("9.9,2022,1.5,2", "unknown-sub-criterion"),
        ("1.1,2022,x,2", "bad-decimal"),
        ("1.1,2022,1.5", "ragged-row"),
        ("1.1,2022,1.5,2\n1.1,2022,1.5,2", "duplicate-row"),
    ] {
        let mut files = small();
        replace(
            &mut files,
            "index.toml",
            "[[import]]",
            "[[history]]\ntarget = \"town\"\nfile = \"inputs/h.csv\"\n[[import]]",
        );
        files.insert("inputs/h.csv".to_owned(), format!("code,year,points,maximum\n{row}\n").into_bytes());
        let codes: Vec<_> = faults(&files).iter().map(|fault| (fault.code, fault.line)).collect();
        let expected: Vec<_> = if code.is_empty() { vec![] } else { vec![(code, 1 + row.lines().count())] };
        assert_eq!(codes, expected, "{row}");
    }
}

#[test]
fn templates() {
    for (file, from, to, code) in [
        ("templates/invitation.txt", "{{ closes_vi }}", "{{ deadline }}", "unknown-variable"),
        ("templates/invitation.txt", "{{ closes_vi }}", "{{ closes_vi ", "broken-template"),
        (
            "templates/invitation.txt",
            "{{ closes_vi }}",
            "{% for a in closes_vi.x.y %}{% endfor %}",
            "template-does-not-render",
        ),
        ("templates/invitation.html", "{{ closes_vi }}", "{% include \"x\" %}", "template-does-not-render"),
        ("templates/prenotice.txt", "{{ link_domain }}", "{{ link }}", "link-in-prenotice"),
        (
            "templates/prenotice.html",
            "<b>{{ link_domain }}</b>",
            "<a href=\"https://{{ link_domain }}\">x</a>",
            "link-in-prenotice",
        ),
        ("templates/prenotice.txt", "{{ link_domain }}", "https://{{ link_domain }}", "link-in-prenotice"),
        ("templates/invitation.subject.txt", "Thư mời", "{{ link }}", "link-in-subject"),
        ("templates/invitation.txt", "{{ link }}", "", "link-missing"),
    ] {
        let on = if to.is_empty() || code.contains("prenotice") { "" } else { to };
        check(file, from, to, code, on.split('\n').next().unwrap_or_default());
    }
    let mut files = small();
    files.insert("templates/reminder.subject.txt".to_owned(), b" \n".to_vec());
    files.remove("templates/reminder.html");
    files.insert("templates/extra.txt".to_owned(), b"x".to_vec());
    let codes: Vec<_> = faults(&files).iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["missing-template", "empty-text"]);
}

#[test]
fn faults_of_several_files_come_together() {
    let mut files = small();
    replace(&mut files, "campaign.toml", "k = 5", "k = 5.0");
    replace(&mut files, "campaign.toml", "[key_holders]", "[key_holder]");
    replace(&mut files, "groups.toml", "feeds = true", "feed = true");
    files.insert("units.csv".to_owned(), vec![0xff, 0xfe, 0x00]);
    files.remove("index.toml");
    let found: Vec<_> = faults(&files).iter().map(|fault| (fault.file.clone(), fault.code)).collect();
    let expected = [
        ("campaign.toml", "missing-field"),
        ("campaign.toml", "wrong-type"),
        ("campaign.toml", "unknown-field"),
        ("groups.toml", "missing-field"),
        ("groups.toml", "unknown-field"),
        ("index.toml", "missing-file"),
        ("units.csv", "not-utf8"),
    ];
    assert_eq!(found, expected.map(|(file, code)| (file.to_owned(), code)));
}

#[test]
fn decomposed_text_is_stored_composed() {
    let mut files = small();
    replace(&mut files, "campaign.toml", "Tổ khảo sát\"", "To\u{302}\u{309} kha\u{309}o sa\u{301}t\"");
    let loaded = load(&files).expect("it passes");
    assert_eq!(loaded.campaign.sender.name.vi, "Tổ khảo sát");
}

#[test]
fn scored_groups_below_k_are_refused_once_the_roster_is_known() {
    let campaign = load(&small()).expect("it passes").campaign;
    let size = |leaders, staff| {
        BTreeMap::from([("leaders".parse().expect("a code"), leaders), ("staff".parse().expect("a code"), staff)])
    };
    for (sizes, codes) in [
        (size(6, 6), vec![]),
        (size(6, 4), vec!["group-below-k"]),
        (BTreeMap::new(), vec!["group-below-k", "group-below-k"]),
    ] {
        let found: Vec<_> = check_group_sizes(&campaign, &sizes).iter().map(|fault| fault.code).collect();
        assert_eq!(found, codes);
    }
}

#[test]
fn a_policy_file_is_checked_like_the_campaigns_own() {
    let campaign = load(&small()).expect("it passes").campaign;
    let head = "name = \"x\"\nversion = \"1\"\nempty_group = \"renormalise\"\n";
    for (rest, codes) in [
        ("[asked]\n2 = [\"staff\"]", vec![]),
        ("[asked]\n7 = [\"staff\"]", vec!["unknown-sub-criterion"]),
        ("[weights]\nstaff = 1.5", vec!["points-as-float"]),
        ("weight = 3", vec!["unknown-field"]),
    ] {
        let text = format!("{head}{rest}\n");
        let found = load_policy("policy-x.toml", text.as_bytes(), &campaign);
        let found: Vec<_> = found.err().unwrap_or_default().iter().map(|fault| fault.code).collect();
        assert_eq!(found, codes, "{rest}");
        let mut files = small();
        files.insert("policy-x.toml".to_owned(), text.into_bytes());
        assert_eq!(faults(&files).iter().map(|fault| fault.code).collect::<Vec<_>>(), codes, "{rest}");
    }
}
