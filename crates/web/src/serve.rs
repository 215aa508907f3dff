//! Accepts connections, bounds them, says who asks, and lets them finish when told to stop.
//!
//! HTTP/1.1 only: HTTP/2 belongs to what stands in front. No rule about pages is here.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::Service;

use crate::client::Networks;
use crate::tls::Tls;

/// How long a connection may take to send the head of a request, or stay silent between two.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// The largest head of a request, and the size of a connection's buffer.
const HEAD_LIMIT: usize = 16 * 1024;
/// Connections at one time; later ones wait in the system's queue.
pub const CONNECTIONS: usize = 12_000;
/// How long the greeting of TLS may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a client may take no byte of a reply that waits for it.
const WRITE_TIME: Duration = Duration::from_secs(30);
/// How long connections may finish what they have begun after the stop.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// The pause after the system refused to accept, as when it is out of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `shutdown` resolves, as [`Server::run`] does without a proxy.
///
/// # Errors
/// As [`Server::run`].
pub async fn serve(listener: TcpListener, app: Router, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    Server { listener, networks: Networks::default(), tls: None, places: CONNECTIONS }.run(app, shutdown).await
}

/// A server that is ready to run.
pub struct Server {
    /// Where it listens.
    pub listener: TcpListener,
    /// Which proxies are believed, and which networks are exempt from limits by address.
    pub networks: Networks,
    /// The certificate; without one the server speaks plainly.
    pub tls: Option<Arc<Tls>>,
    /// Connections at one time, at most [`CONNECTIONS`]: as many as there are file handles for.
    pub places: usize,
}

/// What a page that never ends by itself listens to, in the extensions of every request: whether the server was told to
/// stop.
#[derive(Clone)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Resolves at the stop.
    pub(crate) async fn told(&mut self) {
        told_to_stop(&mut self.0).await;
    }
}

impl Server {
    /// Serves `app` until `shutdown` resolves, then waits for requests in hand, at most ten seconds.
    ///
    /// # Errors
    /// The listener has no local address, which means that it is not usable.
    pub async fn run(self, app: Router, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
        let Self { listener, networks, tls, places } = self;
        let address = listener.local_addr()?;
        tracing::info!(%address, "serving");
        let (stop, stopped) = watch::channel(false);
        let places = Arc::new(Semaphore::new(places.min(CONNECTIONS)));
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
                listener.accept().await.map(|(stream, peer)| (stream, peer.ip(), place))
            };
            tokio::select! {
                () = &mut shutdown => break,
                Some(_ended) = connections.join_next() => {}
                accepted = next => match accepted {
                    Ok((stream, peer, place)) => {
                        let encrypted = tls.is_some();
                        let (app, networks, stopping) = (app.clone(), networks.clone(), Stopping(stopped.clone()));
                        let caller = Caller { app, networks, stopping, peer, encrypted };
                        let tls = tls.as_deref().map(Tls::acceptor);
                        connections.spawn(connection(stream, tls, caller, stopped.clone(), place));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        stop.send_replace(true);
        let drained = tokio::time::timeout(DRAIN_TIME, async { while connections.join_next().await.is_some() {} });
        if drained.await.is_err() {
            tracing::warn!(left = connections.len(), "connections were cut off at the stop");
        }
        Ok(())
    }
}

/// The application as one connection meets it.
struct Caller {
    app: Router,
    networks: Networks,
    stopping: Stopping,
    peer: IpAddr,
    encrypted: bool,
}

impl Caller {
    /// Passes a request on together with who asks.
    fn ask(&self, mut request: Request<Incoming>) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        let client = self.networks.client(self.peer, self.encrypted, request.headers());
        request.extensions_mut().insert(client);
        request.extensions_mut().insert(self.stopping.clone());
        // A router is always ready, and a clone of it shares everything.
        self.app.clone().call(request)
    }
}

/// Resolves at the stop. It drops what it waited for, which cannot be held while the connection goes on.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stop| *stop).await);
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    caller: Caller,
    stopped: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let Some(tls) = tls else {
        return speak(stream, caller, stopped).await;
    };
    match tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
        Ok(Ok(stream)) => speak(stream, caller, stopped).await,
        Ok(Err(error)) => tracing::debug!(%error, "a connection did not become encrypted"),
        Err(_elapsed) => tracing::debug!("a connection took too long to become encrypted"),
    }
}

/// Speaks HTTP until the connection ends.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    caller: Caller,
    mut stopped: watch::Receiver<bool>,
) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIME));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(Box::pin(stream)), service_fn(move |request| caller.ask(request)))
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told_to_stop(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
