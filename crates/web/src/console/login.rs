//! The way in: log in, and set an account up at the first login.
//!
//! An unknown name, a wrong password and a wrong code show the same page. What was typed comes back in no field but the
//! name. A login always begins a new session under a new number.

use askama::Template;
use axum::Extension;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::header;
use axum::response::Response;
use parsurvey_desk::accounts::login::{Credentials, Entered, Login};
use parsurvey_survey::account::{BadPassword, PASSWORD_LEAST};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::caller::Caller;
use super::shell::{Place, Shell, problem, unavailable, with_lang};
use super::{Shared, routes};
use crate::problem::{Problem, Standing, reply, see_other};
use crate::words::Lang;

/// What the login form sends. It has no `Debug`.
#[derive(Deserialize)]
pub(super) struct LoginForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
}

/// What the set-up form sends. It has no `Debug`.
#[derive(Deserialize)]
pub(super) struct SetUpForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
    #[serde(default)]
    code: String,
}

/// The login page.
#[derive(Template)]
#[template(path = "console/login.html")]
struct LoginPage<'a> {
    c: Shell<'a>,
    fault: Option<String>,
    name: &'a str,
}

/// The set-up page.
#[derive(Template)]
#[template(path = "console/setup.html")]
struct SetUpPage<'a> {
    c: Shell<'a>,
    fault: Option<String>,
    name: &'a str,
    least: usize,
}

pub(super) async fn page(State(room): State<Shared>, lang: Lang) -> Response {
    login_page(&room, lang, Standing::Fine, None, "")
}

pub(super) async fn setup_page(State(room): State<Shared>, lang: Lang) -> Response {
    setup_form(&room, lang, Standing::Fine, None, "")
}

fn login_page(room: &Shared, lang: Lang, standing: Standing, fault: Option<String>, name: &str) -> Response {
    let c = Shell::new(room, lang, None, Place::Outside, "c-login-title", "/console/login");
    reply(standing, LoginPage { c, fault, name }.render())
}

fn setup_form(room: &Shared, lang: Lang, standing: Standing, fault: Option<String>, name: &str) -> Response {
    let c = Shell::new(room, lang, None, Place::Outside, "c-setup-title", "/console/setup");
    reply(standing, SetUpPage { c, fault, name, least: PASSWORD_LEAST }.render())
}

/// POST of the login form.
pub(super) async fn log_in(
    State(room): State<Shared>,
    Extension(caller): Extension<Caller>,
    lang: Lang,
    form: Result<Form<LoginForm>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else { return problem(&room, lang, None, Problem::NotAForm) };
    let LoginForm { name, password, code } = form;
    let credentials = credentials(&caller, name, password, code);
    let old = caller.session.as_ref().map(|session| session.as_str());
    match room.desk.log_in(&credentials, old, room.clock.now()).await {
        Err(error) => unavailable(&room, lang, None, &error),
        Ok(Login::Entered(entered)) => welcome(&caller, lang, &entered),
        Ok(refused) => {
            let (standing, fault) = refusal(lang, &refused, "c-login-refused");
            login_page(&room, lang, standing, Some(fault), &credentials.name)
        }
    }
}

/// POST of the set-up form.
pub(super) async fn set_up(
    State(room): State<Shared>,
    Extension(caller): Extension<Caller>,
    lang: Lang,
    form: Result<Form<SetUpForm>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else { return problem(&room, lang, None, Problem::NotAForm) };
    let SetUpForm { name, secret, password, again, code } = form;
    let (password, again) = (Zeroizing::new(password), Zeroizing::new(again));
    if password != again {
        // Asked first, and of what was typed alone: it tells nothing of any account.
        return setup_form(&room, lang, Standing::Faulty, Some(lang.t("c-setup-differ")), &name);
    }
    let credentials = credentials(&caller, name, secret, code);
    match room.desk.set_up_account(&credentials, password, room.clock.now()).await {
        Err(error) => unavailable(&room, lang, None, &error),
        Ok(Login::Entered(entered)) => welcome(&caller, lang, &entered),
        Ok(refused) => {
            let (standing, fault) = refusal(lang, &refused, "c-setup-refused");
            setup_form(&room, lang, standing, Some(fault), &credentials.name)
        }
    }
}

fn credentials(caller: &Caller, name: String, password: String, code: String) -> Credentials {
    let (address, device) = (caller.address.clone(), caller.device.clone());
    Credentials { name, password: Zeroizing::new(password), code, address, device }
}

/// Where a login leads, with its cookies.
fn welcome(caller: &Caller, lang: Lang, entered: &Entered) -> Response {
    let mut response = see_other(&with_lang(routes::home_of(entered.account.role), lang));
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, caller.session_cookie(&entered.session));
    headers.append(header::SET_COOKIE, caller.device_cookie(&entered.device.mark));
    response
}

/// What to say to whoever is not let in.
fn refusal(lang: Lang, login: &Login, refused: &str) -> (Standing, String) {
    match login {
        Login::Wait(wait) => {
            let minutes = (wait.as_secs() + 59) / 60;
            (Standing::TooManyTries, lang.t1("c-login-wait", "minutes", minutes.max(1)))
        }
        Login::BadPassword(bad) => {
            let fault = match bad {
                BadPassword::Short => lang.t1("c-setup-short", "least", PASSWORD_LEAST),
                BadPassword::Long => lang.t("c-setup-long"),
                BadPassword::Guessable => lang.t("c-setup-guessable"),
            };
            (Standing::Faulty, fault)
        }
        Login::Refused | Login::Entered(_) => (Standing::Faulty, lang.t(refused)),
    }
}
