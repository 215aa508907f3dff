//! What a browser runs on: the screen, the reader's own text size, what is switched off, the program that shows the page.

use std::path::Path;

use serde_json::{Value, json};

/// Windows narrower than this are phones: touched, with a page as wide as the screen.
pub(crate) const PHONE: u32 = 500;

/// A phone or a desk, before its browser is started.
#[derive(Debug, Clone)]
pub struct Device {
    width: u32,
    height: u32,
    scripts: bool,
    storage: bool,
    text: u32,
    agent: Option<String>,
}

impl Device {
    /// A device with a window of this size; below 500 px a phone.
    #[must_use]
    pub fn with_window(width: u32, height: u32) -> Self {
        Self { width, height, scripts: true, storage: true, text: 16, agent: None }
    }

    /// Runs no script of a page.
    #[must_use]
    pub fn without_scripts(mut self) -> Self {
        self.scripts = false;
        self
    }

    /// Keeps no cookie and lets no page store anything.
    #[must_use]
    pub fn without_storage(mut self) -> Self {
        self.storage = false;
        self
    }

    /// Shows text at this size in px where a page names none; 16 is usual, 32 is 200 %.
    #[must_use]
    pub fn with_text_of(mut self, px: u32) -> Self {
        self.text = px;
        self
    }

    /// Calls itself so, as the browser inside another app does.
    #[must_use]
    pub fn calling_itself(mut self, agent: &str) -> Self {
        self.agent = Some(agent.to_owned());
        self
    }

    /// What the browser's driver is told.
    pub(crate) fn options(&self, profile: &Path) -> Value {
        let (width, height) = (self.width, self.height);
        let args = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.display()),
        ]);
        let mut prefs = json!({});
        if !self.scripts {
            prefs["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        if !self.storage {
            prefs["profile.managed_default_content_settings.cookies"] = json!(2);
        }
        if self.text != 16 {
            prefs["webkit.webprefs.default_font_size"] = json!(self.text);
        }
        let mut options = json!({ "args": args, "prefs": prefs });
        if width < PHONE {
            // A desktop window has a least width; a phone is emulated by the page's own width.
            options["mobileEmulation"] =
                json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": 2.0, "touch": true } });
        }
        if let Some(agent) = &self.agent {
            options["args"].as_array_mut().expect("args are a list").push(json!(format!("--user-agent={agent}")));
        }
        options
    }
}
