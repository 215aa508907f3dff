//! "I lost my link": one field, and one answer for every address, at once; what is done for it is done afterwards.
//!
//! Neither words nor time nor status tell whether an address is listed. How often one network and everybody together may ask
//! is counted here, in memory; how often one person is mailed is counted by the desk. No address is logged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use ipnet::IpNet;
use jiff::Timestamp;
use parsurvey_survey::campaign::{Campaign, LostLink};

use crate::app::House;
use crate::client::Client;
use crate::pages::{Frame, Message, Switch, Tone};
use crate::problem::{Problem, Standing, reply, see_other};
use crate::respond::problem_page;
use crate::seam::Respond;
use crate::words::Lang;

/// An address has at most so many characters (RFC 5321, 4.5.3.1.3).
const ADDRESS_LENGTH: usize = 254;

/// The page with the field.
#[derive(Template)]
#[template(path = "lost.html")]
struct LostPage<'a> {
    f: Frame<'a>,
    /// Whether what was typed can be no address.
    faulty: bool,
}

/// GET of the page. Changes nothing.
pub(crate) async fn lost<D: Respond>(State(house): State<House<D>>, lang: Lang, RawQuery(query): RawQuery) -> Response {
    let campaign = house.desk.campaign();
    if query.unwrap_or_default().split('&').any(|pair| pair == "asked=yes") {
        return asked_page(campaign, lang);
    }
    field_page(campaign, lang, false)
}

/// POST of the page. Whatever address is given, the answer is the same, and it does not wait for the ledger.
pub(crate) async fn ask<D: Respond>(
    State(house): State<House<D>>,
    lang: Lang,
    client: Client,
    fields: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = fields else {
        return problem_page(&house, lang, Problem::NotAForm);
    };
    let typed = fields.into_iter().find(|(name, _)| name == "email").map(|(_, value)| value).unwrap_or_default();
    let Some(address) = address_of(&typed) else {
        return field_page(house.desk.campaign(), lang, true);
    };
    let now = house.clock.now();
    match house.asked.admit(&client, &house.desk.campaign().lost_link, now) {
        Admitted::Yes => {}
        Admitted::NetworkTooOften => return problem_page(&house, lang, Problem::AskedTooOften),
        Admitted::AllTooOften => return problem_page(&house, lang, Problem::TooFast),
    }
    let desk = Arc::clone(&house.desk);
    // On its own: the reply must not take longer for an address that is listed.
    tokio::spawn(async move {
        if let Err(error) = desk.ask_for_link(&address, now).await {
            tracing::warn!(%error, "a link that was asked for could not be queued");
        }
    });
    see_other(&format!("/lost?lang={}&asked=yes", lang.code()))
}

fn field_page(campaign: &Campaign, lang: Lang, faulty: bool) -> Response {
    let switch = Switch::Link(format!("/lost?lang={}", lang.other().code()));
    let title = lang.t("lost-title");
    let title = if faulty { lang.t1("title-with-fault", "title", title) } else { title };
    let standing = if faulty { Standing::Faulty } else { Standing::Fine };
    reply(standing, LostPage { f: Frame::new(campaign, lang, title, switch), faulty }.render())
}

fn asked_page(campaign: &Campaign, lang: Lang) -> Response {
    let switch = Switch::Link(format!("/lost?lang={}&asked=yes", lang.other().code()));
    let limits = &campaign.lost_link;
    let often = lang.t2("lost-asked-often", ("minutes", limits.minutes_between), ("mails", limits.per_day));
    let page = Message {
        f: Frame::new(campaign, lang, lang.t("lost-asked-title"), switch),
        tone: Tone::Plain,
        paragraphs: vec![lang.t("lost-asked-text"), lang.t("lost-asked-same"), often],
        shown: Vec::new(),
        anew: None,
    };
    reply(Standing::Fine, page.render())
}

