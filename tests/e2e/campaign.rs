//! The small campaign from roster to points, as a department runs it.

use parsurvey_tests::{Survey, moments};

#[tokio::test(flavor = "multi_thread")]
async fn a_small_campaign_goes_from_roster_to_points() {
    let mut survey = Survey::invited().await;
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 5).await;
    let status = survey.status().await;
    assert_eq!(status["headline"]["counted"]["completed"], 12);
    survey.close_and_open().await;
    let score = survey.run(&["score", "--format", "json"]).await.done().json();
    let target = &score["targets"][0];
    assert_eq!(target["survey_points"]["exact"], "5/1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_campaign_runs_on_postgresql() {
    let mut survey = Survey::small_on_postgres().await;
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 4).await;
    survey.close_and_open().await;
    survey.run(&["score"]).await.done();
}
