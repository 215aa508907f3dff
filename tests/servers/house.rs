//! A mail house on loopback: a relay that takes our mails, the servers of the people we write to, and our mailbox.
//!
//! One Postfix plays relay and recipients' server at two ports, and makes every report itself. What befalls a mail is
//! decided by its recipient; see [`Recipients`].

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::daemon::{Daemon, program, tool};
use crate::dns::Dns;

/// The mailbox that bounces come back to.
pub(crate) const RETURN_PATH: &str = "tra-ve@khaosat.example";
/// Its password.
pub(crate) const PASSWORD: &str = "mật khẩu \"thử\" 1";
/// Owner of the mailboxes: nobody's number on a usual machine.
const MAIL_USER: u32 = 5_000;

/// Who is written to, by what their servers do.
pub(crate) struct Recipients;

impl Recipients {
    /// Takes every mail.
    pub(crate) const FINE: &str = "an@so.example";
    /// Nobody has this address.
    pub(crate) const UNKNOWN: &str = "khong.co@so.example";
    /// The mailbox has no room.
    pub(crate) const FULL: &str = "day@so.example";
    /// First refused for now, then taken.
    pub(crate) const GREYLISTED: &str = "xam@xam.example";
    /// The domain does not exist.
    pub(crate) const NO_DOMAIN: &str = "ai@khongco.example";
    /// The server cannot be reached.
    pub(crate) const UNREACHABLE: &str = "ai@cham.example";
}

/// The running servers.
pub(crate) struct House {
    pub(crate) postfix: Daemon,
    _dovecot: Daemon,
    _postgrey: Daemon,
    folder: TempDir,
    ports: Ports,
}

/// Ports of the servers.
#[derive(Clone, Copy)]
struct Ports {
    relay: u16,
    recipients: u16,
    lmtp: u16,
    imaps: u16,
    imap: u16,
}

impl House {
    /// Starts the servers. `dns` is the only name server they ask.
    pub(crate) fn start(dns: &Dns) -> Self {
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0";
        assert!(is_root, "Postfix starts as root only: run this test as root");
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        run("chmod", &["755", text(root)]);
        for name in ["etc", "queue/etc", "data", "dovecot", "mail", "grey"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let ports = Ports::free();
        certificates(root);
        fs::write(root.join("queue/etc/resolv.conf"), format!("nameserver {}\n", dns.address)).unwrap();
        fs::write(root.join("etc/main.cf"), main_cf(root, ports)).unwrap();
        fs::write(root.join("etc/master.cf"), master_cf(ports)).unwrap();
        tables(root, ports);
        fs::write(root.join("dovecot.conf"), dovecot_conf(root, ports)).unwrap();
        let users =
            format!("an:x::::::\nxam:x::::::\ntra-ve:{PASSWORD}::::::\nday:x::::::userdb_quota_rule=*:storage=1B\n");
        fs::write(root.join("users"), users).unwrap();
        // Found before their users are named, so that a missing one says what to install.
        let (postfix, dovecot) = (program("postfix", "postfix"), program("dovecot", "dovecot-imapd dovecot-lmtpd"));
        let postgrey = program("postgrey", "postgrey");
        run("chown", &["postfix", text(&root.join("data"))]);
        run("chown", &["postgrey", text(&root.join("grey"))]);
        run("chown", &[&format!("{MAIL_USER}:{MAIL_USER}"), text(&root.join("mail"))]);

        let conf = root.join("dovecot.conf");
        let mut dovecot = Daemon::start(&dovecot, &["-F", "-c", text(&conf)], "");
        dovecot.until("starting up", 1, |line| line.contains("starting up"));
        let options = [
            format!("--unix={}", root.join("grey/socket").display()),
            format!("--dbdir={}", root.join("grey").display()),
            format!("--pidfile={}", root.join("grey/pid").display()),
            "--delay=1".to_owned(),
            "--user=postgrey".to_owned(),
            "--group=postgrey".to_owned(),
        ];
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let mut postgrey = Daemon::start(&postgrey, &options, "");
        postgrey.until("its user", 1, |line| line.contains("Setting uid"));
        let (etc, pid) = (root.join("etc"), root.join("queue/pid/master.pid"));
        let mut postfix = Daemon::start(&postfix, &["-c", text(&etc), "start-fg"], text(&pid));
        postfix.until("daemon started", 1, |line| line.contains("daemon started"));
        Self { postfix, _dovecot: dovecot, _postgrey: postgrey, folder, ports }
    }

    /// The relay, as `--smtp` takes it: STARTTLS or nothing.
    pub(crate) fn relay(&self) -> String {
        format!("smtp+starttls://localhost:{}", self.ports.relay)
    }

    /// The recipients' server itself, as `--smtp` takes it.
    pub(crate) fn recipients_server(&self) -> String {
        format!("127.0.0.1:{}", self.ports.recipients)
    }

    /// Our mailbox, as `--imap` takes it.
    pub(crate) fn mailbox(&self) -> String {
        self.mailbox_at(self.ports.imaps, "INBOX")
    }

    /// Another folder of our mailbox, or the mailbox behind another port.
    pub(crate) fn mailbox_at(&self, port: u16, folder: &str) -> String {
        format!("imaps://tra-ve@localhost:{port}/{folder}")
    }

    /// Our mailbox over STARTTLS.
    pub(crate) fn mailbox_by_starttls(&self) -> String {
        format!("imap+starttls://tra-ve@localhost:{}/INBOX", self.ports.imap)
    }

    /// The port of the mailbox's server, TLS from the first byte.
    pub(crate) fn imaps_port(&self) -> u16 {
        self.ports.imaps
    }

    /// A file that a test writes.
    pub(crate) fn file(&self, name: &str, contents: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, contents).unwrap();
        text(&path).to_owned()
    }

