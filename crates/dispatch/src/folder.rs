//! A folder as a way to send: each mail becomes a file, whole or not at all, and nobody gets one. For rehearsals only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::delivery::{Delivery, Outcome, Peer, Stage};
use crate::engine::{Carrier, Line, Permit};
use crate::letter::Composed;

/// A folder that takes mails.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// The folder, open.
#[derive(Debug)]
pub struct FolderLine {
    path: PathBuf,
    peer: Arc<Peer>,
}

impl Folder {
    /// The folder at `path`, made when it is opened.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl Carrier for Folder {
    type Line = FolderLine;

    async fn open(&self) -> Result<FolderLine, Delivery> {
        let peer = Arc::new(Peer { host: "a folder".to_owned(), address: None, tls: None });
        let failed = |error: std::io::Error| {
            let text = format!("the folder cannot be made ({})", error.kind());
            Delivery::without_reply(Outcome::RouteFailed, Stage::Connect, &text).by(&peer)
        };
        tokio::fs::create_dir_all(&self.0).await.map_err(failed)?;
        Ok(FolderLine { path: self.0.clone(), peer })
    }
}

impl Line for FolderLine {
    fn is_usable(&self) -> bool {
        true
    }

    async fn carry<P: Permit>(&mut self, mail: &Composed, permit: P) -> Option<Delivery> {
        if !permit.ask(&self.peer).await {
            return None;
        }
        // A Message-ID has no character that a file name could not have, and is the same whenever the mail is.
        let name = mail.message_id().trim_matches(['<', '>']);
        let delivery = match write_whole(&self.path, name, mail.bytes()).await {
            Ok(()) => Delivery::without_reply(Outcome::Accepted, Stage::Dot, "written to a file"),
            Err(error) => {
                let text = format!("the file cannot be written ({})", error.kind());
                Delivery::without_reply(Outcome::RouteFailed, Stage::Body, &text)
            }
        };
        Some(delivery.by(&self.peer))
    }

    async fn leave(self) {}
}

async fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let (path, part) = (folder.join(format!("{name}.eml")), folder.join(format!("{name}.part")));
    tokio::fs::write(&part, bytes).await?;
    tokio::fs::rename(&part, &path).await
}
