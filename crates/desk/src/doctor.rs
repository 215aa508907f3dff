//! Before the first mail: what the sender's domain publishes, what the relay shows, and where trial mails landed.
//!
//! The examination works without a ledger; with one it also looks at the recipients' domains and the seed mailboxes.
//! It sends no mail and changes nothing; recording a seed is an act of its own.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use parsurvey_dispatch::doctor::{
    Finding, Lookups, Signer, Subject, Verdict, Zone, ascii_domain, gather, is_public, relay_findings,
};
use parsurvey_dispatch::{Route, StageTimeouts, probe};
use parsurvey_index::tree::Text;
use parsurvey_ledger::{SeedLook, SeedResult};
use parsurvey_survey::calendar;
use parsurvey_survey::campaign::Campaign;
use parsurvey_survey::seeds::{self, Seed};

use crate::files::read_bounded;
use crate::{Because, Desk, DeskError};

/// A zone file is some kilobytes; a larger one is something else.
const ZONE_BYTES: u64 = 4_000_000;
/// Mailboxes of one's own are a few.
const SEEDS_BYTES: u64 = 1_000_000;
/// Domains named at most where many have no seed.
const NAMED: usize = 5;

/// How to examine.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The relay, unless it is left out; its key says who signs.
    pub route: Route,
    /// Whether the relay is called.
    pub call_relay: bool,
    /// From which addresses the relay sends; without any, the relay's own where it is public.
    pub sends_from: Vec<IpAddr>,
    /// The selector under which the relay signs, where this program does not.
    pub relay_selector: Option<String>,
    /// The domain of the return path; the sender's where it is not named.
    pub return_path: Option<String>,
    /// Zone files to read instead of asking DNS.
    pub zones: Vec<PathBuf>,
    /// A DNS server instead of the system's.
    pub resolver: Option<SocketAddr>,
    /// How long an answer may take.
    pub patience: Duration,
}

/// Examines sender, relay and, beside a ledger, the recipients' domains and seeds.
///
/// # Errors
/// Zone files or `seeds.csv` have faults, a name is none, or the ledger cannot be read. What is wrong with the sender is
/// no error but a finding.
pub async fn examine(
    campaign: &Campaign,
    folder: &Path,
    desk: Option<&Desk>,
    how: &Examination,
    now: Timestamp,
) -> Result<Vec<Finding>, DeskError> {
    let lookups = lookups(how)?;
    let own = read_seeds(folder)?;
    let mut findings = Vec::new();
    let mut sends_from = how.sends_from.clone();
    if how.call_relay {
        let route = Route { timeouts: StageTimeouts::all(how.patience), ..how.route.clone() };
        let seen = probe(&route).await;
        sends_from.extend(seen.address.filter(|address| how.sends_from.is_empty() && is_public(*address)));
        findings.extend(relay_findings(&seen, now));
    }
    let subject = subject(campaign, desk, how, sends_from).await?;
    findings.extend(gather(&subject, &lookups).await);
    if let Some(desk) = desk {
        findings.extend(seed_findings(campaign, &subject.recipients, &own, &desk.ledger.seed_looks().await?));
    }
    Ok(findings)
}

/// Where answers come from; every fault of every zone file at once.
fn lookups(how: &Examination) -> Result<Lookups, DeskError> {
    let (mut zone, mut faults) = (Zone::default(), Vec::new());
    for path in &how.zones {
        let bytes = read_bounded(path, ZONE_BYTES)?;
        faults.extend(zone.read(&path.display().to_string(), &bytes).err().unwrap_or_default());
    }
    if !faults.is_empty() {
        return Err(DeskError::Faults { what: "the zone file".into(), faults });
    }
    if !how.zones.is_empty() && how.resolver.is_none() {
        return Ok(Lookups::zone(zone));
    }
    let resolver = Lookups::resolver(how.resolver, how.patience).map_err(|error| {
        DeskError::refused(error.to_string(), "name a DNS server with --resolver, or a --zone file")
    })?;
    Ok(if how.zones.is_empty() { resolver } else { resolver.behind(zone) })
}

