//! Chromium, driven through its own driver on loopback; both end with the value that started them.
//!
//! A missing browser fails the test that wants one: it is never skipped. A page counts as left only when another
//! document has taken its place, so nothing here waits for a length of time.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::actions::{InputSource, KeyAction, KeyActions, PointerAction, TouchActions};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::device::{Device, PHONE};
use crate::running::Group;
pub use crate::transfers::Transfer;

/// The Tab key.
pub const TAB: char = '\u{E004}';
/// The Enter key.
pub const ENTER: char = '\u{E007}';
/// The Shift key.
pub const SHIFT: char = '\u{E008}';
/// The arrow key that moves down a list.
pub const DOWN: char = '\u{E015}';
/// The space bar.
pub const SPACE: char = ' ';

/// How long a browser on a busy machine may take to show a page.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one window.
pub struct Chrome {
    /// What drives it.
    pub client: Client,
    driver: Child,
    _group: Group,
    _profile: TempDir,
}

impl Chrome {
    /// Starts a browser with a window of this size, scripts on or off.
    pub async fn start(width: u32, height: u32, scripts: bool) -> Self {
        let device = Device::with_window(width, height);
        Self::on(&if scripts { device } else { device.without_scripts() }).await
    }

    /// Starts a browser on this device.
    pub async fn on(device: &Device) -> Self {
        let (driver, port) = start_driver().await;
        let group = Group(driver.id().expect("it has not ended yet"));
        let profile = tempfile::tempdir().unwrap();
        let mut wanted = serde_json::Map::new();
        wanted.insert("browserName".into(), json!("chrome"));
        wanted.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL", "performance": "ALL" }));
        wanted.insert("goog:chromeOptions".into(), device.options(profile.path()));
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("chromium starts");
        Self { client, driver, _group: group, _profile: profile }
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Touches an element with a finger, in its middle.
    pub async fn tap(&self, css: &str) {
        self.taps(css, 1).await;
    }

    /// Touches an element twice, as fast as a finger can.
    pub async fn tap_twice(&self, css: &str) {
        self.taps(css, 2).await;
    }

    async fn taps(&self, css: &str, times: usize) {
        let element = self.in_view(css).await;
        let mut finger = TouchActions::new("finger".into());
        finger = finger.then(PointerAction::MoveToElement { element, duration: None, x: 0.0, y: 0.0 });
        for _ in 0..times {
            finger = finger.then(PointerAction::Down { button: 0 }).then(PointerAction::Up { button: 0 });
        }
        self.client.perform_actions(finger).await.unwrap();
    }

    /// Touches an element that leads to another page, and waits for that page.
    pub async fn tap_through(&self, css: &str) {
        self.mark().await;
        self.tap(css).await;
        self.next_page().await;
    }

    /// Clicks an element that leads to another page, and waits for that page.
    pub async fn click_through(&self, css: &str) {
        let element = self.in_view(css).await;
        self.mark().await;
        element.click().await.unwrap();
        self.next_page().await;
    }

    /// Clicks an element that does not lead away.
    pub async fn click(&self, css: &str) {
        self.in_view(css).await.click().await.unwrap();
    }

    /// Presses keys one after the other.
    pub async fn keys(&self, keys: &[char]) {
        let mut actions = KeyActions::new("keys".into());
        for &value in keys {
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(actions).await.unwrap();
    }

    /// Presses a key that leads to another page, and waits for that page.
    pub async fn key_through(&self, key: char) {
        self.mark().await;
        self.keys(&[key]).await;
        self.next_page().await;
    }

    /// Marks the document, so that the next one can be told from it.
    pub async fn mark(&self) {
        self.ask("document.documentElement.dataset.left = 'yes'").await;
    }

    /// Waits until another document than the marked one stands complete.
    pub async fn next_page(&self) {
        // A question asked while the documents change has no answer; it is asked again.
        self.until("return document.readyState === 'complete' && !document.documentElement.dataset.left").await;
    }

    /// Waits until what a script of the test asks is so.
    pub async fn until(&self, script: &str) {
        let so = async {
            while !matches!(self.client.execute(script, Vec::new()).await, Ok(Value::Bool(true))) {
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, so).await.is_ok(), "it never came to be that {script}");
    }

    /// What a script of the test, not of the page, finds out.
    pub async fn ask(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{error}: {script}"))
    }

    /// The visible text of an element.
    pub async fn text(&self, css: &str) -> String {
        self.client.find(Locator::Css(css)).await.unwrap_or_else(|_| panic!("no {css}")).text().await.unwrap()
    }

    /// How many elements there are.
    pub async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    /// Gives the page another size, as a phone below 500 px.
    pub async fn resize(&self, width: u32, height: u32) {
        let phone = width < PHONE;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Lets the reader's system be dark or light, with motion reduced, so that a colour is never met half-way.
    pub async fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": value },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// A PNG of the whole page at this width, on a screen that keeps its height.
    pub async fn picture(&self, width: u32) -> Vec<u8> {
        self.resize(width, 800).await;
        self.ask("scrollTo({ top: 0, behavior: 'instant' })").await;
        let height = self.ask("return document.documentElement.scrollHeight").await;
        let whole = json!({
            "format": "png",
            "captureBeyondViewport": true,
            "clip": { "x": 0, "y": 0, "width": width, "height": height, "scale": 1 },
        });
        let picture = self.devtools("Page.captureScreenshot", whole).await;
        STANDARD.decode(picture["data"].as_str().expect("a picture is text")).unwrap()
    }

    /// Shows the page as it would be printed, or again as on a screen.
    pub async fn printed(&self, printed: bool) {
        let media = if printed { "print" } else { "" };
        self.devtools("Emulation.setEmulatedMedia", json!({ "media": media })).await;
    }

    /// The warnings and errors of the console since the last look.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.log("browser").await;
        let grave = entries.iter().filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG");
        grave.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The addresses of every request since the last look.
    pub async fn requests(&self) -> Vec<String> {
        let events = self.events().await;
        let sent = events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.map(|event| event["params"]["request"]["url"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What the developer tools told of pages and network since the last look.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let entries = self.log("performance").await;
        let messages = entries.iter().filter_map(|entry| entry["message"].as_str());
        messages.map(|message| serde_json::from_str::<Value>(message).unwrap()["message"].take()).collect()
    }

    /// Ends window, browser and driver.
    pub async fn close(mut self) {
        self.client.close().await.unwrap();
        self.driver.kill().await.unwrap();
    }

    async fn in_view(&self, css: &str) -> fantoccini::elements::Element {
        let element = self.client.find(Locator::Css(css)).await.unwrap_or_else(|_| panic!("no {css}"));
        let argument = serde_json::to_value(&element).unwrap();
        let script = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.client.execute(script, vec![argument]).await.unwrap();
        element
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.client.issue_cmd(Extra { path: "se/log", body: json!({ "type": kind }) }).await.unwrap();
        entries.as_array().expect("a log is a list").clone()
    }

    /// Asks the browser's developer tools, by a command of their protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.client.issue_cmd(Extra { path: "goog/cdp/execute", body }).await.unwrap()
    }
}

/// A command that only this browser's driver knows.
#[derive(Debug)]
struct Extra {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extra {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// How often a driver may end before it has a port.
const STARTS: usize = 5;

/// The browser's driver on a port of its own.
///
/// It takes a free port of IPv4 and wants the same one of IPv6: where another process has that, it ends, and is started
/// again.
async fn start_driver() -> (Child, String) {
    let mut said = Vec::new();
    for _ in 0..STARTS {
        match try_driver().await {
            Ok(started) => return started,
            Err(lines) => said.extend(lines),
        }
    }
    panic!("chromedriver ended {STARTS} times before it named its port: {said:?}");
}

/// One start; what the driver said where it ended.
async fn try_driver() -> Result<(Child, String), Vec<String>> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        // What it starts belongs to its group, and ends with it also where a test panics.
        .process_group(0)
        .spawn()
        .expect("chromedriver is missing: install it (Debian: apt-get install chromium chromium-driver)");
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("on port ")
            && !line.contains("port 0")
        {
            let port = port.trim_end_matches('.').to_owned();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((driver, port));
        }
        said.push(line);
    }
    Err(said)
}
