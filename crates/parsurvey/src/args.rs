//! The command line as typed. What it means is decided in `commands`; nothing here reads a file or a clock.

mod account;
mod audit;
mod bounces;
mod chase;
pub(crate) mod control;
mod doctor;
pub(crate) mod sending;
mod serve;
mod words;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

pub(crate) use account::AccountCommand;
pub(crate) use audit::{AuditCommand, CallbackArgs, CallbackCommand, Outcome, VerifyArgs};
pub(crate) use bounces::{BouncesCommand, ReadArgs};
pub(crate) use chase::{ChaseCommand, DigestArgs};
pub(crate) use doctor::{DoctorArgs, Landed, SeedCommand};
pub(crate) use serve::ServeArgs;
pub(crate) use words::{Again, By, Category, Document, Format, Kind, Language, Orientation, Role};

/// Runs an official survey by e-mail and turns its answers into an index.
#[derive(Debug, Parser)]
#[command(name = "parsurvey", version, about, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The campaign's folder.
    #[arg(long, global = true, env = "PARSURVEY_CAMPAIGN", default_value = ".", value_name = "DIR")]
    pub(crate) campaign: PathBuf,
    /// The data folder: ledger, link secret and results of one campaign.
    #[arg(long, global = true, env = "PARSURVEY_DATA", default_value = "./data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// A PostgreSQL ledger instead of the SQLite file in the data folder.
    #[arg(long, global = true, env = "PARSURVEY_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// The language of headings and documents.
    #[arg(long, global = true, env = "PARSURVEY_LANG", value_enum, default_value_t = Language::Vi)]
    pub(crate) lang: Language,
    /// How data are written to stdout.
    #[arg(long, global = true, env = "PARSURVEY_FORMAT", value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Who does it; kept in the log.
    #[arg(long, global = true, env = "PARSURVEY_ACTOR", value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Another moment than now, such as 2023-12-18T08:00:00+07:00; only for campaigns marked `sample = true`.
    #[arg(long, global = true, env = "PARSURVEY_NOW", value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the data folder for the campaign.
    Init {
        /// Also make both keys beside the data: for trials and small surveys. Whoever holds the data can then open the box.
        #[arg(long)]
        self_held: bool,
    },
    /// Check campaign folders: every fault at once, and the best and worst option of each question.
    Check {
        /// The folders; the one of --campaign when none is named.
        folders: Vec<PathBuf>,
    },
    /// Make a key pair, on the holder's own machine. A lost key is a lost survey: there is no back door.
    Keygen {
        /// What the key is for.
        role: Role,
        /// The id of the campaign.
        #[arg(long, value_name = "ID")]
        campaign_id: String,
        /// Where the key files go.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        copies: CopiesArgs,
    },
    /// Register public keys, and prove that their holders can open.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// The list of respondents.
    Roster {
        #[command(subcommand)]
        command: RosterCommand,
    },
    /// Send the invitations that are owed. Run again, it sends nothing twice.
    Invite(SendArgs),
    /// Send the reminder wave that is due, only to forms that are outstanding.
    Remind(SendArgs),
    /// Send whatever is due by the campaign's schedule: prenotice, invitations, reminder wave.
    Send(SendArgs),
    /// Show a mail with a dummy link.
    Preview {
        /// Which contact.
        #[arg(value_enum, default_value_t = Kind::Invitation)]
        kind: Kind,
        /// Which reminder wave.
        #[arg(long, default_value_t = 1)]
        wave: u32,
        /// The HTML part instead of the text.
        #[arg(long)]
        html: bool,
    },
    /// What mail servers and mailboxes sent back.
    Bounces {
        #[command(subcommand)]
        command: BouncesCommand,
    },
    /// Check what the sender's domain publishes and what the relay shows, before the first mail. Sends nothing.
    Doctor(Box<DoctorArgs>),
    /// Mailboxes of one's own at recipients' domains: where did a trial mail land?
    Seed {
        #[command(subcommand)]
        command: SeedCommand,
    },
    /// The response status: counts of seats, never an answer.
    Status {
        /// What the rows are.
        #[arg(long, value_enum, default_value_t = By::Group)]
        by: By,
        /// AAPOR rates with their formulas instead of the counts.
        #[arg(long)]
        explain: bool,
    },
    #[command(flatten)]
    Sending(sending::SendingCommand),
    /// Chase the units: where each one stands, one letter per coordinator, who was told what.
    Chase {
        #[command(subcommand)]
        command: Option<ChaseCommand>,
    },
    /// The operator's digest: what is new, what does not arrive, what is due, who is behind.
    Digest(DigestArgs),
    #[command(flatten)]
    Control(control::ControlCommand),
    /// The append-only log: who did what, when and why. Its chain of hashes is checked as it is read.
    Log,
    /// Excuse a seat.
    Excuse {
        /// The form's number (see `roster list`).
        form: i64,
        /// Why in one word.
        #[arg(long, value_enum)]
        category: Category,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Take an excuse back.
    Reinstate {
        /// The form's number.
        form: i64,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Pass a seat to another person; the old link dies. Once people were invited, a second person has to approve it.
    Replace {
        /// The form's number.
        form: i64,
        /// The new holder's name.
        #[arg(long)]
        name: String,
        /// The new holder's address.
        #[arg(long)]
        email: String,
        /// The new holder's position.
        #[arg(long, default_value = "")]
        position: String,
        /// The predecessor was in post on the frame date but is unable: counted apart.
        #[arg(long)]
        substitution: bool,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Correct the address of a seat's holder; the old link dies. Once people were invited, a second person has to approve it.
    CorrectAddress {
        /// The form's number.
        form: i64,
        /// The right address.
        #[arg(long)]
        email: String,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Record that a person declines.
    Decline {
        /// The form's number.
        form: i64,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Move the deadline to a later moment.
    Extend {
        /// The new deadline, such as 2024-01-12T23:59:00+07:00.
        #[arg(long)]
        until: Timestamp,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// End the survey and write the sealed box. Cannot be undone.
    Close,
    /// Open the box with the holder's key: tally and archive.
    Open {
        /// The private key file, or two share files.
        #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
        key: Vec<PathBuf>,
        /// A box file, to open it away from the ledger.
        #[arg(long = "box", value_name = "FILE", requires = "archive_pub")]
        box_file: Option<PathBuf>,
        /// The archive holder's .pub file, beside --box (closing writes it next to the box).
        #[arg(long, value_name = "FILE")]
        archive_pub: Option<PathBuf>,
        /// Where tally and archive go, beside --box.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// Beside --box: the box's SHA-256 as closing printed it, told by phone or letter.
        #[arg(long, value_name = "HEX", requires = "box_file")]
        sha256: Option<String>,
        /// How many unreadable ballots are accepted.
        #[arg(long, default_value_t = 0, value_name = "N")]
        accept_unreadable: u64,
        /// The key may open a second box, because the first was lost and written anew.
        #[arg(long)]
        another_box: bool,
    },
    /// Import a tally that was made elsewhere.
    Tally {
        #[command(subcommand)]
        command: TallyCommand,
    },
    /// Erase personal data whose time has come by the campaign's retention table. Only after the opening; counts stay.
    Purge {
        /// Show what would go, and change nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Scores of groups, sub-criteria and areas.
    Score(ScoreArgs),
    /// The index: appraisal, survey and SIPAS points by area.
    Index(ScoreArgs),
    /// Walk one sub-criterion from counts to points.
    Explain {
        /// The sub-criterion, such as 5.7.4.
        code: String,
        #[command(flatten)]
        score: ScoreArgs,
    },
    /// Write the report.
    Report {
        /// Which documents.
        #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Document::Html, Document::Xlsx])]
        documents: Vec<Document>,
        /// Where they go; `out/` of the data folder when not named.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        score: ScoreArgs,
    },
    /// Who may log in to the console.
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Serve the respondents' form, the status page and the console, and with --send do whatever is due.
    Serve(ServeArgs),
    /// Run a whole campaign on sample data: from roster to index, with real mail, form and ballot box.
    Demo {
        /// The folder it makes; replaced only if an earlier demo made it.
        #[arg(long, default_value = "./demo-run", value_name = "DIR")]
        out: PathBuf,
        /// Keep the status page up afterwards and open a small survey with three links to click.
        #[arg(long)]
        serve: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Put a .pub file into the ledger and seal a test ballot to it.
    Register {
        /// The .pub files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Holder's machine: open a test ballot and print the code to send back.
    OpenTest {
        /// The private key file; or two share files, each after a --key of its own.
        #[arg(long, required = true, value_name = "FILE")]
        key: Vec<PathBuf>,
        /// The test ballot.
        test: PathBuf,
    },
    /// Record the code that a holder sent back.
    Confirm {
        /// The code.
        code: String,
    },
    /// The registered keys.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RosterCommand {
    /// Read a list (CSV or XLSX), report every fault, and store it when there is none.
    Import {
        /// The list.
        file: PathBuf,
        /// The workbook's sheet, when its header does not tell.
        #[arg(long)]
        sheet: Option<String>,
        /// Warnings that are accepted, by code.
        #[arg(long, value_delimiter = ',', value_name = "CODE")]
        accept: Vec<String>,
        /// Show the difference and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Change a list after the first invitation, as a frame correction, which a second person has to approve.
        #[arg(long)]
        amend: bool,
        /// How many seats the amendment removes; asked for where they are more than five and two in a hundred.
        #[arg(long, requires = "amend", value_name = "N")]
        removes: Option<u64>,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// The seats with their form numbers, for the operator's eyes.
    List {
        /// Only this unit.
        #[arg(long)]
        unit: Option<String>,
        /// Only this group.
        #[arg(long)]
        group: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TallyCommand {
    /// Store a tally that was made elsewhere and destroy the box.
    Import {
        /// The tally.
        file: PathBuf,
        /// The archive made with it, whose hash is kept.
        #[arg(long)]
        archive: PathBuf,
        /// This ledger was restored from a backup older than the closing: store the tally although numbers differ.
        #[arg(long)]
        restored: bool,
        #[command(flatten)]
        because: BecauseArgs,
    },
}

#[derive(Debug, Clone, Args)]
pub(crate) struct BecauseArgs {
    /// Why.
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// The document that approves it: number and date.
    #[arg(long, default_value = "")]
    pub(crate) document: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct SendArgs {
    /// First make the mails of this contact that the relay refused for good, or of which nobody knows, ready once more.
    #[arg(long, value_enum, requires = "reason")]
    pub(crate) again: Option<Again>,
    /// Why they are sent again; kept in the log.
    #[arg(long, requires = "again", value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) smtp: SmtpArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct SmtpArgs {
    /// The relay: HOST:PORT without TLS, or smtp://, smtp+starttls:// or smtps:// and USER@HOST:PORT, of which user and port may be left out; for a sample campaign also file:DIR, which only writes the mails down.
    #[arg(long, env = "PARSURVEY_SMTP", default_value = "127.0.0.1:25", value_name = "HOST:PORT|URL")]
    pub(crate) smtp: String,
    /// A provider's HTTP interface instead of a relay, as this TOML file describes it.
    #[arg(long, env = "PARSURVEY_PROVIDER", value_name = "FILE")]
    pub(crate) provider: Option<PathBuf>,
    /// The secret that the provider's file calls {secret}.
    #[arg(long, env = "PARSURVEY_PROVIDER_SECRET_FILE", value_name = "FILE", requires = "provider")]
    pub(crate) provider_secret_file: Option<PathBuf>,
    /// The password of the URL's user; without it, the environment's PARSURVEY_SMTP_PASSWORD is used.
    #[arg(long, env = "PARSURVEY_SMTP_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) smtp_password_file: Option<PathBuf>,
    /// Tell a relay on this machine the password without TLS too; another one never.
    #[arg(long)]
    pub(crate) smtp_plain_login: bool,
    /// Believe only relays certified by the authorities in this PEM file, instead of those the system trusts.
    #[arg(long, env = "PARSURVEY_SMTP_CA", value_name = "FILE")]
    pub(crate) smtp_ca: Option<PathBuf>,
    /// Sign every mail for the sender's domain with this private key (DKIM; PEM, Ed25519 or RSA).
    #[arg(long, env = "PARSURVEY_DKIM_KEY", value_name = "FILE", requires = "dkim_selector")]
    pub(crate) dkim_key: Option<PathBuf>,
    /// The name under which the key's public half is published: SELECTOR._domainkey.DOMAIN.
    #[arg(long, env = "PARSURVEY_DKIM_SELECTOR", value_name = "SELECTOR", requires = "dkim_key")]
    pub(crate) dkim_selector: Option<String>,
    /// Connections at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) connections: u8,
}

#[derive(Debug, Clone, Args)]
#[group(multiple = true)]
pub(crate) struct CopiesArgs {
    /// A second copy of the private file goes into this folder, best on another medium.
    #[arg(long, value_name = "DIR", conflicts_with = "shares", required_unless_present = "shares")]
    pub(crate) second_copy: Option<PathBuf>,
    /// Three shares instead, any two of which open, into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) shares: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ScoreArgs {
    /// Score an answers file instead of the ledger's tally; needs no ledger.
    #[arg(long, value_name = "FILE", requires = "orientation")]
    pub(crate) answers: Option<PathBuf>,
    /// Whether 5 is the best level of every question, or the levels are as the form showed them.
    #[arg(long, value_enum)]
    pub(crate) orientation: Option<Orientation>,
    /// Another policy than the campaign's.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Seats in a group's frame, beside --answers.
    #[arg(long, value_name = "GROUP=N")]
    pub(crate) frame: Vec<String>,
    /// The target the answers rate; the first with a tree when not named.
    #[arg(long, value_name = "CODE")]
    pub(crate) target: Option<String>,
}
