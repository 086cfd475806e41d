//! Constant work on a session store while something happens to it, and what must hold afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use broker::sessions::StoreError;
use chrono::TimeDelta;
use tokio::task::JoinSet;

use crate::store_contract::{Store, hour, key};

const WORKERS: usize = 16;

/// Workers that go on until [`Load::end`].
#[derive(Debug)]
pub struct Load {
    store: Store,
    shared: Arc<Shared>,
    workers: JoinSet<Seen>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    rounds: AtomicUsize,
}

/// What the workers saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Codes that two takers got, and markers that were new twice. Must be none.
    pub doubled: Vec<usize>,
    /// Markers that were acknowledged.
    pub marked: Vec<usize>,
    /// Calls that were answered with an error.
    pub errors: usize,
    /// The longest wait for an answer.
    pub slowest: Duration,
}

impl Load {
    /// Starts working.
    #[must_use]
    pub fn on(store: &Store) -> Self {
        let shared = Arc::new(Shared::default());
        let mut workers = JoinSet::new();
        for worker in 0..WORKERS {
            workers.spawn(work(Arc::clone(store), Arc::clone(&shared), worker));
        }
        Self { store: Arc::clone(store), shared, workers }
    }

    /// Until `rounds` more rounds of work went through without an error: how long that took to begin. A minute at most.
    pub async fn until_it_works(&self, rounds: usize) -> Duration {
        let (start, before) = (Instant::now(), self.shared.rounds.load(Ordering::SeqCst));
        let mut began = None;
        while self.shared.rounds.load(Ordering::SeqCst) < before + rounds {
            if began.is_none() && self.shared.rounds.load(Ordering::SeqCst) > before {
                began = Some(start.elapsed());
            }
            assert!(start.elapsed() < Duration::from_secs(60), "it does not recover");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        began.unwrap_or_else(|| start.elapsed())
    }

    /// Stops; nothing was taken twice.
    pub async fn end(mut self) -> Seen {
        self.shared.stop.store(true, Ordering::SeqCst);
        let mut all = Seen::default();
        while let Some(seen) = self.workers.join_next().await {
            let seen = seen.unwrap();
            all.doubled.extend(seen.doubled);
            all.marked.extend(seen.marked);
            all.errors += seen.errors;
            all.slowest = all.slowest.max(seen.slowest);
        }
        assert!(all.doubled.is_empty(), "taken twice: {:?}", all.doubled);
        all
    }

    /// As [`Self::end`], and every acknowledged marker is still there.
    pub async fn end_without_loss(self) -> Seen {
        let store = Arc::clone(&self.store);
        let seen = self.end().await;
        for n in &seen.marked {
            assert!(is_marked(&store, *n).await, "marker {n} of {} is lost", seen.marked.len());
        }
        seen
    }
}

/// Read, so that what is answered late can be asked again; ten times at most.
async fn is_marked(store: &Store, n: usize) -> bool {
    for _ in 0..10 {
        if let Ok(found) = store.get(&key("marker", &n.to_string()), hour(0)).await {
            return found.is_some();
        }
    }
    panic!("the store does not answer");
}

async fn work(store: Store, shared: Arc<Shared>, worker: usize) -> Seen {
    let mut seen = Seen::default();
    for n in (worker..).step_by(WORKERS) {
        if shared.stop.load(Ordering::SeqCst) {
            break;
        }
        let start = Instant::now();
        match round(&store, n, &mut seen).await {
            Ok(()) => {
                shared.rounds.fetch_add(1, Ordering::SeqCst);
            }
            Err(_) => {
                seen.errors += 1;
                // as a user who tries again, not as a loop
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        seen.slowest = seen.slowest.max(start.elapsed());
    }
    seen
}

/// A code that two take at once, and a marker that is set twice.
async fn round(store: &Store, n: usize, seen: &mut Seen) -> Result<(), StoreError> {
    let code = key("code", &n.to_string());
    store.put(&code, b"issued", hour(0) + TimeDelta::hours(1)).await?;
    let (one, two) = tokio::join!(store.take(&code, hour(0)), store.take(&code, hour(0)));
    let took = [&one, &two].iter().filter(|taken| matches!(taken, Ok(Some(_)))).count();
    if took > 1 {
        seen.doubled.push(n);
    }
    one?;
    two?;
    if insert(store, n).await? {
        seen.marked.push(n);
        if insert(store, n).await? {
            seen.doubled.push(n);
        }
    }
    Ok(())
}

async fn insert(store: &Store, n: usize) -> Result<bool, StoreError> {
    let marker = key("marker", &n.to_string());
    store.insert_once(&marker, b"1", hour(1), hour(0)).await
}
