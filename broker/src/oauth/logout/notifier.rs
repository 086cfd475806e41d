//! Back-channel logout: a signed token to every client of a session that has an address for it (Back-Channel Logout 1.0).
//!
//! In the background and best effort: a few attempts within minutes, then the audit log says that a client was not reached.
//! A stop waits a moment for those under way; what waits for a later attempt then is given up, and recorded so.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{JwsAlgorithm, Random};
use homerealm_connectors::http::Outbound;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};
use url::Url;

use super::ending::SESSION;
use super::turns::{Place, Turns};
use crate::catalog::{Action, Actor, ActorKind, AuditObject, Author, Catalog, Client};
use crate::clock::Clock;
use crate::ids;
use crate::keys::KeyRing;
use crate::login::session::SsoSession;
use crate::oauth::error::Trouble;
use crate::oauth::token_issuer::TokenIssuer;

/// `typ` of logout tokens (Back-Channel Logout §2.4): keeps them from passing as ID tokens.
pub const LOGOUT_TOKEN_TYPE: &str = "logout+jwt";

/// Tells clients; clones share their limits.
#[derive(Clone)]
pub struct LogoutNotifier(Arc<Inner>);

/// What a notifier works with.
pub struct Means {
    /// The one outbound client.
    pub outbound: Arc<Outbound>,
    /// For the audit log.
    pub catalog: Catalog,
    /// What the tokens are signed with.
    pub keys: KeyRing,
    /// `iss`.
    pub issuer: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For `jti`.
    pub random: Arc<dyn Random>,
}

struct Inner {
    means: Means,
    /// Between the attempts.
    pauses: Vec<Duration>,
    turns: Turns,
    /// Nothing waits for a later attempt any more.
    stopping: watch::Sender<bool>,
}

/// A client that is being told.
#[derive(Debug)]
pub struct Telling {
    /// The client's name.
    pub client_name: String,
    first: oneshot::Receiver<bool>,
}

/// One message to one client.
struct Message {
    client_id: String,
    algorithm: JwsAlgorithm,
    url: Url,
    user_id: String,
    sid: String,
}

/// Back-Channel Logout §2.4; no `nonce`, ever.
#[derive(Serialize)]
struct LogoutTokenClaims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    sid: String,
    events: Map<String, Value>,
}

const PAUSES: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120)];
/// How long an attempt may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// A client that has our clock's time within this takes the token.
const LIFETIME: TimeDelta = TimeDelta::minutes(2);
/// Bytes of an answer's body that are read; nothing in it matters.
const ANSWER_BYTES: usize = 64 * 1024;
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl LogoutNotifier {
    /// With these means.
    pub fn new(means: Means) -> Self {
        Self::with_pauses(means, PAUSES.to_vec())
    }

    /// With other pauses between the attempts.
    pub(super) fn with_pauses(means: Means, pauses: Vec<Duration>) -> Self {
        let (turns, stopping) = (Turns::default(), watch::Sender::new(false));
        Self(Arc::new(Inner { means, pauses, turns, stopping }))
    }

    /// Before a stop: gives up what waits for a later attempt, and waits for what is under way, `most` at most.
    pub async fn stop(&self, most: Duration) {
        self.0.stopping.send_replace(true);
        if timeout(most, self.0.turns.until_all_is_said()).await.is_err() {
            tracing::warn!("clients were still being told of logouts when the broker stopped");
        }
    }

    /// Begins to tell a client that a session has ended.
    pub fn tell(&self, client: &Client, session: &SsoSession) -> Telling {
        let (sender, first) = oneshot::channel();
        if let Some(message) = Message::of(client, session) {
            let inner = Arc::clone(&self.0);
            tokio::spawn(async move { inner.deliver(&message, sender).await });
        }
        Telling { client_name: client.client_name.clone(), first }
    }
}

impl Message {
    fn of(client: &Client, session: &SsoSession) -> Option<Self> {
        let url = Url::parse(client.session.backchannel_logout_uri.as_deref()?).ok()?;
        Some(Self {
            client_id: client.client_id.clone(),
            algorithm: client.id_token_signed_response_alg,
            url,
            user_id: session.user_id.clone(),
            sid: session.sid.clone(),
        })
    }
}

