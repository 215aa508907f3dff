//! Accepts connections, bounds them, and lets them finish when told to stop.
//!
//! HTTP/1.1 only: encryption and HTTP/2 belong to what stands in front. No rule about pages is here.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::console::Peer;

/// How long a connection may take to send the head of a request, or stay silent between two.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// The largest head of a request, and the size of a connection's buffer.
const HEAD_LIMIT: usize = 16 * 1024;
/// Connections at one time; later ones wait in the system's queue.
const CONNECTIONS: usize = 12_000;
/// How long connections may finish what they have begun after the stop.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// The pause after the system refused to accept, as when it is out of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `shutdown` resolves, then waits for requests in hand, at most ten seconds.
///
/// # Errors
/// The listener has no local address, which means that it is not usable.
pub async fn serve(listener: TcpListener, app: Router, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "serving");
    let (stop, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
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
                    let app = app.clone().layer(Extension(Peer(peer)));
                    connections.spawn(connection(stream, app, stopped.clone(), place));
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

/// Resolves at the stop. It drops what it waited for, which cannot be held while the connection goes on.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stop| *stop).await);
}

async fn connection(stream: TcpStream, app: Router, mut stopped: watch::Receiver<bool>, _place: OwnedSemaphorePermit) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
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
