//! Works on an embedded session store until it is killed: names each piece of work on standard output once it was
//! acknowledged. `tests/it/store.rs` kills it and looks whether what was acknowledged is there.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use broker::sessions::SessionStore as _;
use broker::sessions::embedded::{Capacity, EmbeddedStore};
use testkit::store_contract::{hour, key};
use tokio::task::JoinSet;

const WORKERS: usize = 16;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: store-child FILE")?);
    let store = Arc::new(EmbeddedStore::open(&file, Capacity::default(), hour(0)).await?);
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let store = Arc::clone(&store);
        workers.spawn(async move {
            for n in (worker..).step_by(WORKERS) {
                if work(&store, n).await.is_err() {
                    return;
                }
            }
        });
    }
    workers.join_all().await;
    Ok(())
}

/// A code that is used up (even: by a swap, odd: by a take) and a replay marker.
async fn work(
    store: &EmbeddedStore,
    n: usize,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (handle, now, end) = (n.to_string(), hour(0), hour(1));
    let code = key("code", &handle);
    store.put(&code, b"issued", end).await?;
    let used = if n.is_multiple_of(2) {
        store.compare_and_swap(&code, b"issued", b"used", end, now).await?
    } else {
        store.take(&code, now).await?.is_some()
    };
    let marked = store.insert_once(&key("marker", &handle), b"1", end, now).await?;
    if used && marked {
        writeln!(std::io::stdout().lock(), "{n}")?;
    }
    Ok(())
}
