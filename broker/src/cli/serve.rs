//! `homerealm serve [--config FILE]`.

use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use super::{load, say};
use crate::startup::{self, Running, Startup, absolute};
use crate::telemetry::{self, LogFormat};

pub(super) async fn run(file: Option<&Path>, log: LogFormat) -> anyhow::Result<()> {
    telemetry::start(log);
    let config = load(file)?;
    // before anything is announced, so that no early signal is lost
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut running = startup::start(Startup::new(config)).await?;
    warn(&running);
    say(&announcement(&running))?;
    tokio::select! {
        _ = interrupt.recv() => tracing::info!("interrupted: stopping"),
        _ = terminate.recv() => tracing::info!("told to end: stopping"),
        ended = running.until_it_ends() => ended?,
    }
    running.stop().await;
    Ok(())
}

/// One line: where it answers, where its data are, where the admin token is; never the token.
fn announcement(running: &Running) -> String {
    let token = match running.app.admin_token.file() {
        Some(file) => format!("in {}", absolute(file).display()),
        None => "as configured".to_owned(),
    };
    let data = match running.data_folder() {
        Some(folder) => format!("in {}", folder.display()),
        None => "in PostgreSQL".to_owned(),
    };
    let sessions = match &running.app.config.sessions.redis {
        Some(redis) => format!("; sessions at {}", redis.url),
        None => String::new(),
    };
    format!(
        "Homerealm answers at {} (listening on {}); data {data}{sessions}; admin token {token}",
        running.issuer(),
        running.address,
    )
}

fn warn(running: &Running) {
    let config = &running.app.config;
    if config.upstream.allow_http || config.upstream.allow_private_addresses {
        tracing::warn!("[upstream] reaches beyond public https: for tests and intranets only");
    }
    if config.allow_insecure_container && !config.issuer.is_https() {
        tracing::warn!(
            "allow_insecure_container: plain http for a container on a developer's machine only"
        );
    }
}
