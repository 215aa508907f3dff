//! What came over the line for the pages a browser showed, as the browser itself counted it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::chrome::Chrome;

/// One answer of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// What was asked for.
    pub url: String,
    /// What for: `Document`, `Stylesheet`, `Image`, `Script`, `Font`, …
    pub kind: String,
    /// Bytes on the wire, headers included, redirects as well; 0 where it came from the browser's own store.
    pub bytes: u64,
    /// Whether the server compressed it.
    pub compressed: bool,
}

impl Chrome {
    /// What came over the network since the last look, in the order in which it was asked for.
    pub async fn transfers(&self) -> Vec<Transfer> {
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut all: Vec<Transfer> = Vec::new();
        for event in self.events().await {
            let params = &event["params"];
            let id = params["requestId"].as_str().unwrap_or_default().to_owned();
            let known = places.get(&id).copied();
            match (event["method"].as_str().unwrap_or_default(), known) {
                ("Network.requestWillBeSent", Some(place)) => {
                    all[place].bytes += whole(&params["redirectResponse"]["encodedDataLength"]);
                    all[place].url = text(&params["request"]["url"]);
                }
                ("Network.requestWillBeSent", None) => {
                    let url = text(&params["request"]["url"]);
                    if url.starts_with("http") {
                        places.insert(id, all.len());
                        all.push(Transfer { url, kind: text(&params["type"]), bytes: 0, compressed: false });
                    }
                }
                ("Network.responseReceived", Some(place)) => {
                    let headers = params["response"]["headers"].as_object();
                    let encoded = |(name, _): (&String, &Value)| name.eq_ignore_ascii_case("content-encoding");
                    all[place].compressed = headers.is_some_and(|headers| headers.iter().any(encoded));
                }
                ("Network.loadingFinished", Some(place)) => all[place].bytes += whole(&params["encodedDataLength"]),
                _ => {}
            }
        }
        all
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A count that the protocol sends as a number with a decimal point.
fn whole(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.to_string().split('.').next()?.parse().ok()).unwrap_or(0)
}