async fn subject(
    campaign: &Campaign,
    desk: Option<&Desk>,
    how: &Examination,
    sends_from: Vec<IpAddr>,
) -> Result<Subject, DeskError> {
    let sender = &campaign.sender;
    let from = domain(domain_of(&sender.address), "the sender's domain in campaign.toml")?;
    let return_path = match &how.return_path {
        Some(named) => domain(named, "--return-path")?,
        None => from.clone(),
    };
    let signer = match (&how.route.dkim, &how.relay_selector) {
        (Some(dkim), _) => Some(dkim.signer(&sender.address)),
        (None, Some(selector)) => {
            Some(Signer { selector: domain(selector, "--relay-selector")?, domain: from.clone(), key: None })
        }
        (None, None) => None,
    };
    Ok(Subject {
        from: format!("{}@{from}", sender.address.rsplit_once('@').map_or("", |(mailbox, _)| mailbox)),
        return_path,
        reply_to: domain(domain_of(&sender.reply_to), "the reply address's domain in campaign.toml")?,
        sends_from,
        signer,
        recipients: match desk {
            Some(desk) => desk.recipient_domains().await?,
            None => BTreeMap::new(),
        },
    })
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn domain(text: &str, what: &str) -> Result<String, DeskError> {
    ascii_domain(text).ok_or_else(|| DeskError::refused(format!("{what}: '{text}' is no domain name"), "correct it"))
}

/// The seeds of a campaign folder; none where there is no file.
///
/// # Errors
/// The file has faults or cannot be read.
pub fn read_seeds(folder: &Path) -> Result<Vec<Seed>, DeskError> {
    let path = folder.join(seeds::FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let name = path.display().to_string();
    let bytes = read_bounded(&path, SEEDS_BYTES)?;
    seeds::read(&name, &bytes).map_err(|faults| DeskError::Faults { what: name, faults })
}

impl Desk {
    /// People of the frame per domain of their addresses.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn recipient_domains(&self) -> Result<BTreeMap<String, u64>, DeskError> {
        let mut domains = BTreeMap::new();
        for person in self.ledger.stored_people().await?.people.iter().filter(|person| !person.seats.is_empty()) {
            *domains.entry(domain_of(&person.email).to_ascii_lowercase()).or_default() += 1;
        }
        Ok(domains)
    }

    /// Records where a trial mail to a seed was found.
    ///
    /// # Errors
    /// The campaign has no mailbox at that domain, or the ledger cannot be written.
    pub async fn record_seed(
        &self,
        folder: &Path,
        domain: &str,
        result: SeedResult,
        because: &Because,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let domain = self::domain(domain, "the seed's domain")?;
        if !read_seeds(folder)?.iter().any(|seed| seed.domain() == domain) {
            return Err(DeskError::refused(
                format!("there is no mailbox at {domain} in {}", folder.join(seeds::FILE).display()),
                "write it there as MAILBOX,HOLDER, or correct the domain",
            ));
        }
        Ok(self.ledger.record_seed(&domain, result, &because.act(now)).await?)
    }
}

/// What the seeds say of each recipient domain.
fn seed_findings(
    campaign: &Campaign,
    recipients: &BTreeMap<String, u64>,
    own: &[Seed],
    looks: &[SeedLook],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut without = Vec::new();
    for domain in recipients.keys() {
        match looks.iter().rev().find(|look| look.domain == *domain) {
            Some(look) => findings.push(looked(campaign, look)),
            None if own.iter().any(|seed| seed.domain() == domain) => findings.push(not_looked(domain)),
            None => without.push(domain.as_str()),
        }
    }
    if !without.is_empty() {
        findings.push(no_seed(&without));
    }
    findings
}

fn looked(campaign: &Campaign, look: &SeedLook) -> Finding {
    let when = calendar::written(look.at, &campaign.time_zone);
    let (verdict, place, reason) = match look.result {
        SeedResult::Inbox => {
            (Verdict::Ok, text("trong hộp thư đến", "in the inbox"), text("thư thử đến nơi", "the trial mail arrived"))
        }
        SeedResult::Spam => (
            Verdict::Warning,
            text("trong thư rác", "in spam"),
            text("thư mời cũng sẽ vào thư rác", "the invitations will land there too"),
        ),
        SeedResult::Missing => (
            Verdict::Fault,
            text("không thấy", "nowhere"),
            text("thư mời cũng sẽ mất", "the invitations will be lost too"),
        ),
    };
    let found =
        text(&format!("{} ({when}, {})", place.vi, look.actor), &format!("{} ({when}, {})", place.en, look.actor));
    let finding = Finding::new("seed", &look.domain, verdict, found, reason);
    if verdict == Verdict::Ok {
        return finding;
    }
    finding.remedy(
        "đề nghị bộ phận công nghệ thông tin của cơ quan đó cho phép tên miền người gửi; gửi thử lại rồi ghi kết quả",
        "ask that body's IT staff to let the sender's domain in; send another trial mail and record the result",
    )
}

fn not_looked(domain: &str) -> Finding {
    let found = text("có hộp thư thử, chưa ghi kết quả", "there is a seed mailbox, and nothing recorded of it");
    let reason = text("chưa biết thư có vào hộp thư đến không", "whether mails reach the inbox is not known");
    Finding::new("seed", domain, Verdict::Warning, found, reason).remedy(
        format!("gửi thư thử, xem hộp thư rồi ghi: parsurvey seed record {domain} inbox|spam|missing"),
        format!("send a trial mail, look, and record it: parsurvey seed record {domain} inbox|spam|missing"),
    )
}

fn no_seed(domains: &[&str]) -> Finding {
    let named = domains[..domains.len().min(NAMED)].join(", ");
    let more = if domains.len() > NAMED { ", …" } else { "" };
    let found = text(
        &format!("{} tên miền chưa có hộp thư thử: {named}{more}", domains.len()),
        &format!("{} domains without a seed mailbox: {named}{more}", domains.len()),
    );
    let reason = text("chưa biết thư có vào hộp thư đến không", "whether mails reach the inbox is not known");
    Finding::new("seed", "", Verdict::Warning, found, reason).remedy(
        "ghi hộp thư của mình tại các tên miền đó vào seeds.csv, mỗi dòng HỘP-THƯ,NGƯỜI-XEM",
        "write mailboxes of your own at these domains into seeds.csv, MAILBOX,HOLDER in each line",
    )
}

fn text(vi: &str, en: &str) -> Text {
    Text { vi: vi.into(), en: en.into() }
}
