//! Lists: what misses the goal, other targets, policies, inputs, events.
//!
//! Events come as plain rows from the caller; they hold form numbers and codes, never names, addresses or links.

use std::collections::BTreeMap;

use parsurvey_index::code::GroupCode;
use parsurvey_index::exact::Exact;
use parsurvey_index::policy::EmptyGroup;
use parsurvey_index::sensitivity::Weighting;

use super::{code, percent_column, plain, unrounded_column};
use crate::lang::text;
use crate::results::{Results, TargetResults};
use crate::table::{Cell, Column, Style, Table};

/// The sub-criteria that miss the plan's goal, each with the agency answerable for it.
#[must_use]
pub fn below_goal_table(results: &Results, target: &TargetResults) -> Table {
    let mut table = Table::new(
        "below_goal",
        match &results.tree.goal {
            Some(goal) => {
                let percent = goal.percent.decimal();
                text(
                    format!(
                        "Tiêu chí thành phần chưa đạt chỉ tiêu trên {}% ({})",
                        percent.replace('.', ","),
                        goal.source
                    ),
                    format!("Sub-criteria that miss the goal of more than {percent}% ({})", goal.source),
                )
            }
            None => text("Không có chỉ tiêu", "No goal is set"),
        },
        vec![
            Column::left("sub_criterion", text("Mã", "Code")),
            Column::left("name", text("Tiêu chí thành phần", "Sub-criterion")),
            percent_column(),
            Column::right("to_goal", text("So với chỉ tiêu", "Against the goal")),
            Column::left("agency", text("Cơ quan chịu trách nhiệm", "Responsible agency")),
        ],
    );
    let Some(goal) = &results.tree.goal else { return table };
    for leaf in target.score.sub_criteria.iter().filter(|leaf| results.misses_goal(&leaf.percent)) {
        let known = results.sub_criterion(&leaf.code);
        let agency = known.and_then(|leaf| leaf.agency.clone());
        table.push(vec![
            code(&leaf.code),
            known.map_or(Cell::Blank, |leaf| Cell::Name(leaf.name.clone())),
            plain(&leaf.percent),
            Cell::Number(leaf.percent.map(|percent| percent - &goal.percent), Style::Signed),
            Cell::Name(agency.unwrap_or_else(|| text("chưa giao", "none named"))),
        ]);
    }
    table
}

/// Bodies that are scored in percent only, apart from the province and outside its points.
#[must_use]
pub fn other_targets_table(results: &Results) -> Table {
    let mut table = Table::new(
        "other_targets",
        text("Đối tượng được đánh giá khác", "Other targets"),
        vec![
            Column::key("target", text("Mã", "Code")),
            Column::left("name", text("Đối tượng được đánh giá", "Target")),
            Column::left("group", text("Nhóm đối tượng trả lời", "Respondent group")),
            Column::right("frame", text("Danh sách", "Frame")),
            Column::right("ballots", text("Số phiếu", "Ballots")),
            Column::right("percent", text("Kết quả (%)", "Result (%)")),
            unrounded_column(),
        ],
    );
    for target in results.others() {
        for group in target.score.groups.iter().filter(|group| group.ballots > 0 || group.frame.is_some_and(|n| n > 0))
        {
            table.push(vec![
                code(&target.code),
                Cell::Name(target.name.clone()),
                Cell::Name(results.group_name(&group.code)),
                Cell::Count(group.frame),
                Cell::Count(Some(group.ballots)),
                plain(&group.percent),
                Cell::Unrounded(group.percent.clone()),
            ]);
        }
    }
    table.notes.push(text(
        "Kết quả này không nằm trong bảng nhóm và không tính vào điểm của tỉnh, thành phố.",
        "These results are in neither the group table nor the points of the province.",
    ));
    table
}

/// The weight of each feeding group under the policy.
#[must_use]
pub fn weight_table(results: &Results) -> Table {
    let policy = &results.policy;
    let mut table = Table::new(
        "policy",
        text(
            format!("Trọng số các nhóm: phương pháp “{}”, phiên bản {}", policy.name, policy.version),
            format!("Group weights: policy “{}”, version {}", policy.name, policy.version),
        ),
        vec![
            Column::key("group", text("Mã nhóm", "Code")),
            Column::left("name", text("Nhóm đối tượng", "Respondent group")),
            Column::right("weight", text("Trọng số", "Weight")),
        ],
    );
    let feeding = results.groups.iter().filter(|group| {
        let scored = results.indexed().flat_map(|target| &target.score.groups);
        scored.into_iter().any(|score| score.code == group.code && score.feeds)
    });
    for group in feeding {
        let weight = Cell::Number(policy.weight(&group.code).into(), Style::Declared);
        table.push(vec![code(&group.code), Cell::Name(group.name.clone()), weight]);
    }
    table.notes.push(match policy.empty_group {
        EmptyGroup::NotDeterminable => text(
            "Nhóm được hỏi nhưng không có câu trả lời thực chất: tiêu chí thành phần và các tổng liên quan không xác định được.",
            "A group that was asked and gave no substantive answer makes the sub-criterion and every sum above it not determinable.",
        ),
        EmptyGroup::Renormalise => text(
            "Nhóm được hỏi nhưng không có câu trả lời thực chất: bỏ nhóm đó và chuẩn hóa lại trọng số của các nhóm còn lại.",
            "A group that was asked and gave no substantive answer is left out and the other weights are renormalised.",
        ),
    });
    if !policy.asked.is_empty() {
        table.notes.push(text(
            "Một số tiêu chí thành phần không hỏi một số nhóm, theo khai báo của phương pháp tính điểm.",
            "Some sub-criteria are not asked of some groups, as the policy declares.",
        ));
    }
    table
}

