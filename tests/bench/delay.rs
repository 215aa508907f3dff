//! A way to a server that takes its time: a proxy that hands on every byte a little later, in both directions.
//!
//! It has no limit of throughput, so that it measures waiting and nothing else.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Starts a proxy to a loopback port and says where it listens. Half the round trip passes in each direction.
pub(crate) async fn proxy(port: u16, round_trip: Duration) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            tokio::spawn(async move {
                // A connection that fails is the sender's to see: both ends are dropped.
                let _ = carry(near, port, round_trip / 2).await;
            });
        }
    });
    Ok(address)
}

async fn carry(near: TcpStream, port: u16, delay: Duration) -> io::Result<()> {
    let far = TcpStream::connect(("127.0.0.1", port)).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::try_join!(later(near_in, far_out, delay), later(far_in, near_out, delay))?;
    Ok(())
}

/// Copies, each piece when its time has come, without keeping the next one waiting for it.
async fn later(mut from: impl AsyncRead + Unpin, to: impl AsyncWrite + Unpin, delay: Duration) -> io::Result<()> {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>(1024);
    let read = async move {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = from.read(&mut buffer).await?;
            if count == 0 || sender.send((Instant::now() + delay, buffer[..count].to_vec())).await.is_err() {
                return Ok::<(), io::Error>(());
            }
        }
    };
    tokio::try_join!(read, deliver(receiver, to))?;
    Ok(())
}

async fn deliver(mut pieces: mpsc::Receiver<(Instant, Vec<u8>)>, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    while let Some((due, piece)) = pieces.recv().await {
        tokio::time::sleep_until(due).await;
        to.write_all(&piece).await?;
    }
    to.shutdown().await
}
