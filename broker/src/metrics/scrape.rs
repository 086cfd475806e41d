//! The whole text of one scrape.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use homerealm_certs::KeyState;

use super::series::{counter, gauge, label};
use crate::app::App;

/// Everything as it is now.
pub(super) async fn text(app: &App) -> String {
    let mut out = String::new();
    let metrics = &app.metrics;
    metrics.logins.write(
        &mut out,
        "homerealm_logins_total",
        "Logins that ended, by outcome and code of the failed check.",
        ["outcome", "code"],
    );
    counter(
        &mut out,
        "homerealm_login_traces_left_out_total",
        "Failed logins that left no trace, because there were too many that proved nothing.",
        &[(String::new(), count(metrics.traces_left_out.load(Ordering::Relaxed)))],
    );
    metrics.tokens.write(
        &mut out,
        "homerealm_token_requests_total",
        "Token requests by grant and outcome.",
        ["grant", "outcome"],
    );
    metrics.requests.write(
        &mut out,
        "homerealm_http_request_duration_seconds",
        "Requests by method, route and class of status.",
        ["method", "route", "status"],
    );
    metrics.sessions.write(
        &mut out,
        "homerealm_session_store_operations_total",
        "Operations of the session store by outcome.",
        ["operation", "outcome"],
    );
    catalog(app, &mut out);
    health(app, &mut out).await;
    signing_keys(app, &mut out).await;
    let _ = write!(
        out,
        "# HELP homerealm_build_info The version that runs.\n# TYPE homerealm_build_info gauge\n\
         homerealm_build_info{{{}}} 1\n",
        label("version", env!("CARGO_PKG_VERSION"))
    );
    out
}

fn catalog(app: &App, out: &mut String) {
    let stats = app.catalog.stats();
    counter(
        out,
        "homerealm_catalog_reads_total",
        "Reads of the catalog, from the cache or the database.",
        &[
            (label("from", "cache"), count(stats.hits)),
            (label("from", "database"), count(stats.misses)),
        ],
    );
    gauge(
        out,
        "homerealm_login_writes_waiting",
        "Writes of logins that wait for the group-commit writer; 1024 is full.",
        &[(String::new(), count(stats.waiting as u64))],
    );
}

async fn health(app: &App, out: &mut String) {
    let up = |good: bool| if good { 1.0 } else { 0.0 };
    let values = [
        (label("part", "database"), up(app.catalog.ready().await.is_ok())),
        (label("part", "sessions"), up(app.records.store().ready().await.is_ok())),
    ];
    gauge(out, "homerealm_up", "Whether a part that the broker needs answers.", &values);
}

/// Left out while the database is away.
async fn signing_keys(app: &App, out: &mut String) {
    let Ok(keys) = app.keys.list().await else { return };
    let now = app.now();
    let active = keys.iter().filter(|key| key.state == KeyState::Active);
    let ages: Vec<_> = active
        .map(|key| {
            let age = now.signed_duration_since(key.since).as_seconds_f64();
            (label("alg", key.algorithm.as_str()), age)
        })
        .collect();
    gauge(out, "homerealm_signing_key_age_seconds", "Since when the active key signs.", &ages);
}

#[expect(clippy::cast_precision_loss, reason = "counters beyond 2^53 may round")]
fn count(value: u64) -> f64 {
    value as f64
}
