//! Style sheets, scripts and the icon, embedded in the program and addressed by a hash of their content.
//!
//! A changed file gets a new address, so browsers may keep the old one for a year.
//! The hash names a version; it protects nothing.

use std::sync::LazyLock;

/// The style sheet.
pub(crate) const STYLE: &str = include_str!("../assets/form.css");
/// The script that saves answers as they are chosen.
pub(crate) const SCRIPT: &str = include_str!("../assets/form.js");
/// The icon.
pub(crate) const ICON: &str = include_str!("../assets/icon.svg");

/// The console's style sheet.
pub(crate) const CONSOLE_STYLE: &str = include_str!("../assets/console.css");
/// The console's script.
pub(crate) const CONSOLE_SCRIPT: &str = include_str!("../assets/console.js");

static STYLE_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/{:016x}.css", fnv(STYLE)));
static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/{:016x}.js", fnv(SCRIPT)));
static ICON_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/{:016x}.svg", fnv(ICON)));

static CONSOLE_STYLE_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/{:016x}.css", fnv(CONSOLE_STYLE)));
static CONSOLE_SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/{:016x}.js", fnv(CONSOLE_SCRIPT)));

/// Where the console's style sheet is served.
pub(crate) fn console_style_path() -> &'static str {
    &CONSOLE_STYLE_PATH
}

/// Where the console's script is served.
pub(crate) fn console_script_path() -> &'static str {
    &CONSOLE_SCRIPT_PATH
}

/// Where the style sheet is served.
pub(crate) fn style_path() -> &'static str {
    &STYLE_PATH
}

/// Where the script is served.
pub(crate) fn script_path() -> &'static str {
    &SCRIPT_PATH
}

/// Where the icon is served.
pub(crate) fn icon_path() -> &'static str {
    &ICON_PATH
}

/// The 64-bit FNV-1a hash, which stays the same from one compiler to the next.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
