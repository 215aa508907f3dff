//! HTTP in: the respondent's form, a plain status page, and the operator's console.
//!
//! [`app()`] builds the router over a `desk`, [`serve()`] runs it on a listener until told to stop.
//! Every page works without JavaScript and asks nothing of any other host; those of respondents also without cookies
//! and storage.
//! Nothing here reads a stored answer, decides whether a form may be answered, or knows the database; `desk` does.

mod app;
mod assets;
mod board;
mod chase;
mod client;
mod console;
mod decline;
mod flow;
mod guard;
mod limit;
mod lost;
mod notice;
mod pages;
mod posted;
mod problem;
mod respond;
mod review;
mod seam;
mod serve;
mod tls;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use app::{OpenCounts, app, app_that_sends};
pub use client::{Client, Networks, network};
pub use console::Sending;
pub use ipnet::IpNet;
pub use seam::{Clock, SystemClock};
pub use serve::{CONNECTIONS, Server, serve};
pub use tls::{Tls, TlsError};