    /// The root by which the servers' certificates are believed.
    pub(crate) fn root_certificate(&self) -> String {
        text(&self.folder.path().join("root.pem")).to_owned()
    }

    /// The mails of a mailbox as they lie on disk, by path.
    pub(crate) fn mails_of(&self, user: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let maildir = self.folder.path().join("mail").join(user);
        let mut paths: Vec<PathBuf> = ["new", "cur"]
            .iter()
            .filter_map(|part| fs::read_dir(maildir.join(part)).ok())
            .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
            .collect();
        paths.sort();
        paths.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
    }

    /// The keywords that the mailbox's server knows of our mailbox.
    pub(crate) fn keywords(&self) -> String {
        fs::read_to_string(self.folder.path().join("mail/tra-ve/dovecot-keywords")).unwrap_or_default()
    }

    /// Waits until so many mails lie in our mailbox.
    #[track_caller]
    pub(crate) fn until_returned(&mut self, count: usize) {
        let is_ours = |line: &str| line.contains("to=<tra-ve") && line.contains("status=sent");
        self.postfix.until("that so many mails came back", count, is_ours);
    }
}

impl Ports {
    fn free() -> Self {
        // All are held until all are known, so that none is given twice.
        let held: Vec<_> = (0..5).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let port = |index: usize| held[index].local_addr().unwrap().port();
        Self { relay: port(0), recipients: port(1), lmtp: port(2), imaps: port(3), imap: port(4) }
    }
}

fn main_cf(root: &Path, ports: Ports) -> String {
    let root = root.display();
    let lmtp = ports.lmtp;
    format!(
        "compatibility_level = 3.6
config_directory = {root}/etc
queue_directory = {root}/queue
data_directory = {root}/data
mail_owner = postfix
setgid_group = postdrop
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = /dev/stdout
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
local_recipient_maps =
alias_maps =
alias_database =
recipient_delimiter = +
virtual_mailbox_domains = so.example, xam.example, khaosat.example
virtual_mailbox_maps = hash:{root}/etc/mailboxes
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
transport_maps = hash:{root}/etc/transport
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtpd_tls_chain_files = {root}/server.key, {root}/chain.pem
smtpd_restriction_classes = greylisted
greylisted = check_policy_service unix:{root}/grey/socket
recipients_restrictions = check_recipient_access hash:{root}/etc/grey
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
delay_warning_time = 1s
notify_classes =
"
    )
}

