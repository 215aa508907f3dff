//! Mailboxes that refuse, break off half-way, or are read in another way: what is told, and what the next run finds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::dns::Dns;
use crate::house::House;
use crate::reports::{invite, reading, run, survey};

/// A stretch of wire that breaks after so many bytes from the server, each connection's bytes counted anew.
async fn breaking_wire(port: u16, after: Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let limit = after.load(Ordering::SeqCst);
            tokio::spawn(async move {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
                let mut passed = 0;
                let mut buffer = [0; 1024];
                while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
                    let count = count.min(limit.saturating_sub(passed));
                    if count == 0 || to_client.write_all(&buffer[..count]).await.is_err() {
                        break;
                    }
                    passed += count;
                }
                up.abort();
            });
        }
    });
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_read_in_whatever_way_and_each_report_counts_once() {
    let dns = Dns::start("nothing.example", "");
    let mut house = House::start(&dns);
    let survey = survey().await;
    invite(&survey, &house).await;
    house.until_returned(5);

    // Broken off at ever later places: what is stored stays stored, and the next run goes on.
    let after = Arc::new(AtomicUsize::new(0));
    let port = breaking_wire(house.imaps_port(), Arc::clone(&after)).await;
    let broken = reading(&house, &house.mailbox_at(port, "INBOX"), &[]);
    let mut read = 0;
    for limit in [100, 2_500, 4_000, 6_000, 9_000, 12_000, 15_000] {
        after.store(limit, Ordering::SeqCst);
        let ran = run(&survey, &broken).await;
        assert!(ran.code == 3 || ran.code == 0, "{}", ran.stderr);
        if ran.code == 3 {
            assert!(ran.stderr.contains("run the command again"), "{}", ran.stderr);
        }
        assert!(!ran.stderr.contains("@so.example"), "{}", ran.stderr);
        let told = ran.stdout.trim();
        if !told.is_empty() {
            read += ran.json()["bounce"].as_u64().unwrap();
        }
    }
    after.store(usize::MAX, Ordering::SeqCst);
    read += run(&survey, &broken).await.done().json()["bounce"].as_u64().unwrap();
    assert_eq!(read, 5, "each report was new once");

    // Another way to the same mailbox, marked: every mail is known by its bytes.
    let marked = reading(&house, &house.mailbox_by_starttls(), &["--imap-mark", "parsurvey-read"]);
    let told = run(&survey, &marked).await.done().json();
    assert_eq!((&told["read"], &told["known"], &told["bounce"]), (&json!(5), &json!(5), &json!(0)), "{told}");
    assert!(house.keywords().contains("parsurvey-read"), "{}", house.keywords());
    let is_marked = |(path, _): &(std::path::PathBuf, Vec<u8>)| path.to_string_lossy().ends_with(":2,a");
    let mails = house.mails_of("tra-ve");
    assert!(mails.len() == 5 && mails.iter().all(is_marked), "nothing is deleted and nothing is seen");
    // The same mails from the folder on disk, where lines end otherwise.
    let folder = mails[0].0.parent().unwrap().parent().unwrap().to_str().unwrap().to_owned();
    let told = survey.run(&["bounces", "read", &folder, "--format", "json"]).await.done().json();
    assert_eq!((&told["read"], &told["known"]), (&json!(5), &json!(5)), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_refuses_says_what_to_do() {
    let dns = Dns::start("nothing.example", "");
    let house = House::start(&dns);
    let survey = survey().await;
    let mailbox = house.mailbox();
    let with = |name: &str, value: &str| {
        let mut arguments = reading(&house, &mailbox, &[]);
        let place = arguments.iter().position(|argument| argument == name).unwrap();
        value.clone_into(&mut arguments[place + 1]);
        arguments
    };
    let wrong = house.file("wrong-password", "sai mật khẩu");
    let closed = house.mailbox_at(1, "INBOX");
    for (arguments, code, words) in [
        (with("--imap-password-file", &wrong), 1, "refuses the login"),
        (with("--imap", &house.mailbox_at(house.imaps_port(), "Kh%C3%B4ng c%C3%B3")), 1, "no folder of this name"),
        (with("--imap", &closed), 3, "nothing listens"),
        (with("--imap", &mailbox.replace("localhost", "127.0.0.1")), 3, "for another name"),
        (with("--imap", &mailbox.replace("imaps:", "imap:")), 2, "never read without TLS"),
        (reading(&house, &mailbox, &["--imap-mark", "\\Deleted"]), 2, "a keyword is"),
    ] {
        let ran = run(&survey, &arguments).await.done_with(code);
        assert!(ran.stderr.contains(words), "{words} is not in {}", ran.stderr);
        assert!(!ran.stderr.contains("tra-ve@") || code == 2, "{}", ran.stderr);
    }
    // The servers' own root is believed because it was named, and not otherwise.
    let mut platform = reading(&house, &mailbox, &[]);
    let place = platform.iter().position(|argument| argument == "--imap-ca").unwrap();
    platform.drain(place..place + 2);
    run(&survey, &platform).await.done_with(3).says(&["not issued by an authority that is trusted"]);
}
