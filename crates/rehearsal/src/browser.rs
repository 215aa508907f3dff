//! A browser for simulated respondents: it reads pages as HTML, fills in forms by what they show, and presses buttons.
//!
//! It knows no field of the form by heart but the name of a question, so a form that a person could not fill in fails here
//! too. It runs no script and keeps no cookie.

use std::collections::BTreeMap;

use reqwest::{Client, Response, Url};
use scraper::{ElementRef, Html, Selector};

/// Why a page could not be used as a person would use it.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// The server did not answer.
    #[error("the form server did not answer: {0}")]
    Http(#[from] reqwest::Error),
    /// The page has not what a person would look for.
    #[error("the page {status} has no {what}")]
    Missing {
        /// The HTTP status of the page.
        status: u16,
        /// What is missing.
        what: String,
    },
}

/// A browser. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Browser {
    http: Client,
}

/// A page as it arrived.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it came from.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The HTML.
    pub html: String,
}

/// A form of a page, with the values it holds.
#[derive(Debug, Clone)]
pub struct Form {
    action: Url,
    /// Hidden fields and whatever is filled in.
    pub fields: Vec<(String, String)>,
    /// Values that can be chosen, by field.
    pub choices: BTreeMap<String, Vec<String>>,
    /// Buttons by name and value; the main one first.
    pub buttons: Vec<(String, String)>,
}

impl Browser {
    /// A browser.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new() -> Result<Self, BrowserError> {
        Ok(Self { http: Client::builder().no_proxy().build()? })
    }

    /// Opens a link.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn open(&self, link: &str) -> Result<Page, BrowserError> {
        Page::read(self.http.get(link).send().await?).await
    }

    /// Presses a button of a form.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn press(&self, form: &Form, button: &(String, String)) -> Result<Page, BrowserError> {
        let mut fields = form.fields.clone();
        if !button.0.is_empty() {
            fields.push(button.clone());
        }
        Page::read(self.http.post(form.action.clone()).form(&fields).send().await?).await
    }

    /// Answers the form behind `link`: starts, fills in each page from `answers` (question code → value), reviews, submits.
    /// Returns the page that follows the submission.
    ///
    /// # Errors
    /// The server does not answer, or a page lacks what a person would need to go on.
    pub async fn answer(&self, link: &str, answers: &BTreeMap<String, String>) -> Result<Page, BrowserError> {
        let mut page = self.open(link).await?;
        // A form of a hundred pages is none that a person would finish.
        for _ in 0..100 {
            let mut form = page.form()?;
            form.fill(answers);
            let button = form.buttons.first().cloned().ok_or_else(|| page.missing("button"))?;
            page = self.press(&form, &button).await?;
            if button.1 == "submit" {
                return Ok(page);
            }
        }
        Err(page.missing("end of the form"))
    }
}

impl Page {
    async fn read(response: Response) -> Result<Self, BrowserError> {
        let url = response.url().clone();
        let status = response.status().as_u16();
        Ok(Self { url, status, html: response.text().await? })
    }

    fn missing(&self, what: &str) -> BrowserError {
        BrowserError::Missing { status: self.status, what: what.to_owned() }
    }

    /// The main form of the page.
    ///
    /// # Errors
    /// There is none.
    pub fn form(&self) -> Result<Form, BrowserError> {
        let document = Html::parse_document(&self.html);
        let form = document.select(&selector("form#form, main form")).next().ok_or_else(|| self.missing("form"))?;
        let action = form.attr("action").unwrap_or_default();
        let action = self.url.join(action).map_err(|_| self.missing("address behind the form"))?;
        let mut read = Form { action, fields: Vec::new(), choices: BTreeMap::new(), buttons: Vec::new() };
        for input in form.select(&selector("input")) {
            read.add_input(input);
        }
        let mut buttons: Vec<(bool, (String, String))> =
            form.select(&selector("button")).map(|button| (has_class(button, "primary"), named(button))).collect();
        buttons.sort_by_key(|(primary, _)| !primary);
        read.buttons = buttons.into_iter().map(|(_, button)| button).collect();
        Ok(read)
    }

    /// The text a person reads, blanks folded.
    #[must_use]
    pub fn text(&self) -> String {
        let document = Html::parse_document(&self.html);
        let body = document.select(&selector("body")).next();
        let text: Vec<&str> = body.map(|body| body.text().collect()).unwrap_or_default();
        text.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Form {
    fn add_input(&mut self, input: ElementRef<'_>) {
        let (name, value) = named(input);
        match input.attr("type") {
            Some("radio" | "checkbox") => {
                if input.attr("checked").is_some() {
                    self.fields.push((name.clone(), value.clone()));
                }
                self.choices.entry(name).or_default().push(value);
            }
            _ if !name.is_empty() => self.fields.push((name, value)),
            _ => {}
        }
    }

    /// Chooses the answer of every question of this page that `answers` knows.
    pub fn fill(&mut self, answers: &BTreeMap<String, String>) {
        for (field, values) in &self.choices {
            let Some(answer) = field.strip_prefix("q.").and_then(|code| answers.get(code)) else { continue };
            if values.contains(answer) {
                self.fields.retain(|(name, _)| name != field);
                self.fields.push((field.clone(), answer.clone()));
            }
        }
    }
}

fn named(element: ElementRef<'_>) -> (String, String) {
    let read = |name| element.attr(name).unwrap_or_default().to_owned();
    (read("name"), read("value"))
}

fn has_class(element: ElementRef<'_>, class: &str) -> bool {
    element.value().classes().any(|name| name == class)
}

fn selector(text: &'static str) -> Selector {
    Selector::parse(text).expect("the selector is a constant")
}
