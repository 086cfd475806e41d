//! A TCP proxy that counts what goes through it and can fall silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// On 127.0.0.1.
    pub port: u16,
    sent: Arc<AtomicUsize>,
    /// Connections up to this number are silent.
    silent: watch::Sender<usize>,
    opened: Arc<AtomicUsize>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Forwards to a port of this machine.
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, watched) = watch::channel(0);
        let (sent, opened) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counters = (Arc::clone(&sent), Arc::clone(&opened));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = counters.1.fetch_add(1, Ordering::SeqCst) + 1;
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { continue };
                drop((client.set_nodelay(true), server.set_nodelay(true)));
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let count = Some(Arc::clone(&counters.0));
                tokio::spawn(forward(from_client, to_server, number, watched.clone(), count));
                tokio::spawn(forward(from_server, to_client, number, watched.clone(), None));
            }
        });
        Self { port, sent, silent, opened, accepting }
    }

    /// Pieces that clients have sent so far. One client with one request under way sends one piece a round trip.
    #[must_use]
    pub fn round_trips(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    /// Connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// Half open: what is connected stays so and hears nothing any more; new connections work.
    pub fn fall_silent(&self) {
        self.silent.send_replace(self.connections());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: usize,
    mut silent: watch::Receiver<usize>,
    count: Option<Arc<AtomicUsize>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        tokio::select! {
            read = from.read(&mut buffer) => {
                let Ok(length @ 1..) = read else { return };
                if let Some(count) = &count {
                    count.fetch_add(1, Ordering::SeqCst);
                }
                if to.write_all(&buffer[..length]).await.is_err() {
                    return;
                }
            }
            told = async { silent.wait_for(|last| number <= *last).await.is_ok() } => {
                if told {
                    // keeps both sockets open
                    std::future::pending::<()>().await;
                }
                return;
            }
        }
    }
}
