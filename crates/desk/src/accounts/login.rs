//! Logging in, staying logged in, logging out.
//!
//! Whoever is refused does not learn why: an unknown name, a wrong password and a wrong code give the same answer after
//! the same work. A code is taken once; a login always begins a new session, and the old cookie's is ended with it.

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use parsurvey_ledger::AccountRow;
use parsurvey_survey::account::{
    AccountName, BadPassword, Device, Knock, SEEN_AGAIN, Scope, Seed, is_alive, judge_password,
};
use parsurvey_survey::hex;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{first, password, scope_of, setup_sha256};
use crate::{Because, Desk, DeskError, random_bytes};

/// What somebody typed to log in, and from where.
pub struct Credentials {
    /// The name.
    pub name: String,
    /// The password; when setting up, the set-up secret.
    pub password: Zeroizing<String>,
    /// The code.
    pub code: String,
    /// The address, or the network that shares one; nothing where it counts for no limit.
    pub address: Option<String>,
    /// The mark of a browser that has logged in before.
    pub device: Option<String>,
}

/// What logging in gave.
pub enum Login {
    /// Done.
    Entered(Box<Entered>),
    /// Name, password and code do not fit together.
    Refused,
    /// Too many tries; the next one is possible after so long.
    Wait(SignedDuration),
    /// The new password cannot be taken. Only whoever has the set-up secret learns that.
    BadPassword(BadPassword),
}

/// A session that has begun. It cannot be printed.
pub struct Entered {
    /// What the cookie holds.
    pub session: Zeroizing<String>,
    /// The browser's mark.
    pub device: Device,
    /// Whose it is.
    pub account: AccountRow,
}

/// Who asks, as far as a page may know.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The account.
    pub account: AccountRow,
    /// Which seats it sees.
    pub scope: Scope,
}

impl Desk {
    /// Sets an account up with its secret, a new password and the authenticator's first code, and logs in.
    ///
    /// # Errors
    /// The ledger cannot be written, or the console's secret is missing.
    pub async fn set_up_account(
        &self,
        credentials: &Credentials,
        new_password: Zeroizing<String>,
        now: Timestamp,
    ) -> Result<Login, DeskError> {
        let mut attempt = match self.attempt(credentials, now).await? {
            Ok(attempt) => attempt,
            Err(wait) => return Ok(Login::Wait(wait)),
        };
        let sha256 = setup_sha256(&credentials.password);
        let open = |account: &AccountRow| {
            let same = account.setup.as_ref().is_some_and(|open| *open == sha256);
            same && account.revoked.is_none() && account.setup_until.is_some_and(|until| until > now)
        };
        let Some((account, step)) = attempt.taken(now).filter(|(account, _)| open(account)) else {
            return Ok(Login::Refused);
        };
        if let Err(bad) = judge_password(&account.name, &new_password) {
            self.forgive(credentials, &attempt, now);
            return Ok(Login::BadPassword(bad));
        }
        let hash = password::hash(new_password).await?;
        let session = new_session()?;
        let act = Because { actor: account.name.to_string(), ..Because::default() }.act(now);
        let sha = session_sha256(&session);
        if !self.ledger.set_up_account(&account.name, &sha256, &hash, step, &sha, &act).await? {
            return Ok(Login::Refused);
        }
        self.entered(credentials, &mut attempt, session, account, now).await
    }

    /// Logs in. `old` is the session of the cookie that came along, which ends.
    ///
    /// # Errors
    /// The ledger cannot be written, or the console's secret is missing.
    pub async fn log_in(
        &self,
        credentials: &Credentials,
        old: Option<&str>,
        now: Timestamp,
    ) -> Result<Login, DeskError> {
        let mut attempt = match self.attempt(credentials, now).await? {
            Ok(attempt) => attempt,
            Err(wait) => return Ok(Login::Wait(wait)),
        };
        let known = attempt.account.as_ref().filter(|account| account.revoked.is_none());
        let hash = known.and_then(|account| account.password.clone());
        let fits = password::fits(credentials.password.clone(), hash.clone()).await;
        let taken = attempt.taken(now).filter(|_| fits);
        let (Some((account, step)), Some(hash)) = (taken, hash) else {
            return Ok(Login::Refused);
        };
        let session = new_session()?;
        let act = Because { actor: account.name.to_string(), ..Because::default() }.act(now);
        if !self.ledger.begin_session(&account.name, &hash, step, &session_sha256(&session), &act).await? {
            return Ok(Login::Refused);
        }
        if let Some(old) = old {
            self.log_out(old, false, now).await?;
        }
        self.entered(credentials, &mut attempt, session, account, now).await
    }

