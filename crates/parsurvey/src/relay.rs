//! The relay, the login and the signature as the command line names them.
//!
//! Passwords and keys come from files or the environment, never from an argument: arguments can be read by everybody on
//! the machine. Nothing is connected to here; whether the relay is there shows when the first mail is sent.

use std::fs;
use std::path::Path;

use parsurvey_dispatch::{Dkim, Folder, Login, Provider, RelayAddress, Route, Trust, TrustError, Way};
use secrecy::{SecretString, zeroize::Zeroizing};

use crate::args::SmtpArgs;
use crate::faults::Failure;

/// The variable that holds the password where no file does.
const PASSWORD: &str = "PARSURVEY_SMTP_PASSWORD";

/// The way mails leave: a provider where one is named, a folder, or else a relay.
pub(crate) fn way(smtp: &SmtpArgs) -> Result<Way, Failure> {
    if let Some(file) = &smtp.provider {
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
        let secret = smtp.provider_secret_file.as_deref().map(read_secret).transpose()?;
        let provider = Provider::read(&text, secret.as_ref())
            .map_err(|error| Failure::usage(format!("--provider {}: {error}", file.display())))?;
        return Ok(Way::Provider(provider));
    }
    match smtp.smtp.strip_prefix("file:") {
        Some("") => Err(Failure::usage("--smtp file: name the folder behind it, such as file:mails")),
        Some(folder) => Ok(Way::Folder(Folder::new(folder))),
        None => Ok(route(smtp)?.into()),
    }
}

/// The way to the relay, with everything that is read from files.
pub(crate) fn route(smtp: &SmtpArgs) -> Result<Route, Failure> {
    let address: RelayAddress =
        smtp.smtp.parse().map_err(|error| Failure::usage(format!("--smtp {}: {error}", shown(&smtp.smtp))))?;
    let authorities = smtp.smtp_ca.as_deref().map(read_bytes).transpose()?;
    let trust = || match &authorities {
        Some(pem) => Trust::only(pem),
        None => Trust::platform(),
    };
    let mut route = address.route(trust).map_err(|error: TrustError| match &smtp.smtp_ca {
        Some(file) => Failure::usage(format!("--smtp-ca {}: {error}", file.display())),
        None => Failure::usage(error.to_string()),
    })?;
    if let Some(user) = &address.user {
        let login = Login::new(user, password(smtp)?);
        route = route.logged_in(if smtp.smtp_plain_login { login.plain_on_loopback() } else { login });
    } else if smtp.smtp_password_file.is_some() {
        return Err(Failure::usage(
            "there is a password and no user; name one in --smtp, such as smtps://user@mail.example",
        ));
    }
    if let (Some(file), Some(selector)) = (&smtp.dkim_key, &smtp.dkim_selector) {
        let dkim = Dkim::new(selector, &read_secret(file)?)
            .map_err(|error| Failure::usage(format!("--dkim-key {}: {error}", file.display())))?;
        route = route.signed_by(dkim);
    }
    Ok(route)
}

fn password(smtp: &SmtpArgs) -> Result<SecretString, Failure> {
    let found = match &smtp.smtp_password_file {
        Some(file) => Zeroizing::new(secrecy::ExposeSecret::expose_secret(&read_secret(file)?).to_owned()),
        None => Zeroizing::new(std::env::var(PASSWORD).unwrap_or_default()),
    };
    // Editors end a file with a line end that belongs to no password.
    let password = found.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::usage(format!(
            "--smtp names a user; put the password into a file for --smtp-password-file, or into {PASSWORD}"
        )));
    }
    Ok(SecretString::from(password))
}

fn read_bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))
}

fn read_secret(file: &Path) -> Result<SecretString, Failure> {
    let text = fs::read_to_string(file);
    text.map(SecretString::from).map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))
}

/// The address without what somebody took for the place of a password.
fn shown(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((_, place)) => format!("…@{place}"),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, SmtpArgs, route};

    fn told(smtp: &str, change: impl FnOnce(&mut SmtpArgs)) -> Result<String, String> {
        let mut arguments = SmtpArgs {
            smtp: smtp.to_owned(),
            provider: None,
            provider_secret_file: None,
            smtp_password_file: None,
            smtp_plain_login: false,
            smtp_ca: None,
            dkim_key: None,
            dkim_selector: None,
            connections: 4,
        };
        change(&mut arguments);
        match route(&arguments) {
            Ok(route) => Ok(format!("{route:?}")),
            Err(Failure::Told(code, text)) => Err(format!("{code} {text}")),
            Err(Failure::Desk(error)) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_relay_is_read_with_its_secrets_and_shows_none() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("the folder can be written to");
            path
        };
        let (secret, empty) = (file("secret", "Tr0ub4dor\n"), file("empty", "\n"));
        let said = told("smtps://khaosat@mail.example", |a| a.smtp_password_file = Some(secret.clone()));
        let said = said.expect("a whole route");
        assert!(said.contains("Implicit") && said.contains("mail.example") && !said.contains("Tr0ub4dor"), "{said}");
        assert!(told("127.0.0.1:25", |_| ()).is_ok_and(|said| said.contains("Off")));

        let refused = |smtp: &str, change: &dyn Fn(&mut SmtpArgs), words: &str| {
            let said = told(smtp, |a| change(a)).expect_err(words);
            assert!(said.starts_with("2 ") && said.contains(words) && !said.contains("Tr0ub4dor"), "{said}");
        };
        refused("mail.example", &|_| (), "give HOST:PORT");
        refused("smtps://khaosat:Tr0ub4dor@mail.example", &|_| (), "a password has no place in the address");
        refused(
            "smtps://khaosat@mail.example",
            &|a| a.smtp_password_file = Some(empty.clone()),
            "PARSURVEY_SMTP_PASSWORD",
        );
        refused("smtps://mail.example", &|a| a.smtp_password_file = Some(secret.clone()), "a password and no user");
        refused("smtps://mail.example", &|a| a.smtp_ca = Some(secret.clone()), "holds no PEM certificate");
        let key = |a: &mut SmtpArgs| (a.dkim_key, a.dkim_selector) = (Some(secret.clone()), Some("s2023".to_owned()));
        refused("127.0.0.1:25", &key, "holds no private key");
    }
}