/// The resolver of `smtp` is that of its own root folder, where our name server stands.
fn master_cf(ports: Ports) -> String {
    let Ports { relay, recipients, lmtp, .. } = ports;
    format!(
        "127.0.0.1:{relay} inet n - n - - smtpd
  -o smtpd_reject_unlisted_recipient=no
127.0.0.1:{recipients} inet n - n - - smtpd
  -o myhostname=mx.so.example
  -o smtpd_recipient_restrictions=$recipients_restrictions
  -o content_filter=lmtp:inet:127.0.0.1:{lmtp}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - y - - smtp
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"
    )
}

fn tables(root: &Path, ports: Ports) {
    let recipients = ports.recipients;
    // Port 1: nothing listens there on any machine.
    for (name, contents) in [
        ("mailboxes", "an@so.example x\nday@so.example x\nxam@xam.example x\ntra-ve@khaosat.example x\n".to_owned()),
        (
            "transport",
            format!(
                "so.example smtp:[127.0.0.1]:{recipients}\nxam.example smtp:[127.0.0.1]:{recipients}\n\
                 cham.example smtp:[127.0.0.1]:1\n"
            ),
        ),
        ("grey", "xam.example greylisted\n".to_owned()),
    ] {
        let path = root.join("etc").join(name);
        fs::write(&path, contents).unwrap();
        let (done, said) =
            tool("postmap", "postfix", &["-c", text(&root.join("etc")), &format!("hash:{}", path.display())], b"");
        assert!(done, "{}", String::from_utf8_lossy(&said));
    }
}

fn dovecot_conf(root: &Path, ports: Ports) -> String {
    let root = root.display();
    let Ports { lmtp, imaps, imap, .. } = ports;
    format!(
        "base_dir = {root}/dovecot
state_dir = {root}/dovecot
log_path = /dev/stderr
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{root}/chain.pem
ssl_key = <{root}/server.key
disable_plaintext_auth = yes
mail_location = maildir:{root}/mail/%u
mail_uid = {MAIL_USER}
mail_gid = {MAIL_USER}
first_valid_uid = {MAIL_USER}
auth_username_format = %Ln
auth_mechanisms = plain login
recipient_delimiter = +
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {root}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%n {root}/users
  default_fields = uid={MAIL_USER} gid={MAIL_USER} home={root}/mail/%n
}}
mail_plugins = quota
plugin {{
  quota = count:User quota
  quota_vsizes = yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
"
    )
}

/// A root, an authority under it, and the servers' own certificate, made by OpenSSL.
fn certificates(root: &Path) {
    let file = |name: &str| text(&root.join(name)).to_owned();
    let openssl = |arguments: &[&str]| {
        let (done, said) = tool("openssl", "openssl", arguments, b"");
        assert!(done, "openssl {arguments:?}: {}", String::from_utf8_lossy(&said));
    };
    fs::write(root.join("ca.ext"), "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n").unwrap();
    fs::write(root.join("server.ext"), "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n").unwrap();
    for (name, issuer, extensions) in [("root", "root", "ca"), ("middle", "root", "ca"), ("server", "middle", "server")]
    {
        let (key, request, out) = (file(&format!("{name}.key")), file("request.csr"), file(&format!("{name}.pem")));
        let subject = format!("/CN=parsurvey test {name}");
        openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &key]);
        openssl(&["req", "-new", "-key", &key, "-subj", &subject, "-out", &request]);
        let (issuer, issuer_key) = (file(&format!("{issuer}.pem")), file(&format!("{issuer}.key")));
        let extensions = file(&format!("{extensions}.ext"));
        let mut sign = vec!["x509", "-req", "-in", &request, "-days", "2", "-extfile", &extensions, "-out", &out];
        if name == "root" {
            sign.extend(["-signkey", &key]);
        } else {
            sign.extend(["-CA", &issuer, "-CAkey", &issuer_key, "-CAcreateserial"]);
        }
        openssl(&sign);
    }
    let chain = [fs::read(root.join("server.pem")).unwrap(), fs::read(root.join("middle.pem")).unwrap()].concat();
    fs::write(root.join("chain.pem"), chain).unwrap();
}

fn run(name: &str, arguments: &[&str]) {
    let (done, said) = tool(name, "coreutils", arguments, b"");
    assert!(done, "{name} {arguments:?}: {}", String::from_utf8_lossy(&said));
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
