//! One connection to the catcher, from the greeting to its end.
//!
//! Commands may come pipelined. Lines and mails are bounded; a sender that exceeds a bound is hung up on.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::Shared;
use super::guard::{Handshake, Tls};
use super::mail::Mail;
use super::script::{Act, At, Reply};

/// The longest command, or line of a mail, in bytes.
const LINE_LIMIT: usize = 64 * 1024;

/// The largest mail in bytes, as the catcher's `SIZE` says.
const MAIL_LIMIT: usize = 26_214_400;

/// Whether the connection goes on.
enum Next {
    Go,
    Leave,
}

/// What the sender said since its last `MAIL`.
#[derive(Default)]
struct Transaction {
    from: Option<String>,
    parameters: Vec<String>,
    recipients: Vec<String>,
}

/// With or without TLS.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

struct Connection<'a> {
    stream: BufReader<Box<dyn Duplex>>,
    shared: &'a Shared,
    number: u64,
    is_under_tls: bool,
    is_logged_in: bool,
    transaction: Transaction,
}

/// Serves a sender until it leaves, is hung up on, or the connection breaks.
pub(super) async fn serve(stream: TcpStream, shared: &Shared, number: u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = Connection {
        stream: BufReader::new(Box::new(stream)),
        shared,
        number,
        is_under_tls: false,
        is_logged_in: false,
        transaction: Transaction::default(),
    };
    if let Some(tls) = shared.ask_script(|script| script.tls()).filter(|tls| tls.is_implicit)
        && let Next::Leave = connection.secure(&tls).await?
    {
        return Ok(());
    }
    let greeting = shared.ask_script(|script| script.greeting_reply());
    let turned_away = greeting.code >= 400;
    connection.reply(&greeting).await?;
    if turned_away {
        return Ok(());
    }
    while let Some(line) = connection.line().await? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if let Next::Leave = connection.command(&line).await? {
            break;
        }
    }
    Ok(())
}

