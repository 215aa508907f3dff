//! The ways a mail can be sent: a relay by SMTP, a provider by HTTP, or a folder for rehearsals. One engine serves them all.

use crate::delivery::Delivery;
use crate::engine::{Carrier, Line, Permit};
use crate::folder::{Folder, FolderLine};
use crate::letter::Composed;
use crate::letter::dkim::Dkim;
use crate::provider::{Provider, ProviderLine};
use crate::route::Route;
use crate::session::Session;

/// A way to send.
#[derive(Debug, Clone)]
pub enum Way {
    /// A relay.
    Smtp(Box<Route>),
    /// A provider's HTTP interface.
    Provider(Provider),
    /// A folder that takes whatever comes.
    Folder(Folder),
}

/// A connection of a [`Way`].
#[derive(Debug)]
pub enum WayLine {
    /// To a relay.
    Smtp(Box<Session>),
    /// To a provider.
    Provider(ProviderLine),
    /// To a folder.
    Folder(FolderLine),
}

impl Way {
    /// With what mails that go this way are to be signed; a provider signs by itself.
    #[must_use]
    pub fn dkim(&self) -> Option<&Dkim> {
        match self {
            Self::Smtp(route) => route.dkim.as_ref(),
            Self::Provider(_) | Self::Folder(_) => None,
        }
    }

    /// Whether mails really leave this way.
    #[must_use]
    pub fn is_real(&self) -> bool {
        !matches!(self, Self::Folder(_))
    }
}

impl From<Route> for Way {
    fn from(route: Route) -> Self {
        Self::Smtp(Box::new(route))
    }
}

impl Carrier for Way {
    type Line = WayLine;

    async fn open(&self) -> Result<WayLine, Delivery> {
        Ok(match self {
            Self::Smtp(route) => WayLine::Smtp(Box::new(route.open().await?)),
            Self::Provider(provider) => WayLine::Provider(provider.open().await?),
            Self::Folder(folder) => WayLine::Folder(folder.open().await?),
        })
    }
}

impl Line for WayLine {
    fn is_usable(&self) -> bool {
        match self {
            Self::Smtp(session) => session.is_usable(),
            Self::Provider(line) => line.is_usable(),
            Self::Folder(line) => line.is_usable(),
        }
    }

    async fn carry<P: Permit>(&mut self, mail: &Composed, permit: P) -> Option<Delivery> {
        match self {
            Self::Smtp(session) => session.carry(mail, permit).await,
            Self::Provider(line) => line.carry(mail, permit).await,
            Self::Folder(line) => line.carry(mail, permit).await,
        }
    }

    async fn leave(self) {
        match self {
            Self::Smtp(session) => session.leave().await,
            Self::Provider(line) => line.leave().await,
            Self::Folder(line) => line.leave().await,
        }
    }
}
