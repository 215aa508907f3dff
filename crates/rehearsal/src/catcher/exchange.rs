//! One connection to the catcher, from the greeting to its end.
//!
//! Commands may come pipelined. Lines and mails are bounded; a sender that exceeds a bound is hung up on.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::Shared;
use super::guard::{Handshake, Tls};
use super::journal::{Event, Step};
use super::script::{Act, At, Reply};

mod transaction;

use transaction::Transaction;

/// The longest command, or line of a mail, in bytes.
const LINE_LIMIT: usize = 64 * 1024;

/// Whether the connection goes on.
enum Next {
    Go,
    Leave,
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
    has_said_quit: bool,
    /// The next reply leaves byte by byte, with so long between two.
    drip: Option<Duration>,
    transaction: Transaction,
}

/// Serves a sender until it leaves, is hung up on, or the connection breaks.
pub(super) async fn serve(stream: TcpStream, shared: &Shared, number: u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    shared.note(|| Event::new(number, Step::Open))?;
    let mut connection = Connection {
        stream: BufReader::new(Box::new(stream)),
        shared,
        number,
        is_under_tls: false,
        is_logged_in: false,
        has_said_quit: false,
        drip: None,
        transaction: Transaction::default(),
    };
    let ended = connection.converse().await;
    shared.note(|| Event { quit: connection.has_said_quit, ..Event::new(number, Step::End) })?;
    ended
}

impl Connection<'_> {
    async fn converse(&mut self) -> io::Result<()> {
        if let Some(tls) = self.tls().filter(|tls| tls.is_implicit)
            && let Next::Leave = self.secure(&tls).await?
        {
            return Ok(());
        }
        // What stands instead of the greeting ends the connection, whatever its code.
        if self.before_recipients(At::Greeting).await?.is_some() {
            return Ok(());
        }
        let greeting = self.shared.ask_script(|script| script.greeting_reply());
        let turned_away = greeting.code >= 400;
        self.reply(&greeting).await?;
        if turned_away {
            return self.shared.note(|| Event { code: Some(greeting.code), ..self.event(Step::Away) });
        }
        while let Some(line) = self.line().await? {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if let Next::Leave = self.command(&line).await? {
                break;
            }
        }
        Ok(())
    }

    fn tls(&self) -> Option<Tls> {
        self.shared.ask_script(|script| script.tls(self.number))
    }

    fn event(&self, step: Step) -> Event {
        Event::new(self.number, step)
    }

    /// Does what the script says about this connection as such; `None` when the usual reply follows.
    async fn before_recipients(&mut self, at: At) -> io::Result<Option<Next>> {
        let Some(act) = self.shared.act_on_connection(self.number, at) else { return Ok(None) };
        let code = if let Act::Say(reply) = &act { Some(reply.code) } else { None };
        self.shared.note(|| Event { code, ..self.event(Step::Away) })?;
        self.misbehave(act).await
    }

    async fn command(&mut self, line: &str) -> io::Result<Next> {
        let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
        match verb.as_str() {
            "EHLO" => {
                self.transaction = Transaction::default();
                if let Some(next) = self.before_recipients(At::Hello).await? {
                    return Ok(next);
                }
                let hello = self.shared.ask_script(|script| script.hello_reply(self.number, self.is_under_tls));
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
                self.has_said_quit = true;
                self.say(221, "2.0.0 bye").await?;
                Ok(Next::Leave)
            }
            _ => self.say(502, "5.5.1 not implemented").await,
        }
    }

    async fn starttls(&mut self) -> io::Result<Next> {
        let Some(tls) = self.tls().filter(|tls| !tls.is_implicit && !self.is_under_tls) else {
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
            Act::HangUp | Act::Lose => Ok(Some(Next::Leave)),
            Act::Silence => {
                // Reads on, so that the sender's leaving is noticed, and answers nothing.
                tokio::io::copy(&mut self.stream, &mut tokio::io::sink()).await?;
                Ok(Some(Next::Leave))
            }
            Act::Late(time) => {
                tokio::time::sleep(time).await;
                Ok(None)
            }
            Act::Mute(time) => {
                tokio::time::sleep(time).await;
                Ok(Some(Next::Leave))
            }
            Act::Drip(pause) => {
                self.drip = Some(pause);
                Ok(None)
            }
        }
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
        if let Some(pause) = self.drip.take() {
            for byte in wire.bytes() {
                self.stream.get_mut().write_all(&[byte]).await?;
                self.stream.get_mut().flush().await?;
                tokio::time::sleep(pause).await;
            }
            return Ok(Next::Go);
        }
        self.stream.get_mut().write_all(wire.as_bytes()).await?;
        self.stream.get_mut().flush().await?;
        Ok(Next::Go)
    }
}