/// What the survey points are under the declared weights and would be under others.
#[must_use]
pub fn alternatives_table(results: &Results) -> Table {
    let mut table = Table::new(
        "alternatives",
        text("Kết quả nếu dùng trọng số khác", "What other weights would give"),
        vec![
            Column::key("target", text("Mã", "Target")),
            Column::left("weighting", text("Trọng số", "Weighting")),
            Column::left("weights", text("Trọng số từng nhóm", "Weight of each group")),
            Column::right("points", text("Điểm ĐTXHH/\u{200b}tối đa", "Survey points/\u{200b}maximum"))
                .with_maximum("maximum"),
            Column::right("percent", text("Tỷ lệ (%)", "Percent")),
            Column::right("exact", text("Điểm chưa làm tròn", "Unrounded points")),
        ],
    );
    for (target, alternative) in &results.alternatives {
        let Some(known) = results.indexed().find(|known| known.code == *target) else { continue };
        let name = match alternative.weighting {
            Weighting::Declared => text("như đã khai báo (đang dùng)", "as declared (in use)"),
            Weighting::Equal => text("các nhóm như nhau", "every group alike"),
            Weighting::Headcount => text("theo số phiếu", "by ballots"),
        };
        table.push(vec![
            code(target),
            Cell::Name(name),
            Cell::Text(weights_in_order(results, &alternative.weights)),
            Cell::Points {
                points: alternative.survey_points.clone(),
                maximum: known.score.survey_maximum.clone(),
                brief: false,
            },
            plain(&alternative.survey_percent),
            Cell::Unrounded(alternative.survey_points.clone()),
        ]);
    }
    table.notes.push(text(
        "Trọng số ghi theo thứ tự các nhóm trong bảng trên. Cách kết hợp các nhóm không được công bố, nên mọi kết quả ghi rõ phương pháp đã dùng.",
        "Weights are in the order of the groups above. How groups are combined is not published, so every result names the policy that made it.",
    ));
    table
}

fn weights_in_order(results: &Results, weights: &BTreeMap<GroupCode, Exact>) -> String {
    let known = results.groups.iter().filter_map(|group| weights.get(&group.code));
    known.map(Exact::decimal).collect::<Vec<_>>().join(" : ")
}

/// Every input with its hash.
#[must_use]
pub fn input_table(results: &Results) -> Table {
    let mut table = Table::new(
        "inputs",
        text("Dữ liệu đầu vào", "Inputs"),
        vec![Column::left("path", text("Tệp", "File")), Column::left("sha256", text("SHA-256", "SHA-256"))],
    );
    for input in &results.inputs {
        table.push(vec![code(&input.path), code(&input.sha256)]);
    }
    table
}

/// One event of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its number.
    pub id: i64,
    /// When, RFC 3339.
    pub at: String,
    /// Who acted.
    pub actor: String,
    /// What was done, such as `excuse`.
    pub act: String,
    /// The form, where the act is about one.
    pub form: Option<i64>,
    /// The reason and the document.
    pub reason: String,
}

/// The event log.
#[must_use]
pub fn event_table(events: &[EventRow]) -> Table {
    let mut table = Table::new(
        "events",
        text("Nhật ký", "Event log"),
        vec![
            Column::right("id", text("Số", "No.")),
            Column::left("at", text("Thời điểm", "At")),
            Column::left("actor", text("Người thực hiện", "Actor")),
            Column::left("act", text("Việc", "Act")),
            Column::right("form", text("Phiếu số", "Form")),
            Column::left("reason", text("Lý do", "Reason")),
        ],
    );
    for event in events {
        table.push(vec![
            code(event.id),
            code(&event.at),
            code(&event.actor),
            code(&event.act),
            event.form.map_or(Cell::Blank, code),
            code(&event.reason),
        ]);
    }
    table
}