impl Connection<'_> {
    async fn command(&mut self, line: &str) -> io::Result<Next> {
        let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
        match verb.as_str() {
            "EHLO" => {
                self.transaction = Transaction::default();
                let hello = self.shared.ask_script(|script| script.hello_reply(self.is_under_tls));
                self.reply(&hello).await
            }
            "HELO" | "NOOP" => self.say(250, "2.0.0 catcher.example").await,
            "RSET" => {
                self.transaction = Transaction::default();
                self.say(250, "2.0.0 reset").await
            }
            "STARTTLS" => self.starttls().await,
            "AUTH" => self.log_in(line).await,
            "MAIL" => self.mail(line).await,
            "RCPT" => self.recipient(line).await,
            "DATA" => self.data().await,
            "QUIT" => {
                self.say(221, "2.0.0 bye").await?;
                Ok(Next::Leave)
            }
            _ => self.say(502, "5.5.1 not implemented").await,
        }
    }

    async fn starttls(&mut self) -> io::Result<Next> {
        let tls = self.shared.ask_script(|script| script.tls());
        let Some(tls) = tls.filter(|tls| !tls.is_implicit && !self.is_under_tls) else {
            return self.say(502, "5.5.1 not implemented").await;
        };
        match tls.handshake {
            Handshake::Refused => return self.say(454, "4.7.0 TLS not available").await,
            Handshake::Injected => {
                self.stream.get_mut().write_all(b"220 go ahead\r\n250 2.0.0 slipped in\r\n").await?;
            }
            Handshake::Works | Handshake::HangsUp | Handshake::Garbage | Handshake::Silence => {
                self.say(220, "2.0.0 go ahead").await?;
            }
        }
        self.transaction = Transaction::default();
        self.secure(&tls).await
    }

    /// Makes the handshake, or spoils it as the script says.
    async fn secure(&mut self, tls: &Tls) -> io::Result<Next> {
        match tls.handshake {
            Handshake::Works | Handshake::Injected => {}
            Handshake::HangsUp | Handshake::Refused => return Ok(Next::Leave),
            Handshake::Garbage => {
                // Not before the sender has begun: until then it would be a reply too many.
                self.stream.fill_buf().await?;
                self.say(250, "2.0.0 this is no TLS").await?;
                return Ok(Next::Leave);
            }
            Handshake::Silence => return Ok(self.misbehave(Act::Silence).await?.unwrap_or(Next::Leave)),
        }
        let nothing: Box<dyn Duplex> = Box::new(tokio::io::empty());
        let plain = std::mem::replace(&mut self.stream, BufReader::new(nothing)).into_inner();
        let secured = tls.identity.acceptor().accept(plain).await?;
        self.stream = BufReader::new(Box::new(secured));
        self.is_under_tls = true;
        self.shared.count(|counts| counts.secured += 1);
        Ok(Next::Go)
    }

    async fn log_in(&mut self, line: &str) -> io::Result<Next> {
        let Some(account) = self.shared.ask_script(|script| script.account()) else {
            return self.say(502, "5.5.1 not implemented").await;
        };
        let mut words = line.split(' ').skip(1);
        let mechanism = words.next().unwrap_or_default().to_uppercase();
        let is_in = match mechanism.as_str() {
            "PLAIN" => account.takes_plain(words.next().unwrap_or_default()),
            "LOGIN" => {
                let user = self.challenge("VXNlcm5hbWU6").await?;
                let password = self.challenge("UGFzc3dvcmQ6").await?;
                account.takes_login(&user, &password)
            }
            _ => return self.say(504, "5.5.4 no such mechanism").await,
        };
        if !self.is_under_tls {
            self.shared.count(|counts| counts.told_in_plain += 1);
        }
        self.is_logged_in = is_in;
        if is_in {
            self.say(235, "2.7.0 welcome").await
        } else {
            self.say(535, &format!("5.7.8 wrong password for {}", account.user)).await
        }
    }

    async fn challenge(&mut self, question: &str) -> io::Result<String> {
        self.say(334, question).await?;
        let answer = self.line().await?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&answer).trim_end().to_owned())
    }

    async fn mail(&mut self, line: &str) -> io::Result<Next> {
        if !self.is_logged_in && self.shared.ask_script(|script| script.account()).is_some() {
            return self.say(530, "5.7.0 log in first").await;
        }
        if self.transaction.from.is_some() {
            return self.say(503, "5.5.1 one MAIL at a time").await;
        }
        let Some((from, parameters)) = path(line, "MAIL FROM:") else {
            return self.say(501, "5.5.4 MAIL FROM:<address>").await;
        };
        self.transaction.from = Some(from);
        self.transaction.parameters = parameters;
        self.say(250, "2.1.0 ok").await
    }

    async fn recipient(&mut self, line: &str) -> io::Result<Next> {
        if self.transaction.from.is_none() {
            return self.say(503, "5.5.1 MAIL first").await;
        }
        let Some((recipient, _)) = path(line, "RCPT TO:").filter(|(to, _)| !to.is_empty()) else {
            return self.say(501, "5.5.4 RCPT TO:<address>").await;
        };
        let utf8 = self.transaction.parameters.iter().any(|p| p == "SMTPUTF8");
        if !recipient.is_ascii() && !utf8 {
            self.shared.count(|counts| counts.refused += 1);
            return self.say(553, "5.6.7 SMTPUTF8 was not asked for").await;
        }
        match self.shared.act(&recipient, At::Rcpt) {
            None => {}
            Some(Act::Say(reply)) if reply.code < 400 => {
                self.transaction.recipients.push(recipient);
                return self.reply(&reply).await;
            }
            Some(act) => {
                if let Some(next) = self.misbehave(act).await? {
                    return Ok(next);
                }
            }
        }
        self.transaction.recipients.push(recipient);
        self.say(250, "2.1.5 ok").await
    }

    async fn data(&mut self) -> io::Result<Next> {
        if self.transaction.recipients.is_empty() {
            return self.say(503, "5.5.1 RCPT first").await;
        }
        if let Some(act) = self.scripted(At::Data)
            && let Some(next) = self.misbehave(act).await?
        {
            return Ok(next);
        }
        self.say(354, "go ahead").await?;
        if let Some(act) = self.scripted(At::Contents)
            && let Some(next) = self.misbehave(act).await?
        {
            return Ok(next);
        }
        let Some(raw) = self.contents().await? else {
            return Ok(Next::Leave);
        };
        let transaction = std::mem::take(&mut self.transaction);
        let act = transaction.recipients.iter().find_map(|recipient| self.shared.act(recipient, At::Dot));
        let refused = matches!(&act, Some(Act::Say(reply)) if reply.code >= 400);
        if !refused {
            let mail = Mail::new(
                transaction.from.unwrap_or_default(),
                transaction.parameters,
                transaction.recipients,
                raw,
                self.number,
            );
            self.shared.take(mail.through(self.is_under_tls, self.is_logged_in));
        }
        if let Some(act) = act
            && let Some(next) = self.misbehave(act).await?
        {
            return Ok(next);
        }
        let latency = self.shared.ask_script(|script| script.dot_latency());
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        self.say(250, &format!("2.0.0 taken over connection {}", self.number)).await
    }

    /// The first act of the script for a recipient of this transaction.
    fn scripted(&self, at: At) -> Option<Act> {
        self.transaction.recipients.iter().find_map(|recipient| self.shared.act(recipient, at))
    }

    /// Does what the script says; `None` when the usual reply follows.
    async fn misbehave(&mut self, act: Act) -> io::Result<Option<Next>> {
        match act {
            Act::Say(reply) => {
                if reply.code >= 400 {
                    self.shared.count(|counts| counts.refused += 1);
                }
                let closing = reply.code == 421;
                self.reply(&reply).await?;
                Ok(Some(if closing { Next::Leave } else { Next::Go }))
            }
            Act::HangUp => Ok(Some(Next::Leave)),
            Act::Silence => {
                // Reads on, so that the sender's leaving is noticed, and answers nothing.
                tokio::io::copy(&mut self.stream, &mut tokio::io::sink()).await?;
                Ok(Some(Next::Leave))
            }
            Act::Late(time) => {
                tokio::time::sleep(time).await;
                Ok(None)
            }
        }
    }

    /// Reads the contents up to the final dot and takes the doubled dots back; `None` when the sender left before it.
    async fn contents(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut raw = Vec::new();
        while let Some(line) = self.line().await? {
            if line == b".\r\n" {
                return Ok(Some(raw));
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if raw.len() > MAIL_LIMIT {
                self.say(552, "5.3.4 too big").await?;
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// One line with its end; `None` at the end of the connection.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.stream).take(LINE_LIMIT as u64);
        bounded.read_until(b'\n', &mut line).await?;
        Ok(line.ends_with(b"\n").then_some(line))
    }

    async fn say(&mut self, code: u16, text: &str) -> io::Result<Next> {
        self.reply(&Reply::new(code, text)).await
    }

    async fn reply(&mut self, reply: &Reply) -> io::Result<Next> {
        let wire = reply.to_wire();
        self.stream.get_mut().write_all(wire.as_bytes()).await?;
        self.stream.get_mut().flush().await?;
        Ok(Next::Go)
    }
}

/// The address and the parameters of `MAIL FROM:<a> X=y` or `RCPT TO:<a>`.
fn path(line: &str, start: &str) -> Option<(String, Vec<String>)> {
    let head = line.get(..start.len())?;
    if !head.eq_ignore_ascii_case(start) {
        return None;
    }
    let rest = line[start.len()..].trim_start().strip_prefix('<')?;
    let (address, parameters) = rest.rsplit_once('>')?;
    let parameters = parameters.split_whitespace().map(str::to_owned).collect();
    Some((address.to_owned(), parameters))
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn a_path_is_read_with_its_parameters() {
        let read = |line| path(line, "MAIL FROM:");
        let expected = |address: &str, parameters: &[&str]| {
            let parameters = parameters.iter().map(|p| (*p).to_owned()).collect();
            Some((address.to_owned(), parameters))
        };
        assert_eq!(read("MAIL FROM:<a@b.example>"), expected("a@b.example", &[]));
        assert_eq!(read("mail from: <a@b> RET=HDRS SMTPUTF8"), expected("a@b", &["RET=HDRS", "SMTPUTF8"]));
        assert_eq!(read("MAIL FROM:<>"), expected("", &[]));
        assert_eq!(read("MAIL FROM:a@b"), None);
        assert_eq!(read("MAIL"), None);
    }
}