    /// Who a cookie stands for, if its session is alive. Where it counts as a use, that is noted once a minute: a page that
    /// renews itself is no use, and keeps nobody logged in.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn visitor(&self, session: &str, counts: bool, now: Timestamp) -> Result<Option<Visitor>, DeskError> {
        let sha256 = session_sha256(session);
        let row = self.ledger.session(&sha256).await?;
        let Some(row) = row.filter(|row| is_alive(row.begun, row.seen, now)) else { return Ok(None) };
        if counts && row.seen.duration_until(now) >= SEEN_AGAIN {
            // A ledger that cannot be written now is no reason to refuse a look at it.
            if let Err(error) = self.ledger.session_seen(&sha256, now).await {
                tracing::warn!(%error, "the use of a session could not be noted");
            }
        }
        Ok(Some(Visitor { scope: scope_of(&row.account), account: row.account }))
    }

    /// Ends this session, or all of the account.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn log_out(&self, session: &str, everywhere: bool, now: Timestamp) -> Result<(), DeskError> {
        let sha256 = session_sha256(session);
        let Some(row) = self.ledger.session(&sha256).await? else { return Ok(()) };
        let name = row.account.name;
        let act = Because { actor: name.to_string(), ..Because::default() }.act(now);
        if everywhere {
            self.ledger.end_sessions(&name, &act).await?;
        } else {
            self.ledger.end_session(&name, &sha256, &act).await?;
        }
        Ok(())
    }

    /// How many sessions of an account are alive.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn sessions_alive(&self, name: &AccountName, now: Timestamp) -> Result<u64, DeskError> {
        let sessions = self.ledger.sessions_of(name).await?;
        Ok(sessions.iter().filter(|(begun, seen)| is_alive(*begun, *seen, now)).count() as u64)
    }

    /// What a try is judged by, or how long until the next one where there were too many.
    async fn attempt(
        &self,
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<Result<Attempt, SignedDuration>, DeskError> {
        // A telephone begins with a capital by itself.
        let name: Option<AccountName> = credentials.name.trim().to_lowercase().parse().ok();
        let account = match &name {
            Some(name) => self.ledger.account(name).await?,
            None => None,
        };
        let mut attempt = Attempt { name, account, code: credentials.code.clone(), seed: None, device: None };
        if let Some(account) = &attempt.account {
            // An account stands, so the secret was made: nothing is written here.
            let secret = self.ready_console_key(&Because::default(), now).await?;
            let mark = credentials.device.as_deref();
            attempt.device = mark.and_then(|mark| secret.known_device(&account.name, mark));
            let seed = secret.open(&account.name, &account.seed).map_err(|error| {
                DeskError::refused(
                    format!("the account {}: {error}", account.name),
                    "reset it with `parsurvey account reset`",
                )
            })?;
            attempt.seed = Some(seed);
        }
        let taken = self.throttle().take(&attempt.knock(credentials), now);
        if taken.is_err() {
            tracing::warn!("too many tries to log in to the console");
        }
        Ok(taken.map(|()| attempt))
    }

    fn forgive(&self, credentials: &Credentials, attempt: &Attempt, now: Timestamp) {
        self.throttle().give_back(&attempt.knock(credentials), now);
    }

    async fn entered(
        &self,
        credentials: &Credentials,
        attempt: &mut Attempt,
        session: Zeroizing<String>,
        account: AccountRow,
        now: Timestamp,
    ) -> Result<Login, DeskError> {
        self.forgive(credentials, attempt, now);
        let device = match attempt.device.take() {
            Some(known) => known,
            None => {
                self.ready_console_key(&Because::default(), now).await?.device(&account.name, first(&random_bytes()?))
            }
        };
        Ok(Login::Entered(Box::new(Entered { session, device, account })))
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, parsurvey_survey::account::Throttle> {
        // A panic while purses are counted leaves at worst one try too many or too few.
        self.throttle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A try to log in, with what is known of the name.
struct Attempt {
    name: Option<AccountName>,
    account: Option<AccountRow>,
    code: String,
    seed: Option<Seed>,
    device: Option<Device>,
}

impl Attempt {
    /// The account and the step of the code, where the code fits.
    fn taken(&self, now: Timestamp) -> Option<(AccountRow, i64)> {
        let account = self.account.clone()?;
        let step = self.seed.as_ref()?.step_of_code(&self.code, account.used_step, now)?;
        Some((account, step))
    }

    fn knock<'a>(&'a self, credentials: &'a Credentials) -> Knock<'a> {
        Knock {
            name: self.name.as_ref().map_or(credentials.name.trim(), AccountName::as_str),
            address: credentials.address.as_deref(),
            device: self.device.as_ref().map(|device| device.number.as_str()),
        }
    }
}

/// 256 random bits as a cookie holds them.
fn new_session() -> Result<Zeroizing<String>, DeskError> {
    Ok(Zeroizing::new(BASE64URL_NOPAD.encode(Zeroizing::new(random_bytes()?).as_slice())))
}

/// What the ledger keeps of a session: with the hash alone nobody has a cookie.
fn session_sha256(session: &str) -> String {
    hex(&Sha256::digest(session.as_bytes()))
}
