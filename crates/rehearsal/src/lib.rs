//! What `demo`, tests and load runs play with: a catcher of mails, and samples of people who do not exist.
//!
//! Nothing here touches a real relay or a real person; a real campaign never uses it.

pub mod browser;
pub mod catcher;
pub mod clock;
pub mod demo;
pub mod sample;
