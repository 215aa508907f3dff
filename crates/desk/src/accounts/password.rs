//! Passwords: hashed with Argon2id, which takes time and memory on purpose, and therefore a few at a time.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::DeskError;

/// Hashes at one time: each takes 19 MB, and a flood of logins must not take them all from the respondents.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// The hash of a password that nobody has, made with the same parameters: an unknown name takes as long as a known one.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$tV0LDcLrJZ9BzC6ph5DdpX6eFWtVvmvqW5LXXvXBQqE";

/// Hashes a password under a salt of its own, with the parameters that the library recommends (OWASP's).
pub(super) async fn hash(password: Zeroizing<String>) -> Result<String, DeskError> {
    let hashed = apart(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())).await;
    hashed.map_err(|error| DeskError::unfinished(format!("the password could not be hashed ({error})"), "try again"))
}

/// Whether a password fits a hash. Without a hash it takes as long and does not fit.
pub(super) async fn fits(password: Zeroizing<String>, hash: Option<String>) -> bool {
    apart(move || {
        let known = hash.is_some();
        let text = hash.unwrap_or_else(|| NOBODY.to_owned());
        let parsed = PasswordHash::new(&text);
        let fits = parsed.is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
        known && fits
    })
    .await
}

/// Runs on a thread of its own, as nothing else of the server may wait for it.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let _place = AT_ONCE.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let hashed = hash(text("ba con mèo trắng")).await.expect("hashed");
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert_ne!(hash(text("ba con mèo trắng")).await.expect("hashed"), hashed, "each has a salt of its own");
        assert!(fits(text("ba con mèo trắng"), Some(hashed.clone())).await);
        assert!(!fits(text("ba con mèo đen"), Some(hashed)).await);
        assert!(!fits(text("ba con mèo trắng"), None).await);
        assert!(!fits(text("x"), Some("rubbish".to_owned())).await);
    }

    #[test]
    fn the_hash_of_nobody_is_worked_through_as_any_other() {
        let parsed = PasswordHash::new(NOBODY).expect("it is well-formed");
        let error = Argon2::default().verify_password(b"x", &parsed).expect_err("nobody has it");
        assert_eq!(error, argon2::password_hash::Error::PasswordInvalid, "it was compared, not refused beforehand");
    }
}
