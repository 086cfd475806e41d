//! Constant whole logins, SAML and OIDC by turns, with management writes beside them, while something happens to what the
//! brokers stand on; and what must hold then and afterwards.
//!
//! Every code and every answer of an IdP is presented a second time at once, and the latest ones again at the end, at every
//! node. Every second pair of logins has a refresh token, used at once by two; at the end it comes again, and ends its family. What
//! a user sees of a fault is a 503 with a reference, in the shape that the endpoint speaks.

mod attempt;
mod family;
mod ledger;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;

use crate::sample_idps::CONNECTIONS;
use crate::scene::Scene;
use crate::site::{GRACE, Site};

use attempt::{Attempt, Kind};
pub use ledger::{Allowed, Ledger};

const USERS: usize = 6;
/// Codes and answers that are presented again at the end.
const LATEST: usize = 150;

/// Users at work until [`LoginLoad::end`].
#[derive(Debug)]
pub struct LoginLoad {
    shared: Arc<Shared>,
    workers: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    scene: Arc<Scene>,
    ledger: Ledger,
    stop: AtomicBool,
    /// Advances when somebody begins to wait for logins that began afterwards.
    era: AtomicUsize,
    /// Logins that succeeded within the era that they began in.
    in_era: AtomicUsize,
}

impl LoginLoad {
    /// Starts working.
    #[must_use]
    pub fn on(site: &Site, allowed: Allowed) -> Self {
        let shared = Arc::new(Shared {
            scene: Arc::clone(&site.scene),
            ledger: Ledger::new(allowed),
            stop: AtomicBool::new(false),
            era: AtomicUsize::new(0),
            in_era: AtomicUsize::new(0),
        });
        let mut workers = JoinSet::new();
        for user in 0..USERS {
            workers.spawn(log_in_again_and_again(Arc::clone(&shared), user));
        }
        workers.spawn(manage(Arc::clone(&shared)));
        Self { shared, workers }
    }

    /// Until `logins` that begin from now on have succeeded: how long the first took. Three minutes at most.
    pub async fn until_it_works(&self, logins: usize) -> Duration {
        let start = Instant::now();
        self.shared.in_era.store(0, Ordering::SeqCst);
        self.shared.era.fetch_add(1, Ordering::SeqCst);
        let mut first = None;
        loop {
            let done = self.shared.in_era.load(Ordering::SeqCst);
            if done > 0 {
                first.get_or_insert_with(|| start.elapsed());
            }
            if done >= logins {
                return first.unwrap_or_default();
            }
            let ledger = &self.shared.ledger;
            assert!(start.elapsed() < Duration::from_secs(180), "no recovery: {ledger:#?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Logins that succeeded so far.
    #[must_use]
    pub fn logins(&self) -> usize {
        self.shared.ledger.logins()
    }

    /// Stops; presents every used refresh token and the latest codes and answers again at every node, reads every acknowledged write at every node, and
    /// says what was asserted.
    ///
    /// # Panics
    /// With everything that did not hold.
    pub async fn end(mut self, what: &str, site: &Site, recovered: Duration) {
        self.shared.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.workers.join_next().await {
            ended.unwrap();
        }
        let Shared { scene, ledger, .. } = &*self.shared;
        let nodes = site.addresses();
        // so that a used refresh token is one too many
        tokio::time::sleep(GRACE).await;
        for (number, attempt) in ledger.attempts().iter().enumerate() {
            attempt.end_family(scene, &nodes, ledger, number.is_multiple_of(2)).await;
        }
        let latest = ledger.latest(LATEST);
        for attempt in &latest {
            attempt.present_again_everywhere(scene, &nodes, ledger).await;
        }
        let mut lost = Vec::new();
        for name in ledger.written() {
            for _ in &nodes {
                let found = scene.app.admin.get(&format!("/organizations/{name}")).await;
                if found.status != StatusCode::OK {
                    lost.push(format!("{name}: {}", found.status));
                }
            }
        }
        let wrong = ledger.wrong();
        assert!(
            wrong.is_empty() && lost.is_empty(),
            "{wrong:#?}\nlost writes: {lost:#?}\n{}",
            site.logs()
        );
        ledger.report(what, recovered, (latest.len(), nodes.len()));
    }
}

async fn log_in_again_and_again(shared: Arc<Shared>, user: usize) {
    for turn in user.. {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let era = shared.era.load(Ordering::SeqCst);
        let connection = CONNECTIONS[turn % CONNECTIONS.len()];
        let offline = (turn / CONNECTIONS.len()).is_multiple_of(2);
        let kind = Kind { connection, offline };
        if Attempt::make(&shared.scene, kind, &shared.ledger).await {
            if era == shared.era.load(Ordering::SeqCst) {
                shared.in_era.fetch_add(1, Ordering::SeqCst);
            }
        } else {
            // as a person who tries again, not as a loop
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// An operator who makes one organization after the other.
async fn manage(shared: Arc<Shared>) {
    for number in 0.. {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let name = format!("customer-{number}");
        let body = json!({"name": name, "display_name": "A customer"});
        let answer = shared.scene.app.admin.post("/organizations", &body).await;
        match answer.status.as_u16() {
            201 => shared.ledger.wrote(name),
            502 | 503 => {}
            other => shared.ledger.found_wrong(format!("a write: {other} {}", answer.json)),
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}
