//! What the broker stands on: database, session store, disk, files, keys, settings.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{CertificateSummary, KeyState};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::{Finding, Level, ending, ends};
use crate::app::App;
use crate::oauth::token_issuer::LONGEST_LIFETIME;
use crate::startup::{admin_token, master_key};

/// Free space of the data folder, bytes.
const FULL: u64 = 100 << 20;
const NEARLY_FULL: u64 = 1 << 30;
/// A signing key that signs for longer should be followed by the next one.
const KEY_AGE: TimeDelta = TimeDelta::days(365);

pub(super) async fn examine(app: &App, now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(error) = app.catalog.writable().await {
        let fix = "look at the database server, the disk, and the rights of the file";
        let message = format!("the database cannot be written: {error}");
        findings.push(Finding::new(Level::Wrong, "database", None, message, fix));
    }
    findings.extend(session_store(app).await);
    findings.extend(app.config.database.folder().and_then(disk));
    findings.extend(files(app));
    findings.extend(settings(app));
    findings.extend(signing_keys(app, now).await);
    findings.extend(tls_certificate(app, now));
    findings
}

async fn session_store(app: &App) -> Vec<Finding> {
    let (store, fix) = (app.records.store(), "see the part on Redis of the deployment guide");
    let (level, messages) = match store.ready().await {
        Ok(()) => {
            let warn = |warning| format!("the session store serves, but {warning}");
            (Level::Warning, store.warnings().await.into_iter().map(warn).collect())
        }
        Err(error) => {
            (Level::Wrong, vec![format!("the session store is not fit to serve: {error}")])
        }
    };
    let finding = |message| Finding::new(level, "sessions", None, message, fix);
    messages.into_iter().map(finding).collect()
}

fn disk(folder: &Path) -> Option<Finding> {
    let free = rustix::fs::statvfs(folder).ok().map(|s| s.f_bavail.saturating_mul(s.f_frsize))?;
    let level = match free {
        ..FULL => Level::Wrong,
        FULL..NEARLY_FULL => Level::Warning,
        NEARLY_FULL.. => return None,
    };
    let message = format!("{} MiB are free beside the database", free >> 20);
    let fix = "make room: a login that cannot be written is refused";
    Some(Finding::new(level, "disk_space", Some(folder.display().to_string()), message, fix))
}

/// RULES 34 and 35.
fn files(app: &App) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(folder) = app.config.database.folder() else { return findings };
    let key = master_key::path(&app.config);
    if key.parent() == Some(folder) {
        findings.push(Finding::new(
            Level::Warning,
            "master_key_place",
            Some(key.display().to_string()),
            "the master key lies beside the database: who copies the folder can open every secret in it",
            "move it elsewhere and name it in keys.master_key_file",
        ));
    }
    let token = folder.join(admin_token::FILE);
    if token.exists() {
        findings.push(Finding::new(
            Level::Warning,
            "bootstrap_token",
            Some(token.display().to_string()),
            "the bootstrap token still lies in the data folder",
            "keep a token in admin.token, from a secret store, and delete the file",
        ));
    }
    findings
}

fn settings(app: &App) -> Vec<Finding> {
    let config = &app.config;
    let mut findings = Vec::new();
    let mut warn = |check: &str, message: &str, fix: &str| {
        findings.push(Finding::new(Level::Warning, check, None, message, fix));
    };
    if config.upstream.allow_http || config.upstream.allow_private_addresses {
        let message = "[upstream] reaches beyond public https addresses";
        warn("upstream_setting", message, "leave both off outside of tests and intranets");
    }
    if !config.limits.enabled {
        warn("limits_setting", "rate limits are off", "set limits.enabled = true");
    }
    if !config.issuer.is_https() {
        let message = "the issuer is http, which is for a developer's machine";
        warn(
            "issuer_setting",
            message,
            "set an https issuer before anybody signs in from elsewhere",
        );
    }
    findings
}

async fn signing_keys(app: &App, now: DateTime<Utc>) -> Vec<Finding> {
    let Ok(keys) = app.keys.list().await else { return Vec::new() };
    let mut findings = Vec::new();
    for key in keys {
        let age = now.signed_duration_since(key.since);
        let object = Some(format!("signing key {}", key.kid));
        if key.state == KeyState::Active && age > KEY_AGE {
            let message = format!("it has signed {} for {} days", key.algorithm, age.num_days());
            let fix = "homerealm keys rotate";
            findings.push(Finding::new(Level::Note, "signing_key_age", object, message, fix));
        } else if key.state == KeyState::Retiring && age > LONGEST_LIFETIME {
            let message = "every token that it signed has expired, and it is still published";
            let fix = "homerealm keys retire";
            findings.push(Finding::new(Level::Note, "signing_key_retiring", object, message, fix));
        }
    }
    findings
}

fn tls_certificate(app: &App, now: DateTime<Utc>) -> Option<Finding> {
    let path = &app.config.tls.as_ref()?.cert;
    let object = Some(path.display().to_string());
    let fix = "renew it and restart the broker";
    let leaf = CertificateDer::from_pem_file(path).ok();
    let Some(leaf) = leaf.and_then(|der| CertificateSummary::from_der(&der).ok()) else {
        let message = "the certificate that we serve with cannot be read any more";
        return Some(Finding::new(Level::Wrong, "tls_certificate", object, message, fix));
    };
    let level = ending(leaf.not_after, now)?;
    let message = format!("the certificate that we serve with {}", ends(leaf.not_after, now));
    Some(Finding::new(level, "tls_certificate", object, message, fix))
}