impl Inner {
    async fn deliver(&self, message: &Message, first: oneshot::Sender<bool>) {
        let mut first = Some(first);
        let Some(place) = self.turns.place(&message.client_id) else {
            return self.record(message, 0, Some("too many messages wait")).await;
        };
        let mut attempts = 0_usize;
        loop {
            let failure = self.send(message, &place).await.err();
            attempts += 1;
            if let Some(first) = first.take() {
                // nobody may be waiting any more
                let _: Result<(), bool> = first.send(failure.is_none());
            }
            let pause = self.pauses.get(attempts - 1);
            match (failure, pause) {
                (Some(Failure { is_final: false, reason }), Some(pause)) => {
                    if self.stops_within(*pause).await {
                        let reason = format!("{reason}; then the broker stopped");
                        return self.record(message, attempts, Some(&reason)).await;
                    }
                }
                (failure, _) => {
                    let reason = failure.map(|failure| failure.reason);
                    return self.record(message, attempts, reason.as_deref()).await;
                }
            }
        }
    }

    async fn stops_within(&self, pause: Duration) -> bool {
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            stopped = stopping.wait_for(|stopping| *stopping) => stopped.is_ok(),
            () = sleep(pause) => false,
        }
    }

    async fn send(&self, message: &Message, place: &Place<'_>) -> Result<(), Failure> {
        let _turn = place.turn().await.map_err(Failure::later)?;
        // only now: it does not live long
        let token = self.token(message).await.map_err(Failure::later)?;
        let form = [("logout_token", token.as_str())];
        let answer = self.means.outbound.post_form(&message.url, &form, None, ANSWER_BYTES);
        let answer = timeout(PATIENCE, answer).await.map_err(Failure::later)?;
        match answer.map_err(Failure::later)?.status {
            200..=299 => Ok(()),
            // the client read it and will not have it (Back-Channel Logout §2.8)
            status @ (400 | 401 | 403..=407 | 410..=428) => {
                Err(Failure { reason: format!("it answered {status}"), is_final: true })
            }
            status => Err(Failure { reason: format!("it answered {status}"), is_final: false }),
        }
    }

    async fn token(&self, message: &Message) -> Result<String, Trouble> {
        let now = self.means.clock.now();
        let issuer = TokenIssuer {
            issuer: &self.means.issuer,
            keys: self.means.keys.current(),
            random: self.means.random.as_ref(),
            now,
        };
        issuer.sign(message.algorithm, LOGOUT_TOKEN_TYPE, self.claims(message, now)).await
    }

    fn claims(&self, message: &Message, now: DateTime<Utc>) -> LogoutTokenClaims {
        LogoutTokenClaims {
            iss: self.means.issuer.clone(),
            sub: message.user_id.clone(),
            aud: message.client_id.clone(),
            iat: now.timestamp(),
            exp: (now + LIFETIME).timestamp(),
            jti: ids::id("lgt", self.means.random.as_ref()),
            sid: message.sid.clone(),
            events: Map::from_iter([(EVENT.to_owned(), json!({}))]),
        }
    }

    async fn record(&self, message: &Message, attempts: usize, failure: Option<&str>) {
        let Message { client_id, sid, .. } = message;
        let action = if failure.is_none() { Action::LogoutDelivered } else { Action::LogoutFailed };
        tracing::info!(
            client.id = client_id,
            session.id = sid,
            attempts,
            failure,
            "back-channel logout"
        );
        let author = Author {
            id: ids::id("aud", self.means.random.as_ref()),
            actor: Actor::new(ActorKind::Schedule, "logout"),
            address: None,
            at: self.means.clock.now(),
        };
        let object = AuditObject { kind: SESSION.to_owned(), id: sid.clone(), name: sid.clone() };
        let after = json!({"client_id": client_id, "attempts": attempts, "failure": failure});
        let entry = author.entry(action, object, None, Some(after));
        if let Err(error) = self.means.catalog.record_audit(&entry).await {
            tracing::error!(%error, client.id = client_id, "the outcome of a logout is not in the audit log");
        }
    }
}

impl Telling {
    /// Whether the client took the first attempt; `false` also where it has not answered yet. Ends at `deadline`.
    pub async fn took(self, deadline: tokio::time::Instant) -> bool {
        matches!(tokio::time::timeout_at(deadline, self.first).await, Ok(Ok(true)))
    }
}

struct Failure {
    reason: String,
    is_final: bool,
}

impl Failure {
    fn later(error: impl fmt::Display) -> Self {
        Self { reason: error.to_string(), is_final: false }
    }
}

impl fmt::Debug for LogoutNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogoutNotifier(..)")
    }
}

impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Means({})", self.issuer)
    }
}
