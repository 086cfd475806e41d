//! What a node does beside answering, to stay at one with the others: it follows the catalog, moves signing keys on, and looks
//! after the proofs of domains.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::catalog::CatalogError;
use crate::domains::recheck;
use crate::keys::Schedule;
use crate::oauth::token_issuer::LONGEST_LIFETIME;

/// Between two looks at what others wrote: nodes agree within a second.
const FOLLOW: Duration = Duration::from_millis(500);
/// Between two looks at the schedule of the keys.
const KEYS: Duration = Duration::from_mins(1);

/// Between two looks at whether the proofs of domains are due to be looked at.
const DOMAINS: Duration = Duration::from_mins(10);

/// Until it is dropped.
pub(super) async fn run(app: Arc<App>) {
    tokio::join!(follow(&app), keep_keys(&app), watch_domains(&app));
}

async fn follow(app: &App) {
    let mut keys = app.catalog.signing_keys_changed();
    // what changed between reading them and this moment
    keys.mark_changed();
    let mut ticks = every(FOLLOW);
    let mut away = false;
    loop {
        ticks.tick().await;
        let outcome = app.catalog.catch_up().await;
        tell(away, &outcome);
        away = outcome.is_err();
        if away || !keys.has_changed().unwrap_or(false) {
            continue;
        }
        keys.mark_unchanged();
        let reloaded = app.keys.reload().await;
        app.keys_are_old.store(reloaded.is_err(), std::sync::atomic::Ordering::Relaxed);
        if let Err(error) = reloaded {
            tracing::error!(%error, "the signing keys cannot be read");
            keys.mark_changed();
        }
    }
}

/// Once when it goes, once when it is back.
fn tell(was_away: bool, outcome: &Result<(), CatalogError>) {
    match outcome {
        Err(error) if !was_away => tracing::error!(%error, "the catalog is away"),
        Ok(()) if was_away => tracing::info!("the catalog is back"),
        Ok(()) | Err(_) => {}
    }
}

async fn keep_keys(app: &App) {
    let Some(days) = app.config.keys.rotate_days else { return };
    let schedule = Schedule {
        active_for: TimeDelta::days(days.into()),
        retiring_for: LONGEST_LIFETIME + TimeDelta::days(1),
    };
    let mut ticks = every(KEYS);
    loop {
        ticks.tick().await;
        if let Err(error) = app.keys.keep(schedule, app.random.as_ref(), app.now()).await {
            tracing::warn!(%error, "the signing keys were not looked after");
        }
    }
}

async fn watch_domains(app: &App) {
    let mut ticks = every(DOMAINS);
    loop {
        ticks.tick().await;
        if let Err(error) = recheck::round_if_due(app, app.now()).await {
            tracing::warn!(%error, "the proofs of domains were not looked at");
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