/// What was typed, where it can be an address at all. This is told, because it is seen from the text alone.
fn address_of(typed: &str) -> Option<String> {
    let address = typed.trim();
    let (local, domain) = address.rsplit_once('@')?;
    let plain = address.len() <= ADDRESS_LENGTH && !address.contains(|c: char| c.is_whitespace() || c.is_control());
    (plain && !local.is_empty() && domain.contains('.')).then(|| address.to_owned())
}

/// How often links were asked for: by everybody in this minute, and by each network in this hour.
#[derive(Default)]
pub(crate) struct Asked(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    minute: i64,
    in_minute: u32,
    hour: i64,
    /// Of this hour only, so that it stays small.
    by_network: HashMap<IpNet, u32>,
}

/// Whether a request is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admitted {
    Yes,
    /// Its network asked too often in this hour.
    NetworkTooOften,
    /// Everybody together asked too often in this minute.
    AllTooOften,
}

impl Asked {
    /// Counts a request that is let through.
    fn admit(&self, client: &Client, limits: &LostLink, now: Timestamp) -> Admitted {
        // Every hold is a few plain assignments, so that a panic elsewhere leaves it whole.
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (minute, hour) = (now.as_second().div_euclid(60), now.as_second().div_euclid(3600));
        if counts.minute != minute {
            (counts.minute, counts.in_minute) = (minute, 0);
        }
        if counts.hour != hour {
            counts.hour = hour;
            counts.by_network.clear();
        }
        if counts.in_minute >= limits.per_minute {
            return Admitted::AllTooOften;
        }
        if !client.exempt {
            let of_network = counts.by_network.entry(client.network()).or_default();
            if *of_network >= limits.per_client_hour {
                return Admitted::NetworkTooOften;
            }
            *of_network += 1;
        }
        counts.in_minute += 1;
        Admitted::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::Admitted::{AllTooOften, NetworkTooOften, Yes};
    use super::*;

    fn client(address: &str, exempt: bool) -> Client {
        Client { address: address.parse().expect("an address"), https: false, exempt }
    }

    #[test]
    fn one_network_and_everybody_together_are_held_back() {
        let limits = LostLink { per_client_hour: 2, per_minute: 4, ..LostLink::default() };
        let asked = Asked::default();
        let ask = |address, exempt, at: &str| {
            let now: Timestamp = at.parse().expect("a moment");
            asked.admit(&client(address, exempt), &limits, now)
        };
        for (address, exempt, at, admitted) in [
            ("192.0.2.1", false, "2023-12-20T10:00:00Z", Yes),
            ("192.0.2.1", false, "2023-12-20T10:00:01Z", Yes),
            ("192.0.2.1", false, "2023-12-20T10:00:02Z", NetworkTooOften),
            ("2001:db8::1", false, "2023-12-20T10:00:03Z", Yes),
            ("192.0.2.9", true, "2023-12-20T10:00:04Z", Yes),
            ("192.0.2.2", false, "2023-12-20T10:00:59Z", AllTooOften),
            ("192.0.2.2", false, "2023-12-20T10:01:00Z", Yes),
            // One subscriber of IPv6 has many addresses.
            ("2001:db8::2", false, "2023-12-20T10:01:01Z", Yes),
            ("2001:db8::3", false, "2023-12-20T10:01:02Z", NetworkTooOften),
            ("192.0.2.1", false, "2023-12-20T10:59:59Z", NetworkTooOften),
            ("192.0.2.1", false, "2023-12-20T11:00:00Z", Yes),
        ] {
            assert_eq!(ask(address, exempt, at), admitted, "{address} {at}");
        }
    }

    #[test]
    fn only_what_can_be_an_address_is_taken() {
        for (typed, address) in [
            (" an@thitranmau.example\n", Some("an@thitranmau.example")),
            ("AN@ThiTranMau.example", Some("AN@ThiTranMau.example")),
            ("an", None),
            ("@x.example", None),
            ("an@localhost", None),
            ("an@x.example, ba@x.example", None),
            ("", None),
        ] {
            assert_eq!(address_of(typed).as_deref(), address, "{typed:?}");
        }
    }
}
