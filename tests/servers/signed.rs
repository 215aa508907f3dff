//! What others see of a mail that went through a real relay: that it came under TLS, and that its signature is true.
//!
//! Two verifiers that share no code with us or each other look the key up in DNS as any receiver does.

use std::fs;
use std::process::Command;

use crate::daemon::{program, tool};
use crate::dns::Dns;
use crate::house::House;
use crate::reports::survey;

/// Runs a verifier whose resolver asks our name server and no other, in a mount of its own.
fn verify(verifier: &str, package: &str, resolver: &str, mail: &str) -> (bool, String) {
    let command = format!("mount --bind {resolver} /etc/resolv.conf && exec {} < {mail}", program(verifier, package));
    let output = Command::new(program("unshare", "util-linux")).args(["-m", "sh", "-c", &command]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_went_through_a_relay_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let key = file("dkim.pem");
    let make = ["genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &key];
    assert!(tool("openssl", "openssl", &make, b"").0);
    let (_, public) = tool("openssl", "openssl", &["pkey", "-in", &key, "-pubout", "-outform", "DER"], b"");
    let (_, public) = tool("openssl", "openssl", &["base64", "-A"], &public);
    let record = format!("v=DKIM1; k=rsa; p={}", String::from_utf8(public).unwrap());
    let dns = Dns::start("s2023._domainkey.khaosat.example", &record);
    let mut house = House::start(&dns);
    let survey = survey().await;
    let (relay, root) = (house.relay(), house.root_certificate());
    let signing = ["--dkim-key", &key, "--dkim-selector", "s2023"];
    survey.run(&[&["invite", "--smtp", &relay, "--smtp-ca", &root][..], &signing].concat()).await.done();
    // The first one and six of the names behind a plus sign.
    let is_delivered = |line: &str| line.contains("to=<an") && line.contains("lmtp") && line.contains("status=sent");
    house.postfix.until("that the mails were delivered", 7, is_delivered);

    let mails = house.mails_of("an");
    assert_eq!(mails.len(), 7);
    let resolver = file("resolv.conf");
    fs::write(&resolver, format!("nameserver {}\n", dns.address)).unwrap();
    let mail = file("mail.eml");
    for (_, bytes) in &mails {
        let text = String::from_utf8_lossy(bytes);
        // The envelope's sender is the mail's own, and From, for which the signature speaks, is not touched by it.
        assert!(text.contains("Return-Path: <tra-ve+b") && text.contains("d=khaosat.example"), "{text}");
        assert!(text.contains("TLSv1.3") && text.contains("with ESMTPS"), "{text}");
        fs::write(&mail, text.replace('\n', "\r\n")).unwrap();
        let (believed, said) = verify("dkimverify", "python3-dkim", &resolver, &mail);
        assert!(believed && said.contains("signature ok"), "{said}");
        let (believed, said) = verify("opendkim-testmsg", "opendkim-tools", &resolver, &mail);
        assert!(believed && said.is_empty(), "{said}");
    }
    // A changed word is noticed by both, so that their silence above means something.
    let changed =
        String::from_utf8_lossy(&mails[0].1).replacen("Kính", "Kinh", 1).replacen("Subject: ", "Subject: x", 1);
    fs::write(&mail, changed.replace('\n', "\r\n")).unwrap();
    for (verifier, package) in [("dkimverify", "python3-dkim"), ("opendkim-testmsg", "opendkim-tools")] {
        let (believed, said) = verify(verifier, package, &resolver, &mail);
        assert!(!believed, "{verifier}: {said}");
    }
}
