//! The page on which a person says that they do not take part, or takes that back.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::Response;
use parsurvey_desk::respond::Visit;
use parsurvey_survey::campaign::Campaign;

use crate::app::House;
use crate::pages::{Decline, Frame, Switch};
use crate::problem::{Problem, Standing, reply, see_other};
use crate::respond::{Fields, Token, TokenPath, landing_address, problem_page, unavailable, visited};
use crate::seam::Respond;
use crate::words::Lang;

/// GET of the page on which a person says that they do not take part. Changes nothing.
pub(crate) async fn decline<D: Respond>(State(house): State<House<D>>, lang: Lang, path: TokenPath) -> Response {
    let Some(token) = Token::of(path) else {
        return problem_page(&house, lang, Problem::UnknownLink);
    };
    let now = house.clock.now();
    match house.desk.visit(&token.0, now).await {
        Ok(Visit::Open(_)) => decline_page(house.desk.campaign(), lang, &token, false),
        Ok(visit) => visited(&house, lang, &token, &visit, now),
        Err(error) => unavailable(&house, lang, &error),
    }
}

/// POST of that page. Without a choice it changes nothing.
pub(crate) async fn set_declined<D: Respond>(
    State(house): State<House<D>>,
    lang: Lang,
    path: TokenPath,
    fields: Fields,
) -> Response {
    let Some(token) = Token::of(path) else {
        return problem_page(&house, lang, Problem::UnknownLink);
    };
    let Ok(Form(fields)) = fields else {
        return problem_page(&house, lang, Problem::NotAForm);
    };
    let now = house.clock.now();
    let chosen = fields.iter().find(|(name, _)| name == "declined").map(|(_, value)| value.as_str());
    let declined = match chosen {
        Some("yes") => true,
        Some("no") => false,
        Some(_) | None => {
            return match house.desk.visit(&token.0, now).await {
                Ok(Visit::Open(_)) => decline_page(house.desk.campaign(), lang, &token, true),
                Ok(visit) => visited(&house, lang, &token, &visit, now),
                Err(error) => unavailable(&house, lang, &error),
            };
        }
    };
    match house.desk.set_declined(&token.0, declined, now).await {
        Ok(Visit::Open(_)) => see_other(&landing_address(&token, lang)),
        Ok(visit) => visited(&house, lang, &token, &visit, now),
        Err(error) => unavailable(&house, lang, &error),
    }
}

fn decline_page(campaign: &Campaign, lang: Lang, token: &Token, missing: bool) -> Response {
    let switch = Switch::Link(format!("/f/{}/decline?lang={}", token.0, lang.other().code()));
    let f = Frame::new(campaign, lang, lang.t("decline-title"), switch);
    let standing = if missing { Standing::Faulty } else { Standing::Fine };
    reply(standing, Decline { f, token: &token.0, missing }.render())
}
